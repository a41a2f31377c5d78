//! Stamps of files: the inode, size and times that tell whether a file is still as it was.

use std::fs::{File, FileTimes, Metadata};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

/// A file at one moment. As long as this does not change nobody has written to the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mailbox) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// Returns what these metadata say.
    pub(in crate::mailbox) fn of(metadata: &Metadata) -> Stamp {
        Stamp {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Returns the size of the file.
    pub(in crate::mailbox) fn size(&self) -> u64 {
        self.size
    }
}

/// Sets the times of a mailbox so that shells and biffs tell the truth: there is new mail when it
/// was modified after it was last accessed.
///
/// Only the owner and root may; for others nothing happens.
pub(in crate::mailbox) fn set_times(file: &File, has_new: bool) {
    let Ok(metadata) = file.metadata() else {
        return;
    };
    let (Ok(accessed), Ok(modified)) = (metadata.accessed(), metadata.modified()) else {
        return;
    };
    let wanted: SystemTime = match has_new {
        true if accessed >= modified => modified - Duration::from_secs(1),
        false if accessed < modified => modified,
        _ => return,
    };
    let times = FileTimes::new().set_accessed(wanted).set_modified(modified);
    // Nothing of the mail depends on it.
    let _ = file.set_times(times);
}
