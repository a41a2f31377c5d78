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

/// How long reading waits for those who write.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long reading waits for a rewrite to end, of which it would see one half and the other.
const REWRITE_PATIENCE: Duration = Duration::from_secs(10);

/// A file at one moment: its bytes as they are meant to be, and by what a later change is seen.
#[derive(Debug)]
pub(in crate::mailbox) struct Snapshot {
    pub view: PatchedFile,
    pub opened: Stamp,
}

impl Snapshot {
    /// Returns whether somebody has written to the file since.
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
    /// Whether the end of the file only was scanned.
    pub is_partial: bool,
    pub notices: Vec<Notice>,
}

/// Finds the messages of a file, or with `end_only` the last of them.
///
/// Shared kernel locks are held meanwhile if they can be had.
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
    let io = |source| OpenError::new(path, source);
    let subject = JournalTarget::of(path, file).map_err(io)?;
    let rewritten = || OpenError::Rewritten {
        path: path.to_owned(),
    };
    let deadline = Instant::now() + REWRITE_PATIENCE;
    let mut before = None;
    loop {
        let is_last_try = Instant::now() >= deadline;
        let visit = visit.as_mut().map(|visit| &mut **visit as mbox::Visit<'_>);
        let mut notices = Vec::new();
        let shared = kernel::share(file, PATIENCE);
        let found = journal::find(&subject, journals, &mut notices).map_err(io)?;
        if shared.is_none() && !matches!(found, Found::Nothing) {
            // It has not broken off: it is going on, and what we read would be half of each.
            if is_last_try {
                return Err(rewritten());
            }
            continue;
        }
        // The size now, not before: the one who held the lock may just have written.
        let opened = Stamp::of(&file.metadata().map_err(io)?);
        let mut view = view_of(file, &opened, found, &mut notices).map_err(io)?;
        view.truncate(torn::end_without_nuls(&view, view.len()).map_err(io)?);
        let is_busy = shared.is_none() || dot::may_be_held(&subject.path);
        let start =
            if end_only && !is_busy && beginning(&view, view.len()).map_err(io)? == Beginning::Mbox
            {
                mbox::last_separator(&view, view.len(), mbox::BLOCK).map_err(io)?
            } else {
                None
            };
        let scanned = match start {
            Some(start) => mbox::scan_from(&view, view.len(), start),
            None if !is_busy => scan_any(&view, view.len(), false, visit),
            // Who holds the dot-lock may know no other lock.
            None => {
                let is_still = || is_untouched(file, &opened, &subject, journals);
                match scan_unlocked(&view, view.len(), &mut before, &is_still, visit) {
                    Ok(Some(scan)) => Ok(scan),
                    Ok(None) if is_last_try => return Err(rewritten()),
                    Ok(None) => continue,
                    Err(error) => Err(error),
                }
            }
        };
        let scan = scanned.map_err(|error| OpenError::of_scan(path, error))?;
        return Ok(Scanned {
            snapshot: Snapshot { view, opened },
            scan,
            is_partial: start.is_some(),
            notices,
        });
    }
}

/// Returns whether nobody has written to a mailbox since it was looked at.
fn is_untouched(file: &File, opened: &Stamp, subject: &JournalTarget, journals: &Journals) -> bool {
    let now = file.metadata();
    let found = || journal::find(subject, journals, &mut Vec::new());
    now.is_ok_and(|now| Stamp::of(&now) == *opened) && matches!(found(), Ok(Found::Nothing))
}

/// Scans a mailbox that somebody may be writing to.
///
/// Mail that arrives meanwhile does no harm, but an index made during a rewrite was never true. So
/// the index counts if nothing was written meanwhile, or if it continues the one of `before`. If it
/// does not it takes that one's place, and `None` says that the mailbox is to be looked at anew.
/// `visit` is called only for an index that counts.
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
        // What is no mailbox at this moment may be one that is half rewritten.
        Err(ScanError::NotMbox) if !is_untouched() => return Ok(None),
        found => found?,
    };
    let continues = |before: &Vec<MessageRef>| found.messages.starts_with(before);
    if found.end < size || !(before.as_ref().is_some_and(continues) || is_untouched()) {
        *before = Some(found.messages);
        return Ok(None);
    }
    if visit.is_some() && scan_any(source, size, true, visit)? != found {
        return Err(io::Error::other("another program is rewriting the mailbox").into());
    }
    Ok(Some(found))
}

/// Returns the bytes of a mailbox as a rewrite that broke off means them to be.
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
        Found::Journal(journal) => match journal.situation(file)? {
            Situation::Foreign => notices.push(Notice::Overwritten {
                kept: journal.path().to_owned(),
            }),
            situation => {
                notices.push(Notice::Unfinished {
                    journal: journal.path().to_owned(),
                });
                return journal.view(file, situation);
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
