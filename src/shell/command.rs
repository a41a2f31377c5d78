//! The table of commands: names, abbreviations, arguments, help, functions.
//!
//! The dispatcher, `?` and `list` all read this table, and so will the manual.
//! An abbreviation is any beginning of the name that is at least as long as the
//! table says (POSIX mailx, section "Commands"); the first row that matches wins.

use super::{Reader, Told};
use crate::mailbox::Flags;

/// What a command takes after its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arguments {
    /// Nothing; what stands there is an error.
    None,
    /// A message list; without one the current message.
    Messages,
    /// One message, as a list that names it.
    Message,
    /// A message list and the name of a file behind it.
    File,
    /// `+` or `-`, with a number if more than one step is meant.
    Steps,
    /// The rest of the line as it is.
    Text,
}

impl Arguments {
    /// Returns what help shows behind the name.
    pub fn synopsis(self) -> &'static str {
        match self {
            Arguments::None => "",
            Arguments::Messages => "[messages]",
            Arguments::Message => "[message]",
            Arguments::File => "[[messages] file]",
            Arguments::Steps => "[+|-][number]",
            Arguments::Text => "[text]",
        }
    }
}

/// What `?` says of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Help {
    /// What it does, in a line.
    Text(&'static str),
    /// It is another spelling of the row above.
    Alias,
    /// Nothing.
    Hidden,
}

/// One row of the table.
pub struct Command {
    /// The full name.
    pub name: &'static str,
    /// How many letters of it are enough.
    pub enough: usize,
    /// What it takes.
    pub arguments: Arguments,
    /// What `?` says of it.
    pub help: Help,
    /// What it runs, with the text after the name.
    pub run: fn(&mut Reader<'_, '_>, &str) -> Told,
}

const fn row(
    name: &'static str,
    enough: usize,
    arguments: Arguments,
    help: Help,
    run: fn(&mut Reader<'_, '_>, &str) -> Told,
) -> Command {
    Command {
        name,
        enough,
        arguments,
        help,
        run,
    }
}

/// All commands; of those that share a beginning the first that matches is meant.
pub const COMMANDS: &[Command] = {
    use Arguments::{File, Message, Messages, None, Steps, Text};
    &[
        row(
            "next",
            1,
            Message,
            Help::Text("Show the next message"),
            |r, t| r.next(t),
        ),
        row("print", 1, Messages, Help::Text("Show messages"), |r, t| {
            r.print(t)
        }),
        row("type", 1, Messages, Help::Alias, |r, t| r.print(t)),
        row(
            "Print",
            1,
            Messages,
            Help::Text("Show messages with all header fields"),
            |r, t| r.print_all_fields(t),
        ),
        row("Type", 1, Messages, Help::Alias, |r, t| {
            r.print_all_fields(t)
        }),
        row(
            "top",
            2,
            Messages,
            Help::Text("Show the first lines of messages"),
            |r, t| r.top(t),
        ),
        row("+", 1, None, Help::Text("Show the next message"), |r, t| {
            r.forward(t)
        }),
        row(
            "-",
            1,
            None,
            Help::Text("Show the previous message"),
            |r, t| r.back(t),
        ),
        row("previous", 4, None, Help::Alias, |r, t| r.back(t)),
        row(
            "headers",
            1,
            Message,
            Help::Text("Show the screenful of header lines with the message"),
            |r, t| r.headers(t),
        ),
        row(
            "from",
            1,
            Messages,
            Help::Text("Show the header lines of messages"),
            |r, t| r.from(t),
        ),
        row(
            "z",
            1,
            Steps,
            Help::Text("Show the next or the previous screenful of header lines"),
            |r, t| r.scroll(t),
        ),
        row(
            "size",
            2,
            Messages,
            Help::Text("Show lines and bytes of messages"),
            |r, t| r.size(t),
        ),
        row(
            "=",
            1,
            None,
            Help::Text("Show the number of the current message"),
            |r, t| r.number(t),
        ),
        row("echo", 2, Text, Help::Text("Write the text"), |r, t| {
            r.echo(t)
        }),
        row(
            "exit",
            2,
            None,
            Help::Text("Leave; the mailbox stays as it is"),
            |r, t| r.leave(t),
        ),
        row("xit", 1, None, Help::Alias, |r, t| r.leave(t)),
        row(
            "quit",
            1,
            None,
            Help::Text("Leave, and write the changes"),
            |r, t| r.quit(t),
        ),
        row("help", 3, None, Help::Text("Show this list"), |r, t| {
            r.help(t)
        }),
        row("?", 1, None, Help::Alias, |r, t| r.help(t)),
        row(
            "list",
            1,
            None,
            Help::Text("Show the names of all commands"),
            |r, t| r.list_commands(t),
        ),
        row(
            "version",
            2,
            None,
            Help::Text("Show the version"),
            |r, t| r.version(t),
        ),
        row("#", 1, Text, Help::Text("Ignore the line"), |r, t| {
            r.comment(t)
        }),
        row(
            "delete",
            1,
            Messages,
            Help::Text("Delete messages"),
            |r, t| r.delete(t),
        ),
        row(
            "dp",
            2,
            Messages,
            Help::Text("Delete messages and show the next one"),
            |r, t| r.delete_and_print(t),
        ),
        row("dt", 2, Messages, Help::Alias, |r, t| r.delete_and_print(t)),
        row(
            "undelete",
            1,
            Messages,
            Help::Text("Take deletions back"),
            |r, t| r.undelete(t),
        ),
        row(
            "save",
            1,
            File,
            Help::Text("Append messages to a file"),
            |r, t| r.save(t),
        ),
        row(
            "Save",
            1,
            Messages,
            Help::Text("Append messages to a file named after the author"),
            |r, t| r.save_by_author(t),
        ),
        row(
            "copy",
            1,
            File,
            Help::Text("Append messages to a file, without marking them as saved"),
            |r, t| r.copy(t),
        ),
        row(
            "Copy",
            1,
            Messages,
            Help::Text("Append messages to a file named after the author, as copy"),
            |r, t| r.copy_by_author(t),
        ),
        row(
            "write",
            1,
            File,
            Help::Text("Append the text to a file, or put attachments into a directory"),
            |r, t| r.write(t),
        ),
        row(
            "hold",
            2,
            Messages,
            Help::Text("Leave messages in the mailbox"),
            |r, t| r.hold(t),
        ),
        row("preserve", 3, Messages, Help::Alias, |r, t| r.hold(t)),
        row(
            "mbox",
            2,
            Messages,
            Help::Text("Move messages to MBOX when leaving"),
            |r, t| r.mbox(t),
        ),
        row(
            "touch",
            3,
            Messages,
            Help::Text("Treat messages as used in this session"),
            |r, t| r.touch(t),
        ),
        row(
            "unread",
            6,
            Messages,
            Help::Text("Mark messages as not read"),
            |r, t| r.unread(t),
        ),
        row("Unread", 1, Messages, Help::Alias, |r, t| r.unread(t)),
        row(
            "new",
            3,
            Messages,
            Help::Text("Mark messages as new"),
            |r, t| r.new_again(t),
        ),
        row("New", 3, Messages, Help::Alias, |r, t| r.new_again(t)),
        row(
            "seen",
            4,
            Messages,
            Help::Text("Mark messages as read"),
            |r, t| r.seen(t),
        ),
        row("flag", 2, Messages, Help::Text("Flag messages"), |r, t| {
            r.set_flag(t, Flags::FLAGGED, true)
        }),
        row(
            "unflag",
            4,
            Messages,
            Help::Text("Take the flags back"),
            |r, t| r.set_flag(t, Flags::FLAGGED, false),
        ),
        row(
            "answered",
            3,
            Messages,
            Help::Text("Set the mark answered"),
            |r, t| r.set_flag(t, Flags::ANSWERED, true),
        ),
        row(
            "unanswered",
            4,
            Messages,
            Help::Text("Clear the mark answered"),
            |r, t| r.set_flag(t, Flags::ANSWERED, false),
        ),
        row(
            "draft",
            2,
            Messages,
            Help::Text("Set the mark draft"),
            |r, t| r.set_flag(t, Flags::DRAFT, true),
        ),
        row(
            "undraft",
            4,
            Messages,
            Help::Text("Clear the mark draft"),
            |r, t| r.set_flag(t, Flags::DRAFT, false),
        ),
    ]
};

/// Returns the command that a word names or abbreviates.
pub fn find(word: &str) -> Option<&'static Command> {
    COMMANDS
        .iter()
        .find(|command| word.len() >= command.enough && command.name.starts_with(word))
}

/// The commands that only show something, or leave.
const SHOWING: [&str; 23] = [
    "next", "print", "type", "Print", "Type", "top", "+", "-", "previous", "headers", "from", "z",
    "size", "=", "echo", "exit", "xit", "quit", "help", "?", "list", "version", "#",
];

/// Returns whether a line asks for more than to show something.
pub fn does_more_than_show(line: &str) -> bool {
    let (word, _) = split(line);
    find(word).is_some_and(|command| !word.is_empty() && command.does_more_than_show())
}

impl Command {
    /// Returns whether it changes something, in the mailbox or in another file.
    pub fn does_more_than_show(&self) -> bool {
        !SHOWING.contains(&self.name)
    }
}

/// Splits a line into the command's word and its arguments.
///
/// A word is a run of letters or one sign, so that `t5`, `d1-3`, `f*` and `z-`
/// need no blank. A line that begins like a message list has no word.
pub fn split(line: &str) -> (&str, &str) {
    let line = line.trim();
    let end = match line.chars().next() {
        Some(c) if c.is_ascii_alphabetic() => line
            .find(|c: char| !c.is_ascii_alphabetic() && c != '_')
            .unwrap_or(line.len()),
        Some(c) if c.is_ascii_digit() || ".^$*:/,".contains(c) => 0,
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
    fn abbreviations_are_those_of_posix() {
        let cases = [
            ("n", "next"),
            ("p", "print"),
            ("pr", "print"),
            ("pre", "preserve"),
            ("prev", "previous"),
            ("P", "Print"),
            ("t", "type"),
            ("typ", "type"),
            ("to", "top"),
            ("T", "Type"),
            ("h", "headers"),
            ("hel", "help"),
            ("f", "from"),
            ("si", "size"),
            ("ex", "exit"),
            ("x", "xit"),
            ("d", "delete"),
            ("u", "undelete"),
            ("un", "undelete"),
            ("unread", "unread"),
            ("U", "Unread"),
            ("s", "save"),
            ("S", "Save"),
            ("c", "copy"),
            ("C", "Copy"),
            ("w", "write"),
            ("ho", "hold"),
            ("tou", "touch"),
            ("mb", "mbox"),
            ("fl", "flag"),
            ("q", "quit"),
            ("l", "list"),
            ("z", "z"),
            ("=", "="),
        ];
        for (word, name) in cases {
            assert_eq!(find(word).map(|command| command.name), Some(name), "{word}");
        }
        for word in ["foo", "e", "nextt", "N", ""] {
            assert!(find(word).is_none(), "{word}");
        }
    }

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

    #[test]
    fn every_row_can_be_reached_and_is_told() {
        for command in COMMANDS {
            let found = find(command.name).unwrap();
            assert_eq!(found.name, command.name);
            assert!(
                !matches!(command.help, Help::Text(text) if text.is_empty() || text.ends_with('.')),
                "{}",
                command.name
            );
        }
    }
}
