//! The one way to open files that a user or a configuration names.
//!
//! The environment, a variable, a line of an rc file or an option may name anything: a FIFO that
//! nobody writes to, `/dev/zero`, a directory, a link to nowhere, a file on a disk that fails.
//! [`read`] opens those that are read. The caller says what the file is for ([`Use`]) and gets its
//! bytes or a reason ([`Unread`]), soon and within a limit. [`mod@write`] finds those that mail is
//! written to, past what others may have planted. [`names`] opens for both, and for everybody else
//! whose names others may have planted; its table says who judges what.
//!
//! A file that cannot be read is not absent. [`Trouble`] is the one place that distinguishes
//! absent, refused and failed.

use std::io;

use nix::errno::Errno;

use crate::exit::Kind;

pub(crate) mod below;
pub(crate) mod names;
pub(crate) mod read;
pub(crate) mod write;

pub(crate) use read::{Opened, Unread, Use};

/// The meaning of an error when a file, a user or a program is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It does not exist: ENOENT or ENOTDIR, and no other error.
    Absent,
    /// It is there, or may be, but not for us, or its name can name nothing: EACCES, EPERM, ELOOP,
    /// ENAMETOOLONG, EISDIR, ENXIO, ENOEXEC, EINVAL; or there is no room for what is written:
    /// ENOSPC, EDQUOT, EFBIG, EROFS.
    Refused,
    /// The system failed: EIO, EMFILE, ENFILE, ENOMEM, ESTALE and everything we do not know. The
    /// same look-up may succeed later.
    Failed,
}

impl Trouble {
    /// Returns what an error of the system means.
    pub(crate) fn of(error: &io::Error) -> Trouble {
        match error.raw_os_error().map(Errno::from_raw) {
            Some(Errno::ENOENT | Errno::ENOTDIR) => Trouble::Absent,
            Some(
                Errno::EACCES
                | Errno::EPERM
                | Errno::ELOOP
                | Errno::ENAMETOOLONG
                | Errno::EISDIR
                | Errno::ENXIO
                | Errno::ENOEXEC
                | Errno::EINVAL
                | Errno::ENOSPC
                | Errno::EDQUOT
                | Errno::EFBIG
                | Errno::EROFS,
            ) => Trouble::Refused,
            // An error that we do not know is taken for a failure, because a wrong "there is none"
            // loses mail and a wrong "try later" only delays it.
            Some(_) => Trouble::Failed,
            // Errors of std's own, without a number.
            None => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Trouble::Absent,
                io::ErrorKind::OutOfMemory | io::ErrorKind::TimedOut => Trouble::Failed,
                _ => Trouble::Refused,
            },
        }
    }
}

/// Returns the kind of a failure that this error is the cause of: 75 where the system failed, else
/// the kind that the caller gives to what is missing or refused.
pub(crate) fn kind_of(error: &io::Error, otherwise: Kind) -> Kind {
    match Trouble::of(error) {
        Trouble::Failed => Kind::TryLater,
        Trouble::Absent | Trouble::Refused => otherwise,
    }
}

/// Turns "does not exist" into `None`; every other error stays an error.
///
/// # Errors
/// Fails when it may be there but could not be looked at.
pub(crate) fn if_there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if Trouble::of(&error) == Trouble::Absent => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_two_errors_mean_that_there_is_none() {
        use Trouble::{Absent, Failed, Refused};
        let table = [
            (Errno::ENOENT, Absent),
            (Errno::ENOTDIR, Absent),
            (Errno::EACCES, Refused),
            (Errno::EPERM, Refused),
            (Errno::ELOOP, Refused),
            (Errno::ENOSPC, Refused),
            (Errno::EIO, Failed),
            (Errno::EMFILE, Failed),
            (Errno::ENFILE, Failed),
            (Errno::ENOMEM, Failed),
            (Errno::ESTALE, Failed),
            (Errno::ETIMEDOUT, Failed),
            (Errno::ENODEV, Failed),
        ];
        for (errno, trouble) in table {
            let error = || io::Error::from_raw_os_error(errno as i32);
            assert_eq!(Trouble::of(&error()), trouble, "{errno}");
            let kind = match trouble {
                Failed => Kind::TryLater,
                Absent | Refused => Kind::NoInput,
            };
            assert_eq!(kind_of(&error(), Kind::NoInput), kind, "{errno}");
            let found = if_there::<()>(Err(error()));
            assert_eq!(matches!(found, Ok(None)), trouble == Absent, "{errno}");
        }
    }
}
