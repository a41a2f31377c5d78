//! Mailboxes: stored mail.
//!
//! An mbox is opened read-only, scanned once into an index of byte ranges ([`Mailbox`]), and read
//! message by message from then on. Whoever writes to one holds a [`MailboxLock`].
//! Decoding and meaning belong to `message`, what is shown to `ui`.

mod append;
mod change;
mod commit;
mod dot_lock;
mod flags;
mod from_line;
mod journal;
mod kernel_lock;
mod lock;
mod mmdf;
mod open;
mod place;
mod plan;
mod quote;
mod scan;
mod separator;
mod source;
mod status;
mod tail;

pub use append::{AppendError, AppendOptions, Owner, append, append_locked};
pub use change::{Change, Changes, CommitError, CommitOptions, Committed, Pending};
pub use flags::Flags;
pub use from_line::FromLine;
pub use journal::Journals;
pub use lock::{Holder, LockError, LockOptions, MailboxLock};
pub use open::{Mailbox, OpenError, has_mail};
pub use place::{NameError, NameInputs, Named, Place, PlaceInputs, SPOOLS, expand, system_mailbox};
pub use quote::Form;
pub use scan::MessageRef;
