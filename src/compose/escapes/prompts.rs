//! What a person is asked for while a message is typed: before its text, behind it, and by `~h`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use super::{Ending, Event, Typist, cancelled, header, joined};
use crate::compose::Request;
use crate::exit::{Failure, Kind};
use crate::sys::tools::TextEditor;

/// What `~h` asks for.
const PEOPLE: [&str; 4] = ["To", "Subject", "Cc", "Bcc"];

/// What `~H` asks for.
const SENDERS: [&str; 3] = ["From", "Reply-To", "Sender"];

/// The answer that takes a value away.
const NOTHING: &[u8] = b"-";

impl Typist<'_> {
    /// Asks for what is missing before the text. Only a person is asked, and a template brings its
    /// own header fields.
    pub(super) fn ask_before_text(&mut self) -> Result<(), Ending> {
        if self.is_person() && !has_recipient(self.session.request) {
            let to = self.ask("To: ")?;
            self.session.request.to.extend(to);
        }
        // The subject comes before the text, Cc and Bcc behind it, as in bsd-mailx: people and
        // scripts for expect(1) type in that order.
        if self.asks("asksub") && self.session.request.subject.is_none() {
            let subject = self.ask("Subject: ")?;
            self.session.request.subject = subject;
        }
        if !self.session.settings.is_set("askatend") {
            self.ask_for_copies()?;
        }
        Ok(())
    }

    /// Starts an editor before the first line, as `editalong` wants.
    pub(super) fn edit_along(&mut self) {
        let Some(which) = self.session.settings.get("editalong") else {
            return;
        };
        if !self.is_person() {
            return;
        }
        let editor = if which.starts_with(['v', 'V']) {
            TextEditor::Screen
        } else {
            TextEditor::Line
        };
        if let Err(failure) = self.edit(editor) {
            (self.session.tell)(&failure);
        }
    }

    /// Asks for what is missing behind the text; returns whether the message is complete, and not
    /// to be typed on.
    pub(super) fn ask_behind_text(&mut self) -> Result<bool, Ending> {
        if self.session.settings.is_set("askatend") {
            self.ask_for_copies()?;
        }
        if self.asks("askattach") {
            while let Some(names) = self.ask("Attach: ")? {
                if let Err(failure) = self.attach(names.as_bytes()) {
                    (self.session.tell)(&failure);
                }
            }
        }
        if self.asks("asksend") {
            return self.ask_whether_to_send();
        }
        Ok(true)
    }

    fn ask_for_copies(&mut self) -> Result<(), Ending> {
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

    fn ask_whether_to_send(&mut self) -> Result<bool, Ending> {
        loop {
            let answer = self.answer("Send this message [yes/no, empty: go on typing]? ")?;
            // Without an answer nothing leaves.
            let Some(answer) = answer else {
                return Err(cancelled(true));
            };
            match answer.to_ascii_lowercase().as_slice() {
                b"y" | b"yes" => return Ok(true),
                b"n" | b"no" => return Err(cancelled(true)),
                b"" => {
                    self.show(b"(continue)\n");
                    return Ok(false);
                }
                _ => {}
            }
        }
    }

    /// `~h`: asks for the recipients and the subject.
    pub(super) fn ask_for_all(&mut self) -> Result<(), Ending> {
        self.ask_for_fields("~h", &PEOPLE)
    }

    /// `~H`: asks for the fields of the sender.
    pub(super) fn ask_for_senders(&mut self) -> Result<(), Ending> {
        self.ask_for_fields("~H", &SENDERS)
    }

    /// Shows each value and asks for a new one; an empty answer keeps it, and `-` takes it away.
    fn ask_for_fields(&mut self, escape: &str, names: &[&str]) -> Result<(), Ending> {
        if !self.session.terminal {
            let failure = Failure::new(Kind::Usage, format!("{escape} needs a terminal"));
            (self.session.tell)(&failure);
            return Ok(());
        }
        for name in names {
            let prompt = match value_of(self.session.request, name).as_str() {
                "" => format!("{name}: "),
                now => format!("{name} ({now}): "),
            };
            if let Some(answer) = self.ask(&prompt)? {
                let value = (answer.as_bytes() != NOTHING).then_some(answer);
                set_value(self.session.request, name, value);
            }
        }
        Ok(())
    }

    fn asks(&self, variable: &str) -> bool {
        self.is_person() && self.session.settings.is_set(variable)
    }

    /// Returns whether a person types a message that has no header yet.
    fn is_person(&self) -> bool {
        self.session.terminal && !self.session.request.template
    }

    /// Asks for one line; none where it is empty.
    fn ask(&mut self, prompt: &str) -> Result<Option<OsString>, Ending> {
        let answer = self.answer(prompt)?;
        let answer = answer.filter(|answer| !answer.is_empty());
        Ok(answer.map(OsString::from_vec))
    }

    /// Asks for one line, and takes the blanks around it away; none at the end of the input.
    fn answer(&mut self, prompt: &str) -> Result<Option<Vec<u8>>, Ending> {
        loop {
            if !self.session.lines.takes_prompt(prompt) {
                self.show(prompt.as_bytes());
            }
            match self.session.lines.next() {
                Event::Line(line) => {
                    self.interrupted = false;
                    return Ok(Some(line.trim_ascii().to_vec()));
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
}

/// Returns whether a message has somebody to go to; a header field of the command line may name them.
fn has_recipient(request: &Request) -> bool {
    let lists = [&request.to, &request.cc, &request.bcc];
    let fields = ["To", "Cc", "Bcc"];
    lists.iter().any(|list| !list.is_empty())
        || fields
            .iter()
            .any(|name| header::get(request, name).is_some())
}

/// Returns the value of a field that `~h` or `~H` asks for, safe to show.
fn value_of(request: &Request, name: &str) -> String {
    match name {
        "To" => joined(&request.to),
        "Cc" => joined(&request.cc),
        "Bcc" => joined(&request.bcc),
        "Subject" => joined(request.subject.as_slice()),
        "From" => joined(request.from.as_slice()),
        name => {
            let value = header::get(request, name).map(OsStr::from_bytes);
            joined(value.map(OsStr::to_owned).as_slice())
        }
    }
}

fn set_value(request: &mut Request, name: &str, value: Option<OsString>) {
    match name {
        "To" => request.to = value.into_iter().collect(),
        "Cc" => request.cc = value.into_iter().collect(),
        "Bcc" => request.bcc = value.into_iter().collect(),
        "Subject" => request.subject = value,
        "From" => request.from = value,
        name => header::set(request, name, value.as_deref().map(OsStr::as_bytes)),
    }
}
