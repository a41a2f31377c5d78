//! A relay that accepts mail, with the ways in which it can differ.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Certificate, Done, Message, Peer, Stream, say};

/// What AWS SES answers to a sender that is not verified.
const NOT_VERIFIED: &str = "554 Message rejected: Email address is not verified.";

/// How a server of [`super::SmtpServer::accepting`] differs from the plainest one.
#[derive(Clone, Default)]
pub struct Behaviour {
    /// The keywords in the reply to EHLO, besides STARTTLS and AUTH.
    pub keywords: Vec<&'static str>,
    /// Whether EHLO gets 502.
    pub helo_only: bool,
    /// The certificate; with it STARTTLS is offered.
    pub certificate: Option<Arc<Certificate>>,
    /// Whether TLS comes first.
    pub implicit: bool,
    /// The user and password that AUTH PLAIN and LOGIN take; without them MAIL gets 530.
    pub login: Option<(&'static str, &'static str)>,
    /// The mailbox and the token that AUTH XOAUTH2 takes, as Exchange does.
    pub bearer: Option<(&'static str, &'static str)>,
    /// The only sender whose mail is accepted, in MAIL and in From, as Exchange checks it.
    pub sends_as: Option<&'static str>,
    /// Whether the connection is closed after a wrong login.
    pub hangs_up: bool,
    /// The AUTH mechanisms offered where there is a login; by default both.
    pub mechanisms: Option<&'static str>,
    /// Whether AUTH is offered before TLS.
    pub auth_in_clear: bool,
    /// Replies to RCPT of these addresses.
    pub refuse: Vec<(&'static str, &'static str)>,
    /// The reply to MAIL, if not 250.
    pub mail: Option<&'static str>,
    /// The reply to the final dot, if not 250.
    pub end: Option<&'static str>,
    /// The one address that may send, in the envelope and in From, Sender and Return-Path, as AWS SES
    /// has it.
    pub verified: Option<&'static str>,
    /// How many recipients a transaction may have, and the reply to each further RCPT.
    pub most_recipients: Option<(usize, &'static str)>,
    /// The same, but the reply comes to the final dot.
    pub most_at_end: Option<(usize, &'static str)>,
    /// After how many messages the connection is closed, with these words if there are any.
    pub closes_after: Option<(usize, &'static str)>,
}

impl Behaviour {
    /// Speaks SMTP with one client until it leaves.
    pub(super) fn converse(&self, peer: &mut Peer) -> Done {
        if let (true, Some(certificate)) = (self.implicit, &self.certificate) {
            peer.start_tls(certificate)?;
        }
        peer.run(&say("220 relay.test ESMTP"))?;
        let (mut from, mut to, mut user) = (String::new(), Vec::new(), None);
        let mut messages = 0;
        while let Some(line) = peer.command() {
            let tls = matches!(peer.stream, Stream::Tls(_));
            let verb = line.split(' ').next().unwrap_or_default().to_uppercase();
            let path = line.split_once(':').map_or("", |(_, path)| path);
            let reply = match verb.as_str() {
                "EHLO" if self.helo_only => "502 5.5.1 no EHLO here".to_owned(),
                "EHLO" => self.greeting(tls),
                "HELO" => "250 relay.test".to_owned(),
                "STARTTLS" => {
                    peer.run(&say("220 go ahead"))?;
                    peer.start_tls(self.certificate.as_ref().ok_or("no certificate")?)?;
                    continue;
                }
                "AUTH" => {
                    user = self.login(peer, &line)?;
                    match user {
                        Some(_) => "235 2.7.0 welcome".to_owned(),
                        None if self.hangs_up => {
                            return peer.run(&say("535 5.7.3 Authentication unsuccessful"));
                        }
                        None => "535 5.7.8 bad user or password".to_owned(),
                    }
                }
                "MAIL" if self.wants_login() && user.is_none() => {
                    "530 5.7.0 authenticate first".to_owned()
                }
                "MAIL" => {
                    path.clone_into(&mut from);
                    to.clear();
                    let is_verified = self
                        .verified
                        .is_none_or(|one| from.split(' ').next() == Some(&format!("<{one}>")));
                    match self.mail {
                        Some(reply) => reply.to_owned(),
                        None if is_verified => "250 2.1.0 sender ok".to_owned(),
                        None => NOT_VERIFIED.to_owned(),
                    }
                }
                "RCPT" => {
                    let address = path.trim_matches(['<', '>']);
                    match self.refuse.iter().find(|(refused, _)| *refused == address) {
                        Some((_, reply)) => (*reply).to_owned(),
                        None if self
                            .most_recipients
                            .is_some_and(|(most, _)| to.len() >= most) =>
                        {
                            self.most_recipients.unwrap_or_default().1.to_owned()
                        }
                        None => {
                            to.push(path.to_owned());
                            "250 2.1.5 recipient ok".to_owned()
                        }
                    }
                }
                "DATA" if to.is_empty() => "554 5.5.1 no valid recipients".to_owned(),
                "DATA" => {
                    peer.run(&say("354 go on"))?;
                    let data = peer.data()?;
                    if let Some(refusal) = self.refuses_sender(&from, &data) {
                        peer.run(&say(&refusal))?;
                        continue;
                    }
                    messages += 1;
                    let surplus = self.most_at_end.filter(|(most, _)| to.len() > *most);
                    let refusal = surplus.map(|(_, reply)| reply).or(self.end);
                    let refusal = refusal.or(self.unverified(&data));
                    if refusal.is_none() {
                        peer.log.lock().expect("log").messages.push(Message {
                            from: from.clone(),
                            to: to.clone(),
                            data,
                            tls,
                            user: user.clone(),
                        });
                    }
                    let reply = refusal.unwrap_or("250 2.0.0 queued as 4711");
                    if let Some((most, words)) = self.closes_after
                        && messages == most
                    {
                        peer.run(&say(reply))?;
                        // So that the words are no answer that comes before its command.
                        thread::sleep(Duration::from_millis(50));
                        if !words.is_empty() {
                            peer.run(&say(words))?;
                        }
                        return Ok(());
                    }
                    reply.to_owned()
                }
                "QUIT" => return peer.run(&say("221 bye")),
                "RSET" | "NOOP" => "250 ok".to_owned(),
                _ => "500 5.5.2 what?".to_owned(),
            };
            peer.run(&say(&reply))?;
        }
        Ok(())
    }

    /// Returns the reply to a message whose header names a sender that may not send.
    fn unverified(&self, data: &[u8]) -> Option<&'static str> {
        let verified = self.verified?;
        let text = String::from_utf8_lossy(data).replace("\r\n ", " ");
        let (header, _) = text.split_once("\r\n\r\n")?;
        let named = |name: &str| {
            let of = |line: &&str| {
                line.get(..name.len())
                    .is_some_and(|it| it.eq_ignore_ascii_case(name))
            };
            header.lines().filter(of).collect::<Vec<_>>()
        };
        let is_verified = |line: &&str| {
            line.matches('@').count() == 1
                && (line.ends_with(&format!("<{verified}>"))
                    || line.ends_with(&format!(" {verified}")))
        };
        let others = [named("Sender:"), named("Return-Path:")].concat();
        let from = named("From:");
        let is_good = from.len() == 1 && from.iter().chain(&others).all(is_verified);
        (!is_good).then_some(NOT_VERIFIED)
    }

    fn greeting(&self, tls: bool) -> String {
        let mut lines = vec!["relay.test greets you".to_owned()];
        lines.extend(self.keywords.iter().map(|keyword| (*keyword).to_owned()));
        if self.certificate.is_some() && !tls {
            lines.push("STARTTLS".to_owned());
        }
        if self.wants_login() && (tls || self.auth_in_clear) {
            let usual = match self.bearer {
                Some(_) => "LOGIN XOAUTH2",
                None => "LOGIN PLAIN",
            };
            lines.push(format!("AUTH {}", self.mechanisms.unwrap_or(usual)));
        }
        let last = lines.len() - 1;
        let lines = lines
            .iter()
            .enumerate()
            .map(|(number, line)| format!("250{}{line}", if number == last { ' ' } else { '-' }));
        lines.collect::<Vec<_>>().join("\r\n")
    }

    fn wants_login(&self) -> bool {
        self.login.is_some() || self.bearer.is_some()
    }

    /// Returns Exchange's answer to a message that is not from the mailbox.
    fn refuses_sender(&self, from: &str, data: &[u8]) -> Option<String> {
        let allowed = self.sends_as?;
        let text = String::from_utf8_lossy(data);
        let header = text.lines().take_while(|line| !line.is_empty());
        let mut fields = header.filter(|line| line.to_ascii_lowercase().starts_with("from:"));
        let bare = format!("From: {allowed}");
        let is_own = |field: &str| field == bare || field.ends_with(&format!(" <{allowed}>"));
        let path = format!("<{allowed}>");
        if from.starts_with(&path) && fields.next().is_some_and(is_own) && fields.next().is_none() {
            return None;
        }
        Some(format!(
            "554 5.2.252 SendAsDenied; {allowed} not allowed to send as {}",
            from.trim_matches(['<', '>'])
        ))
    }

    /// Runs AUTH PLAIN, LOGIN or XOAUTH2; returns who has logged in.
    fn login(&self, peer: &mut Peer, line: &str) -> Result<Option<String>, String> {
        let decode = |text: &str| {
            let bytes = STANDARD.decode(text).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let words: Vec<&str> = line.split(' ').collect();
        if let ([_, "XOAUTH2", initial], Some((user, token))) = (words.as_slice(), self.bearer) {
            if decode(initial) == format!("user={user}\x01auth=Bearer {token}\x01\x01") {
                return Ok(Some(user.to_owned()));
            }
            // The challenge says why; an empty line acknowledges it.
            peer.run(&say("334 eyJzdGF0dXMiOiI0MDAifQ=="))?;
            peer.line()?;
            return Ok(None);
        }
        let (user, password) = match words.as_slice() {
            [_, "PLAIN", initial] => {
                let text = decode(initial);
                let mut parts = text.split('\0').skip(1).map(str::to_owned);
                (parts.next(), parts.next())
            }
            [_, "LOGIN"] => {
                peer.run(&say("334 VXNlcm5hbWU6"))?;
                let user = peer.command().map(|line| decode(&line));
                peer.run(&say("334 UGFzc3dvcmQ6"))?;
                (user, peer.command().map(|line| decode(&line)))
            }
            _ => (None, None),
        };
        let given = user.as_deref().zip(password.as_deref());
        Ok(if given == self.login { user } else { None })
    }
}
