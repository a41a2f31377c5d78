//! The header of a message that is being typed, as text for an editor or a filter, and back.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::compose::Request;

/// Returns the header as lines, and the empty line behind it.
///
/// The four fields that people fill in are always there. A line end within a value is a blank, so
/// that a value cannot add a field.
pub(super) fn text_of(request: &Request) -> Vec<u8> {
    let mut text = Vec::new();
    let mut add = |name: &str, value: &[u8]| {
        text.extend_from_slice(name.as_bytes());
        text.extend_from_slice(b":");
        if !value.is_empty() {
            text.push(b' ');
            text.extend(value.iter().map(|&byte| match byte {
                b'\n' | b'\r' => b' ',
                byte => byte,
            }));
        }
        text.push(b'\n');
    };
    if let Some(from) = &request.from {
        add("From", from.as_bytes());
    }
    add("To", &list_of(&request.to));
    add("Cc", &list_of(&request.cc));
    add("Bcc", &list_of(&request.bcc));
    let subject = request.subject.as_deref().unwrap_or_default();
    add("Subject", subject.as_bytes());
    for header in &request.headers {
        let bytes = header.as_bytes();
        let colon = memchr::memchr(b':', bytes).unwrap_or(bytes.len());
        let name = String::from_utf8_lossy(&bytes[..colon]);
        let value = bytes.get(colon + 1..).unwrap_or_default();
        add(name.trim(), value.trim_ascii());
    }
    text.push(b'\n');
    text
}

/// Takes the header fields at the start of a text into the request; returns where the body begins.
///
/// The first line that is no header field ends the header and is text: a slip in the editor loses
/// no line. A field that the header had and that is gone has no value any more.
pub(super) fn take(request: &mut Request, text: &[u8]) -> usize {
    let mut fields: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    let mut body = 0;
    while let Some(line) = text[body..].split_inclusive(|&byte| byte == b'\n').next() {
        let content = line.trim_ascii_end();
        if content.is_empty() {
            body += line.len();
            break;
        }
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            // A folded line belongs to the field above it.
            let Some((_, value)) = fields.last_mut() else {
                break;
            };
            value.push(b' ');
            value.extend_from_slice(content.trim_ascii_start());
        } else {
            let Some(colon) = name_length(content) else {
                break;
            };
            let value = content[colon + 1..].trim_ascii().to_vec();
            fields.push((content[..colon].to_vec(), value));
        }
        body += line.len();
    }
    request.from = None;
    request.subject = None;
    request.to.clear();
    request.cc.clear();
    request.bcc.clear();
    request.headers.clear();
    for (name, value) in fields {
        if value.is_empty() {
            continue;
        }
        let text = OsString::from_vec(value.clone());
        match name.to_ascii_lowercase().as_slice() {
            b"to" => request.to.push(text),
            b"cc" => request.cc.push(text),
            b"bcc" => request.bcc.push(text),
            b"subject" => request.subject = Some(text),
            b"from" => request.from = Some(text),
            _ => request
                .headers
                .push(OsString::from_vec([&name[..], b": ", &value].concat())),
        }
    }
    body
}

/// Sets a header field that a message has once; an empty value removes it.
pub(super) fn set(request: &mut Request, name: &str, value: Option<&[u8]>) {
    request
        .headers
        .retain(|header| !is_field(header.as_bytes(), name));
    if let Some(value) = value {
        let field = [name.as_bytes(), b": ", value].concat();
        request.headers.push(OsString::from_vec(field));
    }
}

/// Returns the value of a header field.
pub(super) fn get<'r>(request: &'r Request, name: &str) -> Option<&'r [u8]> {
    let mut headers = request.headers.iter().map(|header| header.as_bytes());
    let header = headers.find(|header| is_field(header, name))?;
    Some(header[name.len() + 1..].trim_ascii())
}

fn is_field(header: &[u8], name: &str) -> bool {
    header.len() > name.len()
        && header[..name.len()].eq_ignore_ascii_case(name.as_bytes())
        && header[name.len()] == b':'
}

/// Returns the length of the field name at the start of a line, if the line has one.
fn name_length(line: &[u8]) -> Option<usize> {
    let colon = memchr::memchr(b':', line)?;
    let is_name = |byte: &u8| byte.is_ascii_graphic();
    (colon > 0 && line[..colon].iter().all(is_name)).then_some(colon)
}

fn list_of(list: &[OsString]) -> Vec<u8> {
    let words: Vec<&[u8]> = list.iter().map(|word| word.as_bytes()).collect();
    words.join(&b", "[..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(list: &[&str]) -> Vec<OsString> {
        list.iter().map(OsString::from).collect()
    }

    #[test]
    fn a_header_comes_back_as_it_was() {
        let request = Request {
            to: words(&["a@x", "b@x"]),
            cc: words(&["\"Größe, B\" <c@x>"]),
            subject: Some("one\ntwo".into()),
            from: Some("me@x".into()),
            headers: words(&["Reply-To: r@x", "X-Empty:"]),
            ..Request::default()
        };
        let text = text_of(&request);
        let expected = "From: me@x\nTo: a@x, b@x\nCc: \"Größe, B\" <c@x>\nBcc:\n\
                        Subject: one two\nReply-To: r@x\nX-Empty:\n\n";
        assert_eq!(String::from_utf8_lossy(&text), expected);
        let mut back = Request::default();
        assert_eq!(take(&mut back, &text), text.len());
        assert_eq!(back.to, ["a@x, b@x"]);
        assert_eq!(back.cc, request.cc);
        assert!(back.bcc.is_empty());
        assert_eq!(back.subject, Some("one two".into()));
        assert_eq!(back.from, request.from);
        assert_eq!(back.headers, ["Reply-To: r@x"]);
    }

    #[test]
    fn the_first_line_that_is_no_field_is_text() {
        let rows: [(&str, &str, &str); 7] = [
            ("To: a\n\ntext\n", "a", "text\n"),
            ("To: a\ntext\nTo: b\n", "a", "text\nTo: b\n"),
            ("To: a,\n b\n\n", "a, b", ""),
            ("\nTo: a\n", "", "To: a\n"),
            (" To: a\n", "", " To: a\n"),
            ("To: a", "a", ""),
            ("a b: c\n", "", "a b: c\n"),
        ];
        for (text, to, body) in rows {
            let mut request = Request::default();
            let at = take(&mut request, text.as_bytes());
            assert_eq!(&text[at..], body, "{text:?}");
            assert_eq!(request.to.first().map_or("", |to| to.to_str().unwrap()), to);
        }
    }
}
