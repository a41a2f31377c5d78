//! A mail for which no way could be looked for: the files of the configuration, the aliases or the users
//! cannot be read now.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Queue, is_sent};
use crate::address::ReversePath;
use crate::compose::Draft;
use crate::compose::render::{Style, render};
use crate::exit::{self, Failure};
use crate::message::Wire;
use crate::submission::Surroundings;
use crate::submission::report::{CopyReport, Report};
use crate::submission::route::RoutedCopy;
use crate::transport::{Disposition, Outcome};

/// Enters a mail for which no way could be looked for now.
///
/// # Errors
/// That failure, with the reasons of the outbox, if the mail has no entry.
pub(in crate::submission) fn enter_unplanned(
    draft: &Draft,
    failure: Failure,
    around: &Surroundings<'_>,
) -> Result<Report, Failure> {
    // Files and commands have no entry; a later flush could not tell who has had the message.
    if !draft.files.is_empty() || !draft.commands.is_empty() {
        return Err(failure);
    }
    let mut outcome = Outcome::new(
        Disposition::TryLater(failure.kind),
        exit::with_causes(&failure),
    );
    outcome.hint.clone_from(&failure.hint);
    let outcome = Arc::new(outcome);
    let mut seen = HashSet::new();
    let copies: Vec<RoutedCopy> = draft
        .recipients()
        .map(|named| named.address())
        .filter(|address| seen.insert(address.as_str()))
        .map(|address| RoutedCopy {
            recipient: address.clone(),
            target: address.clone(),
            route: Err(Arc::clone(&outcome)),
            reason: "no route could be looked for".into(),
        })
        .collect();
    let all: Vec<&RoutedCopy> = copies.iter().collect();
    let outcomes = vec![outcome; copies.len()];
    let queue = Queue::new(draft, around);
    let style = Style {
        wire: Wire::SevenBit,
        default_from: None,
        changes: &[],
        limit: draft.max_size,
        leading: Vec::new(),
    };
    let Ok(rendered) = render(draft, &style) else {
        return Err(failure);
    };
    if let Some(entry) = queue.enter(&rendered, &all, &copies, None) {
        queue.settle(entry, &all, &outcomes, "none");
    }
    let queued = queue.queued();
    if queued.is_empty() {
        return Err(failure);
    }
    let entries = copies
        .iter()
        .zip(outcomes)
        .map(|(copy, outcome)| CopyReport {
            recipient: copy.recipient.shared(),
            target: copy.target.shared(),
            route: "none".into(),
            reason: copy.reason.clone(),
            outcome,
            outbox: queue.kept(copy.target.as_str()),
        });
    let sender = draft.envelope_sender.as_ref();
    let report = Report {
        entries: entries.collect(),
        queued,
        queued_is_sent: is_sent(around),
        message_id: draft.message_id.clone(),
        sender: sender
            .and_then(ReversePath::address)
            .map(ToString::to_string),
        ..Report::default()
    };
    Ok(report)
}
