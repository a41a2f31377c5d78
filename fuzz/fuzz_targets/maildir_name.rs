//! Names of a Maildir's files: a change of flags changes those and nothing else, whatever another
//! program has put into the name.
//!
//! The first two bytes choose the flags that come and go.
#![no_main]

// The parser is private to the library; its module needs the flags where the library has them.
#[allow(dead_code, unused_imports)]
#[path = "."]
mod mailbox {
    #[path = "../../src/mailbox/flags.rs"]
    pub mod flags;
}

#[path = "."]
mod maildir {
    #[allow(dead_code)]
    #[path = "../../src/mailbox/maildir/name.rs"]
    mod name;

    use crate::mailbox::flags::Flags;
    use name::{ParsedName, new_unique};

    const KNOWN: [(u8, Flags); 5] = [
        (b'S', Flags::READ),
        (b'R', Flags::ANSWERED),
        (b'F', Flags::FLAGGED),
        (b'D', Flags::DRAFT),
        (b'T', Flags::DELETED),
    ];

    fn chosen(byte: u8) -> Flags {
        let mut flags = Flags::NONE;
        for (index, (_, flag)) in KNOWN.iter().enumerate() {
            if byte & (1 << index) != 0 {
                flags.insert(*flag);
            }
        }
        flags
    }

    /// Returns the letters of a name that say nothing to us, and what stands behind a comma.
    fn foreign(name: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let text: Vec<&[u8]> = name.rsplitn(2, |byte| *byte == b':').collect();
        let info = match text[..] {
            [info, _] => info.strip_prefix(b"2,").unwrap_or_default(),
            _ => &[],
        };
        let comma = info.iter().position(|byte| *byte == b',');
        let (letters, rest) = info.split_at(comma.unwrap_or(info.len()));
        let mut letters: Vec<u8> = letters
            .iter()
            .filter(|letter| KNOWN.iter().all(|(known, _)| known != *letter))
            .copied()
            .collect();
        letters.sort_unstable();
        letters.dedup();
        (letters, rest.to_vec())
    }

    pub fn check(choice: [u8; 2], bytes: &[u8]) {
        let name = ParsedName::parse(bytes);
        let unique = name.unique();
        assert!(bytes.starts_with(unique) && !unique.contains(&b':'));
        assert_eq!(name.with(Flags::NONE, Flags::NONE), bytes);
        let _ = name.time();

        let in_cur = name.in_cur();
        let parsed = ParsedName::parse(&in_cur);
        assert_eq!((parsed.unique(), parsed.flags()), (unique, name.flags()));
        assert_eq!(parsed.in_cur(), in_cur);
        assert_eq!(foreign(&in_cur), foreign(bytes));

        let added = chosen(choice[0]);
        let mut removed = chosen(choice[1]);
        removed.remove(added);
        let changed = name.with(added, removed);
        let parsed = ParsedName::parse(&changed);
        let mut expected = name.flags();
        expected.insert(added);
        expected.remove(removed);
        assert_eq!((parsed.unique(), parsed.flags()), (unique, expected));
        assert_eq!(foreign(&changed), foreign(bytes));
        // Once is enough.
        assert_eq!(parsed.with(added, removed), changed);

        let host = String::from_utf8_lossy(bytes);
        let time = std::time::Duration::new(choice[0].into(), choice[1].into());
        let made = new_unique(time, 1, 2, &host);
        assert!(!made.contains(&b'/') && !made.contains(&b':') && made.len() < 400);
        assert_eq!(ParsedName::parse(&made).unique(), made);
        assert_eq!(ParsedName::parse(&made).time(), Some((choice[0].into(), 0)));
    }
}

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let [added, removed, name @ ..] = bytes {
        maildir::check([*added, *removed], name);
    }
});
