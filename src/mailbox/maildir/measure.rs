//! Looks at the file of one message: how long it is, how many lines it has, where its header ends.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;

use memchr::{memchr, memchr_iter};

use crate::mailbox::format::mbox::{MessageRef, SHOWN_HEADER};

/// How much is read at once.
const BLOCK: usize = 64 * 1024;

/// Where a reader of a header stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// At the start of a line.
    Start,
    /// Behind a carriage return at the start of a line.
    Return,
    /// Anywhere else in a line.
    Line,
    /// Behind the empty line.
    Body,
}

/// Room for one message after the other.
#[derive(Debug, Default)]
pub(super) struct Measure {
    block: Vec<u8>,
    header: Vec<u8>,
}

impl Measure {
    /// Looks at a message; `None` for a file that was seen already under another name.
    pub(super) fn message(
        &mut self,
        mut file: &File,
        seen: &mut HashSet<(u64, u64)>,
    ) -> io::Result<Option<MessageRef>> {
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        if !seen.insert((metadata.dev(), metadata.ino())) {
            return Ok(None);
        }
        self.block.resize(BLOCK, 0);
        self.header.clear();
        let (mut len, mut header_len, mut lines) = (0_u64, 0_u64, 0_u64);
        let mut state = State::Start;
        let mut last = b'\n';
        loop {
            let count = match file.read(&mut self.block) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let block = &self.block[..count];
            let part = header_part(block, &mut state);
            header_len += part as u64;
            let room = SHOWN_HEADER.saturating_sub(self.header.len());
            self.header.extend_from_slice(&block[..part.min(room)]);
            lines += memchr_iter(b'\n', block).count() as u64;
            last = block[count - 1];
            len += count as u64;
            // The usual message needs no second call to learn that it ends.
            if len == metadata.len() && count < BLOCK {
                break;
            }
        }
        // A last line without its newline is a line.
        lines += u64::from(last != b'\n');
        Ok(Some(MessageRef {
            len,
            lines: Some(u32::try_from(lines).unwrap_or(u32::MAX)),
            header_len: u32::try_from(header_len).unwrap_or(u32::MAX),
            is_strict: true,
            ..MessageRef::default()
        }))
    }

    /// Returns the header block of the last message, cut at [`SHOWN_HEADER`].
    pub(super) fn header(&self) -> &[u8] {
        &self.header
    }
}

/// Returns how much of a block belongs to the header, its empty line included.
fn header_part(block: &[u8], state: &mut State) -> usize {
    let mut at = 0;
    while at < block.len() && *state != State::Body {
        let byte = block[at];
        *state = match (*state, byte) {
            (State::Start | State::Return, b'\n') => State::Body,
            (State::Start, b'\r') => State::Return,
            _ => match memchr(b'\n', &block[at..]) {
                Some(end) => {
                    at += end;
                    State::Start
                }
                None => {
                    at = block.len() - 1;
                    State::Line
                }
            },
        };
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_ends_behind_its_empty_line_however_the_blocks_fall() {
        let rows = [
            ("", 0),
            ("\n", 1),
            ("\r\n", 2),
            ("\nbody\n", 1),
            ("To: a\n\nbody\n\n", 7),
            ("To: a\r\n\r\nbody\r\n", 9),
            ("To: a\r\r\n\n\n", 9),
            ("To: a\n\r\r\n\n", 10),
            ("To: a", 5),
            ("To: a\n", 6),
            ("To: a\n \n\nbody", 9),
        ];
        for (text, expected) in rows {
            for size in 1..=text.len().max(1) {
                let mut state = State::Start;
                let found: usize = text
                    .as_bytes()
                    .chunks(size)
                    .map(|block| header_part(block, &mut state))
                    .sum();
                assert_eq!(found, expected, "{text:?} in blocks of {size}");
            }
        }
    }
}
