//! What a person at a terminal has in the hands: history and completion.

use crate::case::Case;
use crate::mailboxes::{ONE, TWO};

const HISTORY: &str = "home/.local/state/postrider/history";

fn reading(mbox: impl AsRef<[u8]>) -> Case {
    let case = Case::new().file("cwd/box", mbox).args(["-N", "-f", "box"]);
    case.may_change("cwd/box")
}

// K78 var:history
#[test]
fn commands_are_kept_for_later_sessions_and_secrets_are_not() {
    let ran = reading(ONE).at_terminal(|terminal| {
        for line in [
            "=",
            "set password=s3cret",
            "echo smtp://me:s3cret@x",
            "history off",
            "h",
            "history on",
            "f 1",
        ] {
            terminal.sees("? ");
            terminal.types(format!("{line}\n"));
        }
        terminal.sees("Disk almost full");
        terminal.types("history 2\n");
        terminal.sees("f 1\r\n");
        terminal.sees("history 2\r\n");
        terminal.types("x\n");
    });
    let kept = String::from_utf8(ran.read(HISTORY)).unwrap();
    assert_eq!(kept, "=\nhistory off\nf 1\nhistory 2\nx\n");
    // The next session recalls them by the key up, on a terminal that has it.
    let ran = reading(ONE)
        .file(HISTORY, "echo from before\n")
        .mode(HISTORY, 0o600)
        .at_terminal(|terminal| {
            terminal.sees("? ");
            terminal.types("\x1b[A\n");
            terminal.sees("\r\nfrom before\r\n");
            terminal.types("x\n");
        });
    assert!(ran.read(HISTORY).ends_with(b"before\nx\n"));
    for (set, term) in [("nohistory", "xterm"), ("ask", "dumb")] {
        let ran = reading(ONE)
            .args(["-S", set])
            .env("TERM", term)
            .at_terminal(|terminal| {
                terminal.sees("? ");
                terminal.types("x\n");
            });
        assert!(!ran.path(HISTORY).exists(), "{set}");
    }
    // A script leaves none.
    let ran = reading(ONE).stdin("x\n").any_stdout().run();
    assert!(!ran.path(HISTORY).exists());
}

// K78
#[test]
fn a_tab_completes_commands_files_variables_aliases_and_addresses() {
    reading([ONE, TWO].concat())
        .rc("alias operators root\nset folder=[DIR]/cwd/mail")
        .file("cwd/mail/archive", ONE)
        .file("cwd/evil\x1b[2J", "")
        .at_terminal(|terminal| {
            terminal.sees("? ");
            for (typed, shown) in [
                ("versi\t\n", "Postrider "),
                ("echo x; \t\x15undel\t", "undelete"),
                ("\x15set indentp\t", "indentprefix"),
                ("\x15mail oper\t", "operators"),
                ("\x15mail bob\t", "bob@example.org"),
                ("\x15file +ar\t", "+archive"),
                ("\x15file ev\t\x15=\n", "1\r\n"),
            ] {
                terminal.types(typed);
                terminal.sees(shown);
            }
            terminal.types("x\n");
        });
}

// HS08
#[test]
fn nothing_of_a_history_that_another_program_wrote_reaches_the_terminal() {
    let ran = reading(ONE)
        .file(
            HISTORY,
            "echo one\n\x1b]52;c;evil\x07\necho \u{202e}two\n\u{9b}2J\n",
        )
        .mode(HISTORY, 0o600)
        .at_terminal(|terminal| {
            terminal.sees("? ");
            terminal.types("history\n");
            terminal.sees("echo one\r\n");
            terminal.sees("2 history\r\n");
            terminal.sees("? ");
            terminal.types("\x1b[A\x1b[A\n");
            terminal.sees("one\r\n");
            terminal.types("x\n");
        });
    let shown = ran.stdout();
    for bad in ["\x1b]", "\x07", "\u{9b}", "\u{202e}"] {
        assert!(!shown.contains(bad), "{shown:?}");
    }
}

// HS08
#[test]
fn what_is_typed_is_no_escape_sequence_of_the_line_editor() {
    for (name, value) in [("LINES", "24"), ("NO_COLOR", "1")] {
        let ran = reading(ONE)
            .env("TERM", "xterm")
            .env(name, value)
            .keeps(1)
            .any_status()
            .at_terminal(|terminal| {
                terminal.sees("? ");
                // ^R searches the history for what is typed.
                terminal.types("=\n");
                terminal.sees("? ");
                terminal.types("\x12\u{202e}");
                terminal.sees("i-search)`<U+202E>");
                terminal.types("\x03");
                terminal.sees("? ");
                // ^V takes the next key as it is.
                terminal.types("echo \x16\x1b]52;c;evil\x16\x07 \u{202e}\u{9b}2J\n");
                terminal.sees("\r\n␛]52;c;evil␇");
                terminal.sees("? ");
                terminal.types("mail\n");
                terminal.sees("To: ");
                terminal.types("a@b.example \x16\x1b]52;c;evil\x16\x07\x03");
                terminal.sees("one more to kill");
                terminal.types("\x03");
                terminal.sees("? ");
                terminal.types("x\n");
            });
        let shown = ran.stdout();
        for bad in ["\x1b]", "\x07", "\u{9b}", "\u{202e}"] {
            assert!(!shown.contains(bad), "{name}: {shown:?}");
        }
    }
}

#[test]
fn a_line_that_is_not_utf_8_is_left_out_and_what_is_behind_it_is_no_command() {
    let ran = reading([ONE, TWO].concat())
        .env("TERM", "xterm")
        .at_terminal(|terminal| {
            terminal.sees("? ");
            terminal.types(b"echo caf\xe9d");
            terminal.sees("type the line again");
            terminal.types("d *\n");
            terminal.sees("? ");
            terminal.types("echo still here\n");
            terminal.sees("\r\nstill here\r\n");
            terminal.types("x\n");
        });
    assert!(!ran.stdout().contains("deleted"), "{}", ran.stdout());
}
