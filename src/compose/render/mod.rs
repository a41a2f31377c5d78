//! Rendering: a draft becomes the bytes of one message, as one route wants them.

use std::io;

use crate::address::{NamedAddress, ReversePath, parse_list};
use crate::compose::Draft;
use crate::message::premade::PremadeHeader;
use crate::message::{
    self, Alternative, Attachment, Composition, FieldBody, Fields, HeaderName, HeaderValue,
    MediaType, MessageSource, Omitted, Wire,
};
use crate::sys::spool::Spool;

mod neutral;

pub use neutral::{NeutralHeader, neutral_header};

/// The differences between the routes.
#[derive(Clone, Debug)]
pub struct Style<'a> {
    /// 7-bit for other programs and hosts, 8-bit for mailboxes of this host.
    pub wire: Wire,
    /// The From field where none was asked for; `None` leaves it to the MTA.
    pub default_from: Option<NamedAddress>,
    /// The domain that is added to bare names in the address fields.
    pub qualify: Option<&'a str>,
    /// The largest message that may go this way, in bytes.
    pub limit: Option<u64>,
    /// Fields in front of all others.
    pub leading: Vec<(HeaderName, HeaderValue)>,
}

/// A message as one route wants it.
#[derive(Debug)]
pub struct Rendered {
    /// Its bytes.
    pub message: Spool,
    /// Attachments that were too large and are only named in it.
    pub omitted: Vec<Omitted>,
}

/// Writes a draft's message into a spool.
///
/// # Errors
/// Fails when an attachment cannot be read any more, or the spool not written.
pub fn render(draft: &Draft, style: &Style<'_>) -> io::Result<Rendered> {
    if let Some(header) = &draft.premade {
        return Ok(Rendered {
            message: premade(header.clone(), draft, style)?,
            omitted: Vec::new(),
        });
    }
    let attachments: Vec<Attachment<'_>> = draft
        .attachments
        .iter()
        .map(|attached| Attachment {
            name: attached.name.clone(),
            content_type: attached.content_type.clone(),
            charset: attached.charset.clone(),
            content_id: attached.content_id.clone(),
            source: &attached.source,
        })
        .collect();
    let mut composition = Composition {
        fields: fields(draft, style),
        body: Some(&draft.body as &dyn MessageSource),
        body_type: draft
            .content_type
            .clone()
            .unwrap_or_else(MediaType::text_plain),
        alternative: draft.html.as_ref().map(|html| Alternative {
            source: html,
            media_type: MediaType::text_html(),
        }),
        attachments,
        omitted: Vec::new(),
        wishes: draft.wishes,
        boundary_seed: draft.boundary_seed.clone(),
    };
    if let Some(limit) = style.limit {
        // The whole size is measured first: `fit` would leave attachments out until it fits.
        if draft.strict_size && composition.size(style.wire)? > limit {
            let what = format!("the message is larger than {limit} bytes");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
        }
        composition.fit(style.wire, limit)?;
    }
    let mut spool = Spool::new();
    composition.write(style.wire, &mut spool)?;
    Ok(Rendered {
        message: spool,
        omitted: composition.omitted,
    })
}

/// Writes a message that somebody else composed, with what it lacks.
fn premade(mut header: PremadeHeader, draft: &Draft, style: &Style<'_>) -> io::Result<Spool> {
    complete(&mut header, draft, style);
    match &style.default_from {
        Some(from) if !header.contains("From") => {
            // As every sendmail has it, the envelope sender is the author.
            let asked = draft
                .envelope_sender
                .as_ref()
                .and_then(ReversePath::address);
            let asked = asked.map(|sender| {
                let name = draft.full_name.as_ref().map(HeaderValue::as_str);
                NamedAddress::new(name, sender.clone())
            });
            let from = asked.unwrap_or_else(|| from.clone());
            header.append(HeaderName::known("From"), vec![from]);
        }
        _ => {}
    }
    if let Some(domain) = style.qualify {
        qualify_fields(&mut header, domain);
    }
    // Each goes on top of the one before, so the first is put there last.
    for (name, value) in style.leading.iter().rev() {
        header.prepend(name.clone(), value.clone());
    }
    let mut spool = Spool::new();
    message::premade::write(&header, &draft.body, style.wire, &mut spool)?;
    Ok(spool)
}

/// Adds a domain to the bare names in the address fields, because relays refuse bare names.
fn qualify_fields(header: &mut PremadeHeader, domain: &str) {
    for name in ["From", "Sender", "Reply-To", "To", "Cc"] {
        let Some(list) = header
            .get(name)
            .map(|field| parse_list(&message::decode_text(&field.value())))
        else {
            continue;
        };
        // A field that is no list of addresses is not ours to mend.
        let Ok(list) = list.into_iter().collect::<Result<Vec<NamedAddress>, _>>() else {
            continue;
        };
        let qualified = qualified(&list, Some(domain));
        // Two fields of one name break RFC 5322 section 3.6, and a receiver may believe either:
        // both stay as they are.
        if qualified != list && header.count(name) == 1 {
            header.remove(name);
            header.append(HeaderName::known(name), qualified);
        }
    }
}

/// Adds to a finished message what the command line asks for, and Date and Message-ID where they
/// lack; no Bcc field is left in it.
fn complete(header: &mut PremadeHeader, draft: &Draft, style: &Style<'_>) {
    header.remove("Bcc");
    header.remove("Resent-Bcc");
    header.remove("Fcc");
    let fields = fields(draft, style);
    for (name, body) in fields.iter() {
        // The caller has chosen the From field for a message that has none. The To field of a
        // draft without recipients is `undisclosed-recipients:;`, for a message that names none
        // at all; one with a Cc field names some. The leading fields are put in front later.
        let is_known = header.contains(name.as_str())
            || style.leading.iter().any(|(leading, _)| leading == name)
            || (name.is("From") && draft.from.is_empty())
            || (name.is("To") && header.contains("Cc"));
        if !is_known {
            header.append(name.clone(), body.clone());
        }
    }
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
    for (name, body) in &draft.fields {
        let body = match body {
            FieldBody::Addresses(list) => qualified(list, style.qualify).into(),
            FieldBody::Text(_) => body.clone(),
        };
        fields.append(name.clone(), body);
    }
    fields
}

/// Adds a domain to bare names; an address that would become too long is not changed.
fn qualified(list: &[NamedAddress], domain: Option<&str>) -> Vec<NamedAddress> {
    let Some(domain) = domain else {
        return list.to_vec();
    };
    list.iter()
        .map(|named| {
            let address = named.address().qualified(domain);
            named.clone().with_address(address)
        })
        .collect()
}
