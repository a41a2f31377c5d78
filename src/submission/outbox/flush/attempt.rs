//! One try of an entry: what its outcomes mean for it. Pure decisions on the state of the entry.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use super::super::schedule;
use super::super::state::{EntryState, Standing, TargetState};
use super::super::turn::{seconds, time};
use super::trouble::trouble_of;
use crate::exit::Kind;
use crate::submission::route::Route;
use crate::transport::{Disposition, Outcome};

/// What this try has shown of one copy.
#[derive(Clone, Debug)]
pub(super) struct Tried<'a> {
    /// The recipient, as the entry names it.
    pub(super) recipient: &'a str,
    /// The recipient in the envelope of the next hop.
    pub(super) target: &'a str,
    /// The way; none if the settings have none for this recipient.
    pub(super) route: Option<&'a Route>,
    /// What became of it.
    pub(super) outcome: &'a Outcome,
}

impl Tried<'_> {
    /// Returns whether this try has left open whether the copy has arrived.
    pub(super) fn is_uncertain(&self) -> bool {
        matches!(self.outcome.disposition, Disposition::Uncertain(_))
    }
}

/// What becomes of an entry after a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Every recipient has it.
    Sent,
    /// Nothing more is to be tried, and somebody does not have it.
    Failed,
    /// It is uncertain whether it has arrived; it may be sent again.
    Uncertain,
    /// It is uncertain, and sending it again would be wrong.
    GivenUp,
    /// It is tried again.
    Waits,
}

/// Returns what became of a copy.
fn standing(tried: &Tried<'_>, before: Option<Standing>, was_uncertain: bool) -> Standing {
    let is_by_relay = matches!(tried.route, Some(Route::Relay(_)));
    // What an earlier dot has done stays open: this try says only that it has added nothing.
    let open = match before {
        Some(Standing::Uncertain) => Standing::Uncertain,
        None if was_uncertain => Standing::Uncertain,
        Some(Standing::Waiting) if was_uncertain => Standing::Uncertain,
        _ => Standing::Waiting,
    };
    match tried.outcome.disposition {
        Disposition::Accepted => Standing::Accepted,
        Disposition::Uncertain(_) => Standing::Uncertain,
        Disposition::TryLater(_) => open,
        // A route that is not there may be there after the next change of the settings.
        Disposition::Refused(kind) if tried.route.is_none() && kind != Kind::NoUser => open,
        // A wrong login or a missing password is no fault of this message.
        Disposition::Refused(_) if is_by_relay && trouble_of(tried.outcome).is_some() => open,
        Disposition::Refused(_) => Standing::Refused,
    }
}

/// Notes in the state of an entry what became of these copies.
pub(super) fn note(state: &mut EntryState, tried: &[Tried<'_>], was_uncertain: bool, now: u64) {
    let known = state.targets.iter();
    let known: HashMap<(&str, &str), Standing> = known
        .map(|to| ((&*to.recipient, &*to.target), to.standing))
        .collect();
    let new: Vec<TargetState> = tried
        .iter()
        .map(|copy| TargetState {
            recipient: copy.recipient.to_owned(),
            target: copy.target.to_owned(),
            standing: standing(
                copy,
                known.get(&(copy.recipient, copy.target)).copied(),
                was_uncertain,
            ),
            reply: copy.outcome.text.clone(),
            time: now,
        })
        .collect();
    state.set_targets(new);
    // A thousand recipients that share a reply share a line.
    let mut told: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for copy in tried.iter().filter(|copy| !copy.outcome.is_accepted()) {
        let place = *places.entry(&copy.outcome.text).or_insert(told.len());
        if place == told.len() {
            told.push((&copy.outcome.text, Vec::new()));
        }
        told[place].1.push(copy.target);
    }
    for (text, targets) in told {
        state.reason = Some(text.to_owned());
        // A probe each minute of five days is one reply, said 7,200 times.
        let is_said = state.replies.last().is_some_and(|last| last.text == text);
        if !is_said {
            state.note_reply(now, &targets.join(", "), text);
        }
    }
}

/// Returns what becomes of an entry, all of whose open copies are in `tried`.
pub(super) fn fate(state: &EntryState, recipients: &[String], tried: &[Tried<'_>]) -> Fate {
    let names = recipients.iter().map(String::as_str);
    let has = |standing| state.targets.iter().any(|to| to.standing == standing);
    if state.is_all_done(names) {
        return if has(Standing::Refused) {
            Fate::Failed
        } else {
            Fate::Sent
        };
    }
    // A sendmail that has begun to read and then failed may have queued it, and says no more.
    let is_unknowable =
        |copy: &Tried<'_>| copy.is_uncertain() && !matches!(copy.route, Some(Route::Relay(_)));
    if tried.iter().any(is_unknowable) {
        return Fate::GivenUp;
    }
    if !has(Standing::Uncertain) {
        return Fate::Waits;
    }
    let is_uncertain_again = tried.iter().any(Tried::is_uncertain);
    // Sent again once, and uncertain again: the relay loses its answers, or breaks at this message.
    if state.resent > 0 && is_uncertain_again {
        Fate::GivenUp
    } else {
        Fate::Uncertain
    }
}

/// Returns when an entry is tried again that was put off for itself; `None` if it waits for its
/// route alone.
pub(super) fn next(
    state: &EntryState,
    tried: &[Tried<'_>],
    arrival: SystemTime,
    now: SystemTime,
    random: u64,
) -> Option<u64> {
    let is_own = |copy: &&Tried<'_>| match copy.outcome.disposition {
        Disposition::TryLater(Kind::Signal(_)) => false,
        Disposition::TryLater(_) => copy.route.is_some() && trouble_of(copy.outcome).is_none(),
        _ => false,
    };
    tried.iter().find(is_own)?;
    let minute = Duration::from_secs(60);
    let quarter = schedule::back_off(u32::MAX, Duration::ZERO);
    // Twice the wait before; the first one is a minute.
    let before = state.last.zip(state.next).and_then(|(last, next)| {
        let wait = time(next).duration_since(time(last)).ok()?;
        (wait <= schedule::LONGEST_WAIT).then_some(wait)
    });
    let wait = match before {
        Some(before) => (2 * before).clamp(minute, quarter),
        None => minute,
    };
    let wait = wait.max(schedule::back_off(1, schedule::age(arrival, now)));
    Some(seconds(now + schedule::jittered(wait, random)))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;
    use crate::submission::relay_list::RelayList;
    use crate::transport::Scope;

    const NOON: u64 = 1_800_000_000;

    fn relay() -> Route {
        Route::Relay(Arc::new(RelayList::parse("relay.example").unwrap()))
    }

    fn outcome(disposition: Disposition, scope: Scope) -> Outcome {
        Outcome::new(disposition, format!("{disposition:?}"))
            .code(250)
            .scope(scope)
    }

    /// Returns the state after tries of copies for `a@x` and `b@x`, and the fate after the last one.
    fn after(tries: &[[Option<Outcome>; 2]], was_uncertain: bool) -> (EntryState, Fate) {
        let route = relay();
        let mut state = EntryState::default();
        let mut last = Fate::Waits;
        for outcomes in tries {
            let tried: Vec<Tried<'_>> = ["a@x", "b@x"]
                .into_iter()
                .zip(outcomes)
                .filter_map(|(name, outcome)| {
                    Some(Tried {
                        recipient: name,
                        target: name,
                        route: Some(&route),
                        outcome: outcome.as_ref()?,
                    })
                })
                .collect();
            note(&mut state, &tried, was_uncertain, NOON);
            last = fate(&state, &["a@x".to_owned(), "b@x".to_owned()], &tried);
        }
        (state, last)
    }

    #[test]
    fn a_fate_is_that_of_all_recipients() {
        let ok = || Some(outcome(Disposition::Accepted, Scope::Message));
        let no = || {
            let refused = Disposition::Refused(Kind::Data);
            Some(outcome(refused, Scope::Recipient))
        };
        let later = || {
            let later = Disposition::TryLater(Kind::TryLater);
            Some(outcome(later, Scope::Recipient))
        };
        let login = || {
            let refused = Disposition::Refused(Kind::NoPermission);
            Some(outcome(refused, Scope::Route))
        };
        let unsure = || {
            let uncertain = Disposition::Uncertain(Kind::TryLater);
            Some(outcome(uncertain, Scope::Message))
        };
        let rows = [
            (vec![[ok(), ok()]], Fate::Sent),
            (vec![[ok(), no()]], Fate::Failed),
            (vec![[ok(), later()]], Fate::Waits),
            (vec![[no(), later()]], Fate::Waits),
            (vec![[no(), later()], [None, ok()]], Fate::Failed),
            (vec![[ok(), later()], [None, ok()]], Fate::Sent),
            (vec![[login(), login()]], Fate::Waits),
            (vec![[unsure(), unsure()]], Fate::Uncertain),
            (vec![[ok(), unsure()]], Fate::Uncertain),
            (vec![[unsure(), unsure()], [ok(), ok()]], Fate::Sent),
            // The second try says nothing of what the first one has done.
            (vec![[unsure(), unsure()], [later(), ok()]], Fate::Uncertain),
        ];
        for (tries, expected) in rows {
            assert_eq!(after(&tries, false).1, expected, "{tries:?}");
        }
        // Found as `.dot` without a sidecar: its sender was killed.
        let (state, fate) = after(&[[later(), ok()]], true);
        assert_eq!(fate, Fate::Uncertain);
        assert_eq!(state.targets[0].standing, Standing::Uncertain);
    }

    #[test]
    fn an_entry_that_is_uncertain_twice_is_given_up() {
        let route = relay();
        let unsure = outcome(Disposition::Uncertain(Kind::TryLater), Scope::Message);
        let tried = [Tried {
            recipient: "a@x",
            target: "a@x",
            route: Some(&route),
            outcome: &unsure,
        }];
        let recipients = ["a@x".to_owned()];
        let mut state = EntryState::default();
        note(&mut state, &tried, false, NOON);
        assert_eq!(fate(&state, &recipients, &tried), Fate::Uncertain);
        state.resent = 1;
        assert_eq!(fate(&state, &recipients, &tried), Fate::GivenUp);
        let sendmail = Route::Sendmail(PathBuf::from("/usr/sbin/sendmail"));
        let by_child = [Tried {
            route: Some(&sendmail),
            ..tried[0].clone()
        }];
        state.resent = 0;
        assert_eq!(fate(&state, &recipients, &by_child), Fate::GivenUp);
    }

    #[test]
    fn a_missing_route_is_waited_for_and_a_missing_user_is_not() {
        let recipients = ["root".to_owned()];
        for (kind, expected) in [
            (Kind::Unavailable, Fate::Waits),
            (Kind::NoUser, Fate::Failed),
        ] {
            let refused = Outcome::new(Disposition::Refused(kind), "no");
            let tried = [Tried {
                recipient: "root",
                target: "root",
                route: None,
                outcome: &refused,
            }];
            let mut state = EntryState::default();
            note(&mut state, &tried, false, NOON);
            assert_eq!(fate(&state, &recipients, &tried), expected);
        }
    }

    #[test]
    fn the_waits_of_an_entry_double_and_those_of_a_route_are_none_of_its() {
        let route = relay();
        let own = outcome(Disposition::TryLater(Kind::TryLater), Scope::Recipient);
        let of_route = outcome(Disposition::TryLater(Kind::TryLater), Scope::Route);
        let tried = |outcome| {
            [Tried {
                recipient: "a@x",
                target: "a@x",
                route: Some(&route),
                outcome,
            }]
        };
        let mut state = EntryState::default();
        let arrival = time(NOON);
        let mut now = NOON;
        let mut waits = Vec::new();
        for _ in 0..7 {
            let next = next(&state, &tried(&own), arrival, time(now), 200).unwrap();
            waits.push((next - now) / 60);
            (state.last, state.next) = (Some(now), Some(next));
            now = next;
        }
        assert_eq!(waits, [1, 2, 4, 8, 15, 15, 15]);
        let later = time(NOON + 7 * 3600);
        let next_of = |outcome, now| next(&state, &tried(outcome), arrival, now, 200);
        assert_eq!(next_of(&own, later), Some(NOON + 8 * 3600));
        assert_eq!(next_of(&of_route, later), None);
        // Sidecars from before the clock jumped.
        state.next = Some(u64::MAX);
        let found = next(&state, &tried(&own), arrival, arrival, 200);
        assert_eq!(found, Some(NOON + 60));
    }

    #[test]
    fn the_same_reply_is_noted_once() {
        let later = || {
            let later = Disposition::TryLater(Kind::TryLater);
            Some(outcome(later, Scope::Route))
        };
        let (state, _) = after(&vec![[later(), later()]; 100], false);
        assert_eq!(state.replies.len(), 1);
        assert_eq!(state.replies[0].about, "a@x, b@x");
        assert!(state.reason.is_some());
    }
}
