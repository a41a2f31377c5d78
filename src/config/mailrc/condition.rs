//! Conditions of an rc file: `if`, `elif`, `else` and `endif`.

use super::{Branch, Interpreter};
use crate::config::commands::RcCommand;
use crate::config::problem::Origin;

/// What a condition asks about.
#[derive(Clone, Copy, Debug)]
enum Asked {
    Sending,
    Receiving,
    Terminal,
    Constant(bool),
}

/// Returns whether a condition is negated, and what it asks about; `None` if it is not understood.
fn asked(text: &str) -> Option<(bool, Asked)> {
    let (negated, word) = match text.strip_prefix('!') {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text),
    };
    // POSIX has `s` and `r` alone. `t` and the words are those of heirloom mailx and s-nail, and
    // an rc file that was written for one of them must mean the same here.
    let asked = match word.to_ascii_lowercase().as_str() {
        "s" | "send" => Asked::Sending,
        "r" | "receive" => Asked::Receiving,
        "t" | "term" | "terminal" | "tty" => Asked::Terminal,
        "true" | "1" | "yes" | "on" => Asked::Constant(true),
        "false" | "0" | "no" | "off" => Asked::Constant(false),
        _ => return None,
    };
    Some((negated, asked))
}

fn is_unclear(condition: &str) -> bool {
    asked(condition).is_none()
}

impl Interpreter<'_> {
    pub(super) fn is_active(&self) -> bool {
        self.branches.last().is_none_or(|branch| branch.active)
    }

    pub(super) fn is_unclear(&self) -> bool {
        self.branches.last().is_some_and(|branch| branch.unclear)
    }

    /// Handles `if`, `elif`, `else`, `endif`; returns whether the line was one of them.
    pub(super) fn conditional(
        &mut self,
        command: Option<RcCommand>,
        rest: &str,
        origin: &Origin,
    ) -> bool {
        match command {
            Some(RcCommand::If) => {
                let outer = self.is_active();
                // Within lines that do not count a condition is not judged: people put what
                // another mailx alone understands behind a test, so that this program passes over
                // it.
                let holds = outer && self.condition(rest, origin);
                self.branches.push(Branch {
                    active: holds,
                    taken: holds,
                    outer,
                    unclear: outer && is_unclear(rest) || self.is_unclear(),
                    passed_way_out: false,
                });
            }
            Some(RcCommand::Elif | RcCommand::Else) => {
                let Some(branch) = self.branches.last().copied() else {
                    self.problem(origin, "\"else\" without \"if\"");
                    return true;
                };
                // At most one branch of an `if` counts, even where a later condition holds as
                // well.
                let open = branch.outer && !branch.taken;
                let holds =
                    open && (command == Some(RcCommand::Else) || self.condition(rest, origin));
                if let Some(branch) = self.branches.last_mut() {
                    branch.active = holds;
                    branch.taken |= holds;
                    // Behind a branch that has counted, a condition that is not understood
                    // changes nothing.
                    branch.unclear |= open && command == Some(RcCommand::Elif) && is_unclear(rest);
                }
            }
            Some(RcCommand::Endif) => {
                if self.branches.pop().is_none() {
                    self.problem(origin, "\"endif\" without \"if\"");
                }
            }
            _ => return false,
        }
        true
    }

    /// Evaluates `s`, `r`, `t` and their words; what is not understood does not hold.
    pub(super) fn condition(&mut self, text: &str, origin: &Origin) -> bool {
        let Some((negated, asked)) = asked(text) else {
            let what = format!("the condition \"{text}\" is not understood and counts as false");
            self.problem(origin, what);
            return false;
        };
        let holds = match asked {
            Asked::Sending => self.context.sending,
            Asked::Receiving => !self.context.sending,
            Asked::Terminal => self.context.terminal,
            Asked::Constant(holds) => holds,
        };
        holds != negated
    }
}
