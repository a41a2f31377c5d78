//! SMTP submission to a relay (RFC 5321, RFC 6409; design decision D7).
//!
//! One call, [`submit`], takes a message to a relay and says for every recipient
//! what became of it. The dialogue runs on a thread of its own, name lookup
//! included, so that a signal or the deadline ends the waiting at once. From the
//! write of the final dot on the message may be the relay's: `Progress` is the
//! one place where that line is crossed.
//!
//! - `lookup`: addresses of the relay; `session`: from the connection to where mail can be sent
//! - `transaction`: MAIL, RCPT, DATA; `verdict`: what replies and failures mean
//! - `connection`: bytes, time limits, STARTTLS; `reply`: what the relay says; `mask`: without
//!   our secrets
//! - `tls`: whose certificate is taken; `auth`: SASL; `data`: CRLF and dots
//!
//! The connection is ours, over rustls, and not lettre's `SmtpConnection`, which
//! keeps clear text that follows the reply to STARTTLS as an answer given inside
//! TLS, fails on Latin-1 or a missing text in a reply and on keywords in lower
//! case, waits for ever on lines that end in LF, and drops PIPELINING and SIZE.
//! None of that can be put right from outside of it.
//!
//! Keeping what nobody accepted is the business of `submission`; texts of the
//! relay are handed on unsanitised.

mod auth;
mod connection;
mod data;
mod lookup;
mod mask;
mod reply;
mod session;
#[cfg(test)]
mod tests;
mod tls;
mod transaction;
mod verdict;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

pub use auth::{Credentials, Mechanism, Secret};
pub use tls::{format_fingerprint, parse_fingerprint};

use self::mask::Mask;
use self::tls::Judgement;
use self::verdict::uncertain;
use super::{Disposition, Envelope, MessageSource, Observer, Outcome};
use crate::address::EnvelopeAddress;
use crate::exit::{self, Kind};

/// How the channel to a relay is made secure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Security {
    /// Never: STARTTLS is not used even where it is offered.
    Clear,
    /// STARTTLS where it is offered (`smtp://`).
    #[default]
    Opportunistic,
    /// STARTTLS, or nothing is sent (`submission://`, `tls=require`).
    StartTls,
    /// TLS from the first byte (`smtps://`, `submissions://`).
    Implicit,
}

/// Whether certificates are judged where design decision D7 says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verify {
    /// Chain and host name, or the fingerprint.
    #[default]
    Strict,
    /// Not at all; credentials do not travel then, except to the loopback.
    Ignore,
}

/// How long what may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Connecting to one address.
    pub connect: Duration,
    /// One reply, all of it; also one write, and the TLS handshake.
    pub reply: Duration,
    /// The reply to the final dot (RFC 5321 section 4.5.3.2.6 asks for 10 minutes).
    pub final_reply: Duration,
    /// Everything before the final dot together.
    pub deadline: Option<Duration>,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts {
            connect: Duration::from_secs(10),
            reply: Duration::from_secs(60),
            final_reply: Duration::from_secs(600),
            deadline: None,
        }
    }
}

/// A relay and how to speak to it.
#[derive(Clone, Debug)]
pub struct Relay {
    /// Its host name or address, without brackets; all addresses of the name are tried.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the channel is made secure.
    pub security: Security,
    /// Who we are to it.
    pub credentials: Option<Credentials>,
    /// The authorities that may have signed its certificate, in PEM; they replace the system's.
    pub ca_file: Option<PathBuf>,
    /// What `SSL_CERT_FILE` names: read with the system's authorities, and judged before.
    pub system_ca_file: Option<PathBuf>,
    /// The SHA-256 of its certificate; replaces every other check of it.
    pub fingerprint: Option<[u8; 32]>,
    /// Whether certificates are judged.
    pub verify: Verify,
    /// Whether a relay on the loopback gets credentials in clear and has no certificate judged
    /// (unless `ca_file` or `fingerprint` is given). To be switched off for tunnels.
    pub trust_loopback: bool,
    /// Whether credentials may travel in clear or to an unknown certificate everywhere.
    pub allow_cleartext_auth: bool,
    /// The name for EHLO; without a dot the address of our end is said instead (RFC 5321 section 4.1.3).
    pub helo_name: String,
    /// Time limits.
    pub timeouts: Timeouts,
}

impl Relay {
    /// Returns a relay with the defaults: opportunistic TLS, no credentials.
    pub fn new(host: impl Into<String>, port: u16) -> Relay {
        Relay {
            host: host.into(),
            port,
            security: Security::default(),
            credentials: None,
            ca_file: None,
            system_ca_file: None,
            fingerprint: None,
            verify: Verify::default(),
            trust_loopback: true,
            allow_cleartext_auth: false,
            helo_name: String::new(),
            timeouts: Timeouts::default(),
        }
    }

    /// Returns `host:port`, as errors name the relay.
    pub fn name(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Returns how its certificate is judged when it is reached at this address (D7).
    fn judgement(&self, peer: IpAddr) -> Judgement {
        if let Some(fingerprint) = self.fingerprint {
            return Judgement::Pinned(fingerprint);
        }
        if self.verify == Verify::Ignore {
            return Judgement::None;
        }
        if let Some(path) = &self.ca_file {
            return Judgement::Strict(path.clone());
        }
        let asked_for = self.credentials.is_some()
            || matches!(self.security, Security::StartTls | Security::Implicit);
        if asked_for && !self.is_trusted_loopback(peer) {
            Judgement::System(self.system_ca_file.clone())
        } else {
            Judgement::None
        }
    }

    /// Returns whether nothing may be sent without TLS: asked for, or said whose certificate it must
    /// be, which a relay without any certificate cannot meet.
    fn requires_tls(&self) -> bool {
        let named =
            self.fingerprint.is_some() || (self.ca_file.is_some() && self.verify == Verify::Strict);
        match self.security {
            Security::Clear => false,
            Security::Opportunistic => named,
            Security::StartTls | Security::Implicit => true,
        }
    }

    /// Returns whether credentials may be sent over this channel.
    fn may_authenticate(&self, peer: IpAddr, encrypted: bool) -> bool {
        let known = encrypted && self.judgement(peer) != Judgement::None;
        known || self.allow_cleartext_auth || self.is_trusted_loopback(peer)
    }

    fn is_trusted_loopback(&self, peer: IpAddr) -> bool {
        self.trust_loopback && peer.to_canonical().is_loopback()
    }
}

/// A message that the worker thread can read.
pub type SharedMessage = Arc<dyn MessageSource + Send + Sync>;

/// Everything one dialogue needs.
struct Job {
    relay: Relay,
    envelope: Envelope,
    message: SharedMessage,
    observer: Arc<dyn Observer>,
    progress: Arc<Progress>,
    mask: Arc<Mask>,
}

/// Takes a message to a relay: one outcome for each recipient, in their order, whatever happens.
///
/// Returns at once when `cancel` becomes true, and at the deadline when the final dot was not sent
/// by then: what was not decided is "try later" before the final dot, "uncertain" after it.
/// The texts are the relay's own words or ours, not yet sanitised.
pub fn submit(
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
    let worker = thread::Builder::new()
        .name("smtp".to_owned())
        .spawn(move || session::run(&job, &sender));
    let rest = match worker {
        Ok(_) => wait(relay, &progress, &receiver, &*observer, cancel),
        Err(error) => Outcome::new(
            Disposition::TryLater,
            Kind::TryLater,
            format!("cannot start a thread: {}", exit::plain(&error)),
        ),
    };
    let outcomes = progress.outcomes(&rest);
    envelope.recipients.iter().cloned().zip(outcomes).collect()
}

/// How often the waiting thread looks whether it is to stop.
const SLICE: Duration = Duration::from_millis(50);

/// After how long a wait is worth a word.
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
    let mut told = String::new();
    loop {
        match worker.recv_timeout(SLICE) {
            Ok(rest) => return rest,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return abandoned(relay, progress, Kind::Software, "a fault of our own");
            }
        }
        if cancel.load(Ordering::SeqCst) {
            return abandoned(relay, progress, Kind::TryLater, "interrupted");
        }
        if let Some(deadline) = relay.timeouts.deadline
            && start.elapsed() >= deadline
            && progress.abandon()
        {
            let why = format!("deadline of {} passed", seconds(deadline));
            return abandoned(relay, progress, Kind::TryLater, &why);
        }
        let (stage, since) = progress.stage();
        if since.elapsed() >= PATIENCE && stage != told {
            observer.waiting(&format!("{}: waiting for {stage}", relay.name()));
            told = stage;
        }
    }
}

/// Gives up on the worker; what it did not decide is uncertain if the final dot may be out.
fn abandoned(relay: &Relay, progress: &Progress, kind: Kind, why: &str) -> Outcome {
    let (stage, _) = progress.stage();
    let text = format!("{}: {why} while waiting for {stage}", relay.name());
    if progress.abandon() {
        Outcome::new(Disposition::TryLater, kind, text)
    } else {
        uncertain(text)
    }
}

/// Writes a duration as people say it.
fn seconds(duration: Duration) -> String {
    if duration.subsec_millis() == 0 {
        format!("{} s", duration.as_secs())
    } else {
        format!("{} ms", duration.as_millis())
    }
}

/// How far the worker is; shared with the thread that waits for it.
struct Progress(Mutex<State>);

struct State {
    phase: Phase,
    /// What is decided, a place for each recipient.
    settled: Vec<Option<Outcome>>,
    stage: String,
    since: Instant,
    /// Whether the outcomes were taken: whoever waited has gone on.
    closed: bool,
}

/// Who may still decide what becomes of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The final dot is not sent.
    Before,
    /// It may be sent: only the relay knows.
    DotSent,
    /// The waiting thread has given up, and the dot will not be sent.
    Abandoned,
}

impl Progress {
    fn new(recipients: usize) -> Progress {
        Progress(Mutex::new(State {
            phase: Phase::Before,
            settled: vec![None; recipients],
            stage: "the network".to_owned(),
            since: Instant::now(),
            closed: false,
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Crosses the line behind which the message may be the relay's: to be called just before the
    /// final dot is written. Returns false if the waiting thread has given up; then nothing may be
    /// sent any more, for it has said that a second try is safe.
    fn claim(&self) -> bool {
        let mut state = self.state();
        if state.phase == Phase::Before {
            state.phase = Phase::DotSent;
        }
        state.phase == Phase::DotSent
    }

    /// Gives up; returns whether it is certain that the final dot is not and will not be sent.
    fn abandon(&self) -> bool {
        let mut state = self.state();
        if state.phase == Phase::Before {
            state.phase = Phase::Abandoned;
        }
        state.phase == Phase::Abandoned
    }

    /// Takes the line back: the final dot could not be written.
    fn dot_not_sent(&self) {
        let mut state = self.state();
        if state.phase == Phase::DotSent {
            state.phase = Phase::Before;
        }
    }

    fn is_abandoned(&self) -> bool {
        self.state().phase == Phase::Abandoned
    }

    fn is_closed(&self) -> bool {
        self.state().closed
    }

    fn settle(&self, recipient: usize, outcome: Outcome) {
        self.state().settled[recipient] = Some(outcome);
    }

    /// Takes the outcomes; what the worker does from here on is heard by nobody.
    fn outcomes(&self, rest: &Outcome) -> Vec<Outcome> {
        let mut state = self.state();
        state.closed = true;
        let settled = state.settled.iter();
        settled
            .map(|outcome| outcome.clone().unwrap_or_else(|| rest.clone()))
            .collect()
    }

    fn enter(&self, stage: &str) {
        let mut state = self.state();
        state.stage = stage.to_owned();
        state.since = Instant::now();
    }

    fn stage(&self) -> (String, Instant) {
        let state = self.state();
        (state.stage.clone(), state.since)
    }
}
