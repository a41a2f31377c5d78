//! A flush for people and timers: what is told of it, and its exit status.
//!
//! A person sees a line for each message that was sent or has failed, and a summary. A timer that
//! runs it each minute must not make a mail each minute: with `quiet` only that is told which a
//! person has to mend, once.

use std::collections::HashSet;

use super::unsent;
use crate::diagnostics::Diagnostics;
use crate::exit::Kind;
use crate::sanitize;
use crate::submission::Surroundings;
use crate::submission::outbox::flush::{self, Configure, Event, FlushRequest, News, Tally};
use crate::submission::outbox::route_state::{RouteState, Trouble};

/// How many recipients of a message are named before the rest is counted.
const NAMED: usize = 5;

/// How much a flush tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Telling {
    /// Only what a person has to mend (`-q`).
    Quiet,
    /// What became of each message that was tried.
    Normal,
    /// Each step (`-v`).
    Verbose,
}

/// Flushes the outboxes of the user, and tells what became of the messages.
///
/// The exit status is that of the worst message that has failed for good. If messages still wait, it
/// is 75; not if a timer asks, which asks again in a minute.
pub(crate) fn flush(
    request: &FlushRequest,
    telling: Telling,
    around: &Surroundings<'_>,
    configure: Configure<'_>,
    diagnostics: &mut Diagnostics,
) {
    let mut teller = Teller {
        telling,
        diagnostics,
        noticed: HashSet::new(),
    };
    let result = flush::flush(request, around, configure, &mut |event| teller.tell(event));
    let diagnostics = teller.diagnostics;
    // A timer runs this each minute, and mostly there is nothing to look at a second time.
    let is_idle = result.as_ref().is_ok_and(|tally| !tally.has_entries);
    match result {
        Ok(tally) => {
            if telling != Telling::Quiet {
                if !tally.is_busy || tally.all() > 0 {
                    diagnostics.print(&format!("{}\n", summary(tally)));
                }
                if tally.waiting + tally.uncertain > 0 {
                    diagnostics.note(Kind::TryLater);
                }
            }
        }
        Err(failure) => diagnostics.fail(&failure),
    }
    if !is_idle {
        unsent::note(around, diagnostics);
    }
    if let Some(signal) = around.signals.received() {
        diagnostics.note(Kind::Signal(signal));
    }
}

/// Tells the events of a flush.
struct Teller<'a> {
    telling: Telling,
    diagnostics: &'a mut Diagnostics,
    /// Each notice is told once, and not for each message.
    noticed: HashSet<String>,
}

impl Teller<'_> {
    fn tell(&mut self, event: Event) {
        let is_normal = self.telling != Telling::Quiet;
        let is_verbose = self.telling == Telling::Verbose;
        match event {
            Event::Busy(path) if is_normal => {
                let line = format!("another flush of the outbox {path} is at work");
                self.diagnostics.say(&line);
            }
            Event::Adopted(id) if is_verbose => {
                let line = format!("{id}: it is complete although its sender was killed");
                self.diagnostics.say(&line);
            }
            Event::Collected(id) if is_verbose => {
                let line = format!("{id}: taken from the drop directory");
                self.diagnostics.say(&line);
            }
            // Told once, even to a timer: what is moved away is not met again.
            Event::Rejected(notice) => self.diagnostics.say(&notice),
            Event::Torn(id, why) if is_normal => {
                self.diagnostics
                    .say(&format!("the entry {id} of the outbox {why}"));
            }
            Event::Notice(notice) if is_normal && self.noticed.insert(notice.clone()) => {
                self.diagnostics.say(&notice);
            }
            Event::NotTried(state) if is_verbose => {
                let line = format!("{} is not tried now: {}", state.route, state.told());
                self.diagnostics.say(&line);
            }
            Event::Down(state, is_new) => self.down(&state, is_new),
            Event::Up(route) if is_verbose => {
                self.diagnostics.say(&format!("{route} takes mail again"));
            }
            Event::Sent(news) if is_normal => {
                let line = format!("{}: sent to {}: {}\n", news.id, named(&news), news.text);
                let line = sanitize::message(line.trim_end());
                self.diagnostics.print(&format!("{line}\n"));
            }
            Event::Failed(news, kind) => {
                let what = format!(
                    "{}: cannot send to {}: {}",
                    news.id,
                    named(&news),
                    news.text
                );
                self.fail(kind, &what, news.hint.as_deref());
                self.diagnostics.hint(&format!(
                    "the message is kept; postrider outbox show {0} shows every reply, \
                     postrider outbox retry {0} lets it be tried once more",
                    news.id
                ));
            }
            // A person has to mend the settings.
            Event::Waits(news) if news.is_new => {
                let what = format!("{}: cannot send now: {}", news.id, news.text);
                self.fail(Kind::TryLater, &what, news.hint.as_deref());
            }
            Event::Waits(news) if is_normal => {
                let line = format!(
                    "{}: cannot send now to {}: {}",
                    news.id,
                    named(&news),
                    news.text
                );
                self.diagnostics.warn(&line, news.hint.as_deref());
            }
            Event::Uncertain(news) if is_normal => {
                let to = named(&news);
                let line = format!(
                    "{}: it is uncertain whether the message has reached {to}: {}",
                    news.id, news.text
                );
                self.diagnostics.say(&line);
            }
            Event::Fault(failure) => self.diagnostics.fail(&failure),
            _ => {}
        }
    }

    /// Tells that a route takes no mail; a login that is refused is told loudly once.
    fn down(&mut self, state: &RouteState, is_new: bool) {
        let line = format!("{}: {}", state.route, state.told());
        if is_new && state.trouble == Trouble::Login {
            let hint =
                "the messages stay in the outbox; correct the settings, or the login at the relay";
            self.fail(Kind::NoPermission, &line, Some(hint));
        } else if self.telling != Telling::Quiet {
            self.diagnostics.say(&line);
        }
    }

    fn fail(&mut self, kind: Kind, line: &str, hint: Option<&str>) {
        self.diagnostics.warn(line, hint);
        self.diagnostics.note_line(kind, line, hint);
    }
}

fn named(news: &News) -> String {
    let mut text = news
        .recipients
        .iter()
        .take(NAMED)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    if let Some(more) = news.recipients.len().checked_sub(NAMED).filter(|&n| n > 0) {
        text.push_str(&format!(" and {more} others"));
    }
    text
}

/// Returns what a flush has done, in a line.
fn summary(tally: Tally) -> String {
    let parts = [
        (tally.sent, "sent"),
        (tally.failed, "failed"),
        (tally.waiting, "waiting"),
        (tally.uncertain, "uncertain"),
        (tally.held, "held"),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if parts.is_empty() {
        return "the outbox is empty".to_owned();
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_names_what_there_is() {
        assert_eq!(summary(Tally::default()), "the outbox is empty");
        let tally = Tally {
            sent: 2,
            waiting: 10,
            held: 1,
            ..Tally::default()
        };
        assert_eq!(summary(tally), "2 sent, 10 waiting, 1 held");
    }
}
