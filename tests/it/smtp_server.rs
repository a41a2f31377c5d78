//! A scripted SMTP server on the loopback: real sockets, real TLS, every byte as the test says.
//!
//! [`SmtpServer::start`] runs one script for each connection, [`SmtpServer::accepting`] behaves like
//! a relay with some [`Behaviour`]. Both record what clients sent: [`SmtpServer::sessions`] has the
//! bytes, [`SmtpServer::messages`] the mail that was accepted.
#![allow(dead_code)] // Each binary that includes this file uses another part of it.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{
    ALL_VERSIONS, RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    SupportedProtocolVersion,
};

/// How long the server waits for a client before it hangs up: no test hangs for ever.
const PATIENCE: Duration = Duration::from_secs(20);

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// One thing a script does.
#[derive(Clone)]
pub enum Step {
    /// Sends these bytes in one write.
    Send(Vec<u8>),
    /// Sends these bytes one by one, with this pause after each.
    Dribble(Vec<u8>, Duration),
    /// Reads one line, which must begin so (in any case); otherwise the script fails.
    Expect(&'static str),
    /// Reads lines up to the one that is a dot.
    ExpectData,
    /// Asserts that the client sends nothing for so long.
    Silence(Duration),
    /// Does nothing for so long.
    Sleep(Duration),
    /// Goes over to TLS with this certificate.
    Tls(Arc<Certificate>),
    /// Closes the connection, as every script does at its end.
    Drop,
}

/// Returns a step that sends this line.
pub fn say(line: &str) -> Step {
    Step::Send(format!("{line}\r\n").into_bytes())
}

/// Returns a step that reads a line beginning so.
pub fn expect(prefix: &'static str) -> Step {
    Step::Expect(prefix)
}

/// What AWS SES answers to a sender that is not verified.
const NOT_VERIFIED: &str = "554 Message rejected: Email address is not verified.";

/// How a server of [`SmtpServer::accepting`] differs from the plainest one.
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

/// What one connection brought.
#[derive(Clone, Debug, Default)]
pub struct Session {
    /// Every byte the client sent, decrypted.
    pub received: Vec<u8>,
    /// How many of them came before TLS.
    pub clear: usize,
    /// Whether TLS was started.
    pub tls: bool,
    /// The name the client asked for in TLS.
    pub server_name: Option<String>,
    /// What of the script went wrong.
    pub fault: Option<String>,
}

/// A message that the server accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The path of MAIL FROM with its parameters.
    pub from: String,
    /// The paths of the accepted RCPT TO.
    pub to: Vec<String>,
    /// The message: dot-stuffing taken off, CRLF kept.
    pub data: Vec<u8>,
    /// Whether it came through TLS.
    pub tls: bool,
    /// Who had logged in.
    pub user: Option<String>,
}

#[derive(Default)]
struct Log {
    sessions: Vec<Session>,
    messages: Vec<Message>,
    finished: usize,
}

/// A running server; its threads end with their connections.
pub struct SmtpServer {
    address: SocketAddr,
    log: Arc<Mutex<Log>>,
}

impl SmtpServer {
    /// Starts a server that runs the first script for the first connection, and so on; the last
    /// script is run again for all further ones.
    pub fn start(scripts: Vec<Vec<Step>>) -> SmtpServer {
        SmtpServer::serve(LOOPBACK, move |number, peer| {
            let script = &scripts[number.min(scripts.len() - 1)];
            script.iter().try_for_each(|step| peer.run(step))
        })
    }

    /// Starts a server that runs this script for every connection.
    pub fn scripted(script: Vec<Step>) -> SmtpServer {
        SmtpServer::start(vec![script])
    }

    /// Starts a server that accepts mail.
    pub fn accepting(behaviour: Behaviour) -> SmtpServer {
        SmtpServer::accepting_at(LOOPBACK, behaviour)
    }

    /// The same at another address of this machine.
    pub fn accepting_at(address: IpAddr, behaviour: Behaviour) -> SmtpServer {
        SmtpServer::serve(address, move |_, peer| behaviour.converse(peer))
    }

    /// Starts a server that speaks with each client as this function does.
    pub fn talking(talk: impl Fn(&mut Peer) -> Done + Send + Sync + 'static) -> SmtpServer {
        SmtpServer::serve(LOOPBACK, move |_, peer| talk(peer))
    }

    fn serve(
        address: IpAddr,
        talk: impl Fn(usize, &mut Peer) -> Done + Send + Sync + 'static,
    ) -> SmtpServer {
        let listener = TcpListener::bind((address, 0)).expect("a port of this machine");
        let address = listener.local_addr().expect("bound");
        let log = Arc::new(Mutex::new(Log::default()));
        let shared = Arc::clone(&log);
        let talk = Arc::new(talk);
        thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let Ok(stream) = stream else { return };
                shared
                    .lock()
                    .expect("log")
                    .sessions
                    .push(Session::default());
                let (log, talk) = (Arc::clone(&shared), Arc::clone(&talk));
                thread::spawn(move || {
                    let mut peer = Peer::new(stream, number, Arc::clone(&log));
                    if let Err(fault) = talk(number, &mut peer) {
                        peer.session(|session| session.fault = Some(fault));
                    }
                    peer.close();
                    log.lock().expect("log").finished += 1;
                });
            }
        });
        SmtpServer { address, log }
    }

    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Returns the messages accepted so far.
    pub fn messages(&self) -> Vec<Message> {
        self.log.lock().expect("log").messages.clone()
    }

    /// Returns what every connection so far brought, as it is now.
    pub fn sessions(&self) -> Vec<Session> {
        self.log.lock().expect("log").sessions.clone()
    }

    /// Waits until every connection so far has ended; then as [`SmtpServer::sessions`].
    pub fn ended(&self) -> Vec<Session> {
        self.wait_for(|log| log.finished == log.sessions.len());
        self.sessions()
    }

    /// Waits until a client has sent this.
    pub fn wait_for_bytes(&self, bytes: &[u8]) {
        self.wait_for(|log| {
            log.sessions
                .iter()
                .any(|session| find(&session.received, bytes).is_some())
        });
    }

    fn wait_for(&self, ready: impl Fn(&Log) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !ready(&self.log.lock().expect("log")) {
            assert!(Instant::now() < end, "the server waited in vain");
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Returns where `needle` begins in `hay`.
pub fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len()).position(|part| part == needle)
}

/// The result of a step: what the client did wrong.
pub type Done = Result<(), String>;

enum Stream {
    Clear(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
    Closed,
}

/// The server's end of one connection.
pub struct Peer {
    stream: Stream,
    buffer: Vec<u8>,
    number: usize,
    log: Arc<Mutex<Log>>,
}

impl Peer {
    fn new(stream: TcpStream, number: usize, log: Arc<Mutex<Log>>) -> Peer {
        stream.set_nodelay(true).expect("socket option");
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("socket option");
        Peer {
            stream: Stream::Clear(stream),
            buffer: Vec::new(),
            number,
            log,
        }
    }

    fn session(&self, change: impl FnOnce(&mut Session)) {
        change(&mut self.log.lock().expect("log").sessions[self.number]);
    }

    fn run(&mut self, step: &Step) -> Done {
        match step {
            Step::Send(bytes) => self.send(bytes),
            Step::Dribble(bytes, pause) => bytes.iter().try_for_each(|byte| {
                self.send(&[*byte])?;
                thread::sleep(*pause);
                Ok(())
            }),
            Step::Expect(prefix) => {
                let line = self.line()?;
                let matches = line
                    .get(..prefix.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()));
                if matches {
                    Ok(())
                } else {
                    let line = String::from_utf8_lossy(&line).into_owned();
                    Err(format!("expected {prefix}, got {line:?}"))
                }
            }
            Step::ExpectData => self.data().map(drop),
            Step::Silence(pause) => self.silence(*pause),
            Step::Sleep(pause) => {
                thread::sleep(*pause);
                Ok(())
            }
            Step::Tls(certificate) => self.start_tls(certificate),
            Step::Drop => {
                self.close();
                Ok(())
            }
        }
    }

    /// Sends these bytes.
    pub fn send(&mut self, bytes: &[u8]) -> Done {
        let result = match &mut self.stream {
            Stream::Clear(stream) => stream.write_all(bytes),
            Stream::Tls(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
            Stream::Closed => Ok(()),
        };
        result.map_err(|error| format!("cannot send: {error}"))
    }

    /// Reads what has come; 0 at the end.
    pub fn fill(&mut self) -> io::Result<usize> {
        let mut block = [0; 65536];
        let count = match &mut self.stream {
            Stream::Clear(stream) => stream.read(&mut block)?,
            Stream::Tls(stream) => stream.read(&mut block)?,
            Stream::Closed => 0,
        };
        let bytes = &block[..count];
        self.buffer.extend_from_slice(bytes);
        let clear = matches!(self.stream, Stream::Clear(_));
        self.session(|session| {
            session.received.extend_from_slice(bytes);
            session.clear += if clear { count } else { 0 };
        });
        Ok(count)
    }

    /// Makes the kernel hold little for us: a client that sends much waits until we read.
    pub fn take_little(&self) -> Done {
        let socket = match &self.stream {
            Stream::Clear(stream) => stream,
            Stream::Tls(stream) => &stream.sock,
            Stream::Closed => return Ok(()),
        };
        rustix::net::sockopt::set_socket_recv_buffer_size(socket, 4096)
            .map_err(|error| format!("cannot shrink the buffer: {error}"))
    }

    /// Reads until the client leaves.
    pub fn drain(&mut self) -> Done {
        loop {
            match self.fill() {
                Ok(0) | Err(_) => return Ok(()),
                Ok(_) => self.buffer.clear(),
            }
        }
    }

    fn line(&mut self) -> Result<Vec<u8>, String> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let rest = self.buffer.split_off(end + 1);
                return Ok(std::mem::replace(&mut self.buffer, rest));
            }
            match self.fill() {
                Ok(0) => return Err("the client closed the connection".to_owned()),
                Ok(_) => {}
                Err(error) => return Err(format!("cannot read: {error}")),
            }
        }
    }

    /// Reads a line without its line end; `None` at the end.
    pub fn command(&mut self) -> Option<String> {
        let line = self.line().ok()?;
        Some(String::from_utf8_lossy(&line).trim_end().to_owned())
    }

    /// Reads the body of DATA, and takes the dot-stuffing off.
    pub fn data(&mut self) -> Result<Vec<u8>, String> {
        let mut data = Vec::new();
        loop {
            let line = self.line()?;
            if line == b".\r\n" {
                return Ok(data);
            }
            data.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
    }

    fn silence(&mut self, pause: Duration) -> Done {
        let Stream::Clear(stream) = &self.stream else {
            return Err("silence is watched in clear only".to_owned());
        };
        if !self.buffer.is_empty() {
            return Err("the client did not wait for its turn".to_owned());
        }
        let limit = |limit| stream.set_read_timeout(Some(limit)).expect("socket option");
        limit(pause);
        let peeked = stream.peek(&mut [0]);
        limit(PATIENCE);
        match peeked {
            Ok(_) => Err("the client did not wait for its turn".to_owned()),
            Err(_) => Ok(()),
        }
    }

    /// Goes over to TLS.
    pub fn start_tls(&mut self, certificate: &Certificate) -> Done {
        let Stream::Clear(mut stream) = std::mem::replace(&mut self.stream, Stream::Closed) else {
            return Err("TLS inside TLS".to_owned());
        };
        let mut connection =
            ServerConnection::new(Arc::clone(&certificate.config)).expect("a good configuration");
        while connection.is_handshaking() {
            connection
                .complete_io(&mut stream)
                .map_err(|error| format!("handshake: {error}"))?;
        }
        let name = connection.server_name().map(str::to_owned);
        self.session(|session| {
            session.tls = true;
            session.server_name = name;
        });
        self.stream = Stream::Tls(Box::new(StreamOwned::new(connection, stream)));
        Ok(())
    }

    fn close(&mut self) {
        match std::mem::replace(&mut self.stream, Stream::Closed) {
            Stream::Clear(stream) => drop(stream.shutdown(Shutdown::Both)),
            Stream::Tls(stream) => drop(stream.sock.shutdown(Shutdown::Both)),
            Stream::Closed => {}
        }
    }
}

impl Behaviour {
    /// Speaks SMTP with one client until it leaves.
    fn converse(&self, peer: &mut Peer) -> Done {
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

/// A certificate of the server, and what clients may know of it.
pub struct Certificate {
    /// The authority to put into the client's CA file, in PEM.
    pub authority: String,
    /// The certificate itself.
    pub der: Vec<u8>,
    /// The same in PEM.
    pub pem: String,
    /// Its key in PEM.
    pub key: String,
    config: Arc<ServerConfig>,
}

impl Certificate {
    /// Returns what another server needs to present it.
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// Returns one for `localhost` and 127.0.0.1, signed by its authority.
    pub fn good() -> Arc<Certificate> {
        Certificate::signed(&["localhost", "127.0.0.1"], |_| {})
    }

    /// Returns one for another host.
    pub fn wrong_host() -> Arc<Certificate> {
        Certificate::signed(&["other.example"], |_| {})
    }

    /// Returns one for a host of this name.
    pub fn named(name: &str) -> Arc<Certificate> {
        Certificate::signed(&[name], |_| {})
    }

    /// Returns a good one for a server that speaks this version of TLS only.
    pub fn of_version(version: &'static SupportedProtocolVersion) -> Arc<Certificate> {
        Certificate::issued(
            &["localhost", "127.0.0.1"],
            |_| {},
            |authority, certificate, key| {
                Certificate::configured(authority, certificate, key, &[version], None)
            },
        )
    }

    /// Returns a good one for a server that lets in only clients with a certificate of this
    /// authority, in PEM.
    pub fn for_clients_of(authority: &str) -> Arc<Certificate> {
        let authority = CertificateDer::from_pem_slice(authority.as_bytes()).expect("PEM");
        Certificate::issued(
            &["localhost", "127.0.0.1"],
            |_| {},
            |own, certificate, key| {
                Certificate::configured(own, certificate, key, ALL_VERSIONS, Some(authority))
            },
        )
    }

    /// Returns one that was good until 2001.
    pub fn expired() -> Arc<Certificate> {
        Certificate::signed(&["localhost", "127.0.0.1"], |params| {
            params.not_before = date_time_ymd(2000, 1, 1);
            params.not_after = date_time_ymd(2001, 1, 1);
        })
    }

    /// Returns a self-signed one, with or without CA:TRUE; it is its own authority.
    pub fn self_signed(ca: bool) -> Arc<Certificate> {
        let key = KeyPair::generate().expect("a key");
        let mut params = params(&["localhost", "127.0.0.1"]);
        if ca {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        let certificate = params.self_signed(&key).expect("a certificate");
        Certificate::serve(certificate.pem(), &certificate, &key)
    }

    fn signed(names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Arc<Certificate> {
        Certificate::issued(names, change, |authority, certificate, key| {
            Certificate::serve(authority, certificate, key)
        })
    }

    /// Makes an authority and a certificate that it has signed.
    fn issued(
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
        serve: impl FnOnce(String, &rcgen::Certificate, &KeyPair) -> Arc<Certificate>,
    ) -> Arc<Certificate> {
        let mut authority = params(&[]);
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let authority = CertifiedIssuer::self_signed(authority, key).expect("an authority");
        let key = KeyPair::generate().expect("a key");
        let mut params = params(names);
        change(&mut params);
        let certificate = params.signed_by(&key, &authority).expect("a certificate");
        serve(authority.pem(), &certificate, &key)
    }

    fn serve(
        authority: String,
        certificate: &rcgen::Certificate,
        key: &KeyPair,
    ) -> Arc<Certificate> {
        Certificate::configured(authority, certificate, key, ALL_VERSIONS, None)
    }

    fn configured(
        authority: String,
        certificate: &rcgen::Certificate,
        key: &KeyPair,
        versions: &[&'static SupportedProtocolVersion],
        clients: Option<CertificateDer<'static>>,
    ) -> Arc<Certificate> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .expect("protocol versions");
        let config = match clients {
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority).expect("an authority");
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                config.with_client_cert_verifier(verifier.build().expect("a verifier"))
            }
            None => config.with_no_client_auth(),
        };
        let config = config
            .with_single_cert(vec![certificate.der().clone()], private)
            .expect("key and certificate belong together");
        Arc::new(Certificate {
            authority,
            pem: certificate.pem(),
            key: key.serialize_pem(),
            der: certificate.der().to_vec(),
            config: Arc::new(config),
        })
    }
}

fn params(names: &[&str]) -> CertificateParams {
    let subject = names.first().copied().unwrap_or("Authority of the tests");
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("good names");
    params.distinguished_name.push(DnType::CommonName, subject);
    params
}
