//! What is said when all goes well: bytes, extensions, recipients.

use super::smtp_server::{Behaviour, Certificate, SmtpServer, Step, expect, say};
use super::*;

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
                (Disposition::Accepted, "250 2.0.0 queued as 4711"),
                (Disposition::Refused(Kind::Data), "550 5.1.1 no such user"),
                (
                    Disposition::TryLater(Kind::TryLater),
                    "452 4.2.2 mailbox full"
                ),
                (Disposition::Accepted, "250 2.0.0 queued as 4711"),
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
        (Disposition::Refused(Kind::Data), "550 no such user")
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
fn the_bytes_of_paths_and_parameters() {
    let server = SmtpServer::accepting(Behaviour {
        keywords: vec!["SIZE 1000", "8BITMIME", "SMTPUTF8"],
        ..Behaviour::default()
    });
    let mut envelope = envelope(&[
        "\"a,b+c=\\\"d\"@example.com",
        "u+v=w@[192.0.2.1]",
        "jürgen@bücher.example",
    ]);
    envelope.sender = ReversePath::Null;
    let message = Text("Subject: hi\n\nä\n".as_bytes().to_vec());
    let cancel = AtomicBool::new(false);
    let observer = Arc::new(Silent);
    let outcomes = submit(&relay(&server), &envelope, &message, observer, &cancel);
    assert!(outcomes.iter().all(|(_, outcome)| outcome.is_accepted()));
    let expected = "EHLO client.example.org\r\n\
        MAIL FROM:<> SIZE=19 BODY=8BITMIME SMTPUTF8\r\n\
        RCPT TO:<\"a,b+c=\\\"d\"@example.com>\r\n\
        RCPT TO:<u+v=w@[192.0.2.1]>\r\n\
        RCPT TO:<jürgen@xn--bcher-kva.example>\r\n\
        DATA\r\nSubject: hi\r\n\r\nä\r\n.\r\nQUIT\r\n";
    let received = server.ended().remove(0).received;
    assert_eq!(String::from_utf8_lossy(&received), expected);
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
    assert_eq!(outcomes[0].kind(), Some(Kind::Unavailable));
    assert!(
        outcomes[0]
            .text
            .ends_with("the message has 60 bytes, but the relay accepts only 30")
    );
    assert_eq!(server.messages().len(), 2);
}

#[test]
fn smtputf8_is_used_where_offered_and_missed_by_name_where_not() {
    let server = SmtpServer::accepting(Behaviour::default());
    let to = ["jürgen@example.com", "b@bücher.example"];
    let outcomes = send_text(&relay(&server), &to, MESSAGE);
    assert_eq!(outcomes[0].kind(), Some(Kind::Data));
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
            &Text(MESSAGE.into()),
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
