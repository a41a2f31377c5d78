//! Conditions of an rc file: `if`, `elif`, `else` and `endif`.

use super::shell::{Value, until_semicolon};
use super::told::Passed;
use super::{Branch, Interpreter, expression};
use crate::config::commands::RcCommand;
use crate::config::problem::Origin;
use crate::config::{file_name, variables};

/// The question of a condition.
#[derive(Clone, Copy, Debug)]
enum Asked {
    Sending,
    Receiving,
    Terminal,
    Constant(bool),
}

/// Returns whether a condition of one word is negated, and what it asks about; `None` if it is not
/// one of these.
fn asked(text: &str) -> Option<(bool, Asked)> {
    let (negated, word) = match text.strip_prefix('!') {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text),
    };
    // POSIX has `s` and `r` alone. `t` and the words are those of heirloom mailx and s-nail, and
    // an rc file that was written for one of them must mean the same here.
    let asked = match word.to_ascii_lowercase().as_str() {
        "s" | "send" | "sending" => Asked::Sending,
        "r" | "receive" | "receiving" => Asked::Receiving,
        "t" | "term" | "terminal" | "tty" => Asked::Terminal,
        "true" | "1" | "yes" | "on" => Asked::Constant(true),
        "false" | "0" | "no" | "off" => Asked::Constant(false),
        _ => return None,
    };
    Some((negated, asked))
}

impl Interpreter<'_> {
    pub(super) fn is_active(&self) -> bool {
        self.branches.last().is_none_or(|branch| branch.active)
    }

    pub(super) fn is_unclear(&self) -> bool {
        self.branches.last().is_some_and(|branch| branch.unclear)
    }

    /// Handles `if`, `elif`, `else`, `endif`; returns what stands behind the `;` in the line if the
    /// line was one of them.
    pub(super) fn conditional(
        &mut self,
        command: Option<RcCommand>,
        rest: &str,
        origin: &Origin,
    ) -> Option<Option<String>> {
        use RcCommand::{Elif, Else, Endif, If};
        let command = command.filter(|command| matches!(command, If | Elif | Else | Endif))?;
        let (rest, next) = until_semicolon(rest);
        match command {
            If => {
                let outer = self.is_active();
                // Within lines that do not count a condition is not judged: people put what
                // another mailx alone understands behind a test, so that this program passes over
                // it.
                let judged = outer.then(|| self.judged(rest));
                let holds = judged == Some(Some(true));
                self.note_unclear(judged == Some(None), 1, rest, origin);
                self.branches.push(Branch {
                    active: holds,
                    taken: holds,
                    outer,
                    unclear: judged == Some(None) || self.is_unclear(),
                    passed_way_out: false,
                });
            }
            Elif | Else => self.other_branch(command, rest, origin),
            _ => {
                let open = self.branches.len();
                self.unclear.retain(|(depth, ..)| *depth < open);
                if self.branches.pop().is_none() {
                    self.problem(origin, "\"endif\" without \"if\"");
                }
            }
        }
        Some(next)
    }

    fn other_branch(&mut self, command: RcCommand, rest: &str, origin: &Origin) {
        let Some(branch) = self.branches.last().copied() else {
            return self.problem(origin, "\"else\" without \"if\"");
        };
        // At most one branch of an `if` counts, even where a later condition holds as well. Behind
        // a branch that has counted, a condition that is not understood changes nothing.
        let open = branch.outer && !branch.taken;
        let judged = match (command, rest) {
            _ if !open => Some(false),
            (RcCommand::Else, "") => Some(true),
            // `else if …` is no command of any mailx.
            (RcCommand::Else, _) => None,
            _ => self.judged(rest),
        };
        let shown = if command == RcCommand::Else {
            format!("else {rest}")
        } else {
            rest.to_owned()
        };
        self.note_unclear(judged.is_none(), 0, &shown, origin);
        if let Some(branch) = self.branches.last_mut() {
            branch.active = judged == Some(true);
            branch.taken |= branch.active;
            branch.unclear |= judged.is_none();
        }
    }

    /// Notes a condition that is not understood; `inner`: how many `if`s it opens.
    fn note_unclear(&mut self, is_unclear: bool, inner: usize, text: &str, origin: &Origin) {
        if is_unclear {
            let depth = self.branches.len() + inner;
            self.unclear.push((depth, origin.clone(), text.to_owned()));
        }
    }

    /// Tells of the conditions around a line that are not understood.
    pub(super) fn tell_unclear(&mut self) {
        for (_, origin, text) in std::mem::take(&mut self.unclear) {
            self.pass(Passed::Condition, &origin, &text);
        }
    }

    /// Evaluates a condition; `None` if it is not understood.
    fn judged(&self, text: &str) -> Option<bool> {
        let single = |word: &str| {
            let (negated, asked) = asked(word)?;
            Some(negated != self.is_so(asked))
        };
        single(text).or_else(|| expression::holds(text, &|name| self.value(name), &single))
    }

    fn is_so(&self, asked: Asked) -> bool {
        match asked {
            Asked::Sending => self.context.sending,
            Asked::Receiving => !self.context.sending,
            Asked::Terminal => self.context.terminal,
            Asked::Constant(holds) => holds,
        }
    }

    /// Returns what `$NAME` stands for in a condition.
    fn value(&self, name: &str) -> Value {
        let known = variables::row_of(name).map(|row| self.settings.get(row.name));
        if let Some(value) = file_name::variable(name, self.settings) {
            Value::Is(value.to_string_lossy().into_owned())
        } else if let Some(value) = known {
            value.map_or(Value::Unset, |value| Value::Is(value.to_owned()))
        } else if name.chars().any(|c| c.is_ascii_lowercase()) {
            // A variable of another program, as `features`, which that program sets by itself.
            Value::Unknown
        } else {
            Value::Unset
        }
    }
}
