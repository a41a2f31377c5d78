//! Submission: the one pipeline of a mail out.
//!
//! Submission takes a draft through routes and transports to a report with one outcome for each
//! recipient, and keeps the text of a message that was not accepted. All programs use it: mailx,
//! postrider and sendmail. It prints nothing: `compose` makes the message, and `cli` prints the report.
//!
//! The steps: `plan` finds a route for each copy (`mta` reads the settings, `relay_url` a relay's URL, `identity` the names of
//! this host, `route` expands the system's aliases and decides); `dispatch` renders the message for each route
//! and hands it to its transport (`relay` prepares the one over SMTP, `secret` and `token` the login there, `secret_file` reads what only its owner may); `queue`
//! keeps in the `outbox` what is to be tried again, `keep` writes the dead letter; `log` and `report` say what became of each copy.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use crate::compose::render::{Style, render};
use crate::compose::{BadRecipient, Composed, Draft};
use crate::exit::{self, Failure, Kind};
use crate::message::{HeaderName, HeaderValue, Wire};
use crate::sys::spool::Spool;
use crate::sys::user;

mod client_certificate;
mod dispatch;
pub mod identity;
mod in_turn;
pub mod keep;
pub(crate) mod letters;
pub mod log;
mod members;
pub mod mta;
pub(crate) mod note;
pub(crate) mod outbox;
mod outcome;
pub mod plan;
mod queue;
pub mod relay;
pub mod relay_list;
mod relay_secret;
pub mod relay_url;
pub mod relayed;
mod report;
pub mod route;
mod secret;
mod secret_file;
pub(crate) mod ses;
mod surroundings;
mod token;

pub use plan::SubmissionPlan;
pub(crate) use plan::{name_of, plan};
pub use report::{CopyReport, Dropped, Queued, Report};
pub use surroundings::Surroundings;

pub use keep::{DeadLetter, Kept};

use dispatch::{Dispatcher, groups};
use identity::Identity;
use queue::Queue;

/// Sends a draft: every copy by its route. What is not accepted is kept.
///
/// `bad` are recipients that are no valid addresses; the text is kept because of them, too.
///
/// # Errors 78 when the configuration for sending is wrong.
pub fn send(
    draft: &Draft,
    bad: &[BadRecipient],
    around: &Surroundings<'_>,
) -> Result<Report, Failure> {
    // As the child of a submission of our own, the parent keeps the text.
    let keeps = around.settings.is_set("save") && !parent_keeps(around);
    let (mut report, queue) = match submit(draft, around, keeps) {
        // A look-up that failed passes: the next flush plans anew.
        Err(failure) if keeps && failure.kind == Kind::TryLater => {
            match queue::enter_unplanned(draft, failure, around) {
                Ok(report) => (report, None),
                Err(failure) => return Err(failure),
            }
        }
        submitted => submitted?,
    };
    let unaccepted = report
        .entries
        .iter()
        .filter(|entry| !entry.outcome.is_accepted() && entry.outbox.is_none())
        .map(|entry| Cow::Borrowed(&*entry.target));
    // Recipients that are no addresses never became copies, so no report names them; the dead
    // letter must, or the text would be lost for them.
    let bad = bad.iter().map(|bad| Cow::Borrowed(bad.text.as_str()));
    let mut failed = unaccepted.chain(bad).peekable();
    if failed.peek().is_some() {
        report.kept = keep(draft, failed, false, around);
        if let Some(queue) = &queue {
            queue.explain(&mut report.kept);
        }
    }
    Ok(report)
}

/// Sends a draft for a caller that keeps its text until it is accepted.
///
/// # Errors
/// As [`send`].
pub fn send_unkept(draft: &Draft, around: &Surroundings<'_>) -> Result<Report, Failure> {
    submit(draft, around, false).map(|(report, _)| report)
}

/// Sends a draft whose text is kept in a file already: what may pass waits in the outbox, and no dead
/// letter is written.
///
/// # Errors
/// As [`send`].
pub(crate) fn send_again(draft: &Draft, around: &Surroundings<'_>) -> Result<Report, Failure> {
    let keeps = around.settings.is_set("save");
    submit(draft, around, keeps).map(|(report, _)| report)
}

/// Takes each copy by its route; `keeps` says whether the outbox takes what has to be tried again.
fn submit<'a>(
    draft: &'a Draft,
    around: &'a Surroundings<'a>,
    keeps: bool,
) -> Result<(Report, Option<Queue<'a>>), Failure> {
    // Everything that can be wrong with the configuration is found here, before the first copy
    // leaves: a half-sent message is worse than an unsent one.
    let plan = plan(draft, around)?;
    dispatch::prepare_copies(draft, around)?;
    let mut report = Report {
        message_id: draft.message_id.clone(),
        sender: plan.sender(draft),
        rewritings: plan.rewritings().to_vec(),
        notices: plan.notices.clone(),
        ..Report::default()
    };
    // There may be a hundred thousand: a list that grows by doubling takes twice the room.
    report.entries.reserve_exact(plan.copies.len());
    let queue = keeps.then(|| Queue::new(draft, around));
    let mut dispatcher = Dispatcher::new(draft, &plan, around);
    dispatcher.queue = queue.as_ref();
    // One route after the other: what one of them answers, even a failure, changes nothing for the
    // next, and each copy has its own outcome in the report.
    for (route, copies) in groups(&plan.copies) {
        let outcomes = match route {
            Some(route) => dispatcher.submit(route, &copies),
            None => copies
                .iter()
                .filter_map(|copy| copy.route.clone().err())
                .collect(),
        };
        let name: Arc<str> = match route {
            Some(route) => name_of(route).into(),
            None => "none".into(),
        };
        for (copy, outcome) in copies.into_iter().zip(outcomes) {
            report.entries.push(CopyReport {
                recipient: copy.recipient.shared(),
                target: copy.target.shared(),
                route: outcome.relay.clone().unwrap_or_else(|| Arc::clone(&name)),
                reason: copy.reason.clone(),
                outcome,
                outbox: None,
            });
        }
    }
    if let Some(queue) = &queue {
        dispatcher.enter_rest(queue, &report.entries);
        report.dropped = dispatcher.leave_rest(queue, &mut report.entries);
        for entry in &mut report.entries {
            entry.outbox = queue.kept(&entry.target);
        }
        report.queued = queue.queued();
        // What nobody collects is not sent, whatever is to be said of what waits.
        let is_collected = report
            .dropped
            .as_ref()
            .is_none_or(|dropped| dropped.is_emptied);
        report.queued_is_sent = queue::is_sent(around) && is_collected;
        report.notices.extend(queue.notices());
    }
    // Files and commands have no route: they come behind the addresses, and what a relay answers
    // does not concern them.
    report.entries.extend(dispatcher.by_expansion());
    if report
        .entries
        .iter()
        .any(|entry| entry.outcome.is_accepted())
    {
        // A copy in `record` says that the message was sent, so it is written only when a next hop
        // has accepted it for a recipient.
        report.copy_failures = dispatcher.copies();
    }
    report.notices.extend(dispatcher.notices.take());
    // The log is written last, when the outcomes are final, and before the report is printed: an
    // outcome that the user never sees (a closed terminal) still stands in the log.
    let unlogged = log::write(&report, around.settings, around.environment);
    report.notices.extend(unlogged);
    drop(dispatcher);
    Ok((report, queue))
}

/// Returns whether a submission of our own waits for us and keeps the text if we fail.
fn parent_keeps(around: &Surroundings<'_>) -> bool {
    let environment = around.environment;
    // The environment says when another Postrider has called us as its sendmail. It sees our exit
    // status and keeps the text itself; a second dead letter would puzzle the user.
    match mta::Mta::of(around.settings) {
        Ok(mta::Mta::Sendmail(Some(path))) => environment.was_called_by(&path),
        _ => environment.as_sendmail && environment.submitting.is_some(),
    }
}

/// Keeps a message that cannot be sent.
pub fn keep_composed(composed: &Composed, around: &Surroundings<'_>) -> Kept {
    keep(&composed.draft, composed.named(), composed.is_cut, around)
}

/// Keeps the text of a draft for these recipients, unless the user wants nothing kept.
fn keep<'a>(
    draft: &Draft,
    recipients: impl Iterator<Item = Cow<'a, str>>,
    is_cut: bool,
    around: &Surroundings<'_>,
) -> Kept {
    // As the child of a submission of our own, the parent keeps the text.
    if !around.settings.is_set("save") || parent_keeps(around) {
        return Kept::NotNeeded;
    }
    let not_kept = |error: io::Error| {
        Failure::new(Kind::CannotCreate, "the message is NOT KEPT")
            .because(exit::with_causes(&error))
    };
    let letter = letter(draft, recipients, is_cut, around).map_err(not_kept);
    let letter = letter.and_then(|letter| keep::keep(&letter, around, &user::login_name()));
    match letter {
        Ok(letter) => Kept::DeadLetter(letter),
        Err(failure) => Kept::Nowhere(failure),
    }
}

/// Renders a draft as a dead letter for these recipients.
///
/// There may be a hundred thousand: they are joined as they come.
fn letter<'a>(
    draft: &Draft,
    recipients: impl Iterator<Item = Cow<'a, str>>,
    is_cut: bool,
    around: &Surroundings<'_>,
) -> io::Result<Spool> {
    let identity = Identity::find(around.settings);
    // The envelope is not in the message: without these two fields the dead letter could not be
    // sent again to the recipients who miss it.
    let login = draft.login_name();
    let sender = match &draft.envelope_sender {
        Some(sender) => sender.to_string(),
        None => login.clone(),
    };
    let mut to = String::new();
    for recipient in recipients {
        if !to.is_empty() {
            to.push_str(", ");
        }
        to.push_str(&recipient);
    }
    let field = |name, text: &str| {
        let (value, _) = HeaderValue::from_free_text(text.as_bytes());
        (HeaderName::known(name), value)
    };
    let mut leading = vec![
        field(keep::UNSENT_TO, &to),
        field(keep::UNSENT_FROM, &sender),
    ];
    if is_cut {
        leading.push(field(
            keep::INCOMPLETE,
            "the text was interrupted or cancelled",
        ));
    }
    // A hundred thousand recipients are not held twice.
    drop(to);
    let style = Style {
        // Nothing between here and the file cuts bytes to 7 bits, and a text that is kept for a
        // person should be readable in the file.
        wire: Wire::EightBit,
        default_from: Some(identity.default_from(false, &login, None)),
        changes: &[],
        // The size limit of a relay does not count here: an attachment that is left out would be
        // lost.
        limit: None,
        leading,
    };
    Ok(render(draft, &style)?.message)
}

/// Renders the message of a plan's first copy, for a dry run.
///
/// # Errors
/// 66 when an attachment cannot be read any more, 73 when nothing can be spooled.
pub fn render_for_dry_run(
    draft: &Draft,
    plan: &SubmissionPlan,
    around: &Surroundings<'_>,
) -> Result<Spool, Failure> {
    let mut routes = plan.copies.iter().map(|copy| copy.route.as_deref());
    let route = routes.find_map(Result::ok);
    let rendered = Dispatcher::new(draft, plan, around).render(route)?;
    Ok(rendered.message)
}
