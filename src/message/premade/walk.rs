//! A walk over the parts of a message, line by line and in constant memory.
//!
//! It finds what RFC 2046 section 5.1 calls delimiters, headers and contents,
//! and hands them to a [`Visitor`]; both passes over a message see the same.

use std::io::{self, Read};

use super::header::{HeaderProgress, HeaderReader, RawField};
use super::pieces::{LinePiece, LinePieces};
use crate::message::parse::structure::MAX_PARTS;

/// What an entity is made of.
pub(super) enum Shape {
    /// Bytes.
    Leaf,
    /// Parts between lines of `--` and this boundary; in a digest they are messages.
    Multipart { boundary: Vec<u8>, digest: bool },
    /// A message.
    Message,
}

/// The place of an entity.
#[derive(Clone, Copy, Default)]
pub(super) struct Nesting {
    /// How many entities contain it.
    pub(super) depth: usize,
    /// Whether it is a part of a digest.
    pub(super) in_digest: bool,
}

/// The bytes of a multipart that belong to no part.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// A delimiter of the innermost open entity.
    Delimiter,
    /// Text before the first and after the last delimiter, which no reader shows.
    Around,
    /// The bytes after the last part that is read, if there are too many parts.
    Rest,
}

/// Receives the pieces of a message in their order; entities are nested.
pub(super) trait Visitor {
    /// An entity starts with its header.
    fn open(&mut self, header: &[RawField], nesting: Nesting) -> io::Result<Shape>;
    /// Content of the open leaf; line ends come by themselves.
    fn content(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// A piece of a line that belongs to no part, its line end included.
    fn framing(&mut self, bytes: &[u8], kind: Framing) -> io::Result<()>;
    /// The innermost open entity ends; `delimited` if a leaf's last line end belongs to the delimiter.
    fn close(&mut self, delimited: bool) -> io::Result<()>;
}

/// Walks over the body of an entity with this header.
pub(super) fn walk(
    header: &[RawField],
    body: impl Read,
    visitor: &mut dyn Visitor,
) -> io::Result<()> {
    let mut walk = Walk {
        visitor,
        frames: Vec::new(),
        state: NextLine::Around,
        line_end: b"",
        entities: 0,
    };
    walk.open(header)?;
    let mut pieces = LinePieces::new(body);
    while let Some(piece) = pieces.next()? {
        walk.piece(piece)?;
    }
    walk.end()
}

/// An open entity that has parts.
enum Frame {
    Multipart { boundary: Vec<u8>, digest: bool },
    Message,
}

/// What the next line is, unless it is a delimiter.
enum NextLine {
    Header(HeaderReader),
    Leaf,
    Around,
    Rest,
}

struct Walk<'v> {
    visitor: &'v mut dyn Visitor,
    frames: Vec<Frame>,
    state: NextLine,
    /// The line end withheld from a leaf: it may belong to a delimiter.
    line_end: &'static [u8],
    entities: usize,
}

impl Walk<'_> {
    fn piece(&mut self, piece: LinePiece<'_>) -> io::Result<()> {
        // Delimiters come first, within headers as well: a part whose empty line was lost must not
        // take the parts behind it for its header. Only behind too many parts nothing counts.
        if piece.starts_line
            && piece.bytes.starts_with(b"--")
            && !matches!(self.state, NextLine::Rest)
            && let Some((frame, closes)) = self.delimiter(piece.split().0)
        {
            return self.pass_delimiter(frame, closes, piece.bytes);
        }
        match &mut self.state {
            NextLine::Header(reader) => match reader.push(piece) {
                HeaderProgress::More => Ok(()),
                HeaderProgress::End => self.end_header(),
                HeaderProgress::Body { unfinished, .. } => {
                    // The header ended before this piece. Lines of an unfinished field were kept back.
                    self.end_header()?;
                    self.lines(&unfinished)?;
                    let starts_line = unfinished.is_empty() || unfinished.ends_with(b"\n");
                    self.piece(LinePiece {
                        bytes: piece.bytes,
                        starts_line,
                    })
                }
            },
            NextLine::Leaf => {
                // A line end is passed on with the next line: the last one before a delimiter belongs
                // to the delimiter (RFC 2046 section 5.1.1).
                let (text, line_end) = piece.split();
                self.visitor.content(self.line_end)?;
                self.line_end = match line_end {
                    b"\r\n" => b"\r\n",
                    b"\n" => b"\n",
                    _ => b"",
                };
                self.visitor.content(text)
            }
            NextLine::Around => self.visitor.framing(piece.bytes, Framing::Around),
            NextLine::Rest => self.visitor.framing(piece.bytes, Framing::Rest),
        }
    }

    /// Returns the open multipart that a line delimits, the innermost first, and whether it closes it.
    fn delimiter(&self, line: &[u8]) -> Option<(usize, bool)> {
        // Blanks may follow (RFC 2046 section 5.1.1).
        let line = line.strip_prefix(b"--")?.trim_ascii_end();
        for (index, frame) in self.frames.iter().enumerate().rev() {
            let Frame::Multipart { boundary, .. } = frame else {
                continue;
            };
            match line.strip_prefix(boundary.as_slice()) {
                Some(b"") => return Some((index, false)),
                Some(b"--") => return Some((index, true)),
                _ => {}
            }
        }
        None
    }

    fn pass_delimiter(&mut self, frame: usize, closes: bool, line: &[u8]) -> io::Result<()> {
        // The delimiter of an outer multipart ends all inner ones, as if each had been closed.
        self.end_content(true)?;
        while self.frames.len() > frame + 1 {
            self.close_frame()?;
        }
        self.visitor.framing(line, Framing::Delimiter)?;
        if closes {
            self.close_frame()?;
            self.state = NextLine::Around;
        } else if self.entities >= MAX_PARTS {
            self.state = NextLine::Rest;
        } else {
            self.state = NextLine::Header(HeaderReader::default());
        }
        Ok(())
    }

    /// Ends the header that is being read.
    fn end_header(&mut self) -> io::Result<()> {
        let NextLine::Header(reader) = std::mem::replace(&mut self.state, NextLine::Around) else {
            return Ok(());
        };
        let (fields, text) = reader.finish();
        self.open(&fields)?;
        self.lines(&text)
    }

    /// Reads lines that were kept back: they are content, where delimiters count.
    fn lines(&mut self, lines: &[u8]) -> io::Result<()> {
        for line in lines.split_inclusive(|&b| b == b'\n') {
            self.piece(LinePiece {
                bytes: line,
                starts_line: true,
            })?;
        }
        Ok(())
    }

    fn open(&mut self, header: &[RawField]) -> io::Result<()> {
        self.entities += 1;
        let in_digest = matches!(
            self.frames.last(),
            Some(Frame::Multipart { digest: true, .. })
        );
        let nesting = Nesting {
            depth: self.frames.len(),
            in_digest,
        };
        self.state = match self.visitor.open(header, nesting)? {
            Shape::Leaf => {
                self.line_end = b"";
                NextLine::Leaf
            }
            Shape::Multipart { boundary, digest } => {
                self.frames.push(Frame::Multipart { boundary, digest });
                NextLine::Around
            }
            Shape::Message => {
                self.frames.push(Frame::Message);
                NextLine::Header(HeaderReader::default())
            }
        };
        Ok(())
    }

    /// Ends the header or leaf that is being read.
    fn end_content(&mut self, by_delimiter: bool) -> io::Result<()> {
        // A header that ends with its part has no content; that of a message holds another header.
        while matches!(self.state, NextLine::Header(_)) {
            self.end_header()?;
        }
        if matches!(self.state, NextLine::Leaf) {
            if !by_delimiter {
                self.visitor.content(self.line_end)?;
            }
            self.visitor
                .close(by_delimiter && !self.line_end.is_empty())?;
            self.state = NextLine::Around;
        }
        Ok(())
    }

    fn close_frame(&mut self) -> io::Result<()> {
        self.frames.pop();
        self.visitor.close(false)
    }

    fn end(&mut self) -> io::Result<()> {
        self.end_content(false)?;
        while !self.frames.is_empty() {
            self.close_frame()?;
        }
        Ok(())
    }
}
