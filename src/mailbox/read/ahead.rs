//! Blocks of a file read ahead, for messages that are read one after another.
//!
//! A search reads each header of a mailbox. Where the messages are small, one block holds many of
//! them, and one look tells for all of them that the file is as it was. Where bodies are large, only
//! little is read ahead, so that they are skipped.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use super::snapshot::Snapshot;
use crate::mailbox::format::mbox;
use crate::mailbox::read_at::read_full;

/// How much is read after a jump.
const FIRST: usize = 4 * 1024;

/// How many bytes take as long to read as another call: so large a body may be read without a use.
const SKIPPED: usize = 8 * 1024;

/// The largest part of a message that is taken from a block.
const LARGEST: usize = 64 * 1024;

/// How long a block counts after the look whether the file has changed: shorter than it takes to start
/// a program that changes it, so that no command of ours runs in between.
const FRESH: Duration = Duration::from_millis(1);

/// The block that was read last from a snapshot.
#[derive(Debug, Default)]
pub(super) struct Ahead(RefCell<Block>);

#[derive(Debug, Default)]
struct Block {
    /// The offset of the bytes in the snapshot.
    start: u64,
    /// The bytes, `filled` of them; the rest is room.
    bytes: Vec<u8>,
    filled: usize,
    /// How much was wanted when they were read.
    want: usize,
    /// What was taken from the block, each part counted as at least [`SKIPPED`].
    used: usize,
    /// When the file was found unchanged, after the bytes were read; `None` without a block.
    looked: Option<Instant>,
    /// The file has changed since the snapshot: each message needs a look of its own.
    is_changed: bool,
}

impl Ahead {
    /// Forgets the block, because there is another snapshot.
    pub(super) fn clear(&self) {
        *self.0.borrow_mut() = Block::default();
    }

    /// Gives a part of a snapshot to `take`, as it was when the snapshot was made.
    ///
    /// Returns `None` if the file has changed since, and for what is too large or cannot be read:
    /// then the caller must read it and see for itself.
    pub(super) fn with<T>(
        &self,
        snapshot: &Snapshot,
        offset: u64,
        len: u64,
        take: impl FnOnce(&[u8]) -> T,
    ) -> Option<T> {
        let len = usize::try_from(len).ok().filter(|len| *len <= LARGEST)?;
        let mut block = self.0.try_borrow_mut().ok()?;
        if block.is_changed {
            return None;
        }
        if block.place(offset, len).is_none() {
            block.read(snapshot, offset, len)?;
        } else if block.looked.is_none_or(|looked| looked.elapsed() > FRESH) {
            block.look(snapshot)?;
        }
        let at = block.place(offset, len)?;
        block.used += len.max(SKIPPED);
        Some(take(&block.bytes[at..at + len]))
    }
}

impl Block {
    /// Returns where in the block a part of the snapshot starts, if it has all of it.
    fn place(&self, offset: u64, len: usize) -> Option<usize> {
        let at = usize::try_from(offset.checked_sub(self.start)?).ok()?;
        (at.checked_add(len)? <= self.filled).then_some(at)
    }

    /// Reads a block from this offset on, and looks whether the file was unchanged until then.
    fn read(&mut self, snapshot: &Snapshot, offset: u64, len: usize) -> Option<()> {
        let end = self.start + self.filled as u64;
        let is_near = offset >= self.start && offset.saturating_sub(end) < self.want as u64;
        // Reads that follow each other are given more each time, as long as most of it is of use.
        self.want = if is_near && self.used >= self.filled {
            (self.want * 2).min(mbox::BLOCK)
        } else {
            FIRST
        };
        let want = self.want.max(len);
        if self.bytes.len() < want {
            self.bytes.resize(want, 0);
        }
        (self.start, self.filled, self.used, self.looked) = (offset, 0, 0, None);
        self.filled = read_full(&snapshot.view, &mut self.bytes[..want], offset).ok()?;
        self.look(snapshot)
    }

    /// Looks whether the file is unchanged; then the block is what it was at the snapshot.
    fn look(&mut self, snapshot: &Snapshot) -> Option<()> {
        if snapshot.is_changed() {
            *self = Block {
                is_changed: true,
                ..Block::default()
            };
            return None;
        }
        self.looked = Some(Instant::now());
        Some(())
    }
}
