//! Messages that somebody else composed: what `sendmail` is fed, and templates of `-t`.
//!
//! [`PremadeHeader::read`] takes the header apart, the caller looks at fields,
//! removes and adds some, and [`write()`] writes the message: untouched where a
//! 7-bit wire carries it, encoded where not (design decision D1). Who gets the
//! mail, and which fields must be there, is decided by the caller.

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
pub use write::{Changes, message as write};
