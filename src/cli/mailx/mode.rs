//! The mode of a mailx command line: it sends a message, or it reads a mailbox.

use std::ffi::{OsStr, OsString};
use std::mem;
use std::os::unix::ffi::OsStrExt;

use super::options::MailxArguments;
use crate::cli::read::Task;
use crate::cli::send::{Sending, TextOptions};
use crate::cli::usage;
use crate::compose::{AttachRequest, Request};
use crate::exit::Failure;
use crate::flow::reading::MailboxChoice;
use crate::flow::sending::SendOptions;
use crate::sanitize;
use crate::selection::FlagChoice;

/// The mode of a command line.
pub(super) enum Mode {
    /// A message is sent.
    Send(Box<Sending>),
    /// A mailbox is read.
    Read(MailboxChoice, Task),
}

/// Decides the mode as POSIX does: recipients send, their absence reads.
pub(super) fn mode(parsed: &mut MailxArguments) -> Result<Mode, Failure> {
    let has_read_option = has_read_option(parsed);
    let has_send_option = has_send_option(parsed);
    if parsed.html.is_some() && parsed.pre {
        return Err(usage("--html and --pre cannot be used together"));
    }
    // One of the two would be ignored. A script that means `-f` as the sender, as sendmail has it,
    // would read a mailbox instead of sending.
    if has_read_option && has_send_option {
        let what = "-f, -u, -e, -H and -p read a mailbox and cannot be used together with options for sending";
        return Err(usage(what).hint("-f reads a mailbox; -r ADDRESS sets the sender"));
    }
    // `mailx -s x` without a recipient is a mistake of a script, and not the wish to read mail: the
    // reader would wait for commands or take the text for them.
    let reads = has_read_option || (parsed.operands.is_empty() && !has_send_option);
    check_reader_commands(parsed, reads)?;
    if reads {
        return Ok(Mode::Read(mailbox(parsed)?, task(parsed)?));
    }
    let request = request(parsed)?;
    Ok(Mode::Send(Box::new(Sending {
        request,
        text: TextOptions {
            quote_file: parsed.quote_file.clone(),
            body_file: parsed.body_file.clone(),
            escapes: parsed.enable_cmd_escapes,
            ignore: parsed.ignore,
        },
        options: SendOptions {
            discard_empty: parsed.discard_empty,
            dry_run: parsed.dry_run,
            debug: parsed.debug,
            json: parsed.json,
            explain: parsed.explain,
            verbose: parsed.verbose,
        },
    })))
}

/// Returns whether there is an option that reads a mailbox.
fn has_read_option(parsed: &MailxArguments) -> bool {
    parsed.file.is_some()
        || parsed.user.is_some()
        || parsed.check
        || parsed.headers.is_some()
        || parsed.search.is_some()
        || parsed.print
}

/// Returns whether there is an option for sending.
fn has_send_option(parsed: &MailxArguments) -> bool {
    parsed.subject.is_some()
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
        || parsed.content_type.is_some()
}

/// Refuses `-Y` where no reader is started that could execute it.
fn check_reader_commands(parsed: &MailxArguments, reads: bool) -> Result<(), Failure> {
    if parsed.cmd.is_empty() || (reads && starts_reader(parsed)) {
        return Ok(());
    }
    let failure = usage("-Y executes commands of the reader, but the reader is not started");
    Err(if reads {
        failure
    } else {
        failure.hint("use -X to execute a command before a message is composed")
    })
}

/// Returns whether a mailbox that is read is read by commands.
fn starts_reader(parsed: &MailxArguments) -> bool {
    parsed.search.is_none() && !parsed.check && parsed.headers.is_none() && !parsed.print
}

/// Makes the request for a message. The recipients are moved: there may be megabytes of them.
fn request(parsed: &mut MailxArguments) -> Result<Request, Failure> {
    let request = Request {
        to: mem::take(&mut parsed.operands),
        cc: mem::take(&mut parsed.cc),
        bcc: mem::take(&mut parsed.bcc),
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
        ..Request::default()
    };
    targets(request, &parsed.target)
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
    // The dialect makes these rows as `NUMBER:WHAT=VALUE`. Only a command line that writes
    // --attachment itself could have others, and they say nothing.
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
fn targets(mut request: Request, targets: &[OsString]) -> Result<Request, Failure> {
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
                let text = sanitize::path(target);
                let what = format!("-T {text}: the field must be to, cc, bcc or fcc");
                return Err(usage(what));
            }
        }
    }
    Ok(request)
}

/// Returns which mailbox is to be read.
fn mailbox(parsed: &MailxArguments) -> Result<MailboxChoice, Failure> {
    let mut choice = MailboxChoice {
        file: parsed.file.clone(),
        user: parsed.user.clone(),
    };
    match parsed.operands.as_slice() {
        [] => {}
        // POSIX has the file as an operand: `-f` takes no value, and the first operand is the
        // mailbox.
        [name] if choice.file.as_deref().is_some_and(OsStr::is_empty) => {
            choice.file = Some(name.clone());
        }
        _ => {
            return Err(usage("recipients cannot be given when a mailbox is read")
                .hint("-f takes one file; -r ADDRESS sets the sender of a message"));
        }
    }
    if choice.file.is_some() && choice.user.is_some() {
        return Err(usage("-f and -u cannot be used together"));
    }
    Ok(choice)
}

/// Returns the task for the mailbox.
fn task(parsed: &MailxArguments) -> Result<Task, Failure> {
    let lossy = |text: &OsString| text.to_string_lossy().into_owned();
    // `-L LIST -e` is one task: the status says whether the list names a message. So -L is looked
    // at before -e.
    Ok(if let Some(list) = &parsed.search {
        Task::Search {
            list: lossy(list),
            silent: parsed.check,
        }
    } else if parsed.check {
        Task::Check
    } else if let Some(spec) = &parsed.headers {
        Task::Headers(flag_choice(spec)?)
    } else if parsed.print {
        Task::PrintAll
    } else {
        Task::Shell {
            no_summary: parsed.no_summary,
            read_only: parsed.read_only,
            escapes: parsed.enable_cmd_escapes,
            debug: parsed.debug,
            commands: parsed.cmd.iter().map(lossy).collect(),
        }
    })
}

/// Reads the `:u` of `-H:u`.
fn flag_choice(spec: &OsStr) -> Result<Option<FlagChoice>, Failure> {
    let text = spec.to_string_lossy();
    if text.is_empty() {
        return Ok(None);
    }
    let mut letters = text.chars().skip(1);
    match (text.starts_with(':'), letters.next(), letters.next()) {
        (true, Some(letter), None) => match FlagChoice::from_letter(letter) {
            Some(choice) => Ok(Some(choice)),
            None => Err(usage(format!("-H{text}: unknown kind of messages"))),
        },
        _ => Err(usage(format!(
            "-H{text}: write -H, or -H:u for unread messages"
        ))),
    }
}
