//! Mail that nobody accepted is kept, whole, and the line on stderr says where.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::case::Case;
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
        .says("not retried")
        .keeps(1)
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
    let ran = refused()
        .file("work/precious", "precious\n")
        .link("home/dead.letter", "[DIR]/work/precious")
        .fails()
        .any_stderr()
        .may_change("home")
        .run();
    assert_eq!(ran.read("work/precious"), b"precious\n");
}

#[test]
fn without_a_usable_home_a_private_directory_takes_it() {
    // Only what can be told apart from other runs: the line on stderr names the place.
    let ran = refused()
        .env("DEAD", "")
        .env("HOME", "/nonexistent")
        .fails()
        .any_stderr()
        .run();
    let text = ran.stderr();
    assert!(
        text.contains("/var/tmp/postrider-") || text.contains("NOT KEPT"),
        "{text}"
    );
}

#[test]
fn nowhere_to_keep_is_said_loudly() {
    let Some(case) = Case::new().private("mail that can be kept nowhere") else {
        return;
    };
    case.args(["-s", "t", "-S", "mta=[DIR]/work/nowhere", "ops@example.com"])
        .env("DEAD", "/proc/nowhere/dead.letter")
        .env("HOME", "/proc/nowhere")
        .stdin("x\n")
        .any_status()
        .any_stderr()
        .run();
}

#[test]
fn an_interrupt_while_the_body_is_read_keeps_what_came() {
    for (signal, status) in [(Signal::SIGTERM, 143), (Signal::SIGHUP, 129)] {
        let ran = Case::send(["-s", "t", "ops@example.com"])
            .stdin_stays_open("first part\n")
            .signal_after(Duration::from_millis(700), signal)
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
