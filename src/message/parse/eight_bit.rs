//! 8-bit header fields: mailers that write them write them in the charset of the text.

use std::borrow::Cow;

use super::description::Description;
use super::fields;
use crate::charset::in_charset;

/// Returns a field body in UTF-8: one that is none is read by the charset that the header block names
/// for the text.
pub fn in_utf_8<'a>(block: &[u8], body: &'a [u8]) -> Cow<'a, [u8]> {
    if std::str::from_utf8(body).is_ok() {
        return Cow::Borrowed(body);
    }
    let (_, block) = fields::split_from_line(block);
    let label = Description::of(block, false).charset;
    Cow::Owned(in_charset(body, label.as_deref()).into_owned().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_read_by_the_charset_of_the_text() {
        let russian = b"From a@b Mon Nov 16 09:00:00 2026\nSubject: \xcf\xf0\n\
            Content-Type: text/plain; charset=windows-1251\n\n";
        assert_eq!(&*in_utf_8(russian, b"\xcf\xf0"), "Пр".as_bytes());
        assert_eq!(&*in_utf_8(russian, "Größe".as_bytes()), "Größe".as_bytes());
        assert_eq!(&*in_utf_8(b"Subject: x\n\n", b"caf\xe9"), "café".as_bytes());
    }
}
