//! SMTP submission to a relay (RFC 5321, RFC 6409).
//!
//! One call, [`submit`], takes a message to a relay and says for every recipient
//! what became of it. The dialogue runs on a thread of its own, name lookup
//! included, so that a signal or the deadline ends the waiting at once. From the
//! write of the final dot on the message may be the relay's: `job::Progress` is the
//! one place where that line is crossed.
//!
//! - `lookup`: addresses of the relay; `session`: from the connection to where mail can be sent
//! - `transaction`: MAIL, RCPT, DATA; `verdict`: what replies and failures mean; `providers`: the
//!   next step after replies that are known
//! - `connection`: bytes, time limits, STARTTLS; `reply`: what the relay says; `mask`: without
//!   our secrets
//! - `relay`: where it is and how to speak to it; `job`: what a dialogue needs and how far it is
//! - `tls`: whose certificate is taken; `tls_words`: what is said of it; `auth`: SASL;
//!   `data`: CRLF and dots
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
mod connection;
mod data;
mod job;
mod lookup;
mod mask;
mod providers;
mod relay;
mod reply;
mod session;
#[cfg(test)]
mod tests;
mod tls;
mod tls_words;
mod transaction;
mod verdict;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) use auth::{Credentials, Mechanism, Secret};
pub(crate) use job::SharedMessage;
pub(crate) use relay::{Relay, Security, Timeouts, Verify};
pub(crate) use tls::parse_fingerprint;

use self::job::{Job, Progress, seconds};
use self::mask::Mask;
use self::verdict::uncertain;
use super::{Disposition, Envelope, Observer, Outcome};
use crate::address::EnvelopeAddress;
use crate::exit::{self, Kind};

/// Takes a message to a relay: one outcome for each recipient, in their order, whatever happens.
///
/// Returns at once when `cancel` becomes true, and at the deadline when the final dot was not sent
/// by then: what was not decided is "try later" before the final dot, "uncertain" after it.
/// The texts are the relay's own words or ours, not yet sanitised.
pub(crate) fn submit(
    relay: &Relay,
    envelope: &Envelope,
    message: SharedMessage,
    observer: Arc<dyn Observer>,
    cancel: &AtomicBool,
) -> Vec<(EnvelopeAddress, Outcome)> {
    let progress = Arc::new(Progress::new(envelope.recipients.len()));
    let job = Job {
        relay: relay.clone(),
        envelope: envelope.clone(),
        message,
        observer: Arc::clone(&observer),
        progress: Arc::clone(&progress),
        mask: Arc::new(Mask::of(
            relay.credentials.as_ref(),
            &relay.host,
            relay.port,
        )),
    };
    let (sender, receiver) = mpsc::channel();
    // A thread, because neither `getaddrinfo` nor a blocking read can be interrupted portably. It
    // owns copies of all it needs and may outlive this call by one time limit.
    let worker = thread::Builder::new()
        .name("smtp".to_owned())
        .spawn(move || session::run(&job, &sender));
    let rest = match worker {
        // The handle is dropped, not joined: a worker that hangs in a read must not hold back the
        // report.
        Ok(_) => wait(relay, &progress, &receiver, &*observer, cancel),
        Err(error) => Outcome::new(
            Disposition::TryLater(Kind::TryLater),
            format!("cannot start a thread: {}", exit::plain(&error)),
        ),
    };
    let outcomes = progress.outcomes(&rest);
    envelope.recipients.iter().cloned().zip(outcomes).collect()
}

/// How often the waiting thread looks whether it is to stop.
const SLICE: Duration = Duration::from_millis(50);

/// After how long a wait is reported.
const PATIENCE: Duration = Duration::from_secs(3);

/// Waits for the worker; returns the outcome of every recipient that it left undecided.
fn wait(
    relay: &Relay,
    progress: &Progress,
    worker: &mpsc::Receiver<Outcome>,
    observer: &dyn Observer,
    cancel: &AtomicBool,
) -> Outcome {
    let start = Instant::now();
    let mut reported = String::new();
    loop {
        match worker.recv_timeout(SLICE) {
            Ok(rest) => return rest,
            Err(RecvTimeoutError::Timeout) => {}
            // The sender was dropped without an outcome: the worker has panicked. Where it was
            // decides between "try later" and "uncertain".
            Err(RecvTimeoutError::Disconnected) => {
                return abandoned(relay, progress, Kind::Software, "a fault of our own");
            }
        }
        if cancel.load(Ordering::SeqCst) {
            return abandoned(relay, progress, Kind::TryLater, "interrupted");
        }
        // `abandon` is asked last and only if the deadline has passed: it forbids the final dot.
        // Where the dot is out already it returns false, and the wait goes on for the relay's
        // answer.
        if let Some(deadline) = relay.timeouts.deadline
            && start.elapsed() >= deadline
            && progress.abandon()
        {
            let why = format!("deadline of {} passed", seconds(deadline));
            return abandoned(relay, progress, Kind::TryLater, &why);
        }
        let (stage, since) = progress.stage();
        if since.elapsed() >= PATIENCE && stage != reported {
            observer.waiting(&format!("{}: waiting for {stage}", relay.name()));
            reported = stage;
        }
    }
}

/// Gives up on the worker; what it did not decide is uncertain if the final dot may be out.
fn abandoned(relay: &Relay, progress: &Progress, kind: Kind, why: &str) -> Outcome {
    let (stage, _) = progress.stage();
    let text = format!("{}: {why} while waiting for {stage}", relay.name());
    if progress.abandon() {
        Outcome::new(Disposition::TryLater(kind), text)
    } else {
        uncertain(text)
    }
}
