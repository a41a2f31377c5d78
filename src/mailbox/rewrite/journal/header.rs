//! The header of a journal, as bytes.
//!
//! Whatever the bytes are, decoding ends and takes no more memory than they do.

use std::fs::File;
use std::io;

use super::witness::Witness;
use crate::mailbox::read_at::read_full;
use crate::mailbox::rewrite::output::Extent;
use crate::mailbox::rewrite::plan::{OwnedPiece, Piece, RewritePlan};

/// The first bytes of the file.
pub(super) const MAGIC: &[u8; 16] = b"postrider redo 2";

/// The first bytes when journals had no witness.
pub(super) const FIRST_MAGIC: &[u8; 16] = b"postrider redo 1";

/// How much of the old bytes is taken as a sample, at most.
pub(super) const SAMPLE: u64 = 64 * 1024;

/// How much before the first changed byte is taken as a sample.
pub(super) const PREFIX: u64 = 4096;

/// Where the header starts in the file.
pub(in crate::mailbox) const HEADER_AT: u64 = 40;

/// The largest window; those that we make are smaller.
const MAX_WINDOW: u32 = 16 * 1024 * 1024;

/// The kinds of journals, as bytes.
const WHOLE: u8 = 1;
const WINDOWS: u8 = 2;

/// The kinds of pieces, as bytes.
const COPY: u8 = 0;
const TEXT: u8 = 1;

/// The facts about a rewrite at the beginning of its journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::mailbox) struct Header {
    /// The mailbox's device; it may have another number after the next start of the machine.
    pub device: u64,
    /// The mailbox's inode.
    pub inode: u64,
    /// The mailbox's path.
    pub path: Vec<u8>,
    /// Its size before.
    pub old_size: u64,
    /// Its size afterwards.
    pub new_size: u64,
    /// Where the first byte changes.
    pub start: u64,
    /// The hash of the bytes before it.
    pub prefix: u64,
    /// The hash of a sample of the old bytes.
    pub sample: u64,
    /// Proof that its maker could read the mailbox; `None` in a journal of the first format.
    pub witness: Option<Box<Witness>>,
    /// The kind of body.
    pub body: Body,
}

/// The content of a journal's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::mailbox) enum Body {
    /// The bytes of these extents.
    Whole {
        /// Where they belong.
        extents: Vec<Extent>,
        /// The hash of all of them.
        hash: u64,
    },
    /// Two windows of what this plan writes.
    Windows {
        /// The plan.
        plan: RewritePlan,
        /// The size of a window.
        size: u32,
    },
}

impl Header {
    /// Returns the header as bytes.
    pub(in crate::mailbox) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.push(match &self.body {
            Body::Whole { .. } => WHOLE,
            Body::Windows { .. } => WINDOWS,
        });
        for number in [
            self.device,
            self.inode,
            self.old_size,
            self.new_size,
            self.start,
            self.prefix,
            self.sample,
        ] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        // The length is stored in 16 bits; PATH_MAX is 4096.
        let path = &self.path[..self.path.len().min(usize::from(u16::MAX))];
        out.extend_from_slice(&(path.len() as u16).to_le_bytes());
        out.extend_from_slice(path);
        if let Some(witness) = &self.witness {
            for bytes in [&witness.old, &witness.new] {
                out.extend_from_slice(&(bytes.len() as u16).to_le_bytes());
                out.extend_from_slice(bytes);
            }
        }
        self.encode_body(&mut out);
        out
    }

    /// Adds the description of the body. Offsets are stored as distances from the end of the piece
    /// before, so that most numbers of a long list take two or three bytes.
    fn encode_body(&self, out: &mut Vec<u8>) {
        match &self.body {
            Body::Whole { extents, hash } => {
                out.extend_from_slice(&hash.to_le_bytes());
                varint(extents.len() as u64, out);
                let mut end = self.start;
                for extent in extents {
                    varint(extent.place - end, out);
                    varint(extent.len, out);
                    end = extent.place + extent.len;
                }
            }
            Body::Windows { plan, size } => {
                out.extend_from_slice(&size.to_le_bytes());
                varint(plan.pieces().count() as u64, out);
                let mut end = 0;
                for piece in plan.pieces() {
                    match piece {
                        Piece::Copy { from, len } => {
                            out.push(COPY);
                            varint(from - end, out);
                            varint(len, out);
                            end = from + len;
                        }
                        Piece::Text(text) => {
                            out.push(TEXT);
                            varint(text.len() as u64, out);
                            out.extend_from_slice(text);
                        }
                    }
                }
            }
        }
    }

    /// Reads a header; `has_witness` says which format it has. `None` for bytes that are no header,
    /// or whose numbers cannot be those of a rewrite.
    pub(in crate::mailbox) fn decode(bytes: &[u8], has_witness: bool) -> Option<Header> {
        let mut input = Cursor(bytes);
        let kind = input.byte()?;
        let device = input.u64()?;
        let inode = input.u64()?;
        let old_size = input.u64()?;
        let new_size = input.u64()?;
        let start = input.u64()?;
        let prefix = input.u64()?;
        let sample = input.u64()?;
        let path = input.short()?.to_vec();
        let witness = if has_witness {
            Some(Box::new(Witness {
                old: input.short()?.to_vec(),
                new: input.short()?.to_vec(),
            }))
        } else {
            None
        };
        let body = match kind {
            WHOLE => decode_whole(&mut input, start)?,
            WINDOWS => decode_windows(&mut input, start, old_size)?,
            _ => return None,
        };
        let header = Header {
            device,
            inode,
            path,
            old_size,
            new_size,
            start,
            prefix,
            sample,
            witness,
            body,
        };
        (input.0.is_empty() && header.is_consistent()).then_some(header)
    }

    /// Returns whether the numbers can be those of a rewrite.
    fn is_consistent(&self) -> bool {
        // The kernel's offsets are signed.
        let largest = i64::MAX as u64;
        if self.start > self.old_size.min(self.new_size)
            || self.old_size > largest
            || self.new_size > largest
        {
            return false;
        }
        let fits = |witness: &Witness| witness.fits(self.old_size, self.new_size);
        if !self.witness.as_deref().is_none_or(fits) {
            return false;
        }
        match &self.body {
            Body::Whole { extents, .. } => {
                let end = end_of(extents);
                // Between two extents the new file has the bytes of the old one at that place, so
                // no gap may reach behind its end; and a file that grows is written to its new end.
                let gaps_end = extents.last().map_or(self.start, |extent| extent.place);
                end <= self.new_size
                    && gaps_end <= self.old_size
                    && (end == self.new_size || self.new_size <= self.old_size)
            }
            Body::Windows { plan, size } => {
                let is_whole_file = plan.new_size() == self.new_size;
                let keeps_length = self.new_size == self.old_size && plan.end() <= self.new_size;
                // A window is held in memory, and the number may come from a planted file.
                let holds_size = (1..=MAX_WINDOW).contains(size);
                holds_size && plan.never_overtakes() && (is_whole_file || keeps_length)
            }
        }
    }

    /// Returns which old bytes are the sample: of those that are cut off; where the length stays,
    /// of those behind the last that changes; where the file grows, the last ones before it does.
    pub(super) fn sample(&self) -> (u64, u64) {
        // The sample must be bytes that no step before the change of length writes to: then it is
        // there as long as the mailbox has its old length, wherever the rewrite broke off.
        if self.new_size < self.old_size {
            (
                self.new_size,
                self.old_size.min(self.new_size.saturating_add(SAMPLE)),
            )
        } else if self.new_size == self.old_size {
            let kept = match &self.body {
                Body::Whole { extents, .. } => end_of(extents),
                Body::Windows { plan, .. } => plan.end(),
            };
            let from = kept.max(self.start).min(self.old_size);
            (from, self.old_size.min(from + SAMPLE))
        } else {
            let from = self.old_size.saturating_sub(PREFIX).max(self.start);
            (from.min(self.old_size), self.old_size)
        }
    }

    /// Returns whether nothing is written, and only the end of the file is cut off.
    pub(super) fn only_cuts(&self) -> bool {
        let writes_nothing = match &self.body {
            Body::Whole { extents, .. } => extents.is_empty(),
            Body::Windows { .. } => false,
        };
        writes_nothing && self.new_size < self.old_size
    }
}

fn decode_whole(input: &mut Cursor<'_>, start: u64) -> Option<Body> {
    let hash = input.u64()?;
    let count = input.varint()?;
    let mut extents = Vec::new();
    let mut end = start;
    for _ in 0..count {
        let place = end.checked_add(input.varint()?)?;
        let len = input.varint()?;
        end = place.checked_add(len)?;
        extents.push(Extent { place, len });
    }
    Some(Body::Whole { extents, hash })
}

fn decode_windows(input: &mut Cursor<'_>, start: u64, old_size: u64) -> Option<Body> {
    let size = u32::from_le_bytes(input.take(4)?.try_into().ok()?);
    let count = input.varint()?;
    let mut pieces = Vec::new();
    let mut end = 0_u64;
    for _ in 0..count {
        match input.byte()? {
            COPY => {
                let from = end.checked_add(input.varint()?)?;
                let len = input.varint()?;
                end = from.checked_add(len)?;
                pieces.push(OwnedPiece::Copy { from, len });
            }
            TEXT => {
                let len = usize::try_from(input.varint()?).ok()?;
                pieces.push(OwnedPiece::Text(input.take(len)?.to_vec()));
            }
            _ => return None,
        }
    }
    let plan = RewritePlan::restored(start, old_size, pieces.into_iter())?;
    Some(Body::Windows { plan, size })
}

/// Adds a number in LEB128.
fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// The bytes of a header that have not been decoded yet.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// Reads a run of bytes that is stored after its length.
    fn short(&mut self) -> Option<&'a [u8]> {
        let len = u16::from_le_bytes(self.take(2)?.try_into().ok()?);
        self.take(usize::from(len))
    }

    fn byte(&mut self) -> Option<u8> {
        Some(self.take(1)?[0])
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            // The tenth byte holds the last of 64 bits.
            if shift == 63 && bits > 1 {
                return None;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}

/// Returns whether a file holds something else than a journal of ours: not a whole one, nor a torn
/// or blank one.
///
/// # Errors
/// When it cannot be read.
pub(in crate::mailbox) fn is_no_journal(file: &File) -> io::Result<bool> {
    let mut start = [0; MAGIC.len()];
    let count = read_full(file, &mut start, 0)?;
    let start = &start[..count];
    let is_ours = [MAGIC, FIRST_MAGIC]
        .iter()
        .any(|magic| magic.starts_with(start));
    Ok(!is_ours && start.iter().any(|byte| *byte != 0))
}

/// Returns where the last extent ends; saturates, for the list may not have been checked yet.
fn end_of(extents: &[Extent]) -> u64 {
    extents
        .last()
        .map_or(0, |extent| extent.place.saturating_add(extent.len))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(body: Body) -> Header {
        Header {
            device: 1,
            inode: u64::MAX,
            path: b"/var/mail/root".to_vec(),
            old_size: 1000,
            new_size: 700,
            start: 100,
            prefix: 3,
            sample: 4,
            witness: Some(Box::new(Witness {
                old: vec![b'o'; 1000],
                new: vec![b'n'; 700],
            })),
            body,
        }
    }

    fn both() -> [Header; 2] {
        let pieces = [
            OwnedPiece::Copy {
                from: 400,
                len: 300,
            },
            OwnedPiece::Text(b"x".repeat(200)),
            OwnedPiece::Copy {
                from: 900,
                len: 100,
            },
        ];
        let plan = RewritePlan::restored(100, 1000, pieces.into_iter()).expect("a plan");
        let extents = vec![
            Extent {
                place: 100,
                len: 50,
            },
            Extent {
                place: 160,
                len: 540,
            },
        ];
        [
            header(Body::Whole { extents, hash: 9 }),
            header(Body::Windows { plan, size: 64 }),
        ]
    }

    #[test]
    fn what_is_written_is_read() {
        for header in both() {
            assert_eq!(Header::decode(&header.encode(), true), Some(header.clone()));
            let first = Header {
                witness: None,
                ..header
            };
            assert_eq!(Header::decode(&first.encode(), false), Some(first.clone()));
            assert_eq!(Header::decode(&first.encode(), true), None);
        }
    }

    #[test]
    fn what_cannot_be_is_refused_and_nothing_panics() {
        for header in both() {
            let bytes = header.encode();
            for end in 0..bytes.len() {
                assert_eq!(Header::decode(&bytes[..end], true), None, "cut at {end}");
            }
            for at in 0..bytes.len() {
                for change in [0x00, 0x01, 0x7f, 0x80, 0xff] {
                    let mut bytes = bytes.clone();
                    bytes[at] ^= change;
                    // Whatever comes out can be a rewrite.
                    if let Some(header) = Header::decode(&bytes, true) {
                        assert!(header.is_consistent());
                    }
                }
            }
        }
        let longer = Header {
            new_size: 2000,
            ..both()[0].clone()
        };
        assert_eq!(Header::decode(&longer.encode(), true), None);
        // A window that would fill the memory.
        let mut large = both()[1].clone();
        if let Body::Windows { size, .. } = &mut large.body {
            *size = u32::MAX;
        }
        assert_eq!(Header::decode(&large.encode(), true), None);
    }
}
