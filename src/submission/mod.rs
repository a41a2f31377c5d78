//! Submission: the one pipeline of a mail out.
//!
//! Takes a draft through routes and transports to a report with one outcome a recipient, and
//! keeps the text of what was not accepted. Used by every face; prints nothing. How a message
//! is composed and what the user is told are the business of `compose` and `cli`.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use crate::compose::render::{Style, render};
use crate::compose::{BadRecipient, Composed, Draft};
use crate::config::{Environment, Settings};
use crate::exit::{self, Failure, Kind};
use crate::message::{HeaderName, HeaderValue, Wire};
use crate::sys::signals::Signals;
use crate::sys::spool::Spool;
use crate::sys::user;
use crate::transport::local::Wait;
use crate::transport::{Observer, Outcome};

pub mod aliases;
mod dispatch;
pub mod identity;
pub mod keep;
pub mod log;
pub mod mta;
pub mod plan;
pub mod relay;
pub mod route;

pub use plan::{Plan, name_of, plan};

pub use keep::Kept;

use dispatch::{Sender, groups};
use identity::Identity;

/// All that a submission needs to know of its surroundings.
pub struct Surroundings<'a> {
    /// What is set.
    pub settings: &'a Settings,
    /// The environment.
    pub environment: &'a Environment,
    /// Who asks us to stop.
    pub signals: &'a Signals,
    /// Who is told what goes on.
    pub observer: Arc<dyn Observer>,
    /// Whether somebody sits at a terminal: then no deadline ends a submission.
    pub terminal: bool,
}

impl Surroundings<'_> {
    /// Returns how the lock of a mailbox is waited for.
    fn wait(&self) -> Wait<'_> {
        Wait {
            patience: self.settings.lock_timeout(),
            signals: self.signals,
            observer: &*self.observer,
        }
    }
}

/// What became of one copy.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The recipient as it was given.
    pub recipient: Arc<str>,
    /// The recipient in the envelope; the file or command itself.
    pub target: Arc<str>,
    /// The way, in a word or two.
    pub route: Arc<str>,
    /// Why this way.
    pub reason: Cow<'static, str>,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a mail.
#[derive(Debug, Default)]
pub struct Report {
    /// The Message-ID.
    pub message_id: String,
    /// The envelope sender that was asked for; else it is the user's.
    pub sender: Option<String>,
    /// One entry a copy.
    pub entries: Vec<Entry>,
    /// The file that keeps the text, or why none does; `None` where nothing had to be kept.
    pub kept: Option<Result<Kept, Failure>>,
    /// The next step if the relay has refused.
    pub hint: Option<String>,
    /// Copies that could not be kept (`record`); the mail itself is out.
    pub copy_failures: Vec<Failure>,
    /// What else the user should know.
    pub notices: Vec<String>,
}
/// Sends a draft: every copy by its route. What is not accepted is kept.
///
/// `bad` are recipients that could not be: they make the text be kept, too.
///
/// # Errors
/// 78 when the configuration of the way out is wrong.
pub fn send(
    draft: &Draft,
    bad: &[BadRecipient],
    around: &Surroundings<'_>,
) -> Result<Report, Failure> {
    let mut report = send_unkept(draft, around)?;
    let failed: Vec<String> = report
        .entries
        .iter()
        .filter(|entry| !entry.outcome.is_accepted())
        .map(|entry| entry.target.to_string())
        .collect();
    let mut failed = failed;
    failed.extend(bad.iter().map(|bad| bad.text.clone()));
    if !failed.is_empty() {
        report.kept = keep(draft, &failed, around);
    }
    Ok(report)
}

/// Sends a draft for somebody who keeps its text until it is accepted.
///
/// # Errors
/// As [`send`].
pub fn send_unkept(draft: &Draft, around: &Surroundings<'_>) -> Result<Report, Failure> {
    let plan = plan(draft, around)?;
    let sender = draft.envelope_sender.as_ref();
    let mut report = Report {
        message_id: draft.message_id.clone(),
        sender: sender.map(ToString::to_string),
        notices: plan.notices.clone(),
        hint: plan.hint.clone(),
        ..Report::default()
    };
    let mut sender = Sender::new(draft, &plan, around);
    for (route, steps) in groups(&plan.steps) {
        let outcomes = match route {
            Some(route) => sender.submit(route, &steps),
            None => steps
                .iter()
                .filter_map(|step| step.route.clone().err())
                .collect(),
        };
        let name: Arc<str> = match route {
            Some(route) => name_of(route, &plan).into(),
            None => "none".into(),
        };
        for (step, outcome) in steps.into_iter().zip(outcomes) {
            report.entries.push(Entry {
                recipient: step.recipient.shared(),
                target: step.target.shared(),
                route: Arc::clone(&name),
                reason: step.reason.clone(),
                outcome,
            });
        }
    }
    report.entries.extend(sender.by_expansion());
    if report
        .entries
        .iter()
        .any(|entry| entry.outcome.is_accepted())
    {
        report.copy_failures = sender.copies();
    }
    report.notices.extend(sender.notices.into_inner());
    let unlogged = log::write(&report, around.settings, around.environment);
    report.notices.extend(unlogged);
    Ok(report)
}

/// Returns whether a submission of our own waits for us and keeps the text if we fail.
fn parent_keeps(around: &Surroundings<'_>) -> bool {
    let environment = around.environment;
    match mta::Mta::of(around.settings) {
        Ok(mta::Mta::Sendmail(Some(path))) => environment.was_called_by(&path),
        _ => environment.as_sendmail && environment.submitting.is_some(),
    }
}

/// Keeps the text of a draft for these recipients; `None` where the user wants nothing kept.
pub fn keep(
    draft: &Draft,
    failed: &[String],
    around: &Surroundings<'_>,
) -> Option<Result<Kept, Failure>> {
    // As the child of a submission of our own, the parent keeps the text.
    if !around.settings.is_set("save") || parent_keeps(around) {
        return None;
    }
    let identity = Identity::find(around.settings);
    let sender = match &draft.envelope_sender {
        _ if draft.null_sender => "<>".to_owned(),
        Some(sender) => sender.to_string(),
        None => user::login_name(),
    };
    let to = match failed {
        [] => draft
            .recipients()
            .map(|r| r.address().to_string())
            .collect::<Vec<_>>()
            .join(", "),
        failed => failed.join(", "),
    };
    let field = |name, text: &str| {
        let (value, _) = HeaderValue::from_free_text(text.as_bytes());
        (HeaderName::known(name), value)
    };
    let style = Style {
        wire: Wire::EightBit,
        default_from: Some(identity.default_from(false, None)),
        qualify: None,
        limit: None,
        leading: vec![
            field("X-Postrider-Unsent-To", &to),
            field("X-Postrider-Unsent-From", &sender),
        ],
    };
    let cannot = |error: io::Error| {
        Failure::new(Kind::CannotCreate, "the message is NOT KEPT")
            .because(exit::with_causes(&error))
    };
    Some(
        render(draft, &style)
            .map_err(cannot)
            .and_then(|rendered| keep::keep(&rendered.message, around, &user::login_name())),
    )
}

/// Keeps what was asked to be sent and cannot be.
pub fn keep_composed(
    composed: &Composed,
    around: &Surroundings<'_>,
) -> Option<Result<Kept, Failure>> {
    keep(&composed.draft, &[], around)
}

/// Renders the message of a plan's first copy, for a dry run.
///
/// # Errors
/// 66 when an attachment cannot be read any more, 73 when nothing can be spooled.
pub fn rehearse(draft: &Draft, plan: &Plan, around: &Surroundings<'_>) -> Result<Spool, Failure> {
    let route = plan.steps.iter().find_map(|step| step.route.as_ref().ok());
    Sender::new(draft, plan, around).render(route)
}
