//! What Windows writes: texts in UTF-16, which are sent as UTF-8, and marks in front of UTF-8.

use std::io::{self, Read};

use crate::charset;
use crate::sys::spool::Spool;

/// Returns a text as it is sent: one that begins with the byte order mark of UTF-16 or UTF-32
/// becomes UTF-8, every other one stays as it is.
///
/// In UTF-16 a line end is two bytes, and one of them a NUL: no mailer could carry it as a text, no
/// `grep` find a word in it, and many readers show it as Chinese. Files that are attached stay as they
/// are.
///
/// # Errors
/// Fails when the text cannot be spooled.
pub(super) fn as_utf_8(text: Spool) -> io::Result<Spool> {
    let mut converted = Spool::new();
    let is_wide = charset::to_utf_8(text.reader(), &mut converted)?;
    Ok(if is_wide { converted } else { text })
}

/// The byte order mark of UTF-8, which Notepad and PowerShell put in front of a text.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Returns a message without a byte order mark: its first header field begins behind it.
///
/// # Errors
/// Fails when the message cannot be read or spooled.
pub(super) fn without_mark(message: Spool) -> io::Result<Spool> {
    let mut start = Vec::new();
    message
        .reader()
        .take(MARK.len() as u64)
        .read_to_end(&mut start)?;
    if start == MARK {
        message.tail(MARK.len() as u64)
    } else {
        Ok(message)
    }
}
