//! What is shown in the columns of a header line, besides the header block, and how it is cut.

use unicode_width::UnicodeWidthChar;

/// The parts of a header line that are not in the header block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeadlineFacts {
    /// The message's number, from 1.
    pub number: usize,
    /// The letter of the state.
    pub letter: char,
    /// Whether it is the current message.
    pub current: bool,
    /// Lines of the message, From_ line and header included.
    pub lines: u32,
    /// Bytes of the message, From_ line and header included.
    pub size: u64,
    /// How deep it stands in its thread; 0 for the first message, and without threads.
    pub depth: usize,
}

/// Appends text in a column: cut to the width, filled up to it if asked.
pub(super) fn column(out: &mut String, text: &str, width: usize, fill: bool) {
    let mut used = 0;
    if text.is_ascii() {
        used = text.len().min(width);
        out.push_str(&text[..used]);
    } else {
        for c in text.chars() {
            // A wide character that would pass the edge is left out whole.
            let wide = c.width().unwrap_or(0);
            if used + wide > width {
                break;
            }
            used += wide;
            out.push(c);
        }
    }
    if fill {
        out.extend(std::iter::repeat_n(' ', width - used));
    }
}

/// Returns how many columns a text takes; most are ASCII.
pub(super) fn width_of(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.chars().map(|c| c.width().unwrap_or(0)).sum()
    }
}

/// How many levels of a thread are set in: the subject shall still be seen.
const DEEPEST: usize = 10;

/// Returns a picture of how deep a message stands in its thread.
pub(super) fn tree(depth: usize) -> String {
    match depth {
        0 => String::new(),
        depth => format!("{}-> ", "  ".repeat((depth - 1).min(DEEPEST))),
    }
}
