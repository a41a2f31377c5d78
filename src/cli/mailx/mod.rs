//! The mailx face: `mailx`, `mail` and `Mail`.
//!
//! A command line passes the [`dialect`], which reads it by the [`table`] of options, into
//! [`options`], and these become a [`mode`]: a message that is sent, or a mailbox that is read.
//!
//! A new option is a field of `options` with its help, and a row of `table`; what it asks of a
//! message is passed on by `mode`.

pub(super) mod attach_or_header;
pub(crate) mod dialect;
mod mode;
pub(crate) mod options;
mod table;

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal};
use std::path::Path;

use clap::CommandFactory;

use crate::cli::settings::Inputs;
use crate::cli::{read, send, version};
use crate::config::{Environment, mailrc};
use crate::diagnostics::Diagnostics;
use crate::exit::Failure;

use dialect::Probe;
use mode::Mode;
use options::MailxArguments;

/// Runs a command line (without the program's name).
pub(crate) fn run(arguments: &[OsString], diagnostics: &mut Diagnostics) {
    // The version is asked for by scripts that look for the right mailx: answered at once.
    if matches!(arguments, [only] if only == "--version" || only == "-V") {
        return diagnostics.print(&version());
    }
    let environment = Environment::read();
    let mut parsed = match parse(arguments, environment.posixly_correct) {
        Ok(parsed) => parsed,
        Err(failure) => return diagnostics.fail(&failure),
    };
    if parsed.help {
        let help = MailxArguments::command().render_long_help().to_string();
        return diagnostics.print(&help);
    }
    if parsed.version {
        return diagnostics.print(&version());
    }
    // The mode is decided before anything is opened: a wrong command line must not read a message
    // from standard input and lose it.
    match mode::mode(&mut parsed) {
        Ok(Mode::Send(sending)) => {
            let inputs = inputs(&parsed, true);
            send::send(*sending, &inputs, &environment, diagnostics);
        }
        Ok(Mode::Read(mailbox, task)) => {
            let inputs = inputs(&parsed, false);
            read::read(&mailbox, &task, &inputs, &environment, diagnostics);
        }
        Err(failure) => diagnostics.fail(&failure),
    }
}

fn parse(arguments: &[OsString], posixly_correct: bool) -> Result<MailxArguments, Failure> {
    let probe = Probe {
        is_file: &is_file,
        is_command: &mailrc::is_command,
        posixly_correct,
    };
    let words = dialect::normalise(arguments, &probe)?;
    Ok(MailxArguments::from_normalised(words))
}

/// Returns whether a file of this name is there; whether it can be read is found out later.
fn is_file(name: &OsStr) -> bool {
    let path = Path::new(name);
    // A link that leads nowhere is a file here: it was meant as one, and the attachment then fails
    // with its name.
    path.symlink_metadata().is_ok() && !path.is_dir()
}

/// Returns which configuration the command line asks for.
fn inputs(parsed: &MailxArguments, sending: bool) -> Inputs<'_> {
    Inputs {
        no_system_rc: parsed.no_system_rc || !reads(parsed, 's'),
        no_user_rc: !reads(parsed, 'u'),
        user_file: None,
        set_option: "-S",
        set: &parsed.set,
        account: parsed.account.as_deref(),
        commands: &parsed.command,
        verbose: parsed.verbose,
        sending,
        terminal: io::stdin().is_terminal(),
        is_repeated: false,
    }
}

/// Returns whether `-:` lets this kind of configuration file be read.
fn reads(parsed: &MailxArguments, kind: char) -> bool {
    match &parsed.resource_files {
        None => true,
        Some(letters) => letters.to_string_lossy().contains(kind),
    }
}
