//! Decoding bytes to text, whether their label is right, wrong or missing.

use std::borrow::Cow;

use encoding_rs::{UTF_8, WINDOWS_1252};

use super::detect::{Charset, decode_text};
use super::labels::{Label, look_up};
use super::named::{NamedCharset, web_pieces};
use super::wide::marked_unit;

/// Returns bytes with the label of a charset as text; invalid bytes become U+FFFD.
///
/// Bytes without a label, or with one that we do not know or that cannot be right, are read as
/// [`decode_text`] does.
pub(crate) fn in_charset<'a>(bytes: &'a [u8], label: Option<&str>) -> Cow<'a, str> {
    match true_charset(bytes, label) {
        None => decode_text(bytes),
        Some(charset) => charset.decode(bytes),
    }
}

/// Hands bytes with the label of a charset to `emit` as text, a piece at a time: the text of a
/// message may be several times as long as its bytes.
pub(crate) fn each_in_charset(bytes: &[u8], label: Option<&str>, emit: &mut dyn FnMut(&str)) {
    if let Some(charset) = true_charset(bytes, label) {
        // Most mail is plain ASCII whatever it names: nothing is copied.
        return match std::str::from_utf8(bytes) {
            Ok(text) if charset.is_ascii_compatible() && bytes.is_ascii() => emit(text),
            Ok(text) if charset.is_utf_8() && !text.starts_with('\u{feff}') => emit(text),
            _ => charset.each_piece(bytes, emit),
        };
    }
    // Most texts are UTF-8: they are looked at once.
    let decoder = match std::str::from_utf8(bytes) {
        Ok(text) => return emit(text),
        Err(_) if Charset::of(bytes) == Charset::Utf8 => UTF_8.new_decoder_without_bom_handling(),
        Err(_) => WINDOWS_1252.new_decoder_without_bom_handling(),
    };
    web_pieces(decoder, bytes, emit);
}

/// Returns the charset that a label names, unless the bytes prove it wrong; without one, the charset
/// that a byte order mark names.
fn true_charset(bytes: &[u8], label: Option<&str>) -> Option<NamedCharset> {
    let Label::Known(charset) = look_up(label.unwrap_or_default()) else {
        return marked_charset(bytes);
    };
    let is_wrong = match charset {
        NamedCharset::Ascii => true,
        NamedCharset::Utf7 | NamedCharset::Utf7Imap => !bytes.is_ascii(),
        // Texts with stray bytes are read as far as they can be; what is UTF-8 is so.
        _ if charset.is_seven_bit() => !bytes.is_ascii() && std::str::from_utf8(bytes).is_ok(),
        _ if charset.is_utf_8() => marked_charset(bytes).is_some(),
        _ => false,
    };
    if is_wrong {
        marked_charset(bytes)
    } else {
        Some(charset)
    }
}

/// Returns UTF-16 or UTF-32 for a text that its byte order mark says to be such.
fn marked_charset(bytes: &[u8]) -> Option<NamedCharset> {
    marked_unit(bytes).map(|unit| match unit {
        2 => NamedCharset::Utf16(None),
        _ => NamedCharset::Utf32(None),
    })
}
