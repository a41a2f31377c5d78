//! Finds the system mailbox of a user.
//!
//! Variables, users and directories come as arguments; only the file system is asked here, whether a
//! place exists and whose it is.

use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::sys::disk::directory_of;
use crate::sys::open::Trouble;
use crate::sys::user;

/// Where spools are; on most systems one is a link to the other.
pub(crate) const SPOOLS: [&str; 2] = ["/var/spool/mail", "/var/mail"];

/// Returns the directories that may hold system mailboxes: the variable `spool`, or [`SPOOLS`].
pub fn spools(variable: Option<&OsStr>) -> Vec<PathBuf> {
    match variable {
        Some(directory) => vec![PathBuf::from(directory)],
        None => SPOOLS.map(PathBuf::from).to_vec(),
    }
}

/// The facts that determine the place of a user's system mailbox.
#[derive(Clone, Copy, Debug)]
pub struct LocationInputs<'a> {
    /// `$MAIL`, if it is set; `None` for the mailbox of another user.
    pub mail: Option<&'a OsStr>,
    /// Our effective uid.
    pub effective_uid: u32,
    /// The directories that may be the spool: those of [`spools`].
    pub spools: &'a [&'a Path],
    /// The login name of the mailbox's user, from the passwd row of the uid.
    pub user: &'a str,
    /// The home directory of that user, if there is one.
    pub home: Option<&'a Path>,
}

/// A mailbox's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The file, or the directory of a Maildir.
    pub path: PathBuf,
    /// Whether it exists.
    pub exists: bool,
}

/// Returns where a user's system mailbox is.
///
/// `$MAIL` comes first, if its file is ours or its directory is our own: `sudo mailx` keeps the
/// variable of the calling user, whose mail root must not read by mistake. Then come the spools, then
/// `~/Maildir`. If none of them exists, the result is the place where the spool's file would be.
/// `None` if the user's name is no file name: it is empty, or has a slash.
///
/// # Errors
/// When the system fails at one of these places: the next one must not be taken for it, as the user
/// would be shown another mailbox.
pub fn system_mailbox(inputs: &LocationInputs<'_>) -> io::Result<Option<Location>> {
    if let Some(path) = inputs.mail.map(Path::new)
        && is_our_own(path, inputs)?
    {
        return Ok(Some(Location {
            path: path.to_owned(),
            exists: metadata_of(path)?.is_some(),
        }));
    }
    let is_name = !matches!(inputs.user, "" | "." | "..") && !inputs.user.contains(['/', '\0']);
    let files = inputs.spools.iter().map(|spool| spool.join(inputs.user));
    let files: Vec<PathBuf> = files.filter(|_| is_name).collect();
    for path in &files {
        if metadata_of(path)?.is_some() {
            return Ok(Some(Location {
                path: path.clone(),
                exists: true,
            }));
        }
    }
    let is_directory =
        |path: &Path| io::Result::Ok(metadata_of(path)?.is_some_and(|found| found.is_dir()));
    let maildir = inputs.home.map(|home| home.join("Maildir"));
    if let Some(path) = maildir.filter(|_| is_name)
        && is_directory(&path.join("cur"))?
    {
        return Ok(Some(Location { path, exists: true }));
    }
    // The first spool that exists, so that a message about the mailbox names a real directory.
    for path in &files {
        if is_directory(directory_of(path))? {
            return Ok(Some(Location {
                path: path.clone(),
                exists: false,
            }));
        }
    }
    Ok(files.into_iter().next().map(|path| Location {
        path,
        exists: false,
    }))
}

/// Returns the metadata of a file; `None` if it does not exist or we may not see it. In the latter
/// case opening it reports the reason.
fn metadata_of(path: &Path) -> io::Result<Option<Metadata>> {
    match fs::metadata(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if Trouble::of(&error) == Trouble::Failed => Err(error),
        Err(_) => Ok(None),
    }
}

/// Returns whether the file that `$MAIL` names is ours, or lies in a directory of our own.
///
/// The spool is shared by all users, so its owner, root, has no claim on the mailboxes in it.
fn is_our_own(path: &Path, inputs: &LocationInputs<'_>) -> io::Result<bool> {
    if !path.is_absolute() || path.as_os_str().as_bytes().contains(&0) {
        return Ok(false);
    }
    let is_ours = |path: &Path| {
        let found = metadata_of(path)?;
        io::Result::Ok(found.is_some_and(|found| found.uid() == inputs.effective_uid))
    };
    let directory = directory_of(path);
    Ok(is_ours(path)? || is_ours(directory)? && !is_one_of(directory, inputs.spools)?)
}

/// Returns the user whose system mailbox has this path: it lies in a spool under the user's name.
pub(super) fn recipient_of(path: &Path) -> io::Result<Option<u32>> {
    let name = path.file_name().and_then(OsStr::to_str);
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        return Ok(None);
    };
    if !is_one_of(directory_of(path), &[])? {
        return Ok(None);
    }
    Ok(user::by_name(name)?.map(|user| user.uid))
}

/// Returns whether a directory is one of these or of [`SPOOLS`], whatever path leads to it.
fn is_one_of(directory: &Path, others: &[&Path]) -> io::Result<bool> {
    let identity =
        |path: &Path| io::Result::Ok(metadata_of(path)?.map(|found| (found.dev(), found.ino())));
    let Some(this) = identity(directory)? else {
        return Ok(false);
    };
    for other in others.iter().copied().chain(SPOOLS.iter().map(Path::new)) {
        if identity(other)? == Some(this) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::sys::user;

    #[test]
    fn the_spool_that_holds_the_file_wins_and_maildir_comes_last() {
        let root = tempfile::tempdir().expect("a directory");
        let at = |name: &str| root.path().join(name);
        for name in ["one", "two", "home/Maildir/cur"] {
            fs::create_dir_all(at(name)).expect("made");
        }
        let (one, two, home) = (at("one"), at("two"), at("home"));
        let find = |user: &str, home: Option<&Path>| {
            system_mailbox(&LocationInputs {
                mail: None,
                effective_uid: user::effective_uid(),
                spools: &[&at("missing"), &one, &two],
                user,
                home,
            })
            .expect("looked at")
        };
        let place = |path: PathBuf, exists| Some(Location { path, exists });
        assert_eq!(find("me", None), place(one.join("me"), false));
        assert_eq!(find("me", Some(&home)), place(home.join("Maildir"), true));
        fs::write(two.join("me"), "").expect("written");
        assert_eq!(find("me", Some(&home)), place(two.join("me"), true));
        fs::write(one.join("me"), "").expect("written");
        assert_eq!(find("me", Some(&home)), place(one.join("me"), true));
        for name in ["", ".", "..", "../two/me", "a/b", "a\0b"] {
            assert_eq!(find(name, Some(&home)), None, "{name:?}");
        }
    }

    #[test]
    fn mail_counts_only_where_it_is_ours() {
        let root = tempfile::tempdir().expect("a directory");
        let (spool, own) = (root.path().join("spool"), root.path().join("own"));
        fs::create_dir(&spool).expect("made");
        fs::create_dir(&own).expect("made");
        let us = user::effective_uid();
        let find = |mail: &Path, effective_uid: u32| {
            let place = system_mailbox(&LocationInputs {
                mail: Some(mail.as_os_str()),
                effective_uid,
                spools: &[&spool],
                user: "me",
                home: None,
            });
            place.expect("looked at").expect("a place").path
        };
        let (default, theirs) = (spool.join("me"), spool.join("alice"));
        // In our own directory, there or not; in the spool only a file of ours.
        assert_eq!(find(&own.join("mbox"), us), own.join("mbox"));
        assert_eq!(find(&theirs, us), default);
        fs::write(&theirs, "").expect("written");
        assert_eq!(find(&theirs, us), theirs);
        // As another user, root by sudo for instance, neither.
        assert_eq!(find(&theirs, us + 1), default);
        assert_eq!(find(&own.join("mbox"), us + 1), default);
        assert_eq!(find(Path::new("mbox"), us), default);
        assert_eq!(find(Path::new(""), us), default);
    }
}
