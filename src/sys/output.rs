//! Standard output of a script: a signal interrupts the wait for the program that reads it.
//!
//! A handler starts a write that blocks again (SA_RESTART), so a reader that stands still would
//! make us deaf. Where the output can block it gets only what a pipe takes at once.

use std::io::{self, Write};
use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::stat::{SFlag, fstat};

use crate::sys::signals::{Signals, Woken};

/// How many bytes a pipe takes without blocking once it can be written (PIPE_BUF on Linux).
const AT_ONCE: usize = 4096;

/// Standard output, watched.
#[derive(Debug)]
pub(crate) struct Output<'a> {
    signals: &'a Signals,
    stdout: io::Stdout,
    can_block: bool,
}

impl<'a> Output<'a> {
    /// Returns standard output, past std's buffer.
    pub(crate) fn new(signals: &'a Signals) -> Output<'a> {
        let stdout = io::stdout();
        // A write to a regular file never waits for a reader, so it goes out in one piece.
        let is_file = |mode| SFlag::from_bits_truncate(mode) & SFlag::S_IFMT == SFlag::S_IFREG;
        let can_block = !fstat(&stdout).is_ok_and(|found| is_file(found.st_mode));
        Output {
            signals,
            stdout,
            can_block,
        }
    }

    /// Waits until something can be written.
    fn wait(&self) -> io::Result<()> {
        let mut fds = [PollFd::new(self.stdout.as_fd(), PollFlags::POLLOUT)];
        // Output that the reader can take now is written, even after a signal.
        if poll(&mut fds, PollTimeout::ZERO).is_ok_and(|ready| ready > 0) {
            return Ok(());
        }
        loop {
            match self.signals.wait_to_write(self.stdout.as_fd())? {
                Woken::Ready => return Ok(()),
                Woken::Signal(signal) => {
                    return Err(io::Error::other(format!("interrupted by signal {signal}")));
                }
                Woken::Rung | Woken::TimedOut => {}
            }
        }
    }
}

impl Write for Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut piece = bytes;
        if self.can_block {
            self.wait()?;
            // poll(2) promises room for PIPE_BUF bytes and for no more. A longer write would block
            // behind them.
            piece = &bytes[..bytes.len().min(AT_ONCE)];
        }
        match nix::unistd::write(&self.stdout, piece) {
            // `write_all` tries again after this error, and the next try waits first.
            Err(Errno::EAGAIN) => Err(io::ErrorKind::Interrupted.into()),
            written => Ok(written?),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
