//! Tags of HTML, and the places of their attributes' values.

use std::ops::Range;

use memchr::memchr;

/// A start or end tag: its name, and the places of its attributes' values.
pub(super) struct Tag<'a> {
    name: &'a [u8],
    attributes: Vec<(&'a [u8], Range<usize>)>,
    /// The place after its `>`.
    pub(super) end: usize,
}

/// The attributes that are looked at.
const ATTRIBUTES: [&str; 7] = [
    "src",
    "srcset",
    "poster",
    "background",
    "style",
    "type",
    "href",
];

impl<'a> Tag<'a> {
    /// Reads a tag from its name on; `None` where the text ends before it does.
    pub(super) fn read(html: &'a [u8], start: usize) -> Option<Tag<'a>> {
        let ends_name = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'/' | b'>');
        let name_end = start + html[start..].iter().position(ends_name)?;
        let mut tag = Tag {
            name: &html[start..name_end],
            attributes: Vec::new(),
            end: name_end,
        };
        loop {
            let is_blank = |b: &u8| b.is_ascii_whitespace() || *b == b'/';
            tag.end += html[tag.end..].iter().position(|b| !is_blank(b))?;
            if html[tag.end] == b'>' {
                tag.end += 1;
                return Some(tag);
            }
            tag.attribute(html)?;
        }
    }

    /// Reads one attribute with its value, if it has one.
    fn attribute(&mut self, html: &'a [u8]) -> Option<()> {
        let start = self.end;
        // An `=` that begins a name belongs to it.
        let ends = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'/' | b'>' | b'=');
        let name_end = start + 1 + html[start + 1..].iter().position(ends)?;
        let name = &html[start..name_end];
        self.end = name_end;
        let text = |from: usize| {
            let rest = &html[from..];
            rest.iter()
                .position(|b| !b.is_ascii_whitespace())
                .map(|at| from + at)
        };
        let next = text(name_end)?;
        if html[next] != b'=' {
            return Some(());
        }
        let value = text(next + 1)?;
        let place = match html[value] {
            quote @ (b'"' | b'\'') => {
                let len = memchr(quote, &html[value + 1..])?;
                self.end = value + 1 + len + 1;
                value + 1..value + 1 + len
            }
            _ => {
                let ends = |b: &u8| b.is_ascii_whitespace() || *b == b'>';
                let len = html[value..].iter().position(ends)?;
                self.end = value + len;
                value..value + len
            }
        };
        // Of two attributes of one name the first holds.
        let is_known = ATTRIBUTES
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known.as_bytes()));
        if is_known
            && !self
                .attributes
                .iter()
                .any(|(n, _)| n.eq_ignore_ascii_case(name))
        {
            self.attributes.push((name, place));
        }
        Some(())
    }

    pub(super) fn is_named(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    pub(super) fn value(&self, name: &str) -> Option<Range<usize>> {
        let is_it = |(n, _): &&(&[u8], _)| n.eq_ignore_ascii_case(name.as_bytes());
        self.attributes
            .iter()
            .find(is_it)
            .map(|(_, place)| place.clone())
    }
}
