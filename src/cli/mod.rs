//! The command line: which face was called, and what was typed.
//!
//! Parsing reads nothing and opens nothing (but asks whether the argument of `-a` is a file);
//! meaning is built afterwards, when all options are known. Nothing below this module knows
//! which face was used.

pub mod mailx;
pub mod postrider;
pub mod sendmail;
pub mod settings;
