//! Message lists as other programs write them, and what to write here.

use super::ListError;

/// What states are called in the searches of s-nail, and here.
const STATES: [(&str, &str); 8] = [
    ("answered", ":a"),
    ("deleted", ":d"),
    ("draft", ":t"),
    ("flagged", ":f"),
    ("new", ":n"),
    ("old", ":o"),
    ("seen", ":r"),
    ("unseen", ":u"),
];

/// The criteria of those searches that have the same name here.
const FIELDS: [&str; 9] = [
    "from", "to", "cc", "subject", "body", "text", "before", "on", "since",
];

/// What to write for a search that has no short form here.
const LIKE: &str =
    "write such as from:alice, subject:disk, since:2026-01-31 or :u; search has and, or and not";

/// Returns the error for a list that names nothing because it is written as another program has it.
///
/// In a search of ours parentheses are nothing foreign: only words in them that are not as here are
/// told.
pub(super) fn of_others(text: &str, is_search: bool) -> Option<ListError> {
    let text = text.trim();
    let instead = match text.strip_prefix('(') {
        Some(rest) => criteria(rest.strip_suffix(')').unwrap_or(rest))
            .or_else(|| (!is_search).then(|| LIKE.to_owned()))?,
        None => part(text)?,
    };
    let typed: String = text.chars().take(60).collect();
    Some(ListError::OfOthers(typed, instead))
}

/// Returns what to write for `(from alice)`, an IMAP search of s-nail.
fn criteria(inner: &str) -> Option<String> {
    let (word, value) = inner.trim().split_once(' ').unwrap_or((inner.trim(), ""));
    let word = word.to_ascii_lowercase();
    let value = value.trim();
    if value.is_empty() {
        let state = STATES.iter().find(|(name, _)| *name == word);
        return state.map(|(_, ours)| format!("write {ours}"));
    }
    let is_date = ["before", "on", "since"].contains(&word.as_str());
    // Dates of IMAP are others than ours: `1-Jan-2026`.
    let is_foreign_date = is_date && value.contains(char::is_alphabetic);
    if !FIELDS.contains(&word.as_str()) || value.contains(['(', ')']) || is_foreign_date {
        return None;
    }
    let value: String = value.chars().take(60).collect();
    Some(format!("write {word}:{value}"))
}

/// Returns what to write for `3[2]`, a part in GNU mail.
fn part(text: &str) -> Option<String> {
    let (message, rest) = text.split_once('[')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let numbers: Vec<&str> = rest.strip_suffix(']')?.split("][").collect();
    (is_number(message) && numbers.iter().all(|number| is_number(number)))
        .then(|| format!("write {message}.{} for a part", numbers.join(".")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_other_programs_have_an_answer() {
        let rows = [
            ("(from alice)", Some("write from:alice")),
            ("(SUBJECT \"a b\")", Some("write subject:\"a b\"")),
            (" (since 2026-01-31) ", Some("write since:2026-01-31")),
            ("(unseen)", Some("write :u")),
            ("(since 1-Jan-2026)", Some("write such as")),
            ("(or (from a) (from b))", Some("write such as")),
            ("(", Some("write such as")),
            ("1[1]", Some("write 1.1 for a part")),
            ("3[2][4]", Some("write 3.2.4 for a part")),
            ("a[1]", None),
            ("1[]", None),
            ("alice", None),
            ("", None),
        ];
        for (text, expected) in rows {
            let found = of_others(text, false).map(|error| error.to_string());
            match (&found, expected) {
                (Some(found), Some(expected)) => assert!(found.contains(expected), "{found}"),
                _ => assert_eq!(found.is_some(), expected.is_some(), "{text}"),
            }
        }
        assert!(of_others("(from:a or :u)", true).is_none());
        assert!(of_others("(from a)", true).is_some());
    }
}
