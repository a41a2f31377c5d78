//! Tests of the commands that change: marks, files, and what leaving makes of them.

use super::super::*;
use super::{World, mail, owned, quiet, session, session_with, shown};

/// Returns a mailbox of these messages: number and the lines of its flags.
fn of(messages: &[(usize, &str)]) -> String {
    let one = |&(number, status): &(usize, &str)| {
        format!(
            "From a{number}@example.com Mon Nov 16 09:00:00 2026\nFrom: a{number}@example.com\n\
             Subject: subject {number}\nReceived: hidden\n{status}\nbody {number}\n\n"
        )
    };
    messages.iter().map(one).collect()
}

const READ: &str = "Status: RO\n";
const OLD: &str = "Status: O\n";

#[test]
fn quit_writes_what_was_marked_and_nothing_else() {
    let foreign = "Status: R\nX-Status: q\n";
    let all = [(1, ""), (2, READ), (3, OLD), (4, foreign)];
    let with = |changes: &[(usize, &'static str)]| {
        let mut all = [(1, OLD), (2, READ), (3, OLD), (4, foreign)];
        for change in changes {
            all[change.0 - 1] = *change;
        }
        of(&all)
    };
    let without = |gone: &[usize]| {
        let all = [(1, OLD), (2, READ), (3, OLD), (4, foreign)];
        let left = all.iter().filter(|message| !gone.contains(&message.0));
        of(&left.copied().collect::<Vec<_>>())
    };
    let rows: [(&str, String); 28] = [
        ("q\n", with(&[])),
        ("", with(&[])),
        ("x\n", of(&all)),
        ("d *\nx\n", of(&all)),
        ("p 1\nx\n", of(&all)),
        ("p 1\n", with(&[(1, READ)])),
        ("p *\n", with(&[(1, READ), (3, READ)])),
        ("top 3\n", with(&[(3, READ)])),
        ("f *\nh\nsi 1\n", with(&[])),
        ("d 2\n", without(&[2])),
        ("d2-3\n", without(&[2, 3])),
        ("d *\n", String::new()),
        ("d *\nu *\n", with(&[])),
        ("d 2 3\nu 3\n", without(&[2])),
        // The next deleted message, else the last one before.
        ("d 3\nd 2\n1\nu\n", without(&[3]).replacen(OLD, READ, 1)),
        ("d 2 3\n4\nu\n", without(&[2])),
        ("d 1\nu\n", with(&[])),
        ("ho 2\nd 2\n", without(&[2])),
        ("U 2\n", with(&[(2, OLD)])),
        ("unread 2\nseen 3\n", with(&[(2, OLD), (3, READ)])),
        ("new 1 2\n", with(&[(1, ""), (2, "")])),
        ("new 1\np 1\n", with(&[(1, READ)])),
        ("flag 3\n", with(&[(3, "Status: O\nX-Status: F\n")])),
        ("flag 3\nunflag 3\n", with(&[])),
        (
            "answered 2\ndraft 2\n",
            with(&[(2, "Status: RO\nX-Status: AT\n")]),
        ),
        ("flag 4\n", with(&[(4, "Status: R\nX-Status: Fq\n")])),
        ("d nobody\nd :f\nd /none\nd 1 1\nu 1\n", with(&[])),
        ("touch 1\n", with(&[(1, READ)])),
    ];
    for (commands, expected) in rows {
        // `hold` and `touch` are for system mailboxes; under our rules all else is the same there.
        let session = session(system(""), &of(&all), commands);
        assert_eq!(session.left, expected, "{commands}");
        assert_eq!(session.kind, None, "{commands}");
        assert_eq!(session.read("read"), "", "{commands}");
    }
}

#[test]
fn deleted_messages_are_out_of_sight_and_the_next_one_is_current() {
    let none = "No applicable messages\n";
    let emptied = format!("{none}At EOF\n{none}{none}");
    let cases: &[(&str, &[&str], &str)] = &[
        ("d 2\n=\n", &["=3"], ""),
        ("d 24 25\n=\n", &["=23"], ""),
        ("d 1-3\nf 1-5\n", &[">4", "5"], ""),
        ("d 2\nf 2\n", &[], "2: Inappropriate message\n"),
        ("d 2\nf :d\n", &["2"], ""),
        ("d 1\nn\nn\n", &["m2", "m3"], ""),
        ("2\nd 3\nn\n+\n-\n", &["m2", "m4", "m5", "m4"], ""),
        ("dp 2\n", &["m3"], ""),
        ("dt25\n=\n", &["=24"], ""),
        ("d 3-25\nn\nn\n", &["m2"], "At EOF\n"),
        ("d *\np\nn\nd\nh\n", &[], &emptied),
        ("u\n", &[], none),
        ("u 3\n", &[], "3: Inappropriate message\n"),
        ("d 5\nu 5\n=\n", &["=5"], ""),
        ("d 1-20\nh\n", &[">21", "22", "23", "24", "25"], ""),
    ];
    for (commands, expected, complaint) in cases {
        let (seen, err) = shown(&mail(25), commands);
        assert_eq!((seen, &*err), (owned(expected), *complaint), "{commands}");
    }
    let autoprint = quiet().set("autoprint");
    let (out, err) = session_with(autoprint, &mail(2), "d 1\nd\n");
    assert!(out.starts_with("Message 2:\n") && err.is_empty(), "{out}");
    let (out, _) = session_with(quiet(), &mail(2), "dp 2\n");
    assert_eq!(out, "No more messages\n");
}

#[test]
fn letters_tell_what_was_marked() {
    let letters = |commands: &str| {
        let (out, err) = session_with(system(""), &mail(3), &format!("{commands}f *\n"));
        assert_eq!(err, "", "{commands}");
        let lines = out
            .lines()
            .filter(|line| line.contains(" Mon Nov 16 09:00 "));
        lines
            .map(|line| line.chars().nth(1).unwrap())
            .collect::<String>()
    };
    let cases = [
        ("", "N U"),
        ("ho 1 2\n", "NPU"),
        ("s 1 DIR/a\n", "* U"),
        ("mb 1\n", "M U"),
        ("mb 1\nho 1\n", "P U"),
        ("w 2 DIR/a\n", "N*U"),
        ("c 2 DIR/a\n", "N U"),
        ("flag 2\nans 2\n", "NFU"),
        ("U *\n", "UUU"),
        ("p 1\n", "R U"),
    ];
    for (commands, expected) in cases {
        assert_eq!(letters(commands), expected, "{commands}");
    }
    let (out, _) = session_with(quiet(), &mail(3), "d 2\nf :d\n");
    assert!(out.starts_with(" D  2 "), "{out}");
}

fn system(words: &str) -> World<'static> {
    let mut world = quiet().set(words);
    world.around.is_system = true;
    world
}

/// What makes POSIX's own rules hold.
const POSIX: &str = "posix";

#[test]
fn the_rules_of_the_system_mailbox_are_ours_or_those_of_posix() {
    type Messages<'a> = &'a [(usize, &'a str)];
    // Commands; what our rules leave; what POSIX's rules leave, and what they put into MBOX.
    let rows: &[(&str, Messages<'_>, Messages<'_>, Messages<'_>)] = &[
        (
            "q\n",
            &[(1, OLD), (2, READ), (3, OLD)],
            &[(1, OLD), (2, READ), (3, OLD)],
            &[],
        ),
        (
            "p 1\n",
            &[(1, READ), (2, READ), (3, OLD)],
            &[(2, READ), (3, OLD)],
            &[(1, READ)],
        ),
        (
            "p *\nho 2\n",
            &[(1, READ), (2, READ), (3, READ)],
            &[(2, READ)],
            &[(1, READ), (3, READ)],
        ),
        (
            "s 3 DIR/a\n",
            &[(1, OLD), (2, READ), (3, READ)],
            &[(1, OLD), (2, READ)],
            &[],
        ),
        (
            "c 3 DIR/a\n",
            &[(1, OLD), (2, READ), (3, READ)],
            &[(1, OLD), (2, READ)],
            &[(3, READ)],
        ),
        (
            "mb 3\n",
            &[(1, OLD), (2, READ)],
            &[(1, OLD), (2, READ)],
            &[(3, READ)],
        ),
        (
            "touch 2\nd 1\n",
            &[(2, READ), (3, OLD)],
            &[(3, OLD)],
            &[(2, READ)],
        ),
        (
            "p 1\nU 1\n",
            &[(1, OLD), (2, READ), (3, OLD)],
            &[(1, OLD), (2, READ), (3, OLD)],
            &[],
        ),
        (
            "d 1\nu 1\n",
            &[(1, OLD), (2, READ), (3, OLD)],
            &[(2, READ), (3, OLD)],
            &[(1, READ)],
        ),
        (
            "d 2\nho 2\n",
            &[(1, OLD), (3, OLD)],
            &[(1, OLD), (2, READ), (3, OLD)],
            &[],
        ),
        (
            "p *\nx\n",
            &[(1, ""), (2, READ), (3, OLD)],
            &[(1, ""), (2, READ), (3, OLD)],
            &[],
        ),
    ];
    let all = of(&[(1, ""), (2, READ), (3, OLD)]);
    for (commands, ours, posix, mbox) in rows {
        let kept = session(system(""), &all, commands);
        assert_eq!(kept.left, of(ours), "{commands}");
        let moved = session(system(POSIX), &all, commands);
        assert_eq!(moved.left, of(posix), "POSIX: {commands}");
        assert_eq!(moved.read("read"), of(mbox), "POSIX: {commands}");
    }
}

#[test]
fn leaving_says_what_is_where() {
    let mail = of(&[(1, ""), (2, READ), (3, OLD)]);
    let rows = [
        ("q\n", "Held 3 messages in DIR/mbox\n"),
        ("d 1\nd\n", "Held 1 message in DIR/mbox\n"),
        ("d *\n", ""),
        (
            "mb 1\n",
            "Saved 1 message in DIR/read\nHeld 2 messages in DIR/mbox\n",
        ),
        ("mb *\n", "Saved 3 messages in DIR/read\n"),
        ("x\n", ""),
    ];
    for (commands, expected) in rows {
        let session = session(system(""), &mail, commands);
        assert_eq!((&*session.out, &*session.err), (expected, ""), "{commands}");
    }
    let session = session(quiet(), &mail, "d 1\n");
    assert_eq!(session.out, "\"DIR/mbox\" complete\n");
}

#[test]
fn files_are_appended_to_whole_and_said() {
    let mail = of(&[(1, ""), (2, READ)]);
    let size = of(&[(1, "")]).len();
    let commands = "s 1 DIR/a\ns 1-2 'DIR/a'\nc DIR/a\ns\nx\n";
    let ran = session(quiet(), &mail, commands);
    let lines: Vec<&str> = ran.out.lines().collect();
    let (all, two) = (mail.len(), mail.len() - size);
    assert_eq!(
        lines,
        [
            format!("\"DIR/a\" [New file] 7/{size}"),
            format!("\"DIR/a\" [Appended] 15/{all}"),
            format!("\"DIR/a\" [Appended] 8/{two}"),
            format!("\"DIR/read\" [New file] 8/{two}"),
        ]
    );
    assert_eq!(ran.err, "");
    assert_eq!(ran.read("a"), of(&[(1, ""), (1, ""), (2, READ), (2, READ)]));
}

#[test]
fn what_could_not_be_saved_is_not_deleted_by_a_script() {
    let mail = of(&[(1, ""), (2, READ)]);
    let script = "s 1 DIR/no/such\nd *\nq\n";
    let ran = session(quiet(), &mail, script);
    assert_eq!(ran.kind, Some(Kind::CannotCreate));
    assert_eq!(
        ran.err,
        "mailx: cannot create DIR/no/such: No such file or directory\n\
         mailx: \"d *\" is not carried out, because \"s 1 DIR/no/such\" failed\n\
         mailx: DIR/mbox stays as it is, because \"s 1 DIR/no/such\" failed\n\
         hint: correct this command and run the script again\n"
    );
    assert_eq!(ran.left, mail);
    // POSIX lets it go on; but what is in no file stays.
    let posix = quiet().set("posix hold keepsave keep");
    let ran = session(posix, &mail, script);
    assert_eq!(ran.kind, Some(Kind::CannotCreate));
    assert_eq!(
        ran.err,
        "mailx: cannot create DIR/no/such: No such file or directory\n\
         1: not deleted, because it could not be shown or saved\n"
    );
    assert_eq!(ran.left, of(&[(1, OLD)]));
    let typed = quiet().at_a_terminal();
    assert_eq!(session(typed, &mail, script).left, "");
}

#[test]
fn a_script_may_end_at_the_first_error() {
    let strict = quiet().set("errexit");
    let mail = of(&[(1, ""), (2, READ)]);
    let ran = session(strict, &mail, "d 1\nfoo\nd 2\nq\n");
    assert_eq!((ran.kind, &*ran.left), (Some(Kind::Usage), &*mail));
    let strict = quiet().set("errexit");
    let ran = session(strict, &mail, "d 1\nd /nothing\nd 2\nq\n");
    assert_eq!((ran.kind, &*ran.left), (Some(Kind::Nothing), &*mail));
}

#[test]
fn nothing_is_marked_in_a_mailbox_that_is_open_read_only() {
    let read_only = || {
        let mut world = system("");
        world.around.read_only = true;
        world
    };
    let mail = of(&[(1, ""), (2, READ)]);
    for command in [
        "d", "dp", "u 1", "ho", "mb", "tou", "U", "new", "seen", "flag", "unflag",
    ] {
        let ran = session(read_only(), &mail, &format!("{command}\nq\n"));
        assert_eq!(ran.err, "The mailbox is open read-only\n", "{command}");
        assert_eq!((&*ran.left, &*ran.out), (&*mail, ""), "{command}");
    }
    let ran = session(read_only(), &mail, "p 1\ns 1 DIR/a\nq\n");
    assert_eq!((&*ran.left, &*ran.err), (&*mail, ""));
    assert_eq!(ran.read("a"), of(&[(1, "")]));
}

#[test]
fn mbox_that_fails_leaves_everything_and_mbox_itself_is_no_target() {
    let mail = of(&[(1, ""), (2, READ)]);
    let to = |path: &str| World {
        mbox: Some(path.into()),
        ..system(POSIX)
    };
    let ran = session(to("/nonexistent/mbox"), &mail, "p 1\nd 2\nq\n");
    assert_eq!((ran.kind, &*ran.left), (Some(Kind::CannotCreate), &*mail));
    assert!(
        ran.err.contains("cannot create /nonexistent/mbox"),
        "{}",
        ran.err
    );
    // A person stays, and may leave by x.
    let typed = to("/nonexistent/mbox").set("prompt=").at_a_terminal();
    let ran = session(typed, &mail, "p 1\nq\n=\nx\n");
    assert!(ran.out.ends_with("\n1\n"), "{}", ran.out);
    assert!(ran.err.contains("hint: type x to leave"), "{}", ran.err);
    assert_eq!((ran.kind, &*ran.left), (None, &*mail));
    // The end of input, twice, ends it.
    let typed = to("/nonexistent/mbox").set("prompt=").at_a_terminal();
    let ran = session(typed, &mail, "p 1\n");
    assert_eq!(&*ran.left, &*mail);
}

#[test]
fn write_takes_the_text_without_the_header() {
    let mail = of(&[
        (1, "Content-Transfer-Encoding: quoted-printable\n"),
        (2, READ),
    ])
    .replace("body 1", "caf=E9 =C3=A9\n>From me\n");
    let ran = session(quiet(), &mail, "w * DIR/text\nw DIR/text\nw\nx\n");
    assert_eq!(ran.err, "write: the file name is missing\n");
    let text = ran.read("text");
    assert!(text.ends_with("\nFrom me\n\nbody 2\nbody 2\n"), "{text:?}");
    assert!(
        ran.out.starts_with("\"DIR/text\" [New file] "),
        "{}",
        ran.out
    );
}

#[test]
fn attachments_go_into_a_directory_under_harmless_names() {
    let mail = "From a@x Mon Nov 16 09:00:00 2026\nFrom: a@x\nMIME-Version: 1.0\n\
        Content-Type: multipart/mixed; boundary=b\n\n--b\n\nsee\n--b\n\
        Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n\
        Content-Disposition: attachment; filename=\"../../report.pdf\"\n\nQUJD\n--b--\n\n";
    let ran = session(quiet(), mail, "w 1 DIR/\nw 1 DIR/\nw 1 DIR/text\nx\n");
    assert_eq!(ran.err, "");
    assert_eq!(ran.read("report.pdf"), "ABC");
    assert_eq!(ran.read("report-2.pdf"), "ABC");
    assert!(
        ran.out.starts_with("\"DIR/report.pdf\" [New file] 3\n"),
        "{}",
        ran.out
    );
    assert!(
        ran.read("text").starts_with("see\n\n[-- part 2: "),
        "{}",
        ran.read("text")
    );
    let ran = session(quiet(), &mail.replace("pdf", "x"), "w 1 DIR/\nx\n");
    assert_eq!(ran.kind, None);
    let ran = session(quiet(), &of(&[(1, "")]), "w 1 DIR/\nx\n");
    assert_eq!(
        (ran.kind, &*ran.err),
        (
            Some(Kind::Nothing),
            "mailx: the message has no attachment\n"
        )
    );
}
