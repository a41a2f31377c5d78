//! A session: connecting, greeting, TLS and login, and its end.
//!
//! Two kinds of end: a recipient is settled by its own reply, or something
//! stops the session, and its [`Outcome`] holds for every recipient not settled.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lettre::transport::smtp::commands::{Ehlo, Quit, Starttls};
use lettre::transport::smtp::extension::ClientId;

use super::auth;
use super::connection::{Connection, WireError};
use super::job::Job;
use super::lookup::resolve;
use super::part::DialoguePart;
use super::relay::Security;
use super::reply::{Capabilities, Reply};
use super::socket::Watch;
use super::tls::Judgement;
use super::verdict::{Stop, failure, unanswered, unconnected, undecided, verdict};
use crate::exit::Kind;
use crate::transport::{Disposition, Observer, Outcome, Scope};

/// How long QUIT may take to leave.
const FAREWELL: Duration = Duration::from_millis(500);

/// How long its reply is waited for where another connection follows: some relays count them.
const PATIENT_FAREWELL: Duration = Duration::from_secs(2);

/// How long we look for the last words of a relay that stopped reading.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How long the rest of a reply may take that came without a command.
const UNASKED: Duration = Duration::from_secs(1);

/// A dialogue with a relay that has greeted us.
pub(super) struct SmtpSession<'a> {
    /// The message that is being taken.
    pub(super) job: &'a Job<'a>,
    pub(super) wire: Connection,
    pub(super) offers: Capabilities,
    /// How many transactions were begun.
    pub(super) transactions: usize,
    /// Whether MAIL was sent and its transaction has not come to its end.
    pub(super) is_in_transaction: bool,
    /// Whether the relay has asked for the message and has not got its final dot.
    pub(super) is_sending_message: bool,
    /// Whether the relay has answered the first command of the present message.
    pub(super) has_answered: bool,
}

/// A connection between two messages.
pub(super) struct IdleSession {
    observer: Arc<dyn Observer>,
    wire: Connection,
    offers: Capabilities,
    transactions: usize,
    is_in_transaction: bool,
}

impl IdleSession {
    /// Returns whether the relay takes another transaction: up to so many, or to its own limit.
    pub(super) fn takes_more_than(&self, most: usize) -> bool {
        self.transactions < self.offers.mail_max.unwrap_or(most).min(most)
    }

    /// Goes on with a further message or transaction.
    pub(super) fn continue_with<'a>(self, job: &'a Job<'a>) -> SmtpSession<'a> {
        SmtpSession {
            job,
            wire: self.wire,
            offers: self.offers,
            transactions: self.transactions,
            is_in_transaction: self.is_in_transaction,
            is_sending_message: false,
            has_answered: false,
        }
    }

    /// Says QUIT, without a wait for the reply; nothing depends on it.
    pub(super) fn quit(self) {
        self.leave(FAREWELL, None);
    }

    /// Says QUIT, and waits a moment for the reply, before another connection is made for this job.
    pub(super) fn quit_for_another(self, job: &Job<'_>) {
        self.leave(PATIENT_FAREWELL, Some(job));
    }

    fn leave(mut self, limit: Duration, job: Option<&Job<'_>>) {
        let quit = Quit.to_string();
        self.observer.dialogue(true, quit.trim_end());
        let end = Instant::now() + limit;
        let watch = Farewell { end, job };
        if self.wire.send(quit.as_bytes(), &watch).is_err() {
            return;
        }
        if job.is_some() {
            let _ = self.wire.reply(limit, &watch);
        }
        self.wire.finish(&watch);
    }
}

/// Lets QUIT and its reply take until a moment, or as long as a job goes on.
struct Farewell<'a> {
    end: Instant,
    job: Option<&'a Job<'a>>,
}

impl Watch for Farewell<'_> {
    fn goes_on(&self) -> bool {
        Instant::now() < self.end && self.job.is_none_or(Job::goes_on)
    }
}

impl<'a> SmtpSession<'a> {
    fn new(job: &'a Job<'a>, wire: Connection) -> SmtpSession<'a> {
        SmtpSession {
            job,
            wire,
            offers: Capabilities::default(),
            transactions: 0,
            is_in_transaction: false,
            is_sending_message: false,
            has_answered: false,
        }
    }

    /// Ends the work for this message, and keeps the connection.
    pub(super) fn rest(self) -> IdleSession {
        IdleSession {
            observer: Arc::clone(self.job.observer),
            wire: self.wire,
            offers: self.offers,
            transactions: self.transactions,
            is_in_transaction: self.is_in_transaction,
        }
    }

    /// Returns whether the connection was lost before the relay answered anything of the present
    /// transaction, and had been good for one before.
    pub(super) fn was_lost_between_messages(&self) -> bool {
        self.transactions > 0 && !self.has_answered && !self.job.progress.is_abandoned()
    }

    /// Connects, greets, secures the channel and authenticates.
    pub(super) fn open(job: &'a Job<'a>) -> Result<SmtpSession<'a>, Outcome> {
        // Whatever fails until MAIL can be sent is of the route: the relay knows nothing of the
        // message yet. A relay that wants fewer connections has said so.
        SmtpSession::find(job).map_err(|outcome| match outcome.scope {
            Scope::Throttled => outcome,
            _ => outcome.scope(Scope::Route),
        })
    }

    fn find(job: &'a Job<'a>) -> Result<SmtpSession<'a>, Outcome> {
        job.progress.enter("the name service");
        let addresses = resolve(job.relay, job)?;
        // RFC 5321 section 5.1: a client tries every address of a host before it gives up. The name
        // service gives them in the order in which this host prefers them (RFC 6724).
        let mut last = None;
        for address in &addresses {
            // A refusal or a bad certificate is an answer; an address that gives none is passed over.
            match SmtpSession::reach(job, *address) {
                Ok(wire) => return SmtpSession::start(job, wire),
                Err(outcome) if matches!(outcome.disposition, Disposition::TryLater(_)) => {
                    last = Some(outcome);
                }
                Err(outcome) => return Err(outcome),
            }
            // After a signal or the deadline there is nothing to be waited for.
            if job.progress.is_abandoned() {
                break;
            }
        }
        let mut outcome = last.unwrap_or_else(|| undecided(job.relay));
        if addresses.len() > 1 {
            outcome.text = format!("{} (tried {} addresses)", outcome.text, addresses.len());
        }
        Err(outcome)
    }

    /// Connects to one address and reads its greeting.
    fn reach(job: &Job<'_>, address: SocketAddr) -> Result<Connection, Outcome> {
        let relay = job.relay;
        let limits = &relay.timeouts;
        job.progress.enter(&format!("a connection to {address}"));
        let mask = Arc::clone(job.mask);
        let mut wire = Connection::open(address, limits.connect, limits.reply, mask, job)
            .map_err(|error| unconnected(relay, address.ip(), &error))?;
        job.note(&format!("connected to {address}"));
        // RFC 8314 section 3.3: on port 465 the TLS handshake comes before the greeting; a server
        // that expects TLS says nothing in clear.
        if relay.security == Security::Implicit {
            job.progress.enter("the TLS handshake");
            wire = wire
                .start_tls(&relay.terms(address.ip()), limits.reply, job, |line| {
                    job.note(&line);
                })
                .map_err(|error| failure(relay, "cannot start TLS", &error))?;
        }
        job.progress.enter("the greeting");
        let greeting = wire
            .reply(limits.reply, job)
            .map_err(|error| unanswered(relay, "greeting", limits.reply, &error))?;
        // The greeting is shown before it is judged, so that `-v` shows why a relay sends us away
        // (554, RFC 5321 section 3.1).
        for line in &greeting.lines {
            job.observer
                .dialogue(false, &format!("{} {line}", greeting.code));
        }
        if greeting.code == 220 {
            Ok(wire)
        } else {
            Err(verdict(&greeting, DialoguePart::Session))
        }
    }

    /// Continues after the greeting, until mail can be sent.
    fn start(job: &'a Job<'a>, wire: Connection) -> Result<SmtpSession<'a>, Outcome> {
        let mut session = SmtpSession::new(job, wire);
        session.hello()?;
        // The capabilities of this first EHLO came in clear, and anybody on the way could have
        // changed them: they only decide whether STARTTLS is tried. `requires_tls` keeps a removed
        // STARTTLS from turning into mail in clear.
        let security = job.relay.security;
        let wants_tls = matches!(security, Security::StartTls | Security::Opportunistic);
        if wants_tls && session.offers.starttls {
            session = session.secure()?;
        } else if wants_tls && job.relay.requires_tls() {
            let text = format!("{}: the relay offers no STARTTLS", job.relay.name());
            return Err(
                Outcome::new(Disposition::Refused(Kind::Unavailable), text).hint(
                    "nothing was sent, because TLS is required; if the relay uses TLS from the start, write smtps://",
                ),
            );
        }
        // AUTH comes last: credentials may only travel when the channel has the security that the
        // settings ask for, and the mechanisms that count are those of the EHLO inside TLS.
        session.authenticate()?;
        Ok(session)
    }

    /// Sends EHLO, and HELO to a relay that does not know it.
    fn hello(&mut self) -> Result<(), Outcome> {
        let name = self.own_name();
        let reply = self.command(Ehlo::new(name.clone()))?;
        if reply.is_positive() {
            self.offers = reply.offers;
            return Ok(());
        }
        // HELO has no extensions (RFC 5321 section 4.1.1.1): what an earlier EHLO of this
        // connection offered must not be used after it.
        self.offers = Capabilities::default();
        // These codes mean "I do not know EHLO". Any other refusal, such as 550 or 554, is about
        // us, and HELO would only be refused again.
        if !matches!(reply.code, 500 | 502 | 504) {
            return Err(verdict(&reply, DialoguePart::Hello));
        }
        // lettre has no HELO: it gives up on a relay without EHLO.
        let reply = self.command(format_args!("HELO {name}\r\n"))?;
        if reply.is_positive() {
            Ok(())
        } else {
            Err(verdict(&reply, DialoguePart::Hello))
        }
    }

    /// Returns what we call ourselves: a full host name, or the address of our end.
    fn own_name(&self) -> ClientId {
        let name = self.job.relay.helo_name.trim_end_matches('.');
        // Many servers refuse a name without a dot as no fully qualified name, and a character
        // outside of letters, digits, `-`, `.` and `_` as a syntax error.
        let fits = name.contains('.')
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
        if fits {
            return ClientId::Domain(name.to_owned());
        }
        // RFC 5321 section 4.1.4: a client without a meaningful name sends the literal of its
        // address. An IPv4 address that the socket shows mapped into IPv6 is sent as IPv4, which is
        // how the relay sees us.
        match self.wire.local().map(|address| address.ip().to_canonical()) {
            Ok(std::net::IpAddr::V4(address)) => ClientId::Ipv4(address),
            Ok(std::net::IpAddr::V6(address)) => ClientId::Ipv6(address),
            Err(_) => ClientId::Domain("localhost".to_owned()),
        }
    }

    /// Runs STARTTLS and greets anew: nothing said in clear counts (RFC 3207 section 4.2).
    fn secure(mut self) -> Result<SmtpSession<'a>, Outcome> {
        let job = self.job;
        let relay = job.relay;
        let peer = self.wire.peer();
        let terms = relay.terms(peer.ip());
        // Only where the settings ask for neither TLS nor a certificate is clear text as good as
        // TLS; every other case fails closed.
        let may_do_without = !relay.requires_tls() && terms.judgement == Judgement::None;
        let reply = self.command(Starttls)?;
        if reply.code != 220 {
            if may_do_without {
                return Ok(self);
            }
            let mut outcome = verdict(&reply, DialoguePart::Tls);
            outcome.text = format!("the relay refuses STARTTLS: {}", outcome.text);
            return Err(outcome);
        }
        job.progress.enter("the TLS handshake");
        match self
            .wire
            .start_tls(&terms, relay.timeouts.reply, job, |line| job.note(&line))
        {
            Ok(wire) => self = SmtpSession { wire, ..self },
            // Where clear text is good enough, TLS that does not work is no reason to send nothing.
            Err(WireError::Tls(_) | WireError::Closed) if may_do_without => {
                // After a failed handshake the socket is in no known state, so the dialogue starts
                // again on a new one and does not ask for STARTTLS.
                let wire = SmtpSession::reach(job, peer)?;
                let mut session = SmtpSession::new(job, wire);
                session.hello()?;
                return Ok(session);
            }
            Err(error) => return Err(failure(relay, "cannot start TLS", &error)),
        }
        self.hello()?;
        Ok(self)
    }

    /// Runs AUTH, if there are credentials and the channel may carry them.
    fn authenticate(&mut self) -> Result<(), Outcome> {
        let job = self.job;
        let relay = job.relay;
        let Some(credentials) = &relay.credentials else {
            return Ok(());
        };
        let refuse = |why: &str| {
            let text = format!("{}: {why}", relay.name());
            Outcome::new(Disposition::Refused(Kind::NoPermission), text)
        };
        if !relay.may_authenticate(self.wire.peer().ip(), self.wire.is_encrypted()) {
            // A password that has been sent cannot be taken back. So both questions, is the channel
            // encrypted and is the other end known, are answered before the first byte of AUTH.
            return Err(if self.wire.is_encrypted() {
                refuse("credentials are not sent to a relay whose certificate is not verified")
            } else {
                refuse("credentials are not sent over a connection without TLS")
                    .hint("use smtps:// or submission://, or remove the login")
            });
        }
        let candidates = auth::candidates(credentials.mechanism, &self.offers.auth);
        if candidates.is_empty() {
            return Err(refuse(&match self.offers.auth.as_slice() {
                [] => "the relay offers no AUTH".to_owned(),
                offers => format!(
                    "the relay offers no AUTH mechanism that Postrider supports, only {}",
                    self.wire.masked(&offers.join(" "))
                ),
            }));
        }
        let mut outcome = undecided(self.job.relay);
        // PLAIN comes before LOGIN: it takes one turn less. Some servers offer both and implement
        // only one, hence the loop.
        for mechanism in candidates {
            let reply = self.exchange(mechanism, credentials)?;
            if reply.code == 235 {
                return Ok(());
            }
            outcome = verdict(&reply, DialoguePart::Authentication);
            outcome.text = format!(
                "{}: login as {}: {}",
                relay.name(),
                credentials.user,
                outcome.text
            );
            // Only "I do not know this mechanism" is a reason to show the secret once more.
            if !matches!(reply.code, 500..=504) {
                break;
            }
        }
        Err(outcome)
    }

    /// Runs one AUTH exchange; returns the reply that ends it.
    fn exchange(
        &mut self,
        mechanism: auth::Mechanism,
        credentials: &auth::Credentials,
    ) -> Result<Reply, Outcome> {
        let job = self.job;
        let relay = job.relay;
        let mut line = auth::first(mechanism, credentials, &relay.host, relay.port);
        let mut turn = 0;
        loop {
            // Only `shown` ever reaches the observer; `bytes` holds the secret and goes to the
            // socket alone. No error text below holds a part of the line either.
            self.show_line(true, &line.shown);
            self.job.progress.enter("the reply to AUTH");
            self.send(line.bytes.as_bytes(), "cannot send AUTH")?;
            let reply = self.reply("AUTH")?;
            if reply.code != 334 {
                return Ok(reply);
            }
            match auth::answer(mechanism, credentials, turn) {
                Some(answer) => line = answer,
                // RFC 4954 section 4: a lone asterisk cancels the exchange.
                None => return Ok(self.command("*\r\n")?),
            }
            // A server that challenges for ever ends here as well: `answer` has one or two answers
            // for a mechanism, and the next challenge is cancelled.
            turn += 1;
        }
    }

    /// Sends one command, which ends in CRLF, and reads its reply.
    pub(super) fn command(&mut self, command: impl fmt::Display) -> Result<Reply, Stop> {
        let line = command.to_string();
        self.show_line(true, line.trim_end());
        self.send(line.as_bytes(), "cannot send a command")?;
        let reply = self.reply(&line)?;
        if reply.code == 421 {
            return Err(Stop::Broken(verdict(&reply, DialoguePart::Session)));
        }
        Ok(reply)
    }

    /// Sends bytes; if the relay has closed the connection, its reason is the outcome.
    pub(super) fn send(&mut self, bytes: &[u8], doing: &str) -> Result<(), Stop> {
        self.still_wanted()?;
        self.unasked()?;
        match self.wire.send(bytes, self.job) {
            Ok(()) => Ok(()),
            // Its reason may lie unread in our receive buffer behind the failed write.
            Err(WireError::Closed) => self.last_words(doing, &WireError::Closed),
            Err(error) => Err(Stop::Broken(failure(self.job.relay, doing, &error))),
        }
    }

    /// Stops where the relay has answered before it was asked: to be called before each command.
    ///
    /// Such an answer says nothing of the command that is sent now. A relay that writes all its
    /// replies at once has read nothing of the message (see also RFC 3207 section 6, for what may
    /// stand between us and it). Only "I am closing" may come at any time (421, RFC 5321 3.8).
    pub(super) fn unasked(&mut self) -> Result<(), Stop> {
        if !self.wire.has_spoken() {
            return Ok(());
        }
        // A close without words is left for the write or the read that follows, which knows what it
        // was doing and says so.
        self.early_words(UNASKED, self.is_sending_message)
    }

    /// Asks a relay that stopped taking our bytes whether it said why.
    pub(super) fn last_words<T>(&mut self, doing: &str, error: &WireError) -> Result<T, Stop> {
        // A write fails when the relay has closed its end. Its reply, such as 552 for a message that
        // became too large, or 554 for a blocked client, may have come before that and explains more
        // than "connection closed".
        self.early_words(LAST_WORDS, true)?;
        Err(Stop::Broken(failure(self.job.relay, doing, error)))
    }

    /// Stops with what the relay says unasked, if it says something in this time. No further reply
    /// can be matched with its command then, so the connection ends.
    fn early_words(&mut self, limit: Duration, is_refusal_believed: bool) -> Result<(), Stop> {
        let heard = self.wire.reply(limit, self.job);
        let relay = self.job.relay.name();
        let early = |words: &str| {
            let text = format!("{relay}: the relay answered before it was asked{words}");
            let outcome = Outcome::new(Disposition::TryLater(Kind::Protocol), text);
            Err(Stop::Broken(outcome.scope(Scope::Route)))
        };
        match heard {
            Ok(reply) => {
                self.show(&reply);
                match reply.code {
                    421 => Err(Stop::Broken(verdict(&reply, DialoguePart::Session))),
                    // In the middle of a message, or before it hangs up: the relay does not want the
                    // message. Whoever says so can only keep it from being sent.
                    400..=599 if is_refusal_believed => {
                        Err(Stop::Broken(verdict(&reply, DialoguePart::Message)))
                    }
                    _ => early(&format!(": {}", reply.text())),
                }
            }
            Err(WireError::Reply(error)) => early(&format!(": {error}")),
            Err(WireError::GivenUp) => Err(self.unwanted()),
            Err(_) if self.wire.has_spoken() => early(""),
            Err(_) => Ok(()),
        }
    }

    /// Reads the reply to this command.
    pub(super) fn reply(&mut self, command: &str) -> Result<Reply, Stop> {
        // Of a command only its verb is named: the rest may hold an address or, for AUTH, a secret,
        // and the text of an error is printed and logged.
        let word = command.split_whitespace().next().unwrap_or_default();
        let what = format!("reply to {word}");
        self.job.progress.enter(&format!("the {what}"));
        let relay = self.job.relay;
        let limit = relay.timeouts.reply;
        let reply = self
            .wire
            .reply(limit, self.job)
            .map_err(|error| Stop::Broken(unanswered(relay, &what, limit, &error)))?;
        // "I am closing" is no answer: it may come at any time (RFC 5321 section 3.8).
        self.has_answered |= reply.code != 421;
        self.show(&reply);
        Ok(reply)
    }

    /// Stops where the dialogue is to be given up: between two steps, as in every wait.
    pub(super) fn still_wanted(&self) -> Result<(), Stop> {
        if self.job.goes_on() {
            Ok(())
        } else {
            Err(self.unwanted())
        }
    }

    pub(super) fn unwanted(&self) -> Stop {
        Stop::Broken(undecided(self.job.relay))
    }

    pub(super) fn show(&self, reply: &Reply) {
        for line in &reply.lines {
            self.show_line(false, &format!("{} {line}", reply.code));
        }
    }

    pub(super) fn show_line(&self, from_us: bool, line: &str) {
        self.job.observer.dialogue(from_us, line);
    }
}
