//! Mailboxes: stored mail.
//!
//! An mbox is opened read-only, scanned once into an index of byte ranges ([`Mailbox`]), and read
//! message by message from then on. Decoding and meaning belong to `message`, what is shown to
//! `ui`, which mailbox is meant to `cli`.

mod flags;
mod from_line;
mod lock;
mod mmdf;
mod open;
mod scan;
mod separator;

pub use flags::Flags;
pub use from_line::FromLine;
pub use open::{Mailbox, OpenError, has_mail};
pub use scan::MessageRef;
