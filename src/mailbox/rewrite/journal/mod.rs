//! The redo journal of a rewrite (design decision D14): its file, and what is in it.
//!
//! # When there is one
//! An mbox is rewritten in place. What will be written is first written into a journal and synced,
//! and only then into the mailbox; whoever finds a journal does its rewrite again, from wherever
//! it broke off, and the mailbox is what it was meant to become. There is no journal for what the
//! kernel and the disk do in one step: cutting the end off between two blocks, or a few bytes
//! within one block.
//!
//! # Two kinds
//! - *Whole*: all bytes that change, and where they belong. For any change; as large as what is
//!   written.
//! - *Windows*: the plan, and one window of bytes at a time. For rewrites that only move bytes
//!   towards the start ([`Plan::never_overtakes`]), that is all deletions: the bytes that are still
//!   to be moved lie untouched in the mailbox. Its size does not depend on the mailbox's.
//!
//! # States of its files
//! - `.NAME.postrider-journal.new`: being written. It counts for nothing and is replaced.
//! - `.NAME.postrider-journal`: from its rename on the rewrite is certain, and will be completed by
//!   whoever opens the mailbox next for writing; readers see the mailbox as if it were.
//! - The same with the word `finished` in it: completed, but it could not be removed.
//! - None: nothing is pending.
//!
//! Where we may not write beside the mailbox it lies in a directory for state, under
//! `INODE-HASH_OF_PATH.journal`.
//!
//! # Format
//! All numbers are little-endian; `varint` is LEB128.
//! ```text
//!      0  16 bytes   "postrider redo 2"
//!     16   8 bytes   the word: zeros, "resizing" or "finished"
//!     24  u32        length of the header; 4 zero bytes
//!     32  u64        XXH3 of the header
//!     40  the header:
//!         u8 kind (1 whole, 2 windows)   u64 device   u64 inode
//!         u64 size before   u64 size afterwards   u64 first changed byte
//!         u64 XXH3 of the (up to) 4 KiB before it
//!         u64 XXH3 of a sample of the old bytes that the new ones do not replace, see `sample`
//!         u16 length and bytes of the mailbox's path
//!         u16 length and bytes of the samples before the rewrite, the same of those afterwards:
//!         what proves that its maker could read the mailbox, see `witness`
//!         whole:   u64 XXH3 of the body, varint number of extents, each varint gap, varint length
//!         windows: u32 size of a window, varint number of pieces, each 0, varint gap, varint
//!                  length (copied) or 1, varint length, bytes (text)
//!      B  (the next multiple of 4096) the body:
//!         whole:   the bytes of all extents, in their order
//!         windows: two slots, each u64 number of the window, u64 place, u64 length,
//!                  u64 XXH3 of these and the data, and the data
//! ```
//! Windows are written into the two slots by turns. When one is written, the mailbox has on disk
//! all windows but the last one before it; so if it is torn the other one is whole, and its
//! window can be written again.
//!
//! The first format, "postrider redo 1", had no samples. Such a journal proves nothing of its maker:
//! it counts only where nobody but the mailbox's owner, root and we can have put it.
//!
//! # The word
//! Cutting the file, or making it longer, cannot be told from its length alone once a deliverer
//! has added mail. `resizing` is written and synced before the length changes; without it the
//! length is still the old one.
//!
//! What the mailbox can be like when this program, or the machine, stops while a word is in the
//! journal; *old* and *new* are the two sizes, and mail of other programs may follow in each row:
//!
//! | change | word | length | bytes | so |
//! |---|---|---|---|---|
//! | same length | zeros | old | old and new ones, mixed | all are written again |
//! | shorter | zeros | old | old and new ones, mixed up to new; old ones behind | all are written again, then the cut |
//! | shorter | `resizing` | old | new ones up to new, all synced; old ones behind | only the cut is left |
//! | shorter | `resizing` | old | the same, but zeros from new to the end of a block | only the cut is left |
//! | shorter | `resizing` | new | new ones, all synced | the cut is synced |
//! | longer | `resizing`, from the start | old | old ones | it is made longer, then all are written |
//! | longer | `resizing` | new | old ones, and zeros or new ones behind old; or mixed | all are written again |
//! | any | `finished` | new | new ones | nothing |
//!
//! The zeros of the fourth row come from a cut that the disk has in part: the kernel clears the
//! rest of the last block in memory, and may write that block before the new length is certain.
//! The blocks behind it are given back together with the new length. A block is a power of two,
//! at least a sector and at most the largest page.
//!
//! A journal that has nothing to write, because only the end is cut off, has the word from the
//! start.

use std::fs::File;
use std::hash::Hasher;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, fallocate};
use nix::sys::resource::{Resource, getrlimit};
use twox_hash::XxHash3_64;

use crate::mailbox::read_at::{Source, read_exact, read_full};
use crate::mailbox::rewrite::output::{Extent, Output};
use crate::mailbox::rewrite::patched::View;
use crate::mailbox::rewrite::plan::Plan;
use crate::sys::disk::until_done;

mod header;
pub(in crate::mailbox) mod locate;
mod spot;
mod windows;
mod witness;

pub(in crate::mailbox) use header::Body;
use header::{HEADER_AT, Header};
pub(in crate::mailbox) use spot::Spot;
use witness::Witness;

/// What the file starts with.
const MAGIC: &[u8; 16] = b"postrider redo 2";

/// What it started with when journals had no witness.
const FIRST_MAGIC: &[u8; 16] = b"postrider redo 1";

/// Where the word stands.
const WORD_AT: u64 = 16;

/// The word before the length of the mailbox changes.
const RESIZING: &[u8; 8] = b"resizing";

/// The word when everything is done.
const FINISHED: &[u8; 8] = b"finished";

/// The longest header that is read: a plan of more than a million pieces.
const MAX_HEADER: u32 = 64 * 1024 * 1024;

/// How the body is aligned.
const BLOCK: u64 = 4096;

/// How much is copied at once.
const COPIED: usize = 256 * 1024;

/// How much of the old bytes is taken as a sample, at most.
const SAMPLE: u64 = 64 * 1024;

/// How much before the first changed byte is taken as a sample.
const PREFIX: u64 = 4096;

/// The largest page that Linux has, and so the largest block of a file system.
pub(in crate::mailbox) const LARGEST_PAGE: u64 = 64 * 1024;

/// What a disk writes in one piece.
pub(in crate::mailbox) const SECTOR: u64 = 512;

/// Where a journal may lie beside the mailbox's own directory, in the order in which they are tried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journals {
    /// `$XDG_STATE_HOME/postrider/journal` of the user, and [`shared_journals`](crate::mailbox::shared_journals);
    /// `/var/lib/postrider/journal` of root.
    pub directories: Vec<PathBuf>,
}

/// What a journal is made for.
#[derive(Clone, Debug)]
pub(in crate::mailbox) struct Draft<'a> {
    /// Where the first byte changes.
    pub start: u64,
    /// The size of the mailbox before.
    pub old_size: u64,
    /// Its size afterwards.
    pub new_size: u64,
    /// What the journal will hold.
    pub body: DraftBody<'a>,
}

/// What a journal will hold.
#[derive(Clone, Debug)]
pub(in crate::mailbox) enum DraftBody<'a> {
    /// Everything that is written.
    Whole {
        /// Where it belongs.
        extents: Vec<Extent>,
        /// The new mailbox.
        content: &'a View,
    },
    /// A window at a time.
    Windows {
        /// What is written.
        plan: &'a Plan,
        /// How large a window is at most.
        size: u32,
    },
}

impl<'a> Draft<'a> {
    /// Returns a journal for all that a plan writes; `content` is what it makes of the mailbox.
    pub(in crate::mailbox) fn whole(plan: &Plan, content: &'a View) -> Draft<'a> {
        let body = DraftBody::Whole {
            extents: Output::extents(plan),
            content,
        };
        Draft::of(plan, body)
    }

    /// Returns a journal for a plan that [never overtakes](Plan::never_overtakes) itself.
    pub(in crate::mailbox) fn windows(plan: &'a Plan, size: u32) -> Draft<'a> {
        Draft::of(plan, DraftBody::Windows { plan, size })
    }

    /// Returns what proves that we know the mailbox.
    fn witness(&self, mailbox: &File) -> io::Result<Witness> {
        let old = (mailbox, self.old_size);
        match &self.body {
            DraftBody::Whole { content, .. } => Witness::take(old, (*content, self.new_size)),
            DraftBody::Windows { plan, .. } => {
                let content = View::of_plan(Arc::new(mailbox.try_clone()?), plan);
                Witness::take(old, (&content, self.new_size))
            }
        }
    }

    fn of(plan: &Plan, body: DraftBody<'a>) -> Draft<'a> {
        Draft {
            start: plan.start(),
            old_size: plan.old_size(),
            new_size: plan.new_size(),
            body,
        }
    }
}

/// What a mailbox is to its journal.
#[derive(Clone, Debug)]
pub(in crate::mailbox) struct Subject {
    /// Its path, without links.
    pub path: PathBuf,
    /// The device it is on.
    pub device: u64,
    /// Its inode.
    pub inode: u64,
    /// Its owner's user id.
    pub owner: u32,
    /// The group whose members may read and write it, so that a journal may be that of any of them.
    pub group: Option<u32>,
}

/// A journal that has its name: its rewrite is certain.
#[derive(Debug)]
pub(in crate::mailbox) struct Journal {
    spot: Spot,
    file: Arc<File>,
    header: Header,
    /// Where the body starts.
    body: u64,
}

/// How far a rewrite came, and what came after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mailbox) enum Situation {
    /// The mailbox has its old length, and so much mail behind it.
    Pending { arrived: u64 },
    /// The mailbox has its new length, and so much mail behind it.
    Resized { arrived: u64 },
    /// The mailbox is none that the rewrite can have left behind.
    Foreign,
}

impl Journal {
    /// Makes a journal and gives it its name: from then on the rewrite is certain.
    ///
    /// `mailbox` is the mailbox as it is. A journal of the same name is replaced.
    ///
    /// # Errors
    /// When it cannot be made. Nothing is left behind then, and a journal of that name stays.
    pub(in crate::mailbox) fn create(
        spot: &Spot,
        subject: &Subject,
        draft: &Draft<'_>,
        mailbox: &File,
    ) -> io::Result<Journal> {
        // Only one of us is here at a time: the mailbox is locked.
        let file = spot.create()?;
        let replaces = spot.look().is_ok();
        let made = Journal::fill(spot, file, subject, draft, mailbox);
        let named = made.and_then(|journal| {
            spot.rename()?;
            Ok(journal)
        });
        let journal = match named {
            Ok(journal) => journal,
            Err(error) => {
                let _ = spot.remove_temporary();
                return Err(error);
            }
        };
        if let Err(error) = spot.sync(&journal.file) {
            // It may not survive a power cut: better none at all. One that is there already is
            // needed, and this one has all that it has.
            if !replaces && spot.remove().is_ok() {
                return Err(error);
            }
        }
        Ok(journal)
    }

    /// Writes all of a new journal and syncs it.
    fn fill(
        spot: &Spot,
        file: File,
        subject: &Subject,
        draft: &Draft<'_>,
        mailbox: &File,
    ) -> io::Result<Journal> {
        if file.metadata()?.uid() != subject.owner {
            // Where we may not give it away it is ours: we or root must complete the rewrite.
            let _ = fchown(&file, Some(subject.owner), None);
        }
        let body = match &draft.body {
            DraftBody::Whole { extents, .. } => Body::Whole {
                extents: extents.clone(),
                hash: 0,
            },
            DraftBody::Windows { plan, size } => {
                let most = u32::try_from(plan.end() - plan.start()).unwrap_or(u32::MAX);
                Body::Windows {
                    plan: (*plan).clone(),
                    size: (*size).min(most).max(1),
                }
            }
        };
        let start = draft.start;
        let mut header = Header {
            device: subject.device,
            inode: subject.inode,
            path: subject.path.as_os_str().as_bytes().to_vec(),
            old_size: draft.old_size,
            new_size: draft.new_size,
            start,
            prefix: hash_of(mailbox, start.saturating_sub(PREFIX), start)?,
            sample: 0,
            witness: Some(Box::new(draft.witness(mailbox)?)),
            body,
        };
        let (from, to) = header.sample();
        header.sample = hash_of(mailbox, from, to)?;
        let mut journal = Journal {
            spot: spot.clone(),
            file: Arc::new(file),
            body: (HEADER_AT + header.encode().len() as u64).next_multiple_of(BLOCK),
            header,
        };
        journal.reserve()?;
        match &draft.body {
            DraftBody::Whole { extents, content } => journal.write_body(extents, content)?,
            DraftBody::Windows { plan, .. } => {
                let mut buffer = journal.buffer();
                let chunk = Output::new(plan, 0).next(mailbox, Journal::window_of(&mut buffer))?;
                if let Some((place, len)) = chunk {
                    journal.write_slot(0, place, len, &mut buffer)?;
                }
            }
        }
        let header = journal.header.encode();
        let mut start = Vec::with_capacity(HEADER_AT as usize + header.len());
        start.extend_from_slice(MAGIC);
        // What grows becomes longer first of all, and where nothing is written only the cut is left.
        let resizes_first = draft.new_size > draft.old_size || journal.header.only_cuts();
        start.extend_from_slice(if resizes_first { RESIZING } else { &[0; 8] });
        start.extend_from_slice(&(header.len() as u32).to_le_bytes());
        start.extend_from_slice(&[0; 4]);
        start.extend_from_slice(&XxHash3_64::oneshot(&header).to_le_bytes());
        start.extend_from_slice(&header);
        journal.file.write_all_at(&start, 0)?;
        until_done(|| journal.file.sync_all())?;
        Ok(journal)
    }

    /// Takes the room on the disk that the body needs, so that its want shows now.
    fn reserve(&self) -> io::Result<()> {
        let size = self.body
            + match &self.header.body {
                Body::Whole { extents, .. } => extents.iter().map(|extent| extent.len).sum(),
                Body::Windows { .. } => 2 * self.slot_size(),
            };
        let size = i64::try_from(size).map_err(|_| io::ErrorKind::FileTooLarge)?;
        match until_done(|| Ok(fallocate(&*self.file, FallocateFlags::empty(), 0, size)?)) {
            Err(error) if is_unsupported(&error) => Ok(()),
            answer => answer,
        }
    }

    fn write_body(&mut self, extents: &[Extent], content: &View) -> io::Result<()> {
        let mut block = vec![0; COPIED];
        let mut at = self.body;
        let mut hasher = XxHash3_64::with_seed(0);
        for extent in extents {
            let mut done = 0;
            while done < extent.len {
                let want = (extent.len - done).min(COPIED as u64) as usize;
                read_exact(content, &mut block[..want], extent.place + done)?;
                hasher.write(&block[..want]);
                self.file.write_all_at(&block[..want], at)?;
                at += want as u64;
                done += want as u64;
            }
        }
        if let Body::Whole { hash, .. } = &mut self.header.body {
            *hash = hasher.finish();
        }
        Ok(())
    }

    /// Reads a journal; `None` if it is none, is torn, or has done its work.
    ///
    /// # Errors
    /// When reading fails.
    pub(in crate::mailbox) fn read(spot: &Spot, file: File) -> io::Result<Option<Journal>> {
        let mut start = [0; HEADER_AT as usize];
        let count = read_full(&file, &mut start, 0)?;
        let has_witness = start[..16] == *MAGIC;
        if count < start.len() || !(has_witness || start[..16] == *FIRST_MAGIC) {
            return Ok(None);
        }
        let len = u32::from_le_bytes(start[24..28].try_into().expect("four bytes"));
        let hash = u64::from_le_bytes(start[32..40].try_into().expect("eight bytes"));
        let size = file.metadata()?.len();
        if len > MAX_HEADER || u64::from(len) > size || start[16..24] == *FINISHED {
            return Ok(None);
        }
        let mut bytes = vec![0; len as usize];
        if read_full(&file, &mut bytes, HEADER_AT)? < bytes.len()
            || XxHash3_64::oneshot(&bytes) != hash
        {
            return Ok(None);
        }
        let Some(header) = Header::decode(&bytes, has_witness) else {
            return Ok(None);
        };
        let journal = Journal {
            spot: spot.clone(),
            file: Arc::new(file),
            header,
            body: (HEADER_AT + u64::from(len)).next_multiple_of(BLOCK),
        };
        let is_whole = match &journal.header.body {
            Body::Windows { .. } => journal.last_window().is_ok(),
            Body::Whole { extents, hash } => {
                let len: u64 = extents.iter().map(|extent| extent.len).sum();
                let end = journal.body.saturating_add(len);
                end <= size && hash_of(&*journal.file, journal.body, end)? == *hash
            }
        };
        Ok(is_whole.then_some(journal))
    }

    /// Returns how far its rewrite came, judged by the mailbox's file.
    ///
    /// # Errors
    /// When the mailbox or the journal cannot be read.
    pub(in crate::mailbox) fn situation(&self, mailbox: &File) -> io::Result<Situation> {
        let header = &self.header;
        let metadata = mailbox.metadata()?;
        let size = metadata.len();
        let prefix = header.start.saturating_sub(PREFIX);
        // A file that took the place of the mailbox is another one, even with the same bytes. The
        // device may have another number after a restart, and a directory another name.
        let is_other = metadata.ino() != header.inode;
        if is_other
            || size < header.start
            || hash_of(mailbox, prefix, header.start)? != header.prefix
        {
            return Ok(Situation::Foreign);
        }
        let pending = |arrived| Situation::Pending { arrived };
        let resized = |arrived| Situation::Resized { arrived };
        let (old, new) = (header.old_size, header.new_size);
        // Who made it must have known the mailbox, as far as it cannot have been cut off.
        if !self.knows(mailbox, old.min(new))? {
            return Ok(Situation::Foreign);
        }
        let is_resizing = self.is_resizing()?;
        let is_cut = is_resizing && new < old;
        let is_whole = || io::Result::Ok(self.has_sample(mailbox)? && self.knows(mailbox, old)?);
        let situation = if is_resizing && new > old && size >= new && self.is_extended(mailbox)? {
            resized(size - new)
        } else if size >= old && (is_whole()? || is_cut && self.is_half_cut(mailbox)?) {
            pending(size - old)
        } else if is_cut && size >= new {
            resized(size - new)
        } else {
            Situation::Foreign
        };
        // What came behind starts as mail starts.
        let (behind, arrived) = match situation {
            Situation::Pending { arrived } => (old, arrived),
            Situation::Resized { arrived } => (new, arrived),
            Situation::Foreign => return Ok(situation),
        };
        let mut first = [0];
        let is_mail = arrived == 0
            || (read_full(mailbox, &mut first, behind)? == 1
                // A NUL: an append that was not finished.
                && matches!(first[0], b'F' | b'\n' | b'\r' | 1 | 0));
        Ok(match is_mail {
            true => situation,
            false => Situation::Foreign,
        })
    }

    /// Returns whether the samples before this end are those of the mailbox, or of the rewrite.
    fn knows(&self, mailbox: &File, end: u64) -> io::Result<bool> {
        let header = &self.header;
        header.witness.as_ref().map_or(Ok(true), |witness| {
            witness.knows(mailbox, header.old_size, header.new_size, end)
        })
    }

    /// Returns whether it proves that its maker could read the mailbox; one of the first format
    /// does not.
    pub(in crate::mailbox) fn has_witness(&self) -> bool {
        self.header.witness.is_some()
    }

    /// Returns whether the old bytes that were taken as a sample are still where they were.
    fn has_sample(&self, mailbox: &File) -> io::Result<bool> {
        let (from, to) = self.header.sample();
        Ok(hash_of(mailbox, from, to)? == self.header.sample)
    }

    /// Returns whether a cut is on the disk in part: zeros from the new end to the end of a block.
    fn is_half_cut(&self, mailbox: &File) -> io::Result<bool> {
        let (new, old) = (self.header.new_size, self.header.old_size);
        let limit = old.min((new + 1).next_multiple_of(LARGEST_PAGE));
        let mut behind = vec![0; (limit - new) as usize];
        read_exact(mailbox, &mut behind, new)?;
        let zeros = behind.iter().take_while(|byte| **byte == 0).count() as u64;
        Ok(zeros > 0 && (new + zeros == limit || (new + zeros).is_multiple_of(SECTOR)))
    }

    /// Returns whether the file was made longer by us: there are zeros behind its old end, or
    /// bytes of ours.
    fn is_extended(&self, mailbox: &File) -> io::Result<bool> {
        let Body::Whole { extents, .. } = &self.header.body else {
            return Ok(false);
        };
        let (from, to) = (self.header.old_size, self.header.new_size);
        let to = to.min(from + SAMPLE);
        let mut theirs = vec![0; (to - from) as usize];
        read_full(mailbox, &mut theirs, from)?;
        let mut ours = vec![0; theirs.len()];
        let mut at = self.body;
        for extent in extents {
            let end = extent.place + extent.len;
            if end > from && extent.place < to {
                let start = extent.place.max(from);
                let end = end.min(to);
                let part = &mut ours[(start - from) as usize..(end - from) as usize];
                read_exact(&*self.file, part, at + (start - extent.place))?;
            }
            at += extent.len;
        }
        Ok(theirs
            .iter()
            .zip(&ours)
            .all(|(theirs, ours)| *theirs == 0 || theirs == ours))
    }

    /// Returns the mailbox as the rewrite means it to be.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(in crate::mailbox) fn view(
        &self,
        mailbox: &Arc<File>,
        situation: Situation,
    ) -> io::Result<View> {
        let header = &self.header;
        let mut view = View::empty(Arc::clone(mailbox), Some(Arc::clone(&self.file)));
        let arrived = match (situation, &header.body) {
            (Situation::Resized { arrived }, Body::Windows { .. }) => {
                view.push_file(0, header.new_size + arrived);
                return Ok(view);
            }
            (Situation::Resized { arrived } | Situation::Pending { arrived }, _) => arrived,
            (Situation::Foreign, _) => return Err(io::ErrorKind::InvalidInput.into()),
        };
        match &header.body {
            Body::Windows { plan, .. } => {
                let last = self.last_window()?;
                view.push_file(0, last.place);
                view.push_journal(last.at, last.len);
                view.push_plan(plan, last.place + last.len);
            }
            Body::Whole { extents, .. } => {
                let mut at = self.body;
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

    /// Returns whether the length of the mailbox may have changed, or is about to.
    pub(in crate::mailbox) fn is_resizing(&self) -> io::Result<bool> {
        let mut word = [0; 8];
        read_exact(&*self.file, &mut word, WORD_AT)?;
        Ok(word == *RESIZING)
    }

    /// Says, and syncs, that the length of the mailbox is about to change.
    pub(in crate::mailbox) fn mark_resizing(&self) -> io::Result<()> {
        self.file.write_all_at(RESIZING, WORD_AT)?;
        until_done(|| self.file.sync_all())
    }

    /// Removes the journal, or at least says in it that it has done its work.
    ///
    /// # Errors
    /// When neither can be done.
    pub(in crate::mailbox) fn finish(self) -> io::Result<()> {
        match self.spot.remove() {
            Ok(()) => self.spot.sync(&self.file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(_) => {
                self.file.write_all_at(FINISHED, WORD_AT)?;
                until_done(|| self.file.sync_all())
            }
        }
    }

    pub(in crate::mailbox) fn path(&self) -> &Path {
        self.spot.path()
    }

    pub(in crate::mailbox) fn spot(&self) -> &Spot {
        &self.spot
    }

    pub(in crate::mailbox) fn file(&self) -> &Arc<File> {
        &self.file
    }

    pub(in crate::mailbox) fn header(&self) -> &Header {
        &self.header
    }

    /// Returns where the body starts.
    pub(in crate::mailbox) fn body_at(&self) -> u64 {
        self.body
    }
}

/// Returns whether a file holds something that is no journal of ours, whole, torn or blank.
///
/// # Errors
/// When it cannot be read.
pub(in crate::mailbox) fn is_no_journal(file: &File) -> io::Result<bool> {
    let mut start = [0; MAGIC.len()];
    let count = read_full(file, &mut start, 0)?;
    let start = &start[..count];
    let is_ours = [MAGIC, FIRST_MAGIC]
        .iter()
        .any(|magic| magic.starts_with(start));
    Ok(!is_ours && start.iter().any(|byte| *byte != 0))
}

/// Returns the hash of these bytes of a file, or of as many as there are.
pub(in crate::mailbox) fn hash_of<S: Source + ?Sized>(
    source: &S,
    from: u64,
    to: u64,
) -> io::Result<u64> {
    let mut hasher = XxHash3_64::with_seed(0);
    let size = usize::try_from(to - from).unwrap_or(usize::MAX).min(COPIED);
    let mut buffer = vec![0; size];
    let mut at = from;
    while at < to {
        let want = usize::try_from(to - at).unwrap_or(usize::MAX).min(size);
        let count = read_full(source, &mut buffer[..want], at)?;
        hasher.write(&buffer[..count]);
        if count < want {
            break;
        }
        at += count as u64;
    }
    Ok(hasher.finish())
}

/// Returns whether this file system has no such call.
fn is_unsupported(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error().map(Errno::from_raw),
        Some(Errno::EOPNOTSUPP | Errno::ENOSYS)
    )
}

impl Header {
    /// Returns which old bytes are the sample: of those that are cut off; where the length stays,
    /// of those behind the last that changes; where the file grows, the last ones before it does.
    fn sample(&self) -> (u64, u64) {
        if self.new_size < self.old_size {
            (
                self.new_size,
                self.old_size.min(self.new_size.saturating_add(SAMPLE)),
            )
        } else if self.new_size == self.old_size {
            let kept = match &self.body {
                Body::Whole { extents, .. } => end_of(extents),
                Body::Windows { plan, .. } => plan.end(),
            };
            let from = kept.max(self.start).min(self.old_size);
            (from, self.old_size.min(from + SAMPLE))
        } else {
            let from = self.old_size.saturating_sub(PREFIX).max(self.start);
            (from.min(self.old_size), self.old_size)
        }
    }

    /// Returns whether nothing is written, and only the end of the file is cut off.
    fn only_cuts(&self) -> bool {
        let writes_nothing = match &self.body {
            Body::Whole { extents, .. } => extents.is_empty(),
            Body::Windows { .. } => false,
        };
        writes_nothing && self.new_size < self.old_size
    }
}

fn too_large() -> io::Error {
    io::Error::from_raw_os_error(Errno::EFBIG as i32)
}

/// Makes sure that a file may be written up to this offset.
///
/// # Errors
/// When a limit of the process (`RLIMIT_FSIZE`) is in the way.
pub(in crate::mailbox) fn within_limit(end: u64) -> io::Result<()> {
    match getrlimit(Resource::RLIMIT_FSIZE) {
        Ok((soft, _)) if end > soft => Err(too_large()),
        _ => Ok(()),
    }
}

/// Reserves the blocks that a mailbox needs to grow, without making it longer.
///
/// # Errors
/// When there is no room, no quota, or a limit on the size of files.
pub(in crate::mailbox) fn reserve_growth(
    mailbox: &File,
    old_size: u64,
    new_size: u64,
) -> io::Result<()> {
    if new_size <= old_size {
        return Ok(());
    }
    within_limit(new_size)?;
    let from = i64::try_from(old_size).map_err(|_| too_large())?;
    let len = i64::try_from(new_size - old_size).map_err(|_| too_large())?;
    let flags = FallocateFlags::FALLOC_FL_KEEP_SIZE;
    match until_done(|| Ok(fallocate(mailbox, flags, from, len)?)) {
        Err(error) if is_unsupported(&error) => Ok(()),
        answer => answer,
    }
}

/// Returns where an extent list ends, for those who check it.
pub(in crate::mailbox) fn end_of(extents: &[Extent]) -> u64 {
    extents
        .last()
        .map_or(0, |extent| extent.place.saturating_add(extent.len))
}
