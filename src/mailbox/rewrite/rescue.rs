//! Keeps the bytes of a journal that cannot be applied, because another program has written the
//! mailbox since.
//!
//! Some of them may be the only copy of a message: the interrupted rewrite may have overwritten its
//! old place. So they are synced in a file of their own before the journal is removed.

use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::Path;

use super::journal::{self, Body, Journal, JournalTarget};
use crate::mailbox::change::Journals;
use crate::mailbox::error::CommitError;
use crate::mailbox::notice::Notice;
use crate::mailbox::read_at::read_exact;
use crate::sys::disk::{create_complete, directory_of, sync_name, until_done};
use crate::sys::{random, user};

/// Copies the bytes of a journal that cannot be applied into a file of their own, and removes the
/// journal.
///
/// `mailbox` is the mailbox that another program has written. Returns what is to be reported.
///
/// # Errors
/// When no place takes the copy, or the journal cannot be put away. The journal stays.
pub(super) fn rescue(
    journal: Journal,
    subject: &JournalTarget,
    mailbox: &File,
    journals: &Journals,
) -> Result<Vec<Notice>, CommitError> {
    let name = subject.path.file_name().unwrap_or_default();
    let name = name.to_string_lossy();
    let random = random::number();
    let beside = directory_of(&subject.path).to_owned();
    let directories = journals.directories.iter().cloned().chain([beside.clone()]);
    for directory in directories {
        let place = directory.join(format!("{name}.rescue-{random:08x}"));
        // Beside another user's mailbox the copy belongs to that user, as the mail in it does. In
        // our own directories it is ours.
        let owner = (directory == beside).then(|| mailbox.metadata());
        let kept = journal::make_directory(&place, subject).and_then(|spot| {
            copy_body(&journal, spot.path(), owner.transpose()?.as_ref())?;
            Ok(spot.path().to_owned())
        });
        if let Ok(kept) = kept {
            let path = journal.path().to_owned();
            let rest = journal
                .finish()
                .map_err(|source| CommitError::Write { path, source })?;
            let overwritten = Notice::Overwritten { kept };
            return Ok(std::iter::once(overwritten).chain(rest).collect());
        }
    }
    Err(CommitError::Journal {
        path: subject.path.clone(),
        why: Notice::Overwritten {
            kept: journal.path().to_owned(),
        }
        .to_string(),
    })
}

/// Copies the bytes that a journal would have written into a new file, which is complete or absent.
///
/// The file gets the owner of `owner`, where we may give it away.
fn copy_body(journal: &Journal, place: &Path, owner: Option<&Metadata>) -> io::Result<()> {
    let file = create_complete(place, &mut |file| {
        if let Some(owner) = owner.filter(|owner| owner.uid() != user::effective_uid()) {
            // The copy must exist even where it cannot be given away.
            let _ = fchown(file, Some(owner.uid()), Some(owner.gid()));
        }
        write_body(journal, file)
    })?;
    let synced = sync_name(place, &file);
    if synced.is_err() {
        let _ = fs::remove_file(place);
    }
    synced
}

fn write_body(journal: &Journal, mut file: &File) -> io::Result<()> {
    let (mut at, len) = match &journal.header().body {
        Body::Whole { extents, .. } => (
            journal.body_at(),
            extents.iter().map(|extent| extent.len).sum(),
        ),
        Body::Windows { .. } => {
            let last = journal.last_window()?;
            (last.at, last.len)
        }
    };
    let end = at + len;
    let mut block = vec![0; 64 * 1024];
    while at < end {
        let want = (end - at).min(block.len() as u64) as usize;
        read_exact(&**journal.file(), &mut block[..want], at)?;
        file.write_all(&block[..want])?;
        at += want as u64;
    }
    until_done(|| file.sync_all())
}
