//! The grammar of message lists and searches.
//!
//! A *list* is words side by side. The words of POSIX are a union: numbers, ranges, states, senders,
//! `/text`. Words of the form `name:value` are filters: each of them narrows what the others choose, so
//! that `from:cron older:30d` means both. A *search* also has `and`, `or`, `not` (`&`, `|`, `!`) and
//! parentheses; what stands side by side in it is a list. `not` and a parenthesis are filters.

mod parser;
mod posix;
mod tokens;
mod union;

use self::parser::{Parser, Signs};
use self::posix::recipients;
use self::tokens::Token;
use self::union::Union;
use super::error::ListError;
use super::expression::Expression;
use super::flags::FlagChoice;
use super::index::View;
use super::moment;
use super::needle::Needle;
use super::term::Term;
use crate::config::size_in_bytes;
use crate::sys::clock;

/// How many texts, filters and operators there are at most: each is a question to each message.
const MAX_QUESTIONS: usize = 1000;
/// How deep parentheses may be within each other.
const MAX_DEPTH: usize = 100;

/// Reads a message list; `None` if it has no words.
///
/// `last` is the last `/text`, which an empty `/` stands for.
///
/// # Errors
/// The list cannot be understood, or names a message that is not there.
pub(super) fn list(
    text: &str,
    view: View<'_>,
    last: &mut String,
) -> Result<Option<Expression>, ListError> {
    expression(&mut tokens::of_list(text)?, view, last)
}

/// Reads a search; `None` if it has no words.
///
/// # Errors
/// As [`list`].
pub(super) fn search(
    text: &str,
    view: View<'_>,
    last: &mut String,
) -> Result<Option<Expression>, ListError> {
    expression(&mut tokens::of_search(text)?, view, last)
}

fn expression<'p>(
    tokens: &'p mut dyn Iterator<Item = Token>,
    view: View<'_>,
    last: &'p mut String,
) -> Result<Option<Expression>, ListError> {
    let mut parser = Parser {
        tokens: tokens.peekable(),
        view,
        last,
        questions: 0,
        signs: Signs::default(),
        threads: None,
    };
    if parser.tokens.peek().is_none() {
        return Ok(None);
    }
    let found = parser.any(0)?;
    match parser.tokens.next() {
        None => Ok(Some(found)),
        Some(_) => Err(ListError::OpenParenthesis),
    }
}

impl Parser<'_, '_> {
    fn any(&mut self, depth: usize) -> Result<Expression, ListError> {
        let mut parts = vec![self.all(depth)?];
        while let Some(Token::Or(_)) = self.tokens.peek() {
            self.tokens.next();
            self.question()?;
            parts.push(self.all(depth)?);
        }
        Ok(Expression::any(parts))
    }

    fn all(&mut self, depth: usize) -> Result<Expression, ListError> {
        let mut parts = vec![self.side_by_side(depth)?];
        while let Some(Token::And(_)) = self.tokens.peek() {
            self.tokens.next();
            self.question()?;
            parts.push(self.side_by_side(depth)?);
        }
        Ok(Expression::all(parts))
    }

    /// Reads what stands side by side: a union of words, and filters that narrow it.
    fn side_by_side(&mut self, depth: usize) -> Result<Expression, ListError> {
        let mut union = Union::default();
        let mut filters = Vec::new();
        loop {
            match self.tokens.peek() {
                Some(Token::Word(_)) => {
                    if let Some(Token::Word(word)) = self.tokens.next() {
                        match self.filter(&word)? {
                            Some(filter) => filters.push(Expression::Term(filter)),
                            None => self.word(&word, &mut union)?,
                        }
                    }
                }
                Some(Token::Not) => {
                    let part = self.negated(depth)?;
                    filters.push(part);
                }
                Some(Token::Open) => filters.push(self.group(depth)?),
                _ => break,
            }
        }
        filters.extend(union.expression());
        if filters.is_empty() {
            return Err(match self.tokens.peek() {
                Some(Token::And(sign) | Token::Or(sign)) => ListError::Dangling(sign.clone()),
                Some(_) => ListError::OpenParenthesis,
                None => ListError::Dangling("and, or, not".to_owned()),
            });
        }
        Ok(Expression::all(filters))
    }

    /// Reads what stands behind any number of `not`.
    fn negated(&mut self, depth: usize) -> Result<Expression, ListError> {
        let mut is_negated = false;
        while let Some(Token::Not) = self.tokens.peek() {
            self.tokens.next();
            is_negated = !is_negated;
        }
        let part = match self.tokens.next() {
            Some(Token::Word(word)) => match self.filter(&word)? {
                Some(filter) => Expression::Term(filter),
                None => {
                    let mut union = Union::default();
                    self.word(&word, &mut union)?;
                    union.expression().ok_or(ListError::NoMatch)?
                }
            },
            Some(Token::Open) => self.opened(depth)?,
            _ => return Err(ListError::Dangling("not".to_owned())),
        };
        Ok(if is_negated {
            Expression::Not(Box::new(part))
        } else {
            part
        })
    }

    fn group(&mut self, depth: usize) -> Result<Expression, ListError> {
        self.tokens.next();
        self.opened(depth)
    }

    fn opened(&mut self, depth: usize) -> Result<Expression, ListError> {
        self.question()?;
        if depth >= MAX_DEPTH {
            return Err(ListError::TooDeep);
        }
        let part = self.any(depth + 1)?;
        match self.tokens.next() {
            Some(Token::Close) => Ok(part),
            _ => Err(ListError::OpenParenthesis),
        }
    }

    /// Counts a question to the messages.
    fn question(&mut self) -> Result<(), ListError> {
        self.questions += 1;
        if self.questions > MAX_QUESTIONS {
            return Err(ListError::TooManyQuestions(MAX_QUESTIONS));
        }
        Ok(())
    }

    fn needle(&self, word: &str, value: &str) -> Result<Needle, ListError> {
        Needle::of_value(value).map_err(|why| ListError::BadPattern(word.to_owned(), why))
    }

    /// Reads a `name:value` word; `None` if it is none.
    fn filter(&mut self, word: &str) -> Result<Option<Term>, ListError> {
        let Some((name, value)) = word.split_once(':') else {
            return Ok(None);
        };
        let name = name.to_ascii_lowercase();
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !is_name {
            return Ok(None);
        }
        self.question()?;
        let wrong = |wanted| ListError::BadValue(word.to_owned(), wanted);
        if value.trim().is_empty() {
            // A script's unset variable: an empty text would be in every message.
            return Err(wrong("name what to look for after the colon"));
        }
        let now = clock::local(clock::now());
        let span = || moment::span(value, now).ok_or_else(|| wrong(moment::DATE));
        let age = || {
            let age = moment::age(value).ok_or_else(|| wrong(moment::AGE))?;
            Ok::<_, ListError>(moment::ago(now.into(), age))
        };
        let size = || size_in_bytes(value).ok_or_else(|| wrong(moment::SIZE));
        Ok(Some(match &*name {
            "since" | "after" => Term::Delivered(Some(span()?.start), None),
            "before" => Term::Delivered(None, Some(span()?.start)),
            "on" => {
                let span = moment::day_of_month(value, now).map_or_else(span, Ok)?;
                Term::Delivered(Some(span.start), Some(span.end))
            }
            "older" => Term::Delivered(None, Some(age()?)),
            "newer" => Term::Delivered(Some(age()?), None),
            "larger" => Term::Larger(size()?),
            "smaller" => Term::Smaller(size()?),
            "is" => Term::States(vec![
                FlagChoice::from_name(value).ok_or_else(|| wrong(FlagChoice::NAMES))?,
            ]),
            "body" => Term::Body(self.needle(word, value)?),
            "text" => Term::Text(self.needle(word, value)?),
            "header" => Term::Header(self.needle(word, value)?),
            "to" => Term::Field(recipients(), self.needle(word, value)?),
            _ => Term::Field(vec![name], self.needle(word, value)?),
        }))
    }
}
