//! The words of the program: phrases that readers could not follow once, and must not come back.
//!
//! Looked through are the README, the manual pages and every text in the sources that may be shown
//! to a person. The list is short on purpose: a phrase is on it because it stood in many texts and
//! was misread; the second column says what to write instead.

use std::fs;
use std::path::{Path, PathBuf};

use crate::documents::document;

/// A phrase as words in lower case, and what to write instead of it.
const PHRASES: &[(&str, &str)] = &[
    ("nobody", "say who does not, or what is not known"),
    ("whoever", "users who …, or if you …"),
    ("one's", "your, or the user's"),
    ("oneself", "yourself"),
    ("is no", "is not a …"),
    ("are no", "are not …"),
    ("is none", "is not a …, or does not exist"),
    ("told", "reported, or a line says …"),
    ("way out", "how mail is sent, or route"),
    ("no word of", "is missing"),
    ("without a word", "silently"),
    ("take along", "attach"),
    ("taken along", "attached"),
    ("behind", "after"),
    ("broke off", "was interrupted"),
    ("broken off", "was interrupted"),
    ("breaks off", "is interrupted"),
    ("given up", "cancelled"),
    ("passed over", "skipped"),
    ("was meant", "matched, or was intended"),
    ("slips", "mistakes"),
    ("lies", "is"),
    ("stands", "is"),
    ("its like", "name the others, or such as …"),
];

/// Phrases that are plain English although they contain one of the list.
const PLAIN: &[&str] = &[
    "there is no",
    "there are no",
    "is no longer",
    "are no longer",
    "there is none",
    "is none of",
    "stands for",
];

#[test]
fn no_text_for_people_has_a_phrase_that_was_misread() {
    let mut found = Vec::new();
    for page in [
        "README.md",
        "man/mailx.1",
        "man/postrider.1",
        "man/postrider-mailrc.5",
    ] {
        for (number, line) in sentences(&document(page)) {
            judge(page, number, &line, &mut found);
        }
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut texts = 0;
    for path in rust_files(&source) {
        let shown = path.strip_prefix(&source).unwrap().display().to_string();
        let text = fs::read_to_string(&path).unwrap();
        for (number, literal) in literals(&text) {
            texts += usize::from(literal.contains(' '));
            judge(&shown, number, &literal, &mut found);
        }
    }
    assert!(texts > 700, "{texts}");
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

/// Adds the phrases of the list that a text contains.
fn judge(place: &str, number: usize, text: &str, found: &mut Vec<String>) {
    // What a format fills in is no text of ours.
    let text: String = text
        .split('{')
        .enumerate()
        .map(|(at, piece)| match piece.split_once('}') {
            Some((_, rest)) if at > 0 => rest,
            _ => piece,
        })
        .collect();
    let is_word = |c: char| c.is_alphanumeric() || c == '\'';
    let words: Vec<String> = text
        .split(|c| !is_word(c))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let mut text = format!(" {} ", words.join(" "));
    for plain in PLAIN {
        text = text.replace(&format!(" {plain} "), " … ");
    }
    for (phrase, instead) in PHRASES {
        if text.contains(&format!(" {phrase} ")) {
            found.push(format!(
                "{place}:{number}: \"{phrase}\" in \"{}\": write \"{instead}\"",
                text.trim()
            ));
        }
    }
}

/// Returns the lines of a document, each with the one after it: a phrase may be broken over two.
fn sentences(text: &str) -> Vec<(usize, String)> {
    // The fonts of roff would be taken for words.
    let plain = ["\\fB", "\\fI", "\\fR", "\\&"]
        .into_iter()
        .fold(text.to_owned(), |text, font| text.replace(font, ""));
    let lines: Vec<&str> = plain.lines().collect();
    (0..lines.len())
        .map(|at| {
            let next = lines.get(at + 1).unwrap_or(&"");
            (at + 1, format!("{} {next}", lines[at]))
        })
        .collect()
}

/// Returns the string literals of a source with their lines, without those of its unit tests and of
/// `expect`, which only an engineer sees.
fn literals(text: &str) -> Vec<(usize, String)> {
    let end = text.find("#[cfg(test)]\nmod tests {");
    let text = &text[..end.unwrap_or(text.len())];
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['"', '\'', '/']) {
        let (before, here) = rest.split_at(at);
        let length = match here.as_bytes() {
            [b'/', b'/', ..] => here.find('\n').unwrap_or(here.len()),
            // A character: 'x' or '\x'. Anything else is a lifetime.
            [b'\'', b'\\', _, ..] => 3 + here[3..].find('\'').map_or(0, |end| end + 1),
            [b'\'', ..] => match here.char_indices().nth(2) {
                Some((end, '\'')) => end + 1,
                _ => 1,
            },
            [b'"', ..] => {
                let hashes = before.len() - before.trim_end_matches('#').len();
                let is_raw = before.trim_end_matches('#').ends_with('r');
                let inner = if is_raw {
                    here[1..].find(&format!("\"{}", "#".repeat(hashes)))
                } else {
                    closing_quote(&here[1..])
                };
                let inner = inner.expect("the literal ends");
                let call = before.trim_end();
                if !call.ends_with("expect(") && !call.ends_with("expect = ") {
                    let line = text[..text.len() - here.len()].lines().count();
                    let literal = here[1..=inner].replace("\\n", " ").replace("\\t", " ");
                    found.push((line, literal));
                }
                inner + 2
            }
            _ => 1,
        };
        rest = &here[length..];
    }
    found
}

/// Returns where the quote is that ends a literal.
fn closing_quote(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text.bytes().position(|byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    })
}

/// Returns the sources but those of unit tests.
fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.file_stem().is_some_and(|name| name == "tests") {
            continue;
        }
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn literals_are_found_and_judged() {
    let text = "// \"a comment\"\nfn f<'a>() { g('\"', '\\'', \"it is no \\\"way\\\"\"); }\n\
                h(r#\"there is no \"such\" thing\"#).expect(\"nobody\");\n";
    let found = literals(text);
    let texts: Vec<&str> = found.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(
        texts,
        ["it is no \\\"way\\\"", "there is no \"such\" thing"]
    );
    let mut judged = Vec::new();
    for (line, text) in found {
        judge("f.rs", line, &text, &mut judged);
    }
    assert_eq!(
        judged,
        ["f.rs:2: \"is no\" in \"it is no way\": write \"is not a …\""]
    );
}
