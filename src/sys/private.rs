//! Directories of one user: `/var/tmp/postrider-UID`, in a place that every user may write to, and
//! those of a path that is ours to choose.
//!
//! Anybody may have made what has that name. So a private place is judged whole, by descriptors:
//! the directory that holds it belongs to root, and nobody else can rename what is in it; the place
//! belongs to its user, and nobody else has a right to it. Where the name is taken by somebody else
//! the place is `/var/tmp/postrider-UID-RANDOM`, which nobody can guess beforehand; its user finds
//! it again by looking through the names.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::errno::Errno;
use nix::sys::stat::{Mode, mkdirat};

use super::disk::{directory_of, is_young, make_directories, sync_names_in};
use super::open::names::{self, Links};
use super::open::write::{Denied, Target};
use super::{random, user};

/// The directory that holds the private places; it survives a restart.
const BASE: &str = "/var/tmp";

/// The file for unsent mail in a private place.
pub(crate) const LETTERS: &str = "dead.letter";

/// A directory that only its user and root can write to or replace.
#[derive(Clone, Debug)]
pub(crate) struct Private {
    directory: Arc<File>,
    path: PathBuf,
    uid: u32,
}

impl Private {
    /// Returns the places of a user that are there: the one of the plain name first.
    ///
    /// A directory of such a name that is not the user's own is left out. None is returned where
    /// the directory that holds them cannot be trusted.
    pub(crate) fn all_of(uid: u32) -> Vec<Private> {
        let Ok(base) = base() else {
            return Vec::new();
        };
        let mut names = vec![name_of(uid)];
        names.extend(suffixed(&base, uid));
        let places = names
            .iter()
            .filter_map(|name| open_in(&base, Path::new(BASE), name, uid).ok());
        places.collect()
    }

    /// Returns our place; creates it if necessary.
    ///
    /// # Errors
    /// When it cannot be made, or the directory that would hold it cannot be trusted.
    pub(crate) fn make() -> io::Result<Private> {
        let uid = user::effective_uid();
        let base = base()?;
        let path = Path::new(BASE);
        // The plain name first, because a person looks for it there.
        match make_in(&base, path, &name_of(uid), uid) {
            // Another user has taken the name.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {}
            made => return made,
        }
        let mut found = suffixed(&base, uid).into_iter();
        if let Some(place) = found.find_map(|name| open_in(&base, path, &name, uid).ok()) {
            return Ok(place);
        }
        let name = format!("{}-{:016x}", name_of(uid), random::number());
        make_in(&base, path, &name, uid)
    }

    /// Returns the place of this path, if it is there and ours alone.
    ///
    /// # Errors
    /// When it is not, or somebody else could put another directory in its place.
    pub(crate) fn open_at(path: &Path) -> io::Result<Private> {
        if let Some(place) = Private::in_one_step(path) {
            return Ok(place);
        }
        let (parent, name) = parent_and_name(path)?;
        open_in(&parent, directory_of(path), name, user::effective_uid())
    }

    /// Returns the place of a path on which no name is a link, in a few calls; `None` where it takes a
    /// walk to find it, or to say why it is none.
    fn in_one_step(path: &Path) -> Option<Private> {
        path.file_name()?.to_str()?;
        let directory = names::directory_without_links(path).ok()?;
        let uid = user::effective_uid();
        judge(&directory.metadata().ok()?, uid).ok()?;
        // There was no link to be judged on the way. A parent of ours or root's in which nobody else
        // can rename anything is all that `parent_and_name` asks for beyond that.
        let (owner, mode) = names::owner_and_mode_above(&directory).ok()?;
        is_safe(owner, mode).then(|| Private {
            directory: Arc::new(directory),
            path: path.to_owned(),
            uid,
        })
    }

    /// Returns the place of this path; makes it and the directories that lack on the way, those with
    /// this mode.
    ///
    /// # Errors
    /// As [`open_at`](Private::open_at), and when it cannot be made.
    pub(crate) fn make_at(path: &Path, mode_of_way: u32) -> io::Result<Private> {
        // Opened first: the place is there but for the first time, and what makes it syncs.
        match Private::open_at(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            opened => return opened,
        }
        make_directories(directory_of(path), mode_of_way)?;
        let (parent, name) = parent_and_name(path)?;
        make_in(&parent, directory_of(path), name, user::effective_uid())
    }

    /// Returns a directory in it, if it is there and as private.
    ///
    /// # Errors
    /// When it is not.
    pub(crate) fn open(&self, name: &str) -> io::Result<Private> {
        open_in(&self.directory, &self.path, name, self.uid)
    }

    /// Returns a directory in it of ours; makes it if it is not there.
    ///
    /// # Errors
    /// When it cannot be made, or is not as private.
    pub(crate) fn make_directory(&self, name: &str) -> io::Result<Private> {
        make_in(&self.directory, &self.path, name, self.uid)
    }

    /// Returns a directory of ours in another directory of ours, if it is there and private.
    ///
    /// # Errors
    /// When it is not, or when others may write to what holds it.
    pub(crate) fn open_below(holder: &Path, name: &str) -> io::Result<Private> {
        open_in(
            &holder_of_ours(holder)?,
            holder,
            name,
            user::effective_uid(),
        )
    }

    /// Returns a directory of ours in another directory of ours; makes it if it is not there.
    ///
    /// # Errors
    /// When it cannot be made, is not private, or when others may write to what holds it.
    pub(crate) fn make_below(holder: &Path, name: &str) -> io::Result<Private> {
        make_in(
            &holder_of_ours(holder)?,
            holder,
            name,
            user::effective_uid(),
        )
    }

    /// Returns its path, to be shown. Its own user may also open files by it, because no other user
    /// can replace them.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the open directory.
    pub(crate) fn directory(&self) -> &Arc<File> {
        &self.directory
    }
}

/// Returns the plain name of a user's place.
fn name_of(uid: u32) -> String {
    format!("postrider-{uid}")
}

/// Opens the directory that contains the places, if only root can rename them.
fn base() -> io::Result<File> {
    let base = names::directory(Path::new(BASE), Links::Refused)?;
    let found = base.metadata()?;
    if is_safe(found.uid(), found.mode()) {
        Ok(base)
    } else {
        Err(refused(&format!(
            "other users can rename the files in {BASE}"
        )))
    }
}

/// Opens a directory of ours in which nobody else can rename anything.
fn holder_of_ours(path: &Path) -> io::Result<File> {
    let holder = names::directory(path, Links::Followed)?;
    let found = holder.metadata()?;
    if found.uid() == user::effective_uid() && found.mode() & 0o022 == 0 {
        Ok(holder)
    } else {
        Err(refused("other users can rename the files in it"))
    }
}

/// Returns the names of places that have a suffix.
fn suffixed(base: &File, uid: u32) -> Vec<String> {
    let prefix = format!("{}-", name_of(uid));
    let Ok(names) = names::names_in(base) else {
        return Vec::new();
    };
    let mut names: Vec<String> = names
        .filter_map(|name| String::from_utf8(name.ok()?.0).ok())
        .filter(|name| name.starts_with(&prefix))
        .collect();
    names.sort_unstable();
    names
}

/// Opens the directory that holds a place, if nobody else can rename what is in it; returns the
/// name of the place in it.
fn parent_and_name(path: &Path) -> io::Result<(File, &str)> {
    let name = path.file_name().and_then(OsStr::to_str);
    let name = name.ok_or_else(|| refused("its name is not text"))?;
    let parent = directory_of(path);
    // The way is walked as for a file that mail is written to: a link that another user has made is
    // not followed.
    let opened = match parent.file_name() {
        Some(_) => {
            let target = Target::find(parent, true).map_err(io_error)?;
            target.open_directory(None).map_err(io_error)?
        }
        None => names::directory(parent, Links::Refused)?,
    };
    let found = opened.metadata()?;
    if is_safe(found.uid(), found.mode()) {
        Ok((opened, name))
    } else {
        Err(refused("other users can rename it"))
    }
}

fn io_error(denied: Denied) -> io::Error {
    match denied {
        Denied::System(error) => error,
        denied => io::Error::new(ErrorKind::PermissionDenied, denied),
    }
}

/// Returns whether only we and root can rename what is in a directory of this owner and mode.
fn is_safe(owner: u32, mode: u32) -> bool {
    let is_ours = [0, user::effective_uid()].contains(&owner);
    // With the sticky bit only its owner, root and the owner of the directory can rename a file.
    is_ours && (mode & 0o022 == 0 || mode & 0o1000 != 0)
}

/// Refuses a directory that is not the user's own, or that others have access to.
fn judge(directory: &Metadata, uid: u32) -> io::Result<()> {
    if directory.uid() != uid {
        return Err(refused("it is not a directory of your own"));
    }
    if directory.mode() & 0o077 != 0 {
        return Err(refused("other users have access to it"));
    }
    Ok(())
}

fn make_in(directory: &File, path: &Path, name: &str, uid: u32) -> io::Result<Private> {
    // Whether it was there before does not matter: what counts is whose it is now.
    match mkdirat(directory, name, Mode::S_IRWXU) {
        Ok(()) | Err(Errno::EEXIST) => {
            let made = open_in(directory, path, name, uid)?;
            // The files that it will hold must still be found after a power cut.
            if is_young(&made.directory.metadata()?) {
                sync_names_in(directory, &made.directory)?;
            }
            Ok(made)
        }
        Err(error) => Err(error.into()),
    }
}

fn open_in(directory: &File, path: &Path, name: &str, uid: u32) -> io::Result<Private> {
    // Opened first and judged by the descriptor: whatever is put under the name later, what was
    // judged is what is used.
    let opened = names::directory_in(directory, name).map_err(|error| {
        match error.raw_os_error().map(Errno::from_raw) {
            Some(Errno::ELOOP | Errno::ENOTDIR) => refused("it is not a directory of your own"),
            _ => error,
        }
    })?;
    judge(&opened.metadata()?, uid)?;
    Ok(Private {
        directory: Arc::new(opened),
        path: path.join(name),
        uid,
    })
}

fn refused(why: &str) -> io::Error {
    io::Error::new(ErrorKind::PermissionDenied, why)
}
