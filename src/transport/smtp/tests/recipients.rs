//! More recipients than a relay takes in one transaction.

use super::smtp_server::{Behaviour, SmtpServer, Step, expect, say};
use super::*;

fn addresses(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("u{n}@example.com")).collect()
}

/// Sends to so many recipients; returns the outcomes and how many each transaction brought.
fn send_many(behaviour: Behaviour, count: usize) -> (Vec<Outcome>, Vec<usize>) {
    let server = SmtpServer::accepting(behaviour);
    let to = addresses(count);
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    let outcomes = send_text(&relay(&server), &to, MESSAGE);
    assert_eq!(server.ended().len(), 1, "all over one connection");
    let messages = server.messages();
    let mut served: Vec<&String> = messages.iter().flat_map(|message| &message.to).collect();
    served.sort_unstable();
    let total = served.len();
    served.dedup();
    assert_eq!(served.len(), total, "somebody got it twice");
    let accepted = outcomes.iter().filter(|outcome| outcome.is_accepted());
    assert_eq!(accepted.count(), total, "told and done differ");
    (
        outcomes,
        messages.iter().map(|message| message.to.len()).collect(),
    )
}

#[test]
fn the_rest_goes_out_in_the_next_transaction() {
    let replies = [
        "452 4.5.3 Error: too many recipients",
        "452 Too many recipients",
        "452 no more, thanks",
        "451 4.5.3 too many",
        "552 Too many recipients",
        "550 5.5.3 too many",
        "554 Transaction failed: Recipient count exceeds 50.",
    ];
    for reply in replies {
        for keywords in [vec![], vec!["PIPELINING"]] {
            let behaviour = Behaviour {
                keywords,
                most_recipients: Some((100, reply)),
                ..Behaviour::default()
            };
            let (outcomes, sizes) = send_many(behaviour, 230);
            assert!(outcomes.iter().all(Outcome::is_accepted), "{reply}");
            assert_eq!(sizes, [100, 100, 30], "{reply}");
        }
    }
}

#[test]
fn a_relay_that_counts_only_at_the_end_gets_fewer() {
    for (reply, expected) in [
        (
            "554 Transaction failed: Recipient count exceeds 50.",
            vec![50, 50, 20],
        ),
        ("552 5.5.3 too many recipients", vec![30; 4]),
        ("452 4.5.3 too many recipients (120 > 50)", vec![50, 50, 20]),
    ] {
        let behaviour = Behaviour {
            most_at_end: Some((50, reply)),
            ..Behaviour::default()
        };
        let (outcomes, sizes) = send_many(behaviour, 120);
        assert!(outcomes.iter().all(Outcome::is_accepted), "{reply}");
        assert_eq!(sizes, expected, "{reply}");
    }
}

#[test]
fn announced_limits_are_kept() {
    let behaviour = Behaviour {
        keywords: vec!["PIPELINING", "LIMITS RCPTMAX=50"],
        most_recipients: Some((50, "550 5.7.1 never more than I said")),
        ..Behaviour::default()
    };
    let (outcomes, sizes) = send_many(behaviour, 120);
    assert!(outcomes.iter().all(Outcome::is_accepted));
    assert_eq!(sizes, [50, 50, 20]);

    let server = SmtpServer::accepting(Behaviour {
        keywords: vec!["LIMITS RCPTDOMAINMAX=1"],
        ..Behaviour::default()
    });
    let to = ["a@one.example", "b@two.example", "c@ONE.example"];
    let outcomes = send_text(&relay(&server), &to, MESSAGE);
    assert!(outcomes.iter().all(Outcome::is_accepted));
    let messages = server.messages();
    assert_eq!(messages[0].to, ["<a@one.example>", "<c@ONE.example>"]);
    assert_eq!(messages[1].to, ["<b@two.example>"]);
}

#[test]
fn a_relay_that_takes_nobody_ends_it() {
    for reply in [
        "452 4.5.3 too many recipients",
        "550 5.5.3 too many recipients",
    ] {
        for keywords in [vec![], vec!["PIPELINING"]] {
            let behaviour = Behaviour {
                keywords,
                most_recipients: Some((0, reply)),
                ..Behaviour::default()
            };
            let (outcomes, sizes) = send_many(behaviour, 230);
            assert_eq!(sizes, Vec::<usize>::new());
            for outcome in outcomes {
                assert_eq!(
                    words(&outcome),
                    (Disposition::TryLater(Kind::TryLater), reply)
                );
            }
        }
    }
    // The same where it refuses the whole message, down to a single recipient.
    let behaviour = Behaviour {
        end: Some("554 5.5.3 too many recipients"),
        ..Behaviour::default()
    };
    let (outcomes, _) = send_many(behaviour, 9);
    let refused = Disposition::Refused(Kind::Unavailable);
    assert!(
        outcomes
            .iter()
            .all(|outcome| outcome.disposition == refused)
    );
}

#[test]
fn a_full_mailbox_is_not_too_many_recipients() {
    let server = SmtpServer::accepting(Behaviour {
        refuse: vec![
            ("full@example.com", "452 4.2.2 mailbox full"),
            ("quota@example.com", "552 5.2.2 recipient's quota exceeded"),
        ],
        ..Behaviour::default()
    });
    let to = ["full@example.com", "quota@example.com", "ok@example.com"];
    let outcomes = send_text(&relay(&server), &to, MESSAGE);
    assert_eq!(
        outcomes[0].disposition,
        Disposition::TryLater(Kind::TryLater)
    );
    assert_eq!(outcomes[1].disposition, Disposition::Refused(Kind::Data));
    assert!(outcomes[2].is_accepted());
    assert_eq!(server.messages().len(), 1);
}

#[test]
fn a_refused_recipient_among_many_is_told_once() {
    let behaviour = Behaviour {
        keywords: vec!["PIPELINING"],
        refuse: vec![("u7@example.com", "550 5.1.1 no such user")],
        most_recipients: Some((5, "452 4.5.3 too many recipients")),
        ..Behaviour::default()
    };
    let (outcomes, sizes) = send_many(behaviour, 12);
    assert_eq!(sizes.iter().sum::<usize>(), 11);
    for (number, outcome) in outcomes.iter().enumerate() {
        assert_eq!(outcome.is_accepted(), number != 7, "{outcome:?}");
    }
}

#[test]
fn a_break_in_the_second_transaction_concerns_its_recipients_only() {
    // One recipient a transaction; the first one is served, and what follows breaks the second.
    let limited = || {
        vec![
            say("220 hello"),
            expect("EHLO"),
            say("250-relay.test\r\n250 LIMITS RCPTMAX=1"),
        ]
    };
    let transaction = |end: Vec<Step>| {
        let mut steps = vec![
            expect("MAIL"),
            say("250 ok"),
            expect("RCPT"),
            say("250 ok"),
            expect("DATA"),
            say("354 go"),
        ];
        steps.extend(end);
        steps
    };
    let taken = || transaction(vec![Step::ExpectData, say("250 taken")]);
    let later = Disposition::TryLater(Kind::TryLater);
    let table = [
        (
            "closed after the dot",
            transaction(vec![Step::ExpectData, Step::Drop]),
            [Disposition::Uncertain(Kind::TryLater), later],
        ),
        (
            "garbage after the dot",
            transaction(vec![Step::ExpectData, say("what?")]),
            [Disposition::Uncertain(Kind::TryLater), later],
        ),
        (
            "closed at RCPT",
            vec![expect("MAIL"), say("250 ok"), expect("RCPT"), Step::Drop],
            [later, later],
        ),
        (
            "421 at RCPT",
            vec![
                expect("MAIL"),
                say("250 ok"),
                expect("RCPT"),
                say("421 4.7.0 slow down"),
            ],
            [later, later],
        ),
        (
            "refused at the dot",
            transaction(vec![Step::ExpectData, say("554 5.7.1 spam")]),
            [Disposition::Refused(Kind::Unavailable); 2],
        ),
        (
            "MAIL refused",
            vec![expect("MAIL"), say("451 4.3.0 no more")],
            [later, later],
        ),
    ];
    for (name, end, expected) in table {
        let server = SmtpServer::scripted([limited(), taken(), end].concat());
        let to = ["a@example.com", "b@example.com", "c@example.com"];
        let outcomes = send_text(&relay(&server), &to, MESSAGE);
        assert!(outcomes[0].is_accepted(), "{name}: {outcomes:?}");
        let rest: Vec<_> = outcomes[1..].iter().map(|one| one.disposition).collect();
        assert_eq!(rest, expected, "{name}: {outcomes:?}");
        assert_eq!(server.ended().len(), 1, "{name}");
    }
}

#[test]
fn a_relay_that_takes_one_recipient_a_connection_is_served() {
    let server = SmtpServer::accepting(Behaviour {
        keywords: vec!["LIMITS MAILMAX=1 RCPTMAX=2"],
        ..Behaviour::default()
    });
    let to = addresses(5);
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    let outcomes = send_text(&relay(&server), &to, MESSAGE);
    assert!(outcomes.iter().all(Outcome::is_accepted), "{outcomes:?}");
    assert_eq!(server.ended().len(), 3);
}
