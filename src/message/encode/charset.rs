//! The four charsets we send, and how bytes of unknown origin become text.

use std::borrow::Cow;
use std::fmt;

/// A charset that a part we make may be labelled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    /// Seven bits only.
    UsAscii,
    /// Valid UTF-8.
    Utf8,
    /// Not UTF-8, and no byte that windows-1252 leaves undefined.
    Windows1252,
    /// Anything else: every byte means something in it.
    Iso8859_1,
}

impl Charset {
    /// Returns the name registered for MIME.
    pub fn name(self) -> &'static str {
        match self {
            Charset::UsAscii => "us-ascii",
            Charset::Utf8 => "utf-8",
            Charset::Windows1252 => "windows-1252",
            Charset::Iso8859_1 => "iso-8859-1",
        }
    }

    /// Returns the charset of a text in memory.
    pub fn of(bytes: &[u8]) -> Charset {
        if bytes.is_ascii() {
            Charset::UsAscii
        } else if std::str::from_utf8(bytes).is_ok() {
            Charset::Utf8
        } else if !bytes.iter().any(|&byte| is_undefined_in_windows_1252(byte)) {
            Charset::Windows1252
        } else {
            Charset::Iso8859_1
        }
    }
}

impl fmt::Display for Charset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Returns whether windows-1252 gives the byte no meaning.
pub(in crate::message) fn is_undefined_in_windows_1252(byte: u8) -> bool {
    matches!(byte, 0x81 | 0x8D | 0x8F | 0x90 | 0x9D)
}

/// Returns bytes of unknown origin (an argument, a file name) as text, by the rule for bodies.
pub fn decode_text(bytes: &[u8]) -> Cow<'_, str> {
    match Charset::of(bytes) {
        Charset::UsAscii | Charset::Utf8 => String::from_utf8_lossy(bytes),
        Charset::Windows1252 => {
            encoding_rs::WINDOWS_1252
                .decode_without_bom_handling(bytes)
                .0
        }
        Charset::Iso8859_1 => encoding_rs::mem::decode_latin1(bytes),
    }
}

/// Returns the bytes of a text that [`decode_text`] made of bytes of this charset.
pub fn encode_text(text: &str, charset: Charset) -> Vec<u8> {
    match charset {
        Charset::UsAscii | Charset::Utf8 => text.as_bytes().to_vec(),
        Charset::Windows1252 => encoding_rs::WINDOWS_1252.encode(text).0.into_owned(),
        Charset::Iso8859_1 => encoding_rs::mem::encode_latin1_lossy(text).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_charset_follows_the_bytes() {
        let table: &[(&[u8], &str, &str)] = &[
            (b"plain", "us-ascii", "plain"),
            (b"", "us-ascii", ""),
            ("Größe".as_bytes(), "utf-8", "Größe"),
            (b"Gr\xf6\xdfe \x80", "windows-1252", "Größe €"),
            (b"caf\xe9 \x81", "iso-8859-1", "café \u{81}"),
            (b"\xed\xa0\x80", "windows-1252", "í\u{a0}€"),
        ];
        for (bytes, charset, text) in table {
            assert_eq!(Charset::of(bytes).name(), *charset);
            assert_eq!(decode_text(bytes), *text);
            assert_eq!(encode_text(text, Charset::of(bytes)), *bytes);
        }
    }
}
