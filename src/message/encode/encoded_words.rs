//! Header lines: folding at 78 columns (RFC 5322 section 2.2.3) and encoded words (RFC 2047).
//!
//! Folds stand only before white space that is part of the text, or between
//! encoded words, where a reader drops it: unfolding and decoding give the
//! text back unchanged.
//!
//! Written here and not taken from the crate `email-encoding`, which encodes everything in base64:
//! here only the words that need it are encoded, by the shorter encoding, a URL stays
//! readable, runs of blanks survive, and no line comes near the limit of 998 bytes.

use ::base64::prelude::{BASE64_STANDARD, Engine};

/// The column that lines are folded at.
const FOLD_AT: usize = 78;
/// The longest encoded word (RFC 2047 section 2).
const MAX_ENCODED_WORD: usize = 75;
/// The length of the frame around the payload of an encoded word: `=?utf-8?Q?` and `?=`.
const FRAME: usize = 12;
/// An encoded word is not started in less room than this.
const MIN_ROOM: usize = 28;
/// ASCII words up to this length stay as they are, so that a URL can be found
/// in a log; longer ones would come too close to the limit of 998 bytes a line.
const MAX_LITERAL_WORD: usize = 900;
/// Runs of blanks up to this length stay as they are.
const MAX_LITERAL_BLANK: usize = 40;

/// A header field being written; knows the column it is at.
pub(in crate::message) struct FoldedField {
    text: String,
    column: usize,
    /// Only the name has been written.
    fresh: bool,
}

impl FoldedField {
    /// Starts a field with its name and colon.
    pub(in crate::message) fn new(name: &str) -> FoldedField {
        FoldedField {
            text: format!("{name}:"),
            column: name.len() + 1,
            fresh: true,
        }
    }

    /// Ends the field and returns it, line end included.
    pub(in crate::message) fn finish(mut self) -> String {
        self.text.push('\n');
        self.text
    }

    fn fold(&mut self) {
        self.text.push('\n');
        self.column = 0;
    }

    fn put(&mut self, text: &str) {
        self.text.push_str(text);
        self.column += text.len();
        self.fresh = false;
    }

    /// Appends blanks and a word that is not broken, folding before the blanks where that helps.
    pub(in crate::message) fn push(&mut self, blanks: &str, word: &str) {
        // Folding needs a blank to fold before (RFC 5322 section 2.2.3). The first word stays beside the
        // name: some readers take a first line without text for an empty field.
        let end = self.column + blanks.len() + word.len();
        if end > FOLD_AT && !blanks.is_empty() && !self.fresh {
            self.fold();
        }
        self.put(blanks);
        self.put(word);
    }

    /// Appends text directly behind the last word, such as a comma.
    pub(in crate::message) fn append(&mut self, text: &str) {
        self.put(text);
    }

    /// Appends a blank and the text as encoded words.
    pub(in crate::message) fn push_encoded(&mut self, blanks: &str, text: &str) {
        // The shorter encoding of the whole text: one that changed from word to word would be hard to
        // read in a log.
        let quoted = quoted_len(text) <= base64_len(text.len());
        let mut rest = text;
        let mut blanks = blanks;
        while !rest.is_empty() {
            if FOLD_AT.saturating_sub(self.column + blanks.len()) < MIN_ROOM {
                self.fold();
            }
            let room = FOLD_AT - self.column - blanks.len();
            let (word, left) = rest.split_at(fitting(rest, quoted, room.min(MAX_ENCODED_WORD)));
            self.put(blanks);
            self.put(&encoded_word(word, quoted));
            rest = left;
            // Between two encoded words a reader drops blanks and folds (RFC 2047 section 6.2).
            blanks = " ";
            if !rest.is_empty() {
                self.fold();
            }
        }
    }

    /// Appends unstructured text, with encoded words where it needs them.
    pub(in crate::message) fn push_text(&mut self, text: &str) {
        let tokens = tokens(text);
        let Some((first, last)) = encoded_range(&tokens) else {
            for (index, token) in tokens.iter().enumerate() {
                self.push(if index == 0 { " " } else { token.blanks }, token.word);
            }
            return;
        };
        for (index, token) in tokens[..first].iter().enumerate() {
            self.push(if index == 0 { " " } else { token.blanks }, token.word);
        }
        // The blanks before the first word of a field are no part of its text.
        let (blanks, start) = match first {
            0 => (" ", 0),
            _ => (tokens[first].blanks, tokens[first].start),
        };
        self.push_encoded(blanks, &text[start..tokens[last].end]);
        for token in &tokens[last + 1..] {
            self.push(token.blanks, token.word);
        }
    }
}

/// A word and the blanks before it; the last one may have no word.
struct Token<'a> {
    blanks: &'a str,
    word: &'a str,
    /// Where the word starts and ends in the text.
    start: usize,
    end: usize,
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let is_blank = |c| c == ' ' || c == '\t';
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let blanks = rest.find(|c| !is_blank(c)).unwrap_or(rest.len());
        let word = rest[blanks..].find(is_blank).unwrap_or(rest.len() - blanks);
        let start = at + blanks;
        tokens.push(Token {
            blanks: &rest[..blanks],
            word: &rest[blanks..blanks + word],
            start,
            end: start + word,
        });
        at = start + word;
    }
    tokens
}

/// Returns the first and last token that encoded words must cover, if any.
fn encoded_range(tokens: &[Token<'_>]) -> Option<(usize, usize)> {
    let must_cover = |index: usize, token: &Token<'_>| {
        let word = token.word;
        // A reader trims blanks at either end, and a long run could not be folded within itself.
        let outer = (index == 0 && !token.blanks.is_empty()) || word.is_empty();
        let blanks = outer || token.blanks.len() > MAX_LITERAL_BLANK;
        (!word.is_ascii() || word.len() > MAX_LITERAL_WORD || blanks).then_some(blanks)
    };
    let mut all = tokens.iter().enumerate();
    // Beside encoded words of ours, those of the caller would lose a blank: the caller's stay only
    // where the text needs none of ours.
    let made_by_caller = all.all(|(index, token)| {
        must_cover(index, token).is_none() && is_literal_or_encoded(token.word)
    });
    let mut range: Option<(usize, usize)> = None;
    for (index, token) in tokens.iter().enumerate() {
        let first = match must_cover(index, token) {
            // The blanks that do not survive lie before this word: the word before them is encoded
            // with it, so that they come to lie within.
            Some(true) => index.saturating_sub(1),
            Some(false) => index,
            None if token.word.contains("=?") && !made_by_caller => index,
            None => continue,
        };
        // One range from the first such word to the last: plain words between two ranges would lose
        // the blanks at the seams.
        let start = range.map_or(first, |(start, _)| start.min(first));
        range = Some((start, index));
    }
    range
}

/// Returns whether a word is plain or a whole encoded word that a script made itself.
///
/// Scripts write `-s "=?utf-8?B?$(… | base64)?="`; every peer lets that pass.
pub(in crate::message) fn is_literal_or_encoded(word: &str) -> bool {
    if !word.contains("=?") {
        return true;
    }
    let inner = word.strip_prefix("=?").and_then(|w| w.strip_suffix("?="));
    let Some(inner) = inner else { return false };
    let mut parts = inner.split('?');
    let charset = parts.next().unwrap_or_default();
    let encoding = parts.next().unwrap_or_default();
    let payload = parts.next();
    !charset.is_empty()
        && ["B", "b", "Q", "q"].contains(&encoding)
        && payload.is_some()
        && parts.next().is_none()
}

/// Returns whether the Q encoding leaves the byte alone: the set that phrases allow (RFC 2047 section 5).
fn is_q_literal(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'!' | b'*' | b'+' | b'-' | b'/')
}

fn quoted_len(text: &str) -> usize {
    let escaped = |b: &u8| !is_q_literal(*b) && *b != b' ';
    text.len() + 2 * text.bytes().filter(escaped).count()
}

fn base64_len(len: usize) -> usize {
    len.div_ceil(3) * 4
}

/// Returns how many bytes of the text fit into an encoded word of so many columns; characters stay whole.
fn fitting(text: &str, quoted: bool, columns: usize) -> usize {
    let room = columns - FRAME;
    let mut end = 0;
    let mut quoted_columns = 0;
    for (at, c) in text.char_indices() {
        let next = at + c.len_utf8();
        quoted_columns += quoted_len(&text[at..next]);
        let used = if quoted {
            quoted_columns
        } else {
            base64_len(next)
        };
        if used > room {
            break;
        }
        end = next;
    }
    end
}

fn encoded_word(text: &str, quoted: bool) -> String {
    if !quoted {
        return format!("=?utf-8?B?{}?=", BASE64_STANDARD.encode(text));
    }
    let mut word = String::from("=?utf-8?Q?");
    for byte in text.bytes() {
        match byte {
            b' ' => word.push('_'),
            _ if is_q_literal(byte) => word.push(char::from(byte)),
            _ => word.push_str(&format!("={byte:02X}")),
        }
    }
    word + "?="
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(text: &str) -> String {
        let mut field = FoldedField::new("Subject");
        field.push_text(text);
        field.finish()
    }

    #[test]
    fn subjects() {
        let table = [
            ("", "Subject:\n"),
            ("plain text", "Subject: plain text\n"),
            ("two  blanks", "Subject: two  blanks\n"),
            ("Größe 100%", "Subject: =?utf-8?B?R3LDtsOfZQ==?= 100%\n"),
            (
                "disk on wörld full",
                "Subject: disk on =?utf-8?B?d8O2cmxk?= full\n",
            ),
            ("日本語", "Subject: =?utf-8?B?5pel5pys6Kqe?=\n"),
            (" leading", "Subject: =?utf-8?Q?_leading?=\n"),
            ("trailing ", "Subject: =?utf-8?Q?trailing_?=\n"),
            (" ", "Subject: =?utf-8?Q?_?=\n"),
            ("a =?b c", "Subject: a =?utf-8?B?PT9i?= c\n"),
            (
                "=?utf-8?B?w7Y=?= by script",
                "Subject: =?utf-8?B?w7Y=?= by script\n",
            ),
            (
                "=?utf-8?B?w7Y=?= ö",
                "Subject: =?utf-8?B?PT91dGYtOD9CP3c3WT0/PSDDtg==?=\n",
            ),
        ];
        for (text, expected) in table {
            assert_eq!(field(text), expected);
        }
    }

    #[test]
    fn a_blank_between_our_encoded_word_and_a_scripts_stays() {
        let folded = field(&format!("{} =?utf-8?Q?a?=", "x".repeat(1000)));
        assert!(!folded.contains("=?utf-8?Q?a?="));
    }

    #[test]
    fn long_texts_fold_at_blanks() {
        let text = "word ".repeat(40);
        let folded = field(text.trim_end());
        assert!(folded.lines().all(|line| line.len() <= 78));
        assert_eq!(
            folded.replace('\n', ""),
            format!("Subject: {}", text.trim_end())
        );
    }

    #[test]
    fn long_words_are_whole_up_to_900_bytes_and_encoded_beyond() {
        let url = format!("https://example.org/{}", "x".repeat(800));
        assert_eq!(field(&url), format!("Subject: {url}\n"));
        let folded = field(&"y".repeat(5000));
        assert!(folded.lines().all(|line| line.len() <= 78));
        assert!(folded.contains("=?utf-8?Q?y"));
    }
}
