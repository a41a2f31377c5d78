//! The commands of the reader that run other programs: `edit`, `visual`, `pipe`, `shell`, `!`.

use std::os::unix::fs::PermissionsExt;

use crate::case::Case;
use crate::mailboxes;

const BIN: &str = "/usr/bin:/bin";

fn reading() -> Case {
    let text = [mailboxes::ONE, mailboxes::TWO].concat();
    Case::new()
        .file("cwd/box", text)
        .args(["-N", "-S", "quiet", "-f", "box"])
        .env("PATH", format!("[DIR]/bin:{BIN}"))
}

/// An editor that shows what it got, and changes it.
fn with_editor(case: Case) -> Case {
    let script =
        "#!/bin/sh\nls -ld \"${1%/*}\" \"$1\" | cut -c1-10\ncat \"$1\"\necho changed >\"$1\"\n";
    case.file("cwd/ed", script).mode("cwd/ed", 0o755)
}

// K09 K40 MB22 var:editor var:visual
#[test]
fn an_editor_gets_a_private_copy_and_the_mailbox_stays() {
    for (command, variable) in [
        ("edit", "EDITOR"),
        ("e", "EDITOR"),
        ("visual", "VISUAL"),
        ("v", "VISUAL"),
    ] {
        let ran = with_editor(reading())
            .env(variable, "[DIR]/cwd/ed")
            .stdin(format!("{command} 2 1\n=\nx\n"))
            .any_stdout()
            .run();
        let shown = ran.stdout();
        assert!(
            shown.starts_with("drwx------\n-rw-------\nFrom: "),
            "{shown}"
        );
        assert!(shown.ends_with("\n2\n"), "{shown}");
        let [one, two] = ["Disk almost full", "Subject: "].map(|text| shown.find(text));
        assert!(one.is_some() && two.is_some(), "{shown}");
        // Neither the mailbox has changed, nor is a copy left.
        let left = std::fs::read_dir(std::env::temp_dir()).unwrap();
        let names = left.map(|entry| entry.unwrap().path().join("message.txt"));
        let texts: Vec<_> = names.filter_map(|path| std::fs::read(path).ok()).collect();
        assert!(
            !texts.iter().any(|text| text == b"changed\n"),
            "a copy is left"
        );
    }
}

// K09 K40
#[test]
fn an_editor_that_fails_or_is_missing_is_a_failure_of_a_script() {
    for (editor, told) in [
        ("false", "\"false\" failed: exit status 1"),
        ("kill -9 $$ #", "failed: killed by signal 9"),
        (
            "no-such-editor",
            "\"no-such-editor\" failed: exit status 127",
        ),
    ] {
        reading()
            .env("EDITOR", editor)
            .stdin("edit 1\nd 2\nq\n")
            .status(66)
            .any_stderr()
            .stderr_contains(told)
            .run();
    }
    reading()
        .stdin("visual 1\nd 2\nq\n")
        .status(64)
        .any_stderr()
        .stderr_contains("no editor is set")
        .run();
    // What becomes of the copy does not matter.
    for editor in ["rm", "f() { rm \"$1\"; mkdir \"$1\"; }; f", ": >"] {
        reading().env("EDITOR", editor).stdin("edit 1\nx\n").run();
    }
}

// K09
#[test]
fn the_bytes_of_a_mail_reach_the_editor_as_they_are() {
    let body = "\u{1b}]0;title\u{7}\n>From here\n\u{9b}31m end\n";
    let mbox = format!(
        "From a@example.org Mon Nov 16 09:00:00 2026\nFrom: a@example.org\nSubject: s\n\n{}\n",
        body.replace(">From", ">>From")
    );
    let ran = Case::new()
        .file("cwd/box", mbox)
        .args(["-N", "-S", "quiet", "-f", "box"])
        .env("EDITOR", "cp_to() { while IFS= read -r l; do printf '%s\\n' \"$l\"; done <\"$1\" >copy; }; cp_to")
        .stdin("e\nx\n")
        .may_change("cwd/copy")
        .run();
    let copy = ran.read("cwd/copy");
    let expected = format!("From: a@example.org\nSubject: s\n\n{body}");
    assert_eq!(String::from_utf8_lossy(&copy), expected);
}

// K23
#[test]
fn a_command_gets_the_messages_of_a_list() {
    for (line, expected) in [
        ("pipe 1 'grep -c ^Subject:'", "1\n"),
        ("pipe 1-2 \"grep -c ^Subject:\"", "2\n"),
        ("| 1 2 'grep -c ^Subject:'", "2\n"),
        ("|'grep -c ^Subject:'", "1\n"),
        ("pi * grep -c ^Subject:", "2\n"),
        ("pipe alice 'grep -c ^From'", "1\n"),
        ("pipe 2 true", ""),
        ("pipe 1 'sed -n 1p | cut -c1-5'", "From:\n"),
    ] {
        reading()
            .stdin(format!("{line}\nx\n"))
            .stdout(expected)
            .run();
    }
}

// K23 var:cmd var:page
#[test]
fn without_a_command_cmd_is_used_and_page_ends_each_message() {
    reading()
        .args(["-S", "cmd=grep -c ^Subject:"])
        .stdin("pipe\n| 1-2\nx\n")
        .stdout("1\n2\n")
        .run();
    reading()
        .args(["-S", "page"])
        .stdin("pipe 1-2 \"tr -dc '\\\\f' | wc -c\"\nx\n")
        .stdout("2\n")
        .run();
    reading()
        .stdin("pipe\nd 1\nq\n")
        .status(64)
        .any_stderr()
        .stderr_contains("pipe: no command is given, and cmd is not set")
        .run();
}

// K23
#[test]
fn a_message_that_could_not_be_piped_is_not_deleted() {
    reading()
        .stdin("pipe 1 'cat >/dev/null; exit 3'\nd 1\nq\n")
        .status(66)
        .any_stderr()
        .stderr_contains("failed: exit status 3")
        .run();
    // One that reads only a part has seen enough.
    reading()
        .stdin("pipe 1 'head -n 1'\nx\n")
        .any_stdout()
        .run();
    reading()
        .stdin("pipe 9 cat\nd 1\nq\n")
        .status(64)
        .any_stderr()
        .run();
}

// K32 var:shell
#[test]
fn the_shell_is_run_and_cannot_eat_the_script() {
    let ran = reading()
        .file("cwd/sh", "#!/bin/sh\necho \"shell $#\"\ncat\nexit 3\n")
        .mode("cwd/sh", 0o755)
        .env("SHELL", "[DIR]/cwd/sh")
        .stdin("sh\n=\nx\n")
        .stdout("shell 0\n1\n")
        .run();
    drop(ran);
    reading()
        .env("SHELL", "/no/such/shell")
        .stdin("shell\nd 1\nq\n")
        .status(66)
        .any_stderr()
        .stderr_contains("cannot run /no/such/shell")
        .run();
}

// K43 var:bang
#[test]
fn a_command_of_the_shell_runs_with_the_last_one_put_in() {
    reading()
        .args(["-S", "bang"])
        .stdin("!echo one\n!! two\n! echo '\\!'\n!set -- !; echo $#\nx\n")
        .stdout("one\none two\n!\n2\n")
        .run();
    reading()
        .stdin("!echo a!\n!cat\n=\nx\n")
        .stdout("a!\n1\n")
        .run();
    reading()
        .stdin("!false\nd 1\nq\n")
        .status(66)
        .any_stderr()
        .stderr_contains("\"false\" failed: exit status 1")
        .run();
    reading()
        .stdin("!\nd 1\nq\n")
        .status(64)
        .any_stderr()
        .stderr_contains("no command is given")
        .run();
}

// K09 K23 K32 K43
#[test]
fn at_a_terminal_a_program_has_the_terminal_and_the_keys() {
    let ran = reading()
        .env("SHELL", "/bin/sh")
        .env("PS1", "sh> ")
        .at_terminal(|terminal| {
            terminal.sees("? ");
            terminal.types("!echo ready; read l; echo got $l\n");
            terminal.sees("\nready");
            terminal.types("line\n");
            terminal.sees("got line");
            terminal.sees("!");
            terminal.sees("? ");
            terminal.types("shell\n");
            terminal.sees("sh> ");
            terminal.types("echo in $((20+3))\n");
            terminal.sees("in 23");
            terminal.types("exit 4\n");
            terminal.sees("? ");
            // The key ends the command, and not the reader.
            terminal.types("!echo started; exec sleep 60\n");
            terminal.sees("\nstarted");
            terminal.types("\x03");
            terminal.sees("interrupted");
            terminal.sees("? ");
            terminal.types("x\n");
        });
    drop(ran);
}

// K09 K40
#[test]
fn real_editors_edit_a_copy() {
    if !std::path::Path::new("/usr/bin/ed").exists()
        || !std::path::Path::new("/usr/bin/vi").exists()
    {
        eprintln!("left out: needs ed and vi");
        return;
    }
    let mode = std::fs::metadata("/usr/bin/ed")
        .unwrap()
        .permissions()
        .mode();
    assert!(mode & 0o111 != 0);
    for term in ["xterm", "dumb"] {
        reading()
            .env("EDITOR", "ed")
            .env("VISUAL", "vi -u NONE")
            .env("TERM", term)
            .at_terminal(|terminal| {
                terminal.sees("? ");
                terminal.types("edit 1\n");
                terminal.sees("152");
                terminal.types("1p\n");
                terminal.sees("From: ");
                terminal.types("1d\nw\nq\n");
                terminal.sees("the copy is dropped");
                terminal.sees("? ");
                terminal.types("visual 2\n");
                terminal.sees("Subject");
                terminal.types(":q!\r");
                terminal.sees("? ");
                terminal.types("x\n");
            });
    }
}

#[test]
fn keys_that_are_pasted_behind_edit_never_become_commands() {
    if !std::path::Path::new("/usr/bin/ed").exists() {
        eprintln!("left out: needs ed");
        return;
    }
    // A terminal that edits lines itself gives one line at a time: the editor has the others.
    reading()
        .env("EDITOR", "ed")
        .env("TERM", "dumb")
        .at_terminal(|terminal| {
            terminal.sees("? ");
            terminal.types("edit 1\n1p\nq\n");
            terminal.sees("From: ");
            terminal.sees("? ");
            terminal.types("x\n");
        });
    // The line editor has read them with the command, and they are dropped.
    let ran = reading()
        .env("EDITOR", "ed")
        .env("TERM", "xterm")
        .at_terminal(|terminal| {
            terminal.sees("? ");
            terminal.types("edit 1\rd *\rx\r");
            terminal.sees("152");
            terminal.types("1p\n");
            terminal.sees("From: ");
            terminal.types("q\n");
            terminal.sees("? ");
            // The history and the names to complete are those of before.
            terminal.types("\x1b[A");
            terminal.sees("edit 1");
            terminal.types("\x15ver\t\r");
            terminal.sees("Postrider");
            terminal.sees("? ");
            terminal.types("x\n");
        });
    assert!(!ran.stdout().contains("deleted"), "{}", ran.stdout());
}
