//! What Linux has.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Read};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use nix::NixPath;
use nix::dir::Type;
use nix::errno::Errno;
use nix::fcntl::{
    AT_FDCWD, AtFlags, FallocateFlags, FcntlArg, OFlag, OpenHow, ResolveFlag, fallocate, fcntl,
    openat2,
};
use nix::libc;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::statfs::{self, FsType};
use nix::unistd::{Gid, getgrouplist, linkat};
use rustix::fs::{FileType, RawDir};
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with, sockopt};

use super::RangeLock;

pub(crate) use nix::unistd::syncfs as sync_file_system;

/// The configuration files for all users, in the order in which they are read.
pub(crate) const SYSTEM_FILES: [&str; 2] = ["/etc/mail.rc", "/etc/postrider.rc"];

/// Where syslog listens (syslog(3)).
pub(crate) const SYSLOG: &str = "/dev/log";

/// Directories whose names mean inherited descriptors.
pub(crate) const DESCRIPTORS: [&str; 2] = ["/dev/fd", "/proc/self/fd"];

/// Directories of devices and of what the kernel makes up: their files are no files of a user.
pub(crate) const NO_FILES: [&str; 2] = ["/dev", "/proc"];

/// Leaves the time of the last access as it is.
pub(crate) const QUIETLY: OFlag = OFlag::O_NOATIME;

/// Opens a name for nothing but looking at it, and a directory for searching it.
pub(crate) const LOOKING: OFlag = OFlag::O_PATH;

/// Opens a path on which no name is a symbolic link, the last one included.
///
/// # Errors
/// ELOOP where one is; ENOSYS or EPERM on old kernels and below some filters of system calls.
pub(crate) fn open_without_links(path: &Path, flags: OFlag) -> io::Result<File> {
    let how = OpenHow::new()
        .flags(flags | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_NO_SYMLINKS);
    Ok(File::from(openat2(AT_FDCWD, path, how)?))
}

/// Makes a file without a name in a directory.
pub(crate) const NAMELESS: Option<OFlag> = Some(OFlag::O_TMPFILE);

/// Returns whether a file without a name can be given one here.
pub(crate) fn can_name() -> bool {
    // Its name is given by way of its descriptor.
    Path::new("/proc/self/fd").exists()
}

/// Gives a nameless file its name.
///
/// # Errors
/// When the name is taken, or cannot be given.
pub(crate) fn give_name(file: &File, path: &Path) -> io::Result<()> {
    // AT_EMPTY_PATH would need CAP_DAC_READ_SEARCH. The link in /proc is open to every process
    // (open(2), O_TMPFILE).
    let descriptor = format!("/proc/self/fd/{}", file.as_raw_fd());
    let follow = AtFlags::AT_SYMLINK_FOLLOW;
    Ok(linkat(
        AT_FDCWD,
        descriptor.as_str(),
        AT_FDCWD,
        path,
        follow,
    )?)
}

/// Gives a file another name, in this directory or another; never takes one that is in use.
///
/// # Errors
/// `EEXIST` when the name is taken; `EINVAL`, `ENOSYS` or `EOPNOTSUPP` where this cannot be asked
/// for.
#[cfg(target_env = "gnu")]
pub(crate) fn rename_exclusively<P1: ?Sized + NixPath, P2: ?Sized + NixPath>(
    from: impl AsFd,
    old: &P1,
    to: impl AsFd,
    new: &P2,
) -> nix::Result<()> {
    use nix::fcntl::{RenameFlags, renameat2};
    renameat2(from, old, to, new, RenameFlags::RENAME_NOREPLACE)
}

/// Lets two files change their names in one step, so that neither name is ever free.
///
/// # Errors
/// `EINVAL`, `ENOSYS` or `EOPNOTSUPP` where this cannot be asked for.
#[cfg(target_env = "gnu")]
pub(crate) fn exchange(one: &Path, other: &Path) -> nix::Result<()> {
    use nix::fcntl::{RenameFlags, renameat2};
    renameat2(AT_FDCWD, one, AT_FDCWD, other, RenameFlags::RENAME_EXCHANGE)
}

/// Says that this cannot be asked for here: nix has renameat2 for glibc only.
///
/// # Errors
/// Always `ENOSYS`.
#[cfg(not(target_env = "gnu"))]
pub(crate) fn rename_exclusively<P1: ?Sized + NixPath, P2: ?Sized + NixPath>(
    _: impl AsFd,
    _: &P1,
    _: impl AsFd,
    _: &P2,
) -> nix::Result<()> {
    Err(Errno::ENOSYS)
}

/// Says that this cannot be asked for here: nix has renameat2 for glibc only.
///
/// # Errors
/// Always `ENOSYS`.
#[cfg(not(target_env = "gnu"))]
pub(crate) fn exchange(_: &Path, _: &Path) -> nix::Result<()> {
    Err(Errno::ENOSYS)
}

/// Returns whether a file lies on a file system that no other host has.
///
/// Only known file systems count as local. An unknown one may be shared with other hosts.
pub(crate) fn is_local(file: &File) -> bool {
    /// What `linux/magic.h` and the file systems' own sources have, where nix has not.
    const OTHERS: [i64; 6] = [
        0x2fc1_2fc1, // ZFS
        0xca45_1a4e, // bcachefs
        0x3153_464a, // JFS
        0x2011_bab0, // exFAT
        0x2405_1905, // UBIFS
        0x8584_58f6, // ramfs
    ];
    const KNOWN: [FsType; 10] = [
        statfs::EXT4_SUPER_MAGIC,
        statfs::XFS_SUPER_MAGIC,
        statfs::BTRFS_SUPER_MAGIC,
        statfs::F2FS_SUPER_MAGIC,
        statfs::TMPFS_MAGIC,
        statfs::OVERLAYFS_SUPER_MAGIC,
        statfs::REISERFS_SUPER_MAGIC,
        statfs::NILFS_SUPER_MAGIC,
        statfs::JFFS2_SUPER_MAGIC,
        statfs::MSDOS_SUPER_MAGIC,
    ];
    statfs::fstatfs(file).is_ok_and(|system| {
        let magic = system.filesystem_type();
        KNOWN.contains(&magic) || OTHERS.iter().any(|known| magic == FsType(*known as _))
    })
}

/// Returns whether a flock of this file would be the same lock as an fcntl lock: NFS turns one into
/// the other.
pub(crate) fn has_one_kind_of_lock(file: &File) -> bool {
    statfs::fstatfs(file).is_ok_and(|system| system.filesystem_type() == statfs::NFS_SUPER_MAGIC)
}

/// Reserves blocks for a part of a file; `keep_size` leaves its length as it is.
///
/// # Errors
/// When there is no room; `EOPNOTSUPP` or `ENOSYS` where blocks cannot be reserved.
pub(crate) fn reserve(file: &File, from: i64, len: i64, keep_size: bool) -> nix::Result<()> {
    let flags = if keep_size {
        FallocateFlags::FALLOC_FL_KEEP_SIZE
    } else {
        FallocateFlags::empty()
    };
    fallocate(file, flags, from, len)
}

/// Returns how long a file may become by the limit of this process.
pub(crate) fn file_size_limit() -> Option<u64> {
    getrlimit(Resource::RLIMIT_FSIZE).ok().map(|(soft, _)| soft)
}

/// Asks for, or releases, a lock of the whole file by fcntl, without waiting.
///
/// An OFD lock belongs to this open file, and conflicts with classic fcntl locks. A classic lock
/// would be lost as soon as this process closes any other descriptor of the file.
///
/// # Errors
/// `EAGAIN` or `EACCES` when another program holds a lock; others where there is no such lock.
pub(crate) fn lock_range(file: &File, kind: RangeLock) -> nix::Result<()> {
    let range = whole_file(kind);
    let answer = match fcntl(file, FcntlArg::F_OFD_SETLK(&range)) {
        // Kernels before 3.15 have only the classic lock.
        Err(Errno::EINVAL) => fcntl(file, FcntlArg::F_SETLK(&range)),
        answer => answer,
    };
    answer.map(|_| ())
}

/// Returns the process that holds an fcntl lock against us, when the kernel names one.
///
/// A holder of an OFD lock has no pid.
pub(crate) fn range_holder(file: &File) -> Option<u32> {
    // The kernel overwrites the request with a lock that conflicts, or sets its type to F_UNLCK if
    // the holder has released it since.
    let mut range = whole_file(RangeLock::Exclusive);
    fcntl(file, FcntlArg::F_OFD_GETLK(&mut range)).ok()?;
    if range.l_type == libc::F_UNLCK as libc::c_short {
        return None;
    }
    // -1 stands for an OFD lock, 0 for a process outside this pid namespace.
    u32::try_from(range.l_pid).ok().filter(|pid| *pid > 0)
}

/// Returns the request for a lock of this kind on a whole file.
fn whole_file(kind: RangeLock) -> libc::flock {
    let kind = match kind {
        RangeLock::Shared => libc::F_RDLCK,
        RangeLock::Exclusive => libc::F_WRLCK,
        RangeLock::Released => libc::F_UNLCK,
    };
    libc::flock {
        l_type: kind as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        // A length of zero reaches to the end of the file, however far it grows: mail that is
        // appended lies within the lock.
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    }
}

/// Returns the kernel's table of locks, in the form of `/proc/locks`; empty where it is hidden.
pub(crate) fn lock_table() -> String {
    fs::read_to_string("/proc/locks").unwrap_or_default()
}

/// Returns the name of the program that this process runs.
pub(crate) fn program_of(pid: u32) -> Option<String> {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(name.trim_end().to_owned())
}

/// Returns what names the set of processes that our pids belong to, or nothing.
pub(crate) fn pid_namespace() -> String {
    let name = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// Returns what names this run of the kernel, or nothing.
pub(crate) fn boot_id() -> String {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    text.trim().to_owned()
}

/// Returns when this run of the kernel began, by the clock as it is set now.
pub(crate) fn boot_time() -> Option<SystemTime> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("btime "))?;
    let seconds = line.trim().parse().ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// Returns the mask of signals that are ignored; 0 where the system does not say.
pub(crate) fn ignored_signals() -> u64 {
    let mask = || {
        // The kernel gives all of it in one read; its length is not known before.
        let mut status = [0; 4096];
        let count = File::open("/proc/self/status")
            .ok()?
            .read(&mut status)
            .ok()?;
        let status = String::from_utf8_lossy(&status[..count]);
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("SigIgn:"))?;
        u64::from_str_radix(line.trim(), 16).ok()
    };
    mask().unwrap_or(0)
}

/// Returns a name of this program's own file, which holds even where the file has none any more.
pub(crate) fn own_program() -> Option<PathBuf> {
    Some(PathBuf::from("/proc/self/exe"))
}

/// Returns a new file in memory that children may inherit.
///
/// # Errors
/// When the system has none.
pub(crate) fn memory_file() -> io::Result<File> {
    let fd = memfd_create(c"postrider", MFdFlags::MFD_CLOEXEC)?;
    Ok(File::from(fd))
}

/// Lets no core of this process be dumped, whatever the limits are.
pub(crate) fn forbid_dumps() {
    let _ = nix::sys::prctl::set_dumpable(false);
}

/// The names in a directory, "." and ".." included, with their kind where the file system says it.
///
/// libc's reading takes 32 KiB and four calls for a directory of two names, which most of ours are.
pub(crate) struct Names {
    directory: File,
    /// Where the kernel writes; nothing of it counts as written.
    block: Vec<u8>,
    batch: VecDeque<(Vec<u8>, Option<Type>)>,
    fills: usize,
    is_over: bool,
}

/// Reads the names of a directory that was opened for it.
pub(crate) fn names(directory: File) -> io::Result<Names> {
    Ok(Names {
        directory,
        block: Vec::with_capacity(1000),
        batch: VecDeque::new(),
        fills: 0,
        is_over: false,
    })
}

impl Names {
    /// Reads as many names as the block takes.
    fn fill(&mut self) -> io::Result<()> {
        // The second time finds the end of nearly all directories.
        if self.fills > 1 {
            self.block.reserve(32 * 1024);
        }
        self.fills += 1;
        let mut names = RawDir::new(&self.directory, self.block.spare_capacity_mut());
        while let Some(entry) = names.next() {
            let entry = match entry {
                // The directory was removed since it was opened (readdir(3) says so of it): it is empty.
                Err(rustix::io::Errno::NOENT) => break,
                entry => entry?,
            };
            let kind = kind_of(entry.file_type());
            let name = entry.file_name().to_bytes().to_vec();
            self.batch.push_back((name, kind));
            if names.is_buffer_empty() {
                return Ok(());
            }
        }
        self.is_over = true;
        Ok(())
    }
}

impl Iterator for Names {
    type Item = io::Result<(Vec<u8>, Option<Type>)>;

    fn next(&mut self) -> Option<io::Result<(Vec<u8>, Option<Type>)>> {
        while self.batch.is_empty() && !self.is_over {
            if let Err(error) = self.fill() {
                self.is_over = true;
                return Some(Err(error));
            }
        }
        self.batch.pop_front().map(Ok)
    }
}

fn kind_of(kind: FileType) -> Option<Type> {
    match kind {
        FileType::RegularFile => Some(Type::File),
        FileType::Directory => Some(Type::Directory),
        FileType::Symlink => Some(Type::Symlink),
        FileType::Fifo => Some(Type::Fifo),
        FileType::Socket => Some(Type::Socket),
        FileType::CharacterDevice => Some(Type::CharacterDevice),
        FileType::BlockDevice => Some(Type::BlockDevice),
        FileType::Unknown => None,
    }
}

/// Starts to connect to an address, without waiting for it: the socket can be written when it is
/// connected, or when its error says why not.
///
/// # Errors
/// Those of socket(2) and connect(2).
pub(crate) fn start_to_connect(peer: SocketAddr) -> io::Result<TcpStream> {
    let family = match peer {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(family, SocketType::STREAM, flags, None)?;
    match connect(&socket, &peer) {
        Ok(()) | Err(rustix::io::Errno::INPROGRESS) => Ok(TcpStream::from(socket)),
        Err(error) => Err(error.into()),
    }
}

/// Lets the kernel ask a host that says nothing whether it is there, and give it up after a time.
///
/// An option that the kernel does not have leaves the others.
pub(crate) fn watch_peer(socket: impl AsFd, asked_after: Duration, gone_after: Duration) {
    let socket = socket.as_fd();
    let _ = sockopt::set_socket_keepalive(socket, true);
    let _ = sockopt::set_tcp_keepidle(socket, asked_after);
    let _ = sockopt::set_tcp_keepintvl(socket, asked_after);
    let milliseconds = u32::try_from(gone_after.as_millis()).unwrap_or(u32::MAX);
    let _ = sockopt::set_tcp_user_timeout(socket, milliseconds);
}

/// Returns all groups of a user.
///
/// # Errors
/// When the user database cannot be read.
pub(crate) fn groups_of(name: &std::ffi::CStr, own: Gid) -> nix::Result<Vec<Gid>> {
    getgrouplist(name, own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_watched_by_the_kernel() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let peer = listener.local_addr().expect("bound");
        let socket = std::net::TcpStream::connect(peer).expect("connected");
        let (asked, gone) = (Duration::from_secs(10), Duration::from_secs(30));
        watch_peer(&socket, asked, gone);
        assert_eq!(sockopt::socket_keepalive(&socket), Ok(true));
        assert_eq!(sockopt::tcp_keepidle(&socket), Ok(asked));
        assert_eq!(sockopt::tcp_keepintvl(&socket), Ok(asked));
        assert_eq!(sockopt::tcp_user_timeout(&socket), Ok(30_000));
    }
}
