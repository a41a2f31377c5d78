//! Input: the text of a message from standard input, read whole before anything else happens.
//!
//! A piped body is data: no tilde escape, no line that ends it.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::compose::attachment;
use crate::compose::escapes::{self, Ending, Event, TypedLines, Typing};
use crate::compose::unicode;
use crate::exit::{Failure, Kind};
use crate::message::MessageSource;
use crate::sanitize;
use crate::sys::open::below::Below;
use crate::sys::open::{self, Opened, Unread, Use};
use crate::sys::platform::NO_FILES;
use crate::sys::signals::{Signals, Woken};
use crate::sys::spool::Spool;
use crate::sys::stdin::{StandardLine, StandardLines};

/// How much is read at a time.
const BLOCK: usize = 16 * 1024;

/// How much is read at first: most texts are short, and every page that is touched for the first
/// time costs the kernel a fault.
const FIRST_BLOCK: usize = 2 * 1024;

/// The result of reading the body; it always has the text read so far.
#[derive(Debug, Default)]
pub struct Input {
    /// The bytes read.
    pub body: Spool,
    /// Why the end was not reached.
    pub failure: Option<Failure>,
    /// The message was cancelled, and its text is not kept.
    pub forget: bool,
}

impl Input {
    /// Returns a text that was read to its end.
    pub fn of(body: Spool) -> Input {
        Input {
            body,
            ..Input::default()
        }
    }

    /// Takes what a function makes of the text.
    fn take(&mut self, change: impl FnOnce(Spool) -> io::Result<Spool>) {
        match change(std::mem::take(&mut self.body)) {
            Ok(body) => self.body = body,
            Err(error) => self.failure = Some(unspooled(error)),
        }
    }
}

/// Reads standard input to its end, or to a signal; with `dot` also to a line of one dot.
pub fn read_piped(signals: &Signals, dot: bool) -> Input {
    let mut input = read_bytes(signals, dot);
    // A text that is cut off is kept as it came.
    if input.failure.is_none() {
        input.take(unicode::as_utf_8);
    }
    input
}

fn read_bytes(signals: &Signals, dot: bool) -> Input {
    let mut end = dot.then(DotLine::default);
    let stdin = io::stdin();
    let mut input = Input::default();
    let mut block = vec![0; FIRST_BLOCK];
    loop {
        // SA_RESTART would start an interrupted read again: so wait for both, then read.
        match signals.wait(Some(stdin.as_fd()), None) {
            Ok(Woken::Signal(signal)) => {
                input.failure = Some(interrupted(signal));
                return input;
            }
            Ok(Woken::Ready) => {}
            Ok(Woken::Rung | Woken::TimedOut) => continue,
            Err(error) => {
                input.failure = Some(unreadable(error));
                return input;
            }
        }
        // Read past std's buffer: what is there must not hide what is not.
        match nix::unistd::read(&stdin, &mut block) {
            Ok(0) => return input,
            Ok(count) => {
                let found = end.as_mut().and_then(|end| end.find(&block[..count]));
                // Everything behind the dot line is not ours to read; what was read of it is dropped.
                let count = found.unwrap_or(count);
                if let Err(error) = input.body.write_all(&block[..count]) {
                    input.failure = Some(unspooled(error));
                    return input;
                }
                if count == FIRST_BLOCK {
                    block.resize(BLOCK, 0);
                }
                // The dot was appended with the text, from this block or the one before: it goes again.
                if found.is_some() {
                    input
                        .body
                        .truncate(input.body.len() - end.map_or(0, |end| end.held));
                    return input;
                }
            }
            Err(nix::errno::Errno::EINTR | nix::errno::Errno::EAGAIN) => {}
            Err(error) => {
                input.failure = Some(unreadable(error.into()));
                return input;
            }
        }
    }
}

/// Finds the line of one dot that ends a message for sendmail without `-i`.
#[derive(Clone, Copy, Debug, Default)]
struct DotLine {
    /// The bytes of the current line so far: none, a dot, a dot and a CR, or anything else.
    line: DotState,
    /// How many bytes of the dot line went out before its end was seen.
    held: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum DotState {
    #[default]
    Start,
    Dot,
    DotReturn,
    Text,
}

impl DotLine {
    /// Returns how many bytes of this block come before the end of the dot line, if it is here.
    fn find(&mut self, block: &[u8]) -> Option<usize> {
        for (index, byte) in block.iter().enumerate() {
            self.line = match (self.line, byte) {
                (DotState::Dot, b'\n') => {
                    self.held = 1;
                    return Some(index);
                }
                (DotState::DotReturn, b'\n') => {
                    self.held = 2;
                    return Some(index);
                }
                (_, b'\n') => DotState::Start,
                (DotState::Start, b'.') => DotState::Dot,
                // A text from Windows ends its lines by CR LF, and so its last one.
                (DotState::Dot, b'\r') => DotState::DotReturn,
                _ => DotState::Text,
            };
        }
        None
    }
}

/// Reads lines and their escapes from standard input, and appends them to an existing text.
pub fn read_typed(session: Typing<'_>, before: Input) -> Input {
    if before.failure.is_some() {
        return before;
    }
    let (body, ending) = escapes::compose(session, before.body);
    let (failure, forget) = match ending {
        Ending::Complete => (None, false),
        Ending::Broken(failure) => (Some(failure), false),
        Ending::GivenUp(failure) => (Some(failure), true),
    };
    Input {
        body,
        failure,
        forget,
    }
}

impl TypedLines for StandardLines<'_> {
    fn next(&mut self) -> Event {
        match self.next_line() {
            StandardLine::Line(line) => Event::Line(line),
            StandardLine::End => Event::End,
            StandardLine::Interrupt => Event::Interrupt,
            StandardLine::Signal(signal) => Event::Stop(interrupted(signal)),
            StandardLine::Failed(error) => Event::Stop(unreadable(error)),
        }
    }
}

/// Reads the text from a file.
pub fn read_file(path: &OsStr, signals: &Signals) -> Input {
    text_of(path, open::read::open(path.as_ref(), Use::Text), signals)
}

/// Reads HTML from a file; returns the directory too, if the file is a regular one of a directory.
pub(super) fn read_page(path: &OsStr, signals: &Signals) -> (Input, Option<Below>) {
    let place: &Path = path.as_ref();
    let (below, opened) = match Below::with_file(place, Use::Text) {
        Ok((below, opened)) => (Some(below), Ok(opened)),
        Err(error) => (None, Err(error)),
    };
    // What a program writes has no directory that its relative names could belong to.
    let is_regular = matches!(opened, Ok(Opened::Regular(..)));
    let is_descriptor = NO_FILES.iter().any(|other| place.starts_with(other));
    let below = below.filter(|_| is_regular && !is_descriptor);
    (text_of(path, opened, signals), below)
}

/// Reads what was opened as a text.
fn text_of(path: &OsStr, opened: Result<Opened, Unread>, signals: &Signals) -> Input {
    let mut input = Input::default();
    let source =
        opened.and_then(|opened| attachment::source_of_opened(opened, path.as_ref(), signals));
    match source.and_then(|source| Ok(Spool::read_from(&mut *source.reader()?)?)) {
        Ok(body) => {
            input.body = body;
            input.take(unicode::as_utf_8);
        }
        Err(error) => {
            let what = format!("cannot read {}", sanitize::line(path.as_bytes()));
            let kind = error.kind(Kind::NoInput);
            input.failure = Some(Failure::new(kind, what).because(error));
        }
    }
    input
}

/// Returns one text behind another; what the second one lacks counts for both.
pub fn joined(mut first: Input, second: Input) -> Input {
    if first.body.is_empty() {
        return Input {
            failure: first.failure.or(second.failure),
            forget: first.forget || second.forget,
            body: second.body,
        };
    }
    let copied = io::copy(&mut second.body.reader(), &mut first.body).map(drop);
    let failure = first.failure.or(second.failure);
    Input {
        failure: failure.or(copied.err().map(unspooled)),
        forget: first.forget || second.forget,
        body: first.body,
    }
}

/// Returns a text with another one below it, and an empty line between them.
pub fn followed_by(mut text: Input, other: &Spool) -> Input {
    if let Err(error) = add_below(&mut text.body, other) {
        text.failure = text.failure.or(Some(unspooled(error)));
    }
    text
}

/// Adds a text below another one, with an empty line between them.
///
/// # Errors
/// Fails when the text cannot be spooled.
pub fn add_below(text: &mut Spool, other: &Spool) -> io::Result<()> {
    if !text.is_empty() {
        text.write_all(b"\n")?;
    }
    io::copy(&mut other.reader(), text).map(drop)
}

/// Puts a file before the text (`-q`); `-` means standard input and adds nothing.
pub fn behind_file(path: &OsStr, input: Input, signals: &Signals) -> Input {
    if path == "-" {
        return input;
    }
    let mut quoted = read_file(path, signals);
    let copied = io::copy(&mut input.body.reader(), &mut quoted.body);
    if let Err(error) = copied {
        quoted.failure = Some(unspooled(error));
    }
    // What standard input has lost cannot be had again, but the file can be read once more: so
    // that failure is the one to report.
    quoted.failure = input.failure.or(quoted.failure);
    quoted
}

fn interrupted(signal: u8) -> Failure {
    Failure::new(
        Kind::Signal(signal),
        format!("interrupted by signal {signal} before the message was complete"),
    )
}

fn unreadable(error: io::Error) -> Failure {
    let kind = open::kind_of(&error, Kind::NoInput);
    Failure::new(kind, "cannot read standard input").because(error)
}

/// A place for the text that cannot be had is 73; where the system failed otherwise, 75.
fn unspooled(error: io::Error) -> Failure {
    let kind = open::kind_of(&error, Kind::CannotCreate);
    Failure::new(kind, "cannot write the message to a temporary file").because(error)
}
