//! Configuration: the settings, and where each of them was set.
//!
//! One syntax, mailrc, read from the system's files, the user's file and the `-S` options into one
//! [`Settings`]. It is read once and handed down; nothing below looks at a file or the environment
//! again. Values are checked here, for every door it may come through; what it means is the
//! business of who uses it.

pub(crate) mod aliases;
pub(crate) mod bang;
pub(crate) mod colours;
pub(crate) mod commands;
pub(crate) mod elsewhere;
pub(crate) mod env;
mod field_lists;
pub(crate) mod file_name;
pub(crate) mod headline;
mod listing;
mod mailing_lists;
pub(crate) mod mailrc;
mod names;
mod nearest;
mod pattern;
mod problem;
mod secret_owner;
mod settings;
pub(crate) mod text;
mod tools;
mod value;
pub(crate) mod variables;
pub(crate) mod words;

pub(crate) use env::Environment;
pub(crate) use field_lists::{FORWARDED, FieldLists, FieldUse, RETAINED};
pub(crate) use listing::listed;
pub(crate) use names::KnownNames;
pub(crate) use nearest::{nearest, unknown_variable};
pub(crate) use problem::Origin;
pub(crate) use problem::{Problem, Weight};
pub(crate) use settings::Settings;
pub(crate) use tools::tools;
pub(crate) use value::size as size_in_bytes;
