//! The commands that show: messages, header lines, numbers, help.

use super::complaint::{CommandResult, Complaint};
use super::parts::no_part;
use super::reader::Reader;
use super::unreadable;
use crate::exit::with_causes;
use crate::flow::unsent;
use crate::message::parse::fields::split_from_line;
use crate::message::parse::structure;
use crate::report::part::find;
use crate::ui::colour::Painter;
use crate::ui::page;
use crate::ui::pager::Pages;

/// In which form a message is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// For people, with the header fields that they want to see.
    Shown,
    /// For people, with all header fields.
    AllFields,
    /// As it is stored.
    Stored,
}

impl Reader<'_, '_> {
    pub(super) fn greet(&mut self) {
        if !self.options.quiet {
            let version = env!("CARGO_PKG_VERSION");
            self.screen
                .text(&format!("Postrider {version}.  Type ? for help.\n"));
            let banner = self.state_line();
            self.screen.text(&banner);
            // Scripts read what the reader prints, and know the banner only.
            if !self.in_script {
                for line in unsent::greeting(&self.settings, &self.around.environment) {
                    self.screen.text(&format!("{line}\n"));
                }
            }
        }
        if self.options.header && !self.mailbox.messages().is_empty() {
            self.show_page();
            self.report_unread();
        }
    }

    /// Shows messages; the last one is current afterwards.
    pub(super) fn print(&mut self, list: &str) -> CommandResult {
        self.show_messages(list, Form::Shown, self.pages())
    }

    /// Shows messages with all header fields.
    pub(super) fn print_all_fields(&mut self, list: &str) -> CommandResult {
        self.show_messages(list, Form::AllFields, self.pages())
    }

    /// Shows messages as they are stored, and parts without their transfer encoding.
    pub(super) fn show_stored(&mut self, list: &str) -> CommandResult {
        self.show_messages(list, Form::Stored, self.pages())
    }

    /// Shows messages by the pager, however short they are.
    pub(super) fn page_messages(&mut self, list: &str) -> CommandResult {
        self.show_messages(list, Form::Shown, self.always_paged())
    }

    /// Shows messages with all header fields by the pager.
    pub(super) fn page_all_fields(&mut self, list: &str) -> CommandResult {
        self.show_messages(list, Form::AllFields, self.always_paged())
    }

    fn show_messages(&mut self, list: &str, form: Form, mut pages: Pages) -> CommandResult {
        let targets = self.targets(list)?;
        let mut result = Ok(());
        for target in &targets {
            let message = target.message;
            // Ctrl-C stops a long `print *` between two messages, never within one; leaving the
            // pager does too, and messages that were not shown stay unread.
            if self.is_interrupted() || pages.is_over(&self.screen) {
                break;
            }
            let bytes = match self.bytes(message) {
                Ok(bytes) => bytes,
                Err(complaint) => {
                    result = Err(complaint);
                    break;
                }
            };
            let (number, display) = (message + 1, self.display());
            let mut painter = Painter::new(&display.palette);
            let mut painted = |piece: &str| pages.give(&mut self.screen, piece);
            let mut give = |piece: &str| painter.paint(piece, &mut painted);
            if let Some(name) = &target.part {
                let found = structure(split_from_line(&bytes).1);
                let Some(part) = find(&found.parts, name) else {
                    self.fail(&no_part(target));
                    continue;
                };
                let name = format!("{number}.{name}");
                page::part(&name, &part, form != Form::Stored, &display, &mut give);
            } else if form == Form::Stored {
                page::stored(number, &bytes, &display, &mut give);
            } else {
                let all = form == Form::AllFields;
                page::each(Some(number), &bytes, all, &display, &mut give);
            }
            painter.end(&mut painted);
            self.mark_read(message);
        }
        pages.end(&mut self.screen);
        result
    }

    /// Returns the bytes of a message, unquoted; a failure to read them counts for the exit status, and keeps a
    /// script from deleting the message.
    pub(super) fn bytes(&mut self, message: usize) -> Result<Vec<u8>, Complaint> {
        self.mailbox.read_unquoted(message).map_err(|error| {
            let kind = unreadable::kind(&error);
            if let Some(kind) = kind {
                self.note(kind);
                self.marks[message].is_unsaved = true;
            }
            let line = with_causes(&unreadable::failure(message, error));
            Complaint::new(line, kind)
        })
    }

    fn mark_read(&mut self, message: usize) {
        self.go_to(message);
        self.shown = true;
        self.marks[message].read();
    }

    /// Shows the first `toplines` lines of messages.
    pub(super) fn top(&mut self, list: &str) -> CommandResult {
        for message in self.messages(list)? {
            let bytes = self.bytes(message)?;
            // The line `Message N:` comes before the message and is not one of its lines.
            let mut left = self.options.toplines + 1;
            page::each(
                Some(message + 1),
                &bytes,
                false,
                &self.display(),
                &mut |text| {
                    if left == 0 {
                        return;
                    }
                    let mut ends = memchr::memchr_iter(b'\n', text.as_bytes());
                    let end = ends.nth(left - 1).map_or(text.len(), |at| at + 1);
                    left -= memchr::memchr_iter(b'\n', &text.as_bytes()[..end]).count();
                    self.screen.safe(&text[..end]);
                },
            );
            self.screen.raw(b"\n");
            self.mark_read(message);
        }
        Ok(())
    }

    /// Shows the current message if it was not shown yet, else the next one; with a list the
    /// next message of the list.
    pub(super) fn next(&mut self, list: &str) -> CommandResult {
        // At the start the current message has not been shown, so the first `next` shows it
        // (POSIX).
        let from = self.place(self.current) + usize::from(self.shown);
        if !list.is_empty() {
            return self.show_next_of(list, from);
        }
        let next = self.visible().find(|&message| self.place(message) >= from);
        match next {
            Some(message) => self.print(&(message + 1).to_string()),
            None => Err(Complaint::nothing("At EOF")),
        }
    }

    /// Shows the message after the current one, or the next one of a list.
    pub(super) fn forward(&mut self, list: &str) -> CommandResult {
        let place = self.place(self.current);
        if !list.is_empty() {
            return self.show_next_of(list, place + 1);
        }
        if !self.visible().any(|message| self.place(message) > place) {
            return Err(Complaint::nothing("Referencing beyond EOF"));
        }
        self.print("+")
    }

    /// Shows the message before the current one, the one so many before it (bsd-mailx), or the
    /// previous one of a list.
    pub(super) fn back(&mut self, text: &str) -> CommandResult {
        let here = self.place(self.current);
        let is_count = text.bytes().all(|byte| byte.is_ascii_digit());
        let message = if is_count {
            let steps = if text.is_empty() { Ok(1) } else { text.parse() };
            self.visible()
                .rev()
                .skip_while(|&message| self.place(message) >= here)
                .nth(steps.unwrap_or(usize::MAX).saturating_sub(1))
                .ok_or_else(|| Complaint::nothing("Referencing before 1"))?
        } else {
            let found = self.messages(text)?;
            let previous = found
                .iter()
                .rev()
                .find(|&&message| self.place(message) < here);
            // Before the first one comes the last one, as `next` turns round the other way.
            *previous.unwrap_or(&found[found.len() - 1])
        };
        self.print(&(message + 1).to_string())
    }

    /// Shows the first message of a list from a place on; after the last one comes the first one (bsd-mailx).
    fn show_next_of(&mut self, list: &str, from: usize) -> CommandResult {
        let found = self.messages(list)?;
        let next = found.iter().find(|&&message| self.place(message) >= from);
        let message = next.unwrap_or(&found[0]);
        self.print(&(message + 1).to_string())
    }

    /// Shows lines and bytes of messages.
    pub(super) fn size(&mut self, list: &str) -> CommandResult {
        for message in self.messages(list)? {
            let found = &self.mailbox.messages()[message];
            let line = format!("{}: {}/{}\n", message + 1, self.lines(message), found.len);
            self.screen.safe(&line);
        }
        Ok(())
    }

    /// Shows the number of the current message.
    pub(super) fn number(&mut self, _: &str) -> CommandResult {
        if self.mailbox.messages().is_empty() {
            return Err(Complaint::no_messages());
        }
        self.screen
            .raw(format!("{}\n", self.current + 1).as_bytes());
        Ok(())
    }

    /// Ends the loop; the mailbox stays as it is.
    pub(super) fn leave(&mut self, _: &str) -> CommandResult {
        self.is_quitting = true;
        Ok(())
    }

    /// Does nothing.
    pub(super) fn comment(&mut self, _: &str) -> CommandResult {
        Ok(())
    }
}
