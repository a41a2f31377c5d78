//! The parts of a message: their types and contents.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memmem;

use super::body::{self, DeclaredEncoding};
use super::bytes::Bytes;
use super::uuencode::{self, Block};
use crate::charset::{self, Charset, Label};

/// One part of a message (RFC 2045 section 2.4).
#[derive(Clone, Debug)]
pub struct Part<'a> {
    /// Its number, as IMAP counts: `1`, `2.1` (RFC 3501 section 6.4.5); empty for a multipart message itself.
    pub number: String,
    /// Type and subtype in lower case, such as `text/plain`.
    pub media_type: String,
    /// The `charset` parameter.
    pub charset: Option<String>,
    /// How its lines are to be read if it is plain text.
    pub format: TextFormat,
    /// The file name, decoded; as the sender wrote it, so neither safe to show nor to open.
    pub file_name: Option<String>,
    /// Whether the sender asked to save it rather than show it.
    pub attachment: bool,
    /// The identifier by which HTML shows it, without angle brackets, as the sender wrote it (RFC 2392).
    pub content_id: Option<String>,
    /// How the content is encoded.
    pub encoding: DeclaredEncoding,
    /// The content, encoded.
    pub raw: Bytes<'a>,
    /// What it is made of.
    pub content: Content<'a>,
}

/// How the lines of plain text are to be read (RFC 3676).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TextFormat {
    /// As they stand.
    #[default]
    Fixed,
    /// A line that ends in a blank goes on in the next one.
    Flowed {
        /// Whether that blank is no part of the text.
        delsp: bool,
    },
}

/// The content of a part.
#[derive(Clone, Debug)]
pub enum Content<'a> {
    /// Bytes; see [`Part::decoded`].
    Leaf,
    /// Other parts.
    Multipart(Vec<Part<'a>>),
    /// A message: its header block and its parts.
    Message(Bytes<'a>, Vec<Part<'a>>),
}

impl<'a> Part<'a> {
    /// Returns the files that its text holds in uuencode, as parts of it: `2` has `2.1`, `2.2` …
    ///
    /// Beside each stands the range of its lines in the text without its transfer encoding.
    pub fn embedded(&self) -> Vec<(Range<usize>, Part<'a>)> {
        // A file within other encodings than these would be none: the text is the file.
        let text: Bytes<'a> = match self.encoding {
            DeclaredEncoding::Identity => self.raw.clone(),
            DeclaredEncoding::QuotedPrintable if memmem::find(&self.raw, b"begin ").is_some() => {
                Bytes::from(self.decoded().into_owned())
            }
            _ => return Vec::new(),
        };
        if !matches!(self.content, Content::Leaf) || !self.is("text/plain") {
            return Vec::new();
        }
        let part = |(index, block): (usize, Block)| {
            let raw = text.slice(block.range.start, block.range.end);
            let part = Part {
                number: format!("{}.{}", self.number, index + 1),
                media_type: "application/octet-stream".to_owned(),
                charset: None,
                format: TextFormat::Fixed,
                file_name: Some(block.name),
                attachment: true,
                content_id: None,
                encoding: DeclaredEncoding::Uuencode,
                raw,
                content: Content::Leaf,
            };
            (block.range, part)
        };
        uuencode::blocks(&text)
            .into_iter()
            .enumerate()
            .map(part)
            .collect()
    }

    /// Returns the content without its transfer encoding.
    pub fn decoded(&self) -> Cow<'_, [u8]> {
        match self.encoding {
            DeclaredEncoding::Base64 if self.media_type.starts_with("text/") => {
                body::base64_of_text(&self.raw).into()
            }
            encoding => encoding.decode(&self.raw),
        }
    }

    /// Returns how long the content is without its transfer encoding, in bytes.
    pub fn decoded_len(&self) -> usize {
        self.encoding.decoded_len(&self.raw)
    }

    /// Returns the content as text in LF lines, its charset decoded.
    pub fn text(&self) -> String {
        let mut text = String::new();
        self.each_text(&mut |piece| text.push_str(piece));
        text
    }

    /// Hands the content to `emit` as text in LF lines, a piece at a time.
    pub fn each_text(&self, emit: &mut dyn FnMut(&str)) {
        let mut held = false;
        let bytes = self.decoded();
        let own = self.charset_of_html(&bytes);
        let label = own.as_deref().or(self.charset.as_deref());
        charset::each_in_charset(&bytes, label, &mut |text| {
            // A CR at the end of a piece is held back: its LF may begin the next piece.
            if text.is_empty() {
                return;
            }
            if std::mem::take(&mut held) && !text.starts_with('\n') {
                emit("\r");
            }
            let mut start = 0;
            for at in memchr::memchr_iter(b'\r', text.as_bytes()) {
                if text.as_bytes().get(at + 1) == Some(&b'\n') {
                    emit(&text[start..at]);
                    start = at + 1;
                }
            }
            let mut rest = &text[start..];
            if let Some(before) = rest.strip_suffix('\r') {
                held = true;
                rest = before;
            }
            emit(rest);
        });
        if held {
            emit("\r");
        }
    }

    /// Returns the charset that HTML names itself, where the part names none.
    fn charset_of_html(&self, bytes: &[u8]) -> Option<String> {
        let label = self.charset.as_deref().unwrap_or_default();
        let is_asked = self.is("text/html") && charset::look_up(label) == Label::None;
        is_asked.then(|| charset::of_html(bytes, Charset::of(bytes)))?
    }

    /// Returns whether there is anything but blanks in the content.
    pub fn has_content(&self) -> bool {
        // Mostly the beginning has a character; the whole part is decoded only where it has none.
        let start = self.raw.slice(0, 4096);
        let is_blank = |bytes: &[u8]| bytes.trim_ascii().is_empty();
        !is_blank(&self.encoding.decode(&start)) || !is_blank(&self.decoded())
    }

    /// Returns the charset that the part names, if it is unknown.
    pub fn unknown_charset(&self) -> Option<&str> {
        let label = self.charset.as_deref()?;
        (charset::look_up(label) == Label::Unknown).then_some(label)
    }

    /// Returns whether it is of this type, such as `text/html`.
    pub fn is(&self, media_type: &str) -> bool {
        self.media_type == media_type
    }
}

/// The parts of a message.
#[derive(Clone, Debug)]
pub struct Structure<'a> {
    /// The header block of the message.
    pub header: &'a [u8],
    /// The message's own part, which holds the others.
    pub parts: Vec<Part<'a>>,
    /// The bytes after the last part that is read, if there are too many parts.
    pub rest: Option<Bytes<'a>>,
}
