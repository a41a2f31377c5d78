//! A mail out: header, body and attachments written as one MIME message.

use std::io::{self, Write};

use super::analysis::Analysis;
use super::attachment::{Attachment, AttachmentPlan};
use super::entity::{BodyPart, Counter, Entity, PartContent, analyse};
use super::fields::{self, Fields};
use super::label::with_true_charset;
use super::media_type::MediaType;
use super::plan::{BodyPlan, TransferEncoding, Wire};
use crate::message::MessageSource;
use crate::message::encode::uuencode::UuBlock;
use crate::message::value::FileName;

/// Everything that a message is made of; [`write`](Composition::write) makes it.
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
    /// More options.
    pub wishes: Wishes,
    /// An unguessable text for boundaries; letters and digits of it are used.
    pub boundary_seed: String,
}

/// Preferences of the caller, followed as far as the bytes of the contents allow it.
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
        // Before the first byte is written: a source that cannot be read leaves nothing behind.
        let layout = self.layout(wire)?;
        out.write_all(self.header().as_bytes())?;
        match layout {
            Layout::Bare(part) => {
                out.write_all(b"\n")?;
                part.write_content(out)
            }
            Layout::Mime(entity) => {
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
        match self.layout(wire)? {
            Layout::Bare(part) => {
                counter.0 += 1;
                part.count_content(&mut counter)?;
            }
            Layout::Mime(entity) => {
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
            // Of two files of the same size the later one: people name first what matters most.
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

    /// Decides which parts the message has and how each of them is encoded.
    fn layout(&self, wire: Wire) -> io::Result<Layout<'_>> {
        let mut builder = LayoutBuilder {
            wire,
            boundary_prefix: self.boundary_prefix(),
            taken: Vec::new(),
            alternatives: Vec::new(),
            parts: Vec::new(),
            pictures: Vec::new(),
        };
        // A message has at least one part: without a text and without files, a text of no bytes.
        let needs_text = self.is_text_only() && self.alternative.is_none();
        let empty = needs_text.then_some(&EMPTY as &dyn MessageSource);
        if let Some(body) = self.body.or(empty)
            && let Some(bare) = self.add_body(body, &mut builder)?
        {
            return Ok(Layout::Bare(bare));
        }
        if let Some(alternative) = &self.alternative {
            builder.add_alternative(alternative)?;
        }
        // The note stands before the files, where it is read together with the text.
        if let Some(note) = self.note() {
            builder.add_text(&MediaType::text_plain(), PartContent::Owned(note))?;
        }
        for attachment in &self.attachments {
            builder.add_attachment(attachment, self.is_shown(attachment))?;
        }
        // The note about omitted files is no other form of the text: with it the parts are mixed.
        let name = if self.wishes.alternatives && self.omitted.is_empty() {
            "multipart/alternative"
        } else {
            "multipart/mixed"
        };
        Ok(Layout::Mime(builder.join(name, self.is_text_only())))
    }

    /// Returns whether the message has no files beside its text, neither attached nor only named.
    fn is_text_only(&self) -> bool {
        self.attachments.iter().all(|file| self.is_shown(file)) && self.omitted.is_empty()
    }

    /// Returns whether the HTML of the message shows this file.
    fn is_shown(&self, file: &Attachment<'_>) -> bool {
        let has_html = match &self.alternative {
            Some(alternative) => alternative.media_type.is_html(),
            None => self.body.is_some() && self.body_type.is_html(),
        };
        has_html && file.content_id.is_some()
    }

    /// Adds the text, and its uuencode blocks as attachments.
    ///
    /// Returns the text instead if it is the whole message and goes without MIME fields.
    fn add_body<'s>(
        &'s self,
        body: &'s dyn MessageSource,
        builder: &mut LayoutBuilder<'s>,
    ) -> io::Result<Option<BodyPart<'s>>> {
        let analysis = builder.analyse(&PartContent::Whole(body))?;
        let is_plain = self.body_type == MediaType::text_plain() && self.alternative.is_none();
        // In a text of another type, such as HTML, a `begin` line is text: blocks are looked for
        // only where scripts put them.
        if analysis.uu_blocks.is_empty() || !is_plain {
            let content = PartContent::Whole(body);
            let mut part = text_part(&self.body_type, content, &analysis, builder.wire);
            let needs_none = part.encoding == TransferEncoding::SevenBit;
            if self.wishes.without_mime && self.is_text_only() && is_plain && needs_none {
                return Ok(Some(part));
            }
            // A message or multipart must not be encoded (RFC 2046 section 5.2.1).
            if let Some(asked) = self.wishes.encoding
                && !part.media_type.is_composite()
            {
                part.encoding = asked.or_needed(part.encoding);
            }
            builder.parts.push(part);
        } else if self.is_text_only() && analysis.has_sound_lines() {
            // What AIX scripts expect: their readers decode the block, and know no MIME.
            let crlf_line_ends = analysis.has_crlf_line_ends();
            return Ok(Some(BodyPart::bare(body, crlf_line_ends)));
        } else {
            builder.add_text_and_blocks(body, &self.body_type, analysis.uu_blocks)?;
        }
        Ok(None)
    }

    /// Returns the text that replaces files that were left out.
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
        // A boundary has at most 70 characters (RFC 2046 section 5.1.1); a number of 20 digits fits.
        let seed: String = seed.take(40).collect();
        format!("=_{seed}_")
    }
}

/// The parts of a message, as far as they are known.
struct LayoutBuilder<'a> {
    wire: Wire,
    /// What every boundary of the message begins with.
    boundary_prefix: String,
    /// The numbers of boundaries that lines of the contents begin with already.
    taken: Vec<u64>,
    /// The forms of the text, if it has more than one.
    alternatives: Vec<BodyPart<'a>>,
    parts: Vec<BodyPart<'a>>,
    /// The files that the HTML shows; they are in one multipart/related with it.
    pictures: Vec<BodyPart<'a>>,
}

impl<'a> LayoutBuilder<'a> {
    /// Reads a content once, and remembers the boundaries that it takes.
    fn analyse(&mut self, content: &PartContent<'_>) -> io::Result<Analysis> {
        let analysis = analyse(content, &self.boundary_prefix)?;
        self.taken.extend_from_slice(&analysis.taken_boundaries);
        Ok(analysis)
    }

    fn add_text(&mut self, media_type: &MediaType, content: PartContent<'a>) -> io::Result<()> {
        let analysis = self.analyse(&content)?;
        let part = text_part(media_type, content, &analysis, self.wire);
        self.parts.push(part);
        Ok(())
    }

    /// Adds the text without its uuencode blocks, and each block as a file.
    fn add_text_and_blocks(
        &mut self,
        body: &'a dyn MessageSource,
        body_type: &MediaType,
        blocks: Vec<UuBlock>,
    ) -> io::Result<()> {
        self.add_text(body_type, PartContent::Without(body, blocks.clone()))?;
        for block in blocks {
            let extension = block.name.extension();
            // The decoded bytes were not analysed: no charset is known for a text, and a message
            // could not be put into base64 (RFC 2046 section 5.2.1).
            let media_type = extension
                .and_then(|extension| MediaType::of_extension(&extension))
                .filter(|found| !found.is_text() && !found.is_composite())
                .unwrap_or(MediaType::octet_stream());
            let plan = AttachmentPlan::base64(media_type);
            let name = block.name.clone();
            let content = PartContent::Decoded(body, block);
            self.parts.push(BodyPart::attached(plan, &name, content));
        }
        Ok(())
    }

    /// Adds the other form of the text; the parts added before become the plainer forms.
    fn add_alternative(&mut self, alternative: &Alternative<'a>) -> io::Result<()> {
        // Plain text first: readers take the last form that they can show (RFC 2046 section 5.1.4).
        self.alternatives.append(&mut self.parts);
        let content = PartContent::Whole(alternative.source);
        let analysis = self.analyse(&content)?;
        let part = text_part(&alternative.media_type, content, &analysis, self.wire);
        self.alternatives.push(part);
        Ok(())
    }

    /// Adds a file: with the HTML, if that shows it, else after the text.
    fn add_attachment(&mut self, attachment: &Attachment<'a>, is_shown: bool) -> io::Result<()> {
        let prefix = &self.boundary_prefix;
        let plan = AttachmentPlan::new(attachment, self.wire, prefix, &mut self.taken)?;
        let content = PartContent::Whole(attachment.source);
        let mut part = BodyPart::attached(plan, &attachment.name, content);
        // A picture of a forwarded message has one without HTML of ours, and stays inline.
        part.content_id.clone_from(&attachment.content_id);
        if is_shown {
            self.pictures.push(part);
        } else {
            self.parts.push(part);
        }
        Ok(())
    }

    /// Joins the parts to a multipart of this type; a message of one text needs none.
    fn join(self, name: &'static str, is_text_only: bool) -> Entity<'a> {
        // `=_` occurs in no encoding (RFC 2045 section 6.7). Contents that are not encoded may hold
        // it: the number makes the boundary differ from every line of theirs.
        let number = self.taken.iter().max();
        let number = number.map_or(0, |max| max.saturating_add(1));
        let boundary = |number: u64| format!("{}{number}", self.boundary_prefix);
        let entities_of = |parts: Vec<BodyPart<'a>>| -> Vec<Entity<'a>> {
            parts.into_iter().map(Entity::Part).collect()
        };
        let mut forms = entities_of(self.alternatives);
        let mut entities = entities_of(self.parts);
        // Each multipart needs a boundary of its own: a reader that meets that of an outer one in an
        // inner one would end it there.
        if !self.pictures.is_empty() {
            // The HTML is the last form of the text, or else the text itself.
            let (list, at) = match forms.len().checked_sub(1) {
                Some(last) => (&mut forms, last),
                None => (&mut entities, 0),
            };
            let html = list.remove(at);
            let pictures = entities_of(self.pictures);
            let related = Entity::related(html, pictures, boundary(number.saturating_add(2)));
            list.insert(at, related);
        }
        if !forms.is_empty() {
            let inner = boundary(number.saturating_add(1));
            entities.insert(0, Entity::joined("multipart/alternative", forms, inner));
        }
        if is_text_only && entities.len() == 1 {
            entities.remove(0)
        } else {
            Entity::joined(name, entities, boundary(number))
        }
    }
}

/// Plans a text, or what the caller declares to be of another type.
fn text_part<'a>(
    asked: &MediaType,
    content: PartContent<'a>,
    analysis: &Analysis,
    wire: Wire,
) -> BodyPart<'a> {
    let mut plan = BodyPlan::for_text(analysis, wire);
    let media_type = if !asked.is_composite() {
        asked.clone()
    } else if analysis.has_sound_lines() {
        // The caller made it, its boundaries and encodings included: not a byte of it is changed.
        plan.encoding = if analysis.is_ascii() {
            TransferEncoding::SevenBit
        } else {
            TransferEncoding::EightBit
        };
        asked.clone()
    } else {
        // No mailer carries such lines, and a multipart may not be encoded: it is sent as a text.
        MediaType::text_plain()
    };
    let media_type = if media_type.is_text() {
        with_true_charset(media_type, None, analysis)
    } else {
        media_type
    };
    BodyPart {
        media_type,
        encoding: plan.encoding,
        crlf_line_ends: plan.crlf_line_ends,
        file_name: None,
        content_id: None,
        content,
    }
}

/// A body of nothing.
static EMPTY: &[u8] = b"";

/// How a message is made up.
enum Layout<'a> {
    /// One part and no MIME fields.
    Bare(BodyPart<'a>),
    /// One part or a multipart, described by the MIME fields of the message's own header.
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
            content_id: None,
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
        let body = b"--=_seed_0--\n--=_seed_41\n";
        // The file stands in the message in base64: its lines begin with no boundary.
        let message = compose(body, &[b"--=_seed_77\n"], "text/plain", Wire::SevenBit);
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
            content_id: None,
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
