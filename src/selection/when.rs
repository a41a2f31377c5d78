//! When a message was delivered, and when it was sent.

use std::time::SystemTime;

use crate::mailbox::FromLine;
use crate::message::parse::{date, fields};

/// Returns when a message was delivered, by its From_ line, else when it was sent, by its Date field;
/// `block` is From_ line and header block.
pub(super) fn delivered(block: &[u8]) -> Option<SystemTime> {
    let (line, header) = fields::split_from_line(block);
    let delivered = line
        .and_then(FromLine::parse)
        .and_then(|line| line.delivered());
    let sent = || Some(fields::find(header, "date").and_then(date)?.time);
    delivered.or_else(sent).map(SystemTime::from)
}

/// Returns when a message was sent, by its Date field, else when it was delivered.
pub(super) fn sent(block: &[u8]) -> Option<SystemTime> {
    let header = fields::split_from_line(block).1;
    let field = fields::find(header, "date").and_then(date);
    let sent = field.map(|sent| SystemTime::from(sent.time));
    sent.or_else(|| delivered(block))
}

/// Returns a time as seconds since 1970; none is the earliest.
pub(super) fn seconds(time: Option<SystemTime>) -> i64 {
    let Some(time) = time else {
        return i64::MIN;
    };
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_secs()).map_or(i64::MIN, |s| -s),
    }
}
