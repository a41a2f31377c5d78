//! Messages that somebody else composed: what `sendmail` is fed, and templates of `-t`.
//!
//! [`PremadeHeader::read`] takes the header apart, the caller looks at fields,
//! removes and adds some, and [`write()`] writes the message: untouched where a
//! 7-bit wire carries it, encoded where not (design decision D1). Who gets the
//! mail, and which fields must be there, is decided by the caller.

use std::io::{self, Write};

use super::{MessageSource, Wire};

mod field;
mod header;
mod pieces;
mod plan;
mod structured;
mod walk;
mod write;

#[cfg(test)]
mod tests;

pub use header::{PremadeHeader, RawField, Reading};

/// What was changed on the way, and what could not be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Header fields that were encoded, folded or repaired, those of parts included.
    pub fields: u64,
    /// Bodies and parts that were put into a transfer encoding.
    pub encoded: u64,
    /// Charsets that the bytes proved wrong.
    pub charsets: u64,
    /// Whether bytes over 7F are left although the wire carries seven bits:
    /// in signed or encrypted parts, or in addresses (RFC 6532).
    pub eight_bit_left: bool,
}

/// Writes the message: the header as it is now, and the body of the source.
///
/// Lines end in LF. The source is read up to three times, in constant memory.
///
/// # Errors
/// Fails when the source cannot be read or `out` not be written.
pub fn write(
    header: &PremadeHeader,
    source: &dyn MessageSource,
    wire: Wire,
    out: &mut dyn Write,
) -> io::Result<Changes> {
    write::message(header, source, wire, out)
}
