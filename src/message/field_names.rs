//! Which header fields contain addresses, and which a message may have only once.

/// Fields that hold lists of addresses (RFC 5322 section 3.6, and what mailers added).
const ADDRESS_FIELDS: [&str; 18] = [
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Bcc",
    "Resent-From",
    "Resent-Sender",
    "Resent-Reply-To",
    "Resent-To",
    "Resent-Cc",
    "Resent-Bcc",
    "Errors-To",
    "Return-Receipt-To",
    "Disposition-Notification-To",
    "Mail-Followup-To",
    "Mail-Reply-To",
    "Apparently-To",
];

/// Returns how we write the name of an address field; `None` if a field of that name, in any case,
/// holds no addresses.
pub(crate) fn address_field(name: &[u8]) -> Option<&'static str> {
    let mut fields = ADDRESS_FIELDS.into_iter();
    fields.find(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}

/// Returns whether a field of that name, in any case, holds addresses.
pub fn holds_addresses(name: &[u8]) -> bool {
    address_field(name).is_some()
}

/// Returns whether the body of an address field names nobody: `Cc:`, `Cc: <>`, `Cc: ,`. A group
/// without members, such as `undisclosed-recipients:;`, says something.
pub fn names_nobody(body: &str) -> bool {
    let is_no_word = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '<' | '>' | '"');
    body.chars().all(is_no_word)
}

/// The rule for a repeated field that a message may have only once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeated {
    /// They continue the list of the first, behind this separator.
    Joined(&'static str),
    /// The first counts.
    Superseded,
}

/// The fields that a message has once (RFC 5322 section 3.6, RFC 2045 section 3).
///
/// In the header of a part `premade::write` drops a second field of MIME.
pub(in crate::message) const ONCE: [(&str, Repeated); 13] = [
    ("From", Repeated::Superseded),
    ("Sender", Repeated::Superseded),
    ("Date", Repeated::Superseded),
    ("Message-ID", Repeated::Superseded),
    ("Subject", Repeated::Superseded),
    ("Content-Type", Repeated::Superseded),
    ("Content-Transfer-Encoding", Repeated::Superseded),
    ("Reply-To", Repeated::Joined(",")),
    ("To", Repeated::Joined(",")),
    ("Cc", Repeated::Joined(",")),
    ("Bcc", Repeated::Joined(",")),
    ("In-Reply-To", Repeated::Joined("")),
    ("References", Repeated::Joined("")),
];

/// Returns whether a message may have only one field of that name, in any case.
pub fn stands_once(name: &str) -> bool {
    ONCE.iter()
        .any(|(known, _)| name.eq_ignore_ascii_case(known))
}
