//! The header of a message that somebody else composed, field by field.

use std::borrow::Cow;
use std::io::{self, Read};

use memchr::memchr;

use crate::message::parse::fields;
use crate::message::{FieldBody, HeaderName, MessageSource, fields as made};

/// How a header is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Lines that begin with `#` are comments up to the end of the header (templates of `-t`).
    pub comments: bool,
}

/// A header larger than this ends before the field that crosses the limit; the rest is body.
const MAX_HEADER: usize = 1 << 20;

/// One header field as it stands, folds included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawField {
    /// Name, colon, body and line end; lines end in LF.
    bytes: Vec<u8>,
    name_len: usize,
}

impl RawField {
    fn new(bytes: Vec<u8>) -> Option<RawField> {
        let colon = memchr(b':', &bytes)?;
        let name_len = bytes[..colon].trim_ascii_end().len();
        let is_name = name_len > 0 && bytes[..name_len].iter().all(u8::is_ascii_graphic);
        // Blanks before the colon are obsolete syntax (RFC 5322 section 4.5), and nothing else may be there.
        let blanks = bytes[name_len..colon].iter().all(|b| b" \t".contains(b));
        (is_name && blanks).then_some(RawField { bytes, name_len })
    }

    /// Returns the name as written.
    pub fn name(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.name_len]).expect("names are ASCII")
    }

    /// Returns the whole field as it stands: name, colon, folds, the last LF.
    pub fn raw(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the field body unfolded, blanks at both ends removed.
    pub fn value(&self) -> Cow<'_, [u8]> {
        let colon = memchr(b':', &self.bytes).expect("a field has a colon");
        fields::unfold(&self.bytes[colon + 1..])
    }

    /// Returns whether this is the field of that name, in any case.
    pub fn is(&self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name)
    }
}

/// The header of a message that somebody else composed; names are found in any case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PremadeHeader {
    fields: Vec<RawField>,
    body_offset: u64,
}

impl PremadeHeader {
    /// Reads the header of a message, tolerantly.
    ///
    /// Lines may end in LF or CRLF; From_ lines in front are dropped. The
    /// header ends at an empty line, or before the first line that is no header
    /// field: if that is the first line, everything is body.
    ///
    /// # Errors
    /// Fails when the source cannot be read.
    pub fn read(source: &dyn MessageSource, reading: Reading) -> io::Result<PremadeHeader> {
        let mut start = Vec::new();
        let limit = MAX_HEADER as u64 + 1;
        source.reader()?.take(limit).read_to_end(&mut start)?;
        Ok(parse(&start, reading))
    }

    /// Returns where the body starts in the source.
    pub fn body_offset(&self) -> u64 {
        self.body_offset
    }

    /// Returns all fields in order.
    pub fn iter(&self) -> impl Iterator<Item = &RawField> {
        self.fields.iter()
    }

    /// Returns the fields of that name in order.
    pub fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s RawField> {
        self.fields.iter().filter(move |field| field.is(name))
    }

    /// Returns the first field of that name.
    pub fn get(&self, name: &str) -> Option<&RawField> {
        self.fields.iter().find(|field| field.is(name))
    }

    /// Returns whether there is a field of that name.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Returns how many fields of that name there are.
    pub fn count(&self, name: &str) -> usize {
        self.fields.iter().filter(|field| field.is(name)).count()
    }

    /// Removes all fields of that name and returns whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.fields.len();
        self.fields.retain(|field| !field.is(name));
        self.fields.len() < before
    }

    /// Puts a field before the others.
    pub fn prepend(&mut self, name: HeaderName, body: impl Into<FieldBody>) {
        self.fields.insert(0, made_field(&name, &body.into()));
    }

    /// Puts a field after the others.
    pub fn append(&mut self, name: HeaderName, body: impl Into<FieldBody>) {
        self.fields.push(made_field(&name, &body.into()));
    }
}

fn made_field(name: &HeaderName, body: &FieldBody) -> RawField {
    RawField {
        bytes: made::render(name, body).into_bytes(),
        name_len: name.as_str().len(),
    }
}

/// Takes the start of a message apart.
fn parse(start: &[u8], reading: Reading) -> PremadeHeader {
    let mut header = PremadeHeader::default();
    let mut at = 0;
    while let Some(line) = next_line(&start[at..])
        && header.fields.is_empty()
        && (line.starts_with(b"From ") || line.starts_with(b">From "))
    {
        at += line.len();
    }
    let mut field: Vec<u8> = Vec::new();
    // Where the field that is being collected starts.
    let mut field_start = at;
    loop {
        let rest = &start[at..];
        let line = match next_line(rest) {
            Some(line) => line,
            // The last line of a message need not be complete; one that the limit cut is no line.
            None if start.len() <= MAX_HEADER => rest,
            None => {
                header.body_offset = field_start as u64;
                return header;
            }
        };
        let text = fields::trim_line_end(line);
        let continues = matches!(text.first(), Some(b' ' | b'\t')) && !field.is_empty();
        if reading.comments && text.first() == Some(&b'#') {
            at += line.len();
            continue;
        }
        if !continues && !field.is_empty() {
            header
                .fields
                .extend(RawField::new(std::mem::take(&mut field)));
        }
        if text.is_empty() {
            header.body_offset = (at + line.len()) as u64;
            return header;
        }
        if !continues {
            field_start = at;
            if RawField::new(text.to_vec()).is_none() {
                header.body_offset = at as u64;
                return header;
            }
        }
        field.extend_from_slice(text);
        field.push(b'\n');
        at += line.len();
    }
}

/// Returns the next complete line with its line end.
fn next_line(rest: &[u8]) -> Option<&[u8]> {
    memchr(b'\n', rest).map(|len| &rest[..=len])
}
