//! `postrider reply` and `postrider forward`: their options, and what they mean.

use std::ffi::OsString;
use std::time::Duration;

use clap::Args;

use super::looking::{MailboxArguments, number};
use crate::cli::send::{self, Around, Sending};
use crate::cli::settings;
use crate::compose::answer::{Heading, Whom};
use crate::compose::input::Input;
use crate::compose::{AttachRequest, Request};
use crate::config::{Environment, Settings};
use crate::diagnostics::Diagnostics;
use crate::exit::{Failure, Kind, with_causes};
use crate::flow::answering::{self, ForwardOptions};
use crate::flow::reading::{self, FoundMailbox};
use crate::flow::sending::SendOptions;
use crate::mailbox::{Changes, CommitOptions, Flags, LockOptions, Mailbox};
use crate::report::{self, ReportError};
use crate::sys::spool::Spool;

/// What both have: how the mail is sent, and from which mailbox the message comes.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct AnswerArguments {
    /// Set the subject
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub subject: Option<OsString>,

    /// Send a copy to these recipients
    #[arg(long, value_name = "RECIPIENT")]
    pub cc: Vec<OsString>,

    /// Send a copy to these recipients, hidden from the others
    #[arg(long, value_name = "RECIPIENT")]
    pub bcc: Vec<OsString>,

    /// Set the sender in the From field and in the envelope
    #[arg(long, value_name = "ADDRESS")]
    pub from: Option<OsString>,

    /// Attach this file
    #[arg(long, value_name = "FILE")]
    pub attach: Vec<OsString>,

    /// Print the message and its routes; send nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Print the result as one JSON object on standard output
    #[arg(long)]
    pub json: bool,

    /// Which mailbox to read
    #[command(flatten)]
    pub mailbox: MailboxArguments,
}

/// Options of `reply`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ReplyArguments {
    /// The number of the message, as `list` shows it; $ or last is the last message
    #[arg(value_name = "N", value_parser = number)]
    pub number: usize,

    /// Reply to the other recipients, too
    #[arg(long)]
    pub all: bool,

    /// Quote the message above the text
    #[arg(long)]
    pub quote: bool,

    /// How the mail is sent
    #[command(flatten)]
    pub answer: AnswerArguments,
}

/// Options of `forward`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ForwardArguments {
    /// The number of the message, as `list` shows it; $ or last is the last message
    #[arg(value_name = "N", value_parser = number)]
    pub number: usize,

    /// Recipients; one argument may hold several, separated by commas
    #[arg(value_name = "RECIPIENT", required = true)]
    pub recipients: Vec<OsString>,

    /// Attach the whole message, instead of adding its text to yours
    #[arg(long)]
    pub as_attachment: bool,

    /// Leave out the attachments of the message
    #[arg(long, conflicts_with = "as_attachment")]
    pub no_attachments: bool,

    /// How the mail is sent
    #[command(flatten)]
    pub answer: AnswerArguments,
}

/// Replies to a message.
pub(super) fn reply(
    arguments: &ReplyArguments,
    environment: &Environment,
    diagnostics: &mut Diagnostics,
) {
    let answering = Answering {
        number: arguments.number,
        arguments: &arguments.answer,
        environment,
    };
    answering.run(diagnostics, |Original { block, content }, settings| {
        let whom = if arguments.all {
            Whom::All
        } else {
            Whom::Authors
        };
        let answer = answering::reply(&[block], whom, settings)?;
        let quote = if arguments.quote {
            Some(Heading::Attribution)
        } else {
            answering::heading(settings)
        };
        let before = match quote {
            Some(heading) => answering::quoted(&[content.to_vec()], heading, settings)?,
            None => Spool::new(),
        };
        Ok(Prepared {
            notice: answering::left_out_of(&answer),
            request: answer.request,
            before: Input::of(before),
            behind: None,
            answers: true,
        })
    });
}

/// Forwards a message.
pub(super) fn forward(
    arguments: &ForwardArguments,
    environment: &Environment,
    diagnostics: &mut Diagnostics,
) {
    let answering = Answering {
        number: arguments.number,
        arguments: &arguments.answer,
        environment,
    };
    answering.run(diagnostics, |Original { content, .. }, settings| {
        let by_settings = ForwardOptions::of(settings);
        let options = ForwardOptions {
            as_attachment: arguments.as_attachment || by_settings.as_attachment,
            without_attachments: arguments.no_attachments || by_settings.without_attachments,
        };
        let (mut request, behind) = answering::forward(&[content.to_vec()], options, settings)?;
        request.to.clone_from(&arguments.recipients);
        Ok(Prepared {
            notice: None,
            request,
            before: Input::default(),
            behind: Some(behind),
            answers: false,
        })
    });
}

/// The message that is answered or forwarded.
struct Original<'m> {
    /// Its header block, with its From_ line.
    block: &'m [u8],
    /// The message, without what its mailbox put around it.
    content: &'m [u8],
}

/// A mail that a message is the reason of, before its text.
struct Prepared {
    /// What is to be told.
    notice: Option<String>,
    request: Request,
    /// The text in front of what is read.
    before: Input,
    /// The text behind it.
    behind: Option<Spool>,
    /// Whether the message counts as answered when the mail was accepted.
    answers: bool,
}

/// A run of one of the subcommands.
struct Answering<'a> {
    number: usize,
    arguments: &'a AnswerArguments,
    environment: &'a Environment,
}

impl Answering<'_> {
    /// Finds the message, makes a mail of it, and sends that.
    fn run(
        &self,
        diagnostics: &mut Diagnostics,
        prepare: impl FnOnce(Original<'_>, &Settings) -> Result<Prepared, Failure>,
    ) {
        let sending = Sending {
            request: Request::default(),
            options: SendOptions {
                dry_run: self.arguments.dry_run,
                json: self.arguments.json,
                verbose: self.arguments.mailbox.common.verbose,
                ..SendOptions::default()
            },
            ..Sending::default()
        };
        let inputs = self.arguments.mailbox.common.inputs(true);
        let settings = match settings::read_whole(&inputs, self.environment, diagnostics) {
            Ok(settings) => settings,
            Err(failure) => return send::refuse(&sending, &failure, diagnostics),
        };
        let choice = self.arguments.mailbox.choice();
        let found = match reading::find(&choice, &settings, self.environment) {
            Ok(found) => found,
            Err(failure) => return send::refuse(&sending, &failure, diagnostics),
        };
        let opened = self.message(&found);
        let (mailbox, index, bytes) = match opened {
            Ok(opened) => opened,
            Err(ReportError::Failed(failure)) => {
                return send::refuse(&sending, &failure, diagnostics);
            }
            Err(error) => {
                reading::report_error(&error, &found, false, diagnostics);
                return send::report_refusal(&sending, diagnostics);
            }
        };
        let form = mailbox.form();
        let inner = form.content(&mailbox.messages()[index], &bytes);
        let original = Original {
            block: &bytes,
            content: &form.unquoted(inner.to_vec()),
        };
        let prepared = match prepare(original, &settings) {
            Ok(prepared) => prepared,
            Err(failure) => return send::refuse(&sending, &failure, diagnostics),
        };
        if let Some(notice) = &prepared.notice {
            diagnostics.warn(notice, None);
        }
        let sending = Sending {
            request: self.with_options(prepared.request),
            ..sending
        };
        let around = Around {
            environment: self.environment,
            before: prepared.before,
            behind: prepared.behind,
        };
        let patience = settings.lock_timeout();
        let is_accepted = send::send_with(sending, settings, None, around, diagnostics);
        if is_accepted && prepared.answers {
            self.mark_answered(&mailbox, index, patience, diagnostics);
        }
    }

    /// Returns the message as it is stored.
    fn message(&self, found: &FoundMailbox) -> Result<(Mailbox, usize, Vec<u8>), ReportError> {
        let journals = reading::journals(self.environment);
        let mailbox = Mailbox::open_index(&found.path, &journals)?;
        if mailbox.messages().is_empty() {
            return Err(ReportError::NoMail);
        }
        let index = report::index_of(&mailbox, self.number)?;
        let message = mailbox.read(index).map_err(|error| {
            let what = format!("{}: cannot read the message", index + 1);
            Failure::new(Kind::Io, what).because(error)
        })?;
        Ok((mailbox, index, message))
    }

    /// Adds what the options say to the request that was made of the message.
    fn with_options(&self, mut request: Request) -> Request {
        let arguments = self.arguments;
        if arguments.subject.is_some() {
            request.subject.clone_from(&arguments.subject);
        }
        request.cc.extend(arguments.cc.iter().cloned());
        request.bcc.extend(arguments.bcc.iter().cloned());
        request.from.clone_from(&arguments.from);
        let files = arguments.attach.iter().map(|path| AttachRequest {
            path: path.clone(),
            ..AttachRequest::default()
        });
        request.attachments.extend(files);
        request
    }

    /// Marks a message as read and answered. The reply is out: where the mailbox cannot be changed
    /// that is told, and is no failure.
    fn mark_answered(
        &self,
        mailbox: &Mailbox,
        index: usize,
        patience: Duration,
        diagnostics: &mut Diagnostics,
    ) {
        let mut flags = mailbox.messages()[index].flags;
        for flag in [Flags::ANSWERED, Flags::READ, Flags::OLD] {
            flags.insert(flag);
        }
        let mut changes = Changes::default();
        changes.set_flags(index, flags);
        let journals = reading::journals(self.environment);
        let options = CommitOptions {
            lock: LockOptions {
                patience,
                ..LockOptions::default()
            },
            journals: &journals,
            removes_empty: false,
        };
        if let Err(error) = mailbox.commit(&changes, &options) {
            let why = with_causes(&error);
            let line = format!(
                "the reply was sent, but message {} is not marked as answered: {why}",
                index + 1
            );
            diagnostics.warn(&line, None);
        }
    }
}
