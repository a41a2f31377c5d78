//! Reading: the summary, printing, the first commands, and the same as JSON.

use crate::case::Case;
use crate::mailboxes::{ONE, TWO};

fn both() -> String {
    format!("{ONE}{TWO}")
}

/// Returns `mailx ARGS -f [DIR]/cwd/box` on two messages, which must not change.
fn read<const N: usize>(args: [&str; N]) -> Case {
    Case::new()
        .args(args)
        .args(["-f", "[DIR]/cwd/box"])
        .file("cwd/box", both())
}

/// Returns the command loop on a pipe.
fn commands(text: &str) -> Case {
    read(["-N"]).stdin(text)
}

#[test]
fn the_summary_has_the_columns_of_bsd_mailx() {
    read(["-H"])
        .stdout(
            ">N  1 alice@example.org  Mon Nov 16 09:00    9/201   Disk almost full\n    \
             2 bob@example.org    Tue Nov 17 10:30   10/229   Größe\n",
        )
        .run();
}

#[test]
fn e_says_whether_there_is_mail() {
    read(["-e"]).run();
    Case::new().args(["-e", "-u", "nobody"]).status(1).run();
}

#[test]
fn the_system_mailbox_is_found_by_name() {
    let case = Case::new().args(["-H"]).stdout_contains("Disk almost full");
    let path = format!("spool/{}", case.user());
    case.file(&path, ONE).run();
    let case = Case::new()
        .args(["-H", "-u", "nobody"])
        .stdout_contains("Disk almost full");
    case.file("spool/nobody", ONE).run();
}

#[test]
fn mail_names_the_mailbox() {
    Case::new()
        .args(["-H"])
        .file("home/inbox", ONE)
        .env("MAIL", "[DIR]/home/inbox")
        .stdout_contains("Disk almost full")
        .run();
}

#[test]
fn no_mail_is_said_in_one_way() {
    let user = Case::new().user();
    let for_us = format!("No mail for {user}\n");
    let percent = format!("%{user}");
    let doors: &[(&str, &[&str])] = &[
        ("mailx", &[]),
        ("mailx", &["-N"]),
        ("mailx", &["-p"]),
        ("mailx", &["-R"]),
        ("mailx", &["-f", "%"]),
        ("mailx", &["-f", &percent]),
        ("mailx", &["-u", &user]),
        ("postrider", &["list"]),
        ("postrider", &["list", "--json"]),
        ("postrider", &["list", "--user", &user]),
        ("postrider", &["show", "1"]),
        ("postrider", &["show", "last"]),
        ("postrider", &["show", "last", "--raw"]),
    ];
    // Those that scripts ask for their status, and cron runs.
    let silent: &[(&str, &[&str])] = &[
        ("mailx", &["-e"]),
        ("mailx", &["-H"]),
        ("mailx", &["-H", "-u", &user]),
        ("mailx", &["-L", ":n"]),
        ("mailx", &["-e", "-L", ":n"]),
        ("postrider", &["delete", "--all"]),
        ("postrider", &["mark", "--read", "--all"]),
    ];
    for is_there in [false, true] {
        let case = |(name, args): &(&str, &[&str])| {
            let case = Case::new().called(name).args(*args).status(1);
            if is_there {
                case.file(&format!("spool/{user}"), "")
            } else {
                case
            }
        };
        for door in doors {
            println!("{door:?} {is_there}");
            case(door).stderr(&for_us).run();
        }
        for door in silent {
            println!("{door:?} {is_there}");
            case(door).run();
        }
    }
    for args in [&["-f", "box"][..], &["-p", "-f", "box"]] {
        Case::new()
            .args(args)
            .file("cwd/box", "")
            .status(1)
            .stderr("No mail in box\n")
            .run();
    }
}

#[test]
fn an_unknown_user_is_67_at_every_door_and_no_file_is_made() {
    let unknown = "there is no user no-such-user on this host";
    let such = "there is no such user on this host";
    let doors: &[(&str, &[&str], &str)] = &[
        ("mailx", &["-u", "no-such-user"], unknown),
        ("mailx", &["-e", "-u", "no-such-user"], unknown),
        ("mailx", &["-H", "-u", "no-such-user"], unknown),
        ("mailx", &["-p", "-u", "no-such-user"], unknown),
        ("mailx", &["-L", ":n", "-u", "no-such-user"], unknown),
        (
            "mailx",
            &["-u", "../x"],
            "there is no user ../x on this host",
        ),
        ("mailx", &["-f", "%no-such-user"], such),
        ("mailx", &["-e", "-f", "%no-such-user"], such),
        ("mailx", &["-f", "~no-such-user/box"], such),
        ("postrider", &["list", "--user", "no-such-user"], unknown),
        ("postrider", &["list", "--file", "%no-such-user"], such),
        (
            "postrider",
            &["show", "1", "--user", "no-such-user"],
            unknown,
        ),
        (
            "postrider",
            &["delete", "1", "--user", "no-such-user"],
            unknown,
        ),
        (
            "postrider",
            &["mark", "--read", "1", "--user", "no-such-user"],
            unknown,
        ),
    ];
    for (name, args, says) in doors {
        println!("{name} {args:?}");
        Case::new()
            .called(name)
            .args(*args)
            .status(67)
            .says(says)
            .run();
    }
    let mail: &[(&str, &[&str])] = &[
        ("mailx", &["-s", "t", "no-such-user"]),
        ("postrider", &["send", "no-such-user"]),
        ("sendmail", &["no-such-user"]),
        ("sendmail", &["-t"]),
    ];
    for (name, args) in mail {
        println!("{name} {args:?}");
        Case::new()
            .called(name)
            .args(*args)
            .rc("set mta=local")
            .stdin("To: no-such-user\n\nx\n")
            .status(67)
            .says(&format!("cannot send to no-such-user: {unknown}"))
            .keeps(1)
            .run();
    }
}

#[test]
fn p_prints_everything_decoded() {
    let ran = read(["-p"]).any_stdout().run();
    for text in [
        "Subject: Disk almost full",
        "/dev/sda1 97%",
        "Subject: Größe",
        "all is well",
    ] {
        assert!(ran.stdout().contains(text), "{text}");
    }
}

#[test]
fn a_full_disk_behind_stdout_is_an_error() {
    for options in [&["-H"][..], &["-p"], &["--help"]] {
        let case = Case::new().args(options).file("cwd/box", both());
        let case = match options[0] {
            "--help" => case,
            _ => case.args(["-f", "[DIR]/cwd/box"]),
        };
        case.wrapped(["/bin/sh", "-c", "exec \"$@\" >/dev/full", "sh"])
            .status(74)
            .says("")
            .run();
    }
}

#[test]
fn commands_come_from_a_pipe_without_prompts() {
    let ran = commands("1\nn\nx\n").any_stdout().run();
    let text = ran.stdout();
    assert!(text.find("/dev/sda1 97%").unwrap() < text.find("all is well").unwrap());
    assert!(
        !text.lines().any(|line| line.starts_with(['&', '?'])),
        "{text}"
    );
}

#[test]
fn every_abbreviation_of_print_prints() {
    for command in [
        "1", "p 1", "p1", "print 1", "t 1", "type 1", "P 1", "T 1", "ty 1",
    ] {
        commands(&format!("{command}\nx\n"))
            .stdout_contains("/dev/sda1 97%")
            .run();
    }
}

#[test]
fn message_lists_choose() {
    for (list, first, second) in [
        ("1-2", true, true),
        ("*", true, true),
        ("$", false, true),
        ("^", true, false),
        ("1 2", true, true),
        ("alice", true, false),
        ("/disk", true, false),
        (":n", true, false),
        (":r", false, true),
    ] {
        let ran = commands(&format!("p {list}\nx\n")).any_stdout().run();
        assert_eq!(ran.stdout().contains("/dev/sda1 97%"), first, "{list}");
        assert_eq!(ran.stdout().contains("all is well"), second, "{list}");
    }
}

#[test]
fn the_current_message_is_told() {
    commands("2\n=\nx\n").stdout_contains("\n2\n").run();
}

#[test]
fn from_and_headers_list() {
    for command in ["f 1", "from 1", "h", "headers"] {
        commands(&format!("{command}\nx\n"))
            .stdout_contains("Disk almost full")
            .run();
    }
}

#[test]
fn a_wrong_command_or_message_is_said() {
    commands("nonsense\nx\n")
        .any_status()
        .any_stdout()
        .stderr_contains("nonsense")
        .run();
    commands("p 9\nx\n")
        .any_status()
        .any_stdout()
        .stderr_contains("9")
        .run();
}

#[test]
fn the_end_of_the_pipe_is_quit_and_what_was_new_is_old() {
    let old = both().replacen("\n\n", "\nStatus: O\n\n", 1);
    for text in ["", "q\n"] {
        let case = commands(text).leaves("cwd/box", &old);
        case.any_stdout().run();
    }
}

#[test]
fn parts_are_listed_and_text_is_shown() {
    let text = "From a@x.org Mon Nov 16 09:00:00 2026\nFrom: a@x.org\nSubject: parts\n\
        MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\npreamble\n--b\n\
        Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n\
        caf=E9\n--b\nContent-Type: application/pdf; name=\"report.pdf\"\n\
        Content-Disposition: attachment; filename=\"report.pdf\"\n\
        Content-Transfer-Encoding: base64\n\nJVBERi0xLjQK\n--b--\n\n";
    let ran = Case::new()
        .args(["-p", "-f", "[DIR]/cwd/box"])
        .file("cwd/box", text)
        .any_stdout()
        .run();
    assert!(ran.stdout().contains("café"));
    assert!(ran.stdout().contains("report.pdf"));
    assert!(!ran.stdout().contains("JVBERi0"));
}

// --- the postrider face -----------------------------------------------------------------------

#[test]
fn list_json_is_one_object_a_line() {
    let ran = Case::new()
        .called("postrider")
        .args(["list", "--json", "--file", "[DIR]/cwd/box"])
        .file("cwd/box", both())
        .any_stdout()
        .run();
    let lines: Vec<serde_json::Value> = ran
        .stdout()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1]["subject"], "Größe");
}

#[test]
fn show_raw_is_the_bytes() {
    let ran = Case::new()
        .called("postrider")
        .args(["show", "1", "--raw", "--file", "[DIR]/cwd/box"])
        .file("cwd/box", both())
        .any_stdout()
        .run();
    let (_, message) = ONE.split_once('\n').unwrap();
    assert_eq!(
        ran.stdout(),
        message.strip_suffix('\n').unwrap(),
        "neither the From_ line nor the empty line that the mailbox adds"
    );
}

#[test]
fn show_json_has_the_subject() {
    let ran = Case::new()
        .called("postrider")
        .args(["show", "2", "--json", "--file", "[DIR]/cwd/box"])
        .file("cwd/box", both())
        .any_stdout()
        .run();
    let value: serde_json::Value = serde_json::from_str(&ran.stdout()).unwrap();
    assert_eq!(value["subject"], "Größe");
}

#[test]
fn json_has_the_time_of_a_date_without_a_zone_and_of_one_that_is_none() {
    let from_line = "2026-11-16T09:00:00+02:00";
    let rows = [
        (
            "Date: Mon, 16 Nov 2026 08:00:00 -0530\n",
            "2026-11-16T08:00:00-05:30",
            Some("-05:30"),
        ),
        (
            "Date: Mon, 16 Nov 2026 08:00:00 -600\n",
            "2026-11-16T08:00:00-06:00",
            Some("-06:00"),
        ),
        (
            "Date: Mon Nov 16 08:00:00 MEZ 2026\n",
            "2026-11-16T08:00:00+01:00",
            Some("+01:00"),
        ),
        (
            "Date: Mon, 16 Nov 2026 08:00:00 GMT\n",
            "2026-11-16T08:00:00+00:00",
            Some("+00:00"),
        ),
        (
            "Date: Mon, 16 Nov 2026 08:00\n",
            "2026-11-16T08:00:00+00:00",
            None,
        ),
        (
            "Date: Mon, 16 Nov 2026 08:00:00 -0000\n",
            "2026-11-16T08:00:00+00:00",
            None,
        ),
        ("Date: yesterday\n", from_line, None),
        ("Date: Sat, 31 Feb 2026 08:00:00 +0000\n", from_line, None),
        ("Date:\n", from_line, None),
        ("", from_line, None),
    ];
    for (field, time, zone) in rows {
        let mailbox = format!("From a@x Mon Nov 16 09:00:00 2026\n{field}Subject: x\n\ntext\n\n");
        for args in [&["list"][..], &["show", "1"]] {
            let ran = Case::new()
                .called("postrider")
                .args(args)
                .args(["--json", "--file", "[DIR]/cwd/box"])
                .file("cwd/box", &mailbox)
                .env("TZ", "XYZ-2")
                .any_stdout()
                .run();
            let value: serde_json::Value = serde_json::from_str(&ran.stdout()).unwrap();
            assert_eq!(value["date"], time, "{field:?}");
            assert_eq!(value["date_zone"].as_str(), zone, "{field:?}");
        }
    }
}

#[test]
fn the_zone_of_a_from_line_counts() {
    for (date, time) in [
        ("Mon Nov 16 09:00:00 2026", "2026-11-16T09:00:00+02:00"),
        ("Mon Nov 16 09:00:00 EST 2026", "2026-11-16T09:00:00-05:00"),
        (
            "Mon Nov 16 09:00:00 +0100 2026",
            "2026-11-16T09:00:00+01:00",
        ),
        (
            "Mon, 16 Nov 2026 09:00:00 +0100",
            "2026-11-16T09:00:00+01:00",
        ),
    ] {
        let ran = Case::new()
            .called("postrider")
            .args(["list", "--json", "--file", "[DIR]/cwd/box"])
            .file(
                "cwd/box",
                format!("From a@x {date}\nSubject: x\n\ntext\n\n"),
            )
            .env("TZ", "XYZ-2")
            .any_stdout()
            .run();
        let value: serde_json::Value = serde_json::from_str(&ran.stdout()).unwrap();
        assert_eq!(value["date"], time, "{date}");
        assert!(value["date_zone"].is_null(), "{date}");
    }
}
