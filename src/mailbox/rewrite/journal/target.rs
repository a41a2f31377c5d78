//! The mailbox of a journal, and the places where the journal may be.

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

/// The directory of root's journals.
const ROOT: &str = "/var/lib/postrider/journal";

/// The directory of a user's journals below the home directory, without `$XDG_STATE_HOME`.
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
    /// Identifies a mailbox that is open.
    ///
    /// # Errors
    /// When the metadata of the mailbox cannot be read, or the mailbox has lost its name.
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

    /// Opens the directories where the mailbox's journal is looked for, the preferred one first;
    /// leaves out those that do not exist or are closed to us.
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
                    // A place that does not exist, or is closed to us, holds no journal for us.
                    Err(error) if is_unusable(&error) => {}
                    Err(error) => return Err(error),
                },
            }
        }
        Ok(spots)
    }

    /// Returns the paths where the mailbox's journal is looked for, the preferred one first.
    ///
    /// The places of root and of the mailbox's owner are among them for every user, because either may
    /// have died in a rewrite. No other user *makes* a journal in the owner's place: the owner decides
    /// what a path leads to there.
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

    /// Returns the name of the mailbox's journal in a directory that holds those of many mailboxes.
    fn name(&self) -> String {
        let hash = XxHash3_64::oneshot(self.path.as_os_str().as_bytes());
        format!("{:x}-{hash:016x}.journal", self.inode)
    }

    /// Returns the paths where we may make the mailbox's journal, the preferred one first.
    ///
    /// Beside the mailbox is best: the journal is on the same disk, moves with the directory, and
    /// every user of the mailbox can find it.
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
    // Users must reach in root's directory the journals that root gave to them, and list none.
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

/// Returns whether an error says that there is no such directory, or that we may not use it.
fn is_unusable(error: &io::Error) -> bool {
    // Under a name that is too long no journal can have been made.
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
