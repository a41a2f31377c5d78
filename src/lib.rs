//! Postrider: a mailx-style mail user agent that delivers, keeps, or says why not.
//!
//! The program is a library with a `main` of a dozen lines. Its parts can be used by other programs:
//! [`mailbox`] reads and changes mailboxes, [`message`] reads and writes messages, [`compose`] makes a
//! message of a request, and [`Mailer`] sends it. The interface is that of the program: it may change
//! with each version below 1.0.
//!
//! # Read a mailbox
//! A mailbox is an mbox, an MMDF, a Maildir, or a compressed mbox. Reading changes nothing.
//! ```
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("inbox");
//! # std::fs::write(&path, "From a@x Mon Nov 16 09:00:00 2026\nSubject: =?utf-8?Q?Gr=C3=B6=C3=9Fe?=\n\nHello.\n\n")?;
//! use postrider::mailbox::{Journals, Mailbox};
//! use postrider::message::parse::{FieldText, fields};
//!
//! let mailbox = Mailbox::open_index(&path, &Journals::default())?;
//! for index in 0..mailbox.messages().len() {
//!     let header = mailbox.read_header(index)?;
//!     let subject = fields::find(&header, "Subject").unwrap_or_default();
//!     println!("{}: {}", index + 1, FieldText::of(&header).words(subject));
//! #   assert_eq!(FieldText::of(&header).words(subject), "Größe");
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Change it safely
//! All changes are written at once, under all locks. Mail that has arrived since stays, and a power cut
//! in the middle leaves the old mailbox or the new one. Directories for journals are for mailboxes whose
//! own directory may not be written to.
//! ```
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("inbox");
//! # std::fs::write(&path, "From a@x Mon Nov 16 09:00:00 2026\nStatus: RO\n\nHello.\n\n".repeat(2))?;
//! use postrider::mailbox::{Changes, CommitOptions, Journals, LockOptions, Mailbox};
//!
//! let journals = Journals::default();
//! let mailbox = Mailbox::open_index(&path, &journals)?;
//! let mut changes = Changes::default();
//! changes.delete(0);
//! let (lock, removes_empty) = (LockOptions::default(), false);
//! let options = CommitOptions { lock, journals: &journals, removes_empty };
//! let committed = mailbox.commit(&changes, &options)?;
//! assert_eq!((committed.deleted, committed.remaining), (1, 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Compose and send a message
//! The configuration is that of the program. Here the message goes to a file; without `mta` it goes to the
//! sendmail of this host, and with `mta=submission://relay.example.com` to a relay.
//! ```
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("sent.mbox");
//! use postrider::Mailer;
//! use postrider::compose::Request;
//!
//! let mailer = Mailer::new(&format!("set from=me@example.com mta=test://{}", path.display()))?;
//! let mut request = Request::default();
//! request.to = vec!["ops@example.com".into()];
//! request.subject = Some("Größe 100%".into());
//! let report = mailer.send(&request, &mut "All is well.\n".as_bytes())?;
//! for copy in &report.entries {
//!     println!("{}: {}", copy.recipient, copy.outcome.is_accepted());
//! #   assert!(copy.outcome.is_accepted());
//! }
//! # assert!(std::fs::read_to_string(path)?.contains("\nAll is well.\n"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The map
//! ```text
//! main ─ run ─┬─ cli ──────────────┐  what was typed          one direction only:
//!             ├─ shell             │  the interactive reader  a layer knows those below it
//!             ├─ flow              │  send a mail, open a mailbox
//!             ├─ install           │  pages, completions, links: the program on a machine
//!             ├─ report            │  listings and JSON
//!             ├─ diagnostics       │  standard error, and the worst failure
//!             ├─ ui                │  what a terminal shows
//!             ├─ selection         │  message lists, flags and filters
//!             ├─ submission        ▼  request → route → submit → keep → report
//!             ├─ compose              input → draft → message and envelope
//!             ├─ transport  mailbox  config
//!             │   sendmail · smtp · local       format · read · append · rewrite · lock · maildir
//!             └───────┬────────┬───────┘
//!                  message   address                pure: bytes in, bytes out
//!                  charset   sanitize               pure, and known to all
//!                          sys              the door to the operating system
//! ```
//! [`Mailer`] stands beside `flow`: it sends for other programs, which have no diagnostics of ours.
//! `tests/it/layers.rs` holds every `crate::…` path against its table, which allows no more than this map.
//!
//! # A mail's way out
//! Options and standard input ([`cli`]) become a [`compose::Request`] and a text. From there
//! [`flow::sending`] leads: the request becomes a validated [`compose::Draft`], that for each route
//! the bytes of one message; [`submission`] finds the routes, hands message and envelope to a
//! [`transport`] each, keeps what no transport accepted, and returns one outcome a recipient;
//! [`diagnostics`] prints them. The exit status is the worst of them ([`exit`]).
//!
//! # A mail's way in
//! A name becomes a place ([`flow::reading`]), the place is scanned into an index of byte
//! ranges ([`mailbox`]); header fields and bodies are read when they are shown
//! ([`message::parse`]), and everything shown passes [`sanitize`]. Commands of the reader
//! ([`shell`]) mark messages in memory; leaving hands the marks to [`mailbox::Mailbox::commit`], which writes
//! them under all locks, with a journal where one step of the disk is not enough.
//!
//! # Where would I look for …
//! | question | answer |
//! |---|---|
//! | Where is a mailbox rewritten? | [`mailbox::Mailbox::commit`], in `mailbox/rewrite`; its journal is `mailbox/rewrite/journal` |
//! | Where are messages found in an mbox? | `mailbox/format/mbox`; a Maildir is `mailbox/maildir` |
//! | Where does a header end, and what is a header field? | `header_line` in `message/parse/fields.rs`, for reading and sending alike |
//! | What time does a date mean? | `message/parse/date.rs`; that of a From_ line: `mailbox/format/from_line.rs` |
//! | Who quotes `From ` lines, and who unquotes them? | `mailbox/format/quote.rs` and `unquote.rs`; no other module knows of it |
//! | Who may write to a mailbox now? | `mailbox/lock` |
//! | Where does a mail become safe? | `transport/sendmail`, `transport/smtp/transaction.rs`, `mailbox/append`, `mailbox/maildir/deliver.rs`: each has a comment at that line. A mail that nobody accepted: `submission/keep.rs` |
//! | Where does a new command of the reader go? | a row of `config/commands/table.rs`, an arm in `shell/dispatch.rs`, a method beside its like in `shell` |
//! | What does a message list or a search mean? | [`selection`]: `parse.rs` reads it, `list.rs` finds the messages; the orders are in `order.rs` and `thread.rs` |
//! | How does a message become text for people? | `message/parse/display`; HTML in `message/parse/html`, the layout of header lines in `ui/headline` |
//! | To whom does a reply go, and what does it quote? | `compose/answer`; `flow::answering` is its way, `shell/answer.rs` its commands |
//! | What does a line of a start-up file do? | `config/mailrc`; the same line at the prompt: `shell/settings.rs` |
//! | Where does a new option go? | `cli/mailx/options.rs` and its table, or `cli/postrider/options.rs`; a new variable is a row of `config/variables.rs` |
//! | Which relay of a list takes a mail, and which one may see a password? | `submission/in_turn.rs`; `submission/relay_secret.rs` |
//! | Why did this mail go that way? | `submission/route.rs` decides, `report/explain.rs` shows it |
//! | What may `ui` not do? | open, change or send anything: it only displays what it is given |
//! | Where does a mail wait that is sent later? | `submission/outbox`; one that no try can send becomes a dead letter in `submission/keep.rs` |
//! | Where do users leave mail that only root can send, and what is believed of it? | `submission/outbox/dropped.rs`; root's flush takes it first (`submission/outbox/flush/collect.rs`) |
//! | Where does a login's password or token come from? | `submission/secret.rs`, which reads files by `submission/secret_file.rs`; tokens that we fetch: `submission/token`, over `transport/https.rs` |
//! | Who runs children, and who opens files that may be planted? | `sys/child.rs`; `sys/open`, whose `names` has a table |
//! | What does the name of a charset mean, and which charset has a text without one? | [`charset`] |
//! | What does `postrider install` make, and what does `--uninstall` take for ours? | `install/plan.rs`; `install/manifest.rs` |
//! | Which exit status is it? | `exit.rs`: kinds of failure, and the worst of several |
#![forbid(unsafe_code)]
// The map is for those who work here: `cargo doc --document-private-items`.
#![allow(rustdoc::private_intra_doc_links)]
// The unit tests have dependencies of their own, and take in a file of the other tests.
#![cfg_attr(not(test), warn(unreachable_pub, unused_crate_dependencies))]

pub mod address;
mod charset;
mod cli;
pub mod compose;
mod config;
mod diagnostics;
#[doc(hidden)]
pub mod door;
mod exit;
mod flow;
mod install;
pub mod mailbox;
mod mailer;
pub mod message;
mod report;
mod run;
mod sanitize;
mod selection;
mod shell;
pub mod submission;
mod sys;
mod transport;
mod ui;

pub use exit::{Failure, Kind};
pub use mailer::Mailer;
