//! The errors of opening and changing a mailbox.
//!
//! An error of an append is [`AppendError`](crate::mailbox::AppendError), one of a lock
//! [`LockError`].

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::format::mbox::ScanError;
use super::lock::LockError;
use crate::exit::Kind;
use crate::sanitize;

/// Why a mailbox could not be opened.
///
/// The text names the file and, unless there is a [`source`](Error::source), the reason.
#[derive(Debug)]
pub enum OpenError {
    /// The file does not exist.
    Missing {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is no regular file, but a directory, a FIFO, a device.
    NotRegular {
        /// The file.
        path: PathBuf,
        /// What it is, with its article.
        what: &'static str,
    },
    /// We may not read it.
    NoPermission {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The first line that is not blank is not a From_ line.
    NotMbox {
        /// The file.
        path: PathBuf,
    },
    /// Another process of ours is rewriting the mailbox, and did not finish while we waited.
    Rewritten {
        /// The file.
        path: PathBuf,
    },
    /// The mailbox is compressed, and nothing of it can be decompressed.
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with the archive.
        why: &'static str,
    },
    /// The mailbox is compressed, and the temporary file for its mail cannot be written.
    Temporary {
        /// The file.
        path: PathBuf,
        /// What the system said of the temporary file.
        source: io::Error,
    },
    /// Opening or reading failed otherwise.
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl OpenError {
    /// Returns whether there is no such file.
    pub fn is_missing(&self) -> bool {
        matches!(self, OpenError::Missing { .. })
    }

    /// Returns what kind of failure this is for the exit status.
    pub fn kind(&self) -> Kind {
        match self {
            OpenError::Io { .. } | OpenError::Temporary { .. } => Kind::Io,
            OpenError::Rewritten { .. } => Kind::TryLater,
            _ => Kind::NoInput,
        }
    }

    /// Returns the error for a scan that failed.
    pub(in crate::mailbox) fn of_scan(path: &Path, error: ScanError) -> OpenError {
        let path = path.to_owned();
        match error {
            ScanError::NotMbox => OpenError::NotMbox { path },
            ScanError::Io(source) => OpenError::Io { path, source },
        }
    }

    /// Returns the error for a system call on the file that failed.
    pub(in crate::mailbox) fn new(path: &Path, source: io::Error) -> OpenError {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                OpenError::Missing { path, source }
            }
            io::ErrorKind::PermissionDenied => OpenError::NoPermission { path, source },
            _ => OpenError::Io { path, source },
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Missing { path, .. } | OpenError::NoPermission { path, .. } => {
                write!(f, "cannot open {}", sanitize::path(&path))
            }
            OpenError::NotRegular { path, what } => {
                write!(f, "cannot open {}: it is {what}", sanitize::path(&path))
            }
            OpenError::NotMbox { path } => {
                write!(
                    f,
                    "cannot open {}: it is not an mbox",
                    sanitize::path(&path)
                )
            }
            OpenError::Rewritten { path } => write!(
                f,
                "cannot open {}: another process is rewriting it",
                sanitize::path(&path)
            ),
            OpenError::Damaged { path, why } => {
                write!(f, "cannot decompress {}: {why}", sanitize::path(&path))
            }
            OpenError::Temporary { path, .. } => write!(
                f,
                "cannot decompress {} into a temporary file",
                sanitize::path(&path)
            ),
            OpenError::Io { path, .. } => write!(f, "cannot read {}", sanitize::path(&path)),
        }
    }
}

impl Error for OpenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            OpenError::Missing { source, .. }
            | OpenError::NoPermission { source, .. }
            | OpenError::Temporary { source, .. }
            | OpenError::Io { source, .. } => Some(source),
            OpenError::Damaged { .. }
            | OpenError::NotRegular { .. }
            | OpenError::NotMbox { .. }
            | OpenError::Rewritten { .. } => None,
        }
    }
}

/// Why changes were not written. The mailbox is as it was.
#[derive(Debug)]
pub enum CommitError {
    /// The mailbox could not be opened for writing.
    Open(OpenError),
    /// The mailbox could not be locked.
    Lock(LockError),
    /// We may not or cannot write to the mailbox.
    Refused {
        /// The mailbox.
        path: PathBuf,
        /// Why: the kind of file, with its article.
        why: String,
    },
    /// Another program has changed the mailbox so much that the messages cannot be found again.
    Changed {
        /// The mailbox.
        path: PathBuf,
    },
    /// A rewrite was interrupted, and its journal cannot be used to complete it.
    Journal {
        /// The mailbox.
        path: PathBuf,
        /// Which journal, the reason, and what can be done.
        why: String,
    },
    /// Preparing the change failed: the disk is full, a limit is reached.
    Write {
        /// The file that could not be written: the journal or the mailbox.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl CommitError {
    /// Returns what kind of failure this is for the exit status.
    pub fn kind(&self) -> Kind {
        match self {
            CommitError::Open(OpenError::NoPermission { .. }) => Kind::NoPermission,
            CommitError::Open(error) => error.kind(),
            CommitError::Lock(error) => error.kind(),
            CommitError::Refused { .. } => Kind::NoPermission,
            CommitError::Changed { .. } | CommitError::Journal { .. } => Kind::TryLater,
            CommitError::Write { .. } => Kind::Io,
        }
    }

    /// Returns the next step, if there is one.
    pub fn hint(&self) -> Option<String> {
        match self {
            CommitError::Lock(error) => error.hint(),
            _ => None,
        }
    }
}

impl fmt::Display for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CommitError::Open(error) => error.fmt(f),
            CommitError::Lock(error) => error.fmt(f),
            CommitError::Refused { path, why } => {
                write!(f, "cannot change {}: it is {why}", sanitize::path(&path))
            }
            CommitError::Changed { path } => write!(
                f,
                "cannot change {}: another program has rewritten it",
                sanitize::path(&path)
            ),
            CommitError::Journal { path, why } => {
                write!(f, "cannot change {}: {why}", sanitize::path(&path))
            }
            CommitError::Write { path, .. } => write!(f, "cannot write {}", sanitize::path(&path)),
        }
    }
}

impl Error for CommitError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            CommitError::Open(error) => error.source(),
            CommitError::Lock(error) => error.source(),
            CommitError::Write { source, .. } => Some(source),
            CommitError::Refused { .. }
            | CommitError::Changed { .. }
            | CommitError::Journal { .. } => None,
        }
    }
}
