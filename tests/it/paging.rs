//! The pager: which text goes there, and what becomes of it.

use crate::case::Case;
use crate::mailboxes::{ONE, TWO};

/// A message with this many lines of text.
fn long(lines: usize) -> String {
    let text: String = (1..=lines).map(|line| format!("line {line}\n")).collect();
    ONE.replace("/dev/sda1 97%\n", &text)
}

fn reading(mbox: impl AsRef<[u8]>) -> Case {
    let case = Case::new().file("cwd/box", mbox).args(["-N", "-f", "box"]);
    case.env("PAGER", "echo PAGED; /bin/cat")
        .may_change("cwd/box")
}

// HS11 var:crt K25
#[test]
fn what_is_longer_than_the_screen_goes_to_the_pager_and_nothing_else() {
    for (set, lines, columns, paged) in [
        ("ask", 60, 80, true),
        ("ask", 3, 80, false),
        ("crt", 60, 80, true),
        ("crt=100", 60, 80, false),
        ("crt=5", 3, 80, true),
        ("nocrt", 60, 80, false),
        ("posix", 60, 80, false),
        // Lines that are wider than the screen take several rows of it.
        ("ask", 3, 5, true),
    ] {
        let ran = reading(long(lines))
            .args(["-S", set])
            .at_terminal(|terminal| {
                terminal.sees("? ");
                terminal.resizes(columns, 24);
                terminal.types("p\n");
                terminal.sees(&format!("line {lines}\r\n"));
                terminal.sees("? ");
                terminal.types("x\n");
            });
        assert_eq!(ran.stdout().contains("PAGED"), paged, "{set} {lines}");
    }
    // A pipe has no pager, whatever is set.
    let case = reading(long(60))
        .args(["-S", "crt=1"])
        .stdin("p\nmore\nx\n");
    let ran = case.any_stdout().run();
    assert!(!ran.stdout().contains("PAGED"), "{}", ran.stdout());
}

#[test]
fn lists_and_help_go_to_the_pager_too() {
    let many = ONE.repeat(40);
    for (command, last) in [("help commands", "version"), ("f *", "40 "), ("h", "30 ")] {
        reading(&many)
            .args(["-S", "screen=30"])
            .at_terminal(|terminal| {
                terminal.sees("? ");
                terminal.resizes(100, 24);
                terminal.types(format!("{command}\n"));
                terminal.sees("PAGED");
                terminal.sees(last);
                terminal.sees("? ");
                terminal.types("x\n");
            });
    }
}

// K62
#[test]
fn more_and_page_always_use_the_pager() {
    for (command, shown) in [
        ("more 2", "Gr"),
        ("page 2", "Gr"),
        ("More 2", "Message-ID"),
        ("Page 2", "Message-ID"),
    ] {
        reading([ONE, TWO].concat()).at_terminal(|terminal| {
            terminal.sees("? ");
            terminal.types(format!("{command}\n"));
            terminal.sees("PAGED");
            terminal.sees(shown);
            terminal.sees("? ");
            terminal.types("q\n");
        });
    }
}

// var:pager
#[test]
fn without_a_name_the_pager_is_less_or_more() {
    for (installed, run) in [("less", "LESS"), ("other", "MORE")] {
        let pager = |name: &str| format!("#!/bin/sh\necho {name}; /bin/cat >/dev/null\n");
        Case::new()
            .args(["-N", "-f", "box"])
            .file("cwd/box", ONE)
            .may_change("cwd/box")
            .file("bin/more", pager("MORE"))
            .mode("bin/more", 0o755)
            .file(&format!("bin/{installed}"), pager("LESS"))
            .mode(&format!("bin/{installed}"), 0o755)
            .at_terminal(|terminal| {
                terminal.sees("? ");
                terminal.types("more\n");
                terminal.sees(run);
                terminal.types("x\n");
            });
    }
}

#[test]
fn the_pager_finds_options_that_suit_it_unless_there_are_some() {
    for (name, value, shown) in [
        ("X", "", "<FRX utf-8>"),
        ("LESS", "S", "<S utf-8>"),
        ("LESSCHARSET", "latin1", "<FRX latin1>"),
        ("LC_ALL", "de_DE.ISO-8859-1", "<FRX >"),
    ] {
        reading(ONE)
            .env(name, value)
            .env(
                "PAGER",
                "echo \"<$LESS $LESSCHARSET>\"; /bin/cat >/dev/null",
            )
            .at_terminal(|terminal| {
                terminal.sees("? ");
                terminal.types("more\n");
                terminal.sees(shown);
                terminal.types("x\n");
            });
    }
}

#[test]
fn a_pager_that_is_left_early_ends_the_command_and_later_messages_stay_unread() {
    let long = long(50_000);
    let ran = reading([&long, ONE].concat())
        .env("PAGER", "echo LEFT")
        .at_terminal(|terminal| {
            terminal.sees("? ");
            terminal.types("p 1 2\n");
            terminal.sees("LEFT");
            terminal.sees("? ");
            terminal.types("q\n");
        });
    let left = String::from_utf8(ran.read("cwd/box")).unwrap();
    assert_eq!(
        left.matches("Status: RO").count(),
        1,
        "{}",
        &left[left.len() - 400..]
    );
}

#[test]
fn a_pager_that_fails_or_is_killed_is_told() {
    for (pager, told) in [
        ("exit 3", "the pager exit 3 ended with status 3"),
        ("kill -9 $$", "the pager kill -9 $$ was killed"),
    ] {
        reading(long(60))
            .env("PAGER", pager)
            .at_terminal(|terminal| {
                terminal.sees("? ");
                terminal.types("p\n");
                terminal.sees(told);
                terminal.sees("? ");
                terminal.types("=\n");
                terminal.sees("1\r\n");
                terminal.types("x\n");
            });
    }
}

// HS09
#[test]
fn the_size_of_the_terminal_is_followed() {
    reading(ONE.repeat(50)).at_terminal(|terminal| {
        terminal.sees("? ");
        terminal.resizes(80, 14);
        terminal.types("h\n");
        terminal.sees("10 ");
        terminal.sees("? ");
        terminal.types("z\n");
        terminal.sees("11 ");
        terminal.sees("20 ");
        terminal.sees("? ");
        terminal.resizes(30, 34);
        terminal.types("h 31\n");
        terminal.sees("31 ");
        terminal.sees("50 ");
        terminal.sees("? ");
        terminal.types("x\n");
    });
}
