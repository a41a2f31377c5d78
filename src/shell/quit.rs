//! Leaving: decides what happens to each message, and writes the changes.
//!
//! # The rules
//! Deleted messages go. With the rules compiled in, everything else stays; what is new becomes
//! old, what was read is marked so. Under POSIX's rules (`hold` and `keepsave` not set) messages of
//! a system mailbox that were used in this session go to MBOX, and saved ones go. `mbox` moves a
//! message whatever the rules are, unless the mailbox is MBOX itself.
//!
//! # The order
//! MBOX first, appended and synced; only then the mailbox is changed, by the one door of `mailbox`.
//! When a step fails the next ones are not done: a message may be in both, never in none.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::commit::{commit, counted, notices_of, unfinished};
use super::complaint::CommandResult;
use super::mark::{Fate, Mark};
use super::reader::Reader;
use crate::exit::Failure;
use crate::mailbox::{Changes, Committed, Flags, Mailbox};
use crate::sanitize;

/// The changes that quitting makes to the mailbox and to MBOX.
#[derive(Debug, Default)]
struct QuitPlan {
    changes: Changes,
    /// Messages that go to MBOX, and MBOX.
    moves: Vec<usize>,
    mbox: PathBuf,
}

impl Reader<'_, '_> {
    /// Writes the changes and ends the loop; if that fails at a terminal, the reader stays open.
    pub(super) fn quit(&mut self, _: &str) -> CommandResult {
        match self.settle() {
            Ok(()) => self.is_quitting = true,
            Err(failure) => {
                let can_stay = self.around.stdin_is_terminal && self.around.signal().is_none();
                self.fail(&if can_stay {
                    failure.hint("type x to leave without a change, or q to try again")
                } else {
                    failure
                });
                // A script cannot answer: it ends here, and its marks are lost, but no message is.
                self.is_quitting = !can_stay;
            }
        }
        Ok(())
    }

    /// Writes the changes into the mailbox, unless a failure of the script holds them back.
    ///
    /// # Errors
    /// They cannot be written; the mailbox stays open with all its marks.
    pub(super) fn settle(&mut self) -> Result<(), Failure> {
        match self.held_back_by() {
            // Nothing can be marked in a mailbox that is open read-only, so there is nothing to
            // write. One that was left is written.
            _ if self.read_only
                || self
                    .closed_by
                    .as_ref()
                    .is_some_and(|closed| closed.is_stale) =>
            {
                Ok(())
            }
            Some(_) => {
                self.report_unchanged();
                Ok(())
            }
            None => self.write_back(),
        }
    }

    /// Says that the mailbox stays as it is because the script has failed, unless it would anyway.
    fn report_unchanged(&mut self) {
        let plan = self.plan();
        if plan.is_ok_and(|plan| plan.changes.is_empty() && plan.moves.is_empty()) {
            return;
        }
        let path = sanitize::path(self.mailbox.path());
        let failed = self.held_back_by().unwrap_or_default();
        let line = format!("{path} stays as it is, because \"{failed}\" failed");
        self.say(&line);
        self.screen
            .hint("correct this command and run the script again");
    }

    fn write_back(&mut self) -> Result<(), Failure> {
        let plan = self.plan()?;
        // MBOX is synced before the mailbox changes: after a crash a message is in both, never in
        // neither.
        self.move_to_mbox(&plan)?;
        let path = sanitize::path(self.mailbox.path()).to_string();
        if plan.changes.is_empty() {
            if has_grown(&self.mailbox) {
                self.screen.text("New mail has arrived.\n");
            }
            if self.around.is_system {
                self.say_held(self.marks.len());
            }
            return Ok(());
        }
        let done = commit(
            &self.mailbox,
            &plan.changes,
            &self.options,
            &self.around,
            &mut self.screen,
        )
        .map_err(|failure| match plan.moves.len() {
            0 => failure,
            number => {
                let mbox = sanitize::path(&plan.mbox);
                let what = format!("{} in {mbox} as well as in {path}", counted(number));
                failure.hint(what)
            }
        })?;
        if done.arrived > 0 {
            self.screen.text("New mail has arrived.\n");
        }
        if done.deleted > 0 && self.is_watched() {
            let left = done.remaining.saturating_sub(done.arrived);
            let line = format!("deleted {}, {left} left in {path}\n", done.deleted);
            self.screen.text(&line);
        } else if self.around.is_system {
            self.say_held(done.remaining.saturating_sub(done.arrived));
        } else if done.pending.is_none() {
            let end = if done.is_removed {
                "removed"
            } else {
                "complete"
            };
            self.screen.text(&format!("\"{path}\" {end}\n"));
        }
        self.report_commit(&done);
        Ok(())
    }

    /// Reports the notices of a commit; one that is not complete is a failure, at a terminal too.
    pub(super) fn report_commit(&mut self, done: &Committed) {
        for line in notices_of(done, self.mailbox.path()) {
            self.say(&line);
        }
        if let Some(failure) = unfinished(done, self.mailbox.path()) {
            self.fail(&failure);
            self.note(failure.kind);
        }
    }

    fn say_held(&mut self, number: usize) {
        if number > 0 {
            let path = sanitize::path(self.mailbox.path());
            let line = format!("Held {} in {path}\n", counted(number));
            self.screen.text(&line);
        }
    }

    /// Decides about every message.
    fn plan(&self) -> Result<QuitPlan, Failure> {
        let mut plan = QuitPlan::default();
        let mut is_mbox_itself = None;
        for (message, mark) in self.marks.iter().enumerate() {
            if self.goes_to_mbox(mark) {
                // Found out once, and only if a message goes to MBOX: the name may need the user
                // database.
                let is_itself = match is_mbox_itself {
                    Some(known) => known,
                    None => {
                        plan.mbox = self.file_of("&")?;
                        *is_mbox_itself.insert(is_same_file(&plan.mbox, self.mailbox.path()))
                    }
                };
                if !is_itself {
                    plan.moves.push(message);
                    plan.changes.delete(message);
                    continue;
                }
            }
            // POSIX: without `keepsave` a message that was saved goes from a system mailbox.
            let is_dropped = self.around.is_system
                && !self.options.rules.keepsave
                && mark.is_saved
                && mark.fate == Fate::Default;
            if mark.fate == Fate::Deleted || is_dropped {
                plan.changes.delete(message);
                continue;
            }
            let before = self.mailbox.messages()[message].flags;
            let flags = final_flags(mark);
            // A message whose flags are the old ones is not rewritten: a session that only looked
            // leaves the file untouched, and with it the time by which shells notice new mail.
            if flags != before {
                plan.changes.set_flags(message, flags);
            }
        }
        Ok(plan)
    }

    fn goes_to_mbox(&self, mark: &Mark) -> bool {
        let rules = &self.options.rules;
        match mark.fate {
            // `mbox` was typed for this message, so it moves from any mailbox. The default rules
            // concern system mailboxes only (POSIX).
            Fate::Mbox => true,
            Fate::Deleted | Fate::Held => false,
            Fate::Default => {
                // POSIX: a message that was saved is elsewhere already. Without `keepsave` it is
                // dropped instead of being moved.
                let is_saved = mark.is_saved && !rules.keepsave;
                self.around.is_system && !rules.hold && mark.is_touched && !is_saved
            }
        }
    }

    /// Appends the messages that go to MBOX, unless an earlier attempt did.
    fn move_to_mbox(&mut self, plan: &QuitPlan) -> Result<(), Failure> {
        // MBOX keeps what an earlier attempt has appended, although that attempt could not change
        // the mailbox.
        let is_there = |message: &&usize| self.marks[**message].is_in_mbox;
        let moves: Vec<usize> = plan
            .moves
            .iter()
            .filter(|m| !is_there(m))
            .copied()
            .collect();
        if moves.is_empty() {
            return Ok(());
        }
        let flags: Vec<Flags> = moves
            .iter()
            .map(|&message| final_flags(&self.marks[message]))
            .collect();
        // POSIX: without `append` the messages come before those of MBOX.
        if self.options.rules.append || !has_messages_before(&plan.mbox) {
            self.append(&plan.mbox, &moves, &flags)?;
        } else {
            self.prepend(&plan.mbox, &moves, &flags)?;
        }
        for &message in &moves {
            // If the change of the mailbox fails and the user tries again, the message must not be
            // appended a second time.
            self.marks[message].is_in_mbox = true;
        }
        let line = format!(
            "Saved {} in {}\n",
            counted(moves.len()),
            sanitize::path(&plan.mbox)
        );
        self.screen.text(&line);
        Ok(())
    }
}

/// Returns whether a file has something before which messages could be put.
fn has_messages_before(mbox: &Path) -> bool {
    fs::metadata(mbox).is_ok_and(|file| file.is_file() && file.len() > 0)
}

/// Returns the flags that a message has after the session: what was new has been seen.
fn final_flags(mark: &Mark) -> Flags {
    let mut flags = mark.flags;
    // The session has shown the header line, so a new message is old afterwards (`Status: O`).
    if mark.read_now || (flags.is_new() && !mark.stays_new) {
        flags.insert(Flags::OLD);
    }
    flags
}

/// Returns whether two paths lead to one file that is there.
pub(super) fn is_same_file(one: &Path, other: &Path) -> bool {
    // Names do not tell: MBOX may be a link to the mailbox. Moving a message to the file that it is
    // in would append it and then delete the original, at every session.
    let identity = |path| fs::metadata(path).map(|file| (file.dev(), file.ino())).ok();
    let one = identity(one);
    one.is_some() && one == identity(other)
}

/// Returns whether a mailbox that is a file is larger than it was when it was opened.
pub(super) fn has_grown(mailbox: &Mailbox) -> bool {
    // A mailbox that has become shorter was changed by another reader; that is no new mail.
    let is_larger = |file: fs::Metadata| file.is_file() && file.len() > mailbox.size();
    mailbox.is_changed() && fs::metadata(mailbox.path()).is_ok_and(is_larger)
}
