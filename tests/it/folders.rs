//! The commands that choose the mailbox, in a script and at a terminal.

use std::fs;
use std::path::Path;

use crate::case::Case;
use crate::mailboxes::{ONE, TWO};

/// A message as it is when it was seen in a list.
fn old(message: &str) -> String {
    message.replacen("\n\n", "\nStatus: O\n\n", 1)
}

/// Two mailboxes, and these commands from a pipe over the first.
fn over(commands: &str) -> Case {
    Case::new()
        .args(["-N", "-S", "quiet", "-f", "box"])
        .file("cwd/box", [ONE, TWO].concat())
        .file("cwd/other", [TWO, ONE, ONE].concat())
        .stdin(commands)
}

// K11
#[test]
fn file_leaves_the_mailbox_as_quit_does_and_opens_the_other() {
    over("d 2\nfile other\n=\nd 1\nfile box\n=\nq\n")
        .leaves("cwd/box", old(ONE))
        .leaves("cwd/other", [old(ONE), old(ONE)].concat())
        .stdout("\"box\" complete\n2\n\"other\" complete\n1\n")
        .run();
    over("fold other\nx\n")
        .leaves("cwd/box", [old(ONE), TWO.to_owned()].concat())
        .stdout("\"box\" complete\n")
        .run();
    // Without `quiet` and with the headers, as at the start.
    Case::new()
        .args(["-f", "box"])
        .file("cwd/box", TWO)
        .file("cwd/other", [TWO, ONE].concat())
        .stdin("file other\nx\n")
        .stdout_contains(
            "\n\"other\": 2 messages 1 new 1 unread\n    1 bob@example.org    Tue Nov 17 10:30",
        )
        .run();
}

// K11
#[test]
fn file_alone_says_which_mailbox_is_open_and_what_was_done_to_it() {
    over("file\nd 2\ns 1 copy\nfolder\nx\n")
        .stdout(
            "\"box\": 2 messages 1 new 1 unread\n\"copy\" [New file] 9/201\n\
            \"box\": 2 messages 1 deleted 1 saved\n",
        )
        .leaves("cwd/copy", ONE)
        .run();
}

// K11 MB15
#[test]
fn every_kind_of_name_opens_its_mailbox() {
    let case = Case::new()
        .args(["-N", "-f", "box"])
        .rc("set folder=mail place=[DIR]/cwd/place quiet")
        .env("MBOX", "[DIR]/home/read");
    let system = format!("spool/{}", case.user());
    let user = case.user();
    let commands = [
        "%".to_owned(),
        format!("%{user}"),
        "&".to_owned(),
        "+kept".to_owned(),
        "~/inhome".to_owned(),
        "$place".to_owned(),
        "%:box".to_owned(),
        "#".to_owned(),
        "#".to_owned(),
    ];
    // `%` does without `file`.
    let shorter = format!("%\nfile\n%{user}\nfile\n");
    let script: String = commands
        .iter()
        .map(|name| format!("file {name}\nfile\n"))
        .collect();
    let ran = case
        .file("cwd/box", TWO)
        .file(&system, TWO)
        .file("home/read", TWO)
        .file("home/mail/kept", TWO)
        .file("home/inhome", TWO)
        .file("cwd/place", TWO)
        .stdin(shorter + &script + "x\n")
        .any_stdout()
        .run();
    let stdout = ran.stdout();
    let opened: Vec<&str> = stdout
        .lines()
        .filter_map(|line| line.strip_suffix(": 1 message"))
        .collect();
    let spool = format!("\"[DIR]/{system}\"");
    let expected = [
        spool.as_str(),
        &spool,
        &spool,
        &spool,
        "\"[DIR]/home/read\"",
        "\"[DIR]/home/mail/kept\"",
        "\"[DIR]/home/inhome\"",
        "\"[DIR]/cwd/place\"",
        "\"box\"",
        "\"[DIR]/cwd/place\"",
        "\"[DIR]/cwd/box\"",
    ];
    assert_eq!(opened, expected, "{stdout}");
}

// K11
#[test]
fn after_a_file_that_failed_a_script_has_no_mailbox() {
    for (commands, status, why) in [
        ("file nowhere\nd *\nq\n", 66, "cannot open nowhere"),
        ("d 1\nfile nowhere\nd *\nq\n", 66, "cannot open nowhere"),
        ("file +\nd *\n2\nq\n", 66, "cannot open +"),
        (
            "file #\nd 1\n",
            66,
            "cannot open #: there is no previous mailbox",
        ),
        ("file %nobody-here\nd 1\n", 67, "there is no such user"),
        (
            "file $unset\nd 1\n",
            66,
            "a variable in the name is not set",
        ),
        ("file .\nd 1\n", 66, "it is a directory"),
        ("file text\nd 1\n", 66, "it is not an mbox"),
        ("file fifo\nd 1\n", 66, "it is a FIFO"),
        ("file a b\nd 1\nq\n", 64, "too many arguments"),
        ("file 'a\nd 1\n", 64, "Missing closing quote"),
        (
            "file other\nfile nowhere\nd *\nq\n",
            66,
            "cannot open nowhere",
        ),
    ] {
        let case = over(commands)
            .file("cwd/text", "no mail\n")
            .fifo("cwd/fifo")
            .status(status)
            .stderr_contains(why)
            .any_stdout();
        let case = if commands.starts_with("file other") {
            case.may_change("cwd/box")
        } else {
            case
        };
        let ran = case.run();
        let held = if status == 64 {
            ""
        } else {
            "is not carried out"
        };
        assert!(ran.stderr().contains(held), "{commands:?}");
        assert!(!ran.stdout().contains("Größe"), "{commands:?}");
    }
    // Marks of before are told to be lost, and the text of a reply is no command.
    over("d 1\nfile nowhere\nreply 1\nfile other\nd 1\n~.\nq\n")
        .args(["-~"])
        .status(66)
        .stderr(
            "mailx: cannot open nowhere: No such file or directory\n\
             mailx: \"reply 1\" is not carried out, because \"file nowhere\" failed\n\
             mailx: box stays as it is, because \"file nowhere\" failed\n\
             hint: correct this command and run the script again\n",
        )
        .run();
    // What only asks or leaves goes on, and another mailbox can be opened; it is not changed.
    over("file nowhere\np 1\n=\nfile\nfile other\n=\nd 1\nq\n")
        .status(66)
        .stdout("No mailbox is open, because \"file nowhere\" failed\n2\n")
        .any_stderr()
        .run();
    // POSIX lets a script go on, with the mailbox that it had.
    over("file nowhere\n=\nx\n")
        .rc("set posix")
        .status(66)
        .stdout("1\n")
        .any_stderr()
        .run();
}

// K11
#[test]
fn a_person_stays_in_the_mailbox_that_is_open() {
    Case::new()
        .args(["-N", "-f", "box"])
        .file("cwd/box", [ONE, TWO].concat())
        .leaves("cwd/box", TWO)
        .at_terminal(|terminal| {
            terminal.sees("? ");
            terminal.types("d 1\n");
            terminal.sees("message 1 deleted");
            terminal.types("file nowhere\n");
            terminal.sees("cannot open nowhere: ");
            terminal.sees("box is still open");
            terminal.types("q\n");
            terminal.sees("deleted 1, 1 left in box");
        });
}

// K11
#[test]
fn a_script_before_a_person_leaves_the_mailbox_to_the_person() {
    Case::new()
        .args([
            "-N",
            "-f",
            "box",
            "-Y",
            "d 1",
            "-Y",
            "file nowhere",
            "-Y",
            "p 2",
        ])
        .file("cwd/box", [ONE, TWO].concat())
        .leaves("cwd/box", [old(ONE), TWO.to_owned()].concat())
        .any_status()
        .at_terminal(|terminal| {
            terminal.sees("cannot open nowhere: ");
            terminal.sees("\"p 2\" is not carried out, because \"file nowhere\" failed");
            terminal.sees("no message is marked");
            terminal.sees("? ");
            terminal.types("file\n");
            terminal.sees("\"box\": 2 messages 1 new");
            terminal.types("q\n");
        });
}

// K11 K68
#[test]
fn a_sorted_mailbox_is_left_for_another_one() {
    over("sort subject\nfile other\nf *\nd 3\nfile #\nf *\nx\n")
        .leaves("cwd/box", [old(ONE), TWO.to_owned()].concat())
        .leaves("cwd/other", [TWO.to_owned(), old(ONE)].concat())
        .any_stdout()
        .run();
    let ran = over("file other\nf *\nx\n")
        .rc("set autosort=reverse-date")
        .may_change("cwd/box")
        .any_stdout()
        .run();
    let numbers: String = ran
        .stdout()
        .lines()
        .filter(|line| line.contains("@example.org"))
        .filter_map(|line| line.chars().nth(4))
        .collect();
    assert_eq!(numbers.chars().next(), Some('1'), "{}", ran.stdout());
}

// K11
#[test]
fn a_mailbox_that_cannot_be_written_is_not_left() {
    let (case, user) = {
        let case = Case::new().args(["-N", "-S", "quiet"]);
        let user = case.user();
        (case, user)
    };
    case.file(&format!("spool/{user}"), [ONE, TWO].concat())
        .file("cwd/other", TWO)
        .env("MBOX", "[DIR]/no/such/mbox")
        .stdin("mb 1\nfile other\nd 1\nq\n")
        .status(73)
        .stderr_contains("cannot create [DIR]/no/such/mbox")
        .run();
}

// K11
#[test]
fn the_open_mailbox_can_be_opened_again() {
    over("d 1\nfile box\n=\nfile\nq\n")
        .leaves("cwd/box", TWO)
        .stdout("\"box\" complete\n1\n\"box\": 1 message\n")
        .run();
    // One that has become empty has no message; a command for messages names none.
    over("d *\nfile box\nfile\np\nh\n=\nz\nn\nd *\nq\n")
        .leaves("cwd/box", "")
        .stdout("\"box\" complete\n\"box\": 0 messages\n")
        .any_stderr()
        .run();
    // One that POSIX removes is not there any more: nothing else may be taken for it.
    over("d *\nfile box\nd 1\nq\n")
        .rc("set posix")
        .may_change("cwd/box")
        .status(66)
        .stdout("\"box\" removed\n")
        .any_stderr()
        .run();
}

// K11 MB16
#[test]
fn messages_that_go_to_mbox_are_there_when_it_is_opened() {
    let case = Case::new().args(["-N", "-S", "quiet", "-S", "posix"]);
    let system = format!("spool/{}", case.user());
    let ran = case
        .file(&system, [ONE, TWO].concat())
        .file("home/mbox", TWO)
        .stdin("1\nfile &\nfile\nx\n")
        .may_change(&system)
        .may_change("home/mbox")
        .any_stdout()
        .run();
    assert!(
        ran.stdout().ends_with("\"[DIR]/home/mbox\": 2 messages\n"),
        "{}",
        ran.stdout()
    );
}

// K75
#[test]
fn a_mailbox_opened_read_only_stays_as_it_is() {
    for command in ["File", "Folder", "Fold"] {
        over(&format!("{command} other\nfile\nd 1\nq\n"))
            .leaves("cwd/box", [old(ONE), TWO.to_owned()].concat())
            .stdout("\"box\" complete\n\"other\": 3 messages 2 new 2 unread [Read only]\n")
            .stderr("The mailbox is open read-only\n")
            .status(77)
            .run();
    }
    // -R holds for every mailbox.
    Case::new()
        .args(["-R", "-N", "-S", "quiet", "-f", "box"])
        .file("cwd/box", TWO)
        .file("cwd/other", TWO)
        .stdin("file other\nd 1\nq\n")
        .stderr("The mailbox is open read-only\n")
        .status(77)
        .run();
}

// K12 var:folder var:lister
#[test]
fn folders_lists_the_directory_of_folder() {
    let case = || {
        over("")
            .rc("set folder=mail")
            .env("PATH", "/usr/bin:/bin")
            .file("home/mail/one", "")
            .file("home/mail/it's two", "")
            .file("home/mail/\u{1b}[31mred", "")
    };
    let ran = case().stdin("folders\nx\n").any_stdout().run();
    let stdout = ran.stdout();
    assert!(
        stdout.contains("it's two\n") && stdout.contains("one\n"),
        "{stdout}"
    );
    assert!(!stdout.contains('\u{1b}'), "{stdout:?}");
    case()
        .stdin("folders\nx\n")
        .rc("set lister=\"echo the files of\"")
        .stdout("the files of [DIR]/home/mail/\n")
        .run();
    case()
        .stdin("folders ~/mail\nx\n")
        .env("LISTER", "echo these in")
        .stdout("these in [DIR]/home/mail\n")
        .run();
    over("folders\nd 1\nq\n")
        .status(64)
        .stderr_contains("The variable folder is not set\n")
        .run();
    case()
        .stdin("folders +nowhere\nd 1\nq\n")
        .status(66)
        .any_stderr()
        .run();
}

// K63
#[test]
fn newmail_takes_up_what_has_arrived_and_keeps_the_marks() {
    let case = Case::new()
        .args(["-N", "-S", "quiet", "-f", "box"])
        .file("cwd/box", [ONE, TWO].concat())
        .may_change("cwd/box");
    let path = case.path("cwd/box");
    case.at_terminal(|terminal| {
        terminal.sees("? ");
        terminal.types("newmail\n");
        terminal.sees("No new mail");
        terminal.types("d 1\n");
        terminal.sees("message 1 deleted");
        terminal.waits();
        append(&path, ONE);
        terminal.types("=\n");
        terminal.sees("\n2\r\n");
        terminal.sees("You have new mail (newmail shows it)");
        terminal.types("inc\n");
        terminal.sees("New mail has arrived.");
        terminal.sees("N  3 alice@example.org");
        terminal.types("u 1\n");
        terminal.sees("message 1 is back");
        // Another program removes a message and adds one: the marks follow their messages.
        terminal.types("d 3\n");
        terminal.sees("message 3 deleted");
        terminal.waits();
        let three = ONE.replace("alice", "carol");
        fs::write(&path, [TWO, ONE, &three].concat()).unwrap();
        terminal.types("inc\n");
        terminal.sees("another program has removed or changed 2 messages");
        terminal.types("q\n");
    });
}

// K63 MB21 var:autoinc
#[test]
fn with_autoinc_new_messages_are_taken_up_before_the_prompt() {
    let case = Case::new()
        .args(["-N", "-S", "quiet", "-S", "autoinc", "-f", "box"])
        .file("cwd/box", ONE)
        .may_change("cwd/box");
    let path = case.path("cwd/box");
    case.at_terminal(|terminal| {
        terminal.sees("? ");
        terminal.waits();
        append(&path, TWO);
        terminal.types("=\n");
        terminal.sees("\n1\r\n");
        terminal.sees("New mail has arrived.");
        terminal.sees("  2 Bob Brown");
        terminal.types("x\n");
    });
}

fn append(path: &Path, text: &str) {
    let before = fs::read(path).unwrap();
    fs::write(path, [&before, text.as_bytes()].concat()).unwrap();
}
