//! The redo journal of a rewrite: its file and its content.
//!
//! # When there is one
//! An mbox is rewritten in place. What will be written is first written into a journal and synced,
//! and only then into the mailbox; the next process that finds a journal does its rewrite again,
//! from wherever it broke off, and the mailbox becomes what it was meant to become. There is no journal for what the
//! kernel and the disk do in one step: cutting the end off between two blocks, or a few bytes
//! within one block.
//!
//! # Two kinds
//! - *Whole*: all bytes that change, and where they belong. For any change; as large as what is
//!   written.
//! - *Windows*: the plan, and one window of bytes at a time. For rewrites that only move bytes
//!   towards the start ([`crate::mailbox::rewrite::plan::RewritePlan::never_overtakes`]), that is all deletions: the bytes that are still
//!   to be moved lie untouched in the mailbox. Its size does not depend on the mailbox's.
//!
//! # States of its files
//! - `.NAME.postrider-journal.new`: being written. It is never read, and the next rewrite replaces
//!   it.
//! - `.NAME.postrider-journal`: from its rename on the rewrite is certain, and will be completed by
//!   whoever opens the mailbox next for writing; readers see the mailbox as if it were.
//! - The same with the word `finished` in it: completed, but it could not be removed.
//! - No such file: nothing is pending.
//!
//! Where we may not write beside the mailbox it lies in a directory for state, under
//! `INODE-HASH_OF_PATH.journal`.
//!
//! # Format
//! All numbers are little-endian; `varint` is LEB128.
//! ```text
//!      0  16 bytes   "postrider redo 2"
//!     16   8 bytes   the word: zeros, "resizing" or "finished"
//!     24  u32        length of the header; 4 zero bytes
//!     32  u64        XXH3 of the header
//!     40  the header:
//!         u8 kind (1 whole, 2 windows)   u64 device   u64 inode
//!         u64 size before   u64 size afterwards   u64 first changed byte
//!         u64 XXH3 of the (up to) 4 KiB before it
//!         u64 XXH3 of a sample of the old bytes that the new ones do not replace, see `sample`
//!         u16 length and bytes of the mailbox's path
//!         u16 length and bytes of the samples before the rewrite, the same of those afterwards:
//!         what proves that its maker could read the mailbox, see `witness`
//!         whole:   u64 XXH3 of the body, varint number of extents, each varint gap, varint length
//!         windows: u32 size of a window, varint number of pieces, each 0, varint gap, varint
//!                  length (copied) or 1, varint length, bytes (text)
//!      B  (the next multiple of 4096) the body:
//!         whole:   the bytes of all extents, in their order
//!         windows: two slots, each u64 number of the window, u64 place, u64 length,
//!                  u64 XXH3 of these and the data, and the data
//! ```
//! Windows are written into the two slots alternately. When one is written, the mailbox has on disk
//! all windows but the last one before it; so if it is torn the other one is whole, and its
//! window can be written again.
//!
//! The first format, "postrider redo 1", had no samples. Such a journal proves nothing of its maker:
//! it counts only where nobody but the mailbox's owner, root and we can have put it.
//!
//! # The word
//! Cutting the file, or making it longer, cannot be told from its length alone once a deliverer
//! has added mail. `resizing` is written and synced before the length changes; without it the
//! length is still the old one.
//!
//! What the mailbox can be like when this program, or the machine, stops while a word is in the
//! journal; *old* and *new* are the two sizes, and mail of other programs may follow in each row:
//!
//! | change | word | length | bytes | so |
//! |---|---|---|---|---|
//! | same length | zeros | old | old and new ones, mixed | all are written again |
//! | shorter | zeros | old | old and new ones, mixed up to new; old ones behind | all are written again, then the cut |
//! | shorter | `resizing` | old | new ones up to new, all synced; old ones behind | only the cut is left |
//! | shorter | `resizing` | old | the same, but zeros from new to the end of a block | only the cut is left |
//! | shorter | `resizing` | new | new ones, all synced | the cut is synced |
//! | longer | `resizing`, from the start | old | old ones | it is made longer, then all are written |
//! | longer | `resizing` | new | old ones, and zeros or new ones behind old; or mixed | all are written again |
//! | any | `finished` | new | new ones | nothing |
//!
//! The zeros of the fourth row come from a cut that the disk has in part: the kernel clears the
//! rest of the last block in memory, and may write that block before the new length is certain.
//! The blocks behind it are given back together with the new length. A block is a power of two,
//! at least a sector and at most the largest page.
//!
//! A journal that has nothing to write, because only the end is cut off, has the word from the
//! start.

mod file;
mod header;
mod held_path;
pub(in crate::mailbox) mod locate;
mod new;
mod situation;
mod target;
mod windows;
mod witness;

pub(in crate::mailbox) use file::{Journal, LARGEST_PAGE, SECTOR};
pub(in crate::mailbox) use header::Body;
#[cfg(test)]
pub(in crate::mailbox) use held_path::HeldPath;
pub(in crate::mailbox) use locate::{Found, clean_up, find};
pub(in crate::mailbox) use new::{NewBody, NewJournal};
pub(in crate::mailbox) use situation::{Situation, situation, view};
pub use target::shared_journals;
pub(in crate::mailbox) use target::{JournalTarget, make_directory};
