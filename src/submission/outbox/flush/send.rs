//! One try of an entry, from its lock to its fate.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::along::held_back;
use super::attempt::{self, Fate, Tried};
use super::event::{Event, News};
use super::routes::KnownRoute;
use super::trouble::shown;
use super::{Flush, arrival_of, recipients_of, way};
use crate::address::{EnvelopeAddress, ReversePath};
use crate::compose::Draft;
use crate::compose::premade::{self, Resumed};
use crate::exit::{Failure, Kind, with_causes};
use crate::message::MessageSource;
use crate::submission::dispatch::{Dispatcher, groups};
use crate::submission::in_turn::in_turn;
use crate::submission::outbox::turn::{self, Rules, Turn, seconds};
use crate::submission::outbox::{Entry, Id};
use crate::submission::outcome::outcome_of_failure;
use crate::submission::plan::{SubmissionPlan, name_of, plan};
use crate::submission::relay_list::RelayList;
use crate::submission::relay_url::RelayUrl;
use crate::submission::route::{Route, RoutedCopy};
use crate::submission::{CopyReport, Report, Surroundings, log, relay};
use crate::sys::spool::Spool;
use crate::sys::{clock, random};
use crate::transport::smtp::SubmitHooks;
use crate::transport::{Disposition, Outcome, Scope};

/// A copy of the message, and what this try has shown of it.
type Seen<'a> = (&'a RoutedCopy, Arc<Outcome>);

/// The copies that go by relays.
struct Relayed<'a> {
    relays: &'a RelayList,
    message: Spool,
    copies: &'a [&'a RoutedCopy],
    account: Option<String>,
}

impl Flush<'_> {
    /// Sends an entry to those who do not have it.
    pub(super) fn attempt(&mut self, mut entry: Entry, around: &Surroundings<'_>, rules: Rules) {
        let was_uncertain = entry.is_uncertain();
        if was_uncertain && entry.state().uncertain.is_none() {
            // Its sender was killed. When the file got this name, the dot was about to be sent.
            let since = entry.file().changed().unwrap_or_else(|_| clock::now());
            entry.state_mut().uncertain = Some(seconds(since));
            let (arrival, now) = (arrival_of(entry.id()), clock::now());
            if turn::turn(entry.state(), true, arrival, now, rules) != Turn::Now {
                self.tally.uncertain += 1;
                return self.save(&mut entry);
            }
        }
        let prepared = draft_of(&entry, around).and_then(|draft| {
            let plan = plan(&draft, around)?;
            Ok((draft, plan))
        });
        let (draft, plan) = match prepared {
            Ok(prepared) => prepared,
            Err(failure) => return self.postpone(entry, &failure, rules),
        };
        // Addresses that the settings led to then, and lead to no more, wait for nothing.
        let planned: HashSet<(&str, &str)> = plan.copies.iter().map(names_of).collect();
        entry.state_mut().targets.retain(|known| {
            known.standing.is_final() || planned.contains(&(&*known.recipient, &*known.target))
        });
        let done = entry.state().done();
        let is_open = |copy: &&RoutedCopy| {
            let (recipient, target) = names_of(copy);
            !done.has(recipient, target)
        };
        let open: Vec<RoutedCopy> = plan.copies.iter().filter(is_open).cloned().collect();
        drop(done);
        let account = entry.envelope().account.clone();
        let mut dispatcher = Dispatcher::new(&draft, &plan, around);
        let sending = Sending::new(entry, was_uncertain);
        let mut seen: Vec<Seen<'_>> = Vec::new();
        let ways = groups(&open);
        let is_divided = ways.len() > 1;
        for (route, copies) in ways {
            let outcomes = match route {
                None => copies
                    .iter()
                    .filter_map(|copy| copy.route.clone().err())
                    .collect(),
                Some(route @ Route::Relay(relays)) => {
                    let message = match dispatcher.render(Some(route)) {
                        Ok(rendered) => rendered.message,
                        Err(failure) => {
                            let outcome = Arc::new(outcome_of_failure(failure));
                            let new = copies.into_iter().map(|copy| (copy, Arc::clone(&outcome)));
                            seen.extend(new);
                            continue;
                        }
                    };
                    let relayed = Relayed {
                        relays,
                        message,
                        copies: &copies,
                        account: account.clone(),
                    };
                    match self.by_relays(&relayed, &sending, &dispatcher) {
                        Some(outcomes) => outcomes,
                        // No route takes mail now.
                        None => continue,
                    }
                }
                Some(route) => dispatcher.submit(route, &copies),
            };
            let new: Vec<Seen<'_>> = copies.into_iter().zip(outcomes).collect();
            sending.note(&new);
            if is_divided {
                // What one way has done must be known if we are killed on the next one.
                self.save(&mut sending.entry.borrow_mut());
            }
            seen.extend(new);
        }
        for notice in dispatcher.notices.take() {
            (self.tell)(Event::Notice(notice));
        }
        self.log(&draft, &plan, &seen, around);
        self.conclude(sending, &seen, open.is_empty(), rules);
    }

    /// Takes the message to the first relay that takes it; `None` where no route takes mail in this
    /// flush.
    fn by_relays(
        &mut self,
        relayed: &Relayed<'_>,
        sending: &Sending,
        dispatcher: &Dispatcher<'_>,
    ) -> Option<Vec<Arc<Outcome>>> {
        let mut is_tried = false;
        let submit = |url: &Arc<RelayUrl>, recipients: &[EnvelopeAddress]| match self
            .by_relay(url, recipients, relayed, sending, dispatcher)
        {
            Ok(outcomes) => {
                is_tried = true;
                outcomes
            }
            Err(closed) => vec![closed; recipients.len()],
        };
        let signals = dispatcher.around.signals;
        let goes_on = |_: &RelayUrl| signals.received().is_none();
        let targets: Vec<EnvelopeAddress> = relayed
            .copies
            .iter()
            .map(|copy| copy.target.clone())
            .collect();
        let outcomes = in_turn(relayed.relays, &targets, submit, goes_on);
        is_tried.then(|| outcomes.into_iter().map(Arc::new).collect())
    }

    /// Takes the message to one relay.
    ///
    /// # Errors
    /// The outcome where its route takes no mail in this flush.
    fn by_relay(
        &mut self,
        url: &Arc<RelayUrl>,
        recipients: &[EnvelopeAddress],
        relayed: &Relayed<'_>,
        sending: &Sending,
        dispatcher: &Dispatcher<'_>,
    ) -> Result<Vec<Outcome>, Outcome> {
        let around = dispatcher.around;
        let way = way(url, relayed.account.clone(), around.settings);
        let is_open = self.open(url, relayed.account.clone(), around);
        if is_open {
            self.pause(around);
        }
        let is_over = self.is_over();
        let left = self.end.saturating_duration_since(Instant::now());
        let known = self.routes.get(&way);
        let channel = match known {
            Some(KnownRoute {
                channel: Some(channel),
                ..
            }) if !is_over => channel,
            Some(KnownRoute {
                state: Some(state), ..
            }) if !is_over => return Err(held_back(state)),
            _ => {
                let text = "the flush has ended before it was the turn of this message";
                let later = Disposition::TryLater(Kind::TryLater);
                return Err(Outcome::new(later, text).scope(Scope::Route));
            }
        };
        channel.set_timeouts(relay::timeouts_of_flush(around.settings, left));
        let hooks = Hooks {
            sending,
            copies: relayed.copies,
        };
        let envelope = dispatcher.envelope(recipients);
        let raised = around.signals.raised();
        let began = clock::now();
        let outcomes = channel.submit(&envelope, &relayed.message, &hooks, &raised);
        self.last_sent = Some(Instant::now());
        self.most = self.most.saturating_sub(1);
        let outcomes = dispatcher.judged(outcomes);
        // A signal has ended the try, and not the relay.
        if around.signals.received().is_none() {
            self.noted(&way, &shown(outcomes.iter()), began);
        }
        Ok(outcomes)
    }

    /// Waits as long as `outbox-rate` says, or until a signal.
    fn pause(&self, around: &Surroundings<'_>) {
        let rate = around.settings.number("outbox-rate").unwrap_or(0);
        let (Some(last), Some(rate)) = (self.last_sent, u32::try_from(rate).ok()) else {
            return;
        };
        let Some(pause) = Duration::from_secs(60).checked_div(rate) else {
            return;
        };
        let until = (last + pause).min(self.end);
        while Instant::now() < until && around.signals.received().is_none() {
            // A child that ended rings, too.
            if around.signals.wait(None, Some(until)).is_err() {
                return;
            }
        }
    }

    /// Writes the log's lines about this try.
    fn log(
        &mut self,
        draft: &Draft,
        plan: &SubmissionPlan,
        seen: &[Seen<'_>],
        around: &Surroundings<'_>,
    ) {
        let entries = seen.iter().map(|(copy, outcome)| CopyReport {
            recipient: copy.recipient.shared(),
            target: copy.target.shared(),
            route: way_of(copy).into(),
            reason: copy.reason.clone(),
            outcome: Arc::clone(outcome),
            outbox: None,
        });
        let report = Report {
            message_id: draft.message_id.clone(),
            sender: plan.sender(draft),
            entries: entries.collect(),
            rewritings: plan.rewritings().to_vec(),
            ..Report::default()
        };
        if let Some(notice) = log::write(&report, around.settings, around.environment) {
            (self.tell)(Event::Notice(notice));
        }
    }

    /// Ends the try: the entry goes, waits, or is put away. `is_empty` says that there was nobody to
    /// send it to.
    fn conclude(&mut self, sending: Sending, seen: &[Seen<'_>], is_empty: bool, rules: Rules) {
        let (was_uncertain, resent) = (sending.was_uncertain, sending.resent);
        let mut entry = sending.entry.into_inner();
        let is_interrupted = self.base.signals.received().is_some();
        let tried: Vec<Tried<'_>> = seen.iter().map(tried).collect();
        let arrival = arrival_of(entry.id());
        let now = clock::now();
        let fate = attempt::fate(entry.state(), &entry.envelope().recipients, &tried);
        if seen.is_empty() && fate == Fate::Waits {
            // Its route is closed. Or nobody is left to whom it could go; that may last.
            if is_empty && turn::is_expired(arrival, now, rules.lifetime) {
                let news = expired(News::of(&entry, seen), rules);
                return self.put_away(entry, news, Kind::Unavailable);
            }
            return self.count(was_uncertain);
        }
        let next = attempt::next(entry.state(), &tried, arrival, now, random::number());
        let state = entry.state_mut();
        if !seen.is_empty() {
            state.attempts += 1;
            state.first = state.first.or(Some(seconds(now)));
            state.last = Some(seconds(now));
            state.route = seen.first().map(|(copy, _)| way_of(copy));
        }
        state.next = next.filter(|_| !is_interrupted);
        let news = News::of(&entry, seen);
        match fate {
            Fate::Sent => match entry.finish() {
                Ok(()) => {
                    // Of those that were sent one may come back after a power cut, and not all.
                    let _ = self.outbox.directory().sync_all();
                    self.tally.sent += 1;
                    (self.tell)(Event::Sent(news));
                }
                Err(error) => self.fault("cannot remove the sent message", &news.id, error),
            },
            Fate::Failed => self.put_away(entry, news, worst(seen)),
            Fate::GivenUp if was_uncertain => {
                self.put_away(entry, uncertain_twice(news), Kind::Unavailable);
            }
            Fate::GivenUp => self.put_away(entry, news, Kind::Unavailable),
            Fate::Uncertain => {
                let is_again = tried.iter().any(Tried::is_uncertain);
                let state = entry.state_mut();
                if is_again {
                    state.uncertain = Some(seconds(now));
                } else {
                    // No dot of this try is open, so it was none.
                    state.resent = resent;
                }
                self.save(&mut entry);
                self.tally.uncertain += 1;
                if let Err(error) = entry.leave_uncertain() {
                    self.fault("cannot rename the message", &news.id, error);
                }
                (self.tell)(Event::Uncertain(news));
            }
            Fate::Waits if turn::is_expired(arrival, now, rules.lifetime) && !is_interrupted => {
                self.put_away(entry, expired(news, rules), Kind::Unavailable);
            }
            Fate::Waits => {
                // The state goes first: killed between the two, the entry is uncertain and waits,
                // and those who have it do not get it at once again.
                let saved = entry.save_state();
                let has_any = entry
                    .state()
                    .targets
                    .iter()
                    .any(|to| to.standing.is_final());
                self.tally.waiting += 1;
                let renamed = match &saved {
                    Err(_) if has_any => entry.leave_uncertain(),
                    _ => entry.back_to_queue(),
                };
                for result in [saved, renamed] {
                    if let Err(error) = result {
                        self.fault(
                            "cannot write down the state of the message",
                            &news.id,
                            error,
                        );
                    }
                }
                (self.tell)(Event::Waits(news));
            }
        }
    }

    /// Notes that no way can be looked for, once.
    pub(super) fn postpone(&mut self, mut entry: Entry, failure: &Failure, rules: Rules) {
        let text = with_causes(failure);
        let is_new = entry.state().reason.as_deref() != Some(text.as_str());
        let news = News {
            id: entry.id().clone(),
            recipients: entry.envelope().recipients.clone(),
            text: text.clone(),
            hint: failure.hint.clone(),
            is_new: is_new && !failure.kind.may_pass(),
        };
        let now = clock::now();
        entry.state_mut().reason = Some(text.clone());
        if turn::is_expired(arrival_of(entry.id()), now, rules.lifetime) {
            return self.put_away(entry, expired(news, rules), failure.kind);
        }
        if is_new {
            entry.state_mut().note_reply(seconds(now), "", &text);
            self.save(&mut entry);
        }
        self.count(entry.is_uncertain());
        (self.tell)(Event::Waits(news));
    }

    /// Puts an entry away that nothing sends by itself any more.
    pub(super) fn give_up(&mut self, id: &Id, rules: Rules) {
        let entry = match self.outbox.lock(id) {
            Ok(Some(entry)) => entry,
            Ok(None) => return,
            Err(failure) => return self.unsound(id, failure),
        };
        let news = News::of(&entry, &[]);
        let news = if entry.state().resent > 0 && entry.is_uncertain() {
            uncertain_twice(news)
        } else {
            expired(news, rules)
        };
        self.put_away(entry, news, Kind::Unavailable);
    }

    fn put_away(&mut self, mut entry: Entry, news: News, kind: Kind) {
        entry.state_mut().next = None;
        entry.state_mut().reason = Some(news.text.clone());
        match entry.fail() {
            Ok(()) => {
                self.tally.failed += 1;
                (self.tell)(Event::Failed(news, kind));
            }
            Err(error) => self.fault("cannot put the message away", &news.id, error),
        }
    }

    fn save(&mut self, entry: &mut Entry) {
        if let Err(error) = entry.save_state() {
            let id = entry.id().clone();
            self.fault("cannot write down the state of the message", &id, error);
        }
    }

    pub(super) fn fault(&mut self, what: &str, id: &Id, error: io::Error) {
        let what = format!("{what} {id} of the outbox");
        (self.tell)(Event::Fault(Failure::new(Kind::Io, what).because(error)));
    }
}

impl News {
    /// Returns the news of an entry: the first reply that is no success, else that of the success.
    fn of(entry: &Entry, seen: &[Seen<'_>]) -> News {
        let bad = seen.iter().find(|(_, outcome)| !outcome.is_accepted());
        let told = bad.or(seen.first()).map(|(_, outcome)| outcome);
        let about = |copy: &Seen<'_>| copy.1.is_accepted() == bad.is_none();
        let targets = seen.iter().filter(|copy| about(copy));
        let mut recipients: Vec<String> =
            targets.map(|(copy, _)| copy.target.to_string()).collect();
        if recipients.is_empty() {
            recipients.clone_from(&entry.envelope().recipients);
        }
        let text = told.map(|outcome| outcome.text.clone());
        News {
            id: entry.id().clone(),
            recipients,
            text: text
                .or_else(|| entry.state().reason.clone())
                .unwrap_or_default(),
            hint: told.and_then(|outcome| outcome.hint.clone()),
            // Where no way is found, this try is the first to find none (`has_way`).
            is_new: bad.is_some_and(|(copy, _)| copy.route.is_err()),
        }
    }
}

fn expired(news: News, rules: Rules) -> News {
    let days = rules.lifetime.as_secs() / 86_400;
    let time = match days {
        0 => format!("{} s", rules.lifetime.as_secs()),
        1 => "a day".to_owned(),
        days => format!("{days} days"),
    };
    let mut text = format!("not accepted within {time}");
    if !news.text.is_empty() {
        text = format!("{text}: {}", news.text);
    }
    News { text, ..news }
}

fn uncertain_twice(news: News) -> News {
    let text =
        "it was sent twice, and both times it is uncertain whether it has arrived".to_owned();
    News { text, ..news }
}

/// Returns the worst failure of those who do not get the message.
fn worst(seen: &[Seen<'_>]) -> Kind {
    let kinds = seen.iter().filter_map(|(_, outcome)| outcome.kind());
    kinds.min().unwrap_or(Kind::Unavailable)
}

fn names_of(copy: &RoutedCopy) -> (&str, &str) {
    (copy.recipient.as_str(), copy.target.as_str())
}

fn way_of(copy: &RoutedCopy) -> String {
    copy.route.as_deref().map_or("none".to_owned(), name_of)
}

fn tried<'a>((copy, outcome): &'a Seen<'_>) -> Tried<'a> {
    Tried {
        recipient: copy.recipient.as_str(),
        target: copy.target.as_str(),
        route: copy.route.as_deref().ok(),
        outcome,
    }
}

/// Makes the draft of an entry again.
fn draft_of(entry: &Entry, around: &Surroundings<'_>) -> Result<Draft, Failure> {
    let what = || format!("cannot read the message {} of the outbox", entry.id());
    let unread = |error: io::Error| Failure::new(Kind::Io, what()).because(error);
    let envelope = entry.envelope();
    let message = entry.message();
    let source = Spool::read_from(&mut message.reader().map_err(unread)?).map_err(unread)?;
    let sender = match envelope.sender.as_deref() {
        None => None,
        Some("") => Some(ReversePath::Null),
        Some(address) => {
            let address = EnvelopeAddress::new(address)
                .map_err(|error| Failure::new(Kind::Data, what()).because(error))?;
            Some(ReversePath::Address(address))
        }
    };
    let resumed = Resumed {
        recipients: recipients_of(envelope).collect(),
        sender,
        full_name: envelope.full_name.clone(),
        // Through the sendmail face, or left by another user for root.
        is_finished: envelope.face != "mailx" && envelope.face != "postrider",
        login: envelope.login_name(),
        repeated: entry.state().repeated,
    };
    let composed = premade::resume(resumed, source, around.settings, around.environment);
    let composed = composed.map_err(unread)?;
    // A variable that holds no address, for instance.
    match composed.failures.into_iter().next() {
        Some(failure) => Err(failure),
        None => Ok(composed.draft),
    }
}

/// An entry while it is sent.
struct Sending {
    entry: RefCell<Entry>,
    was_uncertain: bool,
    /// How often it was sent again before this try.
    resent: u64,
}

impl Sending {
    fn new(entry: Entry, was_uncertain: bool) -> Sending {
        Sending {
            resent: entry.state().resent,
            entry: RefCell::new(entry),
            was_uncertain,
        }
    }

    fn note(&self, seen: &[Seen<'_>]) {
        let tried: Vec<Tried<'_>> = seen.iter().map(tried).collect();
        let mut entry = self.entry.borrow_mut();
        let now = seconds(clock::now());
        attempt::note(entry.state_mut(), &tried, self.was_uncertain, now);
    }
}

/// What is written down while the relay works.
struct Hooks<'a> {
    sending: &'a Sending,
    copies: &'a [&'a RoutedCopy],
}

impl SubmitHooks for Hooks<'_> {
    fn before_dot(&self, _: &[EnvelopeAddress]) -> io::Result<()> {
        let mut entry = self.sending.entry.borrow_mut();
        if self.sending.was_uncertain && entry.state().resent == self.sending.resent {
            // Before the dot: who finds it after our death must not send it a third time.
            entry.state_mut().resent += 1;
            entry.save_state()?;
        }
        entry.file().about_to_dot()
    }

    fn settled(&self, outcomes: &[(EnvelopeAddress, Outcome)]) {
        let outcomes: HashMap<&str, Arc<Outcome>> = outcomes
            .iter()
            .map(|(target, outcome)| (target.as_str(), Arc::new(outcome.clone())))
            .collect();
        let copies = self.copies.iter();
        let seen: Vec<Seen<'_>> = copies
            .filter_map(|copy| Some((*copy, Arc::clone(outcomes.get(copy.target.as_str())?))))
            .collect();
        self.sending.note(&seen);
        let mut entry = self.sending.entry.borrow_mut();
        // Where that fails, a kill in the next transaction makes all of it uncertain.
        let is_saved = entry.save_state().is_ok();
        // What an earlier sender has left open stays so.
        if is_saved && !self.sending.was_uncertain {
            let _ = entry.back_to_queue();
        }
    }
}
