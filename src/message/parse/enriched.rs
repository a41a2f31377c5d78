//! `text/enriched` (RFC 1896) and `text/richtext` (RFC 1341 section 7.1.3) as text.
//!
//! Commands in angle brackets, of which only those count that move lines. One pass; a `<` that begins
//! no command is a `<`.

use memchr::memchr2;

use super::filler::Filler;

/// The longest name of a command (RFC 1896: 60 characters), with `</` and `>`.
const MAX_COMMAND: usize = 63;

/// Hands the text of an enriched text to `emit`, a piece at a time; `width` is in columns, and `None`
/// wraps nothing. `is_richtext` says which of the two forms it has.
pub fn each_of_text(
    text: &str,
    is_richtext: bool,
    width: Option<usize>,
    emit: &mut dyn FnMut(&str),
) {
    let mut reader = Reader {
        filler: Filler::new(width, emit),
        is_richtext,
        unfilled: 0,
        hidden: 0,
        levels: 0,
        line_ends: 0,
    };
    reader.read(text);
    reader.filler.finish();
}

struct Reader<'e> {
    filler: Filler<'e>,
    is_richtext: bool,
    /// How many `nofill` are open.
    unfilled: usize,
    /// How many parameters and comments are open.
    hidden: usize,
    levels: usize,
    /// Line ends without text between them.
    line_ends: usize,
}

impl Reader<'_> {
    fn read(&mut self, text: &str) {
        let mut rest = text;
        while let Some(at) = memchr2(b'<', b'\n', rest.as_bytes()) {
            self.words(&rest[..at]);
            rest = &rest[at..];
            if let Some(after) = rest.strip_prefix('\n') {
                self.line_end();
                rest = after;
            } else if let Some((name, after)) = command(rest) {
                rest = self.command(name, after);
            } else {
                // `<<` is a `<` in enriched text; any other one is what it looks like.
                let is_double = !self.is_richtext && rest.starts_with("<<");
                self.words("<");
                rest = &rest[if is_double { 2 } else { 1 }..];
            }
        }
        self.words(rest);
    }

    fn line_end(&mut self) {
        if self.hidden > 0 {
        } else if self.unfilled > 0 {
            self.filler.hard_break();
        } else if self.is_richtext {
            self.filler.blank();
        } else {
            // One line end is a blank, and each further one a line end.
            self.line_ends += 1;
            if self.line_ends > 1 {
                self.filler.line_break();
            } else {
                self.filler.blank();
            }
        }
    }

    fn words(&mut self, text: &str) {
        if text.is_empty() || self.hidden > 0 {
            return;
        }
        self.line_ends = 0;
        if self.unfilled > 0 {
            return self.filler.preformatted(text);
        }
        for (number, word) in text.split([' ', '\t', '\r']).enumerate() {
            if number > 0 {
                self.filler.blank();
            }
            self.filler.word(word);
        }
    }

    /// Takes a command; returns where the text goes on.
    fn command<'t>(&mut self, name: &str, after: &'t str) -> &'t str {
        let (ends, name) = match name.strip_prefix('/') {
            Some(name) => (true, name),
            None => (false, name),
        };
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        let counted = |count: &mut usize| {
            *count = if ends {
                count.saturating_sub(1)
            } else {
                *count + 1
            };
        };
        if is("param") || is("comment") {
            counted(&mut self.hidden);
        } else if is("nofill") || (is("verbatim") && !ends) {
            self.filler.block();
            counted(&mut self.unfilled);
            if is("verbatim") {
                return self.verbatim(after);
            }
        } else if is("lt") {
            self.words("<");
        } else if is("nl") && self.is_richtext {
            self.filler.line_break();
        } else if is("np") || is("paragraph") {
            self.filler.paragraph();
        } else if is("excerpt") || is("indent") || is("indentright") {
            self.filler.block();
            if !ends {
                self.levels += 1;
                let prefix = if is("excerpt") { "> " } else { "    " };
                self.filler.enter(prefix, None);
            } else if self.levels > 0 {
                self.levels -= 1;
                self.filler.leave();
            }
        } else if [
            "center",
            "flushleft",
            "flushright",
            "flushboth",
            "heading",
            "footing",
        ]
        .iter()
        .any(|known| is(known))
        {
            self.filler.block();
        }
        after
    }

    /// Shows text in which a command is none, up to the end of it.
    fn verbatim<'t>(&mut self, text: &'t str) -> &'t str {
        const END: &str = "</verbatim>";
        let end = memchr::memchr_iter(b'<', text.as_bytes()).find(|&at| {
            text.get(at..at + END.len())
                .is_some_and(|found| found.eq_ignore_ascii_case(END))
        });
        let (shown, after) = match end {
            Some(end) => (&text[..end], &text[end + END.len()..]),
            None => (text, ""),
        };
        if self.hidden == 0 {
            self.filler.preformatted(shown);
        }
        self.unfilled = self.unfilled.saturating_sub(1);
        self.filler.block();
        after
    }
}

/// Splits a command from the text behind it.
fn command(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let end = bytes.iter().take(MAX_COMMAND).position(|&b| b == b'>')?;
    let name = &text[1..end];
    let bare = name.strip_prefix('/').unwrap_or(name);
    let is_name = !bare.is_empty() && bare.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    is_name.then(|| (name, &text[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(given: &str, is_richtext: bool, width: Option<usize>) -> String {
        let mut out = String::new();
        each_of_text(given, is_richtext, width, &mut |piece| out.push_str(piece));
        out
    }

    #[test]
    fn enriched_text_becomes_lines() {
        let cases = [
            (
                "<bold>Now</bold> is the\ntime.\n\nNext\n",
                "Now is the time.\nNext\n",
            ),
            ("a\n\n\nb", "a\n\nb\n"),
            ("1 << 2, <<b> and 3 > 2", "1 < 2, <b> and 3 > 2\n"),
            ("<color><param>red</param>red</color> x", "red x\n"),
            ("<nofill>a  b\n  c\n</nofill>d", "a  b\n  c\nd\n"),
            ("<excerpt>old\n\ntext</excerpt>new", "> old\n> text\nnew\n"),
            ("<verbatim><bold>  x</verbatim>y", "<bold>  x\ny\n"),
            ("a < b <unclosed", "a < b <unclosed\n"),
            ("", ""),
        ];
        for (given, expected) in cases {
            assert_eq!(text(given, false, None), expected, "{given}");
        }
    }

    #[test]
    fn richtext_has_its_own_line_ends() {
        let given = "a\nb<nl>c <lt>d> <comment>not this</comment>e<np>f";
        assert_eq!(text(given, true, None), "a b\nc <d> e\n\nf\n");
    }

    #[test]
    fn enriched_text_is_wrapped() {
        let given = format!("<excerpt>{}</excerpt>", "word ".repeat(20));
        let shown = text(&given, false, Some(40));
        assert!(
            shown
                .lines()
                .all(|line| line.len() <= 40 && line.starts_with("> word"))
        );
        assert_eq!(shown.matches("word").count(), 20);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_shown(given: String, width in proptest::option::of(1usize..100)) {
            let shown = text(&given, false, width);
            proptest::prop_assert!(shown.len() <= given.len() * 80 + 100);
        }
    }
}
