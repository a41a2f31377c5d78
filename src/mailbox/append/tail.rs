//! The end of a mailbox while messages are appended, and their marks.
//!
//! A text within one page is written by one call and needs no mark. As soon as more is written than
//! that, or the buffer is full, all From_ lines get marks, which [`Tail::sync`] takes away when the
//! disk has everything. `format/torn` says why, and what a mark looks like.

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
    /// Where the mailbox ended before; a failure cuts it back to this.
    end: u64,
    /// How many bytes were written after it.
    written: u64,
    buffer: Vec<u8>,
    /// The offsets in the file at which the From_ lines of our messages start.
    starts: Vec<u64>,
    /// Whether these get marks, because the messages are not written in one call.
    is_marked: bool,
    /// The last bytes, written or not: enough to see a blank line with either line end.
    last: LastBytes,
}

/// The last three bytes of a text, or fewer if the text is shorter.
#[derive(Debug, Default)]
struct LastBytes(Vec<u8>);

impl LastBytes {
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
        let mut last = LastBytes::default();
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

    /// Remembers that a From_ line comes next.
    pub(in crate::mailbox) fn start_message(&mut self) {
        self.starts.push(self.position() + self.buffer.len() as u64);
    }

    /// Returns where the next byte of the buffer belongs.
    fn position(&self) -> u64 {
        self.end + self.written
    }

    /// Writes what is still in the buffer, and waits until the disk has everything: then the messages
    /// count.
    pub(in crate::mailbox) fn sync(&mut self) -> io::Result<()> {
        let last = (self.position() + self.buffer.len() as u64).saturating_sub(1);
        self.is_marked |= self.end / PAGE != last / PAGE;
        self.write_buffer()?;
        // Everything behind the marks must be on the disk before the first mark goes.
        until_done(|| self.file.sync_all())?;
        if self.is_marked {
            self.unmark()?;
            until_done(|| self.file.sync_all())?;
        }
        // The mail is safe now, except in a file whose own name may not be on the disk yet: `append`
        // syncs that next.
        Ok(())
    }

    /// Writes the first byte of each From_ line in place of its mark.
    fn unmark(&self) -> io::Result<()> {
        let flags = OFlag::from_bits_retain(fcntl(self.file, FcntlArg::F_GETFL)?);
        // Linux ignores the offset of pwrite(2) while O_APPEND is set, and writes at the end.
        fcntl(self.file, FcntlArg::F_SETFL(flags - OFlag::O_APPEND))?;
        let unmarked = self.starts.iter().try_for_each(|start| {
            let mut found = [0; MARKED.len()];
            self.file.read_exact_at(&mut found, *start)?;
            // A program that knows none of our locks may have rewritten the file; then this place
            // holds something else, which a single `F` would damage.
            if found == *MARKED {
                self.file.write_all_at(b"F", *start)
            } else {
                Err(io::ErrorKind::ResourceBusy.into())
            }
        });
        fcntl(self.file, FcntlArg::F_SETFL(flags))?;
        unmarked
    }

    /// Cuts the mailbox back to where it ended before.
    ///
    /// # Errors
    /// `ResourceBusy` when a program that ignores our locks has written meanwhile: cutting would
    /// remove its mail too.
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

    /// Writes the buffer, with marks in its From_ lines if marks are in use.
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
        let mut unwritten = &buffer[..];
        while self.is_marked && !unwritten.is_empty() && self.is_before_first_mark() {
            // The page of the first mark is synced before the next page is written. A power cut
            // could keep later pages without it, and then nothing would show that the message is
            // unfinished.
            let border = PAGE - self.position() % PAGE;
            let (page, behind) = unwritten.split_at(unwritten.len().min(border as usize));
            self.write_all_now(page)?;
            until_done(|| self.file.sync_all())?;
            unwritten = behind;
        }
        self.write_all_now(unwritten)?;
        self.buffer = buffer;
        self.buffer.clear();
        Ok(())
    }

    /// Returns whether the page of the first mark is still to be written.
    fn is_before_first_mark(&self) -> bool {
        let first = self.starts.first();
        first.is_some_and(|start| self.position() / PAGE <= start / PAGE)
    }

    /// Writes bytes at the end of the file, and counts them even if a later write fails: [`undo`]
    /// must know how many of them are ours.
    ///
    /// [`undo`]: Tail::undo
    fn write_all_now(&mut self, mut text: &[u8]) -> io::Result<()> {
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

/// Cuts a mailbox off, and waits until the disk has the new length.
///
/// The system fills the remainder of the last page with NULs, and these may be on the disk before the
/// new length is. So the later pages are cut and synced first: old text behind NULs would make them
/// look like NULs within a body.
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
            // The buffer goes out in several calls from now on, none of which completes a message.
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
