//! The links of a document: each target numbered once, and a warning where a text names another host
//! than the one it leads to.

use std::collections::HashMap;

use super::target;

/// How much of the text of a link is looked at, in bytes, beside what its target needs.
const MAX_TEXT: usize = 512;

/// The link that is open.
pub(super) struct OpenLink {
    /// Where it leads, resolved.
    target: String,
    text: String,
    is_cut: bool,
    blank: bool,
    /// Whether an image stands in it.
    pub(super) has_image: bool,
}

impl OpenLink {
    /// Takes a piece of a word of its text.
    pub(super) fn word(&mut self, text: &str) {
        let room = (MAX_TEXT + self.target.len()).saturating_sub(self.text.len());
        if self.blank && !self.text.is_empty() {
            self.text.push(' ');
        }
        self.blank = false;
        let shown = &text[..text.floor_char_boundary(room)];
        self.is_cut |= shown.len() < text.len();
        self.text.push_str(shown);
    }

    /// Takes a blank of its text.
    pub(super) fn blank(&mut self) {
        self.blank = true;
    }

    /// Returns whether it has no text.
    pub(super) fn is_empty(&self) -> bool {
        self.text
            .chars()
            .all(|c| c.is_whitespace() || c == '\u{a0}')
    }
}

/// The targets so far.
#[derive(Default)]
pub(super) struct Links {
    numbers: HashMap<String, usize>,
    /// What relative targets are relative to.
    base: Option<String>,
}

impl Links {
    /// Takes the `href` of a `base` element; the first one holds.
    pub(super) fn set_base(&mut self, href: &str) {
        let href = target::cleaned(href);
        if self.base.is_none() && target::scheme(&href).is_some() {
            self.base = Some(href);
        }
    }

    /// Opens a link; `None` if it leads nowhere else, but to a place in the same text.
    pub(super) fn open(&self, href: &str) -> Option<OpenLink> {
        let href = target::cleaned(href);
        if href.is_empty() || href.starts_with('#') {
            return None;
        }
        Some(OpenLink {
            target: target::resolved(href, self.base.as_deref()),
            text: String::new(),
            is_cut: false,
            blank: false,
            has_image: false,
        })
    }

    /// Closes a link: returns the mark behind its text, unless the text is the target. A link without a
    /// text has one only if its target has no number yet.
    pub(super) fn close(&mut self, link: &OpenLink) -> Option<String> {
        if !link.is_cut && target::is_said_by(&link.target, &link.text) {
            return None;
        }
        if link.is_empty() && self.numbers.contains_key(&*target::shown(&link.target)) {
            return None;
        }
        let warning = target::other_host(&link.target, &link.text);
        let listed = target::shown(&link.target);
        let next = self.numbers.len() + 1;
        let number = *self.numbers.entry(listed.into_owned()).or_insert(next);
        Some(match warning {
            Some(host) => format!("[{number}: goes to {host}]"),
            None => format!("[{number}]"),
        })
    }

    /// Returns the targets in the order of their numbers.
    pub(super) fn listed(&mut self) -> Vec<String> {
        let numbers = std::mem::take(&mut self.numbers);
        let mut listed = vec![String::new(); numbers.len()];
        for (target, number) in numbers {
            listed[number - 1] = target;
        }
        listed
    }
}
