//! Reading the messages of a file that other programs may rewrite meanwhile.
//!
//! A message is read at the place that the index gives, without a lock. If the file has changed by
//! then, the message's header is compared afterwards, not before: programs rewrite a mailbox from its
//! start to its end, so if the header is still in its place after the last byte was read, the body
//! was not moved while it was read. If the header is not there, a new snapshot is taken, and the
//! message is found by its fingerprint. Headers that are read one after another come in blocks; there
//! the look whether the file has changed is one for a block ([`Ahead`]).

use std::cell::RefCell;
use std::error::Error;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use super::ahead::Ahead;
use super::realign::{Whereabouts, whereabouts};
use super::snapshot::{self, Snapshot};
use super::stamp::Stamp;
use crate::exit::Kind;
use crate::mailbox::change::Journals;
use crate::mailbox::format::mbox::{MessageRef, SHOWN_HEADER, fingerprint_of};
use crate::mailbox::read_at::{ReadAt, read_exact};

/// How often a message is read that other programs keep moving.
const ATTEMPTS: usize = 4;

/// A file of messages that is open for reading.
#[derive(Debug)]
pub(in crate::mailbox) struct OpenFile {
    path: PathBuf,
    journals: Journals,
    /// The snapshot from which the index was made.
    first: Rc<Snapshot>,
    /// Whether the index covers only the end of the file.
    is_partial: bool,
    /// The last snapshot after `first`, if one was needed.
    moved: RefCell<Option<Rc<Moved>>>,
    /// What was read ahead of the last snapshot.
    ahead: Ahead,
}

/// The place of a message, or the reason why it is not known.
type Located = Result<MessageRef, &'static str>;

/// A later snapshot, and the places that the messages of the index have in it.
#[derive(Debug)]
struct Moved {
    snapshot: Rc<Snapshot>,
    places: Vec<Located>,
}

impl OpenFile {
    /// Takes the absolute form of its path.
    pub(in crate::mailbox) fn anchor(&mut self, path: &Path) {
        self.path = path.to_owned();
    }

    /// Returns the file of a snapshot from which an index was just made.
    pub(in crate::mailbox) fn new(
        path: &Path,
        journals: &Journals,
        snapshot: Snapshot,
        is_partial: bool,
    ) -> OpenFile {
        OpenFile {
            path: path.to_owned(),
            journals: journals.clone(),
            first: Rc::new(snapshot),
            is_partial,
            moved: RefCell::new(None),
            ahead: Ahead::default(),
        }
    }

    /// Returns the path by which the file was opened.
    pub(in crate::mailbox) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the snapshot from which the index was made.
    pub(in crate::mailbox) fn first(&self) -> &Snapshot {
        &self.first
    }

    /// Returns whether the index still describes the file, which has this stamp now.
    ///
    /// A snapshot that was read through a journal shows what the file will contain, not what it does.
    pub(in crate::mailbox) fn is_as_opened(&self, now: &Stamp) -> bool {
        *now == self.first.opened && !self.first.view.has_journal()
    }

    /// Returns the From_ line and the header block of a message, the empty line included.
    pub(in crate::mailbox) fn read_header(
        &self,
        index: &[MessageRef],
        message: usize,
    ) -> io::Result<Vec<u8>> {
        let header_len = |place: &MessageRef| place.header_len.into();
        if let Some(header) = self.read_ahead(index, message, header_len, <[u8]>::to_vec) {
            return Ok(header);
        }
        self.read_located(index, message, |found| {
            read(
                &found.snapshot,
                found.message.offset,
                header_len(&found.message),
            )
        })
    }

    /// Gives all bytes of a message to `take` if they are at hand: if it is small and the file has
    /// not changed.
    pub(in crate::mailbox) fn with_small<T>(
        &self,
        index: &[MessageRef],
        message: usize,
        take: impl FnOnce(&[u8]) -> T,
    ) -> Option<T> {
        self.read_ahead(index, message, |place| place.len, take)
    }

    /// Gives the start of a message, as long as `len` says, to `take`, from a block that holds more.
    fn read_ahead<T>(
        &self,
        index: &[MessageRef],
        message: usize,
        len: impl FnOnce(&MessageRef) -> u64,
        take: impl FnOnce(&[u8]) -> T,
    ) -> Option<T> {
        let (snapshot, place) = self.place(index, message);
        let place = place.ok()?;
        (self.ahead).with(&snapshot, place.offset, len(&place), take)
    }

    /// Returns all bytes of a message.
    pub(in crate::mailbox) fn read(
        &self,
        index: &[MessageRef],
        message: usize,
    ) -> io::Result<Vec<u8>> {
        if let Some(bytes) = self.with_small(index, message, <[u8]>::to_vec) {
            return Ok(bytes);
        }
        self.read_located(index, message, |found| {
            read(&found.snapshot, found.message.offset, found.message.len)
        })
    }

    /// Returns the From_ line and the header block of a message, and a reader of the rest.
    pub(in crate::mailbox) fn open_message(
        &self,
        index: &[MessageRef],
        message: usize,
    ) -> io::Result<(Vec<u8>, MessageRest)> {
        self.read_located(index, message, |found| {
            let header_len = u64::from(found.message.header_len);
            let header = read(&found.snapshot, found.message.offset, header_len)?;
            let rest = MessageRest {
                found: found.clone(),
                at: found.message.offset + header_len,
                left: found.message.len - header_len,
            };
            Ok((header, rest))
        })
    }

    /// Reads part of a message at its current place; locates it and reads again if it has moved.
    fn read_located<T>(
        &self,
        index: &[MessageRef],
        message: usize,
        read: impl Fn(&FoundMessage) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut why = "another program keeps rewriting the mailbox";
        for _ in 0..ATTEMPTS {
            let (snapshot, place) = self.place(index, message);
            match place {
                Ok(message) => {
                    let found = FoundMessage { snapshot, message };
                    let result = read(&found);
                    // An error counts only if the message was in its place: a file that was cut
                    // shorter ends early.
                    if found.is_in_place()? {
                        return result;
                    }
                }
                // Between the snapshot and now the message may have come back, or become certain.
                Err(reason) if snapshot.is_changed() => why = reason,
                Err(reason) => return Err(io::Error::new(io::ErrorKind::NotFound, reason)),
            }
            self.locate_again(index)?;
        }
        Err(busy(why))
    }

    /// Returns the last snapshot, and the place of the message in it.
    fn place(&self, index: &[MessageRef], message: usize) -> (Rc<Snapshot>, Located) {
        match &*self.moved.borrow() {
            None => (Rc::clone(&self.first), Ok(index[message])),
            Some(moved) => (Rc::clone(&moved.snapshot), moved.places[message]),
        }
    }

    /// Takes a new snapshot and finds all messages of the index in it.
    fn locate_again(&self, index: &[MessageRef]) -> io::Result<()> {
        // The file that is open, not the path: if another program has put a new file in its place,
        // the old one still has all messages.
        let file = Arc::clone(self.first.view.shared_file());
        let scanned = snapshot::take(&self.path, &file, &self.journals, false, None);
        let scanned = scanned.map_err(|error| match error.kind() {
            Kind::TryLater => busy(error),
            _ => io::Error::other(error),
        })?;
        let now = &scanned.scan.messages;
        let places = whereabouts(index, now, !self.is_partial)
            .into_iter()
            .map(|place| match place {
                Whereabouts::At(place) => Ok(now[place]),
                Whereabouts::Gone => Err("another program has removed the message"),
                Whereabouts::Uncertain => Err("another program has rewritten the mailbox"),
            })
            .collect();
        self.ahead.clear();
        *self.moved.borrow_mut() = Some(Rc::new(Moved {
            snapshot: Rc::new(scanned.snapshot),
            places,
        }));
        Ok(())
    }
}

/// A message at its place in a snapshot.
#[derive(Clone, Debug)]
struct FoundMessage {
    snapshot: Rc<Snapshot>,
    message: MessageRef,
}

impl FoundMessage {
    /// Returns whether the message is still at its place in the file.
    fn is_in_place(&self) -> io::Result<bool> {
        if !self.snapshot.is_changed() {
            return Ok(true);
        }
        // The journal describes the old file; patched with it, a changed file shows nothing true.
        if self.snapshot.view.has_journal() {
            return Ok(false);
        }
        let len = u64::from(self.message.header_len).min(SHOWN_HEADER as u64);
        match read(&self.snapshot, self.message.offset, len) {
            Ok(header) => Ok(fingerprint_of(&header) == self.message.fingerprint),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Reads a message from the end of its header on.
#[derive(Debug)]
pub(in crate::mailbox) struct MessageRest {
    found: FoundMessage,
    at: u64,
    left: u64,
}

impl Read for MessageRest {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        let want = buffer.len().min(most);
        if want == 0 {
            return Ok(0);
        }
        let count = self
            .found
            .snapshot
            .view
            .read_at(&mut buffer[..want], self.at)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += count as u64;
        self.left -= count as u64;
        // The last bytes are given out only if the message has not moved: so a caller that reads to
        // the end cannot take a mixture of two messages for one.
        if self.left == 0 && !self.found.is_in_place()? {
            return Err(busy("another program is rewriting the mailbox"));
        }
        Ok(count)
    }
}

/// Returns the error for a mailbox that other programs keep changing; reading it may succeed later.
fn busy(why: impl Into<Box<dyn Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::ResourceBusy, why)
}

fn read(snapshot: &Snapshot, offset: u64, len: u64) -> io::Result<Vec<u8>> {
    let len = usize::try_from(len).map_err(|_| io::ErrorKind::OutOfMemory)?;
    let mut bytes = vec![0; len];
    read_exact(&snapshot.view, &mut bytes, offset)?;
    Ok(bytes)
}
