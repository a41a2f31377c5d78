//! The words of POSIX side by side: a message has to match one of them.

use std::collections::HashSet;
use std::ops::Range;

use super::super::error::ListError;
use super::super::expression::Expression;
use super::super::flags::FlagChoice;
use super::super::term::Term;

/// Words of which a message has to match one.
#[derive(Default)]
pub(super) struct Union {
    numbers: Vec<Range<usize>>,
    /// How many numbers there may be before they are joined.
    most_numbers: usize,
    states: Vec<FlagChoice>,
    senders: HashSet<String>,
    terms: Vec<Expression>,
}

/// How many numbers are kept at least as they are typed.
const FEW_NUMBERS: usize = 1000;

impl Union {
    pub(super) fn add(&mut self, term: Term) {
        self.terms.push(Expression::Term(term));
    }

    /// Adds messages by their places.
    pub(super) fn add_numbers(&mut self, places: Range<usize>) {
        // A long list names the same messages again and again.
        if self.numbers.len() >= self.most_numbers {
            self.numbers = joined(std::mem::take(&mut self.numbers));
            self.most_numbers = FEW_NUMBERS.max(2 * self.numbers.len());
        }
        self.numbers.push(places);
    }

    /// Adds a sender; returns whether it is a new one.
    pub(super) fn add_sender(&mut self, sender: String) -> bool {
        self.senders.insert(sender)
    }

    pub(super) fn add_states(&mut self, letters: &str) -> Result<(), ListError> {
        if letters.is_empty() {
            return Err(ListError::UnknownFlag(None));
        }
        for letter in letters.chars() {
            let choice =
                FlagChoice::from_letter(letter).ok_or(ListError::UnknownFlag(Some(letter)))?;
            if !self.states.contains(&choice) {
                self.states.push(choice);
            }
        }
        Ok(())
    }

    /// Returns the union; `None` without any words.
    pub(super) fn expression(mut self) -> Option<Expression> {
        let mut parts = Vec::new();
        if !self.numbers.is_empty() {
            parts.push(Expression::Term(Term::Numbers(joined(self.numbers))));
        }
        if !self.states.is_empty() {
            parts.push(Expression::Term(Term::States(self.states)));
        }
        parts.append(&mut self.terms);
        (!parts.is_empty()).then(|| Expression::any(parts))
    }
}

/// Returns ranges sorted, and joined where they touch.
fn joined(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}
