//! Keeping: the text of a message that was not accepted for every recipient.
//!
//! The text is appended as one message to the dead letter file. That file is an mbox of mode 0600;
//! one that others can read is closed to them first. It is never opened through a symbolic link and
//! never overwritten. Two header fields in front of the message, `X-Postrider-Unsent-To` and
//! `X-Postrider-Unsent-From`, name the envelope that failed. A third one, `X-Postrider-Incomplete`,
//! says that the text broke off, or that its writer gave it up: `letters`, which sends dead letters
//! again, sends such a one only if it is named.
//!
//! A user without a usable home directory has the file in our private place,
//! `/var/tmp/postrider-UID/`. If the file cannot be locked, it stays as it is, and the message gets a
//! file of its own beside it. Root's messages are not written into a directory that another user
//! owns, as the home directory is under `sudo -E`.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::file_name::{self, NameError};
use crate::config::{Environment, Settings};
use crate::exit::{self, Failure, Kind};
use crate::mailbox::{AppendError, AppendOptions, append_alone, from_line_now};
use crate::sanitize;
use crate::submission::Surroundings;
use crate::sys::open::names::{self, Access, Links};
use crate::sys::open::write::make_way;
use crate::sys::private::{LETTERS, Private};
use crate::sys::spool::Spool;
use crate::sys::{random, user};
use crate::transport::local::Wait;

/// The field that names the recipients who did not get a dead letter.
pub(super) const UNSENT_TO: &str = "X-Postrider-Unsent-To";
/// The field that names its envelope sender.
pub(super) const UNSENT_FROM: &str = "X-Postrider-Unsent-From";
/// The field of a dead letter whose text broke off, or was given up.
pub(super) const INCOMPLETE: &str = "X-Postrider-Incomplete";

/// How long a lock is waited for at most, whatever `lock-timeout` says: a file of its own is as good.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Where the text of an unsent message was kept.
#[derive(Debug, Default)]
pub enum Kept {
    /// Every copy was accepted, the user wants nothing kept, or the program that called us keeps it.
    #[default]
    NotNeeded,
    /// It is in the dead letter file, and will not be sent again by itself.
    DeadLetter(DeadLetter),
    /// No place took it.
    Nowhere(Failure),
}

/// A text in the dead letter file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The file.
    pub path: PathBuf,
    /// Why better places did not take it.
    pub passed_over: Vec<String>,
}

/// Appends an unsent message to the dead letter file; returns the file.
///
/// # Errors
/// 73 with `NOT KEPT` when no place took it, naming each place and why.
pub fn keep(
    message: &Spool,
    around: &Surroundings<'_>,
    login: &str,
) -> Result<DeadLetter, Failure> {
    let (settings, environment) = (around.settings, around.environment);
    let mut wait = around.wait();
    // The user waits for the end of a command that has failed already.
    wait.patience = wait.patience.min(LONGEST_WAIT);
    let line = from_line_now(login, environment.source_date_epoch);
    let (places, mut reasons) = places(settings, environment);
    for place in places {
        // In our own directory a file that is no mbox can only be a leftover of ours, so a file
        // beside it is safe. In a home directory the odd file may be the user's, and the next place
        // is tried.
        let is_private = matches!(place, LetterPlace::Shared);
        let done = place.prepare().and_then(|path| {
            append_or_alone(path, is_private, &line, message, &wait)
                .map_err(|error| exit::with_causes(&error))
        });
        match done {
            Ok(path) => {
                return Ok(DeadLetter {
                    path,
                    passed_over: reasons,
                });
            }
            // The reasons are collected for the report: the user looks for the letter in the first
            // place and has to learn why it is in another.
            Err(reason) => reasons.push(reason),
        }
    }
    // This is the one case in which a text is lost, so the failure names every place and why it did
    // not take the text.
    Err(Failure::new(Kind::CannotCreate, "the message is NOT KEPT").because(reasons.join("; ")))
}

/// Appends a message to a file, or gives it one of its own if the file cannot be locked, or is
/// nothing to append to in a place that is ours alone.
fn append_or_alone(
    path: PathBuf,
    is_private: bool,
    line: &[u8],
    message: &Spool,
    wait: &Wait<'_>,
) -> Result<PathBuf, AppendError> {
    let options = AppendOptions::dead_letters();
    // Before the append and not behind it: between the two others could read the new text.
    close_to_others(&path);
    match wait.append(&path, line, &mut message.reader(), &options) {
        Err(AppendError::Lock(_)) => {}
        Err(AppendError::Refused { .. }) if is_private => {}
        done => return done.map(|()| path),
    }
    let mut name = path.into_os_string();
    // A random name, since a predictable one could be taken by another user beforehand.
    name.push(format!(".{:016x}", random::number()));
    let path = PathBuf::from(name);
    append_alone(&path, line, &mut message.reader(), &options)?;
    Ok(path)
}

/// Takes the rights of others from a file of ours that is there: it is about to hold a message.
/// Where that fails nothing is lost, and the text must be kept.
fn close_to_others(path: &Path) {
    // Opened without following a link, and changed through the descriptor: by its name the file
    // could be another one by now.
    let Ok(file) = names::open(path, Access::Read, Links::Refused) else {
        return;
    };
    let Ok(found) = file.metadata() else { return };
    let is_ours = found.is_file() && found.uid() == user::effective_uid();
    if is_ours && found.mode() & 0o077 != 0 {
        let _ = file.set_permissions(fs::Permissions::from_mode(found.mode() & 0o700));
    }
}

/// A place for dead letters.
enum LetterPlace {
    /// A file whose directory is the user's business.
    File(PathBuf),
    /// Our private place in a directory that all users may write to.
    Shared,
}

impl LetterPlace {
    /// Makes sure that the place is ours; returns the file.
    fn prepare(self) -> Result<PathBuf, String> {
        match self {
            LetterPlace::File(path) => {
                // Where it fails the append fails as well, and says why.
                let _ = make_way(&path);
                Ok(path)
            }
            LetterPlace::Shared => {
                let private = Private::make().map_err(|error| {
                    format!(
                        "no private directory in /var/tmp: {}",
                        exit::with_causes(&error)
                    )
                })?;
                Ok(private.path().join(LETTERS))
            }
        }
    }
}

/// Returns the places for dead letters, in order, and why the configured one cannot be used.
fn places(settings: &Settings, environment: &Environment) -> (Vec<LetterPlace>, Vec<String>) {
    let mut reasons = Vec::new();
    let home = environment.home_directory().filter(|home| home.is_dir());
    let mut places = Vec::new();
    if let Some(name) = settings.path("dead") {
        match file_name::of_setting(name, settings, home.as_deref()) {
            Ok(path) => places.push(LetterPlace::File(own_place(path, &mut reasons))),
            // Accounts of services have no home, and their mail goes to the shared place.
            Err(NameError::NoHome) => {}
            Err(error) => reasons.push(format!(
                "cannot open {}: {}",
                sanitize::path(&name),
                exit::with_causes(&error)
            )),
        }
    }
    // The last resort is /var/tmp and not /tmp: a dead letter has to outlive a reboot.
    places.push(LetterPlace::Shared);
    (places, reasons)
}

/// Returns the paths at which dead letters may lie, in the order in which they are tried.
///
/// `~/dead.letter` is among them whatever `$DEAD` says: the variable may have been set since.
pub(super) fn letter_paths(settings: &Settings, environment: &Environment) -> Vec<PathBuf> {
    let (places, _) = places(settings, environment);
    let mut paths = Vec::new();
    for place in places {
        match place {
            LetterPlace::File(path) => paths.push(path),
            LetterPlace::Shared => {
                let home = environment.home_directory().filter(|home| home.is_dir());
                let home = home.map(|home| own_place(home.join(LETTERS), &mut Vec::new()));
                paths.extend(home);
                let private = Private::all_of(user::effective_uid());
                paths.extend(private.iter().map(|place| place.path().join(LETTERS)));
            }
        }
    }
    paths
}

/// Returns where the dead letters that this file should hold are kept.
///
/// Root's letters are not written where another user could read, replace or redirect them.
fn own_place(path: PathBuf, reasons: &mut Vec<String>) -> PathBuf {
    match user::current().filter(|_| is_anothers(&path)) {
        Some(root) => {
            reasons.push(format!(
                "{} would be in another user's directory",
                sanitize::path(&path)
            ));
            root.home.join(LETTERS)
        }
        None => path,
    }
}

/// Returns whether we are root and a file would lie in another user's directory.
fn is_anothers(path: &Path) -> bool {
    let directory = path.parent().map(fs::metadata);
    let is_foreign = |directory: fs::Metadata| directory.uid() != 0;
    user::effective_uid() == 0 && directory.is_some_and(|found| found.is_ok_and(is_foreign))
}
