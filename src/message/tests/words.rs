//! What must hold of every subject and name in encoded words, for readers of several makes.
//!
//! The decoders here are as careless as those of mail programs that people use: each has the habit
//! of one of them.

use ::base64::Engine;
use ::base64::prelude::BASE64_STANDARD;
use proptest::collection::vec;
use proptest::prelude::*;

use super::strict;
use crate::address::{EnvelopeAddress, NamedAddress, parse_list, spaces_for_controls};
use crate::message::write::fields::render;
use crate::message::{FieldBody, HeaderName, HeaderValue};

/// Texts as people have them, long ones too, and what makes trouble: characters of one to four bytes
/// in any order, runs of blanks, specials.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => "[a-zA-Z0-9]{1,12}",
        3 => Just(" ".to_owned()),
        1 => " {1,3}",
        1 => "\\PC{0,20}",
        2 => "[äöüßé]{1,10}",
        2 => "[a-z0-9 ]{0,3}[日本語障害]{1,40}",
        1 => "[Сбойдиска ]{1,40}",
        1 => "[\u{1f600}-\u{1f640}]{1,30}",
        1 => prop::sample::select(vec!["\"", "\\", "<x@y>", ",", ":", "(", ";", "@", ".", "\t", "?=", "="])
            .prop_map(str::to_owned),
        1 => (60usize..90).prop_map(|len| "y".repeat(len)),
    ];
    vec(piece, 0..14)
        .prop_map(|pieces| spaces_for_controls(&pieces.concat()).into_owned())
        .prop_filter("a script's own encoded words", |text| !text.contains("=?"))
}

/// Returns the encoded words of a field in neighbourhoods: what nothing but white space divides.
fn neighbours(field: &str) -> Vec<Vec<&str>> {
    let mut found: Vec<Vec<&str>> = Vec::new();
    let mut is_behind_one = false;
    for word in field.split_ascii_whitespace() {
        let is_encoded = word.starts_with("=?") && word.ends_with("?=") && word.len() > 6;
        match found.last_mut() {
            Some(last) if is_encoded && is_behind_one => last.push(word),
            _ if is_encoded => found.push(vec![word]),
            _ => {}
        }
        is_behind_one = is_encoded;
    }
    found
}

/// Asserts the rules for each line and each encoded word of a field.
#[track_caller]
fn assert_sound(field: &str) {
    assert!(field.is_ascii() && field.ends_with('\n'), "{field}");
    for line in field.lines() {
        assert!(!line.trim().is_empty() && line.len() <= 998, "{field}");
        let limit = if line.contains("=?") { 76 } else { 78 };
        // A longer line is one word or quoted string, beside nothing but the field's name.
        let (_, word) = line.split_once(' ').unwrap_or_default();
        let is_whole = !word.contains(' ') || is_quoted(word);
        assert!(line.len() <= limit || is_whole, "{field}");
        // Some readers put one blank in the place of a fold and all blanks behind it.
        assert!(
            !line.starts_with("  ") && !line.starts_with('\t') && !line.ends_with([' ', '\t']),
            "{field}"
        );
    }
    for words in neighbours(field) {
        let (_, others) = words.split_last().expect("no neighbourhood is empty");
        for word in &words {
            assert!(word.len() <= 75, "{field}");
            // A word that cuts a character does not decode on its own, and `strict` panics.
            assert!(!strict::decode_words(word).contains("=?"), "{field}");
        }
        let is_padded = |word: &&str| word.starts_with("=?utf-8?B?") && word.contains("=?=");
        assert!(!others.iter().any(is_padded), "{field}");
    }
}

/// Returns whether a text is one quoted string: some readers lose the address behind one that is folded.
fn is_quoted(text: &str) -> bool {
    text.len() > 77
        && text.starts_with('"')
        && text.ends_with('"')
        && text.matches('"').count() == 2
}

/// Decodes neighbouring words as one stream that ends at the first padding, as GMime does.
fn stopping_at_padding(field: &str) -> String {
    let mut decoded = field.to_owned();
    for words in neighbours(field) {
        let mut bytes = Vec::new();
        let mut is_over = false;
        for word in &words {
            if let Some(payload) = word.strip_prefix("=?utf-8?B?") {
                let payload = payload.strip_suffix("?=").expect("an encoded word");
                if !is_over {
                    bytes.extend(BASE64_STANDARD.decode(payload).expect("base64"));
                }
                is_over |= payload.ends_with('=');
            } else {
                bytes.extend(strict::decode_words(word).into_bytes());
                is_over = false;
            }
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        decoded = decoded.replacen(&words.join(" "), &text, 1);
    }
    decoded
}

/// Unfolds with one blank for a fold and the blanks behind it.
fn unfolded_to_one_blank(field: &str) -> String {
    let lines: Vec<&str> = field
        .lines()
        .map(|line| line.trim_start_matches([' ', '\t']))
        .collect();
    lines.join(" ")
}

fn without_blanks(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn subject(text: &str) -> String {
    let value = HeaderValue::new(text).expect("no controls");
    render(&HeaderName::known("Subject"), &FieldBody::Text(value))
}

#[track_caller]
fn assert_subject(text: &str) {
    let field = subject(text);
    assert_sound(&field);
    let value = unfolded_to_one_blank(&field);
    let value = value.strip_prefix("Subject:").expect("a subject");
    let value = value.strip_prefix(' ').unwrap_or(value);
    assert_eq!(strict::decode_words(value), text, "{field}");
    assert_eq!(stopping_at_padding(value), text, "{field}");
    let message = format!("{field}\nx\n");
    let parsed = mail_parser::MessageParser::default()
        .parse(&message)
        .expect("a message");
    // It puts blanks of its own beside encoded words.
    let read = parsed.subject().unwrap_or_default();
    assert_eq!(without_blanks(read), without_blanks(text), "{field}");
}

fn name_field(field_name: &'static str, names: &[&str]) -> String {
    let address = EnvelopeAddress::new("someone@example.org").expect("an address");
    let named = names
        .iter()
        .map(|name| NamedAddress::new(Some(name), address.clone()));
    render(
        &HeaderName::known(field_name),
        &named.collect::<Vec<_>>().into(),
    )
}

#[track_caller]
fn assert_names(names: &[&str]) {
    for field_name in ["To", "Disposition-Notification-To"] {
        let field = name_field(field_name, names);
        assert_sound(&field);
        let value = unfolded_to_one_blank(&field);
        let value = &value[field_name.len() + 1..];
        let message = format!("{}\nx\n", name_field("To", names));
        let parsed = mail_parser::MessageParser::default()
            .parse(&message)
            .expect("a message");
        let read: Vec<_> = parsed.to().expect("addresses").iter().collect();
        let found = parse_list(value.trim());
        assert_eq!(found.len(), names.len(), "{field}");
        assert_eq!(read.len(), names.len(), "{field}");
        for ((found, read), name) in found.into_iter().zip(read).zip(names) {
            let found = found.expect("an address");
            let name = name.trim();
            let phrase = found.name().unwrap_or_default();
            assert_eq!(strict::decode_words(phrase), name, "{field}");
            assert_eq!(stopping_at_padding(phrase), name, "{field}");
            let read = read.name().unwrap_or_default();
            assert_eq!(without_blanks(read), without_blanks(name), "{field}");
            // Encoded only for its characters, and split only where one word cannot hold it.
            let words: usize = neighbours(phrase).iter().map(Vec::len).sum();
            let is_literal = |b: u8| matches!(b, b' '..=b'~') && !matches!(b, b'"' | b'\\');
            assert!(words == 0 || !name.bytes().all(is_literal), "{field}");
            assert!(words <= 1 || name.len() > 45, "{field}");
        }
    }
}

#[test]
fn a_long_subject_is_whole_in_readers_that_stop_at_padding() {
    for text in [
        "日本語の件名がとても長いのでいくつもの符号化語に分けなければなりません",
        "x日本語の件名がとても長いのでいくつもの符号化語に分けなければなりません",
        "Сбой диска на сервере: осталось менее одного процента свободного места",
        "[ops] 🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥 dringend",
        "Größenänderung der Übersicht für Äpfel, Öl und alle übrigen Güter der Börse",
        "two  blanks and a\ttab in a subject that is long enough to be folded somewhere  here",
    ] {
        assert_subject(text);
        let name = text.replace('\t', " ");
        assert_names(&[&name, "Ada", &name]);
    }
}

#[test]
fn a_name_that_fits_one_word_is_not_split() {
    // As long as one word takes: 60 columns of base64.
    let name = "ö".repeat(22);
    let long_address = format!("{}@example.org", "a".repeat(40));
    let address = EnvelopeAddress::new(long_address).expect("an address");
    for field_name in ["To", "From", "Reply-To", "Disposition-Notification-To"] {
        for (before, separator) in [(0, ""), (1, ",")] {
            let mut list = vec![NamedAddress::new(None, address.clone()); before];
            list.push(NamedAddress::new(Some(&name), address.clone()));
            list.push(NamedAddress::new(Some(&name), address.clone()));
            let field = render(&HeaderName::known(field_name), &list.into());
            assert_sound(&field);
            assert_eq!(field.matches("=?utf-8?").count(), 2, "{field} {separator}");
        }
    }
}

#[test]
fn a_long_ascii_name_is_folded_and_not_encoded() {
    let plain = "The Department of Administrative Affairs and of Everything Else that is in a Name";
    let comma =
        "Doe, John, of the Department of Administrative Affairs and of Everything Else, Jr.";
    for name in [plain, comma, &comma[..60], &plain[..70], &comma.repeat(9)] {
        assert_names(&[name, name]);
        assert!(!name_field("Reply-To", &[name, name]).contains("=?"));
    }
    // Python's parser ends a quoted string at the CR of a fold.
    let field = name_field("To", &[comma]);
    assert!(
        field.lines().all(|line| line.matches('"').count() % 2 == 0),
        "{field}"
    );
}

#[test]
fn the_comma_behind_an_address_counts() {
    for len in 1..70 {
        let address =
            EnvelopeAddress::new(format!("{}@example.org", "a".repeat(len))).expect("an address");
        for name in [
            None,
            Some("Jörg Müller"),
            Some("Ada Lovelace"),
            Some("Doe, John"),
        ] {
            let list = vec![NamedAddress::new(name, address.clone()); 3];
            assert_sound(&render(&HeaderName::known("Cc"), &list.into()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_subject_is_read_by_careless_readers(text in text()) {
        assert_subject(&text);
    }

    #[test]
    fn any_name_is_read_by_careless_readers(names in vec(text(), 1..4)) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_names(&names);
    }
}
