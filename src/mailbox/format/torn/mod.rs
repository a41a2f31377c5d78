//! Unfinished appends: the traces of an interrupted append in a mailbox. Readers skip them, and the
//! next writer cuts them off.
//!
//! Such an append was never reported as successful, so its sender still has the message, and
//! nothing is lost with what it left.
//!
//! # How a message is appended
//! A message that lies within one page of the file is written in one call: it is there whole or not
//! at all. A longer one could be cut off in the middle, by a kill between two writes, or by a power
//! cut that leaves some pages and not others. So it is written with a NUL where the `F` of its
//! From_ line belongs, the [`MARK`]: its first page is synced before the second is written, so that
//! no power cut leaves text without its mark; then all of it is synced; then the `F` is written and
//! synced. **Only then does the message count.**
//!
//! # What can stand in a file instead of a message
//! | right behind a line end, or at the start of the file | from | readers | the next writer |
//! |---|---|---|---|
//! | NULs up to the end of the file | a power cut: the disk has the new size, not the bytes | leave them out | cuts them |
//! | `\0rom sender date`, then anything | a long message that was not finished | leave it out | cuts it |
//! | the first bytes of that up to a page's end, then NULs or nothing | the same, after a power cut | leave it out | cuts it |
//! | one of these, then mail | another program, which does not know the mark, has appended | leave the piece out, show the mail | cuts nothing, so that the mail stays |
//!
//! A run of NULs that ends the file also counts where it begins on a page's border: the pages before
//! it are there. NULs count only where there are more of them than a message may end with (a From_
//! line alone is longer), or where a page ends with them. A body that ends in NULs is not right
//! behind a line end, or has a line end behind it, or is short, and stays as it is.
//!
//! NULs at the start of a file are blank, as line ends are.
//!
//! To other programs such a piece is text of the message before it, until it is cut.

use std::io;

use memchr::memmem::{Finder, FinderRev};

use crate::mailbox::format::separator::{Candidate, LOOKAHEAD, judge};
use crate::mailbox::read_at::{ReadAt, read_full};

/// The byte instead of the `F` of a From_ line while its message is not complete.
pub(in crate::mailbox) const MARK: u8 = 0;

/// The first bytes of a From_ line with its mark.
pub(in crate::mailbox) const MARKED: &[u8] = b"\0rom ";

/// The most NULs that a message may end with.
///
/// An interrupted append leaves more: even the shortest From_ line with a date is longer.
const LONGEST_END: u64 = 32;

/// The unit in which a file's bytes reach the disk: after a power cut a page is there or missing.
pub(in crate::mailbox) const PAGE: u64 = 4096;

/// How much is read at once.
const BLOCK: usize = 64 * 1024;

/// Returns whether a byte before the first From_ line means nothing.
pub(in crate::mailbox) fn is_blank(byte: &u8) -> bool {
    matches!(byte, b'\n' | b'\r' | 0)
}

/// Returns how many bytes at the start of a text are blank, up to a mark or a run of NULs that is
/// longer than a message may end with.
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

/// Returns whether an unfinished message, or NULs that belong to no message, start at this place:
/// right behind a line end, or at the start of the file.
///
/// `text` holds the bytes from there on: at least [`LOOKAHEAD`], or all up to the end of the file.
pub(in crate::mailbox) fn is_unfinished_at<S: ReadAt + ?Sized>(
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
    // NULs with other text behind them are a body's own, a binary attachment for instance. Only the
    // end of the file or another program's mail shows that bytes of an append are missing.
    let mut behind = vec![0; LOOKAHEAD];
    let count = read_full(source, &mut behind[..available(size, end, LOOKAHEAD)], end)?;
    let behind = &behind[..count];
    Ok(behind.is_empty() || is_separator(behind))
}

/// Returns where the first message starts that another program has appended to an unfinished one.
pub(in crate::mailbox) fn first_message_after<S: ReadAt + ?Sized>(
    source: &S,
    size: u64,
    place: u64,
) -> io::Result<Option<u64>> {
    let finder = Finder::new(b"From ");
    let mut window = vec![0; 1 + BLOCK + LOOKAHEAD];
    let mut base = place;
    while base < size {
        let want = available(size, base, window.len());
        let filled = read_full(source, &mut window[..want], base)?;
        // A candidate is judged only with LOOKAHEAD bytes behind it, as the scanner does it.
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
        // The file has ended, or another program has cut it.
        if filled < want || limit == filled || limit < 2 {
            break;
        }
        // One byte is read again: it tells whether a From_ line right behind it is quoted.
        base += limit as u64 - 1;
    }
    Ok(None)
}

/// Returns whether a message starts at this place of a window, after the text of an unfinished one.
///
/// That text may break off within a line, so the place need not be the start of a line; but a From_
/// line behind `>` is quoted, and text itself.
pub(in crate::mailbox) fn is_start_within(window: &[u8], start: usize) -> bool {
    window[start.saturating_sub(1)] != b'>' && is_separator(&window[start..])
}

/// Returns where a mailbox ends without the NULs at its end that belong to no message.
pub(in crate::mailbox) fn end_without_nuls<S: ReadAt + ?Sized>(
    source: &S,
    size: u64,
) -> io::Result<u64> {
    // Nearly every mailbox ends with another byte: one page is read first, and only behind NULs
    // larger blocks.
    let mut block = vec![0; PAGE as usize];
    let mut start = size;
    let before = loop {
        if start == 0 {
            return Ok(0);
        }
        let from = start.saturating_sub(block.len() as u64);
        let want = (start - from) as usize;
        if read_full(source, &mut block[..want], from)? < want {
            // Another program has cut the file meanwhile; the scan will find its end.
            return Ok(size);
        }
        if let Some(last) = block[..want].iter().rposition(|byte| *byte != 0) {
            start = from + last as u64 + 1;
            break block[last];
        }
        start = from;
        block.resize(BLOCK, 0);
    };
    // An append starts behind a line end. Where the pages before were written and the next was not,
    // the NULs begin on a page border, in the middle of a line.
    let is_unfinished = before == b'\n' || start.is_multiple_of(PAGE);
    Ok(if is_missing_text(start, size) && is_unfinished {
        start
    } else {
        size
    })
}

/// Returns the end of the last complete message, where the next one is written: before NULs and
/// before an unfinished message.
///
/// Only the last message and the bytes after it are read.
pub(in crate::mailbox) fn end_of_messages<S: ReadAt + ?Sized>(
    source: &S,
    size: u64,
) -> io::Result<u64> {
    let end = end_without_nuls(source, size)?;
    Ok(match first_unfinished(source, end)? {
        // Cutting at the piece would take the mail that another program has put behind it.
        Some(piece) if first_message_after(source, end, piece + 1)?.is_none() => piece,
        _ => end,
    })
}

/// Returns where the first unfinished message after the last complete one starts.
fn first_unfinished<S: ReadAt + ?Sized>(source: &S, size: u64) -> io::Result<Option<u64>> {
    let newline = FinderRev::new(b"\n");
    let mut window = vec![0; BLOCK + LOOKAHEAD];
    // Backwards from line end to line end, until a separator shows where a whole message starts.
    // Several appends may have broken off one after the other: the earliest piece counts.
    let (mut end, mut piece) = (size, None);
    while end > 0 {
        let start = end.saturating_sub(BLOCK as u64);
        let filled = read_full(
            source,
            &mut window[..available(size, start, BLOCK + LOOKAHEAD)],
            start,
        )?;
        let mut reach = ((end - start) as usize).min(filled);
        while let Some(found) = newline.rfind(&window[..reach]) {
            let text = &window[found + 1..filled];
            let place = start + found as u64 + 1;
            if place < size && is_unfinished_at(source, size, text, place)? {
                piece = Some(place);
            } else if is_separator(text) {
                return Ok(piece);
            }
            reach = found;
        }
        if start == 0 && is_unfinished_at(source, size, &window[..filled], 0)? {
            return Ok(Some(0));
        }
        end = start;
    }
    Ok(piece)
}

/// Returns whether this is a From_ line with its mark, so that its message is not complete yet.
///
/// The first bytes decide: a missing page, or the end of the file, may have cut off the remainder of
/// the line, and no mail program writes a NUL at the start of a line and goes on with `rom `.
fn is_marked(text: &[u8]) -> bool {
    text.starts_with(MARKED)
}

/// Returns whether NULs between these offsets can stand in place of a message's missing bytes.
fn is_missing_text(start: u64, end: u64) -> bool {
    end - start > LONGEST_END || end > start && end.is_multiple_of(PAGE)
}

/// Returns whether a marked From_ line begins so close before the end of a page that even its first
/// five bytes are cut, and the next page is missing.
fn is_marked_before_border(text: &[u8], place: u64) -> bool {
    let before_border = (PAGE - place % PAGE) as usize;
    if before_border >= MARKED.len() || !text.starts_with(&MARKED[..before_border]) {
        return false;
    }
    let behind = &text[before_border..];
    // A missing page has NULs at least for the remainder of the From_ line; a body that contains
    // these few bytes by chance goes on with text.
    let missing = LONGEST_END as usize - MARKED.len();
    behind.is_empty() || behind.len() > missing && behind[..missing].iter().all(|byte| *byte == 0)
}

/// Returns whether this is a From_ line that would separate messages after a blank line.
fn is_separator(text: &[u8]) -> bool {
    text.starts_with(b"From ") && judge(text, true) != Candidate::Text
}

/// Returns where a run of NULs ends that reaches at least to this place.
pub(in crate::mailbox) fn end_of_nuls<S: ReadAt + ?Sized>(
    source: &S,
    size: u64,
    from: u64,
) -> io::Result<u64> {
    let mut block = vec![0; BLOCK];
    let mut at = from;
    while at < size {
        let want = available(size, at, BLOCK);
        let count = read_full(source, &mut block[..want], at)?;
        if let Some(found) = block[..count].iter().position(|byte| *byte != 0) {
            return Ok(at + found as u64);
        }
        if count == 0 {
            // Another program has cut the file.
            break;
        }
        at += count as u64;
    }
    Ok(at)
}

/// Returns how many of the wanted bytes there are before the end of the file.
fn available(size: u64, from: u64, want: usize) -> usize {
    usize::try_from(size.saturating_sub(from)).map_or(want, |left| left.min(want))
}

#[cfg(test)]
mod tests;
