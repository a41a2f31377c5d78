//! The fields of a header block that mail readers change, and the fingerprint of a message: a hash
//! of everything else in its header.
//!
//! Another reader may set flags, and a deliverer may insert mail, between two of our looks at a
//! mailbox. Offsets and flags then differ, the fingerprint does not, so that the message can be
//! found again.

use memchr::memchr;
use twox_hash::XxHash3_64;

use super::index::SHOWN_HEADER;
use crate::mailbox::flags::field_body;

/// The fields beginning with `X-` in which mail readers keep what they know of a message.
///
/// [`may_change`] also knows `Status`, `Content-Length` and `Lines`.
const CHANGING: [&[u8]; 7] = [
    b"x-status:",
    b"x-uid:",
    b"x-keywords:",
    b"x-imapbase:",
    b"x-mozilla-status:",
    b"x-mozilla-status2:",
    b"x-mozilla-keys:",
];

/// The first bytes of the fields at which the scanner has to look: those that [`may_change`] knows.
const FIRST_BYTES: [bool; 256] = {
    let mut table = [false; 256];
    let mut remaining: &[u8] = b"SsXxCcLl";
    while let [first, others @ ..] = remaining {
        table[*first as usize] = true;
        remaining = others;
    }
    table
};

/// Returns whether a header line that starts with this byte can mean anything to the scanner.
///
/// Most lines of a header are excluded by this one lookup.
#[inline]
pub(super) fn is_worth_a_look(first: u8) -> bool {
    FIRST_BYTES[usize::from(first)]
}

/// Returns whether a line of a header block is a field that mail readers change.
pub(super) fn may_change(line: &[u8]) -> bool {
    match line {
        [b'S' | b's', b't' | b'T', ..] => field_body(line, b"status:").is_some(),
        [b'X' | b'x', b'-', third, ..] if b"sukimSUKIM".contains(third) => {
            CHANGING.iter().any(|name| field_body(line, name).is_some())
        }
        [b'C' | b'c', ..] => field_body(line, b"content-length:").is_some(),
        [b'L' | b'l', ..] => field_body(line, b"lines:").is_some(),
        _ => false,
    }
}

/// Returns the fingerprint of a message with this From_ line and header block: a hash of its first
/// 64 KiB without the fields that mail readers change.
///
/// The scanner computes the same value from the places of these fields, without this second search.
pub(in crate::mailbox) fn fingerprint_of(block: &[u8]) -> u64 {
    // A scan that goes past the limit saw no more of the header than this.
    let block = &block[..block.len().min(SHOWN_HEADER)];
    let mut kept = Vec::with_capacity(block.len());
    let mut at = 0;
    while at < block.len() {
        let end = memchr(b'\n', &block[at..]).map_or(block.len(), |end| at + end + 1);
        if !may_change(&block[at..end]) {
            kept.extend_from_slice(&block[at..end]);
        }
        at = end;
    }
    XxHash3_64::oneshot(&kept)
}

/// Returns the value of a `Content-Length` field; `None` for another field or for no number.
pub(super) fn content_length(line: &[u8]) -> Option<u64> {
    let body = field_body(line, b"content-length:")?.trim_ascii();
    std::str::from_utf8(body).ok()?.parse().ok()
}
