//! Filters: which messages the subcommands of `postrider` list, show and change.

use std::time::SystemTime;

use super::error::ListError;
use super::expression::Expression;
use super::flags::FlagChoice;
use super::index::{Index, Sight, View};
use super::moment;
use super::needle::Needle;
use super::parse;
use super::term::Term;
use crate::config::size_in_bytes;
use crate::sys::clock;

/// Selects messages: those that a list or a search names and every filter matches.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    /// A search; empty for all messages.
    text: String,
    /// What else a message has to be.
    filters: Vec<Filter>,
}

/// What a message has to be.
#[derive(Clone, Debug)]
pub(crate) struct Filter(Term);

impl Filter {
    /// One of these fields contains a text, or matches a regular expression between slashes.
    ///
    /// # Errors
    /// The regular expression cannot be used.
    pub(crate) fn field(names: &[&str], value: &str) -> Result<Filter, String> {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        Ok(Filter(Term::Field(names, Needle::of_value(value)?)))
    }

    /// The decoded text contains a text, or matches a regular expression between slashes.
    ///
    /// # Errors
    /// The regular expression cannot be used.
    pub(crate) fn body(value: &str) -> Result<Filter, String> {
        Ok(Filter(Term::Body(Needle::of_value(value)?)))
    }

    /// It was delivered on a day or later; `date` as `since:` has it.
    ///
    /// # Errors
    /// The date cannot be read.
    pub(crate) fn since(date: &str) -> Result<Filter, String> {
        let span = moment::span(date, clock::local(clock::now()));
        let span = span.ok_or(moment::DATE)?;
        Ok(Filter(Term::Delivered(Some(span.start), None)))
    }

    /// It was delivered before a day; `date` as `before:` has it.
    ///
    /// # Errors
    /// The date cannot be read.
    pub(crate) fn before(date: &str) -> Result<Filter, String> {
        let span = moment::span(date, clock::local(clock::now()));
        let span = span.ok_or(moment::DATE)?;
        Ok(Filter(Term::Delivered(None, Some(span.start))))
    }

    /// It was delivered longer ago than this age.
    ///
    /// # Errors
    /// The age cannot be read.
    pub(crate) fn older(age: &str) -> Result<Filter, String> {
        Ok(Filter(Term::Delivered(None, Some(time_of(age)?))))
    }

    /// It was delivered less long ago than this age.
    ///
    /// # Errors
    /// The age cannot be read.
    pub(crate) fn newer(age: &str) -> Result<Filter, String> {
        Ok(Filter(Term::Delivered(Some(time_of(age)?), None)))
    }

    /// It has more bytes than this.
    ///
    /// # Errors
    /// The size cannot be read.
    pub(crate) fn larger(size: &str) -> Result<Filter, String> {
        Ok(Filter(Term::Larger(
            size_in_bytes(size).ok_or(moment::SIZE)?,
        )))
    }

    /// It has fewer bytes than this.
    ///
    /// # Errors
    /// The size cannot be read.
    pub(crate) fn smaller(size: &str) -> Result<Filter, String> {
        Ok(Filter(Term::Smaller(
            size_in_bytes(size).ok_or(moment::SIZE)?,
        )))
    }

    /// It has this flag.
    pub(crate) fn state(choice: FlagChoice) -> Filter {
        Filter(Term::States(vec![choice]))
    }
}

fn time_of(age: &str) -> Result<SystemTime, String> {
    let age = moment::age(age).ok_or(moment::AGE)?;
    Ok(moment::ago(clock::now(), age))
}

impl Selection {
    /// Returns the selection by a search, which may be several arguments; a message list is one, too.
    pub(crate) fn of(search: &[String], filters: Vec<Filter>) -> Selection {
        let words: Vec<String> = search.iter().map(|word| as_list(word)).collect();
        Selection {
            text: words.join(" "),
            filters,
        }
    }

    /// Returns the number of the only message that can be selected, counted from 1; the last one is `usize::MAX`.
    pub(crate) fn number(&self) -> Option<usize> {
        match &*self.text {
            _ if !self.filters.is_empty() => None,
            "$" => Some(usize::MAX),
            text if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
            _ => None,
        }
    }

    /// Returns whether every message is selected.
    pub(crate) fn is_everything(&self) -> bool {
        self.text.is_empty() && self.filters.is_empty()
    }

    /// Returns whether only the last message can be selected.
    pub(crate) fn is_last(&self) -> bool {
        self.text == "$" && self.filters.is_empty()
    }

    /// Returns the messages that are selected, in order; messages count from 0.
    ///
    /// # Errors
    /// The list or the search cannot be understood, or names a message that is not there.
    pub(crate) fn choose(&self, index: &dyn Index) -> Result<Vec<usize>, ListError> {
        let view = View {
            index,
            sight: Sight::Present,
        };
        let filters = self.filters.iter();
        let mut parts: Vec<Expression> = filters
            .map(|filter| Expression::Term(filter.0.clone()))
            .collect();
        if !self.text.is_empty() && index.count() > 0 {
            match parse::search(&self.text, view, &mut String::new()) {
                Ok(found) => parts.extend(found),
                // A list that names only what is not there now.
                Err(error) if error.is_nothing() => return Ok(Vec::new()),
                Err(error) => return Err(error),
            }
        }
        if parts.is_empty() {
            return Ok((0..index.count()).collect());
        }
        Expression::all(parts).select(view)
    }
}

/// Returns an argument as the reader takes it: a search needs no quotes of its own.
fn as_list(text: &str) -> String {
    let is_search = text.starts_with('/');
    if is_search && !text.contains('"') {
        format!("\"{text}\"")
    } else if is_search && !text.contains('\'') {
        format!("'{text}'")
    } else if text == "last" {
        // `show last` is understood, so the same word is here.
        "$".to_owned()
    } else {
        text.to_owned()
    }
}
