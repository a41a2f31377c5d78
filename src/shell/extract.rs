//! `postrider extract`: the attachments of a message as files, without a dialogue.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::parts;
use super::plain_file::Directory;
use super::store::attachments;
use super::unreadable;
use crate::exit::{Failure, Kind};
use crate::mailbox::Mailbox;
use crate::message::parse::{Part, fields, structure};
use crate::report::{self, json, part};
use crate::sanitize;
use crate::sys::progress::{self, Unit};
use crate::ui::Screen;

/// What is to be written, and where.
#[derive(Clone, Debug)]
pub(crate) struct ExtractRequest {
    /// The number of the message, from 1; `usize::MAX` is the last one.
    pub number: usize,
    /// Only this part, numbered as IMAP does; without it all attachments.
    pub part: Option<String>,
    /// The directory for the files.
    pub directory: PathBuf,
    /// Print one JSON object a file instead of its path.
    pub json: bool,
}

/// Writes attachments, and prints where they are; the sender's names are made safe, and no file that
/// is there is changed.
///
/// # Errors
/// There is no such message or part, or no attachment ([`Kind::Nothing`]); the message cannot be read,
/// or a file cannot be written: those before it are there and were printed.
pub(crate) fn extract(
    mailbox: &Mailbox,
    request: &ExtractRequest,
    mut screen: Screen<'_>,
) -> Result<Option<Kind>, Failure> {
    let index = report::index_of(mailbox, request.number)?;
    let bytes = mailbox
        .read_unquoted(index)
        .map_err(|error| unreadable::failure(index, error))?;
    let content = fields::split_from_line(&bytes).1;
    let found = structure(content);
    let mut chosen = Vec::new();
    match &request.part {
        Some(number) => chosen
            .push(part::find(&found.parts, number).ok_or_else(|| part::missing(index, number))?),
        None => attachments(&found.parts, &mut chosen),
    }
    if chosen.is_empty() {
        let what = format!("{}: the message has no attachment", index + 1);
        return Err(Failure::new(Kind::Nothing, what));
    }
    let total = chosen.iter().map(|part| part.raw.len() as u64).sum();
    let progress = progress::begin("extracting", Unit::Bytes, total);
    let mut directory = Directory::at(&request.directory);
    for part in &chosen {
        let written = parts::create(part, &mut directory);
        progress.advance(part.raw.len() as u64);
        match &written {
            Ok((path, size)) if request.json => screen.raw(&told(part, path, *size)),
            Ok((path, _)) => screen.text(&format!("{}\n", sanitize::path(path))),
            Err(_) => {}
        }
        screen.flush();
        // What was written before stays, and its line must be seen.
        if let Err(failure) = written {
            screen.finish()?;
            return Err(failure);
        }
    }
    screen.finish()?;
    Ok(None)
}

fn told(part: &Part<'_>, path: &Path, size: usize) -> Vec<u8> {
    let mut object = Map::new();
    json::insert_path(&mut object, "file", Some(path));
    for (key, value) in [
        ("part", json!(part.number)),
        ("type", json!(part.media_type)),
        ("name", json!(part.file_name)),
        ("size", json!(size)),
    ] {
        object.insert(key.to_owned(), value);
    }
    json::line(&Value::Object(object))
}
