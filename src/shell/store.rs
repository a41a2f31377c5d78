//! The commands that put messages into other files: `save`, `copy`, `move`, `write`.
//!
//! All but `write` are the one append of `mailbox`: locked, synced, all messages of a command or
//! none of them. `write`, and a part that any of them names, make plain files; see
//! [`super::plain_file`] and [`super::parts`].

use std::cell::RefCell;
use std::fs;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use super::command_line;
use super::commit::{counted, notices_of, prepend, unfinished};
use super::complaint::{CommandResult, Complaint};
use super::parts::{Target, lacks_file};
use super::plain_file::{self, Directory};
use super::reader::Reader;
use super::storing::{Storing, size};
use crate::config::FieldLists;
use crate::exit::{Failure, Kind, with_causes};
use crate::mailbox::{
    AppendOptions, Flags, Holder, Incoming, Mailbox, Waiter, append_all, could_append, with_flags,
};
use crate::message::parse::{Content, Part, display, fields, picked, structure, words};
use crate::sanitize;
use crate::sys::clock;
use crate::sys::progress::{self, Unit};

impl Reader<'_, '_> {
    /// Appends messages to a file.
    pub(super) fn store_in_file(&mut self, text: &str, storing: Storing) -> CommandResult {
        self.storable(storing)?;
        let (list, name) = split_file(text)?;
        lacks_file(storing.command(), list, name.as_deref())?;
        let name = name.as_deref().unwrap_or("&");
        let parts = self.parts_of(list, storing)?;
        if !parts.is_empty() {
            self.store_parts(&parts, name, storing);
            return Ok(());
        }
        let messages = self.messages_to_keep(list)?;
        let path = self.file_of(name);
        self.store(&messages, path, storing)
    }

    /// Appends messages to a file named after the author of the first; a part has a name of its own.
    pub(super) fn store_by_author(&mut self, list: &str, storing: Storing) -> CommandResult {
        self.storable(storing)?;
        let parts = self.parts_of(list, storing)?;
        if !parts.is_empty() {
            match self.author_directory() {
                Ok(directory) => self.store_parts_into(&parts, &directory, storing),
                Err(failure) => self.fail(&failure),
            }
            return Ok(());
        }
        let messages = self.messages_to_keep(list)?;
        let path = self.author_file(messages[0]);
        self.store(&messages, path, storing)
    }

    /// Returns the parts that a list names; none if it names messages.
    fn parts_of(&mut self, list: &str, storing: Storing) -> Result<Vec<Target>, Complaint> {
        let parts = self.parts_to_keep(storing.command(), list)?;
        if storing == Storing::Move && !parts.is_empty() {
            let what = "move: a part cannot leave its message; save writes it to a file";
            return Err(Complaint::wrong(what));
        }
        Ok(parts)
    }

    /// Returns the error if messages cannot leave the mailbox.
    fn storable(&self, storing: Storing) -> CommandResult {
        match storing {
            Storing::Move => self.changeable(),
            Storing::Copy | Storing::Save | Storing::Write => Ok(()),
        }
    }

    /// Returns the file that is named after a message's author.
    fn author_file(&self, message: usize) -> Result<PathBuf, Failure> {
        Ok(self.author_directory()?.join(self.author_name(message)?))
    }

    /// Returns the directory of the files that are named after authors; empty for the working
    /// directory.
    fn author_directory(&self) -> Result<PathBuf, Failure> {
        if self.settings.is_set("outfolder") && self.settings.path("folder").is_some() {
            return self.file_of("+");
        }
        Ok(PathBuf::new())
    }

    /// Returns the name of a file that is named after a message's author: the local part of the
    /// address.
    ///
    /// The author chose it, so it can be no path and no hidden file.
    pub(super) fn author_name(&self, message: usize) -> Result<String, Failure> {
        let block = self.block(message);
        let (_, header) = fields::split_from_line(&block);
        let address = fields::find(header, "from").map(|body| words::first_address(body).address);
        let address = address.unwrap_or_default();
        let local = address
            .rsplit_once('@')
            .map_or(&*address, |(local, _)| local);
        if local.is_empty() {
            let what = format!("{}: the message has no author", message + 1);
            return Err(Failure::new(Kind::Data, what));
        }
        Ok(plain_file::safe_name(local))
    }

    fn store(
        &mut self,
        messages: &[usize],
        path: Result<PathBuf, Failure>,
        storing: Storing,
    ) -> CommandResult {
        let all = self.mailbox.messages();
        let flags: Vec<Flags> = messages.iter().map(|&message| all[message].flags).collect();
        let reading = progress::begin("reading", Unit::Messages, messages.len() as u64);
        let lines: u64 = messages
            .iter()
            .map(|&message| {
                reading.advance(1);
                u64::from(self.lines(message))
            })
            .sum();
        drop(reading);
        let bytes: u64 = messages.iter().map(|&message| all[message].len).sum();
        let appended = path.and_then(|path| {
            let is_new = self.append(&path, messages, &flags)?;
            Ok((path, is_new))
        });
        match appended {
            Ok((path, is_new)) => {
                if self.is_watched() {
                    let line = stored(storing, messages, &path, is_new, bytes);
                    self.screen.text(&line);
                } else {
                    self.say_written(&path, is_new, &format!("{lines}/{bytes}"));
                }
                self.mark_stored(messages, storing != Storing::Copy);
                if storing == Storing::Move {
                    self.delete_messages(messages);
                }
            }
            Err(failure) => self.fail_to_store(messages, &failure),
        }
        Ok(())
    }

    fn mark_stored(&mut self, messages: &[usize], marks_saved: bool) {
        for &message in messages {
            let mark = &mut self.marks[message];
            mark.read();
            // `copy` leaves the mark as it is: a message that was saved before is still elsewhere.
            mark.is_saved |= marks_saved;
            mark.is_unsaved = false;
        }
        if let Some(&last) = messages.last() {
            self.go_to(last);
        }
    }

    pub(super) fn fail_to_store(&mut self, messages: &[usize], failure: &Failure) {
        self.fail(failure);
        // `s 1 f` and then `d 1`: the script must not delete what is nowhere else.
        for &message in messages {
            self.marks[message].is_unsaved = true;
        }
    }

    /// Reports what was written to a file: `"file" [New file] lines/bytes`.
    pub(super) fn say_written(&mut self, path: &Path, is_new: bool, size: &str) {
        let path = sanitize::path(&path);
        let how = if is_new { "New file" } else { "Appended" };
        self.screen.text(&format!("\"{path}\" [{how}] {size}\n"));
    }

    /// Appends messages to an mbox, with these flags, all or none; says whether the file is new.
    pub(super) fn append(
        &mut self,
        path: &Path,
        messages: &[usize],
        flags: &[Flags],
    ) -> Result<bool, Failure> {
        let (mailbox, fields) = (&self.mailbox, &self.settings.saved);
        let progress = progress::begin("saving", Unit::Messages, messages.len() as u64);
        let epoch = self.around.environment.source_date_epoch;
        let mut incoming = messages.iter().zip(flags).map(|(&message, &flags)| {
            progress.advance(1);
            incoming(mailbox, message, flags, fields, epoch)
        });
        let (around, screen) = (&self.around, RefCell::new(&mut self.screen));
        let is_over = || around.signal().is_some();
        let tell = |what: &str| screen.borrow_mut().waiting_for(what);
        let waiter = Waiter::new(path, &is_over, &tell).report_changes(around.stdin_is_terminal);
        let waiting = |holder: &Holder| waiter.waits(holder);
        // All messages of a command are one append under one lock. A program that takes the lock
        // sees all of them or none, and a full disk leaves the file as it was.
        let mut options = AppendOptions::folder();
        options.lock.patience = self.options.lock_patience;
        options.lock.waiting = Some(&waiting);
        let kernel_only = |line: &str| screen.borrow_mut().say(line);
        options.lock.kernel_only = (self.options.verbose).then_some(&kernel_only as &dyn Fn(&str));
        append_all(path, &mut incoming, &options).map_err(|error| Failure {
            hint: error.hint(),
            ..Failure::new(error.kind(), with_causes(&error))
        })
    }

    /// Puts messages before those of an mbox that is there, with these flags, all or none.
    pub(super) fn prepend(
        &mut self,
        path: &Path,
        messages: &[usize],
        flags: &[Flags],
    ) -> Result<(), Failure> {
        // The rules for files that mail is written to are those of an append.
        could_append(path, &AppendOptions::folder()).map_err(|error| Failure {
            hint: error.hint(),
            ..Failure::new(error.kind(), with_causes(&error))
        })?;
        let unmade = |error: io::Error| {
            Failure::new(Kind::CannotCreate, "cannot create a temporary file").because(error)
        };
        // They are quoted and separated in a file of their own first, by the one append.
        let own = tempfile::NamedTempFile::new().map_err(unmade)?;
        self.append(own.path(), messages, flags)?;
        let mbox = fs::read(own.path()).map_err(unmade)?;
        let (options, around) = (&self.options, &self.around);
        let done = prepend(path, mbox, options, around, &mut self.screen)?;
        for line in notices_of(&done, path) {
            self.say(&line);
        }
        // One that waits in its journal is certain, but not there: the mailbox keeps the messages.
        unfinished(&done, path).map_or(Ok(()), Err)
    }

    /// Writes the text of messages to a file, or their attachments into a directory.
    pub(super) fn write(&mut self, text: &str) -> CommandResult {
        let (list, name) = split_file(text)?;
        lacks_file("write", list, name.as_deref())?;
        let name = name.ok_or_else(|| Complaint::wrong("write: the file name is missing"))?;
        let parts = self.parts_to_keep("write", list)?;
        if !parts.is_empty() {
            self.store_parts(&parts, &name, Storing::Write);
            return Ok(());
        }
        let messages = self.messages_to_keep(list)?;
        let written = self.file_of(&name).and_then(|path| {
            if name.ends_with('/') || path.is_dir() {
                self.write_parts(&messages, &path)
            } else {
                self.write_text(&messages, &path)
            }
        });
        match written {
            Ok(()) => self.mark_stored(&messages, true),
            // Already reported: the command itself was understood, so it has no complaint.
            Err(failure) => self.fail_to_store(&messages, &failure),
        }
        Ok(())
    }

    /// Writes the text of messages to a file named after the author of the first; a part has a name of
    /// its own.
    pub(super) fn write_by_author(&mut self, list: &str) -> CommandResult {
        let parts = self.parts_to_keep("Write", list)?;
        if !parts.is_empty() {
            match self.author_directory() {
                Ok(directory) => self.store_parts_into(&parts, &directory, Storing::Write),
                Err(failure) => self.fail(&failure),
            }
            return Ok(());
        }
        let messages = self.messages_to_keep(list)?;
        let written = self
            .author_file(messages[0])
            .and_then(|path| self.write_text(&messages, &path));
        match written {
            Ok(()) => self.mark_stored(&messages, true),
            Err(failure) => self.fail_to_store(&messages, &failure),
        }
        Ok(())
    }

    fn write_text(&mut self, messages: &[usize], path: &Path) -> Result<(), Failure> {
        let mut text = Vec::new();
        let progress = progress::begin("writing", Unit::Messages, messages.len() as u64);
        for &message in messages {
            progress.advance(1);
            let content = self.content(message)?;
            // The text of one message, the usual case, is not copied.
            if text.is_empty() {
                text = body(&content)
            } else {
                text.extend_from_slice(&body(&content))
            }
            if !text.is_empty() && !text.ends_with(b"\n") {
                text.push(b'\n');
            }
        }
        let is_new = plain_file::append(path, &text)?;
        let lines = memchr::memchr_iter(b'\n', &text).count();
        self.say_written(path, is_new, &format!("{lines}/{}", text.len()));
        Ok(())
    }

    fn write_parts(&mut self, messages: &[usize], directory: &Path) -> Result<(), Failure> {
        let mut count = 0;
        let mut directory = Directory::at(directory);
        let progress = progress::begin("writing", Unit::Messages, messages.len() as u64);
        for &message in messages {
            progress.advance(1);
            let content = self.content(message)?;
            let found = structure(&content);
            let mut parts = Vec::new();
            attachments(&found.parts, &mut parts);
            for part in parts {
                self.write_part(&part, &mut directory)?;
                count += 1;
            }
        }
        match count {
            0 => Err(Failure::new(Kind::Nothing, "the message has no attachment")),
            _ => Ok(()),
        }
    }

    /// Returns a message without what the mailbox put around it and into it.
    pub(super) fn content(&self, message: usize) -> Result<Vec<u8>, Failure> {
        let bytes = self.mailbox.read(message).map_err(|error| {
            let what = format!("{}: cannot read the message", message + 1);
            Failure::new(Kind::Io, what).because(error)
        })?;
        let form = self.mailbox.form();
        let content = form.content(&self.mailbox.messages()[message], &bytes);
        Ok(form.unquoted(content.to_vec()))
    }
}

/// Returns the line that says to a person what was stored where.
fn stored(storing: Storing, messages: &[usize], path: &Path, is_new: bool, bytes: u64) -> String {
    let done = storing.done();
    let messages = match messages {
        [message] => format!("message {}", message + 1),
        _ => counted(messages.len()),
    };
    let new = if is_new { "new file " } else { "" };
    let path = sanitize::path(&path);
    format!("{done} {messages} to {new}{path} ({})\n", size(bytes))
}

/// Returns a message as another mailbox takes it, without the header fields that are not saved.
fn incoming<'m>(
    mailbox: &'m Mailbox,
    message: usize,
    flags: Flags,
    fields: &FieldLists,
    epoch: Option<i64>,
) -> io::Result<Incoming<'m>> {
    let place = &mailbox.messages()[message];
    let from_line_len = place.from_line_len as usize;
    let (block, rest) = mailbox.open_message(message)?;
    // The flags are fields of the header in an mbox, so that the copy's header is made anew; the rest
    // of the message is read while it is written.
    let header = with_flags(&block, from_line_len, flags);
    let header = &header[from_line_len..];
    let header = if fields.keep_all() {
        header.to_vec()
    } else {
        picked(header, |name| name.is_none_or(|name| fields.keep(name)))
    };
    Ok(Incoming {
        from_line: mailbox.from_line(message, &block, || clock::message_time(epoch)),
        message: Box::new(Cursor::new(header).chain(rest)),
        form: mailbox.form(),
    })
}

/// Returns the text of a message: decoded where it is one part, else as `print` shows it.
fn body(content: &[u8]) -> Vec<u8> {
    let found = structure(content);
    match found.parts.as_slice() {
        [part] if matches!(part.content, Content::Leaf) => {
            if part.media_type.starts_with("text/") {
                part.text().into_bytes()
            } else {
                part.decoded().into_owned()
            }
        }
        _ => display::text(content, display::Look::default()).into_bytes(),
    }
}

/// Gathers the parts that are not shown as text.
pub(super) fn attachments<'a>(parts: &[Part<'a>], found: &mut Vec<Part<'a>>) {
    for part in parts {
        match &part.content {
            Content::Multipart(parts) => attachments(parts, found),
            Content::Message(..) => found.push(part.clone()),
            Content::Leaf => {
                let is_text = part.media_type.starts_with("text/")
                    && !part.is("text/calendar")
                    && !part.attachment;
                // A text with a name is a file that somebody has attached, even if the mailer
                // marked it as inline.
                if part.file_name.is_some() || !is_text {
                    found.push(part.clone());
                }
                found.extend(part.embedded().into_iter().map(|file| file.1));
            }
        }
    }
}

/// Splits the name of a file, the last word, from the message list before it.
///
/// Quotes keep blanks in a name, as they do in lists.
fn split_file(text: &str) -> Result<(&str, Option<String>), Complaint> {
    let (start, name) = match command_line::words(text)?.last() {
        Some(word) => (word.start, Some(word.text)),
        None => (0, None),
    };
    Ok((text[..start].trim_end(), name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_is_the_file() {
        let rows: [(&str, &str, Option<&str>); 8] = [
            ("", "", None),
            ("box", "", Some("box")),
            ("1-3 box", "1-3", Some("box")),
            ("1 3  box ", "1 3", Some("box")),
            ("/'a b' \"c d\"", "/'a b'", Some("c d")),
            ("1 c\" \"d", "1", Some("c d")),
            ("1 ''", "1", Some("")),
            ("1 +größe", "1", Some("+größe")),
        ];
        for (text, list, name) in rows {
            let expected = (list, name.map(str::to_owned));
            assert_eq!(split_file(text), Ok(expected), "{text}");
        }
        assert!(split_file("1 'open").is_err());
    }
}
