//! Reads the file of one message: its length, the number of its lines, the end of its header.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;

use memchr::{memchr, memchr_iter};

use crate::mailbox::format::mbox::{MessageRef, SHOWN_HEADER};

/// How many bytes are read at once.
const BLOCK: usize = 64 * 1024;

/// The position of the header's reader, kept between two blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HeaderState {
    /// At the start of a line.
    Start,
    /// Behind a carriage return at the start of a line.
    Return,
    /// Anywhere else in a line.
    Line,
    /// Behind the empty line.
    Body,
}

/// Buffers that are used for one message after the other.
#[derive(Debug, Default)]
pub(super) struct Measurer {
    block: Vec<u8>,
    header: Vec<u8>,
}

impl Measurer {
    /// Reads a message; `None` for a file that was read already under another name.
    pub(super) fn message(
        &mut self,
        mut file: &File,
        seen: &mut HashSet<(u64, u64)>,
    ) -> io::Result<Option<MessageRef>> {
        // On the open file: the name may have become a FIFO's since the directory was listed.
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        if !seen.insert((metadata.dev(), metadata.ino())) {
            return Ok(None);
        }
        self.block.resize(BLOCK, 0);
        self.header.clear();
        let (mut len, mut header_len, mut lines) = (0_u64, 0_u64, 0_u64);
        let mut state = HeaderState::Start;
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
            // The length of the whole header is counted, but only its beginning kept: a hostile
            // message may be one header of many gigabytes.
            let room = SHOWN_HEADER.saturating_sub(self.header.len());
            self.header.extend_from_slice(&block[..part.min(room)]);
            lines += memchr_iter(b'\n', block).count() as u64;
            last = block[count - 1];
            len += count as u64;
            // Most messages fit in one block, and a second read that returns 0 is saved. A full block
            // does not end the loop, even if the length fits.
            if len == metadata.len() && count < BLOCK {
                break;
            }
        }
        // A last line without a newline counts.
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
fn header_part(block: &[u8], state: &mut HeaderState) -> usize {
    let mut at = 0;
    while at < block.len() && *state != HeaderState::Body {
        let byte = block[at];
        // CR LF and LF both end a line, but a CR elsewhere does not: `To: a CR LF CR CR LF` has no
        // empty line yet.
        *state = match (*state, byte) {
            (HeaderState::Start | HeaderState::Return, b'\n') => HeaderState::Body,
            (HeaderState::Start, b'\r') => HeaderState::Return,
            // Any other byte belongs to a line whose content does not matter.
            _ => match memchr(b'\n', &block[at..]) {
                Some(end) => {
                    at += end;
                    HeaderState::Start
                }
                None => {
                    at = block.len() - 1;
                    HeaderState::Line
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
                let mut state = HeaderState::Start;
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
