//! Texts in UTF-16, as Windows writes them: they are sent as UTF-8.

use std::io;

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
