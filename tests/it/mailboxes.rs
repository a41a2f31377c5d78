//! Mailboxes as they are found: one clear line, the right status, a bounded wait, no write.

use std::fs::File;
use std::time::Duration;

use crate::case::Case;

/// One message as bsd-mailx's manual would show it.
pub const ONE: &str = "From alice@example.org Mon Nov 16 09:00:00 2026\n\
    From: alice@example.org\nTo: root@example.org\nDate: Mon, 16 Nov 2026 09:00:00 +0000\n\
    Subject: Disk almost full\nMessage-ID: <1@example.org>\n\n/dev/sda1 97%\n\n";

/// Another one, already read.
pub const TWO: &str = "From bob@example.org Tue Nov 17 10:30:00 2026\n\
    From: Bob Brown <bob@example.org>\nTo: root@example.org\n\
    Date: Tue, 17 Nov 2026 10:30:00 +0000\nSubject: =?utf-8?q?Gr=C3=B6=C3=9Fe?=\n\
    Message-ID: <2@example.org>\nStatus: RO\n\nall is well\n\n";

/// The ways to look that never write.
const LOOKS: [&[&str]; 3] = [&["-H", "-f"], &["-e", "-f"], &["-p", "-f"]];

/// Returns `mailx OPTIONS [DIR]/cwd/box`.
fn look(options: &[&str]) -> Case {
    Case::new()
        .args(options)
        .args(["[DIR]/cwd/box"])
        .limit(Duration::from_secs(15))
}

#[test]
fn an_empty_one_has_no_mail() {
    look(&["-e", "-f"]).file("cwd/box", "").status(1).run();
    look(&["-H", "-f"])
        .file("cwd/box", "")
        .status(1)
        .any_stderr()
        .run();
}

#[test]
fn a_missing_one_is_named_and_not_made() {
    look(&["-e", "-f"]).status(1).run();
    for options in [&["-H", "-f"][..], &["-p", "-f"], &["-f"]] {
        look(options).status(66).says("[DIR]/cwd/box").run();
    }
}

// MB19
#[test]
fn a_directory_that_is_no_maildir_is_named() {
    look(&["-H", "-f"])
        .directory("cwd/box")
        .fails()
        .says("[DIR]/cwd/box")
        .run();
    look(&["-e", "-f"])
        .directory("cwd/box")
        .fails()
        .any_stderr()
        .run();
}

// MB19
#[test]
fn a_fifo_does_not_make_us_wait() {
    look(&["-H", "-f"])
        .fifo("cwd/box")
        .fails()
        .says("[DIR]/cwd/box")
        .run();
    look(&["-e", "-f"])
        .fifo("cwd/box")
        .fails()
        .any_stderr()
        .run();
}

#[test]
fn an_unreadable_one_is_named() {
    for options in [&["-H", "-f"][..], &["-p", "-f"]] {
        look(options)
            .file("cwd/box", ONE)
            .mode("cwd/box", 0o000)
            .nobody()
            .lacking("-r", "cwd/box")
            .fails()
            .says("[DIR]/cwd/box")
            .run();
    }
}

#[test]
fn what_is_no_mbox_is_named() {
    for bytes in [
        &b"just a text\nof two lines\n"[..],
        b"\x7fELF\x02\x01\x01\0\0",
        b"From here to there\n",
    ] {
        look(&["-H", "-f"])
            .file("cwd/box", bytes)
            .fails()
            .says("[DIR]/cwd/box")
            .run();
    }
}

#[test]
fn a_truncated_one_shows_what_is_whole() {
    let text = format!("{ONE}{TWO}");
    for cut in [1, 20, 60, text.len() - ONE.len() - 20] {
        let ran = look(&["-H", "-f"])
            .file("cwd/box", &text[..text.len() - cut])
            .stdout_contains("Disk almost full")
            .any_stderr()
            .run();
        assert!(ran.stdout().lines().count() <= 2, "{}", ran.stdout());
    }
}

// MB20
#[test]
fn line_ends_of_dos_are_read() {
    let text = format!("{ONE}{TWO}").replace('\n', "\r\n");
    for options in LOOKS {
        let ran = look(options).file("cwd/box", &text).any_stdout().run();
        assert!(!ran.output.stdout.contains(&b'\r'), "{options:?}");
        if options[0] != "-e" {
            assert!(ran.stdout().contains("Disk almost full") && ran.stdout().contains("Größe"));
        }
    }
}

// MB20
#[test]
fn eight_bit_headers_and_bodies_are_read() {
    let text = [
        b"From a@x.org Mon Nov 16 09:00:00 2026\nFrom: J\xf6rg <a@x.org>\nSubject: Gr\xf6\xdfe\n\ncaf\xe9\n\n".as_slice(),
        "From b@x.org Mon Nov 16 09:00:00 2026\nSubject: Größe\n\ncafé\n\n".as_bytes(),
    ]
    .concat();
    let ran = look(&["-H", "-f"])
        .file("cwd/box", &text)
        .any_stdout()
        .run();
    assert_eq!(ran.stdout().lines().count(), 2);
    assert!(
        std::str::from_utf8(&ran.output.stdout).is_ok(),
        "output is UTF-8"
    );
    look(&["-p", "-f"])
        .file("cwd/box", &text)
        .stdout_contains("café")
        .run();
}

#[test]
fn escape_sequences_are_shown_and_not_obeyed() {
    let text = "From a@x.org Mon Nov 16 09:00:00 2026\nFrom: \u{1b}]0;title\u{7} <a@x.org>\n\
        Subject: \u{1b}[2J\u{1b}]52;c;ZXZpbA==\u{7}clean\n\n\u{1b}[31mred\u{9b}31m\u{202e}\u{8}\n\n";
    for options in [&["-H", "-f"][..], &["-p", "-f"], &["-f"]] {
        let ran = look(options)
            .file("cwd/box", text)
            .stdin("p 1\nP 1\nx\n")
            .any_stdout()
            .any_stderr()
            .run();
        for text in [ran.stdout(), ran.stderr()] {
            let bad = text.chars().find(|c| {
                (c.is_control() && !matches!(c, '\n' | '\t'))
                    || ('\u{202a}'..='\u{202e}').contains(c)
            });
            assert_eq!(bad, None, "{options:?}: {text:?}");
        }
        assert!(ran.stdout().contains("clean"), "{options:?}");
    }
}

#[test]
fn encoded_escape_sequences_are_not_obeyed_either() {
    let text = "From a@x.org Mon Nov 16 09:00:00 2026\nFrom: a@x.org\n\
        Subject: =?utf-8?b?G1syShtdNTI7Yzt4B2NsZWFu?=\nContent-Type: text/plain\n\
        Content-Transfer-Encoding: base64\n\nG1szMW1yZWQK\n\n";
    for options in [&["-H", "-f"][..], &["-p", "-f"]] {
        let ran = look(options).file("cwd/box", text).any_stdout().run();
        assert!(!ran.output.stdout.contains(&0x1b), "{options:?}");
        assert!(ran.stdout().contains("clean"), "{options:?}");
    }
}

#[test]
fn foreign_locks_do_not_keep_us_from_looking() {
    for options in LOOKS {
        // A dot-lock of a living process, and a kernel lock.
        let case = look(options)
            .file("cwd/box", ONE)
            .file("cwd/box.lock", format!("{}\n", std::process::id()))
            .any_stdout()
            .any_stderr();
        let held = File::open(case.path("cwd/box")).unwrap();
        held.lock().unwrap();
        case.run();
    }
}

#[test]
fn a_read_only_directory_is_enough_to_look() {
    for options in LOOKS {
        let case = look(options)
            .file("cwd/box", ONE)
            .mode("cwd/box", 0o444)
            .nobody();
        case.mode("cwd", 0o555)
            .lacking("-w", "cwd/box")
            .any_stdout()
            .run();
    }
}

/// Returns bytes as gzip stores them, uncompressed (RFC 1951, section 3.2.4, and RFC 1952).
fn gzip(text: &[u8]) -> Vec<u8> {
    let mut crc = !0_u32;
    for byte in text {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    let len = u16::try_from(text.len()).unwrap();
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    out.extend(len.to_le_bytes());
    out.extend((!len).to_le_bytes());
    out.extend(text);
    out.extend((!crc).to_le_bytes());
    out.extend(u32::from(len).to_le_bytes());
    out
}

// MB18
#[test]
fn a_compressed_one_is_read_whatever_it_is_called() {
    let archive = [gzip(ONE.as_bytes()), gzip(TWO.as_bytes())].concat();
    let ran = look(&["-H", "-f"])
        .file("cwd/box", &archive)
        .any_stdout()
        .run();
    assert_eq!(ran.stdout().lines().count(), 2, "{}", ran.stdout());
    look(&["-e", "-f"]).file("cwd/box", &archive).run();
    look(&["-e", "-f"])
        .file("cwd/box", gzip(b""))
        .status(1)
        .run();
    let torn = &archive[..archive.len() - 7];
    // What is there is shown, through every door, and that it is not all is told.
    let rows: [&[&str]; 4] = [
        &["-H", "-f"],
        &["-p", "-f"],
        &["-L", "*", "-f"],
        &["-N", "-Y", "p *", "-f"],
    ];
    for arguments in rows {
        let ran = look(arguments)
            .file("cwd/box", torn)
            .status(74)
            .says("not all messages of the mailbox are shown: the file is cut off")
            .any_stdout()
            .run();
        assert!(ran.stdout().contains("bob"), "{}", ran.stdout());
    }
    look(&["-e", "-f"]).file("cwd/box", torn).run();
    // No room for what it holds: one line, and no memory instead.
    look(&["-H", "-f"])
        .file("cwd/box", &archive)
        .env("TMPDIR", "/nonexistent")
        .status(74)
        .says("temporary file")
        .run();
}

#[test]
fn dev_null_is_an_empty_mailbox_and_not_a_device() {
    for args in [&["-e"][..], &["-H"], &["-p"]] {
        let case = Case::new().args(args).args(["-f", "/dev/null"]);
        case.any_stderr().status(1).run();
    }
    Case::new()
        .args(["-N", "-f", "/dev/null"])
        .stdin("d *\nq\n")
        .status(1)
        .stderr("No mail in /dev/null\n")
        .run();
    let case = Case::new().args(["-e"]).env("MAIL", "/dev/null");
    case.status(1).run();
}

/// Returns a message as Netscape and its children have stored some: no date, and no blank line behind.
fn undated(subject: &str) -> String {
    format!(
        "From - \nX-Mozilla-Status: 0001\nX-Mozilla-Status2: 00000000\nReceived: from a by b\n\
         \twith SMTP\nSubject: {subject}\nStatus: RO\n\nFrom - \nis a line of {subject}\n> From - \n\
         > Subject: quoted\n> Date: never\n"
    )
}

// MB08
#[test]
fn deleting_a_message_with_an_undated_separator_deletes_no_other() {
    let [one, two, three] = ["one", "two", "three"].map(undated);
    let all = [&*one, &two, &three].concat();
    for (command, left) in [
        ("delete 1", vec![&two, &three]),
        ("delete 3", vec![&one, &two]),
        ("delete 1 2", vec![&three]),
        ("delete 2 3", vec![&one]),
        ("delete 2", vec![&one, &three]),
    ] {
        let left: String = left.into_iter().map(String::as_str).collect();
        Case::new()
            .args(["-N", "-f", "[DIR]/cwd/box"])
            .file("cwd/box", &all)
            .stdin(format!("{command}\nquit\n"))
            .leaves("cwd/box", left)
            .any_stdout()
            .run();
    }
    let ran = Case::new()
        .args(["-H", "-f", "[DIR]/cwd/box"])
        .file("cwd/box", &all)
        .any_stdout()
        .run();
    assert_eq!(ran.stdout().lines().count(), 3, "{}", ran.stdout());
}

#[test]
fn flags_of_messages_with_undated_separators_change_nothing_else() {
    let all: String = ["one", "two", "three"].map(undated).concat();
    let all = all.replace("Status: RO\n", "Status: O\n");
    let read = all.replacen("Status: O\n", "Status: RO\n", 2);
    Case::new()
        .args(["-N", "-f", "[DIR]/cwd/box"])
        .file("cwd/box", all)
        .stdin("print 1 2\nquit\n")
        .leaves("cwd/box", read)
        .any_stdout()
        .run();
}
