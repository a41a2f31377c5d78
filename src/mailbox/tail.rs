//! The end of a mailbox while a message is written behind it.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

/// How much is written at once.
const BLOCK: usize = 64 * 1024;

/// The growing end of a mailbox.
pub(super) struct Tail<'a> {
    file: &'a File,
    /// Where the mailbox ended before.
    end: u64,
    /// How many bytes we have written behind it.
    written: u64,
    buffer: Vec<u8>,
    /// The last bytes, written or not: enough to see a blank line with either line end.
    last: Last,
}

/// The last three bytes of a text, as far as it has so many.
#[derive(Debug, Default)]
struct Last(Vec<u8>);

impl Last {
    fn push(&mut self, bytes: &[u8]) {
        self.0
            .extend_from_slice(&bytes[bytes.len().saturating_sub(3)..]);
        let excess = self.0.len().saturating_sub(3);
        self.0.drain(..excess);
    }

    fn ends_line(&self) -> bool {
        self.0.last().is_none_or(|byte| *byte == b'\n')
    }

    fn ends_with_blank_line(&self) -> bool {
        matches!(
            &self.0[..],
            [] | [b'\n'] | [.., b'\n', b'\n'] | [.., b'\n', b'\r', b'\n']
        )
    }
}

impl<'a> Tail<'a> {
    /// Starts at this end of the file, which is opened for appending and locked.
    pub(super) fn new(file: &'a File, end: u64) -> io::Result<Tail<'a>> {
        let start = end.saturating_sub(3);
        let mut bytes = vec![0; (end - start) as usize];
        file.read_exact_at(&mut bytes, start)?;
        let mut last = Last::default();
        last.push(&bytes);
        Ok(Tail {
            file,
            end,
            written: 0,
            buffer: Vec::with_capacity(BLOCK),
            last,
        })
    }

    /// Ends an unfinished line.
    pub(super) fn end_line(&mut self) -> io::Result<()> {
        if self.last.ends_line() {
            return Ok(());
        }
        self.write_all(b"\n")
    }

    /// Makes sure that a blank line, or nothing at all, comes last.
    pub(super) fn end_with_blank_line(&mut self) -> io::Result<()> {
        self.end_line()?;
        if self.last.ends_with_blank_line() {
            return Ok(());
        }
        self.write_all(b"\n")
    }

    /// Writes what is still held, and waits until the disk has it all.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.write_buffer()?;
        self.file.sync_all()
    }

    /// Cuts the mailbox back to where it ended.
    ///
    /// Bytes that somebody who knows no lock has written meanwhile are not ours to cut.
    pub(super) fn undo(&mut self) -> io::Result<()> {
        self.buffer.clear();
        let size = self.file.metadata()?.len();
        if size == self.end {
            return Ok(());
        }
        if size != self.end + self.written {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        self.file.set_len(self.end)?;
        self.file.sync_all()
    }

    fn write_buffer(&mut self) -> io::Result<()> {
        let mut at = 0;
        while at < self.buffer.len() {
            match (&mut &*self.file).write(&self.buffer[at..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    at += count;
                    self.written += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.buffer.clear();
        Ok(())
    }
}

impl Write for Tail<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() + bytes.len() > BLOCK {
            self.write_buffer()?;
        }
        let count = bytes.len().min(BLOCK);
        self.buffer.extend_from_slice(&bytes[..count]);
        self.last.push(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_buffer()
    }
}
