//! `help`, `list` and `version`: what the table of commands says, for people.

use std::fmt::Write;

use super::complaint::{CommandResult, Complaint};
use super::dispatch::IGNORING;
use super::reader::Reader;
use crate::compose::escapes;
use crate::config::colours;
use crate::config::commands::{Arguments, Command, GROUPS, Help, at_prompt, find_at_prompt};
use crate::config::elsewhere;
use crate::config::variables;

/// How wide the texts of help are: a line of 80 columns would wrap on many terminals of 80.
const WIDTH: usize = 79;

/// What `help lists` shows.
const LISTS: &str = "\
A message list names the messages that a command applies to. Without one the
command applies to the current message.
  3  2-5  3-$      numbers and ranges      .  ^  $     current, first, last
  +  -             next, previous one      *           all messages
  alice            the sender has \"alice\"  /disk       the subject has \"disk\"
  :n :o :r :u      new, old, read, unread  :d          deleted
  :a :f :t :s :T   answered, flagged, draft, saved, tagged
  :/disk           the text of the message has \"disk\"
  `  ;  ,  &3      last list, the one before, what this answers, thread of 3
Several of these with blanks between them name the messages of each: `:u /disk`
names all unread messages, and all with \"disk\" in the subject.
A deleted message counts for undelete and :d only.
Words with a name narrow the list: `:u from:cron older:7d` is what is unread,
from cron, and older than 7 days.
  from: to: cc: subject: x-host:  a header field   body: text:  decoded text
  since: before: on: 2026-11-30, 24-Nov, monday, 7d; on:24  older: newer:  7d
  larger: smaller:    500, 10k, 2M                        is:  unread, flagged
A value in slashes is a regular expression: `subject:/fail(ed|ure)/`. Quote
blanks: `body:\"disk full\"`. search knows and, or, not and parentheses as well:
  search (from:cron or from:root) and not :r
";

/// What `help ignerr` shows; the word stands in front of a command, and is none.
const IGNORES: &str = "ignerr command: Carry out a command whose failure does not count\n    ignerr source ~/.mail.local\n";

impl Reader<'_, '_> {
    /// Shows an overview, or what a command, a variable or a topic is.
    pub(super) fn help(&mut self, topic: &str) -> CommandResult {
        let text = match topic.trim() {
            "" => overview(),
            "lists" => LISTS.to_owned(),
            "escapes" => escapes::overview(),
            "variables" => variables(),
            "commands" => commands(),
            IGNORING => filled(IGNORES),
            name if name.starts_with('~') => escapes::overview(),
            name => of_name(name)
                .or_else(|| of_another_program(name))
                .ok_or_else(|| Complaint::wrong(format!("There is no help for \"{name}\"")))?,
        };
        self.show_paged(&text);
        Ok(())
    }

    /// Shows the names of all commands.
    pub(super) fn list_commands(&mut self, _: &str) -> CommandResult {
        self.show_paged(&names());
        Ok(())
    }

    /// Shows the version.
    pub(super) fn version(&mut self, _: &str) -> CommandResult {
        self.screen
            .text(concat!("Postrider ", env!("CARGO_PKG_VERSION"), "\n"));
        Ok(())
    }
}

/// Returns what does here what a command of another program does.
fn of_another_program(name: &str) -> Option<String> {
    let instead = elsewhere::instead(name)?;
    Some(filled(&format!(
        "{name}: a command of other programs; {instead}\n"
    )))
}

/// Returns whether a command undoes another one, by its name.
fn undoes_another(name: &str) -> bool {
    let base = name.strip_prefix("un");
    base.is_some_and(|base| at_prompt().any(|row| row.name == base))
}

/// Returns the commands by their groups, on a screen of 24 rows with the prompt below it.
fn overview() -> String {
    let mut text = String::new();
    for group in GROUPS {
        let rows = group.rows.iter();
        let rows = rows.filter(|row| row.allowed.prompt.is_some() && row.help != Help::Alias);
        // There is no room for `undraft` and its like, whose names can be guessed.
        let rows = rows.filter(|row| row.enough <= 3 || !undoes_another(row.name));
        let names = rows.map(|row| abbreviated(row.name, row.enough));
        wrap(&mut text, group.title, 22, names);
    }
    text.push_str(
        "You may leave out the letters in brackets. A number shows that message, an\n\
        empty line the next one. q writes the changes and leaves; x changes nothing.\n\
        `help p` explains a command. See also help lists, escapes, variables, commands.\n",
    );
    text
}

/// Appends words behind a heading, in lines that do not get too long.
fn wrap(text: &mut String, title: &str, column: usize, words: impl Iterator<Item = String>) {
    let mut line = format!("{title:<column$}");
    let mut is_first = true;
    for word in words {
        if !is_first && line.chars().count() + 1 + word.chars().count() > WIDTH {
            text.push_str(line.trim_end());
            text.push('\n');
            line = " ".repeat(column);
        }
        line.push_str(&word);
        line.push(' ');
        is_first = false;
    }
    if !is_first {
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

/// Returns the names of all commands.
fn names() -> String {
    let names: Vec<&str> = at_prompt().map(|command| command.name).collect();
    let mut text = String::from("Commands are:\n");
    let words = names.join(", ");
    wrap(&mut text, "", 0, words.split(' ').map(str::to_owned));
    text
}

/// Returns what each command does, other spellings beside it.
fn commands() -> String {
    let mut text = String::new();
    let mut rows = at_prompt().peekable();
    while let Some(command) = rows.next() {
        let Help::Text(help) = command.help else {
            continue;
        };
        let mut names = abbreviated(command.name, command.enough);
        while let Some(other) = rows.next_if(|other| other.help == Help::Alias) {
            names.push_str(", ");
            names.push_str(&abbreviated(other.name, other.enough));
        }
        let synopsis = format!("{names} {}", command.arguments.synopsis());
        let title = format!("  {:<34} ", synopsis.trim_end());
        wrap(&mut text, &title, 37, help.split(' ').map(str::to_owned));
    }
    text
}

/// Returns the help of a command and of a variable of this name, if there is one.
fn of_name(name: &str) -> Option<String> {
    let mut text = find_at_prompt(name).map(of_command).unwrap_or_default();
    if let Some(row) = variables::row_of(name) {
        let _ = writeln!(text, "variable {}: {}", row.name, row.doc);
        if row.name == "colour" {
            for meaning in colours::ROWS {
                let _ = writeln!(
                    text,
                    "  {}={}: {}",
                    meaning.name, meaning.default, meaning.doc
                );
            }
        }
    }
    (!text.is_empty()).then(|| filled(&text))
}

/// Returns the lines about a command.
fn of_command(command: &'static Command) -> String {
    let group = GROUPS
        .iter()
        .find(|group| group.rows.iter().any(|row| row.name == command.name));
    let rows = group.map_or(&[][..], |group| group.rows);
    // Other spellings stand behind the row that says what they do.
    let at = rows.iter().position(|row| row.name == command.name);
    let first = rows[..=at.unwrap_or(0)]
        .iter()
        .rev()
        .find(|row| row.help != Help::Alias)
        .unwrap_or(command);
    let others = rows.iter().skip_while(|row| row.name != first.name).skip(1);
    let mut names = abbreviated(first.name, first.enough);
    for other in others.take_while(|row| row.help == Help::Alias) {
        names.push_str(", ");
        names.push_str(&abbreviated(other.name, other.enough));
    }
    let mut text = format!("{names} {}", first.arguments.synopsis());
    text.truncate(text.trim_end().len());
    let help = match first.help {
        Help::Text(help) => help,
        Help::Alias | Help::Hidden => "",
    };
    let _ = writeln!(text, ": {help}");
    if !first.more.is_empty() {
        let _ = writeln!(text, "{}", first.more);
    }
    if matches!(first.arguments, Arguments::Messages | Arguments::File) {
        text.push_str("`help lists` says how messages are named.\n");
    }
    text
}

/// Returns the names of the variables of the reader.
fn variables() -> String {
    let mut text = String::new();
    let rows = variables::ROWS.iter().filter(|row| !row.is_way_out);
    let rows = rows.filter(|row| !row.doc.starts_with("Accepted, no effect"));
    wrap(&mut text, "", 2, rows.map(|row| row.name.to_owned()));
    text.insert_str(0, "Variables of reading and composing:\n");
    text.push_str(
        "`set NAME` or `set NAME=VALUE` sets one, `set noNAME` unsets it, and `set`\n\
        lists those that are set. `help NAME` explains one. The manual page\n\
        postrider-mailrc has those that say how mail is sent.\n",
    );
    text
}

/// Breaks long lines at blanks; examples, which begin with blanks, stay as they are.
fn filled(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        if line.starts_with(' ') {
            out.push_str(line);
            out.push('\n');
        } else {
            wrap(&mut out, "", 0, line.split(' ').map(str::to_owned));
        }
    }
    out
}

/// Returns a name with the part in brackets that may be left out.
fn abbreviated(name: &str, enough: usize) -> String {
    match name.split_at_checked(enough) {
        Some((short, rest)) if !rest.is_empty() => format!("{short}[{rest}]"),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_help_is_wider_than_a_terminal_shows() {
        let topics = [
            overview(),
            LISTS.to_owned(),
            escapes::overview(),
            variables(),
            commands(),
            names(),
            filled(IGNORES),
        ];
        let names = at_prompt().map(|command| command.name);
        let names = names.chain(variables::ROWS.iter().map(|row| row.name));
        for text in topics.into_iter().chain(names.filter_map(of_name)) {
            for line in text.lines() {
                assert!(line.chars().count() <= WIDTH, "{line}");
            }
        }
    }
}
