//! The interactive reader: a loop over commands from a terminal, a pipe or a file.
//!
//! Takes a mailbox that is open already, settings and writers; knows nothing of
//! where they come from. Every mailbox is opened read-only for now: the banner
//! says so, reading marks messages in memory only, and `q` and `x` both leave
//! without writing. Results go to `out`, complaints to `err` (POSIX), and
//! neither ends the loop; the end of input is `q`.

use std::cell::RefCell;
use std::io::{BufRead, Write};

use rustyline::config::{Config, Configurer};
use rustyline::error::ReadlineError;
use rustyline::history::MemHistory;

use crate::exit::{Failure, Kind};
use crate::mailbox::{Flags, Mailbox};
use crate::ui::choice::{FlagChoice, first_of_interest};
use crate::ui::{ReaderSettings, Screen, headline};

pub mod command;
pub mod list;
mod show;

/// What a command says: nothing, or the line to tell the user.
pub type Told = Result<(), String>;

/// Where commands come from.
pub enum Input<'a> {
    /// A pipe, a file or a test; prompts are shown only if the settings speak of a terminal.
    Lines(&'a mut dyn BufRead),
    /// The terminal, with line editing.
    Terminal,
}

/// Shows the header lines of a message list, or only finds out whether it names any (`-L`).
///
/// Returns [`Kind::Nothing`] if it names none.
///
/// # Errors
/// The list cannot be understood (64), or the output cannot be written.
pub fn search(
    mailbox: &Mailbox,
    settings: ReaderSettings<'_>,
    text: &str,
    silent: bool,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Option<Kind>, Failure> {
    let mut reader = Reader::new(mailbox, settings, Screen::new(out, err));
    let found = match list::messages(text, &reader, &mut String::new()) {
        Ok(found) => found,
        Err(told) if told == "No applicable messages" => Vec::new(),
        Err(told) => return Err(Failure::new(Kind::Usage, format!("-L {text}: {told}"))),
    };
    if !silent && !found.is_empty() {
        reader.execute(&format!("from {text}"));
    }
    reader.screen.finish()?;
    Ok(found.is_empty().then_some(Kind::Nothing))
}

/// Reads and runs commands until one leaves or the input ends.
///
/// `first` are commands that come before those of the input.
///
/// # Errors
/// The output cannot be written, or the commands cannot be read ([`Kind::Io`]).
pub fn run(
    mailbox: &Mailbox,
    settings: ReaderSettings<'_>,
    first: &[String],
    input: Input<'_>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<(), Failure> {
    let mut reader = Reader::new(mailbox, settings, Screen::new(out, err));
    reader.greet();
    for line in first {
        if !reader.left {
            reader.execute(line);
        }
    }
    let mut source = Source::new(input)?;
    while !reader.left && !reader.screen.is_closed() {
        reader.screen.flush();
        match source.line(&mut reader)? {
            Some(line) => reader.execute(&line),
            None => break,
        }
    }
    reader.screen.finish()
}

/// The state of the reader between commands; messages count from 0.
pub struct Reader<'a, 's> {
    mailbox: &'a Mailbox,
    settings: ReaderSettings<'s>,
    screen: Screen<'a>,
    /// Read in this session.
    read_now: Vec<bool>,
    current: usize,
    /// Whether the current message was shown, so that `next` moves on.
    shown: bool,
    /// Which screenful of header lines was last shown.
    page: usize,
    /// The last `/text` of a message list.
    search: String,
    left: bool,
}

impl<'a, 's> Reader<'a, 's> {
    fn new(mailbox: &'a Mailbox, settings: ReaderSettings<'s>, screen: Screen<'a>) -> Self {
        let messages = mailbox.messages();
        let current = first_of_interest(messages.iter().map(|message| message.flags));
        Reader {
            mailbox,
            read_now: vec![false; messages.len()],
            current,
            shown: false,
            page: current / settings.screen.max(1),
            search: String::new(),
            left: false,
            settings,
            screen,
        }
    }

    fn greet(&mut self) {
        if !self.settings.quiet {
            let version = env!("CARGO_PKG_VERSION");
            self.screen
                .text(&format!("Postrider {version}.  Type ? for help.\n"));
            let banner = self.banner();
            self.screen.text(&banner);
        }
        if self.settings.header && !self.mailbox.messages().is_empty() {
            self.show_page();
        }
    }

    /// Returns the line that says what is open: `"/var/mail/root": 4 messages 2 new 3 unread [Read only]`.
    fn banner(&self) -> String {
        let messages = self.mailbox.messages();
        let count = |choice: FlagChoice| {
            messages
                .iter()
                .filter(|message| choice.matches(message.flags))
                .count()
        };
        let path = self.mailbox.path().display().to_string();
        let mut line = format!("\"{}\": ", path.replace('\n', "\u{240a}"));
        match messages.len() {
            1 => line.push_str("1 message"),
            number => line.push_str(&format!("{number} messages")),
        }
        for (choice, name) in [(FlagChoice::New, "new"), (FlagChoice::Unread, "unread")] {
            match count(choice) {
                0 => {}
                number => line.push_str(&format!(" {number} {name}")),
            }
        }
        line.push_str(" [Read only]\n");
        line
    }

    /// Runs one line.
    fn execute(&mut self, line: &str) {
        let (word, arguments) = command::split(line);
        let told = match (word, arguments) {
            ("", "") => self.next(""),
            ("", messages) => self.print(messages),
            _ => match command::find(word) {
                None => Err(format!("Unknown command: \"{word}\"")),
                Some(found)
                    if found.arguments == command::Arguments::None && !arguments.is_empty() =>
                {
                    Err(format!("{}: too many arguments", found.name))
                }
                Some(found) => (found.run)(self, arguments),
            },
        };
        if let Err(line) = told {
            self.screen.complain(&line);
        }
    }

    /// Returns the messages a command applies to: those of the list, or the current one.
    fn messages(&mut self, text: &str) -> Result<Vec<usize>, String> {
        let mut search = std::mem::take(&mut self.search);
        let found = list::messages(text, self, &mut search);
        self.search = search;
        let found = found?;
        if !found.is_empty() {
            return Ok(found);
        }
        if self.mailbox.messages().is_empty() {
            return Err("No applicable messages".to_owned());
        }
        Ok(vec![self.current])
    }

    /// Makes a message the current one.
    fn go_to(&mut self, message: usize) {
        if self.current != message {
            self.current = message;
            self.shown = false;
        }
    }

    /// Returns the From_ line and header block of a message; unreadable ones are empty and told of later.
    fn block(&self, message: usize) -> Vec<u8> {
        self.mailbox.read_header(message).unwrap_or_default()
    }

    fn flags(&self, message: usize) -> Flags {
        let mut flags = self.mailbox.messages()[message].flags;
        if self.read_now[message] {
            flags.insert(Flags::READ);
        }
        flags
    }
}

impl list::Index for Reader<'_, '_> {
    fn count(&self) -> usize {
        self.mailbox.messages().len()
    }

    fn current(&self) -> usize {
        self.current
    }

    fn is_deleted(&self, message: usize) -> bool {
        // Nothing can be deleted yet; what another program marked so is still there to be read.
        let _ = message;
        false
    }

    fn has_flags(&self, message: usize, choice: FlagChoice) -> bool {
        choice.matches(self.flags(message))
    }

    fn sender(&self, message: usize) -> String {
        headline::sender(&self.block(message), &self.settings)
    }

    fn subject(&self, message: usize) -> String {
        headline::subject(&self.block(message))
    }

    fn allnet(&self) -> bool {
        self.settings.allnet
    }
}

type Editor = rustyline::Editor<(), MemHistory>;

/// Lines of commands, put together where a backslash continues them.
enum Source<'a> {
    Lines(&'a mut dyn BufRead),
    Terminal(Box<RefCell<Editor>>),
}

impl<'a> Source<'a> {
    fn new(input: Input<'a>) -> Result<Source<'a>, Failure> {
        match input {
            Input::Lines(lines) => Ok(Source::Lines(lines)),
            Input::Terminal => {
                // Plain sequences only: consoles of servers know no others.
                let mut builder = Config::builder().bracketed_paste(false);
                builder.enable_synchronized_output(false);
                // Nothing is added to the history: it stays empty.
                let editor = Editor::with_history(builder.build(), MemHistory::new());
                match editor {
                    Ok(editor) => Ok(Source::Terminal(Box::new(RefCell::new(editor)))),
                    Err(error) => {
                        Err(Failure::new(Kind::Io, "cannot use the terminal").because(error))
                    }
                }
            }
        }
    }

    /// Returns the next whole line, or `None` at the end.
    fn line(&mut self, reader: &mut Reader<'_, '_>) -> Result<Option<String>, Failure> {
        let mut whole = String::new();
        loop {
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
            Source::Lines(lines) => {
                if reader.settings.stdin_is_terminal {
                    let prompt = reader.settings.prompt.clone();
                    reader.screen.text(&prompt);
                    reader.screen.flush();
                }
                let mut line = Vec::new();
                let length = lines.read_until(b'\n', &mut line).map_err(|error| {
                    Failure::new(Kind::Io, "cannot read the commands").because(error)
                })?;
                let line = String::from_utf8_lossy(&line);
                let line = line.trim_end_matches(['\n', '\r']);
                if length == 0 && reader.settings.stdin_is_terminal {
                    // The end of input was typed behind a prompt.
                    reader.screen.raw(b"\n");
                }
                Ok((length > 0).then(|| line.to_owned()))
            }
            Source::Terminal(editor) => loop {
                match editor.borrow_mut().readline(&reader.settings.prompt) {
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

#[cfg(test)]
mod tests;
