//! One header field of a premade message: copied byte for byte, or encoded for mail.

use std::borrow::Cow;

use super::header::RawField;
use super::structured::{MAX_FIELD, Structured};
use crate::address::{parse_list, spaces_for_controls};
use crate::charset::decode_text;
use crate::message::encode::encoded_words::FoldedField;
use crate::message::field_names::holds_addresses;
use crate::message::parse::fields;
use crate::message::write::analysis::MAX_LINE;
use crate::message::write::fields::push_address;

/// A field as it is written.
pub(super) struct WrittenField<'a> {
    pub(super) bytes: Cow<'a, [u8]>,
    /// Whether an address in it can only be UTF-8 (RFC 6532).
    pub(super) eight_bit: bool,
}

/// The longest list of addresses that is taken apart, in bytes.
const MAX_LIST: usize = 1 << 20;

/// Fields of a value and parameters, whose parameters RFC 2231 encodes.
const STRUCTURED_FIELDS: [&str; 2] = ["Content-Type", "Content-Disposition"];

/// Returns the field for a 7-bit transport: unchanged if it is fit for it, else encoded and folded.
pub(super) fn written(field: &RawField) -> WrittenField<'_> {
    if is_sound(field.raw()) {
        return WrittenField {
            bytes: Cow::Borrowed(field.raw()),
            eight_bit: false,
        };
    }
    let value = field.value();
    // A value that is longer than any list or parameter is written as text: taking it apart would
    // need many times its size.
    let is_address = holds_addresses(field.name().as_bytes()) && value.len() <= MAX_LIST;
    let is_structured =
        STRUCTURED_FIELDS.iter().any(|name| field.is(name)) && value.len() <= MAX_FIELD;
    // First the smallest change: lines that are only too long are folded, and no word is touched.
    let folded = (value.is_ascii() && folds_at_blanks(&value))
        .then(|| text(field.name(), &value))
        // Encoded words would break addresses and parameters.
        .filter(|folded| !(is_address || is_structured) || unfolds_to(folded, field, &value));
    let bytes = if let Some(folded) = folded {
        folded
    } else if is_address {
        addresses(field.name(), &value)
    } else if is_structured {
        Structured::parse(&value).render(field.name())
    } else {
        text(field.name(), &value)
    };
    WrittenField {
        eight_bit: !bytes.is_ascii(),
        bytes: Cow::Owned(bytes),
    }
}

/// Returns whether the field can go as it is: ASCII without controls, in lines neither long nor blank.
fn is_sound(raw: &[u8]) -> bool {
    let is_sound_line =
        |line: &[u8]| line.len() as u64 <= MAX_LINE && !line.trim_ascii().is_empty();
    let is_sound_byte = |&b: &u8| b == b'\t' || b == b'\n' || (b' '..=b'~').contains(&b);
    raw.iter().all(is_sound_byte)
        && raw
            .strip_suffix(b"\n")
            .is_some_and(|lines| lines.split(|&b| b == b'\n').all(is_sound_line))
}

/// Returns whether lines become short enough without a change of the text.
fn folds_at_blanks(value: &[u8]) -> bool {
    // The longest word that encoding leaves alone; see `encoded_words`.
    let longest = value.split(|b| b" \t".contains(b)).map(<[u8]>::len).max();
    longest.unwrap_or_default() <= 900
}

/// Returns whether a written field holds exactly this value.
fn unfolds_to(written: &[u8], field: &RawField, value: &[u8]) -> bool {
    fields::unfold(&written[field.name().len() + 1..]) == value
}

fn text(name: &str, value: &[u8]) -> Vec<u8> {
    let mut folded = FoldedField::new(name);
    folded.push_text(&spaces_for_controls(&decode_text(value)));
    folded.finish().into_bytes()
}

/// Encodes the names in a list of addresses; an invalid entry becomes encoded words.
fn addresses(name: &str, value: &[u8]) -> Vec<u8> {
    let value = decode_text(value);
    let list = parse_list(&spaces_for_controls(&value));
    if list.is_empty() {
        // A group without members, such as `undisclosed-recipients:;`, is no address, but a sound text.
        return text(name, value.as_bytes());
    }
    let mut folded = FoldedField::new(name);
    let last = list.len() - 1;
    for (index, entry) in list.iter().enumerate() {
        let separator = if index < last { "," } else { "" };
        let text = match entry {
            // Half of a name that lacks its quotes, `Müller, Jörg <x@y>`: only an address with a domain
            // can be UTF-8 (RFC 6532).
            Ok(named) if named.address().is_local_name() && named.address().needs_smtputf8() => {
                named.address().as_str()
            }
            Ok(named) => {
                push_address(&mut folded, named, separator);
                continue;
            }
            // An entry that is no address is kept as text: the recipient sees what was written.
            Err(error) => error.text.trim(),
        };
        folded.push_text(text);
        folded.append(separator);
    }
    folded.finish().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(raw: &[u8]) -> String {
        let field = RawField::new(raw.to_vec()).unwrap();
        let written = written(&field);
        String::from_utf8(written.bytes.into_owned()).unwrap()
    }

    #[test]
    fn sound_fields_stay_byte_for_byte() {
        for raw in [
            "Subject: x\n",
            "subject:x  \n",
            "Subject : a\n  b\n\tc\n",
            "X:\n y\n",
            "To: (a) b@x , \"c\" <d@x>;\n",
        ] {
            assert_eq!(rewritten(raw.as_bytes()), raw);
        }
        let long = format!("X: {}\n", "y".repeat(995));
        assert_eq!(rewritten(long.as_bytes()), long);
    }

    #[test]
    fn eight_bit_fields_are_encoded_by_their_kind() {
        let table: &[(&[u8], &str)] = &[
            (
                b"Subject: caf\xe9 x\n",
                "Subject: =?utf-8?Q?caf=C3=A9?= x\n",
            ),
            ("Subject: ö\n".as_bytes(), "Subject: =?utf-8?B?w7Y=?=\n"),
            (
                "To: Jörg <j@x>, \"a, b\" <c@x>\n".as_bytes(),
                "To: =?utf-8?Q?J=C3=B6rg?= <j@x>, \"a, b\" <c@x>\n",
            ),
            (
                b"From: J\xf6rg <root@b\xfccher.example>\n",
                "From: =?utf-8?Q?J=C3=B6rg?= <root@xn--bcher-kva.example>\n",
            ),
            (
                "From: root@x (Dämon)\n".as_bytes(),
                "From: =?utf-8?Q?D=C3=A4mon?= <root@x>\n",
            ),
            ("To: jörg@x\n".as_bytes(), "To: jörg@x\n"),
            ("To: ä b@x@y\n".as_bytes(), "To: =?utf-8?B?w6Q=?=, b@x@y\n"),
            (
                "To: Müller, Jörg <j@x>\n".as_bytes(),
                "To: =?utf-8?Q?M=C3=BCller?=, =?utf-8?Q?J=C3=B6rg?= <j@x>\n",
            ),
            (
                "Content-Disposition: attachment; filename=\"Größe.txt\"; size=3\n".as_bytes(),
                "Content-Disposition: attachment; filename*=utf-8''Gr%C3%B6%C3%9Fe.txt; size=3\n",
            ),
            (b"X: a\rb\0c\n", "X: a b c\n"),
            (
                b"Content-Type: multipart/mixed; boundary=\"b b\"\0\n",
                "Content-Type: multipart/mixed; boundary=\"b b\"\n",
            ),
            (b"To: Ada <a@x>,\0 b@x\0\n", "To: Ada <a@x>, b@x\n"),
            (b"X: a\n \nB: c\n", "X: a  B: c\n"),
        ];
        for (raw, expected) in table {
            let found = rewritten(raw);
            match expected.strip_suffix('…') {
                Some(_) => assert!(!found.is_empty()),
                None => assert_eq!(found, *expected),
            }
        }
    }

    #[test]
    fn long_lines_are_folded_and_at_need_encoded() {
        let words = format!("References: {}\n", "<a@example.org> ".repeat(100));
        let folded = rewritten(words.as_bytes());
        assert!(folded.lines().all(|line| line.len() <= 78));
        assert_eq!(folded.replace('\n', ""), words.trim_end());
        let list = format!("To: {}b@x\n", "a@example.org,".repeat(60_000));
        let folded = rewritten(list.as_bytes());
        assert!(folded.lines().all(|line| line.len() <= 78));
        assert_eq!(folded.matches("a@example.org,").count(), 60_000);
        let word = rewritten(format!("X: {}\n", "y".repeat(5000)).as_bytes());
        assert!(word.lines().all(|line| line.len() <= 78) && word.contains("=?utf-8?Q?yyy"));
    }
}
