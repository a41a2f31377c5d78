//! Selecting messages by message lists, flags, searches and filters, for the reader, for changes
//! without a prompt and for reports; and the orders in which they are shown.
//!
//! Nothing here opens a mailbox: the messages are known through [`Index`] alone.

mod case;
mod error;
mod expression;
pub(crate) mod filter;
pub(crate) mod flags;
mod foreign;
mod index;
pub(crate) mod list;
pub(crate) mod moment;
mod needle;
mod order;
mod parse;
mod sorting;
mod subject;
mod term;
mod thread;
mod when;

pub(crate) use error::ListError;
pub(crate) use filter::Selection;
pub(crate) use flags::{FlagChoice, first_of_interest};
pub(crate) use index::{Index, Sight};
pub(crate) use list::{found, messages};
pub(crate) use order::Order;
pub(crate) use sorting::{SortKey, sorted};
