//! The commands that were typed, in this session and before: `$XDG_STATE_HOME/postrider/history`.
//!
//! The file has one command a line, the oldest first, and is its user's alone. Each command is
//! appended when it is typed, so that two sessions at once both keep theirs; a file that has grown
//! is shortened when a session begins. What is not our own alone is neither read nor written.

use std::collections::VecDeque;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::command_line;
use crate::config::{Environment, variables};
use crate::sanitize;
use crate::sys::open::write::{self, Target};
use crate::sys::user;

/// How many commands are kept.
pub(super) const KEPT: usize = 1000;

/// How long a command may be that is kept, in bytes.
const LONGEST: usize = 2000;

/// How much of the file is read, in bytes; of a longer one the end.
const LARGEST: usize = 4 << 20;

/// The commands that were typed.
#[derive(Debug, Default)]
pub(super) struct History {
    path: Option<PathBuf>,
    lines: VecDeque<String>,
    /// Whether `history off` was typed.
    pub(super) is_off: bool,
    /// How many lines were added, or taken away, so that an editor sees what it has not.
    pub(super) changes: usize,
}

impl History {
    /// Returns what is kept of earlier sessions.
    pub(super) fn read(environment: &Environment) -> History {
        let state = environment.state_directory();
        let path = state.map(|state| state.join("postrider/history"));
        let mut history = History {
            path,
            ..History::default()
        };
        if let Some(text) = history.path.as_deref().and_then(read) {
            let count = text.lines().count();
            history.lines = text
                .lines()
                .skip(count.saturating_sub(KEPT))
                .filter(|line| is_kept(line))
                .map(str::to_owned)
                .collect();
            // Twice as long: that is shortened rarely, and nothing is written where nobody types.
            if count > 2 * KEPT {
                history.rewrite();
            }
        }
        history
    }

    /// Returns the commands, the oldest first.
    pub(super) fn lines(&self) -> impl DoubleEndedIterator<Item = &str> + ExactSizeIterator {
        self.lines.iter().map(String::as_str)
    }

    /// Remembers a command, unless it says a secret.
    pub(super) fn add(&mut self, line: &str) {
        let line = line.trim_end();
        if self.is_off || !is_kept(line) || holds_secret(line) {
            return;
        }
        // The same command again is no news.
        if self.lines.back().is_some_and(|last| last == line) {
            return;
        }
        self.lines.push_back(line.to_owned());
        if self.lines.len() > KEPT {
            self.lines.pop_front();
        }
        self.changes += 1;
        if let Some(path) = &self.path {
            // A history that cannot be written is no reason to disturb who reads mail.
            let _ = append(path, line);
        }
    }

    /// Forgets all commands.
    pub(super) fn clear(&mut self) {
        self.lines.clear();
        self.changes += 1;
        self.rewrite();
    }

    /// Writes the file anew, beside it first.
    fn rewrite(&self) {
        let Some(path) = &self.path else { return };
        let new = path.with_extension("new");
        let lines: String = self.lines.iter().map(|line| format!("{line}\n")).collect();
        let written = Target::find(&new, false).ok().and_then(|target| {
            // What a session has left that was killed here.
            let _ = target.remove();
            target.make().ok()?.write_all(lines.as_bytes()).ok()
        });
        if written.is_some() {
            let _ = fs::rename(&new, path);
        }
    }
}

/// Reads the file, if it is ours alone.
fn read(path: &Path) -> Option<String> {
    let mut file = Target::find(path, false).ok()?.open(true, None).ok()?;
    let size = owned(&file)?;
    let from = size.saturating_sub(LARGEST as u64);
    std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(from)).ok()?;
    let mut bytes = Vec::new();
    file.take(LARGEST as u64).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Returns the size of a file that is ours alone.
fn owned(file: &fs::File) -> Option<u64> {
    let found = file.metadata().ok()?;
    let is_ours = found.is_file()
        && found.uid() == user::effective_uid()
        && found.mode() & 0o077 == 0
        && found.nlink() == 1;
    is_ours.then_some(found.len())
}

fn append(path: &Path, line: &str) -> Option<()> {
    write::make_way(path).ok()?;
    let (mut file, _) = Target::find(path, false).ok()?.open_or_make().ok()?;
    owned(&file)?;
    // One write, so that the line of another session is not within it.
    file.write_all(format!("{line}\n").as_bytes()).ok()
}

/// Returns whether a line is worth keeping, and safe to be shown again.
fn is_kept(line: &str) -> bool {
    !line.trim().is_empty() && line.len() <= LONGEST && sanitize::line(line.as_bytes()) == line
}

/// Returns whether a command sets a secret, or names a URL with a password in it.
fn holds_secret(line: &str) -> bool {
    let (_, arguments) = command_line::split(line);
    let is_secret = |word: &str| {
        let name = word.split('=').next().unwrap_or_default();
        let name = name
            .trim_start_matches(['"', '\'', '-'])
            .to_ascii_lowercase();
        let is_file = name.ends_with("-file") || name.ends_with("-command");
        let of_table =
            variables::row_of(&name).is_some_and(|row| row.kind == variables::ValueKind::Secret);
        let named = ["password", "passwd", "secret", "token"];
        of_table || (!is_file && named.iter().any(|secret| name.contains(secret)))
    };
    // A value with blanks is quoted; the words after it do no harm here.
    let words = arguments.split([' ', '\t']);
    words
        .clone()
        .any(|word| word.contains('=') && is_secret(word))
        || has_password(line)
}

/// Returns whether there is a URL with `user:password@`.
fn has_password(line: &str) -> bool {
    line.match_indices("://").any(|(at, _)| {
        let rest = &line[at + 3..];
        let end = rest
            .find(|c: char| c == '/' || c.is_whitespace() || c == '"')
            .unwrap_or(rest.len());
        // A password may have a `/` in it that should have been encoded.
        let whole = rest.find(char::is_whitespace).unwrap_or(rest.len());
        [end, whole].iter().any(|end| {
            let login = rest[..*end].rsplit_once('@').map(|(login, _)| login);
            login.is_some_and(|login| login.contains(':'))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(dir: &Path) -> History {
        let environment = Environment {
            state_home: Some(dir.to_owned()),
            ..Environment::default()
        };
        History::read(&environment)
    }

    #[test]
    fn two_sessions_keep_what_both_have_typed() {
        let dir = tempfile::tempdir().unwrap();
        let (mut one, mut two) = (of(dir.path()), of(dir.path()));
        for (history, line) in [
            (0, "p 1"),
            (1, "d 2"),
            (0, "h"),
            (0, "h"),
            (1, ""),
            (0, "evil\x1b[2J"),
        ] {
            [&mut one, &mut two][history].add(line);
        }
        assert_eq!(
            of(dir.path()).lines().collect::<Vec<_>>(),
            ["p 1", "d 2", "h"]
        );
        let file = dir.path().join("postrider/history");
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        two.is_off = true;
        two.add("x");
        one.clear();
        assert_eq!(fs::read_to_string(&file).unwrap(), "");
    }

    #[test]
    fn secrets_are_not_kept() {
        for line in [
            "set password=x",
            "se smtp-auth-password=x",
            "set from=a password=x",
            "set \"password=a b\"",
            "set my-token=x",
            "set mta=smtp://user:pass@relay.example",
            "file imaps://me:p/w@host/x",
            "account x { set password=y }",
        ] {
            assert!(holds_secret(line), "{line}");
        }
        for line in [
            "set password-file=~/x",
            "set mta=smtps://relay:465",
            "search subject:password",
            "mail a@b",
            "set from=a@b",
            "p http://x/a:b@c d",
        ] {
            assert!(!holds_secret(line) || line.starts_with("p http"), "{line}");
        }
    }

    #[test]
    fn the_file_is_bounded_and_a_foreign_one_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("postrider/history");
        of(dir.path()).add("first");
        let many: String = (0..3 * KEPT).map(|at| format!("p {at}\n")).collect();
        fs::write(&file, many).unwrap();
        assert_eq!(of(dir.path()).lines().len(), KEPT);
        assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), KEPT);
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        fs::set_permissions(&file, open).unwrap();
        let mut history = of(dir.path());
        assert_eq!(history.lines().len(), 0);
        history.add("new");
        assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), KEPT);
        fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink(dir.path().join("elsewhere"), &file).unwrap();
        of(dir.path()).add("new");
        assert!(!dir.path().join("elsewhere").exists());
    }
}
