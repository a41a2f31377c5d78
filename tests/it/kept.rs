//! Mail that nobody accepted is kept, whole, and the line on stderr says where.

use nix::sys::signal::Signal;

use crate::case::Case;
use crate::letters::letters;
use crate::sendmail::FakeSendmail;

/// Returns a mail to two people, one of them hidden, through a sendmail that refuses.
fn refused() -> Case {
    Case::new()
        .args([
            "-s",
            "Größe",
            "-b",
            "hidden@example.com",
            "-r",
            "me@example.com",
            "ops@example.com",
        ])
        .stdin("From me\ncaf\u{e9}\n")
        .sendmail(FakeSendmail::exiting(69))
}

#[test]
fn the_failed_envelope_is_named() {
    let ran = refused().status(69).says("sendmail").keeps(1).run();
    let kept = &ran.dead()[0];
    assert_eq!(
        kept.field("X-Postrider-Unsent-To"),
        "ops@example.com, hidden@example.com"
    );
    assert_eq!(kept.field("X-Postrider-Unsent-From"), "me@example.com");
    assert_eq!(kept.subject(), "Größe");
    assert_eq!(kept.body(), "From me\ncaf\u{e9}\n".as_bytes());
}

#[test]
fn until_there_is_an_outbox_nothing_promises_a_retry() {
    Case::new()
        .args(["-s", "t", "ops@example.com"])
        .stdin("x\n")
        .sendmail(FakeSendmail::new().step("exit 75"))
        .status(75)
        .says("sendmail")
        .says("in the outbox")
        .queues(1)
        .run();
}

#[test]
fn two_failures_keep_two_whole_messages() {
    let ran = refused().status(69).says("sendmail").keeps(1).run();
    let first = ran.read("home/dead.letter");
    let ran = ran
        .again()
        .args(["-s", "second", "ops@example.com"])
        .stdin("the second\n")
        .status(69)
        .says("sendmail")
        .keeps(2)
        .run();
    assert!(
        ran.read("home/dead.letter").starts_with(&first),
        "the first one is untouched"
    );
    assert_eq!(ran.dead()[1].body(), b"the second\n");
    assert_eq!(ran.dead()[1].subject(), "second");
}

#[test]
fn a_torn_dead_letter_is_continued_not_joined() {
    let ran = refused()
        .file(
            "home/dead.letter",
            "From x Mon Nov 16 09:00:00 2026\nSubject: torn\n\nno newline",
        )
        .mode("home/dead.letter", 0o600)
        .status(69)
        .says("sendmail")
        .keeps(2)
        .run();
    assert_eq!(ran.dead()[0].subject(), "torn");
}

#[test]
fn never_through_a_symbolic_link() {
    let Some(case) = refused()
        .may_change("tmp")
        .private("a dead letter that is a link")
    else {
        return;
    };
    let ran = case
        .file("cwd/precious", "precious\n")
        .link("home/dead.letter", "[DIR]/cwd/precious")
        .fails()
        .any_stderr()
        .may_change("home")
        .run();
    assert_eq!(ran.read("cwd/precious"), b"precious\n");
}

#[test]
fn without_a_usable_home_a_private_directory_takes_it() {
    let Some(case) = refused()
        .may_change("tmp")
        .private("a dead letter without a home")
    else {
        return;
    };
    let ran = case
        .env("DEAD", "")
        .within("HOME=/nonexistent exec \"$@\"")
        .status(69)
        .any_stderr()
        .run();
    let kept = letters(&ran.read("tmp/postrider-0/dead.letter"));
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].body(), "From me\ncaf\u{e9}\n".as_bytes());
}

#[test]
fn nowhere_to_keep_is_said_loudly() {
    let Some(case) = Case::new().private("mail that can be kept nowhere") else {
        return;
    };
    case.args(["-s", "t", "-S", "mta=[DIR]/cwd/nowhere", "ops@example.com"])
        .env("DEAD", "/proc/nowhere/dead.letter")
        .env("HOME", "/proc/nowhere")
        .within("/bin/mount -t tmpfs -o ro none /var/tmp && exec \"$@\"")
        .stdin("x\n")
        .fails()
        .stderr_contains("NOT KEPT")
        .run();
}

#[test]
fn an_interrupt_while_the_body_is_read_keeps_what_came() {
    for (signal, status) in [(Signal::SIGTERM, 143), (Signal::SIGHUP, 129)] {
        let ran = Case::send(["-s", "t", "ops@example.com"])
            .stdin_stays_open("first part\n")
            .signal_when_waiting(signal)
            .status(status)
            .any_stderr()
            .keeps(1)
            .run();
        ran.nothing_sent();
        assert_eq!(ran.dead()[0].body(), b"first part\n");
    }
}

#[test]
fn nothing_is_kept_when_all_is_accepted() {
    Case::send(["-s", "t", "ops@example.com"])
        .stdin("x\n")
        .run();
}

/// A letter that was kept before.
const EARLIER: &str = "From me Mon Nov 16 08:00:00 2026\nSubject: earlier\n\nthe earlier one\n\n";

/// What the script of [`on_a_small_disk`] copies out of the disk that vanishes with its namespace.
const COPY_OUT: &str = "\"$@\"; status=$?; /bin/cp -a \"$HOME\"/. \"$HOME/../after\"; exit $status";

/// Returns a mail of 200 kB that a sendmail does not want now, whose home directory is a disk of
/// 64 KiB with this much taken; what is in it afterwards is in `after`.
fn on_a_small_disk(what: &str, script: &str) -> Option<Case> {
    let body = "a line of a text that is too long for the disk\n".repeat(4000);
    let case = Case::new()
        .args([
            "-s",
            "large",
            "-S",
            "mta=[DIR]/mta/sendmail",
            "ops@example.com",
        ])
        .stdin(body)
        .sendmail(FakeSendmail::exiting(75))
        .directory("after")
        .file("earlier", EARLIER)
        .may_change("after")
        .may_change("tmp");
    let script = format!(
        "/bin/mount -t tmpfs -o size=64k none \"$HOME\" &&\n\
         /bin/cp \"$HOME/../earlier\" \"$DEAD\" && /bin/chmod 600 \"$DEAD\" && {script}\n{COPY_OUT}"
    );
    Some(case.private(what)?.within(&script))
}

#[test]
fn a_full_disk_under_the_dead_letters_leaves_them_as_they_were() {
    let Some(case) = on_a_small_disk("a full disk under dead.letter", ":") else {
        return;
    };
    let ran = case.status(75).any_stderr().run();
    assert!(
        ran.stderr()
            .contains("saved in /var/tmp/postrider-0/dead.letter"),
        "{}",
        ran.stderr()
    );
    assert_eq!(ran.read("after/dead.letter"), EARLIER.as_bytes());
    let kept = letters(&ran.read("tmp/postrider-0/dead.letter"));
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].subject(), "large");
    assert_eq!(kept[0].body().len(), 47 * 4000);
}

#[test]
fn a_full_disk_where_nothing_was_kept_before_leaves_no_half_letter() {
    let Some(case) = on_a_small_disk("a full disk and no dead.letter", "/bin/rm \"$DEAD\"") else {
        return;
    };
    let ran = case.status(75).any_stderr().run();
    let left = std::fs::read(ran.path("after/dead.letter")).unwrap_or_default();
    assert_eq!(left.escape_ascii().to_string(), "");
    assert_eq!(letters(&ran.read("tmp/postrider-0/dead.letter")).len(), 1);
}

#[test]
fn full_disks_everywhere_are_said_loudly() {
    let full = "/bin/mount -t tmpfs -o size=64k none /var/tmp";
    let Some(case) = on_a_small_disk("full disks everywhere", full) else {
        return;
    };
    let ran = case.status(73).any_stderr().run();
    let text = ran.stderr();
    assert!(text.contains("NOT KEPT"), "{text}");
    for place in ["[DIR]/home/dead.letter", "/var/tmp/postrider-0/dead.letter"] {
        assert!(
            text.contains(&format!("cannot append to {place}: No space left")),
            "{text}"
        );
    }
    assert_eq!(ran.read("after/dead.letter"), EARLIER.as_bytes());
}

#[test]
fn a_limit_for_files_leaves_the_dead_letters_as_they_were() {
    // 51,200 bytes: what is there fits, what comes does not.
    let earlier = EARLIER.repeat(700);
    let body = "a line of a text that is too long for its file\n".repeat(300);
    let case = Case::new()
        .args(["-s", "t", "-S", "mta=[DIR]/mta/sendmail", "ops@example.com"])
        .sendmail(FakeSendmail::exiting(75))
        .file("home/dead.letter", &earlier)
        .mode("home/dead.letter", 0o600)
        .may_change("tmp");
    let Some(case) = case.private("a limit for files under dead.letter") else {
        return;
    };
    let ran = case
        .within("ulimit -f 100; exec \"$@\"")
        .stdin(&body)
        .status(75)
        .any_stderr()
        .run();
    assert!(ran.read("home/dead.letter") == earlier.as_bytes());
    let kept = letters(&ran.read("tmp/postrider-0/dead.letter"));
    assert!(kept.len() == 1 && kept[0].body() == body.as_bytes());
}
