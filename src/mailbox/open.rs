//! Opening a mailbox for reading, and reading its messages.
//!
//! Nothing is ever written here (design decision D13): shared kernel locks for at most a second,
//! so that a deliverer can finish what it is writing, then the mailbox as long as it was at that
//! moment. If somebody still holds a lock then, a last message without an end is left out.
//! Locks are given back when the index is complete; message bytes are read when they are shown.

use std::error::Error;
use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::OFlag;

use super::journal::Journals;
use super::mmdf;
use super::scan::{self, MessageRef, ScanError};
use super::separator::{LOOKAHEAD, opens_mbox};
use super::source::read_full;
use super::{dot_lock, kernel_lock};
use crate::exit::Kind;

/// How long reading waits for those who write.
const PATIENCE: Duration = Duration::from_secs(1);

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
            | OpenError::Io { path, .. } => path,
        }
    }

    /// Returns what kind of failure this is for the exit status.
    pub fn kind(&self) -> Kind {
        match self {
            OpenError::Io { .. } => Kind::Io,
            _ => Kind::NoInput,
        }
    }

    fn new(path: &Path, source: io::Error) -> OpenError {
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
            OpenError::Io { path, .. } => write!(f, "cannot read {}", path.display()),
        }
    }
}

impl Error for OpenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            OpenError::Missing { source, .. }
            | OpenError::NoPermission { source, .. }
            | OpenError::Io { source, .. } => Some(source),
            OpenError::NotRegular { .. } | OpenError::NotMbox { .. } => None,
        }
    }
}

/// An mbox that is open for reading, and the index of its messages.
#[derive(Debug)]
pub struct Mailbox {
    path: PathBuf,
    file: File,
    size: u64,
    messages: Vec<MessageRef>,
    is_torn: bool,
}

impl Mailbox {
    /// Opens a mailbox read-only and scans it once.
    ///
    /// `visit` is called for each message in order, with its index, its place, and its From_ line
    /// and header block cut at 64 KiB, so that a listing needs no second pass. An empty file is a
    /// mailbox without messages.
    ///
    /// # Errors
    /// When the file is missing, not a regular file, unreadable, or not an mbox. In a directory
    /// with the sticky bit, where others may plant links, a symbolic link is refused.
    pub fn open(
        path: &Path,
        journals: &Journals,
        visit: &mut dyn FnMut(usize, &MessageRef, &[u8]),
    ) -> Result<Mailbox, OpenError> {
        let file = open_regular(path)?.0;
        let found = {
            let shared = kernel_lock::share(&file, PATIENCE);
            let is_busy = shared.is_none() || dot_lock::path_of(path).exists();
            // The size now, not before: the one who held the lock may just have written.
            let size = file
                .metadata()
                .map_err(|source| OpenError::new(path, source))?
                .len();
            scan_any(&file, size, is_busy, visit).map_err(|error| match error {
                ScanError::NotMbox => OpenError::NotMbox {
                    path: path.to_owned(),
                },
                ScanError::Io(source) => OpenError::Io {
                    path: path.to_owned(),
                    source,
                },
            })?
        };
        Ok(Mailbox {
            path: path.to_owned(),
            file,
            size: found.end,
            messages: found.messages,
            is_torn: found.is_torn,
        })
    }

    /// Returns the path by which the mailbox was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the size of the file when it was scanned.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns the messages in the order of the file.
    pub fn messages(&self) -> &[MessageRef] {
        &self.messages
    }

    /// Returns whether a last message was left out because somebody was still writing it.
    pub fn is_torn(&self) -> bool {
        self.is_torn
    }

    /// Returns all bytes of a message, its From_ line included.
    ///
    /// # Errors
    /// When reading fails, or another program has cut the file since it was opened.
    ///
    /// # Panics
    /// When there is no such message, as with any slice.
    pub fn read(&self, index: usize) -> io::Result<Vec<u8>> {
        let message = &self.messages[index];
        self.read_range(message.offset, message.len)
    }

    /// Returns the From_ line and the header block of a message, the empty line included.
    ///
    /// # Errors
    /// As [`read`](Mailbox::read).
    pub fn read_header(&self, index: usize) -> io::Result<Vec<u8>> {
        let message = &self.messages[index];
        self.read_range(message.offset, u64::from(message.header_len))
    }

    /// Returns a reader of all bytes of a message, its From_ line included.
    pub fn reader(&self, index: usize) -> impl Read + '_ {
        let message = &self.messages[index];
        MessageReader {
            file: &self.file,
            at: message.offset,
            left: message.len,
        }
    }

    fn read_range(&self, offset: u64, len: u64) -> io::Result<Vec<u8>> {
        let len = usize::try_from(len).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let mut bytes = vec![0; len];
        self.file.read_exact_at(&mut bytes, offset)?;
        Ok(bytes)
    }
}

/// Reads one message where it lies.
struct MessageReader<'a> {
    file: &'a File,
    at: u64,
    left: u64,
}

impl Read for MessageReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        let want = buffer.len().min(most);
        let count = self.file.read_at(&mut buffer[..want], self.at)?;
        if count == 0 && want > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}

/// Returns whether there is a message in a mailbox, without scanning it.
///
/// Any message counts, read or not, as POSIX has it for `mailx -e`. No lock is waited for.
///
/// # Errors
/// As [`Mailbox::open`].
pub fn has_mail(path: &Path, journals: &Journals) -> Result<bool, OpenError> {
    let (file, metadata) = open_regular(path)?;
    let found = beginning(&file, metadata.len()).map_err(|source| OpenError::Io {
        path: path.to_owned(),
        source,
    })?;
    match found {
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
pub(super) fn beginning(file: &File, size: u64) -> io::Result<Beginning> {
    let mut window = vec![0; LOOKAHEAD];
    let mut at = 0;
    while at < size {
        let count = read_full(file, &mut window, at)?;
        let text = &window[..count];
        match text.iter().position(|b| !matches!(b, b'\n' | b'\r')) {
            Some(0) if opens_mbox(text) => return Ok(Beginning::Mbox),
            Some(0) if at == 0 && text.starts_with(mmdf::DELIMITER) => return Ok(Beginning::Mmdf),
            Some(0) => return Ok(Beginning::Other),
            Some(blank) => at += blank as u64,
            None if count == 0 => break,
            None => at += count as u64,
        }
    }
    Ok(Beginning::Blank)
}

/// Scans a file of either format.
fn scan_any(
    file: &File,
    size: u64,
    skip_torn: bool,
    visit: scan::Visit<'_>,
) -> Result<scan::Scan, ScanError> {
    let mut start = [0; mmdf::DELIMITER.len()];
    let count = read_full(file, &mut start, 0)?;
    if start[..count] == *mmdf::DELIMITER {
        return Ok(mmdf::scan(file, size, skip_torn, visit)?);
    }
    let options = scan::Options {
        skip_torn,
        ..scan::Options::default()
    };
    scan::scan(file, size, options, visit)
}

/// What [`OpenError::NotRegular`] calls a directory.
const DIRECTORY: &str = "a directory";

/// Opens a regular file for reading, without ever waiting for a FIFO's other end.
fn open_regular(path: &Path) -> Result<(File, Metadata), OpenError> {
    let mut flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    if is_in_sticky_directory(path) {
        flags |= OFlag::O_NOFOLLOW;
    }
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits())
        .open(path)
        .map_err(|source| match source.raw_os_error().map(Errno::from_raw) {
            Some(Errno::ELOOP) if flags.contains(OFlag::O_NOFOLLOW) => OpenError::NotRegular {
                path: path.to_owned(),
                what: "a symbolic link in a directory that others can write to",
            },
            // What open(2) says of a socket.
            Some(Errno::ENXIO) => OpenError::NotRegular {
                path: path.to_owned(),
                what: "a socket",
            },
            _ => OpenError::new(path, source),
        })?;
    let metadata = file
        .metadata()
        .map_err(|source| OpenError::new(path, source))?;
    match what_else(&metadata) {
        Some(what) => Err(OpenError::NotRegular {
            path: path.to_owned(),
            what,
        }),
        None => Ok((file, metadata)),
    }
}

/// Returns what a file is, if it is not a regular one.
pub(super) fn what_else(metadata: &Metadata) -> Option<&'static str> {
    let kind = metadata.file_type();
    if kind.is_file() {
        None
    } else if kind.is_dir() {
        Some(DIRECTORY)
    } else if kind.is_fifo() {
        Some("a FIFO")
    } else if kind.is_socket() {
        Some("a socket")
    } else if kind.is_symlink() {
        Some("a symbolic link")
    } else {
        Some("a device")
    }
}

/// Returns whether the directory of this file has the sticky bit, as a spool of mode 3777 does.
pub(super) fn is_in_sticky_directory(path: &Path) -> bool {
    std::fs::metadata(directory_of(path)).is_ok_and(|directory| directory.mode() & 0o1000 != 0)
}

/// Returns the directory that holds this file.
pub(super) fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
#[path = "open_tests.rs"]
mod tests;
