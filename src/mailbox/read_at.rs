//! Bytes at a position, from which the scanners read: a file, or memory in tests and fuzzing.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

/// Bytes that can be read at any offset.
pub(crate) trait ReadAt {
    /// Reads bytes from this offset on; returns 0 only at the end.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
}

impl ReadAt for File {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, buffer, offset)
    }
}

impl ReadAt for [u8] {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|offset| self.get(offset..))
            .unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
}

/// How much a read-ahead reads at first, and at most.
const READ_AHEAD: (usize, usize) = (4 * 1024, 64 * 1024);

/// Bytes read ahead, for many small reads that follow each other.
///
/// The bytes read ahead are not read again: if the source changes there, old bytes are returned.
#[derive(Clone, Debug, Default)]
pub(super) struct ReadAhead(RefCell<AheadBuffer>);

#[derive(Clone, Debug, Default)]
struct AheadBuffer {
    /// The offset of the bytes in the source.
    start: u64,
    bytes: Vec<u8>,
    /// How much is read the next time.
    want: usize,
}

impl ReadAhead {
    /// Does the same as [`ReadAt::read_at`] of the source.
    pub(super) fn read_at<S: ReadAt + ?Sized>(
        &self,
        source: &S,
        buffer: &mut [u8],
        offset: u64,
    ) -> io::Result<usize> {
        // A large read gains nothing from a copy.
        if buffer.len() >= READ_AHEAD.1 / 2 {
            return source.read_at(buffer, offset);
        }
        let mut window = self.0.borrow_mut();
        let end = window.start + window.bytes.len() as u64;
        if offset < window.start || offset >= end {
            // Reads that follow each other are given more each time; after a jump the first read is
            // small again, as the next one may be far away, too.
            let is_near = offset >= end && offset - end < window.want as u64;
            window.want = if is_near {
                (window.want * 2).min(READ_AHEAD.1)
            } else {
                READ_AHEAD.0
            };
            let want = window.want.max(buffer.len());
            window.start = offset;
            window.bytes.resize(want, 0);
            let count = source.read_at(&mut window.bytes, offset);
            // After an error nothing is kept, so that the next call reads again.
            window.bytes.truncate(*count.as_ref().unwrap_or(&0));
            count?;
        }
        window.bytes[..].read_at(buffer, offset - window.start)
    }
}

/// A source that is read ahead.
pub(super) struct Buffered<'a, S: ?Sized> {
    source: &'a S,
    ahead: ReadAhead,
}

impl<'a, S: ReadAt + ?Sized> Buffered<'a, S> {
    /// Returns the same bytes, for many small reads.
    pub(super) fn new(source: &'a S) -> Buffered<'a, S> {
        Buffered {
            source,
            ahead: ReadAhead::default(),
        }
    }
}

impl<S: ReadAt + ?Sized> ReadAt for Buffered<'_, S> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.ahead.read_at(self.source, buffer, offset)
    }
}

/// Reads until the buffer is full or the source ends, and returns how much it got.
pub(crate) fn read_full<S: ReadAt + ?Sized>(
    source: &S,
    buffer: &mut [u8],
    offset: u64,
) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read_at(&mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Reads until the buffer is full.
///
/// # Errors
/// `UnexpectedEof` when the source ends before.
pub(super) fn read_exact<S: ReadAt + ?Sized>(
    source: &S,
    buffer: &mut [u8],
    offset: u64,
) -> io::Result<()> {
    if read_full(source, buffer, offset)? == buffer.len() {
        Ok(())
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

/// Reads from a stream until the buffer is full or it ends, and returns how much it got.
pub(super) fn fill(stream: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match stream.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    proptest! {
        #[test]
        fn reading_ahead_gives_the_same_bytes(
            size in 0..200_000_usize,
            reads in prop::collection::vec((0..200_000_u64, 0..40_000_usize, any::<bool>()), 1..40),
        ) {
            let bytes: Vec<u8> = (0..size).map(|at| (at * 7 + at / 251) as u8).collect();
            let buffered = Buffered::new(&bytes[..]);
            let mut at = 0;
            for (offset, len, goes_on) in reads {
                // Mostly small reads that follow each other.
                let (offset, len) = if goes_on { (at, len % 3000) } else { (offset, len) };
                let (mut found, mut expected) = (vec![0; len], vec![0; len]);
                let count = read_full(&buffered, &mut found, offset).expect("memory");
                prop_assert_eq!(count, read_full(&bytes[..], &mut expected, offset).expect("memory"));
                prop_assert_eq!(found, expected);
                at = offset + count as u64;
            }
        }
    }
}
