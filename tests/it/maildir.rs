//! Maildirs: every command that reads takes one, and so does whatever writes mail.

use std::fs;
use std::path::Path;

use crate::case::Case;

const NEW: &str = "Return-Path: <alice@example.org>\nFrom: Alice <alice@example.org>\n\
    Date: Mon, 16 Nov 2026 09:00:00 +0000\nSubject: Disk almost full\n\n/dev/sda1 97%\n";

const SEEN: &str = "From: Bob Brown <bob@example.org>\nDate: Tue, 17 Nov 2026 10:30:00 +0000\n\
    Subject: all is well\n\nFrom here on\n\n";

/// Returns a case with a Maildir of two messages in this directory.
fn with_maildir(path: &str) -> Case {
    Case::new()
        .directory(&format!("{path}/tmp"))
        .file(&format!("{path}/new/1795344593.M2P1Q1.host"), NEW)
        .file(&format!("{path}/cur/1795344592.M1P1Q1.host:2,RSx"), SEEN)
}

/// Returns the names below a directory.
fn names(path: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

// MB17
#[test]
fn a_maildir_is_listed_checked_and_printed_and_stays_as_it_is() {
    let ran = with_maildir("cwd/box")
        .args(["-H", "-f", "[DIR]/cwd/box"])
        .any_stdout()
        .run();
    let out = ran.stdout();
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 2, "{out}");
    assert!(
        lines[0].contains("bob@example.org") && lines[0].contains("all is well"),
        "{out}"
    );
    assert!(lines[1].starts_with(">N  2"), "{out}");
    with_maildir("cwd/box")
        .args(["-e", "-f", "[DIR]/cwd/box/"])
        .run();
    Case::new()
        .directory("cwd/box/new")
        .directory("cwd/box/cur")
        .directory("cwd/box/tmp")
        .args(["-e", "-f", "[DIR]/cwd/box"])
        .status(1)
        .run();
    let ran = with_maildir("cwd/box")
        .args(["-p", "-f", "[DIR]/cwd/box"])
        .any_stdout()
        .run();
    assert!(ran.stdout().contains("/dev/sda1 97%") && ran.stdout().contains("\nFrom here on\n"));
}

#[test]
fn a_maildir_is_shown_as_json_and_raw() {
    let ran = with_maildir("cwd/box")
        .called("postrider")
        .args(["list", "--json", "--file", "[DIR]/cwd/box"])
        .any_stdout()
        .run();
    let rows: Vec<serde_json::Value> = ran
        .stdout()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(rows[0]["subject"], "all is well");
    assert_eq!(rows[0]["flags"], serde_json::json!(["read", "answered"]));
    assert_eq!(rows[1]["flags"], serde_json::json!(["new"]));
    // The empty line at the end is the message's own.
    with_maildir("cwd/box")
        .called("postrider")
        .args(["show", "--raw", "--file", "[DIR]/cwd/box", "1"])
        .stdout(SEEN)
        .run();
}

#[test]
fn mail_and_the_home_directory_name_maildirs() {
    let box_of_mail = with_maildir("home/mail");
    let path = box_of_mail.path("home/mail");
    let ran = box_of_mail
        .env("MAIL", path)
        .args(["-H"])
        .any_stdout()
        .run();
    assert_eq!(ran.stdout().lines().count(), 2, "{}", ran.stdout());
}

#[test]
fn what_is_no_file_is_named() {
    let ran = with_maildir("cwd/box")
        .fifo("cwd/box/new/1.fifo")
        .link("cwd/box/cur/2.link:2,", "/etc/passwd")
        .args(["-H", "-f", "[DIR]/cwd/box"])
        .any_stdout()
        .any_stderr()
        .run();
    assert_eq!(ran.stdout().lines().count(), 2, "{}", ran.stdout());
    for (name, what) in [
        ("new/1.fifo", "a FIFO"),
        ("cur/2.link:2,", "a symbolic link"),
    ] {
        let line = format!("cwd/box/{name} is skipped: it is {what}");
        assert!(ran.stderr().contains(&line), "{}", ran.stderr());
    }
}

// MB17
#[test]
fn local_delivery_and_copies_go_into_maildirs() {
    let case = Case::new()
        .rc("set mta=local\nset hostname=host.example.test\nset record=[DIR]/home/sent")
        .directory("home/mail/new")
        .directory("home/mail/cur")
        .directory("home/mail/tmp")
        .directory("home/sent/new")
        .directory("home/sent/cur")
        .directory("home/sent/tmp");
    let Some(user) = crate::local::unaliased(&case) else {
        return;
    };
    let path = case.path("home/mail");
    let ran = case
        .env("MAIL", path)
        .args(["-s", "t", &user])
        .stdin("From the start\n>From quoted\n")
        .may_change("home")
        .run();
    for (place, is_delivered) in [("mail", true), ("sent", false)] {
        let files = names(&ran.path(&format!("home/{place}/new")));
        assert_eq!(files.len(), 1, "{place}");
        assert!(!files[0].contains([':', '/']), "{files:?}");
        assert!(names(&ran.path(&format!("home/{place}/tmp"))).is_empty());
        let text = ran.read(&format!("home/{place}/new/{}", files[0]));
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text.starts_with("Return-Path: <"), is_delivered, "{text}");
        assert!(
            text.ends_with("\n\nFrom the start\n>From quoted\n"),
            "{text}"
        );
    }
}

// MB17
#[test]
fn the_reader_deletes_saves_and_marks_in_a_maildir() {
    let case = with_maildir("cwd/box")
        .directory("cwd/other/new")
        .directory("cwd/other/cur");
    let work = case.path("cwd").display().to_string();
    let ran = case
        .args(["-N", "-f", "[DIR]/cwd/box"])
        .stdin(format!(
            "copy 1 {work}/mbox\ncopy 1 {work}/other\nprint 2\ndelete 1\nquit\n"
        ))
        .may_change("cwd")
        .any_stdout()
        .any_stderr()
        .run();
    assert_eq!(
        names(&ran.path("cwd/box/cur")),
        ["1795344593.M2P1Q1.host:2,S"]
    );
    assert!(names(&ran.path("cwd/box/new")).is_empty());
    // To an mbox with a From_ line of the delivery's time, quoted, and with its flags in the header.
    let text = String::from_utf8(ran.read("cwd/mbox")).unwrap();
    assert!(text.starts_with("From bob@example.org "), "{text}");
    assert!(text.contains("\nStatus: RO\nX-Status: A\n"), "{text}");
    assert!(text.ends_with("\n\n>From here on\n\n\n"), "{text}");
    // To a Maildir with every byte as it was, and its flags in the name.
    let copied = names(&ran.path("cwd/other/cur"));
    assert!(
        copied.len() == 1 && copied[0].ends_with(":2,RS"),
        "{copied:?}"
    );
    let copied = ran.read(&format!("cwd/other/cur/{}", copied[0]));
    assert_eq!(String::from_utf8(copied).unwrap(), SEEN);
}

#[test]
fn the_from_line_of_a_copy_tells_local_time() {
    let message = "From: a@x.example\nDate: Mon, 16 Nov 2026 09:00:00 -600\nSubject: x\n\ntext\n";
    let case = Case::new()
        .args(["-N", "-f", "[DIR]/cwd/box"])
        .directory("cwd/box/tmp")
        .directory("cwd/box/cur")
        .file("cwd/box/new/letter", message)
        .env("TZ", "XYZ-2");
    let to = case.path("cwd/mbox").display().to_string();
    let ran = case
        .stdin(format!("copy 1 {to}\nx\n"))
        .may_change("cwd")
        .any_stdout()
        .run();
    let text = String::from_utf8(ran.read("cwd/mbox")).unwrap();
    assert!(
        text.starts_with("From a@x.example Mon Nov 16 17:00:00 2026\n"),
        "{text}"
    );
}
