//! What the unit tests of several modules share, and the properties that every message has.

mod properties;
pub(crate) mod strict;
mod words;
