//! The lines of a configuration as text, so that every byte can be had back.
//!
//! A line that is not UTF-8 is read as windows-1252, in which each byte is one character. The words
//! of it become bytes again: file names are those bytes, and which charset the text of a value has is
//! decided for each value by [`charset`](crate::charset).

use std::borrow::Cow;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use crate::charset::{Charset, decode_reversibly, encode_text};

/// Returns a line as text.
pub(crate) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    decode_reversibly(bytes).0
}

/// Returns the bytes of a text that [`decode`] made of bytes that were not UTF-8.
pub(crate) fn encode(text: &str) -> OsString {
    OsString::from_vec(encode_text(text, Charset::Windows1252))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_comes_back() {
        let bytes: Vec<u8> = (0..=255).collect();
        let text = decode(&bytes);
        assert_eq!(text.chars().count(), 256);
        assert_eq!(encode(&text).into_vec(), bytes);
        assert_eq!(decode("Größe".as_bytes()), "Größe");
    }
}
