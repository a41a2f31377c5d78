//! Header fields as they stand in a message: found and unfolded, but not interpreted.
//!
//! The functions work on the bytes of a header block, with or without a From_
//! line in front, with LF or CRLF lines; lines that are no field are passed
//! over. Their time is linear in the size of the block.

use std::borrow::Cow;

use memchr::memchr;

/// One header field: its name and its field body, folds included, without the last line end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// The name, as written.
    pub name: &'a [u8],
    /// What follows the colon, blanks in front removed.
    pub body: &'a [u8],
}

impl Field<'_> {
    /// Returns whether this is the field of that name, in any case (RFC 5322 section 1.2.2).
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

/// Returns the fields of a header block, up to its empty line or end.
///
/// A From_ line (or a `>From ` one, which old mailers left there) and lines
/// that are no field are passed over.
pub fn fields(block: &[u8]) -> FieldIter<'_> {
    FieldIter { rest: block }
}

/// Returns the body of the first field of that name.
pub fn find<'a>(block: &'a [u8], name: &str) -> Option<&'a [u8]> {
    fields(block).find(|field| field.is(name)).map(|f| f.body)
}

/// An iterator over header fields; see [`fields`].
#[derive(Clone, Debug)]
pub struct FieldIter<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for FieldIter<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        loop {
            let end = field_end(self.rest);
            let (whole, rest) = self.rest.split_at(end);
            // The empty line ends the header; behind it everything is body.
            if whole.is_empty() || trim_line_end(whole).is_empty() {
                self.rest = &[];
                return None;
            }
            self.rest = rest;
            if let Some(field) = split(whole) {
                return Some(field);
            }
        }
    }
}

/// Returns the place after the first line and the lines that continue it.
fn field_end(block: &[u8]) -> usize {
    let mut end = 0;
    while let Some(length) = memchr(b'\n', &block[end..]) {
        end += length + 1;
        // A line of blanks continues a field, too: RFC 5322 section 4.2 lets old mail fold so.
        if !matches!(block.get(end), Some(b' ' | b'\t')) {
            return end;
        }
    }
    block.len()
}

fn split(whole: &[u8]) -> Option<Field<'_>> {
    let colon = memchr(b':', whole)?;
    // Blanks before the colon are obsolete syntax, and mail has them (RFC 5322 section 4.5).
    let name = whole[..colon].trim_ascii_end();
    let printable = |byte: &u8| matches!(byte, b'!'..=b'~');
    if name.is_empty() || !name.iter().all(printable) {
        return None;
    }
    let body = trim_line_end(&whole[colon + 1..]);
    let start = body
        .iter()
        .position(|byte| !matches!(byte, b' ' | b'\t'))
        .unwrap_or(body.len());
    Some(Field {
        name,
        body: &body[start..],
    })
}

/// Returns a line without its LF or CRLF.
pub fn trim_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Returns a field body on one line: the line ends of folds removed (RFC 5322 section 2.2.3), ends trimmed.
pub fn unfold(body: &[u8]) -> Cow<'_, [u8]> {
    let body = body.trim_ascii();
    if memchr(b'\n', body).is_none() {
        return Cow::Borrowed(body);
    }
    let mut out = Vec::with_capacity(body.len());
    for (number, line) in body.split(|&byte| byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // A line without a blank in front is no fold: its first word must not run into the last one.
        if number > 0 && !matches!(line.first(), Some(b' ' | b'\t')) {
            out.push(b' ');
        }
        out.extend_from_slice(line);
    }
    Cow::Owned(out)
}

/// Returns the header block and the rest of a message without its From_ line; the empty line belongs to neither.
pub fn split_header(message: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    while at < message.len() {
        let end = memchr(b'\n', &message[at..]).map_or(message.len(), |length| at + length + 1);
        if trim_line_end(&message[at..end]).is_empty() {
            return (&message[..at], &message[end..]);
        }
        at = end;
    }
    (message, &[])
}

/// Returns the From_ line, without its line end, and what follows it.
pub fn split_from_line(message: &[u8]) -> (Option<&[u8]>, &[u8]) {
    if !message.starts_with(b"From ") {
        return (None, message);
    }
    let end = memchr(b'\n', message).map_or(message.len(), |length| length + 1);
    (Some(trim_line_end(&message[..end])), &message[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_in_odd_blocks() {
        let block =
            b"From a@b Mon Nov 16 09:00:00 2026\r\n>From old\r\nSubject: a\r\n b\r\nno field\r\n\
            Empty:\r\nX-Blank : y\r\nTo:\tz\r\n\r\nBody: no\r\n";
        let found: Vec<(&str, &str)> = fields(block)
            .map(|field| {
                (
                    std::str::from_utf8(field.name).unwrap(),
                    std::str::from_utf8(field.body).unwrap(),
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                ("Subject", "a\r\n b"),
                ("Empty", ""),
                ("X-Blank", "y"),
                ("To", "z")
            ]
        );
        assert_eq!(find(block, "sUBJECT"), Some(&b"a\r\n b"[..]));
        assert_eq!(find(block, "body"), None);
    }

    #[test]
    fn folds_become_one_line() {
        let cases: &[(&[u8], &[u8])] = &[
            (b"a\n b", b"a b"),
            (b" a\r\n\tb \r\n", b"a\tb"),
            (b"a\nb", b"a b"),
            (b"", b""),
        ];
        for (given, expected) in cases {
            assert_eq!(&*unfold(given), *expected, "{given:?}");
        }
    }

    #[test]
    fn header_and_body_are_split_at_the_first_empty_line() {
        let cases: &[(&[u8], &[u8], &[u8])] = &[
            (b"A: b\n\nc\n\nd", b"A: b\n", b"c\n\nd"),
            (b"A: b\r\n\r\nc", b"A: b\r\n", b"c"),
            (b"\nc", b"", b"c"),
            (b"A: b", b"A: b", b""),
            (b"", b"", b""),
        ];
        for (given, header, body) in cases {
            assert_eq!(split_header(given), (*header, *body), "{given:?}");
        }
    }
}
