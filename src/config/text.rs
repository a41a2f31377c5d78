//! Text of a configuration: UTF-8, or else windows-1252, so that every byte can be had back.
//!
//! What is shown is text; what names a file is bytes. A line that is not UTF-8 is read as
//! windows-1252, in which each byte is one character, and file names in it become those bytes again.

use std::borrow::Cow;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use encoding_rs::WINDOWS_1252;

/// Returns bytes as text.
pub(crate) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        // The web's table of windows-1252 gives each of the 256 bytes a character, also the five
        // that Microsoft has left out. A byte order mark would be swallowed, so it is not looked
        // for.
        Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

/// Returns the bytes of a text that [`decode`] made of bytes that were not UTF-8.
pub(crate) fn encode(text: &str) -> OsString {
    OsString::from_vec(WINDOWS_1252.encode(text).0.into_owned())
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
