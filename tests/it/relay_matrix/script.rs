//! The relay of the matrix: right up to one stage, and then wrong.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::{Cell, Channel, Fault, RECIPIENTS, Stage, echoes};
use crate::smtp_server::{Certificate, Done, Peer};

/// The relay of one cell.
pub(super) struct Script {
    pub(super) cell: Cell,
    pub(super) certificate: Arc<Certificate>,
    /// The recipients whose message it has taken.
    pub(super) delivered: Mutex<Vec<String>>,
}

/// Why the relay stops: the fault is done.
fn done() -> String {
    "the fault is done".to_owned()
}

impl Script {
    /// Speaks with one client.
    pub(super) fn talk(&self, peer: &mut Peer) -> Done {
        if self.cell.stage == Stage::Connect {
            return Ok(());
        }
        let mut tls = self.cell.channel == Channel::Implicit;
        if tls {
            self.shake_hands(peer)?;
        }
        if !self.answer(peer, Stage::Greeting, "220 relay.test ESMTP")? {
            return peer.drain();
        }
        let (mut has_mail, mut recipients, mut rcpts) = (false, Vec::new(), 0);
        while let Some(line) = peer.command() {
            let verb = line.split(' ').next().unwrap_or_default().to_uppercase();
            match verb.as_str() {
                "EHLO" if tls => {
                    let offers = "250-relay.test\r\n250-PIPELINING\r\n250 AUTH PLAIN";
                    self.answer(peer, Stage::EhloInTls, offers)?
                }
                "EHLO" if self.cell.channel == Channel::StartTls => {
                    self.answer(peer, Stage::Ehlo, "250-relay.test\r\n250 STARTTLS")?
                }
                "EHLO" => self.answer(peer, Stage::Ehlo, "250-relay.test\r\n250 AUTH LOGIN")?,
                "STARTTLS" => {
                    if self.answer(peer, Stage::StartTls, "220 go on")? {
                        self.shake_hands(peer)?;
                        tls = true;
                    }
                    true
                }
                "AUTH" if !tls => {
                    if self.answer(peer, Stage::Challenge, "334 VXNlcm5hbWU6")? {
                        peer.command();
                        peer.send(b"334 UGFzc3dvcmQ6\r\n")?;
                        peer.command();
                        self.answer(peer, Stage::Auth, "235 2.7.0 welcome")?;
                    }
                    true
                }
                "AUTH" => self.answer(peer, Stage::Auth, "235 2.7.0 welcome")?,
                "MAIL" => {
                    has_mail = self.answer(peer, Stage::Mail, "250 2.1.0 ok")?;
                    true
                }
                "RCPT" if has_mail => {
                    rcpts += 1;
                    let stage = match rcpts {
                        1 => Stage::FirstRcpt,
                        _ => Stage::SecondRcpt,
                    };
                    if self.answer(peer, stage, "250 2.1.5 ok")? {
                        recipients.push(RECIPIENTS[rcpts - 1].to_owned());
                    }
                    true
                }
                "DATA" if has_mail && !recipients.is_empty() => {
                    if self.cell.stage == Stage::Body {
                        peer.take_little()?;
                    }
                    if self.answer(peer, Stage::Data, "354 go on")? {
                        self.message(peer, &recipients)?;
                    }
                    true
                }
                "QUIT" => return self.answer(peer, Stage::Quit, "221 bye").map(drop),
                "RSET" | "NOOP" => self.send(peer, "250 ok")?,
                _ => self.send(peer, "503 5.5.1 not now")?,
            };
        }
        Ok(())
    }

    fn message(&self, peer: &mut Peer, recipients: &[String]) -> Done {
        if self.cell.stage == Stage::Body {
            peer.command();
            // By now the client has filled what the kernel holds, and waits.
            thread::sleep(Duration::from_millis(300));
            self.answer(peer, Stage::Body, "")?;
            return peer.drain();
        }
        peer.data()?;
        // It takes the message also where nobody hears of that.
        if !self.cell.fault.is_refusal() && self.cell.fault != Fault::Closing
            || self.cell.stage != Stage::Dot
        {
            self.delivered.lock().unwrap().extend_from_slice(recipients);
        }
        self.answer(peer, Stage::Dot, "250 2.0.0 queued").map(drop)
    }

    fn shake_hands(&self, peer: &mut Peer) -> Done {
        if self.cell.stage == Stage::Handshake {
            peer.fill().map_err(|error| error.to_string())?;
            self.answer(peer, Stage::Handshake, "")?;
            return peer.drain().and(Err(done()));
        }
        peer.start_tls(&self.certificate)
    }

    fn send(&self, peer: &mut Peer, reply: &str) -> Result<bool, String> {
        peer.send(format!("{reply}\r\n").as_bytes())?;
        Ok(true)
    }

    /// Sends this reply, or does what is wrong with this stage; returns whether it was the reply. An
    /// error ends the connection.
    fn answer(&self, peer: &mut Peer, stage: Stage, reply: &str) -> Result<bool, String> {
        if stage != self.cell.stage {
            return self.send(peer, reply);
        }
        let echo = match stage {
            Stage::Auth | Stage::Mail | Stage::FirstRcpt | Stage::SecondRcpt => echoes().join(" "),
            Stage::Data | Stage::Body | Stage::Dot => echoes().join(" "),
            _ => String::new(),
        };
        let refused = match stage {
            Stage::Auth | Stage::Challenge => "535 5.7.8",
            _ => "554 5.3.0",
        };
        match self.cell.fault {
            Fault::Temporary => self.send(peer, &format!("451 4.3.0 not now {echo}"))?,
            Fault::Permanent => self.send(peer, &format!("{refused} not at all {echo}"))?,
            Fault::Escapes => {
                let text = format!("{refused} \0\x1b[31mred\x1b]0;title\x07 {echo} ");
                peer.send(&[text.as_bytes(), b"\x9b\x7f\xff\r\n"].concat())?;
                true
            }
            Fault::Closing => {
                self.send(peer, &format!("421 4.3.2 going down {echo}"))?;
                if stage == Stage::Body {
                    // The kernel would throw its words away if it closed with unread bytes.
                    peer.drain()?;
                }
                return Err(done());
            }
            Fault::Close => return Err(done()),
            Fault::Silence if stage == Stage::Body => {
                thread::sleep(Duration::from_secs(20));
                return Err(done());
            }
            Fault::Silence => return peer.drain().and(Err(done())),
            Fault::Drip => {
                let bytes = match stage {
                    // The head of a record that never comes.
                    Stage::Handshake => b"\x16\x03\x03\x3f\xff\x02\0\x3f\xf0\x03\x03".repeat(3),
                    _ => format!("250 {}", "x".repeat(30)).into_bytes(),
                };
                for byte in bytes {
                    peer.send(&[byte])?;
                    thread::sleep(Duration::from_secs(1));
                }
                return Err(done());
            }
            Fault::Endless => {
                // Far more than any client takes; it leaves earlier, and that is an error here.
                for _ in 0..1_000_000 {
                    peer.send(format!("250-{echo}\r\n").as_bytes())?;
                }
                return Err(done());
            }
            Fault::LongLine => {
                peer.send(format!("250 {echo}{}", "x".repeat(1_000_000)).as_bytes())?;
                return peer.drain().and(Err(done()));
            }
            Fault::Garbage => {
                peer.send(b"SSH-2.0-relay\r\n\xff\xfe\0\r\n")?;
                return peer.drain().and(Err(done()));
            }
        };
        Ok(false)
    }
}
