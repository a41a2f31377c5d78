//! The scanner: finds the messages of an mbox in one pass over its bytes (design decision D12).
//!
//! The file is read in blocks, forwards, each byte once; memory does not grow with its size except
//! for one [`MessageRef`] a message. Every decision depends on a bounded number of bytes around its
//! place, which are brought into the window first, so the result does not depend on the size of
//! the blocks. Time is linear for any input: a candidate is judged once, and Content-Length is
//! checked at most once a message.
//!
//! `scanner` is that pass, `fingerprint` knows the header fields that mail readers change.
//! Left to others: opening and locking the file (`read/snapshot`), what a separator is
//! (`separator`), what an unfinished message looks like (`torn`), what other header fields mean
//! (`message`).

mod fingerprint;
mod scanner;
#[cfg(test)]
mod tests;

use std::io;

use memchr::memmem::FinderRev;

pub(in crate::mailbox) use self::fingerprint::fingerprint_of;
use self::scanner::Scanner;
use crate::mailbox::flags::Flags;
use crate::mailbox::format::separator::{Candidate, LOOKAHEAD, judge};
use crate::mailbox::read_at::{ReadAt, read_full};

/// How much is read at once: large enough for the disk, small enough for the processor's cache.
pub(in crate::mailbox) const BLOCK: usize = 256 * 1024;

/// How much of a From_ line and header block a visitor is shown.
pub(in crate::mailbox) const SHOWN_HEADER: usize = 64 * 1024;

/// How many bytes before a line decide whether a blank line precedes it: `\n\r\n`.
const LOOKBEHIND: usize = 3;

/// Where a message lies in its mailbox, and what the scan read in its header.
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
    /// The flags in `Status` and `X-Status`.
    pub flags: Flags,
    /// Whether the From_ line is a strict separator ([`Candidate::Strict`]): behind any message that
    /// ends with a blank line it starts a message, whatever that one's Content-Length claims.
    pub(in crate::mailbox) is_strict: bool,
    /// A hash of the From_ line and the header fields that no mail reader changes, by which the
    /// message is found again in a mailbox that another program has rewritten.
    pub(in crate::mailbox) fingerprint: u64,
}

/// The result of a scan.
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
    /// The first line that is not blank is no From_ line.
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
    /// Whether to leave out a last message that somebody may still be writing: one whose header
    /// block or last line has no end.
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
    // The scanner takes the first From_ line of its input for that of the file, of which it cannot
    // tell what stands before it.
    if let Some(first) = found.messages.first_mut() {
        first.is_strict = true;
    }
    Ok(found)
}

/// Returns where the last strict separator starts, searching backwards from the end of the file.
///
/// Whether a separator is strict depends on nothing but the blank line before it and the lines from
/// it on, so a scan that starts there finds the same messages as one of the whole file.
pub(in crate::mailbox) fn last_separator<S: ReadAt + ?Sized>(
    source: &S,
    size: u64,
    block: usize,
) -> io::Result<Option<u64>> {
    let finder = FinderRev::new(b"\nFrom ");
    let mut window = vec![0; LOOKBEHIND + block + LOOKAHEAD];
    let mut end = size;
    while end > 0 {
        // The block, with as much around it as judging a candidate at either border needs.
        let start = end.saturating_sub(block as u64);
        let base = start.saturating_sub(LOOKBEHIND as u64);
        let want = usize::try_from((end + LOOKAHEAD as u64).min(size) - base)
            .unwrap_or(usize::MAX)
            .min(window.len());
        let filled = read_full(source, &mut window[..want], base)?;
        // The newline must stand in this block; the `From ` after it may stand in the next one.
        let mut reach = ((end - base) as usize + b"From ".len()).min(filled);
        while let Some(newline) = finder.rfind(&window[..reach]) {
            let line = newline + 1;
            let is_after_blank =
                ends_with_blank_line(&window[line.saturating_sub(LOOKBEHIND)..line]);
            if judge(&window[line..filled], is_after_blank) == Candidate::Strict {
                return Ok(Some(base + line as u64));
            }
            reach = newline + b"From".len();
        }
        end = start;
    }
    Ok(None)
}

/// Returns whether the last [`LOOKBEHIND`] bytes before a line are the end of a blank line.
fn ends_with_blank_line(before: &[u8]) -> bool {
    matches!(before, [.., b'\n', b'\n'] | [b'\n', b'\r', b'\n'])
}
