//! UTF-16 and UTF-32: charsets in which a NUL is half of a letter.

use std::io::{self, Read, Write};

use encoding_rs::{CoderResult, UTF_16BE, UTF_16LE};

/// How much text is decoded at once.
pub(super) const PIECE: usize = 32 * 1024;

/// The order of the bytes of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ByteOrder {
    /// The high byte first.
    Big,
    /// The low byte first.
    Little,
}

/// How much of a text without a byte order mark is looked at to find its byte order.
const GUESSED: usize = 4096;

/// How much is read at a time.
const BLOCK: usize = 16 * 1024;

/// Returns the byte order of a text in units of two or four bytes, and the text without its byte
/// order mark.
///
/// The mark outranks the order that the label names; without both, most letters have a high byte of 0.
pub(super) fn order_of(bytes: &[u8], unit: usize, named: Option<ByteOrder>) -> (ByteOrder, &[u8]) {
    let mark = |order: ByteOrder| {
        let mark: &[u8] = match (order, unit) {
            (ByteOrder::Big, 2) => b"\xfe\xff",
            (ByteOrder::Little, 2) => b"\xff\xfe",
            (ByteOrder::Big, _) => b"\0\0\xfe\xff",
            (ByteOrder::Little, _) => b"\xff\xfe\0\0",
        };
        bytes.strip_prefix(mark).map(|rest| (order, rest))
    };
    let found = mark(ByteOrder::Little).or_else(|| mark(ByteOrder::Big));
    found.unwrap_or_else(|| {
        let start = &bytes[..bytes.len().min(GUESSED)];
        let nuls = |place: usize| {
            let units = start.chunks_exact(unit);
            units.filter(|unit| unit[place] == 0).count()
        };
        let guess = if nuls(0) > nuls(unit - 1) {
            ByteOrder::Big
        } else {
            ByteOrder::Little
        };
        (named.unwrap_or(guess), bytes)
    })
}

/// Decodes UTF-16 or UTF-32, block by block.
pub(super) enum WideDecoder {
    Sixteen(Box<encoding_rs::Decoder>),
    ThirtyTwo {
        order: ByteOrder,
        /// The bytes of a unit that the last block cut through.
        cut: Vec<u8>,
    },
}

impl WideDecoder {
    pub(super) fn utf_16(order: ByteOrder) -> WideDecoder {
        let encoding = match order {
            ByteOrder::Big => UTF_16BE,
            ByteOrder::Little => UTF_16LE,
        };
        WideDecoder::Sixteen(Box::new(encoding.new_decoder_without_bom_handling()))
    }

    pub(super) fn utf_32(order: ByteOrder) -> WideDecoder {
        let cut = Vec::new();
        WideDecoder::ThirtyTwo { order, cut }
    }

    /// Decodes the next block; returns whether each unit was a character or half of one.
    pub(super) fn push(&mut self, bytes: &[u8], last: bool, emit: &mut dyn FnMut(&str)) -> bool {
        match self {
            WideDecoder::Sixteen(decoder) => {
                let mut text = String::with_capacity(PIECE.min(bytes.len() * 2 + 16));
                let mut rest = bytes;
                let mut is_clean = true;
                loop {
                    let (result, read, errors) = decoder.decode_to_string(rest, &mut text, last);
                    rest = &rest[read..];
                    is_clean &= !errors;
                    emit(&text);
                    text.clear();
                    if result == CoderResult::InputEmpty {
                        return is_clean;
                    }
                }
            }
            WideDecoder::ThirtyTwo { order, cut } => {
                let mut is_clean = true;
                let mut text = String::new();
                for &byte in bytes {
                    cut.push(byte);
                    let Ok(unit) = <[u8; 4]>::try_from(&cut[..]) else {
                        continue;
                    };
                    cut.clear();
                    let number = match order {
                        ByteOrder::Big => u32::from_be_bytes(unit),
                        ByteOrder::Little => u32::from_le_bytes(unit),
                    };
                    let c = char::from_u32(number);
                    is_clean &= c.is_some();
                    text.push(c.unwrap_or(char::REPLACEMENT_CHARACTER));
                    if text.len() >= PIECE {
                        emit(&text);
                        text.clear();
                    }
                }
                if last && !cut.is_empty() {
                    is_clean = false;
                    text.push(char::REPLACEMENT_CHARACTER);
                }
                emit(&text);
                is_clean
            }
        }
    }
}

/// Returns the decoder that a byte order mark asks for, and the length of the mark.
fn marked(start: &[u8]) -> Option<(WideDecoder, usize)> {
    // The mark of UTF-32 begins with that of UTF-16, in which it would be a NUL: no text has one.
    Some(match start {
        [0xff, 0xfe, 0, 0, ..] => (WideDecoder::utf_32(ByteOrder::Little), 4),
        [0, 0, 0xfe, 0xff, ..] => (WideDecoder::utf_32(ByteOrder::Big), 4),
        [0xff, 0xfe, ..] => (WideDecoder::utf_16(ByteOrder::Little), 2),
        [0xfe, 0xff, ..] => (WideDecoder::utf_16(ByteOrder::Big), 2),
        _ => return None,
    })
}

/// Returns the length of the units of a text that begins with the byte order mark of UTF-16 or
/// UTF-32, if all of it is such a text.
pub(super) fn marked_unit(bytes: &[u8]) -> Option<usize> {
    let (mut decoder, mark) = marked(bytes)?;
    let mut has_nul = false;
    let is_clean = decoder.push(&bytes[mark..], true, &mut |text| {
        has_nul |= text.contains('\0')
    });
    (is_clean && !has_nul).then_some(match decoder {
        WideDecoder::Sixteen(_) => 2,
        WideDecoder::ThirtyTwo { .. } => 4,
    })
}

/// Copies a text that begins with the byte order mark of UTF-16 or UTF-32 as UTF-8, in constant memory.
///
/// Returns whether it was one; if not, part of it may have been written.
///
/// # Errors
/// Fails when the text cannot be read or `out` not be written.
pub(crate) fn to_utf_8(mut text: impl Read, out: &mut dyn Write) -> io::Result<bool> {
    let mut start = Vec::new();
    text.by_ref().take(4).read_to_end(&mut start)?;
    let Some((mut decoder, mark)) = marked(&start) else {
        return Ok(false);
    };
    let mut block = start.split_off(mark);
    loop {
        let is_last = block.is_empty() && start.is_empty();
        start.clear();
        let mut written = Ok(());
        let mut has_nul = false;
        let is_clean = decoder.push(&block, is_last, &mut |piece| {
            has_nul |= piece.contains('\0');
            if written.is_ok() {
                written = out.write_all(piece.as_bytes());
            }
        });
        written?;
        if !is_clean || has_nul || is_last {
            return Ok(is_clean && !has_nul);
        }
        block.clear();
        text.by_ref().take(BLOCK as u64).read_to_end(&mut block)?;
    }
}

/// Finds out, block by block, whether bytes are UTF-16 with a byte order mark.
#[derive(Default)]
pub(crate) struct Utf16Check {
    /// The first bytes, as long as they are fewer than two units.
    start: Vec<u8>,
    decoder: Option<WideDecoder>,
    is_other: bool,
}

impl Utf16Check {
    /// Takes the next block.
    pub(crate) fn push(&mut self, block: &[u8]) {
        if self.is_other {
            return;
        }
        if self.decoder.is_some() {
            return self.decode(block, false);
        }
        self.start.extend_from_slice(block);
        if self.start.len() >= 4 {
            let start = std::mem::take(&mut self.start);
            match marked(&start) {
                Some((decoder @ WideDecoder::Sixteen(_), mark)) => {
                    self.decoder = Some(decoder);
                    self.decode(&start[mark..], false);
                }
                _ => self.is_other = true,
            }
        }
    }

    /// Returns whether all bytes were.
    pub(crate) fn finish(mut self) -> bool {
        self.decode(b"", true);
        self.decoder.is_some() && !self.is_other
    }

    fn decode(&mut self, block: &[u8], last: bool) {
        if let Some(decoder) = &mut self.decoder {
            let mut has_nul = false;
            let is_clean = decoder.push(block, last, &mut |text| has_nul |= text.contains('\0'));
            self.is_other |= !is_clean || has_nul;
        }
    }
}
