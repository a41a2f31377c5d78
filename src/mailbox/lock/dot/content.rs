//! The content of a lock file, and what it says about the holder: alive, dead, or not known.
//!
//! - Line 1 is the holder's pid, as other programs write and read it.
//! - Line 2 is written by this program only: host name, boot id and pid namespace.
//! - Line 3, where the host has a machine-id, is a value derived from that id. The id itself is
//!   confidential (machine-id(5)), and every user can read a lock file.

use std::fmt::Write as _;
use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime};

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;

use super::lock_file::LockFile;
use crate::mailbox::path::what_else;
use crate::sys::disk::{is_local, until_done};
use crate::sys::open::names::{self, Access, Links};
use crate::sys::{clock, host, platform};

/// From this age on a dot-lock is stale whose holder cannot be proved alive or dead.
pub(super) const STALE: Duration = Duration::from_secs(5 * 60);

/// How many bytes of a lock file are read.
const MAX_CONTENT: u64 = 1024;

/// The names of this system that are written into a lock, and compared with those in another.
#[derive(Clone, Debug)]
pub(super) struct System {
    pub(super) host: String,
    pub(super) boot: String,
    pub(super) namespace: String,
    pub(super) machine: Option<String>,
    pub(super) started: Option<SystemTime>,
}

impl System {
    pub(super) fn this() -> System {
        // A pid means something only within its pid namespace: process 1 of a container is
        // another process than process 1 of the host.
        System {
            host: host::node_name(),
            boot: platform::boot_id(),
            namespace: platform::pid_namespace(),
            machine: host::machine(),
            started: platform::boot_time(),
        }
    }

    /// Returns the second line of a lock that this system makes.
    pub(super) fn line(&self) -> String {
        format!("{} {} {}", self.host, self.boot, self.namespace)
    }
}

/// A lock file that has been read.
pub(super) struct LockContent {
    pub(super) lines: Vec<String>,
    pub(super) metadata: fs::Metadata,
    /// Whether the file system is used by this host alone.
    pub(super) is_local: bool,
}

impl LockContent {
    /// Reads a lock file; `None` when the file is gone.
    ///
    /// A lock file that is not a regular file, or that cannot be read, is a lock without content.
    pub(super) fn read(path: &Path) -> io::Result<Option<LockContent>> {
        let mut metadata = match fs::symlink_metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        let mut is_on_local = false;
        // In a directory that others can write the name may be a link or a FIFO: opening must
        // neither follow the one nor wait for the other. The type is checked twice, because the
        // name may have become another file's between the check and the opening.
        if metadata.is_file()
            && let Ok(file) = names::open(path, Access::Read, Links::Refused)
            && let Ok(opened) = file.metadata()
            && opened.is_file()
        {
            // Age and inode must be those of the file whose content is judged: `is_still` in
            // `stale` compares them before it removes anything.
            metadata = opened;
            is_on_local = is_local(&file);
            let _ = file.take(MAX_CONTENT).read_to_end(&mut bytes);
        }
        let text = String::from_utf8_lossy(&bytes);
        Ok(Some(LockContent {
            lines: text.lines().map(str::to_owned).collect(),
            metadata,
            is_local: is_on_local,
        }))
    }

    /// Returns the holder's pid.
    fn pid(&self) -> Option<u32> {
        let pid: u32 = self.lines.first()?.trim().parse().ok()?;
        // Zero and negative numbers would make kill(2) ask about process groups.
        (pid > 0 && i32::try_from(pid).is_ok()).then_some(pid)
    }

    /// Returns whether the holder is dead, or has not touched the lock for [`STALE`].
    pub(super) fn is_stale(&self, system: &System) -> bool {
        if !self.metadata.is_file() {
            // No program makes a directory or a link as its dot-lock: a user put it there on
            // purpose, and it stays until the user removes it.
            return false;
        }
        // A time in the future gives no age, and the lock counts as live: a file server whose
        // clock is ahead must not make fresh locks stale.
        let age = || {
            clock::now()
                .duration_since(self.metadata.modified().ok()?)
                .ok()
        };
        self.is_of_the_dead(system)
            .unwrap_or_else(|| age().is_some_and(|age| age > STALE))
    }

    /// Returns whether the holder is dead; `None` where only the age of the lock can decide.
    pub(super) fn is_of_the_dead(&self, system: &System) -> Option<bool> {
        let pid = self.pid().filter(|_| self.metadata.is_file())?;
        let line = self.lines.get(1)?;
        // Without a boot id or a namespace the second lines of two boots, or of two containers,
        // can be equal, and the pid may belong to another process by now.
        let is_known = !system.boot.is_empty() && !system.namespace.is_empty();
        if is_known && *line == system.line() {
            let pid = Pid::from_raw(i32::try_from(pid).ok()?);
            // Signal 0 only asks. EPERM is a live process of another user; ESRCH alone is no process.
            return Some(kill(pid, None) == Err(Errno::ESRCH));
        }
        // Another boot of this host: all its processes are dead. Each condition excludes one
        // mistake: host name and machine a lock of another host, the boot id one of a container
        // that runs now, the time a clone of this machine that runs beside it, and the file system
        // a clone that reaches the same mailbox over the network.
        let mut words = line.split(' ');
        let (host, boot) = (words.next()?, words.next()?);
        let machine = system.machine.as_ref()?;
        let is_of_this_host = host == system.host && self.lines.get(2) == Some(machine);
        let is_of_another_boot = !boot.is_empty() && !system.boot.is_empty() && boot != system.boot;
        let is_from_before = self.metadata.modified().ok()? < system.started?;
        let is_dead = is_of_this_host && is_of_another_boot && is_from_before && self.is_local;
        // Where a condition fails the holder is not proved alive either: the age decides.
        is_dead.then_some(true)
    }

    /// Returns the lock in the form that is shown to the user.
    pub(super) fn into_lock_file(self, path: &Path) -> LockFile {
        let is_of_here = match self.lines.get(1) {
            Some(line) => *line == System::this().line(),
            // Other programs write the pid alone; most of them run on this host.
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

/// Writes this process and system into a lock file that has no name yet.
///
/// On a local file system the content reaches the disk before the name does: otherwise a power cut
/// could leave an empty lock file, which keeps every program out for five minutes. Where other
/// hosts share the file system the age decides in any case, and no sync is done.
///
/// Where the content cannot be written the lock stays empty, which other programs accept for five
/// minutes: deleting mail on a full disk must not fail for want of these bytes.
pub(super) fn write_content(file: &File) -> io::Result<()> {
    // Every user may read who holds the lock, whatever the umask of this process is.
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
        // The first digits of a pid are the pid of another process. An empty file names none.
        let _ = file.set_len(0);
    }
    Ok(())
}
