//! Unsent mail is told in passing: a hint behind a mail, the reader's greeting, an hourly note.

use serde_json::json;

use crate::case::{Case, Ran};
use crate::entries::Entry;
use crate::letters::letters;
use crate::mailboxes;
use crate::sendmail::FakeSendmail;

const MINUTE: u64 = 60;

/// Returns a case of a mail to ops, with these entries in the outbox, and an own mailbox.
fn with(entries: &[Entry], status: u8) -> Case {
    let case = Case::new()
        .rc("set outbox=[DIR]/box")
        .env("MAIL", "[DIR]/home/inbox")
        .args(["-s", "t", "ops@example.com"])
        .stdin("x\n")
        .sendmail(FakeSendmail::exiting(status))
        .may_change("box")
        .may_change("home");
    for entry in entries {
        entry.put(&case.path("box"));
    }
    case
}

fn notes(ran: &Ran) -> usize {
    let inbox = ran.path("home/inbox");
    std::fs::read(inbox).map_or(0, |bytes| letters(&bytes).len())
}

#[test]
fn a_failing_mail_says_what_is_stuck_and_one_that_is_accepted_does_not() {
    let held = Entry::new(3, 50 * MINUTE).tried(json!({"held": ""}));
    let stuck = [Entry::new(1, 20 * MINUTE), Entry::new(2, 10), held.clone()];
    let young = [Entry::new(1, 10 * MINUTE), held];
    let line = "hint: 2 messages wait in the outbox, the oldest for 20 min: postrider outbox list shows why\n";
    for (entries, status, expected) in [
        (&stuck[..], 69, true),
        (&stuck[..], 0, false),
        (&young[..], 69, false),
        (&[][..], 69, false),
    ] {
        let ran = with(entries, status)
            .status(i32::from(status))
            .any_stderr()
            .run();
        assert_eq!(ran.stderr().contains(line), expected, "{}", ran.stderr());
        assert_eq!(ran.stderr().is_empty(), status == 0, "{}", ran.stderr());
        assert_eq!(notes(&ran), usize::from(expected));
    }
}

#[test]
fn a_person_at_a_terminal_is_told_what_is_stuck() {
    with(&[Entry::new(1, 20 * MINUTE)], 0).at_terminal(|terminal| {
        terminal.types("x\n\x04");
        terminal.sees("hint: 1 message waits in the outbox for 20 min");
    });
}

#[test]
fn there_is_one_note_an_hour_in_the_users_own_mailbox() {
    let failed = Entry {
        is_failed: true,
        ..Entry::new(2, 7200).tried(json!({"reason": "550 5.7.1 no"}))
    };
    let mut ran = with(&[Entry::new(1, 20 * MINUTE).tried(json!({})), failed], 69)
        .status(69)
        .any_stderr()
        .run();
    for _ in 0..2 {
        let inbox = letters(&ran.read("home/inbox"));
        assert_eq!(inbox.len(), 1);
        let note = &inbox[0];
        assert_eq!(note.subject(), "1 message waits in the outbox for 20 min");
        assert_eq!(note.field("Auto-Submitted"), "auto-generated");
        let text = String::from_utf8(note.body()).unwrap();
        for words in [
            "1 message in the outbox has failed for good.\n",
            "alert 1",
            "451 4.3.0 try again later",
            "alert 2",
            "550 5.7.1 no",
            "postrider outbox drop ID",
            "set nooutbox-notice",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
        // A storm of mails that fail brings no second one.
        ran = ran
            .again()
            .rc("set outbox=[DIR]/box")
            .args(["-s", "t", "ops@example.com"])
            .stdin("x\n")
            .sendmail(FakeSendmail::exiting(69))
            .may_change("box")
            .may_change("home")
            .status(69)
            .any_stderr()
            .run();
    }
    let ran = with(&[Entry::new(1, 20 * MINUTE)], 69)
        .rc("set nooutbox-notice")
        .status(69)
        .any_stderr()
        .run();
    assert_eq!(notes(&ran), 0);
}

#[test]
fn the_greeting_counts_what_was_not_sent() {
    let case = || {
        let case = Case::new()
            .rc("set outbox=[DIR]/box")
            .file(
                "home/dead.letter",
                [mailboxes::ONE, mailboxes::TWO].concat(),
            )
            .mode("home/dead.letter", 0o600)
            .may_change("box");
        let failed = Entry {
            is_failed: true,
            ..Entry::new(3, 7200)
        };
        for entry in [Entry::new(1, 3 * 3600), Entry::new(2, 10), failed] {
            entry.put(&case.path("box"));
        }
        case
    };
    let lines = [
        "2 messages wait in the outbox, the oldest for 3 h: postrider outbox list shows why",
        "1 message in the outbox has failed for good: postrider outbox list shows why",
        " unsent messages in ",
    ];
    case()
        .file("cwd/box", mailboxes::ONE)
        .args(["-f", "box"])
        .may_change("cwd/box")
        .at_terminal(|terminal| {
            for line in lines {
                terminal.sees(line);
            }
            terminal.sees("? ");
            terminal.types("x\n");
        });
    // Who has no mail has unsent mail all the same.
    case().status(1).at_terminal(|terminal| {
        terminal.sees("No mail for ");
        for line in lines {
            terminal.sees(line);
        }
    });
    // A script reads what the reader prints.
    let ran = case()
        .file("cwd/box", mailboxes::ONE)
        .args(["-f", "box"])
        .stdin("x\n")
        .any_stdout()
        .run();
    assert!(!ran.stdout().contains("outbox"), "{}", ran.stdout());
    assert!(!ran.stdout().contains("unsent"), "{}", ran.stdout());
}
