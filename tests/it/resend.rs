//! `postrider resend`: unsent messages go to those who did not get them, and out of the file.

use std::path::Path;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::case::{Case, Ran};
use crate::doors::{assert_rule, unless};
use crate::entries::Entry;
use crate::letters::letters;
use crate::sendmail::FakeSendmail;
use crate::smtp_server::{Behaviour, SmtpServer};

const LETTERS: &str = "home/dead.letter";

/// Returns the run of a mail to two people, one of them hidden, that sendmail refuses.
fn refused(body: &[u8]) -> Ran {
    Case::new()
        .args(["-s", "Größe", "-r", "me@example.com"])
        .args(["-b", "hidden@example.com", "ops@example.com"])
        .stdin(body)
        .sendmail(FakeSendmail::exiting(69))
        .status(69)
        .says("sendmail")
        .keeps(1)
        .run()
}

/// Returns `postrider resend` with these arguments in the world of a run before.
fn again(ran: Ran, args: &[&str]) -> Case {
    resend(ran.again(), args).sendmail(FakeSendmail::accepting())
}

/// Returns the subcommand for the dead letter file of the case: the places that are looked through
/// without a file are those of the machine as well.
fn resend(case: Case, args: &[&str]) -> Case {
    case.called("postrider")
        .args(["resend", "[DIR]/home/dead.letter"])
        .args(args)
        .may_change(LETTERS)
}

/// Returns a world with these bytes in the dead letter file, and a sendmail that accepts.
fn with_letters(text: &str, args: &[&str]) -> Case {
    let case = Case::new()
        .file(LETTERS, text)
        .mode(LETTERS, 0o600)
        .sendmail(FakeSendmail::accepting());
    resend(case, args)
}

/// A dead letter of s-nail: nothing in it names the envelope.
const FOREIGN: &str = "From alice Mon Nov 16 09:00:00 2026\nDate: Mon, 16 Nov 2026 09:00:00 +0000\n\
    To: ops@example.com\nCc: dev@example.com\nBcc: hidden@example.com\nSubject: theirs\n\nhello\n\n";

/// Returns a letter of ours to these people.
fn ours(to: &str, number: usize) -> String {
    format!(
        "From alice Mon Nov 16 09:00:00 2026\nX-Postrider-Unsent-To: {to}\n\
         X-Postrider-Unsent-From: me@example.com\nDate: Mon, 16 Nov 2026 09:00:00 +0000\n\
         Message-ID: <{number}@example.com>\nFrom: me@example.com\nTo: everybody@example.com\n\
         Subject: number {number}\n\nbody {number}\n\n"
    )
}

#[test]
fn a_letter_goes_to_those_who_did_not_get_it_and_leaves_the_file() {
    for body in [
        &b"caf\xe9\nFrom me\n>From you\n.\n"[..],
        b"\0\x1b[2J no line end",
        b"Gr\xc3\xb6\xc3\x9fe\n\n\n",
    ] {
        let first = refused(body);
        let kept = &first.dead()[0];
        let (id, decoded) = (kept.field("Message-ID"), kept.body());
        let ran = again(first, &[]).run();
        let calls = ran.calls();
        assert_eq!(calls.len(), 2, "one refused, one accepted");
        let sent = &calls[1];
        assert_eq!(sent.recipients(), ["ops@example.com", "hidden@example.com"]);
        assert_eq!(sent.options(), ["-i", "-f", "me@example.com"]);
        let letter = sent.letter();
        assert_eq!(letter.body(), decoded);
        assert_eq!(letter.field("Message-ID"), id);
        assert_eq!(letter.subject(), "Größe");
        assert!(!letter.head().contains("X-Postrider"), "{}", letter.head());
        assert!(!letter.head().contains("Received"), "{}", letter.head());
        assert!(!letter.head().contains("hidden"), "{}", letter.head());
        assert_eq!(ran.read(LETTERS), b"");
    }
}

#[test]
fn the_letter_of_a_finished_message_names_its_envelope_once() {
    let ran = Case::new()
        .called("sendmail")
        .args(["-i", "-f", "me@example.com", "ops@example.com"])
        .stdin("To: ops@example.com\nSubject: t\n\nx\n")
        .sendmail(FakeSendmail::exiting(69))
        .status(69)
        .says("sendmail")
        .keeps(1)
        .run();
    let kept = &ran.dead()[0];
    assert_eq!(kept.field("X-Postrider-Unsent-To"), "ops@example.com");
    assert_eq!(kept.field("X-Postrider-Unsent-From"), "me@example.com");
    let ran = again(ran, &[]).run();
    let letter = ran.calls()[1].letter();
    // The trace that it got when it was handed over stays.
    assert_eq!(letter.fields("Received").len(), 1, "{}", letter.head());
}

#[test]
fn who_asked_for_no_sender_gets_none() {
    let ran = Case::new()
        .args(["-s", "t", "ops@example.com"])
        .stdin("x\n")
        .sendmail(FakeSendmail::exiting(69))
        .status(69)
        .says("sendmail")
        .keeps(1)
        .run();
    let ran = again(ran, &[]).run();
    assert_eq!(ran.calls()[1].options(), ["-i"]);
}

#[test]
fn a_letter_of_another_program_goes_to_whom_its_header_names() {
    let ran = with_letters(FOREIGN, &[]).run();
    let call = ran.call();
    assert_eq!(
        call.recipients(),
        ["ops@example.com", "dev@example.com", "hidden@example.com"]
    );
    assert!(!call.letter().head().contains("hidden"));
    assert_eq!(call.letter().body(), b"hello\n");
    assert_eq!(ran.read(LETTERS), b"");
}

#[test]
fn a_letter_stays_for_those_whom_the_relay_refuses() {
    let relay = SmtpServer::accepting(Behaviour {
        refuse: vec![("bad@example.com", "550 5.1.1 no such user")],
        ..Behaviour::default()
    });
    let text = ours("good@example.com, bad@example.com", 1) + &ours("late@example.com", 2);
    let ran = with_letters(&text, &["--json"])
        .rc(&format!("set mta=smtp://127.0.0.1:{}", relay.port()))
        .status(65)
        .stderr_contains("bad@example.com: 550 5.1.1 no such user")
        .any_stdout()
        .run();
    assert!(
        ran.stderr()
            .contains("message 1 stays in [DIR]/home/dead.letter"),
        "{}",
        ran.stderr()
    );
    let sent: Vec<Vec<String>> = relay.messages().into_iter().map(|mail| mail.to).collect();
    assert_eq!(sent, [["<good@example.com>"], ["<late@example.com>"]]);
    let left = letters(&ran.read(LETTERS));
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].field("X-Postrider-Unsent-To"), "bad@example.com");
    assert_eq!(left[0].field("X-Postrider-Unsent-From"), "me@example.com");
    assert_eq!(left[0].field("Message-ID"), "<1@example.com>");
    assert_eq!(left[0].body(), b"body 1\n");
    // A receipt for each letter, each with a status of its own.
    let receipts: Vec<Value> = ran
        .stdout()
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let of = |key: &str| -> Vec<Value> { receipts.iter().map(|one| one[key].clone()).collect() };
    assert_eq!(of("status"), [65, 0]);
    assert_eq!(of("message_id"), ["<1@example.com>", "<2@example.com>"]);
    assert!(
        receipts[0]["kept"]
            .as_str()
            .is_some_and(|path| path.ends_with(LETTERS))
    );
    assert_eq!(receipts[1]["kept"], Value::Null);
}

#[test]
fn a_letter_that_a_relay_defers_moves_into_the_outbox() {
    let relay = SmtpServer::accepting(Behaviour {
        refuse: vec![
            ("later@example.com", "451 4.3.0 try again later"),
            ("bad@example.com", "550 5.1.1 no such user"),
        ],
        ..Behaviour::default()
    });
    let text = ours("good@example.com, later@example.com, bad@example.com", 1)
        + &ours("later@example.com", 2);
    let ran = with_letters(&text, &[])
        .rc(&format!(
            "set mta=smtp://127.0.0.1:{}\nset outbox=[DIR]/box",
            relay.port()
        ))
        .status(65)
        .any_stderr()
        .may_change("box")
        .run();
    assert_eq!(
        ran.stderr().matches("is kept in the outbox as ").count(),
        2,
        "{}",
        ran.stderr()
    );
    let left = letters(&ran.read(LETTERS));
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].field("X-Postrider-Unsent-To"), "bad@example.com");
    let ran = ran
        .again()
        .rc("set outbox=[DIR]/box")
        .called("postrider")
        .args(["outbox", "list", "--json"])
        .status(1)
        .any_stdout()
        .run();
    let waits: Vec<Value> = ran
        .stdout()
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let of = |key: &str| -> Vec<Value> { waits.iter().map(|one| one[key].clone()).collect() };
    assert_eq!(of("message_id"), ["<1@example.com>", "<2@example.com>"]);
    assert_eq!(of("subject"), ["number 1", "number 2"]);
}

#[test]
fn what_has_failed_in_the_outbox_is_sent_without_a_file() {
    let Some(case) = Case::new().private("failed messages of the outbox") else {
        return;
    };
    let relay = SmtpServer::accepting(Behaviour::default());
    let refused = serde_json::json!([{"recipient": "ops@example.com", "target": "ops@example.com",
        "state": "refused", "reply": "550 no", "time": crate::entries::now()}]);
    let failed = Entry {
        is_failed: true,
        ..Entry::new(1, 6 * 86_400).tried(serde_json::json!({"targets": refused, "route": null}))
    };
    failed.put(&case.path("box"));
    let ran = case
        .rc(&format!(
            "set mta=smtp://127.0.0.1:{}\nset outbox=[DIR]/box",
            relay.port()
        ))
        .called("postrider")
        .args(["resend"])
        .any_stdout()
        .may_change("box")
        .run();
    assert!(
        ran.stdout().contains("sent to ops@example.com"),
        "{}",
        ran.stdout()
    );
    assert_eq!(relay.messages().len(), 1);
}

#[test]
fn what_nobody_accepts_stays_byte_for_byte() {
    let text = ours("ops@example.com", 1) + FOREIGN;
    let ran = with_letters(&text, &[])
        .sendmail(FakeSendmail::exiting(69))
        .status(69)
        .stderr_contains("message 1 stays in [DIR]/home/dead.letter")
        .stderr_contains("message 2 stays in [DIR]/home/dead.letter")
        .run();
    assert_eq!(ran.read(LETTERS), text.as_bytes());
    assert_eq!(ran.calls().len(), 2);
}

#[test]
fn only_the_messages_that_a_list_names_are_sent() {
    let text: String = (1..=4)
        .map(|number| ours(&format!("u{number}@example.com"), number))
        .collect();
    for (list, expected, left) in [
        (
            "2-3",
            &["u2@example.com", "u3@example.com"][..],
            &[1, 4][..],
        ),
        ("last", &["u4@example.com"], &[1, 2, 3]),
        ("/number 1", &["u1@example.com"], &[2, 3, 4]),
    ] {
        let ran = with_letters(&text, &[list]).run();
        let calls = ran.calls();
        let sent: Vec<&str> = calls.iter().flat_map(|call| call.recipients()).collect();
        assert_eq!(sent, expected, "{list}");
        let expected: String = left
            .iter()
            .map(|&number| ours(&format!("u{number}@example.com"), number))
            .collect();
        assert_eq!(ran.read(LETTERS), expected.as_bytes(), "{list}");
    }
    with_letters(&text, &["9"])
        .status(1)
        .says("9")
        .run()
        .nothing_sent();
}

#[test]
fn a_text_that_broke_off_is_sent_only_where_it_is_named() {
    // A template that ends in the middle of an attachment stands for all texts that break off; the
    // terminal's interrupt makes the same letter.
    let ran = Case::new()
        .args(["-s", "t", "ops@example.com"])
        .stdin_stays_open("half a te")
        .sendmail(FakeSendmail::accepting())
        .signal_when_waiting(Signal::SIGTERM)
        .any_status()
        .any_stderr()
        .lets_keep()
        .run();
    ran.nothing_sent();
    let ran = again(ran, &[])
        .says("message 1 of [DIR]/home/dead.letter is incomplete and is not sent")
        .hints("postrider resend [DIR]/home/dead.letter 1")
        .run();
    ran.nothing_sent();
    let ran = again(ran, &["1"]).run();
    let letter = ran.call().letter();
    assert_eq!(letter.body(), b"half a te\n");
    assert!(!letter.head().contains("X-Postrider"), "{}", letter.head());
    assert_eq!(ran.read(LETTERS), b"");
}

#[test]
fn a_dry_run_changes_nothing() {
    let text = ours("ops@example.com", 1);
    let ran = with_letters(&text, &["--dry-run"])
        .stdout_contains("Subject: number 1")
        .says("ops@example.com: sendmail")
        .run();
    ran.nothing_sent();
    assert_eq!(ran.read(LETTERS), text.as_bytes());
}

#[test]
fn every_place_where_we_keep_unsent_messages_is_emptied() {
    let Some(case) = Case::new().private("dead letters in every place") else {
        return;
    };
    let places = [
        "home/mine",
        "home/mine.0123456789abcdef",
        "home/dead.letter",
        "home/dead.letter.fedcba9876543210",
        "tmp/postrider-0/dead.letter",
    ];
    let mut case = case
        .env("DEAD", "[DIR]/home/mine")
        .directory("tmp/postrider-0");
    case = case.mode("tmp/postrider-0", 0o700);
    for (number, place) in places.iter().enumerate() {
        case = case
            .file(place, ours("ops@example.com", number))
            .mode(place, 0o600)
            .may_change(place);
    }
    // These are not of our making.
    case = case
        .file("home/dead.letter.old", FOREIGN)
        .file("cwd/planted", FOREIGN)
        .link("home/mine.aaaaaaaaaaaaaaaa", "[DIR]/cwd/planted");
    let ran = case
        .called("postrider")
        .args(["resend"])
        .sendmail(FakeSendmail::accepting())
        .run();
    let mut sent: Vec<String> = ran
        .calls()
        .iter()
        .map(|call| call.letter().field("Message-ID"))
        .collect();
    sent.sort();
    let all: Vec<String> = (0..places.len())
        .map(|n| format!("<{n}@example.com>"))
        .collect();
    assert_eq!(sent, all);
    for place in places {
        assert_eq!(ran.read(place), b"", "{place}");
    }
}

#[test]
fn a_run_that_is_killed_loses_nothing_and_sends_one_letter_twice_at_most() {
    let text: String = (1..=3)
        .map(|number| ours(&format!("u{number}@example.com"), number))
        .collect();
    // The second letter is at sendmail, which has all of it, when the run is killed.
    let ran = with_letters(&text, &["1"]).run();
    let ran = again(ran, &[])
        .sendmail(FakeSendmail::new().step("read all").step("hang"))
        .signal_at("mta/calls/0002/hanging", Signal::SIGKILL)
        .any_status()
        .any_stderr()
        .run();
    let left = letters(&ran.read(LETTERS));
    assert_eq!(left.len(), 2, "what was not seen to be accepted stays");
    let ran = again(ran, &[]).run();
    assert_eq!(ran.read(LETTERS), b"");
    let ids: Vec<String> = ran
        .calls()
        .iter()
        .map(|call| call.letter().field("Message-ID"))
        .collect();
    assert_eq!(
        ids,
        [1, 2, 2, 3].map(|number| format!("<{number}@example.com>"))
    );
}

/// The calls that change a file or wait for sendmail: between any two of them lies a state in which
/// the program may die.
const CHANGES: [&str; 12] = [
    "pwrite64",
    "write",
    "ftruncate",
    "fsync",
    "fdatasync",
    "rename",
    "renameat2",
    "linkat",
    "unlink",
    "unlinkat",
    "wait4",
    "waitid",
];

#[test]
fn a_kill_at_any_change_loses_nothing_and_sends_one_letter_twice_at_most() {
    if !Path::new("/usr/bin/strace").exists() {
        return crate::launch::left_out("resend killed at every change", "needs strace");
    }
    let text: String = (1..=2)
        .map(|number| ours(&format!("u{number}@example.com"), number))
        .collect();
    let mut kills = 0;
    for call in CHANGES {
        for nth in 1.. {
            let kill = format!("inject={call}:signal=KILL:when={nth}");
            let strace = ["/usr/bin/strace", "-qq", "-o", "/dev/null", "-e"];
            let ran = with_letters(&text, &[])
                .wrapped(strace.into_iter().chain([kill.as_str()]))
                .any_status()
                .any_stderr()
                .may_change("home")
                .run();
            if ran.output.status.success() {
                assert_eq!(ran.read(LETTERS), b"", "{call} {nth}");
                break;
            }
            kills += 1;
            let ran = again(ran, &[])
                .any_status()
                .any_stderr()
                .may_change("home")
                .run();
            assert_eq!(letters(&ran.read(LETTERS)).len(), 0, "{call} {nth}");
            let mut ids: Vec<String> = ran
                .calls()
                .iter()
                .filter(|call| !call.stdin.is_empty())
                .map(|call| call.letter().field("Message-ID"))
                .collect();
            let sent = ids.len();
            ids.sort();
            ids.dedup();
            assert_eq!(ids.len(), 2, "{call} {nth}: a letter is lost");
            assert!(sent <= 3, "{call} {nth}: {sent} letters were sent");
        }
    }
    assert!(kills > 15, "{kills}");
}

#[test]
fn a_second_run_over_the_same_file_ends_before_it_has_begun() {
    let case = with_letters(&ours("ops@example.com", 1), &[]);
    let home = std::fs::File::open(case.path("home")).unwrap();
    let _first = nix::fcntl::Flock::lock(home, nix::fcntl::FlockArg::LockExclusive).unwrap();
    case.status(75)
        .says("another postrider resend is doing so now")
        .run()
        .nothing_sent();
}

#[test]
fn the_envelope_of_a_letter_may_hold_any_address_and_many_of_them() {
    let many: Vec<String> = (0..300)
        .map(|number| format!("user-{number}@a-long-name-of-a-host.example.com"))
        .collect();
    for recipients in [
        &[
            "größe@example.com".to_owned(),
            "a+b@xn--bcher-kva.example".to_owned(),
        ][..],
        &["root".to_owned()],
        &many,
    ] {
        let args = ["-s", "t", "--"].map(str::to_owned);
        let ran = Case::new()
            .args(args.iter().chain(recipients))
            .stdin("x\n")
            .sendmail(FakeSendmail::exiting(69))
            .status(69)
            .any_stderr()
            .lets_keep()
            .run();
        let refused: Vec<String> = ran.calls()[0]
            .recipients()
            .into_iter()
            .map(str::to_owned)
            .collect();
        let ran = again(ran, &[]).run();
        let calls = ran.calls();
        assert_eq!(calls.last().unwrap().recipients(), refused);
        assert_eq!(ran.read(LETTERS), b"");
    }
}

#[test]
fn what_cannot_be_sent_or_taken_out_is_told_before_anything_leaves() {
    let packed: Vec<u8> = {
        use std::io::Write;
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(FOREIGN.as_bytes()).unwrap();
        packer.finish().unwrap()
    };
    let nobody = b"From a Mon Nov 16 09:00:00 2026\nSubject: t\n\nx\n\n";
    let rows = [
        ("no mbox", b"some text\n".to_vec(), "dead.letter"),
        ("compressed", packed, "compressed"),
        ("no address", ours("a b c <", 1).into_bytes(), "a b c"),
        ("nobody at all", nobody.to_vec(), "recipient"),
    ]
    .map(|(name, bytes, words)| (name.to_owned(), (bytes, words)));
    assert_rule(rows, |(bytes, words)| {
        let case = Case::new()
            .file(LETTERS, &bytes)
            .sendmail(FakeSendmail::accepting());
        let ran = resend(case, &[]).any_status().any_stderr().run();
        ran.nothing_sent();
        unless(ran.output.status.code() != Some(0), "status 0")?;
        unless(ran.stderr().contains(words), ran.stderr())?;
        unless(ran.read(LETTERS) == bytes, "the file has changed")
    });
}

#[test]
fn without_unsent_messages_the_status_is_that_of_nothing() {
    let Some(case) = Case::new().private("no dead letters anywhere") else {
        return;
    };
    case.called("postrider")
        .args(["resend"])
        .sendmail(FakeSendmail::accepting())
        .status(1)
        .says("there are no unsent messages")
        .run()
        .nothing_sent();
}
