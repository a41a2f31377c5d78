//! Message lists: what a command applies to (POSIX mailx, section "Message lists").
//!
//! A list is the union of its words. Numbers and ranges, `.` `^` `$` `*` `+`
//! `-`, `:n` flags, `/text` in the subject, and anything else as a part of the
//! sender's address. The parser knows messages through [`Index`] only.

use std::fmt;

use super::flags::FlagChoice;
use crate::config::words::{self, Backslash};

/// The questions that a list asks of the mailbox; messages count from 0.
pub(crate) trait Index {
    /// How many messages there are.
    fn count(&self) -> usize;
    /// The current message.
    fn current(&self) -> usize;
    /// Whether a message was deleted in this session, so that most commands pass it over.
    fn is_hidden(&self, message: usize) -> bool;
    /// Whether a message has the flags asked for.
    fn has_flags(&self, message: usize, choice: FlagChoice) -> bool;
    /// The sender as header lines show it.
    fn sender(&self, message: usize) -> String;
    /// The subject, decoded.
    fn subject(&self, message: usize) -> String;
    /// Whether senders are compared by their local parts alone (`allnet`).
    fn allnet(&self) -> bool;
}

/// Which messages a command can apply to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Those that are not deleted.
    Present,
    /// Those that are deleted, as `undelete` takes them.
    Deleted,
    /// All of them.
    All,
}

/// Why a message list names no messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ListError {
    /// The list is understood, and no message matches it.
    NoMatch,
    /// `+`, and the current message is the last one.
    AfterLast,
    /// `-`, and the current message is the first one.
    BeforeFirst,
    /// The message with this number, counted from 1, is not one that the command can apply to: it
    /// is deleted, or for `undelete` it is not.
    Hidden(usize),
    /// The mailbox has no message with this number.
    NoSuchMessage(String),
    /// The letters after `:` are missing, or this one has no meaning.
    UnknownFlag(Option<char>),
    /// `/` alone, and nothing was searched for before.
    NoPreviousSearch,
    /// This word is neither a number nor a range.
    NotUnderstood(String),
    /// A quote is not closed.
    OpenQuote,
}

impl fmt::Display for ListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ListError::NoMatch => f.write_str("No applicable messages"),
            ListError::AfterLast => f.write_str("Referencing beyond EOF"),
            ListError::BeforeFirst => f.write_str("Referencing before 1"),
            ListError::Hidden(number) => write!(f, "{number}: Inappropriate message"),
            ListError::NoSuchMessage(number) => write!(f, "{number}: Invalid message number"),
            ListError::UnknownFlag(letter) => {
                let letter = letter.map(String::from).unwrap_or_default();
                write!(f, "Unknown message type: \":{letter}\"")
            }
            ListError::NoPreviousSearch => f.write_str("No previous search"),
            ListError::NotUnderstood(word) => write!(f, "\"{word}\": Bad message list"),
            ListError::OpenQuote => f.write_str("Missing closing quote in the message list"),
        }
    }
}

impl std::error::Error for ListError {}

impl ListError {
    /// Returns whether the list is understood and only names nothing that is there now.
    pub(crate) fn is_nothing(&self) -> bool {
        match self {
            ListError::NoMatch | ListError::Hidden(_) => true,
            ListError::AfterLast
            | ListError::BeforeFirst
            | ListError::NoSuchMessage(_)
            | ListError::UnknownFlag(_)
            | ListError::NoPreviousSearch
            | ListError::NotUnderstood(_)
            | ListError::OpenQuote => false,
        }
    }
}

/// The messages that a command can apply to.
struct View<'i> {
    index: &'i dyn Index,
    sight: Sight,
}

impl View<'_> {
    fn is_hidden(&self, message: usize) -> bool {
        match self.sight {
            Sight::Present => self.index.is_hidden(message),
            // A message that another program has marked as deleted can be undeleted too.
            Sight::Deleted => !self.index.has_flags(message, FlagChoice::Deleted),
            Sight::All => false,
        }
    }
}

/// Returns the messages that a list names, in order, each once.
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
    let words = words::split(text, Backslash::Literal).map_err(|_| ListError::OpenQuote)?;
    // An empty list is no error, because each command has a default of its own.
    if words.is_empty() {
        return Ok(Vec::new());
    }
    if index.count() == 0 {
        return Err(ListError::NoMatch);
    }
    let view = View { index, sight };
    // POSIX: the words are a union, and the answer is in the order of the mailbox, whatever the
    // order of the words. A row of marks gives both, and names no message twice.
    let mut chosen = vec![false; index.count()];
    for word in &words {
        choose(&word.text, &view, search, &mut chosen)?;
    }
    let found: Vec<usize> = (0..chosen.len()).filter(|&at| chosen[at]).collect();
    if found.is_empty() {
        return Err(ListError::NoMatch);
    }
    Ok(found)
}

fn choose(
    word: &str,
    view: &View<'_>,
    search: &mut String,
    chosen: &mut [bool],
) -> Result<(), ListError> {
    // The order of these tests decides what a word is. `/` and `:` cannot begin an address, numbers
    // are never taken for senders, and only what is left is a sender.
    if let Some(text) = word.strip_prefix('/') {
        // A lone `/` repeats the last search, as in bsd-mailx and s-nail.
        if !text.is_empty() {
            *search = text.to_lowercase();
        }
        if search.is_empty() {
            return Err(ListError::NoPreviousSearch);
        }
        mark(view, chosen, |message| {
            view.index
                .subject(message)
                .to_lowercase()
                .contains(&**search)
        });
        return Ok(());
    }
    if let Some(letters) = word.strip_prefix(':') {
        return choose_by_flags(letters, view, chosen);
    }
    if word == "*" {
        mark(view, chosen, |_| true);
        return Ok(());
    }
    if is_numeric(word) {
        for range in word.split(',').filter(|range| !range.is_empty()) {
            choose_range(range, view, chosen)?;
        }
        return Ok(());
    }
    // A part of the sender is enough, so that `d cron` works. The sender is the one that the header
    // line shows.
    let wanted = word.to_lowercase();
    mark(view, chosen, |message| {
        sender_matches(&view.index.sender(message).to_lowercase(), &wanted, view)
    });
    Ok(())
}

fn sender_matches(sender: &str, wanted: &str, view: &View<'_>) -> bool {
    if !view.index.allnet() {
        return sender.contains(wanted);
    }
    fn local(address: &str) -> &str {
        address.rsplit_once('@').map_or(address, |(local, _)| local)
    }
    local(sender) == local(wanted)
}

fn choose_by_flags(letters: &str, view: &View<'_>, chosen: &mut [bool]) -> Result<(), ListError> {
    if letters.is_empty() {
        return Err(ListError::UnknownFlag(None));
    }
    for letter in letters.chars() {
        let Some(choice) = FlagChoice::from_letter(letter) else {
            return Err(ListError::UnknownFlag(Some(letter)));
        };
        for (message, chosen) in chosen.iter_mut().enumerate() {
            // `:d` asks for deleted messages, so it sees what every other word passes over.
            let visible = choice == FlagChoice::Deleted || !view.is_hidden(message);
            *chosen |= visible && view.index.has_flags(message, choice);
        }
    }
    Ok(())
}

fn mark(view: &View<'_>, chosen: &mut [bool], matches: impl Fn(usize) -> bool) {
    for (message, chosen) in chosen.iter_mut().enumerate() {
        *chosen |= !view.is_hidden(message) && matches(message);
    }
}

/// Returns whether a word is made of numbers and their signs, so that it cannot be an address.
fn is_numeric(word: &str) -> bool {
    word.chars()
        .all(|c| c.is_ascii_digit() || ".^$+-,".contains(c))
}

fn choose_range(range: &str, view: &View<'_>, chosen: &mut [bool]) -> Result<(), ListError> {
    // The search for the dash begins behind the first character, because a `-` in front is the
    // previous message and not a range.
    let inner = range
        .char_indices()
        .skip(1)
        .find(|&(_, c)| c == '-')
        .map(|(at, _)| at);
    let Some(dash) = inner else {
        let message = end(range, view)?;
        // A deleted message that is named alone is an error. Within a range it is passed over.
        if view.is_hidden(message) {
            return Err(ListError::Hidden(message + 1));
        }
        chosen[message] = true;
        return Ok(());
    };
    let first = end(&range[..dash], view)?;
    let last = end(&range[dash + 1..], view)?;
    // `5-2` is taken as `2-5`.
    let (first, last) = (first.min(last), first.max(last));
    for (message, chosen) in (first..).zip(&mut chosen[first..=last]) {
        *chosen |= !view.is_hidden(message);
    }
    Ok(())
}

/// Returns the message that one end of a range names.
fn end(text: &str, view: &View<'_>) -> Result<usize, ListError> {
    // `messages` has returned already where the mailbox is empty, so that this cannot underflow.
    let last = view.index.count() - 1;
    let visible = |&message: &usize| !view.is_hidden(message);
    let beyond = || ListError::NoSuchMessage(text.to_owned());
    match text {
        "." => Ok(view.index.current().min(last)),
        "$" => Ok(last),
        "^" => (0..=last).find(visible).ok_or(ListError::NoMatch),
        "+" => (view.index.current() + 1..=last)
            .find(visible)
            .ok_or(ListError::AfterLast),
        "-" => (0..view.index.current())
            .rev()
            .find(visible)
            .ok_or(ListError::BeforeFirst),
        _ => match text.parse::<usize>() {
            Ok(number) if (1..=view.index.count()).contains(&number) => Ok(number - 1),
            Ok(_) => Err(beyond()),
            Err(_) if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => Err(beyond()),
            Err(_) => Err(ListError::NotUnderstood(text.to_owned())),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        fn sender(&self, message: usize) -> String {
            SENDERS[message].to_owned()
        }
        fn subject(&self, message: usize) -> String {
            format!("Größe of disk {}", message + 1)
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
}
