//! Tilde escapes: a message typed line by line, and the commands that may stand between the lines.
//!
//! They exist only where a person types at a terminal or the command line asked for
//! them; the caller of [`compose`] has decided that. Lines come from a
//! [`TypedLines`] and what is shown goes to a writer, so that all this runs without a terminal. An
//! escape that fails is reported in one line; the text stays as it was and composing goes on.
//! What files and children do to the text is in [`text`], what is asked for in `prompts`, the header
//! in `header`.

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use crate::compose::Request;
use crate::compose::spooling::unspooled;
use crate::config::{Environment, Settings};
use crate::exit::{Failure, Kind};
use crate::sanitize;
use crate::sys::locale;
use crate::sys::signals::Signals;
use crate::sys::spool::Spool;
use crate::sys::tools::TextEditor;

mod attach;
mod header;
mod prompts;
mod setting;
mod show;
mod table;
pub mod text;

pub(crate) use table::{ESCAPES, overview};

#[cfg(test)]
mod tests;

/// How many ends of file in a row `ignoreeof` bears: a terminal that is gone gives no others.
const ENDS_IGNORED: usize = 25;

/// The result of asking for a line.
#[derive(Debug)]
pub enum Event {
    /// A line, with its line end unless it is the last one.
    Line(Vec<u8>),
    /// The end of the input; a terminal may deliver more afterwards.
    End,
    /// The interrupt key.
    Interrupt,
    /// Nothing more can come.
    Stop(Failure),
}

/// Where typed lines come from.
pub trait TypedLines {
    /// Waits for the next line.
    fn next(&mut self) -> Event;

    /// Returns whether the prompt of the next line is shown with it; else the caller shows it.
    ///
    /// A line editor draws its line anew, and the prompt with it.
    fn takes_prompt(&mut self, _prompt: &str) -> bool {
        false
    }
}

/// How much of a message `~f`, `~F`, `~m` and `~M` insert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The header fields that are shown, and the body.
    Shown,
    /// All header fields, and the body.
    Whole,
    /// The body alone.
    Body,
    /// What a reply quotes, with its attribution and prefix.
    Quoted,
}

/// The messages of the mailbox that is open while a message is composed.
pub trait Messages {
    /// Returns the text of the messages of a list; an empty list is the current message.
    ///
    /// # Errors
    /// Fails when the list names no message or the mailbox cannot be read.
    fn text(&mut self, list: &str, extent: Extent) -> Result<Spool, Failure>;

    /// Carries out a command of the reader (`~:`), with these settings; it writes to the terminal
    /// itself. Returns whether the line is a command of the reader.
    ///
    /// # Errors
    /// Fails when the command is not allowed while a message is composed, or fails.
    fn command(&mut self, line: &str, settings: &mut Settings) -> Result<bool, Failure> {
        let _ = (line, settings);
        Ok(false)
    }
}

/// The surroundings of a typed message.
pub struct Typing<'a> {
    /// The request; escapes change it.
    pub request: &'a mut Request,
    /// The settings; `~:` changes them.
    pub settings: &'a mut Settings,
    /// The environment.
    pub environment: &'a Environment,
    /// The signals.
    pub signals: &'a Signals,
    /// Where lines come from.
    pub lines: &'a mut dyn TypedLines,
    /// Where prompts, help and the text so far are shown.
    pub out: &'a mut dyn Write,
    /// Reports a failure to the person who types.
    pub tell: &'a mut dyn FnMut(&Failure),
    /// The text that will stand behind what is typed, such as a forwarded message. An editor gets it
    /// with the text, and then there is none behind it any more.
    pub behind: &'a mut Option<Spool>,
    /// The open mailbox, if there is one.
    pub messages: Option<&'a mut dyn Messages>,
    /// Whether a person types: prompts, `dot`, `ignoreeof` and a second chance after an interrupt.
    pub terminal: bool,
}

/// How composing came to its end.
#[derive(Debug)]
pub enum Ending {
    /// The message is complete.
    Complete,
    /// It could not be completed; the text is kept.
    Broken(Failure),
    /// The message was cancelled by `~x`; the text is discarded.
    GivenUp(Failure),
}

/// Reads a message line by line, and appends it to an existing text.
///
/// Asks for the subject before and for Cc and Bcc after it, at a terminal, as the variables want.
pub fn compose(session: Typing<'_>, text: Spool) -> (Spool, Ending) {
    let mut typist = Typist {
        session,
        text,
        interrupted: false,
    };
    let ending = typist.compose().err().unwrap_or(Ending::Complete);
    (typist.text, ending)
}

/// A session with its text.
struct Typist<'a> {
    session: Typing<'a>,
    text: Spool,
    /// An interrupt came, and no line since.
    interrupted: bool,
}

impl Typist<'_> {
    /// Everything from the first prompt to the last; what ends it early comes as the error.
    fn compose(&mut self) -> Result<(), Ending> {
        self.ask_before_text()?;
        self.edit_along();
        loop {
            self.read_text()?;
            if self.ask_behind_text()? {
                return Ok(());
            }
        }
    }

    fn read_text(&mut self) -> Result<(), Ending> {
        while let Some(line) = self.line()? {
            if self.is_dot(&line) {
                return Ok(());
            }
            match self.escaped(&line) {
                None => self.insert(&line)?,
                Some(Escaped::Text(text)) => self.insert(text)?,
                Some(Escaped::Command(b".")) => return Ok(()),
                Some(Escaped::Command(command)) => self.command(command)?,
            }
        }
        Ok(())
    }

    /// Returns the next line, or none at the end of the text.
    fn line(&mut self) -> Result<Option<Vec<u8>>, Ending> {
        let mut ends = 0;
        loop {
            match self.session.lines.next() {
                Event::Line(line) => {
                    self.interrupted = false;
                    return Ok(Some(line));
                }
                Event::End if self.ignores_end() && ends < ENDS_IGNORED => {
                    ends += 1;
                    self.show(b"Use \".\" to terminate letter\n");
                }
                Event::End => return Ok(None),
                Event::Interrupt => self.interrupt()?,
                Event::Stop(failure) => return Err(Ending::Broken(failure)),
            }
        }
    }

    /// A person gets a second chance; anybody else means it.
    fn interrupt(&mut self) -> Result<(), Ending> {
        if self.ignores_interrupt() {
            self.show(b"@\n");
            return Ok(());
        }
        if !self.session.terminal || std::mem::replace(&mut self.interrupted, true) {
            let what = "interrupted before the message was complete";
            return Err(Ending::Broken(Failure::new(Kind::Signal(SIGINT), what)));
        }
        self.show(b"\n(Interrupt -- one more to kill letter)\n");
        Ok(())
    }

    /// The key takes back the line that is being typed, and nothing else (`ignore`).
    fn ignores_interrupt(&self) -> bool {
        self.session.terminal
            && (self.session.settings.is_set("ignore") || self.session.signals.ignores_interrupt())
    }

    fn ignores_end(&self) -> bool {
        self.session.terminal && self.session.settings.is_set("ignoreeof")
    }

    /// Without an end of file a dot is the way to end (POSIX, `ignoreeof`).
    fn is_dot(&self, line: &[u8]) -> bool {
        self.session.terminal
            && (self.session.settings.is_set("dot") || self.ignores_end())
            && without_end(line) == b"."
    }

    /// Returns what an escape of this line asks for, if the line is one.
    fn escaped<'l>(&self, line: &'l [u8]) -> Option<Escaped<'l>> {
        let escape = self.session.settings.get("escape").unwrap_or("~");
        // An empty `escape` turns escapes off; of a longer one the first character counts.
        let escape = escape.chars().next()?;
        let mut bytes = [0; 4];
        let escape = escape.encode_utf8(&mut bytes).as_bytes();
        let rest = line.strip_prefix(escape)?;
        Some(if rest.starts_with(escape) {
            // `~~text` is the line `~text`: one of the two is taken off.
            Escaped::Text(rest)
        } else {
            Escaped::Command(rest.trim_ascii())
        })
    }

    fn insert(&mut self, bytes: &[u8]) -> Result<(), Ending> {
        let written = self.text.write_all(bytes);
        written.map_err(|error| Ending::Broken(unspooled(error)))
    }

    /// Executes an escape; only what ends the message is an error here.
    fn command(&mut self, command: &[u8]) -> Result<(), Ending> {
        let name = command.first().copied().unwrap_or_default();
        let rest = command.get(1..).unwrap_or_default().trim_ascii();
        match name {
            // These end the message, and `~h` may meet its end: an error of theirs is not one
            // that is reported and then forgotten, as for the others below.
            b'q' | b'x' => return Err(cancelled(name == b'q')),
            b'h' => return self.ask_for_all(),
            b'H' => return self.ask_for_senders(),
            _ => {}
        }
        let done = match name {
            b'?' => {
                self.help();
                Ok(())
            }
            b'!' => self.shell(rest),
            b':' | b'_' | b'-' => self.execute(rest),
            b'a' => self.insert_variable("sign", true),
            b'A' => self.insert_variable("Sign", true),
            b'i' => self.insert_variable(&String::from_utf8_lossy(rest), true),
            b'I' => self.insert_variable(&String::from_utf8_lossy(rest), false),
            b't' | b'c' | b'b' => self.add_recipients(name, rest),
            b's' => {
                let subject = OsString::from_vec(rest.to_vec());
                self.session.request.subject = Some(subject).filter(|text| !text.is_empty());
                Ok(())
            }
            b'@' => self.attach(rest),
            b'+' => self.attach_one(rest),
            b'l' => {
                self.list_attachments();
                Ok(())
            }
            b'^' => self.detach(rest),
            b'd' => self.insert_dead_letter(),
            b'r' | b'<' => self.insert_input(rest, false),
            b'R' if memchr::memchr(b'@', rest).is_some() && !rest.starts_with(b"!") => {
                header::set(self.session.request, "Reply-To", Some(rest));
                Ok(())
            }
            b'R' => self.insert_input(rest, true),
            b'w' => self.write(rest),
            b'e' => self.edit(TextEditor::Line),
            b'v' => self.edit(TextEditor::Screen),
            b'|' => self.filter(rest),
            b'f' => self.insert_messages(rest, Extent::Shown, false),
            b'F' => self.insert_messages(rest, Extent::Whole, false),
            b'm' => self.insert_messages(rest, Extent::Shown, true),
            b'M' => self.insert_messages(rest, Extent::Whole, true),
            b'u' => self.insert_messages(rest, Extent::Body, false),
            b'U' => self.insert_messages(rest, Extent::Body, true),
            b'Q' => self.insert_messages(rest, Extent::Quoted, false),
            b'p' => self.print(),
            _ => Err(unknown(command)),
        };
        if let Err(failure) = done {
            (self.session.tell)(&failure);
        }
        Ok(())
    }

    fn add_recipients(&mut self, field: u8, names: &[u8]) -> Result<(), Failure> {
        if names.is_empty() {
            return Err(Failure::new(Kind::Usage, "no recipient was given"));
        }
        let request = &mut *self.session.request;
        let list = match field {
            b't' => &mut request.to,
            b'c' => &mut request.cc,
            _ => &mut request.bcc,
        };
        // The names are parsed when the message is complete, with those of the command line:
        // aliases may be set until then.
        list.push(OsString::from_vec(names.to_vec()));
        Ok(())
    }

    fn home(&self) -> Option<PathBuf> {
        self.session.environment.home_directory()
    }

    fn show(&mut self, bytes: &[u8]) {
        show(self.session.out, bytes);
    }
}

/// The signal of the interrupt key.
const SIGINT: u8 = signal_hook::consts::SIGINT as u8;

/// The text after the escape character.
enum Escaped<'l> {
    /// A line of text: the escape character was doubled.
    Text(&'l [u8]),
    /// A command, without blanks around it.
    Command(&'l [u8]),
}

/// Shows a text. A failing output is ignored, because the message must not be lost.
fn show(out: &mut dyn Write, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = out
        .write_all(&locale::encode(&text))
        .and_then(|()| out.flush());
}

/// Returns the end of a message that was given up; its text is kept, or discarded.
fn cancelled(keeps: bool) -> Ending {
    let failure = Failure::new(Kind::Nothing, "the message was cancelled");
    if keeps {
        Ending::Broken(failure)
    } else {
        Ending::GivenUp(failure)
    }
}

fn unknown(command: &[u8]) -> Failure {
    let what = if command.is_empty() {
        "nothing follows the escape character".to_owned()
    } else {
        format!("unknown escape \"{}\"", sanitize::line(command))
    };
    Failure::new(Kind::Usage, what)
        .hint("~? lists the escapes; write ~~ to begin a line of text with ~")
}

fn joined(list: &[OsString]) -> String {
    let words: Vec<_> = list
        .iter()
        .map(|word| sanitize::line(word.as_bytes()))
        .collect();
    words.join(", ")
}

fn without_end(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}
