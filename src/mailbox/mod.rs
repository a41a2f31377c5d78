//! Mailboxes: stored mail.
//!
//! An mbox is opened read-only, scanned once into an index of byte ranges ([`Mailbox`]), and read
//! message by message from then on. Whoever writes to one holds a [`MailboxLock`]: [`append`] adds
//! messages, [`Mailbox::commit`] deletes them and changes their flags.
//! Decoding and meaning belong to `message`, what is shown to `ui`.

mod append;
mod change;
mod commit;
mod disk;
mod dot_lock;
mod flags;
mod from_line;
mod identity;
mod journal;
mod journal_header;
mod kernel_lock;
mod lock;
mod mmdf;
mod notice;
mod open;
mod output;
mod pending;
mod place;
mod plan;
mod quote;
mod redo;
mod remap;
mod scan;
mod separator;
mod source;
mod status;
mod tail;
mod view;

pub use append::{AppendError, AppendOptions, Incoming, Owner, append, append_all, append_locked};
pub use change::{Change, Changes, CommitError, CommitOptions, Committed, Pending};
pub use commit::recover;
pub use flags::Flags;
pub use from_line::FromLine;
pub use journal::Journals;
pub use lock::{Holder, LockError, LockOptions, MailboxLock};
pub use notice::Notice;
pub use open::{Mailbox, OpenError, has_mail};
pub use place::{NameError, NameInputs, Named, Place, PlaceInputs, SPOOLS, expand, system_mailbox};
pub use quote::Form;
pub use scan::MessageRef;
pub use status::with_flags;
