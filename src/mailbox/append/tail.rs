//! The end of a mailbox while a message is written behind it.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

use nix::fcntl::{FcntlArg, OFlag, fcntl};

use crate::mailbox::format::torn::{MARK, MARKED, PAGE};
use crate::sys::disk::until_done;

/// How much is written at once.
const BLOCK: usize = 64 * 1024;

/// The growing end of a mailbox.
pub(in crate::mailbox) struct Tail<'a> {
    file: &'a File,
    /// Where the mailbox ended before.
    end: u64,
    /// How many bytes we have written behind it.
    written: u64,
    buffer: Vec<u8>,
    /// Where the From_ lines of our messages start.
    starts: Vec<u64>,
    /// Whether these have a mark, because they are not written in one step.
    is_marked: bool,
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
    pub(in crate::mailbox) fn new(file: &'a File, end: u64) -> io::Result<Tail<'a>> {
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
            starts: Vec::new(),
            is_marked: false,
            last,
        })
    }

    /// Ends an unfinished line.
    pub(in crate::mailbox) fn end_line(&mut self) -> io::Result<()> {
        if self.last.ends_line() {
            return Ok(());
        }
        self.write_all(b"\n")
    }

    /// Makes sure that a blank line, or nothing at all, comes last.
    pub(in crate::mailbox) fn end_with_blank_line(&mut self) -> io::Result<()> {
        self.end_line()?;
        if self.last.ends_with_blank_line() {
            return Ok(());
        }
        self.write_all(b"\n")
    }

    /// Says that a From_ line comes next.
    pub(in crate::mailbox) fn start_message(&mut self) {
        self.starts.push(self.position() + self.buffer.len() as u64);
    }

    /// Returns where the next byte of the buffer belongs.
    fn position(&self) -> u64 {
        self.end + self.written
    }

    /// Writes what is still held, and waits until the disk has it all; then the messages count.
    pub(in crate::mailbox) fn sync(&mut self) -> io::Result<()> {
        let last = (self.position() + self.buffer.len() as u64).saturating_sub(1);
        self.is_marked |= self.end / PAGE != last / PAGE;
        self.write_buffer()?;
        until_done(|| self.file.sync_all())?;
        if self.is_marked {
            self.unmark()?;
            until_done(|| self.file.sync_all())?;
        }
        Ok(())
    }

    /// Gives the From_ lines their first byte.
    fn unmark(&self) -> io::Result<()> {
        let flags = OFlag::from_bits_retain(fcntl(self.file, FcntlArg::F_GETFL)?);
        // Where a file is open for appending every write goes to its end.
        fcntl(self.file, FcntlArg::F_SETFL(flags - OFlag::O_APPEND))?;
        let unmarked = self.starts.iter().try_for_each(|start| {
            let mut found = [0; MARKED.len()];
            self.file.read_exact_at(&mut found, *start)?;
            if found == *MARKED {
                self.file.write_all_at(b"F", *start)
            } else {
                Err(io::ErrorKind::ResourceBusy.into())
            }
        });
        fcntl(self.file, FcntlArg::F_SETFL(flags))?;
        unmarked
    }

    /// Cuts the mailbox back to where it ended.
    ///
    /// Bytes that somebody who knows no lock has written meanwhile are not ours to cut.
    pub(in crate::mailbox) fn undo(&mut self) -> io::Result<()> {
        self.buffer.clear();
        let size = self.file.metadata()?.len();
        if size == self.end {
            return Ok(());
        }
        if size != self.end + self.written {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        cut(self.file, self.end)
    }

    fn write_buffer(&mut self) -> io::Result<()> {
        if self.is_marked {
            let base = self.position();
            for start in self.starts.iter().rev().take_while(|start| **start >= base) {
                if let Some(first) = self.buffer.get_mut((start - base) as usize) {
                    *first = MARK;
                }
            }
        }
        let buffer = std::mem::take(&mut self.buffer);
        let mut rest = &buffer[..];
        while self.is_marked && !rest.is_empty() && self.is_before_first_mark() {
            // A power cut may keep later pages and not this one; then nothing would tell that the
            // message is unfinished.
            let border = PAGE - self.position() % PAGE;
            let (page, behind) = rest.split_at(rest.len().min(border as usize));
            self.write_through(page)?;
            until_done(|| self.file.sync_all())?;
            rest = behind;
        }
        self.write_through(rest)?;
        self.buffer = buffer;
        self.buffer.clear();
        Ok(())
    }

    /// Returns whether the page of the first mark is still to be written.
    fn is_before_first_mark(&self) -> bool {
        let first = self.starts.first();
        first.is_some_and(|start| self.position() / PAGE <= start / PAGE)
    }

    fn write_through(&mut self, mut text: &[u8]) -> io::Result<()> {
        while !text.is_empty() {
            match (&mut &*self.file).write(text) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    text = &text[count..];
                    self.written += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Cuts a mailbox off, and waits until the disk knows it.
///
/// What follows the new end in its page becomes NULs, and these may be on the disk before the new
/// length is. So the later pages go first: text behind NULs would be taken for a message's own.
pub(in crate::mailbox) fn cut(file: &File, end: u64) -> io::Result<()> {
    let border = end.next_multiple_of(PAGE);
    if file.metadata()?.len() > border && border > end {
        until_done(|| file.set_len(border))?;
        until_done(|| file.sync_all())?;
    }
    until_done(|| file.set_len(end))?;
    until_done(|| file.sync_all())
}

impl Write for Tail<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() + bytes.len() > BLOCK {
            self.is_marked = true;
            self.write_buffer()?;
        }
        let count = bytes.len().min(BLOCK);
        self.buffer.extend_from_slice(&bytes[..count]);
        self.last.push(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.is_marked = true;
        self.write_buffer()
    }
}
