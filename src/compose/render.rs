//! Rendering: a draft becomes the bytes of one message, as one route wants them.

use std::io;

use crate::address::{EnvelopeAddress, NamedAddress};
use crate::compose::Draft;
use crate::message::{
    Attachment, Composition, Fields, HeaderName, HeaderValue, MediaType, MessageSource, Wire,
};
use crate::sys::spool::Spool;

/// What differs between the routes.
#[derive(Clone, Debug)]
pub struct Style<'a> {
    /// 7-bit for other programs and hosts, 8-bit for mailboxes of this host.
    pub wire: Wire,
    /// The From field where none was asked for; `None` leaves it to the MTA.
    pub default_from: Option<NamedAddress>,
    /// The domain put behind bare names in the address fields.
    pub qualify: Option<&'a str>,
    /// Fields in front of all others.
    pub leading: Vec<(HeaderName, HeaderValue)>,
}

/// Writes a draft's message into a spool.
///
/// # Errors
/// Fails when an attachment cannot be read any more, or the spool not written.
pub fn render(draft: &Draft, style: &Style<'_>) -> io::Result<Spool> {
    let attachments: Vec<Attachment<'_>> = draft
        .attachments
        .iter()
        .map(|attached| Attachment {
            name: attached.name.clone(),
            content_type: None,
            charset: None,
            source: &attached.source,
        })
        .collect();
    let composition = Composition {
        fields: fields(draft, style),
        body: Some(&draft.body as &dyn MessageSource),
        body_type: draft
            .content_type
            .clone()
            .unwrap_or_else(MediaType::text_plain),
        attachments,
        alternative: None,
        omitted: Vec::new(),
        boundary_seed: draft.boundary_seed.clone(),
    };
    let mut spool = Spool::new();
    composition.write(style.wire, &mut spool)?;
    Ok(spool)
}

/// Returns the header fields in the order they are written.
fn fields(draft: &Draft, style: &Style<'_>) -> Fields {
    let mut fields = Fields::new();
    for (name, value) in &style.leading {
        fields.append(name.clone(), value.clone());
    }
    let mut addresses = |name: &'static str, list: &[NamedAddress]| {
        if !list.is_empty() {
            fields.append(HeaderName::known(name), qualified(list, style.qualify));
        }
    };
    match &style.default_from {
        Some(from) if draft.from.is_empty() => addresses("From", std::slice::from_ref(from)),
        _ => addresses("From", &draft.from),
    }
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
    for (name, value) in &draft.fields {
        fields.append(name.clone(), value.clone());
    }
    fields
}

/// Puts a domain behind bare names; an address that would become too long stays as it is.
fn qualified(list: &[NamedAddress], domain: Option<&str>) -> Vec<NamedAddress> {
    list.iter()
        .map(|named| match (domain, named.address().is_local_name()) {
            (Some(domain), true) => {
                match EnvelopeAddress::new(format!("{}@{domain}", named.address())) {
                    Ok(address) => named.clone().with_address(address),
                    Err(_) => named.clone(),
                }
            }
            _ => named.clone(),
        })
        .collect()
}
