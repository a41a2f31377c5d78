//! Maildirs: directories in which each message is a file.
//!
//! # The states of a file
//! ```text
//! tmp/UNIQUE            a deliverer is writing it, and no reader opens it. A delivery that broke off leaves
//!                       it there: deliverers clean up after 36 hours, we leave tmp/ alone.
//! new/UNIQUE            complete, and no reader has seen it: the message is new.
//! cur/UNIQUE:2,LETTERS  a reader has seen it. Without S it is old and unread, with S read.
//! ```
//! - Delivery: written in `tmp/` under a name that is nobody else's, synced, then renamed to
//!   `new/`, or to `cur/` where a message is filed with its flags; then that directory is synced.
//!   From the rename on others see the mail; **once the directory is synced it is
//!   safe.** A name in use is never taken.
//! - A change of flags is a second name for the file, a sync, and only then the end of the first
//!   name: POSIX lets a power cut leave any part of a rename, and so neither name. A deletion is one
//!   unlink. So each message is as before or as afterwards, whenever we are stopped, and no lock is
//!   needed. From `new/` a message moves to `cur/`, and never back: there is no flag that says so.
//! - **One file under two names is one message**: we have been stopped in between. The name in
//!   `cur/` counts, of two there the one with more letters. Every reader chooses the same, and only
//!   the other is ever removed (by whoever changes the Maildir next), so that no two programs that
//!   clean up can remove both.
//! - Other programs rename at any time. A file that has gone from its name is looked for by its
//!   unique part in both directories; what they changed meanwhile stays, for we add and take away
//!   single letters.
//! - The order is that of the times in the names, then of the names: as they were delivered.
//!   Names that begin with no time come last.
//! - Only regular files are messages. Links, FIFOs and directories among them are left out and
//!   told, names that begin with a dot are left out. `new/` and `cur/` themselves are no links:
//!   whoever reads another user's Maildir must not be led out of it.

mod change;
mod deliver;
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

use self::folder::{Folder, Identity, Kind, as_path};
use self::measure::Measure;
use self::name::Name;
use crate::mailbox::error::OpenError;
use crate::mailbox::flags::Flags;
use crate::mailbox::format::mbox::{MessageRef, Visit};
use crate::mailbox::notice::Notice;
use crate::mailbox::path::is_in_sticky_directory;

/// How often the directories are read again because something was renamed while we read them.
const ATTEMPTS: usize = 4;

/// In which directory a message lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subdirectory {
    New,
    Cur,
}

/// The file of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    place: Subdirectory,
    name: Box<[u8]>,
}

/// The two directories that hold the messages.
#[derive(Debug)]
struct Folders {
    new: Folder,
    cur: Folder,
}

/// The names in the two directories at one time.
#[derive(Debug, Default)]
struct Listing {
    entries: Vec<Entry>,
    /// What is no file, with the directory.
    others: Vec<(Subdirectory, Box<[u8]>, &'static str)>,
}

/// A name that does not count, for its file has another.
#[derive(Debug)]
struct Double {
    entry: Entry,
    counts: Entry,
}

/// A Maildir that is open for reading.
#[derive(Debug)]
pub(super) struct Maildir {
    path: PathBuf,
    folders: Folders,
    entries: Vec<Entry>,
    /// Whether a file had two names when the Maildir was opened.
    has_doubles: bool,
    left_out: Vec<Notice>,
    times: [Option<SystemTime>; 2],
    /// The names that files had when one was last missing from its own.
    renamed: Mutex<Option<Names>>,
}

/// Files by the unique parts of their names.
type Names = HashMap<Box<[u8]>, Entry>;

impl Folders {
    fn open(path: &Path) -> io::Result<Folders> {
        let root = Folder::open(path, !is_in_sticky_directory(path))?;
        Ok(Folders {
            new: root.open_in("new")?,
            cur: root.open_in("cur")?,
        })
    }

    fn of(&self, place: Subdirectory) -> &Folder {
        match place {
            Subdirectory::New => &self.new,
            Subdirectory::Cur => &self.cur,
        }
    }

    fn open_file(&self, entry: &Entry) -> io::Result<File> {
        self.of(entry.place).open_file(&entry.name)
    }

    /// Returns which file a message lies in.
    fn identity(&self, entry: &Entry) -> io::Result<Identity> {
        self.of(entry.place).identity(&entry.name)
    }

    /// Removes a name whose file has another; `false` where that is not so (any more).
    fn remove_double(&self, double: &Double) -> io::Result<bool> {
        let file = |entry| match self.identity(entry) {
            Ok(identity) => Ok(Some(identity.file)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error),
        };
        let found = file(&double.counts)?;
        if found.is_none() || found != file(&double.entry)? {
            return Ok(false);
        }
        match self.of(double.entry.place).remove(&double.entry.name) {
            Ok(()) => Ok(true),
            Err(error) if is_missing(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Waits until the disk has all names.
    ///
    /// Names come into `cur/`, and never into `new/`: what has left `new/` must be there before.
    fn sync(&self) -> io::Result<()> {
        self.cur.sync()?;
        self.new.sync()
    }

    /// Returns when names were last changed.
    fn times(&self) -> [Option<SystemTime>; 2] {
        [&self.new, &self.cur].map(|folder| folder.metadata().and_then(|m| m.modified()).ok())
    }

    /// Reads the names. `new/` comes first: a message that moves meanwhile is seen twice, not never.
    fn list(&self) -> io::Result<Listing> {
        let mut listing = Listing::default();
        for attempt in 1.. {
            let before = self.times();
            listing = Listing::default();
            for place in [Subdirectory::New, Subdirectory::Cur] {
                self.of(place).for_each(&mut |name, kind| match kind {
                    Kind::File => listing.entries.push(Entry {
                        place,
                        name: name.into(),
                    }),
                    Kind::Other(what) => listing.others.push((place, name.into(), what)),
                })?;
            }
            // What is renamed within a directory while that is read may be missed.
            if before == self.times() || attempt == ATTEMPTS {
                break;
            }
        }
        Ok(listing)
    }
}

impl Listing {
    /// Sorts by the times in the names, then by the names; of the names with one unique part the one
    /// that counts is the last.
    fn sort(&mut self) {
        self.entries.sort_by_cached_key(|entry| {
            let name = Name::parse(&entry.name);
            (
                name.time().unwrap_or((u64::MAX, u32::MAX)),
                Box::<[u8]>::from(name.unique()),
                entry.place == Subdirectory::Cur,
                name.letters().len(),
                entry.name.clone(),
            )
        });
    }

    /// Sorts, and takes out the names of files that have another which counts.
    ///
    /// Files are looked at only where names have one unique part: that is the mark of a change that
    /// broke off, and of one that is going on.
    fn take_doubles(&mut self, folders: &Folders) -> Vec<Double> {
        self.sort();
        let mut doubles = Vec::new();
        let mut kept = Vec::with_capacity(self.entries.len());
        let same = |one: &Entry, other: &Entry| {
            Name::parse(&one.name).unique() == Name::parse(&other.name).unique()
        };
        for group in self.entries.chunk_by(same) {
            let [_, _, ..] = group else {
                kept.extend_from_slice(group);
                continue;
            };
            let identity = |entry: &Entry| folders.identity(entry).ok().map(|found| found.file);
            let files: Vec<_> = group.iter().map(identity).collect();
            for (at, entry) in group.iter().enumerate() {
                let later = |other: &usize| files[*other] == files[at];
                // What cannot be looked at, or is gone by now, is told by whoever opens it.
                let counts = files[at].and_then(|_| (at + 1..group.len()).rfind(later));
                match counts {
                    None => kept.push(entry.clone()),
                    Some(counts) => doubles.push(Double {
                        entry: entry.clone(),
                        counts: group[counts].clone(),
                    }),
                }
            }
        }
        self.entries = kept;
        doubles
    }
}

/// Finds files that have got another name, by their unique parts.
struct Finder<'a> {
    folders: &'a Folders,
    found: Option<Names>,
}

impl<'a> Finder<'a> {
    fn new(folders: &'a Folders) -> Finder<'a> {
        Finder {
            folders,
            found: None,
        }
    }

    /// Does something to a message's file, under the name that it has now; `None` if it is gone.
    fn with<T>(
        &mut self,
        entry: &Entry,
        act: &mut dyn FnMut(&Entry) -> io::Result<T>,
    ) -> io::Result<Option<T>> {
        match act(entry) {
            Err(error) if is_missing(&error) => {}
            result => return result.map(Some),
        }
        let unique = Name::parse(&entry.name).unique();
        for _ in 0..ATTEMPTS {
            // A unique part that is not among the names is gone for good, however old they are.
            let Some(found) = self.names()?.get(unique).cloned() else {
                return Ok(None);
            };
            match act(&found) {
                Err(error) if is_missing(&error) => self.found = None,
                result => return result.map(Some),
            }
        }
        Ok(None)
    }

    fn names(&mut self) -> io::Result<&Names> {
        if self.found.is_none() {
            let mut listing = self.folders.list()?;
            // The last name is the one that counts.
            listing.sort();
            let named = listing
                .entries
                .into_iter()
                .map(|entry| (Name::parse(&entry.name).unique().into(), entry));
            self.found = Some(named.collect());
        }
        Ok(self.found.get_or_insert_default())
    }
}

fn is_missing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

impl Maildir {
    /// Opens a Maildir and looks at each message once; `None` where the path is none.
    ///
    /// # Errors
    /// When its directories cannot be read. A message that cannot be read is left out and told.
    pub(super) fn open(
        path: &Path,
        visit: Visit<'_>,
    ) -> Result<Option<(Maildir, Vec<MessageRef>)>, OpenError> {
        let Some(folders) = recognise(path)? else {
            return Ok(None);
        };
        let error = |source| OpenError::new(path, source);
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

    /// Looks at each message.
    fn measure(&mut self, entries: Vec<Entry>, visit: Visit<'_>) -> io::Result<Vec<MessageRef>> {
        let mut messages = Vec::with_capacity(entries.len());
        let mut measure = Measure::default();
        let mut identities = HashSet::new();
        let mut left_out = Vec::new();
        let mut finder = Finder::new(&self.folders);
        for entry in entries {
            let opened = finder.with(&entry, &mut |entry| {
                Ok((self.folders.open_file(entry)?, entry.clone()))
            });
            let (file, entry) = match opened {
                Ok(Some(opened)) => opened,
                // Deleted since its name was read.
                Ok(None) => continue,
                Err(error) => {
                    left_out.push((entry.place, entry.name, unreadable(&error)));
                    continue;
                }
            };
            // The same message may have been seen in `new/` and in `cur/`.
            let is_namesake = self.entries.last().is_some_and(|last: &Entry| {
                Name::parse(&last.name).unique() == Name::parse(&entry.name).unique()
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

    /// Returns what lies among the messages and is none.
    pub(super) fn notices(&self) -> Vec<Notice> {
        self.left_out.clone()
    }

    /// Returns whether anything has come, gone or been renamed since the Maildir was opened.
    pub(super) fn is_changed(&self) -> bool {
        self.times != self.folders.times()
    }

    /// Opens the file of a message, whatever its name is now.
    ///
    /// # Errors
    /// When it is gone, or cannot be opened.
    pub(super) fn open_message(&self, index: usize) -> io::Result<File> {
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

    /// Returns when a message was delivered, if its file's name tells it.
    pub(super) fn delivered(&self, index: usize) -> Option<u64> {
        Name::parse(&self.entries[index].name)
            .time()
            .map(|(seconds, _)| seconds)
    }
}

/// Returns the flags of a message as the place and the name of its file say them.
fn flags_of(entry: &Entry) -> Flags {
    let mut flags = Name::parse(&entry.name).flags();
    if entry.place == Subdirectory::Cur {
        flags.insert(Flags::OLD);
    }
    flags
}

/// Returns whether there is a message in a Maildir, without opening any; `None` where the path is
/// none.
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
            // Whoever opens it as a file says what it is, or that it is not there.
            Some(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => Ok(None),
            _ if path.is_dir() => Err(OpenError::new(path, error)),
            _ => Ok(None),
        },
    }
}

fn unreadable(error: &io::Error) -> String {
    format!("it cannot be read: {error}")
}

#[cfg(test)]
mod tests;
