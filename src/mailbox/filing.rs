//! How a message goes from one mailbox to another, of whatever format.

use std::io;
use std::time::{Duration, UNIX_EPOCH};

use chrono::DateTime;

use super::flags::field_body;
use super::from_line::from_line;
use super::open::Mailbox;
use super::quote::Form;
use crate::sys::clock;

impl Mailbox {
    /// Returns in what form messages come from this mailbox, for [`append`](super::append).
    pub fn form(&self) -> Form {
        match self.maildir().is_some() || self.is_mmdf() {
            true => Form::Filed,
            false => Form::Stored,
        }
    }

    /// Returns the From_ line with which a message goes to an mbox: its own, or one that says what
    /// its Return-Path and the time of its delivery say.
    ///
    /// # Errors
    /// As [`read`](Mailbox::read).
    pub fn from_line(&self, index: usize) -> io::Result<Vec<u8>> {
        let message = &self.messages()[index];
        if message.from_line_len > 0 {
            let mut line = self.read_header(index)?;
            line.truncate(message.from_line_len as usize);
            return Ok(line);
        }
        let header = self.read_header(index)?;
        let field = |name| {
            let mut lines = header.split(|byte| *byte == b'\n');
            lines.find_map(|line| Some(field_body(line, name)?.trim_ascii()))
        };
        let delivered = self.maildir().and_then(|maildir| maildir.delivered(index));
        let date = |name| {
            let text = std::str::from_utf8(field(name)?).ok()?;
            DateTime::parse_from_rfc2822(text).ok()
        };
        let time = delivered
            // A year of four digits: anything else is no time.
            .filter(|seconds| *seconds < 253_402_300_800)
            .map(|seconds| clock::local(UNIX_EPOCH + Duration::from_secs(seconds)))
            .or_else(|| date(b"delivery-date:"))
            .or_else(|| date(b"date:"))
            .unwrap_or_else(|| clock::local(clock::now()));
        let sender = field(b"return-path:").unwrap_or_default();
        let sender = sender.strip_prefix(b"<").unwrap_or(sender);
        let sender = sender.strip_suffix(b">").unwrap_or(sender);
        Ok(from_line(sender, time))
    }
}
