//! How a message is written into an mbox: quoted, and without fields that would be wrong there.
//!
//! The quoting is mboxrd's: a line of any number of `>` and then `From ` gets one more `>`, so that a
//! reader can take exactly one away. Header lines are quoted like the body's: a reader may take a
//! From_ line in a header for a separator, too.

use std::io::{self, Read, Write};

use memchr::memchr;

use super::mbox::MessageRef;
use super::separator::can_follow_from_line;
use super::unquote::unquote;
use crate::mailbox::read_at::fill;
use crate::message::parse::fields::{HeaderLine, LOOKAHEAD, header_line};

/// How much of a message is held at once.
const BLOCK: usize = 64 * 1024;

/// Fields that describe how a message is stored elsewhere, and would be wrong in our mailbox.
///
/// Some readers believe a sender's Content-Length: it could hide the messages behind this one.
const LEFT_OUT: [&[u8]; 2] = [b"content-length:", b"lines:"];

/// The form in which a message comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// As it was composed or received: it is quoted, and Content-Length and Lines are left out.
    #[default]
    Message,
    /// As it lay in a Maildir or an MMDF mailbox: quoted like a message, but its `Status` fields are
    /// a mail reader's own.
    Filed,
    /// As it lay in another mbox: every byte stays.
    ///
    /// In all forms a text without a header gets an empty line before it, or a `Status` field: a From_
    /// line with such a text behind it would be taken for text itself, and the message for a part of
    /// the last one.
    Stored,
}

impl Form {
    /// Returns a message from a mailbox of this form without the bytes that belong to the mailbox:
    /// the From_ line and, in an mbox, the blank line at the end.
    pub fn content<'a>(self, message: &MessageRef, bytes: &'a [u8]) -> &'a [u8] {
        let inner = bytes.get(message.from_line_len as usize..).unwrap_or(bytes);
        match inner {
            _ if self != Form::Stored => inner,
            [.., b'\n', b'\r', b'\n'] => &inner[..inner.len() - 2],
            [.., b'\n', b'\n'] => &inner[..inner.len() - 1],
            _ => inner,
        }
    }

    /// Returns the bytes of a message from a mailbox of this form as they were before the mailbox
    /// quoted them.
    pub fn unquoted(self, bytes: Vec<u8>) -> Vec<u8> {
        match self {
            Form::Stored => unquote(bytes),
            Form::Message | Form::Filed => bytes,
        }
    }
}

/// Why a message could not be copied.
#[derive(Debug)]
pub(in crate::mailbox) enum CopyError {
    /// The message could not be read.
    Read(io::Error),
    /// The mailbox could not be written.
    Write(io::Error),
}

/// Writes a message as an mbox of its own; `from_line` has its line end.
///
/// # Errors
/// Fails when the message cannot be read or the mbox not be written.
pub fn write_mbox(from_line: &[u8], message: &mut dyn Read, out: &mut dyn Write) -> io::Result<()> {
    // Standard output would be written a line at a time.
    let mut out = io::BufWriter::with_capacity(BLOCK, out);
    out.write_all(from_line)?;
    copy(message, Form::Message, &mut out).map_err(|error| match error {
        CopyError::Read(error) | CopyError::Write(error) => error,
    })?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Copies a message (header, empty line, body; LF or CRLF lines) in the form that an mbox needs.
pub(in crate::mailbox) fn copy(
    message: &mut dyn Read,
    form: Form,
    out: &mut dyn Write,
) -> Result<(), CopyError> {
    let mut filter = Filter::new(form);
    let mut block = vec![0; BLOCK];
    let mut filled = 0;
    loop {
        let count = fill(message, &mut block[filled..]).map_err(CopyError::Read)?;
        let at_end = count < block.len() - filled;
        filled += count;
        let used = filter
            .pass(&block[..filled], at_end, out)
            .map_err(CopyError::Write)?;
        block.copy_within(used..filled, 0);
        filled -= used;
        if at_end {
            return Ok(());
        }
    }
}

/// The filter's place in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LinePosition {
    /// At its start.
    Start,
    /// After `>` only, so that `From ` would have to be quoted.
    Quotes,
    /// Anywhere else.
    Within,
}

/// Quotes lines and leaves fields out; how the message is cut into blocks makes no difference.
struct Filter {
    form: Form,
    place: LinePosition,
    /// Whether nothing has been written yet.
    is_first: bool,
    is_header: bool,
    has_field: bool,
    /// Whether the current field, with the lines that continue it, is left out.
    leaves_out: bool,
}

impl Filter {
    fn new(form: Form) -> Filter {
        Filter {
            form,
            place: LinePosition::Start,
            is_first: true,
            is_header: true,
            has_field: false,
            leaves_out: false,
        }
    }

    /// Writes the part of the text that can be judged, all of it at the end, and returns its length.
    fn pass(&mut self, text: &[u8], at_end: bool, out: &mut dyn Write) -> io::Result<usize> {
        if self.form == Form::Stored {
            self.begin(text, out)?;
            out.write_all(text)?;
            return Ok(text.len());
        }
        let mut at = 0;
        while at < text.len() {
            let rest = &text[at..];
            let step = match self.place {
                // The caller brings the line again, with more bytes behind it.
                LinePosition::Start if rest.len() < LOOKAHEAD && !at_end => break,
                LinePosition::Start => {
                    self.start_line(rest);
                    if !self.leaves_out {
                        self.begin(rest, out)?;
                    }
                    self.place = LinePosition::Quotes;
                    continue;
                }
                LinePosition::Quotes => {
                    let quotes = rest.iter().take_while(|b| **b == b'>').count();
                    let behind = &rest[quotes..];
                    // Whether to quote is not known yet; the `>` can go out all the same.
                    if behind.len() < b"From ".len() && !at_end {
                        quotes
                    } else {
                        // Those before may be written already; one more behind them gives the same
                        // line.
                        if behind.starts_with(b"From ") {
                            self.emit(b">", out)?;
                        }
                        self.place = LinePosition::Within;
                        quotes
                    }
                }
                LinePosition::Within => match memchr(b'\n', rest) {
                    Some(end) => {
                        self.place = LinePosition::Start;
                        end + 1
                    }
                    None => rest.len(),
                },
            };
            self.emit(&rest[..step], out)?;
            at += step;
            if step == 0 && self.place == LinePosition::Quotes {
                break;
            }
        }
        Ok(at)
    }

    /// Notes the end of the header, and whether a field is left out, at the start of a line.
    fn start_line(&mut self, line: &[u8]) {
        if !self.is_header {
            return;
        }
        match header_line(line, self.has_field) {
            // A line that continues a field shares its fate.
            HeaderLine::Continuation => {}
            HeaderLine::Field => {
                self.has_field = true;
                self.leaves_out = LEFT_OUT.iter().any(|name| {
                    line.split_at_checked(name.len())
                        .is_some_and(|(start, _)| start.eq_ignore_ascii_case(name))
                });
            }
            HeaderLine::OldFromLine => self.leaves_out = false,
            HeaderLine::Separator | HeaderLine::Text => {
                self.is_header = false;
                self.leaves_out = false;
            }
        }
    }

    /// Writes an empty line or a field first if the message starts with neither.
    fn begin(&mut self, text: &[u8], out: &mut dyn Write) -> io::Result<()> {
        if !self.is_first {
            return Ok(());
        }
        self.is_first = false;
        let can_follow = match self.form {
            Form::Stored => can_follow_from_line(text),
            // Quoting turns `From ` into an old From_ line, `>From `, which may follow.
            Form::Message | Form::Filed => text.starts_with(b"From ") || can_follow_from_line(text),
        };
        if can_follow {
            return Ok(());
        }
        self.is_header = false;
        match (self.form, text) {
            // Blanks would continue the field.
            (Form::Message | Form::Stored, _) | (_, [b' ' | b'\t', ..]) => out.write_all(b"\n"),
            // Copied to a Maildir the message loses the field, and has its bytes again.
            (Form::Filed, _) => out.write_all(b"Status:\n"),
        }
    }

    /// Writes bytes, unless they belong to a field that is left out.
    fn emit(&self, bytes: &[u8], out: &mut dyn Write) -> io::Result<()> {
        if self.leaves_out {
            Ok(())
        } else {
            out.write_all(bytes)
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Gives a message in pieces of this size.
    pub(in crate::mailbox::format) struct Pieces<'a>(
        pub(in crate::mailbox::format) &'a [u8],
        pub(in crate::mailbox::format) usize,
    );

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(self.1).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    pub(in crate::mailbox::format) fn copied(message: &[u8], form: Form) -> Vec<u8> {
        let mut out = Vec::new();
        copy(&mut Pieces(message, 7), form, &mut out).expect("memory");
        out
    }

    #[test]
    fn lines_are_quoted_and_fields_left_out() {
        let rows: [(&str, &str); 17] = [
            ("", ""),
            ("To: a\n\nFrom here\n", "To: a\n\n>From here\n"),
            (
                "To: a\n\n>From\n>From \n>>From x\n",
                "To: a\n\n>From\n>>From \n>>>From x\n",
            ),
            (
                "To: a\n\n From x\nfrom x\nxFrom x\nFrom: x\n>",
                "To: a\n\n From x\nfrom x\nxFrom x\nFrom: x\n>",
            ),
            ("To: a\r\n\r\nFrom x\r\n", "To: a\r\n\r\n>From x\r\n"),
            ("Content-Length: 7\nTo: a\n\nx", "To: a\n\nx"),
            (
                "To: a\nCONTENT-LENGTH:\n 7\n\t8\nLines: 3\nTo: b\n\nx",
                "To: a\nTo: b\n\nx",
            ),
            (
                "Lines: 1\n\nLines: 2\nContent-Length: 3\n",
                "\nLines: 2\nContent-Length: 3\n",
            ),
            ("Linesman: 1\nX-Lines: 2\n\n", "Linesman: 1\nX-Lines: 2\n\n"),
            ("From x\nTo: a\n\n", ">From x\nTo: a\n\n"),
            ("no header\nLines: 2\n", "\nno header\nLines: 2\n"),
            ("To: a\nno field\nLines: 2\n", "To: a\nno field\nLines: 2\n"),
            (">From x\nTo: a\n\n", ">>From x\nTo: a\n\n"),
            ("Lines: 2\nno header\n", "\nno header\n"),
            (" folded: 2\n", "\n folded: 2\n"),
            ("To: a\n\nFrom ", "To: a\n\n>From "),
            ("To: a\n\n\0\n\nFrom", "To: a\n\n\0\n\nFrom"),
        ];
        for (message, expected) in rows {
            let found = copied(message.as_bytes(), Form::Message);
            assert_eq!(String::from_utf8_lossy(&found), expected, "{message:?}");
            let stored = copied(message.as_bytes(), Form::Stored);
            let empty_line = usize::from(!can_follow_from_line(message.as_bytes()));
            assert_eq!(stored.len(), message.len() + empty_line, "{message:?}");
            assert!(stored.ends_with(message.as_bytes()), "{message:?}");
        }
    }

    #[test]
    fn borders_of_blocks_change_nothing() {
        // Lines of every length up to the border, so that it falls on every byte of the pattern.
        for shift in 0..24 {
            let mut message = b"To: a\n\n".to_vec();
            message.resize(BLOCK - 12 + shift, b'x');
            message.extend_from_slice(b"\n>>From x\nFrom y\n");
            let found = copied(&message, Form::Message);
            assert!(found.ends_with(b"x\n>>>From x\n>From y\n"), "{shift}");
            assert_eq!(found.len(), message.len() + 2);
        }
        let mut message = b"To: a\n\n".to_vec();
        message.resize(2 * BLOCK, b'>');
        message.extend_from_slice(b"From x\n");
        assert_eq!(copied(&message, Form::Message).len(), message.len() + 1);
    }
}
