//! Answers to messages: replies, forwards and resent messages, by the reader and by the postrider
//! face. Whom a reply goes to is a table beside the code; here is what leaves, byte for byte.

use serde_json::Value;

use crate::case::Case;
use crate::sendmail::FakeSendmail;

/// A mail to two people, read, with an attachment.
const LETTER: &str = "From ada@example.org Mon Nov 16 08:00:00 2026\n\
    From: =?utf-8?q?Ada_L=C3=B6we?= <ada@example.org>\n\
    To: ops@example.com, bob@example.net\n\
    Cc: cy@example.net\n\
    Subject: =?utf-8?q?Platte_f=C3=BCr_db1?=\n\
    Date: Mon, 16 Nov 2026 09:00:00 +0100\n\
    Message-ID: <two@example.org>\n\
    References: <one@example.org>\n\
    MIME-Version: 1.0\n\
    Content-Type: multipart/mixed; boundary=b\n\
    \n\
    --b\n\
    \n\
    The disk is full.\n\
    \n\
    What now?\n\
    --b\n\
    Content-Type: application/pdf; name=\"r.pdf\"\n\
    Content-Disposition: attachment; filename=\"r.pdf\"\n\
    Content-Transfer-Encoding: base64\n\
    \n\
    JVBERi0xLjcK\n\
    --b--\n\n";

/// A plain one from a host without names.
const PLAIN: &str = "From root Mon Nov 16 08:30:00 2026\n\
    From: root (Cron Daemon)\n\
    To: root\n\
    Subject: RE: Cron <root@db1> run-parts\n\
    Status: RO\n\
    \n\
    one line\n\n";

fn both() -> String {
    format!("{LETTER}{PLAIN}")
}

fn postrider(args: &[&str]) -> Case {
    Case::new()
        .called("postrider")
        .args(args)
        .args(["--file", "box"])
        .file("cwd/box", both())
        .sendmail(FakeSendmail::accepting())
        .rc("alternates ops@example.com")
}

#[test]
fn postrider_replies_to_the_author_or_to_all_and_marks_the_message() {
    let marked = both().replacen(
        "boundary=b\n\n",
        "boundary=b\nStatus: RO\nX-Status: A\n\n",
        1,
    );
    let ran = postrider(&["reply", "1"])
        .stdin("Delete it.\n")
        .leaves("cwd/box", &marked)
        .run();
    let call = ran.call();
    assert_eq!(call.recipients(), ["ada@example.org"]);
    let text = String::from_utf8(call.stdin.clone()).unwrap();
    let id = call.letter().field("Message-ID").to_owned();
    let expected = format!(
        "To: =?utf-8?Q?Ada_L=C3=B6we?= <ada@example.org>\n\
        Subject: Re: Platte =?utf-8?Q?f=C3=BCr?= db1\n\
        Date: Mon, 16 Nov 2026 09:00:00 +0000\n\
        Message-ID: {id}\n\
        In-Reply-To: <two@example.org>\n\
        References: <one@example.org> <two@example.org>\n\
        MIME-Version: 1.0\n\
        Content-Type: text/plain; charset=us-ascii\n\
        Content-Transfer-Encoding: 7bit\n\n\
        Delete it.\n"
    );
    assert_eq!(text, expected);

    let ran = postrider(&["reply", "1", "--all", "--quote"])
        .stdin("Delete it.\n")
        .leaves("cwd/box", &marked)
        .run();
    let call = ran.call();
    assert_eq!(
        call.recipients(),
        ["ada@example.org", "bob@example.net", "cy@example.net"]
    );
    let letter = call.letter();
    assert_eq!(letter.field("Cc"), "cy@example.net");
    let text = String::from_utf8(letter.body().to_vec()).unwrap();
    assert!(
        text.contains("> The disk is full.\n>\n> What now?\n"),
        "{text}"
    );
    assert!(text.ends_with("\nDelete it.\n"), "{text}");
}

#[test]
fn a_reply_that_nobody_accepted_marks_nothing() {
    postrider(&["reply", "1"])
        .sendmail(FakeSendmail::exiting(69))
        .stdin("Delete it.\n")
        .status(69)
        .any_stderr()
        .keeps(1)
        .leaves("cwd/box", both())
        .run();
    let ran = postrider(&["reply", "1", "--dry-run"])
        .stdin("Delete it.\n")
        .any_stderr()
        .stdout_contains("In-Reply-To: <two@example.org>")
        .leaves("cwd/box", both())
        .run();
    ran.nothing_sent();
}

#[test]
fn a_reply_says_in_json_what_became_of_it() {
    let ran = postrider(&["reply", "$", "--json"])
        .stdin("ok\n")
        .any_stdout()
        .may_change("cwd/box")
        .run();
    let object: Value = serde_json::from_str(&ran.stdout()).unwrap();
    assert_eq!(object["status"], 0);
    assert_eq!(object["recipients"][0]["recipient"], "root");
    assert_eq!(
        ran.call().letter().subject(),
        "Re: Cron <root@db1> run-parts"
    );

    let ran = postrider(&["reply", "9", "--json"])
        .status(1)
        .any_stdout()
        .says("9: Invalid message number (there are 2 in box)")
        .run();
    let object: Value = serde_json::from_str(&ran.stdout()).unwrap();
    assert_eq!(object["status"], 1);
    ran.nothing_sent();
    let nobody =
        "From x Mon Nov 16 08:30:00 2026\nSubject: x\n\ny\n\n".replace("From x", "From |x");
    postrider(&["reply", "1"])
        .file("cwd/box", nobody)
        .status(65)
        .says("the message has no address that a reply could go to")
        .hints("mail ADDRESS")
        .run()
        .nothing_sent();
}

#[test]
fn postrider_forwards_a_text_with_its_attachments_or_without() {
    let ran = postrider(&["forward", "1", "dan@example.net, eve@example.net"])
        .stdin("For you.\n")
        .run();
    let call = ran.call();
    assert_eq!(call.recipients(), ["dan@example.net", "eve@example.net"]);
    let text = String::from_utf8(call.stdin.clone()).unwrap();
    assert!(
        text.contains("Subject: Fwd: Platte =?utf-8?Q?f=C3=BCr?= db1\n"),
        "{text}"
    );
    let start = "For you.\n\n-------- Original message --------\nFrom: Ada L=C3=B6we <ada@example.org>\n\
        Date: Mon, 16 Nov 2026 09:00:00 +0100\nTo: ops@example.com, bob@example.net\n\
        Cc: cy@example.net\nSubject: Platte f=C3=BCr db1\n\nThe disk is full.\n\nWhat now?\n";
    assert!(text.contains(start), "{text}");
    assert!(
        text.contains("filename=\"r.pdf\"") || text.contains("filename=r.pdf"),
        "{text}"
    );
    assert!(text.contains("JVBERi0xLjcK\n"), "{text}");

    let ran = postrider(&["forward", "1", "dan@example.net", "--no-attachments"]).run();
    let text = String::from_utf8(ran.call().stdin).unwrap();
    assert!(!text.contains("JVBERi0xLjcK"), "{text}");
    // Nothing was typed: the text begins with the message.
    assert!(text.contains("\n\n-------- Original message"), "{text}");

    let ran = postrider(&["forward", "1", "dan@example.net", "--as-attachment"])
        .stdin("See there.\n")
        .run();
    let text = String::from_utf8(ran.call().stdin).unwrap();
    assert!(text.contains("Content-Type: message/rfc822"), "{text}");
    let whole = LETTER.split_once('\n').unwrap().1.trim_end();
    assert!(text.contains(whole), "{text}");
}

/// Replies to all of a message with many fields, and returns what sendmail gets.
fn reply_with(setting: &str) -> String {
    let message = "From ada@example.org Mon Nov 16 08:00:00 2026\n\
        From: Ada <ada@example.org>\nReply-To: desk@example.org\n\
        Mail-Followup-To: list@example.org\nTo: ops@example.com, Bob <bob@example.net>\n\
        Subject: x\nDate: Mon, 16 Nov 2026 09:00:00 +0100\n\none line\n\n";
    let ran = postrider(&["reply", "1", "--all", "--set", setting])
        .rc(if setting.starts_with("followup-to-honour") {
            ""
        } else {
            "set followup-to-honour=no"
        })
        .file("cwd/box", message)
        .stdin("text\n")
        .may_change("cwd/box")
        .run();
    String::from_utf8(ran.call().stdin).unwrap()
}

// var:followup-to-honour var:reply-to-honour var:fullnames var:recipients-in-cc var:quote var:indentprefix var:metoo var:forward-as-attachment var:forward-attachments
#[test]
fn the_variables_of_answers_do_what_the_table_says() {
    let rows: &[(&str, &str)] = &[
        (
            "toplines=3",
            "To: desk@example.org, Bob <bob@example.net>\nSubject",
        ),
        (
            "followup-to-honour=ask-yes",
            "To: list@example.org\nSubject",
        ),
        (
            "followup-to-honour=no",
            "To: desk@example.org, Bob <bob@example.net>\nSubject",
        ),
        (
            "nofollowup-to-honour",
            "To: desk@example.org, Bob <bob@example.net>\nSubject",
        ),
        (
            "reply-to-honour=no",
            "To: Ada <ada@example.org>, Bob <bob@example.net>\nSubject",
        ),
        (
            "noreply-to-honour",
            "To: Ada <ada@example.org>, Bob <bob@example.net>\nSubject",
        ),
        (
            "nofullnames",
            "To: desk@example.org, bob@example.net\nSubject",
        ),
        (
            "recipients-in-cc",
            "To: desk@example.org\nCc: Bob <bob@example.net>\nSubject",
        ),
        (
            "metoo",
            "To: desk@example.org, ops@example.com, Bob <bob@example.net>\nSubject",
        ),
        (
            "quote",
            "\n\nOn 2026-11-16 09:00 +0100, Ada <ada@example.org> wrote:\n> one line\ntext\n",
        ),
        ("quote=noheading", "\n\n> one line\ntext\n"),
        (
            "quote=headers",
            "\n\n> From: Ada <ada@example.org>\n> Date: Mon, 16 Nov 2026 09:00:00 +0100\n",
        ),
        ("quote=allheaders", "> Mail-Followup-To: list@example.org\n"),
    ];
    for (setting, expected) in rows {
        let text = reply_with(setting);
        assert!(text.contains(expected), "{setting}:\n{text}");
    }
    let ran = postrider(&["reply", "2", "--set", "quote", "--set", "indentprefix=| "])
        .stdin("text\n")
        .may_change("cwd/box")
        .run();
    assert!(
        ran.call()
            .letter()
            .body()
            .ends_with(b"wrote:\n| one line\ntext\n")
    );
    for (setting, expected) in [
        ("forward-as-attachment", "Content-Type: message/rfc822"),
        ("noforward-attachments", "Content-Type: text/plain"),
    ] {
        let ran = postrider(&["forward", "1", "dan@example.net", "--set", setting]).run();
        let text = String::from_utf8(ran.call().stdin).unwrap();
        assert!(text.contains(expected), "{setting}: {text}");
        let has_pdf = text.contains("JVBERi0xLjcK");
        assert_eq!(
            has_pdf,
            setting == "forward-as-attachment",
            "{setting}: {text}"
        );
    }
}

/// `mailx -N ARGS -f box` with these commands from a pipe.
fn reader(args: &[&str], commands: &str) -> Case {
    Case::new()
        .args(["-N", "-S", "quiet"])
        .args(args)
        .args(["-f", "box"])
        .file("cwd/box", both())
        .sendmail(FakeSendmail::accepting())
        .rc("alternates ops@example.com")
        .stdin(commands)
}

// K28
#[test]
fn reply_answers_the_author_and_the_others_with_the_lines_that_follow() {
    for command in ["reply 1", "respond 1", "r1", "replyall 1", "respondall 1"] {
        let text = "Delete it.\nd *\n.\n~x\nq\n";
        let ran = reader(&[], &format!("{command}\n{text}"))
            .stdout("\"box\" complete\n")
            .may_change("cwd/box")
            .run();
        let call = ran.call();
        assert_eq!(
            call.recipients(),
            ["ada@example.org", "bob@example.net", "cy@example.net"],
            "{command}"
        );
        let letter = call.letter();
        assert_eq!(letter.field("In-Reply-To"), "<two@example.org>");
        assert_eq!(
            letter.field("References"),
            "<one@example.org> <two@example.org>"
        );
        assert_eq!(letter.field("Cc"), "cy@example.net");
        // All of it is text: the message is there, and answered.
        assert_eq!(letter.body(), text.as_bytes(), "{command}");
        let left = String::from_utf8(ran.read("cwd/box")).unwrap();
        assert!(left.contains("Status: RO\nX-Status: A\n"), "{left}");
        assert_eq!(left.matches("\nFrom ").count(), 1, "{left}");
    }
}

// K27
#[test]
fn capital_reply_answers_the_authors_only() {
    for command in [
        "Reply 1 2",
        "Respond 1 2",
        "R1 2",
        "replysender 1 2",
        "respondsender 1 2",
    ] {
        let ran = reader(&[], &format!("{command}\ntext\n"))
            .stdout("\"box\" complete\n")
            .may_change("cwd/box")
            .run();
        let call = ran.call();
        assert_eq!(call.recipients(), ["ada@example.org", "root"], "{command}");
        // The subject is that of the first message.
        assert!(
            call.letter().subject().starts_with("Re: Platte"),
            "{command}"
        );
    }
}

// K28 K27 var:flipr
#[test]
fn flipr_swaps_both_and_not_the_commands_that_name_whom_they_answer() {
    for (command, count) in [
        ("reply 1", 1),
        ("Reply 1", 3),
        ("replyall 1", 3),
        ("replysender 1", 1),
    ] {
        for setting in ["flipr", "Replyall"] {
            let ran = reader(&["-S", setting], &format!("{command}\ntext\n"))
                .any_stdout()
                .may_change("cwd/box")
                .run();
            assert_eq!(ran.call().recipients().len(), count, "{command} {setting}");
        }
    }
}

// K13 K80 var:record var:outfolder
#[test]
fn followup_records_in_a_file_named_after_the_author() {
    for (command, count) in [
        ("followup 1", 3),
        ("fo 1", 3),
        ("Followup 1", 1),
        ("F1", 1),
        ("followupall 1", 3),
        ("followupsender 1", 1),
    ] {
        let ran = reader(
            &["-S", "record=[DIR]/cwd/sent"],
            &format!("{command}\ntext\n"),
        )
        .any_stdout()
        .may_change("cwd/box")
        .may_change("cwd/ada")
        .run();
        assert_eq!(ran.call().recipients().len(), count, "{command}");
        let copy = String::from_utf8(ran.read("cwd/ada")).unwrap();
        assert!(
            copy.starts_with("From ") && copy.contains("\n\ntext\n"),
            "{copy}"
        );
    }
    // In the folder, where outfolder is set; a name that the author chose leads nowhere else.
    let sly = "From x Mon Nov 16 08:00:00 2026\nFrom: ~root@example.org\nSubject: x\n\ny\n\n";
    reader(
        &["-S", "outfolder", "-S", "folder=[DIR]/home/mail"],
        "followup\ntext\n",
    )
    .file("cwd/box", sly)
    .directory("home/mail")
    .any_stdout()
    .may_change("cwd/box")
    .may_change("home/mail/~root")
    .run()
    .read("home/mail/~root");
    reader(&[], "followup\ntext\n")
        .file("cwd/box", sly.replace("~root", "\"../../x\""))
        .any_stdout()
        .may_change("cwd/box")
        .may_change("cwd/x")
        .run();
}

// K20 K79 var:autocc var:autobcc var:record var:askcc
#[test]
fn mail_sends_to_the_addresses_and_aliases_that_are_named() {
    let ran = reader(
        &[
            "-S",
            "autobcc=log@example.com",
            "-S",
            "record=[DIR]/cwd/sent",
        ],
        "mail team, \"Doe, J\" <j@example.org>\nhello\nq\n",
    )
    .rc("alias team a@example.org b@example.org\nset ask askcc askbcc")
    .stdout("\"box\" complete\n")
    .may_change("cwd/box")
    .may_change("cwd/sent")
    .run();
    assert_eq!(
        ran.call().recipients(),
        [
            "a@example.org",
            "b@example.org",
            "j@example.org",
            "log@example.com"
        ]
    );
    assert_eq!(ran.call().letter().body(), b"hello\nq\n");
    assert!(ran.read("cwd/sent").ends_with(b"\nhello\nq\n\n"));
    let ran = reader(&[], "Mail dan@example.net\nhello\n")
        .any_stdout()
        .may_change("cwd/box")
        .may_change("cwd/dan")
        .run();
    assert_eq!(ran.call().recipients(), ["dan@example.net"]);
    assert!(ran.read("cwd/dan").ends_with(b"\nhello\n\n"));
}

// K66
#[test]
fn forward_sends_the_text_with_its_attachments() {
    for (command, files) in [
        ("forward 1", &[][..]),
        ("fwd 1", &[]),
        ("Forward 1", &["cwd/dan"]),
        ("Fwd 1", &["cwd/dan"]),
    ] {
        let mut case = reader(
            &[],
            &format!("{command} dan@example.net,eve@example.net\nFor you.\n"),
        )
        .any_stdout()
        .may_change("cwd/box");
        for file in files {
            case = case.may_change(file);
        }
        let ran = case.run();
        let call = ran.call();
        assert_eq!(
            call.recipients(),
            ["dan@example.net", "eve@example.net"],
            "{command}"
        );
        let text = String::from_utf8(call.stdin.clone()).unwrap();
        assert!(
            text.contains("For you.\n\n-------- Original message --------\nFrom: Ada"),
            "{text}"
        );
        assert!(text.contains("JVBERi0xLjcK\n"), "{text}");
        for file in files {
            ran.read(file);
        }
    }
}

// K66
#[test]
fn resend_changes_no_byte_but_says_who_has_sent_it_on() {
    for command in ["resend 1", "redirect 1", "Resend 1", "Redirect 1"] {
        let ran = reader(
            &["-S", "from=Ops <ops@example.com>"],
            &format!("{command} dan@example.net\nfrom 2\n"),
        )
        .stdout_contains("RE: Cron")
        .may_change("cwd/box")
        .run();
        let call = ran.call();
        assert_eq!(call.recipients(), ["dan@example.net"], "{command}");
        assert_eq!(call.options(), ["-i", "-f", "ops@example.com"], "{command}");
        let text = String::from_utf8(call.stdin.clone()).unwrap();
        let whole = LETTER.split_once('\n').unwrap().1;
        let whole = whole.strip_suffix('\n').unwrap();
        if command.starts_with('R') {
            assert_eq!(text, whole, "{command}");
            continue;
        }
        let fields = text
            .strip_suffix(whole)
            .unwrap_or_else(|| panic!("{command}: {text}"));
        let id = call.letter().field("Resent-Message-ID").to_owned();
        assert_eq!(
            fields,
            format!(
                "Resent-Date: Mon, 16 Nov 2026 09:00:00 +0000\nResent-From: Ops <ops@example.com>\n\
                Resent-To: dan@example.net\nResent-Message-ID: {id}\n"
            )
        );
    }
}

// K28
#[test]
fn a_text_in_a_script_is_never_commands_whatever_becomes_of_its_command() {
    // The list is bad, the message is gone, nobody can be answered, the script has failed before.
    for (commands, status) in [
        ("reply 9\nd *\n", 64),
        ("reply /nowhere\nd *\n", 1),
        ("forward 1\nd *\n", 64),
        ("mail\nd *\n", 64),
        ("forward 1 'x\nd *\n", 64),
        ("p 9\nreply 1\nd *\nq\n", 64),
        ("nonsense\nmail a@x.org\nd *\n", 64),
    ] {
        let ran = reader(&[], commands)
            .any_stdout()
            .any_stderr()
            .status(status)
            .leaves("cwd/box", both())
            .run();
        ran.nothing_sent();
    }
}

// K28 T02
#[test]
fn with_escapes_a_tilde_dot_ends_a_text_in_a_script() {
    for option in ["-~", "-I"] {
        let ran = reader(&[option], "reply 1\nDelete it.\n~s other\n~.\nd 2\nq\n")
            .stdout("\"box\" complete\n")
            .may_change("cwd/box")
            .run();
        let letter = ran.call().letter();
        assert_eq!(letter.subject(), "other", "{option}");
        assert_eq!(letter.body(), b"Delete it.\n", "{option}");
        assert_eq!(
            ran.read("cwd/box")
                .windows(6)
                .filter(|w| w == b"\nFrom ")
                .count(),
            0
        );
    }
    reader(&["-~"], "reply 9\nd *\n~.\nsize 2\nq\n")
        .stdout_contains("2: ")
        .any_stderr()
        .status(64)
        .leaves("cwd/box", both())
        .run()
        .nothing_sent();
}

// T11 T12
#[test]
fn messages_of_the_mailbox_go_into_a_text() {
    let ran = reader(
        &["-~", "-S", "indentprefix=> "],
        "mail a@example.org\n~f 2\n~m 2\n~F 2\n~.\nx\n",
    )
    .any_stdout()
    .run();
    let text = String::from_utf8(ran.call().letter().body().to_vec()).unwrap();
    assert!(
        text.starts_with("From: root (Cron Daemon)\nTo: root\n"),
        "{text}"
    );
    assert!(text.contains("> one line\n"), "{text}");
    assert!(text.contains("Status: RO\n"), "{text}");
}

// K28 var:debug
#[test]
fn what_is_not_accepted_marks_nothing_and_is_kept() {
    reader(&[], "reply 1\ntext\n")
        .sendmail(FakeSendmail::exiting(69))
        .any_stdout()
        .any_stderr()
        .status(69)
        .keeps(1)
        .leaves("cwd/box", both())
        .run();
    for debug in [&["-S", "debug"][..], &["-d"]] {
        let ran = reader(debug, "reply 1\ntext\nmail a@x.org\n")
            .any_stdout()
            .stderr_contains("In-Reply-To: <two@example.org>")
            .may_change("cwd/box")
            .run();
        ran.nothing_sent();
        let left = String::from_utf8(ran.read("cwd/box")).unwrap();
        assert!(!left.contains("X-Status"), "{left}");
    }
}

// K28
#[test]
fn a_hostile_message_adds_no_field_no_recipient_and_no_command() {
    let sly = "From x Mon Nov 16 08:00:00 2026\n\
        From: =?utf-8?q?x=0ABcc:_evil@example.net?= <ada@example.org>\n\
        Reply-To: |touch [DIR]/cwd/pwned, /etc/passwd, team\n\
        Subject: =?utf-8?q?x=0D=0ABcc:_evil@example.net?=\n\
        Message-ID: <a@x>\n\x01<b@x>\nReferences: <c\n @x> <d@x>\r\n\n\
        y\n\n";
    let ran = reader(&["-S", "expandaddr"], "reply\ntext\n")
        .file("cwd/box", sly)
        .rc("alias team evil@example.net")
        .any_stdout()
        .any_stderr()
        .may_change("cwd/box")
        .run();
    let call = ran.call();
    // `team` is a name that the message has, and no alias of ours (POSIX `alias`).
    assert_eq!(call.recipients(), ["team"]);
    let header = String::from_utf8(call.stdin.clone()).unwrap();
    let header = header.split("\n\n").next().unwrap().to_owned();
    for line in header.lines() {
        assert!(!line.starts_with("Bcc"), "{header}");
        assert!(line.bytes().all(|b| (b' '..=b'~').contains(&b)), "{header}");
    }
}

// K28 var:quote
#[test]
fn at_a_terminal_the_recipients_are_shown_and_the_text_is_typed() {
    let ran = Case::new()
        .args(["-f", "box"])
        .file("cwd/box", both())
        .sendmail(FakeSendmail::accepting())
        .rc("alternates ops@example.com\nset quote=noheading")
        .may_change("cwd/box")
        .at_terminal(|terminal| {
            terminal.sees("? ");
            terminal.types("reply 1\n");
            terminal.sees("To: ");
            terminal.sees("bob@example.net");
            terminal.sees("Subject: Re: Platte");
            terminal.types("Delete it.\n~.\n");
            terminal.sees("? ");
            terminal.types("from 1\n");
            terminal.sees("Platte");
            terminal.types("q\n");
        });
    let call = ran.call();
    assert_eq!(call.recipients().len(), 3);
    let body = call.letter().body().to_vec();
    let body = String::from_utf8(body).unwrap();
    assert!(body.starts_with("> The disk is full.\n"), "{body}");
    assert!(body.ends_with("\nDelete it.\n"), "{body}");
    let left = String::from_utf8(ran.read("cwd/box")).unwrap();
    assert!(left.contains("X-Status: A\n"), "{left}");
}

// K66 K20
#[test]
fn a_person_who_names_no_recipient_is_asked() {
    for command in ["forward 1", "forward", "mail"] {
        let ran = Case::new()
            .args(["-f", "box"])
            .file("cwd/box", both())
            .sendmail(FakeSendmail::accepting())
            .may_change("cwd/box")
            .at_terminal(|terminal| {
                terminal.sees("? ");
                terminal.types(format!("{command}\n"));
                if command != "mail" {
                    terminal.sees("Attached: r.pdf");
                }
                terminal.sees("To: ");
                terminal.types("dan@example.net\n");
                if command == "mail" {
                    terminal.sees("Subject: ");
                    terminal.types("hello\n");
                }
                terminal.types("For you.\n~p\n");
                if command != "mail" {
                    terminal.sees("(attached: r.pdf)");
                }
                terminal.sees("(continue)");
                terminal.types("~.\n");
                terminal.sees("? ");
                terminal.types("x\n");
            });
        let call = ran.call();
        assert_eq!(call.recipients(), ["dan@example.net"], "{command}");
        let text = String::from_utf8(call.stdin).unwrap();
        assert!(text.contains("For you."), "{text}");
        assert_eq!(
            text.contains("Original message"),
            command != "mail",
            "{text}"
        );
    }
}

// T15 K28
#[test]
fn a_reply_that_is_interrupted_twice_is_kept_and_the_session_goes_on() {
    let ran = Case::new()
        .args(["-f", "box"])
        .file("cwd/box", both())
        .sendmail(FakeSendmail::accepting())
        .keeps(1)
        .may_change("cwd/box")
        .at_terminal(|terminal| {
            terminal.sees("? ");
            terminal.types("Reply 1\n");
            terminal.sees("Subject: Re:");
            terminal.types("half a text\n");
            terminal.types("\x03");
            terminal.sees("one more to kill letter");
            terminal.types("\x03");
            terminal.sees("dead.letter");
            terminal.sees("? ");
            // A reply that was given up has not read the message.
            terminal.types("from :n\n");
            terminal.sees("N  1 ");
            terminal.sees("? ");
            terminal.types("x\n");
        });
    ran.nothing_sent();
    assert_eq!(ran.dead()[0].body(), b"half a text\n");
}

// K28
#[test]
fn a_reply_to_thousands_of_recipients_is_one_mail() {
    let people: Vec<String> = (0..2000).map(|n| format!("p{n}@example.net")).collect();
    let message = format!(
        "From x Mon Nov 16 08:00:00 2026\nFrom: ada@example.org\nTo: {}\nSubject: x\n\ny\n\n",
        people.join(",\n ")
    );
    let ran = reader(&[], "reply 1\ntext\n")
        .file("cwd/box", message)
        .any_stdout()
        .may_change("cwd/box")
        .run();
    assert_eq!(ran.call().recipients().len(), 2001);
}
