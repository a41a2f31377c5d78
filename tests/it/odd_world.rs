//! Input of odd sizes and shapes, and a world in which something usual is missing.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::case::{Case, Ran};
use crate::launch;
use crate::sendmail::FakeSendmail;
use crate::smtp_server::{Behaviour, SmtpServer};

/// Far below the minute that an attachment may take, far above what any of these runs takes.
const SOON: Duration = Duration::from_secs(25);

// --- sizes -------------------------------------------------------------------------------------

/// As many recipients as fit into the arguments of one program, about.
const CROWD: usize = 60_000;

fn crowd() -> impl Iterator<Item = String> {
    (0..CROWD).map(|n| format!("u{n}@x.org"))
}

/// Asserts that each of the crowd is in exactly one call, and each call has the whole mail.
#[track_caller]
fn assert_each_once(ran: &Ran) {
    let calls = ran.calls();
    let mut got: Vec<&str> = Vec::new();
    for call in &calls {
        got.extend(call.recipients());
        assert!(call.stdin == calls[0].stdin, "not the same mail");
        assert!(
            call.stdin
                .split(|&b| b == b'\n')
                .all(|line| line.len() <= 998)
        );
        assert_eq!(call.letter().body(), b"x\n");
    }
    assert_eq!(got.len(), CROWD);
    let expected: BTreeSet<String> = crowd().collect();
    let got: BTreeSet<String> = got.into_iter().map(str::to_owned).collect();
    assert!(got == expected, "another crowd");
    let to = calls[0].letter().field("To");
    assert_eq!(to.split(',').count(), CROWD);
}

#[test]
fn sixty_thousand_operands_get_the_mail_once() {
    let ran = Case::send(["-s", "t"]).args(crowd()).stdin("x\n").run();
    assert_each_once(&ran);
}

#[test]
fn sixty_thousand_on_one_line_get_the_mail_once() {
    let to = crowd().collect::<Vec<_>>().join(", ");
    let ran = Case::send(["-t", "-i"])
        .called("sendmail")
        .stdin(format!("To: {to}\nSubject: t\n\nx\n"))
        .run();
    assert_each_once(&ran);
}

#[test]
fn more_recipients_than_a_message_may_have_are_refused_and_the_text_is_kept() {
    let many = |n: usize| (0..n).map(|n| format!("u{n}@x.org")).collect::<Vec<_>>();
    let to = "r,".repeat(100_001);
    let fields = format!("To: {}\n", "r,".repeat(1_000)).repeat(101);
    let half = |name: &str| many(49_980).join(" ").replace("x.org", name);
    let alias = format!(
        "alias half {}\nalias others {}\n",
        half("y.org"),
        half("z.org")
    );
    let both: Vec<String> = ["half", "others"]
        .map(str::to_owned)
        .into_iter()
        .chain(many(50))
        .collect();
    let both: Vec<&str> = both.iter().map(String::as_str).collect();
    for (args, stdin, rc) in [
        (&["-t", "-i"][..], format!("To: {to}\n\nx\n"), ""),
        (&["-t", "-i"], format!("{fields}\nx\n"), ""),
        (&both, "x\n".to_owned(), &alias),
    ] {
        let name = if args[0] == "-t" { "sendmail" } else { "mailx" };
        let has_many_fields = stdin.starts_with(&fields);
        let mut case = Case::send([]).args(args).stdin(stdin).rc(rc).called(name);
        if has_many_fields {
            case = case.says("more than one To field");
        }
        case.status(65)
            .says("the message has more than 100000 recipients")
            .hints("send it in several messages")
            .keeps(1)
            .run()
            .nothing_sent();
    }
}

#[test]
fn an_address_of_100_kb_is_told_in_a_short_line() {
    for long in [
        format!("{}@x.org", "a".repeat(100_000)),
        format!("a@{}.org", "x".repeat(100_000)),
        format!("\"{}\" <a@@x.org>", "n".repeat(100_000)),
    ] {
        let ran = Case::send(["-s", "t", &long])
            .stdin("the text\n")
            .status(65)
            .any_stderr()
            .keeps(1)
            .run();
        ran.nothing_sent();
        let text = ran.stderr();
        assert!(text.lines().count() <= 3, "{text}");
        assert!(text.lines().all(|line| line.len() < 1000), "{text}");
        assert_eq!(ran.dead()[0].body(), b"the text\n");
    }
}

#[test]
fn fifty_thousand_nested_comments_are_no_recursion() {
    let nested = format!("{}{}", "(".repeat(50_000), ")".repeat(50_000));
    let open = "(".repeat(50_000);
    for (address, is_whole) in [
        (format!("{nested} u@x.org"), true),
        (format!("u@x.org {nested}"), true),
        (format!("u@x.org {open}"), false),
    ] {
        let by_operand = Case::send(["-s", "t", &address]).stdin("x\n");
        let by_field = Case::send(["-t", "-i"])
            .called("sendmail")
            .stdin(format!("To: {address}\n\nx\n"));
        for case in [by_operand, by_field] {
            let ran = case
                .any_status()
                .any_stderr()
                .may_change("home/dead.letter")
                .run();
            // Accepted for what it means or refused as data; never anything else, and no crash.
            match ran.output.code() {
                0 => assert_eq!(ran.call().recipients(), ["u@x.org"]),
                65 => ran.nothing_sent(),
                code => panic!("status {code}: {}", ran.stderr()),
            }
            assert!(is_whole || ran.output.code() == 65, "{}", ran.stderr());
        }
    }
}

// --- shapes ------------------------------------------------------------------------------------

#[test]
fn an_option_of_sendmail_is_no_address() {
    let trick = "-oQ/tmp";
    let cases = [
        Case::send(["-s", "t", "--", trick]),
        Case::send(["-s", "t", "-r", trick, "ops@x.org"]),
        Case::send(["-s", "t", "--", "-fevil@x.org"]),
        Case::send(["-s", "t", "--", "<-oQ/tmp@x.org>"]),
        Case::send(["send", "--subject", "t", "--from=-oQ/tmp", "ops@x.org"]).called("postrider"),
        Case::send(["send", "--subject", "t", "--", trick]).called("postrider"),
    ];
    for case in cases {
        let ran = case
            .stdin("the text\n")
            .status(65)
            .any_stderr()
            .keeps(1)
            .run();
        ran.nothing_sent();
        assert_eq!(ran.dead()[0].body(), b"the text\n");
    }
    let ran = Case::send(["-t", "-i"])
        .called("sendmail")
        .stdin("To: -oQ/tmp\nSubject: t\n\nthe text\n")
        .status(65)
        .any_stderr()
        .may_change("home/dead.letter")
        .run();
    ran.nothing_sent();
}

#[test]
fn groups_and_quoted_names_are_read_as_they_are_meant() {
    let table: [(&str, &[&str]); 6] = [
        ("Ops: a@x.org, b@x.org;", &["a@x.org", "b@x.org"]),
        ("Ops: a@x.org; , c@x.org", &["a@x.org", "c@x.org"]),
        ("\"Doe, John\" <j@x.org>, k@x.org", &["j@x.org", "k@x.org"]),
        ("\"a \\\"b, c\\\"\" <q@x.org>", &["q@x.org"]),
        ("\"x@evil.org, y\" <z@x.org>", &["z@x.org"]),
        ("j@x.org (Doe, John), k@x.org", &["j@x.org", "k@x.org"]),
    ];
    for (text, recipients) in table {
        let by_operand = Case::send(["-s", "t", text]).stdin("x\n");
        let by_field = Case::send(["-t", "-i"])
            .called("sendmail")
            .stdin(format!("To: {text}\nSubject: t\n\nx\n"));
        for case in [by_operand, by_field] {
            let ran = case.run();
            assert_eq!(ran.call().recipients(), recipients, "{text}");
        }
    }
}

#[test]
fn domains_beyond_ascii_are_punycode_on_the_wire() {
    let server = SmtpServer::accepting(Behaviour::default());
    Case::new()
        .rc(&format!("set mta=smtp://127.0.0.1:{}", server.port()))
        .rc("set hostname=client.example.org")
        .args(["-s", "t", "-r", "me@straße.example"])
        .args(["ops@bücher.example", "日本 <ops@例え.テスト>"])
        .stdin("x\n")
        .run();
    let message = &server.messages()[0];
    assert_eq!(message.from, "<me@xn--strae-oqa.example>");
    assert_eq!(
        message.to,
        [
            "<ops@xn--bcher-kva.example>",
            "<ops@xn--r8jz45g.xn--zckzah>"
        ]
    );
    assert!(message.data.is_ascii());
}

// --- what is missing around us -----------------------------------------------------------------

#[test]
fn without_standard_output_or_error_the_mail_goes() {
    for script in [
        "exec \"$@\" >&-",
        "exec \"$@\" 2>&-",
        "exec \"$@\" >&- 2>&-",
        "exec \"$@\" >/dev/full 2>/dev/full",
    ] {
        let ran = Case::send(["-s", "t", "-v", "ops@x.org"])
            .within(script)
            .stdin("x\n")
            .any_stderr()
            .run();
        assert_eq!(ran.call().letter().body(), b"x\n", "{script}");
        let ran = Case::new()
            .sendmail(FakeSendmail::exiting(67).step("say no"))
            .args(["-s", "t", "ops@x.org"])
            .within(script)
            .stdin("x\n")
            .any_stderr()
            .status(67)
            .may_change("home/dead.letter")
            .run();
        assert_eq!(ran.dead().len(), 1, "{script}");
        assert_eq!(ran.dead()[0].body(), b"x\n", "{script}");
    }
}

#[test]
fn a_receipt_that_cannot_be_written_is_a_failure_and_the_mail_is_out() {
    Case::send(["send", "--json", "--subject", "t", "ops@x.org"])
        .called("postrider")
        .within("exec \"$@\" >/dev/full")
        .stdin("x\n")
        .status(74)
        .says("standard output")
        .run()
        .call();
}

#[test]
fn without_standard_input_nothing_is_made_up() {
    for script in ["exec \"$@\" <&-", "exec \"$@\" <&- >&- 2>&-"] {
        let ran = Case::send(["-s", "t", "--attach", "a", "ops@x.org"])
            .file("cwd/a", "attached\n")
            .within(script)
            .any_status()
            .any_stderr()
            .may_change("home/dead.letter")
            .run();
        match ran.output.code() {
            0 => {
                let letter = ran.call().letter();
                assert_eq!(letter.attachments()[0].1, b"attached\n");
                assert_eq!(letter.text(), "", "{script}");
            }
            66 => ran.nothing_sent(),
            code => panic!("status {code}: {}", ran.stderr()),
        }
    }
}

#[test]
fn standard_input_that_cannot_be_read_sends_nothing() {
    Case::send(["-s", "t", "ops@x.org"])
        .within("exec \"$@\" <.")
        .status(66)
        .says("cannot read standard input")
        .keeps(1)
        .run()
        .nothing_sent();
}

#[test]
fn without_an_environment_the_mail_goes() {
    // But for where the configuration is: a test never uses the machine's own MTA.
    let ran = Case::send(["-s", "Größe", "ops@x.org"])
        .within("exec /usr/bin/env -i MAILRC=\"$MAILRC\" \"$@\"")
        .stdin("größer\n")
        .run();
    assert_eq!(ran.call().letter().subject(), "Größe");
    assert_eq!(ran.call().letter().body(), "größer\n".as_bytes());
}

#[test]
fn without_a_working_directory_the_mail_goes() {
    let script = "mkdir() { /bin/mkdir \"$@\"; }; mkdir gone && cd gone && /bin/rmdir ../gone && \
                  exec \"$@\"";
    let ran = Case::send(["-s", "t", "ops@x.org"])
        .within(script)
        .stdin("x\n")
        .run();
    assert_eq!(ran.call().letter().body(), b"x\n");
    // What is named relative to it is missing; the text is kept nevertheless.
    Case::send(["-s", "t", "--attach", "a", "ops@x.org"])
        .file("cwd/a", "attached\n")
        .within(script)
        .stdin("x\n")
        .status(66)
        .says("cannot attach a")
        .keeps(1)
        .run()
        .nothing_sent();
}

// --- attachments that are no files -------------------------------------------------------------

#[test]
fn a_fifo_is_attached_to_its_end() {
    let bytes: Vec<u8> = (0..300_000u32).map(|n| (n % 251) as u8).collect();
    for late in [Duration::ZERO, Duration::from_millis(600)] {
        let case = Case::send(["-s", "t", "--attach", "pipe", "ops@x.org"])
            .fifo("cwd/pipe")
            .stdin("x\n")
            .limit(SOON);
        let (path, given) = (case.path("cwd/pipe"), bytes.clone());
        std::thread::spawn(move || {
            std::thread::sleep(late);
            // Waits for the reader; in pieces, so that the reader has to wait, too.
            let mut pipe = File::options().write(true).open(path).unwrap();
            for piece in given.chunks(70_000) {
                pipe.write_all(piece).unwrap();
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let attachments = case.run().call().letter().attachments();
        assert_eq!(attachments[0].0, "pipe");
        assert!(attachments[0].1 == bytes, "the attachment has changed");
    }
}

#[test]
fn a_fifo_without_a_writer_does_not_hold_for_ever() {
    // It has a deadline of a minute; that it waits and does not hang shows by a signal.
    let ran = Case::send(["-s", "t", "--attach", "pipe", "ops@x.org"])
        .fifo("cwd/pipe")
        .stdin("the text\n")
        .signal_when_waiting_for("cwd/pipe", Signal::SIGTERM)
        .limit(SOON)
        .status(128 + Signal::SIGTERM as i32)
        .says("cannot attach pipe")
        .keeps(1)
        .run();
    ran.nothing_sent();
    assert_eq!(ran.dead()[0].body(), b"the text\n");
}

#[test]
fn devices_are_not_attached() {
    for device in ["/dev/zero", "/dev/null", "/dev/tty"] {
        let ran = Case::send(["-s", "t", "--attach", device, "ops@x.org"])
            .stdin("the text\n")
            .limit(SOON)
            .status(66)
            .says(device)
            .keeps(1)
            .run();
        ran.nothing_sent();
        assert_eq!(ran.dead()[0].body(), b"the text\n");
    }
}

// --- sendmail ----------------------------------------------------------------------------------

#[test]
fn one_that_hangs_is_left_in_time() {
    let sendmails = [
        (FakeSendmail::new().step("hang"), false),
        (FakeSendmail::accepting().step("hang"), true),
    ];
    for (sendmail, is_uncertain) in sendmails {
        let ran = Case::new()
            .sendmail(sendmail)
            .rc("set sendmail-timeout=1")
            .args(["-s", "t", "ops@x.org"])
            .stdin("the text\n")
            .limit(SOON)
            .status(75)
            .any_stderr()
            .keeps_somewhere(1)
            .run();
        assert_eq!(ran.stderr().contains("mailq"), is_uncertain);
        assert_eq!(ran.calls().len(), 1);
        assert_eq!(ran.unsent()[0].body(), b"the text\n");
    }
}

#[test]
fn one_that_leaves_a_child_behind_has_answered() {
    let case = Case::new()
        .rc("set mta=[DIR]/cwd/mta")
        .args(["-s", "t", "ops@x.org"])
        .stdin("the text\n")
        .limit(SOON);
    launch::install_script(
        &case.path("cwd/mta"),
        "#!/bin/sh\n/bin/cat >/dev/null\n/bin/sleep 100 &\nexit 0\n",
    );
    case.run();
}

#[test]
fn one_that_chatters_megabytes_is_heard_to_its_end() {
    let ran = Case::new()
        .sendmail(
            FakeSendmail::accepting()
                .step("chatter 8000000")
                .step("exit 67"),
        )
        .args(["-s", "t", "ops@x.org"])
        .stdin("the text\n")
        .status(67)
        .any_stderr()
        .keeps(1)
        .run();
    assert!(
        ran.stderr().len() < 100_000,
        "{} bytes on stderr",
        ran.stderr().len()
    );
}

#[test]
fn one_that_cannot_be_run_is_told_and_the_mail_is_kept() {
    let script = "#!/nowhere/interpreter\n";
    for (path, mode) in [("cwd/plain", 0o644), ("cwd/broken", 0o755)] {
        let ran = Case::new()
            .file(path, script)
            .mode(path, mode)
            .rc(&format!("set mta=[DIR]/{path}"))
            .args(["-s", "t", "ops@x.org"])
            .stdin("the text\n")
            .fails()
            .says(path)
            .keeps(1)
            .run();
        assert_eq!(ran.dead()[0].body(), b"the text\n");
    }
    Case::new()
        .rc("set mta=[DIR]/cwd")
        .args(["-s", "t", "ops@x.org"])
        .stdin("the text\n")
        .fails()
        .says("[DIR]/cwd")
        .keeps(1)
        .run();
}

// --- no room for temporary files ---------------------------------------------------------------

/// Returns a text that is not held in memory as it is.
fn large() -> String {
    "a line of a large text that goes to a temporary file\n".repeat(40_000)
}

#[test]
fn a_directory_for_temporary_files_that_is_none_stops_no_mail() {
    for place in ["/nonexistent", "/dev/null", "/proc", "[DIR]/cwd/file"] {
        let body = large();
        let ran = Case::send(["-s", "t", "ops@x.org"])
            .file("cwd/file", "")
            .env("TMPDIR", place)
            .stdin(&body)
            .run();
        assert!(ran.call().letter().body() == body.as_bytes(), "{place}");
    }
}

#[test]
fn a_full_disk_for_temporary_files_stops_no_mail() {
    let case = Case::send(["-s", "t", "--attach", "a", "ops@x.org"])
        .directory("cwd/tmp")
        .file("cwd/a", vec![0xa5; 900_000])
        .env("TMPDIR", "[DIR]/cwd/tmp");
    let Some(case) = case.private("a full disk for temporary files") else {
        return;
    };
    let body = large();
    let ran = case
        .within("/bin/mount -t tmpfs -o size=64k none tmp && exec \"$@\"")
        .stdin(&body)
        .run();
    let letter = ran.call().letter();
    assert!(letter.text() == body, "the text has changed");
    assert!(letter.attachments()[0].1 == vec![0xa5; 900_000]);
}

#[test]
fn a_limit_for_files_never_makes_half_a_mail() {
    // 51,200 bytes. In memory, at the edge of it, in a file.
    for lines in [10, 600, 950, 1000, 1500, 6000, 40_000] {
        let body = "a line of a text that may be too long for its file\n".repeat(lines);
        let case = Case::send(["-s", "t", "ops@x.org"])
            .may_change("tmp")
            .private("a limit for files");
        let Some(case) = case else { return };
        let ran = case
            .within("ulimit -f 100; exec \"$@\"")
            .stdin(&body)
            .any_status()
            .any_stderr()
            .may_change("home/dead.letter")
            .run();
        let code = ran.output.code();
        assert!(code < 128, "killed: {code}");
        if body.len() < 40_000 {
            assert_eq!(code, 0, "{}", ran.stderr());
        }
        if code == 0 {
            assert!(ran.call().letter().body() == body.as_bytes(), "{lines}");
            continue;
        }
        let dead = ran.path("home/dead.letter");
        let kept = match std::fs::metadata(&dead).map_or(0, |file| file.len()) {
            0 => Vec::new(),
            _ => ran.dead(),
        };
        let is_told = ran.stderr().contains("NOT KEPT");
        assert_eq!(kept.is_empty(), is_told, "{lines}: {}", ran.stderr());
        for kept in kept {
            assert!(kept.body() == body.as_bytes(), "half a mail is kept");
        }
    }
}
