//! Mailboxes: stored mail.
//!
//! An mbox is opened read-only, scanned once into an index of byte ranges ([`Mailbox`]), and read
//! message by message from then on. A program part that writes to one holds a [`lock::MailboxLock`]:
//! [`append()`] adds messages, [`Mailbox::commit`] deletes them and changes their flags.
//! Parsing a message belongs to `message`, showing it to `ui`.
//!
//! # Where to look
//! | question | answer |
//! |---|---|
//! | Where is a mailbox opened and read? | `open`: [`Mailbox`]. It finds the messages with `read/snapshot`, and reads one with `read/open_file` |
//! | Where are messages found in a file, the scanner? | `format/mbox` (`scanner` is the pass over the file), `format/mmdf`; `format/separator` judges a `From ` line |
//! | Where is a message added? | `append`: `target` opens and locks the file, `tail` writes behind its end |
//! | Where is a mailbox rewritten? | `rewrite`: [`Mailbox::commit`] ends there. `plan` decides which bytes change, `apply` writes them |
//! | Where is the journal, which completes an interrupted rewrite? | `rewrite/journal` |
//! | Where is the lock? | `lock`: [`lock::MailboxLock`]; `lock/dot` is the dot-lock, `lock/kernel` fcntl and flock |
//! | What happens when another program changes the file meanwhile? | `read`: `stamp` notices it, `realign` finds the messages again |
//! | How are flags written? | `format/status` (the `Status` fields), `maildir/name` (the file's name) |
//! | Where is an append that broke off recognised? | `format/torn` |
//! | Where are Maildirs? | `maildir`, all of them: reading, delivery, changes |
//! | Which file does a name mean? | `location`; `file` opens it or refuses it, `path` describes it |
//!
//! Beside the folders stand the modules that all of them use: `change` (the changes of messages, the
//! options and the result of a commit), `error`, `notice` (reports beside success), `flags`, `read_at`
//! (bytes at a position). There are no import cycles; what two modules share has a file of its own.
//!
//! # The files on disk, and the states they can be in
//! | file | written by | states |
//! |---|---|---|
//! | the mailbox | [`append()`], [`Mailbox::commit`], deliverers, other readers | see `append` and `rewrite/apply`: each step of a write leaves a file that readers understand |
//! | its dot-lock | [`lock::MailboxLock`] | see `lock/dot` |
//! | its journal | [`Mailbox::commit`] | see `rewrite/journal`: none, being written, certain, finished |
//! | `NAME.rescue-…` | [`recover`] | the contents of a journal whose mailbox another program has rewritten; only its owner reads it |
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
//! // Choose a change for each message.
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
//! assert_eq!((committed.deleted, committed.flagged, committed.remaining), (1, 1, 1));
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
    AppendError, AppendOptions, Incoming, append, append_all, append_alone, could_append,
};
pub use change::{Changes, CommitOptions, Committed, Journals};
pub use error::{CommitError, OpenError};
pub use flags::Flags;
pub use format::from_line::{FromLine, from_line_now};
pub use format::mbox::MessageRef;
pub use format::quote::write_mbox;
pub use format::status::with_flags;
pub use location::{LocationInputs, spools, system_mailbox};
pub use lock::{Holder, LockOptions, Waiter};
pub use maildir::is_maildir;
pub use notice::Notice;
pub use open::{Mailbox, has_mail};
pub(crate) use read_at::read_full;
pub use rewrite::journal::shared_journals;
pub use rewrite::{prepend, recover};
