//! HTML as text: the text of a mail that has only HTML.
//!
//! One pass over tags and text, no tree: blocks become lines, list items get
//! marks, cells a blank between them, links a number and a line at the end.
//! What is never shown in a browser (scripts, styles, comments) is left out.
//! Linear in time, whatever is open or nested. What comes out is not safe for
//! a terminal yet, as no text of a mail is.

use std::fmt::Write;

use memchr::{memchr, memmem};

/// How many links are listed.
const MAX_LINKS: usize = 1000;
/// How far a list item is set in, in levels.
const MAX_INDENT: usize = 8;

/// Returns the text of an HTML document.
pub fn text(html: &str) -> String {
    let mut page = Page::default();
    // Behind the last `>` no tag ends: for each `<` there, the search for an end would read the
    // whole rest, which takes quadratic time.
    let tagged = memchr::memrchr(b'>', html.as_bytes()).map_or(0, |last| last + 1);
    let (mut rest, tail) = html.split_at(tagged);
    while let Some(start) = memchr(b'<', rest.as_bytes()) {
        page.words(&rest[..start]);
        rest = &rest[start..];
        let Some((tag, after)) = split_tag(rest) else {
            page.words("<");
            rest = &rest[1..];
            continue;
        };
        rest = after;
        if let Some(closing) = page.tag(tag) {
            // A script without an end: browsers show nothing behind it, either.
            match skip_to(rest, closing) {
                Some(after) => rest = after,
                None => return page.finish(),
            }
        }
    }
    page.words(rest);
    page.words(tail);
    page.finish()
}

/// Splits `<tag …>` from what follows it; comments and declarations are tags without a name.
fn split_tag(text: &str) -> Option<(&str, &str)> {
    if let Some(comment) = text.strip_prefix("<!--") {
        let end = memmem::find(comment.as_bytes(), b"-->").map_or(comment.len(), |at| at + 3);
        return Some(("", &comment[end..]));
    }
    let first = text.as_bytes().get(1)?;
    if !first.is_ascii_alphabetic() && !matches!(first, b'/' | b'!' | b'?') {
        return None;
    }
    let end = memchr(b'>', text.as_bytes())?;
    let tag = if matches!(first, b'!' | b'?') {
        ""
    } else {
        &text[1..end]
    };
    Some((tag, &text[end + 1..]))
}

/// Returns the text from the closing tag on of an element that is not shown.
fn skip_to<'a>(text: &'a str, closing: &str) -> Option<&'a str> {
    let bytes = text.as_bytes();
    let found = memmem::find_iter(bytes, b"</").find(|&at| {
        bytes
            .get(at + 2..at + 2 + closing.len())
            .is_some_and(|name| name.eq_ignore_ascii_case(closing.as_bytes()))
    });
    found.map(|at| &text[at..])
}

/// The text so far, and the separator before the next word.
#[derive(Default)]
struct Page {
    out: String,
    /// Line ends to write before the next word.
    breaks: usize,
    /// Whether a blank stands before the next word.
    blank: bool,
    preformatted: usize,
    /// The lists that are open: the number of the next item, if they count.
    lists: Vec<Option<usize>>,
    /// The URL of the open link, and the start of its text.
    link: Option<(String, usize)>,
    links: Vec<String>,
}

impl Page {
    /// Takes a tag; returns the name of an element whose content is to be skipped.
    fn tag(&mut self, tag: &str) -> Option<&'static str> {
        let (closes, tag) = match tag.strip_prefix('/') {
            Some(tag) => (true, tag),
            None => (false, tag),
        };
        let end = tag
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(tag.len());
        // The names below are shorter than 16 bytes: of a longer one no more is copied.
        let name = tag[..end.min(16)].to_ascii_lowercase();
        match &*name {
            "script" if !closes => return Some("script"),
            "style" if !closes => return Some("style"),
            "title" if !closes => return Some("title"),
            "br" => self.line_break(),
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "table" | "blockquote" | "dl" => {
                self.paragraph()
            }
            "div" | "tr" | "dt" | "dd" | "section" | "article" | "header" | "footer" | "center"
            | "form" | "address" | "caption" => self.block(),
            "pre" => {
                self.paragraph();
                self.preformatted = if closes {
                    self.preformatted.saturating_sub(1)
                } else {
                    self.preformatted + 1
                };
            }
            "hr" => {
                self.block();
                self.word("----------------------------------------");
                self.block();
            }
            "td" | "th" => self.blank = true,
            "ul" | "ol" => self.list(closes, &name),
            "li" if !closes => self.item(),
            "a" if closes => self.close_link(),
            "a" => self.open_link(tag),
            "img" => {
                if let Some(text) = attribute(tag, "alt").filter(|text| !text.trim().is_empty()) {
                    self.words(&format!("[{}]", text.trim()));
                }
            }
            _ => {}
        }
        None
    }

    /// Takes text between tags.
    fn words(&mut self, text: &str) {
        let text = &*unescape(text);
        if self.preformatted > 0 {
            self.separate();
            self.out.push_str(text);
            return;
        }
        // A no-break space is a word here: it is there to be seen.
        let is_blank = |c: char| c.is_ascii_whitespace();
        self.blank |= text.starts_with(is_blank);
        for word in text.split(is_blank).filter(|word| !word.is_empty()) {
            self.word(word);
            self.blank = true;
        }
        if !text.is_empty() {
            self.blank = text.ends_with(is_blank) || (self.blank && text.trim().is_empty());
        }
    }

    fn word(&mut self, word: &str) {
        self.separate();
        self.out.push_str(word);
    }

    /// Writes the separator before the next word.
    fn separate(&mut self) {
        if self.breaks > 0 {
            let end = self.out.trim_end_matches(' ').len();
            self.out.truncate(end);
            if !self.out.is_empty() {
                self.out.extend(std::iter::repeat_n('\n', self.breaks));
            }
        } else if self.blank && !self.out.is_empty() && !self.out.ends_with([' ', '\n']) {
            self.out.push(' ');
        }
        self.breaks = 0;
        self.blank = false;
    }

    fn line_break(&mut self) {
        self.breaks = (self.breaks + 1).min(2);
    }

    fn block(&mut self) {
        self.breaks = self.breaks.max(1);
    }

    fn paragraph(&mut self) {
        self.breaks = 2;
    }

    fn list(&mut self, closes: bool, name: &str) {
        if closes {
            self.lists.pop();
        } else {
            self.lists.push((name == "ol").then_some(1));
        }
        // An empty line around the outermost list, none around lists within lists.
        if self.lists.len() <= usize::from(!closes) {
            self.paragraph();
        } else {
            self.block();
        }
    }

    fn item(&mut self) {
        self.block();
        let indent = self.lists.len().clamp(1, MAX_INDENT) - 1;
        let mark = match self.lists.last_mut() {
            Some(Some(number)) => {
                *number += 1;
                format!("{}.", *number - 1)
            }
            _ => "*".to_owned(),
        };
        self.word(&format!("{}{mark}", "  ".repeat(indent)));
        self.blank = true;
    }

    fn open_link(&mut self, tag: &str) {
        // Links cannot be nested (HTML): the next one ends the one before.
        self.close_link();
        if let Some(target) = attribute(tag, "href") {
            self.link = Some((target.trim().to_owned(), self.out.len()));
        }
    }

    /// Ends a link: numbers it, unless its text says where it leads.
    fn close_link(&mut self) {
        let Some((target, start)) = self.link.take() else {
            return;
        };
        let shown = self.out.get(start..).unwrap_or_default().trim();
        // Only links to a host are listed: an anchor leads nowhere in a text, and a `mailto:` link mostly
        // shows its address.
        let leads_out = target.contains("://");
        if !leads_out || shown.is_empty() || target.contains(shown) || self.links.len() >= MAX_LINKS
        {
            return;
        }
        self.links.push(target);
        let _ = write!(self.out, "[{}]", self.links.len());
    }

    fn finish(mut self) -> String {
        self.close_link();
        let end = self.out.trim_end().len();
        self.out.truncate(end);
        if !self.links.is_empty() {
            self.out.push('\n');
        }
        for (index, target) in self.links.iter().enumerate() {
            let _ = write!(self.out, "\n[{}] {target}", index + 1);
        }
        self.out.push('\n');
        self.out
    }
}

/// Returns the value of an attribute of a tag.
fn attribute(tag: &str, name: &str) -> Option<String> {
    // Lower case of ASCII changes no length: places found in `lower` hold in `tag`.
    let lower = tag.to_ascii_lowercase();
    let start = lower.match_indices(name).find_map(|(at, _)| {
        let before = lower[..at].chars().next_back()?;
        let value = lower[at + name.len()..].trim_start().strip_prefix('=')?;
        before
            .is_ascii_whitespace()
            .then_some(lower.len() - value.len())
    })?;
    let value = tag[start..].trim_start();
    let value = match value.chars().next()? {
        quote @ ('"' | '\'') => value[1..].split(quote).next()?,
        _ => value.split(|c: char| c.is_ascii_whitespace()).next()?,
    };
    Some(unescape(value))
}

/// Returns text with its character references replaced; unknown ones stay.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr(b'&', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        // No name we know is longer than this.
        let end = rest.bytes().take(12).position(|byte| byte == b';');
        match end.and_then(|end| Some((reference(&rest[1..end])?, end))) {
            Some((c, end)) => {
                out.push(c);
                rest = &rest[end + 1..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// Returns the character that a reference names, without its `&` and `;`.
pub(in crate::message) fn reference(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code);
    }
    NAMES
        .iter()
        .find(|(known, _)| *known == name)
        .map(|&(_, c)| c)
}

/// The names that mails use; a name that is not here is shown as written.
const NAMES: &[(&str, char)] = &[
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", ' '),
    ("zwnj", '\u{200c}'),
    ("shy", '\u{ad}'),
    ("ndash", '–'),
    ("mdash", '—'),
    ("hellip", '…'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("sbquo", '‚'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("bdquo", '„'),
    ("laquo", '«'),
    ("raquo", '»'),
    ("bull", '•'),
    ("middot", '·'),
    ("copy", '©'),
    ("reg", '®'),
    ("trade", '™'),
    ("euro", '€'),
    ("pound", '£'),
    ("yen", '¥'),
    ("cent", '¢'),
    ("sect", '§'),
    ("deg", '°'),
    ("times", '×'),
    ("larr", '←'),
    ("rarr", '→'),
    ("iexcl", '¡'),
    ("iquest", '¿'),
    ("Agrave", 'À'),
    ("Aacute", 'Á'),
    ("Acirc", 'Â'),
    ("Atilde", 'Ã'),
    ("Auml", 'Ä'),
    ("Aring", 'Å'),
    ("AElig", 'Æ'),
    ("Ccedil", 'Ç'),
    ("Egrave", 'È'),
    ("Eacute", 'É'),
    ("Ecirc", 'Ê'),
    ("Euml", 'Ë'),
    ("Iacute", 'Í'),
    ("Ntilde", 'Ñ'),
    ("Oacute", 'Ó'),
    ("Ocirc", 'Ô'),
    ("Otilde", 'Õ'),
    ("Ouml", 'Ö'),
    ("Oslash", 'Ø'),
    ("Uacute", 'Ú'),
    ("Uuml", 'Ü'),
    ("szlig", 'ß'),
    ("agrave", 'à'),
    ("aacute", 'á'),
    ("acirc", 'â'),
    ("atilde", 'ã'),
    ("auml", 'ä'),
    ("aring", 'å'),
    ("aelig", 'æ'),
    ("ccedil", 'ç'),
    ("egrave", 'è'),
    ("eacute", 'é'),
    ("ecirc", 'ê'),
    ("euml", 'ë'),
    ("igrave", 'ì'),
    ("iacute", 'í'),
    ("icirc", 'î'),
    ("iuml", 'ï'),
    ("ntilde", 'ñ'),
    ("ograve", 'ò'),
    ("oacute", 'ó'),
    ("ocirc", 'ô'),
    ("otilde", 'õ'),
    ("ouml", 'ö'),
    ("oslash", 'ø'),
    ("ugrave", 'ù'),
    ("uacute", 'ú'),
    ("ucirc", 'û'),
    ("uuml", 'ü'),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_become_lines() {
        let cases: &[(&str, &str)] = &[
            ("<h1>Head</h1><p>One", "Head\n\nOne\n"),
            ("a<br>b<br/>c<BR >d", "a\nb\nc\nd\n"),
            ("<div>a</div><div>b</div>", "a\nb\n"),
            ("a <b>bold</b>, <i>x</i>y", "a bold, xy\n"),
            ("  many \n  blanks ", "many blanks\n"),
            ("<ul><li>a<li>b</ul>end", "* a\n* b\n\nend\n"),
            (
                "<ol><li>a</li><li>b<ul><li>c</ul></li></ol>",
                "1. a\n2. b\n  * c\n",
            ),
            (
                "<table><tr><td>a</td><td>b</td></tr><tr><td>c</table>",
                "a b\nc\n",
            ),
            ("x<pre>a\n  b</pre>y", "x\n\na\n  b\n\ny\n"),
            ("<style>p {}</style><p>a<script>1 < 2</script>b", "ab\n"),
            ("a<!-- <p>no --> b <!DOCTYPE html>c", "a b c\n"),
            (
                "Gr&ouml;&szlig;e &lt;1&gt; &#8364;&#x20ac; &nope; & &amp;lt;",
                "Größe <1> €€ &nope; & &lt;\n",
            ),
            ("<img alt='a cat' src=x> <img src=y alt=\"\">", "[a cat]\n"),
            (
                "<a href=\"https://x.example/?a=1&amp;b=2\">here</a> and <a href='https://y.example/'>y.example</a>",
                "here[1] and y.example\n\n[1] https://x.example/?a=1&b=2\n",
            ),
            ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2\n"),
            ("a <b unclosed", "a <b unclosed\n"),
            ("<p>a <!-- open > b", "a b\n"),
            ("<p>a</p> <script> if (a > b)", "a\n"),
            ("<hr>", "----------------------------------------\n"),
            ("", "\n"),
        ];
        for (html, expected) in cases {
            assert_eq!(text(html), *expected, "{html}");
        }
    }

    #[test]
    fn nests_and_open_ends_are_read_through() {
        for piece in [
            "<", "<a", "<div>", "<ul><li>", "<!--", "<script>", "&", "<a href=", "</",
        ] {
            let out = text(&format!("{}x", piece.repeat(20_000)));
            assert!(out.len() < 1_000_000, "{piece}");
        }
    }
}
