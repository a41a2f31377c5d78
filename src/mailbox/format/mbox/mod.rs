//! The scanner: finds the messages of an mbox in one pass over its bytes.
//!
//! The file is read in blocks, forwards, each byte once; memory does not grow with its size except
//! for one [`MessageRef`] a message. Every decision depends on a bounded number of bytes around its
//! place, which are brought into the window first, so the result does not depend on the size of
//! the blocks. Time is linear for any input: a candidate is judged once, and Content-Length is
//! checked at most once a message.
//!
//! `index` is what it is asked for and returns, `scanner` the pass, `fingerprint` knows the header fields that mail readers change.
//! Left to others: opening and locking the file (`read/snapshot`), what a separator is
//! (`separator`), what an unfinished message looks like (`torn`), what other header fields mean
//! (`message`).

mod fingerprint;
mod index;
mod scanner;
#[cfg(test)]
mod tests;

use std::io;

use memchr::memmem::FinderRev;

pub(in crate::mailbox) use self::fingerprint::fingerprint_of;
pub use self::index::MessageRef;
pub(in crate::mailbox) use self::index::{BLOCK, Options, SHOWN_HEADER, Scan, ScanError, Visit};
use self::scanner::Scanner;
use super::separator::{Candidate, LOOKAHEAD, LOOKBEHIND, ends_with_blank_line, judge};
use crate::mailbox::read_at::{ReadAt, read_full};

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
