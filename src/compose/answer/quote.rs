//! The text of a message as a reply quotes it.

use crate::config::{FORWARDED, FieldLists};
use crate::message::parse::fields::{self, Field};
use crate::message::parse::{FieldText, date, display, words};
use crate::sanitize;

/// How a received text stands in a mail: filled to the width that leaves room for quotes, long lines
/// as they were.
pub(super) const IN_MAIL: display::Look = display::Look {
    width: 72,
    breaks: false,
};

/// How much of the author's name a quote shows, in bytes.
const MAX_NAME: usize = 200;

/// What stands above a quoted text (`quote`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heading {
    /// Nothing.
    None,
    /// Who wrote it and when.
    Attribution,
    /// The header fields that tell who wrote what to whom, quoted like the text.
    Fields,
    /// All header fields, quoted like the text.
    AllFields,
}

/// Hands the quoted text of a message to `emit`, a piece at a time.
///
/// `message` begins with its header block or its From_ line. Each line has `prefix` in front; what may
/// not reach a terminal is replaced, because the text goes into an editor.
pub(crate) fn quoted(message: &[u8], heading: Heading, prefix: &str, emit: &mut dyn FnMut(&str)) {
    let (_, message) = fields::split_from_line(message);
    let header = fields::split_header(message).0;
    let mut lines = Prefixed {
        prefix,
        emit,
        is_start: true,
    };
    match heading {
        Heading::None => {}
        Heading::Attribution => (lines.emit)(&attribution(header)),
        Heading::Fields => lines.push(&first_fields(header)),
        Heading::AllFields => lines.push(&shown_fields(header, fields::fields(header))),
    }
    display::each_of_text(message, IN_MAIL, &mut |piece| {
        lines.push(&sanitize::text(piece.as_bytes()));
    });
    lines.end();
}

/// Returns the line that says who wrote a text, and when: `On 2026-11-16 09:00 +0100, Ada <a@x>
/// wrote:`.
fn attribution(header: &[u8]) -> String {
    let text_of = FieldText::of(header);
    let author = fields::find(header, "from").map(|body| text_of.first_address(body));
    let shown = match author {
        Some(author) if !author.name.is_empty() => {
            format!("{} <{}>", author.name, author.address)
        }
        Some(author) if !author.address.is_empty() => author.address,
        _ => "somebody".to_owned(),
    };
    let shown = sanitize::line(words::cut(shown.as_bytes(), MAX_NAME)).into_owned();
    let time = fields::find(header, "date").and_then(date);
    match time {
        Some(time) if time.has_zone => {
            let time = time.time.format("%Y-%m-%d %H:%M %z");
            format!("On {time}, {shown} wrote:\n")
        }
        Some(time) => format!(
            "On {}, {shown} wrote:\n",
            time.time.format("%Y-%m-%d %H:%M")
        ),
        None => format!("{shown} wrote:\n"),
    }
}

/// Returns the fields that tell who wrote what to whom, in this order, as [`shown_fields`].
fn first_fields(header: &[u8]) -> String {
    chosen_fields(header, &FieldLists::default())
}

/// Returns the fields that begin a forwarded text, as [`shown_fields`].
pub(super) fn chosen_fields(header: &[u8], lists: &FieldLists) -> String {
    let names = lists.chosen(FORWARDED);
    if names.is_empty() {
        let fields = fields::fields(header);
        let kept = fields.filter(|field| !lists.ignored.iter().any(|name| field.is(name)));
        return shown_fields(header, kept);
    }
    // One pass: a header may have a million fields, and a list many names.
    let mut found: Vec<Option<Field<'_>>> = names.iter().map(|_| None).collect();
    for field in fields::fields(header) {
        let place = names.iter().position(|name| field.is(name));
        if let Some(place) = place {
            found[place].get_or_insert(field);
        }
    }
    shown_fields(header, found.into_iter().flatten())
}

/// Returns some fields of a header as lines, decoded and safe to show, and an empty line.
fn shown_fields<'a>(header: &'a [u8], fields: impl Iterator<Item = Field<'a>>) -> String {
    /// How much of a field is shown, in bytes: a list of recipients may have thousands.
    const MAX_SHOWN: usize = 2000;
    let text_of = FieldText::of(header);
    let mut out = String::new();
    for field in fields {
        let cut = words::cut(field.body, MAX_SHOWN);
        let text = text_of.words(cut);
        out.push_str(&sanitize::line(field.name));
        out.push_str(": ");
        out.push_str(&sanitize::line(text.as_bytes()));
        if cut.len() < field.body.len() {
            out.push_str(" …");
        }
        out.push('\n');
    }
    out.push('\n');
    out
}

/// Text with something in front of each line.
struct Prefixed<'a, 'e> {
    prefix: &'a str,
    emit: &'e mut dyn FnMut(&str),
    is_start: bool,
}

impl Prefixed<'_, '_> {
    fn push(&mut self, text: &str) {
        for line in text.split_inclusive('\n') {
            if self.is_start {
                // An empty line gets no blanks at its end.
                let prefix = match line {
                    "\n" => self.prefix.trim_end(),
                    _ => self.prefix,
                };
                (self.emit)(prefix);
            }
            (self.emit)(line);
            self.is_start = line.ends_with('\n');
        }
    }

    fn end(&mut self) {
        if !self.is_start {
            (self.emit)("\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quote(message: &str, heading: Heading, prefix: &str) -> String {
        let mut out = String::new();
        quoted(message.as_bytes(), heading, prefix, &mut |piece| {
            out.push_str(piece);
        });
        out
    }

    #[test]
    fn a_quote_says_who_wrote_what() {
        let message = "From root Mon Nov 16 09:00:00 2026\n\
            From: =?utf-8?q?Ad=C3=A4?= <a@x.org>\nDate: Mon, 16 Nov 2026 09:00:00 +0100\n\
            To: b@x.org\nSubject: x\nX-Mailer: y\n\none\n\ntwo";
        assert_eq!(
            quote(message, Heading::Attribution, "> "),
            "On 2026-11-16 09:00 +0100, Adä <a@x.org> wrote:\n> one\n>\n> two\n"
        );
        assert_eq!(quote(message, Heading::None, "\t"), "\tone\n\n\ttwo\n");
        assert_eq!(
            quote(message, Heading::Fields, "> "),
            "> From: Adä <a@x.org>\n> Date: Mon, 16 Nov 2026 09:00:00 +0100\n> To: b@x.org\n\
            > Subject: x\n>\n> one\n>\n> two\n"
        );
        assert!(quote(message, Heading::AllFields, "> ").contains("> X-Mailer: y\n"));
        assert_eq!(
            quote("Subject: x\n\ny\n", Heading::Attribution, "> "),
            "somebody wrote:\n> y\n"
        );
    }

    #[test]
    fn nothing_in_a_quote_reaches_a_terminal() {
        let message = "From: =?utf-8?q?=1B]52;c;x=07?= <a@x>\nSubject: =?utf-8?q?a=0Ab?=\n\n\
            \u{1b}[31mred\u{9b}2J\u{202e}\u{7}\n";
        for heading in [Heading::Attribution, Heading::Fields, Heading::AllFields] {
            let text = quote(message, heading, "> ");
            assert!(
                text.chars()
                    .all(|c| c == '\n' || !sanitize::is_forbidden(c)),
                "{text:?}"
            );
        }
    }
}
