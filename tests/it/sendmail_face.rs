//! The sendmail face: the lines that cron, at, sudo and their like use where `/usr/sbin/sendmail`
//! is ours, and what an MTA would do and we do not.

use crate::case::Case;
use crate::letters::letters;
use crate::lines::{Line, check};
use crate::sendmail::FakeSendmail;
use crate::smtp_server::{Behaviour, SmtpServer};

/// Returns a line that gets this message.
fn line(text: &str, message: impl AsRef<[u8]>) -> Line {
    Line::new(text).with(|case| case.stdin(message)).handed_on()
}

const CRON: &str = "From: root (Cron Daemon)\nTo: root\nSubject: Cron <root@db1> test -x /x && /x\n\
    MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n\
    X-Cron-Env: <SHELL=/bin/sh>\nX-Cron-Env: <HOME=/root>\n\n/x: Größe\n.\nlast\n";

#[test]
fn the_lines_of_real_callers() {
    let plain = "Subject: t\n\na line\n";
    check([
        // Debian's cron, then cronie's.
        line("sendmail -FCronDaemon -i -B8BITMIME -oem root", CRON)
            .to(["root"])
            .options(["-i", "-F", "CronDaemon"])
            .subject("Cron <root@db1> test -x /x && /x")
            .field("From", "root (Cron Daemon)")
            .field("Auto-Submitted", "auto-generated")
            .field("Content-Transfer-Encoding", "quoted-printable")
            .body("/x: Größe\n.\nlast\n"),
        line("sendmail -FCronDaemon -i -odi -oem -oi -t -f root", CRON)
            .to(["root"])
            .options(["-i", "-f", "root", "-F", "CronDaemon"])
            .field("Auto-Submitted", "auto-generated")
            .body("/x: Größe\n.\nlast\n"),
        // anacron has no -i, and its text is lines of programs: what follows a dot is lost there.
        line(
            "sendmail -FAnacron -odi root",
            "From: Anacron <root>\nTo: root\nContent-Type: text/plain; charset=\"UTF-8\"\nSubject: Anacron job 'cron.daily' on db1\n\na line\n",
        )
        .to(["root"])
        .options(["-i", "-F", "Anacron"])
        .field("From", "Anacron <root>")
        .subject("Anacron job 'cron.daily' on db1"),
        // atd
        line("sendmail -i root", "Subject: Output from your job        1\nTo: root\n\na line\n.\n")
            .to(["root"])
            .field("To", "root")
            .body("a line\n.\n"),
        // sudo
        line(
            "sendmail -t",
            "To: root\nFrom: alice\nAuto-Submitted: auto-generated\nSubject: *** SECURITY information for db1 ***\n\ndb1 : alice : user NOT in sudoers\n\n",
        )
        .to(["root"])
        .field("Auto-Submitted", "auto-generated")
        .field("From", "alice")
        .body("db1 : alice : user NOT in sudoers\n\n"),
        // logwatch, mdadm
        line("sendmail -t", "To: root\nFrom: Logwatch <root>\nSubject: Logwatch for db1 (Linux)\nAuto-Submitted: auto-generated\nPrecedence: bulk\nMIME-Version: 1.0\nContent-Type: text/plain; charset=\"iso-8859-1\"\n\n ################### Logwatch 7.5.6\n")
            .to(["root"])
            .field("Precedence", "bulk")
            .body(" ################### Logwatch 7.5.6\n"),
        line("sendmail -t", "From: mdadm monitoring <root>\nTo: root\nSubject: DegradedArray event on /dev/md0:db1\n\nThis is an automatically generated mail message.\n")
            .to(["root"])
            .field("From", "mdadm monitoring <root>")
            .body("This is an automatically generated mail message.\n"),
        // apt-listchanges
        line("sendmail -oi -t", "MIME-Version: 1.0\nContent-Type: text/plain; charset=\"utf-8\"\nContent-Transfer-Encoding: base64\nAuto-Submitted: auto-generated\nSubject: apt-listchanges: news for db1\nTo: root\n\nR3LDtsOfZQo=\n")
            .to(["root"])
            .field("Content-Transfer-Encoding", "base64")
            .body("Größe\n"),
        // cron-apt
        line("sendmail -i root", "To: root\nSubject: CRON-APT completed on db1 [/etc/cron-apt/config]\n\na line\n").to(["root"]),
        // popularity-contest
        line("sendmail -oi survey@popcon.example.org", "From: <root@db1.example.org>\nTo: survey@popcon.example.org\nSubject: popularity-contest submission\nMIME-Version: 1.0\nContent-Type: text/plain\n\nPOPULARITY-CONTEST-0 TIME:1794819600\n")
            .to(["survey@popcon.example.org"])
            .body("POPULARITY-CONTEST-0 TIME:1794819600\n"),
        // git send-email
        line("sendmail -i list@x.org maint@x.org", "From: A U Thor <author@x.org>\nTo: list@x.org\nCc: maint@x.org\nSubject: [PATCH] x\nMessage-Id: <20261116090000.1-1-author@x.org>\n\n---\n x | 1 +\n")
            .to(["list@x.org", "maint@x.org"])
            .field("Message-Id", "<20261116090000.1-1-author@x.org>")
            .body("---\n x | 1 +\n"),
        line("sendmail -f author@x.org -i list@x.org", plain).to(["list@x.org"]).options(["-i", "-f", "author@x.org"]),
        // rkhunter's daily job of Debian
        line("sendmail root", "Subject: [rkhunter] db1 - Daily report\nTo: root\n\na line\n").to(["root"]),
        // PHP
        line("sendmail -t -i", "To: u@x.org\r\nSubject: t\r\nX-PHP-Originating-Script: 0:x.php\r\n\r\na line\r\n")
            .to(["u@x.org"])
            .field("X-PHP-Originating-Script", "0:x.php"),
        line("sendmail -t -i -fwww@x.org", "To: u@x.org\nSubject: t\n\na line\n").to(["u@x.org"]).options(["-i", "-f", "www@x.org"]),
    ]);
}

#[test]
fn options_are_taken_in_every_spelling() {
    let message = "Subject: t\n\na line\n";
    for options in [
        "-i",
        "-oi",
        "-bm -i",
        "-i -odb",
        "-i -odq",
        "-i -oem",
        "-i -oee",
        "-i -om",
        "-i -oo",
        "-i -B 7BIT",
        "-i -B8BITMIME",
        "-i -N never",
        "-i -R hdrs",
        "-i -V id",
        "-i -G",
        "-i -n",
        "-im",
        "-i --",
    ] {
        line(&format!("sendmail {options} u@x.org"), message)
            .to(["u@x.org"])
            .run();
    }
    for options in [
        "-f n@x.org",
        "-fn@x.org",
        "-r n@x.org",
        "-rn@x.org",
        "-f '<n@x.org>'",
    ] {
        line(&format!("sendmail -i {options} u@x.org"), message)
            .to(["u@x.org"])
            .options(["-i", "-f", "n@x.org"])
            .run();
    }
    for options in ["-F 'Night Shift'", "-F'Night Shift'"] {
        line(&format!("sendmail -i {options} u@x.org"), message)
            .to(["u@x.org"])
            .options(["-i", "-F", "Night Shift"])
            .run();
    }
}

#[test]
fn t_adds_the_header_to_the_operands_and_removes_bcc() {
    check([
        line(
            "sendmail -t -i v@x.org",
            "To: a@x.org,\n \"Doe, Jane\" <jane@x.org>\nCC: c@x.org\nbcc: hidden@x.org\nSubject: t\n\na line\n",
        )
        .to(["a@x.org", "jane@x.org", "c@x.org", "hidden@x.org", "v@x.org"])
        .field("Cc", "c@x.org")
        .without("Bcc"),
        line("sendmail -t -i", "Bcc: hidden@x.org\nSubject: t\n\na line\n").to(["hidden@x.org"]).without("Bcc"),
        line("sendmail -i u@x.org", "To: a@x.org\nBcc: hidden@x.org\nSubject: t\n\na line\n").to(["u@x.org"]).without("Bcc"),
        line("sendmail -t -i", "To: Team: a@x.org, b@x.org;\nSubject: t\n\na line\n").to(["a@x.org", "b@x.org"]),
    ]);
    line("sendmail -t -i", "Subject: t\n\na line\n")
        .with(|case| case.fails().says("recipient").keeps(1))
        .run();
}

#[test]
fn a_lone_dot_ends_the_message_without_i_only() {
    let message = "Subject: t\n\none\n..\n.\nlast\n";
    check([
        line("sendmail u@x.org", message)
            .to(["u@x.org"])
            .body("one\n..\n"),
        line("sendmail -i u@x.org", message)
            .to(["u@x.org"])
            .body("one\n..\n.\nlast\n"),
        line("sendmail -oi u@x.org", message)
            .to(["u@x.org"])
            .body("one\n..\n.\nlast\n"),
        line("sendmail u@x.org", "Subject: t\n\n. one\n")
            .to(["u@x.org"])
            .body(". one\n"),
    ]);
}

#[test]
fn what_comes_in_eight_bits_goes_out_as_mime() {
    check([
        line("sendmail -i u@x.org", b"Subject: caf\xe9\n\ncaf\xe9\n")
            .to(["u@x.org"])
            .subject("café")
            .field("MIME-Version", "1.0")
            .field("Content-Type", "text/plain; charset=windows-1252")
            .body(b"caf\xe9\n"),
        line("sendmail -i u@x.org", "Subject: Größe\n\nGröße\n")
            .to(["u@x.org"])
            .subject("Größe")
            .field("Content-Type", "text/plain; charset=utf-8")
            .body("Größe\n"),
        line(
            "sendmail -i u@x.org",
            "Subject: t\nMIME-Version: 1.0\nContent-Type: text/plain; charset=us-ascii\nContent-Transfer-Encoding: 7bit\n\nGröße\n",
        )
        .to(["u@x.org"])
        .field("Content-Type", "text/plain; charset=utf-8")
        .body("Größe\n"),
    ]);
    let long = format!("Subject: t\nX-Long: {}\n\na line\n", "word ".repeat(400));
    line("sendmail -i u@x.org", long).to(["u@x.org"]).run();
    let long = format!("Subject: t\nX-Long: {}\n\na line\n", "x".repeat(3000));
    line("sendmail -i u@x.org", long).to(["u@x.org"]).run();
    line(
        "sendmail -i u@x.org",
        "Subject: t\n\n".to_owned() + &"x".repeat(3000) + "\n",
    )
    .to(["u@x.org"])
    .body("x".repeat(3000) + "\n")
    .run();
}

#[test]
fn missing_fields_are_added() {
    let ran = line("sendmail -i u@x.org", "Subject: t\n\na line\n")
        .to(["u@x.org"])
        .run();
    let letter = ran.call().letter();
    assert_eq!(letter.field("Date"), "Mon, 16 Nov 2026 09:00:00 +0000");
    assert!(letter.field("Message-ID").starts_with('<'));
    let received = letter.field("Received");
    assert!(
        received.contains("by ") && received.contains("(Postrider, uid "),
        "{received}"
    );
    assert!(letter.head().starts_with("Received:"), "{}", letter.head());
}

#[test]
fn fifty_hosts_are_enough() {
    let message = |hops: usize| "Received: by x\n".repeat(hops) + "Subject: t\n\na line\n";
    let ran = line("sendmail -i u@x.org", message(50))
        .to(["u@x.org"])
        .run();
    assert_eq!(ran.call().letter().fields("Received").len(), 51);
    line("sendmail -i u@x.org", message(51))
        .refused(69, "loop")
        .kept()
        .run();
}

#[test]
fn recipients_behind_the_end_of_a_huge_header_are_not_lost_in_silence() {
    let message = format!("{}To: u@x.org\n\ntext\n", "A:\n".repeat(50_001));
    let large = format!("X: {}\nTo: u@x.org\n\ntext\n", "x".repeat(1 << 20));
    for text in ["sendmail -i -t", "mailx -t"] {
        for message in [&message, &large] {
            let message = format!("To: first@x.org\n{message}");
            line(text, message)
                .refused(65, "not all recipients can be read")
                .kept()
                .run();
        }
    }
    // Who is named on the command line gets it, whatever the header is.
    line("sendmail -i u@x.org", message)
        .to(["u@x.org"])
        .body("A:\nTo: u@x.org\n\ntext\n")
        .run();
}

#[test]
fn our_own_child_does_not_call_sendmail_again() {
    line("sendmail -i u@x.org", "Subject: t\n\na line\n")
        .with(|case| {
            case.env("POSTRIDER_SUBMITTING", "1")
                .says("Postrider")
                .hints("mta")
                .status(78)
        })
        .run();
}

#[test]
fn the_queue_is_empty() {
    for text in ["mailq", "sendmail -bp"] {
        Case::new()
            .called("sendmail")
            .within(text)
            .env("PATH", "[DIR]/bin")
            .stdout("Mail queue is empty\n")
            .run();
    }
    for text in ["newaliases", "sendmail -bi", "sendmail -q"] {
        Case::new()
            .called("sendmail")
            .within(text)
            .env("PATH", "[DIR]/bin")
            .run();
    }
}

#[test]
fn what_an_mta_does_is_refused() {
    for text in ["sendmail -bd", "sendmail -qp30m", "sendmail -bd -q15m"] {
        Line::new(text)
            .with(|case| case.fails().says("no").any_stdout())
            .run();
    }
}

#[test]
fn a_dialogue_is_held_on_stdin_and_stdout() {
    let dialogue = "EHLO app\r\nMAIL FROM:<app@x.org> SIZE=100\r\nRCPT TO:<u@x.org>\r\nRCPT TO:<broken@@x>\r\nDATA\r\n\
        Subject: t\r\n\r\na line\r\n..\r\n.\r\nQUIT\r\n";
    let ran = line("sendmail -bs", dialogue)
        .to(["u@x.org"])
        .options(["-i", "-f", "app@x.org"])
        .subject("t")
        .body("a line\n.\n")
        .with(|case| case.any_stdout())
        .run();
    let replies: Vec<String> = ran
        .stdout()
        .split_terminator("\r\n")
        .filter(|reply| reply.as_bytes().get(3) != Some(&b'-'))
        .map(|reply| reply[..3].to_owned())
        .collect();
    assert_eq!(replies[..4], ["220", "250", "250", "250"]);
    assert!(replies[4].starts_with('5'), "{replies:?}");
    assert_eq!(replies[5..], ["354", "250", "221"]);
}

#[test]
fn a_dialogue_may_be_left_early() {
    let ran = line(
        "sendmail -bs",
        "EHLO app\r\nMAIL FROM:<app@x.org>\r\nRCPT TO:<u@x.org>\r\nDATA\r\nhalf a mail",
    )
    .with(|case| {
        case.any_stdout()
            .any_status()
            .any_stderr()
            .may_change("home/dead.letter")
    })
    .run();
    ran.nothing_sent();
}

#[test]
fn through_a_relay() {
    let server = SmtpServer::accepting(Behaviour::default());
    line(
        "sendmail -FCronDaemon -i -B8BITMIME -oem ops@example.org",
        CRON,
    )
    .rc(&format!(
        "set mta=smtp://127.0.0.1:{}\nset hostname=db1.example.org",
        server.port()
    ))
    .run();
    let messages = server.messages();
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].to, ["<ops@example.org>"]);
    let data = String::from_utf8(messages[0].data.clone())
        .unwrap()
        .replace("\r\n", "\n");
    let letter = crate::letters::Letter::new(data.as_bytes());
    letter.assert_fit_for_the_wire();
    assert_eq!(letter.body(), "/x: Größe\n.\nlast\n".as_bytes());
    assert!(
        !letter.field("From").contains("root@localhost"),
        "{}",
        letter.field("From")
    );
    assert!(
        letter.field("From").contains("@db1.example.org"),
        "{}",
        letter.field("From")
    );
    assert!(
        letter.field("To").contains("root@db1.example.org"),
        "{}",
        letter.field("To")
    );
}

#[test]
fn a_missing_from_field_is_the_sender_that_was_asked_for() {
    for (options, from) in [
        ("-f alerts@example.org", "alerts@example.org"),
        (
            "-F 'Night Shift' -f alerts",
            "Night Shift <alerts@db1.example.org>",
        ),
    ] {
        let server = SmtpServer::accepting(Behaviour::default());
        line(
            &format!("sendmail -i {options} ops@localhost"),
            "Subject: t\n\na line\n",
        )
        .rc(&format!(
            "set mta=smtp://127.0.0.1:{}\nset hostname=db1.example.org",
            server.port()
        ))
        .run();
        let messages = server.messages();
        assert_eq!(messages[0].to, ["<ops@db1.example.org>"]);
        let data = String::from_utf8(messages[0].data.clone()).unwrap();
        let letter = crate::letters::Letter::new(data.replace("\r\n", "\n").as_bytes());
        assert_eq!(letter.field("From"), from);
    }
}

#[test]
fn into_a_local_mailbox() {
    let probe = Case::new();
    let Some(user) = crate::local::unaliased(&probe) else {
        return;
    };
    let ran = line(
        &format!("sendmail -FCronDaemon -i -B8BITMIME -oem {user}"),
        CRON,
    )
    .rc("set mta=local\nset hostname=db1.example.org")
    .with(|case| case.may_change("spool"))
    .run();
    let found = letters(&ran.read(&format!("spool/{user}")));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].body(), "/x: Größe\n.\nlast\n".as_bytes());
    assert_eq!(found[0].field("Auto-Submitted"), "auto-generated");
}

#[test]
fn into_a_test_file() {
    let ran = line(
        "sendmail -t -i",
        "To: u@x.org\nBcc: hidden@x.org\nSubject: t\n\na line\nFrom here\n",
    )
    .rc("set mta=test://[DIR]/cwd/out.mbox\nset from=me@x.org")
    .with(|case| case.may_change("cwd/out.mbox"))
    .run();
    let found = letters(&ran.read("cwd/out.mbox"));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].raw_body(), b"a line\nFrom here\n");
    assert!(found[0].fields("Bcc").is_empty());
}

#[test]
fn what_sendmail_refuses_is_kept() {
    line("sendmail -FCronDaemon -i -B8BITMIME -oem root", CRON)
        .with(|case| {
            case.sendmail(FakeSendmail::exiting(69))
                .status(69)
                .says("sendmail")
                .keeps(1)
        })
        .to(["root"])
        .options(["-i", "-F", "CronDaemon"])
        .body("/x: Größe\n.\nlast\n")
        .run();
}

/// Returns `sendmail -bv` in a world with this configuration.
fn verified<const N: usize>(rc: &str, addresses: [&str; N]) -> Case {
    Case::new()
        .called("sendmail")
        .rc(rc)
        .sendmail(FakeSendmail::accepting())
        .args(["-bv"])
        .args(addresses)
}

#[test]
fn the_way_of_an_address_is_told_and_nothing_is_sent() {
    let aliases = "alias ops root a@x.org\n";
    let relay = format!("{aliases}set mta=smtp://127.0.0.1:9 hostname=db1.example.org");
    verified(&relay, ["root", "a@x.org", "ops"])
        .stdout(
            "root -> root@db1.example.org... deliverable: mailer relay, host smtp://127.0.0.1:9, user root@db1.example.org\n\
             a@x.org... deliverable: mailer relay, host smtp://127.0.0.1:9, user a@x.org\n\
             ops -> root@db1.example.org... deliverable: mailer relay, host smtp://127.0.0.1:9, user root@db1.example.org\n\
             ops -> a@x.org... deliverable: mailer relay, host smtp://127.0.0.1:9, user a@x.org\n",
        )
        .run()
        .nothing_sent();
    verified(
        &format!("{aliases}set mta=local hostname=db1.example.org"),
        ["root@db1.example.org", "nosuchuser", "a@x.org"],
    )
    .stdout(
        "root@db1.example.org -> root... deliverable: mailer local, user root\n\
             nosuchuser... not deliverable: there is no user nosuchuser on this host\n\
             a@x.org... not deliverable: mta=local delivers only on this host\n",
    )
    .status(67)
    .hints("mta=submission://")
    .run()
    .nothing_sent();
    let ran = verified("", ["root", "Ada <a@x.org>"]).any_stdout().run();
    ran.nothing_sent();
    let said = ran.stdout();
    let lines: Vec<&str> = said.lines().collect();
    assert!(
        lines[0].starts_with("root... deliverable: mailer sendmail, program [DIR]/"),
        "{said}"
    );
    assert!(lines[1].ends_with("/mta/sendmail, user a@x.org"), "{said}");
    verified("", ["a@b@c", "a@x.org"])
        .any_stdout()
        .status(65)
        .says("\"a@b@c\" is not a valid recipient: it contains more than one '@'")
        .run()
        .nothing_sent();
    verified("set mta=tset", ["a@x.org"])
        .status(78)
        .any_stderr()
        .run()
        .nothing_sent();
    verified("", [])
        .status(64)
        .says("-bv needs at least one address")
        .run()
        .nothing_sent();
}

#[test]
fn the_test_mode_prints_the_version_for_scripts_that_look_for_it() {
    let version = format!("Version {} (Postrider)\n", env!("CARGO_PKG_VERSION"));
    for arguments in [
        ["-d0.1", "-bt"],
        ["-bt", "-d0"],
        ["-bt", "-d"],
        ["-d0.4", "-bt"],
    ] {
        Case::new()
            .called("sendmail")
            .args(arguments)
            .stdout(&version)
            .run();
    }
    for arguments in [&["-bt"][..], &["-bt", "-d21.4"]] {
        Case::new()
            .called("sendmail")
            .args(arguments)
            .status(64)
            .says("-bt tests the rewriting rules of Sendmail")
            .hints("-bv ADDRESS")
            .run();
    }
}

#[test]
fn no_line_of_a_text_is_lost_where_its_header_ends() {
    let log = "From the log:\nall is lost\n";
    check([
        line("sendmail root", log).to(["root"]).body(log),
        line("sendmail root", format!("Subject: s\n{log}"))
            .to(["root"])
            .subject("s")
            .body(log),
        line(
            "sendmail -t",
            "To: root\nSubject: s\n \n  indented\nall\n\nis lost\n",
        )
        .to(["root"])
        .subject("s")
        .body("  indented\nall\n\nis lost\n"),
    ]);
}
