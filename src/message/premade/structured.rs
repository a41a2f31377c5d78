//! Fields of a value and parameters (RFC 2045 section 5.1), read leniently and changed in place.

use std::collections::BTreeMap;

use crate::address::spaces_for_controls;
use crate::charset::{decode_text, in_charset};
use crate::message::encode::encoded_words::FoldedField;
use crate::message::write::parameter::{parameter, push_pieces};

/// A field body, split at its semicolons; pieces that are not touched stay as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::message) struct Structured {
    value: Vec<u8>,
    pieces: Vec<Vec<u8>>,
}

/// The rest of a parameter after its name and its first `*`.
struct Section {
    number: usize,
    is_encoded: bool,
}

impl Section {
    /// Reads the number of a section, which a parameter of one section leaves out.
    fn parse(rest: &[u8]) -> Option<Section> {
        let (number, is_encoded) = match rest.strip_suffix(b"*") {
            Some(number) => (number, true),
            None => (rest, rest.is_empty()),
        };
        let number = match number {
            b"" => 0,
            digits => std::str::from_utf8(digits).ok()?.parse().ok()?,
        };
        Some(Section { number, is_encoded })
    }
}

/// Returns bytes with each `%` and two digits replaced by the byte that they stand for.
fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let text = text.strip_suffix(b"\"").unwrap_or(text);
    let text = text.strip_prefix(b"\"").unwrap_or(text);
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        let digit = |place: usize| char::from(*after.get(place)?).to_digit(16);
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high << 4 | low) as u8);
                rest = &after[2..];
            }
            _ => {
                out.push(*first);
                rest = after;
            }
        }
    }
    out
}

/// How much of a field is taken apart. A file name of 255 characters needs 2.5 KiB.
pub(super) const MAX_FIELD: usize = 64 * 1024;

impl Structured {
    /// Splits an unfolded field body, up to [`MAX_FIELD`] bytes of it.
    pub(in crate::message) fn parse(body: &[u8]) -> Structured {
        let body = &body[..body.len().min(MAX_FIELD)];
        let mut parsed = Structured {
            value: Vec::new(),
            pieces: Vec::new(),
        };
        // The `;` added at the end closes the last piece, also within quotes that are never closed.
        let (mut quoted, mut escaped) = (false, false);
        let (mut start, mut is_first) = (0, true);
        for (at, &byte) in body.iter().chain(b";").enumerate() {
            if at == body.len() || (byte == b';' && !quoted) {
                let piece = body[start..at].trim_ascii();
                if is_first {
                    parsed.value = piece.to_vec();
                } else if !piece.is_empty() {
                    parsed.pieces.push(piece.to_vec());
                }
                (start, is_first) = (at + 1, false);
                continue;
            }
            if byte == b'"' && !escaped {
                quoted = !quoted;
            }
            escaped = quoted && byte == b'\\' && !escaped;
        }
        parsed
    }

    /// Returns the value in lower case, without what may follow it.
    pub(super) fn value(&self) -> String {
        let is_end = |b: &u8| b" \t(,".contains(b);
        let value = self.value.split(is_end).next().unwrap_or_default();
        String::from_utf8_lossy(value).to_ascii_lowercase()
    }

    /// Returns a parameter, its sections joined (RFC 2231 section 3).
    pub(in crate::message) fn parameter(&self, name: &str) -> Option<String> {
        // A plain parameter counts before sections of the same name (RFC 2231 section 3 knows no mix).
        if let Some(plain) = self.named(name).next() {
            return Some(plain);
        }
        // One pass, however many there are and in whatever order.
        let mut found = BTreeMap::new();
        for (piece, value) in self.pieces.iter().filter_map(|piece| split(piece)) {
            let number = piece
                .split_at_checked(name.len())
                .filter(|(start, _)| start.eq_ignore_ascii_case(name.as_bytes()))
                .and_then(|(_, rest)| std::str::from_utf8(rest.strip_prefix(b"*")?).ok())
                // As it is written, and not as `+1` or `01`.
                .and_then(|text| text.parse::<usize>().ok().filter(|n| n.to_string() == text));
            if let Some(number) = number {
                found.entry(number).or_insert(value);
            }
        }
        let sections: String = (0..)
            .map_while(|number| found.get(&number))
            .map(|value| unquoted(value))
            .collect();
        (!sections.is_empty()).then_some(sections)
    }

    /// Returns a parameter that names its charset (RFC 2231 section 4), decoded; `None` if there is
    /// none.
    pub(in crate::message) fn extended_parameter(&self, name: &str) -> Option<String> {
        let mut sections = BTreeMap::new();
        for (piece, value) in self.pieces.iter().filter_map(|piece| split(piece)) {
            let section = piece
                .split_at_checked(name.len())
                .filter(|(start, _)| start.eq_ignore_ascii_case(name.as_bytes()))
                .and_then(|(_, rest)| Section::parse(rest.strip_prefix(b"*")?));
            if let Some(section) = section {
                sections
                    .entry(section.number)
                    .or_insert((section.is_encoded, value));
            }
        }
        // `charset'language'text`: only the first section has it, and only an encoded one.
        let (_, first) = sections.get(&0).filter(|(is_encoded, _)| *is_encoded)?;
        let first = first.trim_ascii();
        let first = first.strip_prefix(b"\"").unwrap_or(first);
        let mut quotes = memchr::memchr_iter(b'\'', first);
        let (label, start) = match (quotes.next(), quotes.next()) {
            (Some(label_end), Some(language_end)) => (&first[..label_end], language_end + 1),
            _ => (&b""[..], 0),
        };
        let mut bytes = percent_decoded(first[start..].trim_ascii_end());
        let rest = (1..).map_while(|number| sections.get(&number));
        for (is_encoded, value) in rest {
            if *is_encoded {
                bytes.extend(percent_decoded(value.trim_ascii()));
            } else {
                bytes.extend_from_slice(unquoted(value).as_bytes());
            }
        }
        Some(in_charset(&bytes, std::str::from_utf8(label).ok()).into_owned())
    }

    fn named(&self, name: &str) -> impl Iterator<Item = String> {
        let found = self.pieces.iter().filter_map(|piece| split(piece));
        found
            .filter(move |(found, _)| found.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| unquoted(value))
    }

    /// Replaces the value and drops all parameters.
    pub(super) fn of(value: &str) -> Structured {
        Structured {
            value: value.as_bytes().to_vec(),
            pieces: Vec::new(),
        }
    }

    /// Sets a parameter, in its place if it was there.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        let made: Vec<u8> = parameter(name, value).join("; ").into_bytes();
        let is_it = |piece: &Vec<u8>| {
            split(piece).is_some_and(|(found, _)| found.eq_ignore_ascii_case(name.as_bytes()))
        };
        match self.pieces.iter().position(is_it) {
            Some(place) => self.pieces[place] = made,
            None => self.pieces.push(made),
        }
    }

    /// Renders the field: folded between the pieces, nothing but ASCII.
    pub(super) fn render(&self, name: &str) -> Vec<u8> {
        let mut field = FoldedField::new(name);
        field.push_text(&spaces_for_controls(&decode_text(&self.value)));
        for piece in &self.pieces {
            field.append(";");
            match encoded(piece) {
                Some(pieces) => push_pieces(&mut field, &pieces),
                None => field.push_text(&spaces_for_controls(&decode_text(piece))),
            }
        }
        field.finish().into_bytes()
    }
}

/// A longer piece is encoded in sections: its line would come close to the limit of 998 bytes.
const MAX_PIECE: usize = 900;

/// Returns a parameter in as many pieces as needed; `None` if the text is not a parameter.
fn encoded(piece: &[u8]) -> Option<Vec<String>> {
    let is_sound = |b: &u8| (b' '..=b'~').contains(b);
    if piece.iter().all(is_sound) && piece.len() <= MAX_PIECE {
        return Some(vec![String::from_utf8_lossy(piece).into_owned()]);
    }
    let (name, value) = split(piece)?;
    let is_name = |b: &u8| b.is_ascii_graphic();
    if !name.iter().all(is_name) || name.len() > 40 {
        return None;
    }
    let name = String::from_utf8_lossy(name);
    if name.contains('*') {
        // By its name it is encoded already (RFC 2231): only the bytes that were forgotten are encoded,
        // in the charset that the value names.
        let value: String = value.iter().map(|&b| percent(b)).collect();
        return (value.len() <= MAX_PIECE).then(|| vec![format!("{name}={value}")]);
    }
    let value = unquoted(value);
    Some(parameter(&name, &spaces_for_controls(&value)))
}

fn percent(byte: u8) -> String {
    match byte {
        b'!'..=b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    }
}

/// Returns name and value of `name=value`.
fn split(piece: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(b'=', piece)?;
    Some((piece[..at].trim_ascii(), piece[at + 1..].trim_ascii()))
}

/// Returns a token up to its end, or what quotes hold, as text.
fn unquoted(value: &[u8]) -> String {
    let Some(inner) = value.strip_prefix(b"\"") else {
        // Lenient: a name with blanks and without quotes is meant whole, but comments are not.
        let end = value.iter().position(|&b| b == b'(').unwrap_or(value.len());
        return decode_text(value[..end].trim_ascii()).into_owned();
    };
    let mut plain = Vec::new();
    let mut bytes = inner.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'"' => break,
            b'\\' => plain.extend(bytes.next()),
            _ => plain.push(byte),
        }
    }
    decode_text(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Structured {
        Structured::parse(text.as_bytes())
    }

    #[test]
    fn values_and_parameters_as_the_field_writes_them() {
        let table = [
            ("text/plain; charset=utf-8", "text/plain", Some("utf-8")),
            (
                "Text/HTML ;CHARSET = \"a;\\\"b\" ;",
                "text/html",
                Some("a;\"b"),
            ),
            (
                "text/plain (x); charset=ascii (y)",
                "text/plain",
                Some("ascii"),
            ),
            ("text/plain; charset=\"open", "text/plain", Some("open")),
            (
                "text/plain; charset*0=ut; charset*1=f-8",
                "text/plain",
                Some("utf-8"),
            ),
            ("text/plain charset=x", "text/plain", None),
            ("", "", None),
        ];
        for (text, value, charset) in table {
            let found = parsed(text);
            assert_eq!(found.value(), value);
            assert_eq!(found.parameter("charset").as_deref(), charset, "{text}");
        }
    }

    #[test]
    fn only_what_is_set_changes() {
        let mut field = parsed("text/plain; Format=flowed; charset=x; delsp=\"yes\"");
        field.set("charset", "utf-8");
        assert_eq!(
            field.render("Content-Type"),
            b"Content-Type: text/plain; Format=flowed; charset=utf-8; delsp=\"yes\"\n"
        );
    }

    #[test]
    fn every_piece_becomes_ascii_in_short_lines() {
        let table: &[(&[u8], &str)] = &[
            (b"a/b; name=\xe9", "X: a/b; name*=utf-8''%C3%A9\n"),
            (
                b"a/b; name*=iso-8859-1''\xe9",
                "X: a/b; name*=iso-8859-1''%E9\n",
            ),
            (b"a/b; \xe9", "X: a/b; =?utf-8?B?w6k=?=\n"),
            (b"\xe9; b=c", "X: =?utf-8?B?w6k=?=; b=c\n"),
            (b"a/b; c=\"d\0e\"", "X: a/b; c=\"d e\"\n"),
        ];
        for (body, expected) in table {
            let found = Structured::parse(body).render("X");
            assert_eq!(String::from_utf8(found).unwrap(), *expected);
        }
        let long = [b"a/b; name=".to_vec(), vec![b'y'; 5000]].concat();
        let found = String::from_utf8(Structured::parse(&long).render("X")).unwrap();
        assert!(found.lines().all(|line| line.len() <= 78), "{found}");
    }

    #[test]
    fn sections_in_any_order_are_found_in_one_pass_and_a_huge_field_is_cut() {
        let found = parsed("text/plain; name*1=b; name*0=a; name*+2=x; name*02=x; NAME*2=\"c\"");
        assert_eq!(found.parameter("name").as_deref(), Some("abc"));
        let many: String = (0..100_000)
            .map(|number| format!(";boundary*{number}=b"))
            .collect();
        let found = parsed(&format!("multipart/mixed{many}"));
        let boundary = found.parameter("boundary").expect("a boundary");
        assert!((3000..MAX_FIELD).contains(&boundary.len()));
        assert!(
            parsed(&format!("text/plain{}", ";".repeat(50_000)))
                .pieces
                .is_empty()
        );
    }
}
