//! The file of one entry: its name, its first line, its envelope.
//!
//! ```text
//! postrider-outbox 1 ENVELOPE MESSAGE CHECKSUM BODY
//! {"account":null,…}
//! From: …
//!
//! text
//! ```
//! ENVELOPE and MESSAGE are lengths in bytes, BODY is the xxh3 of 128 bits over the message's body,
//! and CHECKSUM that over all three. The numbers have a fixed width: the line is written last, so a file
//! whose writer died in the middle has none.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::time::Duration;

use serde_json::{Map, Value, json};
use twox_hash::XxHash3_128;
use twox_hash::xxhash3_128::Hasher;

use crate::mailbox::read_full;
use crate::sys::{clock, random, user};

/// The first word of every entry, of all versions.
const MAGIC: &str = "postrider-outbox";

/// The version that is written.
const VERSION: u32 = 1;

/// How long the first line is, with its end.
pub(super) const LINE: usize = 114;

/// How long the page of the slot is: what was in it may be padded to it.
pub(super) const PAGE: usize = 4096;

/// How long an envelope may be: 100,000 recipients of 254 bytes, and some more.
pub(super) const MAX_ENVELOPE: u64 = 64 << 20;

/// How much of a body is read at first: most are shorter, and each page of memory that a mail touches
/// costs it as much as ten system calls.
const FIRST_BLOCK: usize = 1024;

/// How much is gathered before it is written.
const BLOCK: usize = 32 * 1024;

/// The name of an entry: microseconds since 1970, the process, and a random number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id(String);

impl Id {
    /// Returns a new ID, of an entry that arrives now.
    pub(crate) fn new() -> Id {
        Id::of(clock::since_epoch(), random::number() as u32)
    }

    /// Returns the ID of a message that lies in a file of this user: the same one for the same facts.
    pub(super) fn of_file(arrival: Duration, uid: u32, facts: &[u8]) -> Id {
        let hash = XxHash3_128::oneshot(facts) as u32;
        Id(format!("{:016}-{uid}-{hash:08x}", arrival.as_micros()))
    }

    fn of(arrival: Duration, random: u32) -> Id {
        let pid = std::process::id();
        Id(format!("{:016}-{pid}-{random:08x}", arrival.as_micros()))
    }

    /// Reads an ID; `None` for a text that cannot be one.
    pub(crate) fn parse(text: &str) -> Option<Id> {
        let mut parts = text.split('-');
        let (time, pid, random) = (parts.next()?, parts.next()?, parts.next()?);
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let is_one = parts.next().is_none()
            && time.len() == 16
            && digits(time)
            && (1..=10).contains(&pid.len())
            && digits(pid)
            && random.len() == 8
            && random.bytes().all(hex);
        is_one.then(|| Id(text.to_owned()))
    }

    /// Returns the text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns when the entry has arrived, since 1970.
    pub(crate) fn arrival(&self) -> Duration {
        Duration::from_micros(self.0[..16].parse().unwrap_or(0))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// All that an entry knows beside its message: who sends it, to whom, and how it was asked for.
///
/// No secret is ever in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct EntryEnvelope {
    /// The effective user.
    pub uid: u32,
    /// The login name of the account whose mail it is; none where it is that user's. To look it up
    /// costs a mail that is accepted at once as much as its entry.
    pub login: Option<String>,
    /// The program that was called: `mailx`, `postrider` or `sendmail`.
    pub face: String,
    /// The envelope sender that was asked for: none, `""` for the null sender, or an address.
    pub sender: Option<String>,
    /// The sender's full name that was asked for.
    pub full_name: Option<String>,
    /// The recipients, after the aliases of the rc files and before those of the system.
    pub recipients: Vec<String>,
    /// The account that was chosen (`-A`).
    pub account: Option<String>,
    /// The way out that the command line named, without a password.
    pub route: Option<String>,
    /// The Message-ID.
    pub message_id: String,
    /// The subject, for listings; at most [`SUBJECT`] bytes of it.
    pub subject: Option<String>,
    /// The hash of recipients and subject, by which an equal message is found; none if it must not
    /// be merged.
    pub merge: Option<String>,
    /// Whether the message is signed or encrypted: not a byte of it may change.
    pub signed: bool,
}

/// How much of a subject an envelope holds, in bytes.
pub(crate) const SUBJECT: usize = 400;

impl EntryEnvelope {
    /// Returns the login name of the account whose mail it is.
    pub(crate) fn login_name(&self) -> String {
        self.login
            .clone()
            .unwrap_or_else(|| user::name_of(self.uid))
    }

    /// Returns the envelope as JSON.
    pub(super) fn encode(&self) -> Vec<u8> {
        let value = json!({
            "uid": self.uid,
            "login": self.login,
            "face": self.face,
            "sender": self.sender,
            "full_name": self.full_name,
            "recipients": self.recipients,
            "account": self.account,
            "route": self.route,
            "message_id": self.message_id,
            "subject": self.subject,
            "merge": self.merge,
            "signed": self.signed,
        });
        let mut bytes = value.to_string().into_bytes();
        bytes.push(b'\n');
        bytes
    }

    /// Reads an envelope; `None` for bytes that are none.
    pub(super) fn decode(bytes: &[u8]) -> Option<EntryEnvelope> {
        let Ok(Value::Object(mut object)) = serde_json::from_slice(bytes) else {
            return None;
        };
        Some(EntryEnvelope {
            uid: u32::try_from(object.get("uid")?.as_u64()?).ok()?,
            login: text(&mut object, "login"),
            face: text(&mut object, "face")?,
            sender: text(&mut object, "sender"),
            full_name: text(&mut object, "full_name"),
            recipients: texts(object.remove("recipients")?)?,
            account: text(&mut object, "account"),
            route: text(&mut object, "route"),
            message_id: text(&mut object, "message_id")?,
            subject: text(&mut object, "subject"),
            merge: text(&mut object, "merge"),
            signed: object.get("signed")?.as_bool()?,
        })
    }
}

/// Takes a text out of an object; `None` if it is not there or is no text.
pub(super) fn text(object: &mut Map<String, Value>, key: &str) -> Option<String> {
    match object.remove(key)? {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn texts(value: Value) -> Option<Vec<String>> {
    let Value::Array(values) = value else {
        return None;
    };
    let texts = values.into_iter().map(|value| match value {
        Value::String(text) => Some(text),
        _ => None,
    });
    texts.collect()
}

/// The first line of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FirstLine {
    /// How long the envelope is, with its line end.
    pub envelope: u64,
    /// How long the message is.
    pub message: u64,
    /// The checksum of both, and of the hash of the body.
    pub checksum: u128,
    /// The hash of the message's body.
    pub body: u128,
}

impl FirstLine {
    fn encode(&self) -> String {
        let FirstLine {
            envelope,
            message,
            checksum,
            body,
        } = self;
        format!("{MAGIC} {VERSION:02} {envelope:010} {message:016} {checksum:032x} {body:032x}\n")
    }

    /// Reads the first line of a file of this size.
    ///
    /// # Errors
    /// Says what is wrong with the file, as the end of a sentence that begins with it.
    pub(super) fn decode(bytes: &[u8], size: u64) -> Result<FirstLine, String> {
        let torn = || "is not complete".to_owned();
        // What has no first line yet is being written, or its writer has died.
        if bytes.first().is_none_or(|first| *first == 0) {
            return Err(torn());
        }
        let line = bytes
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default();
        let line =
            std::str::from_utf8(line).map_err(|_| "is not an entry of an outbox".to_owned())?;
        let mut words = line.split(' ');
        if words.next() != Some(MAGIC) {
            return Err("is not an entry of an outbox".to_owned());
        }
        let version = words.next().and_then(|word| word.parse::<u32>().ok());
        match version {
            Some(VERSION) => {}
            Some(version) if version > VERSION => {
                return Err(format!(
                    "has format {version}, and this version of the program knows format {VERSION} only"
                ));
            }
            _ => return Err("has a damaged first line".to_owned()),
        }
        let damaged = || "has a damaged first line".to_owned();
        let mut number = |radix| {
            let word = words.next()?;
            u128::from_str_radix(word, radix).ok()
        };
        let (envelope, message) = (number(10), number(10));
        let (checksum, body) = (number(16), number(16));
        let length = |number: Option<u128>| number.and_then(|number| u64::try_from(number).ok());
        let line = FirstLine {
            envelope: length(envelope).ok_or_else(damaged)?,
            message: length(message).ok_or_else(damaged)?,
            checksum: checksum.ok_or_else(damaged)?,
            body: body.ok_or_else(damaged)?,
        };
        let whole = (LINE as u64)
            .checked_add(line.envelope)
            .and_then(|size| size.checked_add(line.message));
        match whole {
            Some(whole) if whole > size => Err(torn()),
            // What was in the slot is padded.
            Some(whole)
                if (whole == size || size == PAGE as u64) && line.envelope <= MAX_ENVELOPE =>
            {
                Ok(line)
            }
            _ => Err(damaged()),
        }
    }
}

/// What an entry file holds, by its first line and its envelope; the checksum is not looked at.
#[derive(Clone, Debug)]
pub(super) struct Head {
    /// The first line.
    pub line: FirstLine,
    /// The envelope.
    pub envelope: EntryEnvelope,
}

impl Head {
    /// Reads the beginning of an entry of this size.
    ///
    /// # Errors
    /// Says what is wrong, as the end of a sentence that begins with the file.
    pub(super) fn read(file: &File, size: u64) -> Result<Head, String> {
        let unread = |error: io::Error| format!("cannot be read: {}", crate::exit::plain(&error));
        // Nearly every envelope fits into this: one call reads all.
        let mut start = vec![0; size.min(2048) as usize];
        let count = read_full(file, &mut start, 0).map_err(unread)?;
        start.truncate(count);
        let line = FirstLine::decode(&start, size)?;
        let end = LINE + line.envelope as usize;
        if start.len() < end {
            start.resize(end, 0);
            let more = read_full(file, &mut start[count..], count as u64).map_err(unread)?;
            if count + more < end {
                return Err("is not complete".to_owned());
            }
        }
        let envelope = EntryEnvelope::decode(&start[LINE..end]);
        let envelope = envelope.ok_or_else(|| "has a damaged envelope".to_owned())?;
        Ok(Head { line, envelope })
    }

    /// Returns how long the entry is.
    pub(super) fn whole(&self) -> u64 {
        self.message_at() + self.line.message
    }

    /// Returns where the message begins in the file.
    pub(super) fn message_at(&self) -> u64 {
        LINE as u64 + self.line.envelope
    }

    /// Holds the bytes of the file against the checksum.
    ///
    /// # Errors
    /// Says what is wrong, as the end of a sentence that begins with the file.
    pub(super) fn verify(&self, file: &File) -> Result<(), String> {
        let mut hasher = Hasher::new();
        let len = self.line.envelope.saturating_add(self.line.message);
        let mut block = vec![0; len.clamp(1, BLOCK as u64) as usize];
        let mut message = MessageReader {
            file,
            at: LINE as u64,
            end: (LINE as u64).saturating_add(len),
        };
        loop {
            match message.read(&mut block) {
                Ok(0) => break,
                Ok(count) => hasher.write(&block[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    return Err(format!("cannot be read: {}", crate::exit::plain(&error)));
                }
            }
        }
        hasher.write(&self.line.body.to_le_bytes());
        if hasher.finish_128() == self.line.checksum {
            Ok(())
        } else {
            Err("is damaged: its checksum is wrong".to_owned())
        }
    }
}

/// Writes an entry into the file that is made for it, its first line last.
///
/// `make` is called once, with the length of the whole entry if that will be one write.
///
/// # Errors
/// When the body cannot be read, or the file not be made or written.
pub(super) fn write<'f>(
    make: &dyn Fn(Option<usize>) -> io::Result<&'f File>,
    envelope: &EntryEnvelope,
    header: &[u8],
    body: &mut dyn Read,
) -> io::Result<Head> {
    let mut writer = EntryWriter {
        make,
        file: None,
        block: Vec::with_capacity(FIRST_BLOCK),
        written: 0,
        hasher: Hasher::new(),
    };
    writer.block.resize(LINE, 0);
    let encoded = envelope.encode();
    writer.write_all(&encoded)?;
    writer.write_all(header)?;
    let mut body_hash = Hasher::new();
    let mut body_length = 0;
    let mut block = vec![0; FIRST_BLOCK];
    loop {
        match body.read(&mut block) {
            Ok(0) => break,
            Ok(count) => {
                body_hash.write(&block[..count]);
                body_length += count as u64;
                writer.write_all(&block[..count])?;
                if count == FIRST_BLOCK {
                    block.resize(BLOCK, 0);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let body = body_hash.finish_128();
    writer.hasher.write(&body.to_le_bytes());
    let line = FirstLine {
        envelope: encoded.len() as u64,
        message: header.len() as u64 + body_length,
        checksum: writer.hasher.finish_128(),
        body,
    };
    writer.finish(&line)?;
    Ok(Head {
        line,
        envelope: envelope.clone(),
    })
}

/// Gathers small writes; a small entry is one call.
struct EntryWriter<'a, 'f> {
    make: &'a dyn Fn(Option<usize>) -> io::Result<&'f File>,
    /// Made when something is written.
    file: Option<&'f File>,
    block: Vec<u8>,
    written: u64,
    hasher: Hasher,
}

impl EntryWriter<'_, '_> {
    fn finish(mut self, line: &FirstLine) -> io::Result<()> {
        let line = line.encode();
        if self.written == 0 {
            self.block[..LINE].copy_from_slice(line.as_bytes());
            return self.give(Some(self.block.len())).map(drop);
        }
        self.give(None)?.write_all_at(line.as_bytes(), 0)
    }

    fn give(&mut self, whole: Option<usize>) -> io::Result<&File> {
        let file = match self.file {
            Some(file) => file,
            None => self.file.insert((self.make)(whole)?),
        };
        file.write_all_at(&self.block, self.written)?;
        self.written += self.block.len() as u64;
        self.block.clear();
        Ok(file)
    }
}

impl Write for EntryWriter<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.block.len() + bytes.len() > BLOCK {
            self.give(None)?;
        }
        self.hasher.write(bytes);
        self.block.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns the hash by which equal messages are found: of recipients and subject.
pub(crate) fn merge_key(recipients: &[String], subject: &[u8]) -> String {
    let mut sorted: Vec<&str> = recipients.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    let mut text = sorted.join("\n").into_bytes();
    text.push(0);
    text.extend_from_slice(subject);
    format!("{:032x}", XxHash3_128::oneshot(&text))
}

/// Reads a part of a file that is an entry.
pub(super) struct MessageReader<'a> {
    pub(super) file: &'a File,
    pub(super) at: u64,
    pub(super) end: u64,
}

impl Read for MessageReader<'_> {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        let length = (self.end - self.at).min(block.len() as u64) as usize;
        let count = self.file.read_at(&mut block[..length], self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}
