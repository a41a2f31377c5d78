//! The map in `src/lib.rs`, held against the `crate::…` paths of the sources: a layer knows those
//! below it and no others.

use std::fs;
use std::path::{Path, PathBuf};

/// Every module with the modules it may know; a new module needs a place on the map, and a row.
const MAP: [(&str, &[&str]); 23] = [
    ("main", &["door"]),
    ("lib", &[]),
    // For the program's own files outside the library.
    (
        "door",
        &[
            "run", "cli", "compose", "config", "sys", "exit", "address", "message", "report",
        ],
    ),
    // Faces: what was typed, the interactive reader, listings.
    ("run", &["cli", "diagnostics", "sys", "exit"]),
    (
        "cli",
        &[
            "flow",
            "install",
            "diagnostics",
            "shell",
            "ui",
            "selection",
            "report",
            "submission",
            "compose",
            "transport",
            "mailbox",
            "config",
            "message",
            "address",
            "sanitize",
            "sys",
            "exit",
        ],
    ),
    (
        "flow",
        &[
            "diagnostics",
            "ui",
            "selection",
            "report",
            "submission",
            "compose",
            "transport",
            "mailbox",
            "config",
            "message",
            "address",
            "sanitize",
            "sys",
            "exit",
        ],
    ),
    // The front of the library: it sends for other programs.
    (
        "mailer",
        &[
            "submission",
            "compose",
            "transport",
            "config",
            "sys",
            "exit",
        ],
    ),
    // What a machine gets: pages, completions, links.
    ("install", &["sanitize", "sys", "exit"]),
    (
        "diagnostics",
        &["submission", "transport", "sanitize", "sys", "exit"],
    ),
    (
        "shell",
        &[
            // `reply` and its like will send through these.
            "flow",
            "diagnostics",
            "ui",
            "selection",
            "report",
            "submission",
            "compose",
            "transport",
            "mailbox",
            "config",
            "message",
            "address",
            "sanitize",
            "sys",
            "exit",
        ],
    ),
    (
        "report",
        &[
            "submission",
            "compose",
            "transport",
            "ui",
            "selection",
            "mailbox",
            "config",
            "message",
            "address",
            "sanitize",
            "sys",
            "exit",
        ],
    ),
    (
        "ui",
        &[
            "mailbox", "config", "message", "address", "sanitize", "sys", "exit",
        ],
    ),
    (
        "selection",
        &["mailbox", "config", "message", "sanitize", "sys", "exit"],
    ),
    // The one pipeline of a mail out.
    (
        "submission",
        &[
            "compose",
            "transport",
            "mailbox",
            "config",
            "message",
            "address",
            "sanitize",
            "sys",
            "exit",
        ],
    ),
    (
        "compose",
        &[
            "config", "message", "address", "charset", "sanitize", "sys", "exit",
        ],
    ),
    // Mailboxes and transports do not know each other; built-in delivery is the exception below.
    (
        "transport",
        &["message", "address", "sanitize", "sys", "exit"],
    ),
    (
        "mailbox",
        &["message", "address", "sanitize", "sys", "exit"],
    ),
    ("config", &["address", "charset", "sanitize", "sys", "exit"]),
    // Pure: bytes in, bytes out.
    ("message", &["address", "charset", "sanitize"]),
    ("address", &[]),
    ("charset", &[]),
    ("sanitize", &[]),
    ("sys", &["charset", "sanitize", "exit"]),
];

/// Modules that anyone may know and that know nobody.
const COMMON: [&str; 1] = ["exit"];

#[test]
fn the_sources_keep_to_the_map() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for path in rust_files(&sources) {
        let short = path.strip_prefix(&sources).unwrap();
        let module = short
            .iter()
            .next()
            .unwrap()
            .to_str()
            .unwrap()
            .trim_end_matches(".rs");
        let known = match MAP.iter().find(|(name, _)| *name == module) {
            Some((_, known)) => *known,
            None if COMMON.contains(&module) => &[],
            None => panic!("{module} has no place on the map"),
        };
        let delivery =
            short.starts_with("transport/local") || short.ends_with("transport/local.rs");
        for used in used_modules(&fs::read_to_string(&path).unwrap()) {
            let fine = used == module
                || known.contains(&used.as_str())
                || COMMON.contains(&used.as_str())
                || (delivery && used == "mailbox");
            if !fine {
                wrong.push(format!("{} knows {used}", short.display()));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "against the map of src/lib.rs:\n{}",
        wrong.join("\n")
    );
}

/// What is displayed carries its flags; opening or changing a mailbox is for others.
#[test]
fn ui_knows_nothing_of_a_mailbox_but_flags() {
    let ui = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ui");
    for path in rust_files(&ui) {
        let text = fs::read_to_string(&path).unwrap();
        for (at, found) in text.match_indices("crate::mailbox") {
            let rest = &text[at + found.len()..];
            assert!(
                rest.starts_with("::Flags"),
                "{}: {:.40}",
                path.display(),
                rest
            );
        }
    }
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Returns the first names behind `crate::` outside comments, those of `crate::{a, b::c}` too.
fn used_modules(text: &str) -> Vec<String> {
    let code: String = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n");
    let mut found = Vec::new();
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            None => found.push(first_name(rest)),
            Some(group) => {
                let mut depth = 0;
                let mut item = String::new();
                for c in group.chars() {
                    match c {
                        '}' if depth == 0 => break,
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        ',' if depth == 0 => found.push(first_name(&std::mem::take(&mut item))),
                        _ => item.push(c),
                    }
                }
                found.push(first_name(&item));
            }
        }
    }
    found.retain(|name| name.starts_with(|c: char| c.is_ascii_lowercase()));
    found
}

fn first_name(path: &str) -> String {
    path.trim_start()
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

#[test]
fn names_are_found_in_paths_and_groups() {
    let text =
        "use crate::a::B;\nuse crate::{c, d::{E, F}, g};\n// crate::no\nlet x = crate::h::i();\n";
    assert_eq!(used_modules(text), ["a", "c", "d", "g", "h"]);
}

/// A module with files of its own is `x/mod.rs`, and long unit tests are `tests.rs` beside that;
/// short ones stand at the end of their module.
#[test]
fn modules_and_unit_tests_have_one_style() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for path in rust_files(&sources) {
        let short = path.strip_prefix(&sources).unwrap().display();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        if path.with_extension("").is_dir() {
            wrong.push(format!("{short} stands beside the folder of its name"));
        }
        if stem.ends_with("_tests") || stem.starts_with("test_") {
            wrong.push(format!("{short} is not called tests.rs"));
        }
        let is_test = path.components().any(|part| {
            let name = part.as_os_str();
            name == "tests" || name == "tests.rs"
        });
        let text = fs::read_to_string(&path).unwrap();
        if !is_test && text.contains("#[path") {
            wrong.push(format!("{short} keeps a module under another name"));
        }
        if stem == "mod" && !is_test && !text.starts_with("//!") {
            wrong.push(format!("{short} does not open with its document"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Files that somebody may have planted are opened at one place, and its table names everybody who
/// has it do so: a rule of its own at another place would be forgotten when the next one changes.
#[test]
fn names_that_may_be_planted_are_opened_through_one_door() {
    const DOOR: &str = "sys/open/names.rs";
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let table = fs::read_to_string(sources.join(DOOR)).unwrap();
    let mut wrong = Vec::new();
    let mut users = 0;
    for path in rust_files(&sources) {
        let short = path.strip_prefix(&sources).unwrap().to_str().unwrap();
        if short == DOOR {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let code = |word: &str| {
            let mut lines = text.lines().map(|line| line.split("//").next().unwrap());
            lines.any(|line| line.contains(word))
        };
        for word in ["O_NOFOLLOW", "O_TMPFILE", "custom_flags", "openat("] {
            // A flag of this system: the door has it from there.
            let is_named = word == "O_TMPFILE" && short == "sys/platform/linux.rs";
            if code(word) && !is_named {
                wrong.push(format!("{short} says {word}"));
            }
        }
        if code("names::{self") || code("open::names;") {
            users += 1;
            let module = short.trim_end_matches(".rs").trim_end_matches("/mod");
            let module = module.replace('/', "::");
            if !table.contains(&format!("`{module}` |")) {
                wrong.push(format!("{short} has no row in the table of {DOOR}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let rows = table.lines().filter(|line| line.ends_with("` |")).count();
    assert_eq!(users, rows, "a row of {DOOR} stands for nobody");
}

/// A port changes `sys/platform` and nothing else: what only one system has is asked for there.
#[test]
fn only_the_platform_knows_which_system_this_is() {
    /// What only Linux has, or not all Unix systems have.
    const ELSEWHERE: [&str; 22] = [
        "target_os",
        "target_vendor",
        "os::linux",
        "O_NOATIME",
        "O_PATH",
        "O_TMPFILE",
        "RENAME_",
        "renameat2",
        "fallocate",
        "F_OFD_",
        "F_SETLK",
        "memfd",
        "statfs",
        "syncfs",
        "prctl",
        "getgrouplist",
        "eaccess(",
        "keepidle",
        "keepintvl",
        "user_timeout",
        "RLIMIT_FSIZE",
        "\"/proc",
    ];
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for path in rust_files(&sources) {
        let short = path.strip_prefix(&sources).unwrap().to_str().unwrap();
        if short.starts_with("sys/platform/") || short.ends_with("tests.rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        // Tests may look at the system they run on.
        let code = text.split("\n#[cfg(test)]").next().unwrap();
        for (number, line) in code.lines().enumerate() {
            let line = line
                .split("//")
                .next()
                .unwrap()
                .replace("format!(\"/proc", "\"/proc");
            let found = ELSEWHERE.iter().find(|word| line.contains(*word));
            if let Some(word) = found.filter(|word| **word != "statfs" || !line.contains("statvfs"))
            {
                wrong.push(format!("{short}:{}: {word}", number + 1));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "this belongs to sys/platform:\n{}",
        wrong.join("\n")
    );
    // Both systems have the same names, and PORTING.md tells each of them.
    let platform = sources.join("sys/platform");
    let names = |file: &str| {
        let text = fs::read_to_string(platform.join(file)).unwrap();
        let mut names: Vec<String> = ["pub(crate) fn ", "pub(crate) const "]
            .iter()
            .flat_map(|begin| text.split(begin).skip(1).map(first_name))
            .collect();
        names.sort();
        names.dedup();
        names
    };
    let mut linux = names("linux.rs");
    linux.push("sync_file_system".to_owned());
    linux.sort();
    assert_eq!(linux, names("other.rs"));
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib/PORTING.md");
    let page = fs::read_to_string(page).unwrap();
    let untold = linux
        .iter()
        .filter(|name| !page.contains(&format!("`{name}`")));
    assert_eq!(untold.collect::<Vec<_>>(), Vec::<&String>::new());
}

/// The list "Where would I look for …" of `src/lib.rs` names what is there.
#[test]
fn the_list_for_newcomers_names_files_that_are_there() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let text = fs::read_to_string(sources.join("lib.rs")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("//! | "));
    let words: Vec<&str> = rows
        .flat_map(|row| row.split('`').skip(1).step_by(2))
        .collect();
    let paths = words.iter().filter(|word| word.contains('/'));
    let gone: Vec<_> = paths.filter(|path| !sources.join(path).exists()).collect();
    assert!(gone.is_empty(), "src/lib.rs sends newcomers to {gone:?}");
    assert!(words.len() > 10, "the list was not found: {words:?}");
}
