//! Writing changes into the mailbox: waiting for its lock, and the report of the result.
//!
//! Used by leaving the reader and by changes without a dialogue.

use std::cell::RefCell;
use std::path::Path;

use super::options::{ReaderContext, ReaderOptions};
use crate::exit::{Failure, Kind, with_causes};
use crate::mailbox::{
    self, Changes, CommitError, CommitOptions, Committed, Holder, LockOptions, Mailbox, Waiter,
};
use crate::sanitize;
use crate::ui::Screen;

/// Returns `1 message`, `2 messages`.
pub(super) fn counted(number: usize) -> String {
    match number {
        1 => "1 message".to_owned(),
        _ => format!("{number} messages"),
    }
}

/// Writes changes into a mailbox; says whose lock is waited for.
pub(super) fn commit(
    mailbox: &Mailbox,
    changes: &Changes,
    options: &ReaderOptions,
    around: &ReaderContext<'_>,
    screen: &mut Screen<'_>,
) -> Result<Committed, Failure> {
    let done = with_options(mailbox.path(), options, around, screen, |commit| {
        mailbox.commit(changes, commit)
    });
    done.map_err(|error| {
        let why = with_causes(&error);
        match &error {
            // The file that could not be written is the journal. Its name means nothing to a user,
            // so the failure names the mailbox.
            CommitError::Write { path, .. } if path != mailbox.path() => {
                let what = format!("cannot change {}", sanitize::path(mailbox.path()));
                Failure::new(error.kind(), what).because(why)
            }
            // Only flags were to change: say that no message is in danger.
            CommitError::Write { .. } if changes.deletes_nothing() => {
                let hint = "no message is lost; only the new flags are not stored";
                Failure::new(error.kind(), why).hint(hint)
            }
            _ => Failure {
                hint: error.hint(),
                ..Failure::new(error.kind(), why)
            },
        }
    })
}

/// Puts messages before those of an mbox; says whose lock is waited for.
pub(super) fn prepend(
    path: &Path,
    mbox: Vec<u8>,
    options: &ReaderOptions,
    around: &ReaderContext<'_>,
    screen: &mut Screen<'_>,
) -> Result<Committed, Failure> {
    with_options(path, options, around, screen, |commit| {
        mailbox::prepend(path, mbox, commit)
    })
    .map_err(|error| Failure {
        hint: error.hint(),
        ..Failure::new(error.kind(), with_causes(&error))
    })
}

/// Does a change with the options for it.
fn with_options<T>(
    path: &Path,
    options: &ReaderOptions,
    around: &ReaderContext<'_>,
    screen: &mut Screen<'_>,
    write: impl FnOnce(&CommitOptions<'_>) -> T,
) -> T {
    // The lock calls back while it waits, and the screen is the caller's: it is lent by turns.
    let screen = RefCell::new(screen);
    let is_over = || around.signal().is_some();
    let tell = |what: &str| screen.borrow_mut().waiting_for(what);
    let waiter = Waiter::new(path, &is_over, &tell).report_changes(around.stdin_is_terminal);
    let waiting = |holder: &Holder| waiter.waits(holder);
    let kernel_only = |line: &str| screen.borrow_mut().say(line);
    write(&CommitOptions {
        lock: LockOptions {
            patience: options.lock_patience,
            waiting: Some(&waiting),
            kernel_only: options.verbose.then_some(&kernel_only as &dyn Fn(&str)),
            ..LockOptions::default()
        },
        journals: &around.journals,
        // POSIX: a mailbox that has become empty is removed, unless `keep` is set.
        removes_empty: !options.rules.keep,
    })
}

/// Returns the notices that go with a successful commit.
pub(super) fn notices_of(done: &Committed, path: &Path) -> Vec<String> {
    let path = sanitize::path(&path);
    // A notice that is a failure is that of `unfinished`.
    let notices = done.notices.iter().filter(|notice| notice.kind().is_none());
    let mut lines: Vec<String> = notices.map(ToString::to_string).collect();
    if done.gone > 0 {
        let number = counted(done.gone);
        lines.push(format!(
            "another program has already removed {number} from {path}"
        ));
    }
    if done.flags_left_out > 0 {
        let number = counted(done.flags_left_out);
        lines.push(format!(
            "the disk is full: {number} in {path} kept the old flags"
        ));
    }
    if done.names_taken > 0 {
        let number = counted(done.names_taken);
        lines.push(format!(
            "{number} in {path} kept the old flags: another file already has the new name"
        ));
    }
    lines
}

/// Returns the failure of a change that is certain, and is not in the mailbox yet or could not be
/// synced to its end.
pub(super) fn unfinished(done: &Committed, path: &Path) -> Option<Failure> {
    // A change that waits in its journal outranks a notice: the user has to do something for it.
    let Some(pending) = &done.pending else {
        let failed = done
            .notices
            .iter()
            .find_map(|notice| Some((notice.kind()?, notice)));
        return failed.map(|(kind, notice)| Failure::new(kind, notice.to_string()));
    };
    let (path, journal) = (sanitize::path(&path), sanitize::path(&pending.journal));
    let what = format!("cannot complete the change of {path}");
    let hint = format!(
        "nothing is lost: the change is kept in {journal}; it will be completed when {path} is next opened for writing"
    );
    let why = with_causes(&pending.source);
    Some(Failure::new(Kind::Io, what).because(why).hint(hint))
}
