//! One command line for all dialects of mailx: the rules R1 to R9 and the faces.

use crate::case::Case;

const BODY: &str = "a line\n";

/// Returns `mailx ARGS` through an accepting sendmail, with a body.
fn send<const N: usize>(args: [&str; N]) -> Case {
    Case::send(args).stdin(BODY)
}

#[test]
fn help_and_version_open_no_file() {
    for name in ["mailx", "mail", "Mail", "postrider"] {
        for option in ["--help", "--version"] {
            // A configuration that cannot be read and a broken HOME would be told of.
            let ran = Case::new()
                .called(name)
                .args([option])
                .env("MAILRC", "[DIR]/cwd")
                .env("HOME", "/nonexistent")
                .any_stdout()
                .run();
            assert!(!ran.stdout().is_empty());
        }
    }
}

#[test]
fn the_version_is_our_own_and_imitates_nobody() {
    for option in ["-V", "--version"] {
        let ran = Case::new().args([option]).stdout_contains("ostrider").run();
        assert!(ran.stdout().contains(env!("CARGO_PKG_VERSION")));
        assert!(!ran.stdout().to_lowercase().contains("mailutils"));
    }
}

#[test]
fn the_first_word_chooses_a_face_as_the_name_does() {
    let ran = Case::send(["mailx", "-s", "t", "ops@example.com"])
        .called("postrider")
        .stdin(BODY)
        .run();
    assert_eq!(ran.call().recipients(), ["ops@example.com"]);
    assert_eq!(ran.call().letter().subject(), "t");
}

#[test]
fn an_unknown_option_is_a_usage_error_in_one_line() {
    send(["-s", "t", "--no-such-option", "ops@example.com"])
        .status(64)
        .says("--no-such-option")
        .run()
        .nothing_sent();
}

#[test]
fn a_missing_option_argument_is_a_usage_error() {
    send(["ops@example.com", "-s"])
        .status(64)
        .says("-s")
        .run()
        .nothing_sent();
}

#[test]
fn sending_options_without_a_recipient_are_a_usage_error() {
    send(["-s", "t"])
        .status(64)
        .says("recipient")
        .run()
        .nothing_sent();
}

#[test]
fn f_with_sending_options_hints_at_r() {
    send(["-s", "t", "-f", "alerts@example.com", "ops@example.com"])
        .status(64)
        .says("-f")
        .hints("-r")
        .run()
        .nothing_sent();
}

// --- R1: -a ---------------------------------------------------------------------------------

#[test]
fn r1_an_existing_file_is_attached() {
    let ran = send(["-s", "t", "-a", "report.pdf", "ops@example.com"])
        .file("cwd/report.pdf", b"%PDF-1.4\0\xff")
        .run();
    let letter = ran.call().letter();
    letter.assert_fit_for_the_wire();
    assert_eq!(
        letter.attachments(),
        [("report.pdf".to_owned(), b"%PDF-1.4\0\xff".to_vec())]
    );
    assert_eq!(letter.text(), BODY);
}

#[test]
fn r1_a_header_is_added_and_the_body_stays() {
    let ran = send(["-s", "t", "-a", "X-Priority: 1", "ops@example.com"]).run();
    let letter = ran.call().letter();
    assert_eq!(letter.field("X-Priority"), "1");
    assert!(letter.attachments().is_empty());
    assert_eq!(letter.body(), BODY.as_bytes());
}

#[test]
fn r1_from_replaces_the_field_and_sets_the_envelope() {
    let ran = send([
        "-a",
        "From: Night <night@example.com>",
        "-s",
        "t",
        "ops@example.com",
    ])
    .run();
    let call = ran.call();
    assert_eq!(call.letter().field("From"), "Night <night@example.com>");
    assert!(
        call.options()
            .windows(2)
            .any(|pair| pair == ["-f", "night@example.com"]),
        "{call:?}"
    );
}

#[test]
fn r1_content_type_applies_to_the_text() {
    let ran = send([
        "-a",
        "Content-Type: text/html",
        "-s",
        "t",
        "ops@example.com",
    ])
    .stdin("<p>hello</p>\n")
    .run();
    assert!(
        ran.call()
            .letter()
            .field("Content-Type")
            .starts_with("text/html")
    );
}

#[test]
fn r1_an_existing_file_wins_over_a_header() {
    let ran = send(["-s", "t", "-a", "X-Odd: name", "ops@example.com"])
        .file("cwd/X-Odd: name", "content\n")
        .run();
    let letter = ran.call().letter();
    assert!(letter.fields("X-Odd").is_empty());
    assert_eq!(letter.attachments().len(), 1);
}

#[test]
fn r1_neither_file_nor_header_sends_nothing() {
    let ran = send(["-s", "t", "-a", "nowhere.pdf", "ops@example.com"])
        .status(66)
        .says("nowhere.pdf")
        .keeps(1)
        .run();
    ran.nothing_sent();
    assert_eq!(ran.dead()[0].body(), BODY.as_bytes());
}

#[test]
fn r1_a_missing_file_with_a_colon_in_its_name_is_no_header() {
    for missing in [
        "dump-2025-01-01T10:00:00.gz",
        "dump:2025",
        "X-2025-01-01T10:00:00.gz",
        "X-Dump:/var/backups/x",
    ] {
        let ran = send(["-s", "t", "-a", missing, "ops@example.com"])
            .status(66)
            .says(missing)
            .hints("--header")
            .keeps(1)
            .run();
        ran.nothing_sent();
        assert_eq!(ran.dead()[0].body(), BODY.as_bytes());
    }
}

#[test]
fn r1_a_file_that_cannot_be_read_is_no_header() {
    send(["-s", "t", "-a", "X-Report:1", "ops@example.com"])
        .nobody()
        .file("cwd/X-Report:1", "secret")
        .mode("cwd/X-Report:1", 0)
        .lacking("-r", "cwd/X-Report:1")
        .status(66)
        .says("X-Report:1")
        .keeps(1)
        .run()
        .nothing_sent();
}

#[test]
fn r1_a_known_field_is_a_header_whatever_files_are_there() {
    let ran = send(["-s", "t", "-a", "Reply-To:a@x.gz", "ops@example.com"])
        .file("cwd/Reply-To:a@x.gz", "planted")
        .run();
    let letter = ran.call().letter();
    assert_eq!(letter.field("Reply-To"), "a@x.gz");
    assert!(letter.attachments().is_empty());
}

#[test]
fn attach_and_header_never_guess() {
    let ran = send(["--attach", "X-A: b", "--subject", "t", "ops@example.com"])
        .status(66)
        .says("X-A: b")
        .keeps(1)
        .run();
    ran.nothing_sent();
    let ran = send(["--header", "X-A: b", "--subject", "t", "ops@example.com"])
        .file("cwd/X-A: b", "not attached")
        .run();
    assert_eq!(ran.call().letter().field("X-A"), "b");
    assert!(ran.call().letter().attachments().is_empty());
}

// --- R2: -A ---------------------------------------------------------------------------------

#[test]
fn r2_an_existing_file_is_attached() {
    let ran = send(["-s", "t", "-A", "a.txt", "ops@example.com"])
        .file("cwd/a.txt", "attached\n")
        .run();
    let expected = [("a.txt".to_owned(), b"attached\n".to_vec())];
    assert_eq!(ran.call().letter().attachments(), expected);
}

#[test]
fn r2_else_it_is_an_account() {
    let ran = send(["-A", "night", "-s", "t", "ops@example.com"])
        .rc("account night {\nset from=night@example.com\n}")
        .run();
    assert_eq!(ran.call().letter().field("From"), "night@example.com");
}

#[test]
fn r2_neither_file_nor_account_sends_nothing() {
    send(["-A", "nothing", "-s", "t", "ops@example.com"])
        .status(78)
        .says("there is no account nothing: the configuration defines no account")
        .hints("account NAME { … } in ~/.mailrc defines one")
        .keeps(1)
        .run()
        .nothing_sent();
    // The names that are there help where one was misspelt; files have nothing to do with it.
    let ran = send(["-A", "w", "-s", "t", "ops@example.com"])
        .rc("account work {\n}\naccount home {\n}")
        .status(78)
        .says("there is no account w: the configuration defines home, work")
        .keeps(1)
        .run();
    assert!(!ran.stderr().contains("hint"), "{}", ran.stderr());
}

#[test]
fn r2_a_missing_file_is_a_missing_input() {
    for missing in ["nowhere.pdf", "/nowhere/file"] {
        send(["-A", missing, "-s", "t", "ops@example.com"])
            .status(66)
            .says(missing)
            .keeps(1)
            .run()
            .nothing_sent();
    }
}

#[test]
fn r2_a_directory_does_not_hide_an_account() {
    let ran = send(["-A", "night", "-s", "t", "ops@example.com"])
        .directory("cwd/night")
        .rc("account night {\nset from=night@example.com\n}")
        .run();
    assert_eq!(ran.call().letter().field("From"), "night@example.com");
}

#[test]
fn r5_a_missing_file_is_no_recipient() {
    for missing in ["text.txt", "/nowhere/text"] {
        send(["-q", missing, "-s", "t", "ops@example.com"])
            .status(66)
            .says(missing)
            .keeps(1)
            .run()
            .nothing_sent();
    }
}

// --- R4, R5, R6 -----------------------------------------------------------------------------

#[test]
fn r4_an_empty_body_is_not_sent_with_e() {
    Case::send(["-E", "-s", "t", "ops@example.com"])
        .run()
        .nothing_sent();
    let ran = Case::send(["-E", "-s", "t", "ops@example.com"])
        .stdin("\n")
        .run();
    assert_eq!(ran.calls().len(), 1, "only zero bytes are empty");
}

#[test]
fn r4_an_empty_body_with_an_attachment_is_sent() {
    let ran = Case::send(["-E", "-s", "t", "-a", "a", "ops@example.com"])
        .file("cwd/a", "content\n")
        .run();
    assert_eq!(ran.call().letter().attachments().len(), 1);
}

#[test]
fn r6_m_takes_a_type_or_is_a_flag() {
    let ran = send(["-M", "text/html", "-s", "t", "ops@example.com"])
        .stdin("<p>x</p>\n")
        .run();
    assert!(
        ran.call()
            .letter()
            .field("Content-Type")
            .starts_with("text/html")
    );
    let ran = send(["-M", "-s", "t", "ops@example.com"]).run();
    assert_eq!(ran.call().recipients(), ["ops@example.com"]);
}

// --- R7: -- ---------------------------------------------------------------------------------

#[test]
fn r7_after_the_dashes_everything_is_a_recipient() {
    let ran = send(["-s", "t", "--", "ops@example.com", "dev@example.com"]).run();
    assert_eq!(
        ran.call().recipients(),
        ["ops@example.com", "dev@example.com"]
    );
}

#[test]
fn r7_a_dash_word_never_reaches_sendmail_as_an_option() {
    send(["-s", "t", "--", "-oQ/tmp"])
        .status(65)
        .says("-oQ/tmp")
        .keeps(1)
        .run()
        .nothing_sent();
}

#[test]
fn r7_the_heirloom_sender_behind_the_recipients() {
    for option in ["-f", "-r"] {
        let ran = send([
            "-s",
            "t",
            "ops@example.com",
            "--",
            option,
            "night@example.com",
        ])
        .run();
        let call = ran.call();
        assert_eq!(call.recipients(), ["ops@example.com"]);
        assert!(
            call.options()
                .windows(2)
                .any(|pair| pair == ["-f", "night@example.com"]),
            "{call:?}"
        );
    }
}

#[test]
fn r7_other_options_behind_the_recipients_are_refused() {
    send(["-s", "t", "ops@example.com", "--", "-X/tmp/log"])
        .status(64)
        .says("-X/tmp/log")
        .run()
        .nothing_sent();
}

// --- R8: permutation ------------------------------------------------------------------------

#[test]
fn r8_options_may_follow_the_address() {
    let ran = send(["ops@example.com", "-s", "subject", "-a", "a.txt"])
        .file("cwd/a.txt", "attached\n")
        .run();
    assert_eq!(ran.call().recipients(), ["ops@example.com"]);
    assert_eq!(ran.call().letter().subject(), "subject");
    assert_eq!(ran.call().letter().attachments().len(), 1);
}

#[test]
fn r8_not_with_posixly_correct() {
    let ran = send(["ops@example.com", "-s", "dev"])
        .env("POSIXLY_CORRECT", "1")
        .any_status();
    let ran = ran.any_stderr().may_change("home/dead.letter").run();
    for call in ran.calls() {
        assert!(call.letter().subject().is_empty());
        assert!(call.recipients().contains(&"ops@example.com"));
    }
}

#[test]
fn clusters_and_glued_values_are_taken_apart() {
    for args in [
        &["-ins", "a subject", "ops@example.com"][..],
        &["-sa subject", "ops@example.com"],
        &["-i", "-n", "-s", "a subject", "ops@example.com"],
        &["--subject=a subject", "ops@example.com"],
        &["--subject", "a subject", "ops@example.com"],
    ] {
        let ran = Case::send([]).args(args).stdin(BODY).run();
        assert_eq!(ran.call().letter().subject(), "a subject", "{args:?}");
        assert_eq!(ran.call().recipients(), ["ops@example.com"], "{args:?}");
    }
}

#[test]
fn a_subject_may_look_like_an_option() {
    let ran = send(["-s", "-v", "ops@example.com"]).run();
    assert_eq!(ran.call().letter().subject(), "-v");
}

// --- R9: recipients -------------------------------------------------------------------------

#[test]
fn r9_lists_in_one_operand() {
    for list in [
        "a@x.org,b@x.org",
        "a@x.org, b@x.org",
        "a@x.org b@x.org",
        "a@x.org;b@x.org",
    ] {
        let ran = send(["-s", "t", list]).run();
        assert_eq!(ran.call().recipients(), ["a@x.org", "b@x.org"], "{list}");
        assert_eq!(
            ran.call().letter().field("To"),
            "a@x.org, b@x.org",
            "{list}"
        );
    }
}

#[test]
fn r9_lists_in_c_and_b() {
    let ran = send([
        "-s",
        "t",
        "-c",
        "c@x.org,d@x.org",
        "-b",
        "e@x.org f@x.org",
        "a@x.org",
    ])
    .run();
    let call = ran.call();
    assert_eq!(
        call.recipients(),
        ["a@x.org", "c@x.org", "d@x.org", "e@x.org", "f@x.org"]
    );
    assert_eq!(call.letter().field("Cc"), "c@x.org, d@x.org");
    assert!(!String::from_utf8_lossy(&call.stdin).contains("e@x.org"));
}

#[test]
fn r9_a_name_may_hold_a_comma() {
    let ran = send(["-s", "t", "\"Doe, Jane\" <jane@x.org>, bob@x.org"]).run();
    assert_eq!(ran.call().recipients(), ["jane@x.org", "bob@x.org"]);
    assert_eq!(
        ran.call().letter().field("To"),
        "\"Doe, Jane\" <jane@x.org>, bob@x.org"
    );
}

#[test]
fn r9_an_empty_recipient_is_an_error() {
    send(["-s", "t", ""])
        .fails()
        .says("")
        .keeps(1)
        .run()
        .nothing_sent();
}

#[test]
fn only_blind_recipients_are_enough() {
    let ran = send(["-s", "t", "-b", "a@x.org"]).run();
    assert_eq!(ran.call().recipients(), ["a@x.org"]);
    assert_eq!(ran.call().letter().field("To"), "undisclosed-recipients:;");
}

#[test]
fn a_recipient_named_twice_gets_one_copy() {
    let ran = send(["-s", "t", "-c", "a@x.org", "a@x.org"]).run();
    assert_eq!(ran.call().recipients(), ["a@x.org"]);
}

#[test]
fn files_and_commands_are_no_recipients() {
    for bad in ["|cat >stolen", "/etc/stolen", "./stolen"] {
        send(["-s", "t", bad])
            .status(65)
            .says(bad)
            .keeps(1)
            .run()
            .nothing_sent();
    }
}
