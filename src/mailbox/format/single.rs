//! A file that is one message, without a From_ line: `.eml` as mailers export it.

use std::io;

use super::header_meter::HeaderMeter;
use super::mbox::{MessageRef, SHOWN_HEADER, fingerprint_of};
use crate::mailbox::flags::StatusFields;
use crate::mailbox::read_at::{ReadAt, read_full};
use crate::message::parse::fields::{field_name_len, find};

/// The fields that make a file of header fields a message. RFC 5322 section 3.6 demands a date and an
/// author of each; one that was only received has the trace of it.
const OF_MAIL: [&str; 6] = [
    "from",
    "date",
    "received",
    "return-path",
    "message-id",
    "subject",
];

/// How many of them there must be: a single `Date:` begins other files too.
const ENOUGH: usize = 2;

/// How much is read at once.
const BLOCK: usize = 64 * 1024;

/// Finds the one message of a file; `None` if the file does not begin as a message does. Returns the
/// From_ line and header block too, cut at 64 KiB.
pub(in crate::mailbox) fn scan<S: ReadAt + ?Sized>(
    source: &S,
    size: u64,
) -> io::Result<Option<(MessageRef, Vec<u8>)>> {
    let mut meter = HeaderMeter::default();
    let mut header = Vec::new();
    let mut block = vec![0; BLOCK];
    let mut at = 0;
    while !meter.is_done() {
        let count = read_full(source, &mut block, at)?;
        if at == 0 && field_name_len(&block[..count]).is_none() {
            return Ok(None);
        }
        at += count as u64;
        let room = SHOWN_HEADER.saturating_sub(header.len());
        header.extend_from_slice(&block[..count.min(room)]);
        meter.take(&block[..count], count < BLOCK || at >= size);
    }
    header.truncate(usize::try_from(meter.len()).unwrap_or(SHOWN_HEADER));
    // An mbox that something was put before: it may have more messages.
    let is_separator = |line: &[u8]| line.starts_with(b"From ");
    if header.split(|byte| *byte == b'\n').any(is_separator) {
        return Ok(None);
    }
    let fields = OF_MAIL.iter().filter(|name| find(&header, name).is_some());
    if fields.count() < ENOUGH {
        return Ok(None);
    }
    let mut status = StatusFields::default();
    for line in header.split_inclusive(|byte| *byte == b'\n') {
        status.read(line);
    }
    let message = MessageRef {
        len: size,
        header_len: u32::try_from(meter.len()).unwrap_or(u32::MAX),
        flags: status.flags(),
        fingerprint: fingerprint_of(&header),
        is_strict: true,
        ..MessageRef::default()
    };
    Ok(Some((message, header)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_begins_with_the_fields_of_a_mail_is_one_message() {
        let rows: [(&[u8], Option<u32>); 10] = [
            (
                b"Received: by x\nFrom a@x Tue Jan  7 12:09:16 2003\nDate: today\n\n",
                None,
            ),
            (b"From: a@x\nSubject: s\n\nbody\n", Some(22)),
            (
                b"Received: by x;\n\tfolded\r\nDate: today\r\n\r\nbody",
                Some(40),
            ),
            // A header alone is a message too.
            (b"From: a@x\nDate: today\n", Some(22)),
            (b"Date: today\n\nnotes\n", None),
            (b"name: x\nversion: 1\n", None),
            (b"body From: a@x\nDate: today\n\n", None),
            (b"\nFrom: a@x\nDate: today\n\n", None),
            (b"#!/bin/sh\n", None),
            (b"", None),
        ];
        for (text, expected) in rows {
            let found = scan(text, text.len() as u64).expect("memory");
            let header_len = found.map(|(message, _)| message.header_len);
            assert_eq!(header_len, expected, "{:?}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn a_header_of_any_length_is_measured() {
        let mut text = b"From: a@x\nDate: today\n".to_vec();
        text.extend(b"X-Long: ".iter().chain(&vec![b'x'; 300_000]));
        text.extend(b"\nX-Status: F\n\nbody\n");
        let (message, header) = scan(&text[..], text.len() as u64)
            .expect("memory")
            .expect("a message");
        assert_eq!(message.header_len as usize, text.len() - b"body\n".len());
        assert_eq!(header.len(), SHOWN_HEADER);
    }
}
