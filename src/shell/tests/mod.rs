//! Tests of the loop: commands in, output and complaints out.

use std::path::PathBuf;

use super::*;

use super::options::ReaderContext;
use crate::config::{Origin, Settings, mailrc};
use crate::flow::reading::FoundMailbox;
use crate::mailbox::{Journals, Mailbox};
use crate::ui::Screen;

mod changing;

/// A mailbox of this many messages; message 2 was read, message 3 was seen.
fn mail(count: usize) -> String {
    let mut mail = String::new();
    for number in 1..=count {
        let status = match number {
            2 => "Status: RO\n",
            3 => "Status: O\n",
            _ => "",
        };
        mail.push_str(&format!(
            "From a{number}@example.com Mon Nov 16 09:00:00 2026\nFrom: a{number}@example.com\n\
             Subject: subject {number}\nReceived: hidden\n{status}\nbody {number}\n\n"
        ));
    }
    mail
}

/// What a session came to.
struct Session {
    out: String,
    err: String,
    kind: Option<Kind>,
    /// What the mailbox holds afterwards; empty where it is not there any more.
    left: String,
    dir: tempfile::TempDir,
}

impl Session {
    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.dir.path().join(name)).unwrap_or_default()
    }
}

/// Runs commands over a mailbox; `DIR` in them is its directory.
fn session(world: World<'_>, content: &str, commands: &str) -> Session {
    let World {
        settings,
        mut around,
        mbox,
    } = world;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mbox");
    std::fs::write(&path, content).unwrap();
    let mbox = mbox.unwrap_or_else(|| dir.path().join("read"));
    around.find_file = Box::new(move |name, _, _| {
        Ok(FoundMailbox::file(match name {
            "&" => mbox.clone(),
            name => name.into(),
        }))
    });
    let mailbox = Mailbox::open(&path, &Journals::default(), &mut |_, _, _| {}).unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let shown = crate::sanitize::path(&dir.path()).to_string();
    let commands = commands.replace("DIR", &shown);
    let mut input = commands.as_bytes();
    let screen = Screen::new(&mut out, &mut err, "mailx");
    let reader = Reader::new(mailbox, settings, around, screen);
    let kind = run(reader, &[], CommandInput::Lines(&mut input)).unwrap();
    Session {
        out: String::from_utf8(out).unwrap().replace(&shown, "DIR"),
        err: String::from_utf8(err).unwrap().replace(&shown, "DIR"),
        kind,
        left: std::fs::read_to_string(&path).unwrap_or_default(),
        dir,
    }
}

/// Runs commands that change nothing, and gives output and complaints.
fn session_with(settings: World<'_>, content: &str, commands: &str) -> (String, String) {
    let commands = format!("{commands}x\n");
    let session = session(settings, content, &commands);
    assert_eq!(session.left, content, "the mailbox was changed");
    (session.out, session.err)
}

/// What a session is told from outside.
#[derive(Default)]
struct World<'a> {
    settings: Settings,
    around: ReaderContext<'a>,
    /// What `&` stands for, if it is not the file `read` beside the mailbox.
    mbox: Option<PathBuf>,
}

impl World<'_> {
    /// Sets variables, as `set` takes them.
    fn set(mut self, words: &str) -> Self {
        for word in words.split_whitespace() {
            mailrc::apply_set(&mut self.settings, word, Origin::Default).unwrap();
        }
        self
    }

    /// Lets the commands come from a terminal.
    fn at_a_terminal(mut self) -> Self {
        self.around.stdin_is_terminal = true;
        self
    }
}

fn quiet() -> World<'static> {
    World::default().set("quiet noheader")
}

/// Returns which messages were shown, by their first lines, and header lines by number.
fn shown(content: &str, commands: &str) -> (Vec<String>, String) {
    let (out, err) = session_with(quiet(), content, commands);
    let seen = out
        .lines()
        .filter_map(|line| match line.strip_prefix("Message ") {
            Some(rest) => Some(format!("m{}", rest.trim_end_matches(':'))),
            None if line.contains(" Mon Nov 16 09:00 ") => {
                let mark = if line.starts_with('>') { ">" } else { "" };
                let number = line[2..6].trim();
                Some(format!("{mark}{number}"))
            }
            None if line.parse::<u32>().is_ok() => Some(format!("={line}")),
            None => None,
        })
        .collect();
    (seen, err)
}

#[test]
fn the_session_opens_with_banner_and_headers() {
    let (out, err) = session_with(World::default(), &mail(3), "");
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].starts_with("Postrider ") && lines[0].ends_with("  Type ? for help."));
    assert_eq!(lines[1], "\"DIR/mbox\": 3 messages 1 new 2 unread");
    assert!(lines[2].starts_with(">N  1 a1@example.com "), "{out}");
    assert!(lines[3].starts_with("    2 a2@example.com "), "{out}");
    assert!(lines[4].starts_with(" U  3 a3@example.com "), "{out}");
    assert_eq!((lines.len(), &*err), (5, ""));
    let (out, _) = session_with(World::default(), &mail(1), "");
    assert!(out.contains(": 1 message 1 new 1 unread\n"), "{out}");
}

#[test]
fn commands_move_through_the_mailbox() {
    let cases: &[(&str, &[&str])] = &[
        ("\n\n\n", &["m1", "m2", "m3"]),
        ("n\nn\n", &["m1", "m2"]),
        ("3\n=\n", &["m3", "=3"]),
        ("t5\nn\n", &["m5", "m6"]),
        ("1-3\n=\n", &["m1", "m2", "m3", "=3"]),
        ("p 2 4\n+\n-\n", &["m2", "m4", "m5", "m4"]),
        ("P2\nT 3\ntype 4\n", &["m2", "m3", "m4"]),
        ("f 2 3\n=\nf .\n", &["2", "3", "=3", ">3"]),
        ("f $ 1\n=\n", &[">1", "25", "=25"]),
        ("f a3@\nf '/subject 25'\nf :o\n", &["3", "25", "3"]),
        ("n 7\n=\n", &["m7", "=7"]),
        ("$\n=\n", &["m25", "=25"]),
        ("# t 1\n=\nx\nt 1\n", &["=1"]),
        ("t \\\n2\n", &["m2"]),
        ("f 2\r\n", &["2"]),
    ];
    for (commands, expected) in cases {
        assert_eq!(
            shown(&mail(25), commands),
            (owned(expected), String::new()),
            "{commands}"
        );
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

#[test]
fn headers_come_in_screenfuls() {
    let numbers = |range: std::ops::RangeInclusive<usize>| {
        let first = *range.start();
        range
            .map(|n| {
                if n == first {
                    format!(">{n}")
                } else {
                    n.to_string()
                }
            })
            .collect::<Vec<_>>()
    };
    for (commands, expected) in [
        ("z\n", numbers(21..=25)),
        ("z\nz-\n", [numbers(21..=25), numbers(1..=20)].concat()),
        ("h 23\n", numbers(21..=25)),
        ("z+\n", numbers(21..=25)),
    ] {
        assert_eq!(
            shown(&mail(25), commands),
            (expected, String::new()),
            "{commands}"
        );
    }
    let (seen, err) = shown(&mail(25), "z-\nz\nz\n");
    assert_eq!(seen.len(), 5);
    assert_eq!(
        err,
        "On first screenful of messages\nOn last screenful of messages\n"
    );
}

#[test]
fn complaints_go_to_stderr_and_the_loop_goes_on() {
    let cases = [
        ("foo\n", "Unknown command: \"foo\"\n"),
        ("9\n", "9: Invalid message number\n"),
        ("f nobody\n", "No applicable messages\n"),
        ("$\nn\n", "At EOF\n"),
        ("x 1\n", "exit: too many arguments\n"),
        (
            "z x\n",
            "z: \"x\" is not understood: use z, z+, z-, a number, z0, z$ or z.\n",
        ),
        ("\x1b[2J\n", "Unknown command: \"\u{241b}\"\n"),
    ];
    for (commands, expected) in cases {
        let (_, err) = session_with(quiet(), &mail(3), commands);
        assert_eq!(err, expected.replace("exit", "xit"), "{commands:?}");
    }
}

#[test]
fn an_empty_mailbox_has_nothing_to_show() {
    let (out, err) = session_with(World::default(), "", "n\np\nf *\nh\n=\nz\n");
    assert!(out.ends_with(": 0 messages\n"), "{out}");
    assert_eq!(
        err,
        "At EOF\nNo applicable messages\nNo applicable messages\nNo applicable messages\n\
         No applicable messages\nOn last screenful of messages\n"
    );
}

#[test]
fn fields_are_hidden_unless_asked_for_and_reading_is_remembered() {
    let (out, _) = session_with(quiet(), &mail(1), "p\nP\nf\n");
    let expected = "Message 1:\nFrom a1@example.com Mon Nov 16 09:00:00 2026\n\
        From: a1@example.com\nSubject: subject 1\n\nbody 1\n\n\
        Message 1:\nFrom a1@example.com Mon Nov 16 09:00:00 2026\n\
        From: a1@example.com\nSubject: subject 1\nReceived: hidden\n\nbody 1\n\n";
    let (printed, line) = out.split_at(expected.len());
    assert_eq!(printed, expected);
    assert!(line.starts_with(">R  1 "), "{line}");
}

#[test]
fn prompts_are_for_terminals() {
    let mut world = quiet().at_a_terminal();
    world.around.program = "mail".to_owned();
    let (out, _) = session_with(world, &mail(1), "=\n");
    assert_eq!(out, "& 1\n& ");
}

#[test]
fn help_tells_every_command_with_a_text() {
    let (out, _) = session_with(quiet(), &mail(1), "?\nhelp commands\nlist\n");
    for text in [
        "Show messages         n[ext] p[rint] ",
        "  p[rint], t[ype] [messages]",
        "  ex[it], x[it] ",
        "  hel[p], ? ",
        "\nnext, print, type, ",
        "delete, ",
    ] {
        assert!(out.contains(text), "{text}: {out}");
    }
}

#[test]
fn a_message_that_somebody_else_removes_is_told_and_the_others_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mbox");
    let all = mail(3);
    std::fs::write(&path, &all).unwrap();
    let open = || Mailbox::open(&path, &Journals::default(), &mut |_, _, _| {}).unwrap();
    let (first, second) = (open(), open());
    let start = all.find("From a2@").unwrap()..all.find("From a3@").unwrap();
    std::fs::write(&path, all.replacen(&all[start], "", 1)).unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let settings = quiet().settings;
    let around = ReaderContext::default;
    let screen = Screen::new(&mut out, &mut err, "mailx");
    let mut input = &b"from /\"subject 3\"\n"[..];
    let input = CommandInput::Lines(&mut input);
    assert_eq!(
        run(Reader::new(first, settings, around(), screen), &[], input).unwrap(),
        None
    );
    let (out, err) = (
        String::from_utf8(out).unwrap(),
        String::from_utf8(err).unwrap(),
    );
    assert!(
        out.contains("subject 3") && !out.contains("subject 1"),
        "{out}"
    );
    let told = "2: cannot read the message: another program has removed the message\n";
    assert!(err.ends_with(told), "{err}");
    // It is no failure, only nothing to be found.
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let screen = Screen::new(&mut out, &mut err, "mailx");
    let settings = Settings::default();
    let found = search(
        Reader::new(second, settings, around(), screen),
        "/\"subject 2\"",
        false,
    )
    .unwrap();
    assert_eq!(found, Some(Kind::Nothing));
    assert!(String::from_utf8(err).unwrap().ends_with(told));
}

#[test]
fn a_changed_setting_counts_for_the_next_command() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mbox");
    std::fs::write(&path, mail(3)).unwrap();
    let mailbox = Mailbox::open_index(&path, &Journals::default()).unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let screen = Screen::new(&mut out, &mut err, "mailx");
    let around = ReaderContext {
        find_file: Box::new(|name, _, settings| {
            let folder = settings.text("folder").unwrap_or("none");
            Ok(FoundMailbox::file(name.replace('+', folder)))
        }),
        ..ReaderContext::default()
    };
    let mut reader = Reader::new(mailbox, quiet().settings, around, screen);
    reader.execute("top 1", &mut CommandSource::empty());
    let context = mailrc::Context {
        sending: false,
        terminal: false,
        home: None,
    };
    let lines = [
        "set toplines=1 prompt=next autoprint posix screen=1 folder=/dir/ lock-timeout=7",
        "set expandaddr=nonsense",
        "retain from",
    ];
    for line in lines {
        let line = (Origin::Default, line.as_bytes().to_owned());
        mailrc::apply_lines(&mut reader.settings, vec![line], &context);
        reader.execute("top 2", &mut CommandSource::empty());
    }
    reader.execute("print 3", &mut CommandSource::empty());
    assert_eq!(reader.options.prompt, "next");
    assert_eq!(reader.options.lock_patience.as_secs(), 7);
    assert!(reader.options.autoprint && reader.options.rules.posix && !reader.options.rules.hold);
    assert_eq!(reader.file_of("+x").unwrap(), PathBuf::from("/dir/x"));
    reader.execute("headers 2", &mut CommandSource::empty());
    assert_eq!(reader.page, 1);
    drop(reader);
    let out = String::from_utf8(out).unwrap();
    let (first, rest) = out.split_once("Message 2:").unwrap();
    assert_eq!(first.lines().count(), 7, "{out}");
    assert!(rest.starts_with("\nFrom a2@example.com Mon Nov 16 09:00:00 2026\n\nMessage 2:"));
    let (_, printed) = rest.split_once("Message 3:").unwrap();
    assert!(
        printed.contains("From: a3@") && !printed.contains("Subject: "),
        "{out}"
    );
}
