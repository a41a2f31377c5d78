//! A forwarded message: as text with a small header, or as an attachment.

use super::quote::{IN_MAIL, chosen_fields};
use super::subject;
use crate::compose::request::{Carried, Request};
use crate::config::FieldLists;
use crate::message::parse::{Content, Part, display, fields, picked, structure};
use crate::sanitize;

/// The line above a forwarded text.
const FIRST_LINE: &str = "-------- Original message --------";

/// The fields that a mailbox keeps in a message; no other host is to see them.
const OF_MAILBOX: [&str; 11] = [
    "status",
    "x-status",
    "x-keywords",
    "x-uid",
    "x-imap",
    "x-imapbase",
    "x-mozilla-status",
    "x-mozilla-status2",
    "x-mozilla-keys",
    "content-length",
    "lines",
];

/// Returns the request of a mail that forwards this message; whom to, the caller knows.
pub(crate) fn forward(message: &[u8]) -> Request {
    let (_, message) = fields::split_from_line(message);
    let header = fields::split_header(message).0;
    Request {
        subject: Some(subject::of_forward(header).into()),
        ..Request::default()
    }
}

/// Hands the text of a forwarded message to `emit`: a line, the fields that its reader needs by these
/// lists, and its text, all safe to show.
pub(crate) fn inline_text(message: &[u8], lists: &FieldLists, emit: &mut dyn FnMut(&str)) {
    let (_, message) = fields::split_from_line(message);
    let header = fields::split_header(message).0;
    emit(FIRST_LINE);
    emit("\n");
    emit(&chosen_fields(header, lists));
    let mut ends = true;
    display::each_of_text(message, IN_MAIL, &mut |piece| {
        ends = piece.ends_with('\n');
        emit(&sanitize::text(piece.as_bytes()));
    });
    if !ends {
        emit("\n");
    }
}

/// Returns the parts of a message that its forwarded text does not show: what was attached to it, and
/// messages in it.
pub(crate) fn forwarded_parts(message: &[u8]) -> Vec<Carried> {
    let (_, message) = fields::split_from_line(message);
    let found = structure(message);
    let mut parts = Vec::new();
    gather(&found.parts, false, &mut parts);
    parts
}

/// Gathers parts; `shown_by_html` says whether they stand beside HTML that may show them.
fn gather(parts: &[Part<'_>], shown_by_html: bool, found: &mut Vec<Carried>) {
    for part in parts {
        match &part.content {
            // The forms that are not shown say the same, but a picture beside HTML is content.
            Content::Multipart(parts) => gather(parts, part.is("multipart/related"), found),
            Content::Message(..) => found.push(carried(part, false)),
            Content::Leaf => {
                let is_text = part.media_type.starts_with("text/") && !part.attachment;
                if part.file_name.is_some() || !is_text {
                    found.push(carried(part, shown_by_html));
                }
            }
        }
    }
}

fn carried(part: &Part<'_>, shown_by_html: bool) -> Carried {
    let is_message = matches!(part.content, Content::Message(..));
    let extension = if is_message { ".eml" } else { "" };
    let name = part.file_name.clone();
    let mut bytes = part.decoded().into_owned();
    // The line end before a boundary belongs to the boundary; a message of its own needs one.
    if is_message && !bytes.ends_with(b"\n") {
        bytes.push(b'\n');
    }
    Carried {
        name: name.unwrap_or_else(|| format!("part-{}{extension}", part.number)),
        media_type: part.media_type.clone(),
        charset: part.charset.clone(),
        // A picture of HTML stays one: readers show it with the text, and not as a file.
        content_id: part.content_id.clone().filter(|_| shown_by_html),
        bytes: bytes.into(),
    }
}

/// Returns a whole message as an attachment.
pub(crate) fn attached(message: &[u8]) -> Carried {
    let mut bytes = without_mailbox_fields(message);
    if !bytes.ends_with(b"\n") {
        bytes.push(b'\n');
    }
    Carried {
        name: "message.eml".to_owned(),
        media_type: "message/rfc822".to_owned(),
        charset: None,
        content_id: None,
        bytes: bytes.into(),
    }
}

/// Returns a message without its From_ line and without the fields that a mailbox keeps in it; all
/// other bytes are as they were.
pub(crate) fn without_mailbox_fields(message: &[u8]) -> Vec<u8> {
    let (_, message) = fields::split_from_line(message);
    // An old From_ line is the mark of a mailbox, too.
    picked(message, |name| {
        name.is_some_and(|name| {
            !OF_MAILBOX
                .iter()
                .any(|own| name.eq_ignore_ascii_case(own.as_bytes()))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIXED: &str = "From a Mon Nov 16 09:00:00 2026\nFrom: a@x\nDate: Mon, 16 Nov 2026 09:00:00 +0000\n\
        To: b@x\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\nStatus: RO\nX-Status: A\nX-Spam: no\n\
        Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhello\n--b\n\
        Content-Type: application/pdf; name=\"r.pdf\"\nContent-Transfer-Encoding: base64\n\n\
        JVBERg==\n--b\nContent-Type: message/rfc822\n\nSubject: inner\n\ntext\n--b--\n";

    #[test]
    fn the_text_has_a_small_header() {
        let mut text = String::new();
        inline_text(MIXED.as_bytes(), &FieldLists::default(), &mut |piece| {
            text.push_str(piece);
        });
        let start = "-------- Original message --------\nFrom: a@x\n\
            Date: Mon, 16 Nov 2026 09:00:00 +0000\nTo: b@x\nSubject: Grüße\n\nhello\n";
        assert!(text.starts_with(start), "{text}");
        assert_eq!(
            forward(MIXED.as_bytes()).subject.as_deref(),
            Some("Fwd: Grüße".as_ref())
        );
    }

    #[test]
    fn what_was_attached_goes_along_with_its_bytes() {
        let parts = forwarded_parts(MIXED.as_bytes());
        let shown: Vec<(&str, &str, &[u8])> = parts
            .iter()
            .map(|part| (&*part.name, &*part.media_type, &*part.bytes))
            .collect();
        assert_eq!(
            shown,
            [
                ("r.pdf", "application/pdf", &b"%PDF"[..]),
                ("part-3.eml", "message/rfc822", b"Subject: inner\n\ntext\n"),
            ]
        );
    }

    #[test]
    fn a_message_goes_without_what_its_mailbox_put_in() {
        let found = without_mailbox_fields(MIXED.as_bytes());
        let found = String::from_utf8(found).unwrap();
        let (_, expected) = MIXED.split_once('\n').unwrap();
        let expected = expected.replace("Status: RO\nX-Status: A\n", "");
        assert_eq!(found, expected);
        // Nothing else changes: line ends, bytes, a folded field of another name.
        for (message, expected) in [
            (
                &b"A: 1\r\nStatus: R\r\n O\r\nB: \xff\r\n 2\r\n\r\nStatus: O\r\n\xfe"[..],
                &b"A: 1\r\nB: \xff\r\n 2\r\n\r\nStatus: O\r\n\xfe"[..],
            ),
            (b"no header\nStatus: O\n", b"no header\nStatus: O\n"),
            (b"Content-Length: 4\nSubject: x\n\ny", b"Subject: x\n\ny"),
            (b"", b""),
        ] {
            assert_eq!(without_mailbox_fields(message), expected);
        }
    }
}
