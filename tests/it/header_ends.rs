//! Where a header ends that no empty line ends: no text may vanish in it, at any door.

use crate::case::Case;
use crate::doors::{assert_rule, table};
use crate::from_quoting::stored;
use crate::mailboxes::TWO;

/// Messages without the empty line behind a header, and the text that must be seen.
const MESSAGES: [(&str, (&str, &str)); 12] = [
    (
        "lines that are no field",
        (
            "Content-Type: text/plain\nthis line\nand this\n\nbody\n",
            "this line\nand this\n\nbody\n",
        ),
    ),
    (
        "no empty line at all",
        ("Subject: x\nthe text\n", "the text\n"),
    ),
    (
        "CRLF",
        (
            "Subject: x\r\nthis line\r\n\r\nbody\r\n",
            "this line\n\nbody\n",
        ),
    ),
    (
        "a blank",
        ("Subject: x\n \ntext\n\nmore\n", "text\n\nmore\n"),
    ),
    (
        "blanks and a tab before indented text",
        ("Received: x\n\t \n    text\n\nmore\n", "    text\n\nmore\n"),
    ),
    (
        "a stray CR",
        ("Subject: x\r\r\n\r\r\ntext\n\nmore\n", "text\n\nmore\n"),
    ),
    (
        "text that begins with From",
        (
            "Subject: x\nFrom the start\nit went wrong\n\n!\n",
            "From the start\nit went wrong\n\n!\n",
        ),
    ),
    (
        "8-bit text",
        (
            "Subject: x\nGrüße: viele\n\nmehr\n",
            "Grüße: viele\n\nmehr\n",
        ),
    ),
    (
        "parts",
        (
            "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\
             part one\n\nmore\n--b\npart two\n\n--b\n \npart three\n--b--\n",
            "part one\n\nmore\n\npart two\n\npart three\n",
        ),
    ),
    (
        "a multipart that is not announced by an empty line",
        (
            "Content-Type: multipart/mixed; boundary=b\n--b\n\none\n--b--\n",
            "one\n",
        ),
    ),
    (
        "a message in a message",
        (
            "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\n\
             Subject: inner\ninner text\n\nmore\n--b--\n",
            "[-- part 1: message/rfc822, 31 bytes --]\nSubject: inner\n\ninner text\n\nmore\n",
        ),
    ),
    ("no header", ("just text\n\nmore\n", "just text\n\nmore\n")),
];

#[test]
fn no_text_vanishes_in_a_header_without_its_empty_line() {
    let doors = || {
        let mut doors = Vec::new();
        for kind in ["mbox", "Maildir", "MMDF"] {
            for door in ["show --json", "show", "print", "-p", "write"] {
                doors.push((kind, (kind, door)));
            }
        }
        doors
    };
    assert_rule(
        table(&MESSAGES, doors),
        |((message, text), (kind, door))| {
            let case = stored(Case::new(), kind, message);
            let to = case.path("cwd/text").display().to_string();
            let file = "[DIR]/cwd/box";
            let case = match door {
                "show --json" => case
                    .called("postrider")
                    .args(["show", "1", "--json", "--file", file]),
                "show" => case.called("postrider").args(["show", "1", "--file", file]),
                "-p" => case.args(["-p", "-f", file]),
                "write" => case
                    .args(["-N", "-f", file])
                    .stdin(format!("write 1 {to}\nx\n")),
                _ => case.args(["-N", "-f", file]).stdin("print 1\nx\n"),
            };
            let ran = case.any_stdout().may_change("cwd").run();
            let shown = match door {
                "show --json" => {
                    let value: serde_json::Value =
                        serde_json::from_str(&ran.stdout()).map_err(|error| error.to_string())?;
                    value["text"].as_str().unwrap_or_default().to_owned()
                }
                "write" => String::from_utf8_lossy(&ran.read("cwd/text")).into_owned(),
                _ => ran.stdout(),
            };
            let is_right = match door {
                "show --json" => shown == text,
                "write" => shown.ends_with(text),
                // The header stands before it, and an empty line.
                _ => shown.contains(&format!("\n\n{text}")),
            };
            is_right
                .then_some(())
                .ok_or(format!("{door} of {kind}: {shown:?}"))
        },
    );
}

#[test]
fn flags_go_behind_the_last_field_and_not_into_the_text() {
    for (header, text) in [
        ("Subject: x\nTo: b\n", "this line\nStatus: none\n\nbody\n\n"),
        ("Subject: x\nTo: b\n", " \ntext\nStatus: none\n\n"),
    ] {
        let from_line = "From a@x Mon Nov 16 09:00:00 2026\n";
        let case = Case::new()
            .args(["-N", "-f", "[DIR]/cwd/box"])
            .file("cwd/box", format!("{from_line}{header}{text}{TWO}"))
            .stdin("print 1\ndelete 2\nquit\n");
        case.leaves("cwd/box", format!("{from_line}{header}Status: RO\n{text}"))
            .any_stdout()
            .run();
    }
}

#[test]
fn fields_behind_the_end_of_the_header_are_text() {
    let mailbox = "From a@x Mon Nov 16 09:00:00 2026\nSubject: x\nthis line\nStatus: RO\n\
        From: b@x\nContent-Type: text/html\n\nbody\n\n";
    let ran = Case::new()
        .called("postrider")
        .args(["show", "1", "--json", "--file", "[DIR]/cwd/box"])
        .file("cwd/box", mailbox)
        .any_stdout()
        .run();
    let value: serde_json::Value = serde_json::from_str(&ran.stdout()).unwrap();
    assert_eq!(value["flags"], serde_json::json!(["new"]));
    assert!(value["from"].is_null());
    assert_eq!(value["fields"].as_array().unwrap().len(), 1);
    assert_eq!(value["parts"][0]["type"], "text/plain");
    let ran = Case::new()
        .args(["-H", "-f", "[DIR]/cwd/box"])
        .file("cwd/box", mailbox)
        .any_stdout()
        .run();
    assert!(ran.stdout().starts_with(">N  1 a@x "), "{}", ran.stdout());
}
