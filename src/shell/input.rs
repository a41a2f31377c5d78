//! Where commands come from: a pipe, a file, or a terminal with a line editor.

use std::io::{BufRead, ErrorKind};

use rustyline::config::{ColorMode, CompletionType, Config, Configurer};
use rustyline::error::ReadlineError;
use rustyline::history::MemHistory;

use super::completion::Completion;
use super::history::{History, KEPT};
use super::reader::Reader;
use super::sourced::Sourced;
use crate::compose::escapes::{Event, TypedLines};
use crate::config::Origin;
use crate::exit::{Failure, Kind};
use crate::sys::signals::{Prompt, Signals};
use crate::sys::stdin::{HANGUP, StandardLine, StandardLines, has_hung_up};

type Editor = rustyline::Editor<Completion, MemHistory>;

/// Where commands come from.
pub(crate) enum CommandInput<'a> {
    /// A pipe, a file or a test; prompts are shown only if the settings speak of a terminal.
    Lines(&'a mut dyn BufRead),
    /// The terminal, with line editing.
    Terminal,
    /// A terminal that knows no sequences: the kernel edits its lines.
    PlainTerminal,
}

/// Where commands come from, and the texts that stand behind some of them.
///
/// A command line goes on behind a backslash ([`CommandSource::line`]); the lines of a text are the
/// bytes that stand there (its [`TypedLines`]).
pub(super) struct CommandSource<'a> {
    base: Base<'a>,
    /// Files whose lines come first.
    pub(super) sourced: Sourced,
    signals: Option<&'a Signals>,
    /// The prompt for the next line of a text at a terminal.
    prompt: String,
}

enum Base<'a> {
    /// No line stands behind the command.
    Empty,
    Lines(&'a mut dyn BufRead),
    /// The terminal, until it is first read from: commands of `-Y` may run a pager there.
    Unopened,
    Terminal(Box<Terminal>),
    Plain(Option<StandardLines<'a>>),
}

/// The line editor, and what a signal does while it waits for keys.
pub(super) struct Terminal {
    editor: Editor,
    prompt: Option<Prompt>,
    /// The changes of the history that the editor knows; none before it has any of it.
    changes: Option<usize>,
    /// The revision of the settings, the screenful and the number of messages that the names to
    /// complete are of.
    names_of: Option<(usize, usize, usize)>,
}

impl Terminal {
    fn open(signals: Option<&Signals>) -> Result<Terminal, Failure> {
        let prompt = signals
            .map(Signals::prompt)
            .transpose()
            .map_err(|error| unusable_terminal().because(error))?;
        Ok(Terminal {
            editor: new_editor()?,
            prompt,
            changes: None,
            names_of: None,
        })
    }

    /// Drops what the editor has read behind the last line.
    fn drop_typed_ahead(&mut self) {
        // The editor gives its buffer to nobody; it goes with the editor.
        if let Ok(editor) = new_editor() {
            self.editor = editor;
            self.names_of = None;
            // The new one knows nothing of the history, which was read from its file already.
            self.changes = self.changes.map(|_| usize::MAX);
        }
    }

    /// Waits for a line of a text; none where a signal asks us to stop.
    fn ask_text(&mut self, prompt: &str) -> Option<Result<String, ReadlineError>> {
        if let Some(helper) = self.editor.helper_mut() {
            helper.is_command = false;
        }
        let editor = &mut self.editor;
        let mut ask = || read_line(editor, prompt);
        match &self.prompt {
            Some(guard) => guard.during_text(ask),
            None => Some(ask()),
        }
    }

    /// Tells the editor what it may complete and recall.
    fn prepare(&mut self, reader: &mut Reader<'_, '_>) {
        let names_of = (
            reader.settings.revision(),
            reader.current / 20,
            reader.mailbox.messages().len(),
        );
        let is_stale = self.names_of.replace(names_of) != Some(names_of);
        if let Some(helper) = self.editor.helper_mut() {
            helper.is_command = true;
            // Made anew only where something has changed: there may be 100,000 aliases.
            if is_stale {
                helper.names = reader.names_to_complete();
            }
        }
        if self.changes.is_none() && reader.settings.is_set("history") {
            let is_off = reader.history.is_off;
            reader.history = History::read(&reader.around.environment);
            reader.history.is_off = is_off;
        }
        if self.changes.replace(reader.history.changes) != Some(reader.history.changes) {
            let _ = self.editor.clear_history();
            for line in reader.history.lines() {
                let _ = self.editor.add_history_entry(line);
            }
        }
    }

    /// Waits for a command.
    fn ask(&mut self, prompt: &str) -> Result<String, ReadlineError> {
        let editor = &mut self.editor;
        let mut ask = || read_line(editor, prompt);
        // The editor puts the terminal into raw mode and waits in the kernel. `during` lets a
        // signal set the terminal back before it ends us.
        match &self.prompt {
            Some(guard) => guard.during(ask),
            None => ask(),
        }
    }
}

fn unusable_terminal() -> Failure {
    Failure::new(Kind::Io, "cannot use the terminal")
}

fn new_editor() -> Result<Editor, Failure> {
    // Plain sequences only: consoles of servers know no others.
    let mut builder = Config::builder().bracketed_paste(false);
    builder.enable_synchronized_output(false);
    // No colours, but what is typed passes `sanitize` where colours would be put in: NO_COLOR
    // does not switch that off.
    let builder = builder.color_mode(ColorMode::Forced);
    // Several candidates are listed, as in a shell.
    let builder = builder.completion_type(CompletionType::List);
    let builder = builder
        .max_history_size(KEPT)
        .map_err(|error| unusable_terminal().because(error))?;
    let mut editor = Editor::with_history(builder.build(), MemHistory::new())
        .map_err(|error| unusable_terminal().because(error))?;
    // Nothing is printed by it: with a printer the editor waits by select(2), which a signal
    // ends, and not by read(2), which it does not.
    let _ = editor.create_external_printer();
    editor.set_helper(Some(Completion::default()));
    Ok(editor)
}

fn unreadable() -> Failure {
    Failure::new(Kind::Io, "cannot read the commands")
}

/// Asks in place of the prompt for the rest of a line that is not UTF-8.
const SPOILT: &str = "(not UTF-8: press Enter, then type the line again) ";

/// Reads a line; one with a byte that is not UTF-8 is left out as a whole.
///
/// The editor gives up at the byte. What comes behind it is no line of its own: it might be a
/// command.
fn read_line(editor: &mut Editor, prompt: &str) -> Result<String, ReadlineError> {
    let mut is_spoilt = false;
    loop {
        match editor.readline(if is_spoilt { SPOILT } else { prompt }) {
            Err(ReadlineError::Io(error)) if error.kind() == ErrorKind::InvalidData => {
                is_spoilt = true;
            }
            Ok(_) if is_spoilt => is_spoilt = false,
            answer => return answer,
        }
    }
}

fn unreadable_terminal() -> Failure {
    Failure::new(Kind::Io, "cannot read the terminal")
}

impl<'a> CommandSource<'a> {
    /// Returns the lines of an input.
    pub(super) fn new(input: CommandInput<'a>, signals: Option<&'a Signals>) -> CommandSource<'a> {
        CommandSource {
            base: match input {
                CommandInput::Lines(lines) => Base::Lines(lines),
                CommandInput::Terminal => Base::Unopened,
                CommandInput::PlainTerminal => Base::Plain(signals.map(StandardLines::new)),
            },
            sourced: Sourced::default(),
            signals,
            prompt: String::new(),
        }
    }

    /// Returns a source without a line, for a command that stands alone.
    pub(super) fn empty() -> CommandSource<'a> {
        CommandSource {
            base: Base::Empty,
            sourced: Sourced::default(),
            signals: None,
            prompt: String::new(),
        }
    }

    /// Returns whether a person types the lines of a text, so that prompts are shown.
    pub(super) fn is_typed(&self) -> bool {
        !self.sourced.is_open()
            && matches!(
                self.base,
                Base::Unopened | Base::Terminal(_) | Base::Plain(_)
            )
    }

    /// Returns the place of the line that was returned last.
    pub(super) fn origin(&self) -> Origin {
        self.sourced.origin()
    }

    /// Returns the next whole line, or `None` at the end.
    pub(super) fn line(&mut self, reader: &mut Reader<'_, '_>) -> Result<Option<String>, Failure> {
        let mut whole = String::new();
        loop {
            // The input may end behind a backslash: what was read so far is still a command.
            let line = if self.sourced.is_open() {
                self.sourced.line()
            } else {
                self.physical_line(reader)?
            };
            let Some(line) = line else {
                if !whole.is_empty() {
                    return Ok(Some(whole));
                }
                let Some(file) = self.sourced.close() else {
                    return Ok(None);
                };
                reader.end_sourced(&file.origin, file.outer);
                continue;
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
        match self.base()? {
            Base::Empty | Base::Unopened | Base::Plain(None) => Ok(None),
            Base::Plain(Some(lines)) => loop {
                let prompt = reader.options.prompt.clone();
                reader.screen.text(&prompt);
                reader.screen.flush();
                match lines.next_line() {
                    StandardLine::Line(line) => {
                        let line = String::from_utf8_lossy(&line);
                        return Ok(Some(line.trim_end_matches(['\n', '\r']).to_owned()));
                    }
                    // An interrupt takes back the line, and a new prompt stands on a line of its own.
                    StandardLine::Interrupt => reader.screen.raw(b"\n"),
                    StandardLine::End => {
                        reader.screen.raw(b"\n");
                        return Ok(None);
                    }
                    StandardLine::Signal(signal) => return Err(interrupted_commands(signal)),
                    StandardLine::Failed(error) => {
                        return Err(unreadable_terminal().because(error));
                    }
                }
            },
            Base::Lines(lines) => {
                // A script must not find prompts in its output.
                if reader.around.stdin_is_terminal {
                    let prompt = reader.options.prompt.clone();
                    reader.screen.text(&prompt);
                    reader.screen.flush();
                }
                let mut line = Vec::new();
                let length = lines
                    .read_until(b'\n', &mut line)
                    .map_err(|error| unreadable().because(error))?;
                // A command in another charset is still read: only its odd letters are lost.
                let line = String::from_utf8_lossy(&line);
                let line = line.trim_end_matches(['\n', '\r']);
                if length == 0 && reader.around.stdin_is_terminal {
                    // Ctrl-D was typed behind the prompt; what follows begins a new line.
                    reader.screen.raw(b"\n");
                }
                Ok((length > 0).then(|| line.to_owned()))
            }
            Base::Terminal(terminal) => loop {
                terminal.prepare(reader);
                match terminal.ask(&reader.options.prompt) {
                    Ok(line) => {
                        if reader.settings.is_set("history") {
                            reader.history.add(&line);
                        }
                        return Ok(Some(line));
                    }
                    // An interrupt takes back the line and nothing else.
                    Err(ReadlineError::Interrupted) => continue,
                    // A terminal that is gone asks for no change (`quit`).
                    // It may give an error as well as an end, and its signal may come later.
                    Err(_) if has_hung_up() => return Err(interrupted_commands(HANGUP)),
                    Err(ReadlineError::Eof) => return Ok(None),
                    Err(error) => return Err(unreadable_terminal().because(error)),
                }
            },
        }
    }

    /// Drops keys that came in one piece with the last line, as a paste does: a program that reads
    /// the terminal now would have had them, and they must not become commands behind its end.
    ///
    /// Keys that come later are still in the terminal, and the program reads them there.
    pub(super) fn drop_typed_ahead(&mut self) {
        if let Base::Terminal(terminal) = &mut self.base
            && !self.sourced.is_open()
        {
            terminal.drop_typed_ahead();
        }
    }

    /// Returns the input; the line editor takes the terminal over when it is first asked.
    fn base(&mut self) -> Result<&mut Base<'a>, Failure> {
        if matches!(self.base, Base::Unopened) {
            self.base = Base::Terminal(Box::new(Terminal::open(self.signals)?));
        }
        Ok(&mut self.base)
    }
}

impl TypedLines for CommandSource<'_> {
    fn next(&mut self) -> Event {
        if let Some(event) = self.sourced.event() {
            return event;
        }
        let signals = self.signals;
        let prompt = std::mem::take(&mut self.prompt);
        let base = match self.base() {
            Ok(base) => base,
            Err(failure) => return Event::Stop(failure),
        };
        match base {
            Base::Empty | Base::Unopened | Base::Plain(None) => Event::End,
            Base::Plain(Some(lines)) => lines.next(),
            Base::Lines(lines) => {
                let mut line = Vec::new();
                match lines.read_until(b'\n', &mut line) {
                    Ok(0) => Event::End,
                    Ok(_) => Event::Line(line),
                    Err(error) => match signals.and_then(Signals::received) {
                        Some(signal) => Event::Stop(interrupted_text(signal)),
                        None => Event::Stop(unreadable().because(error)),
                    },
                }
            }
            // The same editor as for commands: what was typed ahead of the text is in its buffer,
            // and must not be carried out as commands.
            Base::Terminal(terminal) => {
                let answer = terminal.ask_text(&prompt);
                // The signal is why the editor has stopped waiting, whatever it says itself.
                if let Some(signal) = signals.and_then(Signals::received) {
                    return Event::Stop(interrupted_text(signal));
                }
                match answer {
                    Some(Ok(line)) => Event::Line(format!("{line}\n").into_bytes()),
                    Some(Err(ReadlineError::Interrupted)) => Event::Interrupt,
                    // A terminal that is gone ends no text.
                    Some(Err(_)) | None if has_hung_up() => Event::Stop(interrupted_text(HANGUP)),
                    Some(Err(ReadlineError::Eof)) | None => Event::End,
                    Some(Err(error)) => Event::Stop(unreadable_terminal().because(error)),
                }
            }
        }
    }

    fn takes_prompt(&mut self, prompt: &str) -> bool {
        let has_editor = matches!(self.base, Base::Unopened | Base::Terminal(_));
        if has_editor {
            prompt.clone_into(&mut self.prompt);
        }
        has_editor
    }
}

fn interrupted_commands(signal: u8) -> Failure {
    let what = format!("interrupted by signal {signal}");
    Failure::new(Kind::Signal(signal), what)
}

fn interrupted_text(signal: u8) -> Failure {
    Failure::new(
        Kind::Signal(signal),
        format!("interrupted by signal {signal} before the message was complete"),
    )
}
