//! The files that may be mailboxes: how they are opened, and which are refused.
//!
//! Opening never waits for the other end of a FIFO, and the checks ask the descriptor, not the path,
//! which may lead elsewhere by then. In a directory with the sticky bit, such as a spool of mode 3777,
//! any user may have put a file under the name of another user's mailbox.

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
/// The time of the last access stays as it is where we may keep it: a shell that watches the mailbox
/// takes mail for read when that time is newer than the mail.
pub(super) fn open_regular(path: &Path) -> Result<(File, Metadata), OpenError> {
    let links = links_at(path);
    let opened = match names::open(path, Access::ReadQuietly, links) {
        // O_NOATIME is allowed to the owner only; others read without it.
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

/// Opens a mailbox for a rewrite.
///
/// # Errors
/// When it cannot be opened, or another user may have planted it or can write to it.
pub(super) fn open_for_rewrite(path: &Path) -> Result<File, CommitError> {
    let links = links_at(path);
    let opened = names::open(path, Access::ReadWrite, links);
    let (file, metadata) = checked(path, links, opened).map_err(CommitError::Open)?;
    let is_open_to_all = metadata.mode() & 0o002 != 0 && is_in_sticky_directory(path);
    let why = planted(path, &metadata)
        .map_err(|source| CommitError::Open(OpenError::new(path, source)))?
        .or(is_open_to_all.then_some("a file in the spool that every user may write to"));
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

/// Returns the file and its metadata, or the error that says what else was found there.
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
            not_regular("a symbolic link in a directory that other users may write to")
        }
        // open(2) answers ENXIO for a socket, and EISDIR for a directory opened for writing.
        Some(Errno::ENXIO) => not_regular(not_openable(path)),
        Some(Errno::EISDIR) => not_regular(DIRECTORY),
        _ => OpenError::new(path, source),
    })?;
    let metadata = file
        .metadata()
        .map_err(|source| OpenError::new(path, source))?;
    match what_else(&metadata) {
        // MAIL=/dev/null is how a user says that there is no mail: a mailbox without messages.
        Some(_) if is_null(&metadata) => Ok((file, metadata)),
        Some(what) => Err(not_regular(what)),
        None => Ok((file, metadata)),
    }
}

/// Returns why a file is refused that another user may have put in the place of a mailbox.
///
/// That is possible only in a directory with the sticky bit, such as a spool of mode 3777.
///
/// # Errors
/// When the user database cannot be read.
fn planted(path: &Path, metadata: &Metadata) -> io::Result<Option<&'static str>> {
    if !is_in_sticky_directory(path) {
        return Ok(None);
    }
    // A hard link to another user's file could make us read, or rewrite, that file in its place.
    let us = user::effective_uid();
    if metadata.nlink() > 1 && metadata.uid() != us {
        return Ok(Some("a hard link to another user's file"));
    }
    if [us, 0].contains(&metadata.uid()) {
        return Ok(None);
    }
    // In a spool the name of the file says whose mailbox it is.
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let is_foreign = user::by_name(name)?.is_some_and(|user| user.uid != metadata.uid());
    Ok(is_foreign.then_some("another user's file"))
}
