//! Removes the quoting of an mbox: `>From ` becomes `From `, and `>>From ` becomes `>From `.
//!
//! [`quote`](super::quote) writes it. Only a message that comes from an mbox is quoted: Maildirs and
//! MMDF mailboxes hold it as it was sent, so that one that goes there is unquoted once, and one that
//! lies there never. Who wrote an mbox is not known: a line that stood there unquoted stays as it is,
//! and one of a writer that does not quote at all (mboxcl2) loses a `>` of its own.

use std::io::{self, Read};

use memchr::{memchr, memmem};

/// How much of a message is held at once.
const BLOCK: usize = 64 * 1024;

/// The text of a quoted line after its `>`.
const FROM: &[u8] = b"From ";

/// Takes one `>` from lines that begin with `>From `, `>>From ` and so on.
pub(super) fn unquote(mut bytes: Vec<u8>) -> Vec<u8> {
    let starts: Vec<usize> = quoted_lines(&bytes).collect();
    // Bytes only move forward, by one more for each line: a large message needs no second buffer.
    let (mut to, mut from) = (0, 0);
    for start in starts {
        bytes.copy_within(from..start, to);
        to += start - from;
        from = start + 1;
    }
    let end = bytes.len();
    bytes.copy_within(from..end, to);
    bytes.truncate(to + end - from);
    bytes
}

/// Returns where lines of `>`s and `From ` begin.
fn quoted_lines(bytes: &[u8]) -> impl Iterator<Item = usize> + '_ {
    memmem::find_iter(bytes, b">From ").filter_map(|found| {
        // `>From ` is found once a line, at its last `>`: the line begins before all of them.
        let start = bytes[..found]
            .iter()
            .rposition(|&byte| byte != b'>')
            .map_or(0, |before| before + 1);
        let at_line_start = start == 0 || bytes[start - 1] == b'\n';
        at_line_start.then_some(start)
    })
}

/// Reads a message of an mbox without its quoting; a block of it is in memory.
pub(in crate::mailbox) struct Unquoted<'r> {
    inner: &'r mut dyn Read,
    /// Bytes that were read but not yet examined.
    block: Vec<u8>,
    /// How much of the block is filled.
    filled: usize,
    at_end: bool,
    /// The output that is ready, and how much of it was returned.
    ready: Vec<u8>,
    given: usize,
    place: LinePosition,
}

/// The place in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LinePosition {
    /// At its start.
    Start,
    /// After `>` only, one of which is held back.
    Quotes,
    /// Anywhere else.
    Within,
}

impl<'r> Unquoted<'r> {
    pub(in crate::mailbox) fn new(inner: &'r mut dyn Read) -> Unquoted<'r> {
        Unquoted {
            inner,
            block: vec![0; BLOCK],
            filled: 0,
            at_end: false,
            ready: Vec::new(),
            given: 0,
            place: LinePosition::Start,
        }
    }

    /// Reads once, and makes ready what can be judged then.
    fn refill(&mut self) -> io::Result<()> {
        let count = self.inner.read(&mut self.block[self.filled..])?;
        self.filled += count;
        self.at_end = count == 0;
        self.given = 0;
        self.ready.clear();
        let used = self.judge();
        self.block.copy_within(used..self.filled, 0);
        self.filled -= used;
        Ok(())
    }

    /// Makes the start of the block ready, all of it at the end of the message; returns its length.
    fn judge(&mut self) -> usize {
        let text = &self.block[..self.filled];
        let mut at = 0;
        while at < text.len() {
            let rest = &text[at..];
            let step = match self.place {
                LinePosition::Start if rest[0] == b'>' => {
                    self.place = LinePosition::Quotes;
                    at += 1;
                    continue;
                }
                LinePosition::Start | LinePosition::Within => match memchr(b'\n', rest) {
                    Some(end) => {
                        self.place = LinePosition::Start;
                        end + 1
                    }
                    None => {
                        self.place = LinePosition::Within;
                        rest.len()
                    }
                },
                LinePosition::Quotes => {
                    let quotes = rest.iter().take_while(|byte| **byte == b'>').count();
                    let behind = &rest[quotes..];
                    if behind.len() < FROM.len() && !self.at_end {
                        self.ready.extend_from_slice(&rest[..quotes]);
                        return at + quotes;
                    }
                    // The one that was held back is like the others, so that it may follow them.
                    if !behind.starts_with(FROM) {
                        self.ready.push(b'>');
                    }
                    self.place = LinePosition::Within;
                    quotes
                }
            };
            self.ready.extend_from_slice(&rest[..step]);
            at += step;
        }
        if self.at_end && self.place == LinePosition::Quotes {
            self.ready.push(b'>');
        }
        at
    }
}

impl Read for Unquoted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.ready.len() {
            if self.at_end {
                return Ok(0);
            }
            self.refill()?;
        }
        let count = buffer.len().min(self.ready.len() - self.given);
        buffer[..count].copy_from_slice(&self.ready[self.given..][..count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    use crate::mailbox::format::quote::Form;
    use crate::mailbox::format::quote::tests::{Pieces, copied};

    /// Unquotes a message that comes in pieces of this size.
    fn streamed(bytes: &[u8], size: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let mut pieces = Pieces(bytes, size);
        Unquoted::new(&mut pieces)
            .read_to_end(&mut out)
            .expect("memory");
        out
    }

    #[test]
    fn quoting_is_undone_by_one_level_at_line_starts() {
        let cases: &[(&[u8], &[u8])] = &[
            (b">From a\n", b"From a\n"),
            (
                b"x\n>>From a\n>From b\ny >From c\n",
                b"x\n>From a\nFrom b\ny >From c\n",
            ),
            (
                b"> From a\n>Fromage\n>from \n",
                b"> From a\n>Fromage\n>from \n",
            ),
            (b"From a\r\n>From b\r\n", b"From a\r\nFrom b\r\n"),
            (b">\n>>\n>", b">\n>>\n>"),
            (b">From", b">From"),
            (b">>From ", b">From "),
            (b"x\n\n>From d", b"x\n\nFrom d"),
            (b"\r>From d\n\0>From \n", b"\r>From d\n\0>From \n"),
            (b"", b""),
        ];
        for (given, expected) in cases {
            assert_eq!(unquote(given.to_vec()), *expected);
            for size in 1..8 {
                assert_eq!(streamed(given, size), *expected, "{size}");
            }
        }
    }

    #[test]
    fn borders_of_blocks_change_nothing_when_quoting_is_undone() {
        for shift in 0..24 {
            let mut message = vec![b'x'; BLOCK - 12 + shift];
            message.extend_from_slice(b"\n>>From x\n>From y\n");
            assert_eq!(streamed(&message, BLOCK), unquote(message), "{shift}");
        }
        let mut message = vec![b'>'; 2 * BLOCK];
        message.extend_from_slice(b"From x\n");
        assert_eq!(streamed(&message, BLOCK).len(), message.len() - 1);
    }

    proptest! {
        #[test]
        fn what_was_quoted_comes_back(
            lines in prop::collection::vec("[>]{0,4}(From |From|from )?[>a: ]{0,3}\r?\n{1,2}", 0..20),
            size in 1..30_usize,
        ) {
            let message = format!("To: a\n\n{}", lines.concat());
            let quoted = copied(message.as_bytes(), Form::Message);
            prop_assert_eq!(streamed(&quoted, size), message.as_bytes());
            prop_assert_eq!(unquote(quoted), message.as_bytes());
        }
    }
}
