//! The list of what is ours of an installation: `share/postrider/manifest` below its prefix.
//!
//! A line for each file, link and directory that was made, with tabs between its fields:
//!
//! ```text
//! file SHA256 PATH
//! link TARGET PATH
//! directory PATH
//! ```
//!
//! A path may have several lines while an installation is replaced: until the new files have their
//! names, both the old and the new ones are ours.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use ring::digest::{Context, SHA256};

use super::plan::Place;

/// What a line of the list is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ours {
    /// A file of this checksum.
    File(String),
    /// A link with this target.
    Link(PathBuf),
    /// A directory.
    Directory,
}

/// The list of what is ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    /// Each with its path, in the order in which it was made.
    pub lines: Vec<(PathBuf, Ours)>,
}

impl Manifest {
    /// Returns where the list of an installation is.
    pub(super) fn path(place: &Place) -> PathBuf {
        place.prefix.join("share/postrider/manifest")
    }

    /// Reads the list; `None` where nothing is installed.
    ///
    /// # Errors
    /// When it cannot be read, or is not such a list.
    pub(super) fn read(path: &Path) -> io::Result<Option<Manifest>> {
        match fs::read(path) {
            Ok(bytes) => Ok(Some(Manifest::parse(&bytes).ok_or_else(|| {
                io::Error::new(io::ErrorKind::InvalidData, "it is not a list of files")
            })?)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn parse(bytes: &[u8]) -> Option<Manifest> {
        let path = |bytes: &[u8]| PathBuf::from(OsStr::from_bytes(bytes));
        let mut lines = Vec::new();
        for line in bytes.split(|byte| *byte == b'\n') {
            let fields: Vec<&[u8]> = line.split(|byte| *byte == b'\t').collect();
            lines.push(match fields[..] {
                [b"file", sum, at] => {
                    let sum = String::from_utf8(sum.to_vec()).ok()?;
                    (path(at), Ours::File(sum))
                }
                [b"link", target, at] => (path(at), Ours::Link(path(target))),
                [b"directory", at] => (path(at), Ours::Directory),
                [b""] => continue,
                _ => return None,
            });
        }
        // A relative path would be looked for wherever we are.
        let all_absolute = lines.iter().all(|(path, _)| path.is_absolute());
        all_absolute.then_some(Manifest { lines })
    }

    /// Returns the bytes of the list.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (path, ours) in &self.lines {
            match ours {
                Ours::File(sum) => {
                    bytes.extend_from_slice(b"file\t");
                    bytes.extend_from_slice(sum.as_bytes());
                    bytes.push(b'\t');
                }
                Ours::Link(target) => {
                    bytes.extend_from_slice(b"link\t");
                    bytes.extend_from_slice(target.as_os_str().as_bytes());
                    bytes.push(b'\t');
                }
                Ours::Directory => bytes.extend_from_slice(b"directory\t"),
            }
            bytes.extend_from_slice(path.as_os_str().as_bytes());
            bytes.push(b'\n');
        }
        bytes
    }

    /// Returns whether what is at this path is ours: it has a line, and was not changed since.
    pub(super) fn has(&self, path: &Path, found: &Ours) -> bool {
        let mut lines = self.lines.iter();
        lines.any(|(at, ours)| at == path && ours == found)
    }

    /// Returns whether anything of ours was at this path.
    pub(super) fn knows(&self, path: &Path) -> bool {
        self.lines.iter().any(|(at, _)| at == path)
    }

    /// Adds a line, unless it is there.
    pub(super) fn add(&mut self, path: &Path, ours: Ours) {
        if !self.has(path, &ours) {
            self.lines.push((path.to_owned(), ours));
        }
    }

    /// Adds the lines of another list whose paths this one does not know.
    pub(super) fn add_unknown(&mut self, other: &Manifest) {
        for (path, ours) in &other.lines {
            if !self.knows(path) {
                self.lines.push((path.clone(), ours.clone()));
            }
        }
    }
}

/// Returns what is at this path now; `None` if nothing is.
///
/// # Errors
/// When it cannot be looked at or read.
pub(super) fn look(path: &Path) -> io::Result<Option<Ours>> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if is_missing(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(Some(if found.is_symlink() {
        Ours::Link(fs::read_link(path)?)
    } else if found.is_dir() {
        Ours::Directory
    } else if found.is_file() {
        Ours::File(sum_of_file(path)?)
    } else {
        // A device or a FIFO is nothing of ours, and is not opened.
        Ours::File(String::new())
    }))
}

/// Returns whether nothing is there, or no directory on the way.
fn is_missing(error: &io::Error) -> bool {
    let kinds = [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory];
    kinds.contains(&error.kind())
}

/// Returns the checksum of these bytes.
pub(super) fn sum(bytes: &[u8]) -> String {
    let mut context = Context::new(&SHA256);
    context.update(bytes);
    hexadecimal(context)
}

/// Returns the checksum of a file.
///
/// # Errors
/// When it cannot be read.
pub(super) fn sum_of_file(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hexadecimal(context)),
            count => context.update(&buffer[..count]),
        }
    }
}

fn hexadecimal(context: Context) -> String {
    let digest = context.finish();
    digest
        .as_ref()
        .iter()
        .fold(String::new(), |mut text, byte| {
            text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
            text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_as_it_was_written() {
        let mut list = Manifest::default();
        list.add(Path::new("/p/bin"), Ours::Directory);
        list.add(Path::new("/p/bin/a b"), Ours::File(sum(b"")));
        list.add(Path::new("/p/bin/l"), Ours::Link(PathBuf::from("a b")));
        list.add(Path::new("/p/bin"), Ours::Directory);
        assert_eq!(list.lines.len(), 3);
        assert_eq!(Manifest::parse(&list.bytes()), Some(list));
        for wrong in ["bin/x\n", "file\tx\n", "directory\trelative\n", "\0"] {
            assert_eq!(Manifest::parse(wrong.as_bytes()), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_checksum_is_that_of_sha256sum() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sum(b""), empty);
    }
}
