//! How dates are shown in header lines (`datefield`).

use chrono::{DateTime, Datelike, Duration, FixedOffset};

/// The dates of header lines.
#[derive(Clone, Debug)]
pub(crate) struct Dates {
    /// Whether the date is that of the Date field; else it is that of the From_ line.
    pub is_sent: bool,
    /// The format; `None` for ISO dates: with the time in this year, with the year in others.
    pub format: Option<String>,
    /// The format of dates more than half a year ago, or more than a day ahead.
    pub format_of_old: Option<String>,
    /// The time now, in the user's zone.
    pub now: DateTime<FixedOffset>,
}

impl Dates {
    /// Returns a date as it is shown.
    pub(crate) fn show(&self, date: DateTime<FixedOffset>) -> String {
        let is_old = date < self.now - Duration::days(183) || date > self.now + Duration::days(1);
        let format = match (&self.format_of_old, &self.format) {
            (Some(old), _) if is_old => old,
            (_, Some(format)) => format,
            _ if date.year() == self.now.year() => "%m-%d %H:%M",
            _ => "%Y-%m-%d",
        };
        date.format(format).to_string()
    }
}

impl Default for Dates {
    /// Returns the date of the From_ line.
    fn default() -> Dates {
        Dates {
            is_sent: false,
            format: None,
            format_of_old: None,
            now: DateTime::UNIX_EPOCH.fixed_offset(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::headline::date_format;

    #[test]
    fn a_date_has_its_year_where_that_is_not_this_one() {
        let time = |text: &str| DateTime::parse_from_rfc3339(text).unwrap();
        let mut dates = Dates {
            is_sent: true,
            now: time("2026-11-30T12:00:00Z"),
            ..Dates::default()
        };
        for (date, shown) in [
            ("2026-11-16T09:00:00Z", "11-16 09:00"),
            ("2026-01-01T00:00:00Z", "01-01 00:00"),
            ("2025-12-31T23:59:00Z", "2025-12-31"),
            ("2027-01-01T00:00:00Z", "2027-01-01"),
        ] {
            assert_eq!(dates.show(time(date)), shown);
        }
        dates.format = date_format("%d.%m.");
        dates.format_of_old = date_format("%Y");
        assert_eq!(dates.show(time("2026-11-16T09:00:00Z")), "16.11.");
        assert_eq!(dates.show(time("2026-05-16T09:00:00Z")), "2026");
        assert_eq!(dates.show(time("2026-12-16T09:00:00Z")), "2026");
    }
}
