//! A terminal for the program: a pty with a person at its other end.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use expectrl::process::unix::WaitStatus;
use expectrl::session::OsSession;
use expectrl::{Eof, Expect, Session};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::launch::{self, Output};

/// How long the person waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A terminal at which the program runs.
pub struct Terminal {
    session: OsSession,
    seen: Vec<u8>,
}

impl Terminal {
    /// Starts a program with a terminal as its standard input, output and error.
    pub fn start(command: Command) -> Terminal {
        let mut session = launch::locked(|| Session::spawn(command)).expect("a pty");
        session.set_expect_timeout(Some(PATIENCE));
        Terminal {
            session,
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

    /// Types these keys.
    pub fn types(&mut self, keys: &str) {
        self.session.send(keys).expect("the terminal takes keys");
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
