//! Blocks in braces: accounts, whose lines are stored until the account is used, and macros, whose
//! lines are skipped.

use super::block::{Block, Macro, Opener};
use super::told::Passed;
use super::way_out::{called, moves_mail};
use super::{Context, Interpreter, each_word};
use crate::config::commands::RcCommand;
use crate::config::problem::{Lines, Origin};
use crate::config::settings::Settings;
use crate::config::text;
use crate::config::words::without_comment;

/// How deep accounts may use each other.
const ACCOUNT_DEPTH: usize = 8;

/// Applies lines that were stored, such as those of an account.
///
/// Returns the place of the first command of the reader, which has no effect here.
pub(crate) fn apply_lines(
    settings: &mut Settings,
    lines: Lines,
    context: &Context<'_>,
) -> Option<Origin> {
    let mut interpreter = Interpreter::new(settings, context);
    interpreter.lines(lines);
    interpreter.without_effect
}

/// Applies the lines of an account.
///
/// Returns whether there is an account of this name.
pub(crate) fn use_account(settings: &mut Settings, name: &str, context: &Context<'_>) -> bool {
    let origin = Origin::Option(format!("-A {name}"));
    Interpreter::new(settings, context).activate(name, &origin)
}

/// Returns the name in front of the brace that opens a block, if a line ends in one.
fn opened(rest: &str) -> Option<String> {
    let words: Vec<String> = each_word(rest).take(3).collect();
    match &words[..] {
        [name, brace] if brace == "{" => Some(name.clone()),
        [word] => word
            .strip_suffix('{')
            .filter(|name| !name.is_empty())
            .map(str::to_owned),
        _ => None,
    }
}

/// Returns whether a line leaves a brace open: its block goes on in the next lines.
fn leaves_open(rest: &str) -> bool {
    rest.matches('{').count() > rest.matches('}').count()
}

impl Interpreter<'_> {
    /// Applies lines that are a file of their own: what they open must be closed in them.
    fn lines(&mut self, lines: Lines) {
        let mut last = None;
        for (origin, line) in lines {
            self.line(&line, &origin, 0);
            last = Some(origin);
        }
        if let Some(origin) = last {
            self.end(&origin);
        }
    }

    /// Reads `account`: it begins a block, or uses an account.
    pub(super) fn account(&mut self, rest: &str, origin: &Origin) {
        if let Some(name) = opened(rest) {
            self.block = Some(Block::Account(name, Vec::new()));
            return;
        }
        let words: Vec<String> = each_word(rest).take(2).collect();
        match &words[..] {
            // Without a name other programs list the accounts.
            [] => {
                self.without_effect.get_or_insert_with(|| origin.clone());
            }
            [name] if !rest.contains('{') => {
                if !self.activate(name, origin) {
                    self.opener = Some((Opener::Account(name.clone()), origin.clone()));
                }
            }
            _ => {
                // Without a brace the lines that follow may be those of the account.
                let is_way_out = !rest.contains('{');
                let what = "account needs a name and, at the end of its line, \"{\"";
                self.weighed(origin, what, is_way_out);
                self.leave_out_block(rest);
            }
        }
    }

    /// Begins a block whose lines are left out, if a line that is not understood leaves one open:
    /// its lines must not be carried out one by one.
    pub(super) fn leave_out_block(&mut self, rest: &str) {
        if leaves_open(rest) {
            self.begin_macro(String::new());
        }
    }

    /// Leaves out the block that a command with a quote that is not closed opens.
    pub(super) fn leave_out_block_of(&mut self, row: RcCommand, rest: &str) {
        if matches!(row, RcCommand::Account | RcCommand::Define) {
            self.leave_out_block(rest);
        }
    }

    /// Uses an account; returns whether there is one of this name.
    fn activate(&mut self, name: &str, origin: &Origin) -> bool {
        let lines = match self.settings.account(name) {
            Some(lines) => lines.clone(),
            // The account of s-nail that sets nothing.
            None if name.eq_ignore_ascii_case("null") => Vec::new(),
            None => return false,
        };
        if self.account_depth >= ACCOUNT_DEPTH {
            self.weighed(origin, "accounts use each other in a loop", true);
            return true;
        }
        // Each use counts: an account that is used on each of a million lines would not end.
        if !self.settings.has_room(lines.len(), origin) {
            return true;
        }
        let outermost = self.account_depth == 0;
        if outermost {
            let is_known = self.settings.account(name).is_some();
            self.settings.set_account_in_use(is_known.then_some(name));
        }
        self.settings.enter_account();
        let mut inner = Interpreter::new(self.settings, &self.context);
        inner.account_depth = self.account_depth + 1;
        inner.lines(lines);
        if outermost {
            self.settings.end_of_account();
        }
        true
    }

    /// Begins the block of a macro, or notes that its brace may follow.
    pub(super) fn define(&mut self, rest: &str, origin: &Origin) {
        if let Some(name) = opened(rest) {
            self.begin_macro(name);
        } else if leaves_open(rest) {
            self.problem(
                origin,
                "define needs a name and, at the end of its line, \"{\"",
            );
            self.leave_out_block(rest);
        } else if let Some(name) = each_word(rest).next() {
            self.opener = Some((Opener::Macro(name), origin.clone()));
        } else {
            self.problem(origin, "define needs a name");
        }
    }

    fn begin_macro(&mut self, name: String) {
        self.block = Some(Block::Macro(Macro {
            name,
            moves_mail: false,
            calls: Vec::new(),
        }));
    }

    /// Begins the block whose brace stands on a line of its own; returns whether the line is one.
    pub(super) fn lone_brace(&mut self, line: &str, origin: &Origin) -> bool {
        let is_brace = without_comment(line).trim_end() == "{";
        match self.opener.take() {
            Some((Opener::Account(name), _)) if is_brace => {
                self.block = Some(Block::Account(name, Vec::new()));
            }
            Some((Opener::Macro(name), _)) if is_brace => self.begin_macro(name),
            opener => {
                self.opener = opener;
                self.end_opener();
                if is_brace {
                    // Its lines must not be carried out one by one.
                    self.pass(Passed::Unknown, origin, "{");
                    self.begin_macro(String::new());
                }
            }
        }
        is_brace
    }

    /// Tells that a command has no block after all.
    pub(super) fn end_opener(&mut self) {
        match self.opener.take() {
            // What the account would have set is unknown.
            Some((Opener::Account(name), origin)) => {
                self.weighed(&origin, format!("there is no account \"{name}\""), true);
            }
            Some((Opener::Macro(name), origin)) => {
                let what = format!("\"define {name}\" has no lines in braces after it");
                self.problem(&origin, what);
            }
            None => {}
        }
    }

    /// Handles a line within a block; returns whether there is one.
    pub(super) fn line_of_block(&mut self, bytes: &[u8], line: &str, origin: &Origin) -> bool {
        match &mut self.block {
            None => return false,
            // As in s-nail a block ends at a line that holds the brace alone: `set sign=}` does not
            // end it. Unlike there a comment may stand behind the brace.
            Some(_) if without_comment(line).trim_end() == "}" => self.end_block(origin),
            Some(Block::Account(_, lines)) => {
                if self.settings.has_room(4, origin) {
                    // The bytes are kept, not their text: whether the line is UTF-8 is decided again
                    // when the account is used, and a file name in it must come back as it was
                    // written.
                    lines.push((origin.clone(), bytes.to_owned()));
                }
            }
            Some(Block::Macro(block)) => {
                let line = without_comment(line);
                block.moves_mail |= moves_mail(line);
                // A call may name a macro that is defined later, so the names are followed only when
                // all of them are known (`Settings::calls_way_out`).
                if let Some(called) = called(line).filter(|_| self.settings.has_room(2, origin)) {
                    block.calls.push(called.to_owned());
                }
            }
        }
        true
    }

    fn end_block(&mut self, origin: &Origin) {
        match self.block.take() {
            Some(Block::Account(name, lines)) => {
                self.settings.accounts.insert(name, lines);
            }
            // Macros are never run. What is kept of one is whether it would change where mail goes,
            // itself or by another macro: then a `call` of it stops mail.
            Some(Block::Macro(block)) if self.settings.has_room(2, origin) => {
                let known = (block.moves_mail, block.calls);
                self.settings.macros.insert(block.name, known);
            }
            _ => {}
        }
    }

    /// Reports a block that is still open at the end.
    pub(super) fn open_block(&mut self, origin: &Origin) {
        match self.block.take() {
            Some(Block::Account(_, lines)) => {
                let is_way_out = lines
                    .iter()
                    .any(|(_, line)| moves_mail(&text::decode(line)));
                self.weighed(origin, "\"account\" without its closing brace", is_way_out);
            }
            Some(Block::Macro(block)) => {
                let what = match &*block.name {
                    "" => "\"{\" without its closing brace",
                    _ => "\"define\" without its closing brace",
                };
                self.weighed(origin, what, block.moves_mail);
            }
            None => {}
        }
    }
}
