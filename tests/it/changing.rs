//! Changing a mailbox with the reader: what `q` writes, what `x` and everything else leave alone.

use std::fs;
use std::process::Command;
use std::time::{Duration, SystemTime};

use nix::sys::signal::Signal;

use crate::case::Case;
use crate::mailboxes::{ONE, TWO};

/// Three messages: new, read, and one with bytes that are no text.
fn three() -> Vec<u8> {
    let odd = b"From c@example.org Wed Nov 18 09:00:00 2026\r\nFrom: c@example.org\r\n\
        Subject: odd \xff\r\nStatus: O\r\n\r\n>From \0 caf\xe9\r\nno end";
    [ONE.as_bytes(), TWO.as_bytes(), odd].concat()
}

/// The first one as it is when it was seen in a list.
fn one_old() -> String {
    ONE.replacen("\n\n", "\nStatus: O\n\n", 1)
}

/// Returns `mailx -N ARGS -f box` with these commands from a pipe.
fn commands(args: &[&str], text: &str) -> Case {
    Case::new()
        .args(["-N", "-S", "quiet"])
        .args(args)
        .args(["-f", "box"])
        .file("cwd/box", three())
        .stdin(text)
}

/// Returns `mailx -N` over the system mailbox with these commands from a pipe.
fn at_home(text: &str) -> (Case, String) {
    let case = Case::new().args(["-N", "-S", "quiet"]).stdin(text);
    let path = format!("spool/{}", case.user());
    let case = case.file(&path, three());
    (case, path)
}

fn rest(from: usize) -> Vec<u8> {
    three()[from..].to_vec()
}

// MB03 MB09
#[test]
fn untouched_messages_stay_byte_for_byte() {
    let tail = rest(ONE.len());
    let complete = "\"box\" complete\n";
    commands(&[], "d 1\nq\n")
        .leaves("cwd/box", &tail)
        .stdout(complete)
        .run();
    let left = [one_old().as_bytes(), &rest(ONE.len() + TWO.len())].concat();
    commands(&[], "d 2\n")
        .leaves("cwd/box", left)
        .stdout(complete)
        .run();
    let left = [one_old(), TWO.to_owned()].concat();
    commands(&[], "d $\n")
        .leaves("cwd/box", left)
        .stdout(complete)
        .run();
    commands(&[], "d *\n")
        .leaves("cwd/box", "")
        .stdout(complete)
        .run();
}

// MB07
#[test]
fn exit_read_only_and_unknown_messages_change_nothing() {
    commands(&[], "d *\nx\n").run();
    commands(&[], "p *\nex\n").any_stdout().run();
    commands(&["-R"], "d 1\nq\n")
        .stderr("The mailbox is open read-only\n")
        .status(77)
        .run();
    commands(&["-R"], "p 1\n").any_stdout().run();
    for nothing in ["d nobody", "d :f", "u", "u 1"] {
        commands(&[], &format!("{nothing}\nx\n"))
            .stderr_contains("\n")
            .run();
    }
    for wrong in ["d 9", "d 1-", "nonsense", "s 'x"] {
        commands(&[], &format!("{wrong}\nx\n"))
            .status(64)
            .stderr_contains("\n")
            .run();
    }
}

#[test]
fn a_file_that_may_not_be_written_is_open_read_only() {
    Case::new()
        .nobody()
        .args(["-N", "-f", "box"])
        .file("cwd/box", three())
        .mode("cwd/box", 0o444)
        .lacking("-w", "cwd/box")
        .stdin("c 1 copy\nd 1\nq\n")
        .stdout_contains("[Read only]")
        .stderr("The mailbox is open read-only\n")
        .status(77)
        .leaves("cwd/copy", ONE)
        .run();
}

// MB02 MB04 var:hold
#[test]
fn our_rules_leave_read_mail_where_it_is() {
    let (case, path) = at_home("2\n1\nmb 1\nd 3\nq\n");
    let read = ONE.replacen("\n\n", "\nStatus: RO\n\n", 1);
    case.leaves(&path, TWO)
        .leaves("home/mbox", read)
        .stdout_contains("Saved 1 message in [DIR]/home/mbox\nHeld 1 message in [DIR]/spool/")
        .run();
    let (case, path) = at_home("q\n");
    let left = [one_old().as_bytes(), &rest(ONE.len())].concat();
    case.leaves(&path, left)
        .stdout_contains("Held 3 messages in [DIR]/spool/")
        .run();
}

// MB02
#[test]
fn posix_moves_read_mail_and_drops_saved_mail() {
    let moved = TWO;
    for by_variable in [true, false] {
        let (case, path) = at_home("2\ns 1 copy\nd 3\nq\n");
        let case = if by_variable {
            case.rc("set posix")
        } else {
            case.env("POSIXLY_CORRECT", "1")
        };
        case.may_change(&path)
            .leaves("home/mbox", moved)
            .leaves("cwd/copy", ONE)
            .stdout_contains("Saved 1 message in [DIR]/home/mbox\n")
            .run();
    }
    // What is set counts there too.
    let (case, path) = at_home("2\ns 1 copy\nd 3\nq\n");
    let read = ONE.replacen("\n\n", "\nStatus: RO\n\n", 1);
    case.rc("set posix hold keepsave")
        .leaves(&path, [read, TWO.to_owned()].concat())
        .leaves("cwd/copy", ONE)
        .any_stdout()
        .run();
    let (case, path) = at_home("d *\nq\n");
    case.rc("set posix keep").leaves(&path, "").run();
}

#[test]
fn a_mailbox_that_has_become_empty_goes_only_where_keep_is_not_set() {
    let (case, path) = at_home("d *\nq\n");
    let ran = case.rc("set posix").may_change(&path).run();
    assert!(!ran.path(&path).exists());
    let (case, path) = at_home("d *\nq\n");
    case.leaves(&path, "").run();
}

// MB16
#[test]
fn mbox_that_cannot_be_written_keeps_everything() {
    let (case, _) = at_home("mb 1\nd 2\nq\n");
    case.env("MBOX", "[DIR]/no/such/mbox")
        .status(73)
        .says("cannot create [DIR]/no/such/mbox")
        .run();
}

// MB14 MB15 var:folder
#[test]
fn files_are_found_by_name_and_made_for_their_owner_only() {
    let ran = commands(&[], "s 1 +kept\nc 2 ~/$w.mbox\nc &\nS 2\nx\n")
        .rc("set folder=mail w=work")
        .directory("home/mail")
        .any_stdout()
        .leaves("home/mail/kept", ONE)
        .leaves("home/work.mbox", TWO)
        .leaves("home/mbox", TWO)
        .leaves("cwd/bob", TWO)
        .run();
    use std::os::unix::fs::PermissionsExt;
    for name in ["home/mail/kept", "home/mbox", "cwd/bob"] {
        let mode = ran.path(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_sender_cannot_choose_where_its_mail_is_saved() {
    let evil = ONE.replace(
        "From: alice@example.org",
        "From: \"../../home/x\"@example.org",
    );
    let ran = Case::new()
        .args(["-N", "-S", "quiet", "-f", "box"])
        .file("cwd/box", &evil)
        .stdin("S 1\nx\n")
        .may_change("cwd")
        .may_change("cwd/x")
        .any_stdout()
        .run();
    assert!(!ran.path("home/x").exists());
}

#[test]
fn a_full_disk_leaves_both_files_as_they_were_and_the_status_says_it() {
    // Two blocks of 512 bytes: the file is almost full.
    let folder = ONE.repeat(1020 / ONE.len());
    let limited = |text: &str| {
        commands(&[], text)
            .file("cwd/folder", &folder)
            .wrapped(["/bin/sh", "-c", "ulimit -f 2; exec \"$@\"", "sh"])
            .status(74)
    };
    limited("s 1-3 folder\nx\n")
        .says("cannot append to folder: File too large")
        .run();
    // The change of the flags has no room for its journal either.
    limited("s * folder\nd *\nq\n")
        .any_stderr()
        .stderr_contains("mailx: \"d *\" is not carried out, because \"s * folder\" failed\n")
        .stderr_contains("mailx: box stays as it is, because \"s * folder\" failed\n")
        .any_stdout()
        .run();
    limited("w * folder\nw * folder\nw * folder\nw * folder\nw * folder\nw * folder\nx\n")
        .any_stderr()
        .stderr_contains("cannot write folder: File too large")
        .any_stdout()
        .may_change("cwd/folder")
        .run();
}

#[test]
fn a_limit_on_the_size_of_files_is_seen_before_anything_is_moved() {
    let many = ONE.repeat(20);
    commands(&[], "d 1\nq\n")
        .file("cwd/box", &many)
        .wrapped(["/bin/sh", "-c", "ulimit -f 2; exec \"$@\"", "sh"])
        .status(74)
        .says("cannot write box: File too large")
        .leaves("cwd/box", &many)
        .run();
}

#[test]
fn want_of_room_for_a_journal_blocks_no_deleting_at_the_end() {
    commands(&[], "d $\nq\n")
        .file("cwd/box", TWO.repeat(20))
        .wrapped(["/bin/sh", "-c", "ulimit -f 2; exec \"$@\"", "sh"])
        .stdout("\"box\" complete\n")
        .leaves("cwd/box", TWO.repeat(19))
        .run();
}

/// Runs where the length of a file cannot be changed: behind the commit point of a rewrite.
pub fn with_broken_disk(case: Case, error: &str) -> Option<Case> {
    with_strace(case, &[], &format!("inject=ftruncate:error={error}"))
}

/// Runs where calls fail, or kill; `None`, loudly, where strace cannot do that.
fn with_strace(case: Case, options: &[&str], inject: &str) -> Option<Case> {
    let strace = ["/usr/bin/strace", "-f", "-qq", "-o", "/dev/null"];
    let works = Command::new(strace[0])
        .args(&strace[1..])
        .args(["-e", "inject=ftruncate:error=EIO", "true"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !works {
        crate::launch::left_out("a call that fails or kills", "needs strace");
        return None;
    }
    Some(case.wrapped([&strace[..], options, &["-e", inject]].concat()))
}

// MB13
#[test]
fn a_change_that_could_not_be_completed_is_no_success() {
    let one_gone = rest(ONE.len());
    // Shorter; longer, because a message becomes old; and what MBOX or a folder has already.
    let rows: [(&str, &[u8]); 4] = [
        ("d 1\nq\n", &one_gone),
        ("q\n", &[one_old().as_bytes(), &one_gone].concat()),
        ("move 1 folder\nq\n", &one_gone),
        ("s 1 folder\nd 1\nq\n", &one_gone),
    ];
    for (text, meant) in rows {
        for error in ["EIO", "ENOSPC", "EDQUOT"] {
            let Some(case) = with_broken_disk(commands(&[], text), error) else {
                return;
            };
            let broken = [
                "cwd/box",
                "cwd/.box.postrider-journal",
                "cwd/folder",
                "home/mbox",
            ];
            let case = broken.iter().fold(case, |case, path| case.may_change(path));
            let ran = case
                .status(74)
                .any_stdout()
                .says("cannot complete the change of box: ")
                .hints("nothing is lost: the change is kept in ")
                .run();
            // The next one that may write completes it.
            let next = ran
                .again()
                .args(["-N", "-S", "quiet", "-f", "box"])
                .stdin("x\n");
            next.leaves("cwd/box", meant)
                .may_change("cwd/.box.postrider-journal")
                .any_stderr()
                .run();
        }
    }
}

#[test]
fn a_change_that_a_terminal_sees_not_completed_ends_with_a_status() {
    let case = Case::new()
        .args(["-N", "-S", "quiet", "-f", "box"])
        .file("cwd/box", three());
    let Some(case) = with_broken_disk(case, "EIO") else {
        return;
    };
    case.status(74)
        .may_change("cwd/box")
        .may_change("cwd/.box.postrider-journal")
        .at_terminal(|terminal| {
            terminal.sees("? ");
            terminal.types("d 1\n");
            terminal.sees("? ");
            terminal.types("q\n");
            terminal.sees("cannot complete the change of box: Input/output error");
            terminal.sees("hint: nothing is lost");
        });
}

/// A command line that changes a mailbox.
type Door = fn() -> Case;

/// Returns what changes a mailbox with a journal, and what that makes of it: shorter, longer, and
/// without a dialogue.
fn doors() -> [(Door, Vec<u8>); 3] {
    let one_gone = rest(ONE.len());
    let grown = [one_old().as_bytes(), &one_gone].concat();
    let batch = || {
        Case::new()
            .called("postrider")
            .args(["delete", "1", "--file", "box"])
            .file("cwd/box", three())
    };
    [
        (|| commands(&[], "d 1\nq\n"), one_gone.clone()),
        (|| commands(&[], "q\n"), grown),
        (batch, one_gone),
    ]
}

#[test]
fn a_message_about_a_change_named_a_journal_that_was_gone() {
    let mut unsynced = 0;
    // Each sync fails in its turn.
    for (door, meant) in doors() {
        for number in 1..=9 {
            let inject = format!("inject=fsync:error=EIO:when={number}");
            let Some(case) = with_strace(door(), &[], &inject) else {
                return;
            };
            let ran = case
                .any_status()
                .any_stdout()
                .any_stderr()
                .may_change("cwd/box")
                .may_change("cwd/.box.postrider-journal")
                .run();
            let what = format!("sync {number}: {}", ran.stderr());
            let has_journal = ran.path("cwd/.box.postrider-journal").exists();
            let names_journal = ran
                .stderr()
                .contains("the change is kept in [DIR]/cwd/.box.postrider-journal");
            assert_eq!(names_journal, has_journal, "{what}");
            let complete = "the change of the mailbox is complete, but [DIR]/cwd cannot be synced to disk: \
                            Input/output error\n";
            if ran.stderr().contains(complete) {
                unsynced += 1;
                assert_eq!(ran.output.status.code(), Some(74), "{what}");
                assert_eq!(ran.read("cwd/box"), meant, "{what}");
            }
        }
    }
    assert_eq!(
        unsynced, 3,
        "the last sync of each change is that of the directory"
    );
}

#[test]
fn a_journal_that_could_not_be_removed_was_left_without_a_word() {
    for (door, meant) in doors() {
        for (error, why) in [
            ("EPERM", "Operation not permitted"),
            ("EIO", "Input/output error"),
        ] {
            let inject = format!("inject=unlinkat:error={error}");
            let Some(case) = with_strace(door(), &[], &inject) else {
                return;
            };
            let line = "the change of the mailbox is complete, but its journal \
                        [DIR]/cwd/.box.postrider-journal cannot be removed: ";
            let ran = case
                .any_stdout()
                .says(&format!("{line}{why}"))
                .leaves("cwd/box", &meant)
                .may_change("cwd/.box.postrider-journal")
                .run();
            // It is finished: nobody applies it again, and the next change takes its place.
            let next = ran
                .again()
                .called("mailx")
                .args(["-N", "-S", "quiet", "-f", "box"]);
            next.stdin("d *\nq\n")
                .leaves("cwd/box", "")
                .any_stdout()
                .may_change("cwd/.box.postrider-journal")
                .run();
        }
    }
}

#[test]
fn half_a_message_that_a_kill_left_is_not_shown_and_is_cut() {
    let long = ONE.replacen(
        "\n\n",
        &format!("\n\n{}", "a line of it\n".repeat(30_000)),
        1,
    );
    // Where it is killed, and whether the message counts by then.
    let rows = [
        ("write", 4, false),
        ("write", 5, false),
        ("fsync", 3, false),
        ("pwrite64", 1, false),
        ("fsync", 4, true),
    ];
    for (call, number, is_there) in rows {
        let inject = format!("inject={call}:signal=KILL:when={number}");
        let Some(case) = with_strace(
            Case::new()
                .args(["-N", "-S", "quiet", "-f", "box"])
                .file("cwd/box", [&long, TWO].concat())
                .file("cwd/arch", TWO)
                .stdin("c 1 arch\nx\n"),
            &["-P", "arch", "-e", "trace=write,fsync,pwrite64"],
            &inject,
        ) else {
            return;
        };
        let list = |case: Case| {
            case.called("postrider")
                .args(["list", "--file", "arch"])
                .any_stdout()
                .any_stderr()
                .run()
        };
        let killed = case
            .any_status()
            .any_stdout()
            .any_stderr()
            .may_change("cwd/arch")
            .may_change("cwd/arch.lock")
            .run();
        let held = killed.read("cwd/arch");
        assert!(
            held.len() > TWO.len() + 60_000,
            "{call} {number}: {} bytes, {}",
            held.len(),
            killed.stderr()
        );
        let listed = list(killed.again());
        let whole = if is_there {
            format!("{TWO}{long}")
        } else {
            TWO.to_owned()
        };
        let count = 1 + usize::from(is_there);
        assert_eq!(listed.stdout().lines().count(), count, "{call} {number}");
        listed
            .again()
            .called("mailx")
            .args(["-N", "-S", "quiet", "-f", "box"])
            .stdin("c 2 arch\nx\n")
            .any_stdout()
            .may_change("cwd/arch.lock")
            .leaves("cwd/arch", format!("{whole}{TWO}"))
            .run();
    }
}

// MB11
#[test]
fn a_lock_that_others_hold_is_waited_for_and_named() {
    commands(&["-S", "lock-timeout=3"], "d 1\nq\n")
        .file("cwd/box.lock", "0\n")
        .status(75)
        .says("the last message is not shown: another program is still writing it")
        .says("waiting for another program, which holds box.lock")
        .says("cannot lock box: box.lock is in the way (a file of ")
        .hints("if no program uses the mailbox, remove the lock: rm -- box.lock")
        .run();
}

#[test]
fn a_last_message_without_its_newline_is_hidden_by_a_live_lock_alone() {
    let one = "From a@x Mon Jan  5 10:00:00 2026\nSubject: one\n\nB\n\n";
    let last = "From a@x Mon Jan  5 10:00:00 2026\nSubject: last\n\nno newline";
    type Plant = fn(Case) -> Case;
    let file: Plant = |case| case.file("cwd/box.lock", "0\n");
    let stale: Plant = |case| {
        let case = case.file("cwd/box.lock", "0\n");
        let lock = fs::File::options()
            .write(true)
            .open(case.path("cwd/box.lock"))
            .expect("the lock");
        lock.set_modified(SystemTime::now() - Duration::from_secs(600))
            .expect("an older time");
        case
    };
    let rows: [(&str, Plant, bool); 5] = [
        ("no lock", |case| case, true),
        // Who holds this one may be in the middle of that message.
        ("a live one", file, false),
        ("a stale one", stale, true),
        ("a directory", |case| case.directory("cwd/box.lock"), true),
        ("a FIFO", |case| case.fifo("cwd/box.lock"), true),
    ];
    for (what, plant, is_shown) in rows {
        let case = Case::new()
            .called("postrider")
            .args(["list", "--json", "--file", "box"])
            .file("cwd/box", format!("{one}{last}"))
            .any_stdout();
        let case = if is_shown {
            case
        } else {
            case.says("the last message is not shown: another program is still writing it")
        };
        let ran = plant(case).run();
        assert_eq!(ran.stdout().contains("last"), is_shown, "{what}");
    }
}

#[test]
fn a_planted_lock_is_named_by_every_command_with_the_line_that_removes_it() {
    type Plant = (&'static str, fn(Case) -> Case, &'static str, &'static str);
    let plant: [Plant; 4] = [
        (
            "a file",
            |case| case.file("cwd/x.lock", "").mode("cwd/x.lock", 0),
            "a file of ",
            "rm",
        ),
        (
            "a link",
            |case| case.link("cwd/x.lock", "/nonexistent"),
            "a symbolic link of ",
            "rm",
        ),
        (
            "a directory",
            |case| case.directory("cwd/x.lock"),
            "a directory of ",
            "rmdir",
        ),
        ("a FIFO", |case| case.fifo("cwd/x.lock"), "a FIFO of ", "rm"),
    ];
    for (name, planted, what, command) in plant {
        let hint = format!("if no program uses the mailbox, remove the lock: {command} -- ");
        for (door, arguments, text, says) in [
            (
                "quit",
                ["-f", "x"],
                "d 1\nq\n",
                "cannot lock x: x.lock is in the way (",
            ),
            (
                "save",
                ["-f", "y"],
                "s 1 x\nx\n",
                "cannot lock x: x.lock is in the way (",
            ),
        ] {
            let case = Case::new()
                .args(["-N", "-S", "lock-timeout=0"])
                .args(arguments)
                .file("cwd/x", three())
                .file("cwd/y", three())
                .stdin(text);
            let ran = planted(case).status(75).any_stderr().any_stdout().run();
            let told = ran.stderr();
            for expected in [says, what, &hint] {
                assert!(
                    told.contains(expected),
                    "{name}, {door}: {expected}: {told}"
                );
            }
            assert!(told.contains(" old)"), "{name}, {door}: {told}");
        }
    }
}

#[test]
fn the_next_start_removes_the_lock_of_a_killed_one_though_it_changes_nothing() {
    // The inner shell's number is that of nobody once it has ended.
    let script = r#"PATH=/usr/bin:/bin
        sh -c 'echo $$' >box.lock
        echo "$(uname -n) $(cat /proc/sys/kernel/random/boot_id) $(readlink /proc/self/ns/pid)" >>box.lock
        exec "$@""#;
    let ran = commands(&[], "x\n")
        .wrapped(["/bin/sh", "-c", script, "sh"])
        .leaves("cwd/box", three())
        .run();
    assert!(!ran.path("cwd/box.lock").exists());
}

#[test]
fn neither_a_locale_nor_a_home_is_needed() {
    for (name, value) in [("LC_ALL", "C"), ("HOME", ""), ("TERM", "")] {
        commands(&[], "d 1\nq\n")
            .env(name, value)
            .leaves("cwd/box", rest(ONE.len()))
            .stdout("\"box\" complete\n")
            .run();
    }
}

#[test]
fn a_signal_leaves_the_mailbox_as_it_is() {
    for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT] {
        commands(&[], "")
            .stdin_stays_open("d *\n")
            .signal_when_waiting(signal)
            .status(128 + signal as i32)
            .says("interrupted; box stays as it is")
            .run();
    }
}

#[test]
fn an_output_without_a_reader_is_told_if_something_was_to_be_changed() {
    let headless = |text: &str| {
        let text = format!("{}{text}", "p *\n".repeat(2000));
        commands(&[], &text).wrapped([
            "/bin/bash",
            "-c",
            "\"$@\" | /usr/bin/head -n 1 >/dev/null; exit ${PIPESTATUS[0]}",
            "bash",
        ])
    };
    headless("q\n").run();
    headless("").run();
    headless("x\n").run();
    headless("d 1\nx\n").run();
    for text in ["d 1\nq\n", "p *\nd 1\n"] {
        headless(text)
            .status(74)
            .stderr("mailx: the output was closed; box stays as it is\n")
            .run();
    }
}

#[test]
fn names_of_mailboxes_know_the_variables_of_the_environment() {
    Case::new()
        .args(["-N", "-S", "quiet", "-S", "folder=$HOME/mail", "-f", "+box"])
        .file("home/mail/box", three())
        .stdin("s 1 $PLACE/saved\nx\n")
        .env("PLACE", ".")
        .stdout_contains("saved\" [New file]")
        .leaves("cwd/saved", ONE)
        .run();
}

#[test]
fn an_output_that_is_full_is_no_reason_to_change_anything() {
    commands(&[], "p *\nd *\nq\n")
        .wrapped(["/bin/sh", "-c", "exec \"$@\" >/dev/full", "sh"])
        .status(74)
        .says("cannot write the output")
        .may_change("cwd/box")
        .run();
}

#[test]
fn a_person_deletes_and_takes_back() {
    Case::new()
        .args(["-N", "-S", "quiet", "-f", "box"])
        .file("cwd/box", three())
        .leaves("cwd/box", [one_old(), TWO.to_owned()].concat())
        .at_terminal(|terminal| {
            terminal.sees("? ");
            terminal.types("d *\n");
            terminal.sees("? ");
            terminal.types("u 1 2\n");
            terminal.sees("? ");
            terminal.types("f :d\n");
            terminal.sees(" D  3 c@example.org");
            terminal.sees("? ");
            terminal.types("q\n");
            terminal.sees("deleted 1, 2 left in box");
        });
}

#[test]
fn a_quit_that_fails_at_a_terminal_does_not_leave() {
    Case::new()
        .args(["-N", "-S", "quiet", "-S", "lock-timeout=1", "-f", "box"])
        .file("cwd/box", three())
        .file("cwd/box.lock", "0\n")
        .at_terminal(|terminal| {
            terminal.sees("? ");
            terminal.types("d 1\n");
            terminal.sees("? ");
            terminal.types("q\n");
            terminal.sees("cannot lock box");
            terminal.sees("hint: type x to leave");
            terminal.sees("? ");
            terminal.types("=\n");
            terminal.sees("2");
            terminal.sees("? ");
            terminal.types("x\n");
        });
}

#[test]
fn a_signal_at_the_prompt_ends_the_reader_and_changes_nothing() {
    for signal in [Signal::SIGTERM, Signal::SIGHUP] {
        Case::new()
            .args(["-N", "-S", "quiet", "-f", "box"])
            .file("cwd/box", three())
            .status(128 + signal as i32)
            .at_terminal(|terminal| {
                terminal.sees("? ");
                terminal.types("d *\n");
                terminal.sees("? ");
                // Keys that are typed are in the hands of the line editor.
                terminal.types("p");
                terminal.sees("p");
                terminal.signals(signal);
            });
    }
}

#[test]
fn a_message_that_stood_first_without_a_date_stays_a_message_elsewhere() {
    let text =
        "From here on\nFrom: a@example.org\nDate: Mon, 16 Nov 2026 09:00:00 +0000\n\nbody\n\n";
    let from = "From a@example.org Mon Nov 16 09:00:00 2026\n";
    let saved = [ONE, &text.replacen("From here on\n", from, 1)].concat();
    commands(&[], "s 1 folder\nd 1\nq\n")
        .file("cwd/box", text)
        .file("cwd/folder", ONE)
        .leaves("cwd/folder", saved)
        .leaves("cwd/box", "")
        .any_stdout()
        .run();
}

/// Saves a message into a new mailbox under strace with these faults, and returns the trace.
fn saved_with_faults(faults: &[&str]) -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let at = |name: &str| directory.path().join(name);
    fs::write(at("box"), ONE).expect("written");
    let mut strace = Command::new("/usr/bin/strace");
    strace.args(["-f", "-qq", "-o", "trace"]);
    strace.args(["-e", "trace=openat,renameat2,linkat,syncfs,fsync"]);
    for fault in faults {
        strace.args(["-e", fault]);
    }
    let script = "printf 'c 1 arch\\nx\\n' | exec \"$@\"";
    let ran = Command::new("/bin/sh")
        .args(["-c", script, "sh"])
        .arg(strace.get_program())
        .args(strace.get_args())
        .arg(crate::case::program())
        .args(["mailx", "-n", "-N", "-f", "box"])
        .env_clear()
        .env("HOME", directory.path())
        .env("MAILRC", "/dev/null")
        .current_dir(directory.path())
        .output()
        .expect("it runs");
    assert!(ran.status.success(), "{faults:?}: {ran:?}");
    // It is whole, and nothing else is left.
    assert_eq!(fs::read_to_string(at("arch")).expect("made"), ONE);
    let mut names: Vec<_> = fs::read_dir(directory.path())
        .expect("listed")
        .map(|entry| entry.expect("a name").file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["arch", "box", "trace"], "{faults:?}");
    fs::read_to_string(at("trace")).expect("a trace")
}

/// As [`saved_with_faults`]; an open whose line in the trace holds this text fails as well.
///
/// strace fails a call by its number, and what others have in `/var/tmp` changes how many come
/// before it: so the number is looked up again until it was right.
fn saved_with_failing_open(text: &str, errno: &str, faults: &[&str]) -> String {
    let nth = |trace: &str| {
        let mut opens = trace.lines().filter(|line| line.contains("openat("));
        opens.position(|line| line.contains(text)).map(|at| at + 1)
    };
    for _ in 0..10 {
        let number = nth(&saved_with_faults(&[])).expect("the file is opened");
        let fault = format!("inject=openat:error={errno}:when={number}");
        let trace = saved_with_faults(&[&[fault.as_str()], faults].concat());
        if nth(&trace) == Some(number) {
            return trace;
        }
    }
    panic!("the calls before {text} are never the same");
}

#[test]
fn a_new_mailbox_is_made_and_synced_whatever_the_file_system_lacks() {
    if !std::path::Path::new("/usr/bin/strace").exists() {
        return crate::launch::left_out("file systems that lack a call", "needs strace");
    }
    let trace = saved_with_faults(&[]);
    assert!(!trace.contains("syncfs("), "{trace}");
    let unlinked = "inject=linkat:error=EPERM";
    for errno in ["EOPNOTSUPP", "EINVAL", "EISDIR", "ENOENT"] {
        let nameless = |faults: &[&str]| saved_with_failing_open("O_TMPFILE", errno, faults);
        let trace = nameless(&[]);
        assert!(trace.contains("renameat2("), "{errno}: {trace}");
        for rename in ["EINVAL", "ENOSYS"] {
            let renamed = format!("inject=renameat2:error={rename}");
            let trace = nameless(&[&renamed]);
            let linked = trace.lines().any(|line| {
                line.contains("link") && line.contains("\"arch\"") && !line.contains("/proc/")
            });
            assert!(linked, "{errno}, {rename}: {trace}");
            // Nor has it links: then the name comes first.
            let trace = nameless(&[&renamed, unlinked]);
            let made = trace.lines().any(|line| {
                line.contains("openat(") && line.contains("\"arch\"") && line.contains("O_EXCL")
            });
            assert!(made, "{errno}, {rename}: {trace}");
        }
    }
    // A directory that we may not read is synced with its whole file system.
    let trace = saved_with_failing_open("\".\", O_RDONLY|O_CLOEXEC)", "EACCES", &[]);
    assert!(trace.contains("syncfs("), "{trace}");
}
