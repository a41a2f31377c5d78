//! The commands that choose the mailbox: `file`, `File`, `folders`.
//!
//! The mailbox that is left is written by the rules of `quit`, and only after the other one could be
//! opened. So a name that leads nowhere changes nothing. A script goes on with commands for a mailbox
//! that it does not have: none of them is carried out on the old one. A person is told and stays.

use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::command_line;
use super::complaint::{CommandResult, Complaint};
use super::mark::Mark;
use super::quit::is_same_file;
use super::reader::{Closed, Reader, may_write, start_of};
use super::undo::Undo;
use crate::config::commands::{Arguments, Command, PromptCommand};
use crate::exit::{Failure, Kind};
use crate::flow::reading::{self, FoundMailbox, Opening};
use crate::mailbox::Mailbox;
use crate::report::unreadable::Unread;
use crate::sanitize;
use crate::selection::FlagChoice;

impl Reader<'_, '_> {
    /// Says which mailbox is open, or opens another one.
    pub(super) fn file(&mut self, text: &str) -> CommandResult {
        self.change_mailbox("file", text, false)
    }

    /// The same, without changing anything in it.
    pub(super) fn file_read_only(&mut self, text: &str) -> CommandResult {
        self.change_mailbox("File", text, true)
    }

    fn change_mailbox(&mut self, command: &str, text: &str, read_only: bool) -> CommandResult {
        let Some(name) = one_word(command, text)? else {
            let line = self.state_line();
            self.screen.text(&line);
            return Ok(());
        };
        let opened = self
            .mailbox_of(&name)
            .and_then(|found| self.leave_for(&found, read_only));
        if let Err(failure) = opened {
            self.fail(&failure);
            let goes_on = !self.in_script || self.options.rules.posix;
            if !goes_on {
                self.closed_by.get_or_insert(Closed {
                    line: format!("{command} {text}"),
                    is_stale: false,
                });
            } else if self.closed_by.is_none() {
                let path = sanitize::path(self.mailbox.path()).to_string();
                self.say(&format!("{path} is still open"));
            }
        }
        Ok(())
    }

    /// Leaves this mailbox by the rules of quitting, and opens that one.
    ///
    /// # Errors
    /// The other mailbox cannot be opened, or this one cannot be written; then this one is open
    /// still, unless `closed_by` is set.
    fn leave_for(&mut self, found: &FoundMailbox, read_only: bool) -> Result<(), Failure> {
        let read_only = read_only || self.around.read_only;
        // What was scanned before the same mailbox is rewritten would be stale afterwards.
        let is_same = is_same_file(&found.path, self.mailbox.path());
        let opened = if is_same {
            None
        } else {
            Some(self.open(found, read_only)?)
        };
        self.settle()?;
        let mailbox = match opened {
            // Leaving may have moved messages into the mailbox that is opened: MBOX.
            Some(opened) if !opened.is_changed() => opened,
            _ => self.open(found, read_only).inspect_err(|_| {
                // This one is written already, and its index is stale.
                self.closed_by = Some(Closed {
                    line: format!("file {}", sanitize::path(&found.path)),
                    is_stale: true,
                });
            })?,
        };
        self.enter(found, mailbox, read_only);
        Ok(())
    }

    fn open(&mut self, found: &FoundMailbox, read_only: bool) -> Result<Mailbox, Failure> {
        let opening = Opening {
            settings: &self.settings,
            journals: &self.around.journals,
            signals: self.around.signals,
            is_watched: self.around.stdin_is_terminal,
            read_only,
        };
        reading::open_empty(found, &opening, &mut self.screen)
            .map_err(|error| reading::failure_of(error, found))
    }

    /// Makes a mailbox the open one.
    fn enter(&mut self, found: &FoundMailbox, mailbox: Mailbox, read_only: bool) {
        let left = self.mailbox.path();
        // `cd` may follow, and `#` must still mean the same file.
        self.previous = std::path::absolute(left).ok().or(Some(left.to_owned()));
        self.around.is_system = found.is_system;
        self.adopt(mailbox, read_only);
        self.report_notices();
        if !self.options.quiet {
            let line = self.state_line();
            self.screen.text(&line);
        }
        if self.options.header {
            self.show_page();
        }
    }

    /// Takes over a mailbox and begins with it as at the start.
    fn adopt(&mut self, mailbox: Mailbox, read_only: bool) {
        self.current = start_of(&mailbox, &self.settings);
        self.marks = Mark::none_in(&mailbox);
        self.shown = false;
        self.page = self.current / self.options.screen;
        self.read_only = read_only || !may_write(&mailbox);
        self.unread = Unread::default();
        self.undo = Undo::default();
        self.closed_by = None;
        self.announced = 0;
        self.display.take();
        self.mailbox = mailbox;
        self.autosort();
    }

    /// Refuses a command for messages after a mailbox was left and no other one could be opened.
    pub(super) fn refuse_without_mailbox(
        &mut self,
        name: &'static str,
        line: &str,
    ) -> CommandResult {
        let failed = self.closed_by.clone().unwrap_or_default().line;
        if !self.in_script {
            let line = format!("No mailbox is open, because \"{failed}\" failed");
            return Err(Complaint::new(line, Some(Kind::NoInput)));
        }
        // The failure itself was reported, and is the exit status.
        self.hold_back(name, line, &failed);
        Ok(())
    }

    /// Gives the mailbox back to a person whose script of -Y has failed to open another one.
    pub(super) fn open_again_for_a_person(&mut self) {
        self.closed_by.take_if(|closed| !closed.is_stale);
    }

    /// Returns the line that says which mailbox is open and what is in it:
    /// `"/var/mail/root": 4 messages 2 new 3 unread 1 deleted [Read only]`.
    pub(super) fn state_line(&self) -> String {
        if let Some(Closed { line, .. }) = &self.closed_by {
            return format!("No mailbox is open, because \"{line}\" failed\n");
        }
        // A line end in the name would break the line in two.
        let path = sanitize::path(self.mailbox.path()).to_string();
        let mut line = format!("\"{}\": ", path.replace('\n', "\u{240a}"));
        match self.marks.len() {
            1 => line.push_str("1 message"),
            number => line.push_str(&format!("{number} messages")),
        }
        let flagged = |choice: FlagChoice| {
            let matches = |mark: &&Mark| choice.matches(mark.flags);
            self.marks.iter().filter(matches).count()
        };
        let marked = |matches: fn(&Mark) -> bool| {
            let marks = self.marks.iter();
            marks.filter(|mark| matches(mark)).count()
        };
        for (count, name) in [
            (flagged(FlagChoice::New), "new"),
            (flagged(FlagChoice::Unread), "unread"),
            (marked(|mark| mark.is_deleted()), "deleted"),
            (marked(|mark| mark.is_saved), "saved"),
        ] {
            if count > 0 {
                line.push_str(&format!(" {count} {name}"));
            }
        }
        if self.read_only {
            line.push_str(" [Read only]");
        }
        line.push('\n');
        line
    }

    /// Shows the files in the directory `folder`, or in another one, by the program `lister`.
    pub(super) fn folders(&mut self, text: &str) -> CommandResult {
        let name = one_word("folders", text)?;
        if name.is_none()
            && self
                .settings
                .path("folder")
                .is_none_or(|set| set.is_empty())
        {
            return Err(Complaint::wrong("The variable folder is not set"));
        }
        let directory = match self.file_of(name.as_deref().unwrap_or("+")) {
            Ok(directory) => directory,
            Err(failure) => {
                self.fail(&failure);
                return Ok(());
            }
        };
        if let Err(failure) = self.list_directory(&directory) {
            self.fail(&failure);
        }
        Ok(())
    }

    fn list_directory(&mut self, directory: &Path) -> Result<(), Failure> {
        let (tools, signals) = self.tools()?;
        let mut line = self.options.lister.as_bytes().to_vec();
        line.push(b' ');
        line.extend(quoted(directory));
        let listed = tools.output_of(&line, None, signals)?;
        let mut bytes = Vec::new();
        let read = listed.reader().read_to_end(&mut bytes);
        read.map_err(|error| Failure::new(Kind::Io, "cannot read the list").because(error))?;
        // The names are made harmless before a terminal sees them.
        self.show_paged(&sanitize::text(&bytes));
        Ok(())
    }
}

/// Returns whether a command means messages or the mailbox that is open.
pub(super) fn needs_mailbox(command: &Command) -> bool {
    use PromptCommand::{Newmail, Number, Search, Sort, Thread, Undo, Unsort};
    match command.arguments {
        Arguments::Messages
        | Arguments::Message
        | Arguments::File
        | Arguments::Piped
        | Arguments::Forwarded
        | Arguments::Steps => true,
        _ => matches!(
            command.allowed.prompt,
            Some((Newmail | Number | Search | Sort | Thread | Undo | Unsort, _))
        ),
    }
}

/// Returns a path as a word of the shell.
fn quoted(path: &Path) -> Vec<u8> {
    let mut word = b"'".to_vec();
    // Behind a directory a name that begins with `-` is no option.
    if path.as_os_str().as_bytes().starts_with(b"-") {
        word.extend(b"./");
    }
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'\'' => word.extend(br"'\''"),
            byte => word.push(*byte),
        }
    }
    word.push(b'\'');
    word
}

/// Returns the one argument of a command, without its quotes.
fn one_word(command: &str, text: &str) -> Result<Option<String>, Complaint> {
    let mut words = command_line::words(text)?;
    let first = words.next().map(|word| word.text);
    match words.next() {
        None => Ok(first),
        Some(_) => Err(Complaint::wrong(format!("{command}: too many arguments"))),
    }
}
