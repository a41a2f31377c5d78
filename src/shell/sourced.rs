//! Files of commands that `source` reads in front of the other commands, within limits.

use std::path::{Path, PathBuf};

use crate::compose::escapes::Event;
use crate::config::Origin;
use crate::config::mailrc::Open;

/// How deep `source` may nest.
const DEPTH: usize = 8;
/// How many files one command may have read in all: two files that each name the other twice are
/// many.
const FILES: usize = 256;

/// A file whose lines are still to be carried out.
#[derive(Debug)]
struct File {
    path: PathBuf,
    text: Vec<u8>,
    /// Where the next line begins.
    at: usize,
    /// The number of the last line that was returned.
    line: usize,
    /// The conditions around the `source` line, which come back at the end.
    outer: Open,
}

impl File {
    /// Returns the next line, with its line end unless it is the last one.
    fn line(&mut self) -> Option<&[u8]> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        self.at += length;
        self.line += 1;
        Some(&rest[..length])
    }
}

/// The files that are open, the innermost last.
#[derive(Debug, Default)]
pub(super) struct Sourced {
    files: Vec<File>,
    /// How many were opened since a command came from elsewhere.
    count: usize,
}

/// A file that has come to its end.
pub(super) struct Ended {
    /// The place of its last line.
    pub(super) origin: Origin,
    /// The conditions around its `source` line.
    pub(super) outer: Open,
}

impl Sourced {
    /// Returns whether commands come from a file now.
    pub(super) fn is_open(&self) -> bool {
        !self.files.is_empty()
    }

    /// Returns whether another file may be opened, or says why not.
    pub(super) fn has_room(&mut self) -> Result<(), &'static str> {
        if self.files.is_empty() {
            self.count = 0;
        }
        if self.files.len() >= DEPTH {
            return Err("source commands are nested too deep");
        }
        if self.count >= FILES {
            return Err("source has read too many files");
        }
        Ok(())
    }

    /// Opens a file.
    pub(super) fn open(&mut self, path: &Path, text: Vec<u8>, outer: Open) {
        self.count += 1;
        self.files.push(File {
            path: path.to_owned(),
            text,
            at: 0,
            line: 0,
            outer,
        });
    }

    /// Returns the place of the line that was returned last.
    pub(super) fn origin(&self) -> Origin {
        self.files
            .last()
            .map_or(Origin::Prompt, |file| Origin::File {
                path: file.path.clone(),
                line: file.line,
            })
    }

    /// Returns the next line of the innermost file; `None` at its end.
    pub(super) fn line(&mut self) -> Option<String> {
        let line = self.files.last_mut()?.line()?;
        let line = String::from_utf8_lossy(line);
        Some(line.trim_end_matches(['\n', '\r']).to_owned())
    }

    /// Returns the next line of the innermost file for a text: it ends with the file.
    pub(super) fn event(&mut self) -> Option<Event> {
        let file = self.files.last_mut()?;
        let line = file.line().map(|line| Event::Line(line.to_vec()));
        Some(line.unwrap_or(Event::End))
    }

    /// Closes the innermost file.
    pub(super) fn close(&mut self) -> Option<Ended> {
        let origin = self.origin();
        let outer = self.files.pop()?.outer;
        Some(Ended { origin, outer })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_nest_and_end_and_are_limited() {
        let mut sourced = Sourced::default();
        let path = Path::new("/f");
        sourced.open(path, b"a\r\nb".to_vec(), Open::default());
        assert_eq!(sourced.line().as_deref(), Some("a"));
        sourced.open(Path::new("/g"), b"c\n".to_vec(), Open::default());
        assert_eq!(sourced.line().as_deref(), Some("c"));
        assert_eq!(sourced.origin().to_string(), "/g:1");
        assert_eq!(sourced.line(), None);
        assert!(matches!(sourced.event(), Some(Event::End)));
        assert!(sourced.close().is_some());
        assert!(matches!(sourced.event(), Some(Event::Line(line)) if line == b"b"));
        assert_eq!(sourced.origin().to_string(), "/f:2");
        for _ in 0..7 {
            assert!(sourced.has_room().is_ok());
            sourced.open(path, Vec::new(), Open::default());
        }
        assert!(sourced.has_room().is_err());
        for _ in 0..300 {
            sourced.close();
            sourced.open(path, Vec::new(), Open::default());
        }
        sourced.close();
        assert!(sourced.has_room().is_err());
        while sourced.close().is_some() {}
        assert!(sourced.has_room().is_ok());
        assert_eq!(sourced.origin(), Origin::Prompt);
    }
}
