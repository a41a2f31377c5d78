//! A message on its way: for whom it is still to be sent.
//!
//! Most relays take all recipients in one transaction. Others take some at a time, and announce it
//! (`LIMITS`, RFC 9422) or refuse those that are too many (RFC 5321 section 4.5.3.1.10).

use std::collections::HashSet;

use super::data::WireMeasure;
use super::reply::Capabilities;
use crate::transport::Envelope;

/// One message on its way: for whom it is still to be sent, in one transaction or in several.
pub(super) struct Delivery {
    /// The recipients that are neither settled nor tried in vain, in their order.
    pending: Vec<usize>,
    /// The recipients settled since the last call of [`Delivery::take_settled`].
    settled: Vec<usize>,
    /// The most recipients that one transaction may have, as the relay's refusals have taught.
    limit: usize,
    /// What MAIL declares of it, once it was measured.
    pub(super) measured: Option<WireMeasure>,
}

impl Delivery {
    /// Starts with all recipients.
    pub(super) fn new(envelope: &Envelope) -> Delivery {
        Delivery {
            pending: (0..envelope.recipients.len()).collect(),
            settled: Vec::new(),
            limit: usize::MAX,
            measured: None,
        }
    }

    /// Returns whether no recipient waits for another transaction.
    pub(super) fn is_done(&self) -> bool {
        self.pending.is_empty()
    }

    /// Takes the recipients that were settled since it was last asked.
    pub(super) fn take_settled(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.settled)
    }

    /// Takes as many recipients as the next transaction may have.
    pub(super) fn next_portion(
        &mut self,
        offers: &Capabilities,
        envelope: &Envelope,
    ) -> Vec<usize> {
        let most = offers.rcpt_max.unwrap_or(usize::MAX).min(self.limit).max(1);
        let most_domains = offers.rcpt_domain_max.unwrap_or(usize::MAX).max(1);
        if most_domains == usize::MAX {
            let later = self.pending.split_off(most.min(self.pending.len()));
            return std::mem::replace(&mut self.pending, later);
        }
        let mut domains = HashSet::new();
        let (mut portion, mut later) = (Vec::new(), Vec::new());
        for recipient in std::mem::take(&mut self.pending) {
            let domain = envelope.recipients[recipient].domain();
            let domain = domain.unwrap_or_default().to_ascii_lowercase();
            let fits = domains.len() < most_domains || domains.contains(&domain);
            if portion.len() < most && fits {
                domains.insert(domain);
                portion.push(recipient);
            } else {
                later.push(recipient);
            }
        }
        self.pending = later;
        portion
    }

    /// Puts recipients back that the relay did not take together with the others, and remembers
    /// that so many at once are enough.
    pub(super) fn put_back(&mut self, recipients: &[usize], limit: usize) {
        self.limit = self.limit.min(limit.max(1));
        self.pending.extend(recipients);
        self.pending.sort_unstable();
    }

    /// Notes that those of these recipients are settled that were not put back.
    pub(super) fn settle(&mut self, recipients: Vec<usize>) {
        let settled = recipients.into_iter();
        let settled = settled.filter(|at| self.pending.binary_search(at).is_err());
        self.settled.extend(settled);
    }
}
