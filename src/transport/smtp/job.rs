//! What one message needs of a dialogue, and how far it is: `Progress` is shared by the dialogue's
//! thread and by the one that waits for it, and knows who may still decide what becomes of the
//! message.

use std::io;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::mask::Mask;
use super::relay::Relay;
use super::verdict::{suspect_missing_login, uncertain};
use crate::transport::{Envelope, MessageSource, Observer, Outcome};

/// A message that the worker thread can read.
pub(crate) type SharedMessage = Arc<dyn MessageSource + Send + Sync>;

/// What is done right before a final dot, by the thread that sends it.
///
/// If it fails, the dot is not sent, and "try later" is what becomes of the recipients.
pub(crate) type DotMark = Arc<dyn Fn() -> io::Result<()> + Send + Sync>;

/// Everything the dialogue of one message needs.
pub(super) struct Job {
    pub(super) relay: Relay,
    pub(super) envelope: Envelope,
    pub(super) message: SharedMessage,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) progress: Arc<Progress>,
    pub(super) mask: Arc<Mask>,
    /// Where the waiting thread listens.
    pub(super) events: Sender<Event>,
    /// What is done before each final dot; `None` if the waiting thread does it.
    pub(super) dot_mark: Option<DotMark>,
    /// Whether the connection ends with this message.
    pub(super) is_last: bool,
}

/// What the worker tells the waiting thread.
pub(super) enum Event {
    /// The final dot for these recipients is the next thing to be sent, if the answer is good.
    BeforeDot {
        recipients: Vec<usize>,
        answer: Sender<io::Result<()>>,
    },
    /// These recipients are settled, and others need another transaction.
    NextTransaction(Vec<usize>),
    /// The end: the outcome of every recipient that has none of its own.
    Done(Outcome),
}

impl Job {
    /// Reports a fact about the connection, for `-v`, unless the dialogue is abandoned.
    pub(super) fn note(&self, line: &str) {
        if !self.progress.is_closed() {
            self.observer.note(line);
        }
    }
}

/// How far the worker is; shared with the thread that waits for it.
pub(super) struct Progress(Mutex<ProgressState>);

struct ProgressState {
    /// The recipients whose final dot may be sent and is not answered: only the relay knows.
    in_flight: Vec<usize>,
    /// Whether the waiting thread has given up: no further final dot will be sent.
    is_abandoned: bool,
    /// The outcome of each recipient, as far as it is decided.
    settled: Vec<Option<Outcome>>,
    stage: String,
    since: Instant,
    /// When the time for all that comes before the next final dot began.
    started: Instant,
    /// Whether the outcomes were taken: the waiting thread has gone on.
    is_closed: bool,
    /// Whether a relay that offers a login accepted no recipient, and there is no login.
    lacks_login: bool,
}

impl Progress {
    pub(super) fn new(recipients: usize) -> Progress {
        let now = Instant::now();
        Progress(Mutex::new(ProgressState {
            // One mutex guards what is in flight and the outcomes together: the thread that reads
            // both must see them as they were at one moment.
            in_flight: Vec::new(),
            is_abandoned: false,
            settled: vec![None; recipients],
            stage: "the network".to_owned(),
            since: now,
            started: now,
            is_closed: false,
            lacks_login: false,
        }))
    }

    fn state(&self) -> MutexGuard<'_, ProgressState> {
        // A panic of the other thread leaves the state usable: each method changes it in one step.
        // The report must come out even then, for the message may be with the relay.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Crosses the line after which the message may be the relay's for these recipients: to be
    /// called just before the final dot is written. Returns false if the waiting thread has given
    /// up; then nothing may be sent any more, for it has said that a second try is safe.
    pub(super) fn claim(&self, recipients: &[usize]) -> bool {
        let mut state = self.state();
        if state.is_abandoned {
            return false;
        }
        state.in_flight = recipients.to_vec();
        true
    }

    /// Takes the line back: the final dot could not be written, or it was refused and the message is
    /// sent again for fewer recipients.
    pub(super) fn not_taken(&self) {
        self.state().in_flight.clear();
    }

    /// Settles the recipients whose final dot was sent.
    pub(super) fn answered(&self, outcome: &Outcome) {
        let mut state = self.state();
        for recipient in std::mem::take(&mut state.in_flight) {
            state.settled[recipient] = Some(outcome.clone());
        }
        // Recipients that one transaction cannot take have one after the other. Each of them has
        // the whole time: a long list is no reason to stop in the middle of it.
        state.started = Instant::now();
    }

    /// Gives up at the deadline, unless a final dot may be out: its answer is waited for. Returns
    /// whether it is certain that no further dot will be sent.
    pub(super) fn abandon_before_dot(&self) -> bool {
        let mut state = self.state();
        if state.in_flight.is_empty() {
            state.is_abandoned = true;
        }
        state.is_abandoned
    }

    /// Gives up at once. A final dot that may be out makes its recipients uncertain.
    pub(super) fn abandon(&self, why: &str) {
        let mut state = self.state();
        state.is_abandoned = true;
        for recipient in std::mem::take(&mut state.in_flight) {
            state.settled[recipient] = Some(uncertain(why.to_owned()));
        }
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.state().is_abandoned
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state().is_closed
    }

    pub(super) fn settle(&self, recipient: usize, outcome: Outcome) {
        self.state().settled[recipient] = Some(outcome);
    }

    /// Returns how long the worker has tried to come to a final dot.
    pub(super) fn elapsed(&self) -> Duration {
        self.state().started.elapsed()
    }

    /// Returns the outcome of a recipient, if it is decided.
    pub(super) fn outcome(&self, recipient: usize) -> Option<Outcome> {
        self.state().settled.get(recipient).cloned().flatten()
    }

    /// Takes the outcomes; what the worker does from here on is not shown or reported.
    pub(super) fn outcomes(&self, rest: &Outcome) -> Vec<Outcome> {
        let mut state = self.state();
        state.is_closed = true;
        let settled = state.settled.iter();
        let mut outcomes: Vec<Outcome> = settled
            .map(|outcome| outcome.clone().unwrap_or_else(|| rest.clone()))
            .collect();
        if state.lacks_login {
            suspect_missing_login(&mut outcomes);
        }
        outcomes
    }

    /// Notes that a relay which offers a login accepted no recipient, and there is no login.
    pub(super) fn login_may_be_missing(&self) {
        self.state().lacks_login = true;
    }

    pub(super) fn enter(&self, stage: &str) {
        let mut state = self.state();
        state.stage = stage.to_owned();
        state.since = Instant::now();
    }

    pub(super) fn stage(&self) -> (String, Instant) {
        let state = self.state();
        (state.stage.clone(), state.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Kind;
    use crate::transport::Disposition::{self, TryLater, Uncertain};

    fn dispositions(progress: &Progress) -> Vec<Disposition> {
        let rest = Outcome::new(TryLater(Kind::TryLater), "rest");
        let outcomes = progress.outcomes(&rest);
        outcomes.iter().map(|outcome| outcome.disposition).collect()
    }

    #[test]
    fn who_gave_up_first_decides_whether_the_dot_may_be_sent() {
        let progress = Progress::new(1);
        assert!(progress.abandon_before_dot());
        assert!(!progress.claim(&[0]));
        let progress = Progress::new(1);
        assert!(progress.claim(&[0]));
        assert!(!progress.abandon_before_dot());
    }

    #[test]
    fn only_recipients_whose_dot_is_out_are_uncertain() {
        let progress = Progress::new(3);
        let accepted = Outcome::new(Disposition::Accepted, "ok");
        assert!(progress.claim(&[0]));
        progress.answered(&accepted);
        assert!(progress.claim(&[2]));
        progress.abandon("interrupted");
        // The answer that comes too late changes nothing, and no further dot leaves.
        progress.answered(&accepted);
        assert!(!progress.claim(&[1]));
        let later = Kind::TryLater;
        let expected = [Disposition::Accepted, TryLater(later), Uncertain(later)];
        assert_eq!(dispositions(&progress), expected);
    }
}
