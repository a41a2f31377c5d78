//! Reading: finds the mailbox and opens it.

use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::config::file_name::{self, MailboxNames, NameError, NameInputs, Named};
use crate::config::{Environment, Settings};
use crate::diagnostics::{self, Diagnostics};
use crate::exit::{Failure, Kind, with_causes};
use crate::mailbox::{
    self, CommitOptions, Holder, Journals, LocationInputs, LockOptions, Mailbox, Waiter,
};
use crate::report::ReportError;
use crate::sanitize;
use crate::sys::signals::Signals;
use crate::sys::user;
use crate::ui::Screen;

/// The mailbox to open, as typed.
#[derive(Clone, Debug, Default)]
pub(crate) struct MailboxChoice {
    /// `-f`: this file; `Some("")` is `~/mbox`.
    pub file: Option<OsString>,
    /// `-u`: the system mailbox of this user.
    pub user: Option<OsString>,
}

/// A mailbox that was found by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FoundMailbox {
    /// Where it is.
    pub path: PathBuf,
    /// The user whose system mailbox it is.
    pub owner: Option<String>,
    /// Whether the rules for system mailboxes hold for it.
    pub is_system: bool,
}

impl FoundMailbox {
    /// Returns the mailbox with this path, which is nobody's system mailbox.
    pub(crate) fn file(path: impl Into<PathBuf>) -> FoundMailbox {
        FoundMailbox {
            path: path.into(),
            owner: None,
            is_system: false,
        }
    }
}

/// How a mailbox is opened for the reader.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening<'a> {
    /// The variables.
    pub settings: &'a Settings,
    /// Where journals may lie.
    pub journals: &'a Journals,
    /// The signals that ask us to stop.
    pub signals: Option<&'a Signals>,
    /// Whether a person waits.
    pub is_watched: bool,
    /// Whether nothing may be changed.
    pub read_only: bool,
}

/// Returns the failure of work that a signal ended before it changed this mailbox.
pub(crate) fn interrupted(signal: u8, path: &Path) -> Failure {
    let what = format!("interrupted; {} stays as it is", sanitize::path(path));
    Failure::new(Kind::Signal(signal), what)
}

/// Opens a mailbox for the reader; completes an interrupted change first.
///
/// # Errors
/// The mailbox cannot be opened, there is no message in it, or a signal asks us to stop.
pub(crate) fn open(
    found: &FoundMailbox,
    opening: &Opening<'_>,
    screen: &mut Screen<'_>,
) -> Result<Mailbox, ReportError> {
    let mailbox = open_empty(found, opening, screen)?;
    if mailbox.messages().is_empty() {
        Err(ReportError::NoMail)
    } else {
        Ok(mailbox)
    }
}

/// Opens a mailbox for the reader as [`open`] does; it may have no message.
///
/// # Errors
/// The mailbox cannot be opened, or a signal asks us to stop.
pub(crate) fn open_empty(
    found: &FoundMailbox,
    opening: &Opening<'_>,
    screen: &mut Screen<'_>,
) -> Result<Mailbox, ReportError> {
    // Opening says what is wrong with anything else than a file, a FIFO for instance.
    // A reader that may not write applies a pending change in memory only (D13).
    if !opening.read_only {
        recover(&found.path, opening, screen);
    }
    if let Some(signal) = opening.signals.and_then(Signals::received) {
        return Err(interrupted(signal, &found.path).into());
    }
    // The locks of the scan are released when the index is complete, so that mail can arrive while
    // a person reads. A commit takes all locks and looks for what has changed meanwhile.
    Ok(Mailbox::open_index(&found.path, opening.journals)?)
}

/// Returns the failure of a command that could not open a mailbox; one without mail is
/// [`Kind::Nothing`].
pub(crate) fn failure_of(error: ReportError, found: &FoundMailbox) -> Failure {
    match error {
        ReportError::Open(error) if !error.is_missing() || found.owner.is_none() => {
            Failure::new(error.kind(), with_causes(&error))
        }
        ReportError::Failed(failure) => failure,
        ReportError::Open(_) | ReportError::NoMail => Failure::new(Kind::Nothing, no_mail(found)),
    }
}

/// Completes an interrupted change of the mailbox. If that fails it is reported, and the mailbox is
/// shown as it will be after the change.
fn recover(path: &Path, opening: &Opening<'_>, screen: &mut Screen<'_>) {
    let mut options = CommitOptions {
        lock: LockOptions::default(),
        journals: opening.journals,
        // POSIX removes a mailbox that is empty when the reader is left. A change that is completed
        // now belongs to an earlier session.
        removes_empty: false,
    };
    let is_over = || opening.signals.and_then(Signals::received).is_some();
    let screen = RefCell::new(screen);
    let tell = |what: &str| screen.borrow_mut().waiting_for(what);
    let waiter = Waiter::new(path, &is_over, &tell).report_changes(opening.is_watched);
    let waits = |holder: &Holder| waiter.waits(holder);
    options.lock.patience = opening.settings.lock_timeout();
    options.lock.waiting = Some(&waits);
    let kernel_only = |line: &str| screen.borrow_mut().say(line);
    let verbose = opening.settings.is_set("verbose");
    options.lock.kernel_only = verbose.then_some(&kernel_only as &dyn Fn(&str));
    let recovered = mailbox::recover(path, &options);
    let screen = screen.into_inner();
    match recovered {
        Ok(notices) => {
            for notice in notices {
                screen.say(&notice.to_string());
            }
        }
        // The change stays in its journal, and the reader sees the mailbox as if it were complete:
        // nothing is lost by going on.
        Err(error) => {
            screen.say(&with_causes(&error));
            if let Some(hint) = error.hint() {
                screen.hint(&hint);
            }
        }
    }
}

/// Answers `-e`: the status is 0 if there is mail, 1 if there is none, else that of the failure.
pub(crate) fn check(
    found: &FoundMailbox,
    environment: &Environment,
    diagnostics: &mut Diagnostics,
) {
    match mailbox::has_mail(&found.path, &journals(environment)) {
        Ok(true) => {}
        Ok(false) => diagnostics.note(Kind::Nothing),
        Err(error) if error.is_missing() => diagnostics.note(Kind::Nothing),
        Err(error) => diagnostics.error(error.kind(), &error),
    }
}

/// Reports why there is nothing to read: the mailbox cannot be opened, or has no message.
///
/// A system mailbox that is missing is one without mail. With `quiet` nothing is said of a mailbox
/// without mail.
pub(crate) fn report_error(
    error: &ReportError,
    found: &FoundMailbox,
    quiet: bool,
    diagnostics: &mut Diagnostics,
) {
    match error {
        // A delivery agent makes the system mailbox with the first message, and mailx removes it
        // with the last one. So a missing system mailbox is no error; a missing file that was named
        // is one.
        ReportError::Open(error) if !error.is_missing() || found.owner.is_none() => {
            diagnostics.error(error.kind(), error);
        }
        ReportError::Failed(failure) => diagnostics.fail(failure),
        ReportError::Open(_) | ReportError::NoMail => {
            let line = no_mail(found);
            if !quiet {
                diagnostics::line(&line);
            }
            diagnostics.note_line(Kind::Nothing, &line, None);
        }
    }
}

/// The one line about a mailbox without mail, in the words of every mailx.
fn no_mail(found: &FoundMailbox) -> String {
    match &found.owner {
        Some(owner) => format!("No mail for {owner}"),
        None => format!("No mail in {}", sanitize::path(&found.path)),
    }
}

/// Finds the mailbox that a name means.
///
/// # Errors
/// There is no such user or file, or the system failed to look (75).
pub(crate) fn find(
    choice: &MailboxChoice,
    settings: &Settings,
    environment: &Environment,
) -> Result<FoundMailbox, Failure> {
    if let Some(name) = &choice.user {
        let shown = sanitize::line(name.as_bytes());
        let unknown = || {
            let what = format!("there is no user {shown} on this host");
            Failure::new(Kind::NoUser, what)
        };
        let account = user::by_name(name.to_str().unwrap_or_default());
        let account = account.map_err(no_database)?.ok_or_else(unknown)?;
        let path = spool_of(&account, None, settings);
        let path = path.map_err(no_place)?.ok_or_else(unknown)?;
        let owner = Some(account.name);
        return Ok(FoundMailbox {
            path,
            owner,
            is_system: true,
        });
    }
    let Some(file) = &choice.file else {
        return Ok(FoundMailbox {
            path: own_mailbox(settings, environment)?,
            owner: Some(own_name()),
            is_system: true,
        });
    };
    // POSIX: `-f` without a file reads the user's mbox, which `&` names.
    let file = if file.is_empty() {
        OsStr::new("&")
    } else {
        file
    };
    named(file, None, settings, environment)
}

/// Finds the mailbox that a name means, as `-f`, `file`, `save` and the like take it; `previous` is
/// the mailbox that `#` means.
///
/// # Errors
/// The name refers to a user, variable or directory that does not exist (66, 67), or the look-up
/// failed (75).
pub(crate) fn named(
    file: &OsStr,
    previous: Option<&Path>,
    settings: &Settings,
    environment: &Environment,
) -> Result<FoundMailbox, Failure> {
    let named = file_of(file, previous, settings, environment)?;
    // `-f %user` is `-u user`; `%:file` is a file.
    let owner = match file.as_bytes() {
        b"%" => Some(own_name()),
        [b'%', b':', ..] => None,
        [b'%', user @ ..] => Some(sanitize::line(user).to_string()),
        _ => None,
    };
    Ok(FoundMailbox {
        path: named.path,
        owner,
        is_system: named.is_system,
    })
}

/// Returns our own name.
fn own_name() -> String {
    // A uid without a row in the user database (a container often has one) can still read mail.
    user::current().map_or_else(|| format!("uid {}", user::effective_uid()), |us| us.name)
}

/// Returns where our own system mailbox is.
///
/// # Errors
/// 75 when the system fails to look.
fn own_mailbox(settings: &Settings, environment: &Environment) -> Result<PathBuf, Failure> {
    let us = user::current();
    // A database that could not be read is not an unknown user: a guess could open an empty mailbox
    // and say "No mail".
    if let Some(why) = user::unread() {
        return Err(Failure::new(Kind::TryLater, "cannot read the user database").because(why));
    }
    let mail = file_name::inbox(settings, environment)
        .map_err(|error| error.failure("cannot open the mailbox that the variable inbox names"))?;
    let mail = mail.as_deref().map(Path::as_os_str);
    let own = match &us {
        Some(us) => spool_of(us, mail, settings).map_err(no_place)?,
        None => None,
    };
    Ok(own.unwrap_or_else(|| spools(settings)[0].join(own_name())))
}

fn no_database(error: io::Error) -> Failure {
    Failure::new(Kind::TryLater, "cannot read the user database").because(error)
}

fn no_place(error: io::Error) -> Failure {
    Failure::new(Kind::TryLater, "cannot check whether the mailbox exists").because(error)
}

/// Returns the file that a name stands for, and whether it counts as a system mailbox.
fn file_of(
    file: &OsStr,
    previous: Option<&Path>,
    settings: &Settings,
    environment: &Environment,
) -> Result<Named, Failure> {
    if let Some(named) = file_of_that_name(file)? {
        return Ok(named);
    }
    let system_of = |name: &str| {
        let account = user::by_name(name).map_err(NameError::NoDatabase)?;
        let account = account.ok_or(NameError::NoUser)?;
        let path = spool_of(&account, None, settings).map_err(NameError::NoPlace)?;
        path.ok_or(NameError::NoUser)
    };
    let named = file_name::expand(
        file,
        &NameInputs {
            home: environment.home_directory().as_deref(),
            folder: settings.path("folder"),
            home_of: &file_name::home_of,
            variable: &|name| file_name::variable(name, settings),
            mailboxes: Some(MailboxNames {
                mbox: settings.path("mbox").or(environment.mbox.as_deref()),
                previous,
                system: &own_mailbox(settings, environment)?,
                system_of: &system_of,
            }),
        },
    );
    let named = named.and_then(|named| {
        let path = file_name::matching(named.path)?;
        Ok(Named { path, ..named })
    });
    named.map_err(|error| error.failure(cannot_open(file)))
}

/// Returns the file of exactly this name, if it exists: it takes precedence over `+`, `&` and the
/// others. `%` always means a system mailbox.
fn file_of_that_name(file: &OsStr) -> Result<Option<Named>, Failure> {
    if file.as_bytes().starts_with(b"%") {
        return Ok(None);
    }
    match file_name::is_there(file) {
        Ok(true) => Ok(Some(Named {
            path: PathBuf::from(file),
            is_system: false,
        })),
        Ok(false) => Ok(None),
        // The system could not say whether the file is there. A guess could open another mailbox.
        Err(error) => Err(Failure::new(Kind::TryLater, cannot_open(file)).because(error)),
    }
}

fn cannot_open(file: &OsStr) -> String {
    format!("cannot open {}", sanitize::line(file.as_bytes()))
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
    // $MAIL counts for our own mailbox only: it says nothing of other users.
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
pub(crate) fn journals(environment: &Environment) -> Journals {
    let state = |directory: PathBuf| directory.join("postrider/journal");
    let directories = match user::effective_uid() {
        0 => vec![state(PathBuf::from("/var/lib"))],
        // Accounts of services often have a home that does not exist or is not theirs. The shared
        // directory serves them.
        uid => {
            let own = environment.state_directory().map(state);
            own.into_iter()
                .chain([mailbox::shared_journals(uid)])
                .collect()
        }
    };
    Journals { directories }
}
