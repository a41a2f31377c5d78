//! Stamps of files: the inode, size and times that show whether a file is still as it was.

use std::fs::{File, FileTimes, Metadata};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

/// The state of a file at one moment. As long as it does not change, no program has written to the
/// file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mailbox) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    /// The time of the last change of any kind, which no program can set back, unlike `modified`.
    changed: (i64, i64),
}

impl Stamp {
    /// Returns the stamp that these metadata give.
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

/// Sets the times of a mailbox so that shells and biff report new mail rightly: they take a mailbox
/// that was modified after its last access for one with new mail.
///
/// Only the owner and root may set times; for others nothing happens.
pub(in crate::mailbox) fn set_times(file: &File, has_new: bool) {
    let Ok(metadata) = file.metadata() else {
        return;
    };
    let Ok(modified) = metadata.modified() else {
        return;
    };
    // The two times say already what they are to say. Shells compare whole seconds: a rewrite that
    // has just read the file would look like an access after the mail.
    if has_new == (metadata.atime() < metadata.mtime()) {
        return;
    }
    let wanted: SystemTime = if has_new {
        modified - Duration::from_secs(1)
    } else {
        modified
    };
    let times = FileTimes::new().set_accessed(wanted).set_modified(modified);
    // A failure costs a wrong report of new mail, and no mail.
    let _ = file.set_times(times);
}
