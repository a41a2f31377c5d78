//! The interpreter of rc files: `set`, `alias`, `if`, `source`, `account` and the other commands
//! that a mailrc may hold.
//!
//! Errors name file and line and do not stop the rest. A file that
//! another user could have written is not read at all.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::charset::decode_text;
use crate::config::commands::{RcCommand, find_in_rc_files};
use crate::config::problem::{Lines, Origin, Problem, Weight};
use crate::config::settings::Settings;
use crate::config::words::{self, Backslash, open_quote};
use crate::config::{text, variables};

mod condition;
mod source;
mod trust;
mod way_out;

use trust::{Untrusted, read_trusted};
use way_out::{called, may_set_way_out, sets_way_out, weight_of};

/// What conditions in an rc file ask about, and what `~` stands for.
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
            let (what, weight) = match error {
                Untrusted::Failed(what) => (what, Weight::Unread),
                Untrusted::Refused(why) => (format!("this file is ignored: {why}"), Weight::Line),
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

/// Returns how many words a line has.
///
/// # Errors
/// Says that a quote is not closed.
fn count_words(line: &str) -> Result<usize, String> {
    let mut words = words::each(line, Backslash::Escapes);
    let count = words.try_fold(0, |count, word| word.map(|_| count + 1));
    count.map_err(|error| open_quote(line, error))
}

/// Returns the words of a line whose quotes are closed, one at a time.
fn each_word(line: &str) -> impl Iterator<Item = String> {
    let words = words::each(line, Backslash::Escapes);
    words.filter_map(|word| word.ok().map(|word| word.text))
}

/// Applies lines that were kept for later, as those of an account.
///
/// Returns where the first command stands that has no effect here, because it is one of the reader.
pub(crate) fn apply_lines(
    settings: &mut Settings,
    lines: Lines,
    context: &Context<'_>,
) -> Option<Origin> {
    let mut interpreter = Interpreter::new(settings, context);
    let mut last = None;
    for (origin, line) in lines {
        interpreter.line(&line, &origin, 0);
        last = Some(origin);
    }
    // The lines are a file of their own: what they open must be closed in them.
    if let Some(origin) = last {
        interpreter.end(&origin);
    }
    interpreter.without_effect
}

/// Applies the lines of an account.
///
/// Returns whether there is an account of this name.
pub(crate) fn use_account(settings: &mut Settings, name: &str, context: &Context<'_>) -> bool {
    let Some(lines) = settings.account(name).cloned() else {
        return false;
    };
    let _ = apply_lines(settings, lines, context);
    true
}

/// Returns whether a word is the name of a command an rc file or `-E 'command'` may hold.
pub(crate) fn is_command(word: &str) -> bool {
    find_in_rc_files(word).is_some()
}

/// Applies one `NAME`, `NAME=VALUE` or `noNAME`, as `set` and `-S` take it.
///
/// # Errors
/// Says that the word is no variable.
pub(crate) fn apply_set(
    settings: &mut Settings,
    word: impl AsRef<OsStr>,
    origin: Origin,
) -> Result<(), String> {
    let bytes = word.as_ref().as_bytes();
    let equals = bytes.iter().position(|&b| b == b'=');
    let (name, value) = match equals {
        Some(equals) => (&bytes[..equals], &bytes[equals + 1..]),
        None => (bytes, &b""[..]),
    };
    let name = text::decode(name);
    let name = name.trim_end();
    if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(format!(
            "\"{}\" is not the name of a variable",
            text::decode(bytes)
        ));
    }
    // `set noNAME` is `unset NAME` (POSIX), but a variable of the table whose own name begins
    // with `no` is that variable.
    let taken_back = name
        .strip_prefix("no")
        .filter(|rest| !rest.is_empty() && variables::row_of(name).is_none());
    match taken_back {
        Some(rest) if equals.is_none() => settings.unset(rest, origin),
        Some(rest) if variables::row_of(rest).is_some() => {
            return Err(format!("{name} takes no value: it unsets {rest}"));
        }
        _ => settings.set(name, OsStr::from_bytes(value), origin),
    }
    Ok(())
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

/// The block of a macro, which is passed over.
#[derive(Debug)]
struct Macro {
    name: String,
    /// It sets the way out.
    is_way_out: bool,
    /// The macros that it calls.
    calls: Vec<String>,
}

/// Carries out the lines of rc files, one by one, on the settings.
struct Interpreter<'a> {
    settings: &'a mut Settings,
    context: Context<'a>,
    branches: Vec<Branch>,
    /// The account whose block is being read.
    account: Option<(String, Lines)>,
    /// The macro whose block is being read.
    defining: Option<Macro>,
    /// The line being read is not UTF-8: its words stand for other bytes than theirs.
    is_foreign: bool,
    /// Where the first command of the reader stands.
    without_effect: Option<Origin>,
}

impl<'a> Interpreter<'a> {
    fn new(settings: &'a mut Settings, context: &Context<'a>) -> Interpreter<'a> {
        Interpreter {
            settings,
            context: *context,
            branches: Vec::new(),
            account: None,
            defining: None,
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
        // A sourced file begins without an open `if`: its `source` line was reached, so its lines
        // count, and an `else` or `endif` in it cannot belong to an `if` of the outer file.
        let outer_branches = std::mem::take(&mut self.branches);
        let mut pending = Vec::new();
        let mut first_line = 0;
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
    }

    /// Reports what is still open at the end.
    fn end(&mut self, origin: &Origin) {
        // The lines that were passed over may have been meant for every message.
        if !self.branches.is_empty() {
            let is_way_out = self.branches.iter().any(|branch| branch.passed_way_out);
            self.weighed(origin, "\"if\" without \"endif\"", is_way_out);
        }
        if let Some((_, lines)) = self.account.take() {
            let is_way_out = lines
                .iter()
                .any(|(_, line)| sets_way_out(&text::decode(line)));
            self.weighed(origin, "\"account\" without its closing brace", is_way_out);
        }
        if let Some(block) = self.defining.take() {
            self.weighed(
                origin,
                "\"define\" without its closing brace",
                block.is_way_out,
            );
        }
    }

    fn problem(&mut self, origin: &Origin, what: impl Into<String>) {
        self.weighed(origin, what, false);
    }

    /// Notes a problem; where it concerns the way out nothing is sent.
    fn weighed(&mut self, origin: &Origin, what: impl Into<String>, is_way_out: bool) {
        let weight = if is_way_out {
            Weight::Route
        } else {
            Weight::Line
        };
        let problem = Problem::of_line(origin, what, weight);
        self.settings.add_problem(problem);
    }

    /// Carries out one line: a blank one and a comment do nothing.
    fn line(&mut self, bytes: &[u8], origin: &Origin, depth: usize) {
        let line = text::decode(bytes);
        let line = line.trim_start();
        // A comment is a whole line (POSIX mailx): a `#` further on is part of a value, as in
        // `set prompt=#`.
        if line.is_empty() || line.starts_with('#') {
            return;
        }
        // The lines of a block come first: an `if` or a `set` in it counts when the block is used.
        if self.account.is_some() {
            return self.line_of_account(bytes, line, origin);
        }
        if self.defining.is_some() {
            return self.line_of_macro(line, origin);
        }
        self.is_foreign = std::str::from_utf8(bytes).is_err();
        let end = line.find(char::is_whitespace).unwrap_or(line.len());
        let (word, rest) = (&line[..end], line[end..].trim());
        let command = find_in_rc_files(word);
        // Conditions come before the question whether lines count: the `endif` of a branch that
        // does not count must be seen, or nothing behind it would count again.
        if self.conditional(command, rest, origin) {
            return;
        }
        // Where a condition is not understood, neither its branch nor the `else` is known to be
        // meant. A `set smtp=HOST` in either of them stops mail: the other branch may name the
        // right relay. A branch that does not count remembers such a line for `end`: without an
        // `endif` the line may stand behind the branch.
        if let Some(branch) = self.branches.last_mut()
            && (branch.unclear || !branch.active)
            && sets_way_out(line)
        {
            branch.passed_way_out |= !branch.active;
            if branch.unclear {
                let what = format!("\"{line}\" is in a block whose condition is not understood");
                return self.weighed(origin, what, true);
            }
        }
        if !self.is_active() {
            return;
        }
        match command {
            Some(command) => self.command(command, line, rest, origin, depth),
            None => {
                let what = format!("unknown command \"{word}\"");
                let calls = called(line).is_some_and(|name| self.settings.calls_way_out(name));
                self.weighed(origin, what, calls || may_set_way_out(word, rest));
            }
        }
    }

    /// Keeps a line of the account whose block is being read, or ends the block.
    fn line_of_account(&mut self, bytes: &[u8], line: &str, origin: &Origin) {
        // As in s-nail a block ends at a line that holds the brace alone: `set sign=}` does not
        // end it.
        if line.trim_end() == "}" {
            if let Some((name, lines)) = self.account.take() {
                self.settings.accounts.insert(name, lines);
            }
        } else if let Some((_, lines)) = &mut self.account
            && self.settings.has_room(4, origin)
        {
            // The bytes are kept, not their text: whether the line is UTF-8 is decided again when
            // the account is used, and a file name in it must come back as it was written.
            lines.push((origin.clone(), bytes.to_owned()));
        }
    }

    /// Looks at a line of the macro whose block is being read, or ends the block.
    ///
    /// Macros are never run. What is kept of one is whether it would set the way out, itself or by
    /// another macro: then a `call` of it stops mail.
    fn line_of_macro(&mut self, line: &str, origin: &Origin) {
        if line.trim_end() == "}" {
            if let Some(block) = self.defining.take()
                && self.settings.has_room(2, origin)
            {
                let Macro {
                    name,
                    is_way_out,
                    calls,
                } = block;
                self.settings.macros.insert(name, (is_way_out, calls));
            }
        } else if let Some(block) = &mut self.defining {
            block.is_way_out |= sets_way_out(line);
            // A call may name a macro that is defined later, so the names are followed only when
            // all of them are known (`Settings::calls_way_out`).
            if let Some(called) = called(line).filter(|_| self.settings.has_room(2, origin)) {
                block.calls.push(called.to_owned());
            }
        }
    }

    /// Passes over a command of the reader; one that would set the way out is named.
    fn pass_over(&mut self, line: &str, rest: &str, origin: &Origin) {
        let (word, _) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let first = rest.split_whitespace().next().unwrap_or_default();
        // The block of a macro is passed over with it: its lines would otherwise be read as lines
        // of the file, and count for every message.
        if word == "define" && rest.ends_with('{') {
            self.defining = Some(Macro {
                name: first.to_owned(),
                is_way_out: false,
                calls: Vec::new(),
            });
        } else if called(line).is_some_and(|name| self.settings.calls_way_out(name))
            // s-nail takes `wysh set smtp=HOST`: a prefix without effect must not hide the
            // command behind it.
            || sets_way_out(rest)
        {
            let what = format!("\"{line}\" has no effect: {word} is not supported");
            self.weighed(origin, what, true);
        } else {
            self.without_effect.get_or_insert_with(|| origin.clone());
        }
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
        command: RcCommand,
        line: &str,
        rest: &str,
        origin: &Origin,
        depth: usize,
    ) {
        // Every command is a change, `alias` and `ignore` too: a reader that keeps what it has
        // made of the settings compares `Settings::revision`.
        self.settings.changes += 1;
        // Quotes are checked before anything of the line is applied, so that no half of a line
        // counts. The words are counted and not collected: the limit of entries is asked before
        // they take memory.
        let count = match count_words(rest) {
            Ok(count) => count,
            Err(what) => {
                let problem = Problem::of_line(origin, what, weight_of(rest.split_whitespace()));
                return self.settings.add_problem(problem);
            }
        };
        let words = each_word(rest);
        match command {
            RcCommand::Set => self.set(rest, origin),
            RcCommand::Unset => words.for_each(|name| self.settings.unset(&name, origin.clone())),
            RcCommand::Alias => self.add_to_alias(words, count, origin),
            RcCommand::Unalias => words.for_each(|name| drop(self.settings.aliases.remove(&name))),
            RcCommand::Alternates => {
                if self.settings.has_room(count, origin) {
                    // A later list replaces the earlier one, as in bsd-mailx.
                    self.settings.alternates = words.map(|word| self.decoded(word)).collect();
                }
            }
            RcCommand::Source => self.source(rest, origin, depth),
            RcCommand::Ignore => {
                if self.settings.has_room(count, origin) {
                    let names = words.map(|word| field_name(&word));
                    self.settings.ignored.extend(names);
                }
            }
            RcCommand::Retain => {
                if self.settings.has_room(count, origin) {
                    let names = words.map(|word| field_name(&word));
                    self.settings.retained.extend(names);
                }
            }
            RcCommand::Unignore => remove_fields(&mut self.settings.ignored, words),
            RcCommand::Unretain => remove_fields(&mut self.settings.retained, words),
            RcCommand::Account => self.begin_account(rest, origin),
            RcCommand::NoEffect => self.pass_over(line, rest, origin),
            RcCommand::NotAllowed => {
                let what = format!("\"{line}\" is not allowed in this file");
                self.problem(origin, what);
            }
            RcCommand::If | RcCommand::Elif | RcCommand::Else | RcCommand::Endif => {}
        }
    }

    fn add_to_alias(
        &mut self,
        mut words: impl Iterator<Item = String>,
        count: usize,
        origin: &Origin,
    ) {
        if let Some(name) = words.next()
            && self.settings.has_room(count, origin)
        {
            let members: Vec<String> = words.map(|member| self.decoded(member)).collect();
            // POSIX: a second line for the same name adds to the group.
            let name = self.decoded(name);
            let alias = self.settings.aliases.entry(name).or_default();
            members.iter().for_each(|member| alias.push(member));
        }
    }

    fn set(&mut self, rest: &str, origin: &Origin) {
        for word in each_word(rest) {
            let word = self.os(&word);
            if let Err(what) = apply_set(self.settings, word, origin.clone()) {
                // `set mta = …` has set mta to nothing.
                let weight = weight_of(each_word(rest));
                let problem = Problem::of_line(origin, what, weight);
                self.settings.add_problem(problem);
            }
        }
    }

    fn begin_account(&mut self, rest: &str, origin: &Origin) {
        let words: Vec<String> = each_word(rest).take(3).collect();
        match &words[..] {
            [name, brace] if brace == "{" => self.account = Some((name.clone(), Vec::new())),
            _ => self.problem(origin, "account needs a name and \"{\""),
        }
    }
}

/// Returns what follows from an rc file that is there and cannot be read as one: the way out may
/// be in it, so nothing is sent; a person who only reads mail gets a message.
fn weight_of_unusable(context: &Context<'_>) -> Weight {
    if context.sending {
        Weight::Route
    } else {
        Weight::Line
    }
}

fn remove_fields(fields: &mut BTreeSet<String>, words: impl Iterator<Item = String>) {
    for word in words {
        match word.as_str() {
            // `unignore *` and `unretain *` of s-nail.
            "*" => fields.clear(),
            _ => {
                fields.remove(&field_name(&word));
            }
        }
    }
}

/// Returns the name of a field as the lists have it: in lower case and without its colon.
fn field_name(word: &str) -> String {
    word.trim_end_matches(':').to_ascii_lowercase()
}

#[cfg(test)]
mod tests;
