//! Maildirs: directories in which each message is a file.
//!
//! # The states of a file
//! ```text
//! tmp/UNIQUE            a deliverer is writing it, and no reader opens it. An interrupted delivery
//! leaves
//!                       it there: deliverers clean up after 36 hours, this program leaves tmp/ alone.
//! new/UNIQUE            complete, and no reader has seen it: the message is new.
//! cur/UNIQUE:2,LETTERS  a reader has seen it. Without S it is old and unread, with S read.
//! ```
//! - Delivery: the message is written in `tmp/` under a unique name, synced, then renamed to `new/`,
//!   or to `cur/` where a message is filed with its flags; then that directory is synced. After the
//!   rename other programs see the message; **once the directory is synced the message is safe.** A
//!   name in use is never overwritten.
//! - A change of flags gives the file a second name, syncs, and only then removes the first name:
//!   POSIX lets a power cut leave any part of a rename, and so neither name. A deletion is one
//!   unlink. So each message is in its old state or in its new one, wherever this program is stopped,
//!   and no lock is needed. From `new/` a message moves to `cur/`, and never back.
//! - **One file under two names is one message**: a change of flags was stopped in between. The name
//!   in `cur/` counts, of two there the one with more letters. Every process of this program chooses
//!   the same, and only the other name is ever removed (by the next change of the Maildir), so that
//!   no two processes that clean up can remove both.
//! - Other programs rename files at any time. A file that is missing under its name is looked for by
//!   its unique part in both directories. Flags that another program changed meanwhile stay, for
//!   this program adds and removes single letters.
//! - Messages are in the order of their delivery: by the times in the names, then by the names.
//!   Names without a time come last.
//! - Only regular files are messages. Links, FIFOs and directories among them are left out and
//!   reported, names that begin with a dot are left out. `new/` and `cur/` themselves must not be
//!   links: the owner of a Maildir could lead another user who reads it to files elsewhere.
//!
//! # Where the work is done
//! - `files` lists the names and finds a renamed file; `name` takes a name apart; `folder` holds a
//!   directory open.
//! - `measure` reads a message once when the Maildir is opened.
//! - `change` writes changes, `deliver` delivers.

mod change;
mod deliver;
mod files;
mod folder;
mod measure;
mod name;

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use nix::errno::Errno;

pub(super) use deliver::{Delivery, DeliveryError};

use self::files::{Finder, Folders, MessageFile, Names, Subdirectory};
use self::folder::as_path;
use self::measure::Measurer;
use self::name::ParsedName;
use crate::exit;
use crate::mailbox::change::{Changes, Committed};
use crate::mailbox::error::{CommitError, OpenError};
use crate::mailbox::flags::Flags;
use crate::mailbox::format::mbox::{MessageRef, Visit};
use crate::mailbox::notice::Notice;
use crate::sys::progress::{self, Unit};

/// A Maildir that is open for reading.
#[derive(Debug)]
pub(super) struct Maildir {
    path: PathBuf,
    folders: Folders,
    entries: Vec<MessageFile>,
    /// Whether a file had two names when the Maildir was opened.
    has_doubles: bool,
    left_out: Vec<Notice>,
    /// When `new/` and `cur/` were last changed before their names were read.
    times: [Option<SystemTime>; 2],
    /// The names of all files, as read when a file was last missing under its name.
    renamed: Mutex<Option<Names>>,
}

impl Maildir {
    /// Takes the absolute form of its path.
    pub(super) fn anchor(&mut self, path: &Path) {
        self.path = path.to_owned();
    }

    /// Opens a Maildir and reads each message once; `None` where the path is not a Maildir.
    ///
    /// # Errors
    /// When its directories cannot be read. A message that cannot be read is left out and reported.
    pub(super) fn open(
        path: &Path,
        visit: Visit<'_>,
    ) -> Result<Option<(Maildir, Vec<MessageRef>)>, OpenError> {
        let Some(folders) = recognise(path)? else {
            return Ok(None);
        };
        let error = |source| OpenError::new(path, source);
        // Before the names are read: a delivery during the reading makes `is_changed` true, even if
        // its message is in the list. The other order could miss a message.
        let times = folders.times();
        let mut listing = folders.list().map_err(error)?;
        let doubles = listing.take_doubles(&folders);
        let mut maildir = Maildir {
            path: path.to_owned(),
            folders,
            entries: Vec::with_capacity(listing.entries.len()),
            has_doubles: !doubles.is_empty(),
            left_out: Vec::new(),
            times,
            renamed: Mutex::new(None),
        };
        for (place, name, what) in &listing.others {
            maildir.leave_out(*place, name, format!("it is {what}"));
        }
        let messages = maildir.measure(listing.entries, visit).map_err(error)?;
        Ok(Some((maildir, messages)))
    }

    /// Reads each message once: its length, its lines, its header.
    fn measure(
        &mut self,
        entries: Vec<MessageFile>,
        visit: Visit<'_>,
    ) -> io::Result<Vec<MessageRef>> {
        let mut messages = Vec::with_capacity(entries.len());
        let mut measure = Measurer::default();
        let mut identities = HashSet::new();
        let mut left_out = Vec::new();
        let mut finder = Finder::new(&self.folders);
        let progress = progress::begin("reading", Unit::Messages, entries.len() as u64);
        for entry in entries {
            progress.advance(1);
            let opened = finder.with(&entry, &mut |entry| {
                Ok((self.folders.open_file(entry)?, entry.clone()))
            });
            let (file, entry) = match opened {
                Ok(Some(opened)) => opened,
                // Another program has deleted the message since its name was read.
                Ok(None) => continue,
                Err(error) => {
                    left_out.push((entry.place, entry.name, unreadable(&error)));
                    continue;
                }
            };
            // A message that another reader moved during the listing is listed in `new/` and in
            // `cur/`, and both names lead to one file by now. Names with one unique part are
            // neighbours, so the identities of one such group are enough.
            let is_namesake = self.entries.last().is_some_and(|last: &MessageFile| {
                ParsedName::parse(&last.name).unique() == ParsedName::parse(&entry.name).unique()
            });
            if !is_namesake {
                identities.clear();
            }
            match measure.message(&file, &mut identities) {
                Ok(None) => continue,
                Ok(Some(mut message)) => {
                    message.flags = flags_of(&entry);
                    visit(messages.len(), &message, measure.header());
                    messages.push(message);
                    self.entries.push(entry);
                }
                Err(error) => left_out.push((entry.place, entry.name, unreadable(&error))),
            }
        }
        // Only now, because `finder` borrows from `self` until here.
        for (place, name, why) in left_out {
            self.leave_out(place, &name, why);
        }
        Ok(messages)
    }

    fn leave_out(&mut self, place: Subdirectory, name: &[u8], why: String) {
        let directory = match place {
            Subdirectory::New => "new",
            Subdirectory::Cur => "cur",
        };
        self.left_out.push(Notice::LeftOut {
            path: self.path.join(directory).join(as_path(name)),
            why,
        });
    }

    /// Returns a notice for each name that is not a message or cannot be read.
    pub(super) fn notices(&self) -> Vec<Notice> {
        self.left_out.clone()
    }

    /// Returns whether a file was added, removed or renamed since the Maildir was opened.
    pub(super) fn is_changed(&self) -> bool {
        self.times != self.folders.times()
    }

    /// Opens the file of a message, also after another program has renamed it.
    ///
    /// # Errors
    /// When the file is gone, or cannot be opened.
    pub(super) fn open_message(&self, index: usize) -> io::Result<File> {
        // The names stay from call to call: after another program has renamed many files, reading
        // message after message must not read the directories for each. A panic in another thread
        // leaves at worst an old list, which the finder renews.
        let mut renamed = self.renamed.lock().unwrap_or_else(PoisonError::into_inner);
        let mut finder = Finder {
            folders: &self.folders,
            found: renamed.take(),
        };
        let opened = finder.with(&self.entries[index], &mut |entry| {
            self.folders.open_file(entry)
        });
        *renamed = finder.found;
        opened?.ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::NotFound,
                "another program has removed the message",
            )
        })
    }

    /// Returns where the messages of this Maildir are in a later index of it.
    pub(super) fn places_in(&self, later: &Maildir) -> Vec<Option<usize>> {
        let entries = later.entries.iter().enumerate();
        let places: HashMap<&[u8], usize> = entries
            .map(|(index, entry)| (ParsedName::parse(&entry.name).unique(), index))
            .collect();
        let entries = self.entries.iter();
        entries
            .map(|entry| places.get(ParsedName::parse(&entry.name).unique()).copied())
            .collect()
    }

    /// Writes changes; `messages` are the states of the messages when the Maildir was opened.
    ///
    /// # Errors
    /// [`CommitError`] says why a message was not changed. The messages before it were changed.
    pub(super) fn commit(
        &self,
        messages: &[MessageRef],
        changes: &Changes,
    ) -> Result<Committed, CommitError> {
        change::commit(
            &self.folders,
            &self.entries,
            self.has_doubles,
            messages,
            changes,
        )
        .map_err(|source| CommitError::Write {
            path: self.path.clone(),
            source,
        })
    }

    /// Returns when a message was delivered, if the name of its file has the time.
    pub(super) fn delivered(&self, index: usize) -> Option<u64> {
        ParsedName::parse(&self.entries[index].name)
            .time()
            .map(|(seconds, _)| seconds)
    }
}

/// Returns the flags of a message, from the directory and the name of its file.
fn flags_of(entry: &MessageFile) -> Flags {
    let mut flags = ParsedName::parse(&entry.name).flags();
    // A Maildir has no letter for "old": the directory says it.
    if entry.place == Subdirectory::Cur {
        flags.insert(Flags::OLD);
    }
    flags
}

/// Returns whether there is a message in a Maildir, without opening any; `None` where the path is
/// not a Maildir.
///
/// # Errors
/// When its directories cannot be read.
pub(super) fn has_mail(path: &Path) -> Result<Option<bool>, OpenError> {
    let Some(folders) = recognise(path)? else {
        return Ok(None);
    };
    let listing = folders
        .list()
        .map_err(|source| OpenError::new(path, source))?;
    Ok(Some(!listing.entries.is_empty()))
}

/// Returns whether the path is that of a Maildir.
pub fn is_maildir(path: &Path) -> bool {
    Folders::open(path).is_ok()
}

/// Opens the directories of a Maildir; `None` where the path is something else.
fn recognise(path: &Path) -> Result<Option<Folders>, OpenError> {
    match Folders::open(path) {
        Ok(folders) => Ok(Some(folders)),
        Err(error) => match error.raw_os_error().map(Errno::from_raw) {
            // Not a Maildir. The caller opens the path as a file, which reports what is wrong.
            Some(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => Ok(None),
            // A directory that could not be examined can be a Maildir: opened as a file it would be
            // reported as a directory, and the true reason would be lost.
            _ if path.is_dir() => Err(OpenError::new(path, error)),
            _ => Ok(None),
        },
    }
}

fn unreadable(error: &io::Error) -> String {
    format!("it cannot be read: {}", exit::plain(error))
}

#[cfg(test)]
mod tests;
