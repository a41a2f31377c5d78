//! The attributes of a tag, in memory that the next tag takes over.

/// The attributes that are looked at.
const KNOWN: [&str; 11] = [
    "href", "style", "alt", "type", "value", "start", "border", "align", "colspan", "rowspan",
    "hidden",
];

/// The attributes of a start tag.
#[derive(Default)]
pub(super) struct Attributes {
    /// The values, one behind the other.
    text: Vec<u8>,
    /// Which attribute, and where its value ends.
    ends: Vec<(usize, usize)>,
    /// Whether it has the attribute `hidden`.
    pub(super) hidden: bool,
}

impl Attributes {
    /// Returns the value of an attribute of the list.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let mut start = 0;
        for &(known, end) in &self.ends {
            if KNOWN[known] == name {
                // A value is whole, as the document is.
                return std::str::from_utf8(&self.text[start..end]).ok();
            }
            start = end;
        }
        None
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
        self.text.clear();
        self.ends.clear();
        self.hidden = false;
    }

    /// Returns the place of an attribute in the list, if this tag does not have it yet: of two attributes
    /// of one name the first holds.
    pub(super) fn place_of(&self, name: &[u8]) -> Option<usize> {
        let known = KNOWN.iter().position(|known| known.as_bytes() == name)?;
        self.ends
            .iter()
            .all(|&(at, _)| at != known)
            .then_some(known)
    }

    /// Notes that the value of an attribute is whole.
    pub(super) fn add(&mut self, known: usize) {
        self.hidden |= KNOWN[known] == "hidden";
        self.ends.push((known, self.text.len()));
    }

    /// Takes a piece of the value that is read.
    pub(super) fn push(&mut self, value: &[u8]) {
        self.text.extend_from_slice(value);
    }
}
