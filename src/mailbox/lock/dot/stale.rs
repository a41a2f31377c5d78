//! Putting a new lock in the place of a stale one, and removing files that dead makers left.
//!
//! A stale lock is never simply removed to make room: between judging it and removing it, its name
//! may have passed to a live lock. The new lock changes places with it in one step, and the exchange
//! is undone when the displaced file is another lock than the one that was judged. So the name is
//! never free while a program holds the lock. Only one process of this program does that at a time:
//! the one that holds the kernel lock.
//!
//! Where the file system cannot exchange names the stale lock is moved aside instead, by one process
//! of this program at a time: the one that has made `mailbox.lock.0000000000000000`.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::errno::Errno;

use super::content::{LockContent, System};
use super::held::{DotLock, Maker, make};
use crate::sys::disk::{directory_of, exchange, named_like, temporary_prefix, with_suffix};
use crate::sys::{random, user};

/// How many other locks can come and go while a live lock is put back.
const MAX_THIRDS: usize = 100;

/// The suffix of the file whose maker may remove a stale lock where names cannot be exchanged.
///
/// It has the form of the names that killed processes leave, so [`sweep`] removes it as one of them.
pub(super) const GUARD: &str = ".0000000000000000";

/// The largest directory, in bytes, that [`sweep`] looks through: some thousand names.
const MAX_SWEPT: u64 = 256 * 1024;

/// Puts a new lock in the place of a stale one; `None` when the name has passed to another lock.
pub(super) fn replace(path: &Path, stale: &LockContent) -> io::Result<Option<DotLock>> {
    let aside = with_suffix(path, format!(".{:016x}", random::number()));
    // The new lock is complete before it is exchanged: a crash from here on leaves either the
    // stale lock or a complete one under the name, and the other beside it for `sweep`.
    let mut ours = make(&aside)?;
    let exchanged = exchange(&aside, path);
    if let Err(error) = exchanged {
        drop(ours);
        return match error {
            // The stale lock was removed meanwhile: the caller simply makes one.
            Errno::ENOENT => Ok(None),
            Errno::EINVAL | Errno::ENOSYS | Errno::EOPNOTSUPP => move_aside(path, &aside, stale),
            // In a directory with the sticky bit only its owner can move the stale lock.
            Errno::EPERM | Errno::EACCES => Err(io::ErrorKind::AlreadyExists.into()),
            error => Err(error.into()),
        };
    }
    // From here on `ours` has the name of the lock, and dropping it removes that name.
    ours.path = path.to_owned();
    // Only now can it be known which file was displaced: between the judgement and the exchange the
    // holder may have touched it, or another program may have removed it and made its own.
    if is_still(&aside, stale) {
        let _ = fs::remove_file(&aside);
        return Ok(Some(ours));
    }
    put_back(path, &aside, &ours);
    Ok(None)
}

/// Gives a live lock its name back, for which ours was exchanged.
///
/// Its holder may have removed the name meanwhile, and has then removed our file. The name can then
/// belong to a live lock of a third program, which must get the name back in turn.
fn put_back(path: &Path, aside: &Path, ours: &DotLock) {
    let number = |path: &Path| fs::symlink_metadata(path).ok().map(|file| file.ino());
    let Maker::Us(file) = &ours.made_by else {
        return;
    };
    // The inode that is expected to come back by the exchange: ours at first.
    let mut named = file.metadata().ok().map(|file| file.ino());
    for _ in 0..MAX_THIRDS {
        let displaced = number(aside);
        match exchange(aside, path) {
            // Not the expected file came back, so a third lock was displaced: it is aside now, and
            // the lock put in its place is what the next exchange must bring back.
            Ok(()) if number(aside) != named => named = displaced,
            // ENOENT: the name is free, so the holder of the lock beside it has given it up.
            Ok(()) | Err(Errno::ENOENT) => {
                let _ = fs::remove_file(aside);
                return;
            }
            // The live lock stays beside its name. Its holder finds that out by `has_name` before
            // it writes, and the file is swept when it is stale.
            Err(_) => return,
        }
    }
}

/// Removes a stale lock where names cannot be exchanged, and makes ours.
///
/// Only the process that has the guard does that, and it judges the lock again first: so it never
/// moves a lock that another process of this program has just made. A lock of another program that
/// turns up under the name is put back; for that moment the name is free.
pub(super) fn move_aside(
    path: &Path,
    aside: &Path,
    stale: &LockContent,
) -> io::Result<Option<DotLock>> {
    let guard_path = with_suffix(path, GUARD);
    let guard = match make(&guard_path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            // The guard's maker may have been killed. The guard is removed and not taken over: the
            // caller's next attempt makes it anew, and only one process can succeed in that.
            if let Some(found) = LockContent::read(&guard_path)?
                && found.is_stale(&System::this())
            {
                let _ = fs::remove_file(&guard_path);
            }
            return Ok(None);
        }
        made => made?,
    };
    // The previous owner of the guard may have replaced the stale lock by its own, live one.
    if !is_still(path, stale) {
        return Ok(None);
    }
    match fs::rename(path, aside) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        moved => moved?,
    }
    // Programs that do not know the guard can have changed the lock between the two calls.
    if !is_still(aside, stale) {
        give_back(aside, path);
        return Ok(None);
    }
    let _ = fs::remove_file(aside);
    // The guard protects the removal only: who gets the free name is decided by `make`.
    drop(guard);
    match make(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
        made => made.map(Some),
    }
}

/// Gives a lock that was moved aside its name back, if the name is free.
///
/// Otherwise the lock stays beside its name until it is stale, and its holder can see that the name
/// is lost.
pub(super) fn give_back(aside: &Path, path: &Path) {
    // A link and not a rename: a rename would overwrite a lock that took the name meanwhile.
    match fs::hard_link(aside, path) {
        Ok(()) => {
            let _ = fs::remove_file(aside);
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        // A file system without links. A lock made between the look and the rename would be
        // overwritten; its holder finds that out by `has_name`.
        Err(_) if fs::symlink_metadata(path).is_err() => {
            let _ = fs::rename(aside, path);
        }
        Err(_) => {}
    }
}

/// Returns whether this is the lock that was judged, and has not been touched since.
fn is_still(path: &Path, judged: &LockContent) -> bool {
    // The time too: the holder may live after all, and have touched its lock since.
    let identity = |file: &fs::Metadata| (file.dev(), file.ino(), file.modified().ok());
    fs::symlink_metadata(path).is_ok_and(|now| identity(&now) == identity(&judged.metadata))
}

/// Removes files that makers of this lock have left beside it when they died.
///
/// A file is removed if it has such a name, is owned by this user or root, and would be stale as a
/// lock. A directory of very many names is not looked through.
pub(super) fn sweep(path: &Path) {
    // A large spool would be read at every lock; its remains of killed processes do no harm.
    let directory = directory_of(path);
    if !fs::metadata(directory).is_ok_and(|directory| directory.len() <= MAX_SWEPT) {
        return;
    }
    let prefixes = [with_suffix(path, "."), temporary_prefix(path)];
    let Ok(found) = named_like(&[&prefixes[0], &prefixes[1]]) else {
        return;
    };
    for left in found {
        // Another user's file of such a name may be kept on purpose. A live one of ours is that of
        // a process that is replacing the lock of this mailbox at this moment.
        if let Ok(Some(content)) = LockContent::read(&left)
            && [0, user::effective_uid()].contains(&content.metadata.uid())
            && content.is_stale(&System::this())
        {
            let _ = fs::remove_file(&left);
        }
    }
}
