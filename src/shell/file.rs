//! The plain files that `write` makes: never over another file, never through a planted link.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use crate::exit::{Failure, Kind};
use crate::sanitize;
use crate::sys::user;

/// How long a name may be that somebody else chose, in bytes; file systems take 255.
const MAX_NAME: usize = 200;

/// How many names are tried before it is given up.
const MAX_NAMES: usize = 1000;

/// Makes a file name of one that somebody else chose: no directory, not hidden, no controls.
pub(super) fn safe_name(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name).trim();
    let harmless = |c: char| match sanitize::is_forbidden(c) || c.is_control() {
        true => '_',
        false => c,
    };
    let name: String = match name {
        "" | "." | ".." => "attachment".to_owned(),
        name => name.chars().map(harmless).collect(),
    };
    let name = match name.strip_prefix('.') {
        Some(rest) => format!("_{rest}"),
        None => name,
    };
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

/// Makes a file of this name in a directory; with a number in it where the name is taken.
pub(super) fn create(directory: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf, Failure> {
    let (stem, extension) = parts(name);
    for number in 1..=MAX_NAMES {
        let path = match number {
            1 => directory.join(name),
            _ => directory.join(format!("{stem}-{number}{extension}")),
        };
        match make(&path) {
            Ok(file) => {
                return fill(&file, bytes).map(|()| path.clone()).map_err(|error| {
                    // Nobody else has seen a file that we have just made.
                    let _ = fs::remove_file(&path);
                    cannot("write", &path, error)
                });
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(cannot("create", &path, error)),
        }
    }
    let what = format!("cannot create {}", directory.join(name).display());
    Err(Failure::new(Kind::CannotCreate, what).because("too many files of this name are there"))
}

/// Appends to a file, or makes it; says whether it was made. A failure leaves it as it was.
pub(super) fn append(path: &Path, bytes: &[u8]) -> Result<bool, Failure> {
    match make(path) {
        Ok(file) => {
            return fill(&file, bytes).map(|()| true).map_err(|error| {
                let _ = fs::remove_file(path);
                cannot("write", path, error)
            });
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(cannot("create", path, error)),
    }
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // Where everybody may put files, a link or somebody else's file may be a trap.
    let is_shared = fs::metadata(directory).is_ok_and(|directory| directory.mode() & 0o1000 != 0);
    let mut flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    if is_shared {
        flags |= OFlag::O_NOFOLLOW;
    }
    let file = OpenOptions::new()
        .append(true)
        .custom_flags(flags.bits())
        .open(path)
        .map_err(|error| cannot("open", path, error))?;
    let found = file
        .metadata()
        .map_err(|error| cannot("open", path, error))?;
    let refusal = match () {
        () if !found.is_file() => Some("it is no regular file"),
        () if is_shared && found.uid() != user::effective_uid() => Some("it is not ours"),
        () if is_shared && found.nlink() > 1 => Some("it has other names"),
        () => None,
    };
    if let Some(why) = refusal {
        let what = format!("cannot write {}", path.display());
        return Err(Failure::new(Kind::CannotCreate, what).because(why));
    }
    fill(&file, bytes).map(|()| false).map_err(|error| {
        // What was there stays; that the rest cannot be taken back changes nothing of the error. What
        // another program has added meanwhile stays too.
        if file
            .metadata()
            .is_ok_and(|now| now.len() <= found.len() + bytes.len() as u64)
        {
            let _ = file.set_len(found.len());
        }
        cannot("write", path, error)
    })
}

fn make(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

fn fill(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}

fn cannot(verb: &str, path: &Path, error: io::Error) -> Failure {
    let kind = match error.kind() {
        io::ErrorKind::PermissionDenied => Kind::NoPermission,
        _ if verb == "write" => Kind::Io,
        _ => Kind::CannotCreate,
    };
    Failure::new(kind, format!("cannot {verb} {}", path.display())).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::os::unix::fs::{PermissionsExt, symlink};

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
        let path = create(directory.path(), "a.txt", b"new").unwrap();
        assert_eq!(path, at("a-3.txt"));
        assert_eq!(fs::read(at("a.txt")).unwrap(), b"mine");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn appending_keeps_what_is_there_and_follows_no_planted_link() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        assert!(append(&at("text"), b"one\n").unwrap());
        assert!(!append(&at("text"), b"two\n").unwrap());
        assert_eq!(fs::read(at("text")).unwrap(), b"one\ntwo\n");
        assert!(append(directory.path(), b"x").is_err());
        symlink(at("text"), at("link")).unwrap();
        assert!(!append(&at("link"), b"three\n").unwrap());
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o1700)).unwrap();
        assert!(append(&at("link"), b"four\n").is_err());
        fs::hard_link(at("text"), at("other")).unwrap();
        assert!(append(&at("other"), b"four\n").is_err());
        assert_eq!(fs::read(at("text")).unwrap(), b"one\ntwo\nthree\n");
    }
}
