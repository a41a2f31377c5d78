//! Where an outbox is: one directory for each user, that nobody else can read or replace.
//!
//! | user | place |
//! |---|---|
//! | root | `/var/spool/postrider/outbox/` |
//! | others | `$XDG_STATE_HOME/postrider/outbox/`, else `~/.local/state/postrider/outbox/` |
//! | without a home directory that is theirs | `/var/tmp/postrider-UID/outbox/` |
//!
//! The variable `outbox` names another one, or switches the outbox off.

use std::io;
use std::path::{Path, PathBuf};

use crate::config::file_name;
use crate::config::{Environment, Settings};
use crate::exit::{self, Failure, Kind};
use crate::sanitize;
use crate::sys::private::Private;
use crate::sys::user;

/// Root's directory; the drop directory of the others lies beside it.
const ROOT: &str = "/var/spool/postrider/outbox";

/// The name of the directory in a private place.
const NAME: &str = "outbox";

/// The directory for what nothing sends by itself any more.
pub(super) const FAILED: &str = "failed";

/// The lock of the flusher.
pub(super) const LOCK: &str = "lock";

/// When the user was last told of what does not leave.
pub(super) const NOTICED: &str = "noticed";

/// The directory of routes' states, beside the entries.
pub(super) const ROUTES: &str = "routes";

/// The word of the variable for the place of the table.
const AUTOMATIC: &str = "auto";

/// A directory that may be the outbox.
enum Candidate {
    /// The one of this path; what lacks on the way to it gets this mode.
    At(PathBuf, u32),
    /// The one in our private place in `/var/tmp`.
    Shared,
}

impl Candidate {
    fn make(&self) -> io::Result<Private> {
        match self {
            Candidate::At(path, mode) => Private::make_at(path, *mode),
            Candidate::Shared => Private::make()?.make_directory(NAME),
        }
    }

    /// Returns the places that are there.
    fn existing(&self) -> io::Result<Vec<Private>> {
        match self {
            Candidate::At(path, _) => match Private::open_at(path) {
                Ok(place) => Ok(vec![place]),
                Err(error) if is_absent(&error) => Ok(Vec::new()),
                Err(error) => Err(error),
            },
            Candidate::Shared => {
                let places = Private::all_of(user::effective_uid()).into_iter();
                Ok(places.filter_map(|place| place.open(NAME).ok()).collect())
            }
        }
    }

    fn shown(&self) -> String {
        match self {
            Candidate::At(path, _) => sanitize::path(&path).into_owned(),
            Candidate::Shared => format!("/var/tmp/postrider-{}", user::effective_uid()),
        }
    }
}

/// Returns whether there is nothing of that name.
fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Returns the place to write to; makes it if it is not there. `None` where the outbox is off.
///
/// # Errors
/// 73 when no place can be used; it names each of them and why.
pub(super) fn to_write(
    settings: &Settings,
    environment: &Environment,
) -> Result<Option<Private>, Failure> {
    let Some(candidates) = candidates(settings, environment)? else {
        return Ok(None);
    };
    let mut reasons = Vec::new();
    for candidate in candidates {
        match candidate.make() {
            Ok(place) => return Ok(Some(place)),
            Err(error) => {
                let why = exit::with_causes(&error);
                reasons.push(format!("{}: {why}", candidate.shown()));
            }
        }
    }
    let what = "there is no place for an outbox";
    Err(Failure::new(Kind::CannotCreate, what).because(reasons.join("; ")))
}

/// Returns the places that are there, the one to write to first; makes nothing.
///
/// # Errors
/// When one is there and cannot be opened, or is not ours alone.
pub(super) fn to_read(
    settings: &Settings,
    environment: &Environment,
) -> Result<Vec<Private>, Failure> {
    let mut places = Vec::new();
    for candidate in candidates(settings, environment)?.unwrap_or_default() {
        let existing = candidate.existing().map_err(|error| {
            let what = format!("cannot open the outbox {}", candidate.shown());
            Failure::new(Kind::NoPermission, what).because(error)
        })?;
        places.extend(existing);
    }
    Ok(places)
}

/// Returns whether the outbox is where the table says: only then mail goes by the drop directory, to
/// which that table's place of root belongs.
pub(in crate::submission) fn is_automatic(settings: &Settings) -> bool {
    settings
        .path("outbox")
        .is_some_and(|word| word == AUTOMATIC)
}

/// Returns the directories that may be the outbox, the best one first; `None` where it is off.
fn candidates(
    settings: &Settings,
    environment: &Environment,
) -> Result<Option<Vec<Candidate>>, Failure> {
    let named = match settings.path("outbox") {
        None => return Ok(None),
        Some(word) if word == "off" => return Ok(None),
        Some(name) => Some(name).filter(|_| !is_automatic(settings)),
    };
    let Some(name) = named else {
        let own = match user::effective_uid() {
            0 => Some(Candidate::At(PathBuf::from(ROOT), 0o755)),
            _ => environment
                .state_directory()
                .map(|state| Candidate::At(state.join("postrider").join(NAME), 0o700)),
        };
        return Ok(Some(own.into_iter().chain([Candidate::Shared]).collect()));
    };
    let what = || settings.origin("outbox").says("cannot use this outbox");
    let home = environment.home_directory();
    let path = file_name::of_setting(name, settings, home.as_deref())
        .map_err(|error| error.failure(what()))?;
    if !path.is_absolute() {
        let why = "a relative path would be another outbox in every directory";
        return Err(Failure::new(Kind::Config, what()).because(why));
    }
    // A directory that was named is the only one: mail that lies elsewhere would not be looked for.
    Ok(Some(vec![Candidate::At(without_slash(&path), 0o700)]))
}

/// Returns the path without slashes at its end.
fn without_slash(path: &Path) -> PathBuf {
    path.components().collect()
}
