//! The store: entries are written, looked at, taken under their lock, and adopted.

use std::cell::OnceCell;
use std::fs::{File, Metadata, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nix::dir::Type;
use nix::fcntl::renameat;
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::entry::{self, EntryEnvelope, Head, Id};
use super::held::{Entry, EntryFile, InSlot, Suffix};
use super::page::{self, Stamp};
use super::place::{self, FAILED, LOCK};
use super::state::EntryState;
use crate::config::{Environment, Settings};
use crate::exit::{self, Failure, Kind};
use crate::submission::Surroundings;
use crate::sys::clock;
use crate::sys::open::names::{self, Access};
use crate::sys::private::Private;

/// After how long a file that was never completed is put away.
const TORN: Duration = Duration::from_secs(36 * 60 * 60);

/// How large a sidecar may be that is read.
const MAX_STATE: u64 = 64 << 20;

/// An outbox that was opened.
#[derive(Clone, Debug)]
pub(crate) struct Outbox {
    pub(super) place: Private,
}

/// The flusher's lock; it is released when this is dropped.
#[derive(Debug)]
pub(crate) struct FlusherLock {
    _file: File,
}

/// The slot, free and locked, and the stamp that it gets when it is wiped.
pub(super) struct FreeSlot {
    pub(super) file: File,
    pub(super) stamp: Option<Stamp>,
}

/// What an entry is written into.
enum Made {
    InSlot(FreeSlot),
    File(File),
}

impl Outbox {
    /// Opens the outbox to write to it; makes its directory if necessary. `None` where it is off.
    ///
    /// # Errors
    /// 73 when no place can be used, 78 when `outbox` names none.
    pub(crate) fn open(around: &Surroundings<'_>) -> Result<Option<Outbox>, Failure> {
        let place = place::to_write(around.settings, around.environment)?;
        Ok(place.map(|place| Outbox { place }))
    }

    /// Returns the outboxes of the user that are there: the one for new entries first, then those of
    /// times when that place could not be used. Nothing is made.
    ///
    /// # Errors
    /// 77 when one is there and cannot be opened, or is not the user's alone; 78 when `outbox` names
    /// none.
    pub(crate) fn all(around: &Surroundings<'_>) -> Result<Vec<Outbox>, Failure> {
        Outbox::of(around.settings, around.environment)
    }

    /// Returns the outboxes of the user by these settings, as [`all`](Outbox::all).
    ///
    /// # Errors
    /// As [`all`](Outbox::all).
    pub(crate) fn of(
        settings: &Settings,
        environment: &Environment,
    ) -> Result<Vec<Outbox>, Failure> {
        let places = place::to_read(settings, environment)?;
        Ok(places.into_iter().map(|place| Outbox { place }).collect())
    }

    #[cfg(test)]
    pub(super) fn at(path: &Path) -> Outbox {
        Outbox {
            place: Private::make_at(path, 0o700).expect("a place"),
        }
    }

    /// Returns its path, to be shown.
    pub(crate) fn path(&self) -> &Path {
        self.place.path()
    }

    /// Returns its open directory.
    pub(crate) fn directory(&self) -> &Arc<File> {
        self.place.directory()
    }

    /// Takes the lock of the one flusher; `None` if another one runs.
    ///
    /// # Errors
    /// When the lock's file cannot be opened or made.
    pub(crate) fn lock_flusher(&self) -> io::Result<Option<FlusherLock>> {
        let directory = self.directory();
        let opened = match names::open_in(directory, LOCK, Access::ReadWrite) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                match names::make_in(directory, LOCK) {
                    // Another flusher has made it since.
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                        names::open_in(directory, LOCK, Access::ReadWrite)
                    }
                    made => made,
                }
            }
            opened => opened,
        }?;
        judge(&opened.metadata()?).map_err(|why| io::Error::other(format!("{LOCK} {why}")))?;
        Ok(lock(&opened)?.then_some(FlusherLock { _file: opened }))
    }

    /// Writes a message into the outbox, under an ID that it has already, into a file of that name;
    /// nothing is synced.
    ///
    /// # Errors
    /// When the file cannot be made or written, or the body not be read. Nothing of it is left then.
    pub(super) fn enter_as(
        &self,
        id: Id,
        envelope: &EntryEnvelope,
        header: &[u8],
        body: &mut dyn Read,
    ) -> io::Result<Entry> {
        self.enter_by(id, &|_| Ok(None), envelope, header, body)
    }

    /// Writes a message into the slot that a function finds for its length, if that is known at once,
    /// else into a file of its ID.
    pub(super) fn enter_by(
        &self,
        id: Id,
        slot: &dyn Fn(Option<usize>) -> io::Result<Option<FreeSlot>>,
        envelope: &EntryEnvelope,
        header: &[u8],
        body: &mut dyn Read,
    ) -> io::Result<Entry> {
        let directory = self.directory();
        let name = Suffix::New.name(&id);
        let made: OnceCell<Made> = OnceCell::new();
        let make = |whole: Option<usize>| -> io::Result<&File> {
            let new = match slot(whole)? {
                Some(slot) => Made::InSlot(slot),
                None => Made::File(names::make_in(directory, name.as_str())?),
            };
            match made.get_or_init(|| new) {
                Made::InSlot(slot) => Ok(&slot.file),
                // Locked before its first byte, and those who adopt lock none that is not complete: so
                // nobody but us can have the lock.
                Made::File(file) if lock(file)? => Ok(file),
                Made::File(_) => {
                    let why = "the new file is locked";
                    Err(io::Error::new(io::ErrorKind::WouldBlock, why))
                }
            }
        };
        let mut written = entry::write(&make, envelope, header, body);
        if let (Ok(_), Some(Made::File(_))) = (&written, made.get()) {
            let queued = Suffix::Queued.name(&id);
            if let Err(error) = renameat(directory, name.as_str(), directory, queued.as_str()) {
                written = Err(error.into());
            }
        }
        match (written, made.into_inner()) {
            (Ok(head), Some(made)) => {
                let (file, in_slot) = match made {
                    Made::File(file) => (file, None),
                    Made::InSlot(slot) => {
                        let (whole, stamp) = (head.whole(), slot.stamp);
                        (slot.file, Some(InSlot { whole, stamp }))
                    }
                };
                let file = EntryFile::new(self.place.clone(), id, file, Suffix::Queued, in_slot);
                Ok(Entry::new(file, head, EntryState::default(), false))
            }
            (written, made) => {
                let _ = match made {
                    Some(Made::InSlot(slot)) => page::clear(directory, &slot.file, None),
                    Some(Made::File(_)) => {
                        let flags = UnlinkatFlags::NoRemoveDir;
                        unlinkat(directory, name.as_str(), flags).map_err(io::Error::from)
                    }
                    None => Ok(()),
                };
                Err(written
                    .err()
                    .unwrap_or_else(|| io::Error::other("no file was made")))
            }
        }
    }

    /// Returns whether there is an entry of this ID, failed ones included.
    ///
    /// # Errors
    /// When the directory cannot be looked at.
    pub(super) fn holds(&self, id: &Id) -> io::Result<bool> {
        let failed = self.failed();
        let places = [Some(&self.place), failed.as_ref()];
        for place in places.into_iter().flatten() {
            for suffix in [Suffix::Queued, Suffix::Dot] {
                match names::look_in(place.directory(), suffix.name(id).as_str()) {
                    Ok(_) => return Ok(true),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(false)
    }

    /// Takes an entry under its lock, with its checksum looked at; `None` if somebody else has it, or
    /// it is gone.
    ///
    /// # Errors
    /// 65 when the file is no sound entry, 74 when it cannot be read.
    pub(crate) fn lock(&self, id: &Id) -> Result<Option<Entry>, Failure> {
        lock_in(&self.place, id, &[Suffix::Queued, Suffix::Dot])
    }

    /// Takes an entry of `failed` under its lock, as [`lock`](Outbox::lock).
    ///
    /// # Errors
    /// As [`lock`](Outbox::lock).
    pub(crate) fn lock_failed(&self, id: &Id) -> Result<Option<Entry>, Failure> {
        match self.failed() {
            Some(failed) => {
                let entry = lock_in(&failed, id, &[Suffix::Queued])?;
                Ok(entry.map(|entry| entry.failed_in(self.place.clone())))
            }
            None => Ok(None),
        }
    }

    /// Returns the directory of those that failed, if there is one.
    pub(super) fn failed(&self) -> Option<Private> {
        self.place.open(FAILED).ok()
    }

    /// Gives the entries whose writer died before the last step their name, and puts away what was
    /// never completed. Returns those that wait from now on.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub(crate) fn adopt(&self) -> io::Result<Vec<Id>> {
        let mut adopted: Vec<Id> = self.clear_slot().ok().flatten().into_iter().collect();
        for name in names_of(self.directory())? {
            let name = name?.0;
            if let Some((id, Suffix::New)) = Suffix::parse(&name)
                && self.adopt_one(&id, &name).unwrap_or(false)
            {
                adopted.push(id);
            }
        }
        adopted.sort_unstable();
        Ok(adopted)
    }

    fn adopt_one(&self, id: &Id, name: &str) -> io::Result<bool> {
        let directory = self.directory();
        let file = names::open_in(directory, name, Access::ReadWrite)?;
        let metadata = file.metadata()?;
        if judge(&metadata).is_err() {
            return Ok(false);
        }
        let is_sound = match Head::read(&file, metadata.len()) {
            // The lock is asked for only now: see `enter`.
            Ok(_) if !lock(&file)? => return Ok(false),
            // After a power cut the head may be on the disk, and a later page not.
            Ok(head) => head.verify(&file).is_ok(),
            Err(_) => false,
        };
        if is_sound {
            let queued = Suffix::Queued.name(id);
            renameat(directory, name, directory, queued.as_str())?;
            let file = EntryFile::new(self.place.clone(), id.clone(), file, Suffix::Queued, None);
            file.make_durable()?;
            return Ok(true);
        }
        let age = metadata
            .modified()
            .ok()
            .and_then(|time| clock::now().duration_since(time).ok());
        if age.is_some_and(|age| age > TORN) && lock(&file)? {
            let failed = self.place.make_directory(FAILED)?;
            let put = Suffix::Queued.name(id);
            renameat(directory, name, failed.directory(), put.as_str())?;
        }
        Ok(false)
    }

    /// Puts away an entry that was damaged after it was complete: a power cut may do that to one that
    /// nobody was promised. Returns whether it was one.
    ///
    /// # Errors
    /// When it cannot be read or moved.
    pub(crate) fn put_damaged_away(&self, id: &Id) -> io::Result<bool> {
        let directory = self.directory();
        for suffix in [Suffix::Queued, Suffix::Dot] {
            let name = suffix.name(id);
            let file = match names::open_in(directory, name.as_str(), Access::ReadWrite) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                opened => opened?,
            };
            let metadata = file.metadata()?;
            if judge(&metadata).is_err() || !lock(&file)? {
                return Ok(false);
            }
            let why = match Head::read(&file, metadata.len()) {
                Ok(head) => head.verify(&file).err(),
                // It may be of a version to come.
                Err(_) => return Ok(false),
            };
            let state = read_state(directory, id);
            if why.is_none() && state.is_ok() {
                return Ok(false);
            }
            let failed = self.place.make_directory(FAILED)?;
            let move_as = |from: &str, to: &str| -> io::Result<()> {
                Ok(renameat(directory, from, failed.directory(), to)?)
            };
            let sidecar = format!("{id}.st");
            match move_as(&sidecar, &sidecar) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            move_as(&name, &Suffix::Queued.name(id))?;
            return Ok(true);
        }
        Ok(false)
    }

    /// Removes an entry that is no sound one, with its sidecar; false if it is locked or gone.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub(crate) fn remove_torn(&self, id: &Id, is_failed: bool) -> io::Result<bool> {
        let place = if is_failed {
            self.failed()
        } else {
            Some(self.place.clone())
        };
        let Some(place) = place else {
            return Ok(false);
        };
        let mut removed = false;
        for suffix in [Suffix::Queued, Suffix::Dot, Suffix::New] {
            let name = suffix.name(id);
            let found = match names::look_in(place.directory(), name.as_str()) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                found => found?,
            };
            // Only a regular file can be locked by somebody who sends it.
            if found.is_file() {
                let file = names::open_in(place.directory(), name.as_str(), Access::Read)?;
                if !lock(&file)? {
                    return Ok(false);
                }
            }
            unlinkat(place.directory(), name.as_str(), UnlinkatFlags::NoRemoveDir)?;
            removed = true;
        }
        for name in [format!("{id}.st"), format!("{id}.st.new")] {
            let _ = unlinkat(place.directory(), name.as_str(), UnlinkatFlags::NoRemoveDir);
        }
        Ok(removed)
    }
}

/// Opens and locks the file of an entry under the first of these names that is there.
fn lock_in(place: &Private, id: &Id, suffixes: &[Suffix]) -> Result<Option<Entry>, Failure> {
    let broken = |why: String| {
        let what = format!("the entry {id} of the outbox {why}");
        Failure::new(Kind::Data, what)
    };
    let failed = |error: io::Error| {
        let what = format!("cannot read the entry {id} of the outbox");
        Failure::new(Kind::Io, what).because(error)
    };
    let directory = place.directory();
    for suffix in suffixes {
        let name = suffix.name(id);
        let file = match names::open_in(directory, name.as_str(), Access::ReadWrite) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => match names::look_in(directory, name.as_str()) {
                Ok(found) if !found.is_file() => return Err(broken(NOT_REGULAR.to_owned())),
                _ => return Err(failed(error)),
            },
            Ok(file) => file,
        };
        let metadata = file.metadata().map_err(failed)?;
        judge(&metadata).map_err(|why| broken(why.to_owned()))?;
        if !lock(&file).map_err(failed)? {
            return Ok(None);
        }
        // Whoever had the lock may have sent and removed it, or moved it to the other name, since it
        // was opened.
        if !names::is_named_in(directory, &name, &file).map_err(failed)? {
            return Ok(None);
        }
        let head = Head::read(&file, metadata.len()).map_err(broken)?;
        head.verify(&file).map_err(broken)?;
        let (state, has_state) = match read_state(directory, id) {
            Ok(Some(state)) => (state, true),
            Ok(None) => (EntryState::default(), false),
            // Who has the message already is not known: sent again, it might come twice.
            Err(why) => return Err(broken(why)),
        };
        let file = EntryFile::new(place.clone(), id.clone(), file, *suffix, None);
        return Ok(Some(Entry::new(file, head, state, has_state)));
    }
    Ok(None)
}

/// Reads the sidecar of an entry; `None` if there is none.
///
/// # Errors
/// Says what is wrong, as the end of a sentence that begins with the entry.
pub(super) fn read_state(directory: &File, id: &Id) -> Result<Option<EntryState>, String> {
    let damaged = |why: &str| format!("has a state file ({id}.st) that {why}");
    let name = format!("{id}.st");
    let file = match names::open_in(directory, name.as_str(), Access::Read) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(damaged(&format!(
                "cannot be opened: {}",
                exit::plain(&error)
            )));
        }
        Ok(file) => file,
    };
    let metadata = file
        .metadata()
        .map_err(|error| damaged(&format!("cannot be read: {}", exit::plain(&error))))?;
    judge(&metadata).map_err(damaged)?;
    if metadata.len() > MAX_STATE {
        return Err(damaged("is too large"));
    }
    // One call for a whole listing's worth of files counts. A sidecar is never written in place, so
    // its size does not change.
    let mut bytes = vec![0; metadata.len() as usize];
    file.read_exact_at(&mut bytes, 0)
        .map_err(|error| damaged(&format!("cannot be read: {}", exit::plain(&error))))?;
    let state = EntryState::decode(&bytes);
    state.map(Some).ok_or_else(|| damaged("is damaged"))
}

const NOT_REGULAR: &str = "is not a regular file";

/// Judges a file of the outbox; the directory is ours alone, so this finds accidents, and what root
/// or a backup has put there.
///
/// # Errors
/// Says what is wrong, as the end of a sentence that begins with the file.
pub(super) fn judge(file: &Metadata) -> Result<(), &'static str> {
    if !file.is_file() {
        Err(NOT_REGULAR)
    } else if file.uid() != crate::sys::user::effective_uid() {
        Err("belongs to another user")
    } else if file.mode() & 0o077 != 0 {
        Err("can be read or written by other users")
    } else if file.nlink() != 1 {
        Err("has a second name (hard link)")
    } else {
        Ok(())
    }
}

/// Asks for the lock of a file, without waiting.
pub(super) fn lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Returns the names in a directory, with their kind where the file system says it.
pub(super) fn names_of(
    directory: &File,
) -> io::Result<impl Iterator<Item = io::Result<(String, Option<Type>)>>> {
    let names = names::names_in(directory)?;
    Ok(names.map(|name| {
        let (name, kind) = name?;
        Ok((text_of(name), kind))
    }))
}

/// Returns a name as text. One that is no UTF-8 is none of ours.
fn text_of(name: Vec<u8>) -> String {
    String::from_utf8(name)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
