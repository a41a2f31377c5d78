//! What has not been sent, told in passing: a hint behind a mail, lines in the reader's greeting, a
//! note in the user's own mailbox.
//!
//! A queue of which nobody hears loses mail as well as none. None of this may hinder the mail that is
//! being sent, or the reader: what cannot be looked at is passed over here, and
//! `postrider outbox list` says what is wrong with it.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use super::reading;
use crate::config::{Environment, Settings};
use crate::diagnostics::Diagnostics;
use crate::mailbox::Mailbox;
use crate::report::outbox::{self as report, Row, span};
use crate::sanitize;
use crate::submission::outbox::{Condition, Listing, Outbox};
use crate::submission::{self, Surroundings, letters};
use crate::sys::clock;

/// From this age on an entry is stuck: what passes by itself has mostly passed by then.
const STUCK: Duration = Duration::from_secs(15 * 60);

/// Up to so many entries are looked at one by one, to leave out those that a person holds.
const LOOKED_AT: usize = 1000;

/// How many entries a note lists.
const NOTED: usize = 20;

/// What waits in the outboxes of the user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Waiting {
    /// How many entries wait.
    count: usize,
    /// How many of them are stuck.
    stuck: usize,
    /// The age of the oldest.
    oldest: Duration,
    /// How many have failed.
    failed: usize,
}

impl Waiting {
    /// Counts what lies in these outboxes.
    fn of(outboxes: &[Outbox]) -> Waiting {
        let now = clock::now();
        let mut waiting = Waiting::default();
        for outbox in outboxes {
            waiting.failed += outbox.count_failed().unwrap_or(0);
            let mut ids = outbox.ids().unwrap_or_default();
            if !ids.is_empty() && ids.len() <= LOOKED_AT {
                let listing = outbox.list().unwrap_or_default();
                let is_held = |condition: &Condition| *condition == Condition::Held;
                let others = listing.entries.into_iter();
                let others = others.filter(|listed| !is_held(&listed.condition));
                ids = others.map(|listed| listed.id).collect();
            }
            for id in ids {
                let arrival = UNIX_EPOCH + id.arrival();
                let age = now.duration_since(arrival).unwrap_or_default();
                waiting.count += 1;
                waiting.stuck += usize::from(age > STUCK);
                waiting.oldest = waiting.oldest.max(age);
            }
        }
        waiting
    }

    /// Says how many messages wait, and since when.
    fn line(&self) -> String {
        let oldest = span(self.oldest);
        match self.count {
            1 => format!("1 message waits in the outbox for {oldest}"),
            count => format!("{count} messages wait in the outbox, the oldest for {oldest}"),
        }
    }

    /// Says how many messages have failed.
    fn failed_line(&self) -> String {
        match self.failed {
            1 => "1 message in the outbox has failed for good".to_owned(),
            count => format!("{count} messages in the outbox have failed for good"),
        }
    }
}

/// Prints a hint if entries are stuck: to a person, or behind a mail that was not accepted. Under cron
/// each line of a mail that was accepted would be another mail.
pub(super) fn hint(is_accepted: bool, around: &Surroundings<'_>, diagnostics: &Diagnostics) {
    if is_accepted && !io::stderr().is_terminal() {
        return;
    }
    let waiting = Waiting::of(&Outbox::all(around).unwrap_or_default());
    if waiting.stuck > 0 {
        let line = waiting.line();
        diagnostics.hint(&format!("{line}: postrider outbox list shows why"));
    }
}

/// Returns the lines of the reader's greeting: what waits, what has failed, and how many unsent
/// messages lie in dead letter files.
pub(crate) fn greeting(settings: &Settings, environment: &Environment) -> Vec<String> {
    let mut lines = Vec::new();
    let waiting = Waiting::of(&Outbox::of(settings, environment).unwrap_or_default());
    if waiting.count > 0 {
        let line = waiting.line();
        lines.push(format!("{line}: postrider outbox list shows why"));
    }
    if waiting.failed > 0 {
        let line = waiting.failed_line();
        lines.push(format!("{line}: postrider outbox list shows why"));
    }
    for (path, count) in letter_counts(settings, environment) {
        let (messages, it) = match count {
            1 => ("1 unsent message".to_owned(), "it"),
            _ => (format!("{count} unsent messages"), "them"),
        };
        let path = sanitize::path(&path);
        lines.push(format!("{messages} in {path}: postrider resend sends {it}"));
    }
    lines
}

/// Returns the dead letter files, and how many messages each has.
fn letter_counts(settings: &Settings, environment: &Environment) -> Vec<(PathBuf, usize)> {
    let journals = reading::journals(environment);
    let files = letters::files(settings, environment).into_iter();
    let counted = files.map(|path| {
        let opened = Mailbox::open_index(&path, &journals);
        let count = opened.map_or(0, |mailbox| mailbox.messages().len());
        (path, count)
    });
    counted.filter(|(_, count)| *count > 0).collect()
}

/// Puts a note into the user's own mailbox if entries are stuck or have failed: at most one an hour.
///
/// It is delivered here and not submitted, so it cannot become an entry itself. A user whose mailbox
/// we may not write to gets none.
pub(crate) fn note(around: &Surroundings<'_>, diagnostics: &Diagnostics) {
    if !around.settings.is_set("outbox-notice") {
        return;
    }
    let outboxes = Outbox::all(around).unwrap_or_default();
    // Which of the places is the first does not change with a mail.
    let Some(first) = outboxes.first() else {
        return;
    };
    // Asked first, because it costs less than counting.
    if !first.may_notice(clock::now()) {
        return;
    }
    let waiting = Waiting::of(&outboxes);
    if waiting.stuck == 0 && waiting.failed == 0 {
        return;
    }
    match first.takes_notice(waiting.stuck > 0, waiting.failed, clock::now()) {
        Ok(true) => {}
        // Without the file that says when the last one was written each mail would bring a note.
        Ok(false) | Err(_) => return,
    }
    let subject = if waiting.stuck > 0 {
        waiting.line()
    } else {
        waiting.failed_line()
    };
    let text = note_text(&waiting, &outboxes);
    let outcome = submission::note::deliver(&subject, &text, around);
    if around.settings.is_set("verbose") {
        diagnostics.say(&format!("a note about the outbox: {}", outcome.text));
    }
}

/// Returns the text of a note: what waits, why, and what to do.
fn note_text(waiting: &Waiting, outboxes: &[Outbox]) -> String {
    let now = clock::now();
    let mut text = String::new();
    if waiting.count > 0 {
        text.push_str(&format!("{}.\n", waiting.line()));
    }
    if waiting.failed > 0 {
        text.push_str(&format!("{}.\n", waiting.failed_line()));
    }
    text.push('\n');
    text.push_str(report::HEAD);
    let mut number = 0;
    for outbox in outboxes {
        let listings: [Listing; 2] = [
            outbox.list().unwrap_or_default(),
            outbox.list_failed().unwrap_or_default(),
        ];
        for listed in listings.iter().flat_map(|listing| &listing.entries) {
            number += 1;
            if number <= NOTED {
                let row = Row {
                    number,
                    place: outbox.path(),
                    listed,
                    route: None,
                };
                report::append(&mut text, &row, now);
            }
        }
    }
    if number > NOTED {
        text.push_str(&format!("and {} more\n", number - NOTED));
    }
    text.push_str(
        "\npostrider outbox list      shows all of them\n\
         postrider outbox flush     tries them now\n\
         postrider outbox drop ID   deletes one without sending it\n\
         \n\
         While this lasts there is such a note at most once an hour. To get none:\n\
         set nooutbox-notice\n",
    );
    text
}
