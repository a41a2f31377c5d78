//! The JSON objects: every key that is printed is one of the tables below, with the type that they say,
//! and every key of them is printed by some run.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use nix::sys::signal::Signal;
use postrider::door::{Presence, Shape, json_key, json_objects};
use serde_json::{Map, Value, json};

use crate::case::{Case, Ran};
use crate::entries::{Entry, now, put_route};
use crate::mailboxes::{ONE, TWO};
use crate::sendmail::FakeSendmail;
use crate::smtp_server::{Behaviour, SmtpServer};

/// The keys of each object and the types of their values: `?` may be null, `-` may be left out.
///
/// Scripts depend on them. A key may be added here; none goes or gets another type.
const TABLES: &[(&str, &str)] = &[
    (
        "message",
        "number:number flags:texts envelope_from:text? envelope_from_raw:base64- from:text? \
         from_raw:base64- from_address:text? from_name:text? to:text? to_raw:base64- cc:text? \
         cc_raw:base64- subject:text? subject_raw:base64- message_id:text? message_id_raw:base64- \
         date:time? date_zone:text? lines:number size:number",
    ),
    (
        "whole message",
        "fields:[field] text:text parts:[part] unknown_charsets:texts",
    ),
    ("field", "name:text body:text body_raw:base64-"),
    (
        "part",
        "number:text type:text charset:text? name:text? attachment:flag size:number",
    ),
    (
        "receipt",
        "message_id:text? time:time status:number dry_run:flag recipients:[recipient] \
         rewrites:[rewrite] kept:text? kept_raw:base64- error:text? hint:text?",
    ),
    ("rewrite", "what:text old:text? new:text? reason:text"),
    (
        "recipient",
        "recipient:text target:text? route:text reason:text outcome:text code:number? text:text \
         queue_id:text? outbox:text?",
    ),
    (
        "count",
        "mailbox:text mailbox_raw:base64- count:number new:number unread:number flagged:number",
    ),
    (
        "extracted file",
        "file:text file_raw:base64- part:text type:text name:text? size:number",
    ),
    (
        "change",
        "mailbox:text mailbox_raw:base64- action:text dry_run:flag numbers:numbers deleted:number \
         flagged:number flags_left_out:number gone:number arrived:number left:number pending:text? \
         pending_raw:base64- status:number",
    ),
    (
        "entry",
        "number:number id:text state:text arrived:time age:number size:number attempts:number \
         last_try:time? next_try:time? route:text? route_down_since:time? route_reply:text? \
         reason:text? repeated:number user:text? from:text? account:text? subject:text? \
         message_id:text? recipients:[copy] place:text",
    ),
    (
        "copy",
        "recipient:text target:text? state:text reply:text? time:time?",
    ),
    ("error", "error:text hint:text? status:number"),
];

#[test]
fn the_manual_has_the_keys_of_the_table_and_no_other() {
    let of_program: Vec<(&str, String)> = json_objects()
        .map(|(name, _, keys, _)| {
            let keys = keys.iter().map(|key| {
                let (key, shape, presence, _) = json_key(key);
                let shape = match shape {
                    Shape::Text => "text".to_owned(),
                    Shape::Time => "time".to_owned(),
                    Shape::Base64 => "base64".to_owned(),
                    Shape::Number => "number".to_owned(),
                    Shape::Flag => "flag".to_owned(),
                    Shape::Texts => "texts".to_owned(),
                    Shape::Numbers => "numbers".to_owned(),
                    Shape::Objects(name) => format!("[{name}]"),
                };
                let mark = match presence {
                    Presence::Always => "",
                    Presence::OrNull => "?",
                    Presence::Sometimes => "-",
                };
                format!("{key}:{shape}{mark}")
            });
            (name, keys.collect::<Vec<_>>().join(" "))
        })
        .collect();
    for ((name, keys), (table, expected)) in of_program.iter().zip(TABLES) {
        assert_eq!((name, keys.as_str()), (table, *expected));
    }
    assert_eq!(of_program.len(), TABLES.len());
    let manual = include_str!("../../man/postrider.1");
    for (name, _, keys, _) in json_objects() {
        assert!(manual.contains(&format!(".SS JSON: {name}\n")));
        for (key, ..) in keys.iter().map(json_key) {
            let told = manual.contains(&format!("\\fB{key}\\fR"));
            assert!(told, "{key} of {name}");
        }
    }
}

#[test]
fn the_examples_of_the_manual_are_objects_of_their_kind() {
    let mut seen = Seen::default();
    for (name, _, _, example) in json_objects() {
        let value = serde_json::from_str(example).expect(name);
        seen.object(name, &value);
    }
}

/// What was seen of each object: its keys, and which of them had a value and which were null.
#[derive(Default)]
struct Seen {
    values: BTreeSet<(String, String)>,
    nulls: BTreeSet<(String, String)>,
    outcomes: BTreeSet<String>,
}

/// Returns the keys of an object: name, type, and how it is there.
fn keys_of(name: &str) -> BTreeMap<&'static str, (&'static str, char)> {
    let table = |wanted: &str| {
        let found = TABLES.iter().find(|(name, _)| *name == wanted);
        found.unwrap_or_else(|| panic!("no object {wanted}")).1
    };
    let all = match name {
        "whole message" => vec![table("message"), table(name)],
        _ => vec![table(name)],
    };
    all.into_iter()
        .flat_map(str::split_whitespace)
        .map(|key| {
            let (key, shape) = key.split_once(':').expect("key:type");
            match shape.chars().next_back() {
                Some(mark @ ('?' | '-')) => (key, (&shape[..shape.len() - 1], mark)),
                _ => (key, (shape, ' ')),
            }
        })
        .collect()
}

impl Seen {
    /// Holds an object against its table.
    #[track_caller]
    fn object(&mut self, name: &str, value: &Value) {
        let object = value
            .as_object()
            .unwrap_or_else(|| panic!("{name}: {value}"));
        let keys = keys_of(name);
        for key in object.keys() {
            assert!(keys.contains_key(&**key), "{name} has {key}: {value}");
        }
        for (key, (shape, mark)) in keys {
            let place = (name.to_owned(), key.to_owned());
            match object.get(key) {
                None => assert_eq!(mark, '-', "{name} lacks {key}: {value}"),
                Some(Value::Null) => {
                    assert_eq!(mark, '?', "{key} of {name} is null: {value}");
                    self.nulls.insert(place);
                }
                Some(found) => {
                    self.values.insert(place);
                    self.shape(object, name, key, shape, found);
                }
            }
        }
        if name == "recipient" {
            let outcome = value["outcome"].as_str().unwrap();
            self.outcomes.insert(outcome.to_owned());
        }
    }

    #[track_caller]
    fn shape(
        &mut self,
        object: &Map<String, Value>,
        name: &str,
        key: &str,
        shape: &str,
        value: &Value,
    ) {
        let what = format!("{key} of {name} is no {shape}: {value}");
        let each = || value.as_array().unwrap_or_else(|| panic!("{what}"));
        match shape {
            "text" => assert!(value.is_string(), "{what}"),
            "time" => {
                let text = value.as_str().expect(&what);
                let is_time = chrono::DateTime::parse_from_rfc3339(text).is_ok();
                assert!(is_time, "{what}");
            }
            "base64" => {
                let bytes = STANDARD.decode(value.as_str().expect(&what)).expect(&what);
                assert!(std::str::from_utf8(&bytes).is_err(), "{what}");
                let text = object[key.trim_end_matches("_raw")].as_str().unwrap();
                assert!(text.contains('\u{fffd}'), "{text}");
            }
            "number" => assert!(value.is_u64(), "{what}"),
            "flag" => assert!(value.is_boolean(), "{what}"),
            "texts" => assert!(each().iter().all(Value::is_string), "{what}"),
            "numbers" => assert!(each().iter().all(Value::is_u64), "{what}"),
            _ => {
                let inner = shape.trim_matches(['[', ']']);
                for item in each() {
                    self.object(inner, item);
                }
            }
        }
    }

    /// Takes everything that a run has printed: each line is an object of this kind, but for an
    /// error as the last one.
    #[track_caller]
    fn run(&mut self, name: &str, ran: &Ran) -> Vec<Value> {
        let text = String::from_utf8(ran.output.stdout.clone()).expect("UTF-8");
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}")))
            .collect();
        for (at, value) in lines.iter().enumerate() {
            let is_error = at + 1 == lines.len() && value.as_object().unwrap().len() == 3;
            self.object(if is_error { "error" } else { name }, value);
            if let Some(status) = value.get("status") {
                assert_eq!(status, ran.output.code(), "{value}");
            }
            if is_error && value["error"].is_string() {
                let told = value["error"].as_str().unwrap();
                assert!(ran.stderr().contains(told) || status_only(ran), "{value}");
            }
        }
        lines
    }

    /// Asserts that every key of an object was seen with a value, and null where it may be.
    fn assert_all(&self, names: &[&str]) {
        let mut missing = Vec::new();
        for name in names {
            for (key, (_, mark)) in keys_of(name) {
                let place = ((*name).to_owned(), key.to_owned());
                if !self.values.contains(&place) {
                    missing.push(format!("{key} of {name}"));
                }
                if mark == '?' && !self.nulls.contains(&place) {
                    missing.push(format!("a null {key} of {name}"));
                }
            }
        }
        assert!(missing.is_empty(), "never seen: {missing:#?}");
    }
}

/// `delete` and `mark` say nothing of a mailbox without mail.
fn status_only(ran: &Ran) -> bool {
    ran.output.code() == 1 && ran.stderr().is_empty()
}

fn postrider(args: &[&str]) -> Case {
    Case::new()
        .called("postrider")
        .args(args)
        .any_stdout()
        .any_stderr()
        .any_status()
}

/// Messages that have every key of a message, with and without a value.
fn odd_box() -> Vec<u8> {
    let mut text = Vec::new();
    text.extend_from_slice(ONE.as_bytes());
    text.extend_from_slice(TWO.as_bytes());
    text.extend_from_slice(
        b"From caf\xe9@x Mon Nov 16 09:00:00 2026\nFrom: J\xf6rg <j@x.org>\nTo: \xe9 <a@x>\nCc: \xe9 <b@x>\n\
          Subject: caf\xe9\nMessage-ID: <\xe9@x>\nDate: Mon, 16 Nov 2026 09:00:00 +0100\n\
          Status: RO\nX-Status: AFTD\nMIME-Version: 1.0\n\
          Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n\nhi\n\
          --b\nContent-Type: application/pdf\n\
          Content-Disposition: attachment; filename=\"r.pdf\"\n\nx\n--b--\n\n",
    );
    text.extend_from_slice(b"From x Mon Nov 16 09:00:00 2026\nX: y\n\nno field that has a key\n\n");
    // Without a From_ line's time, as in a Maildir, an unreadable date is null: see `maildir`.
    text
}

#[test]
fn every_key_of_a_message_is_in_the_table() {
    let mut seen = Seen::default();
    let file = |args: &[&str]| {
        postrider(args)
            .args(["--file", "box"])
            .file("cwd/box", odd_box())
    };
    let list = seen.run("message", &file(&["list", "--json"]).status(0).run());
    assert_eq!(list.len(), 4);
    for number in ["1", "2", "3", "4", "last"] {
        let shown = seen.run(
            "whole message",
            &file(&["show", number, "--json"]).status(0).run(),
        );
        // What `list` says of a message is what `show` says of it.
        let at = number.parse().unwrap_or(4) - 1;
        for (key, value) in list[at].as_object().unwrap() {
            assert_eq!(&shown[0][key], value, "{key} of {number}");
        }
    }
    let maildir = |args: &[&str]| {
        postrider(args)
            .args(["--file", "md"])
            .directory("cwd/md/new")
            .directory("cwd/md/tmp")
            .file("cwd/md/cur/1.x:2,S", "Date: not a date\nSubject: s\n\nhi\n")
    };
    seen.run("message", &maildir(&["list", "--json"]).status(0).run());
    seen.run(
        "whole message",
        &maildir(&["show", "1", "--json"]).status(0).run(),
    );
    seen.assert_all(&["message", "whole message", "field", "part"]);
}

/// A From_ line that a daemon at UTC wrote, read at a zone whose clocks have left that hour out.
#[test]
fn the_time_of_a_from_line_is_given_in_the_hour_that_spring_leaves_out() {
    let ran = postrider(&["list", "--json", "--file", "box"])
        .file(
            "cwd/box",
            "From a@x Sun Mar 29 02:30:00 2026\nSubject: s\n\nhi\n",
        )
        .env("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
        .status(0)
        .run();
    let line: serde_json::Value = serde_json::from_str(ran.stdout().trim()).unwrap();
    assert_eq!(line["date"], "2026-03-29T02:30:00+01:00");
    assert!(line["date_zone"].is_null());
}

#[test]
fn every_key_of_a_change_and_of_an_error_is_in_the_table() {
    let mut seen = Seen::default();
    let of = |args: &[&str], name: &str| {
        use std::os::unix::ffi::OsStrExt;
        let name = name.as_bytes().to_vec();
        let name: Vec<u8> = name
            .iter()
            .map(|b| if *b == b'?' { 0xe9 } else { *b })
            .collect();
        let case = postrider(args);
        let path = case.path("cwd").join(std::ffi::OsStr::from_bytes(&name));
        std::fs::write(&path, format!("{ONE}{TWO}")).unwrap();
        case.args([
            std::ffi::OsStr::new("--file"),
            std::ffi::OsStr::from_bytes(&name),
        ])
        .may_change("cwd")
    };
    for (args, status) in [
        (&["delete", "1", "--json"][..], 0),
        (&["delete", "1", "--json", "--dry-run"], 0),
        (&["mark", "--read", "--all", "--json"], 0),
        (&["delete", "nobody", "--json"], 1),
    ] {
        for name in ["box", "b?x"] {
            let found = seen.run("change", &of(args, name).status(status).run());
            assert_eq!(found.len(), 1, "{args:?}");
        }
    }
    // Failures, from the first step to the last: one object each, or none for an empty list.
    let failures: &[(&[&str], i32, usize)] = &[
        (&["list", "--json", "--file", "nowhere"], 66, 1),
        (&["show", "1", "--json", "--file", "nowhere"], 66, 1),
        (&["delete", "1", "--json", "--file", "nowhere"], 66, 1),
        (
            &["mark", "1", "--read", "--json", "--file", "nowhere"],
            66,
            1,
        ),
        (&["list", "--json", "--user", "no-such-user"], 67, 1),
        (&["show", "1", "--json", "--user", "no-such-user"], 67, 1),
        (&["list", "--json", "--set", "a b"], 64, 1),
        (&["list", "--json", "--account", "none"], 78, 1),
        (&["delete", "--all", "--json", "--account", "none"], 78, 1),
        (&["list", "--json", "--config", "nowhere"], 78, 1),
        (&["list", "--json"], 1, 0),
        (&["show", "1", "--json"], 1, 1),
        (&["delete", "--all", "--json"], 1, 1),
        (&["show", "9", "--json", "--file", "two"], 1, 1),
        (&["delete", "9", "--json", "--file", "two"], 1, 1),
        (&["delete", ":x", "--json", "--file", "two"], 64, 1),
    ];
    for (args, status, count) in failures {
        println!("{args:?}");
        let case = postrider(args).file("cwd/two", format!("{ONE}{TWO}"));
        let found = seen.run("error", &case.status(*status).run());
        assert_eq!(found.len(), *count, "{args:?}");
        assert!(
            found.iter().all(|error| error["error"].is_string()),
            "{found:?}"
        );
    }
    seen.values
        .insert(("change".to_owned(), "pending".to_owned()));
    seen.values
        .insert(("change".to_owned(), "pending_raw".to_owned()));
    seen.assert_all(&["change", "error"]);
}

/// Returns `postrider send --json ARGS`.
#[test]
fn every_key_of_an_entry_is_in_the_table() {
    let mut seen = Seen::default();
    let time = now();
    let mut bare = Entry::new(1, 200);
    for key in ["sender", "subject", "account"] {
        bare.envelope[key] = Value::Null;
    }
    let mut waits = Entry::new(2, 100).tried(json!({
        "next": time + 60,
        "targets": [{"recipient": "ops@example.com", "target": "ops@example.com", "state": "waiting", "reply": "451 later", "time": time}],
    }));
    waits.envelope["account"] = json!("work");
    let torn = Entry {
        message: String::new(),
        suffix: "q",
        ..Entry::new(3, 50)
    };
    let case = Case::new();
    let outbox = case.path("box");
    bare.put(&outbox);
    waits.put(&outbox);
    let id = torn.put(&outbox);
    std::fs::write(outbox.join(format!("{id}.q")), "no entry").unwrap();
    put_route(&outbox, "relay smtp://mx.example.org");
    let ran = case
        .called("postrider")
        .rc("set outbox=[DIR]/box")
        .args(["outbox", "list", "--json"])
        .status(1)
        .any_stdout()
        .any_stderr()
        .run();
    assert_eq!(seen.run("entry", &ran).len(), 3);
    seen.assert_all(&["entry", "copy"]);
    // What fails has an object as well.
    let ran = Case::new()
        .called("postrider")
        .args(["outbox", "list", "--json", "--account", "none"])
        .status(78)
        .any_stdout()
        .any_stderr()
        .run();
    assert_eq!(seen.run("entry", &ran).len(), 1);
}

fn send(args: &[&str]) -> Case {
    postrider(&["send", "--json"])
        .args(args)
        .stdin("the text\n")
}

/// What is sent: its name, the arguments, the exit status, and the outcome of each recipient.
type Sent<'a> = (&'a str, &'a [&'a str], i32, &'a [(&'a str, &'a str)]);

#[test]
fn every_recipient_is_in_the_receipt_with_its_outcome() {
    let mut seen = Seen::default();
    let good = "good@example.com";
    let table: &[Sent<'_>] = &[
        ("accepted", &[good], 0, &[(good, "accepted")]),
        (
            "one bad address",
            &[good, "b@@x"],
            65,
            &[(good, "accepted"), ("b@@x", "refused")],
        ),
        (
            "only bad addresses",
            &["b@@x", "--cc", "c@@x", "--bcc", "|cmd"],
            65,
            &[
                ("b@@x", "refused"),
                ("c@@x", "refused"),
                ("|cmd", "refused"),
            ],
        ),
        (
            "a missing attachment",
            &["--attach", "nowhere", good],
            66,
            &[(good, "not-sent")],
        ),
        (
            "a missing attachment and a bad address",
            &["--attach", "nowhere", good, "b@@x"],
            65,
            &[(good, "not-sent"), ("b@@x", "refused")],
        ),
        (
            "a wrong way out",
            &["--set", "mta=gopher://x", good, "--bcc", "root"],
            78,
            &[(good, "not-sent"), ("root", "not-sent")],
        ),
        (
            "a wrong line of the configuration",
            &["--set", "tls=perhaps", good],
            78,
            &[(good, "not-sent")],
        ),
        (
            "an account that is not there",
            &["--account", "none", good, "--cc", "c@@x"],
            78,
            &[(good, "not-sent"), ("c@@x", "refused")],
        ),
        (
            "an option that is no variable",
            &["--set", "a b", good, "--cc", "c@example.com, d@@x"],
            64,
            &[
                (good, "not-sent"),
                ("c@example.com", "not-sent"),
                ("d@@x", "not-sent"),
            ],
        ),
        ("nobody", &["--subject", "s"], 64, &[]),
        (
            "no way",
            &["--set", "mta=local", good, "no-such-user"],
            67,
            &[(good, "refused"), ("no-such-user", "refused")],
        ),
        (
            "a bad header field",
            &["--header", "X Y: z", good],
            65,
            &[(good, "not-sent")],
        ),
        (
            "a copy that cannot be kept",
            &["--set", "record=[DIR]/cwd", good],
            73,
            &[(good, "not-sent")],
        ),
        (
            "a file and a command",
            &["--set", "expandaddr", "[DIR]/cwd/copy", "|exit 0", good],
            0,
            &[
                (good, "accepted"),
                ("[DIR]/cwd/copy", "accepted"),
                ("|exit 0", "accepted"),
            ],
        ),
        (
            "a file and a command that are not tried",
            &[
                "--set",
                "expandaddr",
                "--attach",
                "nowhere",
                "[DIR]/cwd/copy",
                "|true",
                good,
            ],
            66,
            &[
                (good, "not-sent"),
                ("[DIR]/cwd/copy", "not-sent"),
                ("|true", "not-sent"),
            ],
        ),
        (
            "a dry run",
            &["--dry-run", good, "b@@x"],
            65,
            &[(good, "not-sent"), ("b@@x", "refused")],
        ),
        (
            "a dry run without a way",
            &["--dry-run", "--set", "mta=local", good, "root"],
            69,
            &[(good, "refused"), ("root", "not-sent")],
        ),
        (
            "a dry run that fails",
            &["--dry-run", "--attach", "nowhere", good],
            66,
            &[(good, "not-sent")],
        ),
        (
            "an explanation",
            &["--explain", good],
            0,
            &[(good, "not-sent")],
        ),
        ("debug", &["--set", "debug", good], 0, &[(good, "not-sent")]),
    ];
    for (what, args, status, outcomes) in table {
        println!("{what}");
        let case = send(args)
            .sendmail(FakeSendmail::accepting())
            .may_change("cwd/copy")
            .may_change("home/dead.letter")
            .status(*status);
        let ran = case.run();
        let receipts = seen.run("receipt", &ran);
        assert_eq!(receipts.len(), 1, "{what}");
        let receipt = &receipts[0];
        let found: Vec<(String, &str)> = receipt["recipients"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| {
                let root = ran
                    .path("")
                    .to_str()
                    .unwrap()
                    .trim_end_matches('/')
                    .to_owned();
                let name = entry["recipient"].as_str().unwrap().replace(&root, "[DIR]");
                (name, entry["outcome"].as_str().unwrap())
            })
            .collect();
        let expected: Vec<(String, &str)> = outcomes
            .iter()
            .map(|(name, outcome)| ((*name).to_owned(), *outcome))
            .collect();
        assert_eq!(found, expected, "{what}: {receipt}");
        let error = receipt["error"].as_str();
        assert_eq!(error.is_some(), *status != 0, "{what}: {receipt}");
        if let Some(error) = error {
            let root = ran
                .path("")
                .to_str()
                .unwrap()
                .trim_end_matches('/')
                .to_owned();
            let error = error.replace(&root, "[DIR]");
            assert!(
                ran.stderr().contains(&error),
                "{what}: {error}\n{}",
                ran.stderr()
            );
        }
        let was_kept = ran.stderr().contains("is saved in");
        assert_eq!(receipt["kept"].is_string(), was_kept, "{what}: {receipt}");
    }
}

#[test]
fn a_receipt_has_the_words_of_the_relay() {
    let mut seen = Seen::default();
    let server = SmtpServer::accepting(Behaviour {
        refuse: vec![
            ("bad@example.com", "550 5.1.1 nobody of that name"),
            ("later@example.com", "451 4.7.1 greylisted"),
        ],
        end: Some("250 2.0.0 Ok: queued as 4F1A2B3C4D"),
        ..Behaviour::default()
    });
    let case = send(&["a@example.com", "bad@example.com", "later@example.com"])
        .rc(&format!("set mta=smtp://127.0.0.1:{}", server.port()))
        .rc("set hostname=client.example.org")
        .may_change("home/dead.letter");
    let receipts = seen.run("receipt", &case.status(65).run());
    let texts: Vec<&str> = receipts[0]["recipients"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["text"].as_str().unwrap())
        .collect();
    assert_eq!(
        texts,
        [
            "250 2.0.0 Ok: queued as 4F1A2B3C4D",
            "550 5.1.1 nobody of that name",
            "451 4.7.1 greylisted"
        ]
    );
    let error = "cannot send to bad@example.com: 550 5.1.1 nobody of that name";
    assert_eq!(receipts[0]["error"], error);
    let case = send(&["a@example.com"]).sendmail(FakeSendmail::accepting());
    seen.run("receipt", &case.status(0).run());
    // A hint, a null message_id, and a file of letters that is not UTF-8.
    seen.run("receipt", &send(&["--subject", "s"]).status(64).run());
    use std::os::unix::ffi::OsStrExt;
    let dead = std::ffi::OsStr::from_bytes(b"--set=dead=[DIR]/cwd/d\xe9ad");
    let case = send(&["a@example.com"]).args([dead]).may_change("cwd");
    seen.run("receipt", &case.status(69).run());
    // Interrupted, and uncertain.
    let case = send(&["a@example.com"])
        .stdin_stays_open("first part\n")
        .signal_when_waiting(Signal::SIGTERM)
        .may_change("home/dead.letter");
    seen.run("receipt", &case.status(143).run());
    let case = send(&["a@example.com"])
        .sendmail(FakeSendmail::exiting(75))
        .may_change("home/dead.letter");
    seen.run("receipt", &case.status(75).run());
    seen.assert_all(&["receipt", "recipient"]);
    let all = ["accepted", "not-sent", "refused", "try-later", "uncertain"];
    assert_eq!(seen.outcomes.iter().collect::<Vec<_>>(), all);
}

#[test]
fn an_empty_message_that_is_not_sent_has_a_receipt() {
    let mut seen = Seen::default();
    let case = postrider(&[
        "send",
        "--json",
        "--discard-empty-messages",
        "a@example.com",
    ]);
    let receipts = seen.run("receipt", &case.status(0).run());
    assert_eq!(receipts[0]["recipients"][0]["outcome"], "not-sent");
    assert_eq!(receipts[0]["error"], Value::Null);
}

#[test]
fn a_dry_run_prints_the_object_of_a_send_and_nothing_else() {
    for args in [
        &["--dry-run"][..],
        &["--explain"],
        &["--set", "debug"],
        &["--dry-run", "--explain"],
    ] {
        let ran = send(&["a@example.com"])
            .args(args)
            .sendmail(FakeSendmail::accepting())
            .status(0)
            .run();
        ran.nothing_sent();
        let text = ran.stdout();
        assert_eq!(text.lines().count(), 1, "{text}");
        let receipt: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(receipt["dry_run"], true);
        let entry = &receipt["recipients"][0];
        assert_eq!(entry["target"], "a@example.com");
        assert!(entry["route"].as_str().unwrap().starts_with("sendmail "));
    }
    // The mailx face has the same receipt.
    let ran = Case::send(["-s", "t", "--json", "--dry-run", "a@example.com"])
        .stdin("x\n")
        .any_stdout()
        .any_stderr()
        .run();
    let receipt: Value = serde_json::from_str(&ran.stdout()).unwrap();
    assert_eq!(receipt["dry_run"], true);
}

#[test]
fn no_character_that_harms_a_terminal_is_in_an_object() {
    let ran = send(&["a\u{202e}@@x", "b@example.com"])
        .sendmail(
            FakeSendmail::accepting()
                .step("say \u{9b}31m")
                .step("exit 67"),
        )
        .may_change("home/dead.letter")
        .run();
    let harmful = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
    assert!(!ran.stdout().contains(harmful), "{}", ran.stdout());
}
