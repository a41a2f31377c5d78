//! Whose turn it is: what a flush does with an entry, by what is known of it. Pure decisions.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::schedule;
use super::state::EntryState;

/// What a flush is to do with an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Try it.
    Now,
    /// It is not due.
    Later,
    /// A person holds it.
    Held,
    /// It may have arrived; whether it is sent again is for a person to decide.
    Uncertain,
    /// Nothing sends it by itself any more.
    GiveUp,
}

/// What the settings and the request say of all entries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// Whether an uncertain entry is sent again (`resend-uncertain`).
    pub(crate) resend: bool,
    /// How long an entry is tried (`outbox-lifetime`).
    pub(crate) lifetime: Duration,
    /// How much the request asks for.
    pub(crate) asked: Asked,
}

/// How much a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// What is due: a timer asks.
    Due,
    /// All that may be tried: a person asks.
    All,
    /// This very entry.
    This,
}

/// Decides about an entry. `is_dot` says that its final dot may have been sent, and that nobody
/// sends it now.
pub(crate) fn turn(
    state: &EntryState,
    is_dot: bool,
    arrival: SystemTime,
    now: SystemTime,
    rules: Rules,
) -> Turn {
    if state.held.is_some() {
        return Turn::Held;
    }
    let is_due = state
        .next
        .is_none_or(|next| schedule::is_due(time(next), now));
    let is_turn = is_due || rules.asked != Asked::Due;
    if is_dot {
        let since = state.uncertain.map(time);
        return match rules.asked {
            // Twice is enough: who sends it a third time has a relay that loses its answers, or
            // dies of this message, and each try may be another copy.
            _ if state.resent > 0 => Turn::GiveUp,
            Asked::This => Turn::Now,
            _ if !rules.resend && is_expired(arrival, now, rules.lifetime) => Turn::GiveUp,
            _ if !rules.resend => Turn::Uncertain,
            // The clock may have gone back behind the time of the dot, far enough to count. Where no
            // time is known, the one who takes the entry finds it.
            _ if since.is_some_and(|since| {
                schedule::age(since, now) < schedule::UNCERTAIN_WAIT
                    && !schedule::is_beyond_reach(since, now)
            }) =>
            {
                Turn::Later
            }
            _ if is_turn => Turn::Now,
            _ => Turn::Later,
        };
    }
    if is_turn { Turn::Now } else { Turn::Later }
}

/// Returns whether an entry is older than it may become. It is given up behind a try that failed,
/// and not before: a host that was switched off for a week tries its mail once more.
pub(crate) fn is_expired(arrival: SystemTime, now: SystemTime, lifetime: Duration) -> bool {
    schedule::age(arrival, now) > lifetime
}

/// Returns a time of a sidecar.
pub(crate) fn time(seconds: u64) -> SystemTime {
    UNIX_EPOCH
        .checked_add(Duration::from_secs(seconds))
        .unwrap_or(UNIX_EPOCH)
}

/// Returns a time as a sidecar has it.
pub(crate) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: u64 = 1_800_000_000;
    const DAY: u64 = 86_400;

    fn rules(asked: Asked) -> Rules {
        Rules {
            resend: true,
            lifetime: Duration::from_secs(5 * DAY),
            asked,
        }
    }

    #[test]
    fn an_entry_that_waits_has_its_turn_when_it_is_due_or_asked_for() {
        let state = |next| EntryState {
            next,
            ..EntryState::default()
        };
        let rows = [
            (None, Asked::Due, Turn::Now),
            (Some(NOON), Asked::Due, Turn::Now),
            (Some(NOON + 1), Asked::Due, Turn::Later),
            (Some(NOON + 1), Asked::All, Turn::Now),
            (Some(NOON + 1), Asked::This, Turn::Now),
            // Written before the clock went back by a year.
            (Some(NOON + 365 * DAY), Asked::Due, Turn::Now),
            (Some(u64::MAX), Asked::Due, Turn::Now),
        ];
        for (next, asked, expected) in rows {
            let turn = turn(
                &state(next),
                false,
                time(NOON - DAY),
                time(NOON),
                rules(asked),
            );
            assert_eq!(turn, expected, "{next:?} {asked:?}");
        }
        // Old entries are tried before they are given up.
        let old = turn(
            &state(None),
            false,
            time(NOON - 30 * DAY),
            time(NOON),
            rules(Asked::Due),
        );
        assert_eq!(old, Turn::Now);
        let held = EntryState {
            held: Some(String::new()),
            ..EntryState::default()
        };
        for asked in [Asked::Due, Asked::All, Asked::This] {
            let turn = turn(&held, false, time(NOON), time(NOON), rules(asked));
            assert_eq!(turn, Turn::Held);
        }
    }

    #[test]
    fn an_uncertain_entry_is_sent_again_once() {
        let state = |since, resent| EntryState {
            uncertain: Some(since),
            resent,
            ..EntryState::default()
        };
        let quarter = 15 * 60;
        let rows = [
            (NOON, 0, Asked::Due, true, Turn::Later),
            (NOON - quarter + 1, 0, Asked::Due, true, Turn::Later),
            (NOON - quarter, 0, Asked::Due, true, Turn::Now),
            (NOON, 0, Asked::All, true, Turn::Later),
            (NOON, 0, Asked::This, true, Turn::Now),
            (NOON - quarter, 1, Asked::Due, true, Turn::GiveUp),
            (NOON, 1, Asked::Due, true, Turn::GiveUp),
            (NOON - quarter, 0, Asked::Due, false, Turn::Uncertain),
            (NOON - quarter, 0, Asked::All, false, Turn::Uncertain),
            (NOON - quarter, 0, Asked::This, false, Turn::Now),
            (NOON + DAY, 0, Asked::Due, true, Turn::Now),
        ];
        for (since, resent, asked, resend, expected) in rows {
            let rules = Rules {
                resend,
                ..rules(asked)
            };
            let turn = turn(
                &state(since, resent),
                true,
                time(NOON - DAY),
                time(NOON),
                rules,
            );
            assert_eq!(turn, expected, "{since} {resent} {asked:?} {resend}");
        }
        let rules = Rules {
            resend: false,
            ..rules(Asked::Due)
        };
        let old = turn(
            &state(NOON, 0),
            true,
            time(NOON - 6 * DAY),
            time(NOON),
            rules,
        );
        assert_eq!(old, Turn::GiveUp);
    }

    #[test]
    fn an_entry_expires_by_its_age_and_never_for_its_future() {
        let five = Duration::from_secs(5 * DAY);
        assert!(!is_expired(time(NOON), time(NOON + 5 * DAY), five));
        assert!(is_expired(time(NOON), time(NOON + 5 * DAY + 1), five));
        assert!(!is_expired(time(NOON + 100 * DAY), time(NOON), five));
    }
}
