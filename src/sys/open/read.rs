//! Files that are read: configuration, secrets, tables, texts.
//!
//! Opened without blocking, judged by their descriptor, and read up to the limit of their use.
//! `/dev/null` is an empty file. A FIFO or pipe is read only where its use takes one. A FIFO that
//! has a name has a deadline, for anybody may have made it; a descriptor that we inherited, as
//! `<(command)` gives one, is waited for like standard input: whoever started us knows how long
//! the command takes. Everything else that is no regular file is refused.

use std::error::Error;
use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;

use super::Trouble;
use super::names::{self, Access, Links};
use crate::exit::{Kind, plain};
use crate::sys::platform;
use crate::sys::signals::{Signals, Woken};
use crate::sys::spool::Spool;

/// The use for which a file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// An rc file, `$MAILRC`, or a file that one names with `source`.
    Rc,
    /// The system's aliases.
    Aliases,
    /// passwd and group, in a static build.
    Users,
    /// `/etc/mailname`, `/etc/hosts`, `/etc/nsswitch.conf`.
    Host,
    /// `password-file`, or a credential of systemd.
    Password,
    /// `$NETRC` or `~/.netrc`.
    Netrc,
    /// Certificates: `tls-ca-file`, `$SSL_CERT_FILE`.
    Certificates,
    /// A time zone, as `$TZ` names it.
    Zone,
    /// The text of a message: `-m`, `-q`, `--html`, `~r`, and what an editor left.
    Text,
    /// An attachment.
    Attachment,
    /// A picture that an HTML text names: a stranger may have written that name.
    Picture,
}

/// How long a FIFO may take to come to its end, and a pipe that holds a password.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// How many bytes a FIFO, a pipe or standard input may give.
pub(crate) const MAX_STREAM: u64 = 1 << 30;

/// The limits of one use.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// How large the file may be, in bytes; `None` where it is read in pieces.
    size: Option<u64>,
    /// Which FIFOs and pipes are read.
    streams: Streams,
    /// Whether `/dev/null` is an empty file.
    takes_null: bool,
}

/// Which FIFOs and pipes are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Streams {
    /// None: only a regular file is allowed.
    None,
    /// A descriptor that we have inherited, as `<(command)` gives one.
    Inherited,
    /// Those and FIFOs.
    All,
}

impl Use {
    /// Every use, for tests that try each.
    #[cfg(test)]
    pub(crate) const ALL: &[Use] = &[
        Use::Rc,
        Use::Aliases,
        Use::Users,
        Use::Host,
        Use::Password,
        Use::Netrc,
        Use::Certificates,
        Use::Zone,
        Use::Text,
        Use::Attachment,
        Use::Picture,
    ];

    /// The table: what each use allows.
    #[rustfmt::skip]
    fn limits(self) -> Limits {
        let row = |size, streams, takes_null| Limits { size, streams, takes_null };
        match self {
            Use::Rc           => row(Some(4 << 20), Streams::None, true),
            Use::Aliases      => row(Some(16 << 20), Streams::None, true),
            Use::Users        => row(Some(256 << 20), Streams::None, true),
            Use::Host         => row(Some(4 << 20), Streams::None, true),
            Use::Password     => row(Some(64 << 10), Streams::Inherited, true),
            Use::Netrc        => row(Some(1 << 20), Streams::None, true),
            Use::Certificates => row(Some(16 << 20), Streams::None, true),
            Use::Zone         => row(Some(64 << 10), Streams::None, true),
            Use::Text         => row(None, Streams::All, true),
            // An attachment that is a device is a mistake, /dev/null included.
            Use::Attachment   => row(None, Streams::All, false),
            Use::Picture      => row(None, Streams::None, false),
        }
    }
}

/// Why a file could not be read.
#[derive(Debug)]
pub enum Unread {
    /// It does not exist.
    Absent(io::Error),
    /// It exists, but we have no permission to read it.
    Denied(io::Error),
    /// The file is there, but this use does not read files of its kind or size; the text says why.
    Refused(String),
    /// This signal ended the waiting.
    Interrupted(u8),
    /// The system failed; the same try may succeed later.
    Failed(io::Error),
}

impl Unread {
    /// Returns whether there is no such file.
    pub fn is_absent(&self) -> bool {
        matches!(self, Unread::Absent(_))
    }

    /// Returns whether the system failed, so that the content of the file is not known.
    pub fn is_failure(&self) -> bool {
        matches!(self, Unread::Failed(_))
    }

    /// Returns the kind of failure: 75 where the system failed, 128 + N for a signal, else the kind
    /// that the caller gives to a file that is missing or refused.
    pub fn kind(&self, otherwise: Kind) -> Kind {
        match self {
            Unread::Absent(_) | Unread::Denied(_) | Unread::Refused(_) => otherwise,
            Unread::Interrupted(signal) => Kind::Signal(*signal),
            Unread::Failed(_) => Kind::TryLater,
        }
    }

    fn refused(why: impl Into<String>) -> Unread {
        Unread::Refused(why.into())
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unread::Absent(error) | Unread::Denied(error) | Unread::Failed(error) => {
                f.write_str(&plain(error))
            }
            Unread::Refused(why) => f.write_str(why),
            Unread::Interrupted(signal) => write!(f, "interrupted by signal {signal}"),
        }
    }
}

impl Error for Unread {}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Unread {
        match Trouble::of(&error) {
            Trouble::Absent => Unread::Absent(error),
            // A socket of the file system cannot be opened at all.
            Trouble::Refused if error.raw_os_error() == Some(Errno::ENXIO as i32) => {
                Unread::refused("it is a device or socket")
            }
            Trouble::Refused if error.kind() == io::ErrorKind::PermissionDenied => {
                Unread::Denied(error)
            }
            Trouble::Refused => Unread::Refused(plain(&error)),
            Trouble::Failed => Unread::Failed(error),
        }
    }
}

impl From<Unread> for io::Error {
    fn from(unread: Unread) -> io::Error {
        match unread {
            Unread::Absent(error) | Unread::Denied(error) | Unread::Failed(error) => error,
            other => io::Error::other(other),
        }
    }
}

/// A file that may be read for its use.
#[derive(Debug)]
pub(crate) enum Opened {
    /// A regular file.
    Regular(File, Metadata),
    /// A FIFO or pipe: read it with [`stream`].
    Stream(File, Metadata),
    /// `/dev/null`.
    Empty,
}

impl Opened {
    /// Returns what the descriptor says of the file; nothing of `/dev/null`.
    pub(crate) fn metadata(&self) -> Option<&Metadata> {
        match self {
            Opened::Regular(_, metadata) | Opened::Stream(_, metadata) => Some(metadata),
            Opened::Empty => None,
        }
    }

    /// Reads a regular file whole.
    ///
    /// # Errors
    /// When it is no regular file or longer than its use allows, or reading fails.
    pub(crate) fn bytes(self, purpose: Use) -> Result<Vec<u8>, Unread> {
        let limit = purpose.limits().size.unwrap_or(MAX_STREAM);
        let mut bytes = Vec::new();
        match self {
            Opened::Empty => {}
            Opened::Regular(file, metadata) => {
                // Files of /proc have no length: read what is there.
                bytes.reserve(metadata.len().min(limit) as usize + 1);
                // The file may grow while it is read. One byte more than allowed shows that.
                file.take(limit + 1).read_to_end(&mut bytes)?;
            }
            Opened::Stream(..) => return Err(Unread::refused("it is not a regular file")),
        }
        if bytes.len() as u64 > limit {
            Err(too_large(limit))
        } else {
            Ok(bytes)
        }
    }

    /// Reads a regular file or a pipe whole.
    ///
    /// # Errors
    /// As [`Opened::bytes`] and [`stream`].
    pub(crate) fn bytes_or_stream(
        self,
        purpose: Use,
        signals: &Signals,
    ) -> Result<Vec<u8>, Unread> {
        match self {
            Opened::Stream(file, _) => {
                let mut bytes = Vec::new();
                let limit = purpose.limits().size.unwrap_or(MAX_STREAM);
                stream(&file, limit, Some(DEADLINE), signals, &mut bytes)?;
                Ok(bytes)
            }
            file => file.bytes(purpose),
        }
    }
}

fn too_large(limit: u64) -> Unread {
    let size = match limit {
        limit if limit >= 1 << 30 => format!("{} GiB", limit >> 30),
        limit if limit >= 1 << 20 => format!("{} MiB", limit >> 20),
        limit => format!("{} KiB", limit >> 10),
    };
    Unread::Refused(format!("it is larger than {size}"))
}

/// Opens a file and judges it by its descriptor; nothing blocks.
///
/// # Errors
/// When it cannot be opened, or is of a kind or size that this use does not take.
pub(crate) fn open(path: &Path, purpose: Use) -> Result<Opened, Unread> {
    judged(
        names::open(path, Access::Read, Links::Followed)?,
        path,
        purpose,
    )
}

/// Judges a file by its descriptor; `path` is what it was opened by.
pub(super) fn judged(file: File, path: &Path, purpose: Use) -> Result<Opened, Unread> {
    let metadata = file.metadata()?;
    let kind = metadata.file_type();
    let limits = purpose.limits();
    if metadata.is_file() {
        return match limits.size {
            Some(limit) if metadata.len() > limit => Err(too_large(limit)),
            _ => Ok(Opened::Regular(file, metadata)),
        };
    }
    // A named FIFO may have been planted by anybody, and its writer may never come.
    if kind.is_fifo() {
        return match limits.streams {
            Streams::All => Ok(Opened::Stream(file, metadata)),
            Streams::Inherited if is_inherited(path) => Ok(Opened::Stream(file, metadata)),
            Streams::Inherited | Streams::None => Err(Unread::refused("it is not a regular file")),
        };
    }
    if limits.takes_null && kind.is_char_device() && is_null(&metadata) {
        return Ok(Opened::Empty);
    }
    Err(Unread::refused(if metadata.is_dir() {
        "it is a directory"
    } else {
        "it is a device or socket"
    }))
}

/// Reads a whole regular file.
///
/// # Errors
/// As [`open`] and [`Opened::bytes`].
pub(crate) fn bytes(path: &Path, purpose: Use) -> Result<Vec<u8>, Unread> {
    open(path, purpose)?.bytes(purpose)
}

/// Reads a FIFO, a pipe or standard input to its end, under a limit and perhaps a deadline.
///
/// # Errors
/// When it gives too much or does not end in time, a signal arrives, or reading or writing fails.
pub(crate) fn stream(
    file: &(impl AsFd + ?Sized),
    limit: u64,
    patience: Option<Duration>,
    signals: &Signals,
    to: &mut dyn Write,
) -> Result<(), Unread> {
    let deadline = patience.map(|patience| Instant::now() + patience);
    let mut block = vec![0; 64 * 1024];
    let mut taken = 0;
    loop {
        match signals.wait(Some(file.as_fd()), deadline)? {
            Woken::Ready => {}
            Woken::Rung => continue,
            Woken::Signal(signal) => return Err(Unread::Interrupted(signal)),
            Woken::TimedOut => return Err(Unread::refused("it did not end in time")),
        }
        match nix::unistd::read(file.as_fd(), &mut block) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                taken += count as u64;
                if taken > limit {
                    return Err(too_large(limit));
                }
                to.write_all(&block[..count])?;
            }
            // The open was non-blocking, and another reader of the FIFO may have taken what poll
            // has seen.
            Err(Errno::EAGAIN | Errno::EINTR) => {}
            Err(error) => return Err(io::Error::from(error).into()),
        }
    }
}

/// Reads a FIFO, a pipe or standard input into a spool.
///
/// # Errors
/// As [`stream`].
pub(crate) fn spooled_stream(
    file: &(impl AsFd + ?Sized),
    patience: Option<Duration>,
    signals: &Signals,
) -> Result<Spool, Unread> {
    let mut spool = Spool::new();
    stream(file, MAX_STREAM, patience, signals, &mut spool)?;
    Ok(spool)
}

/// Returns how long to wait for a file; `None` means no limit, as for standard input.
pub(crate) fn patience_with(path: &Path) -> Option<Duration> {
    (!is_inherited(path)).then_some(DEADLINE)
}

/// Returns whether a name means an inherited descriptor, such as /dev/fd/3.
fn is_inherited(path: &Path) -> bool {
    let is_number = |name: Option<&std::ffi::OsStr>| {
        let name = name.and_then(|name| name.to_str()).unwrap_or_default();
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit())
    };
    let directories = platform::DESCRIPTORS.map(Path::new);
    path == Path::new("/dev/stdin")
        || (path
            .parent()
            .is_some_and(|parent| directories.contains(&parent))
            && is_number(path.file_name()))
}

/// Returns whether a character device is `/dev/null`.
pub(crate) fn is_null(metadata: &Metadata) -> bool {
    fs::metadata("/dev/null")
        // By device number, because the name may be another one: a container has its own /dev.
        .is_ok_and(|null| null.file_type().is_char_device() && null.rdev() == metadata.rdev())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use nix::sys::stat::Mode;

    use super::*;

    /// What may stand where a file is named.
    const KINDS: &[&str] = &[
        "regular",
        "empty",
        "huge",
        "fifo",
        "socket",
        "directory",
        "dangling",
        "absent",
        "null",
        "zero",
        "loop",
    ];

    fn set_up(directory: &Path) {
        let at = |name: &str| directory.join(name);
        fs::write(at("regular"), "text\n").expect("written");
        fs::write(at("empty"), "").expect("written");
        let huge = File::create(at("huge")).expect("made");
        huge.set_len(1 << 40).expect("a hole");
        nix::unistd::mkfifo(&at("fifo"), Mode::S_IRUSR | Mode::S_IWUSR).expect("a FIFO");
        UnixListener::bind(at("socket")).expect("a socket");
        fs::create_dir(at("directory")).expect("made");
        symlink("nowhere", at("dangling")).expect("a link");
        symlink("loop", at("loop")).expect("a link");
        symlink("/dev/null", at("null")).expect("a link");
        symlink("/dev/zero", at("zero")).expect("a link");
    }

    #[test]
    fn every_use_meets_every_kind_of_file_at_once_and_within_its_limit() {
        let directory = tempfile::tempdir().expect("a directory");
        set_up(directory.path());
        for purpose in Use::ALL {
            let limits = purpose.limits();
            for kind in KINDS {
                let opened = open(&directory.path().join(kind), *purpose);
                let said = match &opened {
                    Ok(Opened::Regular(..)) => "regular".to_owned(),
                    Ok(Opened::Stream(..)) => "stream".to_owned(),
                    Ok(Opened::Empty) => "empty".to_owned(),
                    Err(error) => error.to_string(),
                };
                let expected = match *kind {
                    "regular" | "empty" => "regular",
                    "huge" if limits.size.is_none() => "regular",
                    "huge" => "it is larger than",
                    "fifo" if limits.streams == Streams::All => "stream",
                    "fifo" => "it is not a regular file",
                    "directory" => "it is a directory",
                    "null" if limits.takes_null => "empty",
                    "dangling" | "absent" => "No such file or directory",
                    "loop" => "Too many levels of symbolic links",
                    _ => "it is a device or socket",
                };
                assert!(said.starts_with(expected), "{purpose:?} {kind}: {said}");
                let is_absent = matches!(*kind, "dangling" | "absent");
                assert_eq!(
                    opened.err().is_some_and(|error| error.is_absent()),
                    is_absent,
                    "{purpose:?} {kind}"
                );
            }
        }
    }

    #[test]
    fn a_file_that_grows_while_it_is_read_does_not_pass_the_limit() {
        // Files of /proc have no length that a look could judge.
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("long");
        fs::write(&path, vec![b'x'; (64 << 10) + 1]).expect("written");
        let opened = Opened::Regular(
            File::open(&path).expect("opened"),
            fs::metadata("/proc/self/status").expect("a length of 0"),
        );
        let error = opened.bytes(Use::Zone).expect_err("too large");
        assert_eq!(error.to_string(), "it is larger than 64 KiB");
    }

    #[test]
    fn only_descriptors_of_ours_are_inherited_ones() {
        for path in ["/dev/fd/63", "/dev/stdin", "/proc/self/fd/3"] {
            assert!(is_inherited(Path::new(path)), "{path}");
            assert_eq!(patience_with(Path::new(path)), None, "{path}");
        }
        for path in [
            "/dev/fd/",
            "/dev/fd/x",
            "/tmp/3",
            "/dev/fd/3/x",
            "3",
            "/dev/fd",
        ] {
            assert!(!is_inherited(Path::new(path)), "{path}");
            assert_eq!(patience_with(Path::new(path)), Some(DEADLINE), "{path}");
        }
    }
}
