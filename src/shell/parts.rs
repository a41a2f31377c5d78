//! Parts of messages: `3.2` in a list, the tree that `struct` shows, and the files made of parts.
//!
//! `save`, `copy` and `write` put the decoded content of a part into a plain file: an attachment is
//! what its sender attached, and no message of a mailbox.

use std::path::{Path, PathBuf};

use super::command_line;
use super::complaint::{CommandResult, Complaint};
use super::plain_file::{self, Directory};
use super::reader::Reader;
use super::storing::{Storing, size};
use crate::exit::{Failure, Kind};
use crate::message::parse::{Content, Part, structure};
use crate::report::part::find;
use crate::sanitize;

/// What a command shows or writes: a message, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The message, from 0.
    pub(super) message: usize,
    /// The number of the part, as IMAP counts (`2.1`).
    pub(super) part: Option<String>,
}

impl Reader<'_, '_> {
    /// Returns the messages and parts that a list names; without a list the current message.
    ///
    /// Parts come first, in the order they are named.
    pub(super) fn targets(&mut self, list: &str) -> Result<Vec<Target>, Complaint> {
        let (parts, others) = self.named_parts(list, Self::messages)?;
        let mut targets = parts;
        if targets.is_empty() || !others.is_empty() {
            let messages = self.messages(&others)?;
            targets.extend(messages.into_iter().map(|message| Target {
                message,
                part: None,
            }));
        }
        Ok(targets)
    }

    /// Returns the parts that a list names for a command that puts them in safety; none if it names
    /// whole messages. `command` is for the complaint about a list that names both.
    pub(super) fn parts_to_keep(
        &mut self,
        command: &str,
        list: &str,
    ) -> Result<Vec<Target>, Complaint> {
        let (parts, others) = self.named_parts(list, Self::messages_to_keep)?;
        if !parts.is_empty() && !others.is_empty() {
            // A part becomes a plain file, and a message goes into a mailbox.
            let what = format!("{command}: name messages or parts of them, not both");
            return Err(Complaint::wrong(what));
        }
        Ok(parts)
    }

    /// Returns the parts that a list names, and the rest of the list; `choose` finds the message of a
    /// number.
    fn named_parts(
        &mut self,
        list: &str,
        choose: impl Fn(&mut Self, &str) -> Result<Vec<usize>, Complaint>,
    ) -> Result<(Vec<Target>, String), Complaint> {
        let mut targets = Vec::new();
        // Without a full stop between digits there is no part, and the list stays as it is typed.
        if !list
            .split([' ', '\t', ','])
            .any(|word| address(word).is_some())
        {
            return Ok((targets, list.to_owned()));
        }
        let mut words = command_line::words(list)?.peekable();
        let mut others = String::new();
        while let Some(word) = words.next() {
            let end = words.peek().map_or(list.len(), |next| next.start);
            let typed = list[word.start..end].trim();
            for piece in typed.split(',') {
                match address(piece) {
                    Some((number, part)) => {
                        let message = choose(self, number)?[0];
                        targets.push(Target {
                            message,
                            part: Some(part.to_owned()),
                        });
                    }
                    None if piece.is_empty() => {}
                    None => {
                        others.push_str(piece);
                        others.push(' ');
                    }
                }
            }
        }
        Ok((targets, others.trim_end().to_owned()))
    }

    /// Shows the tree of parts of messages: number, type, size in bytes, name.
    pub(super) fn show_structure(&mut self, list: &str) -> CommandResult {
        for message in self.messages(list)? {
            let content = match self.content(message) {
                Ok(content) => content,
                Err(failure) => {
                    self.fail(&failure);
                    continue;
                }
            };
            let found = structure(&content);
            let mut text = String::new();
            outline(&found.parts, message + 1, &mut text);
            if found.rest.is_some() {
                text.push_str("(too many parts: the rest is not listed)\n");
            }
            self.screen.text(&text);
            self.go_to(message);
        }
        Ok(())
    }

    /// Writes parts to a file, one behind another, or each into a directory under its own name.
    ///
    /// A failure keeps a script from deleting their messages. They do not count as saved: the rest of
    /// a message is nowhere else.
    pub(super) fn store_parts(&mut self, parts: &[Target], name: &str, storing: Storing) {
        let written = plain_path(name)
            .and_then(|()| self.file_of(name))
            .and_then(|path| {
                if name.ends_with('/') || path.is_dir() {
                    self.write_parts_into(parts, &path, storing)
                } else {
                    self.append_parts(parts, &path, storing)
                }
            });
        self.end_of_parts(parts, written);
    }

    /// Writes parts into a directory, each under its own name.
    pub(super) fn store_parts_into(
        &mut self,
        parts: &[Target],
        directory: &Path,
        storing: Storing,
    ) {
        let written = self.write_parts_into(parts, directory, storing);
        self.end_of_parts(parts, written);
    }

    fn end_of_parts(&mut self, parts: &[Target], written: Result<(), Failure>) {
        match (written, parts.last()) {
            (Ok(()), Some(last)) => self.go_to(last.message),
            (Ok(()), None) => {}
            (Err(failure), _) => {
                let messages: Vec<usize> = parts.iter().map(|part| part.message).collect();
                self.fail_to_store(&messages, &failure);
            }
        }
    }

    fn append_parts(
        &mut self,
        parts: &[Target],
        path: &Path,
        storing: Storing,
    ) -> Result<(), Failure> {
        // All of them are one append: a part that is not there, or a full disk, leaves nothing.
        let mut all = Vec::new();
        for target in parts {
            self.with_part(target, |part| {
                all.extend_from_slice(&part.decoded());
                Ok(())
            })?;
        }
        if plain_file::begins_like_mbox(path) {
            let what = format!("cannot write a part to {}", sanitize::path(&path));
            let failure = Failure::new(Kind::CannotCreate, what).because("it is a mailbox");
            return Err(failure.hint("name another file, or a directory such as parts/"));
        }
        let is_new = plain_file::append(path, &all)?;
        self.say_parts(parts, path, is_new, all.len(), storing);
        Ok(())
    }

    fn write_parts_into(
        &mut self,
        parts: &[Target],
        directory: &Path,
        storing: Storing,
    ) -> Result<(), Failure> {
        // Nothing is written where one of them is not there.
        for target in parts {
            self.with_part(target, |_| Ok(()))?;
        }
        let mut directory = Directory::at(directory);
        for target in parts {
            let (path, size) = self.with_part(target, |part| create(part, &mut directory))?;
            self.say_parts(std::slice::from_ref(target), &path, true, size, storing);
        }
        Ok(())
    }

    /// Hands a part to a function.
    ///
    /// # Errors
    /// The message cannot be read, or has no such part; or the function's own.
    pub(super) fn with_part<T>(
        &self,
        target: &Target,
        work: impl FnOnce(&Part<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let content = self.content(target.message)?;
        let found = structure(&content);
        let number = target.part.as_deref().unwrap_or_default();
        let part = find(&found.parts, number).ok_or_else(|| no_part(target))?;
        work(&part)
    }

    /// Says what was written of which parts; to a script as of every file.
    fn say_parts(
        &mut self,
        parts: &[Target],
        path: &Path,
        is_new: bool,
        bytes: usize,
        storing: Storing,
    ) {
        if !self.is_watched() {
            return self.say_written(path, is_new, &bytes.to_string());
        }
        let names: Vec<String> = parts.iter().map(Target::name).collect();
        let parts = if names.len() == 1 { "part" } else { "parts" };
        let to = if is_new { "new file" } else { "the end of" };
        let line = format!(
            "{} the content of {parts} {} to {to} {} ({})\n",
            storing.done(),
            names.join(", "),
            sanitize::path(&path),
            size(bytes as u64)
        );
        self.screen.text(&line);
    }

    /// Writes a part into a directory, and says so.
    pub(super) fn write_part(
        &mut self,
        part: &Part<'_>,
        directory: &mut Directory<'_>,
    ) -> Result<(), Failure> {
        let (path, size) = create(part, directory)?;
        self.say_written(&path, true, &size.to_string());
        Ok(())
    }
}

impl Target {
    /// Returns the number as it is typed: `3.2`.
    fn name(&self) -> String {
        let number = self.message + 1;
        match &self.part {
            Some(part) => format!("{number}.{part}"),
            None => number.to_string(),
        }
    }
}

/// Returns the error for a name that stands for a mailbox, where a plain file is wanted.
fn plain_path(name: &str) -> Result<(), Failure> {
    if name == "&" || name == "#" || name.starts_with('%') {
        let what = format!("cannot write a part to {}", sanitize::line(name.as_bytes()));
        let failure = Failure::new(Kind::CannotCreate, what).because("the name means a mailbox");
        return Err(failure.hint("name a file, or a directory such as parts/"));
    }
    Ok(())
}

/// Returns the complaint of a command whose only word names a part: it has no file.
pub(super) fn lacks_file(command: &str, list: &str, name: Option<&str>) -> CommandResult {
    match name {
        Some(name) if list.is_empty() && address(name).is_some() => Err(Complaint::wrong(format!(
            "{command}: the file name is missing, as in {command} {name} FILE; {command} {name} . \
                 takes the name of the attachment"
        ))),
        _ => Ok(()),
    }
}

/// Writes a part into a directory; returns its path and how many bytes it has.
///
/// The sender of the mail chose the name of the part: it names no directory and no file that is
/// there.
pub(super) fn create(
    part: &Part<'_>,
    directory: &mut Directory<'_>,
) -> Result<(PathBuf, usize), Failure> {
    let name = plain_file::safe_name(&name_of(part));
    let bytes = part.decoded();
    let path = directory.create(&name, &bytes)?;
    Ok((path, bytes.len()))
}

/// Splits `3.2.1` into the number of a message and that of a part.
fn address(word: &str) -> Option<(&str, &str)> {
    let (message, part) = word.split_once('.')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(message) && part.split('.').all(is_number)).then_some((message, part))
}

/// Returns the failure for a part that is not there.
pub(super) fn no_part(target: &Target) -> Failure {
    let number = target.message + 1;
    let part = target.part.as_deref().unwrap_or_default();
    Failure {
        hint: Some(format!("struct {number} shows its parts")),
        ..Failure::new(
            Kind::Nothing,
            format!("message {number} has no part {part}"),
        )
    }
}

/// Returns the name that a part has, or one made of its number.
fn name_of(part: &Part<'_>) -> String {
    match &part.file_name {
        Some(name) => name.clone(),
        None => {
            let extension = match &*part.media_type {
                "message/rfc822" => ".eml",
                "text/calendar" => ".ics",
                _ => "",
            };
            format!("part-{}{extension}", part.number)
        }
    }
}

/// Appends a line for each part: `2.1 text/plain 296 name`.
fn outline(parts: &[Part<'_>], message: usize, out: &mut String) {
    for part in parts {
        let dot = if part.number.is_empty() { "" } else { "." };
        let size = part.decoded_len();
        out.push_str(&format!(
            "{message}{dot}{} {} {size}",
            part.number, part.media_type
        ));
        if let Some(name) = &part.file_name {
            out.push(' ');
            out.push_str(&name.replace(['\n', '\r'], " "));
        }
        out.push('\n');
        match &part.content {
            Content::Multipart(parts) | Content::Message(_, parts) => outline(parts, message, out),
            Content::Leaf => {
                let files: Vec<Part<'_>> = part.embedded().into_iter().map(|file| file.1).collect();
                outline(&files, message, out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_a_part_is_digits_and_full_stops() {
        let rows = [
            ("3.2", Some(("3", "2"))),
            ("3.2.1", Some(("3", "2.1"))),
            ("3", None),
            (".", None),
            ("3.", None),
            (".2", None),
            ("3.x", None),
            ("/3.2", None),
            ("a.b", None),
        ];
        for (word, expected) in rows {
            assert_eq!(address(word), expected, "{word}");
        }
    }

    #[test]
    fn parts_are_found_by_their_number() {
        let message = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nbegin 644 f\n#86)C\n`\nend\n\
            --b\nContent-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\n\
            inner\n--c--\n--b--\n";
        let found = structure(message);
        let rows = [
            ("1", "text/plain"),
            ("1.1", "application/octet-stream"),
            ("2", "message/rfc822"),
            ("2.1", "text/plain"),
        ];
        for (number, media_type) in rows {
            let part = find(&found.parts, number).expect(number);
            assert_eq!(part.media_type, media_type, "{number}");
        }
        for number in ["3", "1.2", "2.2", "2.1.1", "11", "0"] {
            assert!(find(&found.parts, number).is_none(), "{number}");
        }
        let mut text = String::new();
        outline(&found.parts, 7, &mut text);
        assert!(
            text.contains("\n7.1.1 application/octet-stream 3 f\n"),
            "{text}"
        );
        assert!(text.starts_with("7 multipart/mixed "), "{text}");
    }
}
