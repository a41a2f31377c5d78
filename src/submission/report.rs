//! The report of a submission: the outcome of each copy, the dead letter, notices and hints.

use std::borrow::Cow;
use std::sync::Arc;

use super::keep::Kept;
use super::relayed::Rewriting;
use crate::exit::Failure;
use crate::transport::Outcome;

/// The result for one copy.
#[derive(Clone, Debug)]
pub struct CopyReport {
    /// The recipient as it was given.
    pub recipient: Arc<str>,
    /// The recipient in the envelope; the file or command itself.
    pub target: Arc<str>,
    /// The way, in a word or two.
    pub route: Arc<str>,
    /// Why this way.
    pub reason: Cow<'static, str>,
    /// The outcome, shared by all copies that have the same one.
    pub outcome: Arc<Outcome>,
    /// The entry of the outbox that keeps it for this recipient, to be tried again.
    pub outbox: Option<Arc<str>>,
}

/// A message that waits in the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// The ID of its entry.
    pub id: Arc<str>,
    /// When it is tried next, in seconds since 1970.
    pub next: u64,
    /// Whether it may have arrived.
    pub is_uncertain: bool,
    /// How many equal messages the entry stands for, where it was there already.
    pub merged: Option<u64>,
}

/// A message that is left to root's next flush, because only root may deliver or send it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The name of its file in the drop directory.
    pub id: Arc<str>,
    /// Whether root's flush empties the directory, as far as its time stamp says.
    pub is_emptied: bool,
}

/// The result for a mail.
#[derive(Debug, Default)]
pub struct Report {
    /// The Message-ID.
    pub message_id: String,
    /// The envelope sender that was asked for; else it is the user's.
    pub sender: Option<String>,
    /// One entry a copy.
    pub entries: Vec<CopyReport>,
    /// What a relay saw otherwise than the message says it.
    pub rewritings: Vec<Rewriting>,
    /// What waits in the outbox.
    pub queued: Vec<Queued>,
    /// What is left to root.
    pub dropped: Option<Dropped>,
    /// Whether the exit status counts what waits in the outbox as sent.
    pub queued_is_sent: bool,
    /// Where the text was kept.
    pub kept: Kept,
    /// Copies that could not be kept (`record`); the mail itself is out.
    pub copy_failures: Vec<Failure>,
    /// Notices for the user.
    pub notices: Vec<String>,
}

impl Report {
    /// Returns whether a copy is left to root.
    pub(crate) fn is_left_to_root(&self, copy: &CopyReport) -> bool {
        let dropped = self.dropped.as_ref().map(|dropped| &*dropped.id);
        dropped.is_some() && copy.outbox.as_deref() == dropped
    }
}
