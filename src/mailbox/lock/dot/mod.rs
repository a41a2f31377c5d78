//! The dot-lock: a file `mailbox.lock` beside the mailbox.
//!
//! # States
//! - There is no such file: the lock is free.
//! - `mailbox.lock` exists: the lock is held. The file appears with its whole content. On a file
//!   system that this host alone uses the content is on the disk before the name appears: after a
//!   power cut the file still names its holder.
//! - `mailbox.lock.RANDOM`: a lock that is about to replace a stale one, or the stale one itself, for
//!   a moment. `.mailbox.lock.postrider-RANDOM`: a lock that is being made, where the file system
//!   has no files without names. Neither locks anything. Where their maker has died they are removed
//!   by the next process that locks the mailbox (`stale::sweep`).
//!
//! # When a lock is stale
//! - Its second line is that of this system: when the pid is that of no process. At once.
//! - Host name and machine are those of this system, the boot is another one, the file lies on a
//!   file system that this host alone uses, and was last touched before this boot: at once. All of
//!   these are required because clones of a machine share its names, and hosts share an NFS server.
//! - Any other: when it has not been touched for five minutes. This program touches a lock that it
//!   holds longer ([`DotLock::refresh`]).
//!
//! A lock file that is not a regular file is never stale: no program makes such a lock.
//!
//! # Where the work is done
//! - `content` reads and writes the lines of a lock file, and judges whether it is stale.
//! - `stale` replaces a stale lock without ever freeing the name of a live one.
//! - `held` is a lock of this process. Before it writes to the mailbox a process checks that the name
//!   still belongs to its own lock (`DotLock::has_name`).
//! - `lock_file` describes a lock in the way to the user.
//!
//! # Without the right to write the directory
//! `dotlockfile` of liblockfile, which is setgid mail where it is installed, makes and removes the
//! lock file. Without that helper there is no dot-lock, and the two kernel locks must suffice.

mod content;
mod held;
mod lock_file;
mod stale;

use std::io;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

pub(in crate::mailbox) use held::DotLock;
pub(crate) use lock_file::LockFile;

use self::content::{LockContent, System};
use self::held::{Maker, make, run_helper};
use self::stale::{replace, sweep};
use crate::sys::clock;
use crate::sys::disk::with_suffix;

/// How many times a lock is asked for while other programs make and remove theirs.
const ATTEMPTS: usize = 3;

/// The answer to a request for the dot-lock.
#[derive(Debug)]
pub(in crate::mailbox) enum DotAnswer {
    /// This process holds the lock.
    Granted(DotLock),
    /// Another program holds the lock; this is the file, if it is still there.
    Busy(Option<LockFile>),
    /// This process may not make a dot-lock here.
    Unsupported,
}

/// Asks for the dot-lock of a mailbox, without waiting; a stale lock is replaced.
pub(in crate::mailbox) fn request(mailbox: &Path, helper: Option<&Path>) -> io::Result<DotAnswer> {
    let path = path_of(mailbox);
    for _ in 0..ATTEMPTS {
        // Making comes first and looking second: only the creation of the name decides who holds
        // the lock. A look before it would be out of date by then.
        let made = match make(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let Some(found) = LockContent::read(&path)? else {
                    // Its holder removed it between the two calls.
                    continue;
                };
                if !found.is_stale(&System::this()) {
                    return Ok(DotAnswer::Busy(Some(found.into_lock_file(&path))));
                }
                replace(&path, &found)
            }
            made => made.map(Some),
        };
        match made {
            Ok(Some(lock)) => {
                // Only with the lock, and not at each attempt: the sweep reads the directory, and
                // a process that waits makes many attempts.
                sweep(&path);
                return Ok(DotAnswer::Granted(lock));
            }
            // Another program's lock took the place of the stale one, or the stale one went.
            Ok(None) => {}
            // The stale lock is another user's, in a directory with the sticky bit.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => break,
            Err(error) => return without_a_file(&path, error, helper),
        }
    }
    let found = LockContent::read(&path)?;
    Ok(DotAnswer::Busy(
        found.map(|found| found.into_lock_file(&path)),
    ))
}

/// Returns the answer where this process cannot make a file: it can still see one.
fn without_a_file(path: &Path, error: io::Error, helper: Option<&Path>) -> io::Result<DotAnswer> {
    let why = error.raw_os_error().map(Errno::from_raw);
    let is_full = matches!(why, Some(Errno::ENOSPC | Errno::EDQUOT));
    if !is_full && !matches!(why, Some(Errno::EACCES | Errno::EPERM | Errno::EROFS)) {
        return Err(error);
    }
    Ok(match LockContent::read(path)? {
        Some(found) if !found.is_stale(&System::this()) => {
            DotAnswer::Busy(Some(found.into_lock_file(path)))
        }
        // There is no room for one more file, and the helper would meet the same.
        // Deleting mail must stay possible: the kernel locks alone protect the mailbox.
        _ if is_full => DotAnswer::Unsupported,
        _ => ask_helper(path, helper),
    })
}

/// Returns the path of a mailbox's dot-lock.
pub(in crate::mailbox) fn path_of(mailbox: &Path) -> PathBuf {
    with_suffix(mailbox, ".lock")
}

/// Returns whether a program may be writing to a mailbox under a dot-lock.
///
/// No program writes under a stale lock, nor under a file that no program makes as its lock. Without
/// a writer a mailbox whose last line has no newline is complete.
pub(in crate::mailbox) fn may_be_held(mailbox: &Path) -> bool {
    match LockContent::read(&path_of(mailbox)) {
        Ok(Some(found)) => found.metadata.is_file() && !found.is_stale(&System::this()),
        Ok(None) => false,
        // A lock that cannot be examined may be live.
        Err(_) => true,
    }
}

/// Returns whether the dot-lock of a mailbox is that of a process that is certainly dead.
///
/// The age of a lock does not make it certain.
pub(in crate::mailbox) fn is_of_the_dead(mailbox: &Path) -> bool {
    let found = LockContent::read(&path_of(mailbox));
    matches!(found, Ok(Some(found)) if found.is_of_the_dead(&System::this()) == Some(true))
}

/// Lets the helper make the lock.
fn ask_helper(path: &Path, helper: Option<&Path>) -> DotAnswer {
    let Some(helper) = helper else {
        return DotAnswer::Unsupported;
    };
    // `-p` writes the pid of the calling process, this one; `-r 0` forbids retries. The status is
    // liblockfile's: 4 says that the lock is held, all others that the helper may not or cannot.
    match run_helper(helper, &["-l", "-p", "-q", "-r", "0"], path) {
        Ok(Some(0)) => DotAnswer::Granted(DotLock {
            path: path.to_owned(),
            made_by: Maker::Helper(helper.to_owned()),
            touched: clock::now(),
        }),
        Ok(Some(4)) => {
            let found = LockContent::read(path).ok().flatten();
            DotAnswer::Busy(found.map(|found| found.into_lock_file(path)))
        }
        Ok(_) | Err(_) => DotAnswer::Unsupported,
    }
}

#[cfg(test)]
mod tests;
