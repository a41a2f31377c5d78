//! The path of a journal: a directory that is held open, and a name in it.
//!
//! Whatever happens to the path later, the journal is created, read and removed in that directory.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::fcntl::renameat;
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::header::is_no_journal;
use crate::sys::disk::{directory_of, sync_names_in, until_done};
use crate::sys::open::names::{self, Access};
use crate::sys::random;

/// Where a journal is or may be.
#[derive(Clone, Debug)]
pub(in crate::mailbox) struct HeldPath {
    directory: Arc<File>,
    path: PathBuf,
}

impl HeldPath {
    /// Opens the directory of this path.
    pub(in crate::mailbox) fn at(path: &Path) -> io::Result<HeldPath> {
        // A spool may be written to and searched without being readable.
        let directory = names::searchable(directory_of(path))?;
        Ok(HeldPath::new(Arc::new(directory), path.to_owned()))
    }

    /// Takes a directory that is open; the path is for messages, and its last name counts.
    pub(in crate::mailbox) fn new(directory: Arc<File>, path: PathBuf) -> HeldPath {
        HeldPath { directory, path }
    }

    pub(in crate::mailbox) fn path(&self) -> &Path {
        &self.path
    }

    fn name(&self) -> &OsStr {
        self.path.file_name().unwrap_or_default()
    }

    /// Returns the name under which a journal is written before it counts.
    fn temporary(&self) -> OsString {
        let mut name = self.name().to_owned();
        name.push(".new");
        name
    }

    /// Opens the file that has the journal's name, for writing too if asked; a link is not followed.
    pub(in crate::mailbox) fn open(&self, writes: bool) -> io::Result<File> {
        let access = if writes {
            Access::ReadWrite
        } else {
            Access::Read
        };
        names::open_in(&self.directory, self.name(), access)
    }

    /// Returns the metadata of the file that has the journal's name, without opening it.
    pub(in crate::mailbox) fn metadata(&self) -> io::Result<Metadata> {
        names::look_in(&self.directory, self.name())
    }

    /// Returns the metadata of the directory.
    pub(in crate::mailbox) fn directory_metadata(&self) -> io::Result<Metadata> {
        self.directory.metadata()
    }

    /// Creates the file in which a journal is written before it counts, and replaces one that was
    /// left behind. A file that may be somebody's mail is renamed first, here and under the
    /// journal's own name, which [`rename`](HeldPath::rename) would replace.
    ///
    /// # Errors
    /// When it cannot be created, or such a file cannot be renamed.
    pub(super) fn create(&self) -> io::Result<File> {
        for name in [self.name(), &self.temporary()] {
            if self.is_taken(name) {
                let mut aside = name.to_owned();
                aside.push(format!(".{:016x}", random::number()));
                let directory = self.directory.as_fd();
                until_done(|| Ok(renameat(directory, name, directory, &*aside)?))?;
            }
        }
        let _ = self.remove_temporary();
        // The file must be a new one: nobody else may hold it open.
        names::make_in(&self.directory, &*self.temporary())
    }

    /// Gives that file its name: from then on the journal counts.
    pub(super) fn rename(&self) -> io::Result<()> {
        let directory = self.directory.as_fd();
        let name = self.temporary();
        until_done(|| Ok(renameat(directory, &*name, directory, self.name())?))
    }

    /// Removes the file that is written before it counts.
    ///
    /// # Errors
    /// When it cannot be removed, or may be somebody's mail.
    pub(in crate::mailbox) fn remove_temporary(&self) -> io::Result<()> {
        if self.is_taken(&self.temporary()) {
            return Err(io::Error::other("the file of that name is not a journal"));
        }
        let flags = UnlinkatFlags::NoRemoveDir;
        Ok(unlinkat(self.directory.as_fd(), &*self.temporary(), flags)?)
    }

    /// Returns whether this name is that of a file whose content is no journal, not even a torn one:
    /// a user who may rename files here can have given a mailbox this name.
    fn is_taken(&self, name: &OsStr) -> bool {
        let Ok(file) = names::open_in(&self.directory, name, Access::Read) else {
            return false;
        };
        file.metadata().is_ok_and(|found| found.is_file()) && is_no_journal(&file).unwrap_or(true)
    }

    /// Removes the journal.
    pub(super) fn remove(&self) -> io::Result<()> {
        let flags = UnlinkatFlags::NoRemoveDir;
        until_done(|| Ok(unlinkat(self.directory.as_fd(), self.name(), flags)?))
    }

    /// Syncs the directory, so that a creation or removal survives a power cut; `file` is the
    /// journal.
    pub(super) fn sync(&self, file: &File) -> io::Result<()> {
        sync_names_in(self.directory.as_fd(), file)
    }
}
