//! Quoted-printable (RFC 2045 section 6.7) that survives mailboxes, gateways and SMTP.

use std::io::{self, Write};

/// The longest line, its soft line break included.
const COLUMNS: usize = 76;
/// How many bytes after the current one a decision depends on: those of `From `.
const LOOKAHEAD: usize = 5;

/// Encodes a stream; LF ends a line, every other byte value comes through.
pub(in crate::message) struct QuotedPrintableEncoder<'a> {
    out: &'a mut dyn Write,
    /// CRLF ends a line as LF does; else a CR is data.
    crlf_line_ends: bool,
    input: Vec<u8>,
    encoded: Vec<u8>,
    column: usize,
}

impl<'a> QuotedPrintableEncoder<'a> {
    pub(in crate::message) fn new(
        out: &'a mut dyn Write,
        crlf_line_ends: bool,
    ) -> QuotedPrintableEncoder<'a> {
        QuotedPrintableEncoder {
            out,
            crlf_line_ends,
            input: Vec::new(),
            encoded: Vec::new(),
            column: 0,
        }
    }

    /// Takes the next bytes.
    pub(in crate::message) fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.input.extend_from_slice(bytes);
        // The last bytes wait for those after them: a `From ` or CRLF may lie across two blocks.
        self.encode(self.input.len().saturating_sub(LOOKAHEAD))
    }

    /// Writes the bytes still held, ends the last line, and returns the output.
    pub(in crate::message) fn finish(mut self) -> io::Result<&'a mut dyn Write> {
        self.encode(self.input.len())?;
        // SMTP and mailboxes know no message whose last line has no end.
        if self.column > 0 {
            self.out.write_all(b"\n")?;
        }
        Ok(self.out)
    }

    /// Encodes up to `end`; the bytes after it are only lookahead.
    fn encode(&mut self, end: usize) -> io::Result<()> {
        let input = std::mem::take(&mut self.input);
        let mut at = 0;
        while at < end {
            at += self.byte(input[at], &input[at + 1..]);
        }
        // A CRLF at the border may have taken one byte more.
        self.input = input;
        self.input.drain(..at);
        self.out.write_all(&self.encoded)?;
        self.encoded.clear();
        Ok(())
    }

    /// Encodes one byte, or a CRLF, and returns how many it took.
    fn byte(&mut self, byte: u8, next: &[u8]) -> usize {
        if byte == b'\n' || (self.crlf_line_ends && byte == b'\r' && next.first() == Some(&b'\n')) {
            self.encoded.push(b'\n');
            self.column = 0;
            return if byte == b'\n' { 1 } else { 2 };
        }
        let ends = self.at_line_end(next);
        let mut literal = self.is_literal(byte, next, ends);
        let width = if literal { 1 } else { 3 };
        // Except for the last character of a line, a column is kept for the `=` of a soft line break.
        let room = if ends { COLUMNS } else { COLUMNS - 1 };
        if self.column + width > room {
            self.encoded.extend_from_slice(b"=\n");
            self.column = 0;
            // At the start of a line the rules for a dot and for `From ` hold.
            literal = self.is_literal(byte, next, ends);
        }
        if literal {
            self.encoded.push(byte);
            self.column += 1;
        } else {
            const HEX: &[u8; 16] = b"0123456789ABCDEF";
            let (high, low) = (HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]);
            self.encoded.extend_from_slice(&[b'=', high, low]);
            self.column += 3;
        }
        1
    }

    fn at_line_end(&self, next: &[u8]) -> bool {
        match next {
            [] | [b'\n', ..] => true,
            [b'\r', b'\n', ..] => self.crlf_line_ends,
            _ => false,
        }
    }

    /// Returns whether the byte can be written unencoded at this place.
    fn is_literal(&self, byte: u8, next: &[u8], ends: bool) -> bool {
        match byte {
            // Gateways drop blanks at line ends (RFC 2045 section 6.7 rule 3).
            b' ' | b'\t' => !ends,
            b'=' => false,
            // A lone dot ends a message for SMTP and for sendmail without -i.
            b'.' => !(self.column == 0 && ends),
            // Mailbox writers put a '>' before such a line.
            b'F' => !(self.column == 0 && next.starts_with(b"rom ")),
            _ => byte.is_ascii_graphic(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(input: &[u8], crlf_line_ends: bool) -> String {
        let mut whole = Vec::new();
        let mut encoder = QuotedPrintableEncoder::new(&mut whole, crlf_line_ends);
        encoder.push(input).unwrap();
        encoder.finish().unwrap();
        let mut pieces = Vec::new();
        let mut encoder = QuotedPrintableEncoder::new(&mut pieces, crlf_line_ends);
        for byte in input {
            encoder.push(&[*byte]).unwrap();
        }
        encoder.finish().unwrap();
        assert_eq!(whole, pieces);
        String::from_utf8(whole).unwrap()
    }

    #[test]
    fn what_lines_become() {
        let table: &[(&[u8], bool, &str)] = &[
            (b"", false, ""),
            (b"a=b\n", false, "a=3Db\n"),
            (b"no end", false, "no end\n"),
            (b"blank \ntab\t\n ", false, "blank=20\ntab=09\n=20\n"),
            (b".\n..\n.", false, "=2E\n..\n=2E\n"),
            (
                b"From me\nFromage\n>From \n",
                false,
                "=46rom me\nFromage\n>From=20\n",
            ),
            (b"10%\r100%\r\n", true, "10%=0D100%\n"),
            (b"10%\r100%\r\n", false, "10%=0D100%=0D\n"),
            (b"end \r\n", true, "end=20\n"),
            (b"\0\x7f\xff\n", false, "=00=7F=FF\n"),
            (b"\n\n", false, "\n\n"),
        ];
        for (input, crlf, expected) in table {
            assert_eq!(encoded(input, *crlf), *expected);
        }
    }

    #[test]
    fn lines_break_at_76_columns() {
        assert_eq!(encoded(&[b'a'; 76], false), format!("{}\n", "a".repeat(76)));
        let broken = format!("{}=\n{}\n", "a".repeat(75), "aa");
        assert_eq!(encoded(&[b'a'; 77], false), broken);
        let mut input = vec![b'a'; 75];
        input.extend_from_slice(b"From here");
        assert!(encoded(&input, false).ends_with("=\n=46rom here\n"));
    }
}
