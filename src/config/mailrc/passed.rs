//! Commands that are not carried out: unknown ones, those of other programs, and calls of macros.

use super::modifiers::Command;
use super::told::{Passed, masked};
use super::way_out::{called, may_set_way_out, moves_mail, sets_way_out, weight_of};
use super::{Interpreter, each_word};
use crate::config::commands::RcCommand;
use crate::config::problem::{Origin, Weight};

impl Interpreter<'_> {
    /// Tells of a command that nobody knows.
    pub(super) fn unknown(&mut self, command: &Command<'_>, line: &str, origin: &Origin) {
        let calls = called(line).is_some_and(|name| self.settings.calls_way_out(name));
        // Where the `set` was forgotten the word is an assignment.
        let shown = match command.word {
            "" => ";".to_owned(),
            word => masked(word),
        };
        let word = command.word;
        // `acount NAME` may be meant to use that account.
        let names_account = self.settings.account(command.rest).is_some();
        let is_way_out = calls || names_account;
        if is_way_out || may_set_way_out(word, command.rest) || moves_mail(command.rest) {
            self.weighed(origin, format!("unknown command \"{shown}\""), true);
        } else {
            self.pass(Passed::Unknown, origin, &shown);
        }
        // `acount NAME {`.
        if command.rest.ends_with('{') {
            self.leave_out_block(command.rest);
        }
    }

    /// Passes over a command without effect; one that would change where mail goes is named.
    pub(super) fn pass_over(&mut self, command: &Command<'_>, line: &str, origin: &Origin) {
        let (word, rest) = (command.word, command.rest);
        let why = if command.is_put {
            "vput is not supported".to_owned()
        } else if command.is_local {
            "local is only allowed in an account".to_owned()
        } else {
            format!("{word} is not supported")
        };
        let called = called(line).filter(|name| self.settings.calls_way_out(name));
        let is_way_out = called.is_some()
            || sets_way_out(rest)
            || word == "eval" && moves_mail(rest)
            || command.is_local && moves_mail(line)
            // `vput csop mta …` sets mta.
            || command.is_put && weight_of(rest.split_whitespace()) == Weight::Route;
        if is_way_out {
            let what = format!("\"{}\" has no effect: {why}", masked(line));
            self.weighed(origin, what, true);
        } else {
            self.without_effect.get_or_insert_with(|| origin.clone());
        }
    }

    /// Passes over the call of a macro: macros are never run.
    pub(super) fn call(
        &mut self,
        row: RcCommand,
        command: &Command<'_>,
        line: &str,
        origin: &Origin,
    ) {
        let name = command.rest.split_whitespace().next().unwrap_or_default();
        if self.settings.macros.contains_key(name) || row == RcCommand::CallIf || name.is_empty() {
            self.pass_over(command, line, origin);
        } else {
            self.problem(origin, format!("there is no macro \"{name}\""));
        }
    }

    /// Gives a command another name.
    pub(super) fn add_command_alias(&mut self, rest: &str, origin: &Origin) {
        let mut words = each_word(rest);
        let Some(name) = words.next() else {
            return;
        };
        let meant = words.collect::<Vec<_>>().join(" ");
        // Without a meaning other programs show the one that there is.
        if !meant.is_empty() && self.settings.has_room(4, origin) {
            self.settings.command_aliases.insert(name, meant);
        }
    }
}
