//! The mailrc reader: `set`, `alias`, `if`, `source`, `account` and their kin.
//!
//! Errors name file and line and do not stop the rest. A file that
//! someone else could have written is not read at all.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::config::commands::{RcCommand, find_in_rc_files};
use crate::config::file_name::NameError;
use crate::config::problem::{Lines, Origin, Problem, Weight};
use crate::config::settings::Settings;
use crate::config::words::{self, Backslash, open_quote};
use crate::config::{file_name, text, variables};
use crate::{exit, sanitize};

mod trust;

use trust::{Untrusted, read_trusted};

/// How deep `source` may nest.
const SOURCE_DEPTH: usize = 8;
/// How many files all `source` lines may read.
const SOURCE_FILES: usize = 256;
/// How many bytes they may have in all, but for the last file.
const SOURCE_BYTES: usize = 4_000_000;

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
    match Reader::new(settings, context).file(path, 0) {
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
    Reader::new(settings, context).text(path, text, 0);
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
    let mut reader = Reader::new(settings, context);
    let mut last = None;
    for (origin, line) in lines {
        reader.line(&line, &origin, 0);
        last = Some(origin);
    }
    if let Some(origin) = last {
        reader.end(&origin);
    }
    reader.without_effect
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
        return Err(format!("\"{}\" is no variable", text::decode(bytes)));
    }
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

/// Returns what follows from a line that is not understood: nothing is sent if one of its words
/// may set a variable of the way out.
fn weight_of(mut words: impl Iterator<Item = impl AsRef<str>>) -> Weight {
    let is_way_out = |word: &str| {
        let name = word.split('=').next().unwrap_or_default();
        let name = name.trim_start_matches(['"', '\'']);
        let taken_back = name.strip_prefix("no");
        variables::is_way_out(name) || taken_back.is_some_and(variables::is_way_out)
    };
    if words.any(|word| is_way_out(word.as_ref())) {
        Weight::Route
    } else {
        Weight::Line
    }
}

/// Returns whether a line is `set` or `unset`, alone or behind a word like `wysh`, of a variable
/// of the way out.
fn sets_way_out(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let is_set = |word| {
        matches!(
            find_in_rc_files(word),
            Some(RcCommand::Set | RcCommand::Unset)
        )
    };
    words.by_ref().take(2).any(is_set) && weight_of(words) == Weight::Route
}

/// Returns the macro that a line calls, alone or behind a word like `eval`.
fn called(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    words.by_ref().take(2).find(|word| *word == "call")?;
    words.next()
}

/// Returns whether a line whose command is unknown may be meant to set the way out.
fn may_set_way_out(word: &str, rest: &str) -> bool {
    // `smtp=HOST`, where `set` was forgotten; but `local set …` is no variable.
    let first = Some(word).filter(|word| word.contains('='));
    weight_of(first.into_iter().chain(rest.split_whitespace())) == Weight::Route
}

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

/// The state of one nested `if`.
#[derive(Clone, Copy, Debug)]
struct Branch {
    /// Lines count now.
    active: bool,
    /// A branch of this `if` has counted already.
    taken: bool,
    /// The lines around this `if` count.
    outer: bool,
    /// One of its conditions is not understood: nobody knows which of its branches counts.
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

struct Reader<'a> {
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

impl<'a> Reader<'a> {
    fn new(settings: &'a mut Settings, context: &Context<'a>) -> Reader<'a> {
        Reader {
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
        let outer_branches = std::mem::take(&mut self.branches);
        let mut pending = Vec::new();
        let mut first_line = 0;
        let lines = text.strip_suffix(b"\n").unwrap_or(text);
        for (number, line) in lines.split(|&b| b == b'\n').enumerate() {
            if pending.is_empty() {
                first_line = number + 1;
            }
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
        self.line(&pending, &origin(first_line), depth);
        self.end(&origin(first_line));
        self.branches = outer_branches;
    }

    /// Tells what is still open at the end.
    fn end(&mut self, origin: &Origin) {
        // What was swallowed may have been meant for everybody.
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

    fn line(&mut self, bytes: &[u8], origin: &Origin, depth: usize) {
        let line = text::decode(bytes);
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            return;
        }
        if let Some((_, lines)) = &mut self.account {
            if line.trim_end() != "}" {
                if self.settings.has_room(4, origin) {
                    lines.push((origin.clone(), bytes.to_owned()));
                }
            } else if let Some((name, lines)) = self.account.take() {
                self.settings.accounts.insert(name, lines);
            }
            return;
        }
        if let Some(block) = &mut self.defining {
            if line.trim_end() != "}" {
                block.is_way_out |= sets_way_out(line);
                if let Some(called) = called(line).filter(|_| self.settings.has_room(2, origin)) {
                    block.calls.push(called.to_owned());
                }
            } else if let Some(block) = self.defining.take()
                && self.settings.has_room(2, origin)
            {
                self.settings
                    .macros
                    .insert(block.name, (block.is_way_out, block.calls));
            }
            return;
        }
        self.is_foreign = std::str::from_utf8(bytes).is_err();
        let end = line.find(char::is_whitespace).unwrap_or(line.len());
        let (word, rest) = (&line[..end], line[end..].trim());
        let command = find_in_rc_files(word);
        if self.conditional(command, rest, origin) {
            return;
        }
        if let Some(branch) = self.branches.last_mut()
            && (branch.unclear || !branch.active)
            && sets_way_out(line)
        {
            branch.passed_way_out |= !branch.active;
            if branch.unclear {
                let what = format!(
                    "nobody knows whether \"{line}\" counts: its condition is not understood"
                );
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

    /// Passes over a command of the reader; one that would set the way out is named.
    fn pass_over(&mut self, line: &str, rest: &str, origin: &Origin) {
        let (word, _) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let first = rest.split_whitespace().next().unwrap_or_default();
        if word == "define" && rest.ends_with('{') {
            self.defining = Some(Macro {
                name: first.to_owned(),
                is_way_out: false,
                calls: Vec::new(),
            });
        } else if called(line).is_some_and(|name| self.settings.calls_way_out(name))
            || sets_way_out(rest)
        {
            let what = format!("\"{line}\" has no effect: {word} is not supported");
            self.weighed(origin, what, true);
        } else {
            self.without_effect.get_or_insert_with(|| origin.clone());
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

    fn is_active(&self) -> bool {
        self.branches.last().is_none_or(|branch| branch.active)
    }

    fn is_unclear(&self) -> bool {
        self.branches.last().is_some_and(|branch| branch.unclear)
    }

    /// Handles `if`, `elif`, `else`, `endif`; returns whether the line was one of them.
    fn conditional(&mut self, command: Option<RcCommand>, rest: &str, origin: &Origin) -> bool {
        match command {
            Some(RcCommand::If) => {
                let outer = self.is_active();
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
                let open = branch.outer && !branch.taken;
                let holds =
                    open && (command == Some(RcCommand::Else) || self.condition(rest, origin));
                if let Some(branch) = self.branches.last_mut() {
                    branch.active = holds;
                    branch.taken |= holds;
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
    fn condition(&mut self, text: &str, origin: &Origin) -> bool {
        let Some((negated, asked)) = asked(text) else {
            let what = format!("condition \"{text}\" is not understood and does not hold");
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

    fn command(
        &mut self,
        command: RcCommand,
        line: &str,
        rest: &str,
        origin: &Origin,
        depth: usize,
    ) {
        self.settings.changes += 1;
        let count = match count_words(rest) {
            Ok(count) => count,
            Err(what) => {
                let problem = Problem::of_line(origin, what, weight_of(rest.split_whitespace()));
                return self.settings.add_problem(problem);
            }
        };
        let mut words = each_word(rest);
        match command {
            RcCommand::Set => self.set(rest, origin),
            RcCommand::Unset => words.for_each(|name| self.settings.unset(&name, origin.clone())),
            RcCommand::Alias => {
                if let Some(name) = words.next()
                    && self.settings.has_room(count, origin)
                {
                    let alias = self.settings.aliases.entry(name).or_default();
                    words.for_each(|member| alias.push(&member));
                }
            }
            RcCommand::Unalias => words.for_each(|name| drop(self.settings.aliases.remove(&name))),
            RcCommand::Alternates => {
                if self.settings.has_room(count, origin) {
                    self.settings.alternates = words.collect();
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

    fn source(&mut self, rest: &str, origin: &Origin, depth: usize) {
        let words: Vec<String> = each_word(rest).take(2).collect();
        let [name] = &words[..] else {
            return self.problem(origin, "source needs one file name");
        };
        let sourced = &mut self.settings.sourced;
        sourced.files += 1;
        if sourced.files > SOURCE_FILES || sourced.bytes > SOURCE_BYTES {
            // Ten files that each name ten others, eight deep, are a hundred million.
            if !std::mem::replace(&mut sourced.is_over, true) {
                let what = format!(
                    "source has read {SOURCE_FILES} files or {} MB: the rest is left out",
                    SOURCE_BYTES / 1_000_000
                );
                // The way out may be in what is left out.
                let problem = Problem::of_line(origin, what, Weight::Route);
                self.settings.add_problem(problem);
            }
            return;
        }
        if depth >= SOURCE_DEPTH {
            return self.problem(origin, "source is nested too deep");
        }
        let name = self.os(name);
        let path = match file_name::of_setting(&name, self.settings, self.context.home) {
            Ok(path) => path,
            Err(error) => {
                // A name that means no file is a file that is not there. Where the system failed to
                // look, nobody knows what the file would have set.
                let weight = match error {
                    NameError::NoDatabase(_) | NameError::NoPlace(_) => Weight::Unread,
                    _ => Weight::Line,
                };
                let why = exit::with_causes(&error);
                let what = format!("cannot source {}: {why}", sanitize::path(&name));
                let problem = Problem::of_line(origin, what, weight);
                return self.settings.add_problem(problem);
            }
        };
        if let Err(error) = self.file(&path, depth + 1) {
            let (what, weight) = match error {
                Untrusted::Missing => ("there is no such file".to_owned(), Weight::Line),
                Untrusted::Refused(what) => (what, Weight::Line),
                Untrusted::Unusable(what) => (what, weight_of_unusable(&self.context)),
                Untrusted::Failed(what) => (what, Weight::Unread),
            };
            let what = format!("cannot source {}: {what}", sanitize::path(&path));
            let problem = Problem::of_line(origin, what, weight);
            self.settings.add_problem(problem);
        }
    }
}

/// Returns what follows from an rc file that is there and cannot be read as one: the way out may
/// be in it, so nothing is sent; whoever reads is told.
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
