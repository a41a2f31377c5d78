//! The errors of commands, and whether they are failures.

use crate::exit::Kind;
use crate::selection::ListError;

/// The result of a command: nothing, or its complaint.
pub(super) type CommandResult = Result<(), Complaint>;

/// The line that is shown to the user, and what kind of failure it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    /// The line.
    pub line: String,
    /// What it is for the exit status of a script; `None` if the command was understood, and there
    /// was nothing that it applies to: that is no failure.
    pub kind: Option<Kind>,
}

impl Complaint {
    /// Returns the complaint of a command that there is nothing for.
    pub(super) fn nothing(line: impl Into<String>) -> Complaint {
        Complaint::new(line, None)
    }

    /// Returns the complaint of a list that names no message at all.
    pub(super) fn no_messages() -> Complaint {
        ListError::NoMatch.into()
    }

    /// Returns the complaint of a command that cannot be understood.
    pub(super) fn wrong(line: impl Into<String>) -> Complaint {
        Complaint::new(line, Some(Kind::Usage))
    }

    /// Returns a complaint.
    pub(super) fn new(line: impl Into<String>, kind: Option<Kind>) -> Complaint {
        let line = line.into();
        Complaint { line, kind }
    }
}

impl From<ListError> for Complaint {
    /// Asking again for what is done, such as deleting a deleted message, is no failure.
    fn from(error: ListError) -> Complaint {
        // The signal itself is the reason of the end, where it ends anything.
        let is_failure = !error.is_nothing() && error != ListError::Interrupted;
        let kind = is_failure.then_some(Kind::Usage);
        Complaint::new(error.to_string(), kind)
    }
}
