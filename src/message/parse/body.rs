//! Transfer encodings, read leniently: bytes that cannot be decoded are skipped or kept.
//!
//! The decoders are our own and not mail-parser's, which drops a last unpadded
//! base64 quantum and gives up on a whole quoted-printable part for one `==`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::uuencode;

/// A content transfer encoding (RFC 2045 section 6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeclaredEncoding {
    /// 7bit, 8bit, binary, or one we do not know.
    #[default]
    Identity,
    /// base64.
    Base64,
    /// quoted-printable.
    QuotedPrintable,
    /// uuencode, of a file within a text; mailers of old have declared it, too.
    Uuencode,
}

impl DeclaredEncoding {
    /// Returns the encoding that a field body names.
    pub fn named(name: &str) -> DeclaredEncoding {
        let name = name.trim();
        if name.eq_ignore_ascii_case("base64") {
            DeclaredEncoding::Base64
        } else if name.eq_ignore_ascii_case("quoted-printable") {
            DeclaredEncoding::QuotedPrintable
        } else if ["x-uuencode", "uuencode", "x-uue"]
            .iter()
            .any(|other| name.eq_ignore_ascii_case(other))
        {
            DeclaredEncoding::Uuencode
        } else {
            DeclaredEncoding::Identity
        }
    }

    /// Returns how many bytes [`decode`](DeclaredEncoding::decode) returns; an attachment that is only
    /// listed is mostly not decoded for it.
    pub fn decoded_len(self, bytes: &[u8]) -> usize {
        match self {
            DeclaredEncoding::Identity => bytes.len(),
            DeclaredEncoding::Base64 => match memchr::memchr(b'=', bytes) {
                // Padding at the end alone, as nearly all mail has it: digits are counted.
                None => base64_digits(bytes) * 6 / 8,
                Some(at) if base64_digits(&bytes[at..]) == 0 => base64_digits(&bytes[..at]) * 6 / 8,
                Some(_) => base64(bytes).len(),
            },
            DeclaredEncoding::QuotedPrintable | DeclaredEncoding::Uuencode => {
                self.decode(bytes).len()
            }
        }
    }

    /// Returns the decoded bytes.
    pub fn decode(self, bytes: &[u8]) -> std::borrow::Cow<'_, [u8]> {
        match self {
            DeclaredEncoding::Identity => bytes.into(),
            DeclaredEncoding::Base64 => base64(bytes).into(),
            DeclaredEncoding::QuotedPrintable => quoted_printable(bytes, false).into(),
            DeclaredEncoding::Uuencode => uuencode::decode(bytes).into(),
        }
    }
}

fn base64_digits(bytes: &[u8]) -> usize {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    // In blocks, so that a count fits into a byte and many bytes are counted at once.
    let blocks = bytes.chunks(255);
    blocks
        .map(|block| {
            usize::from(
                block
                    .iter()
                    .map(|byte| u8::from(is_digit(byte)))
                    .sum::<u8>(),
            )
        })
        .sum()
}

/// Decodes base64; bytes outside the alphabet are skipped, padding begins a new quantum.
pub fn base64(bytes: &[u8]) -> Vec<u8> {
    let (mut out, rest) = whole_lines(bytes);
    decode_leniently(rest, &mut out);
    out
}

/// Decodes base64 of a text; the lines of a footer stay as they are, which a mailing list has put
/// behind it without a look at the encoding.
pub(super) fn base64_of_text(bytes: &[u8]) -> Vec<u8> {
    let (mut out, rest) = whole_lines(bytes);
    if out.is_empty() || !is_footer(rest) {
        decode_leniently(rest, &mut out);
        return out;
    }
    if !out.ends_with(b"\n") {
        out.push(b'\n');
    }
    out.extend_from_slice(rest);
    out
}

/// Returns whether lines behind base64 are text and not a damaged piece of it.
fn is_footer(rest: &[u8]) -> bool {
    const LONG: usize = 40;
    let is_base64 = |line: &&[u8]| {
        let line = line.trim_ascii();
        base64_digits(line) == line.len() - line.iter().filter(|&&byte| byte == b'=').count()
    };
    let mut lines = rest.split(|&byte| byte == b'\n');
    let first = lines.next().unwrap_or_default();
    !is_base64(&first) && !lines.any(|line| line.trim_ascii().len() >= LONG && is_base64(&line))
}

/// Decodes lines up to the first that does not consist of whole quanta, and returns the rest.
fn whole_lines(bytes: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut out = Vec::with_capacity(bytes.len() / 4 * 3 + 3);
    let mut rest = bytes;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        let (line, after) = rest.split_at(end);
        let before = out.len();
        if STANDARD.decode_vec(line.trim_ascii(), &mut out).is_err() {
            out.truncate(before);
            break;
        }
        rest = after;
    }
    (out, rest)
}

fn decode_leniently(bytes: &[u8], out: &mut Vec<u8>) {
    let (mut bits, mut count) = (0u32, 0u32);
    for &byte in bytes {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            // Padding: mailers join several encoded texts, each with its own.
            b'=' => {
                (bits, count) = (0, 0);
                continue;
            }
            _ => continue,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count & 0xff) as u8);
            bits &= (1 << count) - 1;
        }
    }
}

/// Decodes quoted-printable; an `=` that begins no escape stays.
///
/// In a body (not `in_word`) a soft line break joins lines, and blanks at the
/// end of a line vanish as RFC 2045 section 6.7 rule 3 says.
pub fn quoted_printable(bytes: &[u8], in_word: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        let (line, after) = rest.split_at(end);
        rest = after;
        let content = super::fields::trim_line_end(line);
        let ending = &line[content.len()..];
        let content = if in_word {
            content
        } else {
            content.trim_ascii_end()
        };
        // In an encoded word there are no lines: a `=` at its end is a broken escape and stays.
        let (content, soft) = match content.strip_suffix(b"=") {
            Some(content) if !in_word => (content, true),
            _ => (content, false),
        };
        unescape(content, &mut out);
        if !soft {
            out.extend_from_slice(ending);
        }
    }
    out
}

fn unescape(mut rest: &[u8], out: &mut Vec<u8>) {
    while let Some(at) = memchr::memchr(b'=', rest) {
        out.extend_from_slice(&rest[..at]);
        let hex = |offset: usize| {
            rest.get(at + offset)
                .and_then(|&byte| char::from(byte).to_digit(16))
        };
        match (hex(1), hex(2)) {
            (Some(high), Some(low)) => {
                out.push((high << 4 | low) as u8);
                rest = &rest[at + 3..];
            }
            _ => {
                out.push(b'=');
                rest = &rest[at + 1..];
            }
        }
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_leniently() {
        let cases: &[(&[u8], &[u8])] = &[
            (b"aGVsbG8=", b"hello"),
            (b"aGVsbG8", b"hello"),
            (b"aGVs\r\nbG8=\r\n", b"hello"),
            (b"aGk=aGk=", b"hihi"),
            (b"a*G-V?sbG8=", b"hello"),
            (b"a", b""),
            (b"", b""),
        ];
        for (given, expected) in cases {
            assert_eq!(
                base64(given),
                *expected,
                "{}",
                String::from_utf8_lossy(given)
            );
        }
    }

    #[test]
    fn a_footer_behind_base64_of_a_text_stays() {
        let footer = "_______________\nlist mailing list\nlist@example.org\n";
        let rows = [
            ("aGVsbG8K\n", footer, "hello\n"),
            ("aGVsbG8=\r\n", "\r\n-- \r\nlist\r\n", "hello\n"),
            (
                "aGVsbG8K\naGVsbG8K\n",
                "list.example.org\n",
                "hello\nhello\n",
            ),
        ];
        for (encoded, footer, text) in rows {
            let given = format!("{encoded}{footer}");
            let expected = format!("{text}{}", footer.trim_start());
            let out = base64_of_text(given.as_bytes());
            assert_eq!(String::from_utf8_lossy(&out), expected, "{given}");
        }
        // A damaged line within is no footer.
        let line = "aGVsbG8K".repeat(9);
        let damaged = format!("{line}\n**{line}\n{line}\n");
        assert_eq!(
            base64_of_text(damaged.as_bytes()),
            base64(damaged.as_bytes())
        );
        assert_eq!(
            base64_of_text(b"no base64, but text\n"),
            base64(b"no base64, but text\n")
        );
    }

    proptest::proptest! {
        #[test]
        fn base64_is_the_same_line_by_line(text in "([A-Za-z0-9+/=\\r\\n]{0,9}\n){0,9}") {
            let mut expected = Vec::new();
            decode_leniently(text.as_bytes(), &mut expected);
            proptest::prop_assert_eq!(base64(text.as_bytes()), expected);
        }

        #[test]
        fn the_length_is_that_of_the_decoded_bytes(text in "[A-Za-z0-9+/=\\r\\n*]{0,300}") {
            for encoding in [
                DeclaredEncoding::Identity,
                DeclaredEncoding::Base64,
                DeclaredEncoding::QuotedPrintable,
                DeclaredEncoding::Uuencode,
            ] {
                let bytes = text.as_bytes();
                proptest::prop_assert_eq!(encoding.decoded_len(bytes), encoding.decode(bytes).len());
            }
        }
    }

    #[test]
    fn quoted_printable_is_read_leniently() {
        let cases: &[(&[u8], &[u8])] = &[
            (b"caf=C3=A9\n", "café\n".as_bytes()),
            (b"soft=\r\n break", b"soft break"),
            (b"soft= \n break", b"soft break"),
            (b"tail  \nnext", b"tail\nnext"),
            (b"a==3D", b"a=="),
            (b"100=zz=", b"100=zz"),
            (b"=", b""),
        ];
        for (given, expected) in cases {
            assert_eq!(
                quoted_printable(given, false),
                *expected,
                "{}",
                String::from_utf8_lossy(given)
            );
        }
    }
}
