//! Mailboxes: stored mail.
//!
//! An mbox is opened read-only, scanned once into an index of byte ranges ([`Mailbox`]), and read
//! message by message from then on. Whoever writes to one holds a [`MailboxLock`].
//! Decoding and meaning belong to `message`, what is shown to `ui`.

mod append;
mod dot_lock;
mod flags;
mod from_line;
mod kernel_lock;
mod lock;
mod mmdf;
mod open;
mod place;
mod quote;
mod scan;
mod separator;
mod source;
mod tail;

pub use append::{AppendError, AppendOptions, Owner, append, append_locked};
pub use flags::Flags;
pub use from_line::FromLine;
pub use lock::{Holder, LockError, LockOptions, MailboxLock};
pub use open::{Mailbox, OpenError, has_mail};
pub use place::{NameError, NameInputs, Named, Place, PlaceInputs, SPOOLS, expand, system_mailbox};
pub use quote::Form;
pub use scan::MessageRef;
