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
use super::snapshot::{Look, look};
use super::stamp::Identity;
use crate::exit::Kind;
use crate::mailbox::change::Journals;
use crate::mailbox::format::mbox::{MessageRef, SHOWN_HEADER, fingerprint_of};
use crate::mailbox::read_at::{Source, read_exact};

/// How often a message is looked for that other programs move.
const LOOKS: usize = 4;

/// A file of messages that is open for reading.
#[derive(Debug)]
pub(in crate::mailbox) struct OpenFile {
    path: PathBuf,
    journals: Journals,
    /// The look by which the index was made.
    first: Rc<Look>,
    /// Whether the index has the end of the file only.
    is_partial: bool,
    moved: RefCell<Option<Rc<Moved>>>,
}

/// Where a message is, or why that is not known.
type Place = Result<MessageRef, &'static str>;

/// A later look, and where the messages of the index are since then.
#[derive(Debug)]
struct Moved {
    look: Rc<Look>,
    places: Vec<Place>,
}

impl OpenFile {
    /// Returns a file of which an index was just made.
    pub(in crate::mailbox) fn new(
        path: &Path,
        journals: &Journals,
        look: Look,
        is_partial: bool,
    ) -> OpenFile {
        OpenFile {
            path: path.to_owned(),
            journals: journals.clone(),
            first: Rc::new(look),
            is_partial,
            moved: RefCell::new(None),
        }
    }

    /// Returns the path by which the file was opened.
    pub(in crate::mailbox) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the look by which the index was made.
    pub(in crate::mailbox) fn first(&self) -> &Look {
        &self.first
    }

    /// Returns whether the index is true of a file that is like this now.
    pub(in crate::mailbox) fn is_as_opened(&self, now: &Identity) -> bool {
        *now == self.first.opened && !self.first.view.has_journal()
    }

    /// Returns the From_ line and the header block of a message, the empty line included.
    pub(in crate::mailbox) fn read_header(
        &self,
        index: &[MessageRef],
        message: usize,
    ) -> io::Result<Vec<u8>> {
        self.settled(index, message, |spot| {
            read(
                &spot.look,
                spot.message.offset,
                spot.message.header_len.into(),
            )
        })
    }

    /// Returns all bytes of a message.
    pub(in crate::mailbox) fn read(
        &self,
        index: &[MessageRef],
        message: usize,
    ) -> io::Result<Vec<u8>> {
        self.settled(index, message, |spot| {
            read(&spot.look, spot.message.offset, spot.message.len)
        })
    }

    /// Returns the From_ line and the header block of a message, and a reader of the rest.
    pub(in crate::mailbox) fn open_message(
        &self,
        index: &[MessageRef],
        message: usize,
    ) -> io::Result<(Vec<u8>, Rest)> {
        self.settled(index, message, |spot| {
            let header_len = u64::from(spot.message.header_len);
            let header = read(&spot.look, spot.message.offset, header_len)?;
            let rest = Rest {
                spot: spot.clone(),
                at: spot.message.offset + header_len,
                left: spot.message.len - header_len,
            };
            Ok((header, rest))
        })
    }

    /// Reads of a message where it is, again if it was moved meanwhile.
    fn settled<T>(
        &self,
        index: &[MessageRef],
        message: usize,
        read: impl Fn(&Spot) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut why = "another program keeps rewriting the mailbox";
        for _ in 0..LOOKS {
            let (look, place) = self.place(index, message);
            match place {
                Ok(message) => {
                    let spot = Spot { look, message };
                    let answer = read(&spot);
                    if spot.is_true()? {
                        return answer;
                    }
                }
                Err(reason) if look.is_changed() => why = reason,
                Err(reason) => return Err(io::Error::new(io::ErrorKind::NotFound, reason)),
            }
            self.look_again(index)?;
        }
        Err(busy(why))
    }

    /// Returns the last look, and where the message was then.
    fn place(&self, index: &[MessageRef], message: usize) -> (Rc<Look>, Place) {
        match &*self.moved.borrow() {
            None => (Rc::clone(&self.first), Ok(index[message])),
            Some(moved) => (Rc::clone(&moved.look), moved.places[message]),
        }
    }

    /// Finds all messages of the index where they are now.
    fn look_again(&self, index: &[MessageRef]) -> io::Result<()> {
        let file = Arc::clone(self.first.view.shared_file());
        let looked = look(&self.path, &file, &self.journals, false, None);
        let looked = looked.map_err(|error| match error.kind() {
            Kind::TryLater => busy(error),
            _ => io::Error::other(error),
        })?;
        let now = &looked.scan.messages;
        let places = whereabouts(index, now, !self.is_partial)
            .into_iter()
            .map(|place| match place {
                Whereabouts::At(place) => Ok(now[place]),
                Whereabouts::Gone => Err("another program has removed the message"),
                Whereabouts::Uncertain => Err("another program has rewritten the mailbox"),
            })
            .collect();
        *self.moved.borrow_mut() = Some(Rc::new(Moved {
            look: Rc::new(looked.look),
            places,
        }));
        Ok(())
    }
}

/// A message in its place, as a look has found it.
#[derive(Clone, Debug)]
struct Spot {
    look: Rc<Look>,
    message: MessageRef,
}

impl Spot {
    /// Returns whether the message is still in its place.
    fn is_true(&self) -> io::Result<bool> {
        if !self.look.is_changed() {
            return Ok(true);
        }
        // Through a journal nothing can be said of a file that has changed under it.
        if self.look.view.has_journal() {
            return Ok(false);
        }
        let len = u64::from(self.message.header_len).min(SHOWN_HEADER as u64);
        match read(&self.look, self.message.offset, len) {
            Ok(header) => Ok(fingerprint_of(&header) == self.message.fingerprint),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Reads the rest of a message.
#[derive(Debug)]
pub(in crate::mailbox) struct Rest {
    spot: Spot,
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
        let count = self.spot.look.view.read_at(&mut buffer[..want], self.at)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += count as u64;
        self.left -= count as u64;
        if self.left == 0 && !self.spot.is_true()? {
            return Err(busy("another program is rewriting the mailbox"));
        }
        Ok(count)
    }
}

/// Returns the error of a mailbox that other programs do not leave alone; later it may be read.
fn busy(why: impl Into<Box<dyn Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::ResourceBusy, why)
}

fn read(look: &Look, offset: u64, len: u64) -> io::Result<Vec<u8>> {
    let len = usize::try_from(len).map_err(|_| io::ErrorKind::OutOfMemory)?;
    let mut bytes = vec![0; len];
    read_exact(&look.view, &mut bytes, offset)?;
    Ok(bytes)
}
