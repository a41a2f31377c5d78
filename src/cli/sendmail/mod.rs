//! The sendmail face: `sendmail`, `mailq` and `newaliases`, as cron, at, sudo and their like call
//! them.
//!
//! It reads a finished message from standard input, takes its recipients from the command line and
//! with `-t` from the header, and submits it by the same pipeline as every other mail.

mod dialogue;
mod options;
mod verify;

use std::ffi::OsString;
use std::io;

use crate::cli::postrider::flush;
use crate::cli::settings::{self, Inputs};
use crate::cli::usage;
use crate::compose::input;
use crate::compose::premade::{self, Handover};
use crate::config::Environment;
use crate::diagnostics::Diagnostics;
use crate::exit::{Failure, Kind, with_causes};
use crate::flow;
use crate::flow::flushing::Telling;
use crate::flow::outbox::{self, FlushChoice};
use crate::flow::sending::{self, SendFlow, SendOptions};
use crate::sanitize;
use crate::submission::{self, Report, Surroundings};
use crate::sys::spool::Spool;
use crate::sys::stdin::Interruptible;
use crate::transport::Disposition;

use dialogue::Answer;
use options::{QueueRun, SendmailArguments, SendmailMode};

/// Runs a command line (without the program's name).
///
/// `name` is what the program is called as: it may decide the mode.
pub(crate) fn run(name: &str, arguments: &[OsString], diagnostics: &mut Diagnostics) {
    let parsed = match options::parse(arguments) {
        Ok(parsed) => parsed,
        Err(failure) => return diagnostics.fail(&failure),
    };
    let mode = match name {
        "mailq" => SendmailMode::PrintQueue,
        "newaliases" => SendmailMode::NewAliases,
        _ => parsed.mode,
    };
    match mode {
        // There is no database to rebuild: nothing to do is done.
        SendmailMode::NewAliases => return,
        SendmailMode::RunQueue => return run_queue(&parsed, diagnostics),
        SendmailMode::Test => return test(&parsed, diagnostics),
        SendmailMode::Verify if parsed.recipients.is_empty() => {
            return diagnostics.fail(&usage("-bv needs at least one address"));
        }
        SendmailMode::Deliver
        | SendmailMode::Dialogue
        | SendmailMode::Verify
        | SendmailMode::PrintQueue => {}
    }
    let environment = Environment::read_as_sendmail();
    let verbose = u8::from(parsed.verbose);
    let inputs = Inputs {
        verbose,
        sending: mode != SendmailMode::PrintQueue,
        ..Inputs::default()
    };
    let (settings, refusal) = match settings::read(&inputs, &environment, diagnostics) {
        Ok(read) => read,
        Err(failure) => return diagnostics.fail(&failure),
    };
    let send_options = SendOptions {
        verbose,
        ..SendOptions::default()
    };
    let signals = match flow::watch_signals(false) {
        Ok(signals) => signals,
        Err(failure) => return diagnostics.fail(&failure),
    };
    let around = sending::surroundings(
        &signals,
        &send_options,
        &settings,
        &environment,
        diagnostics,
    );
    if mode == SendmailMode::PrintQueue {
        // The place of the outbox may stand in what could not be read.
        return match refusal {
            Some(refusal) => diagnostics.fail(&refusal),
            None => outbox::print_queue(&around, diagnostics),
        };
    }
    if mode == SendmailMode::Dialogue {
        return dialogue(refusal.as_ref(), &around, diagnostics);
    }
    if mode == SendmailMode::Verify {
        // Routes that are found without the whole configuration may be wrong.
        return match refusal {
            Some(refusal) => diagnostics.fail(&refusal),
            None => verify::verify(&parsed.recipients, &around, diagnostics),
        };
    }
    let handover = Handover {
        recipients: parsed.recipients,
        from_header: parsed.recipients_from_header,
        sender: parsed.sender,
        full_name: parsed.full_name,
        is_ours: false,
        is_of_sendmail: true,
    };
    let ends_at_dot = !parsed.ignore_dots;
    hand_over(
        handover,
        ends_at_dot,
        refusal.as_ref(),
        &send_options,
        &around,
        diagnostics,
    );
}

/// Tries what waits in the outbox, once.
fn run_queue(parsed: &SendmailArguments, diagnostics: &mut Diagnostics) {
    let choice = match &parsed.run {
        QueueRun::All => FlushChoice::All,
        QueueRun::Due => FlushChoice::Due,
        QueueRun::Id(text) => FlushChoice::Id(text.clone()),
        QueueRun::Recipient(text) => FlushChoice::Recipient(text.clone()),
        QueueRun::Sender(text) => FlushChoice::Sender(text.clone()),
    };
    // Cron and people are used to a run of the queue that prints nothing.
    let telling = if parsed.verbose {
        Telling::Verbose
    } else {
        Telling::Quiet
    };
    let inputs = Inputs {
        verbose: u8::from(parsed.verbose),
        sending: true,
        ..Inputs::default()
    };
    let environment = Environment::read_as_sendmail();
    flush::flush(&inputs, &choice, telling, &environment, diagnostics);
}

/// Prints the version, where that is what the test mode was started for.
fn test(parsed: &SendmailArguments, diagnostics: &mut Diagnostics) {
    if parsed.shows_version {
        // Scripts look for the line of Sendmail that begins so; its second word is a number.
        let version = env!("CARGO_PKG_VERSION");
        return diagnostics.print(&format!("Version {version} (Postrider)\n"));
    }
    let failure = usage("-bt tests the rewriting rules of Sendmail, which Postrider does not have");
    diagnostics.fail(&failure.hint("use -bv ADDRESS to show the route of mail to an address"));
}

/// Reads a finished message from standard input and sends it; keeps it where `refusal` says why
/// nothing may be sent.
fn hand_over(
    handover: Handover,
    ends_at_dot: bool,
    refusal: Option<&Failure>,
    send_options: &SendOptions,
    around: &Surroundings<'_>,
    diagnostics: &mut Diagnostics,
) {
    let input = input::read_piped(around.signals, ends_at_dot);
    let mut composed =
        match premade::compose(&handover, input.body, around.settings, around.environment) {
            Ok(composed) => composed,
            Err(error) => {
                let failure = Failure::new(Kind::Io, "cannot read the message");
                return diagnostics.fail(&failure.because(error));
            }
        };
    // The recipients are in the draft now.
    drop(handover);
    if let Some(failure) = input.failure {
        diagnostics.fail(&failure);
        composed.is_cut = true;
        let kept = submission::keep_composed(&composed, around);
        return diagnostics.kept_in_part(&kept);
    }
    let mut flow = SendFlow {
        options: send_options,
        around,
        diagnostics,
    };
    if let Some(refusal) = refusal {
        return flow.refuse(&composed, refusal);
    }
    for warning in &composed.warnings {
        flow.diagnostics.warn(&warning.text, warning.hint);
    }
    flow.submit(&composed);
}

/// Speaks SMTP on standard input and output and submits what comes (`-bs`).
fn dialogue(refusal: Option<&Failure>, around: &Surroundings<'_>, diagnostics: &mut Diagnostics) {
    if let Some(refusal) = refusal {
        diagnostics.fail(refusal);
    }
    let mut submit = |handover: Handover, message: Spool| {
        // The client keeps its message until the configuration can be read again.
        if let Some(refusal) = refusal {
            return Answer::TryLater(with_causes(refusal));
        }
        if around.settings.is_set("debug") {
            return Answer::TryLater("debug is set, so nothing is delivered".to_owned());
        }
        let composed =
            match premade::compose(&handover, message, around.settings, around.environment) {
                Ok(composed) => composed,
                Err(error) => return Answer::TryLater(with_causes(&error)),
            };
        if let Some(failure) = composed.all_failures().next() {
            return Answer::Refused(with_causes(failure));
        }
        // An SMTP client keeps a message until it is accepted, so nothing is kept here.
        match submission::send_unkept(&composed.draft, around) {
            Ok(report) => answer(&report),
            Err(failure) => Answer::TryLater(with_causes(&failure)),
        }
    };
    let mut input = io::BufReader::new(Interruptible::new(around.signals));
    let mut out = io::stdout().lock();
    if let Err(error) = dialogue::speak(
        &around.settings.host_name(),
        &mut input,
        &mut out,
        &mut submit,
    ) {
        let kind = around.signals.received().map_or(Kind::Io, Kind::Signal);
        let failure = Failure::new(kind, "the SMTP dialogue was interrupted");
        diagnostics.fail(&failure.because(error));
    }
}

/// Returns what the reply to a message says: refused as soon as one recipient is.
fn answer(report: &Report) -> Answer {
    let failed = report
        .entries
        .iter()
        .find(|entry| !entry.outcome.is_accepted());
    match failed {
        None => Answer::Accepted,
        Some(entry) => {
            let words = format!("{}: {}", entry.target, entry.outcome.text);
            let words = sanitize::line(words.as_bytes()).into_owned();
            match entry.outcome.disposition {
                // A mail that may be lost is worth a second copy (RFC 5321 section 4.2.5).
                Disposition::TryLater(_) | Disposition::Uncertain(_) => Answer::TryLater(words),
                Disposition::Accepted | Disposition::Refused(_) => Answer::Refused(words),
            }
        }
    }
}
