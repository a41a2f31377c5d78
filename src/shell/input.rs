//! Where commands come from: a pipe, a file, or a terminal with a line editor.

use std::io::BufRead;

use rustyline::config::{Config, Configurer};
use rustyline::error::ReadlineError;
use rustyline::history::MemHistory;

use super::reader::Reader;
use crate::exit::{Failure, Kind};
use crate::sys::signals::{Prompt, Signals};

type Editor = rustyline::Editor<(), MemHistory>;

/// Where commands come from.
pub(crate) enum CommandInput<'a> {
    /// A pipe, a file or a test; prompts are shown only if the settings speak of a terminal.
    Lines(&'a mut dyn BufRead),
    /// The terminal, with line editing.
    Terminal,
}

/// Lines of commands, put together where a backslash continues them.
pub(super) enum CommandSource<'a> {
    Lines(&'a mut dyn BufRead),
    Terminal(Box<Terminal>),
}

/// The line editor, and what a signal does while it waits for keys.
pub(super) struct Terminal {
    editor: Editor,
    prompt: Option<Prompt>,
}

impl<'a> CommandSource<'a> {
    pub(super) fn new(
        input: CommandInput<'a>,
        signals: Option<&Signals>,
    ) -> Result<CommandSource<'a>, Failure> {
        match input {
            CommandInput::Lines(lines) => Ok(CommandSource::Lines(lines)),
            CommandInput::Terminal => {
                // Plain sequences only: consoles of servers know no others.
                let mut builder = Config::builder().bracketed_paste(false);
                builder.enable_synchronized_output(false);
                // Nothing is added to the history: it stays empty.
                let unusable = || Failure::new(Kind::Io, "cannot use the terminal");
                let editor = Editor::with_history(builder.build(), MemHistory::new())
                    .map_err(|error| unusable().because(error))?;
                let prompt = signals
                    .map(Signals::prompt)
                    .transpose()
                    .map_err(|error| unusable().because(error))?;
                Ok(CommandSource::Terminal(Box::new(Terminal {
                    editor,
                    prompt,
                })))
            }
        }
    }

    /// Returns the next whole line, or `None` at the end.
    pub(super) fn line(&mut self, reader: &mut Reader<'_, '_>) -> Result<Option<String>, Failure> {
        let mut whole = String::new();
        loop {
            // The input may end behind a backslash: what was read so far is still a command.
            let Some(line) = self.physical_line(reader)? else {
                return Ok((!whole.is_empty()).then_some(whole));
            };
            match line.strip_suffix('\\') {
                Some(part) => whole.push_str(part),
                None => {
                    whole.push_str(&line);
                    return Ok(Some(whole));
                }
            }
        }
    }

    fn physical_line(&mut self, reader: &mut Reader<'_, '_>) -> Result<Option<String>, Failure> {
        match self {
            CommandSource::Lines(lines) => {
                // A script must not find prompts in its output.
                if reader.around.stdin_is_terminal {
                    let prompt = reader.options.prompt.clone();
                    reader.screen.text(&prompt);
                    reader.screen.flush();
                }
                let mut line = Vec::new();
                let length = lines.read_until(b'\n', &mut line).map_err(|error| {
                    Failure::new(Kind::Io, "cannot read the commands").because(error)
                })?;
                // A command in another charset is still read: only its odd letters are lost.
                let line = String::from_utf8_lossy(&line);
                let line = line.trim_end_matches(['\n', '\r']);
                if length == 0 && reader.around.stdin_is_terminal {
                    // Ctrl-D was typed behind the prompt; what follows begins a new line.
                    reader.screen.raw(b"\n");
                }
                Ok((length > 0).then(|| line.to_owned()))
            }
            CommandSource::Terminal(terminal) => loop {
                let Terminal { editor, prompt } = &mut **terminal;
                let mut ask = || editor.readline(&reader.options.prompt);
                // The editor puts the terminal into raw mode and waits in the kernel. `during` lets
                // a signal set the terminal back before it ends us.
                let line = match prompt {
                    Some(prompt) => prompt.during(ask),
                    None => ask(),
                };
                match line {
                    Ok(line) => return Ok(Some(line)),
                    // An interrupt takes back the line and nothing else.
                    Err(ReadlineError::Interrupted) => continue,
                    Err(ReadlineError::Eof) => return Ok(None),
                    Err(error) => {
                        return Err(
                            Failure::new(Kind::Io, "cannot read the terminal").because(error)
                        );
                    }
                }
            },
        }
    }
}
