//! The grammar of message lists and searches.
//!
//! A *list* is words side by side. The words of POSIX are a union: numbers, ranges, states, senders,
//! `/text`. Words of the form `name:value` are filters: each of them narrows what the others choose, so
//! that `from:cron older:30d` means both. A *search* also has `and`, `or`, `not` (`&`, `|`, `!`) and
//! parentheses; what stands side by side in it is a list. `not` and a parenthesis are filters.

use std::collections::HashSet;
use std::ops::Range;

use super::error::ListError;
use super::expression::Expression;
use super::flags::FlagChoice;
use super::index::View;
use super::moment;
use super::needle::Needle;
use super::term::{Term, local};
use super::thread;
use crate::config::words::{self, Backslash};
use crate::message::parse::{fields, words as field_words};
use crate::sys::clock;

/// How many texts are looked for at most: each of them is looked for in each message.
const MAX_TEXTS: usize = 1000;
/// How deep parentheses may be within each other.
const MAX_DEPTH: usize = 100;
/// How much of a References field is looked at.
const MAX_REFERENCES: usize = 1 << 16;

/// A word of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    And(String),
    Or(String),
    Not,
    Open,
    Close,
}

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
    let words = words::split(text, Backslash::Literal).map_err(|_| ListError::OpenQuote)?;
    let tokens = words.into_iter().map(|word| Token::Word(word.text));
    expression(tokens.collect(), view, last)
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
    expression(tokens(text)?, view, last)
}

fn expression(
    tokens: Vec<Token>,
    view: View<'_>,
    last: &mut String,
) -> Result<Option<Expression>, ListError> {
    if tokens.is_empty() {
        return Ok(None);
    }
    let mut parser = Parser {
        tokens: tokens.into_iter().peekable(),
        view,
        last,
        texts: 0,
    };
    let found = parser.any(0)?;
    match parser.tokens.next() {
        None => Ok(Some(found)),
        Some(_) => Err(ListError::OpenParenthesis),
    }
}

/// Divides a search into words and operators: signs count outside quotes only.
fn tokens(text: &str) -> Result<Vec<Token>, ListError> {
    let words = words::split(text, Backslash::Literal).map_err(|_| ListError::OpenQuote)?;
    let mut tokens = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let end = words.get(at + 1).map_or(text.len(), |next| next.start);
        let raw = text[word.start..end].trim_end();
        let mut rest = &*word.text;
        // A quote in front belongs to the word, and what it holds is text.
        let opens = raw
            .bytes()
            .take_while(|byte| matches!(byte, b'(' | b'!'))
            .count();
        for sign in rest[..opens].chars() {
            tokens.push(if sign == '(' { Token::Open } else { Token::Not });
        }
        rest = &rest[opens..];
        // Of `(subject:/(a|b)/)` only the last parenthesis is one of ours.
        let mut closes = 0;
        if raw.ends_with(')') {
            let count = |sign: u8| rest.bytes().filter(|&byte| byte == sign).count();
            let trailing = rest.len() - rest.trim_end_matches(')').len();
            closes = trailing.min(count(b')').saturating_sub(count(b'(')));
            rest = &rest[..rest.len() - closes];
        }
        let is_quoted = raw.contains(['"', '\'']);
        match rest {
            "" if !is_quoted => {}
            "&" | "&&" | "and" | "AND" if !is_quoted => tokens.push(Token::And(rest.to_owned())),
            "|" | "||" | "or" | "OR" if !is_quoted => tokens.push(Token::Or(rest.to_owned())),
            "not" | "NOT" if !is_quoted => tokens.push(Token::Not),
            _ => tokens.push(Token::Word(rest.to_owned())),
        }
        tokens.extend(std::iter::repeat_n(Token::Close, closes));
    }
    Ok(tokens)
}

struct Parser<'p, 'i> {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    view: View<'i>,
    last: &'p mut String,
    texts: usize,
}

impl Parser<'_, '_> {
    fn any(&mut self, depth: usize) -> Result<Expression, ListError> {
        let mut parts = vec![self.all(depth)?];
        while let Some(Token::Or(_)) = self.tokens.peek() {
            self.tokens.next();
            parts.push(self.all(depth)?);
        }
        Ok(Expression::any(parts))
    }

    fn all(&mut self, depth: usize) -> Result<Expression, ListError> {
        let mut parts = vec![self.side_by_side(depth)?];
        while let Some(Token::And(_)) = self.tokens.peek() {
            self.tokens.next();
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
        if depth >= MAX_DEPTH {
            return Err(ListError::TooDeep);
        }
        let part = self.any(depth + 1)?;
        match self.tokens.next() {
            Some(Token::Close) => Ok(part),
            _ => Err(ListError::OpenParenthesis),
        }
    }

    /// Counts a text to look for.
    fn text(&mut self) -> Result<(), ListError> {
        self.texts += 1;
        if self.texts > MAX_TEXTS {
            return Err(ListError::TooManyTexts(MAX_TEXTS));
        }
        Ok(())
    }

    fn needle(&mut self, word: &str, value: &str) -> Result<Needle, ListError> {
        self.text()?;
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
        let size = || moment::size(value).ok_or_else(|| wrong(moment::SIZE));
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

    /// Adds what a word of POSIX names to a union.
    fn word(&mut self, word: &str, union: &mut Union) -> Result<(), ListError> {
        // The order of these tests decides what a word is. `/` and `:` cannot begin an address, numbers
        // are never taken for senders, and only what is left is a sender.
        if let Some(text) = word.strip_prefix('/') {
            return self.in_subject(text, union);
        }
        if let Some(rest) = word.strip_prefix(':') {
            // `:/text/` is GNU mailutils' search of bodies.
            if rest.starts_with('/') {
                let needle = self.needle(word, closed(rest))?;
                union.add(Term::Body(needle));
                return Ok(());
            }
            return union.add_states(rest);
        }
        if let Some(rest) = word.strip_prefix('@') {
            return self.at_search(word, rest, union);
        }
        if let Some(rest) = word.strip_prefix('&') {
            return self.thread(rest, union);
        }
        let index = self.view.index;
        match word {
            "*" => {
                union.numbers.push(0..index.count());
                return Ok(());
            }
            "`" => {
                if index.last_list().is_empty() {
                    return Err(ListError::NoPreviousList);
                }
                let places = index.last_list().iter();
                let places = places.map(|&message| self.view.place(message as usize));
                union.numbers.extend(places.map(|place| place..place + 1));
                return Ok(());
            }
            "," => {
                let place = self.view.place(self.parent()?);
                union.numbers.push(place..place + 1);
                return Ok(());
            }
            _ => {}
        }
        if is_numeric(word) {
            // `''` names nothing, and is no error.
            union.numbers.push(0..0);
            for range in word.split(',').filter(|range| !range.is_empty()) {
                self.range(range, union)?;
            }
            return Ok(());
        }
        // A part of the sender is enough, so that `d cron` works. The sender is the one that the header
        // line shows.
        if !union.senders.insert(word.to_lowercase()) {
            return Ok(());
        }
        self.text()?;
        union.add(if index.allnet() {
            Term::LocalSender(local(word).to_owned())
        } else {
            Term::Sender(Needle::text(word))
        });
        Ok(())
    }

    /// Reads `/text`, and `/field:text` where `searchheaders` is set.
    fn in_subject(&mut self, text: &str, union: &mut Union) -> Result<(), ListError> {
        // A lone `/` repeats the last search, as in bsd-mailx and s-nail.
        if !text.is_empty() {
            text.clone_into(self.last);
        }
        if self.last.is_empty() {
            return Err(ListError::NoPreviousSearch);
        }
        self.text()?;
        let field = self.last.split_once(':');
        let (names, wanted) = match field.filter(|_| self.view.index.searches_headers()) {
            // bsd-mailx: `to` in lower case stands for all recipients.
            Some(("to", wanted)) => (recipients(), wanted),
            Some(("", wanted)) => (vec!["subject".to_owned()], wanted),
            Some((name, wanted)) => (vec![name.to_ascii_lowercase()], wanted),
            None => (vec!["subject".to_owned()], &**self.last),
        };
        union.add(Term::Field(names, Needle::text(wanted)));
        Ok(())
    }

    /// Reads `@text` and `@fields@text` (s-nail); a text with signs of a regular expression is one.
    fn at_search(&mut self, word: &str, rest: &str, union: &mut Union) -> Result<(), ListError> {
        if rest.is_empty() {
            return Err(ListError::NotUnderstood(word.to_owned()));
        }
        let (names, wanted) = rest.split_once('@').unwrap_or(("", rest));
        let (names, is_address) = match names.strip_prefix('~') {
            Some(names) => (names, true),
            None => (names, false),
        };
        let names: Vec<String> = names
            .split(',')
            .map(|name| match &*name.trim().to_ascii_lowercase() {
                "f" => "from".to_owned(),
                "t" => "to".to_owned(),
                "c" => "cc".to_owned(),
                "b" => "bcc".to_owned(),
                "s" | "" => "subject".to_owned(),
                name => name.to_owned(),
            })
            .collect();
        if wanted.is_empty() {
            union.add(Term::Exists(names));
            return Ok(());
        }
        self.text()?;
        let is_pattern =
            wanted.contains(['^', '[', ']', '*', '+', '?', '|', '$', '(', ')', '\\', '{']);
        let needle = if is_pattern {
            Needle::pattern(wanted).map_err(|why| ListError::BadPattern(word.to_owned(), why))?
        } else {
            Needle::text(wanted)
        };
        union.add(match &*names[0] {
            "header" | "<" => Term::Header(needle),
            "body" | ">" => Term::Body(needle),
            "text" | "=" => Term::Text(needle),
            _ if is_address => Term::Address(names, needle),
            _ => Term::Field(names, needle),
        });
        Ok(())
    }

    /// Reads `&x`: a message and the thread that begins there (s-nail, which knows threads only
    /// where they are shown).
    fn thread(&mut self, rest: &str, union: &mut Union) -> Result<(), ListError> {
        let message = self.end(if rest.is_empty() { "." } else { rest })?;
        let index = self.view.index;
        if let Some(order) = index.order().filter(|order| order.has_threads()) {
            let place = order.place(message);
            union.numbers.push(place..order.thread_end(place));
            return Ok(());
        }
        let order = thread::threads(index);
        let place = order.place(message);
        for answer in (place..order.thread_end(place)).map(|place| order.at(place)) {
            let place = self.view.place(answer);
            union.numbers.push(place..place + 1);
        }
        Ok(())
    }

    fn range(&mut self, range: &str, union: &mut Union) -> Result<(), ListError> {
        // The search for the dash begins behind the first character, because a `-` in front is the
        // previous message and not a range.
        let inner = range
            .char_indices()
            .skip(1)
            .find(|&(_, c)| c == '-')
            .map(|(at, _)| at);
        let Some(dash) = inner else {
            let message = self.end(range)?;
            // A deleted message that is named alone is an error. Within a range it is passed over.
            if self.view.is_hidden(message) {
                return Err(ListError::Hidden(message + 1));
            }
            let place = self.view.place(message);
            union.numbers.push(place..place + 1);
            return Ok(());
        };
        let first = self.view.place(self.end(&range[..dash])?);
        // GNU mailutils: `4-*` goes to the end.
        let last = self.view.place(self.end(&range[dash + 1..])?);
        // `5-2` is taken as `2-5`.
        let (first, last) = (first.min(last), first.max(last));
        union.numbers.push(first..last + 1);
        Ok(())
    }

    /// Returns the message that one end of a range names.
    fn end(&self, text: &str) -> Result<usize, ListError> {
        let view = self.view;
        let count = view.index.count();
        let current = || view.place(view.index.current().min(count - 1));
        let is_visible = |&place: &usize| !view.is_hidden_at(place);
        let beyond = || ListError::NoSuchMessage(text.to_owned());
        let place = match text {
            "." => Ok(current()),
            // The last message that the command can apply to: `d $` in a row goes on.
            "$" => (0..count).rev().find(is_visible).ok_or(ListError::NoMatch),
            "*" => Ok(count - 1),
            "^" => (0..count).find(is_visible).ok_or(ListError::NoMatch),
            "+" => (current() + 1..count)
                .find(is_visible)
                .ok_or(ListError::AfterLast),
            "-" => (0..current())
                .rev()
                .find(is_visible)
                .ok_or(ListError::BeforeFirst),
            ";" => {
                let previous = view.index.previous().filter(|&message| message < count);
                return previous.ok_or(ListError::NoPreviousMessage);
            }
            _ => {
                return match text.parse::<usize>() {
                    Ok(number) if (1..=count).contains(&number) => Ok(number - 1),
                    Ok(_) => Err(beyond()),
                    Err(_) if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => {
                        Err(beyond())
                    }
                    Err(_) if part_of(text).is_some() => Err(ListError::NamesPart(text.to_owned())),
                    Err(_) => Err(ListError::NotUnderstood(text.to_owned())),
                };
            }
        };
        place.map(|place| view.at(place))
    }

    /// Returns the message that the current one answers.
    fn parent(&self) -> Result<usize, ListError> {
        let index = self.view.index;
        let id_of = |block: &[u8], name: &str| -> Option<Vec<u8>> {
            let body = fields::find(fields::split_from_line(block).1, name)?;
            let body = field_words::cut(body, MAX_REFERENCES);
            let start = memchr::memrchr(b'<', body)?;
            let end = memchr::memchr(b'>', &body[start..])?;
            Some(body[start..=start + end].to_vec())
        };
        let block = index.block(index.current().min(index.count() - 1));
        let wanted = id_of(&block, "in-reply-to").or_else(|| id_of(&block, "references"));
        let wanted = wanted.ok_or(ListError::NoParent)?;
        let is_parent = |&message: &usize| {
            id_of(&index.block(message), "message-id").is_some_and(|id| id == wanted)
        };
        (0..index.count())
            .find(is_parent)
            .ok_or(ListError::NoParent)
    }
}

/// Words of which a message has to match one.
#[derive(Default)]
struct Union {
    numbers: Vec<Range<usize>>,
    states: Vec<FlagChoice>,
    senders: HashSet<String>,
    terms: Vec<Expression>,
}

impl Union {
    fn add(&mut self, term: Term) {
        self.terms.push(Expression::Term(term));
    }

    fn add_states(&mut self, letters: &str) -> Result<(), ListError> {
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
    fn expression(mut self) -> Option<Expression> {
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

fn recipients() -> Vec<String> {
    ["to", "cc", "bcc"].map(str::to_owned).to_vec()
}

/// Returns a `/text/` or `/text` as a value: GNU mailutils closes it, people forget to.
fn closed(text: &str) -> &str {
    match text.strip_prefix('/') {
        Some(inner) if !inner.ends_with('/') => inner,
        _ => text,
    }
}

/// Returns whether a word is made of numbers and their signs, so that it cannot be an address.
fn is_numeric(word: &str) -> bool {
    let is_sign = |c: char| ".^$+-,;".contains(c);
    word.chars().all(|c| c.is_ascii_digit() || is_sign(c))
        || word
            .strip_suffix("-*")
            .is_some_and(|first| !first.is_empty() && is_numeric(first))
}

/// Divides `4.1.2` into the number of a message and that of a part; `None` if it is no such word.
///
/// The number of the message counts from 1, as it is typed; the part is numbered as IMAP does.
fn part_of(word: &str) -> Option<(usize, &str)> {
    let (message, part) = word.split_once('.')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let is_part = part.split('.').all(is_number);
    (is_number(message) && is_part).then(|| Some((message.parse().ok()?, part)))?
}
