//! What is read of a list, and how far: the words are read by the modules beside it.

use std::iter::Peekable;

use super::super::error::ListError;
use super::super::index::View;
use super::super::order::Order;
use super::tokens::Token;

/// The signs that name a message which is looked for; the last stands for the message that the
/// current one answers.
pub(super) const SIGNS: [&str; 5] = ["$", "^", "+", "-", ","];

/// What the signs name, once they were asked for.
pub(super) type Signs = [Option<Result<usize, ListError>>; SIGNS.len()];

/// A list while it is read.
pub(super) struct Parser<'p, 'i> {
    pub(super) tokens: Peekable<&'p mut dyn Iterator<Item = Token>>,
    pub(super) view: View<'i>,
    pub(super) last: &'p mut String,
    pub(super) questions: usize,
    /// The messages that signs have named already.
    pub(super) signs: Signs,
    /// The threads, once a word has asked for them.
    pub(super) threads: Option<Order>,
}
