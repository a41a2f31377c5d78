//! A relay that fails at random: what is told is what was done, whatever it does.
//!
//! Each seed is one relay and one channel that sends some messages over it. The relay notes each
//! message that it takes, and for whom.

use std::collections::HashMap;

use super::smtp_server::{Done, Peer, SmtpServer, find};
use super::*;

/// Numbers that follow from a seed (xorshift64).
struct Chance(u64);

impl Chance {
    fn new(seed: u64) -> Chance {
        Chance(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }
}

/// What a relay took: the message and its recipients.
type Taken = Mutex<Vec<(String, Vec<String>)>>;

/// Ends a connection.
fn hang_up() -> Done {
    Err("hangs up".to_owned())
}

/// Sends a reply; at times something else, in which case it returns false, or nothing at all.
fn answer(peer: &mut Peer, chance: &mut Chance, reply: &str) -> Result<bool, String> {
    let other = match chance.below(40) {
        0 => "451 4.3.0 not now",
        1 => "554 5.3.0 never",
        2 => "421 4.3.2 going down",
        3 => "what?",
        4 => return hang_up().map(|()| false),
        _ => reply,
    };
    peer.send(format!("{other}\r\n").as_bytes())?;
    match other {
        "421 4.3.2 going down" | "what?" => hang_up().map(|()| false),
        _ => Ok(other == reply),
    }
}

fn talk(peer: &mut Peer, chance: &mut Chance, taken: &Taken) -> Done {
    // The wire forms of one relay differ from connection to connection, which costs nothing.
    let limit = 1 + chance.below(4) as usize;
    let offers = match chance.below(3) {
        0 => format!("250-relay.test\r\n250-PIPELINING\r\n250 LIMITS RCPTMAX={limit}"),
        1 => "250-relay.test\r\n250 PIPELINING".to_owned(),
        _ => "250 relay.test".to_owned(),
    };
    if !answer(peer, chance, "220 relay.test")? {
        return hang_up();
    }
    let (mut has_mail, mut to) = (false, Vec::new());
    while let Some(line) = peer.command() {
        match line.get(..4).unwrap_or_default() {
            "EHLO" => {
                answer(peer, chance, &offers)?;
            }
            "MAIL" => {
                to.clear();
                has_mail = answer(peer, chance, "250 ok")?;
            }
            "RCPT" if has_mail && to.len() >= limit => {
                answer(peer, chance, "452 4.5.3 too many recipients")?;
            }
            "RCPT" if has_mail => {
                if answer(peer, chance, "250 ok")? {
                    let path = line.split(['<', '>']).nth(1).unwrap_or_default();
                    to.push(path.to_owned());
                }
            }
            "DATA" if to.is_empty() => peer.send(b"503 5.5.1 nobody\r\n")?,
            "DATA" => {
                if answer(peer, chance, "354 go on")? {
                    let data = peer.data()?;
                    let text = String::from_utf8_lossy(&data).into_owned();
                    let recipients = std::mem::take(&mut to);
                    has_mail = false;
                    // It has taken the message if it says so, and at times if it cannot say so.
                    let is_lost = chance.one_in(8);
                    if is_lost {
                        taken.lock().expect("taken").push((text, recipients));
                        return hang_up();
                    }
                    if answer(peer, chance, "250 taken")? {
                        taken.lock().expect("taken").push((text, recipients));
                        if chance.one_in(6) {
                            // As after an hour without a message.
                            return hang_up();
                        }
                    }
                }
            }
            "RSET" => {
                to.clear();
                has_mail = false;
                answer(peer, chance, "250 ok")?;
            }
            "QUIT" => return peer.send(b"221 bye\r\n"),
            _ => peer.send(b"503 5.5.1 not now\r\n")?,
        }
    }
    Ok(())
}

/// Sends some messages; returns what was told of each recipient of each.
fn send_all(seed: u64, channel: &mut SmtpChannel) -> HashMap<(String, String), Disposition> {
    let mut chance = Chance::new(seed ^ 0xABCD);
    let cancel = AtomicBool::new(false);
    let mut told = HashMap::new();
    for number in 0..5 {
        let subject = format!("message {number} of {seed}");
        let message = Text(format!("Subject: {subject}\n\nx\n").into_bytes());
        let to: Vec<String> = (0..=chance.below(7))
            .map(|name| format!("u{name}@example.com"))
            .collect();
        let to: Vec<&str> = to.iter().map(String::as_str).collect();
        let outcomes = channel.submit(&envelope(&to), &message, &NoHooks, &cancel);
        assert_eq!(outcomes.len(), to.len(), "seed {seed}");
        for (address, outcome) in outcomes {
            let key = (subject.clone(), address.to_string());
            told.insert(key, outcome.disposition);
        }
    }
    told
}

fn check(seed: u64) {
    let taken = Arc::new(Taken::default());
    let noted = Arc::clone(&taken);
    let chance = Mutex::new(Chance::new(seed));
    let server = SmtpServer::talking(move |peer| {
        // One connection after the other: the numbers are the same in each run of a seed.
        let mut chance = chance.lock().expect("chance");
        talk(peer, &mut chance, &noted)
    });
    let mut channel = SmtpChannel::new(relay(&server), Arc::new(Silent));
    let told = send_all(seed, &mut channel);
    drop(channel);
    let sessions = server.ended();
    assert!(sessions.len() <= 60, "seed {seed}: {}", sessions.len());
    // No session shows a command behind a message that nobody asked for.
    assert!(
        sessions
            .iter()
            .all(|one| find(&one.received, b"\r\n.\r\n.\r\n").is_none())
    );
    let taken = taken.lock().expect("taken");
    let mut copies: HashMap<(String, String), usize> = HashMap::new();
    for (text, recipients) in taken.iter() {
        let subject = text.lines().next().unwrap_or_default();
        let subject = subject.trim_start_matches("Subject: ").to_owned();
        for recipient in recipients {
            *copies
                .entry((subject.clone(), recipient.clone()))
                .or_default() += 1;
        }
    }
    for (key, disposition) in &told {
        let count = copies.remove(key).unwrap_or_default();
        let is_true = match disposition {
            Disposition::Accepted => count == 1,
            Disposition::Uncertain(_) => count <= 1,
            Disposition::Refused(_) | Disposition::TryLater(_) => count == 0,
        };
        assert!(
            is_true,
            "seed {seed}: {key:?} {disposition:?}, {count} copies"
        );
    }
    assert!(copies.is_empty(), "seed {seed}: {copies:?}");
}

#[test]
fn what_is_told_is_what_was_done() {
    thread::scope(|scope| {
        for lane in 0..8 {
            scope.spawn(move || (0..60).for_each(|number| check(lane * 1000 + number)));
        }
    });
}
