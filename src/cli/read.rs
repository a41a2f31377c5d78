//! Reading: which mailbox is meant, and what is to be done with it, for every face.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::cli::diagnostics::Diagnostics;
use crate::cli::setup;
use crate::config::{Environment, Settings, mailrc};
use crate::exit::{Failure, Kind};
use crate::mailbox::{self, Mailbox, OpenError};
use crate::report::{self, Form, ReportError};
use crate::sanitize;
use crate::shell::{self, Input};
use crate::submission::spool;
use crate::sys::{child, clock, user};
use crate::ui::choice::FlagChoice;
use crate::ui::{Pager, ReaderSettings};

/// Which mailbox a command line names.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// `-f`: this file; `Some("")` is `~/mbox`.
    pub file: Option<OsString>,
    /// `-u`: the system mailbox of this user.
    pub user: Option<OsString>,
}

/// What is to be done with the mailbox.
#[derive(Clone, Debug)]
pub enum Task {
    /// Tell by the exit status whether there is mail (`-e`).
    Check,
    /// Print the header summary (`-H`), maybe of messages with a flag.
    Headers(Option<FlagChoice>),
    /// Print all messages (`-p`).
    PrintAll,
    /// List for people or programs.
    List {
        /// One JSON object a message.
        json: bool,
    },
    /// Show one message.
    Show {
        /// Its number, from 1.
        number: usize,
        /// In which form.
        form: Form,
    },
    /// Read commands.
    Shell {
        /// `-N`: no header summary at the start.
        no_summary: bool,
    },
}

/// A mailbox that was found by name.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    path: PathBuf,
    /// The user whose system mailbox it is.
    owner: Option<String>,
}

/// Finds the mailbox and does the task.
pub fn read(
    wanted: &Wanted,
    task: &Task,
    settings: &Settings,
    environment: &Environment,
    diagnostics: &mut Diagnostics,
) {
    let place = match find(wanted, settings, environment) {
        Ok(place) => place,
        Err(failure) => return diagnostics.fail(&failure),
    };
    if let Task::Check = task {
        return check(&place, diagnostics);
    }
    let mut reader = reader_settings(settings, environment, diagnostics.program());
    if let Task::Shell { no_summary: true } = task {
        reader.header = false;
    }
    let stdout = io::stdout();
    // A terminal sees each line; anything else gets blocks.
    let mut out: Box<dyn Write> = match reader.stdout_is_terminal {
        true => Box::new(stdout.lock()),
        false => Box::new(BufWriter::with_capacity(64 * 1024, stdout.lock())),
    };
    let mut err = io::stderr();
    let result = perform(task, &place, reader, &mut *out, &mut err);
    match result {
        Ok(Some(kind)) => diagnostics.note(kind),
        Ok(None) => {}
        Err(ReportError::Open(error)) => {
            let quiet = matches!(task, Task::Headers(_));
            unopened(&error, &place, quiet, diagnostics);
        }
        Err(ReportError::Failed(failure)) => diagnostics.fail(&failure),
    }
}

fn perform(
    task: &Task,
    place: &Place,
    reader: ReaderSettings<'_>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Option<Kind>, ReportError> {
    match task {
        Task::Check => Ok(None),
        Task::Headers(choice) => report::headers(&place.path, *choice, &reader, out, err),
        Task::PrintAll => report::print_all(&place.path, &reader, out, err),
        Task::List { json } => report::list(&place.path, *json, &reader, out, err),
        Task::Show { number, form } => {
            report::show(&place.path, *number, *form, &reader, out, err).map(|()| None)
        }
        Task::Shell { .. } => {
            let mailbox = Mailbox::open(&place.path, &mut |_, _, _| {})?;
            if mailbox.messages().is_empty() {
                return Err(Failure::new(Kind::Nothing, no_mail(place)).into());
            }
            let terminal = reader.stdin_is_terminal;
            let mut lines = io::stdin().lock();
            let input = match terminal {
                true => Input::Terminal,
                false => Input::Lines(&mut lines),
            };
            shell::run(&mailbox, reader, input, out, err)?;
            Ok(None)
        }
    }
}

/// Answers `-e`: 0 there is mail, 1 there is none, else why it cannot be told.
fn check(place: &Place, diagnostics: &mut Diagnostics) {
    match mailbox::has_mail(&place.path) {
        Ok(true) => {}
        Ok(false) => diagnostics.note(Kind::Nothing),
        Err(error) if error.is_missing() => diagnostics.note(Kind::Nothing),
        Err(error) => diagnostics.error(error.kind(), &error),
    }
}

/// Tells why a mailbox cannot be opened; a system mailbox that is missing is one without mail.
fn unopened(error: &OpenError, place: &Place, quiet: bool, diagnostics: &mut Diagnostics) {
    if !error.is_missing() || place.owner.is_none() {
        return diagnostics.error(error.kind(), error);
    }
    if !quiet {
        crate::cli::diagnostics::line(&no_mail(place));
    }
    diagnostics.note(Kind::Nothing);
}

fn no_mail(place: &Place) -> String {
    match &place.owner {
        Some(owner) => format!("No mail for {owner}"),
        None => format!("No mail in {}", place.path.display()),
    }
}

/// Finds the mailbox that a command line means (design decision D17).
fn find(wanted: &Wanted, settings: &Settings, environment: &Environment) -> Result<Place, Failure> {
    if let Some(name) = &wanted.user {
        return of_user(name, settings);
    }
    match wanted.file.as_deref() {
        Some(name) if name.is_empty() => Ok(Place {
            path: mbox(environment),
            owner: None,
        }),
        Some(name) => named(name, settings, environment),
        None => own(settings, environment),
    }
}

fn of_user(name: &OsStr, settings: &Settings) -> Result<Place, Failure> {
    let account = name.to_str().and_then(user::by_name).ok_or_else(|| {
        let shown = sanitize::line(name.as_bytes());
        Failure::new(
            Kind::Nothing,
            format!("{shown} is not a user of this system"),
        )
    })?;
    Ok(Place {
        path: spool::directory(settings, &account.name).join(&account.name),
        owner: Some(account.name),
    })
}

/// The names of `-f`: `%` the system mailbox, `%USER` another's, `&` MBOX, `+NAME` in *folder*.
fn named(name: &OsStr, settings: &Settings, environment: &Environment) -> Result<Place, Failure> {
    let home = setup::home(environment);
    let plain = |path: PathBuf| Place { path, owner: None };
    Ok(match name.as_bytes() {
        b"%" => return own(settings, environment),
        b"&" => plain(mbox(environment)),
        [b'%', user @ ..] => return of_user(OsStr::from_bytes(user), settings),
        [b'+', file @ ..] => {
            let folder = settings.text("folder").unwrap_or("");
            let folder = mailrc::expand_home(folder, home.as_deref());
            let base = home.unwrap_or_default().join(folder);
            plain(base.join(OsStr::from_bytes(file)))
        }
        [b'~', ..] => match name.to_str() {
            Some(text) => plain(mailrc::expand_home(text, home.as_deref())),
            None => plain(PathBuf::from(name)),
        },
        _ => plain(PathBuf::from(name)),
    })
}

fn mbox(environment: &Environment) -> PathBuf {
    match &environment.mbox {
        Some(mbox) => PathBuf::from(mbox),
        None => setup::home(environment).unwrap_or_default().join("mbox"),
    }
}

/// One's own system mailbox: `$MAIL` if it may be believed, else the spool's, else `~/Maildir`.
fn own(settings: &Settings, environment: &Environment) -> Result<Place, Failure> {
    let us = user::effective_uid();
    let account = user::current();
    let name = account.map_or_else(|| format!("uid {us}"), |account| account.name);
    let owner = Some(name.clone());
    if let Some(mail) = environment.mail.as_deref().filter(|mail| is_ours(mail, us)) {
        return Ok(Place {
            path: mail.to_owned(),
            owner,
        });
    }
    Ok(Place {
        path: spool::directory(settings, &name).join(&name),
        owner,
    })
}

/// Returns whether this file belongs to us or lies in a directory of ours.
fn is_ours(path: &Path, us: u32) -> bool {
    match fs::metadata(path) {
        Ok(file) => file.uid() == us,
        Err(_) => path
            .parent()
            .and_then(|directory| fs::metadata(directory).ok())
            .is_some_and(|directory| directory.uid() == us),
    }
}

/// Gathers what the reader is told from variables, environment and terminal.
fn reader_settings(
    settings: &Settings,
    environment: &Environment,
    program: &str,
) -> ReaderSettings<'static> {
    let stdout_is_terminal = io::stdout().is_terminal();
    let size = terminal_size::terminal_size().filter(|_| stdout_is_terminal);
    let columns = environment
        .columns
        .or(size.map(|(width, _)| width.0))
        .filter(|_| stdout_is_terminal)
        .unwrap_or(80);
    let rows = environment
        .lines
        .or(size.map(|(_, height)| height.0))
        .unwrap_or(24);
    let number = |name| settings.number(name).ok().flatten().map(|n| n as usize);
    let crt = match settings.get("crt") {
        None => None,
        Some("") => Some(usize::from(rows)),
        Some(_) => number("crt"),
    };
    let mut reader = ReaderSettings {
        screen: number("screen").unwrap_or(usize::from(rows.saturating_sub(4)).max(1)),
        crt,
        toplines: number("toplines").unwrap_or(5),
        showto: settings.is_set("showto"),
        showname: settings.is_set("showname"),
        allnet: settings.is_set("allnet"),
        retain: settings.retained.clone(),
        prompt: match settings.get("prompt") {
            Some(prompt) => prompt.to_owned(),
            None if program == "mail" || program == "Mail" => "& ".to_owned(),
            None => "? ".to_owned(),
        },
        quiet: settings.is_set("quiet"),
        header: settings.is_set("header"),
        stdin_is_terminal: io::stdin().is_terminal(),
        stdout_is_terminal,
        columns: usize::from(columns),
        pager: pager(environment),
        zone: |time| clock::local(time.into()),
        program: program.to_owned(),
        ..ReaderSettings::default()
    };
    reader.ignore.extend(settings.ignored.iter().cloned());
    reader
}

/// Returns what shows long messages: `$PAGER` by the shell, as POSIX has it, else `more`.
fn pager(environment: &Environment) -> Option<Pager<'static>> {
    let program = environment.pager.clone().unwrap_or_else(|| "more".into());
    Some(Box::new(move |text| {
        let mut command = child::command("/bin/sh");
        command.arg("-c").arg(&program).stdin(Stdio::piped());
        let mut child = command.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // A reader who leaves the pager early has seen enough.
            match stdin.write_all(text) {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
                _ => {}
            }
        }
        child.wait().map(drop)
    }))
}
