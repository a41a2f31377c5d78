//! Finds the end of the header of a message that is read in blocks. The rule is in [`header_line`].

use memchr::memchr;

use crate::message::parse::fields::{HeaderLine, LOOKAHEAD, header_line};

/// Measures a header; how its message is cut into blocks makes no difference.
#[derive(Debug, Default)]
pub(in crate::mailbox) struct HeaderMeter {
    /// The length so far, with the empty line that ends the header.
    len: u64,
    /// Bytes behind it that are too few to judge.
    kept: Vec<u8>,
    has_field: bool,
    /// Whether the end of the last line was not found yet.
    in_line: bool,
    is_done: bool,
}

impl HeaderMeter {
    /// Reads the next block of the message; `is_last` marks the last one.
    pub(in crate::mailbox) fn take(&mut self, block: &[u8], is_last: bool) {
        if self.is_done {
            return;
        }
        if self.kept.is_empty() {
            let used = self.judge(block, is_last);
            self.kept.extend_from_slice(&block[used..]);
        } else {
            let mut text = std::mem::take(&mut self.kept);
            text.extend_from_slice(block);
            text.drain(..self.judge(&text, is_last));
            self.kept = text;
        }
        if self.is_done {
            self.kept.clear();
        }
    }

    /// Judges as many lines as can be judged; returns how many bytes of the header they are.
    fn judge(&mut self, text: &[u8], is_last: bool) -> usize {
        let mut at = 0;
        while at < text.len() && !self.is_done {
            let rest = &text[at..];
            if !self.in_line {
                if rest.len() < LOOKAHEAD && !is_last {
                    break;
                }
                match header_line(rest, self.has_field) {
                    HeaderLine::Field => self.has_field = true,
                    HeaderLine::Continuation | HeaderLine::OldFromLine => {}
                    HeaderLine::Separator => self.is_done = true,
                    HeaderLine::Text => {
                        self.is_done = true;
                        break;
                    }
                }
            }
            let end = memchr(b'\n', rest);
            self.in_line = end.is_none();
            at += end.map_or(rest.len(), |end| end + 1);
        }
        self.len += at as u64;
        self.is_done |= is_last;
        at
    }

    /// Returns whether the end of the header was found.
    pub(in crate::mailbox) fn is_done(&self) -> bool {
        self.is_done
    }

    /// Returns the length of the header, as far as it was found.
    pub(in crate::mailbox) fn len(&self) -> u64 {
        self.len
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    use crate::message::parse::fields;

    /// Measures a message that comes in blocks of this size.
    fn measured(text: &[u8], size: usize) -> u64 {
        let mut meter = HeaderMeter::default();
        text.chunks(size).for_each(|block| meter.take(block, false));
        meter.take(b"", true);
        assert!(meter.is_done());
        meter.len()
    }

    /// Pieces of headers whose order decides where the header ends.
    fn piece() -> impl Strategy<Value = String> {
        prop_oneof![
            4 => Just("To: b\n".to_owned()),
            2 => Just(" folded\r\n".to_owned()),
            2 => Just("\n".to_owned()),
            1 => Just("\r\n".to_owned()),
            2 => Just(" \n".to_owned()),
            1 => Just("text\n".to_owned()),
            1 => Just("From a Mon Nov 16 09:00:00 2026\n".to_owned()),
            1 => Just(">From b\n".to_owned()),
            1 => Just("To".to_owned()),
            1 => (0..5000_usize).prop_map(|length| format!("{}: x\n", "n".repeat(length))),
            1 => (0..5000_usize).prop_map(|length| format!("X: {}\n", "x".repeat(length))),
            1 => (0..5000_usize).prop_map(|length| format!("{}\n", " ".repeat(length))),
        ]
    }

    proptest! {
        #[test]
        fn the_header_ends_where_it_ends_however_the_blocks_fall(
            pieces in prop::collection::vec(piece(), 0..12),
            size in 1..6000_usize,
        ) {
            let text = pieces.concat();
            let expected = fields::header_len(text.as_bytes()) as u64;
            prop_assert_eq!(measured(text.as_bytes(), size), expected);
        }
    }
}
