//! A mail out: header, body and attachments written as one MIME message.

use std::io::{self, Read, Write};

use super::analysis::{Analyser, Analysis};
use super::attachment::{Attachment, AttachmentPlan, with_true_charset};
use super::encoded_words::FoldedField;
use super::fields::{self, Fields};
use super::media_type::MediaType;
use super::parameter::parameter;
use super::plan::{BodyPlan, BodyWriter, TransferEncoding, Wire};
use super::uuencode::{self, UuBlock};
use super::value::FileName;
use super::{MessageSource, for_each_block};

/// Everything a message is made of; [`write`](Composition::write) makes it.
pub struct Composition<'a> {
    /// The header fields, in order. MIME fields among them are left out: they
    /// are made from `body_type` and the bytes. Bcc must not be among them.
    pub fields: Fields,
    /// The text; `None` makes a message of attachments only.
    pub body: Option<&'a dyn MessageSource>,
    /// The type of the text; its charset is corrected where the bytes prove it wrong.
    pub body_type: MediaType,
    /// The files, in order.
    pub attachments: Vec<Attachment<'a>>,
    /// Something nobody can guess, for boundaries; letters and digits of it are used.
    pub boundary_seed: String,
}

/// The fields that describe MIME; never taken from the caller.
const MIME_FIELDS: [&str; 3] = ["MIME-Version", "Content-Type", "Content-Transfer-Encoding"];

impl Composition<'_> {
    /// Writes the message with LF line ends, in constant memory; sources are read twice.
    ///
    /// No line is over 998 bytes, and for [`Wire::SevenBit`] all of it is ASCII,
    /// with two exceptions: [addresses that are not](Composition::needs_smtputf8),
    /// and a `multipart` body that the caller made itself, which goes as it is.
    ///
    /// # Errors
    /// Fails when a source cannot be read or `out` not be written.
    pub fn write(&self, wire: Wire, out: &mut dyn Write) -> io::Result<()> {
        let plan = self.plan(wire)?;
        let mut header = String::new();
        for (name, body) in self.fields.iter() {
            if !MIME_FIELDS.iter().any(|mime| name.is(mime)) {
                header.push_str(&fields::render(name, body));
            }
        }
        match plan {
            Plan::Bare(part) => {
                header.push('\n');
                out.write_all(header.as_bytes())?;
                part.write_content(out)
            }
            Plan::Single(part) => {
                header.push_str("MIME-Version: 1.0\n");
                out.write_all(header.as_bytes())?;
                part.write(out)
            }
            Plan::Mixed(parts, boundary) => {
                header.push_str("MIME-Version: 1.0\n");
                header.push_str(&multipart_fields(&parts, &boundary));
                out.write_all(header.as_bytes())?;
                for part in &parts {
                    write!(out, "\n--{boundary}\n")?;
                    part.write(out)?;
                }
                writeln!(out, "\n--{boundary}--")
            }
        }
    }

    /// Returns whether some address can only be written as UTF-8, whatever the wire (RFC 6532).
    pub fn needs_smtputf8(&self) -> bool {
        fields::has_utf8_address(&self.fields)
    }

    fn plan(&self, wire: Wire) -> io::Result<Plan<'_>> {
        let prefix = self.boundary_prefix();
        let mut taken = Vec::new();
        let mut parts = Vec::new();
        // A multipart has at least one part; without attachments that is the text, if only an empty one.
        let empty = self
            .attachments
            .is_empty()
            .then_some(&EMPTY as &dyn MessageSource);
        if let Some(body) = self.body.or(empty) {
            let analysis = analyse(&Content::Whole(body), &prefix)?;
            taken.extend_from_slice(&analysis.taken_boundaries);
            let is_plain = self.body_type == MediaType::text_plain();
            if analysis.uu_blocks.is_empty() || !is_plain {
                parts.push(self.text_part(Content::Whole(body), &analysis, wire));
            } else if self.attachments.is_empty() && analysis.has_sound_lines() {
                // What AIX scripts expect: their readers decode the block, and know no MIME.
                return Ok(Plan::Bare(Part::bare(body, analysis.has_crlf_line_ends())));
            } else {
                let rest = Content::Without(body, analysis.uu_blocks.clone());
                let rest_analysis = analyse(&rest, &prefix)?;
                parts.push(self.text_part(rest, &rest_analysis, wire));
                for block in analysis.uu_blocks {
                    let media_type = block
                        .name
                        .extension()
                        .and_then(|e| MediaType::of_extension(&e));
                    let media_type = media_type.filter(|t| !t.is_text() && !t.is_composite());
                    let plan =
                        AttachmentPlan::binary(media_type.unwrap_or(MediaType::octet_stream()));
                    let name = block.name.clone();
                    parts.push(Part::attached(plan, &name, Content::Decoded(body, block)));
                }
            }
        }
        for attachment in &self.attachments {
            let plan = AttachmentPlan::new(attachment, wire, &prefix, &mut taken)?;
            parts.push(Part::attached(
                plan,
                &attachment.name,
                Content::Whole(attachment.source),
            ));
        }
        if self.attachments.is_empty() && parts.len() == 1 {
            return Ok(Plan::Single(parts.remove(0)));
        }
        // `=_` occurs in no encoding (RFC 2045 section 6.7); a number makes it differ from lines as they are.
        let number = taken.iter().max().map_or(0, |max| max.saturating_add(1));
        Ok(Plan::Mixed(parts, format!("{prefix}{number}")))
    }

    fn boundary_prefix(&self) -> String {
        let seed = self
            .boundary_seed
            .chars()
            .filter(char::is_ascii_alphanumeric);
        let seed: String = seed.take(40).collect();
        format!("=_{seed}_")
    }

    fn text_part<'s>(&'s self, content: Content<'s>, analysis: &Analysis, wire: Wire) -> Part<'s> {
        let mut plan = BodyPlan::for_text(analysis, wire);
        let media_type = if !self.body_type.is_composite() {
            self.body_type.clone()
        } else if analysis.has_sound_lines() {
            // Made by the caller, its boundaries and encodings included: not ours to touch.
            plan.encoding = match analysis.is_ascii() {
                true => TransferEncoding::SevenBit,
                false => TransferEncoding::EightBit,
            };
            self.body_type.clone()
        } else {
            // No mailer would carry it as it is: let it arrive as the text that it is.
            MediaType::text_plain()
        };
        let media_type = match media_type.is_text() {
            true => with_true_charset(media_type, None, analysis),
            false => media_type,
        };
        Part {
            media_type,
            encoding: plan.encoding,
            crlf_line_ends: plan.crlf_line_ends,
            file_name: None,
            content,
        }
    }
}

/// A body of nothing.
static EMPTY: &[u8] = b"";

/// The shape of a message.
enum Plan<'a> {
    /// One part and no MIME fields.
    Bare(Part<'a>),
    /// One part, described in the message's own header.
    Single(Part<'a>),
    /// Parts between boundaries.
    Mixed(Vec<Part<'a>>, String),
}

/// Where the bytes of a part come from.
enum Content<'a> {
    Whole(&'a dyn MessageSource),
    /// All but some uuencode blocks, in order.
    Without(&'a dyn MessageSource, Vec<UuBlock>),
    /// What a uuencode block holds.
    Decoded(&'a dyn MessageSource, UuBlock),
}

impl Content<'_> {
    fn for_each_block(&self, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        match self {
            Content::Whole(source) => for_each_block(source.reader()?, take),
            Content::Decoded(source, block) => uuencode::decode(*source, block, take),
            Content::Without(source, blocks) => {
                let mut reader = source.reader()?;
                let mut at = 0;
                for block in blocks {
                    for_each_block(reader.by_ref().take(block.start - at), &mut take)?;
                    io::copy(
                        &mut reader.by_ref().take(block.end - block.start),
                        &mut io::sink(),
                    )?;
                    at = block.end;
                }
                for_each_block(reader, take)
            }
        }
    }
}

fn analyse(content: &Content<'_>, boundary_prefix: &str) -> io::Result<Analysis> {
    let mut analyser = Analyser::new(boundary_prefix);
    content.for_each_block(|block| {
        analyser.push(block);
        Ok(())
    })?;
    Ok(analyser.finish())
}

/// One part: its fields and its content.
struct Part<'a> {
    media_type: MediaType,
    encoding: TransferEncoding,
    crlf_line_ends: bool,
    file_name: Option<FileName>,
    content: Content<'a>,
}

impl<'a> Part<'a> {
    fn bare(body: &'a dyn MessageSource, crlf_line_ends: bool) -> Part<'a> {
        Part {
            media_type: MediaType::text_plain(),
            encoding: TransferEncoding::SevenBit,
            crlf_line_ends,
            file_name: None,
            content: Content::Whole(body),
        }
    }

    fn attached(plan: AttachmentPlan, name: &FileName, content: Content<'a>) -> Part<'a> {
        Part {
            media_type: plan.named_type(name),
            encoding: plan.encoding,
            crlf_line_ends: plan.crlf_line_ends,
            file_name: Some(name.clone()),
            content,
        }
    }

    /// Writes fields, empty line and content.
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut header = structured_field("Content-Type", self.media_type.pieces());
        header.push_str(&format!("Content-Transfer-Encoding: {}\n", self.encoding));
        if let Some(name) = &self.file_name {
            let mut pieces = vec!["attachment".to_owned()];
            pieces.extend(parameter("filename", name.as_str()));
            header.push_str(&structured_field("Content-Disposition", pieces));
        }
        header.push('\n');
        out.write_all(header.as_bytes())?;
        self.write_content(out)
    }

    fn write_content(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut writer = BodyWriter::new(self.encoding, self.crlf_line_ends, out);
        self.content.for_each_block(|block| writer.push(block))?;
        writer.finish().map(drop)
    }
}

/// Returns a field of pieces with semicolons between them, folded.
fn structured_field(name: &str, pieces: Vec<String>) -> String {
    let mut field = FoldedField::new(name);
    for (index, piece) in pieces.iter().enumerate() {
        if index > 0 {
            field.append(";");
        }
        field.push(" ", piece);
    }
    field.finish()
}

fn multipart_fields(parts: &[Part<'_>], boundary: &str) -> String {
    let pieces = MediaType::known("multipart/mixed").with_parameter("boundary", boundary);
    let mut header = structured_field("Content-Type", pieces.pieces());
    // A multipart is what the widest of its parts is (RFC 2045 section 6.4).
    if parts
        .iter()
        .any(|part| part.encoding == TransferEncoding::EightBit)
    {
        header.push_str("Content-Transfer-Encoding: 8bit\n");
    }
    header
}

#[cfg(test)]
mod tests {
    use super::super::{FieldBody, HeaderName, HeaderValue};
    use super::*;

    const BLOCK: &str = "begin 644 hi.bin\n%:&5L;&\\ \n`\nend\n";

    fn compose<'a>(body: &'a [u8], files: &[&'a [u8]], body_type: &str, wire: Wire) -> String {
        let attachments = files.iter().map(|bytes| Attachment {
            name: FileName::from_path("Größe.txt".as_bytes()),
            content_type: None,
            charset: None,
            source: bytes,
        });
        let mut fields = Fields::new();
        let subject = HeaderValue::new("hi").expect("valid");
        fields.append(HeaderName::known("Subject"), subject);
        let own = HeaderValue::new("multipart/mixed").expect("valid");
        fields.append(HeaderName::known("content-TYPE"), FieldBody::Text(own));
        let composition = Composition {
            fields,
            body: Some(&body),
            body_type: MediaType::parse(body_type).expect("valid"),
            attachments: attachments.collect(),
            boundary_seed: "s<e>e d".to_owned(),
        };
        let mut out = Vec::new();
        composition
            .write(wire, &mut out)
            .expect("memory cannot fail");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn a_text_alone() {
        let message = compose(b"hello", &[], "text/plain", Wire::SevenBit);
        let expected = "Subject: hi\nMIME-Version: 1.0\nContent-Type: text/plain; charset=us-ascii\n\
                        Content-Transfer-Encoding: 7bit\n\nhello\n";
        assert_eq!(message, expected);
        let message = compose(
            "größe\n".as_bytes(),
            &[],
            "text/html; charset=us-ascii",
            Wire::EightBit,
        );
        assert!(message.contains("\nContent-Type: text/html; charset=utf-8\n"));
        assert!(message.ends_with("\nContent-Transfer-Encoding: 8bit\n\ngröße\n"));
    }

    #[test]
    fn a_text_and_a_file() {
        let message = compose(b"see file\n", &[b"\xef\n"], "text/plain", Wire::SevenBit);
        let expected = "Subject: hi\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"=_seed_0\"\n\
             \n--=_seed_0\nContent-Type: text/plain; charset=us-ascii\n\
             Content-Transfer-Encoding: 7bit\n\nsee file\n\
             \n--=_seed_0\nContent-Type: text/plain; charset=windows-1252; name=Gr__e.txt\n\
             Content-Transfer-Encoding: base64\n\
             Content-Disposition: attachment; filename*=utf-8''Gr%C3%B6%C3%9Fe.txt\n\n7wo=\n\
             \n--=_seed_0--\n";
        assert_eq!(message, expected);
    }

    #[test]
    fn a_line_that_looks_like_our_boundary_changes_the_boundary() {
        let message = compose(
            b"--=_seed_0--\n",
            &[b"--=_seed_41\n"],
            "text/plain",
            Wire::SevenBit,
        );
        assert!(message.contains("boundary=\"=_seed_42\"\n"), "{message}");
    }

    #[test]
    fn uuencode_goes_without_mime_where_it_can() {
        let body = format!("see below\n{BLOCK}");
        let message = compose(body.as_bytes(), &[], "text/plain", Wire::SevenBit);
        assert_eq!(message, format!("Subject: hi\n\n{body}"));
        let message = compose(body.as_bytes(), &[b"x\n"], "text/plain", Wire::SevenBit);
        assert!(message.contains("\n\nsee below\n\n--"));
        assert!(message.contains("filename=hi.bin\n\naGVsbG8=\n"));
        assert!(!message.contains("begin 644"));
    }

    #[test]
    fn a_multipart_that_the_caller_made_goes_as_it_is() {
        let body = b"--x\n\nFrom here\n--x--\n";
        let message = compose(body, &[], "multipart/mixed; boundary=x", Wire::SevenBit);
        assert!(message.contains("Content-Type: multipart/mixed; boundary=x\n"));
        assert!(message.ends_with("\n\n--x\n\nFrom here\n--x--\n"));
        let message = compose(b"--x\0", &[], "multipart/mixed; boundary=x", Wire::SevenBit);
        assert!(message.contains("Content-Type: text/plain; charset=us-ascii\n"));
    }
}
