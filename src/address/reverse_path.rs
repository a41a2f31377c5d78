//! Reverse-paths: who gets the report when a message cannot be delivered.

use std::fmt;

use super::EnvelopeAddress;

/// The sender of an envelope (RFC 5321, section 3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReversePath {
    /// The empty path `<>` of bounces: no report is sent about this message.
    Null,
    /// The address that reports go to.
    Address(EnvelopeAddress),
}

impl ReversePath {
    /// Returns the address; none for the null sender.
    pub fn address(&self) -> Option<&EnvelopeAddress> {
        match self {
            ReversePath::Null => None,
            ReversePath::Address(address) => Some(address),
        }
    }
}

impl fmt::Display for ReversePath {
    /// Shows the address as in the envelope, and the null sender as `<>`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReversePath::Null => f.write_str("<>"),
            ReversePath::Address(address) => address.fmt(f),
        }
    }
}
