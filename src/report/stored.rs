//! The messages of a mailbox as they are stored, for lists and searches outside a session.

use super::unreadable::Unread;
use crate::mailbox::{Flags, Mailbox};
use crate::selection::{FlagChoice, Index, first_of_interest};
use crate::ui::Display;
use crate::ui::headline::{self, HeadlineFacts};

/// The messages of a mailbox, as they are stored.
pub(crate) struct StoredIndex<'m> {
    pub(crate) mailbox: &'m Mailbox,
    pub(crate) display: &'m Display,
    pub(crate) allnet: bool,
    pub(crate) unread: Unread,
}

impl<'m> StoredIndex<'m> {
    /// Returns the messages of a mailbox; `allnet` compares senders by their local parts alone.
    pub(crate) fn new(mailbox: &'m Mailbox, display: &'m Display, allnet: bool) -> Self {
        StoredIndex {
            mailbox,
            display,
            allnet,
            unread: Unread::default(),
        }
    }

    /// Returns the flags of a message.
    pub(crate) fn flags(&self, message: usize) -> Flags {
        self.mailbox.messages()[message].flags
    }

    /// Appends the header line of a message.
    pub(crate) fn append_headline(&self, text: &mut String, message: usize) {
        let facts = HeadlineFacts {
            number: message + 1,
            letter: headline::letter(self.flags(message), false),
            current: false,
            lines: self.unread.lines(self.mailbox, message),
            size: self.mailbox.messages()[message].len,
            depth: 0,
        };
        headline::append(text, facts, &self.block(message), self.display);
    }
}

impl Index for StoredIndex<'_> {
    fn count(&self) -> usize {
        self.mailbox.messages().len()
    }

    fn current(&self) -> usize {
        first_of_interest(self.mailbox.messages().iter().map(|message| message.flags))
    }

    fn is_hidden(&self, _: usize) -> bool {
        // There is no session here in which a message could have been deleted before.
        false
    }

    fn has_flags(&self, message: usize, choice: FlagChoice) -> bool {
        choice.matches(self.flags(message))
    }

    fn block(&self, message: usize) -> Vec<u8> {
        self.unread.block(self.mailbox, message)
    }

    fn content(&self, message: usize) -> Vec<u8> {
        self.unread.content(self.mailbox, message)
    }

    fn size(&self, message: usize) -> u64 {
        self.mailbox.messages()[message].len
    }

    fn sender(&self, block: &[u8]) -> String {
        headline::sender(block, self.display)
    }

    fn allnet(&self) -> bool {
        self.allnet
    }
}
