//! Opens names that another user may have planted.
//!
//! The only place that uses `O_NOFOLLOW` and similar flags. Here a name is opened as the caller
//! asks and nothing is judged; the rule of each use stands with that use:
//!
//! | use | where its rule is |
//! |---|---|
//! | configuration, secrets, texts, attachments | `sys::open::read` |
//! | pictures that HTML names, below the directory of the HTML | `sys::open::below` |
//! | mail that is written: mailboxes, copies, dead letters, `~w` | `sys::open::write` |
//! | our own directories in `/var/tmp` and those of outboxes | `sys::private` |
//! | files that get their name last, directories that are synced | `sys::disk` |
//! | mailboxes that are read or rewritten: the name in a sticky spool says whose it may be | `mailbox::file` |
//! | dot-locks: any file at all holds the lock | `mailbox::lock::dot::content` |
//! | journals: what is no journal is not touched | `mailbox::rewrite::journal::held_path` |
//! | the files of a Maildir | `mailbox::maildir::folder` |
//! | the directory of a dead letter file, locked while letters are sent again | `flow::resend` |
//! | kept tokens, in a directory of ours alone | `submission::token::cache` |
//! | the file of a refresh token, and its successor beside it | `submission::token::refresh` |
//! | a dead letter file of ours that others may read | `submission::keep` |
//! | the files of an outbox | `submission::outbox::store` |
//! | the name and the state of an entry of an outbox that we have locked | `submission::outbox::held` |
//! | the slot of an outbox: judged and locked before a byte is believed | `submission::outbox::slot` |
//! | the name of the slot, which may be another file's by now | `submission::outbox::page` |
//! | the files of an outbox that are listed | `submission::outbox::listing` |
//! | the entries of an outbox that an equal message may be merged into | `submission::outbox::merge` |
//! | the time of the last note about an outbox | `submission::outbox::noticed` |
//! | what users leave for root: nothing but the open file is believed | `submission::outbox::dropped` |
//! | the states of routes in an outbox | `submission::outbox::route_state` |
//!
//! No open waits for the other end of a FIFO, no terminal becomes ours, no child inherits a
//! descriptor, and no interrupted call is an error.

use std::fs::{File, Metadata};
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use nix::NixPath;
use nix::dir::Type;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, openat};
use nix::sys::stat::{Mode, fstat, fstatat};

use crate::sys::interrupted::until_done;
use crate::sys::platform;

/// How an existing file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// It is read.
    Read,
    /// It is read, and the time of its last access stays: EPERM where it is another user's.
    ReadQuietly,
    /// It is read and written.
    ReadWrite,
    /// It is read and written, and the time of its last access stays: EPERM where it is another user's.
    ReadWriteQuietly,
    /// It is written at its end.
    Append,
    /// It is read, and written at its end.
    ReadAppend,
}

/// Whether the last name of a path may be a symbolic link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Links {
    /// The link is followed.
    Followed,
    /// A link is an error: ELOOP, or ENOTDIR for a directory.
    Refused,
}

impl Links {
    fn flag(self) -> OFlag {
        match self {
            Links::Followed => OFlag::empty(),
            Links::Refused => OFlag::O_NOFOLLOW,
        }
    }
}

/// Opens the file of this path, of whatever kind it is.
///
/// # Errors
/// When it is not there, or cannot be opened so.
pub(crate) fn open(path: &Path, access: Access, links: Links) -> io::Result<File> {
    open_with(AT_FDCWD, path, flags_of(access) | links.flag())
}

/// Opens what has this name in a directory; a link is not followed.
///
/// # Errors
/// As [`open`].
pub(crate) fn open_in<P: ?Sized + NixPath>(
    directory: impl AsFd,
    name: &P,
    access: Access,
) -> io::Result<File> {
    open_with(directory, name, flags_of(access) | OFlag::O_NOFOLLOW)
}

/// Opens what has this name in a directory; a link is followed.
///
/// # Errors
/// As [`open`].
pub(crate) fn open_linked_in<P: ?Sized + NixPath>(
    directory: impl AsFd,
    name: &P,
    access: Access,
) -> io::Result<File> {
    open_with(directory, name, flags_of(access))
}

fn flags_of(access: Access) -> OFlag {
    let access = match access {
        Access::Read => OFlag::O_RDONLY,
        Access::ReadQuietly => OFlag::O_RDONLY | platform::QUIETLY,
        Access::ReadWrite => OFlag::O_RDWR,
        Access::ReadWriteQuietly => OFlag::O_RDWR | platform::QUIETLY,
        Access::Append => OFlag::O_WRONLY | OFlag::O_APPEND,
        Access::ReadAppend => OFlag::O_RDWR | OFlag::O_APPEND,
    };
    // Without O_NONBLOCK an open waits for the other end of a FIFO. Without O_NOCTTY a terminal
    // that is named would become ours, and its hang-up would end us.
    access | OFlag::O_NONBLOCK | OFlag::O_NOCTTY
}

/// Returns what the system knows of what has this name, a link itself included.
///
/// # Errors
/// When it is not there.
pub(crate) fn look_in<P: ?Sized + NixPath>(directory: impl AsFd, name: &P) -> io::Result<Metadata> {
    // It opens nothing: a device is not touched, and no right to read is needed.
    open_with(directory, name, platform::LOOKING | OFlag::O_NOFOLLOW)?.metadata()
}

/// Returns whether a file has this name in a directory; that takes no descriptor.
///
/// # Errors
/// When what has the name cannot be looked at.
pub(crate) fn is_named_in(directory: impl AsFd, name: &str, file: &File) -> io::Result<bool> {
    let file = fstat(file)?;
    match fstatat(directory, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
        Ok(named) => Ok((named.st_ino, named.st_dev) == (file.st_ino, file.st_dev)),
        Err(Errno::ENOENT) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Makes a file of this name, to be read and written, for us alone.
///
/// # Errors
/// When the name is taken, by a link that leads nowhere too, or the file cannot be made.
pub(crate) fn make_in<P: ?Sized + NixPath>(directory: impl AsFd, name: &P) -> io::Result<File> {
    make_with(directory, name, OFlag::empty())
}

/// Makes a file of this name as [`make_in`] does; every write goes to its end.
///
/// # Errors
/// As [`make_in`].
pub(crate) fn make_to_append_in<P: ?Sized + NixPath>(
    directory: impl AsFd,
    name: &P,
) -> io::Result<File> {
    make_with(directory, name, OFlag::O_APPEND)
}

fn make_with<P: ?Sized + NixPath>(directory: impl AsFd, name: &P, more: OFlag) -> io::Result<File> {
    // O_EXCL does not follow links either; O_NOFOLLOW says so to the reader.
    let flags =
        OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_NOCTTY | more;
    open_with(directory, name, flags)
}

/// Makes a file without a name in a directory, to be read and appended to, for us alone; `None`
/// where the system has no such files.
///
/// # Errors
/// When it cannot be made: EOPNOTSUPP or EISDIR where the file system or the kernel knows no such
/// files.
pub(crate) fn make_nameless(directory: &Path) -> io::Result<Option<File>> {
    let Some(nameless) = platform::NAMELESS else {
        return Ok(None);
    };
    // Without O_EXCL, because the file is given a name later (open(2)).
    let flags = OFlag::O_RDWR | OFlag::O_APPEND | nameless;
    open_with(AT_FDCWD, directory, flags).map(Some)
}

/// Opens a directory to read its names.
///
/// # Errors
/// When it is none, or we may not read it.
pub(crate) fn directory(path: &Path, links: Links) -> io::Result<File> {
    open_with(AT_FDCWD, path, directory_flags() | links.flag())
}

/// Opens a directory in a directory to read its names; a link is refused.
///
/// # Errors
/// As [`directory`].
pub(crate) fn directory_in<P: ?Sized + NixPath>(parent: impl AsFd, name: &P) -> io::Result<File> {
    open_with(parent, name, directory_flags() | OFlag::O_NOFOLLOW)
}

/// Opens a directory once more: positions in a directory are shared by duplicates of a descriptor,
/// and one that is open for searching alone cannot be read or synced.
///
/// # Errors
/// When we may not read it.
pub(crate) fn directory_again(directory: impl AsFd) -> io::Result<File> {
    open_with(directory, ".", directory_flags())
}

/// Returns the names in a directory, with their kind where the file system says it; "." and ".." are
/// none.
///
/// # Errors
/// When we may not read it; an item when reading it fails.
pub(crate) fn names_in(
    directory: impl AsFd,
) -> io::Result<impl Iterator<Item = io::Result<(Vec<u8>, Option<Type>)>>> {
    // Opened anew: the offset of the reading belongs to an open file, and a second listing by the same
    // one would begin where the first ended.
    let names = platform::names(directory_again(directory)?)?;
    Ok(names.filter(|name| !matches!(name, Ok((name, _)) if name == b"." || name == b"..")))
}

/// Opens a directory to search it, which may be allowed where reading it is not.
///
/// # Errors
/// When it is none.
pub(crate) fn searchable(path: &Path) -> io::Result<File> {
    open_with(AT_FDCWD, path, platform::LOOKING | OFlag::O_DIRECTORY)
}

/// Opens a directory in a directory to search it; a link is refused.
///
/// # Errors
/// As [`searchable`].
pub(crate) fn searchable_in<P: ?Sized + NixPath>(parent: impl AsFd, name: &P) -> io::Result<File> {
    let flags = platform::LOOKING | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW;
    open_with(parent, name, flags)
}

/// Opens a directory to search it, where no name of its path is a link.
///
/// # Errors
/// As [`searchable`]; when one is; and where the system has no call that finds it out. The path can
/// be walked name by name then.
pub(crate) fn searchable_without_links(path: &Path) -> io::Result<File> {
    platform::open_without_links(path, platform::LOOKING | OFlag::O_DIRECTORY)
}

/// Opens a directory to read its names, where no name of its path is a link.
///
/// # Errors
/// As [`searchable_without_links`].
pub(crate) fn directory_without_links(path: &Path) -> io::Result<File> {
    platform::open_without_links(path, directory_flags())
}

/// Returns owner and mode of the directory that holds a directory.
///
/// # Errors
/// When it may not be looked at.
pub(crate) fn owner_and_mode_above(directory: impl AsFd) -> io::Result<(u32, u32)> {
    let found = fstatat(directory, "..", AtFlags::empty()).map_err(io::Error::from)?;
    // Elsewhere a mode has 16 bits.
    #[allow(clippy::useless_conversion)]
    let mode = u32::from(found.st_mode);
    Ok((found.st_uid, mode))
}

fn directory_flags() -> OFlag {
    OFlag::O_RDONLY | OFlag::O_DIRECTORY
}

fn open_with<P: ?Sized + NixPath>(
    directory: impl AsFd,
    name: &P,
    flags: OFlag,
) -> io::Result<File> {
    // A new file is ours alone, whatever the umask: who makes it for others widens its mode when it
    // is complete.
    let mode = Mode::S_IRUSR | Mode::S_IWUSR;
    let flags = flags | OFlag::O_CLOEXEC;
    until_done(|| Ok(openat(directory.as_fd(), name, flags, mode)?)).map(File::from)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    const ALL: [Access; 6] = [
        Access::Read,
        Access::ReadQuietly,
        Access::ReadWriteQuietly,
        Access::ReadWrite,
        Access::Append,
        Access::ReadAppend,
    ];

    #[test]
    fn no_open_follows_a_link_unasked_or_waits_for_a_fifo() {
        let directory = tempfile::tempdir().expect("a directory");
        let at = |name: &str| directory.path().join(name);
        fs::write(at("file"), "text\n").expect("written");
        symlink("file", at("link")).expect("a link");
        symlink("nowhere", at("dangling")).expect("a link");
        symlink(".", at("linked")).expect("a link");
        nix::unistd::mkfifo(&at("fifo"), Mode::S_IRWXU).expect("a FIFO");
        let opened =
            directory_again(super::directory(directory.path(), Links::Followed).expect("opened"));
        let opened = opened.expect("opened again");
        for access in ALL {
            assert!(open(&at("link"), access, Links::Followed).is_ok());
            for refused in [
                open(&at("link"), access, Links::Refused),
                open_in(&opened, "link", access),
                open_in(&opened, "dangling", access),
            ] {
                let error = refused.expect_err("a link");
                assert_eq!(error.raw_os_error(), Some(nix::libc::ELOOP), "{access:?}");
            }
            // It returns; whether with a descriptor depends on the access.
            let _ = open_in(&opened, "fifo", access);
        }
        for made in [
            make_in(&opened, "dangling"),
            make_to_append_in(&opened, "dangling"),
            make_in(&opened, "file"),
        ] {
            let error = made.expect_err("taken");
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        }
        for directory in [
            super::directory(&at("linked"), Links::Refused),
            directory_in(&opened, "linked"),
            searchable_in(&opened, "linked"),
        ] {
            let error = directory.expect_err("a link");
            assert_eq!(error.raw_os_error(), Some(nix::libc::ENOTDIR));
        }
        assert!(
            look_in(&opened, "dangling")
                .expect("looked at")
                .is_symlink()
        );
        assert!(!at("nowhere").exists());
    }
}
