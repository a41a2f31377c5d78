//! What a path leads to: a file of which kind, in a directory where others may plant one or not.

use std::borrow::Cow;
use std::fs::Metadata;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use crate::sys::disk::directory_of;
use crate::sys::open::Trouble;

/// What a directory is called where a file should be.
pub(super) const DIRECTORY: &str = "a directory";

/// Returns the file that a path means: where links may be followed, that at their end.
///
/// The dot-lock belongs beside it, where those look who know it by its own name.
pub(super) fn followed(path: &Path) -> Cow<'_, Path> {
    match path.canonicalize() {
        Ok(target) if path.is_symlink() && !is_in_sticky_directory(path) => Cow::Owned(target),
        _ => Cow::Borrowed(path),
    }
}

/// Returns what a file is of which open(2) says ENXIO: a socket, or a device that is not there, as
/// `/dev/tty` without a terminal.
pub(super) fn not_openable(path: &Path) -> &'static str {
    let found = std::fs::metadata(path).ok();
    found
        .and_then(|found| what_else(&found))
        .unwrap_or("a socket")
}

/// Returns what a file is, if it is not a regular one.
pub(super) fn what_else(metadata: &Metadata) -> Option<&'static str> {
    let kind = metadata.file_type();
    if kind.is_file() {
        None
    } else if kind.is_dir() {
        Some(DIRECTORY)
    } else if kind.is_fifo() {
        Some("a FIFO")
    } else if kind.is_socket() {
        Some("a socket")
    } else if kind.is_symlink() {
        Some("a symbolic link")
    } else {
        Some("a device")
    }
}

/// Returns whether the directory of this file has the sticky bit, as a spool of mode 3777 does.
pub(super) fn is_in_sticky_directory(path: &Path) -> bool {
    match std::fs::metadata(directory_of(path)) {
        Ok(directory) => directory.mode() & 0o1000 != 0,
        // Nobody knows: then it may be one, and no link is followed.
        Err(error) => Trouble::of(&error) == Trouble::Failed,
    }
}
