//! The command line: which face was called, what was typed, and what the user is told.
//!
//! Parsing reads nothing and opens nothing (but asks whether the argument of `-a` is a file);
//! meaning is built afterwards, when all options are known. Nothing below this module knows
//! which face was used.

mod attach_or_header;
pub mod diagnostics;
pub mod dialect;
pub mod dialogue;
pub mod mailx;
pub mod postrider;
pub mod read;
pub mod send;
pub mod sendmail;
pub mod setup;
