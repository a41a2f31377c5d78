//! Plain text line by line: `format=flowed` joined and filled (RFC 3676), long lines broken.

use super::fill::{fill, fill_line};
use crate::message::parse::part::TextFormat;

/// Takes text in pieces and hands on lines.
pub(super) struct Lines<'o> {
    format: TextFormat,
    /// The columns that flowed paragraphs are filled to.
    width: usize,
    /// Whether other long lines are broken, too.
    breaks: bool,
    emit: &'o mut dyn FnMut(&str),
    /// The start of a line whose end has not come yet.
    partial: String,
    /// The flowed paragraph so far, and how deep it is quoted.
    paragraph: Option<(usize, String)>,
}

impl<'o> Lines<'o> {
    pub(super) fn new(
        format: TextFormat,
        width: usize,
        breaks: bool,
        emit: &'o mut dyn FnMut(&str),
    ) -> Lines<'o> {
        Lines {
            format,
            width,
            breaks,
            emit,
            partial: String::new(),
            paragraph: None,
        }
    }

    /// Takes a piece of text in LF lines.
    pub(super) fn push(&mut self, mut text: &str) {
        while let Some(end) = memchr::memchr(b'\n', text.as_bytes()) {
            let (line, rest) = text.split_at(end);
            text = &rest[1..];
            if self.partial.is_empty() {
                self.line(line);
            } else {
                let mut whole = std::mem::take(&mut self.partial);
                whole.push_str(line);
                self.line(&whole);
            }
        }
        self.partial.push_str(text);
    }

    /// Hands on what is left.
    pub(super) fn finish(mut self) {
        if !self.partial.is_empty() {
            let last = std::mem::take(&mut self.partial);
            self.line(&last);
        }
        self.end_paragraph();
    }

    fn line(&mut self, line: &str) {
        match self.format {
            TextFormat::Fixed => self.fixed(line),
            TextFormat::Flowed { delsp } => self.flowed(line, delsp),
        }
    }

    fn fixed(&mut self, line: &str) {
        if self.breaks {
            fill_line(line, self.width, self.emit);
        } else {
            (self.emit)(line);
            (self.emit)("\n");
        }
    }

    fn flowed(&mut self, line: &str, delsp: bool) {
        let text = line.trim_start_matches('>');
        let depth = line.len() - text.len();
        // Section 4.4: one blank in front was stuffed there.
        let text = text.strip_prefix(' ').unwrap_or(text);
        // Section 4.3: the line before a signature ends in a blank and is not flowed.
        let flows = text.ends_with(' ') && text != "-- ";
        if self
            .paragraph
            .as_ref()
            .is_some_and(|(open, _)| *open != depth || text == "-- ")
        {
            // Section 4.5: a paragraph does not go on in a line of another depth.
            self.end_paragraph();
        }
        let text = match text.strip_suffix(' ') {
            Some(joined) if flows && delsp => joined,
            _ => text,
        };
        match &mut self.paragraph {
            Some((_, paragraph)) => paragraph.push_str(text),
            None if flows => self.paragraph = Some((depth, text.to_owned())),
            None if depth == 0 => return self.fixed(text),
            None => {
                let quoted = format!("{}{text}", quote(depth));
                return self.fixed(quoted.trim_end());
            }
        }
        if !flows {
            self.end_paragraph();
        }
    }

    fn end_paragraph(&mut self) {
        if let Some((depth, paragraph)) = self.paragraph.take() {
            fill(&quote(depth), paragraph.trim_end(), self.width, self.emit);
        }
    }
}

/// Returns the quote marks before a line.
fn quote(depth: usize) -> String {
    match depth {
        0 => String::new(),
        _ => format!("{} ", ">".repeat(depth)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(format: TextFormat, text: &str) -> String {
        let mut out = String::new();
        let mut emit = |piece: &str| out.push_str(piece);
        let mut lines = Lines::new(format, 30, false, &mut emit);
        // Pieces end anywhere.
        for piece in text.split_inclusive(['o', '\n']) {
            lines.push(piece);
        }
        lines.finish();
        out
    }

    #[test]
    fn flowed_lines_are_joined_and_filled() {
        let flowed = TextFormat::Flowed { delsp: false };
        let rows = [
            ("one \ntwo \nthree\nfour\n", "one two three\nfour\n"),
            (
                "one two three four five \nsix seven\n",
                "one two three four five six\nseven\n",
            ),
            ("> a \n> b\n>> c \n> d\n", "> a b\n>> c\n> d\n"),
            (" From here\n > no quote\n", "From here\n> no quote\n"),
            ("text \n-- \nname \nmore\n", "text\n-- \nname more\n"),
            ("open \n", "open\n"),
            ("\n\nx", "\n\nx\n"),
            (">\n>x\n", ">\n> x\n"),
        ];
        for (given, expected) in rows {
            assert_eq!(joined(flowed, given), expected, "{given}");
        }
        let delsp = TextFormat::Flowed { delsp: true };
        assert_eq!(joined(delsp, "日本 \n語\nwor \nd\n"), "日本語\nword\n");
        assert_eq!(joined(TextFormat::Fixed, "a \nb"), "a \nb\n");
    }

    #[test]
    fn a_paragraph_of_megabytes_takes_linear_time() {
        let text = "word and more \n".repeat(200_000);
        let out = joined(TextFormat::Flowed { delsp: false }, &text);
        assert!(out.lines().all(|line| line.len() <= 30));
    }
}
