//! The kernel's two locks on a file, fcntl and flock, always asked for without waiting.

use std::fs::{File, TryLockError};
use std::io;
use std::time::{Duration, Instant};

use nix::errno::Errno;

pub(in crate::mailbox) use crate::sys::platform::range_holder as fcntl_holder;
use crate::sys::platform::{self, RangeLock};

/// How long to sleep before asking for a shared lock again.
const NAP: Duration = Duration::from_millis(5);

/// The kernel's answer to a request for a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mailbox) enum KernelAnswer {
    /// This process holds the lock.
    Granted,
    /// Another program holds the lock.
    Busy,
    /// This file system, or this kernel, does not have this kind of lock.
    Unsupported,
}

/// Shared kernel locks, which are released when the value is dropped.
#[derive(Debug)]
pub(in crate::mailbox) struct Shared<'a>(&'a File);

impl Drop for Shared<'_> {
    fn drop(&mut self) {
        release(self.0);
    }
}

/// Takes shared kernel locks, so that no program delivers mail to the file meanwhile.
///
/// Returns `None` when a program still holds an exclusive lock after `patience`. A file system
/// without locks counts as free.
pub(in crate::mailbox) fn share(file: &File, patience: Duration) -> Option<Shared<'_>> {
    let deadline = Instant::now() + patience;
    loop {
        if range_lock(file, RangeLock::Shared) != KernelAnswer::Busy {
            // Before the flock is asked for: when that is busy, dropping `shared` releases the
            // fcntl lock, so a deliverer that has the flock and waits for fcntl can go on.
            let shared = Shared(file);
            if flock_answer(file.try_lock_shared()) != KernelAnswer::Busy {
                return Some(shared);
            }
        }
        // Looked at after an attempt, so that a patience of zero still asks once.
        if Instant::now() >= deadline {
            return None;
        }
        std::thread::sleep(NAP);
    }
}

/// Asks for the exclusive fcntl lock of the whole file.
pub(in crate::mailbox) fn lock_fcntl(file: &File) -> KernelAnswer {
    range_lock(file, RangeLock::Exclusive)
}

/// Asks for the exclusive flock.
///
/// On NFS Linux turns a flock into an fcntl lock of the whole file, and this process holds that
/// already: there no flock is asked for.
pub(in crate::mailbox) fn lock_flock(file: &File) -> KernelAnswer {
    if platform::has_one_kind_of_lock(file) {
        return KernelAnswer::Unsupported;
    }
    flock_answer(file.try_lock())
}

/// Releases both locks, flock first.
pub(in crate::mailbox) fn release(file: &File) {
    // The reverse of the order of taking. A failure is not reported: closing the file releases the
    // locks as well.
    let _ = file.unlock();
    let _ = range_lock(file, RangeLock::Released);
}

/// Returns the process that holds a flock on this inode, according to the text of `/proc/locks`.
///
/// A line is `1: FLOCK  ADVISORY  WRITE 708 08:01:1234 0 EOF`. Only the inode is compared: on
/// overlay and btrfs the device number there is not the one that stat gives.
pub(in crate::mailbox) fn flock_holder(locks: &str, inode: u64) -> Option<u32> {
    locks.lines().find_map(|line| {
        // A program that waits has a line too, with `->` before the kind: it is no holder.
        let mut words = line.split_ascii_whitespace().skip(1);
        if words.next()? != "FLOCK" {
            return None;
        }
        let pid = words.nth(2)?.parse().ok()?;
        let place = words.next()?;
        (place.rsplit(':').next()?.parse() == Ok(inode)).then_some(pid)
    })
}

/// Asks for, or releases, a lock of the whole file, without waiting.
fn range_lock(file: &File, kind: RangeLock) -> KernelAnswer {
    match platform::lock_range(file, kind) {
        Ok(()) => KernelAnswer::Granted,
        // POSIX allows both answers for a lock that is held.
        Err(Errno::EAGAIN | Errno::EACCES) => KernelAnswer::Busy,
        Err(_) => KernelAnswer::Unsupported,
    }
}

/// Converts the answer of the standard library.
fn flock_answer(answer: Result<(), TryLockError>) -> KernelAnswer {
    match answer {
        Ok(()) => KernelAnswer::Granted,
        Err(TryLockError::WouldBlock) => KernelAnswer::Busy,
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::WouldBlock => {
            KernelAnswer::Busy
        }
        Err(TryLockError::Error(_)) => KernelAnswer::Unsupported,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flock_holder_is_found_by_inode() {
        let locks = "1: POSIX  ADVISORY  WRITE 12 08:01:77 0 EOF\n\
                     2: FLOCK  ADVISORY  WRITE 708 08:01:77 0 EOF\n\
                     3: FLOCK  ADVISORY  READ  9 00:1f:78 0 EOF\n\
                     3: -> FLOCK  ADVISORY  WRITE 10 00:1f:79 0 EOF\n";
        assert_eq!(flock_holder(locks, 77), Some(708));
        assert_eq!(flock_holder(locks, 78), Some(9));
        assert_eq!(flock_holder(locks, 79), None);
        assert_eq!(flock_holder("nonsense\n\n", 77), None);
    }

    #[test]
    fn exclusive_locks_exclude_other_open_files() {
        let first = tempfile::NamedTempFile::new().expect("a file");
        let second = first.reopen().expect("opened again");
        let first = first.as_file();
        assert_eq!(lock_fcntl(first), KernelAnswer::Granted);
        assert_eq!(lock_fcntl(&second), KernelAnswer::Busy);
        // The holder is an open file, not a process.
        assert_eq!(fcntl_holder(&second), None);
        assert_eq!(lock_flock(first), KernelAnswer::Granted);
        assert_eq!(lock_flock(&second), KernelAnswer::Busy);
        assert!(share(&second, Duration::ZERO).is_none());
        release(first);
        assert_eq!(lock_fcntl(&second), KernelAnswer::Granted);
        assert_eq!(lock_flock(&second), KernelAnswer::Granted);
    }

    #[test]
    fn shared_locks_are_given_back() {
        let first = tempfile::NamedTempFile::new().expect("a file");
        let second = first.reopen().expect("opened again");
        let shared = share(first.as_file(), Duration::ZERO).expect("free");
        assert_eq!(lock_fcntl(&second), KernelAnswer::Busy);
        assert!(share(&second, Duration::ZERO).is_some());
        drop(shared);
        assert_eq!(lock_fcntl(&second), KernelAnswer::Granted);
    }
}
