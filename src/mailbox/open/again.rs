//! Opening a mailbox again while its messages are marked: which message is where now.

use super::{Mailbox, Storage};
use crate::mailbox::change::Journals;
use crate::mailbox::error::OpenError;
use crate::mailbox::read::realign::{Whereabouts, whereabouts};

impl Mailbox {
    /// Opens the mailbox again, and finds its messages in the new index.
    ///
    /// The list has the new index of each message of this mailbox; `None` if the message is gone, or if
    /// it is not certain which one it is.
    ///
    /// # Errors
    /// As [`open`](Mailbox::open).
    pub fn open_again(
        &self,
        journals: &Journals,
    ) -> Result<(Mailbox, Vec<Option<usize>>), OpenError> {
        let now = Mailbox::open_index(self.path(), journals)?;
        let places = match (&self.storage, &now.storage) {
            (Storage::Maildir(before), Storage::Maildir(maildir)) => before.places_in(maildir),
            (Storage::Maildir(_), _) | (_, Storage::Maildir(_)) => vec![None; self.messages.len()],
            _ => whereabouts(&self.messages, &now.messages, !self.is_partial)
                .into_iter()
                .map(|place| match place {
                    Whereabouts::At(place) => Some(place),
                    Whereabouts::Gone | Whereabouts::Uncertain => None,
                })
                .collect(),
        };
        Ok((now, places))
    }
}
