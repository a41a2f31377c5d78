//! The text of a message that is written in the reader: typed at a terminal with its escapes, or the
//! lines behind the command in a script.

use std::ffi::OsString;
use std::io::{self, Write};

use super::command_line;
use super::complaint::Complaint;
use super::input::CommandSource;
use super::reader::Reader;
use crate::compose::Request;
use crate::compose::answer::Heading;
use crate::compose::escapes::{Event, Extent, Messages, TypedLines, Typing};
use crate::compose::input::{self, Input};
use crate::compose::spooling::unspooled;
use crate::config::Settings;
use crate::config::commands::find_at_prompt;
use crate::diagnostics::Diagnostics;
use crate::exit::{Failure, Kind};
use crate::flow;
use crate::flow::answering;
use crate::message::parse::display;
use crate::sanitize;
use crate::sys::spool::Spool;

/// A text that was read.
pub(super) struct Text {
    pub(super) input: Input,
    /// Why the message is not to be sent: an escape of a script has failed.
    pub(super) refusal: Option<Failure>,
}

/// How much of a list is shown before a text is typed, in bytes.
const MAX_SHOWN: usize = 2000;

impl Reader<'_, '_> {
    /// Reads the text of a message between a text that is there already and one that stands behind it.
    ///
    /// A person types it, with prompts and escapes. In a script it is the lines behind the command, to
    /// the end of the input; with `-~` they may hold escapes, and `~.` ends them.
    pub(super) fn read_text(
        &mut self,
        request: &mut Request,
        before: Spool,
        mut behind: Option<Spool>,
        source: &mut CommandSource<'_>,
    ) -> Text {
        let is_typed = source.is_typed() || self.around.stdin_is_terminal;
        if !is_typed && !self.around.escapes {
            let typed = input::joined(Input::of(before), lines_of(source));
            return Text {
                input: with_behind(typed, behind),
                refusal: None,
            };
        }
        let own;
        let signals = match self.around.signals {
            Some(signals) => signals,
            None => match flow::watch_signals(false) {
                Ok(signals) => {
                    own = signals;
                    &own
                }
                Err(failure) => {
                    return Text {
                        input: Input {
                            failure: Some(failure),
                            ..Input::of(before)
                        },
                        refusal: None,
                    };
                }
            },
        };
        if is_typed {
            self.show_recipients(request);
        }
        self.screen.flush();
        let diagnostics = Diagnostics::new(&self.around.program);
        let environment = self.around.environment.clone();
        // An escape changes the settings and asks for messages of the mailbox at the same time: the
        // reader has the old settings meanwhile.
        let mut settings = self.settings.clone();
        let mut failed = None;
        let session = Typing {
            request,
            settings: &mut settings,
            environment: &environment,
            signals,
            lines: source,
            out: &mut io::stdout(),
            tell: &mut |failure: &Failure| {
                diagnostics.print_failure(failure);
                failed.get_or_insert(failure.kind);
            },
            behind: &mut behind,
            messages: Some(&mut OpenMessages { reader: self }),
            terminal: is_typed,
        };
        let input = input::read_typed(session, Input::of(before));
        self.settings = settings;
        // A person has seen what an escape said; a script's mail does not leave without its part.
        let refusal = failed
            .filter(|_| !is_typed)
            .map(|kind| Failure::new(kind, "an escape failed, so the message is not sent"));
        Text {
            input: with_behind(input, behind),
            refusal,
        }
    }

    /// Returns the complaint of a command whose text is of no use. In a script its lines are skipped.
    pub(super) fn without_text(
        &mut self,
        complaint: Complaint,
        source: &mut CommandSource<'_>,
    ) -> Complaint {
        if !self.skip_text(source) {
            return complaint;
        }
        Complaint {
            line: format!(
                "{}; the lines after it are skipped: they are its text",
                complaint.line
            ),
            // A text that nobody gets is a failure, also where the list of messages was empty.
            kind: complaint.kind.or(Some(Kind::Nothing)),
        }
    }

    /// Skips the text behind a command of a script; returns whether there is one.
    pub(super) fn skip_text(&mut self, source: &mut CommandSource<'_>) -> bool {
        if source.is_typed() || self.around.stdin_is_terminal {
            return false;
        }
        let escape = self.settings.get("escape").unwrap_or("~");
        let end = escape.chars().next().map(|escape| format!("{escape}."));
        let end = end.filter(|_| self.around.escapes);
        while let Event::Line(line) = source.next() {
            let is_end = |end: &String| line.trim_ascii_end() == end.as_bytes();
            if end.as_ref().is_some_and(is_end) {
                break;
            }
        }
        true
    }

    /// Shows a person who will get the message, before its text is typed.
    fn show_recipients(&mut self, request: &Request) {
        let lossy = |entry: &OsString| entry.to_string_lossy().into_owned();
        let lines = [
            ("To", shown_list(request.to.iter().map(lossy))),
            ("Cc", shown_list(request.cc.iter().map(lossy))),
            ("Subject", shown_list(request.subject.iter().map(lossy))),
            (
                "Attached",
                shown_list(request.carried.iter().map(|part| part.name.clone())),
            ),
        ];
        let mut text = String::new();
        for (name, line) in lines.iter().filter(|(_, line)| !line.is_empty()) {
            text.push_str(&format!("{name}: {}\n", sanitize::line(line.as_bytes())));
        }
        self.screen.text(&text);
    }
}

/// Returns a text with what stands behind it.
fn with_behind(text: Input, behind: Option<Spool>) -> Input {
    match behind {
        Some(behind) => input::followed_by(text, &behind),
        None => text,
    }
}

/// Returns the entries of a list in one line, the first ones of a long list.
fn shown_list(entries: impl Iterator<Item = String>) -> String {
    let mut line = String::new();
    for entry in entries {
        if line.len() > MAX_SHOWN {
            line.push_str(", …");
            break;
        }
        if !line.is_empty() {
            line.push_str(", ");
        }
        line.push_str(&entry);
    }
    line
}

/// Reads all lines that are left, as they are.
fn lines_of(source: &mut CommandSource<'_>) -> Input {
    let mut input = Input::default();
    loop {
        match source.next() {
            Event::Line(line) => {
                if let Err(error) = input.body.write_all(&line) {
                    input.failure = Some(unspooled(error));
                    return input;
                }
            }
            Event::End => return input,
            Event::Interrupt => {}
            Event::Stop(failure) => {
                input.failure = Some(failure);
                return input;
            }
        }
    }
}

/// The open mailbox, for the escapes that insert messages or carry out commands.
struct OpenMessages<'r, 'a, 's> {
    reader: &'r mut Reader<'a, 's>,
}

impl Messages for OpenMessages<'_, '_, '_> {
    fn text(&mut self, list: &str, extent: Extent) -> Result<Spool, Failure> {
        let reader = &mut *self.reader;
        let messages = reader.messages(list).map_err(|complaint| {
            Failure::new(complaint.kind.unwrap_or(Kind::Nothing), complaint.line)
        })?;
        let contents = messages.iter().map(|&message| reader.content(message));
        let contents = contents.collect::<Result<Vec<_>, Failure>>()?;
        let shown = reader.display();
        // The text of a mail is not broken as a terminal needs it.
        let look = display::Look {
            breaks: false,
            ..shown.look
        };
        let (retain, ignore) = (&shown.retain, &shown.ignore);
        let choice = match extent {
            Extent::Quoted => {
                let heading = answering::heading(&reader.settings);
                let heading = heading.unwrap_or(Heading::Attribution);
                return answering::quoted(&contents, heading, &reader.settings);
            }
            Extent::Whole => Some(display::FieldChoice::All),
            Extent::Shown => Some(display::FieldChoice::Lists { retain, ignore }),
            Extent::Body => None,
        };
        answering::spooled(|emit| {
            // The text goes into an editor and to the terminal.
            let mut emit = |piece: &str| emit(&sanitize::text(piece.as_bytes()));
            for content in &contents {
                match choice {
                    Some(choice) => display::each_of_message(content, choice, look, &mut emit),
                    None => display::each_of_text(content, look, &mut emit),
                }
            }
        })
    }

    fn command(&mut self, line: &str, settings: &mut Settings) -> Result<bool, Failure> {
        let Some(found) = find_at_prompt(command_line::split(line).0) else {
            return Ok(false);
        };
        // The mailbox stays open, and the text that is being written stays the only one.
        let leaves = ["quit", "exit", "xit", "file", "folder", "File", "Folder"];
        if found.reads_text() || leaves.contains(&found.name) {
            let what = format!("{}: not possible while a message is composed", found.name);
            return Err(Failure::new(Kind::Usage, what));
        }
        let reader = &mut *self.reader;
        reader.settings = std::mem::take(settings);
        let before = reader.failure.take();
        reader.execute(line, &mut CommandSource::empty());
        *settings = reader.settings.clone();
        reader.screen.flush();
        match std::mem::replace(&mut reader.failure, before) {
            Some(kind) => {
                let line = sanitize::line(line.as_bytes());
                Err(Failure::new(kind, format!("\"{line}\" failed")))
            }
            None => Ok(true),
        }
    }
}
