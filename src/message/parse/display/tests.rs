//! What a message looks like: fields, parts, broken ones, limits.

use super::header::MAX_HEADER;
use super::output::PIECE;
use super::parts::MAX_HTML;
use super::*;

/// Returns the text of a message.
fn text(message: &[u8]) -> String {
    super::text(message, Look::default())
}

/// Returns a message of an mbox as text.
fn message(message: &[u8], choice: FieldChoice<'_>) -> String {
    let mut text = String::new();
    each_of_message(message, choice, Look::default(), &mut |piece| {
        text.push_str(piece)
    });
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
    assert_eq!(
        text(parts("plain").as_bytes()),
        "plain\n\n[-- part 2: the same as text/html, 11 bytes --]\n"
    );
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
            "[-- part 1.1: a, application/octet-stream, 3 bytes --]\n",
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
        each_of_text(&message, Look::default(), &mut |piece| {
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

#[test]
fn html_and_enriched_text_are_read_by_what_they_are() {
    for (label, body, expected) in [
        (
            "",
            "\n<!DOCTYPE html>\n<p>a <b>b</b>",
            "[-- this text is HTML, though its label does not say so --]\na b\n",
        ),
        ("Content-Type: text/plain\n", "<p>a</p>\n", "<p>a</p>\n"),
        (
            "Content-Type: text/enriched\n",
            "a <<b> <bold>c</bold>\nd\n\ne",
            "a <b> c d\ne\n",
        ),
        ("Content-Type: text/richtext\n", "a<nl>b <lt>c", "a\nb <c\n"),
    ] {
        let message = format!("{label}Subject: x\n\n{body}");
        assert_eq!(text(message.as_bytes()), expected, "{message}");
    }
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
