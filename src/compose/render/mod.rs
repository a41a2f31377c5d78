//! Rendering: a draft becomes the bytes of one message, as one route wants them.

use std::io;

use crate::address::NamedAddress;
use crate::compose::Draft;
use crate::message::premade::PremadeHeader;
use crate::message::{
    self, Alternative, Attachment, Composition, Fields, HeaderName, HeaderValue, MediaType,
    MessageSource, Omitted, Wire,
};
use crate::sys::spool::Spool;

mod fields;
mod neutral;
mod people;

pub(crate) use neutral::neutral_header;
pub use people::Change;
pub(crate) use people::{Header, People, PeopleField};

/// The differences between the routes.
#[derive(Clone, Debug)]
pub struct Style<'a> {
    /// 7-bit for other programs and hosts, 8-bit for mailboxes of this host.
    pub wire: Wire,
    /// The From field where none was asked for; `None` leaves it to the MTA.
    pub default_from: Option<NamedAddress>,
    /// What the route changes in the address fields of [`Header::of`].
    pub changes: &'a [Change],
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
    let mut header = Header::of(draft);
    header.change(style.changes);
    let fields = match header {
        Header::Made(fields) => with_leading(fields, style),
        Header::Premade(header) => {
            return Ok(Rendered {
                message: premade(header, draft, style)?,
                omitted: Vec::new(),
            });
        }
    };
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
        fields,
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

/// Returns the fields of a composed message with what the route puts in front.
fn with_leading(fields: Fields, style: &Style<'_>) -> Fields {
    let mut all = Fields::new();
    for (name, value) in &style.leading {
        all.append(name.clone(), value.clone());
    }
    let has_from = fields.iter().any(|(name, _)| name.is("From"));
    if let Some(from) = style.default_from.clone().filter(|_| !has_from) {
        all.append(HeaderName::known("From"), vec![from]);
    }
    for (name, body) in fields.into_vec() {
        all.append(name, body);
    }
    all
}

/// Writes a message that somebody else composed, with what it lacks.
fn premade(mut header: PremadeHeader, draft: &Draft, style: &Style<'_>) -> io::Result<Spool> {
    match &style.default_from {
        Some(from) if !header.contains("From") => {
            // As every sendmail has it, the envelope sender is the author.
            let from = draft.envelope_author().unwrap_or_else(|| from.clone());
            header.append(HeaderName::known("From"), vec![from]);
        }
        _ => {}
    }
    // Each goes on top of the one before, so the first is put there last.
    for (name, value) in style.leading.iter().rev() {
        header.prepend(name.clone(), value.clone());
    }
    let mut spool = Spool::new();
    message::premade::write(&header, &draft.body, style.wire, &mut spool)?;
    Ok(spool)
}
