//! The header fields that a draft asks for, before a route adds or changes any.

use crate::address::NamedAddress;
use crate::compose::Draft;
use crate::message::premade::PremadeHeader;
use crate::message::{Fields, HeaderName, HeaderValue};

/// Adds to a finished message what the command line asks for, and Date and Message-ID where they
/// lack; no Bcc field is left in it.
pub(super) fn complete(header: &mut PremadeHeader, draft: &Draft) {
    header.remove("Bcc");
    header.remove("Resent-Bcc");
    header.remove("Fcc");
    let fields = fields(draft);
    for (name, body) in fields.iter() {
        // The To field of a draft without recipients is `undisclosed-recipients:;`, for a message
        // that names none at all; one with a Cc field names some.
        let is_known = header.contains(name.as_str()) || (name.is("To") && header.contains("Cc"));
        if !is_known {
            header.append(name.clone(), body.clone());
        }
    }
}

/// Returns the header fields in the order they are written.
pub(super) fn fields(draft: &Draft) -> Fields {
    let mut fields = Fields::new();
    let mut addresses = |name: &'static str, list: &[NamedAddress]| {
        if !list.is_empty() {
            fields.append(HeaderName::known(name), list.to_vec());
        }
    };
    addresses("From", &draft.from);
    addresses("Sender", draft.sender.as_slice());
    addresses("Reply-To", &draft.reply_to);
    addresses("To", &draft.to);
    addresses("Cc", &draft.cc);
    if draft.to.is_empty() && draft.cc.is_empty() {
        // RFC 5322 section 3.6.3 lets a message have no destination field, but relays object.
        if let Ok(nobody) = HeaderValue::new("undisclosed-recipients:;") {
            fields.append(HeaderName::known("To"), nobody);
        }
    }
    if let Some(subject) = &draft.subject {
        fields.append(HeaderName::known("Subject"), subject.clone());
    }
    for (name, text) in [("Date", &draft.date), ("Message-ID", &draft.message_id)] {
        if let Ok(value) = HeaderValue::new(text.as_str()) {
            fields.append(HeaderName::known(name), value);
        }
    }
    for (name, body) in &draft.fields {
        fields.append(name.clone(), body.clone());
    }
    fields
}
