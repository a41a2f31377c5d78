//! The tokens that html5gum finds, which follows the standard state by state: for tests.

use std::convert::Infallible;

use html5gum::{Emitter, Error, State, Tokenizer};

use super::Sink;
use crate::message::parse::html::attributes::Attributes;
use crate::message::parse::html::tag::Tag;

/// Reads a document; `false` if it ends within a token.
pub(super) fn read(html: &str, sink: &mut impl Sink) -> bool {
    let mut tokens = Tokens::new(html, sink);
    // The error of a text in memory is one that cannot be.
    let Ok(()) = Tokenizer::new_with_emitter(html, &mut tokens).finish();
    !tokens.is_unclosed()
}

/// Takes the tokens of a document.
struct Tokens<'p, S> {
    html: &'p str,
    sink: &'p mut S,
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
    value: Vec<u8>,
    attributes: Attributes<'static>,
    /// Text that is not shown: of a script, a style, a title.
    skips: bool,
    /// The first bytes of a character.
    partial: Vec<u8>,
    is_comment_open: bool,
}

impl<'p, S: Sink> Tokens<'p, S> {
    fn new(html: &'p str, sink: &'p mut S) -> Tokens<'p, S> {
        Tokens {
            html,
            sink,
            position: 0,
            opened: 0,
            is_in_tag: false,
            is_end: false,
            is_self_closing: false,
            name: Vec::new(),
            last_start: Vec::new(),
            attribute: Vec::new(),
            known: None,
            value: Vec::new(),
            attributes: Attributes::default(),
            skips: false,
            partial: Vec::new(),
            is_comment_open: false,
        }
    }

    fn is_unclosed(&self) -> bool {
        self.skips || self.is_comment_open || self.is_in_tag
    }

    /// Ends the attribute that is read, if there is one.
    fn take_attribute(&mut self) {
        if !self.attribute.is_empty() {
            // One without a value.
            self.find_attribute();
        }
        if let Some(known) = self.known.take() {
            let value = std::mem::take(&mut self.value);
            let value = String::from_utf8(value).expect("a value is whole");
            self.attributes.add(known, value.into());
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
        self.sink.start(tag, &self.attributes);
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
        Some(state)
    }
}

impl<S: Sink> Emitter for &mut Tokens<'_, S> {
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
            return self.sink.text(text);
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
        self.sink.text(whole);
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
        self.last_start.clear();
        let tag = Tag::of(&self.name);
        self.sink.end(tag);
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
            self.is_comment_open = !is_closed;
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
            self.value.extend_from_slice(value);
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
