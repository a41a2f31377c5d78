//! The tree of parts: one walk from delimiter to delimiter (RFC 2046 section 5.1).
//!
//! The tree is our own and not mail-parser's, which decodes every part, keeps every header field,
//! and takes several times the message in memory for it. Here parts are ranges of the message; only
//! a message in base64 or quoted-printable is decoded. Nothing is read twice and nothing is nested
//! deeper than [`MAX_DEPTH`], so time is linear. What the header says of a part, the module
//! `description` reads.

use memchr::{memchr, memmem};

use super::body::DeclaredEncoding;
use super::bytes::Bytes;
use super::description::{self, Bodies, Description, MAX_FIELD};
use super::fields::{self, Field, HeaderLine};
use super::part::{Content, Part, Structure, TextFormat};

/// How deep parts may be nested, whether a message is parsed or walked: a part at a deeper level is
/// text.
pub(crate) const MAX_DEPTH: usize = 64;
/// How many parts of a message are read.
pub(crate) const MAX_PARTS: usize = 10_000;

/// How deep messages that are encoded as a whole are decoded: each level is a copy in memory.
const MAX_DECODINGS: usize = 3;

/// Returns the tree of parts of a message; a message without MIME is one text part.
///
/// `message` begins with its header block, without a From_ line.
pub fn structure(message: &[u8]) -> Structure<'_> {
    structure_and_fields(message, &mut |_| ())
}

/// Returns the tree of parts of a message, and gives the fields of its header to `see`: lists and long
/// texts of many messages read each header once.
pub(super) fn structure_and_fields<'a>(
    message: &'a [u8],
    see: &mut dyn FnMut(Field<'a>),
) -> Structure<'a> {
    let mut bodies = Bodies::default();
    let mut fields = fields::fields(message);
    for field in fields.by_ref() {
        description::note(&mut bodies, &field);
        see(field);
    }
    let mut reader = TreeReader::new(Bytes::Borrowed(message), MAX_PARTS - 1, MAX_DECODINGS);
    reader.at = message.len() - fields.text().len();
    let ended = fields.rest().is_empty().then_some(EntityEnd::Message);
    let position = Position {
        number: Number::Root(String::new()),
        depth: 0,
        in_digest: false,
    };
    let (root, _) = reader.described(Description::by(bodies, false), ended, position);
    Structure {
        header: &message[..message.len() - fields.rest().len()],
        parts: root.into_iter().collect(),
        rest: reader.rest,
    }
}

/// How a part gets its number.
enum Number {
    /// The entity has this number.
    Part(String),
    /// The entity is the content of the message of this number: a multipart has the same number,
    /// any other type is its first part (RFC 3501 section 6.4.5).
    Root(String),
}

/// The place of an entity in the tree.
struct Position {
    number: Number,
    depth: usize,
    in_digest: bool,
}

/// What ended an entity.
#[derive(Clone, Copy, PartialEq, Eq)]
enum EntityEnd {
    /// The end of the message.
    Message,
    /// The delimiter of an open multipart.
    Delimiter { multipart: usize, closes: bool },
}

/// One pass over a message that builds its tree.
struct TreeReader<'a> {
    bytes: Bytes<'a>,
    /// How far the message is read.
    at: usize,
    /// The boundaries of the multiparts that are open, the outermost first.
    open: Vec<Vec<u8>>,
    /// How many more parts are read.
    parts_left: usize,
    /// How many more levels of encoded messages are decoded.
    decodings_left: usize,
    /// The bytes that were not read, because the message has too many parts.
    rest: Option<Bytes<'a>>,
}

impl<'a> TreeReader<'a> {
    fn new(bytes: Bytes<'a>, parts_left: usize, decodings_left: usize) -> TreeReader<'a> {
        TreeReader {
            bytes,
            at: 0,
            open: Vec::new(),
            parts_left,
            decodings_left,
            rest: None,
        }
    }

    /// Reads an entity from its header on, up to what ends it.
    ///
    /// There is no part if the message has too many of them.
    fn entity(&mut self, position: Position) -> (Option<Part<'a>>, EntityEnd) {
        if self.parts_left == 0 {
            // The rest is kept in one piece, so that it can be shown as it stands: a message may not
            // hide its text behind 10,000 empty parts.
            self.rest = Some(self.bytes.slice(self.at, self.bytes.len()));
            self.at = self.bytes.len();
            return (None, EntityEnd::Message);
        }
        self.parts_left -= 1;
        let header_start = self.at;
        let ended = self.pass_header();
        let header = self.bytes.slice(header_start, self.at);
        let description = Description::of(&header, position.in_digest);
        self.described(description, ended, position)
    }

    /// Reads an entity whose header was read, and ended so.
    fn described(
        &mut self,
        description: Description,
        ended: Option<EntityEnd>,
        position: Position,
    ) -> (Option<Part<'a>>, EntityEnd) {
        let is_multipart = description.media_type.starts_with("multipart/");
        let number = match position.number {
            Number::Part(number) => number,
            Number::Root(number) if is_multipart => number,
            Number::Root(number) => join(&number, 0),
        };
        let part = Part {
            number,
            media_type: description.media_type,
            charset: description.charset,
            format: description.format,
            file_name: description.file_name,
            attachment: description.attachment,
            encoding: description.encoding,
            content_id: description.content_id,
            raw: Bytes::default(),
            content: Content::Leaf,
        };
        match ended {
            Some(end) => {
                // The header ends at a delimiter, without an empty line: the part has no content.
                self.pass_line();
                (Some(as_leaf(part)), end)
            }
            None => self.content(part, description.boundary, position.depth),
        }
    }

    /// Reads the content of a part, whose header was read before.
    fn content(
        &mut self,
        mut part: Part<'a>,
        boundary: Option<String>,
        depth: usize,
    ) -> (Option<Part<'a>>, EntityEnd) {
        let start = self.at;
        if depth >= MAX_DEPTH {
            // Each level is a call of this function: deeper ones could exhaust the stack.
            let end = self.pass_content(&mut part, start);
            return (Some(as_text(part)), end);
        }
        let is_multipart = part.media_type.starts_with("multipart/");
        let is_message = matches!(&*part.media_type, "message/rfc822" | "message/global");
        match boundary {
            Some(boundary) if is_multipart && !boundary.is_empty() => {
                self.multipart(part, boundary.into_bytes(), depth)
            }
            // The message within is read in place: the delimiters of the multiparts around it end
            // it, too, whatever its own header says.
            _ if is_message && part.encoding == DeclaredEncoding::Identity => {
                let (root, end) = self.entity(Position {
                    number: Number::Root(part.number.clone()),
                    depth: depth + 1,
                    in_digest: false,
                });
                part.raw = self.bytes.slice(start, self.content_end(start, end));
                let header = fields::split_header(&part.raw).0.len();
                part.media_type = "message/rfc822".to_owned();
                part.content =
                    Content::Message(part.raw.slice(0, header), root.into_iter().collect());
                (Some(part), end)
            }
            // RFC 2046 section 5.2.1 forbids to encode a message; mailers do it all the same.
            _ if is_message && self.decodings_left > 0 => {
                let end = self.pass_content(&mut part, start);
                (Some(self.decoded_message(part, depth)), end)
            }
            _ => {
                let end = self.pass_content(&mut part, start);
                (Some(as_leaf(part)), end)
            }
        }
    }

    /// Reads a multipart from its preamble on.
    fn multipart(
        &mut self,
        mut part: Part<'a>,
        boundary: Vec<u8>,
        depth: usize,
    ) -> (Option<Part<'a>>, EntityEnd) {
        let start = self.at;
        let own = self.open.len();
        self.open.push(boundary);
        // The preamble (RFC 2046 section 5.1.1) is skipped: mailers do not show it.
        let mut end = self.pass_to_delimiter();
        let mut parts = Vec::new();
        while end
            == (EntityEnd::Delimiter {
                multipart: own,
                closes: false,
            })
            && self.at < self.bytes.len()
        {
            let (found, next) = self.entity(Position {
                number: Number::Part(join(&part.number, parts.len())),
                depth: depth + 1,
                in_digest: part.is("multipart/digest"),
            });
            parts.extend(found);
            end = next;
        }
        // An outer delimiter may have ended the innermost part: what it skips is closed with it.
        self.open.truncate(own);
        // What follows the last delimiter belongs to no part.
        if matches!(end, EntityEnd::Delimiter { multipart, .. } if multipart == own) {
            end = self.pass_to_delimiter();
        }
        part.raw = self.bytes.slice(start, self.content_end(start, end));
        if parts.is_empty() {
            // The header announces parts and there are none: the content is shown as text.
            return (Some(as_text(part)), end);
        }
        // Only the leaves of a multipart are encoded (RFC 2045 section 6.4).
        part.encoding = DeclaredEncoding::Identity;
        part.content = Content::Multipart(parts);
        (Some(part), end)
    }

    /// Decodes a message that is encoded as a whole, and reads its parts.
    fn decoded_message(&mut self, mut part: Part<'a>, depth: usize) -> Part<'a> {
        let decoded = Bytes::from(part.decoded().into_owned());
        // The decoded message is another sequence of bytes, but counts against the same limits.
        let mut reader = TreeReader::new(decoded, self.parts_left, self.decodings_left - 1);
        let (root, _) = reader.entity(Position {
            number: Number::Root(part.number.clone()),
            depth: depth + 1,
            in_digest: false,
        });
        self.parts_left = reader.parts_left;
        let header = fields::split_header(&reader.bytes).0.len();
        part.media_type = "message/rfc822".to_owned();
        part.content = Content::Message(reader.bytes.slice(0, header), root.into_iter().collect());
        part
    }

    /// Passes a header block and its empty line, if it has one; where a delimiter or the message ends it instead,
    /// says so and stays there.
    fn pass_header(&mut self) -> Option<EntityEnd> {
        let mut has_field = false;
        while self.at < self.bytes.len() {
            let line = self.line();
            // A delimiter counts in a header, too: else a part whose empty line was lost would take
            // the parts behind it for its header.
            if let Some(end) = self.delimiter(line.0) {
                return Some(end);
            }
            match fields::header_line(&self.bytes[line.0..], has_field) {
                HeaderLine::Field => has_field = true,
                HeaderLine::Continuation | HeaderLine::OldFromLine => {}
                HeaderLine::Separator => {
                    self.at = line.1;
                    return None;
                }
                HeaderLine::Text => return None,
            }
            self.at = line.1;
        }
        Some(EntityEnd::Message)
    }

    /// Returns where the line begins and ends.
    fn line(&self) -> (usize, usize) {
        let length = memchr(b'\n', &self.bytes[self.at..]);
        (
            self.at,
            length.map_or(self.bytes.len(), |length| self.at + length + 1),
        )
    }

    fn pass_line(&mut self) {
        self.at = self.line().1;
    }

    /// Passes content up to a delimiter, and the delimiter.
    fn pass_content(&mut self, part: &mut Part<'a>, start: usize) -> EntityEnd {
        let end = self.pass_to_delimiter();
        part.raw = self.bytes.slice(start, self.content_end(start, end));
        end
    }

    /// Passes everything up to a delimiter of an open multipart, and the delimiter.
    fn pass_to_delimiter(&mut self) -> EntityEnd {
        // Without an open multipart no line is a delimiter: the search would be for nothing.
        if self.open.is_empty() {
            self.at = self.bytes.len();
            return EntityEnd::Message;
        }
        loop {
            if let Some(end) = self.delimiter(self.at) {
                self.pass_line();
                return end;
            }
            match memmem::find(&self.bytes[self.at..], b"\n--") {
                Some(before) => self.at += before + 1,
                None => {
                    self.at = self.bytes.len();
                    return EntityEnd::Message;
                }
            }
        }
    }

    /// Returns which multipart the line there delimits, the innermost one first; blanks may follow.
    fn delimiter(&self, start: usize) -> Option<EntityEnd> {
        let line = self.bytes[start..].strip_prefix(b"--")?;
        // No boundary is longer than what is read of a field: longer lines are not read to their
        // end once for each multipart that is open.
        let window = &line[..line.len().min(MAX_FIELD + 3)];
        let length = memchr(b'\n', window).unwrap_or(window.len());
        let line = window[..length].trim_ascii_end();
        self.open
            .iter()
            .enumerate()
            .rev()
            .find_map(|(multipart, boundary)| {
                let boundary = boundary.trim_ascii_end();
                let closes = match line.strip_prefix(boundary)? {
                    b"" => false,
                    b"--" => true,
                    _ => return None,
                };
                Some(EntityEnd::Delimiter { multipart, closes })
            })
    }

    /// Returns where content ends: the line end before a delimiter belongs to the delimiter
    /// (RFC 2046 section 5.1.1).
    ///
    /// The delimiter was passed.
    fn content_end(&self, start: usize, end: EntityEnd) -> usize {
        if end == EntityEnd::Message {
            return self.bytes.len();
        }
        let before = &self.bytes[..self.at];
        let line = before.strip_suffix(b"\n").unwrap_or(before);
        let delimiter = memchr::memrchr(b'\n', line).map_or(0, |newline| newline + 1);
        let content = &self.bytes[..delimiter];
        fields::trim_line_end(content).len().max(start)
    }
}

/// Returns a part without parts of its own. A multipart that cannot be read as one is text, as
/// RFC 2049 section 2 asks.
fn as_leaf(mut part: Part<'_>) -> Part<'_> {
    if part.media_type.starts_with("multipart/") {
        part.media_type = "text/plain".to_owned();
    }
    part
}

/// Returns a part as text that is not encoded.
fn as_text(part: Part<'_>) -> Part<'_> {
    plain_part(&part.number, part.raw)
}

fn plain_part<'a>(number: &str, raw: Bytes<'a>) -> Part<'a> {
    Part {
        number: number.to_owned(),
        media_type: "text/plain".to_owned(),
        charset: None,
        format: TextFormat::Fixed,
        file_name: None,
        attachment: false,
        content_id: None,
        encoding: DeclaredEncoding::Identity,
        raw,
        content: Content::Leaf,
    }
}

fn join(number: &str, index: usize) -> String {
    match number {
        "" => (index + 1).to_string(),
        _ => format!("{number}.{}", index + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use mail_parser::{Message, MessageParser, MimeHeaders, PartType};
    use proptest::prelude::*;

    fn each<'p, 'a>(parts: &'p [Part<'a>], see: &mut dyn FnMut(&'p Part<'a>)) {
        for part in parts {
            see(part);
            match &part.content {
                Content::Leaf => {}
                Content::Multipart(parts) | Content::Message(_, parts) => each(parts, see),
            }
        }
    }

    fn leaves(message: &[u8]) -> Vec<(String, Vec<u8>)> {
        let mut found = Vec::new();
        each(&structure(message).parts, &mut |part| {
            if let Content::Leaf = part.content {
                found.push((part.media_type.clone(), part.raw.to_vec()));
            }
        });
        found
    }

    #[test]
    fn a_tree_of_parts_holds_no_copy_of_the_message() {
        let mut message = b"Content-Type: multipart/mixed; boundary=b\n\n".to_vec();
        for _ in 0..1000 {
            message.extend_from_slice(b"--b\nContent-Type: message/rfc822\n\nSubject: x\n\ntext\n");
        }
        let mut seen = 0;
        each(&structure(&message).parts, &mut |part| {
            assert!(matches!(part.raw, Bytes::Borrowed(_)), "{}", part.number);
            seen += 1;
        });
        assert_eq!(seen, 2001);
    }

    #[test]
    fn parts_of_a_decoded_message_share_its_bytes() {
        use base64::Engine;
        let mut inner = String::new();
        for level in 0..50 {
            inner += &format!("Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n");
        }
        inner += "\nbottom\n";
        let encoded = base64::engine::general_purpose::STANDARD.encode(&inner);
        let message = format!(
            "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n{encoded}\n"
        );
        let mut owners = std::collections::HashSet::new();
        each(&structure(message.as_bytes()).parts, &mut |part| {
            if let Bytes::Shared(all, _) = &part.raw {
                owners.insert(std::rc::Rc::as_ptr(all));
            }
        });
        assert_eq!(owners.len(), 1);
    }

    #[test]
    fn a_field_of_continuations_is_cut_before_it_is_read() {
        let mut field = String::from("Content-Type: text/plain");
        for number in 0..100_000 {
            field += &format!(";\n name*{number}=x");
        }
        let message = format!("{field}\n\nbody\n");
        let found = structure(message.as_bytes());
        let name = found.parts[0].file_name.as_deref().expect("a name");
        assert!(name.bytes().all(|byte| byte == b'x') && (500..MAX_FIELD).contains(&name.len()));
        assert_eq!(&*found.parts[0].raw, b"body\n");
    }

    #[test]
    fn an_outer_delimiter_ends_inner_parts() {
        let message = b"Content-Type: multipart/mixed; boundary=o\n\nnot shown\n--o\n\
            Content-Type: multipart/mixed; boundary=i\n\n--i\n\none\n--o  \n\ntwo --o\n--ox\n\
            --o--\nnot shown\n";
        let text = |body: &str| ("text/plain".to_owned(), body.as_bytes().to_vec());
        assert_eq!(leaves(message), [text("one"), text("two --o\n--ox")]);
    }

    #[test]
    fn a_delimiter_ends_a_header_too() {
        let message = b"Content-Type: multipart/mixed; boundary=b\n\n--b\nX: y\n--b\n\ntwo\n--b--";
        let text = |body: &str| ("text/plain".to_owned(), body.as_bytes().to_vec());
        assert_eq!(leaves(message), [text(""), text("two")]);
    }

    /// Appends what mail-parser, the judge here, makes of a well-formed message.
    fn judged(message: &Message<'_>, out: &mut Vec<(String, Vec<u8>)>) {
        for part in &message.parts {
            match &part.body {
                PartType::Multipart(_) => {}
                PartType::Message(inner) => judged(inner, out),
                _ => {
                    let range = part.offset_body as usize..part.offset_end as usize;
                    let raw = message.raw_message[range].to_vec();
                    let media_type = part.content_type().map_or_else(
                        || "text/plain".to_owned(),
                        |found| {
                            format!("{}/{}", found.ctype(), found.subtype().unwrap_or_default())
                        },
                    );
                    out.push((media_type, raw));
                }
            }
        }
    }

    #[derive(Clone, Debug)]
    enum Tree {
        Leaf(&'static str, String),
        Multipart(Vec<Tree>),
        Message(Box<Tree>),
    }

    fn tree() -> impl Strategy<Value = Tree> {
        let leaf = (
            prop::sample::select(vec!["text/plain", "text/html", "image/png"]),
            "[a-z \n]{0,40}",
        )
            .prop_map(|(media_type, text)| Tree::Leaf(media_type, text));
        // mail-parser panics at some multiparts within messages within messages.
        let part = prop_oneof![
            leaf.clone(),
            leaf.prop_map(|leaf| Tree::Message(Box::new(leaf))),
        ];
        part.prop_recursive(4, 24, 4, |inner| {
            prop::collection::vec(inner, 1..4).prop_map(Tree::Multipart)
        })
    }

    /// Writes a well-formed entity; each multipart has a boundary of its own.
    fn write(tree: &Tree, count: &mut usize, out: &mut String) {
        match tree {
            Tree::Leaf(media_type, text) => {
                *out += &format!("Content-Type: {media_type}\n\n{text}");
            }
            Tree::Multipart(parts) => {
                *count += 1;
                let boundary = format!("=b{count}=");
                *out += &format!("Content-Type: multipart/mixed; boundary=\"{boundary}\"\n\n");
                for part in parts {
                    *out += &format!("--{boundary}\n");
                    write(part, count, out);
                    out.push('\n');
                }
                *out += &format!("--{boundary}--\n");
            }
            Tree::Message(inner) => {
                *out += "Content-Type: message/rfc822\n\nSubject: inner\n";
                write(inner, count, out);
            }
        }
    }

    proptest! {
        #[test]
        fn well_formed_messages_are_read_as_mail_parser_reads_them(tree in tree()) {
            let mut message = String::new();
            write(&tree, &mut 0, &mut message);
            let parsed = MessageParser::new().with_mime_headers().parse(message.as_bytes());
            let mut expected = Vec::new();
            judged(&parsed.expect("a message"), &mut expected);
            prop_assert_eq!(leaves(message.as_bytes()), expected);
        }
    }
}
