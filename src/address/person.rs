//! `Doe, John <j@x>`: a name with a comma but without quotes, as it is copied from Outlook.
//!
//! By RFC 5322 the comma ends an entry, and `Doe` is another recipient. A person who pastes the
//! line means one recipient. What decides is what is known of the part before the comma: a part
//! that names accounts or aliases is recipients, so that no alarm to them is lost; a part of
//! unknown names is the name of a person; and where neither is certain, the entry is refused. The
//! parser of lists holds such parts back until the address is read.

use super::AddressError;

/// Why an entry is refused that may be one person or several recipients.
pub(super) const UNDECIDED: &str = "it may be one person or several recipients";

/// How many parts of a name are before the last comma at most: `Doe, John, Dr. <j@x>`.
pub(super) const MAX_PARTS: usize = 2;

/// How many words each of them has at most.
pub(super) const MAX_WORDS: usize = 8;

/// What is known of a bare name where a list is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BareName {
    /// It is an account or an alias.
    Known,
    /// It is neither.
    Unknown,
    /// It is an account or alias in another case (`Mail` and `mail`), or the look-up failed.
    Unclear,
}

/// Tells what is known of a bare name.
pub type BareNames<'a> = &'a dyn Fn(&str) -> BareName;

/// What a part of a list before a comma is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Accounts or aliases.
    Recipients,
    /// A part of the name of a person.
    Name,
    /// It may be either.
    Undecided,
}

impl Part {
    /// Judges a part by what is known of its words; each comes with whether it is quoted.
    pub(super) fn of<'w>(
        words: impl Iterator<Item = (&'w str, bool)> + Clone,
        names: BareNames<'_>,
    ) -> Part {
        let known: Vec<BareName> = words.clone().map(|(word, _)| names(word)).collect();
        if known.iter().all(|name| *name == BareName::Known) {
            return Part::Recipients;
        }
        // A next hop may have accounts and aliases of which nothing is known here. So a part that
        // could be such names is not taken for a person.
        let mut words = words;
        let all_like_accounts = words.all(|(word, quoted)| !quoted && is_like_account(word));
        if all_like_accounts || known.iter().any(|name| *name != BareName::Unknown) {
            Part::Undecided
        } else {
            Part::Name
        }
    }
}

/// Returns whether a word is written as names of accounts are, in small letters.
fn is_like_account(word: &str) -> bool {
    let is_letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-+$".contains(&b);
    word.bytes().all(is_letter)
}

/// Returns both readings of an entry that was refused because it has two, as a hint.
pub fn readings(error: &AddressError) -> Option<String> {
    if error.reason != UNDECIDED {
        return None;
    }
    let (name, address) = error.text.rsplit_once('<')?;
    let name = name.replace('"', "");
    let several = name.replace(',', ";");
    Some(format!(
        "for one person write '\"{}\" <{address}', for several recipients '{} <{address}'",
        name.trim(),
        several.trim()
    ))
}
