//! Sending: from a parsed command line to the exit status, for every face.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use crate::cli::sendmail::dialogue::{self, Verdict};
use crate::compose::escapes::Session;
use crate::compose::premade::{self, Handover};
use crate::compose::{self, AttachRequest, Composed, Request, input};
use crate::config::{Environment, Settings};
use crate::diagnostics::{Diagnostics, Verbose};
use crate::exit::{Failure, Kind};
use crate::report::receipt;
use crate::submission::{self, Entry, Kept, Report, Surroundings};
use crate::sys::clock;
use crate::sys::signals::Signals;
use crate::sys::spool::Spool;
use crate::sys::stdin::{Interruptible, StandardLines};
use crate::transport::{Disposition, Outcome};

/// How a message is to be sent.
#[derive(Debug, Default)]
pub struct Manner {
    /// Why nothing may be sent; the text is kept.
    pub refusal: Option<Failure>,
    /// Begin the text with this file.
    pub quote_file: Option<OsString>,
    /// Take the text from this file.
    pub body_file: Option<OsString>,
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
    /// Ignore interrupts.
    pub ignore: bool,
    /// Take tilde escapes in piped text, too (`-~`).
    pub escapes: bool,
    /// `-v`, how often.
    pub verbose: u8,
}

/// Reads a finished message from standard input and sends it, as sendmail does.
///
/// `dot`: a line of one dot ends it.
pub fn hand_over(
    handover: &Handover,
    dot: bool,
    manner: &Manner,
    settings: &Settings,
    environment: &Environment,
    diagnostics: &mut Diagnostics,
) {
    let signals = match Signals::watch(manner.ignore) {
        Ok(signals) => signals,
        Err(error) => return unwatched(error, diagnostics),
    };
    let around = surroundings(&signals, manner, settings, environment, diagnostics);
    let input = input::read_piped(&signals, dot);
    let composed = match premade::compose(handover, input.body, settings, environment) {
        Ok(composed) => composed,
        Err(error) => {
            let failure = Failure::new(Kind::Io, "cannot read the message");
            return diagnostics.fail(&failure.because(error));
        }
    };
    if let Some(failure) = input.failure {
        diagnostics.fail(&failure);
        let kept = submission::keep_composed(&composed, &around);
        return diagnostics.kept_in_part(kept.as_ref());
    }
    for warning in &composed.warnings {
        diagnostics.say(warning);
    }
    submit(&composed, manner, &around, diagnostics);
}

/// Speaks SMTP on standard input and output and submits what comes (`sendmail -bs`).
pub fn dialogue(
    manner: &Manner,
    settings: &Settings,
    environment: &Environment,
    diagnostics: &mut Diagnostics,
) {
    let signals = match Signals::watch(false) {
        Ok(signals) => signals,
        Err(error) => return unwatched(error, diagnostics),
    };
    let around = surroundings(&signals, manner, settings, environment, diagnostics);
    let mut submit = |handover: Handover, message: Spool| {
        if settings.is_set("debug") {
            return Verdict::TryLater("debug is set, so nothing is delivered".to_owned());
        }
        let composed = match premade::compose(&handover, message, settings, environment) {
            Ok(composed) => composed,
            Err(error) => return Verdict::TryLater(crate::exit::with_causes(&error)),
        };
        if let Some(failure) = composed.all_failures().next() {
            return Verdict::Refused(crate::exit::with_causes(failure));
        }
        // Whoever speaks SMTP keeps a message until it is accepted: nothing is kept here.
        match submission::send_unkept(&composed.draft, &around) {
            Ok(report) => verdict(&report),
            Err(failure) => Verdict::TryLater(crate::exit::with_causes(&failure)),
        }
    };
    let mut input = io::BufReader::new(Interruptible::new(&signals));
    let mut out = io::stdout().lock();
    if let Err(error) = dialogue::speak(&settings.host_name(), &mut input, &mut out, &mut submit) {
        let kind = signals.received().map_or(Kind::Io, Kind::Signal);
        let failure = Failure::new(kind, "the SMTP dialogue broke off");
        diagnostics.fail(&failure.because(error));
    }
}

/// Returns what the reply to a message says: refused as soon as one recipient is.
fn verdict(report: &Report) -> Verdict {
    let failed = report
        .entries
        .iter()
        .find(|entry| !entry.outcome.is_accepted());
    match failed {
        None => Verdict::Accepted,
        Some(entry) => {
            let words = format!("{}: {}", entry.target, entry.outcome.text);
            let words = crate::sanitize::line(words.as_bytes()).into_owned();
            match entry.outcome.disposition {
                Disposition::TryLater => Verdict::TryLater(words),
                _ => Verdict::Refused(words),
            }
        }
    }
}

fn unwatched(error: io::Error, diagnostics: &mut Diagnostics) {
    let failure = Failure::new(Kind::Software, "cannot watch for signals");
    diagnostics.fail(&failure.because(error));
}

fn surroundings<'a>(
    signals: &'a Signals,
    manner: &Manner,
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
            dialogue: manner.verbose > 0 || settings.is_set("verbose"),
            waits: manner.verbose > 0 || io::stderr().is_terminal(),
        }),
        terminal: io::stdin().is_terminal(),
    }
}

/// Reads standard input, composes and sends.
pub fn send(
    request: &Request,
    manner: &Manner,
    settings: &Settings,
    environment: &Environment,
    diagnostics: &mut Diagnostics,
) {
    let signals = match Signals::watch(manner.ignore || settings.is_set("ignore")) {
        Ok(signals) => signals,
        Err(error) => return unwatched(error, diagnostics),
    };
    let terminal = io::stdin().is_terminal();
    // An attachment `-` takes standard input; then there is no body.
    let is_attached = request
        .attachments
        .iter()
        .any(AttachRequest::is_standard_input);
    let (mut typed, mut changed) = (request.clone(), settings.clone());
    let mut slip = None;
    let body = if let Some(path) = &manner.body_file {
        quoted(manner, input::read_file(path, &signals), &signals)
    } else if is_attached {
        quoted(manner, input::Input::default(), &signals)
    } else if terminal || manner.escapes {
        let session = Session {
            request: &mut typed,
            settings: &mut changed,
            environment,
            signals: &signals,
            lines: &mut StandardLines::new(&signals),
            out: &mut chatter(manner),
            tell: &mut |failure: &Failure| {
                diagnostics.tell(failure);
                slip.get_or_insert(failure.kind);
            },
            messages: None,
            terminal,
        };
        input::read_typed(session, quoted(manner, input::Input::default(), &signals))
    } else {
        quoted(manner, input::read_piped(&signals, false), &signals)
    };
    let (request, settings) = (&typed, &changed);
    let around = surroundings(&signals, manner, settings, environment, diagnostics);
    let is_empty = body.body.is_empty();
    if let Some(failure) = body.failure {
        diagnostics.fail(&failure);
        if body.forget {
            return;
        }
        // What was asked for may be wrong as well; what counts now is that the text is kept.
        let composed = compose::compose(request, body.body, settings, environment, &signals);
        let kept = submission::keep_composed(&composed, &around);
        diagnostics.kept_in_part(kept.as_ref());
        return withheld(&composed, &failure, kept, manner, &around, diagnostics);
    }
    if is_empty
        && manner.refusal.is_none()
        && request.html.is_none()
        && discards_empty(manner, settings)
        && request.attachments.is_empty()
    {
        return;
    }
    if is_empty
        && request.attachments.is_empty()
        && request.html.is_none()
        && let Some(text) = settings.text("nullbodymsg")
    {
        crate::diagnostics::line(text);
    }
    let composed = compose::compose(request, body.body, settings, environment, &signals);
    // A person has seen what an escape said; a script's mail does not leave without its part.
    let slip = slip.filter(|_| !terminal).map(|kind| {
        let what = "an escape failed, so the message is not sent";
        Failure::new(kind, what)
    });
    if let Some(refusal) = manner.refusal.as_ref().or(slip.as_ref()) {
        diagnostics.fail(refusal);
        return withhold(&composed, refusal, manner, &around, diagnostics);
    }
    for warning in &composed.warnings {
        diagnostics.say(warning);
    }
    if manner.explain {
        explain(&composed, &around, diagnostics);
    } else if manner.dry_run {
        rehearse(&composed, manner, &around, diagnostics);
    } else {
        submit(&composed, manner, &around, diagnostics);
    }
}

/// Returns whether a message without body and attachments is not to be sent: by `-E`, or by the
/// variables of s-nail, bsd-mailx and GNU mail for it.
fn discards_empty(manner: &Manner, settings: &Settings) -> bool {
    manner.discard_empty || settings.is_set("skipemptybody") || !settings.is_set("nullbody")
}

/// Returns whether messages are shown on standard error and not sent (`-d`, `debug`).
fn is_debug(manner: &Manner, settings: &Settings) -> bool {
    manner.debug || settings.is_set("debug")
}

/// Puts the file of `-q` in front of a text.
fn quoted(manner: &Manner, text: input::Input, signals: &Signals) -> input::Input {
    match &manner.quote_file {
        Some(path) => input::behind_file(path, text, signals),
        None => text,
    }
}

/// Where a person who types is answered: not where the result is to go.
fn chatter(manner: &Manner) -> Box<dyn Write> {
    match manner.json || manner.dry_run || manner.explain {
        true => Box::new(io::stderr()),
        false => Box::new(io::stdout()),
    }
}

/// Sends what may leave, keeps the rest, and tells.
fn submit(
    composed: &Composed,
    manner: &Manner,
    around: &Surroundings<'_>,
    diagnostics: &mut Diagnostics,
) {
    if is_debug(manner, around.settings) {
        return rehearse(composed, manner, around, diagnostics);
    }
    let tell_bad = |diagnostics: &mut Diagnostics| {
        for failure in composed.all_failures() {
            diagnostics.fail(failure);
        }
    };
    if let Some(failure) = composed.failures.first() {
        tell_bad(diagnostics);
        return withhold(composed, failure, manner, around, diagnostics);
    }
    match submission::send(&composed.draft, &composed.bad_recipients, around) {
        Ok(report) => {
            tell_bad(diagnostics);
            diagnostics.report(&report, around.settings.is_set("verbose"));
            heed_signal(around, diagnostics);
            receive(&report, composed, manner, diagnostics);
        }
        Err(failure) => {
            diagnostics.fail(&failure);
            tell_bad(diagnostics);
            withhold(composed, &failure, manner, around, diagnostics);
        }
    }
}

/// Remembers that a signal has ended us, where anything failed since.
///
/// What failed may have another name: the interrupt key ends sendmail as well, and its end may be
/// seen first. A mail that was accepted all the same was not interrupted.
fn heed_signal(around: &Surroundings<'_>, diagnostics: &mut Diagnostics) {
    if let Some(signal) = around.signals.received()
        && diagnostics.worst().is_some()
    {
        diagnostics.note(Kind::Signal(signal));
    }
}

/// Keeps a mail that is not even tried, and tells where; `why` was told already.
fn withhold(
    composed: &Composed,
    why: &Failure,
    manner: &Manner,
    around: &Surroundings<'_>,
    diagnostics: &mut Diagnostics,
) {
    let kept = submission::keep_composed(composed, around);
    match composed.is_cut {
        true => diagnostics.kept_in_part(kept.as_ref()),
        false => diagnostics.kept(kept.as_ref()),
    }
    withheld(composed, why, kept, manner, around, diagnostics);
}

/// Makes the receipt of a mail that is not even tried; where it is kept was told already.
fn withheld(
    composed: &Composed,
    why: &Failure,
    kept: Option<Result<Kept, Failure>>,
    manner: &Manner,
    around: &Surroundings<'_>,
    diagnostics: &mut Diagnostics,
) {
    heed_signal(around, diagnostics);
    let outcome = Outcome::new(
        Disposition::TryLater,
        why.kind,
        crate::exit::with_causes(why),
    );
    let entries = composed.draft.recipients().map(|recipient| {
        let address = recipient.address().shared();
        Entry {
            recipient: address.clone(),
            target: address,
            route: "none".into(),
            reason: "the message was not sent".into(),
            outcome: outcome.clone(),
        }
    });
    let report = Report {
        message_id: composed.draft.message_id.clone(),
        entries: entries.collect(),
        kept,
        ..Report::default()
    };
    receive(&report, composed, manner, diagnostics);
}

/// Prints the receipt, if one is asked for.
fn receive(report: &Report, composed: &Composed, manner: &Manner, diagnostics: &mut Diagnostics) {
    if manner.json {
        let status = diagnostics.worst().map_or(0, Kind::status);
        let time = clock::local(clock::now()).to_rfc3339();
        let bad = &composed.bad_recipients;
        print(&receipt::receipt(report, bad, &time, status), diagnostics);
    }
}

/// Prints every decision: routes and why, rewrites of addresses, settings and their origins.
fn explain(composed: &Composed, around: &Surroundings<'_>, diagnostics: &mut Diagnostics) {
    for failure in composed.all_failures() {
        diagnostics.fail(failure);
    }
    match submission::plan(&composed.draft, around) {
        Ok(plan) => {
            let text = crate::report::explain::explain(&composed.draft, &plan, around.settings);
            print(&text, diagnostics);
        }
        Err(failure) => diagnostics.fail(&failure),
    }
}

/// Writes our own text to standard output; that it could not be written is a failure.
pub fn print(text: &str, diagnostics: &mut Diagnostics) {
    let mut out = io::stdout().lock();
    if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        match error.kind() {
            // Whoever reads no further knows it; the status says it, too.
            io::ErrorKind::BrokenPipe => diagnostics.note(Kind::Io),
            _ => {
                let failure = Failure::new(Kind::Io, "cannot write to standard output");
                diagnostics.fail(&failure.because(error));
            }
        }
    }
}

/// Shows the exact message and the route of each recipient.
fn rehearse(
    composed: &Composed,
    manner: &Manner,
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
        match is_debug(manner, around.settings) {
            true => io::copy(&mut reader, &mut io::stderr().lock()).map(drop),
            false => {
                let mut out = io::stdout().lock();
                io::copy(&mut reader, &mut out).and_then(|_| out.flush())
            }
        }
        .map_err(|error| Failure::new(Kind::Io, "cannot write the message").because(error))
    });
    if let Err(failure) = written {
        diagnostics.fail(&failure);
    }
}
