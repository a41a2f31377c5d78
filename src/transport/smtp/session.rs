//! The dialogue: commands, and what the replies mean for each recipient.
//!
//! Two kinds of end: a recipient is settled by its own reply, or something
//! stops the session and its [`Outcome`] holds for everybody not settled.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::mpsc::Sender;
use std::time::Duration;

use lettre::transport::smtp::extension::ClientId;

use super::auth;
use super::connection::{Connection, WireError, plain};
use super::data::{Block, Blocks, Measure, measure};
use super::reply::{Capabilities, Reply};
use super::tls::{Judgement, TlsError, format_fingerprint};
use super::{Job, Relay, Security, seconds, uncertain};
use crate::address::EnvelopeAddress;
use crate::exit::Kind;
use crate::transport::{Disposition, Outcome};

/// How many commands are sent before their replies are read; more could fill the buffers of both
/// sides, each waiting for the other to read (RFC 2920 section 3.1).
const WINDOW: usize = 100;

/// How long we look for the last words of a relay that stopped reading.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How long the reply to QUIT may take; nothing depends on it.
const FAREWELL: Duration = Duration::from_secs(2);

/// Runs a whole dialogue and sends the outcome of those recipients that have none of their own.
///
/// The outcome is sent before the relay's reply to QUIT is waited for: it is final by then.
pub(super) fn run(job: &Job, done: &Sender<Outcome>) {
    let (rest, session) = match Session::open(job) {
        Ok(mut session) => match session.transact() {
            Ok(()) => (undecided(job), Some(session)),
            Err(Stop::Polite(outcome)) => (outcome, Some(session)),
            Err(Stop::Broken(outcome)) => (outcome, None),
        },
        Err(outcome) => (outcome, None),
    };
    let Some(mut session) = session else {
        let _ = done.send(rest);
        return;
    };
    session.tell(true, "QUIT");
    let sent = session.wire.send(b"QUIT\r\n");
    // A receiver that is gone has given up on us: nobody is left to be told.
    let _ = done.send(rest);
    if sent.is_ok() {
        let _ = session.wire.reply(FAREWELL);
    }
    session.wire.finish();
}

/// The outcome of recipients nobody decided on; there are none.
fn undecided(job: &Job) -> Outcome {
    let text = format!("{}: no outcome was recorded", job.relay.name());
    Outcome::new(Disposition::TryLater, Kind::Software, text)
}

/// Why a transaction ends before its end.
enum Stop {
    /// The relay still listens: QUIT is in order.
    Polite(Outcome),
    /// There is nobody to talk to.
    Broken(Outcome),
}

impl From<Stop> for Outcome {
    fn from(stop: Stop) -> Outcome {
        match stop {
            Stop::Polite(outcome) | Stop::Broken(outcome) => outcome,
        }
    }
}

/// What a command was about, as far as it decides what a refusal means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Subject {
    Session,
    Authentication,
    Recipient,
    Message,
}

/// Says what a reply that is no success means.
fn verdict(reply: &Reply, subject: Subject) -> Outcome {
    let (disposition, kind) = if reply.is_temporary() {
        (Disposition::TryLater, Kind::TryLater)
    } else if reply.is_permanent() {
        let kind = match (subject, reply.code) {
            (Subject::Authentication, _) | (_, 530 | 534 | 535 | 538) => Kind::NoPermission,
            (Subject::Recipient, _) => Kind::Data,
            (Subject::Session | Subject::Message, _) => Kind::Unavailable,
        };
        (Disposition::Refused, kind)
    } else {
        let text = format!("unexpected reply: {} {}", reply.code, reply.text());
        return Outcome::new(Disposition::TryLater, Kind::Protocol, text).code(reply.code);
    };
    let outcome = Outcome::new(disposition, kind, reply.text()).code(reply.code);
    if reply.code == 530 && subject != Subject::Authentication {
        return outcome.hint("the relay wants credentials: set smtp-auth-user and a password");
    }
    outcome
}

/// Says what a failure of the network, of TLS or of the protocol means before the final dot.
fn failure(relay: &Relay, doing: &str, error: &WireError) -> Outcome {
    let text = format!("{}: {doing}: {error}", relay.name());
    let later = |kind| Outcome::new(Disposition::TryLater, kind, text.clone());
    let refused = |kind| Outcome::new(Disposition::Refused, kind, text.clone());
    match error {
        WireError::Timeout | WireError::Closed | WireError::Io(_) => later(Kind::TryLater),
        WireError::Reply(_) | WireError::Tls(TlsError::Handshake(_)) => later(Kind::Protocol),
        WireError::Injected => refused(Kind::Protocol)
            .hint("somebody between us and the relay may be changing the connection"),
        WireError::Tls(TlsError::CaFile(..) | TlsError::Name(_)) => refused(Kind::Config),
        WireError::Tls(TlsError::Certificate { fingerprint, .. }) => {
            let outcome = refused(Kind::NoPermission);
            match fingerprint {
                Some(fingerprint) => outcome.hint(format!(
                    "if this certificate is the relay's: set tls-fingerprint={}",
                    format_fingerprint(fingerprint)
                )),
                None => outcome,
            }
        }
    }
}

/// Finds the addresses of a relay.
fn resolve(relay: &Relay) -> Result<Vec<SocketAddr>, Outcome> {
    let host = relay.host.as_str();
    match (host, relay.port).to_socket_addrs() {
        Ok(addresses) => {
            let addresses: Vec<SocketAddr> = addresses.collect();
            if addresses.is_empty() {
                return Err(unknown_host(host, "it has no address"));
            }
            Ok(addresses)
        }
        Err(error) => Err(lookup_failure(host, &error)),
    }
}

fn unknown_host(host: &str, why: &str) -> Outcome {
    let text = format!("cannot find the relay {host}: {why}");
    Outcome::new(Disposition::Refused, Kind::NoHost, text)
}

/// Tells an unknown name from a name service that does not answer. std hides the number that
/// `getaddrinfo` returned, so its words (glibc's, musl's) have to do; what we do not know is temporary.
fn lookup_failure(host: &str, error: &io::Error) -> Outcome {
    const UNKNOWN: [&str; 3] = ["not known", "No address associated", "does not resolve"];
    let words = plain(error);
    let words = words
        .strip_prefix("failed to lookup address information: ")
        .unwrap_or(&words);
    if UNKNOWN.iter().any(|unknown| words.contains(unknown)) {
        return unknown_host(host, words);
    }
    let text = format!("cannot look up the relay {host}: {words}");
    if error.kind() == io::ErrorKind::InvalidInput {
        return Outcome::new(Disposition::Refused, Kind::Config, text);
    }
    Outcome::new(Disposition::TryLater, Kind::TryLater, text)
}

/// A dialogue with a relay that has greeted us.
struct Session<'a> {
    job: &'a Job,
    wire: Connection,
    offers: Capabilities,
}

impl<'a> Session<'a> {
    /// Connects, greets, secures the channel and authenticates.
    fn open(job: &'a Job) -> Result<Session<'a>, Outcome> {
        job.progress.enter("the name service");
        let addresses = resolve(&job.relay)?;
        let mut last = None;
        for address in &addresses {
            // A refusal or a bad certificate is an answer; an address that gives none is passed over.
            match Session::reach(job, *address) {
                Ok(wire) => return Session::start(job, wire),
                Err(outcome) if outcome.disposition == Disposition::TryLater => {
                    last = Some(outcome);
                }
                Err(outcome) => return Err(outcome),
            }
            if job.progress.is_abandoned() {
                break;
            }
        }
        let mut outcome = last.unwrap_or_else(|| undecided(job));
        if addresses.len() > 1 {
            outcome.text = format!("{} (tried {} addresses)", outcome.text, addresses.len());
        }
        Err(outcome)
    }

    /// Connects to one address and reads its greeting.
    fn reach(job: &Job, address: SocketAddr) -> Result<Connection, Outcome> {
        let relay = &job.relay;
        let limits = &relay.timeouts;
        job.progress.enter(&format!("a connection to {address}"));
        let mut wire =
            Connection::open(address, limits.connect, limits.reply).map_err(|error| {
                failure(
                    relay,
                    &format!("cannot connect to {}", address.ip()),
                    &error,
                )
            })?;
        if relay.security == Security::Implicit {
            job.progress.enter("the TLS handshake");
            wire = wire
                .start_tls(&relay.host, &relay.judgement(address.ip()), limits.reply)
                .map_err(|error| failure(relay, "cannot start TLS", &error))?;
        }
        job.progress.enter("the greeting");
        let greeting = wire
            .reply(limits.reply)
            .map_err(|error| failure(relay, "no greeting", &error))?;
        for line in &greeting.lines {
            job.observer
                .dialogue(false, &format!("{} {line}", greeting.code));
        }
        if greeting.code == 220 {
            Ok(wire)
        } else {
            Err(verdict(&greeting, Subject::Session))
        }
    }

    /// Goes on from the greeting to where mail can be sent.
    fn start(job: &'a Job, wire: Connection) -> Result<Session<'a>, Outcome> {
        let mut session = Session {
            job,
            wire,
            offers: Capabilities::default(),
        };
        session.hello()?;
        let security = job.relay.security;
        let wants_tls = matches!(security, Security::StartTls | Security::Opportunistic);
        if wants_tls && session.offers.starttls {
            session = session.secure()?;
        } else if security == Security::StartTls {
            let text = format!("{}: the relay offers no STARTTLS", job.relay.name());
            return Err(
                Outcome::new(Disposition::Refused, Kind::Unavailable, text).hint(
                    "nothing was sent, because encryption is required here; TLS from the start is smtps://",
                ),
            );
        }
        session.authenticate()?;
        Ok(session)
    }

    /// Sends EHLO, and HELO to a relay that does not know it.
    fn hello(&mut self) -> Result<(), Outcome> {
        let name = self.own_name();
        let reply = self.command(&format!("EHLO {name}"))?;
        if reply.is_positive() {
            self.offers = Capabilities::of(&reply);
            return Ok(());
        }
        self.offers = Capabilities::default();
        if !matches!(reply.code, 500 | 502 | 504) {
            return Err(verdict(&reply, Subject::Session));
        }
        let reply = self.command(&format!("HELO {name}"))?;
        if reply.is_positive() {
            Ok(())
        } else {
            Err(verdict(&reply, Subject::Session))
        }
    }

    /// Returns what we call ourselves: a full host name, or the address of our end.
    fn own_name(&self) -> ClientId {
        let name = self.job.relay.helo_name.trim_end_matches('.');
        let fits = name.contains('.')
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
        if fits {
            return ClientId::Domain(name.to_owned());
        }
        match self.wire.local().map(|address| address.ip().to_canonical()) {
            Ok(std::net::IpAddr::V4(address)) => ClientId::Ipv4(address),
            Ok(std::net::IpAddr::V6(address)) => ClientId::Ipv6(address),
            Err(_) => ClientId::Domain("localhost".to_owned()),
        }
    }

    /// Runs STARTTLS and greets anew: nothing said in clear counts (RFC 3207 section 4.2).
    fn secure(mut self) -> Result<Session<'a>, Outcome> {
        let job = self.job;
        let relay = &job.relay;
        let peer = self.wire.peer();
        let judgement = relay.judgement(peer.ip());
        let may_do_without =
            relay.security == Security::Opportunistic && judgement == Judgement::None;
        let reply = self.command("STARTTLS")?;
        if reply.code != 220 {
            if may_do_without {
                return Ok(self);
            }
            let mut outcome = verdict(&reply, Subject::Session);
            outcome.text = format!("the relay refuses STARTTLS: {}", outcome.text);
            return Err(outcome);
        }
        job.progress.enter("the TLS handshake");
        match self
            .wire
            .start_tls(&relay.host, &judgement, relay.timeouts.reply)
        {
            Ok(wire) => self = Session { wire, ..self },
            // Where clear text is good enough, TLS that does not work is no reason to send nothing.
            Err(WireError::Tls(_) | WireError::Closed) if may_do_without => {
                let wire = Session::reach(job, peer)?;
                let mut session = Session {
                    job,
                    wire,
                    offers: Capabilities::default(),
                };
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
        let relay = &self.job.relay;
        let Some(credentials) = &relay.credentials else {
            return Ok(());
        };
        let refuse = |why: &str| {
            let text = format!("{}: {why}", relay.name());
            Outcome::new(Disposition::Refused, Kind::NoPermission, text)
        };
        if !relay.may_authenticate(self.wire.peer().ip(), self.wire.is_encrypted()) {
            return Err(if self.wire.is_encrypted() {
                refuse("credentials are not sent to a relay whose certificate is not verified")
            } else {
                refuse("credentials are not sent over a connection without TLS")
                    .hint("use smtps:// or submission://, or take the credentials away")
            });
        }
        let candidates = auth::candidates(credentials.mechanism, &self.offers.auth);
        if candidates.is_empty() {
            return Err(refuse(&match self.offers.auth.as_slice() {
                [] => "the relay offers no AUTH".to_owned(),
                offers => format!(
                    "no AUTH mechanism in common; it offers {}",
                    offers.join(" ")
                ),
            }));
        }
        let mut outcome = undecided(self.job);
        for mechanism in candidates {
            let reply = self.exchange(mechanism, credentials)?;
            if reply.code == 235 {
                return Ok(());
            }
            outcome = verdict(&reply, Subject::Authentication);
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
        let relay = &self.job.relay;
        let mut line = auth::first(mechanism, credentials, &relay.host, relay.port);
        let mut turn = 0;
        loop {
            self.tell(true, &line.shown);
            self.job.progress.enter("the reply to AUTH");
            self.send(line.bytes.as_bytes(), "cannot send AUTH")?;
            let reply = self.reply("AUTH")?;
            if reply.code != 334 {
                return Ok(reply);
            }
            match auth::answer(mechanism, credentials, turn) {
                Some(answer) => line = answer,
                // RFC 4954 section 4: a lone asterisk cancels the exchange.
                None => return Ok(self.command("*")?),
            }
            turn += 1;
        }
    }

    /// Takes the message over: MAIL, RCPT, DATA, the message.
    fn transact(&mut self) -> Result<(), Stop> {
        let measured = self.measure()?;
        let mail = self.mail_command(measured)?;
        let recipients = self.rcpt_commands();
        if recipients.is_empty() {
            return Ok(());
        }
        let accepted = self.address_envelope(mail, recipients)?;
        if accepted.is_empty() {
            return Ok(());
        }
        let last = self.send_message()?;
        if !last.is_positive() {
            return Err(Stop::Polite(verdict(&last, Subject::Message)));
        }
        for recipient in accepted {
            let outcome =
                Outcome::new(Disposition::Accepted, Kind::Nothing, last.text()).code(last.code);
            self.job.progress.settle(recipient, outcome);
        }
        Ok(())
    }

    fn measure(&self) -> Result<Measure, Stop> {
        let read = || measure(&mut *self.job.message.reader()?);
        read().map_err(|error| Stop::Polite(unreadable(&error)))
    }

    /// Returns the MAIL command, or why there is none to be sent.
    fn mail_command(&self, measured: Measure) -> Result<String, Stop> {
        let refuse = |kind, text| Err(Stop::Polite(Outcome::new(Disposition::Refused, kind, text)));
        if let Some(Some(limit)) = self.offers.size
            && measured.size > limit
        {
            return refuse(
                Kind::Unavailable,
                format!(
                    "{}: the message has {} bytes, the relay takes {limit}",
                    self.job.relay.name(),
                    measured.size
                ),
            );
        }
        let envelope = &self.job.envelope;
        let path = match &envelope.sender {
            Some(sender) if !envelope.null_sender => match path_of(sender, self.offers.smtputf8) {
                Ok(path) => path,
                Err(why) => return refuse(Kind::Data, format!("sender {sender}: {why}")),
            },
            _ if envelope.null_sender => String::new(),
            _ => return refuse(Kind::Config, "a relay needs a sender address".to_owned()),
        };
        let mut command = format!("MAIL FROM:<{path}>");
        if self.offers.size.is_some() {
            command += &format!(" SIZE={}", measured.size);
        }
        if self.offers.eight_bit_mime && measured.eight_bit {
            command += " BODY=8BITMIME";
        }
        let needs_utf8 = |address: &EnvelopeAddress| !address.local_part().is_ascii();
        if self.offers.smtputf8 && (!path.is_ascii() || envelope.recipients.iter().any(needs_utf8))
        {
            command += " SMTPUTF8";
        }
        Ok(command)
    }

    /// Returns the RCPT commands; settles those recipients that this relay cannot be told.
    fn rcpt_commands(&self) -> Vec<(usize, String)> {
        let mut commands = Vec::new();
        for (index, recipient) in self.job.envelope.recipients.iter().enumerate() {
            match path_of(recipient, self.offers.smtputf8) {
                Ok(path) => commands.push((index, format!("RCPT TO:<{path}>"))),
                Err(why) => {
                    let outcome = Outcome::new(Disposition::Refused, Kind::Data, why);
                    self.job.progress.settle(index, outcome);
                }
            }
        }
        commands
    }

    /// Sends MAIL, RCPT and DATA, pipelined where that is offered, and settles every recipient that
    /// is refused. Returns those that are not, for whom the relay now waits for the message.
    fn address_envelope(
        &mut self,
        mail: String,
        recipients: Vec<(usize, String)>,
    ) -> Result<Vec<usize>, Stop> {
        let window = if self.offers.pipelining { WINDOW } else { 1 };
        let mut steps = vec![(Step::Mail, mail)];
        steps.extend(
            recipients
                .into_iter()
                .map(|(index, command)| (Step::Rcpt(index), command)),
        );
        steps.push((Step::Data, "DATA".to_owned()));

        let mut accepted = Vec::new();
        for batch in steps.chunks(window) {
            // In lock-step we know before DATA that there is nobody to send it to.
            let lone_data = batch.iter().all(|(step, _)| *step == Step::Data);
            if lone_data && accepted.is_empty() {
                return Ok(accepted);
            }
            self.send_batch(batch)?;
            let mut mail_refused = None;
            for (step, command) in batch {
                let reply = self.reply(command)?;
                match step {
                    _ if reply.code == 421 => {
                        return Err(Stop::Broken(verdict(&reply, Subject::Session)));
                    }
                    Step::Mail if !reply.is_positive() => {
                        mail_refused = Some(verdict(&reply, Subject::Message));
                    }
                    Step::Mail => {}
                    Step::Rcpt(index) if reply.is_positive() => accepted.push(*index),
                    Step::Rcpt(_) if mail_refused.is_some() => {}
                    Step::Rcpt(index) => {
                        let outcome = verdict(&reply, Subject::Recipient);
                        self.job.progress.settle(*index, outcome);
                    }
                    Step::Data if reply.code == 354 => {
                        if accepted.is_empty() || mail_refused.is_some() {
                            self.send_nothing()?;
                        }
                    }
                    Step::Data if accepted.is_empty() || mail_refused.is_some() => {}
                    Step::Data => return Err(Stop::Polite(verdict(&reply, Subject::Message))),
                }
            }
            if let Some(outcome) = mail_refused {
                return Err(Stop::Polite(outcome));
            }
        }
        Ok(accepted)
    }

    /// Sends some commands in one write.
    fn send_batch(&mut self, batch: &[(Step, String)]) -> Result<(), Stop> {
        let mut bytes = String::new();
        for (_, command) in batch {
            self.tell(true, command);
            bytes += command;
            bytes += "\r\n";
        }
        self.send(bytes.as_bytes(), "cannot send the envelope")
    }

    /// Ends DATA that a relay has opened although every recipient was refused: with an empty
    /// message, for which it has nobody (RFC 2920 section 3.1).
    fn send_nothing(&mut self) -> Result<(), Stop> {
        self.tell(true, ".");
        self.send(b".\r\n", "cannot end DATA")?;
        self.reply("DATA")?;
        Ok(())
    }

    /// Sends the message after DATA and reads the reply to its final dot.
    fn send_message(&mut self) -> Result<Reply, Stop> {
        let job = self.job;
        job.progress.enter("the message to be sent");
        let broken = |error: io::Error| Stop::Broken(unreadable(&error));
        let mut blocks = Blocks::new(job.message.reader().map_err(broken)?);
        loop {
            // A message that cannot be read to its end leaves without a final dot: the relay drops it.
            match blocks.next().map_err(broken)? {
                Some(Block::Middle(bytes)) => {
                    if let Err(error) = self.wire.send(&bytes) {
                        return self.last_words(error);
                    }
                    self.still_wanted()?;
                }
                Some(Block::Last(bytes)) => {
                    self.tell(true, "(message)");
                    self.tell(true, ".");
                    if !job.progress.claim() {
                        return Err(self.unwanted());
                    }
                    job.progress.enter("the reply to the message");
                    if let Err(error) = self.wire.send(&bytes) {
                        // The dot is the last of these bytes: it has not left.
                        job.progress.dot_not_sent();
                        return self.last_words(error);
                    }
                    // From here on the message may be the relay's.
                    return self.final_reply();
                }
                None => return Err(Stop::Broken(undecided(job))),
            }
        }
    }

    /// Reads the reply to the final dot; anything but a reply leaves open what became of the message.
    fn final_reply(&mut self) -> Result<Reply, Stop> {
        let relay = &self.job.relay;
        let limit = relay.timeouts.final_reply;
        match self.wire.reply(limit) {
            Ok(reply) => {
                self.show(&reply);
                if reply.is_positive() || reply.is_temporary() || reply.is_permanent() {
                    Ok(reply)
                } else {
                    let text = format!("unexpected reply to the message: {}", reply.text());
                    Err(Stop::Broken(uncertain(text).code(reply.code)))
                }
            }
            Err(error) => {
                let why = match error {
                    WireError::Timeout => {
                        format!("no reply to the message within {}", seconds(limit))
                    }
                    error => format!("no reply to the message: {error}"),
                };
                Err(Stop::Broken(uncertain(format!("{}: {why}", relay.name()))))
            }
        }
    }

    /// Asks a relay that stopped taking our bytes whether it said why.
    fn last_words<T>(&mut self, error: WireError) -> Result<T, Stop> {
        if let Ok(reply) = self.wire.reply(LAST_WORDS)
            && (reply.is_temporary() || reply.is_permanent())
        {
            self.show(&reply);
            return Err(Stop::Broken(verdict(&reply, Subject::Message)));
        }
        let relay = &self.job.relay;
        Err(Stop::Broken(failure(
            relay,
            "cannot send the message",
            &error,
        )))
    }

    /// Sends one command and reads its reply.
    fn command(&mut self, command: &str) -> Result<Reply, Stop> {
        self.tell(true, command);
        self.send(format!("{command}\r\n").as_bytes(), "cannot send a command")?;
        let reply = self.reply(command)?;
        if reply.code == 421 {
            return Err(Stop::Broken(verdict(&reply, Subject::Session)));
        }
        Ok(reply)
    }

    /// Sends bytes; if the relay has closed the connection, its reason is the outcome.
    fn send(&mut self, bytes: &[u8], doing: &str) -> Result<(), Stop> {
        self.still_wanted()?;
        match self.wire.send(bytes) {
            Ok(()) => Ok(()),
            Err(WireError::Closed) => self.last_words(WireError::Closed),
            Err(error) => Err(Stop::Broken(failure(&self.job.relay, doing, &error))),
        }
    }

    /// Reads the reply to this command.
    fn reply(&mut self, command: &str) -> Result<Reply, Stop> {
        let word = command.split(' ').next().unwrap_or_default();
        let stage = format!("the reply to {word}");
        self.job.progress.enter(&stage);
        let relay = &self.job.relay;
        let limit = relay.timeouts.reply;
        let reply = self.wire.reply(limit).map_err(|error| {
            let doing = match error {
                WireError::Timeout => format!("no reply to {word} within {}", seconds(limit)),
                _ => format!("no reply to {word}"),
            };
            Stop::Broken(failure(relay, &doing, &error))
        })?;
        self.show(&reply);
        Ok(reply)
    }

    /// Stops where the waiting thread has given up: nobody would learn what happens from here on.
    fn still_wanted(&self) -> Result<(), Stop> {
        if self.job.progress.is_abandoned() {
            return Err(self.unwanted());
        }
        Ok(())
    }

    fn unwanted(&self) -> Stop {
        Stop::Broken(undecided(self.job))
    }

    fn show(&self, reply: &Reply) {
        for line in &reply.lines {
            self.tell(false, &format!("{} {line}", reply.code));
        }
    }

    fn tell(&self, from_us: bool, line: &str) {
        self.job.observer.dialogue(from_us, line);
    }
}

/// A command of the envelope.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Mail,
    Rcpt(usize),
    Data,
}

fn unreadable(error: &io::Error) -> Outcome {
    let text = format!("cannot read the message: {}", plain(error));
    Outcome::new(Disposition::TryLater, Kind::Io, text)
}

/// Returns an address as it stands in a path.
///
/// A domain of other scripts is sent in its ASCII form, which every relay takes; a local part has
/// none and needs SMTPUTF8 (RFC 6531).
fn path_of(address: &EnvelopeAddress, smtputf8: bool) -> Result<String, String> {
    if address.as_str().is_ascii() {
        return Ok(address.to_string());
    }
    if !address.local_part().is_ascii() && !smtputf8 {
        return Err("the relay takes no address that is not ASCII (no SMTPUTF8)".to_owned());
    }
    let Some(domain) = address.domain() else {
        return Ok(address.to_string());
    };
    match idna::domain_to_ascii(domain) {
        Ok(domain) => Ok(format!("{}@{domain}", address.local_part())),
        Err(_) => Err(format!("'{domain}' is not a domain name")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_host_is_final_and_a_silent_name_service_is_not() {
        let table = [
            (
                "failed to lookup address information: Name or service not known",
                Kind::NoHost,
            ),
            (
                "failed to lookup address information: No address associated with hostname",
                Kind::NoHost,
            ),
            (
                "failed to lookup address information: Name does not resolve",
                Kind::NoHost,
            ),
            (
                "failed to lookup address information: Temporary failure in name resolution",
                Kind::TryLater,
            ),
            (
                "failed to lookup address information: Try again",
                Kind::TryLater,
            ),
            (
                "failed to lookup address information: System error",
                Kind::TryLater,
            ),
        ];
        for (words, kind) in table {
            let outcome = lookup_failure("mx.example", &io::Error::other(words));
            assert_eq!(outcome.kind, kind, "{words}");
        }
        let outcome = lookup_failure("a\0b", &io::ErrorKind::InvalidInput.into());
        assert_eq!(outcome.kind, Kind::Config);
    }

    #[test]
    fn paths_of_addresses_that_are_not_ascii() {
        let table = [
            ("ops@example.com", false, Ok("ops@example.com")),
            ("root", false, Ok("root")),
            ("ops@bücher.example", false, Ok("ops@xn--bcher-kva.example")),
            ("jürgen@example.com", true, Ok("jürgen@example.com")),
            (
                "jürgen@example.com",
                false,
                Err("the relay takes no address that is not ASCII (no SMTPUTF8)"),
            ),
        ];
        for (address, smtputf8, path) in table {
            let address = EnvelopeAddress::new(address).expect("an address");
            let found = path_of(&address, smtputf8);
            assert_eq!(found.as_deref().map_err(String::as_str), path, "{address}");
        }
    }

    #[test]
    fn what_a_reply_means() {
        use Disposition::{Refused, TryLater};
        let table = [
            (450, Subject::Recipient, TryLater, Kind::TryLater),
            (550, Subject::Recipient, Refused, Kind::Data),
            (550, Subject::Message, Refused, Kind::Unavailable),
            (554, Subject::Session, Refused, Kind::Unavailable),
            (535, Subject::Authentication, Refused, Kind::NoPermission),
            (454, Subject::Authentication, TryLater, Kind::TryLater),
            (530, Subject::Message, Refused, Kind::NoPermission),
            (250, Subject::Session, TryLater, Kind::Protocol),
            (354, Subject::Recipient, TryLater, Kind::Protocol),
        ];
        for (code, subject, disposition, kind) in table {
            let reply = Reply {
                code,
                lines: vec!["words".to_owned()],
            };
            let outcome = verdict(&reply, subject);
            assert_eq!(
                (outcome.disposition, outcome.kind),
                (disposition, kind),
                "{code}"
            );
            assert_eq!(outcome.code, Some(code));
        }
    }
}
