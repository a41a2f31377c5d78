//! Mailboxes as reports: header summaries, all messages printed, one message, JSON lines.
//!
//! These are the results without a dialogue: `-H`, `-p`, `list` and
//! `show`. Nothing is changed and nothing is marked as read. The JSON forms are
//! described in [`json`]. Header lines are written while the mailbox is scanned, so
//! that a big one needs no more memory than its index.

use std::fmt;
use std::ops::Range;
use std::path::Path;

use crate::exit::{Failure, Kind};
use crate::mailbox::{Journals, Mailbox, MessageRef, Notice, OpenError};
use crate::sanitize;
use crate::selection::{FlagChoice, ListError};
use crate::ui::headline::{self, HeadlineFacts};
use crate::ui::{Display, Screen, page};

pub(crate) mod explain;
pub(crate) mod json;
pub(crate) mod outbox;
pub(crate) mod part;
pub(crate) mod receipt;
pub(crate) mod schema;
pub(crate) mod selected;
pub(crate) mod stored;
pub(crate) mod unreadable;

/// How much is gathered before it is written.
const CHUNK: usize = 64 * 1024;

/// The reason why a report could not be made.
#[derive(Debug)]
pub(crate) enum ReportError {
    /// The mailbox cannot be opened; the caller knows what a missing one means.
    Open(OpenError),
    /// It has no messages; the caller reports that in the words of mailx.
    NoMail,
    /// Anything else, ready to be reported.
    Failed(Failure),
}

impl fmt::Display for ReportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReportError::Open(error) => error.fmt(f),
            ReportError::NoMail => f.write_str("there is no mail"),
            ReportError::Failed(failure) => failure.fmt(f),
        }
    }
}

impl std::error::Error for ReportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ReportError::Open(error) => error.source(),
            ReportError::NoMail => None,
            ReportError::Failed(failure) => failure.source(),
        }
    }
}

impl From<OpenError> for ReportError {
    fn from(error: OpenError) -> ReportError {
        ReportError::Open(error)
    }
}

impl From<Failure> for ReportError {
    fn from(failure: Failure) -> ReportError {
        ReportError::Failed(failure)
    }
}

/// The form in which `show` shows a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShowForm {
    /// Decoded, for people.
    Text,
    /// The bytes of the message in the mailbox, without its From_ line and the empty line at its
    /// end.
    Raw,
    /// One JSON object; see [`json`].
    Json,
}

/// Writes a header line for each message (`-H`, `list`), or for those with the flags asked for
/// (`-H:u`).
///
/// Returns [`Kind::Nothing`] if there was none to write, which is an exit
/// status and no message.
///
/// # Errors
/// The mailbox cannot be opened, or the output cannot be written.
pub(crate) fn headers(
    path: &Path,
    choice: Option<FlagChoice>,
    display: &Display,
    journals: &Journals,
    mut screen: Screen<'_>,
) -> Result<Option<Kind>, ReportError> {
    let mut summary = HeaderLines::default();
    let mut number = 0;
    let mailbox = Mailbox::open(path, journals, &mut |_, message, block| {
        number += 1;
        // The scan cannot be ended from here; where the output is closed only its lines are spared.
        if !screen.is_closed() && choice.is_none_or(|choice| choice.matches(message.flags)) {
            summary.add(number, message, block, display);
            summary.write(&mut screen);
        }
    })?;
    // Notices come behind the header lines: they go to standard error, and the scan knows them only
    // at its end.
    let written = summary.finish(&mut screen);
    let incomplete = report_notices(&mailbox, &mut screen);
    screen.finish()?;
    Ok(incomplete.or((!written).then_some(Kind::Nothing)))
}

/// Header lines that are held back until the current message is known.
#[derive(Default)]
struct HeaderLines {
    text: String,
    any: bool,
    decided: bool,
    has_unread: bool,
    /// The place of the line that would be the current one, and how it looks then.
    candidate: Option<(Range<usize>, String)>,
}

impl HeaderLines {
    fn add(&mut self, number: usize, message: &MessageRef, block: &[u8], display: &Display) {
        self.any = true;
        // The first new message is the current one.
        let current = !self.decided && message.flags.is_new();
        self.decided |= current;
        let facts = HeadlineFacts {
            number,
            letter: headline::letter(message.flags, false),
            current,
            lines: message.lines.unwrap_or_default(),
            size: message.len,
            depth: 0,
        };
        let start = self.text.len();
        headline::append(&mut self.text, facts, block, display);
        // Without a new message the first unread one is current, else the first one.
        let is_better = match &self.candidate {
            None => true,
            Some(_) => !self.has_unread && !message.flags.is_read(),
        };
        if !self.decided && is_better {
            self.has_unread |= !message.flags.is_read();
            let mut line = String::new();
            let facts = HeadlineFacts {
                current: true,
                ..facts
            };
            headline::append(&mut line, facts, block, display);
            self.candidate = Some((start..self.text.len(), line));
        }
    }

    fn write(&mut self, screen: &mut Screen<'_>) {
        // Text may leave only when the current message is known, because its mark `>` stands in a
        // line before. A mailbox with new mail decides soon; one without is held as text.
        if self.decided && self.text.len() >= CHUNK {
            screen.safe(&self.text);
            self.text.clear();
        }
    }

    /// Writes the rest; returns whether there was any line.
    fn finish(mut self, screen: &mut Screen<'_>) -> bool {
        if let Some((place, line)) = self.candidate.take().filter(|_| !self.decided) {
            self.text.replace_range(place, &line);
        }
        screen.safe(&self.text);
        self.any
    }
}

/// Writes all messages, decoded (`-p`).
///
/// # Errors
/// The mailbox cannot be opened or read, there is no message, or the output cannot be written.
pub(crate) fn print_all(
    path: &Path,
    display: &Display,
    journals: &Journals,
    mut screen: Screen<'_>,
) -> Result<Option<Kind>, ReportError> {
    let mailbox = Mailbox::open_index(path, journals)?;
    let incomplete = report_notices(&mailbox, &mut screen);
    for index in 0..mailbox.messages().len() {
        let bytes = read(&mailbox, index)?;
        page::each(Some(index + 1), &bytes, false, display, &mut |text| {
            screen.safe(text);
        });
        // `-p | head` has closed the pipe: the remaining messages are not read in vain.
        if screen.is_closed() {
            break;
        }
    }
    screen.finish()?;
    or_no_mail(incomplete, mailbox.messages().is_empty())
}

/// Returns what a report means for the exit status; that nothing could be read outranks that there
/// is no mail.
fn or_no_mail(incomplete: Option<Kind>, is_empty: bool) -> Result<Option<Kind>, ReportError> {
    match incomplete {
        None if is_empty => Err(ReportError::NoMail),
        kind => Ok(kind),
    }
}

/// Writes one message; `number` counts from 1, `usize::MAX` is the last one.
///
/// Returns [`Kind::Io`] if not all of the mailbox could be read.
///
/// # Errors
/// The mailbox cannot be opened or read, there is no such message
/// ([`Kind::Nothing`]), or the output cannot be written.
pub(crate) fn show(
    path: &Path,
    number: usize,
    part: Option<&str>,
    form: ShowForm,
    display: &Display,
    journals: &Journals,
    mut screen: Screen<'_>,
) -> Result<Option<Kind>, ReportError> {
    // The last one is found without the others, unless its number is wanted too.
    let is_last = number == usize::MAX;
    let mailbox = match form {
        ShowForm::Raw | ShowForm::Text if is_last => Mailbox::open_end(path, journals)?,
        _ => Mailbox::open_index(path, journals)?,
    };
    if mailbox.messages().is_empty() {
        report_notices(&mailbox, &mut screen);
        return Err(ReportError::NoMail);
    }
    let index = index_of(&mailbox, number)?;
    let incomplete = report_notices(&mailbox, &mut screen);
    show_one(&mailbox, index, part, form, display, &mut screen)?;
    screen.finish()?;
    Ok(incomplete)
}

/// Writes one message of an open mailbox, or one part of it; `index` counts from 0.
///
/// # Errors
/// The message cannot be read, or has no such part.
fn show_one(
    mailbox: &Mailbox,
    index: usize,
    part: Option<&str>,
    form: ShowForm,
    display: &Display,
    screen: &mut Screen<'_>,
) -> Result<(), Failure> {
    let (number, message) = (index + 1, &mailbox.messages()[index]);
    if let Some(part) = part {
        let content = read(mailbox, index)?;
        let is_raw = form == ShowForm::Raw;
        return part::show(index, &content, part, display.look, is_raw, screen);
    }
    match form {
        ShowForm::Raw => {
            let bytes = mailbox.read(index).map_err(unreadable(mailbox, index))?;
            screen.raw(mailbox.form().content(message, &bytes));
        }
        ShowForm::Json => {
            let bytes = read(mailbox, index)?;
            // An index does not count lines; JSON promises the number.
            let lines = mailbox.lines(index).map_err(unreadable(mailbox, index))?;
            let mut message = *message;
            message.lines = Some(lines);
            json::message(number, &message, &bytes, &mut |text| screen.raw(text));
        }
        ShowForm::Text => {
            let bytes = read(mailbox, index)?;
            // A mailbox that was read from its end does not know how many messages stand before.
            let number = (!mailbox.is_partial()).then_some(number);
            page::each(number, &bytes, false, display, &mut |text| {
                screen.safe(text);
            });
        }
    }
    Ok(())
}

/// Returns the place of a message; `number` counts from 1, `usize::MAX` is the last one.
///
/// # Errors
/// There is no such message ([`Kind::Nothing`]).
pub(crate) fn index_of(mailbox: &Mailbox, number: usize) -> Result<usize, Failure> {
    let count = mailbox.messages().len();
    let number = if number == usize::MAX { count } else { number };
    // 0 is no number of a message either.
    let found = number.checked_sub(1).filter(|&index| index < count);
    found.ok_or_else(|| {
        let what = format!(
            "{number}: Invalid message number (there are {count} in {})",
            sanitize::path(mailbox.path())
        );
        Failure::new(Kind::Nothing, what)
    })
}

/// Returns the failure of a choice that cannot be understood, or names a message that is not there.
pub(crate) fn not_chosen(error: ListError) -> Failure {
    let kind = match error {
        // The list is well formed; the mailbox has fewer messages than it names. A script sees
        // the status of "nothing found".
        ListError::NoSuchMessage(_) => Kind::Nothing,
        _ => Kind::Usage,
    };
    Failure::new(kind, error.to_string())
}

/// Reports what opening a mailbox has noticed, a line each; returns what it means for the exit
/// status.
fn report_notices(mailbox: &Mailbox, screen: &mut Screen<'_>) -> Option<Kind> {
    for notice in mailbox.notices() {
        screen.say(&notice.to_string());
    }
    mailbox.notices().iter().find_map(Notice::kind)
}

/// Reads a message without the quoting of an mbox.
fn read(mailbox: &Mailbox, index: usize) -> Result<Vec<u8>, Failure> {
    mailbox
        .read_unquoted(index)
        .map_err(unreadable(mailbox, index))
}

/// Returns what makes a failure of what the system said of reading a message.
fn unreadable(mailbox: &Mailbox, index: usize) -> impl Fn(std::io::Error) -> Failure {
    let what = format!(
        "cannot read message {} of {}",
        index + 1,
        sanitize::path(mailbox.path())
    );
    move |error| Failure::new(Kind::Io, what.clone()).because(error)
}

#[cfg(test)]
mod tests;
