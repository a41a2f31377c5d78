//! The page of the slot: what its file is called, and what is in it.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::time::UNIX_EPOCH;

use super::entry::{Id, LINE, PAGE};
use crate::mailbox::read_full;

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

/// Returns whether the final dot may have been written.
pub(super) fn is_marked(file: &File) -> io::Result<bool> {
    Ok(byte_at(file, MARK_AT)? == MARK)
}

/// Makes the slot free.
pub(super) fn wipe(file: &File) -> io::Result<()> {
    file.write_all_at(&[0; PAGE], 0)
}

/// Returns whether there is no image.
pub(super) fn is_free(file: &File) -> io::Result<bool> {
    Ok(byte_at(file, 0)? == 0)
}

/// Returns the ID of an image whose sender died: the same one whenever it is looked at.
pub(super) fn id_of(file: &File, metadata: &Metadata) -> io::Result<Id> {
    let written = metadata.modified()?.duration_since(UNIX_EPOCH);
    let mut start = [0; LINE];
    let count = read_full(file, &mut start, 0)?;
    let arrival = written.unwrap_or_default();
    Ok(Id::of_file(arrival, metadata.uid(), &start[..count]))
}

/// Returns one byte; 0 where there is none.
fn byte_at(file: &File, at: usize) -> io::Result<u8> {
    let mut byte = [0];
    file.read_at(&mut byte, at as u64)?;
    Ok(byte[0])
}
