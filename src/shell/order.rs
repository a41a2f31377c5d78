//! The commands that order messages and mark them for lists: `sort`, `unsort`, `thread`, `tag`.
//!
//! Messages keep their numbers (s-nail): only the order changes in which header lines are shown, in
//! which `next`, `+` and `-` go on, and in which a range counts.

use super::complaint::{CommandResult, Complaint};
use super::listing::{Listing, Sorting};
use super::reader::Reader;
use crate::selection::{ListError, SortKey, sorted};

impl Reader<'_, '_> {
    /// Sorts the messages; without a name says what they are sorted by.
    pub(super) fn sort(&mut self, text: &str) -> CommandResult {
        let name = text.trim();
        match name {
            "" => {
                let line = match self.listing.key {
                    Some(key) => format!("Sorted by {}\n", key.name()),
                    None => "Not sorted: the order is that of the mailbox\n".to_owned(),
                };
                self.screen.text(&line);
                return Ok(());
            }
            // s-nail's `unsort` has this spelling too.
            "none" => return self.unsort(""),
            _ => {}
        }
        let Some(sorting) = Sorting::named(name) else {
            return Err(Complaint::wrong(unknown("sort", name)));
        };
        self.sort_by(sorting)?;
        self.show_sorted()
    }

    /// Shows the messages in the order of the mailbox again.
    pub(super) fn unsort(&mut self, _: &str) -> CommandResult {
        self.listing.order = None;
        self.listing.key = None;
        self.show_sorted()
    }

    /// Shows the messages by threads.
    pub(super) fn thread(&mut self, _: &str) -> CommandResult {
        self.sort("thread")
    }

    /// Sorts the messages; after an interrupt the order is that of before.
    fn sort_by(&mut self, sorting: Sorting) -> Result<(), ListError> {
        let mut order = sorted(self, sorting.key)?;
        if sorting.is_reverse {
            order = order.reversed();
        }
        self.listing.order = Some(order);
        self.listing.key = Some(sorting);
        Ok(())
    }

    /// Shows the screenful with the current message, if header lines are wanted.
    fn show_sorted(&mut self) -> CommandResult {
        if self.options.header && self.visible().next().is_some() {
            return self.headers("");
        }
        Ok(())
    }

    /// Sorts a mailbox that was just opened by `autosort`.
    pub(super) fn autosort(&mut self) {
        self.listing = Listing::default();
        let Some(name) = self.settings.get("autosort").map(str::to_owned) else {
            return;
        };
        match Sorting::named(&name) {
            Some(sorting) => {
                // After an interrupt the order is that of the mailbox.
                if self.sort_by(sorting).is_ok() {
                    self.page = self.count_before(self.current) / self.options.screen;
                }
            }
            None if matches!(&*name, "" | "none" | "mailbox-order") => {}
            None => self.say(&unknown("autosort", &name)),
        }
    }

    /// Sorts again after the mailbox was read anew; numbers of before mean nothing any more.
    pub(super) fn sort_again(&mut self) {
        let key = self.listing.key;
        self.listing = Listing::default();
        if let Some(key) = key {
            // As there.
            let _ = self.sort_by(key);
        }
    }

    /// Tags messages: `:T` names them in later lists.
    pub(super) fn tag(&mut self, list: &str) -> CommandResult {
        for message in self.messages(list)? {
            self.marks[message].is_tagged = true;
        }
        Ok(())
    }

    /// Untags messages; without a list the current one.
    pub(super) fn untag(&mut self, list: &str) -> CommandResult {
        for message in self.messages(list)? {
            self.marks[message].is_tagged = false;
        }
        Ok(())
    }
}

fn unknown(what: &str, name: &str) -> String {
    let names: Vec<&str> = SortKey::NAMES.iter().map(|&(name, _)| name).collect();
    let names = names.join(", ");
    format!("{what}: \"{name}\" is not one of {names}, or one of them with reverse- in front")
}
