//! The file of a journal: creating, reading, checking and removing it.

use std::fs::File;
use std::hash::Hasher;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, fchown};
use std::path::Path;
use std::sync::Arc;

use twox_hash::XxHash3_64;

use super::header::{Body, FIRST_MAGIC, HEADER_AT, Header, MAGIC, PREFIX};
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
use crate::sys::platform;
use crate::sys::progress::{self, Unit};

/// The offset of the word in the file.
const WORD_AT: u64 = 16;

/// The word from before the length of the mailbox changes.
const RESIZING: &[u8; 8] = b"resizing";

/// The word when everything is done.
const FINISHED: &[u8; 8] = b"finished";

/// The longest header that is read: a plan of more than a million pieces.
const MAX_HEADER: u32 = 64 * 1024 * 1024;

/// How many bytes are copied or hashed at once.
const COPIED: usize = 256 * 1024;

/// The largest page that Linux has, and so the largest block of a file system.
pub(in crate::mailbox) const LARGEST_PAGE: u64 = 64 * 1024;

/// The size that a disk writes in one piece.
pub(in crate::mailbox) const SECTOR: u64 = 512;

/// A journal that has its name, and so a rewrite that is certain.
#[derive(Debug)]
pub(in crate::mailbox) struct Journal {
    spot: HeldPath,
    file: Arc<File>,
    header: Header,
    /// Where the body starts.
    body: u64,
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
        // The mailbox is locked, so no other process of ours uses the temporary name now.
        let file = spot.create()?;
        let replaces = spot.metadata().is_ok();
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
            // After a power cut the new name may be missing, and the mailbox half rewritten without
            // a journal. So the journal is taken back and nothing is begun. A journal that replaced
            // one whose rewrite has begun must stay: it is all that can complete the mailbox.
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
            // The owner may open the mailbox next, and must be able to complete the rewrite. A user
            // who may not give the file away keeps it, and completes the rewrite himself (or root).
            let _ = fchown(&file, Some(subject.owner), None);
        }
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
            body: draft.stored_body(),
        };
        let (from, to) = header.sample();
        header.sample = hash_of(mailbox, from, to)?;
        let mut journal = Journal {
            spot: spot.clone(),
            file: Arc::new(file),
            body: (HEADER_AT + header.encode().len() as u64).next_multiple_of(BLOCK),
            header,
        };
        // The body comes first and the start of the file last, for the header holds the body's
        // hash.
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
        journal.write_start()?;
        // The whole journal must be on the disk before its name is: the name says that it counts.
        until_done(|| journal.file.sync_all())?;
        Ok(journal)
    }

    /// Writes the part before the body: magic number, word, and header with its length and hash.
    fn write_start(&self) -> io::Result<()> {
        let header = self.header.encode();
        let mut start = Vec::with_capacity(HEADER_AT as usize + header.len());
        start.extend_from_slice(MAGIC);
        // A file that grows is made longer before anything is written, and a plan that only cuts
        // has nothing to write: in both the length changes first, so the word is there from the
        // start.
        let grows = self.header.new_size > self.header.old_size;
        let resizes_first = grows || self.header.only_cuts();
        start.extend_from_slice(if resizes_first { RESIZING } else { &[0; 8] });
        start.extend_from_slice(&(header.len() as u32).to_le_bytes());
        start.extend_from_slice(&[0; 4]);
        start.extend_from_slice(&XxHash3_64::oneshot(&header).to_le_bytes());
        start.extend_from_slice(&header);
        self.file.write_all_at(&start, 0)
    }

    /// Preallocates space for the body, so that a full disk is noticed now.
    fn reserve(&self) -> io::Result<()> {
        let size = self.body
            + match &self.header.body {
                Body::Whole { extents, .. } => extents.iter().map(|extent| extent.len).sum(),
                Body::Windows { .. } => 2 * self.slots().slot_size(),
            };
        let size = i64::try_from(size).map_err(|_| io::ErrorKind::FileTooLarge)?;
        match until_done(|| Ok(platform::reserve(&self.file, 0, size, false)?)) {
            Err(error) if is_unsupported(&error) => Ok(()),
            answer => answer,
        }
    }

    fn write_body(&mut self, extents: &[Extent], content: &PatchedFile) -> io::Result<()> {
        let mut block = vec![0; COPIED];
        let mut at = self.body;
        let mut hasher = XxHash3_64::with_seed(0);
        let total = extents.iter().map(|extent| extent.len).sum();
        let progress = progress::begin("writing the journal", Unit::Bytes, total);
        for extent in extents {
            let mut done = 0;
            while done < extent.len {
                let want = (extent.len - done).min(COPIED as u64) as usize;
                read_exact(content, &mut block[..want], extent.place + done)?;
                hasher.write(&block[..want]);
                self.file.write_all_at(&block[..want], at)?;
                at += want as u64;
                done += want as u64;
                progress.advance(want as u64);
            }
        }
        if let Body::Whole { hash, .. } = &mut self.header.body {
            *hash = hasher.finish();
        }
        Ok(())
    }

    /// Reads a journal; `None` if the file is not a journal, is incomplete, or has been applied.
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
        // A journal is synced before it gets its name, so one that is damaged never counted, or the
        // disk has lost it: in neither case may it be applied.
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

    /// Returns whether the journal proves that its maker could read the mailbox; one of the first
    /// format does not.
    pub(in crate::mailbox) fn has_witness(&self) -> bool {
        self.header.witness.is_some()
    }

    /// Returns whether the length of the mailbox may have changed, or is about to.
    pub(in crate::mailbox) fn is_resizing(&self) -> io::Result<bool> {
        let mut word = [0; 8];
        read_exact(&*self.file, &mut word, WORD_AT)?;
        Ok(word == *RESIZING)
    }

    /// Marks, and syncs, that the length of the mailbox is about to change.
    pub(in crate::mailbox) fn mark_resizing(&self) -> io::Result<()> {
        self.file.write_all_at(RESIZING, WORD_AT)?;
        until_done(|| self.file.sync_all())
    }

    /// Removes the journal of a complete rewrite, or else marks it as finished.
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

/// Returns the hash of these bytes of a file; of fewer where the file ends before.
pub(super) fn hash_of<S: ReadAt + ?Sized>(source: &S, from: u64, to: u64) -> io::Result<u64> {
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
