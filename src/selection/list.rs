//! Message lists: what a command applies to (POSIX mailx, section "Message lists"), and searches.
//!
//! The grammar is in `parse`; what is asked of messages is in `term`. Messages are known through
//! [`Index`] only.

use super::error::ListError;
use super::foreign;
use super::index::{Index, Sight, View};
use super::parse;

/// Returns the messages that a list names, in the order in which they are shown, each once.
///
/// An empty list is an empty answer; the command knows its default. `search` is
/// the last `/text`, which an empty `/` stands for.
///
/// # Errors
/// Says why the list names none; see [`ListError`].
pub(crate) fn messages(
    text: &str,
    index: &dyn Index,
    sight: Sight,
    search: &mut String,
) -> Result<Vec<usize>, ListError> {
    chosen(text, index, sight, search, Grammar::List)
}

/// Returns the messages that a search finds; it is a list that may have `and`, `or`, `not` and parentheses.
///
/// # Errors
/// As [`messages`].
pub(crate) fn found(
    text: &str,
    index: &dyn Index,
    sight: Sight,
    search: &mut String,
) -> Result<Vec<usize>, ListError> {
    chosen(text, index, sight, search, Grammar::Search)
}

/// Which grammar a text has.
#[derive(Clone, Copy)]
enum Grammar {
    List,
    Search,
}

fn chosen(
    text: &str,
    index: &dyn Index,
    sight: Sight,
    search: &mut String,
    grammar: Grammar,
) -> Result<Vec<usize>, ListError> {
    // An empty list is no error, because each command has a default of its own.
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    if index.count() == 0 {
        return Err(ListError::NoMatch);
    }
    let view = View { index, sight };
    let expression = match grammar {
        Grammar::List => parse::list(text, view, search)?,
        Grammar::Search => parse::search(text, view, search)?,
    };
    let found = match expression {
        Some(expression) => expression.select(view)?,
        None => return Ok(Vec::new()),
    };
    if found.is_empty() {
        let foreign = foreign::of_others(text, matches!(grammar, Grammar::Search));
        return Err(foreign.unwrap_or(ListError::NoMatch));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::selection::flags::FlagChoice;

    /// Seven messages, the fourth deleted, the second and third new; the third is current.
    struct Seven;

    const SENDERS: [&str; 7] = [
        "alice@example.org",
        "bob@example.org",
        "Alice@example.net",
        "carol@example.org",
        "root",
        "bob@example.com",
        "dave@example.org",
    ];

    impl Index for Seven {
        fn count(&self) -> usize {
            7
        }
        fn current(&self) -> usize {
            2
        }
        fn is_hidden(&self, message: usize) -> bool {
            message == 3
        }
        fn has_flags(&self, message: usize, choice: FlagChoice) -> bool {
            match choice {
                FlagChoice::New => [1, 2].contains(&message),
                FlagChoice::Deleted => message == 3,
                FlagChoice::Read => message == 0,
                _ => false,
            }
        }
        fn block(&self, message: usize) -> Vec<u8> {
            let from = SENDERS[message];
            let number = message + 1;
            format!(
                "From {from} Mon Nov {number:2} 09:00:00 2026\nFrom: N{number} <{from}>\nTo: list@example.org\n\
                 Cc: c{number}@example.org\nSubject: Größe of disk {number}\nX-Host: web{number}\n\n"
            )
            .into_bytes()
        }
        fn content(&self, message: usize) -> Vec<u8> {
            let mut content = self.block(message);
            content.extend(format!("body {}\nof it\n", message + 1).bytes());
            content
        }
        fn size(&self, message: usize) -> u64 {
            1000 * (message as u64 + 1)
        }
        fn sender(&self, block: &[u8]) -> String {
            let line = String::from_utf8_lossy(block).into_owned();
            line.split(' ').nth(1).unwrap_or_default().to_owned()
        }
        fn allnet(&self) -> bool {
            false
        }
    }

    fn chosen(list: &str, sight: Sight) -> Result<Vec<usize>, ListError> {
        let mut search = "disk 5".to_owned();
        messages(list, &Seven, sight, &mut search)
            .map(|found| found.into_iter().map(|message| message + 1).collect())
    }

    #[test]
    fn lists_choose() {
        let cases: &[(&str, &[usize])] = &[
            ("", &[]),
            ("2", &[2]),
            ("2-5", &[2, 3, 5]),
            ("5-2", &[2, 3, 5]),
            ("$ 1 1", &[1, 7]),
            ("1,5-6", &[1, 5, 6]),
            (".", &[3]),
            ("^", &[1]),
            ("+", &[5]),
            ("-", &[2]),
            ("^-.", &[1, 2, 3]),
            (".-$", &[3, 5, 6, 7]),
            ("--$", &[2, 3, 5, 6, 7]),
            ("*", &[1, 2, 3, 5, 6, 7]),
            ("alice", &[1, 3]),
            ("BOB@ root", &[2, 5, 6]),
            ("/GRÖSSE", &[]),
            ("/GRÖß", &[1, 2, 3, 5, 6, 7]),
            ("/disk\t", &[1, 2, 3, 5, 6, 7]),
            ("'/of disk 6'", &[6]),
            ("/", &[5]),
            (":n", &[2, 3]),
            (":nr", &[1, 2, 3]),
            (":d", &[4]),
        ];
        for (list, expected) in cases {
            if expected.is_empty() && !list.is_empty() {
                assert_eq!(
                    chosen(list, Sight::Present),
                    Err(ListError::NoMatch),
                    "{list}"
                );
            } else {
                assert_eq!(
                    chosen(list, Sight::Present).as_deref(),
                    Ok(*expected),
                    "{list}"
                );
            }
        }
    }

    #[test]
    fn the_sight_decides_what_a_list_can_name() {
        let rows = [
            ("3-5", Sight::Present, Ok(vec![3, 5])),
            ("3-5", Sight::Deleted, Ok(vec![4])),
            ("3-5", Sight::All, Ok(vec![3, 4, 5])),
            ("4", Sight::Present, Err(ListError::Hidden(4))),
            ("3", Sight::Deleted, Err(ListError::Hidden(3))),
            ("carol", Sight::Present, Err(ListError::NoMatch)),
        ];
        for (list, sight, expected) in rows {
            assert_eq!(chosen(list, sight), expected, "{list} {sight:?}");
        }
    }

    #[test]
    fn bad_lists_say_why() {
        let beyond = |number: &str| ListError::NoSuchMessage(number.to_owned());
        let large = "99999999999999999999999";
        let rows = [
            ("9", beyond("9"), "9: Invalid message number"),
            ("0", beyond("0"), "0: Invalid message number"),
            ("1-9", beyond("9"), "9: Invalid message number"),
            (
                large,
                beyond(large),
                "99999999999999999999999: Invalid message number",
            ),
            ("4", ListError::Hidden(4), "4: Inappropriate message"),
            ("nobody", ListError::NoMatch, "No applicable messages"),
            (":f", ListError::NoMatch, "No applicable messages"),
            (
                ":x",
                ListError::UnknownFlag(Some('x')),
                "Unknown message type: \":x\"",
            ),
            (
                ":",
                ListError::UnknownFlag(None),
                "Unknown message type: \":\"",
            ),
            (
                "3-",
                ListError::NotUnderstood(String::new()),
                "\"\": Bad message list",
            ),
            (
                "'open",
                ListError::OpenQuote,
                "Missing closing quote in the message list",
            ),
        ];
        for (list, error, line) in rows {
            assert_eq!(error.to_string(), line);
            assert_eq!(chosen(list, Sight::Present), Err(error), "{list}");
        }
    }

    proptest! {
        /// Any text is a list and a search, or an error; what is found is sorted and there.
        #[test]
        fn any_text_is_understood_or_refused(text in "[-0-9.^$*+,;:/@&!()|`'\"a-z ]{0,30}") {
            for grammar in [Grammar::List, Grammar::Search] {
                let found = super::chosen(&text, &Seven, Sight::Present, &mut String::new(), grammar);
                let found = found.unwrap_or_default();
                prop_assert!(found.windows(2).all(|pair| pair[0] < pair[1]), "{text}");
                prop_assert!(found.iter().all(|&message| message < 7), "{text}");
            }
        }

        /// Words side by side are a union; `and`, `or` and `not` are what they say.
        #[test]
        fn operators_are_those_of_sets(one in 0..9_usize, other in 0..9_usize) {
            const WORDS: [&str; 9] = [
                "alice", "/disk", ":n", ":r", "2-5", "7", "body:body", "from:bob", "larger:4000",
            ];
            let of = |text: &str| super::found(text, &Seven, Sight::Present, &mut String::new()).unwrap_or_default();
            let (one, other) = (WORDS[one], WORDS[other]);
            let (left, right) = (of(one), of(other));
            let all: Vec<usize> = of("*");
            let set = |keep: &dyn Fn(&usize) -> bool| all.iter().copied().filter(keep).collect::<Vec<_>>();
            prop_assert_eq!(of(&format!("{one} and {other}")), set(&|m| left.contains(m) && right.contains(m)));
            prop_assert_eq!(of(&format!("{one} or {other}")), set(&|m| left.contains(m) || right.contains(m)));
            prop_assert_eq!(of(&format!("not ({one} or {other})")), set(&|m| !left.contains(m) && !right.contains(m)));
            let is_filter = |word: &str| word.contains(':') && !word.starts_with(':');
            let both = set(&|m| if is_filter(one) || is_filter(other) { left.contains(m) && right.contains(m) } else { left.contains(m) || right.contains(m) });
            prop_assert_eq!(of(&format!("{one} {other}")), both);
        }
    }
}
