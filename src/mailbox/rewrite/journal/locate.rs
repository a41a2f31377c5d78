//! The places of journals, and which of the files there are valid.
//!
//! A journal changes a mailbox, so a file of its name counts only if it belongs to somebody who may
//! change it: the mailbox's owner, root, or a member of the mailbox's group
//! where its mode lets the group read and write. What a member is the user database says, of the
//! file's owner; the group of the directory does not matter. It must be a regular file with one name
//! and mode 0600, and its content must prove that its maker could read the mailbox (`witness`).
//!
//! | mailbox | whose journal counts |
//! |---|---|
//! | 0600 | the owner's, root's |
//! | 0660, the owner's private group | the owner's, root's |
//! | 0660, group `mail` (or a team's) | the owner's, root's, and those of the group's members |
//!
//! The spool only decides who can put a file there at all: with 0755 nobody but root, with 2775 the
//! members of its group, with 1777 and 3777 everybody. `tests/it/trust.rs` acts all of them out.
//!
//! Files of other users are named and ignored; such a file can occupy the name of a journal of ours,
//! which then lies in another of the places. A file that is no journal at all may be a mailbox that
//! somebody has renamed: it is renamed again, never replaced. A private place is believed only as a whole
//! ([`Private`](crate::sys::private::Private)).

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use super::file::Journal;
use super::header::is_no_journal;
use super::held_path::HeldPath;
use super::target::{self, JournalTarget};
use crate::mailbox::change::Journals;
use crate::mailbox::notice::Notice;
use crate::mailbox::path::what_else;
use crate::sys::user;

/// The result of the search for a mailbox's journal.
#[derive(Debug)]
pub(in crate::mailbox) enum Found {
    /// There is no valid journal.
    Nothing,
    /// An interrupted rewrite.
    Journal(Journal),
    /// An interrupted rewrite, whose journal only this user can read.
    Unreadable {
        /// The journal.
        path: PathBuf,
        /// The user's name.
        owner: String,
    },
}

/// Looks for the journal of a mailbox.
///
/// # Errors
/// When a journal is there and cannot be read for another reason than a missing right. The mailbox
/// must not be shown or changed then: it may be half rewritten.
pub(in crate::mailbox) fn find(
    subject: &JournalTarget,
    journals: &Journals,
    notices: &mut Vec<Notice>,
) -> io::Result<Found> {
    for spot in subject.spots(journals)? {
        let place = spot.path();
        let file = match open(&spot) {
            Ok(file) => file,
            Err(error) => match error.raw_os_error().map(Errno::from_raw) {
                Some(Errno::ENOENT | Errno::ENOTDIR | Errno::ENAMETOOLONG) => continue,
                Some(Errno::ELOOP) => {
                    notices.push(planted(place, "a symbolic link"));
                    continue;
                }
                Some(Errno::EACCES | Errno::EPERM) => match unreadable(&spot, subject)? {
                    Some(Ok(found)) => return Ok(found),
                    Some(Err(notice)) => {
                        notices.push(notice);
                        continue;
                    }
                    None => continue,
                },
                Some(Errno::ENXIO) => {
                    notices.push(planted(place, "a socket"));
                    continue;
                }
                _ => return Err(error),
            },
        };
        let metadata = file.metadata()?;
        if let Some(why) = why_not(&metadata, subject)? {
            notices.push(planted(place, why));
            continue;
        }
        if is_no_journal(&file)? {
            notices.push(planted(
                place,
                "not a journal (Postrider gives a journal a longer name)",
            ));
            continue;
        }
        // `Journal::read` returns `None` for a journal that is torn or finished: there is nothing to
        // apply, and the search goes on.
        match Journal::read(&spot, file)? {
            Some(journal) if journal.has_witness() || is_exclusive(&spot, subject) => {
                return Ok(Found::Journal(journal));
            }
            Some(_) => notices.push(planted(
                place,
                "a journal of an earlier version that another user may have put there",
            )),
            None => {}
        }
    }
    Ok(Found::Nothing)
}

/// Returns whether only the mailbox's owner, root and we can have put a file at this place.
fn is_exclusive(spot: &HeldPath, subject: &JournalTarget) -> bool {
    spot.directory_metadata().is_ok_and(|directory| {
        let theirs = [subject.owner, 0, user::effective_uid()];
        theirs.contains(&directory.uid()) && directory.mode() & 0o022 == 0
    })
}

/// Opens a file that may be a journal, for writing too if we may: only who writes completes it.
fn open(spot: &HeldPath) -> io::Result<File> {
    match spot.open(true) {
        Err(error)
            if matches!(
                error.raw_os_error().map(Errno::from_raw),
                Some(Errno::EACCES | Errno::EPERM | Errno::EROFS | Errno::EISDIR)
            ) =>
        {
            spot.open(false)
        }
        answer => answer,
    }
}

/// Judges a file that we may not read: it is a journal for another user to complete, or planted.
fn unreadable(
    spot: &HeldPath,
    subject: &JournalTarget,
) -> io::Result<Option<Result<Found, Notice>>> {
    // The directory may not be searched: a journal there could not be reached by anybody like us.
    let Ok(metadata) = spot.metadata() else {
        return Ok(None);
    };
    if let Some(why) = why_not(&metadata, subject)? {
        return Ok(Some(Err(planted(spot.path(), why))));
    }
    // The name is for a message only; without it the message gives the number.
    let owner = user::by_uid(metadata.uid()).unwrap_or_default();
    Ok(Some(Ok(Found::Unreadable {
        path: spot.path().to_owned(),
        owner: owner.map_or_else(|| format!("uid {}", metadata.uid()), |owner| owner.name),
    })))
}

/// Returns why a file with a journal's name is not valid; `None` if it is.
///
/// # Errors
/// When the user database cannot be read: a valid journal must not be skipped.
fn why_not(metadata: &fs::Metadata, subject: &JournalTarget) -> io::Result<Option<&'static str>> {
    if let Some(what) = what_else(metadata) {
        return Ok(Some(what));
    }
    let maker = metadata.uid();
    let is_theirs = [subject.owner, 0, user::effective_uid()].contains(&maker);
    let is_member = |group| user::is_member(maker, group);
    if !is_theirs && !subject.group.map_or(Ok(false), is_member)? {
        return Ok(Some("another user's file"));
    }
    if metadata.nlink() > 1 {
        return Ok(Some("a file with a second name (hard link)"));
    }
    Ok((metadata.mode() & 0o077 != 0).then_some("a file that other users may read or write"))
}

fn planted(place: &Path, why: &'static str) -> Notice {
    Notice::Planted {
        path: place.to_owned(),
        why,
    }
}

/// Removes the temporary files of journals whose maker died before he gave them their name.
pub(in crate::mailbox) fn clean_up(subject: &JournalTarget, journals: &Journals) {
    for place in subject.places(journals) {
        for spot in target::spots_of_ours(&place) {
            // Only the holder of the lock may remove it, and that is us.
            let _ = spot.remove_temporary();
        }
    }
}
