//! Sending dead letters again: `postrider resend`.
//!
//! A letter is read, sent, and only then taken out of its file. So a run that is killed loses
//! nothing, and sends at most one letter twice, with the same Message-ID. Two runs over the same
//! file at once would send each letter twice: the second one ends before it has begun.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, Flock, FlockArg};
use nix::unistd::{AccessFlags, faccessat};

use super::reading::{self, interrupted};
use super::sending::{SendFlow, SendOptions};
use crate::compose::Draft;
use crate::diagnostics::Diagnostics;
use crate::exit::{Failure, Kind, with_causes};
use crate::mailbox::{Changes, CommitOptions, Holder, Journals, LockOptions, Mailbox, Waiter};
use crate::report::stored::StoredIndex;
use crate::report::{self, receipt::Receipt};
use crate::sanitize;
use crate::selection::{ListError, Selection};
use crate::submission::letters::{self, Letter};
use crate::submission::{self, CopyReport, DeadLetter, Kept, Report, Surroundings};
use crate::sys::open::names::{self, Links};
use crate::sys::spool::Spool;
use crate::ui::Display;

/// Which dead letters are sent again.
#[derive(Clone, Debug, Default)]
pub(crate) struct ResendRequest {
    /// The file; without one, every place in which we keep unsent messages.
    pub file: Option<PathBuf>,
    /// Message lists; without any, all messages of the file.
    pub lists: Vec<String>,
    /// Whether the outbox has messages that are tried again as well.
    pub has_others: bool,
}

/// Sends the letters that are asked for again, and reports each of them.
pub(crate) fn resend(
    request: &ResendRequest,
    options: &SendOptions,
    around: &Surroundings<'_>,
    diagnostics: &mut Diagnostics,
) {
    let files = match &request.file {
        Some(file) => vec![file.clone()],
        None => letters::files(around.settings, around.environment),
    };
    let mut resending = Resending {
        request,
        options,
        around,
        journals: reading::journals(around.environment),
        diagnostics,
        any: false,
    };
    for path in files {
        if around.signals.received().is_some() {
            break;
        }
        if let Err(failure) = resending.file(&path) {
            resending.diagnostics.fail(&failure);
        }
    }
    let any = resending.any;
    diagnostics.note_signal(around.signals);
    if !any && !request.has_others && diagnostics.worst().is_none() {
        let line = "there are no unsent messages";
        diagnostics.say(line);
        diagnostics.note_line(Kind::Nothing, line, None);
    }
}

/// What became of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Nobody misses it any more.
    Gone,
    /// It is in its file, for all or for some of its recipients.
    Stays,
}

/// A run of `resend`.
struct Resending<'a> {
    request: &'a ResendRequest,
    options: &'a SendOptions,
    around: &'a Surroundings<'a>,
    journals: Journals,
    diagnostics: &'a mut Diagnostics,
    /// Whether there was a letter to send.
    any: bool,
}

impl Resending<'_> {
    /// Sends the letters of one file.
    ///
    /// # Errors
    /// The file cannot be opened or changed, or no message is what the list names.
    fn file(&mut self, path: &Path) -> Result<(), Failure> {
        let is_dry_run = self.options.dry_run;
        let _alone = if is_dry_run { None } else { alone(path)? };
        let mailbox = Mailbox::open_index(path, &self.journals)
            .map_err(|error| Failure::new(error.kind(), with_causes(&error)))?;
        for notice in mailbox.notices() {
            self.diagnostics.say(&notice.to_string());
        }
        let chosen = self.choose(&mailbox)?;
        if chosen.is_empty() {
            return Ok(());
        }
        self.any = true;
        if !is_dry_run {
            may_take_out(&mailbox)?;
        }
        let (mut sent, mut left) = (0, 0);
        for index in chosen {
            if self.around.signals.received().is_some() {
                break;
            }
            // Each letter has a receipt with a status of its own.
            let mut told = Diagnostics::new(self.diagnostics.program());
            let fate = self.message(&mailbox, index, &mut told);
            self.diagnostics.absorb(&told);
            match fate? {
                Fate::Gone => sent += 1,
                Fate::Stays => left += 1,
            }
        }
        // A person wants an answer; a script gets one by the exit status.
        if !is_dry_run && !self.options.json && io::stdout().is_terminal() {
            let path = sanitize::path(path);
            self.diagnostics
                .print(&format!("{path}: {sent} sent, {left} left\n"));
        }
        Ok(())
    }

    /// Returns the messages of a file that the request names.
    fn choose(&self, mailbox: &Mailbox) -> Result<Vec<usize>, Failure> {
        let selection = Selection::of(&self.request.lists, Vec::new());
        let display = Display::default();
        let letters = StoredIndex::new(mailbox, &display, false);
        let chosen = selection.choose(&letters).map_err(report::not_chosen)?;
        if chosen.is_empty() && !selection.is_everything() {
            return Err(Failure::new(Kind::Nothing, ListError::NoMatch.to_string()));
        }
        Ok(chosen)
    }

    /// Sends one letter, and takes it out of its file for those who got it.
    ///
    /// # Errors
    /// The letter cannot be read, or what was sent cannot be taken out.
    fn message(
        &self,
        mailbox: &Mailbox,
        index: usize,
        told: &mut Diagnostics,
    ) -> Result<Fate, Failure> {
        let (around, path, number) = (self.around, mailbox.path(), index + 1);
        let shown = sanitize::path(path);
        let letter = self.read(mailbox, index).map_err(|error| {
            let what = format!("cannot read message {number} of {shown}");
            Failure::new(Kind::Io, what).because(error)
        })?;
        // Whoever gave a text up, or was interrupted in it, does not want it sent with the others.
        if letter.is_incomplete && self.request.lists.is_empty() {
            let line = format!("message {number} of {shown} is incomplete and is not sent");
            let hint = format!("to send it all the same: postrider resend {shown} {number}");
            told.warn(&line, Some(&hint));
            return Ok(Fate::Stays);
        }
        let composed = &letter.composed;
        let mut flow = SendFlow {
            options: self.options,
            around,
            diagnostics: told,
        };
        if self.options.dry_run {
            flow.dry_run(composed);
            return Ok(Fate::Stays);
        }
        let kept = Kept::DeadLetter(DeadLetter {
            path: path.to_owned(),
            passed_over: Vec::new(),
        });
        let stays = format!("message {number} stays in {shown}");
        let sent = match composed.obstacle() {
            Some(failure) => Err(with_causes(failure)),
            None => submission::send_again(&composed.draft, around).map_err(|failure| {
                flow.diagnostics.fail(&failure);
                with_causes(&failure)
            }),
        };
        flow.fail_all(composed);
        let mut report = match sent {
            Ok(report) => report,
            Err(why) => {
                flow.diagnostics.say(&stays);
                flow.print_receipt(|| Receipt::of_unsent(composed, &why, &kept));
                return Ok(Fate::Stays);
            }
        };
        flow.diagnostics
            .report(&report, around.settings.is_set("verbose"));
        let bad = composed.bad_recipients.iter().map(|bad| &*bad.text);
        let missing = missing(&report, bad);
        let is_sent = report.entries.iter().any(is_settled);
        if !missing.is_empty() {
            flow.diagnostics.say(&stays);
            report.kept = kept;
        }
        let taken = if is_sent {
            self.take_out(mailbox, index, &composed.draft, &missing)
        } else {
            Ok(())
        };
        let taken = taken.map_err(|failure| {
            let what = format!("message {number} was sent, but cannot be taken out of {shown}");
            let hint =
                "delete it there: otherwise the next postrider resend sends it a second time";
            let why = with_causes(&failure);
            Failure::new(failure.kind, what).because(why).hint(hint)
        });
        if let Err(failure) = &taken {
            flow.diagnostics.note(failure.kind);
        }
        flow.print_receipt(|| Receipt::of_report(&report, &composed.bad_recipients));
        taken.map(|()| {
            if missing.is_empty() {
                Fate::Gone
            } else {
                Fate::Stays
            }
        })
    }

    /// Reads a letter of a file.
    fn read(&self, mailbox: &Mailbox, index: usize) -> io::Result<Letter> {
        let bytes = mailbox.read_unquoted(index)?;
        let content = mailbox.form().content(&mailbox.messages()[index], &bytes);
        let message = Spool::read_from(&mut &content[..])?;
        Letter::read(message, self.around.settings, self.around.environment)
    }

    /// Takes a letter out of its file, and puts it back for those who miss it.
    ///
    /// It is put back first: where a kill comes between, those get it twice at most, and it is not
    /// lost for anybody.
    fn take_out(
        &self,
        mailbox: &Mailbox,
        index: usize,
        draft: &Draft,
        missing: &[String],
    ) -> Result<(), Failure> {
        let around = self.around;
        if !missing.is_empty() {
            letters::put_back(draft, missing, mailbox.path(), around)?;
        }
        let mut changes = Changes::default();
        changes.delete(index);
        let is_over = || around.signals.received().is_some();
        let tell = |what: &str| around.observer.waiting_for_lock(what);
        let waiter = Waiter::new(mailbox.path(), &is_over, &tell);
        let waits = |holder: &Holder| waiter.waits(holder);
        let kernel_only = |line: &str| around.observer.locked_by_kernel_only(line);
        let options = CommitOptions {
            lock: LockOptions {
                patience: around.settings.lock_timeout(),
                waiting: Some(&waits),
                kernel_only: Some(&kernel_only),
                ..LockOptions::default()
            },
            journals: &self.journals,
            removes_empty: false,
        };
        let taken = mailbox.commit(&changes, &options);
        taken
            .map(drop)
            .map_err(|error| match around.signals.received() {
                Some(signal) => interrupted(signal, mailbox.path()),
                None => Failure::new(error.kind(), with_causes(&error)),
            })
    }
}

/// Makes sure that letters can be taken out of a file, before the first of them leaves.
///
/// # Errors
/// 77 when the file is not ours to change; 64 when it is compressed.
fn may_take_out(mailbox: &Mailbox) -> Result<(), Failure> {
    let what = || {
        let path = sanitize::path(mailbox.path());
        format!("the messages in {path} are not sent, because they cannot be taken out of it")
    };
    if let Some(kind) = mailbox.unchangeable() {
        let failure = Failure::new(Kind::Usage, what()).because(format!("the file is {kind}"));
        return Err(if kind == "compressed" {
            failure.hint("unpack the file first")
        } else {
            failure
        });
    }
    faccessat(
        AT_FDCWD,
        mailbox.path(),
        AccessFlags::W_OK,
        AtFlags::AT_EACCESS,
    )
    .map_err(|error| Failure::new(Kind::NoPermission, what()).because(io::Error::from(error)))
}

/// Returns whether a copy needs its letter no more: a next hop has it, or the outbox.
fn is_settled(copy: &CopyReport) -> bool {
    copy.outcome.is_accepted() || copy.outbox.is_some()
}

/// Returns who still needs a letter: every copy that is not settled, and what is no recipient.
fn missing<'b>(report: &Report, bad: impl Iterator<Item = &'b str>) -> Vec<String> {
    let missing = report
        .entries
        .iter()
        .filter(|entry| !is_settled(entry))
        .map(|entry| entry.target.to_string());
    missing.chain(bad.map(str::to_owned)).collect()
}

/// Makes sure that no other run sends the letters of a file meanwhile.
///
/// The lock is on the directory: locks on the file itself are those of the mailbox, and are taken
/// when it is changed.
///
/// # Errors
/// 75 when another run is at it.
fn alone(path: &Path) -> Result<Option<Flock<File>>, Failure> {
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    // Where there is no directory to lock the mailbox cannot be opened either, and says why.
    let Ok(directory) = names::directory(directory, Links::Followed) else {
        return Ok(None);
    };
    match Flock::lock(directory, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(Some(lock)),
        Err((_, Errno::EWOULDBLOCK)) => {
            let what = format!("cannot send the messages of {} again", sanitize::path(path));
            let why = "another postrider resend is doing so now";
            Err(Failure::new(Kind::TryLater, what).because(why))
        }
        // Some file systems of a network lock no directories; a second run there is the user's care.
        Err(_) => Ok(None),
    }
}
