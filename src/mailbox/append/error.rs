//! The errors of an append, and whether it may succeed later.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::exit::{self, Kind};
use crate::mailbox::lock::LockError;
use crate::sanitize;
use crate::sys::open;

/// Why a message could not be appended. Except for [`AppendError::Torn`] the mailbox is as it was
/// before.
#[derive(Debug)]
pub enum AppendError {
    /// The mailbox could not be opened.
    Open {
        /// The mailbox.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The mailbox does not exist and could not be created.
    Create {
        /// The mailbox.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// We may not write to it: it is a link, a device, another user's file, or no mbox.
    Refused {
        /// The mailbox.
        path: PathBuf,
        /// What it is, with its article.
        why: &'static str,
    },
    /// The mailbox could not be locked.
    Lock(LockError),
    /// The message could not be read.
    Message(io::Error),
    /// Writing failed.
    Write {
        /// The mailbox.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Writing failed, and so did cutting the mailbox back: a part of the message is in the mailbox.
    Torn {
        /// The mailbox.
        path: PathBuf,
        /// Why writing failed.
        source: io::Error,
    },
}

impl AppendError {
    /// Returns what kind of failure this is for the exit status.
    pub fn kind(&self) -> Kind {
        match self {
            AppendError::Open { source, .. } | AppendError::Create { source, .. } => {
                match source.kind() {
                    io::ErrorKind::PermissionDenied => Kind::NoPermission,
                    _ => open::kind_of(source, Kind::CannotCreate),
                }
            }
            AppendError::Refused { .. } => Kind::CannotCreate,
            AppendError::Lock(error) => error.kind(),
            AppendError::Message(_) | AppendError::Write { .. } | AppendError::Torn { .. } => {
                Kind::Io
            }
        }
    }

    /// Returns why, for a text that has named the mailbox: it is not named again.
    pub fn why(&self) -> String {
        match self {
            AppendError::Refused { why, .. } => format!("it is {why}"),
            AppendError::Open { source, .. } | AppendError::Create { source, .. } => {
                exit::plain(source)
            }
            other => exit::with_causes(other),
        }
    }

    /// Returns the next step, if there is one.
    pub fn hint(&self) -> Option<String> {
        match self {
            AppendError::Lock(error) => error.hint(),
            _ => None,
        }
    }

    /// Returns whether the same append may succeed later: when a lock is released, or a disk has
    /// room again.
    pub fn is_temporary(&self) -> bool {
        match self {
            AppendError::Lock(error) => error.is_temporary(),
            _ if self.kind() == Kind::TryLater => true,
            AppendError::Open { source, .. }
            | AppendError::Create { source, .. }
            | AppendError::Write { source, .. } => matches!(
                source.kind(),
                io::ErrorKind::StorageFull
                    | io::ErrorKind::QuotaExceeded
                    | io::ErrorKind::ReadOnlyFilesystem
            ),
            AppendError::Refused { .. } | AppendError::Message(_) | AppendError::Torn { .. } => {
                false
            }
        }
    }
}

impl fmt::Display for AppendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AppendError::Open { path, .. } => write!(f, "cannot open {}", sanitize::path(&path)),
            AppendError::Create { path, .. } => {
                write!(f, "cannot create {}", sanitize::path(&path))
            }
            AppendError::Refused { path, why } => {
                write!(f, "cannot append to {}: it is {why}", sanitize::path(&path))
            }
            AppendError::Lock(error) => error.fmt(f),
            AppendError::Message(_) => f.write_str("cannot read the message"),
            AppendError::Write { path, .. } => {
                write!(f, "cannot append to {}", sanitize::path(&path))
            }
            AppendError::Torn { path, .. } => write!(
                f,
                "cannot append the whole message to {}: a part of it was written",
                sanitize::path(&path)
            ),
        }
    }
}

impl Error for AppendError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            AppendError::Open { source, .. }
            | AppendError::Create { source, .. }
            | AppendError::Message(source)
            | AppendError::Write { source, .. }
            | AppendError::Torn { source, .. } => Some(source),
            AppendError::Lock(error) => error.source(),
            AppendError::Refused { .. } => None,
        }
    }
}
