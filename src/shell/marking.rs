//! The commands that mark messages. Leaving the reader decides what the marks do.

use super::commit::counted;
use super::complaint::{CommandResult, Complaint};
use super::mark::{Fate, Mark};
use super::reader::Reader;
use super::undo::{Changed, Step};
use crate::config::words::{Backslash, split};
use crate::exit::Kind;
use crate::mailbox::Flags;
use crate::selection::{ListError, Sight};

/// From more messages on a person is told that a list is a union.
const UNION_EXPLAINED: usize = 20;

/// Returns whether a list has a word for a state, such as `:r`, beside one for a text, as if it meant
/// the messages that have both.
fn is_mixed(list: &str) -> bool {
    let Ok(words) = split(list, Backslash::Literal) else {
        return false;
    };
    let is_state = |word: &str| word.starts_with(':');
    let is_text = |word: &str| word.starts_with(|c: char| c == '/' || c.is_alphabetic());
    let has = |kind: fn(&str) -> bool| words.clone().any(|word| kind(&word.text));
    has(is_state) && has(is_text)
}

/// Returns a list as the search for the messages that each of its words names.
fn both(list: &str) -> String {
    let words: Vec<&str> = list.split_whitespace().collect();
    words.join(" and ")
}

impl Reader<'_, '_> {
    /// Returns the error if messages cannot be marked.
    pub(super) fn changeable(&self) -> CommandResult {
        if !self.read_only {
            return Ok(());
        }
        let kind = Some(Kind::NoPermission);
        Err(Complaint::new("The mailbox is open read-only", kind))
    }

    /// Returns the error of a command that decides what leaving a system mailbox does, elsewhere.
    fn only_in_system_mailbox(&self, command: &str) -> CommandResult {
        self.changeable()?;
        if self.around.is_system {
            return Ok(());
        }
        // bsd-mailx and s-nail ignore the mark, and the user believes that the message moves.
        Err(Complaint::wrong(format!(
            "{command}: only for messages of a system mailbox"
        )))
    }

    /// Marks messages as deleted; shows the next one with `autoprint`.
    pub(super) fn delete(&mut self, list: &str) -> CommandResult {
        let has_next = self.delete_and_move(list)?;
        if has_next && self.options.autoprint {
            self.print("")
        } else {
            Ok(())
        }
    }

    /// Marks messages as deleted and shows the next one.
    pub(super) fn delete_and_print(&mut self, list: &str) -> CommandResult {
        if self.delete_and_move(list)? {
            self.print("")
        } else {
            self.screen.text("No more messages\n");
            Ok(())
        }
    }

    /// Marks messages as deleted; the first message after them becomes the current one, else the
    /// last one before them. Returns whether there is one after them.
    fn delete_and_move(&mut self, list: &str) -> Result<bool, Complaint> {
        self.changeable()?;
        let messages = self.messages(list)?;
        let has_next = self.delete_messages(&messages);
        if self.is_watched() {
            self.say_deleted(&messages, list);
        }
        Ok(has_next)
    }

    /// Marks these messages as deleted, as [`Reader::delete_and_move`] does.
    pub(super) fn delete_messages(&mut self, messages: &[usize]) -> bool {
        let Some(&last) = messages.last() else {
            return false;
        };
        // A script has not noticed that a message could not be read or saved. If it were deleted now,
        // its only copy would be lost.
        let is_only_here = |message: &usize| self.in_script && self.marks[*message].is_unsaved;
        let (kept, deleted): (Vec<usize>, Vec<usize>) =
            messages.iter().partition(|message| is_only_here(message));
        for message in kept {
            let line = format!(
                "{}: not deleted, because it could not be shown or saved",
                message + 1
            );
            self.complain(&Complaint::nothing(line));
        }
        // The messages are only marked. They can be undeleted until the reader is left.
        self.change_marks(&deleted, |mark| {
            mark.fate = Fate::Deleted;
            mark.is_touched = true;
        });
        // POSIX: after `delete` the current message is the one behind the deleted ones, so that `d`
        // in a row goes through the mailbox.
        let place = self.place(last);
        let next = self.visible().find(|&message| self.place(message) > place);
        let before = self
            .visible()
            .rev()
            .find(|&message| self.place(message) <= place);
        if let Some(message) = next.or(before) {
            self.go_to(message);
            self.shown = false;
        }
        next.is_some()
    }

    /// Says to a person what was deleted; explains once that a list is a union, where many messages
    /// were deleted by one that looks like a narrower choice.
    fn say_deleted(&mut self, messages: &[usize], list: &str) {
        match messages {
            // The next message follows, so that the person sees where they are.
            [_] if self.options.autoprint => {}
            [message] => self
                .screen
                .text(&format!("message {} deleted\n", message + 1)),
            _ => {
                let number = messages.len();
                // `u *` takes back what was deleted before, too.
                let marks = self.marks.iter();
                let how = match marks.filter(|mark| mark.is_deleted()).count() {
                    all if all == number => "u *",
                    _ => "undo",
                };
                self.screen
                    .text(&format!("{number} deleted, {how} takes them back\n"));
            }
        }
        if messages.len() > UNION_EXPLAINED && is_mixed(list) && !self.has_explained_union {
            self.has_explained_union = true;
            let list = list.trim();
            self.screen.hint(&format!(
                "\"{list}\" names the messages of each of its words; search {} finds those of all of them; undo takes this back",
                both(list)
            ));
        }
    }

    /// Takes deletions back; without a list that of the next deleted message, else of the last
    /// one before.
    pub(super) fn undelete(&mut self, list: &str) -> CommandResult {
        self.changeable()?;
        let mut messages = self
            .choose(list, Sight::Deleted)
            .map_err(|error| match error {
                ListError::Hidden(number) if self.is_watched() => {
                    Complaint::nothing(format!("{number} is not deleted"))
                }
                error => error.into(),
            })?;
        if messages.is_empty() {
            let deleted = |message: &usize| self.flags(*message).is_deleted();
            let (place, count) = (self.place(self.current), self.marks.len());
            let next = (place..count).map(|at| self.at(at)).find(deleted);
            let before = || (0..place).rev().map(|at| self.at(at)).find(deleted);
            let message = next.or_else(before);
            messages.push(message.ok_or_else(Complaint::no_messages)?);
        }
        let is_read = self.options.rules.posix;
        let count = self.change_marks(&messages, |mark| {
            if mark.fate == Fate::Deleted {
                mark.fate = Fate::Default;
            }
            // Another program may have set the flag in the mailbox; `undelete` takes that back as
            // well.
            mark.flags.remove(Flags::DELETED);
            // Under POSIX's rules a message that was undeleted counts as used in this session.
            if is_read {
                mark.read();
            }
        });
        if let Some(&last) = messages.last() {
            self.go_to(last);
        }
        if self.is_watched() {
            let line = match messages.as_slice() {
                [message] => format!("message {} is back\n", message + 1),
                _ => format!("{count} are back\n"),
            };
            self.screen.text(&line);
        }
        Ok(())
    }

    /// Keeps messages in the mailbox, whatever the rules for leaving say.
    pub(super) fn hold(&mut self, list: &str) -> CommandResult {
        self.only_in_system_mailbox("hold")?;
        // Under POSIX's rules `hold` also takes a deletion back, so it has to see deleted messages.
        let messages = if self.options.rules.posix && !list.is_empty() {
            self.choose(list, Sight::All)?
        } else {
            self.messages(list)?
        };
        self.change(messages, |mark| mark.fate = Fate::Held);
        Ok(())
    }

    /// Moves messages to MBOX when the reader is left.
    pub(super) fn mbox(&mut self, list: &str) -> CommandResult {
        self.only_in_system_mailbox("mbox")?;
        let messages = self.messages_to_keep(list)?;
        self.change(messages, |mark| {
            mark.read();
            mark.fate = Fate::Mbox;
        });
        Ok(())
    }

    /// Treats messages as if they had been read in this session.
    pub(super) fn touch(&mut self, list: &str) -> CommandResult {
        self.only_in_system_mailbox("touch")?;
        self.mark(list, |mark| {
            mark.read();
            // A later `touch` outranks an earlier `hold`: the last command decides where a message
            // goes.
            if mark.fate == Fate::Held {
                mark.fate = Fate::Default;
            }
        })
    }

    /// Marks messages as read.
    pub(super) fn seen(&mut self, list: &str) -> CommandResult {
        self.mark(list, |mark| {
            // `RO`, as when it was read: only what is new becomes old with it.
            if mark.flags.is_new() {
                mark.flags.insert(Flags::OLD);
            }
            mark.flags.insert(Flags::READ);
            mark.stays_new = false;
        })
    }

    /// Marks messages as not read.
    pub(super) fn unread(&mut self, list: &str) -> CommandResult {
        self.mark(list, |mark| {
            // `Status: O`: the message is not new any more, because the session has shown it.
            // Without the touch it stays in the system mailbox when the reader is left.
            mark.flags.remove(Flags::READ);
            mark.flags.insert(Flags::OLD);
            mark.read_now = false;
            mark.is_touched = false;
            mark.stays_new = false;
        })
    }

    /// Marks messages as new.
    pub(super) fn new_again(&mut self, list: &str) -> CommandResult {
        self.mark(list, |mark| {
            mark.flags.remove(Flags::READ);
            mark.flags.remove(Flags::OLD);
            mark.read_now = false;
            mark.is_touched = false;
            mark.stays_new = true;
        })
    }

    /// Sets a flag of messages, or clears it.
    pub(super) fn set_flag(&mut self, list: &str, flag: Flags, is_set: bool) -> CommandResult {
        self.mark(list, |mark| {
            if is_set {
                mark.flags.insert(flag)
            } else {
                mark.flags.remove(flag)
            }
        })
    }

    /// Marks the messages of a list; the last one is current afterwards.
    fn mark(&mut self, list: &str, mark: impl Fn(&mut Mark)) -> CommandResult {
        self.changeable()?;
        let messages = self.messages(list)?;
        self.change(messages, mark);
        Ok(())
    }

    fn change(&mut self, messages: Vec<usize>, mark: impl Fn(&mut Mark)) {
        let last = messages.last().copied();
        self.change_marks(&messages, mark);
        if let Some(last) = last {
            self.go_to(last);
        }
    }

    /// Changes the marks of messages in a way that `undo` takes back; returns how many marks are
    /// others now.
    pub(super) fn change_marks(&mut self, messages: &[usize], change: impl Fn(&mut Mark)) -> usize {
        let mut changed = Vec::new();
        for &message in messages {
            let mark = &mut self.marks[message];
            let before = *mark;
            change(mark);
            if let Ok(message) = u32::try_from(message)
                && before != *mark
            {
                let after = *mark;
                changed.push(Changed {
                    message,
                    before,
                    after,
                });
            }
        }
        let count = changed.len();
        if count > 0 {
            self.undo.push(Step {
                line: self.undo.line.clone(),
                current: self.current,
                shown: self.shown,
                changed,
            });
        }
        count
    }

    /// Takes back the marks of the last command that has put some.
    pub(super) fn undo(&mut self, _: &str) -> CommandResult {
        let Some(step) = self.undo.pop() else {
            return Err(Complaint::nothing("There is nothing to take back"));
        };
        step.take_back(&mut self.marks);
        (self.current, self.shown) = (step.current, step.shown);
        let number = counted(step.changed.len());
        self.screen
            .text(&format!("took back \"{}\": {number}\n", step.line));
        Ok(())
    }
}
