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
//! After each of them the journal has everything that is needed to go on. Mail that was added
//! behind the old end meanwhile, by a deliverer after our death or by one that knows no locks, is
//! moved to the new end: that is a rewrite of its own, with a journal that takes the place of the
//! one before.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::journal::{Body, Journal, JournalTarget, NewBody, NewJournal, Situation};
use super::output::{Extent, Output};
use super::plan::{OwnedPiece, RewritePlan};
use super::reserve::reserve_growth;
use crate::mailbox::lock::MailboxLock;
use crate::mailbox::notice::Notice;
use crate::mailbox::read_at::read_exact;
use crate::sys::disk::until_done;

/// How much is copied at once.
const BLOCK: usize = 256 * 1024;

/// The windows in which mail that arrived is moved.
const WINDOW: u32 = 1024 * 1024;

/// How often mail may arrive from those who know no locks before we give up for now.
const ATTEMPTS: usize = 8;

/// What became of a journal.
#[derive(Debug)]
pub(in crate::mailbox) enum Applied {
    /// Its rewrite is complete. The notice says what is left of the journal, if anything is.
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
    for _ in 0..ATTEMPTS {
        let situation = journal.situation(lock.file())?;
        let (old, new) = (journal.header().old_size, journal.header().new_size);
        match situation {
            Situation::Foreign => return Ok(Applied::Foreign(Box::new(journal))),
            // Longer, and the mail stands behind the old end: both move together.
            Situation::Pending { arrived } if new > old && arrived > 0 => {
                journal = with_arrivals(lock, subject, &journal, arrived)?;
                continue;
            }
            Situation::Pending { .. } if new > old => {
                reserve_growth(lock.file(), old, new)?;
                if lock.file().metadata()?.len() != old {
                    continue;
                }
                until_done(|| lock.file().set_len(new))?;
                extend(lock, &journal)?;
            }
            Situation::Resized { .. } if new > old => extend(lock, &journal)?,
            Situation::Pending { .. } => {
                // With the word in it all bytes are on disk: only the cut is left.
                let is_written = journal.is_resizing()?;
                if !is_written {
                    write(lock, &journal)?;
                }
                if new < old {
                    let arrived = lock.file().metadata()?.len().saturating_sub(old);
                    if arrived > 0 {
                        journal = moving_arrivals(lock, subject, &journal, arrived)?;
                        continue;
                    }
                    if !is_written {
                        journal.mark_resizing()?;
                    }
                    until_done(|| lock.file().set_len(new))?;
                    until_done(|| lock.file().sync_all())?;
                }
            }
            // The mark is made when all bytes are on disk: only the cut may not be.
            Situation::Resized { .. } => until_done(|| lock.file().sync_all())?,
        }
        return journal.finish().map(Applied::Complete);
    }
    Err(io::Error::new(
        io::ErrorKind::ResourceBusy,
        "mail keeps arriving from a program that takes no lock",
    ))
}

/// Writes the bytes of a journal into a mailbox that has its new length.
///
/// The length first: new bytes in a file that has its old length after a power cut would be nothing
/// that we can have left behind.
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
            for extent in extents {
                let end = at + extent.len;
                let mut place = extent.place;
                while at < end {
                    let want = (end - at).min(BLOCK as u64) as usize;
                    copy(journal.file(), at, lock.file(), place, &mut block[..want])?;
                    at += want as u64;
                    place += want as u64;
                    lock.refresh();
                }
            }
        }
        Body::Windows { plan, .. } => {
            let mut buffer = journal.buffer();
            let mut last = journal.last_window()?;
            let window = &mut Journal::window_of(&mut buffer)[..last.len as usize];
            copy(journal.file(), last.at, lock.file(), last.place, window)?;
            let mut output = Output::new(plan, last.place + last.len);
            loop {
                let window = Journal::window_of(&mut buffer);
                let Some((place, len)) = output.next(lock.file(), window)? else {
                    break;
                };
                // The slot that is written next is that of the window before the last one.
                until_done(|| lock.file().sync_all())?;
                last = journal.add_window(&last, place, len, &mut buffer)?;
                let window = &Journal::window_of(&mut buffer)[..len];
                lock.file().write_all_at(window, last.place)?;
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

/// Replaces the journal of a mailbox that is to grow by one that moves the mail behind it too.
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
    // Nothing is written yet: all new bytes are in the journal, and the mail behind the old end.
    let file = Arc::new(lock.file().try_clone()?);
    let content = journal.view(&file, Situation::Pending { arrived })?;
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

/// Replaces the journal of a mailbox that is to be cut by one that moves the mail behind it to the
/// new end first.
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
