//! Messages taken apart: header fields, dates, the tree of MIME parts.
//!
//! mail-parser is used in this file and nowhere else (design decision D16), for
//! the structure of MIME and for dates; fields, encoded words, charsets and
//! transfer encodings are read by the modules below. Its faults end here: a
//! panic in it becomes a message shown as plain text. Turning a message into
//! lines for people is [`display`]'s work. Pure: bytes in, values out.

use std::borrow::Cow;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use chrono::{DateTime, FixedOffset, NaiveDate};
use mail_parser::{Message, MessageParser, MimeHeaders, PartType};

pub mod body;
pub mod display;
pub mod fields;
pub mod html;
pub mod words;

use body::TransferEncoding;

/// How deep parts may be nested before the rest is taken as text (security rule S6).
pub const MAX_DEPTH: usize = 64;
/// How many parts of a message are looked at (security rule S6).
pub const MAX_PARTS: usize = 10_000;

/// One part of a message (RFC 2045 section 2.4).
#[derive(Clone, Debug)]
pub struct Part<'a> {
    /// Its place, as IMAP counts: `1`, `2.1` (RFC 3501 section 6.4.5); empty for a multipart message itself.
    pub number: String,
    /// Type and subtype in lower case, such as `text/plain`.
    pub media_type: String,
    /// The `charset` parameter.
    pub charset: Option<String>,
    /// The file name, decoded; as the sender wrote it, so neither safe to show nor to open.
    pub file_name: Option<String>,
    /// Whether the sender asked to save it rather than show it.
    pub attachment: bool,
    /// How the content is encoded.
    pub encoding: TransferEncoding,
    /// The content, encoded.
    pub raw: Cow<'a, [u8]>,
    /// What it is made of.
    pub content: Content<'a>,
}

/// What a part is made of.
#[derive(Clone, Debug)]
pub enum Content<'a> {
    /// Bytes; see [`Part::decoded`].
    Leaf,
    /// Other parts.
    Multipart(Vec<Part<'a>>),
    /// A message: its header block and its parts.
    Message(Cow<'a, [u8]>, Vec<Part<'a>>),
}

impl Part<'_> {
    /// Returns the content without its transfer encoding.
    pub fn decoded(&self) -> Cow<'_, [u8]> {
        self.encoding.decode(&self.raw)
    }

    /// Returns the content as text in LF lines, its charset decoded.
    pub fn text(&self) -> String {
        let decoded = self.decoded();
        let text = words::in_charset(&decoded, self.charset.as_deref());
        if memchr::memchr(b'\r', text.as_bytes()).is_some() {
            text.replace("\r\n", "\n")
        } else {
            text.into_owned()
        }
    }

    /// Returns whether it is of this type, such as `text/html`.
    pub fn is(&self, media_type: &str) -> bool {
        self.media_type == media_type
    }
}

/// The parts of a message.
#[derive(Clone, Debug)]
pub struct Structure<'a> {
    /// The message's own part first; behind it those that a broken structure left without a place.
    pub parts: Vec<Part<'a>>,
    /// Whether a limit was reached and parts were left out.
    pub cut: bool,
}

/// Returns the tree of parts of a message; whatever is no MIME is one text part.
///
/// `message` begins with its header block, without a From_ line.
pub fn structure(message: &[u8]) -> Structure<'_> {
    quietly(|| {
        let parser = MessageParser::new().with_mime_headers();
        let parsed = parser.parse(message)?;
        let mut walk = Walk { left: MAX_PARTS };
        let mut parts = walk.message(&parsed, "", 0);
        parts.truncate(MAX_PARTS);
        (!parts.is_empty()).then_some(Structure {
            parts,
            cut: walk.left == 0,
        })
    })
    .flatten()
    .unwrap_or_else(|| Structure {
        parts: vec![plain_part("1", fields::split_header(message).1.into())],
        cut: false,
    })
}

fn plain_part<'a>(number: &str, raw: Cow<'a, [u8]>) -> Part<'a> {
    Part {
        number: number.to_owned(),
        media_type: "text/plain".to_owned(),
        charset: None,
        file_name: None,
        attachment: false,
        encoding: TransferEncoding::Identity,
        raw,
        content: Content::Leaf,
    }
}

/// A walk over what mail-parser found, within the limits.
struct Walk {
    left: usize,
}

impl Walk {
    /// Returns the parts of a message; `number` is the place of the part that holds it.
    fn message<'a>(&mut self, message: &Message<'a>, number: &str, depth: usize) -> Vec<Part<'a>> {
        let mut placed = vec![false; message.parts.len()];
        let single = !matches!(
            message.parts.first().map(|part| &part.body),
            Some(PartType::Multipart(_))
        );
        let root = if single {
            join(number, 0)
        } else {
            number.to_owned()
        };
        let mut parts = Vec::new();
        if !message.parts.is_empty() {
            parts.extend(self.part(message, 0, root, depth, &mut placed));
        }
        for index in 1..message.parts.len() {
            if !placed[index] {
                let number = join(number, index);
                parts.extend(self.part(message, index, number, depth, &mut placed));
            }
        }
        parts
    }

    fn part<'a>(
        &mut self,
        message: &Message<'a>,
        index: usize,
        number: String,
        depth: usize,
        placed: &mut [bool],
    ) -> Option<Part<'a>> {
        let found = message.parts.get(index)?;
        if placed[index] || self.left == 0 {
            return None;
        }
        self.left -= 1;
        placed[index] = true;
        let slice = |from: u32, to: u32| slice(&message.raw_message, from as usize, to as usize);
        let is_whole = depth >= MAX_DEPTH && found.offset_end <= found.offset_body;
        let end = if is_whole {
            // It was never closed: the rest of the message belongs to it.
            u32::MAX
        } else {
            found.offset_end
        };
        let raw = slice(found.offset_body, end);
        let content = match &found.body {
            _ if depth >= MAX_DEPTH => Content::Leaf,
            PartType::Multipart(children) => {
                let parts: Vec<_> = children
                    .iter()
                    .enumerate()
                    .filter_map(|(place, &child)| {
                        let number = join(&number, place);
                        self.part(message, child as usize, number, depth + 1, placed)
                    })
                    .collect();
                Content::Multipart(parts)
            }
            PartType::Message(inner) => {
                let header = inner.parts.first().map_or(Cow::Borrowed(&[][..]), |root| {
                    self::slice(
                        &inner.raw_message,
                        root.offset_header as usize,
                        root.offset_body as usize,
                    )
                });
                Content::Message(header, self.message(inner, &number, depth + 1))
            }
            _ => Content::Leaf,
        };
        let part = described(found, number, raw, content);
        match &part.content {
            // A message that should have parts and has none: what is there is shown as text.
            Content::Multipart(parts) if parts.is_empty() && message.parts.len() == 1 => {
                Some(plain_part(&part.number, slice(found.offset_body, u32::MAX)))
            }
            Content::Leaf if depth >= MAX_DEPTH => {
                cover(message, index, placed);
                Some(plain_part(&part.number, part.raw))
            }
            _ => Some(part),
        }
    }
}

/// Marks the parts that lie within a part as placed, because its bytes are shown as they are.
fn cover(message: &Message<'_>, index: usize, placed: &mut [bool]) {
    let outer = &message.parts[index];
    let is_closed = outer.offset_end > outer.offset_body;
    for (part, placed) in message.parts.iter().zip(placed).skip(index + 1) {
        if is_closed && part.offset_header >= outer.offset_end {
            break;
        }
        *placed = true;
    }
}

fn described<'a>(
    found: &mail_parser::MessagePart<'_>,
    number: String,
    raw: Cow<'a, [u8]>,
    content: Content<'a>,
) -> Part<'a> {
    let content_type = found.content_type();
    let media_type = match (content_type, &content) {
        (_, Content::Message(..)) => "message/rfc822".to_owned(),
        // What should have been a multipart and is none is text (RFC 2049 section 2 asks for as much).
        (Some(found), Content::Leaf) if found.ctype().eq_ignore_ascii_case("multipart") => {
            "text/plain".to_owned()
        }
        (Some(found), _) => {
            let subtype = found.subtype().unwrap_or("plain");
            format!("{}/{subtype}", found.ctype()).to_ascii_lowercase()
        }
        (None, _) => "text/plain".to_owned(),
    };
    Part {
        number,
        media_type,
        charset: content_type
            .and_then(|found| found.attribute("charset"))
            .map(str::to_owned),
        file_name: found
            .attachment_name()
            .map(|name| words::decode_unfolded(name).into_owned()),
        attachment: found
            .content_disposition()
            .is_some_and(|disposition| disposition.ctype().eq_ignore_ascii_case("attachment")),
        // Only the leaves of a multipart are encoded (RFC 2045 section 6.4).
        encoding: match content {
            Content::Multipart(_) => TransferEncoding::Identity,
            _ => found
                .content_transfer_encoding()
                .map_or(TransferEncoding::Identity, TransferEncoding::named),
        },
        raw,
        content,
    }
}

fn join(number: &str, index: usize) -> String {
    if number.is_empty() {
        (index + 1).to_string()
    } else {
        format!("{number}.{}", index + 1)
    }
}

fn slice<'a>(bytes: &Cow<'a, [u8]>, from: usize, to: usize) -> Cow<'a, [u8]> {
    let to = to.min(bytes.len());
    let range = from.min(to)..to;
    match bytes {
        Cow::Borrowed(bytes) => Cow::Borrowed(&bytes[range]),
        Cow::Owned(bytes) => Cow::Owned(bytes[range].to_vec()),
    }
}

/// Returns the time that a Date field body names, in its own zone.
///
/// mail-parser takes what mailers write (a wrong weekday, a missing blank), but
/// neither a missing second nor a named zone; chrono the other way round. A day
/// that no calendar has is no date.
pub fn date(body: &[u8]) -> Option<DateTime<FixedOffset>> {
    let body = fields::unfold(body);
    let text = words::eight_bit(&body);
    let text = text.trim();
    quietly(|| mail_parser::DateTime::parse_rfc822(text))
        .flatten()
        .and_then(|found| {
            let seconds = i32::from(found.tz_hour) * 3600 + i32::from(found.tz_minute) * 60;
            let zone = if found.tz_before_gmt {
                FixedOffset::west_opt(seconds)?
            } else {
                FixedOffset::east_opt(seconds)?
            };
            NaiveDate::from_ymd_opt(found.year.into(), found.month.into(), found.day.into())?
                .and_hms_opt(
                    found.hour.into(),
                    found.minute.into(),
                    // A leap second is shown as the one before it.
                    u32::from(found.second).min(59),
                )?
                .and_local_timezone(zone)
                .single()
        })
        .or_else(|| DateTime::parse_from_rfc2822(text).ok())
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs a parser of foreign bytes; a panic in it is `None` and prints nothing.
fn quietly<T>(parse: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                before(info);
            }
        }));
    });
    let before = QUIET.replace(true);
    let result = catch_unwind(AssertUnwindSafe(parse));
    QUIET.set(before);
    result.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(parts: &[Part<'_>], out: &mut Vec<String>) {
        for part in parts {
            out.push(format!("{} {}", part.number, part.media_type));
            match &part.content {
                Content::Leaf => {}
                Content::Multipart(parts) | Content::Message(_, parts) => outline(parts, out),
            }
        }
    }

    fn outlined(message: &str) -> Vec<String> {
        let mut out = Vec::new();
        outline(&structure(message.as_bytes()).parts, &mut out);
        out
    }

    #[test]
    fn parts_are_numbered_as_imap_does() {
        let mixed = "Content-Type: multipart/mixed; boundary=a\n\n--a\n\none\n--a\n\
            Content-Type: multipart/alternative; boundary=b\n\n--b\n\nplain\n--b\n\
            Content-Type: text/html\n\n<p>html\n--b--\n--a\nContent-Type: message/rfc822\n\n\
            Subject: inner\n\ninner text\n--a--\n";
        let cases: &[(&str, &[&str])] = &[
            ("Subject: x\n\nbody\n", &["1 text/plain"]),
            ("body without header\n", &["1 text/plain"]),
            ("", &["1 text/plain"]),
            (
                mixed,
                &[
                    " multipart/mixed",
                    "1 text/plain",
                    "2 multipart/alternative",
                    "2.1 text/plain",
                    "2.2 text/html",
                    "3 message/rfc822",
                    "3.1 text/plain",
                ],
            ),
        ];
        for (message, expected) in cases {
            assert_eq!(outlined(message), *expected, "{message}");
        }
    }

    #[test]
    fn content_is_decoded_from_the_bytes() {
        let message = b"Content-Type: text/plain; charset=iso-8859-15\n\
            Content-Transfer-Encoding: quoted-printable\n\n=A4 100=\n%\n";
        let found = structure(message);
        assert_eq!(found.parts[0].text(), "€ 100%\n");
    }

    #[test]
    fn file_names_are_decoded_in_all_spellings() {
        for disposition in [
            "attachment; filename*=utf-8''Gr%C3%B6%C3%9Fe.pdf",
            "attachment; filename=\"=?utf-8?q?Gr=C3=B6=C3=9Fe.pdf?=\"",
            "attachment; filename*0*=utf-8''Gr%C3%B6; filename*1*=%C3%9Fe.pdf",
        ] {
            let message =
                format!("Content-Type: application/pdf\nContent-Disposition: {disposition}\n\nx\n");
            let found = structure(message.as_bytes());
            assert_eq!(
                found.parts[0].file_name.as_deref(),
                Some("Größe.pdf"),
                "{disposition}"
            );
            assert!(found.parts[0].attachment);
        }
    }

    #[test]
    fn depth_and_number_of_parts_are_limited() {
        let mut deep = String::new();
        for level in 0..200 {
            deep.push_str(&format!(
                "Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n"
            ));
        }
        deep.push_str("\nbottom\n");
        let found = structure(deep.as_bytes());
        let mut lines = Vec::new();
        outline(&found.parts, &mut lines);
        assert!(
            lines
                .iter()
                .all(|line| line.matches('.').count() <= MAX_DEPTH)
        );
        let shown = display::text(deep.as_bytes());
        assert_eq!(shown.matches("bottom").count(), 1, "{shown}");

        let mut wide = "Content-Type: multipart/mixed; boundary=b\n\n".to_owned();
        for _ in 0..MAX_PARTS + 10 {
            wide.push_str("--b\n\nx\n");
        }
        wide.push_str("--b--\n");
        let found = structure(wide.as_bytes());
        assert!(found.cut);
        let mut lines = Vec::new();
        outline(&found.parts, &mut lines);
        assert_eq!(lines.len(), MAX_PARTS);
    }

    #[test]
    fn dates_as_mailers_write_them() {
        let cases: &[(&str, Option<&str>)] = &[
            (
                "Mon, 16 Nov 2026 09:00:00 +0100",
                Some("2026-11-16T09:00:00+01:00"),
            ),
            (
                "Fri, 16 Nov 2026 09:00:00 +0100",
                Some("2026-11-16T09:00:00+01:00"),
            ),
            (
                "16 Nov 2026 09:00:00 -0530",
                Some("2026-11-16T09:00:00-05:30"),
            ),
            (
                "Mon, 16 Nov 2026 09:00 +0000",
                Some("2026-11-16T09:00:00+00:00"),
            ),
            (
                "Mon,16 Nov 2026 09:00:00 GMT",
                Some("2026-11-16T09:00:00+00:00"),
            ),
            ("Sat, 31 Feb 2026 09:00:00 +0000", None),
            ("yesterday", None),
            ("", None),
        ];
        for (given, expected) in cases {
            let found = date(given.as_bytes()).map(|time| time.to_rfc3339());
            assert_eq!(found.as_deref(), *expected, "{given}");
        }
    }

    #[test]
    fn a_panic_in_a_parser_is_quiet() {
        assert_eq!(quietly(|| -> u8 { panic!("not seen") }), None);
        assert_eq!(quietly(|| 1), Some(1));
    }
}
