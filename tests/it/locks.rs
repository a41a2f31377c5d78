//! One rule at every door: whoever waits for a lock waits as long as `lock-timeout` says, and says
//! for whom.

use crate::case::Case;
use crate::doors::{assert_rule, table, unless};
use crate::sendmail::FakeSendmail;

const ONE: &str = "From a@x Mon Jan  5 10:00:00 2026\nFrom: a@x\nSubject: one\nStatus: RO\n\nB\n\n";

/// What must be known of a run that waits for a lock in vain.
struct Door {
    case: Case,
    /// The file whose lock somebody else holds.
    locked: &'static str,
    status: i32,
}

fn mailx(commands: &str) -> Case {
    Case::new()
        .args(["-N", "-f", "box"])
        .rc("set quiet noheader")
        .file("cwd/box", ONE)
        .stdin(commands)
}

fn mail(rc: &str) -> Case {
    Case::new()
        .args(["-s", "t"])
        .rc(rc)
        .sendmail(FakeSendmail::accepting())
        .stdin("a line\n")
}

fn batch(args: [&str; 3]) -> Case {
    Case::new()
        .called("postrider")
        .args(args)
        .file("cwd/box", ONE)
}

fn doors() -> Vec<(&'static str, Door)> {
    let door = |name, case, locked, status| {
        let door = Door {
            case,
            locked,
            status,
        };
        (name, door)
    };
    let user = Case::new().user();
    vec![
        door(
            "record",
            mail("set record=[DIR]/cwd/box").args(["a@x.example"]),
            "cwd/box",
            75,
        ),
        door(
            "Fcc",
            mail("").args(["-a", "Fcc: [DIR]/cwd/box", "a@x.example"]),
            "cwd/box",
            75,
        ),
        door(
            "a recipient that is a file",
            mail("set expandaddr").args(["[DIR]/cwd/box"]),
            "cwd/box",
            75,
        ),
        door(
            "mta=test",
            mail("set mta=test://[DIR]/cwd/box").args(["a@x.example"]),
            "cwd/box",
            75,
        ),
        door(
            "local delivery",
            mail("set mta=local")
                .env("MAIL", "[DIR]/home/inbox")
                .args([&user]),
            "home/inbox",
            75,
        ),
        // A file of its own is as good.
        door(
            "dead letter",
            mail("")
                .sendmail(FakeSendmail::exiting(75))
                .args(["a@x.example"]),
            "home/dead.letter",
            75,
        ),
        door("quit", mailx("d 1\nq\n"), "cwd/box", 75),
        door("save", mailx("s 1 other\nx\n"), "cwd/other", 75),
        door("copy", mailx("c 1 other\nx\n"), "cwd/other", 75),
        door(
            "mbox",
            // Only messages of a system mailbox go there.
            mailx("file %:box\nmb 1\nq\n").rc("set MBOX=[DIR]/cwd/mbox"),
            "cwd/mbox",
            75,
        ),
        door(
            "delete",
            batch(["delete", "1", "--file=box"]),
            "cwd/box",
            75,
        ),
        door(
            "mark",
            batch(["mark", "--flag", "--file=box"]).args(["1"]),
            "cwd/box",
            75,
        ),
    ]
}

/// Runs one door with a dot-lock in its way.
fn check((timeout, is_told): (u32, bool), door: Door) -> Result<(), String> {
    let lock = format!("{}.lock", door.locked);
    let ran = door
        .case
        .rc(&format!("set lock-timeout={timeout}"))
        .file(&lock, "0\n")
        .any_stdout()
        .any_stderr()
        .status(door.status)
        .may_change("home")
        .may_change("cwd")
        .run();
    let told = ran.stderr();
    let lines = told
        .lines()
        .filter(|line| line.contains("waiting for another program, which holds "));
    unless(lines.count() == usize::from(is_told), told.clone())
}

// MB11
#[test]
fn everybody_waits_for_a_lock_as_long_as_lock_timeout_says() {
    // A second is enough for the line that says who is waited for, and far less than the default.
    let timeouts = [
        ("lock-timeout=1", (1, true)),
        ("lock-timeout=0", (0, false)),
    ];
    assert_rule(table(&timeouts, doors), |(timeout, door)| {
        check(timeout, door)
    });
}
