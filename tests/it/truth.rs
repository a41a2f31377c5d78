//! What the program tells of a mail is what became of it: receipts, explanations, logs, copies.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::case::{Case, Ran};
use crate::letters::{Letter, letters};
use crate::sendmail::FakeSendmail;
use crate::smtp_server::{Behaviour, Message, SmtpServer};

fn relay(server: &SmtpServer) -> String {
    format!("set mta=smtp://127.0.0.1:{}", server.port())
}

/// Returns `postrider send --json --subject t`.
fn json() -> Case {
    Case::new()
        .called("postrider")
        .args(["send", "--json", "--subject", "t"])
        .rc("set hostname=client.example.org")
        .stdin("the text\n")
        .any_stdout()
}

/// Returns the one object on standard output; its status is the exit status.
#[track_caller]
fn receipt(ran: &Ran) -> Value {
    let text = ran.stdout();
    assert_eq!(text.lines().count(), 1, "{text:?}");
    let object: Value = serde_json::from_str(&text).unwrap();
    assert!(object.is_object(), "{object}");
    assert_eq!(object["status"], ran.output.code(), "{object}");
    assert!(object["time"].as_str().unwrap().contains('T'), "{object}");
    object
}

/// Returns a key of each recipient of a receipt.
fn each<'a>(receipt: &'a Value, key: &str) -> Vec<&'a str> {
    let entries = receipt["recipients"].as_array().unwrap();
    entries
        .iter()
        .map(|entry| entry[key].as_str().unwrap_or("null"))
        .collect()
}

fn letter(message: &Message) -> Letter {
    let text = String::from_utf8(message.data.clone()).expect("7-bit");
    Letter::new(text.replace("\r\n", "\n").as_bytes())
}

// --- receipts ----------------------------------------------------------------------------------

#[test]
fn one_of_three_is_refused_and_the_receipt_says_so() {
    let server = SmtpServer::accepting(Behaviour {
        refuse: vec![("bad@example.com", "550 5.1.1 nobody of that name")],
        ..Behaviour::default()
    });
    let ran = json()
        .rc(&relay(&server))
        .args(["a@example.com", "bad@example.com", "b@example.com"])
        .status(65)
        .says("bad@example.com")
        .keeps(1)
        .run();
    let message = &server.messages()[0];
    assert_eq!(server.messages().len(), 1);
    assert_eq!(message.to, ["<a@example.com>", "<b@example.com>"]);
    let receipt = receipt(&ran);
    assert_eq!(
        receipt["message_id"],
        letter(message).field("Message-ID").as_str()
    );
    let all = ["a@example.com", "bad@example.com", "b@example.com"];
    assert_eq!(each(&receipt, "recipient"), all);
    assert_eq!(each(&receipt, "target"), all);
    assert_eq!(
        each(&receipt, "outcome"),
        ["accepted", "refused", "accepted"]
    );
    assert_eq!(each(&receipt, "queue_id"), ["null", "null", "null"]);
    let codes = receipt["recipients"].as_array().unwrap().iter();
    let codes: Vec<_> = codes.map(|entry| entry["code"].as_u64()).collect();
    assert_eq!(codes, [Some(250), Some(550), Some(250)]);
    assert!(each(&receipt, "text")[1].contains("nobody of that name"));
    let kept = receipt["kept"].as_str().unwrap();
    assert_eq!(kept, "[DIR]/home/dead.letter");
    assert_eq!(
        ran.dead()[0].field("X-Postrider-Unsent-To"),
        "bad@example.com"
    );
    assert_eq!(ran.dead()[0].body(), b"the text\n");
}

#[test]
fn all_accepted_has_the_relays_queue_id() {
    let server = SmtpServer::accepting(Behaviour {
        end: Some("250 2.0.0 Ok: queued as 4F1A2B3C4D"),
        ..Behaviour::default()
    });
    let ran = json().rc(&relay(&server)).args(["a@example.com"]).run();
    let receipt = receipt(&ran);
    assert_eq!(each(&receipt, "outcome"), ["accepted"]);
    assert_eq!(each(&receipt, "queue_id"), ["4F1A2B3C4D"]);
    assert_eq!(receipt["kept"], Value::Null);
    assert_eq!(receipt["status"], 0);
}

#[test]
fn a_bad_address_has_its_entry_beside_the_good_one() {
    let ran = json()
        .sendmail(FakeSendmail::accepting())
        .args(["good@example.com", "b@@example"])
        .status(65)
        .says("b@@example")
        .keeps(1)
        .run();
    assert_eq!(ran.call().recipients(), ["good@example.com"]);
    let receipt = receipt(&ran);
    assert_eq!(
        each(&receipt, "recipient"),
        ["good@example.com", "b@@example"]
    );
    assert_eq!(each(&receipt, "outcome"), ["accepted", "refused"]);
    assert_eq!(receipt["kept"], "[DIR]/home/dead.letter");
}

#[test]
fn what_is_not_even_tried_has_a_receipt() {
    let cases = [
        (66, vec!["--attach", "nowhere.pdf", "ops@example.com"]),
        (78, vec!["--set", "mta=gopher://x", "ops@example.com"]),
    ];
    for (status, args) in cases {
        let ran = json()
            .sendmail(FakeSendmail::accepting())
            .args(args)
            .status(status)
            .any_stderr()
            .keeps(1)
            .run();
        ran.nothing_sent();
        let receipt = receipt(&ran);
        assert_eq!(each(&receipt, "recipient"), ["ops@example.com"]);
        assert_eq!(each(&receipt, "outcome"), ["not-sent"], "{receipt}");
        assert_eq!(receipt["kept"], "[DIR]/home/dead.letter");
        assert_eq!(ran.dead()[0].body(), b"the text\n");
    }
}

#[test]
fn an_unfinished_text_has_a_receipt() {
    let ran = json()
        .sendmail(FakeSendmail::accepting())
        .args(["ops@example.com"])
        .stdin_stays_open("first part\n")
        .signal_when_waiting(nix::sys::signal::Signal::SIGTERM)
        .status(143)
        .any_stderr()
        .keeps(1)
        .run();
    ran.nothing_sent();
    let receipt = receipt(&ran);
    assert_eq!(each(&receipt, "outcome"), ["not-sent"]);
    assert_eq!(receipt["kept"], "[DIR]/home/dead.letter");
}

#[test]
fn a_receipt_of_sendmail_has_its_status_and_words() {
    let ran = json()
        .sendmail(
            FakeSendmail::accepting()
                .step("say over \u{1b}[31mquota")
                .step("exit 67"),
        )
        .args(["ops@example.com"])
        .status(67)
        .any_stderr()
        .keeps(1)
        .run();
    let receipt = receipt(&ran);
    assert_eq!(each(&receipt, "outcome"), ["refused"]);
    assert_eq!(receipt["recipients"][0]["code"], 67);
    assert!(each(&receipt, "text")[0].contains("quota"));
    assert!(!ran.output.stdout.contains(&0x1b));
}

// --- explanations ------------------------------------------------------------------------------

#[test]
fn an_explanation_names_routes_rewrites_and_origins_and_sends_nothing() {
    let server = SmtpServer::accepting(Behaviour::default());
    let ran = Case::new()
        .called("postrider")
        .args(["send", "--explain", "--subject", "t"])
        .args(["--set", "smtp-timeout=7", "root", "ops@example.com"])
        .rc("set hostname=client.example.org")
        .rc("set qualify-domain=example.net")
        .rc("set local=relay")
        .rc("set password=geheim")
        .rc(&format!(
            "set mta=smtp://me:hush@127.0.0.1:{}",
            server.port()
        ))
        .mode("rc", 0o600)
        .stdin("the text\n")
        .any_stdout()
        .run();
    assert!(server.sessions().is_empty(), "nothing is sent");
    let text = ran.stdout();
    let line = |start: &str| {
        let found: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with(start))
            .collect();
        assert_eq!(found.len(), 1, "{start}: {text}");
        found[0].to_owned()
    };
    assert!(line("recipient root: ").contains("127.0.0.1"), "{text}");
    assert!(line("recipient root: ").contains(", because "), "{text}");
    assert!(line("recipient ops@example.com: ").contains("127.0.0.1"));
    assert!(line("address root becomes ").contains("root@example.net"));
    // A file is named with the line; an option and a default are told as such.
    let origin = line("setting qualify-domain: ");
    let number = origin.split("rc:").nth(1).expect("FILE:LINE");
    assert!(number.starts_with(|c: char| c.is_ascii_digit()), "{origin}");
    assert!(line("setting smtp-timeout: ").contains("7 ("), "{text}");
    assert!(!line("setting smtp-timeout: ").contains("rc:"), "{text}");
    assert!(line("setting smtp-connect-timeout: ").contains("default"));
    for secret in ["geheim", "hush"] {
        assert!(!text.contains(secret), "{secret}: {text}");
        assert!(!ran.stderr().contains(secret), "{secret}: {}", ran.stderr());
    }
}

// --- the log -----------------------------------------------------------------------------------

#[test]
fn the_log_has_one_line_a_recipient() {
    let server = SmtpServer::accepting(Behaviour {
        refuse: vec![("bad@example.com", "550 5.1.1 nobody \"here\"\x1b[31m")],
        ..Behaviour::default()
    });
    let ran = Case::new()
        .rc(&relay(&server))
        .rc("set hostname=client.example.org\nset log=[DIR]/cwd/log")
        .args(["-s", "t", "-r", "me@example.org"])
        .args(["a@example.com", "bad@example.com", "b@example.com"])
        .stdin("x\n")
        .status(65)
        .any_stderr()
        .keeps(1)
        .may_change("cwd/log")
        .run();
    let log = String::from_utf8(ran.read("cwd/log")).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), 3, "{log}");
    let id = letter(&server.messages()[0]).field("Message-ID");
    let expected = [
        ("a@example.com", "accepted", "250"),
        ("bad@example.com", "refused", "550"),
        ("b@example.com", "accepted", "250"),
    ];
    for (line, (to, outcome, code)) in lines.iter().zip(expected) {
        for part in [
            format!(" to={to} "),
            format!(" outcome={outcome} "),
            format!(" code={code} "),
            " from=me@example.org ".to_owned(),
            format!(" message-id={id} "),
        ] {
            assert!(line.contains(&part), "{part} in {line}");
        }
        assert!(!line.contains(char::is_control), "{line:?}");
    }
    let mode = std::fs::metadata(ran.path("cwd/log")).unwrap();
    assert_eq!(mode.permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_log_that_cannot_be_written_changes_nothing() {
    for log in [
        "[DIR]/cwd/pipe",
        "[DIR]/cwd/folder",
        "[DIR]/cwd/link",
        "[DIR]/cwd/precious/log",
        "/dev/full",
        "/proc/version",
    ] {
        let case = || {
            Case::new()
                .fifo("cwd/pipe")
                .directory("cwd/folder")
                .file("cwd/precious", "precious\n")
                .link("cwd/link", "[DIR]/cwd/precious")
                .rc(&format!("set log={log}"))
                .args(["-s", "t", "ops@example.com"])
                .stdin("x\n")
        };
        let told = format!("cannot write the log {log}: ");
        let ran = case().sendmail(FakeSendmail::accepting()).says(&told).run();
        assert_eq!(ran.call().recipients(), ["ops@example.com"], "{log}");
        case()
            .sendmail(FakeSendmail::exiting(67))
            .status(67)
            .says("sendmail")
            .says(&told)
            .keeps(1)
            .run();
    }
}

#[test]
fn a_log_without_the_right_to_write_changes_nothing() {
    Case::send(["-s", "t", "ops@example.com"])
        .file("cwd/log", "")
        .mode("cwd/log", 0o400)
        .rc("set log=[DIR]/cwd/log")
        .nobody()
        .lacking("-w", "cwd/log")
        .says("cannot write the log [DIR]/cwd/log: Permission denied")
        .stdin("x\n")
        .run()
        .call();
}

// --- copies ------------------------------------------------------------------------------------

#[test]
fn a_copy_is_the_mail_that_went_out() {
    for args in [
        vec!["-S", "record=[DIR]/cwd/copy", "ops@example.com"],
        vec!["-a", "Fcc: [DIR]/cwd/copy", "ops@example.com"],
    ] {
        let ran = Case::send(["-s", "t"])
            .args(args)
            .stdin("From here\n")
            .may_change("cwd/copy")
            .run();
        let copies = letters(&ran.read("cwd/copy"));
        assert_eq!(copies.len(), 1);
        let sent = ran.call().letter();
        assert_eq!(copies[0].field("Message-ID"), sent.field("Message-ID"));
        assert_eq!(copies[0].body(), b"From here\n");
        assert!(sent.fields("Fcc").is_empty());
    }
}

#[test]
fn a_copy_is_named_after_the_recipient() {
    let ran = Case::send(["-F", "-s", "t", "ops@example.com"])
        .stdin("x\n")
        .may_change("cwd/ops")
        .run();
    assert_eq!(letters(&ran.read("cwd/ops")).len(), 1);
}

/// The places that name a file for a copy of the mail, as arguments.
fn copy_doors(file: &str) -> [Vec<String>; 4] {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    [
        words(&["-S", &format!("record={file}")]),
        words(&["-a", &format!("Fcc: {file}")]),
        words(&["-T", &format!("fcc: {file}")]),
        words(&[
            "-S",
            "folder=[DIR]",
            "-S",
            "outfolder",
            "-S",
            &format!("record={}", file.replace("[DIR]/", "")),
        ]),
    ]
}

#[test]
fn a_copy_in_a_directory_that_is_missing_makes_the_directory() {
    for args in copy_doors("[DIR]/new/deep/copy") {
        let ran = Case::send(["-s", "t", "ops@example.com"])
            .args(&args)
            .stdin("x\n")
            .may_change("new")
            .run();
        assert_eq!(letters(&ran.read("new/deep/copy")).len(), 1, "{args:?}");
        for directory in ["new", "new/deep"] {
            let mode = std::fs::metadata(ran.path(directory)).unwrap();
            assert_eq!(mode.permissions().mode() & 0o777, 0o700, "{directory}");
        }
        ran.call();
    }
}

#[test]
fn a_copy_that_cannot_be_kept_stops_the_mail_before_it_is_sent() {
    for (file, status, why) in [
        ("[DIR]/cwd/folder", 73, "it is a directory"),
        ("[DIR]/cwd/text", 73, "it is not an mbox"),
        ("[DIR]/cwd/text/copy", 73, "Not a directory"),
        ("[DIR]/cwd/closed/copy", 77, "Permission denied"),
        ("[DIR]/cwd/closed/deep/copy", 77, "Permission denied"),
        ("[DIR]/cwd/read-only", 77, "Permission denied"),
    ] {
        for args in copy_doors(file) {
            let ran = Case::send(["-s", "t", "ops@example.com"])
                .args(&args)
                .directory("cwd/folder")
                .directory("cwd/closed")
                .mode("cwd/closed", 0o555)
                .file("cwd/text", "no mail\n")
                .file("cwd/read-only", "")
                .mode("cwd/read-only", 0o444)
                .nobody()
                .stdin("x\n")
                .status(status)
                .says(&format!(
                    "the message is not sent, because no copy can be kept in {}: {why}",
                    if args.len() > 2 {
                        file.replacen("[DIR]/", "+", 1)
                    } else {
                        file.to_owned()
                    }
                ))
                .keeps(1)
                .run();
            ran.nothing_sent();
            assert_eq!(ran.dead()[0].body(), b"x\n");
        }
    }
}

#[test]
fn a_dead_letter_and_a_log_get_their_directory_too() {
    let ran = Case::new()
        .args(["-s", "t", "ops@example.com"])
        .rc("set dead=[DIR]/new/dead log=[DIR]/logs/mail")
        .stdin("x\n")
        .status(69)
        .any_stderr()
        .may_change("new")
        .may_change("logs")
        .run();
    assert_eq!(letters(&ran.read("new/dead")).len(), 1);
    assert!(!ran.read("logs/mail").is_empty());
}

#[test]
fn what_is_refused_has_no_copy() {
    Case::new()
        .sendmail(FakeSendmail::exiting(67))
        .args(["-s", "t", "-S", "record=[DIR]/cwd/copy", "ops@example.com"])
        .stdin("x\n")
        .status(67)
        .says("sendmail")
        .keeps(1)
        .run();
}

// --- sizes -------------------------------------------------------------------------------------

/// Returns a mail with a small and a large attachment.
fn large() -> Case {
    Case::new()
        .called("postrider")
        .args(["send", "--subject", "t", "--attach", "small.txt"])
        .args(["--attach", "large.bin", "ops@example.com"])
        .file("cwd/small.txt", "small\n")
        .file("cwd/large.bin", vec![0xa5; 200_000])
        .rc("set hostname=client.example.org")
        .stdin("the text\n")
}

#[track_caller]
fn assert_only_the_small_one(letter: &Letter) {
    letter.assert_fit_for_the_wire();
    assert!(letter.bytes.len() < 100_000);
    let text = letter.text();
    assert!(text.starts_with("the text\n"), "{text}");
    let attachments = letter.attachments();
    assert!(
        attachments
            .iter()
            .any(|(name, bytes)| name == "small.txt" && bytes == b"small\n"),
        "{attachments:?}"
    );
    assert!(String::from_utf8_lossy(&letter.bytes).contains("large.bin"));
}

#[test]
fn an_attachment_too_large_is_a_note() {
    let ran = large()
        .sendmail(FakeSendmail::accepting())
        .rc("set max-size=100000")
        .says("large.bin is too large")
        .run();
    assert_only_the_small_one(&ran.call().letter());
}

#[test]
fn an_attachment_too_large_for_the_relay_is_a_note() {
    let server = SmtpServer::accepting(Behaviour {
        keywords: vec!["SIZE 100000"],
        ..Behaviour::default()
    });
    large()
        .rc(&relay(&server))
        .says("large.bin is too large")
        .run();
    assert_eq!(server.messages().len(), 1);
    assert_only_the_small_one(&letter(&server.messages()[0]));
}

#[test]
fn strict_sizes_send_nothing_and_keep_all() {
    let ran = large()
        .sendmail(FakeSendmail::accepting())
        .rc("set max-size=100000")
        .args(["--strict-size"])
        .fails()
        .any_stderr()
        .keeps(1)
        .run();
    ran.nothing_sent();
    assert_eq!(ran.dead()[0].attachments().len(), 2);
    let server = SmtpServer::accepting(Behaviour {
        keywords: vec!["SIZE 100000"],
        ..Behaviour::default()
    });
    let ran = large()
        .rc(&relay(&server))
        .args(["--strict-size"])
        .fails()
        .any_stderr()
        .keeps(1)
        .run();
    assert_eq!(server.messages(), []);
    assert_eq!(ran.dead()[0].attachments().len(), 2);
}

// --- the alert of a cron job -------------------------------------------------------------------

#[test]
fn an_alert_of_cron_is_the_same_on_every_way() {
    let alerts: [&[u8]; 4] = [
        "Größe: 5 € über 90 %\n.\nFrom here on\n".as_bytes(),
        b"caf\xe9 au lait\n~x\n",
        b"mixed caf\xe9 \xe2\x82\xac \0 \x1b[31m\n",
        b"10%\r20%\r\ntrailing  \t\n",
    ];
    for alert in alerts {
        let cron = || {
            Case::new()
                .env("HOME", "")
                .env("DEAD", "")
                .env("TZ", "")
                .rc("set hostname=db1.example.org")
                .stdin(alert)
        };
        let ran = cron()
            .sendmail(FakeSendmail::accepting())
            .args(["-s", "Größe", "ops@example.com"])
            .run();
        let by_sendmail = ran.call().letter();

        let server = SmtpServer::accepting(Behaviour::default());
        cron()
            .rc(&relay(&server))
            .args(["-s", "Größe", "ops@example.com"])
            .run();
        let by_relay = letter(&server.messages()[0]);

        by_sendmail.assert_fit_for_the_wire();
        by_relay.assert_fit_for_the_wire();
        let mut letters_of_all = vec![by_sendmail, by_relay];

        let case = cron().rc("set mta=local");
        if let Some(user) = crate::local::unaliased(&case) {
            let spool = format!("spool/{user}");
            let ran = case.args(["-s", "Größe", &user]).may_change("spool").run();
            letters_of_all.extend(letters(&ran.read(&spool)));
            assert_eq!(letters_of_all.len(), 3);
        }

        for letter in letters_of_all {
            assert_eq!(letter.subject(), "Größe");
            assert_eq!(
                letter.body().escape_ascii().to_string(),
                alert.escape_ascii().to_string()
            );
        }
    }
}
