//! Reading: which mailbox is meant, and what is to be done with it, for every face.

use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, BufReader, BufWriter, IsTerminal, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::config::{Environment, Origin, Settings, env};
use crate::diagnostics::Diagnostics;
use crate::exit::{Failure, Kind, with_causes};
use crate::mailbox::{
    self, CommitOptions, Holder, Journals, LocationInputs, LockOptions, Mailbox, NameInputs, Named,
    OpenError, Waiter,
};
use crate::report::{self, Form, ReportError};
use crate::sanitize;
use crate::selection::FlagChoice;
use crate::shell::batch::{self, Change};
use crate::shell::options::{Options, Surroundings};
use crate::shell::{self, Input};
use crate::submission::identity;
use crate::sys::open::Trouble;
use crate::sys::output::Output;
use crate::sys::signals::Signals;
use crate::sys::stdin::Interruptible;
use crate::sys::user;
use crate::ui::{Display, Screen};

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
    /// Print the header summary of these messages (`-L`); with `silent` only the status counts.
    Search {
        /// The message list.
        list: String,
        /// `-e`: print nothing.
        silent: bool,
    },
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
    /// Change messages.
    Change(Change),
    /// Read commands.
    Shell {
        /// `-N`: no header summary at the start.
        no_summary: bool,
        /// `-R`: nothing may be changed.
        read_only: bool,
        /// `-Y`: commands that come first.
        commands: Vec<String>,
    },
}

/// A mailbox that was found by name.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    path: PathBuf,
    /// The user whose system mailbox it is.
    owner: Option<String>,
    /// Whether the rules for system mailboxes hold for it.
    is_system: bool,
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
        return check(&place, &journals(environment), diagnostics);
    }
    let signals = match task {
        Task::Shell { .. } | Task::Change { .. } => match Signals::watch(false) {
            Ok(signals) => Some(signals),
            Err(error) => {
                let failure = Failure::new(Kind::Software, "cannot watch for signals");
                return diagnostics.fail(&failure.because(error));
            }
        },
        _ => None,
    };
    let program = diagnostics.program();
    let around = surroundings(&place, environment, program, signals.as_ref());
    let stdout = io::stdout();
    // A terminal sees each line; anything else gets blocks.
    let mut out: Box<dyn Write> = match &signals {
        _ if around.stdout_is_terminal => Box::new(stdout.lock()),
        Some(signals) if !around.stdin_is_terminal => {
            Box::new(BufWriter::with_capacity(64 * 1024, Output::new(signals)))
        }
        _ => Box::new(BufWriter::with_capacity(64 * 1024, stdout.lock())),
    };
    let mut err = io::stderr();
    let screen = Screen::new(&mut *out, &mut err, program);
    let result = perform(task, &place, settings, around, screen);
    match result {
        Ok(Some(kind)) => diagnostics.note(kind),
        Ok(None) => {}
        Err(ReportError::Open(error)) => {
            let quiet = matches!(task, Task::Headers(_) | Task::Search { .. });
            unopened(&error, &place, quiet, diagnostics);
        }
        Err(ReportError::Failed(failure)) => diagnostics.fail(&failure),
    }
    // What a signal made fail has another name.
    if let Some(signal) = signals.as_ref().and_then(Signals::received)
        && diagnostics.worst().is_some()
    {
        diagnostics.note(Kind::Signal(signal));
    }
}

fn perform(
    task: &Task,
    place: &Place,
    settings: &Settings,
    around: Surroundings<'_>,
    screen: Screen<'_>,
) -> Result<Option<Kind>, ReportError> {
    let (path, journals) = (&place.path, &around.journals);
    let display = || {
        Display::of(settings, around.columns, || {
            identity::own_addresses(settings)
        })
    };
    match task {
        Task::Check => Ok(None),
        Task::Headers(choice) => report::headers(path, *choice, &display(), journals, screen),
        Task::PrintAll => report::print_all(path, &display(), journals, screen),
        Task::List { json } => report::list(path, *json, &display(), journals, screen),
        Task::Show { number, form } => {
            report::show(path, *number, *form, &display(), journals, screen)
        }
        Task::Search { list, silent } => {
            let mailbox = Mailbox::open_index(path, journals)?;
            let settings = settings.clone();
            Ok(shell::search(
                mailbox, settings, around, list, *silent, screen,
            )?)
        }
        Task::Change(change) => {
            // The last message is found from the end of the file, unless numbers are shown.
            let manner = change.manner;
            let shows_numbers = manner.json || manner.dry_run || around.stdout_is_terminal;
            let mailbox = match change.selection.is_last() && !shows_numbers {
                true => Mailbox::open_end(path, journals)?,
                false => Mailbox::open_index(path, journals)?,
            };
            Ok(batch::change(&mailbox, settings, &around, change, screen)?)
        }
        Task::Shell {
            no_summary,
            read_only,
            commands,
        } => {
            let mut settings = settings.clone();
            if *no_summary {
                settings.unset("header", Origin::Option("-N".to_owned()));
            }
            let around = Surroundings {
                read_only: *read_only,
                ..around
            };
            converse(place, settings, around, commands, screen)
        }
    }
}

/// Opens the mailbox for the reader, and runs it.
fn converse(
    place: &Place,
    settings: Settings,
    around: Surroundings<'_>,
    commands: &[String],
    mut screen: Screen<'_>,
) -> Result<Option<Kind>, ReportError> {
    // Opening says what is wrong with anything else than a file, a FIFO for instance.
    if !around.read_only {
        recover(&place.path, &settings, &around, &mut screen);
    }
    if let Some(signal) = around.signal() {
        let what = format!(
            "interrupted; {} stays as it is",
            sanitize::path(&place.path)
        );
        return Err(Failure::new(Kind::Signal(signal), what).into());
    }
    let mailbox = Mailbox::open_index(&place.path, &around.journals)?;
    if mailbox.messages().is_empty() {
        return Err(Failure::new(Kind::Nothing, no_mail(place)).into());
    }
    let mut lines;
    let input = match (around.stdin_is_terminal, around.signals) {
        (false, Some(signals)) => {
            lines = BufReader::new(Interruptible::new(signals));
            Input::Lines(&mut lines)
        }
        // Not locked for a terminal: on a simple one the line editor locks it itself.
        _ => Input::Terminal,
    };
    Ok(shell::run(
        mailbox, settings, around, commands, input, screen,
    )?)
}

/// Completes a change of the mailbox that broke off; what cannot be completed is told, and shown as
/// if it were.
fn recover(path: &Path, settings: &Settings, around: &Surroundings<'_>, screen: &mut Screen<'_>) {
    let mut options = CommitOptions {
        lock: LockOptions::default(),
        journals: &around.journals,
        removes_empty: false,
    };
    let is_over = || around.signal().is_some();
    let screen = RefCell::new(screen);
    let tell = |what: &str| screen.borrow_mut().waiting_for(what);
    let waiter = Waiter::new(path, &is_over, &tell).tell_changes(around.stdin_is_terminal);
    let waits = |holder: &Holder| waiter.waits(holder);
    options.lock.patience = Options::of(settings, around).lock_patience;
    options.lock.waiting = Some(&waits);
    let recovered = mailbox::recover(path, &options);
    let screen = screen.into_inner();
    match recovered {
        Ok(notices) => {
            for notice in notices {
                screen.tell(&notice.to_string());
            }
        }
        Err(error) => {
            screen.tell(&with_causes(&error));
            if let Some(hint) = error.hint() {
                screen.hint(&hint);
            }
        }
    }
}

/// Answers `-e`: 0 there is mail, 1 there is none, else why it cannot be told.
fn check(place: &Place, journals: &Journals, diagnostics: &mut Diagnostics) {
    match mailbox::has_mail(&place.path, journals) {
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
        crate::diagnostics::line(&no_mail(place));
    }
    diagnostics.note(Kind::Nothing);
}

fn no_mail(place: &Place) -> String {
    match &place.owner {
        Some(owner) => format!("No mail for {owner}"),
        None => format!("No mail in {}", sanitize::path(&place.path)),
    }
}

/// Finds the mailbox that a command line means (design decision D17).
fn find(wanted: &Wanted, settings: &Settings, environment: &Environment) -> Result<Place, Failure> {
    let us = user::current();
    let name = us.as_ref().map_or_else(
        || format!("uid {}", user::effective_uid()),
        |us| us.name.clone(),
    );
    if let Some(name) = &wanted.user {
        let shown = sanitize::line(name.as_bytes());
        let unknown = || {
            Failure::new(
                Kind::Nothing,
                format!("{shown} is not a user of this system"),
            )
        };
        let account = user::by_name(name.to_str().unwrap_or_default());
        let account = account.map_err(no_database)?.ok_or_else(unknown)?;
        let path = spool_of(&account, None, settings);
        let path = path.map_err(no_place)?.ok_or_else(unknown)?;
        let owner = Some(account.name);
        return Ok(Place {
            path,
            owner,
            is_system: true,
        });
    }
    let Some(file) = &wanted.file else {
        return Ok(Place {
            path: own_mailbox(settings, environment)?,
            owner: Some(name),
            is_system: true,
        });
    };
    let file = if file.is_empty() {
        OsStr::new("&")
    } else {
        file
    };
    let named = file_of(file, settings, environment)?;
    Ok(Place {
        path: named.path,
        owner: (file == "%").then_some(name),
        is_system: named.is_system,
    })
}

/// Returns where our own system mailbox is.
///
/// # Errors
/// 75 when the system fails to look.
fn own_mailbox(settings: &Settings, environment: &Environment) -> Result<PathBuf, Failure> {
    let us = user::current();
    if let Some(why) = user::unread() {
        return Err(Failure::new(Kind::TryLater, "cannot read the user database").because(why));
    }
    let mail = settings.inbox(environment);
    let mail = mail.as_deref().map(Path::as_os_str);
    let own = match &us {
        Some(us) => spool_of(us, mail, settings).map_err(no_place)?,
        None => None,
    };
    Ok(own.unwrap_or_else(|| {
        let name = us.map_or_else(|| format!("uid {}", user::effective_uid()), |us| us.name);
        spools(settings)[0].join(name)
    }))
}

fn no_database(error: io::Error) -> Failure {
    Failure::new(Kind::TryLater, "cannot read the user database").because(error)
}

fn no_place(error: io::Error) -> Failure {
    Failure::new(Kind::TryLater, "cannot look for the mailbox").because(error)
}

/// Returns the mailbox that a name stands for, as `-f`, `save` and the like take it.
fn file_of(file: &OsStr, settings: &Settings, environment: &Environment) -> Result<Named, Failure> {
    // A file that is there by that very name is meant, whatever characters are in it.
    if !file.as_bytes().starts_with(b"%") {
        match fs::metadata(file) {
            Ok(_) => {
                return Ok(Named {
                    path: PathBuf::from(file),
                    is_system: false,
                });
            }
            Err(error) if Trouble::of(&error) == Trouble::Failed => {
                let shown = sanitize::line(file.as_bytes());
                let what = format!("cannot open {shown}");
                return Err(Failure::new(Kind::TryLater, what).because(error));
            }
            Err(_) => {}
        }
    }
    // The first look-up that failed: its "no" is no answer.
    let trouble = RefCell::new(None);
    let note = |failure: Failure| {
        trouble.borrow_mut().get_or_insert(failure);
    };
    let account = |name: &str| match user::by_name(name) {
        Ok(account) => account,
        Err(error) => {
            note(no_database(error));
            None
        }
    };
    let named = mailbox::expand(
        file,
        &NameInputs {
            home: environment.home_directory().as_deref(),
            folder: settings.path("folder"),
            mbox: settings.path("mbox").or(environment.mbox.as_deref()),
            previous: None,
            system: &own_mailbox(settings, environment)?,
            system_of: &|name| match spool_of(&account(name)?, None, settings) {
                Ok(path) => path,
                Err(error) => {
                    note(no_place(error));
                    None
                }
            },
            home_of: &|name| account(name).map(|user| user.home),
            variable: &|name| {
                let own = settings.any(name).map(OsString::from);
                own.or_else(|| env::variable(name))
            },
        },
    );
    if let Some(failure) = trouble.into_inner() {
        return Err(failure);
    }
    named.map_err(|error| {
        let shown = sanitize::line(file.as_bytes());
        Failure::new(Kind::NoInput, format!("cannot open {shown}")).because(error)
    })
}

/// Returns the directories that may hold system mailboxes.
fn spools(settings: &Settings) -> Vec<PathBuf> {
    mailbox::spools(settings.path("spool"))
}

/// Returns the system mailbox of a user; `mail` is `$MAIL` where the user is ourselves.
///
/// # Errors
/// When the system fails to look.
fn spool_of(
    user: &user::User,
    mail: Option<&OsStr>,
    settings: &Settings,
) -> io::Result<Option<PathBuf>> {
    let spools = spools(settings);
    let spools: Vec<&Path> = spools.iter().map(PathBuf::as_path).collect();
    let place = mailbox::system_mailbox(&LocationInputs {
        mail,
        effective_uid: user::effective_uid(),
        spools: &spools,
        user: &user.name,
        home: Some(&user.home),
    })?;
    Ok(place.map(|place| place.path))
}

/// Returns where journals may lie beside the mailbox's own directory.
fn journals(environment: &Environment) -> Journals {
    let state = |directory: PathBuf| directory.join("postrider/journal");
    let directories = match user::effective_uid() {
        0 => vec![state(PathBuf::from("/var/lib"))],
        // Accounts of services have homes that are not there or not theirs.
        uid => {
            let own = environment.state_directory().map(state);
            own.into_iter()
                .chain([mailbox::shared_journals(uid)])
                .collect()
        }
    };
    Journals { directories }
}

/// Returns what the reader is told of the terminal, the environment and the mailbox.
fn surroundings<'a>(
    place: &Place,
    environment: &'a Environment,
    program: &str,
    signals: Option<&'a Signals>,
) -> Surroundings<'a> {
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
    Surroundings {
        program: program.to_owned(),
        environment: environment.clone(),
        stdin_is_terminal: io::stdin().is_terminal(),
        stdout_is_terminal,
        columns: usize::from(columns),
        rows: usize::from(rows),
        journals: journals(environment),
        is_system: place.is_system,
        find_file: Box::new(|name, settings| {
            file_of(OsStr::new(name), settings, environment).map(|named| named.path)
        }),
        signals,
        ..Surroundings::default()
    }
}
