//! Selecting messages by message lists, flags and filters, for the reader, for changes without a
//! prompt and for reports.
//!
//! Nothing here opens a mailbox: the messages are known through [`Index`] alone.

pub(crate) mod filter;
pub(crate) mod flags;
pub(crate) mod list;

pub(crate) use filter::Selection;
pub(crate) use flags::{FlagChoice, first_of_interest};
pub(crate) use list::{Index, ListError, Sight, messages};
