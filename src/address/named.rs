//! An address with the name of its owner, as header fields show it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::EnvelopeAddress;

/// An address with an optional display name: `Root <root@example.org>`.
///
/// RFC 5322 section 3.4 calls it a mailbox. The name holds no controls: making
/// one turns each run of them into a space, so that a newline in a name can
/// neither stop a mail nor add a header field.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NamedAddress {
    address: EnvelopeAddress,
    // Most of many recipients have no name: that takes a word each and no more. Copies share the
    // name, as they share the address.
    name: Option<Arc<Name>>,
}

/// A display name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Name {
    /// Empty where it held nothing but controls.
    text: Box<str>,
    repaired: bool,
}

impl NamedAddress {
    /// Returns the address with a display name; an empty or blank name is dropped.
    pub fn new(name: Option<&str>, address: EnvelopeAddress) -> NamedAddress {
        let name = name.map(spaces_for_controls).and_then(|name| {
            let repaired = matches!(name, Cow::Owned(_));
            let text = name.trim();
            (repaired || !text.is_empty()).then(|| {
                Arc::new(Name {
                    text: text.into(),
                    repaired,
                })
            })
        });
        NamedAddress { address, name }
    }

    /// Returns the display name, without quotes and without controls.
    pub fn name(&self) -> Option<&str> {
        let text = self.name.as_ref().map(|name| &*name.text);
        text.filter(|text| !text.is_empty())
    }

    /// Returns the address itself.
    pub fn address(&self) -> &EnvelopeAddress {
        &self.address
    }

    /// Returns the same name with another address, for example a qualified one.
    pub fn with_address(mut self, address: EnvelopeAddress) -> NamedAddress {
        self.address = address;
        self
    }

    /// Returns whether the name held controls, which deserves a warning.
    pub fn is_repaired(&self) -> bool {
        self.name.as_ref().is_some_and(|name| name.repaired)
    }
}

impl From<EnvelopeAddress> for NamedAddress {
    fn from(address: EnvelopeAddress) -> NamedAddress {
        NamedAddress::new(None, address)
    }
}

/// Shows the pair for people; header fields are rendered by `message`.
impl fmt::Display for NamedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} <{}>", self.address),
            None => write!(f, "{}", self.address),
        }
    }
}

/// Returns the text with every run of controls (C0, DEL, C1) as one space; borrowed if there is none.
pub fn spaces_for_controls(text: &str) -> Cow<'_, str> {
    if !text.chars().any(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut in_run = false;
    for c in text.chars() {
        let control = c.is_control();
        if !control {
            clean.push(c);
        } else if !in_run {
            clean.push(' ');
        }
        in_run = control;
    }
    Cow::Owned(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newline_in_a_name_becomes_a_space() {
        let address = EnvelopeAddress::new("a@x.org").unwrap();
        let named = NamedAddress::new(Some("Evil\r\nBcc: b@x.org"), address.clone());
        assert_eq!(named.name(), Some("Evil Bcc: b@x.org"));
        assert!(named.is_repaired());
        assert_eq!(NamedAddress::new(Some("\n"), address.clone()).name(), None);
        assert!(!NamedAddress::new(Some("Ada"), address).is_repaired());
    }
}
