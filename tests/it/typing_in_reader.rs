//! A message that is typed in the reader: its escapes reach the mailbox, its keys never do.

use nix::sys::signal::Signal;

use crate::case::{Case, Ran};
use crate::mailboxes;
use crate::sendmail::FakeSendmail;

const INTERRUPT: &str = "\u{3}";

fn reading() -> Case {
    let text = [mailboxes::ONE, mailboxes::TWO].concat();
    Case::new()
        .sendmail(FakeSendmail::accepting())
        .file("cwd/box", text)
        .args(["-n", "-N", "-S", "quiet", "-f", "box"])
        .env("PATH", "[DIR]/bin:/usr/bin:/bin")
        .may_change("cwd/box")
}

/// Sends what is typed behind `mail`, by a script and at a terminal of each kind.
fn each_way(settings: &[&str], text: &str) -> Vec<Ran> {
    let case = || {
        let case = reading().args(["-~", "-S", "noask"]);
        settings
            .iter()
            .fold(case, |case, setting| case.args(["-S", setting]))
    };
    let script = format!("mail ops@example.com\n{text}~.\nx\n");
    let mut all = vec![case().stdin(&script).any_stdout().run()];
    for term in ["xterm", "dumb"] {
        let typed = case().env("TERM", term).at_terminal(|terminal| {
            terminal.sees("? ");
            terminal.types(&script);
        });
        all.push(typed);
    }
    all
}

fn becomes(settings: &[&str], text: &str, expected: &str) {
    for ran in each_way(settings, text) {
        let body = ran.call().letter().body().to_vec();
        assert_eq!(String::from_utf8(body).unwrap(), expected, "{text}");
    }
}

// T11
#[test]
fn messages_are_inserted() {
    becomes(
        &[],
        "a\n~f\n~f 2\n",
        "a\nDate: Mon, 16 Nov 2026 09:00:00 +0000\nFrom: alice@example.org\nTo: root@example.org\n\
         Subject: Disk almost full\n\n/dev/sda1 97%\n\
         Date: Tue, 17 Nov 2026 10:30:00 +0000\nFrom: Bob Brown <bob@example.org>\n\
         To: root@example.org\nSubject: Größe\n\nall is well\n",
    );
    for ran in each_way(&[], "~F 1\n") {
        let body = String::from_utf8(ran.call().letter().body().to_vec()).unwrap();
        assert!(body.contains("Message-ID: <1@example.org>\n"), "{body}");
        assert!(body.ends_with("\n\n/dev/sda1 97%\n"), "{body}");
    }
}

// T12 var:indentprefix
#[test]
fn messages_are_inserted_with_a_prefix() {
    for ran in each_way(&["indentprefix=> "], "~m 1\n~M 1\n") {
        let body = String::from_utf8(ran.call().letter().body().to_vec()).unwrap();
        assert_eq!(body.matches("\n\n> /dev/sda1 97%\n").count(), 2, "{body}");
        assert!(body.starts_with("> "), "{body}");
        assert!(body.contains("> Message-ID: <1@example.org>\n"), "{body}");
    }
}

// T21
#[test]
fn the_text_of_messages_is_inserted() {
    becomes(
        &["indentprefix=> "],
        "~u 1\n~U 1\n",
        "/dev/sda1 97%\n> /dev/sda1 97%\n",
    );
    for ran in each_way(&["indentprefix=> "], "~Q 1\n") {
        let body = String::from_utf8(ran.call().letter().body().to_vec()).unwrap();
        assert!(body.ends_with("> /dev/sda1 97%\n"), "{body}");
    }
}

// T05
#[test]
fn commands_of_the_reader_are_carried_out_between_the_lines() {
    for ran in each_way(&[], "a\n~:from 1\n~_ size 2\n~:set sign=me\n~a\nb\n") {
        let shown = ran.stdout();
        assert!(shown.contains("Disk almost full"), "{shown}");
        assert!(shown.contains("2: "), "{shown}");
        assert_eq!(ran.call().letter().body(), b"a\nme\nb\n");
    }
    // What would leave the mailbox, or begin another text, is refused; the mail of a script stays.
    for line in ["quit", "x", "file box", "reply 1", "mail a@x.org"] {
        let ran = reading()
            .args(["-~", "-S", "noask"])
            .stdin(format!("mail ops@example.com\na\n~:{line}\n~.\nx\n"))
            .any_status()
            .any_stdout()
            .any_stderr()
            .stderr_contains("not possible while a message is composed")
            .keeps(1)
            .run();
        ran.nothing_sent();
    }
}

// K20 T02
#[test]
fn lines_that_are_pasted_behind_a_command_are_its_text() {
    for term in ["xterm", "dumb"] {
        let ran = reading()
            .env("TERM", term)
            .leaves("cwd/box", [mailboxes::ONE, mailboxes::TWO].concat())
            .at_terminal(|terminal| {
                terminal.sees("? ");
                terminal.types("mail\nops@example.com\nd *\nd 1\nq\nd *\n~.\nx\n");
            });
        let letter = ran.call().letter();
        assert_eq!(letter.subject(), "d *");
        assert_eq!(letter.body(), b"d 1\nq\nd *\n");
    }
}

// T15
#[test]
fn the_second_interrupt_keeps_the_text_and_leads_back_to_the_prompt() {
    for term in ["xterm", "dumb"] {
        let ran = reading()
            .env("TERM", term)
            .keeps(1)
            .at_terminal(|terminal| {
                terminal.sees("? ");
                terminal.types("mail ops@example.com\n");
                terminal.sees("Subject: ");
                terminal.types("s\none\n~p\n");
                terminal.sees("(continue)");
                terminal.types("tw");
                terminal.types(INTERRUPT);
                terminal.sees("(Interrupt -- one more to kill letter)");
                terminal.types(INTERRUPT);
                terminal.sees("saved in");
                terminal.sees("? ");
                terminal.types("=\n");
                terminal.sees("1");
                terminal.types("x\n");
            });
        ran.nothing_sent();
        assert_eq!(ran.dead()[0].body(), b"one\n");
    }
}

#[test]
fn a_signal_keeps_the_text_and_the_mailbox() {
    for (term, signal) in [
        ("xterm", Signal::SIGHUP),
        ("xterm", Signal::SIGTERM),
        ("dumb", Signal::SIGHUP),
        ("dumb", Signal::SIGTERM),
    ] {
        let ran = reading()
            .env("TERM", term)
            .status(128 + signal as i32)
            .keeps(1)
            .leaves("cwd/box", [mailboxes::ONE, mailboxes::TWO].concat())
            .at_terminal(|terminal| {
                terminal.sees("? ");
                terminal.types("d 2\nmail ops@example.com\n");
                terminal.sees("Subject: ");
                terminal.types("s\none\n~p\n");
                terminal.sees("(continue)");
                terminal.types("tw");
                terminal.signals(signal);
            });
        ran.nothing_sent();
        assert_eq!(ran.dead()[0].body(), b"one\n");
    }
}

#[test]
fn a_terminal_that_changes_its_size_changes_no_text() {
    let ran = reading().at_terminal(|terminal| {
        terminal.sees("? ");
        terminal.types("mail ops@example.com\n");
        terminal.sees("Subject: ");
        terminal.types("s\non");
        terminal.signals(Signal::SIGWINCH);
        terminal.types("e\n~p\n");
        terminal.sees("(continue)");
        terminal.signals(Signal::SIGWINCH);
        terminal.types("two\n~.\nx\n");
    });
    assert_eq!(ran.call().letter().body(), b"one\ntwo\n");
}

// T10 T18
#[test]
fn without_a_place_for_copies_the_text_stays_and_is_sent() {
    let line = "x".repeat(79) + "\n";
    let text = line.repeat(20_000);
    let ran = reading()
        .env("TMPDIR", "[DIR]/nowhere")
        .args(["-~", "-S", "noask", "-S", "editor=true"])
        .stdin(format!("mail ops@example.com\n{text}"))
        .any_stdout()
        .run();
    assert_eq!(ran.call().letter().body().len(), text.len());
    let ran = reading()
        .env("TMPDIR", "[DIR]/nowhere")
        .args(["-S", "noask", "-S", "editor=true"])
        .at_terminal(|terminal| {
            terminal.sees("? ");
            terminal.types("mail ops@example.com\none\n~e\n");
            terminal.sees("cannot create a temporary file for the editor");
            terminal.types("~.\nx\n");
        });
    assert_eq!(ran.call().letter().body(), b"one\n");
}

// T10 T16 T18
#[test]
fn a_full_disk_for_temporary_files_loses_no_text() {
    let text = ("x".repeat(79) + "\n").repeat(2_000);
    for (escape, told) in [
        (
            "~e",
            "cannot create a temporary file for the editor: No space left",
        ),
        ("~| cat", "\"cat\" failed: exit status 1"),
        ("~r !cat big", "\"cat big\" failed: exit status 1"),
    ] {
        let case = Case::send(["-n", "-~", "-S", "editor=true", "-s", "t", "ops@x.org"])
            .directory("cwd/tmp")
            .file("cwd/big", &text)
            .env("TMPDIR", "[DIR]/cwd/tmp")
            .env("PATH", "[DIR]/bin:/usr/bin:/bin")
            .private("a full disk for the copies of a text");
        let Some(case) = case else { return };
        let ran = case
            .within("/bin/mount -t tmpfs -o size=64k none tmp && exec \"$@\"")
            .stdin(format!("{text}{escape}\n"))
            .any_status()
            .any_stderr()
            .stderr_contains(told)
            .keeps(1)
            .run();
        ran.nothing_sent();
        assert_eq!(ran.dead()[0].body(), text.as_bytes(), "{escape}");
    }
}
