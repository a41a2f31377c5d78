//! The interpreter of rc files: `set`, `alias`, `if`, `source`, `account` and the other commands
//! that a mailrc may hold.
//!
//! Errors name file and line and do not stop the rest. A file that
//! another user could have written is not read at all.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::charset::decode_text;
use crate::config::commands::{COMMAND_ALIAS_DEPTH, RcCommand, find_in_rc_files};
use crate::config::problem::{Origin, Problem, Weight};
use crate::config::settings::Settings;
use crate::config::words;
use crate::config::{FieldUse, file_name, text};

mod alias;
mod block;
mod blocks;
mod condition;
mod dialogue;
mod expression;
mod modifiers;
mod passed;
mod set;
mod shell;
mod source;
mod told;
mod trust;
mod way_out;

use block::{Block, Opener};
use modifiers::Command;
use told::{Passed, Told, masked};
use trust::{Untrusted, read_trusted};
use way_out::{has_effect, moves_mail, weight_of};

pub(crate) use blocks::{apply_lines, use_account};
pub(crate) use dialogue::{Open, script};
pub(crate) use set::apply_set;

/// How many commands a line may have, with `;` between them.
const LINE_COMMANDS: usize = 1_000;

/// The facts that conditions in an rc file ask for, and the directory that `~` means.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    /// Whether a message is sent, rather than a mailbox read.
    pub(crate) sending: bool,
    /// Whether standard input is a terminal.
    pub(crate) terminal: bool,
    /// The home directory.
    pub(crate) home: Option<&'a Path>,
}

/// Reads an rc file into the settings; returns whether it is there.
///
/// A missing file is not an error: most hosts have only some of them.
pub(crate) fn read_file(settings: &mut Settings, path: &Path, context: &Context<'_>) -> bool {
    match Interpreter::new(settings, context).file(path, 0) {
        Ok(()) => true,
        Err(error) => {
            settings.has_closed_file |= matches!(error, Untrusted::Denied(_));
            let (what, weight) = match error {
                Untrusted::Failed(what) => (what, Weight::Unread),
                Untrusted::Refused(why) | Untrusted::Denied(why) => {
                    (format!("this file is ignored: {why}"), Weight::Line)
                }
                Untrusted::Unusable(why) => (
                    format!("cannot read this file: {why}"),
                    weight_of_unusable(context),
                ),
                Untrusted::Missing => return false,
            };
            let origin = Origin::File {
                path: path.to_owned(),
                line: 0,
            };
            let problem = Problem::of_line(&origin, what, weight);
            settings.add_problem(problem);
            true
        }
    }
}

/// Reads the text of an rc file into the settings; `path` is what its problems name.
///
/// Files that it names with `source` are read from the file system.
pub(crate) fn read_text(settings: &mut Settings, path: &Path, text: &[u8], context: &Context<'_>) {
    Interpreter::new(settings, context).text(path, text, 0);
}

/// Returns the words of a line, one at a time; none where a quote is not closed.
fn each_word(line: &str) -> impl Iterator<Item = String> {
    words::texts(line).into_iter().flatten()
}

/// Returns whether a word is the name of a command an rc file or `-E 'command'` may hold.
pub(crate) fn is_command(word: &str) -> bool {
    find_in_rc_files(word).is_some()
}

/// The state of one nested `if`.
#[derive(Clone, Copy, Debug)]
struct Branch {
    /// Lines count now.
    active: bool,
    /// A branch of this `if` has counted already.
    taken: bool,
    /// The lines around this `if` count.
    outer: bool,
    /// One of its conditions is not understood, so which of its branches counts is unknown.
    unclear: bool,
    /// A line that was passed over would have set the way out.
    passed_way_out: bool,
}

/// Carries out the lines of rc files, one by one, on the settings.
struct Interpreter<'a> {
    settings: &'a mut Settings,
    context: Context<'a>,
    branches: Vec<Branch>,
    /// The block that is being read.
    block: Option<Block>,
    /// The command of the line before, whose block may begin here.
    opener: Option<(Opener, Origin)>,
    /// The conditions that are not understood, with the number of `if`s around their lines.
    unclear: Vec<(usize, Origin, String)>,
    /// The lines that were skipped in this file.
    told: Told,
    /// How many accounts use each other here; their lines may hold `local`.
    account_depth: usize,
    /// The line being read is not UTF-8: its words stand for other bytes than theirs.
    is_foreign: bool,
    /// The place of the first command of the reader.
    without_effect: Option<Origin>,
}

impl<'a> Interpreter<'a> {
    fn new(settings: &'a mut Settings, context: &Context<'a>) -> Interpreter<'a> {
        Interpreter {
            settings,
            context: *context,
            branches: Vec::new(),
            block: None,
            opener: None,
            unclear: Vec::new(),
            told: Told::default(),
            account_depth: 0,
            is_foreign: false,
            without_effect: None,
        }
    }

    fn file(&mut self, path: &Path, depth: usize) -> Result<(), Untrusted> {
        let text = read_trusted(path)?;
        if depth > 0 {
            self.settings.sourced.bytes += text.len();
        }
        self.text(path, &text, depth);
        Ok(())
    }

    fn text(&mut self, path: &Path, text: &[u8], depth: usize) {
        let origin = |line| Origin::File {
            path: path.to_owned(),
            line,
        };
        if text.starts_with(&[0xff, 0xfe]) || text.starts_with(&[0xfe, 0xff]) {
            let what = "this file is UTF-16 and is ignored; save it as UTF-8";
            return self.weighed(&origin(0), what, true);
        }
        // A sourced file begins without an open `if`: its `source` line was reached, so its lines
        // count, and an `else` or `endif` in it cannot belong to an `if` of the outer file.
        let outer_branches = std::mem::take(&mut self.branches);
        let outer_told = std::mem::take(&mut self.told);
        let mut pending = Vec::new();
        let mut first_line = 0;
        // Editors on Windows begin a file in UTF-8 with a byte order mark.
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let lines = text.strip_suffix(b"\n").unwrap_or(text);
        for (number, line) in lines.split(|&b| b == b'\n').enumerate() {
            if pending.is_empty() {
                first_line = number + 1;
            }
            // A file that was edited on Windows has a CR in front of each LF; it would become
            // part of the last value of the line.
            pending.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
            // A line that ends in an odd number of backslashes goes on in the next one.
            let slashes = pending.iter().rev().take_while(|&&b| b == b'\\').count();
            if slashes % 2 == 1 {
                pending.pop();
                continue;
            }
            let line = std::mem::take(&mut pending);
            self.line(&line, &origin(first_line), depth);
        }
        // A backslash at the end of the last line has nothing to continue with: the line counts
        // as it is.
        self.line(&pending, &origin(first_line), depth);
        self.end(&origin(first_line));
        self.branches = outer_branches;
        self.told = outer_told;
    }

    /// Reports what is still open at the end.
    fn end(&mut self, origin: &Origin) {
        // The lines that were passed over may have been meant for every message.
        if !self.branches.is_empty() {
            let is_way_out = self.branches.iter().any(|branch| branch.passed_way_out);
            self.weighed(origin, "\"if\" without \"endif\"", is_way_out);
        }
        self.end_opener();
        self.open_block(origin);
    }

    fn problem(&mut self, origin: &Origin, what: impl Into<String>) {
        self.weighed(origin, what, false);
    }

    /// Records a problem; if it concerns the route, nothing is sent.
    fn weighed(&mut self, origin: &Origin, what: impl Into<String>, is_way_out: bool) {
        let weight = if is_way_out {
            Weight::Route
        } else {
            Weight::Line
        };
        let problem = Problem::of_line(origin, what, weight);
        self.settings.add_problem(problem);
    }

    /// Tells of something that is passed over; the rest of its kind in this file joins it.
    fn pass(&mut self, kind: Passed, origin: &Origin, what: &str) {
        self.told.add(self.settings, kind, origin, what);
    }

    /// Carries out one line: a blank one and a comment do nothing.
    fn line(&mut self, bytes: &[u8], origin: &Origin, depth: usize) {
        let line = text::decode(bytes);
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return;
        }
        // The lines of a block come first: an `if` or a `set` in it counts when the block is used.
        if self.line_of_block(bytes, line, origin) || self.lone_brace(line, origin) {
            return;
        }
        self.is_foreign = std::str::from_utf8(bytes).is_err();
        let mut left = Some(Cow::Borrowed(line));
        let mut expansions = 0;
        let mut commands = 0;
        while let Some(line) = left.take() {
            // What is left is copied for each command: millions of them would not end.
            commands += 1;
            if commands > LINE_COMMANDS {
                let what = format!("more than {LINE_COMMANDS} commands on one line");
                return self.weighed(origin, what, true);
            }
            let mut line = line.trim();
            // Behind the last `;` nothing follows.
            if line.is_empty() {
                return;
            }
            let mut command = modifiers::split(line);
            let row = find_in_rc_files(command.word);
            let is_shell = command.is_shell || row.is_some_and(|row| self.is_shell(row));
            if !is_shell {
                line = words::without_comment(line).trim_end();
                command = modifiers::split(line);
            }
            // A name that `commandalias` gives comes before the commands, as in s-nail.
            if let Some(meant) = self.settings.command_alias(command.word)
                && !command.is_literal
                && expansions < COMMAND_ALIAS_DEPTH
            {
                expansions += 1;
                left = Some(Cow::Owned(format!("{meant} {}", command.rest)));
                continue;
            }
            command.is_shell = is_shell;
            let next = self.execute(row, &command, line, origin, depth);
            left = next.map(Cow::Owned);
        }
    }

    /// Carries out a command; returns what stands behind the `;` that ends it.
    fn execute(
        &mut self,
        row: Option<RcCommand>,
        command: &Command<'_>,
        line: &str,
        origin: &Origin,
        depth: usize,
    ) -> Option<String> {
        // Conditions come before the question whether lines count: the `endif` of a branch that
        // does not count must be seen, or nothing behind it would count again.
        if let Some(next) = self.conditional(row, command.rest, origin) {
            return next;
        }
        // Where a condition is not understood, neither its branch nor the `else` is known to be
        // meant. A `set smtp=HOST` in either of them stops mail: the other branch may name the
        // right relay. A branch that does not count remembers such a line for `end`: without an
        // `endif` the line may stand behind the branch.
        if self.is_unclear() && has_effect(row, command.rest) {
            // A condition matters only where something stands behind it: people colour their
            // terminal by what another program can do.
            self.tell_unclear();
        }
        if let Some(branch) = self.branches.last_mut()
            && (branch.unclear || !branch.active)
            && moves_mail(line)
        {
            branch.passed_way_out |= !branch.active;
            if branch.unclear {
                let shown = masked(line);
                let what = format!("\"{shown}\" is in a block whose condition is not understood");
                self.weighed(origin, what, true);
                return None;
            }
        }
        if !self.is_active() {
            // An `endif` may stand behind the command.
            let next = command
                .is_shell
                .then(|| shell::until_semicolon(command.rest).1);
            return next.flatten();
        }
        let Some(row) = row else {
            self.unknown(command, line, origin);
            return None;
        };
        if command.is_put || command.is_local && self.account_depth == 0 {
            // The result of a command is not known here, and s-nail has `local` in blocks alone.
            self.pass_over(command, line, origin);
            return None;
        }
        if command.is_shell {
            return self.shell_command(row, command, line, origin, depth);
        }
        self.command(row, command, line, origin, depth);
        None
    }

    /// Returns whether the words of a command are quoted as in the shell without a `wysh`.
    fn is_shell(&self, row: RcCommand) -> bool {
        // In s-nail a value of `v15-compat` asks for it; the variable alone does not.
        let compat = self.settings.any("v15-compat");
        matches!(row, RcCommand::Set | RcCommand::Unset)
            && compat.is_some_and(|value| !value.is_empty())
    }

    /// Carries out a command whose words are quoted as in the shell.
    fn shell_command(
        &mut self,
        row: RcCommand,
        command: &Command<'_>,
        line: &str,
        origin: &Origin,
        depth: usize,
    ) -> Option<String> {
        let value = |name: &str| match file_name::variable(name, self.settings) {
            Some(value) => shell::Value::Is(value.to_string_lossy().into_owned()),
            None => shell::Value::Unknown,
        };
        let (rest, next) = match shell::requoted(command.rest, &value) {
            Ok(words) => words,
            Err(what) => {
                self.weighed(origin, what, moves_mail(line));
                self.leave_out_block_of(row, command.rest);
                return None;
            }
        };
        let command = Command {
            rest: &rest,
            ..*command
        };
        self.command(row, &command, line, origin, depth);
        next.map(str::to_owned)
    }

    /// Returns a word of the line being read as the text that it is by itself.
    fn decoded(&self, word: String) -> String {
        if self.is_foreign {
            decode_text(text::encode(&word).as_bytes()).into_owned()
        } else {
            word
        }
    }

    /// Returns a word of the line being read as the bytes that were written.
    fn os<'w>(&self, word: &'w str) -> Cow<'w, OsStr> {
        if self.is_foreign {
            Cow::Owned(text::encode(word))
        } else {
            Cow::Borrowed(OsStr::new(word))
        }
    }

    fn command(
        &mut self,
        row: RcCommand,
        command: &Command<'_>,
        line: &str,
        origin: &Origin,
        depth: usize,
    ) {
        let rest = command.rest;
        // Every command is a change, `alias` and `ignore` too: a reader that keeps what it has
        // made of the settings compares `Settings::revision`.
        self.settings.changes += 1;
        // Quotes are checked before anything of the line is applied, so that no half of a line
        // counts. The words are counted and not collected: the limit of entries is asked before
        // they take memory.
        let words = match words::texts(rest) {
            Ok(words) => words,
            Err(what) => {
                let problem = Problem::of_line(origin, what, weight_of(rest.split_whitespace()));
                self.settings.add_problem(problem);
                return self.leave_out_block_of(row, rest);
            }
        };
        let count = words.clone().count();
        match row {
            RcCommand::Set => self.set(rest, origin),
            RcCommand::Unset => words.for_each(|name| self.settings.unset(&name, origin.clone())),
            RcCommand::Alias => self.alias(words, count, origin),
            RcCommand::Unalias => forget(&mut self.settings.aliases, words),
            RcCommand::HeaderPick | RcCommand::UnheaderPick => {
                self.header_pick(row == RcCommand::UnheaderPick, words, command, line, origin);
            }
            RcCommand::Unalternates => self.remove_alternates(words),
            RcCommand::Echo => {
                if self.settings.has_room(4, origin)
                    && let Ok(text) = words::echoed(rest)
                {
                    let text = self.decoded(text);
                    self.settings.echoes.push(text);
                }
            }
            RcCommand::Alternates => {
                if self.settings.has_room(count, origin) {
                    // A later list replaces the earlier one, as in bsd-mailx.
                    self.settings.alternates = words.map(|word| self.decoded(word)).collect();
                }
            }
            RcCommand::Source => self.source(rest, false, origin, depth),
            RcCommand::Ignore(what) => {
                if self.settings.has_room(count, origin) {
                    self.settings.fields_mut(what).ignore(words);
                }
            }
            RcCommand::Retain(what) => {
                if self.settings.has_room(count, origin) {
                    self.settings.fields_mut(what).retain(words);
                }
            }
            RcCommand::Unignore(what) => self.settings.fields_mut(what).unignore(words),
            RcCommand::Unretain(what) => self.settings.fields_mut(what).unretain(words, what),
            RcCommand::MailingList { subscribed } => {
                if self.settings.has_room(count, origin) {
                    self.mailing_lists(words, subscribed, origin);
                }
            }
            RcCommand::ForgetList => {
                words.for_each(|name| self.settings.lists.remove(&self.decoded(name)));
            }
            RcCommand::Unsubscribe => {
                words.for_each(|name| self.settings.lists.unsubscribe(&self.decoded(name)));
            }
            RcCommand::Account => self.account(rest, origin),
            RcCommand::SourceIf => self.source(rest, true, origin, depth),
            RcCommand::Define => self.define(rest, origin),
            RcCommand::Call | RcCommand::CallIf => self.call(row, command, line, origin),
            RcCommand::CommandAlias => self.add_command_alias(rest, origin),
            RcCommand::UncommandAlias => forget(&mut self.settings.command_aliases, words),
            RcCommand::NoEffect => self.pass_over(command, line, origin),
            RcCommand::NotAllowed => self.pass(Passed::NotAllowed, origin, &masked(line)),
            RcCommand::If | RcCommand::Elif | RcCommand::Else | RcCommand::Endif => {}
        }
    }
}

impl Interpreter<'_> {
    /// `headerpick type ignore FIELD…` is `ignore`, `headerpick save retain FIELD…` is `saveretain`, and
    /// so on; the list for `top` has no effect.
    fn header_pick(
        &mut self,
        takes_off: bool,
        mut words: impl Iterator<Item = String>,
        command: &Command<'_>,
        line: &str,
        origin: &Origin,
    ) {
        let context = words.next().unwrap_or_default();
        let kind = words.next().unwrap_or_default();
        let what = match context.to_ascii_lowercase().as_str() {
            "type" => Some(FieldUse::Show),
            "save" => Some(FieldUse::Save),
            "forward" => Some(FieldUse::Forward),
            _ => None,
        };
        let row = what.and_then(|what| match (kind.as_str(), takes_off) {
            ("ignore", false) => Some(RcCommand::Ignore(what)),
            ("retain", false) => Some(RcCommand::Retain(what)),
            ("ignore", true) => Some(RcCommand::Unignore(what)),
            ("retain", true) => Some(RcCommand::Unretain(what)),
            _ => None,
        });
        let Some(row) = row else {
            return self.pass_over(command, line, origin);
        };
        let rest: Vec<String> = words.collect();
        let rest = rest.join(" ");
        let command = Command {
            rest: &rest,
            ..*command
        };
        self.command(row, &command, line, origin, 0);
    }

    /// Names mailing lists.
    fn mailing_lists(
        &mut self,
        names: impl Iterator<Item = String>,
        subscribed: bool,
        origin: &Origin,
    ) {
        for name in names {
            let name = self.decoded(name);
            if let Err(what) = self.settings.lists.add(name, subscribed) {
                self.problem(origin, what);
            }
        }
    }

    /// Removes addresses from the user's own; `*` stands for all.
    fn remove_alternates(&mut self, words: impl Iterator<Item = String>) {
        for word in words {
            let word = self.decoded(word);
            let own = &mut self.settings.alternates;
            own.retain(|address| word != "*" && !address.eq_ignore_ascii_case(&word));
        }
    }
}

/// Returns the weight of an rc file that exists but cannot be read. It may set the route, so
/// nothing is sent; when a mailbox is read, there is only a warning.
fn weight_of_unusable(context: &Context<'_>) -> Weight {
    if context.sending {
        Weight::Route
    } else {
        Weight::Line
    }
}

/// Removes names from a table; `*` stands for all, as in s-nail.
fn forget<T>(table: &mut BTreeMap<String, T>, names: impl Iterator<Item = String>) {
    for name in names {
        match name.as_str() {
            "*" => table.clear(),
            _ => drop(table.remove(&name)),
        }
    }
}

#[cfg(test)]
mod tests;
