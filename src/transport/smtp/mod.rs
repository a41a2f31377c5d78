//! SMTP submission to a relay (RFC 5321, RFC 6409).
//!
//! A [`SmtpChannel`] takes messages to a relay, one after the other over one connection, and says
//! for every recipient what became of each. The dialogue runs in the caller's thread: a thread of its
//! own would cost a short mail a tenth of its time. What ends a wait, a signal or the deadline, is
//! looked for between short slices of it; only the name service, which cannot be asked in slices,
//! has a thread. From the write of the final dot on the message may be the relay's:
//! `job::Progress` is the one place where that line is crossed.
//!
//! - `channel`: the door, and the connection that it keeps
//! - `lookup`: addresses of the relay; `session`: from the connection to where mail can be sent
//! - `delivery`: for whom a message is still to be sent; `transaction`: MAIL, RCPT, DATA;
//!   `surplus`: too many recipients at once
//! - `verdict`: what replies and failures mean; `scope`: what they speak of; `part`: where in the
//!   dialogue they come; `providers`: the next step after replies that are known
//! - `connection`: bytes, time limits, STARTTLS; `socket`: the waiting; `reply`: what the relay says; `mask`: without
//!   our secrets
//! - `relay`: where it is and how to speak to it; `job`: what a dialogue needs and how far it is
//! - `tls`: whose certificate is taken; `tls_words`: what is said of it; `certificate`: what it
//!   says of itself
//! - `auth`: SASL; `data`: CRLF and dots
//!
//! The connection is ours, over rustls, and not lettre's `SmtpConnection`, which
//! keeps clear text that follows the reply to STARTTLS as an answer given inside
//! TLS, fails on Latin-1 or a missing text in a reply and on keywords in lower
//! case, waits for ever on lines that end in LF, and drops PIPELINING and SIZE.
//! None of that can be put right from outside of it. The words are lettre's: its
//! types of commands, their parameters and qualified addresses render each line
//! that is sent, but for HELO and AUTH.
//!
//! `submission` keeps what was not accepted. The relay's words are handed on
//! unsanitised; the printing side sanitises them.

mod auth;
mod certificate;
mod channel;
mod connection;
mod data;
mod delivery;
mod job;
mod lookup;
mod mask;
mod part;
mod providers;
mod relay;
mod reply;
mod scope;
mod session;
mod socket;
mod surplus;
#[cfg(test)]
mod tests;
pub(in crate::transport) mod tls;
mod tls_hints;
pub(in crate::transport) mod tls_words;
mod transaction;
mod verdict;

pub(crate) use auth::{Credentials, Mechanism, Renewal, Secret};
pub(crate) use channel::SmtpChannel;
pub(crate) use job::SubmitHooks;
pub(crate) use relay::{Relay, Security, Timeouts, Verify};
pub(crate) use tls::{ClientCertificate, ClientCertificateError, OldestTls, parse_fingerprints};

use self::mask::Mask;

/// Takes secrets, and what encodings make of them, out of an outsider's text.
pub(crate) fn mask_secrets(text: &str, secrets: &[Secret]) -> String {
    Mask::of_secrets(secrets).text(text)
}
