//! What a case compares after its run.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};

use super::{Case, Status, Text};
use crate::launch::Output;
use crate::letters::letters;
use crate::waiting;

/// What a line says of a mail that waits.
const QUEUED: &str = "in the outbox";

impl Case {
    pub(super) fn check_output(&self, output: &Output, wrong: &mut String) {
        let code = output.code();
        let is_death = output.status.signal().is_some();
        match self.status {
            Status::Is(status) if status == code && (status > 128) != is_death => {
                let _ = writeln!(wrong, "status {code}, expected a death by that signal");
            }
            Status::Is(status) if status != code => {
                let _ = writeln!(wrong, "status {code}, expected {status}");
            }
            Status::Failure if code == 0 => {
                let _ = writeln!(wrong, "status 0, expected a failure");
            }
            _ => {}
        }
        if output.status.core_dumped() {
            let _ = writeln!(wrong, "a core was dumped");
        }
        self.check_text("stdout", &self.stdout, &output.stdout, wrong);
        if self.says.is_empty() && self.hints.is_empty() {
            self.check_text("stderr", &self.stderr, &output.stderr, wrong);
        } else {
            self.check_lines(&output.stderr, wrong);
        }
    }

    fn check_text(&self, name: &str, expected: &Text, got: &[u8], wrong: &mut String) {
        let got = self.shown(got);
        match expected {
            Text::Is(bytes) => {
                let expected = String::from_utf8_lossy(bytes);
                if got != expected {
                    let _ = writeln!(wrong, "{name} is not as expected:\n{expected}");
                }
            }
            Text::Contains(fragments) => {
                for fragment in fragments.iter().filter(|fragment| !got.contains(*fragment)) {
                    let _ = writeln!(wrong, "{name} lacks: {fragment}");
                }
            }
            Text::Any => {}
        }
    }

    fn check_lines(&self, stderr: &[u8], wrong: &mut String) {
        let text = self.shown(stderr);
        let own = format!("{}: ", self.name);
        let mut unexpected: Vec<&str> = Vec::new();
        let mut missing: Vec<&String> = self.says.iter().collect();
        for line in text.lines() {
            if line.chars().any(char::is_control) {
                let _ = writeln!(wrong, "control characters on stderr: {line:?}");
            }
            if line.starts_with("hint: ") {
                continue;
            } else if !line.starts_with(&own) {
                let _ = writeln!(wrong, "neither `{own}…` nor a hint: {line}");
            } else if let Some(at) = missing.iter().position(|said| line.contains(*said)) {
                missing.remove(at);
            } else {
                let is_kept = (self.may_keep || self.kept.is_some())
                    && line.contains("[DIR]/home/dead.letter");
                let is_queued = self.queued != Some(0) && line.contains(QUEUED);
                if !is_kept && !is_queued {
                    unexpected.push(line);
                }
            }
        }
        // One line may hold two of the expected texts.
        missing.retain(|said| {
            !text
                .lines()
                .any(|line| line.starts_with(&own) && line.contains(*said))
        });
        for said in missing {
            let _ = writeln!(wrong, "stderr lacks a line `{own}…{said}…`");
        }
        for line in unexpected {
            let _ = writeln!(wrong, "unexpected on stderr: {line}");
        }
        for hint in &self.hints {
            if !text
                .lines()
                .any(|line| line.starts_with("hint: ") && line.contains(hint))
            {
                let _ = writeln!(wrong, "stderr lacks a line `hint: …{hint}…`");
            }
        }
    }

    /// Checks what holds for every message, whatever it is about.
    pub(super) fn check_words(&self, output: &Output, wrong: &mut String) {
        let own = format!("{}: ", self.name);
        for line in self.shown(&output.stderr).lines() {
            if !line.starts_with(&own) && !line.starts_with("hint: ") {
                continue;
            }
            if let Some(fault) = fault_of_words(line) {
                let _ = writeln!(wrong, "{fault}: {line}");
            }
        }
    }

    pub(super) fn check_kept(&self, output: &Output, wrong: &mut String) {
        let Some(count) = self.kept else { return };
        let dead = self.path("home/dead.letter");
        let Ok(metadata) = fs::symlink_metadata(&dead) else {
            let _ = writeln!(
                wrong,
                "$DEAD does not exist, expected {count} messages in it"
            );
            return;
        };
        if metadata.mode() & 0o7777 != 0o600 {
            let _ = writeln!(
                wrong,
                "$DEAD has mode {:o}, expected 600",
                metadata.mode() & 0o7777
            );
        }
        let got = letters(&fs::read(dead).unwrap()).len();
        if got != count {
            let _ = writeln!(wrong, "$DEAD holds {got} messages, expected {count}");
        }
        if !self
            .shown(&output.stderr)
            .contains("[DIR]/home/dead.letter")
        {
            let _ = writeln!(wrong, "stderr does not say where the mail is kept");
        }
    }

    pub(super) fn check_queued(&self, output: &Output, wrong: &mut String) {
        if let Some(count) = self.kept_somewhere {
            let dead = fs::read(self.path("home/dead.letter")).unwrap_or_default();
            let got = letters(&dead).len() + waiting::entries(&self.outbox()).len();
            if got != count {
                let _ = writeln!(wrong, "{got} messages are kept, expected {count}");
            }
            let says = self.shown(&output.stderr);
            if !says.contains(QUEUED) && !says.contains("[DIR]/home/dead.letter") {
                let _ = writeln!(wrong, "stderr does not say where the mail is kept");
            }
        }
        let Some(count) = self.queued else { return };
        let got = waiting::entries(&self.outbox()).len();
        if got != count {
            let _ = writeln!(wrong, "the outbox holds {got} messages, expected {count}");
        }
        let says = self.shown(&output.stderr).contains(QUEUED);
        if count > 0 && !says && !output.stderr.is_empty() {
            let _ = writeln!(wrong, "stderr does not say that the outbox has the mail");
        }
    }

    pub(super) fn check_files(&self, before: &Snapshot, after: &Snapshot, wrong: &mut String) {
        for (path, bytes) in &self.leaves {
            match fs::read(self.dir.path().join(path)) {
                Ok(got) if got == *bytes => {}
                Ok(got) => {
                    let got = String::from_utf8_lossy(&got);
                    let _ = writeln!(wrong, "{} is not as expected, but:\n{got}", path.display());
                }
                Err(error) => {
                    let _ = writeln!(wrong, "{}: {error}", path.display());
                }
            }
        }
        let mentioned = |path: &Path| self.mentioned.iter().any(|known| path.starts_with(known));
        for (path, state) in after {
            match before.get(path) {
                _ if mentioned(path) => {}
                // Who types at a terminal leaves a history.
                _ if is_history(path) => {}
                None => {
                    let _ = writeln!(wrong, "a new file: {}", path.display());
                }
                Some(old) if old != state => {
                    let _ = writeln!(wrong, "changed: {}", path.display());
                }
                Some(_) => {}
            }
        }
        for path in before
            .keys()
            .filter(|path| !after.contains_key(*path) && !mentioned(path))
        {
            let _ = writeln!(wrong, "gone: {}", path.display());
        }
    }
}

/// Returns whether a path is the history of the reader, or a directory on the way to it.
fn is_history(path: &Path) -> bool {
    Path::new("home/.local/state/postrider/history").starts_with(path)
}

/// Returns what makes a message none for a person, if anything does.
pub fn fault_of_words(line: &str) -> Option<&'static str> {
    // How Rust writes values for programmers.
    let debug = [
        "Other(",
        "OtherError",
        "Error(",
        "Error {",
        "Err(",
        "Some(",
        "Ok(",
        "Os {",
        "Custom {",
        "kind: ",
        "PathBuf",
        "::",
    ];
    // An IPv6 address may have two colons, too.
    let is_debug = |piece: &&str| line.contains(*piece) && (*piece != "::" || !line.contains('['));
    if line.contains("(os error") {
        return Some("an errno is for programs");
    }
    if debug.iter().any(is_debug) {
        return Some("a value as programmers see it");
    }
    // Lines are counted from 1.
    if line.contains(":0: ") {
        return Some("there is no line 0");
    }
    let mut reasons: Vec<&str> = line.split(": ").filter(|part| part.len() > 9).collect();
    let count = reasons.len();
    reasons.sort_unstable();
    reasons.dedup();
    (reasons.len() < count).then_some("it says the same twice")
}

/// The state of every file of a case: kind, mode, and a regular file's bytes.
pub(super) type Snapshot = BTreeMap<PathBuf, (u32, Vec<u8>)>;

/// Returns the state of the case's directory, without what the harness itself keeps there.
pub(super) fn snapshot(root: &Path) -> Snapshot {
    let mut found = Snapshot::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(directory) = waiting.pop() {
        let Ok(entries) = fs::read_dir(&directory) else {
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            let short = path.strip_prefix(root).expect("below the root").to_owned();
            if ["bin", "mta", "sys"]
                .iter()
                .any(|own| short.starts_with(own))
            {
                continue;
            }
            // Temporary files of a program still at work may go at any time.
            let Ok(metadata) = fs::symlink_metadata(&path) else {
                continue;
            };
            let kind = metadata.file_type();
            let bytes = match kind {
                _ if kind.is_file() => fs::read(&path).unwrap_or_default(),
                _ if kind.is_symlink() => fs::read_link(&path)
                    .unwrap_or_default()
                    .into_os_string()
                    .into_vec(),
                _ if kind.is_fifo() => b"a FIFO".to_vec(),
                _ => Vec::new(),
            };
            if kind.is_dir() {
                waiting.push(path);
            }
            found.insert(short, (metadata.mode(), bytes));
        }
    }
    found
}
