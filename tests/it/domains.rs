//! One rule at every door: a mail goes to the domain that was typed, and to no other.
//!
//! UTS 46 maps look-alikes: `exa™ple.example` would become `exatmple.example`. An address that says
//! something else in ASCII than was typed is refused wherever an address comes in.

use crate::case::Case;
use crate::doors::{assert_rule, unless};
use crate::sendmail::FakeSendmail;
use crate::smtp_server::{Behaviour, SmtpServer};

/// An address whose domain IDNA maps to another one.
const MAPPED: &str = "ops@exa™ple.example";

/// A domain that IDNA maps to another one.
const HOST: &str = "exa™ple.example";

/// How the mail leaves.
#[derive(Clone, Copy, Debug)]
enum Way {
    Relay,
    Sendmail,
    Local,
}

/// A way an address comes in: the name called, arguments, configuration, standard input.
type Door = (
    &'static str,
    &'static [&'static str],
    &'static str,
    &'static str,
);

const ADDRESSES: &[Door] = &[
    ("mailx", &["-s", "t", MAPPED], "", "a line\n"),
    (
        "mailx",
        &["-s", "t", "-c", MAPPED, "a@x.example"],
        "",
        "a line\n",
    ),
    (
        "mailx",
        &["-s", "t", "-b", MAPPED, "a@x.example"],
        "",
        "a line\n",
    ),
    (
        "mailx",
        &["-s", "t", "-r", MAPPED, "a@x.example"],
        "",
        "a line\n",
    ),
    (
        "mailx",
        &["-t"],
        "",
        "To: ops@exa™ple.example\nSubject: t\n\na line\n",
    ),
    (
        "mailx",
        &[
            "-s",
            "t",
            "-a",
            "Reply-To: ops@exa™ple.example",
            "a@x.example",
        ],
        "",
        "a line\n",
    ),
    (
        "mailx",
        &["-s", "t", "a@x.example"],
        "set from=ops@exa™ple.example",
        "a line\n",
    ),
    (
        "mailx",
        &["-s", "t", "a@x.example"],
        "set sender=ops@exa™ple.example",
        "a line\n",
    ),
    (
        "mailx",
        &["-s", "t", "a@x.example"],
        "set replyto=ops@exa™ple.example",
        "a line\n",
    ),
    (
        "mailx",
        &["-s", "t", "a@x.example"],
        "set autocc=ops@exa™ple.example",
        "a line\n",
    ),
    (
        "mailx",
        &["-s", "t", "team"],
        "alias team a@x.example ops@exa™ple.example",
        "a line\n",
    ),
    (
        "postrider",
        &["send", "--subject", "t", MAPPED],
        "",
        "a line\n",
    ),
    ("sendmail", &["-i", MAPPED], "", "Subject: t\n\na line\n"),
    (
        "sendmail",
        &["-t", "-i"],
        "",
        "To: ops@exa™ple.example\nSubject: t\n\na line\n",
    ),
    (
        "sendmail",
        &["-i", "-f", MAPPED, "a@x.example"],
        "",
        "Subject: t\n\na line\n",
    ),
];

/// Names of hosts that go the same way.
const HOSTS: &[&str] = &[
    "set hostname=exa™ple.example",
    "set qualify-domain=exa™ple.example",
    "set smtp-hostname=exa™ple.example",
    "set mta=smtp://exa™ple.example",
    "set mta=auto smtp=exa™ple.example:25",
];

fn at((name, args, rc, stdin): Door) -> Case {
    Case::new()
        .called(name)
        .args(args)
        .rc(rc)
        .stdin(stdin)
        .any_stderr()
        .may_change("home/dead.letter")
}

#[test]
fn no_mail_goes_to_another_domain_than_was_typed() {
    let server = SmtpServer::accepting(Behaviour::default());
    let ways = [Way::Relay, Way::Sendmail, Way::Local];
    let cells = ADDRESSES.iter().flat_map(|door| {
        let cell = move |way| (format!("{door:?} / {way:?}"), (way, *door));
        ways.map(cell)
    });
    assert_rule(cells, |(way, door)| {
        let case = match way {
            Way::Relay => at(door).rc(&format!("set mta=smtp://127.0.0.1:{}", server.port())),
            Way::Sendmail => at(door).sendmail(FakeSendmail::accepting()),
            Way::Local => at(door).rc("set mta=local"),
        };
        let ran = case.fails().run();
        let told = ran.stderr();
        let is_told = told.contains(HOST) && told.contains("stands for other");
        unless(is_told, told)?;
        let calls = format!("{:?}", ran.calls());
        unless(!calls.contains('™'), calls.clone())
    });
    for message in server.messages() {
        let text = format!("{message:?}") + &String::from_utf8_lossy(&message.data);
        assert!(!text.contains("tmple") && !text.contains('™'), "{text}");
    }
}

#[test]
fn no_host_is_another_one_than_was_configured() {
    assert_rule(HOSTS.iter().map(|rc| (rc.to_string(), *rc)), |rc| {
        let ran = at(("mailx", &["-s", "t", "root@x.example"], rc, "a line\n"))
            .sendmail(FakeSendmail::accepting())
            .status(78)
            .run();
        let is_refused = ran.stderr().contains(HOST) && ran.calls().is_empty();
        unless(is_refused, ran.stderr())
    });
}

#[test]
fn a_dialogue_takes_no_address_at_another_domain() {
    let dialogue = "EHLO x\nMAIL FROM:<a@x.example>\nRCPT TO:<ops@exa™ple.example>\nQUIT\n";
    let ran = Case::new()
        .called("sendmail")
        .args(["-bs"])
        .stdin(dialogue)
        .sendmail(FakeSendmail::accepting())
        .any_stdout()
        .run();
    assert!(ran.stdout().contains("553 5.1.3 "), "{}", ran.stdout());
}

#[test]
fn a_name_of_another_script_reaches_the_relay_in_ascii_everywhere() {
    let server = SmtpServer::accepting(Behaviour::default());
    let ran = Case::new()
        .rc(&format!("set mta=smtp://127.0.0.1:{}", server.port()))
        .rc("set hostname=bücher.example from=night@Bücher.example")
        .args(["-s", "t", "ops@bücher.example"])
        .stdin("a line\n")
        .run();
    drop(ran);
    let message = server.messages().remove(0);
    assert_eq!(message.from, "<night@xn--bcher-kva.example>");
    assert_eq!(message.to, ["<ops@xn--bcher-kva.example>"]);
    let text = String::from_utf8(message.data).unwrap();
    for field in [
        "From: night@xn--bcher-kva.example\r\n",
        "To: ops@xn--bcher-kva.example\r\n",
        "@xn--bcher-kva.example>\r\n",
    ] {
        assert!(text.contains(field), "{field}: {text}");
    }
    let session = &server.ended()[0].received;
    let greeting = b"EHLO xn--bcher-kva.example\r\n";
    assert!(session.windows(greeting.len()).any(|part| part == greeting));
}

#[test]
fn a_field_that_only_utf8_can_write_is_declared_to_the_relay() {
    let server = SmtpServer::accepting(Behaviour {
        keywords: vec!["SMTPUTF8"],
        ..Behaviour::default()
    });
    Case::new()
        .rc(&format!("set mta=smtp://127.0.0.1:{}", server.port()))
        .args([
            "-s",
            "t",
            "-r",
            "me@x.example",
            "-a",
            "Reply-To: jürgen@x.example",
        ])
        .args(["ops@x.example"])
        .stdin("a line\n")
        .run();
    assert_eq!(server.messages()[0].from, "<me@x.example> SMTPUTF8");
}
