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

use rustls::{ServerConnection, StreamOwned};

// By path: this file is also included by the tests of the library, from another place.
#[path = "smtp_server/behaviour.rs"]
mod behaviour;
#[path = "smtp_server/certificate.rs"]
mod certificate;

pub use behaviour::Behaviour;
pub use certificate::Certificate;

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
            ServerConnection::new(certificate.config()).expect("a good configuration");
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
