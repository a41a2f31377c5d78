//! Each row of the contract has a test: a comment of its ids, `// K27 var:metoo`, stands right above
//! `#[test]`.
//!
//! The ids are those of the feature map: K are the reader's commands, L message lists, T the escapes of
//! a text that is typed, MB what a mailbox is after the session, `var:NAME` a variable.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use postrider::door::ROWS;

/// Ranges of ids; each of them must have a test.
const IDS: &[(&str, &[(u32, u32)])] = &[
    ("K", &[(1, 47), (60, 70), (72, 73), (75, 75), (78, 78)]),
    ("L", &[(1, 10), (12, 13), (15, 17)]),
    ("T", &[(1, 18), (20, 20), (23, 23)]),
    ("MB", &[(1, 17), (19, 23)]),
];

/// The variables of POSIX.
const VARIABLES: &[&str] = &[
    "allnet",
    "append",
    "ask",
    "asksub",
    "askbcc",
    "askcc",
    "autoprint",
    "bang",
    "cmd",
    "crt",
    "debug",
    "dot",
    "escape",
    "flipr",
    "folder",
    "header",
    "hold",
    "ignore",
    "ignoreeof",
    "indentprefix",
    "keep",
    "keepsave",
    "metoo",
    "onehop",
    "outfolder",
    "page",
    "prompt",
    "quiet",
    "record",
    "save",
    "screen",
    "sendwait",
    "showto",
    "sign",
    "Sign",
    "toplines",
];

/// The variables of other programs that the table of variables has too (section 5.2 of the map).
const EXTENSIONS: &[&str] = &[
    "askatend",
    "askattach",
    "asksend",
    "attrlist",
    "autobcc",
    "autocc",
    "autoinc",
    "autosort",
    "datefield",
    "datefield-markout-older",
    "editalong",
    "editheaders",
    "editor",
    "errexit",
    "expandaddr",
    "followup-to",
    "followup-to-honour",
    "from",
    "fullnames",
    "headline",
    "hostname",
    "inbox",
    "lister",
    "mbox",
    "mta",
    "mta-aliases",
    "mta-arguments",
    "mta-argv0",
    "netrc-lookup",
    "nss-config-dir",
    "nullbody",
    "nullbodymsg",
    "pager",
    "password",
    "posix",
    "quote",
    "recipients-in-cc",
    "reply-to-honour",
    "replyto",
    "searchheaders",
    "sender",
    "shell",
    "showlast",
    "showname",
    "skipemptybody",
    "smtp",
    "smtp-auth",
    "smtp-auth-user",
    "smtp-hostname",
    "smtp-use-starttls",
    "tls-ca-file",
    "tls-ca-no-defaults",
    "tls-fingerprint",
    "tls-verify",
    "verbose",
    "visual",
];

#[test]
fn each_row_of_the_contract_has_a_test() {
    let mut found = BTreeMap::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    collect(&root.join("tests/it"), &mut found);
    collect(&root.join("src"), &mut found);
    let ranges = IDS.iter().flat_map(|(letters, ranges)| {
        let numbers = ranges.iter().flat_map(|&(first, last)| first..=last);
        numbers.map(move |number| format!("{letters}{number:02}"))
    });
    for name in EXTENSIONS {
        assert!(ROWS.iter().any(|row| row.name == *name), "{name}");
    }
    let names = VARIABLES.iter().chain(EXTENSIONS);
    let names = names.map(|name| format!("var:{name}"));
    let missing: Vec<String> = ranges
        .chain(names)
        .filter(|id| !found.contains_key(id))
        .collect();
    assert!(missing.is_empty(), "no test names {}", missing.join(" "));
}

/// Collects the ids above the tests of all files of a directory.
fn collect(directory: &Path, found: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let lines: Vec<&str> = text.lines().map(str::trim).collect();
            for pair in lines.windows(2) {
                let Some(ids) = pair[0].strip_prefix("// ").filter(|_| pair[1] == "#[test]") else {
                    continue;
                };
                if ids.split(' ').all(is_id) {
                    let name = path.file_name().unwrap().to_string_lossy();
                    found.extend(ids.split(' ').map(|id| (id.to_owned(), name.to_string())));
                }
            }
        }
    }
}

fn is_id(word: &str) -> bool {
    let digits = word.trim_start_matches(|letter: char| letter.is_ascii_uppercase());
    let is_numbered = digits.len() == 2
        && digits.len() < word.len()
        && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_numbered
        || word
            .strip_prefix("var:")
            .is_some_and(|name| !name.is_empty())
}
