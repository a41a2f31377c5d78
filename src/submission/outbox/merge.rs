//! Equal messages: one that waits already is counted and not added.
//!
//! A cron job that fails each minute writes the same mail each minute. While the relay is down, the
//! outbox keeps the first one and how often it came. The count goes out in a header field
//! (`X-Postrider-Repeated`); the body stays as it was. Equal are messages with the same recipients,
//! sender, subject and body; Date and Message-ID differ always.
//!
//! Nothing is merged that is signed or encrypted, nothing into an entry that may have arrived, was
//! accepted by somebody already, or is being sent, and nothing into one older than ten minutes.

use std::time::Duration;

use super::entry::{Head, Id};
use super::held::{Entry, Suffix};
use super::state::Standing;
use super::store::{Outbox, judge};
use crate::sys::clock;
use crate::sys::open::names::{self, Access};

/// How old the entry may be into which an equal message is merged.
const YOUNG: Duration = Duration::from_secs(10 * 60);

/// How many entries are looked at, the youngest ones.
const MAX_LOOKED_AT: usize = 200;

impl Outbox {
    /// Finds an entry that waits for the same as this one, under its lock.
    ///
    /// What cannot be read or locked now is not merged into.
    pub(crate) fn equal_to(&self, entry: &Entry) -> Option<Entry> {
        entry.envelope().merge.as_ref()?;
        let now = clock::since_epoch();
        let is_young = |id: &&Id| {
            // The clock may have gone back since.
            let age = now.checked_sub(id.arrival());
            *id != entry.id() && age.is_some_and(|age| age <= YOUNG)
        };
        let ids = self.ids().ok()?;
        let young = ids.iter().rev().filter(is_young).take(MAX_LOOKED_AT);
        let found = young.filter_map(|id| {
            // By its first bytes first: to lock an entry reads all of it.
            let is_equal = self
                .merge_key_of(id)
                .is_some_and(|key| key == entry.merge_key());
            is_equal.then(|| self.lock(id).ok().flatten()).flatten()
        });
        let mut found = found.filter(|found| found.merges(entry));
        found.next()
    }
}

impl Outbox {
    /// Returns what equal messages have in common, of an entry that is not locked for it.
    fn merge_key_of(&self, id: &Id) -> Option<(Option<String>, u128)> {
        let name = Suffix::Queued.name(id);
        let file = names::open_in(self.directory(), name.as_str(), Access::Read).ok()?;
        let metadata = file.metadata().ok()?;
        judge(&metadata).ok()?;
        let head = Head::read(&file, metadata.len()).ok()?;
        Some((head.envelope.merge, head.line.body))
    }
}

impl Entry {
    /// Returns what equal messages have in common.
    fn merge_key(&self) -> (Option<String>, u128) {
        (self.envelope().merge.clone(), self.body_hash())
    }

    /// Returns whether an equal message may be counted in this entry.
    fn merges(&self, other: &Entry) -> bool {
        let (known, new) = (self.envelope(), other.envelope());
        let has_waited = |entry: &Entry| {
            let mut targets = entry.state().targets.iter();
            targets.all(|to| to.standing == Standing::Waiting)
        };
        !self.is_uncertain()
            && !other.is_uncertain()
            && self.state().held.is_none()
            && has_waited(self)
            && has_waited(other)
            && self.merge_key() == other.merge_key()
            && (
                &known.sender,
                &known.full_name,
                &known.account,
                &known.route,
            ) == (&new.sender, &new.full_name, &new.account, &new.route)
    }
}
