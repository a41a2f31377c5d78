//! Input: the text of a message from standard input, read whole before anything else happens.
//!
//! A piped body is data: no tilde escape, no line that ends it (rule R10, design decision D11).

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;

use signal_hook::consts::SIGINT;

use crate::compose::attachment;
use crate::compose::escapes::{self, Ending, Event, Lines, Session};
use crate::exit::{Failure, Kind};
use crate::message::MessageSource;
use crate::sanitize;
use crate::sys::open::{self, Use};
use crate::sys::signals::{Signals, Woken};
use crate::sys::spool::Spool;

/// How much is read at a time.
const BLOCK: usize = 16 * 1024;

/// How much is read at first: most texts are short, and every page that is touched for the first
/// time costs the kernel a fault.
const FIRST_BLOCK: usize = 2 * 1024;

/// What reading the body came to; the text read so far is always there.
#[derive(Debug, Default)]
pub struct Input {
    /// The bytes read.
    pub body: Spool,
    /// Why the end was not reached.
    pub failure: Option<Failure>,
    /// The text was given up and is not to be kept.
    pub forget: bool,
}

/// Reads standard input to its end, or to a signal; with `dot` also to a line of one dot.
pub fn read_piped(signals: &Signals, dot: bool) -> Input {
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
                let count = found.unwrap_or(count);
                if let Err(error) = input.body.write_all(&block[..count]) {
                    input.failure = Some(unspooled(error));
                    return input;
                }
                if count == FIRST_BLOCK {
                    block.resize(BLOCK, 0);
                }
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

/// Standard input as a reader that a signal ends.
#[derive(Debug)]
pub struct Interruptible<'a> {
    signals: &'a Signals,
    stdin: io::Stdin,
}

impl<'a> Interruptible<'a> {
    /// Returns standard input, watched.
    pub fn new(signals: &'a Signals) -> Interruptible<'a> {
        let stdin = io::stdin();
        Interruptible { signals, stdin }
    }
}

impl Read for Interruptible<'_> {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.signals.wait(Some(self.stdin.as_fd()), None)? {
                Woken::Ready => return Ok(nix::unistd::read(&self.stdin, block)?),
                Woken::Signal(signal) => {
                    return Err(io::Error::other(format!("interrupted by signal {signal}")));
                }
                Woken::Rung | Woken::TimedOut => {}
            }
        }
    }
}

/// Finds the line of one dot that ends a message for sendmail without `-i`.
#[derive(Clone, Copy, Debug, Default)]
struct DotLine {
    /// The bytes of the current line so far: none, a dot, a dot and a CR, or anything else.
    line: Line,
    /// How many bytes of the dot line went out before its end was seen.
    held: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Line {
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
                (Line::Dot, b'\n') => {
                    self.held = 1;
                    return Some(index);
                }
                (Line::DotReturn, b'\n') => {
                    self.held = 2;
                    return Some(index);
                }
                (_, b'\n') => Line::Start,
                (Line::Start, b'.') => Line::Dot,
                (Line::Dot, b'\r') => Line::DotReturn,
                _ => Line::Text,
            };
        }
        None
    }
}

/// Reads lines and their escapes from standard input, behind a text that is there already.
pub fn read_typed(session: Session<'_>, before: Input) -> Input {
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

/// Lines of standard input, from a terminal or a pipe.
#[derive(Debug)]
pub struct StandardLines<'a> {
    signals: &'a Signals,
    /// What was read behind the last line.
    pending: Vec<u8>,
}

impl StandardLines<'_> {
    /// Returns the lines of standard input.
    pub fn new(signals: &Signals) -> StandardLines<'_> {
        StandardLines {
            signals,
            pending: Vec::new(),
        }
    }

    /// Reads once; returns what ends the waiting for a line.
    fn fill(&mut self) -> Option<Event> {
        let stdin = io::stdin();
        match self.signals.wait(Some(stdin.as_fd()), None) {
            Ok(Woken::Signal(signal)) if i32::from(signal) == SIGINT => {
                self.signals.forget_interrupt();
                // The terminal has forgotten what was typed of this line; so do we.
                self.pending.clear();
                return Some(Event::Interrupt);
            }
            Ok(Woken::Signal(signal)) => return Some(Event::Stop(interrupted(signal))),
            Ok(Woken::Ready) => {}
            Ok(Woken::Rung | Woken::TimedOut) => return None,
            Err(error) => return Some(Event::Stop(unreadable(error))),
        }
        let mut block = vec![0; 64 * 1024];
        // Read past std's buffer: what is there must not hide what is not.
        match nix::unistd::read(&stdin, &mut block) {
            Ok(0) if self.pending.is_empty() => Some(Event::End),
            Ok(0) => Some(Event::Line(std::mem::take(&mut self.pending))),
            Ok(count) => {
                self.pending.extend_from_slice(&block[..count]);
                None
            }
            Err(nix::errno::Errno::EINTR | nix::errno::Errno::EAGAIN) => None,
            Err(error) => Some(Event::Stop(unreadable(error.into()))),
        }
    }
}

impl Lines for StandardLines<'_> {
    fn next(&mut self) -> Event {
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.pending) {
                let rest = self.pending.split_off(end + 1);
                return Event::Line(std::mem::replace(&mut self.pending, rest));
            }
            if let Some(event) = self.fill() {
                return event;
            }
        }
    }
}

/// Reads the text from a file.
pub fn read_file(path: &OsStr, signals: &Signals) -> Input {
    let mut input = Input::default();
    let opened = attachment::source_of(path.as_ref(), Use::Text, signals);
    match opened.and_then(|source| Ok(Spool::read_from(&mut *source.reader()?)?)) {
        Ok(body) => input.body = body,
        Err(error) => {
            let what = format!("cannot read {}", sanitize::line(path.as_bytes()));
            let kind = error.kind(Kind::NoInput);
            input.failure = Some(Failure::new(kind, what).because(error));
        }
    }
    input
}

/// Puts a file in front of what was read (`-q`); `-` is nothing more than standard input itself.
pub fn behind_file(path: &OsStr, input: Input, signals: &Signals) -> Input {
    if path == "-" {
        return input;
    }
    let mut quoted = read_file(path, signals);
    let copied = io::copy(&mut input.body.reader(), &mut quoted.body);
    if let Err(error) = copied {
        quoted.failure = Some(unspooled(error));
    }
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
    Failure::new(kind, "cannot spool the message").because(error)
}
