//! What message lists and searches ask of a mailbox.

use super::error::ListError;
use super::flags::FlagChoice;
use super::order::Order;
use crate::sys::progress::{self, Unit};

/// The questions that a list asks of the mailbox; messages count from 0.
pub(crate) trait Index {
    /// How many messages there are.
    fn count(&self) -> usize;
    /// The current message.
    fn current(&self) -> usize;
    /// The message that was current before it (`;`).
    fn previous(&self) -> Option<usize> {
        None
    }
    /// The messages of the last list (`` ` ``).
    fn last_list(&self) -> &[u32] {
        &[]
    }
    /// The order in which messages are shown, if it is not that of the mailbox.
    fn order(&self) -> Option<&Order> {
        None
    }
    /// Whether a message was deleted in this session, so that most commands pass it over.
    fn is_hidden(&self, message: usize) -> bool;
    /// Whether a message has the flags asked for.
    fn has_flags(&self, message: usize, choice: FlagChoice) -> bool;
    /// The From_ line and header block; empty if it cannot be read.
    fn block(&self, message: usize) -> Vec<u8>;
    /// The bytes of the message from its header on, without the quoting of an mbox; empty if it cannot be read.
    fn content(&self, message: usize) -> Vec<u8>;
    /// Its size in bytes.
    fn size(&self, message: usize) -> u64;
    /// The sender as header lines show it, found in a From_ line and header block.
    fn sender(&self, block: &[u8]) -> String;
    /// Whether senders are compared by their local parts alone (`allnet`).
    fn allnet(&self) -> bool;
    /// Whether a signal asks a long search to end now.
    fn is_interrupted(&self) -> bool {
        false
    }
    /// Whether `/field:text` looks into that field (`searchheaders`).
    fn searches_headers(&self) -> bool {
        false
    }
}

/// Which messages a command can apply to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Those that are not deleted.
    Present,
    /// Those that are deleted, as `undelete` takes them.
    Deleted,
    /// All of them.
    All,
}

/// The messages that a command can apply to, in the order in which they are shown.
#[derive(Clone, Copy)]
pub(super) struct View<'i> {
    pub(super) index: &'i dyn Index,
    pub(super) sight: Sight,
}

impl View<'_> {
    /// Returns whether the command passes over a message.
    pub(super) fn is_hidden(&self, message: usize) -> bool {
        match self.sight {
            Sight::Present => self.index.is_hidden(message),
            // A message that another program has marked as deleted can be undeleted too.
            Sight::Deleted => !self.index.has_flags(message, FlagChoice::Deleted),
            Sight::All => false,
        }
    }

    /// Returns the message at a place of the order.
    pub(super) fn at(&self, place: usize) -> usize {
        self.index.order().map_or(place, |order| order.at(place))
    }

    /// Returns the place of a message in the order.
    pub(super) fn place(&self, message: usize) -> usize {
        (self.index.order()).map_or(message, |order| order.place(message))
    }

    /// Returns whether the command passes over the message at a place.
    pub(super) fn is_hidden_at(&self, place: usize) -> bool {
        self.is_hidden(self.at(place))
    }
}

/// Reads the header block of each message, and hands it to `each`.
///
/// # Errors
/// [`ListError::Interrupted`]: a signal asks us to stop.
pub(super) fn each_block(index: &dyn Index, each: &mut dyn FnMut(&[u8])) -> Result<(), ListError> {
    let progress = progress::begin("sorting", Unit::Messages, index.count() as u64);
    for message in 0..index.count() {
        each(&index.block(message));
        progress.advance(1);
        if index.is_interrupted() {
            return Err(ListError::Interrupted);
        }
    }
    Ok(())
}
