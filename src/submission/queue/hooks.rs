//! What an entry does while its message is on its way: it is made safe, its dot is marked, and who has
//! an answer is written down.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;

use super::{standing, target_state};
use crate::address::EnvelopeAddress;
use crate::submission::outbox::Entry;
use crate::submission::route::RoutedCopy;
use crate::sys::clock;
use crate::transport::Outcome;
use crate::transport::smtp::SubmitHooks;

/// What an entry does while its message is on its way.
pub(in crate::submission) struct EntryHooks<'a> {
    /// `None` where there is no outbox for the message.
    entry: RefCell<Option<Entry>>,
    copies: &'a [&'a RoutedCopy],
}

impl<'a> EntryHooks<'a> {
    /// Returns the hooks of the entry of these copies.
    pub(in crate::submission) fn new(
        entry: Option<Entry>,
        copies: &'a [&'a RoutedCopy],
    ) -> EntryHooks<'a> {
        EntryHooks {
            entry: RefCell::new(entry),
            copies,
        }
    }

    /// Puts another entry in the place of this one, which is removed.
    pub(in crate::submission) fn replace(&self, entry: Entry) {
        if let Some(before) = self.entry.replace(Some(entry)) {
            // What is left behind would be sent by a flush; the next one of the same name fails as
            // well, and that is told.
            let _ = before.finish();
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

    /// Returns the entry.
    pub(in crate::submission) fn into_entry(self) -> Option<Entry> {
        self.entry.into_inner()
    }
}

impl SubmitHooks for EntryHooks<'_> {
    fn waited(&self) {
        if let Some(entry) = &*self.entry.borrow() {
            // A failure is met again, and told, where something is promised.
            let _ = entry.make_durable();
        }
    }

    fn before_dot(&self, _: &[EnvelopeAddress]) -> io::Result<()> {
        if let Some(entry) = &*self.entry.borrow() {
            // A name that cannot be changed does not keep the mail from leaving: at worst, if we are
            // killed now, it comes twice.
            let _ = entry.file().about_to_dot();
        }
        Ok(())
    }

    fn settled(&self, outcomes: &[(EnvelopeAddress, Outcome)]) {
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
            if entry.save_state().is_ok() {
                let _ = entry.back_to_queue();
            }
        }
    }
}
