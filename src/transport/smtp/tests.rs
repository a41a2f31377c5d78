//! The dialogue against a real server on the loopback, one fault at a time.

#[path = "../../../tests/it/smtp_server.rs"]
mod smtp_server;

use std::io::{self, Write};

use self::smtp_server::{Behaviour, Certificate, SmtpServer, Step, expect, find, say};
use super::*;

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
        sender: Some(address(&"me@example.org")),
        null_sender: false,
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
    });
    relay
}

fn send_text(relay: &Relay, recipients: &[&str], text: &str) -> Vec<Outcome> {
    let message = Arc::new(Text(text.as_bytes().to_vec()));
    let observer = Arc::new(super::super::Silent);
    let cancel = AtomicBool::new(false);
    let result = submit(relay, &envelope(recipients), message, observer, &cancel);
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

fn words(outcome: &Outcome) -> (Disposition, Kind, &str) {
    (outcome.disposition, outcome.kind, &outcome.text)
}

#[test]
fn each_recipient_has_its_own_reply_and_the_good_ones_are_served() {
    for keywords in [vec![], vec!["pipelining"]] {
        let server = SmtpServer::accepting(Behaviour {
            keywords,
            refuse: vec![
                ("gone@example.com", "550 5.1.1 no such user"),
                ("full@example.com", "452 4.2.2 mailbox full"),
            ],
            ..Behaviour::default()
        });
        let to = [
            "a@example.com",
            "gone@example.com",
            "full@example.com",
            "b@example.com",
        ];
        let outcomes = send_text(&relay(&server), &to, MESSAGE);
        let found: Vec<_> = outcomes.iter().map(words).collect();
        assert_eq!(
            found,
            [
                (Disposition::Accepted, Kind::Nothing, "2.0.0 queued as 4711"),
                (Disposition::Refused, Kind::Data, "5.1.1 no such user"),
                (Disposition::TryLater, Kind::TryLater, "4.2.2 mailbox full"),
                (Disposition::Accepted, Kind::Nothing, "2.0.0 queued as 4711"),
            ]
        );
        assert_eq!(outcomes[1].code, Some(550));
        let messages = server.messages();
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0].to, ["<a@example.com>", "<b@example.com>"]);
        assert_eq!(messages[0].data, b"Subject: hi\r\n\r\n.dot\r\nend\r\n");
    }
}

#[test]
fn commands_wait_for_their_replies_unless_pipelining_is_offered() {
    let pause = Step::Silence(Duration::from_millis(50));
    let mut script = up_to_mail();
    for (command, reply) in [("MAIL", "250 ok"), ("RCPT", "250 ok"), ("DATA", "354 go")] {
        script.extend([expect(command), pause.clone(), say(reply)]);
    }
    script.extend([
        Step::ExpectData,
        say("250 done"),
        expect("QUIT"),
        say("221 bye"),
    ]);
    let server = SmtpServer::scripted(script);
    assert!(send(&relay(&server)).is_accepted());
    assert_followed(&server);

    let server = SmtpServer::scripted(vec![
        say("220 hello"),
        expect("EHLO"),
        say("250-relay.test\r\n250 PIPELINING"),
        expect("MAIL"),
        expect("RCPT"),
        expect("DATA"),
        say("250 ok\r\n250 ok\r\n354 go"),
        Step::ExpectData,
        say("250 done"),
        expect("QUIT"),
    ]);
    assert!(send(&relay(&server)).is_accepted());
    assert_followed(&server);
}

#[test]
fn pipelined_data_without_a_recipient_ends_in_an_empty_message() {
    let server = SmtpServer::scripted(vec![
        say("220 hello"),
        expect("EHLO"),
        say("250-relay.test\r\n250 PIPELINING"),
        expect("MAIL"),
        expect("RCPT"),
        expect("DATA"),
        say("250 ok\r\n550 no such user\r\n354 go"),
        expect(".\r\n"),
        say("554 no recipients"),
        expect("QUIT\r\n"),
        say("221 bye"),
    ]);
    let outcome = send(&relay(&server));
    assert_eq!(
        words(&outcome),
        (Disposition::Refused, Kind::Data, "no such user")
    );
    assert_followed(&server);
}

#[test]
fn a_hundred_and_more_recipients_are_pipelined_in_portions() {
    let server = SmtpServer::accepting(Behaviour {
        keywords: vec!["PIPELINING"],
        ..Behaviour::default()
    });
    let to: Vec<String> = (0..250).map(|n| format!("u{n}@example.com")).collect();
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    let outcomes = send_text(&relay(&server), &to, MESSAGE);
    assert!(outcomes.iter().all(Outcome::is_accepted));
    assert_eq!(server.messages()[0].to.len(), 250);
}

#[test]
fn the_bytes_of_a_whole_session() {
    let server = SmtpServer::accepting(Behaviour::default());
    assert!(send(&relay(&server)).is_accepted());
    let expected = [
        b"EHLO client.example.org\r\nMAIL FROM:<me@example.org>\r\nRCPT TO:<you@example.com>\r\nDATA\r\n"
            .as_slice(),
        ON_WIRE,
        b"QUIT\r\n",
    ]
    .concat();
    assert_eq!(server.ended()[0].received, expected);
}

#[test]
fn a_large_message_arrives_whole_in_clear_and_through_tls() {
    let text = ".a line of some length, and then some\n".repeat(60_000);
    for certificate in [None, Some(Certificate::good())] {
        let server = SmtpServer::accepting(Behaviour {
            certificate,
            ..Behaviour::default()
        });
        let outcomes = send_text(&relay(&server), &["you@example.com"], &text);
        assert!(outcomes[0].is_accepted(), "{outcomes:?}");
        let expected = text.replace('\n', "\r\n");
        assert!(server.messages()[0].data == expected.as_bytes());
    }
}

#[test]
fn a_name_without_a_dot_is_replaced_by_the_address_and_helo_follows_ehlo() {
    let server = SmtpServer::accepting(Behaviour {
        helo_only: true,
        ..Behaviour::default()
    });
    let mut relay = relay(&server);
    relay.helo_name = "vm".to_owned();
    assert!(send(&relay).is_accepted());
    let received = &server.ended()[0].received;
    assert!(received.starts_with(b"EHLO [127.0.0.1]\r\nHELO [127.0.0.1]\r\nMAIL"));
}

#[test]
fn size_and_eight_bits_are_declared_and_a_limit_stops_before_mail() {
    let server = SmtpServer::accepting(Behaviour {
        keywords: vec!["size 30", "8BITMIME"],
        ..Behaviour::default()
    });
    assert!(send(&relay(&server)).is_accepted());
    let outcomes = send_text(&relay(&server), &["you@example.com"], "\n\u{e4}\n");
    assert!(outcomes[0].is_accepted());
    let from: Vec<String> = server.messages().into_iter().map(|m| m.from).collect();
    assert_eq!(
        from,
        [
            "<me@example.org> SIZE=26",
            "<me@example.org> SIZE=6 BODY=8BITMIME"
        ]
    );

    let outcomes = send_text(&relay(&server), &["you@example.com"], &"x\n".repeat(20));
    assert_eq!(outcomes[0].kind, Kind::Unavailable);
    assert!(
        outcomes[0]
            .text
            .ends_with("the message has 60 bytes, the relay takes 30")
    );
    assert_eq!(server.messages().len(), 2);
}

#[test]
fn smtputf8_is_used_where_offered_and_missed_by_name_where_not() {
    let server = SmtpServer::accepting(Behaviour::default());
    let to = ["jürgen@example.com", "b@bücher.example"];
    let outcomes = send_text(&relay(&server), &to, MESSAGE);
    assert_eq!(outcomes[0].kind, Kind::Data);
    assert!(outcomes[0].text.contains("SMTPUTF8"), "{outcomes:?}");
    assert!(outcomes[1].is_accepted());
    assert_eq!(server.messages()[0].to, ["<b@xn--bcher-kva.example>"]);

    let server = SmtpServer::accepting(Behaviour {
        keywords: vec!["SMTPUTF8"],
        ..Behaviour::default()
    });
    let outcomes = send_text(&relay(&server), &to[..1], MESSAGE);
    assert!(outcomes[0].is_accepted());
    assert_eq!(server.messages()[0].from, "<me@example.org> SMTPUTF8");
    assert_eq!(server.messages()[0].to, ["<jürgen@example.com>"]);
}

#[test]
fn refusals_at_each_stage() {
    use Disposition::{Refused, TryLater};
    let mail = |reply: &str| {
        let mut script = up_to_mail();
        script.extend([expect("MAIL"), say(reply)]);
        script
    };
    let data = |reply: &str| {
        let mut script = up_to_data();
        script.truncate(script.len() - 1);
        script.push(say(reply));
        script
    };
    let end = |reply: &str| {
        let mut script = up_to_data();
        script.extend([Step::ExpectData, say(reply)]);
        script
    };
    let table = [
        (
            vec![say("554 no service")],
            Refused,
            Kind::Unavailable,
            "no service",
        ),
        (
            vec![say("421 too busy")],
            TryLater,
            Kind::TryLater,
            "too busy",
        ),
        (
            vec![say("220 hi"), expect("EHLO"), say("550 not you")],
            Refused,
            Kind::Unavailable,
            "not you",
        ),
        (
            vec![say("220 hi"), expect("EHLO"), say("421 going down")],
            TryLater,
            Kind::TryLater,
            "going down",
        ),
        (
            mail("550 bad sender"),
            Refused,
            Kind::Unavailable,
            "bad sender",
        ),
        (mail("451 later"), TryLater, Kind::TryLater, "later"),
        (mail("530 log in"), Refused, Kind::NoPermission, "log in"),
        (
            mail("354 what"),
            TryLater,
            Kind::Protocol,
            "unexpected reply: 354 what",
        ),
        (data("554 no"), Refused, Kind::Unavailable, "no"),
        (data("451 busy"), TryLater, Kind::TryLater, "busy"),
        (
            data("250 odd"),
            TryLater,
            Kind::Protocol,
            "unexpected reply: 250 odd",
        ),
        (
            end("554-spam\r\n554 go away"),
            Refused,
            Kind::Unavailable,
            "spam go away",
        ),
        (end("452 full"), TryLater, Kind::TryLater, "full"),
        (
            end("421 going down"),
            TryLater,
            Kind::TryLater,
            "going down",
        ),
        (
            end("550 Empfang verz\u{f6}gert"),
            Refused,
            Kind::Unavailable,
            "Empfang verz\u{f6}gert",
        ),
    ];
    for (script, disposition, kind, text) in table {
        let server = SmtpServer::scripted(script);
        assert_eq!(words(&send(&relay(&server))), (disposition, kind, text));
        assert_followed(&server);
    }
}

#[test]
fn shutting_down_during_rcpt_leaves_nobody_accepted() {
    let mut script = up_to_mail();
    script.extend([
        expect("MAIL"),
        say("250 ok"),
        expect("RCPT"),
        say("250 ok"),
        expect("RCPT"),
        say("421 going down"),
    ]);
    let server = SmtpServer::scripted(script);
    for outcome in send_text(
        &relay(&server),
        &["a@example.com", "b@example.com"],
        MESSAGE,
    ) {
        assert_eq!(
            words(&outcome),
            (Disposition::TryLater, Kind::TryLater, "going down")
        );
    }
}

#[test]
fn odd_but_readable_replies_are_read() {
    let server = SmtpServer::scripted(vec![
        Step::Send(b"220\n".to_vec()),
        expect("EHLO"),
        Step::Send(b"250-relay\n250-\n250 \xfc\n".to_vec()),
        expect("MAIL"),
        Step::Dribble(b"250\r\n".to_vec(), Duration::from_millis(5)),
        expect("RCPT"),
        say("251 will forward"),
        expect("DATA"),
        say("354"),
        Step::ExpectData,
        Step::Send(b"250 angenommen f\xfcr sp\xe4ter\r\n".to_vec()),
    ]);
    let outcome = send(&relay(&server));
    assert!(outcome.is_accepted());
    assert_eq!(outcome.text, "angenommen für später");
    assert_followed(&server);
}

#[test]
fn what_is_no_reply_is_a_protocol_error_soon() {
    for bytes in [
        b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(),
        b"\0\x01\x02\n".to_vec(),
        vec![b'2'; 200_000],
        b"220-more\r\n".repeat(1_000),
        b"220-a\r\n250 b\r\n".to_vec(),
    ] {
        let server = SmtpServer::scripted(vec![
            Step::Send(bytes),
            Step::Sleep(Duration::from_millis(200)),
        ]);
        let outcome = send(&relay(&server));
        assert_eq!(outcome.kind, Kind::Protocol, "{outcome:?}");
        assert_eq!(outcome.disposition, Disposition::TryLater);
    }
}

#[test]
fn connections_that_end_are_tried_later_before_the_dot_and_uncertain_after_it() {
    let mut in_message = up_to_data();
    in_message.extend([expect("Subject"), Step::Drop]);
    let mut after_dot = up_to_data();
    after_dot.extend([Step::ExpectData, Step::Drop]);
    let mut garbage = up_to_data();
    garbage.extend([Step::ExpectData, say("what?")]);
    let mut odd_code = up_to_data();
    odd_code.extend([Step::ExpectData, say("354 go on")]);
    let table = [
        (vec![Step::Drop], Disposition::TryLater),
        (up_to_mail(), Disposition::TryLater),
        (after_dot, Disposition::Uncertain),
        (garbage, Disposition::Uncertain),
        (odd_code, Disposition::Uncertain),
    ];
    for (script, disposition) in table {
        let server = SmtpServer::scripted(script);
        let outcome = send(&relay(&server));
        assert_eq!(outcome.disposition, disposition, "{outcome:?}");
        assert_eq!(outcome.kind, Kind::TryLater);
    }
    // The message is too large for the buffers of both ends: its last write never happens.
    let server = SmtpServer::scripted(in_message);
    let text = format!("Subject: long\n\n{}", "x\n".repeat(16_000_000));
    let outcome = send_text(&relay(&server), &["you@example.com"], &text).remove(0);
    assert_eq!(outcome.disposition, Disposition::TryLater, "{outcome:?}");
}

#[test]
fn a_relay_that_stops_reading_is_heard() {
    let mut script = up_to_data();
    script.extend([
        expect("Subject"),
        say("552 too big for me"),
        Step::Sleep(Duration::from_millis(300)),
    ]);
    let server = SmtpServer::scripted(script);
    let mut relay = relay(&server);
    relay.timeouts.reply = Duration::from_secs(1);
    let text = format!("Subject: long\n\n{}", "x\n".repeat(16_000_000));
    let outcome = send_text(&relay, &["you@example.com"], &text).remove(0);
    // The kernel may throw the words away with the connection; the message is never uncertain.
    assert_ne!(outcome.disposition, Disposition::Uncertain, "{outcome:?}");
    assert!(!outcome.is_accepted());
}

#[test]
fn accepted_is_final_whatever_quit_does() {
    let mut silent = up_to_data();
    silent.extend([
        Step::ExpectData,
        say("250 done"),
        expect("QUIT"),
        Step::Sleep(Duration::from_secs(5)),
    ]);
    let mut dropped = up_to_data();
    dropped.extend([Step::ExpectData, say("250 done"), Step::Drop]);
    for script in [silent, dropped] {
        let server = SmtpServer::scripted(script);
        let outcome = send(&relay(&server));
        assert_eq!(
            words(&outcome),
            (Disposition::Accepted, Kind::Nothing, "done")
        );
        // The server still sleeps: nobody waited for its reply to QUIT.
        assert_eq!(server.sessions()[0].fault, None);
    }
}

#[test]
fn silence_and_dribbling_end_at_the_reply_limit_and_at_the_deadline() {
    let slow = Step::Dribble(vec![b'2'; 1000], Duration::from_millis(20));
    for script in [vec![Step::Sleep(Duration::from_secs(15))], vec![slow]] {
        let server = SmtpServer::scripted(script.clone());
        let mut limited = relay(&server);
        limited.timeouts.reply = Duration::from_millis(200);
        let outcome = send(&limited);
        assert_eq!(
            (outcome.disposition, outcome.kind),
            (Disposition::TryLater, Kind::TryLater)
        );
        assert!(outcome.text.contains("no greeting"), "{outcome:?}");

        let server = SmtpServer::scripted(script);
        let mut limited = relay(&server);
        limited.timeouts.deadline = Some(Duration::from_millis(200));
        let outcome = send(&limited);
        assert_eq!(
            (outcome.disposition, outcome.kind),
            (Disposition::TryLater, Kind::TryLater)
        );
        assert!(outcome.text.contains("deadline of 200 ms"), "{outcome:?}");
    }
}

#[test]
fn the_deadline_does_not_hold_for_the_reply_to_the_message_but_its_own_limit_does() {
    let mut script = up_to_data();
    script.extend([
        Step::ExpectData,
        Step::Sleep(Duration::from_millis(600)),
        say("250 done"),
    ]);
    let server = SmtpServer::scripted(script.clone());
    let mut patient = relay(&server);
    patient.timeouts.deadline = Some(Duration::from_millis(400));
    assert!(send(&patient).is_accepted());

    let server = SmtpServer::scripted(script);
    let mut limited = relay(&server);
    limited.timeouts.final_reply = Duration::from_millis(100);
    let outcome = send(&limited);
    assert_eq!(outcome.disposition, Disposition::Uncertain);
    assert!(outcome.hint.is_some());
}

#[test]
fn cancelling_is_try_later_before_the_dot_and_uncertain_after_it() {
    let mut after = up_to_data();
    after.extend([Step::ExpectData, Step::Sleep(Duration::from_secs(15))]);
    let mut before = up_to_mail();
    before.extend([expect("MAIL"), Step::Sleep(Duration::from_secs(15))]);
    let table = [
        (before, b"MAIL".as_slice(), Disposition::TryLater),
        (after, b"\r\n.\r\n".as_slice(), Disposition::Uncertain),
    ];
    for (script, seen, disposition) in table {
        let server = SmtpServer::scripted(script);
        let relay = relay(&server);
        let cancel = AtomicBool::new(false);
        let result = thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let message = Arc::new(Text(MESSAGE.into()));
                let observer = Arc::new(super::super::Silent);
                submit(
                    &relay,
                    &envelope(&["you@example.com"]),
                    message,
                    observer,
                    &cancel,
                )
            });
            server.wait_for_bytes(seen);
            cancel.store(true, Ordering::SeqCst);
            waiting.join().expect("no panic")
        });
        assert_eq!(result[0].1.disposition, disposition, "{result:?}");
        assert!(result[0].1.text.contains("interrupted"), "{result:?}");
    }
}

#[test]
fn who_gave_up_first_decides_whether_the_dot_may_be_sent() {
    let progress = Progress::new(1);
    assert!(progress.abandon());
    assert!(!progress.claim());
    let progress = Progress::new(1);
    assert!(progress.claim());
    assert!(!progress.abandon());
}

#[test]
fn nobody_listening_and_nobody_there() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    drop(listener);
    let outcome = send(&Relay::new("127.0.0.1", port));
    assert_eq!(
        (outcome.disposition, outcome.kind),
        (Disposition::TryLater, Kind::TryLater)
    );
    assert!(outcome.text.ends_with("Connection refused"), "{outcome:?}");
    let outcome = send(&Relay::new("nul\0host", 25));
    assert_eq!(outcome.kind, Kind::Config);
}

#[test]
fn a_message_that_cannot_be_read_is_never_ended() {
    /// Can be measured, and then fails after two bytes.
    struct Torn(AtomicBool);
    impl MessageSource for Torn {
        fn len(&self) -> u64 {
            2
        }
        fn reader(&self) -> io::Result<Box<dyn io::Read + Send + '_>> {
            if self.0.swap(true, Ordering::SeqCst) {
                Ok(Box::new(io::Read::chain(&b"xx"[..], Fire)))
            } else {
                Ok(Box::new(&b"xx"[..]))
            }
        }
    }
    struct Fire;
    impl io::Read for Fire {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("disk on fire"))
        }
    }
    let server = SmtpServer::accepting(Behaviour::default());
    let cancel = AtomicBool::new(false);
    let observer = Arc::new(super::super::Silent);
    let result = submit(
        &relay(&server),
        &envelope(&["you@example.com"]),
        Arc::new(Torn(AtomicBool::new(false))),
        observer,
        &cancel,
    );
    assert_eq!(
        words(&result[0].1),
        (
            Disposition::TryLater,
            Kind::Io,
            "cannot read the message: disk on fire"
        )
    );
    let received = &server.ended()[0].received;
    assert!(received.ends_with(b"DATA\r\n"), "{received:?}");
    assert_eq!(server.messages(), []);
}

/// Writes the authority of a certificate to a file.
fn ca_file(certificate: &Certificate) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(certificate.authority.as_bytes())
        .expect("written");
    file
}

#[test]
fn tls_both_ways_with_a_ca_file_and_a_login() {
    let certificate = Certificate::good();
    let ca = ca_file(&certificate);
    for (implicit, security) in [(false, Security::StartTls), (true, Security::Implicit)] {
        for mechanisms in ["PLAIN LOGIN", "LOGIN"] {
            let server = SmtpServer::accepting(Behaviour {
                certificate: Some(Arc::clone(&certificate)),
                implicit,
                login: Some(("tester", "s3cret")),
                mechanisms: Some(mechanisms),
                keywords: vec!["PIPELINING"],
                ..Behaviour::default()
            });
            let mut relay = login(relay(&server), "s3cret");
            relay.host = "localhost".to_owned();
            relay.security = security;
            relay.ca_file = Some(ca.path().to_owned());
            relay.trust_loopback = false;
            let outcome = send(&relay);
            assert!(outcome.is_accepted(), "{outcome:?}");
            let message = &server.messages()[0];
            assert_eq!(
                (message.tls, message.user.as_deref()),
                (true, Some("tester"))
            );
            let session = &server.ended()[0];
            assert_eq!(session.server_name.as_deref(), Some("localhost"));
            let clear = if implicit {
                ""
            } else {
                "EHLO client.example.org\r\nSTARTTLS\r\n"
            };
            assert_eq!(&session.received[..session.clear], clear.as_bytes());

            relay.credentials = login(relay.clone(), "wrong").credentials;
            let outcome = send(&relay);
            assert_eq!(
                (outcome.disposition, outcome.kind, outcome.code),
                (Disposition::Refused, Kind::NoPermission, Some(535))
            );
            assert!(outcome.text.contains("bad user or password"), "{outcome:?}");
        }
    }
}

#[test]
fn no_byte_of_mail_or_credentials_leaves_under_a_bad_certificate() {
    let table = [
        (Certificate::wrong_host(), "but for other.example"),
        (Certificate::expired(), "it has expired"),
        (Certificate::self_signed(true), "its certificate fails"),
        (Certificate::self_signed(false), "no authority we trust"),
    ];
    let unrelated = Certificate::good();
    for (certificate, check) in table {
        let self_signed = check.starts_with("no") || check.starts_with("its");
        let ca = ca_file(if self_signed {
            &unrelated
        } else {
            &certificate
        });
        for (implicit, security) in [
            (false, Security::Opportunistic),
            (false, Security::StartTls),
            (true, Security::Implicit),
        ] {
            for credentials in [false, true] {
                let server = SmtpServer::accepting(Behaviour {
                    certificate: Some(Arc::clone(&certificate)),
                    implicit,
                    login: Some(("tester", "s3cret")),
                    ..Behaviour::default()
                });
                let mut relay = relay(&server);
                relay.security = security;
                relay.ca_file = Some(ca.path().to_owned());
                if credentials {
                    relay = login(relay, "s3cret");
                }
                let outcome = send(&relay);
                assert_eq!(
                    (outcome.disposition, outcome.kind),
                    (Disposition::Refused, Kind::NoPermission)
                );
                assert!(outcome.text.contains(check), "{outcome:?}");
                let session = &server.ended()[0];
                assert_eq!(session.received.len(), session.clear);
                assert_eq!(find(&session.received, b"MAIL"), None);
                assert_eq!(find(&session.received, b"AUTH"), None);

                // The hint holds what makes it work.
                let hint = outcome.hint.expect("a hint");
                let (_, pin) = hint.split_once("tls-fingerprint=").expect("the variable");
                relay.fingerprint = Some(parse_fingerprint(pin).expect("readable"));
                relay = login(relay, "s3cret");
                assert!(send(&relay).is_accepted());
                relay.fingerprint = Some([7; 32]);
                let outcome = send(&relay);
                assert!(outcome.text.contains("another fingerprint"), "{outcome:?}");
            }
        }
    }
}

#[test]
fn a_ca_file_that_is_none_is_a_configuration_error() {
    let server = SmtpServer::accepting(Behaviour {
        certificate: Some(Certificate::good()),
        ..Behaviour::default()
    });
    let empty = tempfile::NamedTempFile::new().expect("a temporary file");
    let mut relay = relay(&server);
    for path in [empty.path().to_owned(), empty.path().join("missing")] {
        relay.ca_file = Some(path);
        let outcome = send(&relay);
        assert_eq!(
            (outcome.disposition, outcome.kind),
            (Disposition::Refused, Kind::Config),
            "{outcome:?}"
        );
    }
}

#[test]
fn tls_that_was_asked_for_is_never_done_without() {
    // Somebody on the way strips the keyword.
    let server = SmtpServer::accepting(Behaviour::default());
    let mut stripped = relay(&server);
    stripped.security = Security::StartTls;
    let outcome = send(&stripped);
    assert_eq!(
        (outcome.disposition, outcome.kind),
        (Disposition::Refused, Kind::Unavailable)
    );
    let mut refused = stripped;
    let server = SmtpServer::scripted(vec![
        say("220 hi"),
        expect("EHLO"),
        say("250-relay\r\n250 STARTTLS"),
        expect("STARTTLS"),
        say("454 not now"),
    ]);
    refused.port = server.port();
    let outcome = send(&refused);
    assert_eq!(outcome.disposition, Disposition::TryLater);
    assert!(outcome.text.ends_with("not now"));
    assert_eq!(find(&server.ended()[0].received, b"MAIL"), None);
}

#[test]
fn opportunistic_tls_takes_any_certificate_and_does_without_a_broken_one() {
    let server = SmtpServer::accepting(Behaviour {
        certificate: Some(Certificate::expired()),
        ..Behaviour::default()
    });
    let mut remote = relay(&server);
    remote.trust_loopback = false;
    assert!(send(&remote).is_accepted());
    assert!(server.messages()[0].tls);

    let mut clear = vec![say("220 hi"), expect("EHLO"), say("250-r\r\n250 STARTTLS")];
    let mut broken = clear.clone();
    broken.extend([
        expect("STARTTLS"),
        say("220 go"),
        say("no TLS here, sorry"),
        Step::Sleep(Duration::from_millis(50)),
    ]);
    clear.extend(up_to_data().split_off(3));
    clear.extend([Step::ExpectData, say("250 done"), expect("QUIT")]);
    let server = SmtpServer::start(vec![broken, clear]);
    // The words after "220 go" may come in the same segment or later: never are they a reply.
    let outcome = send(&relay(&server));
    assert!(
        outcome.is_accepted() || outcome.kind == Kind::Protocol,
        "{outcome:?}"
    );
}

#[test]
fn clear_text_after_the_reply_to_starttls_is_an_error() {
    let server = SmtpServer::scripted(vec![
        say("220 hi"),
        expect("EHLO"),
        say("250-relay\r\n250 STARTTLS"),
        expect("STARTTLS"),
        Step::Send(b"220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n".to_vec()),
        Step::Tls(Certificate::good()),
        expect("EHLO"),
    ]);
    let outcome = send(&login(relay(&server), "s3cret"));
    assert_eq!(
        (outcome.disposition, outcome.kind),
        (Disposition::Refused, Kind::Protocol)
    );
    assert!(outcome.text.contains("clear text followed"), "{outcome:?}");
    assert!(!server.ended()[0].tls);
}

#[test]
fn credentials_travel_in_clear_to_the_loopback_only() {
    let server = SmtpServer::accepting(Behaviour {
        login: Some(("tester", "s3cret")),
        auth_in_clear: true,
        ..Behaviour::default()
    });
    let mut relay = login(relay(&server), "s3cret");
    assert!(send(&relay).is_accepted());
    relay.trust_loopback = false;
    let outcome = send(&relay);
    assert_eq!(
        (outcome.disposition, outcome.kind),
        (Disposition::Refused, Kind::NoPermission)
    );
    assert!(outcome.text.contains("without TLS"), "{outcome:?}");
    assert_eq!(find(&server.ended()[1].received, b"AUTH"), None);
    relay.allow_cleartext_auth = true;
    assert!(send(&relay).is_accepted());
    assert_eq!(server.messages().len(), 2);
}

#[test]
fn certificates_are_judged_where_d7_says() {
    let remote: IpAddr = "192.0.2.1".parse().expect("an address");
    let here: IpAddr = "127.0.0.1".parse().expect("an address");
    let strict = Judgement::Strict(None);
    let none = Judgement::None;
    let plain = Relay::new("relay.example", 25);
    let mut required = plain.clone();
    required.security = Security::StartTls;
    let mut implicit = plain.clone();
    implicit.security = Security::Implicit;
    let authenticated = login(plain.clone(), "s3cret");
    let mut ignoring = authenticated.clone();
    ignoring.verify = Verify::Ignore;
    let table = [
        (&plain, remote, &none),
        (&required, remote, &strict),
        (&required, here, &none),
        (&implicit, remote, &strict),
        (&authenticated, remote, &strict),
        (&authenticated, here, &none),
        (&authenticated, "::1".parse().expect("an address"), &none),
        (&ignoring, remote, &none),
    ];
    for (relay, peer, judgement) in table {
        assert_eq!(&relay.judgement(peer), judgement, "{relay:?} at {peer}");
    }
    assert!(!ignoring.may_authenticate(remote, true));
    assert!(authenticated.may_authenticate(remote, true));
    assert!(!authenticated.may_authenticate(remote, false));
    let mut with_file = plain;
    with_file.ca_file = Some("ca.pem".into());
    assert_eq!(
        with_file.judgement(here),
        Judgement::Strict(Some("ca.pem".into()))
    );
}

#[test]
fn the_dialogue_shows_neither_secrets_nor_the_message() {
    for mechanisms in ["PLAIN", "LOGIN"] {
        let server = SmtpServer::accepting(Behaviour {
            login: Some(("tester", "s3cret")),
            auth_in_clear: true,
            mechanisms: Some(mechanisms),
            ..Behaviour::default()
        });
        let transcript = Arc::new(Transcript::default());
        let cancel = AtomicBool::new(false);
        let result = submit(
            &login(relay(&server), "s3cret"),
            &envelope(&["you@example.com"]),
            Arc::new(Text(MESSAGE.into())),
            Arc::clone(&transcript) as Arc<dyn Observer>,
            &cancel,
        );
        assert!(result[0].1.is_accepted());
        let lines = transcript.0.lock().expect("transcript").join("\n");
        for secret in [
            "s3cret",
            "czNjcmV0",
            "AHRlc3RlcgBzM2NyZXQ=",
            "Subject",
            ".dot",
        ] {
            assert!(!lines.contains(secret), "{secret}: {lines}");
        }
        for line in [
            "> EHLO client.example.org",
            "> MAIL FROM:<me@example.org>",
            "< 354 go on",
            "****",
            "> QUIT",
        ] {
            assert!(lines.contains(line), "{line}: {lines}");
        }
    }
}
