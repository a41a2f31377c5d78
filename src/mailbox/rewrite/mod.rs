//! Writing changes into an mbox, and completing interrupted ones.
//!
//! # Steps
//! 1. Open, refuse a file that we must not change, lock ([`MailboxLock`]), complete a rewrite that
//!    broke off (`apply`).
//! 2. Compare: same inode, size and times as when the index was made, or a new scan in which the
//!    messages are found again (`read::realign`). Messages that were not there are new mail.
//! 3. Plan (`plan`): the first changed byte, and what comes from there on.
//! 4. Write: in one step of the disk where that is enough; else with a journal (`journal`).
//!    If no journal can be made, a change that only cuts off the end is made without one, so that
//!    deleting works on a full disk.
//!    **From the journal's name on the change is certain.** Everything before can fail, and then
//!    the mailbox has not been touched.
//! 5. Give the file times that show whether there is new mail; unlock.
//!
//! `plan` makes the pieces of the new file, `output` gives their bytes in order, `patched` reads a
//! file as a rewrite means it to be, `reserve` takes the blocks on the disk beforehand, `rescue`
//! keeps the bytes of a journal whose mailbox another program has written.

pub(in crate::mailbox) mod apply;
pub(in crate::mailbox) mod journal;
pub(in crate::mailbox) mod output;
pub(in crate::mailbox) mod patched;
pub(in crate::mailbox) mod plan;
mod rescue;
pub(in crate::mailbox) mod reserve;

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use self::apply::Applied;
use self::journal::{Found, Journal, JournalTarget, LARGEST_PAGE, NewJournal, SECTOR};
use self::output::Output;
use self::patched::PatchedFile;
use self::plan::{OwnedPiece, RewritePlan};
use self::rescue::rescue;
use self::reserve::{reserve_growth, within_limit};
use crate::mailbox::append::tail::cut;
use crate::mailbox::change::{Change, Changes, CommitOptions, Committed, Journals, Pending};
use crate::mailbox::error::CommitError;
use crate::mailbox::file::{open_for_rewrite, open_regular};
use crate::mailbox::format::mbox::{MessageRef, Scan, ScanError};
use crate::mailbox::format::torn;
use crate::mailbox::format::{Beginning, beginning, fingerprints, framing, scan_any};
use crate::mailbox::lock::{LockError, LockOptions, MailboxLock, dot};
use crate::mailbox::maildir::is_maildir;
use crate::mailbox::notice::Notice;
use crate::mailbox::path::followed;
use crate::mailbox::read::open_file::OpenFile;
use crate::mailbox::read::realign::{Realigned, realign};
use crate::mailbox::read::stamp::{Stamp, set_times};
use crate::mailbox::read_at::{Buffered, read_exact};
use crate::sys::disk::until_done;

/// How often a mailbox that is replaced between opening and locking is opened again.
const ATTEMPTS: usize = 5;

/// The sizes of windows that are tried, for disks that are more and more full.
const WINDOWS: [u32; 4] = [4 * 1024 * 1024, 512 * 1024, 64 * 1024, 4 * 1024];

/// The largest write that is made without a journal: it changes at once, or not at all.
const AT_ONCE: u64 = 64;

/// Writes changes into a mailbox that is one file, under all locks. `messages` is its index of when
/// it was opened as `opened`, `is_partial` says whether that has the end of it only.
///
/// # Errors
/// [`CommitError`] says why nothing was changed.
pub(in crate::mailbox) fn commit(
    opened: &OpenFile,
    messages: &[MessageRef],
    is_partial: bool,
    changes: &Changes,
    options: &CommitOptions<'_>,
) -> Result<Committed, CommitError> {
    if changes.is_empty() {
        return Ok(Committed {
            remaining: messages.len(),
            ..Committed::default()
        });
    }
    let path = opened.path();
    let mailbox = LockedMailbox::begin(path, options)?;
    let now = mailbox.identity()?;
    if opened.is_as_opened(&now) {
        let found = Realigned {
            changes: changes.clone(),
            ..Realigned::default()
        };
        return mailbox.carry_out(messages, found, !is_partial, options);
    }
    let scan = mailbox.scan(now.size())?;
    let found = realign(messages, &scan.messages, !is_partial, changes).ok_or_else(|| {
        CommitError::Changed {
            path: path.to_owned(),
        }
    })?;
    mailbox.carry_out(&scan.messages, found, true, options)
}

/// Puts messages, which stand in `mbox` as a file of them has them, before those of an mbox that is
/// there; all or none, under all locks, with a journal.
///
/// # Errors
/// [`CommitError`] says why nothing was changed.
pub fn prepend(
    path: &Path,
    mbox: Vec<u8>,
    options: &CommitOptions<'_>,
) -> Result<Committed, CommitError> {
    let mut mailbox = LockedMailbox::begin(path, options)?;
    let size = mailbox.identity()?.size();
    let begins = beginning(mailbox.lock.file(), size).map_err(|source| mailbox.error(source))?;
    let refused = |why: &str| CommitError::Refused {
        path: path.to_owned(),
        why: why.to_owned(),
    };
    if !matches!(begins, Beginning::Mbox | Beginning::Blank) {
        return Err(refused("not an mbox"));
    }
    let pieces = [
        OwnedPiece::Text(mbox),
        OwnedPiece::Copy { from: 0, len: size },
    ];
    let plan = RewritePlan::restored(0, size, pieces.into_iter())
        .ok_or_else(|| refused("larger than a file can be"))?;
    let pending = mailbox.write(&plan, options.journals)?;
    Ok(Committed {
        pending,
        notices: std::mem::take(&mut mailbox.notices),
        ..Committed::default()
    })
}

/// Completes an interrupted rewrite, if there is one; otherwise takes no lock.
///
/// # Errors
/// When it is there and cannot be completed. Reading the mailbox shows it as complete all the same.
pub fn recover(path: &Path, options: &CommitOptions<'_>) -> Result<Vec<Notice>, CommitError> {
    if is_maildir(path) {
        return Ok(Vec::new());
    }
    let mut notices = Vec::new();
    // If the mailbox cannot be opened, `Mailbox::open` reports why.
    let Ok((file, _)) = open_regular(path) else {
        return Ok(Vec::new());
    };
    let is_pending = JournalTarget::of(path, &file)
        .and_then(|subject| journal::find(&subject, options.journals, &mut notices))
        .is_ok_and(|found| !matches!(found, Found::Nothing));
    if !is_pending {
        if dot::is_of_the_dead(&followed(path)) {
            remove_lock_of_the_dead(path, options);
        }
        return Ok(Vec::new());
    }
    LockedMailbox::begin(path, options).map(|mailbox| mailbox.notices)
}

/// Removes the dot-lock of a process of ours that was killed: other programs would wait for it,
/// some of them for a quarter of an hour.
fn remove_lock_of_the_dead(path: &Path, options: &CommitOptions<'_>) {
    let options = CommitOptions {
        lock: LockOptions {
            patience: Duration::ZERO,
            waiting: None,
            ..options.lock
        },
        ..*options
    };
    // Taking the lock replaces the stale one, and giving it back removes it. A user who may not
    // lock is told so when there is something to write.
    let _ = LockedMailbox::lock(&followed(path), &options);
}

/// A mailbox that is locked and whole: no rewrite of it is pending, and it does not end in half a
/// message.
struct LockedMailbox {
    lock: MailboxLock,
    subject: JournalTarget,
    notices: Vec<Notice>,
}

impl LockedMailbox {
    /// Opens and locks a mailbox, and completes an interrupted rewrite.
    fn begin(path: &Path, options: &CommitOptions<'_>) -> Result<LockedMailbox, CommitError> {
        let mut mailbox = LockedMailbox::lock(&followed(path), options)?;
        let path = mailbox.lock.path().to_owned();
        let io = |source| CommitError::Write {
            path: path.clone(),
            source,
        };
        journal::clean_up(&mailbox.subject, options.journals);
        // Before anything else: the index, the plan and a torn end all depend on bytes that a
        // rewrite that broke off may still change.
        let found =
            journal::find(&mailbox.subject, options.journals, &mut mailbox.notices).map_err(io)?;
        match found {
            Found::Nothing => {}
            Found::Unreadable {
                path: journal,
                owner,
            } => {
                return Err(CommitError::Journal {
                    path,
                    why: Notice::Unreadable { journal, owner }.to_string(),
                });
            }
            Found::Journal(journal) => {
                match apply::apply(&mut mailbox.lock, &mailbox.subject, journal).map_err(io)? {
                    Applied::Complete(rest) => {
                        mailbox.notices.push(Notice::Completed);
                        mailbox.notices.extend(rest);
                    }
                    Applied::Foreign(journal) => {
                        let file = mailbox.lock.file();
                        let notices = rescue(*journal, &mailbox.subject, file, options.journals)?;
                        mailbox.notices.extend(notices);
                    }
                }
            }
        }
        mailbox.cut_torn().map_err(|source| mailbox.error(source))?;
        Ok(mailbox)
    }

    /// Cuts off what an append that was never finished has left at the end.
    fn cut_torn(&self) -> io::Result<()> {
        let file = self.lock.file();
        let size = file.metadata()?.len();
        match torn::end_of_messages(file, size)? {
            end if end < size => cut(file, end),
            _ => Ok(()),
        }
    }

    fn lock(path: &Path, options: &CommitOptions<'_>) -> Result<LockedMailbox, CommitError> {
        for attempt in 1.. {
            let file = open_for_rewrite(path)?;
            match MailboxLock::acquire(path, file, &options.lock) {
                Ok(lock) => {
                    let subject = JournalTarget::of(path, lock.file()).map_err(|source| {
                        CommitError::Write {
                            path: path.to_owned(),
                            source,
                        }
                    })?;
                    return Ok(LockedMailbox {
                        lock,
                        subject,
                        notices: Vec::new(),
                    });
                }
                Err(LockError::Replaced { .. }) if attempt < ATTEMPTS => {}
                Err(error) => return Err(CommitError::Lock(error)),
            }
        }
        unreachable!("the last attempt returns")
    }

    fn error(&self, source: io::Error) -> CommitError {
        CommitError::Write {
            path: self.lock.path().to_owned(),
            source,
        }
    }

    fn identity(&self) -> Result<Stamp, CommitError> {
        let metadata = self.lock.file().metadata();
        metadata
            .map(|metadata| Stamp::of(&metadata))
            .map_err(|source| self.error(source))
    }

    fn scan(&self, size: u64) -> Result<Scan, CommitError> {
        scan_any(self.lock.file(), size, false, None).map_err(|error| match error {
            ScanError::Io(source) => self.error(source),
            ScanError::NotMbox => CommitError::Changed {
                path: self.lock.path().to_owned(),
            },
        })
    }

    /// Writes changes of messages whose index describes the mailbox as it is now.
    fn carry_out(
        mut self,
        messages: &[MessageRef],
        found: Realigned,
        has_all: bool,
        options: &CommitOptions<'_>,
    ) -> Result<Committed, CommitError> {
        let changes = found.changes;
        let deletions = changes.deletions();
        let mut committed = Committed {
            gone: found.gone,
            arrived: found.arrived,
            deleted: deletions.iter().count(),
            ..Committed::default()
        };
        committed.remaining = messages.len() - committed.deleted;
        let plan = self.plan(messages, &changes, has_all)?;
        let outcome = match self.write(&plan, options.journals) {
            // A full disk must not prevent deleting, which frees room. So the flags, which make the
            // file longer, are left out.
            Err(error) if is_full(&error) && committed.deleted > 0 && plan.flagged() > 0 => {
                let deletions = self.plan(messages, &deletions, has_all)?;
                committed.flags_left_out = plan.flagged();
                self.write(&deletions, options.journals)?
            }
            outcome => {
                committed.flagged = plan.flagged();
                outcome?
            }
        };
        committed.pending = outcome;
        committed.notices = std::mem::take(&mut self.notices);
        if committed.pending.is_none() {
            let wanted = |index: usize| match changes.get(index) {
                Some(Change::Delete) => None,
                Some(Change::Flags(flags)) if committed.flags_left_out == 0 => Some(flags),
                _ => Some(messages[index].flags),
            };
            let has_new =
                (0..messages.len()).any(|index| wanted(index).is_some_and(|flags| flags.is_new()));
            if has_all || has_new {
                set_times(self.lock.file(), has_new);
            }
            committed.is_removed =
                options.removes_empty && committed.remaining == 0 && self.remove();
        }
        Ok(committed)
    }

    /// Plans changes, and refuses them if two of the remaining messages would become one.
    fn plan(
        &self,
        messages: &[MessageRef],
        changes: &Changes,
        has_all: bool,
    ) -> Result<RewritePlan, CommitError> {
        let file = self.lock.file();
        let size = self.identity()?.size();
        let framing = framing(file, size).map_err(|source| self.error(source))?;
        let plan = RewritePlan::new(&Buffered::new(file), size, messages, changes, framing)
            .map_err(|source| self.error(source))?;
        // A strict separator is one whatever stands before it. Others, and the delimiters of MMDF,
        // depend on their surroundings, which a deletion changes: those are checked by a scan.
        let is_certain = framing == 0 && messages.iter().skip(1).all(|message| message.is_strict);
        if !is_certain && !self.keeps_messages(&plan, messages, changes, has_all)? {
            return Err(CommitError::Refused {
                path: self.lock.path().to_owned(),
                why: "a mailbox with unusual separators: without the deleted messages, other messages would be joined"
                    .to_owned(),
            });
        }
        Ok(plan)
    }

    /// Returns whether a scan of the new mailbox finds exactly the messages that should remain.
    fn keeps_messages(
        &self,
        plan: &RewritePlan,
        messages: &[MessageRef],
        changes: &Changes,
        has_all: bool,
    ) -> Result<bool, CommitError> {
        let io = |source| self.error(source);
        let file = Arc::new(self.lock.file().try_clone().map_err(io)?);
        let view = PatchedFile::of_plan(file, plan);
        let found = match fingerprints(&view, plan.new_size()) {
            Ok(found) => found,
            Err(ScanError::Io(source)) => return Err(self.error(source)),
            Err(ScanError::NotMbox) => return Ok(false),
        };
        let kept = (0..messages.len()).filter(|index| changes.get(*index) != Some(Change::Delete));
        let kept = kept.map(|index| messages[index].fingerprint);
        let before = if has_all {
            Some(0)
        } else {
            found.len().checked_sub(kept.clone().count())
        };
        Ok(before.is_some_and(|before| found[before..].iter().copied().eq(kept)))
    }

    /// Carries out the plan; returns the reason if the change is in the journal but not yet in the
    /// mailbox.
    fn write(
        &mut self,
        plan: &RewritePlan,
        journals: &Journals,
    ) -> Result<Option<Pending>, CommitError> {
        if plan.is_empty() {
            return Ok(None);
        }
        if self
            .write_at_once(plan)
            .map_err(|source| self.error(source))?
        {
            return Ok(None);
        }
        // A limit or a full disk in the middle of the rewrite would leave it pending. So both are
        // checked before it begins. A cut writes nothing, so no limit holds for it.
        let end = if only_cuts(plan) { 0 } else { plan.end() };
        let room = within_limit(end)
            .and_then(|()| reserve_growth(self.lock.file(), plan.old_size(), plan.new_size()));
        room.map_err(|source| self.error(source))?;
        let journal = match self.journal(plan, journals) {
            Ok(journal) => journal,
            Err(error) => {
                if plan.new_size() > plan.old_size() {
                    give_back(self.lock.file(), plan.old_size());
                }
                let is_cut = only_cuts(plan) && has_no_place(&error);
                return if is_cut && self.cut(plan).map_err(|source| self.error(source))? {
                    Ok(None)
                } else {
                    Err(error)
                };
            }
        };
        let Some(journal) = journal else {
            return self
                .write_unprotected(plan)
                .map(|()| None)
                .map_err(|source| self.error(source));
        };
        // From here on the change is certain.
        let path = journal.path().to_owned();
        Ok(match apply::apply(&mut self.lock, &self.subject, journal) {
            Ok(Applied::Complete(rest)) => {
                self.notices.extend(rest);
                None
            }
            Ok(Applied::Foreign(_)) => Some(Pending {
                journal: path,
                source: io::Error::other("another program writes the mailbox without a lock"),
            }),
            Err(source) => Some(Pending {
                journal: path,
                source,
            }),
        })
    }

    /// Writes what the disk does in one step: an end cut off between two blocks, or a few bytes of
    /// one sector.
    fn write_at_once(&self, plan: &RewritePlan) -> io::Result<bool> {
        let file = self.lock.file();
        // Mail that another program has added without our locks must be moved: that is no single
        // step.
        if file.metadata()?.len() != plan.old_size() {
            return Ok(false);
        }
        match Output::extents(plan)[..] {
            // A cut within a block also writes zeros to the rest of it. After a power cut the disk
            // may have the zeros and the old length.
            [] if only_cuts(plan) && plan.new_size().is_multiple_of(LARGEST_PAGE) => {
                return self.cut(plan);
            }
            [extent]
                if plan.new_size() == plan.old_size()
                    && extent.len <= AT_ONCE
                    && extent.place / SECTOR == (extent.place + extent.len - 1) / SECTOR =>
            {
                let mut bytes = vec![0; extent.len as usize];
                Output::new(plan, 0).next(file, &mut bytes)?;
                file.write_all_at(&bytes, extent.place)?;
            }
            _ => return Ok(false),
        }
        until_done(|| file.sync_all())?;
        Ok(true)
    }

    /// Cuts the end off; `false` if somebody has added mail without our locks.
    fn cut(&self, plan: &RewritePlan) -> io::Result<bool> {
        let file = self.lock.file();
        if file.metadata()?.len() != plan.old_size() {
            return Ok(false);
        }
        until_done(|| file.set_len(plan.new_size()))?;
        until_done(|| file.sync_all())?;
        Ok(true)
    }

    /// Makes the journal in the first place that takes it; `None` in a program built with the
    /// feature `seeded-bug`.
    fn journal(
        &self,
        plan: &RewritePlan,
        journals: &Journals,
    ) -> Result<Option<Journal>, CommitError> {
        if cfg!(feature = "seeded-bug") {
            return Ok(None);
        }
        let io = |source| self.error(source);
        let file = self.lock.file();
        let view = PatchedFile::of_plan(Arc::new(file.try_clone().map_err(io)?), plan);
        let mut drafts = Vec::new();
        if plan.never_overtakes() && !only_cuts(plan) {
            drafts.extend(WINDOWS.map(|size| NewJournal::windows(plan, size)));
        } else {
            drafts.push(NewJournal::whole(plan, &view));
        }
        let mut worst: Option<(PathBuf, io::Error)> = None;
        for draft in &drafts {
            for place in self.subject.places(journals) {
                let made = journal::make_directory(&place, &self.subject)
                    .and_then(|spot| Journal::create(&spot, &self.subject, draft, file));
                match made {
                    Ok(journal) => return Ok(Some(journal)),
                    // Of several errors the one of a full disk is returned: callers try a smaller
                    // change then, and it helps the user more than a missing right in another
                    // place.
                    Err(error) => {
                        let replaces = worst.as_ref().is_none_or(|(_, before)| {
                            is_full_disk(&error) || !is_full_disk(before)
                        });
                        if replaces {
                            worst = Some((place, error));
                        }
                    }
                }
            }
            // A smaller window only helps when the disk is full.
            if !worst.as_ref().is_some_and(|(_, error)| is_full_disk(error)) {
                break;
            }
        }
        let (path, source) = worst.expect("there is a place beside the mailbox");
        Err(CommitError::Write { path, source })
    }

    /// Writes without a journal: the fault that the feature `seeded-bug` adds, to see that the
    /// tests notice it.
    fn write_unprotected(&self, plan: &RewritePlan) -> io::Result<()> {
        let file = self.lock.file();
        let mut bytes = vec![0; (plan.end() - plan.start()) as usize];
        let new = PatchedFile::of_plan(Arc::new(file.try_clone()?), plan);
        read_exact(&new, &mut bytes, plan.start())?;
        for (index, block) in bytes.chunks(64 * 1024).enumerate() {
            file.write_all_at(block, plan.start() + (index * 64 * 1024) as u64)?;
        }
        file.set_len(plan.new_size())?;
        file.sync_all()
    }

    /// Removes an empty mailbox; returns whether it is gone.
    fn remove(&self) -> bool {
        let path = self.lock.path();
        let is_empty = self
            .lock
            .file()
            .metadata()
            .is_ok_and(|file| file.len() == 0);
        is_empty && fs::remove_file(path).is_ok()
    }
}

/// Releases the blocks that were reserved after the end of a mailbox.
fn give_back(file: &File, size: u64) {
    let Ok(metadata) = file.metadata() else {
        return;
    };
    // A program that takes no locks has added mail meanwhile, and that mail uses the blocks now.
    if metadata.len() != size {
        return;
    }
    let modified = metadata.modified();
    // Setting the length that it has frees what is reserved behind it. A failure does no harm but
    // that the blocks stay reserved; the time is put back, for nothing has changed.
    let _ = until_done(|| file.set_len(size));
    if let Ok(modified) = modified {
        let _ = file.set_modified(modified);
    }
}

/// Returns whether a plan cuts the end off and writes nothing.
fn only_cuts(plan: &RewritePlan) -> bool {
    plan.new_size() < plan.old_size() && Output::extents(plan).is_empty()
}

/// Returns whether there is no place for a journal: no room, or no right to write.
fn has_no_place(error: &CommitError) -> bool {
    let lacks_right = |source: &io::Error| {
        matches!(
            source.kind(),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
        )
    };
    is_full(error) || matches!(error, CommitError::Write { source, .. } if lacks_right(source))
}

/// Returns whether changes were not written because a disk or a quota is full.
fn is_full(error: &CommitError) -> bool {
    matches!(error, CommitError::Write { source, .. } if is_full_disk(source))
}

fn is_full_disk(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

#[cfg(test)]
mod tests;
