//! The command line: a folder for each face, and what the faces share.
//!
//! Parsing reads nothing and opens nothing (but asks whether the argument of `-a` is a file);
//! meaning is built afterwards, when all options are known. Nothing below this module knows
//! which face was used. [`send`] and [`read`] hand what was typed to the two flows.

pub(crate) mod mailx;
pub(crate) mod postrider;
mod read;
mod send;
pub(crate) mod sendmail;
mod settings;

use crate::exit::{Failure, Kind};

/// Returns the failure of a command line that cannot be understood; `what` is wrong, in the
/// user's spelling.
fn usage(what: impl Into<String>) -> Failure {
    Failure::new(Kind::Usage, what)
}

/// Returns what `--version` prints.
fn version() -> String {
    format!("postrider {}\n", env!("CARGO_PKG_VERSION"))
}
