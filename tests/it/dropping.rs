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

#[test]
fn what_is_not_a_message_is_put_away_and_nothing_is_followed() {
    // Made by nobody, as an attacker would; the last one is another user's claim in a good file.
    let attack = "cd /var/spool/postrider/drop; ln -s /etc/shadow link; ln -s /nowhere dangling; \
        mkfifo fifo; mkdir directory; mkdir directory/full; echo x >full.q; chmod 700 full.q; \
        (umask 0; echo x >open; chmod 777 open); printf '' >empty; chmod 700 empty; \
        printf 'postrider-outbox 99 1 1 1 1\\n' >future; chmod 700 future; \
        echo secret >hard; chmod 600 hard; ln hard linked; \
        printf 'half' >torn; chmod 600 torn; touch -d '3 days ago' torn; \
        printf 'half' >writing; chmod 600 writing";
    let as_nobody = format!(
        "/usr/bin/setpriv --reuid 65534 --regid 65534 --clear-groups /bin/sh -c \"{attack}\""
    );
    let flush = "\"${1%/*}/postrider\" outbox flush";
    let Some(case) = script(&format!(
        "{DIRECTORIES} {as_nobody}; {flush}; echo again; {flush}"
    )) else {
        return;
    };
    let ran = case
        .args(["-n"])
        .any_stdout()
        .any_stderr()
        .may_change("sys")
        .run();
    // What is being written stays; all else is out of the way, and told once.
    assert_eq!(dropped(&ran), ["writing"]);
    let told = ran.stderr();
    for name in [
        "link",
        "dangling",
        "fifo",
        "directory",
        "full.q",
        "open",
        "empty",
        "future",
        "hard",
        "torn",
    ] {
        let lines = told.lines().filter(|line| {
            line.contains(&format!(": {name} in the drop directory is not a message"))
        });
        assert_eq!(lines.count(), 1, "{name}: {told}");
    }
    let rejected = fs::read_dir(ran.path("sys/spool/postrider/rejected")).expect("made");
    assert_eq!(rejected.count(), 11);
    assert!(
        ran.stdout().contains("the outbox is empty"),
        "{}",
        ran.stdout()
    );
}

#[test]
fn a_user_is_the_sender_whatever_the_file_says() {
    // The sender claims to be root, in the envelope and in From, and names an account and a Sender.
    let flush = format!("{DIRECTORIES} {FLUSH} && {AS_NOBODY} && {FLUSH}");
    let Some(case) = script(&flush) else { return };
    let ran = case
        .called("sendmail")
        .args(["-i", "-f", "root@localhost", "nobody"])
        .stdin("From: root@localhost\nSender: root@localhost\nTo: nobody\nSubject: x\n\nout\n")
        .may_change("spool")
        .may_change("sys")
        .run();
    let text = String::from_utf8_lossy(&ran.read("spool/nobody")).into_owned();
    assert!(text.starts_with("From nobody "), "{text}");
    assert!(text.contains("\nSender: nobody\n"), "{text}");
    assert!(!text.contains("Sender: root"), "{text}");
}

#[test]
fn a_relay_whose_password_only_root_may_read_takes_the_mail_of_all() {
    let relay = "rc=/etc/postrider.rc; echo secret >/etc/secret; chmod 600 /etc/secret; \
        printf 'set mta=smtp://alerts@127.0.0.1:1\\nset password-file=/etc/secret\\nset hostname=db1.example.test\\n' >$rc; \
        chmod 644 $rc; ";
    let closed = "printf 'set mta=smtp://127.0.0.1:1\\nset hostname=db1.example.test\\n' >/etc/postrider.rc; \
        chmod 600 /etc/postrider.rc; ";
    for (what, rc) in [("password", relay), ("rc", closed)] {
        let list = "\"${1%/*}/postrider\" outbox list; rm -f /var/spool/postrider/outbox/*.q";
        let Some(case) = script(&format!(
            "{DIRECTORIES} {rc} {FLUSH}; {AS_NOBODY}; status=$?; {FLUSH}; {list}; exit $status"
        )) else {
            return;
        };
        let ran = case
            .called("sendmail")
            .args(["-i", "ops@example.org"])
            .stdin(CRON)
            .any_stdout()
            .any_stderr()
            .may_change("sys")
            .may_change("tmp")
            .run();
        // Nothing listens there: root's outbox has the mail now.
        assert_eq!(dropped(&ran), [""; 0], "{what}: {}", ran.stderr());
        assert!(
            ran.stdout().contains("ops@example.org"),
            "{what}: {}{}",
            ran.stdout(),
            ran.stderr()
        );
    }
}

#[test]
fn mailx_says_75_and_where_the_mail_is() {
    let Some(case) = script(&format!("{DIRECTORIES} {FLUSH}; {AS_NOBODY}")) else {
        return;
    };
    let ran = case
        .args(["-s", "x", "root"])
        .stdin("text\n")
        .status(75)
        .says("cannot send to root now")
        .says("root's next flush delivers it")
        .may_change("sys")
        .run();
    assert_eq!(dropped(&ran).len(), 1);
}
