//! The charset that a text is labelled with: the one given, unless its bytes prove it wrong.

use super::analysis::Analysis;
use super::media_type::MediaType;
use crate::charset::{self, Charset, Label, NamedCharset};

/// Returns the type with the charset that fits: a given one unless the bytes prove it wrong.
pub(in crate::message) fn with_true_charset(
    media_type: MediaType,
    given: Option<&str>,
    analysis: &Analysis,
) -> MediaType {
    let is_html = media_type.is_html();
    let given = given.or(media_type.parameter("charset"));
    let charset = true_charset(given, is_html, analysis);
    media_type.with_parameter("charset", &charset)
}

/// Returns the declared charset, or the one found in the bytes if they prove it wrong or it is unknown.
///
/// HTML may declare one itself.
pub(in crate::message) fn true_charset(
    declared: Option<&str>,
    is_html: bool,
    analysis: &Analysis,
) -> String {
    let own = (is_html && declared.is_none())
        .then(|| charset::of_html(&analysis.start, analysis.charset()))
        .flatten();
    let declared = declared.or(own.as_deref());
    let found = analysis.charset();
    let Some(declared) = declared else {
        return found.name().to_owned();
    };
    let name = charset::bare_name(declared);
    // Not every reader knows the other spellings of these two.
    let spelt = |charset: Charset| {
        if name.eq_ignore_ascii_case(charset.name()) {
            name
        } else {
            charset.name()
        }
    };
    match charset::look_up(declared) {
        Label::Known(NamedCharset::Ascii) if analysis.is_ascii() => spelt(Charset::UsAscii),
        Label::Known(known) if known.is_utf_8() => match found {
            Charset::UsAscii | Charset::Utf8 => spelt(Charset::Utf8),
            _ => found.name(),
        },
        // Every text of letters holds NULs then.
        Label::Known(known) if known.is_wide() && !analysis.has_nul => found.name(),
        // ASCII is the common part of the other charsets; UTF-7 and its like are ASCII, too.
        Label::Known(_) if analysis.is_ascii() => name,
        Label::Known(known) if !known.is_seven_bit() => name,
        _ => found.name(),
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charset_that_the_bytes_prove_wrong_is_corrected() {
        let table: &[(&str, &[u8], &str)] = &[
            ("us-ascii", b"caf\xe9\n", "windows-1252"),
            ("ANSI_X3.4-1968", "café\n".as_bytes(), "utf-8"),
            ("UTF-7", b"caf\xe9\n", "windows-1252"),
            ("iso-2022-kr", "café\n".as_bytes(), "utf-8"),
            ("UTF-8", b"caf\xe9\n", "windows-1252"),
            ("UTF-8", "Größe ✓ \u{fffd}".as_bytes(), "UTF-8"),
            ("UTF-8", b"ascii\n", "UTF-8"),
            ("utf8", "Größe ✓ und\n".as_bytes(), "utf-8"),
            ("UTF_8//TRANSLIT", b"Gr\xc3\xb6\xc3\x9fe \xc3\n", "utf-8"),
            ("koi8-r", b"caf\xe9\n", "koi8-r"),
            ("cp850", b"caf\x82\n", "cp850"),
            ("IBM-850", b"caf\x82\n", "IBM-850"),
            ("\"cp437\" ;", b"caf\x82\n", "cp437"),
            ("x-nonesuch", b"caf\xe9\n", "windows-1252"),
            ("unknown-8bit", b"caf\xe9\n", "windows-1252"),
            ("646", b"cafe\n", "us-ascii"),
            ("utf-7", b"+AOk-\n", "utf-7"),
            ("iso-8859-15", b"cafe\n", "iso-8859-15"),
            ("utf-16", b"cafe\n", "us-ascii"),
            ("utf-16le", b"\xe9\0\n\0", "utf-16le"),
        ];
        for (given, bytes, expected) in table {
            let analysis = crate::message::analyse(*bytes).unwrap();
            let corrected = with_true_charset(MediaType::text_plain(), Some(given), &analysis);
            assert_eq!(corrected.parameter("charset"), Some(*expected), "{given}");
        }
    }
}
