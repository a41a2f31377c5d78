//! Words of a line: blanks separate them, quotes keep blanks.
//!
//! The one splitter for rc lines, arguments of programs, message lists and the file names after
//! them. They differ in what a backslash is: rc lines escape with it, but at the prompt `\` is a
//! character like any other (POSIX, as in bsd-mailx).

/// The meaning of a backslash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backslash {
    /// `\x` is x; between double quotes only before `"`, `\`, `$` and a backquote; between single
    /// quotes only before the quote.
    Escapes,
    /// A character like any other.
    Literal,
}

/// A word, without its quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// Where it begins in the line, in bytes; a quote in front belongs to it.
    pub(crate) start: usize,
    /// The text.
    pub(crate) text: String,
}

/// A quote in the line is not closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OpenQuote;

/// Splits a line into words: blanks separate, `'…'` and `"…"` keep them.
///
/// The words come one at a time: a line of many words would take many times its length at once.
///
/// # Errors
/// A quote is not closed.
pub(crate) fn split(line: &str, backslash: Backslash) -> Result<Words<'_>, OpenQuote> {
    let words = Words {
        chars: line.char_indices(),
        backslash,
        is_open: false,
    };
    let mut rest = words.clone();
    rest.by_ref().for_each(drop);
    if rest.is_open {
        return Err(OpenQuote);
    }
    Ok(words)
}

/// The words of a line, see [`split`].
#[derive(Clone, Debug)]
pub(crate) struct Words<'a> {
    chars: std::str::CharIndices<'a>,
    backslash: Backslash,
    /// A quote is not closed: only known at the end.
    is_open: bool,
}

impl Iterator for Words<'_> {
    type Item = Word;

    fn next(&mut self) -> Option<Self::Item> {
        let mut word: Option<Word> = None;
        let mut quote = None;
        while let Some((start, c)) = self.chars.next() {
            if quote.is_none() && c.is_whitespace() {
                match word {
                    Some(word) => return Some(word),
                    None => continue,
                }
            }
            // A word begins at its quote: `''` is a word without text, and blanks alone are no
            // word. A quote in the middle begins no new word: `a"b c"d` is one.
            let begun = word.get_or_insert_with(|| Word {
                start,
                text: String::new(),
            });
            match (quote, c) {
                (Some(open), _) if c == open => quote = None,
                (None, '"' | '\'') => quote = Some(c),
                // Nothing escapes between single quotes, but for the quote itself: `'it\'s'` is one
                // word to every mailx (POSIX).
                (Some('\''), '\\')
                    if self.backslash == Backslash::Escapes
                        && is_quote_within(self.chars.as_str()) =>
                {
                    self.chars.next();
                    begun.text.push('\'');
                }
                (None, '\\') if self.backslash == Backslash::Escapes => {
                    let escaped = self.chars.next();
                    begun.text.extend(escaped.map(|(_, escaped)| escaped));
                }
                // Between double quotes every other backslash stays: `set sign="Regards\nAlice"`
                // keeps what `~a` turns into a new line, and a password keeps its backslashes.
                (Some('"'), '\\') if self.backslash == Backslash::Escapes => {
                    let next = self.chars.clone().next().map(|(_, next)| next);
                    match next.filter(|next| is_escaped_in_quotes(*next)) {
                        Some(next) => {
                            self.chars.next();
                            begun.text.push(next);
                        }
                        None => begun.text.push(c),
                    }
                }
                _ => begun.text.push(c),
            }
        }
        self.is_open = quote.is_some();
        word.filter(|_| !self.is_open)
    }
}

/// Returns whether a text that follows a backslash between single quotes begins with an escaped
/// quote: it needs another one that closes, or else it is the one that closes.
fn is_quote_within(text: &str) -> bool {
    let rest = text.strip_prefix('\'');
    rest.is_some_and(|rest| rest.contains('\''))
}

/// Returns whether a backslash between double quotes escapes this character, as in the shell.
pub(crate) fn is_escaped_in_quotes(c: char) -> bool {
    matches!(c, '"' | '\\' | '$' | '`')
}

/// Returns a line without the comment at its end: a `#` in front of a word, outside quotes.
///
/// A `#` within a word is a part of it, as in `set prompt=#`.
pub(crate) fn without_comment(line: &str) -> &str {
    let mut quote = None;
    let mut is_before_word = true;
    let mut chars = line.char_indices();
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (None, '#') if is_before_word => return &line[..at],
            (Some(open), _) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None | Some('"'), '\\') => drop(chars.next()),
            (Some('\''), '\\') if is_quote_within(chars.as_str()) => drop(chars.next()),
            _ => {}
        }
        is_before_word = quote.is_none() && c.is_whitespace();
    }
    line
}

/// Splits a line of the configuration, or of a command to run, into words: blanks separate, `'…'`
/// and `"…"` keep them, a backslash escapes as [`Backslash::Escapes`] says. They come one at a time.
///
/// # Errors
/// Says that a quote is not closed.
pub(crate) fn texts(line: &str) -> Result<Texts<'_>, String> {
    match split(line, Backslash::Escapes) {
        Ok(words) => Ok(Texts(words)),
        Err(OpenQuote) => Err(open_quote(line)),
    }
}

/// The texts of the words of a line, see [`texts`].
#[derive(Clone, Debug)]
pub(crate) struct Texts<'a>(Words<'a>);

impl Iterator for Texts<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        self.0.next().map(|word| word.text)
    }
}

/// Returns the words of a line without their quotes, a blank between them: what `echo` says.
///
/// # Errors
/// Says that a quote is not closed.
pub(crate) fn echoed(line: &str) -> Result<String, String> {
    let mut text = String::new();
    for (place, word) in texts(line)?.enumerate() {
        if place > 0 {
            text.push(' ');
        }
        text.push_str(&word);
    }
    Ok(text)
}

/// Returns the error for a line with an open quote.
pub(crate) fn open_quote(line: &str) -> String {
    // A secret may follow the `=`, or stand in a URL.
    let name = line.split('=').next().unwrap_or_default();
    let shown = name.split("://").next().unwrap_or_default();
    format!("a quote is not closed: {shown}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_door_splits_alike_but_for_the_backslash() {
        let rows: [(&str, &[&str], &[&str]); 14] = [
            ("", &[], &[]),
            (" \t ", &[], &[]),
            ("a b", &["a", "b"], &["a", "b"]),
            ("  a\t b ", &["a", "b"], &["a", "b"]),
            ("''", &[""], &[""]),
            ("a '' b", &["a", "", "b"], &["a", "", "b"]),
            ("'a b' \"c d\"", &["a b", "c d"], &["a b", "c d"]),
            ("a' 'b\" \"c", &["a b c"], &["a b c"]),
            ("\"it's\" '\"'", &["it's", "\""], &["it's", "\""]),
            ("a\\ b", &["a b"], &["a\\", "b"]),
            ("a\\\\b", &["a\\b"], &["a\\\\b"]),
            ("'a\\b'", &["a\\b"], &["a\\b"]),
            ("\"a\\b\"", &["a\\b"], &["a\\b"]),
            (
                "gr\u{f6}\u{df}e \u{2003}x\\",
                &["gr\u{f6}\u{df}e", "x"],
                &["gr\u{f6}\u{df}e", "x\\"],
            ),
        ];
        for (line, escaped, literal) in rows {
            for (backslash, expected) in
                [(Backslash::Escapes, escaped), (Backslash::Literal, literal)]
            {
                let words: Vec<Word> = split(line, backslash).unwrap().collect();
                let texts: Vec<&str> = words.iter().map(|word| &*word.text).collect();
                assert_eq!(texts, expected, "{line:?} {backslash:?}");
                let begins = |word: &Word| !line[word.start..].starts_with(char::is_whitespace);
                assert!(words.iter().all(begins), "{line:?}");
            }
        }
        for line in ["'", "a \"b", "'a\" b", "\"a'"] {
            for backslash in [Backslash::Escapes, Backslash::Literal] {
                assert_eq!(split(line, backslash).err(), Some(OpenQuote), "{line}");
            }
        }
        for (line, text) in [
            (r#""a\"b""#, "a\"b"),
            (r#""a\\b""#, r"a\b"),
            (r#""\$5""#, "$5"),
            (r#""two\nlines""#, r"two\nlines"),
            (r"'it\'s'", "it's"),
            (r"'a\'", r"a\"),
        ] {
            let word = split(line, Backslash::Escapes).unwrap().next();
            assert_eq!(word.unwrap().text, text, "{line}");
        }
        assert!(split("\"a\\\"", Backslash::Escapes).is_err());
        assert!(split("\"a\\\"", Backslash::Literal).is_ok());
    }

    #[test]
    fn a_comment_begins_in_front_of_a_word_and_outside_quotes() {
        for (line, rest) in [
            ("set a=b # don't", "set a=b "),
            ("set a=b #don't", "set a=b "),
            ("set a=b#c", "set a=b#c"),
            ("set a='b # c' # d", "set a='b # c' "),
            ("set a=\"b # c\"", "set a=\"b # c\""),
            (r"set a=\# b", r"set a=\# b"),
            (r"set a \# b", r"set a \# b"),
            ("set a='b", "set a='b"),
            (r"set a='it\'s # b'", r"set a='it\'s # b'"),
            (r"set a='b\' # c", r"set a='b\' "),
            ("# all", ""),
            ("", ""),
        ] {
            assert_eq!(without_comment(line), rest, "{line}");
        }
    }
}
