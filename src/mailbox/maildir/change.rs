//! Writing changes into a Maildir: names come, are synced, and only then others go.

use std::collections::{HashMap, HashSet};
use std::io;

use super::name::Name;
use super::{ATTEMPTS, Double, Entry, Finder, Maildir, Subdirectory, is_missing};
use crate::mailbox::change::{Change, Changes, Committed};
use crate::mailbox::error::CommitError;
use crate::mailbox::flags::Flags;
use crate::mailbox::format::mbox::MessageRef;

/// What became of one message.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Done,
    /// It has a second name, and the first is to go.
    Linked(Entry, Entry),
    /// It was so already.
    Unchanged,
    /// There was no room for the name.
    NoRoom,
    /// Another file has the name already.
    Taken,
}

/// Files that were deleted under one of their names, by the unique part of it.
type Deleted = HashMap<Box<[u8]>, (u64, u64)>;

/// What is to become of the flags of one message.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    index: usize,
    added: Flags,
    removed: Flags,
}

impl Maildir {
    /// Writes changes; `messages` is what the index said of the messages when it was made.
    ///
    /// Deletions come first, for a full disk never blocks them.
    ///
    /// # Errors
    /// [`CommitError`] says why a message was not changed. Those before it were.
    pub(in crate::mailbox) fn commit(
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
        if self.has_doubles {
            self.list_single(&Deleted::new()).map_err(write)?;
        }
        let mut deleted = Deleted::new();
        for (index, change) in changes.iter() {
            if change != Change::Delete {
                continue;
            }
            let removed = finder.with(&self.entries[index], &mut |entry| {
                let identity = self.folders.identity(entry)?;
                self.folders.of(entry.place).remove(&entry.name)?;
                Ok((unique_of(entry), identity))
            });
            match removed.map_err(write)? {
                Some((unique, identity)) => {
                    committed.deleted += 1;
                    if identity.names > 1 {
                        deleted.insert(unique, identity.file);
                    }
                }
                None => committed.gone += 1,
            }
        }
        let wanted = changes.iter().filter_map(|(index, change)| match change {
            Change::Flags(wanted) => {
                let (added, removed) = difference(messages[index].flags, wanted);
                let is_change = added != Flags::NONE || removed != Flags::NONE;
                is_change.then_some(Wanted {
                    index,
                    added,
                    removed,
                })
            }
            Change::Delete => None,
        });
        self.commit_flags(wanted.collect(), finder, &mut committed)
            .map_err(write)?;
        if committed.deleted + committed.flagged > 0 {
            self.folders.sync().map_err(write)?;
        }
        let now = self.list_single(&deleted).map_err(write)?;
        let known: HashSet<_> = self.entries.iter().map(unique_of).collect();
        committed.remaining = now.len();
        committed.arrived = now
            .iter()
            .filter(|entry| !known.contains(Name::parse(&entry.name).unique()))
            .count();
        Ok(committed)
    }

    /// Changes flags: all new names, a sync, then the end of all old ones.
    fn commit_flags<'a>(
        &'a self,
        mut wanted: Vec<Wanted>,
        mut finder: Finder<'a>,
        committed: &mut Committed,
    ) -> io::Result<()> {
        for attempt in 1.. {
            let mut linked = Vec::new();
            for each in wanted {
                let outcome = finder.with(&self.entries[each.index], &mut |entry| {
                    self.change_flags(entry, each.added, each.removed)
                })?;
                match outcome {
                    Some(Outcome::Done) => committed.flagged += 1,
                    Some(Outcome::Linked(entry, counts)) => {
                        linked.push((each, Double { entry, counts }));
                    }
                    // Somebody else has finished what we had begun.
                    Some(Outcome::Unchanged) => committed.flagged += usize::from(attempt > 1),
                    Some(Outcome::NoRoom) => committed.flags_left_out += 1,
                    Some(Outcome::Taken) => committed.names_taken += 1,
                    None => committed.gone += 1,
                }
            }
            if linked.is_empty() {
                break;
            }
            self.folders.cur.sync()?;
            wanted = Vec::new();
            for (each, double) in linked {
                // Another program has moved it meanwhile: what it made of it gets the flags, too.
                if self.folders.remove_double(&double)? || attempt == ATTEMPTS {
                    committed.flagged += 1;
                } else {
                    wanted.push(each);
                }
            }
            finder = Finder::new(&self.folders);
        }
        Ok(())
    }

    /// Returns the files, each under one name, and removes other names that they have: those that a
    /// change has left which broke off, and all those of files that are `deleted`.
    fn list_single(&self, deleted: &Deleted) -> io::Result<Vec<Entry>> {
        let mut listing = self.folders.list()?;
        let doubles = listing.take_doubles(&self.folders);
        let mut is_removed = false;
        if !doubles.is_empty() {
            // The name that counts may be younger than the last sync.
            self.folders.cur.sync()?;
        }
        for double in &doubles {
            is_removed |= self.folders.remove_double(double)?;
        }
        let mut left = Vec::with_capacity(listing.entries.len());
        for entry in listing.entries {
            let unique = Name::parse(&entry.name).unique();
            let file = deleted.get(unique);
            let is_left = file.is_some_and(|file| {
                let identity = self.folders.identity(&entry);
                identity.is_ok_and(|identity| identity.file == *file)
            });
            if !is_left {
                left.push(entry);
                continue;
            }
            match self.folders.of(entry.place).remove(&entry.name) {
                Err(error) if !is_missing(&error) => return Err(error),
                _ => is_removed = true,
            }
        }
        if is_removed {
            self.folders.sync()?;
        }
        Ok(left)
    }

    /// Gives the file of a message a name that says these flags, in the place that says so.
    fn change_flags(&self, entry: &Entry, added: Flags, removed: Flags) -> io::Result<Outcome> {
        let mut name = Name::parse(&entry.name).with(added, removed);
        // A reader has seen it, whatever flags it shall have.
        if entry.place == Subdirectory::New {
            name = Name::parse(&name).in_cur();
        } else if name[..] == entry.name[..] {
            return Ok(Outcome::Unchanged);
        }
        let new = Entry {
            place: Subdirectory::Cur,
            name: name.into(),
        };
        let from = self.folders.of(entry.place);
        let linked = from.link(&entry.name, &self.folders.cur, &new.name);
        match linked.as_ref().map_err(io::Error::kind) {
            Ok(()) => return Ok(Outcome::Linked(entry.clone(), new)),
            Err(io::ErrorKind::AlreadyExists) => {
                let file = self.folders.identity(entry)?.file;
                return Ok(match self.folders.identity(&new) {
                    Ok(found) if found.file == file => Outcome::Linked(entry.clone(), new),
                    _ => Outcome::Taken,
                });
            }
            Err(io::ErrorKind::NotFound) => return linked.map(|()| Outcome::Done),
            // No links on this file system, or not for us, or no more of them; no room for a second
            // name. One name in the place of the other may still be had.
            Err(_) => {}
        }
        match from.rename(&entry.name, &self.folders.cur, &new.name) {
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

fn unique_of(entry: &Entry) -> Box<[u8]> {
    Name::parse(&entry.name).unique().into()
}

/// Returns the flags that are to come, and those that are to go.
fn difference(before: Flags, wanted: Flags) -> (Flags, Flags) {
    let (mut added, mut removed) = (wanted, before);
    added.remove(before);
    removed.remove(wanted);
    (added, removed)
}
