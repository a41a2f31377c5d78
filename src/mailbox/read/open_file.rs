//! Reading the messages of a file that other programs may rewrite meanwhile.
//!
//! Messages are read where the index says. Whether they are still there is seen after they were
//! read, when the file has changed by then: who rewrites a mailbox works from its start to its end,
//! so a message whose header is in its place after the last byte was read was not moved before.
//! If it was, the file is looked at again and the message found by its fingerprint.

use std::cell::RefCell;
use std::error::Error;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use super::realign::{Whereabouts, whereabouts};
use super::snapshot::{self, Snapshot};
use super::stamp::Stamp;
use crate::exit::Kind;
use crate::mailbox::change::Journals;
use crate::mailbox::format::mbox::{MessageRef, SHOWN_HEADER, fingerprint_of};
use crate::mailbox::read_at::{ReadAt, read_exact};

/// How often a message is looked for that other programs move.
const LOOKS: usize = 4;

/// A file of messages that is open for reading.
#[derive(Debug)]
pub(in crate::mailbox) struct OpenFile {
    path: PathBuf,
    journals: Journals,
    /// The snapshot from which the index was made.
    first: Rc<Snapshot>,
    /// Whether the index has the end of the file only.
    is_partial: bool,
    moved: RefCell<Option<Rc<Moved>>>,
}

/// Where a message is, or why that is not known.
type FoundOrWhyNot = Result<MessageRef, &'static str>;

/// A later snapshot, and where the messages of the index are since then.
#[derive(Debug)]
struct Moved {
    snapshot: Rc<Snapshot>,
    places: Vec<FoundOrWhyNot>,
}

impl OpenFile {
    /// Returns a file of which an index was just made.
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

    /// Returns whether the index is true of a file that is like this now.
    pub(in crate::mailbox) fn is_as_opened(&self, now: &Stamp) -> bool {
        *now == self.first.opened && !self.first.view.has_journal()
    }

    /// Returns the From_ line and the header block of a message, the empty line included.
    pub(in crate::mailbox) fn read_header(
        &self,
        index: &[MessageRef],
        message: usize,
    ) -> io::Result<Vec<u8>> {
        self.settled(index, message, |found| {
            read(
                &found.snapshot,
                found.message.offset,
                found.message.header_len.into(),
            )
        })
    }

    /// Returns all bytes of a message.
    pub(in crate::mailbox) fn read(
        &self,
        index: &[MessageRef],
        message: usize,
    ) -> io::Result<Vec<u8>> {
        self.settled(index, message, |found| {
            read(&found.snapshot, found.message.offset, found.message.len)
        })
    }

    /// Returns the From_ line and the header block of a message, and a reader of the rest.
    pub(in crate::mailbox) fn open_message(
        &self,
        index: &[MessageRef],
        message: usize,
    ) -> io::Result<(Vec<u8>, Rest)> {
        self.settled(index, message, |found| {
            let header_len = u64::from(found.message.header_len);
            let header = read(&found.snapshot, found.message.offset, header_len)?;
            let rest = Rest {
                found: found.clone(),
                at: found.message.offset + header_len,
                left: found.message.len - header_len,
            };
            Ok((header, rest))
        })
    }

    /// Reads of a message where it is, again if it was moved meanwhile.
    fn settled<T>(
        &self,
        index: &[MessageRef],
        message: usize,
        read: impl Fn(&FoundMessage) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut why = "another program keeps rewriting the mailbox";
        for _ in 0..LOOKS {
            let (snapshot, place) = self.place(index, message);
            match place {
                Ok(message) => {
                    let found = FoundMessage { snapshot, message };
                    let answer = read(&found);
                    if found.is_true()? {
                        return answer;
                    }
                }
                Err(reason) if snapshot.is_changed() => why = reason,
                Err(reason) => return Err(io::Error::new(io::ErrorKind::NotFound, reason)),
            }
            self.take_again(index)?;
        }
        Err(busy(why))
    }

    /// Returns the last snapshot, and where the message was then.
    fn place(&self, index: &[MessageRef], message: usize) -> (Rc<Snapshot>, FoundOrWhyNot) {
        match &*self.moved.borrow() {
            None => (Rc::clone(&self.first), Ok(index[message])),
            Some(moved) => (Rc::clone(&moved.snapshot), moved.places[message]),
        }
    }

    /// Takes a new snapshot and finds all messages of the index in it.
    fn take_again(&self, index: &[MessageRef]) -> io::Result<()> {
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
        *self.moved.borrow_mut() = Some(Rc::new(Moved {
            snapshot: Rc::new(scanned.snapshot),
            places,
        }));
        Ok(())
    }
}

/// A message in its place, as a snapshot has it.
#[derive(Clone, Debug)]
struct FoundMessage {
    snapshot: Rc<Snapshot>,
    message: MessageRef,
}

impl FoundMessage {
    /// Returns whether the message is still in its place.
    fn is_true(&self) -> io::Result<bool> {
        if !self.snapshot.is_changed() {
            return Ok(true);
        }
        // Through a journal nothing can be said of a file that has changed under it.
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

/// Reads the rest of a message.
#[derive(Debug)]
pub(in crate::mailbox) struct Rest {
    found: FoundMessage,
    at: u64,
    left: u64,
}

impl Read for Rest {
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
        if self.left == 0 && !self.found.is_true()? {
            return Err(busy("another program is rewriting the mailbox"));
        }
        Ok(count)
    }
}

/// Returns the error of a mailbox that other programs do not leave alone; later it may be read.
fn busy(why: impl Into<Box<dyn Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::ResourceBusy, why)
}

fn read(snapshot: &Snapshot, offset: u64, len: u64) -> io::Result<Vec<u8>> {
    let len = usize::try_from(len).map_err(|_| io::ErrorKind::OutOfMemory)?;
    let mut bytes = vec![0; len];
    read_exact(&snapshot.view, &mut bytes, offset)?;
    Ok(bytes)
}
