//! The scanner within a header block: flags, Content-Length, fingerprint, and where the block ends.

use std::io;

use memchr::{memchr, memchr_iter};
use twox_hash::XxHash3_64;

use super::claim::Claim;
use super::{ScanState, Scanner, to_u32};
use crate::mailbox::format::mbox::fingerprint::{
    content_length, fingerprint_of, is_worth_a_look, may_change,
};
use crate::mailbox::format::mbox::index::SHOWN_HEADER;
use crate::mailbox::format::separator::LOOKAHEAD;
use crate::mailbox::read_at::ReadAt;
use crate::message::parse::fields::{HeaderLine, field_name_len, header_line};

impl<S: ReadAt + ?Sized> Scanner<'_, S> {
    /// Passes whole header lines, up to one that [`judged_line`](Scanner::judged_line) must judge:
    /// the empty line, one that is no field, or one whose end is not in the window.
    ///
    /// One search finds the ends of all these lines: a mailbox of short messages is mostly header.
    pub(super) fn fields(&mut self) {
        let limit = self.limit();
        let mut at = self.at;
        let mut lines = 0_u32;
        for end in memchr_iter(b'\n', &self.window[self.at..self.filled]) {
            let end = self.at + end;
            if at >= limit {
                break;
            }
            let line = &self.window[at..end];
            if field_name_len(line).is_none() {
                // Blanks with something behind them continue the field before.
                let continues =
                    matches!(line.first(), Some(b' ' | b'\t')) && !line.trim_ascii().is_empty();
                if !(continues && self.has_field) {
                    break;
                }
            } else {
                self.has_field = true;
            }
            if is_worth_a_look(self.window[at]) {
                // A field counts up to LOOKAHEAD bytes, whatever the block size is: a larger
                // window must not see more of it than a smaller one.
                let line = &line[..line.len().min(LOOKAHEAD)];
                if may_change(line) {
                    self.status.read(line);
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

    /// Passes one line of the header block, or ends the block.
    pub(super) fn judged_line(&mut self) -> io::Result<()> {
        let text = &self.window[self.at..self.filled];
        // A separator ends even a header block without its empty line: a writer that died there
        // must not hide the next message.
        if text.starts_with(b"From ")
            && let Some(is_strict) = self.separator()?
        {
            self.next_message(is_strict);
            return Ok(());
        }
        let text = &self.window[self.at..self.filled];
        let end = memchr(b'\n', text);
        match header_line(text, self.has_field) {
            HeaderLine::Field => self.has_field = true,
            HeaderLine::Continuation | HeaderLine::OldFromLine => {}
            HeaderLine::Separator => {
                self.at += end.map_or(text.len(), |end| end + 1);
                self.add_lines(1);
                self.end_header();
                return Ok(());
            }
            HeaderLine::Text => {
                self.end_header();
                return Ok(());
            }
        }
        // As in `fields`: LOOKAHEAD bytes of a field count.
        let line = &text[..end.unwrap_or(text.len()).min(LOOKAHEAD)];
        if may_change(line) {
            self.status.read(line);
            self.content_length = content_length(line).or(self.content_length);
            let start = self.base + self.at as u64 - self.message.offset;
            // `long_line` replaces the maximum when it reaches the end of the line.
            let len = end.map(|end| end as u64 + 1);
            self.changing
                .push((start, len.map_or(u64::MAX, |len| start + len)));
        }
        self.add_lines(1);
        match end {
            Some(end) => self.at += end + 1,
            None => {
                self.at = self.filled;
                self.state = ScanState::LongLine;
            }
        }
        Ok(())
    }

    /// Passes the next piece of a header line that does not end in the window.
    pub(super) fn long_line(&mut self) {
        let text = &self.window[self.at..self.filled];
        match memchr(b'\n', text) {
            Some(end) => {
                self.at += end + 1;
                self.state = ScanState::Header;
                // If this line is a field that changes, `judged_line` has left its end open.
                let here = self.position(self.at) - self.message.offset;
                if let Some((_, end @ u64::MAX)) = self.changing.last_mut() {
                    *end = here;
                }
            }
            None => self.at = self.filled,
        }
    }

    /// Ends the header block at the scanner's place, and computes what depends on all of it.
    pub(super) fn end_header(&mut self) {
        self.head_end = self.at;
        self.message.flags = self.status.flags();
        let part = &self.window[self.head_start..self.head_end];
        let header = if self.head.is_empty() {
            // The whole block is still in the window, and need not be copied.
            &part[..part.len().min(SHOWN_HEADER)]
        } else {
            let room = SHOWN_HEADER.saturating_sub(self.head.len());
            self.head.extend_from_slice(&part[..part.len().min(room)]);
            // The part is in `head` now; `finish_message` must not add it again.
            self.head_start = self.head_end;
            &self.head
        };
        self.message.fingerprint = match self.changing[..] {
            [] => XxHash3_64::oneshot(header),
            // The message ends within a field that changes, so that its end was never found.
            [.., (_, u64::MAX)] => fingerprint_of(header),
            _ => {
                self.unchanging.clear();
                // Fields beyond the 64 KiB that count lie outside `header`.
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
        // A length that leads beyond the largest offset is no length.
        self.claim = self
            .content_length
            .and_then(|length| body.checked_add(length))
            .map_or(Claim::None, Claim::Unproven);
        self.state = ScanState::Body;
    }
}
