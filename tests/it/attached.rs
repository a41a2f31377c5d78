//! Attached files as their recipients find them: every byte, whatever door they came in by.

use crate::case::Case;
use crate::letters::{Letter, letters};
use crate::local::unaliased;

const TO: &str = "ops@example.com";

/// Files whose bytes some reader changes when they travel as text.
const FILES: [(&str, &[u8]); 12] = [
    ("run.sh", b"#!/bin/sh\nexit 0\n"),
    ("dos.bat", b"@echo off\r\nexit\r\n"),
    ("mixed.txt", b"a\r\nb\nc\r"),
    ("mac.txt", b"a\rb\r"),
    ("open.txt", b"no line end"),
    ("blanks.txt", b"two  \n\t\n \n"),
    ("from.txt", b"From here\n>From there\n.\n"),
    ("latin.csv", b"caf\xe9;1\n"),
    ("utf8.log", "Größe ✓\n".as_bytes()),
    ("nul.txt", b"a\0b\n"),
    ("page.html", b"<p>x</p>\n"),
    ("empty.txt", b""),
];

/// Returns a case with all the files in its directory.
fn with_files<const N: usize>(args: [&str; N]) -> Case {
    FILES.iter().fold(Case::send(args), |case, (name, bytes)| {
        case.file(&format!("cwd/{name}"), bytes)
    })
}

/// Asserts that the files are attached, in order, each of them in base64.
#[track_caller]
fn assert_attached(letter: &Letter, files: &[(&str, &[u8])]) {
    let found = letter.attachments();
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    let expected: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, expected);
    for ((name, bytes), (_, sent)) in files.iter().zip(&found) {
        assert_eq!(sent, bytes, "{name}");
    }
    let text = String::from_utf8_lossy(&letter.bytes);
    let parts = text
        .split("\n--")
        .filter(|part| part.contains("\nContent-Disposition: attachment"));
    let mut count = 0;
    for part in parts {
        assert!(
            part.contains("\nContent-Transfer-Encoding: base64\n"),
            "{part}"
        );
        count += 1;
    }
    assert_eq!(count, files.len());
}

/// Returns an option before the name of each file.
fn options(option: &str) -> Vec<String> {
    let names = FILES.iter().map(|(name, _)| *name);
    names
        .flat_map(|name| [option.to_owned(), name.to_owned()])
        .collect()
}

#[test]
fn a_script_arrives_with_its_own_line_ends_by_every_door() {
    for option in ["-a", "--attach"] {
        let ran = with_files(["-s", "t"])
            .args(options(option))
            .args([TO])
            .stdin("x\n")
            .run();
        assert_attached(&ran.call().letter(), &FILES);
    }
    let ran = with_files(["send", "--subject", "t"])
        .called("postrider")
        .args(options("--attach"))
        .args([TO])
        .stdin("x\n")
        .run();
    assert_attached(&ran.call().letter(), &FILES);
    let ran = with_files(["-t"])
        .args(options("-a"))
        .stdin(format!("To: {TO}\nSubject: t\n\nx\n"))
        .run();
    assert_attached(&ran.call().letter(), &FILES);
    let names: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
    let ran = with_files(["-~", "-s", "t", TO])
        .stdin(format!("x\n~@ {}\n", names.join(" ")))
        .run();
    assert_attached(&ran.call().letter(), &FILES);
}

#[test]
fn what_standard_input_and_a_descriptor_attach_is_in_base64_too() {
    let ran = Case::send(["-s", "t", "--attach", "-", TO])
        .stdin("#!/bin/sh\nexit\n")
        .run();
    let letter = ran.call().letter();
    assert!(letter.attachments()[0].1 == b"#!/bin/sh\nexit\n");
    assert!(
        String::from_utf8_lossy(&letter.bytes).contains("\nContent-Transfer-Encoding: base64\n")
    );
    let ran = Case::send(["-s", "t", "--attach-fd=3", TO])
        .file("cwd/run.sh", "#!/bin/sh\n")
        .within("exec \"$@\" 3<run.sh")
        .stdin("x\n")
        .run();
    let letter = ran.call().letter();
    assert!(letter.attachments()[0].1 == b"#!/bin/sh\n");
    assert!(
        String::from_utf8_lossy(&letter.bytes).contains("\nContent-Transfer-Encoding: base64\n")
    );
}

#[test]
fn no_option_takes_a_file_out_of_base64() {
    for encoding in ["7bit", "8bit", "quoted-printable", "base64"] {
        let ran = Case::send(["-s", "t", "--encoding", encoding, "--attach", "run.sh", TO])
            .file("cwd/run.sh", "#!/bin/sh\n")
            .stdin("x\n")
            .run();
        assert_attached(&ran.call().letter(), &[("run.sh", b"#!/bin/sh\n")]);
    }
}

#[test]
fn a_file_for_a_mailbox_of_this_machine_is_in_base64_too() {
    let case = with_files(["-s", "t"]).rc("set mta=local hostname=host.example.test");
    let Some(user) = unaliased(&case) else { return };
    let ran = case
        .args(options("-a"))
        .args([&user])
        .stdin("x\n")
        .may_change("spool")
        .run();
    let spool = letters(&ran.read(&format!("spool/{user}")));
    assert_attached(&spool[0], &FILES);
}

#[test]
fn a_uuencoded_script_is_attached_in_base64() {
    let ran = Case::send(["-s", "t", "-a", "run.sh", TO])
        .file("cwd/run.sh", "#!/bin/sh\n")
        .stdin("see\nbegin 644 hi.sh\n%:&5L;&\\ \n`\nend\n")
        .run();
    assert_attached(
        &ran.call().letter(),
        &[("hi.sh", b"hello"), ("run.sh", b"#!/bin/sh\n")],
    );
}

#[test]
fn a_message_goes_as_a_message_and_where_it_cannot_as_a_file() {
    let sound = "Subject: within\n\ntext\n";
    let long = format!("Subject: x\n\n{}\n", "y".repeat(999));
    for (message, is_message) in [
        (sound, true),
        ("Subject: x\r\n\r\ntext\r\n", true),
        ("Subject: x\n\nGröße\n", false),
        ("Subject: x\n\nFrom here\n", false),
        ("Subject: x\n\nno end", false),
        ("Subject: x\n\na\0b\n", false),
        (&long, false),
    ] {
        let ran = Case::send(["-s", "t", "-a", "m.eml", TO])
            .file("cwd/m.eml", message)
            .stdin("x\n")
            .run();
        let letter = ran.call().letter();
        letter.assert_fit_for_the_wire();
        let text = String::from_utf8_lossy(&letter.bytes).into_owned();
        assert_eq!(
            text.contains("\nContent-Type: message/rfc822; name="),
            is_message,
            "{text}"
        );
        if is_message {
            // RFC 2046 section 5.2.1 allows no encoding.
            assert!(
                text.contains("name=\"m.eml\"\nContent-Transfer-Encoding: 7bit\n")
                    || text.contains("name=m.eml\nContent-Transfer-Encoding: 7bit\n"),
                "{text}"
            );
            assert!(text.contains(&message.replace("\r\n", "\n")));
        } else {
            assert!(
                text.contains("\nContent-Type: application/octet-stream; name="),
                "{text}"
            );
            assert_attached(&letter, &[("m.eml", message.as_bytes())]);
        }
    }
}
