//! The one table of commands, for rc files and for the prompt of the reader.
//!
//! A row says where a command is allowed and what it is there. The parser of rc files and the
//! reader look their words up here; `?`, `list` and the manual are rendered from it. An abbreviation
//! is any beginning of the name that is at least as long as the row says (POSIX mailx, section
//! "Commands"); the first row that is allowed there and matches wins.

use crate::config::elsewhere;

mod row;
mod table;

pub use row::Help;
pub(crate) use row::{Arguments, Command, Effect, PromptCommand, RcCommand};
pub use table::GROUPS;

/// How often a name that `commandalias` gives may stand for another one.
pub(crate) const COMMAND_ALIAS_DEPTH: usize = 8;

/// Returns all commands.
pub(crate) fn all() -> impl Iterator<Item = &'static Command> + Clone {
    GROUPS.iter().flat_map(|group| group.rows)
}

/// Returns the commands of the prompt.
pub(crate) fn at_prompt() -> impl Iterator<Item = &'static Command> + Clone {
    all().filter(|row| row.is_at_prompt())
}

/// Returns the command of the prompt that a word names or abbreviates.
pub(crate) fn find_at_prompt(word: &str) -> Option<&'static Command> {
    at_prompt().find(|row| row.is_named(word))
}

/// Returns the command of an rc file that a word names or abbreviates.
pub(crate) fn find_in_rc_files(word: &str) -> Option<RcCommand> {
    let mut rows = all().filter(|row| match row.allowed.rc {
        // An abbreviation would swallow slips without a word: `fold` is no `folder`, and a line
        // that begins with it is reported.
        Some(RcCommand::NoEffect) => row.name == word,
        Some(_) => row.is_named(word),
        None => false,
    });
    match rows.next() {
        Some(row) => row.allowed.rc,
        None => elsewhere::has(word).then_some(RcCommand::NoEffect),
    }
}

#[cfg(test)]
mod tests;
