//! Every stage of a dialogue with a relay, met by everything that can go wrong in it.
//!
//! A cell is one run of `mailx` to two recipients, through a relay that keeps its part up to one
//! stage and then does one wrong thing. The expectations are rules over stage and fault, in
//! [`Cell::expected`], so that a new stage or fault has all its cells at once.

mod script;

use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::case::{Case, OUTBOX, Ran};
use crate::letters::letters;
use crate::smtp_server::{Certificate, SmtpServer};

use script::Script;

/// Where a relay goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Connect,
    Greeting,
    Ehlo,
    StartTls,
    Handshake,
    EhloInTls,
    /// The reply to AUTH LOGIN, which is to be a challenge.
    Challenge,
    /// The reply that ends AUTH.
    Auth,
    Mail,
    FirstRcpt,
    SecondRcpt,
    Data,
    /// While the message comes in.
    Body,
    /// After the final dot.
    Dot,
    Quit,
}

/// What it does there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// 451.
    Temporary,
    /// 554, or 535 to AUTH.
    Permanent,
    /// 421, and the connection is closed.
    Closing,
    Close,
    Silence,
    /// A byte a second.
    Drip,
    /// Lines of one reply that has no end.
    Endless,
    /// One line of a megabyte.
    LongLine,
    /// What is no SMTP.
    Garbage,
    /// A refusal with NUL and escape sequences.
    Escapes,
}

const FAULTS: [Fault; 10] = [
    Fault::Temporary,
    Fault::Permanent,
    Fault::Closing,
    Fault::Close,
    Fault::Silence,
    Fault::Drip,
    Fault::Endless,
    Fault::LongLine,
    Fault::Garbage,
    Fault::Escapes,
];

/// How the channel is made secure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Channel {
    /// In clear, without PIPELINING, with AUTH LOGIN.
    Clear,
    /// By STARTTLS, with PIPELINING and AUTH PLAIN.
    StartTls,
    /// TLS from the first byte.
    Implicit,
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    channel: Channel,
    stage: Stage,
    fault: Fault,
}

/// What becomes of a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Sent,
    /// Refused for good by the relay, for the sake of the message or the recipient.
    Refused,
    /// Not sent now; a later try may succeed.
    Waits,
    /// The relay may have it.
    Uncertain,
}

struct Expected {
    status: i32,
    /// A part of the line of each recipient who did not get the message.
    says: &'static str,
    fates: [Fate; 2],
}

const USER: &str = "tester";
const SECRET: &str = "Zebra-pa55-word";
const RECIPIENTS: [&str; 2] = ["a@example.com", "b@example.com"];

/// What the relay echoes once it has seen the login: the secret in the forms in which it came.
fn echoes() -> [String; 3] {
    [
        SECRET.to_owned(),
        STANDARD.encode(SECRET),
        STANDARD.encode(format!("\0{USER}\0{SECRET}")),
    ]
}

/// Returns all cells.
fn cells() -> Vec<Cell> {
    use Stage::{
        Auth, Body, Challenge, Connect, Data, Dot, Ehlo, EhloInTls, FirstRcpt, Greeting, Handshake,
        Mail, Quit, SecondRcpt, StartTls,
    };
    let with_login = [Auth, Mail, FirstRcpt, SecondRcpt, Data, Body, Dot, Quit];
    let rows: [(Channel, &[Stage]); 5] = [
        (Channel::Clear, &[Greeting, Ehlo, Challenge]),
        (Channel::Clear, &with_login),
        (Channel::StartTls, &[StartTls, Handshake, EhloInTls]),
        (Channel::StartTls, &with_login),
        (Channel::Implicit, &[Handshake, Greeting]),
    ];
    let mut cells = Vec::new();
    // A relay that cannot be reached says nothing: nobody listens, nobody accepts, or the
    // connection is closed again.
    for fault in [Fault::Closing, Fault::Close, Fault::Silence] {
        cells.push(Cell {
            channel: Channel::Clear,
            stage: Connect,
            fault,
        });
    }
    for (channel, stages) in rows {
        for stage in stages {
            cells.extend(FAULTS.map(|fault| Cell {
                channel,
                stage: *stage,
                fault,
            }));
        }
    }
    cells
}

impl Fault {
    /// Returns whether the relay answers with a well-formed refusal and goes on.
    fn is_refusal(self) -> bool {
        matches!(self, Fault::Temporary | Fault::Permanent | Fault::Escapes)
    }
}

impl Cell {
    /// The rules.
    fn expected(self) -> Expected {
        let one = self.fate();
        let fates = match self.stage {
            Stage::Quit => [Fate::Sent; 2],
            Stage::FirstRcpt if self.fault.is_refusal() => [one, Fate::Sent],
            Stage::SecondRcpt if self.fault.is_refusal() => [Fate::Sent, one],
            _ => [one; 2],
        };
        Expected {
            status: self.status(one),
            says: self.words(),
            fates,
        }
    }

    fn fate(self) -> Fate {
        match self.fault {
            // The certificate is not there yet: nothing that comes instead of it is an answer.
            _ if self.stage == Stage::Quit => Fate::Sent,
            _ if self.stage == Stage::Handshake => Fate::Waits,
            Fault::Permanent | Fault::Escapes => Fate::Refused,
            Fault::Temporary | Fault::Closing => Fate::Waits,
            _ if self.stage == Stage::Dot => Fate::Uncertain,
            _ => Fate::Waits,
        }
    }

    fn status(self, fate: Fate) -> i32 {
        match (fate, self.stage) {
            (Fate::Sent, _) => 0,
            (Fate::Refused, Stage::Auth | Stage::Challenge) => 77,
            (Fate::Refused, Stage::FirstRcpt | Stage::SecondRcpt) => 65,
            (Fate::Refused, _) => 69,
            (Fate::Uncertain, _) => 75,
            (Fate::Waits, _) => match self.fault {
                Fault::Closing if self.stage == Stage::Handshake => 76,
                Fault::Temporary | Fault::Permanent | Fault::Escapes
                    if self.stage == Stage::Handshake =>
                {
                    76
                }
                Fault::Endless | Fault::LongLine | Fault::Garbage => 76,
                Fault::Drip if self.stage == Stage::Body => 76,
                _ => 75,
            },
        }
    }

    fn words(self) -> &'static str {
        match (self.stage, self.fault) {
            (Stage::Connect, Fault::Closing) => "Connection refused",
            (Stage::Connect, Fault::Silence) => "no answer in time",
            (Stage::Handshake, Fault::Close) => "connection closed by the relay",
            (Stage::Handshake, Fault::Silence | Fault::Drip) => "no answer in time",
            (Stage::Handshake, _) => "cannot start TLS",
            (_, Fault::Temporary) => "451 4.3.0 not now",
            (Stage::Auth | Stage::Challenge, Fault::Permanent) => "535 5.7.8 not at all",
            (_, Fault::Permanent) => "554 5.3.0 not at all",
            (_, Fault::Closing) => "421 4.3.2 going down",
            (_, Fault::Close) => "connection closed by the relay",
            (Stage::Body, Fault::Silence) => "no answer in time",
            (Stage::Body, Fault::Drip) => "the relay answered before it was asked",
            (_, Fault::Silence | Fault::Drip) => "within 1 s",
            (_, Fault::Endless) => "a reply has more than 100 lines",
            (_, Fault::LongLine) => "a reply line is longer than 4096 bytes",
            (_, Fault::Garbage) => "'SSH-2.0-relay' is not an SMTP reply",
            (_, Fault::Escapes) => "\u{2400}\u{241b}[31mred\u{241b}]0;title\u{2407}",
        }
    }

    /// Runs the cell; returns what is wrong.
    fn run(self, certificate: &Arc<Certificate>) -> String {
        let script = Script {
            cell: self,
            certificate: Arc::clone(certificate),
            delivered: Mutex::new(Vec::new()),
        };
        let script = Arc::new(script);
        let served = Arc::clone(&script);
        let mut held = Vec::new();
        let port = match (self.stage, self.fault) {
            (Stage::Connect, Fault::Closing) => unused_port(),
            (Stage::Connect, Fault::Silence) => {
                let (port, full) = full_port();
                held = full;
                port
            }
            _ => SmtpServer::talking(move |peer| served.talk(peer)).port(),
        };
        let ran = self.case(port, certificate).run();
        drop(held);
        let delivered = script.delivered.lock().unwrap().clone();
        self.judge(&ran, &delivered)
    }

    fn case(self, port: u16, certificate: &Certificate) -> Case {
        let scheme = match self.channel {
            Channel::Clear => "smtp",
            Channel::StartTls => "submission",
            Channel::Implicit => "submissions",
        };
        // A machine with much to do must not run into the limit that another cell is about.
        let is_slow = matches!(self.fault, Fault::Silence | Fault::Drip);
        let limit = if is_slow || self.stage == Stage::Body {
            1
        } else {
            20
        };
        let mut case = Case::new()
            .rc(&format!("set mta={scheme}://{USER}@127.0.0.1:{port}"))
            .rc("set password-file=[DIR]/home/secret hostname=client.example.org")
            .rc("set log=[DIR]/home/log smtp-connect-timeout=1 smtp-deadline=25")
            .rc(&format!(
                "set smtp-timeout={limit} smtp-accept-timeout={limit}"
            ))
            .file("home/secret", format!("{SECRET}\n"))
            .mode("home/secret", 0o600)
            .args(["-s", "t", "-r", "me@example.org"])
            .args(RECIPIENTS)
            .stdin(self.text())
            .any_status()
            .any_stderr()
            .may_change("home/log")
            .lets_keep();
        if self.channel != Channel::Clear {
            case = case
                .rc("set tls-ca-file=[DIR]/home/authority.pem")
                .file("home/authority.pem", &certificate.authority);
        }
        case
    }

    fn text(self) -> String {
        if self.stage == Stage::Body {
            // More than the kernel holds for both ends.
            format!("{}\n", "long line ".repeat(90)).repeat(6_000)
        } else {
            "one\n.two\n".to_owned()
        }
    }

    fn judge(self, ran: &Ran, delivered: &[String]) -> String {
        let expected = self.expected();
        let mut wrong = String::new();
        let stderr = ran.stderr();
        if ran.output.code() != expected.status {
            let _ = writeln!(
                wrong,
                "status {}, not {}",
                ran.output.code(),
                expected.status
            );
        }
        let with = |fate: Fate| {
            let with = RECIPIENTS.iter().zip(expected.fates);
            let with = with.filter(|(_, is)| *is == fate).map(|(name, _)| *name);
            with.collect::<Vec<_>>().join(", ")
        };
        for fate in [Fate::Refused, Fate::Waits, Fate::Uncertain] {
            let names = with(fate);
            let line = match fate {
                _ if names.is_empty() => continue,
                Fate::Uncertain => {
                    format!("mailx: it is uncertain whether the message has reached {names}: ")
                }
                Fate::Waits => format!("mailx: cannot send to {names} now: "),
                _ => format!("mailx: cannot send to {names}: "),
            };
            let is_said = |said: &&str| said.starts_with(&line) && said.contains(expected.says);
            if stderr.lines().filter(is_said).count() != 1 {
                let _ = writeln!(wrong, "not one line '{line}… {}'", expected.says);
            }
        }
        if delivered.join(", ") != with(Fate::Sent) && expected.fates[0] != Fate::Uncertain {
            let _ = writeln!(wrong, "delivered to {delivered:?}");
        }
        if with(Fate::Sent) == RECIPIENTS.join(", ") && !stderr.is_empty() {
            let _ = writeln!(wrong, "something is said of a mail that was sent");
        }
        // What a relay says before it has heard of the message is not about the message.
        let fates = expected.fates.map(|fate| match fate {
            Fate::Refused if self.stage < Stage::Mail => Fate::Waits,
            fate => fate,
        });
        kept(ran, fates, &mut wrong);
        let raw = |letter: char| letter.is_control() && letter != '\n';
        if stderr.contains(raw) {
            let _ = writeln!(wrong, "control characters are printed");
        }
        for (place, text) in [
            ("standard output", ran.stdout()),
            ("standard error", stderr.clone()),
            ("the log", left(ran, "home/log")),
            ("the dead letter", left(ran, "home/dead.letter")),
            ("the outbox", left_below(&ran.path(OUTBOX))),
        ] {
            for secret in echoes() {
                if text.contains(secret.trim_end_matches('=')) {
                    let _ = writeln!(wrong, "{place} shows {secret}");
                }
            }
        }
        if !wrong.is_empty() {
            let _ = writeln!(wrong, "--- stderr:\n{stderr}");
        }
        wrong
    }
}

/// Returns what a file holds, if there is one.
fn left(ran: &Ran, path: &str) -> String {
    let bytes = fs::read(ran.path(path)).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Returns what all files of a directory hold, and those of the directories in it.
fn left_below(directory: &Path) -> String {
    let mut text = String::new();
    let found = fs::read_dir(directory).into_iter().flatten().flatten();
    for path in found.map(|entry| entry.path()) {
        if path.is_dir() {
            text += &left_below(&path);
        } else {
            text += &String::from_utf8_lossy(&fs::read(path).unwrap_or_default());
        }
    }
    text
}

/// Judges where the message is kept, and for whom: what was refused for good as a dead letter, the
/// rest in the outbox.
fn kept(ran: &Ran, fates: [Fate; 2], wrong: &mut String) {
    let with = |wanted: &dyn Fn(Fate) -> bool| -> Vec<&str> {
        let named = RECIPIENTS.iter().zip(fates);
        named
            .filter(|(_, fate)| wanted(*fate))
            .map(|(name, _)| *name)
            .collect()
    };
    let letters = letters(left(ran, "home/dead.letter").as_bytes());
    let named: Vec<String> = letters
        .iter()
        .map(|letter| letter.field("X-Postrider-Unsent-To"))
        .collect();
    let refused = with(&|fate| fate == Fate::Refused).join(", ");
    if named.join("; ") != refused {
        let _ = writeln!(wrong, "a dead letter for {named:?}, not {refused:?}");
    }
    let queued = ran.queued();
    let waiting: Vec<&str> = queued
        .iter()
        .flat_map(|entry| entry.targets())
        .filter(|(_, state)| ["waiting", "uncertain"].contains(state))
        .map(|(target, _)| target)
        .collect();
    let expected = with(&|fate| matches!(fate, Fate::Waits | Fate::Uncertain));
    if waiting.is_empty() == left_below(&ran.path(OUTBOX)).contains("example.com") {
        let _ = writeln!(wrong, "the files of the outbox hold something else");
    }
    if waiting != expected || queued.len() > 1 {
        let _ = writeln!(wrong, "in the outbox for {waiting:?}, not {expected:?}");
    }
    let dots = queued.iter().filter(|entry| entry.suffix == "dot").count();
    if (dots > 0) != fates.contains(&Fate::Uncertain) {
        let _ = writeln!(wrong, "{dots} entries are called uncertain");
    }
}

/// Returns a port at which nobody listens.
fn unused_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Returns a port at which connections stay unanswered, while what holds it lives.
fn full_port() -> (u16, Vec<(TcpListener, TcpStream)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    // The kernel completes as many connections as the backlog has places, and one more; it ignores
    // the next one.
    rustix::net::listen(&listener, 0).unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    let waiting = TcpStream::connect(address).unwrap();
    (address.port(), vec![(listener, waiting)])
}

/// How many cells run at a time: most of them wait.
const AT_A_TIME: usize = 24;

#[test]
fn every_fault_at_every_stage() {
    let cells = cells();
    assert!(cells.len() >= 110, "{} cells", cells.len());
    let certificate = Certificate::good();
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some(cell) = cells.get(next.fetch_add(1, Ordering::SeqCst)) {
                    // A case that fails must not hide the others.
                    let ran = catch_unwind(AssertUnwindSafe(|| cell.run(&certificate)));
                    let found = ran.unwrap_or_else(|panic| match panic.downcast::<String>() {
                        Ok(text) => *text,
                        Err(_) => "a panic without words".to_owned(),
                    });
                    if !found.is_empty() {
                        wrong.lock().unwrap().push(format!("{cell:?}: {found}"));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(
        wrong.is_empty(),
        "{} of {} cells are wrong:\n{}",
        wrong.len(),
        cells.len(),
        wrong.join("\n")
    );
}
