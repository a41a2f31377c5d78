//! Opening a mailbox for reading, and reading its messages.
//!
//! Nothing is ever written here. `read/snapshot` waits at most a second for
//! shared kernel locks, so that a deliverer can finish its message, and scans the mailbox at the size
//! that it has then. If another program still holds a lock, a last message without an end is left
//! out. The locks are released when the index is complete; a message is read when it is shown.

mod again;
mod from_line;
mod has_mail;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memchr::memchr_iter;

pub use self::has_mail::has_mail;
use crate::mailbox::change::{Changes, CommitOptions, Committed, Journals};
use crate::mailbox::error::{CommitError, OpenError};
use crate::mailbox::file::open_regular;
use crate::mailbox::format::mbox::{self, MessageRef};
use crate::mailbox::format::quote::Form;
use crate::mailbox::format::{framing, gzip, scan_any, single, torn};
use crate::mailbox::maildir::Maildir;
use crate::mailbox::notice::Notice;
use crate::mailbox::read::open_file::{MessageRest, OpenFile};
use crate::mailbox::read::snapshot::{self, Snapshot};
use crate::mailbox::read::stamp::Stamp;
use crate::mailbox::rewrite;
use crate::mailbox::rewrite::patched::PatchedFile;

/// How the messages are stored.
#[derive(Debug)]
enum Storage {
    /// One after another in a file.
    File(OpenFile),
    /// The same, from a compressed file.
    Compressed(OpenFile),
    /// The file is the only message.
    Single(OpenFile),
    /// Each in a file of its own.
    Maildir(Maildir),
}

/// A mailbox that is open for reading, and the index of its messages.
#[derive(Debug)]
pub struct Mailbox {
    path: PathBuf,
    storage: Storage,
    messages: Vec<MessageRef>,
    /// Whether the index covers only the end of the mailbox.
    is_partial: bool,
    notices: Vec<Notice>,
}

impl Mailbox {
    /// Keeps a relative name from meaning another file: the working directory is about to change.
    ///
    /// # Errors
    /// The working directory cannot be found out.
    pub fn anchor(&mut self) -> io::Result<()> {
        let path = std::path::absolute(&self.path)?;
        match &mut self.storage {
            Storage::File(file) | Storage::Single(file) | Storage::Compressed(file) => {
                file.anchor(&path);
            }
            Storage::Maildir(maildir) => maildir.anchor(&path),
        }
        self.path = path;
        Ok(())
    }

    /// Opens a mailbox read-only and scans it once.
    ///
    /// `visit` is called for each message in order, with its index, its place, and its From_ line
    /// and header block cut at 64 KiB, so that a listing needs no second pass. An empty file is a
    /// mailbox without messages. If a rewrite was interrupted the mailbox is read as if it were
    /// complete.
    ///
    /// # Errors
    /// When the file is missing, not a regular file, unreadable, or not an mbox. In a directory
    /// with the sticky bit, where others may plant files, three kinds of file are refused: a symbolic
    /// link, a second name of another user's file, and a file under a user's name that is not that
    /// user's.
    pub fn open(
        path: &Path,
        journals: &Journals,
        visit: &mut dyn FnMut(usize, &MessageRef, &[u8]),
    ) -> Result<Mailbox, OpenError> {
        Mailbox::open_part(path, journals, false, Some(visit))
    }

    /// Opens a mailbox read-only and scans it once, without a visitor.
    ///
    /// # Errors
    /// As [`open`](Mailbox::open).
    pub fn open_index(path: &Path, journals: &Journals) -> Result<Mailbox, OpenError> {
        Mailbox::open_part(path, journals, false, None)
    }

    /// Opens a mailbox read-only and finds its last message from the end of the file.
    ///
    /// The index has the last message, and perhaps some before it. In a Maildir, an MMDF or a
    /// compressed mailbox it has all of them ([`is_partial`](Mailbox::is_partial)).
    ///
    /// # Errors
    /// As [`open`](Mailbox::open).
    pub fn open_end(path: &Path, journals: &Journals) -> Result<Mailbox, OpenError> {
        Mailbox::open_part(path, journals, true, None)
    }

    /// Opens the whole mailbox, or with `end_only` its last message.
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
                storage: Storage::Maildir(maildir),
                messages,
                is_partial: false,
            });
        }
        let io = |source| OpenError::new(path, source);
        // Messages are read from this file from here on, whatever the path leads to later.
        let file = open_regular(path)?.0;
        if gzip::is_compressed(&file).map_err(io)? {
            return Mailbox::open_compressed(path, &file, visit);
        }
        let file = Arc::new(file);
        let again = visit.as_mut().map(|visit| &mut **visit as mbox::Visit<'_>);
        let mut scanned = match snapshot::take(path, &file, journals, end_only, again) {
            Err(OpenError::NotMbox { .. }) => return Mailbox::open_single(path, &file, visit),
            scanned => scanned?,
        };
        if scanned.scan.is_torn {
            scanned.notices.push(Notice::Torn);
        }
        Ok(Mailbox {
            path: path.to_owned(),
            is_partial: scanned.is_partial,
            notices: scanned.notices,
            messages: scanned.scan.messages,
            storage: Storage::File(OpenFile::new(
                path,
                journals,
                scanned.snapshot,
                scanned.is_partial,
            )),
        })
    }

    /// Decompresses a file and scans the result, which no other program knows: no lock is needed,
    /// and no rewrite can be interrupted.
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
        // The archive may have been made of a mailbox with an unfinished append.
        let end = torn::end_without_nuls(&view, view.len());
        view.truncate(end.map_err(|source| OpenError::new(path, source))?);
        let scan = scan_any(&view, view.len(), false, visit)
            .map_err(|error| OpenError::of_scan(path, error))?;
        let file = OpenFile::new(path, &Journals::default(), Snapshot { view, opened }, false);
        Ok(Mailbox {
            path: path.to_owned(),
            storage: Storage::Compressed(file),
            messages: scan.messages,
            is_partial: false,
            notices: incomplete.into_iter().collect(),
        })
    }

    /// Opens a file that is one message, without a From_ line; it can only be read.
    fn open_single(
        path: &Path,
        file: &Arc<File>,
        visit: Option<mbox::Visit<'_>>,
    ) -> Result<Mailbox, OpenError> {
        let io = |source| OpenError::new(path, source);
        let opened = Stamp::of(&file.metadata().map_err(io)?);
        let view = PatchedFile::of_file(Arc::clone(file), opened.size());
        let Some((mut message, header)) = single::scan(&view, view.len()).map_err(io)? else {
            return Err(OpenError::NotMbox {
                path: path.to_owned(),
            });
        };
        let file = OpenFile::new(path, &Journals::default(), Snapshot { view, opened }, false);
        let mut mailbox = Mailbox {
            path: path.to_owned(),
            storage: Storage::Single(file),
            messages: vec![message],
            is_partial: false,
            notices: Vec::new(),
        };
        // Lines are counted for a visitor alone, as in a mailbox of many.
        if let Some(visit) = visit {
            message.lines = Some(mailbox.lines(0).map_err(io)?);
            mailbox.messages[0] = message;
            visit(0, &message, &header);
        }
        Ok(mailbox)
    }

    /// Returns the path by which the mailbox was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the size of the mailbox when it was scanned.
    pub fn size(&self) -> u64 {
        match self.file() {
            Ok(file) => file.first().view.len(),
            // A Maildir has no size of its own.
            Err(_) => self.messages.iter().map(|message| message.len).sum(),
        }
    }

    /// Returns the file that holds all messages, or the Maildir that has one for each.
    fn file(&self) -> Result<&OpenFile, &Maildir> {
        match &self.storage {
            Storage::File(file) | Storage::Compressed(file) | Storage::Single(file) => Ok(file),
            Storage::Maildir(maildir) => Err(maildir),
        }
    }

    /// Returns the messages in the order of the file, those of a Maildir as they were delivered.
    pub fn messages(&self) -> &[MessageRef] {
        &self.messages
    }

    /// Returns what else is to be reported about the mailbox.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// Returns whether the index covers only the end of the mailbox.
    pub fn is_partial(&self) -> bool {
        self.is_partial
    }

    /// Returns what the file is, if that is why the mailbox can only be read.
    pub fn unchangeable(&self) -> Option<&'static str> {
        match self.storage {
            Storage::Compressed(_) => Some("compressed"),
            Storage::Single(_) => Some("a single message and no mailbox"),
            Storage::File(_) | Storage::Maildir(_) => None,
        }
    }

    /// Returns whether another program has written to the mailbox since it was opened.
    pub fn is_changed(&self) -> bool {
        match self.file() {
            Ok(file) => file.first().is_changed(),
            Err(maildir) => maildir.is_changed(),
        }
    }

    /// Returns whether the mailbox is an MMDF file, in which messages stand between delimiters.
    pub(in crate::mailbox) fn is_mmdf(&self) -> bool {
        let framing = |file: &OpenFile| framing(&file.first().view, self.size());
        self.file()
            .is_ok_and(|file| framing(file).is_ok_and(|framing| framing > 0))
    }

    /// Returns the Maildir; `None` if the mailbox is a file.
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
        let count = |bytes: &[u8]| memchr_iter(b'\n', bytes).count();
        // A last line without its newline is a line.
        let counted = |bytes: &[u8]| {
            count(bytes) + usize::from(bytes.last().is_some_and(|end| *end != b'\n'))
        };
        let at_hand = |file: &OpenFile| file.with_small(&self.messages, index, counted);
        if let Some(lines) = self.file().ok().and_then(at_hand) {
            return Ok(u32::try_from(lines).unwrap_or(u32::MAX));
        }
        let (header, rest) = self.open_message(index)?;
        let mut reader = BufReader::new(header.chain(rest));
        let (mut lines, mut last) = (0, b'\n');
        loop {
            let block = reader.fill_buf()?;
            let Some(&end) = block.last() else {
                break;
            };
            lines += count(block);
            last = end;
            let count = block.len();
            reader.consume(count);
        }
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
                // Exactly as many bytes as the index says: header and body lengths must fit.
                let len = usize::try_from(self.messages[index].len);
                let mut bytes = vec![0; len.map_err(|_| io::ErrorKind::OutOfMemory)?];
                maildir.open_message(index)?.read_exact(&mut bytes)?;
                Ok(bytes)
            }
        }
    }

    /// Returns all bytes of a message, its From_ line included, without the quoting of an mbox.
    ///
    /// # Errors
    /// As [`read`](Mailbox::read).
    ///
    /// # Panics
    /// As [`read`](Mailbox::read).
    pub fn read_unquoted(&self, index: usize) -> io::Result<Vec<u8>> {
        Ok(self.form().unquoted(self.read(index)?))
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

    /// Returns the form in which messages come from this mailbox, for [`append`](crate::mailbox::append()).
    pub fn form(&self) -> Form {
        let is_single = matches!(self.storage, Storage::Single(_));
        if is_single || self.maildir().is_some() || self.is_mmdf() {
            Form::Filed
        } else {
            Form::Stored
        }
    }

    /// Writes changes into the mailbox, under all locks; a Maildir needs none. `rewrite` does it for a
    /// file, `maildir` for a Maildir.
    ///
    /// Mail that arrived since the mailbox was opened is kept. Open the mailbox again afterwards: its
    /// index is stale then.
    ///
    /// # Errors
    /// [`CommitError`] says why nothing was changed. In a Maildir it says why one message was not
    /// changed, after the messages before it were.
    pub fn commit(
        &self,
        changes: &Changes,
        options: &CommitOptions<'_>,
    ) -> Result<Committed, CommitError> {
        match &self.storage {
            Storage::File(file) => {
                rewrite::commit(file, &self.messages, self.is_partial, changes, options)
            }
            Storage::Compressed(_) | Storage::Single(_) => {
                let what = self.unchangeable().unwrap_or_default();
                Err(CommitError::Refused {
                    path: self.path.clone(),
                    why: format!("{what}, and so read-only"),
                })
            }
            Storage::Maildir(maildir) => maildir.commit(&self.messages, changes),
        }
    }
}

/// Reads one message from the end of its header on.
enum MessageReader {
    /// From a file with others.
    InFile(MessageRest),
    /// From a file of its own.
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
