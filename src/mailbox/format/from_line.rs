//! The From_ line, `From sender date`, before each message of an mbox.
//!
//! No standard fixes its form (RFC 4155 describes the usual one); what is accepted here is what
//! deliverers, list archives and other readers have been seen to write. Whether a line with this
//! form separates messages is decided by its surroundings, in `separator`.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime};

use crate::message::parse;
use crate::sys::clock;

/// The parts of a From_ line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FromLine<'a> {
    /// The envelope sender of the line; empty if it has none.
    pub sender: &'a [u8],
    /// When the message was delivered, in the deliverer's own time zone, which the line seldom names.
    pub time: Option<NaiveDateTime>,
    /// The date, from its weekday to the end of the line; empty where the line has none.
    date: &'a [u8],
}

impl<'a> FromLine<'a> {
    /// Parses a line; `None` if it does not start with `From `.
    ///
    /// A line without a date that parses has no `time` and everything after `From ` as sender.
    pub fn parse(line: &'a [u8]) -> Option<FromLine<'a>> {
        let tail = line.strip_prefix(b"From ")?.trim_ascii();
        Some(match find_date(tail) {
            Some((start, time)) => FromLine {
                sender: tail[..start].trim_ascii(),
                time: Some(time),
                date: &tail[start..],
            },
            None => FromLine {
                sender: tail,
                time: None,
                date: &[],
            },
        })
    }

    /// Returns when the message was delivered: in the zone that the line names, else in local time.
    pub fn delivered(&self) -> Option<DateTime<FixedOffset>> {
        let time = self.time?;
        let zone = parse::date(self.date).filter(|date| date.has_zone);
        match zone {
            Some(date) => time.and_local_timezone(*date.time.offset()).single(),
            None => clock::of_local(time),
        }
    }

    /// Returns whether a line without a date still looks like a writer's own From_ line.
    ///
    /// Netscape and its children write `From - `, Google Takeout a number and `@xxx`, some scripts
    /// a lone address. Text that merely begins with the word From has more words.
    pub(in crate::mailbox) fn is_plausible_without_date(&self) -> bool {
        let mut words = self.sender.split(|b| *b == b' ').filter(|w| !w.is_empty());
        let Some(first) = words.next() else {
            return false;
        };
        if first == b"-" {
            return true;
        }
        let Some(at) = memchr::memchr(b'@', first) else {
            return false;
        };
        let takeout = at > 0 && first[..at].iter().all(u8::is_ascii_digit);
        let lone_address = words.next().is_none()
            && at > 0
            && at + 1 < first.len()
            && first[first.len() - 1].is_ascii_alphanumeric();
        takeout || lone_address
    }
}

/// Returns the From_ line, with its line end, of a message that is written now.
///
/// `source_date_epoch` replaces the current time, if it is given.
pub fn from_line_now(sender: &str, source_date_epoch: Option<i64>) -> Vec<u8> {
    from_line(sender.as_bytes(), clock::message_time(source_date_epoch))
}

/// Returns a From_ line, with its line end: `From sender Mon Nov 23 23:11:46 2026`.
///
/// The form is that of qmail's mbox(5): one blank, asctime, and nothing else. Blanks in the sender
/// are left out, as readers look for the date behind the first one; an empty sender is the null
/// sender of a bounce.
pub(crate) fn from_line(sender: &[u8], time: DateTime<FixedOffset>) -> Vec<u8> {
    let is_plain = |byte: &&u8| !byte.is_ascii_whitespace() && !byte.is_ascii_control();
    let mut sender: Vec<u8> = sender
        .iter()
        .filter(is_plain)
        .take(MAX_SENDER)
        .copied()
        .collect();
    if sender.is_empty() {
        sender = b"MAILER-DAEMON".to_vec();
    }
    let date = time.format(" %a %b %e %H:%M:%S %Y\n").to_string();
    [b"From ", &sender[..], date.as_bytes()].concat()
}

/// The longest sender: a path of RFC 5321 (section 4.5.3.1.3) has 256 bytes.
const MAX_SENDER: usize = 256;

/// Finds the date in the text after `From `; returns where it starts, and its value.
fn find_date(tail: &[u8]) -> Option<(usize, NaiveDateTime)> {
    if let Some(found) = asctime(tail) {
        return Some(found);
    }
    // The date is the last thing of the line, and a sender may look like a weekday: the last
    // weekday with a date after it counts.
    let mut end = tail.len();
    while let Some(start) = last_word(tail, end) {
        if is_weekday(word_at(tail, start))
            && let Some(time) = parse_date(&tail[start..])
        {
            return Some((start, time));
        }
        end = start;
    }
    None
}

/// Finds the date in the form that nearly all writers use, `Tue Jan  7 12:09:16 2003` at the end of
/// the line.
///
/// A scan parses each From_ line of a mailbox, so the usual form is not split into words.
fn asctime(tail: &[u8]) -> Option<(usize, NaiveDateTime)> {
    // asctime has fixed columns: `Www Mmm dd hh:mm:ss yyyy`.
    let start = tail.len().checked_sub(24)?;
    let (before, date) = tail.split_at(start);
    let is_framed = before.last().is_none_or(|byte| is_blank(*byte))
        && [3, 7, 10, 19].iter().all(|&at| date[at] == b' ')
        && [13, 16].iter().all(|&at| date[at] == b':');
    if !is_framed || !is_weekday(&date[..3]) {
        return None;
    }
    let day = date[8..10].strip_prefix(b" ").unwrap_or(&date[8..10]);
    let second = number(&date[17..19], 2).filter(|second| *second <= 60)?;
    let year = i32::try_from(number(&date[20..], 4)?).ok()?;
    let time = NaiveDate::from_ymd_opt(year, month(&date[4..7])?, number(day, 2)?)?.and_hms_opt(
        number(&date[11..13], 2)?,
        number(&date[14..16], 2)?,
        second.min(59),
    )?;
    Some((start, time))
}

/// Returns where the last word that ends before `end` starts.
fn last_word(text: &[u8], end: usize) -> Option<usize> {
    let last = text[..end].iter().rposition(|b| !is_blank(*b))?;
    Some(
        text[..last]
            .iter()
            .rposition(|b| is_blank(*b))
            .map_or(0, |blank| blank + 1),
    )
}

/// Returns the word that starts here.
fn word_at(text: &[u8], start: usize) -> &[u8] {
    let rest = &text[start..];
    &rest[..rest.iter().position(|b| is_blank(*b)).unwrap_or(rest.len())]
}

/// Returns whether this byte separates words.
fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Returns whether this is `Mon` … `Sun`, with or without a comma.
fn is_weekday(word: &[u8]) -> bool {
    let word = word.strip_suffix(b",").unwrap_or(word);
    matches!(
        lower_case(word).as_ref(),
        Some(b"mon" | b"tue" | b"wed" | b"thu" | b"fri" | b"sat" | b"sun")
    )
}

/// Parses a date from its weekday to its end.
///
/// Known forms, each with or without seconds:
/// `Tue Jan  7 12:09:16 2003`, the zone (`EDT`, `+0100`, `(CET)`) before or after the year,
/// ` remote from host` after all (UUCP), and `Sun, 11 Nov 2007 06:58:35 +0200`.
fn parse_date(text: &[u8]) -> Option<NaiveDateTime> {
    let mut words = text
        .split(|b| is_blank(*b))
        .filter(|word| !word.is_empty())
        .skip(1);
    let (first, second) = (words.next()?, words.next()?);
    let mut year = None;
    // asctime has `Jan 7`, an RFC 5322 date `7 Jan 2003`.
    let (month, day) = match month(first) {
        Some(month) => (
            month,
            number(second.strip_suffix(b",").unwrap_or(second), 2)?,
        ),
        None => {
            year = Some(parse_year(words.next()?)?);
            (month(second)?, number(first, 2)?)
        }
    };
    let mut time = None;
    let mut extras = 0;
    for word in words {
        if time.is_none() && word.contains(&b':') {
            time = Some(parse_time(word)?);
        } else if year.is_none() && word.iter().all(u8::is_ascii_digit) {
            year = Some(parse_year(word)?);
        } else if word == b"remote" && year.is_some() {
            // `from` and the name of a UUCP neighbour follow, and no part of the date.
            break;
        } else if is_zone(word) && extras < 3 {
            extras += 1;
        } else {
            return None;
        }
    }
    let (hour, minute, second) = time?;
    NaiveDate::from_ymd_opt(year?, month, day)?.and_hms_opt(hour, minute, second)
}

/// Returns the number of a month's English name.
fn month(word: &[u8]) -> Option<u32> {
    Some(match &lower_case(word)? {
        b"jan" => 1,
        b"feb" => 2,
        b"mar" => 3,
        b"apr" => 4,
        b"may" => 5,
        b"jun" => 6,
        b"jul" => 7,
        b"aug" => 8,
        b"sep" => 9,
        b"oct" => 10,
        b"nov" => 11,
        b"dec" => 12,
        _ => return None,
    })
}

/// Returns a word of three letters in lower case.
fn lower_case(word: &[u8]) -> Option<[u8; 3]> {
    let word: [u8; 3] = word.try_into().ok()?;
    Some(word.map(|byte| byte.to_ascii_lowercase()))
}

/// Parses a year of four digits, or of two as Unix wrote it in the eighties.
fn parse_year(word: &[u8]) -> Option<i32> {
    let year = i32::try_from(number(word, 4)?).ok()?;
    match (word.len(), year) {
        (4, _) => Some(year),
        (2, 70..) => Some(1900 + year),
        (2, _) => Some(2000 + year),
        _ => None,
    }
}

/// Returns hour, minute and second of `12:09` or `12:09:16`; a leap second becomes the one before it.
fn parse_time(word: &[u8]) -> Option<(u32, u32, u32)> {
    let mut parts = word.split(|b| *b == b':');
    let hour = number(parts.next()?, 2)?;
    let minute = number(parts.next()?, 2)?;
    let second = parts.next().map_or(Some(0), |part| number(part, 2))?;
    (parts.next().is_none() && second <= 60).then_some((hour, minute, second.min(59)))
}

/// Returns the value of a word of one to `most` digits.
fn number(word: &[u8], most: usize) -> Option<u32> {
    if word.is_empty() || word.len() > most || !word.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(
        word.iter()
            .fold(0, |value, digit| value * 10 + u32::from(digit - b'0')),
    )
}

/// Returns whether a word can be a time zone: `EDT`, `WETDST`, `MET DST`, `+0100`, `(CET)`.
fn is_zone(word: &[u8]) -> bool {
    let inner = word
        .strip_prefix(b"(")
        .and_then(|word| word.strip_suffix(b")"))
        .unwrap_or(word);
    match inner {
        [b'+' | b'-', digits @ ..] => digits.len() == 4 && digits.iter().all(u8::is_ascii_digit),
        name => (1..=6).contains(&name.len()) && name.iter().all(u8::is_ascii_uppercase),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_many_writers_have_sender_and_date() {
        let rows = [
            (
                "From a@x Tue Jan  7 12:09:16 2003",
                "a@x",
                "2003-01-07 12:09:16",
            ),
            (
                "From a@x  Tue Jan  7 12:09:16 2003\r\n",
                "a@x",
                "2003-01-07 12:09:16",
            ),
            (
                "From a at x  Tue Apr 26 00:00:07 2016",
                "a at x",
                "2016-04-26 00:00:07",
            ),
            (
                "From - Wed Jul 01 20:00:00 1998",
                "-",
                "1998-07-01 20:00:00",
            ),
            (
                "From 1844@xxx Mon Jan 06 10:00:00 +0000 2020",
                "1844@xxx",
                "2020-01-06 10:00:00",
            ),
            (
                "From a@x Thu Sep 13 12:30:05 2001 -0400",
                "a@x",
                "2001-09-13 12:30:05",
            ),
            (
                "From a@x Sat Sep  1 20:58 EDT 2001",
                "a@x",
                "2001-09-01 20:58:00",
            ),
            (
                "From a Mon Jan  5 08:50:15 +0100 2004",
                "a",
                "2004-01-05 08:50:15",
            ),
            (
                "From a Mon Jan  5 08:50:15 MET DST 2004",
                "a",
                "2004-01-05 08:50:15",
            ),
            (
                "From a@x  Tue Jul  7 20:33:03 1998 WETDST",
                "a@x",
                "1998-07-07 20:33:03",
            ),
            (
                "From a@x Sun, 11 Nov 2007 06:58:35 +0200",
                "a@x",
                "2007-11-11 06:58:35",
            ),
            (
                "From a@x Sun, 11 Nov 2007 06:58:35 +0200 (CEST)",
                "a@x",
                "2007-11-11 06:58:35",
            ),
            (
                "From uu Thu Nov 24 18:22:48 86 remote from host",
                "uu",
                "1986-11-24 18:22:48",
            ),
            (
                "From \"a b\"@x Sat Dec 31 23:59:60 2016",
                "\"a b\"@x",
                "2016-12-31 23:59:59",
            ),
            ("From  Mon Jan  5 08:50:15 2004", "", "2004-01-05 08:50:15"),
            (
                "From Mon Mon Jan  5 08:50:15 2004",
                "Mon",
                "2004-01-05 08:50:15",
            ),
            (
                "From l\u{e9}a Mon Jan  5 08:50:15 2004",
                "l\u{e9}a",
                "2004-01-05 08:50:15",
            ),
        ];
        for (line, sender, time) in rows {
            let from = FromLine::parse(line.as_bytes()).expect(line);
            assert_eq!(from.sender, sender.as_bytes(), "{line}");
            assert_eq!(
                from.time.map(|t| t.to_string()).as_deref(),
                Some(time),
                "{line}"
            );
        }
    }

    #[test]
    fn a_line_that_is_made_can_be_taken_apart() {
        let time = DateTime::parse_from_rfc3339("2026-11-02T03:04:05+01:00").expect("a time");
        let rows: [(&[u8], &str); 4] = [
            (b"a@x", "From a@x Mon Nov  2 03:04:05 2026\n"),
            (b"\"a b\"@x\n", "From \"ab\"@x Mon Nov  2 03:04:05 2026\n"),
            (b" ", "From MAILER-DAEMON Mon Nov  2 03:04:05 2026\n"),
            (b"", "From MAILER-DAEMON Mon Nov  2 03:04:05 2026\n"),
        ];
        for (sender, expected) in rows {
            let line = from_line(sender, time);
            assert_eq!(String::from_utf8_lossy(&line), expected);
            let parsed = FromLine::parse(&line).expect("a From_ line");
            assert_eq!(parsed.time, Some(time.naive_local()));
        }
        let line = from_line(&b"a".repeat(100_000), time);
        assert!(FromLine::parse(&line).is_some_and(|line| line.time.is_some()));
        assert!(line.len() < 300);
    }

    #[test]
    fn text_that_begins_with_from_has_no_date() {
        for line in [
            "From the start this was wrong.",
            "From perl5-porters:",
            "From Mon to Fri we are open",
            "From Bob Mon Jan  6 10:00:00 2020 he wrote nothing",
            "From a@x Mon Jan 32 10:00:00 2020",
            "From a@x Mon Feb 30 10:00:00 2020",
            "From a@x Mon Jan  6 25:00:00 2020",
            "From a@x Mon Jan  6 10:61:00 2020",
            "From a@x Mon Jan  6 10:00:00",
            "From a@x Mon Jan  6 2020",
            "From a@x Mon Foo  6 10:00:00 2020",
            "From a@x Mon Jan  6 10:00:00 20201",
            "From a@x Jan  6 10:00:00 2020",
            "From ",
        ] {
            let from = FromLine::parse(line.as_bytes()).expect(line);
            assert_eq!(from.time, None, "{line}");
        }
        assert_eq!(FromLine::parse(b">From a@x Tue Jan  7 12:09:16 2003"), None);
        assert_eq!(FromLine::parse(b"From: a@x"), None);
    }

    #[test]
    fn without_a_date_only_known_writers_are_plausible() {
        let rows = [
            ("From - ", true),
            ("From -", true),
            ("From - whatever", true),
            ("From 1844674407370955@xxx whatever", true),
            ("From a@example.org", true),
            ("From a@example.org:", false),
            ("From a@example.org we got", false),
            ("From here", false),
            ("From @ home", false),
            ("From --- a/file", false),
            ("From ", false),
        ];
        for (line, expected) in rows {
            let from = FromLine::parse(line.as_bytes()).expect(line);
            assert_eq!(from.is_plausible_without_date(), expected, "{line}");
        }
    }
}
