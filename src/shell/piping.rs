//! The commands that run other programs: `pipe`, `shell`, `!`.
//!
//! What they run has our terminal, and the signals as we were started with. At a pipe it cannot read
//! the commands behind it: its input is empty.

use std::io::{self, Write};

use super::command_line;
use super::complaint::{CommandResult, Complaint};
use super::parts::Target;
use super::reader::Reader;
use crate::config::words::Word;
use crate::config::{self, bang};
use crate::exit::{Failure, Kind};
use crate::sys::signals::Signals;
use crate::sys::spool::Spool;
use crate::sys::tools::Tools;

impl Reader<'_, '_> {
    /// `pipe`, `|`: gives messages to a command of the shell, as the mailbox has them, or parts,
    /// decoded.
    pub(super) fn pipe(&mut self, text: &str) -> CommandResult {
        let (list, command) = split_command(text)?;
        let command = match command {
            Some(command) => command,
            None => match self.settings.text("cmd") {
                Some(command) => command.to_owned(),
                None => {
                    return Err(Complaint::wrong(
                        "pipe: no command is given, and cmd is not set",
                    ));
                }
            },
        };
        let targets = self.targets(list)?;
        let done = self
            .input_of(&targets)
            .and_then(|input| self.run_command_of_shell(command.as_bytes(), Some(&input)));
        for &Target { message, .. } in &targets {
            match &done {
                Ok(()) => self.marks[message].read(),
                // `pipe 1 archive` and then `d 1`: the script believes that the message is kept.
                Err(_) => self.marks[message].is_unsaved = true,
            }
        }
        match (done, targets.last()) {
            (Ok(()), Some(last)) => self.go_to(last.message),
            (Ok(()), None) => {}
            (Err(failure), _) => self.fail(&failure),
        }
        Ok(())
    }

    /// Returns messages as they came and parts decoded, behind each other; with `page` a form feed
    /// ends each.
    fn input_of(&self, targets: &[Target]) -> Result<Spool, Failure> {
        let mut input = Spool::new();
        let end: &[u8] = if self.display().page { b"\x0c" } else { b"" };
        for target in targets {
            let mut give = |bytes: &[u8]| {
                input
                    .write_all(bytes)
                    .and_then(|()| input.write_all(end))
                    .map_err(not_copied)
            };
            match target.part {
                Some(_) => self.with_part(target, |part| give(&part.decoded()))?,
                None => give(&self.content(target.message)?)?,
            }
        }
        Ok(input)
    }

    /// `!`: runs a command of the shell.
    pub(super) fn shell_command(&mut self, text: &str) -> CommandResult {
        if text.is_empty() {
            return Err(Complaint::wrong("!: no command is given"));
        }
        let done = bang::expand(&mut self.settings, text.as_bytes())
            .and_then(|line| self.run_command_of_shell(&line, None));
        if self.around.stdin_is_terminal {
            self.screen.text("!\n");
        }
        if let Err(failure) = done {
            self.fail(&failure);
        }
        Ok(())
    }

    /// `shell`: runs the shell. What was done there is its user's business, and so is its status.
    pub(super) fn shell(&mut self, _: &str) -> CommandResult {
        self.screen.flush();
        let ran = self
            .tools()
            .and_then(|(tools, signals)| tools.run_shell(signals));
        if let Err(failure) = ran {
            self.fail(&failure);
        }
        Ok(())
    }

    fn run_command_of_shell(&mut self, line: &[u8], input: Option<&Spool>) -> Result<(), Failure> {
        // The command writes to the same output: what came before must be out.
        self.screen.flush();
        let (tools, signals) = self.tools()?;
        let mut command = tools.shell_command(line)?;
        if let Some(input) = input {
            // A file and no pipe: a command that does not read to the end blocks nobody.
            command.stdin(input.to_file().map_err(not_copied)?);
        }
        tools.run(line, command, signals)
    }

    /// Returns the programs that the user has chosen, and the signals that end the waiting for them.
    pub(super) fn tools(&self) -> Result<(Tools, &Signals), Failure> {
        let around = &self.around;
        let tools = config::tools(
            &self.settings,
            &around.environment,
            around.stdin_is_terminal,
        );
        match around.signals {
            Some(signals) => Ok((tools, signals)),
            None => Err(Failure::new(Kind::Software, "no program can be run here")),
        }
    }
}

fn not_copied(error: io::Error) -> Failure {
    let what = "cannot copy the messages for the command";
    Failure::new(Kind::CannotCreate, what).because(error)
}

/// Splits the arguments of `pipe` into a message list and a command.
///
/// The command is the last word, and a quoted one is one word (POSIX). Words behind numbers and
/// signs of a list are the command, so that `pipe 3 wc -l` needs no quotes; so is all of a line that
/// ends in an option.
fn split_command(text: &str) -> Result<(&str, Option<String>), Complaint> {
    let mut words = command_line::words(text)?;
    let mut is_list = false;
    let first = words.find(|word| {
        let is_listed = is_listed(text, word);
        is_list |= is_listed;
        !is_listed
    });
    Ok(match (first, words.last()) {
        (None, _) => (text.trim(), None),
        (Some(first), Some(last)) if is_list || last.text.starts_with('-') => {
            let command = text[first.start..].trim_end().to_owned();
            (text[..first.start].trim_end(), Some(command))
        }
        (Some(command), None) | (Some(_), Some(command)) => {
            (text[..command.start].trim_end(), Some(command.text))
        }
    })
}

/// Returns whether a word can only be a part of a message list: numbers, signs, a state or a subject.
fn is_listed(text: &str, word: &Word) -> bool {
    let is_number = |c: char| c.is_ascii_digit() || "-+.,^$*;`".contains(c);
    match text[word.start..].chars().next() {
        Some(':') => true,
        // `/bin/cat` is a program, `/disk` a subject.
        Some('/') => !word.text[1..].contains('/'),
        Some(_) => !word.text.is_empty() && word.text.chars().all(is_number),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_the_last_word_or_stands_behind_numbers() {
        let rows: [(&str, &str, Option<&str>); 16] = [
            ("", "", None),
            ("3", "3", None),
            ("1-3 5 $", "1-3 5 $", None),
            ("cat", "", Some("cat")),
            ("'wc -l'", "", Some("wc -l")),
            ("3 'wc -l'", "3", Some("wc -l")),
            ("3 wc -l", "3", Some("wc -l")),
            ("3 grep 'a b'", "3", Some("grep 'a b'")),
            ("wc -l", "", Some("wc -l")),
            ("alice cat", "alice", Some("cat")),
            (
                "alice bob \"sort | uniq\"",
                "alice bob",
                Some("sort | uniq"),
            ),
            (":n /disk cat", ":n /disk", Some("cat")),
            ("1 /bin/cat", "1", Some("/bin/cat")),
            ("1 ./x", "1", Some("./x")),
            ("$ 7z a", "$", Some("7z a")),
            ("1 ''", "1", Some("")),
        ];
        for (text, list, command) in rows {
            let expected = Ok((list, command.map(str::to_owned)));
            assert_eq!(split_command(text), expected, "{text}");
        }
        assert!(split_command("1 'open").is_err());
    }
}
