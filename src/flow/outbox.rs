//! The outbox for people and scripts: what waits in it, one entry, and changes of entries.
//!
//! A user sees the outboxes that are the user's own, root those of root. A listing changes nothing.
//! Whatever names an entry gives those of killed senders their names first. Nothing here sends a
//! message: that is a flush.

use std::io::{self, Read};
use std::time::Duration;

use crate::diagnostics::Diagnostics;
use crate::exit::{Failure, Kind};
use crate::message::MessageSource;
use crate::report::outbox::{self as report, Row};
use crate::sanitize;
use crate::submission::outbox::route_state::{RouteState, RouteStates};
use crate::submission::outbox::{Condition, Entry, Id, Listed, Outbox, Standing};
use crate::submission::{Surroundings, identity};
use crate::sys::{clock, disk};
use crate::ui::{Display, Size, page};

/// From this age on an entry is something that monitoring should tell.
const OVERDUE: Duration = Duration::from_secs(60 * 60);

/// An entry with the outbox in which it lies.
#[derive(Clone, Debug)]
struct Found {
    /// Which of the outboxes.
    outbox: usize,
    /// Whether it lies among those that have failed.
    is_failed: bool,
    listed: Listed,
}

/// The outboxes of the user, and all that lies in them: first what may be sent, in order of
/// arrival, then what has failed.
struct Contents {
    outboxes: Vec<Outbox>,
    entries: Vec<Found>,
    /// The routes that take no mail now.
    routes: Vec<RouteState>,
    /// How many more entries there are than a list has.
    left_out: usize,
}

impl Contents {
    /// Lists the outboxes; what is wrong with a part of them is reported.
    ///
    /// # Errors
    /// An outbox cannot be opened or read.
    fn read(around: &Surroundings<'_>, diagnostics: &mut Diagnostics) -> Result<Contents, Failure> {
        let outboxes = Outbox::all(around)?;
        let mut contents = Contents {
            outboxes: Vec::new(),
            entries: Vec::new(),
            routes: Vec::new(),
            left_out: 0,
        };
        let mut failed = Vec::new();
        for (number, outbox) in outboxes.iter().enumerate() {
            let shown = sanitize::path(outbox.path());
            let states = RouteStates::of(outbox.directory());
            contents.routes.extend(states.all());
            let unreadable = |error: io::Error| {
                Failure::new(Kind::Io, format!("cannot read the outbox {shown}")).because(error)
            };
            for (into, listing, is_failed) in [
                (&mut contents.entries, outbox.list(), false),
                (&mut failed, outbox.list_failed(), true),
            ] {
                let listing = listing.map_err(unreadable)?;
                into.extend(listing.entries.into_iter().map(|listed| Found {
                    outbox: number,
                    is_failed,
                    listed,
                }));
                contents.left_out += listing.left_out;
                if listing.strange_count > 0 {
                    let names: Vec<_> = listing
                        .strange
                        .iter()
                        .map(|name| sanitize::path(name).into_owned())
                        .collect();
                    let count = listing.strange_count;
                    diagnostics.say(&format!(
                        "{shown} has {count} names that are not Postrider's: {}",
                        names.join(", ")
                    ));
                }
            }
        }
        contents
            .entries
            .sort_by(|one, other| one.listed.id.cmp(&other.listed.id));
        failed.sort_by(|one: &Found, other: &Found| one.listed.id.cmp(&other.listed.id));
        contents.entries.append(&mut failed);
        contents.outboxes = outboxes;
        Ok(contents)
    }

    fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        (0..self.entries.len()).map(|index| self.row(index))
    }

    fn row(&self, index: usize) -> Row<'_> {
        let found = &self.entries[index];
        // A receipt names the transport as well.
        let bare = |name: &str| name.strip_prefix("relay ").unwrap_or(name).to_owned();
        let route = found.listed.state.route.as_deref().map(bare);
        Row {
            number: index + 1,
            place: self.outboxes[found.outbox].path(),
            listed: &found.listed,
            route: route.and_then(|name| {
                let mut routes = self.routes.iter();
                routes.find(|state| bare(&state.route) == name)
            }),
        }
    }

    /// Finds the entry that a word names: an ID, or the beginning or the end of one; with
    /// `by_number` also a number of the list.
    ///
    /// # Errors
    /// There is no such entry (1), or there are several (64).
    fn find(&self, word: &str, by_number: bool) -> Result<usize, Failure> {
        let is = |test: &dyn Fn(&str) -> bool| -> Vec<usize> {
            let entries = self.entries.iter().enumerate();
            let found = entries.filter(|(_, found)| test(found.listed.id.as_str()));
            found.map(|(index, _)| index).collect()
        };
        let number = word.parse().ok().filter(|_| by_number && word.len() < 7);
        if let Some(index) = number.and_then(|number: usize| number.checked_sub(1))
            && index < self.entries.len()
        {
            return Ok(index);
        }
        let mut found = is(&|id| id == word);
        if found.is_empty() && !word.is_empty() {
            found = is(&|id| id.starts_with(word) || id.ends_with(word));
        }
        let shown = sanitize::line(word.as_bytes());
        match &found[..] {
            [one] => Ok(*one),
            [] => {
                let what = format!("there is no entry {shown} in the outbox");
                Err(Failure::new(Kind::Nothing, what).hint(LIST_HINT))
            }
            several => {
                let count = several.len();
                let what = format!("{shown} is the beginning or end of {count} entries");
                Err(Failure::new(Kind::Usage, what).hint("write more of the ID"))
            }
        }
    }
}

const LIST_HINT: &str = "postrider outbox list shows the entries";

/// Lists the entries; the exit status says whether there are any, and whether one is overdue.
pub(crate) fn list(as_json: bool, around: &Surroundings<'_>, diagnostics: &mut Diagnostics) {
    let contents = match Contents::read(around, diagnostics) {
        Ok(contents) => contents,
        Err(failure) => return diagnostics.fail(&failure),
    };
    let now = clock::now();
    if as_json {
        let lines: Vec<u8> = contents
            .rows()
            .flat_map(|row| report::json(&row, now))
            .collect();
        diagnostics.print_bytes(&lines);
    } else if !contents.entries.is_empty() {
        let routes = contents.routes.iter();
        let mut text: String = routes.map(|state| report::route(state, now)).collect();
        text.push_str(report::HEAD);
        for row in contents.rows() {
            report::append(&mut text, &row, now);
        }
        let bytes = contents.rows().map(|row| row.listed.size).sum();
        let oldest = contents.rows().map(|row| row.age(now)).max();
        text.push_str(&report::foot(
            contents.entries.len(),
            bytes,
            oldest.unwrap_or_default(),
        ));
        diagnostics.print(&text);
    }
    if contents.left_out > 0 {
        let count = contents.left_out;
        diagnostics.say(&format!("{count} more entries are not listed"));
    }
    let is_overdue = |row: Row<'_>| row.age(now) > OVERDUE;
    if contents.left_out > 0 || contents.rows().any(is_overdue) {
        diagnostics.note(Kind::Overdue);
    } else if !contents.entries.is_empty() {
        diagnostics.note(Kind::Waiting);
    }
}

/// Prints the entries that wait, in the form of `mailq`.
pub(crate) fn print_queue(around: &Surroundings<'_>, diagnostics: &mut Diagnostics) {
    let contents = match Contents::read(around, diagnostics) {
        Ok(contents) => contents,
        Err(failure) => return diagnostics.fail(&failure),
    };
    let mut text = String::new();
    let (mut count, mut bytes) = (0, 0);
    // What has failed is in no queue: nothing sends it.
    let queued =
        |row: &Row<'_>| !matches!(row.listed.condition, Condition::Failed | Condition::Torn(_));
    for row in contents.rows().filter(queued) {
        if text.is_empty() {
            text.push_str(report::QUEUE_HEAD);
        }
        report::append_queued(&mut text, &row);
        count += 1;
        bytes += row.listed.size;
    }
    match count {
        0 => text.push_str(report::QUEUE_EMPTY),
        _ => text.push_str(&report::queue_foot(count, bytes)),
    }
    diagnostics.print(&text);
}

/// Shows one entry: all that is known of it, and its message; or the bytes of the message.
pub(crate) fn show(
    word: &str,
    is_raw: bool,
    around: &Surroundings<'_>,
    diagnostics: &mut Diagnostics,
) {
    if let Err(failure) = show_entry(word, is_raw, around, diagnostics) {
        diagnostics.fail(&failure);
    }
}

fn show_entry(
    word: &str,
    is_raw: bool,
    around: &Surroundings<'_>,
    diagnostics: &mut Diagnostics,
) -> Result<(), Failure> {
    adopt(around);
    let contents = Contents::read(around, diagnostics)?;
    let index = contents.find(word, true)?;
    let found = &contents.entries[index];
    let row = contents.row(index);
    if !is_raw {
        diagnostics.print(&report::facts(&row, clock::now()));
    }
    // What is torn has no message that could be read; why was shown as its reason.
    if let (Condition::Torn(why), false) = (&found.listed.condition, is_raw) {
        let why = why.clone();
        return Err(Failure::new(Kind::Data, "there is no message to show").because(why));
    }
    let entry = take(&contents.outboxes[found.outbox], &found.listed)?;
    let mut bytes = Vec::new();
    let message = entry.message();
    let read = message
        .reader()
        .and_then(|mut reader| reader.read_to_end(&mut bytes));
    read.map_err(|error| {
        let what = format!("cannot read the entry {}", found.listed.id);
        Failure::new(Kind::Io, what).because(error)
    })?;
    drop(entry);
    if is_raw {
        diagnostics.print_bytes(&bytes);
        return Ok(());
    }
    let settings = around.settings;
    let display = Display::of(settings, Size::default(), || {
        identity::own_addresses(settings)
    });
    let mut text = "\n".to_owned();
    page::each(Some(index + 1), &bytes, false, &display, &mut |piece| {
        text.push_str(piece)
    });
    diagnostics.print(&text);
    Ok(())
}

/// Takes an entry under its lock.
///
/// # Errors
/// It is being sent or is gone (75), or is no sound entry (65).
fn take(outbox: &Outbox, listed: &Listed) -> Result<Entry, Failure> {
    let entry = match listed.condition {
        Condition::Failed => outbox.lock_failed(&listed.id),
        _ => outbox.lock(&listed.id),
    };
    entry?.ok_or_else(|| in_use(listed))
}

fn in_use(listed: &Listed) -> Failure {
    let what = format!("the entry {} is in use", listed.id);
    let why = "it is being sent, or was sent just now";
    Failure::new(Kind::TryLater, what).because(why)
}

/// What is done to entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryChange {
    /// They are due now.
    Retry,
    /// Nothing sends them until they are released.
    Hold,
    /// They are sent again.
    Release,
    /// They are deleted.
    Drop,
}

/// Which entries are changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// Those that these words name.
    Named(Vec<String>),
    /// All of them.
    All,
    /// Those that have failed.
    Failed,
}

/// Gives the entries whose writer was killed their names: they can be shown and changed like any other.
fn adopt(around: &Surroundings<'_>) {
    for outbox in Outbox::all(around).into_iter().flatten() {
        // Where that fails the listing says why.
        let _ = outbox.adopt();
    }
}

/// Changes entries, and prints a line for each.
pub(crate) fn change(
    change: EntryChange,
    which: &Which,
    around: &Surroundings<'_>,
    diagnostics: &mut Diagnostics,
) {
    adopt(around);
    let contents = match Contents::read(around, diagnostics) {
        Ok(contents) => contents,
        Err(failure) => return diagnostics.fail(&failure),
    };
    let chosen = match choose(&contents, which) {
        Ok(chosen) => chosen,
        // One word that names nothing may be a mistake for another: then nothing is changed.
        Err(failure) => return diagnostics.fail(&failure),
    };
    if chosen.is_empty() {
        diagnostics.note(Kind::Nothing);
    }
    let mut text = String::new();
    let mut last = None;
    for index in chosen {
        let found = &contents.entries[index];
        let outbox = &contents.outboxes[found.outbox];
        match change_one(change, outbox, found) {
            Ok(done) => {
                text.push_str(&format!("{}: {done}\n", described(&found.listed)));
                last = Some(outbox);
            }
            Err(failure) => diagnostics.fail(&failure),
        }
    }
    // What a person has deleted does not come back after a power cut.
    if let Some(outbox) = last
        && change == EntryChange::Drop
        && let Err(error) = synced(outbox)
    {
        let what = format!("cannot sync the outbox {}", sanitize::path(outbox.path()));
        diagnostics.fail(&Failure::new(Kind::Io, what).because(error));
    }
    diagnostics.print(&text);
}

fn synced(outbox: &Outbox) -> io::Result<()> {
    disk::sync_names_in(outbox.directory(), outbox.directory())
}

/// Which messages a flush tries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FlushChoice {
    /// All of them.
    All,
    /// Those that are due: a timer asks.
    Due,
    /// Those that these words name.
    Named(Vec<String>),
    /// Those whose ID contains this text.
    Id(String),
    /// Those of which a recipient contains this text.
    Recipient(String),
    /// Those whose sender contains this text.
    Sender(String),
}

impl FlushChoice {
    /// Returns whether a part of a message is what is looked for; case does not count.
    fn matches(&self, listed: &Listed) -> bool {
        let contains = |text: &str, wanted: &str| {
            let wanted = wanted.to_lowercase();
            text.to_lowercase().contains(&wanted)
        };
        match self {
            FlushChoice::Id(wanted) => contains(listed.id.as_str(), wanted),
            FlushChoice::Recipient(wanted) => listed.envelope.as_ref().is_some_and(|envelope| {
                let mut recipients = envelope.recipients.iter();
                recipients.any(|recipient| contains(recipient, wanted))
            }),
            FlushChoice::Sender(wanted) => contains(&report::sender(listed), wanted),
            FlushChoice::All | FlushChoice::Due | FlushChoice::Named(_) => false,
        }
    }
}

/// Returns the IDs of the messages that a flush is to try; `None` for all of them.
///
/// # Errors
/// A word names no message, or several, or one that has failed: nothing sends that.
pub(crate) fn chosen_ids(
    choice: &FlushChoice,
    around: &Surroundings<'_>,
    diagnostics: &mut Diagnostics,
) -> Result<Option<Vec<Id>>, Failure> {
    let words = match choice {
        FlushChoice::All | FlushChoice::Due => return Ok(None),
        FlushChoice::Named(words) => words,
        _ => {
            let contents = Contents::read(around, diagnostics)?;
            let entries = contents.entries.iter().filter(|found| !found.is_failed);
            let found = entries.filter(|found| choice.matches(&found.listed));
            return Ok(Some(found.map(|found| found.listed.id.clone()).collect()));
        }
    };
    let contents = Contents::read(around, diagnostics)?;
    let chosen = choose(&contents, &Which::Named(words.clone()))?;
    let chosen = chosen.into_iter().map(|index| &contents.entries[index]);
    let ids = chosen.map(|found| {
        if found.is_failed {
            let what = format!("the entry {} has failed", found.listed.id);
            let failure = Failure::new(Kind::Nothing, what);
            return Err(failure.hint("postrider outbox retry ID lets it be tried once more"));
        }
        Ok(found.listed.id.clone())
    });
    ids.collect::<Result<Vec<Id>, Failure>>().map(Some)
}

/// Returns the entries that are to be changed, each once.
///
/// # Errors
/// A word names no entry, or several.
fn choose(contents: &Contents, which: &Which) -> Result<Vec<usize>, Failure> {
    let all = 0..contents.entries.len();
    match which {
        Which::All => Ok(all.collect()),
        Which::Failed => Ok(all
            .filter(|&index| contents.entries[index].is_failed)
            .collect()),
        Which::Named(words) => {
            let mut chosen = Vec::new();
            for word in words {
                // A number is not taken here: by now it may be that of another entry.
                let index = contents.find(word, false)?;
                if !chosen.contains(&index) {
                    chosen.push(index);
                }
            }
            Ok(chosen)
        }
    }
}

/// Makes the messages that have failed due again, and returns their IDs; in a dry run it only names
/// them.
pub(crate) fn revive_failed(
    is_dry_run: bool,
    around: &Surroundings<'_>,
    diagnostics: &mut Diagnostics,
) -> Vec<String> {
    let contents = match Contents::read(around, diagnostics) {
        Ok(contents) => contents,
        Err(failure) => {
            diagnostics.fail(&failure);
            return Vec::new();
        }
    };
    let mut revived = Vec::new();
    // One that is torn cannot be sent; the list shows it.
    let failed = |found: &&Found| found.is_failed && found.listed.condition == Condition::Failed;
    for found in contents.entries.iter().filter(failed) {
        if is_dry_run {
            let line = format!("{}: would be tried again", described(&found.listed));
            diagnostics.say(&line);
        } else {
            let outbox = &contents.outboxes[found.outbox];
            if let Err(failure) = change_one(EntryChange::Retry, outbox, found) {
                diagnostics.fail(&failure);
                continue;
            }
        }
        revived.push(found.listed.id.to_string());
    }
    revived
}

/// Returns an entry in a line: its ID, its subject, and to whom it goes.
fn described(listed: &Listed) -> String {
    let mut text = listed.id.to_string();
    if let Some(envelope) = &listed.envelope {
        let subject = envelope.subject.as_deref().unwrap_or("(no subject)");
        let to = envelope.recipients.join(", ");
        text.push_str(&format!(" \"{subject}\" to {to}"));
    }
    sanitize::message(&text)
}

/// Changes one entry; returns what was done.
///
/// # Errors
/// It is in use (75), not sound (65), or cannot be written (74).
fn change_one(
    change: EntryChange,
    outbox: &Outbox,
    found: &Found,
) -> Result<&'static str, Failure> {
    let Found {
        is_failed, listed, ..
    } = found;
    let broken = |error: io::Error| {
        let what = format!("cannot change the entry {}", listed.id);
        Failure::new(Kind::Io, what).because(error)
    };
    if let Condition::Torn(why) = &listed.condition {
        if change != EntryChange::Drop {
            let what = format!("the entry {} cannot be sent", listed.id);
            let failure = Failure::new(Kind::Data, what).because(format!("the file {why}"));
            return Err(failure.hint("postrider outbox drop ID deletes it"));
        }
        let removed = outbox.remove_torn(&listed.id, *is_failed).map_err(broken)?;
        return if removed {
            Ok("deleted")
        } else {
            Err(in_use(listed))
        };
    }
    if change == EntryChange::Release && listed.condition != Condition::Held {
        let what = format!("the entry {} is not held", listed.id);
        return Err(Failure::new(Kind::Nothing, what));
    }
    let mut entry = take(outbox, listed)?;
    match change {
        EntryChange::Drop => {
            entry.finish().map_err(broken)?;
            return Ok("deleted");
        }
        EntryChange::Retry => {
            let state = entry.state_mut();
            state.next = None;
            state.held = None;
            // Whoever was refused is asked again: that is what the retry is for.
            for target in &mut state.targets {
                if target.standing == Standing::Refused {
                    target.standing = Standing::Waiting;
                }
            }
            if *is_failed {
                entry.revive().map_err(broken)?;
                return Ok("tried again by the next flush");
            }
            let was_uncertain = entry.is_uncertain();
            entry.save_state().map_err(broken)?;
            if was_uncertain {
                entry.back_to_queue().map_err(broken)?;
            }
            entry.make_durable().map_err(broken)?;
            return Ok(if was_uncertain {
                "sent again by the next flush, although it may have arrived"
            } else {
                "tried again by the next flush"
            });
        }
        EntryChange::Hold if *is_failed => {
            let what = format!(
                "the entry {} has failed, so nothing sends it anyway",
                listed.id
            );
            return Err(Failure::new(Kind::Nothing, what));
        }
        EntryChange::Hold => entry.state_mut().held = Some(String::new()),
        EntryChange::Release => entry.state_mut().held = None,
    }
    entry.save_state().map_err(broken)?;
    entry.make_durable().map_err(broken)?;
    Ok(match change {
        EntryChange::Hold => "held",
        _ => "released",
    })
}
