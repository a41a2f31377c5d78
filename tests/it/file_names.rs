//! One rule at every door: a name of a file means the same file wherever it is set or typed.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::case::Case;
use crate::sendmail::FakeSendmail;

/// Ways to write `[DIR]/home/mail/n`.
const NAMES: [&str; 6] = [
    "[DIR]/home/mail/n",
    "~/mail/n",
    "[USER]/home/mail/n",
    "$PLACE/n",
    "${PLACE}/n",
    "+n",
];

/// Names that mean no file, and why.
const MEANINGLESS: [(&str, &str); 2] = [
    ("$UNSET/n", "a variable in the name is not set"),
    ("~no-such-user/n", "there is no such user on this host"),
];

const ONE: &str =
    "From a@x Mon Jan  5 10:00:00 2026\nFrom: a@x\nSubject: one\nStatus: RO\n\nBODY\n\n";

/// What a run does with the file `[DIR]/home/mail/n`.
enum Does {
    /// It makes the file, and this text is in it.
    Writes(&'static str),
    /// It reads the file, which has this text; this text shows it, in what it prints or sends.
    Reads(&'static str, &'static str),
}

use Does::{Reads, Writes};

/// A server that takes connections and says nothing: certificates are read before it would have to.
static SERVER: LazyLock<TcpListener> =
    LazyLock::new(|| TcpListener::bind(("127.0.0.1", 0)).unwrap());

/// A place where a file is named, with the run that uses it.
struct Door {
    name: &'static str,
    run: fn(Case, &str) -> Case,
    does: Does,
    /// The exit status, and that for a name that means no file.
    status: [i32; 2],
}

/// Returns a reader of `box` that gets these commands.
fn reader(case: Case, commands: &str) -> Case {
    case.args(["-N", "-f", "box"])
        .file("cwd/box", ONE)
        .stdin(commands)
}

fn mail(case: Case, text: &str) -> Case {
    case.args(["-s", "t", "ops@x.org"])
        .sendmail(FakeSendmail::accepting())
        .stdin(text)
}

/// Returns a mail to a relay at which nobody listens.
fn relay(case: Case) -> Case {
    mail(case, "text\n").rc("set mta=smtp://127.0.0.1:9 from=a@x.org smtp-auth-user=me")
}

const DOORS: [Door; 17] = [
    Door {
        name: "save",
        run: |case, name| reader(case, &format!("s 1 {name}\nx\n")),
        does: Writes("BODY"),
        status: [0, 66],
    },
    Door {
        name: "-f",
        run: |case, name| case.args(["-H", "-f", name]),
        does: Reads(ONE, "one"),
        status: [0, 66],
    },
    Door {
        name: "MBOX",
        run: |case, name| {
            let case = case.rc(&format!("set MBOX={name}"));
            // `mbox` is for system mailboxes.
            reader(case, "file %:box\nmb 1\nq\n")
        },
        does: Writes("BODY"),
        status: [0, 66],
    },
    Door {
        name: "folder",
        run: |case, name| {
            let folder = name.strip_suffix("/n").unwrap_or("mail");
            reader(case.rc(&format!("set folder={folder}")), "s 1 +n\nx\n")
        },
        does: Writes("BODY"),
        status: [0, 66],
    },
    Door {
        name: "inbox",
        run: |case, name| case.rc(&format!("set inbox={name}")).args(["-H"]),
        does: Reads(ONE, "one"),
        status: [0, 66],
    },
    Door {
        name: "source",
        run: |case, name| mail(case, "text\n").rc(&format!("source {name}")),
        does: Reads("alias ops@x.org them@y.org\n", "them@y.org"),
        status: [0, 0],
    },
    Door {
        name: "record",
        run: |case, name| mail(case, "text\n").rc(&format!("set record={name}")),
        does: Writes("text"),
        status: [0, 66],
    },
    Door {
        name: "record with outfolder",
        run: |case, name| mail(case, "text\n").rc(&format!("set outfolder record={name}")),
        does: Writes("text"),
        status: [0, 66],
    },
    Door {
        name: "Fcc",
        run: |case, name| mail(case, "text\n").args(["-T", &format!("fcc: {name}")]),
        does: Writes("text"),
        status: [0, 66],
    },
    Door {
        name: "dead",
        run: |case, name| {
            case.args(["-s", "t", "ops@x.org"])
                .stdin("text\n")
                .rc(&format!("set dead={name}"))
        },
        does: Writes("text"),
        status: [69, 69],
    },
    Door {
        name: "log",
        run: |case, name| mail(case, "text\n").rc(&format!("set log={name}")),
        does: Writes("outcome=accepted"),
        status: [0, 0],
    },
    Door {
        name: "password-file",
        run: |case, name| relay(case).rc(&format!("set password-file={name}")),
        does: Reads("s3cret\n", "127.0.0.1:9"),
        status: [75, 78],
    },
    Door {
        name: "tls-ca-file",
        run: |case, name| {
            let port = SERVER.local_addr().unwrap().port();
            mail(case, "text\n").rc(&format!(
                "set mta=smtps://127.0.0.1:{port} from=a@x.org tls-ca-file={name}"
            ))
        },
        does: Reads("no certificate", "there is no certificate in it"),
        status: [78, 78],
    },
    Door {
        name: "~r",
        run: |case, name| mail(case, &format!("~r {name}\n")).args(["-~"]),
        does: Reads("inserted\n", "inserted"),
        status: [0, 66],
    },
    Door {
        name: "~w",
        run: |case, name| mail(case, &format!("text\n~w {name}\n")).args(["-~"]),
        does: Writes("text"),
        status: [0, 66],
    },
    Door {
        name: "~@",
        run: |case, name| mail(case, &format!("~@ {name}\n")).args(["-~"]),
        does: Reads("attached\n", "filename=n"),
        status: [0, 66],
    },
    Door {
        name: "~d",
        run: |case, name| {
            mail(case, "~d\n")
                .args(["-~"])
                .rc(&format!("set dead={name}"))
        },
        does: Reads("inserted\n", "inserted"),
        status: [0, 66],
    },
];

/// Returns how a path is written from another user's home: `~bin/../tmp/x`.
fn from_another_home(path: &Path) -> String {
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let names = users.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let home = PathBuf::from(fields[5]).canonicalize().ok()?;
        let up = "/..".repeat(home.components().count() - 1);
        let whole = format!("{}{up}{}", home.display(), path.display());
        // Whoever runs the test may be kept out of the home.
        let is_ours = fs::metadata(whole).is_ok();
        is_ours.then(|| format!("~{}{up}{}", fields[0], path.display()))
    });
    names.max_by_key(String::len).unwrap()
}

/// Returns the world that all doors share, the name as this world writes it, and what is asked.
fn world(door: &Door, name: &str) -> (Case, String) {
    let case = Case::new()
        .directory("home/mail")
        .env("PLACE", "[DIR]/home/mail")
        .rc("set folder=$HOME/mail")
        .any_status()
        .any_stdout()
        .any_stderr()
        .may_change("cwd/box")
        .may_change("home/mail")
        .may_change("home/dead.letter")
        .may_change("mta");
    let user = from_another_home(&case.path(""));
    let name = name.replace("[USER]", user.trim_end_matches('/')).replace(
        "[DIR]",
        case.path("").to_str().unwrap().trim_end_matches('/'),
    );
    let case = match door.does {
        Reads(content, _) => case.file("home/mail/n", content).mode("home/mail/n", 0o600),
        Writes(_) => case,
    };
    ((door.run)(case, &name), name)
}

#[test]
fn a_record_in_the_folder_that_a_variable_names_is_the_file_that_save_finds() {
    let mut wrong = Vec::new();
    for door in &DOORS {
        for name in NAMES {
            let (case, written) = world(door, name);
            let ran = case.run();
            let calls = ran.path("mta/calls");
            let (file, found) = match door.does {
                Writes(text) => (ran.path("home/mail/n"), text),
                Reads(_, text) => (calls, text),
            };
            let seen = format!("{}{}{}", ran.stdout(), ran.stderr(), all_of(&file));
            let is_right = seen.contains(found) && ran.output.code() == door.status[0];
            if !is_right {
                wrong.push(format!("{} {written}: {seen}", door.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{} are wrong: {wrong:#?}", wrong.len());
}

#[test]
fn a_name_that_means_no_file_is_said_in_the_same_words_at_every_door() {
    let mut wrong = Vec::new();
    for door in &DOORS {
        for (name, why) in MEANINGLESS {
            let (case, _) = world(door, name);
            // A dead letter that has no other place goes to /var/tmp, and is looked for there.
            let case = match door.name {
                "dead" | "~d" => case.may_change("tmp").private("a name that means no file"),
                _ => Some(case),
            };
            let Some(case) = case else { continue };
            let ran = case.run();
            let said = ran.stderr();
            // A user who is not there is 67, where a file that is not there is 66.
            let status = match door.status[1] {
                66 if name.starts_with('~') => 67,
                status => status,
            };
            if !said.contains(why) || ran.output.code() != status {
                wrong.push(format!(
                    "{} {name}: {:?} {said}",
                    door.name,
                    ran.output.code()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} are wrong: {wrong:#?}", wrong.len());
}

/// Returns the text of a file, or of all files below a directory; nothing if there is none.
fn all_of(path: &Path) -> String {
    match fs::read_dir(path) {
        Ok(entries) => entries
            .map(|entry| all_of(&entry.unwrap().path()))
            .collect(),
        Err(_) => fs::read(path).map_or(String::new(), |text| {
            String::from_utf8_lossy(&text).into_owned()
        }),
    }
}
