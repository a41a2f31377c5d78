//! The witness of a journal: bytes of the mailbox that only a program that could read it knew.
//!
//! A file of a journal's name may be a planted one, even where it belongs to somebody whose journal
//! counts: another user may have moved it there. So a journal holds small samples of the mailbox,
//! at places that follow from the mailbox's size and not from what the journal says: the bytes
//! before the rewrite, and what the rewrite makes of them. Whatever an interrupted rewrite has
//! left, each of these bytes is as it was or as it shall be. A maker who does not know the mailbox
//! cannot name them, and a mailbox that another program has written since has other ones.
//!
//! The samples are few, so that a journal stays small on a full disk: a mailbox of up to 2 KiB is
//! proved whole, a larger one at 128 places from its first byte to its last.

use std::io;

use crate::mailbox::read_at::{ReadAt, read_exact, read_full};

/// At how many places samples are taken, at most.
const COUNT: u64 = 128;

/// How many bytes a sample has.
const LEN: u64 = 16;

/// The samples of a mailbox that a journal holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::mailbox) struct Witness {
    /// The samples before the rewrite, one after another.
    pub old: Vec<u8>,
    /// The same places afterwards, as far as the new mailbox has them.
    pub new: Vec<u8>,
}

/// Returns where the samples of a mailbox of this size are: offset and length, in their order.
fn places(size: u64) -> impl Iterator<Item = (u64, u64)> {
    let count = size.div_ceil(LEN).min(COUNT);
    (0..count).map(move |index| {
        if size <= COUNT * LEN {
            (index * LEN, LEN.min(size - index * LEN))
        } else {
            // The places are spread evenly, and the last one ends with the mailbox. The product of
            // two 64-bit numbers needs 128 bits.
            let at = u128::from(index) * u128::from(size - LEN) / u128::from(COUNT - 1);
            (at as u64, LEN)
        }
    })
}

/// Returns how much of a sample is before this end.
fn before(end: u64, at: u64, len: u64) -> usize {
    len.min(end.saturating_sub(at)) as usize
}

impl Witness {
    /// Takes the samples for a rewrite of `old`, of this size, into `new`, of that size.
    ///
    /// # Errors
    /// When one of them cannot be read, or is shorter than it should be.
    pub(super) fn take<O: ReadAt + ?Sized, N: ReadAt + ?Sized>(
        (old, old_size): (&O, u64),
        (new, new_size): (&N, u64),
    ) -> io::Result<Witness> {
        let mut witness = Witness::default();
        let mut sample = [0; LEN as usize];
        for (at, len) in places(old_size) {
            let bytes = &mut sample[..len as usize];
            read_exact(old, bytes, at)?;
            witness.old.extend_from_slice(bytes);
            let bytes = &mut sample[..before(new_size, at, len)];
            read_exact(new, bytes, at)?;
            witness.new.extend_from_slice(bytes);
        }
        Ok(witness)
    }

    /// Returns whether the witness has as many bytes as a rewrite between these sizes needs.
    pub(super) fn fits(&self, old_size: u64, new_size: u64) -> bool {
        let sum =
            |end: u64| -> usize { places(old_size).map(|(at, len)| before(end, at, len)).sum() };
        self.old.len() == sum(old_size) && self.new.len() == sum(new_size)
    }

    /// Returns whether all bytes before `end` are as they were or as they shall be.
    ///
    /// `end` is the old size as long as the mailbox has not been cut, else the new one. It must
    /// [fit](Witness::fits) the old size.
    ///
    /// # Errors
    /// When the mailbox cannot be read.
    pub(super) fn knows<S: ReadAt + ?Sized>(
        &self,
        mailbox: &S,
        old_size: u64,
        new_size: u64,
        end: u64,
    ) -> io::Result<bool> {
        let (mut old, mut new) = (&self.old[..], &self.new[..]);
        let mut sample = [0; LEN as usize];
        for (at, len) in places(old_size) {
            let (was, rest) = old.split_at(len as usize);
            old = rest;
            let (shall, rest) = new.split_at(before(new_size, at, len));
            new = rest;
            // A sample that was being written when the machine stopped may have both old and new
            // bytes: each byte is judged by itself.
            let found = &mut sample[..before(end, at, len)];
            if read_full(mailbox, found, at)? < found.len() {
                return Ok(false);
            }
            let is_known = found.iter().enumerate().all(|(index, byte)| {
                was[index] == *byte || shall.get(index).is_some_and(|shall| shall == byte)
            });
            if !is_known {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(size: usize) -> Vec<u8> {
        (0..size).map(|at| (at * 7 % 251) as u8).collect()
    }

    #[test]
    fn samples_reach_from_the_first_byte_to_the_last() {
        for size in [
            0,
            1,
            15,
            16,
            17,
            2047,
            2048,
            2049,
            5000,
            1 << 40,
            i64::MAX as u64,
        ] {
            let found: Vec<(u64, u64)> = places(size).collect();
            let mut end = 0;
            for (at, len) in &found {
                assert!(*at >= end && *len > 0, "{size}: {found:?}");
                end = at + len;
            }
            assert_eq!(end, size, "{size}");
            assert_eq!(found.first().map_or(0, |first| first.0), 0);
            assert!(found.len() <= COUNT as usize);
        }
    }

    #[test]
    fn every_state_of_a_rewrite_is_known_and_no_other_content() {
        for (old_size, new_size) in [(40, 10), (10, 40), (5000, 5000), (90_000, 400), (3000, 0)] {
            let old = text(old_size);
            let new: Vec<u8> = text(new_size).iter().map(|byte| byte ^ 0xff).collect();
            let sizes = (old_size as u64, new_size as u64);
            let witness = Witness::take((&old[..], sizes.0), (&new[..], sizes.1)).unwrap();
            assert!(witness.fits(sizes.0, sizes.1));
            let knows =
                |bytes: &[u8], end: u64| witness.knows(bytes, sizes.0, sizes.1, end).expect("read");
            for done in [0, 1, 7, 200, old_size].map(|done| done.min(new_size).min(old_size)) {
                let mut mixed = old.clone();
                mixed[..done].copy_from_slice(&new[..done]);
                assert!(knows(&mixed, sizes.0), "{sizes:?} {done}");
                mixed[old_size - 1] ^= 0x55;
                assert!(!knows(&mixed, sizes.0), "{sizes:?} {done}: another end");
            }
            assert!(knows(&new, sizes.0.min(sizes.1)), "{sizes:?}: done");
            assert!(!knows(&vec![b'x'; old_size], sizes.0));
            assert!(!knows(&old[1..], sizes.0), "{sizes:?}: shorter");
        }
    }
}
