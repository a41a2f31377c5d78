//! Files and names that survive a power cut, and the end of the program that was making them.
//!
//! # Names
//! fsync keeps the bytes of a file. Its name is kept by an fsync of the directory, and POSIX
//! promises nothing without one. [`sync_name`] is the one door to that, for names that came and for
//! names that went; [`make_directories`] goes through it for every directory that it makes.
//!
//! # Files that must be complete
//! A file that is made, and gets its owner and its content afterwards, is half a file to everybody
//! who meets it in between, and for ever if its maker dies there. [`create_complete`] gives the
//! name last.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, File, Metadata};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::AT_FDCWD;

pub(crate) use super::interrupted::until_done;
use super::open::names;
pub(crate) use super::platform::{exchange, is_local, rename_exclusively};
use super::{clock, platform, random};

/// How long it may take until the system has written a name to the disk unasked.
///
/// Linux does it after half a minute, in its laptop mode after ten.
const SETTLED: Duration = Duration::from_secs(10 * 60);

/// Returns the directory that holds this file.
pub(crate) fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Returns a path with something added to its last name.
pub(crate) fn with_suffix(path: &Path, suffix: impl AsRef<OsStr>) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes a new name, or the removal of an old one, survive a power cut.
///
/// A directory that we may write to but not read cannot be opened, and so not be synced by itself,
/// nor can any where no descriptor is left: then the whole file system is, through `file`, which
/// must lie on it.
///
/// # Errors
/// When the directory cannot be synced. The name may not survive, then.
pub(crate) fn sync_name(path: &Path, file: &File) -> io::Result<()> {
    sync_opened(until_done(|| File::open(directory_of(path))), file)
}

/// Makes the names in an open directory survive a power cut, as [`sync_name`] does.
///
/// # Errors
/// When the directory cannot be synced.
pub(crate) fn sync_names_in(directory: impl AsFd, file: &File) -> io::Result<()> {
    // It may be open for searching only.
    sync_opened(names::directory_again(directory), file)
}

fn sync_opened(directory: io::Result<File>, file: &File) -> io::Result<()> {
    match directory {
        Ok(directory) => until_done(|| directory.sync_all()),
        Err(error) if cannot_be_opened(&error) => {
            until_done(|| Ok(platform::sync_file_system(file)?))
        }
        Err(error) => Err(error),
    }
}

/// Returns whether we may not read a directory, or no descriptor is left for it. syncfs through an
/// open file reaches the same disk.
fn cannot_be_opened(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error().map(Errno::from_raw),
        Some(Errno::EACCES | Errno::EPERM | Errno::EMFILE | Errno::ENFILE)
    )
}

/// Returns whether a file is so young that the disk may not have its name yet.
///
/// The program that made the file may have died before it synced the name, or may never sync names.
pub(crate) fn is_young(metadata: &Metadata) -> bool {
    // The time of birth cannot be set by touch(1), unlike the others. A file system that has none
    // makes every file young: one sync too many is harmless.
    let age = metadata
        .created()
        .ok()
        .and_then(|made| clock::now().duration_since(made).ok());
    age.is_none_or(|age| age < SETTLED)
}

/// Makes a directory and those above it that are missing; their names survive a power cut.
///
/// # Errors
/// When one cannot be made or synced.
pub(crate) fn make_directories(path: &Path, mode: u32) -> io::Result<()> {
    match DirBuilder::new().mode(mode).create(path) {
        Ok(()) => sync_directory_name(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let parent = path
                .parent()
                .filter(|parent| !parent.as_os_str().is_empty());
            make_directories(parent.ok_or(error)?, mode)?;
            // Another process may have made the directory since the first try. It may not have
            // synced it, so the name is synced in any case.
            match DirBuilder::new().mode(mode).create(path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
                _ => sync_directory_name(path),
            }
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => settle_directory(path),
        Err(error) => Err(error),
    }
}

/// Makes sure that an existing directory and those above it survive a power cut.
///
/// # Errors
/// When it is no directory, or cannot be synced.
pub(crate) fn settle_directory(path: &Path) -> io::Result<()> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    // A directory that is not young is on the disk, and so are those above it, which were made
    // before.
    if !is_young(&metadata) {
        return Ok(());
    }
    sync_directory_name(path)?;
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => settle_directory(parent),
        _ => Ok(()),
    }
}

/// Makes sure of a directory as [`settle_directory`] does; where one above it cannot be opened, by
/// way of an open file in it.
///
/// # Errors
/// As [`settle_directory`].
pub(crate) fn settle_directory_of(path: &Path, file: &File) -> io::Result<()> {
    match settle_directory(path) {
        Err(error) if cannot_be_opened(&error) => {
            until_done(|| Ok(platform::sync_file_system(file)?))
        }
        settled => settled,
    }
}

fn sync_directory_name(path: &Path) -> io::Result<()> {
    sync_name(path, &File::open(path)?)
}

/// Makes a file that appears under its name complete, or not at all.
///
/// `prepare` is given the file, empty, of mode 0600, open for reading and appending, to write it
/// and to give it its owner and mode. It may be called again with another file.
///
/// The file has no name until then. Where the file system cannot do that it is called
/// [`temporary_of`] its name; its maker's death may leave that behind. Where links are needed the
/// death of the maker may leave it beside the name, too ([`remove_second_names`]).
///
/// # Errors
/// `AlreadyExists` when the name is taken, else what `prepare` or the system said. There is no file
/// then.
pub(crate) fn create_complete(
    path: &Path,
    prepare: &mut dyn FnMut(&File) -> io::Result<()>,
) -> io::Result<File> {
    if let Some(file) = nameless(directory_of(path))? {
        prepare(&file)?;
        match platform::give_name(&file, path) {
            // A nameless file vanishes when its descriptor is closed, so nothing has to be removed
            // here.
            Err(error) if is_unsupported(&error) => {}
            named => return named.map(|()| file),
        }
    }
    let temporary = temporary_of(path);
    let file = create_new(&temporary)?;
    if let Err(error) = prepare(&file) {
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    let moved = move_to(&temporary, path, &file);
    if !matches!(moved, Ok(true)) {
        let _ = fs::remove_file(&temporary);
    }
    match moved {
        Ok(_) => Ok(file),
        // A file system without links: nothing better is to be had.
        Err(error) if is_unsupported(&error) => {
            let file = create_new(path)?;
            match prepare(&file) {
                Ok(()) => Ok(file),
                Err(error) => {
                    let _ = fs::remove_file(path);
                    Err(error)
                }
            }
        }
        Err(error) => Err(error),
    }
}

/// Makes a file without a name; `None` where the file system, or the system, cannot.
fn nameless(directory: &Path) -> io::Result<Option<File>> {
    if !platform::can_name() {
        return Ok(None);
    }
    match names::make_nameless(directory) {
        Ok(file) => Ok(file),
        // EISDIR: a kernel that does not know the flag. ENOENT: some network file systems.
        Err(error)
            if is_unsupported(&error)
                || error.raw_os_error() == Some(Errno::EISDIR as i32)
                || (error.kind() == io::ErrorKind::NotFound && directory.is_dir()) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Moves a file to a name that is free; says whether the old name is gone by that.
fn move_to(temporary: &Path, path: &Path, file: &File) -> io::Result<bool> {
    match rename_exclusively(AT_FDCWD, temporary, AT_FDCWD, path) {
        Ok(()) => return Ok(true),
        // A plain rename would replace a file that another process has made under the name
        // meanwhile. Where the exclusive one is missing, a hard link does the same: it fails where
        // the name is taken.
        Err(Errno::EINVAL | Errno::ENOSYS | Errno::EOPNOTSUPP) => {}
        Err(error) => return Err(error.into()),
    }
    match fs::hard_link(temporary, path) {
        // The answer may be lost on NFS; the number of links is what counts.
        Err(error) if file.metadata()?.nlink() != 2 => Err(error),
        _ => Ok(false),
    }
}

fn create_new(path: &Path) -> io::Result<File> {
    names::make_to_append_in(AT_FDCWD, path)
}

/// Returns whether the file system does not have what was asked for.
fn is_unsupported(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error().map(Errno::from_raw),
        Some(Errno::EPERM | Errno::EOPNOTSUPP | Errno::EMLINK | Errno::EINVAL | Errno::ENOSYS)
    )
}

/// Returns what a file is called while it is made: `.NAME.postrider-` and 16 hexadecimal digits.
pub(crate) fn temporary_of(path: &Path) -> PathBuf {
    let digits = format!("{:016x}", random::number());
    with_suffix(&temporary_prefix(path), digits)
}

/// Returns what [`temporary_of`] puts before the digits.
pub(crate) fn temporary_prefix(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".postrider-");
    directory_of(path).join(name)
}

/// Removes the names that the maker of a file has left beside its own.
///
/// # Errors
/// When the directory cannot be read.
pub(crate) fn remove_second_names(path: &Path, metadata: &Metadata) -> io::Result<()> {
    for temporary in named_like(&[&temporary_prefix(path)])? {
        // A file with such a name may be another process's file that is being made. Only the same
        // inode is a leftover of this one.
        let is_same = fs::symlink_metadata(&temporary)
            .is_ok_and(|named| (named.dev(), named.ino()) == (metadata.dev(), metadata.ino()));
        if is_same {
            let _ = fs::remove_file(&temporary);
        }
    }
    Ok(())
}

/// Returns the files in one directory that are called one of these and 16 hexadecimal digits.
///
/// # Errors
/// When the directory cannot be read.
pub(crate) fn named_like(prefixes: &[&Path]) -> io::Result<Vec<PathBuf>> {
    let Some(directory) = prefixes.first().map(|prefix| directory_of(prefix)) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        let is_one = prefixes.iter().any(|prefix| {
            let prefix = prefix.file_name().unwrap_or_default().as_bytes();
            let digits = name.as_bytes().strip_prefix(prefix).unwrap_or_default();
            digits.len() == 16 && digits.iter().all(u8::is_ascii_hexdigit)
        });
        if is_one {
            found.push(directory.join(name));
        }
    }
    Ok(found)
}
