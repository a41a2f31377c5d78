//! Messages chosen by their flags: the `:n` of message lists and of `-H`.

use crate::mailbox::Flags;

/// One letter after the colon (POSIX, Message lists; `a f t` as s-nail has them).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FlagChoice {
    /// `:a`, answered.
    Answered,
    /// `:d`, deleted.
    Deleted,
    /// `:f`, flagged.
    Flagged,
    /// `:n`, new.
    New,
    /// `:o`, neither new nor read.
    Old,
    /// `:r`, read.
    Read,
    /// `:s`, saved in another file in this session.
    Saved,
    /// `:t`, drafts.
    Draft,
    /// `:T`, tagged in this session (GNU mailutils).
    Tagged,
    /// `:u`, not read.
    Unread,
}

impl FlagChoice {
    /// Returns the choice for a letter.
    pub(crate) fn from_letter(letter: char) -> Option<FlagChoice> {
        Some(match letter {
            'a' => FlagChoice::Answered,
            'd' => FlagChoice::Deleted,
            'f' => FlagChoice::Flagged,
            'n' => FlagChoice::New,
            'o' => FlagChoice::Old,
            'r' => FlagChoice::Read,
            's' => FlagChoice::Saved,
            't' => FlagChoice::Draft,
            'T' => FlagChoice::Tagged,
            'u' => FlagChoice::Unread,
            _ => return None,
        })
    }

    /// The names that `is:` takes, for complaints.
    pub(crate) const NAMES: &str =
        "a state is answered, deleted, draft, flagged, new, old, read, saved, tagged or unread";

    /// Returns the choice of a name, as `is:` takes it.
    pub(crate) fn from_name(name: &str) -> Option<FlagChoice> {
        Some(match &*name.to_ascii_lowercase() {
            "answered" => FlagChoice::Answered,
            "deleted" => FlagChoice::Deleted,
            "flagged" => FlagChoice::Flagged,
            "new" => FlagChoice::New,
            "old" => FlagChoice::Old,
            "read" => FlagChoice::Read,
            "saved" => FlagChoice::Saved,
            "draft" => FlagChoice::Draft,
            "tagged" => FlagChoice::Tagged,
            "unread" => FlagChoice::Unread,
            _ => return None,
        })
    }

    /// Returns whether a message with these flags is chosen.
    pub(crate) fn matches(self, flags: Flags) -> bool {
        match self {
            FlagChoice::Answered => flags.is_answered(),
            FlagChoice::Deleted => flags.is_deleted(),
            FlagChoice::Flagged => flags.is_flagged(),
            FlagChoice::New => flags.is_new(),
            FlagChoice::Old => !flags.is_new() && !flags.is_read(),
            FlagChoice::Read => flags.is_read(),
            // Only a session knows what was saved or tagged in it.
            FlagChoice::Saved | FlagChoice::Tagged => false,
            FlagChoice::Draft => flags.is_draft(),
            FlagChoice::Unread => !flags.is_read(),
        }
    }
}

/// Returns the message that is current at the start: the first new one, else the first unread, else the first.
///
/// `messages` are the flags of all messages in order; the answer counts from 0.
pub(crate) fn first_of_interest(messages: impl Iterator<Item = Flags>) -> usize {
    let mut unread = None;
    for (index, flags) in messages.enumerate() {
        if flags.is_new() {
            return index;
        }
        if !flags.is_read() && unread.is_none() {
            unread = Some(index);
        }
    }
    unread.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(all: &[Flags]) -> Flags {
        let mut flags = Flags::default();
        for &one in all {
            flags.insert(one);
        }
        flags
    }

    #[test]
    fn letters_choose_by_flags() {
        let new = flags(&[]);
        let old = flags(&[Flags::OLD]);
        let read = flags(&[Flags::READ, Flags::OLD]);
        let cases = [
            ('n', [true, false, false]),
            ('o', [false, true, false]),
            ('r', [false, false, true]),
            ('u', [true, true, false]),
            ('d', [false, false, false]),
        ];
        for (letter, expected) in cases {
            let choice = FlagChoice::from_letter(letter).unwrap();
            assert_eq!(
                [new, old, read].map(|f| choice.matches(f)),
                expected,
                ":{letter}"
            );
        }
        assert_eq!(FlagChoice::from_letter('x'), None);
    }

    #[test]
    fn the_first_new_message_is_current() {
        let (new, old) = (flags(&[]), flags(&[Flags::OLD]));
        let read = flags(&[Flags::READ]);
        let cases: &[(&[Flags], usize)] = &[
            (&[read, old, new], 2),
            (&[read, old, read], 1),
            (&[read, read], 0),
            (&[], 0),
        ];
        for (messages, expected) in cases {
            assert_eq!(first_of_interest(messages.iter().copied()), *expected);
        }
    }
}
