//! A stand-in for `/usr/sbin/sendmail`: records what it was given and behaves as told.
//!
//! It takes nothing from its arguments or its environment, since those are what it records. Beside
//! its executable lie `script` (what to do, one step a line) and `calls/` (one numbered directory a
//! call, with `argv`, `env` and `stdin`). The steps:
//!
//! | step | what it does |
//! |---|---|
//! | `read all`, `read N` | reads standard input to its end, or N bytes of it, into `stdin` |
//! | `say TEXT` | writes a line to standard error |
//! | `chatter N` | writes N bytes to standard error |
//! | `hang` | makes the file `hanging`, then sleeps for an hour |
//! | `exit N`, `kill N` | ends with that status, or by that signal |
#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods)]

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use nix::sys::signal::{Signal, raise};

fn main() -> ExitCode {
    match serve() {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            let _ = writeln!(io::stderr(), "fake sendmail: {error}");
            ExitCode::from(99)
        }
    }
}

fn serve() -> io::Result<u8> {
    let executable = std::env::current_exe()?;
    let home = executable.parent().expect("a file lies in a directory");
    let call = new_call(&home.join("calls"))?;
    record(&call)?;
    let mut stdin = File::create(call.join("stdin"))?;
    for step in fs::read_to_string(home.join("script"))?.lines() {
        let (verb, rest) = step.split_once(' ').unwrap_or((step, ""));
        match (verb, rest) {
            ("read", "all") => {
                io::copy(&mut io::stdin().lock(), &mut stdin)?;
            }
            ("read", count) => {
                io::copy(&mut io::stdin().lock().take(number(count)?), &mut stdin)?;
            }
            ("say", text) => writeln!(io::stderr(), "{text}")?,
            ("chatter", count) => {
                let line = b"a line of chatter on standard error, 64 bytes long, from the MTA\n";
                for _ in 0..=number(count)? / line.len() as u64 {
                    io::stderr().write_all(line)?;
                }
            }
            ("hang", _) => {
                File::create(call.join("hanging"))?;
                std::thread::sleep(Duration::from_secs(3600));
            }
            ("exit", status) => return Ok(number(status)? as u8),
            ("kill", signal) => {
                raise(Signal::try_from(number(signal)? as i32)?)?;
                return Err(io::Error::other("still alive"));
            }
            _ => return Err(io::Error::other(format!("unknown step: {step}"))),
        }
    }
    Ok(0)
}

/// Makes the directory of this call; calls may run at the same time.
fn new_call(calls: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(calls)?;
    for number in 1.. {
        let call = calls.join(format!("{number:04}"));
        match fs::create_dir(&call) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            done => return done.map(|()| call),
        }
    }
    unreachable!("the range has no end")
}

/// Writes arguments (without the program's name) and environment, each item ended by a NUL.
fn record(call: &Path) -> io::Result<()> {
    let mut argv = Vec::new();
    for argument in std::env::args_os().skip(1) {
        argv.extend_from_slice(argument.as_bytes());
        argv.push(0);
    }
    fs::write(call.join("argv"), argv)?;
    let mut environment = Vec::new();
    // The name that we were called by stands with the variables.
    for called in std::env::args_os().take(1) {
        environment.extend_from_slice(b"CALLED=");
        environment.extend_from_slice(called.as_bytes());
        environment.push(0);
    }
    for (name, value) in std::env::vars_os() {
        environment.extend_from_slice(name.as_bytes());
        environment.push(b'=');
        environment.extend_from_slice(value.as_bytes());
        environment.push(0);
    }
    fs::write(call.join("env"), environment)
}

fn number(text: &str) -> io::Result<u64> {
    text.parse().map_err(io::Error::other)
}
