//! The one append: how a message gets into an mbox, whoever brings it.
//!
//! # Steps, and what the file holds if we die after each
//! 1. Open or create, refuse what is not a mailbox, lock ([`MailboxLock`]). *Unchanged, or empty.*
//! 2. Look for the end, and cut off what an append that was never finished has left there
//!    (`torn`). *Unchanged, as readers see it.*
//! 3. Write behind the end: the line ends that are missing before, the From_ line, the message
//!    (quoted), a blank line. What does not lie within one page of the file is written with a mark
//!    in each From_ line, and fsynced. *The old bytes, and a part of ours that our readers leave
//!    out and the next writer cuts off.*
//! 4. Take the marks away; fsync; for a new file its directory too. **From here on the mail is
//!    safe.**
//!
//! On any failure in 3 or 4 the file is cut back to the remembered end, and the caller still has
//! the message. A size limit (`RLIMIT_FSIZE`) is such a failure because the program ignores
//! SIGXFSZ; the library relies on that.

pub(in crate::mailbox) mod tail;

use std::error::Error;
use std::fmt;
use std::fs::{File, Metadata, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use self::tail::{Tail, cut};
use crate::exit::Kind;
use crate::mailbox::change::{CommitOptions, Journals};
use crate::mailbox::format::quote::{self, CopyError, Form};
use crate::mailbox::format::torn;
use crate::mailbox::format::{Beginning, beginning};
use crate::mailbox::location::recipient_of;
use crate::mailbox::lock::{LockError, LockOptions, MailboxLock};
use crate::mailbox::maildir::{Delivery, DeliveryError, is_maildir};
use crate::mailbox::path::{is_in_sticky_directory, not_openable, what_else};
use crate::mailbox::rewrite::recover;
use crate::sanitize;
use crate::sys::disk::{create_complete, is_young, remove_second_names, sync_name, until_done};
use crate::sys::open::write::{Denied, Target};
use crate::sys::{open, user};

/// How often a mailbox that is replaced under our hands is opened again.
const ATTEMPTS: usize = 5;

/// How a message is appended.
#[derive(Clone, Copy, Debug)]
pub struct AppendOptions<'a> {
    /// How to lock.
    pub lock: LockOptions<'a>,
    /// In what form the message comes.
    pub form: Form,
    /// The mode of a mailbox that is made; the umask does not count.
    pub mode: u32,
    /// To whom a mailbox belongs.
    pub owner: Owner,
    /// Whether the path may be a symbolic link. Where others may write only one of ours or root's may.
    pub follows_links: bool,
}

/// To whom a mailbox belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// To whoever it belongs to; one that is made is ours. Hard links are accepted if it is ours.
    Whoever,
    /// To us; anybody else's is refused.
    Us,
    /// To this user; anybody else's is refused. One that is made is given to user and group.
    User {
        /// The user.
        uid: u32,
        /// The group: that of the spool, `mail`.
        gid: Option<u32>,
    },
}

impl AppendOptions<'_> {
    /// A folder of the user (`save`, `copy`, `record`): made with mode 0600, links are followed.
    pub fn folder() -> Self {
        AppendOptions {
            lock: LockOptions::default(),
            form: Form::default(),
            mode: 0o600,
            owner: Owner::Whoever,
            follows_links: true,
        }
    }

    /// Dead letters: made with mode 0600, ours, and no link (design decision D9).
    pub fn dead_letters() -> Self {
        AppendOptions {
            owner: Owner::Us,
            follows_links: false,
            ..AppendOptions::folder()
        }
    }

    /// A system mailbox as an MDA makes it: mode 0660, the user's, of the group of the spool.
    pub fn system_mailbox(uid: u32, gid: Option<u32>) -> Self {
        AppendOptions {
            mode: 0o660,
            owner: Owner::User { uid, gid },
            follows_links: false,
            ..AppendOptions::folder()
        }
    }
}

/// Why a message could not be appended. The mailbox is as it was before.
#[derive(Debug)]
pub enum AppendError {
    /// It could not be opened.
    Open {
        /// The mailbox.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is none, and it could not be made.
    Create {
        /// The mailbox.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is nothing that we may write to: a link, a device, another user's, no mbox.
    Refused {
        /// The mailbox.
        path: PathBuf,
        /// Why: what it is.
        why: &'static str,
    },
    /// It could not be locked.
    Lock(LockError),
    /// The message could not be read.
    Message(io::Error),
    /// Writing failed.
    Write {
        /// The mailbox.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Writing failed, and so did cutting the mailbox back: a part of the message is in it.
    Torn {
        /// The mailbox.
        path: PathBuf,
        /// Why writing failed.
        source: io::Error,
    },
}

impl AppendError {
    /// Returns what kind of failure this is for the exit status.
    pub fn kind(&self) -> Kind {
        match self {
            AppendError::Open { source, .. } | AppendError::Create { source, .. } => {
                match source.kind() {
                    io::ErrorKind::PermissionDenied => Kind::NoPermission,
                    _ => open::kind_of(source, Kind::CannotCreate),
                }
            }
            AppendError::Refused { .. } => Kind::CannotCreate,
            AppendError::Lock(error) => error.kind(),
            AppendError::Message(_) | AppendError::Write { .. } | AppendError::Torn { .. } => {
                Kind::Io
            }
        }
    }

    /// Returns the next step, if there is one.
    pub fn hint(&self) -> Option<String> {
        match self {
            AppendError::Lock(error) => error.hint(),
            _ => None,
        }
    }

    /// Returns whether the same may succeed later: a lock may go, a disk be cleaned up.
    pub fn is_temporary(&self) -> bool {
        match self {
            AppendError::Lock(error) => error.is_temporary(),
            _ if self.kind() == Kind::TryLater => true,
            AppendError::Open { source, .. }
            | AppendError::Create { source, .. }
            | AppendError::Write { source, .. } => matches!(
                source.kind(),
                io::ErrorKind::StorageFull
                    | io::ErrorKind::QuotaExceeded
                    | io::ErrorKind::ReadOnlyFilesystem
            ),
            AppendError::Refused { .. } | AppendError::Message(_) | AppendError::Torn { .. } => {
                false
            }
        }
    }
}

impl fmt::Display for AppendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AppendError::Open { path, .. } => write!(f, "cannot open {}", sanitize::path(&path)),
            AppendError::Create { path, .. } => {
                write!(f, "cannot create {}", sanitize::path(&path))
            }
            AppendError::Refused { path, why } => {
                write!(f, "cannot append to {}: it is {why}", sanitize::path(&path))
            }
            AppendError::Lock(error) => error.fmt(f),
            AppendError::Message(_) => f.write_str("cannot read the message"),
            AppendError::Write { path, .. } => {
                write!(f, "cannot append to {}", sanitize::path(&path))
            }
            AppendError::Torn { path, .. } => write!(
                f,
                "cannot append to {}, and a part of the message is in it",
                sanitize::path(&path)
            ),
        }
    }
}

impl Error for AppendError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            AppendError::Open { source, .. }
            | AppendError::Create { source, .. }
            | AppendError::Message(source)
            | AppendError::Write { source, .. }
            | AppendError::Torn { source, .. } => Some(source),
            AppendError::Lock(error) => error.source(),
            AppendError::Refused { .. } => None,
        }
    }
}

/// Appends a message to a mailbox: locks it, writes, syncs. When this returns the mail is safe.
///
/// `from_line` is the From_ line, with or without its line end; `message` is header, empty line
/// and body. An mbox is made if there is no mailbox. A Maildir has no From_ lines and no lock; it
/// gets the message under a new name.
///
/// # Errors
/// When the mailbox cannot be opened, locked or written, or is nothing we may write to. It is then
/// as it was before, except for [`AppendError::Torn`].
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

/// A message that is appended together with others.
pub struct Incoming<'a> {
    /// The From_ line, with or without its line end.
    pub from_line: Vec<u8>,
    /// Header, empty line and body.
    pub message: Box<dyn Read + 'a>,
    /// In what form it comes.
    pub form: Form,
}

/// Appends messages to a mailbox, all of them or none: locks it once, writes, syncs once.
///
/// Says whether the mailbox was made. `options.form` does not count: each message has its own.
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
    let error = |error| match error {
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
        Owner::Whoever => None,
        Owner::Us => Some(user::effective_uid()),
        Owner::User { uid, .. } => Some(uid),
    };
    let target = find(path, options)?;
    let recipient = recipient(target.path(), options)?;
    let root = target.open_directory(recipient);
    let root = root.map_err(|denied| not_opened(path, denied))?;
    let mut delivery = Delivery::begin(root, owner).map_err(error)?;
    for incoming in messages {
        let mut incoming = incoming.map_err(AppendError::Message)?;
        delivery
            .add(&mut *incoming.message, incoming.form)
            .map_err(error)?;
    }
    delivery.finish().map_err(error)
}

/// Writes a message into a new file of its own, and syncs it; nobody else knows the file, so no
/// lock is needed.
///
/// # Errors
/// As [`append`]; there is no file then. One of that name that is there stays as it is.
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
        // Nobody else has seen a file that we have just made.
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
pub fn append_locked(
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

/// Appends messages to a mailbox that is locked, and syncs it; none of them where one fails.
fn append_each<'m>(
    lock: &MailboxLock,
    messages: &mut dyn Iterator<Item = io::Result<Incoming<'m>>>,
) -> Result<(), AppendError> {
    let path = lock.path();
    let write_error = |source| AppendError::Write {
        path: path.to_owned(),
        source,
    };
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
        // On disk before anything else: what is cut must not come back behind our message.
        cut(lock.file(), end).map_err(write_error)?;
    }
    let mut tail = Tail::new(lock.file(), end).map_err(write_error)?;
    let written = write_each(&mut tail, messages).and_then(|()| {
        // Whoever made it may have died, or not cared, before its name was on the disk.
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

/// Writes everything that belongs to one message behind the end of a mailbox.
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
        // A stored message has the empty line that ends it; one that lost it gets it back.
        Form::Stored => tail.end_with_blank_line().map_err(CopyError::Write),
        // The empty lines at the end of a text belong to it, and the mailbox's comes after them.
        Form::Message | Form::Filed => {
            tail.end_line().map_err(CopyError::Write)?;
            tail.write_all(b"\n").map_err(CopyError::Write)
        }
    }
}

/// Completes a rewrite that broke off, so that the message comes behind the mailbox as it is meant
/// to be.
///
/// Where that cannot be done the message comes behind what is there, and is moved when it is done.
fn complete(path: &Path, options: &AppendOptions<'_>) {
    let options = CommitOptions {
        lock: options.lock,
        journals: &Journals::default(),
        removes_empty: false,
    };
    let _ = recover(path, &options);
}

/// Opens or makes a mailbox and locks it; says whether it was made.
fn open_locked(
    path: &Path,
    options: &AppendOptions<'_>,
) -> Result<(MailboxLock, bool), AppendError> {
    let mut found = Some(find(path, options)?);
    let mut is_new = false;
    for attempt in 1.. {
        let target = match found.take() {
            Some(target) => {
                complete(target.path(), options);
                target
            }
            None => find(path, options)?,
        };
        let (file, made) = open_or_make(&target, options)?;
        is_new |= made;
        let path = target.path().to_owned();
        // It holds a descriptor, and there may be no more than the lock needs.
        drop(target);
        match MailboxLock::acquire(&path, file, &options.lock) {
            Ok(lock) => return Ok((lock, is_new)),
            Err(LockError::Replaced { .. }) if attempt < ATTEMPTS => {}
            Err(error) => return Err(AppendError::Lock(error)),
        }
    }
    unreachable!("the last attempt returns")
}

/// Opens a mailbox for reading and writing, or makes it; says whether it was made.
fn open_or_make(target: &Target, options: &AppendOptions<'_>) -> Result<(File, bool), AppendError> {
    let path = target.path();
    for _ in 0..ATTEMPTS {
        match open(target, options) {
            Err(AppendError::Open { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                if target.is_linked() {
                    break;
                }
            }
            opened => return opened.map(|file| (file, false)),
        }
        match make(path, options) {
            Ok(file) => return Ok((file, true)),
            // Somebody else has just made it.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(source) => {
                return Err(AppendError::Create {
                    path: path.to_owned(),
                    source,
                });
            }
        }
    }
    Err(AppendError::Refused {
        path: path.to_owned(),
        why: "a symbolic link that leads nowhere",
    })
}

/// Walks to a mailbox, past what others may have planted.
fn find(path: &Path, options: &AppendOptions<'_>) -> Result<Target, AppendError> {
    Target::find(path, options.follows_links).map_err(|denied| match denied {
        // Its directory is missing.
        Denied::System(source) if source.kind() == io::ErrorKind::NotFound => AppendError::Create {
            path: path.to_owned(),
            source,
        },
        denied => not_opened(path, denied),
    })
}

/// Returns the user whose system mailbox it is, if it is one.
fn recipient(path: &Path, options: &AppendOptions<'_>) -> Result<Option<u32>, AppendError> {
    match options.owner {
        Owner::User { uid, .. } => Ok(Some(uid)),
        Owner::Us => Ok(None),
        Owner::Whoever => recipient_of(path).map_err(|source| AppendError::Open {
            path: path.to_owned(),
            source,
        }),
    }
}

/// Says why a mailbox is not opened.
fn not_opened(path: &Path, denied: Denied) -> AppendError {
    let refused = |why| AppendError::Refused {
        path: path.to_owned(),
        why,
    };
    match denied {
        Denied::Rule { path, why } => AppendError::Refused { path, why },
        Denied::System(source) => match source.raw_os_error().map(Errno::from_raw) {
            // It became one after it was looked at.
            Some(Errno::ELOOP) => refused("a symbolic link"),
            Some(Errno::EISDIR) => refused("a directory"),
            Some(Errno::ENXIO) => refused(not_openable(path)),
            _ => AppendError::Open {
                path: path.to_owned(),
                source,
            },
        },
    }
}

/// Opens a mailbox that exists, and refuses what may not be written to.
fn open(target: &Target, options: &AppendOptions<'_>) -> Result<File, AppendError> {
    let path = target.path();
    let refused = |why| AppendError::Refused {
        path: path.to_owned(),
        why,
    };
    let open_error = |source| AppendError::Open {
        path: path.to_owned(),
        source,
    };
    // The rule refuses second names, and this one is ours.
    if let Ok(named) = std::fs::symlink_metadata(path)
        && named.nlink() > 1
    {
        let _ = remove_second_names(path, &named);
    }
    let file = target
        .open(true, recipient(path, options)?)
        .map_err(|denied| not_opened(path, denied))?;
    let mut metadata = file.metadata().map_err(open_error)?;
    if let Some(what) = what_else(&metadata) {
        return Err(refused(what));
    }
    if is_leftover(&metadata, options) {
        give_away(&file, options).map_err(open_error)?;
        metadata = file.metadata().map_err(open_error)?;
    }
    let owner = match options.owner {
        Owner::Whoever => None,
        Owner::Us => Some(user::effective_uid()),
        Owner::User { uid, .. } => Some(uid),
    };
    if owner.is_some_and(|owner| owner != metadata.uid()) {
        return Err(refused("another user's file"));
    }
    let is_system = matches!(options.owner, Owner::User { .. });
    if is_system && metadata.mode() & 0o002 != 0 && is_in_sticky_directory(path) {
        return Err(refused("a file in a spool that everybody may write to"));
    }
    // Who may make a link to a file that he may not write could have us write to it.
    let is_foreign = metadata.uid() != owner.unwrap_or_else(user::effective_uid);
    if metadata.nlink() > 1 && (is_foreign || is_in_sticky_directory(path)) {
        return Err(refused(
            "a file with a second name that another user may have made",
        ));
    }
    Ok(file)
}

/// Makes a mailbox; it has the mode and owner that it shall have before it has its name.
fn make(path: &Path, options: &AppendOptions<'_>) -> io::Result<File> {
    create_complete(path, &mut |file| give_away(file, options))
}

/// Returns whether a file is what is left of a delivery that was killed after it had made the
/// mailbox and before it had given it away: root's, empty, with no other name.
fn is_leftover(metadata: &Metadata, options: &AppendOptions<'_>) -> bool {
    let is_roots = metadata.uid() == 0 && user::effective_uid() == 0;
    let is_anothers = matches!(options.owner, Owner::User { uid, .. } if uid != 0);
    is_roots && is_anothers && metadata.len() == 0 && metadata.nlink() == 1
}

/// Gives an empty mailbox of ours the mode and owner that it shall have, on the disk as well.
///
/// A name, or bytes, that the disk has before it has the owner would be root's for the next
/// delivery, which refuses it.
fn give_away(file: &File, options: &AppendOptions<'_>) -> io::Result<()> {
    let mut mode = options.mode;
    if let Owner::User { uid, gid } = options.owner
        && let Err(error) = fchown(file, Some(uid), gid)
    {
        // EINVAL: the group is not mapped in this user namespace, as in a container without root.
        let lacks_right = error.kind() == io::ErrorKind::PermissionDenied
            || error.raw_os_error() == Some(Errno::EINVAL as i32);
        if !lacks_right || uid != user::effective_uid() {
            return Err(error);
        }
        // Our own mailbox, but not the spool's group: then it is nobody else's.
        if gid.is_some_and(|gid| file.metadata().map(|made| made.gid()).ok() != Some(gid)) {
            mode &= 0o700;
        }
    }
    file.set_permissions(Permissions::from_mode(mode))?;
    match options.owner {
        Owner::User { .. } => until_done(|| file.sync_all()),
        Owner::Whoever | Owner::Us => Ok(()),
    }
}

#[cfg(test)]
mod tests;
