//! The tests of the program from outside, all in one binary; a file for each feature.
//!
//! [`case::Case`] gives a run its own world and checks all that it does; [`sendmail::FakeSendmail`],
//! [`smtp_server::SmtpServer`] and [`namespace`] stand for the system around it.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, dead_code)]

mod case;
mod doors;
mod imports;
mod launch;
mod layers;
mod letters;
mod lines;
mod names;
mod namespace;
mod output_charset;
mod plain_words;
mod postrider;
mod pty;
mod sendmail;
mod smtp_server;

mod attached;
mod bad_input;
mod batch;
mod callers;
mod changing;
mod charsets;
mod completions;
mod config;
mod descriptors;
mod dialect;
mod documents;
mod domains;
mod escapes;
mod file_names;
mod from_quoting;
mod gate;
mod harness;
mod header_ends;
mod header_fields;
mod idioms;
mod json;
mod judge;
mod kept;
mod local;
mod locks;
mod loops;
mod mailboxes;
mod maildir;
mod named_files;
mod next_steps;
mod odd_world;
mod pictures;
mod rare;
mod rc_files;
mod rc_lines;
mod reading;
mod readme;
mod relay_words;
mod relayed;
mod resend;
mod scripts;
mod sending;
mod sendmail_face;
mod signals;
mod smtp;
mod smtp_tls;
mod synced;
mod system;
mod terminal;
mod tokens;
mod told;
mod told_names;
mod trust;
mod truth;
mod unread;
mod variables;
