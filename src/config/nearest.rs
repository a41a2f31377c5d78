//! "Did you mean …": the name that a mistyped word is nearest to.

use crate::config::problem::Origin;
use crate::config::variables::ROWS;

/// How long a word may be: no name is longer, and the work grows with its length.
const LONGEST: usize = 40;

/// Returns the name that is a letter or two away from a word, if there is one.
///
/// Two letters that changed places count as one. A short word is near to any other short one, so that
/// it may differ by one letter only, and one of two letters by none.
pub(crate) fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = match word.chars().count() {
        0..=2 => return None,
        3..=4 => 1,
        5..=LONGEST => 2,
        _ => return None,
    };
    let distances = names
        .into_iter()
        .map(|name| (strsim::osa_distance(word, name), name));
    let (distance, name) = distances.min()?;
    (1..=allowed).contains(&distance).then_some(name)
}

/// Tells of a variable that nothing here asks for.
pub(crate) fn unknown_variable(name: &str, origin: &Origin) -> String {
    let names = ROWS.iter().map(|row| row.name);
    let near =
        nearest(name, names).map_or_else(String::new, |near| format!("; did you mean {near}?"));
    origin.says(&format!(
        "the variable {name} is unknown and has no effect{near}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_near_and_another_word_is_not() {
        let names = ["delete", "undelete", "size", "set", "headers"];
        for (word, expected) in [
            ("delte", Some("delete")),
            ("deelte", Some("delete")),
            ("undelet", Some("undelete")),
            ("siez", Some("size")),
            ("sit", Some("set")),
            ("delete", None),
            ("se", None),
            ("", None),
            ("folder", None),
            ("file", None),
        ] {
            assert_eq!(nearest(word, names), expected, "{word}");
        }
        assert_eq!(nearest(&"x".repeat(1_000_000), names), None);
    }
}
