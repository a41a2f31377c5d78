//! What a tab completes at the prompt: commands, and by the command files and folders, variables,
//! aliases and addresses.
//!
//! What comes from mail or from names of files is offered only where it can be typed and is safe to
//! show: a name with an escape sequence in it is left out.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use rustyline::completion::Completer;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use rustyline::{Context, Helper};

use super::command_line;
use crate::config::commands::{Arguments, at_prompt, find_at_prompt};
use crate::config::variables::ROWS;
use crate::sanitize;

/// The most candidates that are offered: more are no help.
const MOST: usize = 1000;

/// The most names of a directory that are looked at.
const MOST_FILES: usize = 20_000;

/// Words that `help` explains besides commands.
const TOPICS: [&str; 4] = ["commands", "escapes", "lists", "variables"];

/// What messages are sorted by.
const ORDERS: [&str; 7] = ["date", "from", "size", "status", "subject", "thread", "to"];

/// Header fields that people hide or show.
const FIELDS: [&str; 12] = [
    "bcc",
    "cc",
    "date",
    "delivered-to",
    "from",
    "list-id",
    "message-id",
    "received",
    "reply-to",
    "return-path",
    "subject",
    "to",
];

/// The names that only a session knows.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// Aliases for recipients.
    pub(super) aliases: Vec<String>,
    /// Addresses of people who have written.
    pub(super) addresses: Vec<String>,
    /// Other names for commands.
    pub(super) command_aliases: Vec<String>,
    /// The directory of `+name`.
    pub(super) folder: Option<PathBuf>,
    /// The home directory.
    pub(super) home: Option<PathBuf>,
}

/// The helper of the line editor.
#[derive(Default)]
pub(super) struct Completion {
    pub(super) names: Names,
    /// Whether commands are typed, and not the text of a message.
    pub(super) is_command: bool,
}

impl Completer for Completion {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(match line.get(..position).filter(|_| self.is_command) {
            Some(typed) => complete(typed, &self.names),
            None => (position, Vec::new()),
        })
    }
}

impl Hinter for Completion {
    type Hint = String;
}
impl Highlighter for Completion {
    /// Returns the typed line as it is shown: ^V and a paste put any character into it.
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        sanitize::text(line.as_bytes())
    }

    /// Returns the prompt as it is shown; that of a search in the history holds what is typed.
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        sanitize::text(prompt.as_bytes())
    }

    /// Returns whether the line is to be drawn anew rather than the typed character alone.
    fn highlight_char(&self, line: &str, _: usize, _: CmdKind) -> bool {
        line.contains(sanitize::is_forbidden)
    }
}
impl Validator for Completion {}
impl Helper for Completion {}

/// Returns where the word begins that is being typed, and what it may become.
fn complete(typed: &str, names: &Names) -> (usize, Vec<String>) {
    let (command, arguments) = command_line::split(typed);
    let is_first = arguments.is_empty() && !typed.ends_with([' ', '\t']);
    // The word that is typed: a quoted one begins at its quote.
    let start = if is_first {
        typed.len() - command.len()
    } else {
        start_of_word(typed)
    };
    let word = &typed[start..];
    let mut found: Vec<String> = if is_first {
        let own = names.command_aliases.iter().cloned();
        let of_table = at_prompt().map(|row| row.name.to_owned());
        of_table.chain(own).collect()
    } else {
        let row = find_at_prompt(command);
        let (name, arguments) =
            row.map_or((command, Arguments::Text), |row| (row.name, row.arguments));
        of_command(name, arguments, word, names)
    };
    // A name that needs quotes gets them.
    let unquoted = |text: &str| text.trim_start_matches(['"', '\'']).to_owned();
    let begun = unquoted(word);
    found.retain(|candidate| unquoted(candidate).starts_with(&begun));
    found.sort_unstable();
    found.dedup();
    found.truncate(MOST);
    // Whoever has typed the whole word goes on with the next one.
    if let [only] = &mut *found
        && !only.ends_with(['/', '='])
    {
        only.push(' ');
    }
    (start, found)
}

/// Returns what the argument of a command may be.
fn of_command(name: &str, arguments: Arguments, word: &str, names: &Names) -> Vec<String> {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let variables = || ROWS.iter().map(|row| row.name.to_owned()).collect();
    match name {
        "set" | "unset" => variables(),
        "alias" | "group" | "unalias" | "ungroup" => names.aliases.clone(),
        "sort" => owned(&ORDERS),
        "ignore" | "discard" | "retain" | "unignore" | "unretain" => owned(&FIELDS),
        "history" => owned(&["clear", "off", "on"]),
        "file" | "folder" | "File" | "Folder" | "folders" | "source" | "cd" | "chdir" => {
            files(word, names)
        }
        _ => match arguments {
            Arguments::File => files(word, names),
            Arguments::Topic => {
                let topics = TOPICS.iter().map(|topic| (*topic).to_owned());
                topics
                    .chain(at_prompt().map(|row| row.name.to_owned()))
                    .collect()
            }
            Arguments::Recipients | Arguments::Forwarded => {
                let aliases = names.aliases.iter();
                aliases.chain(&names.addresses).cloned().collect()
            }
            _ => Vec::new(),
        },
    }
}

/// Returns where the last word begins; one in quotes that are still open begins at its quote.
fn start_of_word(typed: &str) -> usize {
    let mut start = typed.len();
    let mut quote = None;
    let mut is_in_word = false;
    for (at, c) in typed.char_indices() {
        match (quote, c) {
            (None, ' ' | '\t') => is_in_word = false,
            _ => {
                if !is_in_word {
                    start = at;
                    is_in_word = true;
                }
                match (quote, c) {
                    (None, '"' | '\'') => quote = Some(c),
                    (Some(open), c) if c == open => quote = None,
                    _ => {}
                }
            }
        }
    }
    if is_in_word { start } else { typed.len() }
}

/// Returns the files that a word may become, as they are typed.
fn files(word: &str, names: &Names) -> Vec<String> {
    let (quote, word) = match word.chars().next() {
        Some(quote @ ('"' | '\'')) => (Some(quote), &word[1..]),
        _ => (None, word),
    };
    let (directory, shown, begun) = match word.strip_prefix('+') {
        Some(rest) => {
            let Some(folder) = &names.folder else {
                return Vec::new();
            };
            let (above, name) = rest.rsplit_once('/').map_or(("", rest), |(a, n)| (a, n));
            let shown = &word[..word.len() - name.len()];
            (folder.join(above), shown, name)
        }
        None => {
            let name = word.rsplit('/').next().unwrap_or_default();
            let shown = &word[..word.len() - name.len()];
            let directory = match (shown.strip_prefix("~/"), &names.home) {
                (Some(rest), Some(home)) => home.join(rest),
                _ if shown.is_empty() => PathBuf::from("."),
                _ => PathBuf::from(shown),
            };
            (directory, shown, name)
        }
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(&directory)
        .into_iter()
        .flatten()
        .take(MOST_FILES)
        .flatten()
    {
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| name.starts_with(begun)) else {
            continue;
        };
        if name.starts_with('.') && !begun.starts_with('.') {
            continue;
        }
        let slash = if is_directory(&entry.path()) { "/" } else { "" };
        found.extend(typed_as(quote, &format!("{shown}{name}{slash}")));
    }
    found
}

fn is_directory(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_dir())
}

/// Returns a name as it is typed, in quotes where it needs them; none if it cannot be.
fn typed_as(quote: Option<char>, name: &str) -> Option<String> {
    if sanitize::line(name.as_bytes()) != name {
        return None;
    }
    let is_plain = |c: char| c.is_alphanumeric() || "+,-./:=@_~%^".contains(c);
    let quote = match quote {
        None if name.chars().all(is_plain) => return Some(name.to_owned()),
        quote => quote.unwrap_or('"'),
    };
    // Within quotes these would still mean something, or end them.
    let is_special = |c: char| c == quote || "\\$`".contains(c);
    if name.chars().any(is_special) {
        return None;
    }
    // The quotes of a directory stay open, for what is in it.
    let end = if name.ends_with('/') {
        String::new()
    } else {
        quote.to_string()
    };
    Some(format!("{quote}{name}{end}"))
}

/// Returns an address that may be offered: plain ASCII, so that it is what it looks like.
pub(super) fn offered(address: &str) -> Option<String> {
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || b"!#%&'*+-./=?^_{|}~@".contains(&byte);
    let (local, domain) = address.rsplit_once('@')?;
    let is_plain = address.bytes().all(is_plain) && !address.starts_with(['-', '|', '/', '!']);
    (is_plain && !local.is_empty() && !domain.is_empty()).then(|| address.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Names {
        Names {
            aliases: vec!["team".to_owned(), "tina".to_owned()],
            addresses: vec!["tom@example.org".to_owned()],
            command_aliases: vec!["tidy".to_owned()],
            folder: Some(dir.join("mail")),
            home: Some(dir.to_owned()),
        }
    }

    #[test]
    fn a_tab_completes_what_the_command_takes() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("mail/old")).unwrap();
        for name in [
            "mail/old/june",
            "mail/spam",
            "with blank",
            "evil\x1b[2J",
            "a$b",
            ".hidden",
            "it's",
        ] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        let names = names(dir.path());
        for (typed, start, expected) in [
            ("undel", 0, &["undelete "][..]),
            ("  undel", 2, &["undelete "]),
            ("tid", 0, &["tidy "]),
            ("set indentp", 4, &["indentprefix "]),
            ("unset crt", 6, &["crt "]),
            ("alias te", 6, &["team "]),
            ("mail t", 5, &["team", "tina", "tom@example.org"]),
            ("sort su", 5, &["subject "]),
            ("help lis", 5, &["list", "lists"]),
            ("retain subj", 7, &["subject "]),
            ("file +", 5, &["+old/", "+spam"]),
            ("s 1-3 +old/", 6, &["+old/june "]),
            ("save 1 ~/w", 7, &["\"~/with blank\" "]),
            ("save 1 \"~/w", 7, &["\"~/with blank\" "]),
            ("save 1 ~/i", 7, &["\"~/it's\" "]),
            // Not what could not be typed, or would harm.
            ("file ~/e", 5, &[]),
            ("file ~/a", 5, &[]),
            ("print t", 6, &[]),
            ("nonsense t", 9, &[]),
            ("", 0, &[]),
        ] {
            let (from, found) = complete(typed, &names);
            if typed.is_empty() {
                assert!(found.len() > 50);
                continue;
            }
            assert_eq!(
                (from, &*found),
                (
                    start,
                    &*expected.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()
                ),
                "{typed}"
            );
        }
    }

    #[test]
    fn addresses_of_mail_are_offered_only_if_they_are_harmless() {
        assert_eq!(
            offered("tom@example.org").as_deref(),
            Some("tom@example.org")
        );
        for address in [
            "root",
            "a b@x",
            "\u{202e}a@x",
            "a\x1b[2J@x",
            "-r@x",
            "|cmd@x",
            "/etc/x@y",
            "\"a\"@x",
            "a;b@x",
            "@x",
            "a@",
        ] {
            assert_eq!(offered(address), None, "{address:?}");
        }
    }
}
