//! Writing changes into a Maildir: one call of the kernel for each message.

use std::collections::HashSet;
use std::io;

use super::super::change::{Change, Changes, CommitError, Committed};
use super::super::flags::Flags;
use super::super::scan::MessageRef;
use super::name::Name;
use super::{Entry, Finder, Maildir, Place};

/// What became of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Done,
    /// It was so already.
    Unchanged,
    /// There was no room for the name.
    NoRoom,
    /// Another file has the name already.
    Taken,
}

impl Maildir {
    /// Writes changes; `messages` is what the index said of the messages when it was made.
    ///
    /// Deletions come first, for a full disk never blocks them.
    ///
    /// # Errors
    /// [`CommitError`] says why a message was not changed. Those before it were.
    pub(in super::super) fn commit(
        &self,
        messages: &[MessageRef],
        changes: &Changes,
    ) -> Result<Committed, CommitError> {
        let write = |source| CommitError::Write {
            path: self.path.clone(),
            source,
        };
        let mut committed = Committed::default();
        let mut finder = Finder::new(&self.folders);
        for (index, change) in changes.iter() {
            if change != Change::Delete {
                continue;
            }
            let removed = finder.with(&self.entries[index], &mut |entry| {
                self.folders.of(entry.place).remove(&entry.name)
            });
            match removed.map_err(write)? {
                Some(()) => committed.deleted += 1,
                None => committed.gone += 1,
            }
        }
        for (index, change) in changes.iter() {
            let Change::Flags(wanted) = change else {
                continue;
            };
            let (added, removed) = difference(messages[index].flags, wanted);
            if added == Flags::NONE && removed == Flags::NONE {
                continue;
            }
            let renamed = finder.with(&self.entries[index], &mut |entry| {
                self.change_flags(entry, added, removed)
            });
            match renamed.map_err(write)? {
                Some(Outcome::Done) => committed.flagged += 1,
                Some(Outcome::Unchanged) => {}
                Some(Outcome::NoRoom) => committed.flags_left_out += 1,
                Some(Outcome::Taken) => committed.names_taken += 1,
                None => committed.gone += 1,
            }
        }
        if committed.deleted + committed.flagged > 0 {
            // Names come into cur, and never into new: what has left new must be there before.
            self.folders.cur.sync().map_err(write)?;
            self.folders.new.sync().map_err(write)?;
        }
        let now = self.folders.list().map_err(write)?.entries;
        let unique = |entry: &Entry| Box::<[u8]>::from(Name::parse(&entry.name).unique());
        let known: HashSet<_> = self.entries.iter().map(unique).collect();
        committed.left = now.len();
        committed.arrived = now
            .iter()
            .filter(|entry| !known.contains(Name::parse(&entry.name).unique()))
            .count();
        Ok(committed)
    }

    /// Renames the file of a message so that its name, and its place, say these flags.
    fn change_flags(&self, entry: &Entry, added: Flags, removed: Flags) -> io::Result<Outcome> {
        let mut name = Name::parse(&entry.name).with(added, removed);
        // A reader has seen it, whatever flags it shall have.
        if entry.place == Place::New {
            name = Name::parse(&name).in_cur();
        } else if name[..] == entry.name[..] {
            return Ok(Outcome::Unchanged);
        }
        let from = self.folders.of(entry.place);
        match from.rename(&entry.name, &self.folders.cur, &name) {
            Ok(()) => Ok(Outcome::Done),
            Err(error) => match error.kind() {
                io::ErrorKind::AlreadyExists => Ok(Outcome::Taken),
                io::ErrorKind::InvalidFilename
                | io::ErrorKind::StorageFull
                | io::ErrorKind::QuotaExceeded => Ok(Outcome::NoRoom),
                _ => Err(error),
            },
        }
    }
}

/// Returns the flags that are to come, and those that are to go.
fn difference(before: Flags, wanted: Flags) -> (Flags, Flags) {
    let (mut added, mut removed) = (wanted, before);
    added.remove(before);
    removed.remove(wanted);
    (added, removed)
}
