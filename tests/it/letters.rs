//! Reading messages and mboxes in the tests, by rules of their own and not the program's.

use mail_parser::{MessageParser, MimeHeaders, PartType};

/// A message as its bytes, without a From_ line.
#[derive(Debug, Clone)]
pub struct Letter {
    pub bytes: Vec<u8>,
}

impl Letter {
    /// Returns the message that these bytes are.
    pub fn new(bytes: &[u8]) -> Letter {
        Letter {
            bytes: bytes.to_vec(),
        }
    }

    /// Returns the header block, without its empty line.
    pub fn head(&self) -> String {
        let end = memchr::memmem::find(&self.bytes, b"\n\n").map_or(self.bytes.len(), |at| at + 1);
        String::from_utf8_lossy(&self.bytes[..end]).into_owned()
    }

    /// Returns the body as it is on the wire.
    pub fn raw_body(&self) -> &[u8] {
        match memchr::memmem::find(&self.bytes, b"\n\n") {
            Some(at) => &self.bytes[at + 2..],
            None => &[],
        }
    }

    /// Returns the unfolded bodies of all header fields of this name.
    pub fn fields(&self, name: &str) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        let mut inside = false;
        for line in self.head().lines() {
            if line.starts_with([' ', '\t']) {
                if let (true, Some(last)) = (inside, found.last_mut()) {
                    last.push_str(line);
                }
                continue;
            }
            let (field, body) = line.split_once(':').unwrap_or((line, ""));
            inside = field.eq_ignore_ascii_case(name);
            if inside {
                found.push(body.trim().to_owned());
            }
        }
        found
    }

    /// Returns the body of the only header field of this name.
    #[track_caller]
    pub fn field(&self, name: &str) -> String {
        let mut fields = self.fields(name);
        assert_eq!(
            fields.len(),
            1,
            "{} fields {name} in:\n{}",
            fields.len(),
            self.head()
        );
        fields.remove(0)
    }

    /// Returns the decoded subject.
    pub fn subject(&self) -> String {
        let parsed = MessageParser::default()
            .parse(&self.bytes)
            .expect("a message");
        parsed.subject().unwrap_or_default().to_owned()
    }

    /// Returns the bytes of the first text part with its transfer encoding undone and in its own
    /// charset.
    pub fn body(&self) -> Vec<u8> {
        let parsed = MessageParser::default()
            .parse(&self.bytes)
            .expect("a message");
        let part = parsed
            .parts
            .iter()
            .find(|part| !part.is_multipart())
            .expect("a part");
        decode(
            &self.bytes[part.offset_body as usize..part.offset_end as usize],
            part.content_transfer_encoding(),
        )
    }

    /// Returns the decoded text of the first part.
    pub fn text(&self) -> String {
        let parsed = MessageParser::default()
            .parse(&self.bytes)
            .expect("a message");
        parsed
            .body_text(0)
            .map(|text| text.into_owned())
            .unwrap_or_default()
    }

    /// Returns name and content of every attachment.
    pub fn attachments(&self) -> Vec<(String, Vec<u8>)> {
        let parsed = MessageParser::default()
            .parse(&self.bytes)
            .expect("a message");
        let part = |part: &mail_parser::MessagePart| {
            let content = match &part.body {
                PartType::Text(_) | PartType::Html(_) => decode(
                    &self.bytes[part.offset_body as usize..part.offset_end as usize],
                    part.content_transfer_encoding(),
                ),
                _ => part.contents().to_vec(),
            };
            (
                part.attachment_name().unwrap_or_default().to_owned(),
                content,
            )
        };
        parsed.attachments().map(part).collect()
    }

    /// Asserts what holds for every message on the wire: 7-bit, no NUL, no bare CR, no line over
    /// 998 bytes, and one of each field that must be there once.
    #[track_caller]
    pub fn assert_fit_for_the_wire(&self) {
        assert!(self.bytes.is_ascii(), "8-bit bytes on the wire");
        assert!(!self.bytes.contains(&0), "NUL on the wire");
        assert!(!self.bytes.contains(&b'\r'), "CR on the wire");
        assert!(self.bytes.ends_with(b"\n"), "no final newline");
        for line in self.bytes.split(|byte| *byte == b'\n') {
            assert!(line.len() <= 998, "a line of {} bytes", line.len());
        }
        for line in self.head().lines() {
            assert!(
                line.len() <= 998 && !line.trim().is_empty(),
                "bad header line {line:?}"
            );
        }
        for name in ["Date", "Message-ID", "MIME-Version", "Content-Type"] {
            self.field(name);
        }
        assert!(self.fields("Bcc").is_empty(), "Bcc on the wire");
    }
}

/// Undoes a transfer encoding, strictly.
fn decode(bytes: &[u8], encoding: Option<&str>) -> Vec<u8> {
    match encoding.map(str::to_ascii_lowercase).as_deref() {
        Some("base64") => {
            use base64::Engine;
            let packed: Vec<u8> = bytes
                .iter()
                .copied()
                .filter(|byte| !byte.is_ascii_whitespace())
                .collect();
            base64::engine::general_purpose::STANDARD
                .decode(packed)
                .expect("base64")
        }
        Some("quoted-printable") => unquote(bytes),
        _ => bytes.to_vec(),
    }
}

/// Undoes quoted-printable (RFC 2045 section 6.7), strictly.
fn unquote(bytes: &[u8]) -> Vec<u8> {
    let mut result = Vec::new();
    let mut rest = bytes;
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first != b'=' {
            result.push(first);
        } else if let Some(tail) = rest.strip_prefix(b"\n") {
            rest = tail;
        } else {
            let digits = std::str::from_utf8(&rest[..2]).expect("two hexadecimal digits");
            result.push(u8::from_str_radix(digits, 16).expect("two hexadecimal digits"));
            rest = &rest[2..];
        }
    }
    result
}

/// Splits an mbox: a From_ line is `From ` at the start or after an empty line. Undoes mboxrd's
/// quoting and drops the empty line that ends each message.
pub fn letters(mbox: &[u8]) -> Vec<Letter> {
    let mut found: Vec<Letter> = Vec::new();
    let mut after_empty = true;
    for line in mbox.split_inclusive(|byte| *byte == b'\n') {
        if after_empty && line.starts_with(b"From ") {
            found.push(Letter { bytes: Vec::new() });
        } else {
            let letter = found.last_mut().expect("an mbox starts with a From_ line");
            let unquoted = match line.iter().position(|byte| *byte != b'>') {
                Some(at @ 1..) if line[at..].starts_with(b"From ") => &line[1..],
                _ => line,
            };
            letter.bytes.extend_from_slice(unquoted);
        }
        after_empty = line == b"\n";
    }
    for letter in &mut found {
        if letter.bytes.ends_with(b"\n\n") {
            letter.bytes.pop();
        }
    }
    found
}

#[test]
fn an_mbox_is_split_and_unquoted() {
    let found = letters(b"From a\nX: 1\n\n>From b\n\nFrom c\nX: 2\n\nd\n\n");
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].raw_body(), b"From b\n");
    assert_eq!(found[1].raw_body(), b"d\n");
}

#[test]
fn a_letter_is_decoded() {
    let letter = Letter::new(
        b"Subject: =?utf-8?q?Gr=C3=B6=C3=9Fe?=\nContent-Type: text/plain; charset=utf-8\n\
          Content-Transfer-Encoding: quoted-printable\n\ncaf=C3=A9 =\nau lait\n",
    );
    assert_eq!(letter.subject(), "Größe");
    assert_eq!(letter.body(), "café au lait\n".as_bytes());
    assert_eq!(letter.text(), "café au lait\n");
}
