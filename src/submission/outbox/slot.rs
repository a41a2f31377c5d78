//! The slot: one file that stays, for a short message that is on its way.
//!
//! Nearly every message is accepted within milliseconds. To make a file for it, to give it two names
//! and to remove it costs more than all else that its entry does (`benches/README.md`). So the image of
//! an entry that fits into one page is written over the page of the file `sending`, and wiped when the
//! message is accepted.
//!
//! | content | state |
//! |---|---|
//! | nothing, or its first byte is 0 | free; behind that byte there may be a stamp |
//! | the image of an entry, padded with zeros | as `ID.q` |
//! | the same, and the last byte of the page is a dot | as `ID.dot` |
//!
//! Whoever has the lock sends the message. An image without a lock is an [`Orphan`], of a sender that
//! died: the next sender or flush gives the file the name of an entry of its own, by which the rules of
//! those names hold for it, and the next sender makes another slot. The living sender does the same
//! before a message is made durable, put off or called uncertain: so what waits for long, and what
//! anybody is promised, has a name of its own always.
//!
//! The stamp is the time of the directory's last change with which no entry was in it. It says to the
//! next sender, for one look at the directory, that nobody waits there.
//!
//! Where another host may have the same files there is no slot. Its lock may be none there, and a name
//! that all share would have one sender write over another's message.

use std::cell::Cell;
use std::fs::{File, Metadata};
use std::io::{self, Read};

use nix::fcntl::renameat;

use super::caps::{Limits, Room};
use super::entry::{EntryEnvelope, Head, Id, PAGE};
use super::held::{Entry, Suffix};
use super::page::{self, Page, SLOT, Stamp};
use super::store::{FreeSlot, Outbox, judge, lock};
use crate::sys::open::names::{self, Access};
use crate::sys::platform;

/// The slot under its lock.
pub(super) struct Slot {
    pub(super) file: File,
    /// The directory, as it was when the slot was free.
    directory: Metadata,
    /// Whether no entry is in the directory.
    pub(super) is_alone: bool,
}

impl Slot {
    /// Returns the stamp for the time when it is free again, if no entry is in the directory.
    pub(super) fn stamp(&self) -> Option<Stamp> {
        Stamp::is_settled(&self.directory).then(|| Stamp::of(&self.directory))
    }
}

/// What a sender that died has left in the slot.
pub(super) struct Orphan {
    /// The ID that it gets with its name.
    pub(super) id: Id,
    /// Its head; why it is no sound entry, as the end of a sentence that begins with it.
    pub(super) head: Result<Head, String>,
    /// Whether its final dot may have been written.
    pub(super) is_marked: bool,
    /// How large the file is.
    pub(super) size: u64,
}

impl Orphan {
    /// Looks at the slot, whose lock we have; `None` if there is nothing of that kind.
    fn find(directory: &File, file: &File) -> io::Result<Option<Orphan>> {
        // Its sender may have given it a name since it was opened, or wiped it.
        let metadata = file.metadata()?;
        let page = Page::read(file)?;
        if page.is_free() || !names::is_named_in(directory, SLOT, file)? {
            return Ok(None);
        }
        let head = judge(&metadata)
            .map_err(str::to_owned)
            .and_then(|()| Head::read(file, metadata.len()))
            .and_then(|head| head.verify(file).map(|()| head));
        Ok(Some(Orphan {
            id: page.id(&metadata)?,
            head,
            is_marked: page.is_marked(),
            size: metadata.len(),
        }))
    }

    /// Gives it the name of an entry; returns its last part. A file that is not ours alone stays.
    fn name(&self, directory: &File, file: &File) -> io::Result<Suffix> {
        judge(&file.metadata()?).map_err(io::Error::other)?;
        let suffix = match self.head {
            Ok(_) if self.is_marked => Suffix::Dot,
            Ok(_) => Suffix::Queued,
            Err(_) => Suffix::New,
        };
        let name = suffix.name(&self.id);
        renameat(directory, SLOT, directory, name.as_str())?;
        if let Ok(head) = &self.head {
            // Where the padding stays it is no part of the entry.
            let _ = file.set_len(head.whole());
        }
        Ok(suffix)
    }
}

/// An entry that was written.
pub(crate) struct Entered {
    /// The entry.
    pub(crate) entry: Entry,
    /// Whether other messages are in the outbox.
    pub(crate) has_company: bool,
}

impl Outbox {
    /// Writes a message of this size into the outbox if that has room for it, into the slot or under its
    /// name; nothing is synced.
    ///
    /// `header` ends with the empty line behind the header fields.
    ///
    /// # Errors
    /// When a limit forbids it, the file cannot be made or written, or the body not be read. Nothing of
    /// it is left then.
    pub(crate) fn enter(
        &self,
        limits: Limits,
        size: u64,
        envelope: &EntryEnvelope,
        header: &[u8],
        body: &mut dyn Read,
    ) -> io::Result<Entered> {
        let others = Cell::new(false);
        let place = |whole: Option<usize>| -> io::Result<Option<FreeSlot>> {
            // A short one goes into the slot if that is free.
            let take = || {
                whole
                    .filter(|whole| page::fits(*whole))
                    .and_then(|_| self.take_slot())
            };
            let slot = take();
            if !(slot.as_ref().is_some_and(|slot| slot.is_alone) && limits.allow_the_slot()) {
                // There may be one descriptor left, and the look at the names needs it.
                drop(slot);
                let seen = Stamp::of(&self.directory().metadata()?);
                match self.room(limits, size)? {
                    Room::For { others: found } => others.set(found),
                    Room::None(why) => return Err(io::Error::other(why)),
                }
                // Whoever came since then has changed the directory.
                return Ok(take().map(|slot| FreeSlot {
                    stamp: slot.stamp().filter(|stamp| *stamp == seen && !others.get()),
                    file: slot.file,
                }));
            }
            Ok(slot.map(|slot| FreeSlot {
                stamp: slot.stamp(),
                file: slot.file,
            }))
        };
        let entry = self.enter_by(Id::new(), &place, envelope, header, body)?;
        Ok(Entered {
            entry,
            has_company: others.get(),
        })
    }

    /// Takes the slot under its lock, made if it is not there; `None` if somebody uses it, or it cannot
    /// be used.
    pub(super) fn take_slot(&self) -> Option<Slot> {
        let directory = self.directory();
        if !platform::is_local(directory) {
            return None;
        }
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
        let page = Page::read(&file).ok()?;
        if !page.is_free() {
            if let Some(orphan) = Orphan::find(directory, &file).ok()? {
                orphan.name(directory, &file).ok()?;
            }
            return None;
        }
        if metadata.len() > PAGE as u64 {
            return None;
        }
        let directory = directory.metadata().ok()?;
        let is_clean = page.is_clean();
        if !is_clean {
            page::wipe(&file, None).ok()?;
        }
        Some(Slot {
            file,
            is_alone: is_clean && page.stamp() == Some(Stamp::of(&directory)),
            directory,
        })
    }

    /// Gives what a sender that died has left in the slot the name of an entry; returns its ID if it
    /// waits from now on.
    ///
    /// # Errors
    /// When the slot cannot be looked at, or the name not be given: it stays for the next one who looks.
    pub(super) fn clear_slot(&self) -> io::Result<Option<Id>> {
        let directory = self.directory();
        let named = self.orphan(Access::ReadWriteQuietly, |file| {
            let Some(orphan) = Orphan::find(directory, file)? else {
                return Ok(None);
            };
            let suffix = orphan.name(directory, file)?;
            Ok(Some((orphan.id, suffix)))
        })?;
        Ok(named.and_then(|(id, suffix)| (suffix == Suffix::Queued).then_some(id)))
    }

    /// Returns what a sender that died has left in the slot; nothing is changed.
    ///
    /// # Errors
    /// When the slot cannot be looked at.
    pub(super) fn look_at_slot(&self) -> io::Result<Option<Orphan>> {
        self.orphan(Access::Read, |file| Orphan::find(self.directory(), file))
    }

    /// Calls a function with the slot under its lock, if there is an image in it whose sender died.
    fn orphan<T>(
        &self,
        access: Access,
        find: impl FnOnce(&File) -> io::Result<Option<T>>,
    ) -> io::Result<Option<T>> {
        let directory = self.directory();
        let file = match names::open_in(directory, SLOT, access) {
            Ok(file) => file,
            // No slot, or what cannot be one: a listing names it.
            Err(_) if !names::look_in(directory, SLOT).is_ok_and(|found| found.is_file()) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        // The lock is asked for only where there is an image: a sender that finds the free slot locked
        // makes a file.
        if !file.metadata()?.is_file() || Page::read(&file)?.is_free() || !lock(&file)? {
            return Ok(None);
        }
        find(&file)
    }
}
