//! Several messages over one connection, and what the caller is told meanwhile.

use std::cell::RefCell;

use super::smtp_server::{Behaviour, Certificate, SmtpServer, Step, expect, find, say};
use super::*;

/// How often a text occurs.
fn count(hay: &[u8], needle: &[u8]) -> usize {
    hay.windows(needle.len())
        .filter(|part| *part == needle)
        .count()
}

/// Remembers which hooks were called, and fails those that are to fail.
#[derive(Default)]
struct Notes {
    lines: RefCell<Vec<String>>,
    refuses_dot: bool,
}

impl SubmitHooks for Notes {
    fn waited(&self) {
        self.lines.borrow_mut().push("waited".to_owned());
    }

    fn before_dot(&self, recipients: &[EnvelopeAddress]) -> io::Result<()> {
        let names: Vec<&str> = recipients.iter().map(EnvelopeAddress::as_str).collect();
        self.lines
            .borrow_mut()
            .push(format!("dot {}", names.join(" ")));
        if self.refuses_dot {
            return Err(io::Error::other("no space left"));
        }
        Ok(())
    }

    fn settled(&self, outcomes: &[(EnvelopeAddress, Outcome)]) {
        let names: Vec<String> = outcomes
            .iter()
            .map(|(address, outcome)| format!("{address} {}", outcome.disposition.name()))
            .collect();
        self.lines
            .borrow_mut()
            .push(format!("settled {}", names.join(" ")));
    }
}

fn message() -> Text {
    Text(MESSAGE.into())
}

/// Sends to these recipients over a channel.
fn send_over(channel: &mut SmtpChannel, recipients: &[&str]) -> Vec<Outcome> {
    let cancel = AtomicBool::new(false);
    let result = channel.submit(&envelope(recipients), &message(), &NoHooks, &cancel);
    result.into_iter().map(|(_, outcome)| outcome).collect()
}

fn send_kept(channel: &mut SmtpChannel) -> Outcome {
    send_over(channel, &["you@example.com"]).remove(0)
}

fn open(server: &SmtpServer) -> SmtpChannel {
    SmtpChannel::new(relay(server), Arc::new(Silent))
}

#[test]
fn messages_follow_each_other_over_one_connection() {
    for certificate in [None, Some(Certificate::good())] {
        let server = SmtpServer::accepting(Behaviour {
            certificate,
            keywords: vec!["PIPELINING"],
            ..Behaviour::default()
        });
        let mut channel = open(&server);
        assert!(!channel.is_open());
        for _ in 0..3 {
            assert!(send_kept(&mut channel).is_accepted());
            assert!(channel.is_open());
        }
        drop(channel);
        let sessions = server.ended();
        assert_eq!(sessions.len(), 1);
        assert!(sessions[0].received.ends_with(b"QUIT\r\n"));
        assert_eq!(count(&sessions[0].received, b"MAIL FROM"), 3);
        assert_eq!(count(&sessions[0].received, b"RSET"), 0);
        assert_eq!(server.messages().len(), 3);
    }
}

#[test]
fn a_login_is_shown_once_for_many_messages() {
    let server = SmtpServer::accepting(Behaviour {
        login: Some(("tester", "s3cret")),
        auth_in_clear: true,
        ..Behaviour::default()
    });
    let mut channel = SmtpChannel::new(login(relay(&server), "s3cret"), Arc::new(Silent));
    for _ in 0..3 {
        assert!(send_kept(&mut channel).is_accepted());
    }
    drop(channel);
    assert_eq!(count(&server.ended()[0].received, b"AUTH"), 1);
}

#[test]
fn a_refused_message_does_not_spoil_the_next_one() {
    let server = SmtpServer::accepting(Behaviour {
        refuse: vec![("bad@example.com", "550 5.1.1 no such user")],
        ..Behaviour::default()
    });
    let mut channel = open(&server);
    let refused = send_over(&mut channel, &["bad@example.com"]).remove(0);
    assert_eq!(refused.disposition, Disposition::Refused(Kind::Data));
    assert_eq!(refused.scope, Scope::Recipient);
    assert!(send_kept(&mut channel).is_accepted());
    drop(channel);
    let sessions = server.ended();
    assert_eq!(sessions.len(), 1);
    // The transaction that came to no end is ended first (RFC 5321 section 4.1.1.5).
    assert!(find(&sessions[0].received, b"RSET\r\nMAIL FROM").is_some());
}

#[test]
fn a_relay_that_closes_between_messages_gets_a_new_connection() {
    for words in ["", "421 4.4.2 idle for too long", "421 too many messages"] {
        for keywords in [vec![], vec!["PIPELINING"]] {
            let server = SmtpServer::accepting(Behaviour {
                keywords,
                closes_after: Some((2, words)),
                ..Behaviour::default()
            });
            let mut channel = open(&server);
            for number in 0..5 {
                let outcome = send_kept(&mut channel);
                assert!(outcome.is_accepted(), "{words}: {outcome:?}");
                if number % 2 == 1 {
                    // The words must come before the next message, as they do after an hour.
                    thread::sleep(Duration::from_millis(120));
                }
            }
            drop(channel);
            assert_eq!(server.ended().len(), 3, "{words}");
            assert_eq!(server.messages().len(), 5);
        }
    }
}

#[test]
fn a_relay_that_closes_instead_of_answering_mail_gets_a_new_connection_once() {
    let first = [
        up_to_data(),
        vec![Step::ExpectData, say("250 ok"), expect("MAIL"), Step::Drop],
    ];
    let second = [up_to_mail(), vec![expect("MAIL"), Step::Drop]].concat();
    let server = SmtpServer::start(vec![first.concat(), second]);
    let mut channel = open(&server);
    assert!(send_kept(&mut channel).is_accepted());
    let outcome = send_kept(&mut channel);
    assert_eq!(outcome.disposition, Disposition::TryLater(Kind::TryLater));
    assert_eq!(outcome.scope, Scope::Route);
    assert_eq!(server.ended().len(), 2);
}

#[test]
fn nothing_is_sent_again_once_a_recipient_was_answered_or_the_dot_is_out() {
    let open_connection = || [up_to_data(), vec![Step::ExpectData, say("250 ok")]].concat();
    let tails = [
        (
            vec![expect("MAIL"), say("250 ok"), expect("RCPT"), Step::Drop],
            Disposition::TryLater(Kind::TryLater),
        ),
        (
            vec![
                expect("MAIL"),
                say("250 ok"),
                expect("RCPT"),
                say("250 ok"),
                expect("DATA"),
                say("354 go"),
                Step::ExpectData,
                Step::Drop,
            ],
            Disposition::Uncertain(Kind::TryLater),
        ),
    ];
    for (tail, disposition) in tails {
        let server = SmtpServer::scripted([open_connection(), tail].concat());
        let mut channel = open(&server);
        assert!(send_kept(&mut channel).is_accepted());
        assert_eq!(send_kept(&mut channel).disposition, disposition);
        assert!(!channel.is_open());
        assert_eq!(server.ended().len(), 1);
    }
}

#[test]
fn a_connection_takes_a_hundred_messages_or_as_many_as_the_relay_says() {
    for (keyword, sent, connections) in [("PIPELINING", 101, 2), ("LIMITS MAILMAX=2", 5, 3)] {
        let server = SmtpServer::accepting(Behaviour {
            keywords: vec![keyword],
            ..Behaviour::default()
        });
        let mut channel = open(&server);
        for _ in 0..sent {
            assert!(send_kept(&mut channel).is_accepted());
        }
        drop(channel);
        let sessions = server.ended();
        assert_eq!(sessions.len(), connections, "{keyword}");
        assert!(
            sessions
                .iter()
                .all(|session| session.received.ends_with(b"QUIT\r\n"))
        );
    }
}

#[test]
fn the_hooks_say_when_the_wait_is_long_and_when_the_dot_leaves() {
    let mut slow = up_to_data();
    slow.insert(0, Step::Sleep(Duration::from_millis(1200)));
    slow.extend([Step::ExpectData, say("250 ok")]);
    let server = SmtpServer::scripted(slow);
    let notes = Notes::default();
    let cancel = AtomicBool::new(false);
    let to = envelope(&["you@example.com"]);
    let mut channel = open(&server);
    let result = channel.submit(&to, &message(), &notes, &cancel);
    assert!(result[0].1.is_accepted());
    assert_eq!(*notes.lines.borrow(), ["waited", "dot you@example.com"]);
}

#[test]
fn a_dot_that_cannot_be_noted_is_not_sent() {
    let server = SmtpServer::accepting(Behaviour::default());
    let notes = Notes {
        refuses_dot: true,
        ..Notes::default()
    };
    let cancel = AtomicBool::new(false);
    let to = envelope(&["you@example.com"]);
    let mut channel = open(&server);
    let result = channel.submit(&to, &message(), &notes, &cancel);
    assert_eq!(result[0].1.disposition, Disposition::TryLater(Kind::Io));
    assert!(result[0].1.text.contains("no space left"), "{result:?}");
    // The relay has no complete message, and the next one has a connection of its own.
    assert!(!channel.is_open());
    assert!(send_kept(&mut channel).is_accepted());
    drop(channel);
    assert_eq!(server.messages().len(), 1);
    assert!(server.ended()[0].received.ends_with(b"DATA\r\n"));
}

#[test]
fn after_an_interruption_the_next_message_has_another_connection() {
    let server = SmtpServer::start(vec![
        [
            up_to_mail(),
            vec![expect("MAIL"), Step::Sleep(Duration::from_secs(15))],
        ]
        .concat(),
        [up_to_data(), vec![Step::ExpectData, say("250 ok")]].concat(),
    ]);
    let mut channel = open(&server);
    let mut hasty = relay(&server).timeouts;
    hasty.deadline = Some(Duration::from_millis(300));
    let patient = relay(&server).timeouts;
    channel.set_timeouts(hasty);
    let outcome = send_kept(&mut channel);
    assert_eq!(outcome.disposition, Disposition::TryLater(Kind::TryLater));
    assert_eq!(outcome.scope, Scope::Route);
    channel.set_timeouts(patient);
    assert!(send_kept(&mut channel).is_accepted());
}

#[test]
fn each_message_can_have_an_observer_of_its_own() {
    let server = SmtpServer::accepting(Behaviour::default());
    let transcript = Arc::new(Transcript::default());
    let mut channel =
        SmtpChannel::new(relay(&server), Arc::clone(&transcript) as Arc<dyn Observer>);
    assert!(send_kept(&mut channel).is_accepted());
    let heard = transcript.0.lock().expect("transcript").len();
    assert!(heard > 4);
    channel.set_observer(Arc::new(Silent));
    assert!(send_kept(&mut channel).is_accepted());
    drop(channel);
    assert_eq!(transcript.0.lock().expect("transcript").len(), heard);
}

#[test]
fn the_hooks_follow_each_transaction() {
    let server = SmtpServer::accepting(Behaviour {
        most_recipients: Some((1, "452 4.5.3 too many recipients")),
        refuse: vec![("bad@example.com", "550 5.1.1 no such user")],
        ..Behaviour::default()
    });
    let notes = Notes::default();
    let cancel = AtomicBool::new(false);
    let to = envelope(&["bad@example.com", "a@example.com", "b@example.com"]);
    let channel = open(&server);
    let result = channel.submit_last(&to, &message(), &notes, &cancel);
    let accepted: Vec<bool> = result.iter().map(|(_, one)| one.is_accepted()).collect();
    assert_eq!(accepted, [false, true, true]);
    assert_eq!(
        *notes.lines.borrow(),
        [
            "dot a@example.com",
            "settled bad@example.com refused a@example.com accepted",
            "dot b@example.com",
        ]
    );
}
