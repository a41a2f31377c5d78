//! Mailboxes: stored mail.
//!
//! An mbox is opened read-only, scanned once into an index of byte ranges ([`Mailbox`]), and read
//! message by message from then on. Whoever writes to one holds a [`MailboxLock`]: [`append()`] adds
//! messages, [`Mailbox::commit`] deletes them and changes their flags.
//! Decoding and meaning belong to `message`, what is shown to `ui`.
//!
//! # The folders
//! | where | what |
//! |---|---|
//! | `open` | [`Mailbox`]: opening, reading messages, handing over a commit |
//! | `append` | adding messages, and cutting off what an append has left unfinished |
//! | `rewrite` | deleting messages and changing flags in an mbox; `rewrite/journal` makes that certain |
//! | `read` | the messages of a file that other programs write to: snapshots, changes, finding again |
//! | `format` | mbox, MMDF, gzip, From_ lines, quoting, `Status`; which format a file has |
//! | `lock` | the one door to a file that is about to change: dot-lock, fcntl, flock |
//! | `maildir` | Maildirs, all of them: reading, delivery, changes |
//!
//! Beside the folders stand what all of them use: `change` (what is to become of messages, and the
//! options), `error`, `notice` (what is reported beside messages), `flags`, `file` (which files are
//! opened at all), `path`, `read_at` (bytes at a position); and `location`: which mailbox is meant.
//! No module imports one that imports it; what two of them share has a file of its own.
//!
//! # The files on disk, and the states they can be in
//! | file | written by | states |
//! |---|---|---|
//! | the mailbox | [`append()`], [`Mailbox::commit`], deliverers, other readers | see `append` and `rewrite/apply`: each step of a write leaves a file that readers understand |
//! | its dot-lock | [`MailboxLock`] | see `lock/dot` |
//! | its journal | [`Mailbox::commit`] | see `rewrite/journal`: none, being written, certain, finished |
//! | `NAME.rescue-…` | [`recover`] | what a journal held whose mailbox another program has rewritten; nobody reads it but its owner |
//!
//! # Use
//! ```
//! use postrider::mailbox::{Changes, CommitOptions, Flags, Journals, LockOptions, Mailbox};
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("mbox");
//! # std::fs::write(&path, "From a Mon Nov 16 09:00:00 2026\nSubject: x\n\nbody\n\n\
//! #     From b Mon Nov 16 09:00:01 2026\nSubject: y\nStatus: RO\n\nbody\n\n")?;
//!
//! let journals = Journals::default();
//! // Open and scan: the closure sees each message with its From_ line and header.
//! let mailbox = Mailbox::open(&path, &journals, &mut |index, message, header| {
//!     println!("{index}: {} bytes, {} of header", message.len, header.len());
//! })?;
//! // Iterate, and say what is to become of messages.
//! let mut changes = Changes::default();
//! for (index, message) in mailbox.messages().iter().enumerate() {
//!     if message.flags.is_read() {
//!         changes.delete(index);
//!     } else {
//!         let mut flags = message.flags;
//!         flags.insert(Flags::OLD);
//!         changes.set_flags(index, flags);
//!     }
//! }
//! // Commit: under all locks, with a journal, synced.
//! let options = CommitOptions {
//!     lock: LockOptions::default(),
//!     journals: &journals,
//!     removes_empty: false,
//! };
//! let committed = mailbox.commit(&changes, &options)?;
//! assert_eq!((committed.deleted, committed.flagged, committed.left), (1, 1, 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod append;
mod change;
mod error;
mod file;
mod flags;
mod format;
mod location;
mod lock;
mod maildir;
mod notice;
mod open;
mod path;
mod read;
mod read_at;
mod rewrite;
#[cfg(test)]
mod tests;

pub use append::{
    AppendError, AppendOptions, Incoming, Owner, append, append_all, append_alone, append_locked,
};
pub use change::{Change, Changes, CommitOptions, Committed, Journals, Pending};
pub use error::{CommitError, OpenError};
pub use flags::Flags;
pub use format::from_line::{FromLine, from_line, from_line_now};
pub use format::mbox::MessageRef;
pub use format::quote::{Form, write_mbox};
pub use format::status::with_flags;
pub use location::{
    Location, LocationInputs, NameError, NameInputs, Named, SPOOLS, expand, spools, system_mailbox,
};
pub use lock::dot::LockFile;
pub use lock::{Holder, LockError, LockOptions, MailboxLock, Waiter};
pub use maildir::is_maildir;
pub use notice::Notice;
pub use open::{Mailbox, has_mail};
pub use rewrite::journal::shared_journals;
pub use rewrite::recover;
