//! Notices: what is reported about a mailbox that could be opened or changed all the same.

use std::fmt;
use std::path::PathBuf;

use crate::exit::Kind;
use crate::sanitize;

/// Something about a mailbox that whoever opens it should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A file has the name of a journal and cannot be ours; it was ignored.
    Planted {
        /// The file.
        path: PathBuf,
        /// What it is.
        why: &'static str,
    },
    /// Something lies among the messages of a Maildir and is none, or cannot be read.
    LeftOut {
        /// The file.
        path: PathBuf,
        /// Why: what it is, or what the system said.
        why: String,
    },
    /// It is compressed, and not all of it came out.
    Incomplete {
        /// Why.
        why: String,
    },
    /// A rewrite broke off, and we may not read its journal.
    Unreadable {
        /// The journal.
        journal: PathBuf,
        /// The user who must open the mailbox.
        owner: String,
    },
    /// A rewrite broke off; the mailbox is read as if it were complete.
    Unfinished {
        /// The journal.
        journal: PathBuf,
    },
    /// A rewrite that had broken off was completed.
    Completed,
    /// A rewrite broke off, and another program has written the mailbox since.
    Overwritten {
        /// The journal, or the copy of what it held.
        kept: PathBuf,
    },
    /// A change is complete, and the removal of its journal may not survive a power cut.
    Unsynced {
        /// The directory of the journal.
        directory: PathBuf,
        /// What the system said.
        why: String,
    },
    /// A change is complete, and its journal could not be removed; no program reads it any more.
    NotRemoved {
        /// The journal.
        journal: PathBuf,
        /// What the system said.
        why: String,
    },
}

impl Notice {
    /// Returns what it means for the exit status, if anything: what is not shown was not read, and
    /// a directory that cannot be synced is no success.
    pub fn kind(&self) -> Option<Kind> {
        matches!(self, Notice::Incomplete { .. } | Notice::Unsynced { .. }).then_some(Kind::Io)
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::Planted { path, why } => {
                write!(f, "{} is ignored: it is {why}", sanitize::path(&path))
            }
            Notice::Incomplete { why } => {
                write!(f, "the mailbox is not shown in full: {why}")
            }
            Notice::LeftOut { path, why } => {
                write!(f, "{} is left out: {why}", sanitize::path(&path))
            }
            Notice::Unreadable { journal, owner } => write!(
                f,
                "a change of the mailbox broke off; {owner} must open it to complete that (journal {})",
                sanitize::path(&journal)
            ),
            Notice::Unfinished { journal } => write!(
                f,
                "a change of the mailbox broke off and is shown as complete (journal {})",
                sanitize::path(&journal)
            ),
            Notice::Completed => {
                f.write_str("a change of the mailbox that had broken off is complete now")
            }
            Notice::Overwritten { kept } => write!(
                f,
                "a change of the mailbox broke off, and another program has written the mailbox since; \
                 what was to be written is in {}",
                sanitize::path(&kept)
            ),
            Notice::Unsynced { directory, why } => write!(
                f,
                "the change of the mailbox is complete, but {} cannot be synced: {why}",
                sanitize::path(&directory)
            ),
            Notice::NotRemoved { journal, why } => write!(
                f,
                "the change of the mailbox is complete, but its journal {} cannot be removed: {why}",
                sanitize::path(&journal)
            ),
        }
    }
}
