//! What must hold of every message made, whatever it is made of.
//!
//! The number of cases is proptest's `PROPTEST_CASES`.

use proptest::collection::vec;
use proptest::prelude::*;

use super::strict::{self, Entity};
use crate::address::{EnvelopeAddress, NamedAddress, spaces_for_controls};
use crate::charset::Charset;
use crate::message::*;

fn composition<'a>(body: Option<&'a dyn MessageSource>) -> Composition<'a> {
    Composition {
        fields: Fields::new(),
        body,
        body_type: MediaType::text_plain(),
        attachments: Vec::new(),
        alternative: None,
        omitted: Vec::new(),
        wishes: Wishes::default(),
        boundary_seed: "seed".to_owned(),
    }
}

fn written(composition: &Composition<'_>, wire: Wire) -> Vec<u8> {
    let mut out = Vec::new();
    composition
        .write(wire, &mut out)
        .expect("memory cannot fail");
    let size = composition.size(wire).expect("memory cannot fail");
    assert_eq!(size, out.len() as u64);
    out
}

/// What a body decodes to: itself, with LF for CRLF line ends, and a last line end.
///
/// Base64 keeps everything, so that the exact input is right as well.
fn is_faithful(decoded: &[u8], body: &[u8]) -> bool {
    let mut text = body.to_vec();
    let lf = body.iter().filter(|&&b| b == b'\n').count();
    let crlf = body.windows(2).filter(|w| w == b"\r\n").count();
    if lf == crlf {
        text = Vec::new();
        for (at, &byte) in body.iter().enumerate() {
            if byte != b'\r' || body.get(at + 1) != Some(&b'\n') {
                text.push(byte);
            }
        }
    }
    if !text.is_empty() && !text.ends_with(b"\n") {
        text.push(b'\n');
    }
    decoded == text || decoded == body
}

/// Bodies with what makes trouble: line ends, blanks, dots, odd bytes, lengths near 76 and 998.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let near = |n: usize| (n - 3..n + 4, any::<u8>()).prop_map(|(len, byte)| vec![byte; len]);
    let piece = prop_oneof![
        4 => vec(prop_oneof![b' '..=b'~', Just(b'\n'), Just(b'=')], 0..40),
        2 => vec(any::<u8>(), 0..40),
        2 => "[ a-zäöü€日\u{1f600}]{0,30}".prop_map(String::into_bytes),
        1 => near(76),
        1 => near(998),
        4 => prop::sample::select(vec![
            "\n", "\r\n", "\r", "\0", ".\n", "\n.\n", "From \n", "\nFrom x", " \n", "\t\r\n", "=\n",
            "--=_seed_0\n", "\n--=_seed_0--\n", "\u{1b}[31m", "begin 644 x\n", "`\n", "end\n",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Texts for header fields.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => "[a-z0-9]{1,12}",
        2 => " {1,3}",
        1 => "\\PC{0,20}",
        1 => "[äöü€日\u{1f600}]{1,60}",
        1 => prop::sample::select(vec!["=?", "?=", "=?utf-8?Q?a?=", "\"", "\\", "<x@y>", ",", ":", "\t"])
            .prop_map(str::to_owned),
        1 => (990usize..1010).prop_map(|len| "x".repeat(len)),
        1 => (60usize..90).prop_map(|len| "y".repeat(len)),
    ];
    vec(piece, 0..10).prop_map(|pieces| spaces_for_controls(&pieces.concat()).into_owned())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_body_comes_out_as_it_went_in(body in body()) {
        let message = composition(Some(&body));
        let seven = Entity::of_seven_bit(&written(&message, Wire::SevenBit));
        if analyse(&body).unwrap().uu_blocks.is_empty() {
            prop_assert!(seven.field("MIME-Version").is_some());
        } else if !seven.parts.is_empty() {
            // Where lines need an encoding, a uuencoded file in them becomes an attachment.
            return Ok(());
        }
        prop_assert!(is_faithful(&seven.content, &body));
        let eight = Entity::of(&written(&message, Wire::EightBit));
        prop_assert!(is_faithful(&eight.content, &body));
    }

    #[test]
    fn any_subject_comes_out_as_it_went_in(text in text()) {
        let (value, changed) = HeaderValue::from_free_text(text.as_bytes());
        prop_assert!(!changed);
        let mut message = composition(None);
        message.fields.append(HeaderName::known("Subject"), value);
        let bytes = written(&message, Wire::SevenBit);
        let entity = Entity::of_seven_bit(&bytes);
        // An ASCII text with encoded words in it was made so by a script, and stays.
        let field = entity.field("Subject").unwrap();
        prop_assert!(entity.text("Subject") == text || field == text, "{field:?}");
        let long = String::from_utf8(bytes).unwrap();
        let breakable = long.lines().filter(|line| line.len() > 78);
        prop_assert!(breakable.into_iter().all(|line| !line.trim().contains("? =?")));
    }

    #[test]
    fn any_bytes_make_a_subject(bytes in vec(any::<u8>(), 0..300)) {
        let (value, _) = HeaderValue::from_free_text(&bytes);
        let text = value.as_str().to_owned();
        let mut message = composition(None);
        message.fields.append(HeaderName::known("Subject"), value);
        let entity = Entity::of_seven_bit(&written(&message, Wire::SevenBit));
        prop_assert_eq!(entity.fields.len(), 4);
        prop_assert_eq!(entity.text("Subject"), text);
    }

    #[test]
    fn any_display_names_come_out_as_they_went_in(names in vec(text(), 1..5)) {
        let address = EnvelopeAddress::new("someone@example.org").unwrap();
        let list: Vec<_> = names.iter().map(|n| NamedAddress::new(Some(n), address.clone())).collect();
        let mut message = composition(None);
        message.fields.append(HeaderName::known("To"), list.clone());
        let entity = Entity::of_seven_bit(&written(&message, Wire::SevenBit));
        // First the syntax of addresses, then encoded words: RFC 2047 section 6.2.
        let parsed = crate::address::parse_list(entity.field("To").unwrap());
        prop_assert_eq!(parsed.len(), list.len());
        for (parsed, made) in parsed.into_iter().zip(&list) {
            let parsed = parsed.unwrap();
            prop_assert_eq!(parsed.address(), made.address());
            // As with subjects, encoded words made by a script stay.
            let decoded = parsed.name().map(strict::decode_words);
            let same = decoded.as_deref() == made.name() || parsed.name() == made.name();
            prop_assert!(same, "{:?} {:?}", parsed.name(), made.name());
        }
    }

    #[test]
    fn any_attachment_comes_out_exactly(
        body in body(), bytes in body(), name in text(), extension in "(|\\.txt|\\.bin|\\.csv)",
        asked in "(|7bit|quoted-printable|base64)",
    ) {
        let asked = TransferEncoding::parse(&asked);
        let name = FileName::from_path(format!("{name}{extension}").as_bytes());
        let mut message = composition(Some(&body));
        message.attachments.push(Attachment {
            name: name.clone(), content_type: None, charset: None, content_id: None, source: &bytes,
        });
        message.wishes.encoding = asked;
        for wire in [Wire::SevenBit, Wire::EightBit] {
            let out = written(&message, wire);
            let entity = Entity::of(&out);
            prop_assert!(wire == Wire::EightBit || out.is_ascii());
            let part = entity.parts.last().unwrap();
            prop_assert_eq!(&part.content, &bytes);
            prop_assert_eq!(part.file_name().unwrap(), name.as_str());
            if analyse(&body).unwrap().uu_blocks.is_empty() {
                prop_assert_eq!(entity.parts.len(), 2);
                prop_assert!(is_faithful(&entity.parts[0].content, &body));
            }
        }
    }

    #[test]
    fn any_alternative_comes_out_exactly(body in body(), html in body(), file in body()) {
        let mut message = composition(Some(&body));
        message.alternative = Some(Alternative {
            source: &html, media_type: MediaType::parse("text/html").unwrap(),
        });
        for count in 0..2 {
            let out = written(&message, Wire::SevenBit);
            let entity = Entity::of_seven_bit(&out);
            let texts = if count == 0 { &entity } else { &entity.parts[0] };
            prop_assert_eq!(texts.structured("Content-Type").0, "multipart/alternative");
            prop_assert!(is_faithful(&texts.parts[0].content, &body));
            prop_assert!(is_faithful(&texts.parts[1].content, &html));
            message.attachments.push(Attachment {
                name: FileName::from_path(b"file"), content_type: None, charset: None, content_id: None, source: &file,
            });
        }
    }

    #[test]
    fn mail_parser_reads_bodies_alike(body in body()) {
        let message = composition(Some(&body));
        let bytes = written(&message, Wire::SevenBit);
        let parsed = mail_parser::MessageParser::default().parse(&bytes).unwrap();
        let strict = Entity::of_seven_bit(&bytes);
        if strict.field("Content-Transfer-Encoding") == Some("base64") || !strict.parts.is_empty() {
            return Ok(());
        }
        let charset = Charset::of(&strict.content);
        if charset == Charset::UsAscii || charset == Charset::Utf8 {
            let expected = String::from_utf8_lossy(&strict.content).into_owned();
            let read = parsed.body_text(0).unwrap_or_default().replace("\r\n", "\n");
            let expected = expected.replace("\r\n", "\n");
            prop_assert_eq!(read.trim_end(), expected.trim_end());
        }
    }
}
