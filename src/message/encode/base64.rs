//! Base64 for bodies (RFC 2045 section 6.8), in big blocks.

use std::io::{self, Write};

use ::base64::engine::general_purpose::PAD;
use ::base64::prelude::Engine;

// Of the two engines, SIMD takes a quarter less processor time for a message with a large
// attachment; the crate has it for these two processors only.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
use ::base64::engine::GeneralPurpose as Base64Engine;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use ::base64::engine::Simd as Base64Engine;

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn new_engine() -> Base64Engine {
    Base64Engine::standard(PAD)
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn new_engine() -> Base64Engine {
    Base64Engine::new(&::base64::alphabet::STANDARD, PAD)
}

/// Bytes that one line of 76 columns holds.
const LINE: usize = 57;
const COLUMNS: usize = 76;
/// Lines encoded in one go: the encoder is several times faster on long runs.
const LINES: usize = 256;

/// Returns how long so many bytes become, line ends included.
pub(in crate::message) fn encoded_len(len: u64) -> u64 {
    len.div_ceil(3) * 4 + len.div_ceil(LINE as u64)
}

/// Encodes a stream into lines of 76 columns; needs about 220 KiB.
pub(in crate::message) struct Base64Encoder<'a> {
    out: &'a mut dyn Write,
    // Boxed, because the engine holds its tables itself: 300 bytes.
    engine: Box<Base64Engine>,
    input: Vec<u8>,
    encoded: Vec<u8>,
    lines: Vec<u8>,
}

impl<'a> Base64Encoder<'a> {
    pub(in crate::message) fn new(out: &'a mut dyn Write) -> Base64Encoder<'a> {
        Base64Encoder {
            out,
            engine: Box::new(new_engine()),
            input: Vec::with_capacity(LINE * LINES),
            encoded: vec![0; COLUMNS * LINES],
            lines: Vec::with_capacity((COLUMNS + 1) * LINES),
        }
    }

    /// Takes the next bytes.
    pub(in crate::message) fn push(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let room = LINE * LINES - self.input.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.input.extend_from_slice(now);
            bytes = later;
            if self.input.len() == LINE * LINES {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Writes the bytes still held, the padding included, and returns the output.
    pub(in crate::message) fn finish(mut self) -> io::Result<&'a mut dyn Write> {
        self.flush()?;
        Ok(self.out)
    }

    fn flush(&mut self) -> io::Result<()> {
        // Before the last call the input is a whole number of lines, and so of groups of three
        // bytes: padding appears at the end of the body and nowhere else.
        let len = self
            .engine
            .encode_slice(&self.input, &mut self.encoded)
            .expect("the buffer holds all lines of the input");
        self.input.clear();
        self.lines.clear();
        for line in self.encoded[..len].chunks(COLUMNS) {
            self.lines.extend_from_slice(line);
            self.lines.push(b'\n');
        }
        self.out.write_all(&self.lines)
    }
}

#[cfg(test)]
mod tests {
    use ::base64::prelude::BASE64_STANDARD;

    use super::*;

    #[test]
    fn lines_are_76_columns_however_the_input_comes() {
        for len in [
            0,
            1,
            56,
            57,
            58,
            113,
            114,
            115,
            LINE * LINES,
            LINE * LINES + 1,
        ] {
            let input: Vec<u8> = (0..len).map(|i| i as u8).collect();
            let mut out = Vec::new();
            let mut encoder = Base64Encoder::new(&mut out);
            for piece in input.chunks(1000) {
                encoder.push(piece).unwrap();
            }
            encoder.finish().unwrap();
            assert!(out.is_empty() || out.ends_with(b"\n"));
            let text = String::from_utf8(out).unwrap();
            let full = text.lines().rev().skip(1).all(|line| line.len() == 76);
            assert!(full, "{len}");
            let joined = text.replace('\n', "");
            assert_eq!(BASE64_STANDARD.decode(&joined).unwrap(), input, "{len}");
            assert_eq!(joined, BASE64_STANDARD.encode(&input), "{len}");
        }
    }
}
