//! The clock: the current time, and the time for a generated `Date:`.
#![allow(clippy::disallowed_methods)]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, FixedOffset, NaiveDateTime, Utc};

use super::zone;

/// Returns the time now; deadlines, lock ages and Message-IDs use it.
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}

/// Returns the time since the epoch.
pub(crate) fn since_epoch() -> Duration {
    now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Returns the time that generated `Date:` fields and From_ lines show, in the local zone.
///
/// `source_date_epoch` is the value of `SOURCE_DATE_EPOCH`, if it is set: then the time is that
/// one, in UTC, so that a run can be repeated byte for byte.
pub(crate) fn message_time(source_date_epoch: Option<i64>) -> DateTime<FixedOffset> {
    match source_date_epoch.and_then(|seconds| DateTime::<Utc>::from_timestamp(seconds, 0)) {
        Some(time) => time.fixed_offset(),
        None => local(now()),
    }
}

/// Returns a time as the local zone shows it.
pub(crate) fn local(time: SystemTime) -> DateTime<FixedOffset> {
    let time = DateTime::<Utc>::from(time);
    time.with_timezone(&zone::local().offset_at(time.timestamp()))
}

/// Returns the time so many seconds after the beginning of 1970, as the local zone shows it.
pub(crate) fn of_seconds(seconds: u64) -> DateTime<FixedOffset> {
    let time = UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
    local(time.unwrap_or(UNIX_EPOCH))
}

/// Returns the time that a clock of the local zone showed so; the earlier one where two did.
pub(crate) fn of_local(shown: NaiveDateTime) -> Option<DateTime<FixedOffset>> {
    let offset = zone::local().offset_of(shown)?;
    shown.and_local_timezone(offset).single()
}
