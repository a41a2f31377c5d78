//! Each failure, the line that tells it, and its hint: nothing else is said.

use crate::case::Case;
use crate::sendmail::FakeSendmail;
use crate::smtp_server::{Behaviour, Certificate, SmtpServer, Step, expect, say};

/// A failure: what is tried, the exit status, the line, and the hint if there is one.
struct Failure {
    name: &'static str,
    case: fn(Case) -> Case,
    status: i32,
    line: &'static str,
    hint: Option<&'static str>,
}

const fn failure(
    name: &'static str,
    case: fn(Case) -> Case,
    status: i32,
    line: &'static str,
    hint: Option<&'static str>,
) -> Failure {
    Failure {
        name,
        case,
        status,
        line,
        hint,
    }
}

/// Returns `mailx -s t ARGS ops@example.com` with a text.
fn mail(case: Case, args: &[&str]) -> Case {
    case.args(["-s", "t"])
        .args(args)
        .args(["ops@example.com"])
        .stdin("the text\n")
}

/// The same by a relay at which nobody listens.
fn relay(case: Case, args: &[&str]) -> Case {
    mail(case, args).rc("set mta=smtp://127.0.0.1:9 from=me@example.org")
}

const WAY: &str = "to configure a relay, write into ~/.mailrc or /etc/postrider.rc: \
                   set mta=submission://USER@HOST password-file=FILE";

const TABLE: &[Failure] = &[
    failure(
        "no sendmail at that path",
        |case| mail(case, &["-S", "mta=/nonesuch"]),
        69,
        "cannot send to ops@example.com: cannot run /nonesuch: No such file or directory",
        Some("set mta= to the path of a sendmail, or to the URL of a relay"),
    ),
    failure(
        "no way",
        |case| mail(case, &["-S", "mta=local"]),
        69,
        "cannot send to ops@example.com: mta=local delivers only on this host",
        Some(WAY),
    ),
    failure(
        "nobody listens",
        |case| relay(case, &[]),
        75,
        "cannot send to ops@example.com now: 127.0.0.1:9: cannot connect to 127.0.0.1: \
         Connection refused",
        None,
    ),
    failure(
        "a host that is not there",
        |case| mail(case, &["-S", "mta=smtp://no-such-host.invalid"]),
        68,
        "cannot send to ops@example.com: cannot find the relay no-such-host.invalid: ",
        None,
    ),
    failure(
        "a password program that is not there",
        |case| {
            relay(
                case,
                &[
                    "-S",
                    "smtp-auth-user=me",
                    "-S",
                    "password-command=/no/pass x",
                ],
            )
        },
        77,
        "cannot send to ops@example.com: cannot get the password from password-command: \
         cannot run /no/pass: No such file or directory",
        None,
    ),
    failure(
        "a password program that fails",
        |case| {
            relay(
                case,
                &[
                    "-S",
                    "smtp-auth-user=me",
                    "-S",
                    "password-command=/bin/sh -c 'exit 3'",
                ],
            )
        },
        77,
        "cannot send to ops@example.com: cannot get the password from password-command: \
         /bin/sh exited with status 3",
        None,
    ),
    failure(
        "no password",
        |case| relay(case, &["-S", "smtp-auth-user=me"]),
        77,
        "cannot send to ops@example.com: there is no password for me at 127.0.0.1",
        Some("set password-file= to a file of mode 600 that contains it"),
    ),
    failure(
        "a wrong fingerprint",
        |case| relay(case, &["-S", "tls-fingerprint=zz"]),
        78,
        "cannot send to ops@example.com: -S tls-fingerprint is not valid: \
         a SHA-256 fingerprint has 64 hexadecimal digits",
        None,
    ),
    failure(
        "an option that contradicts another",
        |case| relay(case, &["-S", "tls=no", "-S", "tls-ca-file=/x"]),
        78,
        "-S tls=no, but tls-ca-file (-S tls-ca-file) requires TLS",
        Some("remove one of the two settings"),
    ),
    failure(
        "a way out that is no URL",
        |case| mail(case, &["-S", "mta=gopher://x"]),
        78,
        "-S mta is not valid: unknown protocol gopher://",
        None,
    ),
    failure(
        "a value that is none",
        |case| mail(case, &["-S", "tls=perhaps"]),
        78,
        "-S tls must be auto, require ",
        None,
    ),
    failure(
        "the same in the other face",
        |case| {
            case.called("postrider")
                .args(["send", "--set", "tls=perhaps", "ops@example.com"])
                .stdin("x\n")
        },
        78,
        "--set tls must be auto, require ",
        None,
    ),
    failure(
        "a word that is no variable",
        |case| case.called("postrider").args(["list", "--set", "a b"]),
        64,
        "--set needs NAME or NAME=VALUE: \"a b\" is not the name of a variable",
        None,
    ),
    failure(
        "a configuration that is a directory",
        |case| mail(case, &[]).env("MAILRC", "[DIR]/cwd"),
        78,
        "[DIR]/cwd: cannot read this file: it is a directory",
        None,
    ),
    failure(
        "a missing attachment",
        |case| mail(case, &["--attach", "nowhere"]),
        66,
        "cannot attach nowhere: No such file or directory",
        None,
    ),
    failure(
        "an address that is none",
        |case| case.args(["-s", "t", "a@@b"]).stdin("x\n"),
        65,
        "recipient: it contains more than one '@'",
        None,
    ),
    failure(
        "a user who is not there",
        |case| {
            case.args(["-s", "t", "-S", "mta=local", "no-such-user"])
                .stdin("x\n")
        },
        67,
        "cannot send to no-such-user: there is no user no-such-user on this host",
        None,
    ),
    failure(
        "an account that is not there",
        |case| mail(case, &["-A", "w"]).rc("account work {\n}"),
        78,
        "there is no account w: the configuration defines work",
        None,
    ),
    failure(
        "a file that is not there",
        |case| case.args(["-f", "nowhere"]),
        66,
        "cannot open nowhere: No such file or directory",
        None,
    ),
    failure(
        "a file that is no mailbox",
        |case| case.args(["-f", "text"]).file("cwd/text", "text\n"),
        66,
        "cannot open text: it is not an mbox",
        None,
    ),
    failure(
        "a shell that is not there",
        |case| {
            mail(case, &["-~", "-S", "shell=/no/shell"])
                .sendmail(FakeSendmail::accepting())
                .stdin("~! date\ntext\n")
                .says("an escape failed, so the message is not sent")
        },
        66,
        "cannot run /no/shell: No such file or directory",
        None,
    ),
];

#[test]
fn each_failure_has_its_line_and_its_hint_and_nothing_else() {
    for failure in TABLE {
        println!("{}", failure.name);
        let case = (failure.case)(Case::new())
            .status(failure.status)
            .says(failure.line)
            .may_change("home/dead.letter");
        let case = match failure.hint {
            Some(hint) => case.hints(hint),
            None => case,
        };
        let ran = case.lets_keep().run();
        let hints = ran
            .stderr()
            .lines()
            .filter(|line| line.starts_with("hint: "))
            .count();
        assert_eq!(
            hints,
            usize::from(failure.hint.is_some()),
            "{}",
            ran.stderr()
        );
    }
}

/// Returns a relay that does as the script says, up to the reply to EHLO.
fn greeted(rest: Vec<Step>) -> Vec<Step> {
    let mut script = vec![say("220 relay.test"), expect("EHLO"), say("250 relay.test")];
    script.extend(rest);
    script
}

/// The hint about the name of this host.
const HOST: &str = "relays may refuse addresses at bare: set hostname=";

#[test]
fn a_refusal_has_its_code_and_the_hint_about_the_host_only_where_the_sender_is_refused() {
    let ehlo = |reply| vec![say("220 relay.test"), expect("EHLO"), say(reply)];
    let mail = |reply| greeted(vec![expect("MAIL"), say(reply)]);
    let rcpt = |reply| {
        greeted(vec![
            expect("MAIL"),
            say("250 ok"),
            expect("RCPT"),
            say(reply),
        ])
    };
    let data = |reply| {
        greeted(vec![
            expect("MAIL"),
            say("250 ok"),
            expect("RCPT"),
            say("250 ok"),
            expect("DATA"),
            say("354 go"),
            Step::ExpectData,
            say(reply),
        ])
    };
    // What the relay does, the exit status, the reply, and whether the host's name is the matter.
    let table = [
        (
            vec![say("554 5.7.1 blocked")],
            69,
            "554 5.7.1 blocked",
            false,
        ),
        (
            ehlo("550 5.7.1 who are you"),
            69,
            "550 5.7.1 who are you",
            true,
        ),
        (ehlo("421 busy"), 75, "421 busy", false),
        (
            mail("550 5.1.8 no such domain"),
            69,
            "550 5.1.8 no such domain",
            true,
        ),
        (
            mail("450 4.1.8 domain not found"),
            75,
            "450 4.1.8 domain not found",
            true,
        ),
        (mail("552 too large"), 69, "552 too large", false),
        (
            rcpt("504 5.5.2 <bare>: Helo command rejected: need fully-qualified hostname"),
            65,
            "504 5.5.2 <bare>: Helo command rejected: need fully-qualified hostname",
            true,
        ),
        (
            rcpt("550 5.1.8 <me@bare>: Sender address rejected: Domain not found"),
            65,
            "550 5.1.8 <me@bare>: Sender address rejected: Domain not found",
            true,
        ),
        (
            rcpt("550 5.1.1 no such user"),
            65,
            "550 5.1.1 no such user",
            false,
        ),
        (rcpt("550"), 65, "550 without a text", false),
        (
            rcpt("451 4.7.1 greylisted"),
            75,
            "451 4.7.1 greylisted",
            false,
        ),
        (data("554 5.7.1 spam"), 69, "554 5.7.1 spam", false),
        (data("452 4.3.1 full"), 75, "452 4.3.1 full", false),
    ];
    for (script, status, reply, is_host) in table {
        println!("{reply}");
        let server = SmtpServer::scripted(script);
        let case = Case::new()
            .args(["-s", "t", "ops@example.com"])
            .rc(&format!("set mta=smtp://127.0.0.1:{}", server.port()))
            .rc("set hostname=bare")
            .stdin("x\n")
            .status(status)
            .says(&format!(": {reply}"))
            .keeps_somewhere(1);
        let case = if is_host { case.hints(HOST) } else { case };
        let ran = case.run();
        let hints = ran
            .stderr()
            .lines()
            .filter(|line| line.starts_with("hint: "))
            .count();
        assert_eq!(hints, usize::from(is_host), "{reply}: {}", ran.stderr());
        let now = if status == 75 { " now" } else { "" };
        let line = format!("mailx: cannot send to ops@example.com{now}: ");
        assert!(ran.stderr().starts_with(&line), "{}", ran.stderr());
    }
    // Another address with a bare domain than this host's is not mended by the name of the host.
    let server = SmtpServer::accepting(Behaviour {
        mail: Some("550 5.1.8 no such domain"),
        ..Behaviour::default()
    });
    Case::new()
        .args(["-s", "t", "-r", "me@other", "ops@example.com"])
        .rc(&format!("set mta=smtp://127.0.0.1:{}", server.port()))
        .rc("set hostname=client.example.org")
        .stdin("x\n")
        .status(69)
        .says("550 5.1.8 no such domain")
        .hints("relays may refuse me@other: ")
        .keeps_somewhere(1)
        .run();
}

#[test]
fn a_certificate_that_is_not_trusted_is_told_in_words() {
    const PIN: &str = "set tls-fingerprint=sha256:";
    for (certificate, why) in [
        (
            Certificate::self_signed(true),
            "it is an authority's own certificate, not a server's",
        ),
        (Certificate::expired(), "it has expired"),
        (
            Certificate::wrong_host(),
            "it is not for localhost but for other.example",
        ),
    ] {
        println!("{why}");
        let server = SmtpServer::accepting(Behaviour {
            certificate: Some(std::sync::Arc::clone(&certificate)),
            ..Behaviour::default()
        });
        let port = server.port();
        Case::new()
            .args(["-s", "t", "ops@example.com"])
            .rc(&format!("set mta=submission://localhost:{port}"))
            .rc("set tls-ca-file=[DIR]/cwd/ca.pem hostname=client.example.org")
            .file("cwd/ca.pem", &certificate.authority)
            .stdin("x\n")
            .status(77)
            .says(&format!(
                "cannot start TLS: its certificate is not trusted: {why}"
            ))
            .hints(PIN)
            .queues(1)
            .run();
    }
}

#[test]
fn text_where_tls_was_expected_is_told_with_the_way_to_speak_to_such_a_port() {
    let server = SmtpServer::accepting(Behaviour::default());
    Case::new()
        .args(["-s", "t", "ops@example.com"])
        .rc(&format!("set mta=smtps://localhost:{}", server.port()))
        .rc("set hostname=client.example.org")
        .stdin("x\n")
        .status(76)
        .says("cannot start TLS: its answer is not TLS")
        .hints(&format!(
            "this port starts without TLS and goes over to it by STARTTLS: write submission://localhost:{}",
            server.port()
        ))
        .queues(1)
        .run();
}
