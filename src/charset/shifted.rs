//! Charsets of seven bits that shift between ASCII and something else.
//!
//! The Encoding Standard has dropped them, because a browser must not take ASCII for markup that a
//! filter did not see. Here what was decoded is shown as text, through `sanitize`.

use std::borrow::Cow;

use super::wide::PIECE;

/// Hands UTF-7 (RFC 2152) to `emit` as text.
pub(super) fn utf_7(bytes: &[u8], emit: &mut dyn FnMut(&str)) {
    decode(bytes, b'+', b'/', emit);
}

/// Hands IMAP's UTF-7 (RFC 3501 section 5.1.3) to `emit` as text.
pub(super) fn utf_7_imap(bytes: &[u8], emit: &mut dyn FnMut(&str)) {
    decode(bytes, b'&', b',', emit);
}

/// Decodes UTF-7 of either kind: which byte shifts to base64, and which is its 63rd digit.
fn decode(bytes: &[u8], shift: u8, digit_63: u8, emit: &mut dyn FnMut(&str)) {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        byte if byte == digit_63 => Some(63),
        _ => None,
    };
    let mut text = String::new();
    let mut rest = bytes;
    while let Some(at) = memchr::memchr(shift, rest) {
        push_ascii(&mut text, &rest[..at], emit);
        rest = &rest[at + 1..];
        let end = rest.iter().position(|&byte| digit(byte).is_none());
        let (encoded, after) = rest.split_at(end.unwrap_or(rest.len()));
        if encoded.is_empty() {
            // `+-` is a plus; one that begins nothing is kept as well.
            text.push(char::from(shift));
        } else {
            push_units(&mut text, encoded.iter().filter_map(|&byte| digit(byte)));
        }
        rest = after.strip_prefix(b"-").unwrap_or(after);
    }
    push_ascii(&mut text, rest, emit);
    emit(&text);
}

/// Appends bytes that are ASCII, and hands the text on where it is long.
fn push_ascii(text: &mut String, bytes: &[u8], emit: &mut dyn FnMut(&str)) {
    for piece in bytes.chunks(PIECE) {
        text.push_str(&String::from_utf8_lossy(piece));
        if text.len() >= PIECE {
            emit(text);
            text.clear();
        }
    }
}

/// Appends the UTF-16 that digits of six bits hold; the bits behind the last unit are padding.
fn push_units(text: &mut String, digits: impl Iterator<Item = u8>) {
    let (mut bits, mut count) = (0u32, 0);
    let units = digits.filter_map(|digit| {
        bits = (bits << 6 | u32::from(digit)) & 0x3f_ffff;
        count += 6;
        (count >= 16).then(|| {
            count -= 16;
            (bits >> count & 0xffff) as u16
        })
    });
    text.extend(char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)));
}

/// Returns HZ (RFC 1843) as the GBK that it stands for.
pub(super) fn hz_to_gbk(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut is_chinese = false;
    let mut rest = bytes;
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'~', [b'{', after @ ..]) => (is_chinese, rest) = (true, after),
            (b'~', [b'}', after @ ..]) => (is_chinese, rest) = (false, after),
            (b'~', [b'~', after @ ..]) if !is_chinese => {
                out.push(b'~');
                rest = after;
            }
            // A line that goes on.
            (b'~', [b'\n', after @ ..]) if !is_chinese => rest = after,
            // A line end shifts back, as old writers left it to readers.
            (b'\n', _) => {
                is_chinese = false;
                out.push(b'\n');
            }
            (0x21..=0x7e, [second @ 0x21..=0x7e, after @ ..]) if is_chinese => {
                out.extend_from_slice(&[first | 0x80, second | 0x80]);
                rest = after;
            }
            _ => out.push(*first),
        }
    }
    out
}

/// Returns ISO-2022-JP (RFC 1468) without the escapes that another one follows at once.
///
/// The Encoding Standard makes U+FFFD of them, because they may hide markup from a filter. Encoded
/// words that are joined have them between any two.
pub(super) fn without_idle_escapes(bytes: &[u8]) -> Cow<'_, [u8]> {
    /// Escapes to character sets: `ESC ( B`, `ESC ( J`, `ESC ( I`, `ESC $ @`, `ESC $ B`.
    fn is_escape(bytes: &[u8]) -> bool {
        matches!(
            bytes,
            [0x1b, b'(', b'B' | b'J' | b'I', ..] | [0x1b, b'$', b'@' | b'B', ..]
        )
    }
    const LEN: usize = 3;
    let is_idle = |at: usize| is_escape(&bytes[at..]) && is_escape(&bytes[at + LEN..]);
    let Some(first) = memchr::memchr_iter(0x1b, bytes).find(|&at| is_idle(at)) else {
        return Cow::Borrowed(bytes);
    };
    let mut out = bytes[..first].to_vec();
    let mut from = first;
    for at in memchr::memchr_iter(0x1b, &bytes[first..]).map(|at| first + at) {
        if is_idle(at) {
            out.extend_from_slice(&bytes[from..at]);
            from = at + LEN;
        }
    }
    out.extend_from_slice(&bytes[from..]);
    Cow::Owned(out)
}

/// Returns ISO-2022-KR (RFC 1557) as the EUC-KR that it stands for.
pub(super) fn iso_2022_kr_to_euc(bytes: &[u8]) -> Vec<u8> {
    /// Says that SO shifts to KS C 5601; stands once, at the beginning of a line.
    const DESIGNATION: &[u8] = b"\x1b$)C";
    let mut out = Vec::with_capacity(bytes.len());
    let mut is_korean = false;
    let mut rest = bytes;
    while let [first, after @ ..] = rest {
        if let Some(after) = rest.strip_prefix(DESIGNATION) {
            rest = after;
            continue;
        }
        rest = after;
        match first {
            0x0e => is_korean = true,
            0x0f => is_korean = false,
            b'\n' => {
                is_korean = false;
                out.push(b'\n');
            }
            0x21..=0x7e if is_korean => out.push(first | 0x80),
            _ => out.push(*first),
        }
    }
    out
}
