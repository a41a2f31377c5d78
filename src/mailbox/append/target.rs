//! The mailbox that a message is appended to: found, created or opened, and locked.
//!
//! # Which files are refused, and why
//! A message must not be written to a file that another user has put there. So `sys/open` walks to
//! the file from directory to directory and judges each link on the way ([`Target`]); then the
//! descriptor, and not the path, is asked for type, owner, mode and number of names, since the path
//! may lead elsewhere by then.
//!
//! # Order
//! An interrupted rewrite is completed before the file is opened, because completing it takes the
//! same lock. The file is opened before it is locked, because kernel locks belong to an open file;
//! so it may be replaced in between, which the lock notices ([`LockError::Replaced`]): then all is
//! done again.

use std::fs::{File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::Path;

use nix::errno::Errno;

use super::error::AppendError;
use super::options::{AppendOptions, Owner};
use crate::mailbox::change::{CommitOptions, Journals};
use crate::mailbox::location::recipient_of;
use crate::mailbox::lock::{LockError, MailboxLock};
use crate::mailbox::path::{is_in_sticky_directory, not_openable, what_else};
use crate::mailbox::rewrite::recover;
use crate::sys::disk::{create_complete, remove_second_names, until_done};
use crate::sys::open::write::{Denied, Target};
use crate::sys::user;

/// How often a mailbox is opened again that other programs replace before it is locked.
const ATTEMPTS: usize = 5;

/// Completes an interrupted rewrite, so that the message is appended to the completed mailbox.
///
/// If that fails the message is appended to the old bytes, and the program that completes the
/// rewrite later moves it. So the failure is not reported here.
fn complete_broken_rewrite(path: &Path, options: &AppendOptions<'_>) {
    let options = CommitOptions {
        lock: options.lock,
        journals: &Journals::default(),
        removes_empty: false,
    };
    let _ = recover(path, &options);
}

/// Opens or creates a mailbox and locks it; returns also whether it was created.
pub(super) fn open_locked(
    path: &Path,
    options: &AppendOptions<'_>,
) -> Result<(MailboxLock, bool), AppendError> {
    let mut first = Some(find(path, options)?);
    let mut is_new = false;
    for attempt in 1.. {
        let target = match first.take() {
            Some(target) => {
                complete_broken_rewrite(target.path(), options);
                target
            }
            None => find(path, options)?,
        };
        let (file, created) = open_or_create(&target, options)?;
        is_new |= created;
        let path = target.path().to_owned();
        // The target holds a descriptor of its directory, and the process may have no more
        // descriptors left than the lock needs.
        drop(target);
        match MailboxLock::acquire(&path, file, &options.lock) {
            Ok(lock) => return Ok((lock, is_new)),
            Err(LockError::Replaced { .. }) if attempt < ATTEMPTS => {}
            Err(error) => return Err(AppendError::Lock(error)),
        }
    }
    unreachable!("the last attempt returns")
}

/// Opens a mailbox for reading and writing, or creates it; returns also whether it was created.
pub(super) fn open_or_create(
    target: &Target,
    options: &AppendOptions<'_>,
) -> Result<(File, bool), AppendError> {
    let path = target.path();
    for _ in 0..ATTEMPTS {
        match open_existing(target, options) {
            Err(AppendError::Open { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                // No file is created at the far end of a link: a link that leads nowhere is more
                // likely a mistake, or a trap, than a wish.
                if target.is_linked() {
                    break;
                }
            }
            opened => return opened.map(|file| (file, false)),
        }
        match create(path, options) {
            Ok(file) => return Ok((file, true)),
            // Another program has created it in the meantime: open that one.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(source) => {
                return Err(AppendError::Create {
                    path: path.to_owned(),
                    source,
                });
            }
        }
    }
    Err(AppendError::Refused {
        path: path.to_owned(),
        why: "a symbolic link to a file that does not exist",
    })
}

/// Walks to a mailbox; links that others may have planted on the way are refused.
pub(super) fn find(path: &Path, options: &AppendOptions<'_>) -> Result<Target, AppendError> {
    Target::find(path, options.follows_links).map_err(|denied| match denied {
        // Only a missing directory is reported like this; a missing file is a target.
        Denied::System(source) if source.kind() == io::ErrorKind::NotFound => AppendError::Create {
            path: path.to_owned(),
            source,
        },
        denied => denied_error(path, denied),
    })
}

/// Returns the user whose system mailbox this is; `None` if it is not a system mailbox.
pub(super) fn recipient(
    path: &Path,
    options: &AppendOptions<'_>,
) -> Result<Option<u32>, AppendError> {
    match options.owner {
        Owner::User { uid, .. } => Ok(Some(uid)),
        Owner::Us => Ok(None),
        Owner::Any => recipient_of(path).map_err(|source| AppendError::Open {
            path: path.to_owned(),
            source,
        }),
    }
}

/// Returns the error for a mailbox that was refused or could not be opened.
pub(super) fn denied_error(path: &Path, denied: Denied) -> AppendError {
    let refused = |why| AppendError::Refused {
        path: path.to_owned(),
        why,
    };
    match denied {
        Denied::Rule { path, why } => AppendError::Refused { path, why },
        Denied::System(source) => match source.raw_os_error().map(Errno::from_raw) {
            // The name became a link after the walk had found a file there.
            Some(Errno::ELOOP) => refused("a symbolic link"),
            Some(Errno::EISDIR) => refused("a directory"),
            Some(Errno::ENXIO) => refused(not_openable(path)),
            _ => AppendError::Open {
                path: path.to_owned(),
                source,
            },
        },
    }
}

/// Opens a mailbox that exists, and refuses a file that must not be written to.
pub(super) fn open_existing(
    target: &Target,
    options: &AppendOptions<'_>,
) -> Result<File, AppendError> {
    let path = target.path();
    let refused = |why| AppendError::Refused {
        path: path.to_owned(),
        why,
    };
    let open_error = |source| AppendError::Open {
        path: path.to_owned(),
        source,
    };
    // A creation of ours that was killed between link and unlink has left a second name, for which
    // the rule below would refuse the mailbox for ever.
    if let Ok(named) = std::fs::symlink_metadata(path)
        && named.nlink() > 1
    {
        let _ = remove_second_names(path, &named);
    }
    let file = target
        .open(true, recipient(path, options)?)
        .map_err(|denied| denied_error(path, denied))?;
    let mut metadata = file.metadata().map_err(open_error)?;
    if let Some(what) = what_else(&metadata) {
        return Err(refused(what));
    }
    if is_leftover(&metadata, options) {
        give_away(&file, options).map_err(open_error)?;
        metadata = file.metadata().map_err(open_error)?;
    }
    let owner = match options.owner {
        Owner::Any => None,
        Owner::Us => Some(user::effective_uid()),
        Owner::User { uid, .. } => Some(uid),
    };
    if owner.is_some_and(|owner| owner != metadata.uid()) {
        return Err(refused("another user's file"));
    }
    let is_system = matches!(options.owner, Owner::User { .. });
    if is_system && metadata.mode() & 0o002 != 0 && is_in_sticky_directory(path) {
        return Err(refused("a file in the spool that every user may write to"));
    }
    // A user may link a file that only its owner can write to a name under which we write: a hard
    // link is no link that the walk could see.
    let is_foreign = metadata.uid() != owner.unwrap_or_else(user::effective_uid);
    if metadata.nlink() > 1 && (is_foreign || is_in_sticky_directory(path)) {
        return Err(refused(
            "a file with a second name (hard link) that another user may have made",
        ));
    }
    Ok(file)
}

/// Creates a mailbox. It gets its name last, when it has its mode and owner, so that no program can
/// open it before.
fn create(path: &Path, options: &AppendOptions<'_>) -> io::Result<File> {
    create_complete(path, &mut |file| give_away(file, options))
}

/// Returns whether root's delivery has created this mailbox and was killed before it had given it to
/// the user: the file is root's, empty, and has no other name.
fn is_leftover(metadata: &Metadata, options: &AppendOptions<'_>) -> bool {
    let is_roots = metadata.uid() == 0 && user::effective_uid() == 0;
    let is_anothers = matches!(options.owner, Owner::User { uid, .. } if uid != 0);
    is_roots && is_anothers && metadata.len() == 0 && metadata.nlink() == 1
}

/// Gives an empty mailbox of ours its mode and its owner, and waits until the disk has both.
///
/// If a power cut kept the name or the mail and lost the owner, the mailbox would be root's, and the
/// next delivery would refuse it.
fn give_away(file: &File, options: &AppendOptions<'_>) -> io::Result<()> {
    let mut mode = options.mode;
    if let Owner::User { uid, gid } = options.owner
        && let Err(error) = fchown(file, Some(uid), gid)
    {
        // EINVAL: the group is not mapped in this user namespace, as in a container without root.
        let lacks_right = error.kind() == io::ErrorKind::PermissionDenied
            || error.raw_os_error() == Some(Errno::EINVAL as i32);
        if !lacks_right || uid != user::effective_uid() {
            return Err(error);
        }
        // The mailbox is our own but has not the spool's group: another group gets no access.
        if gid.is_some_and(|gid| file.metadata().map(|made| made.gid()).ok() != Some(gid)) {
            mode &= 0o700;
        }
    }
    file.set_permissions(Permissions::from_mode(mode))?;
    match options.owner {
        Owner::User { .. } => until_done(|| file.sync_all()),
        Owner::Any | Owner::Us => Ok(()),
    }
}
