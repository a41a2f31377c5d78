//! The JSON forms: one object a line, for programs.
//!
//! The keys are listed in [`schema`](super::schema). Text is decoded (RFC 2047, charset) and in
//! UTF-8 whatever the locale. A field that is not UTF-8 is read by the charset that the message
//! declares for its text; where there is none, each such byte is U+FFFD. In both cases a second key,
//! the first with `_raw` behind, holds the bytes in base64. Times are RFC 3339, in the zone the sender gave. What is not there is `null`. Characters
//! that `sanitize` would replace are written as `\u` escapes: nothing is lost, no terminal harmed.

use std::borrow::Cow;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;
use serde_json::{Map, Value, json};

use crate::mailbox::{Flags, FromLine, MessageRef};
use crate::message::holds_addresses;
use crate::message::parse::{Content, FieldText, Part, date, display, fields, structure, words};
use crate::sanitize;

/// How many bytes of a field body have their encoded words decoded; the rest is not decoded.
const MAX_DECODED: usize = 1 << 20;
/// How much is gathered before it is given.
const CHUNK: usize = 64 * 1024;

/// Appends the line of `list --json`; `block` is the From_ line and header block.
pub(crate) fn summary(out: &mut Vec<u8>, number: usize, message: &MessageRef, block: &[u8]) {
    let mut give = |bytes: &[u8]| out.extend_from_slice(bytes);
    ObjectWriter::new(&mut give).object(number, message, block, None);
}

/// Gives the line of `show --json`, a piece at a time: a tree of it would take many times the
/// message in memory. `bytes` is the message without the quoting of an mbox.
pub(crate) fn message(
    number: usize,
    message: &MessageRef,
    bytes: &[u8],
    give: &mut dyn FnMut(&[u8]),
) {
    let content = fields::split_from_line(bytes).1;
    ObjectWriter::new(give).object(number, message, bytes, Some(content));
}

/// Returns an object as one line.
pub(crate) fn line(object: &Value) -> Vec<u8> {
    let mut give = |_: &[u8]| {};
    let mut writer = ObjectWriter::new(&mut give);
    writer.any(object);
    writer.buffer.push(b'\n');
    writer.buffer
}

/// Returns the object that says why a command has failed, as one line.
pub(crate) fn error(error: &str, hint: Option<&str>, status: u8) -> Vec<u8> {
    line(&json!({ "error": error, "hint": hint, "status": status }))
}

/// Puts a path into an object; if it is not UTF-8, its bytes are added in a second key.
pub(crate) fn insert_path(object: &mut Map<String, Value>, key: &str, path: Option<&Path>) {
    let text = path.map(Path::to_string_lossy);
    object.insert(key.to_owned(), json!(text));
    if let Some(path) = path
        && path.to_str().is_none()
    {
        let bytes = STANDARD.encode(path.as_os_str().as_bytes());
        object.insert(format!("{key}_raw"), Value::String(bytes));
    }
}

/// The bodies of the header fields that have keys of their own, undecoded.
#[derive(Default)]
struct KnownFields<'a> {
    from: Option<&'a [u8]>,
    to: Option<&'a [u8]>,
    cc: Option<&'a [u8]>,
    subject: Option<&'a [u8]>,
    message_id: Option<&'a [u8]>,
    date: Option<&'a [u8]>,
}

impl<'a> KnownFields<'a> {
    /// Finds the fields in one pass over a header; the first of each counts, as in header lines.
    fn of(header: &'a [u8]) -> KnownFields<'a> {
        let mut found = KnownFields::default();
        for field in fields::fields(header) {
            let known = [
                ("from", &mut found.from),
                ("to", &mut found.to),
                ("cc", &mut found.cc),
                ("subject", &mut found.subject),
                ("message-id", &mut found.message_id),
                ("date", &mut found.date),
            ];
            for (name, body) in known {
                if body.is_none() && field.is(name) {
                    *body = Some(field.body);
                }
            }
        }
        found
    }
}

/// One object on its way out; its keys stand in the order of the alphabet.
struct ObjectWriter<'g> {
    give: &'g mut dyn FnMut(&[u8]),
    buffer: Vec<u8>,
}

/// How encoded words become text.
type Decode = fn(&str) -> Cow<'_, str>;

impl<'g> ObjectWriter<'g> {
    fn new(give: &'g mut dyn FnMut(&[u8])) -> ObjectWriter<'g> {
        ObjectWriter {
            give,
            buffer: Vec::new(),
        }
    }

    /// Writes the whole line; with `content`, a whole message, also the keys of `show`.
    fn object(
        &mut self,
        number: usize,
        message: &MessageRef,
        block: &[u8],
        content: Option<&[u8]>,
    ) {
        let (from_line, header) = fields::split_from_line(block);
        let sender = from_line.and_then(|line| line.split(|&byte| byte == b' ').nth(1));
        let KnownFields {
            from,
            to,
            cc,
            subject,
            message_id,
            date: time,
        } = KnownFields::of(header);
        let text_of = FieldText::of(header);
        let named = from.map(|body| text_of.first_address(body));
        // The keys are in alphabetical order, by hand: a map that sorts them would hold the whole
        // message in memory.
        self.buffer.push(b'{');
        self.text("cc", cc, Some((&text_of, words::decode_addresses)));
        self.raw("cc", cc);
        self.date(from_line, time);
        self.text("envelope_from", sender, None);
        self.raw("envelope_from", sender);
        if let Some(content) = content {
            self.fields(fields::split_header(content).0);
        }
        self.value("flags", &json!(flag_names(message.flags)));
        self.text("from", from, Some((&text_of, words::decode_addresses)));
        self.value(
            "from_address",
            &json!(named.as_ref().map(|named| &named.address)),
        );
        self.value("from_name", &json!(named.as_ref().map(|named| &named.name)));
        self.raw("from", from);
        self.value("lines", &json!(message.lines));
        self.text(
            "message_id",
            message_id,
            Some((&text_of, words::decode_unfolded)),
        );
        self.raw("message_id", message_id);
        self.value("number", &json!(number));
        if let Some(content) = content {
            self.parts(content);
        }
        self.value("size", &json!(message.len));
        self.text("subject", subject, Some((&text_of, words::decode_unfolded)));
        self.raw("subject", subject);
        if let Some(content) = content {
            self.key("text");
            self.buffer.push(b'"');
            display::each_of_text(content, display::Look::default(), &mut |text| {
                self.string(text)
            });
            self.buffer.push(b'"');
        }
        self.text("to", to, Some((&text_of, words::decode_addresses)));
        self.raw("to", to);
        if let Some(content) = content {
            self.value("unknown_charsets", &json!(unknown_charsets(content)));
        }
        self.buffer.extend_from_slice(b"}\n");
        (self.give)(&self.buffer);
    }

    /// Writes when a message was sent; the time of the From_ line counts where the Date field gives
    /// none.
    fn date(&mut self, from_line: Option<&[u8]>, field: Option<&[u8]>) {
        let sent = field.and_then(date);
        let zone = sent.filter(|sent| sent.has_zone).map(|sent| sent.time);
        let time = sent.map(|sent| sent.time).or_else(|| {
            let line = from_line.and_then(FromLine::parse)?;
            line.delivered()
        });
        self.value("date", &json!(time.map(|time| time.to_rfc3339())));
        self.value(
            "date_zone",
            &json!(zone.map(|time| time.offset().to_string())),
        );
    }

    fn key(&mut self, key: &str) {
        if !self.buffer.ends_with(b"{") {
            self.buffer.push(b',');
        }
        let _ = write!(self.buffer, "\"{key}\":");
    }

    fn value(&mut self, key: &str, value: &Value) {
        self.key(key);
        self.any(value);
    }

    fn any(&mut self, value: &Value) {
        // A control or bidi character can only stand within a string here, where `\u` says the same.
        for c in value.to_string().chars() {
            self.char(c);
        }
    }

    fn char(&mut self, c: char) {
        // JSON has no `\u` for characters beyond U+FFFF: they are two units of UTF-16 (RFC 8259
        // section 7).
        if sanitize::is_forbidden(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(self.buffer, "\\u{unit:04x}");
            }
        } else {
            self.buffer
                .extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }

    /// Writes text within a string.
    fn string(&mut self, text: &str) {
        let mut rest = text;
        while !rest.is_empty() {
            self.give_full();
            // Most text is printable ASCII, which is copied in one piece.
            let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
            let plain = rest.bytes().position(|byte| !is_plain(&byte));
            let (first, after) = rest.split_at(plain.unwrap_or(rest.len()));
            self.buffer.extend_from_slice(first.as_bytes());
            let mut chars = after.chars();
            match chars.next() {
                Some(c @ ('"' | '\\')) => self.buffer.extend_from_slice(&[b'\\', c as u8]),
                Some('\n') => self.buffer.extend_from_slice(b"\\n"),
                Some('\r') => self.buffer.extend_from_slice(b"\\r"),
                Some('\t') => self.buffer.extend_from_slice(b"\\t"),
                Some('\u{8}') => self.buffer.extend_from_slice(b"\\b"),
                Some('\u{c}') => self.buffer.extend_from_slice(b"\\f"),
                Some(c) => self.char(c),
                None => {}
            }
            rest = chars.as_str();
        }
        self.give_full();
    }

    fn give_full(&mut self) {
        if self.buffer.len() >= CHUNK {
            // The last byte stays in the buffer: by it `key` sees whether a comma is needed.
            let last = self.buffer.len() - 1;
            (self.give)(&self.buffer[..last]);
            self.buffer.drain(..last);
        }
    }

    /// Writes bytes of the mail as text under a key, its encoded words decoded by what is given for it.
    fn text(&mut self, key: &str, bytes: Option<&[u8]>, decode: Option<(&FieldText<'_>, Decode)>) {
        self.key(key);
        let Some(bytes) = bytes else {
            return self.buffer.extend_from_slice(b"null");
        };
        // A field folded over lines is one text (RFC 5322 section 2.2.3).
        let mut bytes = fields::unfold(bytes);
        if let Some((text_of, _)) = decode
            && std::str::from_utf8(&bytes).is_err()
            && text_of.has_charset()
        {
            let text = text_of.in_utf_8(&bytes).into_owned();
            bytes = Cow::Owned(text.into_bytes());
        }
        self.buffer.push(b'"');
        let mut rest = &*bytes;
        if let Some((_, decode)) = decode
            && memmem::find(rest, b"=?").is_some()
        {
            // The sender chooses how long a field is, so the work of decoding has a limit.
            let first = words::cut(rest, MAX_DECODED);
            self.string(&decode(&String::from_utf8_lossy(first)));
            rest = &rest[first.len()..];
        }
        // A byte that is no UTF-8 becomes U+FFFD here; `raw` gives the reader the true bytes.
        for chunk in rest.utf8_chunks() {
            self.string(chunk.valid());
            if !chunk.invalid().is_empty() {
                self.string("\u{fffd}");
            }
        }
        self.buffer.push(b'"');
    }

    /// Writes the bytes beside the text under a key, if they are not UTF-8.
    fn raw(&mut self, key: &str, bytes: Option<&[u8]>) {
        let bytes = bytes.map_or(Cow::Borrowed(&[][..]), fields::unfold);
        if std::str::from_utf8(&bytes).is_ok() {
            return;
        }
        self.key(&format!("{key}_raw"));
        self.buffer.push(b'"');
        // A multiple of three bytes has no padding.
        for chunk in bytes.chunks(CHUNK / 4 * 3) {
            self.string(&STANDARD.encode(chunk));
        }
        self.buffer.push(b'"');
    }

    fn fields(&mut self, block: &[u8]) {
        self.key("fields");
        self.buffer.push(b'[');
        let text_of = FieldText::of(block);
        for (index, field) in fields::fields(block).enumerate() {
            if index > 0 {
                self.buffer.push(b',');
            }
            self.buffer.push(b'{');
            let decode: Decode = if holds_addresses(field.name) {
                words::decode_addresses
            } else {
                words::decode_unfolded
            };
            self.text("body", Some(field.body), Some((&text_of, decode)));
            self.raw("body", Some(field.body));
            // A name is ASCII, or the line is no field.
            self.text("name", Some(field.name), None);
            self.buffer.push(b'}');
            self.give_full();
        }
        self.buffer.push(b']');
    }

    fn parts(&mut self, content: &[u8]) {
        self.key("parts");
        self.buffer.push(b'[');
        self.list_parts(&structure(content).parts);
        self.buffer.push(b']');
    }

    fn list_parts(&mut self, parts: &[Part<'_>]) {
        for part in parts {
            if !self.buffer.ends_with(b"[") {
                self.buffer.push(b',');
            }
            self.any(&json!({
                "number": part.number,
                "type": part.media_type,
                "charset": part.charset,
                "name": part.file_name,
                "attachment": part.attachment,
                "size": part.decoded().len(),
            }));
            self.give_full();
            match &part.content {
                Content::Leaf => {}
                Content::Multipart(parts) | Content::Message(_, parts) => self.list_parts(parts),
            }
        }
    }
}

/// How many charsets that we do not know are named.
const MAX_CHARSETS: usize = 20;
/// How much of the name of one is shown, in characters.
const MAX_LABEL: usize = 80;

/// Returns the charsets that a message names and we do not know, each once.
fn unknown_charsets(content: &[u8]) -> Vec<String> {
    let header = fields::split_header(content).0;
    let of_fields = fields::fields(header).filter_map(|field| {
        let (label, _) = words::unknown_charset(words::cut(field.body, MAX_DECODED))?;
        Some(label)
    });
    let mut found = Vec::new();
    of_fields.for_each(|label| add_charset(&mut found, &label));
    add_charsets_of_texts(&mut found, &structure(content).parts);
    found
}

fn add_charsets_of_texts(found: &mut Vec<String>, parts: &[Part<'_>]) {
    for part in parts {
        match &part.content {
            Content::Leaf if part.media_type.starts_with("text/") => {
                if let Some(label) = part.unknown_charset() {
                    add_charset(found, label);
                }
            }
            Content::Leaf => {}
            Content::Multipart(parts) | Content::Message(_, parts) => {
                add_charsets_of_texts(found, parts);
            }
        }
    }
}

fn add_charset(found: &mut Vec<String>, label: &str) {
    let label: String = label.chars().take(MAX_LABEL).collect();
    if found.len() < MAX_CHARSETS && !found.contains(&label) {
        found.push(label);
    }
}

/// Returns the names of the flags that are set.
fn flag_names(flags: Flags) -> Vec<&'static str> {
    let state = if flags.is_new() {
        "new"
    } else if flags.is_read() {
        "read"
    } else {
        "unread"
    };
    let more = [
        (flags.is_answered(), "answered"),
        (flags.is_flagged(), "flagged"),
        (flags.is_draft(), "draft"),
        (flags.is_deleted(), "deleted"),
    ];
    std::iter::once(state)
        .chain(
            more.into_iter()
                .filter(|(set, _)| *set)
                .map(|(_, name)| name),
        )
        .collect()
}
