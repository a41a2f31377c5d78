//! How far a long piece of work has come: who does it counts here, and `ui::progress` shows it.
//!
//! The count is one of the process, because the work is done many layers below those that know a
//! terminal, and so that counting costs one addition where nobody watches. The outermost piece of work
//! is the one that is counted: a search that reads messages is a search.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Messages.
    Messages,
    /// Bytes.
    Bytes,
}

/// A piece of work that is under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    /// What is done: `reading`.
    pub what: &'static str,
    /// What is counted.
    pub unit: Unit,
    /// How much there is to do.
    pub total: u64,
    /// When it began.
    pub since: Instant,
}

/// Whether somebody watches.
static IS_WATCHED: AtomicBool = AtomicBool::new(false);
/// How much of the work is done.
static DONE: AtomicU64 = AtomicU64::new(0);
static WORK: Mutex<Option<Work>> = Mutex::new(None);
/// Rings when work begins or ends.
static BELL: Condvar = Condvar::new();
/// Takes what is shown from the screen.
static CLEAR: OnceLock<fn()> = OnceLock::new();

/// Work that is counted until this value is dropped.
#[derive(Debug)]
#[must_use]
pub(crate) struct Progress {
    is_counted: bool,
}

/// Begins a piece of work.
pub(crate) fn begin(what: &'static str, unit: Unit, total: u64) -> Progress {
    let mut is_counted = false;
    if IS_WATCHED.load(Ordering::Relaxed) && total >= least(unit) {
        let mut work = lock();
        if work.is_none() {
            DONE.store(0, Ordering::Relaxed);
            let since = Instant::now();
            *work = Some(Work {
                what,
                unit,
                total,
                since,
            });
            is_counted = true;
            BELL.notify_all();
        }
    }
    Progress { is_counted }
}

/// Returns how much there must be: less is done before anybody looks.
fn least(unit: Unit) -> u64 {
    match unit {
        Unit::Messages => 10,
        Unit::Bytes => 1_000_000,
    }
}

impl Progress {
    /// Counts so much more as done.
    pub(crate) fn advance(&self, count: u64) {
        if self.is_counted {
            DONE.fetch_add(count, Ordering::Relaxed);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_counted {
            *lock() = None;
            BELL.notify_all();
            clear();
        }
    }
}

/// Takes the line about the work from the screen: something else is to stand there.
pub(crate) fn clear() {
    if IS_WATCHED.load(Ordering::Relaxed)
        && let Some(clear) = CLEAR.get()
    {
        clear();
    }
}

/// Lets work be counted from now on; `clear` takes from the screen what the watcher has put there.
pub(crate) fn watch(clear: fn()) {
    let _ = CLEAR.set(clear);
    IS_WATCHED.store(true, Ordering::Relaxed);
}

/// Returns the work that is under way, and how much of it is done.
pub(crate) fn now() -> Option<(Work, u64)> {
    let work = *lock();
    work.map(|work| (work, DONE.load(Ordering::Relaxed)))
}

/// Waits until work is under way.
pub(crate) fn wait_for_work() -> Work {
    let mut work = lock();
    loop {
        if let Some(work) = *work {
            return work;
        }
        work = BELL.wait(work).unwrap_or_else(PoisonError::into_inner);
    }
}

/// Waits for a time, or until the work is over.
pub(crate) fn wait_while(work: &Work, time: Duration) {
    let is_on = |now: &mut Option<Work>| now.is_some_and(|now| now.since == work.since);
    drop(BELL.wait_timeout_while(lock(), time, is_on));
}

fn lock() -> MutexGuard<'static, Option<Work>> {
    WORK.lock().unwrap_or_else(PoisonError::into_inner)
}
