//! What must be on the disk before it counts, and what happens on disks that fail: calls are
//! recorded, or made to fail, by strace.

use std::path::Path;

use crate::case::Case;
use crate::launch;

const STRACE: &str = "/usr/bin/strace";

const ONE: &str = "From a@x Mon Jan  5 10:00:00 2026\nFrom: a@x\nSubject: one\nStatus: RO\n\nB\n\n";

/// Runs the program under strace with these options; `None`, loudly, where there is no strace.
fn traced(case: Case, what: &str, options: &str) -> Option<Case> {
    if !Path::new(STRACE).exists() {
        launch::left_out(what, "needs strace");
        return None;
    }
    Some(case.within(&format!("exec {STRACE} -f -qq -y {options} \"$@\"")))
}

#[test]
fn every_directory_that_is_made_for_a_journal_is_synced_into_the_one_above() {
    // No journal can be made beside the mailbox: its directory is not ours to write.
    let case = Case::new()
        .nobody()
        .args(["-N", "-f", "box"])
        .rc("set quiet noheader")
        .env("XDG_STATE_HOME", "[DIR]/home/a/b")
        .file("cwd/box", ONE.repeat(2))
        .stdin("d 1\nq\n")
        .mode("cwd", 0o555)
        .lacking("-w", "cwd");
    let options = "-o ../home/trace -e trace=mkdir,mkdirat,fsync";
    let Some(case) = traced(case, "the syncs of new directories", options) else {
        return;
    };
    let ran = case
        .any_stdout()
        .may_change("home")
        .leaves("cwd/box", ONE)
        .run();
    let trace = String::from_utf8(ran.read("home/trace")).expect("a trace is text");
    let home = ran.path("home").display().to_string();
    let mut lines = trace.lines();
    for (above, made) in [("", "/a"), ("/a", "/a/b"), ("/a/b", "/a/b/postrider")] {
        let name = format!("\"{home}{made}\"");
        let is_made = lines
            .any(|line| line.contains("mkdir") && line.contains(&name) && line.ends_with("= 0"));
        assert!(is_made, "{made} is not made:\n{trace}");
        let directory = format!("<{home}{above}>)");
        let is_synced = lines.any(|line| line.contains("fsync(") && line.contains(&directory));
        assert!(is_synced, "{made} is made and not synced:\n{trace}");
    }
}

#[test]
fn a_delivery_that_cannot_be_synced_is_none_and_the_mail_is_kept() {
    let what = "a delivery whose sync fails";
    // The sync of the new message alone, and every one: that of the cut which takes it back, too.
    for (when, told) in [
        (":when=1", "cannot append to "),
        ("", ": a part of it was written"),
    ] {
        for error in ["EIO", "ENOSPC", "EDQUOT"] {
            let Some(case) = Case::new().private(what) else {
                return;
            };
            let case = case
                .rc("set mta=local hostname=host.example.test")
                .args(["-s", "t", "root"])
                .file("spool/root", ONE)
                .stdin("the text\n");
            let options =
                format!("-P /var/mail/root -o /dev/null -e inject=fsync:error={error}{when}");
            let Some(case) = traced(case, what, &options) else {
                return;
            };
            let ran = case
                .status(74)
                .says(told)
                .keeps_somewhere(1)
                .leaves("spool/root", ONE)
                .run();
            let said = ran.stderr();
            assert_eq!(said.contains(": a part"), when.is_empty(), "{said}");
            assert_eq!(ran.unsent()[0].body(), b"the text\n", "{error}");
        }
    }
}
