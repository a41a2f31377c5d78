//! Listings of an outbox: no message is read, and no checksum looked at.

use std::collections::BTreeMap;
use std::io;

use nix::dir::Type;
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::entry::{EntryEnvelope, Head, Id};
use super::held::Suffix;
use super::page::SLOT;
use super::place::{FAILED, LOCK, NOTICED, ROUTES};
use super::slot::Orphan;
use super::state::EntryState;
use super::store::{Outbox, judge, lock, names_of, read_state};
use crate::sys::open::names::{self, Access};
use crate::sys::private::Private;

/// How many entries are listed, the oldest ones; the others are counted.
const MAX_LISTED: usize = 20_000;

/// How many files that are no entries are named; the others are counted.
const MAX_STRANGE: usize = 10;

/// The state of an entry, by its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// It waits.
    Waiting,
    /// Nothing sends it by itself, because a person holds it, or for the reason in its state.
    Held,
    /// Somebody sends it just now.
    Sending,
    /// It may have arrived.
    Uncertain,
    /// It is being written, or waits to be adopted by the next flush.
    New,
    /// It has failed for good.
    Failed,
    /// It is no sound entry; why, as the end of a sentence that begins with it.
    Torn(String),
}

impl Condition {
    /// Returns the word for it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Condition::Waiting => "waiting",
            Condition::Held => "held",
            Condition::Sending => "sending",
            Condition::Uncertain => "uncertain",
            Condition::New => "new",
            Condition::Failed => "failed",
            Condition::Torn(_) => "torn",
        }
    }
}

/// An entry of a listing.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    /// Its ID.
    pub id: Id,
    /// Its state, by its file.
    pub condition: Condition,
    /// Its envelope; none of one that is torn.
    pub envelope: Option<EntryEnvelope>,
    /// What became of it so far.
    pub state: EntryState,
    /// The size of the message in bytes; of one that is torn that of the file.
    pub size: u64,
}

/// What lies in an outbox.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listing {
    /// The entries in order of arrival.
    pub entries: Vec<Listed>,
    /// How many more there are.
    pub left_out: usize,
    /// Names that are none of ours, at most some.
    pub strange: Vec<String>,
    /// How many such names there are.
    pub strange_count: usize,
}

/// The names of one entry.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    suffix: Option<Suffix>,
    kind: Option<Type>,
    has_state: bool,
}

impl From<Orphan> for Listed {
    /// As it will be listed under the name that it gets.
    fn from(orphan: Orphan) -> Listed {
        let (condition, envelope, size) = match orphan.head {
            Ok(head) if orphan.is_marked => {
                (Condition::Uncertain, Some(head.envelope), head.line.message)
            }
            Ok(head) => (Condition::Waiting, Some(head.envelope), head.line.message),
            Err(why) => (Condition::Torn(why), None, orphan.size),
        };
        Listed {
            id: orphan.id,
            condition,
            envelope,
            state: EntryState::default(),
            size,
        }
    }
}

impl Outbox {
    /// Lists the entries; not one that is sent by way of the slot just now.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub(crate) fn list(&self) -> io::Result<Listing> {
        let mut listing = list_in(&self.place, false)?;
        match self.look_at_slot() {
            Ok(None) => {}
            Ok(Some(orphan)) => {
                let entries = &mut listing.entries;
                let at = entries.partition_point(|entry| entry.id < orphan.id);
                entries.insert(at, orphan.into());
            }
            Err(_) => {
                listing.strange_count += 1;
                listing.strange.push(SLOT.to_owned());
            }
        }
        Ok(listing)
    }

    /// Lists the entries that have failed.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub(crate) fn list_failed(&self) -> io::Result<Listing> {
        match self.failed() {
            Some(failed) => list_in(&failed, true),
            None => Ok(Listing::default()),
        }
    }

    /// Returns the IDs of the entries that may be sent, in order of arrival: at most the oldest ones
    /// that a listing has.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub(crate) fn ids(&self) -> io::Result<Vec<Id>> {
        let (found, _) = find(&self.place)?;
        let queued = found
            .into_iter()
            .filter(|(_, found)| matches!(found.suffix, Some(Suffix::Queued | Suffix::Dot)));
        Ok(queued.map(|(id, _)| id).collect())
    }

    /// Returns how many entries have failed.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub(crate) fn count_failed(&self) -> io::Result<usize> {
        match self.failed() {
            Some(failed) => Ok(find(&failed)?.0.len()),
            None => Ok(0),
        }
    }

    /// Removes states of entries that are gone: whoever removed the entry was killed before it could
    /// remove the rest.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub(crate) fn sweep(&self) -> io::Result<()> {
        let directory = self.directory();
        for name in names_of(directory)? {
            let name = name?.0;
            let stem = name.strip_suffix(".new").unwrap_or(&name);
            let Some(id) = stem.strip_suffix(".st").and_then(Id::parse) else {
                continue;
            };
            // Asked for the first name twice: between the questions the entry may have gone from one
            // name to the other, and back.
            let suffixes = [Suffix::Queued, Suffix::Dot, Suffix::New, Suffix::Queued];
            let is_there = |suffix: &Suffix| {
                let found = names::look_in(directory, suffix.name(&id).as_str());
                !found.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
            };
            if !suffixes.iter().any(is_there) {
                // Where it stays it is in nobody's way.
                let _ = unlinkat(directory, name.as_str(), UnlinkatFlags::NoRemoveDir);
            }
        }
        Ok(())
    }

    /// Returns whether there is nothing that a flush could do.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub(crate) fn is_empty(&self) -> io::Result<bool> {
        for name in names_of(self.directory())? {
            let name = name?.0;
            if Suffix::parse(&name).is_some() || name == SLOT && self.look_at_slot()?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Finds the entries of a directory by their names; beside them what is no entry.
fn find(place: &Private) -> io::Result<(BTreeMap<Id, Found>, Listing)> {
    let mut entries: BTreeMap<Id, Found> = BTreeMap::new();
    let mut rest = Listing::default();
    let mut count = 0;
    for name in names_of(place.directory())? {
        let (name, kind) = name?;
        let state = || Id::parse(name.strip_suffix(".st")?);
        let id = if let Some((id, suffix)) = Suffix::parse(&name) {
            count += 1;
            let found = entries.entry(id.clone()).or_default();
            // A reader may meet both names of an entry that is renamed meanwhile.
            if found.suffix != Some(Suffix::Dot) {
                found.suffix = Some(suffix);
                found.kind = kind;
            }
            id
        } else if let Some(id) = state() {
            entries.entry(id.clone()).or_default().has_state = true;
            id
        } else {
            let is_file = kind.is_none_or(|kind| kind == Type::File);
            if !is_ours(&name) || name == SLOT && !is_file {
                rest.strange_count += 1;
                if rest.strange.len() < MAX_STRANGE {
                    rest.strange.push(name);
                }
            }
            continue;
        };
        // Bounded while it is read: there may be any number of names.
        if entries.len() > MAX_LISTED
            && entries
                .last_key_value()
                .is_some_and(|(last, _)| *last >= id)
        {
            entries.pop_last();
        }
    }
    entries.retain(|_, found| found.suffix.is_some());
    rest.left_out = usize::saturating_sub(count, entries.len());
    Ok((entries, rest))
}

/// Returns whether a name that is no entry's is one of ours.
fn is_ours(name: &str) -> bool {
    let state = name.strip_suffix(".st.new").and_then(Id::parse);
    [FAILED, LOCK, NOTICED, ROUTES, SLOT].contains(&name) || state.is_some()
}

fn list_in(place: &Private, is_failed: bool) -> io::Result<Listing> {
    let (entries, mut listing) = find(place)?;
    for (id, found) in entries {
        listing.entries.extend(look(place, id, found, is_failed));
    }
    Ok(listing)
}

/// Looks at one entry; `None` if it is gone since.
fn look(place: &Private, id: Id, found: Found, is_failed: bool) -> Option<Listed> {
    let suffix = found.suffix?;
    let torn = |id: Id, why: String, size: u64| {
        Some(Listed {
            id,
            condition: Condition::Torn(why),
            envelope: None,
            state: EntryState::default(),
            size,
        })
    };
    // A device is not even opened.
    if found.kind.is_some_and(|kind| kind != Type::File) {
        return torn(id, "is not a regular file".to_owned(), 0);
    }
    let name = suffix.name(&id);
    let opened = names::open_in(place.directory(), name.as_str(), Access::Read);
    let (file, metadata) = match opened.and_then(|file| Ok((file.metadata()?, file))) {
        Ok((metadata, file)) => (file, metadata),
        // Sent and removed since, or on its way to the other name.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => {
            let why = format!("cannot be opened: {}", crate::exit::plain(&error));
            return torn(id, why, 0);
        }
    };
    if let Err(why) = judge(&metadata) {
        return torn(id, why.to_owned(), metadata.len());
    }
    let head = match Head::read(&file, metadata.len()) {
        Ok(head) => head,
        // Its writer may be at work.
        Err(why) if suffix == Suffix::New && !lock(&file).unwrap_or(false) => {
            drop(why);
            return None;
        }
        Err(why) => return torn(id, why, metadata.len()),
    };
    let state = if found.has_state {
        match read_state(place.directory(), &id) {
            Ok(state) => state.unwrap_or_default(),
            Err(why) => return torn(id, why, head.line.message),
        }
    } else {
        EntryState::default()
    };
    let condition = if is_failed {
        Condition::Failed
    } else {
        match suffix {
            Suffix::New => Condition::New,
            // Shared, and gone at once: whoever sends has it exclusively.
            _ if file.try_lock_shared().is_err() => Condition::Sending,
            Suffix::Dot => Condition::Uncertain,
            Suffix::Queued if state.held.is_some() => Condition::Held,
            Suffix::Queued => Condition::Waiting,
        }
    };
    Some(Listed {
        id,
        condition,
        envelope: Some(head.envelope),
        state,
        size: head.line.message,
    })
}
