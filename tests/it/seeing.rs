//! A message on the screen: its fields, its text, its parts, and parts by their number.

use crate::case::{Case, Ran};
use crate::doors::{assert_rule, table, unless};
use crate::mailboxes::ONE;

const FROM: &str = "From alice@example.org Mon Nov 16 09:00:00 2026\n";

/// A message with everything: forms of a text, an invitation, a file, a message, uuencode.
const RICH: &str = "Received: from a by b\nX-Mailer: pine\nSubject: rich\nTo: root@example.org\n\
    From: Alice <alice@example.org>\nDate: Mon, 16 Nov 2026 09:00:00 +0000\nMIME-Version: 1.0\n\
    Content-Type: multipart/mixed; boundary=o\n\n--o\n\
    Content-Type: multipart/alternative; boundary=a\n\n--a\n\nthe text\n--a\n\
    Content-Type: text/html\n\n<p>the text</p>\n--a\n\
    Content-Type: text/calendar; method=REQUEST\n\n\
    BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nSUMMARY:Review\nDTSTART:20261120T100000Z\n\
    DTEND:20261120T113000Z\nLOCATION:Room 5\nORGANIZER;CN=Alice:mailto:alice@example.org\n\
    END:VEVENT\nEND:VCALENDAR\n--a--\n--o\n\
    Content-Type: application/pdf; name=\"=?utf-8?q?Gr=C3=B6?=\n =?utf-8?q?=C3=9Fe.pdf?=\"\n\
    Content-Transfer-Encoding: base64\nContent-Disposition: attachment\n\nQUJDCg==\n--o\n\
    Content-Type: message/rfc822\n\nSubject: within\nFrom: bob@example.org\nX-Odd: y\n\n\
    the inner text\n--o\n\nsee\nbegin 644 notes.txt\n#86)C\n`\nend\nbye\n--o--\n";

fn of(message: &str) -> String {
    format!("{FROM}{message}\n")
}

/// Runs commands over messages.
fn commands(messages: &[&str], typed: &str) -> Case {
    let mbox: String = messages.iter().map(|message| of(message)).collect();
    Case::new()
        .args(["-S", "quiet", "-N", "-R", "-f", "box"])
        .file("cwd/box", mbox)
        .stdin(typed)
        .any_stdout()
}

/// Returns what commands show of a message.
fn shown(message: &str, typed: &str) -> String {
    commands(&[message], typed).run().stdout()
}

// K25 HS12 HS13 MI10
#[test]
fn print_shows_the_fields_that_people_read_in_their_order() {
    let message = "Received: x\nX-A: y\nSubject: =?utf-8?q?Gr=C3=B6=C3=9Fe?=\nCC: c@d\nTo: b@c\n\
        Reply-To: r@s\nFrom: a@b\nDate: Mon, 16 Nov 2026 09:00:00 +0000\nMessage-ID: <1@b>\n\
        Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n\
        caf=E9\n";
    for command in ["p", "print 1", "t", "type"] {
        assert_eq!(
            shown(message, &format!("{command}\n")),
            format!(
                "Message 1:\n{FROM}Date: Mon, 16 Nov 2026 09:00:00 +0000\nFrom: a@b\nTo: b@c\n\
                 CC: c@d\nSubject: Größe\nReply-To: r@s\n\ncafé\n\n"
            ),
            "{command}"
        );
    }
}

// K24
#[test]
fn print_with_a_capital_shows_all_fields_as_they_stand() {
    let message = "Received: x\nX-A: y\nSubject: s\nFrom: a@b\n\nbody\n";
    for command in ["P", "Print", "T", "Type"] {
        assert_eq!(
            shown(message, &format!("{command}\n")),
            format!("Message 1:\n{FROM}Received: x\nX-A: y\nSubject: s\nFrom: a@b\n\nbody\n\n"),
            "{command}"
        );
    }
}

#[test]
fn retain_sets_the_fields_and_their_order_and_ignore_takes_some_away() {
    let message = "Received: x\nX-A: y\nSubject: s\nTo: b@c\nFrom: a@b\nReceived: z\n\nbody\n";
    let rows = [
        (
            "retain subject x-a FROM\n",
            "Subject: s\nX-A: y\nFrom: a@b\n",
        ),
        (
            "retain received\nretain from\n",
            "Received: x\nReceived: z\nFrom: a@b\n",
        ),
        ("ignore subject\n", "From: a@b\nTo: b@c\n"),
        ("ignore date from to cc bcc subject reply-to\n", ""),
        ("unretain *\n", "X-A: y\nSubject: s\nTo: b@c\nFrom: a@b\n"),
        ("unretain to\n", "From: a@b\nSubject: s\n"),
        ("set posix\n", "X-A: y\nSubject: s\nTo: b@c\nFrom: a@b\n"),
        ("set posix\nretain to\n", "To: b@c\n"),
        ("set posix\nignore x-a to\n", "Subject: s\nFrom: a@b\n"),
    ];
    for (rc, fields) in rows {
        let case = commands(&[message], "p\n").rc(rc);
        let out = case.run().stdout();
        assert_eq!(out, format!("Message 1:\n{FROM}{fields}\nbody\n\n"), "{rc}");
    }
    let case = commands(&[message], "p\n").env("POSIXLY_CORRECT", "1");
    assert!(case.run().stdout().contains("\nX-A: y\n"));
}

#[test]
fn eight_bit_fields_are_read_by_the_charset_of_the_text() {
    let bytes = b"Subject: \xcf\xf0\xe8\xe2\xe5\xf2\nFrom: \xcf <a@b>\n\
        Content-Type: text/plain; charset=windows-1251\n\n\xcf\xf0\n\n";
    let mbox = [FROM.as_bytes(), bytes].concat();
    let case = Case::new().args(["-N", "-R", "-f", "box"]);
    let case = case.file("cwd/box", mbox).stdin("p\n").any_stdout();
    let out = case.run().stdout();
    assert!(
        out.ends_with("From: П <a@b>\nSubject: Привет\n\nПр\n\n"),
        "{out}"
    );
}

// MI13
#[test]
fn flowed_text_is_joined_and_filled_to_the_width() {
    let message = "Content-Type: text/plain; format=flowed; delsp=no\n\n\
        one two three four \nfive six\n\n> quoted words \n> go on\n From here\n-- \nname\n";
    let case = commands(&[message], "p\n").env("COLUMNS", "24");
    let out = case.run().stdout();
    let text = "one two three four five\nsix\n\n> quoted words go on\nFrom here\n-- \nname\n\n";
    assert!(out.ends_with(text), "{out}");
}

// MI11
#[test]
fn every_part_is_shown_or_told() {
    let out = shown(RICH, "p\n");
    let (_, text) = out.split_once("Subject: rich\n").expect("a header");
    assert_eq!(
        text,
        "[-- 1 attachment: Größe.pdf --]\n\nthe text\n\n\
         [-- part 1.2: the same as text/html, 15 bytes --]\n\
         [-- part 1.3: text/calendar, 191 bytes --]\n\
         Invitation: Review\nWhen:       2026-11-20 10:00 - 11:30 (UTC)\nWhere:      Room 5\n\
         From:       Alice <alice@example.org>\n\n\
         [-- part 2: Größe.pdf, application/pdf, 4 bytes --]\n\
         [-- part 3: message/rfc822, 62 bytes --]\nFrom: bob@example.org\nSubject: within\n\n\
         the inner text\n\nsee\n\n\
         [-- part 4.1: notes.txt, application/octet-stream, 3 bytes --]\n\nbye\n\n"
    );
}

// K70 L15
#[test]
fn struct_lists_the_parts_with_the_numbers_that_commands_take() {
    assert_eq!(
        shown(RICH, "struct\n"),
        "1 multipart/mixed 671\n1.1 multipart/alternative 305\n1.1.1 text/plain 8\n\
         1.1.2 text/html 15\n1.1.3 text/calendar 191\n1.2 application/pdf 4 Größe.pdf\n\
         1.3 message/rfc822 62\n1.3.1 text/plain 14\n1.4 text/plain 39\n\
         1.4.1 application/octet-stream 3 notes.txt\n"
    );
    let two = commands(&["Subject: x\n\nb\n", RICH], "struct *\n").run();
    assert!(
        two.stdout()
            .starts_with("1.1 text/plain 2\n2 multipart/mixed ")
    );
}

// K69 K70 L15
#[test]
fn parts_are_shown_by_their_number_and_show_decodes_no_message() {
    let rows = [
        ("p 1.1.2", "Part 1.1.2:\nthe text\n\n"),
        ("show 1.1.2", "Part 1.1.2:\n<p>the text</p>\n"),
        ("show 1.2", "Part 1.2:\nABC\n\n"),
        (
            "p 1.2",
            "Part 1.2:\n[-- part 2: Größe.pdf, application/pdf, 4 bytes --]\n\n",
        ),
        ("p 1.3.1", "Part 1.3.1:\nthe inner text\n\n"),
        (
            "p 1.4.1",
            "Part 1.4.1:\n[-- part 4.1: notes.txt, application/octet-stream, 3 bytes --]\n\n",
        ),
        ("show 1.4.1", "Part 1.4.1:\nabc\n\n"),
        (
            "p 1.1.1,1.3.1",
            "Part 1.1.1:\nthe text\n\nPart 1.3.1:\nthe inner text\n\n",
        ),
    ];
    for (typed, expected) in rows {
        assert_eq!(shown(RICH, &format!("{typed}\n")), expected, "{typed}");
    }
    let message =
        "Subject: =?utf-8?q?x?=\nX-A: y\nContent-Transfer-Encoding: quoted-printable\n\na=3Db\n";
    for command in ["show", "Show 1"] {
        let out = shown(message, &format!("{command}\n"));
        assert_eq!(out, format!("Message 1:\n{}", of(message)), "{command}");
    }
}

#[test]
fn a_part_that_is_not_there_is_a_failure_that_says_so() {
    for typed in ["p 1.9", "show 1.1.7", "w 1.9 out"] {
        let case = commands(&[RICH], &format!("{typed}\n")).status(1);
        let number = typed.split([' ']).nth(1).expect("a number");
        let part = &number[2..];
        case.stderr_contains(&format!("message 1 has no part {part}\n"))
            .stderr_contains("hint: struct 1 shows its parts\n")
            .run();
    }
    commands(&[RICH], "p 7.1\n").status(64).any_stderr().run();
}

// K41 MI12
#[test]
fn write_takes_parts_by_number_and_into_a_directory_under_harmless_names() {
    let ran = commands(
        &[RICH],
        "w 1.2 out\nw 1.4.1 out\nw 1.3 inner\nw 1.1.2 1.2 made/\n",
    )
    .directory("cwd/made")
    .leaves("cwd/out", "ABC\nabc")
    .leaves(
        "cwd/inner",
        "Subject: within\nFrom: bob@example.org\nX-Odd: y\n\nthe inner text",
    )
    .leaves("cwd/made/Größe.pdf", "ABC\n")
    .leaves("cwd/made/part-1.2", "<p>the text</p>")
    .run();
    assert!(
        ran.stdout()
            .starts_with("\"out\" [New file] 4\n\"out\" [Appended] 3\n")
    );
    let odd = RICH
        .replace("notes.txt", "../../.profile")
        .replace("Gr=C3=B6", "..=2F..=2Fa");
    commands(&[&odd], "w made/\n")
        .directory("cwd/made")
        .leaves("cwd/made/_profile", "abc")
        .leaves("cwd/made/aße.pdf", "ABC\n")
        .leaves("cwd/made/part-1.3.ics", calendar())
        .leaves(
            "cwd/made/part-3.eml",
            "Subject: within\nFrom: bob@example.org\nX-Odd: y\n\nthe inner text",
        )
        .run();
}

fn calendar() -> &'static str {
    let start = RICH.find("BEGIN:VCALENDAR").expect("a calendar");
    let end = RICH.find("\n--a--").expect("its end");
    &RICH[start..end]
}

// K35 var:toplines
#[test]
fn top_shows_the_first_lines() {
    let message = "Subject: s\nX-A: y\n\n1\n2\n3\n4\n";
    let out = shown(message, "top\n");
    assert_eq!(out, format!("Message 1:\n{FROM}Subject: s\n\n1\n2\n\n"));
    let case = commands(&[message], "top\n").rc("set toplines=3\n");
    assert_eq!(
        case.run().stdout(),
        format!("Message 1:\n{FROM}Subject: s\n\n\n")
    );
}

// K22 K60
#[test]
fn next_and_the_signs_step_through_messages() {
    let messages = [
        "Subject: a\n\none\n",
        "Subject: b\n\ntwo\n",
        "Subject: c\n\nthree\n",
    ];
    let rows = [
        ("n\nn\n", "12"),
        ("n\n\n", "12"),
        ("next 3\n", "3"),
        ("+\n+\n", "23"),
        ("+\n-\n", "21"),
        ("3\nprev\nprevious\n", "321"),
        // With a list, the next one of it after the current one; after its last comes its first.
        ("n/c\nn 1 2\nn 1 2\nn 1 2\n", "3121"),
        ("n*\nn*\n", "12"),
        ("+/b\n+ *\n+ *\n", "231"),
        ("-/b\n- *\n- *\n", "213"),
        ("3\n-2\n", "31"),
    ];
    for (typed, expected) in rows {
        let out = commands(&messages, typed).run().stdout();
        let seen: String = out
            .lines()
            .filter_map(|line| line.strip_prefix("Message ")?.strip_suffix(':'))
            .collect();
        assert_eq!(seen, expected, "{typed:?}");
    }
    commands(&messages, "3\nn\n").stderr("At EOF\n").run();
    for typed in ["-\n", "3\n-3\n", "2\n-99999999999999999999\n"] {
        let case = commands(&messages, typed).stderr("Referencing before 1\n");
        case.any_stdout().run();
    }
    commands(&messages, "-/nothing\n")
        .stderr_contains("No applicable messages")
        .run();
}

// K25
#[test]
fn at_a_terminal_the_from_line_is_for_those_who_ask() {
    for (set, command, is_shown) in [
        ("ask", "p", false),
        ("ask", "P", true),
        ("headline=bsd", "p", true),
        ("posix", "p", true),
    ] {
        let ran = Case::new()
            .args(["-N", "-S", set, "-f", "box"])
            .file("cwd/box", ONE)
            .may_change("cwd/box")
            .at_terminal(|terminal| {
                terminal.sees("? ");
                terminal.types(format!("{command}\n"));
                terminal.sees("97%");
                terminal.types("x\n");
            });
        let shown = ran.stdout().contains("From alice@example.org Mon");
        assert_eq!(shown, is_shown, "{set} {command}");
    }
}

/// Text that would do harm at a terminal: sequences, OSC 52, C1, bidi, tags, backspaces.
const HARMFUL: [(&str, &str); 7] = [
    ("escape", "\u{1b}[2Jx"),
    ("clipboard", "\u{1b}]52;c;QUJD\u{7}"),
    ("C1", "\u{9b}2J"),
    ("bidi", "a\u{202e}b\u{2066}"),
    ("tag", "a\u{e0041}"),
    ("backspace", "a\u{8}\u{8}b"),
    ("delete", "\u{7f}\u{0}"),
];

/// Makes a message with a text in it, and the command that shows it.
type Door = fn(&str) -> (String, &'static str);

/// Returns the doors by which a text reaches the screen: message and command.
fn doors() -> Vec<(&'static str, Door)> {
    fn encoded(text: &str) -> String {
        let hex: String = text.bytes().map(|byte| format!("={byte:02X}")).collect();
        format!("=?utf-8?q?{hex}?=")
    }
    vec![
        ("subject", |text| (format!("Subject: {text}\n\nx\n"), "p")),
        ("encoded subject", |text| {
            (format!("Subject: {}\n\nx\n", encoded(text)), "p")
        }),
        ("name", |text| {
            (format!("From: {} <a@b>\n\nx\n", encoded(text)), "p")
        }),
        ("address", |text| (format!("From: <{text}@b>\n\nx\n"), "p")),
        ("header line", |text| {
            (
                format!(
                    "From: {} <a@b>\nSubject: {}\n\nx\n",
                    encoded(text),
                    encoded(text)
                ),
                "f",
            )
        }),
        ("all fields", |text| (format!("X-A: {text}\n\nx\n"), "P")),
        ("field name", |text| {
            (format!("Subject: x\nX{text}: y\n\nx\n"), "P")
        }),
        ("body", |text| (format!("Subject: x\n\n{text}\n"), "p")),
        ("flowed", |text| {
            (
                format!("Content-Type: text/plain; format=flowed\n\n{text} \n{text}\n"),
                "p",
            )
        }),
        ("html", |text| {
            (
                format!(
                    "Content-Type: text/html\n\n<p title='{text}'>{text}</p><a href='http://x/{text}'>y</a>\n"
                ),
                "p",
            )
        }),
        ("entity", |text| {
            let entities: String = text
                .chars()
                .map(|c| format!("&#{};", u32::from(c)))
                .collect();
            (format!("Content-Type: text/html\n\n{entities}\n"), "p")
        }),
        ("file name", |text| {
            (
                format!("Content-Type: image/png; name=\"{}\"\n\nx\n", encoded(text)),
                "p",
            )
        }),
        ("struct", |text| {
            (
                format!("Content-Type: image/png; name=\"{}\"\n\nx\n", encoded(text)),
                "struct",
            )
        }),
        ("charset", |text| {
            (
                format!("Content-Type: text/plain; charset=\"{text}\"\n\n\u{e9}\n"),
                "p",
            )
        }),
        ("calendar", |text| {
            (
                format!(
                    "Content-Type: text/calendar\n\nBEGIN:VEVENT\nSUMMARY:{text}\nLOCATION:{text}\n"
                ),
                "p",
            )
        }),
        ("uuencode name", |text| {
            (
                format!("Subject: x\n\nbegin 644 {text}\n#86)C\n`\nend\n"),
                "p",
            )
        }),
        ("stored", |text| {
            (format!("X-A: {text}\n\n{text}\n"), "show")
        }),
        ("part", |text| {
            (
                format!("Content-Type: application/x\n\n{text}\n"),
                "show 1.1",
            )
        }),
        ("top", |text| {
            (format!("Subject: {text}\n\n{text}\n"), "top")
        }),
        ("message within", |text| {
            (
                format!("Content-Type: message/rfc822\n\nSubject: {text}\n\n{text}\n"),
                "p",
            )
        }),
    ]
}

// MI17
#[test]
fn nothing_harmful_in_a_mail_reaches_the_screen_by_any_door() {
    assert_rule(table(&HARMFUL, doors), |(text, door)| {
        let (message, command) = door(text);
        let out = shown(&message, &format!("{command}\n"));
        let harmful = out.chars().find(|&c| {
            matches!(c, '\0'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}')
                || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
                || matches!(c, '\u{e0000}'..='\u{e007f}')
        });
        unless(harmful.is_none(), format!("{harmful:?} in {out:?}"))?;
        unless(!out.is_empty(), "nothing is shown")
    });
}

#[test]
fn broken_mail_is_shown_as_far_as_it_can_be_read() {
    let rows = [
        (
            "Subject: =?utf-8?q?a=ZZ?= =?utf-8?b?\n\nx\n",
            "=?utf-8?b?\n\nx\n",
        ),
        ("Content-Transfer-Encoding: base64\n\naGVs*bG8=\n", "hello"),
        (
            "Content-Type: multipart/mixed; boundary=no\n\ntext\n",
            "text",
        ),
        (
            "Content-Type: multipart/mixed;\n boundary=\n \"b\"\n\n--b\n\ntext\n",
            "text",
        ),
        (
            "Content-Type: text/plain; charset=utf-8\n\ncaf\u{e9}\n",
            "café",
        ),
        (
            "Content-Transfer-Encoding: base64\n\naGVsbG8K\n______\nlist footer\n",
            "hello\n______\nlist footer\n",
        ),
        (
            "Content-Type: application/ms-tnef; name=winmail.dat\n\nx\n",
            "a package of Outlook's own",
        ),
    ];
    for (message, expected) in rows {
        let out = shown(message, "p\n");
        assert!(out.contains(expected), "{message}: {out}");
    }
}

/// Returns the time that a command needs for a message of this size.
fn time_of(message: &str, typed: &str) -> std::time::Duration {
    let case = commands(&[message], typed);
    let start = std::time::Instant::now();
    let _: Ran = case.run();
    start.elapsed()
}

#[test]
fn ten_thousand_parts_and_a_million_fields_are_shown_in_time() {
    let mut nested = String::new();
    for level in 0..10_000 {
        nested +=
            &format!("Content-Type: multipart/alternative; boundary=b{level}\n\n--b{level}\n");
    }
    nested += "\nbottom\n";
    let fields = "X-A: y\n".repeat(1_000_000) + "Subject: last\n\nbody\n";
    let wide =
        "Content-Type: multipart/mixed; boundary=b\n\n".to_owned() + &"--b\n\nx\n".repeat(100_000);
    for message in [nested, fields, wide] {
        for typed in ["p\n", "struct\n", "P\n"] {
            let time = time_of(&message, typed);
            assert!(time.as_secs() < 20, "{typed:?}: {time:?} {:.80}", message);
        }
    }
}
