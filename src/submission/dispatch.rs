//! Dispatch: the copies of one route rendered and handed to its transport.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::io;
use std::iter;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use crate::address::{EnvelopeAddress, ReversePath};
use crate::compose::Draft;
use crate::compose::render::{Rendered, Style, render};
use crate::config::{file_name, words};
use crate::exit::{self, Failure, Kind};
use crate::mailbox::{self, AppendOptions};
use crate::message::{self, HeaderValue, Wire};
use crate::sanitize;
use crate::submission::in_turn::in_turn;
use crate::submission::outbox::flush::along::Trip;
use crate::submission::outcome::outcome_of_failure;
use crate::submission::plan::{SubmissionPlan, hint_of_recipient};
use crate::submission::queue::{EntryHooks, Queue};
use crate::submission::relay_list::RelayList;
use crate::submission::relay_url::RelayUrl;
use crate::submission::route::{Route, RoutedCopy};
use crate::submission::{CopyReport, Dropped, Surroundings, relay};
use crate::sys::open;
use crate::sys::spool::Spool;
use crate::sys::user;
use crate::transport::local::{self, Local};
use crate::transport::sendmail::{self, Sendmail};
use crate::transport::smtp::{SmtpChannel, SubmitHooks};
use crate::transport::{Disposition, Envelope, MessageSource, Outcome, Scope};

/// Makes sure that each file which is to have a copy can get it, and makes the directories that lack.
///
/// # Errors
/// When one of them cannot: a mail that has left cannot be taken back for the want of its copy.
pub(super) fn prepare_copies(draft: &Draft, around: &Surroundings<'_>) -> Result<(), Failure> {
    let home = around.environment.home_directory();
    for name in &draft.copies {
        let what = || {
            let name = sanitize::path(&name);
            format!("the message is not sent, because no copy can be kept in {name}")
        };
        let path = file_name::of_setting(name, around.settings, home.as_deref())
            .map_err(|error| error.failure(what()))?;
        open::write::make_way(&path).map_err(|error| {
            let kind = match error.kind() {
                io::ErrorKind::PermissionDenied => Kind::NoPermission,
                _ => open::kind_of(&error, Kind::CannotCreate),
            };
            Failure::new(kind, what()).because(error)
        })?;
        mailbox::could_append(&path, &AppendOptions::folder())
            .map_err(|error| Failure::new(error.kind(), what()).because(error.why()))?;
    }
    Ok(())
}

/// Returns the message about a file that did not get its copy.
fn no_copy_in(name: &OsStr) -> String {
    let name = sanitize::path(&name);
    format!("the message was sent, but no copy could be kept in {name}")
}

/// Groups copies by their route, in the order in which the routes come first; copies for
/// mailboxes are one group each.
pub(super) fn groups(copies: &[RoutedCopy]) -> Vec<(Option<&Route>, Vec<&RoutedCopy>)> {
    let mut groups: Vec<(Option<&Route>, Vec<&RoutedCopy>)> = Vec::new();
    let mut index: HashMap<Option<String>, usize> = HashMap::new();
    for copy in copies {
        let route = copy.route.as_deref().ok();
        // The Debug text of a route is unique and holds no password (`RelayUrl` leaves it out), so
        // it can serve as a key and may appear in a crash report.
        let key = route.map(|route| format!("{route:?}"));
        match index.get(&key) {
            Some(&group) => groups[group].1.push(copy),
            None => {
                index.insert(key, groups.len());
                groups.push((route, vec![copy]));
            }
        }
    }
    groups
}

/// Returns how mail is delivered on this host.
///
/// # Errors
/// When the variable `inbox` names no file: without knowing which mailbox is ours, the mail could go
/// to another one.
pub(super) fn local_of(around: &Surroundings<'_>) -> Result<Local, Failure> {
    let (settings, environment) = (around.settings, around.environment);
    let mail = file_name::inbox(settings, environment)
        .map_err(|error| error.failure("cannot open the mailbox that the variable inbox names"))?;
    Ok(Local {
        spools: mailbox::spools(settings.path("spool")),
        mail,
        source_date_epoch: environment.source_date_epoch,
    })
}

/// The connection of a message to a relay.
struct Journey {
    /// Whether it stays open, for messages that wait for the same relay.
    keeps: bool,
    channel: Option<SmtpChannel>,
}

/// Hands the copies of a draft over, route by route.
pub(super) struct Dispatcher<'a> {
    /// Notices for the user.
    pub(super) notices: RefCell<Vec<String>>,
    /// The outbox, if it takes what has to be tried again.
    pub(super) queue: Option<&'a Queue<'a>>,
    draft: &'a Draft,
    plan: &'a SubmissionPlan,
    pub(super) around: &'a Surroundings<'a>,
}

impl<'a> Dispatcher<'a> {
    /// Returns the dispatcher of a draft's copies.
    pub(super) fn new(
        draft: &'a Draft,
        plan: &'a SubmissionPlan,
        around: &'a Surroundings<'a>,
    ) -> Dispatcher<'a> {
        Dispatcher {
            notices: RefCell::default(),
            queue: None,
            draft,
            plan,
            around,
        }
    }

    /// Submits the copies of one route; returns their outcomes in order.
    pub(super) fn submit(&mut self, route: &Route, copies: &[&RoutedCopy]) -> Vec<Arc<Outcome>> {
        let for_all = |outcome| iter::repeat_n(Arc::new(outcome), copies.len()).collect();
        // Asked before each route and not in the middle of one: a transport that has begun knows
        // best whether its message may be out.
        if let Some(signal) = self.around.signals.received() {
            let text = "interrupted before it was handed over";
            let outcome = Outcome::new(Disposition::TryLater(Kind::Signal(signal)), text);
            return for_all(outcome);
        }
        // Rendered once for each route, since the next hops differ in what they take: 7 or 8 bits,
        // a From field or their own, qualified addresses.
        let rendered = match self.render(Some(route)) {
            Ok(rendered) => rendered,
            Err(failure) => return for_all(outcome_of_failure(failure)),
        };
        let message = &rendered.message;
        let targets: Vec<EnvelopeAddress> = copies.iter().map(|copy| copy.target.clone()).collect();
        match route {
            Route::Sendmail(path) => self.by_sendmail(path, &targets, message),
            Route::Relay(relays) => self.by_relay(relays, route, copies, rendered),
            Route::Local(name) => for_all(self.by_local(name, message)),
            Route::Test(path) => for_all(self.by_test(path.as_deref(), message)),
        }
    }

    pub(super) fn render(&self, route: Option<&Route>) -> Result<Rendered, Failure> {
        self.render_within(route, None)
    }

    /// Renders the message for a next hop that takes no larger ones than this.
    fn render_within(
        &self,
        route: Option<&Route>,
        limit: Option<u64>,
    ) -> Result<Rendered, Failure> {
        let full_name = self.draft.full_name.as_ref().map(HeaderValue::as_str);
        let identity = &self.plan.identity;
        let default_from = match route {
            // sendmail adds the From field by its own rules, masquerading included; ours would
            // override them.
            Some(Route::Sendmail(_)) => None,
            // For a relay the changes have it.
            Some(Route::Relay(_)) => None,
            _ => Some(identity.default_from(false, &self.draft.login_name(), full_name)),
        };
        let style = Style {
            wire: match route {
                Some(Route::Local(_) | Route::Test(_)) => Wire::EightBit,
                _ => Wire::SevenBit,
            },
            default_from,
            changes: match (route, &self.plan.relayed) {
                (Some(Route::Relay(_)), Some(relayed)) => &relayed.changes,
                _ => &[],
            },
            limit: limit.into_iter().chain(self.draft.max_size).min(),
            leading: Vec::new(),
        };
        let rendered = render(self.draft, &style).map_err(|error| {
            let kind = match error.kind() {
                // Our own word for a limit of the message; the system's, of files, has a number.
                io::ErrorKind::FileTooLarge if error.raw_os_error().is_none() => Kind::Unavailable,
                _ => open::kind_of(&error, Kind::CannotCreate),
            };
            Failure::new(kind, "cannot compose the message").because(error)
        })?;
        for omitted in &rendered.omitted {
            let notice = format!(
                "{} is too large and is not attached; a note in the message names it",
                omitted.name.as_str()
            );
            let mut notices = self.notices.borrow_mut();
            // The same attachment is left out again for each route and for the second try at a
            // relay; the user hears of it once.
            if !notices.contains(&notice) {
                notices.push(notice);
            }
        }
        Ok(rendered)
    }

    /// Enters into the outbox what a route has not taken for now and that has no entry yet.
    pub(super) fn enter_rest(&self, queue: &Queue<'_>, entries: &[CopyReport]) {
        // Without a route: for seven bits, as every entry is.
        queue.enter_rest(&self.plan.copies, entries, || self.render(None).ok());
    }

    /// Leaves to root what only root may deliver or send, if root has made a place for it.
    pub(super) fn leave_rest(
        &self,
        queue: &Queue<'_>,
        entries: &mut [CopyReport],
    ) -> Option<Dropped> {
        queue.leave_rest(&self.plan.copies, entries, || self.render(None).ok())
    }

    /// Returns the sender of a copy that stays on this host; none for the null sender.
    fn sender_on_this_host(&self) -> Option<EnvelopeAddress> {
        match &self.draft.envelope_sender {
            Some(asked) => asked.address().cloned(),
            None => EnvelopeAddress::new(self.draft.login_name()).ok(),
        }
    }

    fn by_sendmail(
        &self,
        path: &Path,
        targets: &[EnvelopeAddress],
        message: &Spool,
    ) -> Vec<Arc<Outcome>> {
        let settings = self.around.settings;
        let arguments = settings.text("mta-arguments").unwrap_or_default();
        let sendmail = Sendmail {
            program: path.to_owned(),
            name: settings.path("mta-argv0").map(ToOwned::to_owned),
            // Judged when it was set: they are words, and divert nothing.
            arguments: words::texts(arguments).into_iter().flatten().collect(),
            // Most MTAs write the name into the From field as it is given.
            full_name: self
                .draft
                .full_name
                .as_ref()
                .map(|name| message::ascii_name(name.as_str())),
            verbose: settings.is_set("verbose"),
            timeout: settings
                .duration("sendmail-timeout")
                .filter(|time| !time.is_zero()),
        };
        // Without a sender that was asked for, sendmail's own rules find it (R3).
        let call = sendmail::SendmailCall {
            sendmail: &sendmail,
            sender: self.draft.envelope_sender.as_ref(),
            message,
            signals: self.around.signals,
            observer: &*self.around.observer,
        };
        call.submit(targets)
    }

    /// Submits by the first of the relays that takes the message, for each recipient.
    fn by_relay(
        &self,
        relays: &RelayList,
        route: &Route,
        copies: &[&RoutedCopy],
        rendered: Rendered,
    ) -> Vec<Arc<Outcome>> {
        let all = &self.plan.copies;
        let enter = |rendered: &Rendered| self.queue?.enter(rendered, copies, all, Some(route));
        // Before anything that can take long, a password command included.
        let hooks = EntryHooks::new(enter(&rendered), copies);
        let message = rendered.message;
        let shrunk = |smaller: &Rendered| {
            // What goes out from here on is what a later try must send.
            if let Some(smaller) = enter(smaller) {
                hooks.replace(smaller);
            }
        };
        let outbox = self.queue.and_then(Queue::outbox);
        // The last relay that took the message, with the connection for those that wait for it.
        let mut company = None;
        let submit = |url: &Arc<RelayUrl>, recipients: &[EnvelopeAddress]| {
            let trip = match outbox.map(|outbox| Trip::begin(outbox, url, self.around)) {
                // It is known to be down, and is not even tried.
                Some(Err(outcome)) => return vec![outcome; recipients.len()],
                trip => trip.and_then(Result::ok),
            };
            let mut journey = Journey {
                keeps: trip.is_some() && self.queue.is_some_and(Queue::has_company),
                channel: None,
            };
            let sent = self.by_one_relay(url, recipients, &message, &hooks, &shrunk, &mut journey);
            if let Some(trip) = &trip {
                match &sent {
                    Ok(outcomes) => trip.end(outcomes),
                    Err(failure) => trip.fail(failure),
                }
            }
            let outcomes = sent.unwrap_or_else(|failure| {
                // What is wrong with a relay must not hide what the others have done.
                let scope = match failure.kind {
                    // A token that cannot be fetched now, a login without a password.
                    Kind::TryLater | Kind::Protocol | Kind::NoPermission => Scope::Route,
                    _ => Scope::Message,
                };
                vec![outcome_of_failure(failure).scope(scope); recipients.len()]
            });
            company = trip.zip(journey.channel);
            if relays.iter().nth(1).is_some() {
                hooks.note(recipients, &outcomes);
            }
            outcomes
        };
        let goes_on = |next: &RelayUrl| {
            let is_wanted = self.around.signals.received().is_none();
            if is_wanted {
                self.around.observer.note(&format!("trying {next}"));
            }
            is_wanted
        };
        let recipients: Vec<EnvelopeAddress> =
            copies.iter().map(|copy| copy.target.clone()).collect();
        let outcomes = in_turn(relays, &recipients, submit, goes_on);
        let outcomes: Vec<Arc<Outcome>> = outcomes.into_iter().map(Arc::new).collect();
        if let (Some(queue), Some(entry)) = (self.queue, hooks.into_entry()) {
            queue.settle(entry, copies, &outcomes, &relays.to_string());
        }
        // This mail has its outcome; those that wait come behind it.
        if let Some((trip, channel)) = company
            && outcomes.iter().all(|outcome| outcome.is_accepted())
        {
            trip.take_along(channel, self.around);
        }
        outcomes
    }

    /// Takes a message to one relay; `shrunk` gets the smaller one that follows where the relay takes
    /// none of this size.
    fn by_one_relay(
        &self,
        url: &Arc<RelayUrl>,
        recipients: &[EnvelopeAddress],
        message: &dyn MessageSource,
        hooks: &dyn SubmitHooks,
        shrunk: &dyn Fn(&Rendered),
        journey: &mut Journey,
    ) -> Result<Vec<Outcome>, Failure> {
        let envelope = self.envelope(recipients);
        let relay = relay::build(url, self.around)?;
        let mut submit = |message: &dyn MessageSource| {
            let raised = self.around.signals.raised();
            let kept = journey.channel.take();
            let mut channel = kept.unwrap_or_else(|| {
                SmtpChannel::new(relay.clone(), Arc::clone(&self.around.observer))
            });
            if !journey.keeps {
                return channel.submit_last(&envelope, message, hooks, &raised);
            }
            let outcomes = channel.submit(&envelope, message, hooks, &raised);
            journey.channel = Some(channel);
            outcomes
        };
        // The relay announces its limit only after EHLO, so a message that is too large is found
        // out by trying. Nothing of it was accepted then, and the second try makes no duplicate.
        let mut outcomes = submit(message);
        let limit = outcomes.iter().find_map(|(_, outcome)| outcome.size_limit);
        if let Some(limit) = limit
            && !self.draft.strict_size
            && !self.draft.attachments.is_empty()
        {
            // The text goes out; the attachments that are too large are named in it. Our lines end
            // in LF, the relay counts CRLF: a byte more for each of at most 77.
            let limit = limit - limit / 38;
            let list = RelayList::from(Arc::clone(url));
            let smaller = self.render_within(Some(&Route::Relay(Arc::new(list))), Some(limit))?;
            shrunk(&smaller);
            outcomes = submit(&smaller.message);
        }
        Ok(self.judged(outcomes))
    }

    /// Returns the envelope for copies that leave by a relay.
    pub(super) fn envelope(&self, recipients: &[EnvelopeAddress]) -> Envelope {
        let relayed = self.plan.relayed.as_ref();
        Envelope {
            sender: relayed.map_or(ReversePath::Null, |relayed| relayed.envelope.clone()),
            recipients: recipients.to_vec(),
        }
    }

    /// Adds to the outcomes of a relay what the settings say of them.
    pub(super) fn judged(&self, outcomes: Vec<(EnvelopeAddress, Outcome)>) -> Vec<Outcome> {
        // The transport knows no settings. Only here can a refused certificate become the error of
        // the setting that would have let it pass.
        let judged = outcomes.into_iter().map(|(target, mut outcome)| {
            relay::distrusted(self.around.settings, &mut outcome);
            // Which line mends a refused sender is in the settings, too: that from= should be set is
            // no help where it is set and gave way to another sender.
            let is_for_from = |hint: &String| hint.contains("set from=");
            let is_refused = matches!(outcome.disposition, Disposition::Refused(_));
            if is_refused
                && (outcome.is_about_sender || outcome.hint.as_ref().is_some_and(is_for_from))
                && let Some(hint) = self.plan.hint_of_given_sender()
            {
                outcome.hint = Some(hint);
            }
            if outcome.is_about_sender && outcome.hint.is_none() {
                outcome.hint.clone_from(&self.plan.hint);
            }
            if outcome.scope == Scope::Recipient && outcome.hint.is_none() {
                outcome.hint = hint_of_recipient(&target);
            }
            outcome
        });
        judged.collect()
    }

    fn by_local(&self, name: &str, message: &Spool) -> Outcome {
        let local = match local_of(self.around) {
            Ok(local) => local,
            Err(failure) => return outcome_of_failure(failure),
        };
        let sender = self.sender_on_this_host();
        let sender = sender.as_ref().map_or("", EnvelopeAddress::as_str);
        local::deliver(&local, name, sender, message, &self.around.wait())
    }

    /// Appends a copy to each file that is to have one; returns the failures, which change the exit
    /// status.
    pub(super) fn copies(&self) -> Vec<Failure> {
        if self.draft.copies.is_empty() {
            return Vec::new();
        }
        let route = Route::Local(user::login_name());
        let message = match self.render(Some(&route)) {
            Ok(rendered) => rendered.message,
            Err(failure) => return vec![failure],
        };
        let environment = self.around.environment;
        let line = mailbox::from_line_now(&user::login_name(), environment.source_date_epoch);
        let home = environment.home_directory();
        let settings = self.around.settings;
        // Each file has its own try: one that is full or locked must not keep the copy out of the
        // others. The mail is out, so none of this keeps a dead letter.
        let failures = self.draft.copies.iter().filter_map(|name| {
            let path = match file_name::of_setting(name, settings, home.as_deref()) {
                Ok(path) => path,
                Err(error) => return Some(error.failure(no_copy_in(name))),
            };
            let outcome = local::append_to_file(&path, &line, &message, &self.around.wait());
            // 73 says that nothing was sent, and the mail is out.
            let kind = outcome.kind().map(|kind| match kind {
                Kind::CannotCreate => Kind::Io,
                kind => kind,
            });
            kind.map(|kind| Failure::new(kind, no_copy_in(path.as_os_str())).because(outcome.text))
        });
        failures.collect()
    }

    /// Appends to files and pipes to commands, where `expandaddr` let them be recipients.
    pub(super) fn by_expansion(&self) -> Vec<CopyReport> {
        if self.draft.files.is_empty() && self.draft.commands.is_empty() {
            return Vec::new();
        }
        let route = Route::Local(user::login_name());
        let message = self.render(Some(&route)).map(|rendered| rendered.message);
        let line = mailbox::from_line_now(
            &user::login_name(),
            self.around.environment.source_date_epoch,
        );
        let unreadable = |failure: &Failure| {
            Outcome::new(
                Disposition::TryLater(failure.kind),
                exit::with_causes(failure),
            )
        };
        let entry = |name: String, route: &str, outcome| {
            let name: Arc<str> = name.into();
            CopyReport {
                recipient: Arc::clone(&name),
                target: name,
                route: route.into(),
                reason: "expandaddr is set".into(),
                outcome: Arc::new(outcome),
                outbox: None,
            }
        };
        let files = self.draft.files.iter().map(|path| {
            let outcome = match &message {
                // A file is a recipient by its absolute path only, in which nothing is expanded.
                Ok(message) => {
                    local::append_to_file(Path::new(path), &line, message, &self.around.wait())
                }
                Err(failure) => unreadable(failure),
            };
            let name = message::decode_text(path.as_bytes()).into_owned();
            entry(name, "file", outcome)
        });
        let commands = self.draft.commands.iter().map(|command| {
            let outcome = match &message {
                Ok(message) => sendmail::pipe(command, message, self.around.signals),
                Err(failure) => unreadable(failure),
            };
            let name = message::decode_text(command.as_bytes());
            entry(format!("|{name}"), "command", outcome)
        });
        files.chain(commands).collect()
    }

    /// Writes an mbox to standard output, or appends to a file that is one.
    fn by_test(&self, path: Option<&Path>, message: &Spool) -> Outcome {
        let sender = self.sender_on_this_host();
        let sender = sender.as_ref().map_or("unknown", EnvelopeAddress::as_str);
        let line = mailbox::from_line_now(sender, self.around.environment.source_date_epoch);
        // Standard output is locked for the whole message, so that no notice of ours stands in the
        // middle of the mbox.
        let Some(path) = path else {
            let mut out = io::stdout().lock();
            return match mailbox::write_mbox(&line, &mut message.reader(), &mut out) {
                Ok(()) => Outcome::new(Disposition::Accepted, "written to standard output"),
                Err(error) => {
                    Outcome::new(Disposition::TryLater(Kind::Io), exit::with_causes(&error))
                }
            };
        };
        local::append_to_file(path, &line, message, &self.around.wait())
    }
}
