//! A relay whose behaviour changes while it runs, on a port that stays the same.
//!
//! It takes mail without a question, and remembers which connection brought what, in which order.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

/// How a relay behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// It takes everything.
    Up,
    /// Nobody listens.
    Refused,
    /// It accepts connections and says nothing.
    Silent,
    /// It answers a command that begins so with this reply.
    Says(&'static str, &'static str),
    /// It answers the final dot with this reply.
    SaysAtDot(&'static str),
    /// It takes the message and closes the connection in place of the 250.
    LosesReply,
    /// It takes the message and then says nothing.
    HangsAtDot,
}

/// A message that was taken.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The number of its connection, from 0.
    pub connection: usize,
    /// The reverse-path.
    pub from: String,
    /// The forward-paths.
    pub to: Vec<String>,
    /// The message with LF.
    pub data: String,
}

impl Taken {
    /// Returns the body of a header field; it must be there once.
    #[track_caller]
    pub fn field(&self, name: &str) -> &str {
        let start = format!("{name}: ");
        let header = self.data.split("\n\n").next().unwrap();
        let mut found = header.lines().filter_map(|line| line.strip_prefix(&start));
        let value = found
            .next()
            .unwrap_or_else(|| panic!("no {name} in {header}"));
        assert_eq!(found.next(), None, "{name} in {header}");
        value
    }
}

#[derive(Default)]
struct Log {
    taken: Vec<Taken>,
    connections: usize,
}

/// A running relay.
pub struct UnsteadyRelay {
    port: u16,
    mood: Arc<Mutex<Mood>>,
    log: Arc<Mutex<Log>>,
}

impl UnsteadyRelay {
    /// Starts a relay.
    pub fn new(mood: Mood) -> UnsteadyRelay {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let relay = UnsteadyRelay {
            port: listener.local_addr().unwrap().port(),
            mood: Arc::new(Mutex::new(mood)),
            log: Arc::default(),
        };
        if mood != Mood::Refused {
            relay.listen(listener);
        }
        relay
    }

    /// Changes how it behaves, from the next reply on.
    pub fn becomes(&self, mood: Mood) {
        let before = std::mem::replace(&mut *self.mood.lock().unwrap(), mood);
        match (before, mood) {
            (Mood::Refused, Mood::Refused) => {}
            (Mood::Refused, _) => {
                let end = Instant::now() + Duration::from_secs(20);
                // The kernel may hold the port for the last connection.
                let listener = loop {
                    match TcpListener::bind(("127.0.0.1", self.port)) {
                        Ok(listener) => break listener,
                        Err(error) => assert!(Instant::now() < end, "{error}"),
                    }
                    thread::sleep(Duration::from_millis(10));
                };
                self.listen(listener);
            }
            (_, Mood::Refused) => {
                // The thread looks at the mood when somebody comes, and then leaves.
                while TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                    thread::sleep(Duration::from_millis(2));
                }
            }
            _ => {}
        }
    }

    /// Returns its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns what it took so far.
    pub fn taken(&self) -> Vec<Taken> {
        self.log().taken.clone()
    }

    /// Returns the subjects of what it took so far.
    pub fn subjects(&self) -> Vec<String> {
        let taken = self.taken();
        taken
            .iter()
            .map(|taken| taken.field("Subject").to_owned())
            .collect()
    }

    /// Returns how many connections were made so far.
    pub fn connections(&self) -> usize {
        self.log().connections
    }

    /// Returns how many connections have brought a message.
    pub fn carriers(&self) -> usize {
        let log = self.log();
        let carriers: HashSet<usize> = log.taken.iter().map(|taken| taken.connection).collect();
        carriers.len()
    }

    /// Waits until it has taken so many messages.
    pub fn wait_for(&self, count: usize) {
        let end = Instant::now() + Duration::from_secs(20);
        while self.log().taken.len() < count {
            assert!(Instant::now() < end, "the relay waited in vain");
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap()
    }

    fn listen(&self, listener: TcpListener) {
        let (mood, log) = (Arc::clone(&self.mood), Arc::clone(&self.log));
        thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if *mood.lock().unwrap() == Mood::Refused {
                    return;
                }
                let number = {
                    let mut log = log.lock().unwrap();
                    log.connections += 1;
                    log.connections - 1
                };
                let (mood, log) = (Arc::clone(&mood), Arc::clone(&log));
                thread::spawn(move || {
                    // A client that goes away is none of our business.
                    let _ = converse(&stream, number, &mood, &log);
                    let _ = stream.shutdown(Shutdown::Both);
                });
            }
        });
    }
}

/// Speaks with one client until it leaves.
fn converse(
    stream: &TcpStream,
    connection: usize,
    mood: &Mutex<Mood>,
    log: &Mutex<Log>,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    let say = |text: &str| (&*stream).write_all(format!("{text}\r\n").as_bytes());
    let now = || *mood.lock().unwrap();
    let hang = |reader: &mut BufReader<&TcpStream>| {
        let mut rest = Vec::new();
        std::io::Read::read_to_end(reader, &mut rest).map(drop)
    };
    if now() == Mood::Silent {
        return hang(&mut reader);
    }
    match now() {
        Mood::Says("", reply) => return say(reply),
        _ => say("220 relay.test ESMTP")?,
    }
    let (mut from, mut to) = (String::new(), Vec::new());
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let command = line.trim_end();
        let path = || {
            let path = command.split_once(':').map_or("", |(_, path)| path);
            let path = path.split(' ').next().unwrap_or_default();
            path.trim_matches(['<', '>']).to_owned()
        };
        if let Mood::Says(start, reply) = now()
            && command.starts_with(start)
        {
            say(reply)?;
            continue;
        }
        match command.split([' ', ':']).next().unwrap_or_default() {
            "EHLO" => say("250-relay.test\r\n250 AUTH PLAIN")?,
            "AUTH" => say("235 2.7.0 welcome")?,
            "MAIL" => {
                from = path();
                to.clear();
                say("250 2.1.0 ok")?;
            }
            "RCPT" => {
                to.push(path());
                say("250 2.1.5 ok")?;
            }
            "RSET" => say("250 2.0.0 ok")?,
            "QUIT" => return say("221 2.0.0 bye"),
            "DATA" => {
                say("354 go on")?;
                let mut data = String::new();
                loop {
                    line.clear();
                    if reader.read_line(&mut line)? == 0 {
                        return Ok(());
                    }
                    let text = line.trim_end_matches(['\r', '\n']);
                    if text == "." {
                        break;
                    }
                    data.push_str(text.strip_prefix('.').unwrap_or(text));
                    data.push('\n');
                }
                let mood = now();
                if let Mood::SaysAtDot(reply) = mood {
                    say(reply)?;
                    continue;
                }
                log.lock().unwrap().taken.push(Taken {
                    connection,
                    from: from.clone(),
                    to: to.clone(),
                    data,
                });
                match mood {
                    Mood::LosesReply => return Ok(()),
                    Mood::HangsAtDot => return hang(&mut reader),
                    _ => say("250 2.0.0 queued")?,
                }
            }
            _ => say("502 5.5.1 what")?,
        }
    }
}
