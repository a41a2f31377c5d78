//! The text of a message that a search looks at: every text of it, decoded, without layout.

use super::markup::Markup;
use super::{Content, FieldText, Part, enriched, fields, html, structure};

/// How much HTML of a part is rendered for a search, in bytes: what follows is looked at as it stands.
const MAX_HTML: usize = 4_000_000;

/// Hands each text of a message to `test`, decoded, until it says yes; returns whether it did.
///
/// `message` begins with its header block. Each text part comes as one piece, so that no match is cut
/// in two; attached texts and all forms of an alternative are among them, and the header fields of
/// messages within the message.
pub fn each_searched_text(message: &[u8], test: &mut dyn FnMut(&str) -> bool) -> bool {
    let found = structure(message);
    let mut text = String::new();
    let in_parts = found
        .parts
        .iter()
        .any(|part| in_part(part, &mut text, test));
    in_parts || (found.rest.as_ref()).is_some_and(|rest| test(&String::from_utf8_lossy(rest)))
}

fn in_part(part: &Part<'_>, text: &mut String, test: &mut dyn FnMut(&str) -> bool) -> bool {
    match &part.content {
        Content::Multipart(parts) => parts.iter().any(|part| in_part(part, text, test)),
        Content::Message(block, parts) => {
            let text_of = FieldText::of(block);
            let mut fields = fields::fields(block);
            fields.any(|field| {
                let name = String::from_utf8_lossy(field.name);
                test(&format!("{name}: {}", text_of.value(&field)))
            }) || parts.iter().any(|part| in_part(part, text, test))
        }
        Content::Leaf if is_text(part) => {
            text.clear();
            part.each_text(&mut |piece| text.push_str(piece));
            let markup = Markup::of(part);
            if let Markup::Enriched { is_richtext } = markup {
                let mut shown = String::new();
                enriched::each_of_text(text, is_richtext, None, &mut |piece| shown.push_str(piece));
                test(&shown)
            } else if markup == Markup::Html {
                let cut = text.floor_char_boundary(MAX_HTML);
                let layout = html::Layout {
                    width: None,
                    // The number of a link would stand between the words.
                    links: false,
                };
                let mut shown = String::new();
                html::each_of_text(&text[..cut], &layout, &mut |piece| shown.push_str(piece));
                test(&shown) || (cut < text.len() && test(&text[cut..]))
            } else {
                test(text)
            }
        }
        Content::Leaf => false,
    }
}

fn is_text(part: &Part<'_>) -> bool {
    part.media_type.starts_with("text/") || part.media_type.starts_with("message/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(message: &str) -> Vec<String> {
        let mut found = Vec::new();
        each_searched_text(message.as_bytes(), &mut |text| {
            found.push(text.trim().to_owned());
            false
        });
        found
    }

    #[test]
    fn every_text_is_decoded_and_whole() {
        let message = "Content-Type: multipart/mixed; boundary=a\n\n--a\n\
            Content-Transfer-Encoding: base64\n\nR3LDtsOfZQ==\n--a\n\
            Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n\
            Gr=F6=DFe=\n one\n--a\nContent-Type: text/html\n\n<p>Gr&ouml;<b>&szlig;</b>e\n--a\n\
            Content-Type: application/pdf\n\nnot this\n--a\nContent-Type: message/rfc822\n\n\
            Subject: =?utf-8?q?in=C3=A4?=\n\ninner\n--a--\n";
        assert_eq!(
            texts(message),
            ["Größe", "Größe one", "Größe", "Subject: inä", "inner"]
        );
    }

    #[test]
    fn the_search_ends_with_the_first_yes() {
        let mut count = 0;
        let message =
            b"Content-Type: multipart/mixed; boundary=a\n\n--a\n\none\n--a\n\ntwo\n--a--\n";
        assert!(each_searched_text(message, &mut |_| {
            count += 1;
            true
        }));
        assert_eq!(count, 1);
    }
}
