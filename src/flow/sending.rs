//! Sending: a message with its text is composed, submitted, kept where nobody has accepted it, and
//! reported.
//!
//! Where the text comes from is the business of the caller.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use crate::compose::input::Input;
use crate::compose::{self, Composed, Request};
use crate::config::{Environment, Settings};
use crate::diagnostics::{self, Diagnostics, Verbose};
use crate::exit::{Failure, Kind, with_causes};
use crate::report::{self, receipt};
use crate::submission::{self, Entry, Kept, Report, Surroundings};
use crate::sys::clock;
use crate::sys::signals::Signals;
use crate::transport::{Disposition, Outcome};

/// How a message is sent.
#[derive(Debug, Default)]
pub(crate) struct SendOptions {
    /// Send nothing that has neither body nor attachments.
    pub discard_empty: bool,
    /// Send nothing: the message to standard output, the plan to standard error.
    pub dry_run: bool,
    /// Send nothing: message and plan to standard error.
    pub debug: bool,
    /// Print a receipt as JSON on standard output.
    pub json: bool,
    /// Send nothing: every decision to standard output.
    pub explain: bool,
    /// `-v`, how often.
    pub verbose: u8,
}

/// Returns what a submission is to know of its surroundings.
pub(crate) fn surroundings<'a>(
    signals: &'a Signals,
    options: &SendOptions,
    settings: &'a Settings,
    environment: &'a Environment,
    diagnostics: &Diagnostics,
) -> Surroundings<'a> {
    Surroundings {
        settings,
        environment,
        signals,
        observer: Arc::new(Verbose {
            program: diagnostics.program().to_owned(),
            dialogue: options.verbose > 0 || settings.is_set("verbose"),
            waits: options.verbose > 0 || io::stderr().is_terminal(),
        }),
        terminal: io::stdin().is_terminal(),
    }
}

/// Composes a message with this text and sends it, keeps what nobody has accepted, and reports.
///
/// `refusal` says why nothing may be sent; the text is kept then.
pub(crate) fn send(
    request: &Request,
    text: Input,
    refusal: Option<&Failure>,
    options: &SendOptions,
    around: &Surroundings<'_>,
    diagnostics: &mut Diagnostics,
) {
    let (settings, environment) = (around.settings, around.environment);
    let compose = |body| compose::compose(request, body, settings, environment, around.signals);
    if let Some(failure) = text.failure {
        diagnostics.fail(&failure);
        if text.forget {
            return;
        }
        // What was asked for may be wrong as well; what counts now is that the text is kept.
        let composed = compose(text.body);
        let kept = submission::keep_composed(&composed, around);
        diagnostics.kept_in_part(kept.as_ref());
        return report_unsent(&composed, &failure, kept, options, around, diagnostics);
    }
    let is_empty = text.body.is_empty() && request.attachments.is_empty() && request.html.is_none();
    if is_empty && refusal.is_none() && discards_empty(options, settings) {
        return;
    }
    if is_empty
        && refusal.is_none()
        && let Some(text) = settings.text("nullbodymsg")
    {
        diagnostics::line(text);
    }
    let composed = compose(text.body);
    if let Some(refusal) = refusal {
        diagnostics.fail(refusal);
        return keep_unsent(&composed, refusal, options, around, diagnostics);
    }
    for warning in &composed.warnings {
        diagnostics.say(warning);
    }
    if options.explain {
        explain(&composed, around, diagnostics);
    } else if options.dry_run {
        dry_run(&composed, options, around, diagnostics);
    } else {
        submit(&composed, options, around, diagnostics);
    }
}

/// Returns whether a message without body and attachments is not to be sent: by `-E`, or by the
/// variables of s-nail, bsd-mailx and GNU mail for it.
fn discards_empty(options: &SendOptions, settings: &Settings) -> bool {
    options.discard_empty || settings.is_set("skipemptybody") || !settings.is_set("nullbody")
}

/// Returns whether messages are shown on standard error and not sent (`-d`, `debug`).
fn is_debug(options: &SendOptions, settings: &Settings) -> bool {
    options.debug || settings.is_set("debug")
}

/// Sends what may leave, keeps the rest, and reports.
pub(crate) fn submit(
    composed: &Composed,
    options: &SendOptions,
    around: &Surroundings<'_>,
    diagnostics: &mut Diagnostics,
) {
    if is_debug(options, around.settings) {
        return dry_run(composed, options, around, diagnostics);
    }
    let tell_bad = |diagnostics: &mut Diagnostics| {
        for failure in composed.all_failures() {
            diagnostics.fail(failure);
        }
    };
    if let Some(failure) = composed.failures.first() {
        tell_bad(diagnostics);
        return keep_unsent(composed, failure, options, around, diagnostics);
    }
    match submission::send(&composed.draft, &composed.bad_recipients, around) {
        Ok(report) => {
            tell_bad(diagnostics);
            diagnostics.report(&report, around.settings.is_set("verbose"));
            diagnostics.note_signal(around.signals);
            print_receipt(&report, composed, options, diagnostics);
        }
        Err(failure) => {
            diagnostics.fail(&failure);
            tell_bad(diagnostics);
            keep_unsent(composed, &failure, options, around, diagnostics);
        }
    }
}

/// Keeps a mail that is not even tried, and tells where; `why` was told already.
fn keep_unsent(
    composed: &Composed,
    why: &Failure,
    options: &SendOptions,
    around: &Surroundings<'_>,
    diagnostics: &mut Diagnostics,
) {
    let kept = submission::keep_composed(composed, around);
    if composed.is_cut {
        diagnostics.kept_in_part(kept.as_ref())
    } else {
        diagnostics.kept(kept.as_ref())
    }
    report_unsent(composed, why, kept, options, around, diagnostics);
}

/// Makes the receipt of a mail that is not even tried; where it is kept was told already.
fn report_unsent(
    composed: &Composed,
    why: &Failure,
    kept: Option<Result<Kept, Failure>>,
    options: &SendOptions,
    around: &Surroundings<'_>,
    diagnostics: &mut Diagnostics,
) {
    diagnostics.note_signal(around.signals);
    if !options.json {
        return;
    }
    let outcome = Outcome::new(Disposition::TryLater, why.kind, with_causes(why));
    let outcome = Arc::new(outcome);
    let entries = composed.draft.recipients().map(|recipient| {
        let address = recipient.address().shared();
        Entry {
            recipient: address.clone(),
            target: address,
            route: "none".into(),
            reason: "the message was not sent".into(),
            outcome: Arc::clone(&outcome),
        }
    });
    let report = Report {
        message_id: composed.draft.message_id.clone(),
        entries: entries.collect(),
        kept,
        ..Report::default()
    };
    print_receipt(&report, composed, options, diagnostics);
}

/// Prints the receipt, if one is asked for.
fn print_receipt(
    report: &Report,
    composed: &Composed,
    options: &SendOptions,
    diagnostics: &mut Diagnostics,
) {
    if options.json {
        let status = diagnostics.worst().map_or(0, Kind::status);
        let time = clock::local(clock::now()).to_rfc3339();
        let bad = &composed.bad_recipients;
        diagnostics.print_bytes(receipt::receipt(report, bad, &time, status).as_bytes());
    }
}

/// Prints every decision: routes and why, rewrites of addresses, settings and their origins.
fn explain(composed: &Composed, around: &Surroundings<'_>, diagnostics: &mut Diagnostics) {
    for failure in composed.all_failures() {
        diagnostics.fail(failure);
    }
    match submission::plan(&composed.draft, around) {
        Ok(plan) => {
            let text = report::explain::explain(&composed.draft, &plan, around.settings);
            diagnostics.print(&text);
        }
        Err(failure) => diagnostics.fail(&failure),
    }
}

/// Shows the exact message and the route of each recipient.
fn dry_run(
    composed: &Composed,
    options: &SendOptions,
    around: &Surroundings<'_>,
    diagnostics: &mut Diagnostics,
) {
    for failure in composed.all_failures() {
        diagnostics.fail(failure);
    }
    if !composed.failures.is_empty() {
        return;
    }
    let plan = match submission::plan(&composed.draft, around) {
        Ok(plan) => plan,
        Err(failure) => return diagnostics.fail(&failure),
    };
    for notice in &plan.notices {
        diagnostics.say(notice);
    }
    for step in &plan.steps {
        let way = match &step.route {
            Ok(route) => submission::name_of(route, &plan),
            Err(outcome) => {
                diagnostics.note(outcome.kind);
                format!("no route: {}", outcome.text)
            }
        };
        diagnostics.say(&format!("{}: {way} ({})", step.target, step.reason));
    }
    let written = submission::rehearse(&composed.draft, &plan, around).and_then(|message| {
        let mut reader = message.reader();
        if is_debug(options, around.settings) {
            io::copy(&mut reader, &mut io::stderr().lock()).map(drop)
        } else {
            let mut out = io::stdout().lock();
            io::copy(&mut reader, &mut out).and_then(|_| out.flush())
        }
        .map_err(|error| Failure::new(Kind::Io, "cannot write the message").because(error))
    });
    if let Err(failure) = written {
        diagnostics.fail(&failure);
    }
}
