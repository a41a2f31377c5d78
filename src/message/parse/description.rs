//! The header fields that describe a part: type, charset, boundary, file name, encoding.
//!
//! Here mail-parser does its work: it knows parameters and their continuations in all the spellings
//! of mailers. The fields are cut before it sees them, because its time grows with the square of the
//! number of continuations. File names with a charset (RFC 2231) are ours: its table of charsets is
//! not the one of [`charset`](crate::charset).

use mail_parser::{MessageParser, MimeHeaders};

use super::body::DeclaredEncoding;
use super::fields::{self, Field};
use super::part::TextFormat;
use super::quiet::quietly;
use super::words;
use crate::charset::decode_text;
use crate::message::premade::structured::Structured;

/// How much is read of a field that describes a part. A file name of 255 characters needs 2.5 KiB.
pub(super) const MAX_FIELD: usize = 16 * 1024;

/// The fields that describe a part.
const NAMES: [&str; 4] = [
    "Content-Type",
    "Content-Disposition",
    "Content-Transfer-Encoding",
    CONTENT_ID,
];
/// The shortest of them.
const CONTENT_ID: &str = "Content-ID";

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
    /// The identifier by which HTML shows it, without angle brackets.
    pub(super) content_id: Option<String>,
}

impl Description {
    /// Reads the fields that describe an entity.
    pub(super) fn of(header: &[u8], in_digest: bool) -> Description {
        let mut bodies = Bodies::default();
        fields::fields(header).for_each(|field| note(&mut bodies, &field));
        Description::by(bodies, in_digest)
    }

    /// Reads the bodies of the fields that describe an entity.
    pub(super) fn by(bodies: Bodies<'_>, in_digest: bool) -> Description {
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
            content_id: None,
        };
        // Plain mail of scripts and daemons has none of them: it costs no call of the parser.
        if bodies[..3] != [None; 3] && !description.read_simple(bodies) {
            let block = describing_fields(bodies);
            // A panic of the parser leaves the defaults, or as much as was read before it.
            quietly(|| description.read(&block));
        }
        // Only what is no text is shown by HTML; most parts are texts.
        if !["text/", "multipart/", "message/"]
            .iter()
            .any(|kind| description.media_type.starts_with(kind))
        {
            let id = bodies[3].map(<[u8]>::trim_ascii);
            let id = id.and_then(|id| id.strip_prefix(b"<")?.strip_suffix(b">"));
            description.content_id = id.and_then(|id| String::from_utf8(id.to_vec()).ok());
        }
        description
    }

    /// Reads the fields in the form that nearly all texts have, `text/plain; charset=utf-8`, which
    /// saves the call of the parser; returns whether they have it. A part with a name has not.
    fn read_simple(&mut self, bodies: Bodies<'_>) -> bool {
        let [content_type, disposition, encoding, _] = bodies;
        let encoding = encoding.map(<[u8]>::trim_ascii);
        let is_token =
            |text: &[u8]| !text.is_empty() && text.iter().all(|byte| is_token_byte(*byte));
        if disposition.is_some() || encoding.is_some_and(|name| !is_token(name)) {
            return false;
        }
        if let Some(body) = content_type {
            let body = fields::unfold(&body[..body.len().min(MAX_FIELD)]);
            let Some((media_type, parameters)) = simple_type(&body) else {
                return false;
            };
            let of = |name: &str| {
                let mut found = parameters.iter();
                found.find_map(|(other, value)| (*other == name).then_some(*value))
            };
            self.media_type = media_type.to_ascii_lowercase();
            self.charset = of("charset").map(str::to_owned);
            self.boundary = of("boundary").map(str::to_owned);
            let says = |name: &str, value: &str| {
                of(name).is_some_and(|found| found.trim().eq_ignore_ascii_case(value))
            };
            if says("format", "flowed") {
                let delsp = says("delsp", "yes");
                self.format = TextFormat::Flowed { delsp };
            }
        }
        if let Some(Ok(name)) = encoding.map(std::str::from_utf8) {
            self.encoding = DeclaredEncoding::named(name);
        }
        true
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

/// The bodies of the describing fields, in the order of [`NAMES`].
pub(super) type Bodies<'a> = [Option<&'a [u8]>; 4];

/// The parameters of [`simple_type`]: names in lower case and values.
type SimpleParameters<'a> = Vec<(&'static str, &'a str)>;

/// Splits `type/subtype; name=value; name="value"`; nothing of it may need more than that to be read.
fn simple_type(body: &[u8]) -> Option<(&str, SimpleParameters<'_>)> {
    const KNOWN: [&str; 4] = ["charset", "boundary", "format", "delsp"];
    let text = std::str::from_utf8(body)
        .ok()
        .filter(|text| text.is_ascii())?;
    let mut pieces = text.split(';').map(str::trim);
    let media_type = pieces.next()?;
    let (main, subtype) = media_type.split_once('/')?;
    let is_token = |text: &str| !text.is_empty() && text.bytes().all(is_token_byte);
    if !is_token(main) || !is_token(subtype) {
        return None;
    }
    let mut parameters = Vec::new();
    for piece in pieces {
        let (name, value) = piece.split_once('=')?;
        let name = KNOWN
            .into_iter()
            .find(|known| name.eq_ignore_ascii_case(known))?;
        let value = match value
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
        {
            Some(inner) => inner,
            None => value,
        };
        // What stands within quotes and is no token may be read in several ways.
        if !is_token(value) || parameters.iter().any(|(other, _)| *other == name) {
            return None;
        }
        parameters.push((name, value));
    }
    Some((media_type, parameters))
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'+')
}

/// Notes the body of a field if it describes the entity. Of several fields of one name the last one
/// counts.
pub(super) fn note<'a>(bodies: &mut Bodies<'a>, field: &Field<'a>) {
    if field.name.len() < CONTENT_ID.len() {
        return;
    }
    if let Some(at) = NAMES.iter().position(|name| field.is(name)) {
        bodies[at] = Some(field.body);
    }
}

/// Returns a header block of the describing fields alone, each of them cut.
fn describing_fields(bodies: Bodies<'_>) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, body) in NAMES.iter().zip(&bodies[..3]) {
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
    decode_text(&block).into_owned().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read of a description.
    fn all(found: &Description) -> (&str, [Option<&str>; 3], TextFormat, DeclaredEncoding) {
        let texts = [&found.charset, &found.boundary, &found.file_name];
        let texts = texts.map(Option::as_deref);
        (&found.media_type, texts, found.format, found.encoding)
    }

    #[test]
    fn the_usual_form_is_simple() {
        let rows = [
            ("text/plain; charset=us-ascii", true),
            ("TEXT/html;\n\tcharset=\"UTF-8\"", true),
            ("text/plain; charset=utf-8; format=flowed; delsp=yes", true),
            ("multipart/mixed; boundary=\"----=_b\"", false),
            ("text/plain; name=a.txt", false),
            ("text/plain; charset*=utf-8''x", false),
            ("text/plain (comment)", false),
            ("text", false),
        ];
        for (body, expected) in rows {
            let body = fields::unfold(body.as_bytes());
            assert_eq!(simple_type(&body).is_some(), expected, "{body:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn the_simple_way_reads_what_mail_parser_reads(
            media_type in "(text|TEXT|Multipart)/(plain|HTML|x-a[.]b)",
            parameters in "(; ?(charset|Charset|boundary|format|delsp)=(\"?(utf-8|us-ascii|flowed|YES|b_1)\"?)){0,3}",
            encoding in "(\nContent-Transfer-Encoding: ?(7bit|BASE64|quoted-printable|x-uuencode))?",
        ) {
            let header = format!("Content-Type: {media_type}{parameters}{encoding}\n");
            let mut bodies = Bodies::default();
            fields::fields(header.as_bytes()).for_each(|field| note(&mut bodies, &field));
            let mut simple = Description::of(b"", false);
            if simple.read_simple(bodies) {
                let mut parsed = Description::of(b"", false);
                parsed.read(&describing_fields(bodies));
                proptest::prop_assert_eq!(all(&simple), all(&parsed));
            }
        }
    }
}
