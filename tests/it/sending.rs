//! A message through sendmail: what it is given, and what its end means for us.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::case::Case;
use crate::sendmail::FakeSendmail;

const BODY: &str = "Line one\n\nFrom here on\n.\nlast line\n";

/// Returns a plain mail through this sendmail.
fn through(sendmail: FakeSendmail) -> Case {
    Case::new()
        .args(["-s", "Backup", "ops@example.com"])
        .stdin(BODY)
        .sendmail(sendmail)
}

#[test]
fn a_plain_mail_is_handed_over_whole() {
    let ran = Case::send(["-s", "Backup", "ops@example.com"])
        .stdin(BODY)
        .run();
    let call = ran.call();
    assert_eq!(call.argv, ["-i", "--", "ops@example.com"]);
    let letter = call.letter();
    letter.assert_fit_for_the_wire();
    assert_eq!(letter.field("To"), "ops@example.com");
    assert_eq!(letter.field("Subject"), "Backup");
    assert_eq!(letter.field("Date"), "Mon, 16 Nov 2026 09:00:00 +0000");
    assert_eq!(letter.field("MIME-Version"), "1.0");
    assert!(
        letter.fields("From").is_empty(),
        "the MTA knows better who we are"
    );
    assert_eq!(letter.body(), BODY.as_bytes());
}

#[test]
fn plain_ascii_goes_as_it_is() {
    let body = "one\n\n  two = 2\nlast\n";
    let ran = Case::send(["-s", "t", "ops@example.com"]).stdin(body).run();
    assert_eq!(ran.call().letter().raw_body(), body.as_bytes());
}

#[test]
fn message_ids_differ_though_the_clock_stands_still() {
    let id = || {
        through(FakeSendmail::accepting())
            .run()
            .call()
            .letter()
            .field("Message-ID")
    };
    assert_ne!(id(), id());
}

#[test]
fn sendmail_knows_that_it_is_called_by_us() {
    let call = through(FakeSendmail::accepting()).run().call();
    assert!(
        call.env
            .iter()
            .any(|row| row.starts_with("POSTRIDER_SUBMITTING=/")),
        "{:?}",
        call.env
    );
}

#[test]
fn a_sender_is_given_in_envelope_and_header() {
    for sender in ["night@example.com", "Night Shift <night@example.com>"] {
        let ran = Case::send(["-r", sender, "-s", "t", "ops@example.com"])
            .stdin(BODY)
            .run();
        let call = ran.call();
        assert!(
            call.options()
                .windows(2)
                .any(|pair| pair == ["-f", "night@example.com"]),
            "{call:?}"
        );
        assert_eq!(call.letter().field("From"), sender);
    }
}

#[test]
fn verbose_is_passed_on() {
    let ran = Case::send(["-v", "-s", "t", "ops@example.com"])
        .stdin(BODY)
        .any_stderr()
        .run();
    assert!(ran.call().options().contains(&"-v"));
}

#[test]
fn a_missing_final_newline_is_added() {
    let ran = Case::send(["-s", "t", "ops@example.com"])
        .stdin("no newline")
        .run();
    assert_eq!(ran.call().letter().body(), b"no newline\n");
}

#[test]
fn an_empty_subject_and_an_empty_body_go_out() {
    let ran = Case::send(["-s", "", "ops@example.com"]).any_stderr().run();
    assert_eq!(ran.call().letter().raw_body(), b"");
}

#[test]
fn a_dry_run_prints_the_message_and_sends_nothing() {
    let ran = Case::send([
        "--dry-run",
        "-s",
        "t",
        "-b",
        "hidden@example.com",
        "ops@example.com",
    ])
    .stdin(BODY)
    .any_stdout()
    .stderr_contains("sendmail")
    .run();
    ran.nothing_sent();
    let letter = crate::letters::Letter::new(&ran.output.stdout);
    letter.assert_fit_for_the_wire();
    assert_eq!(letter.body(), BODY.as_bytes());
    assert_eq!(letter.field("Subject"), "t");
}

#[test]
fn d_shows_and_sends_nothing() {
    Case::send(["-d", "-s", "t", "ops@example.com"])
        .stdin(BODY)
        .stderr_contains("last line")
        .run()
        .nothing_sent();
}

#[test]
fn postrider_send_has_the_same_in_long_options() {
    let ran = Case::send([
        "send",
        "--subject",
        "t",
        "--cc",
        "c@x.org",
        "--attach",
        "a",
        "a@x.org",
    ])
    .called("postrider")
    .file("cwd/a", "attached\n")
    .stdin(BODY)
    .run();
    let call = ran.call();
    assert_eq!(call.recipients(), ["a@x.org", "c@x.org"]);
    assert_eq!(call.letter().attachments().len(), 1);
}

#[test]
fn recipients_beyond_arg_max_go_in_batches() {
    let many: Vec<String> = (0..30_000)
        .map(|n| format!("user{n:05}@a-rather-long-domain-name.example.com"))
        .collect();
    let mut args = vec!["-s", "t"];
    // Several operands: one alone may not exceed 128 KiB.
    let lists: Vec<String> = many.chunks(1000).map(|chunk| chunk.join(",")).collect();
    args.extend(lists.iter().map(String::as_str));
    let ran = Case::send([])
        .args(args)
        .stdin(BODY)
        .limit(Duration::from_secs(120))
        .run();
    let calls = ran.calls();
    let got: Vec<&str> = calls.iter().flat_map(|call| call.recipients()).collect();
    assert_eq!(got, many.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(calls.windows(2).all(|pair| pair[0].stdin == pair[1].stdin));
}

// --- how sendmail may end -------------------------------------------------------------------

#[test]
fn its_sysexits_pass_through_and_the_mail_is_kept() {
    for status in [64, 65, 67, 68, 69, 70, 71, 72, 73, 74, 75, 77, 78] {
        let ran = through(FakeSendmail::exiting(status))
            .status(status.into())
            .says("sendmail")
            .keeps(1)
            .run();
        let kept = &ran.dead()[0];
        assert_eq!(kept.body(), BODY.as_bytes(), "exit {status}");
        assert_eq!(kept.field("X-Postrider-Unsent-To"), "ops@example.com");
        assert_eq!(kept.subject(), "Backup");
    }
}

#[test]
fn other_failures_are_unavailable() {
    for status in [1, 2, 127, 255] {
        through(FakeSendmail::exiting(status))
            .status(69)
            .says("sendmail")
            .keeps(1)
            .run();
    }
}

#[test]
fn seventy_five_is_uncertain_and_hints_at_mailq() {
    through(FakeSendmail::exiting(75))
        .status(75)
        .says("sendmail")
        .hints("mailq")
        .keeps(1)
        .run();
}

#[test]
fn death_by_a_signal_is_uncertain_and_kept() {
    let deaths = [
        FakeSendmail::accepting().step("kill 9"),
        FakeSendmail::new().step("kill 6"),
        FakeSendmail::new().step("read 10").step("kill 15"),
    ];
    for sendmail in deaths {
        let ran = through(sendmail)
            .fails()
            .says("sendmail")
            .says("signal")
            .keeps_somewhere(1)
            .run();
        assert_eq!(ran.calls().len(), 1, "an uncertain mail is not sent again");
        assert_eq!(ran.unsent()[0].body(), BODY.as_bytes());
    }
}

#[test]
fn one_that_never_reads_decides_by_its_status() {
    let large = BODY.repeat(20_000);
    through(FakeSendmail::new()).stdin(&large).run();
    let ran = through(FakeSendmail::new().step("exit 75"))
        .stdin(&large)
        .status(75)
        .says("sendmail")
        .queues(1)
        .run();
    assert_eq!(ran.unsent()[0].body(), large.as_bytes());
}

#[test]
fn one_that_chatters_before_reading_does_not_block() {
    let large = BODY.repeat(20_000);
    let ran = through(FakeSendmail::new().step("chatter 300000").step("read all"))
        .stdin(&large)
        .any_stderr()
        .run();
    assert_eq!(ran.call().letter().body(), large.as_bytes());
}

#[test]
fn its_own_words_are_shown() {
    through(
        FakeSendmail::accepting()
            .step("say quota exceeded")
            .step("exit 69"),
    )
    .status(69)
    .stderr_contains("quota exceeded")
    .keeps(1)
    .run();
}

/// Sendmail delivers to those that it can and exits with the status of the one that it cannot: a
/// refusal of each was a lie, and the dead letter went twice to those who had the mail.
#[test]
fn a_refusal_of_one_of_several_was_told_as_a_refusal_of_all() {
    let several = |status, words: &str| {
        through(
            FakeSendmail::accepting()
                .step(words)
                .step(&format!("exit {status}")),
        )
        .args(["second@example.com", "nosuchuser@example.com"])
        .keeps(1)
    };
    for status in [65, 67, 68, 69, 77] {
        let ran = several(status, "say")
            .status(status)
            .says("it is uncertain whether the message has reached")
            .hints("at least one of these recipients")
            .run();
        assert_eq!(ran.calls().len(), 1, "not handed over a second time");
    }
    // Those that take all or none say so, and then it is a refusal.
    let words = [
        (
            65,
            65,
            "say msmtp: server message: 550 5.1.1 nobody of that name",
        ),
        (
            70,
            65,
            "say sendmail: command failed: 550 Invalid recipient",
        ),
        (70, 69, "say sendmail: command failed: 554 5.3.4 too big"),
        (75, 69, "say sendmail: fatal: root(0): message file too big"),
    ];
    for (child, status, words) in words {
        several(child, words)
            .status(status)
            .says("cannot send to")
            .stderr_contains(words.trim_start_matches("say "))
            .run();
    }
}

/// Its words were warnings, and the last line said that nothing would be queued.
#[test]
fn a_message_that_is_too_big_for_postfix_was_told_as_uncertain() {
    let postfix = FakeSendmail::accepting()
        .step("say postdrop: warning: uid=0: File too large")
        .step("say sendmail: warning: mail_stream_cleanup: close error")
        .step("say sendmail: fatal: root(0): message file too big")
        .step("exit 75");
    through(postfix)
        .status(69)
        .says("cannot send to ops@example.com")
        .stderr_contains("fatal: root(0): message file too big")
        .keeps(1)
        .run();
}

#[test]
fn its_reason_behind_much_chatter_is_shown() {
    through(
        FakeSendmail::accepting()
            .step("chatter 300000")
            .step("say quota exceeded")
            .step("exit 69"),
    )
    .status(69)
    .stderr_contains("quota exceeded")
    .keeps(1)
    .run();
}

#[test]
fn its_escape_sequences_are_not_shown() {
    let ran = through(
        FakeSendmail::accepting()
            .step("say \u{1b}]0;owned\u{7}")
            .step("exit 69"),
    )
    .status(69)
    .any_stderr()
    .keeps(1)
    .run();
    assert!(!ran.output.stderr.contains(&0x1b), "{:?}", ran.stderr());
}

#[test]
fn a_hanging_one_can_be_interrupted_and_the_mail_is_kept() {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        let ran = through(FakeSendmail::accepting().step("hang"))
            .signal_at("mta/calls/0001/hanging", signal)
            .fails()
            .any_stderr()
            .keeps(1)
            .run();
        assert_eq!(ran.dead()[0].body(), BODY.as_bytes());
    }
}

#[test]
fn none_at_all_is_said_and_the_mail_is_kept() {
    Case::new()
        .args(["-s", "t", "ops@example.com"])
        .stdin(BODY)
        .rc("set mta=[DIR]/cwd/nowhere")
        .fails()
        .says("[DIR]/cwd/nowhere")
        .keeps(1)
        .run();
}

#[test]
fn one_that_is_no_program_is_said_and_the_mail_is_kept() {
    let ran = Case::new()
        .args(["-s", "t", "ops@example.com"])
        .stdin(BODY)
        .file("cwd/text", "not a program\n")
        .rc("set mta=[DIR]/cwd/text")
        .fails()
        .says("[DIR]/cwd/text")
        .keeps(1)
        .run();
    assert_eq!(ran.dead()[0].body(), BODY.as_bytes());
}

#[test]
fn the_test_route_writes_an_mbox() {
    let ran = Case::new()
        .args(["-s", "t", "ops@example.com"])
        .stdin(BODY)
        .rc("set mta=test://[DIR]/cwd/out.mbox\nset from=me@example.com")
        .may_change("cwd/out.mbox")
        .run();
    let letters = crate::letters::letters(&ran.read("cwd/out.mbox"));
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].raw_body(), BODY.as_bytes());
}

#[test]
fn the_test_route_spares_a_file_that_is_no_mbox() {
    Case::new()
        .args(["-s", "t", "ops@example.com"])
        .stdin(BODY)
        .file("cwd/precious", "not an mbox\n")
        .rc("set mta=test://[DIR]/cwd/precious\nset from=me@example.com")
        .fails()
        .says("[DIR]/cwd/precious")
        .keeps(1)
        .leaves("cwd/precious", "not an mbox\n")
        .run();
}

#[test]
fn why_a_recipient_has_no_route_was_said_twice() {
    let why = "mta=local delivers only on this host";
    for (option, line) in [
        ("--dry-run", format!("mailx: ops@x.org: no route: {why}\n")),
        (
            "--explain",
            format!("recipient ops@x.org: no route, because {why}\n"),
        ),
    ] {
        let ran = Case::new()
            .rc("set mta=local hostname=host.example.test")
            .args([option, "-s", "t", "ops@x.org"])
            .stdin("x\n")
            .any_status()
            .any_stdout()
            .any_stderr()
            .run();
        let said = ran.stdout() + &ran.stderr();
        assert!(said.contains(&line), "{option}: {said}");
    }
}
