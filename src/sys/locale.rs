//! The charset of what people read: UTF-8, unless the locale names another one.
//!
//! Nothing of a message that is sent depends on it, and JSON is always UTF-8.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::sync::OnceLock;

use crate::charset::{Label, NamedCharset, look_up};

/// The charset that was chosen; UTF-8 until then.
static CHOSEN: OnceLock<Option<NamedCharset>> = OnceLock::new();

/// Chooses the charset for the rest of the run, as the locale (`LC_ALL`, `LC_CTYPE` or `LANG`) names
/// it. A locale that names none, or one that we do not know, means UTF-8.
pub(crate) fn choose(locale: Option<&OsStr>) {
    let charset = locale.and_then(OsStr::to_str).and_then(charset_of);
    // Chosen once: a second call finds the same environment.
    let _ = CHOSEN.set(charset);
}

/// Returns a text in the charset of the locale.
///
/// A character that the charset does not have becomes `<U+263A>`, as `sanitize` writes characters
/// that are not shown.
pub(crate) fn encode(text: &str) -> Cow<'_, [u8]> {
    match CHOSEN.get() {
        Some(Some(charset)) if !text.is_ascii() => Cow::Owned(encoded(text, *charset)),
        _ => Cow::Borrowed(text.as_bytes()),
    }
}

/// Returns whether what we show is UTF-8.
pub(crate) fn is_utf_8() -> bool {
    !matches!(CHOSEN.get(), Some(Some(_)))
}

fn encoded(text: &str, charset: NamedCharset) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c as u8);
            continue;
        }
        match charset.encode(c) {
            Some(bytes) => out.extend_from_slice(&bytes),
            None => out.extend_from_slice(format!("<U+{:04X}>", u32::from(c)).as_bytes()),
        }
    }
    out
}

/// Returns the charset that a locale names, as in `de_DE.ISO-8859-15@euro`, if it is not UTF-8.
fn charset_of(locale: &str) -> Option<NamedCharset> {
    let (_, name) = locale.split_once('.')?;
    match look_up(name.split('@').next().unwrap_or_default()) {
        Label::Known(charset) if charset.is_for_terminals() && !charset.is_utf_8() => Some(charset),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_names_a_charset_or_means_utf_8() {
        for (locale, text, bytes) in [
            ("de_DE.ISO-8859-1", "Grö€", &b"Gr\xf6<U+20AC>"[..]),
            ("de_DE.iso88591", "ö\u{2018}", b"\xf6<U+2018>"),
            ("de_DE.ISO-8859-15@euro", "€", b"\xa4"),
            ("ru_RU.KOI8-R", "д", b"\xc4"),
            ("ja_JP.eucJP", "日", b"\xc6\xfc"),
            ("de_DE.CP1252", "€", b"\x80"),
            ("en_US.ANSI_X3.4-1968", "ö", b"<U+00F6>"),
            ("C.646", "aö", b"a<U+00F6>"),
            ("de_DE.IBM-850", "ö\u{2018}", b"\x94<U+2018>"),
            ("de_DE.8859_1", "ö€", b"\xf6<U+20AC>"),
            ("th_TH.TIS-620", "\u{e01}…", b"\xa1<U+2026>"),
            ("hy_AM.ARMSCII-8", "\u{531}", b"\xb2"),
        ] {
            let charset = charset_of(locale).expect(locale);
            assert_eq!(encoded(text, charset), bytes, "{locale}");
        }
        for locale in [
            "C",
            "POSIX",
            "",
            "de_DE",
            "C.UTF-8",
            "en_US.utf8",
            "x.nonsense",
            "x.ISO-2022-JP",
            "x.UTF-16",
            "x.utf-7",
        ] {
            assert_eq!(charset_of(locale), None, "{locale}");
        }
    }
}
