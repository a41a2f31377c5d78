//! Attached files: their types, and how their bytes are sent.

use std::io::{self, Read};

use super::analysis::{Analyser, Analysis};
use super::label::with_true_charset;
use super::media_type::MediaType;
use super::parameter;
use super::plan::{TransferEncoding, Wire};
use crate::charset::Utf8Count;
use crate::message::value::{ContentId, FileName};
use crate::message::{MessageSource, for_each_block};

/// A file to be attached; every byte of it arrives.
pub struct Attachment<'a> {
    /// The name the recipient sees.
    pub name: FileName,
    /// The type the user gave; otherwise it is found by name and content.
    pub content_type: Option<MediaType>,
    /// The charset the user gave for a text; otherwise it is found by content.
    pub charset: Option<String>,
    /// The identifier by which the HTML of the message shows it, if it does.
    pub content_id: Option<ContentId>,
    /// The bytes.
    pub source: &'a dyn MessageSource,
}

/// How many bytes at the start decide between text and binary where the name does not.
const SNIFFED: u64 = 4096;

/// How one attachment is labelled and written.
pub(in crate::message) struct AttachmentPlan {
    pub(in crate::message) media_type: MediaType,
    pub(in crate::message) encoding: TransferEncoding,
    pub(in crate::message) crlf_line_ends: bool,
}

impl AttachmentPlan {
    /// Plans an attachment; adds the boundaries that its lines begin with to `taken`.
    pub(in crate::message) fn new(
        attachment: &Attachment<'_>,
        wire: Wire,
        boundary_prefix: &str,
        taken: &mut Vec<u64>,
    ) -> io::Result<AttachmentPlan> {
        let media_type = match &attachment.content_type {
            Some(given) => given.clone(),
            None => find_type(&attachment.name, attachment.source)?,
        };
        // A binary file is not read here: base64 carries any bytes, and its lines hold no boundary.
        if !media_type.is_text() && !media_type.is_composite() {
            return Ok(AttachmentPlan::base64(media_type));
        }
        let mut analyser = Analyser::new(boundary_prefix);
        analyser.read(attachment.source.reader()?)?;
        let analysis = analyser.finish();
        if media_type.is_composite() {
            // Only its lines stand in the message as they are.
            taken.extend_from_slice(&analysis.taken_boundaries);
            return Ok(AttachmentPlan::composite(media_type, &analysis, wire));
        }
        let is_given = attachment.content_type.is_some() || attachment.charset.is_some();
        // By its extension the file is a text, but texts hold no NUL; a type that the user gave counts.
        if analysis.has_nul && !is_given {
            return Ok(AttachmentPlan::base64(MediaType::octet_stream()));
        }
        let charset = attachment.charset.as_deref();
        let media_type = with_true_charset(media_type, charset, &analysis);
        Ok(AttachmentPlan::base64(media_type))
    }

    /// Plans a file of any type but a message or multipart.
    ///
    /// Texts are no exception: the line ends of a text part are CRLF by RFC 2046 section 4.1.1, and
    /// many readers save them so, whatever they were in the file. A shell script would not run any more.
    pub(in crate::message) fn base64(media_type: MediaType) -> AttachmentPlan {
        AttachmentPlan {
            media_type,
            encoding: TransferEncoding::Base64,
            crlf_line_ends: false,
        }
    }

    /// Plans a message or multipart, which no encoding but the identity may carry (RFC 2046 section 5.2.1).
    ///
    /// Where the wire cannot carry it unchanged, it is sent as a plain file in base64: the
    /// recipient can open that, and many readers cannot open a message in base64. That is so for
    /// lines over 998 bytes, NUL, stray CRs, 8-bit bytes on a 7-bit wire, a last line without an end,
    /// and lines that begin with `From `, which get a `>` in some mailbox on the way.
    fn composite(media_type: MediaType, analysis: &Analysis, wire: Wire) -> AttachmentPlan {
        let is_quoted = analysis.has_from_line && wire == Wire::SevenBit;
        let carried = analysis.has_sound_lines() && analysis.ends_with_line_end && !is_quoted;
        let encoding = match wire {
            _ if carried && analysis.is_ascii() => TransferEncoding::SevenBit,
            Wire::EightBit if carried => TransferEncoding::EightBit,
            _ => return AttachmentPlan::base64(MediaType::octet_stream()),
        };
        AttachmentPlan {
            media_type,
            encoding,
            crlf_line_ends: analysis.has_crlf_line_ends(),
        }
    }

    /// Returns the type with the file's name, for readers that do not know RFC 2231 or dispositions.
    pub(in crate::message) fn named_type(&self, name: &FileName) -> MediaType {
        let fallback = parameter::ascii_fallback(name.as_str());
        self.media_type.clone().with_parameter("name", &fallback)
    }
}

/// Finds the type by extension, by the first bytes, and at last by whether they look like text.
fn find_type(name: &FileName, source: &dyn MessageSource) -> io::Result<MediaType> {
    if let Some(found) = name.extension().and_then(|e| MediaType::of_extension(&e)) {
        return Ok(found);
    }
    let mut start = Vec::new();
    for_each_block(source.reader()?.take(SNIFFED), |block| {
        start.extend_from_slice(block);
        Ok(())
    })?;
    Ok(MediaType::of_magic(&start).unwrap_or_else(|| {
        if looks_like_text(&start) {
            MediaType::text_plain()
        } else {
            MediaType::octet_stream()
        }
    }))
}

/// Returns whether all bytes are such as occur in texts and in terminal output.
fn looks_like_text(start: &[u8]) -> bool {
    let is_odd = |b: &u8| (*b < 0x20 && !b"\t\n\x0c\r\x1b\x08".contains(b)) || *b == 0x7f;
    let odd = start.iter().filter(|b| is_odd(b)).count();
    let eight_bit = start.iter().filter(|b| !b.is_ascii()).count();
    // The last character may be cut: the end of the count is not announced.
    let mut utf8 = Utf8Count::default();
    utf8.push(start);
    // In a text of an old charset most letters are ASCII still; random bytes are not.
    odd == 0 && (utf8.is_mostly_valid() || eight_bit * 3 < start.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(name: &str, bytes: &[u8], wire: Wire) -> (String, TransferEncoding) {
        let attachment = Attachment {
            name: FileName::from_path(name.as_bytes()),
            content_type: None,
            charset: None,
            content_id: None,
            source: &bytes,
        };
        let plan = AttachmentPlan::new(&attachment, wire, "=_x_", &mut Vec::new()).unwrap();
        (plan.media_type.to_string(), plan.encoding)
    }

    #[test]
    fn types_by_name_and_content() {
        use TransferEncoding::{Base64, EightBit, SevenBit};
        let long = format!("Subject: x\n\n{}\n", "y".repeat(999));
        let table: &[(&str, &[u8], &str, TransferEncoding)] = &[
            ("a.pdf", b"text", "application/pdf", Base64),
            ("a.PDF", b"text", "application/pdf", Base64),
            ("a.log", b"text\n", "text/plain; charset=us-ascii", Base64),
            ("log", b"text\n", "text/plain; charset=us-ascii", Base64),
            (
                "a.csv",
                b"caf\xe9; much more\n",
                "text/csv; charset=windows-1252",
                Base64,
            ),
            ("a.txt", b"a\0b", "application/octet-stream", Base64),
            (
                "core",
                b"\x7fELF\x02\x01",
                "application/octet-stream",
                Base64,
            ),
            ("scan", b"%PDF-1.7\n", "application/pdf", Base64),
            ("m.eml", b"Subject: x\n\ny\n", "message/rfc822", SevenBit),
            (
                "m.eml",
                b"Subject: x\n\n\xe9\n",
                "application/octet-stream",
                Base64,
            ),
            ("empty", b"", "text/plain; charset=us-ascii", Base64),
            (
                "crlf.eml",
                b"Subject: x\r\n\r\ny\r\n",
                "message/rfc822",
                SevenBit,
            ),
            ("empty.eml", b"", "message/rfc822", SevenBit),
            (
                "from.eml",
                b"Subject: x\n\nFrom y\n",
                "application/octet-stream",
                Base64,
            ),
            (
                "nul.eml",
                b"Subject: x\n\n\0\n",
                "application/octet-stream",
                Base64,
            ),
            (
                "cr.eml",
                b"Subject: x\n\na\rb\n",
                "application/octet-stream",
                Base64,
            ),
            (
                "mixed.eml",
                b"Subject: x\r\n\na\n",
                "application/octet-stream",
                Base64,
            ),
            (
                "cut.eml",
                b"Subject: x\n\ny",
                "application/octet-stream",
                Base64,
            ),
            (
                "long.eml",
                long.as_bytes(),
                "application/octet-stream",
                Base64,
            ),
        ];
        for (name, bytes, media_type, encoding) in table {
            let found = plan(name, bytes, Wire::SevenBit);
            assert_eq!(found, (media_type.to_string(), *encoding), "{name}");
        }
        let found = plan("m.eml", b"Subject: x\n\n\xe9\n", Wire::EightBit);
        assert_eq!(found, ("message/rfc822".to_owned(), EightBit));
    }
}
