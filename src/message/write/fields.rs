//! The header fields of a message to be sent, in order.

use crate::address::NamedAddress;
use crate::message::encode::encoded_words::{FoldedField, is_literal_or_encoded};
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
    for (index, named) in addresses.iter().enumerate() {
        if index > 0 {
            field.append(",");
        }
        push_address(field, named);
    }
}

/// Appends a blank and an address, its name as a phrase or in encoded words.
pub(in crate::message) fn push_address(field: &mut FoldedField, named: &NamedAddress) {
    // The envelope has the domain in ASCII; the header shows the same address.
    let address = named.address().with_ascii_domain();
    let Some(name) = named.name() else {
        return field.push(" ", address.as_str());
    };
    // Encoded words of the caller would be encoded a second time and shown raw.
    if is_made_by_script(name) {
        name.split(' ').for_each(|word| field.push(" ", word));
    } else if let Some(phrase) = phrase(name) {
        field.push(" ", &phrase);
    } else {
        field.push_encoded(" ", name);
    }
    field.push(" ", &format!("<{address}>"));
}

/// Returns whether a name is written in encoded words already, as in `-a "From: =?utf-8?…?= <a@b>"`.
fn is_made_by_script(name: &str) -> bool {
    let is_sound = |word: &str| is_atom(word) && word.len() <= 75 && is_literal_or_encoded(word);
    name.contains("=?") && name.split(' ').all(is_sound)
}

/// A quoted string longer than this would have to be folded inside; encoded words can be split.
const MAX_PHRASE: usize = 68;

/// Returns a display name as atoms or as a quoted string, or `None` if it needs encoded words.
fn phrase(name: &str) -> Option<String> {
    let printable = name.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
    if !printable || name.contains("=?") || name.len() > MAX_PHRASE {
        return None;
    }
    // Lists of recipients take a '/' or '|' in front for a file or command.
    if name.split(' ').all(is_atom) && !name.starts_with(['/', '|']) {
        return Some(name.to_owned());
    }
    Some(format!(
        "\"{}\"",
        name.replace('\\', "\\\\").replace('"', "\\\"")
    ))
}

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
                "To: \"a \\\"b\\\" \\\\\" <j@x>\n",
            ),
            ("Jörg <j@x>, root", "To: =?utf-8?B?SsO2cmc=?= <j@x>, root\n"),
            ("a@bücher.example", "To: a@xn--bcher-kva.example\n"),
            ("=?utf-8?Q?x?= Y <a@x>", "To: =?utf-8?Q?x?= Y <a@x>\n"),
            ("\"=?x, y\" <a@x>", "To: =?utf-8?B?PT94LCB5?= <a@x>\n"),
        ];
        for (list, expected) in table {
            assert_eq!(to(list), expected);
        }
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
