//! A message that is typed: every escape, at a terminal and by `-~`; prompts, keys, and what ends it.

use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::signal::Signal;

use crate::case::{Case, Ran};
use crate::launch;
use crate::mailboxes;
use crate::pty::Terminal;

const TO: &str = "ops@example.com";
const BIN: &str = "/usr/bin:/bin";
const END: &str = "\u{4}";
const INTERRUPT: &str = "\u{3}";

/// Sends what is typed behind `-~`, by a pipe and then at a terminal; both letters are the same.
fn both(settings: &[&str], text: &str) -> [Ran; 2] {
    let case = || {
        let mut case = Case::send(["-n", "-~", "-s", "s", TO])
            .env("PATH", format!("[DIR]/bin:{BIN}"))
            .file("cwd/in", "in one\n\nin two")
            .may_change("cwd/out");
        for setting in settings {
            case = case.args(["-S", setting]);
        }
        case
    };
    let piped = case().stdin(text).any_stdout().run();
    let typed = case().at_terminal(|terminal| {
        terminal.waits();
        terminal.types(text);
        terminal.types(END);
    });
    [piped, typed]
}

/// The body of the only letter, without an empty line that the terminal's end has added.
fn body(ran: &Ran) -> String {
    let body = ran.call().letter().body().to_vec();
    String::from_utf8(body).unwrap().trim_end().to_owned()
}

/// Checks the text that a typed one becomes, by both ways.
fn becomes(settings: &[&str], text: &str, expected: &str) {
    for ran in both(settings, text) {
        assert_eq!(body(&ran), expected, "{text}");
    }
}

// T01 T02
#[test]
fn a_doubled_character_is_one_and_a_dot_ends() {
    becomes(
        &[],
        "~~one\n~~~two\na ~. b\n~.\nlost\n",
        "~one\n~~two\na ~. b",
    );
}

// T03
#[test]
fn the_escapes_are_listed() {
    for ran in both(&[], "~?\nx\n") {
        for escape in ["~.", "~|COMMAND", "~x", "~q", "~r FILE", "~H"] {
            assert!(ran.stdout().contains(escape), "{escape}: {}", ran.stdout());
        }
    }
}

// T04 T05
#[test]
fn commands_of_the_shell_and_of_the_configuration() {
    for ran in both(
        &["bang"],
        "~!echo o1\n~!! o2\n~:!echo o3\n~:set Sign=a\n~_ set sign=b\n~A\n~a\n",
    ) {
        for shown in ["o1", "o1 o2", "o3"] {
            assert!(ran.stdout().contains(shown), "{}", ran.stdout());
        }
        assert_eq!(body(&ran), "a\nb");
    }
}

// T06 T07 var:sign var:Sign
#[test]
fn variables_are_inserted() {
    becomes(
        &["sign=a\\tb\\nc", "Sign=S", "foo=bar"],
        "~a\n~A\n~i foo\n~I foo\n~i Sign\n",
        "a\tb\nc\nS\nbar\nbarS",
    );
}

// T08
#[test]
fn recipients_and_subject_are_set() {
    for ran in both(
        &[],
        "~t a@x.org b@x.org\n~c c@x.org\n~b d@x.org\n~s two words\nx\n",
    ) {
        let call = ran.call();
        assert_eq!(
            call.recipients(),
            [TO, "a@x.org", "b@x.org", "c@x.org", "d@x.org"]
        );
        assert_eq!(call.letter().subject(), "two words");
        assert_eq!(call.letter().field("Cc"), "c@x.org");
        assert!(!String::from_utf8_lossy(&call.stdin).contains("d@x.org"));
    }
}

// T09 var:DEAD
#[test]
fn the_dead_letter_is_read() {
    becomes(&["dead=in"], "~d\nx\n", "in one\n\nin two\nx");
}

// T10 var:editor var:visual var:editheaders
#[test]
fn editors_change_the_text_and_the_header() {
    let settings = ["editor=sed -i s/a/b/", "visual=sed -i s/b/c/"];
    becomes(&settings, "a\n~e\na\n~v\n", "c\na");
    let editor =
        "editor=sed -i -e '/^Subject:/s/.*/Subject: edited/' -e '/^Cc:/s/$/ c@x.org/' -e s/^a/b/";
    for ran in both(&["editheaders", editor], "a\n~e\n") {
        assert_eq!(body(&ran), "b");
        assert_eq!(ran.call().letter().subject(), "edited");
        assert_eq!(ran.call().recipients(), [TO, "c@x.org"]);
    }
}

// T11 T12 T21
#[test]
fn messages_need_a_mailbox() {
    for escape in ["~f", "~F 1", "~m", "~M", "~u", "~U", "~Q"] {
        let ran = Case::send(["-n", "-~", "-s", "s", TO])
            .stdin(format!("a\n{escape}\nb\n"))
            .status(64)
            .says("no message to insert: no mailbox is open")
            .says("an escape failed, so the message is not sent")
            .keeps(1)
            .run();
        assert_eq!(ran.dead()[0].body(), b"a\nb\n");
    }
}

/// Types a message and waits for what is asked.
fn typed(settings: &[&str], person: impl FnOnce(&mut Terminal)) -> Ran {
    let mut case = Case::send(["-n", TO]).env("PATH", format!("[DIR]/bin:{BIN}"));
    for setting in settings {
        case = case.args(["-S", setting]);
    }
    case.at_terminal(person)
}

// T13
#[test]
fn fields_are_asked_for_with_their_values() {
    let ran = typed(&["noask"], |terminal| {
        terminal.waits();
        terminal.types("x\n~h\n");
        terminal.sees("To (ops@example.com): ");
        terminal.types("a@x.org\n");
        terminal.sees("Subject: ");
        terminal.types("typed\n");
        terminal.sees("Cc: ");
        terminal.types("c@x.org\n");
        terminal.sees("Bcc: ");
        terminal.types("\n~h\n");
        terminal.sees("To (a@x.org): ");
        terminal.types("\n");
        terminal.sees("Subject (typed): ");
        terminal.types("\n");
        terminal.sees("Cc (c@x.org): ");
        terminal.types("-\n");
        terminal.sees("Bcc: ");
        terminal.types("\n~H\n");
        terminal.sees("From: ");
        terminal.types("me@x.org\n");
        terminal.sees("Reply-To: ");
        terminal.types("r@x.org\n");
        terminal.sees("Sender: ");
        terminal.types("\n~.\n");
    });
    let call = ran.call();
    assert_eq!(call.recipients(), ["a@x.org"]);
    assert_eq!(call.letter().subject(), "typed");
    assert_eq!(call.letter().field("Reply-To"), "r@x.org");
    let piped = Case::send(["-n", "-~", "-s", "s", TO])
        .stdin("~h\nx\n")
        .status(64)
        .says("~h needs a terminal")
        .says("not sent")
        .keeps(1);
    piped.run().nothing_sent();
}

// T14
#[test]
fn the_message_so_far_is_shown() {
    for ran in both(&[], "one\n~c c@x.org\n~r in\n~p\n") {
        let shown = ran.stdout().replace("\r\n", "\n");
        let expected = "-------\nMessage contains:\nTo: ops@example.com\nCc: c@x.org\n\
                        Subject: s\n\none\nin one\n\nin two\n(continue)\n";
        assert!(shown.contains(expected), "{shown}");
        assert!(shown.contains("\"in\" 3/15\n"), "{shown}");
    }
}

// T15 var:save
#[test]
fn a_message_is_given_up_with_its_text_or_without() {
    for (escape, save, kept) in [("~q", "save", 1), ("~q", "nosave", 0), ("~x", "save", 0)] {
        let case = || {
            let case = Case::send(["-n", "-~", "-S", save, "-s", "s", TO]).status(1);
            if kept == 1 {
                case.keeps(1)
            } else {
                case.any_stderr()
            }
        };
        let text = format!("one\n{escape}\n");
        let piped = case().stdin(&text).any_stderr().run();
        let typed = case().at_terminal(|terminal| terminal.types(&text));
        for ran in [piped, typed] {
            ran.nothing_sent();
            if kept == 1 {
                assert_eq!(ran.dead()[0].body(), b"one\n");
            }
        }
    }
}

// T16
#[test]
fn files_and_outputs_are_read() {
    becomes(
        &[],
        "~r in\n~< in\n~r !echo o1\n~<!echo o2\n",
        "in one\n\nin two\nin one\n\nin two\no1\no2",
    );
}

// T17
#[test]
fn the_text_is_appended_to_a_file() {
    for ran in both(&[], "one\n~w out\ntwo\n~w out\n") {
        assert_eq!(ran.read("cwd/out"), b"one\none\ntwo\n");
        assert!(ran.stdout().contains("\"out\" 2/8"), "{}", ran.stdout());
    }
}

// T18
#[test]
fn a_filter_changes_the_text_unless_it_fails() {
    becomes(&[], "b\na\n~| sort\n", "a\nb");
    for ran in both(
        &[],
        "a\n~|| sed -e 's/^Subject:.*/Subject: filtered/' -e s/a/b/\n",
    ) {
        assert_eq!(ran.call().letter().subject(), "filtered");
    }
    for filter in ["false", "true", "kill -9 $$"] {
        let ran = typed(&["noask"], |terminal| {
            terminal.waits();
            terminal.types(format!("a\n~| {filter}\n"));
            terminal.sees(filter);
            terminal.types("~.\n");
        });
        assert_eq!(body(&ran), "a");
    }
}

// T19 var:indentprefix
#[test]
fn an_address_is_for_replies_and_a_file_is_indented() {
    for ran in both(&["indentprefix=> "], "~R r@x.org\n~R in\n") {
        assert_eq!(ran.call().letter().field("Reply-To"), "r@x.org");
        assert_eq!(body(&ran), "> in one\n\n> in two");
    }
}

// T20
#[test]
fn files_are_attached_listed_and_removed() {
    for ran in both(&[], "~@ in 'in'\n~+ in text/csv base64\n~^ 1\n~l\n~@\nx\n") {
        let message = String::from_utf8(ran.call().stdin).unwrap();
        assert_eq!(
            message.matches("filename=in\n").count() + message.matches("filename=\"in\"").count(),
            2,
            "{message}"
        );
        assert!(message.contains("text/csv"), "{message}");
        assert_eq!(
            ran.stdout().matches("  2 in").count(),
            2,
            "{}",
            ran.stdout()
        );
    }
}

// T23 var:escape
#[test]
fn another_character_begins_an_escape_or_none() {
    becomes(&["escape=!"], "~a\n!!b\n!s other\n", "~a\n!b");
    let ran = Case::send(["-n", "-~", "-S", "escape=", "-s", "s", TO])
        .stdin("~q\n~x\n~.\n")
        .run();
    assert_eq!(body(&ran), "~q\n~x\n~.");
}

// var:ask var:asksub var:askcc var:askbcc var:askatend var:askattach var:asksend
#[test]
fn a_person_is_asked_before_and_behind_the_text() {
    let settings = ["ask", "askcc", "askbcc", "askattach", "asksend"];
    let ran = typed(&settings, |terminal| {
        terminal.sees("Subject: ");
        terminal.types("s\none\n");
        terminal.types(END);
        terminal.sees("Cc: ");
        terminal.types("c@x.org\n");
        terminal.sees("Bcc: ");
        terminal.types("b@x.org\n");
        terminal.sees("Attach: ");
        terminal.types("nowhere\n");
        terminal.sees("cannot attach nowhere");
        terminal.sees("Attach: ");
        terminal.types("\n");
        terminal.sees("Send this message");
        terminal.types("\n");
        terminal.sees("(continue)");
        terminal.types("two\n~.\n");
        terminal.sees("Attach: ");
        terminal.types("\n");
        terminal.sees("Send this message");
        terminal.types("yes\n");
    });
    assert_eq!(ran.call().recipients(), [TO, "c@x.org", "b@x.org"]);
    assert_eq!(body(&ran), "one\ntwo");
    let ran = Case::send(["-n", "-S", "asksend", "-s", "s", TO])
        .status(1)
        .keeps(1)
        .at_terminal(|terminal| {
            terminal.types("one\n~.\n");
            terminal.sees("Send this message");
            terminal.types("no\n");
        });
    ran.nothing_sent();
    let ran = typed(&["ask", "askcc", "noaskatend"], |terminal| {
        terminal.sees("Subject: ");
        terminal.types("s\n");
        terminal.sees("Cc: ");
        terminal.types("c@x.org\none\n~.\n");
    });
    assert_eq!(ran.call().recipients(), [TO, "c@x.org"]);
}

// var:ignore
#[test]
fn an_ignored_interrupt_takes_the_line_back_and_shows_a_sign() {
    for settings in [&["-S", "ignore"][..], &["-i"]] {
        let ran = Case::send(["-n", "-s", "s", TO])
            .args(settings)
            .at_terminal(|terminal| {
                terminal.waits();
                terminal.types("one\n~p\n");
                terminal.sees("(continue)");
                terminal.types("tw");
                terminal.types(INTERRUPT);
                terminal.sees("@");
                terminal.types(INTERRUPT);
                terminal.sees("@");
                terminal.types("three\n~.\n");
            });
        assert_eq!(body(&ran), "one\nthree");
    }
}

// var:dot var:ignoreeof
#[test]
fn a_dot_ends_where_it_may_and_an_end_of_file_where_it_must() {
    let ran = typed(&["noask", "ignoreeof"], |terminal| {
        terminal.waits();
        terminal.types("one\n");
        terminal.types(END);
        terminal.sees("Use \".\" to terminate letter");
        terminal.types("two\n.\n");
    });
    assert_eq!(body(&ran), "one\ntwo");
    let ran = typed(&["noask", "dot"], |terminal| terminal.types("one\n.\n"));
    assert_eq!(body(&ran), "one");
}

#[test]
fn a_signal_or_a_terminal_that_is_gone_keeps_the_text() {
    for signal in [Signal::SIGHUP, Signal::SIGTERM] {
        let ran = Case::send(["-n", "-s", "s", TO])
            .status(128 + signal as i32)
            .keeps(1)
            .at_terminal(|terminal| {
                terminal.waits();
                terminal.types("one\n~p\n");
                terminal.sees("(continue)");
                terminal.signals(signal);
            });
        ran.nothing_sent();
        assert_eq!(ran.dead()[0].body(), b"one\n");
    }
}

/// Runs the program at a terminal of which it hears no signal, and closes the terminal when the
/// program has read these lines; returns its status and the directory of its files.
fn with_lost_terminal(
    args: &[&str],
    lines: &[&str],
    term: &str,
) -> (ExitStatus, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("box"), mailboxes::ONE).unwrap();
    // A child that inherits our end would keep the terminal open.
    let pty = launch::locked(|| {
        let pty = nix::pty::openpty(None, None).unwrap();
        fcntl(&pty.master, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).unwrap();
        pty
    });
    let [stdin, stdout, stderr] = [(); 3].map(|()| pty.slave.try_clone().unwrap());
    let mut child = std::process::Command::new(crate::case::program())
        .arg("mailx")
        .args([
            "-n",
            "-S",
            "mta=/bin/false",
            "-S",
            "outbox=off",
            "-S",
            "log=off",
        ])
        .args(args)
        .current_dir(directory.path())
        .env_clear()
        .env("HOME", directory.path())
        .env("DEAD", directory.path().join("dead"))
        .env("MAILRC", "/dev/null")
        .env("TERM", term)
        .stdin(stdin)
        .stdout(stdout)
        .stderr(stderr)
        .spawn()
        .unwrap();
    drop(pty.slave);
    let mut master = std::fs::File::from(pty.master);
    for line in lines {
        std::thread::sleep(Duration::from_millis(700));
        master.write_all(line.as_bytes()).unwrap();
    }
    std::thread::sleep(Duration::from_millis(700));
    drop(master);
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return (status, directory);
        }
        if start.elapsed() > Duration::from_secs(20) {
            child.kill().unwrap();
            panic!("it does not end without its terminal: {args:?}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_terminal_that_is_gone_before_its_signal_comes_ends_by_it_and_changes_nothing() {
    for term in ["xterm", "dumb"] {
        let (status, directory) = with_lost_terminal(&["-s", "s", TO], &["one\n"], term);
        assert_eq!(status.signal(), Some(Signal::SIGHUP as i32), "{term}");
        let dead = std::fs::read_to_string(directory.path().join("dead")).unwrap();
        assert!(dead.contains("\none\n"), "{dead}");
        let reading = ["-N", "-f", "box"];
        for lines in [
            &["d 1\n"][..],
            &["d 1\nmail a@x.org\n", "s\n", "one\n"],
            // It is writing when the terminal goes, and not reading.
            &["d 1\n!sleep 2\nf *\n"],
        ] {
            let (status, directory) = with_lost_terminal(&reading, lines, term);
            let hangup = Some(Signal::SIGHUP as i32);
            assert_eq!(status.signal(), hangup, "{lines:?} {term}");
            let left = std::fs::read_to_string(directory.path().join("box")).unwrap();
            assert_eq!(left, mailboxes::ONE);
        }
    }
}

#[test]
fn real_editors_edit_the_text_that_is_typed() {
    for editor in ["/usr/bin/ed", "/usr/bin/vi"] {
        if !std::path::Path::new(editor).exists() {
            eprintln!("left out: needs {editor}");
            return;
        }
    }
    for term in ["xterm", "dumb"] {
        let ran = Case::send(["-n", "-s", "s", TO])
            .env("PATH", format!("[DIR]/bin:{BIN}"))
            .env("EDITOR", "ed")
            .env("VISUAL", "vi -u NONE")
            .env("TERM", term)
            .at_terminal(|terminal| {
                terminal.waits();
                terminal.types("one\n~e\n");
                terminal.sees("4\r\n");
                terminal.types("a\ntwo\n.\nw\nq\n");
                terminal.sees("8\r\n");
                terminal.sees("(continue)");
                terminal.types("~v\n");
                terminal.sees("two");
                terminal.types("Gothree\u{1b}:wq\r");
                terminal.sees("(continue)");
                terminal.types("four\n~.\n");
            });
        assert_eq!(body(&ran), "one\ntwo\nthree\nfour", "{term}");
    }
}

#[test]
fn an_interrupt_at_the_prompt_gives_a_new_one_on_a_dumb_terminal_too() {
    for term in ["dumb", "xterm"] {
        let ran = Case::new()
            .file("cwd/box", mailboxes::ONE)
            .args(["-N", "-f", "box"])
            .env("TERM", term)
            .limit(Duration::from_secs(20))
            .at_terminal(|terminal| {
                terminal.sees("? ");
                terminal.types("d 1");
                terminal.types(INTERRUPT);
                terminal.sees("? ");
                terminal.types("=\n");
                terminal.sees("1");
                terminal.sees("? ");
                terminal.types("x\n");
            });
        drop(ran);
    }
}
