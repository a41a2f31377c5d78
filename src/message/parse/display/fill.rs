//! Lines of a width: long lines are broken at blanks and between wide characters.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar;

/// The narrowest width that text is filled to: behind deep quotes there may be no room at all.
const NARROWEST: usize = 20;

/// Hands text without line ends to `emit` as lines of at most `width` columns; each line begins with
/// `prefix`, and a word that is longer than a line stays whole.
pub(super) fn fill(prefix: &str, text: &str, width: usize, emit: &mut dyn FnMut(&str)) {
    let room = width.saturating_sub(columns(prefix)).max(NARROWEST);
    let mut rest = text;
    loop {
        let (line, after) = split_line(rest, room);
        emit(prefix);
        emit(line);
        emit("\n");
        match after {
            Some(after) => rest = after,
            None => return,
        }
    }
}

/// Hands a line as it stands to `emit`, broken where it is longer than `width` columns; the lines
/// after the first repeat its quote marks.
pub(super) fn fill_line(line: &str, width: usize, emit: &mut dyn FnMut(&str)) {
    // Most lines are short: bytes are at least as many as columns.
    if line.len() <= width || columns(line) <= width {
        emit(line);
        return emit("\n");
    }
    let marks = line.len() - line.trim_start_matches(['>', ' ']).len();
    let (prefix, text) = match &line[..marks] {
        prefix if prefix.contains('>') => (Cow::Borrowed(prefix), &line[marks..]),
        _ => (Cow::Borrowed(""), line),
    };
    fill(&prefix, text, width, emit);
}

/// Splits text after as much as there is room for; nothing is left if all of it fits.
fn split_line(text: &str, room: usize) -> (&str, Option<&str>) {
    let mut column = 0;
    // Where the line may end, and where the next one begins.
    let mut opportunity = None;
    let mut blanks_start = None;
    for (at, c) in text.char_indices() {
        if c == ' ' {
            blanks_start.get_or_insert(at);
            column += 1;
            continue;
        }
        let wide = width_of(c, column);
        // Blanks at the start of a line are an indent.
        match blanks_start.take() {
            Some(start) if start > 0 => opportunity = Some((start, at)),
            None if wide == 2 && at > 0 => opportunity = Some((at, at)),
            _ => {}
        }
        column += wide;
        if column > room
            && let Some((end, next)) = opportunity
        {
            return (&text[..end], Some(&text[next..]));
        }
    }
    (text, None)
}

fn columns(text: &str) -> usize {
    text.chars()
        .fold(0, |column, c| column + width_of(c, column))
}

fn width_of(c: char, column: usize) -> usize {
    match c {
        '\t' => 8 - column % 8,
        ' '..='~' => 1,
        // What has no width is shown by `sanitize` as something that has one, or joins another.
        _ => c.width().unwrap_or(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(prefix: &str, text: &str, width: usize) -> String {
        let mut out = String::new();
        fill(prefix, text, width, &mut |piece| out.push_str(piece));
        out
    }

    #[test]
    fn lines_are_broken_at_blanks_and_between_wide_characters() {
        let rows = [
            (
                "",
                "one two three four five six",
                "one two three four\nfive six\n",
            ),
            (
                "> ",
                "one two three four five",
                "> one two three four\n> five\n",
            ),
            (
                "",
                "https://example.org/a/long/one here",
                "https://example.org/a/long/one\nhere\n",
            ),
            ("", "a  b", "a  b\n"),
            ("", "", "\n"),
            (
                "",
                "  indented text that is long",
                "  indented text that\nis long\n",
            ),
            (
                "",
                "日本語日本語日本語日本語",
                "日本語日本語日本語日\n本語\n",
            ),
        ];
        for (prefix, text, expected) in rows {
            let width = 20 + prefix.len();
            assert_eq!(filled(prefix, text, width), expected, "{text}");
        }
    }

    #[test]
    fn a_long_quoted_line_stays_quoted() {
        let mut out = String::new();
        let line = "> > one two three four five";
        fill_line(line, 24, &mut |piece| out.push_str(piece));
        assert_eq!(out, "> > one two three four\n> > five\n");
        out.clear();
        fill_line("    $ short", 24, &mut |piece| out.push_str(piece));
        assert_eq!(out, "    $ short\n");
    }

    #[test]
    fn a_line_of_megabytes_takes_linear_time() {
        let long = "word ".repeat(400_000);
        let mut len = 0;
        fill("", &long, 80, &mut |piece| len += piece.len());
        assert!(len >= long.len() - 1);
        fill("", &"x".repeat(2_000_000), 80, &mut |_| {});
    }
}
