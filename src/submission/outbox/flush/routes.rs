//! The routes of one flush: each is judged once, opened once, and closed at its first trouble.

use std::collections::HashMap;
use std::time::SystemTime;

use super::super::route_state::{RouteKey, RouteState, RouteStates, Sighting, Trouble};
use super::trouble::Shown;
use crate::submission::relay_url::RelayUrl;
use crate::sys::{clock, random};
use crate::transport::smtp::SmtpChannel;

/// A route and the account whose settings open it.
pub(super) type Way = (RouteKey, Option<String>);

/// A route in this flush.
pub(super) struct KnownRoute {
    /// The route, as it is shown.
    pub(super) name: String,
    /// Its trouble, as far as it is known.
    pub(super) state: Option<RouteState>,
    /// Its connection; none if it takes no mail in this flush.
    pub(super) channel: Option<SmtpChannel>,
    /// Whether this flush has met its trouble, and has not only read of it.
    was_tried: bool,
}

/// How a route has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It works as before, or its trouble does not stop it.
    None,
    /// It takes no mail for the rest of this flush. `is_new` says that this trouble was not known.
    Closed { is_new: bool },
    /// It takes mail again.
    Opened,
}

/// All routes of a flush.
pub(super) struct Routes<'a> {
    states: RouteStates<'a>,
    known: HashMap<Way, KnownRoute>,
}

impl<'a> Routes<'a> {
    pub(super) fn new(states: RouteStates<'a>) -> Routes<'a> {
        Routes {
            states,
            known: HashMap::new(),
        }
    }

    /// Returns a route, if it was met before in this flush.
    pub(super) fn get(&mut self, way: &Way) -> Option<&mut KnownRoute> {
        self.known.get_mut(way)
    }

    /// Returns the state of a route, as it stands in its file.
    pub(super) fn state(&self, key: &RouteKey) -> Option<RouteState> {
        self.states.read(key)
    }

    /// Notes a route: with a channel if it is to be tried.
    pub(super) fn insert(
        &mut self,
        way: Way,
        url: &RelayUrl,
        state: Option<RouteState>,
        channel: Option<SmtpChannel>,
    ) {
        if let Some(state) = state.as_ref().filter(|state| state.is_down())
            && channel.is_some()
        {
            // Whoever sends meanwhile need not try it, too.
            let claimed = RouteState {
                tried: clock::now(),
                ..state.clone()
            };
            let _ = self.states.write(&way.0, &claimed);
        }
        let route = KnownRoute {
            name: url.to_string(),
            state,
            channel,
            was_tried: false,
        };
        self.known.insert(way, route);
    }

    /// Returns whether this flush has met trouble on a route.
    pub(super) fn was_tried(&self, url: &RelayUrl, account: Option<&str>) -> bool {
        let name = url.to_string();
        self.known.iter().any(|((_, of), route)| {
            of.as_deref() == account && route.name == name && route.was_tried
        })
    }

    /// Notes what a message has shown of its route.
    pub(super) fn note(&mut self, way: &Way, shown: &Shown, began: SystemTime) -> Change {
        let key = &way.0;
        let Some(route) = self.known.get_mut(way) else {
            return Change::None;
        };
        let (trouble, reply) = match shown {
            Shown::Nothing => return Change::None,
            Shown::Works => {
                let before = route.state.take();
                if before.is_some() {
                    self.states.clear(key);
                }
                return if before.is_some_and(|state| state.is_down()) {
                    Change::Opened
                } else {
                    Change::None
                };
            }
            Shown::Deferred(reply) => (Trouble::Deferred, reply.clone()),
            Shown::Trouble(trouble, reply) => (*trouble, reply.clone()),
        };
        let sighting = Sighting {
            trouble,
            reply,
            began,
            ended: clock::now(),
        };
        let before = route.state.take();
        let is_new = before
            .as_ref()
            .is_none_or(|before| before.trouble != trouble);
        let state = RouteState::after(before.as_ref(), &route.name, sighting, random::number());
        let _ = self.states.write(key, &state);
        let is_down = state.is_down();
        route.was_tried = true;
        route.state = Some(state);
        if is_down {
            route.channel = None;
            Change::Closed { is_new }
        } else {
            Change::None
        }
    }
}
