//! The line that says how far long work has come: at a terminal, and nowhere else.

use crate::case::Case;

/// Returns so many messages with a kilobyte of text each.
fn mailbox(count: usize) -> String {
    let text = "one line of a message with some words in it and no more\n".repeat(18);
    let message =
        |number| format!("From a@x.org Mon Nov 16 09:00:00 2026\nSubject: {number}\n\n{text}\n");
    (0..count).map(message).collect()
}

/// A search that looks at every word of every message, and finds the last one.
const SEARCH: [&str; 3] = [
    "search",
    "body:/w.*d.nothing/ or subject:/^NUMBER$/",
    "--file",
];

fn search(count: usize) -> Case {
    let last = (count - 1).to_string();
    Case::new()
        .called("postrider")
        .args(SEARCH.map(|word| word.replace("NUMBER", &last)))
        .args(["box"])
        .file("cwd/box", mailbox(count))
}

const LINE: &str = "searching: ";

#[test]
fn long_work_says_at_a_terminal_how_far_it_has_come() {
    // As many messages as take more than half a second on this machine.
    let sizes = [4_000, 16_000, 64_000, 256_000];
    let told = sizes.into_iter().find_map(|count| {
        let out = search(count).at_terminal(|_| {}).stdout();
        out.contains(LINE).then_some((count, out))
    });
    let (count, out) = told.expect("a search of many messages takes half a second");
    let (before, result) = out.rsplit_once('\r').map_or((&*out, ""), |(before, rest)| {
        // A terminal ends its lines with CR LF.
        before
            .rsplit_once('\r')
            .map_or((before, rest), |(line, blanks)| {
                assert!(!blanks.trim_start_matches(' ').is_empty(), "{out:?}");
                (line, blanks)
            })
    });
    let line = before.rsplit(LINE).next().unwrap_or_default();
    let is_line = line.contains(&format!(" of {count} messages, ")) && line.contains(" %");
    assert!(is_line, "{out:?}");
    // The line is gone before the result stands there.
    assert!(result.contains(&format!(" {}", count - 1)), "{out:?}");
    assert!(!result.contains(LINE), "{out:?}");

    let silent = [
        search(count).env("TERM", "dumb").at_terminal(|_| {}),
        search(count).rc("set quiet").at_terminal(|_| {}),
        search(count).any_stdout().run(),
    ];
    for ran in silent {
        let all = ran.stdout() + &ran.stderr();
        assert!(!all.contains(LINE), "{all:?}");
        assert!(all.contains(&format!(" {}", count - 1)), "{all:?}");
    }
}
