//! Locks on mailboxes.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

/// How long to sleep before asking for a shared lock again.
const NAP: Duration = Duration::from_millis(20);

/// Shared kernel locks; they are given back when this goes.
#[derive(Debug)]
pub(super) struct Shared<'a> {
    file: &'a File,
}

impl Drop for Shared<'_> {
    fn drop(&mut self) {
        // Nothing can be done about a failure, and closing the file gives them back too.
        let _ = self.file.unlock();
        let _ = ofd_lock(self.file, libc::F_UNLCK);
    }
}

/// Takes shared kernel locks (OFD fcntl and flock), so that no deliverer is writing meanwhile.
///
/// Returns `None` when somebody still holds an exclusive lock after `patience`. A file system that
/// knows no locks counts as free.
pub(super) fn share(file: &File, patience: Duration) -> Option<Shared<'_>> {
    let deadline = Instant::now() + patience;
    loop {
        if is_granted(ofd_lock(file, libc::F_RDLCK)) {
            let shared = Shared { file };
            let flock = file.try_lock_shared();
            if !matches!(flock, Err(std::fs::TryLockError::WouldBlock)) {
                return Some(shared);
            }
        }
        if Instant::now() >= deadline {
            return None;
        }
        std::thread::sleep(NAP);
    }
}

/// Asks for, or gives back, a whole-file lock of this open file description, without waiting.
///
/// OFD locks conflict with classic fcntl locks, but closing another descriptor of the same file
/// does not drop them.
fn ofd_lock(file: &File, kind: libc::c_int) -> io::Result<()> {
    let range = libc::flock {
        l_type: kind as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    fcntl(file, FcntlArg::F_OFD_SETLK(&range))?;
    Ok(())
}

/// Returns whether a lock was granted, or cannot be had on this file system at all.
fn is_granted(result: io::Result<()>) -> bool {
    !matches!(
        result.map_err(|error| error.raw_os_error().map(Errno::from_raw)),
        Err(Some(Errno::EAGAIN | Errno::EACCES))
    )
}

/// Returns the path of a mailbox's dot-lock.
pub(super) fn dot_lock_path(mailbox: &Path) -> PathBuf {
    let mut path = OsString::from(mailbox);
    path.push(".lock");
    PathBuf::from(path)
}
