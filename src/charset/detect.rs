//! The charset of bytes without a label: one rule for everything that is sent or shown.

use std::borrow::Cow;
use std::fmt;

use encoding_rs::WINDOWS_1252;

/// A charset that a text we send may be labelled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Charset {
    /// Seven bits only.
    UsAscii,
    /// UTF-8, perhaps with some bad bytes in it.
    Utf8,
    /// Not UTF-8, and no byte that windows-1252 leaves undefined.
    Windows1252,
    /// Anything else: every byte means something in it.
    Iso8859_1,
    /// UTF-16 with a byte order mark: only a file is labelled so, a text becomes UTF-8.
    Utf16,
}

impl Charset {
    /// Returns the name registered for MIME.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Charset::UsAscii => "us-ascii",
            Charset::Utf8 => "utf-8",
            Charset::Windows1252 => "windows-1252",
            Charset::Iso8859_1 => "iso-8859-1",
            Charset::Utf16 => "utf-16",
        }
    }

    /// Returns the charset of a short text in memory, such as a subject.
    pub(crate) fn of(bytes: &[u8]) -> Charset {
        if bytes.is_ascii() {
            return Charset::UsAscii;
        }
        let mut count = Utf8Count::default();
        count.push(bytes);
        count.end();
        let has_undefined = bytes.iter().any(|&byte| is_undefined_in_windows_1252(byte));
        Charset::of_eight_bit(&count, has_undefined)
    }

    /// Decides for bytes that are not ASCII.
    pub(crate) fn of_eight_bit(count: &Utf8Count, has_undefined_1252: bool) -> Charset {
        if count.is_mostly_valid() {
            Charset::Utf8
        } else if has_undefined_1252 {
            Charset::Iso8859_1
        } else {
            Charset::Windows1252
        }
    }
}

impl fmt::Display for Charset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// With so many more bad places than characters the count ends.
const HOPELESS: u64 = 1 << 16;

/// Returns whether these bytes begin a character of UTF-8 that no text of another charset looks like:
/// a sign such as `✓` (in windows-1252 it would be `â` and then `œ` or a control), or an emoji.
///
/// Such a character counts twice.
fn is_symbol(bytes: &[u8]) -> bool {
    matches!(bytes, [0xe2, 0x80..=0x9f, ..] | [0xf0, 0x9f, ..])
}

/// Counts the valid multi-byte characters of UTF-8, and the places where the bytes are not valid
/// UTF-8.
///
/// A text of another charset has hardly any such character: that takes a letter such as `Ã` with a
/// sign such as `¶` behind it. A text of UTF-8 that was cut, or joined with other bytes, has many, and
/// few bad places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Utf8Count {
    characters: u64,
    bad_places: u64,
    /// The bytes of a character that the last block cut through.
    cut: Vec<u8>,
}

impl Utf8Count {
    /// Counts the next block.
    pub(crate) fn push(&mut self, block: &[u8]) {
        let mut rest = self.complete_cut(block);
        // Bytes of no charset at all may be long, and nothing of them is asked any more.
        while self.bad_places <= self.characters.saturating_add(HOPELESS) {
            let error = match std::str::from_utf8(rest) {
                Ok(text) => return self.count_characters(text.as_bytes()),
                Err(error) => error,
            };
            let (valid, bad) = rest.split_at(error.valid_up_to());
            self.count_characters(valid);
            match error.error_len() {
                Some(len) => {
                    self.bad_places += 1;
                    rest = &bad[len..];
                }
                // They may still become a character.
                None => return self.cut.extend_from_slice(bad),
            }
        }
    }

    /// Takes the bytes that complete the character cut through, or prove it wrong.
    fn complete_cut<'b>(&mut self, mut block: &'b [u8]) -> &'b [u8] {
        while let ([first, rest @ ..], false) = (block, self.cut.is_empty()) {
            self.cut.push(*first);
            match std::str::from_utf8(&self.cut) {
                Ok(_) => self.characters += 1 + u64::from(is_symbol(&self.cut)),
                Err(error) if error.error_len().is_none() => {
                    block = rest;
                    continue;
                }
                // The byte is no part of it, and may begin something else.
                Err(_) => {
                    self.cut.clear();
                    self.bad_places += 1;
                    return block;
                }
            }
            self.cut.clear();
            block = rest;
        }
        block
    }

    fn count_characters(&mut self, text: &[u8]) {
        if !text.is_ascii() {
            self.characters += text.iter().filter(|&&byte| byte >= 0xc0).count() as u64;
            self.characters += text.windows(2).filter(|pair| is_symbol(pair)).count() as u64;
        }
    }

    /// Ends the input: an incomplete character is then a bad place.
    pub(crate) fn end(&mut self) {
        self.bad_places += u64::from(!self.cut.is_empty());
        self.cut.clear();
    }

    /// Returns whether all bytes are UTF-8.
    pub(crate) fn is_valid(&self) -> bool {
        self.bad_places == 0 && self.cut.is_empty()
    }

    /// Returns whether the bytes are a text of UTF-8: its characters outweigh the bad places.
    pub(crate) fn is_mostly_valid(&self) -> bool {
        self.is_valid() || self.characters > self.bad_places
    }
}

/// Returns whether windows-1252 gives the byte no meaning.
pub(crate) fn is_undefined_in_windows_1252(byte: u8) -> bool {
    matches!(byte, 0x81 | 0x8D | 0x8F | 0x90 | 0x9D)
}

/// Returns bytes of unknown origin as text: those of an argument, a file name, a header field.
pub fn decode_text(bytes: &[u8]) -> Cow<'_, str> {
    // Most of it is: a mailbox has thousands of header fields.
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    match Charset::of(bytes) {
        // A byte that is no part of a character becomes U+FFFD.
        Charset::Utf8 => String::from_utf8_lossy(bytes),
        // The web's table of windows-1252 has a control for each byte that Microsoft has left out.
        _ => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

/// Returns bytes as text from which they can be had back, for what may name a file: UTF-8 if all of
/// it is, else windows-1252, in which each byte is one character.
///
/// What is shown or sent is a matter of [`decode_text`].
pub(crate) fn decode_reversibly(bytes: &[u8]) -> (Cow<'_, str>, Charset) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (Cow::Borrowed(text), Charset::Utf8),
        // A byte order mark would be swallowed, so it is not looked for.
        Err(_) => {
            let text = WINDOWS_1252.decode_without_bom_handling(bytes).0;
            (text, Charset::Windows1252)
        }
    }
}

/// Returns the bytes of a text that [`decode_reversibly`] made of bytes of this charset.
pub(crate) fn encode_text(text: &str, charset: Charset) -> Vec<u8> {
    match charset {
        Charset::Windows1252 => WINDOWS_1252.encode(text).0.into_owned(),
        _ => text.as_bytes().to_vec(),
    }
}
