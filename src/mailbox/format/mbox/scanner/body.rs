//! The scanner within a body: separators, Content-Length, and unfinished messages.

use std::io;

use memchr::memmem;
use memchr::{memchr, memchr_iter};

use super::{ScanState, Scanner, to_u32};
use crate::mailbox::format::mbox::{LOOKBEHIND, ends_with_blank_line};
use crate::mailbox::format::separator::{Candidate, LOOKAHEAD, judge};
use crate::mailbox::format::torn;
use crate::mailbox::read_at::{ReadAt, read_full};

/// The longest run of line ends between a body and the next From_ line: two with CR.
const MAX_LINE_ENDS: usize = 4;

/// What Content-Length says about the current message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// The message has no Content-Length, or one that was found to be wrong.
    None,
    /// The body ends at this offset, if the field is right; this was not checked yet.
    Unproven(u64),
    /// The body ends at this offset: the file ends there, or a strict separator follows.
    Proven(u64),
}

impl<S: ReadAt + ?Sized> Scanner<'_, S> {
    /// Goes to the next separator in the body, or to the end of what can be judged.
    pub(super) fn body(&mut self) -> io::Result<()> {
        let limit = self.limit();
        // The search is for a newline and `From `, so it starts one byte back to find a candidate
        // at `at` itself. The From_ line of the message guarantees that there is such a byte.
        let mut from = self.at - 1;
        loop {
            // A candidate must start before the limit; its `From ` may reach over it.
            let reach = (limit + b"From".len()).min(self.filled);
            let found = self.finder.find(&self.window[from..reach]);
            let to = found.map_or(limit, |found| from + found + 1);
            // An unfinished message comes first: a From_ line behind it may be part of it.
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

    /// Ends the message where an unfinished one begins between these places of the window; returns
    /// whether there was one.
    fn torn_before(&mut self, mut from: usize, to: usize) -> io::Result<bool> {
        // Most bodies have no NUL at all; searching one byte takes half the time of searching two.
        if memchr(0, &self.window[from.min(to)..to]).is_none() {
            return Ok(false);
        }
        // A NUL within a line is text of the message.
        while let Some(found) = self.nuls.find(&self.window[from.min(to)..to]) {
            let nul = from + found + 1;
            self.pass(nul);
            if self.is_torn()? {
                self.finish_message(self.position(nul));
                self.head_start = nul;
                self.head_end = nul;
                self.state = ScanState::Torn;
                return Ok(true);
            }
            from = nul;
        }
        Ok(false)
    }

    /// Returns whether an unfinished message, or NULs that belong to no message, start here.
    pub(super) fn is_torn(&self) -> io::Result<bool> {
        let text = &self.window[self.at..self.filled];
        torn::is_unfinished_at(self.source, self.found.end, text, self.position(self.at))
    }

    /// Goes to the mail that another program has put behind an unfinished message.
    pub(super) fn torn(&mut self) {
        let limit = self.limit();
        while let Some(found) = memmem::find(&self.window[self.at..self.filled], b"From ") {
            self.at += found;
            if self.at >= limit {
                break;
            }
            // The unfinished text may end within a line, so that nothing is asked of what stands
            // before the From_ line.
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

    /// Goes on to a place in the body, and counts the lines on the way.
    fn pass(&mut self, to: usize) {
        if self.counts_lines {
            let lines = memchr_iter(b'\n', &self.window[self.at..to]).count();
            // A last line without its newline is a line.
            let open = to == self.filled && self.at_end && to > 0 && self.window[to - 1] != b'\n';
            self.add_lines(to_u32(lines as u64).saturating_add(u32::from(open)));
        }
        self.at = to;
    }

    /// Judges the current line, which starts with `From `: `None` if it is text, else whether it is
    /// a strict separator.
    pub(super) fn separator(&mut self) -> io::Result<Option<bool>> {
        let before = &self.window[self.at.saturating_sub(LOOKBEHIND)..self.at];
        let is_after_blank = ends_with_blank_line(before);
        let candidate = judge(&self.window[self.at..self.filled], is_after_blank);
        Ok(match candidate {
            // Content-Length is not asked: most deliverers pass on the sender's, and a sender could
            // hide the messages behind his own.
            Candidate::Strict => Some(true),
            Candidate::Weak if !self.is_within_body(self.position(self.at))? => Some(false),
            Candidate::Weak | Candidate::Text => None,
        })
    }

    /// Returns whether a Content-Length that was found to be right puts this offset into the body.
    fn is_within_body(&mut self, place: u64) -> io::Result<bool> {
        if let Claim::Unproven(end) = self.claim {
            // The field is checked when the first weak candidate depends on it, and once only, so
            // that a body full of candidates costs no more than one read elsewhere.
            self.claim = if place < end && is_message_end(self.source, end, self.found.end)? {
                Claim::Proven(end)
            } else if place < end {
                Claim::None
            } else {
                // This candidate lies behind the claimed end, so the claim decides nothing.
                self.claim
            };
        }
        Ok(matches!(self.claim, Claim::Proven(end) if place < end))
    }
}

/// Returns whether a message can end at this offset: at the end of the file or before a separator.
///
/// Line ends may stand between: some writers count them in their Content-Length, others do not.
fn is_message_end<S: ReadAt + ?Sized>(source: &S, place: u64, size: u64) -> io::Result<bool> {
    if place > size {
        return Ok(false);
    }
    // The byte before tells whether a line starts here.
    let mut text = vec![0; 1 + MAX_LINE_ENDS + LOOKAHEAD];
    let start = place.saturating_sub(1);
    let left = usize::try_from(size - start).unwrap_or(usize::MAX);
    let want = text.len().min(left);
    let count = read_full(source, &mut text[..want], start)?;
    let text = &text[..count];
    let skipped = (place - start) as usize;
    let blanks = text
        .iter()
        .skip(skipped)
        .take(MAX_LINE_ENDS)
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
