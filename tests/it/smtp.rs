//! Mail through a relay, from the command line to the server's end of the wire.
//!
//! The server is [`crate::smtp_server`]: what it says and when is up to each test. TLS and logins
//! are in `smtp_tls`.

use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::case::Case;
use crate::letters::Letter;
use crate::smtp_server::{Behaviour, Message, SmtpServer, Step, expect, find, say};

/// Longer than any of these runs takes, and far below the time limits that they do not set.
const SOON: Duration = Duration::from_secs(15);

/// A pause that no client waits for.
const FOR_EVER: Step = Step::Sleep(Duration::from_secs(600));

/// Returns `mailx -s t`, sending through this server.
fn relayed(server: &SmtpServer) -> Case {
    Case::new()
        .rc(&format!("set mta=smtp://127.0.0.1:{}", server.port()))
        .rc("set hostname=client.example.org")
        .args(["-s", "t"])
        .stdin("one\n.two\n")
        .limit(SOON)
}

fn refusing(replies: &[(&'static str, &'static str)]) -> SmtpServer {
    SmtpServer::accepting(Behaviour {
        refuse: replies.to_vec(),
        ..Behaviour::default()
    })
}

/// Returns a message as it was before CRLF.
fn letter(message: &Message) -> Letter {
    let text = String::from_utf8(message.data.clone()).expect("7-bit");
    assert!(!text.replace("\r\n", "").contains(['\r', '\n']));
    Letter::new(text.replace("\r\n", "\n").as_bytes())
}

/// Returns the only message that a server accepted.
#[track_caller]
fn only(server: &SmtpServer) -> Message {
    let mut messages = server.messages();
    assert_eq!(messages.len(), 1, "{messages:?}");
    messages.remove(0)
}

#[test]
fn a_mail_goes_to_the_relay_with_its_envelope() {
    let server = SmtpServer::accepting(Behaviour::default());
    relayed(&server)
        .args(["-r", "me@example.org", "-b", "hidden@example.com"])
        .args(["ops@example.com"])
        .run();
    let message = only(&server);
    assert_eq!(message.from, "<me@example.org>");
    assert_eq!(message.to, ["<ops@example.com>", "<hidden@example.com>"]);
    let letter = letter(&message);
    letter.assert_fit_for_the_wire();
    assert_eq!(letter.field("From"), "me@example.org");
    assert_eq!(letter.field("To"), "ops@example.com");
    assert_eq!(letter.body(), b"one\n.two\n");
    let session = &server.ended()[0];
    assert_eq!(session.fault, None);
    assert!(find(&session.received, b"EHLO client.example.org\r\n").is_some());
}

#[test]
fn bare_names_are_qualified_for_the_relay() {
    let server = SmtpServer::accepting(Behaviour::default());
    let case =
        relayed(&server)
            .rc("set qualify-domain=example.net")
            .args(["-c", "Bob <bob>", "root"]);
    let user = case.user();
    case.run();
    let message = only(&server);
    assert_eq!(message.from, format!("<{user}@example.net>"));
    assert_eq!(message.to, ["<root@example.net>", "<bob@example.net>"]);
    let letter = letter(&message);
    assert!(
        letter
            .field("From")
            .contains(&format!("{user}@example.net")),
        "{}",
        letter.field("From")
    );
    assert_eq!(letter.field("To"), "root@example.net");
    assert_eq!(letter.field("Cc"), "Bob <bob@example.net>");
}

#[test]
fn every_byte_of_text_and_attachment_arrives() {
    let server = SmtpServer::accepting(Behaviour::default());
    let report: Vec<u8> = (0..3_000_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let body = b"caf\xe9 \0 \xe2\x82\xac\n";
    Case::new()
        .rc(&format!("set mta=smtp://127.0.0.1:{}", server.port()))
        .file("cwd/report.pdf", &report)
        .args([
            "-s",
            "Größe 100%",
            "-a",
            "report.pdf",
            "-r",
            "me@example.org",
        ])
        .args(["ops@example.com"])
        .stdin(body)
        .run();
    let letter = letter(&only(&server));
    letter.assert_fit_for_the_wire();
    assert_eq!(letter.subject(), "Größe 100%");
    assert_eq!(letter.body(), body);
    let attachments = letter.attachments();
    assert_eq!(attachments[0].0, "report.pdf");
    assert!(attachments[0].1 == report, "the attachment has changed");
}

#[test]
fn the_good_recipients_are_served_and_the_bad_one_is_named() {
    let server = refusing(&[("bad@example.com", "550 5.1.1 nobody of that name")]);
    let ran = relayed(&server)
        .args(["-r", "me@example.org", "a@example.com"])
        .args(["bad@example.com", "b@example.com"])
        .status(65)
        .says("cannot send to bad@example.com: ")
        .keeps(1)
        .run();
    assert!(ran.stderr().contains("nobody of that name"));
    assert_eq!(only(&server).to, ["<a@example.com>", "<b@example.com>"]);
    let kept = &ran.dead()[0];
    assert_eq!(kept.field("X-Postrider-Unsent-To"), "bad@example.com");
    assert_eq!(kept.field("X-Postrider-Unsent-From"), "me@example.org");
    assert_eq!(kept.body(), b"one\n.two\n");
}

/// Returns so many addresses.
fn addresses(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("u{n}@example.com")).collect()
}

#[test]
fn two_hundred_recipients_pass_a_relay_that_takes_a_hundred() {
    for (most, reply, sizes) in [
        (100, "452 4.5.3 Error: too many recipients", vec![100, 100]),
        (
            50,
            "554 Transaction failed: Recipient count exceeds 50.",
            vec![50; 4],
        ),
    ] {
        let server = SmtpServer::accepting(Behaviour {
            keywords: vec!["PIPELINING"],
            most_recipients: Some((most, reply)),
            ..Behaviour::default()
        });
        relayed(&server)
            .args(["-r", "me@example.org"])
            .args(addresses(200))
            .run();
        let messages = server.messages();
        let taken: Vec<usize> = messages.iter().map(|message| message.to.len()).collect();
        assert_eq!(taken, sizes);
        // The same mail for everybody: a reader of two lists sees one message.
        assert!(
            messages
                .iter()
                .all(|message| message.data == messages[0].data)
        );
        assert_eq!(server.ended().len(), 1);
    }
}

#[test]
fn a_temporary_refusal_is_not_final_and_not_retried() {
    let server = refusing(&[("slow@example.com", "451 4.7.1 greylisted, come back")]);
    relayed(&server)
        .args(["slow@example.com"])
        .status(75)
        .says("cannot send to slow@example.com now: ")
        .says("in the outbox")
        .queues(1)
        .run();
}

#[test]
fn of_several_refusals_the_worst_is_the_status() {
    let server = refusing(&[
        ("slow@example.com", "451 4.7.1 greylisted"),
        ("bad@example.com", "550 5.1.1 nobody of that name"),
    ]);
    let ran = relayed(&server)
        .args(["slow@example.com", "bad@example.com"])
        .status(65)
        .says("cannot send to slow@example.com now: ")
        .says("cannot send to bad@example.com: ")
        .queues(1)
        .keeps(1)
        .run();
    let to = ran.dead()[0].field("X-Postrider-Unsent-To");
    assert_eq!(to, "bad@example.com");
    let waiting = ran.waiting();
    assert_eq!(waiting.targets()[0], ("slow@example.com", "waiting"));
    assert_eq!(server.messages(), []);
}

#[test]
fn a_message_that_the_relay_refuses_is_kept() {
    for (end, status) in [
        ("554 5.7.1 it looks like spam", 69),
        ("452 4.3.1 no room", 75),
    ] {
        let server = SmtpServer::accepting(Behaviour {
            end: Some(end),
            ..Behaviour::default()
        });
        let words = end.split_once(' ').expect("words").1;
        relayed(&server)
            .args(["a@example.com", "b@example.com"])
            .status(status)
            .says(words)
            .keeps_somewhere(1)
            .run();
    }
}

#[test]
fn two_failures_in_a_row_keep_two_whole_messages() {
    let server = refusing(&[("ops@example.com", "550 5.1.1 nobody of that name")]);
    let first = relayed(&server)
        .args(["ops@example.com"])
        .status(65)
        .says("nobody")
        .keeps(1)
        .run();
    let kept = first.read("home/dead.letter");
    let ran = first
        .again()
        .rc(&format!("set mta=smtp://127.0.0.1:{}", server.port()))
        .rc("set hostname=client.example.org")
        .args(["-s", "second", "ops@example.com"])
        .stdin("the second\n")
        .status(65)
        .says("nobody")
        .keeps(2)
        .run();
    assert!(ran.read("home/dead.letter").starts_with(&kept));
    assert_eq!(ran.dead()[0].body(), b"one\n.two\n");
    assert_eq!(ran.dead()[1].body(), b"the second\n");
}

#[test]
fn nobody_listens() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    Case::new()
        .rc(&format!("set mta=smtp://127.0.0.1:{port}"))
        .rc("set hostname=client.example.org")
        .args(["-s", "t", "ops@example.com"])
        .stdin("x\n")
        .limit(SOON)
        .status(75)
        .says(&format!("127.0.0.1:{port}"))
        .queues(1)
        .run();
}

#[test]
fn a_server_that_never_speaks_is_left_in_time() {
    for limit in ["smtp-timeout", "smtp-deadline"] {
        let server = SmtpServer::scripted(vec![FOR_EVER]);
        relayed(&server)
            .rc(&format!("set {limit}=1"))
            .args(["ops@example.com"])
            .status(75)
            .says("cannot send to ops@example.com now: ")
            .queues(1)
            .run();
    }
}

#[test]
fn a_byte_now_and_then_does_not_stretch_the_time_limit() {
    let greeting = b"220 relay.test takes its time to greet its clients\r\n".to_vec();
    let slowly = Step::Dribble(greeting, Duration::from_millis(500));
    for limit in ["smtp-timeout", "smtp-deadline"] {
        let server = SmtpServer::scripted(vec![slowly.clone()]);
        relayed(&server)
            .rc(&format!("set {limit}=1"))
            .args(["ops@example.com"])
            .status(75)
            .says("cannot send to ops@example.com now: ")
            .queues(1)
            .run();
    }
}

#[test]
fn an_endless_reply_is_cut_off() {
    let endless = |start: &str, line: &str| {
        let lines = start.to_owned() + &line.repeat(32_000_000 / line.len());
        SmtpServer::scripted(vec![Step::Send(lines.into_bytes()), FOR_EVER])
    };
    for server in [endless("220 ", "x"), endless("", "220-more\r\n")] {
        relayed(&server)
            .args(["ops@example.com"])
            .status(76)
            .says("cannot send to ops@example.com now: ")
            .queues(1)
            .run();
    }
}

/// Returns the steps from the connection to just before DATA.
fn up_to_data() -> Vec<Step> {
    vec![
        say("220 relay.test"),
        expect("EHLO"),
        say("250 relay.test"),
        expect("MAIL"),
        say("250 ok"),
        expect("RCPT"),
        say("250 ok"),
        expect("DATA"),
    ]
}

#[test]
fn a_connection_lost_before_the_final_dot_is_a_temporary_failure() {
    let mut before = up_to_data();
    before.push(Step::Drop);
    let mut after = up_to_data();
    after.extend([say("354 go on"), expect("Date"), Step::Drop]);
    let mut greeted = up_to_data();
    greeted.truncate(1);
    for script in [greeted, before] {
        let server = SmtpServer::scripted(script);
        relayed(&server)
            .args(["ops@example.com"])
            .status(75)
            .says("cannot send to ops@example.com now: ")
            .queues(1)
            .run();
    }
}

#[test]
fn without_an_answer_to_the_final_dot_it_is_uncertain() {
    let mut dropped = up_to_data();
    dropped.extend([say("354 go on"), Step::ExpectData, Step::Drop]);
    let server = SmtpServer::scripted(dropped);
    relayed(&server)
        .args(["ops@example.com"])
        .status(75)
        .says("it is uncertain whether the message has reached ops@example.com")
        .hints("twice")
        .queues(1)
        .run();
}

#[test]
fn the_reply_to_the_final_dot_is_final_whatever_follows() {
    let mut script = up_to_data();
    script.extend([
        say("354 go on"),
        Step::ExpectData,
        say("250 taken"),
        FOR_EVER,
    ]);
    let server = SmtpServer::scripted(script);
    relayed(&server).args(["ops@example.com"]).run();
}

#[test]
fn a_signal_ends_the_waiting_at_once() {
    for signal in [
        Signal::SIGTERM,
        Signal::SIGINT,
        Signal::SIGHUP,
        Signal::SIGQUIT,
    ] {
        let mut script = up_to_data();
        script.push(FOR_EVER);
        let server = Arc::new(SmtpServer::scripted(script));
        let watched = Arc::clone(&server);
        let asked = move || {
            let sessions = watched.sessions();
            sessions
                .iter()
                .any(|session| find(&session.received, b"DATA\r\n").is_some())
        };
        let ran = relayed(&server)
            .args(["ops@example.com"])
            .signal_when(asked, signal)
            .status(128 + signal as i32)
            .says("interrupted")
            .queues(1)
            .run();
        assert_eq!(ran.unsent()[0].body(), b"one\n.two\n");
    }
}

#[test]
fn escape_sequences_of_a_relay_do_not_reach_the_terminal() {
    let server = refusing(&[("ops@example.com", "550 \x1b]0;title\x07\x1b[31mred")]);
    let ran = relayed(&server)
        .args(["-v", "-v", "ops@example.com"])
        .status(65)
        .any_stderr()
        .keeps(1)
        .run();
    assert!(!ran.stderr().contains('\x1b'), "{:?}", ran.stderr());
}

#[test]
fn an_address_that_does_not_parse_does_not_stop_the_others() {
    let server = SmtpServer::accepting(Behaviour::default());
    relayed(&server)
        .args(["ops@example.com", "b@@example"])
        .status(65)
        .any_stderr()
        .keeps(1)
        .run();
    assert_eq!(only(&server).to, ["<ops@example.com>"]);
}
