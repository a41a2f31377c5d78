//! Patterns in file names: `*`, `?`, `[a-z]`, as the shell matches them (POSIX, section 2.13).
//!
//! A name that begins with a dot is matched only by a pattern that does. There is no escape: a file of
//! exactly that name comes first, so that no name is out of reach.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// How many files a pattern may match: the caller wants one, and names the first few.
const MOST: usize = 1000;

/// Returns the files that match a path with patterns in it, sorted; the first thousand of them.
/// `None` if there is no pattern in it.
///
/// # Errors
/// A directory cannot be read.
pub(super) fn matches(path: &Path) -> io::Result<Option<Vec<PathBuf>>> {
    if !is_pattern(path.as_os_str().as_bytes()) {
        return Ok(None);
    }
    let mut found = vec![PathBuf::new()];
    for component in path.components() {
        let name = component.as_os_str();
        if !matches!(component, Component::Normal(_)) || !is_pattern(name.as_bytes()) {
            for path in &mut found {
                path.push(name);
            }
            found.retain(|path| path.symlink_metadata().is_ok());
            continue;
        }
        let mut next = Vec::new();
        for directory in found {
            for path in names_in(&directory, name)? {
                next.push(path);
            }
        }
        next.sort_unstable();
        next.truncate(MOST);
        found = next;
    }
    Ok(Some(found))
}

/// Returns the entries of a directory that match a pattern; none if it is no directory.
fn names_in(directory: &Path, pattern: &OsStr) -> io::Result<Vec<PathBuf>> {
    let place = if directory.as_os_str().is_empty() {
        Path::new(".")
    } else {
        directory
    };
    let entries = match fs::read_dir(place) {
        Ok(entries) => entries,
        Err(error) => {
            return match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(Vec::new()),
                _ => Err(error),
            };
        }
    };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let is_hidden = name.as_bytes().starts_with(b".");
        if (!is_hidden || pattern.as_bytes().starts_with(b"."))
            && fits(pattern.as_bytes(), name.as_bytes())
        {
            found.push(directory.join(name));
        }
    }
    Ok(found)
}

fn is_pattern(name: &[u8]) -> bool {
    name.iter().any(|byte| b"*?[".contains(byte))
}

/// Returns whether a name fits a pattern.
///
/// Only the last `*` is tried again with more of the name, so that the time is at most the product of
/// both lengths.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut here) = (0, 0);
    let mut star = None;
    while here < name.len() {
        match one(&pattern[at..], name[here]) {
            Some(0) => {
                star = Some((at + 1, here));
                at += 1;
                continue;
            }
            Some(len) => {
                at += len;
                here += 1;
                continue;
            }
            None => {}
        }
        let Some((behind, from)) = star else {
            return false;
        };
        star = Some((behind, from + 1));
        (at, here) = (behind, from + 1);
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

/// Returns how long the part of the pattern is that fits this byte; 0 for a `*`, `None` if it does not
/// fit.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match *pattern.first()? {
        b'*' => Some(0),
        b'?' => Some(1),
        b'[' => match set(pattern) {
            Some((len, members, is_negated)) => {
                (contains(members, byte) != is_negated).then_some(len)
            }
            // Without its end it is a character.
            None => (byte == b'[').then_some(1),
        },
        other => (other == byte).then_some(1),
    }
}

/// Returns the length of the set `[…]` at the start, its members, and whether it is negated.
fn set(pattern: &[u8]) -> Option<(usize, &[u8], bool)> {
    let is_negated = matches!(pattern.get(1), Some(b'!' | b'^'));
    let start = 1 + usize::from(is_negated);
    // A `]` at the start is a member.
    let end = pattern
        .get(start + 1..)?
        .iter()
        .position(|byte| *byte == b']')?
        + start
        + 1;
    Some((end + 1, &pattern[start..end], is_negated))
}

fn contains(mut members: &[u8], byte: u8) -> bool {
    loop {
        match members {
            [] => return false,
            [low, b'-', high, rest @ ..] => {
                if (*low..=*high).contains(&byte) {
                    return true;
                }
                members = rest;
            }
            [member, rest @ ..] => {
                if *member == byte {
                    return true;
                }
                members = rest;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_patterns_as_in_the_shell() {
        let rows = [
            ("*", "a", true),
            ("*.mbox", "a.mbox", true),
            ("*.mbox", "a.mbo", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b", false),
            ("?", "a", true),
            ("?", "", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[^a-c]x", "dx", true),
            ("[]x]", "]", true),
            ("[-x]", "-", true),
            ("[ab", "[ab", true),
            ("[ab", "a", false),
            ("**a**", "bab", true),
        ];
        for (pattern, name, expected) in rows {
            let fits = fits(pattern.as_bytes(), name.as_bytes());
            assert_eq!(fits, expected, "{pattern} {name}");
        }
        // Backtracking that is not bounded would take years.
        let hostile = "a*".repeat(30) + "b";
        assert!(!fits(hostile.as_bytes(), "a".repeat(255).as_bytes()));
    }

    #[test]
    fn files_are_found_in_any_directory() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::create_dir(at("one")).unwrap();
        fs::create_dir(at("two")).unwrap();
        for name in [
            "one/a.mbox",
            "two/a.mbox",
            "two/b.mbox",
            "two/.hidden",
            "file",
        ] {
            fs::write(at(name), "").unwrap();
        }
        let found = |pattern: &str| {
            let found = matches(&at(pattern)).unwrap()?;
            let short = |path: PathBuf| path.strip_prefix(directory.path()).unwrap().to_owned();
            let found: Vec<String> = found
                .into_iter()
                .map(|path| short(path).to_str().unwrap().to_owned())
                .collect();
            Some(found.join(" "))
        };
        let rows = [
            ("*/a.mbox", Some("one/a.mbox two/a.mbox")),
            ("two/*", Some("two/a.mbox two/b.mbox")),
            ("two/.h*", Some("two/.hidden")),
            ("*/nothing", Some("")),
            ("file/*", Some("")),
            ("file", None),
        ];
        for (pattern, expected) in rows {
            assert_eq!(found(pattern).as_deref(), expected, "{pattern}");
        }
    }
}
