//! Message lists: what a command applies to (POSIX mailx, section "Message lists").
//!
//! A list is the union of its words. Numbers and ranges, `.` `^` `$` `*` `+`
//! `-`, `:n` flags, `/text` in the subject, and anything else as a part of the
//! sender's address. The parser knows messages through [`Index`] only.

use super::complaint::{Complaint, Fault};
use crate::ui::choice::FlagChoice;

/// What a list needs to know of the mailbox; messages count from 0.
pub trait Index {
    /// How many messages there are.
    fn count(&self) -> usize;
    /// The current message.
    fn current(&self) -> usize;
    /// Whether a message is out of sight: deleted, or for `undelete` not deleted.
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

/// Returns the messages that a list names, in order, each once.
///
/// An empty list is an empty answer; the command knows its default. `search` is
/// the last `/text`, which an empty `/` stands for.
///
/// # Errors
/// The line to tell the user.
pub fn messages(
    text: &str,
    index: &dyn Index,
    search: &mut String,
) -> Result<Vec<usize>, Complaint> {
    let words = words(text)?;
    if words.is_empty() {
        return Ok(Vec::new());
    }
    if index.count() == 0 {
        return Err(Complaint::no_messages());
    }
    let mut chosen = vec![false; index.count()];
    for word in &words {
        choose(word, index, search, &mut chosen)?;
    }
    let found: Vec<usize> = (0..chosen.len()).filter(|&at| chosen[at]).collect();
    if found.is_empty() {
        return Err(Complaint::no_messages());
    }
    Ok(found)
}

/// Splits a list at blanks; quotes keep them (`/'two words'`, `"/two words"`).
fn words(text: &str) -> Result<Vec<String>, Complaint> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in text.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => word.get_or_insert_default().push(c),
            None if c == '"' || c == '\'' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => words.extend(word.take()),
            None => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        let what = "Missing closing quote in the message list";
        return Err(Complaint::wrong(what));
    }
    words.extend(word);
    Ok(words)
}

fn choose(
    word: &str,
    index: &dyn Index,
    search: &mut String,
    chosen: &mut [bool],
) -> Result<(), Complaint> {
    if let Some(text) = word.strip_prefix('/') {
        if !text.is_empty() {
            *search = text.to_lowercase();
        }
        if search.is_empty() {
            return Err(Complaint::wrong("No previous search"));
        }
        mark(index, chosen, |message| {
            index.subject(message).to_lowercase().contains(&**search)
        });
        return Ok(());
    }
    if let Some(letters) = word.strip_prefix(':') {
        return choose_by_flags(letters, index, chosen);
    }
    if word == "*" {
        mark(index, chosen, |_| true);
        return Ok(());
    }
    if is_numeric(word) {
        for range in word.split(',').filter(|range| !range.is_empty()) {
            choose_range(range, index, chosen)?;
        }
        return Ok(());
    }
    let wanted = word.to_lowercase();
    mark(index, chosen, |message| {
        sender_matches(&index.sender(message).to_lowercase(), &wanted, index)
    });
    Ok(())
}

fn sender_matches(sender: &str, wanted: &str, index: &dyn Index) -> bool {
    if !index.allnet() {
        return sender.contains(wanted);
    }
    fn local(address: &str) -> &str {
        address.rsplit_once('@').map_or(address, |(local, _)| local)
    }
    local(sender) == local(wanted)
}

fn choose_by_flags(letters: &str, index: &dyn Index, chosen: &mut [bool]) -> Result<(), Complaint> {
    let unknown = |letter: &str| Complaint::wrong(format!("Unknown message type: \":{letter}\""));
    if letters.is_empty() {
        return Err(unknown(""));
    }
    for letter in letters.chars() {
        let Some(choice) = FlagChoice::from_letter(letter) else {
            return Err(unknown(&letter.to_string()));
        };
        for (message, chosen) in chosen.iter_mut().enumerate() {
            let visible = choice == FlagChoice::Deleted || !index.is_hidden(message);
            *chosen |= visible && index.has_flags(message, choice);
        }
    }
    Ok(())
}

fn mark(index: &dyn Index, chosen: &mut [bool], matches: impl Fn(usize) -> bool) {
    for (message, chosen) in chosen.iter_mut().enumerate() {
        *chosen |= !index.is_hidden(message) && matches(message);
    }
}

/// Returns whether a word is made of numbers and their signs, so that it cannot be an address.
fn is_numeric(word: &str) -> bool {
    word.chars()
        .all(|c| c.is_ascii_digit() || ".^$+-,".contains(c))
}

fn choose_range(range: &str, index: &dyn Index, chosen: &mut [bool]) -> Result<(), Complaint> {
    let inner = range
        .char_indices()
        .skip(1)
        .find(|&(_, c)| c == '-')
        .map(|(at, _)| at);
    let Some(dash) = inner else {
        let message = end(range, index)?;
        if index.is_hidden(message) {
            // It is there, and a command before has deleted it.
            let what = format!("{}: Inappropriate message", message + 1);
            return Err(Complaint::new(what, Fault::Done));
        }
        chosen[message] = true;
        return Ok(());
    };
    let first = end(&range[..dash], index)?;
    let last = end(&range[dash + 1..], index)?;
    let (first, last) = (first.min(last), first.max(last));
    for (message, chosen) in (first..).zip(&mut chosen[first..=last]) {
        *chosen |= !index.is_hidden(message);
    }
    Ok(())
}

/// Returns the message that one end of a range names.
fn end(text: &str, index: &dyn Index) -> Result<usize, Complaint> {
    let last = index.count() - 1;
    let visible = |&message: &usize| !index.is_hidden(message);
    let beyond = || {
        let what = format!("{text}: Invalid message number");
        Complaint::new(what, Fault::NoSuchMessage)
    };
    match text {
        "." => Ok(index.current().min(last)),
        "$" => Ok(last),
        "^" => (0..=last).find(visible).ok_or_else(Complaint::no_messages),
        "+" => (index.current() + 1..=last)
            .find(visible)
            .ok_or_else(|| Complaint::nothing("Referencing beyond EOF")),
        "-" => (0..index.current())
            .rev()
            .find(visible)
            .ok_or_else(|| Complaint::nothing("Referencing before 1")),
        _ => match text.parse::<usize>() {
            Ok(number) if (1..=index.count()).contains(&number) => Ok(number - 1),
            Ok(_) => Err(beyond()),
            Err(_) if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => Err(beyond()),
            Err(_) => Err(Complaint::wrong(format!("\"{text}\": Bad message list"))),
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

    fn chosen(list: &str) -> Result<Vec<usize>, Complaint> {
        let mut search = "disk 5".to_owned();
        messages(list, &Seven, &mut search)
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
                assert_eq!(chosen(list), Err(Complaint::no_messages()), "{list}");
            } else {
                assert_eq!(chosen(list).as_deref(), Ok(*expected), "{list}");
            }
        }
    }

    #[test]
    fn bad_lists_say_why() {
        let cases = [
            ("9", "9: Invalid message number", Fault::NoSuchMessage),
            ("0", "0: Invalid message number", Fault::NoSuchMessage),
            ("1-9", "9: Invalid message number", Fault::NoSuchMessage),
            (
                "99999999999999999999999",
                "99999999999999999999999: Invalid message number",
                Fault::NoSuchMessage,
            ),
            ("4", "4: Inappropriate message", Fault::Done),
            ("nobody", "No applicable messages", Fault::Nothing),
            (":f", "No applicable messages", Fault::Nothing),
            (":x", "Unknown message type: \":x\"", Fault::Wrong),
            ("3-", "\"\": Bad message list", Fault::Wrong),
            (
                "'open",
                "Missing closing quote in the message list",
                Fault::Wrong,
            ),
        ];
        for (list, line, fault) in cases {
            assert_eq!(chosen(list), Err(Complaint::new(line, fault)), "{list}");
        }
    }
}
