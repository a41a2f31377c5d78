//! Every case in which a peer loses, cuts or falsifies a mail.

use crate::case::Case;
use crate::letters::Letter;

/// Sends this body to one recipient and returns the message.
fn sent(body: &[u8]) -> Letter {
    let ran = Case::send(["-s", "t", "ops@example.com"]).stdin(body).run();
    let letter = ran.call().letter();
    letter.assert_fit_for_the_wire();
    letter
}

#[test]
fn any_bytes_arrive_as_they_are() {
    let every: Vec<u8> = (0..=255).chain([b'\n']).collect();
    let long = [vec![b'x'; 3000], b"\n".to_vec()].concat();
    let bodies: [&[u8]; 12] = [
        "Größe: 5 €\n".as_bytes(),
        b"caf\xe9 au lait\n",
        b"\x93quoted\x94 by Windows\n",
        b"caf\xe9 \x81\x8d\n",
        b"nul \0 inside\n",
        b"\x1b[31mred\x1b[0m\n",
        b"progress 10%\rprogress 100%\n",
        b"caf\xe9 \0 \xe2\x82\xac\n",
        &every,
        &long,
        b"From the start\nFrom again\n>From quoted\n",
        b"trailing blanks  \t\n=3D looks encoded\n",
    ];
    for body in bodies {
        assert_eq!(sent(body).body(), body, "{}", body.escape_ascii());
    }
}

#[test]
fn the_charset_is_found_from_the_bytes() {
    for (body, charset) in [
        (&b"plain\n"[..], "us-ascii"),
        ("Größe\n".as_bytes(), "utf-8"),
        (b"caf\xe9\n", "windows-1252"),
        (b"caf\xe9 \x81\n", "iso-8859-1"),
    ] {
        let content_type = sent(body)
            .field("Content-Type")
            .to_lowercase()
            .replace('"', "");
        assert_eq!(content_type, format!("text/plain; charset={charset}"));
    }
}

#[test]
fn line_ends_of_dos_are_line_ends() {
    assert_eq!(
        sent(b"one\r\ntwo\r\n").text().replace("\r\n", "\n"),
        "one\ntwo\n"
    );
}

#[test]
fn a_subject_in_any_charset_arrives() {
    for locale in ["C", "POSIX", "C.UTF-8", "de_DE.ISO-8859-1", "nonsense"] {
        let ran = Case::send(["-s", "Größe 100%", "ops@example.com"])
            .env("LC_ALL", locale)
            .stdin("x\n")
            .run();
        let letter = ran.call().letter();
        letter.assert_fit_for_the_wire();
        assert_eq!(letter.subject(), "Größe 100%", "{locale}");
    }
}

#[test]
fn a_subject_in_latin_1_arrives() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let ran = Case::send(["-s"])
        .args([
            OsStr::from_bytes(b"Gr\xf6\xdfe"),
            OsStr::new("ops@example.com"),
        ])
        .stdin("x\n")
        .run();
    let letter = ran.call().letter();
    letter.assert_fit_for_the_wire();
    assert_eq!(letter.subject(), "Größe");
}

#[test]
fn a_long_subject_is_folded_and_whole() {
    for subject in [
        "word ".repeat(200).trim_end().to_owned(),
        "ä".repeat(500),
        "x".repeat(2000),
    ] {
        let ran = Case::send(["-s", &subject, "ops@example.com"])
            .stdin("x\n")
            .run();
        let letter = ran.call().letter();
        letter.assert_fit_for_the_wire();
        assert_eq!(letter.subject(), subject);
    }
}

#[test]
fn a_newline_in_the_subject_is_a_space_and_a_warning() {
    for subject in [
        "alarm\nBcc: evil@example.com",
        "alarm\r\n\r\nbody",
        "alarm\0\u{7}x\n",
    ] {
        let ran = Case::send(["-s"]).args([subject.replace('\0', "\u{1}")]);
        let ran = ran
            .args(["ops@example.com"])
            .stdin("x\n")
            .says("ubject")
            .run();
        let letter = ran.call().letter();
        letter.assert_fit_for_the_wire();
        assert!(
            letter.subject().starts_with("alarm "),
            "{:?}",
            letter.subject()
        );
        assert!(letter.fields("Bcc").is_empty());
        assert_eq!(letter.body(), b"x\n");
        assert_eq!(ran.call().recipients(), ["ops@example.com"]);
    }
}

#[test]
fn a_newline_in_a_header_sends_nothing_and_keeps_the_text() {
    for header in ["X-A: b\nBcc: evil@example.com", "X-A: b\r\n", "X-A: \u{1}"] {
        let ran = Case::send(["-s", "t", "-a", header, "ops@example.com"])
            .stdin("the text\n")
            .status(65)
            .says("X-A")
            .keeps(1)
            .run();
        ran.nothing_sent();
        assert_eq!(ran.dead()[0].body(), b"the text\n");
    }
}

#[test]
fn a_newline_in_the_sender_sends_nothing_and_keeps_the_text() {
    for sender in ["a@x.org\nBcc: evil@example.com", "a@x.org\n"] {
        let ran = Case::send(["-s", "t", "-r", sender, "ops@example.com"])
            .stdin("the text\n")
            .status(65)
            .says("a@x.org")
            .keeps(1)
            .run();
        ran.nothing_sent();
        assert_eq!(ran.dead()[0].body(), b"the text\n");
    }
}

#[test]
fn a_newline_in_an_address_sends_nothing_to_it() {
    let ran = Case::send(["-s", "t", "good@x.org", "bad@x.org\nevil"])
        .stdin("the text\n")
        .status(65)
        .says("bad@x.org")
        .keeps(1)
        .run();
    assert_eq!(ran.call().recipients(), ["good@x.org"]);
    assert_eq!(ran.dead()[0].body(), b"the text\n");
}

#[test]
fn the_good_recipients_get_the_mail_and_the_bad_one_is_named() {
    let ran = Case::send(["-s", "t", "good@x.org, @@bad"])
        .stdin("the text\n")
        .status(65)
        .says("@@bad")
        .keeps(1)
        .run();
    assert_eq!(ran.call().recipients(), ["good@x.org"]);
}

#[test]
fn a_missing_attachment_sends_nothing_and_keeps_the_text() {
    for option in ["-a", "--attach"] {
        let ran = Case::send([option, "nowhere/report.pdf", "-s", "t", "ops@example.com"])
            .stdin("the text\n")
            .status(66)
            .says("nowhere/report.pdf")
            .keeps(1)
            .run();
        ran.nothing_sent();
        assert_eq!(ran.dead()[0].body(), b"the text\n");
    }
}

#[test]
fn an_attachment_that_is_a_directory_sends_nothing() {
    Case::send(["--attach", "folder", "-s", "t", "ops@example.com"])
        .directory("cwd/folder")
        .stdin("the text\n")
        .status(66)
        .says("folder")
        .keeps(1)
        .run()
        .nothing_sent();
}

#[test]
fn an_unreadable_attachment_sends_nothing() {
    Case::send(["--attach", "secret", "-s", "t", "ops@example.com"])
        .file("cwd/secret", "secret")
        .mode("cwd/secret", 0o000)
        .nobody()
        .lacking("-r", "cwd/secret")
        .stdin("the text\n")
        .status(66)
        .says("secret")
        .keeps(1)
        .run()
        .nothing_sent();
}

#[test]
fn attachments_of_any_bytes_and_names_arrive() {
    let bytes: Vec<u8> = (0..100_000u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    for name in [
        "Größe.bin",
        "two words.txt",
        "quote\"d.txt",
        "semi;colon.txt",
        "日本語.pdf",
        "100%.txt",
    ] {
        let path = format!("cwd/{name}");
        let ran = Case::send(["--attach", name, "-s", "t", "ops@example.com"])
            .file(&path, &bytes)
            .stdin("x\n")
            .run();
        let letter = ran.call().letter();
        letter.assert_fit_for_the_wire();
        assert_eq!(letter.attachments(), [(name.to_owned(), bytes.clone())]);
        assert_eq!(letter.text(), "x\n");
    }
}

#[test]
fn a_name_with_controls_is_harmless() {
    let ran = Case::send(["--attach", "a\nX-Evil: 1", "-s", "t", "ops@example.com"])
        .file("cwd/a\nX-Evil: 1", "content\n")
        .stdin("x\n")
        .any_stderr()
        .any_status()
        .may_change("home/dead.letter")
        .run();
    for call in ran.calls() {
        assert!(!String::from_utf8_lossy(&call.stdin).contains("\nX-Evil"));
    }
}

#[test]
fn a_piped_body_is_data() {
    let body = "~! touch owned\n~r /etc/passwd\n~x\n.\nstill here\n";
    let ran = Case::send(["-s", "t", "ops@example.com"])
        .rc("set dot\nset ask\nset askcc\nset askbcc\nset interactive\nset escape=~")
        .stdin(body)
        .run();
    assert_eq!(ran.call().letter().body(), body.as_bytes());
}

#[test]
fn a_uuencoded_body_goes_without_mime() {
    let body = "see below\nbegin 644 a.txt\n#86)C\n`\nend\n";
    let ran = Case::send(["-s", "t", "ops@example.com"]).stdin(body).run();
    let letter = ran.call().letter();
    assert!(letter.fields("MIME-Version").is_empty());
    assert!(letter.fields("Content-Type").is_empty());
    assert_eq!(letter.raw_body(), body.as_bytes());
}
