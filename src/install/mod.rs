//! The program on a machine: its manual pages and completions, and where they are installed.
//!
//! Packages take the pages and completions from `postrider generate`; who builds with cargo gets all
//! of it by `postrider install`. Both have them from [`documents`].

pub(crate) mod documents;
