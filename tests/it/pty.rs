//! A terminal for the program: a pty with a person at its other end.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use expectrl::process::unix::WaitStatus;
use expectrl::session::OsSession;
use expectrl::{Eof, Expect, Session};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::launch::{self, Awaited, Output};

/// How long the person waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A terminal at which the program runs.
pub struct Terminal {
    session: OsSession,
    executable: PathBuf,
    seen: Vec<u8>,
}

impl Terminal {
    /// Starts a program with a terminal as its standard input, output and error; it runs this
    /// executable, or a shell that does.
    pub fn start(command: Command, executable: PathBuf) -> Terminal {
        let mut session = launch::locked(|| Session::spawn(command)).expect("a pty");
        session.set_expect_timeout(Some(PATIENCE));
        Terminal {
            session,
            executable,
            seen: Vec::new(),
        }
    }

    /// Waits until this is on the screen, behind what was waited for before.
    #[track_caller]
    pub fn sees(&mut self, text: &str) {
        match self.session.expect(text) {
            Ok(found) => self.seen.extend_from_slice(found.as_bytes()),
            Err(error) => {
                let rest = self.rest();
                panic!("no {text:?} on the terminal ({error}), only:\n{rest:?}");
            }
        }
    }

    /// Waits until the program has read all that is there for it, would handle the interrupt key,
    /// and sleeps.
    #[track_caller]
    pub fn waits(&mut self) {
        self.waits_having_read(0);
    }

    /// Types these keys, and waits until the program has read them and waits for more.
    #[track_caller]
    pub fn types_and_is_read(&mut self, keys: &str) {
        let process = launch::process_of(&self.executable);
        let before = process.map_or(0, launch::bytes_read);
        self.types(keys);
        self.waits_having_read(before + keys.len() as u64);
    }

    /// Waits until the program has read this many bytes and waits for more.
    #[track_caller]
    pub fn waits_having_read(&mut self, bytes: u64) {
        let start = Instant::now();
        loop {
            let waits = launch::process_of(&self.executable).is_some_and(|pid| {
                // A key that is on its way to the terminal is not to be seen there: so both.
                launch::is_waiting(pid, Signal::SIGINT, &Awaited::Input)
                    && launch::bytes_read(pid) >= bytes
            });
            if waits {
                return;
            }
            if start.elapsed() > PATIENCE {
                let rest = self.rest();
                panic!("the program does not wait for input; on the terminal:\n{rest:?}");
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Types these keys.
    pub fn types(&mut self, keys: impl AsRef<[u8]>) {
        self.session.send(keys).expect("the terminal takes keys");
    }

    /// Gives the terminal this size.
    pub fn resizes(&mut self, columns: u16, rows: u16) {
        let process = self.session.get_process_mut();
        process
            .set_window_size(columns, rows)
            .expect("a terminal has a size");
    }

    /// Sends the program a signal.
    pub fn signals(&mut self, signal: Signal) {
        let pid = self.session.get_process().pid().as_raw();
        kill(Pid::from_raw(pid), signal).expect("the program runs");
    }

    fn rest(&mut self) -> String {
        let mut block = [0; 65536];
        while let Ok(count @ 1..) = self.session.try_read(&mut block) {
            self.seen.extend_from_slice(&block[..count]);
        }
        String::from_utf8_lossy(&self.seen).into_owned()
    }

    /// Waits for the program's end; all that was on the screen is its output.
    #[track_caller]
    pub fn end(mut self) -> Output {
        match self.session.expect(Eof) {
            Ok(found) => self.seen.extend_from_slice(found.as_bytes()),
            Err(error) => {
                let rest = self.rest();
                let _ = self.session.get_process_mut().exit(true);
                panic!("the program does not end ({error}); on the terminal:\n{rest:?}");
            }
        }
        let status = match self.session.get_process().wait().expect("a status") {
            WaitStatus::Exited(_, code) => ExitStatus::from_raw(code << 8),
            WaitStatus::Signaled(_, signal, _) => ExitStatus::from_raw(signal as i32),
            other => panic!("{other:?}"),
        };
        Output {
            status,
            stderr: self.seen.clone(),
            stdout: self.seen,
        }
    }
}
