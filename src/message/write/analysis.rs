//! One pass over a body that finds everything on which its encoding depends, in constant memory.

use std::io::{self, Read};

use memchr::memchr;

use crate::charset::{Charset, SEARCHED, Utf8Count, Utf16Check, is_undefined_in_windows_1252};
use crate::message::encode::uuencode::{UuBlock, UuScanner};
use crate::message::{MessageSource, for_each_block};

/// The longest line mail may carry, without its line end (RFC 5322 section 2.1.1).
pub(in crate::message) const MAX_LINE: u64 = 998;
/// How much of a line's start is kept: a line of a uuencode block is shorter, and so is a boundary.
const KEPT: usize = 1024;

/// What the first pass found in a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Analysis {
    /// The first bytes, in which HTML names its charset.
    pub start: Vec<u8>,
    /// Size in bytes.
    pub len: u64,
    /// Bytes over 7F.
    pub non_ascii: u64,
    /// Bytes that quoted-printable writes with three columns, line ends left out.
    pub escapes: u64,
    /// Line feeds.
    pub lf: u64,
    /// Line feeds with a CR before them.
    pub crlf: u64,
    /// Carriage returns without a line feed after them.
    pub bare_cr: u64,
    /// The longest line, without its line end.
    pub longest_line: u64,
    /// Its UTF-8 characters, and the places that are not valid UTF-8.
    pub utf8: Utf8Count,
    /// Whether it is UTF-16 with a byte order mark.
    pub is_utf16: bool,
    /// Whether there is a NUL.
    pub has_nul: bool,
    /// Whether there is a byte that windows-1252 leaves undefined.
    pub has_undefined_1252: bool,
    /// Whether a line starts with `From `.
    pub has_from_line: bool,
    /// Whether the last line is complete (an empty body is).
    pub ends_with_line_end: bool,
    /// Complete uuencode blocks, where nothing but ASCII is found.
    pub uu_blocks: Vec<UuBlock>,
    /// The numbers of boundaries with our seed that lines of the body begin with.
    pub(in crate::message) taken_boundaries: Vec<u64>,
}

impl Analysis {
    /// Returns whether there are only bytes up to 7F.
    pub(crate) fn is_ascii(&self) -> bool {
        self.non_ascii == 0
    }

    /// Returns whether every LF has its CR, so that the pairs are line ends and no data.
    pub(crate) fn has_crlf_line_ends(&self) -> bool {
        self.lf > 0 && self.crlf == self.lf
    }

    /// Returns whether only some LF have a CR: those CR are data, and a mailer would drop them.
    pub(in crate::message) fn has_mixed_line_ends(&self) -> bool {
        self.crlf != 0 && self.crlf != self.lf
    }

    /// Returns the charset that says the truth about the bytes.
    pub(crate) fn charset(&self) -> Charset {
        if self.is_ascii() {
            Charset::UsAscii
        } else if self.is_utf16 {
            Charset::Utf16
        } else {
            Charset::of_eight_bit(&self.utf8, self.has_undefined_1252)
        }
    }

    /// Returns whether every byte is part of a character of UTF-8 (ASCII is).
    pub(crate) fn is_utf8(&self) -> bool {
        self.utf8.is_valid()
    }

    /// Returns whether it may travel as it is, if eight bits may.
    pub(crate) fn has_sound_lines(&self) -> bool {
        !self.has_mixed_line_ends()
            && !self.has_nul
            && self.bare_cr == 0
            && self.longest_line <= MAX_LINE
    }
}

/// Reads a source to its end and returns what was found.
///
/// # Errors
/// Fails when the source cannot be read.
pub(crate) fn analyse(source: &(impl MessageSource + ?Sized)) -> io::Result<Analysis> {
    let mut analyser = Analyser::new("");
    analyser.read(source.reader()?)?;
    Ok(analyser.finish())
}

/// The state between two blocks of a body.
pub(in crate::message) struct Analyser {
    found: Analysis,
    /// What a boundary with our seed starts with, the two hyphens included.
    boundary: Vec<u8>,
    utf16: Utf16Check,
    /// The start of the line that the last block cut through.
    line: Vec<u8>,
    line_len: u64,
    line_crs: u64,
    last_byte: u8,
    line_start: u64,
    uuencode: UuScanner,
}

impl Analyser {
    /// Starts a pass that also looks for boundaries made of this prefix and a number.
    pub(in crate::message) fn new(boundary_prefix: &str) -> Analyser {
        Analyser {
            found: Analysis::default(),
            boundary: format!("--{boundary_prefix}").into_bytes(),
            utf16: Utf16Check::default(),
            line: Vec::new(),
            line_len: 0,
            line_crs: 0,
            last_byte: 0,
            line_start: 0,
            uuencode: UuScanner::default(),
        }
    }

    pub(in crate::message) fn read(&mut self, reader: impl Read) -> io::Result<()> {
        for_each_block(reader, |block| {
            self.push(block);
            Ok(())
        })
    }

    pub(in crate::message) fn push(&mut self, block: &[u8]) {
        let room = SEARCHED.saturating_sub(self.found.start.len());
        self.found
            .start
            .extend_from_slice(&block[..block.len().min(room)]);
        self.found.len += block.len() as u64;
        self.count_bytes(block);
        self.found.utf8.push(block);
        self.utf16.push(block);
        let mut rest = block;
        while let Some(len) = memchr(b'\n', rest) {
            self.extend_line(&rest[..len]);
            self.end_line(true, &rest[..len]);
            rest = &rest[len + 1..];
        }
        self.extend_line(rest);
        let room = KEPT.saturating_sub(self.line.len());
        self.line.extend_from_slice(&rest[..rest.len().min(room)]);
    }

    pub(in crate::message) fn finish(mut self) -> Analysis {
        self.found.ends_with_line_end = self.line_len == 0;
        if self.line_len > 0 {
            self.end_line(false, b"");
        }
        self.found.utf8.end();
        self.found.is_utf16 = self.utf16.finish();
        // Blocks are taken out of a text only if the text is ASCII: in other charsets, such as
        // UTF-16, the bytes of a `begin` line may be something else.
        if self.found.is_ascii() {
            self.found.uu_blocks = self.uuencode.into_blocks();
        }
        self.found
    }

    fn count_bytes(&mut self, block: &[u8]) {
        let found = &mut self.found;
        found.escapes += block.iter().filter(|&&byte| is_escaped(byte)).count() as u64;
        found.has_nul |= memchr(0, block).is_some();
        if !block.is_ascii() {
            found.non_ascii += block.iter().filter(|byte| !byte.is_ascii()).count() as u64;
            found.has_undefined_1252 |= block.iter().any(|&b| is_undefined_in_windows_1252(b));
        }
    }

    /// Counts a piece of a line.
    fn extend_line(&mut self, piece: &[u8]) {
        self.line_len += piece.len() as u64;
        if let Some(&last) = piece.last() {
            self.last_byte = last;
            if memchr(b'\r', piece).is_some() {
                self.line_crs += piece.iter().filter(|&&byte| byte == b'\r').count() as u64;
            }
        }
    }

    /// Judges a line whose last piece is given; what came before is in `self.line`.
    fn end_line(&mut self, complete: bool, last_piece: &[u8]) {
        // A line that lies in one block, as most do, is judged where it is, without a copy.
        let mut line = std::mem::take(&mut self.line);
        let whole = if line.is_empty() {
            last_piece
        } else {
            let room = KEPT.saturating_sub(line.len());
            line.extend_from_slice(&last_piece[..last_piece.len().min(room)]);
            &line
        };
        let crlf = complete && self.line_len > 0 && self.last_byte == b'\r';
        // `text` is shorter than `text_len` where the line is longer than what is kept of it.
        let text_len = self.line_len - u64::from(crlf);
        let text = &whole[..whole.len().min(text_len as usize)];
        let next_start = self.line_start + self.line_len + u64::from(complete);
        let found = &mut self.found;
        found.lf += u64::from(complete);
        found.crlf += u64::from(crlf);
        found.bare_cr += self.line_crs - u64::from(crlf);
        found.longest_line = found.longest_line.max(text_len);
        found.has_from_line |= text.starts_with(b"From ");
        if self.boundary.len() > 2 && text.starts_with(&self.boundary) {
            found
                .taken_boundaries
                .push(leading_number(&text[self.boundary.len()..]));
        }
        if text.len() as u64 == text_len {
            self.uuencode.line(text, self.line_start, next_start);
        } else {
            // No line of a block is that long: a NUL, which none holds either, ends the block.
            self.uuencode.line(b"\0", self.line_start, next_start);
        }
        // The buffer goes back, so that its memory serves the next line.
        line.clear();
        self.line = line;
        self.line_len = 0;
        self.line_crs = 0;
        self.line_start = next_start;
    }
}

/// Returns whether quoted-printable needs three columns for the byte at any place.
fn is_escaped(byte: u8) -> bool {
    !matches!(byte, b' '..=b'<' | b'>'..=b'~' | b'\t' | b'\n' | b'\r')
}

/// Returns the number that a text begins with. Only 18 digits count, which cannot overflow: a
/// boundary with a larger number differs from the line within them.
fn leading_number(text: &[u8]) -> u64 {
    text.iter()
        .take_while(|byte| byte.is_ascii_digit())
        .take(18)
        .fold(0, |number, byte| number * 10 + u64::from(byte - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Analyses in one block, byte by byte and in thirds, which must agree.
    fn analysis(body: &[u8]) -> Analysis {
        let whole = analyse(body).unwrap();
        for size in [1, body.len() / 3 + 1] {
            let mut analyser = Analyser::new("");
            body.chunks(size).for_each(|piece| analyser.push(piece));
            assert_eq!(analyser.finish(), whole);
        }
        whole
    }

    #[test]
    fn line_ends() {
        type Row = (&'static [u8], u64, u64, u64, bool, bool);
        let table: &[Row] = &[
            (b"", 0, 0, 0, true, false),
            (b"a\nb\n", 2, 0, 0, true, false),
            (b"a\r\nb\r\n", 2, 2, 0, true, true),
            (b"a\r\nb\n", 2, 1, 0, true, false),
            (b"1%\r2%\r\n", 1, 1, 1, true, true),
            (b"a\r", 0, 0, 1, false, false),
            (b"a\r\nb", 1, 1, 0, false, true),
            (b"\r\r\n", 1, 1, 1, true, true),
        ];
        for (body, lf, crlf, bare_cr, ends, crlf_ends) in table {
            let found = analysis(body);
            assert_eq!(
                (found.lf, found.crlf, found.bare_cr),
                (*lf, *crlf, *bare_cr),
                "{body:?}"
            );
            assert_eq!(found.ends_with_line_end, *ends, "{body:?}");
            assert_eq!(found.has_crlf_line_ends(), *crlf_ends, "{body:?}");
        }
    }

    #[test]
    fn charsets_and_bytes() {
        assert_eq!(analysis("grün €\n".as_bytes()).charset(), Charset::Utf8);
        assert_eq!(analysis(b"caf\xe9 \x80").charset(), Charset::Windows1252);
        assert_eq!(analysis(b"caf\xe9 \x8f").charset(), Charset::Iso8859_1);
        assert_eq!(analysis(b"\xe2\x82").charset(), Charset::Windows1252);
        let mixed = analysis(b"Gr\xc3\xb6\xc3\x9fe \xe2\x9c\x93\ncut \xc3\n");
        assert_eq!((mixed.charset(), mixed.is_utf8()), (Charset::Utf8, false));
        assert_eq!(analysis(b"\xff\xfeh\0\xf6\0").charset(), Charset::Utf16);
        assert_eq!(analysis(b"\xfe\xff\0h\0\xf6\0\n").charset(), Charset::Utf16);
        assert_eq!(analysis(b"\xff\xfeh\0\xf6").charset(), Charset::Windows1252);
        assert_eq!(analysis(b"\x1b[31mred\n").charset(), Charset::UsAscii);
        assert!(analysis(b"a\0b").has_nul);
        assert_eq!(analysis(b"=\xff\x01 \t~\r\n").escapes, 3);
    }

    #[test]
    fn whole_lines() {
        assert_eq!(analysis(&[b'a'; 5000]).longest_line, 5000);
        assert_eq!(analysis(b"abc\r\nde\n").longest_line, 3);
        assert!(analysis(b"x\nFrom me\n").has_from_line);
        assert!(!analysis(b"x From me\nFrom\n").has_from_line);
    }

    #[test]
    fn boundaries_with_our_seed_are_found() {
        let mut analyser = Analyser::new("=_seed_");
        analyser.push(b"--=_seed_7\n--=_seed_12--\n--=_other_1\n");
        assert_eq!(analyser.finish().taken_boundaries, [7, 12]);
    }
}
