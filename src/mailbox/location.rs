//! Which mailbox is meant: the system mailbox of a user (design decision D17), and the names that
//! `-f`, `save` and `file` accept.
//!
//! Variables, users and directories come as arguments; only the file system is asked here, whether a
//! place exists and whose it is.

use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::sys::disk::directory_of;
use crate::sys::open::Trouble;
use crate::sys::user;

/// Where spools are; on most systems one is a link to the other.
pub const SPOOLS: [&str; 2] = ["/var/spool/mail", "/var/mail"];

/// Returns the directories that may hold system mailboxes: the variable `spool`, or [`SPOOLS`].
pub fn spools(variable: Option<&OsStr>) -> Vec<PathBuf> {
    match variable {
        Some(directory) => vec![PathBuf::from(directory)],
        None => SPOOLS.map(PathBuf::from).to_vec(),
    }
}

/// What determines the place of a user's system mailbox.
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

/// The things that a mailbox name can refer to.
#[derive(Clone, Copy)]
pub struct NameInputs<'a> {
    /// The user's home directory: `~`, and where `folder` begins if it is relative.
    pub home: Option<&'a Path>,
    /// The variable `folder`: `+name`.
    pub folder: Option<&'a OsStr>,
    /// The variable or environment variable `MBOX`: `&`; `~/mbox` without it.
    pub mbox: Option<&'a OsStr>,
    /// The mailbox that was open before: `#`.
    pub previous: Option<&'a Path>,
    /// The user's system mailbox: `%`.
    pub system: &'a Path,
    /// Finds the system mailbox of another user: `%user`.
    pub system_of: &'a dyn Fn(&str) -> Option<PathBuf>,
    /// Finds the home directory of another user: `~user`.
    pub home_of: &'a dyn Fn(&str) -> Option<PathBuf>,
    /// Finds the value of a variable or environment variable: `$name`.
    pub variable: &'a dyn Fn(&str) -> Option<OsString>,
}

/// The mailbox that a name refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The file, or the directory of a Maildir.
    pub path: PathBuf,
    /// Whether the mailbox is to be treated as a system mailbox: `%`, `%user`, `%:file`.
    pub is_system: bool,
}

/// Why a name could not be expanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// The name is empty, or its expansion is.
    Empty,
    /// The name is `#`, and no mailbox was open before.
    NoPrevious,
    /// The name has `~`, `&` or a relative `folder`, and there is no home directory.
    NoHome,
    /// The name has `%user` or `~user`, and there is no such user.
    NoUser,
    /// The name has a variable that is not set.
    NoVariable,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NameError::Empty => "no mailbox is named",
            NameError::NoPrevious => "there is no previous mailbox",
            NameError::NoHome => "there is no home directory",
            NameError::NoUser => "there is no such user",
            NameError::NoVariable => "a variable in the name is not set",
        })
    }
}

impl Error for NameError {}

/// Returns the mailbox that a name refers to, in the syntax of POSIX mailx and its peers.
///
/// `%`, `%user`, `%:file` (s-nail), `#`, `&`, `+name`, `~`, `~user`, `$name`, `${name}`. A name that
/// begins with another character, `./%` for instance, is a path. Without `folder`, `+name` is a
/// path too (POSIX). Patterns are not matched here.
///
/// # Errors
/// When the user, variable or mailbox that the name refers to does not exist.
pub fn expand(name: &OsStr, inputs: &NameInputs<'_>) -> Result<Named, NameError> {
    let mut bytes = name.as_bytes();
    let mut is_system = false;
    while let Some(file) = bytes.strip_prefix(b"%:") {
        bytes = file;
        is_system = true;
    }
    let path = match bytes {
        b"" => return Err(NameError::Empty),
        b"%" => return Ok(system(inputs.system.to_owned())),
        b"#" => inputs.previous.ok_or(NameError::NoPrevious)?.to_owned(),
        // MBOX=& would refer to itself.
        b"&" => match inputs.mbox.filter(|mbox| !mbox.is_empty() && *mbox != "&") {
            Some(mbox) => PathBuf::from(tilde_and_variables(mbox.as_bytes(), inputs)?),
            None => inputs.home.ok_or(NameError::NoHome)?.join("mbox"),
        },
        [b'%', user @ ..] => {
            let user = std::str::from_utf8(user).map_err(|_| NameError::NoUser)?;
            return (inputs.system_of)(user)
                .map(system)
                .ok_or(NameError::NoUser);
        }
        [b'+', rest @ ..] => match inputs.folder.filter(|folder| !folder.is_empty()) {
            Some(folder) => {
                let rest = variables(rest, inputs)?;
                folder_directory(folder, inputs)?.join(rest)
            }
            None => PathBuf::from(tilde_and_variables(bytes, inputs)?),
        },
        _ => PathBuf::from(tilde_and_variables(bytes, inputs)?),
    };
    if path.as_os_str().is_empty() {
        return Err(NameError::Empty);
    }
    Ok(Named { path, is_system })
}

/// Returns a mailbox that is to be treated as a system mailbox.
fn system(path: PathBuf) -> Named {
    Named {
        path,
        is_system: true,
    }
}

/// Returns the directory that `folder` names; a relative one begins in the home directory.
fn folder_directory(folder: &OsStr, inputs: &NameInputs<'_>) -> Result<PathBuf, NameError> {
    let folder = PathBuf::from(tilde_and_variables(folder.as_bytes(), inputs)?);
    if folder.is_absolute() {
        return Ok(folder);
    }
    Ok(inputs.home.ok_or(NameError::NoHome)?.join(folder))
}

/// Expands a leading `~` or `~user`, and variables.
fn tilde_and_variables(name: &[u8], inputs: &NameInputs<'_>) -> Result<OsString, NameError> {
    let Some(rest) = name.strip_prefix(b"~") else {
        return variables(name, inputs);
    };
    let end = rest.iter().position(|b| *b == b'/').unwrap_or(rest.len());
    let (user, rest) = rest.split_at(end);
    let mut path = if user.is_empty() {
        inputs.home.ok_or(NameError::NoHome)?.to_owned()
    } else {
        std::str::from_utf8(user)
            .ok()
            .and_then(|user| (inputs.home_of)(user))
            .ok_or(NameError::NoUser)?
    }
    .into_os_string();
    path.push(variables(rest, inputs)?);
    Ok(path)
}

/// Expands `$name` and `${name}`; a `$` before anything else stays.
fn variables(text: &[u8], inputs: &NameInputs<'_>) -> Result<OsString, NameError> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(dollar) = memchr::memchr(b'$', rest) {
        out.extend_from_slice(&rest[..dollar]);
        rest = &rest[dollar + 1..];
        let (name, after) = match rest.strip_prefix(b"{") {
            Some(inner) => match memchr::memchr(b'}', inner) {
                Some(end) => (&inner[..end], &inner[end + 1..]),
                // Without its brace this is no variable; the `$` stays.
                None => (&rest[..0], rest),
            },
            None => {
                let is_name = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
                rest.split_at(rest.iter().position(|b| !is_name(b)).unwrap_or(rest.len()))
            }
        };
        match std::str::from_utf8(name) {
            Ok(name) if !name.is_empty() => {
                let value = (inputs.variable)(name).ok_or(NameError::NoVariable)?;
                out.extend_from_slice(value.as_bytes());
                rest = after;
            }
            _ => out.push(b'$'),
        }
    }
    out.extend_from_slice(rest);
    Ok(OsString::from_vec(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::sys::user;

    #[test]
    fn names_are_expanded() {
        type Expected = Result<(&'static str, bool), NameError>;
        let rows: [(&str, Expected); 28] = [
            ("%", Ok(("/spool/me", true))),
            ("%bob", Ok(("/spool/bob", true))),
            ("%nobody", Err(NameError::NoUser)),
            ("%:/tmp/x", Ok(("/tmp/x", true))),
            ("%:~/x", Ok(("/home/me/x", true))),
            ("%:%:+in", Ok(("/home/me/mail/in", true))),
            ("#", Ok(("/before", false))),
            ("&", Ok(("/home/me/mbox", false))),
            ("+in", Ok(("/home/me/mail/in", false))),
            ("+$w/in", Ok(("/home/me/mail/2026/in", false))),
            ("+", Ok(("/home/me/mail/", false))),
            ("~", Ok(("/home/me", false))),
            ("~/a b", Ok(("/home/me/a b", false))),
            ("~bob/x", Ok(("/home/bob/x", false))),
            ("~nobody/x", Err(NameError::NoUser)),
            ("$w", Ok(("2026", false))),
            ("${w}s/$w", Ok(("2026s/2026", false))),
            ("$unset/x", Err(NameError::NoVariable)),
            ("a$", Ok(("a$", false))),
            ("a$/b", Ok(("a$/b", false))),
            ("a${b", Ok(("a${b", false))),
            ("$empty", Err(NameError::Empty)),
            ("", Err(NameError::Empty)),
            ("./%", Ok(("./%", false))),
            ("./+in", Ok(("./+in", false))),
            ("a~b", Ok(("a~b", false))),
            ("/var/mail/me", Ok(("/var/mail/me", false))),
            ("-", Ok(("-", false))),
        ];
        for (name, expected) in rows {
            let found = expand(OsStr::new(name), &inputs());
            let expected = expected.map(|(path, is_system)| Named {
                path: PathBuf::from(path),
                is_system,
            });
            assert_eq!(found, expected, "{name:?}");
        }
    }

    #[test]
    fn what_is_not_set_is_said_or_taken_as_a_path() {
        let bare = NameInputs {
            home: None,
            folder: None,
            previous: None,
            ..inputs()
        };
        let path = |name| expand(OsStr::new(name), &bare).map(|named| named.path);
        assert_eq!(path("+in"), Ok(PathBuf::from("+in")));
        assert_eq!(path("#"), Err(NameError::NoPrevious));
        assert_eq!(path("&"), Err(NameError::NoHome));
        assert_eq!(path("~/x"), Err(NameError::NoHome));
        let mbox = NameInputs {
            mbox: Some(OsStr::new("$w/read")),
            ..bare
        };
        assert_eq!(
            expand(OsStr::new("&"), &mbox).map(|n| n.path),
            Ok(PathBuf::from("2026/read"))
        );
    }

    fn inputs() -> NameInputs<'static> {
        NameInputs {
            home: Some(Path::new("/home/me")),
            folder: Some(OsStr::new("mail")),
            mbox: None,
            previous: Some(Path::new("/before")),
            system: Path::new("/spool/me"),
            system_of: &|user| (user == "bob").then(|| PathBuf::from("/spool/bob")),
            home_of: &|user| (user == "bob").then(|| PathBuf::from("/home/bob")),
            variable: &|name| match name {
                "w" => Some(OsString::from("2026")),
                "empty" => Some(OsString::new()),
                _ => None,
            },
        }
    }

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
