//! The commands that mark and store messages, and what they say: little to a script, more to a person.

use std::os::unix::fs::PermissionsExt;

use crate::case::Case;
use crate::mailboxes::{ONE, TWO};

/// A third message, with flags that other programs have set.
const THREE: &str = "From carol@example.org Wed Nov 18 09:00:00 2026\n\
    From: carol@example.org\nSubject: third\nX-UID: 17\nX-Keywords: work\nStatus: RO\n\
    X-Status: A\nContent-Length: 6\n\nthree\n\n";

fn old(message: &str) -> String {
    message.replacen("\n\n", "\nStatus: O\n\n", 1)
}

fn read(message: &str) -> String {
    message.replacen("\n\n", "\nStatus: RO\n\n", 1)
}

/// Three messages in `box`, and these commands from a pipe.
fn over(commands: &str) -> Case {
    Case::new()
        .args(["-N", "-S", "quiet", "-f", "box"])
        .file("cwd/box", [ONE, TWO, THREE].concat())
        .stdin(commands)
}

/// The same in the system mailbox, and its path.
fn at_home(commands: &str) -> (Case, String) {
    let case = Case::new().args(["-N", "-S", "quiet"]).stdin(commands);
    let path = format!("spool/{}", case.user());
    let case = case.file(&path, [ONE, TWO, THREE].concat());
    (case, path)
}

/// Returns the letters of the header lines that these commands lead to.
fn letters(commands: &str) -> String {
    let (case, path) = at_home(&format!("{commands}f * :d\nx\n"));
    let ran = case
        .may_change("cwd/out")
        .may_change("home/mbox")
        .any_stdout()
        .run();
    let stdout = ran.stdout();
    assert!(ran.path(&path).exists());
    let is_header = |line: &&str| line.contains("example.org ") && line.starts_with([' ', '>']);
    let lines = stdout.lines().filter(is_header);
    lines.filter_map(|line| line.chars().nth(1)).collect()
}

// MB01 K61 K17 K21 K30 K05
#[test]
fn the_header_lines_tell_the_state_of_each_message() {
    for (commands, expected) in [
        ("", "N A"),
        ("p 1\n", "R A"),
        ("ho 2\n", "NPA"),
        ("pre 2\n", "NPA"),
        ("s 2 out\n", "N*A"),
        ("mb 2\n", "NMA"),
        ("d 2\n", "NDA"),
        ("U 2\n", "NUA"),
        ("new 2\n", "NNA"),
        ("seen 1\n", "  A"),
        ("flag 2\n", "NFA"),
        ("flag 2\nunflag 2\n", "N A"),
        ("answered 2\n", "NAA"),
        ("unanswered 3\n", "N  "),
        ("draft 2\n", "NTA"),
        ("draft 2\nundraft 2\n", "N A"),
        ("d *\nu 1\nu *\n", "N A"),
    ] {
        assert_eq!(letters(commands), expected, "{commands:?}");
    }
}

// K61 MB05 MB04 MB06
#[test]
fn flags_are_written_and_no_other_byte_of_the_header_changes() {
    let flagged = THREE.replacen("X-Status: A", "X-Status: AF", 1);
    over("flag 3\nq\n")
        .leaves("cwd/box", [old(ONE), TWO.to_owned(), flagged].concat())
        .stdout("\"box\" complete\n")
        .run();
    let drafted = TWO.replacen("\n\n", "\nX-Status: T\n\n", 1);
    over("draft 2\nunanswered 3\nseen 1\nq\n")
        .leaves(
            "cwd/box",
            [read(ONE), drafted, THREE.replacen("X-Status: A\n", "", 1)].concat(),
        )
        .stdout("\"box\" complete\n")
        .run();
}

// K05 K07 L17
#[test]
fn delete_makes_the_next_message_current_and_dp_shows_it() {
    over("d 1\n=\nd 3\n=\nx\n").stdout("2\n2\n").run();
    let ran = over("dp 1\ndt 2 3\nx\n").any_stdout().run();
    let stdout = ran.stdout();
    assert!(stdout.starts_with("Message 2:\n"), "{stdout}");
    assert!(stdout.ends_with("No more messages\n"), "{stdout}");
    let ran = over("d 1\nx\n").rc("set autoprint").any_stdout().run();
    assert!(ran.stdout().starts_with("Message 2:\n"));
}

// K38
#[test]
fn undelete_without_a_list_takes_the_next_deleted_message() {
    over("d 1 3\nu\n=\nu\n=\nu\nx\n")
        .stdout("3\n1\n")
        .stderr("No applicable messages\n")
        .run();
    over("d 2\nu 1\nx\n")
        .stderr("1: Inappropriate message\n")
        .run();
    // POSIX: what was undeleted counts as read.
    let (case, path) = at_home("d 1\nu 1\nq\n");
    case.rc("set posix")
        .leaves(&path, [TWO, THREE].concat())
        .leaves("home/mbox", read(ONE))
        .any_stdout()
        .run();
}

// K30 K04 MB14
#[test]
fn save_and_copy_append_and_say_lines_and_bytes() {
    let ran = over("s 1 kept\nc 2-3 kept\nfile\ns 'my box'\nc\nC 1\nS 2\nx\n")
        .env("MBOX", "[DIR]/cwd/read")
        .stdout(
            "\"kept\" [New file] 9/201\n\"kept\" [Appended] 21/392\n\
             \"box\": 3 messages 1 saved\n\"my box\" [New file] 11/163\n\
             \"[DIR]/cwd/read\" [New file] 11/163\n\"alice\" [New file] 9/201\n\
             \"bob\" [New file] 10/229\n",
        )
        .leaves("cwd/kept", [ONE, TWO, THREE].concat())
        .leaves("cwd/my box", THREE)
        .leaves("cwd/read", THREE)
        .leaves("cwd/alice", ONE)
        .leaves("cwd/bob", TWO)
        .run();
    for name in ["kept", "my box", "alice"] {
        let mode = ran
            .path(&format!("cwd/{name}"))
            .metadata()
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

// K30 var:outfolder var:folder
#[test]
fn files_named_after_an_author_are_in_the_folder_with_outfolder() {
    over("S 1\nC 2\nMove 3\nx\n")
        .rc("set folder=mail outfolder")
        .directory("home/mail")
        .leaves("home/mail/alice", ONE)
        .leaves("home/mail/bob", TWO)
        .leaves("home/mail/carol", THREE)
        .any_stdout()
        .run();
}

// K67
#[test]
fn move_appends_and_deletes_and_deletes_nothing_that_it_could_not_append() {
    for command in ["move", "mv"] {
        over(&format!("{command} 1 3 kept\n=\nq\n"))
            .leaves("cwd/box", TWO)
            .leaves("cwd/kept", [ONE, THREE].concat())
            .stdout("\"kept\" [New file] 20/364\n2\n\"box\" complete\n")
            .run();
    }
    over("Mv 1\nq\n")
        .leaves("cwd/box", [TWO, THREE].concat())
        .leaves("cwd/alice", ONE)
        .any_stdout()
        .run();
    over("mv 1 no/such/file\nd *\nq\n")
        .status(73)
        .any_stderr()
        .run();
    over("")
        .args(["-R"])
        .stdin("mv 1 kept\nq\n")
        .status(77)
        .stderr("The mailbox is open read-only\n")
        .run();
}

// K17 K21 K36
#[test]
fn hold_mbox_and_touch_are_for_the_system_mailbox() {
    for command in ["ho 1", "pre 1", "mb 1", "tou 1"] {
        over(&format!("{command}\nd 2\nq\n"))
            .status(64)
            .stderr_contains("only for messages of a system mailbox")
            .run();
        // The same file under the rules of one.
        let ran = Case::new()
            .args(["-N", "-S", "quiet", "-f", "%:box"])
            .file("cwd/box", [ONE, TWO].concat())
            .stdin(format!("{command}\nq\n"))
            .may_change("cwd/box")
            .may_change("home/mbox")
            .any_stdout()
            .run();
        assert_eq!(
            ran.path("home/mbox").exists(),
            command == "mb 1",
            "{command}"
        );
    }
}

// K17
#[test]
fn hold_overrides_a_deletion_under_the_rules_of_posix_alone() {
    let (case, path) = at_home("d 1\nho 1\nq\n");
    case.rc("set posix")
        .leaves(&path, [&old(ONE), TWO, THREE].concat())
        .any_stdout()
        .run();
    let (case, path) = at_home("d 1\nho 1\nq\n");
    case.leaves(&path, [TWO, THREE].concat())
        .stderr("1: Inappropriate message\n")
        .any_stdout()
        .run();
}

// K21 K36 MB16
#[test]
fn mbox_moves_now_and_touch_moves_where_hold_is_not_set() {
    let (case, path) = at_home("mb 2\nq\n");
    case.leaves(&path, [&old(ONE), THREE].concat())
        .leaves("home/mbox", TWO)
        .any_stdout()
        .run();
    let (case, path) = at_home("tou 3\nq\n");
    case.rc("set nohold")
        .leaves(&path, [&old(ONE), TWO].concat())
        .leaves("home/mbox", THREE)
        .stdout_contains("Saved 1 message in [DIR]/home/mbox\nHeld 2 messages in ")
        .run();
}

// K33
#[test]
fn size_says_lines_and_bytes() {
    over("size *\nsi 2\nx\n")
        .stdout("1: 9/201\n2: 10/229\n3: 11/163\n2: 10/229\n")
        .run();
}

// K10 K26 MB07
#[test]
fn exit_changes_nothing_and_quit_and_the_end_of_the_input_write() {
    for leave in ["x", "ex", "exit", "xit"] {
        over(&format!("d 1\nflag 2\np 3\n{leave}\n"))
            .any_stdout()
            .run();
    }
    for leave in ["q\n", "quit\n", ""] {
        over(&format!("d 1\n{leave}"))
            .leaves("cwd/box", [TWO, THREE].concat())
            .stdout("\"box\" complete\n")
            .run();
    }
}

#[test]
fn undo_takes_back_one_command_after_the_other() {
    over("d 1\nflag 2\nd 2 3\nundo\nundo\nundo\nundo\nfile\nf\nx\n")
        .stdout(
            "took back \"d 2 3\": 2 messages\ntook back \"flag 2\": 1 message\n\
             took back \"d 1\": 1 message\n\"box\": 3 messages 1 new 1 unread\n\
             >N  1 alice@example.org  Mon Nov 16 09:00    9/201   Disk almost full\n",
        )
        .stderr("There is nothing to take back\n")
        .run();
    // What was read meanwhile stays read, and a copy stays where it is.
    let ran = over("seen 1\nundo\nd 1\nu 1\np 1\nundo\nundo\nmv 2 kept\nundo\nq\n")
        .leaves("cwd/box", [&read(ONE), TWO, THREE].concat())
        .leaves("cwd/kept", TWO)
        .any_stdout()
        .run();
    assert!(
        ran.stdout()
            .contains("took back \"mv 2 kept\": 1 message\n")
    );
    // It is a change like another one: after a failure it is held back.
    over("d 1\nnonsense\nundo\nq\n")
        .status(64)
        .any_stderr()
        .run();
}

#[test]
fn a_person_is_told_what_was_done() {
    let many: String = (0..30)
        .map(|number| ONE.replace("1@example.org", &format!("{number}@example.org")))
        .collect();
    Case::new()
        .args(["-N", "-S", "quiet", "-f", "box"])
        .file("cwd/box", &many)
        .may_change("cwd/box")
        .may_change("cwd/x")
        .at_terminal(|terminal| {
            terminal.sees("? ");
            for (keys, told) in [
                ("s 1-3 x\n", "saved 3 messages to new file x (603 bytes)"),
                ("c 1-8 x\n", "copied 8 messages to x (1.6 kB)"),
                ("mv 4 x\n", "moved message 4 to x (201 bytes)"),
                ("u 1\n", "1 is not deleted"),
                ("undo\n", "took back \"mv 4 x\": 1 message"),
                ("d :n /disk\n", "30 deleted, u * takes them back"),
            ] {
                terminal.types(keys);
                terminal.sees(told);
            }
            terminal.sees("hint: \":n /disk\" names the messages of each of its words; search :n and /disk finds");
            terminal.sees("? ");
            for (keys, told) in [
                ("u *\n", "30 are back"),
                ("d 1-25\n", "25 deleted, u * takes them back"),
                // Here `u *` would take back all 28.
                ("d 26-28\n", "3 deleted, undo takes them back"),
                ("undo\n", "took back \"d 26-28\": 3 messages"),
                ("q\n", "deleted 25, 5 left in box"),
            ] {
                terminal.types(keys);
                terminal.sees(told);
            }
        });
}
