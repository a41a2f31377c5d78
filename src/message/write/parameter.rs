//! Parameters of MIME fields: tokens, quoted strings, and RFC 2231 for the rest.
//!
//! Written here and not taken from the crate `email-encoding`, which writes into a header that it
//! folds itself: fields of finished messages are changed in place, piece by piece.

use crate::message::encode::encoded_words::FoldedField;

/// A plain value longer than this is split into continuations.
const MAX_PLAIN: usize = 60;
/// The longest continuation; with the fold's blank and a semicolon it fits into 78 columns.
const MAX_SEGMENT: usize = 76;
/// Ruby's mail puts the segments together in the order of their names, and `*10*` before `*2*`.
const MAX_SEGMENTS: usize = 10;

/// Returns `name=value` in as many pieces as it needs; semicolons go between them.
pub(in crate::message) fn parameter(name: &str, value: &str) -> Vec<String> {
    if is_plain(value) {
        vec![format!("{name}={}", quoted(value))]
    } else {
        extended(name, value)
    }
}

/// Returns the parameter that tells the name of a file.
///
/// Only `filename*=` stands for a name that needs it: Python and GMime would take a plain `filename=`
/// beside it for the name. The stand-in for older readers is `name=` of the Content-Type.
pub(in crate::message) fn file_name(value: &str) -> Vec<String> {
    // Not all readers undo backslashes in a quoted string, and some do it twice. PHP's mailparse takes
    // off a blank before the closing quote.
    if value.contains(['"', '\\']) || value.starts_with(' ') || value.ends_with(' ') {
        extended("filename", value)
    } else {
        parameter("filename", value)
    }
}

/// Returns a parameter in the form of RFC 2231.
fn extended(name: &str, value: &str) -> Vec<String> {
    let whole = format!("{name}*=utf-8''{}", percent_encoded(value));
    if whole.len() <= MAX_SEGMENT {
        return vec![whole];
    }
    // RFC 2231 section 3 numbers the segments; section 4.1 lets only the first name the charset.
    let mut segments = Vec::new();
    let mut segment = format!("{name}*0*=utf-8''");
    let limit = segment_limit(name, &whole);
    // Whole characters: a reader that decodes each segment alone would show halves as garbage.
    for c in value.chars() {
        let piece = percent_encoded(c.encode_utf8(&mut [0; 4]));
        if segment.len() + piece.len() > limit {
            segments.push(segment);
            segment = format!("{name}*{}*=", segments.len());
        }
        segment.push_str(&piece);
    }
    segments.push(segment);
    segments
}

/// The longest segment that keeps their number low; a file's name of 255 characters needs no longer ones.
const MAX_LONG_SEGMENT: usize = 400;

/// Returns how long segments may become: longer than a line should be where there would be too many,
/// but not for what can be no name of a file.
fn segment_limit(name: &str, whole: &str) -> usize {
    // In front of the first segment's text, and what a character that did not fit leaves free.
    let begin = format!("{name}*0*=utf-8''").len();
    let rest = "%F0%9F%9A%80".len();
    let needed = begin + whole.len().div_ceil(MAX_SEGMENTS) + rest;
    if needed > MAX_LONG_SEGMENT {
        return MAX_SEGMENT;
    }
    needed.max(MAX_SEGMENT)
}

/// Appends pieces to a field, with semicolons between them.
pub(in crate::message) fn push_pieces(field: &mut FoldedField, pieces: &[String]) {
    let last = pieces.len().saturating_sub(1);
    for (index, piece) in pieces.iter().enumerate() {
        // The semicolon stands on the piece's line and counts.
        let separator = if index < last { ";" } else { "" };
        field.push(&format!("{piece}{separator}"));
    }
}

/// Returns a plain value instead of one that needs RFC 2231, for readers that know only `name=`.
pub(in crate::message) fn ascii_fallback(value: &str) -> String {
    let ascii: String = value
        .chars()
        .map(|c| {
            if matches!(c, ' '..='~') && !matches!(c, '"' | '\\' | '<') {
                c
            } else {
                '_'
            }
        })
        .collect();
    // Some readers would take `=?` for an encoded word.
    let ascii = ascii.replace("=?", "_?");
    if ascii.len() <= MAX_PLAIN {
        return ascii;
    }
    match ascii.rsplit_once('.') {
        // The extension decides which program opens the file: it survives the cut.
        Some((_, extension)) if extension.len() < 10 => {
            format!("{}.{extension}", &ascii[..MAX_PLAIN - 1 - extension.len()])
        }
        _ => ascii[..MAX_PLAIN].to_owned(),
    }
}

/// Returns whether a token or quoted string on one line carries the value.
///
/// Some readers decode encoded words even here, and some take angle brackets off.
pub(in crate::message) fn is_plain(value: &str) -> bool {
    value.len() <= MAX_PLAIN
        && value.bytes().all(|b| b.is_ascii_graphic() || b == b' ')
        && !value.contains("=?")
        && !value.starts_with('<')
}

/// Returns the value as a token if every reader takes it for one, else as a quoted string.
fn quoted(value: &str) -> String {
    // RFC 2045 allows more in a token, but Python knows no apostrophe, percent sign or asterisk in one.
    let is_word_byte = |b: u8| b.is_ascii_alphanumeric() || b"._+-".contains(&b);
    if !value.is_empty() && value.bytes().all(is_word_byte) {
        return value.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in value.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted + "\""
}

/// Returns whether the byte is allowed in a token (RFC 2045 section 5.1).
pub(in crate::message) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&byte)
}

/// Encodes all but the attribute characters of RFC 2231 section 7, and of them `_`, which PHP's
/// mailparse takes for a blank.
fn percent_encoded(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if is_token_byte(byte) && !b"*'%_".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_every_kind() {
        let table: &[(&str, &[&str])] = &[
            ("report.pdf", &["f=report.pdf"]),
            ("my report.pdf", &["f=\"my report.pdf\""]),
            ("a\"b\\c", &["f=\"a\\\"b\\\\c\""]),
            ("", &["f=\"\""]),
            ("it's.txt", &["f=\"it's.txt\""]),
            ("100%.txt", &["f=\"100%.txt\""]),
            ("a*b", &["f=\"a*b\""]),
            (".rc_a-b+c.1", &["f=.rc_a-b+c.1"]),
            ("a{b}", &["f=\"a{b}\""]),
            ("Größe.txt", &["f*=utf-8''Gr%C3%B6%C3%9Fe.txt"]),
            ("=?x?=", &["f*=utf-8''%3D%3Fx%3F%3D"]),
        ];
        for (value, expected) in table {
            assert_eq!(parameter("f", value), *expected);
        }
    }

    #[test]
    fn a_file_name_with_quotes_or_backslashes_is_extended() {
        for (name, expected) in [
            ("a\"b", "filename*=utf-8''a%22b"),
            ("a\\b", "filename*=utf-8''a%5Cb"),
            (" a", "filename*=utf-8''%20a"),
            ("a ", "filename*=utf-8''a%20"),
            ("ö_", "filename*=utf-8''%C3%B6%5F"),
            ("a b", "filename=\"a b\""),
        ] {
            assert_eq!(file_name(name), [expected]);
            let stand_in = ascii_fallback(name);
            assert_eq!(quoted(&stand_in).matches(['"', '\\']).count() % 2, 0);
            assert!(parameter("name", &stand_in)[0].starts_with("name="));
        }
    }

    #[test]
    fn long_values_are_continued() {
        let value = "ö".repeat(40);
        let segments = parameter("filename", &value);
        assert!(segments.iter().all(|segment| segment.len() <= 76));
        assert!(segments[0].starts_with("filename*0*=utf-8''%C3%B6"));
        assert!(segments[1].starts_with("filename*1*=%C3"));
    }

    #[test]
    fn no_name_has_so_many_segments_that_their_order_is_lost() {
        for character in ["a", "ö", "語", "🚀", "a🚀"] {
            for count in [10, 60, 61, 100, 200, 255] {
                let value: String = character.repeat(count).chars().take(255).collect();
                let value = format!("{value} ");
                let segments = file_name(&value);
                assert!(segments.len() <= 10, "{value}: {}", segments.len());
                assert!(segments.iter().all(|segment| segment.len() < 400));
                let text: String = segments
                    .iter()
                    .map(|segment| segment.rsplit(['=', '\'']).next().unwrap())
                    .collect();
                assert_eq!(text, percent_encoded(&value));
            }
        }
    }

    #[test]
    fn the_fallback_keeps_the_extension() {
        assert_eq!(ascii_fallback("Größe.txt"), "Gr__e.txt");
        let long = ascii_fallback(&format!("{}.pdf", "ü".repeat(200)));
        assert!(long.len() == 60 && long.ends_with("_.pdf"));
    }
}
