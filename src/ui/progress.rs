//! The line at a terminal that says how far a long piece of work has come.
//!
//! A thread looks at the count ([`crate::sys::progress`]) and writes the line to standard error when
//! the work takes more than half a second. The line is taken away at the end, and before anything else
//! is written there. While results appear on the terminal there is none: they show what goes on.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::sys::progress::{self, Unit, Work};
use crate::sys::signals;

/// How long work may take before it is told.
const PATIENCE: Duration = Duration::from_millis(500);
/// The time between two lines.
const INTERVAL: Duration = Duration::from_millis(200);

/// How many columns the line has that stands on the screen now.
static SHOWN: Mutex<usize> = Mutex::new(0);
/// Whether results were written that may still be in a buffer.
static HAS_OUTPUT: AtomicBool = AtomicBool::new(false);

/// Shows how far work has come from now on, if a person watches it: standard output and standard
/// error are terminals, and this one is not dumb.
pub(crate) fn watch(is_dumb: bool) {
    if is_dumb || !io::stdout().is_terminal() || !io::stderr().is_terminal() {
        return;
    }
    // Its thread takes no signal: a rewrite holds them back in its own thread, and they must not end
    // us by this one.
    let held = signals::hold_all();
    let spawned = thread::Builder::new()
        .name("progress".to_owned())
        .spawn(show);
    drop(held);
    // Without a thread there is no line, and nothing else is different.
    if spawned.is_ok() {
        progress::watch(clear);
    }
}

/// Shows the work, piece after piece.
fn show() {
    loop {
        let work = progress::wait_for_work();
        progress::wait_while(&work, PATIENCE.saturating_sub(work.since.elapsed()));
        while draw(&work) {
            progress::wait_while(&work, INTERVAL);
        }
    }
}

/// Writes the line; returns whether the work goes on.
fn draw(work: &Work) -> bool {
    // Held while it is looked whether the work goes on: its end clears the line behind this.
    let mut shown = lock();
    let Some((now, done)) = progress::now().filter(|(now, _)| now.since == work.since) else {
        return false;
    };
    if HAS_OUTPUT.load(Ordering::Relaxed) {
        return true;
    }
    let mut line = text(&now, done);
    // A line that wraps could not be taken back.
    let columns = terminal_size::terminal_size_of(io::stderr()).map_or(80, |(width, _)| width.0);
    line.truncate(usize::from(columns).saturating_sub(1));
    let width = line.len();
    let _ = write!(io::stderr(), "\r{line:<0$}", (*shown).max(width));
    *shown = width;
    true
}

/// Takes the line away.
fn clear() {
    let mut shown = lock();
    if *shown > 0 {
        // Plain characters: consoles of servers know no sequences.
        let _ = write!(io::stderr(), "\r{:1$}\r", "", *shown);
        *shown = 0;
    }
}

/// Notes that results are written, which may stay in a buffer until [`output_is_flushed`].
pub(super) fn output_begins() {
    if !HAS_OUTPUT.swap(true, Ordering::Relaxed) {
        progress::clear();
    }
}

/// Notes that all results are on the screen.
pub(super) fn output_is_flushed() {
    HAS_OUTPUT.store(false, Ordering::Relaxed);
}

/// Returns the line: ASCII, what is done and how much of it.
fn text(work: &Work, done: u64) -> String {
    // Mail that arrives meanwhile is done as well.
    let done = done.min(work.total);
    let percent = done.saturating_mul(100) / work.total.max(1);
    let (what, total) = (work.what, work.total);
    match work.unit {
        Unit::Messages => format!("{what}: {done} of {total} messages, {percent} %"),
        Unit::Bytes => {
            let mega = |bytes: u64| bytes / 1_000_000;
            let (done, total) = (mega(done), mega(total));
            format!("{what}: {done} of {total} MB, {percent} %")
        }
    }
}

fn lock() -> MutexGuard<'static, usize> {
    SHOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn the_line_has_a_count_and_an_end() {
        let rows = [
            (Unit::Messages, 0, 10, "reading: 0 of 10 messages, 0 %"),
            (
                Unit::Messages,
                999,
                1000,
                "reading: 999 of 1000 messages, 99 %",
            ),
            (Unit::Messages, 12, 10, "reading: 10 of 10 messages, 100 %"),
            (Unit::Messages, 1, 0, "reading: 0 of 0 messages, 0 %"),
            (
                Unit::Bytes,
                1_999_999,
                260_000_000,
                "reading: 1 of 260 MB, 0 %",
            ),
            (
                Unit::Bytes,
                u64::MAX,
                u64::MAX,
                "reading: 18446744073709 of 18446744073709 MB, 1 %",
            ),
        ];
        for (unit, done, total, expected) in rows {
            let work = Work {
                what: "reading",
                unit,
                total,
                since: Instant::now(),
            };
            assert_eq!(text(&work, done), expected);
        }
    }
}
