//! Names and addresses in the header of what is sent: nothing of them is lost, nothing raw leaves.

use crate::case::Case;
use crate::letters::Letter;

const TO: &str = "ops@example.com";
const BODY: &str = "a line\n";

/// Returns `mailx ARGS` with a body.
fn send<const N: usize>(args: [&str; N]) -> Case {
    Case::send(args).stdin(BODY)
}

#[test]
fn a_full_name_beside_an_address_is_not_dropped() {
    let named = "=?utf-8?Q?J=C3=B6rg?= <a@b.example>";
    let table: &[(&[&str], &str, Option<&str>)] = &[
        (
            &["-r", "a@b.example", "--full-name", "Jörg"],
            "",
            Some(named),
        ),
        (
            &["--full-name", "Jörg", "--from", "a@b.example"],
            "",
            Some(named),
        ),
        (
            &["--full-name", "Jörg", "-r", "Ada <a@b.example>"],
            "",
            Some(named),
        ),
        (
            &["--full-name", "Jörg"],
            "set from=a@b.example",
            Some(named),
        ),
        (
            &["--full-name", "Jörg"],
            "set from='Ada <a@b.example>'",
            Some(named),
        ),
        (
            &["--full-name", "Jörg", "-C", "From: a@b.example"],
            "",
            Some(named),
        ),
        (
            &["--full-name", "Doe, John", "-r", "a@b.example"],
            "",
            Some("\"Doe, John\" <a@b.example>"),
        ),
        (&["-r", "a@b.example"], "", Some("a@b.example")),
        // The MTA writes the field.
        (&["--full-name", "Night Shift"], "", None),
    ];
    for (args, rc, from) in table {
        let ran = send(["-s", "t"]).args(*args).args([TO]).rc(rc).run();
        let found = ran.call().letter().fields("From");
        assert_eq!(
            found,
            from.iter()
                .map(|from| (*from).to_owned())
                .collect::<Vec<_>>(),
            "{args:?}"
        );
    }
    let ran = Case::send(["-t", "--full-name", "Jörg"])
        .stdin(format!("From: a@b.example\nTo: {TO}\nSubject: t\n\nx\n"))
        .run();
    assert_eq!(ran.call().letter().field("From"), named);
}

#[test]
fn a_full_name_of_the_sendmail_face_stands_in_the_field_that_it_adds() {
    let rc = "set mta=test://[DIR]/cwd/out";
    let named = "=?utf-8?Q?J=C3=B6rg?= <a@b.example>";
    let table: &[(&[&str], &str, &str)] = &[
        (&["-F", "Jörg", "-f", "a@b.example"], "", named),
        (&["-FJörg", "-r", "a@b.example"], "", named),
        // As every sendmail has it, a field that is there stays.
        (
            &["-F", "Jörg", "-f", "a@b.example"],
            "From: Ada <c@d.example>\n",
            "Ada <c@d.example>",
        ),
    ];
    for (args, from, expected) in table {
        let ran = Case::new()
            .called("sendmail")
            .args(*args)
            .args([TO])
            .rc(rc)
            .stdin(format!("{from}Subject: t\n\nx\n"))
            .may_change("cwd/out")
            .run();
        let letters = crate::letters::letters(&ran.read("cwd/out"));
        assert_eq!(letters[0].field("From"), *expected, "{args:?}");
    }
}

#[test]
fn a_full_name_for_several_authors_is_told_and_not_used() {
    let ran = send([
        "-s",
        "t",
        "--full-name",
        "Jörg",
        "-C",
        "From: a@b.example, c@d.example",
        TO,
    ])
    .says("--full-name is not used")
    .run();
    assert_eq!(
        ran.call().letter().field("From"),
        "a@b.example, c@d.example"
    );
}

#[test]
fn sendmail_gets_a_full_name_in_ascii() {
    let ran = send(["-s", "t", "--full-name", "Jörg M", TO]).run();
    assert_eq!(
        ran.call().options(),
        ["-i", "-F", "=?utf-8?Q?J=C3=B6rg_M?="]
    );
    let ran = Case::send(["-F", "Jörg M", TO])
        .called("sendmail")
        .stdin("Subject: t\n\nx\n")
        .run();
    assert_eq!(
        ran.call().options(),
        ["-i", "-F", "=?utf-8?Q?J=C3=B6rg_M?="]
    );
}

/// Fields that hold addresses and name no recipient.
const SENDERS: [&str; 9] = [
    "From",
    "Sender",
    "Reply-To",
    "Return-Receipt-To",
    "Disposition-Notification-To",
    "Errors-To",
    "Mail-Followup-To",
    "Resent-From",
    "Resent-To",
];

/// Returns a case for each door that a header field comes in by.
fn doors(field: &str) -> Vec<Case> {
    vec![
        send(["-s", "t", "-C", field, TO]),
        send(["-s", "t", "--header", field, TO]),
        send(["-s", "t", "-a", field, TO]),
        send(["send", "--subject", "t", "--header", field, TO]).called("postrider"),
        Case::send(["-t"]).stdin(format!("To: {TO}\nSubject: t\n{field}\n\nx\n")),
    ]
}

#[test]
fn an_unquoted_comma_in_a_name_puts_no_raw_bytes_into_the_header() {
    for name in SENDERS {
        // A person who pastes a name means one person.
        for case in doors(&format!("{name}: Müller, Jörg <x@y.example>")) {
            let letter = case.run().call().letter();
            letter.assert_fit_for_the_wire();
            let expected = "=?utf-8?Q?M=C3=BCller=2C_J=C3=B6rg?= <x@y.example>";
            assert_eq!(letter.field(name), expected);
        }
        for case in doors(&format!("{name}: Müller, <x@y.example>")) {
            case.status(65)
                .says("Müller")
                .hints("quotes")
                .any_stderr()
                .keeps(1)
                .run()
                .nothing_sent();
        }
    }
}

#[test]
fn a_name_that_is_no_account_is_no_recipient_in_raw_bytes() {
    for args in [
        &["-s", "t", "Müller"][..],
        &["-s", "t", "-c", "Müller", TO],
        &["-s", "t", "-C", "Cc: Müller", TO],
    ] {
        let case = Case::send([]).args(args).stdin(BODY);
        let ran = case.status(65).says("Müller").keeps(1).run();
        assert!(
            ran.calls()
                .iter()
                .all(|call| call.stdin.is_ascii() && call.recipients() == [TO])
        );
    }
    // What a program finished is not a person's slip, and goes to the others.
    let ran = Case::send(["-t"])
        .called("sendmail")
        .stdin(format!("To: Müller, Jörg <{TO}>\nSubject: t\n\nx\n"))
        .status(65)
        .says("Müller")
        .keeps(1)
        .run();
    assert_eq!(ran.call().recipients(), [TO]);
    assert!(ran.call().stdin.is_ascii());
}

#[test]
fn every_field_of_addresses_is_written_as_one() {
    for name in SENDERS {
        for case in doors(&format!(
            "{name}: \"Müller, Jörg\" <x@y.example>, Ada <ada@y.example>"
        )) {
            let letter = case.run().call().letter();
            letter.assert_fit_for_the_wire();
            let expected = match name {
                "Sender" => "=?utf-8?Q?M=C3=BCller=2C_J=C3=B6rg?= <x@y.example>",
                _ => "=?utf-8?Q?M=C3=BCller=2C_J=C3=B6rg?= <x@y.example>, Ada <ada@y.example>",
            };
            assert_eq!(letter.field(name), expected);
        }
        for case in doors(&format!("{name}: no address at all <")) {
            case.status(65)
                .says(name)
                .any_stderr()
                .keeps(1)
                .run()
                .nothing_sent();
        }
    }
}

#[test]
fn a_local_part_keeps_the_quotes_it_needs_by_every_door() {
    for local in [
        "\"q..l\"",
        "\".q\"",
        "\"q.\"",
        "\"q@l\"",
        "\"q,l\"",
        "\"q(l\"",
        "\"q;l\"",
        "\"q\\\"l\"",
        "\"\"",
    ] {
        let address = &*format!("{local}@example.org");
        let given =
            |letter: &Letter, field: &str| assert_eq!(letter.field(field), address, "{field}");
        let call = send(["-s", "t", "-c", address, "-b", address, address])
            .run()
            .call();
        assert_eq!(call.recipients(), [address], "{address}");
        given(&call.letter(), "To");
        given(&call.letter(), "Cc");
        let call = send([
            "-s",
            "t",
            "-r",
            address,
            "-C",
            &format!("Reply-To: {address}"),
            TO,
        ])
        .run()
        .call();
        assert_eq!(call.options(), ["-i", "-f", address]);
        given(&call.letter(), "From");
        given(&call.letter(), "Reply-To");
        let single = format!("'{address}'");
        let call = send(["-s", "t", "boss"])
            .rc(&format!(
                "alias boss {single}\nset replyto={single}\nset from={single}"
            ))
            .run()
            .call();
        assert_eq!(call.recipients(), [address]);
        for field in ["To", "Reply-To", "From"] {
            given(&call.letter(), field);
        }
        let message = format!("To: {address}\nSubject: t\n\nx\n");
        let call = Case::send(["-t"]).stdin(&message).run().call();
        assert_eq!(call.recipients(), [address]);
        given(&call.letter(), "To");
        for args in [&["-t"][..], &["-f", address, "--", address], &["-bs"]] {
            let stdin = match args {
                ["-bs"] => format!(
                    "EHLO x\r\nMAIL FROM:<{address}>\r\nRCPT TO:<{address}>\r\nDATA\r\n{}.\r\nQUIT\r\n",
                    message.replace('\n', "\r\n")
                ),
                _ => message.clone(),
            };
            let call = Case::send([])
                .called("sendmail")
                .args(args)
                .stdin(stdin)
                .any_stdout()
                .run()
                .call();
            assert_eq!(call.recipients(), [address], "{args:?}");
            given(&call.letter(), "To");
        }
    }
    // Quotes that are not needed are taken off, so that one address has one spelling.
    let call = send(["-s", "t", "\"q.l\"@example.org"]).run().call();
    assert_eq!(call.recipients(), ["q.l@example.org"]);
}

#[test]
fn a_local_part_that_no_program_takes_is_refused() {
    for address in [
        "\"a b\"@example.org",
        "\"a<b\"@example.org",
        "\"|cat\"@example.org",
    ] {
        send(["-s", "t", address])
            .status(65)
            .any_stderr()
            .keeps(1)
            .run()
            .nothing_sent();
    }
}

/// Returns what the header of the only attachment says of its name: `name` and `filename`.
fn names(letter: &Letter) -> (String, String) {
    let text = String::from_utf8_lossy(&letter.bytes).replace("\n ", " ");
    let part = text
        .rsplit_once("\nContent-Type: ")
        .expect("a part")
        .1
        .to_owned();
    let (content_type, rest) = part.split_once('\n').expect("a line");
    let (_, name) = content_type.split_once("; name").expect("a name");
    let (_, disposition) = rest.split_once("attachment; ").expect("a disposition");
    let (file_name, _) = disposition.split_once('\n').expect("a line");
    (format!("name{name}"), file_name.to_owned())
}

#[test]
fn every_reader_finds_the_name_of_an_attachment() {
    let long = format!("{}.txt", "r".repeat(80));
    let cut = format!("name={}.txt", "r".repeat(56));
    let table: &[(&str, &str, &str)] = &[
        (
            "report-1_a+b.txt",
            "name=report-1_a+b.txt",
            "filename=report-1_a+b.txt",
        ),
        ("it's.txt", "name=\"it's.txt\"", "filename=\"it's.txt\""),
        ("100%.txt", "name=\"100%.txt\"", "filename=\"100%.txt\""),
        ("a*b.txt", "name=\"a*b.txt\"", "filename=\"a*b.txt\""),
        (
            "a b  c.txt",
            "name=\"a b  c.txt\"",
            "filename=\"a b  c.txt\"",
        ),
        (
            "a;b,(c)@[d]=?.txt",
            "name=\"a;b,(c)@[d]_?.txt\"",
            "filename*=utf-8''a%3Bb%2C%28c%29%40%5Bd%5D%3D%3F.txt",
        ),
        (
            "~#$&!^`{|}.x",
            "name=\"~#$&!^`{|}.x\"",
            "filename=\"~#$&!^`{|}.x\"",
        ),
        ("a\"b.txt", "name=a_b.txt", "filename*=utf-8''a%22b.txt"),
        ("a\\b.txt", "name=a_b.txt", "filename*=utf-8''a%5Cb.txt"),
        (
            "Größe.txt",
            "name=Gr__e.txt",
            "filename*=utf-8''Gr%C3%B6%C3%9Fe.txt",
        ),
        (".bashrc", "name=.bashrc", "filename=.bashrc"),
        (
            "<a>.txt",
            "name=\"_a>.txt\"",
            "filename*=utf-8''%3Ca%3E.txt",
        ),
        (&long, &cut, ""),
    ];
    for (file, name, file_name) in table {
        let ran = send(["-s", "t", "--attach", file, TO])
            .file(&format!("cwd/{file}"), "x")
            .run();
        let letter = ran.call().letter();
        letter.assert_fit_for_the_wire();
        assert!(
            letter
                .bytes
                .split(|&b| b == b'\n')
                .all(|line| line.len() <= 78)
        );
        let found = names(&letter);
        assert_eq!(found.0, *name, "{file}");
        assert!(
            file_name.is_empty() || found.1 == *file_name,
            "{file}: {}",
            found.1
        );
        assert_eq!(letter.attachments()[0].0, *file);
    }
}

#[test]
fn a_name_with_controls_and_directories_is_made_harmless() {
    for (given, found) in [
        ("a\nb\u{7f}.txt", "a_b_.txt"),
        ("../../x.txt", "x.txt"),
        ("/etc/passwd", "passwd"),
        ("..", "attachment"),
        (" a.txt ", " a.txt "),
        (" .. ", "attachment"),
    ] {
        let ran = send(["-s", "t", "--content-name", given, "--attach", "f", TO])
            .file("cwd/f", "x")
            .run();
        assert_eq!(ran.call().letter().attachments()[0].0, found, "{given:?}");
    }
}

#[test]
fn of_fields_that_a_message_has_once_one_leaves() {
    let message = format!(
        "From: a@b.example\nTo: {TO}\nFrom: c@d.example\nSubject: one\nsubject: two\nTo: x@y.example\n\
         Date: Mon, 16 Nov 2026 09:00:00 +0000\nDate: Mon, 16 Nov 2026 10:00:00 +0000\n\
         Message-ID: <a@b>\nMessage-ID: <a@b>\nX-A: 1\nX-A: 2\n"
    );
    let check = |letter: &Letter| {
        assert_eq!(letter.field("From"), "a@b.example");
        assert_eq!(letter.field("Subject"), "one");
        assert_eq!(letter.field("Date"), "Mon, 16 Nov 2026 09:00:00 +0000");
        assert_eq!(letter.field("Message-ID"), "<a@b>");
        assert_eq!(letter.field("To"), format!("{TO}, x@y.example"));
        assert_eq!(letter.field("X-Repeated-From"), "c@d.example");
        assert_eq!(letter.field("X-Repeated-Subject"), "two");
        assert_eq!(
            letter.field("X-Repeated-Date"),
            "Mon, 16 Nov 2026 10:00:00 +0000"
        );
        assert_eq!(letter.fields("X-A"), ["1", "2"]);
    };
    let says = |case: Case| {
        ["From", "Subject", "Date", "Message-ID", "To"]
            .iter()
            .fold(case, |case, name| {
                case.says(&format!("more than one {name} field"))
            })
    };
    // The sendmail face, a template, and a template that is a finished message.
    let mime = "MIME-Version: 1.0\nContent-Type: text/plain\n";
    for (name, header) in [("sendmail", ""), ("mailx", ""), ("mailx", mime)] {
        let case = Case::send(["-t"])
            .called(name)
            .stdin(format!("{message}{header}\nx\n"));
        let call = says(case).run().call();
        assert_eq!(call.recipients(), [TO, "x@y.example"], "{name}");
        check(&call.letter());
    }
}

#[test]
fn a_repeated_field_is_not_lost_and_an_empty_one_hides_none() {
    let message = format!(
        "From:\nFrom: a@b.example\nTo: {TO}\nSubject:\nSubject: one\nMIME-Version: 1.0\n\
         Content-Type: text/plain\nContent-Type: text/html\n\nx\n"
    );
    for name in ["sendmail", "mailx"] {
        let case = Case::send(["-t"]).called(name).stdin(&*message);
        let ran = case
            .says("more than one From field: one of them is sent")
            .says("more than one Subject field: one of them is sent")
            .says("more than one Content-Type field: the first one is used")
            .run();
        let letter = ran.call().letter();
        assert_eq!(letter.fields("From"), ["a@b.example"], "{name}");
        assert_eq!(letter.fields("Subject"), ["one"], "{name}");
        let repeated = letter.field("X-Repeated-Content-Type");
        assert_eq!(repeated, "text/html", "{name}");
    }
}

#[test]
fn of_fields_of_the_command_line_that_a_message_has_once_the_last_counts() {
    let ran = send(["-s", "t"])
        .args([
            "-C",
            "References: <a@b>",
            "-C",
            "References: <c@d>",
            "-C",
            "X-A: 1",
            "-C",
            "X-A: 2",
        ])
        .args(["-C", "In-Reply-To: <a@b>", "-C", "in-reply-to: <c@d>"])
        .args([TO])
        .run();
    let letter = ran.call().letter();
    assert_eq!(letter.field("References"), "<c@d>");
    assert_eq!(letter.field("In-Reply-To"), "<c@d>");
    assert_eq!(letter.fields("X-A"), ["1", "2"]);
}

#[test]
fn a_blind_copy_of_a_resent_message_stands_in_no_field() {
    for case in doors("Resent-Bcc: hidden@example.org") {
        let call = case.run().call();
        assert!(call.recipients().contains(&"hidden@example.org"));
        assert!(!String::from_utf8_lossy(&call.letter().bytes).contains("hidden"));
    }
}

#[test]
fn a_long_subject_and_name_leave_in_words_that_every_reader_joins() {
    let subject = "Übersicht über alle Rechnungen des dritten Quartals — 障害が発生しました、至急ご確認ください、よろしくお願いします";
    let ran = send(["-s", subject, "-r", "Grüne Äpfel Übersee <a@b.example>", TO]).run();
    let letter = ran.call().letter();
    letter.assert_fit_for_the_wire();
    assert!(
        letter.head().lines().all(|line| line.len() <= 76),
        "{}",
        letter.head()
    );
    assert_eq!(letter.field("From").matches("=?").count(), 1);
    let words: Vec<String> = letter
        .field("Subject")
        .split(' ')
        .map(str::to_owned)
        .collect();
    let (_, others) = words.split_last().expect("words");
    assert!(others.iter().all(|word| !word.contains("=?=")), "{words:?}");
}

#[test]
fn the_reader_shows_an_encoded_name_with_a_comma_as_one_name() {
    let mbox = "From a@b Mon Nov 16 09:00:00 2026\nFrom: =?utf-8?q?Doe=2C_J=C3=B6rg?= <j@x.example>\n\
        To: =?utf-8?q?M=C3=BCller=2C_Ada?= <m@x.example>, b@x.example\nSubject: =?utf-8?q?a=2Cb?=\n\nx\n\n";
    let read = |args: &[&str], called: &str| {
        let case = Case::new().called(called).args(args).file("cwd/box", mbox);
        case.any_stdout().run().stdout()
    };
    for shown in [
        read(&["show", "--file", "[DIR]/cwd/box", "1"], "postrider"),
        read(
            &["-R", "-f", "[DIR]/cwd/box", "-Y", "p", "-Y", "x"],
            "mailx",
        ),
    ] {
        for line in [
            "From: \"Doe, Jörg\" <j@x.example>\n",
            "To: \"Müller, Ada\" <m@x.example>, b@x.example\n",
            "Subject: a,b\n",
        ] {
            assert!(shown.contains(line), "{shown}");
        }
    }
    let json = read(
        &["show", "--json", "--file", "[DIR]/cwd/box", "1"],
        "postrider",
    );
    for part in [
        r#""from":"\"Doe, Jörg\" <j@x.example>""#,
        r#""from_name":"Doe, Jörg""#,
        r#""to":"\"Müller, Ada\" <m@x.example>, b@x.example""#,
        r#"{"body":"\"Doe, Jörg\" <j@x.example>","name":"From"}"#,
    ] {
        assert!(json.contains(part), "{json}");
    }
}
