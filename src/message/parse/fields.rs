//! The header fields of a message: found and unfolded, but not interpreted.
//!
//! The functions work on the bytes of a message or of its header block, with or without a From_ line
//! in front, with LF or CRLF lines. Their time is linear in the size of the header.
//!
//! # Where a header ends
//! At the empty line, says RFC 5322; mail without it is common all the same, because scripts and old
//! mailers forget it. So the first line that can be no part of a header ends it as well, and is the
//! first line of the text: nothing that somebody wrote may vanish in a header. [`header_line`] is the
//! one place where this is decided, for messages that are read and for those that are sent, for
//! nested parts and for the scanners of mailboxes.

use std::borrow::Cow;

use memchr::memchr;

/// The longest name of a header field: a line of RFC 5322 has 998 bytes.
pub const MAX_FIELD_NAME: usize = 998;

/// The longest line that can be an old From_ line.
const MAX_FROM_LINE: usize = 2048;

/// How far behind a line of blanks a field is looked for.
pub const MAX_BLANK_FOLD: usize = 2048;

/// In how many lines behind a line of blanks a field is looked for: each of thousands of such lines
/// would look at all others.
pub const MAX_BLANK_FOLD_LINES: usize = 16;

/// How many bytes from its start on are enough to judge a line: an old From_ line, and behind it the
/// longest field name with its colon.
pub const LOOKAHEAD: usize = MAX_FROM_LINE + MAX_FIELD_NAME + 2;

/// The kind of a line in a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderLine {
    /// A header field starts here.
    Field,
    /// It continues the field before.
    Continuation,
    /// A From_ line that an old mailer left in the header, with or without `>` before it.
    OldFromLine,
    /// The empty line that ends the header, or one of blanks where it should be.
    Separator,
    /// The first line of the text.
    Text,
}

/// Judges the line at the start of `text`.
///
/// `text` holds at least [`LOOKAHEAD`] bytes or all there is; `has_field` says whether a field stands
/// before the line.
pub fn header_line(text: &[u8], has_field: bool) -> HeaderLine {
    if field_name_len(text).is_some() {
        return HeaderLine::Field;
    }
    if let Some(len) = blank_line_len(text) {
        return if is_empty_line(text) || !goes_on_behind_blanks(text, len, has_field) {
            HeaderLine::Separator
        } else {
            HeaderLine::Continuation
        };
    }
    match text {
        [b' ' | b'\t', ..] if has_field => HeaderLine::Continuation,
        _ if is_old_from_line(text) => HeaderLine::OldFromLine,
        _ => HeaderLine::Text,
    }
}

/// Returns the length of the name if a header field starts here: printable ASCII and a colon (RFC
/// 5322 section 2.2).
///
/// Blanks before the colon are obsolete syntax, and mail has them (section 4.5).
pub fn field_name_len(line: &[u8]) -> Option<usize> {
    let start = &line[..line.len().min(MAX_FIELD_NAME)];
    let len = name_len(start);
    let behind = match start.get(len)? {
        b' ' | b'\t' => start[len..]
            .iter()
            .find(|byte| !matches!(byte, b' ' | b'\t'))?,
        byte => byte,
    };
    (len > 0 && *behind == b':').then_some(len)
}

/// Returns how many bytes at the start may stand in a name.
///
/// A scan asks this of every header line of a mailbox, so eight bytes are looked at in one go: byte by
/// byte the header lines alone would take twice the time.
fn name_len(text: &[u8]) -> usize {
    const HIGH_BITS: u64 = repeated(0x80);
    let mut at = 0;
    while let Some((chunk, _)) = text[at..].split_first_chunk::<8>() {
        let bytes = u64::from_le_bytes(*chunk);
        // A subtraction borrows from the byte above only at a hit, so that the lowest hit is right.
        let below = |limit: u8| bytes.wrapping_sub(repeated(limit)) & !bytes;
        let equal = |byte: u8| {
            let difference = bytes ^ repeated(byte);
            difference.wrapping_sub(repeated(1)) & !difference
        };
        let hits = (below(b'!') | equal(b':') | equal(0x7f) | bytes) & HIGH_BITS;
        if hits != 0 {
            return at + hits.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let is_name = |byte: &u8| matches!(byte, b'!'..=b'~') && *byte != b':';
    at + text[at..].iter().take_while(|byte| is_name(byte)).count()
}

/// Returns eight times this byte.
const fn repeated(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Returns the length of the first line if there is nothing but blanks in it.
pub fn blank_line_len(text: &[u8]) -> Option<usize> {
    let start = &text[..text.len().min(MAX_FIELD_NAME)];
    match start
        .iter()
        .position(|byte| !matches!(byte, b' ' | b'\t' | b'\r'))
    {
        Some(end) => (start[end] == b'\n').then_some(end + 1),
        // The message ends without a line end.
        None => (1..MAX_FIELD_NAME)
            .contains(&text.len())
            .then_some(text.len()),
    }
}

fn is_empty_line(text: &[u8]) -> bool {
    matches!(text, [b'\n', ..] | [b'\r', b'\n', ..])
}

/// Returns whether the header goes on behind a line of blanks, which is so long.
///
/// RFC 5322 section 4.2 lets old mail fold with such lines: more lines of the field and then another
/// field may follow. Before text such a line stands in the place of the empty one.
fn goes_on_behind_blanks(text: &[u8], len: usize, has_field: bool) -> bool {
    let mut at = len;
    let mut has_words = false;
    let mut lines = 0;
    while at < MAX_BLANK_FOLD && lines < MAX_BLANK_FOLD_LINES {
        let rest = &text[at..];
        if is_empty_line(rest) {
            return !has_words;
        }
        let is_blank = blank_line_len(rest).is_some();
        if !is_blank && !matches!(rest, [b' ' | b'\t', ..]) {
            return field_name_len(rest).is_some();
        }
        if !is_blank && !has_field {
            // There is no field that words could continue.
            return false;
        }
        has_words |= !is_blank;
        at += line_len(rest);
        lines += 1;
    }
    false
}

/// Returns whether a From_ line of an old mailer starts here: a header field follows it, so that it
/// cannot be the first line of the text.
fn is_old_from_line(text: &[u8]) -> bool {
    if !is_from_line(text) {
        return false;
    }
    let start = &text[..text.len().min(MAX_FROM_LINE)];
    let Some(end) = memchr(b'\n', start) else {
        return false;
    };
    let next = &text[end + 1..];
    field_name_len(next).is_some() || is_from_line(next)
}

/// Returns whether a line starts with `From `, `>From ` and so on.
pub fn is_from_line(line: &[u8]) -> bool {
    let start = &line[..line.len().min(MAX_FIELD_NAME)];
    let quotes = start.iter().take_while(|byte| **byte == b'>').count();
    start[quotes..].starts_with(b"From ")
}

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

/// Returns the fields of a header block, up to its end; see [`header_line`].
pub fn fields(block: &[u8]) -> FieldIter<'_> {
    FieldIter {
        rest: block,
        has_field: false,
    }
}

/// Returns the body of the first field of that name.
pub fn find<'a>(block: &'a [u8], name: &str) -> Option<&'a [u8]> {
    fields(block).find(|field| field.is(name)).map(|f| f.body)
}

/// An iterator over header fields; see [`fields`].
#[derive(Clone, Debug)]
pub struct FieldIter<'a> {
    rest: &'a [u8],
    has_field: bool,
}

impl<'a> FieldIter<'a> {
    /// Returns what is behind the fields that were read, which is not empty where a text follows.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Returns the text behind the last field, without the empty line before it.
    pub fn text(&self) -> &'a [u8] {
        match header_line(self.rest, self.has_field) {
            HeaderLine::Separator => &self.rest[line_len(self.rest)..],
            _ => self.rest,
        }
    }
}

impl<'a> Iterator for FieldIter<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        loop {
            match header_line(self.rest, self.has_field) {
                HeaderLine::Field => break,
                HeaderLine::Continuation | HeaderLine::OldFromLine => {
                    self.rest = &self.rest[line_len(self.rest)..];
                }
                HeaderLine::Separator | HeaderLine::Text => return None,
            }
        }
        self.has_field = true;
        let name_len = field_name_len(self.rest)?;
        let (whole, rest) = self.rest.split_at(field_len(self.rest));
        self.rest = rest;
        let (name, body) = whole.split_at(name_len);
        let body = trim_line_end(&body[memchr(b':', body)? + 1..]);
        let start = body
            .iter()
            .position(|byte| !matches!(byte, b' ' | b'\t'))
            .unwrap_or(body.len());
        Some(Field {
            name,
            body: &body[start..],
        })
    }
}

/// Returns the length of a field: of its line, and of the lines that continue it.
fn field_len(block: &[u8]) -> usize {
    let mut end = line_len(block);
    // Other lines are not judged twice.
    while matches!(block.get(end), Some(b' ' | b'\t' | b'\r'))
        && header_line(&block[end..], true) == HeaderLine::Continuation
    {
        end += line_len(&block[end..]);
    }
    end
}

/// Returns the length of the first line, its line end included.
fn line_len(text: &[u8]) -> usize {
    memchr(b'\n', text).map_or(text.len(), |end| end + 1)
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

/// Returns the header block and the text of a message without its From_ line; the empty line between
/// them belongs to neither.
pub fn split_header(message: &[u8]) -> (&[u8], &[u8]) {
    let (end, separator) = header_end(message);
    (&message[..end], &message[end + separator..])
}

/// Returns the length of a header block, with the empty line that ends it.
pub fn header_len(message: &[u8]) -> usize {
    let (end, separator) = header_end(message);
    end + separator
}

/// Returns where a header ends, and the length of the empty line there.
fn header_end(message: &[u8]) -> (usize, usize) {
    let mut at = 0;
    let mut has_field = false;
    while at < message.len() {
        let rest = &message[at..];
        match header_line(rest, has_field) {
            HeaderLine::Field => has_field = true,
            HeaderLine::Continuation | HeaderLine::OldFromLine => {}
            HeaderLine::Separator => return (at, line_len(rest)),
            HeaderLine::Text => return (at, 0),
        }
        at += line_len(rest);
    }
    (at, 0)
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
        let block = b"From a@b Mon Nov 16 09:00:00 2026\r\n>From old\r\nSubject: a\r\n b\r\n\
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
    fn header_and_text_are_split_where_the_header_ends() {
        // `|` marks the end of the header and the start of the text.
        for marked in [
            "A: b\n|\n|c\n\nd",
            "A: b\r\n|\r\n|c",
            "|\n|c",
            "A: b||",
            "||",
            // No empty line: the first line that is no field is text.
            "A: b\n||this line\nand this\n\nbody",
            "A: b\r\n c\r\n||this line\r\n\r\nbody",
            "||no header\nA: b\n\n",
            "|| A: b\nC: d\n\n",
            "A: b\n||: c\n\n",
            "A: b\n||--x\n\n",
            "A: b\n||\u{e4}: c\n\n",
            "A: b\n||\0\n\n",
            "A: b\n||half a na",
            // LF CR is no line end.
            "A: b\n||\rB: c\n\r",
            // A line of blanks before text is an empty line, before fields it is a fold.
            "A: b\n| \t\n|text\n\nmore",
            "A: b\n| \n| text\n\nmore",
            "A: b\n| \n| text\n more\nno field\n",
            "A: b\n| \n| text",
            "A: b\n|\r\r\n|text\n",
            "A: b\n| \n|",
            "A: b\n|  |",
            "A: b\n \nC: d\n|\n|text",
            "A: b\n \n \nC: d\n|\n|text",
            // RFC 5322 appendix A.6.3.
            "To    : Mary Smith\n  \n          <mary@example.net>\nSubject     : x\n|\n|text",
            "A: b\n \n|\n|text",
            "A: b\n \n \n|\n|text",
            "A: b\n| \n| \ntext",
            // Too many lines to look behind.
            "A: b\n \n \n \n \n \n \n \n \n \n \n \n \n \n \n \n \nC: d\n|\n|text",
            "A: b\n| \n| \n \n \n \n \n \n \n \n \n \n \n \n \n \n \n \nC: d\n\ntext",
            " \nA: b\n|\n|text",
            "| \n|text\n\n",
            // Blanks before the colon.
            "A : b\nC\t: d\n|\n|text",
            "||A b: c\n\n",
            // Old From_ lines stand before fields only.
            "From a\nA: b\n|\n|text",
            ">From a\n>>From b\nA: b\n|\n|text",
            "||From the start\nit is text\n\n",
            "||>From the start\n\nit is text\n",
            "||From a",
            "A: b\n>From a\nC: d\n|\n|text",
            "A: b\n||From the start\nit is text\n\n",
            "A: b\n||>From the start\n\nit is text\n",
        ] {
            check_split(marked);
        }
    }

    #[track_caller]
    fn check_split(marked: &str) {
        let parts: Vec<&str> = marked.split('|').collect();
        let [header, separator, text] = parts[..] else {
            panic!("{marked:?}");
        };
        let message = [header, separator, text].concat();
        let found = split_header(message.as_bytes());
        assert_eq!(found, (header.as_bytes(), text.as_bytes()), "{marked:?}");
        // The block alone ends where it ends in the message, with its empty line and without.
        let len = header_len(message.as_bytes());
        assert_eq!(len, header.len() + separator.len(), "{marked:?}");
        assert_eq!(header_len(&message.as_bytes()[..len]), len, "{marked:?}");
        assert_eq!(
            split_header(&message.as_bytes()[..len]).0,
            header.as_bytes()
        );
    }

    #[test]
    fn every_byte_that_no_name_has_ends_a_name_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            for place in 0..20 {
                let mut text = vec![b'~'; 24];
                text[place] = byte;
                let is_name = (b'!'..=b'~').contains(&byte) && byte != b':';
                let expected = if is_name { text.len() } else { place };
                assert_eq!(name_len(&text), expected, "{byte} at {place}");
            }
        }
    }

    #[test]
    fn no_more_than_the_lookahead_is_asked_for() {
        let long = "y".repeat(5000);
        for message in [
            format!("{long}: x\n"),
            format!("A: b\n{}\nC: d\n", " ".repeat(5000)),
            format!("From {long}\nA: b\n"),
            format!("{}From x\nA: b\n", ">".repeat(5000)),
            format!("A{}: b\n", " ".repeat(5000)),
        ] {
            for has_field in [false, true] {
                for start in 0..message.len().min(10) {
                    let text = &message.as_bytes()[start..];
                    let cut = &text[..text.len().min(LOOKAHEAD)];
                    assert_eq!(header_line(text, has_field), header_line(cut, has_field));
                }
            }
        }
    }
}
