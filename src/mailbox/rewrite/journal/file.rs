//! The file of a journal: how it is made, read, judged and put away.

use std::fs::File;
use std::hash::Hasher;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, fchown};
use std::path::Path;
use std::sync::Arc;

use nix::fcntl::{FallocateFlags, fallocate};
use twox_hash::XxHash3_64;

use super::header::{Body, FIRST_MAGIC, HEADER_AT, Header, MAGIC, PREFIX, SAMPLE};
use super::held_path::HeldPath;
use super::new::{NewBody, NewJournal};
use super::target::JournalTarget;
use super::windows::{BLOCK, Slots, Window};
use crate::exit::plain;
use crate::mailbox::notice::Notice;
use crate::mailbox::read_at::{ReadAt, read_exact, read_full};
use crate::mailbox::rewrite::output::{Extent, Output};
use crate::mailbox::rewrite::patched::PatchedFile;
use crate::mailbox::rewrite::reserve::is_unsupported;
use crate::sys::disk::{directory_of, until_done};

/// Where the word stands.
const WORD_AT: u64 = 16;

/// The word before the length of the mailbox changes.
const RESIZING: &[u8; 8] = b"resizing";

/// The word when everything is done.
const FINISHED: &[u8; 8] = b"finished";

/// The longest header that is read: a plan of more than a million pieces.
const MAX_HEADER: u32 = 64 * 1024 * 1024;

/// How much is copied at once.
const COPIED: usize = 256 * 1024;

/// The largest page that Linux has, and so the largest block of a file system.
pub(in crate::mailbox) const LARGEST_PAGE: u64 = 64 * 1024;

/// What a disk writes in one piece.
pub(in crate::mailbox) const SECTOR: u64 = 512;

/// A journal that has its name: its rewrite is certain.
#[derive(Debug)]
pub(in crate::mailbox) struct Journal {
    spot: HeldPath,
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
        spot: &HeldPath,
        subject: &JournalTarget,
        draft: &NewJournal<'_>,
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
        spot: &HeldPath,
        file: File,
        subject: &JournalTarget,
        draft: &NewJournal<'_>,
        mailbox: &File,
    ) -> io::Result<Journal> {
        if file.metadata()?.uid() != subject.owner {
            // Where we may not give it away it is ours: we or root must complete the rewrite.
            let _ = fchown(&file, Some(subject.owner), None);
        }
        let body = match &draft.body {
            NewBody::Whole { extents, .. } => Body::Whole {
                extents: extents.clone(),
                hash: 0,
            },
            NewBody::Windows { plan, size } => {
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
            NewBody::Whole { extents, content } => journal.write_body(extents, content)?,
            NewBody::Windows { plan, .. } => {
                let mut buffer = journal.buffer();
                let chunk = Output::new(plan, 0).next(mailbox, Journal::window_of(&mut buffer))?;
                if let Some((place, len)) = chunk {
                    journal.slots().write(0, place, len, &mut buffer)?;
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
                Body::Windows { .. } => 2 * self.slots().slot_size(),
            };
        let size = i64::try_from(size).map_err(|_| io::ErrorKind::FileTooLarge)?;
        match until_done(|| Ok(fallocate(&*self.file, FallocateFlags::empty(), 0, size)?)) {
            Err(error) if is_unsupported(&error) => Ok(()),
            answer => answer,
        }
    }

    fn write_body(&mut self, extents: &[Extent], content: &PatchedFile) -> io::Result<()> {
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
    pub(in crate::mailbox) fn read(spot: &HeldPath, file: File) -> io::Result<Option<Journal>> {
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
        Ok(if is_mail {
            situation
        } else {
            Situation::Foreign
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
    ) -> io::Result<PatchedFile> {
        let header = &self.header;
        let mut view = PatchedFile::empty(Arc::clone(mailbox), Some(Arc::clone(&self.file)));
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

    /// Puts away the journal of a complete rewrite: removes it, or else marks it as finished.
    ///
    /// Returns a notice when the mailbox is complete and the journal could not be put away as it
    /// should be.
    ///
    /// # Errors
    /// When the journal can neither be removed nor marked: its rewrite will be applied again.
    pub(in crate::mailbox) fn finish(self) -> io::Result<Option<Notice>> {
        let why = match self.spot.remove() {
            // A journal that a power cut brings back is applied once more, to the same effect.
            // There is no file any more that a message could name.
            Ok(()) => {
                return Ok(self
                    .spot
                    .sync(&self.file)
                    .err()
                    .map(|error| Notice::Unsynced {
                        directory: directory_of(self.path()).to_owned(),
                        why: plain(&error),
                    }));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => error,
        };
        self.file.write_all_at(FINISHED, WORD_AT)?;
        until_done(|| self.file.sync_all())?;
        Ok(Some(Notice::NotRemoved {
            journal: self.path().to_owned(),
            why: plain(&why),
        }))
    }

    pub(in crate::mailbox) fn path(&self) -> &Path {
        self.spot.path()
    }

    pub(in crate::mailbox) fn spot(&self) -> &HeldPath {
        &self.spot
    }

    pub(in crate::mailbox) fn file(&self) -> &Arc<File> {
        &self.file
    }

    pub(in crate::mailbox) fn header(&self) -> &Header {
        &self.header
    }

    /// Returns the slots of the windows.
    fn slots(&self) -> Slots<'_> {
        let size = match &self.header.body {
            Body::Windows { size, .. } => *size,
            Body::Whole { .. } => 0,
        };
        Slots {
            journal: &self.file,
            start: self.body,
            size,
        }
    }

    /// Returns a buffer for a slot: its header and one window.
    pub(in crate::mailbox) fn buffer(&self) -> Vec<u8> {
        self.slots().buffer()
    }

    /// Returns the part of such a buffer that is for the bytes of the window.
    pub(in crate::mailbox) fn window_of(buffer: &mut [u8]) -> &mut [u8] {
        Slots::window_of(buffer)
    }

    /// Writes the window after `last` into the journal and syncs it. The mailbox must have all
    /// windows up to `last` on disk.
    pub(in crate::mailbox) fn add_window(
        &self,
        last: &Window,
        place: u64,
        len: usize,
        buffer: &mut [u8],
    ) -> io::Result<Window> {
        self.slots().add(last, place, len, buffer)
    }

    /// Returns the last window that is whole in the journal.
    ///
    /// # Errors
    /// When the journal cannot be read, or neither slot is whole.
    pub(in crate::mailbox) fn last_window(&self) -> io::Result<Window> {
        let whole = match &self.header.body {
            Body::Windows { plan, .. } => self.slots().last(self.header.start..plan.end())?,
            Body::Whole { .. } => None,
        };
        whole.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the journal is damaged"))
    }

    /// Returns where the body starts.
    pub(in crate::mailbox) fn body_at(&self) -> u64 {
        self.body
    }
}

/// Returns the hash of these bytes of a file, or of as many as there are.
fn hash_of<S: ReadAt + ?Sized>(source: &S, from: u64, to: u64) -> io::Result<u64> {
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
