//! How a line of the prompt divides into a command and its arguments, and what the table of commands
//! says of it.

use super::complaint::Complaint;
use crate::config::commands::{Command, Effect, find_at_prompt};
use crate::config::words::{self, Backslash, Words};

/// Returns whether a line asks for more than to show something.
pub(super) fn does_more_than_show(line: &str) -> bool {
    let (word, _) = split(line);
    find_at_prompt(word).is_some_and(|command| !word.is_empty() && changes(command))
}

/// Returns the words of a command's arguments, one at a time, as they are in a message list: a
/// backslash is itself.
///
/// # Errors
/// A quote is open.
pub(super) fn words(text: &str) -> Result<Words<'_>, Complaint> {
    words::split(text, Backslash::Literal).map_err(|_| Complaint::wrong("Missing closing quote"))
}

/// Returns whether a command changes something, in the mailbox or in another file.
pub(super) fn changes(command: &Command) -> bool {
    matches!(command.allowed.prompt, Some((_, Effect::Changes)))
}

/// Splits a line into the command's word and its arguments.
///
/// A word is a run of letters or one sign, so that `t5`, `d1-3`, `f*` and `z-`
/// need no blank. A line that begins like a message list has no word.
pub(super) fn split(line: &str) -> (&str, &str) {
    let line = line.trim();
    let end = match line.chars().next() {
        Some(c) if c.is_ascii_alphabetic() => line
            .find(|c: char| !c.is_ascii_alphabetic() && c != '_')
            .unwrap_or(line.len()),
        Some(c) if c.is_ascii_digit() || ".^$*:/,;`".contains(c) => 0,
        // `@text` and `&3` are lists; alone the signs are commands of others, and not ours.
        Some('@' | '&') if !line[1..].is_empty() && !line[1..].starts_with(char::is_whitespace) => {
            0
        }
        Some(c) => c.len_utf8(),
        None => 0,
    };
    // A letter of another language right behind belongs to the word: it is no command of ours.
    let end = match line[end..].chars().next() {
        Some(c) if !c.is_ascii() => line.find(char::is_whitespace).unwrap_or(line.len()),
        _ => end,
    };
    (&line[..end], line[end..].trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_where_lists_begin() {
        let cases = [
            ("t5", ("t", "5")),
            ("d1-3", ("d", "1-3")),
            ("f*", ("f", "*")),
            ("f/x y", ("f", "/x y")),
            ("z-", ("z", "-")),
            ("  p  1 2 ", ("p", "1 2")),
            ("7", ("", "7")),
            ("1-3", ("", "1-3")),
            ("$", ("", "$")),
            (";", ("", ";")),
            ("` x", ("", "` x")),
            ("@f@bob", ("", "@f@bob")),
            ("&3", ("", "&3")),
            ("& 3", ("&", "3")),
            ("@", ("@", "")),
            ("+", ("+", "")),
            ("-", ("-", "")),
            ("#x", ("#", "x")),
            ("?", ("?", "")),
            ("größe 1", ("größe", "1")),
            ("", ("", "")),
        ];
        for (line, expected) in cases {
            assert_eq!(split(line), expected, "{line}");
        }
    }
}
