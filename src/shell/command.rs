//! Commands of the prompt: a line and its word, and what the reader does for each row of the table.

use super::{Reader, Told};
use crate::config::commands::{Command, Effect, PromptCommand, find_at_prompt};
use crate::mailbox::Flags;

impl Reader<'_, '_> {
    /// Runs a command; `text` is what stands behind its name.
    pub(super) fn run_command(&mut self, command: PromptCommand, text: &str) -> Told {
        match command {
            PromptCommand::Next => self.next(text),
            PromptCommand::Print => self.print(text),
            PromptCommand::PrintAllFields => self.print_all_fields(text),
            PromptCommand::Top => self.top(text),
            PromptCommand::Forward => self.forward(text),
            PromptCommand::Back => self.back(text),
            PromptCommand::Headers => self.headers(text),
            PromptCommand::From => self.from(text),
            PromptCommand::Scroll => self.scroll(text),
            PromptCommand::Size => self.size(text),
            PromptCommand::Number => self.number(text),
            PromptCommand::Echo => self.echo(text),
            PromptCommand::Exit => self.leave(text),
            PromptCommand::Quit => self.quit(text),
            PromptCommand::ShowHelp => self.help(text),
            PromptCommand::ListCommands => self.list_commands(text),
            PromptCommand::Version => self.version(text),
            PromptCommand::Comment => self.comment(text),
            PromptCommand::Delete => self.delete(text),
            PromptCommand::DeleteAndPrint => self.delete_and_print(text),
            PromptCommand::Undelete => self.undelete(text),
            PromptCommand::Save => self.save(text),
            PromptCommand::SaveByAuthor => self.save_by_author(text),
            PromptCommand::Copy => self.copy(text),
            PromptCommand::CopyByAuthor => self.copy_by_author(text),
            PromptCommand::Write => self.write(text),
            PromptCommand::Hold => self.hold(text),
            PromptCommand::Mbox => self.mbox(text),
            PromptCommand::Touch => self.touch(text),
            PromptCommand::Unread => self.unread(text),
            PromptCommand::New => self.new_again(text),
            PromptCommand::Seen => self.seen(text),
            PromptCommand::Flagged => self.set_flag(text, Flags::FLAGGED, true),
            PromptCommand::Unflagged => self.set_flag(text, Flags::FLAGGED, false),
            PromptCommand::Answered => self.set_flag(text, Flags::ANSWERED, true),
            PromptCommand::Unanswered => self.set_flag(text, Flags::ANSWERED, false),
            PromptCommand::Draft => self.set_flag(text, Flags::DRAFT, true),
            PromptCommand::Undraft => self.set_flag(text, Flags::DRAFT, false),
        }
    }
}

/// Returns whether a line asks for more than to show something.
pub(super) fn does_more_than_show(line: &str) -> bool {
    let (word, _) = split(line);
    find_at_prompt(word).is_some_and(|command| !word.is_empty() && changes(command))
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
}
