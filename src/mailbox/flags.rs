//! The flags of a message: read, old, answered and others, and their letters in `Status` and
//! `X-Status`.

/// A set of flags of one message.
///
/// `Status:` holds `R` (read) and `O` (old: seen in a listing by an earlier session), `X-Status:`
/// holds `A`, `F`, `T` and `D`; all mbox readers since Berkeley mail and Pine share these letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(u8);

/// The letters of `Status:` and their flags, in the order in which they are written.
pub(super) const STATUS: [(u8, Flags); 2] = [(b'R', Flags::READ), (b'O', Flags::OLD)];

/// The letters of `X-Status:` and their flags, in the order in which they are written.
pub(super) const X_STATUS: [(u8, Flags); 4] = [
    (b'A', Flags::ANSWERED),
    (b'F', Flags::FLAGGED),
    (b'T', Flags::DRAFT),
    (b'D', Flags::DELETED),
];

impl Flags {
    /// No flag: the message is new.
    pub const NONE: Flags = Flags(0);
    /// The message has been read (`Status: R`).
    pub const READ: Flags = Flags(1);
    /// An earlier session has seen the message (`Status: O`).
    pub const OLD: Flags = Flags(2);
    /// The message has been answered (`X-Status: A`).
    pub const ANSWERED: Flags = Flags(4);
    /// The message has been marked as important (`X-Status: F`).
    pub const FLAGGED: Flags = Flags(8);
    /// The message is a draft (`X-Status: T`).
    pub const DRAFT: Flags = Flags(16);
    /// Another program marked the message for deletion (`X-Status: D`).
    pub const DELETED: Flags = Flags(32);

    /// Every flag there is.
    const ALL: [Flags; 6] = [
        Flags::READ,
        Flags::OLD,
        Flags::ANSWERED,
        Flags::FLAGGED,
        Flags::DRAFT,
        Flags::DELETED,
    ];

    /// Returns whether all of these flags are set.
    pub fn contains(self, flags: Flags) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// Sets these flags.
    pub fn insert(&mut self, flags: Flags) {
        self.0 |= flags.0;
    }

    /// Clears these flags.
    pub fn remove(&mut self, flags: Flags) {
        self.0 &= !flags.0;
    }

    /// Returns these flags, which a message has now, with the changes of somebody who saw `before` and
    /// wants `wanted`.
    ///
    /// Another program may have set flags since; they stay, unless the same ones are changed.
    pub(crate) fn with_changes(mut self, before: Flags, wanted: Flags) -> Flags {
        for flag in Flags::ALL {
            match (before.contains(flag), wanted.contains(flag)) {
                (false, true) => self.insert(flag),
                (true, false) => self.remove(flag),
                _ => {}
            }
        }
        self
    }

    /// Returns whether the message has been read.
    pub fn is_read(self) -> bool {
        self.contains(Flags::READ)
    }

    /// Returns whether an earlier session has seen the message.
    pub fn is_old(self) -> bool {
        self.contains(Flags::OLD)
    }

    /// Returns whether the message is new: neither read nor old.
    pub fn is_new(self) -> bool {
        !self.is_read() && !self.is_old()
    }

    /// Returns whether the message has been answered.
    pub fn is_answered(self) -> bool {
        self.contains(Flags::ANSWERED)
    }

    /// Returns whether the message has been marked as important.
    pub fn is_flagged(self) -> bool {
        self.contains(Flags::FLAGGED)
    }

    /// Returns whether the message is a draft.
    pub fn is_draft(self) -> bool {
        self.contains(Flags::DRAFT)
    }

    /// Returns whether another program marked the message for deletion.
    pub fn is_deleted(self) -> bool {
        self.contains(Flags::DELETED)
    }

    /// Adds the flags of a header line, if it is a `Status` or an `X-Status` field.
    ///
    /// Letters that we do not know stay in the file and are ignored here.
    pub(super) fn read_field(&mut self, line: &[u8]) {
        let (table, letters): (&[_], _) = if let Some(body) = field_body(line, b"status:") {
            (&STATUS, body)
        } else if let Some(body) = field_body(line, b"x-status:") {
            (&X_STATUS, body)
        } else {
            return;
        };
        for (letter, flag) in table {
            if letters.contains(letter) {
                self.insert(*flag);
            }
        }
    }
}

/// The bits of `X-Mozilla-Status`, a hexadecimal number, and their flags (nsMsgMessageFlags.h).
const MOZILLA: [(u32, Flags); 4] = [
    (1, Flags::READ),
    (2, Flags::ANSWERED),
    (4, Flags::FLAGGED),
    (8, Flags::DELETED),
];

/// The flags of a header block, gathered from its lines.
///
/// Thunderbird keeps them in `X-Mozilla-Status`. They count where no flag stands in `Status` and
/// `X-Status`, which is where this program writes them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct StatusFields {
    status: Flags,
    mozilla: Flags,
}

impl StatusFields {
    /// Adds the flags of a header line, if it is one of these fields.
    pub(super) fn read(&mut self, line: &[u8]) {
        let Some(body) = field_body(line, b"x-mozilla-status:") else {
            return self.status.read_field(line);
        };
        let number = std::str::from_utf8(body.trim_ascii()).unwrap_or_default();
        let bits = u32::from_str_radix(number, 16).unwrap_or(0);
        for (bit, flag) in MOZILLA {
            if bits & bit != 0 {
                self.mozilla.insert(flag);
            }
        }
    }

    /// Returns the flags of the message.
    pub(super) fn flags(self) -> Flags {
        match self.status {
            Flags::NONE => self.mozilla,
            status => status,
        }
    }
}

/// Returns the field body of a line that starts with this name (lower case, with its colon).
pub(super) fn field_body<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (start, body) = line.split_at_checked(name.len())?;
    start.eq_ignore_ascii_case(name).then_some(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_become_flags_and_unknown_ones_are_ignored() {
        let rows: [(&str, Flags); 7] = [
            ("Status: RO\n", Flags(3)),
            ("Status: OR\r\n", Flags(3)),
            ("STATUS:O\n", Flags::OLD),
            ("Status: \n", Flags::NONE),
            ("X-Status: AFx\n", Flags(12)),
            ("X-Status: TD", Flags(48)),
            ("X-Mozilla-Status: RO\n", Flags::NONE),
        ];
        for (line, expected) in rows {
            let mut flags = Flags::NONE;
            flags.read_field(line.as_bytes());
            assert_eq!(flags, expected, "{line:?}");
        }
    }

    #[test]
    fn the_status_of_mozilla_counts_where_there_is_no_other() {
        let rows: [(&[&str], Flags); 8] = [
            (&["X-Mozilla-Status: 0001"], Flags::READ),
            (&["X-Mozilla-Status: 100f\r\n"], Flags(45)),
            (&["X-Mozilla-Status: 0000\n"], Flags::NONE),
            (&["x-mozilla-status:9"], Flags(33)),
            (&["X-Mozilla-Status: many\n"], Flags::NONE),
            (&["X-Mozilla-Status2: 0001\n"], Flags::NONE),
            (&["X-Mozilla-Status: 0001\n", "Status: O\n"], Flags::OLD),
            (
                &["X-Status: F\n", "X-Mozilla-Status: 0001\n"],
                Flags::FLAGGED,
            ),
        ];
        for (lines, expected) in rows {
            let mut fields = StatusFields::default();
            for line in lines {
                fields.read(line.as_bytes());
            }
            assert_eq!(fields.flags(), expected, "{lines:?}");
        }
    }

    #[test]
    fn new_means_neither_read_nor_old() {
        let mut flags = Flags::NONE;
        assert!(flags.is_new());
        flags.insert(Flags::OLD);
        assert!(!flags.is_new() && flags.is_old() && !flags.is_read());
        flags.insert(Flags::READ);
        flags.remove(Flags::OLD);
        assert!(!flags.is_new() && flags.is_read() && !flags.is_old());
    }
}
