//! The header fields of a message to be sent, in order.

use crate::address::NamedAddress;
use crate::message::encode::encoded_words::{FoldedField, MAX_LITERAL_WORD, is_literal_or_encoded};
use crate::message::value::{HeaderName, HeaderValue};

/// The body of a field, before it is rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldBody {
    /// Unstructured text; also dates, ids and everything else that is plain ASCII.
    Text(HeaderValue),
    /// A list of addresses.
    Addresses(Vec<NamedAddress>),
}

impl From<HeaderValue> for FieldBody {
    fn from(value: HeaderValue) -> FieldBody {
        FieldBody::Text(value)
    }
}

impl From<Vec<NamedAddress>> for FieldBody {
    fn from(addresses: Vec<NamedAddress>) -> FieldBody {
        FieldBody::Addresses(addresses)
    }
}

/// Header fields in the order they are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<(HeaderName, FieldBody)>);

impl Fields {
    /// Returns a header without fields.
    pub fn new() -> Fields {
        Fields::default()
    }

    /// Appends a field after the others.
    pub fn append(&mut self, name: HeaderName, body: impl Into<FieldBody>) {
        self.0.push((name, body.into()));
    }

    /// Returns the fields in order, and their lists as they are: one may name a hundred thousand people.
    pub fn into_vec(self) -> Vec<(HeaderName, FieldBody)> {
        self.0
    }

    /// Returns the fields in order.
    pub fn iter(&self) -> impl Iterator<Item = (&HeaderName, &FieldBody)> {
        self.0.iter().map(|(name, body)| (name, body))
    }
}

/// Renders a field as header lines, LF included: folded at 78, nothing but ASCII.
///
/// One exception: an address whose local part is not ASCII stays UTF-8 (RFC
/// 6532), because nothing else can carry it.
pub(in crate::message) fn render(name: &HeaderName, body: &FieldBody) -> String {
    let mut field = FoldedField::new(name.as_str());
    match body {
        FieldBody::Text(value) => field.push_text(value.as_str()),
        FieldBody::Addresses(addresses) => push_addresses(&mut field, addresses),
    }
    field.finish()
}

fn push_addresses(field: &mut FoldedField, addresses: &[NamedAddress]) {
    let last = addresses.len().saturating_sub(1);
    for (index, named) in addresses.iter().enumerate() {
        push_address(field, named, if index < last { "," } else { "" });
    }
}

/// Appends a blank and an address, its name as a phrase or in encoded words; `separator` stands
/// directly behind it and on the same line.
pub(in crate::message) fn push_address(
    field: &mut FoldedField,
    named: &NamedAddress,
    separator: &str,
) {
    // The envelope has the domain in ASCII; the header shows the same address.
    let address = named.address().with_ascii_domain();
    let Some(name) = named.name() else {
        return field.push(&format!("{address}{separator}"));
    };
    // Encoded words of the caller would be encoded a second time and shown raw.
    if is_made_by_script(name) {
        name.split(' ').for_each(|word| field.push(word));
    } else if is_phrase(name) {
        push_phrase(field, name);
    } else {
        field.push_encoded_name(name);
    }
    field.push(&format!("<{address}>{separator}"));
}

/// Returns a name for a program that writes the header field itself: as it is if it is ASCII, else in
/// encoded words.
pub fn ascii_name(name: &str) -> String {
    if name.is_ascii() {
        return name.to_owned();
    }
    let mut field = FoldedField::new("");
    field.push_encoded_name(name);
    let field = field.finish();
    let words: Vec<&str> = field[1..].split_ascii_whitespace().collect();
    words.join(" ")
}

/// Returns whether a name is written in encoded words already, as in `-a "From: =?utf-8?…?= <a@b>"`.
fn is_made_by_script(name: &str) -> bool {
    let is_sound = |word: &str| is_atom(word) && word.len() <= 75 && is_literal_or_encoded(word);
    name.contains("=?") && name.split(' ').all(is_sound)
}

/// Returns whether atoms or a quoted string can hold a display name, on a line that mail carries.
///
/// Not all readers undo backslashes: a name with a quote or a backslash goes in encoded words.
fn is_phrase(name: &str) -> bool {
    let is_literal = |b: u8| matches!(b, b' '..=b'~') && !matches!(b, b'"' | b'\\');
    name.bytes().all(is_literal) && !name.contains("=?") && name.len() <= MAX_LITERAL_WORD
}

/// Appends a blank and a display name as atoms or as a quoted string.
///
/// A name that one line can hold stands on one line: GMime shows a fold within. A longer one of atoms
/// is folded at its blanks. A quoted string is not: Python's parser ends it at the CR of a fold, and
/// JavaMail and others show the quotes between two quoted strings.
fn push_phrase(field: &mut FoldedField, name: &str) {
    // PHP's mailparse takes blanks away around other characters, although they are atoms.
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_'+".contains(&b))
    };
    if !name.split(' ').all(is_word) {
        field.push_together(&format!("\"{name}\""));
    } else if name.len() < MAX_NAME {
        field.push_together(name);
    } else {
        name.split(' ').for_each(|word| field.push(word));
    }
}

/// A name of this length does not fit on a line, with a blank before it.
const MAX_NAME: usize = 78;

/// Returns whether the text is an atom (RFC 5322 section 3.2.3).
fn is_atom(text: &str) -> bool {
    let is_atext = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
    !text.is_empty() && text.bytes().all(is_atext)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::parse_list;

    fn to(list: &str) -> String {
        let list: Vec<_> = parse_list(list).into_iter().map(Result::unwrap).collect();
        render(&HeaderName::known("To"), &list.into())
    }

    #[test]
    fn address_fields() {
        let table = [
            ("root", "To: root\n"),
            ("a@x, b@x", "To: a@x, b@x\n"),
            ("Ada L <a@x>", "To: Ada L <a@x>\n"),
            ("\"Doe, John\" <j@x>", "To: \"Doe, John\" <j@x>\n"),
            (
                "\"a \\\"b\\\" \\\\\" <j@x>",
                "To: =?utf-8?Q?a_=22b=22_=5C?= <j@x>\n",
            ),
            (
                "Jörg <j@x>, root",
                "To: =?utf-8?Q?J=C3=B6rg?= <j@x>, root\n",
            ),
            ("a@bücher.example", "To: a@xn--bcher-kva.example\n"),
            ("=?utf-8?Q?x?= Y <a@x>", "To: =?utf-8?Q?x?= Y <a@x>\n"),
            ("\"50% off\" <a@x>", "To: \"50% off\" <a@x>\n"),
            ("O'Brien <a@x>", "To: O'Brien <a@x>\n"),
            ("\"=?x, y\" <a@x>", "To: =?utf-8?B?PT94LCB5?= <a@x>\n"),
        ];
        for (list, expected) in table {
            assert_eq!(to(list), expected);
        }
    }

    #[test]
    fn a_name_for_another_program_is_ascii() {
        assert_eq!(ascii_name("Night Shift"), "Night Shift");
        assert_eq!(ascii_name("Jörg, x"), "=?utf-8?Q?J=C3=B6rg=2C_x?=");
        let long = ascii_name(&"ö".repeat(30));
        assert!(long.is_ascii() && long.split(' ').all(|word| word.starts_with("=?utf-8?B?")));
    }

    #[test]
    fn long_lists_fold_between_addresses() {
        let folded = to(&"\"Doe, John\" <john.doe@example.org>,".repeat(50));
        assert!(folded.lines().all(|line| line.len() <= 78));
        assert!(folded.lines().skip(1).all(|line| line.starts_with(' ')));
        assert_eq!(
            parse_list(&folded["To:".len()..].replace('\n', "")).len(),
            50
        );
    }
}
