//! Where a setting came from, and what is wrong in the configuration.

use std::fmt;
use std::path::PathBuf;

use crate::sanitize;

/// Where a setting came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The compiled-in default.
    Default,
    /// This environment variable.
    Environment(&'static str),
    /// This line of this file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// The prompt of the reader, or a script that it carries out.
    Prompt,
    /// This option of the command line, as typed.
    Option(String),
}

impl Origin {
    /// Returns a message about what stands here; what was typed a moment ago needs no place. An option that has named its variable, as in
    /// `-S tls=no`, does not name it twice.
    pub(crate) fn says(&self, what: &str) -> String {
        if *self == Origin::Prompt {
            return what.to_owned();
        }
        if let Origin::Option(option) = self
            && let Some((_, name)) = option.split_once(' ')
            && let Some(rest) = what.strip_prefix(name)
            && rest.starts_with([' ', '='])
        {
            return format!("{option}{rest}");
        }
        format!("{self}: {what}")
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::Prompt => f.write_str("prompt"),
            Origin::Environment(name) => write!(f, "${name}"),
            // The file as such, of which no line was read.
            Origin::File { path, line: 0 } => write!(f, "{}", sanitize::path(&path)),
            Origin::File { path, line } => write!(f, "{}:{line}", sanitize::path(&path)),
            Origin::Option(option) => f.write_str(option),
        }
    }
}

/// Lines that are kept for later, with their place.
pub(crate) type Lines = Vec<(Origin, Vec<u8>)>;

/// Something in the configuration that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The place of the problem.
    pub(crate) origin: Origin,
    /// What is wrong, in lower case.
    pub(crate) what: String,
    /// The next step, if there is one.
    pub(crate) hint: Option<String>,
    /// The consequence.
    pub(crate) weight: Weight,
    /// The variable it is about: another value for it, later, makes it good.
    pub(crate) variable: Option<String>,
}

impl Problem {
    /// Returns a problem of a line that nothing makes good.
    pub(crate) fn of_line(origin: &Origin, what: impl Into<String>, weight: Weight) -> Problem {
        Problem {
            origin: origin.clone(),
            what: what.into(),
            hint: None,
            weight,
            variable: None,
        }
    }
}

/// The consequence of a problem in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// The problem is reported, and the rest of the configuration counts.
    Line,
    /// Nothing is sent (78): mail could go the wrong way. When a mailbox is read, nothing is
    /// printed about it.
    Route,
    /// The system failed while this file was read, so that what it sets is unknown: nothing is
    /// sent and no mailbox is opened (75).
    Unread,
}
