//! Transfer encodings, read leniently: bytes that cannot be decoded are skipped or kept.
//!
//! The decoders are our own and not mail-parser's, which drops a last unpadded
//! base64 quantum and gives up on a whole quoted-printable part for one `==`.

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
}

impl DeclaredEncoding {
    /// Returns the encoding that a field body names.
    pub fn named(name: &str) -> DeclaredEncoding {
        let name = name.trim();
        if name.eq_ignore_ascii_case("base64") {
            DeclaredEncoding::Base64
        } else if name.eq_ignore_ascii_case("quoted-printable") {
            DeclaredEncoding::QuotedPrintable
        } else {
            DeclaredEncoding::Identity
        }
    }

    /// Returns the decoded bytes.
    pub fn decode(self, bytes: &[u8]) -> std::borrow::Cow<'_, [u8]> {
        match self {
            DeclaredEncoding::Identity => bytes.into(),
            DeclaredEncoding::Base64 => base64(bytes).into(),
            DeclaredEncoding::QuotedPrintable => quoted_printable(bytes, false).into(),
        }
    }
}

/// Decodes base64; bytes outside the alphabet are skipped, padding begins a new quantum.
pub fn base64(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() / 4 * 3 + 3);
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
    out
}

/// Decodes quoted-printable; an `=` that begins no escape stays.
///
/// In a body (not `in_word`) a soft line break joins lines, and blanks at the
/// end of a line vanish as RFC 2045 section 6.7 rule 3 says.
pub fn quoted_printable(bytes: &[u8], in_word: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
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
