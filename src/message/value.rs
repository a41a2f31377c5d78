//! The gate for header fields: types that cannot contain invalid bytes.
//!
//! Construction is the only check; the code that renders these values relies on it.

use std::error::Error;
use std::fmt;

use crate::address::spaces_for_controls;
use crate::charset::decode_text;

/// Why bytes are not allowed in a header field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueError {
    /// The text refused, decoded; not sanitised.
    pub text: String,
    /// The rule it breaks, as an English clause.
    pub reason: &'static str,
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason)
    }
}

impl Error for ValueError {}

/// The name of a header field; names are equal whatever their case.
#[derive(Clone, Debug)]
pub struct HeaderName(String);

impl HeaderName {
    /// The longest name taken: with its colon it leaves a line of 78 columns whole.
    pub const MAX_LEN: usize = 76;

    /// Checks a name: printable ASCII without a colon (RFC 5322 section 2.2).
    ///
    /// # Errors
    /// Names the rule that the text breaks.
    pub fn new(name: &str) -> Result<HeaderName, ValueError> {
        let reason = if name.is_empty() {
            "the name of the header field is empty"
        } else if name.len() > HeaderName::MAX_LEN {
            "the name of the header field is longer than 76 bytes"
        } else if !name.bytes().all(|b| b.is_ascii_graphic() && b != b':') {
            "the name of the header field contains a blank, a control character, a colon or a non-ASCII byte"
        } else {
            return Ok(HeaderName(name.to_owned()));
        };
        let text = name.to_owned();
        Err(ValueError { text, reason })
    }

    /// Returns the name of a field that this program itself writes.
    ///
    /// # Panics
    /// Panics if the name is not valid: it must be a literal.
    pub fn known(name: &'static str) -> HeaderName {
        HeaderName::new(name).expect("names in the program are valid")
    }

    /// Returns the name as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether it is this name, in any case.
    pub fn is(&self, name: &str) -> bool {
        self.0.eq_ignore_ascii_case(name)
    }
}

impl PartialEq for HeaderName {
    fn eq(&self, other: &HeaderName) -> bool {
        self.is(&other.0)
    }
}

impl Eq for HeaderName {}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The unstructured text of a header field, on one line and without controls.
///
/// A tab is white space (RFC 5322 section 2.2.2) and is allowed in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderValue(String);

impl HeaderValue {
    /// Checks a text.
    ///
    /// # Errors
    /// Refuses CR, LF, NUL and every other control but the tab.
    pub fn new(text: impl Into<String>) -> Result<HeaderValue, ValueError> {
        let text = text.into();
        if text.chars().any(|c| c.is_control() && c != '\t') {
            let reason = if text.contains(['\r', '\n']) {
                "the value of the header field contains a line end"
            } else {
                "the value of the header field contains a control character"
            };
            return Err(ValueError { text, reason });
        }
        Ok(HeaderValue(text))
    }

    /// Checks bytes as they come from a command line; bytes that are not UTF-8 are decoded.
    ///
    /// # Errors
    /// As for [`HeaderValue::new`].
    pub fn from_bytes(bytes: &[u8]) -> Result<HeaderValue, ValueError> {
        HeaderValue::new(decode_text(bytes))
    }

    /// Makes a value of any bytes, as subjects need it, and says whether they had to be changed.
    ///
    /// A run of controls becomes one space: no sender may silence an alarm with a
    /// newline. Decoding what is not UTF-8 does not count as a change.
    pub fn from_free_text(bytes: &[u8]) -> (HeaderValue, bool) {
        let text = decode_text(bytes);
        let clean = spaces_for_controls(&text);
        let changed = clean != text;
        (HeaderValue(clean.into_owned()), changed)
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HeaderValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of an attached file: no directories, no controls, never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName(String);

impl FileName {
    /// The longest name kept, in characters; file systems allow no longer ones.
    pub const MAX_CHARS: usize = 255;

    /// Makes a name of a path: its last component, with `_` for every control.
    ///
    /// Bytes that are not UTF-8 are decoded as bodies are. A path without a
    /// last component, such as `/` or `..`, becomes `attachment`.
    pub fn from_path(path: &[u8]) -> FileName {
        let text = decode_text(path);
        let text = text.trim_end_matches('/');
        // The sender's directories are not the recipient's business, and `../` in a name could
        // lead a careless reader out of its own directory.
        let last = text.rsplit('/').next().unwrap_or(text);
        let name: String = last
            .chars()
            .take(FileName::MAX_CHARS)
            .map(|c| if c.is_control() { '_' } else { c })
            .collect();
        match name.trim() {
            "" | "." | ".." => FileName("attachment".to_owned()),
            // Blanks at its ends are part of a name.
            _ => FileName(name),
        }
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns what follows the last dot, in lower case; a name has none that only starts with a dot.
    pub fn extension(&self) -> Option<String> {
        let (stem, extension) = self.0.rsplit_once('.')?;
        (!stem.is_empty() && !extension.is_empty()).then(|| extension.to_ascii_lowercase())
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The identifier of a part, by which an HTML text of the same message shows it (RFC 2392).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentId(String);

impl ContentId {
    /// The longest one: its field cannot be folded.
    pub const MAX_LEN: usize = 250;

    /// Checks a text: it may hold what needs no escape in a URL, in a header field and in HTML.
    pub fn new(text: &str) -> Option<ContentId> {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b".-_@+".contains(&b);
        let is_sound = (1..=ContentId::MAX_LEN).contains(&text.len()) && text.bytes().all(is_plain);
        is_sound.then(|| ContentId(text.to_owned()))
    }

    /// Returns the text, without angle brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_at_every_place_of_a_value() {
        for byte in 0..=255u8 {
            for place in 0..=4 {
                let mut bytes = b"test".to_vec();
                bytes.insert(place, byte);
                let control = (byte < 0x20 && byte != b'\t')
                    || byte == 0x7f
                    || matches!(byte, 0x81 | 0x8d | 0x8f | 0x90 | 0x9d);
                assert_eq!(
                    HeaderValue::from_bytes(&bytes).is_err(),
                    control,
                    "{byte:#x}"
                );
                let (value, changed) = HeaderValue::from_free_text(&bytes);
                assert_eq!(changed, control || byte == b'\t', "{byte:#x}");
                assert!(!value.as_str().chars().any(char::is_control));
            }
        }
    }

    #[test]
    fn every_byte_in_a_name() {
        for byte in 0..=127u8 {
            let name = format!("X{}Y", char::from(byte));
            let valid = byte > 0x20 && byte < 0x7f && byte != b':';
            assert_eq!(HeaderName::new(&name).is_ok(), valid, "{byte:#x}");
        }
        assert!(HeaderName::new("").is_err());
        assert!(HeaderName::new("Größe").is_err());
        assert_eq!(HeaderName::known("To"), HeaderName::known("tO"));
    }

    #[test]
    fn a_run_of_controls_becomes_one_space() {
        let (value, changed) = HeaderValue::from_free_text(b"t\r\n\tBcc: evil@x");
        assert_eq!(value.as_str(), "t Bcc: evil@x");
        assert!(changed);
    }

    #[test]
    fn file_names_lose_directories_and_controls() {
        let table: &[(&[u8], &str)] = &[
            (b"report.pdf", "report.pdf"),
            (b"/etc/passwd", "passwd"),
            (b"../../x", "x"),
            (b"a\nb\0c", "a_b_c"),
            (b"dir/", "dir"),
            (b"/", "attachment"),
            (b"", "attachment"),
            (b"..", "attachment"),
            (b"caf\xe9.txt", "café.txt"),
        ];
        for (path, name) in table {
            assert_eq!(FileName::from_path(path).as_str(), *name);
        }
        assert_eq!(FileName::from_path(&[b'a'; 5000]).as_str().len(), 255);
        assert_eq!(
            FileName::from_path(b"a.TAR.GZ").extension().as_deref(),
            Some("gz")
        );
        assert_eq!(FileName::from_path(b".bashrc").extension(), None);
    }
}
