//! Mailing lists that the user knows: replies to them, and the field Mail-Followup-To.

use crate::case::{Case, Ran};
use crate::sendmail::FakeSendmail;

const NAME: &str = "Mail-Followup-To";
const NONE: [&str; 0] = [];

/// A message that came by a list, with a person in Cc.
const POSTED: &str = "From ada@example.org Mon Nov 16 08:00:00 2026\nFrom: Ada <ada@example.org>\n\
    To: users@lists.example.org\nCc: bob@example.net\nSubject: disks\nMessage-ID: <1@example.org>\n\
    List-Post: <mailto:users@lists.example.org>\n\ntext\n\n";

/// Runs a command that answers the message, and returns what was sent.
fn answered(message: &str, rc: &str, typed: &str) -> Ran {
    Case::new()
        .args(["-N", "-S", "quiet", "-f", "box"])
        .file("cwd/box", message)
        .rc(rc)
        .sendmail(FakeSendmail::accepting())
        .stdin(format!("{typed}\nmy text\n"))
        .any_stdout()
        .may_change("cwd/box")
        .run()
}

// K76
#[test]
fn a_list_reply_goes_to_the_list_alone() {
    let me = "set from=me@example.com\n";
    let plain = POSTED.replace("List-Post: <mailto:users@lists.example.org>\n", "");
    let more = |field: &str| POSTED.replace("\n\ntext", &format!("\n{field}\n\ntext"));
    let posting = |url: &str| {
        POSTED.replace(
            "<mailto:users@lists.example.org>",
            &format!("{url} (members only)"),
        )
    };
    let both = "users@lists.example.org, me@example.com";
    let rows = [
        (POSTED.to_owned(), me, "users@lists.example.org", both),
        (
            posting("<https://x.org/post>, <MAILTO:post@lists.example.org?subject=x>"),
            me,
            "post@lists.example.org",
            "post@lists.example.org, me@example.com",
        ),
        // The list's own wish counts; that of a person does not.
        (
            more("Reply-To: talk@lists.example.org"),
            me,
            "talk@lists.example.org",
            "talk@lists.example.org, me@example.com",
        ),
        (
            more("Reply-To: ada@home.example"),
            me,
            "users@lists.example.org",
            both,
        ),
        (
            more("Reply-To: talk@lists.example.org"),
            "set from=me@example.com reply-to-honour=no\n",
            "users@lists.example.org",
            both,
        ),
        // Without List-Post the lists that the user knows count.
        (
            plain.clone(),
            "set from=me@example.com\nmlist '.*@lists\\.example\\.org$'\n",
            "users@lists.example.org",
            both,
        ),
        (
            plain.clone(),
            "set from=me@example.com\nmlsubscribe users@lists.example.org\n",
            "users@lists.example.org",
            "users@lists.example.org",
        ),
    ];
    for (message, rc, to, followup) in rows {
        let ran = answered(&message, rc, "Lreply 1");
        let letter = ran.call().letter();
        assert_eq!(ran.call().recipients(), [to], "{message}{rc}");
        assert_eq!(letter.field("Subject"), "Re: disks");
        assert_eq!(letter.field("Mail-Followup-To"), followup, "{message}{rc}");
    }
    let recorded = Case::new()
        .args(["-N", "-S", "quiet", "-f", "box"])
        .file("cwd/box", POSTED)
        .rc(me)
        .sendmail(FakeSendmail::accepting())
        .stdin("Lfollowup 1\nmy text\n")
        .any_stdout()
        .may_change("cwd/box")
        .may_change("cwd/ada")
        .run();
    assert!(recorded.read("cwd/ada").ends_with(b"\n\nmy text\n\n"));
}

#[test]
fn a_message_without_a_list_gets_no_list_reply() {
    let rows = [
        POSTED.replace("<mailto:users@lists.example.org>", "NO (archive only)"),
        POSTED.replace("<mailto:users@lists.example.org>", "<mailto:|touch x>"),
        POSTED.replace("<mailto:users@lists.example.org>", "<mailto:a%0Ab@x.org>"),
        POSTED.replace("<mailto:users@lists.example.org>", "<mailto:"),
    ];
    for message in rows {
        Case::new()
            .args(["-N", "-S", "quiet", "-f", "box"])
            .file("cwd/box", &message)
            .sendmail(FakeSendmail::accepting())
            .stdin("Lreply 1\nmy text\nd 1\nq\n")
            .status(65)
            .stderr_contains("the message names no mailing list to reply to")
            .any_stderr()
            .run()
            .nothing_sent();
    }
}

// var:followup-to
#[test]
fn a_mail_to_a_known_list_says_where_its_answers_go() {
    let rows = [
        // The rc lines, and the field.
        ("mlist l@x.org\n", "l@x.org, bob@y.org, me@example.com"),
        ("mlsubscribe l@x.org\n", "l@x.org, bob@y.org"),
        (
            "mlsubscribe l@x.org\nunmlsubscribe *\n",
            "l@x.org, bob@y.org, me@example.com",
        ),
        (
            "mlist '^l@'\nunmlist l@x.org\n",
            "l@x.org, bob@y.org, me@example.com",
        ),
        (
            "mlsubscribe L@X.org\nmlist ^bob\n",
            "l@x.org, bob@y.org, me@example.com",
        ),
        ("mlist l@x.org\nunmlist *\n", ""),
        ("mlist other@x.org\n", ""),
        ("", ""),
    ];
    for (lines, expected) in rows {
        let expected: Vec<&str> = Some(expected)
            .filter(|field| !field.is_empty())
            .into_iter()
            .collect();
        let mail = |set: &str| {
            let case = Case::send(["-s", "t", "-c", "bob@y.org,me@example.com", "l@x.org"])
                .rc(&format!("set from=me@example.com {set}\n{lines}"))
                .stdin("x\n");
            case.run().call().letter()
        };
        assert_eq!(mail("followup-to").fields(NAME), expected, "{lines}");
        assert_eq!(mail("nofollowup-to").fields(NAME), NONE, "{lines}");
    }
    // One that the user writes stays, and without `from` we do not know his address.
    let ran = Case::send([
        "-s",
        "t",
        "--header",
        "Mail-Followup-To: l@x.org",
        "l@x.org",
    ])
    .rc("set followup-to from=me@example.com\nmlist l@x.org\n")
    .stdin("x\n")
    .run();
    assert_eq!(ran.call().letter().field("Mail-Followup-To"), "l@x.org");
    let ran = Case::send(["-s", "t", "l@x.org"])
        .rc("set followup-to\nmlist l@x.org\n")
        .stdin("x\n")
        .run();
    assert_eq!(ran.call().letter().fields(NAME), NONE);
}

#[test]
fn lists_are_listed_at_the_prompt_and_wrong_ones_are_told() {
    let script = |typed: &str| {
        Case::new()
            .args(["-N", "-S", "quiet", "-f", "box"])
            .file("cwd/box", POSTED)
            .stdin(typed)
    };
    script("mlist b@x.org a@x.org\nmlsubscribe c@x.org\nmlist\necho =\nmlsubscribe\nx\n")
        .stdout("a@x.org\nb@x.org\nc@x.org\n=\nc@x.org\n")
        .run();
    for pattern in ["a[", "*@x.org", "(a{9999}){9999}*"] {
        script(&format!("mlist '{pattern}'\nx\n"))
            .status(64)
            .stderr_contains(&format!("\"{pattern}\" is not a regular expression: "))
            .any_stderr()
            .run();
    }
}
