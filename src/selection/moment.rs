//! Dates, ages and sizes, as searches name them.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Datelike, Days, FixedOffset, Months, NaiveDate, NaiveDateTime, Weekday};

use crate::message::parse::month_named;
use crate::sys::clock;

/// What a date has to be, for complaints.
pub(crate) const DATE: &str = "a date is 2026-11-30, 30-Nov-2026, 30-Nov, today, yesterday, a weekday, or an age such \
                               as 7d; a time may follow 2026-11-30 as T10:30";
/// What an age has to be.
pub(crate) const AGE: &str = "an age is a number with a unit m, h, d, w or y, such as 30d";
/// What a size has to be.
pub(crate) const SIZE: &str = "a size is a number of bytes, with K, M or G if wanted, such as 10K";

/// A span of time: from its first moment, and until before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// The first moment that belongs to it.
    pub(crate) start: SystemTime,
    /// The first moment after it.
    pub(crate) end: SystemTime,
}

/// Reads a date: a day, or a minute of a day, in the local zone. An age is that long ago.
///
/// `now` is the present time.
pub(crate) fn span(text: &str, now: DateTime<FixedOffset>) -> Option<Span> {
    let text = text.trim().to_ascii_lowercase();
    if let Some(age) = age(&text) {
        let start = ago(now.into(), age);
        return Some(Span { start, end: start });
    }
    let (day, time) = match text.split_once('t').filter(|(day, _)| is_iso(day)) {
        Some((day, time)) => (day, Some(time)),
        None => (&*text, None),
    };
    let day = day_of(day, now.date_naive())?;
    match time {
        None => whole(day),
        Some(time) => {
            let mut parts = time.split(':');
            let hour = number(parts.next()?)?;
            let minute = number(parts.next().unwrap_or("0"))?;
            let second = parts.next().map(number);
            if parts.next().is_some() {
                return None;
            }
            let length = if second.is_some() { 1 } else { 60 };
            let second = second.unwrap_or(Some(0))?;
            let start = moment(day.and_hms_opt(hour, minute, second)?)?;
            let end = start.checked_add(Duration::from_secs(length))?;
            Some(Span { start, end })
        }
    }
}

/// Returns a day from its first moment to its end.
fn whole(day: NaiveDate) -> Option<Span> {
    let next = day.checked_add_days(Days::new(1))?;
    Some(Span {
        start: moment(day.and_hms_opt(0, 0, 0)?)?,
        end: moment(next.and_hms_opt(0, 0, 0)?)?,
    })
}

/// Returns whether a text has the digits and dashes of `2026-11-30`.
fn is_iso(text: &str) -> bool {
    text.len() >= 8
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-')
}

fn number(text: &str) -> Option<u32> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

fn day_of(text: &str, today: NaiveDate) -> Option<NaiveDate> {
    match text {
        "today" => return Some(today),
        "yesterday" => return today.pred_opt(),
        _ => {}
    }
    const DAYS: [&str; 7] = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    // The last such day before today: on a Monday, `monday` is a week ago and not today.
    let named = |name: &&str| text.len() >= 3 && name.starts_with(text);
    if let Some(at) = DAYS.iter().position(named) {
        let wanted = Weekday::try_from(u8::try_from(at).ok()?).ok()?;
        let back = (7 + today.weekday().num_days_from_monday() - wanted.num_days_from_monday()) % 7;
        return today.checked_sub_days(Days::new(if back == 0 { 7 } else { back.into() }));
    }
    let mut parts = text.split(['-', '/', '.']);
    let (first, second) = (parts.next()?, parts.next()?);
    let Some(third) = parts.next() else {
        return day_and_month(first, second, today);
    };
    if parts.next().is_some() {
        return None;
    }
    let (year, month, day) = match (first.len(), month(second)) {
        // ISO 8601, and what IMAP has: 30-Nov-2026 (RFC 3501 section 6.4.4).
        (4, Some(month)) => (first, month, third),
        (1 | 2, Some(month)) if third.len() == 4 && number(second).is_none() => {
            (third, month, first)
        }
        // 3/4/2026 is a day in March to some and in April to others: it is refused.
        _ => return None,
    };
    let year = i32::try_from(number(year)?).ok()?;
    NaiveDate::from_ymd_opt(year, month, number(day)?)
}

/// Returns the last such day, today included: `30-nov`, `nov-30`.
///
/// The month has a name, since 3/4 is a day in March to some and in April to others.
fn day_and_month(first: &str, second: &str, today: NaiveDate) -> Option<NaiveDate> {
    let (day, named) = match number(first) {
        Some(day) => (day, second),
        None => (number(second)?, first),
    };
    let named = month_named(named.as_bytes())?;
    // The 29th of February may be as long ago as 8 years.
    let mut years = (today.year() - 8..=today.year()).rev();
    years.find_map(|year| {
        let found = NaiveDate::from_ymd_opt(year, named, day)?;
        (found <= today).then_some(found)
    })
}

/// Reads a day of the month as the last such day, today included: `24`.
///
/// For one day only: who means `7d` and writes `before:7` would delete what is newer.
pub(crate) fn day_of_month(text: &str, now: DateTime<FixedOffset>) -> Option<Span> {
    if text.len() > 2 {
        return None;
    }
    let (wanted, today) = (number(text)?, now.date_naive());
    // One of three months in a row has 31 days.
    let mut months = (0..3).filter_map(|back| {
        let month = today.with_day(1)?.checked_sub_months(Months::new(back))?;
        month.with_day(wanted).filter(|&day| day <= today)
    });
    whole(months.next()?)
}

fn month(text: &str) -> Option<u32> {
    if let Some(number) = number(text) {
        return (1..=12).contains(&number).then_some(number);
    }
    month_named(text.as_bytes())
}

/// Returns the time that a local clock shows so; where clocks go forward, the next one that exists.
fn moment(shown: NaiveDateTime) -> Option<SystemTime> {
    let found = clock::of_local(shown)
        .or_else(|| clock::of_local(shown.checked_add_signed(chrono::TimeDelta::hours(1))?));
    found.map(SystemTime::from)
}

/// Reads an age: a number and a unit.
pub(crate) fn age(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back()?;
    let seconds: u64 = match unit.to_ascii_lowercase() {
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        'w' => 7 * 24 * 60 * 60,
        'y' => 365 * 24 * 60 * 60,
        _ => return None,
    };
    let number = &text[..text.len() - unit.len_utf8()];
    // `parse` alone would take `+3d` as well.
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = is_number.then(|| number.parse().ok())??;
    number.checked_mul(seconds).map(Duration::from_secs)
}

/// Returns the time so long ago. Before 1970 nothing was delivered.
pub(crate) fn ago(now: SystemTime, age: Duration) -> SystemTime {
    now.checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> DateTime<FixedOffset> {
        DateTime::parse_from_rfc3339("2026-11-30T12:00:00+00:00").unwrap()
    }

    fn days(text: &str) -> Option<String> {
        let span = span(text, now())?;
        Some(
            clock::local(span.start)
                .format("%Y-%m-%d %H:%M")
                .to_string(),
        )
    }

    #[test]
    fn dates_are_read_in_the_forms_that_people_use() {
        let rows = [
            ("2026-11-01", "2026-11-01 00:00"),
            ("2026/11/01", "2026-11-01 00:00"),
            ("1-Nov-2026", "2026-11-01 00:00"),
            ("01-november-2026", "2026-11-01 00:00"),
            ("2026-nov-1", "2026-11-01 00:00"),
            ("today", "2026-11-30 00:00"),
            ("Yesterday", "2026-11-29 00:00"),
            // The 30th is a Monday.
            ("monday", "2026-11-23 00:00"),
            ("sun", "2026-11-29 00:00"),
            ("24-nov", "2026-11-24 00:00"),
            ("Nov-24", "2026-11-24 00:00"),
            ("30-nov", "2026-11-30 00:00"),
            // This year it is still to come.
            ("1-dec", "2025-12-01 00:00"),
            ("29-february", "2024-02-29 00:00"),
            ("2026-11-01T10:30", "2026-11-01 10:30"),
            ("2026-11-01t9", "2026-11-01 09:00"),
        ];
        for (text, expected) in rows {
            assert_eq!(days(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_day_of_the_month_is_the_last_such_day() {
        let day = |text: &str| {
            let span = day_of_month(text, now())?;
            Some(clock::local(span.start).format("%Y-%m-%d").to_string())
        };
        let rows = [
            ("24", Some("2026-11-24")),
            ("5", Some("2026-11-05")),
            ("05", Some("2026-11-05")),
            ("30", Some("2026-11-30")),
            ("31", Some("2026-10-31")),
            ("0", None),
            ("32", None),
            ("024", None),
            ("7d", None),
            ("", None),
        ];
        for (text, expected) in rows {
            assert_eq!(day(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn malformed_dates_are_refused() {
        for text in [
            "",
            "x",
            "2026",
            "2026-13-01",
            "2026-02-30",
            "3/4/2026",
            "1-2-2026",
            "99999-01-01",
            "-1d",
            "d",
            "+3d",
            "2026-11-01T",
            "2026-11-01T25:00",
            "2026-11-01T1:2:3:4",
            "mo",
            "1-foo-2026",
            "24-11",
            "31-nov",
            "0-nov",
            "nov-dec",
            "24",
            "2026-11-01-02",
            "99999999999999999999d",
            "٣d",
            "0000000000000",
        ] {
            assert_eq!(span(text, now()), None, "{text}");
        }
    }

    #[test]
    fn ages_have_units() {
        assert_eq!(age("2w"), Some(Duration::from_secs(14 * 86400)));
        assert_eq!(age("300000000000000w"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,24}") {
            let _ = (span(&text, now()), age(&text));
        }

        #[test]
        fn a_day_holds_its_hours(year in 1970i32..2200, month in 1u32..=12, day in 1u32..=28, hour in 0u32..24) {
            let day = format!("{year}-{month:02}-{day:02}");
            let whole = span(&day, now()).unwrap();
            let hour = span(&format!("{day}T{hour}:30"), now()).unwrap();
            prop_assert!(whole.start <= hour.start && hour.end <= whole.end);
        }
    }
}
