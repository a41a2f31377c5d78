//! The commands that show header lines: `headers`, `from`, `z`.
//!
//! A screenful holds `screen` messages that are not deleted; `Reader::page` says which one was shown
//! last.

use super::complaint::{CommandResult, Complaint};
use super::mark::Fate;
use super::reader::Reader;
use crate::ui::headline::{self, HeadlineFacts};

impl Reader<'_, '_> {
    /// Shows the header lines of messages; the last one is current afterwards, as in bsd-mailx.
    pub(super) fn from(&mut self, list: &str) -> CommandResult {
        let messages = self.messages(list)?;
        self.show_lines_of(&messages);
        Ok(())
    }

    /// Shows the header lines of the messages that a search finds; the last one is current afterwards.
    pub(super) fn search(&mut self, text: &str) -> CommandResult {
        if text.trim().is_empty() {
            let line = "search: name what to look for, such as from:cron and older:7d";
            return Err(Complaint::wrong(line));
        }
        let messages = self.find(text)?;
        self.show_lines_of(&messages);
        Ok(())
    }

    fn show_lines_of(&mut self, messages: &[usize]) {
        let current = self.current;
        let mut pages = self.pages();
        let mut text = String::new();
        for &message in messages {
            self.append_headline(&mut text, message, current);
            // A mailbox of a million messages shall not be held as text before a line is seen.
            if text.len() > 1 << 16 {
                pages.give(&mut self.screen, &text);
                text.clear();
                if pages.is_over(&self.screen) || self.is_interrupted() {
                    break;
                }
            }
        }
        pages.give(&mut self.screen, &text);
        pages.end(&mut self.screen);
        let visible = |&&message: &&usize| self.marks[message].fate != Fate::Deleted;
        if let Some(&last) = messages.iter().rev().find(visible) {
            self.go_to(last);
        }
    }

    pub(super) fn append_headline(&self, text: &mut String, message: usize, current: usize) {
        let found = &self.mailbox.messages()[message];
        let facts = HeadlineFacts {
            number: message + 1,
            letter: self.marks[message].letter(),
            current: message == current,
            lines: self.lines(message),
            size: found.len,
            depth: self
                .listing
                .order
                .as_ref()
                .map_or(0, |order| order.depth(message)),
        };
        headline::append(text, facts, &self.block(message), &self.display());
    }

    /// Shows the screenful with a message; if one is named, the first of the screenful becomes current.
    pub(super) fn headers(&mut self, list: &str) -> CommandResult {
        let message = if list.is_empty() {
            self.current
        } else {
            self.messages(list)?[0]
        };
        if self.visible().next().is_none() {
            return Err(Complaint::no_messages());
        }
        let before = self.count_before(message);
        // A deletion may have left fewer screenfuls than there were.
        let last = self.visible().count() - 1;
        self.page = before.min(last) / self.screen_lines();
        if !list.is_empty() {
            self.go_to_page();
        }
        self.show_page();
        Ok(())
    }

    /// Returns how many messages that are not deleted stand before a message.
    pub(super) fn count_before(&self, message: usize) -> usize {
        let place = self.place(message);
        self.visible()
            .take_while(|&other| self.place(other) < place)
            .count()
    }

    /// Makes the first message of the screenful the current one.
    fn go_to_page(&mut self) {
        let first = self.page * self.screen_lines();
        let message = self.visible().nth(first);
        if let Some(message) = message {
            self.go_to(message);
        }
    }

    fn screen_lines(&self) -> usize {
        self.options.screen
    }

    /// Shows the screenful of header lines that is the current one.
    pub(super) fn show_page(&mut self) {
        let lines = self.screen_lines();
        let mut text = String::new();
        for message in self.visible().skip(self.page * lines).take(lines) {
            self.append_headline(&mut text, message, self.current);
        }
        self.show_paged(&text);
    }

    /// Scrolls by screenfuls: `z` or `z+` forth, `z-` back, with a number that many; `z0` is the first
    /// one, `z$` the last, and `z.` the one with the current message.
    pub(super) fn scroll(&mut self, argument: &str) -> CommandResult {
        let last = self.visible().count().saturating_sub(1) / self.screen_lines();
        let page = match Scroll::of(argument)? {
            Scroll::First => 0,
            Scroll::Last => last,
            Scroll::Current => {
                let before = self.count_before(self.current);
                (before / self.screen_lines()).min(last)
            }
            Scroll::Back(_) if self.page == 0 => {
                return Err(Complaint::nothing("On first screenful of messages"));
            }
            Scroll::Forth(_) if self.page >= last => {
                return Err(Complaint::nothing("On last screenful of messages"));
            }
            Scroll::Back(steps) => self.page.saturating_sub(steps),
            Scroll::Forth(steps) => self.page.saturating_add(steps).min(last),
        };
        self.page = page;
        self.go_to_page();
        self.show_page();
        Ok(())
    }
}

/// The screenful that `z` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scroll {
    First,
    Last,
    /// The one with the current message.
    Current,
    Back(usize),
    Forth(usize),
}

impl Scroll {
    fn of(argument: &str) -> Result<Scroll, Complaint> {
        let argument = argument.trim();
        let (is_back, steps) = match argument.chars().next() {
            Some('-') => (true, argument[1..].trim()),
            Some('+') => (false, argument[1..].trim()),
            _ => (false, argument),
        };
        Ok(match (argument, steps) {
            ("0" | "^", _) => Scroll::First,
            ("$", _) => Scroll::Last,
            (".", _) => Scroll::Current,
            (_, "") if is_back => Scroll::Back(1),
            (_, "") => Scroll::Forth(1),
            // A number that is too large means the last screenful there is.
            (_, number) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
                let steps = number.parse().unwrap_or(usize::MAX);
                if is_back {
                    Scroll::Back(steps)
                } else {
                    Scroll::Forth(steps)
                }
            }
            _ => {
                return Err(Complaint::wrong(format!(
                    "z: \"{argument}\" is not understood: use z, z+, z-, a number, z0, z$ or z."
                )));
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn z_takes_signs_numbers_and_places() {
        for (argument, expected) in [
            ("", Some(Scroll::Forth(1))),
            ("+", Some(Scroll::Forth(1))),
            ("-", Some(Scroll::Back(1))),
            ("+3", Some(Scroll::Forth(3))),
            ("- 2", Some(Scroll::Back(2))),
            ("2", Some(Scroll::Forth(2))),
            ("0", Some(Scroll::First)),
            ("$", Some(Scroll::Last)),
            (".", Some(Scroll::Current)),
            ("99999999999999999999", Some(Scroll::Forth(usize::MAX))),
            ("+-1", None),
            ("x", None),
            ("1 2", None),
        ] {
            assert_eq!(Scroll::of(argument).ok(), expected, "{argument}");
        }
    }
}
