//! The bytes of a mailbox as a reader should see them: those of its file or, after an interrupted
//! rewrite, bytes of the file, of the journal and of texts in one sequence.

use std::fs::File;
use std::io;
use std::sync::Arc;

use super::plan::{Piece, RewritePlan};
use crate::mailbox::read_at::{ReadAhead, ReadAt};

/// The origin of a part of a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// The mailbox's file.
    File,
    /// The journal's file.
    Journal,
    /// The texts of the view itself.
    Text,
}

/// A part of a view, in 16 bytes, because a view of changed flags has two parts for each message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Segment {
    /// Where it starts in the view.
    start: u64,
    /// Where it starts in its origin, and in the two highest bits which origin that is: no file is
    /// that long.
    place: u64,
}

/// The bits of `Segment::place` that are the offset.
const OFFSET: u64 = u64::MAX >> 2;

impl Segment {
    fn new(start: u64, origin: Origin, at: u64) -> Segment {
        debug_assert!(at <= OFFSET);
        let place = (origin as u64) << OFFSET.count_ones() | at;
        Segment { start, place }
    }

    fn origin(self) -> Origin {
        match self.place >> OFFSET.count_ones() {
            0 => Origin::File,
            1 => Origin::Journal,
            _ => Origin::Text,
        }
    }

    /// Returns where it starts in its origin.
    fn at(self) -> u64 {
        self.place & OFFSET
    }
}

/// Bytes that can be read at any place: a file as it is, or parts of two files and of texts.
#[derive(Clone, Debug)]
pub(in crate::mailbox) struct PatchedFile {
    file: Arc<File>,
    journal: Option<Arc<File>>,
    text: Vec<u8>,
    segments: Vec<Segment>,
    len: u64,
    /// Reads larger blocks of the file, for a view of many small parts.
    ahead: Option<ReadAhead>,
}

impl PatchedFile {
    /// Returns a view without any part yet.
    pub(in crate::mailbox) fn empty(file: Arc<File>, journal: Option<Arc<File>>) -> PatchedFile {
        PatchedFile {
            file,
            journal,
            text: Vec::new(),
            segments: Vec::new(),
            len: 0,
            ahead: None,
        }
    }

    /// Returns the first `len` bytes of a file.
    pub(in crate::mailbox) fn of_file(file: Arc<File>, len: u64) -> PatchedFile {
        let mut view = PatchedFile::empty(file, None);
        view.push_file(0, len);
        view
    }

    /// Returns what a plan makes of a file, which must stay as it is meanwhile.
    pub(in crate::mailbox) fn of_plan(file: Arc<File>, plan: &RewritePlan) -> PatchedFile {
        let mut view = PatchedFile::empty(file, None);
        view.ahead = Some(ReadAhead::default());
        view.push_file(0, plan.start());
        view.push_plan(plan, plan.start());
        // Behind the last piece a file of the same length stays as it is.
        if plan.new_size() == plan.old_size() {
            view.push_file(view.len, plan.new_size() - view.len);
        }
        view
    }

    /// Adds bytes of the mailbox's file.
    pub(in crate::mailbox) fn push_file(&mut self, at: u64, len: u64) {
        self.push(Origin::File, at, len);
    }

    /// Adds bytes of the journal's file.
    pub(in crate::mailbox) fn push_journal(&mut self, at: u64, len: u64) {
        self.push(Origin::Journal, at, len);
    }

    /// Adds the pieces of a plan from this place in the new file on.
    pub(in crate::mailbox) fn push_plan(&mut self, plan: &RewritePlan, from: u64) {
        let mut place = plan.start();
        for piece in plan.pieces() {
            let len = piece.len();
            let skipped = from.saturating_sub(place).min(len);
            place += len;
            if skipped == len {
                continue;
            }
            match piece {
                Piece::Copy { from, len } => self.push_file(from + skipped, len - skipped),
                Piece::Text(text) => {
                    let at = self.text.len() as u64;
                    let text = &text[skipped as usize..];
                    self.text.extend_from_slice(text);
                    self.push(Origin::Text, at, text.len() as u64);
                }
            }
        }
    }

    fn push(&mut self, origin: Origin, at: u64, len: u64) {
        if len == 0 {
            return;
        }
        let continues = self.segments.last().is_some_and(|last| {
            last.origin() == origin && last.at() + (self.len - last.start) == at
        });
        if !continues {
            self.segments.push(Segment::new(self.len, origin, at));
        }
        self.len += len;
    }

    /// Leaves out everything after this offset.
    pub(in crate::mailbox) fn truncate(&mut self, len: u64) {
        self.len = self.len.min(len);
    }

    /// Returns how many bytes there are.
    pub(in crate::mailbox) fn len(&self) -> u64 {
        self.len
    }

    /// Returns the mailbox's file.
    pub(in crate::mailbox) fn file(&self) -> &File {
        &self.file
    }

    /// Returns the mailbox's file, to be kept.
    pub(in crate::mailbox) fn shared_file(&self) -> &Arc<File> {
        &self.file
    }

    /// Returns whether a journal has a part in it.
    pub(in crate::mailbox) fn has_journal(&self) -> bool {
        self.journal.is_some()
    }
}

impl ReadAt for PatchedFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if offset >= self.len || buffer.is_empty() {
            return Ok(0);
        }
        // The first segment starts at 0 and `offset` is before the end, so one holds it.
        let index = self
            .segments
            .partition_point(|segment| segment.start <= offset)
            - 1;
        let segment = self.segments[index];
        let end = self
            .segments
            .get(index + 1)
            .map_or(self.len, |next| next.start.min(self.len));
        let most = usize::try_from(end - offset).unwrap_or(usize::MAX);
        let want = buffer.len().min(most);
        let buffer = &mut buffer[..want];
        let at = segment.at() + (offset - segment.start);
        match (segment.origin(), &self.journal) {
            (Origin::File, _) => match &self.ahead {
                Some(ahead) => ahead.read_at(&*self.file, buffer, at),
                None => self.file.read_at(buffer, at),
            },
            (Origin::Journal, Some(journal)) => journal.read_at(buffer, at),
            (Origin::Journal, None) => Ok(0),
            (Origin::Text, _) => self.text[..].read_at(buffer, at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::mailbox::read_at::read_full;

    #[test]
    fn parts_are_read_as_one() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "0123456789").expect("written");
        let journal = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(journal.path(), "abcdef").expect("written");
        let open = |file: &tempfile::NamedTempFile| Arc::new(file.reopen().expect("opened"));
        let mut view = PatchedFile::empty(open(&file), Some(open(&journal)));
        view.push_file(0, 2);
        view.push_file(2, 1);
        view.push_journal(3, 2);
        view.push_file(8, 2);
        assert_eq!((view.len(), view.segments.len()), (7, 3));
        for start in 0..7_usize {
            let mut buffer = [0; 16];
            let count = read_full(&view, &mut buffer, start as u64).expect("read");
            assert_eq!(&buffer[..count], &b"012de89"[start..]);
        }
    }
}
