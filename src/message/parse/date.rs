//! The time in a Date field, in every form that mailers and scripts write.
//!
//! A Date field should look like `Mon, 16 Nov 2026 09:00:00 +0100` (RFC 5322 section 3.3). Scripts
//! write what `date` prints, old mailers name zones, others leave out what they think nobody needs.
//! So the words are not read by their places but by what they look like: a time has a colon, a
//! month has a name, a zone has a sign. What follows a complete date and cannot be read is ignored.

use chrono::{DateTime, FixedOffset, NaiveDate};

use super::{fields, words};

/// How much of a Date field is read, in bytes; comments may follow the time.
const MAX_DATE: usize = 4096;

/// The time that a Date field names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SentTime {
    /// The time in the sender's zone, in UTC if that is not known.
    pub time: DateTime<FixedOffset>,
    /// Whether the field names a zone that we know; `-0000` says that it is not known.
    pub has_zone: bool,
}

/// Returns the time that a Date field body names, in its own zone.
///
/// A time without a zone is taken for UTC, and so is one whose zone we do not know (RFC 5322 section
/// 4.3). A wrong weekday does not matter. `None` without a day, a year and a time of day, and for a
/// day that no calendar has.
pub fn date(body: &[u8]) -> Option<SentTime> {
    let body = fields::unfold(words::cut(body, MAX_DATE));
    let body = joined_at_colons(&without_comments(&body));
    let mut found = Found::default();
    for word in body.split(|byte| byte.is_ascii_whitespace() || *byte == b',') {
        found.word(word)?;
    }
    found.time()
}

/// Returns a field body with a blank for each comment (RFC 5322 section 3.2.2).
fn without_comments(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut depth = 0_usize;
    let mut bytes = body.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'(' => depth += 1,
            b')' if depth > 0 => {
                depth -= 1;
                out.push(b' ');
            }
            b'\\' if depth > 0 => {
                bytes.next();
            }
            _ if depth == 0 => out.push(byte),
            _ => {}
        }
    }
    out
}

/// Returns a date without blanks around colons: old syntax has `09 : 00` (RFC 5322 section 4.3).
fn joined_at_colons(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    for (number, piece) in body.split(|byte| *byte == b':').enumerate() {
        let piece = if number > 0 {
            out.truncate(out.trim_ascii_end().len());
            out.push(b':');
            piece.trim_ascii_start()
        } else {
            piece
        };
        out.extend_from_slice(piece);
    }
    out
}

/// The parts of a date that were found so far.
#[derive(Default)]
struct Found {
    year: Option<i32>,
    month: Option<u32>,
    day: Option<u32>,
    /// Hour, minute, second.
    time: Option<(u32, u32, u32)>,
    /// Seconds east of UTC.
    zone: Option<i32>,
    /// Whether the zone is a number, which a name beside it cannot change.
    zone_is_number: bool,
}

impl Found {
    /// Reads one word; `None` if no date can have it.
    fn word(&mut self, word: &[u8]) -> Option<()> {
        // `Nov.`, and the semicolon of a trace field.
        let word = word.trim_ascii_end();
        let word = word.strip_suffix(b".").unwrap_or(word);
        let Some(&first) = word.first() else {
            return Some(());
        };
        if first.is_ascii_digit() {
            return self.number_word(word);
        }
        if matches!(first, b'+' | b'-') {
            self.numeric_zone(word);
            return Some(());
        }
        self.name(word)
    }

    /// Reads a word that begins with a digit: a time, a day, a year, or a date in one word.
    fn number_word(&mut self, word: &[u8]) -> Option<()> {
        if let Some(at) = word.iter().position(|byte| matches!(byte, b'T' | b't'))
            && word.get(..at).is_some_and(|date| date.contains(&b'-'))
            && self.is_dateless()
        {
            // ISO 8601: `2026-11-16T09:00:00+01:00`.
            self.number_word(&word[..at])?;
            return self.number_word(&word[at + 1..]);
        }
        let zone = &word[word.iter().take_while(|byte| byte.is_ascii_digit()).count()..];
        if self.is_complete() && (zone == b"Z" || offset(zone).is_some()) {
            // ISO 8601 may have a comma before the parts of a second: `10:00:00,123+01:00`.
            self.named_zone(zone);
            return Some(());
        }
        if word.contains(&b':') {
            return self.time_word(word, b':');
        }
        if word.contains(&b'-') || word.contains(&b'/') {
            return self.joined(word);
        }
        if word.contains(&b'.') {
            return self.time_word(word, b'.');
        }
        match (number(word, 4), word.len()) {
            // asctime has the day behind the month, RFC 5322 before it: both before the year.
            (Some(day), 1 | 2) if self.day.is_none() => self.day = Some(day),
            (Some(year), 2..=4) if self.year.is_none() => self.year = Some(full_year(year, word)),
            // Some mailers forget the sign of an eastern zone.
            (Some(_), 4) if self.is_complete() => self.numeric_zone(&[b"+", word].concat()),
            _ if self.is_complete() => {}
            _ => return None,
        }
        Some(())
    }

    /// Reads a date in one word: `16-Nov-2026`, `2026-11-16`.
    fn joined(&mut self, word: &[u8]) -> Option<()> {
        let mut pieces = word.split(|byte| matches!(byte, b'-' | b'/'));
        let pieces = [pieces.next()?, pieces.next()?, pieces.next()?];
        let (year, month, day) = match pieces {
            // The order of `11/16/2026` depends on the country: such a date is not read.
            [year, month, day] if year.len() == 4 => (year, number(month, 2)?, day),
            [day, month, year] => (year, month_named(month)?, day),
        };
        if self.is_dateless() {
            self.year = Some(full_year(number(year, 4)?, year));
            self.month = Some(month);
            self.day = Some(number(day, 2)?);
        }
        Some(())
    }

    /// Reads `09:00`, `09:00:00`, `09:00:00.5`, and what stands behind without a blank: `Z`, `+0100`, `pm`.
    fn time_word(&mut self, word: &[u8], colon: u8) -> Option<()> {
        if self.time.is_some() {
            return Some(());
        }
        let is_of_time = |byte: &u8| byte.is_ascii_digit() || *byte == colon || *byte == b'.';
        let end = word.iter().position(|byte| !is_of_time(byte));
        let (time, behind) = word.split_at(end.unwrap_or(word.len()));
        let mut pieces = time.split(|byte| *byte == colon);
        let hour = number(pieces.next()?, 2)?;
        let minute = number(pieces.next()?, 2)?;
        let second = pieces.next().map_or(Some(0), |second| {
            // Parts of a second are not kept.
            number(second.split(|byte| *byte == b'.').next()?, 2)
        })?;
        let is_time = pieces.next().is_none() && hour < 24 && minute < 60 && second <= 60;
        // A leap second is shown as the one before it.
        self.time = is_time.then_some((hour, minute, second.min(59)));
        self.time?;
        match behind.first() {
            Some(b'+' | b'-') => self.numeric_zone(behind),
            Some(_) => return self.name(behind),
            None => {}
        }
        Some(())
    }

    /// Reads a word that begins with no digit: a weekday, a month, `PM`, a zone.
    fn name(&mut self, word: &[u8]) -> Option<()> {
        if let (None, Some(month)) = (self.month, month_named(word)) {
            self.month = Some(month);
        } else if let Some((hour, _, _)) = &mut self.time
            && let Some(is_afternoon) = afternoon(word)
        {
            // A clock of twelve hours begins at 12.
            if (1..=12).contains(hour) {
                *hour = *hour % 12 + if is_afternoon { 12 } else { 0 };
            }
        } else if self.time.is_some() {
            self.named_zone(word);
        }
        // Anything before the time is a weekday in some language, or `at`.
        Some(())
    }

    /// Reads a zone's name, and a number that follows it without a blank (`GMT+2`).
    fn named_zone(&mut self, word: &[u8]) {
        let sign = word.iter().position(|byte| matches!(byte, b'+' | b'-'));
        let (name, number) = word.split_at(sign.unwrap_or(word.len()));
        if !number.is_empty() {
            return self.numeric_zone(number);
        }
        let upper = name.to_ascii_uppercase();
        if self.zone_is_number {
            // `+0100 CET`: the number is exact.
        } else if upper == b"DST" {
            // `MET DST`.
            self.zone = self.zone.map(|zone| zone + 3600);
        } else if self.zone.is_none() {
            let known = ZONES.iter().find(|(name, _)| name.as_bytes() == upper);
            self.zone = known.map(|(_, minutes)| minutes * 60);
        }
    }

    /// Reads `+0100`, `-600`, `+2`, `+02:00`.
    fn numeric_zone(&mut self, word: &[u8]) {
        if self.zone_is_number || self.time.is_none() {
            return;
        }
        self.zone_is_number = true;
        self.zone = offset(word);
    }

    fn is_dateless(&self) -> bool {
        self.year.is_none() && self.month.is_none() && self.day.is_none()
    }

    fn is_complete(&self) -> bool {
        self.year.is_some() && self.month.is_some() && self.day.is_some() && self.time.is_some()
    }

    fn time(&self) -> Option<SentTime> {
        // RFC 5322 section 3.3 knows no year before: such a number is a fault of some clock.
        let year = self.year.filter(|year| *year >= 1900)?;
        let (hour, minute, second) = self.time?;
        let zone = self.zone.and_then(FixedOffset::east_opt);
        let time = NaiveDate::from_ymd_opt(year, self.month?, self.day?)?
            .and_hms_opt(hour, minute, second)?
            .and_local_timezone(zone.unwrap_or(UTC))
            .single()?;
        Some(SentTime {
            time,
            has_zone: zone.is_some(),
        })
    }
}

/// The offset of a time without a zone.
const UTC: FixedOffset = FixedOffset::east_opt(0).expect("no offset is in range");

/// Names of zones, and their minutes east of UTC.
///
/// Those of RFC 5322 section 4.3, and others that stand for one zone only. The letters of the
/// military say nothing but for `Z`, because RFC 822 had their signs wrong.
const ZONES: &[(&str, i32)] = &[
    ("Z", 0),
    ("UT", 0),
    ("UTC", 0),
    ("GMT", 0),
    ("WET", 0),
    ("EST", -300),
    ("EDT", -240),
    ("CST", -360),
    ("CDT", -300),
    ("MST", -420),
    ("MDT", -360),
    ("PST", -480),
    ("PDT", -420),
    ("AKST", -540),
    ("AKDT", -480),
    ("HST", -600),
    ("AST", -240),
    ("ADT", -180),
    ("NST", -210),
    ("NDT", -150),
    ("BST", 60),
    ("WEST", 60),
    ("CET", 60),
    ("MET", 60),
    ("MEZ", 60),
    ("CEST", 120),
    ("MEST", 120),
    ("MESZ", 120),
    ("EET", 120),
    ("SAST", 120),
    ("EEST", 180),
    ("MSK", 180),
    ("HKT", 480),
    ("SGT", 480),
    ("AWST", 480),
    ("JST", 540),
    ("KST", 540),
    ("ACST", 570),
    ("ACDT", 630),
    ("AEST", 600),
    ("AEDT", 660),
    ("NZST", 720),
    ("NZDT", 780),
];

/// Returns the seconds east of UTC of a number with a sign: hours, then two digits of minutes.
fn offset(word: &[u8]) -> Option<i32> {
    // `+-0500` is a sign too many.
    let word = word.strip_prefix(b"+-").map_or(word, |_| &word[1..]);
    let (sign, digits) = word.split_first()?;
    let (hours, minutes) = match digits.iter().position(|byte| matches!(byte, b':' | b'.')) {
        Some(colon) => (&digits[..colon], digits.get(colon + 1..colon + 3)?),
        None if digits.len() <= 2 => (digits, &b"0"[..]),
        // `-600` is six hours: the last two digits are minutes.
        None => digits.split_at(digits.len() - 2),
    };
    let (hours, minutes) = (number(hours, 2)?, number(minutes, 2)?);
    // Sixty minutes and a whole day are no offset.
    let seconds = i32::try_from((minutes < 60).then_some(hours * 3600 + minutes * 60)?).ok()?;
    match (sign, seconds) {
        // "No information about the local time zone" (RFC 5322 section 3.3).
        (b'-', 0) => None,
        (b'-', _) => Some(-seconds),
        _ => Some(seconds),
    }
}

/// Returns a year of which only the last digits were written (RFC 5322 section 4.3).
fn full_year(year: u32, digits: &[u8]) -> i32 {
    let century = match (digits.len(), year) {
        (2, 0..50) => 2000,
        // `102` and `0102` count from 1900, as C does.
        (2 | 3, _) | (4, 100..200) => 1900,
        _ => 0,
    };
    // It has four digits at most.
    year as i32 + century
}

/// Returns the number of a month's English name, which may be cut to three letters.
pub(crate) fn month_named(word: &[u8]) -> Option<u32> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let word = word.to_ascii_lowercase();
    let is_month = |name: &&str| word.len() >= 3 && name.as_bytes().starts_with(&word);
    let at = MONTHS.iter().position(is_month)?;
    u32::try_from(at + 1).ok()
}

/// Returns whether a word is `PM`, or `AM`.
fn afternoon(word: &[u8]) -> Option<bool> {
    if word.eq_ignore_ascii_case(b"pm") {
        Some(true)
    } else {
        word.eq_ignore_ascii_case(b"am").then_some(false)
    }
}

/// Returns the value of a word of one to `most` digits.
fn number(word: &[u8], most: usize) -> Option<u32> {
    let is_number = (1..=most).contains(&word.len()) && word.iter().all(u8::is_ascii_digit);
    is_number.then(|| {
        word.iter()
            .fold(0, |all, digit| all * 10 + u32::from(digit - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a table says of a time without a zone.
    const NONE: &str = " without a zone";

    #[track_caller]
    fn check(given: &str, expected: Option<&str>) {
        let found = date(given.as_bytes()).map(|found| {
            let zone = if found.has_zone { "" } else { NONE };
            found.time.to_rfc3339() + zone
        });
        assert_eq!(found.as_deref(), expected, "{given:?}");
    }

    #[test]
    fn dates_as_mailers_write_them() {
        for given in [
            "Mon, 16 Nov 2026 09:00:00 +0100",
            "Mon, 16 Nov 2026 09:00:00 +0100 (CET)",
            "Mon, 16 Nov 2026 09:00:00 +0100 CET",
            "(a (nested \\) one)) Mon, 16 Nov (x) 2026 09:00:00 (y) +0100",
            "Mon,\n 16 Nov 2026\r\n\t09:00:00 +0100",
            // A wrong weekday, none, one of another language, one in full.
            "Fri, 16 Nov 2026 09:00:00 +0100",
            "16 Nov 2026 09:00:00 +0100",
            "Mo, 16 Nov 2026 09:00:00 +0100",
            "Monday, 16-Nov-26 09:00:00 +0100",
            "Mon,16 Nov 2026 09:00:00 +0100",
            "Mon, 16 Nov 2026, 09:00:00, +0100",
            // Months.
            "Mon, 16 NOV 2026 09:00:00 +0100",
            "Mon, 16 Nov. 2026 09:00:00 +0100",
            "Mon, 16 November 2026 09:00:00 +0100",
            "Mon, November 16, 2026 09:00:00 +0100",
            // Times.
            "Mon, 16 Nov 2026 09:00 +0100",
            "Mon, 16 Nov 2026 9:0:0 +0100",
            "Mon, 16 Nov 2026 09.00.00 +0100",
            "Mon, 16 Nov 2026 09(comment):   00  :  00 +0100",
            "Mon, 16 Nov 2026 09:00:00.123 +0100",
            "Nov 16, 2026 9:00:00 AM +0100",
            "Mon, 16 Nov 2026 09:00:00+0100",
            // Years.
            "Mon, 16 Nov 26 09:00:00 +0100",
            "Mon, 16 Nov 126 09:00:00 +0100",
            "Mon, 16 Nov 0126 09:00:00 +0100",
            // Zones.
            "Mon, 16 Nov 2026 09:00:00 +100",
            "Mon, 16 Nov 2026 09:00:00 +01:00",
            "Mon, 16 Nov 2026 09:00:00 +1:00",
            "Mon, 16 Nov 2026 09:00:00 +01",
            "Mon, 16 Nov 2026 09:00:00 +1",
            "Mon, 16 Nov 2026 09:00:00 0100",
            "Mon, 16 Nov 2026 09:00:00 GMT+1",
            "Mon, 16 Nov 2026 09:00:00 GMT+0100 (Central European Standard Time)",
            "Mon, 16 Nov 2026 09:00:00 GMT +0100",
            "Mon, 16 Nov 2026 09:00:00 UTC+01:00",
            "Mon, 16 Nov 2026 09:00:00 CET",
            "Mon, 16 Nov 2026 09:00:00 cet",
            "Mon, 16 Nov 2026 09:00:00 MEZ",
            "Mon, 16 Nov 2026 09:00:00 MET",
            "Mon, 16 Nov 2026 09:00:00 WET DST",
            "Mon, 16 Nov 2026 09:00:00 BST",
            // What `date` and ctime print, and ISO 8601.
            "Mon Nov 16 09:00:00 CET 2026",
            "Mon Nov 16 09:00:00 2026 +0100",
            "Mon Nov 16 09:00:00 +0100 2026",
            "Mon 16 Nov 2026 09:00:00 AM CET",
            "2026-11-16T09:00:00+01:00",
            "2026-11-16T09:00:00,123456789+01:00",
            "2026-11-16T09:00:00,123+0100",
            "2026-11-16 09:00:00 +0100",
            "2026/11/16 09:00:00 +0100",
            // What follows a date is no part of it.
            "Mon, 16 Nov 2026 09:00:00 +0100 17:00 or later 5 -0300",
        ] {
            check(given, Some("2026-11-16T09:00:00+01:00"));
        }
    }

    #[test]
    fn zones_as_mailers_write_them() {
        for (zone, expected) in [
            ("-600", "-06:00"),
            ("-0600", "-06:00"),
            ("-6", "-06:00"),
            ("-06:00", "-06:00"),
            ("-6:00", "-06:00"),
            ("-0530", "-05:30"),
            ("+545", "+05:45"),
            ("+1400", "+14:00"),
            ("+-0500", "-05:00"),
            ("UTC-5", "-05:00"),
            ("EST-0500", "-05:00"),
            ("EST -0500", "-05:00"),
            ("-0500 EST", "-05:00"),
            // A number is exact, whatever the name beside it says.
            ("+0200 CET", "+02:00"),
            ("UT", "+00:00"),
            ("UTC", "+00:00"),
            ("GMT", "+00:00"),
            ("Z", "+00:00"),
            ("+0000", "+00:00"),
            ("EST", "-05:00"),
            ("EDT", "-04:00"),
            ("CST", "-06:00"),
            ("MDT", "-06:00"),
            ("PDT", "-07:00"),
            ("NST", "-03:30"),
            ("CEST", "+02:00"),
            ("MESZ", "+02:00"),
            ("MET DST", "+02:00"),
            ("EEST", "+03:00"),
            ("JST", "+09:00"),
            ("ACST", "+09:30"),
            ("NZDT", "+13:00"),
        ] {
            let given = format!("Mon, 16 Nov 2026 09:00:00 {zone}");
            check(&given, Some(&format!("2026-11-16T09:00:00{expected}")));
        }
    }

    #[test]
    fn a_time_without_a_zone_is_in_utc() {
        for given in [
            "Mon, 16 Nov 2026 09:00:00",
            "Mon, 16 Nov 2026 09:00",
            "Mon Nov 16 09:00:00 2026",
            "2026-11-16T09:00:00",
            // A comment is no zone.
            "Mon, 16 Nov 2026 09:00:00 (CET)",
            // The sender says that he does not know it, or nobody does.
            "Mon, 16 Nov 2026 09:00:00 -0000",
            "Mon, 16 Nov 2026 09:00:00 -00:00",
            "Mon, 16 Nov 2026 09:00:00 A",
            "Mon, 16 Nov 2026 09:00:00 Y",
            "Mon, 16 Nov 2026 09:00:00 XYZ",
            "Mon, 16 Nov 2026 09:00:00 LMT",
            "Mon, 16 Nov 2026 09:00:00 \"GMT\"",
            "Mon, 16 Nov 2026 09:00:00 +",
            "Mon, 16 Nov 2026 09:00:00 +9999",
            "Mon, 16 Nov 2026 09:00:00 +2400",
            "Mon, 16 Nov 2026 09:00:00 +0070",
            "Mon, 16 Nov 2026 09:00:00 +01000",
            "Mon, 16 Nov 2026 09:00:00 +xx",
            "Mon, 16 Nov 2026 09:00:00 +0x:00",
            "Mon, 16 Nov 2026 09:00:00 Westeurop\u{e4}ische Zeit",
        ] {
            check(given, Some(&format!("2026-11-16T09:00:00+00:00{NONE}")));
        }
    }

    #[test]
    fn years_and_hours_at_the_borders() {
        for (given, expected) in [
            ("1 Jan 49 00:00 Z", Some("2049-01-01T00:00:00+00:00")),
            ("1 Jan 50 00:00 Z", Some("1950-01-01T00:00:00+00:00")),
            ("1 Jan 99 00:00 Z", Some("1999-01-01T00:00:00+00:00")),
            ("1 Jan 100 00:00 Z", Some("2000-01-01T00:00:00+00:00")),
            ("1 Jan 1900 00:00 Z", Some("1900-01-01T00:00:00+00:00")),
            ("1 Jan 9999 23:59:59 Z", Some("9999-01-01T23:59:59+00:00")),
            ("31 Dec 2016 23:59:60 Z", Some("2016-12-31T23:59:59+00:00")),
            ("29 Feb 2024 12:00 AM Z", Some("2024-02-29T00:00:00+00:00")),
            ("29 Feb 2024 12:30pm Z", Some("2024-02-29T12:30:00+00:00")),
            ("29 Feb 2024 13:30 PM Z", Some("2024-02-29T13:30:00+00:00")),
            ("29 Feb 2023 12:00 Z", None),
            ("31 Feb 2026 09:00:00 +0000", None),
            ("0 Jan 2026 09:00 Z", None),
            ("1 Jan 0026 09:00 Z", None),
            ("1 Jan 12026 09:00 Z", None),
            ("1 Jan 2026 24:00 Z", None),
            ("1 Jan 2026 09:60 Z", None),
            ("1 Jan 2026 09:00:61 Z", None),
            ("1 Jan 2026 09:00:00:00 Z", None),
            // The order of day and month is not known.
            ("11/12/2026 09:00 Z", None),
            ("11.12.2026 09:00 Z", None),
            ("1 Foo 2026 09:00 Z", None),
            ("1 Jan 2026", None),
            ("1 Jan 09:00 Z", None),
            ("Jan 2026 09:00 Z", None),
            ("09:00:00", None),
            ("+0100", None),
            ("yesterday", None),
            ("(Mon, 16 Nov 2026 09:00:00 +0100)", None),
            (" \t\r\n", None),
            ("", None),
        ] {
            check(given, expected);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_a_date_panic(body in "[0-9A-Za-z+:./, ()\\\\\u{e4}\0-]{0,60}") {
            date(body.as_bytes());
        }
    }
}
