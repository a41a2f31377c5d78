//! Keeping: the text of what nobody has accepted (design decision D9).
//!
//! Appended as one message to the dead letter file, an mbox of mode 0600: never through a
//! symbolic link, never overwritten. Two fields in front, `X-Postrider-Unsent-To` and
//! `X-Postrider-Unsent-From`, name the envelope that failed. Where there is no usable home
//! directory, the file lies in `/var/tmp/postrider-UID/`.

use std::path::PathBuf;

use crate::config::{Environment, Settings, mailrc};
use crate::exit::{self, Failure, Kind};
use crate::mailbox::{AppendOptions, append};
use crate::sys::spool::Spool;
use crate::sys::{private, user};
use crate::transport::local::from_line;

/// Appends an unsent message to the dead letter file; returns the file.
///
/// # Errors
/// 73 with `NOT KEPT` when no place took it, naming each place and why.
pub fn keep(
    message: &Spool,
    settings: &Settings,
    environment: &Environment,
    login: &str,
) -> Result<PathBuf, Failure> {
    let line = from_line(login, environment.source_date_epoch);
    let mut reasons = Vec::new();
    for place in places(settings, environment) {
        let done = place.prepare().and_then(|path| {
            append(
                &path,
                &line,
                &mut message.reader(),
                &AppendOptions::dead_letters(),
            )
            .map_err(|error| exit::with_causes(&error))?;
            Ok(path)
        });
        match done {
            Ok(path) => return Ok(path),
            Err(reason) => reasons.push(reason),
        }
    }
    Err(Failure::new(Kind::CannotCreate, "the message is NOT KEPT").because(reasons.join("; ")))
}

/// A place for dead letters.
enum Place {
    /// A file whose directory is the user's business.
    File(PathBuf),
    /// Our own directory in a directory that everybody may write to.
    Shared(PathBuf),
}

impl Place {
    /// Makes sure that the place is ours; returns the file.
    fn prepare(self) -> Result<PathBuf, String> {
        match self {
            Place::File(path) => Ok(path),
            Place::Shared(directory) => {
                let cannot = |why: &str| format!("cannot use {}: {why}", directory.display());
                private::make(&directory).map_err(|error| cannot(&exit::with_causes(&error)))?;
                Ok(directory.join("dead.letter"))
            }
        }
    }
}

fn places(settings: &Settings, environment: &Environment) -> Vec<Place> {
    let home = environment.home_directory().filter(|home| home.is_dir());
    let mut places = Vec::new();
    match settings.path("dead") {
        Some(name) if home.is_some() || !name.as_encoded_bytes().starts_with(b"~") => {
            places.push(Place::File(mailrc::expand_home(name, home.as_deref())));
        }
        _ => {}
    }
    places.push(Place::Shared(private::directory_of(user::effective_uid())));
    places
}
