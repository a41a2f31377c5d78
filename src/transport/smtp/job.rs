//! What one message needs of a dialogue, and how far it is.
//!
//! A [`Job`] is asked whether to go on, in every wait for the network and between two steps: it knows
//! the signal and the deadline, and does what the caller wants done in a long wait. What waits for
//! something else, for a disk or for the reader of `-v`, is not ended by it. [`Progress`] is the one place
//! that knows whether the message may be the relay's.

use std::cell::{Cell, RefCell};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::mask::Mask;
use super::relay::{Relay, seconds};
use super::socket::Watch;
use super::tls_hints;
use super::verdict::{suspect_missing_login, uncertain};
use crate::address::EnvelopeAddress;
use crate::exit::Kind;
use crate::transport::{Disposition, Envelope, MessageSource, Observer, Outcome, Scope};

/// What a caller does while its message is on its way.
pub(crate) trait SubmitHooks {
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

/// After how long a wait [`SubmitHooks::waited`] is called.
const WAITED: Duration = Duration::from_millis(500);

/// After how long a wait is reported.
const PATIENCE: Duration = Duration::from_secs(3);

/// Everything the dialogue of one message needs.
pub(super) struct Job<'a> {
    pub(super) relay: &'a Relay,
    pub(super) envelope: &'a Envelope,
    pub(super) message: &'a dyn MessageSource,
    pub(super) observer: &'a Arc<dyn Observer>,
    pub(super) mask: &'a Arc<Mask>,
    pub(super) hooks: &'a dyn SubmitHooks,
    /// Turns true when a signal asks us to stop.
    pub(super) cancel: &'a AtomicBool,
    pub(super) progress: Progress,
}

impl Job<'_> {
    /// Reports a fact about the connection, for `-v`.
    pub(super) fn note(&self, line: &str) {
        self.observer.note(line);
    }

    /// Does what comes before the final dot for these recipients.
    pub(super) fn before_dot(&self, recipients: &[usize]) -> io::Result<()> {
        let recipients: Vec<_> = recipients.iter().map(|at| self.recipient(*at)).collect();
        self.hooks.before_dot(&recipients)
    }

    /// Tells what a transaction that others follow has settled.
    pub(super) fn tell_settled(&self, settled: &[usize]) {
        let outcomes: Vec<_> = settled
            .iter()
            .filter_map(|at| Some((self.recipient(*at), self.progress.outcome(*at)?)))
            .collect();
        self.hooks.settled(&outcomes);
    }

    /// Ends the dialogue: what is not decided has this outcome, or is uncertain.
    pub(super) fn give_up(&self, kind: Kind, why: &str) {
        self.give_up_with(kind, why, Scope::default());
    }

    fn give_up_with(&self, kind: Kind, why: &str, scope: Scope) {
        let stage = self.progress.stage();
        let text = format!("{}: {why} while waiting for {stage}", self.relay.name());
        let mut outcome = Outcome::new(Disposition::TryLater(kind), text).scope(scope);
        outcome.hint = tls_hints::after_silence(self.relay, &stage);
        self.progress.abandon(outcome);
    }

    fn recipient(&self, at: usize) -> EnvelopeAddress {
        self.envelope.recipients[at].clone()
    }
}

impl Watch for Job<'_> {
    fn goes_on(&self) -> bool {
        let progress = &self.progress;
        if progress.is_abandoned() {
            return false;
        }
        if self.cancel.load(Ordering::SeqCst) {
            self.give_up(Kind::TryLater, "interrupted");
            return false;
        }
        let now = Instant::now();
        // Where a final dot may be out, the wait goes on for the relay's answer.
        if let Some(deadline) = self.relay.timeouts.deadline
            && now.duration_since(progress.started.get()) >= deadline
            && !progress.is_in_flight()
        {
            let why = format!("deadline of {} passed", seconds(deadline));
            self.give_up_with(Kind::TryLater, &why, Scope::Route);
            return false;
        }
        if now.duration_since(progress.begun) >= WAITED && !progress.has_waited.replace(true) {
            self.hooks.waited();
        }
        if let Some(stage) = progress.overdue(now) {
            let relay = self.relay.name();
            self.observer
                .waiting(&format!("{relay}: waiting for {stage}"));
        }
        true
    }
}

/// How far the dialogue of a message is.
pub(super) struct Progress {
    /// The recipients whose final dot may be sent and is not answered: only the relay knows.
    in_flight: RefCell<Vec<usize>>,
    /// What is said of all that is not decided, where the dialogue was given up.
    abandoned: RefCell<Option<Outcome>>,
    /// The outcome of each recipient, as far as it is decided.
    settled: RefCell<Vec<Option<Outcome>>>,
    stage: RefCell<Stage>,
    /// When the message was given to us.
    begun: Instant,
    /// When the time for all that comes before the next final dot began.
    started: Cell<Instant>,
    /// Whether the caller was told that the relay lets us wait.
    has_waited: Cell<bool>,
    /// Whether a relay that offers a login accepted no recipient, and there is no login.
    lacks_login: Cell<bool>,
}

/// What is waited for.
struct Stage {
    name: String,
    since: Instant,
    is_reported: bool,
}

impl Progress {
    pub(super) fn new(recipients: usize) -> Progress {
        let now = Instant::now();
        Progress {
            in_flight: RefCell::default(),
            abandoned: RefCell::default(),
            settled: RefCell::new(vec![None; recipients]),
            stage: RefCell::new(Stage {
                name: "the network".to_owned(),
                since: now,
                is_reported: false,
            }),
            begun: now,
            started: Cell::new(now),
            has_waited: Cell::new(false),
            lacks_login: Cell::new(false),
        }
    }

    /// Crosses the line after which the message may be the relay's for these recipients: to be
    /// called just before the final dot is written.
    pub(super) fn claim(&self, recipients: &[usize]) {
        *self.in_flight.borrow_mut() = recipients.to_vec();
    }

    /// Takes the line back: the final dot could not be written, or it was refused and the message is
    /// sent again for fewer recipients.
    pub(super) fn not_taken(&self) {
        self.in_flight.borrow_mut().clear();
    }

    /// Settles the recipients whose final dot was sent.
    pub(super) fn answered(&self, outcome: &Outcome) {
        for recipient in self.in_flight.take() {
            self.settle(recipient, outcome.clone());
        }
        // Recipients that one transaction cannot take have one after the other. Each of them has
        // the whole time: a long list is no reason to stop in the middle of it.
        self.started.set(Instant::now());
    }

    fn is_in_flight(&self) -> bool {
        !self.in_flight.borrow().is_empty()
    }

    /// Gives up; the first reason stands.
    fn abandon(&self, why: Outcome) {
        self.abandoned.borrow_mut().get_or_insert(why);
    }

    /// Returns whether the dialogue was given up: nothing more is sent.
    pub(super) fn is_abandoned(&self) -> bool {
        self.abandoned.borrow().is_some()
    }

    pub(super) fn settle(&self, recipient: usize, outcome: Outcome) {
        self.settled.borrow_mut()[recipient] = Some(outcome);
    }

    /// Returns the outcome of a recipient, if it is decided.
    fn outcome(&self, recipient: usize) -> Option<Outcome> {
        self.settled.borrow().get(recipient).cloned().flatten()
    }

    /// Returns the outcome of each recipient; `rest` is that of all that were not decided, unless the
    /// dialogue was given up. Those whose final dot may be out are uncertain.
    pub(super) fn into_outcomes(self, rest: Outcome) -> Vec<Outcome> {
        let rest = self.abandoned.into_inner().unwrap_or(rest);
        let mut settled = self.settled.into_inner();
        for recipient in self.in_flight.into_inner() {
            settled[recipient] = Some(uncertain(rest.text.clone()));
        }
        let mut outcomes: Vec<Outcome> = settled
            .into_iter()
            .map(|outcome| outcome.unwrap_or_else(|| rest.clone()))
            .collect();
        if self.lacks_login.get() {
            suspect_missing_login(&mut outcomes);
        }
        outcomes
    }

    /// Notes that a relay which offers a login accepted no recipient, and there is no login.
    pub(super) fn login_may_be_missing(&self) {
        self.lacks_login.set(true);
    }

    /// Notes what is waited for from here on.
    pub(super) fn enter(&self, stage: &str) {
        let mut now = self.stage.borrow_mut();
        // One that comes again, for the next recipient, is not reported again.
        now.is_reported &= now.name == stage;
        now.name.clear();
        now.name.push_str(stage);
        now.since = Instant::now();
    }

    fn stage(&self) -> String {
        self.stage.borrow().name.clone()
    }

    /// Returns what is waited for, once it is worth a word.
    fn overdue(&self, now: Instant) -> Option<String> {
        let mut stage = self.stage.borrow_mut();
        if stage.is_reported || now.duration_since(stage.since) < PATIENCE {
            return None;
        }
        stage.is_reported = true;
        Some(stage.name.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::ReversePath;
    use crate::transport::Silent;
    use Disposition::{Accepted, TryLater, Uncertain};

    /// Notes whether the caller was told of a wait.
    #[derive(Default)]
    struct Noted(Cell<usize>);

    impl SubmitHooks for Noted {
        fn waited(&self) {
            self.0.set(self.0.get() + 1);
        }
    }

    /// Runs this with a job for three recipients, and returns what became of each.
    fn outcomes(
        deadline: Option<Duration>,
        cancel: &AtomicBool,
        hooks: &dyn SubmitHooks,
        run: impl FnOnce(&mut Job<'_>),
    ) -> Vec<Disposition> {
        let mut relay = Relay::new("192.0.2.1", 25);
        relay.timeouts.deadline = deadline;
        let envelope = Envelope {
            sender: ReversePath::Null,
            recipients: Vec::new(),
        };
        let observer: Arc<dyn Observer> = Arc::new(Silent);
        let mut job = Job {
            relay: &relay,
            envelope: &envelope,
            message: &b"hi\n".to_vec(),
            observer: &observer,
            mask: &Arc::new(Mask::of(None, "192.0.2.1", 25)),
            hooks,
            cancel,
            progress: Progress::new(3),
        };
        run(&mut job);
        let rest = Outcome::new(TryLater(Kind::Protocol), "rest");
        let outcomes = job.progress.into_outcomes(rest);
        outcomes.iter().map(|outcome| outcome.disposition).collect()
    }

    #[test]
    fn the_deadline_holds_before_a_dot_and_a_signal_always() {
        let (later, quiet) = (Kind::TryLater, AtomicBool::new(false));
        let passed = Some(Duration::ZERO);
        let before = outcomes(passed, &quiet, &NoHooks, |job| assert!(!job.goes_on()));
        assert_eq!(before, [TryLater(later); 3]);
        let after = outcomes(passed, &quiet, &NoHooks, |job| {
            job.progress.claim(&[0]);
            assert!(job.goes_on());
            job.progress.answered(&Outcome::new(Accepted, "ok"));
            // The next dot has its own time, which is none here.
            assert!(!job.goes_on());
        });
        assert_eq!(after, [Accepted, TryLater(later), TryLater(later)]);
        let signal = AtomicBool::new(false);
        let after = outcomes(None, &signal, &NoHooks, |job| {
            job.progress.claim(&[1]);
            assert!(job.goes_on());
            signal.store(true, Ordering::SeqCst);
            assert!(!job.goes_on());
        });
        assert_eq!(after, [TryLater(later), Uncertain(later), TryLater(later)]);
    }

    #[test]
    fn only_recipients_whose_dot_is_out_are_uncertain() {
        let (later, quiet) = (Kind::TryLater, AtomicBool::new(false));
        let given_up = outcomes(None, &quiet, &NoHooks, |job| {
            job.progress.claim(&[0]);
            job.progress.answered(&Outcome::new(Accepted, "ok"));
            job.progress.claim(&[2]);
            job.give_up(later, "interrupted");
            // The first reason stands.
            job.give_up(Kind::Software, "a fault of our own");
        });
        assert_eq!(given_up, [Accepted, TryLater(later), Uncertain(later)]);
        // The write of the dot itself was given up: it has not left.
        let before = outcomes(None, &quiet, &NoHooks, |job| {
            job.progress.claim(&[1]);
            job.give_up(later, "interrupted");
            job.progress.not_taken();
        });
        assert_eq!(before, [TryLater(later); 3]);
    }

    #[test]
    fn a_long_wait_is_told_once() {
        let noted = Noted::default();
        outcomes(None, &AtomicBool::new(false), &noted, |job| {
            assert!(job.goes_on());
            assert_eq!(noted.0.get(), 0);
            job.progress.begun -= WAITED;
            assert!(job.goes_on() && job.goes_on());
            assert_eq!(noted.0.get(), 1);
        });
    }
}
