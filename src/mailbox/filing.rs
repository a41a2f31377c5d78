//! How a message goes from one mailbox to another, of whatever format.

use std::time::{Duration, UNIX_EPOCH};

use chrono::{DateTime, FixedOffset};

use super::format::from_line::{FromLine, from_line};
use super::format::quote::Form;
use super::open::Mailbox;
use crate::message::parse::{date, fields, words};
use crate::sys::clock;

impl Mailbox {
    /// Returns in what form messages come from this mailbox, for [`append`](crate::mailbox::append).
    pub fn form(&self) -> Form {
        match self.maildir().is_some() || self.is_mmdf() {
            true => Form::Filed,
            false => Form::Stored,
        }
    }

    /// Returns the From_ line with which a message goes to an mbox: its own if that separates
    /// messages anywhere, or one that says what its header says of its sender and its file's name,
    /// or the header, of the time of its delivery.
    ///
    /// `block` is what [`read_header`](Mailbox::read_header) gives; `now` gives the time of a
    /// message that tells none.
    pub fn from_line(
        &self,
        index: usize,
        block: &[u8],
        now: impl FnOnce() -> DateTime<FixedOffset>,
    ) -> Vec<u8> {
        let len = self.messages()[index].from_line_len as usize;
        let (line, header) = block.split_at(len.min(block.len()));
        let separates = |line: FromLine| line.time.is_some() || line.is_plausible_without_date();
        // Any other separates nothing where it does not stand first.
        if FromLine::parse(line.trim_ascii_end()).is_some_and(separates) {
            return line.to_vec();
        }
        let delivered = self
            .maildir()
            .and_then(|maildir| maildir.delivered(index))
            // A year of four digits: anything else is no time.
            .filter(|seconds| *seconds < 253_402_300_800)
            .map(|seconds| clock::local(UNIX_EPOCH + Duration::from_secs(seconds)));
        let date_in = |name| fields::find(header, name).and_then(date);
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
