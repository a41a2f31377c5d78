//! Parsing messages: header fields, dates, the tree of MIME parts.
//!
//! mail-parser is used in this module and nowhere else, for the fields that
//! describe a part (`description`); the tree of parts, fields, dates, encoded
//! words, charsets and transfer encodings are read by the modules below, in
//! linear time and without copies. A panic in mail-parser is
//! caught here (`quiet`): the message is then shown as plain text. [`display`]
//! turns a message into lines for people. Pure: bytes in, values out.

pub mod body;
pub mod bytes;
mod date;
mod description;
pub mod display;
pub mod enriched;
mod field_text;
pub mod fields;
pub(in crate::message) mod filler;
pub mod html;
mod markup;
mod part;
mod picked;
mod quiet;
mod searched;
pub(in crate::message) mod structure;
mod tnef;
mod uuencode;
pub mod words;

pub use date::date;
pub(crate) use date::month_named;
pub use field_text::FieldText;
pub use part::{Content, Part};
pub use picked::picked;
pub use searched::each_searched_text;
pub use structure::structure;

#[cfg(test)]
mod tests {
    use super::quiet::quietly;
    use super::structure::{MAX_DEPTH, MAX_PARTS};
    use super::*;

    fn outline(parts: &[Part<'_>], out: &mut Vec<String>) {
        for part in parts {
            out.push(format!("{} {}", part.number, part.media_type));
            match &part.content {
                Content::Leaf => {}
                Content::Multipart(parts) | Content::Message(_, parts) => outline(parts, out),
            }
        }
    }

    fn outlined(message: &str) -> Vec<String> {
        let mut out = Vec::new();
        outline(&structure(message.as_bytes()).parts, &mut out);
        out
    }

    #[test]
    fn parts_are_numbered_as_imap_does() {
        let mixed = "Content-Type: multipart/mixed; boundary=a\n\n--a\n\none\n--a\n\
            Content-Type: multipart/alternative; boundary=b\n\n--b\n\nplain\n--b\n\
            Content-Type: text/html\n\n<p>html\n--b--\n--a\nContent-Type: message/rfc822\n\n\
            Subject: inner\n\ninner text\n--a--\n";
        let cases: &[(&str, &[&str])] = &[
            ("Subject: x\n\nbody\n", &["1 text/plain"]),
            ("body without header\n", &["1 text/plain"]),
            ("", &["1 text/plain"]),
            (
                mixed,
                &[
                    " multipart/mixed",
                    "1 text/plain",
                    "2 multipart/alternative",
                    "2.1 text/plain",
                    "2.2 text/html",
                    "3 message/rfc822",
                    "3.1 text/plain",
                ],
            ),
        ];
        for (message, expected) in cases {
            assert_eq!(outlined(message), *expected, "{message}");
        }
    }

    #[test]
    fn content_is_decoded_from_the_bytes() {
        let message = b"Content-Type: text/plain; charset=iso-8859-15\n\
            Content-Transfer-Encoding: quoted-printable\n\n=A4 100=\n%\n";
        let found = structure(message);
        assert_eq!(found.parts[0].text(), "€ 100%\n");
    }

    #[test]
    fn file_names_are_decoded_in_all_spellings() {
        for disposition in [
            "attachment; filename*=utf-8''Gr%C3%B6%C3%9Fe.pdf",
            "attachment; filename=\"=?utf-8?q?Gr=C3=B6=C3=9Fe.pdf?=\"",
            "attachment; filename*0*=utf-8''Gr%C3%B6; filename*1*=%C3%9Fe.pdf",
        ] {
            let message =
                format!("Content-Type: application/pdf\nContent-Disposition: {disposition}\n\nx\n");
            let found = structure(message.as_bytes());
            assert_eq!(
                found.parts[0].file_name.as_deref(),
                Some("Größe.pdf"),
                "{disposition}"
            );
            assert!(found.parts[0].attachment);
        }
    }

    #[test]
    fn parameters_may_be_folded_anywhere() {
        for field in [
            "multipart/mixed;\n boundary=\n \"b\"",
            "multipart/mixed; boundary\n =\n b",
            "multipart/mixed\n ;\n\tboundary=b",
            "multipart/mixed;\r\n boundary=\r\n\tb; charset=x",
            "multipart/mixed; charset=\n us-ascii; boundary=b",
        ] {
            let message = format!("Content-Type: {field}\n\n--b\n\none\n--b--\n");
            assert_eq!(
                outlined(&message),
                [" multipart/mixed", "1 text/plain"],
                "{field}"
            );
        }
    }

    #[test]
    fn a_file_name_in_folded_encoded_words_is_one_name() {
        for name in [
            "name=\"=?utf-8?q?Gr=C3=B6?=\n =?utf-8?q?=C3=9Fe.pdf?=\"",
            "name=\"=?utf-8?b?R3LDtg==?=\r\n\t=?utf-8?q?=C3=9Fe.pdf?=\"",
            "name==?utf-8?q?Gr=C3=B6=C3=9Fe.pdf?=",
            "name=\n \"=?utf-8?q?Gr=C3=B6=C3=9Fe.pdf?=\"",
            "name=\"Gr\u{f6}\u{df}e.pdf\"",
        ] {
            for (field, kind) in [
                ("Content-Type: application/pdf; ", ""),
                (
                    "Content-Disposition: attachment; file",
                    "Content-Type: application/pdf\n",
                ),
            ] {
                let message = format!("{kind}{field}{name}\n\nx\n");
                let found = structure(message.as_bytes());
                let name = found.parts[0].file_name.as_deref();
                assert_eq!(name, Some("Größe.pdf"), "{message}");
            }
        }
    }

    #[test]
    fn depth_and_number_of_parts_are_limited() {
        let mut deep = String::new();
        for level in 0..200 {
            deep.push_str(&format!(
                "Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n"
            ));
        }
        deep.push_str("\nbottom\n");
        let found = structure(deep.as_bytes());
        let mut lines = Vec::new();
        outline(&found.parts, &mut lines);
        assert!(
            lines
                .iter()
                .all(|line| line.matches('.').count() <= MAX_DEPTH)
        );
        let shown = display::text(deep.as_bytes(), display::Look::default());
        assert_eq!(shown.matches("bottom").count(), 1, "{shown}");

        let mut wide = "Content-Type: multipart/mixed; boundary=b\n\n".to_owned();
        for _ in 0..MAX_PARTS + 10 {
            wide.push_str("--b\n\nx\n");
        }
        wide.push_str("--b--\n");
        let found = structure(wide.as_bytes());
        let rest = found.rest.as_deref().expect("more parts");
        assert!(rest.starts_with(b"\nx\n--b\n") && rest.ends_with(b"x\n--b--\n"));
        assert_eq!(memchr::memchr_iter(b'x', rest).count(), 11);
        // What is not looked into is shown all the same.
        assert_eq!(
            display::text(wide.as_bytes(), display::Look::default())
                .matches("--b\n")
                .count(),
            10
        );
        let mut lines = Vec::new();
        outline(&found.parts, &mut lines);
        assert_eq!(lines.len(), MAX_PARTS);
    }

    #[test]
    fn a_panic_in_a_parser_is_quiet() {
        assert_eq!(quietly(|| -> u8 { panic!("not seen") }), None);
        assert_eq!(quietly(|| 1), Some(1));
    }
}
