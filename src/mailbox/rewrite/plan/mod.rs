//! The plan of a rewrite: the new mailbox, as pieces of the old one and texts between them.
//!
//! Pieces stand in the order of the new file, and those that are copied are in the order of the old
//! one too. The bytes before the first changed byte belong to no piece. Nor do those behind the
//! last change where both files have the same length.

use std::io;

use crate::mailbox::change::{Change, Changes};
use crate::mailbox::flags::Flags;
use crate::mailbox::format::mbox::MessageRef;
use crate::mailbox::format::mmdf;
use crate::mailbox::format::separator::LOOKAHEAD;
use crate::mailbox::format::{status, torn};
use crate::mailbox::read_at::{ReadAt, read_exact, read_full};
use crate::sys::progress::{self, Unit};

/// The longest header block in which flags are changed, since it is read into memory.
const MAX_HEADER: u32 = 64 * 1024 * 1024;

/// A part of the new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mailbox) enum Piece<'a> {
    /// Bytes of the old file.
    Copy {
        /// Where they start in the old file.
        from: u64,
        /// How many they are.
        len: u64,
    },
    /// Other bytes.
    Text(&'a [u8]),
}

impl Piece<'_> {
    pub(in crate::mailbox) fn len(&self) -> u64 {
        match self {
            Piece::Copy { len, .. } => *len,
            Piece::Text(text) => text.len() as u64,
        }
    }
}

/// A piece as it is stored, in 16 bytes, because a change of all flags has two pieces a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stored {
    /// Where it starts in the old file, or [`TEXT`].
    from: u64,
    len: u64,
}

/// In place of an offset: the piece is a text, and stands in [`RewritePlan::text`] behind the text
/// of the piece before.
const TEXT: u64 = u64::MAX;

/// The pieces of a plan, in the order of the new file.
#[derive(Clone, Debug)]
pub(in crate::mailbox) struct Pieces<'a> {
    stored: std::slice::Iter<'a, Stored>,
    /// The texts of the pieces that are left.
    texts: &'a [u8],
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        Some(match *self.stored.next()? {
            Stored { from: TEXT, len } => {
                let (text, behind) = self.texts.split_at(len as usize);
                self.texts = behind;
                Piece::Text(text)
            }
            Stored { from, len } => Piece::Copy { from, len },
        })
    }
}

/// The plan of a rewrite: the new file as pieces of the old one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::mailbox) struct RewritePlan {
    /// Where the first piece belongs: the first changed byte.
    start: u64,
    pieces: Vec<Stored>,
    text: Vec<u8>,
    old_size: u64,
    new_size: u64,
    flagged: usize,
}

impl RewritePlan {
    /// Plans what `changes` make of a mailbox of `size` bytes whose messages are these.
    ///
    /// `framing` is the length of the delimiters before and after each message of MMDF, else 0.
    pub(in crate::mailbox) fn new<S: ReadAt + ?Sized>(
        source: &S,
        size: u64,
        messages: &[MessageRef],
        changes: &Changes,
        framing: u64,
    ) -> io::Result<RewritePlan> {
        let mut plan = Builder::new(size);
        let mut deleted_to = None;
        // The last message up to which bytes that belong to no message were looked for.
        let mut seen = messages.len();
        let total = changes.iter().count() as u64;
        let progress = progress::begin("preparing", Unit::Messages, total);
        for (index, change) in changes.iter() {
            progress.advance(1);
            let Some(message) = messages.get(index) else {
                continue;
            };
            if framing == 0 {
                plan.skip_between(messages, seen, index);
                seen = index;
            }
            match change {
                Change::Delete if framing > 0 => {
                    let (start, end) = framed(source, messages, index, size, framing)?;
                    plan.skip(start, end);
                }
                Change::Delete => {
                    let start = message.offset;
                    let end = message.offset + message.len;
                    let is_run = deleted_to == Some(start);
                    // The separator behind the deleted message may count only after a blank line.
                    // The message before may not end in one, if that of the deleted message is not
                    // strict: it would swallow the one behind.
                    if !is_run
                        && !message.is_strict
                        && start > 0
                        && is_blank_line_behind(source, messages, changes, index)?
                    {
                        let before = if plan.has_start {
                            end_before(messages, index)
                        } else {
                            start
                        };
                        plan.copy_to(start);
                        plan.text(missing_line_ends(source, before)?);
                    }
                    plan.skip(start, end);
                    deleted_to = Some(end);
                }
                Change::Flags(flags) => plan.change_flags(source, message, flags)?,
            }
        }
        if framing == 0 {
            plan.skip_between(messages, seen, messages.len().saturating_sub(1));
            plan.skip_behind(source, end_before(messages, messages.len()))?;
        }
        Ok(plan.finish())
    }

    /// Puts together a plan that was read from a journal.
    pub(in crate::mailbox) fn restored(
        start: u64,
        old_size: u64,
        pieces: impl Iterator<Item = OwnedPiece>,
    ) -> Option<RewritePlan> {
        let mut plan = RewritePlan {
            start,
            old_size,
            ..RewritePlan::default()
        };
        let mut new_size = start;
        for piece in pieces {
            let len = match piece {
                OwnedPiece::Copy { from, len } => {
                    from.checked_add(len).filter(|end| *end <= old_size)?;
                    plan.pieces.push(Stored { from, len });
                    len
                }
                OwnedPiece::Text(text) => {
                    let len = text.len() as u64;
                    plan.pieces.push(Stored { from: TEXT, len });
                    plan.text.extend_from_slice(&text);
                    len
                }
            };
            new_size = new_size.checked_add(len)?;
        }
        plan.new_size = new_size;
        Some(plan)
    }

    /// Returns whether nothing changes.
    pub(in crate::mailbox) fn is_empty(&self) -> bool {
        self.pieces.is_empty() && self.new_size == self.old_size
    }

    /// Returns the offset of the first changed byte.
    pub(in crate::mailbox) fn start(&self) -> u64 {
        self.start
    }

    /// Returns the offset after the last byte that is written; it is less than the new size if the
    /// end of the file does not change.
    pub(in crate::mailbox) fn end(&self) -> u64 {
        self.start + self.pieces().map(|piece| piece.len()).sum::<u64>()
    }

    /// Returns the size of the file before.
    pub(in crate::mailbox) fn old_size(&self) -> u64 {
        self.old_size
    }

    /// Returns the size of the file afterwards.
    pub(in crate::mailbox) fn new_size(&self) -> u64 {
        self.new_size
    }

    /// Returns how many messages get other flags.
    pub(in crate::mailbox) fn flagged(&self) -> usize {
        self.flagged
    }

    /// Returns the pieces in the order of the new file; the first stands at
    /// [`start`](RewritePlan::start).
    pub(in crate::mailbox) fn pieces(&self) -> Pieces<'_> {
        Pieces {
            stored: self.pieces.iter(),
            texts: &self.text,
        }
    }

    /// Returns whether no byte is written over one that is still to be copied.
    ///
    /// Then the file can be rewritten from its start to its end, a window at a time.
    pub(in crate::mailbox) fn never_overtakes(&self) -> bool {
        let mut place = self.start;
        self.pieces().all(|piece| {
            // A text has no source in the old file, so it cannot lose it.
            let goes = match piece {
                Piece::Copy { from, .. } => place <= from,
                Piece::Text(_) => true,
            };
            place += piece.len();
            goes
        }) && self.new_size <= self.old_size
    }
}

/// A piece that owns its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::mailbox) enum OwnedPiece {
    /// As [`Piece::Copy`].
    Copy { from: u64, len: u64 },
    /// As [`Piece::Text`].
    Text(Vec<u8>),
}

/// Puts a plan together, from the start of the file to its end.
struct Builder {
    plan: RewritePlan,
    /// Where in the old file the next piece starts.
    at: u64,
    has_start: bool,
    /// The header block at hand.
    header: Vec<u8>,
}

impl Builder {
    fn new(size: u64) -> Builder {
        Builder {
            plan: RewritePlan {
                old_size: size,
                new_size: size,
                ..RewritePlan::default()
            },
            at: 0,
            has_start: false,
            header: Vec::new(),
        }
    }

    /// Keeps the old file up to this place. Before the first change that needs no piece.
    fn copy_to(&mut self, place: u64) {
        if !self.has_start {
            self.at = place;
            return;
        }
        let len = place - self.at;
        if len == 0 {
            return;
        }
        match self.plan.pieces.last_mut() {
            Some(last) if last.from != TEXT && last.from + last.len == self.at => last.len += len,
            _ => self.plan.pieces.push(Stored { from: self.at, len }),
        }
        self.at = place;
    }

    /// Makes this place the first changed byte, if nothing has changed before.
    fn begin(&mut self) {
        if !self.has_start {
            self.has_start = true;
            self.plan.start = self.at;
        }
    }

    fn text(&mut self, text: &[u8]) {
        if text.is_empty() {
            return;
        }
        self.begin();
        let len = text.len() as u64;
        self.plan.text.extend_from_slice(text);
        match self.plan.pieces.last_mut() {
            Some(last) if last.from == TEXT => last.len += len,
            _ => self.plan.pieces.push(Stored { from: TEXT, len }),
        }
        self.plan.new_size += len;
    }

    /// Skips this part of the old file.
    fn skip(&mut self, start: u64, end: u64) {
        // Two deleted messages may share a delimiter that its writer forgot to repeat, so the
        // second part may begin within the first.
        let start = start.max(self.at);
        self.copy_to(start);
        if end > start {
            self.begin();
            self.plan.new_size -= end - start;
            self.at = end;
        }
    }

    /// Leaves out bytes between these messages that belong to none of them (what a broken append
    /// left, see `torn`), but only where they would have to be moved: the rest of the file stays
    /// untouched.
    fn skip_between(&mut self, messages: &[MessageRef], from: usize, to: usize) {
        for index in from + 1..=to {
            let start = end_before(messages, index);
            if self.has_start && start < messages[index].offset {
                self.skip(start, messages[index].offset);
            }
        }
    }

    /// Leaves out such bytes after the last message, if they would have to be moved.
    fn skip_behind<S: ReadAt + ?Sized>(&mut self, source: &S, end: u64) -> io::Result<()> {
        let size = self.plan.old_size;
        if self.has_start && end < size {
            let mut text = vec![0; LOOKAHEAD];
            let count = read_full(source, &mut text, end)?;
            if torn::is_unfinished_at(source, size, &text[..count], end)? {
                self.skip(end, size);
            }
        }
        Ok(())
    }

    fn change_flags<S: ReadAt + ?Sized>(
        &mut self,
        source: &S,
        message: &MessageRef,
        flags: Flags,
    ) -> io::Result<()> {
        if message.flags == flags {
            return Ok(());
        }
        if message.header_len > MAX_HEADER {
            return Ok(());
        }
        self.header.resize(message.header_len as usize, 0);
        read_exact(source, &mut self.header, message.offset)?;
        // `status::edits` finds no place for flags where there is no header.
        let Some(edits) = status::edits(&self.header, message.from_line_len as usize, flags) else {
            return Ok(());
        };
        for edit in &edits {
            let start = message.offset + edit.at as u64;
            self.copy_to(start);
            self.text(&edit.text);
            self.skip(start, start + edit.removed as u64);
        }
        self.plan.flagged += usize::from(!edits.is_empty());
        Ok(())
    }

    fn finish(mut self) -> RewritePlan {
        if !self.has_start {
            return self.plan;
        }
        // The rest of the file moves only where the length changes; else it stays as it is and
        // belongs to no piece.
        if self.plan.new_size != self.plan.old_size {
            self.copy_to(self.plan.old_size);
        }
        self.plan
    }
}

/// Returns where the message before this one ends.
fn end_before(messages: &[MessageRef], index: usize) -> u64 {
    let before = index.checked_sub(1).and_then(|index| messages.get(index));
    before.map_or(0, |before| before.offset + before.len)
}

/// Returns the part of an MMDF file that is deleted with a message: the message with its
/// delimiters.
///
/// It reaches to the delimiter before the next message. Careless writers let two messages share a
/// delimiter, which then stays for the other one. The closing delimiter also stays where something
/// follows that is not in the index: a message that another program is writing.
fn framed<S: ReadAt + ?Sized>(
    source: &S,
    messages: &[MessageRef],
    index: usize,
    size: u64,
    framing: u64,
) -> io::Result<(u64, u64)> {
    let message = &messages[index];
    let opening = message.offset.saturating_sub(framing);
    if let Some(next) = messages.get(index + 1) {
        return Ok((opening, next.offset - framing));
    }
    let before = index.checked_sub(1).and_then(|index| messages.get(index));
    let shares = before.is_some_and(|before| before.offset + before.len == opening);
    let start = if shares { message.offset } else { opening };
    let end = message.offset + message.len;
    let behind = (end + framing).min(size);
    Ok(if mmdf::is_blank(source, behind, size)? {
        (start, size)
    } else {
        (start, end)
    })
}

/// Returns whether the first message that stays behind a deleted one stands behind a blank line.
fn is_blank_line_behind<S: ReadAt + ?Sized>(
    source: &S,
    messages: &[MessageRef],
    changes: &Changes,
    deleted: usize,
) -> io::Result<bool> {
    let stays = |other: &usize| !matches!(changes.get(*other), Some(Change::Delete));
    Ok(match (deleted + 1..messages.len()).find(stays) {
        Some(behind) => missing_line_ends(source, messages[behind].offset)?.is_empty(),
        None => false,
    })
}

/// Returns the line ends that are missing before this place, so that a blank line precedes it.
fn missing_line_ends<S: ReadAt + ?Sized>(source: &S, place: u64) -> io::Result<&'static [u8]> {
    let start = place.saturating_sub(3);
    let mut last = [0; 3];
    let last = &mut last[..(place - start) as usize];
    let count = read_full(source, last, start)?;
    Ok(match &last[..count] {
        [.., b'\n', b'\n'] | [b'\n', b'\r', b'\n'] | [] => b"",
        [b'\n'] | [b'\r', b'\n'] => b"",
        [.., b'\n'] => b"\n",
        _ => b"\n\n",
    })
}

#[cfg(test)]
mod tests;
