//! Which rc files are believed: those that nobody else could have written.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::fcntl::OFlag;

use crate::sys::user;

/// How large an rc file may be, in bytes.
const MAX_SIZE: u64 = 4 << 20;

/// Why an rc file is not read.
#[derive(Debug)]
pub(super) enum Untrusted {
    /// It is not there.
    Missing,
    /// It is, but cannot be read or must not be believed, for this reason.
    Refused(String),
}

impl From<io::Error> for Untrusted {
    fn from(error: io::Error) -> Untrusted {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Untrusted::Missing,
            _ => {
                let text = error.to_string();
                let text = text.split(" (os error").next().unwrap_or_default();
                Untrusted::Refused(text.to_owned())
            }
        }
    }
}

/// Reads an rc file that nobody else could have written; a device is an empty one.
///
/// # Errors
/// Says why there is nothing to read, or nothing to be believed.
pub(super) fn read_trusted(path: &Path) -> Result<Vec<u8>, Untrusted> {
    // O_NONBLOCK: a FIFO is refused, not waited for.
    let file = File::options()
        .read(true)
        .custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits())
        .open(path)?;
    let metadata = file.metadata()?;
    let mut bytes = Vec::new();
    if metadata.file_type().is_char_device() {
        return Ok(bytes);
    }
    if let Some(reason) = distrust(&metadata) {
        return Err(Untrusted::Refused(format!(
            "this file is ignored: {reason}"
        )));
    }
    file.take(MAX_SIZE).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Returns why an rc file must not be believed, if it must not.
pub fn distrust(metadata: &Metadata) -> Option<&'static str> {
    let us = user::effective_uid();
    if !metadata.is_file() {
        return Some("it is not a regular file");
    }
    if metadata.uid() != us && metadata.uid() != 0 {
        return Some("it belongs to another user");
    }
    if metadata.mode() & 0o002 != 0 {
        return Some("everybody may write to it");
    }
    let is_private = || {
        metadata.gid() == 0
            || user::by_uid(metadata.uid())
                .is_some_and(|owner| user::is_private_group(metadata.gid(), &owner))
    };
    if metadata.mode() & 0o020 != 0 && !is_private() {
        return Some("a group may write to it");
    }
    None
}
