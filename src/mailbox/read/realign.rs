//! Finding the messages of an older index in a mailbox that was changed since.
//!
//! The user has marked messages; in the meantime another program may have removed some, changed
//! flags, or delivered mail. Deleting the wrong message is the worst that can happen here, so where
//! it is not certain which message is meant nothing is changed at all.

use std::collections::HashMap;

use crate::mailbox::change::{Change, Changes};
use crate::mailbox::format::mbox::MessageRef;

/// By how much the length of a body may differ: another writer may have added or removed the blank
/// line at its end.
const SLACK: u64 = 2;

/// Changes that were asked for in terms of an older index, in terms of a newer one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::mailbox) struct Realigned {
    /// The changes of messages of the newer index.
    pub changes: Changes,
    /// How many messages that were to be changed have been removed.
    pub gone: usize,
    /// How many messages have arrived.
    pub arrived: usize,
}

/// The place of a message of an older index in a newer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mailbox) enum Whereabouts {
    /// The message has this index.
    At(usize),
    /// The message is not there any more.
    Gone,
    /// Several messages with this header may be the one, or the one that is has another body.
    Uncertain,
}

/// Finds the messages of an older index in a newer one.
///
/// Messages are recognised by their fingerprints, which no reader changes. Of several messages with
/// the same header the n-th old one is the n-th new one, as mailboxes grow at their end. That is
/// uncertain if there are fewer now, or if the older index lacks some (`has_all` is false).
pub(in crate::mailbox) fn whereabouts(
    old: &[MessageRef],
    new: &[MessageRef],
    has_all: bool,
) -> Vec<Whereabouts> {
    let mut places: HashMap<u64, Vec<usize>> = HashMap::with_capacity(new.len());
    for (index, message) in new.iter().enumerate() {
        places.entry(message.fingerprint).or_default().push(index);
    }
    let mut twins: HashMap<u64, usize> = HashMap::with_capacity(old.len());
    for message in old {
        *twins.entry(message.fingerprint).or_default() += 1;
    }
    let mut seen: HashMap<u64, usize> = HashMap::new();
    old.iter()
        .map(|before| {
            let Some(found) = places.get(&before.fingerprint) else {
                return Whereabouts::Gone;
            };
            let nth = seen.entry(before.fingerprint).or_default();
            let place = found.get(*nth);
            *nth += 1;
            let twins = twins[&before.fingerprint];
            // As many as before are the same ones. If there are more, the new ones came behind the
            // old ones, provided that the old index had all. If there are fewer, any may be gone.
            let is_certain = found.len() == twins || (has_all && found.len() > twins);
            match place {
                Some(&place) if is_certain => {
                    if body_len(before).abs_diff(body_len(&new[place])) <= SLACK {
                        Whereabouts::At(place)
                    } else {
                        Whereabouts::Uncertain
                    }
                }
                _ => Whereabouts::Uncertain,
            }
        })
        .collect()
}

/// Returns the changes in terms of a newer index.
///
/// `None` where it is not certain which message is meant, or where no message of the old index is
/// left: then another mailbox has taken the place of the old one.
pub(in crate::mailbox) fn realign(
    old: &[MessageRef],
    new: &[MessageRef],
    has_all: bool,
    changes: &Changes,
) -> Option<Realigned> {
    let found = whereabouts(old, new, has_all);
    let is_gone = |place: &&Whereabouts| **place == Whereabouts::Gone;
    let kept = old.len() - found.iter().filter(is_gone).count();
    if kept == 0 && !old.is_empty() && !new.is_empty() {
        return None;
    }
    let mut remapped = Realigned {
        arrived: if has_all {
            new.len().saturating_sub(kept)
        } else {
            behind_all(&found, new.len())
        },
        ..Realigned::default()
    };
    for (index, change) in changes.iter() {
        let place = match found.get(index)? {
            Whereabouts::At(place) => *place,
            Whereabouts::Gone => {
                remapped.gone += 1;
                continue;
            }
            Whereabouts::Uncertain => return None,
        };
        match change {
            Change::Delete => remapped.changes.delete(place),
            Change::Flags(wanted) => {
                let flags = new[place].flags.with_changes(old[index].flags, wanted);
                remapped.changes.set_flags(place, flags);
            }
        }
    }
    Some(remapped)
}

/// Returns how many messages follow the last one that was found.
fn behind_all(found: &[Whereabouts], new: usize) -> usize {
    let place = |place: &Whereabouts| match place {
        Whereabouts::At(place) => Some(place + 1),
        Whereabouts::Gone | Whereabouts::Uncertain => None,
    };
    found
        .iter()
        .filter_map(place)
        .max()
        .map_or(0, |end| new - end)
}

fn body_len(message: &MessageRef) -> u64 {
    message.len - u64::from(message.header_len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mailbox::flags::Flags;

    fn messages(fingerprints: &[u64]) -> Vec<MessageRef> {
        let message = |fingerprint: &u64| MessageRef {
            len: 100,
            header_len: 50,
            fingerprint: *fingerprint,
            ..MessageRef::default()
        };
        fingerprints.iter().map(message).collect()
    }

    /// Deletes the message with this index of the old mailbox; returns where it is in the new one.
    fn deleted(old: &[u64], new: &[u64], index: usize) -> Option<(Vec<usize>, usize, usize)> {
        let mut changes = Changes::default();
        changes.delete(index);
        let found = realign(&messages(old), &messages(new), true, &changes)?;
        let places = found.changes.iter().map(|(index, _)| index).collect();
        Some((places, found.gone, found.arrived))
    }

    #[test]
    fn messages_are_found_where_they_are_now() {
        type Row = (
            &'static [u64],
            &'static [u64],
            usize,
            Option<(Vec<usize>, usize, usize)>,
        );
        let rows: [Row; 9] = [
            // Mail arrived.
            (&[1, 2], &[1, 2, 3], 1, Some((vec![1], 0, 1))),
            // Somebody else deleted one before it, and it itself.
            (&[1, 2, 3], &[2, 3], 2, Some((vec![1], 0, 0))),
            (&[1, 2, 3], &[1, 3], 1, Some((vec![], 1, 0))),
            (&[1, 2, 3], &[3, 1, 2], 0, Some((vec![1], 0, 0))),
            // Twins: the second stays the second, unless one is gone.
            (&[7, 7], &[7, 7, 7], 1, Some((vec![1], 0, 1))),
            (&[7, 1, 7], &[7, 7], 2, Some((vec![1], 0, 0))),
            (&[7, 7, 1], &[7, 1], 1, None),
            // Nothing of it is left, or nothing at all.
            (&[1, 2], &[3, 4], 0, None),
            (&[1, 2], &[], 0, Some((vec![], 1, 0))),
        ];
        for (old, new, index, expected) in rows {
            assert_eq!(
                deleted(old, new, index),
                expected,
                "{old:?} {new:?} {index}"
            );
        }
    }

    #[test]
    fn a_message_with_another_body_is_another_message() {
        let mut new = messages(&[1]);
        new[0].len += 500;
        let mut changes = Changes::default();
        changes.delete(0);
        assert_eq!(realign(&messages(&[1]), &new, true, &changes), None);
    }

    #[test]
    fn flags_of_two_readers_are_merged() {
        let mut old = messages(&[1]);
        old[0].flags.insert(Flags::OLD);
        let mut new = old.clone();
        new[0].flags.insert(Flags::ANSWERED);
        let mut changes = Changes::default();
        let mut wanted = old[0].flags;
        wanted.insert(Flags::READ);
        changes.set_flags(0, wanted);
        let found = realign(&old, &new, true, &changes).expect("found");
        wanted.insert(Flags::ANSWERED);
        assert_eq!(found.changes.get(0), Some(Change::Flags(wanted)));
    }

    #[test]
    fn an_index_of_the_end_knows_nothing_of_the_twins_before_it() {
        let mut changes = Changes::default();
        changes.delete(0);
        let places = |old: &[u64], new: &[u64]| {
            let found = realign(&messages(old), &messages(new), false, &changes)?;
            Some((
                found.changes.iter().map(|(index, _)| index).next(),
                found.arrived,
            ))
        };
        assert_eq!(places(&[7], &[5, 6, 7, 8]), Some((Some(2), 1)));
        assert_eq!(places(&[7], &[7, 6, 7, 8]), None);
        assert_eq!(places(&[7], &[5, 6]), None);
    }
}
