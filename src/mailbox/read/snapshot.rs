//! Snapshots of a file of messages that others may write to: which bytes are the mailbox at one
//! moment, and which messages are in it.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::stamp::Stamp;
use crate::mailbox::change::Journals;
use crate::mailbox::error::OpenError;
use crate::mailbox::format::mbox::{self, MessageRef, Scan, ScanError};
use crate::mailbox::format::torn;
use crate::mailbox::format::{Beginning, beginning, scan_any};
use crate::mailbox::lock::{dot, kernel};
use crate::mailbox::notice::Notice;
use crate::mailbox::read_at::ReadAt;
use crate::mailbox::rewrite::journal::{self, Found};
use crate::mailbox::rewrite::journal::{JournalTarget, Situation};
use crate::mailbox::rewrite::patched::PatchedFile;

/// How long reading waits for a kernel lock, so that a deliverer can finish its message.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long reading waits for a rewrite to end, during which it would see half of the old mailbox and
/// half of the new one.
const REWRITE_PATIENCE: Duration = Duration::from_secs(10);

/// A file at one moment: its bytes, as a broken-off rewrite would have left them, and the stamp that
/// shows later changes.
#[derive(Debug)]
pub(in crate::mailbox) struct Snapshot {
    pub view: PatchedFile,
    pub opened: Stamp,
}

impl Snapshot {
    /// Returns whether another program has written to the file since.
    pub(in crate::mailbox) fn is_changed(&self) -> bool {
        let now = self.view.file().metadata();
        now.is_ok_and(|now| Stamp::of(&now) != self.opened)
    }
}

/// A snapshot of a file, and the messages in it.
#[derive(Debug)]
pub(in crate::mailbox) struct Scanned {
    pub snapshot: Snapshot,
    pub scan: Scan,
    /// Whether only the end of the file was scanned.
    pub is_partial: bool,
    pub notices: Vec<Notice>,
}

/// Finds the messages of a file, or with `end_only` the last of them.
///
/// Shared kernel locks are held meanwhile if they can be had. If not, the file is scanned all the
/// same, since reading must never depend on a lock that somebody forgot; then it is scanned until the
/// result can be relied on.
///
/// # Errors
/// When the file cannot be read, is no mailbox, or is being rewritten all the time.
pub(in crate::mailbox) fn take(
    path: &Path,
    file: &Arc<File>,
    journals: &Journals,
    end_only: bool,
    mut visit: Option<mbox::Visit<'_>>,
) -> Result<Scanned, OpenError> {
    let source = SourceFile {
        path,
        file,
        target: JournalTarget::of(path, file).map_err(|error| OpenError::new(path, error))?,
        journals,
        end_only,
    };
    let deadline = Instant::now() + REWRITE_PATIENCE;
    let mut before = None;
    loop {
        // Asked before the attempt, so that there is a whole one after any wait.
        let is_last_try = Instant::now() >= deadline;
        let visit = visit.as_mut().map(|visit| &mut **visit as mbox::Visit<'_>);
        if let Some(scanned) = source.scan(&mut before, visit)? {
            return Ok(scanned);
        }
        if is_last_try {
            return Err(OpenError::Rewritten {
                path: path.to_owned(),
            });
        }
    }
}

/// A file of which a snapshot is taken.
struct SourceFile<'a> {
    path: &'a Path,
    file: &'a Arc<File>,
    target: JournalTarget,
    journals: &'a Journals,
    end_only: bool,
}

impl SourceFile<'_> {
    /// Takes one snapshot and scans it; `None` if another program was rewriting the file meanwhile.
    ///
    /// `before` holds the index of the attempt before, if it was made without locks.
    fn scan(
        &self,
        before: &mut Option<Vec<MessageRef>>,
        visit: Option<mbox::Visit<'_>>,
    ) -> Result<Option<Scanned>, OpenError> {
        let io = |source| OpenError::new(self.path, source);
        let mut notices = Vec::new();
        // The lock comes before everything else: under it neither file nor journal changes.
        let shared = kernel::share(self.file, PATIENCE);
        let found = journal::find(&self.target, self.journals, &mut notices).map_err(io)?;
        if shared.is_none() && !matches!(found, Found::Nothing) {
            // A journal under another process's lock belongs to a rewrite that is going on. Patched
            // with it, the file would be a mixture of the old and the new mailbox.
            return Ok(None);
        }
        // The size is asked for under the lock: the program that held it may just have written.
        let opened = Stamp::of(&self.file.metadata().map_err(io)?);
        let mut view = view_of(self.file, &opened, found, &mut notices).map_err(io)?;
        view.truncate(torn::end_without_nuls(&view, view.len()).map_err(io)?);
        // A program that holds the dot-lock may know no kernel lock.
        let is_busy = shared.is_none() || dot::may_be_held(&self.target.path);
        let start = if self.end_only && !is_busy && self.is_mbox(&view)? {
            mbox::last_separator(&view, view.len(), mbox::BLOCK).map_err(io)?
        } else {
            None
        };
        let scanned = match start {
            Some(start) => mbox::scan_from(&view, view.len(), start).map(Some),
            None if !is_busy => scan_any(&view, view.len(), false, visit).map(Some),
            None => {
                let is_still = || self.is_untouched(&opened);
                scan_unlocked(&view, view.len(), before, &is_still, visit)
            }
        };
        let scan = scanned.map_err(|error| OpenError::of_scan(self.path, error))?;
        Ok(scan.map(|scan| Scanned {
            snapshot: Snapshot { view, opened },
            scan,
            is_partial: start.is_some(),
            notices,
        }))
    }

    /// Returns whether these bytes begin as an mbox does.
    fn is_mbox(&self, view: &PatchedFile) -> Result<bool, OpenError> {
        let beginning = beginning(view, view.len());
        let beginning = beginning.map_err(|source| OpenError::new(self.path, source))?;
        Ok(beginning == Beginning::Mbox)
    }

    /// Returns whether no program has written to the file, or begun a rewrite, since this stamp.
    fn is_untouched(&self, opened: &Stamp) -> bool {
        let now = self.file.metadata();
        let found = || journal::find(&self.target, self.journals, &mut Vec::new());
        now.is_ok_and(|now| Stamp::of(&now) == *opened) && matches!(found(), Ok(Found::Nothing))
    }
}

/// Scans a mailbox that somebody may be writing to.
///
/// Mail that arrives meanwhile does no harm, but an index made during a rewrite was never true. So
/// the index counts if nothing was written meanwhile, or if it begins with all of `before`, the index
/// of the last attempt: then only mail has arrived. Otherwise it replaces `before`, and `None` asks
/// for another attempt. `visit` is called only for an index that counts.
fn scan_unlocked<S: ReadAt + ?Sized>(
    source: &S,
    size: u64,
    before: &mut Option<Vec<MessageRef>>,
    is_untouched: &dyn Fn() -> bool,
    visit: Option<mbox::Visit<'_>>,
) -> Result<Option<Scan>, ScanError> {
    let mut silent = |_: usize, _: &MessageRef, _: &[u8]| {};
    let counting = visit.is_some().then_some(&mut silent as mbox::Visit<'_>);
    let found = match scan_any(source, size, true, counting) {
        // A mailbox that is half rewritten may begin with anything.
        Err(ScanError::NotMbox) if !is_untouched() => return Ok(None),
        found => found?,
    };
    let continues = |before: &Vec<MessageRef>| found.messages.starts_with(before);
    if found.end < size || !(before.as_ref().is_some_and(continues) || is_untouched()) {
        *before = Some(found.messages);
        return Ok(None);
    }
    // The visitor cannot take back a message that was shown, so it sees a second scan, which must
    // find the same messages.
    if visit.is_some() && scan_any(source, size, true, visit)? != found {
        return Err(io::Error::other("another program is rewriting the mailbox").into());
    }
    Ok(Some(found))
}

/// Returns the bytes of a mailbox; if a rewrite was interrupted, as they will be when it is
/// completed.
pub(in crate::mailbox) fn view_of(
    file: &Arc<File>,
    opened: &Stamp,
    found: Found,
    notices: &mut Vec<Notice>,
) -> io::Result<PatchedFile> {
    match found {
        Found::Nothing => {}
        Found::Unreadable { path, owner } => notices.push(Notice::Unreadable {
            journal: path,
            owner,
        }),
        Found::Journal(journal) => match journal::situation(&journal, file)? {
            // Another program has written the mailbox since, and its version counts.
            Situation::Foreign => notices.push(Notice::Overwritten {
                kept: journal.path().to_owned(),
            }),
            situation => {
                notices.push(Notice::Unfinished {
                    journal: journal.path().to_owned(),
                });
                return journal::view(&journal, file, situation);
            }
        },
    }
    Ok(PatchedFile::of_file(Arc::clone(file), opened.size()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "From a@x Tue Jan  7 12:09:16 2003\nSubject: one\n\nbody\n";

    #[test]
    fn without_a_lock_an_index_counts_when_it_is_found_twice() {
        let grown = format!("{ONE}\n{ONE}\n{ONE}\n");
        let other = grown.replace("one", "two");
        // What the mailbox holds at each look, whether it was left alone since, and what is found.
        type Look<'a> = (&'a str, bool, Option<usize>);
        let rows: [&[Look<'_>]; 5] = [
            &[(ONE, true, Some(1))],
            // The end of one that a rewrite made longer, then all of it.
            &[
                (&grown[..grown.len() - 20], false, None),
                (&grown, false, Some(3)),
            ],
            // Other messages in the same places.
            &[
                (&grown, false, None),
                (&other, false, None),
                (&other, false, Some(3)),
            ],
            // In the middle of a rewrite not even a From_ line stands at the start.
            &[("om a@x\n", false, None), (ONE, true, Some(1))],
            &[("", false, None), ("", false, Some(0))],
        ];
        for (row, looks) in rows.into_iter().enumerate() {
            let mut before = None;
            for (text, is_untouched, expected) in looks {
                let mut visits = 0;
                let mut visit = |index: usize, _: &MessageRef, _: &[u8]| {
                    assert_eq!(index, visits);
                    visits += 1;
                };
                let (source, size) = (text.as_bytes(), text.len() as u64);
                let found = scan_unlocked(
                    source,
                    size,
                    &mut before,
                    &|| *is_untouched,
                    Some(&mut visit),
                );
                let found = found.expect("read").map(|scan| scan.messages.len());
                assert_eq!((found, visits), (*expected, expected.unwrap_or(0)), "{row}");
            }
        }
    }
}
