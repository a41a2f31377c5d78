//! The outbox on a mail's way out: a message has an entry before a relay is waited for, and what was
//! not accepted has one before anybody is told so.
//!
//! The order is what holds the promises. Before the wait: the entry is written whole, so that no
//! kill loses it; nothing is synced, for most messages are accepted and removed at once. Behind it:
//! the state, the name, and a sync of all, and only then the ID is handed on to be printed.

mod hooks;
mod unplanned;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;

use super::outbox::dropped::DropDirectory;
use super::outbox::flush::trouble::trouble_of;
use super::outbox::{
    self, Entry, EntryEnvelope, Limits, Outbox, SUBJECT, Standing, TargetState, merge_key,
};
use super::report::{CopyReport, Dropped, Queued};
use super::{Kept, Surroundings};
use crate::compose::Draft;
use crate::compose::render::{Rendered, neutral_header};
use crate::config::Origin;
use crate::exit::{self, Kind};
use crate::message::parse::words;
use crate::submission::mta::Mta;
use crate::submission::route::{Route, RoutedCopy};
use crate::sys::{clock, user};
use crate::transport::{Disposition, Outcome, Scope};

pub(super) use hooks::EntryHooks;
pub(super) use unplanned::enter_unplanned;

/// How long a message waits after its first try.
const FIRST_WAIT: u64 = 60;

/// How long an uncertain message waits until it is sent once more: the relay has the time to fail
/// visibly.
pub(super) const UNCERTAIN_WAIT: u64 = 15 * 60;

/// The outbox, for one draft.
pub(super) struct Queue<'a> {
    draft: &'a Draft,
    around: &'a Surroundings<'a>,
    /// Opened when the first copy needs it; `None` where it is off or cannot be used.
    outbox: OnceCell<Option<Outbox>>,
    /// The entry that keeps a target.
    kept: RefCell<HashMap<Arc<str>, Arc<str>>>,
    queued: RefCell<Vec<Queued>>,
    /// Why the outbox did not take something.
    reasons: RefCell<Vec<String>>,
    /// What the user must know although the message was sent.
    notices: RefCell<Vec<String>>,
    /// Entries that could not be made safe: they are removed when the text is kept elsewhere.
    unsafe_entries: RefCell<Vec<Entry>>,
    /// Whether other messages waited when the last entry was written.
    has_company: Cell<bool>,
}

impl<'a> Queue<'a> {
    /// Returns the outbox for a draft.
    pub(super) fn new(draft: &'a Draft, around: &'a Surroundings<'a>) -> Queue<'a> {
        Queue {
            draft,
            around,
            outbox: OnceCell::new(),
            kept: RefCell::default(),
            queued: RefCell::default(),
            reasons: RefCell::default(),
            notices: RefCell::default(),
            unsafe_entries: RefCell::default(),
            has_company: Cell::new(false),
        }
    }

    /// Returns the outbox, if there is one that can be used.
    pub(super) fn outbox(&self) -> Option<&Outbox> {
        let opened = self.outbox.get_or_init(|| match Outbox::open(self.around) {
            Ok(outbox) => outbox,
            Err(failure) => {
                self.blame(&exit::with_causes(&failure));
                None
            }
        });
        opened.as_ref()
    }

    /// Returns whether other messages waited when this one was entered.
    pub(super) fn has_company(&self) -> bool {
        self.has_company.get()
    }

    fn blame(&self, why: &str) {
        let mut reasons = self.reasons.borrow_mut();
        if !reasons.iter().any(|known| known == why) {
            reasons.push(why.to_owned());
        }
    }

    /// Writes the entry for some of all copies of a rendered message, before they are handed over. `None` where
    /// there is no outbox for it: the mail leaves all the same.
    pub(super) fn enter(
        &self,
        rendered: &Rendered,
        copies: &[&RoutedCopy],
        all: &[RoutedCopy],
        route: Option<&Route>,
    ) -> Option<Entry> {
        let outbox = self.outbox()?;
        let entered = self.write(outbox, rendered, copies, all, route);
        entered
            .map_err(|error| {
                let why = exit::with_causes(&error);
                self.blame(&format!("the outbox does not take the message: {why}"));
            })
            .ok()
    }

    fn write(
        &self,
        outbox: &Outbox,
        rendered: &Rendered,
        copies: &[&RoutedCopy],
        all: &[RoutedCopy],
        route: Option<&Route>,
    ) -> io::Result<Entry> {
        let neutral = neutral_header(self.draft, rendered)?;
        let envelope = self.envelope(copies, all, route, &neutral.header);
        let mut body = rendered.message.reader_from(neutral.body_offset);
        let limits = Limits::of(self.around.settings);
        let size = rendered.message.len();
        let entered = outbox.enter(limits, size, &envelope, &neutral.header, &mut body)?;
        self.has_company.set(entered.has_company);
        Ok(entered.entry)
    }

    /// Returns the envelope of an entry for these copies, of all that the mail has.
    fn envelope(
        &self,
        copies: &[&RoutedCopy],
        all: &[RoutedCopy],
        route: Option<&Route>,
        header: &[u8],
    ) -> EntryEnvelope {
        let draft = self.draft;
        // How many copies of each recipient are not among these; a mail to a hundred thousand mostly has
        // one route, and nothing is counted.
        let mut others: HashMap<&str, usize> = HashMap::new();
        if copies.len() < all.len() {
            for copy in all {
                *others.entry(copy.recipient.as_str()).or_default() += 1;
            }
            for copy in copies {
                if let Some(count) = others.get_mut(copy.recipient.as_str()) {
                    *count -= 1;
                }
            }
        }
        // A recipient that an alias of the system leads to other routes as well stands here by the
        // targets of this one: the next plan would send to all of them again.
        let mut seen = HashSet::new();
        let recipients: Vec<String> = copies
            .iter()
            .map(|copy| {
                let recipient = copy.recipient.as_str();
                let is_whole = others.get(recipient).is_none_or(|count| *count == 0);
                if is_whole {
                    recipient
                } else {
                    copy.target.as_str()
                }
            })
            .filter(|name| seen.insert(*name))
            .map(str::to_owned)
            .collect();
        let subject = draft.subject.as_ref().map(|subject| subject.as_str());
        let subject = subject.map(str::to_owned).or_else(|| {
            let header = draft.premade.as_ref()?;
            let value = header.get("Subject")?.value();
            Some(words::decode(&value))
        });
        let signed = is_sealed(header);
        EntryEnvelope {
            uid: user::effective_uid(),
            login: None,
            face: if self.around.environment.as_sendmail {
                "sendmail".to_owned()
            } else {
                "mailx".to_owned()
            },
            sender: draft.given_sender().map(|sender| match sender.address() {
                Some(address) => address.to_string(),
                None => String::new(),
            }),
            full_name: draft
                .full_name
                .as_ref()
                .map(|name| name.as_str().to_owned()),
            merge: (!signed && self.around.settings.is_set("outbox-merge")).then(|| {
                merge_key(
                    &recipients,
                    subject.as_deref().unwrap_or_default().as_bytes(),
                )
            }),
            recipients,
            account: self.around.settings.account_in_use().map(str::to_owned),
            route: self.typed_route(route),
            message_id: draft.message_id.clone(),
            subject: subject.map(|mut subject| {
                subject.truncate(subject.floor_char_boundary(SUBJECT));
                subject
            }),
            signed,
        }
    }

    /// Returns the route if the command line named it: no file of the configuration will.
    fn typed_route(&self, route: Option<&Route>) -> Option<String> {
        let settings = self.around.settings;
        let is_typed = |name| matches!(settings.origin(name), Origin::Option(_));
        if !is_typed("mta") && !is_typed("smtp") {
            return None;
        }
        match route {
            Some(Route::Relay(relays)) => Some(relays.without_passwords()),
            _ => match Mta::of(settings) {
                Ok(Mta::Relay(relays)) => Some(relays.without_passwords()),
                _ => settings.text("mta").map(str::to_owned),
            },
        }
    }

    /// Says what became of the copies of an entry, and keeps it if one of them is to be tried again.
    pub(super) fn settle(
        &self,
        mut entry: Entry,
        copies: &[&RoutedCopy],
        outcomes: &[Arc<Outcome>],
        route: &str,
    ) {
        let standings: Vec<Standing> = outcomes.iter().map(|outcome| standing(outcome)).collect();
        if standings.iter().all(|standing| standing.is_final()) {
            // Nothing waits: it has been accepted, or is for the dead letter file.
            let id = entry.id().clone();
            if let Err(error) = entry.finish() {
                let why = exit::with_causes(&error);
                self.notices.borrow_mut().push(format!(
                    "cannot remove {id} from the outbox, so it may be sent a second time: {why}"
                ));
            }
            return;
        }
        let now = clock::since_epoch().as_secs();
        let is_uncertain = standings.contains(&Standing::Uncertain);
        let next = now
            + if is_uncertain {
                UNCERTAIN_WAIT
            } else {
                FIRST_WAIT
            };
        let state = entry.state_mut();
        state.attempts += 1;
        state.first.get_or_insert(now);
        state.last = Some(now);
        // Where the route is to blame, the state of the route says when it is tried: a route that is
        // back takes all that wait for it.
        let is_put_off = outcomes.iter().zip(&standings).any(|(outcome, standing)| {
            *standing == Standing::Waiting && trouble_of(outcome).is_none()
        });
        state.next = (is_put_off || is_uncertain).then_some(next);
        state.uncertain = is_uncertain.then_some(now);
        state.route = Some(route.to_owned());
        let mut noted: HashSet<&str> = HashSet::new();
        for ((copy, outcome), standing) in copies.iter().zip(outcomes).zip(&standings) {
            if !standing.is_final() {
                state.reason.get_or_insert_with(|| outcome.text.clone());
            }
            if noted.insert(&outcome.text) {
                state.note_reply(now, copy.target.as_str(), &outcome.text);
            }
        }
        let all = copies.iter().zip(outcomes);
        state.set_targets(all.map(|(copy, outcome)| target_state(copy, outcome, now)));
        // A sidecar that says only that everybody waits may lack.
        let is_needed = standings
            .iter()
            .any(|standing| *standing != Standing::Waiting);
        if let Some((id, next, count)) = self.merged(&entry) {
            self.remember(id, next, false, Some(count), copies, &standings);
            // What stays is sent beside the other one: a message too many, and none too few.
            let _ = entry.finish();
            return;
        }
        match make_safe(&mut entry, is_uncertain, is_needed) {
            Ok(()) => {
                let id: Arc<str> = entry.id().as_str().into();
                self.remember(id, next, is_uncertain, None, copies, &standings);
            }
            Err(error) => {
                let why = exit::with_causes(&error);
                self.blame(&format!("the outbox cannot keep the message: {why}"));
                self.unsafe_entries.borrow_mut().push(entry);
            }
        }
    }

    /// Counts a message in an entry that waits for the same. Returns its ID, when it is tried next, and
    /// for how many messages it stands; `None` if there is none, or nothing can be written down.
    fn merged(&self, entry: &Entry) -> Option<(Arc<str>, u64, u64)> {
        let mut found = self.outbox()?.equal_to(entry)?;
        found.state_mut().repeated += 1;
        found
            .save_state()
            .and_then(|()| found.make_durable())
            .ok()?;
        let state = found.state();
        let next = state.next.unwrap_or_else(|| clock::since_epoch().as_secs());
        Some((found.id().as_str().into(), next, state.repeated + 1))
    }

    fn remember(
        &self,
        id: Arc<str>,
        next: u64,
        is_uncertain: bool,
        merged: Option<u64>,
        copies: &[&RoutedCopy],
        standings: &[Standing],
    ) {
        let mut kept = self.kept.borrow_mut();
        for (copy, standing) in copies.iter().zip(standings) {
            if !standing.is_final() {
                kept.insert(copy.target.shared(), Arc::clone(&id));
            }
        }
        self.queued.borrow_mut().push(Queued {
            id,
            next,
            is_uncertain,
            merged,
        });
    }

    /// Enters the copies that a route has not taken for now, and that have no entry yet: those of a
    /// sendmail or a mailbox, and those that were not even handed over.
    ///
    /// `render` makes the message for a wire of 7 bits.
    pub(super) fn enter_rest(
        &self,
        copies: &[RoutedCopy],
        entries: &[CopyReport],
        render: impl FnOnce() -> Option<Rendered>,
    ) {
        // Mostly nothing waits, and there may be a hundred thousand entries.
        let is_later =
            |entry: &CopyReport| matches!(entry.outcome.disposition, Disposition::TryLater(_));
        if !entries.iter().any(is_later) {
            return;
        }
        let outcomes: HashMap<&str, &Arc<Outcome>> = entries
            .iter()
            .map(|entry| (&*entry.target, &entry.outcome))
            .collect();
        let mut waiting: Vec<&RoutedCopy> = Vec::new();
        let mut theirs: Vec<Arc<Outcome>> = Vec::new();
        let mut first: Option<&Route> = None;
        for copy in copies {
            let (Some(outcome), Ok(route)) =
                (outcomes.get(copy.target.as_str()), copy.route.as_deref())
            else {
                continue;
            };
            let may_wait = matches!(outcome.disposition, Disposition::TryLater(_))
                && !matches!(route, Route::Test(_));
            if may_wait && !self.kept.borrow().contains_key(copy.target.as_str()) {
                first.get_or_insert(route);
                waiting.push(copy);
                theirs.push(Arc::clone(outcome));
            }
        }
        let Some(route) = first else { return };
        // What the outbox has refused once it is not asked again.
        if !self.reasons.borrow().is_empty() || self.outbox().is_none() {
            return;
        }
        let Some(rendered) = render() else { return };
        if let Some(entry) = self.enter(&rendered, &waiting, copies, Some(route)) {
            self.settle(entry, &waiting, &theirs, &super::name_of(route));
        }
    }

    /// Leaves to root the copies that only root may deliver or send, in the drop directory, if there is
    /// one; their outcomes say so then.
    ///
    /// `render` makes the message for a wire of 7 bits.
    pub(super) fn leave_rest(
        &self,
        copies: &[RoutedCopy],
        entries: &mut [CopyReport],
        render: impl FnOnce() -> Option<Rendered>,
    ) -> Option<Dropped> {
        let is_for_root = |entry: &CopyReport| {
            entry.outcome.needs_root && !self.kept.borrow().contains_key(&*entry.target)
        };
        if !entries.iter().any(is_for_root) || !outbox::is_automatic(self.around.settings) {
            return None;
        }
        let drop = match DropDirectory::open() {
            Ok(drop) => drop?,
            Err(error) => {
                self.blame(&format!(
                    "the drop directory cannot be used: {}",
                    exit::with_causes(&error)
                ));
                return None;
            }
        };
        let targets: HashSet<Arc<str>> = entries
            .iter()
            .filter(|entry| is_for_root(entry))
            .map(|entry| Arc::clone(&entry.target))
            .collect();
        let theirs: Vec<&RoutedCopy> = copies
            .iter()
            .filter(|copy| targets.contains(copy.target.as_str()))
            .collect();
        let rendered = render()?;
        let left = neutral_header(self.draft, &rendered).and_then(|neutral| {
            let envelope = self.envelope(&theirs, copies, None, &neutral.header);
            let mut body = rendered.message.reader_from(neutral.body_offset);
            drop.leave(&envelope, &neutral.header, &mut body)
        });
        let id: Arc<str> = match left {
            Ok(id) => id.as_str().into(),
            Err(error) => {
                self.blame(&format!(
                    "the drop directory does not take the message: {}",
                    exit::with_causes(&error)
                ));
                return None;
            }
        };
        let mut kept = self.kept.borrow_mut();
        for entry in entries
            .iter_mut()
            .filter(|entry| targets.contains(&entry.target))
        {
            kept.insert(Arc::clone(&entry.target), Arc::clone(&id));
            let outcome = Arc::make_mut(&mut entry.outcome);
            outcome.disposition = Disposition::TryLater(Kind::TryLater);
            outcome.hint = None;
        }
        Some(Dropped {
            id,
            is_emptied: drop.is_emptied(),
        })
    }

    /// Returns the entry that keeps a target.
    pub(super) fn kept(&self, target: &str) -> Option<Arc<str>> {
        self.kept.borrow().get(target).cloned()
    }

    /// Returns what waits now.
    pub(super) fn queued(&self) -> Vec<Queued> {
        self.queued.take()
    }

    /// Returns what the user must know although the message was sent.
    pub(super) fn notices(&self) -> Vec<String> {
        self.notices.take()
    }

    /// Says of a text that is kept elsewhere why the outbox, which is the better place, did not take
    /// it; entries that could not be made safe are removed then.
    pub(super) fn explain(&self, kept: &mut Kept) {
        let reasons = self.reasons.take();
        match kept {
            Kept::DeadLetter(letter) => {
                letter.passed_over.splice(0..0, reasons);
                for entry in self.unsafe_entries.take() {
                    // What stays is sent a second time at worst.
                    let _ = entry.finish();
                }
            }
            Kept::Nowhere(failure) if !reasons.is_empty() => {
                let others = failure.source.take().map(|why| exit::with_causes(&*why));
                let all: Vec<String> = reasons.into_iter().chain(others).collect();
                failure.source = Some(anyhow::Error::msg(all.join("; ")));
            }
            _ => {}
        }
    }
}

/// Returns whether the exit status counts what waits in the outbox as sent.
pub(super) fn is_sent(around: &Surroundings<'_>) -> bool {
    around.environment.as_sendmail || around.settings.text("outbox-status") == Some("0")
}

/// Returns what a sidecar says of a copy with this outcome.
fn target_state(copy: &RoutedCopy, outcome: &Outcome, now: u64) -> TargetState {
    TargetState {
        recipient: copy.recipient.to_string(),
        target: copy.target.to_string(),
        standing: standing(outcome),
        reply: outcome.text.clone(),
        time: now,
    }
}

/// Writes state and name of an entry, and syncs all of it: from here on it may be promised.
fn make_safe(entry: &mut Entry, is_uncertain: bool, needs_state: bool) -> io::Result<()> {
    match entry.save_state() {
        Err(error) if needs_state => return Err(error),
        _ => {}
    }
    if is_uncertain {
        entry.leave_uncertain()?;
    } else {
        entry.back_to_queue()?;
    }
    entry.make_durable()
}

/// Returns what an outcome means for an entry.
pub(super) fn standing(outcome: &Outcome) -> Standing {
    match outcome.disposition {
        Disposition::Accepted => Standing::Accepted,
        // What is wrong with the login, the password or the certificate concerns every message that
        // goes this way. A person mends it, and no message is thrown away for it meanwhile. A wrong
        // configuration is no such thing: the plan fails by it before anything is entered.
        Disposition::Refused(kind) if outcome.scope == Scope::Route && kind != Kind::Config => {
            Standing::Waiting
        }
        Disposition::Refused(_) => Standing::Refused,
        Disposition::TryLater(_) => Standing::Waiting,
        Disposition::Uncertain(_) => Standing::Uncertain,
    }
}

/// Returns whether a header says that the message is signed or encrypted.
fn is_sealed(header: &[u8]) -> bool {
    let header = header.to_ascii_lowercase();
    let has = |word: &[u8]| memchr::memmem::find(&header, word).is_some();
    has(b"multipart/signed")
        || has(b"multipart/encrypted")
        || has(b"application/pkcs7-mime")
        || has(b"application/x-pkcs7-mime")
        || has(b"application/pgp")
}
