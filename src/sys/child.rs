//! Children: programs we start, wait for, and believe only by their exit status.
#![allow(clippy::disallowed_methods)]

use std::ffi::OsStr;
use std::process::Command;

/// Returns a command to start this program; arguments are passed as they are, never through a shell.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    Command::new(program)
}
