//! Mail that arrives while the mailbox is open: `newmail`, `inc`, and the line before a prompt.

use std::fs;

use super::complaint::CommandResult;
use super::mark::Mark;
use super::quit::has_grown;
use super::reader::Reader;
use super::undo::Undo;
use crate::exit::{Failure, with_causes};
use crate::report::unreadable::Unread;

impl Reader<'_, '_> {
    /// Looks for messages that have arrived, and takes them up.
    pub(super) fn newmail(&mut self, _: &str) -> CommandResult {
        match self.take_up() {
            Ok(0) => self.screen.text("No new mail\n"),
            Ok(number) => self.show_arrived(number),
            Err(failure) => self.fail(&failure),
        }
        Ok(())
    }

    /// Says before a prompt that mail has arrived, or takes it up with `autoinc`.
    pub(super) fn look_for_mail(&mut self) {
        if !self.is_watched() || self.closed_by.is_some() || !has_grown(&self.mailbox) {
            return;
        }
        if self.options.autoinc {
            match self.take_up() {
                Ok(0) => {}
                Ok(number) => self.show_arrived(number),
                Err(failure) => self.fail(&failure),
            }
            return;
        }
        // Told once for each arrival, and not before every prompt.
        let size = fs::metadata(self.mailbox.path()).map_or(0, |file| file.len());
        if size > self.announced {
            self.announced = size;
            self.screen.text("You have new mail (newmail shows it)\n");
        }
    }

    fn show_arrived(&mut self, number: usize) {
        self.screen.text("New mail has arrived.\n");
        let count = self.marks.len();
        let first = count.saturating_sub(number);
        self.go_to(first);
        let mut text = String::new();
        for message in (first..count).take(self.options.screen) {
            self.append_headline(&mut text, message, self.current);
        }
        self.screen.safe(&text);
    }

    /// Opens the mailbox again and keeps the marks; returns how many messages have arrived.
    fn take_up(&mut self) -> Result<usize, Failure> {
        if !self.mailbox.is_changed() {
            return Ok(0);
        }
        let opened = self.mailbox.open_again(&self.around.journals);
        let (mailbox, places) =
            opened.map_err(|error| Failure::new(error.kind(), with_causes(&error)))?;
        let messages = mailbox.messages();
        let mut marks = Mark::none_in(&mailbox);
        for (before, place) in places.iter().enumerate() {
            if let Some(place) = *place {
                let (old, now) = (self.mailbox.messages()[before].flags, messages[place].flags);
                let mark = self.marks[before];
                marks[place] = Mark {
                    flags: now.with_changes(old, mark.flags),
                    ..mark
                };
            }
        }
        let stays = |(before, place): (usize, &Option<usize>)| *place == Some(before);
        // The numbers are others now: what is to be taken back would be the marks of other messages.
        if !places.iter().enumerate().all(stays) {
            self.undo = Undo::default();
        }
        let kept = places.iter().flatten().count();
        let gone = places.len() - kept;
        let current = places.get(self.current).copied().flatten();
        self.shown &= current.is_some();
        self.current = current
            .or_else(|| {
                places[..self.current.min(places.len())]
                    .iter()
                    .flatten()
                    .next_back()
                    .copied()
            })
            .unwrap_or(0);
        let arrived = marks.len() - kept;
        self.marks = marks;
        self.unread = Unread::default();
        self.announced = 0;
        self.display.take();
        self.mailbox = mailbox;
        self.sort_again();
        if gone > 0 {
            let number = super::commit::counted(gone);
            self.say(&format!(
                "another program has removed or changed {number}; the others have new numbers"
            ));
        }
        self.report_notices();
        Ok(arrived)
    }
}
