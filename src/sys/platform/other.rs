//! What a system other than Linux does instead.
//!
//! On Linux this is compiled for its tests only. Nothing of it was ever tried on another system.

use std::fs::File;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use nix::NixPath;
use nix::dir::{Dir, Type};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::libc;
use nix::sys::resource::{Resource, getrlimit};
use nix::unistd::Gid;
use rustix::net::{AddressFamily, SocketType, connect, sockopt};

use super::RangeLock;

/// The configuration files for all users, in the order in which they are read.
#[cfg(target_os = "aix")]
pub(crate) const SYSTEM_FILES: [&str; 2] = ["/usr/share/lib/Mail.rc", "/etc/postrider.rc"];
/// The configuration files for all users, in the order in which they are read.
#[cfg(not(target_os = "aix"))]
pub(crate) const SYSTEM_FILES: [&str; 2] = ["/etc/mail.rc", "/etc/postrider.rc"];

/// Where syslog listens (syslog(3)).
#[cfg(any(target_os = "freebsd", target_os = "macos"))]
pub(crate) const SYSLOG: &str = "/var/run/log";
/// Where syslog listens (syslog(3)).
#[cfg(not(any(target_os = "freebsd", target_os = "macos")))]
pub(crate) const SYSLOG: &str = "/dev/log";

/// Directories whose names mean inherited descriptors.
pub(crate) const DESCRIPTORS: [&str; 1] = ["/dev/fd"];

/// Directories of devices and of what the kernel makes up: their files are no files of a user.
pub(crate) const NO_FILES: [&str; 2] = ["/dev", "/proc"];

/// The time of the last access cannot be left as it is: a shell that watches the mailbox takes the
/// mail for read, as it does with other programs there.
pub(crate) const QUIETLY: OFlag = OFlag::empty();

/// There is no way to open a name for nothing but looking at it: the right to read it is needed.
pub(crate) const LOOKING: OFlag = OFlag::O_NONBLOCK;

/// Says that no path can be opened so: whoever asks walks it name by name.
///
/// # Errors
/// Always `ENOSYS`.
pub(crate) fn open_without_links(_: &Path, _: OFlag) -> io::Result<File> {
    Err(Errno::ENOSYS.into())
}

/// There are no files without a name: a file that is made has a temporary one beside its own.
pub(crate) const NAMELESS: Option<OFlag> = None;

/// Returns whether a file without a name can be given one here: there is none.
pub(crate) fn can_name() -> bool {
    false
}

/// Says that no file can be given a name afterwards.
///
/// # Errors
/// Always `ENOSYS`.
pub(crate) fn give_name(_: &File, _: &Path) -> io::Result<()> {
    Err(Errno::ENOSYS.into())
}

/// Says that this cannot be asked for: hard links take its place.
///
/// # Errors
/// Always `ENOSYS`.
pub(crate) fn rename_exclusively<P1: ?Sized + NixPath, P2: ?Sized + NixPath>(
    _: impl AsFd,
    _: &P1,
    _: impl AsFd,
    _: &P2,
) -> nix::Result<()> {
    Err(Errno::ENOSYS)
}

/// Says that this cannot be asked for.
///
/// # Errors
/// Always `ENOSYS`.
pub(crate) fn exchange(_: &Path, _: &Path) -> nix::Result<()> {
    Err(Errno::ENOSYS)
}

/// Writes what waits to be written to all disks, as there is no call for one of them.
///
/// POSIX lets sync(2) return before all is written.
///
/// # Errors
/// None.
pub(crate) fn sync_file_system(_: impl AsFd) -> nix::Result<()> {
    nix::unistd::sync();
    Ok(())
}

/// Returns that another host may have the file: that is the careful answer.
pub(crate) fn is_local(_: &File) -> bool {
    false
}

/// Returns that a flock of a file is another lock than an fcntl lock.
pub(crate) fn has_one_kind_of_lock(_: &File) -> bool {
    false
}

/// Says that no blocks can be reserved without making the file longer. A full disk is noticed when
/// the blocks are written, and the journal restores the mailbox.
///
/// # Errors
/// Always `EOPNOTSUPP`.
pub(crate) fn reserve(_: &File, _: i64, _: i64, _: bool) -> nix::Result<()> {
    Err(Errno::EOPNOTSUPP)
}

/// Returns how long a file may become by the limit of this process.
#[allow(clippy::useless_conversion)]
pub(crate) fn file_size_limit() -> Option<u64> {
    let (soft, _) = getrlimit(Resource::RLIMIT_FSIZE).ok()?;
    // A signed number on FreeBSD.
    u64::try_from(soft).ok()
}

/// Asks for, or releases, a lock of the whole file by fcntl, without waiting.
///
/// It belongs to the process, and is lost when the process closes any descriptor of the file.
///
/// # Errors
/// `EAGAIN` or `EACCES` when another program holds a lock; others where there is no such lock.
pub(crate) fn lock_range(file: &File, kind: RangeLock) -> nix::Result<()> {
    fcntl(file, FcntlArg::F_SETLK(&whole_file(kind))).map(|_| ())
}

/// Returns the process that holds an fcntl lock against us.
pub(crate) fn range_holder(file: &File) -> Option<u32> {
    let mut range = whole_file(RangeLock::Exclusive);
    fcntl(file, FcntlArg::F_GETLK(&mut range)).ok()?;
    if range.l_type == libc::F_UNLCK as libc::c_short {
        return None;
    }
    u32::try_from(range.l_pid).ok().filter(|pid| *pid > 0)
}

fn whole_file(kind: RangeLock) -> libc::flock {
    let kind = match kind {
        RangeLock::Shared => libc::F_RDLCK as libc::c_short,
        RangeLock::Exclusive => libc::F_WRLCK as libc::c_short,
        RangeLock::Released => libc::F_UNLCK as libc::c_short,
    };
    libc::flock {
        l_type: kind,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
        // A host of a lock over the network: the answer's, not the question's.
        #[cfg(any(target_os = "freebsd", target_os = "aix"))]
        l_sysid: 0,
        #[cfg(target_os = "aix")]
        l_vfs: 0,
    }
}

/// Returns nothing: the kernel shows no table of locks, and a message says "another program".
pub(crate) fn lock_table() -> String {
    String::new()
}

/// Returns nothing: a message has the number of the process without a name.
pub(crate) fn program_of(_: u32) -> Option<String> {
    None
}

/// Returns nothing: there is one set of processes.
pub(crate) fn pid_namespace() -> String {
    String::new()
}

/// Returns nothing: a dot-lock of before a restart is told by its age alone.
pub(crate) fn boot_id() -> String {
    String::new()
}

/// Returns nothing, as [`boot_id`] does.
pub(crate) fn boot_time() -> Option<SystemTime> {
    None
}

/// Returns none: std and nix can ask what is done with a signal only by changing it.
pub(crate) fn ignored_signals() -> u64 {
    0
}

/// Returns the path of this program's file, as far as the system knows it.
pub(crate) fn own_program() -> Option<PathBuf> {
    std::env::current_exe().ok()
}

/// Says that there are no files in memory: a temporary file takes their place.
///
/// # Errors
/// Always `ENOSYS`.
pub(crate) fn memory_file() -> io::Result<File> {
    Err(Errno::ENOSYS.into())
}

/// Does nothing: the limit of cores is 0, and no kernel but Linux pipes them past it.
pub(crate) fn forbid_dumps() {}

/// Reads the names in a directory that was opened for it, "." and ".." included, with their kind where
/// the file system says it.
pub(crate) fn names(
    directory: File,
) -> io::Result<impl Iterator<Item = io::Result<(Vec<u8>, Option<Type>)>>> {
    let names = Dir::from_fd(directory.into())?.into_iter();
    Ok(names.map(|entry| {
        let entry = entry?;
        Ok((entry.file_name().to_bytes().to_vec(), entry.file_type()))
    }))
}

/// Starts to connect to an address, without waiting for it: the socket can be written when it is
/// connected, or when its error says why not.
///
/// # Errors
/// Those of socket(2), fcntl(2) and connect(2).
pub(crate) fn start_to_connect(peer: SocketAddr) -> io::Result<TcpStream> {
    let family = match peer {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    // Not every system takes the flags together with the call.
    let socket = TcpStream::from(rustix::net::socket(family, SocketType::STREAM, None)?);
    fcntl(&socket, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    socket.set_nonblocking(true)?;
    match connect(&socket, &peer) {
        Ok(()) | Err(rustix::io::Errno::INPROGRESS) => Ok(socket),
        Err(error) => Err(error.into()),
    }
}

/// Lets the kernel ask a host that says nothing whether it is there, after the time of the system.
/// The time limit of the reply ends the wait.
pub(crate) fn watch_peer(socket: impl AsFd, _: Duration, _: Duration) {
    let _ = sockopt::set_socket_keepalive(socket, true);
}

/// Returns the login group alone: nix has no getgrouplist for all systems, and the members of
/// `/etc/group` are looked at before.
///
/// # Errors
/// None.
pub(crate) fn groups_of(_: &std::ffi::CStr, own: Gid) -> nix::Result<Vec<Gid>> {
    Ok(vec![own])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_classic_lock_is_one_against_the_locks_of_linux() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let other = file.reopen().expect("opened");
        lock_range(file.as_file(), RangeLock::Exclusive).expect("free");
        #[cfg(target_os = "linux")]
        assert!(super::super::lock_range(&other, RangeLock::Shared).is_err());
        lock_range(file.as_file(), RangeLock::Released).expect("released");
        lock_range(&other, RangeLock::Shared).expect("free again");
        assert_eq!(range_holder(file.as_file()), None);
    }

    /// Every answer is one that the callers know from an old kernel or an odd file system.
    #[test]
    fn what_is_missing_is_said_as_an_old_kernel_says_it() {
        let file = tempfile::tempfile().expect("a file");
        let path = Path::new("x");
        let name = rename_exclusively(&file, path, &file, path);
        let exchanged = exchange(path, path);
        for answer in [name, exchanged, reserve(&file, 0, 1, true)] {
            let unsupported = [Errno::ENOSYS, Errno::EOPNOTSUPP];
            assert!(answer.is_err_and(|error| unsupported.contains(&error)));
        }
        let walked = open_without_links(path, LOOKING).expect_err("none");
        assert_eq!(walked.raw_os_error(), Some(Errno::ENOSYS as i32));
        assert!(memory_file().is_err() && give_name(&file, path).is_err() && !can_name());
        assert!(sync_file_system(&file).is_ok());
        assert!(own_program().is_some_and(|path| path.exists()));
        assert_eq!(file_size_limit(), super::super::file_size_limit());
    }
}
