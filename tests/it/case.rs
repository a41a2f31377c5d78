//! `Case`: one run of the program in a world of its own, and everything expected of it.
//!
//! What a case does not mention must not happen: standard output and standard error are empty, the
//! status is 0, no file of the case's directory appears, vanishes or changes.
//!
//! The world is a fresh directory, written `[DIR]` in arguments, configuration and expected output:
//!
//! | | |
//! |---|---|
//! | `[DIR]/home` | `HOME`; `DEAD` is `[DIR]/home/dead.letter` |
//! | `[DIR]/cwd` | the current directory |
//! | `[DIR]/spool` | `set spool=` |
//! | `[DIR]/home/outbox` | `set outbox=` |
//! | `[DIR]/bin` | `PATH`; the program under all its names |
//! | `[DIR]/rc` | `MAILRC` |
//! | `[DIR]/mta` | the fake sendmail, if there is one |

mod check;

#[allow(unused_imports)]
pub use check::fault_of_words;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::net::TcpListener;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use assert_cmd::cargo::cargo_bin;
use nix::sys::signal::Signal;
use nix::unistd::{Pid, Uid};
use tempfile::TempDir;

use crate::launch::{self, Awaited, Meanwhile, NOBODY, Output, Stdin};
use crate::letters::{Letter, letters};
use crate::namespace;
use crate::pty::Terminal;
use crate::sendmail::{Call, FakeSendmail};
use crate::waiting::{self, Waiting};

/// Returns the program under test, which Cargo builds before the tests.
pub fn program() -> &'static Path {
    cargo_bin!("postrider")
}

/// 2026-11-16 09:00:00 UTC, a Monday: the time that `Date:` fields and From_ lines show.
pub const CLOCK: &str = "1794819600";

/// The outbox of a case.
pub const OUTBOX: &str = "home/outbox";

/// The names that the program is called by.
const NAMES: [&str; 7] = [
    "postrider",
    "mailx",
    "mail",
    "Mail",
    "sendmail",
    "mailq",
    "newaliases",
];

/// One run and what is expected of it.
pub struct Case {
    dir: TempDir,
    name: String,
    args: Vec<OsString>,
    env: BTreeMap<OsString, OsString>,
    rc: String,
    stdin: Option<Vec<u8>>,
    limit: Duration,
    as_nobody: bool,
    sendmail: Option<FakeSendmail>,
    wrapper: Option<Vec<OsString>>,
    private: bool,
    prepared: bool,
    signal: Option<(When, Signal)>,
    behind_signal: Option<PathBuf>,
    stdin_stays_open: bool,

    status: Status,
    stdout: Text,
    stderr: Text,
    says: Vec<String>,
    hints: Vec<String>,
    kept: Option<usize>,
    may_keep: bool,
    queued: Option<usize>,
    kept_somewhere: Option<usize>,
    mentioned: Vec<PathBuf>,
    leaves: Vec<(PathBuf, Vec<u8>)>,
}

/// When a signal is sent.
enum When {
    Exists(PathBuf),
    After(Duration),
    Ready(Box<dyn Fn() -> bool + Send>),
    Waiting(Awaited),
    Said(String),
}

/// The expected exit status.
#[derive(Clone, Copy)]
enum Status {
    Is(i32),
    /// Any but 0, where the documents fix no more.
    Failure,
    Any,
}

/// The expected content of an output.
#[derive(Clone)]
enum Text {
    Is(Vec<u8>),
    Contains(Vec<String>),
    Any,
}

impl Case {
    /// Returns a case of the program called as `mailx` without arguments, whose `mta` is
    /// `[DIR]/mta/sendmail`: missing, unless there is a [`Case::sendmail`].
    pub fn new() -> Case {
        let dir = tempfile::Builder::new()
            .prefix("postrider-it-")
            .tempdir()
            .unwrap();
        // Nobody must be able to walk in.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["home", "cwd", "spool", "bin"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        Case {
            dir,
            name: "mailx".to_owned(),
            args: Vec::new(),
            env: BTreeMap::new(),
            rc: String::new(),
            stdin: Some(Vec::new()),
            limit: Duration::from_secs(30),
            as_nobody: false,
            sendmail: None,
            wrapper: None,
            private: false,
            prepared: false,
            signal: None,
            behind_signal: None,
            stdin_stays_open: false,
            status: Status::Is(0),
            stdout: Text::Is(Vec::new()),
            stderr: Text::Is(Vec::new()),
            says: Vec::new(),
            hints: Vec::new(),
            kept: None,
            may_keep: false,
            queued: Some(0),
            kept_somewhere: None,
            mentioned: vec![PathBuf::from(OUTBOX)],
            leaves: Vec::new(),
        }
    }

    /// Returns a case of `mailx ARGS` that sends through a fake sendmail which accepts.
    pub fn send<const N: usize>(args: [&str; N]) -> Case {
        Case::new().args(args).sendmail(FakeSendmail::accepting())
    }

    // --- the world ---------------------------------------------------------------------------

    /// Calls the program by this name (through a symbolic link).
    pub fn called(mut self, name: &str) -> Case {
        self.name = name.to_owned();
        self
    }

    /// Adds arguments; `[DIR]` stands for the case's directory.
    pub fn args<I, S>(mut self, args: I) -> Case
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        for arg in args {
            let arg = self.fill_in(arg.as_ref().as_bytes());
            self.args.push(OsString::from_vec(arg));
        }
        self
    }

    /// Gives these bytes on standard input; a case without them has an empty one.
    pub fn stdin(mut self, bytes: impl AsRef<[u8]>) -> Case {
        self.stdin = Some(bytes.as_ref().to_vec());
        self
    }

    /// Sets a variable of the environment, which is otherwise empty but for the table above.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Case {
        let value = self.fill_in(value.as_ref().as_bytes());
        self.env.insert(name.into(), OsString::from_vec(value));
        self
    }

    /// Adds lines to the configuration file that `MAILRC` names.
    pub fn rc(mut self, lines: &str) -> Case {
        assert!(!self.prepared, "too late: the configuration is written");
        self.rc.push_str(lines);
        self.rc.push('\n');
        self
    }

    /// Puts a file into the case's directory, for example `cwd/report.pdf`.
    pub fn file(self, path: &str, bytes: impl AsRef<[u8]>) -> Case {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a file lies in a directory")).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    /// Makes a directory.
    pub fn directory(self, path: &str) -> Case {
        fs::create_dir_all(self.path(path)).unwrap();
        self
    }

    /// Makes a named pipe, with no writer.
    pub fn fifo(self, path: &str) -> Case {
        nix::unistd::mkfifo(
            &self.path(path),
            nix::sys::stat::Mode::from_bits_truncate(0o600),
        )
        .unwrap();
        self
    }

    /// Makes a symbolic link.
    pub fn link(self, path: &str, target: &str) -> Case {
        let target = OsString::from_vec(self.fill_in(target.as_bytes()));
        symlink(target, self.path(path)).unwrap();
        self
    }

    /// Sets the mode of a file.
    pub fn mode(mut self, path: &str, mode: u32) -> Case {
        if path == "rc" {
            self.prepare();
        }
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    /// Sends through this fake sendmail.
    pub fn sendmail(mut self, sendmail: FakeSendmail) -> Case {
        self.sendmail = Some(sendmail);
        self
    }

    /// Runs as nobody when the tests run as root, and owns the case's directory then.
    pub fn nobody(mut self) -> Case {
        self.as_nobody = true;
        self
    }

    /// Runs `wrapper... PROGRAM ARGS...`.
    pub fn wrapped<I, S>(mut self, wrapper: I) -> Case
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        let words = wrapper.into_iter();
        self.wrapper = Some(words.map(|word| word.as_ref().to_owned()).collect());
        self
    }

    /// Runs with a private `/etc`, `/usr/sbin`, `/var/mail`, `/var/spool` and `/var/tmp`, as root in a
    /// namespace of its own.
    ///
    /// `[DIR]/sys/etc`, `[DIR]/mta`, `[DIR]/spool`, `[DIR]/sys/spool` and `[DIR]/tmp` lie there; the configuration says nothing of
    /// `mta` and `spool`. Returns `None`, loudly, where there are no namespaces.
    pub fn private(mut self, what: &str) -> Option<Case> {
        self.wrapper = namespace::wrapper(self.dir.path());
        if self.wrapper.is_none() {
            launch::left_out(what, "needs a private mount namespace (unshare -rm)");
            return None;
        }
        namespace::furnish(self.dir.path());
        self.private = true;
        Some(self)
    }

    /// Runs a shell script instead of the program, inside what wraps it already.
    pub fn within(mut self, script: &str) -> Case {
        let inner = ["/bin/sh", "-c", script, "sh"].map(OsString::from);
        self.wrapper.get_or_insert_default().extend(inner);
        self
    }

    /// Fails when the program still runs after this time; it is 30 s otherwise.
    pub fn limit(mut self, limit: Duration) -> Case {
        self.limit = limit;
        self
    }

    /// Sends a signal to the program as soon as a file exists.
    pub fn signal_at(mut self, path: &str, signal: Signal) -> Case {
        self.signal = Some((When::Exists(self.path(path)), signal));
        self
    }

    /// Sends a signal to the program after this time.
    pub fn signal_after(mut self, time: Duration, signal: Signal) -> Case {
        self.signal = Some((When::After(time), signal));
        self
    }

    /// Sends a signal to the program as soon as something has happened.
    pub fn signal_when(
        mut self,
        ready: impl Fn() -> bool + Send + 'static,
        signal: Signal,
    ) -> Case {
        self.signal = Some((When::Ready(Box::new(ready)), signal));
        self
    }

    /// Sends a signal to the program as soon as it has read all of an open standard input, would
    /// handle this signal, and sleeps.
    pub fn signal_when_waiting(mut self, signal: Signal) -> Case {
        self.signal = Some((When::Waiting(Awaited::Input), signal));
        self
    }

    /// Sends a signal to the program as soon as it has read all that is in this pipe, would handle
    /// this signal, and sleeps.
    pub fn signal_when_waiting_for(mut self, pipe: &str, signal: Signal) -> Case {
        let awaited = Awaited::Pipe(self.path(pipe));
        self.signal = Some((When::Waiting(awaited), signal));
        self
    }

    /// Sends a signal to the program as soon as it has filled this pipe, would handle this signal,
    /// and sleeps.
    pub fn signal_when_blocked_by(mut self, pipe: &str, signal: Signal) -> Case {
        let awaited = Awaited::Reader(self.path(pipe));
        self.signal = Some((When::Waiting(awaited), signal));
        self
    }

    /// Sends a signal to the program as soon as it has said this on standard error.
    pub fn signal_when_said(mut self, text: &str, signal: Signal) -> Case {
        self.signal = Some((When::Said(text.to_owned()), signal));
        self
    }

    /// Makes a file behind the signal, for what must outlive it.
    pub fn then_makes(mut self, path: &str) -> Case {
        self.behind_signal = Some(self.path(path));
        self.may_change(path)
    }

    /// Gives these bytes on standard input, whose end never comes.
    pub fn stdin_stays_open(self, bytes: impl AsRef<[u8]>) -> Case {
        let mut case = self.stdin(bytes);
        case.stdin_stays_open = true;
        case
    }

    // --- the expectations --------------------------------------------------------------------

    /// Expects this exit status; 128 + N is a death by signal N, and nothing else.
    pub fn status(mut self, status: i32) -> Case {
        self.status = Status::Is(status);
        self
    }

    /// Expects an exit status other than 0.
    pub fn fails(mut self) -> Case {
        self.status = Status::Failure;
        self
    }

    /// Expects nothing of the exit status.
    pub fn any_status(mut self) -> Case {
        self.status = Status::Any;
        self
    }

    /// Expects exactly this on standard output.
    pub fn stdout(mut self, text: impl AsRef<[u8]>) -> Case {
        self.stdout = Text::Is(text.as_ref().to_vec());
        self
    }

    /// Expects this somewhere on standard output.
    pub fn stdout_contains(mut self, text: &str) -> Case {
        add_fragment(&mut self.stdout, text);
        self
    }

    /// Expects nothing of standard output.
    pub fn any_stdout(mut self) -> Case {
        self.stdout = Text::Any;
        self
    }

    /// Expects exactly this on standard error.
    pub fn stderr(mut self, text: impl AsRef<[u8]>) -> Case {
        self.stderr = Text::Is(text.as_ref().to_vec());
        self
    }

    /// Expects this somewhere on standard error.
    pub fn stderr_contains(mut self, text: &str) -> Case {
        add_fragment(&mut self.stderr, text);
        self
    }

    /// Expects nothing of standard error.
    pub fn any_stderr(mut self) -> Case {
        self.stderr = Text::Any;
        self
    }

    /// Expects a line `NAME: …` on standard error that contains this text.
    ///
    /// All of standard error is then lines `NAME: …` or `hint: …`, without control characters, and
    /// every `NAME: …` line is one that was expected (or names where the mail is kept).
    pub fn says(mut self, text: &str) -> Case {
        self.says.push(text.to_owned());
        self
    }

    /// Expects a line `hint: …` that contains this text.
    pub fn hints(mut self, text: &str) -> Case {
        self.hints.push(text.to_owned());
        self
    }

    /// Expects that `$DEAD` holds this many messages afterwards, mode 0600, and that standard error
    /// names it.
    pub fn keeps(mut self, count: usize) -> Case {
        self.kept = Some(count);
        self.mentioned.push(PathBuf::from("home/dead.letter"));
        self
    }

    /// Expects that the outbox holds this many messages afterwards, and that standard error names
    /// it if there is one.
    pub fn queues(mut self, count: usize) -> Case {
        self.queued = Some(count);
        self
    }

    /// Expects that `$DEAD` and the outbox together hold this many messages afterwards, and that
    /// standard error names the place.
    pub fn keeps_somewhere(mut self, count: usize) -> Case {
        self.kept_somewhere = Some(count);
        self.lets_keep()
    }

    /// Lets standard error name where the mail is kept, if it is.
    pub fn lets_keep(mut self) -> Case {
        self.may_keep = true;
        self.queued = None;
        self.may_change("home/dead.letter")
    }

    /// Expects this content of a file.
    pub fn leaves(mut self, path: &str, bytes: impl AsRef<[u8]>) -> Case {
        self.leaves
            .push((PathBuf::from(path), bytes.as_ref().to_vec()));
        self.may_change(path)
    }

    /// Lets a file or directory appear, change or vanish. Who lets `$DEAD` or the whole home
    /// directory change lets the outbox, too.
    pub fn may_change(mut self, path: &str) -> Case {
        if path == "home/dead.letter" || Path::new(OUTBOX).starts_with(path) {
            self.queued = None;
        }
        self.mentioned.push(PathBuf::from(path));
        self
    }

    // --- the run -----------------------------------------------------------------------------

    /// Returns a path in the case's directory.
    pub fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    /// Returns the name of the user that the program will run as.
    pub fn user(&self) -> String {
        launch::user_name(self.uid())
    }

    fn uid(&self) -> Uid {
        if self.as_nobody && launch::is_root() {
            Uid::from_raw(NOBODY)
        } else {
            Uid::effective()
        }
    }

    /// Asserts that the program's user lacks a right (`-r`, `-w`, `-x`) on a file.
    pub fn lacking(mut self, right: &str, path: &str) -> Case {
        self.prepare();
        launch::assert_lacks(right, &self.path(path), self.as_nobody);
        self
    }

    /// Puts the program, the configuration and the fake sendmail in place.
    fn prepare(&mut self) {
        if std::mem::replace(&mut self.prepared, true) {
            return;
        }
        if !self.path("bin/postrider").exists() {
            launch::install_executable(program(), &self.path("bin/postrider"));
            for name in &NAMES[1..] {
                symlink("postrider", self.path("bin").join(name)).unwrap();
            }
        }
        let mut rc = "set log=off\n".to_owned();
        if let Some(sendmail) = &self.sendmail {
            sendmail.install(&self.path("mta"));
        }
        if !self.private {
            // In one line: the cases count theirs from here.
            let line = format!("set spool=[DIR]/spool outbox=[DIR]/{OUTBOX}\n");
            rc.push_str(&self.text_filled_in(&line));
            // Never the machine's own MTA, even where a case has none.
            rc.push_str(&self.text_filled_in("set mta=[DIR]/mta/sendmail\n"));
        }
        rc.push_str(&self.text_filled_in(&self.rc));
        fs::write(self.path("rc"), rc).unwrap();
        if self.as_nobody && launch::is_root() {
            // The spool stays root's: whether nobody may write there is the case's business.
            for path in ["home", "cwd", "mta", "rc"] {
                if self.path(path).exists() {
                    launch::give_to_nobody(&self.path(path));
                }
            }
        }
    }

    fn command(&self) -> Command {
        let program = self.path("bin").join(&self.name);
        let mut command = match self.wrapper.as_deref() {
            Some([first, rest @ ..]) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
            _ => Command::new(program),
        };
        command
            .args(&self.args)
            .current_dir(self.path("cwd"))
            .env_clear()
            .env("HOME", self.path("home"))
            .env("DEAD", self.path("home/dead.letter"))
            .env("MAILRC", self.path("rc"))
            .env("PATH", self.path("bin"))
            .env("TZ", "UTC")
            .env("LC_ALL", "C")
            .env("SOURCE_DATE_EPOCH", CLOCK);
        for (name, value) in &self.env {
            if value.is_empty() {
                command.env_remove(name)
            } else {
                command.env(name, value)
            };
        }
        if self.as_nobody {
            launch::demote(&mut command);
        }
        command
    }

    /// Runs the program and checks every expectation.
    #[track_caller]
    pub fn run(mut self) -> Ran {
        self.prepare();
        let before = check::snapshot(self.dir.path());
        let signal = self.signal.take();
        let start = Instant::now();
        let meanwhile = signal.map(|(when, signal)| {
            let behind = self.behind_signal.take();
            Box::new(move |group: Pid, said: &[u8]| {
                let now = match &when {
                    When::Exists(path) => path.exists(),
                    When::After(time) => start.elapsed() >= *time,
                    When::Ready(ready) => ready(),
                    When::Waiting(awaited) => launch::is_waiting(group, signal, awaited),
                    When::Said(text) => String::from_utf8_lossy(said).contains(text),
                };
                if now {
                    // The program alone: its child must hear of it from the program, or not at all.
                    let _ = nix::sys::signal::kill(group, signal);
                    if let Some(path) = &behind {
                        fs::write(path, "").unwrap();
                    }
                }
                now
            }) as Meanwhile
        });
        let stdin = match (self.stdin.take(), self.stdin_stays_open) {
            (Some(bytes), true) => Stdin::Open(bytes),
            (Some(bytes), false) => Stdin::Bytes(bytes),
            (None, _) => Stdin::Null,
        };
        let output = launch::run(&mut self.command(), stdin, self.limit, meanwhile);
        self.judge(&before, output, start.elapsed())
    }

    /// Runs the program as inetd does, with a socket for standard input and output; `client` gets
    /// the port of its other end.
    ///
    /// What the program says there is the client's to judge; the rest is checked as by
    /// [`Case::run`].
    #[track_caller]
    pub fn served(mut self, client: impl FnOnce(u16)) -> Ran {
        self.prepare();
        let before = check::snapshot(self.dir.path());
        let start = Instant::now();
        let mut command = self.command();
        let limit = self.limit;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let output = thread::scope(|scope| {
            let server = scope.spawn(move || {
                let stdin = Stdin::Socket(launch::accept(&listener, limit));
                launch::run(&mut command, stdin, limit, None)
            });
            client(port);
            server.join().unwrap_or_else(|panic| resume_unwind(panic))
        });
        self.judge(&before, output, start.elapsed())
    }

    /// Runs the program at a terminal, with somebody who types and looks.
    ///
    /// Standard output and error are one there: what was shown is both. The rest is checked as by
    /// [`Case::run`].
    #[track_caller]
    pub fn at_terminal(mut self, person: impl FnOnce(&mut Terminal)) -> Ran {
        self.prepare();
        let before = check::snapshot(self.dir.path());
        let start = Instant::now();
        let mut command = self.command();
        if !self.env.contains_key(OsStr::new("TERM")) {
            command.env("TERM", "xterm");
        }
        self.stdout = Text::Any;
        self.stderr = Text::Any;
        let mut terminal = Terminal::start(command, self.path("bin/postrider"));
        person(&mut terminal);
        let output = terminal.end();
        self.judge(&before, output, start.elapsed())
    }

    /// Checks every expectation.
    #[track_caller]
    fn judge(self, before: &check::Snapshot, output: Output, took: Duration) -> Ran {
        let after = check::snapshot(self.dir.path());
        let mut wrong = String::new();
        self.check_output(&output, &mut wrong);
        self.check_words(&output, &mut wrong);
        self.check_kept(&output, &mut wrong);
        self.check_queued(&output, &mut wrong);
        self.check_files(before, &after, &mut wrong);
        // `private` is for cases that write there.
        if !self.private
            && self
                .shown(&output.stderr)
                .contains("saved in /var/tmp/postrider-")
        {
            wrong.push_str("the machine's own /var/tmp was written to\n");
        }
        if !wrong.is_empty() {
            panic!(
                "{wrong}\n--- {} {:?} ended with {} after {took:?}\n--- stdout:\n{}\n--- stderr:\n{}",
                self.name,
                self.args,
                output.code(),
                self.shown(&output.stdout),
                self.shown(&output.stderr),
            );
        }
        Ran { case: self, output }
    }

    /// Returns the directory of the outbox.
    fn outbox(&self) -> PathBuf {
        match (self.private, self.uid().is_root()) {
            (false, _) => self.path(OUTBOX),
            (true, true) => self.path("sys/spool/postrider/outbox"),
            (true, false) => self.path("home/.local/state/postrider/outbox"),
        }
    }

    fn fill_in(&self, bytes: &[u8]) -> Vec<u8> {
        replace(bytes, b"[DIR]", self.dir.path().as_os_str().as_bytes())
    }

    fn text_filled_in(&self, text: &str) -> String {
        String::from_utf8(self.fill_in(text.as_bytes())).unwrap()
    }

    /// Returns output as text, with the case's directory as `[DIR]`.
    fn shown(&self, bytes: &[u8]) -> String {
        let bytes = replace(bytes, self.dir.path().as_os_str().as_bytes(), b"[DIR]");
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// A case that has run, for questions about what it left behind.
pub struct Ran {
    case: Case,
    pub output: Output,
}

impl Ran {
    /// Returns the calls of the fake sendmail.
    pub fn calls(&self) -> Vec<Call> {
        Call::all(&self.case.path("mta"))
    }

    /// Returns the only call of the fake sendmail.
    #[track_caller]
    pub fn call(&self) -> Call {
        let mut calls = self.calls();
        assert_eq!(
            calls.len(),
            1,
            "sendmail ran {} times: {calls:#?}",
            calls.len()
        );
        calls.remove(0)
    }

    /// Asserts that sendmail was not called.
    #[track_caller]
    pub fn nothing_sent(&self) {
        assert!(
            self.calls().is_empty(),
            "sendmail was called: {:#?}",
            self.calls()
        );
    }

    /// Returns the messages kept in `$DEAD`.
    pub fn dead(&self) -> Vec<Letter> {
        letters(&self.read("home/dead.letter"))
    }

    /// Returns the messages in the outbox, in order of arrival.
    pub fn queued(&self) -> Vec<Waiting> {
        waiting::entries(&self.case.outbox())
    }

    /// Returns all messages that were kept, in `$DEAD` and in the outbox.
    pub fn unsent(&self) -> Vec<Letter> {
        let dead = self.case.path("home/dead.letter");
        let mut all = letters(&fs::read(dead).unwrap_or_default());
        all.extend(self.queued().iter().map(Waiting::letter));
        all
    }

    /// Returns the only message in the outbox.
    #[track_caller]
    pub fn waiting(&self) -> Waiting {
        let mut queued = self.queued();
        assert_eq!(queued.len(), 1, "in the outbox: {queued:#?}");
        queued.remove(0)
    }

    /// Returns the bytes of a file of the case's directory.
    #[track_caller]
    pub fn read(&self, path: &str) -> Vec<u8> {
        fs::read(self.case.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Returns a path of the case's directory.
    pub fn path(&self, path: &str) -> PathBuf {
        self.case.path(path)
    }

    /// Returns standard output as text.
    pub fn stdout(&self) -> String {
        self.case.shown(&self.output.stdout)
    }

    /// Returns standard error as text.
    pub fn stderr(&self) -> String {
        self.case.shown(&self.output.stderr)
    }

    /// Returns a new case in the same directory, for a second run.
    pub fn again(self) -> Case {
        let mut next = Case::new();
        next.dir = self.case.dir;
        next.name = self.case.name;
        next.env = self.case.env;
        next.as_nobody = self.case.as_nobody;
        // What the first run made is part of the world of the second.
        next.sendmail = self.case.sendmail;
        next.mentioned.push(PathBuf::from("mta/calls"));
        next
    }
}

fn add_fragment(text: &mut Text, fragment: &str) {
    match text {
        Text::Contains(fragments) => fragments.push(fragment.to_owned()),
        _ => *text = Text::Contains(vec![fragment.to_owned()]),
    }
}

/// Returns `bytes` with every `from` replaced.
fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = memchr::memmem::find(rest, from) {
        result.extend_from_slice(&rest[..at]);
        result.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    result.extend_from_slice(rest);
    result
}
