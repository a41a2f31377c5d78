//! The scanner: finds the messages of an mbox in one pass over its bytes (design decision D12).
//!
//! The file is read in blocks, forwards, each byte once; memory does not grow with its size except
//! for one [`MessageRef`] a message. Every decision depends on a bounded number of bytes around its
//! place, which are brought into the window first, so the result does not depend on the size of
//! the blocks. Time is linear for any input: a candidate is judged once, and a Content-Length is
//! looked after at most once a message.
//!
//! Left to others: opening and locking the file (`open`), what a separator is (`separator`), what
//! header fields mean (`message`).

use std::io;

use memchr::memmem::{self, Finder, FinderRev};
use memchr::{memchr, memchr_iter};
use twox_hash::XxHash3_64;

use crate::mailbox::flags::{Flags, field_body};
use crate::mailbox::format::separator::{Candidate, LOOKAHEAD, judge, opens_mbox};
use crate::mailbox::format::torn;
use crate::mailbox::read_at::{ReadAt, read_full};

/// How much is read at once: large enough for the disk, small enough for the processor's cache.
pub(in crate::mailbox) const BLOCK: usize = 256 * 1024;

/// How much of a From_ line and header block a visitor is shown.
pub(in crate::mailbox) const SHOWN_HEADER: usize = 64 * 1024;

/// Fields in which mail readers keep what they know of a message; `Status` and the lengths are others.
const CHANGING: [&[u8]; 4] = [b"x-status:", b"x-uid:", b"x-keywords:", b"x-imapbase:"];

/// The first bytes of the lines in a header block that say something to the scanner: the empty
/// line, a From_ line, and the fields that [`may_change`] knows.
const IS_TOLD_BY: [bool; 256] = {
    let mut table = [false; 256];
    let mut rest: &[u8] = b"\n\rFSsXxCcLl";
    while let [first, others @ ..] = rest {
        table[*first as usize] = true;
        rest = others;
    }
    table
};

/// How many bytes before a place decide whether a blank line precedes it: `\n\r\n`.
const LOOKBEHIND: usize = 3;

/// Where a message lies in its mailbox, and what the scan saw of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageRef {
    /// Where the From_ line starts.
    pub offset: u64,
    /// Bytes from the start of the From_ line to the next one or to the end of the mailbox.
    pub len: u64,
    /// Lines in these bytes, the From_ line and the blank line at the end included.
    ///
    /// They are counted where a scan shows the messages ([`Mailbox::open`](crate::mailbox::Mailbox::open));
    /// [`Mailbox::lines`](crate::mailbox::Mailbox::lines) always knows them.
    pub lines: Option<u32>,
    /// Length of the From_ line with its line end; 0 where the mailbox format has none (MMDF).
    pub from_line_len: u32,
    /// Length of From_ line, header block and the empty line that ends it.
    ///
    /// Equal to `len` where the message ends within its header block.
    pub header_len: u32,
    /// What `Status` and `X-Status` say.
    pub flags: Flags,
    /// Whether the message starts whatever stands before it, a blank line excepted: its From_ line
    /// is a strict separator ([`Candidate::Strict`]).
    pub(in crate::mailbox) is_strict: bool,
    /// A hash of the From_ line and the header fields that no mail reader changes, by which the
    /// message is found again in a mailbox that another program has rewritten.
    pub(in crate::mailbox) fingerprint: u64,
}

/// What a scan found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::mailbox) struct Scan {
    /// The messages in the order of the file.
    pub messages: Vec<MessageRef>,
    /// Where the file ended; smaller than the size asked for if another program cut it.
    pub end: u64,
    /// Whether a torn last message was left out.
    pub is_torn: bool,
}

/// Called for each message: its index, its place, and its From_ line and header block, cut at 64 KiB.
pub(in crate::mailbox) type Visit<'a> = &'a mut dyn FnMut(usize, &MessageRef, &[u8]);

/// Why a scan failed.
#[derive(Debug)]
pub(in crate::mailbox) enum ScanError {
    /// The first bytes are no From_ line.
    NotMbox,
    /// Reading failed.
    Io(io::Error),
}

impl From<io::Error> for ScanError {
    fn from(error: io::Error) -> ScanError {
        ScanError::Io(error)
    }
}

/// How a mailbox is scanned.
#[derive(Clone, Copy, Debug)]
pub(in crate::mailbox) struct Options {
    /// How much is read at once.
    pub block: usize,
    /// Leave out a last message that somebody may still be writing: one whose header block or last
    /// line has no end.
    pub skip_torn: bool,
    /// Whether lines are counted.
    pub counts_lines: bool,
    /// Where to start: at a strict separator, or at the start of the file.
    pub start: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            block: BLOCK,
            skip_torn: false,
            counts_lines: true,
            start: 0,
        }
    }
}

/// Scans the first `size` bytes of an mbox; a file that is empty or blank has no messages.
pub(in crate::mailbox) fn scan<S: ReadAt + ?Sized>(
    source: &S,
    size: u64,
    options: Options,
    visit: Visit<'_>,
) -> Result<Scan, ScanError> {
    Scanner::new(source, size, options, visit).run()
}

/// Scans an mbox from a strict separator on.
pub(in crate::mailbox) fn scan_from<S: ReadAt + ?Sized>(
    source: &S,
    size: u64,
    start: u64,
) -> Result<Scan, ScanError> {
    let options = Options {
        start,
        counts_lines: false,
        ..Options::default()
    };
    let mut found = scan(source, size, options, &mut |_, _, _| {})?;
    if let Some(first) = found.messages.first_mut() {
        first.is_strict = true;
    }
    Ok(found)
}

/// Returns where the last strict separator starts, looking from the end of the file.
///
/// What is a strict separator does not depend on what stands further before it, so a scan that
/// starts there finds the same messages as one of the whole file.
pub(in crate::mailbox) fn last_separator<S: ReadAt + ?Sized>(
    source: &S,
    size: u64,
    block: usize,
) -> io::Result<Option<u64>> {
    let finder = FinderRev::new(b"\nFrom ");
    let mut window = vec![0; LOOKBEHIND + block + LOOKAHEAD];
    let mut end = size;
    while end > 0 {
        let start = end.saturating_sub(block as u64);
        let base = start.saturating_sub(LOOKBEHIND as u64);
        let want = usize::try_from((end + LOOKAHEAD as u64).min(size) - base)
            .unwrap_or(usize::MAX)
            .min(window.len());
        let filled = read_full(source, &mut window[..want], base)?;
        // A newline that stands in this block, whatever follows it.
        let mut reach = ((end - base) as usize + b"From ".len()).min(filled);
        while let Some(newline) = finder.rfind(&window[..reach]) {
            let line = newline + 1;
            let is_after_blank = matches!(
                &window[line.saturating_sub(LOOKBEHIND)..line],
                [.., b'\n', b'\n'] | [b'\n', b'\r', b'\n']
            );
            if judge(&window[line..filled], is_after_blank) == Candidate::Strict {
                return Ok(Some(base + line as u64));
            }
            reach = newline + b"From".len();
        }
        end = start;
    }
    Ok(None)
}

/// Where in a message the scanner stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first From_ line: blank lines.
    Lead,
    /// At the start of a line of the header block.
    Header,
    /// Within a line of the header block that is longer than the window.
    LongLine,
    /// In the body, or in the blank lines after it.
    Body,
    /// In what is no message: one that was not finished ([`torn`]).
    Torn,
}

/// What Content-Length says of the message at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Claim {
    /// Nothing, or nothing that can be right.
    None,
    /// The body ends here; nobody has looked yet.
    Unproven(u64),
    /// The body ends here, where the file ends or a separator stands.
    Proven(u64),
}

/// One pass over an mbox.
struct Scanner<'a, S: ?Sized> {
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
    /// Whether the window reaches to the end of the file.
    at_end: bool,
    /// The next byte of the window to look at.
    at: usize,
    state: State,
    message: MessageRef,
    content_length: Option<u64>,
    /// The lines of the header that mail readers change, from the message's start.
    changing: Vec<(u64, u64)>,
    /// What is left of a header without them.
    unchanging: Vec<u8>,
    claim: Claim,
    /// What of the header has already left the window, cut at [`SHOWN_HEADER`].
    head: Vec<u8>,
    /// The part of the header that is still in the window.
    head_start: usize,
    head_end: usize,
    /// Finds `\nFrom `.
    finder: Finder<'static>,
    /// Finds a NUL behind a line end.
    nuls: Finder<'static>,
}

impl<'a, S: ReadAt + ?Sized> Scanner<'a, S> {
    fn new(source: &'a S, size: u64, options: Options, visit: Visit<'a>) -> Scanner<'a, S> {
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
            window: vec![0; LOOKBEHIND + LOOKAHEAD + block],
            filled: 0,
            base: options.start,
            block,
            skip_torn: options.skip_torn,
            counts_lines: options.counts_lines,
            at_end: size == options.start,
            at: 0,
            state: State::Lead,
            message: MessageRef::default(),
            content_length: None,
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

    fn run(mut self) -> Result<Scan, ScanError> {
        loop {
            self.step()?;
            if self.at_end {
                break;
            }
            self.refill()?;
        }
        let end = self.position(self.filled);
        self.found.end = end;
        if !matches!(self.state, State::Lead | State::Torn) {
            self.found.is_torn = self.skip_torn
                && (self.window[self.filled - 1] != b'\n' || self.state != State::Body);
            if !self.found.is_torn {
                self.finish_message(end);
            }
        }
        Ok(self.found)
    }

    /// Returns the offset in the file of a place in the window.
    fn position(&self, index: usize) -> u64 {
        self.base + index as u64
    }

    /// Returns the first place in the window that must not be judged yet for want of bytes after it.
    fn limit(&self) -> usize {
        if self.at_end {
            self.filled
        } else {
            self.filled.saturating_sub(LOOKAHEAD)
        }
    }

    /// Moves what is still needed to the start of the window and reads the next block behind it.
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
        self.at_end = count < want || want == left;
        Ok(())
    }

    /// Copies the part of the header that is about to leave the window.
    fn save_head(&mut self) {
        let end = match self.state {
            State::Header | State::LongLine => self.at,
            State::Lead | State::Body | State::Torn => self.head_end,
        };
        let room = SHOWN_HEADER.saturating_sub(self.head.len());
        let part = &self.window[self.head_start..end];
        self.head.extend_from_slice(&part[..part.len().min(room)]);
    }

    /// Looks at all of the window that can be judged.
    fn step(&mut self) -> Result<(), ScanError> {
        while self.at < self.limit() {
            match self.state {
                State::Lead => self.lead()?,
                State::Header => {
                    self.fields();
                    if self.at < self.limit() {
                        self.header_line()?;
                    }
                }
                State::LongLine => self.long_line(),
                State::Body => self.body()?,
                State::Torn => self.torn(),
            }
        }
        Ok(())
    }

    /// Skips what is blank before the first From_ line.
    fn lead(&mut self) -> Result<(), ScanError> {
        let limit = self.limit();
        let rest = &self.window[self.at..limit];
        let lines = rest
            .iter()
            .take_while(|b| matches!(b, b'\n' | b'\r'))
            .count();
        self.at += lines;
        // A run of NULs is judged once, where it begins.
        let begins = self.at == 0 || self.window[self.at - 1] != 0;
        if self.at < limit && begins && self.window[self.at] == 0 && self.is_torn()? {
            self.state = State::Torn;
            return Ok(());
        }
        let rest = &self.window[self.at..limit];
        self.at += rest.iter().take_while(|b| torn::is_blank(b)).count();
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
        let rest = &self.window[self.at..self.filled];
        let line = memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        self.message = MessageRef {
            offset: self.position(self.at),
            lines: self.counts_lines.then_some(1),
            from_line_len: to_u32(line as u64),
            is_strict,
            ..MessageRef::default()
        };
        self.content_length = None;
        self.changing.clear();
        self.claim = Claim::None;
        self.head.clear();
        self.head_start = self.at;
        self.at += line;
        self.state = State::Header;
    }

    /// Ends the message at this offset and shows it.
    fn finish_message(&mut self, end: u64) {
        if self.state != State::Body {
            self.end_header();
        }
        self.message.len = end - self.message.offset;
        // A part of it is in the window, or all that is shown is in `head`.
        let part = &self.window[self.head_start..self.head_end];
        let header = if self.head.is_empty() {
            &part[..part.len().min(SHOWN_HEADER)]
        } else {
            &self.head
        };
        (self.visit)(self.found.messages.len(), &self.message, header);
        self.found.messages.push(self.message);
    }

    /// Ends the message before the From_ line at hand and starts the next one.
    fn next_message(&mut self, is_strict: bool) {
        self.finish_message(self.position(self.at));
        self.start_message(is_strict);
    }

    /// Ends the header block where the scanner stands.
    fn end_header(&mut self) {
        self.head_end = self.at;
        let part = &self.window[self.head_start..self.head_end];
        let header = if self.head.is_empty() {
            &part[..part.len().min(SHOWN_HEADER)]
        } else {
            let room = SHOWN_HEADER.saturating_sub(self.head.len());
            self.head.extend_from_slice(&part[..part.len().min(room)]);
            self.head_start = self.head_end;
            &self.head
        };
        self.message.fingerprint = match self.changing[..] {
            [] => XxHash3_64::oneshot(header),
            // The message ends within one that was longer than the window.
            [.., (_, u64::MAX)] => fingerprint_of(header),
            _ => {
                self.unchanging.clear();
                let len = header.len() as u64;
                let mut at = 0;
                for (start, end) in &self.changing {
                    let kept = &header[at as usize..(*start).min(len) as usize];
                    self.unchanging.extend_from_slice(kept);
                    at = (*end).min(len);
                }
                self.unchanging.extend_from_slice(&header[at as usize..]);
                XxHash3_64::oneshot(&self.unchanging)
            }
        };
        let body = self.position(self.at);
        self.message.header_len = to_u32(body - self.message.offset);
        self.claim = self
            .content_length
            .and_then(|length| body.checked_add(length))
            .map_or(Claim::None, Claim::Unproven);
        self.state = State::Body;
    }

    /// Takes fields of the header block up to a line that needs a closer look.
    ///
    /// All lines in one search for their ends: a mailbox of short messages is mostly header.
    fn fields(&mut self) {
        let limit = self.limit();
        let mut at = self.at;
        let mut lines = 0_u32;
        for end in memchr_iter(b'\n', &self.window[self.at..self.filled]) {
            let end = self.at + end;
            if at >= limit {
                break;
            }
            // Most lines show by their first byte that they are no field of ours and no end.
            if IS_TOLD_BY[usize::from(self.window[at])] {
                let line = &self.window[at..end];
                if matches!(line, b"" | b"\r") || line.starts_with(b"From ") {
                    break;
                }
                // The rule that fields are short enough for the window is kept for any size of block.
                let line = &line[..line.len().min(LOOKAHEAD)];
                if may_change(line) {
                    self.message.flags.read_field(line);
                    self.content_length = content_length(line).or(self.content_length);
                    let start = self.base + at as u64 - self.message.offset;
                    let end = self.base + end as u64 + 1 - self.message.offset;
                    self.changing.push((start, end));
                }
            }
            lines += 1;
            at = end + 1;
        }
        self.at = at;
        self.add_lines(lines);
    }

    /// Takes one line of the header block, or its end.
    fn header_line(&mut self) -> io::Result<()> {
        let rest = &self.window[self.at..self.filled];
        let is_candidate = match rest {
            [b'\n', ..] => {
                self.empty_line(1);
                return Ok(());
            }
            [b'\r', b'\n', ..] => {
                self.empty_line(2);
                return Ok(());
            }
            _ => rest.starts_with(b"From "),
        };
        if is_candidate && let Some(is_strict) = self.separator()? {
            self.next_message(is_strict);
            return Ok(());
        }
        let rest = &self.window[self.at..self.filled];
        let end = memchr(b'\n', rest);
        // The rule that fields are short enough for the window is kept for any size of block.
        let line = &rest[..end.unwrap_or(rest.len()).min(LOOKAHEAD)];
        if may_change(line) {
            self.message.flags.read_field(line);
            self.content_length = content_length(line).or(self.content_length);
            let start = self.base + self.at as u64 - self.message.offset;
            let len = end.map(|end| end as u64 + 1);
            self.changing
                .push((start, len.map_or(u64::MAX, |len| start + len)));
        }
        self.add_lines(1);
        match end {
            Some(end) => self.at += end + 1,
            None => {
                self.at = self.filled;
                self.state = State::LongLine;
            }
        }
        Ok(())
    }

    /// Takes the empty line that ends the header block.
    fn empty_line(&mut self, len: usize) {
        self.at += len;
        self.add_lines(1);
        self.end_header();
    }

    /// Takes the next piece of a header line that did not end in the window.
    fn long_line(&mut self) {
        let rest = &self.window[self.at..self.filled];
        match memchr(b'\n', rest) {
            Some(end) => {
                self.at += end + 1;
                self.state = State::Header;
                // If it is one that changes, its end is known now.
                let here = self.position(self.at) - self.message.offset;
                if let Some((_, end @ u64::MAX)) = self.changing.last_mut() {
                    *end = here;
                }
            }
            None => self.at = self.filled,
        }
    }

    /// Goes to the next separator in the body, or to the end of what can be judged.
    fn body(&mut self) -> io::Result<()> {
        let limit = self.limit();
        // A candidate at `at` itself has its newline before it; the From_ line always has one.
        let mut from = self.at - 1;
        loop {
            let reach = (limit + b"From".len()).min(self.filled);
            let found = self.finder.find(&self.window[from..reach]);
            let to = found.map_or(limit, |found| from + found + 1);
            if self.torn_before(from, to)? {
                return Ok(());
            }
            self.pass(to);
            if found.is_none() {
                return Ok(());
            }
            if let Some(is_strict) = self.separator()? {
                self.next_message(is_strict);
                return Ok(());
            }
            from = self.at;
        }
    }

    /// Ends the message where something begins before this place that belongs to none; returns
    /// whether there was such a thing.
    fn torn_before(&mut self, mut from: usize, to: usize) -> io::Result<bool> {
        // Most bodies have no NUL at all, and that is known in half the time.
        if memchr(0, &self.window[from.min(to)..to]).is_none() {
            return Ok(false);
        }
        while let Some(found) = self.nuls.find(&self.window[from.min(to)..to]) {
            let nul = from + found + 1;
            self.pass(nul);
            if self.is_torn()? {
                self.finish_message(self.position(nul));
                self.head_start = nul;
                self.head_end = nul;
                self.state = State::Torn;
                return Ok(true);
            }
            from = nul;
        }
        Ok(false)
    }

    /// Returns whether what stands here is no part of a message.
    fn is_torn(&self) -> io::Result<bool> {
        let text = &self.window[self.at..self.filled];
        torn::starts(self.source, self.found.end, text, self.position(self.at))
    }

    /// Goes to the mail that another program has put behind a message that was not finished.
    fn torn(&mut self) {
        let limit = self.limit();
        while let Some(found) = memmem::find(&self.window[self.at..self.filled], b"From ") {
            self.at += found;
            if self.at >= limit {
                break;
            }
            if torn::is_start_within(&self.window[..self.filled], self.at) {
                self.start_message(false);
                return;
            }
            self.at += 1;
        }
        self.at = self.at.max(limit);
        self.head_start = self.at;
        self.head_end = self.at;
    }

    /// Goes on to a place in the body and counts the lines on the way.
    fn pass(&mut self, to: usize) {
        if self.counts_lines {
            let lines = memchr_iter(b'\n', &self.window[self.at..to]).count();
            // A last line without its newline is a line.
            let open = to == self.filled && self.at_end && to > 0 && self.window[to - 1] != b'\n';
            self.add_lines(to_u32(lines as u64).saturating_add(u32::from(open)));
        }
        self.at = to;
    }

    fn add_lines(&mut self, count: u32) {
        if let Some(lines) = &mut self.message.lines {
            *lines = lines.saturating_add(count);
        }
    }

    /// Returns whether the line at hand, which starts with `From `, separates messages, and if so
    /// whether it does it strictly.
    fn separator(&mut self) -> io::Result<Option<bool>> {
        let candidate = judge(&self.window[self.at..self.filled], self.is_after_blank());
        Ok(match candidate {
            Candidate::Strict => Some(true),
            Candidate::Weak if !self.is_within_body(self.position(self.at))? => Some(false),
            Candidate::Weak | Candidate::Text => None,
        })
    }

    /// Returns whether a blank line stands before the line at hand.
    fn is_after_blank(&self) -> bool {
        matches!(
            &self.window[self.at.saturating_sub(LOOKBEHIND)..self.at],
            [.., b'\n', b'\n'] | [b'\n', b'\r', b'\n']
        )
    }

    /// Returns whether Content-Length says, truthfully, that this place lies within the body.
    fn is_within_body(&mut self, place: u64) -> io::Result<bool> {
        if let Claim::Unproven(end) = self.claim {
            self.claim = if place < end && is_message_end(self.source, end, self.found.end)? {
                Claim::Proven(end)
            } else if place < end {
                Claim::None
            } else {
                self.claim
            };
        }
        Ok(matches!(self.claim, Claim::Proven(end) if place < end))
    }
}

/// Returns whether a message can end here: at the end of the file or before a separator.
///
/// Line ends may stand between: writers count them in their Content-Length or do not.
fn is_message_end<S: ReadAt + ?Sized>(source: &S, place: u64, size: u64) -> io::Result<bool> {
    if place > size {
        return Ok(false);
    }
    let mut text = vec![0; 1 + 4 + LOOKAHEAD];
    let start = place.saturating_sub(1);
    let left = usize::try_from(size - start).unwrap_or(usize::MAX);
    let want = text.len().min(left);
    let count = read_full(source, &mut text[..want], start)?;
    let text = &text[..count];
    let skipped = (place - start) as usize;
    let blanks = text
        .iter()
        .skip(skipped)
        .take(4)
        .take_while(|b| matches!(b, b'\n' | b'\r'))
        .count();
    let line = skipped + blanks;
    if line >= text.len() {
        return Ok(start + line as u64 >= size);
    }
    let starts_line = line == 0 || text[line - 1] == b'\n';
    Ok(starts_line
        && text[line..].starts_with(b"From ")
        && judge(&text[line..], true) == Candidate::Strict)
}

/// Returns whether a line of a header block is a field that mail readers change.
fn may_change(line: &[u8]) -> bool {
    match line {
        [b'S' | b's', b't' | b'T', ..] => field_body(line, b"status:").is_some(),
        [b'X' | b'x', b'-', third, ..] if b"sukiSUKI".contains(third) => {
            CHANGING.iter().any(|name| field_body(line, name).is_some())
        }
        [b'C' | b'c', ..] => field_body(line, b"content-length:").is_some(),
        [b'L' | b'l', ..] => field_body(line, b"lines:").is_some(),
        _ => false,
    }
}

/// Returns the fingerprint of a message with this From_ line and header block: a hash of its first
/// 64 KiB without the fields that mail readers change.
pub(in crate::mailbox) fn fingerprint_of(block: &[u8]) -> u64 {
    let block = &block[..block.len().min(SHOWN_HEADER)];
    let mut kept = Vec::with_capacity(block.len());
    let mut at = 0;
    while at < block.len() {
        let end = memchr(b'\n', &block[at..]).map_or(block.len(), |end| at + end + 1);
        if !may_change(&block[at..end]) {
            kept.extend_from_slice(&block[at..end]);
        }
        at = end;
    }
    XxHash3_64::oneshot(&kept)
}

/// Returns the value of a `Content-Length` field.
fn content_length(line: &[u8]) -> Option<u64> {
    let body = field_body(line, b"content-length:")?.trim_ascii();
    std::str::from_utf8(body).ok()?.parse().ok()
}

/// Returns the number, or the largest one that fits.
fn to_u32(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
