//! Notices: reports about a mailbox that was opened or changed successfully all the same.

use std::fmt;
use std::path::PathBuf;

use crate::exit::Kind;
use crate::sanitize;

/// A report about a mailbox beside the success of opening or changing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A file has the name of a journal but was not made by this program; it was ignored.
    Planted {
        /// The file.
        path: PathBuf,
        /// What the file is, with its article.
        why: &'static str,
    },
    /// A file in a Maildir is not a message, or cannot be read.
    LeftOut {
        /// The file.
        path: PathBuf,
        /// What the file is, or what the system said.
        why: String,
    },
    /// The mailbox is compressed, and not all of it could be decompressed.
    Incomplete {
        /// The reason.
        why: String,
    },
    /// Another program is still writing the last message, which is left out.
    Torn,
    /// A rewrite was interrupted, and we have no permission to read its journal.
    Unreadable {
        /// The journal.
        journal: PathBuf,
        /// The user who can complete the rewrite by opening the mailbox.
        owner: String,
    },
    /// A rewrite was interrupted; the mailbox is shown as it will be after the rewrite.
    Unfinished {
        /// The journal.
        journal: PathBuf,
    },
    /// An interrupted rewrite was completed.
    Completed,
    /// A rewrite was interrupted, and another program has written to the mailbox since.
    Overwritten {
        /// The journal, or the copy of its contents.
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
    /// Returns the kind of failure for the exit status; `None` if all mail was shown and every change
    /// will survive a power cut.
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
                write!(f, "not all messages of the mailbox are shown: {why}")
            }
            Notice::LeftOut { path, why } => {
                write!(f, "{} is skipped: {why}", sanitize::path(&path))
            }
            Notice::Torn => {
                f.write_str("the last message is not shown: another program is still writing it")
            }
            Notice::Unreadable { journal, owner } => write!(
                f,
                "a change of the mailbox was interrupted; {owner} must open the mailbox to complete it (journal {})",
                sanitize::path(&journal)
            ),
            Notice::Unfinished { journal } => write!(
                f,
                "a change of the mailbox was interrupted; the mailbox is shown as it will be after the change (journal {})",
                sanitize::path(&journal)
            ),
            Notice::Completed => {
                f.write_str("an interrupted change of the mailbox is now complete")
            }
            Notice::Overwritten { kept } => write!(
                f,
                "a change of the mailbox was interrupted, and another program has written to the mailbox since; \
                the rest of the change is kept in {}",
                sanitize::path(&kept)
            ),
            Notice::Unsynced { directory, why } => write!(
                f,
                "the change of the mailbox is complete, but {} cannot be synced to disk: {why}",
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
