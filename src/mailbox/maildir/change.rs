//! Writing changes into a Maildir: first creates and syncs new names, then removes old names.
//!
//! A stop at any point leaves each message with its old name, its new name, or both; the next change
//! of the Maildir removes the second name of a file (`list_single`). So no lock is needed.

use std::collections::{HashMap, HashSet};
use std::io;

use super::files::{
    ATTEMPTS, Double, Finder, Folders, MessageFile, Subdirectory, is_missing, unique_of,
};
use super::name::ParsedName;
use crate::mailbox::change::{Change, Changes, Committed};
use crate::mailbox::flags::Flags;
use crate::mailbox::format::mbox::MessageRef;
use crate::sys::progress::{self, Unit};

/// The result of a change of one message's flags.
#[derive(Debug, PartialEq, Eq)]
enum FlagChange {
    /// The file was renamed.
    Done,
    /// The file has a second name, the latter, and the former is still to be removed.
    Linked(MessageFile, MessageFile),
    /// The name says these flags already.
    Unchanged,
    /// The file system has no room for the name.
    NoRoom,
    /// Another file has the name already.
    Taken,
}

/// Files that were deleted under one of their names, by the unique part of it.
type Deleted = HashMap<Box<[u8]>, (u64, u64)>;

/// A change of one message's flags.
#[derive(Clone, Copy, Debug)]
struct WantedFlags {
    index: usize,
    added: Flags,
    removed: Flags,
}

/// Writes changes of the messages in `entries`; `messages` are their states when the Maildir was
/// opened.
///
/// # Errors
/// The error of the first message that could not be changed. The messages before it were changed.
pub(super) fn commit(
    folders: &Folders,
    entries: &[MessageFile],
    has_doubles: bool,
    messages: &[MessageRef],
    changes: &Changes,
) -> io::Result<Committed> {
    let mut committed = Committed::default();
    let mut finder = Finder::new(folders);
    // Second names left by a change that broke off go first: a deletion that met only one of two
    // names would leave the message under the other.
    if has_doubles {
        list_single(folders, &Deleted::new())?;
    }
    // Deletions before flags: they free room, so a full disk never blocks them, and a new name for
    // flags can fit then.
    let deleted = commit_deletions(folders, entries, changes, &mut finder, &mut committed)?;
    let wanted = changes.iter().filter_map(|(index, change)| match change {
        Change::Flags(wanted) => {
            // Single letters are added and taken away: a flag that another program has set
            // meanwhile stays.
            let (added, removed) = difference(messages[index].flags, wanted);
            let is_change = added != Flags::NONE || removed != Flags::NONE;
            is_change.then_some(WantedFlags {
                index,
                added,
                removed,
            })
        }
        Change::Delete => None,
    });
    commit_flags(folders, entries, wanted.collect(), finder, &mut committed)?;
    if committed.deleted + committed.flagged > 0 {
        // The caller reports the changes as made: by then a power cut must not undo them.
        folders.sync()?;
    }
    let now = list_single(folders, &deleted)?;
    let known: HashSet<_> = entries.iter().map(unique_of).collect();
    committed.remaining = now.len();
    committed.arrived = now
        .iter()
        .filter(|entry| !known.contains(ParsedName::parse(&entry.name).unique()))
        .count();
    Ok(committed)
}

/// Deletes messages, and returns the files that may still have another name.
fn commit_deletions(
    folders: &Folders,
    entries: &[MessageFile],
    changes: &Changes,
    finder: &mut Finder<'_>,
    committed: &mut Committed,
) -> io::Result<Deleted> {
    let mut deleted = Deleted::new();
    let progress = progress::begin("deleting", Unit::Messages, changes.iter().count() as u64);
    for (index, change) in changes.iter() {
        progress.advance(1);
        if change != Change::Delete {
            continue;
        }
        let removed = finder.with(&entries[index], &mut |entry| {
            // Asked before the removal, for afterwards the name leads to no file.
            let identity = folders.identity(entry)?;
            folders.of(entry.place).remove(&entry.name)?;
            Ok((unique_of(entry), identity))
        });
        match removed? {
            Some((unique, identity)) => {
                committed.deleted += 1;
                // Another program may have given the file a second name since the listing. The file
                // is remembered, and the last listing removes that name too.
                if identity.names > 1 {
                    deleted.insert(unique, identity.file);
                }
            }
            None => committed.gone += 1,
        }
    }
    Ok(deleted)
}

/// Changes flags: makes all new names, syncs once, then removes all old names.
fn commit_flags<'a>(
    folders: &'a Folders,
    entries: &[MessageFile],
    mut wanted: Vec<WantedFlags>,
    mut finder: Finder<'a>,
    committed: &mut Committed,
) -> io::Result<()> {
    let progress = progress::begin("writing", Unit::Messages, wanted.len() as u64);
    for attempt in 1.. {
        let mut linked = Vec::new();
        for each in wanted {
            progress.advance(1);
            let outcome = finder.with(&entries[each.index], &mut |entry| {
                change_flags(folders, entry, each.added, each.removed)
            })?;
            match outcome {
                Some(FlagChange::Done) => committed.flagged += 1,
                Some(FlagChange::Linked(entry, counts)) => {
                    linked.push((each, Double { entry, counts }));
                }
                // In a later round: another program has removed the old name that this change left.
                Some(FlagChange::Unchanged) => committed.flagged += usize::from(attempt > 1),
                Some(FlagChange::NoRoom) => committed.flags_left_out += 1,
                Some(FlagChange::Taken) => committed.names_taken += 1,
                None => committed.gone += 1,
            }
        }
        if linked.is_empty() {
            break;
        }
        // POSIX lets a power cut leave any part of what was not synced. Without this the disk could
        // get the end of the old name and not the new name, and the message would be lost. One sync
        // for all messages, because each takes milliseconds.
        folders.cur.sync()?;
        wanted = Vec::new();
        for (each, double) in linked {
            // Where one of the two names is gone, another program has renamed the message meanwhile:
            // its new name gets the flags in the next round. After the last round the change counts
            // as made: the name with the flags was there, and another program has renamed it since.
            if folders.remove_double(&double)? || attempt == ATTEMPTS {
                committed.flagged += 1;
            } else {
                wanted.push(each);
            }
        }
        // The names that it has read are older than the renames of the other program.
        finder = Finder::new(folders);
    }
    Ok(())
}

/// Returns the message files, each under one name, and removes their second names: those left by an
/// interrupted change, and all names of the files in `deleted`.
fn list_single(folders: &Folders, deleted: &Deleted) -> io::Result<Vec<MessageFile>> {
    let mut listing = folders.list()?;
    let doubles = listing.take_doubles(folders);
    let mut is_removed = false;
    if !doubles.is_empty() {
        // Another program may have made the name that counts a moment ago, and not synced it yet.
        folders.cur.sync()?;
    }
    for double in &doubles {
        is_removed |= folders.remove_double(double)?;
    }
    let mut left = Vec::with_capacity(listing.entries.len());
    for entry in listing.entries {
        let unique = ParsedName::parse(&entry.name).unique();
        let file = deleted.get(unique);
        // The inode is compared too: a unique part alone would not prove that this is the deleted
        // message.
        let is_left = file.is_some_and(|file| {
            let identity = folders.identity(&entry);
            identity.is_ok_and(|identity| identity.file == *file)
        });
        if !is_left {
            left.push(entry);
            continue;
        }
        match folders.of(entry.place).remove(&entry.name) {
            Err(error) if !is_missing(&error) => return Err(error),
            _ => is_removed = true,
        }
    }
    if is_removed {
        folders.sync()?;
    }
    Ok(left)
}

/// Gives the file of a message a name in `cur/` with these flags.
fn change_flags(
    folders: &Folders,
    entry: &MessageFile,
    added: Flags,
    removed: Flags,
) -> io::Result<FlagChange> {
    let mut name = ParsedName::parse(&entry.name).with(added, removed);
    // A change of flags proves that a reader has seen the message: it moves to `cur/`, even if no
    // letter changes. In `cur/` an equal name needs no change.
    if entry.place == Subdirectory::New {
        name = ParsedName::parse(&name).in_cur();
    } else if name[..] == entry.name[..] {
        return Ok(FlagChange::Unchanged);
    }
    let new = MessageFile {
        place: Subdirectory::Cur,
        name: name.into(),
    };
    // A link and not a rename: after a power cut a rename may have lost both names.
    let from = folders.of(entry.place);
    let linked = from.link(&entry.name, &folders.cur, &new.name);
    match linked.as_ref().map_err(io::Error::kind) {
        Ok(()) => return Ok(FlagChange::Linked(entry.clone(), new)),
        Err(io::ErrorKind::AlreadyExists) => {
            // A change that broke off may have made this very name for this very file; then the old
            // name only has to be removed. Otherwise the name belongs to another message.
            let file = folders.identity(entry)?.file;
            return Ok(match folders.identity(&new) {
                Ok(found) if found.file == file => FlagChange::Linked(entry.clone(), new),
                _ => FlagChange::Taken,
            });
        }
        // Another program has renamed the file; the finder looks for its new name and calls again.
        Err(io::ErrorKind::NotFound) => return linked.map(|()| FlagChange::Done),
        // The file system has no links, forbids this one or has reached its limit, or there is no
        // room for a second name. A rename needs neither: the flags are kept at the price that a
        // power cut is less safe.
        Err(_) => {}
    }
    match from.rename(&entry.name, &folders.cur, &new.name) {
        Ok(()) => Ok(FlagChange::Done),
        Err(error) => match error.kind() {
            io::ErrorKind::AlreadyExists => Ok(FlagChange::Taken),
            io::ErrorKind::InvalidFilename
            | io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded => Ok(FlagChange::NoRoom),
            _ => Err(error),
        },
    }
}

/// Returns the flags to add, and the flags to remove.
fn difference(before: Flags, wanted: Flags) -> (Flags, Flags) {
    let (mut added, mut removed) = (wanted, before);
    added.remove(before);
    removed.remove(wanted);
    (added, removed)
}
