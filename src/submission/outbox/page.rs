//! The page of the slot: what its file is called, and what is in it.

use std::fs::{File, Metadata};
use std::io;
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::time::{Duration, UNIX_EPOCH};

use nix::unistd::{UnlinkatFlags, unlinkat};

use super::entry::{Id, LINE, PAGE};
use crate::mailbox::read_full;
use crate::sys::clock;
use crate::sys::open::names;

/// The name of the slot's file.
pub(super) const SLOT: &str = "sending";

/// Where the mark of the final dot is; an image ends before it.
const MARK_AT: usize = PAGE - 1;

/// The mark of the final dot.
const MARK: u8 = b'.';

/// Where the stamp of a free page is, behind its first byte; an image is written over it.
const STAMP: Range<usize> = 1..17;

/// How long ago the last change of a directory must be for its time to be told from any later one's.
const SETTLED: Duration = Duration::from_secs(3);

/// Returns whether an image of this length fits.
pub(super) fn fits(length: usize) -> bool {
    length <= MARK_AT
}

/// Says that the final dot may have been written.
pub(super) fn mark(file: &File) -> io::Result<()> {
    file.write_all_at(&[MARK], MARK_AT as u64)
}

/// Makes the slot free; removes the file where that fails.
pub(super) fn clear(directory: &File, file: &File, stamp: Option<Stamp>) -> io::Result<()> {
    let Err(error) = wipe(file, stamp) else {
        return Ok(());
    };
    if !names::is_named_in(directory, SLOT, file)? {
        return Err(error);
    }
    Ok(unlinkat(directory, SLOT, UnlinkatFlags::NoRemoveDir)?)
}

/// Writes zeros over all of it, but for the stamp.
pub(super) fn wipe(file: &File, stamp: Option<Stamp>) -> io::Result<()> {
    let mut page = [0; PAGE];
    if let Some(Stamp(bytes)) = stamp {
        page[STAMP].copy_from_slice(&bytes);
    }
    file.write_all_at(&page, 0)
}

/// The last change of the directory with which no entry was in it.
///
/// While the directory has not changed since, none is in it now, and its names need not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp([u8; STAMP.end - STAMP.start]);

impl Stamp {
    /// Returns the stamp of a directory as it is.
    pub(super) fn of(directory: &Metadata) -> Stamp {
        let mut bytes = [0; STAMP.end - STAMP.start];
        bytes[..8].copy_from_slice(&directory.mtime().to_le_bytes());
        bytes[8..].copy_from_slice(&directory.mtime_nsec().to_le_bytes());
        Stamp(bytes)
    }

    /// Returns whether a change that comes now would have another time: a clock of the kernel goes in
    /// steps, and a file system may know seconds only.
    pub(super) fn is_settled(directory: &Metadata) -> bool {
        let changed = directory.modified();
        changed.is_ok_and(|changed| {
            clock::now()
                .duration_since(changed)
                .is_ok_and(|age| age >= SETTLED)
        })
    }
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

    /// Returns whether there is nothing but a stamp: a wipe that was cut short may have left a piece.
    pub(super) fn is_clean(&self) -> bool {
        self.is_free() && self.0[STAMP.end..].iter().all(|byte| *byte == 0)
    }

    /// Returns the stamp; to be asked of a clean page.
    pub(super) fn stamp(&self) -> Option<Stamp> {
        let mut bytes = [0; STAMP.end - STAMP.start];
        bytes.copy_from_slice(&self.0[STAMP]);
        (bytes != [0; STAMP.end - STAMP.start]).then_some(Stamp(bytes))
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
