//! Lines of any length, in pieces of limited size.

use std::io::{self, BufRead, BufReader, Read};

use crate::message::BLOCK;

/// A reader of lines; a line over 64 KiB comes in several pieces.
pub(super) struct LinePieces<R> {
    reader: BufReader<R>,
    piece: Vec<u8>,
    /// Whether the next piece starts a line.
    at_line_start: bool,
}

/// A line, or a piece of one, its line end included.
#[derive(Clone, Copy)]
pub(super) struct LinePiece<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) starts_line: bool,
}

impl<'a> LinePiece<'a> {
    /// Returns the text and the line end: LF, CRLF or none.
    pub(super) fn split(self) -> (&'a [u8], &'a [u8]) {
        let text = crate::message::parse::fields::trim_line_end(self.bytes);
        if self.bytes.ends_with(b"\n") {
            self.bytes.split_at(text.len())
        } else {
            (self.bytes, b"")
        }
    }
}

impl<R: Read> LinePieces<R> {
    pub(super) fn new(reader: R) -> LinePieces<R> {
        LinePieces {
            reader: BufReader::with_capacity(BLOCK, reader),
            piece: Vec::new(),
            at_line_start: true,
        }
    }

    /// Returns the next piece, or `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<LinePiece<'_>>> {
        self.piece.clear();
        let mut limit = BLOCK as u64;
        loop {
            let mut reader = self.reader.by_ref().take(limit);
            reader.read_until(b'\n', &mut self.piece)?;
            // A CRLF stays in one piece, so that a line end can be seen as one.
            if self.piece.len() == BLOCK && self.piece.ends_with(b"\r") {
                limit = 1;
                continue;
            }
            break;
        }
        if self.piece.is_empty() {
            return Ok(None);
        }
        let starts_line = self.at_line_start;
        self.at_line_start = self.piece.ends_with(b"\n");
        Ok(Some(LinePiece {
            bytes: &self.piece,
            starts_line,
        }))
    }
}
