//! Locks for writing: the one door to a mailbox that is about to change.
//!
//! # Which locks
//! All three, because no two of them keep every program out: dot-locks are the only lock of
//! OpenSMTPD's mail.local, flock the only one of qmail-local and dma, fcntl with dot-lock that of
//! Postfix, Exim, procmail, maildrop, Sendmail's mail.local, s-nail, bsd-mailx and mutt.
//!
//! # In which order
//! fcntl (as an OFD lock), dot-lock, flock, as Debian Policy 11.6 asks for the first two. Half of
//! the others take the dot-lock first, so waiting for one lock while holding another could wait
//! for ever: nothing here ever waits inside the kernel. When one lock is held by somebody else, all
//! are given back, we sleep a random while (random, so that two programs in step fall out of it),
//! and start again, until our patience ends. Locks are given back in the order flock, fcntl,
//! dot-lock, whichever way we leave.
//!
//! # What it proves
//! Functions that write to a mailbox take a [`MailboxLock`], so an unlocked write does not
//! compile. The file of the guard is the one that the path named when the locks were taken.
//!
//! While locks are held signals that would end us wait: a rewrite is finished, and no lock is left
//! behind. Waiting for locks can be interrupted.
//!
//! Where a dot-lock cannot be had, for want of the right to write the spool and of the helper, the
//! two kernel locks must do; [`LockOptions::kernel_only`] reports that under `-v`.

pub(in crate::mailbox) mod dot;
pub(in crate::mailbox) mod kernel;

use std::cell::RefCell;
use std::error::Error;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use self::dot::{DotLock, LockFile};
use self::kernel::Request;
use crate::exit::Kind;
use crate::sanitize;
use crate::sys::signals::{self, Held};
use crate::sys::{open, random};

/// Where liblockfile's helper is installed.
const HELPERS: [&str; 2] = ["/usr/bin/dotlockfile", "/usr/local/bin/dotlockfile"];

/// The shortest and the longest sleep between two attempts, in milliseconds.
const NAPS: std::ops::Range<u64> = 100..1000;

/// How to lock.
#[derive(Clone, Copy)]
pub struct LockOptions<'a> {
    /// How long to wait for others, in all.
    pub patience: Duration,
    /// The setgid program that makes dot-locks in a spool that we may not write to.
    pub helper: Option<&'a Path>,
    /// Told who is in the way before each sleep; `false` ends the waiting at once.
    pub waiting: Option<&'a dyn Fn(&Holder) -> bool>,
    /// Called with a line for the user where the kernel locks alone protect the mailbox.
    pub kernel_only: Option<&'a dyn Fn(&str)>,
}

impl Default for LockOptions<'_> {
    /// Thirty seconds, and `dotlockfile` where it is installed.
    fn default() -> Self {
        LockOptions {
            patience: Duration::from_secs(30),
            helper: HELPERS.iter().map(Path::new).find(|path| path.exists()),
            waiting: None,
            kernel_only: None,
        }
    }
}

impl fmt::Debug for LockOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockOptions")
            .field("patience", &self.patience)
            .field("helper", &self.helper)
            .finish_non_exhaustive()
    }
}

/// Who holds a lock, as far as it can be known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// The process, if the lock names one. One that holds an OFD lock has no number.
    pub pid: Option<u32>,
    /// The name of that process, if it runs here.
    pub program: Option<String>,
    /// The dot-lock by which it holds the mailbox, if it is that.
    pub lock_file: Option<Box<LockFile>>,
}

impl Holder {
    fn of(pid: Option<u32>) -> Holder {
        Holder {
            pid,
            program: pid
                .and_then(|pid| fs::read_to_string(format!("/proc/{pid}/comm")).ok())
                .map(|name| name.trim_end().to_owned()),
            lock_file: None,
        }
    }

    fn of_dot_lock(file: Option<LockFile>) -> Holder {
        let holder = Holder::of(file.as_ref().and_then(|file| file.pid));
        Holder {
            // A number that names no process here says nothing: nobody holds it, or it is one elsewhere.
            pid: holder.pid.filter(|_| holder.program.is_some()),
            lock_file: file.map(Box::new),
            ..holder
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.pid, &self.program) {
            (Some(pid), Some(program)) => write!(f, "process {pid} ({program})"),
            (Some(pid), None) => write!(f, "process {pid}"),
            (None, _) => f.write_str("another program"),
        }
    }
}

/// How long a lock is waited for before anybody is told.
const UNTOLD_WAIT: Duration = Duration::from_secs(1);

/// A wait for a lock as its user sees it: it says once who is waited for, and ends when the user
/// wants no more of it. Everybody who locks a mailbox for a user waits with one.
pub struct Waiter<'a> {
    path: &'a Path,
    is_over: &'a dyn Fn() -> bool,
    tell: &'a dyn Fn(&str),
    since: Instant,
    tells_changes: bool,
    told: RefCell<Option<Holder>>,
}

impl<'a> Waiter<'a> {
    /// Starts to wait for the lock of a mailbox.
    ///
    /// `is_over` says whether the user wants no more of it, as after a signal; `tell` gets
    /// `process 7 (mutt), which holds /var/mail/root`.
    pub fn new(path: &'a Path, is_over: &'a dyn Fn() -> bool, tell: &'a dyn Fn(&str)) -> Self {
        Waiter {
            path,
            is_over,
            tell,
            since: Instant::now(),
            tells_changes: false,
            told: RefCell::new(None),
        }
    }

    /// Says also when somebody else has become the holder, if somebody watches.
    pub fn tell_changes(mut self, watched: bool) -> Self {
        self.tells_changes = watched;
        self
    }

    /// Returns whether to wait on.
    pub fn waits(&self, holder: &Holder) -> bool {
        if (self.is_over)() {
            return false;
        }
        let mut told = self.told.borrow_mut();
        let is_news = match &*told {
            None => true,
            // A lock that is touched has another age, and is no news.
            Some(last) => self.tells_changes && last.to_string() != holder.to_string(),
        };
        if is_news && self.since.elapsed() >= UNTOLD_WAIT {
            let lock_file = holder.lock_file.as_ref();
            let path = lock_file.map_or(self.path, |file| &file.path);
            (self.tell)(&format!("{holder}, which holds {}", sanitize::path(&path)));
            *told = Some(holder.clone());
        }
        true
    }
}

/// Why a mailbox could not be locked.
#[derive(Debug)]
pub enum LockError {
    /// Somebody held a lock all the time.
    Busy {
        /// The mailbox.
        path: PathBuf,
        /// Who, when we last looked.
        holder: Holder,
    },
    /// The path names another file than the one that was opened; open it again.
    Replaced {
        /// The mailbox.
        path: PathBuf,
    },
    /// Locking failed otherwise.
    Io {
        /// The mailbox.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl LockError {
    /// Returns what kind of failure this is for the exit status.
    pub fn kind(&self) -> Kind {
        match self {
            LockError::Busy { .. } | LockError::Replaced { .. } => Kind::TryLater,
            LockError::Io { source, .. } => open::kind_of(source, Kind::Io),
        }
    }

    /// Returns whether the same may succeed later.
    pub fn is_temporary(&self) -> bool {
        self.kind() == Kind::TryLater
    }

    /// Returns the next step: how a lock is removed that nobody holds any more.
    pub fn hint(&self) -> Option<String> {
        let LockError::Busy { holder, .. } = self else {
            return None;
        };
        let file = holder.lock_file.as_ref()?;
        Some(match &holder.program {
            Some(_) => format!("if that process does not use it: {}", file.removal()),
            None => format!("if no program uses the mailbox: {}", file.removal()),
        })
    }
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LockError::Busy { path, holder } => {
                write!(f, "cannot lock {}: ", sanitize::path(&path))?;
                match &holder.lock_file {
                    Some(file) if holder.program.is_some() => {
                        write!(f, "{holder} holds {} ({file})", sanitize::path(&file.path))
                    }
                    Some(file) => {
                        write!(f, "{} is in the way ({file})", sanitize::path(&file.path))
                    }
                    None => write!(f, "{holder} holds it"),
                }
            }
            LockError::Replaced { path } => {
                write!(f, "cannot lock {}: it was replaced", sanitize::path(&path))
            }
            LockError::Io { path, .. } => write!(f, "cannot lock {}", sanitize::path(&path)),
        }
    }
}

impl Error for LockError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            LockError::Io { source, .. } => Some(source),
            LockError::Busy { .. } | LockError::Replaced { .. } => None,
        }
    }
}

/// A mailbox that is ours to write: all its locks, given back when this goes.
#[derive(Debug)]
pub(crate) struct MailboxLock {
    path: PathBuf,
    file: File,
    // After the kernel locks, which `drop` gives back.
    dot_lock: Option<DotLock>,
    // Last of all: who is told to stop with locks in hand gives them back first.
    _held: Held,
}

impl MailboxLock {
    /// Locks a mailbox that has been opened for reading and writing.
    ///
    /// # Errors
    /// [`LockError::Busy`] when somebody holds a lock until our patience ends;
    /// [`LockError::Replaced`] when the path names another file than `file` once the locks are ours.
    pub(crate) fn acquire(
        path: &Path,
        file: File,
        options: &LockOptions<'_>,
    ) -> Result<MailboxLock, LockError> {
        let deadline = Instant::now() + options.patience;
        let io = |source| LockError::Io {
            path: path.to_owned(),
            source,
        };
        let mut file = file;
        loop {
            let holder = match MailboxLock::attempt(path, file, options).map_err(io)? {
                Ok(lock) if lock.is_still_named().map_err(io)? => {
                    if !lock.has_dot_lock()
                        && let Some(report) = options.kernel_only
                    {
                        report(&format!(
                            "{} is locked without a dot-lock: its directory cannot be written",
                            sanitize::path(&path)
                        ));
                    }
                    return Ok(lock);
                }
                Ok(lock) => {
                    return Err(LockError::Replaced {
                        path: lock.path.clone(),
                    });
                }
                Err((holder, unlocked)) => {
                    file = unlocked;
                    holder
                }
            };
            let left = deadline.saturating_duration_since(Instant::now());
            let goes_on = options.waiting.is_none_or(|waiting| waiting(&holder));
            if left.is_zero() || !goes_on {
                return Err(LockError::Busy {
                    path: path.to_owned(),
                    holder,
                });
            }
            let nap = NAPS.start + random::number() % (NAPS.end - NAPS.start);
            std::thread::sleep(Duration::from_millis(nap).min(left));
        }
    }

    /// Asks once for all locks; gives all back, and names the holder, when one is not to be had.
    fn attempt(
        path: &Path,
        file: File,
        options: &LockOptions<'_>,
    ) -> io::Result<Result<MailboxLock, (Holder, File)>> {
        let held = signals::hold();
        if kernel::lock_fcntl(&file) == Request::Busy {
            let holder = Holder::of(kernel::fcntl_holder(&file));
            return Ok(Err((holder, file)));
        }
        let dot_lock = match dot::request(path, options.helper) {
            Ok(dot::Request::Granted(lock)) => Some(lock),
            Ok(dot::Request::Unsupported) => None,
            Ok(dot::Request::Busy(lock_file)) => {
                kernel::release(&file);
                return Ok(Err((Holder::of_dot_lock(lock_file), file)));
            }
            Err(error) => {
                kernel::release(&file);
                return Err(error);
            }
        };
        if kernel::lock_flock(&file) == Request::Busy {
            let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
            let pid = kernel::flock_holder(&locks, file.metadata()?.ino());
            kernel::release(&file);
            drop(dot_lock);
            return Ok(Err((Holder::of(pid), file)));
        }
        if dot_lock.as_ref().is_some_and(|lock| !lock.has_name()) {
            kernel::release(&file);
            return Ok(Err((Holder::default(), file)));
        }
        Ok(Ok(MailboxLock {
            path: path.to_owned(),
            file,
            dot_lock,
            _held: held,
        }))
    }

    /// Returns whether the path still names the file that is locked.
    fn is_still_named(&self) -> io::Result<bool> {
        let ours = self.file.metadata()?;
        match fs::metadata(&self.path) {
            Ok(named) => Ok((named.dev(), named.ino()) == (ours.dev(), ours.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Returns the mailbox's path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the mailbox, open for reading and writing.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Returns whether a dot-lock is among the locks; without one only kernel locks protect us.
    pub(crate) fn has_dot_lock(&self) -> bool {
        self.dot_lock.is_some()
    }

    /// Keeps the lock from looking stale; to be called now and then by whoever writes for long.
    pub(crate) fn refresh(&mut self) {
        if let Some(dot_lock) = &mut self.dot_lock {
            dot_lock.refresh();
        }
    }
}

impl Drop for MailboxLock {
    fn drop(&mut self) {
        kernel::release(&self.file);
    }
}

#[cfg(test)]
mod tests;
