//! The local time zone: `$TZ`, else `/etc/localtime`, as the C library reads them.
//!
//! The environment may name anything. A zone is a regular file of at most 64 KiB, read through the
//! door of [`super::open`], or a rule as POSIX has it. A value that is neither counts as UTC, and
//! [`complaint`] says so.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::OnceLock;

use chrono::{Datelike, FixedOffset, NaiveDateTime, Timelike};
use tz::datetime::FoundDateTimeKind;
use tz::timezone::TimeZoneSettings;
use tz::{DateTime, TimeZone};

use super::open::{self, Unread, Use};

/// The variable that names the zone.
pub(crate) const VARIABLE: &str = "TZ";

/// The zone of a host where `TZ` is not set.
const OF_THE_HOST: &str = "/etc/localtime";

/// Where zones are that are named by a relative path.
const DIRECTORY: &str = "/usr/share/zoneinfo";

/// A time zone.
#[derive(Debug)]
pub(crate) struct Zone(TimeZone);

impl Zone {
    /// Returns the offset from UTC at this time, in seconds since the epoch.
    pub(crate) fn offset_at(&self, time: i64) -> FixedOffset {
        let found = self.0.find_local_time_type(time);
        found.map_or(UTC, |found| fixed(found.ut_offset()))
    }

    /// Returns the offset when a clock of this zone showed so: the earlier one where two did. In the
    /// hour that is left out in spring it is the one before, as `mktime` has it: a daemon at another
    /// zone may have written such a time.
    pub(crate) fn offset_of(&self, shown: NaiveDateTime) -> Option<FixedOffset> {
        let found = DateTime::find(
            shown.year(),
            shown.month() as u8,
            shown.day() as u8,
            shown.hour() as u8,
            shown.minute() as u8,
            shown.second() as u8,
            0,
            self.0.as_ref(),
        );
        let found = found.ok()?.into_inner();
        let time = match found.first()? {
            FoundDateTimeKind::Normal(time) => time,
            FoundDateTimeKind::Skipped {
                before_transition, ..
            } => before_transition,
        };
        Some(fixed(time.local_time_type().ut_offset()))
    }
}

const UTC: FixedOffset = match FixedOffset::east_opt(0) {
    Some(utc) => utc,
    None => unreachable!(),
};

/// Returns an offset; `None` if it is a day or more.
fn fixed(seconds: i32) -> FixedOffset {
    FixedOffset::east_opt(seconds).unwrap_or(UTC)
}

/// The zone that was found, once for the whole run.
#[derive(Debug)]
struct FoundZone {
    zone: Zone,
    complaint: Option<String>,
}

static FOUND: OnceLock<FoundZone> = OnceLock::new();

/// Returns the local zone.
pub(crate) fn local() -> &'static Zone {
    let found = FOUND.get_or_init(|| {
        #[allow(clippy::disallowed_methods)]
        let named = std::env::var_os(VARIABLE);
        match find(named.as_ref()) {
            Ok(zone) => FoundZone {
                zone: Zone(zone),
                complaint: None,
            },
            Err(why) => FoundZone {
                zone: Zone(TimeZone::utc()),
                complaint: Some(format!("{why}; times are shown in UTC")),
            },
        }
    });
    &found.zone
}

/// Returns the problem with the zone, if a time was shown and the zone is not valid. Not yet
/// sanitised.
pub(crate) fn complaint() -> Option<&'static str> {
    FOUND.get()?.complaint.as_deref()
}

/// Finds the zone that `TZ` names.
fn find(named: Option<&OsString>) -> Result<TimeZone, String> {
    let Some(named) = named else {
        return match read(Path::new(OF_THE_HOST)) {
            Ok(zone) => Ok(zone),
            // A host that has none is at UTC.
            Err(Bad::Unread(error)) if error.is_absent() => Ok(TimeZone::utc()),
            Err(why) => Err(format!("{OF_THE_HOST} is not a time zone: {why}")),
        };
    };
    let bytes = named.as_bytes();
    if bytes.is_empty() {
        return Ok(TimeZone::utc());
    }
    let (is_file, name) = match bytes.strip_prefix(b":") {
        Some(name) => (true, name),
        None => (false, bytes),
    };
    let name = std::ffi::OsStr::from_bytes(name);
    let path = match name.as_bytes() {
        b"localtime" => Path::new(OF_THE_HOST).to_owned(),
        // An absolute name replaces the directory.
        _ => Path::new(DIRECTORY).join(name),
    };
    let why = match read(&path) {
        Ok(zone) => return Ok(zone),
        Err(why) => why,
    };
    // A file that is there but cannot be read is what was meant: taking its name for a rule would
    // show wrong times without a word.
    let may_be_rule = !is_file && matches!(&why, Bad::Unread(error) if error.is_absent());
    let rule = name.to_str().filter(|_| may_be_rule).and_then(of_rule);
    rule.ok_or_else(|| {
        let shown = String::from_utf8_lossy(bytes);
        format!("$TZ is not a time zone: {shown}: {why}")
    })
}

/// Reads a rule, as `CET-1CEST,M3.5.0,M10.5.0/3`.
fn of_rule(rule: &str) -> Option<TimeZone> {
    // No directories: nothing is opened behind our back.
    let settings = TimeZoneSettings::new(&[], |_| Err("not a file".into()));
    settings.parse_posix_tz(rule).ok()
}

/// Why a file is not a time zone.
enum Bad {
    Unread(Unread),
    Content,
}

impl std::fmt::Display for Bad {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Bad::Unread(error) => error.fmt(f),
            Bad::Content => f.write_str("it is not in the format of a time zone file"),
        }
    }
}

/// Reads a zone from a file.
fn read(path: &Path) -> Result<TimeZone, Bad> {
    let bytes = open::read::bytes(path, Use::Zone).map_err(Bad::Unread)?;
    TimeZone::from_tz_data(&bytes).map_err(|_| Bad::Content)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offset(named: &str, time: i64) -> Result<i32, String> {
        let zone = find(Some(&OsString::from(named)))?;
        Ok(Zone(zone).offset_at(time).local_minus_utc())
    }

    #[test]
    fn zones_are_those_of_the_c_library() {
        // 2026-01-15 and 2026-07-15, noon.
        let (winter, summer) = (1_768_478_400, 1_784_116_800);
        let table = [
            ("", 0, 0),
            ("UTC", 0, 0),
            ("UTC0", 0, 0),
            ("CET-1CEST,M3.5.0,M10.5.0/3", 3600, 7200),
            ("<+0530>-5:30", 19800, 19800),
            ("Europe/Berlin", 3600, 7200),
            (":Europe/Berlin", 3600, 7200),
            ("/usr/share/zoneinfo/Europe/Berlin", 3600, 7200),
            ("../zoneinfo/America/New_York", -18000, -14400),
        ];
        let has_zones = Path::new("/usr/share/zoneinfo/Europe/Berlin").exists();
        for (named, in_winter, in_summer) in table {
            if named.contains('/') && !has_zones {
                continue;
            }
            assert_eq!(offset(named, winter), Ok(in_winter), "{named}");
            assert_eq!(offset(named, summer), Ok(in_summer), "{named}");
        }
    }

    #[test]
    fn what_is_no_zone_is_told_and_nothing_waits_or_panics() {
        for named in [
            "/dev/zero",
            ":/dev/zero",
            "/dev/tty",
            "/proc/kmsg",
            "/etc/passwd",
            "/",
            "../../../dev/zero",
            "../../../../etc/passwd",
            ":UTC0",
            "Nowhere/Nothing",
            "A",
            "AAA999",
            "\u{1b}[31m",
        ] {
            let told = offset(named, 0).expect_err(named);
            assert!(told.contains("not a time zone"), "{told}");
        }
        // An offset of a day: a rule, but no clock shows it.
        for named in ["AAA24", "AAA-24:59:59"] {
            assert!(
                offset(named, 0).is_ok_and(|offset| offset.abs() < 86400),
                "{named}"
            );
        }
    }

    #[test]
    fn a_shown_time_has_the_earlier_offset_and_in_the_gap_that_before() {
        let zone = Zone(of_rule("CET-1CEST,M3.5.0,M10.5.0/3").expect("a rule"));
        let shown = |text: &str| {
            let time = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").expect("a time");
            zone.offset_of(time).map(|offset| offset.local_minus_utc())
        };
        assert_eq!(shown("2026-01-15 12:00"), Some(3600));
        assert_eq!(shown("2026-07-15 12:00"), Some(7200));
        assert_eq!(shown("2026-10-25 02:30"), Some(7200));
        assert_eq!(shown("2026-03-29 02:30"), Some(3600));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_a_zone_or_none(
            mut bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
            time in proptest::prelude::any::<i64>(),
        ) {
            if bytes.len() > 44 {
                bytes[..5].copy_from_slice(b"TZif2");
                // Small counts, so that some of them are whole.
                for count in bytes[20..44].chunks_exact_mut(4) {
                    count[..3].fill(0);
                    count[3] &= 3;
                }
            }
            if let Ok(zone) = TimeZone::from_tz_data(&bytes) {
                let zone = Zone(zone);
                zone.offset_at(time);
                zone.offset_of(NaiveDateTime::default());
            }
        }
    }
}
