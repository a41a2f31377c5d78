//! The state of a block in braces while it is read.

use crate::config::problem::Lines;

/// The block of a macro, which is skipped.
#[derive(Debug)]
pub(super) struct Macro {
    /// Its name; empty for a block that belongs to nothing.
    pub(super) name: String,
    /// One of its lines may change where mail goes.
    pub(super) moves_mail: bool,
    /// The macros that it calls.
    pub(super) calls: Vec<String>,
}

/// The block that is being read.
#[derive(Debug)]
pub(super) enum Block {
    Account(String, Lines),
    Macro(Macro),
}

/// A command whose block may follow, with the brace on the next line.
#[derive(Debug)]
pub(super) enum Opener {
    /// `account NAME`, where there is no such account yet.
    Account(String),
    /// `define NAME`.
    Macro(String),
}
