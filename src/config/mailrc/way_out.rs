//! Which lines of an rc file may change where mail goes: where such a line is not understood or not
//! carried out, nothing is sent.

use super::modifiers;
use crate::config::commands::{RcCommand, find_in_rc_files};
use crate::config::problem::Weight;
use crate::config::variables;

/// Returns the weight of a line that is not understood: nothing is sent if one of its words may set
/// a variable of the route.
pub(super) fn weight_of(mut words: impl Iterator<Item = impl AsRef<str>>) -> Weight {
    let is_way_out = |word: &str| {
        let name = word.split('=').next().unwrap_or_default();
        // Where a quote is not closed the words are those between blanks, with their quotes; and
        // what is typed in front of a name by mistake hides none.
        let name = name.trim_start_matches(|c: char| !c.is_alphanumeric());
        let taken_back = name.strip_prefix("no");
        variables::is_way_out(name) || taken_back.is_some_and(variables::is_way_out)
    };
    if words.any(|word| is_way_out(word.as_ref())) {
        Weight::Route
    } else {
        Weight::Line
    }
}

fn is_set(word: &str) -> bool {
    matches!(
        find_in_rc_files(word),
        Some(RcCommand::Set | RcCommand::Unset)
    )
}

/// Returns whether a line is `set` or `unset`, alone or behind other words, of a variable of the way
/// out.
pub(super) fn sets_way_out(line: &str) -> bool {
    let mut words = line.split_whitespace();
    // The command is the first word, or stands behind one as `sudo` or `echo`; further back a `set`
    // is more likely part of a value.
    words.by_ref().take(2).any(is_set) && weight_of(words) == Weight::Route
}

/// Returns whether a line, carried out, may change where mail goes: the way out, or who gets it.
pub(super) fn moves_mail(line: &str) -> bool {
    let mut command = modifiers::split(line.trim_start());
    // What `eval` makes of its words is a command again.
    while command.word == "eval" {
        command = modifiers::split(command.rest);
    }
    let rest = command.rest;
    match find_in_rc_files(command.word) {
        Some(RcCommand::Account) => !rest.is_empty() && !rest.ends_with('{'),
        Some(RcCommand::Alias | RcCommand::Unalias) => !rest.is_empty(),
        Some(RcCommand::Source | RcCommand::SourceIf) => true,
        // `eval set $NAME=…` may set any variable.
        Some(RcCommand::Set) if names_a_value(rest) => true,
        _ => sets_way_out(line) || sets_way_out(&format!("{} {rest}", command.word)),
    }
}

fn names_a_value(rest: &str) -> bool {
    let mut words = rest.split_whitespace();
    words.any(|word| {
        word.split('=')
            .next()
            .is_some_and(|name| name.contains('$'))
    })
}

/// Returns whether a command does something here, as far as its words say.
pub(super) fn has_effect(command: Option<RcCommand>, rest: &str) -> bool {
    match command {
        Some(RcCommand::NoEffect) => false,
        // Variables of another program alone.
        Some(RcCommand::Set | RcCommand::Unset) => rest.split_whitespace().any(|word| {
            let name = word.split('=').next().unwrap_or_default();
            let name = name.strip_prefix("no").unwrap_or(name);
            variables::row_of(name).is_some() || variables::judge_name(name).is_some()
        }),
        _ => true,
    }
}

/// Returns the macro that a line calls, alone or behind a word like `eval`.
pub(super) fn called(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    let is_call = |word: &str| {
        let command = find_in_rc_files(word.trim_start_matches('\\'));
        matches!(command, Some(RcCommand::Call | RcCommand::CallIf))
    };
    words.by_ref().take(3).find(|word| is_call(word))?;
    words.next()
}

/// Returns whether a line with an unknown command may set the route.
pub(super) fn may_set_way_out(word: &str, rest: &str) -> bool {
    // `smtp=HOST`, where `set` was forgotten; but `local set …` is no variable.
    // A URL alone is the rest of an assignment.
    let is_first = word.contains('=') || word.contains("://") || rest.starts_with('=');
    let first = Some(word).filter(|_| is_first);
    let mut words = rest.split_whitespace();
    names_relay(word)
        || words.clone().any(names_relay)
        || weight_of(first.into_iter().chain(&mut words)) == Weight::Route
}

/// Returns whether the URL of a relay stands in a word, such as `setmta=smtp://HOST`.
fn names_relay(word: &str) -> bool {
    let mut schemes = word.match_indices("://").map(|(at, _)| &word[..at]);
    schemes.any(|before| {
        ["smtp", "smtps", "submission", "submissions"]
            .iter()
            .any(|scheme| before.ends_with(scheme))
    })
}
