//! The JSON forms: one object a line, for programs.
//!
//! Keys are stable; new ones may be added. Text is decoded (RFC 2047, charset)
//! and in UTF-8 whatever the locale. Where bytes of the mail are not UTF-8 and
//! no charset is declared, each such byte is U+FFFD and a second key, the first
//! with `_raw` behind, holds the bytes in base64. Times are RFC 3339, in the
//! zone the sender gave. What is not there is `null`. Characters that `sanitize`
//! would replace are written as `\u` escapes: nothing is lost, no terminal harmed.
//!
//! `list --json`, one line a message:
//!
//! | key | value |
//! |---|---|
//! | `number` | the message's place, from 1 |
//! | `flags` | array: one of `new`, `unread`, `read`; then `answered`, `flagged`, `draft`, `deleted` |
//! | `envelope_from` | sender in the From_ line |
//! | `from` | From field |
//! | `from_address`, `from_name` | the first address in it and its display name |
//! | `to`, `cc`, `subject`, `message_id` | these fields |
//! | `date` | Date field, `null` if it is no date |
//! | `lines`, `size` | of the message in the mailbox, From_ line included |
//!
//! `show N --json` has these keys and: `fields`, an array of
//! `{"name", "body"}` of all header fields in order; `text`, the text for
//! people; `parts`, an array of `{"number", "type", "charset", "name",
//! "attachment", "size"}` in order, `size` in decoded bytes.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Map, Value};

use super::flag_names;
use crate::mailbox::MessageRef;
use crate::message::parse::{Content, Part, date, display, fields, structure, words};
use crate::sanitize;

/// Appends the line of `list --json`; `block` is the From_ line and header block.
pub fn summary(out: &mut Vec<u8>, number: usize, message: &MessageRef, block: &[u8]) {
    line(out, &Value::Object(common(number, message, block)));
}

/// Appends the line of `show --json`; `bytes` is the message as it stands in the mailbox.
pub fn message(out: &mut Vec<u8>, number: usize, message: &MessageRef, bytes: &[u8]) {
    let (_, content) = fields::split_from_line(bytes);
    let content = display::unquoted(content);
    let block = fields::split_header(&content).0;
    let mut object = common(number, message, bytes);
    let all = fields::fields(block)
        .map(|field| {
            let mut one = Map::new();
            put(&mut one, "name", Some(field.name), plain);
            put(&mut one, "body", Some(field.body), decoded);
            Value::Object(one)
        })
        .collect();
    object.insert("fields".into(), Value::Array(all));
    object.insert("text".into(), display::text(&content).into());
    let mut parts = Vec::new();
    let found = structure(&content);
    list_parts(&mut parts, &found.parts);
    object.insert(
        "parts".into(),
        serde_json::to_value(parts).unwrap_or_default(),
    );
    line(out, &Value::Object(object));
}

fn line(out: &mut Vec<u8>, value: &Value) {
    // A control or bidi character can only stand within a string here, where `\u` says the same.
    for c in value.to_string().chars() {
        if sanitize::is_forbidden(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    out.push(b'\n');
}

fn common(number: usize, message: &MessageRef, block: &[u8]) -> Map<String, Value> {
    let (from_line, header) = fields::split_from_line(block);
    let mut object = Map::new();
    object.insert("number".into(), number.into());
    object.insert("flags".into(), flag_names(message.flags).into());
    let sender = from_line.and_then(|line| line.split(|&byte| byte == b' ').nth(1));
    put(&mut object, "envelope_from", sender, plain);
    let from = fields::find(header, "from");
    put(&mut object, "from", from, decoded);
    let named = from.map(words::first_address);
    object.insert(
        "from_address".into(),
        named.as_ref().map(|named| named.address.clone()).into(),
    );
    object.insert("from_name".into(), named.map(|named| named.name).into());
    for (key, name) in [
        ("to", "to"),
        ("cc", "cc"),
        ("subject", "subject"),
        ("message_id", "message-id"),
    ] {
        put(&mut object, key, fields::find(header, name), decoded);
    }
    let time = fields::find(header, "date").and_then(date);
    object.insert("date".into(), time.map(|time| time.to_rfc3339()).into());
    object.insert("lines".into(), message.lines.into());
    object.insert("size".into(), message.len.into());
    object
}

/// Puts text under a key, and the bytes beside it if they are not UTF-8.
fn put(object: &mut Map<String, Value>, key: &str, bytes: Option<&[u8]>, read: fn(&str) -> String) {
    let Some(bytes) = bytes else {
        object.insert(key.into(), Value::Null);
        return;
    };
    let bytes = fields::unfold(bytes);
    object.insert(key.into(), read(&String::from_utf8_lossy(&bytes)).into());
    if std::str::from_utf8(&bytes).is_err() {
        object.insert(format!("{key}_raw"), STANDARD.encode(&bytes).into());
    }
}

fn plain(text: &str) -> String {
    text.to_owned()
}

fn decoded(text: &str) -> String {
    words::decode_unfolded(text).into_owned()
}

/// A part of a message, as JSON tells it.
#[derive(Serialize)]
struct PartLine<'a> {
    number: &'a str,
    r#type: &'a str,
    charset: Option<&'a str>,
    name: Option<&'a str>,
    attachment: bool,
    size: usize,
}

fn list_parts<'p>(out: &mut Vec<PartLine<'p>>, parts: &'p [Part<'_>]) {
    for part in parts {
        out.push(PartLine {
            number: &part.number,
            r#type: &part.media_type,
            charset: part.charset.as_deref(),
            name: part.file_name.as_deref(),
            attachment: part.attachment,
            size: part.decoded().len(),
        });
        match &part.content {
            Content::Leaf => {}
            Content::Multipart(parts) | Content::Message(_, parts) => list_parts(out, parts),
        }
    }
}
