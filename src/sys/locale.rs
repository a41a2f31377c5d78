//! The charset of what people read: UTF-8, unless the locale names another one.
//!
//! Nothing of a message that is sent depends on it, and JSON is always UTF-8.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::sync::OnceLock;

use encoding_rs::{Encoding, UTF_8};

/// The charset that was chosen; UTF-8 until then.
static CHOSEN: OnceLock<Option<Charset>> = OnceLock::new();

/// A charset that is not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Charset {
    encoding: &'static Encoding,
    /// Bytes from 0x80 to 0x9f are no characters of it, but commands to a terminal. The web's names for
    /// charsets, which `encoding_rs` has, mean windows-1252 by iso-8859-1.
    has_c1: bool,
    /// Only ASCII can be written.
    is_ascii: bool,
}

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
        Some(Some(charset)) if !text.is_ascii() => Cow::Owned(charset.encode(text)),
        _ => Cow::Borrowed(text.as_bytes()),
    }
}

impl Charset {
    fn encode(self, text: &str) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        let mut buffer = [0; 4];
        for c in text.chars() {
            let plain: &str = c.encode_utf8(&mut buffer);
            if c.is_ascii() {
                out.extend_from_slice(plain.as_bytes());
                continue;
            }
            let (bytes, _, is_unmappable) = self.encoding.encode(plain);
            let is_control = |byte: &u8| self.has_c1 && (0x80..0xa0).contains(byte);
            if is_unmappable || self.is_ascii || bytes.iter().any(is_control) {
                out.extend_from_slice(format!("<U+{:04X}>", u32::from(c)).as_bytes());
            } else {
                out.extend_from_slice(&bytes);
            }
        }
        out
    }
}

/// Returns the charset that a locale names, as in `de_DE.ISO-8859-15@euro`, if it is not UTF-8.
fn charset_of(locale: &str) -> Option<Charset> {
    let (_, name) = locale.split_once('.')?;
    let name = name.split('@').next().unwrap_or_default();
    let name = name.to_ascii_lowercase();
    let label = match name.as_str() {
        "eucjp" => "euc-jp",
        "euckr" => "euc-kr",
        "koi8r" => "koi8-r",
        "koi8u" => "koi8-u",
        "ansi_x3.4-1968" => "us-ascii",
        other => other,
    };
    let encoding = Encoding::for_label(label.as_bytes())?;
    // Charsets with shift states hold ESC, and UTF-16 holds NUL: no terminal has them.
    let is_simple = encoding.output_encoding() == encoding && encoding.is_ascii_compatible();
    (is_simple && encoding != UTF_8).then(|| Charset {
        encoding,
        has_c1: label.starts_with("iso") || label.starts_with("latin"),
        is_ascii: label.contains("ascii"),
    })
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
        ] {
            let charset = charset_of(locale).expect(locale);
            assert_eq!(charset.encode(text), bytes, "{locale}");
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
