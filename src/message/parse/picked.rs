//! A message without some of its header fields.

use super::fields;

/// Returns a message with those header fields that `keep` wants; all other bytes are as they were.
///
/// `keep` gets the name of a field, or `None` for a From_ line that an old mailer left in the header.
/// `message` begins with its header block and has no From_ line of its own.
pub fn picked(message: &[u8], mut keep: impl FnMut(Option<&[u8]>) -> bool) -> Vec<u8> {
    let (header, _) = fields::split_header(message);
    let mut out = Vec::with_capacity(message.len());
    let mut is_kept = true;
    let mut has_field = false;
    let mut at = 0;
    while at < header.len() {
        let rest = &header[at..];
        let len = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        // The line is judged with what follows it in the whole message, as `split_header` did.
        match fields::header_line(&message[at..], has_field) {
            fields::HeaderLine::Field => {
                has_field = true;
                let name_len = fields::field_name_len(rest).unwrap_or(0);
                is_kept = keep(Some(&rest[..name_len]));
            }
            fields::HeaderLine::OldFromLine => is_kept = keep(None),
            fields::HeaderLine::Separator => is_kept = true,
            _ => {}
        }
        if is_kept {
            out.extend_from_slice(&rest[..len]);
        }
        at += len;
    }
    out.extend_from_slice(&message[header.len()..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_bytes_stay() {
        let message =
            b"A: 1\r\nB : x\r\n y\r\n>From z Mon Nov 16 09:00:00 2026\r\nC: \xff\r\n\r\nB: text\n";
        let found = picked(message, |name| name.is_some_and(|name| name != b"B"));
        assert_eq!(found, b"A: 1\r\nC: \xff\r\n\r\nB: text\n");
        assert_eq!(picked(message, |_| true), message);
        assert_eq!(picked(b"B: 1\n\n", |_| false), b"\n");
        assert_eq!(picked(b"no header\n", |_| false), b"no header\n");
    }
}
