//! One rule at every door: a name in a line that is shown can neither begin a line of its own nor
//! command a terminal.

use crate::case::Case;
use crate::doors::{assert_rule, unless};
use crate::sendmail::FakeSendmail;

/// A name that would forge a line, and clear a screen.
const NAME: &str = "n\nforged: line\u{1b}[2J";

const ONE: &str = "From a@x Mon Jan  5 10:00:00 2026\nFrom: a@x\nSubject: one\nStatus: RO\n\nB\n\n";

/// Returns `mailx` on a mailbox `box`, or on one with the name, that gets these commands.
fn reader(mailbox: &str, commands: &str) -> Case {
    Case::new()
        .args(["-f", mailbox])
        .file(&format!("cwd/{mailbox}"), ONE)
        .stdin(commands)
}

fn mail(args: &[&str]) -> Case {
    Case::new()
        .args(["-s", "t"])
        .args(args)
        .args(["a@x.example"])
        .sendmail(FakeSendmail::accepting())
        .stdin("a line\n")
}

fn postrider(args: &[&str]) -> Case {
    Case::new()
        .called("postrider")
        .args(args)
        .file(&format!("cwd/{NAME}"), ONE)
}

fn doors() -> Vec<(&'static str, Case)> {
    let missing = &*format!("missing-{NAME}");
    let set = |variable: &str| format!("{variable}={NAME}");
    let into = |command: &str| format!("{command} 1 \"{NAME}\"\nx\n");
    vec![
        ("greeting and quit", reader(NAME, "d 1\nq\n")),
        ("quit without a change", reader(NAME, "q\n")),
        (
            "mbox",
            reader("box", "mb 1\nq\n").args(["-S", &set("MBOX")]),
        ),
        (
            "mbox that fails",
            reader("box", "mb 1\nq\n")
                .args(["-S", &set("MBOX")])
                .directory(&format!("cwd/{NAME}")),
        ),
        (
            "save into the folder",
            reader("box", "s 1 +x\nx\n")
                .args(["-S", &set("folder")])
                .directory(&format!("home/{NAME}")),
        ),
        (
            "save to a directory that is missing",
            reader("box", "s 1 +x\nx\n").args(["-S", &set("folder")]),
        ),
        ("save", reader("box", &into("s"))),
        ("write", reader("box", &into("w"))),
        ("no such mailbox", Case::new().args(["-f", missing])),
        ("is there mail", Case::new().args(["-e", "-f", missing])),
        ("headers", reader(NAME, "").args(["-H"])),
        (
            "headers of none",
            Case::new()
                .args(["-H", "-f", NAME])
                .file(&format!("cwd/{NAME}"), ""),
        ),
        (
            "no mbox",
            Case::new()
                .args(["-f", NAME])
                .file(&format!("cwd/{NAME}"), "text\n"),
        ),
        ("list", postrider(&["list", "--file", NAME])),
        ("count", postrider(&["count", "--file", NAME])),
        ("show", postrider(&["show", "7", "--file", NAME])),
        ("delete", postrider(&["delete", "1", "--file", NAME])),
        (
            "delete --dry-run",
            postrider(&["delete", "1", "--dry-run", "--file", NAME]),
        ),
        ("mark", postrider(&["mark", "--flag", "1", "--file", NAME])),
        ("attachment", mail(&["-a", missing])),
        (
            "explained attachment",
            mail(&["--explain", "-a", NAME]).file(&format!("cwd/{NAME}"), "x\n"),
        ),
        ("text from a file", mail(&["-q", missing])),
        ("HTML", mail(&["--html", missing])),
        (
            "dead letter",
            mail(&[])
                .sendmail(FakeSendmail::exiting(75))
                .env("DEAD", format!("[DIR]/home/{NAME}")),
        ),
        (
            "dead letter that fails",
            mail(&[])
                .sendmail(FakeSendmail::exiting(75))
                .env("DEAD", format!("[DIR]/{NAME}/d")),
        ),
        (
            "record",
            mail(&["-S", &set("record")])
                .directory(&format!("home/{NAME}"))
                .directory(&format!("cwd/{NAME}")),
        ),
        (
            "explained record",
            mail(&["--explain", "-S", &set("record")]),
        ),
        ("log", mail(&["--explain", "-S", &set("log")])),
        (
            "configuration",
            mail(&[])
                .env("MAILRC", format!("[DIR]/{NAME}"))
                .file(NAME, "nonsense\n"),
        ),
        (
            "no configuration",
            mail(&[]).env("MAILRC", format!("[DIR]/{NAME}")),
        ),
        ("source", reader("box", &format!("source \"{NAME}\"\n"))),
        ("MTA", mail(&["-S", &format!("mta=[DIR]/{NAME}")])),
        (
            "mta=test",
            mail(&["--explain", "-S", &format!("mta=test://[DIR]/{NAME}")]),
        ),
        (
            "CA file",
            mail(&["-S", &set("tls-ca-file"), "-S", "mta=smtps://127.0.0.1:1"]),
        ),
        (
            "password file",
            mail(&[
                "-S",
                &set("password-file"),
                "-S",
                "smtp-auth-user=u",
                "-S",
                "mta=smtp://127.0.0.1:1",
            ]),
        ),
        (
            "recipient",
            mail(&["-S", "expandaddr", &format!("/{NAME}")]),
        ),
    ]
}

#[test]
fn no_name_forges_a_line_or_commands_a_terminal() {
    let cells = doors()
        .into_iter()
        .map(|(door, case)| (door.to_owned(), case));
    assert_rule(cells, |case| {
        let Some(case) = case.private("names that are shown") else {
            return Ok(());
        };
        let mut case = case.any_stdout().any_stderr().any_status();
        for changed in ["home", "cwd", NAME, "var", "tmp"] {
            case = case.may_change(changed);
        }
        let ran = case.run();
        let shown = ran.stdout() + &ran.stderr();
        let forges = shown.lines().any(|line| line.starts_with("forged"));
        unless(!forges && !shown.contains('\u{1b}'), shown)
    });
}
