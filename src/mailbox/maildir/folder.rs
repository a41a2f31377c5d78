//! A directory of a Maildir, held open: a later change of its path does not matter, and a name in it
//! never leads through a link.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::fchown;
use std::path::Path;

use nix::dir::Type;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, renameat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstatat, mkdirat};
use nix::unistd::{UnlinkatFlags, linkat, unlinkat};

use crate::sys::disk::rename_exclusively;
use crate::sys::open::names::{self, Access, Links};

/// An open directory.
#[derive(Debug)]
pub(super) struct Folder(File);

/// The kind of file that a name in a directory has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntryKind {
    /// A regular file.
    File,
    /// Another kind, in words with the article.
    Other(&'static str),
}

/// The identity of a file, which does not depend on its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileIdentity {
    /// The device and the inode.
    pub(super) file: (u64, u64),
    /// The number of its names.
    pub(super) names: u64,
}

impl From<File> for Folder {
    fn from(directory: File) -> Folder {
        Folder(directory)
    }
}

impl Folder {
    /// Opens the directory at this path.
    pub(super) fn open(path: &Path, follows_links: bool) -> io::Result<Folder> {
        let links = if follows_links {
            Links::Followed
        } else {
            Links::Refused
        };
        names::directory(path, links).map(Folder)
    }

    /// Opens a directory in this one; a link to a directory is refused.
    pub(super) fn open_in(&self, name: &str) -> io::Result<Folder> {
        names::directory_in(&self.0, name).map(Folder)
    }

    /// Makes a directory in this one, for its owner alone, if it is missing.
    pub(super) fn make(&self, name: &str) -> io::Result<()> {
        match mkdirat(&self.0, name, Mode::S_IRWXU) {
            // Another deliverer was faster.
            Err(Errno::EEXIST) => Ok(()),
            result => Ok(result?),
        }
    }

    /// Calls `each` for every name that does not begin with a dot, in the order of the directory.
    pub(super) fn for_each(&self, each: &mut dyn FnMut(&[u8], EntryKind)) -> io::Result<()> {
        for entry in names::names_in(&self.0)? {
            let (name, kind) = entry?;
            if name.starts_with(b".") {
                continue;
            }
            let kind = match kind {
                Some(kind) => kind_of_entry(kind),
                // Not every file system stores the kind in the directory.
                None => match self.stat(&name) {
                    Ok(stat) => kind_of_mode(stat.st_mode),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(error),
                },
            };
            each(&name, kind);
        }
        Ok(())
    }

    /// Opens a message for reading, without ever waiting for a FIFO's other end.
    pub(super) fn open_file(&self, name: &[u8]) -> io::Result<File> {
        names::open_in(&self.0, name, Access::Read)
    }

    /// Makes a file; fails if the name is in use.
    pub(super) fn create(&self, name: &[u8]) -> io::Result<File> {
        names::make_in(&self.0, name)
    }

    /// Gives a file another name, in this directory or another; fails if that is in use.
    pub(super) fn rename(&self, old: &[u8], to: &Folder, new: &[u8]) -> io::Result<()> {
        match rename_exclusively(&self.0, old, &to.0, new) {
            // The file system cannot rename without overwriting. A look first is the best that is
            // left; unique names make a collision between the two calls unlikely.
            Err(Errno::EINVAL | Errno::ENOSYS | Errno::EOPNOTSUPP) => match to.stat(new) {
                Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    Ok(renameat(&self.0, old, &to.0, new)?)
                }
                Err(error) => Err(error),
            },
            result => Ok(result?),
        }
    }

    /// Gives a file a second name, in this directory or another; fails if that is in use.
    pub(super) fn link(&self, old: &[u8], to: &Folder, new: &[u8]) -> io::Result<()> {
        // linkat(2) never overwrites. Without flags it does not follow a link at `old`.
        Ok(linkat(&self.0, old, &to.0, new, AtFlags::empty())?)
    }

    /// Returns the identity of the file with this name.
    pub(super) fn identity(&self, name: &[u8]) -> io::Result<FileIdentity> {
        let stat = self.stat(name)?;
        Ok(FileIdentity {
            file: (stat.st_dev, stat.st_ino),
            // The type of `st_nlink` differs between architectures.
            #[allow(clippy::useless_conversion)]
            names: u64::from(stat.st_nlink),
        })
    }

    /// Removes a file.
    pub(super) fn remove(&self, name: &[u8]) -> io::Result<()> {
        Ok(unlinkat(&self.0, name, UnlinkatFlags::NoRemoveDir)?)
    }

    /// Waits until the disk has all names of the directory.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.0.sync_all()
    }

    /// Gives the directory to a user and group.
    pub(super) fn give_to(&self, uid: u32, gid: u32) -> io::Result<()> {
        fchown(&self.0, Some(uid), Some(gid))
    }

    /// Returns owner, mode and times of the directory.
    pub(super) fn metadata(&self) -> io::Result<Metadata> {
        self.0.metadata()
    }

    fn stat(&self, name: &[u8]) -> io::Result<FileStat> {
        Ok(fstatat(&self.0, name, AtFlags::AT_SYMLINK_NOFOLLOW)?)
    }
}

fn kind_of_entry(kind: Type) -> EntryKind {
    match kind {
        Type::File => EntryKind::File,
        Type::Directory => EntryKind::Other("a directory"),
        Type::Fifo => EntryKind::Other("a FIFO"),
        Type::Socket => EntryKind::Other("a socket"),
        Type::Symlink => EntryKind::Other("a symbolic link"),
        Type::CharacterDevice | Type::BlockDevice => EntryKind::Other("a device"),
    }
}

fn kind_of_mode(mode: u32) -> EntryKind {
    match SFlag::from_bits_truncate(mode) & SFlag::S_IFMT {
        SFlag::S_IFREG => EntryKind::File,
        SFlag::S_IFDIR => EntryKind::Other("a directory"),
        SFlag::S_IFIFO => EntryKind::Other("a FIFO"),
        SFlag::S_IFSOCK => EntryKind::Other("a socket"),
        SFlag::S_IFLNK => EntryKind::Other("a symbolic link"),
        _ => EntryKind::Other("a device"),
    }
}

/// Returns a name as a path, for messages.
pub(super) fn as_path(name: &[u8]) -> &Path {
    Path::new(std::ffi::OsStr::from_bytes(name))
}
