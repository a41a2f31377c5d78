//! Files with secrets: which one a setting names, and what stands in it.
//!
//! A secret in a file that others can read is refused.

use std::ffi::OsStr;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::config::file_name;
use crate::exit::{Failure, Kind};
use crate::sanitize;
use crate::submission::Surroundings;
use crate::sys::open::{self, Unread, Use};
use crate::sys::user;
use crate::transport::smtp::Secret;

/// Returns the file that a variable of the route names.
///
/// # Errors
/// 78 when the name means no file, as for one that is not there; 75 when the system failed to look.
pub(super) fn named_file(
    name: &OsStr,
    what: &str,
    around: &Surroundings<'_>,
) -> Result<PathBuf, Failure> {
    let home = around.environment.home_directory();
    let path = file_name::of_setting(name, around.settings, home.as_deref());
    path.map_err(|error| {
        let mut failure = error.failure(format!("{what} {}", sanitize::path(&name)));
        if matches!(failure.kind, Kind::NoInput | Kind::NoUser) {
            failure.kind = Kind::Config;
        }
        failure
    })
}

/// Refuses a file with a secret that anybody but its owner, or a group that is not the owner's
/// login group, can read.
///
/// # Errors
/// 78 when they can; 75 when the owner cannot be looked up.
pub(super) fn check_private(what: &str, path: &Path, metadata: &Metadata) -> Result<(), Failure> {
    let mode = metadata.mode();
    // Group root is allowed, and so is a group that is not the owner's login group: somebody gave
    // it the file on purpose (root:mail 0640). The login group is there by itself, and may be
    // `users`. Whoever may write could put in a login of their own, so that counts as well.
    let by_group = mode & 0o040 != 0 && metadata.gid() != 0 && {
        let owner = user::by_uid(metadata.uid());
        let owner = owner.map_err(|error| unreadable(path, what, error.into()))?;
        owner.is_none_or(|owner| owner.gid == metadata.gid())
    };
    if mode & 0o007 != 0 || mode & 0o020 != 0 || by_group {
        return Err(Failure::new(
            Kind::Config,
            format!(
                "other users can read the {what} in {}",
                sanitize::path(&path)
            ),
        )
        .hint(format!("chmod 600 {}", sanitize::path(&path))));
    }
    Ok(())
}

/// Says that a file with a secret cannot be read.
pub(super) fn unreadable(path: &Path, what: &str, error: Unread) -> Failure {
    let mut failure = Failure::new(
        error.kind(Kind::Config),
        format!("cannot read the {what} in {}", sanitize::path(&path)),
    );
    failure.needs_root = matches!(error, Unread::Denied(_));
    failure.because(error)
}

/// Why there is no secret in a file.
pub(super) enum SecretError {
    /// There is no such file.
    Absent(Failure),
    /// It cannot be read or must not be used.
    Refused(Failure),
}

impl From<SecretError> for Failure {
    fn from(error: SecretError) -> Failure {
        match error {
            SecretError::Absent(failure) | SecretError::Refused(failure) => failure,
        }
    }
}

/// Reads the first line of a file that only its owner can read; `what` it is, as messages name it.
///
/// # Errors
/// When there is no such file, it cannot be read, others can, or its first line is empty.
pub(super) fn read_secret(
    path: &Path,
    what: &str,
    around: &Surroundings<'_>,
) -> Result<Secret, SecretError> {
    let bytes = read_private(path, what, around)?;
    let text = str::from_utf8(&bytes).ok();
    text.and_then(first_line).ok_or_else(|| {
        SecretError::Refused(Failure::new(
            Kind::Config,
            format!("there is no {what} in {}", sanitize::path(&path)),
        ))
    })
}

/// Reads a file that only its owner can read.
///
/// # Errors
/// When there is no such file, it cannot be read, or others can.
pub(super) fn read_private(
    path: &Path,
    what: &str,
    around: &Surroundings<'_>,
) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    let unread = |error: Unread| {
        if error.is_absent() {
            SecretError::Absent(unreadable(path, what, error))
        } else {
            SecretError::Refused(unreadable(path, what, error))
        }
    };
    let file = open::read::open(path, Use::Password).map_err(unread)?;
    if let Some(metadata) = file.metadata() {
        check_private(what, path, metadata).map_err(SecretError::Refused)?;
    }
    // A FIFO or /dev/stdin is allowed, for secrets that come from another program.
    let bytes = file.bytes_or_stream(Use::Password, around.signals);
    bytes.map(Zeroizing::new).map_err(unread)
}

/// Returns the first line of a text, if there is anything in it.
pub(super) fn first_line(text: &str) -> Option<Secret> {
    let line = text.lines().next()?;
    (!line.is_empty()).then(|| Secret::new(line))
}
