//! What a sendmail says beside its exit status: its reason, and whether it speaks for the whole message.
//!
//! An exit status is one number for all recipients of a call. The text shows more: which line is the
//! reason, and whether the program is one that takes either all recipients or none.

use crate::exit::Kind;
use crate::transport::Disposition;

/// The words of the programs that refuse a message for its size before they queue anything: Postfix
/// (with status 75), Exim, and Sendmail.
const TOO_BIG: &[&str] = &[
    "message file too big",
    "longer than the maximum size allowed",
    "message too big",
    "message is too large",
    "message size exceeds",
];

/// The marks of programs that take either all recipients of a call or none.
///
/// Postfix stops before anything is queued. OpenSMTPD's sendmail and msmtp speak SMTP themselves,
/// and give up the transaction at the first refusal.
const ALL_OR_NOTHING: &[&str] = &[
    "sendmail: fatal: ",
    "postdrop: fatal: ",
    "command failed: ",
    "server message: ",
    "could not send mail (account ",
];

/// Returns the line that gives a program's reason.
///
/// Warnings come before the reason, so the last line counts, unless another one is marked as the
/// reason. A usage text explains no more than the line before it.
pub(super) fn reason(output: &str) -> Option<&str> {
    let is_usage = |line: &&str| line.to_ascii_lowercase().starts_with("usage:");
    let all = || {
        output
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
    };
    let before_usage = all().take_while(|line| !is_usage(line));
    let marked = |mark: &str| all().find(|line| line.contains(mark));
    marked("fatal:")
        // msmtp: the line before it says what was refused, the line after it that nothing was sent.
        .or_else(|| marked("server message: "))
        .or_else(|| before_usage.last())
        .or_else(|| all().next())
}

/// Returns what the words say of the message as a whole, for a program that reports failure by this
/// status; `None` where they do not say that it was refused or put off for every recipient.
pub(super) fn judge(status: i32, output: &str) -> Option<Disposition> {
    let text = output.to_ascii_lowercase();
    if TOO_BIG.iter().any(|words| text.contains(words)) {
        return Some(Disposition::Refused(Kind::Unavailable));
    }
    let kind = Kind::from_status(status).unwrap_or(Kind::Unavailable);
    let reply = reason(output).and_then(reply_code);
    let speaks_for_all = ALL_OR_NOTHING.iter().any(|mark| text.contains(mark));
    match (speaks_for_all, reply) {
        (true, Some(400..=499)) => Some(Disposition::TryLater(Kind::TryLater)),
        (true, Some(code)) => Some(Disposition::Refused(kind_of(kind, code))),
        // Whether Postfix with 75 has queued the message is not known: its last step may have failed
        // only on the way back.
        (true, None) if kind != Kind::TryLater => Some(Disposition::Refused(kind)),
        _ => None,
    }
}

/// Returns the kind of a refusal of one recipient, by the program's status and its words.
pub(super) fn kind_of_refusal(status: i32, output: &str) -> Kind {
    let kind = Kind::from_status(status).unwrap_or(Kind::Unavailable);
    match reason(output).and_then(reply_code) {
        Some(code) => kind_of(kind, code),
        None => kind,
    }
}

/// Returns what a reply of an SMTP server makes of "a fault of the program" (70).
///
/// OpenSMTPD exits so whatever its server has answered; any other status says more than the code.
fn kind_of(kind: Kind, code: u16) -> Kind {
    match (kind, code) {
        (Kind::Software, 400..=499) => Kind::TryLater,
        (Kind::Software, 530 | 534 | 535 | 538) => Kind::NoPermission,
        (Kind::Software, 550 | 551 | 553) => Kind::Data,
        (Kind::Software, _) => Kind::Unavailable,
        (kind, _) => kind,
    }
}

/// Returns the first negative reply code of SMTP in a line.
fn reply_code(line: &str) -> Option<u16> {
    let words = line.split(|c: char| c.is_whitespace() || c == '-' || c == ':');
    words
        .filter(|word| word.len() == 3)
        .filter_map(|word| word.parse().ok())
        .find(|code: &u16| matches!(code, 400..=459 | 500..=559))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Disposition::{Refused, TryLater};

    const POSTFIX: &str = "postdrop: warning: uid=0: File too large\n\
        sendmail: warning: mail_stream_cleanup: close error\n\
        sendmail: fatal: root(0): message file too big\n";
    const MSMTP: &str = "msmtp: recipient address x@example.test not accepted by the server\n\
        msmtp: server message: 550 5.1.1 no such user\n\
        msmtp: could not send mail (account default from /etc/msmtprc)\n";
    const MSMTP_SIZE: &str = "msmtp: the server did not accept the mail\n\
        msmtp: server message: 552 5.3.4 Error: message file too big\n\
        msmtp: could not send mail (account default from /etc/msmtprc)\n";
    const EXIM: &str = "exim: message too big: read=3000000 max=2000000\n";

    #[test]
    fn the_reason_is_the_line_that_gives_it() {
        let table = [
            ("", None),
            ("\n \n", None),
            ("no room\n", Some("no room")),
            ("warning: a\nno room\n\n", Some("no room")),
            (
                POSTFIX,
                Some("sendmail: fatal: root(0): message file too big"),
            ),
            (MSMTP, Some("msmtp: server message: 550 5.1.1 no such user")),
            (
                "sendmail: invalid option -- 'z'\nUsage: sendmail [-f]\n  -f address\n",
                Some("sendmail: invalid option -- 'z'"),
            ),
            ("usage: sendmail\n -f\n", Some("usage: sendmail")),
            ("fatal: a\nafterwards\n", Some("fatal: a")),
        ];
        for (output, line) in table {
            assert_eq!(reason(output), line, "{output}");
        }
    }

    #[test]
    fn words_that_speak_for_every_recipient() {
        let table = [
            (75, POSTFIX, Some(Refused(Kind::Unavailable))),
            (69, EXIM, Some(Refused(Kind::Unavailable))),
            (65, MSMTP, Some(Refused(Kind::Data))),
            (69, MSMTP_SIZE, Some(Refused(Kind::Unavailable))),
            (
                70,
                "sendmail: command failed: 550 Invalid recipient\n",
                Some(Refused(Kind::Data)),
            ),
            (
                70,
                "sendmail: command failed: 554 5.3.4 Message too long\n",
                Some(Refused(Kind::Unavailable)),
            ),
            (
                70,
                "sendmail: command failed: 421 try again\n",
                Some(TryLater(Kind::TryLater)),
            ),
            (
                68,
                "msmtp: cannot locate host mx.test\nmsmtp: could not send mail (account a from b)\n",
                Some(Refused(Kind::NoHost)),
            ),
            // A partial delivery of msmtp by LMTP, and Postfix with a queue that may hold the mail.
            (
                65,
                "msmtp: could not send mail to all recipients (account a from b)\n",
                None,
            ),
            (
                75,
                "sendmail: fatal: root(0): queue file write error\n",
                None,
            ),
            // Sendmail: one of them is unknown, the others have got it.
            (67, "", None),
            (67, "nosuchuser... User unknown\n", None),
            (69, "550 5.1.1 nosuchuser... User unknown\n", None),
        ];
        for (status, output, judged) in table {
            assert_eq!(judge(status, output), judged, "{status} {output}");
        }
    }

    #[test]
    fn seventy_with_a_reply_is_the_kind_of_the_reply() {
        let table = [
            (70, "550 Invalid recipient", Kind::Data),
            (70, "x: 552-5.3.4 too long", Kind::Unavailable),
            (70, "x: 535 5.7.8 no", Kind::NoPermission),
            (70, "segmentation fault", Kind::Software),
            (70, "line 5500 of 770 is bad", Kind::Software),
            (67, "550 Invalid recipient", Kind::NoUser),
            (1, "550 Invalid recipient", Kind::Unavailable),
        ];
        for (status, words, kind) in table {
            assert_eq!(kind_of_refusal(status, words), kind, "{status} {words}");
        }
    }
}
