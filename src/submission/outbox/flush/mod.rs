//! A flush: the entries that are due go to their next hops, in order of arrival.
//!
//! Each entry is planned anew with the settings of now, so a repaired configuration takes the
//! waiting mail along. A route is opened by the oldest entry that is due, keeps one connection for
//! all of them, and is closed for the rest of the flush at its first trouble: a relay that is down
//! costs one connection, however many entries wait.
//!
//! - `attempt`: what the outcomes of one try mean for an entry; `send`: the try
//! - `along`: what a mail that is sent does for its route, and for those that wait for it
//! - `collect`: what users have left in the drop directory comes first, where root flushes
//! - `event`: what it tells while it works
//! - `routes`: the routes of this flush and their connections
//! - `trouble`: what the outcomes of a message say of its route

pub(crate) mod along;
mod attempt;
mod collect;
mod event;
mod routes;
mod send;
pub(crate) mod trouble;

use std::collections::HashMap;
use std::fs;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub(crate) use self::event::{Event, News};
use self::routes::{Change, Routes, Way};
use self::trouble::Shown;
use super::route_state::{RouteKey, RouteStates};
use super::turn::{self, Asked, Rules, Turn};
use super::{Condition, EntryEnvelope, Id, Listed, Outbox, schedule};
use crate::address::EnvelopeAddress;
use crate::compose::Draft;
use crate::config::variables::{ROWS, ValueKind};
use crate::config::{Origin, Settings, file_name};
use crate::exit::{Failure, Kind, with_causes};
use crate::sanitize;
use crate::submission::plan::{SubmissionPlan, plan};
use crate::submission::relay_url::RelayUrl;
use crate::submission::route::{Route, RoutedCopy};
use crate::submission::{Surroundings, relay};
use crate::sys::clock;
use crate::transport::smtp::SmtpChannel;

/// No message is begun later than this after the start.
const LONGEST_RUN: Duration = Duration::from_secs(10 * 60);

/// What a flush is to do.
#[derive(Clone, Debug, Default)]
pub(crate) struct FlushRequest {
    /// The entries; all of them if there is none.
    pub(crate) ids: Vec<Id>,
    /// Whether a timer asks: only what is due is tried.
    pub(crate) is_scheduled: bool,
}

/// Reads the settings as they are now for an account.
pub(crate) type Configure<'a> = &'a dyn Fn(Option<&str>) -> Result<Settings, Failure>;

/// What a flush has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// How many entries were sent.
    pub(crate) sent: usize,
    /// How many were put away for good.
    pub(crate) failed: usize,
    /// How many wait.
    pub(crate) waiting: usize,
    /// How many a person holds.
    pub(crate) held: usize,
    /// How many may have arrived and wait for that.
    pub(crate) uncertain: usize,
    /// Whether another flusher was at work.
    pub(crate) is_busy: bool,
    /// Whether there was anything in the outboxes, failed messages included.
    pub(crate) has_entries: bool,
}

impl Tally {
    /// Returns how many entries were met.
    pub(crate) fn all(self) -> usize {
        self.sent + self.failed + self.waiting + self.held + self.uncertain
    }
}

/// Flushes the outboxes of the user.
///
/// # Errors
/// When an outbox is there and cannot be opened.
pub(crate) fn flush(
    request: &FlushRequest,
    base: &Surroundings<'_>,
    configure: Configure<'_>,
    tell: &mut dyn FnMut(Event),
) -> Result<Tally, Failure> {
    let mut tally = Tally::default();
    let start = Instant::now();
    if request.ids.is_empty() {
        collect::collect(base, tell)?;
    }
    for outbox in Outbox::all(base)? {
        let unread = |error: io::Error| {
            let path = sanitize::path(outbox.path());
            Failure::new(Kind::Io, format!("cannot read the outbox {path}")).because(error)
        };
        if outbox.is_empty().map_err(unread)? {
            tally.has_entries |= outbox.failed().is_some();
            continue;
        }
        tally.has_entries = true;
        let Some(_lock) = outbox.lock_flusher().map_err(unread)? else {
            tally.is_busy = true;
            tell(Event::Busy(sanitize::path(outbox.path()).into_owned()));
            continue;
        };
        let mut run = Flush::new(&outbox, base, configure, tell, start + LONGEST_RUN);
        run.asked = match (request.is_scheduled, request.ids.is_empty()) {
            (true, _) => Asked::Due,
            (false, true) => Asked::All,
            (false, false) => Asked::This,
        };
        run.all(&request.ids).map_err(unread)?;
        let more = run.tally;
        tally.sent += more.sent;
        tally.failed += more.failed;
        tally.waiting += more.waiting;
        tally.held += more.held;
        tally.uncertain += more.uncertain;
    }
    Ok(tally)
}

/// The settings of an account, or why they cannot be read.
type Configured = Result<Rc<Settings>, Rc<Failure>>;

/// A flush of one outbox.
struct Flush<'a> {
    outbox: &'a Outbox,
    base: &'a Surroundings<'a>,
    configure: Configure<'a>,
    tell: &'a mut dyn FnMut(Event),
    asked: Asked,
    /// No message is begun later.
    end: Instant,
    /// At most so many messages go by a relay.
    most: usize,
    /// Whether only routes are used that are open from the start.
    is_confined: bool,
    routes: Routes<'a>,
    configured: HashMap<(Option<String>, Option<String>), Configured>,
    /// Whether an entry waits that somebody may still look for.
    has_young: bool,
    /// When the last message went to a relay.
    last_sent: Option<Instant>,
    tally: Tally,
}

impl<'a> Flush<'a> {
    fn new(
        outbox: &'a Outbox,
        base: &'a Surroundings<'a>,
        configure: Configure<'a>,
        tell: &'a mut dyn FnMut(Event),
        end: Instant,
    ) -> Flush<'a> {
        Flush {
            outbox,
            base,
            configure,
            tell,
            asked: Asked::Due,
            end,
            most: usize::MAX,
            is_confined: false,
            routes: Routes::new(RouteStates::of(outbox.directory())),
            configured: HashMap::new(),
            has_young: false,
            last_sent: None,
            tally: Tally::default(),
        }
    }

    /// Tries all entries that are due, or those that are named.
    fn all(&mut self, ids: &[Id]) -> io::Result<()> {
        for id in self.outbox.adopt()? {
            (self.tell)(Event::Adopted(id));
        }
        RouteStates::of(self.outbox.directory()).sweep(clock::now());
        self.outbox.sweep()?;
        let listing = self.outbox.list()?;
        let now = clock::now();
        self.has_young = listing
            .entries
            .iter()
            .any(|listed| schedule::age(arrival_of(&listed.id), now) < schedule::YOUNG);
        for listed in listing.entries {
            if ids.is_empty() || ids.contains(&listed.id) {
                self.listed(&listed);
            }
        }
        Ok(())
    }

    /// Returns whether nothing more is begun.
    fn is_over(&self) -> bool {
        self.most == 0 || self.base.signals.received().is_some() || Instant::now() >= self.end
    }

    /// Takes one entry of the listing.
    fn listed(&mut self, listed: &Listed) {
        let is_dot = match &listed.condition {
            Condition::Torn(why) => {
                return (self.tell)(Event::Torn(listed.id.clone(), why.clone()));
            }
            Condition::Waiting | Condition::Held => false,
            Condition::Uncertain => true,
            // Somebody else sends it, and counts it.
            Condition::Sending | Condition::New | Condition::Failed => return,
        };
        let Some(envelope) = &listed.envelope else {
            return;
        };
        if self.is_over() {
            return self.count(is_dot);
        }
        let settings = match self.settings(envelope) {
            Ok(settings) => settings,
            Err(failure) => {
                let rules = self.rules(self.base.settings);
                return self.unplanned(listed, is_dot, &failure, rules);
            }
        };
        let rules = self.rules(&settings);
        let now = clock::now();
        match turn::turn(&listed.state, is_dot, arrival_of(&listed.id), now, rules) {
            Turn::Now => {}
            Turn::Later => return self.count(is_dot),
            Turn::Held => return self.tally.held += 1,
            Turn::Uncertain => return self.tally.uncertain += 1,
            Turn::GiveUp => return self.give_up(&listed.id, rules),
        }
        let around = Surroundings {
            settings: &settings,
            environment: self.base.environment,
            signals: self.base.signals,
            observer: Arc::clone(&self.base.observer),
            terminal: false,
        };
        // With the recipients alone: the message need not be read where its route takes no mail.
        let draft = Draft {
            bcc: recipients_of(envelope).map(Into::into).collect(),
            ..Draft::default()
        };
        let plan = match plan(&draft, &around) {
            Ok(plan) => plan,
            Err(failure) => return self.unplanned(listed, is_dot, &failure, rules),
        };
        if !self.has_way(&plan, listed, &around) {
            return self.blocked(listed, is_dot, &plan, rules);
        }
        match self.outbox.lock(&listed.id) {
            Ok(Some(entry)) => self.attempt(entry, &around, rules),
            // Somebody else has it, or it is gone.
            Ok(None) => {}
            Err(failure) => self.unsound(&listed.id, failure),
        }
    }

    fn count(&mut self, is_dot: bool) {
        if is_dot {
            self.tally.uncertain += 1;
        } else {
            self.tally.waiting += 1;
        }
    }

    fn rules(&self, settings: &Settings) -> Rules {
        Rules {
            resend: settings.is_set("resend-uncertain"),
            // The table has a default.
            lifetime: settings
                .duration("outbox-lifetime")
                .unwrap_or(Duration::MAX),
            asked: self.asked,
        }
    }

    /// Returns the settings of now for an entry.
    fn settings(&mut self, envelope: &EntryEnvelope) -> Configured {
        let key = (envelope.account.clone(), envelope.route.clone());
        if let Some(known) = self.configured.get(&key) {
            return known.clone();
        }
        let configured = (self.configure)(key.0.as_deref()).map(|mut settings| {
            if let Some(route) = &key.1 {
                // The command line that named it is gone, and so is the password that may have
                // stood in it.
                let origin = Origin::Option("the route of the message".to_owned());
                settings.set("mta", route, origin);
            }
            Rc::new(settings)
        });
        let configured = configured.map_err(Rc::new);
        self.configured.insert(key, configured.clone());
        configured
    }

    /// Returns whether a copy that is still to be sent can go now; opens the routes on the way.
    fn has_way(
        &mut self,
        plan: &SubmissionPlan,
        listed: &Listed,
        around: &Surroundings<'_>,
    ) -> bool {
        let done = listed.state.done();
        let is_open = |copy: &&RoutedCopy| !done.has(copy.recipient.as_str(), copy.target.as_str());
        let (mut is_any_open, mut has_way) = (false, false);
        for copy in plan.copies.iter().filter(is_open) {
            is_any_open = true;
            has_way |= match copy.route.as_deref() {
                Ok(Route::Relay(relays)) => {
                    let mut relays = relays.iter();
                    relays.any(|url| self.open(url, account_of(listed), around))
                }
                _ if self.is_confined => false,
                Ok(_) => true,
                // That there is no way is noted once.
                Err(outcome) => listed.state.reason.as_deref() != Some(outcome.text.as_str()),
            };
        }
        // Where nothing is left to be sent the entry has its end.
        has_way || !is_any_open
    }

    /// Returns whether a route takes mail in this flush; opens it when it is met first.
    fn open(&mut self, url: &RelayUrl, account: Option<String>, around: &Surroundings<'_>) -> bool {
        let way = way(url, account, around.settings);
        if let Some(known) = self.routes.get(&way) {
            return known.channel.is_some();
        }
        if self.is_confined {
            return false;
        }
        let now = clock::now();
        let state = self.routes.state(&way.0);
        if let Some(state) = &state
            && self.asked == Asked::Due
            && !state.may_try(now, self.has_young, changed_at(around))
        {
            (self.tell)(Event::NotTried(state.clone()));
            self.routes.insert(way, url, Some(state.clone()), None);
            return false;
        }
        match relay::build(url, around) {
            Ok(relay) => {
                let channel = SmtpChannel::new(relay, Arc::clone(&around.observer));
                self.routes.insert(way, url, state, Some(channel));
                true
            }
            Err(failure) => {
                self.routes.insert(way.clone(), url, state, None);
                let trouble = trouble::of_kind(failure.kind);
                self.noted(&way, &Shown::Trouble(trouble, with_causes(&failure)), now);
                false
            }
        }
    }

    /// Notes what was seen of a route, and tells what is new.
    fn noted(&mut self, way: &Way, shown: &Shown, began: SystemTime) {
        let change = self.routes.note(way, shown, began);
        let Some(route) = self.routes.get(way) else {
            return;
        };
        match (change, &route.state) {
            (Change::Closed { is_new }, Some(state)) => {
                (self.tell)(Event::Down(state.clone(), is_new));
            }
            (Change::Opened, _) => (self.tell)(Event::Up(route.name.clone())),
            _ => {}
        }
    }

    /// Leaves an entry that has no plan: the settings are wrong, or a look-up has failed.
    fn unplanned(&mut self, listed: &Listed, is_dot: bool, failure: &Failure, rules: Rules) {
        let is_known = listed.state.reason.as_deref() == Some(with_causes(failure).as_str());
        let is_expired = turn::is_expired(arrival_of(&listed.id), clock::now(), rules.lifetime);
        if is_known && !is_expired {
            return self.count(is_dot);
        }
        match self.outbox.lock(&listed.id) {
            Ok(Some(entry)) => self.postpone(entry, failure, rules),
            Ok(None) => {}
            Err(failure) => self.unsound(&listed.id, failure),
        }
    }

    /// Tells of an entry that cannot be taken; one that is damaged is put away, so that this is told
    /// once.
    pub(super) fn unsound(&mut self, id: &Id, failure: Failure) {
        match self.outbox.put_damaged_away(id) {
            Ok(true) => self.tally.failed += 1,
            Ok(false) => {}
            Err(error) => self.fault("cannot put the message away", id, error),
        }
        (self.tell)(Event::Fault(failure));
    }

    /// Leaves an entry whose routes are closed.
    fn blocked(&mut self, listed: &Listed, is_dot: bool, plan: &SubmissionPlan, rules: Rules) {
        // It may be given up where another entry has just tried its route, and not for a route
        // that was not asked.
        let was_tried = plan.copies.iter().any(|copy| match copy.route.as_deref() {
            Ok(Route::Relay(relays)) => {
                let account = account_of(listed);
                let mut relays = relays.iter();
                relays.any(|url| self.routes.was_tried(url, account.as_deref()))
            }
            _ => true,
        });
        if was_tried && turn::is_expired(arrival_of(&listed.id), clock::now(), rules.lifetime) {
            return self.give_up(&listed.id, rules);
        }
        self.count(is_dot);
    }
}

fn account_of(listed: &Listed) -> Option<String> {
    listed.envelope.as_ref()?.account.clone()
}

fn way(url: &RelayUrl, account: Option<String>, settings: &Settings) -> Way {
    (RouteKey::of(url, settings.text("smtp-auth-user")), account)
}

fn arrival_of(id: &Id) -> SystemTime {
    UNIX_EPOCH + id.arrival()
}

/// Returns the recipients of an entry. They were addresses when it was written.
fn recipients_of(envelope: &EntryEnvelope) -> impl Iterator<Item = EnvelopeAddress> {
    let names = envelope.recipients.iter();
    names.filter_map(|name| EnvelopeAddress::new(name).ok())
}

/// Returns when the configuration was changed last: its files, and those that it names for the
/// relay, such as the file of the password.
pub(crate) fn changed_at(around: &Surroundings<'_>) -> Option<SystemTime> {
    let settings = around.settings;
    let home = around.environment.home_directory();
    let origins = settings
        .changed()
        .filter_map(|(name, _)| match settings.origin(name) {
            Origin::File { path, .. } => Some(path),
            _ => None,
        });
    let is_of_relay = |name: &str| {
        name == "password-file" || name.starts_with("tls-") || name.starts_with("oauth-")
    };
    let named = ROWS
        .iter()
        .filter(|row| matches!(row.kind, ValueKind::Path) && is_of_relay(row.name))
        .filter_map(|row| settings.path(row.name))
        .filter_map(|name| file_name::of_setting(name, settings, home.as_deref()).ok());
    let mut paths: Vec<_> = origins.chain(named).collect();
    paths.sort_unstable();
    paths.dedup();
    paths
        .iter()
        .filter_map(|path| fs::metadata(path).ok()?.modified().ok())
        .max()
}
