//! Parts of messages: `3.2` in a list, the tree that `struct` shows, and the files made of parts.

use std::path::{Path, PathBuf};

use super::command_line;
use super::complaint::{CommandResult, Complaint};
use super::plain_file;
use super::reader::Reader;
use crate::exit::{Failure, Kind};
use crate::message::parse::{Content, Part, structure};
use crate::report::part::find;

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
        let (parts, others) = self.named_parts(list)?;
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

    /// Returns the parts that a list names, and the rest of the list.
    pub(super) fn named_parts(&mut self, list: &str) -> Result<(Vec<Target>, String), Complaint> {
        let mut targets = Vec::new();
        // Without a full stop between digits there is no part, and the list stays as it is typed.
        if !list
            .split([' ', '\t', ','])
            .any(|word| address(word).is_some())
        {
            return Ok((targets, list.to_owned()));
        }
        let words = command_line::words(list)?;
        let mut others = String::new();
        for (place, word) in words.iter().enumerate() {
            let end = words.get(place + 1).map_or(list.len(), |next| next.start);
            let typed = list[word.start..end].trim();
            for piece in typed.split(',') {
                match address(piece) {
                    Some((number, part)) => {
                        let message = self.messages(number)?[0];
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
    pub(super) fn write_named_parts(
        &mut self,
        targets: &[Target],
        path: &Path,
        is_directory: bool,
    ) -> Result<(), Failure> {
        let mut all = Vec::new();
        for target in targets {
            let content = self.content(target.message)?;
            let found = structure(&content);
            let number = target.part.as_deref().unwrap_or_default();
            let part = find(&found.parts, number).ok_or_else(|| no_part(target))?;
            if is_directory {
                self.write_part(&part, path)?;
            } else {
                all.extend_from_slice(&part.decoded());
            }
        }
        if !is_directory {
            let is_new = plain_file::append(path, &all)?;
            self.say_written(path, is_new, &all.len().to_string());
        }
        Ok(())
    }

    /// Writes a part into a directory, and says so.
    pub(super) fn write_part(&mut self, part: &Part<'_>, directory: &Path) -> Result<(), Failure> {
        let (path, size) = create(part, directory)?;
        self.say_written(&path, true, &size.to_string());
        Ok(())
    }
}

/// Writes a part into a directory; returns its path and how many bytes it has.
///
/// The sender of the mail chose the name of the part: it names no directory and no file that is
/// there.
pub(super) fn create(part: &Part<'_>, directory: &Path) -> Result<(PathBuf, usize), Failure> {
    let name = plain_file::safe_name(&name_of(part));
    let bytes = part.decoded();
    let path = plain_file::create(directory, &name, &bytes)?;
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
