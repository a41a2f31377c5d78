//! Opening a mailbox for reading, and reading its messages.
//!
//! Nothing is ever written here (design decision D13): shared kernel locks for at most a second,
//! so that a deliverer can finish what it is writing, then the mailbox as long as it was at that
//! moment. If somebody still holds a lock then, a last message without an end is left out.
//! Locks are given back when the index is complete; message bytes are read when they are shown.

use std::error::Error;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::file::{DIRECTORY, open_regular};
use super::identity::Identity;
use super::journal::{Journals, Situation, Subject};
use super::maildir::{self, Maildir};
use super::notice::Notice;
use super::pending::{self, Found};
use super::scan::{self, MessageRef, Scan, ScanError, fingerprint_of};
use super::separator::{LOOKAHEAD, opens_mbox};
use super::source::{Source, read_full};
use super::view::View;
use super::{dot_lock, gzip, kernel_lock, mmdf};
use crate::exit::Kind;

/// How long reading waits for those who write.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long reading waits for a rewrite to end, of which it would see one half and the other.
const REWRITE_PATIENCE: Duration = Duration::from_secs(10);

/// Why a mailbox could not be opened.
///
/// The text names the file and, unless there is a [`source`](Error::source), the reason.
#[derive(Debug)]
pub enum OpenError {
    /// There is no such file.
    Missing {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is something else than a regular file: a directory, a FIFO, a device.
    NotRegular {
        /// The file.
        path: PathBuf,
        /// What it is, with its article.
        what: &'static str,
    },
    /// We may not read it.
    NoPermission {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Its first bytes are no From_ line.
    NotMbox {
        /// The file.
        path: PathBuf,
    },
    /// Another process of ours is rewriting it, and takes long.
    Rewritten {
        /// The file.
        path: PathBuf,
    },
    /// It is compressed, and cannot be decompressed.
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// It is compressed, and there is no room for what it holds.
    Temporary {
        /// The file.
        path: PathBuf,
        /// What the system said of the temporary file.
        source: io::Error,
    },
    /// Opening or reading failed otherwise.
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl OpenError {
    /// Returns whether there is no such file.
    pub fn is_missing(&self) -> bool {
        matches!(self, OpenError::Missing { .. })
    }

    /// Returns whether the file is a directory, and so perhaps a Maildir.
    pub fn is_directory(&self) -> bool {
        matches!(self, OpenError::NotRegular { what, .. } if *what == DIRECTORY)
    }

    /// Returns the file that could not be opened.
    pub fn path(&self) -> &Path {
        match self {
            OpenError::Missing { path, .. }
            | OpenError::NotRegular { path, .. }
            | OpenError::NoPermission { path, .. }
            | OpenError::NotMbox { path }
            | OpenError::Damaged { path, .. }
            | OpenError::Temporary { path, .. }
            | OpenError::Rewritten { path }
            | OpenError::Io { path, .. } => path,
        }
    }

    /// Returns what kind of failure this is for the exit status.
    pub fn kind(&self) -> Kind {
        match self {
            OpenError::Io { .. } | OpenError::Temporary { .. } => Kind::Io,
            OpenError::Rewritten { .. } => Kind::TryLater,
            _ => Kind::NoInput,
        }
    }

    fn of_scan(path: &Path, error: ScanError) -> OpenError {
        let path = path.to_owned();
        match error {
            ScanError::NotMbox => OpenError::NotMbox { path },
            ScanError::Io(source) => OpenError::Io { path, source },
        }
    }

    pub(super) fn new(path: &Path, source: io::Error) -> OpenError {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                OpenError::Missing { path, source }
            }
            io::ErrorKind::PermissionDenied => OpenError::NoPermission { path, source },
            _ => OpenError::Io { path, source },
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Missing { path, .. } | OpenError::NoPermission { path, .. } => {
                write!(f, "cannot open {}", path.display())
            }
            OpenError::NotRegular { path, what } => {
                write!(f, "cannot open {}: it is {what}", path.display())
            }
            OpenError::NotMbox { path } => {
                write!(f, "cannot open {}: it is not an mbox", path.display())
            }
            OpenError::Rewritten { path } => write!(
                f,
                "cannot open {}: another process is rewriting it",
                path.display()
            ),
            OpenError::Damaged { path, why } => {
                write!(f, "cannot decompress {}: {why}", path.display())
            }
            OpenError::Temporary { path, .. } => write!(
                f,
                "cannot write what {} holds to a temporary file",
                path.display()
            ),
            OpenError::Io { path, .. } => write!(f, "cannot read {}", path.display()),
        }
    }
}

impl Error for OpenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            OpenError::Missing { source, .. }
            | OpenError::NoPermission { source, .. }
            | OpenError::Temporary { source, .. }
            | OpenError::Io { source, .. } => Some(source),
            OpenError::Damaged { .. }
            | OpenError::NotRegular { .. }
            | OpenError::NotMbox { .. }
            | OpenError::Rewritten { .. } => None,
        }
    }
}

/// Where the messages are.
#[derive(Debug)]
enum Store {
    /// One behind the other in a file.
    File {
        view: View,
        /// What the file was like when the index was made.
        opened: Identity,
        /// Whether it holds what a compressed one did.
        is_compressed: bool,
    },
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
        Mailbox::open_part(path, journals, false, visit)
    }

    /// Opens a mailbox read-only and finds its last message from the end of the file.
    ///
    /// The index has the last message, and perhaps some before it; where the format has no such
    /// short way, all of them ([`is_partial`](Mailbox::is_partial)).
    ///
    /// # Errors
    /// As [`open`](Mailbox::open).
    pub fn open_end(path: &Path, journals: &Journals) -> Result<Mailbox, OpenError> {
        Mailbox::open_part(path, journals, true, &mut |_, _, _| {})
    }

    fn open_part(
        path: &Path,
        journals: &Journals,
        end_only: bool,
        visit: &mut dyn FnMut(usize, &MessageRef, &[u8]),
    ) -> Result<Mailbox, OpenError> {
        if let Some((maildir, messages)) = Maildir::open(path, visit)? {
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
        let file = Arc::new(file);
        let mut notices = Vec::new();
        let mut shared = kernel_lock::share(&file, PATIENCE);
        let subject = Subject::of(path, &file).map_err(io)?;
        let mut found = pending::find(&subject, journals, &mut notices).map_err(io)?;
        if shared.is_none() && !matches!(found, Found::Nothing) {
            // It has not broken off: it is going on, and what we read would be half of each.
            shared = kernel_lock::share(&file, REWRITE_PATIENCE);
            if shared.is_none() {
                return Err(OpenError::Rewritten {
                    path: path.to_owned(),
                });
            }
            notices.clear();
            found = pending::find(&subject, journals, &mut notices).map_err(io)?;
        }
        let is_busy = shared.is_none() || dot_lock::path_of(path).exists();
        // The size now, not before: the one who held the lock may just have written.
        let opened = Identity::of(&file.metadata().map_err(io)?);
        let view = view(&file, &opened, found, &mut notices).map_err(io)?;
        let start = match end_only {
            // A torn message may be the last one: only a whole scan finds the one before.
            true if !is_busy && beginning(&view, view.len()).map_err(io)? == Beginning::Mbox => {
                scan::last_separator(&view, view.len(), scan::BLOCK).map_err(io)?
            }
            _ => None,
        };
        let scanned = match start {
            Some(start) => scan::scan_from(&view, view.len(), start),
            None => scan_any(&view, view.len(), is_busy, visit),
        };
        let scan = scanned.map_err(|error| OpenError::of_scan(path, error))?;
        if shared.is_none() && is_being_rewritten(&file, &opened, &subject, journals) {
            return Err(OpenError::Rewritten {
                path: path.to_owned(),
            });
        }
        drop(shared);
        Ok(Mailbox {
            path: path.to_owned(),
            store: Store::File {
                view,
                opened,
                is_compressed: false,
            },
            messages: scan.messages,
            is_torn: scan.is_torn,
            is_partial: start.is_some(),
            notices,
        })
    }

    /// Scans what a compressed file holds. There is no journal of it, and nobody waits to write it.
    fn open_compressed(
        path: &Path,
        file: &File,
        visit: &mut dyn FnMut(usize, &MessageRef, &[u8]),
    ) -> Result<Mailbox, OpenError> {
        let file = Arc::new(gzip::decompressed(file, path)?);
        let metadata = file.metadata();
        let opened = Identity::of(&metadata.map_err(|source| OpenError::new(path, source))?);
        let view = View::of_file(file, opened.size());
        let scan = scan_any(&view, view.len(), false, visit)
            .map_err(|error| OpenError::of_scan(path, error))?;
        Ok(Mailbox {
            path: path.to_owned(),
            store: Store::File {
                view,
                opened,
                is_compressed: true,
            },
            messages: scan.messages,
            is_torn: false,
            is_partial: false,
            notices: Vec::new(),
        })
    }

    /// Returns the path by which the mailbox was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the size of the mailbox when it was scanned.
    pub fn size(&self) -> u64 {
        match &self.store {
            Store::File { view, .. } => view.len(),
            Store::Maildir(_) => self.messages.iter().map(|message| message.len).sum(),
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
        let Store::File { is_compressed, .. } = &self.store else {
            return false;
        };
        *is_compressed
    }

    /// Returns whether somebody has written to the mailbox since it was opened.
    pub fn is_changed(&self) -> bool {
        match &self.store {
            Store::File { view, opened, .. } => {
                let now = view.file().metadata();
                now.is_ok_and(|now| Identity::of(&now) != *opened)
            }
            Store::Maildir(maildir) => maildir.is_changed(),
        }
    }

    /// Returns whether the index is true of a file that is like this now.
    pub(super) fn is_as_opened(&self, now: &Identity) -> bool {
        match &self.store {
            Store::File { view, opened, .. } => now == opened && !view.has_journal(),
            Store::Maildir(_) => false,
        }
    }

    /// Returns whether it is one file in which messages stand between delimiters.
    pub(super) fn is_mmdf(&self) -> bool {
        match &self.store {
            Store::File { view, .. } => framing(view, view.len()).is_ok_and(|framing| framing > 0),
            Store::Maildir(_) => false,
        }
    }

    /// Returns the Maildir, if it is one.
    pub(super) fn maildir(&self) -> Option<&Maildir> {
        match &self.store {
            Store::File { .. } => None,
            Store::Maildir(maildir) => Some(maildir),
        }
    }

    /// Returns all bytes of a message, its From_ line included.
    ///
    /// # Errors
    /// When reading fails, or another program has rewritten the mailbox since it was opened so that
    /// the message is not there any more.
    ///
    /// # Panics
    /// When there is no such message, as with any slice.
    pub fn read(&self, index: usize) -> io::Result<Vec<u8>> {
        self.read_start(index, self.messages[index].len)
    }

    /// Returns the From_ line and the header block of a message, the empty line included.
    ///
    /// # Errors
    /// As [`read`](Mailbox::read).
    pub fn read_header(&self, index: usize) -> io::Result<Vec<u8>> {
        self.read_start(index, u64::from(self.messages[index].header_len))
    }

    /// Returns a reader of all bytes of a message, its From_ line included.
    ///
    /// # Errors
    /// As [`read`](Mailbox::read), for the header; reading may fail later.
    pub fn reader(&self, index: usize) -> io::Result<impl Read + '_> {
        let message = &self.messages[index];
        match &self.store {
            Store::File { view, .. } => {
                if self.is_changed() {
                    self.read_header(index)?;
                }
                Ok(MessageReader::InFile {
                    view,
                    at: message.offset,
                    left: message.len,
                })
            }
            Store::Maildir(maildir) => maildir.open_message(index).map(MessageReader::Own),
        }
    }

    /// Reads the first bytes of a message.
    fn read_start(&self, index: usize, len: u64) -> io::Result<Vec<u8>> {
        let len = usize::try_from(len).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let mut bytes = vec![0; len];
        match &self.store {
            Store::File { view, .. } => {
                if read_full(view, &mut bytes, self.messages[index].offset)? < len {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                self.check(view, index, &bytes)?;
            }
            Store::Maildir(maildir) => maildir.open_message(index)?.read_exact(&mut bytes)?,
        }
        Ok(bytes)
    }

    /// Makes sure that these are the bytes of the message, if the file may have been rewritten.
    fn check(&self, view: &View, index: usize, bytes: &[u8]) -> io::Result<()> {
        if !self.is_changed() {
            return Ok(());
        }
        let message = &self.messages[index];
        let header = &bytes[..(message.header_len as usize).min(bytes.len())];
        // Through a journal nothing can be said of a file that has changed under it.
        if view.has_journal() || fingerprint_of(header) != message.fingerprint {
            return Err(io::Error::other(
                "another program has rewritten the mailbox",
            ));
        }
        Ok(())
    }
}

/// Returns whether a mailbox that was read without a lock was rewritten meanwhile.
fn is_being_rewritten(
    file: &File,
    opened: &Identity,
    subject: &Subject,
    journals: &Journals,
) -> bool {
    let is_cut = file.metadata().is_ok_and(|now| now.len() < opened.size());
    let found = || pending::find(subject, journals, &mut Vec::new());
    is_cut || !matches!(found(), Ok(Found::Nothing))
}

/// Returns the bytes of a mailbox as a rewrite that broke off means them to be.
fn view(
    file: &Arc<File>,
    opened: &Identity,
    found: Found,
    notices: &mut Vec<Notice>,
) -> io::Result<View> {
    match found {
        Found::Nothing => {}
        Found::Unreadable { path, owner } => notices.push(Notice::Unreadable {
            journal: path,
            owner,
        }),
        Found::Journal(journal) => match journal.situation(file)? {
            Situation::Foreign => notices.push(Notice::Overwritten {
                kept: journal.path().to_owned(),
            }),
            situation => {
                notices.push(Notice::Unfinished {
                    journal: journal.path().to_owned(),
                });
                return journal.view(file, situation);
            }
        },
    }
    Ok(View::of_file(Arc::clone(file), opened.size()))
}

/// Reads one message where it lies.
enum MessageReader<'a> {
    /// Between others.
    InFile { view: &'a View, at: u64, left: u64 },
    /// In a file of its own.
    Own(File),
}

impl Read for MessageReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            MessageReader::InFile { view, at, left } => {
                let most = usize::try_from(*left).unwrap_or(usize::MAX);
                let want = buffer.len().min(most);
                let count = view.read_at(&mut buffer[..want], *at)?;
                if count == 0 && want > 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                *at += count as u64;
                *left -= count as u64;
                Ok(count)
            }
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
    let subject = Subject::of(path, &file).map_err(io)?;
    let found = pending::find(&subject, journals, &mut Vec::new()).map_err(io)?;
    let view = view(&file, &Identity::of(&metadata), found, &mut Vec::new()).map_err(io)?;
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

/// What a file holds, judged by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    /// Nothing, or blank lines.
    Blank,
    /// Messages that start with a From_ line.
    Mbox,
    /// Messages between lines of control-A.
    Mmdf,
    /// Something else.
    Other,
}

/// Reads a file up to its first line that is not blank, and judges that.
pub(super) fn beginning<S: Source + ?Sized>(file: &S, size: u64) -> io::Result<Beginning> {
    let mut window = vec![0; LOOKAHEAD];
    let mut at = 0;
    while at < size {
        let count = read_full(file, &mut window, at)?;
        let text = &window[..count];
        match text.iter().position(|b| !matches!(b, b'\n' | b'\r')) {
            Some(0) if opens_mbox(text) => return Ok(Beginning::Mbox),
            Some(0) if text.starts_with(mmdf::DELIMITER) => return Ok(Beginning::Mmdf),
            Some(0) => return Ok(Beginning::Other),
            Some(blank) => at += blank as u64,
            None if count == 0 => break,
            None => at += count as u64,
        }
    }
    Ok(Beginning::Blank)
}

/// Scans a file of either format.
pub(super) fn scan_any<S: Source + ?Sized>(
    source: &S,
    size: u64,
    skip_torn: bool,
    visit: scan::Visit<'_>,
) -> Result<Scan, ScanError> {
    if framing(source, size)? > 0 {
        return Ok(mmdf::scan(source, size, skip_torn, visit)?);
    }
    let options = scan::Options {
        skip_torn,
        ..scan::Options::default()
    };
    scan::scan(source, size, options, visit)
}

/// Returns how many bytes stand before and behind each message: those of MMDF's delimiters, or none.
pub(super) fn framing<S: Source + ?Sized>(source: &S, size: u64) -> io::Result<u64> {
    Ok(match beginning(source, size)? {
        Beginning::Mmdf => mmdf::DELIMITER.len() as u64,
        _ => 0,
    })
}

#[cfg(test)]
#[path = "open_tests.rs"]
mod tests;
