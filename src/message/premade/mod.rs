//! Messages that somebody else composed: the input of `sendmail`, and templates of `-t`.
//!
//! [`PremadeHeader::read`] takes the header apart, the caller looks at fields,
//! removes and adds some, and [`write()`] writes the message: untouched where a
//! 7-bit wire carries it, encoded where not. The caller
//! decides who gets the mail and which fields it must have.
//!
//! A message is read twice by the same [`walk`]: in the first pass [`plan`]
//! decides for each part what becomes of it, in the second [`mod@write`] writes it.
//! A part that need not change is copied byte for byte, and nothing of a signed or
//! encrypted part is changed.

mod field;
mod header;
mod people;
mod pieces;
mod plan;
pub(in crate::message) mod structured;
mod walk;
mod write;

#[cfg(test)]
mod tests;

pub use header::{PremadeHeader, Reading};
pub use write::message as write;
