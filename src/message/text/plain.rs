//! Terminal output as plain text: escape sequences taken out, carriage returns obeyed.
//!
//! This is what `--plain` does. Colours of `ls` and `grep` and the progress bars of
//! `rsync` and `curl` are made for a screen; a mail shows what stood there at
//! the end. All other bytes pass unchanged.

use std::io::{self, Read, Write};

use crate::message::for_each_block;

/// A line longer than this is written as it is so far; a carriage return does not reach beyond
/// that.
///
/// Overwriting characters of one length by others moves the rest of the line: keep it short.
const MAX_LINE: usize = 4096;
/// A sequence longer than this is taken for text: an ESC without an end must not swallow the mail.
const MAX_SEQUENCE: usize = 4096;

/// Copies text without the escape sequences of terminals (ECMA-48), each line as a screen would show it last.
///
/// A carriage return goes back to the start of the line, a backspace one
/// character; CRLF is a line end and stays. Constant memory.
///
/// # Errors
/// Fails when the input cannot be read or the output not be written.
pub fn strip_terminal_codes(input: impl Read, out: &mut dyn Write) -> io::Result<()> {
    let mut screen = TerminalLine::default();
    for_each_block(input, |block| {
        block.iter().for_each(|&byte| screen.byte(byte));
        out.write_all(&std::mem::take(&mut screen.done))
    })?;
    screen.end();
    out.write_all(&screen.done)
}

#[derive(Default)]
enum EscapeState {
    #[default]
    Text,
    /// After ESC.
    Escape,
    /// Between `ESC [` and the final byte.
    Control,
    /// Between `ESC ]` (or P, X, ^, _) and BEL or `ESC \\`.
    String { escape: bool },
    /// Between `ESC (` and the like, and the final byte.
    Designation,
}

#[derive(Default)]
struct TerminalLine {
    /// Output that is complete.
    done: Vec<u8>,
    /// The line so far, character by character.
    line: Vec<u8>,
    /// Where in `line` the next character goes.
    cursor: usize,
    state: EscapeState,
    /// The sequence so far, kept because it is text if it turns out not to be a sequence.
    sequence: Vec<u8>,
    carriage_return: bool,
}

impl TerminalLine {
    fn byte(&mut self, byte: u8) {
        if matches!(self.state, EscapeState::Text) {
            return self.text(byte);
        }
        // A line end or another ESC breaks a sequence off.
        let is_string = matches!(self.state, EscapeState::String { .. });
        if byte == b'\n' || (byte == 0x1b && !is_string) || self.sequence.len() > MAX_SEQUENCE {
            // The sequence is dropped first: this byte is read as text, and not as a part of it.
            self.give_up();
            return self.byte(byte);
        }
        self.sequence.push(byte);
        let next = match (&self.state, byte) {
            (EscapeState::Escape, b'[') => Some(EscapeState::Control),
            (EscapeState::Escape, b']' | b'P' | b'X' | b'^' | b'_') => {
                Some(EscapeState::String { escape: false })
            }
            (EscapeState::Escape | EscapeState::Designation, b' '..=b'/') => {
                Some(EscapeState::Designation)
            }
            (EscapeState::Control, 0x20..=0x3f) => Some(EscapeState::Control),
            (EscapeState::String { escape: true }, b'\\') | (EscapeState::String { .. }, 0x07) => {
                None
            }
            (EscapeState::String { .. }, byte) => Some(EscapeState::String {
                escape: byte == 0x1b,
            }),
            (EscapeState::Control, b'K') => {
                self.erase();
                None
            }
            // The final byte of a sequence.
            (EscapeState::Escape | EscapeState::Designation, 0x30..=0x7e)
            | (EscapeState::Control, 0x40..=0x7e) => None,
            _ => return self.give_up(),
        };
        match next {
            Some(state) => self.state = state,
            None => {
                self.state = EscapeState::Text;
                self.sequence.clear();
            }
        }
    }

    fn text(&mut self, byte: u8) {
        // Until its next byte is known, a carriage return may be half of a CRLF.
        if std::mem::take(&mut self.carriage_return) {
            if byte == b'\n' {
                self.line.push(b'\r');
                return self.end_line();
            }
            if byte != b'\r' {
                self.cursor = 0;
            }
        }
        match byte {
            0x1b => {
                self.state = EscapeState::Escape;
                self.sequence = vec![byte];
            }
            b'\r' => self.carriage_return = true,
            b'\n' => self.end_line(),
            0x08 => self.cursor = character_start(&self.line, self.cursor),
            _ => self.put(byte),
        }
    }

    /// Overwrites the character at the cursor, or appends one at the end.
    fn put(&mut self, byte: u8) {
        // A character of UTF-8 replaces the whole character under the cursor; its other bytes are
        // then inserted, because the place is theirs.
        let is_first = !is_continuation(byte);
        if self.cursor < self.line.len() && is_first {
            let end = character_end(&self.line, self.cursor);
            self.line.splice(self.cursor..end, [byte]);
        } else {
            self.line.insert(self.cursor, byte);
        }
        self.cursor += 1;
        if self.line.len() >= MAX_LINE {
            self.done.append(&mut self.line);
            self.cursor = 0;
        }
    }

    /// Erases from the cursor to the end of the line, as progress bars do.
    fn erase(&mut self) {
        // `ESC [ K` erases from the cursor to the end of the line, `2K` the whole line; `1K`, which no
        // progress bar uses, is ignored. A carriage return before it has moved the cursor already.
        let whole = self.sequence.get(2) == Some(&b'2');
        let from = if self.carriage_return || whole {
            0
        } else {
            self.cursor
        };
        if self.sequence.get(2) != Some(&b'1') {
            self.line.truncate(from);
            self.cursor = self.cursor.min(self.line.len());
        }
    }

    /// Treats the beginning of a sequence as text, without its ESC.
    fn give_up(&mut self) {
        self.state = EscapeState::Text;
        for byte in std::mem::take(&mut self.sequence) {
            if byte != 0x1b {
                self.text(byte);
            }
        }
    }

    fn end_line(&mut self) {
        self.done.append(&mut self.line);
        self.done.push(b'\n');
        self.cursor = 0;
    }

    fn end(&mut self) {
        if !matches!(self.state, EscapeState::Text) {
            self.give_up();
        }
        self.done.append(&mut self.line);
    }
}

/// Returns whether the byte continues a character of UTF-8.
fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

/// Returns where the character before a place starts.
fn character_start(line: &[u8], place: usize) -> usize {
    let before = line[..place].iter().rposition(|&b| !is_continuation(b));
    before.unwrap_or(0)
}

/// Returns where the character at a place ends.
fn character_end(line: &[u8], place: usize) -> usize {
    let rest = line[place + 1..].iter().position(|&b| !is_continuation(b));
    rest.map_or(line.len(), |len| place + 1 + len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(text: &[u8]) -> String {
        let mut out = Vec::new();
        strip_terminal_codes(text, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_a_screen_would_show() {
        let table: &[(&str, &str)] = &[
            ("plain\ttext\r\nö\n", "plain\ttext\r\nö\n"),
            ("\u{1b}[1;31mred\u{1b}[0m text\n", "red text\n"),
            ("\u{1b}]0;title\u{7}a\u{1b}]8;;http://x\u{1b}\\b\n", "ab\n"),
            ("\u{1b}(B\u{1b}[?25lx\u{1b}[K\u{1b}[m\n", "x\n"),
            (" 10%\r 50%\r100%\ndone", "100%\ndone"),
            ("long line\rshort\n", "shortline\n"),
            ("long line\r\u{1b}[Kshort\n", "short\n"),
            ("größe\rABCD\n", "ABCDe\n"),
            ("ab\u{8}c ö\u{8}x\r\r\n", "ac x\r\n"),
            ("N\u{8}NA\u{8}A\n", "NA\n"),
            ("end\r", "end"),
            ("\u{1b}[1\n\u{1b}", "[1\n"),
            ("\u{1b}]open\nnext\n", "]open\nnext\n"),
        ];
        for (text, expected) in table {
            assert_eq!(stripped(text.as_bytes()), *expected, "{text:?}");
        }
    }

    #[test]
    fn hostile_text_costs_no_more_than_its_length() {
        for piece in ["\u{1b}[", "\u{1b}]", "\u{1b}", "x", "\u{8}", "a\r"] {
            stripped(piece.repeat(1 << 20).as_bytes());
        }
        let overwritten = format!("{}\r{}", "x".repeat(4000), "ö".repeat(1000));
        stripped(overwritten.repeat(200).as_bytes());
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig {
            failure_persistence: None,
            ..proptest::prelude::ProptestConfig::default()
        })]

        #[test]
        fn text_without_controls_stays(text in "[ -~äö\n\t]{0,200}") {
            assert_eq!(stripped(text.as_bytes()), text);
        }
    }
}
