//! The text of a message on its way out: pieces of limited size, and one line end at the end.

use crate::charset::Charset;

/// How much is shown of the name of a charset that we do not know, in characters.
const MAX_LABEL: usize = 40;

/// The longest piece of text that is emitted at once, in bytes.
pub(super) const PIECE: usize = 64 * 1024;

/// Output of text: only the last bytes are kept, because the text of a part may be very long.
pub(super) struct TextOutput<'g> {
    emit: &'g mut dyn FnMut(&str),
    /// How many bytes were emitted.
    len: usize,
    /// The last bytes that are no line end.
    tail: [u8; 4],
    /// The line ends behind them, which are emitted when other text follows.
    newlines: usize,
    /// A charset was unknown, and a line says so.
    is_charset_told: bool,
}

impl<'g> TextOutput<'g> {
    pub(super) fn new(emit: &'g mut dyn FnMut(&str)) -> TextOutput<'g> {
        TextOutput {
            emit,
            len: 0,
            tail: [0; 4],
            newlines: 0,
            is_charset_told: false,
        }
    }

    /// Reports once for each message that the charset of a text was guessed.
    pub(super) fn tell_unknown_charset(&mut self, label: &str, guessed: Charset) {
        if std::mem::replace(&mut self.is_charset_told, true) {
            return;
        }
        let label: String = label.chars().take(MAX_LABEL).collect();
        let label = label.replace(['\n', '\r'], " ");
        self.push(&format!(
            "[-- unknown charset \"{label}\": read as {guessed} --]\n"
        ));
    }

    pub(super) fn push(&mut self, text: &str) {
        let content = text.trim_end_matches('\n');
        if !content.is_empty() {
            self.emit_newlines(self.newlines);
            self.emit(content);
            let last = &content.as_bytes()[content.len().saturating_sub(4)..];
            self.tail.rotate_left(last.len());
            self.tail[4 - last.len()..].copy_from_slice(last);
        }
        self.newlines += text.len() - content.len();
    }

    fn emit(&mut self, text: &str) {
        self.len += text.len();
        let mut rest = text;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.floor_char_boundary(PIECE));
            (self.emit)(piece);
            rest = after;
        }
    }

    fn emit_newlines(&mut self, count: usize) {
        self.newlines = 0;
        let mut left = count;
        while left > 0 {
            let piece = left.min(NEWLINES.len());
            self.emit(&NEWLINES[..piece]);
            left -= piece;
        }
    }

    /// Returns how long the text is so far.
    pub(super) fn len(&self) -> usize {
        self.len + self.newlines
    }

    /// Ends the text before a part: with an empty line, so that one can see where a part begins.
    pub(super) fn separate(&mut self) {
        if self.len() > 0 && self.newlines < 2 {
            self.push(&NEWLINES[self.newlines..2]);
        }
    }

    /// Begins a line of ours in brackets: no empty line stands between two of them.
    pub(super) fn separate_note(&mut self) {
        if self.newlines != 1 || &self.tail != b" --]" {
            self.separate();
        }
    }

    /// Ends the text with one line end: the empty line before the next From_ line is the mailbox's,
    /// not the message's.
    pub(super) fn finish(&mut self) {
        self.emit_newlines(usize::from(self.len > 0));
    }
}

/// Line ends, to emit many at once.
const NEWLINES: &str = "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n";
