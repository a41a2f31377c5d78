//! The header of a message on the screen: which fields are shown, in which order, decoded.

use super::output::{PIECE, TextOutput};
use crate::charset;
use crate::message::holds_addresses;
use crate::message::parse::fields::{self, Field};
use crate::message::parse::{FieldText, words};

/// How much of a header is shown, in bytes.
pub(super) const MAX_HEADER: usize = 1 << 20;
/// How many addresses of one field are shown.
const MAX_ADDRESSES: usize = 1000;

/// The header fields hidden where all others are shown (what Debian's `/etc/mail.rc` ignores).
pub const IGNORED: &[&str] = &[
    "received",
    "message-id",
    "resent-message-id",
    "status",
    "x-status",
    "mail-from",
    "return-path",
    "via",
    "delivered-to",
];

/// Which header fields are shown.
#[derive(Clone, Copy, Debug)]
pub enum FieldChoice<'a> {
    /// All of them, in the order of the message.
    All,
    /// Only these in this order if there are any, else all but the second list; names in lower case
    /// (POSIX `retain`, `ignore`).
    Lists {
        /// The only ones shown.
        retain: &'a [String],
        /// The ones hidden.
        ignore: &'a [String],
    },
}

/// The fields that are shown: those of a list are collected in one pass, because a header may have a
/// million fields.
pub(super) struct Chosen<'a, 'c> {
    choice: FieldChoice<'c>,
    /// The fields of each name that is retained, and how long they are.
    found: Vec<(Vec<Field<'a>>, usize)>,
}

impl<'a, 'c> Chosen<'a, 'c> {
    pub(super) fn new(choice: FieldChoice<'c>) -> Chosen<'a, 'c> {
        let names = match choice {
            FieldChoice::All => 0,
            FieldChoice::Lists { retain, .. } => retain.len(),
        };
        Chosen {
            choice,
            found: vec![(Vec::new(), 0); names],
        }
    }

    /// Takes the next field of the header.
    pub(super) fn see(&mut self, field: Field<'a>) {
        let FieldChoice::Lists { retain, .. } = self.choice else {
            return;
        };
        if let Some(place) = retain.iter().position(|name| field.is(name)) {
            let (fields, size) = &mut self.found[place];
            if *size <= MAX_HEADER {
                *size += field.name.len() + field.body.len() + 3;
                fields.push(field);
            }
        }
    }
}

/// Appends the chosen fields of a header block, decoded; `label` is the charset of the text, by which
/// 8-bit fields are read that are no UTF-8.
///
/// Folds stay as they are where nothing is encoded, because a sender who
/// folded a long list meant it to be read so.
pub(super) fn header(
    out: &mut TextOutput<'_>,
    block: &[u8],
    chosen: Chosen<'_, '_>,
    label: Option<&str>,
) {
    let mut writer = HeaderWriter {
        out,
        text: String::new(),
        len: 0,
        text_of: FieldText::labelled(label),
        unknown: None,
    };
    let is_whole = match chosen.choice {
        FieldChoice::All => fields::fields(block).all(|field| writer.field(&field)),
        FieldChoice::Lists { retain: [], ignore } => fields::fields(block)
            .filter(|field| !ignore.iter().any(|name| field.is(name)))
            .all(|field| writer.field(&field)),
        FieldChoice::Lists { .. } => {
            let mut fields = chosen.found.iter().flat_map(|(fields, _)| fields);
            fields.all(|field| writer.field(field))
        }
    };
    writer.hand_on();
    if !is_whole {
        let line = "[-- the header is longer than 1 MB: the rest is not shown --]\n";
        writer.out.push(line);
    } else if let Some((label, guessed)) = writer.unknown {
        writer.out.tell_unknown_charset(&label, guessed);
    }
}

/// Appends fields up to the limit.
struct HeaderWriter<'o, 'g> {
    out: &'o mut TextOutput<'g>,
    /// The fields that were not handed on yet.
    text: String,
    /// How long the fields were that were handed on. The limit counts the text, not the bytes: decoded
    /// text may be longer.
    len: usize,
    text_of: FieldText<'static>,
    /// The first charset of encoded words that we do not know, and the one they are read in.
    unknown: Option<(String, charset::Charset)>,
}

impl HeaderWriter<'_, '_> {
    /// Appends a field; returns whether there was room for it.
    fn field(&mut self, field: &Field<'_>) -> bool {
        if self.len + self.text.len() > MAX_HEADER {
            return false;
        }
        let cut = field.body.len().min(MAX_HEADER);
        let (shown, hidden) = first_addresses(&field.body[..cut], field);
        self.text.push_str(&charset::decode_text(field.name));
        self.text.push_str(": ");
        match std::str::from_utf8(shown) {
            Ok(body) if body.is_ascii() && !words::may_have_words(shown) => {
                push_with_lf(&mut self.text, body);
            }
            _ => {
                self.decoded(shown, holds_addresses(field.name));
                if self.unknown.is_none() {
                    self.unknown = words::unknown_charset(shown);
                }
            }
        }
        if hidden > 0 {
            self.text.push_str(&format!(" [-- and {hidden} more --]"));
        } else if cut < field.body.len() {
            self.text.push_str(" [-- cut after 1 MB --]");
        }
        self.text.push('\n');
        if self.text.len() >= PIECE {
            self.hand_on();
        }
        true
    }

    /// Appends a field body with encoded words or 8-bit text.
    fn decoded(&mut self, body: &[u8], is_list: bool) {
        let text = if is_list {
            self.text_of.addresses(body)
        } else {
            self.text_of.words(body)
        };
        // A line end within an encoded word would look like another field, such as a forged From: it is
        // shown as a visible sign.
        let text = text.replace('\n', "\u{240a}").replace('\r', "\u{240d}");
        self.text.push_str(&text);
    }

    fn hand_on(&mut self) {
        self.out.push(&self.text);
        self.len += self.text.len();
        self.text.clear();
    }
}

/// Appends text, its CRLF as LF.
fn push_with_lf(out: &mut String, text: &str) {
    let mut start = 0;
    for at in memchr::memchr_iter(b'\r', text.as_bytes()) {
        if text.as_bytes().get(at + 1) == Some(&b'\n') {
            out.push_str(&text[start..at]);
            start = at + 1;
        }
    }
    out.push_str(&text[start..]);
}

/// Returns as much of an address list as is shown, and how many addresses are not.
fn first_addresses<'a>(body: &'a [u8], field: &Field<'_>) -> (&'a [u8], usize) {
    if !["to", "cc", "bcc"].iter().any(|name| field.is(name)) {
        return (body, 0);
    }
    let mut commas = memchr::memchr_iter(b',', body).skip(MAX_ADDRESSES - 1);
    match commas.next() {
        None => (body, 0),
        Some(at) => (&body[..at], 1 + commas.count()),
    }
}
