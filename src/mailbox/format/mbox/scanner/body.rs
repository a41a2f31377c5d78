//! The scanner within a body: separators, Content-Length, and unfinished messages.

use std::io;

use memchr::memmem;
use memchr::{memchr, memchr_iter};

use super::{ScanState, Scanner, to_u32};
use crate::mailbox::format::separator::{
    Candidate, LOOKBEHIND, SEARCHED_HEADER, ends_with_blank_line, is_message_header, judge,
};
use crate::mailbox::format::torn;
use crate::mailbox::read_at::{ReadAt, read_full};

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

    /// Goes to the mail that another program has appended after an unfinished message.
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
            Candidate::Undated if !self.is_before_message_header()? => None,
            Candidate::Weak | Candidate::Undated => {
                let place = self.position(self.at);
                let is_text = self.claim.covers(self.source, place, self.found.end)?;
                (!is_text).then_some(false)
            }
            Candidate::Text => None,
        })
    }

    /// Returns whether the header of a message stands behind the current line.
    fn is_before_message_header(&self) -> io::Result<bool> {
        let line = memchr(b'\n', &self.window[self.at..self.filled]);
        let start = line.map_or(self.filled, |end| self.at + end + 1);
        if let Some(found) = is_message_header(&self.window[start..self.filled], self.at_end) {
            return Ok(found);
        }
        // The header goes on behind the window.
        let mut text = vec![0; SEARCHED_HEADER];
        let start = self.position(start);
        let left = usize::try_from(self.found.end - start).unwrap_or(usize::MAX);
        let want = left.min(SEARCHED_HEADER);
        let count = read_full(self.source, &mut text[..want], start)?;
        Ok(is_message_header(&text[..count], true) == Some(true))
    }
}
