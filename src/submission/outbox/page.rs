//! The page of the slot: what its file is called, and what is in it.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::time::UNIX_EPOCH;

use nix::unistd::{UnlinkatFlags, unlinkat};

use super::entry::{Id, LINE, PAGE};
use crate::mailbox::read_full;
use crate::sys::open::names;

/// The name of the slot's file.
pub(super) const SLOT: &str = "sending";

/// Where the mark of the final dot is; an image ends before it.
const MARK_AT: usize = PAGE - 1;

/// The mark of the final dot.
const MARK: u8 = b'.';

/// Returns whether an image of this length fits.
pub(super) fn fits(length: usize) -> bool {
    length <= MARK_AT
}

/// Says that the final dot may have been written.
pub(super) fn mark(file: &File) -> io::Result<()> {
    file.write_all_at(&[MARK], MARK_AT as u64)
}

/// Makes the slot free; removes the file where that fails.
pub(super) fn clear(directory: &File, file: &File) -> io::Result<()> {
    let Err(error) = wipe(file) else {
        return Ok(());
    };
    if !names::is_named_in(directory, SLOT, file)? {
        return Err(error);
    }
    Ok(unlinkat(directory, SLOT, UnlinkatFlags::NoRemoveDir)?)
}

/// Writes zeros over all of it.
pub(super) fn wipe(file: &File) -> io::Result<()> {
    // Not a constant: the program's file would have a page of zeros, and each mail a page fault for it.
    let zeros = [0; PAGE];
    file.write_all_at(&zeros, 0)
}

/// The bytes of the slot.
pub(super) struct Page([u8; PAGE]);

impl Page {
    /// Reads them; what the file has not is zeros.
    pub(super) fn read(file: &File) -> io::Result<Page> {
        let mut page = Page([0; PAGE]);
        read_full(file, &mut page.0, 0)?;
        Ok(page)
    }

    /// Returns whether there is no image.
    pub(super) fn is_free(&self) -> bool {
        self.0[0] == 0
    }

    /// Returns whether there is nothing at all: a wipe that was cut short may have left a piece.
    pub(super) fn is_clean(&self) -> bool {
        self.0.iter().all(|byte| *byte == 0)
    }

    /// Returns whether the final dot may have been written.
    pub(super) fn is_marked(&self) -> bool {
        self.0[MARK_AT] == MARK
    }

    /// Returns the ID of an image whose sender died: the same one whenever it is looked at.
    pub(super) fn id(&self, metadata: &Metadata) -> io::Result<Id> {
        let written = metadata.modified()?.duration_since(UNIX_EPOCH);
        let arrival = written.unwrap_or_default();
        Ok(Id::of_file(arrival, metadata.uid(), &self.0[..LINE]))
    }
}
