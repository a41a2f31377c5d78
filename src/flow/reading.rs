//! Reading: which mailbox is meant, and what is to be done with it, for every face.

use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, BufReader, BufWriter, IsTerminal, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::address;
use crate::config::{Environment, Settings, env};
use crate::diagnostics::Diagnostics;
use crate::exit::{Failure, Kind, with_causes};
use crate::mailbox::{
    self, CommitOptions, Holder, Journals, LockOptions, Mailbox, NameInputs, Named, OpenError,
    PlaceInputs, Waiter,
};
use crate::report::{self, Form, ReportError};
use crate::sanitize;
use crate::selection::FlagChoice;
use crate::selection::Selection;
use crate::shell::batch::{self, Action};
use crate::shell::{self, Input};
use crate::submission::identity::Identity;
use crate::sys::open::Trouble;
use crate::sys::output::Output;
use crate::sys::signals::Signals;
use crate::sys::stdin::Interruptible;
use crate::sys::{child, clock, user};
use crate::ui::{Pager, QuitRules, ReaderSettings};

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
    Change {
        /// Which.
        selection: Selection,
        /// What becomes of them.
        action: Action,
        /// How it is told.
        manner: batch::Manner,
    },
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
    let mut reader = reader_settings(settings, environment, diagnostics.program());
    reader.signals = signals.as_ref();
    reader.is_system = place.is_system;
    if let Task::Shell {
        no_summary,
        read_only,
        ..
    } = task
    {
        reader.header &= !no_summary;
        reader.read_only = *read_only;
    }
    let stdout = io::stdout();
    // A terminal sees each line; anything else gets blocks.
    let mut out: Box<dyn Write> = match &signals {
        _ if reader.stdout_is_terminal => Box::new(stdout.lock()),
        Some(signals) if !reader.stdin_is_terminal => {
            Box::new(BufWriter::with_capacity(64 * 1024, Output::new(signals)))
        }
        _ => Box::new(BufWriter::with_capacity(64 * 1024, stdout.lock())),
    };
    let mut err = io::stderr();
    let result = perform(task, &place, reader, &mut *out, &mut err);
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
    reader: ReaderSettings<'_>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Option<Kind>, ReportError> {
    match task {
        Task::Check => Ok(None),
        Task::Headers(choice) => report::headers(&place.path, *choice, &reader, out, err),
        Task::PrintAll => report::print_all(&place.path, &reader, out, err),
        Task::List { json } => report::list(&place.path, *json, &reader, out, err),
        Task::Show { number, form } => report::show(&place.path, *number, *form, &reader, out, err),
        Task::Search { list, silent } => {
            let mailbox = Mailbox::open_index(&place.path, &reader.journals)?;
            Ok(shell::search(mailbox, reader, list, *silent, out, err)?)
        }
        Task::Change {
            selection,
            action,
            manner,
        } => {
            // The last message is found from the end of the file, unless numbers are shown.
            let shows_numbers = manner.json || manner.dry_run || reader.stdout_is_terminal;
            let mailbox = match selection.is_last() && !shows_numbers {
                true => Mailbox::open_end(&place.path, &reader.journals)?,
                false => Mailbox::open_index(&place.path, &reader.journals)?,
            };
            let changed = batch::change(mailbox, reader, selection, *action, *manner, out, err);
            changed.map_err(ReportError::from)
        }
        Task::Shell {
            commands,
            read_only,
            ..
        } => {
            // Opening says what is wrong with anything else than a file, a FIFO for instance.
            if !read_only {
                recover(&place.path, &reader);
            }
            if let Some(signal) = reader.signal() {
                let what = format!("interrupted; {} stays as it is", place.path.display());
                return Err(Failure::new(Kind::Signal(signal), what).into());
            }
            let mailbox = Mailbox::open_index(&place.path, &reader.journals)?;
            if mailbox.messages().is_empty() {
                return Err(Failure::new(Kind::Nothing, no_mail(place)).into());
            }
            let mut lines;
            let input = match (reader.stdin_is_terminal, reader.signals) {
                (false, Some(signals)) => {
                    lines = BufReader::new(Interruptible::new(signals));
                    Input::Lines(&mut lines)
                }
                // Not locked for a terminal: on a simple one the line editor locks it itself.
                _ => Input::Terminal,
            };
            shell::run(mailbox, reader, commands, input, out, err).map_err(ReportError::from)
        }
    }
}

/// Completes a change of the mailbox that broke off; what cannot be completed is told, and shown as
/// if it were.
fn recover(path: &Path, reader: &ReaderSettings<'_>) {
    let mut options = CommitOptions {
        lock: LockOptions::default(),
        journals: &reader.journals,
        removes_empty: false,
    };
    let is_over = || reader.signal().is_some();
    let tell = |what: &str| crate::diagnostics::line(&reader.waiting_for(what));
    let waiter = Waiter::new(path, &is_over, &tell).tell_changes(reader.stdin_is_terminal);
    let waits = |holder: &Holder| waiter.waits(holder);
    options.lock.patience = reader.lock_patience;
    options.lock.waiting = Some(&waits);
    let lines: Vec<String> = match mailbox::recover(path, &options) {
        Ok(notices) => notices.iter().map(ToString::to_string).collect(),
        Err(error) => {
            let hint = error.hint().map(|hint| format!("hint: {hint}"));
            std::iter::once(with_causes(&error)).chain(hint).collect()
        }
    };
    for line in lines {
        crate::diagnostics::line(&format!("{}: {line}", reader.program));
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
        None => format!("No mail in {}", place.path.display()),
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
    let place = mailbox::system_mailbox(&PlaceInputs {
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

/// Gathers what the reader is told from variables, environment and terminal.
fn reader_settings<'a>(
    settings: &'a Settings,
    environment: &'a Environment,
    program: &str,
) -> ReaderSettings<'a> {
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
    let number = |name| settings.number(name).map(|n| n as usize);
    let crt = match settings.get("crt") {
        None => None,
        Some("") => Some(usize::from(rows)),
        Some(_) => number("crt"),
    };
    let mut reader = ReaderSettings {
        screen: number("screen").unwrap_or(usize::from(rows.saturating_sub(4)).max(1)),
        crt,
        toplines: number("toplines").unwrap_or(5),
        page: settings.is_set("page"),
        showto: settings.is_set("showto"),
        own_addresses: match settings.is_set("showto") {
            true => own_addresses(settings),
            false => Vec::new(),
        },
        showname: settings.is_set("showname"),
        allnet: settings.is_set("allnet"),
        retain: settings.retained.iter().cloned().collect(),
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
        pager: pager(settings, environment),
        zone: |time| clock::local(time.into()),
        program: program.to_owned(),
        journals: journals(environment),
        rules: quit_rules(settings, environment),
        autoprint: settings.is_set("autoprint"),
        errexit: settings.is_set("errexit"),
        lock_patience: settings.lock_timeout(),
        find_file: Some(Box::new(|name| {
            file_of(OsStr::new(name), settings, environment).map(|named| named.path)
        })),
        source_date_epoch: environment.source_date_epoch,
        ..ReaderSettings::default()
    };
    reader.ignore.extend(settings.ignored.iter().cloned());
    reader
}

/// Returns the addresses that are the user's: the login name, bare and at this host's names, `from`,
/// and `alternates`.
fn own_addresses(settings: &Settings) -> Vec<String> {
    let login = user::login_name();
    let identity = Identity::find(settings);
    let domains = identity.own_names.iter().chain([&identity.qualify_domain]);
    let mut own: Vec<String> = domains.map(|domain| format!("{login}@{domain}")).collect();
    let from = settings.text("from").unwrap_or_default();
    let from = address::parse_list(from).into_iter().flatten();
    own.extend(from.map(|address| address.address().to_string()));
    own.extend(settings.alternates.iter().cloned());
    own.push(login);
    own
}

/// Returns what becomes of messages at the end (design decision D15).
///
/// Under POSIX's rules a variable counts only where somebody has set it: its default is not ours.
fn quit_rules(settings: &Settings, environment: &Environment) -> QuitRules {
    let posix = environment.posixly_correct || settings.is_set("posix");
    let holds = |ours: bool, name: &str| match posix {
        true => settings.any(name).is_some(),
        false => ours,
    };
    QuitRules {
        posix,
        hold: holds(settings.is_set("hold"), "hold"),
        keepsave: holds(settings.is_set("keepsave"), "keepsave"),
        keep: holds(settings.is_set("keep"), "keep"),
    }
}

/// Returns what shows long messages: `pager`, else `$PAGER`, by the shell, as POSIX has it, else
/// `more`.
fn pager(settings: &Settings, environment: &Environment) -> Option<Pager<'static>> {
    let named = settings.path("pager").map(ToOwned::to_owned);
    let program = named
        .or_else(|| environment.pager.clone())
        .unwrap_or_else(|| "more".into());
    Some(Box::new(move |text| {
        let mut command = child::command("/bin/sh");
        command.arg("-c").arg(&program).stdin(Stdio::piped());
        let mut child = child::spawn(&mut command)?;
        if let Some(mut stdin) = child.stdin.take() {
            // A reader who leaves the pager early has seen enough.
            match stdin.write_all(text) {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
                _ => {}
            }
        }
        // The shell has said on stderr what it could not run; the text is still to be shown.
        match child.wait()?.code() {
            Some(126 | 127) => Err(io::Error::other("the shell could not run it")),
            _ => Ok(()),
        }
    }))
}
