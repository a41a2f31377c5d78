//! Questions put together: one of them, all of them, none of them.

use super::error::ListError;
use super::index::View;
use super::term::{Seen, Term};
use crate::sys::progress::{self, Unit};

/// A question that a message answers with yes or no.
#[derive(Clone, Debug)]
pub(crate) enum Expression {
    /// One thing that is asked.
    Term(Term),
    /// One of these.
    Any(Vec<Expression>),
    /// All of these.
    All(Vec<Expression>),
    /// Not this.
    Not(Box<Expression>),
}

impl Expression {
    /// Returns all of these together, the cheap questions first.
    pub(super) fn all(mut parts: Vec<Expression>) -> Expression {
        if parts.len() == 1 {
            return parts.remove(0);
        }
        // A message that a flag rules out is not read for a text.
        parts.sort_by_key(Expression::cost);
        Expression::All(parts)
    }

    /// Returns any of these.
    pub(super) fn any(mut parts: Vec<Expression>) -> Expression {
        if parts.len() == 1 {
            return parts.remove(0);
        }
        parts.sort_by_key(Expression::cost);
        Expression::Any(parts)
    }

    fn cost(&self) -> u8 {
        match self {
            Expression::Term(term) => term.cost(),
            Expression::Any(parts) | Expression::All(parts) => {
                parts.iter().map(Expression::cost).max().unwrap_or(0)
            }
            Expression::Not(part) => part.cost(),
        }
    }

    fn asks_for_deleted(&self) -> bool {
        match self {
            Expression::Term(term) => term.asks_for_deleted(),
            Expression::Any(parts) | Expression::All(parts) => {
                parts.iter().any(Expression::asks_for_deleted)
            }
            Expression::Not(_) => false,
        }
    }

    /// Returns the messages that answer with yes, in the order in which they are shown.
    ///
    /// # Errors
    /// [`ListError::Interrupted`]: a part of the messages must not pass for all of them.
    pub(super) fn select(&self, view: View<'_>) -> Result<Vec<usize>, ListError> {
        let mut found = Vec::new();
        let count = view.index.count();
        let progress = progress::begin("searching", Unit::Messages, count as u64);
        for place in 0..count {
            progress.advance(1);
            let seen = Seen::at(view, place);
            if self.matches(&seen, !view.is_hidden(seen.message)) {
                found.push(seen.message);
            }
            // Flags are looked at in no time.
            if self.cost() > 0 && view.index.is_interrupted() {
                return Err(ListError::Interrupted);
            }
        }
        Ok(found)
    }

    /// `is_visible`: the message is not hidden, or `:d` stands beside the question.
    fn matches(&self, seen: &Seen<'_>, is_visible: bool) -> bool {
        match self {
            Expression::Term(term) => (is_visible || term.asks_for_deleted()) && term.matches(seen),
            Expression::Any(parts) => parts.iter().any(|part| part.matches(seen, is_visible)),
            Expression::All(parts) => {
                // `:d & cron` looks for the sender among deleted messages, too.
                let is_visible = is_visible || self.asks_for_deleted();
                parts.iter().all(|part| part.matches(seen, is_visible))
            }
            Expression::Not(part) => is_visible && !part.matches(seen, true),
        }
    }
}
