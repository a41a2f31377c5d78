//! The mailrc reader: any bytes are settings and named problems, and nothing else happens.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use postrider::address::alias;
use postrider::door::mailrc::{self, Context};
use postrider::door::{Origin, Settings, words_of_line};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    for (sending, terminal) in [(true, false), (false, true)] {
        // No home: `source ~/x` must find nothing on the machine that fuzzes.
        let context = Context {
            sending,
            terminal,
            home: None,
        };
        let mut settings = Settings::default();
        mailrc::read_text(&mut settings, Path::new("mailrc"), bytes, &context);
        check(&settings, &text);
        for name in ["a", "work"] {
            let known = settings.has_account(name);
            assert_eq!(mailrc::use_account(&mut settings, name, &context), known);
            check(&settings, &text);
        }
    }
    for line in text.lines() {
        check_words(line);
    }
});

fn check(settings: &Settings, text: &str) {
    let lines = text.lines().count();
    for problem in &settings.problems {
        assert!(!problem.what.is_empty());
        let Origin::File { path, line } = &problem.origin else {
            panic!("{problem:?}");
        };
        // A file that is sourced and cannot be read is named by the line that sources it.
        assert!(path != Path::new("mailrc") || *line <= lines, "{problem:?}");
    }
    for (name, value, _) in settings.changed() {
        assert!(!name.contains('\n'), "{name:?}");
        assert!(
            !value.unwrap_or_default().contains('\n'),
            "{name:?} {value:?}"
        );
        assert_eq!(settings.any(name), value);
    }
    for name in ["header", "from", "mta"] {
        assert_eq!(settings.is_set(name), settings.get(name).is_some());
    }
    let _ = settings.number("lock-timeout");
    for name in settings.aliases.keys() {
        let expansion = alias::expand(name, |name| settings.aliases.get(name));
        for member in &expansion.members {
            assert!(!member.starts_with(['|', '/', ':']), "{name:?} {member:?}");
        }
    }
}

/// Words without quotes and backslashes are the words between blanks; others come back when quoted.
fn check_words(line: &str) {
    let Ok(words) = words_of_line(line) else {
        assert!(line.contains(['"', '\'']));
        return;
    };
    if !line.contains(['"', '\'', '\\']) {
        assert!(words.iter().map(String::as_str).eq(line.split_whitespace()));
    }
    let quoted: Vec<String> = words
        .iter()
        .map(|word| format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\"")))
        .collect();
    assert_eq!(words_of_line(&quoted.join(" ")).as_ref(), Ok(&words));
}
