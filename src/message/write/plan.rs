//! How a body is sent: charset and transfer encoding.

use std::fmt;
use std::io::{self, Write};

use super::analysis::Analysis;
use crate::charset::Charset;
use crate::message::encode::base64::Base64Encoder;
use crate::message::encode::quoted_printable::QuotedPrintableEncoder;

/// The bytes that the transport of a message can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// SMTP and sendmail: nothing but 7 bits.
    SevenBit,
    /// Local delivery: UTF-8 text stays as it is, so that grep works on the spool.
    EightBit,
}

/// A Content-Transfer-Encoding (RFC 2045 section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferEncoding {
    /// As it is, ASCII in short lines.
    SevenBit,
    /// As it is, in short lines.
    EightBit,
    /// Quoted-printable.
    QuotedPrintable,
    /// Base64.
    Base64,
}

impl TransferEncoding {
    /// Returns the name registered for MIME.
    pub fn name(self) -> &'static str {
        match self {
            TransferEncoding::SevenBit => "7bit",
            TransferEncoding::EightBit => "8bit",
            TransferEncoding::QuotedPrintable => "quoted-printable",
            TransferEncoding::Base64 => "base64",
        }
    }
}

impl TransferEncoding {
    /// Returns the encoding of this name, in any case; `binary` is what needs none.
    pub fn parse(name: &str) -> Option<TransferEncoding> {
        match name.to_ascii_lowercase().as_str() {
            "7bit" => Some(TransferEncoding::SevenBit),
            "8bit" | "binary" => Some(TransferEncoding::EightBit),
            "quoted-printable" => Some(TransferEncoding::QuotedPrintable),
            "base64" => Some(TransferEncoding::Base64),
            _ => None,
        }
    }

    /// Returns this encoding if every text can have it, else the one that is needed.
    pub(in crate::message) fn or_needed(self, needed: TransferEncoding) -> TransferEncoding {
        match self {
            TransferEncoding::SevenBit | TransferEncoding::EightBit => needed,
            TransferEncoding::QuotedPrintable | TransferEncoding::Base64 => self,
        }
    }
}

impl fmt::Display for TransferEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How one body is labelled and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BodyPlan {
    /// The charset that fits the bytes.
    pub charset: Charset,
    /// The encoding that the wire needs.
    pub encoding: TransferEncoding,
    /// Whether CRLF is written as the line end that it is.
    pub crlf_line_ends: bool,
}

impl BodyPlan {
    /// Plans for the text that the user wrote or piped in.
    ///
    /// A missing last line end may be added and CRLF may become LF: those are
    /// line ends of a text. Everything else comes out as it went in.
    pub(crate) fn for_text(analysis: &Analysis, wire: Wire) -> BodyPlan {
        let as_it_is = analysis.has_sound_lines()
            && match wire {
                // A `From ` line would get a '>' in some mailbox on the way.
                Wire::SevenBit => analysis.is_ascii() && !analysis.has_from_line,
                Wire::EightBit => analysis.is_utf8(),
            };
        BodyPlan {
            charset: analysis.charset(),
            encoding: if analysis.has_mixed_line_ends() {
                TransferEncoding::Base64
            } else if !as_it_is {
                encoded(analysis)
            } else if analysis.is_ascii() {
                TransferEncoding::SevenBit
            } else {
                TransferEncoding::EightBit
            },
            crlf_line_ends: analysis.has_crlf_line_ends(),
        }
    }
}

/// Returns base64 for bytes that are no text or mostly need escapes, else quoted-printable.
pub(in crate::message) fn encoded(analysis: &Analysis) -> TransferEncoding {
    // A byte that quoted-printable escapes costs two more; base64 costs a third of all. Quoted-printable
    // stays readable without a decoder, so it may be somewhat longer: up to a third of escaped bytes.
    // A CR that is no line end would stand as `=0D` in quoted-printable, and readers make a line end of
    // it that the text did not have.
    if analysis.has_nul || analysis.bare_cr > 0 || analysis.escapes * 3 > analysis.len {
        TransferEncoding::Base64
    } else {
        TransferEncoding::QuotedPrintable
    }
}

/// Writes a body piece by piece in some transfer encoding.
pub(in crate::message) enum BodyWriter<'a> {
    AsItIs(IdentityEncoder<'a>),
    QuotedPrintable(QuotedPrintableEncoder<'a>),
    Base64(Base64Encoder<'a>),
}

impl<'a> BodyWriter<'a> {
    pub(in crate::message) fn new(
        encoding: TransferEncoding,
        crlf_line_ends: bool,
        out: &'a mut dyn Write,
    ) -> BodyWriter<'a> {
        match encoding {
            TransferEncoding::SevenBit | TransferEncoding::EightBit => {
                BodyWriter::AsItIs(IdentityEncoder::new(out, crlf_line_ends))
            }
            TransferEncoding::QuotedPrintable => {
                BodyWriter::QuotedPrintable(QuotedPrintableEncoder::new(out, crlf_line_ends))
            }
            TransferEncoding::Base64 => BodyWriter::Base64(Base64Encoder::new(out)),
        }
    }

    pub(in crate::message) fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            BodyWriter::AsItIs(lines) => lines.push(bytes),
            BodyWriter::QuotedPrintable(encoder) => encoder.push(bytes),
            BodyWriter::Base64(encoder) => encoder.push(bytes),
        }
    }

    /// Writes the bytes still held and returns the output; a body that is not empty ends with a
    /// line end.
    pub(in crate::message) fn finish(self) -> io::Result<&'a mut dyn Write> {
        match self {
            BodyWriter::AsItIs(lines) => lines.finish(),
            BodyWriter::QuotedPrintable(encoder) => encoder.finish(),
            BodyWriter::Base64(encoder) => encoder.finish(),
        }
    }
}

/// Copies lines, with LF for CRLF where those are the line ends.
pub(in crate::message) struct IdentityEncoder<'a> {
    out: &'a mut dyn Write,
    crlf_line_ends: bool,
    last: Option<u8>,
}

impl<'a> IdentityEncoder<'a> {
    fn new(out: &'a mut dyn Write, crlf_line_ends: bool) -> IdentityEncoder<'a> {
        IdentityEncoder {
            out,
            crlf_line_ends,
            last: None,
        }
    }

    fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.last = bytes.last().copied().or(self.last);
        if !self.crlf_line_ends {
            return self.out.write_all(bytes);
        }
        // Every CR of such a body belongs to a line end: the plan would have encoded others.
        let text: Vec<u8> = bytes.iter().copied().filter(|&b| b != b'\r').collect();
        self.out.write_all(&text)
    }

    fn finish(self) -> io::Result<&'a mut dyn Write> {
        if self.last.is_some_and(|last| last != b'\n') {
            self.out.write_all(b"\n")?;
        }
        Ok(self.out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::analyse;
    use TransferEncoding::{Base64, EightBit, QuotedPrintable, SevenBit};

    #[test]
    fn encodings_of_texts() {
        let long = vec![b'x'; 999];
        let fits = vec![b'x'; 998];
        let table: &[(&[u8], TransferEncoding, TransferEncoding)] = &[
            (b"", SevenBit, SevenBit),
            (b"text\n", SevenBit, SevenBit),
            (b"crlf\r\n", SevenBit, SevenBit),
            (b"no end", SevenBit, SevenBit),
            (&fits, SevenBit, SevenBit),
            (&long, QuotedPrintable, QuotedPrintable),
            (b"From me\n", QuotedPrintable, SevenBit),
            (b"some bare\rreturn\n", Base64, Base64),
            (b"crlf\r\nand lf\n", Base64, Base64),
            (b"\rcrlf\r\n", Base64, Base64),
            (b"nul \0\n", Base64, Base64),
            (
                "Größe und mehr Text\n".as_bytes(),
                QuotedPrintable,
                EightBit,
            ),
            ("日本語\n".as_bytes(), Base64, EightBit),
            (b"caf\xe9 au lait\n", QuotedPrintable, QuotedPrintable),
        ];
        for (body, seven, eight) in table {
            let analysis = analyse(*body).unwrap();
            assert_eq!(
                BodyPlan::for_text(&analysis, Wire::SevenBit).encoding,
                *seven,
                "{body:?}"
            );
            assert_eq!(
                BodyPlan::for_text(&analysis, Wire::EightBit).encoding,
                *eight,
                "{body:?}"
            );
        }
    }
}
