//! The schedule of the outbox: when a route or an entry is tried again. Pure decisions, no files.
//!
//! A clock may jump. A time that lies further ahead than any wait of ours was written before the
//! clock went back, so it counts as reached; an entry from the future has no age.

use std::time::{Duration, SystemTime};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// While an entry is younger than this, somebody may still wait for the mail.
pub(crate) const YOUNG: Duration = HOUR;

/// How long a route that does not answer is tried at the short intervals.
const LONG_OUTAGE: Duration = Duration::from_secs(6 * 60 * 60);

/// No wait is longer: an hour, and the share that chance adds to it.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(72 * 60);

/// How long an entry that may have been delivered is left alone: a relay that accepted it and lost
/// its answer has had time to deliver it, and one that failed has had time to come back.
pub(crate) const UNCERTAIN_WAIT: Duration = Duration::from_secs(15 * 60);

/// Returns the wait after so many failures in a row, where the trouble began this long ago.
pub(crate) fn back_off(failures: u32, lasting: Duration) -> Duration {
    if lasting >= LONG_OUTAGE {
        return HOUR;
    }
    match failures {
        0 | 1 => MINUTE,
        2 => 2 * MINUTE,
        3 => 4 * MINUTE,
        4 => 8 * MINUTE,
        _ => 15 * MINUTE,
    }
}

/// Returns the wait after a relay has asked so many times in a row for fewer connections or mails.
pub(crate) fn throttled(times: u32) -> Duration {
    match times {
        0 | 1 => MINUTE,
        2 => 5 * MINUTE,
        _ => 10 * MINUTE,
    }
}

/// Returns the wait after so many refused logins in a row: more of them lock an account.
pub(crate) fn refused_login(times: u32) -> Duration {
    match times {
        0 | 1 => 15 * MINUTE,
        2 => 30 * MINUTE,
        _ => HOUR,
    }
}

/// Returns a wait made up to a fifth shorter or longer, so that hosts that failed together do not
/// come back together.
pub(crate) fn jittered(wait: Duration, random: u64) -> Duration {
    let share = u32::try_from(random % 401).unwrap_or(200);
    wait * (800 + share) / 1000
}

/// Returns how old something from this time is; what comes from the future has no age.
pub(crate) fn age(then: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(then).unwrap_or_default()
}

/// Returns whether a time that was set for the next try has come.
pub(crate) fn is_due(next: SystemTime, now: SystemTime) -> bool {
    next <= now || is_beyond_reach(next, now)
}

/// Returns whether a time lies further ahead than any wait: the clock has gone back.
pub(crate) fn is_beyond_reach(time: SystemTime, now: SystemTime) -> bool {
    time.duration_since(now)
        .is_ok_and(|ahead| ahead > LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn the_waits_are_those_of_the_manual() {
        let minutes = |wait: Duration| wait.as_secs() / 60;
        let waits =
            |of: &dyn Fn(u32) -> Duration| (1..=7).map(|n| minutes(of(n))).collect::<Vec<_>>();
        let soon = |n| back_off(n, Duration::ZERO);
        assert_eq!(waits(&soon), [1, 2, 4, 8, 15, 15, 15]);
        assert_eq!(waits(&|n| back_off(n, LONG_OUTAGE)), [60; 7]);
        assert_eq!(waits(&throttled), [1, 5, 10, 10, 10, 10, 10]);
        assert_eq!(waits(&refused_login), [15, 30, 60, 60, 60, 60, 60]);
    }

    #[test]
    fn a_clock_that_jumps_makes_nothing_wait_for_ever() {
        let now = at(1_000_000);
        for (next, due) in [
            (now, true),
            (now - Duration::from_secs(1), true),
            (at(0), true),
            (now + Duration::from_secs(1), false),
            (now + LONGEST_WAIT, false),
            (now + LONGEST_WAIT + Duration::from_secs(1), true),
            (now + Duration::from_secs(86_400 * 3650), true),
        ] {
            assert_eq!(is_due(next, now), due, "{next:?}");
        }
        assert_eq!(age(now + HOUR, now), Duration::ZERO);
        assert_eq!(age(now - HOUR, now), HOUR);
    }

    proptest! {
        #[test]
        fn chance_adds_or_takes_a_fifth_at_most(
            seconds in 1u64..=3600,
            random in any::<u64>(),
        ) {
            let wait = Duration::from_secs(seconds);
            let jittered = jittered(wait, random);
            prop_assert!(jittered >= wait * 4 / 5 && jittered <= wait * 6 / 5);
            prop_assert!(jittered <= LONGEST_WAIT);
        }

        #[test]
        fn whatever_the_clock_said_a_wait_ends_within_the_longest_one(
            next in 0u64..4_000_000_000,
            now in 0u64..4_000_000_000,
        ) {
            prop_assert!(is_due(at(next), at(now)) || is_due(at(next), at(now) + LONGEST_WAIT));
        }
    }
}
