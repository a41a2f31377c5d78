//! Postrider: a mailx-style mail user agent that delivers, keeps, or says why not.
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
