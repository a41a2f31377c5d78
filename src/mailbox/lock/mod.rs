//! Locks for writing: every function that changes a mailbox file needs a [`MailboxLock`].
//!
//! # Which locks
//! All three, because no two of them keep every program out: dot-locks are the only lock of
//! OpenSMTPD's mail.local, flock the only one of qmail-local and dma, fcntl with dot-lock that of
//! Postfix, Exim, procmail, maildrop, Sendmail's mail.local, s-nail, bsd-mailx and mutt.
//!
//! # In which order
//! fcntl (as an OFD lock), dot-lock, flock, as Debian Policy 11.6 asks for the first two. Half of
//! the other programs take the dot-lock first, so a program that waited for one lock while it held
//! another could wait for ever: this program never waits inside the kernel. When another program
//! holds one of the locks, this one releases all, sleeps for a random time (so that two programs in
//! step fall out of it), and starts again, until [`LockOptions::patience`] ends. Locks are released
//! in the order flock, fcntl, dot-lock, after success and after failure.
//!
//! # What a `MailboxLock` proves
//! Functions that write to a mailbox take a [`MailboxLock`], so an unlocked write does not compile.
//! The file in it is the one that the path named when the locks were taken.
//!
//! While locks are held, signals that would end the process are deferred: a rewrite is finished,
//! and no lock is left behind. Waiting for locks can be interrupted.
//!
//! Where a dot-lock cannot be made, because the spool is not writable and the helper is missing, the
//! two kernel locks must suffice; [`LockOptions::kernel_only`] reports that under `-v`.

pub(in crate::mailbox) mod dot;
pub(in crate::mailbox) mod kernel;
mod wait;

use std::error::Error;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use wait::{Holder, Waiter};

use self::dot::DotLock;
use self::kernel::KernelAnswer;
use crate::exit::Kind;
use crate::sanitize;
use crate::sys::signals::{self, Held};
use crate::sys::{open, platform, random};

/// Where liblockfile's helper is installed.
const HELPERS: [&str; 2] = ["/usr/bin/dotlockfile", "/usr/local/bin/dotlockfile"];

/// The shortest and the longest sleep between two attempts, in milliseconds.
const NAPS: std::ops::Range<u64> = 100..1000;

/// How to lock.
#[derive(Clone, Copy)]
pub struct LockOptions<'a> {
    /// How long to wait for other programs, in all.
    pub patience: Duration,
    /// The setgid program that makes dot-locks in a spool that this process may not write to.
    pub helper: Option<&'a Path>,
    /// Called with the holder before each sleep; `false` ends the waiting at once.
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

/// Why a mailbox could not be locked.
#[derive(Debug)]
pub enum LockError {
    /// Another program held a lock all the time.
    Busy {
        /// The mailbox.
        path: PathBuf,
        /// The holder at the last attempt.
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
        /// The error of the system.
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

    /// Returns the next step: how the user removes a lock that no program holds any more.
    pub fn hint(&self) -> Option<String> {
        let LockError::Busy { holder, .. } = self else {
            return None;
        };
        let file = holder.lock_file.as_ref()?;
        Some(match &holder.program {
            Some(_) => format!(
                "if that process does not use the mailbox, remove the lock: {}",
                file.removal()
            ),
            None => format!(
                "if no program uses the mailbox, remove the lock: {}",
                file.removal()
            ),
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
                write!(
                    f,
                    "cannot lock {}: another program has replaced it",
                    sanitize::path(&path)
                )
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

/// A mailbox that this process may write: all its locks, which are released when this is dropped.
#[derive(Debug)]
pub(crate) struct MailboxLock {
    path: PathBuf,
    file: File,
    // Fields are dropped in this order, after `drop` has released the kernel locks: a program that
    // takes the dot-lock first finds the kernel locks free as soon as it has it.
    dot_lock: Option<DotLock>,
    // Last: a deferred signal ends the process here, and by then no lock file is left.
    _held: Held,
}

impl MailboxLock {
    /// Locks a mailbox that has been opened for reading and writing.
    ///
    /// # Errors
    /// [`LockError::Busy`] when another program holds a lock until the patience ends;
    /// [`LockError::Replaced`] when the path names another file than `file` once the locks are held.
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
                // A program that rewrites the mailbox may have renamed a new file to its place while
                // this one waited. Locks on the old file would protect mail that no reader sees.
                Ok(lock) if lock.is_still_named().map_err(io)? => {
                    if !lock.has_dot_lock()
                        && let Some(report) = options.kernel_only
                    {
                        report(&format!(
                            "{} is locked without a dot-lock: no file can be created in its directory",
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
            // Here no lock is held: the other program can finish while this one sleeps.
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

    /// Asks once for all locks; when one is held elsewhere, releases all and returns the holder.
    fn attempt(
        path: &Path,
        file: File,
        options: &LockOptions<'_>,
    ) -> io::Result<Result<MailboxLock, (Holder, File)>> {
        // Signals are deferred before the first lock exists: a signal between the making of the
        // lock file and this call would leave the file behind.
        let held = signals::hold();
        if kernel::lock_fcntl(&file) == KernelAnswer::Busy {
            let holder = Holder::of(kernel::fcntl_holder(&file));
            return Ok(Err((holder, file)));
        }
        let dot_lock = match dot::request(path, options.helper) {
            Ok(dot::DotAnswer::Granted(lock)) => Some(lock),
            Ok(dot::DotAnswer::Unsupported) => None,
            Ok(dot::DotAnswer::Busy(lock_file)) => {
                kernel::release(&file);
                return Ok(Err((Holder::of_dot_lock(lock_file), file)));
            }
            Err(error) => {
                kernel::release(&file);
                return Err(error);
            }
        };
        if kernel::lock_flock(&file) == KernelAnswer::Busy {
            // For flock the kernel has no call that names the holder; where /proc is hidden the
            // message says "another program".
            let locks = platform::lock_table();
            let pid = kernel::flock_holder(&locks, file.metadata()?.ino());
            // Kernel locks first, as in every release.
            kernel::release(&file);
            drop(dot_lock);
            return Ok(Err((Holder::of(pid), file)));
        }
        // Another process may have taken our lock file for a stale one and put its own in its place
        // while the flock was asked for. Dropping ours leaves a file of another alone.
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

    /// Returns whether a dot-lock is among the locks; without one only kernel locks protect the mailbox.
    pub(crate) fn has_dot_lock(&self) -> bool {
        self.dot_lock.is_some()
    }

    /// Keeps the lock from looking stale; a long write calls it now and then.
    pub(crate) fn refresh(&mut self) {
        if let Some(dot_lock) = &mut self.dot_lock {
            dot_lock.refresh();
        }
    }
}

impl Drop for MailboxLock {
    fn drop(&mut self) {
        // Not left to the closing of the file: a child process may have inherited the open file
        // for a moment, and would keep the locks.
        kernel::release(&self.file);
    }
}

#[cfg(test)]
mod tests;
