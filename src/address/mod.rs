//! Addresses: what an envelope may hold, and lists of recipients as people type them.
//!
//! Pure: text in, values out. Which names are accounts here, what an alias
//! stands for and where a copy goes is decided elsewhere.

use std::error::Error;
use std::fmt;

/// An address or local name that may stand in an envelope (security rule S2).
///
/// Holds 1 to 254 bytes of UTF-8 without blanks and controls and without a `-`
/// in front, so that it can be an argument of a program and a path of an SMTP
/// command without quoting. Construction is the only check.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EnvelopeAddress(String);

impl EnvelopeAddress {
    /// The longest address an envelope takes, in bytes (RFC 5321 section 4.5.3.1.3, without `<>`).
    pub const MAX_LEN: usize = 254;

    /// Checks an address.
    ///
    /// # Errors
    /// Says which rule it breaks.
    pub fn new(text: impl Into<String>) -> Result<EnvelopeAddress, AddressError> {
        let text = text.into();
        let reason = if text.is_empty() {
            "it is empty"
        } else if text.len() > EnvelopeAddress::MAX_LEN {
            "it is longer than 254 bytes"
        } else if text.chars().any(char::is_control) {
            "it holds a control character"
        } else if text.chars().any(char::is_whitespace) {
            "it holds a blank"
        } else if text.starts_with('-') {
            "it starts with '-'"
        } else if text.contains(['<', '>']) {
            "it holds an angle bracket"
        } else if text.starts_with('@') || text.ends_with('@') {
            "a part before or after '@' is missing"
        } else {
            return Ok(EnvelopeAddress(text));
        };
        Err(AddressError { text, reason })
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the part before the last `@`, or all of a local name.
    pub fn local_part(&self) -> &str {
        self.0.rsplit_once('@').map_or(&self.0, |(local, _)| local)
    }

    /// Returns the part after the last `@`; a local name has none.
    pub fn domain(&self) -> Option<&str> {
        self.0.rsplit_once('@').map(|(_, domain)| domain)
    }

    /// Returns whether there is no domain.
    pub fn is_local_name(&self) -> bool {
        self.domain().is_none()
    }
}

impl fmt::Display for EnvelopeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressError {
    /// What was to be an address, as typed.
    pub text: String,
    /// The rule it breaks, as an English clause.
    pub reason: &'static str,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason)
    }
}

impl Error for AddressError {}
