//! What one dialogue needs, and how far it is: `Progress` is shared by the dialogue's thread and by
//! the one that waits for it, and knows who may still decide what becomes of the message.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::mask::Mask;
use super::relay::Relay;
use super::verdict::suspect_missing_login;
use crate::transport::{Envelope, MessageSource, Observer, Outcome};

/// A message that the worker thread can read.
pub(crate) type SharedMessage = Arc<dyn MessageSource + Send + Sync>;

/// Everything one dialogue needs.
pub(super) struct Job {
    pub(super) relay: Relay,
    pub(super) envelope: Envelope,
    pub(super) message: SharedMessage,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) progress: Arc<Progress>,
    pub(super) mask: Arc<Mask>,
}

/// Writes a duration as people say it.
pub(super) fn seconds(duration: Duration) -> String {
    if duration.subsec_millis() == 0 {
        format!("{} s", duration.as_secs())
    } else {
        format!("{} ms", duration.as_millis())
    }
}

/// How far the worker is; shared with the thread that waits for it.
pub(super) struct Progress(Mutex<ProgressState>);

pub(super) struct ProgressState {
    phase: Phase,
    /// The outcome of each recipient, as far as it is decided.
    settled: Vec<Option<Outcome>>,
    stage: String,
    since: Instant,
    /// Whether the outcomes were taken: the waiting thread has gone on.
    closed: bool,
    /// Whether a relay that offers a login accepted no recipient, and there is no login.
    lacks_login: bool,
}

/// Who may still decide what becomes of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The final dot is not sent.
    Before,
    /// It may be sent: only the relay knows.
    DotSent,
    /// The waiting thread has given up, and the dot will not be sent.
    Abandoned,
}

impl Progress {
    pub(super) fn new(recipients: usize) -> Progress {
        Progress(Mutex::new(ProgressState {
            // One mutex guards the phase and the outcomes together: the thread that reads both must
            // see them as they were at one moment.
            phase: Phase::Before,
            settled: vec![None; recipients],
            stage: "the network".to_owned(),
            since: Instant::now(),
            closed: false,
            lacks_login: false,
        }))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, ProgressState> {
        // A panic of the other thread leaves the state usable: each method changes it in one step.
        // The report must come out even then, for the message may be with the relay.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Crosses the line after which the message may be the relay's: to be called just before the
    /// final dot is written. Returns false if the waiting thread has given up; then nothing may be
    /// sent any more, for it has said that a second try is safe.
    pub(super) fn claim(&self) -> bool {
        let mut state = self.state();
        if state.phase == Phase::Before {
            state.phase = Phase::DotSent;
        }
        state.phase == Phase::DotSent
    }

    /// Gives up; returns whether it is certain that the final dot is not and will not be sent.
    pub(super) fn abandon(&self) -> bool {
        let mut state = self.state();
        if state.phase == Phase::Before {
            state.phase = Phase::Abandoned;
        }
        state.phase == Phase::Abandoned
    }

    /// Takes the line back: the final dot could not be written.
    pub(super) fn dot_not_sent(&self) {
        let mut state = self.state();
        if state.phase == Phase::DotSent {
            state.phase = Phase::Before;
        }
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.state().phase == Phase::Abandoned
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state().closed
    }

    pub(super) fn settle(&self, recipient: usize, outcome: Outcome) {
        self.state().settled[recipient] = Some(outcome);
    }

    /// Takes the outcomes; what the worker does from here on is not shown or reported.
    pub(super) fn outcomes(&self, rest: &Outcome) -> Vec<Outcome> {
        let mut state = self.state();
        state.closed = true;
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
