//! Elements whose text has no tags in it: scripts, styles, titles and their like.

use memchr::{memchr, memchr2};

use super::{Null, Sink, Tokens, ends_name, starts_with, with_references};
use crate::message::parse::html::tag::Tag;

impl<S: Sink> Tokens<'_, '_, S> {
    /// Reads the text of an element up to its end tag, if that text has no tags.
    pub(super) fn raw(&mut self, tag: Tag, name: &[u8]) {
        let start = self.at;
        let has_name = |known: &[u8]| name.eq_ignore_ascii_case(known);
        match tag {
            Tag::Raw if has_name(b"script") => {
                self.at = script_end(&self.html.as_bytes()[start..])
                    .map_or(self.html.len(), |len| start + len);
            }
            Tag::Raw => self.at = self.end_of(name).unwrap_or(self.html.len()),
            Tag::Title if self.has_title_end => match self.end_of(name) {
                Some(end) => self.at = end,
                // It is text.
                None => self.has_title_end = false,
            },
            Tag::TextArea => {
                self.at = self.end_of(name).unwrap_or(self.html.len());
                let text = with_references(&self.html[start..self.at], false);
                if !text.is_empty() {
                    self.sink.text(&text);
                }
            }
            Tag::Preformatted if has_name(b"xmp") || has_name(b"plaintext") => {
                let end = has_name(b"xmp").then(|| self.end_of(name)).flatten();
                self.at = end.unwrap_or(self.html.len());
                self.plain(start, self.at, Null::Replaced);
            }
            _ => {}
        }
    }

    /// Returns where the end tag of an element begins (sections 13.2.5.9 to 13.2.5.14).
    fn end_of(&self, name: &[u8]) -> Option<usize> {
        let bytes = self.html.as_bytes();
        memchr::memchr_iter(b'<', &bytes[self.at..])
            .map(|len| self.at + len)
            .find(|&at| is_tag(&bytes[at + 1..], b"/", name))
    }
}

/// Whether a tag begins here, behind its `<`.
fn is_tag(bytes: &[u8], slash: &[u8], name: &[u8]) -> bool {
    bytes.strip_prefix(slash).is_some_and(|bytes| {
        starts_with(bytes, name) && bytes.get(name.len()).is_some_and(|&b| ends_name(b))
    })
}

/// Returns how long the text of a script is: an end tag within a comment does not end it, if a script
/// begins in that comment (sections 13.2.5.15 to 13.2.5.31).
fn script_end(script: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"script";
    let mut at = 0;
    let mut in_comment = false;
    let mut in_inner = false;
    loop {
        let rest = &script[at..];
        at += if in_comment {
            memchr2(b'<', b'-', rest)?
        } else {
            memchr(b'<', rest)?
        };
        let rest = &script[at..];
        let is_end = is_tag(&rest[1..], b"/", NAME);
        if !in_comment && rest.starts_with(b"<!--") {
            in_comment = true;
            // The comment may end with the dashes that begin it.
            at += 2;
        } else if in_comment && rest.starts_with(b"-->") {
            (in_comment, in_inner) = (false, false);
            at += 3;
        } else if is_end && !in_inner {
            return Some(at);
        } else if in_comment {
            in_inner = (in_inner && !is_end) || is_tag(&rest[1..], b"", NAME);
            at += 1;
        } else {
            at += 1;
        }
    }
}
