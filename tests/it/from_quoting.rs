//! The quoting of `From ` lines: an mbox has it, a Maildir and an MMDF mailbox have not, at every
//! door by which a message is shown or goes from one to the other.

use std::fs;
use std::path::Path;

use crate::case::Case;
use crate::doors::{assert_rule, table};

/// A message with lines of all depths, in a text, in a part and in base64 (`>From base64`).
const SENT: &str = "From: a@x.example\nDate: Mon, 16 Nov 2026 09:00:00 +0000\nSubject: depths\n\
    MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nfirst\nFrom 0\n\
    >From 1\n>>From 2\n> From not\n>Fromage\n--b\n\
    Content-Transfer-Encoding: quoted-printable\n\n>From =51P\n--b\n\
    Content-Type: text/plain; name=q.txt\nContent-Disposition: attachment; filename=q.txt\n\
    Content-Transfer-Encoding: base64\n\nPkZyb20gYmFzZTY0Cg==\n--b--\n";

/// What a reader sees of it.
const LINES: [&str; 7] = [
    "From 0",
    ">From 1",
    ">>From 2",
    "> From not",
    ">Fromage",
    ">From QP",
    "first",
];

/// Returns the message as an mbox holds it.
fn quoted(message: &str) -> String {
    let lines: Vec<String> = message
        .split_inclusive('\n')
        .map(|line| match line.trim_start_matches('>') {
            rest if rest.starts_with("From ") => format!(">{line}"),
            _ => line.to_owned(),
        })
        .collect();
    format!(
        "From a@x.example Mon Nov 16 09:00:00 2026\n{}\n",
        lines.concat()
    )
}

/// Puts a message into a mailbox of this kind, at `cwd/box`.
pub fn stored(case: Case, kind: &str, message: &str) -> Case {
    match kind {
        "Maildir" => case
            .directory("cwd/box/tmp")
            .directory("cwd/box/new")
            .file("cwd/box/cur/1795344592.M1P1Q1.host:2,S", message),
        "MMDF" => case.file(
            "cwd/box",
            format!("\x01\x01\x01\x01\n{message}\x01\x01\x01\x01\n"),
        ),
        _ => case.file("cwd/box", quoted(message)),
    }
}

#[test]
fn quoting_is_undone_for_an_mbox_and_never_for_a_maildir() {
    let kinds = [("mbox", "mbox"), ("Maildir", "Maildir"), ("MMDF", "MMDF")];
    let doors = || {
        vec![
            ("print", ["mailx", "-N", "-f", "[DIR]/cwd/box"].to_vec()),
            (
                "top",
                ["mailx", "-N", "-S", "toplines=40", "-f", "[DIR]/cwd/box"].to_vec(),
            ),
            ("-p", ["mailx", "-p", "-f", "[DIR]/cwd/box"].to_vec()),
            (
                "show",
                ["postrider", "show", "1", "--file", "[DIR]/cwd/box"].to_vec(),
            ),
            (
                "show --json",
                [
                    "postrider",
                    "show",
                    "1",
                    "--json",
                    "--file",
                    "[DIR]/cwd/box",
                ]
                .to_vec(),
            ),
            ("write", ["mailx", "-N", "-f", "[DIR]/cwd/box"].to_vec()),
        ]
    };
    let named = || {
        doors()
            .into_iter()
            .map(|(name, args)| (name, (name, args)))
            .collect()
    };
    assert_rule(table(&kinds, named), |(kind, (door, args))| {
        let case = stored(Case::new().called(args[0]).args(&args[1..]), kind, SENT);
        let text = case.path("cwd/text").display().to_string();
        let stdin = match door {
            "print" => "print\nx\n".to_owned(),
            "top" => "top\nx\n".to_owned(),
            "write" => format!("write 1 {text}\nx\n"),
            _ => String::new(),
        };
        let ran = case.stdin(stdin).any_stdout().may_change("cwd").run();
        let shown = match door {
            "show --json" => {
                let value: serde_json::Value =
                    serde_json::from_str(&ran.stdout()).map_err(|error| error.to_string())?;
                value["text"].as_str().unwrap_or_default().to_owned()
            }
            "write" => String::from_utf8_lossy(&ran.read("cwd/text")).into_owned(),
            _ => ran.stdout(),
        };
        let missing: Vec<&str> = LINES
            .into_iter()
            .filter(|line| !shown.lines().any(|shown| shown == *line))
            .collect();
        match missing[..] {
            [] => Ok(()),
            _ => Err(format!("{missing:?} are missing in:\n{shown}")),
        }
    });
}

#[test]
fn an_attachment_of_a_maildir_message_is_written_as_it_was_sent() {
    for kind in ["mbox", "Maildir", "MMDF"] {
        let case =
            stored(Case::new().args(["-N", "-f", "[DIR]/cwd/box"]), kind, SENT).directory("cwd/to");
        let to = case.path("cwd/to").display().to_string();
        let ran = case
            .stdin(format!("write 1 {to}/\nx\n"))
            .any_stdout()
            .may_change("cwd")
            .run();
        assert_eq!(ran.read("cwd/to/q.txt"), b">From base64\n", "{kind}");
    }
}

/// Makes an empty Maildir.
fn with_maildir(case: Case, path: &str) -> Case {
    ["tmp", "new", "cur"]
        .iter()
        .fold(case, |case, name| case.directory(&format!("{path}/{name}")))
}

// MB17 K21 var:mbox
#[test]
fn what_goes_from_an_mbox_to_a_maildir_is_unquoted_at_every_door() {
    let doors = [
        ("save 1 MAILDIR\nx\n", ""),
        ("copy 1 MAILDIR\nx\n", ""),
        ("Copy 1\nx\n", ""),
        ("mbox 1\nquit\n", "set MBOX=MAILDIR"),
        ("print 1\nquit\n", "set posix MBOX=MAILDIR"),
    ];
    for (commands, rc) in doors {
        let case = with_maildir(Case::new().args(["-N"]), "cwd/a");
        let spool = format!("spool/{}", case.user());
        let maildir = case.path("cwd/a").display().to_string();
        let ran = case
            .file(&spool, quoted(SENT))
            .rc(&rc.replace("MAILDIR", &maildir))
            .stdin(commands.replace("MAILDIR", &maildir))
            .may_change("cwd")
            .may_change(&spool)
            .any_stdout()
            .run();
        let [copied] = &files(&ran.path("cwd/a"))[..] else {
            panic!("{commands}: no message");
        };
        assert_eq!(copied, SENT, "{commands}");
    }
}

#[test]
fn mail_that_is_composed_is_never_quoted_in_a_maildir() {
    let body = "From 0\n>From 1\n>>From 2\n";
    let doors: [(&str, &[&str]); 3] = [
        ("set mta=test record=MAILDIR", &["a@x.example"]),
        ("set mta=test", &["-C", "Fcc: MAILDIR", "a@x.example"]),
        ("set mta=false DEAD=MAILDIR", &["a@x.example"]),
    ];
    for (rc, args) in doors {
        let case = with_maildir(Case::new(), "cwd/sent");
        let maildir = case.path("cwd/sent").display().to_string();
        let named = |text: &str| text.replace("MAILDIR", &maildir);
        let ran = case
            .rc(&named(rc))
            .args(args.iter().map(|word| named(word)))
            .stdin(body)
            .may_change("cwd")
            .may_change("home")
            .any_status()
            .any_stdout()
            .any_stderr()
            .run();
        let found = files(&ran.path("cwd/sent"));
        assert_eq!(found.len(), 1, "{rc}: {}", ran.stderr());
        assert!(
            found[0].ends_with(&format!("\n\n{body}")),
            "{rc}: {found:?}"
        );
    }
}

/// Returns all messages of a Maildir, in order of their text.
fn files(maildir: &Path) -> Vec<String> {
    let mut files: Vec<String> = ["new", "cur"]
        .iter()
        .flat_map(|name| fs::read_dir(maildir.join(name)).unwrap())
        .map(|entry| String::from_utf8(fs::read(entry.unwrap().path()).unwrap()).unwrap())
        .collect();
    files.sort();
    files
}

/// Numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % end
    }

    fn one_of<T: Copy>(&mut self, choice: &[T]) -> T {
        choice[self.below(choice.len() as u64) as usize]
    }
}

/// Returns a message of lines that look like From_ lines, quoted to any depth, or nearly so.
fn message(number: usize, numbers: &mut Numbers) -> String {
    // Some have no header, and some no empty line behind it.
    let subject = format!("Subject: {number:03}\n");
    let header = [&*subject, "text\n", ">From a\nTo: b\n", "From a\nTo: b\n"];
    let mut text = numbers.one_of(&header[..]).to_owned();
    let line_end = numbers.one_of(&["\n", "\n", "\r\n"]);
    let lines = [
        "From ",
        "From a@x Mon Nov 16 09:00:00 2026",
        "From - ",
        "From",
        "from x",
        "Fromage",
        " From x",
        "",
        "",
        "text",
        "To: b",
        "\x01\x01\x01\x01",
        ">",
    ];
    if numbers.below(3) > 0 {
        text.push_str(line_end);
    }
    for _ in 0..numbers.below(12) {
        text.push_str(&">".repeat(numbers.below(4) as usize));
        text.push_str(numbers.one_of(&lines));
        text.push_str(line_end);
    }
    text
}

#[test]
fn messages_come_out_of_chains_of_mailboxes_as_they_went_in() {
    let mut numbers = Numbers(11);
    for chain in 0..8 {
        let mut sent: Vec<String> = (0..12)
            .map(|number| message(number, &mut numbers))
            .collect();
        let mut case = with_maildir(Case::new(), "cwd/0");
        for (number, text) in sent.iter().enumerate() {
            case = case.file(&format!("cwd/0/new/17953445{number:02}.M1P1Q1.host"), text);
        }
        sent.sort();
        let mut hops = vec!["cwd/0".to_owned()];
        for hop in 1..6 {
            let next = format!("cwd/{hop}");
            // The last one is a Maildir, whose files can be compared byte for byte.
            if hop == 5 || numbers.below(2) == 0 {
                case = with_maildir(case, &next);
            }
            hops.push(next);
        }
        let mut maildirs = 0;
        for pair in hops.windows(2) {
            let to = case.path(&pair[1]).display().to_string();
            let ran = case
                .args(["-N", "-n", "-f", &format!("[DIR]/{}", pair[0])])
                .stdin(format!("copy * {to}\nx\n"))
                .may_change("cwd")
                .any_stdout()
                .run();
            if ran.path(&pair[1]).is_dir() {
                maildirs += 1;
                assert_eq!(files(&ran.path(&pair[1])), sent, "chain {chain}, {pair:?}");
            }
            case = ran.again();
        }
        assert!(maildirs > 0);
    }
}

#[test]
fn an_mbox_comes_back_from_a_maildir_with_each_line_quoted_once() {
    let head = "From a@x.example Mon Nov 16 09:00:00 2026\nSubject: x\nStatus: O\n\n";
    let mbox = format!("{head}>From 1\n>>From 2\nFrom unquoted\n\n\n");
    let case = with_maildir(Case::new(), "cwd/to").file("cwd/box", &mbox);
    let (to, back) = (case.path("cwd/to"), case.path("cwd/back"));
    let ran = case
        .args(["-N", "-f", "[DIR]/cwd/box"])
        .stdin(format!("copy * {}\nx\n", to.display()))
        .may_change("cwd")
        .any_stdout()
        .run();
    assert_eq!(
        files(&ran.path("cwd/to")),
        ["Subject: x\n\nFrom 1\n>From 2\nFrom unquoted\n\n"]
    );
    let ran = ran
        .again()
        .args(["-N", "-f", "[DIR]/cwd/to"])
        .stdin(format!("copy * {}\nx\n", back.display()))
        .may_change("cwd")
        .any_stdout()
        .run();
    let text = String::from_utf8(ran.read("cwd/back")).unwrap();
    let (_, text) = text.split_once('\n').unwrap();
    let (_, sent) = mbox.split_once('\n').unwrap();
    assert_eq!(text, sent.replace("\nFrom unquoted", "\n>From unquoted"));
}
