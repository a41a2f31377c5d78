//! The dialogue against a real server on the loopback, one fault at a time.

#[path = "../../../../tests/it/smtp_server.rs"]
mod smtp_server;

mod chance;
mod channel;
mod dialogue;
mod faults;
mod kept;
mod recipients;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use self::smtp_server::{SmtpServer, Step, expect, say};
use super::job::NoHooks;
use super::*;
use crate::address::{EnvelopeAddress, ReversePath};
use crate::exit::Kind;
use crate::transport::Silent;
use crate::transport::{Disposition, Envelope, MessageSource, Observer, Outcome, Scope};
use std::sync::Mutex;

/// A message in memory.
struct Text(Vec<u8>);

impl MessageSource for Text {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn reader(&self) -> io::Result<Box<dyn io::Read + Send + '_>> {
        Ok(Box::new(&self.0[..]))
    }
}

/// An observer that remembers the dialogue.
#[derive(Default)]
struct Transcript(Mutex<Vec<String>>);

impl Observer for Transcript {
    fn dialogue(&self, from_us: bool, line: &str) {
        let mark = if from_us { ">" } else { "<" };
        let mut lines = self.0.lock().expect("transcript");
        lines.push(format!("{mark} {line}"));
    }
}

const MESSAGE: &str = "Subject: hi\n\n.dot\nend\n";
const ON_WIRE: &[u8] = b"Subject: hi\r\n\r\n..dot\r\nend\r\n.\r\n";

fn envelope(recipients: &[&str]) -> Envelope {
    let address = |text: &&str| EnvelopeAddress::new(*text).expect("an address");
    Envelope {
        sender: ReversePath::Address(address(&"me@example.org")),
        recipients: recipients.iter().map(address).collect(),
    }
}

fn relay(server: &SmtpServer) -> Relay {
    let mut relay = Relay::new("127.0.0.1", server.port());
    relay.helo_name = "client.example.org".to_owned();
    // Longer than any machine needs, shorter than the patience of the server.
    relay.timeouts.reply = Duration::from_secs(10);
    relay.timeouts.final_reply = Duration::from_secs(10);
    relay
}

fn login(mut relay: Relay, secret: &str) -> Relay {
    relay.credentials = Some(Credentials {
        user: "tester".to_owned(),
        secret: Secret::new(secret),
        mechanism: Mechanism::Auto,
        renewal: None,
    });
    relay
}

fn send_text(relay: &Relay, recipients: &[&str], text: &str) -> Vec<Outcome> {
    let message = Text(text.as_bytes().to_vec());
    let observer = Arc::new(Silent);
    let cancel = AtomicBool::new(false);
    let result = submit(relay, &envelope(recipients), &message, observer, &cancel);
    let (addresses, outcomes): (Vec<_>, Vec<_>) = result.into_iter().unzip();
    assert_eq!(addresses, envelope(recipients).recipients);
    outcomes
}

fn send(relay: &Relay) -> Outcome {
    send_text(relay, &["you@example.com"], MESSAGE).remove(0)
}

/// Returns a script up to where the message is expected, without extensions.
fn up_to_data() -> Vec<Step> {
    let mut script = up_to_mail();
    script.extend([
        expect("MAIL FROM:<me@example.org>\r\n"),
        say("250 ok"),
        expect("RCPT TO:<you@example.com>\r\n"),
        say("250 ok"),
        expect("DATA\r\n"),
        say("354 go on"),
    ]);
    script
}

fn up_to_mail() -> Vec<Step> {
    vec![
        say("220 hello"),
        expect("EHLO client.example.org\r\n"),
        say("250 relay.test"),
    ]
}

/// Asserts that no script failed.
fn assert_followed(server: &SmtpServer) {
    for session in server.ended() {
        assert_eq!(session.fault, None);
    }
}

fn words(outcome: &Outcome) -> (Disposition, &str) {
    (outcome.disposition, &outcome.text)
}

/// Takes one message to a relay over a connection of its own; as [`SmtpChannel::submit_last`].
fn submit(
    relay: &Relay,
    envelope: &Envelope,
    message: &dyn MessageSource,
    observer: Arc<dyn Observer>,
    cancel: &AtomicBool,
) -> Vec<(EnvelopeAddress, Outcome)> {
    SmtpChannel::new(relay.clone(), observer).submit_last(envelope, message, &NoHooks, cancel)
}
