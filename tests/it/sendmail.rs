//! `FakeSendmail`: a real little program that records what it is given and behaves as told.
//!
//! The program itself is `fake_sendmail/main.rs`, an example of the crate, so that `cargo test`
//! builds it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;
use std::time::Duration;

use crate::case::program;
use crate::launch::{self, Stdin};
use crate::letters::Letter;

/// How a fake sendmail will behave.
#[derive(Clone, Default)]
pub struct FakeSendmail {
    script: String,
}

impl FakeSendmail {
    /// Returns one without steps: it exits 0 without reading.
    pub fn new() -> FakeSendmail {
        FakeSendmail::default()
    }

    /// Returns one that reads everything and exits 0.
    pub fn accepting() -> FakeSendmail {
        FakeSendmail::new().step("read all")
    }

    /// Returns one that reads everything and exits with this status.
    pub fn exiting(status: u8) -> FakeSendmail {
        FakeSendmail::accepting().step(&format!("exit {status}"))
    }

    /// Adds a step; the table of them is in `fake_sendmail/main.rs`.
    pub fn step(mut self, step: &str) -> FakeSendmail {
        self.script.push_str(step);
        self.script.push('\n');
        self
    }

    /// Puts the program into a directory as `sendmail`, or only its script if it is there already.
    pub fn install(&self, directory: &Path) {
        fs::create_dir_all(directory.join("calls")).unwrap();
        fs::write(directory.join("script"), &self.script).unwrap();
        if !directory.join("sendmail").exists() {
            launch::install_executable(&built(), &directory.join("sendmail"));
        }
    }
}

/// Returns where Cargo puts the built example: beside the program under test.
///
/// `cargo test` builds it, `cargo test --test it` does not; then it is built here, once.
fn built() -> PathBuf {
    static ONCE: Once = Once::new();
    let program = program();
    let path = program.with_file_name("examples").join("fake-sendmail");
    ONCE.call_once(|| {
        if !path.exists() {
            let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
            let mut command = Command::new(cargo);
            command.args(["build", "--quiet", "--locked", "--example", "fake-sendmail"]);
            command.args(
                program
                    .parent()
                    .is_some_and(|place| place.ends_with("release"))
                    .then_some("--release"),
            );
            command.current_dir(env!("CARGO_MANIFEST_DIR"));
            launch::run(&mut command, Stdin::Null, Duration::from_secs(600), None);
        }
    });
    assert!(
        path.exists(),
        "{} is missing: run `cargo build --examples`",
        path.display()
    );
    path
}

/// What a fake sendmail was given in one call.
#[derive(Debug)]
pub struct Call {
    /// The arguments, without the program's name.
    pub argv: Vec<String>,
    /// The environment, as `NAME=value`.
    pub env: Vec<String>,
    /// The bytes it read.
    pub stdin: Vec<u8>,
}

impl Call {
    /// Returns the calls recorded in a directory, in their order.
    pub fn all(directory: &Path) -> Vec<Call> {
        let Ok(entries) = fs::read_dir(directory.join("calls")) else {
            return Vec::new();
        };
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths.iter().map(|path| Call::read(path)).collect()
    }

    fn read(path: &Path) -> Call {
        let items = |name: &str| -> Vec<String> {
            let text = fs::read(path.join(name)).unwrap_or_default();
            let text = String::from_utf8_lossy(&text).into_owned();
            text.split_terminator('\0').map(str::to_owned).collect()
        };
        Call {
            argv: items("argv"),
            env: items("env"),
            stdin: fs::read(path.join("stdin")).unwrap_or_default(),
        }
    }

    /// Returns the recipients: what stands behind `--`.
    pub fn recipients(&self) -> Vec<&str> {
        let words = self.argv.iter().map(String::as_str);
        words.skip_while(|word| *word != "--").skip(1).collect()
    }

    /// Returns the options: what stands before `--`.
    pub fn options(&self) -> Vec<&str> {
        self.argv
            .iter()
            .map(String::as_str)
            .take_while(|word| *word != "--")
            .collect()
    }

    /// Returns the message.
    pub fn letter(&self) -> Letter {
        Letter::new(&self.stdin)
    }
}
