//! Charsets at every door: what bytes without a label become on their way out and in, and what the
//! labels of mails, files and locales stand for.

use crate::case::{Case, Ran};
use crate::doors::{assert_rule, table, unless};
use crate::letters::Letter;
use crate::sendmail::FakeSendmail;

const TO: &str = "ops@example.com";

/// Texts with bad bytes in them, and what they are as header text.
const TEXTS: [(&str, (&[u8], &str)); 6] = [
    ("ascii", (b"plain", "plain")),
    (
        "utf-8",
        (
            "Gr\u{f6}\u{df}e \u{2713}".as_bytes(),
            "Gr\u{f6}\u{df}e \u{2713}",
        ),
    ),
    (
        "utf-8 that was cut",
        (
            b"Gr\xc3\xb6\xc3\x9fe cut \xc3",
            "Gr\u{f6}\u{df}e cut \u{fffd}",
        ),
    ),
    (
        "utf-8 with a byte of something else",
        (b"Gr\xc3\xb6\xc3\x9fe \xff x", "Gr\u{f6}\u{df}e \u{fffd} x"),
    ),
    ("latin-1", (b"Gr\xf6\xdfe", "Gr\u{f6}\u{df}e")),
    (
        "latin-1 with a pair that looks like utf-8",
        (b"Gr\xf6\xdfe \xc3\xa9", "Gr\u{f6}\u{df}e \u{c3}\u{a9}"),
    ),
];

fn bytes(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

fn os(bytes: &[u8]) -> std::ffi::OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes.to_vec())
}

/// Returns the text of a header field, decoded by a reader that is not ours.
fn decoded(letter: &Letter, name: &str) -> String {
    let field = letter.field(name);
    let as_subject = format!("Subject: {field}\n\n");
    Letter::new(as_subject.as_bytes()).subject()
}

#[test]
fn one_bad_byte_makes_no_mojibake_of_a_header_field_at_any_door() {
    type Door = fn(&[u8]) -> (Case, &'static str);
    let doors: Vec<(&'static str, Door)> = vec![
        ("-s", |text| {
            (Case::send(["-s"]).args([os(text)]).args([TO]), "Subject")
        }),
        ("-C", |text| {
            let field = os(&bytes(&[b"X-Note: ", text]));
            (
                Case::send(["-C"]).args([field]).args(["-s", "t", TO]),
                "X-Note",
            )
        }),
        ("name of -r", |text| {
            let from = os(&bytes(&[text, b" <j@x.example>"]));
            (
                Case::send(["-r"]).args([from]).args(["-s", "t", TO]),
                "From",
            )
        }),
        ("name of a recipient", |text| {
            let to = os(&bytes(&[text, b" <j@x.example>"]));
            (Case::send(["-s", "t"]).args([to]), "To")
        }),
        ("from of an rc file", |text| {
            let case = Case::send(["-s", "t", TO]);
            let rc = bytes(&[b"set from=\"", text, b" <j@x.example>\"\n"]);
            (
                case.file("home/more.rc", rc)
                    .rc("source [DIR]/home/more.rc"),
                "From",
            )
        }),
        ("alias of an rc file", |text| {
            let rc = bytes(&[b"alias team \"", text, b" <j@x.example>\"\n"]);
            let case = Case::send(["-s", "t", "team"]);
            (
                case.file("home/more.rc", rc)
                    .rc("source [DIR]/home/more.rc"),
                "To",
            )
        }),
        ("template", |text| {
            let template = bytes(&[b"To: ops@example.com\nSubject: ", text, b"\n\nx\n"]);
            (Case::send(["-t"]).stdin(template), "Subject")
        }),
        ("sendmail -t", |text| {
            let message = bytes(&[b"To: ops@example.com\nSubject: ", text, b"\n\nx\n"]);
            let case = Case::new().called("sendmail").args(["-t"]);
            (
                case.sendmail(FakeSendmail::accepting()).stdin(message),
                "Subject",
            )
        }),
    ];
    assert_rule(
        table(&TEXTS, || doors.clone()),
        |((text, expected), door)| {
            let (case, field) = door(text);
            let letter = case.any_stderr().run().call().letter();
            let found = decoded(&letter, field);
            let found = found.trim_end_matches(" <j@x.example>").trim_matches('"');
            unless(found == expected, format!("{found:?} and not {expected:?}"))
        },
    );
}

/// Returns the charset of the first text of a letter.
fn charset(letter: &Letter) -> String {
    let head = String::from_utf8_lossy(&letter.bytes).into_owned();
    let (_, rest) = head.split_once("charset=").unwrap_or(("", "none"));
    let end = rest.find(['\n', ';', ' ']).unwrap_or(rest.len());
    rest[..end].to_owned()
}

#[test]
fn one_bad_byte_makes_no_mojibake_of_a_text_and_every_byte_arrives() {
    let labels = [
        "us-ascii",
        "utf-8",
        "utf-8",
        "utf-8",
        "windows-1252",
        "windows-1252",
    ];
    let inputs: Vec<(&str, (&[u8], &str))> = TEXTS
        .iter()
        .zip(labels)
        .map(|((name, (text, _)), label)| (*name, (*text, label)))
        .collect();
    type Door = fn(&[u8]) -> Case;
    let doors: Vec<(&'static str, Door)> = vec![
        ("standard input", |text| {
            Case::send(["-s", "t", TO]).stdin(text)
        }),
        ("-q", |text| {
            Case::send(["-s", "t", "-q", "f", TO]).file("cwd/f", text)
        }),
        ("template", |text| {
            Case::send(["-t"]).stdin(bytes(&[b"To: ops@example.com\nSubject: t\n\n", text]))
        }),
        ("sendmail -t", |text| {
            let message = bytes(&[b"To: ops@example.com\nSubject: t\n\n", text]);
            let case = Case::new().called("sendmail").args(["-t"]);
            case.sendmail(FakeSendmail::accepting()).stdin(message)
        }),
        ("sendmail -t with a false label", |text| {
            let head = b"To: ops@example.com\nContent-Type: text/plain; charset=ANSI_X3.4-1968\n\n";
            let case = Case::new().called("sendmail").args(["-t"]);
            case.sendmail(FakeSendmail::accepting())
                .stdin(bytes(&[head, text]))
        }),
    ];
    assert_rule(table(&inputs, || doors.clone()), |((text, label), door)| {
        let text = bytes(&[text, b" and a longer line of text\n"]);
        let letter = door(&text).run().call().letter();
        let (found, body) = (charset(&letter), letter.body());
        // A message of ASCII that was made by others needs no MIME fields.
        let is_right = found == label || (text.is_ascii() && found != "utf-8");
        unless(
            is_right && body == text,
            format!("{found}: {}", body.escape_ascii()),
        )
    });
}

/// A text in the charset that it says, and one of the Encoding Standard that has no such charset.
fn wide(text: &str, big: bool) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    let order = |unit: u16| {
        if big {
            unit.to_be_bytes()
        } else {
            unit.to_le_bytes()
        }
    };
    units.flat_map(order).collect()
}

#[test]
fn utf_16_of_windows_goes_as_utf_8_at_every_door() {
    const TEXT: &str = "Gr\u{f6}\u{df}e \u{2713} \u{1f600}\r\nand a second line\r\n";
    type Door = fn(&[u8]) -> Case;
    let doors: Vec<(&'static str, Door)> = vec![
        ("standard input", |text| {
            Case::send(["-s", "t", TO]).stdin(text)
        }),
        ("-q", |text| {
            Case::send(["-s", "t", "-q", "f", TO]).file("cwd/f", text)
        }),
        ("-m", |text| {
            Case::send(["-s", "t", "-m", "f", TO]).file("cwd/f", text)
        }),
        ("~r", |text| {
            let case = Case::send(["-~", "-s", "t", TO]).stdin("~r f\n");
            case.file("cwd/f", text).any_stdout()
        }),
        ("~<!", |text| {
            let case = Case::send(["-~", "-s", "t", TO]).stdin("~<!/bin/cat f\n");
            case.file("cwd/f", text).any_stdout()
        }),
        ("~|", |text| {
            let case = Case::send(["-~", "-s", "t", TO]).stdin("x\n~|/bin/cat f\n");
            case.file("cwd/f", text).any_stdout()
        }),
        ("template", |text| {
            let head = wide("To: ops@example.com\r\nSubject: t\r\n\r\n", text[0] == 0xfe);
            Case::send(["-t"]).stdin(bytes(&[&head, &text[2..]]))
        }),
        ("sendmail -t", |text| {
            let head = wide("To: ops@example.com\r\nSubject: t\r\n\r\n", text[0] == 0xfe);
            let case = Case::new().called("sendmail").args(["-t"]);
            let case = case.sendmail(FakeSendmail::accepting());
            case.stdin(bytes(&[&head, &text[2..]]))
        }),
    ];
    let inputs = [("little", false), ("big", true)];
    assert_rule(table(&inputs, || doors.clone()), |(big, door)| {
        let letter = door(&wide(TEXT, big)).run().call().letter();
        let body = String::from_utf8_lossy(&letter.body()).replace("\r\n", "\n");
        let is_right = charset(&letter) == "utf-8" && body == TEXT.replace("\r\n", "\n");
        unless(is_right, String::from_utf8_lossy(&letter.bytes))
    });
}

#[test]
fn a_file_in_utf_16_is_attached_as_it_is() {
    let file = wide("Gr\u{f6}\u{df}e\r\n", false);
    // A type of texts is believed only where somebody gave it or its charset: this one has NULs.
    for (option, media_type) in [
        ("f.txt", "application/octet-stream"),
        ("f.txt=utf-8", "text/plain; charset=utf-16"),
        ("f.txt=UTF-16LE", "text/plain; charset=UTF-16LE"),
    ] {
        let ran = Case::send(["-s", "t", "-a", option, TO])
            .file("cwd/f.txt", &file)
            .stdin("x\n")
            .run();
        let letter = ran.call().letter();
        assert_eq!(letter.attachments(), [("f.txt".to_owned(), file.clone())]);
        let text = String::from_utf8_lossy(&letter.bytes).into_owned();
        assert!(text.contains(media_type), "{text}");
    }
}

/// What only looks like UTF-16 is a text of another charset, or no text.
#[test]
fn bytes_that_are_no_utf_16_arrive_as_they_are() {
    for body in [
        &b"\xff\xfeh\0i"[..],
        b"\xff\xfe\0\xd8x\0\n\0",
        b"\xff\xfeh\0\0\0",
        b"h\0i\0\n\0",
        b"\xef\xbb\xbfhi",
    ] {
        let letter = Case::send(["-s", "t", TO])
            .stdin(body)
            .run()
            .call()
            .letter();
        let mut expected = body.to_vec();
        if letter.bytes.is_ascii() && letter.body() != expected {
            expected.push(b'\n');
        }
        assert_eq!(letter.body(), expected, "{}", body.escape_ascii());
    }
}

#[test]
fn a_carriage_return_within_a_line_arrives() {
    for body in [
        &b"10%\r50%\r100%\ndone\n"[..],
        b"a\r\nb\nc\r\n",
        b"a\r",
        b"\r\n\ra\r\n",
        b"Gr\xc3\xb6\xc3\x9fe\rx\n",
    ] {
        let letter = Case::send(["-s", "t", TO])
            .stdin(body)
            .run()
            .call()
            .letter();
        assert_eq!(letter.body(), body, "{}", body.escape_ascii());
        assert_eq!(letter.field("Content-Transfer-Encoding"), "base64");
    }
}

/// A mailbox of one message: fields, then a text.
fn mail(fields: &str, text: &[u8]) -> Vec<u8> {
    let head = format!("From a@x Mon Jan  5 10:00:00 2026\nFrom: a@x\n{fields}\n");
    bytes(&[head.as_bytes(), text, b"\n"])
}

fn shown(mail: &[u8]) -> Ran {
    Case::new()
        .called("postrider")
        .args(["show", "1", "--file", "box"])
        .file("cwd/box", mail)
        .any_stdout()
        .run()
}

/// The label of a text, its bytes, and the same as an encoded word and as a file name.
const LABELLED: [(&str, &[u8], &str, &str); 9] = [
    (
        "ANSI_X3.4-1968",
        "Gr\u{f6}\u{df}e".as_bytes(),
        "Gr=C3=B6=C3=9Fe",
        "Gr%C3%B6%C3%9Fe",
    ),
    ("646", b"Gr\xf6\xdfe", "Gr=F6=DFe", "Gr%F6%DFe"),
    ("cp850", b"Gr\x94\xe1e", "Gr=94=E1e", "Gr%94%E1e"),
    ("IBM437", b"Gr\x94\xe1e", "Gr=94=E1e", "Gr%94%E1e"),
    ("utf-7", b"Gr+APYA3w-e", "Gr+APYA3w-e", "Gr+APYA3w-e"),
    ("8859_1", b"Gr\xf6\xdfe", "Gr=F6=DFe", "Gr%F6%DFe"),
    (
        "UTF_8",
        "Gr\u{f6}\u{df}e".as_bytes(),
        "Gr=C3=B6=C3=9Fe",
        "Gr%C3%B6%C3%9Fe",
    ),
    ("macintosh", b"Gr\x9a\xa7e", "Gr=9A=A7e", "Gr%9A%A7e"),
    (
        "unknown-8bit",
        "Gr\u{f6}\u{df}e".as_bytes(),
        "Gr=C3=B6=C3=9Fe",
        "Gr%C3%B6%C3%9Fe",
    ),
];

#[test]
fn labels_of_glibc_and_dos_are_known_at_every_door() {
    const WORD: &str = "Gr\u{f6}\u{df}e";
    let mails = LABELLED.map(|(label, text, word, name)| {
        let part = format!("Content-Type: text/plain; charset=\"{label}\"\n");
        let html = format!("Content-Type: text/html; charset={label}\n");
        let subject = format!("Subject: =?{label}?Q?{word}?=\n");
        let file = format!(
            "Content-Disposition: attachment; filename*={label}''{name}\nContent-Type: x/y\n"
        );
        let sections = format!(
            "Content-Disposition: attachment; filename*0*={label}'de'{};\n filename*1*={}\n\
             Content-Type: x/y\n",
            &name[..2],
            &name[2..],
        );
        [
            ("text", mail(&part, text), &["show", "1"][..]),
            ("html", mail(&html, text), &["show", "1"]),
            ("text in JSON", mail(&part, text), &["show", "1", "--json"]),
            ("subject", mail(&subject, b"x"), &["show", "1"]),
            ("subject in a list", mail(&subject, b"x"), &["list"]),
            ("subject in JSON", mail(&subject, b"x"), &["list", "--json"]),
            ("file name", mail(&file, b"x"), &["show", "1"]),
            (
                "file name in sections",
                mail(&sections, b"x"),
                &["show", "1"],
            ),
            (
                "file name in JSON",
                mail(&file, b"x"),
                &["show", "1", "--json"],
            ),
            (
                "found by the subject",
                mail(&subject, b"x"),
                &["delete", "--dry-run", "--subject", "gr\u{f6}\u{df}e"],
            ),
        ]
        .map(|(door, mail, args)| (format!("{label}: {door}"), (mail, args)))
    });
    assert_rule(mails.into_iter().flatten(), |(mail, args)| {
        let ran = Case::new()
            .called("postrider")
            .args(args)
            .args(["--file", "box"])
            .file("cwd/box", &mail)
            .any_stdout()
            .run();
        unless(ran.stdout().contains(WORD), ran.stdout())
    });
}

#[test]
fn an_unknown_charset_is_said_once_a_message() {
    let text = "Gr\u{f6}\u{df}e".as_bytes();
    let fields = "Subject: =?x-nonesuch?Q?Gr=F6=DFe?= =?x-other?Q?_x?=\n\
                  Content-Type: text/plain; charset=x-nonesuch\n";
    let ran = shown(&mail(fields, text));
    let out = ran.stdout();
    let line = "[-- unknown charset \"x-nonesuch\": read as windows-1252 --]\n";
    assert!(out.contains(line), "{out}");
    assert_eq!(out.matches("unknown charset").count(), 1, "{out}");
    assert!(out.contains("Subject: Gr\u{f6}\u{df}e"), "{out}");

    let ran = shown(&mail(
        "Content-Type: text/plain; charset=\"x-\u{1b}[31m\"\n",
        text,
    ));
    let out = ran.stdout();
    assert!(
        out.contains("\"x-\u{241b}[31m\": read as utf-8 --]\nGr\u{f6}\u{df}e\n"),
        "{out}"
    );

    let known = shown(&mail(
        "Content-Type: text/plain; charset=unknown-8bit\n",
        text,
    ));
    assert!(!known.stdout().contains("unknown charset"));

    let ran = Case::new()
        .called("postrider")
        .args(["show", "1", "--json", "--file", "box"])
        .file("cwd/box", mail(fields, text))
        .any_stdout()
        .run();
    let json: serde_json::Value = serde_json::from_str(&ran.stdout()).unwrap();
    assert_eq!(json["unknown_charsets"], serde_json::json!(["x-nonesuch"]));
    assert_eq!(json["subject"], "Gr\u{f6}\u{df}e x");
}

/// What nobody has labelled is read by the rule by which it is sent.
#[test]
fn unlabelled_text_with_a_bad_byte_is_read_as_it_is_sent() {
    let inputs = TEXTS;
    let doors = || vec![("text", 0), ("subject", 1), ("list", 2), ("file name", 3)];
    assert_rule(table(&inputs, doors), |((text, expected), door)| {
        let text = bytes(&[text]);
        let field = |start: &str, end: &str| {
            let head = b"From a@x Mon Jan  5 10:00:00 2026\nFrom: a@x\n";
            bytes(&[head, start.as_bytes(), &text, end.as_bytes(), b"\n\nx\n\n"])
        };
        let (mail, args) = match door {
            0 => (mail("", &bytes(&[&text, b"\n"])), &["show", "1"][..]),
            1 => (field("Subject: ", ""), &["show", "1"][..]),
            2 => (field("Subject: ", ""), &["list"][..]),
            _ => {
                let start = "Content-Type: x/y\nContent-Disposition: attachment; filename=\"";
                (field(start, "\""), &["show", "1"][..])
            }
        };
        let case = Case::new()
            .called("postrider")
            .args(args)
            .args(["--file", "box"]);
        let ran = case.file("cwd/box", mail).any_stdout().run();
        unless(ran.stdout().contains(expected), ran.stdout())
    });
}

/// The encoded words that a script has made itself stay what they are.
#[test]
fn a_ready_made_encoded_word_goes_as_it_is() {
    const WORD: &str = "=?UTF-8?B?R3LDtsOfZQ==?=";
    let named = format!("{WORD} <j@x.example>");
    let note = format!("X-Note: {WORD}");
    let reply = format!("Reply-To: {named}");
    let template = format!("To: {named}\nSubject: {WORD}\n\nx\n");
    let cases = [
        (Case::send(["-s", WORD, TO]), "Subject", WORD),
        (Case::send(["-s", "t", "-C", &note, TO]), "X-Note", WORD),
        (Case::send(["-s", "t", "-r", &named, TO]), "From", &named),
        (Case::send(["-s", "t", &named]), "To", &named),
        (Case::send(["-s", "t", "-c", &named, TO]), "Cc", &named),
        (
            Case::send(["-s", "t", "-C", &reply, TO]),
            "Reply-To",
            &named,
        ),
        (Case::send(["-t"]).stdin(&template), "Subject", WORD),
        (Case::send(["-t"]).stdin(&template), "To", &named),
    ];
    for (case, field, expected) in cases {
        let letter = case.any_stderr().run().call().letter();
        assert_eq!(letter.field(field), expected);
    }
    // Where other characters stand beside it, it is text like them.
    let letter = Case::send(["-s", "\u{f6} =?UTF-8?Q?x?=", TO])
        .any_stderr()
        .run()
        .call()
        .letter();
    assert_eq!(letter.subject(), "\u{f6} =?UTF-8?Q?x?=");
}

/// When a uuencode block in the text becomes an attachment, and when it stays.
#[test]
fn a_uuencode_block_is_attached_only_where_mime_is_needed() {
    const BLOCK: &str = "begin 644 hi.bin\n%:&5L;&\\ \n`\nend\n";
    let body = |before: &str| format!("{before}\n{BLOCK}");
    let long = "x".repeat(1000);
    let rows: [(&str, Case, bool); 6] = [
        (
            "alone",
            Case::send(["-s", "t", TO]).stdin(body("see")),
            false,
        ),
        (
            "with another attachment",
            Case::send(["-s", "t", "-a", "f", TO])
                .stdin(body("see"))
                .file("cwd/f", "x\n"),
            true,
        ),
        (
            "a line that is too long",
            Case::send(["-s", "t", TO]).stdin(body(&long)),
            true,
        ),
        (
            "a stray CR",
            Case::send(["-s", "t", TO]).stdin(body("a\rb")),
            true,
        ),
        (
            "letters beyond ASCII",
            Case::send(["-s", "t", TO]).stdin(body("\u{f6}")),
            false,
        ),
        (
            "HTML",
            Case::send(["-s", "t", "-M", "text/html", TO]).stdin(body("<p>")),
            false,
        ),
    ];
    for (name, case, is_attached) in rows {
        let letter = case.run().call().letter();
        let files = letter.attachments();
        let found = files.iter().find(|(name, _)| name == "hi.bin");
        assert_eq!(
            found.map(|(_, bytes)| &bytes[..]),
            is_attached.then_some(&b"hello"[..]),
            "{name}"
        );
        if !is_attached {
            let body = String::from_utf8_lossy(&letter.body()).into_owned();
            assert!(body.ends_with(BLOCK), "{name}: {body}");
        }
    }
}

/// Editors of Windows put a byte order mark in front of UTF-8: it is no part of the first word.
#[test]
fn a_byte_order_mark_hides_no_recipient_and_no_setting() {
    let message = "\u{feff}To: ops@example.com\nSubject: t\n\nx\n";
    let face = Case::new().called("sendmail").args(["-t"]);
    for case in [
        Case::send(["-t"]).stdin(message),
        face.sendmail(FakeSendmail::accepting()).stdin(message),
        Case::send(["-s", "t", "team"])
            .stdin("x\n")
            .file("home/more.rc", "\u{feff}alias team ops@example.com\n")
            .rc("source [DIR]/home/more.rc"),
    ] {
        let letter = case.run().call().letter();
        assert_eq!(
            (letter.field("To").as_str(), letter.subject().as_str()),
            (TO, "t")
        );
    }
    // In a text it is data.
    let letter = Case::send(["-s", "t", TO])
        .stdin("\u{feff}x\n")
        .run()
        .call()
        .letter();
    assert_eq!(letter.body(), "\u{feff}x\n".as_bytes());
}

#[test]
fn an_unknown_charset_that_is_given_is_said_and_not_sent() {
    let warning =
        "the charset \"utf-9\" is not known; the message names the one found from the bytes";
    for args in [
        ["-a", "f.txt=utf-9"],
        ["-M", "text/plain; charset=utf-9"],
        ["-C", "Content-Type: text/plain; charset=utf-9"],
    ] {
        let case = Case::send(args).args(["-s", "t", TO]).stdin("gr\u{fc}n\n");
        let ran = case.file("cwd/f.txt", "gr\u{fc}n\n").says(warning).run();
        let text = String::from_utf8_lossy(&ran.call().letter().bytes).into_owned();
        assert!(
            text.contains("charset=utf-8") && !text.contains("utf-9"),
            "{text}"
        );
    }
    let ran = Case::send(["-a", "f.txt=UTF-8//TRANSLIT", "-s", "t", TO])
        .file("cwd/f.txt", "gr\u{fc}n\n")
        .stdin("x\n")
        .run();
    let text = String::from_utf8_lossy(&ran.call().letter().bytes).into_owned();
    assert!(
        text.contains("text/plain; charset=UTF-8; name=f.txt"),
        "{text}"
    );
}

/// HTML that says its charset itself: readers of mail believe the label of the part.
#[test]
fn the_charset_that_html_names_is_its_label_and_is_read() {
    let html = |label: &str, text: &[u8]| {
        let meta = format!("<html><meta http-equiv=x content=\"text/html; charset={label}\"><p>");
        bytes(&[meta.as_bytes(), text, b"</p></html>\n"])
    };
    let rows: [(&str, &[u8], &str, &str); 4] = [
        (
            "windows-1251",
            b"\xcf\xf0\xe8",
            "windows-1251",
            "\u{41f}\u{440}\u{438}",
        ),
        // Converted, and the element left as it was.
        ("windows-1251", "gr\u{fc}n".as_bytes(), "utf-8", "gr\u{fc}n"),
        (
            "iso-2022-jp",
            b"\x1b$BF|K\\\x1b(B",
            "iso-2022-jp",
            "\u{65e5}\u{672c}",
        ),
        ("x-nonesuch", b"gr\xfcn", "windows-1252", "gr\u{fc}n"),
    ];
    for (own, text, label, shown_text) in rows {
        let document = html(own, text);
        for case in [
            Case::send(["--html", "f.html", "-s", "t", TO]).stdin("x\n"),
            Case::send(["-M", "text/html", "-s", "t", TO]).stdin(&document),
        ] {
            let letter = case.file("cwd/f.html", &document).run().call().letter();
            let sent = String::from_utf8_lossy(&letter.bytes).into_owned();
            assert!(
                sent.contains(&format!("text/html; charset={label}")),
                "{sent}"
            );
        }
        let ran = shown(&mail("Content-Type: text/html\n", &document));
        assert!(ran.stdout().contains(shown_text), "{own}: {}", ran.stdout());
    }
}

/// A file whose name says nothing is a text if its bytes look so, and one bad byte changes nothing.
#[test]
fn a_file_with_one_bad_byte_is_a_text_of_its_charset() {
    let japanese = "\u{65e5}\u{672c}\u{8a9e}\n".repeat(20);
    let rows: [(&str, &str, Vec<u8>, &str); 4] = [
        (
            "log",
            "",
            bytes(&[japanese.as_bytes(), b"cut \xe6\x97\n"]),
            "utf-8",
        ),
        (
            "f.csv",
            "",
            bytes(&["gr\u{fc}n;\u{e9}\n".as_bytes(), b"\xff\n"]),
            "utf-8",
        ),
        ("f.csv", "", b"gr\xfcn;\xe9\n".to_vec(), "windows-1252"),
        (
            "f.csv",
            "=us-ascii",
            bytes(&["gr\u{fc}n;\u{e9}\n".as_bytes(), b"\xff\n"]),
            "utf-8",
        ),
    ];
    for (name, label, file, charset) in rows {
        let option = format!("{name}{label}");
        let case = Case::send(["-s", "t", "-a", &option, TO]).stdin("x\n");
        let ran = case.file(&format!("cwd/{name}"), &file).run();
        let letter = ran.call().letter();
        assert_eq!(letter.attachments(), [(name.to_owned(), file)]);
        let text = String::from_utf8_lossy(&letter.bytes).into_owned();
        let label = format!("; charset={charset}; name={name}\n");
        assert!(text.contains(&label), "{label} in {text}");
    }
}
