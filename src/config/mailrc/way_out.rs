//! Which lines of an rc file may set the way out: where such a line is not understood or not
//! carried out, nothing is sent.

use crate::config::commands::{RcCommand, find_in_rc_files};
use crate::config::problem::Weight;
use crate::config::variables;

/// Returns what follows from a line that is not understood: nothing is sent if one of its words
/// may set a variable of the way out.
pub(super) fn weight_of(mut words: impl Iterator<Item = impl AsRef<str>>) -> Weight {
    let is_way_out = |word: &str| {
        let name = word.split('=').next().unwrap_or_default();
        // Where a quote is not closed the words are those between blanks, with their quotes.
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
pub(super) fn sets_way_out(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let is_set = |word| {
        matches!(
            find_in_rc_files(word),
            Some(RcCommand::Set | RcCommand::Unset)
        )
    };
    // The command is the first word, or the second behind a prefix as `wysh`; further back a
    // `set` is more likely part of a value.
    words.by_ref().take(2).any(is_set) && weight_of(words) == Weight::Route
}

/// Returns the macro that a line calls, alone or behind a word like `eval`.
pub(super) fn called(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    words.by_ref().take(2).find(|word| *word == "call")?;
    words.next()
}

/// Returns whether a line whose command is unknown may be meant to set the way out.
pub(super) fn may_set_way_out(word: &str, rest: &str) -> bool {
    // `smtp=HOST`, where `set` was forgotten; but `local set …` is no variable.
    let first = Some(word).filter(|word| word.contains('='));
    weight_of(first.into_iter().chain(rest.split_whitespace())) == Weight::Route
}
