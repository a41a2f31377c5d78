//! Where journals lie, and which of the files there count.
//!
//! A journal changes a mailbox, so a file of its name counts only if nobody but the mailbox's owner
//! or root can have made it: a regular file with one name, mode 0600, theirs. Others are named and
//! ignored; they can stand in the way of a journal of ours, which then lies somewhere else.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use twox_hash::XxHash3_64;

use super::file::{directory_of, followed, what_else};
use super::journal::{Journal, Journals, Subject, temporary_of};
use super::notice::Notice;
use crate::sys::{private, user};

/// Where root's journals lie.
const ROOT: &str = "/var/lib/postrider/journal";

/// Where a user's journals lie when nothing else is said.
const STATE: &str = ".local/state/postrider/journal";

/// Returns where the journals of a user lie who has no home to write in: in a directory of the
/// user's own, mode 0700, below one that survives a restart.
pub fn shared_journals(uid: u32) -> PathBuf {
    private::directory_of(uid).join("journal")
}

/// What was found in the places for journals.
#[derive(Debug)]
pub(super) enum Found {
    /// Nothing that counts.
    Nothing,
    /// A rewrite that broke off.
    Journal(Journal),
    /// A rewrite that broke off, whose journal only this user can read.
    Unreadable {
        /// The journal.
        path: PathBuf,
        /// The user's name.
        owner: String,
    },
}

impl Subject {
    /// Returns what a journal must know of a mailbox that is open.
    ///
    /// # Errors
    /// When the mailbox cannot be looked at, or has lost its name.
    pub(super) fn of(path: &Path, file: &File) -> io::Result<Subject> {
        let metadata = file.metadata()?;
        Ok(Subject {
            path: path.canonicalize()?,
            device: metadata.dev(),
            inode: metadata.ino(),
            owner: metadata.uid(),
            is_shared: is_shared(&metadata, path),
        })
    }

    /// Returns where its journal is looked for, the best place first.
    ///
    /// Those of root and of the mailbox's owner too, whoever we are; but nobody else makes one with
    /// the owner, who decides there what a path leads to.
    fn all_places(&self, journals: &Journals) -> Vec<PathBuf> {
        let mut places = self.places(journals);
        let owner = match self.owner == user::effective_uid() {
            true => user::current(),
            false => user::by_uid(self.owner).unwrap_or_default(),
        };
        let others = [
            Some(PathBuf::from(ROOT)),
            owner.map(|owner| owner.home.join(STATE)),
            Some(shared_journals(self.owner)),
        ];
        for place in others.into_iter().flatten() {
            let place = place.join(self.name());
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places
    }

    /// Returns the name of its journal where it is not beside the mailbox.
    fn name(&self) -> String {
        let hash = XxHash3_64::oneshot(self.path.as_os_str().as_bytes());
        format!("{:x}-{hash:016x}.journal", self.inode)
    }

    /// Returns where its journal may be made, the best place first.
    pub(super) fn places(&self, journals: &Journals) -> Vec<PathBuf> {
        let mut beside = OsString::from(".");
        beside.push(self.path.file_name().unwrap_or_default());
        beside.push(".postrider-journal");
        let mut places = vec![directory_of(&self.path).join(beside)];
        let name = self.name();
        places.extend(journals.directories.iter().map(|place| place.join(&name)));
        places
    }
}

/// Looks for the journal of a mailbox.
///
/// # Errors
/// When a journal is there and cannot be read for another reason than the want of a right.
pub(super) fn find(
    subject: &Subject,
    journals: &Journals,
    notices: &mut Vec<Notice>,
) -> io::Result<Found> {
    for place in subject.all_places(journals) {
        let file = match open(&place) {
            Ok(file) => file,
            Err(error) => match error.raw_os_error().map(Errno::from_raw) {
                // A name that is too long for us is nobody's journal.
                Some(Errno::ENOENT | Errno::ENOTDIR | Errno::ENAMETOOLONG) => continue,
                Some(Errno::ELOOP) => {
                    notices.push(planted(&place, "a symbolic link"));
                    continue;
                }
                Some(Errno::EACCES | Errno::EPERM) => match unreadable(&place, subject) {
                    Some(Ok(found)) => return Ok(found),
                    Some(Err(notice)) => {
                        notices.push(notice);
                        continue;
                    }
                    None => continue,
                },
                Some(Errno::ENXIO) => {
                    notices.push(planted(&place, "a socket"));
                    continue;
                }
                _ => return Err(error),
            },
        };
        let metadata = file.metadata()?;
        if let Some(why) = why_not(&metadata, subject) {
            notices.push(planted(&place, why));
            continue;
        }
        // None where it was torn before it counted, or is done.
        match Journal::read(&place, file)? {
            Some(journal) if journal.has_witness() || is_exclusive(&place, subject) => {
                return Ok(Found::Journal(journal));
            }
            Some(_) => notices.push(planted(
                &place,
                "of an earlier version, and others may have put it there",
            )),
            None => {}
        }
    }
    Ok(Found::Nothing)
}

/// Returns whether only the mailbox's owner, root and we can have put a file at this place.
fn is_exclusive(place: &Path, subject: &Subject) -> bool {
    fs::metadata(directory_of(place)).is_ok_and(|directory| {
        let theirs = [subject.owner, 0, user::effective_uid()];
        theirs.contains(&directory.uid()) && directory.mode() & 0o022 == 0
    })
}

/// Returns whether a group shares the mailbox: its members may write it, and only they or its owner
/// may write beside it. A journal of theirs can do no more than they.
fn is_shared(mailbox: &fs::Metadata, path: &Path) -> bool {
    let directory = fs::metadata(directory_of(&followed(path)));
    mailbox.mode() & 0o020 != 0 && directory.is_ok_and(|directory| directory.mode() & 0o002 == 0)
}

/// Opens what may be a journal, for writing too if we may.
fn open(place: &Path) -> io::Result<File> {
    let flags = (OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits();
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(flags);
    match options.clone().write(true).open(place) {
        Err(error)
            if matches!(
                error.raw_os_error().map(Errno::from_raw),
                Some(Errno::EACCES | Errno::EPERM | Errno::EROFS | Errno::EISDIR)
            ) =>
        {
            options.open(place)
        }
        answer => answer,
    }
}

/// Judges a file that we may not read: a journal that somebody else can, or a planted one.
fn unreadable(place: &Path, subject: &Subject) -> Option<Result<Found, Notice>> {
    // Where not even the directory may be searched there is nothing to know.
    let metadata = fs::symlink_metadata(place).ok()?;
    if let Some(why) = why_not(&metadata, subject) {
        return Some(Err(planted(place, why)));
    }
    // Only a name to be told: without one the number will do.
    let owner = user::by_uid(metadata.uid()).unwrap_or_default();
    Some(Ok(Found::Unreadable {
        path: place.to_owned(),
        owner: owner.map_or_else(|| format!("uid {}", metadata.uid()), |owner| owner.name),
    }))
}

/// Returns why a file of a journal's name is none.
fn why_not(metadata: &fs::Metadata, subject: &Subject) -> Option<&'static str> {
    if let Some(what) = what_else(metadata) {
        return Some(what);
    }
    let is_theirs = [subject.owner, 0, user::effective_uid()].contains(&metadata.uid());
    if !is_theirs && !subject.is_shared {
        return Some("another user's file");
    }
    if metadata.nlink() > 1 {
        return Some("a file with a second name");
    }
    (metadata.mode() & 0o077 != 0).then_some("a file that others may read or write")
}

fn planted(place: &Path, why: &'static str) -> Notice {
    Notice::Planted {
        path: place.to_owned(),
        why,
    }
}

/// Makes the directory of a place for journals, unless it is the mailbox's own.
pub(super) fn make_directory(place: &Path, subject: &Subject) -> io::Result<()> {
    let directory = directory_of(place);
    if directory == directory_of(&subject.path) {
        return Ok(());
    }
    if directory == shared_journals(user::effective_uid()) {
        // Anybody may have made what has our name there.
        directory.parent().map_or(Ok(()), private::make)?;
        return private::make(directory);
    }
    if directory.is_dir() {
        return Ok(());
    }
    // Others must reach their own journals in root's directory.
    let mode = match user::effective_uid() {
        0 => 0o711,
        _ => 0o700,
    };
    DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(directory)
}

/// Removes what a journal that never counted has left behind.
pub(super) fn clean_up(subject: &Subject, journals: &Journals) {
    for place in subject.places(journals) {
        // It is nobody's business but of those who hold the lock, as we do.
        let _ = fs::remove_file(temporary_of(&place));
    }
}
