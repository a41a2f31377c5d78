//! The pictures that an HTML text names: the places of the references, and their meanings.
//!
//! One pass over the bytes without recursion. Only what readers of mail show counts: `src` of `img`
//! and of `input type=image`, `srcset`, `poster`, `background`, and `url()` of styles. Scripts,
//! comments and frames are passed over. Nothing is opened here; the caller decides what a
//! reference may name.

use std::ops::Range;

use memchr::{memchr, memmem};

use crate::message::parse::html::reference;

mod tag;
mod target;

use tag::Tag;
pub use target::{PICTURE_START, PictureTarget, is_picture_name, picture_type};

/// A reference to a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureReference {
    /// The place of the URL in the HTML.
    pub place: Range<usize>,
    /// The URL, with its character references replaced.
    pub url: Vec<u8>,
    /// Whether it is in a style, where a `url()` may also be a font or another style.
    pub in_style: bool,
}

/// The references of one text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PictureReferences {
    /// The references, in their order.
    pub found: Vec<PictureReference>,
    /// Whether a `<base href>` says that relative URLs belong to another place.
    pub has_base: bool,
}

impl PictureReferences {
    /// Finds the references of an HTML text.
    pub fn of(html: &[u8]) -> PictureReferences {
        let mut references = PictureReferences::default();
        let mut at = 0;
        while let Some(found) = memchr(b'<', &html[at..]) {
            at = references.markup(html, at + found);
        }
        // The attributes of a tag are asked for by name, and may stand in any order.
        references
            .found
            .sort_by_key(|reference| reference.place.start);
        references
    }

    /// Reads what begins with the `<` at this place, and returns where text goes on.
    fn markup(&mut self, html: &[u8], at: usize) -> usize {
        let behind = |mark: &[u8], from: usize| {
            let found = memmem::find(html.get(from..).unwrap_or_default(), mark);
            found.map_or(html.len(), |found| from + found + mark.len())
        };
        match &html[at + 1..] {
            // `<!-->` is a whole comment.
            [b'!', b'-', b'-', ..] => behind(b"-->", at + 2),
            [b'!' | b'?', ..] => behind(b">", at + 1),
            [b'/', first, ..] if !first.is_ascii_alphabetic() => behind(b">", at + 1),
            [b'/', ..] => Tag::read(html, at + 2).map_or(html.len(), |tag| tag.end),
            [first, ..] if first.is_ascii_alphabetic() => match Tag::read(html, at + 1) {
                Some(tag) => self.element(html, &tag),
                // A tag that does not end shows nothing.
                None => html.len(),
            },
            _ => at + 1,
        }
    }

    /// Takes the references of a start tag, and returns where markup goes on.
    fn element(&mut self, html: &[u8], tag: &Tag<'_>) -> usize {
        let is = |names: &[&str]| names.iter().any(|name| tag.is_named(name));
        let is_image_button = is(&["input"])
            && tag
                .value("type")
                .is_some_and(|place| html[place].eq_ignore_ascii_case(b"image"));
        if is(&["img"]) || is_image_button {
            self.attribute(html, tag, "src");
        }
        if is(&["img", "source"])
            && let Some(place) = tag.value("srcset")
        {
            let value = Decoded::attribute(html, place);
            let candidates = candidates(&value.bytes);
            self.all(&value, candidates, false);
        }
        if is(&["video"]) {
            self.attribute(html, tag, "poster");
        }
        if is(&["body", "table", "thead", "tbody", "tfoot", "tr", "td", "th"]) {
            self.attribute(html, tag, "background");
        }
        if let Some(place) = tag.value("style") {
            let value = Decoded::attribute(html, place);
            self.all(&value, style_urls(&value.bytes), true);
        }
        self.has_base |= is(&["base"]) && tag.value("href").is_some();
        let Some(name) = RAW.iter().find(|name| tag.is_named(name)) else {
            return tag.end;
        };
        let end = end_of_raw(html, tag.end, name);
        if *name == "style" {
            let value = Decoded::verbatim(html, tag.end..end);
            self.all(&value, style_urls(&value.bytes), true);
        }
        end
    }

    /// Takes the URL that is the value of an attribute.
    fn attribute(&mut self, html: &[u8], tag: &Tag<'_>, name: &str) {
        if let Some(place) = tag.value(name) {
            let value = Decoded::attribute(html, place);
            let whole = std::iter::once(0..value.bytes.len()).collect();
            self.all(&value, whole, false);
        }
    }

    /// Takes URLs at these places of a value.
    fn all(&mut self, value: &Decoded, places: Vec<Range<usize>>, in_style: bool) {
        for place in places {
            let place = trimmed(&value.bytes, place);
            if !place.is_empty() {
                self.found.push(PictureReference {
                    place: value.at[place.start]..value.at[place.end],
                    url: value.bytes[place].to_vec(),
                    in_style,
                });
            }
        }
    }
}

/// Elements whose content is not markup, up to their end tag.
const RAW: [&str; 9] = [
    "script",
    "style",
    "textarea",
    "title",
    "xmp",
    "iframe",
    "noembed",
    "noframes",
    "plaintext",
];

/// Returns where the end tag of such an element begins; it lasts to the end where there is none.
fn end_of_raw(html: &[u8], from: usize, name: &str) -> usize {
    let ends_here = |at: &usize| {
        let start = from + at + 2;
        let end = start + name.len();
        html.get(start..end)
            .is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
            && html
                .get(end)
                .is_none_or(|b| b.is_ascii_whitespace() || matches!(b, b'/' | b'>'))
    };
    let found = memmem::find_iter(&html[from..], b"</").find(ends_here);
    found.map_or(html.len(), |at| from + at)
}

/// A value with its character references replaced, and where each byte of it came from.
struct Decoded {
    bytes: Vec<u8>,
    /// One more than there are bytes: the last is where the value ends.
    at: Vec<usize>,
}

impl Decoded {
    /// Reads the value of an attribute.
    fn attribute(html: &[u8], place: Range<usize>) -> Decoded {
        let mut decoded = Decoded {
            bytes: Vec::with_capacity(place.len()),
            at: Vec::with_capacity(place.len() + 1),
        };
        let mut at = place.start;
        while at < place.end {
            let (character, len) = character_reference(&html[at..place.end]).unzip();
            let mut buffer = [0; 4];
            let bytes = match character {
                Some(character) => char::encode_utf8(character, &mut buffer).as_bytes(),
                None => &html[at..=at],
            };
            decoded.bytes.extend_from_slice(bytes);
            decoded.at.extend(std::iter::repeat_n(at, bytes.len()));
            at += len.unwrap_or(1);
        }
        decoded.at.push(place.end);
        decoded
    }

    /// Reads text in which an `&` is an `&`.
    fn verbatim(html: &[u8], place: Range<usize>) -> Decoded {
        Decoded {
            bytes: html[place.clone()].to_vec(),
            at: (place.start..=place.end).collect(),
        }
    }
}

/// Returns the character of the reference at this place, and the length of the reference.
fn character_reference(text: &[u8]) -> Option<(char, usize)> {
    let inner = text.strip_prefix(b"&")?;
    // No name that is known is longer.
    let end = inner.iter().take(12).position(|&b| b == b';')?;
    let name = std::str::from_utf8(&inner[..end]).ok()?;
    Some((reference(name)?, end + 2))
}

/// Takes blanks and controls off both ends of a place, as browsers do with a URL.
fn trimmed(bytes: &[u8], mut place: Range<usize>) -> Range<usize> {
    while place.start < place.end && bytes[place.start] <= b' ' {
        place.start += 1;
    }
    while place.start < place.end && bytes[place.end - 1] <= b' ' {
        place.end -= 1;
    }
    place
}

/// Returns the places of the URLs of a `srcset` (HTML, "parse a srcset attribute").
fn candidates(value: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < value.len() {
        if value[at].is_ascii_whitespace() || value[at] == b',' {
            at += 1;
            continue;
        }
        let rest = &value[at..];
        // A URL may hold commas, as `data:` does, but not end with one.
        let len = rest
            .iter()
            .position(u8::is_ascii_whitespace)
            .unwrap_or(rest.len());
        let url = rest[..len].trim_ascii_end();
        let commas = url.iter().rev().take_while(|b| **b == b',').count();
        found.push(at..at + len - commas);
        at += len;
        if commas == 0 {
            at += end_of_descriptors(&value[at..]);
        }
    }
    found
}

/// Returns where the comma is that ends the descriptors of a candidate.
fn end_of_descriptors(text: &[u8]) -> usize {
    let mut depth = 0usize;
    let ends = |b: &u8| {
        match b {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        *b == b',' && depth == 0
    };
    text.iter().position(ends).unwrap_or(text.len())
}

/// Returns the places of the URLs of `url()` in a style; one with a backslash is skipped.
fn style_urls(style: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < style.len() {
        let rest = &style[at..];
        if rest.starts_with(b"/*") {
            at += memmem::find(rest, b"*/").map_or(rest.len(), |end| end + 2);
        } else if matches!(rest[0], b'"' | b'\'') {
            at += end_of_string(rest);
        } else if rest.len() > 4 && rest[..4].eq_ignore_ascii_case(b"url(") {
            at += 4;
            at += style[at..]
                .iter()
                .take_while(|b| b.is_ascii_whitespace())
                .count();
            let rest = &style[at..];
            let (url, end) = url_token(rest);
            if !rest[url.clone()].contains(&b'\\') {
                found.push(at + url.start..at + url.end);
            }
            at += end;
        } else {
            at += 1;
        }
    }
    found
}

/// Returns where the URL after `url(` begins, and where it ends with its quotes.
fn url_token(text: &[u8]) -> (Range<usize>, usize) {
    let Some(quote @ (b'"' | b'\'')) = text.first() else {
        let ends = |b: &u8| b.is_ascii_whitespace() || *b == b')';
        let end = text.iter().position(ends).unwrap_or(text.len());
        return (0..end, end);
    };
    let end = end_of_string(text);
    let is_closed = end > 1 && text[end - 1] == *quote;
    (1..if is_closed { end - 1 } else { 1 }, end)
}

/// Returns where a string of a style ends, its quotes included.
fn end_of_string(text: &[u8]) -> usize {
    let mut escaped = false;
    let ends = |b: &u8| {
        let ends = !escaped && *b == text[0];
        escaped = !escaped && *b == b'\\';
        ends
    };
    text[1..]
        .iter()
        .position(ends)
        .map_or(text.len(), |at| at + 2)
}

/// Returns the HTML with other URLs at these places, which are in order and do not overlap. No other
/// byte changes.
pub fn with_urls(html: &[u8], urls: &[(Range<usize>, String)]) -> Vec<u8> {
    let mut changed = Vec::with_capacity(html.len() + urls.len() * 40);
    let mut at = 0;
    for (place, url) in urls {
        changed.extend_from_slice(&html[at..place.start]);
        changed.extend_from_slice(url.as_bytes());
        at = place.end;
    }
    changed.extend_from_slice(&html[at..]);
    changed
}

#[cfg(test)]
mod tests;
