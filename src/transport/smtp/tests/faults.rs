//! Relays that refuse, talk nonsense, stall or vanish.

use super::super::connection::{Connection, WireError};
use super::smtp_server::{Behaviour, Certificate, SmtpServer, Step, expect, say};
use super::*;

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
            Refused(Kind::Unavailable),
            "554 no service",
        ),
        (
            vec![say("421 too busy")],
            TryLater(Kind::TryLater),
            "421 too busy",
        ),
        (
            vec![say("220 hi"), expect("EHLO"), say("550 not you")],
            Refused(Kind::Unavailable),
            "550 not you",
        ),
        (
            vec![say("220 hi"), expect("EHLO"), say("421 going down")],
            TryLater(Kind::TryLater),
            "421 going down",
        ),
        (
            mail("550 bad sender"),
            Refused(Kind::Unavailable),
            "550 bad sender",
        ),
        (mail("451 later"), TryLater(Kind::TryLater), "451 later"),
        (
            mail("530 log in"),
            Refused(Kind::NoPermission),
            "530 log in",
        ),
        (
            mail("354 what"),
            TryLater(Kind::Protocol),
            "unexpected reply: 354 what",
        ),
        (data("554 no"), Refused(Kind::Unavailable), "554 no"),
        (data("451 busy"), TryLater(Kind::TryLater), "451 busy"),
        (
            data("250 odd"),
            TryLater(Kind::Protocol),
            "unexpected reply: 250 odd",
        ),
        (
            end("554-spam\r\n554 go away"),
            Refused(Kind::Unavailable),
            "554 spam go away",
        ),
        (end("452 full"), TryLater(Kind::TryLater), "452 full"),
        (
            end("421 going down"),
            TryLater(Kind::TryLater),
            "421 going down",
        ),
        (
            end("550 Empfang verz\u{f6}gert"),
            Refused(Kind::Unavailable),
            "550 Empfang verz\u{f6}gert",
        ),
    ];
    for (script, disposition, text) in table {
        let server = SmtpServer::scripted(script);
        assert_eq!(words(&send(&relay(&server))), (disposition, text));
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
            (Disposition::TryLater(Kind::TryLater), "421 going down")
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
    assert_eq!(outcome.text, "250 angenommen für später");
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
        assert_eq!(outcome.kind(), Some(Kind::Protocol), "{outcome:?}");
        assert_eq!(outcome.disposition, Disposition::TryLater(Kind::Protocol));
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
        (vec![Step::Drop], Disposition::TryLater(Kind::TryLater)),
        (up_to_mail(), Disposition::TryLater(Kind::TryLater)),
        (after_dot, Disposition::Uncertain(Kind::TryLater)),
        (garbage, Disposition::Uncertain(Kind::TryLater)),
        (odd_code, Disposition::Uncertain(Kind::TryLater)),
    ];
    for (script, disposition) in table {
        let server = SmtpServer::scripted(script);
        let outcome = send(&relay(&server));
        assert_eq!(outcome.disposition, disposition, "{outcome:?}");
        assert_eq!(outcome.kind(), Some(Kind::TryLater));
    }
    // The message is too large for the buffers of both ends: its last write never happens.
    let server = SmtpServer::scripted(in_message);
    let text = format!("Subject: long\n\n{}", "x\n".repeat(16_000_000));
    let outcome = send_text(&relay(&server), &["you@example.com"], &text).remove(0);
    assert_eq!(
        outcome.disposition,
        Disposition::TryLater(Kind::TryLater),
        "{outcome:?}"
    );
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
    assert!(
        !matches!(outcome.disposition, Disposition::Uncertain(_)),
        "{outcome:?}"
    );
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
        assert_eq!(words(&outcome), (Disposition::Accepted, "250 done"));
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
        assert_eq!(outcome.disposition, Disposition::TryLater(Kind::TryLater));
        assert!(outcome.text.contains("no greeting"), "{outcome:?}");

        let server = SmtpServer::scripted(script);
        let mut limited = relay(&server);
        limited.timeouts.deadline = Some(Duration::from_millis(200));
        let outcome = send(&limited);
        assert_eq!(outcome.disposition, Disposition::TryLater(Kind::TryLater));
        assert!(outcome.text.contains("deadline of 200 ms"), "{outcome:?}");
    }
}

#[test]
fn the_deadline_ends_every_wait_and_what_never_waits() {
    let bit_by_bit = |bytes: &[u8]| vec![Step::Dribble(bytes.to_vec(), Duration::from_millis(2))];
    let in_message = |last: Step| {
        let mut script = up_to_data();
        script.push(last);
        script
    };
    let long = format!("Subject: long\n\n{}", "x\n".repeat(16_000_000));
    let asleep = || Step::Sleep(Duration::from_secs(15));
    let record = [&[22, 3, 3, 0x3f, 0xff][..], &[0; 5000]].concat();
    let table = [
        // One line that never ends, lines without an end, and a record of TLS that never ends.
        (bit_by_bit(&[b'2'; 3000]), Security::Clear, MESSAGE),
        (
            bit_by_bit(&b"220-x\r\n".repeat(500)),
            Security::Clear,
            MESSAGE,
        ),
        (bit_by_bit(&record), Security::Implicit, MESSAGE),
        (vec![asleep()], Security::Implicit, MESSAGE),
        // A relay that reads no more.
        (in_message(asleep()), Security::Clear, &long),
    ];
    for (script, security, text) in table {
        let server = SmtpServer::scripted(script);
        let mut limited = relay(&server);
        limited.security = security;
        limited.timeouts.deadline = Some(Duration::from_millis(300));
        let outcome = send_text(&limited, &["you@example.com"], text).remove(0);
        assert_eq!(outcome.disposition, Disposition::TryLater(Kind::TryLater));
        assert!(outcome.text.contains("deadline of 300 ms"), "{outcome:?}");
    }
    // Whole replies now and then.
    let mut script = vec![
        say("220 hi"),
        expect("EHLO"),
        say("250-r\r\n250 PIPELINING"),
    ];
    script.push(expect("MAIL"));
    for _ in 0..200 {
        script.extend([say("250 ok"), Step::Sleep(Duration::from_millis(20))]);
    }
    let server = SmtpServer::scripted(script);
    let mut limited = relay(&server);
    limited.timeouts.deadline = Some(Duration::from_millis(300));
    let many: Vec<String> = (0..150)
        .map(|number| format!("r{number}@example.com"))
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let outcome = send_text(&limited, &many, MESSAGE).remove(149);
    assert!(outcome.text.contains("deadline of 300 ms"), "{outcome:?}");
    // A host that answers no call: its queue of them is full.
    let listener = rustix::net::socket(
        rustix::net::AddressFamily::INET,
        rustix::net::SocketType::STREAM,
        None,
    )
    .expect("a socket");
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    rustix::net::bind(&listener, &any).expect("a port");
    rustix::net::listen(&listener, 0).expect("listening");
    let listener = std::net::TcpListener::from(listener);
    let address = listener.local_addr().expect("bound");
    let _callers: Vec<_> = (0..2)
        .map(|_| std::net::TcpStream::connect_timeout(&address, Duration::from_millis(100)))
        .collect();
    let mut limited = Relay::new("127.0.0.1", address.port());
    limited.timeouts.deadline = Some(Duration::from_millis(300));
    let outcome = send(&limited);
    assert!(
        outcome.text.contains("waiting for a connection"),
        "{outcome:?}"
    );
    limited.timeouts.deadline = None;
    limited.timeouts.connect = Duration::from_millis(70);
    let outcome = send(&limited);
    assert!(outcome.text.ends_with("no answer in time"), "{outcome:?}");
}

#[test]
fn nothing_leaves_behind_a_write_that_failed() {
    use std::io::Read;
    use std::sync::mpsc;

    struct Patient;
    impl super::super::socket::Watch for Patient {
        fn goes_on(&self) -> bool {
            true
        }
    }
    let certificate = Certificate::good();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    let (go, may_go) = mpsc::channel();
    let (tell, told) = mpsc::channel();
    // Reads nothing behind the handshake but when it is told to: all that is there then.
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut tls = rustls::ServerConnection::new(certificate.config()).expect("configured");
        while tls.is_handshaking() {
            tls.complete_io(&mut stream).expect("a handshake");
        }
        let limit = Some(Duration::from_millis(300));
        stream.set_read_timeout(limit).expect("a limit");
        for () in may_go {
            let (mut block, mut all) = ([0; 65536], 0);
            while let Ok(count @ 1..) = stream.read(&mut block) {
                all += count;
            }
            tell.send(all).expect("heard");
        }
    });
    let relay = Relay::new("127.0.0.1", address.port());
    let (long, short) = (Duration::from_secs(10), Duration::from_millis(300));
    let mask = Arc::new(Mask::of(None, "127.0.0.1", address.port()));
    let wire = Connection::open(address, long, short, mask, &Patient).expect("connected");
    let terms = relay.terms(address.ip());
    let mut wire = wire
        .start_tls(&terms, long, &Patient, |_| {})
        .expect("a channel");
    let message = vec![b'x'; 32_000_000];
    assert!(matches!(
        wire.send(&message, &Patient),
        Err(WireError::Timeout)
    ));
    go.send(()).expect("there");
    assert!(told.recv().expect("read") > 100_000);
    // There is room again, and the end of the message is in our hands: it stays there.
    assert!(matches!(
        wire.reply(short, &Patient),
        Err(WireError::Timeout)
    ));
    assert!(wire.send(b"QUIT\r\n", &Patient).is_err());
    wire.finish(&Patient);
    go.send(()).expect("there");
    assert_eq!(told.recv().expect("read"), 0);
    drop(go);
    server.join().expect("no fault");
}

#[test]
fn a_fault_of_our_own_is_told_for_each_recipient_and_ends_the_connection() {
    struct Faulty {
        after: usize,
        left: std::cell::Cell<usize>,
    }
    struct FaultyObserver;
    impl Observer for FaultyObserver {
        fn dialogue(&self, from_us: bool, line: &str) {
            // A fault with the reply to the message in hand.
            assert!(from_us || !line.contains("done"), "a fault");
        }
    }
    impl SubmitHooks for Faulty {
        fn before_dot(&self, _: &[EnvelopeAddress]) -> io::Result<()> {
            let left = self.left.replace(self.left.get() + 1);
            assert!(left != self.after, "a fault");
            Ok(())
        }
    }
    let cancel = AtomicBool::new(false);
    let server = SmtpServer::accepting(Behaviour::default());
    let mut channel = SmtpChannel::new(relay(&server), Arc::new(Silent));
    let faulty = Faulty {
        after: 1,
        left: std::cell::Cell::new(0),
    };
    let to = envelope(&["a@example.com", "b@example.com"]);
    let mut send = |hooks: &dyn SubmitHooks| {
        let outcomes = channel.submit(&to, &Text(MESSAGE.into()), hooks, &cancel);
        let is_open = channel.is_open();
        outcomes
            .into_iter()
            .map(move |(_, outcome)| (outcome.disposition, is_open))
            .collect::<Vec<_>>()
    };
    assert_eq!(send(&faulty), [(Disposition::Accepted, true); 2]);
    let later = Disposition::TryLater(Kind::Software);
    assert_eq!(send(&faulty), [(later, false); 2]);
    // The next message has a connection of its own.
    assert_eq!(send(&faulty), [(Disposition::Accepted, true); 2]);
    drop(channel);
    assert_eq!(server.messages().len(), 2);
    let mut script = up_to_data();
    script.extend([Step::ExpectData, say("250 done")]);
    let server = SmtpServer::scripted(script);
    let observer = Arc::new(FaultyObserver);
    let to = envelope(&["you@example.com"]);
    let result = submit(
        &relay(&server),
        &to,
        &Text(MESSAGE.into()),
        observer,
        &cancel,
    );
    assert_eq!(
        result[0].1.disposition,
        Disposition::Uncertain(Kind::TryLater)
    );
}

#[test]
fn the_deadline_does_not_hold_for_the_reply_to_the_message_but_its_own_limit_does() {
    let mut late = up_to_data();
    late.push(Step::ExpectData);
    let mut never = late.clone();
    late.extend([Step::Sleep(Duration::from_millis(2500)), say("250 done")]);
    let server = SmtpServer::scripted(late);
    let mut patient = relay(&server);
    patient.timeouts.deadline = Some(Duration::from_secs(2));
    assert!(send(&patient).is_accepted());

    never.push(Step::Sleep(Duration::from_secs(15)));
    let server = SmtpServer::scripted(never);
    let mut limited = relay(&server);
    limited.timeouts.final_reply = Duration::from_millis(100);
    let outcome = send(&limited);
    assert_eq!(outcome.disposition, Disposition::Uncertain(Kind::TryLater));
    assert!(
        outcome
            .text
            .ends_with("no reply to the message within 100 ms"),
        "{outcome:?}"
    );
    assert!(outcome.hint.is_some());
}

#[test]
fn cancelling_is_try_later_before_the_dot_and_uncertain_after_it() {
    let mut after = up_to_data();
    after.extend([Step::ExpectData, Step::Sleep(Duration::from_secs(15))]);
    let mut before = up_to_mail();
    before.extend([expect("MAIL"), Step::Sleep(Duration::from_secs(15))]);
    let table = [
        (
            before,
            b"MAIL".as_slice(),
            Disposition::TryLater(Kind::TryLater),
        ),
        (
            after,
            b"\r\n.\r\n".as_slice(),
            Disposition::Uncertain(Kind::TryLater),
        ),
    ];
    for (script, seen, disposition) in table {
        let server = SmtpServer::scripted(script);
        let relay = relay(&server);
        let cancel = AtomicBool::new(false);
        let result = thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let message = Text(MESSAGE.into());
                let observer = Arc::new(Silent);
                submit(
                    &relay,
                    &envelope(&["you@example.com"]),
                    &message,
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
fn nobody_listening_and_nobody_there() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    drop(listener);
    let outcome = send(&Relay::new("127.0.0.1", port));
    assert_eq!(outcome.disposition, Disposition::TryLater(Kind::TryLater));
    assert!(outcome.text.ends_with("Connection refused"), "{outcome:?}");
    let outcome = send(&Relay::new("nul\0host", 25));
    assert_eq!(outcome.kind(), Some(Kind::Config));
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
    let observer = Arc::new(Silent);
    let result = submit(
        &relay(&server),
        &envelope(&["you@example.com"]),
        &Torn(AtomicBool::new(false)),
        observer,
        &cancel,
    );
    assert_eq!(
        words(&result[0].1),
        (
            Disposition::TryLater(Kind::Io),
            "cannot read the message: disk on fire"
        )
    );
    let received = &server.ended()[0].received;
    assert!(received.ends_with(b"DATA\r\n"), "{received:?}");
    assert_eq!(server.messages(), []);
}
