//! The files in a package of Outlook (winmail.dat, TNEF): their names and sizes, for a line that says
//! what is in there. Nothing else of it is read, and nothing is taken out.
//!
//! The format is that of [MS-OXTNEF] sections 2.1.3 and 2.1.3.4 and of [MS-OXCDATA] section 2.11. All
//! bounds are checked: what does not fit ends the list.

use crate::charset::decode_text;

const SIGNATURE: u32 = 0x223e_9f78;
/// Begins an attachment.
const ATTACH_REND_DATA: u32 = 0x0006_9002;
/// The name of the file, mostly a short one.
const ATTACH_TITLE: u32 = 0x0001_8010;
/// Its bytes.
const ATTACH_DATA: u32 = 0x0006_800f;
/// Properties of the attachment, the long name among them.
const ATTACHMENT: u32 = 0x0006_9005;
/// The property of the long name.
const LONG_FILENAME: u16 = 0x3707;

/// How many files are named.
pub(super) const MAX_FILES: usize = 100;

/// A file in a package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PackedFile {
    /// Its name, as the sender wrote it: neither safe to show nor to open.
    pub(super) name: String,
    /// How many bytes it has.
    pub(super) size: usize,
}

/// Returns the files in a package, at most [`MAX_FILES`]; none if it is no package.
pub(super) fn files(package: &[u8]) -> Vec<PackedFile> {
    let mut bytes = Cursor(package);
    let mut found: Vec<PackedFile> = Vec::new();
    if bytes.long() != Some(SIGNATURE) || bytes.short().is_none() {
        return found;
    }
    // An attribute: level, name, length, bytes, checksum.
    while let Some(_level) = bytes.take(1)
        && let (Some(name), Some(len)) = (bytes.long(), bytes.long())
        && let Some(value) = bytes.take(len as usize)
        && bytes.short().is_some()
    {
        if name == ATTACH_REND_DATA {
            if found.len() == MAX_FILES {
                break;
            }
            found.push(PackedFile::default());
        }
        let Some(file) = found.last_mut() else {
            continue;
        };
        match name {
            ATTACH_TITLE if file.name.is_empty() => file.name = text(value),
            ATTACH_DATA => file.size = value.len(),
            ATTACHMENT => file.name = long_name(value).unwrap_or_else(|| file.name.clone()),
            _ => {}
        }
    }
    found
}

/// Returns the long file name in a list of properties.
fn long_name(properties: &[u8]) -> Option<String> {
    let mut bytes = Cursor(properties);
    let count = bytes.long()?;
    for _ in 0..count {
        let (kind, id) = (bytes.short()?, bytes.short()?);
        // A named property has its set and its number or name before its value.
        if id >= 0x8000 {
            bytes.take(16)?;
            match bytes.long()? {
                0 => drop(bytes.long()?),
                _ => drop(bytes.padded()?),
            }
        }
        let is_list = kind & 0x1000 != 0;
        let base = kind & 0x0fff;
        let fixed = match base {
            0x02 | 0x03 | 0x04 | 0x0a | 0x0b => Some(4),
            0x05 | 0x06 | 0x07 | 0x14 | 0x40 => Some(8),
            0x48 => Some(16),
            _ => None,
        };
        let values = if is_list || fixed.is_none() {
            bytes.long()?
        } else {
            1
        };
        for _ in 0..values {
            let value = match fixed {
                Some(len) => bytes.take(len)?,
                None => bytes.padded()?,
            };
            match base {
                0x1e if id == LONG_FILENAME => return Some(text(value)),
                0x1f if id == LONG_FILENAME => {
                    let (units, _) = value.as_chunks::<2>();
                    let units = units.iter().map(|unit| u16::from_le_bytes(*unit));
                    let units: Vec<u16> = units.take_while(|unit| *unit != 0).collect();
                    return Some(String::from_utf16_lossy(&units));
                }
                _ => {}
            }
        }
    }
    None
}

/// Returns a text that a NUL ends.
fn text(bytes: &[u8]) -> String {
    let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
    decode_text(&bytes[..end]).into_owned()
}

/// The bytes that are left.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn short(&mut self) -> Option<u16> {
        let bytes = self.take(2)?;
        Some(u16::from_le_bytes(bytes.try_into().ok()?))
    }

    fn long(&mut self) -> Option<u32> {
        let bytes = self.take(4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    }

    /// Takes a value with its length before it, and with bytes behind it that fill up four.
    fn padded(&mut self) -> Option<&'a [u8]> {
        let len = self.long()? as usize;
        let value = self.take(len)?;
        self.take(len.wrapping_neg() % 4)?;
        Some(value)
    }
}

#[cfg(test)]
mod tests;
