//! The subject of an answer: `Re: ` or `Fwd: ` once, whatever stands there already.

use crate::address::spaces_for_controls;
use crate::message::parse::{FieldText, fields, words};

/// How much of a subject is taken over, in bytes: no mail program shows more.
const MAX_SUBJECT: usize = 4096;

/// What mail programs put before the subject of a reply, in lower case.
///
/// The German, Dutch, Scandinavian, Finnish and Polish ones are those that Outlook writes there; `vs`
/// is left out, because "VS: A" also means "versus".
const REPLIES: [&str; 6] = ["re", "aw", "antw", "antwort", "sv", "odp"];

/// What mail programs put before the subject of a forwarded message, in lower case.
const FORWARDS: [&str; 3] = ["fwd", "fw", "wg"];

/// Returns the subject of a reply to a message with this header: `Re: ` and the subject without what
/// earlier replies put before it.
pub(super) fn of_reply(header: &[u8]) -> String {
    with_prefix("Re:", &REPLIES, header)
}

/// Returns the subject of a message that forwards one with this header.
pub(super) fn of_forward(header: &[u8]) -> String {
    with_prefix("Fwd:", &FORWARDS, header)
}

fn with_prefix(prefix: &str, known: &[&str], header: &[u8]) -> String {
    let body = fields::find(header, "subject").unwrap_or_default();
    let decoded = FieldText::of(header).words(words::cut(body, MAX_SUBJECT));
    // An encoded word may hold a line end; a reply is no place to complain of it.
    let clean = spaces_for_controls(&decoded);
    let mut rest = clean.trim();
    while let Some(shorter) = without_prefix(rest, known) {
        rest = shorter;
    }
    format!("{prefix} {rest}").trim_end().to_owned()
}

/// Returns a subject without one prefix: `Re:`, `RE :`, `Re[2]:`, `Re(2):`, `Re^2:`, `AW:`.
fn without_prefix<'a>(subject: &'a str, known: &[&str]) -> Option<&'a str> {
    let end = subject.find(|c: char| !c.is_ascii_alphabetic())?;
    let (word, rest) = subject.split_at(end);
    if !known.iter().any(|name| word.eq_ignore_ascii_case(name)) {
        return None;
    }
    let rest = without_count(rest).trim_start();
    Some(rest.strip_prefix(':')?.trim_start())
}

/// Returns what follows a count of replies, if there is one.
fn without_count(rest: &str) -> &str {
    let (inner, close) = match rest.chars().next() {
        Some('[') => (&rest[1..], "]"),
        Some('(') => (&rest[1..], ")"),
        Some('^') => (&rest[1..], ""),
        _ => return rest,
    };
    let behind = inner.trim_start_matches(|c: char| c.is_ascii_digit());
    match behind.strip_prefix(close) {
        Some(behind_close) if behind.len() < inner.len() => behind_close,
        _ => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn re_stands_there_once() {
        // bsd-mailx tests for `re:` in any case and leaves the rest; s-nail 14.9 takes off `Re:`,
        // `Aw:`, `Fwd:` and the like, in a row.
        let cases = [
            ("Disk full", "Re: Disk full"),
            ("Re: Disk full", "Re: Disk full"),
            ("RE: Disk full", "Re: Disk full"),
            ("re:Disk full", "Re: Disk full"),
            ("Re : Disk full", "Re: Disk full"),
            ("Re: RE: re: Disk full", "Re: Disk full"),
            ("AW: Re: Platte voll", "Re: Platte voll"),
            ("Antwort: Platte voll", "Re: Platte voll"),
            ("SV: Disken full", "Re: Disken full"),
            ("Re[2]: Disk full", "Re: Disk full"),
            ("Re(3): Disk full", "Re: Disk full"),
            ("Re^4: Disk full", "Re: Disk full"),
            ("Re[]: x", "Re: Re[]: x"),
            ("Re[x]: x", "Re: Re[x]: x"),
            ("Fwd: Disk full", "Re: Fwd: Disk full"),
            ("[list] Re: Disk full", "Re: [list] Re: Disk full"),
            ("Regarding: x", "Re: Regarding: x"),
            ("Reply", "Re: Reply"),
            ("re", "Re: re"),
            ("Re:", "Re:"),
            ("", "Re:"),
            ("   ", "Re:"),
            ("=?utf-8?q?Re:_Gr=C3=B6=C3=9Fe?=", "Re: Größe"),
            ("=?utf-8?q?x=0D=0ABcc:_evil@x?=", "Re: x Bcc: evil@x"),
            ("Gr\u{f6}\u{df}e", "Re: Größe"),
        ];
        for (subject, expected) in cases {
            let header = format!("Subject: {subject}\n\n");
            assert_eq!(of_reply(header.as_bytes()), expected, "{subject}");
        }
        assert_eq!(of_reply(b"From: a@x\n\n"), "Re:");
    }

    #[test]
    fn fwd_stands_there_once() {
        for (subject, expected) in [
            ("Disk full", "Fwd: Disk full"),
            ("Fwd: Disk full", "Fwd: Disk full"),
            ("FW: Fwd: Disk full", "Fwd: Disk full"),
            ("WG: Platte voll", "Fwd: Platte voll"),
            ("Re: Disk full", "Fwd: Re: Disk full"),
        ] {
            let header = format!("Subject: {subject}\n\n");
            assert_eq!(of_forward(header.as_bytes()), expected, "{subject}");
        }
    }

    #[test]
    fn a_megabyte_of_subject_is_cut_and_takes_no_time() {
        let header = format!("Subject: {}\n\n", "Re: ".repeat(300_000));
        assert_eq!(of_reply(header.as_bytes()), "Re:");
        let header = format!("Subject: {}\n\n", "ö".repeat(600_000));
        assert!(of_reply(header.as_bytes()).len() <= MAX_SUBJECT + 4);
    }
}
