//! Writing changes into an mbox (design decision D14), and completing what broke off.
//!
//! # Steps
//! 1. Open, refuse what is not ours to change, lock ([`MailboxLock`]), complete a rewrite that
//!    broke off (`apply`).
//! 2. Compare: same inode, size and times as when the index was made, or a new scan in which the
//!    messages are found again (`read::realign`). What was not there before is mail that arrived.
//! 3. RewritePlan (`plan`): the first changed byte, and what comes from there on.
//! 4. Carry out: in one step of the disk where that is enough; else with a journal (`journal`).
//!    An end is cut off without one where no place takes a journal: a full disk blocks no deleting.
//!    **From the journal's name on the change is certain.** Everything before can fail, and then
//!    the mailbox has not been touched.
//! 5. Give the file times that tell whether there is new mail; unlock.
//!
//! `plan` makes the pieces of the new file, `output` gives their bytes in order, `patched` reads a
//! file as a rewrite means it to be, `reserve` takes the blocks on the disk beforehand.

pub(in crate::mailbox) mod apply;
pub(in crate::mailbox) mod journal;
pub(in crate::mailbox) mod output;
pub(in crate::mailbox) mod patched;
pub(in crate::mailbox) mod plan;
pub(in crate::mailbox) mod reserve;

use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use self::apply::Applied;
use self::journal::{Body, Found, Journal, JournalTarget, LARGEST_PAGE, NewJournal, SECTOR};
use self::output::Output;
use self::patched::PatchedFile;
use self::plan::RewritePlan;
use self::reserve::{reserve_growth, within_limit};
use crate::mailbox::append::tail::cut;
use crate::mailbox::change::{Change, Changes, CommitOptions, Committed, Journals, Pending};
use crate::mailbox::error::CommitError;
use crate::mailbox::file::{open_for_rewrite, open_regular};
use crate::mailbox::format::mbox::{MessageRef, Scan, ScanError};
use crate::mailbox::format::torn;
use crate::mailbox::format::{framing, scan_any};
use crate::mailbox::lock::{LockError, LockOptions, MailboxLock, dot};
use crate::mailbox::maildir::is_maildir;
use crate::mailbox::notice::Notice;
use crate::mailbox::path::followed;
use crate::mailbox::read::open_file::OpenFile;
use crate::mailbox::read::realign::{Realigned, realign};
use crate::mailbox::read::stamp::{Stamp, set_times};
use crate::mailbox::read_at::{Buffered, read_exact};
use crate::sys::disk::{create_complete, directory_of, sync_name, until_done};
use crate::sys::user;

/// How often a mailbox that is replaced under our hands is opened again.
const ATTEMPTS: usize = 5;

/// The sizes of windows that are tried, for disks that are more and more full.
const WINDOWS: [u32; 4] = [4 * 1024 * 1024, 512 * 1024, 64 * 1024, 4 * 1024];

/// The largest write that is made without a journal: it changes at once, or not at all.
const AT_ONCE: u64 = 64;

/// Writes changes into a mailbox that is one file, under all locks. `messages` is its index of when
/// it was opened as `opened`, `is_partial` tells whether that has the end of it only.
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
    let session = Session::begin(path, options)?;
    let now = session.identity()?;
    if opened.is_as_opened(&now) {
        let found = Realigned {
            changes: changes.clone(),
            ..Realigned::default()
        };
        return session.carry_out(messages, found, !is_partial, options);
    }
    let scan = session.scan(now.size())?;
    let found = realign(messages, &scan.messages, !is_partial, changes).ok_or_else(|| {
        CommitError::Changed {
            path: path.to_owned(),
        }
    })?;
    session.carry_out(&scan.messages, found, true, options)
}

/// Completes a rewrite that broke off, if there is one; takes no lock if there is none.
///
/// # Errors
/// When it is there and cannot be completed. Reading the mailbox shows it as complete all the same.
pub fn recover(path: &Path, options: &CommitOptions<'_>) -> Result<Vec<Notice>, CommitError> {
    if is_maildir(path) {
        return Ok(Vec::new());
    }
    let mut notices = Vec::new();
    // What cannot be looked at is told by whoever opens the mailbox.
    let Ok((file, _)) = open_regular(path) else {
        return Ok(Vec::new());
    };
    let is_pending = JournalTarget::of(path, &file)
        .and_then(|subject| journal::find(&subject, options.journals, &mut notices))
        .is_ok_and(|found| !matches!(found, Found::Nothing));
    if !is_pending {
        if dot::is_of_the_dead(&followed(path)) {
            free(path, options);
        }
        return Ok(Vec::new());
    }
    Session::begin(path, options).map(|session| session.notices)
}

/// Removes the dot-lock of one of us who was killed: other programs would wait for it, some of
/// them for a quarter of an hour.
fn free(path: &Path, options: &CommitOptions<'_>) {
    let options = CommitOptions {
        lock: LockOptions {
            patience: Duration::ZERO,
            waiting: None,
            ..options.lock
        },
        ..*options
    };
    // Taking the lock is what replaces it, and giving it back removes it. Whoever may not is told
    // when he has something to write.
    let _ = Session::lock(&followed(path), &options);
}

/// A mailbox that is locked and whole.
struct Session {
    lock: MailboxLock,
    subject: JournalTarget,
    notices: Vec<Notice>,
}

impl Session {
    /// Opens and locks a mailbox and completes what broke off.
    fn begin(path: &Path, options: &CommitOptions<'_>) -> Result<Session, CommitError> {
        let mut session = Session::lock(&followed(path), options)?;
        let path = session.lock.path().to_owned();
        let io = |source| CommitError::Write {
            path: path.clone(),
            source,
        };
        journal::clean_up(&session.subject, options.journals);
        let found =
            journal::find(&session.subject, options.journals, &mut session.notices).map_err(io)?;
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
                match apply::apply(&mut session.lock, &session.subject, journal).map_err(io)? {
                    Applied::Complete(rest) => {
                        session.notices.push(Notice::Completed);
                        session.notices.extend(rest);
                    }
                    Applied::Foreign(journal) => session.rescue(*journal, options.journals)?,
                }
            }
        }
        session.cut_torn().map_err(|source| session.error(source))?;
        Ok(session)
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

    fn lock(path: &Path, options: &CommitOptions<'_>) -> Result<Session, CommitError> {
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
                    return Ok(Session {
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

    /// Writes changes of messages whose index is true now.
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
            // A full disk must not keep anybody from deleting; flags can wait.
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

    /// Plans changes, and makes sure that no message is lost from sight by them.
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
        // Strict separators stay separators whatever stands around them; others depend on it.
        // Delimiters of careless writers do too.
        let is_certain = framing == 0 && messages.iter().skip(1).all(|message| message.is_strict);
        if !is_certain && !self.keeps_messages(&plan, messages, changes, has_all)? {
            return Err(CommitError::Refused {
                path: self.lock.path().to_owned(),
                why: "a mailbox in which messages would run together without the deleted ones"
                    .to_owned(),
            });
        }
        Ok(plan)
    }

    /// Returns whether a scan of the new mailbox finds the messages that it shall have.
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
        let scan = match scan_any(&view, plan.new_size(), false, None) {
            Ok(scan) => scan,
            Err(ScanError::Io(source)) => return Err(self.error(source)),
            Err(ScanError::NotMbox) => return Ok(false),
        };
        let kept = (0..messages.len()).filter(|index| changes.get(*index) != Some(Change::Delete));
        let kept = kept.map(|index| messages[index].fingerprint);
        let found = scan.messages.iter().map(|message| message.fingerprint);
        Ok(if has_all {
            found.eq(kept)
        } else {
            let before = scan.messages.len().checked_sub(kept.clone().count());
            before.is_some_and(|before| found.skip(before).eq(kept))
        })
    }

    /// Writes what is planned; says why if it is certain but not complete.
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
        // What would break off in the middle is not begun; a cut writes nothing.
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
        // Mail that somebody has added without our locks is moved, and that takes more steps.
        if file.metadata()?.len() != plan.old_size() {
            return Ok(false);
        }
        match Output::extents(plan)[..] {
            // A cut within a block clears the rest of it, and a power cut can leave that alone.
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

    /// Makes the journal in the first place that takes it; `None` where the program was built
    /// without journals, to see that its tests notice.
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
                    // That the disk is full says more than that there is another place we may not use.
                    Err(error) => {
                        let is_news = worst.as_ref().is_none_or(|(_, before)| {
                            is_full_disk(&error) || !is_full_disk(before)
                        });
                        if is_news {
                            worst = Some((place, error));
                        }
                    }
                }
            }
            // Smaller windows help against want of room and nothing else.
            if !worst.as_ref().is_some_and(|(_, error)| is_full_disk(error)) {
                break;
            }
        }
        let (path, source) = worst.expect("there is a place beside the mailbox");
        Err(CommitError::Write { path, source })
    }

    /// Writes without a journal. Only tests of the tests do that.
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

    /// Puts what a journal holds into a file of its own, and the journal away.
    fn rescue(&mut self, journal: Journal, journals: &Journals) -> Result<(), CommitError> {
        let name = self.subject.path.file_name().unwrap_or_default();
        let name = name.to_string_lossy();
        let random = crate::sys::random::number();
        let beside = directory_of(&self.subject.path).to_owned();
        let directories = journals.directories.iter().cloned().chain([beside.clone()]);
        for directory in directories {
            let place = directory.join(format!("{name}.rescue-{random:08x}"));
            // Beside another user's mailbox it is hers, as the mail in it is. Private places are ours.
            let owner = (directory == beside).then(|| self.lock.file().metadata());
            let kept = journal::make_directory(&place, &self.subject).and_then(|spot| {
                copy_body(&journal, spot.path(), owner.transpose()?.as_ref())?;
                Ok(spot.path().to_owned())
            });
            if let Ok(kept) = kept {
                let path = journal.path().to_owned();
                let rest = journal
                    .finish()
                    .map_err(|source| CommitError::Write { path, source })?;
                self.notices.push(Notice::Overwritten { kept });
                self.notices.extend(rest);
                return Ok(());
            }
        }
        Err(CommitError::Journal {
            path: self.subject.path.clone(),
            why: Notice::Overwritten {
                kept: journal.path().to_owned(),
            }
            .to_string(),
        })
    }
}

/// Gives back the blocks that were reserved behind the end of a mailbox.
fn give_back(file: &File, size: u64) {
    let Ok(metadata) = file.metadata() else {
        return;
    };
    // Mail that somebody added meanwhile without our locks has the blocks now.
    if metadata.len() != size {
        return;
    }
    let modified = metadata.modified();
    // Should it fail the blocks stay reserved, and nothing else.
    let _ = until_done(|| file.set_len(size));
    if let Ok(modified) = modified {
        let _ = file.set_modified(modified);
    }
}

/// Copies the bytes that a journal would have written into a new file; all of them, or there is none.
///
/// The file belongs to `owner`'s owner, where we may give it away.
fn copy_body(journal: &Journal, place: &Path, owner: Option<&Metadata>) -> io::Result<()> {
    let file = create_complete(place, &mut |file| {
        if let Some(owner) = owner.filter(|owner| owner.uid() != user::effective_uid()) {
            // What cannot be given away is kept all the same.
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
