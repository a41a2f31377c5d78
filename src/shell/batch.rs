//! Changes without a dialogue: `postrider delete` and `postrider mark`.
//!
//! Messages are chosen by the reader's message lists and by filters; only those that are chosen
//! change, and nothing does unless all of the choice was understood.

use serde_json::{Map, Value, json};

use super::commit::{commit, counted, notices_of, unfinished};
use super::options::{ReaderContext, ReaderOptions, display_of};
use crate::config::Settings;
use crate::exit::{Failure, Kind};
use crate::flow::reading::interrupted;
use crate::mailbox::{Changes, Committed, Flags, Mailbox};
use crate::report::stored::StoredIndex;
use crate::report::{self, json};
use crate::sanitize;
use crate::selection::{Index, Selection};
use crate::ui::Screen;

/// The change that is made to the chosen messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// The messages are deleted.
    Delete,
    /// The first flags are set, the second ones cleared.
    Mark(Flags, Flags),
}

/// How a change is made and reported.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ChangeOptions {
    /// Only show which messages would change.
    pub dry_run: bool,
    /// Print the result as one JSON object.
    pub json: bool,
}

/// A change without a dialogue.
#[derive(Clone, Debug)]
pub(crate) struct BatchChange {
    /// Which messages.
    pub selection: Selection,
    /// The change that is made to them.
    pub action: Action,
    /// How it is made and reported.
    pub options: ChangeOptions,
}

/// Changes the messages that are selected; returns [`Kind::Nothing`] if there are none.
///
/// # Errors
/// A list cannot be understood (64) or names a message that is not there (1), the mailbox cannot
/// be changed, or the output cannot be written.
pub(crate) fn change(
    mailbox: &Mailbox,
    settings: &Settings,
    around: &ReaderContext<'_>,
    change: &BatchChange,
    mut screen: Screen<'_>,
) -> Result<Option<Kind>, Failure> {
    let (action, options) = (change.action, change.options);
    let reader_options = ReaderOptions::of(settings, around);
    // The mailbox is not locked while messages are chosen. `commit` takes the locks, and leaves out
    // messages that another program has removed since.
    let display = display_of(settings, around, mailbox.messages().len());
    let stored = StoredIndex::new(mailbox, &display, reader_options.allnet);
    let chosen = choose(&change.selection, &stored)?;
    // A filter that could not see a header may have passed over a message: the status says so.
    let unread = report_unread(&stored, &mut screen);
    let changes = action.changes(&stored, &chosen);
    // Nothing to write: the mailbox is not even locked, so that it works for those who may only
    // read.
    let done = if options.dry_run || changes.is_empty() {
        Committed {
            remaining: stored.count(),
            ..Committed::default()
        }
    } else {
        write(mailbox, &changes, &reader_options, around, &mut screen)?
    };
    for line in notices_of(&done, mailbox.path()) {
        screen.say(&line);
    }
    // The change is certain, but it waits in the journal or is not synced: that is no full success.
    let incomplete = unfinished(&done, mailbox.path()).map(|failure| {
        screen.fail(&failure);
        failure.kind
    });
    let nothing = chosen.is_empty().then_some(Kind::Nothing);
    let kind = unread.or(incomplete).or(nothing);
    if options.json {
        screen.raw(&json_result(mailbox, &chosen, change, &done, kind));
    } else if options.dry_run {
        let mut text = String::new();
        for &message in &chosen {
            stored.append_headline(&mut text, message);
        }
        screen.safe(&text);
    // A person wants an answer. A script gets one by the exit status, and cron mails whatever is
    // printed.
    } else if around.stdout_is_terminal {
        screen.text(&summary(mailbox, chosen.len(), action, &done));
    }
    screen.finish()?;
    Ok(around.signal().map(Kind::Signal).or(kind))
}

/// Returns the messages that are selected.
///
/// # Errors
/// A list cannot be understood, or names a message that is not there.
fn choose(selection: &Selection, stored: &StoredIndex<'_>) -> Result<Vec<usize>, Failure> {
    selection.choose(stored).map_err(report::not_chosen)
}

/// Writes the changes; if a signal interrupted that, the failure names the signal.
fn write(
    mailbox: &Mailbox,
    changes: &Changes,
    options: &ReaderOptions,
    around: &ReaderContext<'_>,
    screen: &mut Screen<'_>,
) -> Result<Committed, Failure> {
    commit(mailbox, changes, options, around, screen).map_err(|failure| match around.signal() {
        Some(signal) => interrupted(signal, mailbox.path()),
        None => failure,
    })
}

/// Reports that the filters had to do without a header, because it could not be read; returns what
/// kind of failure that is, if it is one.
fn report_unread(stored: &StoredIndex<'_>, screen: &mut Screen<'_>) -> Option<Kind> {
    let (failure, kind) = stored.unread.take()?;
    screen.fail(&failure);
    kind
}

impl Action {
    /// Returns the changes for these messages.
    fn changes(self, stored: &StoredIndex<'_>, chosen: &[usize]) -> Changes {
        let mut changes = Changes::default();
        for &message in chosen {
            let before = stored.flags(message);
            match self {
                Action::Delete => changes.delete(message),
                Action::Mark(set, cleared) => {
                    let mut flags = before;
                    flags.insert(set);
                    flags.remove(cleared);
                    // A message that was read in a session has `Status: RO`; one that is marked as
                    // read here gets the same.
                    if set.contains(Flags::READ) && before.is_new() {
                        flags.insert(Flags::OLD);
                    }
                    // A message that has the flags already is no change, so that a second run
                    // writes nothing.
                    if flags != before {
                        changes.set_flags(message, flags);
                    }
                }
            }
        }
        changes
    }
}

/// Returns the result of a change as a line of JSON.
fn json_result(
    mailbox: &Mailbox,
    chosen: &[usize],
    change: &BatchChange,
    done: &Committed,
    kind: Option<Kind>,
) -> Vec<u8> {
    let numbers: Vec<usize> = chosen.iter().map(|message| message + 1).collect();
    let journal = done.pending.as_ref().map(|pending| &*pending.journal);
    let action = match change.action {
        Action::Delete => "delete",
        Action::Mark(..) => "mark",
    };
    let mut object = Map::new();
    json::insert_path(&mut object, "mailbox", Some(mailbox.path()));
    json::insert_path(&mut object, "pending", journal);
    for (key, value) in [
        ("action", json!(action)),
        ("dry_run", json!(change.options.dry_run)),
        ("numbers", json!(numbers)),
        ("deleted", json!(done.deleted)),
        ("flagged", json!(done.flagged)),
        (
            "flags_left_out",
            json!(done.flags_left_out + done.names_taken),
        ),
        ("gone", json!(done.gone)),
        ("arrived", json!(done.arrived)),
        ("left", json!(done.remaining)),
        ("status", json!(kind.map_or(0, Kind::status))),
    ] {
        object.insert(key.to_owned(), value);
    }
    json::line(&Value::Object(object))
}

fn summary(mailbox: &Mailbox, chosen: usize, action: Action, done: &Committed) -> String {
    let path = sanitize::path(mailbox.path());
    match action {
        _ if chosen == 0 => "No applicable messages\n".to_owned(),
        Action::Delete => {
            let (deleted, left) = (counted(done.deleted), done.remaining);
            format!("{path}: {deleted} deleted, {left} left\n")
        }
        Action::Mark(..) => format!("{path}: {} marked\n", counted(done.flagged)),
    }
}
