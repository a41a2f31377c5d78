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
    /// Where the text was kept.
    pub kept: Kept,
    /// Copies that could not be kept (`record`); the mail itself is out.
    pub copy_failures: Vec<Failure>,
    /// Notices for the user.
    pub notices: Vec<String>,
}
