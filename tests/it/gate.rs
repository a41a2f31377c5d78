//! The input gate: every byte at the start, in the middle and at the end of what a caller gives,
//! and a model of what arrives that knows nothing of the program's code.
//!
//! A NUL cannot be in an argument; it is tried on the types themselves.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::time::Duration;

use mail_parser::MessageParser;
use postrider::address::{EnvelopeAddress, parse_recipients};
use postrider::message::{FileName, HeaderName, HeaderValue};

use crate::case::{Case, Ran};
use crate::letters::Letter;
use crate::sendmail::FakeSendmail;
use crate::smtp_server::{Behaviour, SmtpServer};

/// Where the byte stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Start,
    Middle,
    End,
}

use Place::{End, Middle, Start};

/// Calls the program once for each argument, and prints the statuses that are not 0.
const EACH: &str = r#"shift
n=0
for given; do
    n=$((n + 1))
    RUN || echo "$n $?"
done"#;

/// Returns every byte an argument can hold, in every place.
fn everywhere() -> impl Iterator<Item = (Place, u8)> {
    [Start, Middle, End]
        .into_iter()
        .flat_map(|place| (1..=255).map(move |byte| (place, byte)))
}

/// What a byte means where it is no part of valid UTF-8, by the tables of windows-1252 and Latin-1.
fn meaning(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

/// Whether the byte is a control, in ASCII or in what the byte means.
fn is_control(byte: u8) -> bool {
    matches!(byte, 0..=31 | 127 | 0x81 | 0x8d | 0x8f | 0x90 | 0x9d)
}

fn bytes(parts: &[&[u8]]) -> OsString {
    OsString::from_vec(parts.concat())
}

/// Returns a case that runs the program for each of these arguments.
fn each<I: IntoIterator<Item = OsString>>(run: &str, given: I) -> Case {
    Case::new()
        .within(&EACH.replace("RUN", run))
        .env("PATH", "[DIR]/bin:/usr/bin:/bin")
        .args(given)
        .limit(Duration::from_secs(300))
        .any_stdout()
        .any_stderr()
        .may_change("home/dead.letter")
}

/// Returns the numbers of the runs that did not exit with 0, with their statuses.
fn failures(ran: &Ran) -> BTreeMap<usize, i32> {
    let stdout = ran.stdout();
    let pairs = stdout
        .lines()
        .map(|line| line.split_once(' ').expect("two numbers"));
    pairs
        .map(|(n, status)| (n.parse().unwrap(), status.parse().unwrap()))
        .collect()
}

/// Asserts that standard error is lines of ours without a control character.
fn assert_clean(ran: &Ran) {
    for line in ran
        .output
        .stderr
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        let text = String::from_utf8(line.to_vec()).expect("stderr is UTF-8");
        assert!(!text.chars().any(char::is_control), "{text:?}");
        assert!(
            text.starts_with("mailx: ") || text.starts_with("hint: "),
            "{text:?}"
        );
    }
}

/// Returns the names of the header fields, in order.
fn names(letter: &Letter) -> Vec<String> {
    let head = letter.head();
    let lines = head.lines().filter(|line| !line.starts_with([' ', '\t']));
    lines
        .map(|line| line.split(':').next().unwrap_or_default().to_owned())
        .collect()
}

/// Returns what arrived at a relay, with LF.
fn letter_of(data: &[u8]) -> Letter {
    Letter::new(
        &data
            .iter()
            .copied()
            .filter(|byte| *byte != b'\r')
            .collect::<Vec<u8>>(),
    )
}

/// The header of a plain mail, sorted.
fn plain_names(more: &[&str]) -> Vec<String> {
    let known = [
        "Content-Transfer-Encoding",
        "Content-Type",
        "Date",
        "MIME-Version",
        "Message-ID",
        "Subject",
        "To",
    ];
    let mut all: Vec<String> = known
        .iter()
        .chain(more)
        .map(|name| (*name).to_owned())
        .collect();
    all.sort();
    all
}

/// Asserts that two long lists are equal, and tells only where they are not.
#[track_caller]
fn assert_same(got: &[&str], expected: &[String]) {
    let missing: Vec<&String> = expected
        .iter()
        .filter(|one| !got.contains(&one.as_str()))
        .collect();
    let more: Vec<&&str> = got
        .iter()
        .filter(|one| !expected.iter().any(|known| known == *one))
        .collect();
    assert!(
        missing.is_empty() && more.is_empty(),
        "missing: {missing:?}\nunexpected: {more:?}"
    );
    assert_eq!(got.len(), expected.len(), "the order or number differs");
}

// --- subjects -------------------------------------------------------------------------------

fn subject(byte: u8) -> OsString {
    let number = format!("ab{byte}cd");
    bytes(&[&[byte], number.as_bytes(), &[byte], b"ef", &[byte]])
}

/// What of a subject arrives: a control is a space, and the ends are not looked at.
fn modelled_subject(byte: u8) -> String {
    let shown = if is_control(byte) { ' ' } else { meaning(byte) };
    format!("{shown}ab{byte}cd{shown}ef{shown}")
        .trim_matches(' ')
        .to_owned()
}

fn assert_subject(letter: &Letter, byte: u8, more: &[&str]) {
    assert!(letter.bytes.is_ascii(), "{byte:#x}");
    let mut got = names(letter);
    got.sort();
    assert_eq!(got, plain_names(more), "{byte:#x}");
    let parsed = MessageParser::default().parse(&letter.bytes).unwrap();
    let subject = parsed.subject().unwrap_or_default();
    assert_eq!(
        subject.trim_matches(' '),
        modelled_subject(byte),
        "{byte:#x}"
    );
    assert_eq!(letter.body(), b"a line\n");
}

#[test]
fn subjects_through_sendmail() {
    let ran = each(
        "echo 'a line' | mailx -s \"$given\" u@x.org",
        (1..=255).map(subject),
    )
    .sendmail(FakeSendmail::accepting())
    .run();
    assert_eq!(failures(&ran), BTreeMap::new());
    assert_clean(&ran);
    let calls = ran.calls();
    assert_eq!(calls.len(), 255);
    for (call, byte) in calls.iter().zip(1..=255) {
        assert_eq!(call.argv, ["-i", "--", "u@x.org"]);
        assert_subject(&call.letter(), byte, &[]);
    }
}

#[test]
fn subjects_through_a_relay() {
    let server = SmtpServer::accepting(Behaviour::default());
    let ran = each(
        "echo 'a line' | mailx -s \"$given\" u@x.org",
        (1..=255).map(subject),
    )
    .rc(&relay(&server))
    .run();
    assert_eq!(failures(&ran), BTreeMap::new());
    let messages = server.messages();
    assert_eq!(messages.len(), 255);
    for (message, byte) in messages.iter().zip(1..=255) {
        assert_eq!(message.to, ["<u@x.org>"]);
        assert_subject(&letter_of(&message.data), byte, &["From"]);
    }
}

fn relay(server: &SmtpServer) -> String {
    format!(
        "set mta=smtp://127.0.0.1:{}\nset from=me@x.org\nset qualify-domain=q.org",
        server.port()
    )
}

// --- recipients -----------------------------------------------------------------------------

/// A recipient that the byte is in, and the number that tells it from others.
fn recipient(place: Place, byte: u8) -> OsString {
    let b: &[u8] = &[byte];
    match place {
        Start => bytes(&[b, format!("s{byte}@x.org").as_bytes()]),
        Middle => bytes(&[
            format!("m{byte}l").as_bytes(),
            b,
            format!("r{byte}@x.org").as_bytes(),
        ]),
        End => bytes(&[format!("e{byte}@x.org").as_bytes(), b]),
    }
}

/// The recipients that one operand names: none, where it is refused.
fn modelled_recipients(place: Place, byte: u8) -> Vec<String> {
    let whole = match place {
        Start => format!("s{byte}@x.org"),
        Middle => format!("m{byte}l\0r{byte}@x.org"),
        End => format!("e{byte}@x.org"),
    };
    match (byte, place) {
        // What separates the members of a list.
        (b' ' | b'\t' | b',' | b';', _) => whole.split('\0').map(str::to_owned).collect(),
        // What RFC 5322 has for other things, unbalanced as it is here, a group without its end among them; options, commands, files.
        (b'"' | b'(' | b')' | b'<' | b'>' | b':' | b'[' | b']' | b'\\' | b'@', _) => Vec::new(),
        (b'-' | b'/' | b'|', Start) => Vec::new(),
        _ if is_control(byte) => Vec::new(),
        // A no-break space is a blank, but separates nothing.
        (0xa0, _) => Vec::new(),
        (_, Start) => vec![format!("{}{whole}", meaning(byte))],
        (_, Middle) => vec![whole.replace('\0', &meaning(byte).to_string())],
        (_, End) => vec![format!("{whole}{}", meaning(byte))],
    }
}

#[test]
fn recipients_through_sendmail() {
    let ascii = || everywhere().filter(|(_, byte)| *byte < 128);
    let operands = ascii().map(|(place, byte)| recipient(place, byte));
    let ran = Case::send(["-s", "t", "--"])
        .args(operands)
        .stdin("a line\n")
        .status(65)
        .any_stderr()
        .keeps(1)
        .run();
    assert_clean(&ran);
    let mut expected = Vec::new();
    for (place, byte) in ascii() {
        expected.extend(modelled_recipients(place, byte));
    }
    let call = ran.call();
    assert_same(&call.recipients(), &expected);
    let to = call.letter().field("To");
    assert_same(&to.split(", ").collect::<Vec<_>>(), &expected);
    let mut got = names(&call.letter());
    got.sort();
    assert_eq!(got, plain_names(&[]));
}

#[test]
fn recipients_through_a_relay() {
    let server = SmtpServer::accepting(Behaviour::default());
    let ascii = || everywhere().filter(|(_, byte)| *byte < 128);
    let operands = ascii().map(|(place, byte)| recipient(place, byte));
    let ran = Case::new()
        .args(["-s", "t", "--"])
        .args(operands)
        .stdin("a line\n")
        .rc(&relay(&server))
        .status(65)
        .any_stderr()
        .keeps(1)
        .run();
    assert_clean(&ran);
    let mut expected = Vec::new();
    for (place, byte) in ascii() {
        expected.extend(modelled_recipients(place, byte));
    }
    for address in &mut expected {
        if !address.contains('@') {
            address.push_str("@q.org");
        }
    }
    let messages = server.messages();
    assert_eq!(messages.len(), 1);
    let got: Vec<&str> = messages[0]
        .to
        .iter()
        .map(|path| &path[1..path.len() - 1])
        .collect();
    assert_same(&got, &expected);
    let to = letter_of(&messages[0].data).field("To");
    assert_same(&to.split(", ").collect::<Vec<_>>(), &expected);
}

/// A recipient beyond ASCII needs SMTPUTF8, or punycode: it arrives as what it means, or not at all,
/// and nobody else gets the mail.
#[test]
fn recipients_beyond_ascii() {
    let server = SmtpServer::accepting(Behaviour::default());
    let given: Vec<(Place, u8)> = everywhere().filter(|(_, byte)| *byte >= 128).collect();
    let ran = Case::new()
        .args(["-s", "t", "--", "u@x.org"])
        .args(given.iter().map(|(place, byte)| recipient(*place, *byte)))
        .stdin("a line\n")
        .rc(&relay(&server))
        .fails()
        .any_stderr()
        .may_change("home/dead.letter")
        .run();
    assert_clean(&ran);
    let messages = server.messages();
    assert_eq!(
        messages.len(),
        1,
        "the good recipient gets the mail: {}",
        ran.stderr()
    );
    assert_eq!(messages[0].to[0], "<u@x.org>");
    for path in &messages[0].to[1..] {
        // Never what IDNA maps to other letters, as the sign for a trade mark to "tm".
        assert!(path.is_ascii() && path.contains("xn--"), "{path}");
    }
}

// --- senders --------------------------------------------------------------------------------

fn senders(place: Place) {
    let given: Vec<u8> = (1..=255).collect();
    let arguments = given.iter().map(|byte| recipient(place, *byte));
    let ran = each(
        "echo 'a line' | mailx -s t -r \"$given\" u@x.org",
        arguments,
    )
    .sendmail(FakeSendmail::accepting())
    .run();
    assert_clean(&ran);
    let failed = failures(&ran);
    let mut calls = ran.calls().into_iter();
    for (byte, number) in given.into_iter().zip(1..) {
        let expected = modelled_recipients(place, byte);
        match failed.get(&number) {
            Some(status) => {
                assert_eq!(*status, 65, "{byte:#x}");
                // There is no way to tell a mail system of a sender beyond ASCII.
                assert!(
                    expected.is_empty() || byte >= 128 || byte == b':' || expected.len() > 1,
                    "{byte:#x} is refused"
                );
            }
            None => {
                assert!(!expected.is_empty(), "{byte:#x} is accepted");
                let call = calls.next().expect("a call for each accepted sender");
                assert_eq!(call.recipients(), ["u@x.org"], "{byte:#x}");
                if byte < 128 {
                    assert_eq!(call.options(), ["-i", "-f", &expected[0]], "{byte:#x}");
                    assert_eq!(
                        call.letter().field("From"),
                        expected.join(", "),
                        "{byte:#x}"
                    );
                }
                let mut got = names(&call.letter());
                got.sort();
                assert_eq!(got, plain_names(&["From"]), "{byte:#x}");
            }
        }
    }
    assert!(calls.next().is_none());
}

#[test]
fn senders_that_start_with_any_byte() {
    senders(Start);
}

#[test]
fn senders_with_any_byte_inside() {
    senders(Middle);
}

#[test]
fn senders_that_end_with_any_byte() {
    senders(End);
}

// --- header fields --------------------------------------------------------------------------

fn with_byte(place: Place, byte: u8) -> Vec<u8> {
    match place {
        Start => [&[byte], &b"vw"[..]].concat(),
        Middle => [&b"v"[..], &[byte], b"w"].concat(),
        End => [&b"vw"[..], &[byte]].concat(),
    }
}

fn decoded(place: Place, byte: u8) -> String {
    let shown = meaning(byte);
    let text = match place {
        Start => format!("{shown}vw"),
        Middle => format!("v{shown}w"),
        End => format!("vw{shown}"),
    };
    text.trim_matches([' ', '\t']).to_owned()
}

fn value_is_good(byte: u8) -> bool {
    byte == b'\t' || !is_control(byte)
}

fn assert_values(letter: &Letter, given: &[(Place, u8)]) {
    assert!(letter.bytes.is_ascii());
    let count = names(letter)
        .iter()
        .filter(|name| name.starts_with("X-"))
        .count();
    assert_eq!(count, given.len());
    for (place, byte) in given {
        let name = format!("X-{place:?}-{byte}");
        let raw = letter.field(&name);
        let got = if raw.contains("=?") && *byte >= 128 {
            Letter::new(
                format!(
                    "Subject: {raw}

        "
                )
                .as_bytes(),
            )
            .subject()
        } else {
            raw
        };
        assert_eq!(
            got.trim_matches([' ', '\t']),
            decoded(*place, *byte),
            "{name}"
        );
    }
}

fn good_values() -> Vec<(Place, u8)> {
    everywhere()
        .filter(|(_, byte)| value_is_good(*byte))
        .collect()
}

fn header_options(given: &[(Place, u8)]) -> Vec<OsString> {
    let field = |(place, byte): &(Place, u8)| {
        bytes(&[
            format!("--header=X-{place:?}-{byte}: ").as_bytes(),
            &with_byte(*place, *byte),
        ])
    };
    given.iter().map(field).collect()
}

#[test]
fn header_values_through_sendmail() {
    let given = good_values();
    let ran = Case::send(["-s", "t", "u@x.org"])
        .args(header_options(&given))
        .stdin("a line\n")
        .run();
    assert_eq!(ran.call().recipients(), ["u@x.org"]);
    assert_values(&ran.call().letter(), &given);
}

#[test]
fn header_values_through_a_relay() {
    let server = SmtpServer::accepting(Behaviour::default());
    let given = good_values();
    Case::new()
        .args(["-s", "t", "u@x.org"])
        .args(header_options(&given))
        .stdin("a line\n")
        .rc(&relay(&server))
        .run();
    let messages = server.messages();
    assert_eq!(messages[0].to, ["<u@x.org>"]);
    assert_values(&letter_of(&messages[0].data), &given);
}

#[test]
fn header_values_with_controls_send_nothing() {
    let bad: Vec<(Place, u8)> = everywhere()
        .filter(|(_, byte)| !value_is_good(*byte))
        .collect();
    let count = bad.len();
    let ran = each(
        "echo 'a line' | mailx -s t \"$given\" u@x.org",
        header_options(&bad),
    )
    .sendmail(FakeSendmail::accepting())
    .run();
    ran.nothing_sent();
    assert_clean(&ran);
    assert_eq!(
        failures(&ran),
        (1..=count).map(|number| (number, 65)).collect()
    );
}

/// Whether a byte may stand in a header field's name; blanks at its ends are not of the name.
fn name_is_good(place: Place, byte: u8) -> bool {
    match byte {
        b' ' | b'\t' => place != Middle,
        // A colon ends the name: at its start there is none.
        b':' => place != Start,
        _ => byte.is_ascii_graphic(),
    }
}

fn header_name(place: Place, byte: u8) -> Vec<u8> {
    match place {
        Start => [&[byte], &b"XY"[..]].concat(),
        Middle => [&b"X"[..], &[byte], b"Y"].concat(),
        End => [&b"XY"[..], &[byte]].concat(),
    }
}

fn header_option((place, byte): (Place, u8)) -> OsString {
    bytes(&[b"--header=", &header_name(place, byte), b": v"])
}

#[test]
fn good_header_names() {
    // All in one mail: one that is refused is named.
    let good = || everywhere().filter(|(place, byte)| name_is_good(*place, *byte));
    let ran = Case::send(["-s", "t", "u@x.org"])
        .args(good().map(header_option))
        .stdin("a line\n")
        .run();
    let mut got = names(&ran.call().letter());
    let mut expected = plain_names(&[]);
    expected.extend(good().map(|(place, byte)| {
        let name = String::from_utf8(header_name(place, byte)).expect("ASCII");
        let before_colon = name.split(':').next().unwrap_or_default();
        before_colon.trim().to_owned()
    }));
    got.sort();
    expected.sort();
    assert_eq!(got, expected);
}

#[test]
fn bad_header_names_send_nothing() {
    let bad: Vec<(Place, u8)> = everywhere()
        .filter(|(place, byte)| !name_is_good(*place, *byte))
        .collect();
    let ran = each(
        "echo 'a line' | mailx -s t \"$given\" u@x.org",
        bad.iter().copied().map(header_option),
    )
    .sendmail(FakeSendmail::accepting())
    .run();
    ran.nothing_sent();
    assert_clean(&ran);
    let failed = failures(&ran);
    let wrong: Vec<_> = (1..)
        .zip(&bad)
        .filter(|(number, _)| failed.get(number) != Some(&65))
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

// --- names of attachments -------------------------------------------------------------------

/// The name that the recipient sees: `_` for a control, blanks at the ends are lost.
fn modelled_file_name(place: Place, byte: u8) -> String {
    let shown = if is_control(byte) { '_' } else { meaning(byte) };
    match place {
        Start => format!("{shown}s{byte}"),
        Middle => format!("m{shown}{byte}"),
        End => format!("e{byte}{shown}"),
    }
}

fn file_name(place: Place, byte: u8) -> Vec<u8> {
    let number = byte.to_string();
    match place {
        Start => [&[byte], &b"s"[..], number.as_bytes()].concat(),
        Middle => [&b"m"[..], &[byte], number.as_bytes()].concat(),
        End => [&b"e"[..], number.as_bytes(), &[byte]].concat(),
    }
}

#[test]
fn names_of_attachments() {
    let given: Vec<(Place, u8)> = everywhere().filter(|(_, byte)| *byte != b'/').collect();
    let server = SmtpServer::accepting(Behaviour::default());
    for through_relay in [false, true] {
        let mut case = Case::new().args(["-s", "t", "u@x.org"]).stdin("a line\n");
        for (place, byte) in &given {
            let name = OsString::from_vec(file_name(*place, *byte));
            std::fs::write(case.path("cwd").join(&name), "content\n").unwrap();
            let mut option = OsString::from("--attach=");
            option.push(&name);
            case = case.args([option]);
        }
        case = if through_relay {
            case.rc(&relay(&server))
        } else {
            case.sendmail(FakeSendmail::accepting())
        };
        let ran = case.run();
        let letter = if through_relay {
            letter_of(&server.messages()[0].data)
        } else {
            ran.call().letter()
        };
        letter.assert_fit_for_the_wire();
        let got: Vec<String> = letter
            .attachments()
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        let expected: Vec<String> = given
            .iter()
            .map(|(place, byte)| modelled_file_name(*place, *byte))
            .collect();
        for (got, expected) in got.iter().zip(&expected) {
            assert_eq!(got, expected);
        }
        assert_eq!(got.len(), expected.len());
    }
}

#[test]
fn names_that_are_given_to_attachments() {
    let given: Vec<(Place, u8)> = everywhere().filter(|(_, byte)| *byte != b'/').collect();
    let mut case = Case::send(["-s", "t", "u@x.org"]).stdin("a line\n");
    case = case.file("cwd/data", "content\n");
    for (place, byte) in &given {
        let mut option = OsString::from("--content-name=");
        option.push(OsString::from_vec(file_name(*place, *byte)));
        case = case.args([option, "--attach=data".into()]);
    }
    let letter = case.run().call().letter();
    letter.assert_fit_for_the_wire();
    let got: Vec<String> = letter.attachments().into_iter().map(|(n, _)| n).collect();
    let expected = given.iter().map(|(p, b)| modelled_file_name(*p, *b));
    assert_eq!(got, expected.collect::<Vec<_>>());
}

// --- NUL ------------------------------------------------------------------------------------

#[test]
fn a_nul_passes_no_gate() {
    for text in ["\0a@x.org", "a\0b@x.org", "a@x.org\0"] {
        assert!(EnvelopeAddress::new(text).is_err(), "{text:?}");
        assert!(
            parse_recipients(text, false, None)
                .iter()
                .all(Result::is_err),
            "{text:?}"
        );
    }
    for text in ["\0v", "v\0w", "v\0"] {
        assert!(HeaderValue::new(text).is_err(), "{text:?}");
        assert!(
            HeaderValue::from_bytes(text.as_bytes()).is_err(),
            "{text:?}"
        );
        assert!(HeaderName::new(text).is_err(), "{text:?}");
        let (value, changed) = HeaderValue::from_free_text(text.as_bytes());
        assert_eq!(value.as_str(), text.replace('\0', " "));
        assert!(changed);
        assert_eq!(
            FileName::from_path(text.as_bytes()).as_str(),
            text.replace('\0', "_")
        );
    }
}
