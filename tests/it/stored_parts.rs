//! Parts of messages by their number, as `save`, `copy`, `write` and `pipe` take them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::case::Case;

/// A message with a text, a file whose bytes are no text, and a message in it.
const MIXED: &str = "From ada@example.org Mon Nov 16 09:00:00 2026\nFrom: ada@example.org\n\
    Subject: the report\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nsee the file\n--b\n\
    Content-Type: application/pdf; name=\"report.pdf\"\nContent-Transfer-Encoding: base64\n\n\
    JVBERi0xAAEC\n--b\nContent-Type: message/rfc822\n\nSubject: inner\n\ntext\n--b\n\
    Content-Type: text/plain; name=\"../../.profile\"\nContent-Disposition: attachment\n\n\
    alias ls=rm\n--b--\n\n";
const PDF: &[u8] = b"%PDF-1\0\x01\x02";
const PLAIN: &str = "From bob@example.org Mon Nov 16 09:01:00 2026\nFrom: bob@example.org\n\
    Subject: plain\n\nbody\n\n";

fn commands(typed: &str) -> Case {
    Case::new()
        .args(["-S", "quiet", "-N", "-f", "box"])
        .file("cwd/box", [MIXED, PLAIN].concat())
        .stdin(typed)
        .any_stdout()
        .may_change("cwd/box")
}

// K04 K30 K41 L15
#[test]
fn a_part_is_saved_as_the_file_that_was_attached() {
    for command in ["save", "s", "copy", "c", "write", "w"] {
        let ran = commands(&format!("{command} 1.2 report.pdf\nx\n"))
            .leaves("cwd/report.pdf", PDF)
            .run();
        assert_eq!(ran.stdout(), "\"report.pdf\" [New file] 9\n", "{command}");
    }
    // An embedded message is the file that was attached, and a whole message goes into a mailbox.
    commands("s 1.3 inner.eml\ns 2 box2\nx\n")
        .leaves("cwd/inner.eml", "Subject: inner\n\ntext")
        .leaves("cwd/box2", PLAIN)
        .run();
    // Several parts go behind each other, and behind what is there.
    let ran = commands("s 1.2,1.4 out\nc 1.1 out\nx\n")
        .leaves("cwd/out", [PDF, b"alias ls=rmsee the file"].concat())
        .run();
    assert_eq!(
        ran.stdout(),
        "\"out\" [New file] 20\n\"out\" [Appended] 12\n"
    );
}

#[test]
fn in_a_directory_a_part_has_its_own_name_made_safe() {
    for typed in ["s 1.2 1.4 made/\nx\n", "c 1.2 1.4 made\nx\n"] {
        commands(typed)
            .directory("cwd/made")
            .file("cwd/made/report.pdf", "mine")
            .leaves("cwd/made/report.pdf", "mine")
            .leaves("cwd/made/report-2.pdf", PDF)
            .leaves("cwd/made/_profile", "alias ls=rm")
            .run();
    }
    for command in ["Save", "Copy", "S", "C"] {
        let ran = commands(&format!("{command} 1.2 1.3\nx\n"))
            .leaves("cwd/report.pdf", PDF)
            .leaves("cwd/part-3.eml", "Subject: inner\n\ntext")
            .run();
        assert!(ran.stdout().contains("\"report.pdf\" [New file] 9\n"));
    }
    commands("S 1.2\nx\n")
        .rc("set folder=[DIR]/home/mail outfolder\n")
        .directory("home/mail")
        .leaves("home/mail/report.pdf", PDF)
        .run();
}

#[test]
fn a_part_that_is_saved_leaves_its_message_in_the_mailbox() {
    // `nokeepsave` would take a saved message out of the system mailbox.
    let case = commands("s 1.2 out\nf :s\nq\n").rc("set nokeepsave\n");
    case.leaves("cwd/out", PDF)
        .stderr("No applicable messages\n")
        .run();
    for typed in ["move 1.2 out", "mv 1.2 out", "Move 1.2"] {
        commands(&format!("{typed}\nx\n"))
            .status(64)
            .stderr("move: a part cannot leave its message; save writes it to a file\n")
            .run();
    }
}

#[test]
fn a_list_that_cannot_be_stored_writes_nothing() {
    let rows = [
        (
            "s 2 1.2 out",
            64,
            "save: name messages or parts of them, not both",
        ),
        (
            "c 1.2 /report out",
            64,
            "copy: name messages or parts of them, not both",
        ),
        (
            "S 1.2 2",
            64,
            "save: name messages or parts of them, not both",
        ),
        ("w 1.2 2 out", 64, "write: name messages or parts of them"),
        ("s 1.2 1.9 out", 1, "message 1 has no part 9"),
        ("s 1.2 1.9 made/", 1, "message 1 has no part 9"),
        ("c 2.2 out", 1, "message 2 has no part 2"),
        ("s 7.1 out", 64, "7: Invalid message number"),
        ("w 1.2 no/where/out", 73, "cannot open no/where/out"),
        (
            "s 1.2 box",
            73,
            "cannot write a part to box: it is a mailbox",
        ),
        (
            "w 1.2 box",
            73,
            "cannot write a part to box: it is a mailbox",
        ),
        ("s 1.2 &", 73, "cannot write a part to &: the name means"),
        ("s 1.2 %", 73, "cannot write a part to %: the name means"),
        // The words of `save FILE`, where no file was meant.
        (
            "s 1.2",
            64,
            "save: the file name is missing, as in save 1.2 FILE",
        ),
        (
            "c 1.2",
            64,
            "copy: the file name is missing, as in copy 1.2 FILE",
        ),
        (
            "w 1.2",
            64,
            "write: the file name is missing, as in write 1.2 FILE",
        ),
    ];
    for (typed, status, says) in rows {
        let case = commands(&format!("{typed}\nd 1\nq\n"))
            .directory("cwd/made")
            .status(status)
            .stderr_contains(says)
            .any_stderr();
        // The script believes that the part is kept.
        case.stderr_contains("\"d 1\" is not carried out, because")
            .run();
    }
    // One that was deleted before is not saved.
    commands("d 1\ns 1.2 out\nx\n")
        .status(64)
        .stderr("1: Inappropriate message\n")
        .run();
}

#[test]
fn a_full_disk_leaves_no_half_of_a_part() {
    let big = "QUFB".repeat(1000);
    let mbox = MIXED.replace("JVBERi0xAAEC", &big);
    for (typed, told) in [
        ("s 1.2 out\nd 1\nq\n", "cannot write out: File too large"),
        (
            "c 1.2 made/\nd 1\nq\n",
            "cannot write made/report.pdf: File too large",
        ),
        (
            "w 1.1 1.2 1.4 old\nd 1\nq\n",
            "cannot write old: File too large",
        ),
    ] {
        commands(typed)
            .file("cwd/box", &mbox)
            .leaves("cwd/box", &mbox)
            .directory("cwd/made")
            .file("cwd/old", "before\n")
            .within("ulimit -f 2; exec \"$@\"")
            .status(74)
            .stderr_contains(told)
            .any_stderr()
            .run();
    }
}

// K23
#[test]
fn pipe_gives_parts_decoded() {
    let rows = [
        ("pipe 1.2 '/bin/cat >out'", PDF.to_vec()),
        ("| 1.2 /bin/cat >out", PDF.to_vec()),
        (
            "pi 1.1 1.4 '/bin/cat >out'",
            b"see the filealias ls=rm".to_vec(),
        ),
        (
            "set page\npipe 1.1,1.4 '/bin/cat >out'",
            b"see the file\x0calias ls=rm\x0c".to_vec(),
        ),
        (
            "pipe 2 1.1 '/bin/cat >out'",
            b"see the fileFrom: bob@example.org\nSubject: plain\n\nbody\n".to_vec(),
        ),
    ];
    for (typed, expected) in rows {
        commands(&format!("{typed}\nx\n"))
            .leaves("cwd/out", expected)
            .run();
    }
    commands("pipe 1.9 '/bin/cat >out'\nd 1\nx\n")
        .status(1)
        .stderr_contains("message 1 has no part 9")
        .any_stderr()
        .run();
    // A command that reads nothing, or ends in the middle, blocks nobody and fails nothing.
    let big = MIXED.replace("JVBERi0xAAEC", &"QUFB".repeat(100_000));
    let ran = commands("pipe 1.2 'exit 0'\npipe 1.2 '/usr/bin/head -c 3'\nx\n")
        .file("cwd/box", big)
        .run();
    assert_eq!(ran.stdout(), "AAA");
    commands("pipe 1.2 'exit 3'\nd 1\nq\n")
        .fails()
        .any_stderr()
        .stderr_contains("\"d 1\" is not carried out")
        .run();
}

#[test]
fn a_person_is_told_that_it_is_the_content_of_a_part() {
    let case = ["cwd/out", "cwd/box2", "cwd/report.pdf"]
        .into_iter()
        .fold(commands(""), Case::may_change);
    let ran = case.at_terminal(|terminal| {
        for (typed, seen) in [
            (
                "s 1.2 out",
                "saved the content of part 1.2 to new file out (9 bytes)",
            ),
            (
                "c 1.1 1.4 out",
                "copied the content of parts 1.1, 1.4 to the end of out (23 bytes)",
            ),
            (
                "w 1.2 .",
                "wrote the content of part 1.2 to new file ./report.pdf (9 bytes)",
            ),
            ("s 2 box2", "saved message 2 to new file box2"),
        ] {
            terminal.sees("? ");
            terminal.types(format!("{typed}\n"));
            terminal.sees(seen);
        }
        terminal.types("x\n");
    });
    assert_eq!(ran.read("cwd/report.pdf"), PDF);
}

#[test]
fn the_files_in_a_package_of_outlook_are_named() {
    let attribute = |name: u32, value: &[u8]| {
        let len = (value.len() as u32).to_le_bytes();
        [&[2], &name.to_le_bytes()[..], &len, value, &[0, 0]].concat()
    };
    let package = [
        0x223e_9f78_u32.to_le_bytes().to_vec(),
        vec![1, 0],
        attribute(0x0006_9002, &[0; 14]),
        attribute(0x0001_8010, b"report\x1b[2J.pdf\0"),
        attribute(0x0006_800f, &[0; 2000]),
    ]
    .concat();
    let mbox = format!(
        "From ada@example.org Mon Nov 16 09:00:00 2026\nSubject: t\n\
         Content-Type: application/ms-tnef; name=winmail.dat\n\
         Content-Transfer-Encoding: base64\n\n{}\n\n",
        STANDARD.encode(&package)
    );
    let ran = commands("p 1\ns 1.1 .\nx\n")
        .file("cwd/box", &mbox)
        .leaves("cwd/winmail.dat", &package)
        .run();
    let out = ran.stdout();
    assert!(
        out.contains("winmail.dat, application/ms-tnef, 2 kB, a package of Outlook with report"),
        "{out}"
    );
    assert!(
        out.contains(".pdf, 2 kB --]") && !out.contains('\u{1b}'),
        "{out}"
    );
}
