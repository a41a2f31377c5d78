//! Whether a mailbox has mail, judged by its first bytes.

use std::path::Path;
use std::sync::Arc;

use crate::mailbox::change::Journals;
use crate::mailbox::error::OpenError;
use crate::mailbox::file::open_regular;
use crate::mailbox::format::{Beginning, beginning, gzip, single};
use crate::mailbox::maildir;
use crate::mailbox::read::snapshot::view_of;
use crate::mailbox::read::stamp::Stamp;
use crate::mailbox::rewrite::journal::{self, JournalTarget};

/// Returns whether there is a message in a mailbox, without scanning it.
///
/// Any message counts, read or not, as POSIX asks of `mailx -e`. It runs in login scripts, so it waits
/// for no lock.
///
/// # Errors
/// As [`Mailbox::open`](crate::mailbox::Mailbox::open).
pub fn has_mail(path: &Path, journals: &Journals) -> Result<bool, OpenError> {
    if let Some(has_mail) = maildir::has_mail(path)? {
        return Ok(has_mail);
    }
    let io = |source| OpenError::new(path, source);
    let (file, metadata) = open_regular(path)?;
    if gzip::is_compressed(&file).map_err(io)? {
        let start = gzip::first_bytes(&file, path)?;
        return is_with_mail(path, beginning(&start[..], start.len() as u64).map_err(io)?);
    }
    let file = Arc::new(file);
    let target = JournalTarget::of(path, &file).map_err(io)?;
    // A rewrite that broke off may have deleted the last message.
    let found = journal::find(&target, journals, &mut Vec::new()).map_err(io)?;
    let view = view_of(&file, &Stamp::of(&metadata), found, &mut Vec::new()).map_err(io)?;
    match beginning(&view, view.len()).map_err(io)? {
        Beginning::Other if single::scan(&view, view.len()).map_err(io)?.is_some() => Ok(true),
        beginning => is_with_mail(path, beginning),
    }
}

/// Returns whether a file that begins like this has mail.
fn is_with_mail(path: &Path, beginning: Beginning) -> Result<bool, OpenError> {
    match beginning {
        Beginning::Blank => Ok(false),
        Beginning::Mbox | Beginning::Mmdf => Ok(true),
        Beginning::Other => Err(OpenError::NotMbox {
            path: path.to_owned(),
        }),
    }
}
