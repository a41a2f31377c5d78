//! The header of a message or part that somebody else composed, field by field.

use std::borrow::Cow;
use std::io;

use memchr::memchr;

use super::pieces::{LinePiece, LinePieces};
use crate::message::field_names::{ONCE, Repeated};
use crate::message::parse::{self, fields};
use crate::message::write::fields as made;
use crate::message::{FieldBody, HeaderName, MessageSource};

/// How a header is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Lines that begin with `#` are comments up to the end of the header (templates of `-t`).
    pub comments: bool,
}

/// A header larger than this ends before the field that crosses the limit; the rest is body.
///
/// A field is held some ten times over while it is written anew. Exim has the same limit.
const MAX_HEADER: usize = 1 << 20;
/// A header of more fields ends there, too: each takes more memory than its few bytes.
const MAX_FIELDS: usize = 50_000;

/// The bytes of one header field, folds included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawField {
    /// Name, colon, body and line end; lines end in LF.
    bytes: Vec<u8>,
    name_len: usize,
}

impl RawField {
    /// Takes a line, or a line and its continuations, for a field if it is one.
    pub(super) fn new(bytes: Vec<u8>) -> Option<RawField> {
        let name_len = name_len(&bytes)?;
        Some(RawField { bytes, name_len })
    }

    /// Returns the name as written.
    pub fn name(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.name_len]).expect("names are ASCII")
    }

    /// Returns the bytes of the whole field: name, colon, folds, the last LF.
    pub fn raw(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the field body unfolded, blanks at both ends removed.
    pub fn value(&self) -> Cow<'_, [u8]> {
        let colon = memchr(b':', &self.bytes).expect("a field has a colon");
        fields::unfold(&self.bytes[colon + 1..])
    }

    /// Returns the field body as it stands, its folds included, blanks and line ends at both ends removed.
    fn body(&self) -> &[u8] {
        let colon = memchr(b':', &self.bytes).expect("a field has a colon");
        self.bytes[colon + 1..].trim_ascii()
    }

    /// Puts the body of another field behind this one's, or in its place if this one has none.
    fn join(&mut self, separator: &str, other: &RawField) {
        if other.body().is_empty() {
            return;
        }
        if self.body().is_empty() {
            *self = other.clone();
            return;
        }
        self.bytes.truncate(self.bytes.trim_ascii_end().len());
        self.bytes.extend_from_slice(separator.as_bytes());
        // On a line of its own, so that lines stay as short as they are.
        self.bytes.extend_from_slice(b"\n ");
        self.bytes.extend_from_slice(other.body());
        self.bytes.push(b'\n');
    }

    fn renamed_as_repeated(&self) -> RawField {
        const BEFORE: &[u8] = b"X-Repeated-";
        RawField {
            bytes: [BEFORE, &self.bytes].concat(),
            name_len: BEFORE.len() + self.name_len,
        }
    }

    /// Returns whether this is the field of that name, in any case.
    pub fn is(&self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name)
    }
}

/// Returns the length of the name if the line starts a field.
fn name_len(line: &[u8]) -> Option<usize> {
    // What a field line is, reading decides; no line that is written has a longer name.
    fields::field_name_len(line).filter(|len| *len <= HeaderName::MAX_LEN)
}

/// The header of a message that somebody else composed; names are found in any case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PremadeHeader {
    pub(super) fields: Vec<RawField>,
    pub(super) body_offset: u64,
    /// Whether a limit was reached, so that header fields may be in the body.
    pub(super) is_cut: bool,
}

impl PremadeHeader {
    /// Reads the header of a message, tolerantly.
    ///
    /// Lines may end in LF or CRLF; From_ lines in front are dropped, if they have a date or a field
    /// follows them. The header ends as [`fields::header_line`] says: at an empty line, or before the
    /// first line that is no header field; if that is the first line, everything is body. So is what
    /// follows the first 1 MiB or 50,000 fields.
    ///
    /// # Errors
    /// Fails when the source cannot be read.
    pub fn read(source: &dyn MessageSource, reading: Reading) -> io::Result<PremadeHeader> {
        let mut pieces = LinePieces::new(source.reader()?);
        let mut header = HeaderReader::default();
        let mut offset = 0;
        let mut skipping = false;
        // The length of a From_ line before this place that may be the first line of the body.
        let mut doubtful = 0;
        while let Some(piece) = pieces.next()? {
            let is_first = header.is_empty();
            let len = piece.bytes.len() as u64;
            // A From_ line or comment of any length is skipped in all its pieces.
            if piece.starts_line {
                let from = is_first && fields::is_from_line(piece.bytes);
                let is_comment = reading.comments && piece.bytes.starts_with(b"#");
                skipping = from || is_comment;
                if from && parse::date(piece.bytes).is_none() {
                    doubtful = len;
                } else if skipping {
                    doubtful = 0;
                }
            } else if skipping && doubtful > 0 {
                doubtful += len;
            }
            offset += len;
            if skipping {
                header.skipped(len);
                continue;
            }
            match header.push(piece) {
                HeaderProgress::More => {
                    // A field follows: it was a From_ line.
                    doubtful = 0;
                }
                HeaderProgress::End if doubtful > 0 => {
                    offset -= len;
                    break;
                }
                HeaderProgress::End => break,
                // The piece belongs to the body, and so do the lines of a field that was not finished.
                HeaderProgress::Body { len, .. } => {
                    offset -= len;
                    break;
                }
            }
        }
        let is_cut = header.is_full;
        let (fields, text) = header.finish();
        Ok(PremadeHeader {
            is_cut,
            fields,
            body_offset: offset - doubtful - text.len() as u64,
        })
    }

    /// Returns whether the header is larger than the limit, so that some of its fields may be in
    /// the body.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Returns where the body starts in the source.
    pub fn body_offset(&self) -> u64 {
        self.body_offset
    }

    /// Returns all fields in order.
    pub fn iter(&self) -> impl Iterator<Item = &RawField> {
        self.fields.iter()
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

    /// Leaves one field of each name that a message has once (RFC 5322 section 3.6), and returns the
    /// names that had more, each with what became of the others.
    ///
    /// Readers differ in which of two such fields they believe, and large receivers refuse the
    /// message. Nothing of it is lost: lists are joined, and of other fields the first stays and the
    /// later ones get a name in front of which stands `X-Repeated-`, unless they say the same. An
    /// empty field makes room for the next one: a message without a sender is what nobody means.
    pub fn unite_repeated(&mut self) -> Vec<(&'static str, Repeated)> {
        let fields = std::mem::take(&mut self.fields);
        // For each name where its first field is now, and whether it had another one.
        let mut first = [None; ONCE.len()];
        let mut had_more = [false; ONCE.len()];
        for field in fields {
            let row = ONCE.iter().position(|(name, _)| field.is(name));
            let Some((row, at)) = row.and_then(|row| Some((row, first[row]?))) else {
                if let Some(row) = row {
                    first[row] = Some(self.fields.len());
                }
                self.fields.push(field);
                continue;
            };
            had_more[row] = true;
            let first = &mut self.fields[at];
            match ONCE[row].1 {
                _ if first.body() == field.body() => {}
                Repeated::Joined(separator) => first.join(separator, &field),
                Repeated::Superseded if first.body().is_empty() => *first = field,
                Repeated::Superseded => self.fields.push(field.renamed_as_repeated()),
            }
        }
        let names = ONCE.into_iter().zip(had_more);
        names.filter(|(_, had)| *had).map(|(row, _)| row).collect()
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

pub(super) fn made_field(name: &HeaderName, body: &FieldBody) -> RawField {
    // The header may be kept for long, and a field may name a hundred thousand recipients.
    let mut bytes = made::render(name, body).into_bytes();
    bytes.shrink_to_fit();
    RawField {
        bytes,
        name_len: name.as_str().len(),
    }
}

/// What a piece of a line meant for the header that is read.
pub(super) enum HeaderProgress {
    /// A part of the header.
    More,
    /// The empty line after it.
    End,
    /// Body, as are the lines of a field that grew too large.
    Body {
        /// Those lines, without this piece.
        unfinished: Vec<u8>,
        /// How many bytes of the source they are, with this piece.
        len: u64,
    },
}

/// The text after a line of blanks.
enum Behind {
    /// More of the header.
    Header,
    /// Text.
    Text,
    /// Indented lines so far, which may be either.
    Unknown,
}

/// A header that is read line by line.
#[derive(Default)]
pub(super) struct HeaderReader {
    fields: Vec<RawField>,
    /// The field that may be continued.
    field: Vec<u8>,
    /// Its length in the source.
    field_len: u64,
    /// A line of blanks behind it and what follows: a part of it, or the end of the header and text.
    doubtful: Vec<u8>,
    /// Bytes taken so far.
    len: usize,
    /// Whether a limit was reached.
    is_full: bool,
}

impl HeaderReader {
    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.field.is_empty() && self.doubtful.is_empty()
    }

    /// Counts a skipped line: a comment within a field lies in the source, too.
    fn skipped(&mut self, len: u64) {
        self.field_len += len;
    }

    pub(super) fn push(&mut self, piece: LinePiece<'_>) -> HeaderProgress {
        let (text, line_end) = piece.split();
        let len = piece.bytes.len() as u64;
        if piece.starts_line {
            let is_field = name_len(text).is_some();
            match self.behind_blanks(piece.bytes, is_field) {
                Behind::Unknown => return HeaderProgress::More,
                Behind::Header => self.keep_doubtful(),
                Behind::Text => {
                    let unfinished = self.take_text();
                    return HeaderProgress::Body {
                        len: unfinished.len() as u64 + len,
                        unfinished,
                    };
                }
            }
            let continues = matches!(text.first(), Some(b' ' | b'\t')) && !self.field.is_empty();
            if !continues {
                self.end_field();
                if text.is_empty() {
                    return HeaderProgress::End;
                }
                if !is_field {
                    return HeaderProgress::Body {
                        unfinished: Vec::new(),
                        len,
                    };
                }
            }
        }
        // Checked before the piece is kept: memory stays below the limit whatever a line's length is.
        self.len += piece.bytes.len();
        self.field_len += len;
        if self.len > MAX_HEADER || self.fields.len() >= MAX_FIELDS {
            self.is_full = true;
            return HeaderProgress::Body {
                unfinished: std::mem::take(&mut self.field),
                len: self.field_len,
            };
        }
        self.field.extend_from_slice(text);
        if !line_end.is_empty() {
            self.field.push(b'\n');
        }
        HeaderProgress::More
    }

    /// Says what a line of blanks is, now that this line follows it, and keeps it as long as that is
    /// not known.
    ///
    /// The rule is that of [`fields::header_line`], which sees all lines at once.
    fn behind_blanks(&mut self, line: &[u8], is_field: bool) -> Behind {
        let is_blank = fields::blank_line_len(line) == Some(line.len());
        let is_empty = matches!(line, b"\n" | b"\r\n");
        let continues = is_blank || matches!(line.first(), Some(b' ' | b'\t'));
        if self.doubtful.is_empty() && (!is_blank || is_empty) {
            return Behind::Header;
        }
        let has_words = !self.doubtful.trim_ascii().is_empty();
        if is_field || is_empty && !has_words {
            return Behind::Header;
        }
        // Words continue a field, if there is one.
        if is_empty || !continues || !is_blank && self.field.is_empty() {
            return Behind::Text;
        }
        let lines = memchr::memchr_iter(b'\n', &self.doubtful).count();
        if self.doubtful.len() + line.len() >= fields::MAX_BLANK_FOLD
            || lines >= fields::MAX_BLANK_FOLD_LINES
        {
            return Behind::Text;
        }
        self.doubtful.extend_from_slice(line);
        Behind::Unknown
    }

    /// Makes the lines behind a line of blanks a part of the field that they continue.
    fn keep_doubtful(&mut self) {
        let lines = std::mem::take(&mut self.doubtful);
        if !self.field.is_empty() {
            self.len += lines.len();
            self.field_len += lines.len() as u64;
            for line in lines.split_inclusive(|byte| *byte == b'\n') {
                self.field.extend_from_slice(fields::trim_line_end(line));
                self.field.push(b'\n');
            }
        }
    }

    fn end_field(&mut self) {
        let mut field = std::mem::take(&mut self.field);
        self.field_len = 0;
        if field.is_empty() {
            return;
        }
        if !field.ends_with(b"\n") {
            field.push(b'\n');
        }
        self.fields.extend(RawField::new(field));
    }

    /// Returns the lines behind a line of blanks that ended the header: they are text.
    fn take_text(&mut self) -> Vec<u8> {
        let mut text = std::mem::take(&mut self.doubtful);
        text.drain(..fields::blank_line_len(&text).unwrap_or_default());
        text
    }

    /// Returns the fields, and the lines behind them that turned out to be text; the last field need
    /// not have been followed by anything.
    pub(super) fn finish(mut self) -> (Vec<RawField>, Vec<u8>) {
        self.end_field();
        let text = self.take_text();
        (self.fields, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(message: &[u8], comments: bool) -> (Vec<String>, usize) {
        let header = PremadeHeader::read(&message, Reading { comments }).unwrap();
        let shown = header.iter().map(|field| {
            let value = String::from_utf8_lossy(&field.value()).into_owned();
            format!("{}={value}", field.name())
        });
        (shown.collect(), header.body_offset() as usize)
    }

    #[test]
    fn headers_of_every_make() {
        type Row = (&'static str, &'static [&'static str], &'static str);
        let table: &[Row] = &[
            ("A: b\n\nbody\n", &["A=b"], "body\n"),
            ("A: b\r\nC:d\r\n\r\nbody", &["A=b", "C=d"], "body"),
            ("A: b\n c\n\td\n\nx", &["A=b c\td"], "x"),
            ("From me Mon\n>From you\nA: b\n\nx", &["A=b"], "x"),
            ("hello: world\nno field\n", &["hello=world"], "no field\n"),
            ("no field\nA: b\n\n", &[], "no field\nA: b\n\n"),
            (" A: b\n", &[], " A: b\n"),
            // Reading and sending have the same rule for the end of a header.
            ("A: b\nthis line\n\nbody\n", &["A=b"], "this line\n\nbody\n"),
            ("A: b\n \ntext\n\nmore\n", &["A=b"], "text\n\nmore\n"),
            ("A: b\n\t\n indented\n", &["A=b"], " indented\n"),
            ("A: b\n\t\n indented\n\nx\n", &["A=b"], " indented\n\nx\n"),
            ("A: b\n\t\n indented\ntext\n", &["A=b"], " indented\ntext\n"),
            ("A: b\n \n c\nC: d\n\ntext\n", &["A=b  c", "C=d"], "text\n"),
            ("A: b\n \nC: d\n\ntext\n", &["A=b", "C=d"], "text\n"),
            ("A: b\n \n \n\ntext\n", &["A=b"], "text\n"),
            ("A: b\n \n", &["A=b"], ""),
            (" \nA: b\n\ntext\n", &["A=b"], "text\n"),
            (" \ntext\n", &[], "text\n"),
            // What begins with From is a From_ line only before a field, or with a date.
            ("From a\nA: b\n\ntext\n", &["A=b"], "text\n"),
            ("From the start\n\ntext\n", &[], "From the start\n\ntext\n"),
            ("From the start\ntext\n", &[], "From the start\ntext\n"),
            ("From the start", &[], "From the start"),
            (">From a\nFrom b\ntext\n", &[], "From b\ntext\n"),
            ("From a Mon Nov 16 09:00:00 2026\n\ntext\n", &[], "text\n"),
            ("\nbody", &[], "body"),
            ("", &[], ""),
            ("A: b", &["A=b"], ""),
            ("A : b\n\n", &["A=b"], ""),
            ("A b: c\n", &[], "A b: c\n"),
            (":c\n", &[], ":c\n"),
            ("# no\nA: b\n", &[], "# no\nA: b\n"),
        ];
        for (message, fields, body) in table {
            let (found, offset) = read(message.as_bytes(), false);
            assert_eq!(found, *fields, "{message:?}");
            assert_eq!(&message[offset..], *body, "{message:?}");
        }
    }

    #[test]
    fn comments_end_with_the_header() {
        let (found, offset) = read(b"# a\nTo: x\n# b\n y\n\n# c\n", true);
        assert_eq!((found, offset), (vec!["To=x y".to_owned()], 18));
    }

    #[test]
    fn a_huge_header_becomes_body() {
        let mut message = b"A: b\nB: ".to_vec();
        message.resize(20 << 20, b'x');
        assert_eq!(read(&message, false), (vec!["A=b".to_owned()], 5));
        let many = b"A: b\n".repeat(1 << 21);
        let (fields, offset) = read(&many, false);
        assert_eq!((fields.len(), offset), (MAX_FIELDS, MAX_FIELDS * 5));
    }

    #[test]
    fn of_repeated_fields_one_stays_and_nothing_is_lost() {
        let table = [
            (
                "From: a\nX: y\nFrom: b\n",
                "From: a\nX: y\nX-Repeated-From: b\n",
            ),
            ("from: a\nFROM:  a \n", "from: a\n"),
            (
                "Subject: a\nSubject:\nSubject: c\n",
                "Subject: a\nX-Repeated-Subject:\nX-Repeated-Subject: c\n",
            ),
            (
                "To: a,\n b\nCc: x\nTo: c\n d\nTo: e\n",
                "To: a,\n b,\n c\n d,\n e\nCc: x\n",
            ),
            ("To:\nTo: a\nTo: \n", "To: a\n"),
            (
                "From: \nFrom: a\nFrom: b\n",
                "From: a\nX-Repeated-From: b\n",
            ),
            (
                "Content-Type: a\nContent-type: b\n",
                "Content-Type: a\nX-Repeated-Content-type: b\n",
            ),
            (
                "References: <a>\nReferences: <b>\n",
                "References: <a>\n <b>\n",
            ),
            (
                "Received: a\nReceived: b\nX: c\nX: d\n",
                "Received: a\nReceived: b\nX: c\nX: d\n",
            ),
        ];
        for (message, expected) in table {
            let source = message.as_bytes();
            let mut header = PremadeHeader::read(&source, Reading::default()).unwrap();
            let united = header.unite_repeated();
            let raw: Vec<_> = header.iter().map(RawField::raw).collect();
            assert_eq!(String::from_utf8(raw.concat()).unwrap(), expected);
            assert_eq!(
                united.is_empty(),
                message.starts_with("Received"),
                "{message}"
            );
        }
        // As many as a header may have take time in proportion to their number.
        let many = "To: a@x\nSubject: b\n".repeat(30_000);
        let mut header = PremadeHeader::read(&many.as_bytes(), Reading::default()).unwrap();
        header.unite_repeated();
        assert_eq!(header.iter().count(), 2);
    }

    #[test]
    fn fields_are_found_counted_and_replaced() {
        let mut header =
            PremadeHeader::read(&&b"To: a\nto: b\nX: c\n\n"[..], Reading::default()).unwrap();
        assert_eq!(header.count("TO"), 2);
        assert!(header.remove("To") && !header.contains("to"));
        let value = |text| crate::message::HeaderValue::new(text).unwrap();
        header.prepend(HeaderName::known("Received"), value("by x"));
        header.append(HeaderName::known("Date"), value("now"));
        let raw: Vec<_> = header.iter().map(RawField::raw).collect();
        assert_eq!(raw.concat(), b"Received: by x\nX: c\nDate: now\n");
    }

    proptest::proptest! {
        #[test]
        fn a_header_ends_where_it_ends_for_readers(
            pieces in proptest::collection::vec(
                proptest::sample::select(vec![
                    "To: b\n", "X : y\n", " folded\n", "\tfolded\r\n", "\n", "\r\n", " \n", "\t\r\n",
                    "text\n", "half", "a b: c\n", " LONG\n", "MANY", "JUST",
                ]),
                0..12,
            ),
        ) {
            let message = pieces
                .concat()
                .replace("LONG", &"x".repeat(3000))
                .replace("MANY", &" \n".repeat(17))
                .replace("JUST", &" \n".repeat(13));
            let found = read(message.as_bytes(), false).1;
            proptest::prop_assert_eq!(found, fields::header_len(message.as_bytes()), "{:?}", message);
        }
    }
}
