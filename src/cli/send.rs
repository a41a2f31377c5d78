//! Sending from the command line: where the text comes from, before it goes its way.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::os::unix::ffi::OsStrExt;

use crate::cli::settings::{self, Inputs};
use crate::cli::usage;
use crate::compose::escapes::Typing;
use crate::compose::input::{self, Input};
use crate::compose::{AttachRequest, Request};
use crate::config::{Environment, Settings};
use crate::diagnostics::Diagnostics;
use crate::exit::{Failure, Kind, with_causes};
use crate::flow;
use crate::flow::sending::{self, SendFlow, SendOptions};
use crate::report::receipt::Receipt;
use crate::sys::signals::Signals;
use crate::sys::spool::Spool;
use crate::sys::stdin::StandardLines;

/// A message that a command line asks for.
#[derive(Debug, Default)]
pub(super) struct Sending {
    /// The request for the message.
    pub request: Request,
    /// Where its text comes from.
    pub text: TextOptions,
    /// How it is sent.
    pub options: SendOptions,
}

/// Where the text of a message comes from; by default it is standard input.
#[derive(Debug, Default)]
pub(super) struct TextOptions {
    /// Begin the text with this file.
    pub quote_file: Option<OsString>,
    /// Take the text from this file.
    pub body_file: Option<OsString>,
    /// Take tilde escapes in piped text, too (`-~`).
    pub escapes: bool,
    /// Ignore interrupts.
    pub ignore: bool,
}

/// Refuses what cannot become a message before its text is read, because the text would be lost.
///
/// # Errors
/// 64 for a message without recipients, or with two things that both are standard input.
fn check(request: &Request) -> Result<(), Failure> {
    if request.takes_piped_html() && is_attached(request) {
        return Err(usage(
            "standard input cannot be both the HTML and an attachment",
        ));
    }
    // A recipient may stand in a header field of the command line (`-a "To: x"`).
    let has_field = |name: &[u8]| {
        request.headers.iter().any(|field| {
            let field = field.as_bytes();
            field.len() > name.len() && field[..name.len()].eq_ignore_ascii_case(name)
        })
    };
    let has_recipient = [&request.to, &request.cc, &request.bcc]
        .iter()
        .any(|list| !list.is_empty())
        || [&b"to:"[..], b"cc:", b"bcc:"].into_iter().any(has_field);
    // With `-t` the recipients are in the text, which is not read yet.
    if has_recipient || request.template {
        return Ok(());
    }
    Err(usage("there is no recipient").hint("give the recipients after the options"))
}

/// Returns whether standard input is attached.
fn is_attached(request: &Request) -> bool {
    request
        .attachments
        .iter()
        .any(AttachRequest::is_standard_input)
}

/// Reads the configuration and the text, and sends the message.
pub(super) fn send(
    sending: Sending,
    inputs: &Inputs<'_>,
    environment: &Environment,
    diagnostics: &mut Diagnostics,
) {
    if let Err(failure) = check(&sending.request) {
        return refuse(&sending, &failure, diagnostics);
    }
    let (settings, refusal) = match settings::read(inputs, environment, diagnostics) {
        Ok(read) => read,
        Err(failure) => return refuse(&sending, &failure, diagnostics),
    };
    let around = Around {
        environment,
        before: Input::default(),
        behind: None,
    };
    send_with(sending, settings, refusal, around, diagnostics);
}

/// What a message has besides what is read for it.
pub(super) struct Around<'a> {
    /// The environment.
    pub environment: &'a Environment,
    /// The text in front of what is read.
    pub before: Input,
    /// The text behind it.
    pub behind: Option<Spool>,
}

/// Reads the text and sends the message; returns whether a next hop has accepted it for somebody.
///
/// `refusal` says why nothing may be sent; the text is kept then.
pub(super) fn send_with(
    mut sending: Sending,
    mut settings: Settings,
    refusal: Option<Failure>,
    around: Around<'_>,
    diagnostics: &mut Diagnostics,
) -> bool {
    let Around {
        environment,
        before,
        mut behind,
    } = around;
    // Signals are watched before the text is read, so that a text that is broken off is kept.
    let signals = match flow::watch_signals(sending.text.ignore || settings.is_set("ignore")) {
        Ok(signals) => signals,
        Err(failure) => {
            refuse(&sending, &failure, diagnostics);
            return false;
        }
    };
    let (text, failed_escape) = read_text(
        &mut sending,
        &mut settings,
        environment,
        &signals,
        before,
        &mut behind,
        diagnostics,
    );
    let text = match behind {
        Some(behind) => input::followed_by(text, &behind),
        None => text,
    };
    let around = sending::surroundings(
        &signals,
        &sending.options,
        &settings,
        environment,
        diagnostics,
    );
    let refusal = refusal.or(failed_escape);
    let mut flow = SendFlow {
        options: &sending.options,
        around: &around,
        diagnostics,
    };
    flow.send(&sending.request, text, refusal.as_ref())
}

/// Prints why a message is not even composed; nothing of it was read.
pub(super) fn refuse(sending: &Sending, failure: &Failure, diagnostics: &mut Diagnostics) {
    diagnostics.fail(failure);
    print_refusal(sending, &with_causes(failure), diagnostics);
}

/// Prints the receipt of a message that is not even composed, where the reason was printed already.
pub(super) fn report_refusal(sending: &Sending, diagnostics: &mut Diagnostics) {
    let (why, _) = diagnostics.told();
    print_refusal(sending, &why.unwrap_or_default(), diagnostics);
}

fn print_refusal(sending: &Sending, why: &str, diagnostics: &mut Diagnostics) {
    let options = &sending.options;
    if options.json {
        let receipt = Receipt::of_request(&sending.request, why);
        let dry_run = options.dry_run || options.explain || options.debug;
        sending::print_receipt(receipt, dry_run, diagnostics);
    }
}

/// Reads the text of a message; escapes in it may change the request and the settings.
///
/// The second value says why the message is not to be sent: an escape of a script has failed.
fn read_text(
    sending: &mut Sending,
    settings: &mut Settings,
    environment: &Environment,
    signals: &Signals,
    before: Input,
    behind: &mut Option<Spool>,
    diagnostics: &Diagnostics,
) -> (Input, Option<Failure>) {
    let request = &mut sending.request;
    let TextOptions {
        quote_file,
        body_file,
        escapes,
        ..
    } = &sending.text;
    // The file of `-q` stands in front of every text.
    let quoted = |text: Input| match quote_file {
        Some(path) => input::behind_file(path, text, signals),
        None => text,
    };
    // The order of the cases matters: a body file is the text whatever standard input is, and an
    // attachment `-` must find standard input unread.
    let terminal = io::stdin().is_terminal();
    if let Some(path) = body_file {
        return (quoted(input::read_file(path, signals)), None);
    }
    // What is attached or is HTML is read later; then there is no other text.
    if is_attached(request) || request.takes_piped_html() {
        return (quoted(Input::default()), None);
    }
    if !terminal && !escapes {
        let text = input::joined(before, input::read_piped(signals, false));
        return (quoted(text), None);
    }
    let mut failed_escape = None;
    let session = Typing {
        request,
        settings,
        environment,
        signals,
        lines: &mut StandardLines::new(signals),
        out: &mut *answers(&sending.options),
        tell: &mut |failure: &Failure| {
            diagnostics.print_failure(failure);
            // The first failure decides the status; later ones often follow from it.
            failed_escape.get_or_insert(failure.kind);
        },
        behind,
        messages: None,
        terminal,
    };
    let text = input::read_typed(session, quoted(before));
    // A person has seen what an escape said; a script's mail does not leave without its part.
    let failed_escape = failed_escape.filter(|_| !terminal);
    (text, failed_escape.map(refused_for_escape))
}

fn refused_for_escape(kind: Kind) -> Failure {
    Failure::new(kind, "an escape failed, so the message is not sent")
}

/// Returns where a person who types is answered: not where the result is to go.
fn answers(options: &SendOptions) -> Box<dyn Write> {
    // Standard output is for the program that reads the result.
    if options.json || options.dry_run || options.explain {
        Box::new(io::stderr())
    } else {
        Box::new(io::stdout())
    }
}
