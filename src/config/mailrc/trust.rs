//! Which rc files are believed: those that no other user but root could have written.

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
    /// It exists, but must not be trusted, for this reason.
    Refused(String),
    /// It exists, and we may not read it.
    Denied(String),
    /// The file is there but cannot be read as an rc file, for this reason: what it should set is
    /// not set.
    Unusable(String),
    /// The system failed, so that what the file says is unknown.
    Failed(String),
}

impl From<Unread> for Untrusted {
    fn from(unread: Unread) -> Untrusted {
        match unread {
            Unread::Absent(_) => Untrusted::Missing,
            Unread::Failed(_) => Untrusted::Failed(unread.to_string()),
            Unread::Denied(_) => Untrusted::Denied(unread.to_string()),
            Unread::Refused(_) | Unread::Interrupted(_) => Untrusted::Unusable(unread.to_string()),
        }
    }
}

impl From<io::Error> for Untrusted {
    fn from(error: io::Error) -> Untrusted {
        Untrusted::Failed(exit::with_causes(&error))
    }
}

/// Reads an rc file that no other user but root could have written; `/dev/null` is an empty one.
///
/// # Errors
/// Says why there is nothing to read, or nothing to be believed.
pub(super) fn read_trusted(path: &Path) -> Result<Vec<u8>, Untrusted> {
    let file = open::read::open(path, Use::Rc)?;
    // The open file is judged and not its name, which may lead to another file a moment later.
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
/// When the user database cannot be read, so that the members of the group that may write are
/// unknown.
pub(crate) fn distrust(metadata: &Metadata) -> io::Result<Option<&'static str>> {
    let us = user::effective_uid();
    if !metadata.is_file() {
        return Ok(Some("it is not a regular file"));
    }
    // A file of root is believed: root can write to every file of ours as well.
    if metadata.uid() != us && metadata.uid() != 0 {
        return Ok(Some("it belongs to another user"));
    }
    if metadata.mode() & 0o002 != 0 {
        return Ok(Some("every user may write to it"));
    }
    if metadata.mode() & 0o020 == 0 || metadata.gid() == 0 {
        return Ok(None);
    }
    // Where each user has a group of their own, a umask of 002 is common: the group may write,
    // but it has no other member than the owner.
    let is_private = match user::by_uid(metadata.uid())? {
        Some(owner) => user::is_private_group(metadata.gid(), &owner)?,
        None => false,
    };
    Ok((!is_private).then_some("a group may write to it"))
}
