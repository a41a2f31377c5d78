//! The scanner: any bytes are no mbox, or messages that cover the file without gap or overlap,
//! whatever the size of the blocks it is read in. A strict separator always starts a message,
//! whatever length a message before it claims. In MMDF everything but delimiters and blank lines
//! between them belongs to a message.
//!
//! The first byte chooses the size of the small blocks.
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

// The scanner reads from memory behind the library's public face; its modules stand together, under
// the names that they have there.
#[allow(dead_code, unused_imports)]
#[path = "."]
mod mailbox {
    #[path = "../../src/mailbox/flags.rs"]
    pub mod flags;
    #[path = "."]
    pub mod format {
        #[path = "../../src/mailbox/format/from_line.rs"]
        pub mod from_line;
        #[path = "../../src/mailbox/format/header_meter.rs"]
        pub mod header_meter;
        #[path = "../../src/mailbox/format/mbox/mod.rs"]
        pub mod mbox;
        #[path = "../../src/mailbox/format/mmdf.rs"]
        pub mod mmdf;
        #[path = "../../src/mailbox/format/separator.rs"]
        pub mod separator;
        #[path = "../../src/mailbox/format/torn/mod.rs"]
        pub mod torn;
    }
    #[path = "../../src/mailbox/read_at.rs"]
    pub mod read_at;

    // What the target calls is private to this module, as it is in the library.
    pub mod target {
        use super::format::mbox::{self, MessageRef, Options, Scan, ScanError};
        use super::format::{mmdf, separator};

        pub fn check_scanners(bytes: &[u8]) {
            let Some((&choice, file)) = bytes.split_first() else {
                return;
            };
            for skip_torn in [false, true] {
                let whole = scanned(file, mbox::BLOCK, skip_torn);
                let pieces = scanned(file, 1 + usize::from(choice), skip_torn);
                assert_eq!(whole, pieces);
                if let Some((found, heads)) = whole {
                    check(file, &found, &heads);
                }
                let mut heads = Vec::new();
                let options = Options {
                    skip_torn,
                    ..Options::default()
                };
                let found = mmdf::scan(file, file.len() as u64, options, &mut |_, _, head| {
                    heads.push(head.to_vec());
                });
                check_mmdf(file, &found.expect("memory"));
            }
        }

        /// What stands between delimiters is a message, or blank.
        fn check_mmdf(file: &[u8], found: &Scan) {
            check_places(file, found);
            let mut at = 0;
            let ends = found.messages.iter().map(|message| message.offset);
            let size = match found.is_torn {
                true => return,
                false => file.len() as u64,
            };
            for (index, end) in ends.chain([size]).enumerate() {
                let between = &file[at as usize..end as usize];
                let mut rest = between;
                if index == 0 && !file.starts_with(mmdf::DELIMITER) {
                    // What stands before the first delimiter makes it another format.
                    rest = &rest[rest.len().saturating_sub(mmdf::DELIMITER.len())..];
                }
                while let [_, ..] = rest {
                    rest = match rest.strip_prefix(mmdf::DELIMITER) {
                        Some(rest) => rest,
                        None if matches!(rest[0], b'\n' | b'\r') => &rest[1..],
                        None if index == 0 && found.messages.is_empty() => return,
                        None => panic!("left out: {between:?}"),
                    };
                }
                if let Some(message) = found.messages.get(index) {
                    at = message.offset + message.len;
                }
            }
        }

        fn scanned(file: &[u8], block: usize, skip_torn: bool) -> Option<(Scan, Vec<Vec<u8>>)> {
            let mut heads = Vec::new();
            let options = Options {
                block,
                skip_torn,
                ..Options::default()
            };
            let found = mbox::scan(file, file.len() as u64, options, &mut |index, _, head| {
                assert_eq!(index, heads.len());
                heads.push(head.to_vec());
            });
            match found {
                Ok(found) => Some((found, heads)),
                Err(ScanError::NotMbox) => None,
                Err(ScanError::Io(error)) => panic!("{error}"),
            }
        }

        fn bytes_of<'a>(file: &'a [u8], message: &MessageRef) -> &'a [u8] {
            &file[message.offset as usize..(message.offset + message.len) as usize]
        }

        /// Messages follow each other without overlap, and their inner lengths fit.
        fn check_places(file: &[u8], found: &Scan) {
            let mut at = 0;
            for message in &found.messages {
                assert!(message.offset >= at && message.len > 0);
                let bytes = bytes_of(file, message);
                at = message.offset + message.len;
                assert!(message.from_line_len <= message.header_len);
                assert!(u64::from(message.header_len) <= message.len);
                let newlines = bytes.iter().filter(|&&b| b == b'\n').count();
                let open = usize::from(!bytes.ends_with(b"\n"));
                assert_eq!(message.lines, Some((newlines + open) as u32));
            }
            assert!(at <= found.end && found.end == file.len() as u64);
        }

        /// The messages of an mbox leave nothing out but blank lines in front, a torn end, and what
        /// an append left behind that nobody was told of, which begins with a NUL.
        fn check(file: &[u8], found: &Scan, heads: &[Vec<u8>]) {
            check_places(file, found);
            assert_eq!(heads.len(), found.messages.len());
            let mut at = found.messages.first().map_or(0, |first| first.offset);
            let mut front = file[..at as usize]
                .iter()
                .skip_while(|b| matches!(b, b'\n' | b'\r'));
            assert!(front.next().is_none_or(|&b| b == 0));
            for (message, head) in found.messages.iter().zip(heads) {
                assert!(message.offset == at || file[at as usize] == 0);
                at = message.offset;
                let bytes = bytes_of(file, message);
                at += message.len;
                assert!(bytes.starts_with(b"From "));
                let shown = (message.header_len as usize).min(mbox::SHOWN_HEADER);
                assert_eq!(head, &bytes[..shown]);
                assert_eq!(
                    message.from_line_len as usize,
                    bytes
                        .iter()
                        .position(|&b| b == b'\n')
                        .map_or(bytes.len(), |end| end + 1)
                );
            }
            if !found.messages.is_empty() && !found.is_torn {
                assert!(at == found.end || file[at as usize] == 0);
            }
            let first = found.messages.first().map_or(at, |first| first.offset);
            for start in first as usize..at as usize {
                let is_strict = file[start..].starts_with(b"From ")
                    && matches!(
                        &file[..start],
                        [.., b'\n', b'\n'] | [.., b'\n', b'\r', b'\n']
                    )
                    && separator::judge(&file[start..], true) == separator::Candidate::Strict;
                if is_strict {
                    let place = start as u64;
                    assert!(found.messages.iter().any(|message| message.offset == place));
                }
            }
        }
    }
}

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    mailbox::target::check_scanners(bytes);
});
