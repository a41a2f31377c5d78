//! The marks that a session puts on messages, kept in memory until the reader is left.

use crate::mailbox::{Flags, Mailbox};
use crate::ui::headline;

/// The place of a message after the session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Fate {
    /// Where the rules of leaving put it.
    #[default]
    Default,
    /// Nowhere.
    Deleted,
    /// Where it is.
    Held,
    /// In MBOX.
    Mbox,
}

/// The mark that a session has put on a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// The flags that it is to have.
    pub flags: Flags,
    /// Where it is to be.
    pub fate: Fate,
    /// It became read in this session.
    pub read_now: bool,
    /// It was used in this session, so that POSIX's rules count it as read.
    pub is_touched: bool,
    /// It is in another file.
    pub is_saved: bool,
    /// It was called new, and stays so.
    pub stays_new: bool,
    /// Saving or showing it failed; without a terminal it cannot be deleted any more.
    pub is_unsaved: bool,
    /// It was tagged in this session.
    pub is_tagged: bool,
    /// It is already in MBOX, from an attempt to leave that failed later.
    pub is_in_mbox: bool,
}

impl Mark {
    /// Returns the mark of a message that nothing was done to.
    pub(super) fn new(flags: Flags) -> Mark {
        Mark {
            flags,
            fate: Fate::Default,
            read_now: false,
            is_touched: false,
            is_saved: false,
            stays_new: false,
            is_unsaved: false,
            is_tagged: false,
            is_in_mbox: false,
        }
    }

    /// Returns the marks of a mailbox in which nothing was done yet.
    pub(super) fn none_in(mailbox: &Mailbox) -> Vec<Mark> {
        let messages = mailbox.messages().iter();
        messages.map(|message| Mark::new(message.flags)).collect()
    }

    /// Returns whether the message is deleted when the mailbox is left.
    pub(super) fn is_deleted(&self) -> bool {
        self.fate == Fate::Deleted
    }

    /// The message was read, or used in a way that counts as reading.
    pub(super) fn read(&mut self) {
        // The letter `R` says that a message became read in this session, so the flag is looked at
        // before it is set.
        self.read_now |= !self.flags.is_read();
        self.flags.insert(Flags::READ);
        self.is_touched = true;
        self.stays_new = false;
    }

    /// Returns the letter of the header line, as bsd-mailx and s-nail rank them.
    pub(super) fn letter(&self) -> char {
        match self.fate {
            Fate::Deleted => 'D',
            Fate::Mbox => 'M',
            // What has not been read outranks `P` and `*`: a user looks for unread mail first.
            _ if !self.flags.is_read() => headline::letter(self.flags, false),
            Fate::Held => 'P',
            Fate::Default if self.is_saved => '*',
            Fate::Default => headline::letter(self.flags, self.read_now),
        }
    }
}
