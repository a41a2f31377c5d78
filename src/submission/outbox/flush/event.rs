//! What a flush tells while it works.

use super::super::Id;
use super::super::route_state::RouteState;
use crate::exit::{Failure, Kind};

/// An entry in the news.
#[derive(Clone, Debug)]
pub(crate) struct News {
    /// Its ID.
    pub(crate) id: Id,
    /// Those whom it is about.
    pub(crate) recipients: Vec<String>,
    /// What became of it, in the words of the next hop or ours.
    pub(crate) text: String,
    /// The next step, if there is one.
    pub(crate) hint: Option<String>,
    /// Whether it waits for a person to mend the settings, and this was not known before.
    pub(crate) is_new: bool,
}

/// What a flush tells while it works.
#[derive(Debug)]
pub(crate) enum Event {
    /// Another flusher is at work in this outbox.
    Busy(String),
    /// An entry whose writer was killed waits from now on.
    Adopted(Id),
    /// A message of the drop directory is in root's outbox now.
    Collected(Id),
    /// An object of the drop directory that is no message was put away.
    Rejected(String),
    /// An entry is no sound one.
    Torn(Id, String),
    /// A notice of the plan or of a transport.
    Notice(String),
    /// A route is not tried yet.
    NotTried(RouteState),
    /// A route takes no mail; and whether this trouble is new.
    Down(RouteState, bool),
    /// A route takes mail again.
    Up(String),
    /// Every recipient has the message.
    Sent(News),
    /// The message was put away for good, with the worst outcome.
    Failed(News, Kind),
    /// It waits.
    Waits(News),
    /// It may have arrived.
    Uncertain(News),
    /// Something of this host failed.
    Fault(Failure),
}
