//! The files of the messages: their names in `new/` and `cur/`, read and found again.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use super::folder::{EntryKind, FileIdentity, Folder};
use super::name::ParsedName;
use crate::mailbox::path::is_in_sticky_directory;

/// How many times the directories are read, or a file looked for, while other programs rename.
pub(super) const ATTEMPTS: usize = 4;

/// The directory of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subdirectory {
    New,
    Cur,
}

/// The file of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MessageFile {
    pub(super) place: Subdirectory,
    pub(super) name: Box<[u8]>,
}

/// The two directories that hold the messages.
#[derive(Debug)]
pub(super) struct Folders {
    pub(super) new: Folder,
    pub(super) cur: Folder,
}

/// The names in the two directories at one time.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) entries: Vec<MessageFile>,
    /// Names that are not regular files, each with its directory and the kind of file.
    pub(super) others: Vec<(Subdirectory, Box<[u8]>, &'static str)>,
}

/// A second name of a file, which does not count, and the name of it that counts.
#[derive(Debug)]
pub(super) struct Double {
    pub(super) entry: MessageFile,
    pub(super) counts: MessageFile,
}

/// Message files by the unique parts of their names.
pub(super) type Names = HashMap<Box<[u8]>, MessageFile>;

impl Folders {
    pub(super) fn open(path: &Path) -> io::Result<Folders> {
        // In a directory like /tmp another user may have put a link in the place of the Maildir.
        let root = Folder::open(path, !is_in_sticky_directory(path))?;
        Ok(Folders {
            new: root.open_in("new")?,
            cur: root.open_in("cur")?,
        })
    }

    pub(super) fn of(&self, place: Subdirectory) -> &Folder {
        match place {
            Subdirectory::New => &self.new,
            Subdirectory::Cur => &self.cur,
        }
    }

    pub(super) fn open_file(&self, entry: &MessageFile) -> io::Result<File> {
        self.of(entry.place).open_file(&entry.name)
    }

    /// Returns the file that has a message's name.
    pub(super) fn identity(&self, entry: &MessageFile) -> io::Result<FileIdentity> {
        self.of(entry.place).identity(&entry.name)
    }

    /// Removes a second name of a file; `false` where the two names are not of one file (any more).
    pub(super) fn remove_double(&self, double: &Double) -> io::Result<bool> {
        let file = |entry| match self.identity(entry) {
            Ok(identity) => Ok(Some(identity.file)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error),
        };
        // Asked again just before the removal: if another program has renamed the name that counts
        // meanwhile, the name to be removed may be the only one that the file has here. A process of
        // this program that cleans up at the same time chooses the same name, never the other.
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

    /// Waits until the disk has the names of both directories.
    pub(super) fn sync(&self) -> io::Result<()> {
        // A message moves from `new/` to `cur/` and never back. Its name in `cur/` must be on the
        // disk before the end of its name in `new/`: a power cut between the two leaves two names.
        self.cur.sync()?;
        self.new.sync()
    }

    /// Returns when a name in `new/` and one in `cur/` was last changed.
    pub(super) fn times(&self) -> [Option<SystemTime>; 2] {
        [&self.new, &self.cur].map(|folder| folder.metadata().and_then(|m| m.modified()).ok())
    }

    /// Reads the names in both directories.
    pub(super) fn list(&self) -> io::Result<Listing> {
        let mut listing = Listing::default();
        for attempt in 1.. {
            let before = self.times();
            listing = Listing::default();
            // `new/` first: a message that another reader moves to `cur/` meanwhile is listed twice
            // and not at all in the other order. Names of one file are sorted out later.
            for place in [Subdirectory::New, Subdirectory::Cur] {
                self.of(place).for_each(&mut |name, kind| match kind {
                    EntryKind::File => listing.entries.push(MessageFile {
                        place,
                        name: name.into(),
                    }),
                    EntryKind::Other(what) => listing.others.push((place, name.into(), what)),
                })?;
            }
            // POSIX lets readdir miss a name that appears while the directory is read, and a rename
            // within `cur/` is such a name: the message would be missing. A directory that never
            // rests is taken as it was read last.
            if before == self.times() || attempt == ATTEMPTS {
                break;
            }
        }
        Ok(listing)
    }
}

impl Listing {
    /// Sorts by the times in the names, then by the names; of the names with one unique part the last
    /// is the one that counts.
    pub(super) fn sort(&mut self) {
        self.entries.sort_by_cached_key(|entry| {
            let name = ParsedName::parse(&entry.name);
            (
                name.time().unwrap_or((u64::MAX, u32::MAX)),
                Box::<[u8]>::from(name.unique()),
                // The rule by which every reader chooses among the names of one file: `cur/` before
                // `new/`, more letters before fewer. The whole name decides last, so that the choice
                // never depends on the order of the directory.
                entry.place == Subdirectory::Cur,
                name.letters().len(),
                entry.name.clone(),
            )
        });
    }

    /// Sorts the names, and takes out each name of a file that has another name which counts.
    pub(super) fn take_doubles(&mut self, folders: &Folders) -> Vec<Double> {
        self.sort();
        let mut doubles = Vec::new();
        let mut kept = Vec::with_capacity(self.entries.len());
        let same = |one: &MessageFile, other: &MessageFile| {
            ParsedName::parse(&one.name).unique() == ParsedName::parse(&other.name).unique()
        };
        for group in self.entries.chunk_by(same) {
            // Inodes are asked for only where two names have one unique part, the mark of a change
            // that broke off or is going on: a stat of every message would be slow.
            let [_, _, ..] = group else {
                kept.extend_from_slice(group);
                continue;
            };
            let identity =
                |entry: &MessageFile| folders.identity(entry).ok().map(|found| found.file);
            let files: Vec<_> = group.iter().map(identity).collect();
            for (at, entry) in group.iter().enumerate() {
                let later = |other: &usize| files[*other] == files[at];
                // A name whose file is gone or cannot be looked at stays in the list: opening it
                // reports the reason.
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

/// Finds files that other programs have renamed, by the unique parts of their names.
pub(super) struct Finder<'a> {
    pub(super) folders: &'a Folders,
    /// The names as they were last read; `None` before the first reading.
    pub(super) found: Option<Names>,
}

impl<'a> Finder<'a> {
    pub(super) fn new(folders: &'a Folders) -> Finder<'a> {
        Finder {
            folders,
            found: None,
        }
    }

    /// Calls `act` with the present name of a message's file; returns `None` if the file is gone.
    pub(super) fn with<T>(
        &mut self,
        entry: &MessageFile,
        act: &mut dyn FnMut(&MessageFile) -> io::Result<T>,
    ) -> io::Result<Option<T>> {
        // The known name first: the directories are read only when a name turns out to be missing,
        // and then once for all messages.
        match act(entry) {
            Err(error) if is_missing(&error) => {}
            result => return result.map(Some),
        }
        let unique = ParsedName::parse(&entry.name).unique();
        for _ in 0..ATTEMPTS {
            // No program gives a message a new unique part, so a part that is not among the names
            // read earlier has not come back since: no second reading is needed.
            let Some(found) = self.names()?.get(unique).cloned() else {
                return Ok(None);
            };
            match act(&found) {
                // Renamed again since the directories were read: they are read anew.
                Err(error) if is_missing(&error) => self.found = None,
                result => return result.map(Some),
            }
        }
        Ok(None)
    }

    fn names(&mut self) -> io::Result<&Names> {
        if self.found.is_none() {
            let mut listing = self.folders.list()?;
            // Collecting into a map keeps the last of equal keys, the name that counts.
            listing.sort();
            let named = listing
                .entries
                .into_iter()
                .map(|entry| (ParsedName::parse(&entry.name).unique().into(), entry));
            self.found = Some(named.collect());
        }
        Ok(self.found.get_or_insert_default())
    }
}

pub(super) fn is_missing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

/// Returns the unique part of a message file's name.
pub(super) fn unique_of(entry: &MessageFile) -> Box<[u8]> {
    ParsedName::parse(&entry.name).unique().into()
}
