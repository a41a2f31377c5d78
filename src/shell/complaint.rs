//! What a command says when it comes to nothing, and how bad that is.

use crate::exit::Kind;

/// Why a command did not do what it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It was understood, and there is nothing that it applies to. That is no failure.
    Nothing,
    /// It names a message that a command before has deleted, or to undelete one that is not. Asking
    /// again for what is done is no failure.
    Done,
    /// It names a message that the mailbox does not have.
    NoSuchMessage,
    /// It cannot be understood.
    Wrong,
    /// It failed.
    Failed(Kind),
}

/// The line to tell the user, and what kind of fault it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The line.
    pub line: String,
    /// The fault.
    pub fault: Fault,
}

impl Complaint {
    /// Returns the complaint of a command that there is nothing for.
    pub(super) fn nothing(line: impl Into<String>) -> Complaint {
        Complaint::new(line, Fault::Nothing)
    }

    /// Returns the complaint of a list that names no message at all.
    pub(super) fn no_messages() -> Complaint {
        Complaint::nothing("No applicable messages")
    }

    /// Returns the complaint of a command that cannot be understood.
    pub(super) fn wrong(line: impl Into<String>) -> Complaint {
        Complaint::new(line, Fault::Wrong)
    }

    /// Returns a complaint.
    pub(super) fn new(line: impl Into<String>, fault: Fault) -> Complaint {
        let line = line.into();
        Complaint { line, fault }
    }

    /// Returns what kind of failure it is, if it is one.
    pub(super) fn kind(&self) -> Option<Kind> {
        match self.fault {
            Fault::Nothing | Fault::Done => None,
            Fault::NoSuchMessage | Fault::Wrong => Some(Kind::Usage),
            Fault::Failed(kind) => Some(kind),
        }
    }
}
