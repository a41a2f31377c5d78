//! The plain files that `write` makes. A file that is there is never replaced, and a link that
//! another user may have planted is not followed ([`Target`]).

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::exit::{Failure, Kind};
use crate::sanitize;
use crate::sys::disk::{is_young, sync_name};
use crate::sys::open::write::{Denied, Target};

/// The greatest length of a name that the sender of a mail chose, in bytes; file systems take 255.
const MAX_NAME: usize = 200;

/// How many names are tried.
const MAX_NAMES: usize = 1000;

/// Makes a file name of one that the sender of a mail chose: no directory, not hidden, no controls.
pub(super) fn safe_name(name: &str) -> String {
    // In a name from Windows a backslash ends a directory, and the directories are not wanted.
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name).trim();
    let harmless = |c: char| {
        if sanitize::is_forbidden(c) || c.is_control() {
            '_'
        } else {
            c
        }
    };
    let name: String = match name {
        "" | "." | ".." => "attachment".to_owned(),
        name => name.chars().map(harmless).collect(),
    };
    let name = match name.strip_prefix('.') {
        Some(rest) => format!("_{rest}"),
        None => name,
    };
    // The extension stays when a long name is cut: it says by which program the file opens.
    let (stem, extension) = parts(&name);
    let mut end = stem.len().min(MAX_NAME.saturating_sub(extension.len()));
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{extension}", &stem[..end])
}

/// Splits a name before its last dot; an extension is short.
fn parts(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= 16 => name.split_at(dot),
        _ => (name, ""),
    }
}

/// A directory that gets the files of one command.
pub(super) struct Directory<'a> {
    path: &'a Path,
    /// The last number of each name: of ten thousand files with one name each would be tried against
    /// all before it.
    numbers: HashMap<String, usize>,
}

impl Directory<'_> {
    /// Returns the directory at a path.
    pub(super) fn at(path: &Path) -> Directory<'_> {
        Directory {
            path,
            numbers: HashMap::new(),
        }
    }

    /// Makes a file of this name; with a number in it where the name is taken.
    pub(super) fn create(&mut self, name: &str, bytes: &[u8]) -> Result<PathBuf, Failure> {
        let last = self.numbers.get(name).map_or(0, |last| *last);
        let (path, number) = create(self.path, name, last + 1, bytes)?;
        self.numbers.insert(name.to_owned(), number);
        Ok(path)
    }
}

/// Makes a file of this name in a directory, with a number in it where that is not 1 or the name is
/// taken; returns its path and its number.
fn create(
    directory: &Path,
    name: &str,
    first: usize,
    bytes: &[u8],
) -> Result<(PathBuf, usize), Failure> {
    let (stem, extension) = parts(name);
    for number in first..first + MAX_NAMES {
        let path = match number {
            1 => directory.join(name),
            _ => directory.join(format!("{stem}-{number}{extension}")),
        };
        // Names are tried by making the file exclusively. A look beforehand would leave time for
        // another user to put a link there.
        let target = match Target::find(&path, false) {
            Ok(target) => target,
            // A link of that name is as good as a file; one on the way is not.
            Err(Denied::Rule { path: link, .. }) if link.file_name() == path.file_name() => {
                continue;
            }
            Err(denied) => return Err(denied_to("create", &path, denied)),
        };
        match target.make() {
            Ok(file) => {
                return fill(&file, &path, bytes)
                    .map(|()| (path.clone(), number))
                    .map_err(|error| {
                        // We have made this file just now, so that removing it harms no one.
                        let _ = target.remove();
                        cannot("write", &path, error)
                    });
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(cannot("create", &path, error)),
        }
    }
    let what = format!("cannot create {}", sanitize::path(&directory.join(name)));
    Err(Failure::new(Kind::CannotCreate, what).because("too many files with this name exist"))
}

/// Returns whether a file that is there begins like an mbox: the bytes of an attachment behind it
/// would become a part of its last message.
pub(super) fn begins_like_mbox(path: &Path) -> bool {
    let mut start = [0; 5];
    // A link that is not to be followed, and a pipe that would block, are for `append` to refuse.
    let is_file = path.metadata().is_ok_and(|found| found.is_file());
    is_file
        && File::open(path)
            .and_then(|mut file| file.read_exact(&mut start))
            .is_ok()
        && start == *b"From "
}

/// Appends to a file, or makes it; says whether it was made. A failure leaves it as it was.
pub(super) fn append(path: &Path, bytes: &[u8]) -> Result<bool, Failure> {
    let target = Target::find(path, true).map_err(|denied| denied_to("open", path, denied))?;
    // The look only chooses the usual way. Whether the file is there is decided by `make` and by
    // `open`, each in one call of the system.
    if target.is_linked() || target.path().exists() {
        return append_to(&target, bytes).map(|()| false);
    }
    match target.make() {
        Ok(file) => fill(&file, target.path(), bytes)
            .map(|()| true)
            .map_err(|error| {
                let _ = target.remove();
                cannot("write", path, error)
            }),
        // Another program has just made the file.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            append_to(&target, bytes).map(|()| false)
        }
        Err(error) => Err(cannot("create", path, error)),
    }
}

/// Appends to a file that is there.
fn append_to(target: &Target, bytes: &[u8]) -> Result<(), Failure> {
    let path = target.path();
    let file = target
        .open(false, None)
        .map_err(|denied| denied_to("open", path, denied))?;
    let found = file
        .metadata()
        .map_err(|error| cannot("open", path, error))?;
    if !found.is_file() {
        let what = format!("cannot write {}", sanitize::path(&path));
        return Err(Failure::new(Kind::CannotCreate, what).because("it is not a regular file"));
    }
    fill(&file, target.path(), bytes).map_err(|error| {
        // The file keeps the bytes that it had. A failure to cut off ours changes nothing of the
        // error. Bytes that another program has added meanwhile stay too.
        if file
            .metadata()
            .is_ok_and(|now| now.len() <= found.len() + bytes.len() as u64)
        {
            let _ = file.set_len(found.len());
        }
        cannot("write", path, error)
    })
}

fn fill(mut file: &File, path: &Path, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()?;
    // The message may be deleted from the mailbox next.
    if is_young(&file.metadata()?) {
        sync_name(path, file)
    } else {
        Ok(())
    }
}

/// Returns the failure for a file that could not be written.
fn denied_to(verb: &str, path: &Path, denied: Denied) -> Failure {
    match denied {
        Denied::System(error) => cannot(verb, path, error),
        denied @ Denied::Rule { .. } => {
            let what = format!("cannot {verb} {}", sanitize::path(&path));
            Failure::new(Kind::CannotCreate, what).because(denied.why(path))
        }
    }
}

fn cannot(verb: &str, path: &Path, error: io::Error) -> Failure {
    let kind = match error.kind() {
        io::ErrorKind::PermissionDenied => Kind::NoPermission,
        _ if verb == "write" => Kind::Io,
        _ => Kind::CannotCreate,
    };
    Failure::new(kind, format!("cannot {verb} {}", sanitize::path(&path))).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    #[test]
    fn names_of_others_lead_nowhere() {
        let long = "x".repeat(300) + ".pdf";
        let rows = [
            ("report.pdf", "report.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\x.doc", "x.doc"),
            ("/", "attachment"),
            ("..", "attachment"),
            (".bashrc", "_bashrc"),
            ("a\nb", "a_b"),
            ("Größe 1.txt", "Größe 1.txt"),
            ("a/", "attachment"),
        ];
        for (given, expected) in rows {
            assert_eq!(safe_name(given), expected, "{given:?}");
        }
        let short = safe_name(&long);
        assert!(
            short.len() <= MAX_NAME && short.ends_with(".pdf"),
            "{short}"
        );
    }

    #[test]
    fn a_taken_name_gets_a_number_and_nothing_is_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::write(at("a.txt"), "mine").unwrap();
        symlink("/nonexistent/target", at("a-2.txt")).unwrap();
        let mut files = Directory::at(directory.path());
        let path = files.create("a.txt", b"new").unwrap();
        assert_eq!(path, at("a-3.txt"));
        // The next one does not try the names before it again.
        fs::remove_file(at("a-2.txt")).unwrap();
        assert_eq!(files.create("a.txt", b"next").unwrap(), at("a-4.txt"));
        assert_eq!(files.create("b.txt", b"other").unwrap(), at("b.txt"));
        assert_eq!(fs::read(at("a.txt")).unwrap(), b"mine");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn appending_keeps_what_is_there_and_follows_no_planted_link() {
        use crate::sys::user;
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        assert!(append(&at("text"), b"one\n").unwrap());
        assert!(!append(&at("text"), b"two\n").unwrap());
        assert_eq!(fs::read(at("text")).unwrap(), b"one\ntwo\n");
        assert!(append(directory.path(), b"x").is_err());
        symlink(at("text"), at("link")).unwrap();
        assert!(!append(&at("link"), b"three\n").unwrap());
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o1777)).unwrap();
        if user::effective_uid() == 0 {
            std::os::unix::fs::lchown(at("link"), Some(65_534), None).unwrap();
            assert!(append(&at("link"), b"four\n").is_err());
        }
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o1777)).unwrap();
        fs::hard_link(at("text"), at("other")).unwrap();
        assert!(append(&at("other"), b"four\n").is_err());
        assert_eq!(fs::read(at("text")).unwrap(), b"one\ntwo\nthree\n");
    }
}
