//! Paths of mailboxes: the kind of file that a path leads to, and whether others may have planted it.

use std::borrow::Cow;
use std::fs::Metadata;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use crate::sys::disk::directory_of;
use crate::sys::open::Trouble;

/// The description of a directory where a file is expected.
pub(super) const DIRECTORY: &str = "a directory";

/// Returns the path of the file itself, at the end of links where these may be followed.
///
/// The dot-lock belongs beside the file itself: programs that open it by its own name look there.
pub(super) fn followed(path: &Path) -> Cow<'_, Path> {
    match path.canonicalize() {
        Ok(target) if path.is_symlink() && !is_in_sticky_directory(path) => Cow::Owned(target),
        _ => Cow::Borrowed(path),
    }
}

/// Returns the description of a file for which open(2) returns ENXIO: a socket, or a device that is
/// not there, such as `/dev/tty` without a terminal.
pub(super) fn not_openable(path: &Path) -> &'static str {
    let found = std::fs::metadata(path).ok();
    found
        .and_then(|found| what_else(&found))
        .unwrap_or("a socket")
}

/// Returns the description, with its article, of a file that is not a regular one.
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
        // The system could not answer. The safe assumption is that the directory is sticky, so that
        // no link is followed.
        Err(error) => Trouble::of(&error) == Trouble::Failed,
    }
}
