//! Judges by the mailbox's file how far the rewrite of a journal came, and shows the mailbox as the
//! rewrite will leave it.
//!
//! The states that a crash can leave are the table of [`super`]; whatever is in none of them was
//! written by another program, and the rewrite is not applied to it.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use super::file::{Journal, LARGEST_PAGE, SECTOR, hash_of};
use super::header::{Body, PREFIX, SAMPLE};
use crate::mailbox::read_at::{read_exact, read_full};
use crate::mailbox::rewrite::patched::PatchedFile;

/// How far the rewrite of a journal came, and how much mail was added since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mailbox) enum Situation {
    /// The mailbox has its old length, and `arrived` bytes of mail after that.
    Pending { arrived: u64 },
    /// The mailbox has its new length, and `arrived` bytes of mail after that.
    Resized { arrived: u64 },
    /// The mailbox is in no state that the rewrite could have left.
    Foreign,
}

/// Returns how far the rewrite of a journal came.
///
/// # Errors
/// When the mailbox or the journal cannot be read.
pub(in crate::mailbox) fn situation(journal: &Journal, mailbox: &File) -> io::Result<Situation> {
    let header = journal.header();
    let metadata = mailbox.metadata()?;
    let size = metadata.len();
    let prefix = header.start.saturating_sub(PREFIX);
    // The inode identifies the mailbox: a file that has replaced it is another mailbox, even with
    // the same bytes. The device is not compared, for it may have another number after a restart;
    // nor is the path, for a directory may have been renamed.
    let is_other = metadata.ino() != header.inode;
    if is_other || size < header.start || hash_of(mailbox, prefix, header.start)? != header.prefix {
        return Ok(Situation::Foreign);
    }
    let (old, new) = (header.old_size, header.new_size);
    // The witness comes before the rest, so that a planted journal is not believed. Bytes from
    // `new` on may have been cut off, so only those before it are compared here.
    if !knows(journal, mailbox, old.min(new))? {
        return Ok(Situation::Foreign);
    }
    let is_resizing = journal.is_resizing()?;
    let is_cut = is_resizing && new < old;
    let is_whole =
        || io::Result::Ok(has_sample(journal, mailbox)? && knows(journal, mailbox, old)?);
    // The order of the questions matters. Deliverers append, so a length alone proves little: a
    // file that was cut to `new` may have grown past `old` again.
    let situation = if is_resizing && new > old && size >= new && is_extended(journal, mailbox)? {
        Situation::Resized {
            arrived: size - new,
        }
    } else if size >= old && (is_whole()? || is_cut && is_half_cut(journal, mailbox)?) {
        Situation::Pending {
            arrived: size - old,
        }
    } else if is_cut && size >= new {
        Situation::Resized {
            arrived: size - new,
        }
    } else {
        Situation::Foreign
    };
    let (end, arrived) = match situation {
        Situation::Pending { arrived } => (old, arrived),
        Situation::Resized { arrived } => (new, arrived),
        Situation::Foreign => return Ok(situation),
    };
    Ok(if arrived == 0 || starts_as_mail(mailbox, end)? {
        situation
    } else {
        Situation::Foreign
    })
}

/// Returns whether what was added at this place can be mail.
fn starts_as_mail(mailbox: &File, at: u64) -> io::Result<bool> {
    let mut first = [0];
    // `F` begins a From_ line, 1 (Control-A) a delimiter of MMDF; some deliverers write an empty
    // line before the From_ line; a NUL is what an append leaves that a power cut broke off.
    Ok(
        read_full(mailbox, &mut first, at)? == 1
            && matches!(first[0], b'F' | b'\n' | b'\r' | 1 | 0),
    )
}

/// Returns whether all samples of the witness before this end have their old or their new bytes.
fn knows(journal: &Journal, mailbox: &File, end: u64) -> io::Result<bool> {
    let header = journal.header();
    header.witness.as_ref().map_or(Ok(true), |witness| {
        witness.knows(mailbox, header.old_size, header.new_size, end)
    })
}

/// Returns whether the old bytes that were taken as a sample are still in their place.
fn has_sample(journal: &Journal, mailbox: &File) -> io::Result<bool> {
    let header = journal.header();
    let (from, to) = header.sample();
    Ok(hash_of(mailbox, from, to)? == header.sample)
}

/// Returns whether the disk has a part of a cut: zeros from the new end to the end of a block.
fn is_half_cut(journal: &Journal, mailbox: &File) -> io::Result<bool> {
    let (new, old) = (journal.header().new_size, journal.header().old_size);
    // The size of a block is not known, and the disk may have been moved to another machine. So
    // any block size counts, from a sector to the largest page.
    let limit = old.min((new + 1).next_multiple_of(LARGEST_PAGE));
    let mut behind = vec![0; (limit - new) as usize];
    read_exact(mailbox, &mut behind, new)?;
    let zeros = behind.iter().take_while(|byte| **byte == 0).count() as u64;
    Ok(zeros > 0 && (new + zeros == limit || (new + zeros).is_multiple_of(SECTOR)))
}

/// Returns whether this rewrite has made the file longer: behind the old end each byte is a zero or
/// the byte that the journal has for that place.
fn is_extended(journal: &Journal, mailbox: &File) -> io::Result<bool> {
    // A rewrite in windows never makes the file longer.
    let Body::Whole { extents, .. } = &journal.header().body else {
        return Ok(false);
    };
    let (from, to) = (journal.header().old_size, journal.header().new_size);
    let to = to.min(from + SAMPLE);
    let mut found = vec![0; (to - from) as usize];
    read_full(mailbox, &mut found, from)?;
    // A part of the new end that is in no extent stays zero here. There is none: the extents of a
    // file that grows reach to its end (`Header::is_consistent`).
    let mut planned = vec![0; found.len()];
    let mut at = journal.body_at();
    for extent in extents {
        let end = extent.place + extent.len;
        if end > from && extent.place < to {
            let start = extent.place.max(from);
            let end = end.min(to);
            let part = &mut planned[(start - from) as usize..(end - from) as usize];
            read_exact(&**journal.file(), part, at + (start - extent.place))?;
        }
        at += extent.len;
    }
    let mut pairs = found.iter().zip(&planned);
    Ok(pairs.all(|(found, planned)| *found == 0 || found == planned))
}

/// Returns the mailbox as it will be when the rewrite is complete, for readers: nothing is
/// written.
///
/// # Errors
/// When the journal cannot be read.
pub(in crate::mailbox) fn view(
    journal: &Journal,
    mailbox: &Arc<File>,
    situation: Situation,
) -> io::Result<PatchedFile> {
    let header = journal.header();
    let mut view = PatchedFile::empty(Arc::clone(mailbox), Some(Arc::clone(journal.file())));
    let arrived = match (situation, &header.body) {
        (Situation::Resized { arrived }, Body::Windows { .. }) => {
            // The length changes last of all here: the file has all new bytes already.
            view.push_file(0, header.new_size + arrived);
            return Ok(view);
        }
        (Situation::Resized { arrived } | Situation::Pending { arrived }, _) => arrived,
        (Situation::Foreign, _) => return Err(io::ErrorKind::InvalidInput.into()),
    };
    // The resizing mark of a mailbox that shrinks is written when all bytes are synced: `apply` only
    // cuts then, so the new bytes are the file's.
    let is_written = header.new_size < header.old_size && journal.is_resizing()?;
    match &header.body {
        _ if is_written => {}
        Body::Windows { plan, .. } => {
            // Up to the last window the file has its new bytes. The window itself may be torn
            // there, and is read from the journal; what follows has not been moved yet.
            let last = journal.last_window()?;
            view.push_file(0, last.place);
            view.push_journal(last.at, last.len);
            view.push_plan(plan, last.place + last.len);
        }
        Body::Whole { extents, .. } => {
            let mut at = journal.body_at();
            for extent in extents {
                view.push_file(view.len(), extent.place - view.len());
                view.push_journal(at, extent.len);
                at += extent.len;
            }
        }
    }
    view.push_file(view.len(), header.new_size - view.len());
    let behind = match situation {
        Situation::Resized { .. } => header.new_size,
        _ => header.old_size,
    };
    view.push_file(behind, arrived);
    Ok(view)
}
