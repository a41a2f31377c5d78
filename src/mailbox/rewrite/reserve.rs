//! Reserves the blocks that a rewrite needs, so that a full disk is noticed before anything changes.

use std::fs::File;
use std::io;

use nix::errno::Errno;

use crate::sys::disk::until_done;
use crate::sys::platform;

/// Returns whether this file system does not support fallocate(2).
pub(in crate::mailbox) fn is_unsupported(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error().map(Errno::from_raw),
        Some(Errno::EOPNOTSUPP | Errno::ENOSYS)
    )
}

fn too_large() -> io::Error {
    io::Error::from_raw_os_error(Errno::EFBIG as i32)
}

/// Makes sure that a file may be written up to this offset.
///
/// # Errors
/// When a limit of the process (`RLIMIT_FSIZE`) is in the way.
pub(in crate::mailbox) fn within_limit(end: u64) -> io::Result<()> {
    match platform::file_size_limit() {
        Some(limit) if end > limit => Err(too_large()),
        _ => Ok(()),
    }
}

/// Reserves the blocks that a mailbox needs to grow, without making it longer.
///
/// # Errors
/// When there is no room, no quota, or a limit on the size of files.
pub(in crate::mailbox) fn reserve_growth(
    mailbox: &File,
    old_size: u64,
    new_size: u64,
) -> io::Result<()> {
    if new_size <= old_size {
        return Ok(());
    }
    within_limit(new_size)?;
    let from = i64::try_from(old_size).map_err(|_| too_large())?;
    let len = i64::try_from(new_size - old_size).map_err(|_| too_large())?;
    match until_done(|| Ok(platform::reserve(mailbox, from, len, true)?)) {
        Err(error) if is_unsupported(&error) => Ok(()),
        answer => answer,
    }
}
