//! What is to become of the messages of a mailbox, and what became of them.

use std::io;
use std::path::PathBuf;

use super::flags::Flags;
use super::lock::LockOptions;
use super::notice::Notice;

/// What is to become of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It goes.
    Delete,
    /// It gets these flags, and loses those that are not among them.
    Flags(Flags),
}

/// What is to become of the messages of one mailbox; those not named stay byte for byte.
///
/// Messages are named by their index in [`Mailbox::messages`](crate::mailbox::Mailbox::messages).
// A place for each message, up to the last that changes: two bytes of a message whose entry in the
// index has 48. A map would have 40 of each message that changes, and often that is all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes(Vec<Option<Change>>);

impl Changes {
    /// Deletes a message, whatever was to become of it before.
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

    /// Leaves a message as it is.
    pub fn keep(&mut self, index: usize) {
        if let Some(place) = self.0.get_mut(index) {
            *place = None;
        }
        // Equal changes have equal places.
        while self.0.last() == Some(&None) {
            self.0.pop();
        }
    }

    fn place(&mut self, index: usize) -> &mut Option<Change> {
        if index >= self.0.len() {
            self.0.resize(index + 1, None);
        }
        &mut self.0[index]
    }

    /// Returns what is to become of a message, if anything.
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

/// Where a journal may lie beside the mailbox's own directory, in the order in which they are tried.
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
    /// Where a journal may lie.
    pub journals: &'a Journals,
    /// Whether a mailbox that has become empty is removed. A deliverer that has opened it before
    /// it asks for its lock then writes into a file without a name.
    pub removes_empty: bool,
}

/// What became of changes that were written.
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
    /// How many messages of a Maildir keep their old flags because another file has the name that
    /// tells the new ones.
    pub names_taken: usize,
    /// How many messages the mailbox has now.
    pub left: usize,
    /// Whether the mailbox became empty and was removed.
    pub is_removed: bool,
    /// The changes are certain, but not all of them are in the mailbox yet.
    pub pending: Option<Pending>,
    /// What else is to be told.
    pub notices: Vec<Notice>,
}

/// Changes that are safe in a journal; whoever opens the mailbox next for writing completes them.
#[derive(Debug)]
pub struct Pending {
    /// The journal.
    pub journal: PathBuf,
    /// Why they are not in the mailbox.
    pub source: io::Error,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deleted_message_stays_deleted_until_it_is_kept() {
        let mut changes = Changes::default();
        changes.set_flags(3, Flags::READ);
        changes.delete(3);
        changes.set_flags(3, Flags::OLD);
        changes.set_flags(1, Flags::OLD);
        assert_eq!(changes.get(3), Some(Change::Delete));
        assert_eq!(changes.deletions().iter().count(), 1);
        changes.keep(3);
        assert_eq!(changes.get(3), None);
        let rows: Vec<_> = changes.iter().collect();
        assert_eq!(rows, [(1, Change::Flags(Flags::OLD))]);
        assert!(!changes.is_empty());
        changes.keep(1);
        assert!(changes.is_empty() && changes == Changes::default());
    }
}
