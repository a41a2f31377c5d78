//! The dot-lock: a file `mailbox.lock` beside the mailbox.
//!
//! # States
//! - No such file: free.
//! - `mailbox.lock` exists: held. It appears with its whole content, and where the file system is
//!   of this host alone that is on the disk before it appears: after a power cut it still says
//!   whose it was.
//! - `mailbox.lock.RANDOM`: a lock that takes the place of a stale one, or the stale one itself,
//!   for a moment. `.mailbox.lock.postrider-RANDOM`: a lock that is being made, where the file
//!   system has no files without names. Both lock nothing. Left behind by the death of their maker
//!   they are removed with the next lock ([`sweep`]).
//!
//! # Content
//! Line 1 is the holder's pid, as other programs write and read it. Line 2 is ours: host name,
//! boot id and pid namespace. Line 3, where the host has a machine-id: what stands for it, since
//! the id itself is not to be shown to everybody.
//!
//! # When it is stale
//! - Line 2 is that of this system: when the pid is that of no process. At once.
//! - Host name and machine are ours, the boot is another one, the file lies on a file system of
//!   this host alone, and was last touched before this boot: at once. All of these are asked for
//!   because clones of a machine share its names, and hosts share an NFS server.
//! - Any other: when it has not been touched for five minutes. We touch a lock that we hold longer
//!   ([`DotLock::refresh`]).
//!
//! What is not a regular file is never stale: nobody makes such a lock.
//!
//! A stale lock is never removed to make room for ours: between the look and the removal its place
//! may have gone to a live one. Ours changes places with it in one step, and is taken back when
//! what it has displaced turns out to be another lock than the one that was judged. So the name
//! is never free while somebody holds it. (Only one of our own processes does that at a time: it
//! holds the kernel lock.) Where names cannot be exchanged the stale one is moved aside instead, by
//! one of our processes at a time: the one that has made `mailbox.lock.0000000000000000`.
//!
//! Whoever holds a lock looks whether the name is still that of its own before it writes
//! ([`DotLock::has_name`]).
//!
//! # Without the right to write the directory
//! `dotlockfile` of liblockfile, which is setgid mail where it is installed, makes and removes it
//! for us. Without it there is no dot-lock, and the two kernel locks have to do.

use std::fmt::{self, Write as _};
use std::fs::{self, File, FileTimes, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;

use crate::mailbox::path::{DIRECTORY, what_else};
use crate::sanitize;
use crate::sys::disk::{
    create_complete, directory_of, exchange, is_local, named_like, temporary_prefix, until_done,
    with_suffix,
};
use crate::sys::open::names::{self, Access, Links};
use crate::sys::{child, clock, host, random, user};

/// From this age on a dot-lock that does not name one of our processes is stale.
const STALE: Duration = Duration::from_secs(5 * 60);

/// How often a lock that is held long is touched.
const REFRESH: Duration = Duration::from_secs(60);

/// How much of a lock file is read.
const MAX_CONTENT: u64 = 1024;

/// How often a lock is asked for that goes and comes under our hands.
const ATTEMPTS: usize = 3;

/// How many locks can come and go while one is put back.
const MAX_THIRDS: usize = 100;

/// How often, a millisecond apart, a lock of ours is looked for that somebody is putting back.
const LOOKS: usize = 100;

/// What is put behind the name of a lock for the file whose maker may remove a stale one, where
/// names cannot be exchanged. It looks like what the killed leave, and is removed as that.
const GUARD: &str = ".0000000000000000";

/// The largest directory that is looked through for what others have left: some thousand names.
const MAX_SWEPT: u64 = 256 * 1024;

/// What became of a request for the dot-lock.
#[derive(Debug)]
pub(in crate::mailbox) enum Request {
    /// We hold it.
    Granted(DotLock),
    /// Somebody else holds it; this is the file, if it is still there.
    Busy(Option<LockFile>),
    /// We may not make one.
    Unsupported,
}

/// A dot-lock that is in our way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockFile {
    /// Where it is.
    pub path: PathBuf,
    /// The process that it names, if that can be one of this host.
    pub pid: Option<u32>,
    /// What it is, if not a regular file.
    what: Option<&'static str>,
    /// Its owner's user id.
    owner: u32,
    /// When it was made or touched.
    modified: Option<SystemTime>,
}

impl LockFile {
    /// Returns the line to type that removes it.
    pub fn removal(&self) -> String {
        let command = match self.what {
            Some(DIRECTORY) if is_empty_directory(&self.path) => "rmdir",
            Some(DIRECTORY) => "rm -r",
            _ => "rm",
        };
        format!("{command} -- {}", shell_word(&self.path))
    }
}

impl fmt::Display for LockFile {
    /// Writes what it is, whose, and how old: `a file of root, 3 days old`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = self.what.unwrap_or("a file");
        match user::by_uid(self.owner) {
            Ok(Some(owner)) => write!(f, "{what} of {}", owner.name)?,
            _ => write!(f, "{what} of uid {}", self.owner)?,
        }
        let Some(modified) = self.modified else {
            return Ok(());
        };
        match clock::now().duration_since(modified) {
            Ok(age) => write!(f, ", {} old", in_words(age)),
            Err(_) => f.write_str(", with a time that is yet to come"),
        }
    }
}

/// A dot-lock that we hold; it is removed when this goes.
#[derive(Debug)]
pub(in crate::mailbox) struct DotLock {
    path: PathBuf,
    made_by: Maker,
    touched: SystemTime,
}

/// Who made a dot-lock, and so who removes it.
#[derive(Debug)]
enum Maker {
    /// We. While the file is open its inode cannot become another file's.
    Us(File),
    /// The helper at this path.
    Helper(PathBuf),
}

/// Asks for the dot-lock of a mailbox, without waiting; a stale one makes room for ours.
pub(in crate::mailbox) fn request(mailbox: &Path, helper: Option<&Path>) -> io::Result<Request> {
    let path = path_of(mailbox);
    for _ in 0..ATTEMPTS {
        let made = match make(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let Some(found) = Content::read(&path)? else {
                    // It has gone meanwhile.
                    continue;
                };
                if !found.is_stale(&System::this()) {
                    return Ok(Request::Busy(Some(found.into_lock_file(&path))));
                }
                replace(&path, &found)
            }
            made => made.map(Some),
        };
        match made {
            Ok(Some(lock)) => {
                sweep(&path);
                return Ok(Request::Granted(lock));
            }
            // Another took its place meanwhile, or it went.
            Ok(None) => {}
            // It is not ours to move.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => break,
            Err(error) => return without_a_file(&path, error, helper),
        }
    }
    let found = Content::read(&path)?;
    Ok(Request::Busy(
        found.map(|found| found.into_lock_file(&path)),
    ))
}

/// Says what is to be done where we cannot make a file: we can still see one.
fn without_a_file(path: &Path, error: io::Error, helper: Option<&Path>) -> io::Result<Request> {
    let why = error.raw_os_error().map(Errno::from_raw);
    let is_full = matches!(why, Some(Errno::ENOSPC | Errno::EDQUOT));
    if !is_full && !matches!(why, Some(Errno::EACCES | Errno::EPERM | Errno::EROFS)) {
        return Err(error);
    }
    Ok(match Content::read(path)? {
        Some(found) if !found.is_stale(&System::this()) => {
            Request::Busy(Some(found.into_lock_file(path)))
        }
        // Not even room for a name.
        _ if is_full => Request::Unsupported,
        _ => ask_helper(path, helper),
    })
}

/// Returns the path of a mailbox's dot-lock.
pub(in crate::mailbox) fn path_of(mailbox: &Path) -> PathBuf {
    with_suffix(mailbox, ".lock")
}

/// Returns whether somebody may be writing to a mailbox under a dot-lock.
///
/// Nobody does under a stale one, nor under what no program makes as its lock: a mailbox whose last
/// line is not ended is complete then.
pub(in crate::mailbox) fn may_be_held(mailbox: &Path) -> bool {
    match Content::read(&path_of(mailbox)) {
        Ok(Some(found)) => found.metadata.is_file() && !found.is_stale(&System::this()),
        Ok(None) => false,
        Err(_) => true,
    }
}

/// Returns whether the dot-lock of a mailbox is that of a process that is gone, for certain.
///
/// The age of a lock is no certainty.
pub(in crate::mailbox) fn is_of_the_dead(mailbox: &Path) -> bool {
    let found = Content::read(&path_of(mailbox));
    matches!(found, Ok(Some(found)) if found.is_of_the_dead(&System::this()) == Some(true))
}

impl DotLock {
    /// Touches a lock that has been held for a while, so that nobody takes it for stale.
    pub(in crate::mailbox) fn refresh(&mut self) {
        let now = clock::now();
        if now.duration_since(self.touched).unwrap_or_default() < REFRESH {
            return;
        }
        self.touched = now;
        // It is ours; that it could not be touched does not make it less so.
        let _ = match &self.made_by {
            Maker::Us(file) => file.set_times(FileTimes::new().set_modified(now)),
            Maker::Helper(helper) => run_helper(helper, &["-t"], &self.path).map(drop),
        };
    }
}

impl DotLock {
    /// Returns whether the name is still that of our lock; to be asked before anything is written.
    ///
    /// One that somebody is putting back is waited for.
    pub(super) fn has_name(&self) -> bool {
        let Maker::Us(file) = &self.made_by else {
            return true;
        };
        for look in 0..LOOKS {
            let Ok(ours) = file.metadata() else {
                return false;
            };
            let named = fs::symlink_metadata(&self.path);
            if named.is_ok_and(|named| (named.dev(), named.ino()) == (ours.dev(), ours.ino())) {
                return true;
            }
            // Somebody took it for stale and made his own, or takes it for one that he has
            // judged, and puts it back.
            if ours.nlink() == 0 {
                return false;
            }
            if look + 1 < LOOKS {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        false
    }
}

impl Drop for DotLock {
    fn drop(&mut self) {
        // Whoever is about to take it for stale because of its age sees that it is not.
        self.refresh();
        match &self.made_by {
            Maker::Us(_) => {
                if self.has_name() {
                    let _ = fs::remove_file(&self.path);
                }
            }
            Maker::Helper(helper) => {
                let _ = run_helper(helper, &["-u"], &self.path);
            }
        }
    }
}

/// Makes a lock file with its content in one step; fails with `AlreadyExists` when there is one.
fn make(path: &Path) -> io::Result<DotLock> {
    let file = create_complete(path, &mut write_content)?;
    Ok(DotLock {
        path: path.to_owned(),
        made_by: Maker::Us(file),
        touched: clock::now(),
    })
}

/// Puts a lock of ours in the place of a stale one; `None` when it was not the stale one any more.
fn replace(path: &Path, stale: &Content) -> io::Result<Option<DotLock>> {
    let aside = with_suffix(path, format!(".{:016x}", random::number()));
    let mut ours = make(&aside)?;
    let exchanged = exchange(&aside, path);
    if let Err(error) = exchanged {
        drop(ours);
        return match error {
            // It has gone meanwhile.
            Errno::ENOENT => Ok(None),
            Errno::EINVAL | Errno::ENOSYS | Errno::EOPNOTSUPP => move_aside(path, &aside, stale),
            // Another user's, in a directory with the sticky bit.
            Errno::EPERM | Errno::EACCES => Err(io::ErrorKind::AlreadyExists.into()),
            error => Err(error.into()),
        };
    }
    // From here on `ours` has the name of the lock, and dropping it gives that back.
    ours.path = path.to_owned();
    if is_still(&aside, stale) {
        let _ = fs::remove_file(&aside);
        return Ok(Some(ours));
    }
    put_back(path, &aside, &ours);
    Ok(None)
}

/// Gives a live lock its name back, for which ours was exchanged.
///
/// Its holder may have given it up meanwhile, and then it was our file that went. What has the name
/// then is the live lock of a third, and it gets the name back in its turn.
fn put_back(path: &Path, aside: &Path, ours: &DotLock) {
    let number = |path: &Path| fs::symlink_metadata(path).ok().map(|file| file.ino());
    let Maker::Us(file) = &ours.made_by else {
        return;
    };
    let mut named = file.metadata().ok().map(|file| file.ino());
    for _ in 0..MAX_THIRDS {
        let displaced = number(aside);
        match exchange(aside, path) {
            Ok(()) if number(aside) != named => named = displaced,
            // ENOENT: nobody has the name any more, so the lock beside it was given up.
            Ok(()) | Err(Errno::ENOENT) => {
                let _ = fs::remove_file(aside);
                return;
            }
            // It lies beside its name, and is stale in five minutes.
            Err(_) => return,
        }
    }
}

/// Removes a stale lock where names cannot be exchanged, and makes ours.
///
/// Only one of our processes does that at a time, and looks at the lock again when it is the one:
/// what it moves is no lock that another of them has just made. A lock of another program that turns
/// up under the name is put back; for that moment the name is free.
fn move_aside(path: &Path, aside: &Path, stale: &Content) -> io::Result<Option<DotLock>> {
    let guard_path = with_suffix(path, GUARD);
    let guard = match make(&guard_path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if let Some(found) = Content::read(&guard_path)?
                && found.is_stale(&System::this())
            {
                let _ = fs::remove_file(&guard_path);
            }
            return Ok(None);
        }
        made => made?,
    };
    if !is_still(path, stale) {
        return Ok(None);
    }
    match fs::rename(path, aside) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        moved => moved?,
    }
    if !is_still(aside, stale) {
        give_back(aside, path);
        return Ok(None);
    }
    let _ = fs::remove_file(aside);
    drop(guard);
    match make(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
        made => made.map(Some),
    }
}

/// Gives a lock that was moved aside its name back, if nobody has that.
///
/// Else it stays beside it until it is stale, and its holder can see that it has lost the name.
fn give_back(aside: &Path, path: &Path) {
    match fs::hard_link(aside, path) {
        Ok(()) => {
            let _ = fs::remove_file(aside);
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        // A file system without links.
        Err(_) if fs::symlink_metadata(path).is_err() => {
            let _ = fs::rename(aside, path);
        }
        Err(_) => {}
    }
}

/// Returns whether this is the lock that was judged, and nobody has touched it since.
fn is_still(path: &Path, judged: &Content) -> bool {
    let identity = |file: &fs::Metadata| (file.dev(), file.ino(), file.modified().ok());
    fs::symlink_metadata(path).is_ok_and(|now| identity(&now) == identity(&judged.metadata))
}

/// Removes what makers of this lock have left beside it when they died.
///
/// Only what has such a name, is ours or root's, and would be stale as a lock. In a directory of
/// very many names nothing is looked for.
fn sweep(path: &Path) {
    let directory = directory_of(path);
    if !fs::metadata(directory).is_ok_and(|directory| directory.len() <= MAX_SWEPT) {
        return;
    }
    let prefixes = [with_suffix(path, "."), temporary_prefix(path)];
    let Ok(found) = named_like(&[&prefixes[0], &prefixes[1]]) else {
        return;
    };
    for left in found {
        if let Ok(Some(content)) = Content::read(&left)
            && [0, user::effective_uid()].contains(&content.metadata.uid())
            && content.is_stale(&System::this())
        {
            let _ = fs::remove_file(&left);
        }
    }
}

/// Lets the helper make the lock.
fn ask_helper(path: &Path, helper: Option<&Path>) -> Request {
    let Some(helper) = helper else {
        return Request::Unsupported;
    };
    // The status is liblockfile's: 4 says that the lock is held, all others that the helper
    // may not or cannot.
    match run_helper(helper, &["-l", "-p", "-q", "-r", "0"], path) {
        Ok(Some(0)) => Request::Granted(DotLock {
            path: path.to_owned(),
            made_by: Maker::Helper(helper.to_owned()),
            touched: clock::now(),
        }),
        Ok(Some(4)) => {
            let found = Content::read(path).ok().flatten();
            Request::Busy(found.map(|found| found.into_lock_file(path)))
        }
        Ok(_) | Err(_) => Request::Unsupported,
    }
}

/// Runs the helper on a lock file and returns its exit status.
fn run_helper(helper: &Path, options: &[&str], path: &Path) -> io::Result<Option<i32>> {
    let status = child::command(helper)
        .args(options)
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    Ok(status.code())
}

/// What there is to know of this system when a lock is judged, or made.
#[derive(Clone, Debug)]
struct System {
    host: String,
    boot: String,
    namespace: String,
    machine: Option<String>,
    started: Option<SystemTime>,
}

impl System {
    fn this() -> System {
        let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
        System {
            host: host::node_name(),
            boot: host::boot_id(),
            namespace: namespace.to_string_lossy().into_owned(),
            machine: host::machine(),
            started: host::boot_time(),
        }
    }

    /// Returns the second line of a lock that is made here.
    fn line(&self) -> String {
        format!("{} {} {}", self.host, self.boot, self.namespace)
    }
}

/// What a lock file says.
struct Content {
    lines: Vec<String>,
    metadata: fs::Metadata,
    is_local: bool,
}

impl Content {
    /// Reads a lock file; `None` when there is none any more.
    ///
    /// What is no regular file, or unreadable, is a lock without content.
    fn read(path: &Path) -> io::Result<Option<Content>> {
        let mut metadata = match fs::symlink_metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        let mut is_on_local = false;
        if metadata.is_file()
            && let Ok(file) = open_no_follow(path)
            && let Ok(opened) = file.metadata()
            && opened.is_file()
        {
            // What is judged is what was read.
            metadata = opened;
            is_on_local = is_local(&file);
            let _ = file.take(MAX_CONTENT).read_to_end(&mut bytes);
        }
        let text = String::from_utf8_lossy(&bytes);
        Ok(Some(Content {
            lines: text.lines().map(str::to_owned).collect(),
            metadata,
            is_local: is_on_local,
        }))
    }

    /// Returns the pid in it.
    fn pid(&self) -> Option<u32> {
        let pid: u32 = self.lines.first()?.trim().parse().ok()?;
        (pid > 0 && i32::try_from(pid).is_ok()).then_some(pid)
    }

    /// Returns whether the holder is gone, as far as we can know.
    fn is_stale(&self, system: &System) -> bool {
        if !self.metadata.is_file() {
            // Nobody makes such a lock; whoever put it there may have it.
            return false;
        }
        let age = || {
            clock::now()
                .duration_since(self.metadata.modified().ok()?)
                .ok()
        };
        self.is_of_the_dead(system)
            .unwrap_or_else(|| age().is_some_and(|age| age > STALE))
    }

    /// Returns whether the holder is gone; `None` where only the age of the lock can tell.
    fn is_of_the_dead(&self, system: &System) -> Option<bool> {
        let pid = self.pid().filter(|_| self.metadata.is_file())?;
        let line = self.lines.get(1)?;
        // Where the boot cannot be known, a number may be that of a process of another one.
        let is_known = !system.boot.is_empty() && !system.namespace.is_empty();
        if is_known && *line == system.line() {
            let pid = Pid::from_raw(i32::try_from(pid).ok()?);
            return Some(kill(pid, None) == Err(Errno::ESRCH));
        }
        let mut words = line.split(' ');
        let (host, boot) = (words.next()?, words.next()?);
        let machine = system.machine.as_ref()?;
        let is_of_this_host = host == system.host && self.lines.get(2) == Some(machine);
        let is_of_another_boot = !boot.is_empty() && !system.boot.is_empty() && boot != system.boot;
        let is_from_before = self.metadata.modified().ok()? < system.started?;
        let is_dead = is_of_this_host && is_of_another_boot && is_from_before && self.is_local;
        is_dead.then_some(true)
    }

    /// Returns the lock as one that is in our way.
    fn into_lock_file(self, path: &Path) -> LockFile {
        let is_of_here = match self.lines.get(1) {
            Some(line) => *line == System::this().line(),
            // Of a program that says no more than its number.
            None => true,
        };
        LockFile {
            path: path.to_owned(),
            pid: self.pid().filter(|_| is_of_here),
            what: what_else(&self.metadata),
            owner: self.metadata.uid(),
            modified: self.metadata.modified().ok(),
        }
    }
}

/// Opens a file that may be anything without following it or waiting for it.
fn open_no_follow(path: &Path) -> io::Result<File> {
    names::open(path, Access::Read, Links::Refused)
}

/// Writes who we are into a lock file.
///
/// It reaches the disk before the name does. Without that a power cut leaves an empty file that
/// holds everybody for five minutes. Where other hosts share the file system the age counts anyway,
/// and nothing is waited for.
///
/// On a full disk the lock stays empty, which others accept for five minutes: deleting mail must
/// not fail for want of these bytes. Half a pid would be somebody else's.
fn write_content(file: &File) -> io::Result<()> {
    // Everybody may read who holds it, whatever our umask is.
    let _ = file.set_permissions(Permissions::from_mode(0o644));
    let system = System::this();
    let mut content = format!("{}\n{}\n", std::process::id(), system.line());
    if let Some(machine) = &system.machine {
        let _ = writeln!(content, "{machine}");
    }
    let mut writer = file;
    let written = writer.write_all(content.as_bytes());
    let written = written.and_then(|()| {
        if is_local(file) {
            until_done(|| file.sync_data())
        } else {
            Ok(())
        }
    });
    if written.is_err() {
        let _ = file.set_len(0);
    }
    Ok(())
}

fn is_empty_directory(path: &Path) -> bool {
    fs::read_dir(path).is_ok_and(|mut names| names.next().is_none())
}

/// Returns an age in the largest unit of which there are at least two.
fn in_words(age: Duration) -> String {
    let seconds = age.as_secs();
    let (number, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7_200 => (seconds / 60, "minute"),
        7_200..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural}")
}

/// Returns a path as one word of a shell's command line.
fn shell_word(path: &Path) -> String {
    let bytes = path.as_os_str().as_bytes();
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+@%:,=".contains(byte);
    if !bytes.is_empty() && bytes.iter().all(is_plain) {
        return sanitize::path(&path).to_string();
    }
    match path.to_str() {
        Some(text) if !text.contains(char::is_control) => {
            format!("'{}'", text.replace('\'', "'\\''"))
        }
        // What cannot be typed is written in numbers, as bash and POSIX 2024 know them.
        _ => {
            let mut word = String::from("$'");
            for byte in bytes {
                let _ = match byte {
                    b'\'' | b'\\' => write!(word, "\\{}", char::from(*byte)),
                    b' '..=b'~' => write!(word, "{}", char::from(*byte)),
                    _ => write!(word, "\\{byte:03o}"),
                };
            }
            word + "'"
        }
    }
}

#[cfg(test)]
mod tests;
