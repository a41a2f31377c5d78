//! A host with a configuration and an outbox of its own, for tests of several runs.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::case::program;
use crate::launch;
use crate::unsteady_relay::UnsteadyRelay;

/// A host with a configuration and an outbox of its own.
pub struct Host {
    dir: TempDir,
}

/// What a program said and how it ended.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Said {
    #[track_caller]
    pub fn ends(self, code: i32) -> Said {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    #[track_caller]
    pub fn says(self, text: &str) -> Said {
        assert!(self.err.contains(text), "{text} is not in {self:#?}");
        self
    }

    #[track_caller]
    pub fn prints(self, text: &str) -> Said {
        assert!(self.out.contains(text), "{text} is not in {self:#?}");
        self
    }

    #[track_caller]
    pub fn keeps_silent(self) -> Said {
        assert!(self.out.is_empty() && self.err.is_empty(), "{self:#?}");
        self
    }
}

impl Host {
    pub fn new(rc: &str) -> Host {
        let host = Host {
            dir: tempfile::Builder::new()
                .prefix("postrider-it-")
                .tempdir()
                .unwrap(),
        };
        fs::create_dir(host.path("spool")).unwrap();
        host.configure(rc);
        host
    }

    /// Returns a host whose mail goes to a relay.
    pub fn with(relay: &UnsteadyRelay) -> Host {
        Host::new(&to(relay))
    }

    /// Writes the configuration. It is an old one: nothing counts as mended.
    pub fn configure(&self, rc: &str) {
        self.mend(rc);
        self.age("rc");
    }

    /// Writes another configuration.
    pub fn mend(&self, rc: &str) {
        let outbox = self.outbox();
        let spool = self.path("spool");
        let text = format!(
            "set log=off hostname=host.example.org smtp-timeout=5 outbox={} spool={}\n{rc}\n",
            outbox.display(),
            spool.display()
        );
        fs::write(self.path("rc"), text).unwrap();
        fs::set_permissions(self.path("rc"), fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub fn age(&self, name: &str) {
        let file = fs::File::open(self.path(name)).unwrap();
        file.set_modified(now() - Duration::from_secs(86_400))
            .unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn outbox(&self) -> PathBuf {
        self.path("outbox")
    }

    pub fn start(&self, arguments: &[&str], text: &str) -> Child {
        let mut command = Command::new(program());
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.dir.path())
            .env("DEAD", self.path("dead"))
            .env("MAILRC", self.path("rc"))
            .env("PATH", "/nonexistent")
            .env("TZ", "UTC")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = launch::spawn(&mut command).unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(text.as_bytes()).unwrap();
        child
    }

    pub fn run(&self, arguments: &[&str], text: &str) -> Said {
        said(self.start(arguments, text))
    }

    /// Sends an alert.
    pub fn alert(&self, subject: &str) -> Said {
        self.run(&alert(subject), "the disk is full\n")
    }

    pub fn flush(&self) -> Said {
        self.run(&["outbox", "flush"], "")
    }

    /// Flushes as a timer does.
    pub fn tick(&self) -> Said {
        self.run(&["outbox", "flush", "-q"], "")
    }

    /// Returns the names in the outbox that end so, in order of arrival.
    pub fn names(&self, directory: &str, end: &str) -> Vec<String> {
        let Ok(names) = fs::read_dir(self.path(directory)) else {
            return Vec::new();
        };
        let names = names.map(|name| name.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name.ends_with(end)).collect();
        names.sort();
        names
    }

    pub fn waiting(&self) -> usize {
        self.names("outbox", ".q").len()
    }

    pub fn uncertain(&self) -> usize {
        self.names("outbox", ".dot").len()
    }

    pub fn failed(&self) -> usize {
        self.names("outbox/failed", ".q").len()
    }

    /// Changes a JSON file of the outbox.
    pub fn change(&self, path: &Path, change: impl FnOnce(&mut Value)) {
        let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut value: Value = serde_json::from_slice(&bytes).unwrap();
        change(&mut value);
        fs::write(path, format!("{value}\n")).unwrap();
    }

    /// Changes the sidecar of the only entry that has one.
    pub fn change_state(&self, change: impl FnOnce(&mut Value)) {
        let names = self.names("outbox", ".st");
        assert_eq!(names.len(), 1, "{names:?}");
        self.change(&self.outbox().join(&names[0]), change);
    }

    /// Changes the state of the routes.
    pub fn change_route(&self, change: impl Fn(&mut Value)) {
        for name in fs::read_dir(self.outbox().join("routes")).unwrap() {
            self.change(&name.unwrap().path(), &change);
        }
    }

    /// Makes it so long ago that the routes were tried.
    pub fn wait_for_route(&self, minutes: u64) {
        self.change_route(|state| {
            for time in ["since", "tried", "ended", "next"] {
                let then = state[time].as_u64().unwrap() - minutes * 60_000;
                state[time] = json!(then);
            }
        });
    }

    /// Makes the only entry that old.
    pub fn grow_old(&self, days: u64) {
        for name in fs::read_dir(self.outbox()).unwrap() {
            let path = name.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let Some((micros, rest)) = name.split_once('-') else {
                continue;
            };
            let micros: u64 = micros.parse().unwrap();
            let older = micros - days * 86_400 * 1_000_000;
            fs::rename(&path, path.with_file_name(format!("{older:016}-{rest}"))).unwrap();
        }
    }
}

pub fn to(relay: &UnsteadyRelay) -> String {
    format!("set mta=smtp://127.0.0.1:{}", relay.port())
}

pub fn alert(subject: &str) -> [&str; 4] {
    ["mailx", "-s", subject, "ops@example.org"]
}

pub fn said(child: Child) -> Said {
    let output = child.wait_with_output().unwrap();
    Said {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

// The clock of the machine: that of the program cannot be set.
#[allow(clippy::disallowed_methods)]
pub fn now() -> SystemTime {
    SystemTime::now()
}

pub fn seconds() -> u64 {
    now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
