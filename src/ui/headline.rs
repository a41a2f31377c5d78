//! Header lines: one line a message, in bsd-mailx's columns.
//!
//! `%c%c%3d %-17.17s  %-16.16s %4d/%-5d %s`: mark, flag letter, number, sender,
//! date, lines/bytes, subject, cut at the width of the terminal or at 80
//! columns, never inside a character. The date is that of the From_ line, the
//! sender and the subject are decoded. A line of plain ASCII is built without
//! any decoding: a big mailbox has ten thousand of them.

use std::borrow::Cow;
use std::fmt::Write;

use memchr::{memchr, memchr_iter};
use unicode_width::UnicodeWidthChar;

use super::Display;
use crate::mailbox::Flags;
use crate::message::parse::{date, fields, words};
use crate::sanitize;

const SENDER_WIDTH: usize = 17;
const DATE_WIDTH: usize = 16;
/// How many levels of a thread are set in.
const MAX_DEPTH: usize = 10;

/// How long the usual date at the end of a From_ line is: `Mon Nov 16 09:00:00 2026` and a line
/// end.
const USUAL_DATE: usize = 25;

/// The parts of a header line that are not in the header block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeadlineFacts {
    /// The message's number, from 1.
    pub number: usize,
    /// The flag letter; see [`letter`].
    pub letter: char,
    /// Whether it is the current message.
    pub current: bool,
    /// Lines of the message, From_ line and header included.
    pub lines: u32,
    /// Bytes of the message, From_ line and header included.
    pub size: u64,
    /// How deep it stands in its thread; 0 for the first message, and without threads.
    pub depth: usize,
}

/// Returns the flag letter of a header line, the most telling one where several hold.
///
/// `D` deleted, `N` new, `U` unread but seen before, `T` draft, `F` flagged, `A` answered,
/// `R` read in this session, blank read (bsd-mailx and, from `T` on, s-nail).
pub(crate) fn letter(flags: Flags, read_now: bool) -> char {
    // The order is the rank: where several flags hold, the letter that asks most of the reader is
    // shown.
    match () {
        () if flags.is_deleted() => 'D',
        () if read_now => 'R',
        () if flags.is_new() => 'N',
        () if !flags.is_read() => 'U',
        () if flags.is_draft() => 'T',
        () if flags.is_flagged() => 'F',
        () if flags.is_answered() => 'A',
        () => ' ',
    }
}

/// Returns the sender as a header line shows it, in full width; message lists compare it.
pub(crate) fn sender(block: &[u8], display: &Display) -> String {
    Summary::of(block, display.showto)
        .person(display)
        .into_owned()
}

/// Appends the header line of a message, with its line end, safe to show.
///
/// `block` is its From_ line and header block.
pub(crate) fn append(out: &mut String, facts: HeadlineFacts, block: &[u8], display: &Display) {
    let summary = Summary::of(block, display.showto);
    let start = out.len();
    out.push(if facts.current { '>' } else { ' ' });
    out.push(facts.letter);
    let _ = write!(out, "{:3} ", facts.number);
    column(out, &summary.person(display), SENDER_WIDTH, true);
    out.push_str("  ");
    column(out, &summary.date(display), DATE_WIDTH, true);
    // Long numbers push the subject to the right, as in bsd-mailx; they are never cut.
    let _ = write!(out, " {:4}/{:<5} ", facts.lines, facts.size);
    if facts.depth > 0 {
        out.extend(std::iter::repeat_n("  ", (facts.depth - 1).min(MAX_DEPTH)));
        out.push_str("-> ");
    }
    let used = out.len() - start;
    // The columns before it are as wide as they are long unless something in them is not ASCII.
    let used = if out[start..].is_ascii() {
        used
    } else {
        out[start..].chars().map(|c| c.width().unwrap_or(0)).sum()
    };
    let subject = summary.subject.map(text_of).unwrap_or_default();
    column(out, &subject, display.edge.saturating_sub(used), false);
    let end = start + out[start..].trim_end_matches(' ').len();
    out.truncate(end);
    out.push('\n');
}

/// Appends text in a column: cut to the width, filled up to it if asked.
fn column(out: &mut String, text: &str, width: usize, fill: bool) {
    let mut used = 0;
    if text.is_ascii() {
        used = text.len().min(width);
        out.push_str(&text[..used]);
    } else {
        for c in text.chars() {
            // A wide character that would pass the edge is left out whole.
            let wide = c.width().unwrap_or(0);
            if used + wide > width {
                break;
            }
            used += wide;
            out.push(c);
        }
    }
    if fill {
        out.extend(std::iter::repeat_n(' ', width - used));
    }
}

/// The fields of a header block that a header line is made of, undecoded.
#[derive(Clone, Copy, Debug, Default)]
struct Summary<'a> {
    from_line: Option<&'a [u8]>,
    block: &'a [u8],
    from: Option<&'a [u8]>,
    to: Option<&'a [u8]>,
    subject: Option<&'a [u8]>,
}

impl<'a> Summary<'a> {
    /// Finds the fields in one pass, the recipients only if asked; the first of each counts.
    fn of(block: &'a [u8], with_to: bool) -> Summary<'a> {
        let (from_line, block) = fields::split_from_line(block);
        let mut summary = Summary {
            from_line,
            block,
            ..Summary::default()
        };
        let mut at = 0;
        while at < block.len() {
            // A glance at the first letter spares most lines a closer look.
            let field = match block[at] {
                b'F' | b'f' if summary.from.is_none() => Some((&mut summary.from, "from")),
                b'T' | b't' if with_to && summary.to.is_none() => Some((&mut summary.to, "to")),
                b'S' | b's' if summary.subject.is_none() => Some((&mut summary.subject, "subject")),
                _ => None,
            };
            if let Some((found, name)) = field
                // The field must be this very line: the iterator passes over old From_ lines, and
                // over thousands of them once for each.
                && fields::field_name_len(&block[at..]).is_some()
                && let Some(first) = fields::fields(&block[at..]).next()
                && first.is(name)
            {
                *found = Some(first.body);
                let complete = summary.to.is_some() || !with_to;
                if complete && summary.from.is_some() && summary.subject.is_some() {
                    break;
                }
            }
            at = memchr(b'\n', &block[at..]).map_or(block.len(), |length| at + length + 1);
        }
        summary
    }

    fn person(&self, display: &Display) -> Cow<'a, str> {
        if display.showto
            && let Some(to) = self.to
            && self.is_from(&display.own_addresses)
        {
            return shown(to, display.showname);
        }
        match self.from {
            Some(from) => shown(from, display.showname),
            None => self.envelope_sender(),
        }
    }

    /// Returns whether one of these addresses is the sender.
    fn is_from(&self, addresses: &[String]) -> bool {
        let sender = match self.from {
            Some(from) => shown(from, false),
            None => self.envelope_sender(),
        };
        addresses
            .iter()
            .any(|own| own.eq_ignore_ascii_case(&sender))
    }

    /// Returns the sender that the From_ line names.
    fn envelope_sender(&self) -> Cow<'a, str> {
        let line = self.from_line.unwrap_or_default();
        let sender = line.split(|&byte| byte == b' ').nth(1).unwrap_or_default();
        text_of(sender)
    }

    fn date(&self, display: &Display) -> Cow<'a, str> {
        if let Some(date) = self.from_line.and_then(ctime) {
            return Cow::Borrowed(date);
        }
        let field = fields::find(self.block, "date").and_then(date);
        field
            .map(|sent| {
                (display.zone)(sent.time)
                    .format("%a %b %e %H:%M")
                    .to_string()
            })
            .unwrap_or_default()
            .into()
    }
}

/// Returns the first 16 characters of the date of a From_ line, as `ctime` writes it (`Mon Nov 16
/// 09:00`).
fn ctime(from_line: &[u8]) -> Option<&str> {
    const DAYS: &[&[u8]; 7] = &[b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];
    const MONTHS: &[&[u8]; 12] = &[
        b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov",
        b"Dec",
    ];
    let is_date = |text: &[u8]| {
        // Few places of a line have the blanks.
        [3, 7, 10].iter().all(|&at| text[at] == b' ')
            && DAYS.contains(&&text[..3])
            && MONTHS.contains(&&text[4..7])
            && matches!(text[8], b' ' | b'0'..=b'3')
            && text[9].is_ascii_digit()
            && [11, 12, 14, 15].iter().all(|&at| text[at].is_ascii_digit())
            && text[13] == b':'
    };
    // The usual place is tried first: the sender before it may hold what looks like a date.
    let usual = from_line.len().saturating_sub(USUAL_DATE);
    let mut places = [&from_line[usual..], from_line].into_iter();
    let found = places.find_map(|text| text.windows(DATE_WIDTH).find(|text| is_date(text)))?;
    std::str::from_utf8(found).ok()
}

/// Returns a field's first address as a header line shows it.
fn shown(body: &[u8], name: bool) -> Cow<'_, str> {
    if let Some(address) = plain_address(body).filter(|_| !name) {
        return Cow::Borrowed(address);
    }
    let found = words::first_address(body);
    let text = if name { found.shown() } else { &found.address };
    safe(text).into_owned().into()
}

/// Returns the address of `a@b`, `Name <a@b>` and `a@b (Name)` in plain ASCII, the forms nearly all
/// mail has.
fn plain_address(body: &[u8]) -> Option<&str> {
    let plain = |byte: &u8| matches!(byte, b'!'..=b'~') && !b"\"(),:;<>\\".contains(byte);
    let body = body.trim_ascii();
    let body = without_comment(body);
    let address = match memchr(b'<', body) {
        Some(start) => {
            let name = &body[..start];
            let ordinary = |byte: &u8| plain(byte) || *byte == b' ';
            let name = name.trim_ascii();
            let name = name
                .strip_prefix(b"\"")
                .and_then(|name| name.strip_suffix(b"\""))
                .unwrap_or(name);
            if !name.iter().all(ordinary) {
                return None;
            }
            body[start + 1..].strip_suffix(b">")?
        }
        None => body,
    };
    if address.is_empty() || !address.iter().all(plain) || address.starts_with(b"=?") {
        return None;
    }
    std::str::from_utf8(address).ok()
}

/// Returns a field body without the comment at its end, if that has no other comments within.
fn without_comment(body: &[u8]) -> &[u8] {
    let Some(inner) = body.strip_suffix(b")") else {
        return body;
    };
    match memchr(b'(', inner) {
        Some(start) if !inner[start + 1..].iter().any(|byte| b"()\\".contains(byte)) => {
            inner[..start].trim_ascii_end()
        }
        _ => body,
    }
}

/// Returns a field body decoded and safe to show in one line.
fn text_of(body: &[u8]) -> Cow<'_, str> {
    let plain = |byte: &u8| matches!(byte, b' '..=b'~');
    let mut equals = memchr_iter(b'=', body);
    if body.iter().all(plain)
        && !equals.any(|at| body.get(at + 1) == Some(&b'?'))
        && let Ok(text) = std::str::from_utf8(body.trim_ascii_end())
    {
        return Cow::Borrowed(text);
    }
    safe(&words::decode(body)).into_owned().into()
}

fn safe(text: &str) -> Cow<'_, str> {
    sanitize::line(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACTS: HeadlineFacts = HeadlineFacts {
        number: 1,
        letter: 'N',
        current: true,
        lines: 13,
        size: 337,
        depth: 0,
    };

    fn line_of(block: &str) -> String {
        let mut out = String::new();
        append(&mut out, FACTS, block.as_bytes(), &Display::default());
        out
    }

    const FROM: &str = "From root Mon Nov 16 09:00:00 2026\n";

    #[test]
    fn the_columns_are_those_of_bsd_mailx() {
        let cases: &[(&str, &str)] = &[
            (
                "From: \"Alice Example\" <alice@example.com>\nSubject: Disk almost full\n",
                ">N  1 alice@example.com  Mon Nov 16 09:00   13/337   Disk almost full\n",
            ),
            (
                "From: bob.very.long.address@example.com\nSubject: Disk almost full a very long subject\n",
                ">N  1 bob.very.long.add  Mon Nov 16 09:00   13/337   Disk almost full a very lon\n",
            ),
            // No From field: the sender of the From_ line; no subject: nothing.
            (
                "To: a@b\n",
                ">N  1 root               Mon Nov 16 09:00   13/337\n",
            ),
            (
                "From: B\u{f6}b <b@x>\nsubject: =?utf-8?q?Gr=C3=B6=C3=9Fe?=\n 100%\n",
                ">N  1 b@x                Mon Nov 16 09:00   13/337   Größe 100%\n",
            ),
            // Wide characters are never cut in two.
            (
                "From: a@b\nSubject: x日本語日本語日本語日本語日本語日本語\n",
                ">N  1 a@b                Mon Nov 16 09:00   13/337   x日本語日本語日本語日本語日\n",
            ),
            (
                "From: a@b\nSubject: \x1b[2J\u{202e}evil\tx\n",
                ">N  1 a@b                Mon Nov 16 09:00   13/337   \u{241b}[2J<U+202E>evil x\n",
            ),
        ];
        for (block, expected) in cases {
            assert_eq!(line_of(&format!("{FROM}{block}\n")), *expected, "{block}");
        }
    }

    #[test]
    fn names_and_recipients_are_shown_on_request() {
        let block = b"From a Mon Nov 16 09:00:00 2026\nFrom: =?utf-8?q?B=C3=B6b?= <b@x>\nTo: c@d\n";
        let person = |showname, showto, own: &str| {
            let settings = Display {
                showname,
                showto,
                own_addresses: vec![own.to_owned()],
                ..Display::default()
            };
            Summary::of(block, showto).person(&settings).into_owned()
        };
        assert_eq!(person(false, false, "b@x"), "b@x");
        assert_eq!(person(true, false, "b@x"), "Böb");
        assert_eq!(person(false, true, "b@x"), "c@d");
        assert_eq!(person(false, true, "B@X"), "c@d");
        assert_eq!(person(false, true, "c@d"), "b@x");
    }

    #[test]
    fn fast_and_careful_addresses_agree() {
        for body in [
            "a@b",
            "Alice Example <a@b>",
            "\"Alice Example\" <a@b>",
            " a@b ",
            "root",
            "root@host (Cron Daemon)",
            "root@host(Cron, <Daemon>; \"x)",
            "Alice <a@b> (at work)",
            "a@b (=?utf-8?q?B=C3=B6b?=)",
            "a@b ()",
        ] {
            let fast = plain_address(body.as_bytes());
            let careful = words::first_address(body.as_bytes()).address;
            assert_eq!(fast, Some(&*careful), "{body}");
        }
        for body in [
            "a@b, c@d",
            "a@b (x (y))",
            "a@b (x) (y)",
            "a@b (x\\)",
            "(x)",
            "a@b (x) c",
            "\"a\\\"b\" <c@d>",
            "<a@b",
            "=?utf-8?q?a?=",
            "",
            "x: a@b;",
        ] {
            assert_eq!(plain_address(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn the_date_is_found_in_odd_from_lines() {
        let cases: &[(&str, &str)] = &[
            ("From a@b Mon Nov 16 09:00:00 2026", "Mon Nov 16 09:00"),
            ("From a@b  Mon Nov  6 09:00:00 2026", "Mon Nov  6 09:00"),
            ("From a@b Mon Nov 16 09:00 CET 2026", "Mon Nov 16 09:00"),
            (
                "From a b c Mon Nov 16 09:00:00 2026 remote from x",
                "Mon Nov 16 09:00",
            ),
        ];
        for (line, expected) in cases {
            assert_eq!(ctime(line.as_bytes()), Some(*expected), "{line}");
        }
        assert_eq!(ctime(b"From - "), None);
        let block = "From -\nFrom: a@b\nDate: Fri, 6 Nov 2026 09:00:00 +0100\n\n";
        assert!(line_of(block).contains("  Fri Nov  6 09:00  "));
    }
}
