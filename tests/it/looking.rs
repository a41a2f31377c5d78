//! `postrider read`, `list`, `search`, `count`, `show --part` and `extract`.

use serde_json::Value;

use crate::case::{Case, Ran};
use crate::mailboxes::{ONE, TWO};

/// A message with a text, an attachment with a dangerous name, and one without a name.
const MIXED: &str = "From eve@example.org Wed Nov 18 09:00:00 2026\nFrom: eve@example.org\n\
    Subject: files\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nsee there\n--b\n\
    Content-Type: application/pdf\nContent-Disposition: attachment; filename=\"../../etc/passwd\"\n\
    Content-Transfer-Encoding: base64\n\naGVsbG8=\n--b\nContent-Type: image/png\n\nPNG\n--b--\n\n";

/// Returns `postrider ARGS --file box` over three messages.
fn run(args: &[&str]) -> Case {
    Case::new()
        .called("postrider")
        .args(args)
        .args(["--file", "box"])
        .file("cwd/box", format!("{ONE}{TWO}{MIXED}"))
}

fn objects(ran: &Ran) -> Vec<Value> {
    let stdout = ran.stdout();
    stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Returns the numbers in the objects that are printed.
fn numbers(args: &[&str]) -> Vec<u64> {
    let ran = run(args).args(["--json"]).any_stdout().any_status().run();
    objects(&ran)
        .iter()
        .map(|object| object["number"].as_u64().unwrap())
        .collect()
}

#[test]
fn searches_and_filters_choose_the_same_everywhere() {
    let rows: [(&[&str], &[u64]); 21] = [
        (&["search", "from:bob"], &[2]),
        (&["search", "from:alice", "or", "subject:files"], &[1, 3]),
        (&["search", "from:alice or subject:files"], &[1, 3]),
        (&["search", "not", ":r", "and", "(alice or bob)"], &[1]),
        (&["search", "/disk almost"], &[1]),
        (&["search", "subject:\"almost full\""], &[1]),
        (&["search", "body:well"], &[2]),
        (&["search", "--body", "is well"], &[2]),
        (&["search", "--subject", "/gr(ö|o)ße/"], &[2]),
        (&["search", "--from", "bob brown", "--unread"], &[]),
        (&["search", "--to", "root", "--unread"], &[1]),
        (&["search", "since:2026-11-17"], &[2, 3]),
        (
            &["search", "--since", "2026-11-17", "--before", "2026-11-18"],
            &[2],
        ),
        (&["search", "1-2", "--larger-than", "1k"], &[]),
        (&["list", "2-3"], &[2, 3]),
        (&["list", "last"], &[3]),
        (&["list", "1", "3", "from:eve"], &[3]),
        (&["list", "--read"], &[2]),
        (&["list", "alice", "or", "from:eve"], &[1, 3]),
        (
            &["list", "--smaller-than", "10k", "--newer-than", "90000d"],
            &[1, 2, 3],
        ),
        (&["list", "/disk almost"], &[1]),
    ];
    for (args, expected) in rows {
        assert_eq!(numbers(args), expected, "{args:?}");
        let status = i32::from(expected.is_empty());
        let ran = run(args).any_stdout().status(status).run();
        assert_eq!(ran.stdout().lines().count(), expected.len(), "{args:?}");
    }
}

#[test]
fn what_narrows_a_list_narrows_a_deletion() {
    // `from:` and `older:` side by side are both meant: nothing of another sender goes.
    let case = run(&["delete", "from:alice", "since:2026-11-01"]);
    case.leaves("cwd/box", format!("{TWO}{MIXED}")).run();
    run(&["delete", "1-3", "from:bob", "before:2026-11-01"])
        .status(1)
        .run();
    let case = run(&["delete", "--body", "see there"]);
    case.leaves("cwd/box", format!("{ONE}{TWO}")).run();
}

#[test]
fn messages_are_counted() {
    run(&["count"]).stdout("3\n").run();
    run(&["count", "from:bob", "or", ":n"]).stdout("3\n").run();
    run(&["count", "--unread"]).stdout("2\n").run();
    run(&["count", "nobody"]).stdout("0\n").status(1).run();
    let ran = run(&["count", "--json"]).any_stdout().run();
    let expected = serde_json::json!({
        "count": 3, "flagged": 0, "mailbox": "box", "new": 2, "unread": 2
    });
    assert_eq!(objects(&ran), [expected]);
    // No system mailbox is no mail.
    let case = Case::new().called("postrider").args(["count"]);
    case.stdout("0\n").status(1).run();
    let missing = Case::new()
        .called("postrider")
        .args(["count", "--file", "none"]);
    missing.status(66).says("none").run();
}

#[test]
fn what_cannot_be_understood_is_told() {
    for args in [
        &["search", "(alice"][..],
        &["search", "since:soon"],
        &["search", "subject:/(/"],
        &["list", ":x"],
        &["count", "--since", "soon"],
        &["list", "--larger-than", "big"],
        &["list", "--from", ""],
        &["list", "--subject", "/(/"],
        &["search"],
        &["show", "1", "--part", "x"],
    ] {
        run(args).any_stderr().status(64).run();
    }
    run(&["list", "9"]).any_stderr().status(1).run();
}

#[test]
fn a_search_shows_messages_too() {
    let ran = run(&["show", "from:alice", "or", "from:bob"])
        .any_stdout()
        .run();
    let shown = ran.stdout();
    assert!(
        shown.contains("/dev/sda1 97%") && shown.contains("all is well"),
        "{shown}"
    );
    assert!(!shown.contains("see there"), "{shown}");
    let ran = run(&["show", "1-2", "--json"]).any_stdout().run();
    assert_eq!(objects(&ran).len(), 2);
    run(&["show", "nobody"]).status(1).run();
}

// L15
#[test]
fn one_part_is_shown() {
    run(&["show", "3", "--part", "1"])
        .stdout("see there\n")
        .run();
    run(&["show", "3", "--part", "2"]).stdout("hello").run();
    run(&["show", "3", "--part", "2", "--raw"])
        .stdout("hello")
        .run();
    run(&["show", "3", "--part", "7"])
        .says("3: there is no part 7")
        .hints("postrider show 3 --json lists the parts")
        .status(1)
        .run();
}

#[test]
fn attachments_become_files_with_safe_names() {
    let ran = run(&["extract", "3"])
        .leaves("cwd/passwd", "hello")
        .leaves("cwd/part-3", "PNG")
        .any_stdout()
        .run();
    assert_eq!(ran.stdout(), "./passwd\n./part-3\n");
    let case = run(&["extract", "last", "--to", "out", "--part", "2", "--json"]);
    let ran = case
        .directory("cwd/out")
        .leaves("cwd/out/passwd", "hello")
        .any_stdout()
        .run();
    let expected = serde_json::json!({
        "file": "out/passwd", "name": "../../etc/passwd", "part": "2", "size": 5,
        "type": "application/pdf"
    });
    assert_eq!(objects(&ran), [expected]);
    run(&["extract", "1"])
        .says("the message has no attachment")
        .status(1)
        .run();
    run(&["extract", "9"])
        .says("9: Invalid message number")
        .status(1)
        .run();
    run(&["extract", "3", "--part", "9"])
        .any_stderr()
        .status(1)
        .run();
    run(&["extract", "3", "--to", "nowhere"])
        .any_stderr()
        .status(73)
        .run();
}

#[test]
fn the_reader_opens_a_file() {
    Case::new()
        .called("postrider")
        .args(["read", "box"])
        .file("cwd/box", format!("{ONE}{TWO}"))
        .stdin("d 1\nq\n")
        .leaves("cwd/box", TWO)
        .any_stdout()
        .run();
    Case::new()
        .called("postrider")
        .args(["read", "--read-only", "box"])
        .file("cwd/box", format!("{ONE}{TWO}"))
        .stdin("d 1\nq\n")
        .any_stdout()
        .any_stderr()
        .status(77)
        .run();
}
