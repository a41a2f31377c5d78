//! The file of a refresh token, which a service may replace at each use.
//!
//! A service that has given a new token may refuse the old one from then on, and many take its use
//! for theft. So the file is locked before the old one is shown to the service, and the new one is
//! on the disk, under the same name, with the same owner and mode, before anything else is done.
//!
//! The lock is a flock on the file itself: it ends with its owner. The new file gets the name by a
//! rename; whoever waited looks whether the name still means the file that it has locked.

use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use zeroize::Zeroizing;

use crate::exit::{Failure, Kind};
use crate::sanitize;
use crate::submission::secret_file::{check_private, first_line, unreadable};
use crate::sys::disk::{directory_of, named_like, sync_name, temporary_of, temporary_prefix};
use crate::sys::open::names;
use crate::sys::open::read::{self, Opened};
use crate::sys::open::{Unread, Use};
use crate::transport::smtp::Secret;

/// What the file holds, as messages name it.
pub(super) const WHAT: &str = "refresh token";

/// How long another process may hold the lock: longer than a request may take.
const PATIENCE: Duration = Duration::from_secs(40);

/// How often the lock is tried.
const SLICE: Duration = Duration::from_millis(50);

/// The file of a refresh token, locked.
pub(super) struct RefreshFile {
    path: PathBuf,
    found: Metadata,
    /// What stands in the file; the token is its first line.
    text: Zeroizing<String>,
    /// `None` where the file system has no such lock.
    _lock: Option<Flock<File>>,
}

impl RefreshFile {
    /// Locks and reads the file; waits while another process renews its token.
    ///
    /// # Errors
    /// 78 when it cannot be read, is no regular file, or others can read it; 75 when another process
    /// keeps it locked.
    pub(super) fn open(named: &Path, cancel: &AtomicBool) -> Result<RefreshFile, Failure> {
        let failed = |error: io::Error| unreadable(named, WHAT, Unread::from(error));
        // The file that a link leads to is the one to be replaced.
        let path = fs::canonicalize(named).map_err(failed)?;
        let start = Instant::now();
        loop {
            let (file, found) = match read::open(&path, Use::Password) {
                Ok(Opened::Regular(file, found)) => (file, found),
                Ok(_) => {
                    let why = Unread::Refused("it is not a regular file".to_owned());
                    return Err(unreadable(named, WHAT, why));
                }
                Err(error) => return Err(unreadable(named, WHAT, error)),
            };
            check_private(WHAT, named, &found)?;
            let reader = file.try_clone().map_err(failed)?;
            let lock = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(lock) => Some(lock),
                Err((_, Errno::EWOULDBLOCK)) => {
                    if cancel.load(Ordering::SeqCst) || start.elapsed() > PATIENCE {
                        let what = format!(
                            "another process is renewing the token in {}",
                            sanitize::path(&named)
                        );
                        return Err(Failure::new(Kind::TryLater, what));
                    }
                    thread::sleep(SLICE);
                    continue;
                }
                Err(_) => None,
            };
            // Whoever held the lock before has put another file there.
            let now = fs::metadata(&path).map_err(failed)?;
            if (now.dev(), now.ino()) != (found.dev(), found.ino()) {
                continue;
            }
            if adopt(&path, &found, lock.is_some()).map_err(failed)? {
                continue;
            }
            let bytes = Opened::Regular(reader, found.clone()).bytes(Use::Password);
            let bytes = bytes.map_err(|error| unreadable(named, WHAT, error))?;
            let text = String::from_utf8(bytes).map(Zeroizing::new).map_err(|_| {
                let why = Unread::Refused("it is not text".to_owned());
                unreadable(named, WHAT, why)
            })?;
            return Ok(RefreshFile {
                path,
                found,
                text,
                _lock: lock,
            });
        }
    }

    /// Returns the token.
    ///
    /// # Errors
    /// 78 when there is none.
    pub(super) fn token(&self) -> Result<Secret, Failure> {
        first_line(&self.text).ok_or_else(|| {
            let what = format!("there is no {WHAT} in {}", sanitize::path(&self.path));
            Failure::new(Kind::Config, what)
        })
    }

    /// Makes the file that will hold the next token, so that a full disk or a missing right is known
    /// before the service gives one.
    pub(super) fn prepare(&self) -> io::Result<Successor<'_>> {
        let path = temporary_of(&self.path);
        let file = names::make_in(nix::fcntl::AT_FDCWD, &path)?;
        let successor = Successor {
            of: self,
            file,
            path: Some(path),
        };
        let made = successor.file.metadata()?;
        if (made.uid(), made.gid()) != (self.found.uid(), self.found.gid()) {
            fchown(
                &successor.file,
                Some(self.found.uid()),
                Some(self.found.gid()),
            )?;
        }
        let mode = fs::Permissions::from_mode(self.found.mode() & 0o777);
        successor.file.set_permissions(mode)?;
        Ok(successor)
    }
}

/// The file of the next token, before it has the name.
pub(super) struct Successor<'a> {
    of: &'a RefreshFile,
    file: File,
    path: Option<PathBuf>,
}

impl Successor<'_> {
    /// Puts the next token in the place of the old one, and on the disk.
    ///
    /// # Errors
    /// When it cannot be written; the old one stands there then.
    pub(super) fn write(mut self, token: &Secret) -> io::Result<()> {
        let old = &self.of.text;
        // Whatever else stands in the file stays.
        let rest = old.split_once('\n').map_or("", |(_, rest)| rest);
        let text = Zeroizing::new(format!("{}\n{rest}", token.reveal()));
        self.file.write_all(text.as_bytes())?;
        self.file.sync_all()?;
        if let Some(path) = &self.path {
            fs::rename(path, &self.of.path)?;
        }
        self.path = None;
        sync_name(&self.of.path, &self.file)
    }
}

impl Drop for Successor<'_> {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            let _ = fs::remove_file(path);
        }
    }
}

/// Finishes what a process has left that died between the service's answer and the rename; returns
/// whether the name means another file now.
///
/// Its file is complete when it ends in a line end. The service may refuse the old token already.
fn adopt(path: &Path, found: &Metadata, is_locked: bool) -> io::Result<bool> {
    // Without a lock its maker may be alive.
    if !is_locked {
        return Ok(false);
    }
    let left = match named_like(&[&temporary_prefix(path)]) {
        Ok(left) => left,
        // A directory that we may not list is not ours to clear.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(false),
        Err(error) => return Err(error),
    };
    for left in left {
        let Ok(Opened::Regular(file, made)) = read::open(&left, Use::Password) else {
            continue;
        };
        // In a directory that others may write to the name may be anybody's.
        let is_same = (made.uid(), made.gid(), made.mode(), made.nlink())
            == (found.uid(), found.gid(), found.mode(), 1);
        let names = fs::symlink_metadata(&left)?;
        if !is_same || !names.is_file() {
            continue;
        }
        let bytes = Opened::Regular(file.try_clone()?, made).bytes(Use::Password);
        let bytes = Zeroizing::new(bytes.map_err(io::Error::from)?);
        if bytes.ends_with(b"\n") && bytes.len() > 1 {
            file.sync_all()?;
            fs::rename(&left, path)?;
            sync_name(path, &file)?;
            return Ok(true);
        }
        fs::remove_file(&left)?;
    }
    Ok(false)
}

/// Says that a new token cannot be kept.
pub(super) fn not_kept(path: &Path, error: io::Error) -> Failure {
    let what = format!(
        "the service gave a new refresh token, which cannot be written to {}",
        sanitize::path(&path)
    );
    let directory = directory_of(path);
    Failure::new(Kind::Config, what)
        .because(error)
        .hint(format!(
            "allow the user who sends the mail to make files in {}",
            sanitize::path(&directory)
        ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        fs::write(&path, "one\n# from the browser\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        (directory, path)
    }

    fn open(path: &Path) -> RefreshFile {
        RefreshFile::open(path, &AtomicBool::new(false))
            .ok()
            .unwrap()
    }

    fn names(directory: &tempfile::TempDir) -> Vec<String> {
        let names = fs::read_dir(directory.path()).unwrap();
        let mut names: Vec<String> = names
            .map(|name| name.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_new_token_takes_the_place_of_the_old_one() {
        let (directory, path) = world();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink("token", &link).unwrap();
        let file = open(&link);
        assert_eq!(file.token().unwrap(), Secret::new("one"));
        file.prepare().unwrap().write(&Secret::new("two")).unwrap();
        drop(file);
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "two\n# from the browser\n"
        );
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(open(&path).token().unwrap(), Secret::new("two"));
        // One that is not needed leaves nothing.
        drop(open(&path).prepare().unwrap());
        assert_eq!(names(&directory), ["link", "token"]);
    }

    #[test]
    fn whoever_waited_for_the_lock_reads_the_new_token() {
        let (_directory, path) = world();
        let file = open(&path);
        let waiting = thread::spawn({
            let path = path.clone();
            move || open(&path).token().unwrap()
        });
        thread::sleep(2 * SLICE);
        file.prepare().unwrap().write(&Secret::new("two")).unwrap();
        drop(file);
        assert_eq!(waiting.join().unwrap(), Secret::new("two"));
        let file = open(&path);
        let busy = RefreshFile::open(&path, &AtomicBool::new(true))
            .err()
            .unwrap();
        assert_eq!(busy.kind, Kind::TryLater);
        drop(file);
    }

    #[test]
    fn what_a_killed_process_has_left_is_finished_or_removed() {
        let leave = |path: &Path, text: &str| {
            let left = temporary_of(path);
            fs::write(&left, text).unwrap();
            fs::set_permissions(&left, fs::Permissions::from_mode(0o600)).unwrap();
        };
        for (left, token) in [("two\n", "two"), ("tw", "one"), ("", "one"), ("\n", "one")] {
            let (directory, path) = world();
            leave(&path, left);
            assert_eq!(open(&path).token().unwrap(), Secret::new(token), "{left:?}");
            assert_eq!(names(&directory), ["token"], "{left:?}");
        }
        // Not one that others may have made.
        let (directory, path) = world();
        leave(&path, "two\n");
        let left = names(&directory).remove(0);
        let left = directory.path().join(left);
        fs::set_permissions(&left, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(open(&path).token().unwrap(), Secret::new("one"));
    }

    #[test]
    fn a_file_that_is_not_safe_is_refused() {
        let (directory, path) = world();
        let refused = |path: &Path, told: &str| {
            let failure = RefreshFile::open(path, &AtomicBool::new(false))
                .err()
                .unwrap();
            let text = crate::exit::with_causes(&failure);
            assert!(text.contains(told), "{text}");
            assert_eq!(failure.kind, Kind::Config, "{text}");
        };
        refused(
            &directory.path().join("none"),
            "cannot read the refresh token in",
        );
        refused(directory.path(), "it is a directory");
        refused(Path::new("/dev/null"), "not a regular file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        refused(&path, "other users can read the refresh token in");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "\n").unwrap();
        assert_eq!(open(&path).token().unwrap_err().kind, Kind::Config);
        fs::write(&path, b"\xff\n").unwrap();
        refused(&path, "it is not text");
    }
}
