//! The markup that a text is written in, whatever its sender says of it.

use super::html;
use super::part::Part;

/// The markup of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Markup {
    /// Text as it stands.
    Plain,
    /// HTML.
    Html,
    /// Enriched text; in its older form (RFC 1341) or not.
    Enriched {
        /// Whether it is the older form.
        is_richtext: bool,
    },
}

/// How much of a text without a label is looked at before it is decoded as a whole, in bytes.
const START: usize = 512;

impl Markup {
    /// Returns the markup of a text part: by its type, or because it is an HTML document that is said
    /// to be plain text.
    pub(super) fn of(part: &Part<'_>) -> Markup {
        match &*part.media_type {
            "text/html" => Markup::Html,
            "text/enriched" => Markup::Enriched { is_richtext: false },
            "text/richtext" => Markup::Enriched { is_richtext: true },
            "text/plain" if !part.attachment && is_document(part) => Markup::Html,
            _ => Markup::Plain,
        }
    }
}

fn is_document(part: &Part<'_>) -> bool {
    let start = part
        .encoding
        .decode(&part.raw[..part.raw.len().min(START)])
        .into_owned();
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&start);
    start.trim_ascii_start().starts_with(b"<") && html::is_document(&part.text())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::parse::structure;

    #[test]
    fn html_is_recognised_without_a_label() {
        let rows = [
            ("Subject: x\n\n<!DOCTYPE html><p>x</p>\n", Markup::Html),
            ("Subject: x\n\n \n<html><p>x\n", Markup::Html),
            ("Content-Type: text/html\n\nx\n", Markup::Html),
            (
                "Content-Type: text/enriched\n\nx\n",
                Markup::Enriched { is_richtext: false },
            ),
            ("Subject: x\n\n<p> is an element\n", Markup::Plain),
            ("Subject: x\n\nsee <html>\n", Markup::Plain),
            ("Subject: x\n\n", Markup::Plain),
        ];
        for (message, expected) in rows {
            let found = structure(message.as_bytes());
            assert_eq!(Markup::of(&found.parts[0]), expected, "{message}");
        }
    }
}
