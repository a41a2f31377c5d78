//! Commands between the lines of a message (`~:`), and the values of variables in its text.

use std::io::Write;

use super::Typist;
use crate::compose::spooling::unspooled;
use crate::config::commands::find_in_rc_files;
use crate::config::variables::{self, ValueKind};
use crate::config::{Origin, listed, mailrc};
use crate::exit::{Failure, Kind};
use crate::sanitize;

impl Typist<'_> {
    /// `~:`: executes a command of the reader, of the shell, or of the configuration.
    pub(super) fn execute(&mut self, line: &[u8]) -> Result<(), Failure> {
        if let Some(command) = line.strip_prefix(b"!") {
            return self.shell(command.trim_ascii());
        }
        if let Some(messages) = self.session.messages.as_deref_mut() {
            let text = String::from_utf8_lossy(line);
            if messages.command(&text, self.session.settings)? {
                return Ok(());
            }
        }
        self.configure(line)
    }

    /// Executes one command of the configuration.
    fn configure(&mut self, line: &[u8]) -> Result<(), Failure> {
        let text = String::from_utf8_lossy(line);
        let (word, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        let command = find_in_rc_files(word);
        if let Some(list) = command.and_then(|it| listed(self.session.settings, it, rest)) {
            let list = list.map_err(|why| Failure::new(Kind::Usage, why))?;
            self.show(list.as_bytes());
            return Ok(());
        }
        let home = self.home();
        let settings = &mut *self.session.settings;
        // What the files have said was not shown where nothing is read.
        settings.echoes.clear();
        let context = mailrc::Context {
            sending: true,
            terminal: self.session.terminal,
            home: home.as_deref(),
        };
        // The line is applied to the settings themselves and taken back as a whole where a part
        // of it is wrong.
        let before = settings.clone();
        let origin = Origin::Option("~:".to_owned());
        let line_of = vec![(origin, line.to_owned())];
        let without_effect = mailrc::apply_lines(settings, line_of, &context);
        let shown = sanitize::line(line);
        let what = format!("cannot execute \"{shown}\" while a message is composed");
        let failure = Failure::new(Kind::Usage, what);
        if without_effect.is_some() {
            *settings = before;
            return Err(failure);
        }
        // A mistyped line is reported here, at once; it must not stop the mail afterwards.
        let new_problem = settings
            .problems
            .iter()
            .find(|problem| !before.problems.contains(problem));
        match new_problem.map(|problem| problem.what.clone()) {
            Some(what) => {
                *settings = before;
                Err(failure.because(what))
            }
            None => {
                for line in std::mem::take(&mut settings.echoes) {
                    let line = format!("{}\n", sanitize::text(line.as_bytes()));
                    self.show(line.as_bytes());
                }
                Ok(())
            }
        }
    }

    /// `~a`, `~A`, `~i`, `~I`: inserts the value of a variable.
    pub(super) fn insert_variable(&mut self, name: &str, line_end: bool) -> Result<(), Failure> {
        let row = variables::row_of(name);
        let refusal = |why: &str| {
            let what = format!("cannot insert the variable \"{name}\"");
            Failure::new(Kind::Usage, what).because(why.to_owned())
        };
        // A secret in a mail is a secret no more.
        if row.is_some_and(|row| row.kind == ValueKind::Secret) {
            return Err(refusal("it is secret"));
        }
        let settings = &self.session.settings;
        let value = match row {
            Some(row) => settings.get(row.name),
            None => settings.any(name),
        };
        let value = value.filter(|value| !value.is_empty());
        let mut text = decode(value.ok_or_else(|| refusal("it is not set"))?);
        if line_end {
            text.push('\n');
        }
        self.text.write_all(text.as_bytes()).map_err(unspooled)
    }
}

/// Decodes `\t` and `\n` (POSIX, variables `sign` and `Sign`); any other `\x` stays.
fn decode(value: &str) -> String {
    value.replace("\\t", "\t").replace("\\n", "\n")
}
