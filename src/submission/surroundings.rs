//! What a submission is told of its surroundings.

use std::sync::Arc;

use crate::config::{Environment, Settings};
use crate::sys::signals::Signals;
use crate::transport::Observer;
use crate::transport::local::Wait;

/// All that a submission needs to know of its surroundings.
pub struct Surroundings<'a> {
    /// What is set.
    pub(crate) settings: &'a Settings,
    /// The environment.
    pub(crate) environment: &'a Environment,
    /// Who asks us to stop.
    pub(crate) signals: &'a Signals,
    /// Who is told what goes on.
    pub(crate) observer: Arc<dyn Observer>,
    /// Whether somebody sits at a terminal: then no deadline ends a submission.
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
