//! The commands that show: messages, header lines, numbers, help.

use super::complaint::{CommandResult, Complaint};
use super::mark::Fate;
use super::reader::Reader;
use super::unreadable;
use crate::config::commands::{Help, at_prompt};
use crate::exit::with_causes;
use crate::flow::unsent;
use crate::sanitize;
use crate::selection::FlagChoice;
use crate::ui::headline::{self, HeadlineFacts};
use crate::ui::page;

impl Reader<'_, '_> {
    pub(super) fn greet(&mut self) {
        if !self.options.quiet {
            let version = env!("CARGO_PKG_VERSION");
            self.screen
                .text(&format!("Postrider {version}.  Type ? for help.\n"));
            let banner = self.banner();
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

    /// Returns the greeting line: `"/var/mail/root": 4 messages 2 new 3 unread [Read only]`.
    pub(super) fn banner(&self) -> String {
        let messages = self.mailbox.messages();
        let count = |choice: FlagChoice| {
            messages
                .iter()
                .filter(|message| choice.matches(message.flags))
                .count()
        };
        // A line end in the name would break the banner in two.
        let path = sanitize::path(self.mailbox.path()).to_string();
        let mut line = format!("\"{}\": ", path.replace('\n', "\u{240a}"));
        match messages.len() {
            1 => line.push_str("1 message"),
            number => line.push_str(&format!("{number} messages")),
        }
        for (choice, name) in [(FlagChoice::New, "new"), (FlagChoice::Unread, "unread")] {
            match count(choice) {
                0 => {}
                number => line.push_str(&format!(" {number} {name}")),
            }
        }
        if self.read_only {
            line.push_str(" [Read only]");
        }
        line.push('\n');
        line
    }

    /// Shows messages; the last one is current afterwards.
    pub(super) fn print(&mut self, list: &str) -> CommandResult {
        self.show_messages(list, false)
    }

    /// Shows messages with all header fields.
    pub(super) fn print_all_fields(&mut self, list: &str) -> CommandResult {
        self.show_messages(list, true)
    }

    fn show_messages(&mut self, list: &str, all: bool) -> CommandResult {
        let messages = self.messages(list)?;
        let mut text = String::new();
        let crt = self.options.crt;
        for message in messages {
            // Ctrl-C stops a long `print *` between two messages, never within one.
            if self.is_interrupted() {
                break;
            }
            let bytes = self.bytes(message)?;
            let number = Some(message + 1);
            // Only the whole text says whether it is longer than a screen; without a pager each
            // piece can go out at once.
            if crt.is_some() {
                page::each(number, &bytes, all, &self.display, &mut |piece| {
                    text.push_str(piece);
                })
            } else {
                page::each(number, &bytes, all, &self.display, &mut |piece| {
                    self.screen.safe(piece);
                })
            }
            self.mark_read(message);
        }
        let (pager, program) = (&mut self.around.pager, &self.options.pager);
        page::show(&mut self.screen, &text, crt, program, &mut |text| {
            pager(program, text)
        });
        Ok(())
    }

    /// Returns the bytes of a message, unquoted; a failure to read them counts for the exit status, and keeps a
    /// script from deleting the message.
    fn bytes(&mut self, message: usize) -> Result<Vec<u8>, Complaint> {
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
                &self.display,
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

    /// Shows the current message if it was not shown yet, else the next one; with a list its first message.
    pub(super) fn next(&mut self, list: &str) -> CommandResult {
        if !list.is_empty() {
            let first = self.messages(list)?[0];
            return self.print(&(first + 1).to_string());
        }
        // At the start the current message has not been shown, so the first `next` shows it
        // (POSIX).
        let from = self.current + usize::from(self.shown);
        let next = self.visible().find(|&message| message >= from);
        match next {
            Some(message) => self.print(&(message + 1).to_string()),
            None => Err(Complaint::nothing("At EOF")),
        }
    }

    /// Shows the message after the current one.
    pub(super) fn forward(&mut self, _: &str) -> CommandResult {
        if !self.visible().any(|message| message > self.current) {
            return Err(Complaint::nothing("Referencing beyond EOF"));
        }
        self.print("+")
    }

    /// Shows the message before the current one.
    pub(super) fn back(&mut self, _: &str) -> CommandResult {
        if !self.visible().any(|message| message < self.current) {
            return Err(Complaint::nothing("Referencing before 1"));
        }
        self.print("-")
    }

    /// Shows the header lines of messages; the last one is current afterwards, as in bsd-mailx.
    pub(super) fn from(&mut self, list: &str) -> CommandResult {
        let messages = self.messages(list)?;
        let current = self.current;
        let mut text = String::new();
        for &message in &messages {
            self.append_headline(&mut text, message, current);
            // A mailbox of a million messages shall not be held as text before a line is seen.
            if text.len() > 1 << 16 {
                self.screen.safe(&text);
                text.clear();
            }
        }
        self.screen.safe(&text);
        let visible = |&&message: &&usize| self.marks[message].fate != Fate::Deleted;
        if let Some(&last) = messages.iter().rev().find(visible) {
            self.go_to(last);
        }
        Ok(())
    }

    pub(super) fn append_headline(&self, text: &mut String, message: usize, current: usize) {
        let found = &self.mailbox.messages()[message];
        let facts = HeadlineFacts {
            number: message + 1,
            letter: self.marks[message].letter(),
            current: message == current,
            lines: self.lines(message),
            size: found.len,
        };
        headline::append(text, facts, &self.block(message), &self.display);
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
        let before = self.visible().take_while(|&other| other < message).count();
        // A deletion may have left fewer screenfuls than there were.
        let last = self.visible().count() - 1;
        self.page = before.min(last) / self.screen_lines();
        if !list.is_empty() {
            self.go_to_page();
        }
        self.show_page();
        Ok(())
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
        self.screen.safe(&text);
    }

    /// Scrolls by screenfuls: `z` or `z+` forth, `z-` back, with a number that many.
    pub(super) fn scroll(&mut self, argument: &str) -> CommandResult {
        let (sign, steps) = match argument.chars().next() {
            Some(sign @ ('+' | '-')) => (sign, argument[1..].trim()),
            _ => ('+', argument),
        };
        let steps: usize = match steps {
            "" => 1,
            number => number.parse().map_err(|_| {
                Complaint::wrong(format!(
                    "z: \"{argument}\" is not understood: use z, z+, z- or a number"
                ))
            })?,
        };
        let last = self.visible().count().saturating_sub(1) / self.screen_lines();
        self.page = match sign {
            '-' if self.page == 0 => {
                return Err(Complaint::nothing("On first screenful of messages"));
            }
            '-' => self.page.saturating_sub(steps),
            _ if self.page >= last => {
                return Err(Complaint::nothing("On last screenful of messages"));
            }
            _ => self.page.saturating_add(steps).min(last),
        };
        self.go_to_page();
        self.show_page();
        Ok(())
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

    /// Writes text.
    pub(super) fn echo(&mut self, text: &str) -> CommandResult {
        self.screen.text(&format!("{text}\n"));
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

    /// Shows the commands that have a help text, other spellings beside them.
    pub(super) fn help(&mut self, _: &str) -> CommandResult {
        let mut text = String::from("Commands (you may leave out the letters in brackets):\n");
        let mut rows = at_prompt().peekable();
        while let Some(command) = rows.next() {
            let Help::Text(help) = command.help else {
                continue;
            };
            let mut names = abbreviated(command.name, command.enough);
            while let Some(other) = rows.next_if(|other| other.help == Help::Alias) {
                names.push_str(", ");
                names.push_str(&abbreviated(other.name, other.enough));
            }
            let synopsis = format!("{names} {}", command.arguments.synopsis());
            text.push_str(&format!("  {:<34} {}\n", synopsis.trim_end(), help));
        }
        text.push_str(
            "A number shows that message; an empty line shows the next one.\n\
            [messages] are numbers, ranges (2-5), . ^ $ * + -, senders, /text in the subject, or\n\
            :n new, :o old, :r read, :u unread, :a answered, :f flagged, :t drafts, :d deleted.\n\
            Without them a command applies to the current message.\n\
            q writes the changes and leaves; x leaves without a change.\n",
        );
        self.screen.text(&text);
        Ok(())
    }

    /// Shows the names of all commands.
    pub(super) fn list_commands(&mut self, _: &str) -> CommandResult {
        let names: Vec<&str> = at_prompt().map(|command| command.name).collect();
        let mut text = String::from("Commands are:\n");
        for line in names.chunks(8) {
            text.push_str(&line.join(", "));
            text.push('\n');
        }
        self.screen.text(&text);
        Ok(())
    }

    /// Shows the version.
    pub(super) fn version(&mut self, _: &str) -> CommandResult {
        self.screen
            .text(concat!("Postrider ", env!("CARGO_PKG_VERSION"), "\n"));
        Ok(())
    }
}

/// Returns a name with the part in brackets that may be left out.
fn abbreviated(name: &str, enough: usize) -> String {
    match name.split_at_checked(enough) {
        Some((short, rest)) if !rest.is_empty() => format!("{short}[{rest}]"),
        _ => name.to_owned(),
    }
}
