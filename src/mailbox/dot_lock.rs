//! The dot-lock: a file `mailbox.lock` beside the mailbox.
//!
//! # States
//! - No such file: free.
//! - `mailbox.lock` exists: held. It appears with its whole content, because it is made by link(2)
//!   from a temporary file `mailbox.lock.RANDOM`, which is also what makes it safe on old NFS.
//! - A temporary file alone: its maker died in between; it locks nothing.
//!
//! # Content
//! Line 1 is the holder's pid, as other programs write and read it. Line 2 is ours: host name,
//! boot id and pid namespace. Only where line 2 is that of this system does the pid say anything
//! to us, and a dead pid frees the lock at once; any other lock is stale when it is five minutes
//! old. A lock that we hold longer is touched meanwhile ([`DotLock::refresh`]).
//!
//! # Without the right to write the directory
//! `dotlockfile` of liblockfile, which is setgid mail where it is installed, makes and removes it
//! for us. Without it there is no dot-lock, and the two kernel locks have to do.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, FileTimes, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::signal::kill;
use nix::unistd::Pid;

use crate::sys::{child, clock, host, random};

/// From this age on a dot-lock that does not name one of our processes is stale.
const STALE: Duration = Duration::from_secs(5 * 60);

/// How often a lock that is held long is touched.
const REFRESH: Duration = Duration::from_secs(60);

/// How much of a lock file is read.
const MAX_CONTENT: u64 = 1024;

/// What became of a request for the dot-lock.
#[derive(Debug)]
pub(super) enum Request {
    /// We hold it.
    Granted(DotLock),
    /// Somebody else holds it; this is the pid in it, if it has one.
    Busy(Option<u32>),
    /// We may not make one.
    Unsupported,
}

/// A dot-lock that we hold; it is removed when this goes.
#[derive(Debug)]
pub(super) struct DotLock {
    path: PathBuf,
    made_by: Maker,
    touched: std::time::SystemTime,
}

/// Who made a dot-lock, and so who removes it.
#[derive(Debug)]
enum Maker {
    /// We. While the file is open its inode cannot become another file's.
    Us(File),
    /// The helper at this path.
    Helper(PathBuf),
}

/// Asks for the dot-lock of a mailbox, without waiting.
///
/// A stale lock is removed first. The caller holds the kernel lock on the mailbox, so no other
/// process of ours does the same at this moment.
pub(super) fn request(mailbox: &Path, helper: Option<&Path>) -> io::Result<Request> {
    let path = path_of(mailbox);
    for _ in 0..2 {
        match make(&path) {
            Ok(request) => return Ok(request),
            Err(error) => match error.raw_os_error().map(Errno::from_raw) {
                Some(Errno::EEXIST) => {
                    let Some(content) = Content::read(&path)? else {
                        // It has gone meanwhile.
                        continue;
                    };
                    if !content.is_stale() || !content.remove(&path) {
                        return Ok(Request::Busy(content.pid));
                    }
                }
                Some(
                    why @ (Errno::EACCES
                    | Errno::EPERM
                    | Errno::EROFS
                    | Errno::ENOSPC
                    | Errno::EDQUOT),
                ) => {
                    // We cannot make one, but we can see one.
                    return Ok(match Content::read(&path)? {
                        Some(content) if !content.is_stale() => Request::Busy(content.pid),
                        // Not even room for a name.
                        _ if matches!(why, Errno::ENOSPC | Errno::EDQUOT) => Request::Unsupported,
                        _ => ask_helper(&path, helper),
                    });
                }
                _ => return Err(error),
            },
        }
    }
    Ok(Request::Busy(None))
}

/// Returns the path of a mailbox's dot-lock.
pub(super) fn path_of(mailbox: &Path) -> PathBuf {
    with_suffix(mailbox, ".lock")
}

impl DotLock {
    /// Touches a lock that has been held for a while, so that nobody takes it for stale.
    pub(super) fn refresh(&mut self) {
        let now = clock::now();
        if now.duration_since(self.touched).unwrap_or_default() < REFRESH {
            return;
        }
        self.touched = now;
        // It is ours; that it could not be touched does not make it less so.
        let _ = match &self.made_by {
            Maker::Us(file) => file.set_times(FileTimes::new().set_modified(now)),
            Maker::Helper(helper) => run_helper(helper, &["-t"], &self.path).map(drop),
        };
    }
}

impl Drop for DotLock {
    fn drop(&mut self) {
        match &self.made_by {
            Maker::Us(file) => {
                // Somebody may have taken it for stale and made his own.
                let is_ours = match (file.metadata(), fs::symlink_metadata(&self.path)) {
                    (Ok(ours), Ok(named)) => (ours.dev(), ours.ino()) == (named.dev(), named.ino()),
                    _ => false,
                };
                if is_ours {
                    let _ = fs::remove_file(&self.path);
                }
            }
            Maker::Helper(helper) => {
                let _ = run_helper(helper, &["-u"], &self.path);
            }
        }
    }
}

/// Makes a lock file with its content in one step; fails with `EEXIST` when there is one.
fn make(path: &Path) -> io::Result<Request> {
    let temporary = with_suffix(path, &format!(".{:016x}", random::number()));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o644)
        .custom_flags(OFlag::O_NOFOLLOW.bits())
        .open(&temporary)?;
    write_content(&mut file);
    let linked = fs::hard_link(&temporary, path);
    let metadata = file.metadata();
    let _ = fs::remove_file(&temporary);
    let metadata = metadata?;
    // The answer to link(2) may be lost on NFS; the number of links is what counts.
    match linked {
        Err(error) if metadata.nlink() != 2 => {
            match error.raw_os_error().map(Errno::from_raw) {
                // A file system without links.
                Some(Errno::EPERM | Errno::EOPNOTSUPP | Errno::EMLINK) => make_directly(path),
                _ => Err(error),
            }
        }
        _ => Ok(granted(path, file)),
    }
}

/// Makes a lock file where there are no links.
fn make_directly(path: &Path) -> io::Result<Request> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o644)
        .custom_flags(OFlag::O_NOFOLLOW.bits())
        .open(path)?;
    write_content(&mut file);
    Ok(granted(path, file))
}

/// Returns a lock that we have just made.
fn granted(path: &Path, file: File) -> Request {
    Request::Granted(DotLock {
        path: path.to_owned(),
        made_by: Maker::Us(file),
        touched: clock::now(),
    })
}

/// Lets the helper make the lock.
fn ask_helper(path: &Path, helper: Option<&Path>) -> Request {
    let Some(helper) = helper else {
        return Request::Unsupported;
    };
    // The status is liblockfile's: 4 says that the lock is held, all others that the helper
    // may not or cannot.
    match run_helper(helper, &["-l", "-p", "-q", "-r", "0"], path) {
        Ok(Some(0)) => Request::Granted(DotLock {
            path: path.to_owned(),
            made_by: Maker::Helper(helper.to_owned()),
            touched: clock::now(),
        }),
        Ok(Some(4)) => Request::Busy(
            Content::read(path)
                .ok()
                .flatten()
                .and_then(|content| content.pid),
        ),
        Ok(_) | Err(_) => Request::Unsupported,
    }
}

/// Runs the helper on a lock file and returns its exit status.
fn run_helper(helper: &Path, options: &[&str], path: &Path) -> io::Result<Option<i32>> {
    let status = child::command(helper)
        .args(options)
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    Ok(status.code())
}

/// What a lock file says.
struct Content {
    pid: Option<u32>,
    is_of_this_system: bool,
    metadata: fs::Metadata,
}

impl Content {
    /// Reads a lock file; `None` when there is none any more.
    ///
    /// What is no regular file, or unreadable, is a lock without content.
    fn read(path: &Path) -> io::Result<Option<Content>> {
        let metadata = match fs::symlink_metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        if metadata.is_file()
            && let Ok(file) = open_no_follow(path)
        {
            let _ = file.take(MAX_CONTENT).read_to_end(&mut bytes);
        }
        let text = String::from_utf8_lossy(&bytes);
        let mut lines = text.lines();
        Ok(Some(Content {
            pid: lines.next().and_then(|line| line.trim().parse().ok()),
            is_of_this_system: lines.next() == Some(this_system().as_str()),
            metadata,
        }))
    }

    /// Returns whether the holder is gone, as far as we can know.
    fn is_stale(&self) -> bool {
        if !self.metadata.is_file() {
            // Nobody makes such a lock; whoever put it there may have it.
            return false;
        }
        match self.pid.and_then(|pid| i32::try_from(pid).ok()) {
            Some(pid) if self.is_of_this_system && pid > 0 => {
                kill(Pid::from_raw(pid), None) == Err(Errno::ESRCH)
            }
            _ => self
                .metadata
                .modified()
                .ok()
                .and_then(|modified| clock::now().duration_since(modified).ok())
                .is_some_and(|age| age > STALE),
        }
    }

    /// Removes the lock file if it is still the one that was read.
    fn remove(&self, path: &Path) -> bool {
        let is_same = fs::symlink_metadata(path).is_ok_and(|now| {
            (now.dev(), now.ino()) == (self.metadata.dev(), self.metadata.ino())
                && now.modified().ok() == self.metadata.modified().ok()
        });
        is_same && fs::remove_file(path).is_ok()
    }
}

/// Opens a file that may be anything without following it or waiting for it.
fn open_no_follow(path: &Path) -> io::Result<File> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits())
        .open(path)
}

/// Writes who we are into a lock file.
///
/// On a full disk the lock stays empty, which others accept for five minutes: deleting mail must
/// not fail for want of these bytes. Half a pid would be somebody else's.
fn write_content(file: &mut File) {
    let content = format!("{}\n{}\n", std::process::id(), this_system());
    if file.write_all(content.as_bytes()).is_err() {
        let _ = file.set_len(0);
    }
}

/// Returns what says that a pid is one of this system: host name, boot id, pid namespace.
fn this_system() -> String {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    format!(
        "{} {} {}",
        host::node_name(),
        boot.trim(),
        namespace.display()
    )
}

/// Returns a path with something added to its last name.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(OsStr::new(suffix));
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::os::unix::fs::symlink;

    struct Spool(tempfile::TempDir);

    impl Spool {
        fn new() -> Spool {
            Spool(tempfile::tempdir().expect("a directory"))
        }

        fn mailbox(&self) -> PathBuf {
            self.0.path().join("mbox")
        }

        fn lock(&self) -> PathBuf {
            self.0.path().join("mbox.lock")
        }

        fn request(&self) -> Request {
            request(&self.mailbox(), None).expect("an answer")
        }

        fn age(&self, age: Duration) {
            let file = OpenOptions::new()
                .write(true)
                .open(self.lock())
                .expect("opened");
            file.set_modified(clock::now() - age).expect("times");
        }
    }

    #[test]
    fn the_lock_names_us_and_goes_with_its_guard() {
        let spool = Spool::new();
        let Request::Granted(held) = spool.request() else {
            panic!("free");
        };
        let text = fs::read_to_string(spool.lock()).expect("content");
        assert_eq!(
            text.lines().next(),
            Some(std::process::id().to_string().as_str())
        );
        assert_eq!(text.lines().nth(1), Some(this_system().as_str()));
        let Request::Busy(pid) = spool.request() else {
            panic!("held");
        };
        assert_eq!(pid, Some(std::process::id()));
        drop(held);
        assert_eq!(fs::read_dir(spool.0.path()).expect("listed").count(), 0);
    }

    #[test]
    fn stale_locks_are_removed_and_others_are_not() {
        let dead = {
            // A child that has been waited for: its pid was in use just now.
            let mut child = child::command("true").spawn().expect("started");
            child.wait().expect("waited");
            child.id()
        };
        let (us, here, old) = (std::process::id(), this_system(), STALE * 2);
        let rows = [
            (format!("{dead}\n{here}\n"), Duration::ZERO, true),
            (format!("{us}\n{here}\n"), old, false),
            (
                format!("{dead}\nother-host boot ns\n"),
                Duration::ZERO,
                false,
            ),
            (format!("{dead}\n"), Duration::ZERO, false),
            (format!("{dead}\n"), old, true),
            (String::new(), Duration::ZERO, false),
            (String::new(), old, true),
            ("-1\n".to_owned(), STALE / 2, false),
        ];
        for (content, age, is_stale) in rows {
            let spool = Spool::new();
            fs::write(spool.lock(), &content).expect("written");
            spool.age(age);
            let is_granted = matches!(spool.request(), Request::Granted(_));
            assert_eq!(is_granted, is_stale, "{content:?} {age:?}");
            assert_eq!(spool.lock().exists(), !is_stale, "{content:?} {age:?}");
        }
    }

    #[test]
    fn a_planted_lock_is_not_followed_and_not_removed() {
        let spool = Spool::new();
        let victim = spool.0.path().join("victim");
        fs::write(&victim, "1\n").expect("written");
        symlink(&victim, spool.lock()).expect("a link");
        assert!(matches!(spool.request(), Request::Busy(None)));
        assert!(spool.lock().is_symlink());
        assert_eq!(fs::read_to_string(&victim).expect("content"), "1\n");
        fs::remove_file(spool.lock()).expect("removed");
        nix::unistd::mkfifo(&spool.lock(), nix::sys::stat::Mode::S_IRWXU).expect("a FIFO");
        assert!(matches!(spool.request(), Request::Busy(None)));
    }

    #[test]
    fn a_lock_that_somebody_replaced_stays() {
        let spool = Spool::new();
        let Request::Granted(held) = spool.request() else {
            panic!("free");
        };
        fs::remove_file(spool.lock()).expect("removed");
        fs::write(spool.lock(), "1\n").expect("written");
        drop(held);
        assert!(spool.lock().exists());
    }

    #[test]
    fn a_lock_is_touched_when_a_minute_has_passed() {
        let spool = Spool::new();
        let Request::Granted(mut held) = spool.request() else {
            panic!("free");
        };
        let modified = || {
            fs::metadata(spool.lock())
                .expect("there")
                .modified()
                .expect("time")
        };
        spool.age(STALE);
        let before = modified();
        held.refresh();
        assert_eq!(modified(), before);
        held.touched -= REFRESH;
        held.refresh();
        assert!(modified() > before);
    }

    #[test]
    fn where_there_is_no_right_the_helper_is_asked() {
        let spool = Spool::new();
        for (status, expected) in [
            ("exit 0", "granted"),
            ("exit 4", "busy"),
            ("exit 5", "none"),
        ] {
            let helper = spool.0.path().join("helper");
            let script = format!(
                "#!/bin/sh\necho \"$@\" >> {0}/log\n{status}\n",
                spool.0.path().display()
            );
            // Not renamed into place: a process forked meanwhile may hold it open for writing.
            let mut answer = Request::Unsupported;
            for _ in 0..100 {
                fs::write(&helper, &script).expect("written");
                fs::set_permissions(&helper, std::os::unix::fs::PermissionsExt::from_mode(0o755))
                    .expect("mode");
                answer = ask_helper(&spool.lock(), Some(&helper));
                if !matches!(answer, Request::Unsupported) || expected == "none" {
                    break;
                }
            }
            let found = match answer {
                Request::Granted(_) => "granted",
                Request::Busy(_) => "busy",
                Request::Unsupported => "none",
            };
            assert_eq!(found, expected);
        }
        let log = fs::read_to_string(spool.0.path().join("log")).expect("log");
        let lock = spool.lock();
        assert!(log.contains(&format!("-l -p -q -r 0 {}\n", lock.display())));
        assert!(log.contains(&format!("-u {}\n", lock.display())), "{log}");
        let missing = Path::new("/nonexistent/dotlockfile");
        assert!(matches!(
            ask_helper(&lock, Some(missing)),
            Request::Unsupported
        ));
        assert!(matches!(ask_helper(&lock, None), Request::Unsupported));
    }
}
