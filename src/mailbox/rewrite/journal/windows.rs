//! The windows of a journal: the plan's bytes, one window at a time, in two slots that are written
//! by turns, so that one of them is always whole.

use std::hash::Hasher;
use std::io;
use std::os::unix::fs::FileExt;

use twox_hash::XxHash3_64;

use super::header::Body;
use super::{BLOCK, Journal};
use crate::mailbox::read_at::read_full;
use crate::sys::disk::until_done;

/// What stands before the data in a slot.
const SLOT_HEADER: usize = 32;

/// The window that is known to be whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mailbox) struct Window {
    number: u64,
    /// Where its bytes belong in the mailbox.
    pub place: u64,
    /// How many they are.
    pub len: u64,
    /// Where they stand in the journal.
    pub at: u64,
}

impl Journal {
    /// Returns a buffer for a slot: its header and one window.
    pub(in crate::mailbox) fn buffer(&self) -> Vec<u8> {
        let size = match &self.header.body {
            Body::Windows { size, .. } => *size as usize,
            Body::Whole { .. } => 0,
        };
        vec![0; SLOT_HEADER + size]
    }

    /// Returns the part of such a buffer that is for the bytes of the window.
    pub(in crate::mailbox) fn window_of(buffer: &mut [u8]) -> &mut [u8] {
        &mut buffer[SLOT_HEADER..]
    }

    pub(super) fn slot_size(&self) -> u64 {
        match &self.header.body {
            Body::Windows { size, .. } => {
                (SLOT_HEADER as u64 + u64::from(*size)).next_multiple_of(BLOCK)
            }
            Body::Whole { .. } => 0,
        }
    }

    fn slot_at(&self, number: u64) -> u64 {
        self.body + (number % 2) * self.slot_size()
    }

    /// Writes the bytes of a window, `len` of them in the buffer behind its header, into its slot.
    pub(super) fn write_slot(
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
        self.file
            .write_all_at(&buffer[..SLOT_HEADER + len], self.slot_at(number))
    }

    /// Writes the window after `last` into the journal and syncs it. The mailbox must have all
    /// windows up to `last` on disk.
    pub(in crate::mailbox) fn add_window(
        &self,
        last: &Window,
        place: u64,
        len: usize,
        buffer: &mut [u8],
    ) -> io::Result<Window> {
        let number = last.number + 1;
        self.write_slot(number, place, len, buffer)?;
        until_done(|| self.file.sync_all())?;
        Ok(Window {
            number,
            place,
            len: len as u64,
            at: self.slot_at(number) + SLOT_HEADER as u64,
        })
    }

    /// Returns the last window that is whole in the journal.
    ///
    /// # Errors
    /// When the journal cannot be read, or neither slot is whole.
    pub(in crate::mailbox) fn last_window(&self) -> io::Result<Window> {
        let damaged = || io::Error::new(io::ErrorKind::InvalidData, "the journal is damaged");
        let end = match &self.header.body {
            Body::Windows { plan, .. } => plan.end(),
            Body::Whole { .. } => return Err(damaged()),
        };
        let mut buffer = self.buffer();
        let mut last: Option<Window> = None;
        for slot in 0..2 {
            let at = self.slot_at(slot);
            if read_full(&*self.file, &mut buffer[..SLOT_HEADER], at)? < SLOT_HEADER {
                continue;
            }
            let field = |from: usize| {
                u64::from_le_bytes(buffer[from..from + 8].try_into().expect("eight bytes"))
            };
            let (number, place, len, hash) = (field(0), field(8), field(16), field(24));
            let is_within = number % 2 == slot
                && len <= (buffer.len() - SLOT_HEADER) as u64
                && place >= self.header.start
                && place.checked_add(len).is_some_and(|after| after <= end);
            if !is_within || last.is_some_and(|last| last.number > number) {
                continue;
            }
            let len = len as usize;
            let data_at = at + SLOT_HEADER as u64;
            let (head, data) = buffer.split_at_mut(SLOT_HEADER);
            if read_full(&*self.file, &mut data[..len], data_at)? < len
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
        last.ok_or_else(damaged)
    }
}

fn slot_hash(head: &[u8], data: &[u8]) -> u64 {
    let mut hasher = XxHash3_64::with_seed(0);
    hasher.write(head);
    hasher.write(data);
    hasher.finish()
}
