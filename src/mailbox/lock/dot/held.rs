//! A dot-lock that this process holds: made, touched while it is held, removed at the end.

use std::fs::{self, File, FileTimes};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use super::content::write_content;
use crate::sys::disk::create_complete;
use crate::sys::{child, clock};

/// How often a lock that is held long is touched; well below the age at which it is stale.
pub(super) const REFRESH: Duration = Duration::from_secs(60);

/// How many times, a millisecond apart, [`DotLock::has_name`] looks for the name of a lock that
/// another process may be putting back.
const LOOKS: usize = 100;

/// A dot-lock that this process holds; dropping the value removes the file.
#[derive(Debug)]
pub(in crate::mailbox) struct DotLock {
    pub(super) path: PathBuf,
    pub(super) made_by: Maker,
    pub(super) touched: SystemTime,
}

/// The program that made a dot-lock, and so has to remove it.
#[derive(Debug)]
pub(super) enum Maker {
    /// This process. While the file is open its inode number cannot be given to another file.
    Us(File),
    /// The helper at this path.
    Helper(PathBuf),
}

impl DotLock {
    /// Touches a lock that has been held for a while, so that no program takes it for stale.
    pub(in crate::mailbox) fn refresh(&mut self) {
        let now = clock::now();
        if now.duration_since(self.touched).unwrap_or_default() < REFRESH {
            return;
        }
        self.touched = now;
        // A failure is not reported: the lock stays held, and before each write `has_name` finds
        // out whether another program has taken it for stale.
        let _ = match &self.made_by {
            // By the open file and not by the path, where another lock may be by now.
            Maker::Us(file) => file.set_times(FileTimes::new().set_modified(now)),
            Maker::Helper(helper) => run_helper(helper, &["-t"], &self.path).map(drop),
        };
    }

    /// Returns whether the path still names this lock; to be asked before anything is written.
    ///
    /// Waits for a process that has displaced the lock and is putting it back.
    pub(in crate::mailbox::lock) fn has_name(&self) -> bool {
        let Maker::Us(file) = &self.made_by else {
            // The helper's file was never open in this process: there is no inode to compare.
            return true;
        };
        for look in 0..LOOKS {
            let Ok(ours) = file.metadata() else {
                return false;
            };
            let named = fs::symlink_metadata(&self.path);
            if named.is_ok_and(|named| (named.dev(), named.ino()) == (ours.dev(), ours.ino())) {
                return true;
            }
            // Two things can have happened. With no name left, another program took this lock for
            // stale and removed it. With a name elsewhere, another process of this program
            // exchanged it for its own, and puts it back as soon as it sees that it was live.
            if ours.nlink() == 0 {
                return false;
            }
            if look + 1 < LOOKS {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        false
    }
}

impl Drop for DotLock {
    fn drop(&mut self) {
        // First the time: a process that judged this lock stale by its age compares the time again
        // before it removes what it moved, and so leaves alone a lock that was live all along.
        self.refresh();
        match &self.made_by {
            Maker::Us(_) => {
                // Without the check this would remove the lock of another program that took over.
                if self.has_name() {
                    let _ = fs::remove_file(&self.path);
                }
            }
            Maker::Helper(helper) => {
                let _ = run_helper(helper, &["-u"], &self.path);
            }
        }
    }
}

/// Makes a lock file with its content in one step; fails with `AlreadyExists` when there is one.
pub(super) fn make(path: &Path) -> io::Result<DotLock> {
    // The file gets its name last: no other program ever reads a lock that is half written.
    let file = create_complete(path, &mut write_content)?;
    Ok(DotLock {
        path: path.to_owned(),
        made_by: Maker::Us(file),
        touched: clock::now(),
    })
}

/// Runs the helper on a lock file and returns its exit status.
pub(super) fn run_helper(helper: &Path, options: &[&str], path: &Path) -> io::Result<Option<i32>> {
    // The helper's own messages would appear in the middle of the reader's screen.
    let status = child::command(helper)
        .args(options)
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    Ok(status.code())
}
