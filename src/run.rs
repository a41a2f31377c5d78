//! From the process's arguments to its exit status: which face was called, and what it does.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use crate::cli::mailx::dialect::{self, Probe, UsageError};
use crate::cli::mailx::options::MailxArguments;
use crate::cli::postrider::options::{
    CommonArguments, MailboxArguments, PostriderArguments, PostriderCommand,
};
use crate::cli::sendmail::options as sendmail;
use crate::cli::settings as setup;
use crate::compose::premade::Handover;
use crate::compose::{AttachRequest, Request};
use crate::config::{Environment, mailrc};
use crate::diagnostics::Diagnostics;
use crate::exit::{Failure, Kind};
use crate::flow::reading::{self as read, Task};
use crate::flow::sending::{self as send, Manner, print};
use crate::report::Form;
use crate::sanitize;
use crate::selection::FlagChoice;
use crate::sys::cores;
use crate::sys::zone;

/// Runs the program: reads arguments and environment, does the work, returns the worst failure.
///
/// A panic that comes this far is a fault of our own: 70, and one line that says so.
pub fn run(arguments: impl Iterator<Item = OsString>) -> Option<Kind> {
    cores::forbid();
    let arguments: Vec<OsString> = arguments.collect();
    let (face, rest) = face(&arguments);
    let mut diagnostics = Diagnostics::new(face.name());
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let result = panic::catch_unwind(AssertUnwindSafe(|| match &face {
        Face::Mailx(_) => mailx(rest, &mut diagnostics),
        Face::Sendmail(name) => sendmail(name, rest, &mut diagnostics),
        Face::Postrider => postrider(rest, &mut diagnostics),
    }));
    panic::set_hook(hook);
    if let Err(panic) = result {
        let what = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no reason is known");
        let failure = Failure::new(Kind::Software, "a fault of our own, please report it");
        diagnostics.fail(&failure.because(what));
    }
    // Asked for by whatever shows or writes a date, told once.
    if let Some(complaint) = zone::complaint() {
        diagnostics.say(complaint);
    }
    diagnostics.worst()
}

/// Which program we are called as.
enum Face {
    /// `mailx`, `mail`, `Mail`.
    Mailx(String),
    /// `sendmail`, `mailq`, `newaliases`.
    Sendmail(String),
    /// `postrider SUBCOMMAND`.
    Postrider,
}

impl Face {
    fn name(&self) -> &str {
        match self {
            Face::Mailx(name) | Face::Sendmail(name) => name,
            Face::Postrider => "postrider",
        }
    }
}

/// Finds the face by the program's name, or by the first word.
fn face(arguments: &[OsString]) -> (Face, &[OsString]) {
    let name = arguments
        .first()
        .and_then(|program| Path::new(program).file_name())
        .unwrap_or_default();
    let rest = arguments.get(1..).unwrap_or_default();
    match (name.to_str(), rest.first().and_then(|word| word.to_str())) {
        (Some("mailx" | "mail" | "Mail"), _) => {
            (Face::Mailx(name.to_string_lossy().into_owned()), rest)
        }
        (Some("sendmail" | "mailq" | "newaliases"), _) => {
            (Face::Sendmail(name.to_string_lossy().into_owned()), rest)
        }
        (_, Some("sendmail")) => (Face::Sendmail("sendmail".to_owned()), &rest[1..]),
        (_, Some("mailx")) => (Face::Mailx("mailx".to_owned()), &rest[1..]),
        _ => (Face::Postrider, rest),
    }
}

fn mailx(arguments: &[OsString], diagnostics: &mut Diagnostics) {
    // The version is asked for by scripts that look for the right mailx: answered at once.
    if matches!(arguments, [only] if only == "--version" || only == "-V") {
        return print(&version(), diagnostics);
    }
    let environment = Environment::read();
    let parsed = match parse_mailx(arguments, environment.posixly_correct) {
        Ok(parsed) => parsed,
        Err(error) => return usage(&error, diagnostics),
    };
    if parsed.help {
        let help = MailxArguments::command().render_long_help().to_string();
        return print(&help, diagnostics);
    }
    if parsed.version {
        return print(&version(), diagnostics);
    }
    match mode(&parsed) {
        Ok(Mode::Send(request, manner)) => {
            let wanted = wanted_mailx(&parsed, true);
            match setup::settings(&wanted, &environment, diagnostics) {
                Ok((settings, refusal)) => {
                    let manner = Manner { refusal, ..manner };
                    send::send(&request, &manner, &settings, &environment, diagnostics);
                }
                Err(failure) => diagnostics.fail(&failure),
            }
        }
        Ok(Mode::Read(place, task)) => {
            let wanted = wanted_mailx(&parsed, false);
            match setup::settings(&wanted, &environment, diagnostics) {
                Ok((_, Some(refusal))) => diagnostics.fail(&refusal),
                Ok((settings, None)) => {
                    read::read(&place, &task, &settings, &environment, diagnostics);
                }
                Err(failure) => diagnostics.fail(&failure),
            }
        }
        Err(error) => usage(&error, diagnostics),
    }
}

fn wanted_mailx(parsed: &MailxArguments, sending: bool) -> setup::Wanted<'_> {
    setup::Wanted {
        no_system_rc: parsed.no_system_rc || !reads(parsed, 's'),
        no_user_rc: !reads(parsed, 'u'),
        user_file: None,
        set: &parsed.set,
        account: parsed.account.as_deref(),
        commands: &parsed.command,
        verbose: parsed.verbose,
        sending,
        terminal: io::IsTerminal::is_terminal(&io::stdin()),
    }
}

/// Returns whether `-:` lets this kind of configuration file be read.
fn reads(parsed: &MailxArguments, kind: char) -> bool {
    match &parsed.resource_files {
        None => true,
        Some(letters) => letters.to_string_lossy().contains(kind),
    }
}

fn parse_mailx(
    arguments: &[OsString],
    posixly_correct: bool,
) -> Result<MailxArguments, UsageError> {
    let probe = Probe {
        is_file: &is_file,
        is_command: &mailrc::is_command,
        posixly_correct,
    };
    let words = dialect::normalise(arguments, &probe)?;
    Ok(MailxArguments::from_normalised(words))
}

/// Returns whether a file of this name is there; one that cannot be read is told when it is to be.
fn is_file(name: &OsStr) -> bool {
    let path = Path::new(name);
    path.symlink_metadata().is_ok() && !path.is_dir()
}

/// What is said of `-Y` where no reader is started that could execute it.
const FOR_THE_READER: &str = "-Y executes commands of the reader, and no reader is started";

/// What to do about it where a message is sent.
const BEFORE_A_MESSAGE: &str = "-X executes a command before a message is composed";

/// Whether a command line sends or reads, and what.
enum Mode {
    Send(Box<Request>, Manner),
    Read(read::Wanted, Task),
}

/// Decides the mode as POSIX does: recipients send, their absence reads (features.md O40).
fn mode(parsed: &MailxArguments) -> Result<Mode, UsageError> {
    let wrong = |what: &str, hint: Option<&str>| UsageError {
        what: what.to_owned(),
        hint: hint.map(str::to_owned),
    };
    let reading = parsed.file.is_some()
        || parsed.user.is_some()
        || parsed.check
        || parsed.headers.is_some()
        || parsed.search.is_some()
        || parsed.print;
    let send_options = parsed.subject.is_some()
        || !parsed.cc.is_empty()
        || !parsed.bcc.is_empty()
        || !parsed.attach.is_empty()
        || !parsed.header.is_empty()
        || parsed.from.is_some()
        || parsed.template
        || parsed.quote_file.is_some()
        || parsed.body_file.is_some()
        || !parsed.target.is_empty()
        || parsed.dry_run
        || parsed.explain
        || parsed.json
        || parsed.html.is_some()
        || parsed.content_type.is_some();
    if parsed.html.is_some() && parsed.pre {
        return Err(wrong("--html and --pre are two forms of one text", None));
    }
    if reading && send_options {
        return Err(wrong(
            "-f, -u, -e, -H and -p read a mailbox and do not go with options for sending",
            Some("-f reads a mailbox; -r ADDRESS sets the sender"),
        ));
    }
    if reading || (parsed.operands.is_empty() && !send_options) {
        return read_mode(parsed, wrong);
    }
    if !parsed.cmd.is_empty() {
        return Err(wrong(FOR_THE_READER, Some(BEFORE_A_MESSAGE)));
    }
    let request = Request {
        to: parsed.operands.clone(),
        cc: parsed.cc.clone(),
        bcc: parsed.bcc.clone(),
        subject: parsed.subject.clone(),
        from: parsed.from.clone(),
        full_name: parsed.full_name.clone(),
        content_type: parsed.content_type.clone(),
        body_file: parsed.body_file.clone(),
        headers: parsed.header.clone(),
        attachments: attachments(parsed),
        skip_empty_attachments: parsed.skip_empty_attachments,
        html: parsed.html.clone(),
        preformatted: parsed.pre,
        plain: parsed.plain,
        strict_size: parsed.strict_size,
        template: parsed.template,
        encoding: parsed.encoding.clone(),
        alternatives: parsed.alternative,
        without_mime: parsed.no_mime,
        copies: Vec::new(),
        copy_by_name: parsed.record_by_name,
    };
    let request = targets(request, &parsed.target)?;
    check_recipients(&request)?;
    let manner = Manner {
        refusal: None,
        discard_empty: parsed.discard_empty,
        quote_file: parsed.quote_file.clone(),
        body_file: parsed.body_file.clone(),
        dry_run: parsed.dry_run,
        debug: parsed.debug,
        json: parsed.json,
        explain: parsed.explain,
        ignore: parsed.ignore,
        escapes: parsed.enable_cmd_escapes,
        verbose: parsed.verbose,
    };
    Ok(Mode::Send(Box::new(request), manner))
}

/// Refuses a message to nobody before anything is read: its text would only be lost.
fn check_recipients(request: &Request) -> Result<(), UsageError> {
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
    if has_recipient || request.template {
        return Ok(());
    }
    Err(UsageError {
        what: "there is no recipient".to_owned(),
        hint: Some("put the recipients behind the options".to_owned()),
    })
}

/// Gathers the attachments with what the dialect found out about each.
fn attachments(parsed: &MailxArguments) -> Vec<AttachRequest> {
    let mut attachments: Vec<AttachRequest> = parsed
        .attach
        .iter()
        .map(|path| AttachRequest {
            path: path.clone(),
            ..AttachRequest::default()
        })
        .collect();
    for row in &parsed.attachment {
        let Some((index, told)) = split_at(row, b':') else {
            continue;
        };
        let index = index.to_str().and_then(|index| index.parse().ok());
        let attachment = index.and_then(|index: usize| attachments.get_mut(index));
        let (Some(attachment), Some((what, value))) = (attachment, split_at(told, b'=')) else {
            continue;
        };
        match what.as_bytes() {
            b"type" => attachment.content_type = Some(value.to_owned()),
            b"name" => attachment.name = Some(value.to_owned()),
            b"encoding" => attachment.encoding = Some(value.to_owned()),
            _ => {}
        }
    }
    attachments
}

/// Splits a word at the first of these bytes.
fn split_at(word: &OsStr, byte: u8) -> Option<(&OsStr, &OsStr)> {
    let bytes = word.as_bytes();
    let place = bytes.iter().position(|&b| b == byte)?;
    Some((
        OsStr::from_bytes(&bytes[..place]),
        OsStr::from_bytes(&bytes[place + 1..]),
    ))
}

/// Adds the addresses of `-T 'field: address'`.
fn targets(mut request: Request, targets: &[OsString]) -> Result<Request, UsageError> {
    for target in targets {
        let (field, value) = split_at(target, b':').unwrap_or((OsStr::new(""), target));
        let value = OsStr::from_bytes(value.as_bytes().trim_ascii()).to_owned();
        match field
            .as_bytes()
            .trim_ascii()
            .to_ascii_lowercase()
            .as_slice()
        {
            b"to" => request.to.push(value),
            b"cc" => request.cc.push(value),
            b"bcc" => request.bcc.push(value),
            b"fcc" => request.copies.push(value),
            _ => {
                let text = sanitize::path(&target);
                return Err(UsageError {
                    what: format!("-T {text}: the field must be to, cc, bcc or fcc"),
                    hint: None,
                });
            }
        }
    }
    Ok(request)
}

fn read_mode(
    parsed: &MailxArguments,
    wrong: impl Fn(&str, Option<&str>) -> UsageError,
) -> Result<Mode, UsageError> {
    let mut place = read::Wanted {
        file: parsed.file.clone(),
        user: parsed.user.clone(),
    };
    match parsed.operands.as_slice() {
        [] => {}
        [name] if place.file.as_deref().is_some_and(OsStr::is_empty) => {
            place.file = Some(name.clone());
        }
        _ => {
            return Err(wrong(
                "a mailbox is read, so there can be no recipients",
                Some("-f takes one file; -r ADDRESS sets the sender of a message"),
            ));
        }
    }
    if place.file.is_some() && place.user.is_some() {
        return Err(wrong("-f and -u name two mailboxes", None));
    }
    let is_reader =
        parsed.search.is_none() && !parsed.check && parsed.headers.is_none() && !parsed.print;
    if !parsed.cmd.is_empty() && !is_reader {
        return Err(wrong(FOR_THE_READER, None));
    }
    let task = if let Some(list) = &parsed.search {
        Task::Search {
            list: list.to_string_lossy().into_owned(),
            silent: parsed.check,
        }
    } else if parsed.check {
        Task::Check
    } else if let Some(spec) = &parsed.headers {
        Task::Headers(flag_choice(spec).map_err(|what| wrong(&what, None))?)
    } else if parsed.print {
        Task::PrintAll
    } else {
        Task::Shell {
            no_summary: parsed.no_summary,
            read_only: parsed.read_only,
            commands: parsed
                .cmd
                .iter()
                .map(|c| c.to_string_lossy().into_owned())
                .collect(),
        }
    };
    Ok(Mode::Read(place, task))
}

/// Reads the `:u` of `-H:u`.
fn flag_choice(spec: &OsStr) -> Result<Option<FlagChoice>, String> {
    let text = spec.to_string_lossy();
    if text.is_empty() {
        return Ok(None);
    }
    let mut letters = text.chars().skip(1);
    match (text.starts_with(':'), letters.next(), letters.next()) {
        (true, Some(letter), None) => match FlagChoice::from_letter(letter) {
            Some(choice) => Ok(Some(choice)),
            None => Err(format!("-H{text}: there is no such kind of messages")),
        },
        _ => Err(format!("-H{text}: write -H, or -H:u and its like")),
    }
}

fn sendmail(name: &str, arguments: &[OsString], diagnostics: &mut Diagnostics) {
    let parsed = match sendmail::parse(arguments) {
        Ok(parsed) => parsed,
        Err(error) => return usage(&error, diagnostics),
    };
    let mode = match name {
        "mailq" => sendmail::Mode::PrintQueue,
        "newaliases" => sendmail::Mode::NewAliases,
        _ => parsed.mode,
    };
    match mode {
        sendmail::Mode::PrintQueue => return print("Mail queue is empty\n", diagnostics),
        // There is no database to rebuild and no queue to run: nothing to do is done.
        sendmail::Mode::NewAliases | sendmail::Mode::RunQueue => return,
        sendmail::Mode::Deliver | sendmail::Mode::Dialogue => {}
    }
    let environment = Environment {
        as_sendmail: true,
        ..Environment::read()
    };
    let wanted = setup::Wanted {
        verbose: u8::from(parsed.verbose),
        sending: true,
        ..setup::Wanted::default()
    };
    match setup::settings(&wanted, &environment, diagnostics) {
        Ok((settings, _)) => {
            let manner = Manner {
                verbose: u8::from(parsed.verbose),
                ..Manner::default()
            };
            if mode == sendmail::Mode::Dialogue {
                return send::dialogue(&manner, &settings, &environment, diagnostics);
            }
            let dot = !parsed.ignore_dots;
            let handover = Handover {
                recipients: parsed.recipients,
                from_header: parsed.recipients_from_header,
                sender: parsed.sender,
                full_name: parsed.full_name,
            };
            send::hand_over(
                &handover,
                dot,
                &manner,
                &settings,
                &environment,
                diagnostics,
            );
        }
        Err(failure) => diagnostics.fail(&failure),
    }
}

fn postrider(arguments: &[OsString], diagnostics: &mut Diagnostics) {
    let words = std::iter::once(OsString::from("postrider")).chain(arguments.iter().cloned());
    let parsed = match PostriderArguments::try_parse_from(words) {
        Ok(parsed) => parsed,
        Err(error) => return clap_said(&error, diagnostics),
    };
    let environment = Environment::read();
    let with_settings = |common: &CommonArguments, sending: bool, diagnostics: &mut Diagnostics| {
        let wanted = setup::Wanted {
            no_system_rc: common.no_system_rc,
            no_user_rc: false,
            user_file: common.config.as_deref(),
            set: &common.set,
            account: common.account.as_deref(),
            commands: &[],
            verbose: common.verbose,
            sending,
            terminal: io::IsTerminal::is_terminal(&io::stdin()),
        };
        match setup::settings(&wanted, &environment, diagnostics) {
            Ok(settings) => Some(settings),
            Err(failure) => {
                diagnostics.fail(&failure);
                None
            }
        }
    };
    let read_by = |task: &Task, mailbox: &MailboxArguments, diagnostics: &mut Diagnostics| {
        match with_settings(&mailbox.common, false, diagnostics) {
            Some((_, Some(refusal))) => diagnostics.fail(&refusal),
            Some((settings, None)) => {
                read::read(
                    &mailbox.wanted(),
                    task,
                    &settings,
                    &environment,
                    diagnostics,
                );
            }
            None => {}
        }
    };
    match parsed.command {
        PostriderCommand::Send(send) => {
            let common = send.common.clone();
            let (request, manner) = send.into_request();
            if let Err(error) = check_recipients(&request) {
                return usage(&error, diagnostics);
            }
            if let Some((settings, refusal)) = with_settings(&common, true, diagnostics) {
                let manner = Manner { refusal, ..manner };
                send::send(&request, &manner, &settings, &environment, diagnostics);
            }
        }
        PostriderCommand::List(list) => {
            let task = Task::List { json: list.json };
            read_by(&task, &list.mailbox, diagnostics);
        }
        PostriderCommand::Show(show) => {
            let form = match (show.json, show.raw) {
                (true, _) => Form::Json,
                (_, true) => Form::Raw,
                _ => Form::Text,
            };
            let task = Task::Show {
                number: show.number,
                form,
            };
            read_by(&task, &show.mailbox, diagnostics);
        }
        PostriderCommand::Delete(delete) => {
            read_by(&delete.task(), &delete.choice.mailbox, diagnostics);
        }
        PostriderCommand::Mark(mark) => {
            read_by(&mark.task(), &mark.choice.mailbox, diagnostics);
        }
        PostriderCommand::Mailx(rest) => mailx(&rest.arguments, diagnostics),
        PostriderCommand::Sendmail(rest) => sendmail("sendmail", &rest.arguments, diagnostics),
    }
}

/// Prints what clap has to say: help and version to standard output, errors as one line.
fn clap_said(error: &clap::Error, diagnostics: &mut Diagnostics) {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            print(&error.to_string(), diagnostics);
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => usage(
            &UsageError {
                what: "there is nothing to do".to_owned(),
                hint: Some("postrider --help lists the subcommands".to_owned()),
            },
            diagnostics,
        ),
        ErrorKind::MissingRequiredArgument => {
            // What is missing stands before the synopsis, which names everything.
            let text = error.to_string();
            let text = text.split("Usage").next().unwrap_or_default();
            let (what, hint) = if text.contains("<N>") {
                (
                    "show needs a message: its number, $ or last",
                    "postrider list prints the numbers",
                )
            } else if text.contains("--all") {
                (
                    "there is no word of which messages",
                    "name them (postrider list prints the numbers), or --all, or choose by --from and the like",
                )
            } else {
                (
                    "there is no word of what to mark",
                    "--read, --unread, --flag, --unflag, --answered or --unanswered",
                )
            };
            let (what, hint) = (what.to_owned(), Some(hint.to_owned()));
            usage(&UsageError { what, hint }, diagnostics);
        }
        _ => usage(
            &UsageError {
                what: first_line(error),
                hint: Some("postrider --help lists the subcommands and options".to_owned()),
            },
            diagnostics,
        ),
    }
}

fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

fn version() -> String {
    format!("postrider {}\n", env!("CARGO_PKG_VERSION"))
}

fn usage(error: &UsageError, diagnostics: &mut Diagnostics) {
    let failure = Failure::new(Kind::Usage, error.what.clone());
    diagnostics.fail(&match &error.hint {
        Some(hint) => failure.hint(hint.clone()),
        None => failure,
    });
}
