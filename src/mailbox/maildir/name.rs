//! The name of a message's file: a unique part, and in `cur/` the info with the flags.
//!
//! ```text
//! 1795344592.M20046P2137Q1.host:2,FS       S seen, R replied, F flagged, T trashed, D draft,
//! └ time ──┘ └ deliverer's own ┘ └ flags   P passed on; others belong to other programs
//! ```
//! Flags stand in the order of their bytes. Unknown letters stay, and so does the text that a program
//! keeps behind a comma. Info of another kind (`:1,…` is experimental) belongs to the name.

use crate::mailbox::flags::Flags;

/// The beginning of the info that holds flags.
const INFO: &[u8] = b"2,";

/// The letters of the flags that an mbox has too. The flag "old" has none: such a message is in
/// `cur/`.
const LETTERS: [(u8, Flags); 5] = [
    (b'S', Flags::READ),
    (b'R', Flags::ANSWERED),
    (b'F', Flags::FLAGGED),
    (b'D', Flags::DRAFT),
    (b'T', Flags::DELETED),
];

/// A file's name taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ParsedName<'a> {
    whole: &'a [u8],
    /// The part before the info.
    base: &'a [u8],
    /// The letters; `None` where there is no info.
    letters: Option<&'a [u8]>,
    /// The part after the letters: empty, or a comma and the text of another program.
    rest: &'a [u8],
}

impl<'a> ParsedName<'a> {
    /// Parses a name; every name can be parsed.
    pub(super) fn parse(whole: &'a [u8]) -> ParsedName<'a> {
        let colon = whole.iter().rposition(|byte| *byte == b':');
        let info = colon.and_then(|colon| whole[colon + 1..].strip_prefix(INFO));
        let (base, letters, rest) = match (colon, info) {
            (Some(colon), Some(info)) => {
                let comma = info.iter().position(|byte| *byte == b',');
                let (letters, rest) = info.split_at(comma.unwrap_or(info.len()));
                (&whole[..colon], Some(letters), rest)
            }
            _ => (whole, None, &whole[whole.len()..]),
        };
        ParsedName {
            whole,
            base,
            letters,
            rest,
        }
    }

    /// Returns the part by which the message is found again when a program has renamed its file.
    pub(super) fn unique(&self) -> &'a [u8] {
        // The first colon, though flags stand behind the last one: all programs agree that a unique
        // part has no colon, but not on the info that may follow it.
        let colon = self.whole.iter().position(|byte| *byte == b':');
        &self.whole[..colon.unwrap_or(self.whole.len())]
    }

    /// Returns all letters, also unknown ones.
    pub(super) fn letters(&self) -> &'a [u8] {
        self.letters.unwrap_or_default()
    }

    /// Returns the flags of the known letters.
    pub(super) fn flags(&self) -> Flags {
        let mut flags = Flags::NONE;
        for (letter, flag) in LETTERS {
            if self.letters.unwrap_or_default().contains(&letter) {
                flags.insert(flag);
            }
        }
        flags
    }

    /// Returns the name in `cur/` of a message that gets some flags and loses others.
    ///
    /// The name stays as it is if it has these flags already.
    pub(super) fn with(&self, added: Flags, removed: Flags) -> Vec<u8> {
        let mut letters = self.letters.unwrap_or_default().to_vec();
        let mut is_changed = false;
        for (letter, flag) in LETTERS {
            let has = letters.contains(&letter);
            if !has && added.contains(flag) {
                letters.push(letter);
                is_changed = true;
            } else if has && removed.contains(flag) {
                letters.retain(|other| *other != letter);
                is_changed = true;
            }
        }
        // Not sorted then: a mere change of the order would rename the file for nothing, and another
        // program that has it open by name would have to look for it.
        if !is_changed {
            return self.whole.to_vec();
        }
        // The Maildir page wants the letters in ASCII order.
        letters.sort_unstable();
        letters.dedup();
        [self.base, b":", INFO, &letters, self.rest].concat()
    }

    /// Returns the name in `cur/`, where every name has its info.
    pub(super) fn in_cur(&self) -> Vec<u8> {
        match self.letters {
            Some(_) => self.whole.to_vec(),
            None => [self.whole, b":", INFO].concat(),
        }
    }

    /// Returns the time of the delivery from the name: seconds, and microseconds where it has them.
    pub(super) fn time(&self) -> Option<(u64, u32)> {
        let (seconds, rest) = number(self.whole)?;
        // `M` and the microseconds stand in the part between the first two dots. The host's name
        // follows, and an `M` in that is not meant.
        let own = rest.strip_prefix(b".").unwrap_or_default();
        let own = own.split(|byte| *byte == b'.').next().unwrap_or_default();
        let micros = own
            .iter()
            .position(|byte| *byte == b'M')
            .and_then(|at| number(&own[at + 1..]))
            .and_then(|(micros, _)| u32::try_from(micros).ok());
        Some((seconds, micros.unwrap_or(0)))
    }
}

/// Splits a number off the start of a text.
fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = text.split_at(digits);
    let number = std::str::from_utf8(number).ok()?.parse().ok()?;
    Some((number, rest))
}

/// Returns a new unique part: no other delivery on any host has it.
pub(super) fn new_unique(
    since_epoch: std::time::Duration,
    process: u32,
    delivery: u64,
    host: &str,
) -> Vec<u8> {
    // A slash would end the name, and a colon its unique part: maildir(5) writes both as octal
    // numbers. A host's name of any length must not make the name too long for the file system.
    let host = host.replace('/', "\\057").replace(':', "\\072");
    let host: String = host.chars().filter(|c| !c.is_control()).take(64).collect();
    let (seconds, micros) = (since_epoch.as_secs(), since_epoch.subsec_micros());
    format!("{seconds}.M{micros}P{process}Q{delivery}.{host}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::time::Duration;

    fn flags(letters: &str) -> Flags {
        ParsedName::parse(format!("x:2,{letters}").as_bytes()).flags()
    }

    #[test]
    fn names_are_taken_apart() {
        /// Name, unique part, letters that we know, time.
        type Row = (&'static str, &'static str, &'static str, Option<(u64, u32)>);
        let rows: [Row; 18] = [
            (
                "1204680122.27c448abec20000.host",
                "1204680122.27c448abec20000.host",
                "",
                Some((1_204_680_122, 0)),
            ),
            (
                "1795344592.M20046P2137Q1.host:2,FS",
                "1795344592.M20046P2137Q1.host",
                "FS",
                Some((1_795_344_592, 20_046)),
            ),
            (
                "1795344592.V801I15eM20046.host,S=123,W=130:2,S",
                "1795344592.V801I15eM20046.host,S=123,W=130",
                "S",
                Some((1_795_344_592, 20_046)),
            ),
            (
                "1795344592.H1.host.M99:2,",
                "1795344592.H1.host.M99",
                "",
                Some((1_795_344_592, 0)),
            ),
            (
                "1795344592.M1P2.host:2,DFPRSTabc",
                "1795344592.M1P2.host",
                "DFRST",
                Some((1_795_344_592, 1)),
            ),
            (
                "1795344592.M1P2.host:2,SS",
                "1795344592.M1P2.host",
                "S",
                Some((1_795_344_592, 1)),
            ),
            (
                "1795344592.M1P2.host:2,S,keyword R",
                "1795344592.M1P2.host",
                "S",
                Some((1_795_344_592, 1)),
            ),
            (
                "1795344592.M1P2.host:1,S",
                "1795344592.M1P2.host",
                "",
                Some((1_795_344_592, 1)),
            ),
            (
                "1795344592.M1P2.host:1,a:2,S",
                "1795344592.M1P2.host",
                "S",
                Some((1_795_344_592, 1)),
            ),
            (
                "1795344592.M1P2.host:3,S",
                "1795344592.M1P2.host",
                "",
                Some((1_795_344_592, 1)),
            ),
            (
                "1795344592.M1P2.host:",
                "1795344592.M1P2.host",
                "",
                Some((1_795_344_592, 1)),
            ),
            (
                "1795344592.M99999999999P2.host",
                "1795344592.M99999999999P2.host",
                "",
                Some((1_795_344_592, 0)),
            ),
            ("99999999999999999999.x", "99999999999999999999.x", "", None),
            ("1795344592", "1795344592", "", Some((1_795_344_592, 0))),
            ("letter", "letter", "", None),
            ("letter:2,s", "letter", "", None),
            (":2,S", "", "S", None),
            ("", "", "", None),
        ];
        for (name, unique, letters, time) in rows {
            let parsed = ParsedName::parse(name.as_bytes());
            assert_eq!(parsed.unique(), unique.as_bytes(), "{name}");
            assert_eq!(parsed.flags(), flags(letters), "{name}");
            assert_eq!(parsed.time(), time, "{name}");
        }
    }

    #[test]
    fn letters_come_and_go_and_others_stay() {
        let rows = [
            // name, added, removed, new name
            ("a.b", "S", "", "a.b:2,S"),
            ("a.b", "", "S", "a.b"),
            ("a.b", "", "", "a.b"),
            ("a.b:2,", "", "", "a.b:2,"),
            ("a.b:2,S", "S", "", "a.b:2,S"),
            ("a.b:2,S", "RF", "", "a.b:2,FRS"),
            ("a.b:2,FS", "", "S", "a.b:2,F"),
            ("a.b:2,S", "", "S", "a.b:2,"),
            ("a.b:2,PSab", "R", "S", "a.b:2,PRab"),
            ("a.b:2,zSaP", "F", "", "a.b:2,FPSaz"),
            // What says the same already keeps its order.
            ("a.b:2,SF", "S", "", "a.b:2,SF"),
            ("a.b:2,SS", "", "S", "a.b:2,"),
            ("a.b:2,S,k R", "R", "", "a.b:2,RS,k R"),
            ("a.b:1,x", "S", "", "a.b:1,x:2,S"),
            ("a.b:1,x:2,S", "", "S", "a.b:1,x:2,"),
            ("a.b,S=1:2,T", "D", "T", "a.b,S=1:2,D"),
        ];
        for (name, added, removed, expected) in rows {
            let changed = ParsedName::parse(name.as_bytes()).with(flags(added), flags(removed));
            assert_eq!(
                String::from_utf8_lossy(&changed),
                expected,
                "{name} +{added} -{removed}"
            );
        }
        assert_eq!(ParsedName::parse(b"a.b").in_cur(), b"a.b:2,");
        assert_eq!(ParsedName::parse(b"a.b:1,x").in_cur(), b"a.b:1,x:2,");
        assert_eq!(ParsedName::parse(b"a.b:2,S").in_cur(), b"a.b:2,S");
    }

    #[test]
    fn a_new_name_holds_no_colon_and_no_slash() {
        let time = Duration::from_micros(1_795_344_592_000_042);
        let name = new_unique(time, 7, 3, "a/b:c.example\n");
        assert_eq!(name, b"1795344592.M42P7Q3.a\\057b\\072c.example");
        assert_eq!(ParsedName::parse(&name).time(), Some((1_795_344_592, 42)));
        assert_eq!(ParsedName::parse(&name).unique(), name);
        assert!(new_unique(time, u32::MAX, u64::MAX, &"h".repeat(500)).len() < 200);
    }
}
