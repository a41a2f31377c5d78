//! The drop directory: where users leave mail that only root can send.
//!
//! A user who may not read the relay's password, or not write to a mailbox, leaves the message in
//! `/var/spool/postrider/drop/`. Root's next flush takes it into root's outbox and delivers it. The
//! directory belongs to root and has mode 1733: everybody may make a file in it, and nobody but root
//! may see, read or rename the files of others. Nothing is setuid or setgid.
//!
//! # Files
//! | mode | meaning |
//! |---|---|
//! | 0600 | being written, under the lock of its writer; nothing was promised. Without a lock it is taken if it is complete, and put away after 36 hours if it is not |
//! | 0700 | complete: the sender was told so |
//!
//! A sender cannot sync a directory that it may not read. So the file has its final name from the
//! start and is marked complete before its one fsync, which keeps name and mode on ext4, XFS and
//! Btrfs (as Postfix's `postdrop` does it).
//!
//! # What is believed
//! Everything in a file may be a lie of its owner, and the owner may change it while root reads. Only
//! what the system says of the open file counts: its kind, its one name, its mode, its owner. The
//! owner is the sender. An object that is anything else is moved away, to `rejected/` beside the
//! directory, so that no flush meets it twice.

use std::fs::{File, Metadata, Permissions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime};

use nix::errno::Errno;
use nix::fcntl::renameat;
use nix::sys::stat::{Mode, UtimensatFlags, fchmod, mkdirat, utimensat};
use nix::sys::time::TimeSpec;
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::entry::{self, EntryEnvelope, Head, Id, MessageReader};
use super::store::{Outbox, lock, names_of};
use crate::address::{EnvelopeAddress, MAX_RECIPIENTS, NamedAddress, parse_list};
use crate::exit;
use crate::message::premade::{PremadeHeader, Reading};
use crate::message::{self, HeaderName, HeaderValue, MessageSource};
use crate::sanitize;
use crate::sys::disk::{sync_names_in, until_done};
use crate::sys::open::names::{self, Access};
use crate::sys::{clock, random, user};

/// The directory of root's outbox, of the drop directory and of the time stamp.
const BASE: [&str; 3] = ["var", "spool", "postrider"];

/// The drop directory in it.
const DROP: &str = "drop";

/// Where root puts away what cannot be taken.
const REJECTED: &str = "rejected";

/// The file whose time says when the directory was emptied last.
const STAMP: &str = "flushed";

/// After how long without a flush a sender is told that nothing empties the directory.
const STALE: Duration = Duration::from_secs(15 * 60);

/// After how long a file that was never completed is put away.
const TORN: Duration = Duration::from_secs(36 * 60 * 60);

/// How many objects one flush looks at; the rest waits for the next one.
const MAX_OBJECTS: usize = 10_000;

/// How many refusals one flush names; the others are counted.
const MAX_NOTICES: usize = 20;

/// The drop directory as a sender sees it.
#[derive(Debug)]
pub(crate) struct DropDirectory {
    directory: File,
    base: File,
}

impl DropDirectory {
    /// Opens the directory to leave mail in it; `None` for root, who needs none, and where root has
    /// made none.
    ///
    /// # Errors
    /// When somebody but root could have made or could replace it, or it cannot be looked at.
    pub(crate) fn open() -> io::Result<Option<DropDirectory>> {
        if user::effective_uid() == 0 {
            return Ok(None);
        }
        let base = match open_base() {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            base => base?,
        };
        // For searching: a sender may not read it.
        let directory = match names::searchable_in(&base, DROP) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let found = directory.metadata()?;
        let others = found.mode() & 0o022;
        // With the sticky bit only its owner and root can rename or remove a file.
        if found.uid() != 0 || (others != 0 && found.mode() & 0o1000 == 0) {
            return Err(not_roots("/var/spool/postrider/drop"));
        }
        Ok(Some(DropDirectory { directory, base }))
    }

    /// Leaves a message; from Ok on it is complete and synced. `header` ends with the empty line.
    ///
    /// # Errors
    /// When the file cannot be made, written or synced; nothing is left then.
    pub(crate) fn leave(
        &self,
        envelope: &EntryEnvelope,
        header: &[u8],
        body: &mut dyn Read,
    ) -> io::Result<Id> {
        let id = Id::new();
        let file = names::make_in(&self.directory, id.as_str())?;
        let complete = Mode::S_IRUSR | Mode::S_IWUSR | Mode::S_IXUSR;
        let written = lock(&file)
            .and_then(|_| entry::write(&|_| Ok(&file), envelope, header, body))
            // The mark before the sync: see the comment of the module.
            .and_then(|_| Ok(fchmod(&file, complete)?))
            .and_then(|()| until_done(|| file.sync_all()));
        match written {
            // The mail is safe from here on, as far as its sender can make it so.
            Ok(()) => Ok(id),
            Err(error) => {
                let _ = unlinkat(&self.directory, id.as_str(), UnlinkatFlags::NoRemoveDir);
                Err(error)
            }
        }
    }

    /// Returns whether root's flush has emptied the directory within the last quarter of an hour: if
    /// it has not, what is left here may lie for ever.
    pub(crate) fn is_emptied(&self) -> bool {
        let Ok(stamp) = names::look_in(&self.base, STAMP) else {
            return false;
        };
        let is_fresh = |time: SystemTime| match clock::now().duration_since(time) {
            Ok(age) => age <= STALE,
            // A clock that was put back: it is fresh if it is not far ahead.
            Err(ahead) => ahead.duration() <= STALE,
        };
        stamp.uid() == 0 && stamp.is_file() && stamp.modified().is_ok_and(is_fresh)
    }
}

/// What a flush of root has found in the drop directory.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    /// The entries that are in root's outbox now, in the order of their names.
    pub ids: Vec<Id>,
    /// What was put away, a line each.
    pub rejected: Vec<String>,
    /// What is left there because of a limit or a failure, a line each: the next flush meets it again.
    pub left: Vec<String>,
}

/// The drop directory as root sees it, locked, and the names in it.
#[derive(Debug)]
pub(crate) struct Found {
    base: File,
    directory: File,
    objects: Vec<String>,
}

/// Looks into the drop directory for root; makes it if it is not there. `None` if nothing is in it, or
/// another flush collects. Where nothing is in it, the time stamp is set by which senders know that
/// somebody looks.
///
/// # Errors
/// When the directory cannot be made or read, or is not root's alone.
pub(crate) fn look() -> io::Result<Option<Found>> {
    let base = open_base()?;
    let directory = open_drop(&base)?;
    // Two flushes of root at once: one of them collects. Users cannot open the directory to lock it.
    if !lock(&directory)? {
        return Ok(None);
    }
    let mut objects = Vec::new();
    for name in names_of(&directory)? {
        if objects.len() == MAX_OBJECTS {
            break;
        }
        objects.push(name?.0);
    }
    if objects.is_empty() {
        stamp(&base)?;
        return Ok(None);
    }
    Ok(Some(Found {
        base,
        directory,
        objects,
    }))
}

/// What root knows of itself and of its limits when it collects.
pub(crate) struct Collector<'a> {
    /// Root's outbox.
    pub outbox: &'a Outbox,
    /// Returns the names of this host, in lower case and ASCII.
    pub own_names: &'a dyn Fn() -> Vec<String>,
    /// Returns why no more may be taken of a user, given how many bytes are to come; it is asked before each message.
    pub refuses: &'a dyn Fn(u32, u64) -> Option<String>,
}

/// Why an object of the drop directory is not taken.
enum Untaken {
    /// It is being written, or locked: it stays without a word.
    Busy,
    /// A limit, or a failure of the system: it stays, and this says why.
    Left(String),
    /// It is no message of its owner: it is put away, and this says why.
    Rejected(String),
}

impl From<io::Error> for Untaken {
    fn from(error: io::Error) -> Untaken {
        Untaken::Left(exit::plain(&error))
    }
}

impl Collector<'_> {
    /// Takes what was found in the drop directory into root's outbox.
    ///
    /// # Errors
    /// When the time stamp cannot be set.
    pub(crate) fn collect(&self, found: Found) -> io::Result<Collected> {
        let mut collected = Collected::default();
        let Found {
            base,
            directory,
            mut objects,
        } = found;
        // By time of arrival, as far as the senders tell the truth.
        objects.sort_unstable();
        for name in &objects {
            let shown = || sanitize::line(name.as_bytes()).into_owned();
            match self.take(&directory, name) {
                Ok(id) => collected.ids.push(id),
                Err(Untaken::Busy) => {}
                Err(Untaken::Left(why)) => collected.left.push(format!(
                    "{} stays in the drop directory: {why}",
                    shown()
                )),
                Err(Untaken::Rejected(why)) => match put_away(&base, &directory, name) {
                    Ok(()) => collected.rejected.push(format!(
                        "{} in the drop directory is not a message, and was moved to /var/spool/postrider/rejected: {why}",
                        shown()
                    )),
                    Err(error) => collected.left.push(format!(
                        "{} in the drop directory is not a message, and cannot be moved away: {}",
                        shown(),
                        exit::plain(&error)
                    )),
                },
            }
        }
        for notices in [&mut collected.rejected, &mut collected.left] {
            if let Some(more) = notices
                .len()
                .checked_sub(MAX_NOTICES)
                .filter(|more| *more > 0)
            {
                notices.truncate(MAX_NOTICES);
                notices.push(format!(
                    "the same holds for {more} more objects in the drop directory"
                ));
            }
        }
        stamp(&base)?;
        Ok(collected)
    }

    /// Takes one object; it is gone from the directory and durable in the outbox then.
    fn take(&self, directory: &File, name: &str) -> Result<Id, Untaken> {
        let found = names::look_in(directory, name)?;
        judge(&found).map_err(|why| Untaken::Rejected(why.to_owned()))?;
        // Between the look and the open it can have become anything: it is opened without following a
        // link or waiting for a FIFO, and judged once more.
        let file = match names::open_in(directory, name, Access::Read) {
            Err(error) if is_gone(&error) => return Err(Untaken::Busy),
            opened => opened?,
        };
        let found = file.metadata()?;
        judge(&found).map_err(|why| Untaken::Rejected(why.to_owned()))?;
        let is_complete = found.mode() & 0o100 != 0;
        let head = match Head::read(&file, found.len()) {
            Ok(head) => head,
            Err(_) if !is_complete && !is_old(&found) => return Err(Untaken::Busy),
            Err(why) => return Err(Untaken::Rejected(format!("it {why}"))),
        };
        // One whose writer has died before the last step is as good, if nothing is missing.
        if !is_complete && !lock(&file)? {
            return Err(Untaken::Busy);
        }
        head.verify(&file)
            .map_err(|why| Untaken::Rejected(format!("it {why}")))?;
        if let Some(why) = (self.refuses)(found.uid(), found.len()) {
            return Err(Untaken::Left(why));
        }
        let id = id_of(&found, name);
        if !self.outbox.holds(&id)? {
            let owner = user::by_uid(found.uid())?;
            // An account that was removed since: its mail still has a sender, by its number.
            let login = owner.map_or_else(|| found.uid().to_string(), |owner| owner.name);
            let message = DroppedMessage {
                file: &file,
                head: &head,
            };
            let envelope = own_envelope(&head.envelope, found.uid(), &login)?;
            let mut header = PremadeHeader::read(&message, Reading::default())?;
            if header.is_cut() {
                return Err(Untaken::Rejected("its header is too large".to_owned()));
            }
            self.name_the_owner(&mut header, &login);
            let offset = header.body_offset();
            let mut bytes: Vec<u8> = Vec::new();
            header
                .iter()
                .for_each(|field| bytes.extend_from_slice(field.raw()));
            bytes.push(b'\n');
            let mut body = message.reader()?;
            io::copy(&mut (&mut body).take(offset), &mut io::sink())?;
            let entry = self
                .outbox
                .enter_as(id.clone(), &envelope, &bytes, &mut body)?;
            entry.make_durable()?;
        }
        // Only now: a flush that dies before this finds the file again, and the entry by its ID.
        unlinkat(directory, name, UnlinkatFlags::NoRemoveDir).map_err(io::Error::from)?;
        Ok(id)
    }

    /// Makes the header name the owner of the file: in From if it has none, in Sender if From names
    /// somebody else.
    ///
    /// As Exim does it for users that it does not trust: cron's `From: root` stays, and everybody can
    /// see who it is from.
    fn name_the_owner(&self, header: &mut PremadeHeader, login: &str) {
        let Ok(address) = EnvelopeAddress::new(login) else {
            return;
        };
        let authors = header
            .get("From")
            .map(|from| parse_list(&message::decode_text(&from.value())))
            .unwrap_or_default();
        header.remove("Sender");
        let owner = vec![NamedAddress::new(None, address)];
        if authors.is_empty() {
            header.remove("From");
            header.append(HeaderName::known("From"), owner);
            return;
        }
        let own_names = (self.own_names)();
        let is_owner = |author: &NamedAddress| {
            let address = author.address().with_ascii_domain();
            let is_here = address
                .domain()
                .is_none_or(|domain| own_names.contains(&domain.to_ascii_lowercase()));
            is_here && address.local_part() == login
        };
        if !authors.iter().flatten().any(is_owner) {
            header.append(HeaderName::known("Sender"), owner);
        }
    }
}

/// The message of a file of the drop directory.
struct DroppedMessage<'a> {
    file: &'a File,
    head: &'a Head,
}

impl MessageSource for DroppedMessage<'_> {
    fn len(&self) -> u64 {
        self.head.line.message
    }

    fn reader(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        let at = self.head.message_at();
        Ok(Box::new(MessageReader {
            file: self.file,
            at,
            end: at + self.len(),
        }))
    }
}

/// Returns the envelope of a message of this user: of what the file says only the recipients, and
/// whether it is a notice of a program (the null sender), are taken over.
fn own_envelope(told: &EntryEnvelope, uid: u32, login: &str) -> Result<EntryEnvelope, Untaken> {
    let rejected = |why: &str| Untaken::Rejected(why.to_owned());
    if told.recipients.is_empty() || told.recipients.len() > MAX_RECIPIENTS {
        return Err(rejected("it has no recipients, or too many"));
    }
    let is_address = |text: &String| EnvelopeAddress::new(text.as_str()).is_ok();
    if !told.recipients.iter().all(is_address) {
        return Err(rejected("a recipient is not a valid address"));
    }
    let is_text = |text: &String| HeaderValue::new(text.as_str()).is_ok();
    let sender = match told.sender.as_deref() {
        Some("") => String::new(),
        _ => login.to_owned(),
    };
    Ok(EntryEnvelope {
        uid,
        login: Some(login.to_owned()),
        face: "drop".to_owned(),
        sender: Some(sender),
        full_name: told.full_name.clone().filter(is_text),
        recipients: told.recipients.clone(),
        // Accounts and routes are root's business.
        account: None,
        route: None,
        message_id: sanitize::line(told.message_id.as_bytes()).into_owned(),
        subject: told.subject.clone(),
        // Equal messages of two users are two messages.
        merge: None,
        signed: told.signed,
    })
}

/// Returns the ID that a file of the drop directory has in root's outbox: the same one whenever it is
/// looked at.
fn id_of(file: &Metadata, name: &str) -> Id {
    let now = clock::since_epoch();
    let seconds = Duration::from_secs(u64::try_from(file.mtime()).unwrap_or(0));
    // The owner may set any time: one to come would never be its turn.
    let arrival = (seconds + Duration::from_nanos(file.mtime_nsec().unsigned_abs())).min(now);
    let facts = format!(
        "{} {} {} {} {name}",
        file.dev(),
        file.ino(),
        file.ctime(),
        file.ctime_nsec()
    );
    Id::of_file(arrival, file.uid(), facts.as_bytes())
}

/// Judges what the system says of an object of the drop directory.
///
/// # Errors
/// Says what is wrong, as a clause.
fn judge(file: &Metadata) -> Result<(), &'static str> {
    if !file.is_file() {
        Err("it is not a regular file")
    } else if file.nlink() != 1 {
        // The other name may be somebody else's file, or keep the text readable for its owner.
        Err("it has a second name (hard link)")
    } else if file.mode() & 0o077 != 0 {
        Err("other users have access to it")
    } else {
        Ok(())
    }
}

fn is_old(file: &Metadata) -> bool {
    let age = file
        .modified()
        .ok()
        .and_then(|time| clock::now().duration_since(time).ok());
    age.is_some_and(|age| age > TORN)
}

fn is_gone(error: &io::Error) -> bool {
    error.kind() == ErrorKind::NotFound
}

/// Moves an object out of the drop directory, whatever it is.
fn put_away(base: &File, directory: &File, name: &str) -> io::Result<()> {
    make_directory(base, REJECTED, Mode::S_IRWXU)?;
    let rejected = names::directory_in(base, REJECTED)?;
    // A new name: two users may have chosen the same one.
    let new = format!(
        "{:016x}-{}",
        random::number(),
        clock::since_epoch().as_secs()
    );
    renameat(directory, name, &rejected, new.as_str())?;
    Ok(())
}

/// Says that the drop directory was emptied now.
fn stamp(base: &File) -> io::Result<()> {
    let file = match names::open_in(base, STAMP, Access::ReadWrite) {
        Err(error) if is_gone(&error) => match names::make_in(base, STAMP) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(()),
            made => made?,
        },
        opened => opened?,
    };
    // Everybody may see the time, and there is nothing else to see.
    file.set_permissions(Permissions::from_mode(0o644))?;
    let now = TimeSpec::UTIME_NOW;
    utimensat(base, STAMP, &now, &now, UtimensatFlags::NoFollowSymlink)?;
    Ok(())
}

/// Opens `/var/spool/postrider`, on a way on which only root can rename anything.
fn open_base() -> io::Result<File> {
    let mut directory = names::searchable(Path::new("/"))?;
    let mut path = String::new();
    for name in BASE {
        directory = names::searchable_in(&directory, name)?;
        path = format!("{path}/{name}");
        let found = directory.metadata()?;
        if found.uid() != 0 || found.mode() & 0o022 != 0 {
            return Err(not_roots(&path));
        }
    }
    Ok(directory)
}

/// Opens the drop directory for root; makes it if necessary.
fn open_drop(base: &File) -> io::Result<File> {
    let directory = match names::directory_in(base, DROP) {
        Err(error) if is_gone(&error) => {
            make_directory(base, DROP, Mode::from_bits_truncate(0o1733))?;
            names::directory_in(base, DROP)?
        }
        opened => opened?,
    };
    let found = directory.metadata()?;
    let others = found.mode() & 0o022;
    if found.uid() != 0 || (others != 0 && found.mode() & 0o1000 == 0) {
        return Err(not_roots("/var/spool/postrider/drop"));
    }
    Ok(directory)
}

/// Makes a directory with exactly this mode, if there is none of that name.
fn make_directory(base: &File, name: &str, mode: Mode) -> io::Result<()> {
    match mkdirat(base, name, Mode::S_IRWXU) {
        Err(Errno::EEXIST) => Ok(()),
        Err(error) => Err(error.into()),
        Ok(()) => {
            // The umask does not count, and the sticky bit is none that mkdir knows everywhere.
            let made = names::directory_in(base, name)?;
            fchmod(&made, mode)?;
            sync_names_in(base, &made)
        }
    }
}

fn not_roots(path: &str) -> io::Error {
    let what = format!("users other than root can change {path}");
    io::Error::new(ErrorKind::PermissionDenied, what)
}
