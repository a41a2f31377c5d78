//! A walk through the text of POSIX mailx (IEEE Std 1003.1-2017), clause by clause.
//!
//! Each row is one clause, in our words, and a session that shows it: options, start-up lines,
//! input, and what must be seen, sent or left afterwards. Where POSIX's rules differ from our
//! defaults (design D15), the row runs under `POSIXLY_CORRECT`.
//!
//! The mailbox has five messages, known by their subjects: `alpha` (read), `bravo` (old and unread),
//! `charlie`, `delta` and `echo` (new).

mod commands;
mod escapes;
mod lists;
mod options;
mod quit;
mod replies;
mod startup;
mod terminal;
mod variables;

use crate::case::{Case, Ran};
use crate::sendmail::FakeSendmail;

/// One clause.
#[derive(Clone, Copy)]
struct Check {
    /// What POSIX asks for.
    clause: &'static str,
    /// Whether POSIX's own defaults hold.
    is_strict: bool,
    /// Whether the mailbox is the system mailbox, and not a file.
    is_system: bool,
    /// Options; `-n -N` and the mailbox come by themselves unless `is_bare`.
    args: &'static [&'static str],
    /// The arguments are `args` alone.
    is_bare: bool,
    /// The start-up file.
    rc: &'static str,
    /// Standard input.
    input: &'static str,
    /// On standard output, in this order.
    sees: &'static [&'static str],
    /// Not on standard output.
    lacks: &'static [&'static str],
    /// On standard error.
    says: &'static [&'static str],
    /// The exit status; -1 is any but 0.
    status: i32,
    /// The first letters of the messages that are in the mailbox afterwards.
    left: Option<&'static str>,
    /// Files, and what they contain; an empty text: the file is there.
    files: &'static [(&'static str, &'static str)],
    /// Files that are not there, or not with this text.
    no_files: &'static [(&'static str, &'static str)],
    /// In the message that the sendmail got, or its arguments.
    sent: &'static [&'static str],
    /// Not in it.
    unsent: &'static [&'static str],
    /// How many messages are sent.
    mails: usize,
    /// Environment variables.
    env: &'static [(&'static str, &'static str)],
}

/// What most rows have.
const CHECK: Check = Check {
    clause: "",
    is_strict: false,
    is_system: false,
    args: &[],
    is_bare: false,
    rc: "",
    input: "",
    sees: &[],
    lacks: &[],
    says: &[],
    status: 0,
    left: None,
    files: &[],
    no_files: &[],
    sent: &[],
    unsent: &[],
    mails: 0,
    env: &[],
};

/// All files that a session may write.
const WRITABLE: &[&str] = &[
    "cwd/box",
    "cwd/out",
    "cwd/other",
    "cwd/ann",
    "cwd/dave",
    "cwd/ops",
    "cwd/bob",
    "home/mbox",
    "home/sent",
    "home/folder",
    "home/out",
    "home/ann",
    "home/ops",
    "home/dave",
    "home/bob",
    "home/dead.letter",
    "home/bak",
    "spool",
];

const NAMES: [(&str, &str, &str, &str); 5] = [
    ("alpha", "Ann <ann@a.example>", "RO", "one"),
    ("bravo", "bob@b.example", "O", "two"),
    ("charlie", "Ann <ann@a.example>", "", "three"),
    ("delta", "Dave Dee <dave@d.example>", "", "four"),
    ("echo", "eve@a.example", "", "five"),
];

/// Returns the mailbox.
fn mailbox() -> String {
    let mut text = String::new();
    for (at, (subject, from, status, word)) in NAMES.iter().enumerate() {
        let sender = from
            .rsplit('<')
            .next()
            .unwrap_or_default()
            .trim_end_matches('>');
        let day = 10 + at;
        text.push_str(&format!(
            "From {sender} Tue Nov {day} 09:00:00 2026\nFrom: {from}\nTo: root@h.example, team@t.example\n\
             Cc: boss@t.example\nDate: Tue, {day} Nov 2026 09:00:00 +0000\nSubject: {subject}\n\
             Message-ID: <{at}@a.example>\nX-Extra: extra-{word}\n"
        ));
        if !status.is_empty() {
            text.push_str(&format!("Status: {status}\n"));
        }
        text.push('\n');
        for line in 1..=8 {
            text.push_str(&format!("line {line} of {word}\n"));
        }
        text.push('\n');
    }
    text
}

/// Runs rows; says of all that fail what is wrong.
#[track_caller]
fn walk(rows: &[Check]) {
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|row| fault(row).map(|why| format!("{}: {why}", row.clause)))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} clauses:\n{}",
        wrong.len(),
        rows.len(),
        wrong.join("\n")
    );
}

fn case(row: &Check) -> (Case, String) {
    let mut case = Case::new()
        .sendmail(FakeSendmail::accepting())
        .any_stdout()
        .any_stderr()
        .any_status()
        .lets_keep();
    let path = if row.is_system {
        format!("spool/{}", case.user())
    } else {
        "cwd/box".to_owned()
    };
    case = case
        .file(&path, mailbox())
        .rc(row.rc)
        .stdin(row.input)
        .file("cwd/taken", "taken\n")
        .directory("home/bak");
    for name in WRITABLE {
        case = case.may_change(name);
    }
    case = case.may_change(&path);
    // The commands of a session may be those of the system.
    case = case.env("PATH", "[DIR]/bin:/usr/bin:/bin");
    if row.is_strict {
        case = case.env("POSIXLY_CORRECT", "1");
    }
    for (name, value) in row.env {
        case = case.env(name, value);
    }
    if !row.is_bare {
        case = case.args(["-n", "-N"]);
    }
    case = case.args(row.args);
    if !row.is_bare && !row.is_system {
        case = case.args(["-f", "box"]);
    }
    (case, path)
}

fn fault(row: &Check) -> Option<String> {
    let (case, path) = case(row);
    let ran = case.run();
    fault_of(row, &ran, &path).map(|why| {
        format!(
            "{why}\n   --- input {:?}\n   --- stdout {}\n   --- stderr {}",
            row.input,
            ran.stdout(),
            ran.stderr()
        )
    })
}

fn text_of(ran: &Ran, path: &str) -> Option<String> {
    std::fs::read(ran.path(path))
        .ok()
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn fault_of(row: &Check, ran: &Ran, path: &str) -> Option<String> {
    let (out, err) = (ran.stdout(), ran.stderr());
    let mut rest = out.as_str();
    for text in row.sees {
        match rest.split_once(text) {
            Some((_, behind)) => rest = behind,
            None => return Some(format!("{text:?} is not shown (in this order)")),
        }
    }
    if let Some(text) = row.lacks.iter().find(|text| out.contains(**text)) {
        return Some(format!("{text:?} is shown"));
    }
    if let Some(text) = row.says.iter().find(|text| !err.contains(**text)) {
        return Some(format!("{text:?} is not said"));
    }
    let status = ran.output.code();
    let is_right = if row.status < 0 {
        status != 0
    } else {
        status == row.status
    };
    if !is_right {
        return Some(format!("the status is {status}"));
    }
    if let Some(left) = row.left {
        let text = text_of(ran, path).unwrap_or_default();
        let there: String = NAMES
            .iter()
            .filter(|(subject, ..)| text.contains(&format!("\nSubject: {subject}\n")))
            .map(|(subject, ..)| &subject[..1])
            .collect();
        if there != left {
            return Some(format!("the mailbox has {there:?}"));
        }
    }
    for (name, text) in row.files {
        let name = if *name == "BOX" { path } else { name };
        if !text_of(ran, name).is_some_and(|found| found.contains(text)) {
            return Some(format!("{name} has no {text:?}: {:?}", text_of(ran, name)));
        }
    }
    for (name, text) in row.no_files {
        let name = if *name == "BOX" { path } else { name };
        if text_of(ran, name).is_some_and(|found| found.contains(text)) {
            return Some(format!("{name} has {text:?}"));
        }
    }
    let calls = ran.calls();
    if calls.len() != row.mails {
        return Some(format!("{} mails are sent", calls.len()));
    }
    let mut sent = String::new();
    for call in &calls {
        sent.push_str(&format!("{:?}\n", call.argv));
        sent.push_str(&String::from_utf8_lossy(&call.stdin));
    }
    if let Some(text) = row.sent.iter().find(|text| !sent.contains(**text)) {
        return Some(format!("{text:?} is not sent, but:\n{sent}"));
    }
    if let Some(text) = row.unsent.iter().find(|text| sent.contains(**text)) {
        return Some(format!("{text:?} is sent:\n{sent}"));
    }
    None
}
