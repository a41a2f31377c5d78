//! Keeping: the text of what nobody has accepted (design decision D9).
//!
//! Appended as one message to the dead letter file, an mbox of mode 0600: never through a
//! symbolic link, never overwritten. Two fields in front, `X-Postrider-Unsent-To` and
//! `X-Postrider-Unsent-From`, name the envelope that failed. Where there is no usable home
//! directory, the file lies in `/var/tmp/postrider-UID/`.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::config::{Environment, Settings, mailrc};
use crate::exit::{self, Failure, Kind};
use crate::mailbox::{AppendOptions, append};
use crate::sys::spool::Spool;
use crate::sys::user;
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
                // Whether it was there before does not matter: what counts is whose it is now.
                let _ = DirBuilder::new().mode(0o700).create(&directory);
                let metadata = fs::symlink_metadata(&directory)
                    .map_err(|error| cannot(&exit::with_causes(&error)))?;
                if !metadata.is_dir() || metadata.uid() != user::effective_uid() {
                    return Err(cannot("it is not a directory of ours"));
                }
                if metadata.mode() & 0o077 != 0 {
                    return Err(cannot("others have rights to it"));
                }
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
    let directory = format!("/var/tmp/postrider-{}", user::effective_uid());
    places.push(Place::Shared(Path::new(&directory).to_owned()));
    places
}
