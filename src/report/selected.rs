//! Lists and counts of the messages that a selection chooses.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::stored::StoredIndex;
use super::{
    CHUNK, ReportError, ShowForm, headers, json, not_chosen, or_no_mail, report_notices, show,
    show_one,
};
use crate::exit::Kind;
use crate::mailbox::{Journals, Mailbox};
use crate::selection::{FlagChoice, Index, Selection};
use crate::ui::{Display, Screen};

/// What reports need to know of the surroundings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Looking<'a> {
    /// How messages look.
    pub display: &'a Display,
    /// Where journals may be.
    pub journals: &'a Journals,
    /// Whether lists compare senders by their local parts alone.
    pub allnet: bool,
    /// Whether the mailbox is a system mailbox: where it is missing there is no mail.
    pub is_system: bool,
}

/// Writes the list of messages: header lines, or JSON lines.
///
/// Returns [`Kind::Nothing`] if the selection chooses none.
///
/// # Errors
/// The mailbox cannot be opened, there is no message, the selection cannot be understood, or the output
/// cannot be written.
pub(crate) fn list(
    path: &Path,
    selection: &Selection,
    as_json: bool,
    looking: &Looking<'_>,
    mut screen: Screen<'_>,
) -> Result<Option<Kind>, ReportError> {
    let Looking {
        display, journals, ..
    } = *looking;
    if !selection.is_everything() {
        return list_selected(path, selection, as_json, looking, screen);
    }
    if !as_json {
        return match headers(path, None, display, journals, screen)? {
            Some(Kind::Nothing) => Err(ReportError::NoMail),
            kind => Ok(kind),
        };
    }
    let mut number = 0;
    let mut buffer = Vec::new();
    let mailbox = Mailbox::open(path, journals, &mut |_, message, block| {
        number += 1;
        if !screen.is_closed() {
            json::summary(&mut buffer, number, message, block);
        }
        if buffer.len() >= CHUNK {
            screen.raw(&buffer);
            buffer.clear();
        }
    })?;
    screen.raw(&buffer);
    let incomplete = report_notices(&mailbox, &mut screen);
    screen.finish()?;
    or_no_mail(incomplete, number == 0)
}

/// Writes the messages that a selection chooses.
fn list_selected(
    path: &Path,
    selection: &Selection,
    as_json: bool,
    looking: &Looking<'_>,
    mut screen: Screen<'_>,
) -> Result<Option<Kind>, ReportError> {
    let mailbox = Mailbox::open_index(path, looking.journals)?;
    let stored = StoredIndex::new(&mailbox, looking.display, looking.allnet);
    let chosen = selection.choose(&stored).map_err(not_chosen)?;
    let (mut text, mut objects) = (String::new(), Vec::new());
    for &message in &chosen {
        if screen.is_closed() {
            break;
        }
        if as_json {
            let mut place = mailbox.messages()[message];
            place.lines = Some(stored.unread.lines(&mailbox, message));
            json::summary(&mut objects, message + 1, &place, &stored.block(message));
        } else {
            stored.append_headline(&mut text, message);
        }
        if text.len() >= CHUNK || objects.len() >= CHUNK {
            screen.safe(&text);
            screen.raw(&objects);
            text.clear();
            objects.clear();
        }
    }
    screen.safe(&text);
    screen.raw(&objects);
    let incomplete = report_notices(&mailbox, &mut screen).or(report_unread(&stored, &mut screen));
    screen.finish()?;
    Ok(incomplete.or(chosen.is_empty().then_some(Kind::Nothing)))
}

/// Writes the messages that a selection chooses, one after the other.
///
/// Returns [`Kind::Nothing`] if it chooses none.
///
/// # Errors
/// As [`show`], and the selection cannot be understood.
pub(crate) fn show_selected(
    path: &Path,
    selection: &Selection,
    part: Option<&str>,
    form: ShowForm,
    looking: &Looking<'_>,
    mut screen: Screen<'_>,
) -> Result<Option<Kind>, ReportError> {
    let display = looking.display;
    if let Some(number) = selection.number() {
        return show(path, number, part, form, display, looking.journals, screen);
    }
    let mailbox = Mailbox::open_index(path, looking.journals)?;
    let stored = StoredIndex::new(&mailbox, display, looking.allnet);
    let chosen = selection.choose(&stored).map_err(not_chosen)?;
    let incomplete = report_notices(&mailbox, &mut screen).or(report_unread(&stored, &mut screen));
    for &message in &chosen {
        if screen.is_closed() {
            break;
        }
        show_one(&mailbox, message, part, form, display, &mut screen)?;
    }
    screen.finish()?;
    Ok(incomplete.or(chosen.is_empty().then_some(Kind::Nothing)))
}

/// Writes how many messages a selection chooses: a number, or one JSON object.
///
/// Returns [`Kind::Nothing`] if there is none.
///
/// # Errors
/// The mailbox cannot be opened, the selection cannot be understood, or the output cannot be written.
pub(crate) fn count(
    path: &Path,
    selection: &Selection,
    as_json: bool,
    looking: &Looking<'_>,
    mut screen: Screen<'_>,
) -> Result<Option<Kind>, ReportError> {
    let mailbox = match Mailbox::open_index(path, looking.journals) {
        // A delivery agent makes the system mailbox with the first message.
        Err(error) if error.is_missing() && looking.is_system => None,
        opened => Some(opened?),
    };
    let Some(mailbox) = mailbox else {
        screen.raw(&counted(path, &[], None, as_json));
        screen.finish()?;
        return Ok(Some(Kind::Nothing));
    };
    let stored = StoredIndex::new(&mailbox, looking.display, looking.allnet);
    let chosen = selection.choose(&stored).map_err(not_chosen)?;
    screen.raw(&counted(path, &chosen, Some(&stored), as_json));
    let incomplete = report_notices(&mailbox, &mut screen).or(report_unread(&stored, &mut screen));
    screen.finish()?;
    Ok(incomplete.or(chosen.is_empty().then_some(Kind::Nothing)))
}

fn counted(
    path: &Path,
    chosen: &[usize],
    stored: Option<&StoredIndex<'_>>,
    as_json: bool,
) -> Vec<u8> {
    if !as_json {
        return format!("{}\n", chosen.len()).into_bytes();
    }
    let with = |choice: FlagChoice| {
        let has =
            |&&message: &&usize| stored.is_some_and(|stored| choice.matches(stored.flags(message)));
        chosen.iter().filter(has).count()
    };
    let mut object = Map::new();
    json::insert_path(&mut object, "mailbox", Some(path));
    for (key, value) in [
        ("count", chosen.len()),
        ("new", with(FlagChoice::New)),
        ("unread", with(FlagChoice::Unread)),
        ("flagged", with(FlagChoice::Flagged)),
    ] {
        object.insert(key.to_owned(), json!(value));
    }
    json::line(&Value::Object(object))
}

/// Reports that a selection had to do without a message, because it could not be read; returns what kind
/// of failure that is, if it is one.
fn report_unread(stored: &StoredIndex<'_>, screen: &mut Screen<'_>) -> Option<Kind> {
    let (failure, kind) = stored.unread.take()?;
    screen.fail(&failure);
    kind
}
