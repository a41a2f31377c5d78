//! A message as lines for people: header fields decoded, text shown, other parts listed.
//!
//! The result is text, not yet safe for a terminal: the caller passes it
//! through `sanitize`. Which fields are hidden is the caller's choice. The
//! quoting of an mbox is undone before: here nothing is known of mailboxes.

use memchr::memmem;

use super::fields::{self, Field};
use super::{Content, Part, html, structure, words};
use crate::charset::{self, Charset};
use crate::message::holds_addresses;

/// How much of a header is shown, in bytes.
const MAX_HEADER: usize = 1 << 20;
/// How many addresses of one field are shown.
const MAX_ADDRESSES: usize = 1000;

/// How much HTML of a part is rendered, in bytes: that takes several times as much memory.
const MAX_HTML: usize = 4_000_000;

/// How much is shown of the name of a charset that we do not know, in characters.
const MAX_LABEL: usize = 40;

/// The header fields hidden unless somebody asks for all (what Debian's `/etc/mail.rc` ignores).
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
    /// All of them.
    All,
    /// Only these if there are any, else all but the second list; names in lower case (POSIX `retain`, `ignore`).
    Lists {
        /// The only ones shown.
        retain: &'a [String],
        /// The ones hidden.
        ignore: &'a [String],
    },
}

impl FieldChoice<'_> {
    fn shows(&self, field: &Field<'_>) -> bool {
        match self {
            FieldChoice::All => true,
            FieldChoice::Lists { retain: [], ignore } => !ignore.iter().any(|name| field.is(name)),
            FieldChoice::Lists { retain, .. } => retain.iter().any(|name| field.is(name)),
        }
    }
}

/// Hands a message as text to `emit`, a piece at a time: From_ line, if there is one, chosen header
/// fields, an empty line, its parts.
///
/// The quoting of an mbox was undone: the mailbox quoted the finished message, so it comes off
/// before MIME is decoded.
pub fn each_of_message(message: &[u8], choice: FieldChoice<'_>, emit: &mut dyn FnMut(&str)) {
    let (from_line, rest) = fields::split_from_line(message);
    let mut out = TextOutput::new(emit);
    if let Some(line) = from_line {
        out.push(&charset::decode_text(line));
        out.push("\n");
    }
    header(&mut out, fields::split_header(rest).0, choice);
    out.push("\n");
    body(&mut out, rest);
}

/// Hands the text of a message to `emit`, its parts listed; `message` begins with its header block.
pub fn each_of_text(message: &[u8], emit: &mut dyn FnMut(&str)) {
    body(&mut TextOutput::new(emit), message);
}

/// Returns the text of a message, its parts listed; `message` begins with its header block.
pub fn text(message: &[u8]) -> String {
    let mut text = String::new();
    each_of_text(message, &mut |piece| text.push_str(piece));
    text
}

fn body(out: &mut TextOutput<'_>, message: &[u8]) {
    let found = structure(message);
    for part in &found.parts {
        show(out, part);
    }
    if let Some(rest) = &found.rest {
        separate(out);
        out.push("[-- too many parts: the rest is shown undecoded --]\n");
        charset::each_in_charset(rest, None, &mut |text| out.push(text));
    }
    out.finish();
}

/// The longest piece of text that is emitted at once, in bytes.
const PIECE: usize = 64 * 1024;

/// Output of text: only the last bytes are kept, because the text of a part may be very long.
struct TextOutput<'g> {
    emit: &'g mut dyn FnMut(&str),
    /// How many bytes were emitted.
    len: usize,
    /// The last bytes that are no line end.
    tail: [u8; 4],
    /// The line ends behind them, which are emitted when other text follows.
    newlines: usize,
    /// A charset was unknown, and a line says so.
    is_charset_told: bool,
}

impl<'g> TextOutput<'g> {
    fn new(emit: &'g mut dyn FnMut(&str)) -> TextOutput<'g> {
        TextOutput {
            emit,
            len: 0,
            tail: [0; 4],
            newlines: 0,
            is_charset_told: false,
        }
    }

    /// Reports once for each message that the charset of a text was guessed.
    fn tell_unknown_charset(&mut self, label: &str, guessed: Charset) {
        if std::mem::replace(&mut self.is_charset_told, true) {
            return;
        }
        let label: String = label.chars().take(MAX_LABEL).collect();
        let label = label.replace(['\n', '\r'], " ");
        self.push(&format!(
            "[-- unknown charset \"{label}\": read as {guessed} --]\n"
        ));
    }

    fn push(&mut self, text: &str) {
        let content = text.trim_end_matches('\n');
        if !content.is_empty() {
            self.emit_newlines(self.newlines);
            self.emit(content);
            let last = &content.as_bytes()[content.len().saturating_sub(4)..];
            self.tail.rotate_left(last.len());
            self.tail[4 - last.len()..].copy_from_slice(last);
        }
        self.newlines += text.len() - content.len();
    }

    fn emit(&mut self, text: &str) {
        self.len += text.len();
        let mut rest = text;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.floor_char_boundary(PIECE));
            (self.emit)(piece);
            rest = after;
        }
    }

    fn emit_newlines(&mut self, count: usize) {
        self.newlines = 0;
        let mut left = count;
        while left > 0 {
            let piece = left.min(NEWLINES.len());
            self.emit(&NEWLINES[..piece]);
            left -= piece;
        }
    }

    /// Returns how long the text is so far.
    fn len(&self) -> usize {
        self.len + self.newlines
    }

    /// Ends the text with one line end: the empty line before the next From_ line is the mailbox's,
    /// not the message's.
    fn finish(&mut self) {
        self.emit_newlines(usize::from(self.len > 0));
    }
}

/// Line ends, to emit many at once.
const NEWLINES: &str = "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n";

/// Appends the chosen fields of a header block, decoded.
///
/// Folds stay as they are where nothing is encoded, because a sender who
/// folded a long list meant it to be read so.
fn header(out: &mut TextOutput<'_>, block: &[u8], choice: FieldChoice<'_>) {
    // The limit counts the text, not the bytes: decoded text may be longer.
    let start = out.len();
    let mut unknown = None;
    for field in fields::fields(block).filter(|field| choice.shows(field)) {
        if out.len() - start > MAX_HEADER {
            out.push("[-- the header is longer than 1 MB: the rest is not shown --]\n");
            return;
        }
        let cut = field.body.len().min(MAX_HEADER);
        let (shown, hidden) = first_addresses(&field.body[..cut], &field);
        out.push(&charset::decode_text(field.name));
        out.push(": ");
        out.push(&field_text(shown, holds_addresses(field.name)));
        if hidden > 0 {
            out.push(&format!(" [-- and {hidden} more --]"));
        } else if cut < field.body.len() {
            out.push(" [-- cut after 1 MB --]");
        }
        out.push("\n");
        unknown = unknown.or_else(|| words::unknown_charset(shown));
    }
    if let Some((label, guessed)) = unknown {
        out.tell_unknown_charset(&label, guessed);
    }
}

fn field_text(body: &[u8], is_list: bool) -> String {
    if body.is_ascii() && memmem::find(body, b"=?").is_none() {
        charset::decode_text(body).replace("\r\n", "\n")
    } else {
        // A line end within an encoded word would look like another field, such as a forged From:
        // it is shown as a visible sign.
        let decode = if is_list {
            words::decode_list
        } else {
            words::decode
        };
        decode(body)
            .replace('\n', "\u{240a}")
            .replace('\r', "\u{240d}")
    }
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

fn show(out: &mut TextOutput<'_>, part: &Part<'_>) {
    match &part.content {
        // Forms of one text: the others are neither shown nor listed.
        Content::Multipart(parts) if part.is("multipart/alternative") => {
            if let Some(best) = preferred(parts) {
                show(out, best);
            }
        }
        Content::Multipart(parts) => {
            for part in parts {
                show(out, part);
            }
        }
        // A forwarded message: the fields that its reader needs, whatever fields the user retains.
        Content::Message(block, parts) => {
            list(out, part);
            let shown = ["from", "to", "cc", "date", "subject"].map(str::to_owned);
            let choice = FieldChoice::Lists {
                retain: &shown,
                ignore: &[],
            };
            header(out, block, choice);
            for part in parts {
                show(out, part);
            }
        }
        Content::Leaf if is_shown(part) => {
            separate(out);
            if let Some(label) = part.unknown_charset() {
                out.tell_unknown_charset(label, Charset::of(&part.decoded()));
            }
            if part.is("text/html") {
                show_html(out, part)
            } else {
                part.each_text(&mut |text| out.push(text))
            }
        }
        Content::Leaf => list(out, part),
    }
}

/// Appends the text of HTML; after the limit the HTML is shown undecoded, below a line that says
/// so.
fn show_html(out: &mut TextOutput<'_>, part: &Part<'_>) {
    // HTML is rendered as a whole: what it holds is collected up to the limit first.
    let mut html = String::new();
    let mut rest = false;
    part.each_text(&mut |text| {
        if rest {
            return out.push(text);
        }
        let space = MAX_HTML - html.len();
        let (first, after) = text.split_at(text.floor_char_boundary(space));
        html.push_str(first);
        if !after.is_empty() {
            rest = true;
            out.push(html::text(&html).trim_end());
            out.push("\n\n[-- the HTML is longer than 4 MB: the rest is shown undecoded --]\n");
            out.push(after);
        }
    });
    if !rest {
        out.push(html::text(&html).trim_end());
    }
}

/// Ends the text before a part: with an empty line, so that one can see where a part begins.
fn separate(out: &mut TextOutput<'_>) {
    if out.len() > 0 && out.newlines < 2 {
        out.push(&NEWLINES[out.newlines..2]);
    }
}

/// Returns the alternative to show: the first plain text that is not empty, else HTML, else the last,
/// which the sender likes best (RFC 2046 section 5.1.4).
fn preferred<'p, 'a>(parts: &'p [Part<'a>]) -> Option<&'p Part<'a>> {
    let of = |media_type: &'static str| parts.iter().find(move |part| holds(part, media_type));
    of("text/plain")
        .or_else(|| of("text/html"))
        .or(parts.last())
}

fn holds(part: &Part<'_>, media_type: &str) -> bool {
    match &part.content {
        Content::Leaf => part.is(media_type) && part.has_content(),
        Content::Multipart(parts) => parts.iter().any(|part| holds(part, media_type)),
        Content::Message(..) => false,
    }
}

/// Returns whether a leaf is shown as text. The machine-readable part of a delivery report is, too:
/// it holds the reason of the failure.
fn is_shown(part: &Part<'_>) -> bool {
    !part.attachment
        && (part.media_type.starts_with("text/")
            || part.is("message/delivery-status")
            || part.is("message/disposition-notification"))
}

/// Appends the line that is shown instead of a part.
fn list(out: &mut TextOutput<'_>, part: &Part<'_>) {
    // Between two parts that are only listed there is no empty line.
    if out.newlines != 1 || &out.tail != b" --]" {
        separate(out);
    }
    out.push(&format!("[-- part {}: ", part.number));
    if let Some(name) = &part.file_name {
        out.push(&format!("{}, ", name.replace(['\n', '\r'], " ")));
    }
    let size = size(part.decoded().len());
    out.push(&format!("{}, {size} --]\n", part.media_type));
}

/// Returns a size as people say it, in decimal units.
fn size(bytes: usize) -> String {
    match bytes {
        0..1000 => format!("{bytes} bytes"),
        1000..1_000_000 => format!("{} kB", (bytes + 500) / 1000),
        _ => format!("{} MB", (bytes + 500_000) / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a message of an mbox as text.
    fn message(message: &[u8], choice: FieldChoice<'_>) -> String {
        let mut text = String::new();
        each_of_message(message, choice, &mut |piece| text.push_str(piece));
        text
    }

    #[test]
    fn a_line_end_within_an_encoded_word_makes_no_line() {
        let text = "To: =?utf-8?q?x=0D=0AX=3A_y?=\nSubject: =?utf-8?q?a=0AFrom=3A_root?=\n\nb\n";
        let out = shown(text);
        assert!(out.contains("To: \"x\u{240d}\u{240a}X: y\"\n"), "{out}");
        assert!(out.contains("Subject: a\u{240a}From: root\n"), "{out}");
    }

    fn shown(text: &str) -> String {
        let ignore: Vec<String> = IGNORED.iter().map(|&name| name.to_owned()).collect();
        let choice = FieldChoice::Lists {
            retain: &[],
            ignore: &ignore,
        };
        message(text.as_bytes(), choice)
    }

    #[test]
    fn a_plain_message_is_shown_with_its_from_line() {
        let given = "From a@b Mon Nov 16 09:00:00 2026\nReceived: x\n y\nFrom: a@b\n\
            Subject: =?utf-8?q?Gr=C3=B6=C3=9Fe?=\nTo: c@d,\n e@f\n\nhello\n>From me\n\n";
        assert_eq!(
            shown(given),
            "From a@b Mon Nov 16 09:00:00 2026\nFrom: a@b\nSubject: Größe\nTo: c@d,\n e@f\n\n\
             hello\n>From me\n"
        );
    }

    #[test]
    fn only_the_text_of_an_alternative_is_shown() {
        let parts = |plain: &str| {
            format!(
                "Content-Type: multipart/alternative; boundary=b\n\n--b\n\n{plain}\n--b\n\
                 Content-Type: text/html\n\n<p>rich</p>\n--b--\n"
            )
        };
        assert_eq!(text(parts("plain").as_bytes()), "plain\n");
        assert_eq!(text(parts(" ").as_bytes()).trim(), "rich");
    }

    #[test]
    fn other_parts_are_listed() {
        let given = format!(
            "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nsee\n--b\n\
             Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n\
             Content-Disposition: attachment; filename=report.pdf\n\n{}\n--b\n\
             Content-Type: text/plain\nContent-Disposition: attachment; filename=a.log\n\nlog\n\
             --b\nContent-Type: image/png\n\n--b\n\n\n--b\n\nend\n--b--\n",
            "QUJD".repeat(1000)
        );
        assert_eq!(
            text(given.as_bytes()),
            "see\n\n[-- part 2: report.pdf, application/pdf, 3 kB --]\n\
             [-- part 3: a.log, text/plain, 3 bytes --]\n\
             [-- part 4: image/png, 0 bytes --]\n\nend\n"
        );
    }

    #[test]
    fn a_message_within_is_shown_with_its_header() {
        let given = "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: one\nX-Y: z\n\n\
            first\n--b--\n";
        assert_eq!(
            text(given.as_bytes()),
            "[-- part 1: message/rfc822, 26 bytes --]\nSubject: one\n\nfirst\n"
        );
    }

    #[test]
    fn what_is_broken_is_shown_as_text() {
        let cases: &[(&str, &str)] = &[
            (
                "Content-Type: multipart/mixed; boundary=none\n\nhello\n",
                "hello\n",
            ),
            ("Content-Type: multipart/mixed\n\nhello\n", "hello\n"),
            (
                "Subject: x\n\nbegin 644 a\n#86)C\n`\nend\n",
                "begin 644 a\n#86)C\n`\nend\n",
            ),
            (
                "Content-Type: text/plain; charset=nonesuch\n\ncaf\u{e9}\n",
                "[-- unknown charset \"nonesuch\": read as utf-8 --]\ncafé\n",
            ),
            ("Subject: x\n\n", ""),
        ];
        for (given, expected) in cases {
            assert_eq!(text(given.as_bytes()), *expected, "{given}");
        }
    }

    #[test]
    fn long_headers_are_cut() {
        let addresses = vec!["a@example.org"; 1500].join(", ");
        let out = shown(&format!("To: {addresses}\n\nx\n"));
        assert!(
            out.contains("[-- and 500 more --]"),
            "{}",
            &out[out.len() - 80..]
        );
        assert_eq!(out.matches("a@example.org").count(), 1000);

        let many = "X-A: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\n".repeat(40_000);
        let out = shown(&format!("{many}\nbody\n"));
        assert!(out.len() < MAX_HEADER + 1000);
        assert!(out.ends_with("not shown --]\n\nbody\n"));
    }

    #[test]
    fn text_that_grows_as_it_is_decoded_comes_in_pieces() {
        let header = "Content-Type: text/plain; charset=windows-1252\n\n";
        for body in [&b"\x80"[..], b"a\r\n", b"\n", b"\xff\n", b"\x80\r"] {
            let count = 2_000_000 / body.len();
            let message = [header.as_bytes(), &body.repeat(count), b"end\n"].concat();
            let (mut longest, mut len) = (0, 0);
            each_of_text(&message, &mut |piece| {
                longest = longest.max(piece.len());
                len += piece.len();
            });
            assert!(longest <= PIECE, "{longest}");
            assert_eq!(len, text(&message).len());
            let whole = charset::in_charset(&message[header.len()..], Some("windows-1252"));
            assert_eq!(text(&message), whole.replace("\r\n", "\n"));
        }
    }

    #[test]
    fn html_longer_than_the_limit_is_shown_as_it_stands_and_said() {
        let start = "Content-Type: text/html\n\n<p>first</p>";
        let message = format!("{start}{}", "<p>x</p>".repeat(MAX_HTML / 8 + 100));
        let shown = text(message.as_bytes());
        assert!(shown.starts_with("first\n\nx\n\nx\n"));
        let (_, rest) = shown
            .split_once("[-- the HTML is longer")
            .expect("a line that says so");
        assert!((95..105).contains(&rest.matches("<p>x</p>").count()));
    }

    /// Pieces of mail whose order decides how it is read.
    const PIECES: &[&[u8]] = &[
        b"From a@b Mon Nov 16 09:00:00 2026\n",
        b"Content-Type: multipart/mixed; boundary=b\n",
        b"Content-Type: multipart/alternative; boundary=\"b c\"\n",
        b"Content-Type: message/rfc822\n",
        b"Content-Type: text/html; charset=utf-16\n",
        b"Content-Transfer-Encoding: base64\n",
        b"Content-Transfer-Encoding: quoted-printable\r\n",
        b"Subject: =?utf-8?q?=C3?= =?x?b?\n",
        b"To: a (b <c@d>\n",
        b"\n",
        b"\r\n",
        b"--b\n",
        b"--b--\n",
        b"--b c--\n",
        b">From x\n",
        b"=C3=\n",
        b"QUJD=\n",
        b"<p>&#x1b;<b",
        b"\xff\x1b\0",
    ];

    proptest::proptest! {
        #[test]
        fn any_pieces_of_mail_are_shown(order in proptest::collection::vec(0..PIECES.len(), 0..40)) {
            let mail: Vec<u8> = order.iter().flat_map(|&at| PIECES[at]).copied().collect();
            let all = message(&mail, FieldChoice::All);
            proptest::prop_assert!(!all.ends_with("\n\n\n"));
            text(&mail);
        }

        #[test]
        fn any_bytes_are_shown(mail: Vec<u8>) {
            message(&mail, FieldChoice::All);
        }
    }
}
