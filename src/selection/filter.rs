//! Filters: which messages `postrider delete` and `postrider mark` change.

use std::time::SystemTime;

use super::flags::FlagChoice;
use super::list::{self, Index, ListError, Sight};
use crate::mailbox::FromLine;
use crate::message::parse::{date, fields};

/// Selects messages: those that a list names and every filter matches.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    /// Message lists; without any, all messages.
    pub lists: Vec<String>,
    /// The sender contains this text.
    pub from: Option<String>,
    /// The subject contains this text.
    pub subject: Option<String>,
    /// It was read, or it was not.
    pub is_read: Option<bool>,
    /// It was delivered before this time.
    pub before: Option<SystemTime>,
}

impl Selection {
    /// Returns whether only the last message can be selected.
    pub(crate) fn is_last(&self) -> bool {
        matches!(&self.lists[..], [list] if as_list(list) == "$")
    }

    /// Returns the messages that are selected, in order; messages count from 0.
    ///
    /// `block` reads the From_ line and header block of a message. A list that names nothing, or
    /// only what is deleted, adds nothing.
    ///
    /// # Errors
    /// A list cannot be understood, or names a message that is not there.
    pub(crate) fn choose(
        &self,
        index: &dyn Index,
        block: &dyn Fn(usize) -> Vec<u8>,
    ) -> Result<Vec<usize>, ListError> {
        // Filters without a list choose among all messages.
        let mut chosen = vec![self.lists.is_empty(); index.count()];
        for text in &self.lists {
            match list::messages(&as_list(text), index, Sight::Present, &mut String::new()) {
                Ok(found) => found.into_iter().for_each(|message| chosen[message] = true),
                Err(error) if error.is_nothing() => {}
                Err(error) => return Err(error),
            }
        }
        // Case is ignored in both texts, as in the reader's lists.
        let lowered = |text: &Option<String>| text.as_ref().map(|text| text.to_lowercase());
        let (from, subject) = (lowered(&self.from), lowered(&self.subject));
        let contains = |text: String, wanted: &String| text.to_lowercase().contains(wanted);
        let passes = |&message: &usize| {
            let is_read = || index.has_flags(message, FlagChoice::Read);
            // Flags come first, because they are in the index: the header of a message that they rule
            // out is not read from the file.
            self.is_read.is_none_or(|wanted| is_read() == wanted)
                && (from.as_ref()).is_none_or(|from| contains(index.sender(message), from))
                && (subject.as_ref()).is_none_or(|wanted| contains(index.subject(message), wanted))
                && (self.before).is_none_or(|time| is_before(&block(message), time))
        };
        let found = (0..index.count()).filter(|&message| chosen[message]);
        Ok(found.filter(passes).collect())
    }
}

/// Returns whether a message was delivered before a time; one without any date was not.
///
/// The From_ line says when it was delivered, in local time unless it names a zone; the sender's own Date field
/// counts only where there is no such line. `block` is From_ line and header block.
fn is_before(block: &[u8], time: SystemTime) -> bool {
    let (line, header) = fields::split_from_line(block);
    let delivered = line
        .and_then(FromLine::parse)
        .and_then(|line| line.delivered());
    let sent = || Some(fields::find(header, "date").and_then(date)?.time);
    let written = delivered.or_else(sent);
    written.is_some_and(|written| SystemTime::from(written) < time)
}

/// Returns an argument as the reader takes it: a search needs no quotes of its own.
fn as_list(text: &str) -> String {
    let is_search = text.starts_with('/');
    if is_search && !text.contains('"') {
        format!("\"{text}\"")
    } else if is_search && !text.contains('\'') {
        format!("'{text}'")
    } else if text == "last" {
        // `show last` is understood, so the same word is here.
        "$".to_owned()
    } else {
        text.to_owned()
    }
}
