//! Starting programs: one at a time past the fork, with a time limit, as whom we please.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, Uid};

/// The user and group that cases about missing rights run as.
pub const NOBODY: u32 = 65534;

/// Held while an executable is written and while a process is started: a child forked while
/// another thread holds an executable open for writing makes its execution fail with ETXTBSY.
static START: Mutex<()> = Mutex::new(());

/// Puts a copy of an executable at `to`, as a hard link where that is possible.
pub fn install_executable(from: &Path, to: &Path) {
    let _guard = START.lock().unwrap_or_else(PoisonError::into_inner);
    if fs::hard_link(from, to).is_err() {
        fs::copy(from, to).unwrap_or_else(|error| {
            panic!(
                "cannot copy {} to {}: {error}",
                from.display(),
                to.display()
            )
        });
    }
}

/// Writes an executable script.
pub fn install_script(to: &Path, text: &str) {
    let _guard = START.lock().unwrap_or_else(PoisonError::into_inner);
    fs::write(to, text).unwrap();
    fs::set_permissions(to, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Starts a program; every start of a program in the tests goes through here.
pub fn spawn(command: &mut Command) -> io::Result<Child> {
    locked(|| command.spawn())
}

/// Starts a program in another way.
pub fn locked<T>(start: impl FnOnce() -> T) -> T {
    let _guard = START.lock().unwrap_or_else(PoisonError::into_inner);
    start()
}

/// Returns whether the tests were started as root.
pub fn is_root() -> bool {
    Uid::effective().is_root()
}

/// Makes `command` run as nobody, when we are root.
pub fn demote(command: &mut Command) {
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
}

/// Gives a file or a whole directory to nobody, but for installed programs: they may be hard links
/// to those of the build.
pub fn give_to_nobody(path: &Path) {
    let metadata = fs::symlink_metadata(path).unwrap();
    if metadata.is_symlink() || (metadata.is_file() && metadata.nlink() > 1) {
        return;
    }
    chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    if metadata.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            give_to_nobody(&entry.unwrap().path());
        }
    }
}

/// Returns the name of the user that a case runs as.
pub fn user_name(uid: Uid) -> String {
    match nix::unistd::User::from_uid(uid) {
        Ok(Some(user)) => user.name,
        _ => panic!("uid {uid} has no name here, and mail is addressed by name"),
    }
}

/// Tells, past the capture of test output, that something was not tested.
pub fn left_out(what: &str, why: &str) {
    let _ = writeln!(io::stderr(), "LEFT OUT: {what} ({why})");
}

/// What a program gets on standard input.
pub enum Stdin {
    /// `/dev/null`.
    Null,
    /// These bytes, and the end.
    Bytes(Vec<u8>),
    /// These bytes (a pipe's buffer full at most), and no end while the program runs.
    Open(Vec<u8>),
    /// This socket, which is standard output too.
    Socket(TcpStream),
}

/// What a program did.
#[derive(Debug)]
pub struct Output {
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl Output {
    /// Returns the exit status as a shell shows it: 128 + the number of a signal.
    pub fn code(&self) -> i32 {
        self.status
            .code()
            .unwrap_or_else(|| 128 + self.status.signal().unwrap_or(0))
    }
}

/// Called again and again while a program runs, with its process and what it has said on standard
/// error so far, until it returns true.
pub type Meanwhile<'a> = Box<dyn FnMut(Pid, &[u8]) -> bool + 'a>;

/// Runs a program to its end with `stdin` on a pipe.
///
/// The program leads a process group of its own. After `limit` the whole group is killed and the
/// test fails: a hang is a failure, not a suite that stands still.
pub fn run(
    command: &mut Command,
    stdin: Stdin,
    limit: Duration,
    mut meanwhile: Option<Meanwhile<'_>>,
) -> Output {
    let socket = |socket: &TcpStream| Stdio::from(OwnedFd::from(socket.try_clone().unwrap()));
    let (input, out) = match &stdin {
        Stdin::Null => (Stdio::null(), Stdio::piped()),
        Stdin::Bytes(_) | Stdin::Open(_) => (Stdio::piped(), Stdio::piped()),
        Stdin::Socket(end) => (socket(end), socket(end)),
    };
    command
        .process_group(0)
        .stdin(input)
        .stdout(out)
        .stderr(Stdio::piped());
    let mut child = spawn(command).unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let group = Pid::from_raw(child.id() as i32);
    let pipe = child.stdin.take();
    let keep = match (stdin, pipe) {
        (Stdin::Bytes(bytes), Some(mut pipe)) => {
            // A program that does not read its input closes the pipe: that is its own business.
            thread::spawn(move || drop(pipe.write_all(&bytes)));
            None
        }
        (Stdin::Open(bytes), Some(mut pipe)) => {
            let _ = pipe.write_all(&bytes);
            Some(pipe)
        }
        _ => None,
    };
    let stdout = match child.stdout.take() {
        Some(pipe) => drain(pipe),
        None => drain(io::empty()),
    };
    let stderr = drain(child.stderr.take().expect("piped"));
    let start = Instant::now();
    let mut said = Vec::new();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        said.extend(stderr.try_iter().flatten());
        if meanwhile.as_mut().is_some_and(|act| act(group, &said)) {
            meanwhile = None;
        }
        if start.elapsed() > limit {
            let _ = killpg(group, Signal::SIGKILL);
            let _ = child.wait();
            let stdout = collect(&stdout);
            said.extend(collect(&stderr));
            panic!(
                "still running after {limit:?}: {command:?}\nstdout: {}\nstderr: {}",
                String::from_utf8_lossy(&stdout),
                String::from_utf8_lossy(&said),
            );
        }
        thread::sleep(Duration::from_millis(2));
    };
    drop(keep);
    said.extend(collect(&stderr));
    let output = Output {
        status,
        stdout: collect(&stdout),
        stderr: said,
    };
    // Nobody may stay behind holding our files.
    let _ = killpg(group, Signal::SIGKILL);
    output
}

/// Waits for somebody to connect; after `limit` the test fails.
pub fn accept(listener: &TcpListener, limit: Duration) -> TcpStream {
    listener.set_nonblocking(true).unwrap();
    let start = Instant::now();
    loop {
        match listener.accept() {
            Ok((socket, _)) => {
                socket.set_nonblocking(false).unwrap();
                return socket;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => panic!("cannot accept a connection: {error}"),
        }
        assert!(start.elapsed() < limit, "nobody connected in {limit:?}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// What a program waits for.
pub enum Awaited {
    /// More on its standard input, of which it has read all that is there.
    Input,
    /// More in this pipe, of which it has read all that is there, or a writer for it.
    Pipe(PathBuf),
    /// A reader for this pipe, which is full.
    Reader(PathBuf),
}

/// Returns whether a program sleeps until something comes, and has a handler for a signal. What
/// cannot be seen in /proc is not so.
pub fn is_waiting(pid: Pid, signal: Signal, awaited: &Awaited) -> bool {
    let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else {
        return false;
    };
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.map(str::trim).unwrap_or_default()
    };
    let caught = u64::from_str_radix(field("SigCgt:"), 16).unwrap_or(0);
    if caught >> (signal as i32 - 1) & 1 == 0 || !field("State:").starts_with('S') {
        return false;
    }
    let (path, events) = match awaited {
        Awaited::Input => (format!("/proc/{pid}/fd/0").into(), PollFlags::POLLIN),
        Awaited::Pipe(path) if has_open(pid, path) => (path.clone(), PollFlags::POLLIN),
        Awaited::Reader(path) if has_open(pid, path) => (path.clone(), PollFlags::POLLOUT),
        Awaited::Pipe(_) | Awaited::Reader(_) => return false,
    };
    let mut options = fs::OpenOptions::new();
    // A terminal that is opened here must not become ours.
    options.custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits());
    let is_input = events == PollFlags::POLLIN;
    let Ok(file) = options.read(is_input).write(!is_input).open(path) else {
        return false;
    };
    poll(&mut [PollFd::new(file.as_fd(), events)], PollTimeout::ZERO) == Ok(0)
}

/// Returns whether a program has this file open.
fn has_open(pid: Pid, path: &Path) -> bool {
    let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return false;
    };
    descriptors
        .flatten()
        .any(|one| fs::read_link(one.path()).is_ok_and(|target| target == path))
}

/// Returns how many bytes a process has read so far, of all its files.
pub fn bytes_read(pid: Pid) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/io")).unwrap_or_default();
    let count = text.lines().find_map(|line| line.strip_prefix("rchar: "));
    count.and_then(|count| count.parse().ok()).unwrap_or(0)
}

/// Returns the process that runs this executable.
pub fn process_of(executable: &Path) -> Option<Pid> {
    let processes = fs::read_dir("/proc").ok()?.flatten();
    processes
        .filter(|one| fs::read_link(one.path().join("exe")).is_ok_and(|exe| exe == executable))
        .find_map(|one| one.file_name().to_str()?.parse().ok().map(Pid::from_raw))
}

/// Reads a pipe to its end on a thread.
fn drain(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut block = vec![0; 1 << 16];
        while let Ok(count @ 1..) = pipe.read(&mut block) {
            if sender.send(block[..count].to_vec()).is_err() {
                break;
            }
        }
    });
    receiver
}

/// Returns what came through a pipe until its end, or until nothing came for two seconds.
///
/// The second is for a grandchild that outlives the program and holds the pipe.
fn collect(receiver: &Receiver<Vec<u8>>) -> Vec<u8> {
    let mut all = Vec::new();
    while let Ok(block) = receiver.recv_timeout(Duration::from_secs(2)) {
        all.extend(block);
    }
    all
}

/// Asserts that whoever `command`s run as lacks a right: `-r`, `-w` or `-x` on `path`.
pub fn assert_lacks(right: &str, path: &Path, as_nobody: bool) {
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", &format!("test ! {right} \"$1\""), "sh"])
        .arg(OsStr::new(path))
        .env_clear();
    if as_nobody {
        demote(&mut command);
    }
    let output = run(&mut command, Stdin::Null, Duration::from_secs(10), None);
    assert!(
        output.status.success(),
        "the case needs `test {right} {}` to be false",
        path.display()
    );
}
