//! Opening a mailbox for reading, and reading its messages.
//!
//! Nothing is ever written here (design decision D13): shared kernel locks for at most a second,
//! so that a deliverer can finish what it is writing, then the mailbox as long as it was at that
//! moment. If somebody still holds a lock then, a last message without an end is left out.
//! Locks are given back when the index is complete; message bytes are read when they are shown.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use chrono::{DateTime, FixedOffset};
use memchr::memchr_iter;

use crate::mailbox::change::{Changes, CommitOptions, Committed, Journals};
use crate::mailbox::error::{CommitError, OpenError};
use crate::mailbox::file::open_regular;
use crate::mailbox::format::from_line::{FromLine, from_line};
use crate::mailbox::format::mbox::{self, MessageRef};
use crate::mailbox::format::quote::Form;
use crate::mailbox::format::{Beginning, beginning, framing, gzip, scan_any, torn};
use crate::mailbox::maildir::{self, Maildir};
use crate::mailbox::notice::Notice;
use crate::mailbox::read::open_file::{OpenFile, Rest};
use crate::mailbox::read::snapshot::{self, Snapshot, view_of};
use crate::mailbox::read::stamp::Stamp;
use crate::mailbox::rewrite;
use crate::mailbox::rewrite::journal::{self, JournalTarget};
use crate::mailbox::rewrite::patched::PatchedFile;
use crate::message::parse::{date, fields, words};
use crate::sys::clock;

/// Where the messages are.
#[derive(Debug)]
enum Store {
    /// One behind the other in a file.
    File(OpenFile),
    /// The same, from a compressed file.
    Compressed(OpenFile),
    /// Each in a file of its own.
    Maildir(Maildir),
}

/// A mailbox that is open for reading, and the index of its messages.
#[derive(Debug)]
pub struct Mailbox {
    path: PathBuf,
    store: Store,
    messages: Vec<MessageRef>,
    is_torn: bool,
    /// Whether the index has the end of the mailbox only.
    is_partial: bool,
    notices: Vec<Notice>,
}

impl Mailbox {
    /// Opens a mailbox read-only and scans it once.
    ///
    /// `visit` is called for each message in order, with its index, its place, and its From_ line
    /// and header block cut at 64 KiB, so that a listing needs no second pass. An empty file is a
    /// mailbox without messages. Where a rewrite broke off the mailbox is read as if it were
    /// complete.
    ///
    /// # Errors
    /// When the file is missing, not a regular file, unreadable, or not an mbox. In a directory
    /// with the sticky bit, where others may plant files, a symbolic link, a second name of a
    /// foreign file, and another user's file under a user's name are refused.
    pub fn open(
        path: &Path,
        journals: &Journals,
        visit: &mut dyn FnMut(usize, &MessageRef, &[u8]),
    ) -> Result<Mailbox, OpenError> {
        Mailbox::open_part(path, journals, false, Some(visit))
    }

    /// Opens a mailbox read-only and scans it once, without showing the messages to anybody.
    ///
    /// # Errors
    /// As [`open`](Mailbox::open).
    pub fn open_index(path: &Path, journals: &Journals) -> Result<Mailbox, OpenError> {
        Mailbox::open_part(path, journals, false, None)
    }

    /// Opens a mailbox read-only and finds its last message from the end of the file.
    ///
    /// The index has the last message, and perhaps some before it; where the format has no such
    /// short way, all of them ([`is_partial`](Mailbox::is_partial)).
    ///
    /// # Errors
    /// As [`open`](Mailbox::open).
    pub fn open_end(path: &Path, journals: &Journals) -> Result<Mailbox, OpenError> {
        Mailbox::open_part(path, journals, true, None)
    }

    fn open_part(
        path: &Path,
        journals: &Journals,
        end_only: bool,
        mut visit: Option<mbox::Visit<'_>>,
    ) -> Result<Mailbox, OpenError> {
        let mut show = |index: usize, message: &MessageRef, header: &[u8]| {
            if let Some(visit) = &mut visit {
                visit(index, message, header);
            }
        };
        if let Some((maildir, messages)) = Maildir::open(path, &mut show)? {
            return Ok(Mailbox {
                path: path.to_owned(),
                notices: maildir.notices(),
                store: Store::Maildir(maildir),
                messages,
                is_torn: false,
                is_partial: false,
            });
        }
        let io = |source| OpenError::new(path, source);
        let file = open_regular(path)?.0;
        if gzip::is_compressed(&file).map_err(io)? {
            return Mailbox::open_compressed(path, &file, visit);
        }
        let scanned = snapshot::take(path, &Arc::new(file), journals, end_only, visit)?;
        Ok(Mailbox {
            path: path.to_owned(),
            is_torn: scanned.scan.is_torn,
            is_partial: scanned.is_partial,
            notices: scanned.notices,
            messages: scanned.scan.messages,
            store: Store::File(OpenFile::new(
                path,
                journals,
                scanned.snapshot,
                scanned.is_partial,
            )),
        })
    }

    /// Scans what a compressed file holds. There is no journal of it, and nobody waits to write it.
    fn open_compressed(
        path: &Path,
        file: &File,
        visit: Option<mbox::Visit<'_>>,
    ) -> Result<Mailbox, OpenError> {
        let (file, incomplete) = gzip::decompressed(file, path)?;
        let file = Arc::new(file);
        let metadata = file.metadata();
        let opened = Stamp::of(&metadata.map_err(|source| OpenError::new(path, source))?);
        let mut view = PatchedFile::of_file(file, opened.size());
        let end = torn::end_without_nuls(&view, view.len());
        view.truncate(end.map_err(|source| OpenError::new(path, source))?);
        let scan = scan_any(&view, view.len(), false, visit)
            .map_err(|error| OpenError::of_scan(path, error))?;
        let file = OpenFile::new(path, &Journals::default(), Snapshot { view, opened }, false);
        Ok(Mailbox {
            path: path.to_owned(),
            store: Store::Compressed(file),
            messages: scan.messages,
            is_torn: false,
            is_partial: false,
            notices: incomplete.into_iter().collect(),
        })
    }

    /// Returns the path by which the mailbox was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the size of the mailbox when it was scanned.
    pub fn size(&self) -> u64 {
        match self.file() {
            Ok(file) => file.first().view.len(),
            Err(_) => self.messages.iter().map(|message| message.len).sum(),
        }
    }

    /// Returns the file that holds all messages, or the Maildir that has one for each.
    fn file(&self) -> Result<&OpenFile, &Maildir> {
        match &self.store {
            Store::File(file) | Store::Compressed(file) => Ok(file),
            Store::Maildir(maildir) => Err(maildir),
        }
    }

    /// Returns the messages in the order of the file, those of a Maildir as they were delivered.
    pub fn messages(&self) -> &[MessageRef] {
        &self.messages
    }

    /// Returns what else is to be told about the mailbox.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// Returns whether a last message was left out because somebody was still writing it.
    pub fn is_torn(&self) -> bool {
        self.is_torn
    }

    /// Returns whether the index has the end of the mailbox only.
    pub fn is_partial(&self) -> bool {
        self.is_partial
    }

    /// Returns whether the mailbox is compressed, and so can only be read.
    pub fn is_compressed(&self) -> bool {
        matches!(self.store, Store::Compressed(_))
    }

    /// Returns whether somebody has written to the mailbox since it was opened.
    pub fn is_changed(&self) -> bool {
        match self.file() {
            Ok(file) => file.first().is_changed(),
            Err(maildir) => maildir.is_changed(),
        }
    }

    /// Returns whether it is one file in which messages stand between delimiters.
    pub(in crate::mailbox) fn is_mmdf(&self) -> bool {
        let framing = |file: &OpenFile| framing(&file.first().view, self.size());
        self.file()
            .is_ok_and(|file| framing(file).is_ok_and(|framing| framing > 0))
    }

    /// Returns the Maildir, if it is one.
    pub(in crate::mailbox) fn maildir(&self) -> Option<&Maildir> {
        self.file().err()
    }

    /// Returns the number of lines of a message, the From_ line and the blank line at the end
    /// included; reads it if they were not counted.
    ///
    /// # Errors
    /// As [`read`](Mailbox::read).
    pub fn lines(&self, index: usize) -> io::Result<u32> {
        if let Some(lines) = self.messages[index].lines {
            return Ok(lines);
        }
        let (header, rest) = self.open_message(index)?;
        let mut reader = BufReader::new(header.chain(rest));
        let (mut lines, mut last) = (0, b'\n');
        loop {
            let block = reader.fill_buf()?;
            let Some(&end) = block.last() else {
                break;
            };
            lines += memchr_iter(b'\n', block).count();
            last = end;
            let count = block.len();
            reader.consume(count);
        }
        // A last line without its newline is a line.
        let lines = lines + usize::from(last != b'\n');
        Ok(u32::try_from(lines).unwrap_or(u32::MAX))
    }

    /// Returns all bytes of a message, its From_ line included.
    ///
    /// A message that another program has moved since the mailbox was opened is found again.
    ///
    /// # Errors
    /// When reading fails, or the message is not there any more.
    ///
    /// # Panics
    /// When there is no such message, as with any slice.
    pub fn read(&self, index: usize) -> io::Result<Vec<u8>> {
        match self.file() {
            Ok(file) => file.read(&self.messages, index),
            Err(maildir) => {
                let len = usize::try_from(self.messages[index].len);
                let mut bytes = vec![0; len.map_err(|_| io::ErrorKind::OutOfMemory)?];
                maildir.open_message(index)?.read_exact(&mut bytes)?;
                Ok(bytes)
            }
        }
    }

    /// Returns the From_ line and the header block of a message, the empty line included.
    ///
    /// # Errors
    /// As [`read`](Mailbox::read).
    pub fn read_header(&self, index: usize) -> io::Result<Vec<u8>> {
        match self.file() {
            Ok(file) => file.read_header(&self.messages, index),
            Err(_) => Ok(self.open_message(index)?.0),
        }
    }

    /// Returns the From_ line and the header block of a message, and a reader of the rest.
    ///
    /// # Errors
    /// As [`read`](Mailbox::read); the reader also fails at its end if it was given bytes that
    /// another program was moving.
    pub fn open_message(&self, index: usize) -> io::Result<(Vec<u8>, impl Read + use<>)> {
        match self.file() {
            Ok(file) => {
                let (header, rest) = file.open_message(&self.messages, index)?;
                Ok((header, MessageReader::InFile(rest)))
            }
            Err(maildir) => {
                let mut file = maildir.open_message(index)?;
                let mut header = vec![0; self.messages[index].header_len as usize];
                file.read_exact(&mut header)?;
                Ok((header, MessageReader::Own(file)))
            }
        }
    }

    /// Returns in what form messages come from this mailbox, for [`append`](crate::mailbox::append()).
    pub fn form(&self) -> Form {
        if self.maildir().is_some() || self.is_mmdf() {
            Form::Filed
        } else {
            Form::Stored
        }
    }

    /// Returns the From_ line with which a message goes to an mbox: its own if that separates
    /// messages anywhere, or one that says what its header says of its sender and its file's name,
    /// or the header, of the time of its delivery.
    ///
    /// `block` is what [`read_header`](Mailbox::read_header) gives; `now` gives the time of a
    /// message that tells none.
    pub fn from_line(
        &self,
        index: usize,
        block: &[u8],
        now: impl FnOnce() -> DateTime<FixedOffset>,
    ) -> Vec<u8> {
        let len = self.messages()[index].from_line_len as usize;
        let (line, header) = block.split_at(len.min(block.len()));
        let separates = |line: FromLine| line.time.is_some() || line.is_plausible_without_date();
        // Any other separates nothing where it does not stand first.
        if FromLine::parse(line.trim_ascii_end()).is_some_and(separates) {
            return line.to_vec();
        }
        let delivered = self
            .maildir()
            .and_then(|maildir| maildir.delivered(index))
            // A year of four digits: anything else is no time.
            .filter(|seconds| *seconds < 253_402_300_800)
            .map(|seconds| clock::local(UNIX_EPOCH + Duration::from_secs(seconds)));
        let date_in = |name| fields::find(header, name).and_then(date);
        let time = delivered
            .or_else(|| date_in("delivery-date"))
            .or_else(|| date_in("date"))
            .unwrap_or_else(now);
        let sender = ["return-path", "from"]
            .iter()
            .find_map(|name| fields::find(header, name))
            .map(|body| words::first_address(body).address)
            .unwrap_or_default();
        from_line(sender.as_bytes(), time)
    }

    /// Writes changes into the mailbox, under all locks; a Maildir needs none.
    ///
    /// Mail that arrived since it was opened is kept. The mailbox is to be opened anew afterwards:
    /// its index is stale then.
    ///
    /// # Errors
    /// [`CommitError`] says why nothing was changed; in a Maildir, why a message was not, and those
    /// before it were.
    pub fn commit(
        &self,
        changes: &Changes,
        options: &CommitOptions<'_>,
    ) -> Result<Committed, CommitError> {
        match &self.store {
            Store::File(file) => {
                rewrite::commit(file, &self.messages, self.is_partial, changes, options)
            }
            Store::Compressed(_) => Err(CommitError::Refused {
                path: self.path.clone(),
                why: "compressed, and so read-only".to_owned(),
            }),
            Store::Maildir(maildir) => maildir.commit(&self.messages, changes),
        }
    }
}

/// Reads one message where it lies.
enum MessageReader {
    /// Between others.
    InFile(Rest),
    /// In a file of its own.
    Own(File),
}

impl Read for MessageReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            MessageReader::InFile(rest) => rest.read(buffer),
            MessageReader::Own(file) => file.read(buffer),
        }
    }
}

/// Returns whether there is a message in a mailbox, without scanning it.
///
/// Any message counts, read or not, as POSIX has it for `mailx -e`. No lock is waited for.
///
/// # Errors
/// As [`Mailbox::open`].
pub fn has_mail(path: &Path, journals: &Journals) -> Result<bool, OpenError> {
    if let Some(has_mail) = maildir::has_mail(path)? {
        return Ok(has_mail);
    }
    let io = |source| OpenError::new(path, source);
    let (file, metadata) = open_regular(path)?;
    if gzip::is_compressed(&file).map_err(io)? {
        let start = gzip::first_bytes(&file, path)?;
        return judged(path, beginning(&start[..], start.len() as u64).map_err(io)?);
    }
    let file = Arc::new(file);
    let subject = JournalTarget::of(path, &file).map_err(io)?;
    let found = journal::find(&subject, journals, &mut Vec::new()).map_err(io)?;
    let view = view_of(&file, &Stamp::of(&metadata), found, &mut Vec::new()).map_err(io)?;
    judged(path, beginning(&view, view.len()).map_err(io)?)
}

/// Returns whether there is mail in a file that begins like this.
fn judged(path: &Path, beginning: Beginning) -> Result<bool, OpenError> {
    match beginning {
        Beginning::Blank => Ok(false),
        Beginning::Mbox | Beginning::Mmdf => Ok(true),
        Beginning::Other => Err(OpenError::NotMbox {
            path: path.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests;
