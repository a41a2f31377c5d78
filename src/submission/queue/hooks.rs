//! What an entry does while its message is on its way: it is written before anybody waits, it is made
//! safe, its dot is marked, and who has an answer is written down.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::{Queue, standing, target_state};
use crate::address::EnvelopeAddress;
use crate::compose::render::Rendered;
use crate::submission::outbox::{Entry, EntryFile};
use crate::submission::route::{Route, RoutedCopy};
use crate::sys::clock;
use crate::transport::Outcome;
use crate::transport::smtp::{DotMark, SubmitHooks};

/// What an entry does while its message is on its way to a relay.
pub(in crate::submission) struct EntryHooks<'a> {
    /// `None` where nothing is kept for a later try.
    queue: Option<&'a Queue<'a>>,
    copies: &'a [&'a RoutedCopy],
    /// All copies that the mail has.
    all: &'a [RoutedCopy],
    route: &'a Route,
    /// The message as a later try must send it.
    rendered: RefCell<Arc<Rendered>>,
    /// Whether the entry was asked for: an outbox that has refused it is not asked again.
    is_asked: Cell<bool>,
    entry: RefCell<Option<Entry>>,
    dot: Arc<Mutex<Dot>>,
}

/// What the thread that sends the final dot must know, and what it leaves behind.
#[derive(Default)]
struct Dot {
    /// The file of the entry, if there is one. The thread may outlive the entry: it is waiting for the
    /// reply to QUIT when the entry is done.
    file: Option<Weak<EntryFile>>,
    /// Whether a dot may be out: an entry that is written from now on says so from its first moment.
    is_out: bool,
}

impl<'a> EntryHooks<'a> {
    /// Returns the hooks of these copies of a message, which has no entry yet.
    pub(in crate::submission) fn new(
        queue: Option<&'a Queue<'a>>,
        copies: &'a [&'a RoutedCopy],
        all: &'a [RoutedCopy],
        route: &'a Route,
        rendered: Arc<Rendered>,
    ) -> EntryHooks<'a> {
        EntryHooks {
            queue,
            copies,
            all,
            route,
            rendered: RefCell::new(rendered),
            is_asked: Cell::new(false),
            entry: RefCell::default(),
            dot: Arc::default(),
        }
    }

    fn dot(&self) -> MutexGuard<'_, Dot> {
        // Each of its users changes it in one step, so a panic of another thread leaves it usable.
        self.dot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the entry, if that was not asked for before.
    pub(in crate::submission) fn enter(&self) {
        if !self.is_asked.replace(true) {
            self.write();
        }
    }

    /// Writes an entry; one that was there before is removed when this one stands.
    fn write(&self) {
        // A dot waits for the lock: either it finds the entry, or the entry knows of it.
        let mut dot = self.dot();
        let rendered = self.rendered.borrow();
        let queue = self.queue;
        let write = |queue: &Queue<'_>| {
            queue.enter_as(
                &rendered,
                self.copies,
                self.all,
                Some(self.route),
                dot.is_out,
            )
        };
        if let Some(entry) = queue.and_then(write) {
            dot.file = Some(Arc::downgrade(entry.file()));
            if let Some(before) = self.entry.replace(Some(entry)) {
                // What is left behind would be sent by a flush; the next one of the same name fails
                // as well, and that is told.
                let _ = before.finish();
            }
        }
    }

    /// Puts a smaller message in the place of this one, of which the relay has taken nothing.
    pub(in crate::submission) fn replace(&self, smaller: Arc<Rendered>) {
        self.rendered.replace(smaller);
        self.dot().is_out = false;
        if self.is_asked.get() {
            self.write();
        }
    }

    /// Writes down who has an answer of one relay that stands, where others have none: a further relay
    /// may be tried for them.
    pub(in crate::submission) fn note(&self, recipients: &[EnvelopeAddress], outcomes: &[Outcome]) {
        let all = recipients.iter().cloned().zip(outcomes.iter().cloned());
        let (stands, open): (Vec<_>, Vec<_>) =
            all.partition(|(_, outcome)| standing(outcome).is_final());
        if !stands.is_empty() && !open.is_empty() {
            self.settled(&stands);
        }
    }

    /// Returns the entry, if there is one.
    pub(in crate::submission) fn into_entry(self) -> Option<Entry> {
        self.entry.into_inner()
    }
}

impl SubmitHooks for EntryHooks<'_> {
    fn about_to_wait(&self) {
        self.enter();
    }

    fn waited(&self) {
        if let Some(entry) = &*self.entry.borrow() {
            // A failure is met again, and told, where something is promised.
            let _ = entry.make_durable();
        }
    }

    fn dot_mark(&self) -> Option<DotMark> {
        let dot = Arc::clone(&self.dot);
        Some(Arc::new(move || {
            let mut dot = dot.lock().unwrap_or_else(PoisonError::into_inner);
            dot.is_out = true;
            if let Some(file) = dot.file.as_ref().and_then(Weak::upgrade) {
                // A name that cannot be changed does not keep the mail from leaving: at worst, if we
                // are killed now, it comes twice.
                let _ = file.about_to_dot();
            }
            Ok(())
        }))
    }

    fn settled(&self, outcomes: &[(EnvelopeAddress, Outcome)]) {
        self.enter();
        self.dot().is_out = false;
        if let Some(entry) = &mut *self.entry.borrow_mut() {
            let now = clock::since_epoch().as_secs();
            let outcomes: HashMap<&str, &Outcome> = outcomes
                .iter()
                .map(|(target, outcome)| (target.as_str(), outcome))
                .collect();
            let settled = self.copies.iter().filter_map(|copy| {
                let outcome = outcomes.get(copy.target.as_str())?;
                Some(target_state(copy, outcome, now))
            });
            entry.state_mut().set_targets(settled);
            // Those who have the message are not sent it again, even if we are killed in the next
            // transaction. Where this fails they are, at worst.
            if entry.save_state().is_ok() && entry.back_to_queue().is_ok() {
                entry.reopen();
            }
        }
    }
}
