//! The windows of a journal: the plan's bytes, one window at a time, in two slots that are written
//! alternately, so that one of them is always whole.

use std::fs::File;
use std::hash::Hasher;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use twox_hash::XxHash3_64;

use crate::mailbox::read_at::read_full;
use crate::sys::disk::until_done;

/// The alignment of the body and of the slots, so that no two of them share a block of the disk.
pub(super) const BLOCK: u64 = 4096;

/// The size of the part before the data in a slot: number, place, length and hash.
const SLOT_HEADER: usize = 32;

/// A window that is whole in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mailbox) struct Window {
    number: u64,
    /// Where its bytes belong in the mailbox.
    pub place: u64,
    /// How many they are.
    pub len: u64,
    /// Their place in the journal.
    pub at: u64,
}

/// The two slots of a journal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slots<'a> {
    /// The journal's file.
    pub journal: &'a File,
    /// Where the first slot starts.
    pub start: u64,
    /// The size of a window.
    pub size: u32,
}

impl Slots<'_> {
    /// Returns a buffer for a slot: its header and one window.
    pub(super) fn buffer(&self) -> Vec<u8> {
        vec![0; SLOT_HEADER + self.size as usize]
    }

    /// Returns the part of such a buffer that is for the bytes of the window.
    pub(super) fn window_of(buffer: &mut [u8]) -> &mut [u8] {
        &mut buffer[SLOT_HEADER..]
    }

    /// Returns the distance from the first slot to the second.
    pub(super) fn slot_size(&self) -> u64 {
        (SLOT_HEADER as u64 + u64::from(self.size)).next_multiple_of(BLOCK)
    }

    fn slot_at(&self, number: u64) -> u64 {
        self.start + (number % 2) * self.slot_size()
    }

    /// Writes the bytes of a window, `len` of them in the buffer after its header, into its slot.
    pub(super) fn write(
        &self,
        number: u64,
        place: u64,
        len: usize,
        buffer: &mut [u8],
    ) -> io::Result<()> {
        buffer[..8].copy_from_slice(&number.to_le_bytes());
        buffer[8..16].copy_from_slice(&place.to_le_bytes());
        buffer[16..24].copy_from_slice(&(len as u64).to_le_bytes());
        let hash = slot_hash(&buffer[..24], &buffer[SLOT_HEADER..SLOT_HEADER + len]);
        buffer[24..32].copy_from_slice(&hash.to_le_bytes());
        self.journal
            .write_all_at(&buffer[..SLOT_HEADER + len], self.slot_at(number))
    }

    /// Writes the window after `last` into the journal and syncs it. The mailbox must have all
    /// windows up to `last` on disk.
    pub(super) fn add(
        &self,
        last: &Window,
        place: u64,
        len: usize,
        buffer: &mut [u8],
    ) -> io::Result<Window> {
        // This overwrites the window before `last`, which the mailbox has on disk. `last` itself stays
        // whole in the other slot until the mailbox has it too.
        let number = last.number + 1;
        self.write(number, place, len, buffer)?;
        until_done(|| self.journal.sync_all())?;
        Ok(Window {
            number,
            place,
            len: len as u64,
            at: self.slot_at(number) + SLOT_HEADER as u64,
        })
    }

    /// Returns the last window that is whole and belongs to this part of the mailbox, if any.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(super) fn last(&self, part: Range<u64>) -> io::Result<Option<Window>> {
        let mut buffer = self.buffer();
        let mut last: Option<Window> = None;
        for slot in 0..2 {
            let at = self.slot_at(slot);
            if read_full(self.journal, &mut buffer[..SLOT_HEADER], at)? < SLOT_HEADER {
                continue;
            }
            let field = |from: usize| {
                u64::from_le_bytes(buffer[from..from + 8].try_into().expect("eight bytes"))
            };
            let (number, place, len, hash) = (field(0), field(8), field(16), field(24));
            // A slot may be torn or never written, so nothing in it is believed before it is checked
            // against the journal's part of the mailbox, and then by its hash.
            let is_within = number % 2 == slot
                && len <= (buffer.len() - SLOT_HEADER) as u64
                && place >= part.start
                && place
                    .checked_add(len)
                    .is_some_and(|after| after <= part.end);
            if !is_within || last.is_some_and(|last| last.number > number) {
                continue;
            }
            let len = len as usize;
            let data_at = at + SLOT_HEADER as u64;
            let (head, data) = buffer.split_at_mut(SLOT_HEADER);
            if read_full(self.journal, &mut data[..len], data_at)? < len
                || slot_hash(&head[..24], &data[..len]) != hash
            {
                continue;
            }
            last = Some(Window {
                number,
                place,
                len: len as u64,
                at: data_at,
            });
        }
        Ok(last)
    }
}

fn slot_hash(head: &[u8], data: &[u8]) -> u64 {
    let mut hasher = XxHash3_64::with_seed(0);
    hasher.write(head);
    hasher.write(data);
    hasher.finish()
}
