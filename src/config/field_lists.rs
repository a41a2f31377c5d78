//! The lists of header fields: which ones are shown, saved and forwarded.

use std::collections::BTreeSet;

/// The header fields shown unless somebody asks for others, in this order.
pub(crate) const RETAINED: &[&str] = &["date", "from", "to", "cc", "bcc", "subject", "reply-to"];

/// The header fields that a forwarded text begins with unless somebody asks for others, in this order;
/// those that tell who wrote what to whom.
pub(crate) const FORWARDED: &[&str] = &["from", "date", "to", "cc", "subject"];

/// What a list is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldUse {
    /// For the screen: `ignore`, `retain`.
    Show,
    /// For messages that are put into another mailbox: `saveignore`, `saveretain`.
    Save,
    /// For the text of forwarded messages: `fwdignore`, `fwdretain`.
    Forward,
}

/// Two lists of names in lower case. The second has no effect while the first names a field.
#[derive(Clone, Debug, Default)]
pub(crate) struct FieldLists {
    /// The only fields that count, in this order; `None` until somebody names one: then the default
    /// list counts, if there is one.
    pub(crate) retained: Option<Vec<String>>,
    /// The fields that do not count.
    pub(crate) ignored: BTreeSet<String>,
}

impl FieldLists {
    /// Adds fields that do not count.
    pub(super) fn ignore(&mut self, words: impl Iterator<Item = String>) {
        self.ignored.extend(words.map(|word| field_name(&word)));
    }

    /// Adds fields that alone count.
    pub(super) fn retain(&mut self, words: impl Iterator<Item = String>) {
        let retained = self.retained.get_or_insert_default();
        for name in words.map(|word| field_name(&word)) {
            if !retained.contains(&name) {
                retained.push(name);
            }
        }
    }

    /// Takes fields off the list of those that do not count; `*` takes all.
    pub(super) fn unignore(&mut self, words: impl Iterator<Item = String>) {
        for word in words {
            match word.as_str() {
                "*" => self.ignored.clear(),
                _ => drop(self.ignored.remove(&field_name(&word))),
            }
        }
    }

    /// Takes fields off the list of those that alone count; `*` takes all.
    pub(super) fn unretain(&mut self, words: impl Iterator<Item = String>, what: FieldUse) {
        // Until a field is named, the default list is what a name is taken from.
        let default = || defaults(what).iter().map(|&name| name.to_owned()).collect();
        let retained = self.retained.get_or_insert_with(default);
        for word in words {
            let name = field_name(&word);
            retained.retain(|other| word != "*" && *other != name);
        }
    }

    /// Returns the fields that count, in this order, where a default list counts until somebody names
    /// a field; empty if all count that are not ignored.
    pub(crate) fn chosen(&self, default: &[&str]) -> Vec<String> {
        match &self.retained {
            Some(retained) => retained.clone(),
            // A field that somebody ignores does not count because it stands in our own list.
            None => {
                let names = default.iter().filter(|name| !self.ignored.contains(**name));
                let mut names: Vec<String> = names.map(|&name| name.to_owned()).collect();
                if names.is_empty() && !default.is_empty() {
                    // A list without names would mean all fields: here none counts.
                    names.push(String::new());
                }
                names
            }
        }
    }

    /// Returns whether nothing is taken away from a message that is saved.
    pub(crate) fn keep_all(&self) -> bool {
        self.ignored.is_empty() && self.retained.as_ref().is_none_or(Vec::is_empty)
    }

    /// Returns whether a field stays in a message that is saved.
    ///
    /// The fields that say how the text is encoded, and the marks of the mailbox, always stay: without
    /// them the text could not be read.
    pub(crate) fn keep(&self, name: &[u8]) -> bool {
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        if name.starts_with("content-")
            || ["mime-version", "status", "x-status"].contains(&name.as_str())
        {
            return true;
        }
        match &self.retained {
            Some(retained) if !retained.is_empty() => retained.contains(&name),
            _ => !self.ignored.contains(&name),
        }
    }
}

/// Returns the fields that count until somebody names one.
fn defaults(what: FieldUse) -> &'static [&'static str] {
    match what {
        FieldUse::Show => RETAINED,
        FieldUse::Save => &[],
        FieldUse::Forward => FORWARDED,
    }
}

/// Returns the name of a field as the lists have it: in lower case and without its colon.
fn field_name(word: &str) -> String {
    word.trim_end_matches(':').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> impl Iterator<Item = String> {
        text.split_whitespace().map(str::to_owned)
    }

    #[test]
    fn a_message_that_is_saved_stays_readable() {
        let mut lists = FieldLists::default();
        assert!(lists.keep_all() && lists.keep(b"Received"));
        lists.ignore(words("received: x-spam content-type"));
        let kept = |lists: &FieldLists, name: &str| lists.keep(name.as_bytes());
        assert!(!kept(&lists, "Received") && !kept(&lists, "X-SPAM") && kept(&lists, "Subject"));
        assert!(kept(&lists, "Content-Type"));
        lists.retain(words("Subject From"));
        assert!(kept(&lists, "subject") && !kept(&lists, "To"));
        for name in ["MIME-Version", "Content-Transfer-Encoding", "Status"] {
            assert!(kept(&lists, name), "{name}");
        }
        lists.unretain(words("*"), FieldUse::Save);
        assert!(kept(&lists, "To") && !kept(&lists, "Received"));
        lists.unignore(words("*"));
        assert!(lists.keep_all());
    }

    #[test]
    fn a_default_list_counts_until_a_field_is_named() {
        let mut lists = FieldLists::default();
        lists.ignore(words("cc"));
        assert_eq!(lists.chosen(FORWARDED), ["from", "date", "to", "subject"]);
        lists.unretain(words("to"), FieldUse::Forward);
        assert_eq!(lists.chosen(FORWARDED), ["from", "date", "cc", "subject"]);
        lists.retain(words("x-a"));
        lists.unretain(words("from date cc subject"), FieldUse::Forward);
        assert_eq!(lists.chosen(FORWARDED), ["x-a"]);
        lists.unretain(words("x-a"), FieldUse::Forward);
        assert!(lists.chosen(FORWARDED).is_empty());
        let mut none = FieldLists::default();
        none.ignore(words("from date to cc subject"));
        assert_eq!(none.chosen(FORWARDED), [""]);
    }
}
