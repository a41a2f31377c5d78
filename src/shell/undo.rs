//! What `undo` takes back: the marks of the last commands, one command at a time.
//!
//! Only marks are taken back. A copy of a message that `save` or `move` has made in another file stays
//! there, and so does what was done to a message since: one that was shown meanwhile stays read.

use std::collections::VecDeque;

use super::mark::Mark;

/// How many commands can be taken back.
const COMMANDS: usize = 1000;

/// How many marks are remembered, over all commands: about 64 MB. The last command is always
/// remembered.
const MARKS: usize = 2_000_000;

/// The commands that can be taken back, the last one at the end.
#[derive(Debug, Default)]
pub(super) struct Undo {
    steps: VecDeque<Step>,
    /// How many marks the steps hold.
    marks: usize,
    /// The line that is being carried out.
    pub(super) line: String,
}

/// The marks that one command has put.
#[derive(Debug)]
pub(super) struct Step {
    /// The line of the command.
    pub(super) line: String,
    /// The message that was current before, and whether it had been shown.
    pub(super) current: usize,
    pub(super) shown: bool,
    pub(super) changed: Vec<Changed>,
}

/// A message whose mark was changed.
#[derive(Debug)]
pub(super) struct Changed {
    pub(super) message: u32,
    pub(super) before: Mark,
    pub(super) after: Mark,
}

impl Undo {
    /// Remembers the line of the command that comes.
    pub(super) fn begin(&mut self, line: &str) {
        line.trim().clone_into(&mut self.line);
    }

    /// Remembers what a command has done; forgets the oldest ones where it is too much.
    pub(super) fn push(&mut self, step: Step) {
        self.marks += step.changed.len();
        self.steps.push_back(step);
        while self.steps.len() > COMMANDS || (self.marks > MARKS && self.steps.len() > 1) {
            let oldest = self.steps.pop_front();
            self.marks -= oldest.map_or(0, |step| step.changed.len());
        }
    }

    /// Returns the last command, and forgets it.
    pub(super) fn pop(&mut self) -> Option<Step> {
        let last = self.steps.pop_back()?;
        self.marks -= last.changed.len();
        Some(last)
    }
}

impl Step {
    /// Takes the marks back.
    pub(super) fn take_back(&self, marks: &mut [Mark]) {
        for changed in &self.changed {
            if let Some(mark) = marks.get_mut(changed.message as usize) {
                take_back(mark, changed);
            }
        }
    }
}

/// Takes back what a command has changed of a mark, and nothing that was changed since.
fn take_back(mark: &mut Mark, Changed { before, after, .. }: &Changed) {
    fn restore<T: Copy + PartialEq>(now: &mut T, before: T, after: T) {
        if before != after && *now == after {
            *now = before;
        }
    }
    mark.flags = mark.flags.with_changes(after.flags, before.flags);
    restore(&mut mark.fate, before.fate, after.fate);
    restore(&mut mark.read_now, before.read_now, after.read_now);
    restore(&mut mark.is_touched, before.is_touched, after.is_touched);
    restore(&mut mark.stays_new, before.stays_new, after.stays_new);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mailbox::Flags;

    #[test]
    fn the_oldest_commands_are_forgotten_and_the_last_one_never() {
        let mark = Mark::new(Flags::NONE);
        let step = |count: usize| Step {
            line: String::new(),
            current: count,
            shown: false,
            changed: (0..count as u32)
                .map(|message| Changed {
                    message,
                    before: mark,
                    after: mark,
                })
                .collect(),
        };
        let mut undo = Undo::default();
        for count in 0..=COMMANDS {
            undo.push(step(count % 3));
        }
        assert_eq!(undo.steps.len(), COMMANDS);
        undo.push(step(MARKS));
        undo.push(step(1));
        assert_eq!((undo.steps.len(), undo.marks), (1, 1));
        undo.push(step(MARKS + 1));
        assert_eq!((undo.steps.len(), undo.marks), (1, MARKS + 1));
        assert_eq!(undo.pop().map(|step| step.current), Some(MARKS + 1));
        assert_eq!((undo.pop().is_none(), undo.marks), (true, 0));
    }
}
