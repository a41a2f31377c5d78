//! The channel to a relay: messages go in one after the other, and outcomes come out.
//!
//! The dialogue runs in the caller's thread, and so do all hooks; what ends a wait is in `job`.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::delivery::Delivery;
use super::job::{Job, Progress, SubmitHooks};
use super::mask::Mask;
use super::relay::{Relay, Timeouts};
use super::session::{IdleSession, SmtpSession};
use super::verdict::{Stop, undecided};
use crate::address::EnvelopeAddress;
use crate::exit::Kind;
use crate::transport::{Envelope, MessageSource, Observer, Outcome, Scope};

/// How many messages one connection takes; large services close one that takes more.
const MESSAGES: usize = 100;

/// The reply to a login with a wrong or outdated secret (RFC 4954 section 6).
const REFUSED_LOGIN: u16 = 535;

/// A way to a relay that keeps its connection between messages.
///
/// When it is dropped, it says QUIT: that has left then, unless the relay does not take it.
pub(crate) struct SmtpChannel {
    relay: Relay,
    observer: Arc<dyn Observer>,
    mask: Arc<Mask>,
    /// Whether the secret was got anew already: once is enough, the next refusal is a no.
    is_renewed: bool,
    kept: Option<IdleSession>,
}

impl SmtpChannel {
    /// Makes a channel; it connects when the first message comes.
    pub(crate) fn new(relay: Relay, observer: Arc<dyn Observer>) -> SmtpChannel {
        let mask = Mask::of(relay.credentials.as_ref(), &relay.host, relay.port);
        SmtpChannel {
            relay,
            observer,
            mask: Arc::new(mask),
            is_renewed: false,
            kept: None,
        }
    }

    /// Sets how long what may take, from the next message on.
    pub(crate) fn set_timeouts(&mut self, timeouts: Timeouts) {
        self.relay.timeouts = timeouts;
    }

    /// Sets who hears of the dialogue, from the next message on.
    pub(crate) fn set_observer(&mut self, observer: Arc<dyn Observer>) {
        self.observer = observer;
    }

    /// Returns whether the last message left a connection that the next one can use. The relay may
    /// close it meanwhile; then the next message opens another one.
    pub(crate) fn is_open(&self) -> bool {
        self.kept.is_some()
    }

    /// Takes a message to the relay: one outcome for each recipient, in their order, whatever
    /// happens. The connection stays open for the next message.
    ///
    /// Returns at once when `cancel` becomes true, and at the deadline when no final dot waits for
    /// its reply: what was not decided is "try later" before the final dot, "uncertain" after it.
    /// The texts are the relay's own words or ours, not yet sanitised.
    pub(crate) fn submit(
        &mut self,
        envelope: &Envelope,
        message: &dyn MessageSource,
        hooks: &dyn SubmitHooks,
        cancel: &AtomicBool,
    ) -> Vec<(EnvelopeAddress, Outcome)> {
        self.take(envelope, message, hooks, cancel)
    }

    /// Takes the last message of this channel: as [`SmtpChannel::submit`], and QUIT leaves before it
    /// returns.
    pub(crate) fn submit_last(
        mut self,
        envelope: &Envelope,
        message: &dyn MessageSource,
        hooks: &dyn SubmitHooks,
        cancel: &AtomicBool,
    ) -> Vec<(EnvelopeAddress, Outcome)> {
        self.take(envelope, message, hooks, cancel)
    }

    /// Takes a message, a second time with another secret where the relay refused the first one.
    fn take(
        &mut self,
        envelope: &Envelope,
        message: &dyn MessageSource,
        hooks: &dyn SubmitHooks,
        cancel: &AtomicBool,
    ) -> Vec<(EnvelopeAddress, Outcome)> {
        let outcomes = self.take_once(envelope, message, hooks, cancel);
        // A login comes before any recipient. A 535 for all of them is about the login, and nothing
        // was taken.
        let is_refused = |outcome: &Outcome| outcome.code == Some(REFUSED_LOGIN);
        let (Some((_, refused)), true) = (
            outcomes.first(),
            outcomes.iter().all(|(_, outcome)| is_refused(outcome)),
        ) else {
            return outcomes;
        };
        match self.renew(refused) {
            // On a new connection: many relays close the one of a refused login.
            Ok(true) => self.take_once(envelope, message, hooks, cancel),
            Ok(false) => outcomes,
            Err(failed) => {
                let recipients = envelope.recipients.iter().cloned();
                recipients.map(|to| (to, failed.clone())).collect()
            }
        }
    }

    /// Gets the secret anew after this refusal; returns whether it is another one.
    fn renew(&mut self, refused: &Outcome) -> Result<bool, Outcome> {
        let Some(credentials) = &mut self.relay.credentials else {
            return Ok(false);
        };
        let Some(renewal) = credentials.renewal.as_ref().filter(|_| !self.is_renewed) else {
            return Ok(false);
        };
        self.is_renewed = true;
        let secret = renewal.renew().map_err(|mut failed| {
            failed.text = format!("{}; {}", refused.text, failed.text);
            failed.scope(Scope::Route)
        })?;
        // The same password once more would only count as one more wrong login.
        if secret == credentials.secret {
            return Ok(false);
        }
        credentials.secret = secret;
        let mask = Mask::of(
            self.relay.credentials.as_ref(),
            &self.relay.host,
            self.relay.port,
        );
        self.mask = Arc::new(mask);
        Ok(true)
    }

    fn take_once(
        &mut self,
        envelope: &Envelope,
        message: &dyn MessageSource,
        hooks: &dyn SubmitHooks,
        cancel: &AtomicBool,
    ) -> Vec<(EnvelopeAddress, Outcome)> {
        let job = Job {
            relay: &self.relay,
            envelope,
            message,
            observer: &self.observer,
            mask: &self.mask,
            hooks,
            cancel,
            progress: Progress::new(envelope.recipients.len()),
        };
        let kept = &mut self.kept;
        // The report must come out even after a fault of our own, for the message may be with the
        // relay. What the fault has touched ends here: the connection and the job.
        let rest = catch_unwind(AssertUnwindSafe(|| deliver(&job, kept))).unwrap_or_else(|_| {
            job.give_up(Kind::Software, "a fault of our own");
            undecided(job.relay)
        });
        let outcomes = job.progress.into_outcomes(rest);
        envelope.recipients.iter().cloned().zip(outcomes).collect()
    }
}

impl Drop for SmtpChannel {
    fn drop(&mut self) {
        // The process may end right after this: without QUIT the relay would see a connection that
        // breaks off, and log that as an error. Its reply is not waited for: the outcome is final,
        // whatever becomes of QUIT.
        if let Some(session) = self.kept.take() {
            session.quit();
        }
    }
}

/// Takes one message to the relay, over the connection that is kept or a new one; keeps the
/// connection if it is of further use. Returns the outcome of those recipients that have none.
fn deliver(job: &Job<'_>, kept: &mut Option<IdleSession>) -> Outcome {
    let mut delivery = Delivery::new(job.envelope);
    loop {
        let mut session = match next_session(job, kept) {
            Ok(session) => session,
            Err(outcome) => return outcome,
        };
        match session.transact(&mut delivery) {
            Ok(()) => {
                *kept = Some(session.rest());
                if delivery.is_done() {
                    return undecided(job.relay);
                }
                job.tell_settled(&delivery.take_settled());
            }
            Err(Stop::Polite(outcome)) => {
                *kept = Some(session.rest());
                return outcome;
            }
            // A relay may close a connection that was idle, or took enough messages (RFC 5321
            // section 3.8). Nothing of this message was taken, and a new connection is the answer.
            Err(Stop::Broken(_)) if session.was_lost_between_messages() => {}
            Err(Stop::Broken(outcome)) => return outcome,
        }
    }
}

/// Returns the session for the next transaction: the one that is kept, if the relay takes more
/// messages over it, or a new one.
fn next_session<'a>(
    job: &'a Job<'a>,
    kept: &mut Option<IdleSession>,
) -> Result<SmtpSession<'a>, Outcome> {
    if let Some(session) = mem::take(kept) {
        if session.takes_more_than(MESSAGES) {
            return Ok(session.continue_with(job));
        }
        session.quit_for_another(job);
    }
    SmtpSession::open(job)
}
