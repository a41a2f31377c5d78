//! What a mail that is sent does for its route, and for those that wait for it.
//!
//! A mail whose route is known to be down, and was tried less than a minute ago, does not wait for
//! it a second time: it goes straight to the outbox. Otherwise the mail itself is the try, and what
//! it has seen is written down for the others. A mail that was accepted takes a few of those along
//! that wait for the same route, over the same connection.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::super::Outbox;
use super::super::route_state::{RouteKey, RouteState, RouteStates, Sighting, Trouble};
use super::trouble::{Shown, shown};
use super::{Flush, changed_at, way};
use crate::config::{Origin, Settings};
use crate::exit::{Failure, Kind};
use crate::submission::relay_url::RelayUrl;
use crate::submission::route::Route;
use crate::submission::{SubmissionPlan, Surroundings};
use crate::sys::{clock, random};
use crate::transport::smtp::SmtpChannel;
use crate::transport::{Disposition, Outcome, Scope, Silent};

/// How many waiting messages a mail takes along.
const MOST: usize = 5;

/// After this time it takes no further one along: somebody waits for its end.
const LONGEST: Duration = Duration::from_secs(2);

/// Returns the routes of a plan that take no mail now, as far as that is known.
pub(crate) fn troubles(plan: &SubmissionPlan, around: &Surroundings<'_>) -> Vec<RouteState> {
    // What cannot be opened is told where mail is sent.
    let outboxes = Outbox::all(around).unwrap_or_default();
    let mut found: Vec<RouteState> = Vec::new();
    let relays = plan
        .copies
        .iter()
        .filter_map(|copy| match &**copy.route.as_ref().ok()? {
            Route::Relay(relays) => Some(relays),
            _ => None,
        });
    for url in relays.flat_map(|relays| relays.iter()) {
        let key = RouteKey::of(url, around.settings.text("smtp-auth-user"));
        let states = outboxes
            .iter()
            .filter_map(|outbox| RouteStates::of(outbox.directory()).read(&key))
            .filter(RouteState::is_down);
        for state in states {
            if !found.contains(&state) {
                found.push(state);
            }
        }
    }
    found
}

/// A mail's way to its relay.
pub(crate) struct Trip<'a> {
    outbox: &'a Outbox,
    url: Arc<RelayUrl>,
    key: RouteKey,
    before: Option<RouteState>,
    began: SystemTime,
}

impl<'a> Trip<'a> {
    /// Begins a trip.
    ///
    /// # Errors
    /// The outcome of a mail that is not even tried: the route is known to be down.
    pub(crate) fn begin(
        outbox: &'a Outbox,
        url: &Arc<RelayUrl>,
        around: &Surroundings<'_>,
    ) -> Result<Trip<'a>, Outcome> {
        let key = RouteKey::of(url, around.settings.text("smtp-auth-user"));
        let states = RouteStates::of(outbox.directory());
        let before = states.read(&key);
        let began = clock::now();
        if let Some(state) = &before {
            // The files are looked at only where the route is down.
            if state.holds_back(began, None) && state.holds_back(began, changed_at(around)) {
                return Err(held_back(state));
            }
            if state.is_down() {
                // Others who send meanwhile need not try it, too.
                let claimed = RouteState {
                    tried: began,
                    ..state.clone()
                };
                let _ = states.write(&key, &claimed);
            }
        }
        Ok(Trip {
            outbox,
            url: Arc::clone(url),
            key,
            before,
            began,
        })
    }

    /// Writes down what the mail has seen of the route.
    pub(crate) fn end(&self, outcomes: &[Outcome]) {
        self.note(&shown(outcomes.iter()));
    }

    /// Writes down that the route could not be prepared, for want of a password for instance.
    pub(crate) fn fail(&self, failure: &Failure) {
        let trouble = super::trouble::of_kind(failure.kind);
        self.note(&Shown::Trouble(trouble, crate::exit::with_causes(failure)));
    }

    fn note(&self, shown: &Shown) {
        let states = RouteStates::of(self.outbox.directory());
        let (trouble, reply) = match shown {
            Shown::Nothing => return,
            Shown::Works => {
                if self.before.is_some() {
                    states.clear(&self.key);
                }
                return;
            }
            Shown::Deferred(reply) => (Trouble::Deferred, reply.clone()),
            Shown::Trouble(trouble, reply) => (*trouble, reply.clone()),
        };
        let sighting = Sighting {
            trouble,
            reply,
            began: self.began,
            ended: clock::now(),
        };
        // Another mail may have seen the trouble meanwhile; it is one trouble.
        let before = states.read(&self.key).or_else(|| self.before.clone());
        let route = self.url.to_string();
        let state = RouteState::after(before.as_ref(), &route, sighting, random::number());
        // Without the file the next mail finds the trouble again.
        let _ = states.write(&self.key, &state);
    }

    /// Sends a few of the messages that wait for this route, without a word: at most [`MOST`], and
    /// none is begun after [`LONGEST`].
    pub(crate) fn take_along(&self, mut channel: SmtpChannel, around: &Surroundings<'_>) {
        let settings = around.settings;
        // They are sent with the settings of the files, and not with those that this command line
        // adds for its own mail.
        if !channel.is_open() || is_special(settings) {
            return;
        }
        let Ok(Some(_lock)) = self.outbox.lock_flusher() else {
            return;
        };
        // `-v` is for the mail of this command line.
        channel.set_observer(Arc::new(Silent));
        let account = settings.account_in_use().map(str::to_owned);
        let configure = |_: Option<&str>| Ok(settings.clone());
        let end = Instant::now() + LONGEST;
        let mut nobody = |_| {};
        let mut flush = Flush::new(self.outbox, around, &configure, &mut nobody, end);
        flush.most = MOST;
        flush.is_confined = true;
        let way = way(&self.url, account.clone(), settings);
        flush.routes.insert(way, &self.url, None, Some(channel));
        let Ok(listing) = self.outbox.list() else {
            return;
        };
        for listed in &listing.entries {
            let is_alike = listed
                .envelope
                .as_ref()
                .is_some_and(|envelope| envelope.account == account && envelope.route.is_none());
            if flush.is_over() {
                return;
            }
            if is_alike {
                flush.listed(listed);
            }
        }
    }
}

/// Returns whether the command line has set something that concerns how a mail is sent.
fn is_special(settings: &Settings) -> bool {
    let mut names = settings.changed().map(|(name, _)| name);
    names.any(|name| name != "verbose" && matches!(settings.origin(name), Origin::Option(_)))
}

/// Returns the outcome of a mail that is not tried because its route is down.
pub(super) fn held_back(state: &RouteState) -> Outcome {
    let disposition = match state.trouble {
        Trouble::Login => Disposition::Refused(Kind::NoPermission),
        _ => Disposition::TryLater(Kind::TryLater),
    };
    Outcome::new(disposition, state.told()).scope(Scope::Route)
}
