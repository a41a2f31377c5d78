//! Files that the environment, a variable, an rc line or an option names may be anything: each use
//! meets each kind of file, under a limit of memory, and ends soon with a clear line.

use std::fs::File;
use std::os::unix::net::UnixListener;
use std::time::Duration;

use crate::case::Case;
use crate::smtp_server::{SmtpServer, Step};

/// Far longer than any of these runs takes, far shorter than a deadline of ours.
const SOON: Duration = Duration::from_secs(20);

/// What may stand at the name.
const KINDS: [&str; 9] = [
    "fifo",
    "zero",
    "directory",
    "socket",
    "huge",
    "null",
    "dangling",
    "unreadable",
    "regular",
];

/// Puts a file of this kind at `cwd/it`.
fn make(case: Case, kind: &str, content: &str) -> Case {
    let path = case.path("cwd/it");
    match kind {
        "fifo" => case.fifo("cwd/it"),
        "zero" => case.link("cwd/it", "/dev/zero"),
        "null" => case.link("cwd/it", "/dev/null"),
        "directory" => case.directory("cwd/it"),
        "dangling" => case.link("cwd/it", "nowhere"),
        "socket" => {
            UnixListener::bind(path).expect("a socket");
            case
        }
        "huge" => {
            File::create(path)
                .and_then(|file| file.set_len(1 << 40))
                .expect("a hole");
            case.mode("cwd/it", 0o600)
        }
        "unreadable" => case.file("cwd/it", content).mode("cwd/it", 0o000),
        _ => case.file("cwd/it", content).mode("cwd/it", 0o600),
    }
}

/// One use: how it names `[DIR]/cwd/it`, what a good file holds, and what each kind comes to.
struct Row {
    name: &'static str,
    world: fn(Case, u16) -> Case,
    content: &'static str,
    /// The status and a part of the line for a kind; `None` where it is left out here.
    comes_to: fn(&str) -> Option<(i32, &'static str)>,
}

fn mail(case: Case) -> Case {
    case.args(["-s", "t", "ops@x.org"])
}

fn relay(case: Case) -> Case {
    mail(case).rc("set mta=smtp://127.0.0.1:9 from=a@x.org smtp-auth-user=me")
}

/// What is there and is no rc file may be meant to hold the way out: `status` where it is sent. What
/// we have no right to read is not ours, and passed over.
fn told(kind: &str, status: i32, denied: &'static str) -> (i32, &'static str) {
    match kind {
        "regular" | "null" => (0, ""),
        "dangling" => (0, "does not exist"),
        "unreadable" => (0, denied),
        kind => refused(kind, status),
    }
}

fn refused(kind: &str, status: i32) -> (i32, &'static str) {
    match kind {
        "dangling" => (status, "No such file"),
        "unreadable" => (status, "Permission denied"),
        "directory" => (status, "it is a directory"),
        "huge" => (status, "it is larger than"),
        "fifo" => (status, "it is not a regular file"),
        _ => (status, "it is a device or socket"),
    }
}

/// A text or an attachment has no limit of its own, and a FIFO has a deadline of a minute.
fn is_text_of_its_own(kind: &str) -> bool {
    matches!(kind, "huge" | "fifo")
}

const ROWS: &[Row] = &[
    Row {
        name: "MAILRC",
        world: |case, _| {
            let case = case.args(["-S", "mta=test"]);
            mail(case).env("MAILRC", "[DIR]/cwd/it")
        },
        content: "set mta=test\n",
        comes_to: |kind| Some(told(kind, 78, "this file is ignored: Permission denied")),
    },
    Row {
        name: "MAILRC of a reader",
        world: |case, _| {
            case.args(["-H", "-f", "[DIR]/cwd/box"])
                .file(
                    "cwd/box",
                    "From a@x.org Mon Jan  5 10:00:00 2026\nSubject: s\n\nx\n",
                )
                .env("MAILRC", "[DIR]/cwd/it")
        },
        content: "set showname\n",
        comes_to: |kind| Some(told(kind, 0, "this file is ignored: Permission denied")),
    },
    Row {
        name: "source",
        world: |case, _| mail(case).rc("source [DIR]/cwd/it"),
        content: "set from=me@x.org\n",
        comes_to: |kind| Some(told(kind, 78, "cannot source")),
    },
    Row {
        name: "TZ",
        world: |case, _| {
            mail(case)
                .env("TZ", "[DIR]/cwd/it")
                .env("SOURCE_DATE_EPOCH", "")
        },
        content: "no zone",
        comes_to: |_| Some((0, "not a time zone")),
    },
    Row {
        name: "TZ with a colon, relative",
        world: |case, _| {
            let here = format!(":../../..{}", case.path("cwd/it").display());
            mail(case).env("TZ", here).env("SOURCE_DATE_EPOCH", "")
        },
        content: "no zone",
        comes_to: |_| Some((0, "not a time zone")),
    },
    Row {
        name: "password-file",
        world: |case, _| relay(case).rc("set password-file=[DIR]/cwd/it"),
        content: "s3cret\n",
        comes_to: |kind| {
            Some(match kind {
                "regular" => (75, "127.0.0.1:9"),
                "null" => (78, "there is no password in"),
                _ => refused(kind, 78),
            })
        },
    },
    Row {
        name: "NETRC",
        world: |case, _| relay(case).env("NETRC", "[DIR]/cwd/it"),
        content: "default login me password p\n",
        comes_to: |kind| {
            Some(match kind {
                "regular" => (75, "127.0.0.1:9"),
                "null" | "dangling" => (77, "there is no password for me"),
                _ => refused(kind, 78),
            })
        },
    },
    Row {
        name: "tls-ca-file",
        world: |case, port| {
            mail(case)
                .rc(&format!("set mta=smtps://127.0.0.1:{port} from=a@x.org"))
                .rc("set tls-ca-file=[DIR]/cwd/it")
        },
        content: "no certificate",
        comes_to: |kind| {
            Some(match kind {
                "regular" | "null" => (78, "there is no certificate in it"),
                _ => refused(kind, 78),
            })
        },
    },
    Row {
        name: "-m",
        world: |case, _| mail(case).args(["-m", "[DIR]/cwd/it"]),
        content: "text\n",
        comes_to: |kind| match kind {
            "regular" => Some((0, "")),
            "null" => Some((0, "Null message body")),
            kind if is_text_of_its_own(kind) => None,
            kind => Some(refused(kind, 66)),
        },
    },
    Row {
        name: "-q",
        world: |case, _| mail(case).args(["-q", "[DIR]/cwd/it"]),
        content: "text\n",
        comes_to: |kind| match kind {
            "regular" | "null" => Some((0, "")),
            kind if is_text_of_its_own(kind) => None,
            kind => Some(refused(kind, 66)),
        },
    },
    Row {
        name: "--attach",
        world: |case, _| mail(case).args(["--attach", "[DIR]/cwd/it"]),
        content: "text\n",
        comes_to: |kind| match kind {
            "regular" => Some((0, "")),
            kind if is_text_of_its_own(kind) => None,
            kind => Some(refused(kind, 66)),
        },
    },
];

#[test]
fn whatever_stands_at_a_name_ends_soon_with_a_clear_line() {
    let server = SmtpServer::scripted(vec![Step::Sleep(SOON)]);
    for row in ROWS {
        for kind in KINDS {
            let Some((status, says)) = (row.comes_to)(kind) else {
                continue;
            };
            let name = format!("{} {kind}", row.name);
            println!("{name}");
            let case = (row.world)(Case::new().rc("set mta=test"), server.port());
            let case = make(case, kind, row.content);
            let ran = case
                .stdin("the text\n")
                .env("DEAD", "[DIR]/home/dead.letter")
                .within("ulimit -v 1500000; exec \"$@\"")
                .nobody()
                .limit(SOON)
                .status(status)
                .any_stdout()
                .any_stderr()
                .may_change("home/dead.letter")
                .run();
            let said = ran.stderr();
            assert!(said.contains(says), "{name}: {says} is not in {said}");
            assert!(!says.is_empty() || said.is_empty(), "{name}: {said}");
            assert_eq!(
                said.matches("not a time zone:").count(),
                usize::from(says == "not a time zone")
            );
            let is_kept = !ran.unsent().is_empty();
            assert_eq!(is_kept, status != 0, "{name}: kept {is_kept}");
        }
    }
}
