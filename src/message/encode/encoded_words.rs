//! Header lines: folding at 78 columns (RFC 5322 section 2.2.3) and encoded words (RFC 2047).
//!
//! Folds stand only before a single blank that is part of the text, or between encoded words, where
//! a reader drops it: unfolding and decoding give the text back unchanged. Some readers put one blank
//! in the place of a fold and all blanks behind it, so a longer run of blanks is never folded at.
//!
//! Written here and not taken from the crate `email-encoding`, which encodes everything in base64:
//! here only the words that need it are encoded, by the encoding that fits, a URL stays
//! readable, runs of blanks survive, and no line comes near the limit of 998 bytes.

use ::base64::prelude::{BASE64_STANDARD, Engine};

/// The column that lines are folded at.
const FOLD_AT: usize = 78;
/// The column that lines with encoded words in them are folded at (RFC 2047 section 2).
const FOLD_ENCODED_AT: usize = 76;
/// The longest encoded word (RFC 2047 section 2).
const MAX_ENCODED_WORD: usize = 75;
/// The length of the frame around the payload of an encoded word: `=?utf-8?Q?` and `?=`.
const FRAME: usize = 12;
/// A text that needs several encoded words is not begun in less room than this.
const MIN_ROOM: usize = 28;
/// ASCII words up to this length stay as they are, so that a URL can be found
/// in a log; longer ones would come too close to the limit of 998 bytes a line.
pub(in crate::message) const MAX_LITERAL_WORD: usize = 900;

/// A header field being written; knows the column it is at.
pub(in crate::message) struct FoldedField {
    text: String,
    column: usize,
    /// Only the name has been written.
    fresh: bool,
    /// There is an encoded word on this line.
    encoded: bool,
}

impl FoldedField {
    /// Starts a field with its name and colon.
    pub(in crate::message) fn new(name: &str) -> FoldedField {
        FoldedField {
            text: format!("{name}:"),
            column: name.len() + 1,
            fresh: true,
            encoded: false,
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
        self.fresh = false;
        self.encoded = false;
    }

    fn put(&mut self, text: &str) {
        self.text.push_str(text);
        self.column += text.len();
        self.fresh = false;
        self.encoded |= text.contains("=?");
    }

    /// Appends a blank and a word that is not broken, folding before the blank where that helps.
    pub(in crate::message) fn push(&mut self, word: &str) {
        // The first word stays beside the name: some readers take a first line without text for an
        // empty field.
        if !self.fresh && !self.has_room(word) {
            self.fold();
        }
        self.put(" ");
        self.put(word);
    }

    /// Appends a blank and words that stand on one line, also where that line cannot be the first.
    pub(in crate::message) fn push_together(&mut self, words: &str) {
        // What is longer than any line need not leave the first one empty.
        if !self.has_room(words) && (!self.fresh || words.len() < FOLD_AT) {
            self.fold();
        }
        self.put(" ");
        self.put(words);
    }

    /// Returns whether a word fits on the line, a blank before it included.
    fn has_room(&self, word: &str) -> bool {
        let limit = if self.encoded || word.contains("=?") {
            FOLD_ENCODED_AT
        } else {
            FOLD_AT
        };
        self.column + 1 + word.len() <= limit
    }

    /// Appends text directly to the last word, such as a semicolon.
    pub(in crate::message) fn append(&mut self, text: &str) {
        self.put(text);
    }

    /// Appends a blank and a display name as encoded words: one, if one can hold it, because some
    /// readers show a blank between two words of a name.
    pub(in crate::message) fn push_encoded_name(&mut self, name: &str) {
        self.push_encoded(name, true);
    }

    /// Appends a blank and the text as encoded words; only with `folds_first` may it leave the line
    /// beside the field's name empty.
    fn push_encoded(&mut self, text: &str, folds_first: bool) {
        // The encoding of the whole text: one that changed from word to word would be hard to read in
        // a log.
        let encoding = Encoding::of(text);
        // A text that fits into one word is not split: the word goes to a line of its own first.
        if !encoding.fits(text, self.encoded_room())
            && (!self.fresh || folds_first)
            && encoding.that_fits(text, MAX_ENCODED_WORD).is_some()
            && !(self.fresh && encoding.other().fits(text, self.encoded_room()))
        {
            self.fold();
        }
        let mut rest = text;
        while !rest.is_empty() {
            let room = self.encoded_room();
            let last = encoding.that_fits(rest, room);
            if last.is_none() && room < MIN_ROOM {
                self.fold();
                continue;
            }
            let (encoding, len) = match last {
                Some(encoding) => (encoding, rest.len()),
                None => encoding.piece(rest, room),
            };
            let (word, left) = rest.split_at(len);
            self.put(" ");
            self.put(&encoding.word(word));
            rest = left;
            // Between two encoded words a reader drops blanks and folds (RFC 2047 section 6.2).
            if !rest.is_empty() {
                self.fold();
            }
        }
    }

    /// Returns how long an encoded word on this line may be.
    fn encoded_room(&self) -> usize {
        FOLD_ENCODED_AT
            .saturating_sub(self.column + 1)
            .min(MAX_ENCODED_WORD)
    }

    /// Appends unstructured text, with encoded words where it needs them.
    pub(in crate::message) fn push_text(&mut self, text: &str) {
        let words = words(text);
        // A word with blanks in it must fit on a line, also beside the name.
        let longest = if self.fresh {
            FOLD_AT.saturating_sub(self.column + 1)
        } else {
            FOLD_AT - 1
        };
        let Some((first, last)) = encoded_range(&words, longest) else {
            return words.iter().for_each(|word| self.push(word.text));
        };
        words[..first].iter().for_each(|word| self.push(word.text));
        self.push_encoded(&text[words[first].start..words[last].end()], false);
        words[last + 1..]
            .iter()
            .for_each(|word| self.push(word.text));
    }
}

/// A stretch of text that no fold can be in: single blanks are between two of them, longer runs of
/// blanks and tabs within.
pub(in crate::message) struct Word<'a> {
    pub(in crate::message) text: &'a str,
    start: usize,
}

impl Word<'_> {
    fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// Splits a text at its single blanks; blanks at either end belong to the first and last word.
pub(in crate::message) fn words(text: &str) -> Vec<Word<'_>> {
    let is_blank = |byte: Option<&u8>| matches!(byte, None | Some(b' ' | b'\t'));
    let bytes = text.as_bytes();
    let mut words = Vec::new();
    let mut start = 0;
    for at in memchr::memchr_iter(b' ', bytes) {
        // Before the text and behind it there is nothing to fold.
        if !is_blank(bytes[..at].last()) && !is_blank(bytes.get(at + 1)) {
            let text = &text[start..at];
            words.push(Word { text, start });
            start = at + 1;
        }
    }
    if start < text.len() {
        let text = &text[start..];
        words.push(Word { text, start });
    }
    words
}

/// Returns the first and last word that encoded words must cover, if any; `longest` is how long a
/// word with blanks in it may be.
fn encoded_range(words: &[Word<'_>], longest: usize) -> Option<(usize, usize)> {
    let is_blank = |c| c == ' ' || c == '\t';
    let must_cover = |word: &Word<'_>| {
        let text = word.text;
        !text.is_ascii()
            || text.len() > MAX_LITERAL_WORD
            // A reader trims blanks at either end.
            || text.starts_with(is_blank)
            || text.ends_with(is_blank)
            || (text.len() > longest && text.contains(is_blank))
    };
    // Beside encoded words of ours, those of the caller would lose a blank: the caller's stay only
    // where the text needs none of ours.
    let made_by_caller = words
        .iter()
        .all(|word| !must_cover(word) && word.text.split(is_blank).all(is_literal_or_encoded));
    let needs = |word: &Word<'_>| must_cover(word) || (word.text.contains("=?") && !made_by_caller);
    // One range from the first such word to the last: plain words between two ranges would lose
    // the blanks at the seams.
    let first = words.iter().position(needs)?;
    let last = words.iter().rposition(needs)?;
    Some((first, last))
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

/// How an encoded word holds its text (RFC 2047 section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    /// A kind of quoted-printable.
    Q,
    /// Base64.
    B,
}

impl Encoding {
    /// Returns the encoding that fits a text better.
    fn of(text: &str) -> Encoding {
        // Q stays readable without a decoder, so it may be a quarter longer: the measure that bodies
        // are put into quoted-printable by.
        if quoted_len(text) * 4 <= base64_len(text.len()) * 5 {
            Encoding::Q
        } else {
            Encoding::B
        }
    }

    fn other(self) -> Encoding {
        match self {
            Encoding::Q => Encoding::B,
            Encoding::B => Encoding::Q,
        }
    }

    /// Returns whether one word of so many columns holds the text.
    fn fits(self, text: &str, columns: usize) -> bool {
        // No encoding makes a text shorter: a long rest is not measured again for each word.
        let room = columns.saturating_sub(FRAME);
        text.len() <= room
            && match self {
                Encoding::Q => quoted_len(text) <= room,
                Encoding::B => base64_len(text.len()) <= room,
            }
    }

    /// Returns the encoding in which one word of so many columns holds the text: this one, if it can.
    fn that_fits(self, text: &str, columns: usize) -> Option<Encoding> {
        [self, self.other()]
            .into_iter()
            .find(|encoding| encoding.fits(text, columns))
    }

    /// Returns the encoding and length of the first word of a text that needs several; characters
    /// stay whole.
    fn piece(self, text: &str, columns: usize) -> (Encoding, usize) {
        let room = columns - FRAME;
        let (mut quoted, mut quoted_columns, mut base64) = (0, 0, 0);
        let mut blank = 0;
        for (at, c) in text.char_indices() {
            let next = at + c.len_utf8();
            quoted_columns += quoted_len(&text[at..next]);
            let (fits_quoted, fits_base64) = (quoted_columns <= room, base64_len(next) <= room);
            if !fits_quoted && !fits_base64 {
                break;
            }
            if fits_quoted {
                quoted = next;
                blank = if c == ' ' { next } else { blank };
            }
            // Readers that decode neighbouring words as one stream stop at the padding `=`: only the
            // last word of a text may have it.
            if fits_base64 && next.is_multiple_of(3) {
                base64 = next;
            }
        }
        // Where characters of one and of three bytes meet, base64 may have to end far before the line
        // does: then Q takes the text to where base64 can begin anew.
        if self == Encoding::B && base64 >= quoted {
            return (Encoding::B, base64);
        }
        // Whole words of the text are easier to read in a log, and a reader that shows a blank between
        // two encoded words shows it where one is.
        let ends_with_word = blank * 2 > quoted;
        (Encoding::Q, if ends_with_word { blank } else { quoted })
    }

    fn word(self, text: &str) -> String {
        if self == Encoding::B {
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
            ("Größe 100%", "Subject: =?utf-8?Q?Gr=C3=B6=C3=9Fe?= 100%\n"),
            (
                "disk on wörld full",
                "Subject: disk on =?utf-8?Q?w=C3=B6rld?= full\n",
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
