//! Uuencode blocks in bodies, as `(cat msg; uuencode f f) | mailx` makes them.
//!
//! The formats are those of POSIX uuencode: the classic one, `begin 644 name`
//! to `end`, and `begin-base64 644 name` to `====`.

use std::io::{self, BufRead, BufReader, Read};

use ::base64::Engine;
use ::base64::prelude::BASE64_STANDARD;

use crate::message::MessageSource;
use crate::message::value::FileName;

/// More blocks than this in one body are left as text.
const MAX_BLOCKS: usize = 256;

/// A complete block found in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UuBlock {
    /// Where its `begin` line starts.
    pub start: u64,
    /// Where the line after its last one starts.
    pub end: u64,
    /// The file's name on the `begin` line.
    pub name: FileName,
    base64: bool,
}

/// Where the scan of lines stands.
#[derive(Default)]
enum BlockState {
    #[default]
    Outside,
    Inside(UuBlock),
    /// After the line of no bytes, before `end`.
    Ending(UuBlock),
}

/// Finds complete blocks line by line.
#[derive(Default)]
pub(in crate::message) struct UuScanner {
    state: BlockState,
    blocks: Vec<UuBlock>,
}

impl UuScanner {
    /// Takes a line without its line end, and where it and the next one start.
    pub(in crate::message) fn line(&mut self, line: &[u8], start: u64, next: u64) {
        self.state = match std::mem::take(&mut self.state) {
            BlockState::Outside => outside(line, start),
            BlockState::Inside(block) if block.base64 => match line {
                b"====" => self.complete(block, next),
                _ if is_base64_line(line) => BlockState::Inside(block),
                // Not a block after all; the line may begin one.
                _ => outside(line, start),
            },
            BlockState::Inside(block) => match classic_len(line) {
                Some(0) => BlockState::Ending(block),
                Some(_) => BlockState::Inside(block),
                None => outside(line, start),
            },
            BlockState::Ending(block) if line == b"end" => self.complete(block, next),
            BlockState::Ending(_) => outside(line, start),
        };
    }

    fn complete(&mut self, mut block: UuBlock, end: u64) -> BlockState {
        block.end = end;
        self.blocks.push(block);
        BlockState::Outside
    }

    pub(in crate::message) fn into_blocks(self) -> Vec<UuBlock> {
        // Each block becomes an attachment that reads the body again: more of them would take time
        // that grows with the square of their number.
        match self.blocks.len() {
            0..=MAX_BLOCKS => self.blocks,
            _ => Vec::new(),
        }
    }
}

/// Returns the state after a line outside any block.
fn outside(line: &[u8], start: u64) -> BlockState {
    let (base64, rest) = if let Some(rest) = line.strip_prefix(b"begin ") {
        (false, rest)
    } else if let Some(rest) = line.strip_prefix(b"begin-base64 ") {
        (true, rest)
    } else {
        return BlockState::Outside;
    };
    let digits = rest
        .iter()
        .take_while(|b| (b'0'..=b'7').contains(b))
        .count();
    match rest[digits..].strip_prefix(b" ") {
        Some(name) if (3..=4).contains(&digits) && !name.trim_ascii().is_empty() => {
            BlockState::Inside(UuBlock {
                start,
                end: start,
                name: FileName::from_path(name.trim_ascii()),
                base64,
            })
        }
        _ => BlockState::Outside,
    }
}

/// Returns how many bytes a line of the classic format holds, if it is one.
fn classic_len(line: &[u8]) -> Option<usize> {
    let Some((&first, data)) = line.split_first() else {
        // The line of no bytes, whose only blank a mailer dropped.
        return Some(0);
    };
    let is_data = |byte: &u8| (b' '..=b'`').contains(byte);
    if !is_data(&first) || !data.iter().all(is_data) {
        return None;
    }
    let len = usize::from(sextet(first));
    // Some encoders add a checksum character.
    let columns = len.div_ceil(3) * 4;
    (columns..=columns + 1).contains(&data.len()).then_some(len)
}

fn sextet(byte: u8) -> u8 {
    byte.wrapping_sub(b' ') & 63
}

fn is_base64_line(line: &[u8]) -> bool {
    !line.is_empty() && line.len().is_multiple_of(4) && BASE64_STANDARD.decode(line).is_ok()
}

/// Hands the decoded bytes of a block to a function.
pub(in crate::message) fn decode(
    source: &dyn MessageSource,
    block: &UuBlock,
    mut take: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut reader = source.reader()?;
    io::copy(&mut reader.by_ref().take(block.start), &mut io::sink())?;
    let mut lines = BufReader::new(reader.take(block.end - block.start));
    let mut line = Vec::new();
    let mut is_first = true;
    let mut decoded = Vec::new();
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        decoded.clear();
        if std::mem::take(&mut is_first) || text == b"end" || text == b"====" {
            continue;
        } else if block.base64 {
            decoded = BASE64_STANDARD.decode(text).map_err(io::Error::other)?;
        } else {
            decode_classic(text, &mut decoded);
        }
        take(&decoded)?;
    }
}

fn decode_classic(line: &[u8], decoded: &mut Vec<u8>) {
    let Some((&first, data)) = line.split_first() else {
        return;
    };
    let len = usize::from(sextet(first));
    for group in data.chunks_exact(4) {
        let bits = group
            .iter()
            .fold(0, |bits, &b| bits << 6 | u32::from(sextet(b)));
        decoded.extend_from_slice(&bits.to_be_bytes()[1..]);
    }
    // The last group is padded to three bytes; the line's first character says how many count.
    decoded.truncate(len);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::analyse;

    const CLASSIC: &str = "begin 644 dir/hi.txt\n(:&5L;&\\L\"BT \n`\nend\n";

    fn decoded(body: &str, block: &UuBlock) -> Vec<u8> {
        let mut bytes = Vec::new();
        decode(&body.as_bytes().to_vec(), block, |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        })
        .unwrap();
        bytes
    }

    #[test]
    fn a_classic_block_between_texts() {
        let body = format!("see below\n{CLASSIC}bye\n");
        let blocks = analyse(body.as_bytes()).unwrap().uu_blocks;
        assert_eq!(blocks.len(), 1);
        assert_eq!(blocks[0].name.as_str(), "hi.txt");
        assert_eq!(
            &body[blocks[0].start as usize..blocks[0].end as usize],
            CLASSIC
        );
        assert_eq!(decoded(&body, &blocks[0]), b"hello,\n-");
    }

    #[test]
    fn a_base64_block() {
        let body = "begin-base64 0600 x\naGVsbG8=\n====\n";
        let blocks = analyse(body.as_bytes()).unwrap().uu_blocks;
        assert_eq!(decoded(body, &blocks[0]), b"hello");
    }

    #[test]
    fn what_is_no_block() {
        for body in [
            "begin 644 x\nend\n",
            "begin 644 x\n(:&5L\n`\nend\n",
            "begin 644 x\n`\n",
            "begin 999 x\n`\nend\n",
            "begin 644 \n`\nend\n",
            "begin the day\n`\nend\n",
            "begin-base64 644 x\naGVsbG8\n====\n",
            "begin 644 x\n`\nend\n\u{e9}",
        ] {
            assert!(
                analyse(body.as_bytes()).unwrap().uu_blocks.is_empty(),
                "{body}"
            );
        }
        assert_eq!(
            analyse(&b"begin 644 x\nbegin 644 x\r\n`\r\nend"[..])
                .unwrap()
                .uu_blocks
                .len(),
            1
        );
    }
}
