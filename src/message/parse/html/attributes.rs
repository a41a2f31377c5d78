//! The attributes of a tag, in memory that the next tag takes over.

use std::borrow::Cow;

/// The attributes that are looked at.
const KNOWN: [&str; 16] = [
    "href", "style", "alt", "type", "value", "start", "border", "align", "colspan", "rowspan",
    "hidden", "selected", "multiple", "size", "checked", "valign",
];

/// The attributes of a start tag.
#[derive(Default)]
pub(super) struct Attributes<'d> {
    /// Which attribute, and its value.
    found: Vec<(usize, Cow<'d, str>)>,
    /// Whether it has the attribute `hidden`.
    pub(super) hidden: bool,
}

impl<'d> Attributes<'d> {
    /// Returns the value of an attribute of the list.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let mut found = self.found.iter();
        found.find_map(|(known, value)| (KNOWN[*known] == name).then_some(&**value))
    }

    pub(super) fn style(&self) -> &str {
        self.value("style").unwrap_or_default()
    }

    /// Returns the number at the beginning of a value (HTML section 2.3.4.1).
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        let value = self.value(name)?.trim_start();
        let digits = value.strip_prefix('-').unwrap_or(value);
        let len = digits.bytes().take_while(u8::is_ascii_digit).count();
        value[..value.len() - digits.len() + len].parse().ok()
    }

    pub(super) fn clear(&mut self) {
        self.found.clear();
        self.hidden = false;
    }

    /// Returns the place of an attribute in the list, if this tag does not have it yet: of two attributes
    /// of one name the first holds.
    pub(super) fn place_of(&self, name: &[u8]) -> Option<usize> {
        let known = KNOWN
            .iter()
            .position(|known| known.as_bytes().eq_ignore_ascii_case(name))?;
        self.found
            .iter()
            .all(|&(at, _)| at != known)
            .then_some(known)
    }

    /// Takes the value of an attribute.
    pub(super) fn add(&mut self, known: usize, value: Cow<'d, str>) {
        self.hidden |= KNOWN[known] == "hidden";
        self.found.push((known, value));
    }
}
