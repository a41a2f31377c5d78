//! A mail out: header, body and attachments written as one MIME message.

use std::io::{self, Write};

use super::analysis::Analysis;
use super::attachment::{Attachment, AttachmentPlan, with_true_charset};
use super::entity::{Content, Counter, Entity, Part, analyse};
use super::fields::{self, Fields};
use super::media_type::MediaType;
use super::plan::{BodyPlan, TransferEncoding, Wire};
use crate::message::MessageSource;
use crate::message::value::FileName;

/// Everything a message is made of; [`write`](Composition::write) makes it.
pub struct Composition<'a> {
    /// The header fields, in order. MIME fields among them are left out: they
    /// are made from `body_type` and the bytes. Bcc must not be among them.
    pub fields: Fields,
    /// The text; `None` makes a message of attachments only.
    pub body: Option<&'a dyn MessageSource>,
    /// The type of the text; its charset is corrected where the bytes prove it wrong.
    pub body_type: MediaType,
    /// The same text in a form that readers may like better, such as HTML.
    pub alternative: Option<Alternative<'a>>,
    /// The files, in order.
    pub attachments: Vec<Attachment<'a>>,
    /// Files that are only named, in a note of their own; see [`fit`](Composition::fit).
    pub omitted: Vec<Omitted>,
    /// What else is asked for.
    pub wishes: Wishes,
    /// Something nobody can guess, for boundaries; letters and digits of it are used.
    pub boundary_seed: String,
}

/// What may be asked for beside the contents; the bytes of the contents come first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// The transfer encoding of the text.
    pub encoding: Option<TransferEncoding>,
    /// The attachments are other forms of the text: a multipart/alternative.
    pub alternatives: bool,
    /// No MIME fields, where the message is a plain text that needs none.
    pub without_mime: bool,
}

/// Another form of the text, for a multipart/alternative (RFC 2046 section 5.1.4).
pub struct Alternative<'a> {
    /// The bytes.
    pub source: &'a dyn MessageSource,
    /// Their type; its charset is corrected where the bytes prove it wrong.
    pub media_type: MediaType,
}

/// A file that was too large to be attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Omitted {
    /// The name that it would have had.
    pub name: FileName,
    /// Its size in bytes.
    pub size: u64,
}

/// The fields that describe MIME; never taken from the caller.
const MIME_FIELDS: [&str; 3] = ["MIME-Version", "Content-Type", "Content-Transfer-Encoding"];

impl Composition<'_> {
    /// Writes the message with LF line ends, in constant memory; sources are read twice.
    ///
    /// No line is over 998 bytes, and for [`Wire::SevenBit`] all of it is ASCII,
    /// with two exceptions: addresses whose local part is not (RFC 6532),
    /// and a `multipart` body that the caller made itself, which goes as it is.
    ///
    /// # Errors
    /// Fails when a source cannot be read or `out` not be written.
    pub fn write(&self, wire: Wire, out: &mut dyn Write) -> io::Result<()> {
        let plan = self.plan(wire)?;
        out.write_all(self.header().as_bytes())?;
        match plan {
            Plan::Bare(part) => {
                out.write_all(b"\n")?;
                part.write_content(out)
            }
            Plan::Mime(entity) => {
                out.write_all(b"MIME-Version: 1.0\n")?;
                entity.write(out)
            }
        }
    }

    /// Returns the size that [`write`](Composition::write) would come to; what base64 carries is not read.
    ///
    /// # Errors
    /// Fails when a source cannot be read.
    pub fn size(&self, wire: Wire) -> io::Result<u64> {
        let mut counter = Counter(self.header().len() as u64);
        match self.plan(wire)? {
            Plan::Bare(part) => {
                counter.0 += 1;
                part.count_content(&mut counter)?;
            }
            Plan::Mime(entity) => {
                counter.0 += "MIME-Version: 1.0\n".len() as u64;
                entity.count(&mut counter)?;
            }
        }
        Ok(counter.0)
    }

    /// Leaves attachments out, the largest first, until the message is no larger than `limit`.
    ///
    /// A note in the message names them; returned are the new ones. The text
    /// goes out whatever its size is: the caller compares [`size`](Composition::size) again.
    ///
    /// # Errors
    /// Fails when a source cannot be read.
    pub fn fit(&mut self, wire: Wire, limit: u64) -> io::Result<&[Omitted]> {
        let before = self.omitted.len();
        while !self.attachments.is_empty() && self.size(wire)? > limit {
            let sizes = self.attachments.iter().map(|file| file.source.len());
            let largest = sizes.enumerate().max_by_key(|&(index, size)| (size, index));
            let (index, size) = largest.expect("there is an attachment");
            let name = self.attachments.remove(index).name;
            self.omitted.push(Omitted { name, size });
        }
        Ok(&self.omitted[before..])
    }

    /// Returns the fields that are not of MIME.
    fn header(&self) -> String {
        let fields = self.fields.iter();
        fields
            .filter(|(name, _)| !MIME_FIELDS.iter().any(|mime| name.is(mime)))
            .map(|(name, body)| fields::render(name, body))
            .collect()
    }

    fn plan(&self, wire: Wire) -> io::Result<Plan<'_>> {
        let prefix = self.boundary_prefix();
        let mut taken = Vec::new();
        let mut parts = Vec::new();
        // A multipart has at least one part; without attachments that is the text, if only an empty one.
        let is_bare = self.attachments.is_empty() && self.omitted.is_empty();
        let empty = (is_bare && self.alternative.is_none()).then_some(&EMPTY as &dyn MessageSource);
        if let Some(body) = self.body.or(empty) {
            let analysis = analyse(&Content::Whole(body), &prefix)?;
            taken.extend_from_slice(&analysis.taken_boundaries);
            let is_plain = self.body_type == MediaType::text_plain() && self.alternative.is_none();
            if analysis.uu_blocks.is_empty() || !is_plain {
                let mut part = text_part(&self.body_type, Content::Whole(body), &analysis, wire);
                let needs_none = part.encoding == TransferEncoding::SevenBit;
                if self.wishes.without_mime && is_bare && is_plain && needs_none {
                    return Ok(Plan::Bare(part));
                }
                // A message or multipart must not be encoded (RFC 2046 section 5.2.1).
                if let Some(asked) = self.wishes.encoding
                    && !part.media_type.is_composite()
                {
                    part.encoding = asked.or_needed(part.encoding);
                }
                parts.push(part);
            } else if is_bare && analysis.has_sound_lines() {
                // What AIX scripts expect: their readers decode the block, and know no MIME.
                return Ok(Plan::Bare(Part::bare(body, analysis.has_crlf_line_ends())));
            } else {
                let rest = Content::Without(body, analysis.uu_blocks.clone());
                let rest_analysis = analyse(&rest, &prefix)?;
                parts.push(text_part(&self.body_type, rest, &rest_analysis, wire));
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
        let mut alternatives = Vec::new();
        if let Some(alternative) = &self.alternative {
            let content = Content::Whole(alternative.source);
            let analysis = analyse(&content, &prefix)?;
            taken.extend_from_slice(&analysis.taken_boundaries);
            alternatives.append(&mut parts);
            alternatives.push(text_part(&alternative.media_type, content, &analysis, wire));
        }
        if let Some(note) = self.note() {
            let content = Content::Owned(note);
            let analysis = analyse(&content, &prefix)?;
            parts.push(text_part(
                &MediaType::text_plain(),
                content,
                &analysis,
                wire,
            ));
        }
        for attachment in &self.attachments {
            let plan = AttachmentPlan::new(attachment, wire, &prefix, &mut taken)?;
            let content = Content::Whole(attachment.source);
            parts.push(Part::attached(plan, &attachment.name, content));
        }
        // `=_` occurs in no encoding (RFC 2045 section 6.7); a number makes it differ from lines as they are.
        let number = taken.iter().max().map_or(0, |max| max.saturating_add(1));
        let mut entities: Vec<Entity<'_>> = parts.into_iter().map(Entity::Part).collect();
        if !alternatives.is_empty() {
            let parts = alternatives.into_iter().map(Entity::Part).collect();
            let boundary = format!("{prefix}{}", number.saturating_add(1));
            entities.insert(0, Entity::joined("multipart/alternative", parts, boundary));
        }
        let boundary = format!("{prefix}{number}");
        // What was left out is told in a part that is no form of the text.
        let name = if self.wishes.alternatives && self.omitted.is_empty() {
            "multipart/alternative"
        } else {
            "multipart/mixed"
        };
        Ok(Plan::Mime(if is_bare && entities.len() == 1 {
            entities.remove(0)
        } else {
            Entity::joined(name, entities, boundary)
        }))
    }

    /// Returns the text that stands in for files that were left out.
    fn note(&self) -> Option<String> {
        let line = |file: &Omitted| {
            format!(
                "[The file {} of {} bytes was too large and is not attached.]\n",
                file.name.as_str(),
                file.size
            )
        };
        let note: String = self.omitted.iter().map(line).collect();
        (!note.is_empty()).then_some(note)
    }

    fn boundary_prefix(&self) -> String {
        let seed = self
            .boundary_seed
            .chars()
            .filter(char::is_ascii_alphanumeric);
        let seed: String = seed.take(40).collect();
        format!("=_{seed}_")
    }
}

/// Plans a text of the caller's, or what the caller says is something else.
fn text_part<'a>(
    asked: &MediaType,
    content: Content<'a>,
    analysis: &Analysis,
    wire: Wire,
) -> Part<'a> {
    let mut plan = BodyPlan::for_text(analysis, wire);
    let media_type = if !asked.is_composite() {
        asked.clone()
    } else if analysis.has_sound_lines() {
        // Made by the caller, its boundaries and encodings included: not ours to touch.
        plan.encoding = if analysis.is_ascii() {
            TransferEncoding::SevenBit
        } else {
            TransferEncoding::EightBit
        };
        asked.clone()
    } else {
        // No mailer would carry it as it is: let it arrive as the text that it is.
        MediaType::text_plain()
    };
    let media_type = if media_type.is_text() {
        with_true_charset(media_type, None, analysis)
    } else {
        media_type
    };
    Part {
        media_type,
        encoding: plan.encoding,
        crlf_line_ends: plan.crlf_line_ends,
        file_name: None,
        content,
    }
}

/// A body of nothing.
static EMPTY: &[u8] = b"";

/// The shape of a message.
enum Plan<'a> {
    /// One part and no MIME fields.
    Bare(Part<'a>),
    /// What the message's own header describes.
    Mime(Entity<'a>),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{FieldBody, HeaderName, HeaderValue};

    const BLOCK: &str = "begin 644 hi.bin\n%:&5L;&\\ \n`\nend\n";

    fn compose<'a>(body: &'a [u8], files: &[&'a [u8]], body_type: &str, wire: Wire) -> String {
        let attachments = files.iter().map(|bytes| Attachment {
            name: FileName::from_path("Größe.txt".as_bytes()),
            content_type: None,
            charset: None,
            encoding: None,
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
            alternative: None,
            omitted: Vec::new(),
            wishes: Wishes::default(),
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

    #[test]
    fn attachments_that_are_too_large_become_a_note() {
        let (small, large) = (vec![b'a'; 1000], vec![0; 100_000]);
        let attached = |name: &str, source| Attachment {
            name: FileName::from_path(name.as_bytes()),
            content_type: None,
            charset: None,
            encoding: None,
            source,
        };
        let mut composition = Composition {
            fields: Fields::new(),
            body: Some(&b"text\n".as_slice()),
            body_type: MediaType::text_plain(),
            alternative: None,
            omitted: Vec::new(),
            attachments: vec![attached("s.txt", &small), attached("l.bin", &large)],
            wishes: Wishes::default(),
            boundary_seed: "seed".to_owned(),
        };
        assert!(composition.size(Wire::SevenBit).unwrap() > 135_000);
        let omitted = composition.fit(Wire::SevenBit, 50_000).unwrap();
        assert!(omitted.len() == 1 && omitted[0].size == 100_000);
        let mut out = Vec::new();
        composition.write(Wire::SevenBit, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.contains("[The file l.bin of 100000 bytes was too large and is not attached.]")
        );
        assert!(text.contains("s.txt"));
        assert_eq!(composition.fit(Wire::SevenBit, 10).unwrap().len(), 1);
        assert!(composition.attachments.is_empty());
    }
}
