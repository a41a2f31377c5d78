//! What cannot be read is not absent: a look-up that fails for want of
//! descriptors, memory or a working disk is no "there is none". Nothing is sent then, the text is
//! kept, and the status is 75.

use std::path::Path;

use postrider::address::MAX_RECIPIENTS;

use crate::case::Case;
use crate::doors::{assert_rule, unless};
use crate::launch;
use crate::letters::letters;

const STRACE: &str = "/usr/bin/strace";

/// What the system may say of a file that is there.
const FAILURES: [&str; 5] = ["EIO", "EMFILE", "ENFILE", "ENOMEM", "ESTALE"];

/// One file, the calls that fail on it, and the mail for which it counts.
struct Row {
    path: &'static str,
    calls: &'static str,
    says: &'static str,
    world: fn(Case) -> Case,
}

const OPEN: &str = "openat";
const LOOK: &str = "openat,access,faccessat2,newfstatat,statx,stat";

fn to_root(case: Case) -> Case {
    case.args(["-s", "t", "root"])
}

/// The same through the other face: a program calls it, and its configuration counts no less.
fn as_sendmail(case: Case) -> Case {
    case.called("sendmail").args(["-i", "root"])
}

/// A relay at which nobody listens: whoever asks it has passed the look-up.
fn to_relay(case: Case) -> Case {
    case.rc("set mta=smtp://127.0.0.1:9 from=a@x.org")
        .args(["-s", "t", "ops@x.org"])
}

fn with_password(case: Case) -> Case {
    to_relay(case)
        .rc("set smtp-auth-user=me password-file=[DIR]/cwd/secret")
        .file("cwd/secret", "s3cret\n")
        .mode("cwd/secret", 0o600)
}

const ROWS: &[Row] = &[
    Row {
        path: "/var/mail",
        calls: OPEN,
        says: "cannot send to root now: cannot ",
        world: to_root,
    },
    Row {
        path: "/etc/aliases",
        calls: OPEN,
        says: "cannot read /etc/aliases",
        world: |case| to_root(case).file("sys/etc/aliases", "root: ops@x.org\n"),
    },
    Row {
        path: "/etc/mail/aliases",
        calls: OPEN,
        says: "cannot read /etc/mail/aliases",
        world: |case| to_root(case).file("sys/etc/mail/aliases", "root: ops@x.org\n"),
    },
    Row {
        path: "/etc/mail.rc",
        calls: OPEN,
        says: "/etc/mail.rc",
        world: |case| to_root(case).file("sys/etc/mail.rc", "set mta=smtp://127.0.0.1:9\n"),
    },
    Row {
        path: "[DIR]/rc",
        calls: OPEN,
        says: "/rc",
        world: |case| to_root(case).rc("set mta=smtp://127.0.0.1:9"),
    },
    Row {
        path: "/etc/mail.rc",
        calls: OPEN,
        says: "/etc/mail.rc",
        world: |case| as_sendmail(case).file("sys/etc/mail.rc", "set mta=smtp://127.0.0.1:9\n"),
    },
    Row {
        path: "[DIR]/rc",
        calls: OPEN,
        says: "/rc",
        world: |case| as_sendmail(case).rc("set mta=smtp://127.0.0.1:9"),
    },
    Row {
        path: "[DIR]/cwd/more",
        calls: OPEN,
        says: "cwd/more",
        world: |case| {
            to_root(case)
                .rc("source [DIR]/cwd/more")
                .file("cwd/more", "set mta=smtp://127.0.0.1:9\n")
        },
    },
    Row {
        path: "/etc/passwd",
        calls: OPEN,
        says: "user database",
        // The name service knows root by itself, where systemd is one of its services.
        world: |case| case.args(["-s", "t", "daemon"]),
    },
    Row {
        path: "/etc/mailname",
        calls: OPEN,
        says: "/etc/mailname",
        world: |case| to_root(case).file("sys/etc/mailname", "host.x.org\n"),
    },
    Row {
        path: "/usr/sbin/sendmail",
        calls: LOOK,
        says: "cannot look for a sendmail",
        world: |case| {
            let case = to_root(case).file("mta/sendmail", "#!/bin/sh\ncat >/dev/null\n");
            case.mode("mta/sendmail", 0o755)
        },
    },
    Row {
        path: "[DIR]/cwd/secret",
        calls: OPEN,
        says: "cwd/secret",
        world: with_password,
    },
    Row {
        path: "[DIR]/cwd/ca.pem",
        calls: OPEN,
        says: "127.0.0.1",
        world: |case| {
            to_relay(case)
                .rc("set tls-ca-file=[DIR]/cwd/ca.pem")
                .file("cwd/ca.pem", "")
        },
    },
    Row {
        path: "[DIR]/cwd/netrc",
        calls: OPEN,
        says: "cwd/netrc",
        world: |case| {
            to_relay(case)
                .rc("set smtp-auth-user=me")
                .env("NETRC", "[DIR]/cwd/netrc")
                .file("cwd/netrc", "default login me password p\n")
                .mode("cwd/netrc", 0o600)
        },
    },
    Row {
        path: "[DIR]/cwd/report",
        calls: OPEN,
        says: "cwd/report",
        world: |case| {
            to_root(case)
                .args(["--attach", "[DIR]/cwd/report"])
                .file("cwd/report", "x\n")
        },
    },
    Row {
        path: "/etc/hosts",
        calls: OPEN,
        says: "cannot look up the relay mx.x.org",
        world: |case| {
            case.rc("set mta=smtp://mx.x.org:9 from=a@x.org hostname=h.x.org")
                .args(["-s", "t", "ops@x.org"])
                .file("sys/etc/hosts", "127.0.0.1 mx.x.org\n")
        },
    },
];

/// Runs the program so that these calls fail on one file, in a private world.
fn failing(row: &Row, errno: &str) -> Option<Case> {
    let case = (row.world)(Case::new()).stdin("the text\n");
    let case = case.private("a look-up that fails")?;
    let path = row.path.replace(
        "[DIR]",
        case.path("")
            .to_str()
            .expect("a path")
            .trim_end_matches('/'),
    );
    let trace = format!(
        "exec {STRACE} -f -qq -o /dev/null -P {path} -e inject={}:error={errno} \"$@\"",
        row.calls
    );
    Some(case.within(&trace))
}

fn has_strace() -> bool {
    let is_there = Path::new(STRACE).exists();
    if !is_there {
        launch::left_out("look-ups that fail", "needs strace");
    }
    is_there
}

#[test]
fn what_cannot_be_read_sends_nothing_and_is_tried_later() {
    if !has_strace() {
        return;
    }
    let cells = ROWS.iter().flat_map(|row| {
        let cell = move |errno| (format!("{} / {errno}", row.path), (row, errno));
        FAILURES.map(cell)
    });
    assert_rule(cells, |(row, errno)| {
        let Some(case) = failing(row, errno) else {
            return Ok(());
        };
        let ran = case
            .status(75)
            .stderr_contains(row.says)
            .keeps_somewhere(1)
            .run();
        unless(
            ran.unsent()[0].body() == b"the text\n",
            "another text is kept",
        )?;
        let delivered = std::fs::read_dir(ran.path("spool"))
            .expect("listed")
            .count();
        unless(delivered == 0, "it was delivered")
    });
}

#[test]
fn aliases_that_we_may_not_read_are_told_and_do_not_count() {
    if !has_strace() {
        return;
    }
    for row in ROWS.iter().filter(|row| row.path.ends_with("/aliases")) {
        let Some(case) = failing(row, "EACCES") else {
            return;
        };
        let why = format!("{}: Permission denied; the system's aliases", row.says);
        let ran = case.says(&why).may_change("spool").run();
        let mail = letters(&ran.read("spool/root"));
        assert_eq!(mail.len(), 1, "{}", row.path);
        assert_eq!(mail[0].body(), b"the text\n");
    }
}

#[test]
fn more_recipients_than_a_message_may_have_behind_an_alias_of_the_system_are_refused() {
    let members: Vec<String> = (0..=MAX_RECIPIENTS)
        .map(|n| format!("u{n}@x.org"))
        .collect();
    let aliases = format!("ops: {}\n", members.join(", "));
    let Some(case) = Case::new().private("an alias with too many members") else {
        return;
    };
    let ran = case
        .rc("set mta=smtp://127.0.0.1:9 from=a@x.org hostname=h.x.org")
        .args(["-s", "t", "ops"])
        .file("sys/etc/aliases", &aliases)
        .stdin("the text\n")
        .fails()
        .says("with the system's aliases the message has more than")
        .keeps(1)
        .run();
    assert_eq!(ran.dead()[0].body(), b"the text\n");
}
