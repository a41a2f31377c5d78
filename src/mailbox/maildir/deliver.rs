//! Delivery into a Maildir: the steps of qmail's maildir(5), for one message or for several.

use std::fs::{File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::sync::atomic::{AtomicU64, Ordering};

use super::folder::Folder;
use super::name::{ParsedName, new_unique};
use crate::mailbox::flags::{Flags, field_body};
use crate::mailbox::format::quote::Form;
use crate::mailbox::format::unquote::Unquoted;
use crate::mailbox::read_at::fill;
use crate::message::parse::fields;
use crate::sys::{clock, host, user};

/// How much of a message is held at once; flags are looked for in as much of its header.
const BLOCK: usize = 64 * 1024;

/// How many names are tried before the delivery fails; unique names do not collide by chance.
const ATTEMPTS: usize = 10;

/// How many messages this process has delivered.
static DELIVERIES: AtomicU64 = AtomicU64::new(0);

/// Why a message could not be delivered; the Maildir is as it was.
#[derive(Debug)]
pub(in crate::mailbox) enum DeliveryError {
    /// Its directories could not be opened.
    Open(io::Error),
    /// This process may not deliver to it.
    Refused(&'static str),
    /// The message could not be read.
    Message(io::Error),
    /// Writing failed.
    Write(io::Error),
}

/// Messages on their way into a Maildir: readers see none until all are complete.
#[derive(Debug)]
pub(in crate::mailbox) struct Delivery {
    tmp: Folder,
    new: Folder,
    cur: Folder,
    owner: Option<(u32, u32)>,
    written: Vec<Written>,
}

/// A complete message in `tmp/`.
#[derive(Debug)]
struct Written {
    name: Vec<u8>,
    /// Its flags, if it is filed with some.
    flags: Flags,
    /// Its name in `new/` or `cur/`, once it was renamed to there.
    target: Option<Vec<u8>>,
}

impl Delivery {
    /// Begins a delivery to a Maildir that is open; its `tmp/` is made if it is missing. The Maildir
    /// must belong to `uid`, if that is given.
    pub(in crate::mailbox) fn begin(
        root: File,
        uid: Option<u32>,
    ) -> Result<Delivery, DeliveryError> {
        let open = DeliveryError::Open;
        let root = Folder::from(root);
        let metadata = root.metadata().map_err(open)?;
        // On the open directory and not on its path, which its owner may replace at any time.
        if uid.is_some_and(|uid| uid != metadata.uid()) {
            return Err(DeliveryError::Refused("another user's directory"));
        }
        let tmp = match root.open_in("tmp") {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                root.make("tmp").map_err(open)?;
                root.open_in("tmp").map_err(open)?
            }
            opened => opened.map_err(open)?,
        };
        // Made just now, or by a process of this program that was killed before this step. The
        // owner's other deliverers could not write to a `tmp/` of root.
        let is_roots = tmp.metadata().map_err(open)?.uid() == 0 && user::effective_uid() == 0;
        if is_roots && uid.is_some_and(|uid| uid != 0) {
            tmp.give_to(metadata.uid(), metadata.gid()).map_err(open)?;
        }
        Ok(Delivery {
            tmp,
            new: root.open_in("new").map_err(open)?,
            cur: root.open_in("cur").map_err(open)?,
            owner: uid.map(|uid| (uid, metadata.gid())),
            written: Vec::new(),
        })
    }

    /// Writes a message to `tmp/` and waits until the disk has it.
    ///
    /// The bytes stay as they are, except those that belong to the mailbox where the message lay:
    /// the quoting of an mbox, the blank line at its end, and `Status` and `X-Status`, which the
    /// name says here.
    pub(in crate::mailbox) fn add(
        &mut self,
        message: &mut dyn Read,
        form: Form,
    ) -> Result<(), DeliveryError> {
        let (name, mut file) = self.create().map_err(DeliveryError::Write)?;
        self.written.push(Written {
            name,
            flags: Flags::NONE,
            target: None,
        });
        // In the list before the first byte is written: if copying fails, dropping the delivery
        // removes the file from `tmp/`.
        let flags = match form {
            Form::Stored => copy(&mut Unquoted::new(message), form, &mut file)?,
            Form::Message | Form::Filed => copy(message, form, &mut file)?,
        };
        if let Some(written) = self.written.last_mut() {
            written.flags = flags;
        }
        // The owner before the sync, so that a power cut never leaves a synced file of root. The sync
        // before the rename: readers must never see a name whose content the disk may not have.
        self.give_away(&file).map_err(DeliveryError::Write)?;
        file.sync_all().map_err(DeliveryError::Write)
    }

    /// Renames the messages to where readers see them: all of them, or none. After success the mail
    /// is safe.
    pub(in crate::mailbox) fn finish(mut self) -> Result<(), DeliveryError> {
        // After a failure `drop` removes the messages that were renamed: the caller reports that
        // nothing was delivered, and a second attempt makes no duplicates.
        for written in &mut self.written {
            let name = ParsedName::parse(&written.name);
            let (folder, target) = match written.flags {
                Flags::NONE => (&self.new, written.name.clone()),
                flags => (
                    &self.cur,
                    ParsedName::parse(&name.with(flags, Flags::NONE)).in_cur(),
                ),
            };
            self.tmp
                .rename(&written.name, folder, &target)
                .map_err(DeliveryError::Write)?;
            written.target = Some(target);
        }
        // Only directories that got a name are synced, each once for all messages.
        let is_filed = |written: &Written| written.flags != Flags::NONE;
        if self.written.iter().any(is_filed) {
            self.cur.sync().map_err(DeliveryError::Write)?;
        }
        if !self.written.iter().all(is_filed) {
            self.new.sync().map_err(DeliveryError::Write)?;
        }
        // From here on the mail is delivered, and `drop` must not remove it.
        self.written.clear();
        Ok(())
    }

    /// Makes a file in `tmp/` under a unique name.
    fn create(&self) -> io::Result<(Vec<u8>, File)> {
        let mut attempt = 1;
        loop {
            let delivery = DELIVERIES.fetch_add(1, Ordering::Relaxed);
            let time = clock::since_epoch();
            let name = new_unique(time, std::process::id(), delivery, &host::node_name());
            match self.tmp.create(&name) {
                Ok(file) => return Ok((name, file)),
                // A process of another pid namespace with the same host name can have the same pid.
                // The next number of this process makes another name.
                Err(error)
                    if error.kind() == io::ErrorKind::AlreadyExists && attempt < ATTEMPTS =>
                {
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Gives a file to the user whose Maildir it is.
    fn give_away(&self, file: &File) -> io::Result<()> {
        let Some((uid, gid)) = self.owner else {
            return Ok(());
        };
        if file.metadata()?.uid() == uid {
            return Ok(());
        }
        // Only root can do this, and root may set the mode of a file that is another user's by now.
        fchown(file, Some(uid), Some(gid))?;
        file.set_permissions(Permissions::from_mode(0o600))
    }
}

impl Drop for Delivery {
    /// Removes the messages of a delivery that was not finished.
    fn drop(&mut self) {
        for written in &self.written {
            let _ = match &written.target {
                None => self.tmp.remove(&written.name),
                Some(target) if written.flags == Flags::NONE => self.new.remove(target),
                Some(target) => self.cur.remove(target),
            };
        }
    }
}

/// Copies a message and returns the flags that its header has, if it comes from a mailbox.
fn copy(message: &mut dyn Read, form: Form, out: &mut File) -> Result<Flags, DeliveryError> {
    let mut block = vec![0; BLOCK];
    let mut filled = fill(message, &mut block).map_err(DeliveryError::Message)?;
    let mut flags = Flags::NONE;
    // A message that arrives may carry a sender's `Status` field, which says nothing about this
    // mailbox and stays. Only a message that lay in a mailbox has flags there.
    if form != Form::Message {
        filled = without_status(&mut block, filled, &mut flags);
    }
    // The last bytes of a block may be the blank line at the end of a stored message. They stay in
    // the block until more is read, and only the end of the message decides.
    let held = match form {
        Form::Stored => 2,
        Form::Message | Form::Filed => 0,
    };
    loop {
        let ready = filled.saturating_sub(held + 1);
        out.write_all(&block[..ready])
            .map_err(DeliveryError::Write)?;
        block.copy_within(ready..filled, 0);
        filled -= ready;
        let count = fill(message, &mut block[filled..]).map_err(DeliveryError::Message)?;
        if count == 0 {
            break;
        }
        filled += count;
    }
    let rest = match &block[..filled] {
        rest if form != Form::Stored => rest,
        [rest @ .., b'\n', b'\r', b'\n'] => &block[..rest.len() + 1],
        [rest @ .., b'\n', b'\n'] => &block[..rest.len() + 1],
        rest => rest,
    };
    out.write_all(rest).map_err(DeliveryError::Write)?;
    Ok(flags)
}

/// Takes `Status` and `X-Status` out of a header, and returns how many bytes are left.
fn without_status(block: &mut Vec<u8>, filled: usize, flags: &mut Flags) -> usize {
    let mut kept = Vec::with_capacity(block.len());
    let header = fields::header_len(&block[..filled]);
    let mut leaves_out = false;
    for line in block[..header].split_inclusive(|byte| *byte == b'\n') {
        // A folded line belongs to the field before it and shares its fate (RFC 5322, 2.2.3).
        if !matches!(line[0], b' ' | b'\t') {
            // A field that the block cuts stays: its end is not known here.
            leaves_out = line.ends_with(b"\n")
                && (field_body(line, b"status:").is_some()
                    || field_body(line, b"x-status:").is_some());
            flags.read_field(line);
        }
        if !leaves_out {
            kept.extend_from_slice(line);
        }
    }
    kept.extend_from_slice(&block[header..filled]);
    let count = kept.len();
    // The caller fills the block up to its length again.
    kept.resize(block.len(), 0);
    *block = kept;
    count
}
