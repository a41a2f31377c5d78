//! Tests of the reports, over mailboxes in a temporary directory.

use std::io::{self, Write};

use super::selected::Looking;
use super::*;
use crate::exit::with_causes;
use crate::selection::Selection;

/// The list of all messages.
fn list(
    path: &Path,
    as_json: bool,
    display: &Display,
    journals: &Journals,
    screen: Screen<'_>,
) -> Result<Option<Kind>, ReportError> {
    let looking = Looking {
        display,
        journals,
        allnet: false,
        is_system: false,
    };
    selected::list(path, &Selection::default(), as_json, &looking, screen)
}

const MAIL: &str = "From alice@example.com Mon Nov 16 09:00:00 2026\n\
From: \"Alice Example\" <alice@example.com>\nSubject: Disk almost full\nStatus: RO\n\nhello\n\n\
From bob Mon Nov 16 10:00:00 2026\nFrom: bob@example.com\nSubject: second\n\n\
>From me\nbye\n\n";

struct Fixture {
    _dir: tempfile::TempDir,
    path: std::path::PathBuf,
}

impl ReportError {
    fn into_failure(self) -> Failure {
        match self {
            ReportError::Failed(failure) => failure,
            ReportError::Open(error) => Failure::new(error.kind(), with_causes(&error)),
            ReportError::NoMail => Failure::new(Kind::Nothing, "there is no mail"),
        }
    }
}

fn fixture(content: &[u8]) -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mbox");
    std::fs::write(&path, content).unwrap();
    Fixture { _dir: dir, path }
}

fn written<T>(run: impl FnOnce(&mut dyn Write, &mut dyn Write) -> T) -> (T, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let result = run(&mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (result, text(out), text(err))
}

#[test]
fn headers_mark_the_first_new_message() {
    let mail = fixture(MAIL.as_bytes());
    let display = Display::default();
    let (result, out, err) = written(|out, err| {
        headers(
            &mail.path,
            None,
            &display,
            &Journals::default(),
            Screen::new(out, err, "mailx"),
        )
        .unwrap()
    });
    assert_eq!(result, None);
    assert_eq!(err, "");
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(
        lines[0].starts_with("    1 alice@example.com  Mon Nov 16 09:00 "),
        "{out}"
    );
    assert!(
        lines[1].starts_with(">N  2 bob@example.com    Mon Nov 16 10:00 "),
        "{out}"
    );
    assert!(lines[1].ends_with(" second"), "{out}");
}

#[test]
fn headers_where_nothing_is_new_mark_the_first() {
    let mail = fixture(
        MAIL.replace("Subject: s", "Status: R\nSubject: s")
            .as_bytes(),
    );
    let display = Display::default();
    let (_, out, _) = written(|out, err| {
        headers(
            &mail.path,
            None,
            &display,
            &Journals::default(),
            Screen::new(out, err, "mailx"),
        )
        .unwrap()
    });
    assert!(out.starts_with(">   1 "), "{out}");
    let (none, out, _) = written(|out, err| {
        headers(
            &mail.path,
            Some(FlagChoice::New),
            &display,
            &Journals::default(),
            Screen::new(out, err, "mailx"),
        )
        .unwrap()
    });
    assert_eq!((none, &*out), (Some(Kind::Nothing), ""));
}

#[test]
fn an_empty_mailbox_is_status_1_and_silent() {
    let mail = fixture(b"");
    let display = Display::default();
    let (results, out, err) = written(|out, err| {
        let journals = Journals::default();
        [
            headers(
                &mail.path,
                None,
                &display,
                &journals,
                Screen::new(out, err, "mailx"),
            )
            .unwrap(),
            no_mail(print_all(
                &mail.path,
                &display,
                &journals,
                Screen::new(out, err, "mailx"),
            )),
            no_mail(list(
                &mail.path,
                true,
                &display,
                &journals,
                Screen::new(out, err, "mailx"),
            )),
            no_mail(list(
                &mail.path,
                false,
                &display,
                &journals,
                Screen::new(out, err, "mailx"),
            )),
            no_mail(show(
                &mail.path,
                1,
                None,
                ShowForm::Json,
                &display,
                &journals,
                Screen::new(out, err, "mailx"),
            )),
        ]
    });
    assert_eq!(results, [Some(Kind::Nothing); 5]);
    assert_eq!((&*out, &*err), ("", ""));
}

/// Returns the kind of the failure that there is no mail.
#[track_caller]
fn no_mail(result: Result<Option<Kind>, ReportError>) -> Option<Kind> {
    let error = result.unwrap_err();
    assert!(matches!(error, ReportError::NoMail), "{error:?}");
    Some(error.into_failure().kind)
}

#[test]
fn a_missing_mailbox_is_told_apart() {
    let display = Display::default();
    let (result, _, _) = written(|out, err| {
        headers(
            Path::new("/nonexistent/mbox"),
            None,
            &display,
            &Journals::default(),
            Screen::new(out, err, "mailx"),
        )
    });
    let failure = result.unwrap_err().into_failure();
    assert_eq!(failure.kind, Kind::NoInput);
}

#[test]
fn print_all_shows_every_message_decoded() {
    let mail = fixture(MAIL.as_bytes());
    let display = Display::default();
    let (result, out, _) = written(|out, err| {
        print_all(
            &mail.path,
            &display,
            &Journals::default(),
            Screen::new(out, err, "mailx"),
        )
        .unwrap()
    });
    assert_eq!(result, None);
    assert_eq!(
        out,
        "Message 1:\nFrom alice@example.com Mon Nov 16 09:00:00 2026\n\
         From: \"Alice Example\" <alice@example.com>\nSubject: Disk almost full\n\nhello\n\n\
         Message 2:\nFrom bob Mon Nov 16 10:00:00 2026\nFrom: bob@example.com\nSubject: second\n\n\
         From me\nbye\n\n"
    );
}

#[test]
fn json_keys_are_stable_and_bytes_are_kept_beside() {
    let mail = fixture(
        b"From a@b Mon Nov 16 09:00:00 2026\nFrom: =?utf-8?q?B=C3=B6b?= <b@x>\nSubject: caf\xe9\n\
          Date: Mon, 16 Nov 2026 09:00:00 +0100\nContent-Type: text/plain; charset=utf-8\n\nhi\n",
    );
    let display = Display::default();
    let (_, out, _) = written(|out, err| {
        list(
            &mail.path,
            true,
            &display,
            &Journals::default(),
            Screen::new(out, err, "mailx"),
        )
        .unwrap()
    });
    let value: serde_json::Value = serde_json::from_str(out.trim_end()).unwrap();
    let expected = serde_json::json!({
        "number": 1, "flags": ["new"], "envelope_from": "a@b", "from": "Böb <b@x>",
        "from_address": "b@x", "from_name": "Böb", "to": null, "cc": null,
        "subject": "caf\u{fffd}", "subject_raw": "Y2Fm6Q==", "message_id": null,
        "date": "2026-11-16T09:00:00+01:00", "date_zone": "+01:00",
        "lines": value["lines"], "size": value["size"],
    });
    assert_eq!(value, expected);
    let (_, out, _) = written(|out, err| {
        show(
            &mail.path,
            1,
            None,
            ShowForm::Json,
            &display,
            &Journals::default(),
            Screen::new(out, err, "mailx"),
        )
        .unwrap()
    });
    let value: serde_json::Value = serde_json::from_str(out.trim_end()).unwrap();
    assert_eq!(value["text"], "hi\n");
    assert_eq!(value["fields"][1]["body_raw"], "Y2Fm6Q==");
    assert_eq!(
        value["parts"],
        serde_json::json!([{"number": "1", "type": "text/plain", "charset": "utf-8",
            "name": null, "attachment": false, "size": 3}])
    );
}

#[test]
fn json_loses_nothing_and_harms_no_terminal() {
    let subject = "a\u{1b}[2J\u{7f}\u{9b}\u{202e}\u{e0041}\\z";
    let mail =
        fixture(format!("From a@b Mon Nov 16 09:00:00 2026\nSubject: {subject}\n\n").as_bytes());
    let display = Display::default();
    let (_, out, _) = written(|out, err| {
        list(
            &mail.path,
            true,
            &display,
            &Journals::default(),
            Screen::new(out, err, "mailx"),
        )
        .unwrap()
    });
    assert!(!out.chars().any(crate::sanitize::is_forbidden), "{out:?}");
    let value: serde_json::Value = serde_json::from_str(out.trim_end()).unwrap();
    assert_eq!(value["subject"], subject);
}

#[test]
fn show_gives_text_bytes_or_a_clear_failure() {
    let mail = fixture(MAIL.as_bytes());
    let display = Display::default();
    let (_, out, _) = written(|out, err| {
        show(
            &mail.path,
            2,
            None,
            ShowForm::Text,
            &display,
            &Journals::default(),
            Screen::new(out, err, "mailx"),
        )
        .unwrap()
    });
    assert!(out.starts_with("Message 2:\nFrom bob "), "{out}");
    let (_, out, _) = written(|out, err| {
        show(
            &mail.path,
            2,
            None,
            ShowForm::Raw,
            &display,
            &Journals::default(),
            Screen::new(out, err, "mailx"),
        )
        .unwrap()
    });
    assert!(
        !out.starts_with("From bob ") && out.contains("\n>From me\n"),
        "{out}"
    );
    for number in [0, 3, usize::MAX - 1] {
        let (result, out, _) = written(|out, err| {
            show(
                &mail.path,
                number,
                None,
                ShowForm::Raw,
                &display,
                &Journals::default(),
                Screen::new(out, err, "mailx"),
            )
        });
        assert_eq!(result.unwrap_err().into_failure().kind, Kind::Nothing);
        assert_eq!(out, "");
    }
}

/// A writer that fails.
struct Failing(io::ErrorKind);

impl Write for Failing {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_output_that_cannot_be_written_is_a_failure_unless_the_reader_left() {
    let mail = fixture(MAIL.as_bytes());
    let display = Display::default();
    let run = |kind| {
        headers(
            &mail.path,
            None,
            &display,
            &Journals::default(),
            Screen::new(&mut Failing(kind), &mut Vec::new(), "mailx"),
        )
    };
    let full = run(io::ErrorKind::StorageFull).unwrap_err().into_failure();
    assert_eq!(full.kind, Kind::Io);
    assert_eq!(run(io::ErrorKind::BrokenPipe).unwrap(), None);
}

/// A message reference that only the numbers in the output come from.
fn reference() -> MessageRef {
    let mail = fixture(MAIL.as_bytes());
    *Mailbox::open_index(&mail.path, &crate::mailbox::Journals::default())
        .unwrap()
        .messages()
        .first()
        .unwrap()
}

#[test]
fn json_of_many_fields_comes_in_pieces_and_not_as_a_tree() {
    let header = "A:\n".repeat(200_000) + &"B: =?utf-8?q?=C3=B6?= \u{1b}\n".repeat(1000);
    let body = "\u{202e}\"\\".repeat(100_000);
    let bytes = format!("From a@b Mon Nov 16 09:00:00 2026\n{header}\n{body}\n");
    let (mut longest, mut line) = (0, Vec::new());
    json::message(1, &reference(), bytes.as_bytes(), &mut |piece| {
        longest = longest.max(piece.len());
        line.extend_from_slice(piece);
    });
    assert!(longest < 600_000, "{longest}");
    let value: serde_json::Value = serde_json::from_slice(&line).unwrap();
    assert_eq!(value["fields"].as_array().unwrap().len(), 201_000);
    assert_eq!(value["fields"][200_999]["body"], "\u{f6} \u{1b}");
    assert_eq!(value["text"], body + "\n");
}

#[test]
fn json_of_bytes_that_are_no_utf_8_is_never_held_whole() {
    let subject = [&b"=?utf-8?q?x?= "[..], &b"\xff".repeat(3_000_000)].concat();
    let bytes = [
        b"From a@b Mon Nov 16 09:00:00 2026\nSubject: ",
        &subject[..],
        b"\n\n",
    ]
    .concat();
    let (mut longest, mut line) = (0, Vec::new());
    json::message(1, &reference(), &bytes, &mut |piece| {
        longest = longest.max(piece.len());
        line.extend_from_slice(piece);
    });
    // What has encoded words is decoded at once, but no more than 1 MB of it.
    assert!(longest < 4_000_000, "{longest}");
    let value: serde_json::Value = serde_json::from_slice(&line).unwrap();
    let text = value["subject"].as_str().unwrap();
    assert!(text.starts_with("x \u{fffd}"));
    assert_eq!(text.chars().count(), 2 + 3_000_000);
    use base64::Engine;
    let raw = value["subject_raw"].as_str().unwrap();
    let raw = base64::engine::general_purpose::STANDARD
        .decode(raw)
        .unwrap();
    assert_eq!(raw, subject);
}
