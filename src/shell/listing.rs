//! What message lists of a session refer to: the list and the message before, the order of messages.

use crate::selection::{Order, SortKey};

/// What message lists of a session refer to.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// The message that was current before the current one (`;`).
    pub former: Option<usize>,
    /// The messages of the last list (`` ` ``).
    pub last: Vec<u32>,
    /// The order in which messages are shown, if it is not that of the mailbox.
    pub order: Option<Order>,
    /// What they are sorted by.
    pub key: Option<Sorting>,
}

/// What messages are sorted by, and in which direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sorting {
    /// By what.
    pub key: SortKey,
    /// Whether the last one comes first.
    pub is_reverse: bool,
}

impl Sorting {
    /// Reads `date`, or `reverse-date`; any beginning of a name is enough.
    pub(super) fn named(name: &str) -> Option<Sorting> {
        let (key, is_reverse) = match name.strip_prefix("reverse-") {
            Some(key) => (key, true),
            None => (name, false),
        };
        let key = SortKey::named(key)?;
        Some(Sorting { key, is_reverse })
    }

    /// Returns the name, as `sort` takes it.
    pub(super) fn name(self) -> String {
        let reverse = if self.is_reverse { "reverse-" } else { "" };
        format!("{reverse}{}", self.key.name())
    }
}
