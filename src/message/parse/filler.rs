//! Filling lines with words, where blanks mean no more than that a word ends: HTML and enriched text.
//! Text whose blanks stay as they are is filled by `display/fill.rs`.
//!
//! Words come in pieces of any length; a line is kept until the next word does not fit, and leaves
//! in larger pieces. Levels (a quote, a list item) put a prefix before each line. Between two lines
//! there is at most one empty line, unless the text is preformatted. Nothing is allocated for a word,
//! and the time is linear in the text: the prefix of deep levels stops growing.

use unicode_width::UnicodeWidthChar;

/// How many levels show.
const MAX_LEVELS: usize = 16;
/// Of a line, at least this much is left to its words, in columns.
const MIN_WIDTH: usize = 24;
/// How many no-break spaces are kept in a row.
const MAX_GAP: usize = 40;
/// How much is collected before it is handed on, in bytes.
const BLOCK: usize = 8 * 1024;

/// How much of a line is kept: a longer one has no place left where it could be broken.
const MAX_KEPT: usize = 4 * BLOCK;

/// A place to which text is written word by word.
pub(in crate::message) struct Filler<'e> {
    emit: &'e mut dyn FnMut(&str),
    /// The columns of a line; lines are not wrapped without them.
    width: Option<usize>,
    /// Lines that are finished.
    done: String,
    /// The line that is being filled, with its prefix; empty before its first word.
    line: String,
    columns: usize,
    /// Where the words of the line begin, in bytes.
    start: usize,
    /// Where the line may be broken: the place in bytes, and the columns before it.
    chance: (usize, usize),
    /// A line that is to be moved: kept for its memory.
    moved: String,
    prefix: String,
    levels: Vec<Level>,
    /// Levels beyond those that show.
    deeper: usize,
    /// How many marks wait for the first word of their level.
    marks: usize,
    /// A mark of a level that does not show.
    deep_mark: Option<String>,
    /// How long the prefix of the last line was that is shown before an empty line, in bytes.
    last_prefix: usize,
    /// Line ends to write before the next word.
    breaks: usize,
    blank: bool,
    /// Blanks that no line end replaces, before the next word.
    gap: usize,
    /// Line ends that were written since the last word.
    ends: usize,
    has_begun: bool,
}

/// A level of the prefix.
struct Level {
    /// Where its part of the prefix begins.
    start: usize,
    /// What stands there in its first line.
    mark: Option<String>,
}

impl<'e> Filler<'e> {
    /// Returns an empty one; `width` is in columns, and `None` wraps nothing.
    pub(in crate::message) fn new(
        width: Option<usize>,
        emit: &'e mut dyn FnMut(&str),
    ) -> Filler<'e> {
        Filler {
            emit,
            width,
            done: String::new(),
            line: String::new(),
            columns: 0,
            start: 0,
            chance: (0, 0),
            moved: String::new(),
            prefix: String::new(),
            levels: Vec::new(),
            deeper: 0,
            marks: 0,
            deep_mark: None,
            last_prefix: 0,
            breaks: 0,
            blank: false,
            gap: 0,
            ends: 0,
            has_begun: false,
        }
    }

    /// Returns the columns that are left to words by the prefix.
    pub(in crate::message) fn room(&self) -> Option<usize> {
        // A prefix is ASCII.
        self.width
            .map(|width| width.saturating_sub(self.prefix.len()).max(1))
    }

    /// Returns whether any word was written.
    pub(in crate::message) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Returns whether what comes next belongs to the last word.
    pub(in crate::message) fn is_in_word(&self) -> bool {
        !self.line.is_empty() && !self.blank && self.breaks == 0 && self.gap == 0
    }

    /// Begins a level: `rest` stands before its lines, `mark` instead of it before the first. Both are ASCII.
    pub(in crate::message) fn enter(&mut self, rest: &str, mark: Option<String>) {
        let room = self.width.unwrap_or(usize::MAX);
        let is_shown = self.deeper == 0
            && self.levels.len() < MAX_LEVELS
            && self.prefix.len() + rest.len() + MIN_WIDTH <= room.max(MIN_WIDTH + 2);
        if !is_shown {
            self.deeper += 1;
            self.deep_mark = mark.or(self.deep_mark.take());
            return;
        }
        self.marks += usize::from(mark.is_some());
        self.levels.push(Level {
            start: self.prefix.len(),
            mark,
        });
        self.prefix.push_str(rest);
    }

    /// Ends the last level.
    pub(in crate::message) fn leave(&mut self) {
        if self.deeper > 0 {
            self.deeper -= 1;
            self.deep_mark = None;
        } else if let Some(level) = self.levels.pop() {
            self.marks -= usize::from(level.mark.is_some());
            self.prefix.truncate(level.start);
            self.last_prefix = self.last_prefix.min(level.start);
        }
    }

    /// Asks for a blank before the next word.
    pub(in crate::message) fn blank(&mut self) {
        self.blank = true;
    }

    /// Asks for blanks before the next word that stay at the beginning of a line.
    pub(in crate::message) fn gap(&mut self, blanks: usize) {
        self.gap = (self.gap + blanks).min(MAX_GAP);
    }

    /// Ends the line, or adds one empty line where it has ended.
    pub(in crate::message) fn line_break(&mut self) {
        let wanted = self.breaks + 1 + usize::from(self.gap > 0 && self.breaks > 0);
        self.breaks = wanted.min(2);
        self.gap = 0;
    }

    /// Asks for a new line before the next word.
    pub(in crate::message) fn block(&mut self) {
        // A line of no-break spaces is an empty line.
        if self.gap > 0 && self.breaks > 0 {
            self.breaks = 2;
        }
        self.breaks = self.breaks.max(1);
        self.gap = 0;
    }

    /// Asks for an empty line before the next word.
    pub(in crate::message) fn paragraph(&mut self) {
        self.breaks = 2;
        self.gap = 0;
    }

    /// Appends a piece of a word; a no-break space is a blank in it.
    pub(in crate::message) fn word(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.separate();
        if !text.is_ascii() {
            return self.wide_word(text);
        }
        let mut rest = text;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.len().min(MAX_KEPT));
            self.line.push_str(piece);
            self.columns += piece.len();
            self.wrap();
            self.shorten();
            rest = after;
        }
    }

    /// Appends to the last word, before the blank or line end that was asked for behind it.
    pub(in crate::message) fn glue(&mut self, text: &str) {
        if self.line.is_empty() {
            return self.unbroken(text);
        }
        for c in text.chars() {
            self.push(c);
            if c == ' ' {
                self.wrap();
                self.chance = (self.line.len(), self.columns);
            }
        }
        self.wrap();
    }

    /// Appends blanks and words that are never broken.
    pub(in crate::message) fn unbroken(&mut self, text: &str) {
        self.separate();
        if text.bytes().all(|b| matches!(b, b' '..=b'~')) {
            for piece in text.as_bytes().chunks(MAX_KEPT) {
                self.line
                    .push_str(std::str::from_utf8(piece).unwrap_or_default());
                self.columns += piece.len();
                self.shorten();
            }
            return;
        }
        for c in text.chars() {
            self.push(c);
            self.shorten();
        }
    }

    /// Appends preformatted text: its blanks and line ends stay.
    pub(in crate::message) fn preformatted(&mut self, text: &str) {
        let mut lines = text.split('\n');
        if let Some(first) = lines.next().filter(|first| !first.is_empty()) {
            self.unbroken(first);
        }
        for line in lines {
            self.hard_break();
            if !line.is_empty() {
                self.unbroken(line);
            }
        }
    }

    /// Ends a line of preformatted text, even an empty one.
    pub(in crate::message) fn hard_break(&mut self) {
        if self.line.is_empty() {
            // What was asked for before is written first.
            self.separate();
        }
        self.end_line();
    }

    /// Ends the text, with one line end.
    pub(in crate::message) fn finish(mut self) {
        if !self.line.is_empty() {
            self.end_line();
        }
        // An empty line at the end says nothing.
        let end = self.done.trim_end_matches('\n').len();
        if end > 0 {
            self.done.truncate(end);
            self.done.push('\n');
        } else {
            self.done.clear();
        }
        self.hand_on();
    }

    /// Appends a word that is not ASCII.
    fn wide_word(&mut self, text: &str) {
        let mut before_is_wide = false;
        for c in text.chars() {
            let is_wide = c >= '\u{1100}' && c.width() == Some(2);
            // East Asian text has no blanks: a line may end between two characters.
            if (is_wide || before_is_wide) && !is_closing(c) {
                self.wrap();
                self.chance = (self.line.len(), self.columns);
            }
            if c == '\u{200b}' {
                self.wrap();
                self.chance = (self.line.len(), self.columns);
            }
            self.push(c);
            if self.line.len() >= MAX_KEPT {
                self.wrap();
                self.shorten();
            }
            before_is_wide = is_wide && !is_opening(c);
        }
        self.wrap();
    }

    fn push(&mut self, c: char) {
        match c {
            '\u{a0}' => {
                self.line.push(' ');
                self.columns += 1;
            }
            // They show as nothing: a hint where to break, and filling of previews.
            '\u{ad}' | '\u{200b}' | '\u{feff}' | '\u{34f}' | '\0' => {}
            _ => {
                self.line.push(c);
                self.columns += c.width().unwrap_or(0);
            }
        }
    }

    /// Breaks the line before its last word if it is too long.
    fn wrap(&mut self) {
        let (at, before) = self.chance;
        if self.width.is_none_or(|width| self.columns <= width) || at <= self.start {
            return;
        }
        self.moved.clear();
        self.moved.push_str(&self.line[at..]);
        let columns = self.columns - before;
        self.line.truncate(at);
        self.end_line();
        self.begin_line();
        self.line.push_str(&self.moved);
        self.columns += columns;
    }

    /// Hands on the beginning of a line that is too long to be kept and cannot be broken.
    #[inline]
    fn shorten(&mut self) {
        if self.line.len() >= MAX_KEPT {
            self.hand_on_line();
        }
    }

    fn hand_on_line(&mut self) {
        let (at, _) = self.chance;
        let is_fixed = self.width.is_none() || at <= self.start;
        // Blanks at its end may vanish.
        if !is_fixed || self.line.ends_with(' ') {
            return;
        }
        let last = self.line.floor_char_boundary(self.line.len() - 1);
        self.done.push_str(&self.line[..last]);
        self.line.drain(..last);
        self.start = 0;
        self.chance = (0, 0);
        self.hand_on();
    }

    /// Writes the separator before the next word.
    fn separate(&mut self) {
        if self.breaks == 0 && self.gap == 0 && !self.line.is_empty() {
            // Most words follow a blank, or go on.
            if std::mem::take(&mut self.blank) {
                if !self.line.ends_with(' ') {
                    self.line.push(' ');
                    self.columns += 1;
                }
                self.chance = (self.line.len(), self.columns);
            }
            return;
        }
        if self.line.is_empty() {
            let wanted = if self.has_begun { self.breaks } else { 0 };
            if wanted > self.ends {
                self.empty_lines(wanted - self.ends);
            }
            self.begin_line();
        } else if self.breaks > 0 {
            self.end_line();
            if self.breaks > 1 {
                self.empty_lines(self.breaks - 1);
            }
            self.begin_line();
        } else if self.blank || self.gap > 0 {
            if self.blank && !self.line.ends_with(' ') {
                self.blanks(1);
            }
            self.blanks(self.gap);
            self.gap = 0;
            self.chance = (self.line.len(), self.columns);
        }
        if self.gap > 0 {
            self.blanks(self.gap);
            self.start = self.line.len();
            self.chance = (self.start, self.columns);
        }
        self.gap = 0;
        self.breaks = 0;
        self.blank = false;
    }

    fn blanks(&mut self, count: usize) {
        self.line.extend(std::iter::repeat_n(' ', count));
        self.columns += count;
    }

    fn begin_line(&mut self) {
        self.has_begun = true;
        self.ends = 0;
        if self.marks == 0 {
            self.line.push_str(&self.prefix);
        } else {
            self.marks = 0;
            let ends = self.levels.iter().skip(1).map(|level| level.start);
            let ends: Vec<usize> = ends.chain([self.prefix.len()]).collect();
            for (level, end) in self.levels.iter_mut().zip(ends) {
                match level.mark.take() {
                    Some(mark) => self.line.push_str(&mark),
                    None => self.line.push_str(&self.prefix[level.start..end]),
                }
            }
        }
        if let Some(mark) = self.deep_mark.take() {
            self.line.push_str(&mark);
        }
        self.last_prefix = self.prefix.len();
        self.start = self.line.len();
        self.columns = self.line.len();
        self.chance = (self.start, self.columns);
    }

    fn end_line(&mut self) {
        let last = self.line.bytes().rposition(|b| b != b' ');
        let end = last.map_or(0, |last| last + 1);
        self.done.push_str(&self.line[..end]);
        self.done.push('\n');
        self.line.clear();
        self.columns = 0;
        self.start = 0;
        self.chance = (0, 0);
        self.ends += 1;
        if self.done.len() >= BLOCK {
            self.hand_on();
        }
    }

    /// Writes empty lines, within the quotes that the lines around them share.
    fn empty_lines(&mut self, count: usize) {
        let shared = self.prefix[..self.last_prefix.min(self.prefix.len())].trim_end();
        for _ in 0..count {
            self.done.push_str(shared);
            self.done.push('\n');
        }
        self.ends += count;
    }

    /// Hands on what is finished; line ends at its end wait for the text behind them.
    fn hand_on(&mut self) {
        if !self.done.is_empty() {
            (self.emit)(&self.done);
            self.done.clear();
        }
    }
}

/// Whether no line begins with this character.
fn is_closing(c: char) -> bool {
    matches!(
        c,
        '、' | '。'
            | '，'
            | '．'
            | '：'
            | '；'
            | '！'
            | '？'
            | '」'
            | '』'
            | '）'
            | '】'
            | '》'
            | '〉'
            | '〕'
            | '］'
            | '｝'
            | '’'
            | '”'
            | 'ー'
            | '々'
            | '・'
            | '…'
            | 'っ'
            | 'ゃ'
            | 'ゅ'
            | 'ょ'
            | 'ッ'
            | 'ャ'
            | 'ュ'
            | 'ョ'
            | ','
            | '.'
            | ')'
            | ']'
            | '!'
            | '?'
            | ':'
            | ';'
            | '%'
    )
}

/// Whether no line ends with this character.
fn is_opening(c: char) -> bool {
    matches!(
        c,
        '「' | '『' | '（' | '【' | '《' | '〈' | '〔' | '［' | '｛'
    )
}
