//! The mailbox that a journal belongs to, and the places where its journal may lie.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::errno::Errno;
use twox_hash::XxHash3_64;

use super::held_path::HeldPath;
use crate::mailbox::change::Journals;
use crate::sys::disk::{directory_of, make_directories};
use crate::sys::private::Private;
use crate::sys::user;

/// Where root's journals lie.
const ROOT: &str = "/var/lib/postrider/journal";

/// Where a user's journals lie when nothing else is said.
const STATE: &str = ".local/state/postrider/journal";

/// The directory of journals in a private place.
const JOURNALS: &str = "journal";

/// Returns where the journals of a user lie who has no home to write in: in a directory of the
/// user's own, mode 0700, below one that survives a restart.
pub fn shared_journals(uid: u32) -> PathBuf {
    PathBuf::from(format!("/var/tmp/postrider-{uid}")).join(JOURNALS)
}

/// Identifies the mailbox that a journal belongs to.
#[derive(Clone, Debug)]
pub(in crate::mailbox) struct JournalTarget {
    /// Its path, without links.
    pub path: PathBuf,
    /// The device it is on.
    pub device: u64,
    /// Its inode.
    pub inode: u64,
    /// Its owner's user id.
    pub owner: u32,
    /// The group whose members may read and write it, so that a journal may be that of any of them.
    pub group: Option<u32>,
}

impl JournalTarget {
    /// Returns what a journal must know of a mailbox that is open.
    ///
    /// # Errors
    /// When the mailbox cannot be looked at, or has lost its name.
    pub(in crate::mailbox) fn of(path: &Path, file: &File) -> io::Result<JournalTarget> {
        let metadata = file.metadata()?;
        Ok(JournalTarget {
            path: path.canonicalize()?,
            device: metadata.dev(),
            inode: metadata.ino(),
            owner: metadata.uid(),
            group: (metadata.mode() & 0o060 == 0o060).then_some(metadata.gid()),
        })
    }

    /// Returns where its journal is looked for, the best place first, as far as it can be opened.
    pub(super) fn spots(&self, journals: &Journals) -> io::Result<Vec<HeldPath>> {
        let mut spots = Vec::new();
        for place in self.all_places(journals)? {
            match private_of(&place, &[self.owner, user::effective_uid()]) {
                Some(uid) => spots.extend(Private::all_of(uid).iter().filter_map(|private| {
                    let private = private.open(JOURNALS).ok()?;
                    Some(spot_in(&private, &place))
                })),
                None => match HeldPath::at(&place) {
                    Ok(spot) => spots.push(spot),
                    Err(error) if is_nobodys(&error) => {}
                    Err(error) => return Err(error),
                },
            }
        }
        Ok(spots)
    }

    /// Returns the paths where its journal is looked for, the best one first.
    ///
    /// Those of root and of the mailbox's owner too, whoever we are; but nobody else makes one with
    /// the owner, who decides there what a path leads to.
    fn all_places(&self, journals: &Journals) -> io::Result<Vec<PathBuf>> {
        let mut places = self.places(journals);
        let owner = if self.owner == user::effective_uid() {
            user::current()
        } else {
            user::by_uid(self.owner)?
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
        Ok(places)
    }

    /// Returns the name of its journal where it is not beside the mailbox.
    fn name(&self) -> String {
        let hash = XxHash3_64::oneshot(self.path.as_os_str().as_bytes());
        format!("{:x}-{hash:016x}.journal", self.inode)
    }

    /// Returns where its journal may be made, the best place first.
    pub(in crate::mailbox) fn places(&self, journals: &Journals) -> Vec<PathBuf> {
        let mut beside = OsString::from(".");
        beside.push(self.path.file_name().unwrap_or_default());
        beside.push(".postrider-journal");
        let mut places = vec![directory_of(&self.path).join(beside)];
        let name = self.name();
        places.extend(journals.directories.iter().map(|place| place.join(&name)));
        places
    }
}

/// Opens the directory of a place for journals; makes it, unless it is the mailbox's own.
pub(in crate::mailbox) fn make_directory(
    place: &Path,
    subject: &JournalTarget,
) -> io::Result<HeldPath> {
    let directory = directory_of(place);
    if private_of(place, &[user::effective_uid()]).is_some() {
        let private = Private::make()?.make_directory(JOURNALS)?;
        return Ok(spot_in(&private, place));
    }
    if directory == directory_of(&subject.path) {
        return HeldPath::at(place);
    }
    // Others must reach their own journals in root's directory.
    let mode = match user::effective_uid() {
        0 => 0o711,
        _ => 0o700,
    };
    make_directories(directory, mode)?;
    HeldPath::at(place)
}

/// Returns whose private place this is, if it is that of one of these users.
fn private_of(place: &Path, users: &[u32]) -> Option<u32> {
    let directory = directory_of(place);
    let mut users = users.iter().copied();
    users.find(|uid| directory == shared_journals(*uid))
}

/// Returns the spot of this name in a private place.
fn spot_in(private: &Private, place: &Path) -> HeldPath {
    let path = private.path().join(place.file_name().unwrap_or_default());
    HeldPath::new(Arc::clone(private.directory()), path)
}

/// Returns the spots at this place where we may have begun a journal.
pub(super) fn spots_of_ours(place: &Path) -> Vec<HeldPath> {
    match private_of(place, &[user::effective_uid()]) {
        Some(uid) => Private::all_of(uid)
            .iter()
            .filter_map(|private| Some(spot_in(&private.open(JOURNALS).ok()?, place)))
            .collect(),
        None => HeldPath::at(place).into_iter().collect(),
    }
}

/// Returns whether an error says that there is no directory, or none for us.
fn is_nobodys(error: &io::Error) -> bool {
    // A name that is too long for us is nobody's journal.
    matches!(
        error.raw_os_error().map(Errno::from_raw),
        Some(
            Errno::ENOENT
                | Errno::ENOTDIR
                | Errno::ENAMETOOLONG
                | Errno::EACCES
                | Errno::EPERM
                | Errno::ELOOP
        )
    )
}
