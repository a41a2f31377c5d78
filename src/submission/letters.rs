//! Dead letters that are sent again: where they lie, the mail that one of them holds, and how one is
//! put back for those who still miss it.
//!
//! `keep` writes a dead letter; this module reads what `keep` wrote. The fields that name the
//! envelope are known to both.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::keep::{self, INCOMPLETE, UNSENT_FROM, UNSENT_TO};
use crate::compose::premade::{self, Handover};
use crate::compose::{Composed, Draft};
use crate::config::{Environment, Settings};
use crate::exit::{self, Failure};
use crate::mailbox::{AppendOptions, from_line_now};
use crate::message::parse::words;
use crate::message::premade::{PremadeHeader, Reading};
use crate::sanitize;
use crate::submission::Surroundings;
use crate::sys::spool::Spool;
use crate::sys::user;

/// Returns the files of ours that hold unsent messages: `$DEAD`, `~/dead.letter`, those in our
/// private places, and the files that stand beside each of them because it was locked.
///
/// A link, and a file of another user, is left out: what lies in it is not what we kept.
pub(crate) fn files(settings: &Settings, environment: &Environment) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    for path in keep::letter_paths(settings, environment) {
        for path in std::iter::once(path.clone()).chain(beside(&path)) {
            if is_ours(&path) && !found.contains(&path) {
                found.push(path);
            }
        }
    }
    found
}

/// Returns whether a path is a file of ours with something in it.
fn is_ours(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| {
        found.is_file() && found.len() > 0 && found.uid() == user::effective_uid()
    })
}

/// Returns the files that `keep` has made beside a dead letter file that was locked.
fn beside(path: &Path) -> Vec<PathBuf> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Vec::new();
    };
    let is_one = |other: &[u8]| {
        let end = other
            .strip_prefix(name.as_bytes())
            .and_then(|rest| rest.strip_prefix(b"."));
        end.is_some_and(|end| end.len() == 16 && end.iter().all(u8::is_ascii_hexdigit))
    };
    // A directory that cannot be listed holds no file that could be read.
    let mut found: Vec<PathBuf> = fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.file_name().is_some_and(|name| is_one(name.as_bytes())))
        .collect();
    found.sort();
    found
}

/// The mail that a dead letter holds.
pub(crate) struct Letter {
    /// The message and the recipients who have not got it.
    pub composed: Composed,
    /// Whether its text broke off before its end, or its writer gave it up.
    pub is_incomplete: bool,
}

impl Letter {
    /// Reads a message of a dead letter file, without its From_ line.
    ///
    /// The fields that `keep` has put in front name the envelope, and are taken away. A letter
    /// without them, as other programs write one, goes to whom its own header names.
    ///
    /// # Errors
    /// Fails when the message cannot be spooled.
    pub(crate) fn read(
        message: Spool,
        settings: &Settings,
        environment: &Environment,
    ) -> io::Result<Letter> {
        let header = PremadeHeader::read(&message, Reading::default())?;
        let value = |name: &str| {
            let field = header.get(name)?;
            Some(words::decode(&field.value()).trim().to_owned())
        };
        let recipients = value(UNSENT_TO);
        let sender = value(UNSENT_FROM).filter(|sender| *sender != user::login_name());
        let handover = Handover {
            from_header: recipients.is_none(),
            recipients: recipients.into_iter().map(Into::into).collect(),
            // A bare login name stands where nobody asked for a sender.
            sender: sender.map(Into::into),
            is_ours: true,
            ..Handover::default()
        };
        let is_incomplete = header.contains(INCOMPLETE);
        let mut composed = premade::compose(&handover, message, settings, environment)?;
        if let Some(header) = &mut composed.draft.premade {
            for name in [UNSENT_TO, UNSENT_FROM, INCOMPLETE] {
                header.remove(name);
            }
        }
        Ok(Letter {
            composed,
            is_incomplete,
        })
    }
}

/// Appends a letter to the file that it comes from, for those recipients who still miss it.
///
/// # Errors
/// The file cannot be written to; the letter that names more recipients is still in it.
pub(crate) fn put_back(
    draft: &Draft,
    recipients: &[String],
    path: &Path,
    around: &Surroundings<'_>,
) -> Result<(), Failure> {
    let names = recipients.iter().map(|name| name.as_str().into());
    let letter = super::letter(draft, names, false, around);
    let what = || format!("cannot append to {}", sanitize::path(path));
    let letter = letter.map_err(|error| {
        let kind = exit::Kind::CannotCreate;
        Failure::new(kind, what()).because(error)
    })?;
    let line = from_line_now(&user::login_name(), around.environment.source_date_epoch);
    let options = AppendOptions::dead_letters();
    let appended = around
        .wait()
        .append(path, &line, &mut letter.reader(), &options);
    appended.map_err(|error| Failure::new(error.kind(), what()).because(exit::with_causes(&error)))
}
