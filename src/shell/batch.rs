//! Changes without a dialogue: `postrider delete` and `postrider mark`.
//!
//! Messages are chosen by the reader's message lists and by filters; only those that are chosen
//! change, and nothing does unless all of the choice was understood.

use std::io::Write;

use serde_json::{Value, json};

use super::Reader;
use super::quit::{commit, counted};
use crate::exit::{Failure, Kind};
use crate::mailbox::{Changes, Committed, Flags, Mailbox};
use crate::selection::{ListError, Selection};
use crate::ui::{ReaderSettings, Screen};

/// What is to become of the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// They go.
    Delete,
    /// They get the first flags, and lose the second.
    Mark(Flags, Flags),
}

/// How a change is made and told.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner {
    /// Only show which messages would change.
    pub dry_run: bool,
    /// Tell the result as one JSON object.
    pub json: bool,
}

/// Changes the messages that are selected; returns [`Kind::Nothing`] if there are none.
///
/// # Errors
/// A list cannot be understood (64) or names a message that is not there (1), the mailbox cannot
/// be changed, or the output cannot be written.
pub fn change(
    mailbox: Mailbox,
    settings: ReaderSettings<'_>,
    selection: &Selection,
    action: Action,
    manner: Manner,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Option<Kind>, Failure> {
    let mut reader = Reader::new(mailbox, settings, Screen::new(out, err));
    let chosen = selection
        .choose(&reader, &|message| reader.block(message))
        .map_err(|error| {
            let kind = match error {
                ListError::NoSuchMessage(_) => Kind::Nothing,
                _ => Kind::Usage,
            };
            Failure::new(kind, error.to_string())
        })?;
    let unread = reader.tell_unread();
    let mut changes = Changes::default();
    for &message in &chosen {
        let before = reader.mailbox.messages()[message].flags;
        match action {
            Action::Delete => changes.delete(message),
            Action::Mark(set, cleared) => {
                let mut flags = before;
                flags.insert(set);
                flags.remove(cleared);
                // `RO`, as when it was read.
                if set.contains(Flags::READ) && before.is_new() {
                    flags.insert(Flags::OLD);
                }
                if flags != before {
                    changes.set_flags(message, flags);
                }
            }
        }
    }
    let done = match manner.dry_run || changes.is_empty() {
        true => Committed {
            left: reader.mailbox.messages().len(),
            ..Committed::default()
        },
        false => {
            let keep = reader.settings.rules.keep;
            let (settings, screen) = (&reader.settings, &mut reader.screen);
            let done = commit(&reader.mailbox, &changes, !keep, settings, screen);
            done.map_err(|failure| match settings.signal() {
                Some(signal) => {
                    let path = reader.mailbox.path().display();
                    let what = format!("interrupted; {path} stays as it is");
                    Failure::new(Kind::Signal(signal), what)
                }
                None => failure,
            })?
        }
    };
    reader.tell_of(&done);
    let unfinished = done.pending.is_some().then_some(Kind::Io);
    let kind = unread
        .or(unfinished)
        .or(chosen.is_empty().then_some(Kind::Nothing));
    if manner.json {
        let object = reader.result(&chosen, action, manner, &done, kind);
        reader.screen.raw(format!("{object}\n").as_bytes());
    } else if manner.dry_run {
        let mut text = String::new();
        for &message in &chosen {
            reader.append_headline(&mut text, message, usize::MAX);
        }
        reader.screen.raw(text.as_bytes());
    } else if reader.settings.stdout_is_terminal {
        let line = reader.summary(chosen.len(), action, &done);
        reader.screen.text(&line);
    }
    reader.screen.finish()?;
    Ok(reader.settings.signal().map(Kind::Signal).or(kind))
}

impl Reader<'_, '_> {
    /// Returns the result as JSON; the keys are stable.
    fn result(
        &self,
        chosen: &[usize],
        action: Action,
        manner: Manner,
        done: &Committed,
        kind: Option<Kind>,
    ) -> Value {
        let numbers: Vec<usize> = chosen.iter().map(|message| message + 1).collect();
        let journal = done.pending.as_ref().map(|pending| &pending.journal);
        json!({
            "mailbox": self.mailbox.path().display().to_string(),
            "action": match action {
                Action::Delete => "delete",
                Action::Mark(..) => "mark",
            },
            "dry_run": manner.dry_run,
            "numbers": numbers,
            "deleted": done.deleted,
            "flagged": done.flagged,
            "flags_left_out": done.flags_left_out + done.names_taken,
            "gone": done.gone,
            "arrived": done.arrived,
            "left": done.left,
            "pending": journal.map(|journal| journal.display().to_string()),
            "status": kind.map_or(0, Kind::status),
        })
    }

    fn summary(&self, chosen: usize, action: Action, done: &Committed) -> String {
        let path = self.mailbox.path().display();
        match action {
            _ if chosen == 0 => "No applicable messages\n".to_owned(),
            Action::Delete => {
                let (deleted, left) = (counted(done.deleted), done.left);
                format!("{path}: {deleted} deleted, {left} left\n")
            }
            Action::Mark(..) => format!("{path}: {} marked\n", counted(done.flagged)),
        }
    }
}
