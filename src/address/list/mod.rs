//! Lists of recipients as people, scripts and header fields write them.
//!
//! One pass over the bytes without recursion, so that neither 60,000 addresses
//! nor 50,000 nested comments cost more than their length. The syntax is RFC
//! 5322 section 3.4 with its obsolete forms, plus what command lines bring:
//! semicolons between addresses, and blanks where nothing is quoted.

use std::collections::VecDeque;

use super::person::{BareNames, MAX_PARTS, MAX_WORDS, Part, UNDECIDED};
use super::{AddressError, EnvelopeAddress, MAX_RECIPIENTS, NOT_EXPANDED, NamedAddress};

/// Why the rest of a list was not parsed.
const TOO_MANY: &str = "the list has more addresses than one message may have";

/// Where one copy goes, as typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// An address or a local name.
    Address(NamedAddress),
    /// A file to append to; only where `expandaddr` is set.
    File(String),
    /// A command line to pipe to, without its `|`; only where `expandaddr` is set.
    Command(String),
}

/// Parses one operand or field body; each entry is an address or the error that names it.
///
/// Entries are separated by commas and semicolons; a group (`team: a@x, b@x;`)
/// gives its members. An entry of several words without quotes and angle
/// brackets is several addresses. Field bodies must be unfolded first: a
/// control outside a display name is an error. An empty text is one error, an
/// empty group (`undisclosed-recipients:;`) an empty list. What stands behind
/// [`MAX_RECIPIENTS`] entries is one error, see [`is_rest`].
pub fn parse_list(text: &str) -> Vec<Result<NamedAddress, AddressError>> {
    addresses(parse_recipients(text, false, None))
}

/// Parses like [`parse_list`] what a person wrote: a name may hold a comma without quotes, as in
/// `Doe, John <j@x>`, where none of the words before the comma is a name that is known.
pub fn parse_people(text: &str, names: BareNames<'_>) -> Vec<Result<NamedAddress, AddressError>> {
    addresses(parse_recipients(text, false, Some(names)))
}

fn addresses(
    recipients: Vec<Result<Recipient, AddressError>>,
) -> Vec<Result<NamedAddress, AddressError>> {
    let address = |entry: Result<Recipient, AddressError>| match entry? {
        Recipient::Address(address) => Ok(address),
        Recipient::File(text) | Recipient::Command(text) => Err(AddressError {
            text,
            reason: NOT_EXPANDED,
        }),
    };
    recipients.into_iter().map(address).collect()
}

/// Parses like [`parse_list`], or like [`parse_people`] with `names`; with `expandaddr`, entries with `/` or `|` in front are files and commands.
///
/// A command or file extends to the next comma; a comma inside needs quotes
/// around the whole entry (`"|tee a,b"`).
pub fn parse_recipients(
    text: &str,
    expandaddr: bool,
    names: Option<BareNames<'_>>,
) -> Vec<Result<Recipient, AddressError>> {
    let mut parser = Parser {
        text,
        at: 0,
        quotes_close: true,
        comments_close: true,
        saw_group: false,
        group: None,
        found_before: 0,
        entry: Entry::default(),
        expandaddr,
        names,
        held: VecDeque::new(),
        found: Vec::new(),
    };
    parser.run();
    if parser.found.is_empty() && !parser.saw_group {
        parser.fail(text, "it is empty");
    }
    parser.found
}

/// Returns whether an entry is the rest of a list that has more than [`MAX_RECIPIENTS`] entries.
pub fn is_rest(error: &AddressError) -> bool {
    error.reason == TOO_MANY
}

/// A run of characters without blanks between them.
#[derive(Default)]
struct Word {
    /// The text as written, quotes included: what an address is made of.
    raw: String,
    /// The text without quotes and backslashes: what a name is made of.
    plain: String,
    quoted: bool,
    /// A comment after it, `a@b (Ada)`.
    comment: Option<String>,
}

/// One entry: the text between two separators.
#[derive(Default)]
struct Entry {
    start: usize,
    words: Vec<Word>,
    /// Whether the next character continues the last word.
    joined: bool,
    angle: Option<String>,
    comment: Option<String>,
    fault: Option<&'static str>,
}

/// A part before a comma that may begin a name.
struct Held {
    start: usize,
    end: usize,
    words: Vec<Word>,
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    // Once a search for a closing character has run to the end in vain it is
    // not repeated: that keeps hostile lists linear.
    quotes_close: bool,
    comments_close: bool,
    /// Where the open group starts.
    group: Option<usize>,
    /// How many entries were found before the open group.
    found_before: usize,
    saw_group: bool,
    entry: Entry,
    expandaddr: bool,
    /// Knowledge about bare names, if a person wrote the list.
    names: Option<BareNames<'a>>,
    /// The parts before the last commas that may begin a name.
    held: VecDeque<Held>,
    found: Vec<Result<Recipient, AddressError>>,
}

impl<'a> Parser<'a> {
    fn run(&mut self) {
        while let Some(c) = self.text[self.at..].chars().next() {
            let here = self.at;
            // The words of an unfinished entry count too: without brackets each of them is an
            // address, and a list of 60,000 may have blanks and no comma.
            if self.found.len() + self.entry.words.len() > MAX_RECIPIENTS {
                let start = if self.at_entry_start() {
                    here
                } else {
                    self.entry.start
                };
                self.release_all();
                return self.fail(&self.text[start..], TOO_MANY);
            }
            self.at += c.len_utf8();
            match c {
                ' ' | '\t' => self.entry.joined = false,
                ',' => self.finish_entry(here, true),
                // RFC 5322 ends a group by a semicolon, and people paste lists from Outlook,
                // which separates addresses by it: it does both.
                ';' => {
                    self.finish_entry(here, false);
                    self.group = None;
                }
                ':' if self.opens_group() => {
                    self.release_all();
                    self.group = Some(self.entry.start);
                    self.found_before = self.found.len();
                    self.saw_group = true;
                    self.next_entry();
                }
                '"' => self.quoted_string(here),
                '(' => self.comment(here),
                '<' => self.angle(),
                '|' | '/' if self.at_entry_start() => self.file_or_command(here),
                _ => self.push(c, c, here),
            }
        }
        self.finish_entry(self.text.len(), false);
        if let Some(start) = self.group {
            // Where the group should have ended is unknown, so none of its members gets the mail.
            self.found.truncate(self.found_before);
            self.fail(
                self.text[start..].trim(),
                "the group is not closed with ';'",
            );
        }
    }

    fn at_entry_start(&self) -> bool {
        self.entry.words.is_empty() && self.entry.angle.is_none()
    }

    /// A group begins with a name without `@`. So `a@[IPv6:…]` does not begin one, and groups are
    /// not nested.
    fn opens_group(&self) -> bool {
        self.group.is_none()
            && self.entry.angle.is_none()
            && self.entry.fault.is_none()
            && !self.entry.words.is_empty()
            && self.entry.words.iter().all(|word| !word.raw.contains('@'))
    }

    fn word(&mut self, here: usize) -> &mut Word {
        let entry = &mut self.entry;
        if entry.words.is_empty() && entry.angle.is_none() {
            entry.start = here;
        }
        if !entry.joined || entry.words.is_empty() {
            entry.words.push(Word::default());
            entry.joined = true;
        }
        if entry.angle.is_some() {
            entry.fault = Some("there is text after '>'");
        }
        entry.words.last_mut().expect("one was pushed above")
    }

    fn push(&mut self, raw: char, plain: char, here: usize) {
        let word = self.word(here);
        word.raw.push(raw);
        word.plain.push(plain);
    }

    /// Reads a quoted string; without an end the quote is a fault of its entry alone.
    fn quoted_string(&mut self, here: usize) {
        let Some(len) = self
            .quotes_close
            .then(|| closing_quote(&self.text[self.at..]))
            .flatten()
        else {
            self.quotes_close = false;
            self.push('"', '"', here);
            self.entry.fault = Some("a quote is not closed");
            return;
        };
        let inner = &self.text[self.at..self.at + len];
        self.at += len + 1;
        let raw = &self.text[here..self.at];
        let word = self.word(here);
        word.quoted = true;
        word.raw.push_str(raw);
        let mut escaped = false;
        for c in inner.chars() {
            if c == '\\' && !escaped {
                escaped = true;
            } else {
                word.plain.push(c);
                escaped = false;
            }
        }
    }

    /// Skips a comment and the comments in it, and remembers its text as a possible name.
    fn comment(&mut self, here: usize) {
        let Some(len) = self
            .comments_close
            .then(|| closing_parenthesis(&self.text[self.at..]))
            .flatten()
        else {
            self.comments_close = false;
            self.push('(', '(', here);
            self.entry.fault = Some("a comment is not closed");
            return;
        };
        let inner = &self.text[self.at..self.at + len];
        self.at += len + 1;
        self.entry.joined = false;
        let name = Some(inner.replace('\\', ""));
        match self.entry.words.last_mut() {
            // The old way to write a name puts it into a comment behind the address, `ada@x
            // (Ada)`; of several addresses in an entry each has a comment of its own.
            Some(word) if self.entry.angle.is_none() => word.comment = name,
            _ => self.entry.comment = name,
        }
    }

    fn angle(&mut self) {
        if self.at_entry_start() {
            self.entry.start = self.at - 1;
        }
        let rest = &self.text[self.at..];
        let Some(len) = self.closing_bracket(rest) else {
            self.entry.fault = Some("'<' is not closed");
            return;
        };
        self.at += len + 1;
        self.entry.joined = false;
        if self
            .entry
            .angle
            .replace(rest[..len].trim().to_owned())
            .is_some()
        {
            self.entry.fault = Some("a comma is missing between two addresses");
        }
    }

    /// Returns where the `>` is; `None` if a comma or another `<` comes first.
    fn closing_bracket(&mut self, rest: &str) -> Option<usize> {
        let mut from = 0;
        if self.quotes_close && rest.starts_with('"') {
            match closing_quote(&rest[1..]) {
                Some(len) => from = len + 2,
                None => self.quotes_close = false,
            }
        }
        // Where a `>` was forgotten, `Ada <ada@x, bob@y`, the comma ends the search, or the next
        // address would become part of this one. A route, `<@a,@b:ada@x>` (RFC 5322 section 4.4),
        // is refused by that as well; RFC 5321 appendix F.2 deprecates routes.
        let len = from + rest[from..].find(['<', '>', ','])?;
        (rest.as_bytes()[len] == b'>').then_some(len)
    }

    /// Takes everything up to the next comma as one file or command.
    fn file_or_command(&mut self, here: usize) {
        let rest = &self.text[here..];
        // Only a comma ends a command: semicolons, quotes and brackets are for the shell.
        let len = rest.find(',').unwrap_or(rest.len());
        self.at = here + len;
        self.entry.joined = false;
        self.release_all();
        self.expand(rest[..len].trim());
    }

    fn expand(&mut self, text: &str) {
        if !self.expandaddr {
            return self.fail(text, NOT_EXPANDED);
        }
        if text.chars().any(char::is_control) {
            return self.fail(text, "it contains a control character");
        }
        self.found.push(Ok(match text.strip_prefix('|') {
            Some(command) => Recipient::Command(command.trim().to_owned()),
            None => Recipient::File(text.to_owned()),
        }));
    }

    fn next_entry(&mut self) {
        self.entry = Entry {
            start: self.at,
            ..Entry::default()
        };
    }

    /// Takes the entry that ends here: at a comma, or at something else.
    fn finish_entry(&mut self, end: usize, at_comma: bool) {
        let entry = std::mem::take(&mut self.entry);
        self.next_entry();
        let source = self.text[entry.start.min(end)..end].trim();
        if let Some(reason) = entry.fault {
            self.release_all();
            return self.fail(source, reason);
        }
        let Some(address) = entry.angle else {
            let entry = if at_comma {
                self.hold(entry, end)
            } else {
                Some(entry)
            };
            if let Some(entry) = entry {
                self.release_all();
                self.words(source, entry.words);
            }
            return;
        };
        let words: Vec<&str> = entry.words.iter().map(|word| &*word.plain).collect();
        if words.is_empty() {
            self.release_all();
            return self.address(source, address, entry.comment);
        }
        match self.whole_name(&words.join(" ")) {
            Some(name) => self.address(source, address, Some(name)),
            None => self.undecided(entry.start, end),
        }
    }

    /// Holds back words that a comma follows, if they may begin a name; returns others.
    fn hold(&mut self, entry: Entry, end: usize) -> Option<Entry> {
        let may_begin = |word: &Word| word.comment.is_none() && !word.raw.contains('@');
        let is_name = (1..=MAX_WORDS).contains(&entry.words.len());
        if self.names.is_none() || !is_name || !entry.words.iter().all(may_begin) {
            return Some(entry);
        }
        self.held.push_back(Held {
            start: entry.start,
            end,
            words: entry.words,
        });
        // One more than a name may have tells that there are too many.
        if self.held.len() > MAX_PARTS + 1 {
            self.release(1);
        }
        None
    }

    /// Takes the first of the parts that were held back as recipients.
    fn release(&mut self, count: usize) {
        for held in self.held.drain(..count).collect::<Vec<Held>>() {
            let source = self.text[held.start..held.end].trim();
            self.words(source, held.words);
        }
    }

    /// Takes all parts that were held back as recipients.
    fn release_all(&mut self) {
        self.release(self.held.len());
    }

    /// Returns the name of a person with the parts before it that belong to it; `None` where that is
    /// undecided. What does not belong to it is taken as recipients.
    fn whole_name(&mut self, last: &str) -> Option<String> {
        let Some(names) = self.names else {
            return Some(last.to_owned());
        };
        let judged = self.held.iter().map(|held| {
            let words = held.words.iter().map(|word| (&*word.plain, word.quoted));
            Part::of(words, names)
        });
        let parts: Vec<Part> = judged.collect();
        let recipients = parts.iter().rposition(|part| *part == Part::Recipients);
        let first = recipients.map_or(0, |at| at + 1);
        self.release(first);
        if parts[first..].contains(&Part::Undecided) || self.held.len() > MAX_PARTS {
            return None;
        }
        let mut name = String::new();
        for held in self.held.drain(..) {
            let words: Vec<&str> = held.words.iter().map(|word| &*word.plain).collect();
            name.push_str(&words.join(" "));
            name.push_str(", ");
        }
        name.push_str(last);
        Some(name)
    }

    /// Refuses an entry that may be one person or several recipients.
    fn undecided(&mut self, start: usize, end: usize) {
        let first = self.held.front().map_or(start, |held| held.start);
        self.held.clear();
        self.fail(self.text[first..end].trim(), UNDECIDED);
    }

    /// Takes words without angle brackets: an address each, unless something is quoted.
    fn words(&mut self, source: &str, words: Vec<Word>) {
        let words = join_at_signs(words);
        // A newline in an operand is no separator: `a@x\nBcc: b@x` is one bad entry.
        if source.chars().any(|c| c.is_control() && c != '\t') {
            self.fail(source, "it contains a control character");
        // The words `Ada Lovelace` are two names of accounts to every mailx, and so they are
        // here. With a quote, `"Ada Lovelace" ada@x` can only be a name that lacks its brackets.
        } else if words.len() > 1 && words.iter().any(|word| word.quoted) {
            self.fail(source, "the address after a name needs '<' and '>'");
        } else {
            for word in words {
                let local = word.quoted && word.plain.starts_with(['|', '/']);
                if local && self.expandaddr && !word.raw.contains('@') {
                    self.expand(&word.plain);
                } else {
                    self.address(&word.raw.clone(), unquoted(word.raw), word.comment);
                }
            }
        }
    }

    fn address(&mut self, source: &str, address: String, name: Option<String>) {
        match EnvelopeAddress::new(unquoted(address)) {
            Ok(address) => {
                let named = NamedAddress::new(name.as_deref(), address);
                self.found.push(Ok(Recipient::Address(named)));
            }
            Err(error) => self.fail(source, error.reason),
        }
    }

    fn fail(&mut self, text: &str, reason: &'static str) {
        self.found.push(Err(AddressError {
            text: text.to_owned(),
            reason,
        }));
    }
}

/// Joins `a @ b` (obsolete blanks, RFC 5322 section 4.4) into one word.
fn join_at_signs(words: Vec<Word>) -> Vec<Word> {
    let mut joined: Vec<Word> = Vec::with_capacity(words.len());
    for word in words {
        match joined.last_mut() {
            Some(last) if last.raw.ends_with('@') || word.raw.starts_with('@') => {
                last.raw.push_str(&word.raw);
                last.plain.push_str(&word.plain);
                last.quoted |= word.quoted;
                last.comment = word.comment.or(last.comment.take());
            }
            _ => joined.push(word),
        }
    }
    joined
}

/// Takes needless quotes off a local part: `"ada"@x` is `ada@x` (RFC 5321 section 4.1.2).
fn unquoted(address: String) -> String {
    let Some(rest) = address.strip_prefix('"') else {
        return address;
    };
    match rest.split_once('"') {
        // `"ada"@x` and `ada@x` are one address (RFC 5321 section 4.1.2); in one spelling every
        // comparison finds it.
        // Between dots there must be something: `"a..b"@x` needs its quotes.
        Some((local, domain))
            if local
                .split('.')
                .all(|atom| !atom.is_empty() && atom.bytes().all(is_atom_byte)) =>
        {
            format!("{local}{domain}")
        }
        _ => address,
    }
}

/// Returns whether the byte may stand in an atom (RFC 5322 section 3.2.3).
fn is_atom_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&byte)
}

/// Returns where the quote is that ends a quoted string.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}

/// Returns where the parenthesis is that ends a comment; comments nest.
fn closing_parenthesis(text: &str) -> Option<usize> {
    let mut depth = 1usize;
    let mut escaped = false;
    text.bytes().position(|byte| {
        match byte {
            b'(' if !escaped => depth += 1,
            b')' if !escaped => depth -= 1,
            _ => {}
        }
        escaped = byte == b'\\' && !escaped;
        depth == 0
    })
}

#[cfg(test)]
mod tests;
