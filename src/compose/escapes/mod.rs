//! Tilde escapes: a message typed line by line, and the commands that may stand between the lines.
//!
//! They exist only where a person types at a terminal or the command line asked for
//! them; the caller of [`compose`] has decided that. Lines come from a
//! [`TypedLines`] and what is shown goes to a writer, so that all this runs without a terminal. An
//! escape that fails is reported in one line; the text stays as it was and composing goes on.
//! What files and children do to the text is in [`text`].

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use crate::compose::{AttachRequest, Request};
use crate::config::variables::{self, ValueKind};
use crate::config::{Environment, Origin, Settings, mailrc, words};
use crate::exit::{Failure, Kind};
use crate::sanitize;
use crate::sys::locale;
use crate::sys::signals::Signals;
use crate::sys::spool::Spool;
use crate::sys::tools::TextEditor;

pub mod text;

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
}

/// The messages of the mailbox that is open while a message is composed.
pub trait Messages {
    /// Returns the text of the messages of a list; an empty list is the current message.
    ///
    /// # Errors
    /// Fails when the list names no message or the mailbox cannot be read.
    fn text(&mut self, list: &str, extent: Extent) -> Result<Spool, Failure>;
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

/// The escapes, as typed with the usual escape character, and what they do, for `~?` and the
/// manual.
pub(crate) const ESCAPES: &[(&str, &str)] = &[
    ("~~TEXT", "A line that begins with ~"),
    ("~.", "End the message"),
    ("~?", "Show the escapes"),
    ("~!COMMAND", "Run a shell command"),
    (
        "~:COMMAND",
        "Execute a command of the configuration (also ~_)",
    ),
    ("~a ~A", "Insert the variable sign; ~A the variable Sign"),
    (
        "~i NAME",
        "Insert the value of a variable (~I: without a new line)",
    ),
    ("~t NAMES", "Add recipients to To"),
    ("~c NAMES", "Add recipients to Cc"),
    ("~b NAMES", "Add recipients to Bcc"),
    ("~s TEXT", "Set the subject"),
    ("~h", "Ask for To, Subject, Cc and Bcc"),
    (
        "~@ [FILES]",
        "Attach files; without a name, list the attachments",
    ),
    ("~d", "Insert the dead letter file"),
    (
        "~r FILE",
        "Insert a file (also ~<); ~r !COMMAND inserts the output of a command",
    ),
    ("~w FILE", "Append the text to a file"),
    (
        "~e ~v",
        "Edit the text with the editor; ~v with the visual editor",
    ),
    (
        "~|COMMAND",
        "Pipe the text through a command, and replace it by the output",
    ),
    ("~f ~F LIST", "Insert messages; ~F with all header fields"),
    (
        "~m ~M LIST",
        "Insert messages, indented; ~M with all header fields",
    ),
    ("~p", "Show the message"),
    ("~q", "Cancel the message and keep its text"),
    ("~x", "Cancel the message and discard its text"),
];

impl Typist<'_> {
    /// Everything from the first prompt to the last; what ends it early comes as the error.
    fn compose(&mut self) -> Result<(), Ending> {
        // The subject comes before the text, Cc and Bcc behind it, as in other mailx programs:
        // people and scripts for expect(1) type in that order.
        if self.asks("asksub") && self.session.request.subject.is_none() {
            let subject = self.ask("Subject: ")?;
            self.session.request.subject = subject;
        }
        self.read_text()?;
        if self.asks("askcc") && self.session.request.cc.is_empty() {
            let cc = self.ask("Cc: ")?;
            self.session.request.cc.extend(cc);
        }
        if self.asks("askbcc") && self.session.request.bcc.is_empty() {
            let bcc = self.ask("Bcc: ")?;
            self.session.request.bcc.extend(bcc);
        }
        Ok(())
    }

    /// A template brings its own header fields; a pipe is never asked.
    fn asks(&self, variable: &str) -> bool {
        self.session.terminal
            && !self.session.request.template
            && self.session.settings.is_set(variable)
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
        if !self.session.terminal || std::mem::replace(&mut self.interrupted, true) {
            let what = "interrupted before the message was complete";
            return Err(Ending::Broken(Failure::new(Kind::Signal(SIGINT), what)));
        }
        self.show(b"\n(Interrupt -- one more to kill letter)\n");
        Ok(())
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
        self.text.write_all(bytes).map_err(|error| {
            let failure = Failure::new(
                Kind::CannotCreate,
                "cannot write the message to a temporary file",
            );
            Ending::Broken(failure.because(error))
        })
    }

    /// Executes an escape; only what ends the message is an error here.
    fn command(&mut self, command: &[u8]) -> Result<(), Ending> {
        let name = command.first().copied().unwrap_or_default();
        let rest = command.get(1..).unwrap_or_default().trim_ascii();
        match name {
            // These end the message, and `~h` may meet its end: an error of theirs is not one
            // that is reported and then forgotten, as for the others below.
            b'q' | b'x' => {
                let failure = Failure::new(Kind::Nothing, "the message was cancelled");
                return Err(match name {
                    b'q' => Ending::Broken(failure),
                    _ => Ending::GivenUp(failure),
                });
            }
            b'h' => return self.ask_for_all(),
            _ => {}
        }
        let done = match name {
            b'?' => {
                self.help();
                Ok(())
            }
            b'!' => self.shell(rest),
            b':' | b'_' | b'-' => self.configure(rest),
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
            b'd' => self.insert_dead_letter(),
            b'r' | b'<' => self.insert_input(rest),
            b'w' => self.write(rest),
            b'e' => self.edit(TextEditor::Line),
            b'v' => self.edit(TextEditor::Screen),
            b'|' => self.filter(rest),
            b'f' => self.insert_messages(rest, Extent::Shown, false),
            b'F' => self.insert_messages(rest, Extent::Whole, false),
            b'm' => self.insert_messages(rest, Extent::Shown, true),
            b'M' => self.insert_messages(rest, Extent::Whole, true),
            b'p' => self.print(),
            _ => Err(unknown(command)),
        };
        if let Err(failure) = done {
            (self.session.tell)(&failure);
        }
        Ok(())
    }

    fn help(&mut self) {
        for (form, help) in ESCAPES {
            self.show(format!("{form:<13} {help}\n").as_bytes());
        }
    }

    /// Executes one command of the configuration.
    fn configure(&mut self, line: &[u8]) -> Result<(), Failure> {
        let home = self.home();
        let settings = &mut *self.session.settings;
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
            None => Ok(()),
        }
    }

    fn insert_variable(&mut self, name: &str, line_end: bool) -> Result<(), Failure> {
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

    fn attach(&mut self, names: &[u8]) -> Result<(), Failure> {
        if names.is_empty() {
            let names: Vec<_> = self.session.request.attachments.iter().collect();
            let list: String = names
                .iter()
                .map(|wanted| format!("{}\n", sanitize::line(wanted.path.as_bytes())))
                .collect();
            self.show(list.as_bytes());
            return Ok(());
        }
        let names = String::from_utf8(names.to_vec())
            .map_err(|_| Failure::new(Kind::Data, "these file names are not UTF-8"))?;
        let words = words::texts(&names).map_err(|what| Failure::new(Kind::Usage, what))?;
        for word in words {
            let path = self.typed(word.as_bytes(), "attach")?;
            // What is attached is read when the message is complete; a mistyped name is
            // reported now, while it can be corrected.
            path.metadata().map_err(|error| {
                let what = format!("cannot attach {}", sanitize::line(word.as_bytes()));
                Failure::new(Kind::NoInput, what).because(error)
            })?;
            self.session.request.attachments.push(AttachRequest {
                path: path.into_os_string(),
                ..AttachRequest::default()
            });
        }
        Ok(())
    }

    /// Shows the current value and asks for a new one; an empty answer keeps it.
    fn ask_for_all(&mut self) -> Result<(), Ending> {
        if !self.session.terminal {
            let failure = Failure::new(Kind::Usage, "~h needs a terminal");
            (self.session.tell)(&failure);
            return Ok(());
        }
        let request = &*self.session.request;
        let now = [
            joined(&request.to),
            joined(request.subject.as_slice()),
            joined(&request.cc),
            joined(&request.bcc),
        ];
        for (index, name) in ["To", "Subject", "Cc", "Bcc"].into_iter().enumerate() {
            let prompt = match now[index].as_str() {
                "" => format!("{name}: "),
                now => format!("{name} ({now}): "),
            };
            let Some(answer) = self.ask(&prompt)? else {
                continue;
            };
            let request = &mut *self.session.request;
            match index {
                0 => request.to = vec![answer],
                1 => request.subject = Some(answer),
                2 => request.cc = vec![answer],
                _ => request.bcc = vec![answer],
            }
        }
        Ok(())
    }

    /// Asks for one line; none where it is empty.
    fn ask(&mut self, prompt: &str) -> Result<Option<OsString>, Ending> {
        loop {
            if !self.session.lines.takes_prompt(prompt) {
                self.show(prompt.as_bytes());
            }
            match self.session.lines.next() {
                Event::Line(line) => {
                    self.interrupted = false;
                    let answer = line.trim_ascii();
                    return Ok((!answer.is_empty()).then(|| OsString::from_vec(answer.to_vec())));
                }
                Event::End => {
                    self.show(b"\n");
                    return Ok(None);
                }
                Event::Interrupt => self.interrupt()?,
                Event::Stop(failure) => return Err(Ending::Broken(failure)),
            }
        }
    }

    /// Shows header and text, and that typing goes on.
    fn print(&mut self) -> Result<(), Failure> {
        let request = &*self.session.request;
        let mut shown = "-------\nMessage contains:\n".to_owned();
        for (name, value) in [
            ("To", joined(&request.to)),
            ("Cc", joined(&request.cc)),
            ("Bcc", joined(&request.bcc)),
            ("Subject", joined(request.subject.as_slice())),
        ] {
            if !value.is_empty() {
                shown.push_str(&format!("{name}: {value}\n"));
            }
        }
        for header in &request.headers {
            shown.push_str(&format!("{}\n", sanitize::line(header.as_bytes())));
        }
        for wanted in &request.attachments {
            let path = sanitize::line(wanted.path.as_bytes());
            shown.push_str(&format!("(attached: {path})\n"));
        }
        shown.push('\n');
        show(self.session.out, shown.as_bytes());
        // The text may come from a file or a command (`~r`), so each line passes the filter for
        // terminals.
        let mut reader = BufReader::new(self.text.reader());
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).map_err(unspooled)? > 0 {
            show(self.session.out, sanitize::text(&line).as_bytes());
            line.clear();
        }
        self.show(b"(continue)\n");
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

fn unknown(command: &[u8]) -> Failure {
    let what = if command.is_empty() {
        "nothing follows the escape character".to_owned()
    } else {
        format!("unknown escape \"{}\"", sanitize::line(command))
    };
    Failure::new(Kind::Usage, what)
        .hint("~? lists the escapes; write ~~ to begin a line of text with ~")
}

fn unspooled(error: io::Error) -> Failure {
    Failure::new(
        Kind::CannotCreate,
        "cannot write the message to a temporary file",
    )
    .because(error)
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

/// Decodes `\t` and `\n` (POSIX, variables `sign` and `Sign`); any other `\x` stays.
fn decode(value: &str) -> String {
    value.replace("\\t", "\t").replace("\\n", "\n")
}
