//! Header fields, file names, bodies and attachments of any bytes: what is composed is
//! strictly valid for its wire and decodes to what went in.
//!
//! The input is split at two NULs: subject, header field, its name, display name, file name,
//! body, attachment, the body as HTML.
#![no_main]

#[allow(dead_code)]
#[path = "../../src/message/tests/strict.rs"]
mod strict;

use libfuzzer_sys::fuzz_target;
use postrider::address::{EnvelopeAddress, NamedAddress, parse_list};
use postrider::door::has_uuencode;
use postrider::message::{
    Alternative, Attachment, Composition, Fields, FileName, HeaderName, HeaderValue, MediaType,
    Wire, Wishes, decode_text,
};

fuzz_target!(|bytes: &[u8]| {
    let parts = split(bytes);
    let [
        subject,
        header,
        name,
        display_name,
        file_name,
        body,
        file,
        html,
    ] = parts;
    check_header(name, header);
    let (subject, changed) = HeaderValue::from_free_text(subject);
    assert!(
        !subject
            .as_str()
            .chars()
            .any(|c| c.is_control() && (changed || c != '\t'))
    );
    let address = EnvelopeAddress::new("someone@example.org").expect("valid");
    let to = vec![NamedAddress::new(Some(&decode_text(display_name)), address)];
    let file_name = FileName::from_path(file_name);
    let attached = !file.is_empty();
    let mut fields = Fields::new();
    fields.append(HeaderName::known("Subject"), subject.clone());
    fields.append(HeaderName::known("To"), to.clone());
    let mut composition = Composition {
        fields,
        body: Some(&body),
        body_type: MediaType::text_plain(),
        alternative: None,
        attachments: Vec::new(),
        omitted: Vec::new(),
        wishes: Wishes::default(),
        boundary_seed: "seed".to_owned(),
    };
    if attached {
        composition.attachments.push(Attachment {
            name: file_name.clone(),
            content_type: None,
            charset: None,
            content_id: None,
            source: &file,
        });
    }
    let has_alternative = !html.is_empty();
    if has_alternative {
        composition.alternative = Some(Alternative {
            source: &html,
            media_type: MediaType::parse("text/html").expect("valid"),
        });
    }
    let has_uuencode = has_uuencode(body) && !has_alternative;
    for wire in [Wire::SevenBit, Wire::EightBit] {
        let mut out = Vec::new();
        composition.write(wire, &mut out).expect("memory");
        assert!(wire == Wire::EightBit || out.is_ascii());
        let entity = strict::Entity::of(&out);
        check_text(&entity, "Subject", subject.as_str());
        check_to(&entity, &to[0]);
        assert_eq!(composition.size(wire).expect("memory"), out.len() as u64);
        let mut text = &entity;
        if attached {
            let part = entity.parts.last().expect("an attachment");
            assert_eq!(part.content, file);
            assert_eq!(part.file_name().as_deref(), Some(file_name.as_str()));
            text = &entity.parts[0];
        }
        if has_alternative {
            assert_eq!(text.structured("Content-Type").0, "multipart/alternative");
            assert_eq!(text.parts.len(), 2);
            assert!(is_faithful(&text.parts[1].content, html));
            text = &text.parts[0];
        }
        if !has_uuencode {
            assert!(entity.parts.len() == usize::from(attached) * 2 || has_alternative);
            assert!(is_faithful(&text.content, body));
        }
    }
});

fn split(bytes: &[u8]) -> [&[u8]; 8] {
    let mut parts: [&[u8]; 8] = [b""; 8];
    let mut rest = bytes;
    for part in &mut parts {
        let end = rest.windows(2).position(|w| w == b"\0\0");
        *part = &rest[..end.unwrap_or(rest.len())];
        rest = &rest[end.map_or(rest.len(), |end| end + 2)..];
    }
    parts
}

/// A field by name and value is refused or is one field with that value.
fn check_header(name: &[u8], value: &[u8]) {
    let Ok(name) = HeaderName::new(&String::from_utf8_lossy(name)) else {
        return;
    };
    let Ok(value) = HeaderValue::from_bytes(value) else {
        assert!(
            decode_text(value)
                .chars()
                .any(|c| c.is_control() && c != '\t')
        );
        return;
    };
    let mut fields = Fields::new();
    fields.append(name.clone(), value.clone());
    let composition = Composition {
        fields,
        body: None,
        body_type: MediaType::text_plain(),
        alternative: None,
        attachments: Vec::new(),
        omitted: Vec::new(),
        wishes: Wishes::default(),
        boundary_seed: String::new(),
    };
    let mut out = Vec::new();
    composition.write(Wire::SevenBit, &mut out).expect("memory");
    let entity = strict::Entity::of_seven_bit(&out);
    let is_mime = ["MIME-Version", "Content-Type", "Content-Transfer-Encoding"]
        .iter()
        .any(|mime| name.is(mime));
    assert_eq!(entity.fields.len(), if is_mime { 3 } else { 4 });
    if !is_mime {
        check_text(&entity, name.as_str(), value.as_str());
    }
}

/// The field holds the text; encoded words that a script made itself stay as they are.
fn check_text(entity: &strict::Entity, name: &str, text: &str) {
    let field = entity.field(name).expect("it was written");
    if field != text {
        assert_eq!(strict::decode_words(field), text, "{field:?}");
    }
}

fn check_to(entity: &strict::Entity, made: &NamedAddress) {
    let field = entity.field("To").expect("it was written");
    let list = parse_list(field);
    let [Ok(read)] = &list[..] else {
        panic!("{field:?}: {list:?}");
    };
    assert_eq!(read.address(), made.address());
    if read.name() != made.name() {
        let name = read.name().map(strict::decode_words);
        assert_eq!(name.as_deref(), made.name(), "{field:?}");
    }
}

/// A body decodes to itself, or to itself with LF for CRLF and with a last line end.
fn is_faithful(decoded: &[u8], body: &[u8]) -> bool {
    if decoded == body {
        return true;
    }
    let lf = body.iter().filter(|&&b| b == b'\n').count();
    let crlf = body.windows(2).filter(|w| w == b"\r\n").count();
    let mut text = Vec::with_capacity(body.len() + 1);
    for (at, &byte) in body.iter().enumerate() {
        if lf != crlf || byte != b'\r' || body.get(at + 1) != Some(&b'\n') {
            text.push(byte);
        }
    }
    if !text.is_empty() && !text.ends_with(b"\n") {
        text.push(b'\n');
    }
    decoded == text
}
