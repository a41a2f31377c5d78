//! The rules for mailboxes, row by row: what is kept, what is written, what is left alone. Those that
//! other files of tests show stand there under their numbers.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::case::Case;
use crate::mailboxes::{ONE, TWO};

fn old(message: &str) -> String {
    message.replacen("\n\n", "\nStatus: O\n\n", 1)
}

fn over(mbox: impl AsRef<[u8]>, commands: &str) -> Case {
    Case::new()
        .args(["-N", "-S", "quiet", "-f", "box"])
        .file("cwd/box", mbox)
        .stdin(commands)
}

// MB04
#[test]
fn the_status_field_is_all_that_changes_of_a_message() {
    let with = |field: &str| ONE.replacen("\n\n", &format!("\n{field}X-After: x\n\n"), 1);
    for (before, command, after) in [
        ("Status: O\n", "seen 1", "Status: RO\n"),
        ("Status: RO\n", "U 1", "Status: O\n"),
        ("Status: OR\n", "p 1", "Status: OR\n"),
        ("STATUS:  ROX\n", "U 1", "STATUS:  OX \n"),
        ("X-Status: D\n", "u 1", "Status: O\n"),
    ] {
        let ran = over(with(before), &format!("{command}\nq\n"))
            .may_change("cwd/box")
            .any_stdout()
            .run();
        let left = String::from_utf8(ran.read("cwd/box")).unwrap();
        let fields: String = left
            .lines()
            .filter(|line| line.to_ascii_lowercase().contains("status:"))
            .map(|line| format!("{}\n", line.trim_end()))
            .collect();
        assert_eq!(fields, after.replace(" \n", "\n"), "{before:?} {command}");
    }
}

// MB05 MB06
#[test]
fn fields_of_other_programs_are_read_and_kept_and_never_added() {
    let theirs = ONE.replacen(
        "\n\n",
        "\nX-UID: 4\nX-IMAPbase: 12 34\nX-Keywords: a\nContent-Length: 14\nLines: 1\nX-Status: AF\n\n",
        1,
    );
    let left = theirs.replacen("X-Status: AF\n\n", "X-Status: AF\nStatus: RO\n\n", 1);
    let ran = over([&theirs, TWO].concat(), "f 1\np 1\nq\n")
        .leaves("cwd/box", [&left, TWO].concat())
        .any_stdout()
        .run();
    assert!(ran.stdout().starts_with(">N  1") || ran.stdout().starts_with(">A  1"));
    over([ONE, TWO].concat(), "d 2\nq\n")
        .leaves("cwd/box", old(ONE))
        .any_stdout()
        .run();
}

// MB05
#[test]
fn the_status_of_thunderbird_is_read_and_its_bytes_stay() {
    let with = |bits: &str| {
        ONE.replacen(
            "From: ",
            &format!("X-Mozilla-Status: {bits}\nX-Mozilla-Status2: 00000000\nFrom: "),
            1,
        )
    };
    let mbox = [
        with("0000"),
        with("0001"),
        with("0003"),
        with("0005"),
        with("0008"),
    ]
    .concat();
    let ran = over(&mbox, "f *\nf :r\nd 1\nu 1\nx\n").any_stdout().run();
    let stdout = ran.stdout();
    let letters: String = stdout
        .lines()
        .filter_map(|line| line.chars().nth(1))
        .collect();
    assert_eq!(letters, "N AFD AF", "{stdout}");
    // What is marked here is written to Status, and counts from then on.
    let read = with("0001");
    let unread = read.replacen("\n\n", "\nStatus: O\n\n", 1);
    over(&read, "U 1\nq\n")
        .leaves("cwd/box", &unread)
        .any_stdout()
        .run();
    over(&unread, "f 1\nq\n").stdout_contains(">U  1 ").run();
    over(&read, "p 1\nq\n").any_stdout().run();
}

// MB07 MB13
#[test]
fn looking_writes_nothing_and_a_change_keeps_the_file_itself() {
    let ran = over([ONE, TWO].concat(), "p *\nd *\nx\n")
        .any_stdout()
        .run();
    let inode = |case: &crate::case::Ran| ran_metadata(case).ino();
    let before = inode(&ran);
    let ran = ran
        .again()
        .args(["-N", "-S", "quiet", "-f", "box"])
        .stdin("d 1\nq\n")
        .leaves("cwd/box", TWO)
        .any_stdout()
        .run();
    assert_eq!(inode(&ran), before);
}

fn ran_metadata(ran: &crate::case::Ran) -> fs::Metadata {
    ran.path("cwd/box").metadata().unwrap()
}

// MB08 MB09 MB10
#[test]
fn messages_are_told_apart_copied_byte_for_byte_and_appended_behind_a_blank_line() {
    let quoted = ONE.replacen("/dev/sda1", ">From here on\nFrom the text\n/dev/sda1", 1);
    let mbox = [&quoted, TWO].concat();
    let ran = over(&mbox, "f *\nc * out\nd 2\nq\n")
        .file("cwd/out", TWO.trim_end())
        .leaves("cwd/box", quoted.replacen("\n\n", "\nStatus: RO\n\n", 1))
        .leaves("cwd/out", [TWO.trim_end(), "\n\n", &mbox].concat())
        .any_stdout()
        .run();
    assert_eq!(ran.stdout().matches("@example.org ").count(), 2);
    over(fs::read(ran.path("cwd/out")).unwrap(), "f *\nx\n")
        .stdout_contains("    3 bob@example.org")
        .run();
}

// MB12 MB02
#[test]
fn mail_that_arrives_while_the_mailbox_is_open_stays() {
    for (commands, told) in [("d 1\nq\n", "deleted 1, 1 left in box"), ("q\n", "")] {
        let case = Case::new()
            .args(["-N", "-S", "quiet", "-f", "box"])
            .file("cwd/box", [ONE, TWO].concat());
        let path = case.path("cwd/box");
        let mut left = vec![old(ONE), TWO.to_owned(), TWO.to_owned()];
        if commands.starts_with('d') {
            left.remove(0);
        }
        case.leaves("cwd/box", left.concat())
            .at_terminal(|terminal| {
                terminal.sees("? ");
                terminal.waits();
                let before = fs::read(&path).unwrap();
                fs::write(&path, [&before, TWO.as_bytes()].concat()).unwrap();
                terminal.types(commands);
                terminal.sees("New mail has arrived.");
                terminal.sees(told);
            });
    }
}

// MB15 MB02
#[test]
fn patterns_mean_the_one_file_that_fits() {
    over(ONE, "file m*l/k?pt\nfile\nfile [a-c]ox\nfile\nx\n")
        .file("cwd/mail/kept", TWO)
        .may_change("cwd/box")
        .stdout("\"box\" complete\n\"mail/kept\": 1 message\n\"box\": 1 message 1 unread\n")
        .run();
    Case::new()
        .args(["-H", "-f", "b*"])
        .file("cwd/box", TWO)
        .stdout_contains("bob@example.org")
        .run();
    over(ONE, "s 1 *.mbox\nd 1\nq\n")
        .file("cwd/a.mbox", TWO)
        .file("cwd/b.mbox", TWO)
        .status(66)
        .stderr_contains("several files fit, a.mbox and b.mbox among them")
        .run();
    // Without such a file it is a name, as in the shell; with a file of that name it is that one.
    over(ONE, "c 1 new*\nc 1 new*\nx\n")
        .file("cwd/newer", TWO)
        .leaves("cwd/newer", [TWO, ONE, ONE].concat())
        .any_stdout()
        .run();
    over(ONE, "c 1 x*\nfile nothing*\nd 1\nq\n")
        .leaves("cwd/x*", ONE)
        .status(66)
        .stderr_contains("cannot open nothing*")
        .any_stdout()
        .run();
}

// MB19 MB18
#[test]
fn a_file_that_is_one_message_is_a_mailbox_of_one_that_stays_as_it_is() {
    let (_, eml) = ONE.split_once('\n').unwrap();
    let eml = format!("X-Mozilla-Status: 0001\n{eml}From here on\n>From there\n");
    let case = |args: &[&str]| Case::new().args(args).file("cwd/x.eml", &eml);
    case(&["-H", "-f", "x.eml"])
        .stdout_contains(">   1 alice@example.org  Mon Nov 16 09:00   11/201")
        .run();
    case(&["-e", "-f", "x.eml"]).run();
    let ran = case(&["-N", "-f", "x.eml"])
        .stdin("p 1\nc 1 out\nd 1\nq\n")
        .status(77)
        .stderr("The mailbox is open read-only\n")
        .stdout_contains("\"x.eml\": 1 message [Read only]\n")
        .may_change("cwd/out")
        .run();
    assert!(
        ran.stdout().contains("\nFrom here on\n>From there\n"),
        "{}",
        ran.stdout()
    );
    let out = String::from_utf8(ran.read("cwd/out")).unwrap();
    assert!(
        out.starts_with("From alice@example.org Mon Nov 16 09:00:00 2026\n"),
        "{out}"
    );
    assert!(out.contains("\n>From here on\n>>From there\n"), "{out}");
    for args in [
        &["show", "1", "--file", "x.eml"][..],
        &["list", "--file", "x.eml"],
    ] {
        case(args)
            .called("postrider")
            .stdout_contains("Disk almost full")
            .run();
    }
    let ran = case(&["show", "1", "--raw", "--file", "x.eml"])
        .called("postrider")
        .stdout(&eml)
        .run();
    drop(ran);
    for args in [
        &["delete", "1", "--file", "x.eml"][..],
        &["mark", "--flag", "1", "--file", "x.eml"],
    ] {
        case(args)
            .called("postrider")
            .status(77)
            .says("it is a single message and no mailbox, and so read-only")
            .any_stdout()
            .run();
    }
    // Nothing is appended to it.
    case(&["-N", "-f", "box"])
        .file("cwd/box", TWO)
        .stdin("s 1 x.eml\nd 1\nq\n")
        .fails()
        .any_stderr()
        .any_stdout()
        .run();
}

// MB19
#[test]
fn what_is_no_mailbox_takes_no_message_and_the_message_stays() {
    for (target, why) in [
        ("dir", "directory"),
        ("fifo", "FIFO"),
        ("text", "mbox"),
        ("no/such", "No such file or directory"),
        ("''", "no mailbox was given"),
    ] {
        over(ONE, &format!("s 1 {target}\nd 1\nq\n"))
            .directory("cwd/dir")
            .fifo("cwd/fifo")
            .file("cwd/text", "no mail\n")
            .fails()
            .stderr_contains(why)
            .stderr_contains("\"d 1\" is not carried out")
            .any_stdout()
            .run();
    }
    // The open mailbox itself takes a copy, as new mail.
    over([ONE, TWO].concat(), "c 1 box\nd 1\nq\n")
        .leaves("cwd/box", [TWO, ONE].concat())
        .stdout("\"box\" [Appended] 9/201\nNew mail has arrived.\n\"box\" complete\n")
        .run();
}

// MB20
#[test]
fn odd_bytes_are_copied_as_they_are() {
    let line = "x".repeat(1 << 20);
    let odd: Vec<u8> = [
        b"From a@x Mon Nov 16 09:00:00 2026\r\nSubject: odd\r\n\r\n\0 \xff \x1b[31m\r\n".as_slice(),
        line.as_bytes(),
        b"\r\nno end",
    ]
    .concat();
    over([ONE.as_bytes(), &odd].concat(), "c 2 out\nd 1\nq\n")
        .leaves("cwd/out", [&odd, b"\n\n".as_slice()].concat())
        .may_change("cwd/box")
        .any_stdout()
        .run();
    over(&odd, "p 1\nx\n").any_stdout().run();
}

// MB23
#[test]
fn shells_still_see_that_new_mail_is_there() {
    // A shell takes a mailbox that was modified after its last access for one with new mail.
    let script = "/usr/bin/touch -a -d '-2 hours' box; /usr/bin/touch -m -d '-1 hour' box; \
        \"$@\" >/dev/null; \
        if [ $(/usr/bin/stat -c %X box) -lt $(/usr/bin/stat -c %Y box) ]; then echo new; else echo seen; fi";
    for (commands, expected) in [
        ("p 1\nx\n", "new\n"),
        ("p 1\nq\n", "seen\n"),
        ("new 1\nd 2\nq\n", "new\n"),
    ] {
        over([ONE, TWO].concat(), commands)
            .wrapped(["/bin/sh", "-c", script, "sh"])
            .may_change("cwd/box")
            .stdout(expected)
            .run();
    }
}

// MB16 var:append
#[test]
fn messages_go_behind_those_of_mbox_or_before_them_by_append() {
    let quoted = ONE.replacen("/dev/sda1", ">From here\n/dev/sda1", 1);
    for (rc, is_behind) in [
        ("set nohold", true),
        ("set nohold noappend", false),
        ("set posix", false),
        ("set posix append", true),
    ] {
        let case = Case::new().args(["-N", "-S", "quiet"]).stdin("p 1 2\nq\n");
        let path = format!("spool/{}", case.user());
        let moved = [
            quoted.replacen("\n\n", "\nStatus: RO\n\n", 1),
            TWO.to_owned(),
        ]
        .concat();
        let there = "From x@y Mon Nov 16 09:00:00 2026\nSubject: there\n\nno end";
        let left = if is_behind {
            [there, "\n\n", &moved].concat()
        } else {
            [&moved, there].concat()
        };
        let ran = case
            .file(&path, [&quoted, TWO, ONE].concat())
            .file("home/mbox", there)
            .rc(rc)
            .leaves(&path, old(ONE))
            .leaves("home/mbox", left)
            .any_stdout()
            .run();
        assert!(
            ran.stdout()
                .contains("Saved 2 messages in [DIR]/home/mbox\n"),
            "{rc}"
        );
    }
    // Without room nothing changes.
    let case = Case::new().args(["-N", "-S", "quiet"]).stdin("p 1\nq\n");
    let path = format!("spool/{}", case.user());
    case.file(&path, ONE)
        .file("home/mbox", TWO.repeat(4))
        .rc("set posix")
        .wrapped(["/bin/sh", "-c", "ulimit -f 2; exec \"$@\"", "sh"])
        .status(74)
        .says("cannot write [DIR]/home/mbox: File too large")
        .any_stdout()
        .run();
    // What is no mailbox is not touched, and the messages stay.
    let case = Case::new().args(["-N", "-S", "quiet"]).stdin("p 1\nq\n");
    let path = format!("spool/{}", case.user());
    case.file(&path, ONE)
        .file("home/mbox", "notes\n")
        .rc("set posix")
        .fails()
        .stderr_contains("not an mbox")
        .any_stdout()
        .run();
}

// MB02 var:keep
#[test]
fn a_system_mailbox_that_became_empty_stays_or_goes_by_keep() {
    for (rc, stays) in [
        ("", true),
        ("set nokeep", false),
        ("set posix", false),
        ("set posix keep", true),
    ] {
        let case = Case::new().args(["-N", "-S", "quiet"]).stdin("d *\nq\n");
        let path = format!("spool/{}", case.user());
        let ran = case
            .file(&path, TWO)
            .rc(rc)
            .may_change(&path)
            .any_stdout()
            .run();
        assert_eq!(ran.path(&path).exists(), stays, "{rc}");
    }
}

// MB02 var:keepsave var:hold
#[test]
fn saved_and_read_messages_stay_by_keepsave_and_hold() {
    for (rc, left) in [
        ("", 3),
        ("set nokeepsave", 2),
        ("set nohold", 1),
        ("set nohold nokeepsave", 1),
        ("set posix", 1),
        ("set posix hold", 2),
        ("set posix hold keepsave", 3),
    ] {
        let case = Case::new()
            .args(["-N", "-S", "quiet"])
            .stdin("s 1 out\np 2\nq\n");
        let path = format!("spool/{}", case.user());
        let ran = case
            .file(&path, [ONE, TWO, ONE].concat())
            .rc(rc)
            .may_change(&path)
            .may_change("cwd/out")
            .may_change("home/mbox")
            .any_stdout()
            .run();
        let text = String::from_utf8(ran.read(&path)).unwrap();
        assert_eq!(text.matches("\nMessage-ID: ").count(), left, "{rc}");
    }
}

#[test]
fn a_mailbox_that_vanishes_shrinks_or_is_replaced_loses_nothing() {
    let carol = ONE.replace("alice", "carol").replace("<1@", "<3@");
    // What another program does while the mailbox is open, and what is there after `d 1` and `q`.
    type Change = fn(&std::path::Path, &str);
    let rows: [(&str, Change, Option<String>); 4] = [
        ("vanishes", |path, _| fs::remove_file(path).unwrap(), None),
        (
            "shrinks",
            |path, _| fs::write(path, TWO).unwrap(),
            Some(TWO.to_owned()),
        ),
        (
            "is another one",
            |path, carol| {
                fs::remove_file(path).unwrap();
                fs::write(path, carol).unwrap();
            },
            Some(carol.clone()),
        ),
        (
            "is a directory",
            |path, _| {
                fs::remove_file(path).unwrap();
                fs::create_dir(path).unwrap();
            },
            None,
        ),
    ];
    for (what, change, left) in rows {
        let case = Case::new()
            .args(["-N", "-S", "quiet", "-f", "box"])
            .file("cwd/box", [ONE, TWO].concat())
            .any_status()
            .may_change("cwd/box");
        let path = case.path("cwd/box");
        let ran = case.at_terminal(|terminal| {
            terminal.sees("? ");
            terminal.types("d 1\n");
            terminal.sees("message 1 deleted");
            terminal.waits();
            change(&path, &carol);
            terminal.types("p 2\nq\n");
            terminal.types("x\n");
        });
        let found = fs::read_to_string(ran.path("cwd/box")).ok();
        assert_eq!(found, left, "{what}: {}", ran.stdout());
    }
}

#[test]
fn numbers_of_any_size_name_no_message_that_is_not_there() {
    for list in [
        "0",
        "99999999999999999999999999",
        "1-99999999999999999999999999",
        "-1",
        "2-",
        "18446744073709551616",
        "4294967297",
    ] {
        for command in ["d", "s", "mv", "u", "flag"] {
            let file = if matches!(command, "s" | "mv") {
                " out"
            } else {
                ""
            };
            over(TWO, &format!("{command} {list}{file}\nd 1\nq\n"))
                .status(64)
                .any_stderr()
                .any_stdout()
                .run();
        }
    }
}
