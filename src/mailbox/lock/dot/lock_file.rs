//! A lock file that is in the way, as it is shown to the user: its owner, its age, and how to
//! remove it.

use std::fmt::{self, Write as _};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::mailbox::path::DIRECTORY;
use crate::sanitize;
use crate::sys::{clock, user};

/// A dot-lock of another process that keeps this one from locking the mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockFile {
    /// The path of the lock file.
    pub path: PathBuf,
    /// The process that the file names, if it can be a process of this host.
    pub pid: Option<u32>,
    /// The kind of file, with its article, if it is not a regular file.
    pub(super) what: Option<&'static str>,
    /// The user id of the file's owner.
    pub(super) owner: u32,
    /// When the file was made or touched.
    pub(super) modified: Option<SystemTime>,
}

impl LockFile {
    /// Returns the shell command that removes the lock file.
    pub fn removal(&self) -> String {
        // A directory that has content gets the command that deletes the content too: `rmdir` would
        // only fail. The user reads the command before typing it; this program never runs it.
        let command = match self.what {
            Some(DIRECTORY) if is_empty_directory(&self.path) => "rmdir",
            Some(DIRECTORY) => "rm -r",
            _ => "rm",
        };
        // `--`, because the path of a mailbox may begin with a dash.
        format!("{command} -- {}", shell_word(&self.path))
    }
}

impl fmt::Display for LockFile {
    /// Writes the kind of file, its owner and its age: `a file of root, 3 days old`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = self.what.unwrap_or("a file");
        match user::by_uid(self.owner) {
            Ok(Some(owner)) => write!(f, "{what} of {}", owner.name)?,
            _ => write!(f, "{what} of uid {}", self.owner)?,
        }
        let Some(modified) = self.modified else {
            return Ok(());
        };
        match clock::now().duration_since(modified) {
            Ok(age) => write!(f, ", {} old", in_words(age)),
            // The clock was put back, or the file server's clock is ahead of ours.
            Err(_) => f.write_str(", with a time in the future"),
        }
    }
}

fn is_empty_directory(path: &Path) -> bool {
    fs::read_dir(path).is_ok_and(|mut names| names.next().is_none())
}

/// Returns an age in the largest unit of which there are at least two.
pub(super) fn in_words(age: Duration) -> String {
    let seconds = age.as_secs();
    let (number, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7_200 => (seconds / 60, "minute"),
        7_200..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural}")
}

/// Returns a path as one word of a shell's command line.
pub(super) fn shell_word(path: &Path) -> String {
    let bytes = path.as_os_str().as_bytes();
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+@%:,=".contains(byte);
    if !bytes.is_empty() && bytes.iter().all(is_plain) {
        return sanitize::path(&path).to_string();
    }
    match path.to_str() {
        // Within single quotes the shell treats only the single quote itself as special: the
        // word is closed, a quote is added behind a backslash, and the word goes on.
        Some(text) if !text.contains(char::is_control) => {
            format!("'{}'", text.replace('\'', "'\\''"))
        }
        // A byte that cannot be typed is written as an octal number, as bash and POSIX 2024 know
        // it. Always three digits: the next character of the name may be a digit itself.
        _ => {
            let mut word = String::from("$'");
            for byte in bytes {
                // Writing to a `String` does not fail.
                let _ = match byte {
                    b'\'' | b'\\' => write!(word, "\\{}", char::from(*byte)),
                    b' '..=b'~' => write!(word, "{}", char::from(*byte)),
                    _ => write!(word, "\\{byte:03o}"),
                };
            }
            word + "'"
        }
    }
}
