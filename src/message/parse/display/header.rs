//! The header of a message on the screen: which fields are shown, in which order, decoded.

use memchr::memmem;

use super::output::TextOutput;
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

/// Appends the chosen fields of a header block, decoded; `label` is the charset of the text, by which
/// 8-bit fields are read that are no UTF-8.
///
/// Folds stay as they are where nothing is encoded, because a sender who
/// folded a long list meant it to be read so.
pub(super) fn header(
    out: &mut TextOutput<'_>,
    block: &[u8],
    choice: FieldChoice<'_>,
    label: Option<&str>,
) {
    let mut writer = HeaderWriter {
        start: out.len(),
        out,
        text_of: FieldText::labelled(label),
        unknown: None,
    };
    let is_whole = match choice {
        FieldChoice::All => fields::fields(block).all(|field| writer.field(&field)),
        FieldChoice::Lists { retain: [], ignore } => fields::fields(block)
            .filter(|field| !ignore.iter().any(|name| field.is(name)))
            .all(|field| writer.field(&field)),
        FieldChoice::Lists { retain, .. } => in_order(block, retain)
            .into_iter()
            .flatten()
            .all(|field| writer.field(&field)),
    };
    if !is_whole {
        let line = "[-- the header is longer than 1 MB: the rest is not shown --]\n";
        writer.out.push(line);
    } else if let Some((label, guessed)) = writer.unknown {
        writer.out.tell_unknown_charset(&label, guessed);
    }
}

/// Returns the fields of each name, in one pass: a header may have a million fields.
fn in_order<'a>(block: &'a [u8], names: &[String]) -> Vec<Vec<Field<'a>>> {
    let mut found = vec![Vec::new(); names.len()];
    let mut sizes = vec![0; names.len()];
    for field in fields::fields(block) {
        if let Some(place) = names.iter().position(|name| field.is(name))
            && sizes[place] <= MAX_HEADER
        {
            sizes[place] += field.name.len() + field.body.len() + 3;
            found[place].push(field);
        }
    }
    found
}

/// Appends fields up to the limit.
struct HeaderWriter<'o, 'g> {
    out: &'o mut TextOutput<'g>,
    /// How long the text was before the header. The limit counts the text, not the bytes: decoded
    /// text may be longer.
    start: usize,
    text_of: FieldText<'static>,
    /// The first charset of encoded words that we do not know, and the one they are read in.
    unknown: Option<(String, charset::Charset)>,
}

impl HeaderWriter<'_, '_> {
    /// Appends a field; returns whether there was room for it.
    fn field(&mut self, field: &Field<'_>) -> bool {
        if self.out.len() - self.start > MAX_HEADER {
            return false;
        }
        let cut = field.body.len().min(MAX_HEADER);
        let (shown, hidden) = first_addresses(&field.body[..cut], field);
        self.out.push(&charset::decode_text(field.name));
        self.out.push(": ");
        let is_list = holds_addresses(field.name);
        self.out.push(&field_text(shown, is_list, &self.text_of));
        if hidden > 0 {
            self.out.push(&format!(" [-- and {hidden} more --]"));
        } else if cut < field.body.len() {
            self.out.push(" [-- cut after 1 MB --]");
        }
        self.out.push("\n");
        if self.unknown.is_none() {
            self.unknown = words::unknown_charset(shown);
        }
        true
    }
}

fn field_text(body: &[u8], is_list: bool, text_of: &FieldText<'_>) -> String {
    if body.is_ascii() && memmem::find(body, b"=?").is_none() {
        return charset::decode_text(body).replace("\r\n", "\n");
    }
    let text = if is_list {
        text_of.addresses(body)
    } else {
        text_of.words(body)
    };
    // A line end within an encoded word would look like another field, such as a forged From: it is
    // shown as a visible sign.
    text.replace('\n', "\u{240a}").replace('\r', "\u{240d}")
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
