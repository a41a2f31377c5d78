//! `alias` and `group`: a name and the recipients that it stands for.

use std::io;

use super::Interpreter;
use crate::config::problem::{Origin, Problem, Weight};
use crate::sys::user;

/// How the words of a line are joined to recipients.
#[derive(Debug, Default)]
struct Joined {
    members: Vec<String>,
    /// Members that may be recipients of their own or the name of the next one: the line is told.
    unclear: Option<String>,
}

/// Joins words to recipients: `Bob Smith <b@x.org>` is one person, and so is `b@x.org (Bob Smith)`.
///
/// Every mailx takes each word for a recipient. Where one of the words is a known name, which would
/// lose its mail, it stays one. `is_known` says whether it is.
fn join(
    words: impl Iterator<Item = String>,
    is_known: impl Fn(&str) -> io::Result<bool>,
) -> io::Result<Joined> {
    let mut joined = Joined::default();
    // Where the words begin that may be a name.
    let mut from = 0;
    let mut is_comment = false;
    for word in words {
        let members = &mut joined.members;
        if is_comment || (word.starts_with('(') && !members.is_empty()) {
            is_comment = !word.ends_with(')') && !word.ends_with("),");
            if let Some(last) = members.last_mut() {
                *last = format!("{last} {word}");
            }
            from = members.len();
            continue;
        }
        let is_address = word.starts_with('<') && word.trim_end_matches(',').ends_with('>');
        let name = members.get(from..).unwrap_or_default();
        if is_address && !name.is_empty() {
            let mut known = false;
            for part in name {
                known |= is_known(part)?;
            }
            let whole = format!("{} {word}", name.join(" "));
            if known {
                joined.unclear = Some(whole);
                members.push(word);
            } else {
                members.truncate(from);
                members.push(whole);
            }
            from = members.len();
            continue;
        }
        let ends = word.contains(['@', '<']) || word.ends_with([',', ';']);
        members.push(word);
        if ends {
            from = members.len();
        }
    }
    Ok(joined)
}

/// Returns the recipients of a word: `a,b` and `a,` are lists, whose names may be aliases again.
fn listed(member: &str) -> impl Iterator<Item = &str> {
    // In an address with a name or in quotes, and in a group, a comma is no end.
    let is_list = !member.contains(['<', '(', '"', ':']);
    let parts = member.split(move |c| is_list && matches!(c, ',' | ';'));
    let parts = parts.map(|part| part.trim_end_matches([',', ';']).trim());
    parts.filter(|part| !part.is_empty())
}

impl Interpreter<'_> {
    /// Adds recipients to an alias; there are `count` words.
    pub(super) fn alias(
        &mut self,
        mut words: impl Iterator<Item = String>,
        count: usize,
        origin: &Origin,
    ) {
        let Some(name) = words
            .next()
            .filter(|_| self.settings.has_room(count, origin))
        else {
            return;
        };
        // /etc/aliases has a colon behind the name; no mailx has one in it.
        let name = self.decoded(name);
        let name = name.trim_end_matches(':');
        if count == 1 {
            // A name alone is a question in other programs, and makes no alias without members: its
            // mail would go to nobody. But `alias NAME=MEMBER` is meant to make one.
            if name.contains('=') {
                let what = "alias needs a name and its recipients, with blanks between them";
                self.weighed(origin, what, true);
            }
            return;
        }
        let aliases = &self.settings.aliases;
        let is_known =
            |word: &str| Ok(aliases.contains_key(word) || user::by_name(word)?.is_some());
        let words = words.map(|word| self.decoded(word));
        let joined = match join(words, is_known) {
            Ok(joined) => joined,
            Err(error) => {
                let what = format!("cannot read the user database: {error}");
                let problem = Problem::of_line(origin, what, Weight::Unread);
                return self.settings.add_problem(problem);
            }
        };
        if let Some(whole) = joined.unclear {
            let what = format!(
                "each word of \"{whole}\" is a recipient; a name with an address needs quotes"
            );
            self.problem(origin, what);
        }
        // POSIX: a second line for the same name adds to the group.
        let alias = self.settings.aliases.entry(name.to_owned()).or_default();
        for member in joined.members.iter().flat_map(|member| listed(member)) {
            alias.push(member);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_with_commas_is_a_list_of_recipients() {
        for (word, expected) in [
            ("a", &["a"][..]),
            ("a,", &["a"]),
            ("a,b;c@x", &["a", "b", "c@x"]),
            ("Bob <b@x>,", &["Bob <b@x>"]),
            ("Doe, John <j@x>", &["Doe, John <j@x>"]),
            ("\"a,b\"@x,", &["\"a,b\"@x"]),
            (",", &[]),
        ] {
            assert_eq!(listed(word).collect::<Vec<_>>(), expected, "{word}");
        }
    }

    #[test]
    fn a_name_and_its_address_are_one_recipient() {
        for (line, expected, is_clear) in [
            ("a b", &["a", "b"][..], true),
            ("Bob Smith <b@x>", &["Bob Smith <b@x>"], true),
            ("a@x Bob <b@x> c", &["a@x", "Bob <b@x>", "c"], true),
            (
                "a, Bob <b@x>, Carol C. <c@x>",
                &["a,", "Bob <b@x>,", "Carol C. <c@x>"],
                true,
            ),
            ("<b@x> Bob", &["<b@x>", "Bob"], true),
            ("root Bob <b@x>", &["root", "Bob", "<b@x>"], false),
            ("b@x (Bob Smith) c@x", &["b@x (Bob Smith)", "c@x"], true),
            ("b@x (Bob) d", &["b@x (Bob)", "d"], true),
            ("(x) b", &["(x)", "b"], true),
        ] {
            let words = line.split(' ').map(str::to_owned);
            let joined = join(words, |word| Ok(word == "root")).unwrap();
            assert_eq!(joined.members, expected, "{line}");
            assert_eq!(joined.unclear.is_none(), is_clear, "{line}");
        }
    }
}
