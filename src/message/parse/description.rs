//! The header fields that describe a part: type, charset, boundary, file name, encoding.
//!
//! Here mail-parser does its work: it knows parameters and their continuations in all the spellings
//! of mailers. The fields are cut before it sees them, because its time grows with the square of the
//! number of continuations. File names with a charset (RFC 2231) are ours: its table of charsets is
//! not the one of [`charset`](crate::charset).

use mail_parser::{MessageParser, MimeHeaders};

use super::body::DeclaredEncoding;
use super::part::TextFormat;
use super::quiet::quietly;
use super::{fields, words};
use crate::charset::decode_text;
use crate::message::premade::structured::Structured;

/// How much is read of a field that describes a part. A file name of 255 characters needs 2.5 KiB.
pub(super) const MAX_FIELD: usize = 16 * 1024;

/// The fields that describe a part.
const NAMES: [&str; 3] = [
    "Content-Type",
    "Content-Disposition",
    "Content-Transfer-Encoding",
];

/// The description of an entity in its header.
pub(super) struct Description {
    /// Type and subtype in lower case.
    pub(super) media_type: String,
    pub(super) charset: Option<String>,
    pub(super) boundary: Option<String>,
    pub(super) format: TextFormat,
    /// The file name, decoded.
    pub(super) file_name: Option<String>,
    /// Whether the sender asks to save the part rather than show it.
    pub(super) attachment: bool,
    pub(super) encoding: DeclaredEncoding,
}

impl Description {
    /// Reads the fields that describe an entity.
    pub(super) fn of(header: &[u8], in_digest: bool) -> Description {
        // The defaults of RFC 2045 section 5.2 and RFC 2046 section 5.1.5.
        let media_type = if in_digest {
            "message/rfc822"
        } else {
            "text/plain"
        };
        let mut description = Description {
            media_type: media_type.to_owned(),
            charset: None,
            boundary: None,
            format: TextFormat::Fixed,
            file_name: None,
            attachment: false,
            encoding: DeclaredEncoding::Identity,
        };
        if let Some(block) = describing_fields(header) {
            // A panic of the parser leaves the defaults, or as much as was read before it.
            quietly(|| description.read(&block));
        }
        description
    }

    /// Reads a header block of describing fields only.
    fn read(&mut self, block: &[u8]) -> Option<()> {
        let parsed = MessageParser::new()
            .with_mime_headers()
            .parse_headers(block)?;
        if let Some(found) = parsed.content_type() {
            let subtype = found.subtype().unwrap_or("plain");
            self.media_type = format!("{}/{subtype}", found.ctype()).to_ascii_lowercase();
            self.charset = found.attribute("charset").map(str::to_owned);
            self.boundary = found.attribute("boundary").map(str::to_owned);
            let says = |name: &str, value: &str| {
                let found = found.attribute(name);
                found.is_some_and(|found| found.trim().eq_ignore_ascii_case(value))
            };
            if says("format", "flowed") {
                let delsp = says("delsp", "yes");
                self.format = TextFormat::Flowed { delsp };
            }
        }
        let extended = |field: &str, name: &str| {
            let body = fields::unfold(fields::find(block, field)?);
            Structured::parse(&body).extended_parameter(name)
        };
        // RFC 2047 section 5 forbids encoded words in parameters; many mailers write them there, and
        // fold between them.
        let encoded = |field: &str, name: &str| {
            let body = fields::unfold(fields::find(block, field)?);
            let value = Structured::parse(&body).parameter(name)?;
            let has_words = value.contains("=?");
            has_words.then(|| words::decode_unfolded(&value).into_owned())
        };
        // A name with a charset (RFC 2231) is the better one of two (RFC 6266 section 4.3).
        self.file_name = extended("Content-Disposition", "filename").or_else(|| {
            if let Some(name) = encoded("Content-Disposition", "filename") {
                return Some(name);
            }
            let plain = parsed
                .content_disposition()
                .and_then(|disposition| disposition.attribute("filename"));
            let name = match plain {
                Some(name) => Some(name),
                None => match extended("Content-Type", "name") {
                    Some(name) => return Some(name),
                    None => match encoded("Content-Type", "name") {
                        Some(name) => return Some(name),
                        None => parsed.attachment_name(),
                    },
                },
            };
            name.map(|name| words::decode_unfolded(name).into_owned())
        });
        self.attachment = parsed
            .content_disposition()
            .is_some_and(|disposition| disposition.ctype().eq_ignore_ascii_case("attachment"));
        self.encoding = parsed
            .content_transfer_encoding()
            .map_or(DeclaredEncoding::Identity, DeclaredEncoding::named);
        Some(())
    }
}

/// Returns a header block of the describing fields alone, each of them cut; `None` without any.
fn describing_fields(header: &[u8]) -> Option<Vec<u8>> {
    let mut bodies = [None; 3];
    for field in fields::fields(header) {
        // Of several fields of one name the last one counts.
        if let Some(at) = NAMES.iter().position(|name| field.is(name)) {
            bodies[at] = Some(field.body);
        }
    }
    // Plain mail of scripts and daemons has none of them: it costs no call of the parser.
    if bodies == [None; 3] {
        return None;
    }
    let mut block = Vec::new();
    for (name, body) in NAMES.iter().zip(bodies) {
        let Some(body) = body else {
            continue;
        };
        block.extend_from_slice(name.as_bytes());
        block.extend_from_slice(b": ");
        // A parameter may stand on a line of its own, its value on the next one.
        block.extend_from_slice(&fields::unfold(&body[..body.len().min(MAX_FIELD)]));
        block.push(b'\n');
    }
    block.push(b'\n');
    // Names that a mailer wrote as bytes: mail-parser knows no charset but UTF-8 for them.
    Some(decode_text(&block).into_owned().into_bytes())
}
