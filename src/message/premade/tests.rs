//! Premade messages: what stays, what changes, and that nothing is lost.

use proptest::collection::vec;
use proptest::prelude::*;

use super::write::Changes;
use super::*;
use crate::message::Wire;
use crate::message::tests::strict::Entity;

fn rewritten(message: &[u8], wire: Wire) -> (Vec<u8>, Changes) {
    let header = PremadeHeader::read(&message, Reading::default()).unwrap();
    let mut out = Vec::new();
    let changes = write(&header, &message, wire, &mut out).unwrap();
    (out, changes)
}

fn seven_bit(message: &[u8]) -> String {
    let (out, changes) = rewritten(message, Wire::SevenBit);
    assert!(!changes.eight_bit_left);
    String::from_utf8(out).unwrap()
}

const SIGNED: &[u8] = b"MIME-Version: 1.0\nContent-Type: multipart/signed; boundary=s\n\n\
    --s\nContent-Type: text/plain\n\ncaf\xe9 \n--s\nContent-Type: application/pgp-signature\n\n\
    x\n--s--\n";

#[test]
fn what_seven_bits_carry_stays_byte_for_byte() {
    for message in [
        "Subject: x\n\nbody \nFrom me\n.\n",
        "subject:x\n  y\n\n",
        "Subject: x\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\
         Content-Transfer-Encoding: 8bit\n\nascii\n",
        "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\npreamble\n--b\n\nx\n--b\n",
        "MIME-Version: 1.0\nContent-Type: multipart/mixed\n\nno boundary\n",
        "MIME-Version: 1.0\nContent-Transfer-Encoding: base64\n\nYQ==\n",
    ] {
        assert_eq!(seven_bit(message.as_bytes()), message);
        assert_eq!(seven_bit(message.replace('\n', "\r\n").as_bytes()), message);
        assert_eq!(
            rewritten(message.as_bytes(), Wire::EightBit).0,
            message.as_bytes()
        );
    }
    assert_eq!(seven_bit(b"no header"), "\nno header\n");
    assert_eq!(seven_bit(b"A: b\nbody\r\nline\n"), "A: b\n\nbody\nline\n");
}

#[test]
fn a_preamble_of_bytes_that_are_no_characters_had_lines_beyond_998() {
    for byte in [b"\x82", b"\xc3", b"x"] {
        let mut message =
            b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n".to_vec();
        message.extend(byte.repeat(3_000));
        message.extend_from_slice(b"\n--b\n\nx\n--b--\n");
        let (out, _) = rewritten(&message, Wire::EightBit);
        let longest = out.split(|&b| b == b'\n').map(<[u8]>::len).max();
        assert!(longest <= Some(998), "{byte:?}: {longest:?}");
        let count = |text: &[u8]| text.iter().filter(|b| *b == &byte[0]).count();
        assert!(count(&out) >= 3_000, "{byte:?}");
    }
}

#[test]
fn signed_parts_stay_and_the_caller_learns_what_is_left() {
    let (out, changes) = rewritten(SIGNED, Wire::SevenBit);
    assert_eq!(out, SIGNED);
    assert!(changes.eight_bit_left && changes.encoded == 0);
    let mut outer =
        b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=o\n\n--o\n".to_vec();
    let signed = SIGNED.strip_prefix(b"MIME-Version: 1.0\n").unwrap();
    outer.extend_from_slice(signed);
    outer.extend_from_slice(b"--o\n\ncaf\xe9\n--o--\n");
    let (out, changes) = rewritten(&outer, Wire::SevenBit);
    assert!(out.windows(signed.len()).any(|w| w == signed));
    assert!(out.ends_with(b"caf=E9\n--o--\n"));
    assert!(changes.eight_bit_left && changes.encoded == 1);
    let label = b"Content-Transfer-Encoding: 8bit\n\n--o\n";
    assert!(out.windows(label.len()).any(|w| w == label));
}

#[test]
fn single_texts_are_labelled_and_encoded() {
    let table: &[(&[u8], &str)] = &[
        (
            b"Subject: x\n\ncaf\xe9 au lait\n",
            "Subject: x\nMIME-Version: 1.0\nContent-Type: text/plain; charset=windows-1252\n\
             Content-Transfer-Encoding: quoted-printable\n\ncaf=E9 au lait\n",
        ),
        (
            "Content-Type: text/html; charset=US-ASCII\nMime-Version: 1.0\n\
             content-transfer-encoding: 8BIT\nMIME-Version: 1.0\nContent-Length: 12\n\n\
             <p>grün und mehr\n"
                .as_bytes(),
            "Content-Type: text/html; charset=utf-8\nMime-Version: 1.0\n\
             Content-Transfer-Encoding: quoted-printable\n\n<p>gr=C3=BCn und mehr\n",
        ),
        (
            b"Content-Type: text/plain; charset=koi8-r; format=flowed\n\n\xc1 and more\n",
            "Content-Type: text/plain; charset=koi8-r; format=flowed\nMIME-Version: 1.0\n\
             Content-Transfer-Encoding: quoted-printable\n\n=C1 and more\n",
        ),
        (
            b"Content-Type: text/plain; charset=unknown-8bit\n\n\xc1 and more\n",
            "Content-Type: text/plain; charset=windows-1252\nMIME-Version: 1.0\n\
             Content-Transfer-Encoding: quoted-printable\n\n=C1 and more\n",
        ),
        (
            b"Content-Type: image/png\n\n\x89PNG\r\n\x1a\n",
            "Content-Type: image/png\nMIME-Version: 1.0\n\
             Content-Transfer-Encoding: base64\n\niVBORw0KGgo=\n",
        ),
        (
            b"Content-Type: multipart/mixed; boundary=never\n\ncaf\xe9 is all there is\n",
            "Content-Type: text/plain; charset=windows-1252\nMIME-Version: 1.0\n\
             Content-Transfer-Encoding: quoted-printable\n\ncaf=E9 is all there is\n",
        ),
        (
            b"a\rb\r\n\n",
            "MIME-Version: 1.0\nContent-Type: text/plain; charset=us-ascii\n\
             Content-Transfer-Encoding: base64\n\nYQ1iDQoK\n",
        ),
    ];
    for (message, expected) in table {
        let expected = if message.starts_with(b"a\r") {
            format!("\n{expected}").replacen('\n', "", 1)
        } else {
            (*expected).to_owned()
        };
        assert_eq!(seven_bit(message), expected);
    }
}

#[test]
fn utf_8_stays_where_eight_bits_may() {
    let message = "Subject: grün\nContent-Type: text/plain; charset=utf-8\n\ngrün\n";
    let (out, changes) = rewritten(message.as_bytes(), Wire::EightBit);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "Subject: =?utf-8?Q?gr=C3=BCn?=\nContent-Type: text/plain; charset=utf-8\n\
         MIME-Version: 1.0\nContent-Transfer-Encoding: 8bit\n\ngrün\n"
    );
    assert_eq!((changes.encoded, changes.fields), (0, 1));
    let (out, _) = rewritten(b"\n\xff\n", Wire::EightBit);
    assert!(out.is_ascii());
}

#[test]
fn parts_are_encoded_one_by_one() {
    let message = "Content-Type: multipart/mixed; boundary=\"o o\"\n\
        Content-Transfer-Encoding: 8bit\n\nPräambel\n--o o \n\nplain \n--o o\n\
        Content-Type: multipart/alternative; boundary=i\n\n--i\n\ngrün and so\n\n--i\n\
        Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n\
        gr=C3=BCn\n--o o\nContent-Type: message/rfc822\n\nSubject: Größe\n\nweiß and so\n\
        --o o\nContent-Disposition: attachment; filename=ö\nContent-Type: application/x\n\n\
        ö\n--o o--\nEpilög\n";
    let expected = "Content-Type: multipart/mixed; boundary=\"o o\"\n\
        Content-Transfer-Encoding: 7bit\nMIME-Version: 1.0\n\nPr??ambel\n--o o \n\nplain \n--o o\n\
        Content-Type: multipart/alternative; boundary=i\n\n--i\n\
        Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n\
        gr=C3=BCn and so\n\n--i\n\
        Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n\
        gr=C3=BCn\n--o o\nContent-Type: message/rfc822\n\nSubject: =?utf-8?Q?Gr=C3=B6=C3=9Fe?=\n\
        Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n\
        wei=C3=9F and so\n\
        --o o\nContent-Disposition: attachment; filename*=utf-8''%C3%B6\n\
        Content-Type: application/x\nContent-Transfer-Encoding: base64\n\nw7Y=\n--o o--\nEpil??g\n";
    assert_eq!(seven_bit(message.as_bytes()), expected);
    let with_crlf = message.replace('\n', "\r\n");
    assert_eq!(seven_bit(with_crlf.as_bytes()), expected);
}

#[test]
fn deep_and_broken_structures_come_through() {
    let mut deep = String::new();
    for level in 0..100 {
        deep += &format!("Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n");
    }
    deep += "\nö\n";
    let (out, changes) = rewritten(deep.as_bytes(), Wire::SevenBit);
    assert!(changes.eight_bit_left && String::from_utf8(out).unwrap().ends_with("ö\n"));
    let many = format!(
        "Content-Type: multipart/mixed; boundary=b\n\n{}\nö\n",
        "--b\n".repeat(20_000)
    );
    let (out, _) = rewritten(many.as_bytes(), Wire::SevenBit);
    assert!(String::from_utf8(out).unwrap().ends_with("ö\n"));
    for broken in [
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nno header ö\n--b--\n",
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nA: ö\n--b",
        "Content-Type: message/rfc822\n\n",
        "Content-Type: message/rfc822\n\nö",
        "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: x\n\nö\n--b--ö\n--b--\n",
    ] {
        let out = seven_bit(broken.as_bytes());
        assert!(out.is_ascii(), "{out}");
    }
}

/// A part, and what must come out of it.
#[derive(Clone, Debug)]
enum Tree {
    Leaf(&'static str, Vec<u8>),
    Multipart(Vec<Tree>),
}

fn content() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => "[ -~]{0,30}\n".prop_map(String::into_bytes),
        2 => vec(any::<u8>(), 0..60),
        2 => "[ a-zäöü€日]{0,40}".prop_map(String::into_bytes),
        1 => (900..1100_usize, any::<u8>()).prop_map(|(len, byte)| vec![byte; len]),
        2 => prop::sample::select(vec!["\n", "\r\n", "\r", "\0", " \n", "From x\n", ".\n", "--\n"])
            .prop_map(|text| text.as_bytes().to_vec()),
    ];
    vec(piece, 0..8).prop_map(|pieces| {
        let mut content = pieces.concat();
        // Before a delimiter it would be half of a line end.
        content.extend(content.ends_with(b"\r").then_some(b'.'));
        content
    })
}

fn tree() -> impl Strategy<Value = Tree> {
    let kinds = prop::sample::select(vec![
        "",
        "Content-Type: text/plain; charset=us-ascii\n",
        "Content-Type: text/html\nContent-Transfer-Encoding: 8bit\n",
        "Content-Type: application/octet-stream\nContent-Transfer-Encoding: binary\n",
    ]);
    let leaf = (kinds, content()).prop_map(|(kind, content)| Tree::Leaf(kind, content));
    leaf.prop_recursive(4, 12, 4, |inner| vec(inner, 1..4).prop_map(Tree::Multipart))
}

/// Writes a part; boundaries are numbered in the order they are met.
fn render(tree: &Tree, number: &mut usize, out: &mut Vec<u8>) {
    match tree {
        Tree::Leaf(header, content) => {
            out.extend_from_slice(header.as_bytes());
            out.push(b'\n');
            out.extend_from_slice(content);
        }
        Tree::Multipart(parts) => {
            let boundary = format!("the-{number}-boundary");
            *number += 1;
            let header = format!("Content-Type: multipart/mixed; boundary={boundary}\n\n");
            out.extend_from_slice(header.as_bytes());
            for part in parts {
                out.extend_from_slice(format!("\n--{boundary}\n").as_bytes());
                render(part, number, out);
            }
            out.extend_from_slice(format!("\n--{boundary}--\n").as_bytes());
        }
    }
}

fn with_lf(content: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    for (at, &byte) in content.iter().enumerate() {
        if byte != b'\r' || content.get(at + 1) != Some(&b'\n') {
            text.push(byte);
        }
    }
    text
}

fn check(tree: &Tree, entity: &Entity, is_root: bool) -> Result<(), TestCaseError> {
    match tree {
        Tree::Leaf(header, content) => {
            let mut text = with_lf(content);
            if is_root && !text.is_empty() && !text.ends_with(b"\n") {
                text.push(b'\n');
            }
            let found = &entity.content;
            prop_assert!(*found == text || found == content, "{:?}", content);
            if header.contains("octet-stream") && !content.is_ascii() {
                prop_assert_eq!(found, content);
            }
        }
        Tree::Multipart(parts) => {
            prop_assert_eq!(entity.parts.len(), parts.len());
            for (part, entity) in parts.iter().zip(&entity.parts) {
                check(part, entity, false)?;
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_parts_come_out_as_they_went_in(tree in tree()) {
        let mut message = b"MIME-Version: 1.0\n".to_vec();
        render(&tree, &mut 0, &mut message);
        for wire in [Wire::SevenBit, Wire::EightBit] {
            let (out, changes) = rewritten(&message, wire);
            prop_assert!(!changes.eight_bit_left);
            prop_assert!(wire == Wire::EightBit || out.is_ascii());
            check(&tree, &Entity::of(&out), true)?;
            // Once more changes nothing.
            prop_assert_eq!(rewritten(&out, wire).0, out);
        }
    }

    #[test]
    fn any_bytes_are_a_message(message in vec(content(), 0..4), start in "(|Subject: x\n|To: ö, \r|X:\n)") {
        let message = [start.into_bytes(), message.concat()].concat();
        let (out, changes) = rewritten(&message, Wire::SevenBit);
        prop_assert!(changes.eight_bit_left || out.is_ascii());
        prop_assert!(out.split(|&b| b == b'\n').all(|line| line.len() <= 998));
        prop_assert!(!out.contains(&0) && !out.contains(&b'\r'));
    }

    #[test]
    fn any_header_field_becomes_fit(name in "(To|Subject|X|Content-Disposition)", body in vec(any::<u8>(), 0..200)) {
        let message = [name.as_bytes(), b": ", &body, b"\n\nbody\n"].concat();
        let (out, changes) = rewritten(&message, Wire::SevenBit);
        prop_assert!(changes.eight_bit_left || out.is_ascii());
        prop_assert!(!out.contains(&0) && !out.contains(&b'\r'));
    }
}
