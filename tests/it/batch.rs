//! `postrider delete` and `postrider mark`: changes without a dialogue.

use nix::sys::signal::Signal;

use crate::case::Case;
use crate::changing::with_broken_disk;
use crate::mailboxes::{ONE, TWO};

/// Returns `postrider ARGS --file box` over two messages.
fn run<const N: usize>(args: [&str; N]) -> Case {
    Case::new()
        .called("postrider")
        .args(args)
        .args(["--file", "box"])
        .file("cwd/box", format!("{ONE}{TWO}"))
}

#[test]
fn a_batch_change_that_could_not_be_completed_is_no_success() {
    for (args, json) in [(["delete", "1"], false), (["mark", "1"], true)] {
        let case = run(args).args(if json {
            &["--answered", "--json"][..]
        } else {
            &[]
        });
        let Some(case) = with_broken_disk(case, "EIO") else {
            return;
        };
        let says = "cannot complete the change of box: Input/output error";
        let case = case
            .status(74)
            .any_stderr()
            .stderr_contains(says)
            .may_change("cwd/box")
            .may_change("cwd/.box.postrider-journal");
        if json {
            case.stdout_contains("\"status\":74").run()
        } else {
            case.run()
        };
    }
}

#[test]
fn messages_are_chosen_by_lists_and_filters() {
    let one: &[&[&str]] = &[
        &["1"],
        &["^"],
        &["alice"],
        &["/disk almost"],
        &[":n"],
        &["--from", "ALICE"],
        &["--subject", "disk"],
        &["--unread"],
        &["--all", "--unread"],
        &["*", "--from", "alice"],
        &["1-2", "1", "--subject", "full"],
    ];
    for args in one {
        run(["delete"]).args(*args).leaves("cwd/box", TWO).run();
    }
    for args in [
        &["2"][..],
        &["--read"],
        &["--subject", "größe"],
        &["$"],
        &["last"],
    ] {
        run(["delete"]).args(args).leaves("cwd/box", ONE).run();
    }
    for args in [&["--all"][..], &["1", "2"], &["*"], &["alice bob"]] {
        run(["delete"]).args(args).leaves("cwd/box", "").run();
    }
}

#[test]
fn old_messages_are_those_that_were_delivered_long_ago() {
    let old = ONE.replace("2026", "2001");
    let dated =
        |text: &str| text.replacen("Tue Nov 17 10:30:00 2026", "Thu Jan  1 00:00:00 2099", 1);
    // The sender's Date field says something else, and does not count.
    let young = dated(TWO).replace("17 Nov 2026", "17 Nov 2001");
    let case = |age: &str| {
        Case::new()
            .called("postrider")
            .args(["delete", "--older-than", age, "--file", "box"])
            .file("cwd/box", format!("{old}{young}"))
    };
    for age in ["30d", "52w", "100h", "1m"] {
        case(age).leaves("cwd/box", &young).run();
    }
    case("4000w").status(1).run();
    for bad in ["30", "d", "3x", "-1d", "99999999999999999999d", ""] {
        case(bad).status(64).any_stderr().run();
    }
}

#[test]
fn marks_change_the_flags_and_nothing_else() {
    let read = ONE.replacen("\n\n", "\nStatus: RO\n\n", 1);
    let flagged = TWO.replacen("Status: RO\n", "Status: RO\nX-Status: AF\n", 1);
    let unread = TWO.replacen("Status: RO\n", "Status: O\n", 1);
    run(["mark", "--read", "--all"])
        .leaves("cwd/box", format!("{read}{TWO}"))
        .run();
    run(["mark", "--flag", "--answered", "2"])
        .leaves("cwd/box", format!("{ONE}{flagged}"))
        .run();
    run(["mark", "--unread", "2"])
        .leaves("cwd/box", format!("{ONE}{unread}"))
        .run();
    // There is nothing to change, and nothing does.
    run(["mark", "--unflag", "--unanswered", "--all"]).run();
}

#[test]
fn nothing_changes_where_the_choice_is_empty_or_not_understood() {
    run(["delete", "nobody"]).status(1).run();
    run(["delete", "1", "--from", "bob"]).status(1).run();
    run(["delete", "1", "9"])
        .status(1)
        .says("9: Invalid message number")
        .run();
    run(["delete", "1", ":x"])
        .status(64)
        .says("Unknown message type: \":x\"")
        .run();
    // As `--from "$SENDER"` has it where that variable is not set.
    for (option, empty) in [("--from", ""), ("--subject", ""), ("--from", " ")] {
        for action in [&["delete"][..], &["delete", "1"], &["mark", "--flag"]] {
            Case::new()
                .called("postrider")
                .args(action)
                .args([option, empty, "--file", "box"])
                .file("cwd/box", format!("{ONE}{TWO}"))
                .status(64)
                .says("an empty text would match every message")
                .run();
        }
    }
    run(["delete"])
        .status(64)
        .says("the messages to change are missing")
        .hints("--all")
        .run();
    run(["mark", "--read"])
        .status(64)
        .says("the messages to change are missing")
        .hints("--all")
        .run();
    run(["mark", "1"])
        .status(64)
        .says("the mark to set is missing")
        .hints("--read")
        .run();
    run(["mark", "--read", "--unread", "1"])
        .status(64)
        .any_stderr()
        .run();
}

#[test]
fn a_dry_run_shows_what_would_change() {
    run(["delete", "--all", "--read", "--dry-run"])
        .stdout("    2 bob@example.org    Tue Nov 17 10:30   10/229   Größe\n")
        .run();
    run(["mark", "--read", "nobody", "--dry-run"])
        .status(1)
        .run();
}

#[test]
fn the_result_is_json_where_it_is_asked_for() {
    let ran = run(["delete", "1", "--json"])
        .any_stdout()
        .leaves("cwd/box", TWO)
        .run();
    let value: serde_json::Value = serde_json::from_str(&ran.stdout()).unwrap();
    let expected = serde_json::json!({
        "mailbox": "box", "action": "delete", "dry_run": false, "numbers": [1], "deleted": 1,
        "flagged": 0, "flags_left_out": 0, "gone": 0, "arrived": 0, "left": 1, "pending": null,
        "status": 0,
    });
    assert_eq!(value, expected);
    let ran = run(["mark", "--read", "nobody", "--json"])
        .any_stdout()
        .status(1)
        .run();
    let value: serde_json::Value = serde_json::from_str(&ran.stdout()).unwrap();
    assert_eq!((&value["status"], &value["left"]), (&1.into(), &2.into()));
}

#[test]
fn a_mailbox_that_cannot_be_changed_is_named() {
    run(["delete", "1", "--set", "lock-timeout=1"])
        .file("cwd/box.lock", "0\n")
        .status(75)
        .says("waiting for another program, which holds box.lock")
        .says("cannot lock box")
        .run();
    Case::new()
        .called("postrider")
        .args(["delete", "1", "--file", "missing"])
        .status(66)
        .says("cannot open missing")
        .run();
    run(["delete", "1"])
        .nobody()
        .mode("cwd/box", 0o444)
        .lacking("-w", "cwd/box")
        .status(77)
        .says("box")
        .run();
}

#[test]
fn system_mailboxes_are_changed_by_name() {
    let case = Case::new().called("postrider").args(["delete", "--all"]);
    let path = format!("spool/{}", case.user());
    case.file(&path, format!("{ONE}{TWO}"))
        .leaves(&path, "")
        .run();
    Case::new()
        .called("postrider")
        .args(["mark", "--flag", "1", "--user", "nobody"])
        .file("spool/nobody", TWO)
        .leaves(
            "spool/nobody",
            TWO.replacen("Status: RO\n", "Status: RO\nX-Status: F\n", 1),
        )
        .run();
}

#[test]
fn what_is_marked_as_read_is_old_as_well() {
    let read = ONE.replacen("\n\n", "\nStatus: RO\n\n", 1);
    run(["mark", "--read", "1"])
        .leaves("cwd/box", format!("{read}{TWO}"))
        .run();
}

#[test]
fn a_signal_while_a_lock_is_waited_for_is_told_as_such() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        run(["delete", "1"])
            .file("cwd/box.lock", "0\n")
            .signal_when_said("waiting for another program", signal)
            .status(128 + signal as i32)
            .stderr_contains("interrupted; box stays as it is")
            .any_stderr()
            .run();
    }
}
