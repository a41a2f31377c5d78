//! Lists of recipients: whatever is typed, an address taken is one that every mailer reads alike.
#![no_main]

#[allow(dead_code)]
#[path = "../../src/message/tests/strict.rs"]
mod strict;

use libfuzzer_sys::fuzz_target;
use postrider::address::{EnvelopeAddress, NamedAddress, Recipient, parse_list, parse_recipients};
use postrider::message::{Composition, Fields, HeaderName, MediaType, Wire, Wishes};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let list = parse_list(&text);
    let strict = parse_recipients(&text, false, None);
    assert_eq!(list.len(), strict.len());
    let lax = parse_recipients(&text, true, None);
    for recipient in strict.iter().flatten() {
        assert!(matches!(recipient, Recipient::Address(_)), "{recipient:?}");
    }
    for recipient in lax.iter().flatten() {
        match recipient {
            Recipient::Address(named) => check(named),
            Recipient::File(text) | Recipient::Command(text) => {
                assert!(!text.chars().any(char::is_control), "{text:?}");
            }
        }
    }
    let addresses: Vec<NamedAddress> = list.into_iter().flatten().collect();
    addresses.iter().for_each(check);
    if !addresses.is_empty() {
        check_field(&addresses);
    }
});

/// An address alone is a list of itself, and no option, file or command.
fn check(named: &NamedAddress) {
    let address = named.address();
    let text = address.as_str();
    assert_eq!(EnvelopeAddress::new(text).as_ref(), Ok(address));
    assert!((1..=EnvelopeAddress::MAX_LEN).contains(&text.len()));
    assert!(!text.starts_with(['-', '/', '|']), "{text:?}");
    assert!(
        !text
            .chars()
            .any(|c| c.is_control() || c.is_whitespace() || "<>".contains(c))
    );
    let again = parse_list(text);
    assert_eq!(again.len(), 1, "{text:?} {again:?}");
    let again = again[0]
        .as_ref()
        .unwrap_or_else(|error| panic!("{text:?}: {error}"));
    assert_eq!(again.address(), address);
    assert_eq!(again.name(), None);
    assert!(
        !named
            .name()
            .unwrap_or_default()
            .chars()
            .any(char::is_control)
    );
    let ascii = address.with_ascii_domain();
    assert!(ascii.domain().is_none_or(str::is_ascii), "{text:?}");
    assert_eq!(ascii.with_ascii_domain(), ascii);
    assert_eq!(ascii.local_part(), address.local_part());
    assert_eq!(ascii.as_str().is_ascii(), !ascii.needs_smtputf8());
}

/// A header field of the addresses is 7-bit and holds the same addresses and names.
fn check_field(addresses: &[NamedAddress]) {
    let mut fields = Fields::new();
    fields.append(HeaderName::known("To"), addresses.to_vec());
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
    let is_ascii = |named: &NamedAddress| !named.address().needs_smtputf8();
    assert_eq!(out.is_ascii(), addresses.iter().all(is_ascii));
    let entity = strict::Entity::of(&out);
    assert_eq!(entity.fields.len(), 4);
    let field = entity.field("To").expect("it was written");
    let again = parse_list(field);
    assert_eq!(again.len(), addresses.len(), "{field:?}");
    for (again, made) in again.into_iter().zip(addresses) {
        let again = again.unwrap_or_else(|error| panic!("{field:?}: {error}"));
        let address = made.address();
        assert_eq!(*again.address(), address.with_ascii_domain(), "{field:?}");
        // Encoded words that a script made itself stay as they are.
        if again.name() != made.name() {
            let name = again.name().map(strict::decode_words);
            assert_eq!(name.as_deref(), made.name(), "{field:?}");
        }
    }
}
