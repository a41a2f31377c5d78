//! The postrider face: subcommands with long options, for new scripts.

mod answer;
mod common;
mod complaints;
pub(crate) mod flush;
pub(crate) mod generate;
pub(crate) mod install;
pub(crate) mod looking;
pub(crate) mod options;
pub(crate) mod outbox;
mod resend;
mod ses_password;

use std::ffi::OsString;

use clap::Parser;

use crate::cli::read::{self, Task};
use crate::cli::{mailx, send, sendmail};
use crate::config::Environment;
use crate::diagnostics::Diagnostics;

use looking::MailboxArguments;
use options::{PostriderArguments, PostriderCommand};

/// Runs a command line (without the program's name).
pub(crate) fn run(arguments: &[OsString], diagnostics: &mut Diagnostics) {
    let words = std::iter::once(OsString::from("postrider")).chain(arguments.iter().cloned());
    let parsed = match PostriderArguments::try_parse_from(words) {
        Ok(parsed) => parsed,
        Err(error) => return complaints::report(&error, diagnostics),
    };
    let environment = Environment::read();
    let read_by = |task: &Task, mailbox: &MailboxArguments, diagnostics: &mut Diagnostics| {
        let inputs = mailbox.common.inputs(false);
        read::read(&mailbox.choice(), task, &inputs, &environment, diagnostics);
    };
    match parsed.command {
        PostriderCommand::Send(arguments) => {
            let common = arguments.common.clone();
            let sending = arguments.sending();
            send::send(sending, &common.inputs(true), &environment, diagnostics);
        }
        PostriderCommand::Read(reader) => read_by(&reader.task(), &reader.mailbox(), diagnostics),
        PostriderCommand::Search(search) => read_by(&search.task(), &search.mailbox, diagnostics),
        PostriderCommand::Count(count) => read_by(&count.task(), &count.mailbox, diagnostics),
        PostriderCommand::Extract(extract) => {
            read_by(&extract.task(), &extract.mailbox, diagnostics);
        }
        PostriderCommand::List(list) => read_by(&list.task(), &list.mailbox, diagnostics),
        PostriderCommand::Show(show) => read_by(&show.task(), &show.mailbox, diagnostics),
        PostriderCommand::Delete(delete) => {
            read_by(&delete.task(), &delete.choice.mailbox, diagnostics);
        }
        PostriderCommand::Mark(mark) => {
            read_by(&mark.task(), &mark.choice.mailbox, diagnostics);
        }
        PostriderCommand::Reply(arguments) => {
            answer::reply(&arguments, &environment, diagnostics);
        }
        PostriderCommand::Forward(arguments) => {
            answer::forward(&arguments, &environment, diagnostics);
        }
        PostriderCommand::Outbox { command } => outbox::run(&command, &environment, diagnostics),
        PostriderCommand::Resend(arguments) => resend::run(arguments, &environment, diagnostics),
        PostriderCommand::SesPassword(arguments) => ses_password::run(&arguments, diagnostics),
        PostriderCommand::Install(arguments) => {
            install::run(&arguments, &environment, diagnostics);
        }
        PostriderCommand::Generate { command } => generate::run(&command, diagnostics),
        // These faces read their own command lines, which clap could not: what an option means
        // depends on what stands behind it.
        PostriderCommand::Mailx(rest) => mailx::run(&rest.arguments, diagnostics),
        PostriderCommand::Sendmail(rest) => {
            sendmail::run("sendmail", &rest.arguments, diagnostics);
        }
    }
}
