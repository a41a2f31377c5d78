//! The mailrc reader: any bytes are settings and named problems, and nothing else happens.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use postrider::address::alias;
use postrider::door::{Mailrc, words_of_line};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    for (sending, terminal) in [(true, false), (false, true)] {
        let mut mailrc = Mailrc::read(bytes, sending, terminal);
        check(&mailrc, &text);
        for name in ["a", "work"] {
            mailrc.use_account(name);
            check(&mailrc, &text);
        }
    }
    for line in text.lines() {
        check_words(line);
    }
});

fn check(mailrc: &Mailrc, text: &str) {
    let lines = text.lines().count();
    for (what, place) in mailrc.problems() {
        assert!(!what.is_empty());
        let (path, line) = place.unwrap_or_else(|| panic!("{what}: no file"));
        // A file that is sourced and cannot be read is named by the line that sources it.
        assert!(path != Path::new("mailrc") || line <= lines, "{line}: {what}");
    }
    for (name, value) in mailrc.changed() {
        assert!(!name.contains('\n'), "{name:?}");
        assert!(
            !value.unwrap_or_default().contains('\n'),
            "{name:?} {value:?}"
        );
        assert_eq!(mailrc.any(name), value);
    }
    let aliases = mailrc.aliases();
    for name in aliases.keys() {
        let expansion = alias::expand(name, |name| aliases.get(name));
        for member in &expansion.members {
            assert!(!member.starts_with(['|', '/', ':']), "{name:?} {member:?}");
        }
    }
}

/// Words without quotes and backslashes are the words between blanks; others come back when quoted.
fn check_words(line: &str) {
    let Ok(split) = words_of_line(line) else {
        assert!(line.contains(['"', '\'']));
        return;
    };
    if !line.contains(['"', '\'', '\\']) {
        assert!(split.iter().map(String::as_str).eq(line.split_whitespace()));
    }
    let quoted: Vec<String> = split
        .iter()
        .map(|word| format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\"")))
        .collect();
    assert_eq!(words_of_line(&quoted.join(" ")).as_ref(), Ok(&split));
}
