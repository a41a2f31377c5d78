//! Names with commas, as Outlook gives them to paste, and senders that are a name and no address.

use crate::lines::{Line, check};

const PERSON: &str = "Doe, John <j@x.org>";
const FIELD: &str = "\"Doe, John\" <j@x.org>";

/// Returns a line that sends to these recipients.
fn to<const N: usize>(line: &str, recipients: [&str; N]) -> Line {
    Line::new(line).to(recipients)
}

#[test]
fn a_pasted_name_with_a_comma_was_two_recipients_at_every_door() {
    let argument = |option: &str| format!("mailx -s t {option} '{PERSON}' u@x.org");
    check([
        to(&format!("mailx -s t '{PERSON}'"), ["j@x.org"]).field("To", FIELD),
        to(
            &format!("postrider send --subject t '{PERSON}'"),
            ["j@x.org"],
        )
        .field("To", FIELD),
        to(&argument("-c"), ["u@x.org", "j@x.org"]).field("Cc", FIELD),
        to(&argument("--cc"), ["u@x.org", "j@x.org"]).field("Cc", FIELD),
        to(&argument("-b"), ["u@x.org", "j@x.org"]).without("Cc"),
        to(&argument("--bcc"), ["u@x.org", "j@x.org"]).without("Cc"),
        to(
            &format!("mailx -s t -T 'cc: {PERSON}' u@x.org"),
            ["u@x.org", "j@x.org"],
        )
        .field("Cc", FIELD),
        to(
            &format!("mailx -s t -a 'Cc: {PERSON}' u@x.org"),
            ["u@x.org", "j@x.org"],
        )
        .field("Cc", FIELD),
        to(
            &format!("mailx -s t --header 'To: {PERSON}' u@x.org"),
            ["u@x.org", "j@x.org"],
        ),
        to(
            &format!("mailx -s t -S 'autocc={PERSON}' u@x.org"),
            ["u@x.org", "j@x.org"],
        )
        .field("Cc", FIELD),
        to("mailx -s t friends", ["j@x.org", "r@y.org"])
            .rc(&format!("alias friends '{PERSON}' 'Roe, Jane <r@y.org>'"))
            .field("To", "\"Doe, John\" <j@x.org>, \"Roe, Jane\" <r@y.org>"),
        to("mailx -s t -t", ["j@x.org"])
            .with(|case| case.stdin(format!("To: {PERSON}\n\na line\n")))
            .field("To", FIELD),
        to(
            "mailx -s t -~ u@x.org",
            ["u@x.org", "j@x.org", "r@y.org", "k@x.org"],
        )
        .with(|case| {
            case.stdin(format!(
                "~t {PERSON}\n~c Roe, Jane <r@y.org>\n~b Doe, Jim <k@x.org>\na line\n"
            ))
        })
        .field("Cc", "\"Roe, Jane\" <r@y.org>"),
    ]);
    for (line, field) in [
        (format!("mailx -s t -r '{PERSON}' u@x.org"), "From"),
        (format!("mailx -s t u@x.org -- -r '{PERSON}'"), "From"),
        (format!("mailx -s t -S 'from={PERSON}' u@x.org"), "From"),
        (
            format!("postrider send --subject t --from '{PERSON}' u@x.org"),
            "From",
        ),
        (format!("mailx -s t -a 'From: {PERSON}' u@x.org"), "From"),
    ] {
        let line = Line::new(&line)
            .to(["u@x.org"])
            .options(["-i", "-f", "j@x.org"]);
        line.field(field, FIELD).run();
    }
    check([
        to(
            &format!("mailx -s t -S 'replyto={PERSON}' u@x.org"),
            ["u@x.org"],
        )
        .field("Reply-To", FIELD),
        to(
            &format!("mailx -s t -a 'Reply-To: {PERSON}' u@x.org"),
            ["u@x.org"],
        )
        .field("Reply-To", FIELD),
        to(
            &format!("REPLYTO='{PERSON}' mailx -s t u@x.org"),
            ["u@x.org"],
        )
        .field("Reply-To", FIELD),
    ]);
}

#[test]
fn an_account_or_alias_before_a_comma_gets_its_mail() {
    check([
        to("mailx -s t 'root, John <j@x.org>'", ["root", "j@x.org"]),
        to(
            "mailx -s t -c 'root, John <j@x.org>' u@x.org",
            ["u@x.org", "root", "j@x.org"],
        ),
        to(
            "mailx -s t 'root, Doe, John <j@x.org>'",
            ["root", "j@x.org"],
        )
        .field("To", "root, \"Doe, John\" <j@x.org>"),
        to("mailx -s t 'ops, John <j@x.org>'", ["a@x.org", "j@x.org"]).rc("alias ops a@x.org"),
        to("mailx -s t all", ["root", "j@x.org"]).rc("alias all 'root, John <j@x.org>'"),
        to("mailx -s t 'Doe, John'", ["Doe", "John"]),
        to("mailx -s t 'Doe, John; Roe'", ["Doe", "John", "Roe"]),
        to(
            "mailx -s t '\"Doe, John\" <j@x.org>; \"Roe, Jane\" <r@y.org>'",
            ["j@x.org", "r@y.org"],
        ),
        to(
            "mailx -s t 'Doe, John <j@x.org>; Roe, Jane <r@y.org>'",
            ["j@x.org", "r@y.org"],
        ),
        to("mailx -s t 'Doe, John, Dr. <j@x.org>'", ["j@x.org"])
            .field("To", "\"Doe, John, Dr.\" <j@x.org>"),
        // A program wrote this by RFC 5322.
        Line::new("sendmail -t")
            .with(|case| case.stdin("To: Doe, John <j@x.org>\nSubject: t\n\na line\n"))
            .handed_on()
            .to(["Doe", "j@x.org"]),
    ]);
}

#[test]
fn what_may_be_one_person_or_several_is_told_with_both_readings() {
    let refused = "it may be one person or several recipients";
    let hint = "for one person write '\"oncall, John\" <j@x.org>', for several recipients 'oncall; John <j@x.org>'";
    Line::new("mailx -s t 'oncall, John <j@x.org>'")
        .refused(65, refused)
        .hint(hint)
        .kept()
        .run();
    // The others get it.
    Line::new("mailx -s t 'oncall, John <j@x.org>' u@x.org")
        .to(["u@x.org"])
        .with(|case| case.status(65).says(refused).hints(hint).keeps(1))
        .run();
    for option in ["-r", "-S replyto=", "-S from="] {
        let value = "Doe root, John <j@x.org>";
        let argument = match option.strip_suffix('=') {
            Some(option) => option.replace("-S ", "-S '") + &format!("={value}'"),
            None => format!("{option} '{value}'"),
        };
        Line::new(&format!("mailx -s t {argument} u@x.org"))
            .refused(65, refused)
            .hint("for one person write '\"Doe root, John\" <j@x.org>'")
            .kept()
            .run();
    }
}

#[test]
fn a_sender_that_is_a_name_alone_says_that_the_address_is_missing() {
    for argument in [
        "-r 'Backup Server'",
        "-S 'from=Backup Server'",
        "-a 'From: Backup Server'",
        "-r '\"Backup Server\"'",
        "-S 'replyto=Backup Server'",
        "-S 'sender=Backup Server'",
        "-C 'Sender: Backup Server'",
    ] {
        Line::new(&format!("mailx -s t {argument} u@x.org"))
            .refused(65, "\"Backup Server\" is a name without an address")
            .hint("write an address after the name, as in 'Backup Server <")
            .kept()
            .run();
    }
    // Without angle brackets it would be three authors, and bounces would go to `Backup`.
    for value in ["Backup Server b@x.org", "b@x.org Backup Server"] {
        for option in [
            "-r '",
            "-S 'from=",
            "-C 'From: ",
            "-a 'Sender: ",
            "-S 'replyto=",
            "-C 'Reply-To: ",
        ] {
            let why = format!("\"{value}\" is a name and an address without angle brackets");
            Line::new(&format!("mailx -s t {option}{value}' u@x.org"))
                .refused(65, &why)
                .hint("write 'Backup Server <b@x.org>'")
                .kept()
                .run();
        }
    }
    Line::new("mailx -s t -r 'Doe, John' u@x.org")
        .refused(65, "\"Doe, John\" is a name without an address")
        .hint("as in '\"Doe, John\" <")
        .kept()
        .run();
    check([
        to(
            "mailx -s t -r 'Backup Server <b@x.org>' u@x.org",
            ["u@x.org"],
        )
        .sender("b@x.org", "Backup Server <b@x.org>"),
        to("mailx -s t -r backup u@x.org", ["u@x.org"]).sender("backup", "backup"),
    ]);
}
