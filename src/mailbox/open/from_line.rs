//! The From_ line of a message that is copied to an mbox.

use std::time::{Duration, UNIX_EPOCH};

use chrono::{DateTime, FixedOffset};

use super::Mailbox;
use crate::mailbox::format::from_line::{FromLine, from_line};
use crate::message::parse::{date, fields, words};
use crate::sys::clock;

impl Mailbox {
    /// Returns the From_ line for a copy of a message in an mbox.
    ///
    /// That is the message's own, if it separates messages wherever it stands. Otherwise one is made:
    /// the sender is taken from the header, the time of delivery from the name of a Maildir file or
    /// from the header.
    ///
    /// `block` is the result of [`read_header`](Mailbox::read_header); `now` is asked for the time if
    /// the message names none.
    pub fn from_line(
        &self,
        index: usize,
        block: &[u8],
        now: impl FnOnce() -> DateTime<FixedOffset>,
    ) -> Vec<u8> {
        let len = self.messages()[index].from_line_len as usize;
        let (line, header) = block.split_at(len.min(block.len()));
        let separates = |line: FromLine| line.time.is_some() || line.is_plausible_without_date();
        // The first From_ line of a file counts in any form; behind another message in the new mbox
        // it would be taken for text.
        if FromLine::parse(line.trim_ascii_end()).is_some_and(separates) {
            return line.to_vec();
        }
        let delivered = self
            .maildir()
            .and_then(|maildir| maildir.delivered(index))
            // The year 9999 ends there: a larger number in a file's name is no time, and a From_ line
            // has a year of four digits.
            .filter(|seconds| *seconds < 253_402_300_800)
            .map(|seconds| clock::local(UNIX_EPOCH + Duration::from_secs(seconds)));
        // Delivery-Date is what an MDA writes; Date is the sender's claim, and comes last.
        // A From_ line has no zone: it tells local time, as readers take it.
        let date_in = |name| {
            let sent = fields::find(header, name).and_then(date)?;
            Some(clock::local(sent.time.into()))
        };
        let time = delivered
            .or_else(|| date_in("delivery-date"))
            .or_else(|| date_in("date"))
            .unwrap_or_else(now);
        let sender = ["return-path", "from"]
            .iter()
            .find_map(|name| fields::find(header, name))
            .map(|body| words::first_address(body).address)
            .unwrap_or_default();
        from_line(sender.as_bytes(), time)
    }
}
