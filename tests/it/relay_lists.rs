//! Several relays in a list: which one takes the mail, and who is told so.

use std::net::TcpListener;
use std::time::Duration;

use serde_json::Value;

use crate::case::Case;
use crate::smtp_server::{Behaviour, SmtpServer, Step, expect, say};

/// Returns a mail to two relays.
fn to(first: u16, second: u16) -> Case {
    Case::new()
        .rc(&format!(
            "set mta='smtp://127.0.0.1:{first}, smtp://127.0.0.1:{second}'"
        ))
        .rc("set hostname=client.example.org")
        .stdin("x\n")
        .limit(Duration::from_secs(20))
}

/// Returns a port on which nothing listens.
fn closed() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("bound").port()
}

fn accepting() -> SmtpServer {
    SmtpServer::accepting(Behaviour::default())
}

/// A relay that answers so at this stage.
fn answering(stage: &str, reply: &str) -> SmtpServer {
    let at = |name: &str, usual: &str| say(if stage == name { reply } else { usual });
    let mut script = vec![at("greeting", "220 a.test")];
    let turns = [
        ("EHLO", "250 a.test"),
        ("MAIL", "250 ok"),
        ("RCPT", "250 ok"),
    ];
    for (verb, usual) in turns {
        script.extend([expect(verb), at(verb, usual)]);
    }
    script.extend([
        expect("DATA"),
        at("DATA", "354 go"),
        Step::ExpectData,
        at(".", "250 ok"),
    ]);
    SmtpServer::scripted(script)
}

#[test]
fn the_next_relay_takes_what_the_first_does_not_take_now() {
    let down = closed();
    let greets = answering("greeting", "421 4.3.2 too busy");
    let hears = answering("EHLO", "421 4.3.2 too busy");
    let greylists = SmtpServer::accepting(Behaviour {
        refuse: vec![("ops@example.com", "450 4.2.0 greylisted")],
        ..Behaviour::default()
    });
    let knows_no_sender = SmtpServer::accepting(Behaviour {
        mail: Some("451 4.3.0 no room"),
        ..Behaviour::default()
    });
    for first in [
        down,
        greets.port(),
        hears.port(),
        greylists.port(),
        knows_no_sender.port(),
    ] {
        let second = accepting();
        let ran = to(first, second.port())
            .args(["-v", "-s", "t", "ops@example.com"])
            .any_stderr()
            .run();
        assert_eq!(second.messages().len(), 1);
        let trying = format!("trying smtp://127.0.0.1:{}", second.port());
        assert!(ran.stderr().contains(&trying), "{}", ran.stderr());
    }
    assert_eq!(greylists.messages(), []);
}

#[test]
fn an_answer_that_stands_goes_to_no_other_relay() {
    let refused = |reply| {
        SmtpServer::accepting(Behaviour {
            refuse: vec![("ops@example.com", reply)],
            ..Behaviour::default()
        })
    };
    let ended = |end| {
        SmtpServer::accepting(Behaviour {
            end: Some(end),
            ..Behaviour::default()
        })
    };
    let lost = SmtpServer::scripted(vec![
        say("220 a.test"),
        expect("EHLO"),
        say("250 a.test"),
        expect("MAIL"),
        say("250 ok"),
        expect("RCPT"),
        say("250 ok"),
        expect("DATA"),
        say("354 go"),
        Step::ExpectData,
        Step::Drop,
    ]);
    for (first, status) in [
        (refused("550 5.1.1 unknown"), 65),
        (ended("554 5.6.0 no"), 69),
        (ended("451 4.3.0 later"), 75),
        (lost, 75),
    ] {
        let second = accepting();
        to(first.port(), second.port())
            .args(["-s", "t", "ops@example.com"])
            .status(status)
            .any_stderr()
            .keeps_somewhere(1)
            .run();
        assert_eq!(second.sessions().len(), 0, "{status}");
    }
}

#[test]
fn each_recipient_goes_once_and_the_receipt_and_the_log_name_its_relay() {
    let first = SmtpServer::accepting(Behaviour {
        refuse: vec![("b@example.com", "450 4.2.0 greylisted")],
        ..Behaviour::default()
    });
    let second = accepting();
    let ran = to(first.port(), second.port())
        .called("postrider")
        .rc("set log=[DIR]/cwd/log")
        .may_change("cwd/log")
        .args([
            "send",
            "--json",
            "--subject",
            "t",
            "a@example.com",
            "b@example.com",
        ])
        .any_stdout()
        .run();
    assert_eq!(first.messages()[0].to, ["<a@example.com>"]);
    assert_eq!(second.messages()[0].to, ["<b@example.com>"]);
    let receipt: Value = serde_json::from_str(&ran.stdout()).unwrap();
    let log = String::from_utf8(ran.read("cwd/log")).unwrap();
    for (at, server) in [(0, &first), (1, &second)] {
        let route = format!("relay smtp://127.0.0.1:{}", server.port());
        assert_eq!(receipt["recipients"][at]["route"], route, "{receipt}");
        assert!(log.lines().nth(at).unwrap().contains(&route), "{log}");
    }
}

#[test]
fn where_all_are_down_each_reason_is_told() {
    let silent = SmtpServer::scripted(vec![say("554 5.3.2 closed for the night")]);
    let busy = answering("greeting", "421 4.3.2 too busy");
    let down = closed();
    let ran = to(down, busy.port())
        .args(["-s", "t", "ops@example.com"])
        .status(75)
        .says("cannot send to ops@example.com now")
        .queues(1)
        .run();
    for reason in [
        format!("127.0.0.1:{down}: cannot connect"),
        format!("127.0.0.1:{}: 421 4.3.2 too busy", busy.port()),
    ] {
        assert!(ran.stderr().contains(&reason), "{}", ran.stderr());
    }
    // A refusal by the last of them is one, though the first may take it later.
    to(down, silent.port())
        .args(["-s", "t", "ops@example.com"])
        .status(69)
        .says("closed for the night")
        .queues(1)
        .run();
}

#[test]
fn a_list_is_explained_and_a_wrong_one_sends_nothing() {
    let explained = Case::new()
        .called("postrider")
        .rc("set mta=submission://me:s3cret@a.example,smtp://[2001:db8::1]")
        .mode("rc", 0o600)
        .args(["send", "--explain", "--subject", "t", "ops@example.com"])
        .stdin("x\n")
        .any_stdout()
        .any_stderr()
        .run();
    let text = explained.stdout() + &explained.stderr();
    let list = "submission://a.example:587, else smtp://[2001:db8::1]:25";
    assert!(text.contains(&format!("relay {list}")), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
    for (list, why) in [
        ("submission://a.example,", "an empty place in the list"),
        (
            "submission://a.example,submission://a.example",
            "twice in the list",
        ),
        ("submission://a.example,b.example", "no valid host name"),
    ] {
        Case::send([])
            .rc(&format!("set mta={list}"))
            .args(["-s", "t", "ops@example.com"])
            .stdin("x\n")
            .status(78)
            .says(why)
            .keeps(1)
            .run();
    }
    // smtp= takes a list as well.
    let server = accepting();
    Case::new()
        .rc(&format!(
            "set smtp=127.0.0.1:{},127.0.0.1:{}",
            closed(),
            server.port()
        ))
        .args(["-s", "t", "ops@example.com"])
        .stdin("x\n")
        .any_stderr()
        .run();
    assert_eq!(server.messages().len(), 1);
    // So does an account.
    Case::new()
        .rc(&format!(
            "account two {{\nset mta=smtp://127.0.0.1:{},smtp://127.0.0.1:{}\n}}",
            closed(),
            server.port()
        ))
        .args(["-A", "two", "-s", "t", "ops@example.com"])
        .stdin("x\n")
        .any_stderr()
        .run();
    assert_eq!(server.messages().len(), 2);
}
