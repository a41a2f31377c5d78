//! Appending: the one way in which a message gets into an mbox, be it delivered, saved or kept.
//!
//! # Steps, and what the file holds if we die after each
//! 1. Open or create the mailbox, refuse any other file, lock ([`MailboxLock`]; `target`).
//!    *Unchanged, or empty.*
//! 2. Find the end of the messages, and cut off what an unfinished append has left behind it
//!    (`format/torn`). *Unchanged, as readers see it.*
//! 3. Write behind the end: the line ends that are missing before, the From_ line, the message
//!    (quoted), a blank line. What does not lie within one page of the file is written with a mark
//!    in each From_ line, and fsynced. *The old bytes, and a part of ours that our readers leave
//!    out and the next writer cuts off.*
//! 4. Take the marks away; fsync; for a new file its directory too. **From here on the mail is
//!    safe.**
//!
//! `tail` does steps 3 and 4.
//!
//! On any failure in 3 or 4 the file is cut back to the remembered end, and the caller still has
//! the message. A size limit (`RLIMIT_FSIZE`) is such a failure because the program ignores
//! SIGXFSZ; the library relies on that.

mod error;
mod options;
pub(in crate::mailbox) mod tail;
mod target;
#[cfg(test)]
mod tests;

use std::io::{self, Read, Write};
use std::path::Path;

pub use self::error::AppendError;
pub use self::options::AppendOptions;
pub(crate) use self::options::Owner;
use self::tail::{Tail, cut};
use self::target::{denied_error, find, open_existing, open_locked, recipient};
use crate::mailbox::format::quote::{self, CopyError, Form};
use crate::mailbox::format::torn;
use crate::mailbox::format::{Beginning, beginning};
use crate::mailbox::lock::MailboxLock;
use crate::mailbox::maildir::{Delivery, DeliveryError, is_maildir};
use crate::sys::disk::{is_young, sync_name};
use crate::sys::user;

/// Appends a message to a mailbox: locks it, writes, syncs. When this returns the mail is safe.
///
/// `from_line` is the From_ line, with or without its line end; `message` is header, empty line
/// and body. An mbox is created if there is no mailbox. A Maildir has no From_ lines and no lock; it
/// gets the message under a new name.
///
/// # Errors
/// When the mailbox cannot be opened, locked or written, or is a file that we may not write to. It
/// is then as it was before, except for [`AppendError::Torn`].
pub fn append(
    path: &Path,
    from_line: &[u8],
    message: &mut dyn Read,
    options: &AppendOptions<'_>,
) -> Result<(), AppendError> {
    if is_maildir(path) {
        let only = Incoming {
            from_line: from_line.to_vec(),
            message: Box::new(message),
            form: options.form,
        };
        return deliver(path, &mut std::iter::once(Ok(only)), options);
    }
    let (lock, _) = open_locked(path, options)?;
    append_locked(&lock, from_line, message, options.form)
}

/// Finds out whether a message could be appended, as far as that can be known; writes nothing.
///
/// # Errors
/// As [`append`], but for what fails only when it is done: locks, and a disk that is full.
pub fn could_append(path: &Path, options: &AppendOptions<'_>) -> Result<(), AppendError> {
    let target = find(path, options)?;
    if is_maildir(path) {
        let recipient = recipient(target.path(), options)?;
        let root = target.open_directory(recipient);
        return root.map(drop).map_err(|denied| denied_error(path, denied));
    }
    let file = match open_existing(&target, options) {
        Err(AppendError::Open { source, .. })
            if source.kind() == io::ErrorKind::NotFound && !target.is_linked() =>
        {
            return target
                .could_be_made()
                .map_err(|source| AppendError::Create {
                    path: path.to_owned(),
                    source,
                });
        }
        opened => opened?,
    };
    let begins = || beginning(&file, file.metadata()?.len());
    match begins() {
        Ok(Beginning::Blank | Beginning::Mbox) => Ok(()),
        Ok(_) => Err(AppendError::Refused {
            path: path.to_owned(),
            why: "not an mbox",
        }),
        Err(source) => Err(AppendError::Open {
            path: path.to_owned(),
            source,
        }),
    }
}

/// A message that is appended together with others.
pub struct Incoming<'a> {
    /// The From_ line, with or without its line end.
    pub from_line: Vec<u8>,
    /// Header, empty line and body.
    pub message: Box<dyn Read + 'a>,
    /// In which form the message comes.
    pub form: Form,
}

/// Appends messages to a mailbox, all of them or none: locks it once, writes, syncs once.
///
/// Returns whether the mailbox was created. `options.form` does not count: each message has its own.
///
/// # Errors
/// As [`append`]; a message that cannot be read is one of its failures.
pub fn append_all<'m>(
    path: &Path,
    messages: &mut dyn Iterator<Item = io::Result<Incoming<'m>>>,
    options: &AppendOptions<'_>,
) -> Result<bool, AppendError> {
    if is_maildir(path) {
        return deliver(path, messages, options).map(|()| false);
    }
    let (lock, is_new) = open_locked(path, options)?;
    append_each(&lock, messages)?;
    Ok(is_new)
}

/// Delivers messages into a Maildir, all of them or none.
fn deliver(
    path: &Path,
    messages: &mut dyn Iterator<Item = io::Result<Incoming<'_>>>,
    options: &AppendOptions<'_>,
) -> Result<(), AppendError> {
    let path_of_error = path.to_owned();
    let append_error = |error| match error {
        DeliveryError::Open(source) => AppendError::Open {
            path: path_of_error.clone(),
            source,
        },
        DeliveryError::Refused(why) => AppendError::Refused {
            path: path_of_error.clone(),
            why,
        },
        DeliveryError::Message(source) => AppendError::Message(source),
        DeliveryError::Write(source) => AppendError::Write {
            path: path_of_error.clone(),
            source,
        },
    };
    let owner = match options.owner {
        Owner::Any => None,
        Owner::Us => Some(user::effective_uid()),
        Owner::User { uid, .. } => Some(uid),
    };
    let target = find(path, options)?;
    let recipient = recipient(target.path(), options)?;
    let root = target.open_directory(recipient);
    let root = root.map_err(|denied| denied_error(path, denied))?;
    let mut delivery = Delivery::begin(root, owner).map_err(append_error)?;
    for incoming in messages {
        let mut incoming = incoming.map_err(AppendError::Message)?;
        delivery
            .add(&mut *incoming.message, incoming.form)
            .map_err(append_error)?;
    }
    delivery.finish().map_err(append_error)
}

/// Writes a message into a new file of its own, and syncs it. No other program knows the file yet,
/// so no lock is needed.
///
/// # Errors
/// As [`append`]; the new file is removed then. A file that has the name already stays as it is.
pub fn append_alone(
    path: &Path,
    from_line: &[u8],
    message: &mut dyn Read,
    options: &AppendOptions<'_>,
) -> Result<(), AppendError> {
    let target = find(path, options)?;
    let file = target.make().map_err(|source| AppendError::Create {
        path: path.to_owned(),
        source,
    })?;
    let only = Incoming {
        from_line: from_line.to_vec(),
        message: Box::new(message),
        form: options.form,
    };
    let mut only = std::iter::once(Ok(only));
    let written = Tail::new(&file, 0)
        .map_err(CopyError::Write)
        .and_then(|mut tail| write_each(&mut tail, &mut only))
        .and_then(|()| sync_name(path, &file).map_err(CopyError::Write));
    written.map_err(|error| {
        // The file was created here, and no other program writes to it.
        let _ = target.remove();
        match error {
            CopyError::Read(source) => AppendError::Message(source),
            CopyError::Write(source) => AppendError::Write {
                path: path.to_owned(),
                source,
            },
        }
    })
}

/// Appends a message to a mailbox that is locked, and syncs it.
///
/// # Errors
/// As [`append`].
pub(crate) fn append_locked(
    lock: &MailboxLock,
    from_line: &[u8],
    message: &mut dyn Read,
    form: Form,
) -> Result<(), AppendError> {
    let only = Incoming {
        from_line: from_line.to_vec(),
        message: Box::new(message),
        form,
    };
    append_each(lock, &mut std::iter::once(Ok(only)))
}

/// Appends messages to a mailbox that is locked, and syncs it: all of them or none.
fn append_each<'m>(
    lock: &MailboxLock,
    messages: &mut dyn Iterator<Item = io::Result<Incoming<'m>>>,
) -> Result<(), AppendError> {
    let path = lock.path();
    let write_error = |source| AppendError::Write {
        path: path.to_owned(),
        source,
    };
    // All of this is asked under the lock: before it, a deliverer may still have been writing.
    let before = lock.file().metadata().map_err(write_error)?;
    let size = before.len();
    if !matches!(
        beginning(lock.file(), size).map_err(write_error)?,
        Beginning::Blank | Beginning::Mbox
    ) {
        return Err(AppendError::Refused {
            path: path.to_owned(),
            why: "not an mbox",
        });
    }
    let end = torn::end_of_messages(lock.file(), size).map_err(write_error)?;
    if end < size {
        // The cut is synced before anything is written: after a power cut the old bytes could else
        // stand behind our message again.
        cut(lock.file(), end).map_err(write_error)?;
    }
    let mut tail = Tail::new(lock.file(), end).map_err(write_error)?;
    let written = write_each(&mut tail, messages).and_then(|()| {
        // The program that created a young file may have died before the disk had its name; without
        // the name the mail would be lost with the next power cut.
        if end == 0 || is_young(&before) {
            sync_name(path, lock.file()).map_err(CopyError::Write)
        } else {
            Ok(())
        }
    });
    match written {
        Ok(()) => Ok(()),
        Err(error) => {
            let is_whole = tail.undo().is_ok();
            Err(match error {
                CopyError::Read(source) if is_whole => AppendError::Message(source),
                CopyError::Write(source) if is_whole => write_error(source),
                CopyError::Read(source) | CopyError::Write(source) => AppendError::Torn {
                    path: path.to_owned(),
                    source,
                },
            })
        }
    }
}

/// Writes the messages, and returns when the disk has all of them.
fn write_each<'m>(
    tail: &mut Tail<'_>,
    messages: &mut dyn Iterator<Item = io::Result<Incoming<'m>>>,
) -> Result<(), CopyError> {
    for incoming in messages {
        let Incoming {
            from_line,
            mut message,
            form,
        } = incoming.map_err(CopyError::Read)?;
        write_message(tail, &from_line, &mut *message, form)?;
    }
    tail.sync().map_err(CopyError::Write)
}

/// Appends one message with its From_ line and blank line.
fn write_message(
    tail: &mut Tail<'_>,
    from_line: &[u8],
    message: &mut dyn Read,
    form: Form,
) -> Result<(), CopyError> {
    tail.end_with_blank_line().map_err(CopyError::Write)?;
    tail.start_message();
    tail.write_all(from_line).map_err(CopyError::Write)?;
    tail.end_line().map_err(CopyError::Write)?;
    quote::copy(message, form, tail)?;
    match form {
        // A message from an mbox brings the empty line that ends it; a last message may lack it.
        Form::Stored => tail.end_with_blank_line().map_err(CopyError::Write),
        // Empty lines at the end of a text are part of the text; the mailbox adds its own.
        Form::Message | Form::Filed => {
            tail.end_line().map_err(CopyError::Write)?;
            tail.write_all(b"\n").map_err(CopyError::Write)
        }
    }
}
