//! Which header fields are saved and forwarded: `saveignore`, `fwdretain` and their like.

use crate::case::Case;
use crate::sendmail::FakeSendmail;

const FROM: &str = "From ada@example.org Mon Nov 16 08:00:00 2026\n";
/// A message with a text that is encoded; `[FIELDS]` are more fields.
const LETTER: &str = "Received: by a\n\tfor b\nX-Spam: no\nFrom: ada@example.org\nTo: bob@example.net\n\
    Subject: disks\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\
    Content-Transfer-Encoding: quoted-printable\nMessage-ID: <1@example.org>\n\nReceived: =C3=BC\n\n";
const MIME: &str = "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\
    Content-Transfer-Encoding: quoted-printable\n";

fn reader(rc: &str, typed: &str) -> Case {
    Case::new()
        .args(["-N", "-S", "quiet", "-f", "box"])
        .file("cwd/box", format!("{FROM}{LETTER}"))
        .rc(rc)
        .stdin(typed)
        .any_stdout()
        .may_change("cwd/box")
}

// K64
#[test]
fn fields_that_are_not_saved_are_left_out_of_every_copy() {
    let without = LETTER
        .replace("Received: by a\n\tfor b\n", "")
        .replace("X-Spam: no\n", "");
    let few = format!("Subject: disks\n{MIME}\nReceived: =C3=BC\n\n");
    let rows = [
        ("saveignore received x-spam", &*without),
        ("savediscard Received: X-SPAM", &without),
        ("headerpick save ignore received x-spam", &without),
        // MIME fields stay: the text could not be read without them.
        ("saveretain subject", &few),
        ("headerpick save retain subject\nsaveignore subject", &few),
        ("saveignore received\nunsaveignore *", LETTER),
        ("saveretain subject\nunsaveretain subject", LETTER),
        ("saveretain subject\nunheaderpick save retain *", LETTER),
        // Those that are hidden on the screen are saved.
        ("ignore received\nretain subject", LETTER),
        ("fwdignore received\nfwdretain subject", LETTER),
    ];
    for (lines, copy) in rows {
        let expected = format!("{FROM}{copy}");
        for command in ["save", "copy", "move"] {
            let end = if command == "copy" { "\nx\n" } else { "\nq\n" };
            reader(lines, &format!("{command} out{end}"))
                .leaves("cwd/out", &expected)
                .run();
        }
        // At the prompt they are the same.
        reader("", &format!("{lines}\ns out\nx\n"))
            .leaves("cwd/out", &expected)
            .run();
    }
    // The marks of the mailbox stay as well.
    let marked = LETTER.replacen("\n\nR", "\nStatus: RO\nX-Status: F\n\nR", 1);
    reader("saveretain subject\n", "s out\nx\n")
        .file("cwd/box", format!("{FROM}{marked}"))
        .leaves(
            "cwd/out",
            format!("{FROM}Subject: disks\n{MIME}Status: RO\nX-Status: F\n\nReceived: =C3=BC\n\n"),
        )
        .run();
    // A message that is read moves to MBOX without them.
    let ran = Case::new()
        .args(["-N", "-S", "quiet", "-S", "nohold"])
        .env("MAIL", "[DIR]/spool/me")
        .file("spool/me", format!("{FROM}{LETTER}"))
        .rc("set inbox=[DIR]/spool/me\nsaveignore received x-spam\n")
        .stdin("p\nq\n")
        .any_stdout()
        .may_change("spool/me")
        .may_change("home/mbox")
        .run();
    let moved = String::from_utf8(ran.read("home/mbox")).unwrap();
    assert!(
        !moved.contains("Received: by a") && !moved.contains("X-Spam"),
        "{moved}"
    );
    assert!(moved.contains(MIME), "{moved}");
}

// K64
#[test]
fn fields_that_are_not_forwarded_are_left_out_of_the_text() {
    let usual = "From: ada@example.org\nTo: bob@example.net\nSubject: disks\n";
    let rows = [
        ("", usual),
        ("fwdignore to", "From: ada@example.org\nSubject: disks\n"),
        ("fwddiscard to from subject", ""),
        (
            "fwdretain message-id subject",
            "Message-ID: <1@example.org>\nSubject: disks\n",
        ),
        (
            "headerpick forward retain subject from",
            "Subject: disks\nFrom: ada@example.org\n",
        ),
        ("unfwdretain to", "From: ada@example.org\nSubject: disks\n"),
        (
            "unfwdretain *\nfwdignore received x-spam mime-version content-type message-id \
             content-transfer-encoding",
            usual,
        ),
        (
            "fwdretain to\nunfwdretain to\nfwdretain subject",
            "Subject: disks\n",
        ),
        ("fwdignore to\nunfwdignore to", usual),
        ("saveignore to\nignore from\nretain received", usual),
    ];
    for (lines, fields) in rows {
        let ran = reader(lines, "forward 1 cy@example.net\nsee this\n")
            .sendmail(FakeSendmail::accepting())
            .run();
        let text = ran.call().letter().text();
        let expected =
            format!("see this\n\n-------- Original message --------\n{fields}\nReceived: ü\n");
        assert_eq!(text.trim_end(), expected.trim_end(), "{lines}");
    }
    // The whole message stays whole.
    for (rc, typed) in [
        (
            "set forward-as-attachment\nfwdretain subject\n",
            "forward 1 cy@example.net\nx\n",
        ),
        ("fwdretain subject\n", "resend 1 cy@example.net\n"),
    ] {
        let ran = reader(rc, typed).sendmail(FakeSendmail::accepting()).run();
        let sent = String::from_utf8(ran.call().stdin.clone()).unwrap();
        assert!(sent.contains("X-Spam: no\n"), "{sent}");
    }
}

#[test]
fn the_lists_are_listed_at_the_prompt() {
    reader(
        "saveignore b a\n",
        "saveignore\nsaveretain x\nsaveretain\nfwdretain\nx\n",
    )
    .stdout("a\nb\nx\n")
    .run();
    reader("", "Write 1\nx\n")
        .leaves("cwd/ada", "Received: ü\n")
        .run();
}
