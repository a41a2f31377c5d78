//! Which rc files are believed: those that nobody else could have written.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::exit;
use crate::sys::open::{self, Unread, Use};
use crate::sys::user;

/// Why an rc file is not read.
#[derive(Debug)]
pub(super) enum Untrusted {
    /// It is not there.
    Missing,
    /// It is, but we may not read it or must not believe it, for this reason.
    Refused(String),
    /// It is, and nobody can read it as an rc file, for this reason: what it should set is not set.
    Unusable(String),
    /// The system failed, so that nobody knows what it says.
    Failed(String),
}

impl From<Unread> for Untrusted {
    fn from(unread: Unread) -> Untrusted {
        match unread {
            Unread::Absent(_) => Untrusted::Missing,
            Unread::Failed(_) => Untrusted::Failed(unread.to_string()),
            Unread::Denied(_) => Untrusted::Refused(unread.to_string()),
            Unread::Refused(_) | Unread::Interrupted(_) => Untrusted::Unusable(unread.to_string()),
        }
    }
}

impl From<io::Error> for Untrusted {
    fn from(error: io::Error) -> Untrusted {
        Untrusted::Failed(exit::with_causes(&error))
    }
}

/// Reads an rc file that nobody else could have written; `/dev/null` is an empty one.
///
/// # Errors
/// Says why there is nothing to read, or nothing to be believed.
pub(super) fn read_trusted(path: &Path) -> Result<Vec<u8>, Untrusted> {
    let file = open::read::open(path, Use::Rc)?;
    if let Some(metadata) = file.metadata()
        && let Some(reason) = distrust(metadata)?
    {
        return Err(Untrusted::Refused(reason.to_owned()));
    }
    Ok(file.bytes(Use::Rc)?)
}

/// Returns why an rc file must not be believed, if it must not.
///
/// # Errors
/// When the user database cannot be read, so that nobody knows whose group may write to it.
pub(crate) fn distrust(metadata: &Metadata) -> io::Result<Option<&'static str>> {
    let us = user::effective_uid();
    if !metadata.is_file() {
        return Ok(Some("it is not a regular file"));
    }
    if metadata.uid() != us && metadata.uid() != 0 {
        return Ok(Some("it belongs to another user"));
    }
    if metadata.mode() & 0o002 != 0 {
        return Ok(Some("everybody may write to it"));
    }
    if metadata.mode() & 0o020 == 0 || metadata.gid() == 0 {
        return Ok(None);
    }
    let is_private = match user::by_uid(metadata.uid())? {
        Some(owner) => user::is_private_group(metadata.gid(), &owner)?,
        None => false,
    };
    Ok((!is_private).then_some("a group may write to it"))
}
