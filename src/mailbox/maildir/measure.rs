//! Reads the file of one message: its length, the number of its lines, the end of its header.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;

use memchr::memchr_iter;

use crate::mailbox::format::header_meter::HeaderMeter;
use crate::mailbox::format::mbox::{MessageRef, SHOWN_HEADER};

/// How many bytes are read at once.
const BLOCK: usize = 64 * 1024;

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
        let (mut len, mut lines) = (0_u64, 0_u64);
        let mut meter = HeaderMeter::default();
        let mut last = b'\n';
        loop {
            let count = match file.read(&mut self.block) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let block = &self.block[..count];
            len += count as u64;
            // Most messages fit in one block, and a second read that returns 0 is saved. A full block
            // does not end the loop, even if the length fits.
            let is_last = len == metadata.len() && count < BLOCK;
            // The length of the whole header is counted, but only its beginning kept: a hostile
            // message may be one header of many gigabytes.
            if !meter.is_done() {
                let room = SHOWN_HEADER.saturating_sub(self.header.len());
                self.header.extend_from_slice(&block[..count.min(room)]);
                meter.take(block, is_last);
            }
            lines += memchr_iter(b'\n', block).count() as u64;
            last = block[count - 1];
            if is_last {
                break;
            }
        }
        meter.take(b"", true);
        let shown = usize::try_from(meter.len()).unwrap_or(SHOWN_HEADER);
        self.header.truncate(shown);
        // A last line without a newline counts.
        lines += u64::from(last != b'\n');
        Ok(Some(MessageRef {
            len,
            lines: Some(u32::try_from(lines).unwrap_or(u32::MAX)),
            header_len: u32::try_from(meter.len()).unwrap_or(u32::MAX),
            is_strict: true,
            ..MessageRef::default()
        }))
    }

    /// Returns the header block of the last message, cut at [`SHOWN_HEADER`].
    pub(super) fn header(&self) -> &[u8] {
        &self.header
    }
}
