//! The outbox, as its files show it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::letters::Letter;

/// A message in an outbox.
#[derive(Debug)]
pub struct Waiting {
    /// Its file.
    pub path: PathBuf,
    /// Its ID.
    pub id: String,
    /// The last part of the file's name: `q`, `dot` or `new`. Of one in the slot, what it will be.
    pub suffix: String,
    /// The envelope.
    pub envelope: Value,
    /// The message.
    pub message: Vec<u8>,
    /// The sidecar; null if there is none.
    pub state: Value,
}

impl Waiting {
    /// Returns the message.
    pub fn letter(&self) -> Letter {
        Letter::new(&self.message)
    }

    /// Returns the recipients of the envelope.
    pub fn recipients(&self) -> Vec<&str> {
        let recipients = self.envelope["recipients"].as_array().expect("a list");
        recipients
            .iter()
            .map(|name| name.as_str().expect("a text"))
            .collect()
    }

    /// Returns the state of each target: its address and a word.
    pub fn targets(&self) -> Vec<(&str, &str)> {
        let targets = self.state["targets"].as_array().expect("a list");
        targets
            .iter()
            .map(|to| {
                let word = |key: &str| to[key].as_str().expect("a text");
                (word("target"), word("state"))
            })
            .collect()
    }
}

/// Returns the messages of an outbox, in order of arrival; none if there is no outbox.
pub fn entries(outbox: &Path) -> Vec<Waiting> {
    let Ok(names) = fs::read_dir(outbox) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = names.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.into_iter().filter_map(entry).collect()
}

fn entry(path: PathBuf) -> Option<Waiting> {
    let name = path.file_name()?.to_str()?;
    let (id, mut suffix) = match name.split_once('.') {
        Some((id, suffix)) if ["q", "dot", "new"].contains(&suffix) => (id, suffix),
        None if name == "sending" => (name, "q"),
        _ => return None,
    };
    // One that is sent at this moment may go.
    let bytes = fs::read(&path).ok()?;
    if name == "sending" && bytes.get(4095) == Some(&b'.') {
        suffix = "dot";
    }
    let line = bytes
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let line = String::from_utf8_lossy(line).into_owned();
    let mut lengths = line
        .split(' ')
        .skip(2)
        .map(|length| length.parse::<usize>().unwrap_or(0));
    let mut length = || lengths.next().unwrap_or(0);
    let start = line.len() + 1;
    let end = start + length();
    // The slot is padded, and mostly empty.
    let whole = if name == "sending" {
        end + length()
    } else {
        bytes.len()
    };
    if whole == start {
        return None;
    }
    let state = fs::read(path.with_extension("st"));
    Some(Waiting {
        id: id.to_owned(),
        suffix: suffix.to_owned(),
        envelope: serde_json::from_slice(bytes.get(start..end)?).unwrap_or(Value::Null),
        message: bytes.get(end..whole)?.to_vec(),
        state: state.map_or(Value::Null, |state| {
            serde_json::from_slice(&state).unwrap_or(Value::Null)
        }),
        path,
    })
}
