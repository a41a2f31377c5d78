//! The From_ line: any bytes are taken apart without a change.
#![no_main]

// The modules below find here what the library's others are to them.
#[allow(unused_imports)]
use postrider::message;

// Only a new From_ line asks for the time of now; the targets make none.
#[allow(dead_code)]
mod sys {
    pub mod clock {
        use chrono::{DateTime, FixedOffset, NaiveDateTime};

        pub fn message_time(_: Option<i64>) -> DateTime<FixedOffset> {
            DateTime::default()
        }

        pub fn of_local(time: NaiveDateTime) -> Option<DateTime<FixedOffset>> {
            Some(time.and_utc().fixed_offset())
        }
    }
}

// The parser is private to the library, so its module is a part of this program.
#[path = "."]
mod mailbox {
    #[allow(dead_code, unused_imports)]
    #[path = "../../src/mailbox/format/from_line.rs"]
    pub mod from_line;

    // What the target calls is private to this module, as it is in the library.
    pub mod target {
        use super::from_line::FromLine;

        pub fn check_lines(bytes: &[u8]) {
            check(bytes);
            if !bytes.starts_with(b"From ") {
                check(&[b"From ", bytes].concat());
            }
        }

        fn check(line: &[u8]) {
            let Some(parsed) = FromLine::parse(line) else {
                assert!(!line.starts_with(b"From "));
                return;
            };
            let rest = &line[b"From ".len()..];
            assert_eq!(parsed.sender, parsed.sender.trim_ascii());
            assert!(rest.trim_ascii().starts_with(parsed.sender));
            let _ = parsed.is_plausible_without_date();
            assert_eq!(parsed.delivered().is_some(), parsed.time.is_some());
            match parsed.time {
                None => assert_eq!(parsed.sender, rest.trim_ascii()),
                Some(time) => {
                    // Written the usual way it means the same.
                    let usual = [
                        b"From ",
                        parsed.sender,
                        time.format(" %a %b %e %H:%M:%S %Y\n")
                            .to_string()
                            .as_bytes(),
                    ]
                    .concat();
                    let again = FromLine::parse(&usual).expect("a From_ line");
                    assert_eq!((again.sender, again.time), (parsed.sender, parsed.time));
                }
            }
        }
    }
}

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    mailbox::target::check_lines(bytes);
});
