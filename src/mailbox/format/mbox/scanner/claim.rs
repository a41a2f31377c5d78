//! The claim of a Content-Length field about where its message ends, and whether it is believed.

use std::io;

use crate::mailbox::format::separator::{Candidate, LOOKAHEAD, is_message_header, judge};
use crate::mailbox::read_at::{ReadAt, read_full};

/// The longest run of line ends between a body and the next From_ line: two with CR.
const MAX_LINE_ENDS: usize = 4;

/// How much is read behind the end that is claimed: enough for the first fields of a header.
const LOOKED_AT: usize = 1 + MAX_LINE_ENDS + 4 * LOOKAHEAD;

/// What Content-Length says about the current message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// The message has no Content-Length, or one that was found to be wrong.
    None,
    /// The body ends at this offset, if the field is right; this was not checked yet.
    Unproven(u64),
    /// The body ends at this offset: the file ends there, or a strict separator follows, or an
    /// undated one with the header of a message behind it.
    Proven(u64),
}

impl Claim {
    /// Returns whether this offset lies within the body, as far as the claim is right.
    ///
    /// The field is checked when the first weak candidate depends on it, and once only, so that a
    /// body full of candidates costs no more than one read elsewhere in the file of this size.
    pub(super) fn covers<S: ReadAt + ?Sized>(
        &mut self,
        source: &S,
        place: u64,
        size: u64,
    ) -> io::Result<bool> {
        match *self {
            // A candidate behind the claimed end does not depend on the claim.
            Claim::Unproven(end) if place < end => {
                *self = if is_message_end(source, end, size)? {
                    Claim::Proven(end)
                } else {
                    Claim::None
                };
            }
            Claim::None | Claim::Unproven(_) | Claim::Proven(_) => {}
        }
        Ok(matches!(*self, Claim::Proven(end) if place < end))
    }
}

/// Returns whether a message can end at this offset: at the end of the file or before a separator.
///
/// There may be line ends between them: some writers count them in their Content-Length, others do
/// not.
fn is_message_end<S: ReadAt + ?Sized>(source: &S, place: u64, size: u64) -> io::Result<bool> {
    if place > size {
        return Ok(false);
    }
    // The byte before tells whether a line starts here.
    let mut text = vec![0; LOOKED_AT];
    let start = place.saturating_sub(1);
    let left = usize::try_from(size - start).unwrap_or(usize::MAX);
    let want = text.len().min(left);
    let count = read_full(source, &mut text[..want], start)?;
    let text = &text[..count];
    let skipped = (place - start) as usize;
    let blanks = text
        .iter()
        .skip(skipped)
        .take(MAX_LINE_ENDS)
        .take_while(|b| matches!(b, b'\n' | b'\r'))
        .count();
    let line = skipped + blanks;
    if line >= text.len() {
        return Ok(start + line as u64 >= size);
    }
    let starts_line = line == 0 || text[line - 1] == b'\n';
    if !starts_line || !text[line..].starts_with(b"From ") {
        return Ok(false);
    }
    Ok(match judge(&text[line..], true) {
        Candidate::Strict => true,
        // Files without dates may have right lengths, too.
        Candidate::Weak => {
            let header = text[line..].split_inclusive(|byte| *byte == b'\n').next();
            let header = &text[line + header.map_or(0, <[u8]>::len)..];
            is_message_header(header, start + count as u64 >= size) == Some(true)
        }
        Candidate::Undated | Candidate::Text => false,
    })
}
