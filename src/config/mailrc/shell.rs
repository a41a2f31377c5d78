//! Words quoted as in the shell, as s-nail takes them after `wysh` and in conditions: `$'…'`,
//! `$NAME`, `;` and comments.

use crate::config::text;
use crate::config::words::{self, is_escaped_in_quotes};

/// What `$NAME` stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// This text.
    Is(String),
    /// Nothing: the variable is not set.
    Unset,
    /// Nobody knows: another program may set it by itself.
    Unknown,
}

/// A word, without its quotes.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Word {
    /// The text.
    pub(super) text: String,
    /// A part of it stood in quotes or behind a backslash.
    pub(super) is_quoted: bool,
    /// A part of it is the value of a variable.
    pub(super) has_value: bool,
    /// It consists only of a variable that is not set.
    pub(super) is_unset: bool,
    /// The variable in it of which nobody knows the value.
    pub(super) unknown: Option<String>,
}

/// The words of one command, and what stands behind the `;` that ended it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words<'a> {
    pub(super) words: Vec<Word>,
    pub(super) next: Option<&'a str>,
}

/// How many words a condition may have: they are gathered.
const MAX_WORDS: usize = 1000;

/// Splits a line of at most 1,000 words; `value` says what variables stand for.
///
/// # Errors
/// Says that a quote is not closed, that a `$` names no variable, or that there are more words.
pub(super) fn split<'a>(line: &'a str, value: &dyn Fn(&str) -> Value) -> Result<Words<'a>, String> {
    let mut words = Vec::new();
    let next = each(line, value, &mut |word| {
        if words.len() == MAX_WORDS {
            return Err(format!("more than {MAX_WORDS} words"));
        }
        words.push(word);
        Ok(())
    })?;
    Ok(Words { words, next })
}

/// Writes the words of a line by the quotes of all other lines; returns what stands behind the `;`
/// that ended them, too. The words are not gathered: a line may be nothing else than words.
///
/// # Errors
/// Says that a quote is not closed, or that a `$` names no variable, or one whose value nobody knows.
pub(super) fn requoted<'a>(
    line: &'a str,
    value: &dyn Fn(&str) -> Value,
) -> Result<(String, Option<&'a str>), String> {
    let mut quoted = String::new();
    let next = each(line, value, &mut |word| {
        if let Some(name) = word.unknown {
            return Err(format!("${name} is not set"));
        }
        quoted.push_str(if quoted.is_empty() { "\"" } else { " \"" });
        for c in word.text.chars() {
            if matches!(c, '\\' | '"') {
                quoted.push('\\');
            }
            quoted.push(c);
        }
        quoted.push('"');
        Ok(())
    })?;
    Ok((quoted, next))
}

/// Hands the words of a line to `take`; returns what stands behind the `;` that ended them.
fn each<'a>(
    line: &'a str,
    value: &dyn Fn(&str) -> Value,
    take: &mut dyn FnMut(Word) -> Result<(), String>,
) -> Result<Option<&'a str>, String> {
    let mut scanner = Scanner {
        line,
        at: 0,
        value,
        word: None,
    };
    while let Some(c) = scanner.next() {
        match c {
            c if c.is_whitespace() => scanner.end_word().map_or(Ok(()), &mut *take)?,
            ';' => {
                scanner.end_word().map_or(Ok(()), take)?;
                return Ok(Some(&line[scanner.at..]));
            }
            '#' if scanner.word.is_none() => break,
            '\\' => {
                if let Some(escaped) = scanner.next() {
                    scanner.quoted().push_char(escaped);
                }
            }
            '\'' => scanner.single_quotes()?,
            '"' => scanner.double_quotes()?,
            '$' => scanner.dollar(false)?,
            _ => scanner.begun().push_char(c),
        }
    }
    scanner.end_word().map_or(Ok(()), take)?;
    Ok(None)
}

/// Splits a line at the first `;` outside quotes, which ends a command in s-nail.
pub(super) fn until_semicolon(line: &str) -> (&str, Option<String>) {
    let mut quote = None;
    let mut chars = line.char_indices();
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (None, ';') => return (line[..at].trim_end(), Some(line[at + 1..].to_owned())),
            (Some(open), _) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None | Some('"'), '\\') => drop(chars.next()),
            _ => {}
        }
    }
    (line, None)
}

/// A word that is being read. Escapes may name single bytes, so that it is bytes.
#[derive(Debug, Default)]
struct Part {
    bytes: Vec<u8>,
    is_quoted: bool,
    values: usize,
    is_unset: bool,
    unknown: Option<String>,
}

impl Part {
    fn push_char(&mut self, c: char) {
        self.is_unset = false;
        self.bytes.extend(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

struct Scanner<'a> {
    line: &'a str,
    at: usize,
    value: &'a dyn Fn(&str) -> Value,
    word: Option<Part>,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<char> {
        self.line[self.at..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn begun(&mut self) -> &mut Part {
        self.word.get_or_insert_default()
    }

    fn quoted(&mut self) -> &mut Part {
        let part = self.begun();
        part.is_quoted = true;
        part
    }

    fn end_word(&mut self) -> Option<Word> {
        let part = self.word.take()?;
        Some(Word {
            text: text::decode(&part.bytes).into_owned(),
            is_quoted: part.is_quoted,
            has_value: part.values > 0,
            is_unset: part.is_unset && part.bytes.is_empty(),
            unknown: part.unknown,
        })
    }

    fn open_quote(&self) -> String {
        words::open_quote(self.line)
    }

    fn single_quotes(&mut self) -> Result<(), String> {
        self.quoted();
        loop {
            match self.next() {
                Some('\'') => return Ok(()),
                Some(c) => self.quoted().push_char(c),
                None => return Err(self.open_quote()),
            }
        }
    }

    fn double_quotes(&mut self) -> Result<(), String> {
        self.quoted();
        loop {
            match self.next() {
                Some('"') => return Ok(()),
                Some('\\') if self.peek().is_some_and(is_escaped_in_quotes) => {
                    let escaped = self.next();
                    escaped.into_iter().for_each(|c| self.quoted().push_char(c));
                }
                Some('$') => self.dollar(true)?,
                Some(c) => self.quoted().push_char(c),
                None => return Err(self.open_quote()),
            }
        }
    }

    /// Reads what stands behind a `$`: a quote, the name of a variable, or nothing of that kind.
    fn dollar(&mut self, is_in_quotes: bool) -> Result<(), String> {
        match self.peek() {
            Some('\'') if !is_in_quotes => {
                self.next();
                self.dollar_quotes()
            }
            Some(c) if c == '{' || c == '_' || c.is_ascii_alphabetic() => self.variable(),
            Some(c @ ('?' | '!' | '@' | '*' | '#' | '0'..='9')) => {
                Err(format!("${c} has no value here"))
            }
            _ => {
                self.begun().push_char('$');
                Ok(())
            }
        }
    }

    fn variable(&mut self) -> Result<(), String> {
        let is_braced = self.peek() == Some('{');
        let from = self.at + usize::from(is_braced);
        let rest = &self.line[from..];
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || (is_braced && c == '-');
        let end = rest.find(|c| !is_of_name(c)).unwrap_or(rest.len());
        let name = &rest[..end];
        if name.is_empty() || (is_braced && !rest[end..].starts_with('}')) {
            return Err(format!("${{{name} is not the name of a variable"));
        }
        self.at = from + end + usize::from(is_braced);
        match (self.value)(name) {
            Value::Is(text) => {
                let part = self.begun();
                part.values += 1;
                part.bytes.extend(text.into_bytes());
            }
            Value::Unset => {
                let part = self.begun();
                part.values += 1;
                part.is_unset = part.bytes.is_empty();
            }
            Value::Unknown => {
                let name = name.to_owned();
                let part = self.begun();
                part.values += 1;
                part.unknown = Some(name);
            }
        }
        Ok(())
    }

    /// Reads `$'…'`, in which a backslash begins an escape sequence.
    fn dollar_quotes(&mut self) -> Result<(), String> {
        self.quoted();
        loop {
            match self.next() {
                Some('\'') => return Ok(()),
                Some('\\') => self.escape(),
                Some(c) => self.quoted().push_char(c),
                None => return Err(self.open_quote()),
            }
        }
    }

    fn escape(&mut self) {
        let Some(c) = self.next() else {
            return;
        };
        let plain = match c {
            'a' => '\x07',
            'b' => '\x08',
            'E' | 'e' => '\x1b',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            '\\' | '\'' | '"' | '$' => c,
            'x' => return self.number(16, 2, c),
            'u' => return self.number(16, 4, c),
            'U' => return self.number(16, 8, c),
            '0'..='7' => {
                self.at -= 1;
                return self.number(8, 3, c);
            }
            'c' => match self.next().filter(char::is_ascii) {
                Some(control) => char::from(control.to_ascii_uppercase() as u8 ^ 64),
                None => return,
            },
            _ => {
                self.quoted().push_char('\\');
                c
            }
        };
        self.quoted().push_char(plain);
    }

    /// Reads the number of a byte (`\x`, octal) or of a character (`\u`, `\U`).
    fn number(&mut self, radix: u32, most: usize, kind: char) {
        let mut number = 0_u32;
        let mut count = 0;
        while count < most
            && let Some(digit) = self.peek().and_then(|c| c.to_digit(radix))
        {
            self.next();
            number = number.wrapping_mul(radix).wrapping_add(digit);
            count += 1;
        }
        let is_character = matches!(kind, 'u' | 'U');
        match char::from_u32(number) {
            Some(c) if count > 0 && is_character => self.quoted().push_char(c),
            _ if count > 0 && !is_character => self.quoted().bytes.push(number as u8),
            _ => {
                self.quoted().push_char('\\');
                self.quoted().push_char(kind);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str) -> Value {
        match name {
            "HOME" => Value::Is("/home/alice".to_owned()),
            "two-words" => Value::Is("a b".to_owned()),
            "NOPE" => Value::Unset,
            _ => Value::Unknown,
        }
    }

    #[test]
    fn a_variable_that_nobody_knows_is_named() {
        let found = split("a=b c=\"${x}\"y", &value).unwrap();
        assert_eq!(found.words[0].unknown, None);
        assert_eq!(found.words[1].unknown.as_deref(), Some("x"));
    }

    #[test]
    fn words_are_quoted_as_in_the_shell() {
        for (line, expected, next) in [
            ("a=b c", &["a=b", "c"][..], None),
            ("a='b c' d=\"e f\"", &["a=b c", "d=e f"], None),
            (r"a=b\ c", &["a=b c"], None),
            (r#"a="x\ny" b="q\"r\\""#, &[r"a=x\ny", "b=q\"r\\"], None),
            (r"a=$'x\ty\n'", &["a=x\ty\n"], None),
            (
                r"a=$'\x41\101\u00e4\U1F600\cG'",
                &["a=AA\u{e4}\u{1f600}\x07"],
                None,
            ),
            (r"a=$'it\'s' b", &["a=it's", "b"], None),
            (
                "a=$HOME/x b=${HOME}y",
                &["a=/home/alice/x", "b=/home/alicey"],
                None,
            ),
            ("a=${two-words}", &["a=a b"], None),
            ("a='$HOME' b=\\$HOME", &["a=$HOME", "b=$HOME"], None),
            (
                "a=\"$HOME\" b=5$ c=$",
                &["a=/home/alice", "b=5$", "c=$"],
                None,
            ),
            ("a=$NOPE", &["a="], None),
            ("a=b # don't", &["a=b"], None),
            ("a=b#c", &["a=b#c"], None),
            ("a=b; set c=d", &["a=b"], Some(" set c=d")),
            ("a='b;c'", &["a=b;c"], None),
            ("''", &[""], None),
            ("", &[], None),
        ] {
            let found = split(line, &value).unwrap_or_else(|why| panic!("{line}: {why}"));
            let texts: Vec<&str> = found.words.iter().map(|word| &*word.text).collect();
            assert_eq!(texts, expected, "{line}");
            assert_eq!(found.next, next, "{line}");
            // Written again, they are the same words to the splitter of all other lines.
            let (quoted, behind) = requoted(line, &value).unwrap();
            let again: Vec<String> = words::texts(&quoted).unwrap().collect();
            assert_eq!(again, expected, "{line}");
            assert_eq!(behind, next, "{line}");
        }
        for line in ["'a", "\"a", "$'a", "$1", "$?", "${HOME", "${}", "a=\"$1\""] {
            assert!(split(line, &value).is_err(), "{line}");
        }
    }
}
