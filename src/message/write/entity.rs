//! Parts of a message being made: their fields, their contents, boundaries between them.

use std::io::{self, Read, Write};

use super::analysis::{Analyser, Analysis};
use super::attachment::AttachmentPlan;
use super::media_type::MediaType;
use super::parameter::{file_name, push_pieces};
use super::plan::{BodyWriter, TransferEncoding};
use crate::message::encode::base64;
use crate::message::encode::encoded_words::FoldedField;
use crate::message::encode::uuencode::{self, UuBlock};
use crate::message::value::{ContentId, FileName};
use crate::message::{MessageSource, for_each_block};

/// A part, or parts between boundaries.
pub(in crate::message) enum Entity<'a> {
    Part(BodyPart<'a>),
    Multipart {
        media_type: MediaType,
        boundary: String,
        entities: Vec<Entity<'a>>,
    },
}

impl<'a> Entity<'a> {
    pub(in crate::message) fn joined(
        name: &'static str,
        entities: Vec<Entity<'a>>,
        boundary: String,
    ) -> Entity<'a> {
        Entity::Multipart {
            media_type: MediaType::known(name).with_parameter("boundary", &boundary),
            boundary,
            entities,
        }
    }

    /// Joins HTML and the pictures that it shows (RFC 2387).
    pub(in crate::message) fn related(
        html: Entity<'a>,
        pictures: Vec<Entity<'a>>,
        boundary: String,
    ) -> Entity<'a> {
        let entities = std::iter::once(html).chain(pictures).collect();
        let media_type = MediaType::known("multipart/related").with_parameter("type", "text/html");
        Entity::Multipart {
            media_type: media_type.with_parameter("boundary", &boundary),
            boundary,
            entities,
        }
    }

    pub(in crate::message) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Entity::Part(part) => part.write(out),
            Entity::Multipart {
                boundary, entities, ..
            } => {
                out.write_all(self.multipart_fields().as_bytes())?;
                for entity in entities {
                    // The line end before the hyphens belongs to the delimiter (RFC 2046 section
                    // 5.1.1): the content before it ends with a line end of its own.
                    write!(out, "\n--{boundary}\n")?;
                    entity.write(out)?;
                }
                writeln!(out, "\n--{boundary}--")
            }
        }
    }

    /// Counts what [`write`](Entity::write) writes.
    pub(in crate::message) fn count(&self, counter: &mut Counter) -> io::Result<()> {
        match self {
            Entity::Part(part) => {
                counter.0 += part.header().len() as u64;
                part.count_content(counter)
            }
            Entity::Multipart {
                boundary, entities, ..
            } => {
                let delimiter = "\n--\n".len() + boundary.len();
                let closing = delimiter + "--".len();
                let delimiters = delimiter * entities.len() + closing;
                counter.0 += (self.multipart_fields().len() + delimiters) as u64;
                entities.iter().try_for_each(|entity| entity.count(counter))
            }
        }
    }

    fn has_eight_bit(&self) -> bool {
        match self {
            Entity::Part(part) => part.encoding == TransferEncoding::EightBit,
            Entity::Multipart { entities, .. } => entities.iter().any(Entity::has_eight_bit),
        }
    }

    fn multipart_fields(&self) -> String {
        let Entity::Multipart { media_type, .. } = self else {
            return String::new();
        };
        let mut header = structured_field("Content-Type", &media_type.pieces());
        // A multipart with an 8-bit part is 8-bit (RFC 2045 section 6.4).
        if self.has_eight_bit() {
            header.push_str("Content-Transfer-Encoding: 8bit\n");
        }
        header
    }
}

/// Counts bytes.
pub(in crate::message) struct Counter(pub(in crate::message) u64);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Where the bytes of a part come from.
pub(in crate::message) enum PartContent<'a> {
    Whole(&'a dyn MessageSource),
    /// All but some uuencode blocks, in order.
    Without(&'a dyn MessageSource, Vec<UuBlock>),
    /// What a uuencode block holds.
    Decoded(&'a dyn MessageSource, UuBlock),
    /// A text that the program wrote.
    Owned(String),
}

impl PartContent<'_> {
    pub(in crate::message) fn for_each_block(
        &self,
        mut take: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        match self {
            PartContent::Whole(source) => for_each_block(source.reader()?, take),
            PartContent::Decoded(source, block) => uuencode::decode(*source, block, take),
            PartContent::Owned(text) => take(text.as_bytes()),
            PartContent::Without(source, blocks) => {
                // A source has no seek: the bytes of a block are read and dropped.
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

pub(in crate::message) fn analyse(
    content: &PartContent<'_>,
    boundary_prefix: &str,
) -> io::Result<Analysis> {
    let mut analyser = Analyser::new(boundary_prefix);
    content.for_each_block(|block| {
        analyser.push(block);
        Ok(())
    })?;
    Ok(analyser.finish())
}

/// One part: its fields and its content.
pub(in crate::message) struct BodyPart<'a> {
    pub(in crate::message) media_type: MediaType,
    pub(in crate::message) encoding: TransferEncoding,
    pub(in crate::message) crlf_line_ends: bool,
    pub(in crate::message) file_name: Option<FileName>,
    /// The identifier by which the HTML shows it; such a file is not an ordinary attachment.
    pub(in crate::message) content_id: Option<ContentId>,
    pub(in crate::message) content: PartContent<'a>,
}

impl<'a> BodyPart<'a> {
    pub(in crate::message) fn bare(
        body: &'a dyn MessageSource,
        crlf_line_ends: bool,
    ) -> BodyPart<'a> {
        BodyPart {
            media_type: MediaType::text_plain(),
            encoding: TransferEncoding::SevenBit,
            crlf_line_ends,
            file_name: None,
            content_id: None,
            content: PartContent::Whole(body),
        }
    }

    pub(in crate::message) fn attached(
        plan: AttachmentPlan,
        name: &FileName,
        content: PartContent<'a>,
    ) -> BodyPart<'a> {
        BodyPart {
            media_type: plan.named_type(name),
            encoding: plan.encoding,
            crlf_line_ends: plan.crlf_line_ends,
            file_name: Some(name.clone()),
            content_id: None,
            content,
        }
    }

    /// Writes fields, empty line and content.
    pub(in crate::message) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(self.header().as_bytes())?;
        self.write_content(out)
    }

    /// Returns the fields and the empty line.
    pub(in crate::message) fn header(&self) -> String {
        let mut header = structured_field("Content-Type", &self.media_type.pieces());
        header.push_str(&format!("Content-Transfer-Encoding: {}\n", self.encoding));
        if let Some(id) = &self.content_id {
            header.push_str(&format!("Content-ID: <{}>\n", id.as_str()));
        }
        if let Some(name) = &self.file_name {
            // Readers take an inline text for more of the message's text, and the file is gone.
            let is_text = self.media_type.is_text() || self.media_type.is_composite();
            let disposition = if self.content_id.is_some() && !is_text {
                "inline"
            } else {
                "attachment"
            };
            let mut pieces = vec![disposition.to_owned()];
            pieces.extend(file_name(name.as_str()));
            header.push_str(&structured_field("Content-Disposition", &pieces));
        }
        header.push('\n');
        header
    }

    pub(in crate::message) fn count_content(&self, counter: &mut Counter) -> io::Result<()> {
        match &self.content {
            // The length of base64 follows from the length of the source, which is not read for it:
            // `fit` asks for the size after each attachment that it omits.
            PartContent::Whole(source) if self.encoding == TransferEncoding::Base64 => {
                counter.0 += base64::encoded_len(source.len());
                Ok(())
            }
            _ => self.write_content(counter),
        }
    }

    pub(in crate::message) fn write_content(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut writer = BodyWriter::new(self.encoding, self.crlf_line_ends, out);
        self.content.for_each_block(|block| writer.push(block))?;
        writer.finish().map(drop)
    }
}

/// Returns a field of pieces with semicolons between them, folded.
fn structured_field(name: &str, pieces: &[String]) -> String {
    let mut field = FoldedField::new(name);
    push_pieces(&mut field, pieces);
    field.finish()
}
