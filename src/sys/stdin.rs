//! Standard input that a signal can end, as a reader and line by line.
//!
//! Both read past the buffer of the standard library. The system does not report bytes in that
//! buffer as readable, so a wait would not end although they are there.

use std::io::{self, IsTerminal, Read};
use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use signal_hook::consts::{SIGHUP, SIGINT};

use super::signals::{Signals, Woken};

/// The signal of a terminal that is gone.
pub(crate) const HANGUP: u8 = SIGHUP as u8;

/// How much of standard input is read at a time for its lines.
const BLOCK: usize = 64 * 1024;

/// Standard input as a reader that a signal ends.
#[derive(Debug)]
pub(crate) struct Interruptible<'a> {
    signals: &'a Signals,
    stdin: io::Stdin,
}

impl<'a> Interruptible<'a> {
    /// Returns standard input, watched.
    pub(crate) fn new(signals: &'a Signals) -> Interruptible<'a> {
        let stdin = io::stdin();
        Interruptible { signals, stdin }
    }
}

impl Read for Interruptible<'_> {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        loop {
            // read(2) alone would be started again behind a handler (SA_RESTART), so a signal could
            // not end it.
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

/// The answer when a line of standard input is asked for.
#[derive(Debug)]
pub(crate) enum StandardLine {
    /// A line, with its line end unless it is the last one.
    Line(Vec<u8>),
    /// The end of the input; a terminal may deliver more afterwards.
    End,
    /// The interrupt key; the line typed so far is discarded.
    Interrupt,
    /// Another signal that asks us to stop.
    Signal(u8),
    /// Standard input cannot be read.
    Failed(io::Error),
}

/// Lines of standard input, from a terminal or a pipe.
#[derive(Debug)]
pub(crate) struct StandardLines<'a> {
    signals: &'a Signals,
    /// Whether standard input was a terminal at the start; one that is gone is none any more.
    is_terminal: bool,
    /// The bytes that were read; the first `done` of them belong to lines that were returned.
    pending: Vec<u8>,
    done: usize,
    /// How many of them have no line end behind `done`.
    searched: usize,
}

impl StandardLines<'_> {
    /// Returns the lines of standard input.
    pub(crate) fn new(signals: &Signals) -> StandardLines<'_> {
        StandardLines {
            signals,
            is_terminal: io::stdin().is_terminal(),
            pending: Vec::new(),
            done: 0,
            searched: 0,
        }
    }

    /// Waits for the next line.
    pub(crate) fn next_line(&mut self) -> StandardLine {
        loop {
            // Neither the lines of a block nor the blocks of a long line are looked through twice.
            if let Some(end) = memchr::memchr(b'\n', &self.pending[self.searched..]) {
                let end = self.searched + end + 1;
                let line = self.pending[self.done..end].to_vec();
                (self.done, self.searched) = (end, end);
                return StandardLine::Line(line);
            }
            self.pending.drain(..self.done);
            (self.done, self.searched) = (0, self.pending.len());
            if let Some(line) = self.fill() {
                return line;
            }
        }
    }

    /// Drops what was typed of a line.
    fn forget(&mut self) {
        self.pending.clear();
        (self.done, self.searched) = (0, 0);
    }

    /// Reads once; returns what ends the waiting for a line.
    fn fill(&mut self) -> Option<StandardLine> {
        let stdin = io::stdin();
        match self.signals.wait(Some(stdin.as_fd()), None) {
            Ok(Woken::Signal(signal)) if i32::from(signal) == SIGINT => {
                self.signals.forget_interrupt();
                // The terminal has dropped what was typed of this line.
                self.forget();
                return Some(StandardLine::Interrupt);
            }
            Ok(Woken::Signal(signal)) => return Some(StandardLine::Signal(signal)),
            Ok(Woken::Ready) => {}
            Ok(Woken::Rung | Woken::TimedOut) => {
                if !self.signals.take_ignored_interrupt() || !self.is_terminal {
                    return None;
                }
                self.forget();
                return Some(StandardLine::Interrupt);
            }
            Err(error) => return Some(StandardLine::Failed(error)),
        }
        let mut block = vec![0; BLOCK];
        match nix::unistd::read(&stdin, &mut block) {
            // A terminal that is gone gives an end of file, or an error, before its signal comes: what
            // was typed is not complete.
            Ok(0) | Err(_) if self.is_terminal && has_hung_up() => {
                Some(StandardLine::Signal(HANGUP))
            }
            // Ctrl-D at the start of a line ends the input. Behind text it gives that text without
            // a line end, and the next read says whether more comes.
            Ok(0) if self.pending.is_empty() => Some(StandardLine::End),
            Ok(0) => {
                let line = std::mem::take(&mut self.pending);
                self.forget();
                Some(StandardLine::Line(line))
            }
            Ok(count) => {
                self.pending.extend_from_slice(&block[..count]);
                None
            }
            // Another program that shares the terminal may have made it non-blocking, or have read
            // the line first.
            Err(Errno::EINTR | Errno::EAGAIN) => None,
            Err(error) => Some(StandardLine::Failed(error.into())),
        }
    }
}

/// Returns whether the other end of the terminal at standard input is closed.
pub(crate) fn has_hung_up() -> bool {
    let stdin = io::stdin();
    let mut fds = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
    let polled = poll(&mut fds, PollTimeout::ZERO);
    let found = fds[0].revents().unwrap_or(PollFlags::empty());
    polled.is_ok() && found.intersects(PollFlags::POLLHUP | PollFlags::POLLERR)
}
