//! What a relay sees of the people of a mail: programs of this host, and the senders that the
//! configuration names.

use crate::case::{Case, Ran};
use crate::letters::Letter;
use crate::smtp_server::{Behaviour, Message, SmtpServer};

/// What cron, at and others hand over, and what a relay sees of it.
struct Row {
    /// The command line.
    line: &'static str,
    /// The message on standard input.
    text: &'static str,
    /// MAIL FROM, From, Sender, Reply-To; empty where there is no field.
    seen: [&'static str; 4],
}

const fn row(line: &'static str, text: &'static str, seen: [&'static str; 4]) -> Row {
    Row { line, text, seen }
}

const CRON: &str = "From: root (Cron Daemon)\nTo: root\nSubject: Cron <root@db1> x\n\nhi\n";
const CRONIE: &str = "From: \"(Cron Daemon)\" <root>\nTo: root\nSubject: x\n\nhi\n";
const AT: &str = "Subject: Output from your job        1\nTo: root\n\nhi\n";
const SUDO: &str = "To: root\nFrom: alice\nSubject: *** SECURITY information ***\n\nhi\n";
const MDADM: &str = "From: mdadm monitoring <root>\nTo: root\nSubject: Fail event\n\nhi\n";
const LOGWATCH: &str = "To: root\nFrom: Logwatch <root@db1.example.org>\nSubject: x\n\nhi\n";
const LOCALHOST: &str = "To: root@localhost\nFrom: root@localhost\nSubject: x\n\nhi\n";
const DOTLESS: &str = "To: root\nFrom: root@fileserver\nSubject: x\n\nhi\n";
const GIVEN: &str = "To: root\nFrom: Ada <ada@example.com>\nSubject: x\n\nhi\n";
const SENDER: &str =
    "To: root\nFrom: Ada <ada@example.com>\nSender: Web <www-data>\nSubject: x\n\nhi\n";
const CRON_OF_ALICE: &str = "From: root (Cron Daemon)\nSender: alice\nTo: root\nSubject: x\n\nhi\n";
const SAME_SENDER: &str = "From: root\nSender: root\nTo: root\nSubject: x\n\nhi\n";
const FULL_SENDER: &str =
    "To: root\nFrom: Ada <ada@example.com>\nSender: w@example.net\nSubject: x\n\nhi\n";
const NAME: &str = "To: root\nFrom: Backup Server\nSubject: x\n\nhi\n";
const EMPTY: &str = "To: root\nFrom:\nSender:\nReply-To: <>\nCc:\nSubject: x\n\nhi\n";
const TWO: &str = "To: root\nFrom: root, Ada <ada@example.com>\nSubject: x\n\nhi\n";
const ANSWERS: &str =
    "To: root\nFrom: ada@example.com\nReply-To: bob@example.com\nSubject: x\n\nhi\n";
const NO_FIELD: &str = "Subject: x\n\nhi\n";

/// Runs a row with these lines of configuration.
fn run(row: &Row, rc: &str, server: &SmtpServer) -> (Ran, Message) {
    let mut words = row.line.split(' ');
    let name = words.next().expect("a program");
    let case = Case::new()
        .called(name)
        .args(words.map(|word| word.trim_matches('\'').to_owned()))
        .rc(&format!(
            "set mta=smtp://127.0.0.1:{} hostname=db1.example.org\n{rc}",
            server.port()
        ))
        .stdin(row.text)
        .any_stderr();
    let ran = case.run();
    let message = server.messages().pop();
    let message = message.unwrap_or_else(|| panic!("nothing came of {} {:?}", row.line, row.text));
    (ran, message)
}

fn letter(message: &Message) -> Letter {
    let text = String::from_utf8(message.data.clone()).expect("7-bit");
    Letter::new(text.replace("\r\n", "\n").as_bytes())
}

/// Checks what the relay saw of each row.
fn check(rows: &[Row], rc: &str) {
    let user = Case::new().user();
    let mut wrong = Vec::new();
    for row in rows {
        let server = SmtpServer::accepting(Behaviour::default());
        let (_, message) = run(row, rc, &server);
        let letter = letter(&message);
        // Root of this host, in the envelope and in the header, if it names anybody.
        assert_eq!(
            message.to,
            ["<root@db1.example.org>"],
            "{} {:?}",
            row.line,
            row.text
        );
        let to = letter.field("To");
        let is_named = row.text.contains("To: ") || !row.line.starts_with("sendmail");
        let wanted = if is_named {
            "root@db1.example.org"
        } else {
            "undisclosed-recipients:;"
        };
        assert_eq!(to, wanted, "{} {:?}", row.line, row.text);
        let one = |name: &str| letter.fields(name).join(" | ");
        let found = [
            message.from.trim_matches(['<', '>']).to_owned(),
            one("From"),
            one("Sender"),
            one("Reply-To"),
        ];
        let wanted = row.seen.map(|text| text.replace("[USER]", &user));
        if found != wanted {
            let (line, text) = (row.line, row.text);
            wrong.push(format!(
                "{line} {text:?}\n  found  {found:?}\n  wanted {wanted:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{rc}\n{}", wrong.join("\n"));
}

const A: &str = "alerts@example.org";

#[test]
fn from_holds_for_what_names_only_this_host() {
    check(
        &[
            row(
                "sendmail -i -FCronDaemon -B8BITMIME -oem root",
                CRON,
                [A, "Cron Daemon <alerts@example.org>", "", ""],
            ),
            row(
                "sendmail -FCronDaemon -i -odi -oem -oi -t -f root",
                CRONIE,
                [A, "\"(Cron Daemon)\" <alerts@example.org>", "", ""],
            ),
            row(
                "sendmail -i root",
                AT,
                [A, "[USER] on db1 <alerts@example.org>", "", ""],
            ),
            row(
                "sendmail -t",
                SUDO,
                [A, "alice on db1 <alerts@example.org>", "", ""],
            ),
            row(
                "sendmail -t",
                MDADM,
                [A, "mdadm monitoring <alerts@example.org>", "", ""],
            ),
            row(
                "sendmail -t",
                LOGWATCH,
                [A, "Logwatch <alerts@example.org>", "", ""],
            ),
            row(
                "sendmail -t",
                LOCALHOST,
                [A, "root on db1 <alerts@example.org>", "", ""],
            ),
            row(
                "sendmail -t",
                DOTLESS,
                [A, "root on db1 <alerts@example.org>", "", ""],
            ),
            row(
                "sendmail -t",
                NAME,
                [A, "Backup Server <alerts@example.org>", "", ""],
            ),
            row(
                "sendmail -t",
                EMPTY,
                [A, "[USER] on db1 <alerts@example.org>", "", ""],
            ),
            row(
                "sendmail -f root root",
                NO_FIELD,
                [A, "root on db1 <alerts@example.org>", "", ""],
            ),
            row(
                "sendmail -f root -F Backup root",
                NO_FIELD,
                [A, "Backup <alerts@example.org>", "", ""],
            ),
            row(
                "sendmail -F Backup root",
                NO_FIELD,
                [A, "Backup <alerts@example.org>", "", ""],
            ),
            row(
                "sendmail -f www-data@db1.example.org root",
                NO_FIELD,
                [A, "www-data on db1 <alerts@example.org>", "", ""],
            ),
            // Given on purpose: it stays.
            row(
                "sendmail -f a@example.com root",
                NO_FIELD,
                ["a@example.com", "a@example.com", "", ""],
            ),
            row(
                "sendmail -t -f a@example.com",
                CRON,
                ["a@example.com", "Cron Daemon <alerts@example.org>", "", ""],
            ),
            row("sendmail -t", GIVEN, [A, "Ada <ada@example.com>", "", ""]),
            row(
                "sendmail -t",
                FULL_SENDER,
                [A, "Ada <ada@example.com>", "w@example.net", ""],
            ),
            row(
                "sendmail -t",
                SENDER,
                [A, "Ada <ada@example.com>", "Web <alerts@example.org>", ""],
            ),
            row(
                "sendmail -t",
                TWO,
                [
                    A,
                    "root on db1 <alerts@example.org>, Ada <ada@example.com>",
                    A,
                    "",
                ],
            ),
            row(
                "sendmail -t",
                ANSWERS,
                [A, "ada@example.com", "", "bob@example.com"],
            ),
            row(
                "sendmail -t",
                CRON_OF_ALICE,
                [
                    A,
                    "Cron Daemon <alerts@example.org>",
                    "alice on db1 <alerts@example.org>",
                    "",
                ],
            ),
            row(
                "sendmail -t",
                SAME_SENDER,
                [A, "root on db1 <alerts@example.org>", "", ""],
            ),
            // A report must not cause another one.
            row(
                "sendmail -f <> root",
                CRON,
                ["", "Cron Daemon <alerts@example.org>", "", ""],
            ),
            row(
                "sendmail -f <> root",
                NO_FIELD,
                ["", "[USER] on db1 <alerts@example.org>", "", ""],
            ),
            row("mailx -s x root", "hi\n", [A, A, "", ""]),
            row(
                "mailx -s x -r backup root",
                "hi\n",
                [A, "backup on db1 <alerts@example.org>", "", ""],
            ),
            row(
                "mailx -s x -r backup@localhost root",
                "hi\n",
                [A, "backup on db1 <alerts@example.org>", "", ""],
            ),
            row(
                "mailx -s x -r a@example.com root",
                "hi\n",
                ["a@example.com", "a@example.com", "", ""],
            ),
            row(
                "mailx -t",
                CRON,
                [A, "Cron Daemon <alerts@example.org>", "", ""],
            ),
            row(
                "mailx -t",
                GIVEN,
                ["ada@example.com", "Ada <ada@example.com>", "", ""],
            ),
            row("mailx -t", "To: root\nSubject: x\n\nhi\n", [A, A, "", ""]),
            row(
                "mailx -t",
                "To: root\nMIME-Version: 1.0\nContent-Type: text/plain\n\nhi\n",
                [A, A, "", ""],
            ),
            row(
                "postrider send --from backup root",
                "hi\n",
                [A, "backup on db1 <alerts@example.org>", "", ""],
            ),
            row(
                "postrider send --from a@example.com root",
                "hi\n",
                ["a@example.com", "a@example.com", "", ""],
            ),
            row("postrider send root", "hi\n", [A, A, "", ""]),
        ],
        "set from=alerts@example.org",
    );
}

#[test]
fn one_sender_only() {
    check(
        &[
            row(
                "sendmail -i root",
                CRON,
                [A, "Cron Daemon <alerts@example.org>", "", ""],
            ),
            row(
                "sendmail -f a@example.com root",
                NO_FIELD,
                [A, "a on db1 <alerts@example.org>", "", "a@example.com"],
            ),
            row(
                "sendmail -f a@example.com root",
                CRON,
                [A, "Cron Daemon <alerts@example.org>", "", "a@example.com"],
            ),
            row(
                "sendmail -t",
                GIVEN,
                [A, "Ada <alerts@example.org>", "", "Ada <ada@example.com>"],
            ),
            row(
                "sendmail -t",
                SENDER,
                [
                    A,
                    "Ada <alerts@example.org>",
                    "Web <alerts@example.org>",
                    "Ada <ada@example.com>",
                ],
            ),
            row(
                "sendmail -t",
                FULL_SENDER,
                [A, "Ada <alerts@example.org>", "", "Ada <ada@example.com>"],
            ),
            row(
                "sendmail -t",
                TWO,
                [
                    A,
                    "root on db1 <alerts@example.org>",
                    "",
                    "Ada <ada@example.com>",
                ],
            ),
            row(
                "sendmail -t",
                ANSWERS,
                [A, "ada on db1 <alerts@example.org>", "", "bob@example.com"],
            ),
            row(
                "sendmail -f <> root",
                GIVEN,
                ["", "Ada <alerts@example.org>", "", "Ada <ada@example.com>"],
            ),
            row(
                "mailx -s x -r a@example.com root",
                "hi\n",
                [A, "a on db1 <alerts@example.org>", "", "a@example.com"],
            ),
            row(
                "mailx -t",
                GIVEN,
                [A, "Ada <alerts@example.org>", "", "Ada <ada@example.com>"],
            ),
            row("mailx -s x root", "hi\n", [A, A, "", ""]),
            row(
                "postrider send --from a@example.com root",
                "hi\n",
                [A, "a on db1 <alerts@example.org>", "", "a@example.com"],
            ),
        ],
        "set from=alerts@example.org from-force",
    );
}

// var:sender
#[test]
fn sender_is_the_envelope_and_a_field() {
    let b = "bounces@example.org";
    check(
        &[
            row(
                "sendmail -i root",
                CRON,
                [b, "Cron Daemon <alerts@example.org>", b, ""],
            ),
            row(
                "sendmail -t",
                SENDER,
                [b, "Ada <ada@example.com>", "Web <bounces@example.org>", ""],
            ),
            row(
                "sendmail -t",
                FULL_SENDER,
                [b, "Ada <ada@example.com>", "w@example.net", ""],
            ),
            row(
                "sendmail -f a@example.com root",
                CRON,
                ["a@example.com", "Cron Daemon <alerts@example.org>", b, ""],
            ),
            row(
                "mailx -s x -r backup root",
                "hi\n",
                [b, "backup on db1 <alerts@example.org>", b, ""],
            ),
            row("mailx -s x root", "hi\n", [b, A, b, ""]),
        ],
        "set from=alerts@example.org sender=bounces@example.org",
    );
    check(
        &[
            row(
                "sendmail -i root",
                CRON,
                [b, "Cron Daemon <root@db1.example.org>", b, ""],
            ),
            row(
                "mailx -s x -r backup root",
                "hi\n",
                [b, "backup@db1.example.org", b, ""],
            ),
        ],
        "set sender=bounces@example.org",
    );
}

#[test]
fn a_name_for_the_sender() {
    let with = |rc: &str, named: &'static str, old: &'static str| {
        check(
            &[
                row("sendmail -f root root", NO_FIELD, [A, named, "", ""]),
                row("sendmail -i root", CRON, [A, old, "", ""]),
            ],
            rc,
        );
    };
    let cron = "Cron Daemon <alerts@example.org>";
    with(
        "set from='Host 7 <alerts@example.org>'",
        "Host 7 <alerts@example.org>",
        cron,
    );
    with(
        "set from='Host 7 <alerts@example.org>'\nset display-name='%u at %H'",
        "\"root at db1.example.org\" <alerts@example.org>",
        cron,
    );
    with(
        "set from=alerts@example.org display-name=",
        "alerts@example.org",
        cron,
    );
}

#[test]
fn an_account_has_senders_of_its_own() {
    let rc = "set from=other@example.com\naccount ses {\nset from=alerts@example.org from-force\n}";
    check(
        &[row(
            "mailx -A ses -s x -r a@example.com root",
            "hi\n",
            [A, "a on db1 <alerts@example.org>", "", "a@example.com"],
        )],
        rc,
    );
    check(
        &[row(
            "mailx -S from=alerts@example.org -s x -r root root",
            "hi\n",
            [A, "root on db1 <alerts@example.org>", "", ""],
        )],
        "set from=other@example.com",
    );
}

#[test]
fn a_name_in_a_domain_that_is_this_host_too_takes_the_answers() {
    // /etc/mailname is often the domain of all hosts.
    let server = SmtpServer::accepting(Behaviour::default());
    let row = row(
        "mailx -s x -r ada@example.org ops@example.com",
        "hi\n",
        [""; 4],
    );
    let rc = "set hostname=example.org from=alerts@example.org";
    let (_, message) = run(&row, rc, &server);
    assert_eq!(message.from, "<alerts@example.org>");
    let letter = letter(&message);
    assert_eq!(letter.field("From"), "ada on example <alerts@example.org>");
    assert_eq!(letter.field("Reply-To"), "ada@example.org");
}

#[test]
fn without_from_nothing_changes() {
    check(
        &[
            row(
                "sendmail -i -FCronDaemon root",
                CRON,
                [
                    "[USER]@db1.example.org",
                    "Cron Daemon <root@db1.example.org>",
                    "",
                    "",
                ],
            ),
            row(
                "sendmail -t",
                LOGWATCH,
                [
                    "[USER]@db1.example.org",
                    "Logwatch <root@db1.example.org>",
                    "",
                    "",
                ],
            ),
            row(
                "sendmail -f root root",
                NO_FIELD,
                ["root@db1.example.org", "root@db1.example.org", "", ""],
            ),
            row(
                "mailx -s x -r backup root",
                "hi\n",
                ["backup@db1.example.org", "backup@db1.example.org", "", ""],
            ),
            row(
                "sendmail -t",
                GIVEN,
                ["[USER]@db1.example.org", "Ada <ada@example.com>", "", ""],
            ),
        ],
        "",
    );
}

#[test]
fn recipients_follow_the_aliases_in_header_and_envelope() {
    let text = "From: root\nTo: root, Ops <ops@localhost>\nCc: a@example.com, team, stranger\nBcc: hidden\n\
        Reply-To: root\nResent-From: root\nResent-To: team\nDisposition-Notification-To: root\n\
        Return-Path: <root@db1>\nSubject: x\n\nhi\n";
    let rc = "set from=alerts@example.org\nalias root ada@example.com\nalias team 'Bob <bob@example.com>' root";
    for line in ["sendmail -t", "mailx -t"] {
        let server = SmtpServer::accepting(Behaviour::default());
        let (_, message) = run(&row(line, text, [""; 4]), rc, &server);
        let letter = letter(&message);
        assert_eq!(
            letter.field("To"),
            "ada@example.com, Ops <ops@db1.example.org>",
            "{line}"
        );
        assert_eq!(
            letter.field("Cc"),
            "a@example.com, Bob <bob@example.com>, ada@example.com, stranger@db1.example.org",
            "{line}"
        );
        assert_eq!(letter.fields("Return-Path"), [""; 0], "{line}");
        assert_eq!(letter.fields("Bcc"), [""; 0], "{line}");
        for name in ["Reply-To", "Disposition-Notification-To"] {
            assert_eq!(letter.field(name), "ada@example.com", "{line} {name}");
        }
        assert_eq!(
            letter.field("Resent-From"),
            "root on db1 <alerts@example.org>",
            "{line}"
        );
        assert_eq!(
            letter.field("Resent-To"),
            "Bob <bob@example.com>, ada@example.com",
            "{line}"
        );
        for to in &message.to {
            let is_whole = to.ends_with("@example.com>") || to.ends_with("@db1.example.org>");
            assert!(is_whole, "{line} {to}");
        }
    }
}

#[test]
fn repeated_and_empty_fields_are_mended_through_every_face() {
    let text = "From: root\nTo: a@example.com\nTo: b@example.com\nCc:\nSubject: x\nSubject: y\nReply-To: c@example.com\n\
        Reply-To: d@example.com\nErrors-To: <>\n";
    let mime = "MIME-Version: 1.0\nContent-Type: text/plain\n";
    let texts = [format!("{text}\nhi\n"), format!("{text}{mime}\nhi\n")];
    let faces = [
        "sendmail -t",
        "sendmail a@example.com",
        "mailx -t",
        "sendmail -bs",
    ];
    for (face, text) in faces
        .iter()
        .flat_map(|face| texts.iter().map(move |text| (face, text)))
    {
        let server = SmtpServer::accepting(Behaviour::default());
        let spoken = format!(
            "EHLO x\r\nMAIL FROM:<root>\r\nRCPT TO:<a@example.com>\r\nDATA\r\n{}.\r\nQUIT\r\n",
            text.replace('\n', "\r\n")
        );
        let text = if *face == "sendmail -bs" {
            &spoken
        } else {
            text
        };
        Case::new()
            .called(face.split(' ').next().expect("a name"))
            .args(face.split(' ').skip(1))
            .rc(&format!(
                "set mta=smtp://127.0.0.1:{} from=alerts@example.org",
                server.port()
            ))
            .stdin(text)
            .any_stdout()
            .any_stderr()
            .run();
        let message = server
            .messages()
            .pop()
            .unwrap_or_else(|| panic!("nothing came of {face}"));
        let letter = letter(&message);
        assert_eq!(letter.field("To"), "a@example.com, b@example.com", "{face}");
        assert_eq!(
            letter.field("Reply-To"),
            "c@example.com, d@example.com",
            "{face}"
        );
        assert_eq!(letter.field("Subject"), "x", "{face}");
        assert_eq!(letter.fields("Cc"), [""; 0], "{face}");
        assert_eq!(letter.fields("Errors-To"), [""; 0], "{face}");
    }
}

#[test]
fn a_relay_that_knows_one_sender_takes_the_mail_of_cron() {
    let ses = || {
        SmtpServer::accepting(Behaviour {
            verified: Some("alerts@example.org"),
            ..Behaviour::default()
        })
    };
    let cron = "From: root (Cron Daemon)\nTo: root\n\nhi\n";
    let callers = [
        ("sendmail -i root", cron),
        ("sendmail -FCronDaemon -i -odi -oem -oi -t -f root", CRONIE),
        ("sendmail -i root", AT),
        ("sendmail -t", SUDO),
        ("sendmail -t", MDADM),
        ("sendmail -t", LOGWATCH),
        ("sendmail -t", EMPTY),
        (
            "sendmail -t",
            "From: root\nSender: root\nReturn-Path: <root>\nTo: root\n\nhi\n",
        ),
        ("mailx -s x -r backup root", "hi\n"),
        ("mailx -t", CRON),
    ];
    for (line, text) in callers {
        let server = ses();
        // Three lines of configuration, with that of the relay.
        let rc = "set from=alerts@example.org\nalias root ops@example.com";
        let (_, message) = run(&row(line, text, [""; 4]), rc, &server);
        assert_eq!(message.from, "<alerts@example.org>");
        assert_eq!(message.to, ["<ops@example.com>"]);
        assert_eq!(letter(&message).field("To"), "ops@example.com", "{line}");
    }
    // Another sender on purpose, where the relay is said to take one only.
    let server = ses();
    let rc = "set from=alerts@example.org from-force\nalias root ops@example.com";
    run(
        &row("sendmail -f a@example.com root", GIVEN, [""; 4]),
        rc,
        &server,
    );
    // The same server refuses what is not rewritten.
    let server = ses();
    Case::new()
        .called("sendmail")
        .args(["-i", "root@example.com"])
        .rc(&format!("set mta=smtp://127.0.0.1:{}", server.port()))
        .stdin(cron)
        .fails()
        .any_stderr()
        .lets_keep()
        .run();
    assert_eq!(server.messages(), []);
}

#[test]
fn explain_names_each_change_with_its_reason() {
    let ran = Case::new()
        .args(["--explain", "-t"])
        .rc("set mta=smtp://127.0.0.1:9 hostname=db1.example.org\nset from=alerts@example.org\nalias root ops@example.com")
        .stdin("From: root (Cron Daemon)\nTo: root\nCc: stranger\nReturn-Path: <root>\nMIME-Version: 1.0\nContent-Type: text/plain\n\nhi\n")
        .any_stdout()
        .run();
    let text = ran.stdout();
    for wanted in [
        "for the relay the envelope sender \"root\" becomes \"alerts@example.org\", because it has no domain, and from is set (",
        "for the relay the From field \"Cron Daemon <root>\" becomes \"Cron Daemon <alerts@example.org>\", because it has no domain, and from is set (",
        "for the relay the To field \"root\" becomes \"ops@example.com\", because root is an alias",
        "for the relay the Cc field \"stranger\" becomes \"stranger@db1.example.org\", because it has no domain",
        "for the relay the Return-Path field \"root\" is left out, because the host that delivers the message writes it",
    ] {
        assert!(text.contains(wanted), "{wanted}\n{text}");
    }
}

#[test]
fn a_receipt_names_what_a_relay_sees_otherwise() {
    let server = SmtpServer::accepting(Behaviour::default());
    let rc = format!(
        "set mta=smtp://127.0.0.1:{} hostname=db1.example.org from=alerts@example.org",
        server.port()
    );
    for dry in [None, Some("--dry-run")] {
        let ran = Case::new()
            .called("postrider")
            .args(["send", "--json", "--from", "backup", "ops@example.com"])
            .args(dry)
            .rc(&rc)
            .stdin("hi\n")
            .any_stdout()
            .any_stderr()
            .run();
        let receipt: serde_json::Value = serde_json::from_str(&ran.stdout()).expect("an object");
        let rewrites = receipt["rewrites"].as_array().expect("an array");
        let said = |place: usize, key: &str| rewrites[place][key].as_str().unwrap_or_default();
        assert_eq!(
            (said(0, "what"), said(0, "old")),
            ("envelope sender", "backup")
        );
        assert_eq!(said(0, "new"), "alerts@example.org");
        assert_eq!((said(1, "what"), said(1, "old")), ("From field", "backup"));
        assert_eq!(said(1, "new"), "backup on db1 <alerts@example.org>");
        assert!(said(1, "reason").starts_with("it has no domain, and from is set ("));
        assert_eq!(rewrites.len(), 2);
    }
}

#[test]
fn mail_for_root_at_localhost_follows_the_alias_of_root() {
    let rc = "set from=alerts@example.org\nalias root ops@example.com";
    for line in [
        "sendmail root@localhost",
        "mailx -s x root@localhost",
        "postrider send root@db1.example.org",
    ] {
        let text = "To: root@localhost\nReply-To: root@localhost\n\nhi\n";
        let server = SmtpServer::accepting(Behaviour::default());
        let (_, message) = run(&row(line, text, [""; 4]), rc, &server);
        assert_eq!(message.to, ["<ops@example.com>"], "{line}");
        let letter = letter(&message);
        assert_eq!(letter.field("To"), "ops@example.com", "{line}");
        let replies = letter.fields("Reply-To");
        assert!(
            replies.iter().all(|to| to == "ops@example.com"),
            "{line} {replies:?}"
        );
    }
}

#[test]
fn a_refused_name_of_this_host_has_the_alias_to_write_as_a_hint() {
    let server = SmtpServer::accepting(Behaviour {
        refuse: vec![("root@db1", "550 5.1.2 no such domain")],
        ..Behaviour::default()
    });
    Case::new()
        .called("sendmail")
        .args(["-i", "root"])
        .rc(&format!(
            "set mta=smtp://127.0.0.1:{} hostname=db1 from=alerts@example.org",
            server.port()
        ))
        .stdin("To: root\n\nhi\n")
        .status(65)
        .says("cannot send to root@db1 (for root): ")
        .hints(
            "no other host knows root@db1: write 'alias root NAME@example.org' into /etc/postrider.rc",
        )
        .keeps(1)
        .run();
}

#[test]
fn a_refused_sender_that_was_given_has_from_force_as_its_hint() {
    for (line, text, given) in [
        (
            "mailx -s x -r a@example.com ops@example.com",
            "hi\n",
            "a@example.com",
        ),
        ("sendmail ops@example.com", GIVEN, "ada@example.com"),
    ] {
        let server = SmtpServer::accepting(Behaviour {
            verified: Some("alerts@example.org"),
            ..Behaviour::default()
        });
        let words: Vec<&str> = line.split(' ').collect();
        Case::new()
            .called(words[0])
            .args(&words[1..])
            .rc(&format!("set mta=smtp://127.0.0.1:{} from=alerts@example.org", server.port()))
            .stdin(text)
            .status(69)
            .says("554 Message rejected: Email address is not verified.")
            .hints(&format!("the message names the sender {given}: if the relay takes mail from from= only, set from-force"))
            .keeps(1)
            .run();
    }
}

#[test]
fn from_force_needs_a_sender() {
    let server = SmtpServer::accepting(Behaviour::default());
    let case = |rc: &str| {
        Case::new()
            .args(["-s", "x", "-r", "a@example.com", "ops@example.com"])
            .rc(&format!("{rc}\nset from-force"))
            .stdin("hi\n")
    };
    case(&format!("set mta=smtp://127.0.0.1:{}", server.port()))
        .status(78)
        .says("from-force needs the sender that the relay takes")
        .hints("set from=")
        .keeps(1)
        .run();
    // The login of the relay is a sender that it takes.
    let rc = format!(
        "set mta=smtp://me%40example.org@127.0.0.1:{} smtp-auth=none",
        server.port()
    );
    case(&rc).run();
    assert_eq!(server.messages()[0].from, "<me@example.org>");
    // A mail that stays on this host does not need it.
    case("set mta=test://[DIR]/cwd/out")
        .leaves("cwd/out", "")
        .any_status();
}

#[test]
fn mail_that_waited_has_the_senders_of_the_day_it_is_sent() {
    let user = Case::new().user();
    let table = [
        (
            "sendmail -i root",
            CRON,
            A,
            "Cron Daemon <alerts@example.org>",
        ),
        (
            "sendmail -i root",
            AT,
            A,
            "[USER] on db1 <alerts@example.org>",
        ),
        (
            "sendmail -f backup root",
            NO_FIELD,
            A,
            "backup on db1 <alerts@example.org>",
        ),
        (
            "sendmail -f <> root",
            CRON,
            "",
            "Cron Daemon <alerts@example.org>",
        ),
        (
            "sendmail -f a@example.com root",
            NO_FIELD,
            "a@example.com",
            "a@example.com",
        ),
        ("mailx -s x root", "hi\n", A, A),
        (
            "mailx -s x -r backup root",
            "hi\n",
            A,
            "backup on db1 <alerts@example.org>",
        ),
        (
            "mailx -s x -r a@example.com root",
            "hi\n",
            "a@example.com",
            "a@example.com",
        ),
        (
            "mailx -S from=b@example.com -s x root",
            "hi\n",
            "b@example.com",
            "b@example.com",
        ),
        ("mailx -t", CRON, A, "Cron Daemon <alerts@example.org>"),
    ];
    for (line, text, envelope, from) in table {
        let words: Vec<&str> = line.split(' ').collect();
        let ran = Case::new()
            .called(words[0])
            .args(&words[1..])
            .rc("set mta=smtp://127.0.0.1:9 hostname=db1.example.org outbox=[DIR]/box\nset from=old@example.org")
            .stdin(text)
            .may_change("box")
            .any_status()
            .any_stderr()
            .run();
        let server = SmtpServer::accepting(Behaviour::default());
        let rc = format!(
            "set mta=smtp://127.0.0.1:{} hostname=db1.example.org outbox=[DIR]/box\nset from=alerts@example.org",
            server.port()
        );
        let again = |ran: Ran, words: &[&str]| {
            let case = ran.again().called("postrider").args(words).rc(&rc);
            case.may_change("box")
                .any_status()
                .any_stdout()
                .any_stderr()
                .run()
        };
        let ran = again(ran, &["outbox", "retry", "--all"]);
        again(ran, &["outbox", "flush"]);
        let message = server
            .messages()
            .pop()
            .unwrap_or_else(|| panic!("nothing came of {line}"));
        assert_eq!(message.from, format!("<{envelope}>"), "{line}");
        assert_eq!(
            letter(&message).field("From"),
            from.replace("[USER]", &user),
            "{line}"
        );
        assert_eq!(message.to, ["<root@db1.example.org>"], "{line}");
    }
}
