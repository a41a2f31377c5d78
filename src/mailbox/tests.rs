//! Every file of `tests/data/mbox` has the messages that its table says: how many, which bytes,
//! which flags. The table was written with the files, by hand, and not by the scanner.

use std::fs;
use std::path::{Path, PathBuf};

use crate::mailbox::flags::{Flags, STATUS, X_STATUS};
use crate::mailbox::format::mbox::{self, MessageRef, ScanError};
use crate::mailbox::format::mmdf;
use crate::mailbox::{Journals, Mailbox};

/// Where the files lie.
fn traps() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/mbox")
}

/// What is expected of a message, in the words of the table.
#[derive(Debug, PartialEq, Eq)]
struct Expected {
    range: String,
    flags: String,
    subject: String,
}

/// Describes a message as the table does.
fn describe(message: &MessageRef, header: &[u8]) -> Expected {
    Expected {
        range: format!("{}+{}", message.offset, message.len),
        flags: letters(message.flags),
        subject: subject(header),
    }
}

fn letters(flags: Flags) -> String {
    let of = |table: &[(u8, Flags)]| -> String {
        let set = table.iter().filter(|(_, flag)| flags.contains(*flag));
        set.map(|(letter, _)| char::from(*letter)).collect()
    };
    match (of(&STATUS), of(&X_STATUS)) {
        (status, x_status) if status.is_empty() && x_status.is_empty() => "-".to_owned(),
        (status, x_status) if status.is_empty() || x_status.is_empty() => status + &x_status,
        (status, x_status) => format!("{status}+{x_status}"),
    }
}

fn subject(header: &[u8]) -> String {
    let text = String::from_utf8_lossy(header);
    let subject = text.lines().find_map(|line| {
        let (name, body) = line.split_once(':')?;
        let is_subject = name.trim_end().eq_ignore_ascii_case("subject");
        is_subject.then(|| body.trim().to_owned())
    });
    subject.unwrap_or_else(|| "-".to_owned())
}

/// Returns the rows of the table: the file, and its messages unless it is to be refused.
fn table() -> Vec<(String, Option<Vec<Expected>>)> {
    let table = fs::read_to_string(traps().join("expected.tsv")).expect("the table");
    let rows = table.lines().filter(|line| !line.starts_with('#'));
    rows.map(|row| {
        let fields: Vec<&str> = row.split('\t').collect();
        let [file, count, ranges, flags, subjects, _] = fields[..] else {
            panic!("{row}");
        };
        if count == "-" {
            return (file.to_owned(), None);
        }
        let messages: Vec<Expected> = ranges
            .split_whitespace()
            .zip(flags.split_whitespace())
            .zip(subjects.split('|'))
            .map(|((range, flags), subject)| Expected {
                range: range.to_owned(),
                flags: flags.to_owned(),
                subject: subject.to_owned(),
            })
            .collect();
        assert_eq!(messages.len().to_string(), count, "{row}");
        (file.to_owned(), Some(messages))
    })
    .collect()
}

#[test]
fn every_trap_has_its_messages() {
    let mut wrong = Vec::new();
    let rows = table();
    for (file, expected) in &rows {
        let mut found = Vec::new();
        let path = traps().join(file);
        let opened = Mailbox::open(&path, &Journals::default(), &mut |_, message, header| {
            found.push(describe(message, header));
        });
        match (opened, expected) {
            (Ok(_), Some(expected)) if found == *expected => {}
            (Err(_), None) => {}
            // The scanner refuses it, and it is opened as the one message that it is.
            (Ok(mailbox), None) if file == "message-file.mbox" => {
                assert!(
                    mailbox.unchangeable().is_some() && found.len() == 1,
                    "{found:?}"
                );
            }
            (opened, expected) => {
                wrong.push(format!(
                    "{file}: expected {expected:#?}, found {found:#?} {opened:?}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    let files = fs::read_dir(traps()).expect("a directory").count();
    assert_eq!(files, rows.len() + 1, "each file has its row");
    assert!(rows.len() >= 100);
}

#[test]
fn the_size_of_blocks_changes_no_trap() {
    for (file, expected) in table() {
        let text = fs::read(traps().join(&file)).expect(&file);
        let first = text.iter().position(|byte| !byte.is_ascii_whitespace());
        if first.is_some_and(|first| text[first..].starts_with(mmdf::DELIMITER)) {
            continue;
        }
        for block in [1, 2, 3, 7, 64, 1000] {
            let mut found = Vec::new();
            let options = mbox::Options {
                block,
                ..mbox::Options::default()
            };
            let result = mbox::scan(
                &text[..],
                text.len() as u64,
                options,
                &mut |_, message, header| {
                    found.push(describe(message, header));
                },
            );
            match &expected {
                Some(expected) => assert_eq!(found, *expected, "{file} in blocks of {block}"),
                None => assert!(matches!(result, Err(ScanError::NotMbox)), "{file}"),
            }
        }
    }
}

/// Traps too large to be kept: where each message starts, marked by `|` in the pieces.
#[test]
fn large_traps_have_their_messages() {
    const FROM: &str = "From a@x.example Tue Jan  7 12:09:16 2003\n";
    let message = |fields: &str, body: &str| format!("{FROM}{fields}\n{body}\n");
    let many_fields = "X-Field: some value that fills a line of usual length\n".repeat(2000);
    let one_field = format!("X-Long: {}\n", "y".repeat(700 * 1024));
    let folded = format!(
        "X-Folded: a\n{}",
        "\tFrom the start, folded\n".repeat(20_000)
    );
    let no_newline = "z".repeat(600 * 1024);
    let lines = "From the start this was wrong.\n\n".repeat(20_000);
    let quoted = format!(">{FROM}Subject: no\n\n").repeat(5_000);
    let blank = "\n".repeat(300 * 1024);
    let rows = [
        ("many fields", message(&many_fields, "body\n")),
        ("one field", message(&one_field, "body\n")),
        ("folded field", message(&folded, "body\n")),
        (
            "Status behind a long field",
            message(&format!("{one_field}Status: RO\n"), "body\n"),
        ),
        (
            "a line without end",
            message("To: b\n", &format!("{no_newline}\n")),
        ),
        ("text", message("To: b\n", &lines)),
        ("quoted mail", message("To: b\n", &quoted)),
        ("blank lines", message("To: b\n", &blank)),
        (
            "a length of more than a block",
            message("Content-Length: 600000\n", &format!("{no_newline}\n")),
        ),
        (
            "a length to the end",
            message("Content-Length: 614457\n", &format!("{no_newline}\n")),
        ),
    ];
    let last = message("Subject: last\n", "body\n");
    for (name, first) in rows {
        // With and without the blank line, and with block borders all over the last From_ line.
        for cut in [0, 1] {
            let first = &first[..first.len() - cut];
            for shift in [0, 5, 42] {
                let pad = format!("{FROM}X-Pad: {}\n\n\n", "p".repeat(shift));
                let text = [&pad, first, &last].concat();
                let starts = [0, pad.len() as u64, (pad.len() + first.len()) as u64];
                for block in [mbox::BLOCK, 4096] {
                    let options = mbox::Options {
                        block,
                        ..mbox::Options::default()
                    };
                    let bytes = text.as_bytes();
                    let found = mbox::scan(bytes, bytes.len() as u64, options, &mut |_, _, _| {});
                    let found: Vec<u64> = found
                        .expect("an mbox")
                        .messages
                        .iter()
                        .map(|message| message.offset)
                        .collect();
                    assert_eq!(
                        found, starts,
                        "{name}, {cut} cut, shift {shift}, block {block}"
                    );
                }
            }
        }
    }
}
