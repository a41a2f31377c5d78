//! The bytes that a plan writes, in the order of the new file and in chunks.

use std::io;

use super::plan::{Piece, Pieces, RewritePlan};
use crate::mailbox::read_at::{ReadAt, read_exact};

/// A run of bytes in the new file that differs from the old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mailbox) struct Extent {
    /// Where it starts in the new file.
    pub place: u64,
    /// How many bytes it has.
    pub len: u64,
}

/// Produces the bytes that a plan writes. Pieces whose old and new place are the same are not written,
/// and left out.
pub(in crate::mailbox) struct Output<'a> {
    /// The pieces behind the current one. They are not gathered: a change of all flags has two of
    /// them for each message.
    behind: Pieces<'a>,
    /// The current piece, and how many of its bytes are done; none at the end.
    current: Option<Piece<'a>>,
    done: u64,
    /// Where the next byte belongs.
    place: u64,
}

impl<'a> Output<'a> {
    /// Starts at this place of the new file, or at the plan's start if that comes later.
    pub(in crate::mailbox) fn new(plan: &'a RewritePlan, from: u64) -> Output<'a> {
        let mut behind = plan.pieces();
        let mut output = Output {
            current: behind.next(),
            behind,
            done: 0,
            place: plan.start(),
        };
        while let Some(piece) = output.current
            && output.place < from
        {
            let left = piece.len() - output.done;
            output.advance(left.min(from - output.place));
        }
        output
    }

    /// Returns all runs of bytes that a plan writes.
    pub(in crate::mailbox) fn extents(plan: &RewritePlan) -> Vec<Extent> {
        let mut output = Output::new(plan, 0);
        let mut extents: Vec<Extent> = Vec::new();
        while let Some((piece, _)) = output.next_piece() {
            let len = piece.len() - output.done;
            match extents.last_mut() {
                // Pieces that touch are one run, wherever their bytes come from.
                Some(last) if last.place + last.len == output.place => last.len += len,
                _ => extents.push(Extent {
                    place: output.place,
                    len,
                }),
            }
            output.advance(len);
        }
        extents
    }

    /// Fills the buffer with the next bytes that are written in one run; returns their place and number.
    ///
    /// # Errors
    /// When the old file cannot be read, or is shorter than it was.
    pub(in crate::mailbox) fn next<S: ReadAt + ?Sized>(
        &mut self,
        source: &S,
        buffer: &mut [u8],
    ) -> io::Result<Option<(u64, usize)>> {
        let mut filled = 0;
        let mut start = self.place;
        while filled < buffer.len() {
            let Some((piece, skipped)) = self.next_piece() else {
                break;
            };
            // A chunk is one write in one place, so it ends where bytes are left out.
            if skipped && filled > 0 {
                break;
            }
            if filled == 0 {
                start = self.place;
            }
            let left = piece.len() - self.done;
            let want = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(buffer.len() - filled);
            let target = &mut buffer[filled..filled + want];
            match piece {
                Piece::Copy { from, .. } => {
                    // The source is still as it was: the plan never overtakes itself, or the caller
                    // writes nothing into the file that it reads.
                    read_exact(source, target, from + self.done)?;
                }
                Piece::Text(text) => {
                    let done = self.done as usize;
                    target.copy_from_slice(&text[done..done + want]);
                }
            }
            filled += want;
            self.advance(want as u64);
        }
        Ok((filled > 0).then_some((start, filled)))
    }

    /// Returns the next piece of which something is left to write, and whether bytes that stay
    /// where they are were passed over on the way to it.
    fn next_piece(&mut self) -> Option<(Piece<'a>, bool)> {
        let mut skipped = false;
        loop {
            let piece = self.current?;
            let left = piece.len() - self.done;
            let stays = matches!(piece, Piece::Copy { from, .. } if from + self.done == self.place);
            if left > 0 && !stays {
                return Some((piece, skipped));
            }
            skipped |= left > 0;
            self.advance(left);
        }
    }

    /// Goes on within the current piece, or to the next one at its end.
    fn advance(&mut self, count: u64) {
        self.place += count;
        self.done += count;
        if self.current.is_some_and(|piece| self.done == piece.len()) {
            self.current = self.behind.next();
            self.done = 0;
        }
    }
}
