//! HTML as text: the text of a mail that has only HTML.
//!
//! One pass over the tokens of the document ([`tokens`]), no tree: blocks become lines, filled with
//! words to a width ([`filler`](super::filler)); list items get marks, quotes `> `, links a number
//! and a line at the end ([`links`]); the rows of a table are kept until it is known how they are best
//! laid out ([`grid`]). What a browser never shows (scripts, styles, comments, hidden elements) is
//! left out. Linear in time, whatever is open or nested; the memory beside the document is bounded
//! but for the targets of links. What comes out is not safe for a terminal yet, as no text of a
//! mail is.

mod attributes;
mod grid;
mod layout;
mod links;
mod open;
mod page;
mod style;
mod tag;
mod target;
mod tokens;

pub use layout::Layout;
use page::Page;

/// Hands the text of an HTML document to `emit`, a piece at a time; it ends with a line end.
pub fn each_of_text(html: &str, layout: &Layout, emit: &mut dyn FnMut(&str)) {
    let mut page = Page::new(layout, emit);
    tokens::read(html, &mut page);
    page.finish();
}

/// Returns the text of an HTML document, not wrapped.
pub fn text(html: &str) -> String {
    let mut text = String::new();
    each_of_text(html, &Layout::default(), &mut |piece| text.push_str(piece));
    if text.is_empty() {
        text.push('\n');
    }
    text
}

/// Whether a text without a label, or with one for plain text, is an HTML document: it begins as one.
///
/// An element that may begin any text counts only if the document ends as one.
pub fn is_document(text: &str) -> bool {
    const BEGINS: [&str; 4] = ["!doctype html", "html", "head", "body"];
    const MAY_BEGIN: [&str; 9] = [
        "meta", "title", "style", "table", "div", "center", "font", "p", "span",
    ];
    const MAX_COMMENTS: usize = 8;
    let mut rest = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    for _ in 0..MAX_COMMENTS {
        let end = match rest {
            _ if rest.starts_with("<!--") => "-->",
            _ if rest.starts_with("<?xml") => "?>",
            _ => break,
        };
        let Some((_, after)) = rest.split_once(end) else {
            return false;
        };
        rest = after.trim_start();
    }
    let Some(tag) = rest.strip_prefix('<') else {
        return false;
    };
    let is_one = |name: &&str| {
        tag.get(..name.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(name))
            && tag[name.len()..].starts_with(|c: char| c.is_ascii_whitespace() || c == '>')
    };
    if BEGINS.iter().any(&is_one) {
        return true;
    }
    let whole = text.trim_end();
    let tail = whole.floor_char_boundary(whole.len().saturating_sub(64));
    let tail = whole[tail..].to_ascii_lowercase();
    MAY_BEGIN.iter().any(is_one) && (tail.contains("</html>") || tail.contains("</body>"))
}

/// Returns the character that a reference names, without its `&` and `;`.
pub(in crate::message) fn reference(name: &str) -> Option<char> {
    tokens::character(&format!("{name};"))
}

#[cfg(test)]
mod tests;
