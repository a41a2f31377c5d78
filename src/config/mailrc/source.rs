//! `source`: one rc file that is read in the middle of another, within limits.

use super::trust::Untrusted;
use super::{Interpreter, each_word, weight_of_unusable};
use crate::config::file_name::{self, NameError};
use crate::config::problem::{Origin, Problem, Weight};
use crate::{exit, sanitize};

/// How deep `source` may nest.
const SOURCE_DEPTH: usize = 8;
/// How many files all `source` lines may read.
pub(super) const SOURCE_FILES: usize = 256;
/// How many bytes they may have in all, but for the last file.
const SOURCE_BYTES: usize = 4_000_000;

impl Interpreter<'_> {
    /// Reads a file; `is_optional`: one that is not there is not told.
    pub(super) fn source(&mut self, rest: &str, is_optional: bool, origin: &Origin, depth: usize) {
        let words: Vec<String> = each_word(rest).take(2).collect();
        // What is not read may hold the way out. s-nail runs a command whose name ends in `|`.
        let name = match &words[..] {
            [name] if !name.ends_with('|') => name,
            [_] => {
                return self.weighed(
                    origin,
                    "source can read files, but cannot run commands",
                    true,
                );
            }
            _ => return self.weighed(origin, "source needs one file name", true),
        };
        // The counts are in the settings and not in the interpreter: each rc file has an
        // interpreter of its own, and the limit is one for all.
        let sourced = &mut self.settings.sourced;
        sourced.files += 1;
        if sourced.files > SOURCE_FILES || sourced.bytes > SOURCE_BYTES {
            // Ten files that each name ten others, eight deep, are a hundred million.
            if !std::mem::replace(&mut sourced.is_over, true) {
                let what = format!(
                    "source has read {SOURCE_FILES} files or {} MB: the rest is ignored",
                    SOURCE_BYTES / 1_000_000
                );
                // The way out may be in what is left out.
                let problem = Problem::of_line(origin, what, Weight::Route);
                self.settings.add_problem(problem);
            }
            return;
        }
        // A file that names itself ends here, long before the limit of files.
        if depth >= SOURCE_DEPTH {
            return self.problem(origin, "source lines are nested too deep");
        }
        let name = self.os(name);
        let path = match file_name::of_setting(&name, self.settings, self.context.home) {
            Ok(path) => path,
            Err(error) => {
                // A name that means no file is a file that is not there. Where the system failed to
                // look, what the file would have set is unknown.
                let weight = match error {
                    NameError::NoDatabase(_) | NameError::NoPlace(_) => Weight::Unread,
                    _ => Weight::Line,
                };
                let why = exit::with_causes(&error);
                let what = format!("cannot source {}: {why}", sanitize::path(&name));
                let problem = Problem::of_line(origin, what, weight);
                return self.settings.add_problem(problem);
            }
        };
        if let Err(error) = self.file(&path, depth + 1) {
            if is_optional && matches!(error, Untrusted::Missing) {
                return;
            }
            let (what, weight) = match error {
                // A file that is not there sets nothing; rc files are shared between hosts, and
                // not every host has each file that they name.
                Untrusted::Missing => ("it does not exist".to_owned(), Weight::Line),
                Untrusted::Refused(what) | Untrusted::Denied(what) => (what, Weight::Line),
                Untrusted::Unusable(what) => (what, weight_of_unusable(&self.context)),
                Untrusted::Failed(what) => (what, Weight::Unread),
            };
            let what = format!("cannot source {}: {what}", sanitize::path(&path));
            let problem = Problem::of_line(origin, what, weight);
            self.settings.add_problem(problem);
        }
    }
}
