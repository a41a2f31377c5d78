//! The body of DATA: line ends and dots (RFC 5321 sections 2.3.8 and 4.5.2).
//!
//! Messages have LF line ends everywhere else; CRLF and dot-stuffing are made
//! here and nowhere else. Nothing here writes to a socket.

use std::io::{self, Read};

use memchr::memchr2;

/// How many bytes are gathered before they are written: large enough for throughput, small enough for memory.
pub(super) const BLOCK: usize = 32 * 1024;

/// What MAIL FROM has to declare of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct WireMeasure {
    /// Its size with CRLF line ends, before dot-stuffing, as RFC 1870 section 5 counts.
    pub(super) size: u64,
    /// Whether it has bytes over 127.
    pub(super) eight_bit: bool,
    /// Whether its header has bytes over 127: addresses that only UTF-8 can write (RFC 6532).
    pub(super) eight_bit_header: bool,
}

/// Returns an empty block to read a message of this length with.
///
/// Most messages are short, and each page of a large block would cost the system more than all of
/// the message. The length may be wrong: then it takes more reads.
fn block_for(len: u64) -> Vec<u8> {
    let len = usize::try_from(len).unwrap_or(BLOCK);
    vec![0; len.saturating_add(1).clamp(1024, BLOCK)]
}

/// Reads a message of about this length once to measure it.
///
/// # Errors
/// Fails when the message cannot be read.
pub(super) fn measure(reader: &mut dyn Read, len: u64) -> io::Result<WireMeasure> {
    let mut measure = WireMeasure::default();
    let mut block = block_for(len);
    let mut header = HeaderEnd::start();
    loop {
        let count = read_some(reader, &mut block)?;
        let bytes = &block[..count];
        if count == 0 {
            return Ok(measure);
        }
        measure.eight_bit_header |= !header.part_of(bytes).is_ascii();
        // Messages have LF line ends in here, so each one costs a byte more on the wire. A bare CR
        // in a message is not counted; SIZE is an estimate (RFC 1870 section 5).
        let line_ends = memchr::memchr_iter(b'\n', bytes).count();
        measure.size += (count + line_ends) as u64;
        measure.eight_bit |= !bytes.is_ascii();
    }
}

/// Finds where the header of a message ends, block by block.
struct HeaderEnd {
    is_behind: bool,
    /// Whether the last block ended in a line end.
    after_line: bool,
}

impl HeaderEnd {
    /// Before the first block: an empty line there ends an empty header.
    fn start() -> HeaderEnd {
        HeaderEnd {
            is_behind: false,
            after_line: true,
        }
    }

    /// Returns the part of the next block that is header.
    fn part_of<'b>(&mut self, block: &'b [u8]) -> &'b [u8] {
        if self.is_behind {
            return &[];
        }
        let starts_body = self.after_line && block.starts_with(b"\n");
        let end = if starts_body {
            Some(0)
        } else {
            memchr::memmem::find(block, b"\n\n")
        };
        self.is_behind = end.is_some();
        self.after_line = block.ends_with(b"\n");
        &block[..end.unwrap_or(block.len())]
    }
}

/// Reads what is there, through interruptions.
fn read_some(reader: &mut dyn Read, block: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(block) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Turns a message into the bytes that follow DATA, in blocks.
///
/// A block is never empty; the last one ends in the final dot, and only it: the bytes that make
/// the message the relay's are one write with the end of the body, so that Nagle's algorithm and
/// delayed acknowledgements never meet.
pub(super) struct Blocks<'a> {
    reader: Box<dyn Read + Send + 'a>,
    encoder: Encoder,
    input: Vec<u8>,
    done: bool,
}

/// A piece of the body of DATA.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Block {
    /// More follows.
    Middle(Vec<u8>),
    /// The end, with the final dot.
    Last(Vec<u8>),
}

impl<'a> Blocks<'a> {
    /// Starts at the beginning of what this reader gives, a message of about this length.
    pub(super) fn new(reader: Box<dyn Read + Send + 'a>, len: u64) -> Blocks<'a> {
        Blocks {
            reader,
            encoder: Encoder::default(),
            input: block_for(len),
            done: false,
        }
    }

    /// Returns the next block, `None` after the last one.
    ///
    /// # Errors
    /// Fails when the message cannot be read; then no [`Block::Last`] ever comes.
    pub(super) fn next(&mut self) -> io::Result<Option<Block>> {
        if self.done {
            return Ok(None);
        }
        let mut output = Vec::new();
        // The block is filled before it is returned: a reader that gives a few bytes at a time must
        // not become many small packets.
        while output.len() < BLOCK {
            let count = read_some(&mut *self.reader, &mut self.input)?;
            if count == 0 {
                self.done = true;
                self.encoder.finish(&mut output);
                return Ok(Some(Block::Last(output)));
            }
            self.encoder.encode(&self.input[..count], &mut output);
        }
        Ok(Some(Block::Middle(output)))
    }
}

/// Where in a line we are.
#[derive(Debug)]
struct Encoder {
    at_line_start: bool,
    after_cr: bool,
}

impl Default for Encoder {
    fn default() -> Encoder {
        Encoder {
            at_line_start: true,
            after_cr: false,
        }
    }
}

impl Encoder {
    /// Appends the encoding of the next bytes. LF, CRLF and a CR alone are each one line end:
    /// whatever the message holds, no bare CR or LF leaves, so a message cannot smuggle in a final dot.
    fn encode(&mut self, mut input: &[u8], output: &mut Vec<u8>) {
        output.reserve(input.len() + input.len() / 32 + 8);
        while let Some(first) = input.first() {
            // The CR of this CRLF was written as a line end already, maybe at the end of the block
            // before.
            if std::mem::take(&mut self.after_cr) && *first == b'\n' {
                input = &input[1..];
                continue;
            }
            // RFC 5321 section 4.5.2: a dot in front of a line is doubled, and the relay takes one
            // off.
            if self.at_line_start && *first == b'.' {
                output.push(b'.');
            }
            let Some(end) = memchr2(b'\n', b'\r', input) else {
                output.extend_from_slice(input);
                self.at_line_start = false;
                return;
            };
            output.extend_from_slice(&input[..end]);
            output.extend_from_slice(b"\r\n");
            self.at_line_start = true;
            self.after_cr = input[end] == b'\r';
            input = &input[end + 1..];
        }
    }

    /// Appends the final dot, after a line end if there was none.
    fn finish(&mut self, output: &mut Vec<u8>) {
        if !self.at_line_start {
            output.extend_from_slice(b"\r\n");
        }
        output.extend_from_slice(b".\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Encodes with readers that give this many bytes a time.
    fn encoded(message: &[u8], step: usize) -> Vec<u8> {
        let mut encoder = Encoder::default();
        let mut output = Vec::new();
        for piece in message.chunks(step) {
            encoder.encode(piece, &mut output);
        }
        encoder.finish(&mut output);
        output
    }

    #[test]
    fn line_ends_and_dots() {
        let table: &[(&[u8], &[u8])] = &[
            (b"", b".\r\n"),
            (b"a\n", b"a\r\n.\r\n"),
            (b"a", b"a\r\n.\r\n"),
            (b"a\n\n", b"a\r\n\r\n.\r\n"),
            (b".\n", b"..\r\n.\r\n"),
            (b"a\n.\nb\n", b"a\r\n..\r\nb\r\n.\r\n"),
            (b"a\n..b\n.c", b"a\r\n...b\r\n..c\r\n.\r\n"),
            (b"a.b\n", b"a.b\r\n.\r\n"),
            (b"a\r\nb\r\n", b"a\r\nb\r\n.\r\n"),
            (b"a\r.\rb", b"a\r\n..\r\nb\r\n.\r\n"),
            (b"a\r\r\n.\nQUIT\n", b"a\r\n\r\n..\r\nQUIT\r\n.\r\n"),
        ];
        for (message, wire) in table {
            for step in 1..=3 {
                let step = if step == 3 { 1024 } else { step };
                assert_eq!(encoded(message, step), *wire, "{message:?} by {step}");
            }
        }
    }

    #[test]
    fn a_small_message_is_one_block_and_a_large_one_ends_in_the_dot() {
        let mut small = Blocks::new(Box::new(&b"hi\n"[..]), 3);
        assert_eq!(
            small.next().expect("readable"),
            Some(Block::Last(b"hi\r\n.\r\n".to_vec()))
        );
        assert_eq!(small.next().expect("readable"), None);

        let message = b".0123456789abcdef\n".repeat(40_000);
        let mut blocks = Blocks::new(Box::new(&message[..]), message.len() as u64);
        let (mut wire, mut middles) = (Vec::new(), 0);
        while let Some(block) = blocks.next().expect("readable") {
            match block {
                Block::Middle(bytes) => {
                    assert!(bytes.len() >= BLOCK);
                    middles += 1;
                    wire.extend(bytes);
                }
                Block::Last(bytes) => wire.extend(bytes),
            }
        }
        assert!(middles > 1);
        assert_eq!(wire, encoded(&message, message.len()));
    }

    #[test]
    fn measures_what_the_relay_will_store() {
        let measured = measure(&mut &b"a\n.\n\xe9\n"[..], 6).expect("readable");
        assert_eq!(
            measured,
            WireMeasure {
                size: 9,
                eight_bit: true,
                eight_bit_header: true,
            }
        );
    }

    #[test]
    fn the_header_ends_at_the_blank_line_wherever_a_block_ends() {
        for (message, in_header) in [
            ("To: j\u{f6}rg@x\n\na\n", true),
            ("To: a@x\n\n\u{f6}\n", false),
            ("\n\u{f6}\n\n", false),
        ] {
            for size in 1..=message.len() {
                let mut header = HeaderEnd::start();
                let blocks = message.as_bytes().chunks(size);
                let found = blocks.fold(false, |found, block| {
                    found | !header.part_of(block).is_ascii()
                });
                assert_eq!(found, in_header, "{message:?} in blocks of {size}");
            }
        }
    }

    /// Reads the body of DATA as a server does: dots off, up to the final one.
    fn unstuffed(wire: &[u8]) -> Vec<u8> {
        let body = wire.strip_suffix(b".\r\n").expect("a final dot");
        let mut message = Vec::new();
        for line in body.split_inclusive(|byte| *byte == b'\n') {
            assert_ne!(line, b".\r\n", "a final dot in the middle");
            message.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
        }
        message
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_arrive_with_canonical_line_ends(
            pieces in proptest::collection::vec("[.a\r\n\u{e9}]{0,12}", 0..12)
        ) {
            let mut encoder = Encoder::default();
            let mut wire = Vec::new();
            for piece in &pieces {
                encoder.encode(piece.as_bytes(), &mut wire);
            }
            encoder.finish(&mut wire);
            let mut lines = pieces.concat().replace("\r\n", "\n").replace('\r', "\n");
            if !lines.is_empty() && !lines.ends_with('\n') {
                lines.push('\n');
            }
            proptest::prop_assert_eq!(unstuffed(&wire), lines.replace('\n', "\r\n").into_bytes());
        }
    }
}
