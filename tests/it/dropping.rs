//! The drop directory: mail of a plain user that only root may deliver or send.
//!
//! Each case has a `/var/spool` of its own and runs the sender as nobody and the flush as root, so it
//! needs root.

use std::fs;

use crate::case::{Case, Ran};
use crate::launch;
use crate::letters::letters;

/// Makes the directories as `contrib/README.md` has it.
const DIRECTORIES: &str = "umask 022; install -d -m 711 /var/spool/postrider; \
    install -d -m 700 /var/spool/postrider/outbox; install -d -m 1733 /var/spool/postrider/drop; ";

/// Runs the program as nobody.
const AS_NOBODY: &str =
    "/usr/bin/setpriv --reuid 65534 --regid 65534 --clear-groups env -u HOME \"$@\"";

/// Runs root's flush.
const FLUSH: &str = "\"${1%/*}/postrider\" outbox flush -q";

/// Returns a case that runs this script, in which `$@` is the program and its arguments.
fn script(script: &str) -> Option<Case> {
    if !launch::is_root() {
        launch::left_out("the drop directory", "needs root and another user");
        return None;
    }
    let path = "PATH=/usr/bin:/bin:$PATH; ";
    let case = Case::new().private("the drop directory")?;
    Some(case.within(&format!("{path}{script}")).mode("spool", 0o755))
}

/// The names in the drop directory after a run.
fn dropped(ran: &Ran) -> Vec<String> {
    let entries = fs::read_dir(ran.path("sys/spool/postrider/drop")).expect("a directory");
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

const CRON: &str = "From: root (Cron Daemon)\nTo: nobody\nSubject: Cron <nobody@db1> job\n\nout\n";

#[test]
fn mail_of_a_plain_user_reaches_the_mailbox_by_roots_flush() {
    let flush = format!("{DIRECTORIES} {FLUSH} && {AS_NOBODY} && {FLUSH}");
    let Some(case) = script(&flush) else { return };
    let ran = case
        .called("sendmail")
        .args(["-i", "-FCronDaemon", "-oem", "nobody"])
        .stdin(CRON)
        .may_change("spool")
        .may_change("sys")
        .run();
    assert_eq!(dropped(&ran), [""; 0]);
    let letters = letters(&ran.read("spool/nobody"));
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].body(), b"out\n");
    let text = String::from_utf8_lossy(&ran.read("spool/nobody")).into_owned();
    assert!(text.starts_with("From nobody "), "{text}");
    assert!(text.contains("\nFrom: root (Cron Daemon)\n"), "{text}");
    assert!(text.contains("\nSender: nobody\n"), "{text}");
}

#[test]
fn a_drop_directory_that_nobody_empties_is_told() {
    let Some(case) = script(&format!("{DIRECTORIES} {AS_NOBODY}")) else {
        return;
    };
    let ran = case
        .called("sendmail")
        .args(["-i", "nobody"])
        .stdin(CRON)
        .status(75)
        .says("root's flush has not run in the last 15 minutes")
        .hints("systemctl enable --now postrider-outbox.timer")
        .says("cannot send to nobody now")
        .may_change("sys")
        .run();
    assert_eq!(dropped(&ran).len(), 1);
}
