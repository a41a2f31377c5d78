//! Submission: the one pipeline of a mail out.
//!
//! Takes a draft through routes and transports to a report with one outcome a recipient, and
//! keeps the text of what was not accepted. Used by every face; prints nothing. How a message
//! is composed and what the user is told are the business of `compose` and `cli`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::address::EnvelopeAddress;
use crate::compose::render::{Style, render};
use crate::compose::{BadRecipient, Composed, Draft};
use crate::config::{Environment, Problem, Settings};
use crate::exit::{self, Failure, Kind};
use crate::message::{HeaderName, HeaderValue, Wire};
use crate::sys::signals::Signals;
use crate::sys::spool::Spool;
use crate::sys::user;
use crate::transport::local::{self, Local};
use crate::transport::sendmail::{self, Sendmail};
use crate::transport::{Disposition, Envelope, Observer, Outcome, smtp};

pub mod aliases;
pub mod identity;
pub mod keep;
pub mod log;
pub mod mta;
pub mod relay;
pub mod route;

use aliases::SystemAliases;
use identity::Identity;
use mta::{Mta, RelayUrl};
use route::{Route, Step, World};

/// All that a submission needs to know of its surroundings.
pub struct Surroundings<'a> {
    /// What is set.
    pub settings: &'a Settings,
    /// The environment.
    pub environment: &'a Environment,
    /// Who asks us to stop.
    pub signals: &'a Signals,
    /// Who is told what goes on.
    pub observer: Arc<dyn Observer>,
    /// Whether somebody sits at a terminal: then no deadline ends a submission.
    pub terminal: bool,
}

/// What became of one copy.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The recipient as it was given.
    pub recipient: String,
    /// The recipient in the envelope; the file or command itself.
    pub target: String,
    /// The way, in a word or two.
    pub route: String,
    /// Why this way.
    pub reason: String,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a mail.
#[derive(Debug, Default)]
pub struct Report {
    /// The Message-ID.
    pub message_id: String,
    /// The envelope sender that was asked for; else it is the user's.
    pub sender: Option<String>,
    /// One entry a copy.
    pub entries: Vec<Entry>,
    /// The file that keeps the text, or why none does; `None` where nothing had to be kept.
    pub kept: Option<Result<PathBuf, Failure>>,
    /// The next step if the relay has refused.
    pub hint: Option<String>,
    /// Copies that could not be kept (`record`); the mail itself is out.
    pub copy_failures: Vec<Failure>,
    /// What else the user should know.
    pub notices: Vec<String>,
}

/// Where each copy of a draft goes, before anything is sent.
#[derive(Debug)]
pub struct Plan {
    /// The copies.
    pub steps: Vec<Step>,
    /// Who we are.
    pub identity: Identity,
    /// The relay, if one is configured.
    pub relay: Option<RelayUrl>,
    /// What else the user should know.
    pub notices: Vec<String>,
    /// The next step if the relay refuses.
    pub hint: Option<String>,
}

/// Finds a route for every recipient of a draft.
///
/// # Errors
/// 78 when the configuration of the way out is wrong.
pub fn plan(draft: &Draft, around: &Surroundings<'_>) -> Result<Plan, Failure> {
    let settings = around.settings;
    if let Some(problem) = settings.problems.iter().find(|p| p.concerns_route) {
        return Err(config_failure(problem));
    }
    let read = |name: &'static str, error: mta::MtaError| {
        let what = format!("{}: {name} is wrong", settings.origin(name));
        Failure::new(Kind::Config, what).because(error)
    };
    let mta = Mta::parse(settings.get("mta").unwrap_or("auto")).map_err(|e| read("mta", e))?;
    let relay = match (&mta, settings.text("smtp")) {
        (Mta::Relay(url), _) => Some(url.clone()),
        (Mta::Auto, Some(text)) => Some(RelayUrl::parse(text).map_err(|e| read("smtp", e))?),
        _ => None,
    };
    if let Mta::Sendmail(Some(path)) = &mta
        && sendmail::is_ourselves(path)
    {
        let what = format!(
            "{}: {} is Postrider itself, no MTA",
            settings.origin("mta"),
            path.display()
        );
        return Err(Failure::new(Kind::Config, what));
    }
    if around.environment.submitting && matches!(mta, Mta::Sendmail(_)) {
        let what = "the sendmail that was called is Postrider itself, no MTA";
        return Err(Failure::new(Kind::Config, what)
            .hint("set mta= to the path of a real sendmail, to a relay, or to local"));
    }
    let mut identity = Identity::find(settings);
    identity.know_login(relay.as_ref().and_then(|url| url.user.as_deref()));
    let world = World {
        relay: relay.clone().filter(|_| mta == Mta::Auto),
        mta,
        local_leaves: settings.text("local") == Some("relay"),
        qualify_domain: identity.qualify_domain.clone(),
        own_names: identity.own_names.clone(),
        find_sendmail: &sendmail::find,
        submitting: around.environment.submitting,
        is_account: &|name| user::by_name(name).is_some(),
        system_aliases: &SystemAliases::read,
    };
    let recipients: Vec<EnvelopeAddress> = draft
        .recipients()
        .map(|named| named.address().clone())
        .collect();
    let (steps, ignored) = route::plan(&recipients, &world);
    let mut notices: Vec<String> = ignored
        .into_iter()
        .map(|member| {
            format!("the system's aliases lead to {member}, which is no mailbox and was left out")
        })
        .collect();
    let leaves = steps.iter().any(|step| step.route == Ok(Route::Relay));
    let sender = match &draft.envelope_sender {
        Some(asked) => asked.qualified(&identity.qualify_domain),
        None => identity.default_sender(true),
    };
    let is_bare = |address: &EnvelopeAddress| !address.domain().unwrap_or("").contains('.');
    let targets = steps.iter().filter(|step| step.route == Ok(Route::Relay));
    let lacks_domain = is_bare(&sender) || targets.map(|step| &step.target).any(is_bare);
    // Sent anyway (design decision D4): it is a relay's refusal that makes it worth a word.
    let hint = (leaves && lacks_domain).then(|| {
        format!(
            "relays may refuse addresses at {0}: write set hostname={0}.example.org or set from= into /etc/mail.rc",
            identity.qualify_domain
        )
    });
    if leaves
        && settings
            .text("tls-verify")
            .is_some_and(|value| value != "strict")
    {
        notices.push(format!(
            "{}: the relay's certificate is not checked",
            settings.origin("tls-verify")
        ));
    }
    Ok(Plan {
        steps,
        identity,
        relay,
        notices,
        hint,
    })
}

fn config_failure(problem: &Problem) -> Failure {
    Failure::new(
        Kind::Config,
        format!("{}: {}", problem.origin, problem.what),
    )
}

/// Sends a draft: every copy by its route. What is not accepted is kept.
///
/// `bad` are recipients that could not be: they make the text be kept, too.
///
/// # Errors
/// 78 when the configuration of the way out is wrong.
pub fn send(
    draft: &Draft,
    bad: &[BadRecipient],
    around: &Surroundings<'_>,
) -> Result<Report, Failure> {
    let mut report = send_unkept(draft, around)?;
    let failed: Vec<String> = report
        .entries
        .iter()
        .filter(|entry| !entry.outcome.is_accepted())
        .map(|entry| entry.target.clone())
        .collect();
    if !failed.is_empty() || !bad.is_empty() {
        report.kept = keep(draft, &failed, around);
    }
    Ok(report)
}

/// Sends a draft for somebody who keeps its text until it is accepted.
///
/// # Errors
/// As [`send`].
pub fn send_unkept(draft: &Draft, around: &Surroundings<'_>) -> Result<Report, Failure> {
    let plan = plan(draft, around)?;
    let sender = draft.envelope_sender.as_ref();
    let mut report = Report {
        message_id: draft.message_id.clone(),
        sender: sender.map(ToString::to_string),
        notices: plan.notices.clone(),
        hint: plan.hint.clone(),
        ..Report::default()
    };
    let mut sender = Sender {
        notices: RefCell::default(),
        draft,
        plan: &plan,
        around,
    };
    for (route, steps) in groups(&plan.steps) {
        let outcomes = match route {
            Some(route) => sender.submit(route, &steps)?,
            None => steps
                .iter()
                .filter_map(|step| step.route.clone().err())
                .collect(),
        };
        for (step, outcome) in steps.into_iter().zip(outcomes) {
            report.entries.push(Entry {
                recipient: step.recipient.to_string(),
                target: step.target.to_string(),
                route: route.map_or_else(|| "none".to_owned(), |route| name_of(route, &plan)),
                reason: step.reason.clone(),
                outcome,
            });
        }
    }
    report.entries.extend(sender.by_expansion()?);
    if report
        .entries
        .iter()
        .any(|entry| entry.outcome.is_accepted())
    {
        report.copy_failures = sender.copies()?;
    }
    report.notices.extend(sender.notices.into_inner());
    log::write(&report, around.settings, around.environment);
    Ok(report)
}

/// Keeps the text of a draft for these recipients; `None` where the user wants nothing kept.
pub fn keep(
    draft: &Draft,
    failed: &[String],
    around: &Surroundings<'_>,
) -> Option<Result<PathBuf, Failure>> {
    // As the child of a submission of our own, the parent keeps the text.
    if !around.settings.is_set("save") || around.environment.submitting {
        return None;
    }
    let identity = Identity::find(around.settings);
    let sender = match &draft.envelope_sender {
        Some(sender) => sender.to_string(),
        None => identity.login(),
    };
    let to = match failed {
        [] => draft
            .recipients()
            .map(|r| r.address().to_string())
            .collect::<Vec<_>>()
            .join(", "),
        failed => failed.join(", "),
    };
    let field = |name, text: &str| {
        let (value, _) = HeaderValue::from_free_text(text.as_bytes());
        (HeaderName::known(name), value)
    };
    let style = Style {
        wire: Wire::EightBit,
        default_from: Some(identity.default_from(false, None)),
        qualify: None,
        limit: None,
        leading: vec![
            field("X-Postrider-Unsent-To", &to),
            field("X-Postrider-Unsent-From", &sender),
        ],
    };
    let cannot = |error: io::Error| {
        Failure::new(Kind::CannotCreate, "the message is NOT KEPT")
            .because(exit::with_causes(&error))
    };
    Some(render(draft, &style).map_err(cannot).and_then(|rendered| {
        keep::keep(
            &rendered.message,
            around.settings,
            around.environment,
            &identity.login(),
        )
    }))
}

/// Keeps what was asked to be sent and cannot be.
pub fn keep_composed(
    composed: &Composed,
    around: &Surroundings<'_>,
) -> Option<Result<PathBuf, Failure>> {
    keep(&composed.draft, &[], around)
}

/// Renders the message of a plan's first copy, for a dry run.
///
/// # Errors
/// 66 when an attachment cannot be read any more, 73 when nothing can be spooled.
pub fn rehearse(draft: &Draft, plan: &Plan, around: &Surroundings<'_>) -> Result<Spool, Failure> {
    let route = plan.steps.iter().find_map(|step| step.route.as_ref().ok());
    Sender {
        notices: RefCell::default(),
        draft,
        plan,
        around,
    }
    .render(route)
}

/// Returns a route in a word or two.
pub fn name_of(route: &Route, plan: &Plan) -> String {
    match route {
        Route::Sendmail(path) => format!("sendmail {}", path.display()),
        Route::Relay => match &plan.relay {
            Some(url) => format!("relay {url}"),
            None => "relay".to_owned(),
        },
        Route::Local(name) => format!("mailbox of {name}"),
        Route::Test(None) => "test".to_owned(),
        Route::Test(Some(path)) => format!("test {}", path.display()),
    }
}

/// Groups copies by their route, in the order in which the routes come first; copies for
/// mailboxes are one group each.
fn groups(steps: &[Step]) -> Vec<(Option<&Route>, Vec<&Step>)> {
    let mut groups: Vec<(Option<&Route>, Vec<&Step>)> = Vec::new();
    let mut index: HashMap<Option<String>, usize> = HashMap::new();
    for step in steps {
        let route = step.route.as_ref().ok();
        let key = route.map(|route| format!("{route:?}"));
        match index.get(&key) {
            Some(&group) => groups[group].1.push(step),
            None => {
                index.insert(key, groups.len());
                groups.push((route, vec![step]));
            }
        }
    }
    groups
}

struct Sender<'a> {
    /// What else the user should know.
    notices: RefCell<Vec<String>>,
    draft: &'a Draft,
    plan: &'a Plan,
    around: &'a Surroundings<'a>,
}

impl Sender<'_> {
    /// Submits the copies of one route; returns their outcomes in order.
    fn submit(&mut self, route: &Route, steps: &[&Step]) -> Result<Vec<Outcome>, Failure> {
        if let Some(signal) = self.around.signals.received() {
            let text = "interrupted before it was handed over";
            let outcome = Outcome::new(Disposition::TryLater, Kind::Signal(signal), text);
            return Ok(vec![outcome; steps.len()]);
        }
        let message = match self.render(Some(route)) {
            Ok(message) => message,
            Err(failure) => {
                let text = exit::with_causes(&failure);
                let disposition = match failure.kind {
                    Kind::Unavailable => Disposition::Refused,
                    _ => Disposition::TryLater,
                };
                let outcome = Outcome::new(disposition, failure.kind, text);
                return Ok(vec![outcome; steps.len()]);
            }
        };
        let envelope = Envelope {
            sender: self.envelope_sender(route),
            null_sender: self.draft.null_sender,
            recipients: steps.iter().map(|step| step.target.clone()).collect(),
        };
        Ok(match route {
            Route::Sendmail(path) => self.by_sendmail(path, &envelope, &message),
            Route::Relay => self.by_relay(&envelope, message)?,
            Route::Local(name) => {
                let outcome = self.by_local(name, &envelope, &message);
                vec![outcome; steps.len()]
            }
            Route::Test(path) => {
                let outcome = self.by_test(path.as_deref(), &envelope, &message);
                vec![outcome; steps.len()]
            }
        })
    }

    fn render(&self, route: Option<&Route>) -> Result<Spool, Failure> {
        self.render_within(route, None)
    }

    /// Renders the message for a next hop that takes no larger ones than this.
    fn render_within(&self, route: Option<&Route>, limit: Option<u64>) -> Result<Spool, Failure> {
        let full_name = self.draft.full_name.as_ref().map(HeaderValue::as_str);
        let identity = &self.plan.identity;
        let default_from = match route {
            Some(Route::Sendmail(_)) => None,
            _ => Some(identity.default_from(route == Some(&Route::Relay), full_name)),
        };
        let style = Style {
            wire: match route {
                Some(Route::Local(_) | Route::Test(_)) => Wire::EightBit,
                _ => Wire::SevenBit,
            },
            default_from,
            qualify: match route {
                Some(Route::Relay) => Some(identity.qualify_domain.as_str()),
                _ => None,
            },
            limit: limit.into_iter().chain(self.draft.max_size).min(),
            leading: Vec::new(),
        };
        let rendered = render(self.draft, &style).map_err(|error| {
            let kind = match error.kind() {
                io::ErrorKind::FileTooLarge => Kind::Unavailable,
                _ => Kind::CannotCreate,
            };
            Failure::new(kind, "cannot compose the message").because(error)
        })?;
        for omitted in &rendered.omitted {
            let notice = format!(
                "{} is too large and only named in the message",
                omitted.name.as_str()
            );
            let mut notices = self.notices.borrow_mut();
            if !notices.contains(&notice) {
                notices.push(notice);
            }
        }
        Ok(rendered.message)
    }

    /// Returns the envelope sender: to sendmail none unless one was asked for.
    fn envelope_sender(&self, route: &Route) -> Option<EnvelopeAddress> {
        let identity = &self.plan.identity;
        match (route, &self.draft.envelope_sender) {
            (Route::Sendmail(_), asked) => asked.clone(),
            (Route::Relay, Some(asked)) => Some(asked.qualified(&identity.qualify_domain)),
            (Route::Relay, None) => Some(identity.default_sender(true)),
            (Route::Local(_) | Route::Test(_), Some(asked)) => Some(asked.clone()),
            (Route::Local(_) | Route::Test(_), None) => EnvelopeAddress::new(identity.login()).ok(),
        }
    }

    fn by_sendmail(
        &self,
        path: &std::path::Path,
        envelope: &Envelope,
        message: &Spool,
    ) -> Vec<Outcome> {
        let sendmail = Sendmail {
            program: path.to_owned(),
            full_name: self.draft.full_name.as_ref().map(ToString::to_string),
            verbose: self.around.settings.is_set("verbose"),
            timeout: self.seconds("sendmail-timeout"),
        };
        let outcomes = sendmail::submit(
            &sendmail,
            envelope,
            message,
            self.around.signals,
            &*self.around.observer,
        );
        outcomes.into_iter().map(|(_, outcome)| outcome).collect()
    }

    fn by_relay(&self, envelope: &Envelope, message: Spool) -> Result<Vec<Outcome>, Failure> {
        let Some(url) = &self.plan.relay else {
            return Err(Failure::new(
                Kind::Software,
                "a relay route without a relay",
            ));
        };
        let relay = relay::build(url, self.around, &self.plan.identity)?;
        let submit = |message| {
            let observer = Arc::clone(&self.around.observer);
            let raised = self.around.signals.raised();
            smtp::submit(&relay, envelope, Arc::new(message), observer, &raised)
        };
        let mut outcomes = submit(message);
        let limit = outcomes.iter().find_map(|(_, outcome)| outcome.size_limit);
        if let Some(limit) = limit
            && !self.draft.strict_size
            && !self.draft.attachments.is_empty()
        {
            // The text goes out; the attachments that are too large are named in it. Our lines end
            // in LF, the relay counts CRLF: a byte more for each of at most 77.
            let limit = limit - limit / 38;
            let smaller = self.render_within(Some(&Route::Relay), Some(limit))?;
            outcomes = submit(smaller);
        }
        let judged = outcomes.into_iter().map(|(_, mut outcome)| {
            relay::distrusted(self.around.settings, &mut outcome);
            outcome
        });
        Ok(judged.collect())
    }

    fn by_local(&self, name: &str, envelope: &Envelope, message: &Spool) -> Outcome {
        let environment = self.around.environment;
        let local = Local {
            spools: self.around.settings.spools(),
            mail: environment.mail.clone(),
            source_date_epoch: environment.source_date_epoch,
            lock_timeout: self
                .seconds("lock-timeout")
                .unwrap_or(Duration::from_secs(30)),
        };
        let sender = envelope
            .sender
            .clone()
            .unwrap_or_else(|| self.plan.identity.default_sender(false));
        local::deliver(&local, name, &sender, message)
    }

    /// Appends a copy to each file that is to have one; what fails is told and changes the status.
    fn copies(&self) -> Result<Vec<Failure>, Failure> {
        if self.draft.copies.is_empty() {
            return Ok(Vec::new());
        }
        let route = Route::Local(self.plan.identity.login());
        let message = self.render(Some(&route))?;
        let environment = self.around.environment;
        let line = local::from_line(&self.plan.identity.login(), environment.source_date_epoch);
        let folder = self.around.settings.text("folder").unwrap_or_default();
        let home = environment.home.as_deref();
        let failures = self.draft.copies.iter().filter_map(|name| {
            let path = match name.strip_prefix('+') {
                Some(name) => {
                    let folder = crate::config::mailrc::expand_home(folder, home);
                    home.unwrap_or(std::path::Path::new(""))
                        .join(folder)
                        .join(name)
                }
                None => crate::config::mailrc::expand_home(name, home),
            };
            let outcome = local::append_to_file(&path, &line, &message);
            (!outcome.is_accepted()).then(|| {
                let what = format!("the message is sent, but no copy is in {}", path.display());
                Failure::new(outcome.kind, what).because(outcome.text)
            })
        });
        Ok(failures.collect())
    }

    /// Appends to files and pipes to commands, where `expandaddr` let them be recipients.
    fn by_expansion(&self) -> Result<Vec<Entry>, Failure> {
        if self.draft.files.is_empty() && self.draft.commands.is_empty() {
            return Ok(Vec::new());
        }
        let route = Route::Local(self.plan.identity.login());
        let message = self.render(Some(&route))?;
        let line = local::from_line(
            &self.plan.identity.login(),
            self.around.environment.source_date_epoch,
        );
        let entry = |name: &str, route: &str, outcome| Entry {
            recipient: name.to_owned(),
            target: name.to_owned(),
            route: route.to_owned(),
            reason: "expandaddr is set".to_owned(),
            outcome,
        };
        let files = self.draft.files.iter().map(|path| {
            let home = self.around.environment.home.as_deref();
            let file = crate::config::mailrc::expand_home(path, home);
            entry(path, "file", local::append_to_file(&file, &line, &message))
        });
        let commands = self.draft.commands.iter().map(|command| {
            let outcome = sendmail::pipe(command, &message, self.around.signals);
            entry(&format!("|{command}"), "command", outcome)
        });
        Ok(files.chain(commands).collect())
    }

    /// Writes an mbox to standard output, or appends to a file that is one.
    fn by_test(
        &self,
        path: Option<&std::path::Path>,
        envelope: &Envelope,
        message: &Spool,
    ) -> Outcome {
        let sender = envelope
            .sender
            .as_ref()
            .map_or("unknown", |sender| sender.as_str());
        let line = local::from_line(sender, self.around.environment.source_date_epoch);
        let Some(path) = path else {
            return match to_stdout(&line, message) {
                Ok(()) => Outcome::new(
                    Disposition::Accepted,
                    Kind::Io,
                    "written to standard output",
                ),
                Err(error) => {
                    Outcome::new(Disposition::TryLater, Kind::Io, exit::with_causes(&error))
                }
            };
        };
        local::append_to_file(path, &line, message)
    }

    /// Returns a number of seconds that is set; 0 is "no limit", nonsense counts as the default.
    fn seconds(&self, name: &'static str) -> Option<Duration> {
        seconds(self.around.settings, name)
    }
}

/// Returns a variable as a time; 0 is "no limit", and nonsense counts as the default.
fn seconds(settings: &Settings, name: &'static str) -> Option<Duration> {
    let number = settings
        .number(name)
        .ok()
        .flatten()
        .or_else(|| crate::config::variables::row_of(name)?.default.parse().ok());
    number
        .filter(|seconds| *seconds > 0)
        .map(Duration::from_secs)
}

fn to_stdout(line: &[u8], message: &Spool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(line)?;
    let mut bytes = Vec::new();
    message.reader().read_to_end(&mut bytes)?;
    for text in bytes.split_inclusive(|&b| b == b'\n') {
        let unquoted = text.iter().position(|&b| b != b'>').unwrap_or(0);
        if text[unquoted..].starts_with(b"From ") {
            out.write_all(b">")?;
        }
        out.write_all(text)?;
    }
    out.write_all(b"\n")?;
    out.flush()
}
