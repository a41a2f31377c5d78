//! A file below a directory, by a path that a stranger may have written.
//!
//! An HTML report may hold names from a log or from a web form, and whoever wrote them chooses what is
//! opened. So the way is walked name by name, by descriptors. Links are followed by us and not by the
//! kernel, as long as they stay below the directory. `..` goes back along the way that we came, so a
//! directory that is moved meanwhile does not lead out.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::readlinkat;

use super::names::{self, Access};
use super::read::{self, Opened, Unread, Use};

/// How many links are followed on one way, as the kernel has it.
const MAX_LINKS: usize = 40;

/// How deep a file may lie; each level holds a descriptor.
const MAX_DEPTH: usize = 100;

/// A directory that was opened, for files below it.
#[derive(Debug)]
pub(crate) struct Below(File);

impl Below {
    /// Opens the directory of a file, and then the file in that directory. Between the two nobody can
    /// put another directory in the place of the first. Its own name and the file's may be links.
    ///
    /// # Errors
    /// As [`read::open`].
    pub(crate) fn with_file(path: &Path, purpose: Use) -> Result<(Below, Opened), Unread> {
        let name = path
            .file_name()
            .ok_or_else(|| Unread::Refused("it is a directory".to_owned()))?;
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let directory = names::searchable(parent)?;
        let file = names::open_linked_in(&directory, name, Access::Read)?;
        Ok((Below(directory), read::judged(file, path, purpose)?))
    }

    /// Opens a regular file below the directory.
    ///
    /// # Errors
    /// When the file is not there or cannot be read, is of another kind than a regular file, or its
    /// path or a link on the way leads out of the directory.
    pub(crate) fn open(&self, path: &Path, purpose: Use) -> Result<Opened, Unread> {
        let mut walk = Walk {
            way: vec![self.0.try_clone()?],
            left: VecDeque::new(),
            links: 0,
        };
        walk.go_first(path, "it is an absolute path")?;
        while let Some(name) = walk.left.pop_front() {
            if let Some(file) = walk.step(&name)? {
                return read::judged(file, path, purpose);
            }
        }
        Err(Unread::Refused("it is a directory".to_owned()))
    }
}

/// A walk to a file, name by name.
struct Walk {
    /// The directories from the first one to where the walk is.
    way: Vec<File>,
    /// The names that are left; those of a link that is followed go before them.
    left: VecDeque<OsString>,
    /// How many links were followed.
    links: usize,
}

impl Walk {
    /// Puts the names of a path before those that are left; `absolute` says why an absolute one is
    /// refused.
    fn go_first(&mut self, path: &Path, absolute: &str) -> Result<(), Unread> {
        for component in path.components().rev() {
            match component {
                Component::Normal(name) => self.left.push_front(name.to_owned()),
                Component::ParentDir => self.left.push_front(OsString::from("..")),
                Component::RootDir => return Err(Unread::Refused(absolute.to_owned())),
                Component::CurDir | Component::Prefix(_) => {}
            }
        }
        Ok(())
    }

    /// Goes one name on; returns the file if that was the last one.
    fn step(&mut self, name: &OsStr) -> Result<Option<File>, Unread> {
        let leads_out =
            || Unread::Refused("it is outside the directory of the HTML file".to_owned());
        if name == ".." {
            self.way.pop();
            return if self.way.is_empty() {
                Err(leads_out())
            } else {
                Ok(None)
            };
        }
        let here = self.way.last().ok_or_else(leads_out)?;
        // Looked at before it is opened: to open a device may do something.
        let found = names::look_in(here, name)?;
        if found.is_symlink() {
            let target = PathBuf::from(readlinkat(here, name).map_err(io::Error::from)?);
            self.links += 1;
            if self.links > MAX_LINKS {
                return Err(io::Error::from(Errno::ELOOP).into());
            }
            self.go_first(&target, "it is a link to an absolute path")?;
            return Ok(None);
        }
        if !self.left.is_empty() {
            if self.way.len() > MAX_DEPTH {
                return Err(io::Error::from(Errno::ENAMETOOLONG).into());
            }
            let directory = names::searchable_in(here, name)?;
            self.way.push(directory);
            return Ok(None);
        }
        if found.is_dir() {
            return Err(Unread::Refused("it is a directory".to_owned()));
        }
        if !found.is_file() {
            return Err(Unread::Refused("it is not a regular file".to_owned()));
        }
        Ok(Some(names::open_in(here, name, Access::Read)?))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use nix::sys::stat::Mode;

    use super::*;

    #[test]
    fn no_path_and_no_link_leads_out_of_the_directory() {
        let world = tempfile::tempdir().expect("a directory");
        let at = |name: &str| world.path().join(name);
        fs::create_dir_all(at("page/img/deep")).expect("made");
        for name in ["secret", "page/logo", "page/img/a"] {
            fs::write(at(name), name).expect("written");
        }
        nix::unistd::mkfifo(&at("page/fifo"), Mode::S_IRWXU).expect("a FIFO");
        for (link, target) in [
            ("page/same", "logo"),
            ("page/img/up", "../logo"),
            ("page/img/deep/a", "../../img/./a"),
            ("page/pictures", "img"),
            ("page/out", "../secret"),
            ("page/img/out", "../../secret"),
            ("page/absolute", "/etc/passwd"),
            ("page/back", "../page/logo"),
            ("page/loop", "loop"),
            ("page/dangling", "nowhere"),
            ("page/tree", ".."),
            ("page/null", "/dev/null"),
            ("here", "page"),
        ] {
            symlink(target, at(link)).expect("a link");
        }
        let table: &[(&str, Option<&str>)] = &[
            ("logo", Some("page/logo")),
            ("./logo", Some("page/logo")),
            ("img//a", Some("page/img/a")),
            ("img/deep/../a", Some("page/img/a")),
            ("same", Some("page/logo")),
            ("img/up", Some("page/logo")),
            ("img/deep/a", Some("page/img/a")),
            ("pictures/a", Some("page/img/a")),
            ("pictures/up", Some("page/logo")),
            ("../secret", None),
            ("../page/logo", None),
            ("img/../../secret", None),
            ("pictures/../../secret", None),
            ("/etc/passwd", None),
            ("out", None),
            ("img/out", None),
            ("absolute", None),
            ("back", None),
            ("loop", None),
            ("dangling", None),
            ("tree/secret", None),
            ("null", None),
            ("fifo", None),
            ("img", None),
            ("logo/x", None),
            ("", None),
            (".", None),
            ("..", None),
        ];
        // The directory itself may be reached by a link: its owner has typed that.
        for directory in [at("page"), at("here")] {
            for (path, expected) in table {
                let (below, page) =
                    Below::with_file(&directory.join("logo"), Use::Text).expect("opened");
                assert!(matches!(page, Opened::Regular(..)));
                let opened = below.open(Path::new(path), Use::Picture);
                let bytes = opened.and_then(|opened| opened.bytes(Use::Picture)).ok();
                let expected = expected.map(|text| text.as_bytes().to_vec());
                assert_eq!(bytes, expected, "{path}");
            }
        }
        let deep = format!("{}logo", "img/../".repeat(60));
        let (below, _) = Below::with_file(&at("page/logo"), Use::Text).expect("opened");
        assert!(below.open(Path::new(&deep), Use::Picture).is_ok());
        // Another directory in its place changes nothing.
        fs::rename(at("page"), at("moved")).expect("renamed");
        fs::create_dir(at("page")).expect("made");
        fs::write(at("page/other"), "other").expect("written");
        assert!(below.open(Path::new("other"), Use::Picture).is_err());
        assert!(below.open(Path::new("same"), Use::Picture).is_ok());
    }
}
