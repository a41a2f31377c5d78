//! Names of files, as a person types them and the configuration holds them: the one place that
//! expands `~ ~user $name + & % #`.
//!
//! | | `~` `~user` `$name` | `+name` | `&` `%` `#` |
//! |---|---|---|---|
//! | `-f` and the commands of the reader | yes | yes | yes |
//! | `record`, `Fcc`, `dead`, `log`, `inbox`, `MBOX`, `source`, `password-file`, `tls-ca-file` | yes | yes | no |
//! | `~r`, `~w`, `~d`, `~@` | yes | yes | no |
//! | `folder` | yes | no | no |
//! | an attachment or a recipient of the command line | no | no | no |
//!
//! Where a character has no meaning it stands for itself.

use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::config::env::{self, Environment};
use crate::config::pattern;
use crate::config::settings::Settings;
use crate::exit::{Failure, Kind};
use crate::sanitize;
use crate::sys::open::Trouble;
use crate::sys::user;

/// The variables, users and mailboxes that file names can refer to.
#[derive(Clone, Copy)]
pub(crate) struct NameInputs<'a> {
    /// The user's home directory: `~`, and where `folder` begins if it is relative.
    pub home: Option<&'a Path>,
    /// The variable `folder`: `+name`.
    pub folder: Option<&'a OsStr>,
    /// Finds the home directory of another user: `~user`.
    pub home_of: &'a dyn Fn(&str) -> Result<PathBuf, NameError>,
    /// Finds the value of a variable or environment variable: `$name`.
    pub variable: &'a dyn Fn(&str) -> Option<OsString>,
    /// The mailboxes that `&`, `%` and `#` mean; without it these characters stand for themselves.
    pub mailboxes: Option<MailboxNames<'a>>,
}

/// The mailboxes that have a character as their name.
#[derive(Clone, Copy)]
pub(crate) struct MailboxNames<'a> {
    /// The variable or environment variable `MBOX`: `&`; `~/mbox` without it.
    pub mbox: Option<&'a OsStr>,
    /// The mailbox that was open before: `#`.
    pub previous: Option<&'a Path>,
    /// The user's system mailbox: `%`.
    pub system: &'a Path,
    /// Finds the system mailbox of another user: `%user`.
    pub system_of: &'a dyn Fn(&str) -> Result<PathBuf, NameError>,
}

/// A name that has been understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// The file, or the directory of a Maildir.
    pub path: PathBuf,
    /// Whether it is to be treated as a system mailbox: `%`, `%user`, `%:file`.
    pub is_system: bool,
}

/// Why a name could not be understood; the text says what it refers to.
#[derive(Debug)]
pub(crate) enum NameError {
    /// It is empty, perhaps only after expansion.
    Empty,
    /// `#`, and no mailbox was open before.
    NoPrevious,
    /// `~`, `&` or a relative `folder`, and there is no home directory.
    NoHome,
    /// `%user` or `~user`, and there is no such user.
    NoUser,
    /// A variable that is not set.
    NoVariable,
    /// A pattern that several files fit, these two among them.
    Several(PathBuf, PathBuf),
    /// `%user` or `~user`, and the system failed to read the user database.
    NoDatabase(io::Error),
    /// `%user`, and the system failed to look for the mailbox.
    NoPlace(io::Error),
}

impl NameError {
    /// Returns the failure for an action on the file: 66 for a name that means no file, 67 for an
    /// unknown user, 75 for a look-up that failed.
    pub(crate) fn failure(self, what: impl Into<String>) -> Failure {
        let text = self.to_string();
        match self {
            NameError::NoDatabase(error) | NameError::NoPlace(error) => {
                Failure::new(Kind::TryLater, text).because(error)
            }
            NameError::NoUser => Failure::new(Kind::NoUser, what).because(NameError::NoUser),
            error => Failure::new(Kind::NoInput, what).because(error),
        }
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NameError::Several(one, other) => {
                let (one, other) = (sanitize::path(one), sanitize::path(other));
                return write!(f, "several files fit, {one} and {other} among them");
            }
            NameError::Empty => "no mailbox was given",
            NameError::NoPrevious => "there is no previous mailbox",
            NameError::NoHome => "there is no home directory",
            NameError::NoUser => "there is no such user on this host",
            NameError::NoVariable => "a variable in the name is not set",
            NameError::NoDatabase(_) => "cannot read the user database",
            NameError::NoPlace(_) => "cannot check whether the mailbox exists",
        })
    }
}

impl Error for NameError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            NameError::NoDatabase(error) | NameError::NoPlace(error) => Some(error),
            _ => None,
        }
    }
}

/// Returns the file that a variable, a header field or a line of the configuration names.
///
/// The current directory plays no part in what is expanded: the same configuration means the same
/// file wherever the program was started, in `/tmp` too, where others may put a file named `+sent`.
///
/// # Errors
/// When what the name refers to is not there.
pub(crate) fn of_setting(
    name: impl AsRef<OsStr>,
    settings: &Settings,
    home: Option<&Path>,
) -> Result<PathBuf, NameError> {
    let inputs = NameInputs {
        home,
        folder: settings.path("folder"),
        home_of: &home_of,
        variable: &|name| variable(name, settings),
        mailboxes: None,
    };
    expand(name.as_ref(), &inputs).map(|named| named.path)
}

/// Returns the file that a name means which a person has typed at a prompt.
///
/// # Errors
/// When what the name refers to is not there.
pub(crate) fn typed(
    name: impl AsRef<OsStr>,
    settings: &Settings,
    home: Option<&Path>,
) -> Result<PathBuf, NameError> {
    let name = name.as_ref();
    // Where the system fails to look, using the file fails as well and says why.
    if is_there(name).unwrap_or(true) {
        return Ok(PathBuf::from(name));
    }
    of_setting(name, settings, home)
}

/// Returns whether there is a file of exactly this name: a person who types it means that file,
/// whatever characters are in the name.
///
/// # Errors
/// When the system fails to look.
pub(crate) fn is_there(name: &OsStr) -> io::Result<bool> {
    match fs::metadata(name) {
        Ok(_) => Ok(true),
        Err(error) if Trouble::of(&error) == Trouble::Failed => Err(error),
        Err(_) => Ok(false),
    }
}

/// Returns the user's own system mailbox where one is named: `inbox`, else `$MAIL`.
///
/// # Errors
/// When what the name in `inbox` refers to is not there.
pub(crate) fn inbox(
    settings: &Settings,
    environment: &Environment,
) -> Result<Option<PathBuf>, NameError> {
    let home = environment.home_directory();
    match settings.path("inbox") {
        Some(name) => of_setting(name, settings, home.as_deref()).map(Some),
        None => Ok(environment.mail.clone()),
    }
}

/// Returns the home directory of another user.
///
/// # Errors
/// There is no such user, or the user database cannot be read.
pub(crate) fn home_of(name: &str) -> Result<PathBuf, NameError> {
    let account = user::by_name(name).map_err(NameError::NoDatabase)?;
    account.map(|user| user.home).ok_or(NameError::NoUser)
}

/// Returns the value that `$name` stands for: that of a variable, else of the environment.
pub(crate) fn variable(name: &str, settings: &Settings) -> Option<OsString> {
    let own = settings.any(name).map(OsString::from);
    own.or_else(|| env::variable(name))
}

/// Returns the file that a path with a pattern in it means: the only one that fits. One without a
/// pattern, or that no file fits, is the path itself.
///
/// # Errors
/// Several files fit, or the system fails to look.
pub(crate) fn matching(path: PathBuf) -> Result<PathBuf, NameError> {
    match pattern::matches(&path).map_err(NameError::NoPlace)? {
        None => Ok(path),
        Some(found) => match found.as_slice() {
            [] => Ok(path),
            [only] => Ok(only.clone()),
            [first, second, ..] => Err(NameError::Several(first.clone(), second.clone())),
        },
    }
}

/// Returns what a name refers to, as POSIX mailx and its peers write them.
///
/// `%`, `%user`, `%:file` (s-nail), `#`, `&`, `+name`, `~`, `~user`, `$name`, `${name}`. A name that
/// begins with another character, `./%` for instance, is a path. Without `folder`, `+name` is a
/// path too (POSIX). Patterns are matched by [`matching`].
///
/// # Errors
/// When what the name refers to is not there.
pub(crate) fn expand(name: &OsStr, inputs: &NameInputs<'_>) -> Result<Named, NameError> {
    let Some(mailboxes) = &inputs.mailboxes else {
        return file(name.as_bytes(), inputs);
    };
    let mut bytes = name.as_bytes();
    let mut is_system = false;
    // s-nail: `%:` in front of any other name means that mailbox, under the rules of a system
    // mailbox.
    while let Some(rest) = bytes.strip_prefix(b"%:") {
        bytes = rest;
        is_system = true;
    }
    let named = match bytes {
        b"%" => return Ok(system(mailboxes.system.to_owned())),
        b"#" => Named {
            path: mailboxes.previous.ok_or(NameError::NoPrevious)?.to_owned(),
            is_system,
        },
        // MBOX=& would name itself.
        b"&" => match mailboxes
            .mbox
            .filter(|mbox| !mbox.is_empty() && *mbox != "&")
        {
            Some(mbox) => file(mbox.as_bytes(), inputs)?,
            None => Named {
                path: inputs.home.ok_or(NameError::NoHome)?.join("mbox"),
                is_system,
            },
        },
        [b'%', user @ ..] => {
            let user = std::str::from_utf8(user).map_err(|_| NameError::NoUser)?;
            return (mailboxes.system_of)(user).map(system);
        }
        _ => file(bytes, inputs)?,
    };
    Ok(Named { is_system, ..named })
}

/// Returns what a name refers to in which only `+`, `~` and `$` have a meaning.
fn file(name: &[u8], inputs: &NameInputs<'_>) -> Result<Named, NameError> {
    let folder = inputs.folder.filter(|folder| !folder.is_empty());
    let path = match (name.strip_prefix(b"+"), folder) {
        (Some(rest), Some(folder)) => {
            // Behind the `+` a `~` is a character: the name is one within the folder.
            let rest = variables(rest, inputs)?;
            folder_directory(folder, inputs)?.join(rest)
        }
        _ => PathBuf::from(tilde_and_variables(name, inputs)?),
    };
    if path.as_os_str().is_empty() {
        return Err(NameError::Empty);
    }
    Ok(Named {
        path,
        is_system: false,
    })
}

/// Returns a place that is to be treated as a system mailbox.
fn system(path: PathBuf) -> Named {
    Named {
        path,
        is_system: true,
    }
}

/// Returns the directory that `folder` names; a relative one begins in the home directory.
fn folder_directory(folder: &OsStr, inputs: &NameInputs<'_>) -> Result<PathBuf, NameError> {
    let folder = PathBuf::from(tilde_and_variables(folder.as_bytes(), inputs)?);
    // POSIX: a `folder` without a leading slash is one of the home directory, not of the
    // directory in which the program was started.
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
    // Only a `~` at the very beginning has a meaning, as in the shell.
    let end = rest.iter().position(|b| *b == b'/').unwrap_or(rest.len());
    let (user, rest) = rest.split_at(end);
    let mut path = if user.is_empty() {
        inputs.home.ok_or(NameError::NoHome)?.to_owned()
    } else {
        let user = std::str::from_utf8(user).map_err(|_| NameError::NoUser)?;
        (inputs.home_of)(user)?
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
                // `${` without its end is text: such a name of a file is unusual, but it is a
                // name.
                None => (&rest[..0], rest),
            },
            None => {
                let is_name = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
                rest.split_at(rest.iter().position(|b| !is_name(b)).unwrap_or(rest.len()))
            }
        };
        match std::str::from_utf8(name) {
            Ok(name) if !name.is_empty() => {
                // A variable that is not set is an error and not an empty text: `$DIR/sent` would
                // become `/sent`.
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

    #[test]
    fn names_are_expanded() {
        type Expected = Result<(&'static str, bool), &'static str>;
        let rows: [(&str, Expected); 28] = [
            ("%", Ok(("/spool/me", true))),
            ("%bob", Ok(("/spool/bob", true))),
            ("%nobody", Err("there is no such user on this host")),
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
            ("~nobody/x", Err("there is no such user on this host")),
            ("$w", Ok(("2026", false))),
            ("${w}s/$w", Ok(("2026s/2026", false))),
            ("$unset/x", Err("a variable in the name is not set")),
            ("a$", Ok(("a$", false))),
            ("a$/b", Ok(("a$/b", false))),
            ("a${b", Ok(("a${b", false))),
            ("$empty", Err("no mailbox was given")),
            ("", Err("no mailbox was given")),
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
            let found = found.map_err(|error| error.to_string());
            assert_eq!(found, expected.map_err(str::to_owned), "{name:?}");
        }
    }

    #[test]
    fn what_is_not_set_is_said_or_taken_as_a_path() {
        let bare = NameInputs {
            home: None,
            folder: None,
            mailboxes: inputs().mailboxes.map(|mailboxes| MailboxNames {
                previous: None,
                ..mailboxes
            }),
            ..inputs()
        };
        let path = |name, inputs: &NameInputs<'_>| {
            let named = expand(OsStr::new(name), inputs).map(|named| named.path);
            named.map_err(|error| error.to_string())
        };
        let failed = |why: &str| Err(why.to_owned());
        assert_eq!(path("+in", &bare), Ok(PathBuf::from("+in")));
        assert_eq!(path("#", &bare), failed("there is no previous mailbox"));
        assert_eq!(path("&", &bare), failed("there is no home directory"));
        assert_eq!(path("~/x", &bare), failed("there is no home directory"));
        for (mbox, expected) in [("$w/read", "2026/read"), ("+read", "/home/me/mail/read")] {
            let mailboxes = inputs().mailboxes.map(|mailboxes| MailboxNames {
                mbox: Some(OsStr::new(mbox)),
                ..mailboxes
            });
            let inputs = NameInputs {
                mailboxes,
                ..inputs()
            };
            assert_eq!(path("&", &inputs), Ok(PathBuf::from(expected)));
        }
    }

    #[test]
    fn characters_of_mailboxes_stand_for_themselves_where_no_mailbox_is_named() {
        let plain = NameInputs {
            mailboxes: None,
            ..inputs()
        };
        for name in ["%", "%bob", "%:x", "#", "&"] {
            let named = expand(OsStr::new(name), &plain).unwrap();
            assert_eq!(named.path, PathBuf::from(name));
            assert!(!named.is_system, "{name}");
        }
    }

    fn inputs() -> NameInputs<'static> {
        NameInputs {
            home: Some(Path::new("/home/me")),
            folder: Some(OsStr::new("mail")),
            home_of: &|user| match user {
                "bob" => Ok(PathBuf::from("/home/bob")),
                _ => Err(NameError::NoUser),
            },
            variable: &|name| match name {
                "w" => Some(OsString::from("2026")),
                "empty" => Some(OsString::new()),
                _ => None,
            },
            mailboxes: Some(MailboxNames {
                mbox: None,
                previous: Some(Path::new("/before")),
                system: Path::new("/spool/me"),
                system_of: &|user| match user {
                    "bob" => Ok(PathBuf::from("/spool/bob")),
                    _ => Err(NameError::NoUser),
                },
            }),
        }
    }
}
