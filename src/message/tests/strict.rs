//! A strict decoder for the tests: it takes what RFC 5322, 2045, 2047 and 2231
//! allow and panics at everything else.
//!
//! mail-parser is too lenient to judge (it repairs bad input) and has faults of
//! its own in 0.11: it drops a last base64 quantum without padding and inserts
//! a space beside encoded words.

use ::base64::Engine;
use ::base64::prelude::BASE64_STANDARD;

/// A message or part, decoded.
pub(crate) struct Entity {
    /// Unfolded fields in order.
    pub(crate) fields: Vec<(String, String)>,
    /// The content with its transfer encoding undone; empty for a multipart.
    pub(crate) content: Vec<u8>,
    pub(crate) parts: Vec<Entity>,
}

impl Entity {
    /// Decodes a message that must be fit for a 7-bit wire.
    pub(crate) fn of_seven_bit(message: &[u8]) -> Entity {
        assert!(message.is_ascii(), "an 8-bit byte");
        Entity::of(message)
    }

    /// Decodes a message.
    pub(crate) fn of(message: &[u8]) -> Entity {
        assert!(!message.contains(&b'\r') && !message.contains(&0));
        assert!(message.split(|&b| b == b'\n').all(|line| line.len() <= 998));
        assert!(message.ends_with(b"\n"));
        Entity::part(message)
    }

    fn part(bytes: &[u8]) -> Entity {
        let (header, body) = match bytes.strip_prefix(b"\n") {
            Some(body) => (&b""[..], body),
            None => split_at(bytes, b"\n\n").expect("an empty line ends the header"),
        };
        let mut entity = Entity {
            fields: fields(std::str::from_utf8(header).expect("text")),
            content: Vec::new(),
            parts: Vec::new(),
        };
        let (kind, parameters) = entity.structured("Content-Type");
        if kind.starts_with("multipart/") {
            let boundary = &parameters.iter().find(|(n, _)| n == "boundary").unwrap().1;
            entity.parts = multipart(body, boundary);
        } else {
            entity.content = match entity.field("Content-Transfer-Encoding") {
                Some("quoted-printable") => quoted_printable(body),
                Some("base64") => base64(body),
                Some("7bit" | "8bit" | "binary") | None => body.to_vec(),
                Some(other) => panic!("transfer encoding {other}"),
            };
        }
        entity
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut found = self
            .fields
            .iter()
            .filter(|(n, _)| n.eq_ignore_ascii_case(name));
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "two {name} fields");
        value
    }

    /// Returns a field with its encoded words decoded.
    pub(crate) fn text(&self, name: &str) -> String {
        decode_words(self.field(name).expect("the field is there"))
    }

    /// Returns value and parameters of a MIME field; names are in lower case.
    pub(crate) fn structured(&self, name: &str) -> (String, Vec<(String, String)>) {
        let Some(field) = self.field(name) else {
            return ("text/plain".to_owned(), Vec::new());
        };
        let mut pieces = semicolons(field).into_iter();
        let value = pieces.next().unwrap().trim().to_owned();
        (value, parameters(pieces))
    }

    pub(crate) fn file_name(&self) -> Option<String> {
        let (_, parameters) = self.structured("Content-Disposition");
        parameters
            .into_iter()
            .find(|(name, _)| name == "filename")
            .map(|(_, value)| value)
    }
}

fn split_at<'a>(bytes: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = bytes
        .windows(separator.len())
        .position(|w| w == separator)?;
    Some((&bytes[..at + 1], &bytes[at + separator.len()..]))
}

fn fields(header: &str) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in header.lines() {
        assert!(!line.trim().is_empty(), "a blank line in the header");
        if line.starts_with([' ', '\t']) {
            fields
                .last_mut()
                .expect("a field to continue")
                .1
                .push_str(line);
        } else {
            let (name, value) = line.split_once(':').expect("a colon");
            assert!(name.bytes().all(|b| b.is_ascii_graphic()));
            fields.push((name.to_owned(), value.to_owned()));
        }
    }
    for (_, value) in &mut fields {
        *value = value.strip_prefix(' ').unwrap_or(value).to_owned();
    }
    fields
}

fn multipart(body: &[u8], boundary: &str) -> Vec<Entity> {
    assert!(boundary.len() <= 70);
    let delimiter = format!("\n--{boundary}").into_bytes();
    let mut whole = b"\n".to_vec();
    whole.extend_from_slice(body);
    let mut parts = Vec::new();
    let mut rest = &whole[..];
    let mut is_preamble = true;
    loop {
        let at = rest
            .windows(delimiter.len())
            .position(|w| w == delimiter)
            .expect("a delimiter");
        if !is_preamble {
            parts.push(Entity::part(&rest[..at]));
        }
        is_preamble = false;
        rest = &rest[at + delimiter.len()..];
        if let Some(epilogue) = rest.strip_prefix(b"--") {
            assert_eq!(epilogue, b"\n");
            return parts;
        }
        rest = rest
            .strip_prefix(b"\n")
            .expect("the delimiter is a whole line");
    }
}

fn quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    for line in body.split_inclusive(|&b| b == b'\n') {
        let (text, ended) = match line.strip_suffix(b"\n") {
            Some(text) => (text, true),
            None => (line, false),
        };
        assert!(
            text.len() <= 76,
            "a quoted-printable line of {}",
            text.len()
        );
        assert!(
            !text.ends_with(b" ") && !text.ends_with(b"\t"),
            "a trailing blank"
        );
        assert!(!text.starts_with(b"From ") && text != b".");
        let (text, soft) = match text.strip_suffix(b"=") {
            Some(text) => (text, true),
            None => (text, false),
        };
        let mut at = 0;
        while at < text.len() {
            if text[at] == b'=' {
                let hex = std::str::from_utf8(&text[at + 1..at + 3]).unwrap();
                assert_eq!(hex, hex.to_ascii_uppercase());
                decoded.push(u8::from_str_radix(hex, 16).expect("two hexadecimal digits"));
                at += 3;
            } else {
                assert!(text[at].is_ascii_graphic() || matches!(text[at], b' ' | b'\t'));
                decoded.push(text[at]);
                at += 1;
            }
        }
        if ended && !soft {
            decoded.push(b'\n');
        }
    }
    decoded
}

fn base64(body: &[u8]) -> Vec<u8> {
    assert!(body.split(|&b| b == b'\n').all(|line| line.len() <= 76));
    let joined: Vec<u8> = body.iter().copied().filter(|&b| b != b'\n').collect();
    BASE64_STANDARD.decode(joined).expect("strict base64")
}

/// Decodes encoded words; white space between two of them is dropped (RFC 2047 section 6.2).
pub(crate) fn decode_words(text: &str) -> String {
    let mut decoded = String::new();
    let mut rest = text;
    let mut after_word = false;
    while !rest.is_empty() {
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let word_end = rest[blanks..]
            .find([' ', '\t'])
            .map_or(rest.len(), |at| blanks + at);
        let (blank, word) = (&rest[..blanks], &rest[blanks..word_end]);
        // In an address field a comma may follow.
        let bare = word.strip_suffix(',').unwrap_or(word);
        match encoded_word(bare) {
            Some(plain) => {
                if !after_word {
                    decoded.push_str(blank);
                }
                decoded.push_str(&plain);
                decoded.push_str(&word[bare.len()..]);
                after_word = true;
            }
            None => {
                decoded.push_str(blank);
                decoded.push_str(word);
                after_word = false;
            }
        }
        rest = &rest[word_end..];
    }
    decoded
}

fn encoded_word(word: &str) -> Option<String> {
    let inner = word.strip_prefix("=?utf-8?")?.strip_suffix("?=")?;
    assert!(word.len() <= 75, "an encoded word of {}", word.len());
    let bytes = if let Some(payload) = inner.strip_prefix("B?") {
        BASE64_STANDARD.decode(payload).expect("strict base64")
    } else {
        let payload = inner.strip_prefix("Q?").expect("B or Q");
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"!*+-/=_".contains(&b);
        assert!(payload.bytes().all(allowed), "{word}");
        quoted_printable_word(&payload.replace('_', " "))
    };
    Some(String::from_utf8(bytes).expect("characters are not split between words"))
}

fn quoted_printable_word(text: &str) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'=' => {
                let hex = [bytes.next().unwrap(), bytes.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap()
            }
            _ => byte,
        });
    }
    decoded
}

/// Splits at semicolons outside quotes.
fn semicolons(text: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for c in text.chars() {
        if c == ';' && !quoted {
            pieces.push(String::new());
            continue;
        }
        if c == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = c == '\\' && !escaped;
        pieces.last_mut().unwrap().push(c);
    }
    assert!(!quoted);
    pieces
}

fn parameters(pieces: impl Iterator<Item = String>) -> Vec<(String, String)> {
    let mut parameters: Vec<(String, String)> = Vec::new();
    let mut extended: Vec<(String, Vec<u8>)> = Vec::new();
    for piece in pieces {
        let (name, value) = piece.trim().split_once('=').expect("name=value");
        let Some((name, section)) = name.split_once('*') else {
            let plain = match value.strip_prefix('"') {
                Some(inner) => unquoted(inner.strip_suffix('"').unwrap()),
                None => value.to_owned(),
            };
            parameters.push((name.to_owned(), plain));
            continue;
        };
        let value = if matches!(section, "" | "0*") {
            extended.push((name.to_owned(), Vec::new()));
            value.strip_prefix("utf-8''").expect("charset and language")
        } else {
            value
        };
        let last = extended.last_mut().expect("section 0 comes first");
        assert_eq!(last.0, name);
        last.1
            .extend_from_slice(&quoted_printable_word(&value.replace('%', "=")));
    }
    for (name, value) in extended {
        parameters.push((name, String::from_utf8(value).expect("UTF-8")));
    }
    parameters
}

fn unquoted(text: &str) -> String {
    let mut plain = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        plain.push(if c == '\\' { chars.next().unwrap() } else { c });
    }
    plain
}
