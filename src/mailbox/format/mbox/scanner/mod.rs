//! One pass over an mbox: the window on the file, and which part of a message stands in it.
//!
//! The scanner goes from line to line ([`ScanState`]): `header` knows header blocks, `body` bodies
//! and what stands between messages, `claim` whether a Content-Length is believed. Two rules hold everywhere:
//!
//! - A line is judged only when the window holds [`LOOKAHEAD`] bytes from its start on, or all that
//!   the file has ([`Scanner::limit`]); bytes before it are kept for [`LOOKBEHIND`]. So a candidate
//!   at the border of two blocks is judged as it would be anywhere else.
//! - What is kept of a header is copied to `head` before it leaves the window
//!   ([`Scanner::save_head`]), since a header may be longer than any window.

mod body;
mod claim;
mod header;

use std::io;

use memchr::memchr;
use memchr::memmem::Finder;

use self::claim::Claim;
use super::index::{MessageRef, Options, SHOWN_HEADER, Scan, ScanError, Visit};
use crate::mailbox::flags::StatusFields;
use crate::mailbox::format::separator::{LOOKAHEAD, LOOKBEHIND, opens_mbox};
use crate::mailbox::format::torn;
use crate::mailbox::read_at::{ReadAt, read_full};
use crate::sys::progress::{self, Unit};

/// The position of the scanner in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ScanState {
    /// In the blank lines before the first From_ line.
    Lead,
    /// At the start of a line of the header block.
    Header,
    /// Within a line of the header block that is longer than the window.
    LongLine,
    /// In the body, or in the blank lines after it.
    Body,
    /// In an unfinished message, or in NULs, neither of which counts ([`torn`]).
    Torn,
}

/// One pass over an mbox.
pub(super) struct Scanner<'a, S: ?Sized> {
    source: &'a S,
    visit: Visit<'a>,
    found: Scan,
    /// The window: bytes of the file from `base` on.
    window: Vec<u8>,
    /// How many bytes of the window are filled.
    filled: usize,
    base: u64,
    block: usize,
    skip_torn: bool,
    counts_lines: bool,
    keeps: bool,
    /// How many messages were found.
    count: usize,
    /// Whether the window reaches to the end of the file.
    at_end: bool,
    /// The index in the window of the next byte to judge.
    at: usize,
    state: ScanState,
    message: MessageRef,
    /// The flags in the part of its header before `at`.
    status: StatusFields,
    content_length: Option<u64>,
    /// Whether the header of the message has a field before `at`.
    has_field: bool,
    /// Start and end of the header lines that mail readers change, from the message's start on. An
    /// end of `u64::MAX` was not found yet.
    changing: Vec<(u64, u64)>,
    /// The header without these lines; kept from message to message for its memory only.
    unchanging: Vec<u8>,
    claim: Claim,
    /// The part of the header that has left the window, cut at [`SHOWN_HEADER`].
    head: Vec<u8>,
    /// The part of the header that is still in the window.
    head_start: usize,
    head_end: usize,
    /// Finds `\nFrom `.
    finder: Finder<'static>,
    /// Finds a NUL directly after a line end.
    nuls: Finder<'static>,
}

impl<'a, S: ReadAt + ?Sized> Scanner<'a, S> {
    /// Returns a scanner at the position that the options give.
    pub(super) fn new(
        source: &'a S,
        size: u64,
        options: Options,
        visit: Visit<'a>,
    ) -> Scanner<'a, S> {
        // A small file needs no large window.
        let block = usize::try_from(size - options.start).unwrap_or(usize::MAX);
        let block = block.clamp(1, options.block.max(1));
        Scanner {
            source,
            visit,
            found: Scan {
                end: size,
                ..Scan::default()
            },
            // What `refill` keeps is at most LOOKBEHIND and LOOKAHEAD bytes, so that a whole block
            // always has room behind it.
            window: vec![0; LOOKBEHIND + LOOKAHEAD + block],
            filled: 0,
            base: options.start,
            block,
            skip_torn: options.skip_torn,
            counts_lines: options.counts_lines,
            keeps: options.keeps,
            count: 0,
            at_end: size == options.start,
            at: 0,
            state: ScanState::Lead,
            message: MessageRef::default(),
            status: StatusFields::default(),
            content_length: None,
            has_field: false,
            changing: Vec::new(),
            unchanging: Vec::new(),
            claim: Claim::None,
            head: Vec::new(),
            head_start: 0,
            head_end: 0,
            finder: Finder::new(b"\nFrom "),
            nuls: Finder::new(b"\n\0"),
        }
    }

    /// Scans to the end of the file.
    pub(super) fn run(mut self) -> Result<Scan, ScanError> {
        let start = self.position(self.filled);
        let size = self.found.end.saturating_sub(start);
        let progress = progress::begin("reading", Unit::Bytes, size);
        loop {
            self.step()?;
            if self.at_end {
                break;
            }
            let before = self.position(self.filled);
            self.refill()?;
            progress.advance(self.position(self.filled) - before);
        }
        // Another program may have cut the file since its size was asked for.
        let end = self.position(self.filled);
        self.found.end = end;
        if !matches!(self.state, ScanState::Lead | ScanState::Torn) {
            // Where somebody may still be writing, a last line without its end is half a line, and
            // a header block without its empty line is half a header.
            self.found.is_torn = self.skip_torn
                && (self.window[self.filled - 1] != b'\n' || self.state != ScanState::Body);
            if !self.found.is_torn {
                self.finish_message(end);
            }
        }
        Ok(self.found)
    }

    /// Returns the offset in the file of an index in the window.
    fn position(&self, index: usize) -> u64 {
        self.base + index as u64
    }

    /// Returns the first index in the window that cannot be judged until more bytes are read.
    fn limit(&self) -> usize {
        if self.at_end {
            self.filled
        } else {
            self.filled.saturating_sub(LOOKAHEAD)
        }
    }

    /// Moves the bytes that are still needed to the start of the window, and reads the next block
    /// after them.
    fn refill(&mut self) -> io::Result<()> {
        self.save_head();
        let keep = self.at.saturating_sub(LOOKBEHIND);
        self.window.copy_within(keep..self.filled, 0);
        self.base += keep as u64;
        self.at -= keep;
        self.filled -= keep;
        self.head_start = self.at;
        self.head_end = self.at;
        let from = self.position(self.filled);
        let left = usize::try_from(self.found.end - from).unwrap_or(usize::MAX);
        let want = left.min(self.block);
        let buffer = &mut self.window[self.filled..self.filled + want];
        let count = read_full(self.source, buffer, from)?;
        self.filled += count;
        // A short read means that the file is shorter now than its size said.
        self.at_end = count < want || want == left;
        Ok(())
    }

    /// Copies the part of the header that is about to leave the window.
    fn save_head(&mut self) {
        let end = match self.state {
            ScanState::Header | ScanState::LongLine => self.at,
            ScanState::Lead | ScanState::Body | ScanState::Torn => self.head_end,
        };
        let room = SHOWN_HEADER.saturating_sub(self.head.len());
        let part = &self.window[self.head_start..end];
        self.head.extend_from_slice(&part[..part.len().min(room)]);
    }

    /// Judges everything in the window that can be judged.
    fn step(&mut self) -> Result<(), ScanError> {
        while self.at < self.limit() {
            match self.state {
                ScanState::Lead => self.lead()?,
                ScanState::Header => {
                    self.fields();
                    if self.at < self.limit() {
                        self.judged_line()?;
                    }
                }
                ScanState::LongLine => self.long_line(),
                ScanState::Body => self.body()?,
                ScanState::Torn => self.torn(),
            }
        }
        Ok(())
    }

    /// Skips blank lines and NULs before the first From_ line.
    fn lead(&mut self) -> Result<(), ScanError> {
        let limit = self.limit();
        let text = &self.window[self.at..limit];
        let lines = text
            .iter()
            .take_while(|b| matches!(b, b'\n' | b'\r'))
            .count();
        self.at += lines;
        // A run of NULs is judged where it begins and nowhere else: judging it reads to its end,
        // and a file may consist of NULs.
        let begins = self.at == 0 || self.window[self.at - 1] != 0;
        if self.at < limit && begins && self.window[self.at] == 0 && self.is_torn()? {
            self.state = ScanState::Torn;
            return Ok(());
        }
        let text = &self.window[self.at..limit];
        self.at += text.iter().take_while(|b| torn::is_blank(b)).count();
        if self.at < limit {
            if !opens_mbox(&self.window[self.at..self.filled]) {
                return Err(ScanError::NotMbox);
            }
            self.start_message(false);
        }
        Ok(())
    }

    /// Starts a message at a From_ line.
    fn start_message(&mut self, is_strict: bool) {
        let text = &self.window[self.at..self.filled];
        let line = memchr(b'\n', text).map_or(text.len(), |end| end + 1);
        self.message = MessageRef {
            offset: self.position(self.at),
            lines: self.counts_lines.then_some(1),
            from_line_len: to_u32(line as u64),
            is_strict,
            ..MessageRef::default()
        };
        self.status = StatusFields::default();
        self.content_length = None;
        self.has_field = false;
        self.changing.clear();
        self.claim = Claim::None;
        self.head.clear();
        self.head_start = self.at;
        self.at += line;
        self.state = ScanState::Header;
    }

    /// Ends the message at this offset, and shows it to the visitor.
    fn finish_message(&mut self, end: u64) {
        if self.state != ScanState::Body {
            self.end_header();
        }
        self.message.len = end - self.message.offset;
        // Either nothing of the header has left the window, or `head` has all that is shown.
        let part = &self.window[self.head_start..self.head_end];
        let header = if self.head.is_empty() {
            &part[..part.len().min(SHOWN_HEADER)]
        } else {
            &self.head
        };
        (self.visit)(self.count, &self.message, header);
        self.count += 1;
        if self.keeps {
            self.found.messages.push(self.message);
        }
    }

    /// Ends the message before the current From_ line, and starts the next one with it.
    fn next_message(&mut self, is_strict: bool) {
        self.finish_message(self.position(self.at));
        self.start_message(is_strict);
    }

    /// Adds to the line count of the message, if lines are counted.
    fn add_lines(&mut self, count: u32) {
        if let Some(lines) = &mut self.message.lines {
            *lines = lines.saturating_add(count);
        }
    }
}

/// Returns the number, or the largest one that fits.
fn to_u32(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
