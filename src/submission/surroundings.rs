//! The surroundings of a submission: settings, environment, signals and the observer.

use std::sync::Arc;

use crate::config::{Environment, Settings};
use crate::sys::signals::Signals;
use crate::transport::Observer;
use crate::transport::local::Wait;

/// All that a submission needs to know of its surroundings.
pub struct Surroundings<'a> {
    /// The settings.
    pub(crate) settings: &'a Settings,
    /// The environment.
    pub(crate) environment: &'a Environment,
    /// The signals that ask us to stop.
    pub(crate) signals: &'a Signals,
    /// Gets the dialogue and the notices of long waits.
    pub(crate) observer: Arc<dyn Observer>,
    /// Whether a person sits at a terminal: then no deadline ends a submission.
    pub(crate) terminal: bool,
}

impl Surroundings<'_> {
    /// Returns how the lock of a mailbox is waited for.
    pub(super) fn wait(&self) -> Wait<'_> {
        Wait {
            patience: self.settings.lock_timeout(),
            signals: self.signals,
            observer: &*self.observer,
        }
    }
}
