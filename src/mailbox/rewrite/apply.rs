//! Applies a journal to its mailbox: after it was written, and when it is found later.
//!
//! # Steps, and what the mailbox holds if we die after each
//! 1. The journal has its name. *The old bytes; readers already see the new ones.*
//! 2. A mailbox that grows is made as long as it will be, and synced. *The old bytes and zeros.*
//! 3. The bytes are written, those that move in windows, and synced. *Old and new ones, mixed.*
//! 4. A mailbox that shrinks is cut. *The new bytes; after a power cut perhaps the old length, and
//!    zeros from the new end to the end of a block.*
//! 5. The journal is removed. *The new bytes, and no journal.*
//!
//! After each of them the journal has everything that is needed to go on. A deliverer may have added
//! mail behind the old end meanwhile, after our death or because it takes no locks. That mail is
//! moved to the new end by a rewrite of its own, whose journal replaces the one before.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::journal::{
    Body, Journal, JournalTarget, NewBody, NewJournal, Situation, situation, view,
};
use super::output::{Extent, Output};
use super::plan::{OwnedPiece, RewritePlan};
use super::reserve::reserve_growth;
use crate::mailbox::lock::MailboxLock;
use crate::mailbox::notice::Notice;
use crate::mailbox::read_at::read_exact;
use crate::sys::disk::until_done;
use crate::sys::progress::{self, Unit};

/// How many bytes are copied at once.
const BLOCK: usize = 256 * 1024;

/// The size of the windows in which mail that was added meanwhile is moved.
const WINDOW: u32 = 1024 * 1024;

/// How often another program may add mail without our locks before we give up for now.
const ATTEMPTS: usize = 8;

/// The result of applying a journal.
#[derive(Debug)]
pub(in crate::mailbox) enum Applied {
    /// The rewrite is complete. The notice reports a journal that could not be removed.
    Complete(Option<Notice>),
    /// The mailbox is in no state that this rewrite could have left; nothing was done.
    Foreign(Box<Journal>),
}

/// Completes the rewrite of a journal.
///
/// # Errors
/// When the mailbox or the journal cannot be read or written. The journal stays, and the next try
/// goes on from there.
pub(in crate::mailbox) fn apply(
    lock: &mut MailboxLock,
    subject: &JournalTarget,
    mut journal: Journal,
) -> io::Result<Applied> {
    // Each round judges the mailbox anew. Where mail was added, a new journal takes the place of the
    // old one in one rename and the next round applies that; every round leaves the mailbox and the
    // journal in a state of the table in `journal`.
    for _ in 0..ATTEMPTS {
        let situation = situation(&journal, lock.file())?;
        let (old, new) = (journal.header().old_size, journal.header().new_size);
        match situation {
            Situation::Foreign => return Ok(Applied::Foreign(Box::new(journal))),
            // The new bytes will stand where the added mail is now. So the mail goes into the journal
            // before anything is written.
            Situation::Pending { arrived } if new > old && arrived > 0 => {
                journal = with_arrivals(lock, subject, &journal, arrived)?;
                continue;
            }
            Situation::Pending { .. } if new > old => {
                reserve_growth(lock.file(), old, new)?;
                // The kernel locks do not stop a program that takes none. It can still append between
                // this look and the call; no call of the kernel does both in one step.
                if lock.file().metadata()?.len() != old {
                    continue;
                }
                until_done(|| lock.file().set_len(new))?;
                extend(lock, &journal)?;
            }
            // The rewrite may have been stopped anywhere after the growth, so all bytes are written
            // again.
            Situation::Resized { .. } if new > old => extend(lock, &journal)?,
            Situation::Pending { .. } => {
                let arrived = write_and_cut(lock, &journal)?;
                if arrived > 0 {
                    journal = moving_arrivals(lock, subject, &journal, arrived)?;
                    continue;
                }
            }
            // The bytes were synced before the resizing mark, and the length is new: only the cut itself may
            // not be on the disk yet.
            Situation::Resized { .. } => until_done(|| lock.file().sync_all())?,
        }
        return journal.finish().map(Applied::Complete);
    }
    Err(io::Error::new(
        io::ErrorKind::ResourceBusy,
        "another program keeps adding mail without locking the mailbox",
    ))
}

/// Writes the bytes of a rewrite that does not grow, and cuts the mailbox where it shrinks.
///
/// Returns how many bytes of mail are after the old end. The mailbox is not cut while there are
/// any, because that mail would be lost.
fn write_and_cut(lock: &mut MailboxLock, journal: &Journal) -> io::Result<u64> {
    let (old, new) = (journal.header().old_size, journal.header().new_size);
    // The resizing mark is written when all bytes are synced: only the cut is left then.
    let is_written = journal.is_resizing()?;
    if !is_written {
        write(lock, journal)?;
    }
    if new >= old {
        return Ok(0);
    }
    // Mail behind the old end would go with the cut, also what came while the bytes were written.
    // So the length is read again.
    let arrived = lock.file().metadata()?.len().saturating_sub(old);
    if arrived > 0 {
        return Ok(arrived);
    }
    if !is_written {
        journal.mark_resizing()?;
    }
    // The journal may go only when the cut is on the disk, or a power cut leaves the deleted
    // messages at the end and nothing that says so.
    until_done(|| lock.file().set_len(new))?;
    until_done(|| lock.file().sync_all())?;
    Ok(0)
}

/// Writes the bytes of a journal into a mailbox that has its new length.
///
/// The length is synced first. Else a power cut could leave new bytes in a file of the old length:
/// a state that `situation` takes for the work of another program.
fn extend(lock: &mut MailboxLock, journal: &Journal) -> io::Result<()> {
    until_done(|| lock.file().sync_all())?;
    write(lock, journal)
}

/// Writes the bytes of a journal into the mailbox and syncs them.
fn write(lock: &mut MailboxLock, journal: &Journal) -> io::Result<()> {
    match &journal.header().body {
        Body::Whole { extents, .. } => {
            let mut block = vec![0; BLOCK];
            let mut at = journal.body_at();
            let total = extents.iter().map(|extent| extent.len).sum();
            let progress = progress::begin("writing", Unit::Bytes, total);
            for extent in extents {
                let end = at + extent.len;
                let mut place = extent.place;
                while at < end {
                    let want = (end - at).min(BLOCK as u64) as usize;
                    copy(journal.file(), at, lock.file(), place, &mut block[..want])?;
                    at += want as u64;
                    place += want as u64;
                    progress.advance(want as u64);
                    lock.refresh();
                }
            }
        }
        Body::Windows { plan, .. } => {
            // The last window in the journal may be torn in the mailbox, or not there at all. Windows
            // before it are on the disk, see `Journal::add_window`; those behind it have not been begun.
            let mut buffer = journal.buffer();
            let mut last = journal.last_window()?;
            let window = &mut Journal::window_of(&mut buffer)[..last.len as usize];
            copy(journal.file(), last.at, lock.file(), last.place, window)?;
            let mut output = Output::new(plan, last.place + last.len);
            let total = plan.end().saturating_sub(last.place + last.len);
            let progress = progress::begin("writing", Unit::Bytes, total);
            loop {
                let window = Journal::window_of(&mut buffer);
                let Some((place, len)) = output.next(lock.file(), window)? else {
                    break;
                };
                // The next slot still holds the window before `last`. Before it is overwritten the
                // mailbox must have `last` on disk, for then `last` is the only one to be repeated.
                until_done(|| lock.file().sync_all())?;
                last = journal.add_window(&last, place, len, &mut buffer)?;
                // Only now may the mailbox change here. Later windows copy from places behind this one
                // (`RewritePlan::never_overtakes`), and earlier ones are on the disk.
                let window = &Journal::window_of(&mut buffer)[..len];
                lock.file().write_all_at(window, last.place)?;
                progress.advance(len as u64);
                lock.refresh();
            }
        }
    }
    until_done(|| lock.file().sync_all())
}

/// Copies as many bytes as the block has from one file to another.
fn copy(from: &File, at: u64, to: &File, place: u64, block: &mut [u8]) -> io::Result<()> {
    read_exact(from, block, at)?;
    to.write_all_at(block, place)
}

/// Replaces the journal of a mailbox that will grow by one that also moves the mail that was added.
fn with_arrivals(
    lock: &MailboxLock,
    subject: &JournalTarget,
    journal: &Journal,
    arrived: u64,
) -> io::Result<Journal> {
    let header = journal.header();
    let Body::Whole { extents, .. } = &header.body else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    // A rewrite that grows is never in windows, and nothing of it is written yet: the view reads the
    // new bytes from the journal, and the added mail from behind the old end.
    let file = Arc::new(lock.file().try_clone()?);
    let content = view(journal, &file, Situation::Pending { arrived })?;
    let mut extents = extents.clone();
    extents.push(Extent {
        place: header.new_size,
        len: arrived,
    });
    let draft = NewJournal {
        start: header.start,
        old_size: header.old_size + arrived,
        new_size: header.new_size + arrived,
        body: NewBody::Whole {
            extents,
            content: &content,
        },
    };
    Journal::create(journal.spot(), subject, &draft, lock.file())
}

/// Replaces the journal of a mailbox that will be cut by one that first moves the mail behind the
/// old end to the new end.
///
/// All bytes of the first rewrite are in the mailbox and synced, so its journal is not needed any
/// more.
fn moving_arrivals(
    lock: &MailboxLock,
    subject: &JournalTarget,
    journal: &Journal,
    arrived: u64,
) -> io::Result<Journal> {
    let header = journal.header();
    let (old, new) = (header.old_size, header.new_size);
    let piece = OwnedPiece::Copy {
        from: old,
        len: arrived,
    };
    let plan = RewritePlan::restored(new, old + arrived, std::iter::once(piece))
        .ok_or(io::ErrorKind::InvalidData)?;
    let draft = NewJournal::windows(&plan, WINDOW);
    Journal::create(journal.spot(), subject, &draft, lock.file())
}
