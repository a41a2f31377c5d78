//! The slot: one file that stays, for a short message that is on its way.
//!
//! Nearly every message is accepted within milliseconds. To make a file for it, to give it two names
//! and to remove it costs more than all else that its entry does (`benches/README.md`). So the image of
//! an entry that fits into one page is written over the page of the file `sending`, and wiped when the
//! message is accepted.
//!
//! | content | state |
//! |---|---|
//! | nothing, or its first byte is 0 | free |
//! | the image of an entry, padded with zeros | as `ID.q` |
//! | the same, and the last byte of the page is a dot | as `ID.dot` |
//!
//! Whoever has the lock sends the message. An image without a lock is of a sender that died: whoever
//! looks at the outbox next gives the file the name of an entry of its own, by which the rules of those
//! names hold for it, and the next sender makes another slot. The living sender does the same before a
//! message is made durable, put off or called uncertain: so what waits for long, and what anybody is
//! promised, has a name of its own always.
//!
//! One page: a kill comes before or after it is copied, and never in between.

use std::fs::{File, Metadata};
use std::io;

use nix::fcntl::renameat;

use super::entry::PAGE;
use super::held::{Suffix, trim};
use super::page::{self, SLOT};
use super::store::{Outbox, is_named, judge, lock};
use crate::sys::open::names::{self, Access};

impl Outbox {
    /// Takes the slot under its lock, made if it is not there; `None` if somebody uses it, or it cannot
    /// be used.
    pub(super) fn take_slot(&self) -> Option<File> {
        let directory = self.directory();
        let file = match names::open_in(directory, SLOT, Access::ReadWriteQuietly) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                names::make_in(directory, SLOT).ok()?
            }
            opened => opened.ok()?,
        };
        if !lock(&file).ok()? {
            return None;
        }
        let metadata = file.metadata().ok()?;
        judge(&metadata).ok()?;
        if page::is_free(&file).ok()? {
            return (metadata.len() <= PAGE as u64).then_some(file);
        }
        let _ = self.name_orphan(&file, &metadata);
        None
    }

    /// Gives what a sender that died has left in the slot the name of an entry. Returns whether there
    /// was something; where it could not get its name, it stays for the next one who looks.
    pub(super) fn clear_slot(&self) -> bool {
        self.try_to_clear_slot().unwrap_or(false)
    }

    fn try_to_clear_slot(&self) -> io::Result<bool> {
        let file = names::open_in(self.directory(), SLOT, Access::ReadWriteQuietly)?;
        let metadata = file.metadata()?;
        // The lock is asked for only where there is an image: a sender that finds the free slot locked
        // makes a file.
        if judge(&metadata).is_ok() && !page::is_free(&file)? && lock(&file)? {
            return self.name_orphan(&file, &metadata);
        }
        Ok(false)
    }

    /// Gives an image in the slot, whose lock we have, the name of an entry.
    fn name_orphan(&self, file: &File, metadata: &Metadata) -> io::Result<bool> {
        let directory = self.directory();
        // Its sender may have given it a name since it was opened, or wiped it.
        if page::is_free(file)? || !is_named(directory, SLOT, metadata) {
            return Ok(false);
        }
        let id = page::id_of(file, metadata)?;
        // Whether it is whole is found out as of each entry of that name.
        let suffix = if page::is_marked(file)? {
            Suffix::Dot
        } else {
            Suffix::New
        };
        let name = suffix.name(&id);
        renameat(directory, SLOT, directory, name.as_str())?;
        trim(file);
        Ok(true)
    }
}
