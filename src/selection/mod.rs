//! Which messages are meant: message lists, flags and filters, for the reader, for changes without
//! a dialogue and for reports.
//!
//! Nothing here opens a mailbox: the messages are known through [`Index`] alone.

pub mod filter;
pub mod flags;
pub mod list;

pub use filter::Selection;
pub use flags::{FlagChoice, first_of_interest};
pub use list::{Index, ListError, Sight, messages};
