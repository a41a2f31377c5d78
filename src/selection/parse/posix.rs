//! The words of POSIX and their kin: numbers, ranges, states, senders, `/text`, `@text`, `&thread`.

use super::super::error::ListError;
use super::super::needle::Needle;
use super::super::term::{Term, local};
use super::super::thread;
use super::parser::{Parser, SIGNS};
use super::union::Union;
use crate::message::parse::{fields, words as field_words};

/// How much of a References field is looked at.
const MAX_REFERENCES: usize = 1 << 16;

/// The last of the signs: the message that the current one answers.
const PARENT: usize = 4;

impl Parser<'_, '_> {
    /// Adds what a word of POSIX names to a union.
    pub(super) fn word(&mut self, word: &str, union: &mut Union) -> Result<(), ListError> {
        // The order of these tests decides what a word is. `/` and `:` cannot begin an address, numbers
        // are never taken for senders, and only what is left is a sender.
        if let Some(text) = word.strip_prefix('/') {
            return self.in_subject(text, union);
        }
        if let Some(rest) = word.strip_prefix(':') {
            // `:/text/` is GNU mailutils' search of bodies.
            if rest.starts_with('/') {
                self.question()?;
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
                union.add_numbers(0..index.count());
                return Ok(());
            }
            "`" => {
                if index.last_list().is_empty() {
                    return Err(ListError::NoPreviousList);
                }
                for &message in index.last_list() {
                    let place = self.view.place(message as usize);
                    union.add_numbers(place..place + 1);
                }
                return Ok(());
            }
            "," => {
                let parent = self.parent()?;
                let place = self.view.place(parent);
                union.add_numbers(place..place + 1);
                return Ok(());
            }
            _ => {}
        }
        if is_numeric(word) {
            // `''` names nothing, and is no error.
            union.add_numbers(0..0);
            for range in word.split(',').filter(|range| !range.is_empty()) {
                self.range(range, union)?;
            }
            return Ok(());
        }
        // A part of the sender is enough, so that `d cron` works. The sender is the one that the header
        // line shows.
        if !union.add_sender(word.to_lowercase()) {
            return Ok(());
        }
        self.question()?;
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
        self.question()?;
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
        self.question()?;
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
            union.add_numbers(place..order.thread_end(place));
            return Ok(());
        }
        // All messages are read for it: once, however many words ask.
        let order = match &mut self.threads {
            Some(order) => order,
            none => none.insert(thread::threads(index)?),
        };
        let place = order.place(message);
        for answer in (place..order.thread_end(place)).map(|place| order.at(place)) {
            let place = self.view.place(answer);
            union.add_numbers(place..place + 1);
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
            union.add_numbers(place..place + 1);
            return Ok(());
        };
        let first = self.end(&range[..dash])?;
        // GNU mailutils: `4-*` goes to the end.
        let last = self.end(&range[dash + 1..])?;
        let (first, last) = (self.view.place(first), self.view.place(last));
        // `5-2` is taken as `2-5`.
        let (first, last) = (first.min(last), first.max(last));
        union.add_numbers(first..last + 1);
        Ok(())
    }

    /// Returns the message that one end of a range names.
    fn end(&mut self, text: &str) -> Result<usize, ListError> {
        // What a sign names is looked for once: a list may have a million of them.
        let sign = SIGNS.iter().position(|sign| *sign == text);
        if let Some(known) = sign.and_then(|sign| self.signs[sign].clone()) {
            return known;
        }
        let found = self.named(text);
        if let Some(sign) = sign {
            self.signs[sign] = Some(found.clone());
        }
        found
    }

    fn named(&self, text: &str) -> Result<usize, ListError> {
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
    fn parent(&mut self) -> Result<usize, ListError> {
        if let Some(known) = &self.signs[PARENT] {
            return known.clone();
        }
        let found = self.answered();
        self.signs[PARENT] = Some(found.clone());
        found
    }

    fn answered(&self) -> Result<usize, ListError> {
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

pub(super) fn recipients() -> Vec<String> {
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
