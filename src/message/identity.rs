//! The Date and Message-ID of a mail, made from a time, a random number and a host name of the caller.

use chrono::{DateTime, FixedOffset};

/// Returns the body of a Date field (RFC 5322 section 3.3) for a time zone east of Greenwich by so many seconds.
///
/// Zones have whole minutes there; times that no calendar holds are shown as the epoch.
pub fn date(unix_seconds: i64, east_seconds: i32) -> String {
    // Zones of old local times have seconds; `+hhmm` cannot say them.
    let whole_minutes = east_seconds / 60 * 60;
    let zone = FixedOffset::east_opt(whole_minutes)
        .unwrap_or(FixedOffset::east_opt(0).expect("zero is a zone"));
    DateTime::from_timestamp(unix_seconds, 0)
        .unwrap_or_default()
        .with_timezone(&zone)
        .format("%a, %d %b %Y %H:%M:%S %z")
        .to_string()
}

/// Returns a Message-ID, with its angle brackets (RFC 5322 section 3.6.4).
///
/// The time keeps ids of one host apart and in order, the random number keeps
/// them apart where clocks are equal. Of the host's name only what a dot-atom
/// may hold is used; none at all becomes `localhost`.
pub fn message_id(unix_seconds: i64, random: u64, host: &str) -> String {
    let host: String = host
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
        // A Message-ID cannot be folded: with 200 characters the line stays far below 998.
        .take(200)
        .collect();
    let host = match host.trim_matches('.') {
        "" => "localhost",
        host => host,
    };
    format!("<{:x}.{random:016x}@{host}>", unix_seconds.max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_as_rfc_5322_writes_them() {
        assert_eq!(date(0, 0), "Thu, 01 Jan 1970 00:00:00 +0000");
        assert_eq!(
            date(1_700_000_000, 19_800),
            "Wed, 15 Nov 2023 03:43:20 +0530"
        );
        assert_eq!(
            date(1_700_000_000, -12_600),
            "Tue, 14 Nov 2023 18:43:20 -0330"
        );
        assert_eq!(date(i64::MAX, i32::MAX), "Thu, 01 Jan 1970 00:00:00 +0000");
    }

    #[test]
    fn message_ids_hold_a_host_name_whatever_it_is() {
        assert_eq!(
            message_id(255, 1, "db1.example.org"),
            "<ff.0000000000000001@db1.example.org>"
        );
        assert_eq!(message_id(0, 0, ">\n<.."), "<0.0000000000000000@localhost>");
    }
}
