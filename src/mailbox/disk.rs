//! What every writer of files needs: calls that are interrupted are made again, and names survive
//! a power cut.

use std::fs::File;
use std::io;
use std::path::Path;

use super::file::directory_of;

/// Makes a call again as long as a signal interrupts it.
pub(super) fn until_done<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            answer => return answer,
        }
    }
}

/// Makes a new name in a directory, or the want of an old one, survive a power cut.
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    match until_done(|| File::open(directory_of(path))) {
        Ok(directory) => until_done(|| directory.sync_all()),
        // A spool that we may write to but not list; its file system will have to do.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        Err(error) => Err(error),
    }
}
