//! The one rule for files that mail is written to.
//!
//! Another user may have prepared the place where mail is written: with a link that leads to a file
//! of that user's choice, or with a file that the user can read. So the way to the file is walked
//! name by name, by descriptors, and in an *exposed* directory
//! - no link is followed that neither we nor root own, be it the last name or one before it;
//! - no file is written that neither we nor root own, and none with a second name.
//!
//! A directory is exposed if it is neither ours nor root's, or if others may write it. Others are
//! everybody but us and root: the private group of its owner does not count.
//!
//! Two foreign files are excepted: the system mailbox of a recipient, which the caller knows; and a
//! file in the directory of a group of which its owner, its writers and we are members.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{DirBuilder, File, Metadata};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, readlinkat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, fstatat};
use nix::unistd::{AccessFlags, UnlinkatFlags, faccessat, unlinkat};

use super::names::{self, Access};
use crate::exit;
use crate::sanitize;
use crate::sys::user;

/// How many links are followed on one way, as the kernel has it.
const MAX_LINKS: usize = 40;

/// Makes the directories that lack on the way to a file, for us alone; those that are there stay as
/// they are.
///
/// # Errors
/// When one of them cannot be made.
pub(crate) fn make_way(path: &Path) -> io::Result<()> {
    let Some(parent) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    else {
        return Ok(());
    };
    match DirBuilder::new().recursive(true).mode(0o700).create(parent) {
        // A file is in the way: whoever opens the file behind it says so in better words.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

/// Why a file is not written to.
#[derive(Debug)]
pub(crate) enum Denied {
    /// The rule forbids it.
    Rule {
        /// The file, or the link on the way to it.
        path: PathBuf,
        /// What it is.
        why: &'static str,
    },
    /// The system refused it.
    System(io::Error),
}

impl Denied {
    /// Returns why, for a text that has named this path: it is not named again.
    pub(crate) fn why(&self, named: &Path) -> String {
        match self {
            Denied::Rule { path, why } if path.ends_with(named) => format!("it is {why}"),
            denied => exit::with_causes(denied),
        }
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Denied::Rule { path, why } => write!(f, "{} is {why}", sanitize::path(&path)),
            Denied::System(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Denied {}

impl From<io::Error> for Denied {
    fn from(error: io::Error) -> Denied {
        Denied::System(error)
    }
}

impl From<Errno> for Denied {
    fn from(error: Errno) -> Denied {
        Denied::System(error.into())
    }
}

/// A file that mail is to be written to, whether it is there or not.
#[derive(Debug)]
pub(crate) struct Target {
    directory: File,
    name: OsString,
    path: PathBuf,
    is_linked: bool,
}

impl Target {
    /// Walks to a file; `follows_links` says whether its own name may be a link.
    ///
    /// # Errors
    /// When a directory on the way cannot be searched, or the rule forbids a link.
    pub(crate) fn find(path: &Path, follows_links: bool) -> Result<Target, Denied> {
        let mut walk = Walk::to(path)?;
        let mut is_linked = false;
        while let Some(name) = walk.names.pop_front() {
            let is_last = walk.names.is_empty();
            match walk.look(&name)? {
                // Only the last name may be missing: the file is made then.
                None if !is_last => return Err(Errno::ENOENT.into()),
                // The links are followed here and not by the kernel, so that the owner of each one
                // can be judged.
                Some((SFlag::S_IFLNK, owner)) => {
                    if is_last && !follows_links {
                        return Err(walk.denied(&name, "a symbolic link"));
                    }
                    walk.follow(&name, owner)?;
                    is_linked |= is_last;
                }
                _ if is_last && name != ".." => {
                    let path = if is_linked {
                        walk.real.join(&name)
                    } else {
                        path.to_owned()
                    };
                    return Ok(Target {
                        directory: walk.directory,
                        name,
                        path,
                        is_linked,
                    });
                }
                _ => walk.enter(&name)?,
            }
        }
        // The path names a directory by dots alone, or nothing.
        Err(if path.as_os_str().is_empty() {
            Errno::ENOENT.into()
        } else {
            Errno::EISDIR.into()
        })
    }

    /// Returns the path of the file: as it was given, or where the links at its end lead.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns whether the file's own name was a link.
    pub(crate) fn is_linked(&self) -> bool {
        self.is_linked
    }

    /// Opens the file to append to it, and to read it too if asked; never waits for a FIFO.
    ///
    /// `recipient` is the user to whom a system mailbox belongs.
    ///
    /// # Errors
    /// When it is not there or cannot be opened, or the rule forbids it.
    pub(crate) fn open(&self, reads: bool, recipient: Option<u32>) -> Result<File, Denied> {
        let access = if reads {
            Access::ReadAppend
        } else {
            Access::Append
        };
        let file = names::open_in(&self.directory, &*self.name, access)?;
        // Judged by its descriptor: the name may stand for another file a moment later.
        self.judge(&file.metadata()?, recipient)?;
        Ok(file)
    }

    /// Returns whether the file is there, or could be made; nothing is.
    ///
    /// # Errors
    /// When the directory may not be written to.
    pub(crate) fn could_be_made(&self) -> io::Result<()> {
        let flags = AtFlags::AT_EACCESS;
        faccessat(&self.directory, ".", AccessFlags::W_OK, flags)?;
        Ok(())
    }

    /// Opens the directory that it is, as a Maildir is one.
    ///
    /// # Errors
    /// As [`open`](Target::open).
    pub(crate) fn open_directory(&self, recipient: Option<u32>) -> Result<File, Denied> {
        // As in `open`: by descriptor, so that the directory judged is the one that is used.
        let file = names::directory_in(&self.directory, &*self.name)?;
        self.judge(&file.metadata()?, recipient)?;
        Ok(file)
    }

    /// Makes the file, for us alone; one that is there is an error.
    ///
    /// # Errors
    /// When it is there or cannot be made.
    pub(crate) fn make(&self) -> io::Result<File> {
        names::make_to_append_in(&self.directory, &*self.name)
    }

    /// Removes a file that [`make`](Target::make) made.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub(crate) fn remove(&self) -> io::Result<()> {
        Ok(unlinkat(
            &self.directory,
            &*self.name,
            UnlinkatFlags::NoRemoveDir,
        )?)
    }

    /// Opens the file to append to it, or makes it; says whether it was made.
    ///
    /// # Errors
    /// As [`open`](Target::open) and [`make`](Target::make).
    pub(crate) fn open_or_make(&self) -> Result<(File, bool), Denied> {
        // Open first: with O_CREAT alone a file that another user made in between would be taken
        // for ours. If it comes in between now, `make` fails, and nothing is written.
        match self.open(false, None) {
            Err(Denied::System(error)) if error.kind() == io::ErrorKind::NotFound => {
                Ok((self.make()?, true))
            }
            opened => opened.map(|file| (file, false)),
        }
    }

    /// Judges a file of that name by the rule.
    fn judge(&self, file: &Metadata, recipient: Option<u32>) -> Result<(), Denied> {
        let exposure = Exposure::of(&self.directory)?;
        // In a directory that only its owner and root can write nobody else can have planted a
        // file.
        if !exposure.is_exposed || recipient == Some(file.uid()) {
            return Ok(());
        }
        let denied = |why| {
            Err(Denied::Rule {
                path: self.path.clone(),
                why,
            })
        };
        if !is_trusted(file.uid()) && !exposure.is_file_of_our_group(file)? {
            return denied("another user's file in a directory that other users may write to");
        }
        // A user can make a hard link to a file without the right to write to it, and so have us
        // write to it.
        if file.is_file() && file.nlink() > 1 {
            return denied("a file with a second name (hard link) that another user may have made");
        }
        Ok(())
    }
}

/// A walk to a file, name by name.
struct Walk {
    /// The names that are left of the way; those of a link that is followed go before them.
    names: VecDeque<OsString>,
    /// The current directory of the walk: a descriptor, so that no user can exchange the directory.
    directory: File,
    /// The path of that directory, for messages.
    real: PathBuf,
    /// How many links were followed.
    links: usize,
}

impl Walk {
    /// Starts at the beginning of a path.
    fn to(path: &Path) -> io::Result<Walk> {
        if let Some(walk) = Walk::in_one_step(path) {
            return Ok(walk);
        }
        let is_absolute = path.is_absolute();
        let mut walk = Walk {
            names: VecDeque::new(),
            directory: names::searchable(Path::new(if is_absolute { "/" } else { "." }))?,
            real: if is_absolute {
                PathBuf::from("/")
            } else {
                std::env::current_dir().unwrap_or_default()
            },
            links: 0,
        };
        walk.go_first(path);
        Ok(walk)
    }

    /// Starts at the last name of an absolute path, where no name before it is a link: there is nothing
    /// to judge on the way then, and the kernel goes it in one call.
    fn in_one_step(path: &Path) -> Option<Walk> {
        let mut names = path.components().skip(1);
        let is_plain = path.is_absolute() && names.all(|name| matches!(name, Component::Normal(_)));
        if !is_plain {
            return None;
        }
        let (parent, name) = (path.parent()?, path.file_name()?);
        let directory = names::searchable_without_links(parent).ok()?;
        Some(Walk {
            names: VecDeque::from([name.to_owned()]),
            directory,
            real: parent.components().collect(),
            links: 0,
        })
    }

    /// Puts the names of a path before those that are left.
    fn go_first(&mut self, path: &Path) {
        for component in path.components().rev() {
            match component {
                Component::Normal(name) => self.names.push_front(name.to_owned()),
                Component::ParentDir => self.names.push_front(OsString::from("..")),
                Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
            }
        }
    }

    /// Returns the kind and the owner of what has this name here, if anything has it.
    fn look(&self, name: &OsStr) -> io::Result<Option<(SFlag, u32)>> {
        match fstatat(&self.directory, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Ok(found) => Ok(Some((kind_of(&found), found.st_uid))),
            Err(Errno::ENOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Goes into a directory. A link is refused, although it was looked at before: somebody may
    /// have put it there since.
    fn enter(&mut self, name: &OsStr) -> io::Result<()> {
        self.directory = names::searchable_in(&self.directory, name)?;
        // The walk is by descriptors, so `..` is the true parent even behind a link.
        if name == ".." {
            self.real.pop();
        } else {
            self.real.push(name);
        }
        Ok(())
    }

    /// Goes on where a link of this owner leads, if the rule lets the link be followed.
    fn follow(&mut self, name: &OsStr, owner: u32) -> Result<(), Denied> {
        if !is_trusted(owner) && Exposure::of(&self.directory)?.is_exposed {
            let why = "another user's link in a directory that other users may write to";
            return Err(self.denied(name, why));
        }
        // Two links that name each other would lead us round for ever.
        self.links += 1;
        if self.links > MAX_LINKS {
            return Err(Errno::ELOOP.into());
        }
        let target = PathBuf::from(readlinkat(&self.directory, name)?);
        // A relative target starts where the link is, an absolute one at the root.
        if target.is_absolute() {
            self.directory = names::searchable(Path::new("/"))?;
            self.real = PathBuf::from("/");
        }
        self.go_first(&target);
        Ok(())
    }

    fn denied(&self, name: &OsStr, why: &'static str) -> Denied {
        Denied::Rule {
            path: self.real.join(name),
            why,
        }
    }
}

/// The rights that others have in a directory.
struct Exposure {
    is_exposed: bool,
    owner: u32,
    /// The group that may write it.
    group: Option<u32>,
    is_open_to_all: bool,
}

impl Exposure {
    fn of(directory: &File) -> io::Result<Exposure> {
        let found = fstat(directory)?;
        let has = |bit: Mode| found.st_mode & bit.bits() != 0;
        let group = has(Mode::S_IWGRP).then_some(found.st_gid);
        let has_others = match group {
            Some(group) => !is_own_group(group, found.st_uid)?,
            None => false,
        };
        Ok(Exposure {
            is_exposed: !is_trusted(found.st_uid) || has(Mode::S_IWOTH) || has_others,
            owner: found.st_uid,
            group,
            is_open_to_all: has(Mode::S_IWOTH),
        })
    }

    /// Returns whether the directory is that of a group of which the file's owner, its writers and
    /// we are members.
    fn is_file_of_our_group(&self, file: &Metadata) -> io::Result<bool> {
        let Some(group) = self.group.filter(|_| !self.is_open_to_all) else {
            return Ok(false);
        };
        let is_member = |uid: u32| user::is_member(uid, group);
        let is_group_writable = file.mode() & 0o020 != 0;
        let is_for_members =
            !is_group_writable || file.gid() == group || is_own_group(file.gid(), file.uid())?;
        Ok(is_for_members
            && file.mode() & 0o002 == 0
            && is_member(user::effective_uid())?
            && (is_trusted(self.owner) || is_member(self.owner)?)
            && is_member(file.uid())?)
    }
}

/// Returns whether nobody is in a group but the owner of what it may write, we and root.
fn is_own_group(group: u32, owner: u32) -> io::Result<bool> {
    for uid in [owner, user::effective_uid(), 0] {
        if let Some(row) = user::by_uid(uid)?
            && user::is_private_group(group, &row)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_trusted(uid: u32) -> bool {
    uid == 0 || uid == user::effective_uid()
}

fn kind_of(found: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT
}
