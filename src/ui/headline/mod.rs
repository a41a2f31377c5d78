//! Header lines: one line a message, in bsd-mailx's columns or another layout.
//!
//! bsd-mailx's is `%c%c%3d %-17.17s  %-16.16s %4d/%-5d %s`: mark, flag letter, number, sender,
//! date, lines/bytes, subject, cut at the edge of the screen, never inside a character. The date is
//! that of the From_ line, the sender and the subject are decoded. A line of plain ASCII is built
//! without any decoding: a big mailbox has ten thousand of them. Other layouts are in `layout`.

use std::fmt::Write;

use super::Display;
use crate::config::colours::Meaning;
use crate::config::headline::Layout;
use crate::mailbox::Flags;

mod column;
mod layout;
mod summary;

pub(crate) use column::HeadlineFacts;
use column::{column, tree, width_of};
use summary::Summary;

const SENDER_WIDTH: usize = 17;
const DATE_WIDTH: usize = 16;

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
        .person(display, display.showname)
        .into_owned()
}

/// Returns the sender's address.
pub(crate) fn address(block: &[u8]) -> String {
    let display = Display::default();
    Summary::of(block, false)
        .person(&display, false)
        .into_owned()
}

/// Appends the header line of a message, with its line end, safe to show.
///
/// `block` is its From_ line and header block.
pub(crate) fn append(out: &mut String, facts: HeadlineFacts, block: &[u8], display: &Display) {
    let summary = Summary::of(block, display.showto);
    let meaning = match facts.letter {
        'N' => Some(Meaning::New),
        'U' => Some(Meaning::Unread),
        'F' => Some(Meaning::Flagged),
        'D' => Some(Meaning::Deleted),
        _ => None,
    };
    let line = out.len();
    match &display.layout {
        Layout::Bsd => append_as_bsd(out, facts, &summary, display),
        Layout::Items(items) => layout::append(out, facts, &summary, items, display),
    }
    let end = line + out[line..].trim_end_matches(' ').len();
    out.truncate(end);
    if let Some(meaning) = meaning {
        display.paint_line(out, line, meaning);
    }
    out.push('\n');
}

fn append_as_bsd(out: &mut String, facts: HeadlineFacts, summary: &Summary<'_>, display: &Display) {
    let start = out.len();
    out.push(if facts.current { '>' } else { ' ' });
    out.push(display.attribute(facts.letter));
    let _ = write!(out, "{:3} ", facts.number);
    column(
        out,
        &summary.person(display, display.names),
        SENDER_WIDTH,
        true,
    );
    out.push_str("  ");
    column(out, &summary.date(display), DATE_WIDTH, true);
    // Long numbers push the subject to the right, as in bsd-mailx; they are never cut.
    let _ = write!(out, " {:4}/{:<5} ", facts.lines, facts.size);
    out.push_str(&tree(facts.depth));
    let used = width_of(&out[start..]);
    let subject = summary.subject_text();
    column(out, &subject, display.edge.saturating_sub(used), false);
    if facts.current && display.palette.is_on() {
        let rest = out.split_off(start + 1);
        out.truncate(start);
        display.paint(out, Meaning::Current, ">");
        out.push_str(&rest);
    }
}

#[cfg(test)]
mod tests {
    use super::summary::{ctime, plain_address};
    use super::*;
    use crate::message::parse::words;

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
            Summary::of(block, showto)
                .person(&settings, showname)
                .into_owned()
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
        let mut display = Display::default();
        display.dates.is_sent = true;
        for (date, shown) in [
            ("", "2010-12-01"),
            ("Date: \n", "2010-12-01"),
            ("Date: Fri, 6 Nov 2009 09:00:00 +0100\n", "2009-11-06"),
        ] {
            let block = format!("From a at b  Wed Dec  1 08:26:40 2010\nFrom: a@b\n{date}\n");
            let line = Summary::of(block.as_bytes(), false).date(&display);
            assert_eq!(line, shown, "{date}");
        }
        let block = "From -\nFrom: a@b\nDate: Fri, 6 Nov 2026 09:00:00 +0100\n\n";
        assert!(line_of(block).contains("  Fri Nov  6 09:00  "));
    }
}
