//! The files that may be mailboxes: how they are opened, and which are refused.
//!
//! Nothing here waits for the other end of a FIFO, and what is looked at is the descriptor and not
//! the path. In a directory with the sticky bit, as a spool of mode 3777 has it, anybody may have
//! put a file where a mailbox is looked for.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::errno::Errno;

use super::error::{CommitError, OpenError};
use super::path::{DIRECTORY, is_in_sticky_directory, not_openable, what_else};
use crate::sys::open::names::{self, Access, Links};
use crate::sys::open::read::is_null;
use crate::sys::user;

/// Opens a regular file for reading, without ever waiting for a FIFO's other end.
///
/// The time of the last access stays where we may keep it: a shell that watches the mailbox shall
/// find new mail new until it is read.
pub(super) fn open_regular(path: &Path) -> Result<(File, Metadata), OpenError> {
    let links = links_at(path);
    let opened = match names::open(path, Access::ReadQuietly, links) {
        // Only the owner may ask for that.
        Err(error) if error.raw_os_error() == Some(Errno::EPERM as i32) => {
            names::open(path, Access::Read, links)
        }
        opened => opened,
    };
    let (file, metadata) = checked(path, links, opened)?;
    let why = planted(path, &metadata).map_err(|source| OpenError::new(path, source))?;
    match why {
        Some(what) => Err(OpenError::NotRegular {
            path: path.to_owned(),
            what,
        }),
        None => Ok((file, metadata)),
    }
}

/// Opens a mailbox for a rewrite, or says why it is not to be rewritten.
pub(super) fn open_for_rewrite(path: &Path) -> Result<File, CommitError> {
    let links = links_at(path);
    let opened = names::open(path, Access::ReadWrite, links);
    let (file, metadata) = checked(path, links, opened).map_err(CommitError::Open)?;
    let is_open_to_all = metadata.mode() & 0o002 != 0 && is_in_sticky_directory(path);
    let why = planted(path, &metadata)
        .map_err(|source| CommitError::Open(OpenError::new(path, source)))?
        .or(is_open_to_all.then_some("a file in a spool that everybody may write to"));
    match why {
        Some(why) => Err(CommitError::Refused {
            path: path.to_owned(),
            why: why.to_owned(),
        }),
        None => Ok(file),
    }
}

/// Returns whether the name of a mailbox may be a link: not where anybody may have made the link.
fn links_at(path: &Path) -> Links {
    if is_in_sticky_directory(path) {
        Links::Refused
    } else {
        Links::Followed
    }
}

/// Says what was opened, or could not be.
fn checked(
    path: &Path,
    links: Links,
    opened: io::Result<File>,
) -> Result<(File, Metadata), OpenError> {
    let not_regular = |what| OpenError::NotRegular {
        path: path.to_owned(),
        what,
    };
    let file = opened.map_err(|source| match source.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ELOOP) if links == Links::Refused => {
            not_regular("a symbolic link in a directory that others can write to")
        }
        // What open(2) says of a socket, and of a directory that is opened for writing.
        Some(Errno::ENXIO) => not_regular(not_openable(path)),
        Some(Errno::EISDIR) => not_regular(DIRECTORY),
        _ => OpenError::new(path, source),
    })?;
    let metadata = file
        .metadata()
        .map_err(|source| OpenError::new(path, source))?;
    match what_else(&metadata) {
        // A mailbox without messages, as MAIL=/dev/null means it.
        Some(_) if is_null(&metadata) => Ok((file, metadata)),
        Some(what) => Err(not_regular(what)),
        None => Ok((file, metadata)),
    }
}

/// Returns what is wrong with a file that somebody else may have put where a mailbox is looked for.
///
/// That can only be in a directory with the sticky bit, as a spool of mode 3777 has it.
///
/// # Errors
/// When the user database cannot be read.
fn planted(path: &Path, metadata: &Metadata) -> io::Result<Option<&'static str>> {
    if !is_in_sticky_directory(path) {
        return Ok(None);
    }
    let us = user::effective_uid();
    if metadata.nlink() > 1 && metadata.uid() != us {
        return Ok(Some("a second name of another user's file"));
    }
    if [us, 0].contains(&metadata.uid()) {
        return Ok(None);
    }
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let is_foreign = user::by_name(name)?.is_some_and(|user| user.uid != metadata.uid());
    Ok(is_foreign.then_some("another user's file under this name"))
}
