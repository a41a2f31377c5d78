//! HTML beside plain text: the two halves of a multipart/alternative.

use std::io::{self, Write};

use crate::charset::{Charset, in_charset, of_html};
use crate::message::parse::html;
use crate::message::{MessageSource, for_each_block};

/// Returns the plain text of an HTML document, for readers that show no HTML.
///
/// Without a charset, neither given nor named in the document, it is read as any other text.
pub fn plain_of_html(document: &[u8], charset: Option<&str>) -> String {
    let own = of_html(document, Charset::of(document));
    let text = in_charset(document, charset.or(own.as_deref()));
    // The byte order mark of a file is no character of its text.
    let mut plain = html::text(text.strip_prefix('\u{feff}').unwrap_or(&text));
    if !plain.is_empty() && !plain.ends_with('\n') {
        plain.push('\n');
    }
    plain
}

/// Writes a text as an HTML document that shows it in columns, as a terminal does.
///
/// The bytes keep their charset: label the document as the text would be
/// (a [`Composition`](crate::message::Composition) does). Controls show as U+FFFD.
///
/// # Errors
/// Fails when the text cannot be read or the document not be written.
pub fn preformatted(text: &dyn MessageSource, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"<!DOCTYPE html>\n<html><body><pre style=\"font-family: monospace\">\n")?;
    let mut escaped = Vec::new();
    for_each_block(text.reader()?, |block| {
        escaped.clear();
        for &byte in block {
            match byte {
                b'&' => escaped.extend_from_slice(b"&amp;"),
                b'<' => escaped.extend_from_slice(b"&lt;"),
                b'>' => escaped.extend_from_slice(b"&gt;"),
                b'\t' | b'\n' | b'\r' | b' '..=b'~' | 0x80.. => escaped.push(byte),
                // HTML allows no other controls, not even as references.
                _ => escaped.extend_from_slice(b"&#65533;"),
            }
        }
        out.write_all(&escaped)
    })?;
    out.write_all(b"</pre></body></html>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_has_a_plain_half() {
        let plain = plain_of_html("<p>Grün &amp; <b>fett</b></p>".as_bytes(), None);
        assert_eq!(plain.trim(), "Grün & fett");
        assert!(plain_of_html(b"<p>\xe9", None).starts_with('é'));
        assert_eq!(plain_of_html("\u{feff}<p>a".as_bytes(), None).trim(), "a");
        assert_eq!(plain_of_html(b"<p>\xc1", Some("koi8-r")).trim(), "а");
        let meta = b"<META http-equiv=content-type content='text/html; charset=KOI8-R'><p>\xc1";
        assert_eq!(plain_of_html(meta, None).trim(), "а");
    }

    #[test]
    fn a_table_stays_a_table() {
        let mut document = Vec::new();
        preformatted(&b"a  <b> & \xe9\x1b[1m\n".as_slice(), &mut document).unwrap();
        let start = b"<!DOCTYPE html>\n<html><body><pre style=\"font-family: monospace\">\n";
        let rest = document.strip_prefix(start).unwrap();
        assert_eq!(
            rest,
            b"a  &lt;b&gt; &amp; \xe9&#65533;[1m\n</pre></body></html>\n"
        );
    }
}
