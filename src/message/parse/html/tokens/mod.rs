//! The tokens of a document, as the HTML standard has them (section 13.2.5), handed to a [`Sink`].
//!
//! The states of the standard that only collect characters are searches here: text up to `<` or `&`,
//! a comment up to its end, the text of a script up to its end tag. What is handed on is a slice of
//! the document; only an attribute's value with references in it is put together. No byte is searched
//! for more than once but for an end that the document does not have, and that is remembered: the
//! time is linear.
//!
//! Of a tag only what the page asks for is kept: its element, and the attributes of a list. Errors,
//! doctypes and comments have no text. CDATA is a comment, as it is outside of SVG.
//!
//! Where the document ends within a tag, a comment or a title, browsers show nothing from its beginning
//! on; here the text behind its beginning is shown, because mail is cut more often than pages are.
//! A script or a style without an end has no text behind it.

mod raw;
mod references;

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use super::attributes::Attributes;
use super::tag::Tag;

/// How many tags without an end are read with their quotes; another one ends at its first `>`.
const MAX_UNCLOSED: usize = 8;

/// Takes the tokens of a document.
pub(super) trait Sink {
    /// Takes a start tag.
    fn start(&mut self, tag: Tag, attributes: &Attributes<'_>);
    /// Takes an end tag.
    fn end(&mut self, tag: Tag);
    /// Takes a piece of text; a word may come in several.
    fn text(&mut self, text: &str);
}

/// Reads a document.
pub(super) fn read(html: &str, sink: &mut impl Sink) {
    Tokens {
        html,
        at: 0,
        is_odd: memchr2(b'\r', b'\0', html.as_bytes()).is_some(),
        unclosed: 0,
        has_comment_end: true,
        has_title_end: true,
        attributes: Attributes::default(),
        sink,
    }
    .read();
}

/// Returns the character of a reference without its `&`; `None` if the text is anything else.
pub(super) fn character(text: &str) -> Option<char> {
    let found = references::read(text.as_bytes(), false)?;
    match *found.characters() {
        [character] if found.len == text.len() => Some(character),
        _ => None,
    }
}

/// Reads a document from a place on.
struct Tokens<'d, 's, S> {
    html: &'d str,
    at: usize,
    /// Whether the document has a CR or a NUL.
    is_odd: bool,
    /// How many tags had no end.
    unclosed: usize,
    has_comment_end: bool,
    has_title_end: bool,
    /// The attributes of the last tag: kept for their memory.
    attributes: Attributes<'d>,
    sink: &'s mut S,
}

/// What is behind a tag.
enum End {
    /// Its `>` is read; whether a `/` stood before it.
    Closed(bool),
    /// The document ends in it.
    Missing,
}

/// What a NUL in a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Null {
    /// No text (section 13.2.6.4.7).
    Dropped,
    /// U+FFFD.
    Replaced,
}

impl<'d, S: Sink> Tokens<'d, '_, S> {
    /// Reads text and markup (section 13.2.5.1).
    fn read(&mut self) {
        while let Some(len) = memchr2(b'<', b'&', &self.html.as_bytes()[self.at..]) {
            let start = self.at;
            self.at += len;
            self.plain(start, self.at, Null::Dropped);
            if self.byte(self.at) == Some(b'&') {
                self.reference();
            } else {
                self.markup();
            }
        }
        self.plain(self.at, self.html.len(), Null::Dropped);
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.html.as_bytes().get(at).copied()
    }

    /// Hands on text without references.
    fn plain(&mut self, start: usize, end: usize, null: Null) {
        let text = &self.html[start..end];
        if !self.is_odd {
            if !text.is_empty() {
                self.sink.text(text);
            }
            return;
        }
        let mut rest = text;
        while let Some(len) = memchr2(b'\r', b'\0', rest.as_bytes()) {
            if len > 0 {
                self.sink.text(&rest[..len]);
            }
            // CR LF and CR are line ends (section 13.2.3.5).
            match rest.as_bytes()[len] {
                b'\r' if rest[len + 1..].starts_with('\n') => {}
                b'\r' => self.sink.text("\n"),
                _ if null == Null::Replaced => self.sink.text("\u{fffd}"),
                _ => {}
            }
            rest = &rest[len + 1..];
        }
        if !rest.is_empty() {
            self.sink.text(rest);
        }
    }

    /// Hands on the reference that begins here, or its ampersand.
    fn reference(&mut self) {
        match references::read(&self.html.as_bytes()[self.at + 1..], false) {
            Some(found) => {
                for character in found.characters() {
                    self.sink.text(character.encode_utf8(&mut [0; 4]));
                }
                self.at += 1 + found.len;
            }
            None => {
                self.sink.text("&");
                self.at += 1;
            }
        }
    }

    /// Reads what a `<` begins (sections 13.2.5.6, 13.2.5.7 and 13.2.5.42).
    fn markup(&mut self) {
        let bytes = &self.html.as_bytes()[self.at..];
        match *bytes {
            [_, b'a'..=b'z' | b'A'..=b'Z', ..] => self.start_tag(),
            [_, b'/', b'a'..=b'z' | b'A'..=b'Z', ..] => self.end_tag(),
            [_, b'/', b'>', ..] => self.at += 3,
            [_, b'/'] => {
                self.sink.text("</");
                self.at += 2;
            }
            [_, b'!', b'-', b'-', ..] => self.comment(),
            [_, b'!', ref rest @ ..] if starts_with(rest, b"doctype") => {
                // Even within its quotes `>` ends it.
                let len = memchr(b'>', bytes);
                self.at += len.map_or(bytes.len(), |len| len + 1);
            }
            [_, b'!' | b'?' | b'/', ..] => match memchr(b'>', bytes) {
                Some(len) => self.at += len + 1,
                None => self.leave_comment(),
            },
            _ => {
                self.sink.text("<");
                self.at += 1;
            }
        }
    }

    /// Reads a comment (sections 13.2.5.43 to 13.2.5.52).
    fn comment(&mut self) {
        let comment = &self.html.as_bytes()[self.at + 4..];
        let end = match comment {
            [b'>', ..] => Some(1),
            [b'-', b'>', ..] => Some(2),
            _ if self.has_comment_end => {
                let is_end = |end: &usize| {
                    let before = &comment[..*end];
                    before.ends_with(b"--") || before.ends_with(b"--!")
                };
                memchr::memchr_iter(b'>', comment)
                    .find(is_end)
                    .map(|end| end + 1)
            }
            _ => None,
        };
        match end {
            Some(end) => self.at += 4 + end,
            None => {
                self.has_comment_end = false;
                self.leave_comment();
            }
        }
    }

    /// Goes on with the text of a comment that has no end.
    fn leave_comment(&mut self) {
        let rest = &self.html[self.at..];
        let mark = rest.len() - rest.trim_start_matches(['<', '!', '-']).len();
        self.at += mark;
    }

    fn start_tag(&mut self) {
        let start = self.at;
        let name = self.name(start + 1);
        self.at += 1 + name.len();
        self.attributes.clear();
        match self.attributes(true) {
            End::Closed(is_self_closing) => {
                let tag = Tag::of(name);
                self.sink.start(tag, &self.attributes);
                // XHTML closes these in the tag itself, and has text behind them.
                if !is_self_closing {
                    self.raw(tag, name);
                }
            }
            End::Missing => self.leave_tag(start),
        }
    }

    fn end_tag(&mut self) {
        let start = self.at;
        let name = self.name(start + 2);
        self.at += 2 + name.len();
        match self.attributes(false) {
            End::Closed(_) => self.sink.end(Tag::of(name)),
            End::Missing => self.leave_tag(start),
        }
    }

    /// Goes on behind the first `>` of a tag that has no end; without one it is text.
    fn leave_tag(&mut self, start: usize) {
        self.unclosed += 1;
        match memchr(b'>', &self.html.as_bytes()[start..]) {
            Some(end) => self.at = start + end + 1,
            None => {
                self.at = self.html.len();
                self.plain(start, self.at, Null::Dropped);
            }
        }
    }

    /// Returns the name of a tag (section 13.2.5.8).
    fn name(&self, start: usize) -> &'d [u8] {
        let rest = &self.html.as_bytes()[start..];
        let len = rest.iter().position(|&b| ends_name(b));
        &rest[..len.unwrap_or(rest.len())]
    }

    /// Reads the rest of a tag behind its name (sections 13.2.5.32 to 13.2.5.40).
    fn attributes(&mut self, keeps: bool) -> End {
        let html = self.html;
        let bytes = html.as_bytes();
        if self.unclosed > MAX_UNCLOSED {
            let Some(len) = memchr(b'>', &bytes[self.at..]) else {
                return End::Missing;
            };
            self.at += len + 1;
            return End::Closed(false);
        }
        loop {
            self.skip_blanks();
            match bytes[self.at..] {
                [] => return End::Missing,
                [b'>', ..] => {
                    self.at += 1;
                    return End::Closed(false);
                }
                [b'/', b'>', ..] => {
                    self.at += 2;
                    return End::Closed(true);
                }
                [b'/', ..] => self.at += 1,
                _ => {
                    let start = self.at;
                    // A `=` that begins a name is part of it.
                    let len = bytes[start + 1..]
                        .iter()
                        .position(|&b| ends_name(b) || b == b'=');
                    self.at = len.map_or(bytes.len(), |len| start + 1 + len);
                    let name = &bytes[start..self.at];
                    let Some(value) = self.value() else {
                        return End::Missing;
                    };
                    if keeps && let Some(known) = self.attributes.place_of(name) {
                        self.attributes.add(known, with_references(value, true));
                    }
                }
            }
        }
    }

    /// Reads the value behind an attribute's name, empty without one; `None` at the end of the document.
    fn value(&mut self) -> Option<&'d str> {
        self.skip_blanks();
        if self.byte(self.at) != Some(b'=') {
            return Some("");
        }
        self.at += 1;
        self.skip_blanks();
        let rest = &self.html[self.at..];
        let bytes = rest.as_bytes();
        let (start, end, next) = match *bytes.first()? {
            quote @ (b'"' | b'\'') => {
                let end = 1 + memchr(quote, &bytes[1..])?;
                (1, end, end + 1)
            }
            _ => {
                let end = bytes.iter().position(|&b| is_blank(b) || b == b'>')?;
                (0, end, end)
            }
        };
        self.at += next;
        Some(&rest[start..end])
    }

    fn skip_blanks(&mut self) {
        while self.byte(self.at).is_some_and(is_blank) {
            self.at += 1;
        }
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\x0c' | b'\r')
}

/// Whether a byte ends the name of a tag or of an attribute.
fn ends_name(byte: u8) -> bool {
    is_blank(byte) || matches!(byte, b'/' | b'>')
}

fn starts_with(bytes: &[u8], lower: &[u8]) -> bool {
    bytes
        .get(..lower.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(lower))
}

/// Returns a text with its references replaced, its line ends as LF and without a NUL.
fn with_references(text: &str, is_attribute: bool) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    if memchr::memchr3(b'&', b'\r', b'\0', bytes).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(len) = memchr::memchr3(b'&', b'\r', b'\0', &bytes[at..]) {
        out.push_str(&text[at..at + len]);
        at += len + 1;
        match bytes[at - 1] {
            b'\r' if bytes.get(at) == Some(&b'\n') => {}
            b'\r' => out.push('\n'),
            b'\0' => out.push(char::REPLACEMENT_CHARACTER),
            _ => match references::read(&bytes[at..], is_attribute) {
                Some(found) => {
                    out.extend(found.characters());
                    at += found.len;
                }
                None => out.push('&'),
            },
        }
    }
    out.push_str(&text[at..]);
    Cow::Owned(out)
}

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;
