//! The neutral header: what an outbox entry says of a message before a route is known.
//!
//! It names the people as the one who sends the mail named them. What a route adds is left out: a
//! default From field, the senders of `from=` and `sender=`, domains behind bare names. An entry is
//! sent with the settings as they are then, and gets these anew.

use std::io::{self, BufRead, BufReader};

use super::{Header, Rendered};
use crate::compose::Draft;
use crate::message::premade::PremadeHeader;
use crate::sys::spool::Spool;

/// A neutral header, and where the body that belongs to it begins in the rendered message.
#[derive(Debug)]
pub(crate) struct NeutralHeader {
    /// The header with the empty line after it; lines end in LF.
    pub header: Vec<u8>,
    /// The offset of the body in the rendered message.
    pub body_offset: u64,
}

/// Returns the neutral header of a draft, for the body of this message that was rendered of it.
///
/// # Errors
/// Fails when the rendered message cannot be read.
pub(crate) fn neutral_header(draft: &Draft, rendered: &Rendered) -> io::Result<NeutralHeader> {
    // Only what a finished message lacks can come from a variable.
    let has_own = |name: &str| draft.premade.as_ref().is_some_and(|own| own.contains(name));
    let mut header = match Header::of(draft) {
        Header::Premade(header) => header,
        Header::Made(fields) => {
            let mut header = PremadeHeader::default();
            for (name, body) in fields.iter() {
                header.append(name.clone(), body.clone());
            }
            header
        }
    };
    if draft.by_variable.from && !has_own("From") {
        header.remove("From");
    }
    if draft.by_variable.sender && !has_own("Sender") {
        header.remove("Sender");
    }
    let mut bytes: Vec<u8> = Vec::new();
    for field in header.iter().filter(|field| !is_of_mime(field.raw())) {
        bytes.extend_from_slice(field.raw());
    }
    // How the body is written is said by the message that holds it.
    let written = written_header(&rendered.message)?;
    let mut is_wanted = false;
    for line in written.split_inclusive(|byte| *byte == b'\n') {
        // A line that begins with a blank continues the field before it.
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            is_wanted = is_of_mime(line);
        }
        if is_wanted {
            bytes.extend_from_slice(line);
        }
    }
    bytes.push(b'\n');
    Ok(NeutralHeader {
        header: bytes,
        body_offset: written.len() as u64 + 1,
    })
}

/// Returns the header of a message that we have written, without the empty line after it.
fn written_header(message: &Spool) -> io::Result<Vec<u8>> {
    let mut reader = BufReader::new(message.reader());
    let mut header = Vec::new();
    loop {
        let start = header.len();
        // A header that we have written has no limit: it may name a hundred thousand recipients.
        if reader.read_until(b'\n', &mut header)? == 0 || header[start..] == *b"\n" {
            header.truncate(start);
            return Ok(header);
        }
    }
}

/// Returns whether the field that begins so says how the body is written (RFC 2045).
fn is_of_mime(field: &[u8]) -> bool {
    ["Content-", "MIME-Version:"].iter().any(|start| {
        field
            .get(..start.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(start.as_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::{EnvelopeAddress, NamedAddress, ReversePath};
    use crate::compose::draft::ByVariable;
    use crate::compose::render::{Style, render};
    use crate::message::premade::Reading;
    use crate::message::{HeaderValue, Wire};
    use std::io::Read;

    fn address(text: &str) -> NamedAddress {
        EnvelopeAddress::new(text).unwrap().into()
    }

    /// Returns a draft to root, from `from`.
    fn draft(by_variable: ByVariable) -> Draft {
        Draft {
            to: vec![address("root")],
            from: vec![address("alerts@example.org")],
            sender: Some(address("bounces@example.org")),
            envelope_sender: Some(ReversePath::Address(
                address("bounces@example.org").address().clone(),
            )),
            subject: HeaderValue::new("disk full").ok(),
            body: Spool::read_from(&mut "größe\n".as_bytes()).unwrap(),
            by_variable,
            ..Draft::default()
        }
    }

    fn premade(text: &str, by_variable: ByVariable) -> Draft {
        let body = Spool::read_from(&mut text.as_bytes()).unwrap();
        Draft {
            premade: Some(PremadeHeader::read(&body, Reading::default()).unwrap()),
            body,
            ..draft(by_variable)
        }
    }

    fn style() -> Style<'static> {
        Style {
            wire: Wire::SevenBit,
            default_from: Some(address("login@vm")),
            changes: &[],
            limit: None,
            leading: Vec::new(),
        }
    }

    /// Returns the neutral header, and the whole message of it with the body that was rendered.
    fn entry(draft: &Draft) -> (String, Vec<u8>) {
        let rendered = render(draft, &style()).unwrap();
        let neutral = neutral_header(draft, &rendered).unwrap();
        let mut whole = neutral.header.clone();
        let body = rendered.message.tail(neutral.body_offset).unwrap();
        body.reader().read_to_end(&mut whole).unwrap();
        (String::from_utf8(neutral.header).unwrap(), whole)
    }

    const ALL: ByVariable = ByVariable {
        from: true,
        sender: true,
        envelope: true,
    };

    #[test]
    fn senders_of_variables_are_left_out_and_given_ones_stay() {
        let own = "From: Cron <root>\nSender: root\nTo: root\nSubject: x\n\nö\n";
        let bare = "To: root\nSubject: x\n\nö\n";
        let (given, none) = (ByVariable::default(), None);
        let table = [
            (
                draft(given),
                Some("alerts@example.org"),
                Some("bounces@example.org"),
            ),
            (draft(ALL), none, none),
            (premade(own, given), Some("Cron <root>"), Some("root")),
            (premade(own, ALL), Some("Cron <root>"), Some("root")),
            (premade(bare, ALL), none, none),
            (
                premade(bare, given),
                Some("alerts@example.org"),
                Some("bounces@example.org"),
            ),
        ];
        for (draft, from, sender) in table {
            let (header, _) = entry(&draft);
            let field = |name: &str| header.lines().find_map(|line| line.strip_prefix(name));
            assert_eq!(field("From: "), from, "{header}");
            assert_eq!(field("Sender: "), sender, "{header}");
            assert_eq!(field("To: "), Some("root"), "{header}");
            assert_eq!(draft.given_sender().is_none(), draft.by_variable.envelope);
        }
    }

    #[test]
    fn the_header_says_how_the_body_is_written() {
        let lists = "a@example.org, ".repeat(90_000);
        for draft in [
            draft(ALL),
            premade("To: root\nContent-Type: text/plain\n\nö\n", ALL),
            premade(
                &format!("To: {lists}b@example.org\nMIME-Version: 1.0\n\nö\n"),
                ALL,
            ),
            Draft {
                to: vec![address("somebody@example.org"); 60_000],
                ..draft(ALL)
            },
        ] {
            let (header, whole) = entry(&draft);
            let of = |name: &str| header.matches(name).count();
            assert_eq!(of("\nContent-Type: text/plain; charset=utf-8\n"), 1);
            assert_eq!(of("\nContent-Transfer-Encoding: "), 1);
            assert!(header.ends_with("\n\n") && !header.trim_end().contains("\n\n"));
            let body = &whole[header.len()..];
            assert!(body.is_ascii() && !body.is_empty() && !body.starts_with(b"\n"));
        }
    }
}
