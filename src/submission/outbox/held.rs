//! An entry under its lock.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::fcntl::renameat;
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::entry::{EntryEnvelope, Head, Id, MessageReader};
use super::page::{self, SLOT, Stamp};
use super::place::FAILED;
use super::state::EntryState;
use crate::message::MessageSource;
use crate::sys::disk::{settle_directory_of, sync_names_in, until_done};
use crate::sys::open::names;
use crate::sys::private::Private;

/// The name of an entry's file says its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Suffix {
    /// It is being written.
    New,
    /// It waits.
    Queued,
    /// Its final dot may have been written.
    Dot,
}

impl Suffix {
    const ALL: [Suffix; 3] = [Suffix::New, Suffix::Queued, Suffix::Dot];

    fn text(self) -> &'static str {
        match self {
            Suffix::New => ".new",
            Suffix::Queued => ".q",
            Suffix::Dot => ".dot",
        }
    }

    /// Returns the name of the file of an entry in this state.
    pub(super) fn name(self, id: &Id) -> String {
        format!("{id}{}", self.text())
    }

    /// Reads the name of an entry's file.
    pub(super) fn parse(name: &str) -> Option<(Id, Suffix)> {
        Suffix::ALL.into_iter().find_map(|suffix| {
            let id = name.strip_suffix(suffix.text())?;
            Some((Id::parse(id)?, suffix))
        })
    }
}

/// The open and locked file of an entry.
#[derive(Debug)]
pub(crate) struct EntryFile {
    place: Private,
    id: Id,
    file: File,
    standing: RefCell<FileStanding>,
}

#[derive(Debug)]
struct FileStanding {
    suffix: Suffix,
    /// Set if it is in the slot and has no name of its own yet.
    in_slot: Option<InSlot>,
}

/// How an entry is in the slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct InSlot {
    /// How long it is.
    pub(super) whole: u64,
    /// What the slot is told when it is wiped.
    pub(super) stamp: Option<Stamp>,
}

impl FileStanding {
    fn name(&self, id: &Id) -> Cow<'static, str> {
        if self.in_slot.is_some() {
            Cow::Borrowed(SLOT)
        } else {
            Cow::Owned(self.suffix.name(id))
        }
    }
}

impl EntryFile {
    pub(super) fn new(
        place: Private,
        id: Id,
        file: File,
        suffix: Suffix,
        in_slot: Option<InSlot>,
    ) -> Rc<EntryFile> {
        Rc::new(EntryFile {
            place,
            id,
            file,
            standing: RefCell::new(FileStanding { suffix, in_slot }),
        })
    }

    /// Says on the disk that the final dot may have been written; to be called just before.
    ///
    /// Not synced: after a power cut the entry may wait again, and the message come twice.
    ///
    /// # Errors
    /// When the name cannot be changed: the dot must not be written then.
    pub(crate) fn about_to_dot(&self) -> io::Result<()> {
        let mut standing = self.standing.borrow_mut();
        // A name needs no room, where the mark may need some on a full disk.
        if standing.in_slot.is_some() && page::mark(&self.file).is_ok() {
            standing.suffix = Suffix::Dot;
            return Ok(());
        }
        self.rename(&mut standing, Suffix::Dot)
    }

    /// Gives what is in the slot a name of its own, by its state.
    fn give_name(&self) -> io::Result<()> {
        let mut standing = self.standing.borrow_mut();
        let suffix = standing.suffix;
        self.rename(&mut standing, suffix)
    }

    /// Returns when the file got its last name, mode or content.
    ///
    /// # Errors
    /// When the system cannot say it.
    pub(crate) fn changed(&self) -> io::Result<SystemTime> {
        let seconds = u64::try_from(self.file.metadata()?.ctime()).unwrap_or(0);
        Ok(UNIX_EPOCH + Duration::from_secs(seconds))
    }

    /// Makes file and name survive a power cut.
    ///
    /// # Errors
    /// When one of them cannot be synced: nothing may be promised then.
    pub(crate) fn make_durable(&self) -> io::Result<()> {
        self.give_name()?;
        until_done(|| self.file.sync_all())?;
        sync_names_in(self.place.directory(), &self.file)?;
        // The directory itself may be new.
        settle_directory_of(self.place.path(), &self.file)
    }

    fn rename(&self, standing: &mut FileStanding, to: Suffix) -> io::Result<()> {
        let old = standing.name(&self.id);
        let new = to.name(&self.id);
        if old == new {
            return Ok(());
        }
        let directory = self.place.directory();
        // The name of the slot is always the same: where somebody has removed the file, it is another
        // sender's by now.
        if standing.in_slot.is_some() && !names::is_named_in(directory, SLOT, &self.file)? {
            return Err(io::Error::other(format!("somebody has removed {SLOT}")));
        }
        renameat(directory, &*old, directory, new.as_str())?;
        standing.suffix = to;
        if let Some(in_slot) = standing.in_slot.take() {
            // Where the padding stays it is no part of the entry.
            let _ = self.file.set_len(in_slot.whole);
        }
        Ok(())
    }

    /// Gives it the name of a state.
    fn enter_state(&self, suffix: Suffix) -> io::Result<()> {
        self.rename(&mut self.standing.borrow_mut(), suffix)
    }

    /// Returns what the file is called.
    fn name(&self) -> Cow<'static, str> {
        self.standing.borrow().name(&self.id)
    }

    /// Removes the file; the slot is wiped and stays.
    fn remove(&self) -> io::Result<()> {
        let directory = self.place.directory();
        let in_slot = self.standing.borrow().in_slot;
        if let Some(in_slot) = in_slot {
            return page::clear(directory, &self.file, in_slot.stamp);
        }
        Ok(unlinkat(
            directory,
            &*self.name(),
            UnlinkatFlags::NoRemoveDir,
        )?)
    }

    fn state_name(&self) -> String {
        format!("{}.st", self.id)
    }
}

/// An entry under its lock, which is released when this and the last copy of its file are dropped.
#[derive(Debug)]
pub(crate) struct Entry {
    file: Rc<EntryFile>,
    head: Head,
    state: EntryState,
    /// Whether there is a sidecar.
    has_state: bool,
    /// Where it lay before it failed, for one that lies in `failed`.
    origin: Option<Private>,
}

impl Entry {
    pub(super) fn new(
        file: Rc<EntryFile>,
        head: Head,
        state: EntryState,
        has_state: bool,
    ) -> Entry {
        Entry {
            file,
            head,
            state,
            has_state,
            origin: None,
        }
    }

    /// Says that it lies in the directory `failed` of this place.
    pub(super) fn failed_in(mut self, origin: Private) -> Entry {
        self.origin = Some(origin);
        self
    }

    /// Returns its ID.
    pub(crate) fn id(&self) -> &Id {
        &self.file.id
    }

    /// Returns its envelope.
    pub(crate) fn envelope(&self) -> &EntryEnvelope {
        &self.head.envelope
    }

    /// Returns what became of it so far.
    pub(crate) fn state(&self) -> &EntryState {
        &self.state
    }

    /// Returns what became of it so far, to be changed; [`save_state`](Entry::save_state) writes it.
    pub(crate) fn state_mut(&mut self) -> &mut EntryState {
        &mut self.state
    }

    /// Returns its file.
    pub(crate) fn file(&self) -> &Rc<EntryFile> {
        &self.file
    }

    /// Returns the message: the neutral header, and the body for a wire of 7 bits.
    pub(crate) fn message(&self) -> EntryMessage {
        EntryMessage {
            file: Rc::clone(&self.file),
            at: self.head.message_at(),
            len: self.head.line.message,
        }
    }

    /// Returns the hash of the message's body.
    pub(super) fn body_hash(&self) -> u128 {
        self.head.line.body
    }

    /// Returns whether its final dot may have been written.
    pub(crate) fn is_uncertain(&self) -> bool {
        self.file.standing.borrow().suffix == Suffix::Dot
    }

    /// Says that the message waits: it has not arrived, or is to be sent again although it may have.
    ///
    /// # Errors
    /// When the name cannot be changed.
    pub(crate) fn back_to_queue(&self) -> io::Result<()> {
        self.file.enter_state(Suffix::Queued)
    }

    /// Says that it is uncertain whether the message has arrived.
    ///
    /// # Errors
    /// When the name cannot be changed.
    pub(crate) fn leave_uncertain(&self) -> io::Result<()> {
        self.file.enter_state(Suffix::Dot)
    }

    /// Makes entry, name and sidecar survive a power cut.
    ///
    /// # Errors
    /// When something cannot be synced: nothing may be promised then.
    pub(crate) fn make_durable(&self) -> io::Result<()> {
        self.file.make_durable()
    }

    /// Writes the sidecar. Its bytes are synced; its name is with
    /// [`make_durable`](Entry::make_durable).
    ///
    /// # Errors
    /// When it cannot be written: the sidecar is as it was then.
    pub(crate) fn save_state(&mut self) -> io::Result<()> {
        // A sidecar belongs to an entry of that name.
        self.file.give_name()?;
        let directory = self.file.place.directory();
        let name = self.file.state_name();
        let new = format!("{name}.new");
        let make = || names::make_in(directory, new.as_str());
        let file = match make() {
            // Left behind by one who died: we have the lock.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                unlinkat(directory, new.as_str(), UnlinkatFlags::NoRemoveDir)?;
                make()?
            }
            made => made?,
        };
        let bytes = self.state.encode();
        let written = (&file)
            .write_all(&bytes)
            .and_then(|()| until_done(|| file.sync_all()))
            .and_then(|()| Ok(renameat(directory, new.as_str(), directory, name.as_str())?));
        if written.is_err() {
            let _ = unlinkat(directory, new.as_str(), UnlinkatFlags::NoRemoveDir);
        }
        self.has_state |= written.is_ok();
        written
    }

    /// Removes the entry: every recipient has the message, or somebody wants it gone.
    ///
    /// Not synced: after a power cut it may be there again, and the message come twice.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub(crate) fn finish(self) -> io::Result<()> {
        self.file.remove()?;
        if self.has_state {
            // Left behind it is in nobody's way, and goes with the next flush.
            let directory = self.file.place.directory();
            let name = self.file.state_name();
            let _ = unlinkat(directory, name.as_str(), UnlinkatFlags::NoRemoveDir);
        }
        Ok(())
    }

    /// Puts the entry away with its state, as it is: nothing sends it by itself any more.
    ///
    /// # Errors
    /// When it cannot be moved; it lies where it was then, or its sidecar does.
    pub(crate) fn fail(mut self) -> io::Result<()> {
        let failed = self.file.place.make_directory(FAILED)?;
        self.save_state()?;
        self.move_to(&failed)
    }

    /// Takes an entry of `failed` back into the outbox, to be tried at once.
    ///
    /// # Errors
    /// When it cannot be moved, or lies in the outbox already.
    pub(crate) fn revive(mut self) -> io::Result<()> {
        let Some(origin) = self.origin.take() else {
            return Err(io::Error::other("it has not failed"));
        };
        self.state.next = None;
        self.state.held = None;
        self.save_state()?;
        self.move_to(&origin)
    }

    /// Moves entry and sidecar to another directory of the same outbox; both directories are synced.
    fn move_to(&self, place: &Private) -> io::Result<()> {
        let name = self.file.name();
        let (from, to) = (self.file.place.directory(), place.directory());
        // The sidecar first: an entry without one would go to those who have the message.
        let state = self.file.state_name();
        renameat(from, state.as_str(), to, state.as_str())?;
        let queued = Suffix::Queued.name(self.id());
        if let Err(error) = renameat(from, &*name, to, queued.as_str()) {
            let _ = renameat(to, state.as_str(), from, state.as_str());
            return Err(error.into());
        }
        sync_names_in(to, &self.file.file)?;
        sync_names_in(from, &self.file.file)
    }
}

/// The message of an entry.
#[derive(Clone, Debug)]
pub(crate) struct EntryMessage {
    file: Rc<EntryFile>,
    at: u64,
    len: u64,
}

impl MessageSource for EntryMessage {
    fn len(&self) -> u64 {
        self.len
    }

    fn reader(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(MessageReader {
            file: &self.file.file,
            at: self.at,
            end: self.at + self.len,
        }))
    }
}
