//! The tokens of a document, as the HTML standard has them (section 13.2.5), handed to the page.
//!
//! The tokenizer is html5gum's: it knows of quotes, character references, scripts and comments. Where
//! the document ends within a tag or a comment, browsers show nothing of it; here the text behind
//! its beginning is shown, because mail is cut more often than pages are.

use std::convert::Infallible;

use html5gum::{Emitter, Error, State, Tokenizer};

use super::attributes::Attributes;
use super::page::Page;
use super::tag::Tag;

/// How often the text behind something unclosed is read again.
const MAX_TRIES: usize = 8;

/// Writes a document to a page.
pub(super) fn read(html: &str, page: &mut Page<'_>) {
    let mut rest = html;
    for _ in 0..MAX_TRIES {
        let mut tokens = Tokens::new(rest, page);
        let tokenizer = Tokenizer::new_with_emitter(rest, &mut tokens);
        // The error of a text in memory is one that cannot be.
        let Ok(()) = tokenizer.finish();
        match tokens.unclosed() {
            Unclosed::Nothing => return,
            Unclosed::Comment(at) => rest = &rest[at..],
            Unclosed::Tag(at) => match memchr::memchr(b'>', &rest.as_bytes()[at..]) {
                Some(end) => rest = &rest[at + end + 1..],
                None => return page.text(&rest[at..]),
            },
        }
    }
}

/// Returns the text of a document's character references, as `&amp;` is `&`.
pub(super) fn unescaped(text: &str) -> String {
    let mut out = String::new();
    for token in Tokenizer::new(text) {
        let Ok(token) = token;
        if let html5gum::Token::String(string) = token {
            out.push_str(&String::from_utf8_lossy(&string));
        }
    }
    out
}

/// What the end of a document has left open: the place to go on from.
enum Unclosed {
    Nothing,
    Tag(usize),
    Comment(usize),
}

/// Takes the tokens of a document.
struct Tokens<'p, 'e> {
    html: &'p str,
    page: &'p mut Page<'e>,
    position: usize,
    /// Where the last `<` stands that began a tag, a comment, or text.
    opened: usize,
    /// Whether that was a tag, and it has not ended.
    is_in_tag: bool,
    is_end: bool,
    is_self_closing: bool,
    name: Vec<u8>,
    last_start: Vec<u8>,
    attribute: Vec<u8>,
    /// The place in the list of the attribute whose value is read.
    known: Option<usize>,
    attributes: Attributes,
    /// Text that is not shown: of a script, a style, a title.
    skips: bool,
    /// Where the title began that is open.
    title: Option<usize>,
    /// The first bytes of a character.
    partial: Vec<u8>,
    unclosed_comment: Option<usize>,
}

impl<'p, 'e> Tokens<'p, 'e> {
    fn new(html: &'p str, page: &'p mut Page<'e>) -> Tokens<'p, 'e> {
        Tokens {
            html,
            page,
            position: 0,
            opened: 0,
            is_in_tag: false,
            is_end: false,
            is_self_closing: false,
            name: Vec::new(),
            last_start: Vec::new(),
            attribute: Vec::new(),
            known: None,
            attributes: Attributes::default(),
            skips: false,
            title: None,
            partial: Vec::new(),
            unclosed_comment: None,
        }
    }

    fn unclosed(&self) -> Unclosed {
        if let Some(at) = self.title {
            Unclosed::Comment(at)
        } else if self.skips {
            // A script or a style without an end: nothing behind it is text.
            Unclosed::Nothing
        } else if let Some(at) = self.unclosed_comment {
            Unclosed::Comment(at)
        } else if self.is_in_tag {
            Unclosed::Tag(self.opened)
        } else {
            Unclosed::Nothing
        }
    }

    /// Ends the attribute that is read, if there is one.
    fn take_attribute(&mut self) {
        if !self.attribute.is_empty() {
            // One without a value.
            self.find_attribute();
        }
        if let Some(known) = self.known.take() {
            self.attributes.add(known);
        }
    }

    fn find_attribute(&mut self) {
        if !self.is_end {
            self.known = self.attributes.place_of(&self.attribute);
        }
        self.attribute.clear();
    }

    fn start_tag(&mut self) -> Option<State> {
        let tag = Tag::of(&self.name);
        std::mem::swap(&mut self.last_start, &mut self.name);
        self.page.start(tag, &self.attributes);
        // XHTML closes these in the tag itself, and has text behind them.
        if self.is_self_closing {
            return None;
        }
        let state = match (tag, &*self.last_start) {
            (Tag::Raw, b"script") => State::ScriptData,
            (Tag::Raw, _) | (_, b"xmp") => State::RawText,
            (Tag::Title | Tag::TextArea, _) => State::RcData,
            (_, b"plaintext") => State::PlainText,
            _ => return None,
        };
        self.skips = matches!(tag, Tag::Raw | Tag::Title);
        self.title = (tag == Tag::Title).then_some(self.position);
        Some(state)
    }
}

impl Emitter for &mut Tokens<'_, '_> {
    type Token = Infallible;

    fn set_last_start_tag(&mut self, name: Option<&[u8]>) {
        self.last_start.clear();
        self.last_start.extend_from_slice(name.unwrap_or_default());
    }

    fn emit_eof(&mut self) {}

    fn emit_error(&mut self, _: Error) {}

    #[inline]
    fn should_emit_errors(&mut self) -> bool {
        false
    }

    fn pop_token(&mut self) -> Option<Infallible> {
        None
    }

    fn emit_string(&mut self, text: &[u8]) {
        self.is_in_tag = false;
        // A NUL is no text (HTML section 13.2.6.4.7).
        if self.skips || text == b"\0" {
            return;
        }
        if self.partial.is_empty()
            && let Ok(text) = std::str::from_utf8(text)
        {
            return self.page.text(text);
        }
        // The pieces of a text may part a character.
        self.partial.extend_from_slice(text);
        let partial = std::mem::take(&mut self.partial);
        let whole = match std::str::from_utf8(&partial) {
            Ok(text) => text,
            Err(error) => {
                let (whole, rest) = partial.split_at(error.valid_up_to());
                self.partial.extend_from_slice(rest);
                std::str::from_utf8(whole).unwrap_or_default()
            }
        };
        self.page.text(whole);
    }

    fn init_start_tag(&mut self) {
        self.name.clear();
        self.attributes.clear();
        self.is_end = false;
        self.is_self_closing = false;
        self.is_in_tag = true;
    }

    fn init_end_tag(&mut self) {
        self.name.clear();
        self.is_end = true;
        self.is_in_tag = true;
    }

    fn init_comment(&mut self) {
        self.is_in_tag = false;
    }

    fn emit_current_tag(&mut self) -> Option<State> {
        self.take_attribute();
        self.is_in_tag = false;
        if !self.is_end {
            return self.start_tag();
        }
        self.skips = false;
        self.title = None;
        self.last_start.clear();
        let tag = Tag::of(&self.name);
        self.page.end(tag);
        None
    }

    fn emit_current_comment(&mut self) {
        // At the end of the document a comment is closed or it is not: its last characters say so.
        if self.position >= self.html.len()
            && let Some(comment) = self.html.get(self.opened..)
        {
            let is_closed = if comment.starts_with("<!--") {
                comment.ends_with("-->") || comment.ends_with("--!>") || comment == "<!-->"
            } else {
                comment.ends_with('>')
            };
            if !is_closed {
                let start = comment.len() - comment.trim_start_matches(['<', '!', '-']).len();
                self.unclosed_comment = Some(self.opened + start.max(1));
            }
        }
    }

    fn emit_current_doctype(&mut self) {}

    fn set_self_closing(&mut self) {
        self.is_self_closing = true;
    }

    fn set_force_quirks(&mut self) {}

    fn push_tag_name(&mut self, name: &[u8]) {
        self.name.extend_from_slice(name);
    }

    fn push_comment(&mut self, _: &[u8]) {}

    fn push_doctype_name(&mut self, _: &[u8]) {}

    fn init_doctype(&mut self) {
        self.is_in_tag = false;
    }

    fn init_attribute(&mut self) {
        self.take_attribute();
    }

    fn init_attribute_value(&mut self) {
        self.find_attribute();
    }

    fn push_attribute_name(&mut self, name: &[u8]) {
        self.attribute.extend_from_slice(name);
    }

    fn push_attribute_value(&mut self, value: &[u8]) {
        // What is not asked for is not kept.
        if self.known.is_some() {
            self.attributes.push(value);
        }
    }

    fn set_doctype_public_identifier(&mut self, _: &[u8]) {}

    fn set_doctype_system_identifier(&mut self, _: &[u8]) {}

    fn push_doctype_public_identifier(&mut self, _: &[u8]) {}

    fn push_doctype_system_identifier(&mut self, _: &[u8]) {}

    fn start_open_tag(&mut self) {
        self.opened = self.position.saturating_sub(1);
    }

    fn current_is_appropriate_end_tag_token(&mut self) -> bool {
        self.is_end && !self.last_start.is_empty() && self.last_start == self.name
    }

    fn move_position(&mut self, offset: isize) {
        self.position = self.position.saturating_add_signed(offset);
    }
}
