//! Directories of one user in a place where everybody may write.

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::user;

/// Returns the directory of a user who has no home to write in, below one that survives a restart.
pub fn directory_of(uid: u32) -> PathBuf {
    PathBuf::from(format!("/var/tmp/postrider-{uid}"))
}

/// Makes a directory of ours with mode 0700, or makes sure that the one of that name is such.
///
/// # Errors
/// When it cannot be made, or `PermissionDenied` when somebody else made it or has rights to it.
pub fn make(directory: &Path) -> io::Result<()> {
    // Whether it was there before does not matter: what counts is whose it is now.
    match DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let refused = |why: &str| Err(io::Error::new(ErrorKind::PermissionDenied, why));
    let found = fs::symlink_metadata(directory)?;
    if !found.is_dir() || found.uid() != user::effective_uid() {
        return refused("it is not a directory of ours");
    }
    if found.mode() & 0o077 != 0 {
        return refused("others have rights to it");
    }
    Ok(())
}
