//! Input: the text of a message from standard input, read whole before anything else happens.
//!
//! A piped body is data: no tilde escape, no line that ends it (rule R10, design decision D11).

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;

use crate::exit::{Failure, Kind};
use crate::sanitize;
use crate::sys::signals::{Signals, Woken};
use crate::sys::spool::Spool;

/// What reading the body came to; the text read so far is always there.
#[derive(Debug)]
pub struct Input {
    /// The bytes read.
    pub body: Spool,
    /// Why the end was not reached.
    pub failure: Option<Failure>,
}

/// Reads standard input to its end, or to a signal; with `dot` also to a line of one dot.
pub fn read_piped(signals: &Signals, dot: bool) -> Input {
    let mut end = dot.then(DotLine::default);
    let stdin = io::stdin();
    let mut input = Input {
        body: Spool::new(),
        failure: None,
    };
    let mut block = vec![0; 16 * 1024];
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
                    let failure = Failure::new(Kind::CannotCreate, "cannot spool the message");
                    input.failure = Some(failure.because(error));
                    return input;
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

/// Reads lines from a terminal until its end-of-file, or with `dot` until a line of one dot.
pub fn read_typed(signals: &Signals, dot: bool) -> Input {
    let mut input = Input {
        body: Spool::new(),
        failure: None,
    };
    let stdin = io::stdin();
    let mut lines = stdin.lock();
    loop {
        match signals.wait(Some(stdin.as_fd()), None) {
            Ok(Woken::Signal(signal)) => {
                input.failure = Some(interrupted(signal));
                return input;
            }
            Ok(Woken::Ready) => {}
            Ok(_) => continue,
            Err(error) => {
                input.failure = Some(unreadable(error));
                return input;
            }
        }
        // A terminal gives at most one line a read, so std's buffer is empty when we wait.
        let mut line = Vec::new();
        match lines.by_ref().take(1 << 20).read_until(b'\n', &mut line) {
            Ok(0) => return input,
            Ok(_) if dot && line == b".\n" => return input,
            Ok(_) => {
                if let Err(error) = input.body.write_all(&line) {
                    let failure = Failure::new(Kind::CannotCreate, "cannot spool the message");
                    input.failure = Some(failure.because(error));
                    return input;
                }
            }
            Err(error) => {
                input.failure = Some(unreadable(error));
                return input;
            }
        }
    }
}

/// Reads the text from a file.
pub fn read_file(path: &OsStr) -> Input {
    let mut input = Input {
        body: Spool::new(),
        failure: None,
    };
    match File::open(path).and_then(|mut file| Spool::read_from(&mut file)) {
        Ok(body) => input.body = body,
        Err(error) => {
            let what = format!("cannot read {}", sanitize::line(path.as_bytes()));
            input.failure = Some(Failure::new(Kind::NoInput, what).because(error));
        }
    }
    input
}

/// Puts a file in front of what was read (`-q`); `-` is nothing more than standard input itself.
pub fn behind_file(path: &OsStr, input: Input) -> Input {
    if path == "-" {
        return input;
    }
    let mut quoted = read_file(path);
    let copied = io::copy(&mut input.body.reader(), &mut quoted.body);
    if let Err(error) = copied {
        let failure = Failure::new(Kind::CannotCreate, "cannot spool the message");
        quoted.failure = Some(failure.because(error));
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
    Failure::new(Kind::NoInput, "cannot read standard input").because(error)
}
