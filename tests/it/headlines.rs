//! Header lines: their layouts at a terminal and in a pipe, and the commands that show them.

use crate::case::Case;
use crate::mailboxes::{ONE, TWO};

fn reading(mbox: impl AsRef<[u8]>) -> Case {
    let case = Case::new().file("cwd/box", mbox).args(["-N", "-f", "box"]);
    case.may_change("cwd/box")
}

/// Messages with these subjects.
fn mails(count: usize) -> String {
    (1..=count)
        .map(|number| ONE.replace("Disk almost full", &format!("subject {number}")))
        .collect()
}

// HS02 HS06 HS07
#[test]
fn a_pipe_has_the_columns_of_bsd_mailx_and_whole_subjects() {
    let long = "x".repeat(200);
    let mbox = ONE.replace("Disk almost full", &long);
    let line = format!(">N  1 alice@example.org  Mon Nov 16 09:00    9/385   {long}\n");
    reading(&mbox).args(["-H"]).stdout(&line).run();
    let case = reading(&mbox).args(["-H"]).env("COLUMNS", "100");
    case.stdout(format!("{}\n", &line[..100])).run();
    // The commands of a script too.
    reading(&mbox)
        .stdin("f 1\nx\n")
        .stdout_contains(&line)
        .run();
}

// HS03 HS04 var:headline
#[test]
fn the_layouts_have_names_and_a_format_is_followed() {
    for (set, line) in [
        (
            "headline=s-nail",
            ">N  1 Alice Example      2026-11-16 09:00   13/201   Disk almost full\n",
        ),
        (
            "headline=bsd",
            ">N  1 alice@example.org  Mon Nov 16 09:00    9/201   Disk almost full\n",
        ),
        (
            "headline=%m %8f|%o|%s",
            "  1 alice@ex|201|Disk almost full\n",
        ),
        (
            "headline=%>%a%4m %18f %16d %3l/%-5o %s",
            ">N   1  alice@example.org 2026-11-16 09:00   9/201   Disk almost full\n",
        ),
        // What is none is told, and bsd's columns are used.
        (
            "headline=%q",
            ">N  1 alice@example.org  Mon Nov 16 09:00    9/201   Disk almost full\n",
        ),
    ] {
        let line = match set {
            // s-nail shows addresses too, where showname is not set.
            "headline=s-nail" => {
                ">N  1 alice@example.org  2026-11-16 09:00    9/201   Disk almost full\n"
            }
            _ => line,
        };
        let args = ["-H", "-S", "datefield=%Y-%m-%d %H:%M", "-S", set];
        let args = match set {
            "headline=bsd" | "headline=%q" => &["-H", "-S", set],
            _ => &args[..],
        };
        let case = reading(ONE).args(args).stdout(line);
        match set {
            "headline=%q" => case.says("headline must be").any_stderr().run(),
            _ => case.run(),
        };
    }
}

// HS03 HS08
#[test]
fn a_terminal_shows_names_and_dates_with_the_year_where_it_is_another_one() {
    let old = ONE
        .replace("2026", "2019")
        .replace("alice@example.org\nTo", "=?utf-8?q?J=C3=B6rg?= <j@x>\nTo");
    let ran = reading(&old).at_terminal(|terminal| {
        terminal.sees("? ");
        terminal.resizes(60, 24);
        terminal.types("f 1\n");
        terminal.sees("J\u{f6}rg            2019-11-16 ");
        terminal.sees("Disk almost full");
        terminal.types("set headline=bsd\nx\n");
    });
    assert!(!ran.stdout().contains("j@x"), "{}", ran.stdout());
}

// var:datefield var:datefield-markout-older var:attrlist
#[test]
fn dates_and_letters_are_those_that_were_set() {
    let ten = "1 alice@example.org  Mon Nov 16 09:00";
    for (set, shown) in [
        (
            &["datefield=%d.%m."][..],
            "alice@example.org  16.11.              9/",
        ),
        (&["datefield"], "alice@example.org  2026-11-16 09:00  "),
        (
            &["datefield", "datefield-markout-older=%Y"],
            "alice@example.org  ",
        ),
        (&["attrlist=XYZ"], ">X  1 alice"),
        (&["datefield=%!"], ten),
    ] {
        let mut case = reading(ONE).args(["-H"]).any_stderr();
        for set in set {
            case = case.args(["-S", set]);
        }
        case.stdout_contains(shown).run();
    }
    let old = ONE.replace("2026", "2001");
    let set = ["-S", "datefield", "-S", "datefield-markout-older=in %Y"];
    let case = reading(old).args(["-H"]).args(set);
    case.stdout_contains("  in 2001          ").run();
}

// HS14 var:colour
#[test]
fn colours_are_for_terminals_that_have_them() {
    for (set, name, value, coloured) in [
        ("ask", "X", "y", true),
        ("ask", "NO_COLOR", "1", false),
        ("colour", "NO_COLOR", "1", true),
        ("nocolor", "X", "y", false),
        ("colour=new=red", "TERM", "dumb", false),
    ] {
        let ran = reading(ONE)
            .args(["-S", set])
            .env(name, value)
            .at_terminal(|terminal| {
                terminal.sees("? ");
                terminal.types("f\n");
                terminal.sees("almost full");
                terminal.types("p\n");
                terminal.sees("/dev/sda1");
                terminal.types("x\n");
            });
        for sequence in ["\x1b[1m", "\x1b[36mSubject: \x1b[0m"] {
            assert_eq!(
                ran.stdout().contains(sequence),
                coloured,
                "{set} {name}: {:?}",
                ran.stdout()
            );
        }
    }
    let case = reading(ONE)
        .args(["-S", "colour=new=red"])
        .stdin("f\np\nx\n");
    let ran = case.any_stdout().run();
    assert!(!ran.stdout().contains('\x1b'));
}

// HS05
#[test]
fn the_letters_tell_what_a_message_is() {
    let states = [("", 'N'), ("Status: O\n", 'U'), ("Status: RO\n", ' ')];
    let more = [
        ("X-Status: A\n", 'A'),
        ("X-Status: F\n", 'F'),
        ("X-Status: T\n", 'T'),
    ];
    let read = more.map(|(field, letter)| (format!("Status: RO\n{field}"), letter));
    let all = states
        .map(|(field, letter)| (field.to_owned(), letter))
        .into_iter()
        .chain(read);
    let (mbox, letters): (Vec<String>, Vec<char>) = all
        .map(|(fields, letter)| (ONE.replacen("\n\n", &format!("\n{fields}\n"), 1), letter))
        .unzip();
    let ran = reading(mbox.concat()).stdin("f *\ns 3 x\np 1\nf 1 3\nx\n");
    let ran = ran.may_change("cwd/x").any_stdout().any_stderr().run();
    let lines = ran.stdout().to_owned();
    let letters_of = |text: &str| -> String {
        let lines = text
            .lines()
            .filter(|line| line.contains("alice@example.org  "));
        lines.filter_map(|line| line.chars().nth(1)).collect()
    };
    let expected: String = letters.iter().collect();
    assert_eq!(letters_of(&lines), format!("{expected}R*"), "{lines}");
}

// HS01 var:quiet var:header
#[test]
fn the_banner_counts_messages() {
    let two = [ONE, TWO].concat();
    for (mbox, set, shown, hidden) in [
        (&two, "ask", "\"box\": 2 messages 1 new 1 unread", "nothing"),
        (
            &ONE.to_owned(),
            "ask",
            "\"box\": 1 message 1 new",
            "messages",
        ),
        (&two, "quiet", "", "messages"),
        (&two, "ask", "Type ? for help", "almost full"),
    ] {
        let case = reading(mbox).args(["-S", set]).stdin("x\n").any_stdout();
        let ran = case.run();
        assert!(
            ran.stdout().contains(shown) && !ran.stdout().contains(hidden),
            "{}",
            ran.stdout()
        );
    }
}

// K14
#[test]
fn from_shows_lines_and_makes_the_last_one_current() {
    let script = "f 2 3\n=\nfrom 1\nf\nx\n";
    let ran = reading(mails(3))
        .args(["-S", "quiet"])
        .stdin(script)
        .any_stdout()
        .run();
    let text = ran.stdout();
    let shown: Vec<&str> = text
        .lines()
        .map(|line| line.split("  ").last().unwrap())
        .collect();
    assert_eq!(
        shown,
        [" subject 2", " subject 3", "3", " subject 1", " subject 1"]
    );
}

// K15 K42 var:screen
#[test]
fn headers_and_z_show_screenfuls() {
    for (commands, first, last) in [
        ("h", 1, 4),
        ("h 6", 5, 8),
        ("z", 5, 8),
        ("z+", 5, 8),
        ("z 2", 9, 10),
        ("z+2", 9, 10),
        ("z$", 9, 10),
        ("z$\nz0", 1, 4),
        ("z$\nz-", 5, 8),
        ("z$\nz-9", 1, 4),
        ("z99999999999999999999", 9, 10),
        ("z$\nf 1\nz.", 1, 4),
        ("d 1-4\nh", 5, 8),
    ] {
        let case = reading(mails(10)).args(["-S", "quiet", "-S", "screen=4"]);
        let ran = case
            .stdin(format!("echo\n{commands}\nx\n"))
            .any_stdout()
            .run();
        let text = ran.stdout();
        let all: Vec<&str> = text
            .lines()
            .filter(|line| line.contains("subject"))
            .collect();
        let shown: Vec<usize> = all
            .iter()
            .map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
            .collect();
        let from = shown.len() - (last - first + 1);
        assert_eq!(
            shown[from..],
            (first..=last).collect::<Vec<_>>(),
            "{commands}"
        );
    }
    for (command, told) in [
        ("z-", "On first screenful of messages"),
        ("z$\nz", "On last screenful of messages"),
    ] {
        let case = reading(mails(10)).args(["-S", "quiet", "-S", "screen=4"]);
        case.stdin(format!("{command}\nx\n"))
            .stderr(format!("{told}\n"))
            .any_stdout()
            .run();
    }
}

// var:showlast
#[test]
fn showlast_starts_at_the_last_message() {
    let case = reading(mails(3)).args(["-S", "quiet", "-S", "showlast"]);
    case.stdin("=\nx\n").stdout("3\n").run();
    // Another mailbox begins in the same way.
    let case = reading(mails(3)).args(["-S", "quiet", "-S", "noheader", "-S", "showlast"]);
    let case = case.file("cwd/other", mails(2));
    let case = case.may_change("cwd/box").stdin("file other\n=\nx\n");
    case.stdout("\"box\" complete\n2\n").run();
}

// HS10 HS12 HS13 var:prompt
#[test]
fn a_pipe_sees_no_prompt_and_hidden_fields_stay_hidden() {
    let mbox = ONE.replacen("\n\n", "\nReceived: by x\n\n", 1);
    let case = reading(mbox).args(["-S", "quiet", "-S", "prompt=say> "]);
    let ran = case.stdin("p\nx\n").any_stdout().run();
    assert!(
        ran.stdout()
            .starts_with("Message 1:\nFrom alice@example.org "),
        "{}",
        ran.stdout()
    );
    assert!(!ran.stdout().contains("say>") && !ran.stdout().contains("Received"));
    reading(ONE)
        .args(["-S", "prompt=say> "])
        .at_terminal(|terminal| {
            terminal.sees("say> ");
            // An empty line is `next`.
            terminal.types("\n");
            terminal.sees("/dev/sda1");
            terminal.sees("say> ");
            terminal.types("\n");
            terminal.sees("At EOF");
            terminal.types("x\n");
        });
}
