//! The field bodies of one message as text: the one home of their charset and encoded words.
//!
//! Mailers that write 8-bit header fields write them in the charset of the text. Whoever shows, sorts,
//! searches, answers or lists messages asks here, so that all of them read the same words.

use std::borrow::Cow;
use std::cell::OnceCell;

use memchr::memchr;

use super::description::Description;
use super::fields::{self, Field, unfold};
use super::words::{self, ShownAddress};
use crate::charset::{Label, in_charset, look_up};
use crate::message::holds_addresses;

/// Decodes the field bodies of one message.
#[derive(Clone, Debug)]
pub struct FieldText<'a> {
    block: &'a [u8],
    /// The charset that the header names for the text; read when a body is no UTF-8.
    label: OnceCell<Option<String>>,
}

impl<'a> FieldText<'a> {
    /// Decodes the fields of a header block, with or without a From_ line in front.
    pub fn of(block: &'a [u8]) -> FieldText<'a> {
        FieldText {
            block,
            label: OnceCell::new(),
        }
    }

    /// Decodes the fields of a message whose text has this charset.
    pub(super) fn labelled(label: Option<&str>) -> FieldText<'static> {
        FieldText {
            block: b"",
            label: OnceCell::from(label.map(str::to_owned)),
        }
    }

    /// Returns the value of a field: of one that holds addresses as [`FieldText::addresses`], of
    /// others as [`FieldText::words`]. Plain ASCII is not copied.
    pub fn value<'b>(&self, field: &Field<'b>) -> Cow<'b, str> {
        let body = field.body;
        let is_plain =
            body.is_ascii() && !words::may_have_words(body) && memchr(b'\n', body).is_none();
        if is_plain {
            return String::from_utf8_lossy(body);
        }
        Cow::Owned(if holds_addresses(field.name) {
            self.addresses(body)
        } else {
            self.words(body)
        })
    }

    /// Returns a field body as text: unfolded, 8-bit bytes and encoded words (RFC 2047) decoded.
    pub fn words(&self, body: &[u8]) -> String {
        words::decode_unfolded(&self.in_utf_8(&unfold(body))).into_owned()
    }

    /// Returns the body of a field of addresses as text; see [`words::decode_addresses`].
    pub fn addresses(&self, body: &[u8]) -> String {
        words::decode_addresses(&self.in_utf_8(&unfold(body))).into_owned()
    }

    /// Returns the first address of a field body.
    pub fn first_address(&self, body: &[u8]) -> ShownAddress {
        words::first_address(self.in_utf_8(body).as_bytes())
    }

    /// Returns a field body in UTF-8, its encoded words as they are.
    ///
    /// One that is no UTF-8 is read by the charset that the header names for the text, else as text
    /// without a label.
    pub fn in_utf_8<'b>(&self, body: &'b [u8]) -> Cow<'b, str> {
        match std::str::from_utf8(body) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => in_charset(body, self.label()),
        }
    }

    /// Returns whether the header names a charset that we know, so that 8-bit bytes are not guessed at.
    pub fn has_charset(&self) -> bool {
        matches!(look_up(self.label().unwrap_or_default()), Label::Known(charset) if !charset.is_seven_bit())
    }

    fn label(&self) -> Option<&str> {
        let read = || {
            let (_, header) = fields::split_from_line(self.block);
            Description::of(header, false).charset
        };
        self.label.get_or_init(read).as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_read_by_the_charset_of_the_text() {
        let russian = b"From a@b Mon Nov 16 09:00:00 2026\nSubject: \xcf\xf0\n\
            Content-Type: text/plain; charset=windows-1251\n\n";
        let text = FieldText::of(russian);
        assert_eq!(text.in_utf_8(b"\xcf\xf0"), "Пр");
        assert_eq!(text.words(b"\xcf\xf0\n =?utf-8?q?=C3=B6?="), "Пр ö");
        assert_eq!(text.addresses(b"\xcf\xf0 <a@b>, c@d"), "Пр <a@b>, c@d");
        assert_eq!(text.first_address(b"\xcf\xf0 <a@b>").name, "Пр");
        assert_eq!(text.in_utf_8("Größe".as_bytes()), "Größe");
        assert_eq!(
            FieldText::of(b"Subject: x\n\n").in_utf_8(b"caf\xe9"),
            "café"
        );
    }
}
