//! Entries of an outbox as a test needs them: of any age and in any state, written here by the
//! description of the format and not by the program.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use twox_hash::XxHash3_128;

/// An entry that is to be put into an outbox.
#[derive(Clone)]
pub struct Entry {
    /// How old it is, in seconds.
    pub age: u64,
    /// Its number among those of one test, which is in its ID.
    pub number: u32,
    pub envelope: Value,
    pub message: String,
    /// Its sidecar; none if it was never tried.
    pub state: Option<Value>,
    /// The end of its name: `q`, `dot` or `new`.
    pub suffix: &'static str,
    pub is_failed: bool,
}

/// Returns the time now, in seconds since 1970.
pub fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap().as_secs()
}

impl Entry {
    /// Returns an entry of this age that waits for ops@example.com.
    pub fn new(number: u32, age: u64) -> Entry {
        let id = format!("<{number}@example.com>");
        Entry {
            age,
            number,
            envelope: json!({
                "uid": nix::unistd::geteuid().as_raw(),
                "login": "alice",
                "face": "mailx",
                "sender": "alice@example.com",
                "full_name": null,
                "recipients": ["ops@example.com"],
                "account": null,
                "route": null,
                "message_id": id,
                "subject": format!("alert {number}"),
                "merge": null,
                "signed": false,
            }),
            message: format!(
                "From: alice@example.com\nTo: ops@example.com\nSubject: alert {number}\n\
                 Date: Mon, 16 Nov 2026 09:00:00 +0000\nMessage-ID: {id}\n\ntext {number}\n"
            ),
            state: None,
            suffix: "q",
            is_failed: false,
        }
    }

    /// Gives it a sidecar of one try, with these keys changed.
    pub fn tried(mut self, changed: Value) -> Entry {
        let time = now() - self.age;
        let mut state = json!({
            "version": 1,
            "attempts": 1,
            "first": time,
            "last": time,
            "next": null,
            "reason": "451 4.3.0 try again later",
            "route": "relay smtp://mx.example.org",
            "held": null,
            "uncertain": null,
            "resent": 0,
            "repeated": 0,
            "targets": [],
            "replies": [],
        });
        for (key, value) in changed.as_object().expect("an object") {
            state[key] = value.clone();
        }
        self.state = Some(state);
        self
    }

    pub fn id(&self) -> String {
        let time = (now() - self.age) * 1_000_000 + u64::from(self.number);
        format!("{time:016}-4711-{:08x}", self.number)
    }

    pub fn bytes(&self) -> Vec<u8> {
        let envelope = format!("{}\n", self.envelope);
        let body_at = self.message.find("\n\n").map_or(0, |at| at + 2);
        let body = XxHash3_128::oneshot(&self.message.as_bytes()[body_at..]);
        let mut hashed = format!("{envelope}{}", self.message).into_bytes();
        hashed.extend(body.to_le_bytes());
        let line = format!(
            "postrider-outbox 01 {:010} {:016} {:032x} {body:032x}\n",
            envelope.len(),
            self.message.len(),
            XxHash3_128::oneshot(&hashed)
        );
        format!("{line}{envelope}{}", self.message).into_bytes()
    }

    /// Puts it into an outbox; returns its ID.
    pub fn put(&self, outbox: &Path) -> String {
        let place = if self.is_failed {
            outbox.join("failed")
        } else {
            outbox.to_owned()
        };
        fs::DirBuilder::new()
            .mode(0o700)
            .recursive(true)
            .create(&place)
            .unwrap();
        let id = self.id();
        let write = |name: String, bytes: &[u8]| {
            let path = place.join(name);
            fs::write(&path, bytes).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        };
        if let Some(state) = &self.state {
            write(format!("{id}.st"), state.to_string().as_bytes());
        }
        write(format!("{id}.{}", self.suffix), &self.bytes());
        id
    }
}

/// Says in an outbox that a route takes no mail since ten minutes ago.
pub fn put_route(outbox: &Path, route: &str) {
    let time = now() * 1000;
    let state = json!({
        "version": 1,
        "route": route,
        "trouble": "unreachable",
        "since": time - 600_000,
        "tried": time - 30_000,
        "ended": time - 29_000,
        "next": time + 300_000,
        "times": 4,
        "reply": "Connection refused",
    });
    let routes = outbox.join("routes");
    fs::DirBuilder::new()
        .mode(0o700)
        .recursive(true)
        .create(&routes)
        .unwrap();
    let path = routes.join("0123456789abcdef0123456789abcdef");
    fs::write(path, state.to_string()).unwrap();
}
