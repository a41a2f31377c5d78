//! Waiting for a lock: the holder, and the messages about the wait.

use std::cell::RefCell;
use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use super::dot::LockFile;
use crate::sanitize;
use crate::sys::platform;

/// The holder of a lock, as far as it can be known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// The process, if the lock names one. The kernel gives no pid for an OFD lock.
    pub pid: Option<u32>,
    /// The name of that process, if it runs here.
    pub program: Option<String>,
    /// The dot-lock, if that is the lock by which the process holds the mailbox.
    pub lock_file: Option<Box<LockFile>>,
}

impl Holder {
    pub(super) fn of(pid: Option<u32>) -> Holder {
        Holder {
            pid,
            program: pid.and_then(platform::program_of),
            lock_file: None,
        }
    }

    pub(super) fn of_dot_lock(file: Option<LockFile>) -> Holder {
        let holder = Holder::of(file.as_ref().and_then(|file| file.pid));
        Holder {
            // A pid without a process here is not shown: the holder is dead, or runs on another
            // host or in another container, where the number means another process.
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

/// How long a lock is waited for before the user hears of it; most locks are released sooner.
const SILENT_WAIT: Duration = Duration::from_secs(1);

/// A wait for a lock as the user sees it: the holder is reported once, and the wait ends when the
/// user interrupts it. Every command that locks a mailbox for a user waits with this type.
pub struct Waiter<'a> {
    path: &'a Path,
    is_over: &'a dyn Fn() -> bool,
    report: &'a dyn Fn(&str),
    since: Instant,
    reports_changes: bool,
    reported: RefCell<Option<Holder>>,
}

impl<'a> Waiter<'a> {
    /// Starts to wait for the lock of a mailbox.
    ///
    /// `is_over` returns whether the user has ended the wait, as by a signal; `report` is called with
    /// `process 7 (mutt), which holds /var/mail/root`.
    pub fn new(path: &'a Path, is_over: &'a dyn Fn() -> bool, report: &'a dyn Fn(&str)) -> Self {
        Waiter {
            path,
            is_over,
            report,
            since: Instant::now(),
            reports_changes: false,
            reported: RefCell::new(None),
        }
    }

    /// Also reports that another process has become the holder, if a user watches the terminal.
    pub fn report_changes(mut self, watched: bool) -> Self {
        self.reports_changes = watched;
        self
    }

    /// Returns whether to go on waiting for this holder; reports it where that is due.
    pub fn waits(&self, holder: &Holder) -> bool {
        if (self.is_over)() {
            return false;
        }
        let mut reported = self.reported.borrow_mut();
        let is_news = match &*reported {
            None => true,
            // The texts are compared and not the values: a lock file that was touched in between
            // has another age, but still the same holder.
            Some(last) => self.reports_changes && last.to_string() != holder.to_string(),
        };
        if is_news && self.since.elapsed() >= SILENT_WAIT {
            let lock_file = holder.lock_file.as_ref();
            let path = lock_file.map_or(self.path, |file| &file.path);
            (self.report)(&format!("{holder}, which holds {}", sanitize::path(&path)));
            *reported = Some(holder.clone());
        }
        true
    }
}
