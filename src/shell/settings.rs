//! The commands that change or show what is set: `set`, `alias`, `ignore`, `if`, `source` and the
//! others that rc files have too. One interpreter carries them out, there and here.

use std::io::{self, Read};
use std::path::PathBuf;

use super::complaint::{CommandResult, Complaint};
use super::input::CommandSource;
use super::reader::Reader;
use crate::config::commands::RcCommand;
use crate::config::mailrc::{self, Context};
use crate::config::{Origin, Problem, Weight, listed, unknown_variable, words};
use crate::exit::{Failure, Kind, with_causes};
use crate::sanitize;

/// How much of a command's output `source` reads.
const MAX_OUTPUT: u64 = 16 << 20;

impl Reader<'_, '_> {
    /// Carries out a command that rc files have too; `name` is its full name.
    pub(super) fn configure(
        &mut self,
        command: RcCommand,
        name: &str,
        text: &str,
        source: &CommandSource<'_>,
    ) -> CommandResult {
        if let Some(list) = listed(&self.settings, command, text) {
            self.show_paged(&list.map_err(Complaint::nothing)?);
            return Ok(());
        }
        if matches!(command, RcCommand::Call | RcCommand::CallIf) {
            return Err(Complaint::wrong(format!("{name}: macros are not run")));
        }
        self.interpret(&format!("{name} {text}"), source);
        if command == RcCommand::Set {
            self.say_unknown(text);
        }
        Ok(())
    }

    /// Tells of the variables in a line of `set` that nothing asks for, where a slip is likely.
    fn say_unknown(&mut self, text: &str) {
        for word in words::texts(text).into_iter().flatten() {
            let name = word.split('=').next().unwrap_or_default();
            let origin = self.settings.unknown_origin(name);
            let origin = origin.filter(|origin| !matches!(origin, Origin::File { .. }));
            let line = origin.map(|origin| unknown_variable(name, origin));
            if let Some(line) = line.filter(|line| line.contains("did you mean")) {
                self.say(&line);
            }
        }
    }

    /// Has the interpreter of rc files carry out a line, and reports its problems.
    pub(super) fn interpret(&mut self, line: &str, source: &CommandSource<'_>) {
        let origin = source.origin();
        let home = self.around.environment.home_directory();
        let context = self.context(home.as_deref());
        self.open
            .carry_out(&mut self.settings, &context, line.as_bytes(), &origin);
        self.report_problems();
    }

    /// Writes what the `echo` lines of the files say.
    pub(super) fn say_echoes(&mut self) {
        for line in std::mem::take(&mut self.settings.echoes) {
            self.screen.text(&format!("{line}\n"));
        }
    }

    /// Reports an `if` or a block that is open where the commands end: their lines were not carried
    /// out.
    pub(super) fn end_commands(&mut self) {
        self.has_failed = false;
        self.failure = None;
        self.end_sourced(&Origin::Prompt, mailrc::Open::default());
        self.record_failure("if");
    }

    /// Closes what a file that `source` has read leaves open.
    pub(super) fn end_sourced(&mut self, origin: &Origin, outer: mailrc::Open) {
        let home = self.around.environment.home_directory();
        let context = self.context(home.as_deref());
        self.open.end(&mut self.settings, &context, origin);
        self.open = outer;
        self.report_problems();
    }

    fn context<'h>(&self, home: Option<&'h std::path::Path>) -> Context<'h> {
        Context {
            sending: false,
            terminal: self.around.stdin_is_terminal,
            home,
        }
    }

    fn report_problems(&mut self) {
        for Problem {
            origin,
            what,
            hint,
            weight,
            ..
        } in self.settings.take_new_problems()
        {
            let kind = match weight {
                Weight::Line => Kind::Usage,
                Weight::Route => Kind::Config,
                Weight::Unread => Kind::TryLater,
            };
            self.complain(&Complaint::new(origin.says(&what), Some(kind)));
            if let Some(hint) = hint {
                self.screen.hint(&hint);
            }
        }
    }

    /// Carries out the commands of a file, or the output of a shell command (`source 'COMMAND|'`).
    pub(super) fn source(&mut self, text: &str, source: &mut CommandSource<'_>) -> CommandResult {
        let mut names = words::texts(text).map_err(Complaint::wrong)?;
        let (Some(name), None) = (names.next(), names.next()) else {
            return Err(Complaint::wrong("source needs one file name"));
        };
        if let Err(why) = source.sourced.has_room() {
            return Err(Complaint::wrong(why));
        }
        let found = match name.strip_suffix('|') {
            Some(command) => self.output_of(command),
            None => self.file_of(&name).and_then(|path| {
                let text = mailrc::script(&path)?;
                Ok((path, text))
            }),
        };
        match found {
            Ok((path, text)) => {
                // A byte order mark is no part of the first command.
                let text = match text.strip_prefix(b"\xef\xbb\xbf") {
                    Some(text) => text.to_vec(),
                    None => text,
                };
                let outer = std::mem::take(&mut self.open);
                source.sourced.open(&path, text, outer);
                Ok(())
            }
            Err(failure) => Err(Complaint::new(with_causes(&failure), Some(failure.kind))),
        }
    }

    fn output_of(&mut self, command: &str) -> Result<(PathBuf, Vec<u8>), Failure> {
        self.screen.flush();
        let (tools, signals) = self.tools()?;
        let output = tools.output_of(command.trim().as_bytes(), None, signals)?;
        let mut text = Vec::new();
        let read = output.reader().take(MAX_OUTPUT).read_to_end(&mut text);
        let unread = |error: io::Error| {
            Failure::new(Kind::TryLater, "cannot read the output of the command").because(error)
        };
        read.map_err(unread)?;
        Ok((PathBuf::from(command.trim()), text))
    }

    /// Changes the working directory.
    pub(super) fn change_directory(&mut self, text: &str) -> CommandResult {
        let mut names = words::texts(text).map_err(Complaint::wrong)?;
        let failed = |failure: Failure| Complaint::new(with_causes(&failure), Some(failure.kind));
        let directory = match (names.next(), names.next()) {
            (None, _) => self.around.environment.home_directory().ok_or_else(|| {
                Complaint::new("cd: there is no home directory", Some(Kind::NoInput))
            })?,
            (Some(name), None) => self.file_of(&name).map_err(failed)?,
            _ => return Err(Complaint::wrong("cd needs one directory")),
        };
        // The mailbox is written when it is left, by its name.
        let moved = self.mailbox.anchor();
        moved
            .and_then(|()| std::env::set_current_dir(&directory))
            .map_err(|error| {
                let what = format!("cannot change to {}", sanitize::path(&directory));
                failed(Failure::new(Kind::NoInput, what).because(error))
            })
    }

    /// Writes its words, without their quotes.
    pub(super) fn echo(&mut self, text: &str) -> CommandResult {
        let mut line = words::echoed(text).map_err(Complaint::wrong)?;
        line.push('\n');
        self.screen.text(&line);
        Ok(())
    }
}
