//! What an append that nobody was told of leaves in a mailbox: how it is known, left out and cut.
//!
//! # How a message is appended
//! A message that lies within one page of the file is written in one call: it is there whole or not
//! at all. A longer one could be cut off in the middle, by a kill between two writes, or by a power
//! cut that leaves some pages and not others. So it is written with a NUL where the `F` of its
//! From_ line belongs, the [`MARK`]: its first page is synced before the second is written, so that
//! no power cut leaves text without its mark; then all of it is synced; then the `F` is written and
//! synced. **Only then does the message count.**
//!
//! # What can stand there instead of a message
//! | right behind a line end, or at the start of the file | from | readers | the next writer |
//! |---|---|---|---|
//! | NULs up to the end of the file | size there, bytes not | leave them out | cuts them |
//! | `\0rom sender date`, then anything | the long message was not finished | leave it out | cuts it |
//! | the first bytes of that up to a page's end, then NULs or nothing | the same | leave it out | cuts it |
//! | one of these, then mail of another program | which knows nothing of this | show that mail | the same |
//!
//! A run of NULs that ends the file also counts where it begins on a page's border: the pages before
//! it are there. NULs count only where there are more of them than a message may end with (a From_
//! line alone is longer), or where a page ends with them. A body that ends in NULs is not right
//! behind a line end, or has a line end behind it, or is short, and stays as it is.
//!
//! NULs at the start of a file are blank, as line ends are.
//!
//! Other programs see such a piece as text of the message before it, as long as it is there.

use std::io;

use memchr::memmem::{Finder, FinderRev};

use crate::mailbox::format::from_line::FromLine;
use crate::mailbox::format::separator::{Candidate, LOOKAHEAD, MAX_FROM_LINE, judge};
use crate::mailbox::read_at::{ReadAt, read_full};

/// What stands in the place of the `F` of a From_ line whose message does not count yet.
pub(in crate::mailbox) const MARK: u8 = 0;

/// How such a From_ line begins.
pub(in crate::mailbox) const MARKED: &[u8] = b"\0rom ";

/// The most NULs that a message may end with; the shortest From_ line with its date is longer.
const LONGEST_END: u64 = 32;

/// The parts of a file that a disk has or has not.
pub(in crate::mailbox) const PAGE: u64 = 4096;

/// How much is read at once.
const BLOCK: usize = 64 * 1024;

/// Returns whether a byte before the first From_ line means nothing.
pub(in crate::mailbox) fn is_blank(byte: &u8) -> bool {
    matches!(byte, b'\n' | b'\r' | 0)
}

/// Returns how much at the start of a text is blank, up to a run of NULs that may be no message or
/// a mark.
pub(in crate::mailbox) fn blank_before_nuls(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(byte) = text.get(at).filter(|byte| is_blank(byte)) {
        if *byte != 0 {
            at += 1;
            continue;
        }
        let run = text[at..].iter().take_while(|byte| **byte == 0).count();
        if run as u64 > LONGEST_END || is_marked(&text[at..]) {
            break;
        }
        at += run;
    }
    at
}

/// Returns whether what stands here, right behind a line end or at the start of the file, is no
/// part of a message.
///
/// `text` is what follows from here on: at least [`LOOKAHEAD`] bytes, or all there is.
pub(in crate::mailbox) fn starts<S: ReadAt + ?Sized>(
    source: &S,
    size: u64,
    text: &[u8],
    place: u64,
) -> io::Result<bool> {
    if is_marked(text) || is_marked_before_border(text, place) {
        return Ok(true);
    }
    let run = text.iter().take_while(|byte| **byte == 0).count();
    let mut end = place + run as u64;
    if run == text.len() {
        end = end_of_nuls(source, size, end)?;
    }
    if !is_missing_text(place, end) {
        return Ok(false);
    }
    let mut behind = vec![0; LOOKAHEAD];
    let count = read_full(source, &mut behind[..left(size, end, LOOKAHEAD)], end)?;
    let behind = &behind[..count];
    Ok(behind.is_empty() || is_separator(behind))
}

/// Returns where the first message stands that another program has put behind such a piece.
pub(in crate::mailbox) fn after<S: ReadAt + ?Sized>(
    source: &S,
    size: u64,
    place: u64,
) -> io::Result<Option<u64>> {
    let finder = Finder::new(b"From ");
    let mut window = vec![0; 1 + BLOCK + LOOKAHEAD];
    let mut base = place;
    while base < size {
        let want = left(size, base, window.len());
        let filled = read_full(source, &mut window[..want], base)?;
        let limit = if base + filled as u64 >= size {
            filled
        } else {
            filled.saturating_sub(LOOKAHEAD)
        };
        let mut at = 0;
        while let Some(found) = finder.find(&window[at..filled]) {
            let start = at + found;
            if start >= limit {
                break;
            }
            if is_start_within(&window[..filled], start) {
                return Ok(Some(base + start as u64));
            }
            at = start + 1;
        }
        if filled < want || limit == filled || limit < 2 {
            break;
        }
        // The byte before a From_ line is looked at.
        base += limit as u64 - 1;
    }
    Ok(None)
}

/// Returns whether a message starts at this place of a window, whatever stands before it; a quoted
/// From_ line does not.
pub(in crate::mailbox) fn is_start_within(window: &[u8], start: usize) -> bool {
    window[start.saturating_sub(1)] != b'>' && is_separator(&window[start..])
}

/// Returns where a mailbox ends without the NULs that are no part of a message.
pub(in crate::mailbox) fn end<S: ReadAt + ?Sized>(source: &S, size: u64) -> io::Result<u64> {
    let mut block = vec![0; PAGE as usize];
    let mut start = size;
    let before = loop {
        if start == 0 {
            return Ok(0);
        }
        let from = start.saturating_sub(block.len() as u64);
        let want = (start - from) as usize;
        if read_full(source, &mut block[..want], from)? < want {
            // Another program has cut it.
            return Ok(size);
        }
        if let Some(last) = block[..want].iter().rposition(|byte| *byte != 0) {
            start = from + last as u64 + 1;
            break block[last];
        }
        start = from;
        block.resize(BLOCK, 0);
    };
    let is_ours = before == b'\n' || start.is_multiple_of(PAGE);
    Ok(if is_missing_text(start, size) && is_ours {
        start
    } else {
        size
    })
}

/// Returns where a mailbox ends for whoever writes behind it: without NULs, and without a message
/// that was not finished. It reads no more than the last message.
pub(in crate::mailbox) fn whole_end<S: ReadAt + ?Sized>(source: &S, size: u64) -> io::Result<u64> {
    let end = end(source, size)?;
    Ok(match last_pieces(source, end)? {
        // Where another program has written behind it nothing is cut.
        Some(piece) if after(source, end, piece + 1)?.is_none() => piece,
        _ => end,
    })
}

/// Returns where messages stand that were not finished, if these are the last ones.
fn last_pieces<S: ReadAt + ?Sized>(source: &S, size: u64) -> io::Result<Option<u64>> {
    let newline = FinderRev::new(b"\n");
    let mut window = vec![0; BLOCK + LOOKAHEAD];
    let (mut end, mut piece) = (size, None);
    while end > 0 {
        let start = end.saturating_sub(BLOCK as u64);
        let filled = read_full(
            source,
            &mut window[..left(size, start, BLOCK + LOOKAHEAD)],
            start,
        )?;
        let mut reach = ((end - start) as usize).min(filled);
        while let Some(found) = newline.rfind(&window[..reach]) {
            let text = &window[found + 1..filled];
            let place = start + found as u64 + 1;
            if place < size && starts(source, size, text, place)? {
                piece = Some(place);
            } else if is_separator(text) {
                return Ok(piece);
            }
            reach = found;
        }
        if start == 0 && starts(source, size, &window[..filled], 0)? {
            return Ok(Some(0));
        }
        end = start;
    }
    Ok(piece)
}

/// Returns whether a From_ line stands here whose message does not count yet. It may be cut off by
/// a page that is not there, or by the end of the file.
fn is_marked(text: &[u8]) -> bool {
    if !text.starts_with(MARKED) {
        return false;
    }
    let start = &text[..text.len().min(MAX_FROM_LINE)];
    match memchr::memchr(b'\n', start) {
        Some(end) => {
            let mut line = text[..end].to_vec();
            line[0] = b'F';
            line.contains(&0) || FromLine::parse(&line).is_some()
        }
        None => true,
    }
}

/// Returns whether NULs may stand where the text of a message is missing.
fn is_missing_text(start: u64, end: u64) -> bool {
    end - start > LONGEST_END || end > start && end.is_multiple_of(PAGE)
}

/// Returns whether the first bytes of a mark stand at the end of a page and the next page is not
/// there.
fn is_marked_before_border(text: &[u8], place: u64) -> bool {
    let before_border = (PAGE - place % PAGE) as usize;
    if before_border >= MARKED.len() || !text.starts_with(&MARKED[..before_border]) {
        return false;
    }
    let behind = &text[before_border..];
    // The rest of the From_ line at least was to come.
    let rest = LONGEST_END as usize - MARKED.len();
    behind.is_empty() || behind.len() > rest && behind[..rest].iter().all(|byte| *byte == 0)
}

fn is_separator(text: &[u8]) -> bool {
    text.starts_with(b"From ") && judge(text, true) != Candidate::Text
}

/// Returns where NULs end that go on at this place.
pub(in crate::mailbox) fn end_of_nuls<S: ReadAt + ?Sized>(
    source: &S,
    size: u64,
    from: u64,
) -> io::Result<u64> {
    let mut block = vec![0; BLOCK];
    let mut at = from;
    while at < size {
        let want = left(size, at, BLOCK);
        let count = read_full(source, &mut block[..want], at)?;
        if let Some(found) = block[..count].iter().position(|byte| *byte != 0) {
            return Ok(at + found as u64);
        }
        if count == 0 {
            break;
        }
        at += count as u64;
    }
    Ok(at)
}

/// Returns how many bytes are left before the end, or as many as are wanted.
fn left(size: u64, from: u64, want: usize) -> usize {
    usize::try_from(size.saturating_sub(from)).map_or(want, |left| left.min(want))
}

#[cfg(test)]
mod tests;
