//! The channel to a relay: messages go in one after the other, and outcomes come out.
//!
//! The dialogue runs in `worker`; here is the thread that waits for it, and that must never wait
//! longer than it was told to. All hooks run in the waiting thread.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use super::job::{DotMark, Event, Job, Progress, SharedMessage};
use super::mask::Mask;
use super::relay::{Relay, Timeouts, seconds};
use super::tls_hints;
use super::worker::{self, Command};
use crate::address::EnvelopeAddress;
use crate::exit::{self, Kind};
use crate::transport::{Disposition, Envelope, Observer, Outcome, Scope};

/// What a caller does while its message is on its way.
///
/// All of it runs in the thread that called [`SmtpChannel::submit`], but for the [`DotMark`].
pub(crate) trait SubmitHooks {
    /// Returns what is done instead of [`before_dot`](SubmitHooks::before_dot), where that needs
    /// nothing of the thread that waits: no dot has to wait for two changes of threads then.
    fn dot_mark(&self) -> Option<DotMark> {
        None
    }

    /// Is called once when the relay lets us wait: the time to make safe what is to survive a power
    /// cut.
    fn waited(&self) {}

    /// Is called before each final dot, with the recipients of its transaction. A relay that does
    /// not take all recipients at once gets the message in several transactions.
    ///
    /// # Errors
    /// If it fails, the dot is not sent, and "try later" is what becomes of the recipients.
    fn before_dot(&self, recipients: &[EnvelopeAddress]) -> io::Result<()> {
        let _ = recipients;
        Ok(())
    }

    /// Is called after a transaction that others follow, with the outcomes it settled for good.
    fn settled(&self, outcomes: &[(EnvelopeAddress, Outcome)]) {
        let _ = outcomes;
    }
}

/// No hooks.
#[cfg(test)]
pub(crate) struct NoHooks;

#[cfg(test)]
impl SubmitHooks for NoHooks {}

/// How often the waiting thread looks whether it is to stop.
const SLICE: Duration = Duration::from_millis(50);

/// After how long a wait [`SubmitHooks::waited`] is called.
const WAITED: Duration = Duration::from_millis(500);

/// After how long a wait is reported.
const PATIENCE: Duration = Duration::from_secs(3);

/// The reply to a login with a wrong or outdated secret (RFC 4954 section 6).
const REFUSED_LOGIN: u16 = 535;

/// How long QUIT may take to leave.
const FAREWELL: Duration = Duration::from_millis(500);

/// A way to a relay that keeps its connection between messages.
///
/// When it is dropped, it says QUIT: that has left then, unless the relay does not take it.
pub(crate) struct SmtpChannel {
    relay: Relay,
    observer: Arc<dyn Observer>,
    mask: Arc<Mask>,
    /// Whether the secret was got anew already: once is enough, the next refusal is a no.
    is_renewed: bool,
    worker: Option<Worker>,
}

/// The thread of a channel.
struct Worker {
    commands: Sender<Command>,
    /// Whether it keeps a connection.
    is_open: Arc<AtomicBool>,
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
            worker: None,
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
        let worker = self.worker.as_ref();
        worker.is_some_and(|worker| worker.is_open.load(Ordering::SeqCst))
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
        message: SharedMessage,
        hooks: &dyn SubmitHooks,
        cancel: &AtomicBool,
    ) -> Vec<(EnvelopeAddress, Outcome)> {
        self.take(envelope, message, hooks, cancel, false)
    }

    /// Takes the last message of this channel: as [`SmtpChannel::submit`], and QUIT leaves before it
    /// returns.
    pub(crate) fn submit_last(
        mut self,
        envelope: &Envelope,
        message: SharedMessage,
        hooks: &dyn SubmitHooks,
        cancel: &AtomicBool,
    ) -> Vec<(EnvelopeAddress, Outcome)> {
        let outcomes = self.take(envelope, message, hooks, cancel, true);
        // It has said QUIT, or will not be heard any more.
        self.worker = None;
        outcomes
    }

    /// Takes a message, a second time with another secret where the relay refused the first one.
    fn take(
        &mut self,
        envelope: &Envelope,
        message: SharedMessage,
        hooks: &dyn SubmitHooks,
        cancel: &AtomicBool,
        is_last: bool,
    ) -> Vec<(EnvelopeAddress, Outcome)> {
        let again = Arc::clone(&message);
        let outcomes = self.take_once(envelope, message, hooks, cancel, is_last);
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
            Ok(true) => self.take_once(envelope, again, hooks, cancel, is_last),
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
        message: SharedMessage,
        hooks: &dyn SubmitHooks,
        cancel: &AtomicBool,
        is_last: bool,
    ) -> Vec<(EnvelopeAddress, Outcome)> {
        let progress = Arc::new(Progress::new(envelope.recipients.len()));
        let (events, receiver) = mpsc::channel();
        let job = Job {
            relay: self.relay.clone(),
            envelope: envelope.clone(),
            message,
            observer: Arc::clone(&self.observer),
            progress: Arc::clone(&progress),
            mask: Arc::clone(&self.mask),
            events,
            dot_mark: hooks.dot_mark(),
            is_last,
        };
        let rest = match self.hand_over(job) {
            Ok(()) => {
                let wait = Wait {
                    relay: &self.relay,
                    envelope,
                    progress: &progress,
                    observer: &*self.observer,
                    hooks,
                    cancel,
                };
                wait.run(&receiver)
            }
            Err(error) => Outcome::new(
                Disposition::TryLater(Kind::TryLater),
                format!("cannot start a thread: {}", exit::plain(&error)),
            ),
        };
        if progress.is_abandoned() {
            // The worker may hang in a read for one more time limit. It is left alone with its
            // connection, and the next message gets another one.
            self.worker = None;
        }
        let outcomes = progress.outcomes(&rest);
        envelope.recipients.iter().cloned().zip(outcomes).collect()
    }

    /// Gives a job to the worker; starts one if there is none.
    fn hand_over(&mut self, job: Job) -> io::Result<()> {
        let mut command = Command::Take(Box::new(job));
        if let Some(worker) = &self.worker {
            match worker.commands.send(command) {
                Ok(()) => return Ok(()),
                // It is gone, after a panic.
                Err(unsent) => command = unsent.0,
            }
        }
        let is_open = Arc::new(AtomicBool::new(false));
        let commands = worker::start(Arc::clone(&is_open))?;
        // A new thread cannot be gone before its first command; if it is, the wait says so.
        let _ = commands.send(command);
        self.worker = Some(Worker { commands, is_open });
        Ok(())
    }
}

impl Drop for SmtpChannel {
    fn drop(&mut self) {
        if !self.is_open() {
            return;
        }
        let Some(worker) = self.worker.take() else {
            return;
        };
        // The process may end right after this: without the short wait the relay would see a
        // connection that breaks off, and log that as an error.
        let (left, has_left) = mpsc::channel();
        if worker.commands.send(Command::Leave(left)).is_ok() {
            let _ = has_left.recv_timeout(FAREWELL);
        }
    }
}

/// What the waiting thread looks at.
struct Wait<'a> {
    relay: &'a Relay,
    envelope: &'a Envelope,
    progress: &'a Progress,
    observer: &'a dyn Observer,
    hooks: &'a dyn SubmitHooks,
    cancel: &'a AtomicBool,
}

impl Wait<'_> {
    /// Waits for the worker; returns the outcome of every recipient that it left undecided.
    fn run(&self, worker: &Receiver<Event>) -> Outcome {
        let start = Instant::now();
        let mut has_waited = false;
        let mut reported = String::new();
        loop {
            match worker.recv_timeout(SLICE) {
                Ok(Event::Done(rest)) => return rest,
                Ok(Event::BeforeDot { recipients, answer }) => {
                    let recipients = recipients.into_iter();
                    let recipients: Vec<_> = recipients.map(|at| self.recipient(at)).collect();
                    // Nobody hears it if the worker has panicked, which the next turn finds out.
                    let _ = answer.send(self.hooks.before_dot(&recipients));
                }
                Ok(Event::NextTransaction(settled)) => self.hooks.settled(&self.outcomes(settled)),
                Err(RecvTimeoutError::Timeout) => {}
                // The sender was dropped without an outcome: the worker has panicked. Where it was
                // decides between "try later" and "uncertain".
                Err(RecvTimeoutError::Disconnected) => {
                    return self.abandoned(Kind::Software, "a fault of our own");
                }
            }
            if self.cancel.load(Ordering::SeqCst) {
                return self.abandoned(Kind::TryLater, "interrupted");
            }
            // `abandon_before_dot` is asked last and only if the deadline has passed: it forbids the
            // final dot. Where the dot is out already it returns false, and the wait goes on for the
            // relay's answer.
            if let Some(deadline) = self.relay.timeouts.deadline
                && self.progress.elapsed() >= deadline
                && self.progress.abandon_before_dot()
            {
                let why = format!("deadline of {} passed", seconds(deadline));
                return self.abandoned(Kind::TryLater, &why).scope(Scope::Route);
            }
            if !has_waited && start.elapsed() >= WAITED {
                has_waited = true;
                self.hooks.waited();
            }
            let (stage, since) = self.progress.stage();
            if since.elapsed() >= PATIENCE && stage != reported {
                let relay = self.relay.name();
                self.observer
                    .waiting(&format!("{relay}: waiting for {stage}"));
                reported = stage;
            }
        }
    }

    fn recipient(&self, at: usize) -> EnvelopeAddress {
        self.envelope.recipients[at].clone()
    }

    fn outcomes(&self, settled: Vec<usize>) -> Vec<(EnvelopeAddress, Outcome)> {
        let settled = settled.into_iter();
        settled
            .filter_map(|at| Some((self.recipient(at), self.progress.outcome(at)?)))
            .collect()
    }

    /// Gives up on the worker; recipients whose final dot may be out are uncertain.
    fn abandoned(&self, kind: Kind, why: &str) -> Outcome {
        let (stage, _) = self.progress.stage();
        let text = format!("{}: {why} while waiting for {stage}", self.relay.name());
        self.progress.abandon(&text);
        let mut outcome = Outcome::new(Disposition::TryLater(kind), text);
        outcome.hint = tls_hints::after_silence(self.relay, &stage);
        outcome
    }
}
