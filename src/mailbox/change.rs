//! Changes of a mailbox: the requested changes, the options, and the result.

use std::io;
use std::path::PathBuf;

use super::flags::Flags;
use super::lock::LockOptions;
use super::notice::Notice;

/// The change of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The message is deleted.
    Delete,
    /// The message gets these flags, and loses all others.
    Flags(Flags),
}

/// The changes of the messages of one mailbox; messages without a change stay byte for byte.
///
/// Messages are named by their index in [`Mailbox::messages`](crate::mailbox::Mailbox::messages).
// A slot for each message, up to the last that changes, takes two bytes beside the 48 of the
// message's entry in the index. A map would take 40 for each message that changes, and often all do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes(Vec<Option<Change>>);

impl Changes {
    /// Deletes a message, whatever change it had before.
    pub fn delete(&mut self, index: usize) {
        *self.place(index) = Some(Change::Delete);
    }

    /// Gives a message these flags, unless it is deleted.
    pub fn set_flags(&mut self, index: usize, flags: Flags) {
        let place = self.place(index);
        if *place != Some(Change::Delete) {
            *place = Some(Change::Flags(flags));
        }
    }

    /// Returns the slot of a message.
    fn place(&mut self, index: usize) -> &mut Option<Change> {
        if index >= self.0.len() {
            self.0.resize(index + 1, None);
        }
        &mut self.0[index]
    }

    /// Returns the change of a message; `None` if it stays as it is.
    pub fn get(&self, index: usize) -> Option<Change> {
        self.0.get(index).copied().flatten()
    }

    /// Returns whether every message stays as it is.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether only flags change.
    pub fn deletes_nothing(&self) -> bool {
        self.iter().all(|(_, change)| change != Change::Delete)
    }

    /// Returns the changes in the order of the messages.
    pub fn iter(&self) -> impl Iterator<Item = (usize, Change)> + '_ {
        let places = self.0.iter().enumerate();
        places.filter_map(|(index, change)| change.map(|change| (index, change)))
    }

    /// Returns the deletions alone.
    pub(super) fn deletions(&self) -> Changes {
        let mut deletions = Changes::default();
        for (index, change) in self.iter() {
            if change == Change::Delete {
                deletions.delete(index);
            }
        }
        deletions
    }
}

/// The directories in which a journal may lie beside the mailbox's own, in the order in which they are
/// tried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journals {
    /// `$XDG_STATE_HOME/postrider/journal` of the user, and [`shared_journals`](crate::mailbox::shared_journals);
    /// `/var/lib/postrider/journal` of root.
    pub directories: Vec<PathBuf>,
}

/// How changes are written.
#[derive(Clone, Copy, Debug)]
pub struct CommitOptions<'a> {
    /// How to lock.
    pub lock: LockOptions<'a>,
    /// The directories in which a journal may lie.
    pub journals: &'a Journals,
    /// Whether a mailbox that has become empty is removed. That is a risk: a deliverer that opens the
    /// mailbox before it waits for the lock then writes into a file without a name.
    pub removes_empty: bool,
}

/// The result of a commit that was written.
#[derive(Debug, Default)]
pub struct Committed {
    /// How many messages were deleted.
    pub deleted: usize,
    /// How many messages got other flags.
    pub flagged: usize,
    /// How many messages have arrived since the mailbox was opened. They were kept as they are.
    pub arrived: usize,
    /// How many messages that were to be changed had been removed by another program.
    pub gone: usize,
    /// How many messages did not get their flags, because the disk is full.
    pub flags_left_out: usize,
    /// How many messages of a Maildir keep their old flags because another file already has the name
    /// with the new ones.
    pub names_taken: usize,
    /// How many messages the mailbox has now.
    pub remaining: usize,
    /// Whether the mailbox became empty and was removed.
    pub is_removed: bool,
    /// Changes that are certain, but not all of which are in the mailbox yet.
    pub pending: Option<Pending>,
    /// What else is to be reported.
    pub notices: Vec<Notice>,
}

/// Changes that are stored in a journal; they are completed when the mailbox is next opened for
/// writing.
#[derive(Debug)]
pub struct Pending {
    /// The journal.
    pub journal: PathBuf,
    /// The error that kept them out of the mailbox.
    pub source: io::Error,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deleted_message_stays_deleted() {
        let mut changes = Changes::default();
        changes.set_flags(3, Flags::READ);
        changes.delete(3);
        changes.set_flags(3, Flags::OLD);
        changes.set_flags(1, Flags::OLD);
        assert_eq!(changes.get(3), Some(Change::Delete));
        assert_eq!(changes.deletions().iter().count(), 1);
        let rows: Vec<_> = changes.iter().collect();
        assert_eq!(rows, [(1, Change::Flags(Flags::OLD)), (3, Change::Delete)]);
        assert!(!changes.is_empty() && Changes::default().is_empty());
    }
}
