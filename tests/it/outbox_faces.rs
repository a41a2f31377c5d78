//! The outbox for people and scripts: `postrider outbox`, `mailq`, `sendmail -bp`.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::case::{Case, Ran};
use crate::doors::{assert_rule, unless};
use crate::entries::{Entry, now, put_route};
use crate::letters::letters;
use crate::smtp_server::{Behaviour, SmtpServer};

/// Returns a case whose outbox is `[DIR]/box`, with these entries in it, and their IDs.
fn with(entries: &[Entry]) -> (Case, Vec<String>) {
    let case = Case::new().rc("set outbox=[DIR]/box").may_change("box");
    let outbox = case.path("box");
    let ids = entries.iter().map(|entry| entry.put(&outbox)).collect();
    (case, ids)
}

fn outbox(case: Case, args: &[&str]) -> Case {
    case.called("postrider").args(["outbox"]).args(args)
}

/// Returns what lies in the outbox, in order.
fn names(ran: &Ran) -> Vec<String> {
    let mut found: Vec<String> = files(ran.path("box"))
        .into_iter()
        .chain(
            files(ran.path("box/failed"))
                .into_iter()
                .map(|name| format!("failed/{name}")),
        )
        .collect();
    found.sort();
    found
}

fn files(directory: PathBuf) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
    files
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect()
}

fn state(ran: &Ran, name: &str) -> Value {
    serde_json::from_slice(&ran.read(&format!("box/{name}.st"))).expect("a sidecar")
}

/// Returns an entry in each state, the oldest first.
fn one_of_each() -> Vec<Entry> {
    let hour = 3600;
    let waits = Entry::new(1, 3 * hour).tried(json!({"attempts": 7, "next": now() + 600}));
    let held = Entry::new(2, 2 * hour).tried(json!({"held": ""}));
    let uncertain = Entry {
        suffix: "dot",
        ..Entry::new(3, 100).tried(json!({"uncertain": now() - 100, "reason": "250 was lost"}))
    };
    let failed = Entry {
        is_failed: true,
        ..Entry::new(4, 6 * 24 * hour).tried(json!({"reason": "given up after 5 days"}))
    };
    let new = Entry {
        suffix: "new",
        ..Entry::new(5, 50)
    };
    let torn = Entry::new(6, 40);
    vec![waits, held, uncertain, failed, new, torn]
}

#[test]
fn the_status_of_a_list_is_for_monitoring() {
    for (ages, status) in [
        (&[][..], 0),
        (&[10, 20][..], 1),
        (&[10, 3599 - 60][..], 1),
        (&[10, 3700][..], 2),
    ] {
        let entries: Vec<Entry> = (1..)
            .zip(ages)
            .map(|(number, age)| Entry::new(number, *age))
            .collect();
        for form in [&["list"][..], &["list", "--json"]] {
            let (case, ids) = with(&entries);
            let ran = outbox(case, form).status(status).any_stdout().run();
            let text = ran.stdout();
            assert_eq!(text.is_empty(), ids.is_empty(), "{text}");
            for id in &ids {
                assert!(text.contains(id), "{id} is not in:\n{text}");
            }
        }
    }
}

#[test]
fn a_list_says_of_each_message_what_an_administrator_asks() {
    let entries = one_of_each();
    let (case, ids) = with(&entries);
    let torn = case.path(&format!("box/{}.q", ids[5]));
    fs::write(&torn, &entries[5].bytes()[..300]).unwrap();
    let ran = outbox(case, &["list"]).status(2).any_stdout().run();
    let text = ran.stdout();
    let lines: Vec<&str> = text.lines().collect();
    // The order is that of arrival, and what was given up comes last.
    let row = |number: usize| {
        let at = lines
            .iter()
            .position(|line| line.starts_with(&format!("{number:>3}  1")))
            .unwrap_or_else(|| panic!("no {number} in:\n{text}"));
        lines[at..].iter().take(5).copied().collect::<Vec<_>>()
    };
    let first = row(1);
    assert!(first[0].contains(&ids[0]), "{text}");
    for word in ["waiting", "3 h", "7"] {
        assert!(first[0].contains(word), "{word}: {text}");
    }
    assert_eq!(first[1].trim(), "alert 1");
    assert_eq!(first[2].trim(), "from alice@example.com to ops@example.com");
    assert_eq!(first[3].trim(), "by relay smtp://mx.example.org");
    assert_eq!(first[4].trim(), "451 4.3.0 try again later");
    for (number, state, index) in [
        (2, "held", 1),
        (3, "uncertain", 2),
        (4, "new", 4),
        (5, "torn", 5),
        (6, "failed", 3),
    ] {
        let line = row(number)[0];
        assert!(line.contains(state) && line.contains(&ids[index]), "{line}");
    }
    assert!(text.contains("the file is not complete"), "{text}");
    assert!(lines.last().unwrap().starts_with("6 messages, "), "{text}");
    assert!(
        lines
            .last()
            .unwrap()
            .ends_with("the oldest is from 6 d ago"),
        "{text}"
    );
}

#[test]
fn a_route_that_takes_no_mail_stands_above_the_list_and_delays_its_messages() {
    // The route of an entry may be named with its transport, and that of the relay without.
    for name in ["relay smtp://mx.example.org", "smtp://mx.example.org"] {
        let (case, _) = with(&[Entry::new(1, 100).tried(json!({ "route": name }))]);
        put_route(&case.path("box"), "smtp://mx.example.org");
        let ran = outbox(case, &["list"]).status(1).any_stdout().run();
        assert!(!ran.stdout().contains("next flush"), "{}", ran.stdout());
    }
    let (case, _) = with(&[Entry::new(1, 100).tried(json!({}))]);
    put_route(&case.path("box"), "relay smtp://mx.example.org");
    let ran = outbox(case, &["list"]).status(1).any_stdout().run();
    let text = ran.stdout();
    let first = text.lines().next().unwrap();
    assert!(
        first.starts_with("relay smtp://mx.example.org takes no mail since "),
        "{text}"
    );
    assert!(first.ends_with(": Connection refused"), "{text}");
    assert!(!text.contains("next flush"), "{text}");
}

#[test]
fn nothing_in_an_entry_reaches_a_terminal_as_it_is() {
    let evil = "\x1b[2J\u{9b}31m\u{202e}\n\r\tline";
    let mut entry = Entry::new(1, 10).tried(json!({
        "reason": evil,
        "route": evil,
        "targets": [{"recipient": "ops@example.com", "target": evil, "state": "waiting", "reply": evil, "time": now()}],
        "replies": [{"time": now(), "about": evil, "text": evil}],
    }));
    for key in ["subject", "sender", "login", "account", "message_id"] {
        entry.envelope[key] = json!(evil);
    }
    entry.envelope["recipients"] = json!(["ops@example.com", evil]);
    entry.message = format!("Subject: {}\n\n{evil}\n", evil.replace('\n', " "));
    let forms: [(&str, &[&str]); 7] = [
        ("postrider", &["outbox", "list"]),
        ("postrider", &["outbox", "list", "--json"]),
        ("postrider", &["outbox", "show", "1"]),
        ("postrider", &["outbox", "hold", "00000001"]),
        ("postrider", &["outbox", "drop", "00000001"]),
        ("mailq", &[]),
        ("sendmail", &["-bp"]),
    ];
    let rows = forms.map(|form| (format!("{form:?}"), form));
    assert_rule(rows, |(name, args)| {
        let (case, _) = with(std::slice::from_ref(&entry));
        let ran = case
            .called(name)
            .args(args)
            .any_status()
            .any_stdout()
            .any_stderr()
            .run();
        let text = ran.stdout() + &ran.stderr();
        let harmful = |c: &char| c.is_control() && !['\n', '\t'].contains(c) || *c == '\u{202e}';
        unless(!text.is_empty(), "nothing was printed")?;
        unless(text.chars().find(harmful).is_none(), format!("{text:?}"))
    });
}

#[test]
fn an_entry_is_named_by_a_part_of_its_id_and_never_by_a_part_of_two() {
    let entries = [Entry::new(1, 100), Entry::new(17, 90), Entry::new(33, 80)];
    let (case, ids) = with(&entries);
    let again = |ran: Ran| ran.again().rc("set outbox=[DIR]/box").may_change("box");
    let ran = outbox(case, &["hold", "1"])
        .status(64)
        .says("1 is the beginning or end of 3 entries")
        .hints("write more of the ID")
        .run();
    let ran = outbox(again(ran), &["hold", "nothing"])
        .status(1)
        .says("there is no entry nothing in the outbox")
        .hints("postrider outbox list")
        .run();
    // One word that is wrong, and nothing is changed.
    let ran = outbox(again(ran), &["drop", &ids[0], "nothing"])
        .status(1)
        .any_stderr()
        .run();
    assert_eq!(names(&ran).len(), 3);
    let ran = outbox(again(ran), &["drop", "00000011", &ids[0][..23], &ids[0]])
        .stdout(format!(
            "{} \"alert 17\" to ops@example.com: deleted\n{} \"alert 1\" to ops@example.com: deleted\n",
            ids[1], ids[0]
        ))
        .run();
    assert_eq!(names(&ran), [format!("{}.q", ids[2])]);
    let ran = outbox(again(ran), &["show", "2"])
        .status(1)
        .any_stderr()
        .run();
    let ran = outbox(again(ran), &["show", "1"]).any_stdout().run();
    assert!(ran.stdout().contains("text 33"), "{}", ran.stdout());
}

#[test]
fn one_message_is_shown_with_every_reply_or_as_it_is() {
    let entry = Entry::new(1, 100).tried(json!({
        "targets": [
            {"recipient": "ops@example.com", "target": "ops@example.com", "state": "waiting", "reply": "450 4.2.0 later", "time": now() - 50},
        ],
        "replies": [
            {"time": now() - 90, "about": "ops@example.com", "text": "421 4.3.2 closing"},
            {"time": now() - 50, "about": "ops@example.com", "text": "450 4.2.0 later"},
        ],
    }));
    let (case, ids) = with(std::slice::from_ref(&entry));
    let ran = outbox(case, &["show", &ids[0]]).any_stdout().run();
    let text = ran.stdout();
    for words in [
        &*format!("Entry:     {}\n", ids[0]),
        "State:     waiting\n",
        "Route:     relay smtp://mx.example.org\n",
        "Sender:    alice@example.com\n",
        "Recipient: ops@example.com: waiting: 450 4.2.0 later\n",
        "ops@example.com: 421 4.3.2 closing\n",
        "ops@example.com: 450 4.2.0 later\n",
        "\nMessage 1:\n",
        "Subject: alert 1\n",
        "\ntext 1\n",
    ] {
        assert!(text.contains(words), "{words:?} is not in:\n{text}");
    }
    let case = ran.again().rc("set outbox=[DIR]/box").may_change("box");
    outbox(case, &["show", "--raw", &ids[0]])
        .stdout(&entry.message)
        .run();
}

#[test]
fn an_entry_is_held_released_retried_and_dropped() {
    let waits = Entry::new(1, 100).tried(json!({"next": now() + 600}));
    let (case, ids) = with(&[waits]);
    let id = &ids[0];
    let again = |ran: Ran, args: &[&str]| {
        outbox(
            ran.again().rc("set outbox=[DIR]/box").may_change("box"),
            args,
        )
    };
    let ran = outbox(case, &["hold", id])
        .stdout_contains(": held\n")
        .run();
    assert_eq!(state(&ran, id)["held"], "");
    let ran = again(ran, &["release", id])
        .stdout_contains(": released\n")
        .run();
    assert_eq!(state(&ran, id)["held"], Value::Null);
    assert!(
        state(&ran, id)["next"].is_u64(),
        "the time of the next try stays"
    );
    let ran = again(ran, &["release", id])
        .status(1)
        .says("is not held")
        .run();
    let ran = again(ran, &["retry", id])
        .stdout_contains(": tried again by the next flush\n")
        .run();
    assert_eq!(state(&ran, id)["next"], Value::Null);
    let ran = again(ran, &["drop", "--failed"]).status(1).run();
    let ran = again(ran, &["drop", "--all"])
        .stdout_contains(": deleted\n")
        .run();
    assert_eq!(names(&ran), [] as [String; 0]);
    again(ran, &["list"]).run();
}

#[test]
fn what_was_given_up_or_is_uncertain_gets_another_try() {
    let refused = json!([{"recipient": "ops@example.com", "target": "ops@example.com", "state": "refused", "reply": "550 no", "time": now()}]);
    let failed = Entry {
        is_failed: true,
        ..Entry::new(1, 6 * 86_400).tried(json!({"targets": refused}))
    };
    let uncertain = Entry {
        suffix: "dot",
        ..Entry::new(2, 100).tried(json!({"uncertain": now() - 100}))
    };
    let killed = Entry {
        suffix: "new",
        ..Entry::new(3, 50)
    };
    let (case, ids) = with(&[failed, uncertain, killed]);
    let ran = outbox(case, &["retry", "--all"]).any_stdout().run();
    let text = ran.stdout();
    assert!(text.contains(&format!("{} \"alert 2\" to ops@example.com: sent again by the next flush, although it may have arrived", ids[1])), "{text}");
    let queued: Vec<String> = names(&ran)
        .into_iter()
        .filter(|name| name.ends_with(".q"))
        .collect();
    assert_eq!(
        queued,
        ids.iter().map(|id| format!("{id}.q")).collect::<Vec<_>>()
    );
    assert_eq!(state(&ran, &ids[0])["targets"][0]["state"], "waiting");
}

#[test]
fn what_is_being_sent_is_not_touched() {
    use nix::fcntl::{Flock, FlockArg};
    let (case, ids) = with(&[Entry::new(1, 100)]);
    let file = fs::File::open(case.path(&format!("box/{}.q", ids[0]))).unwrap();
    let _sender = Flock::lock(file, FlockArg::LockExclusive).unwrap();
    let mut ran = outbox(case, &["list"])
        .status(1)
        .stdout_contains("sending")
        .run();
    for verb in ["drop", "hold", "retry", "show"] {
        let case = ran.again().rc("set outbox=[DIR]/box").may_change("box");
        ran = outbox(case, &[verb, &ids[0]])
            .status(75)
            .says("is in use")
            .any_stdout()
            .run();
    }
    assert_eq!(names(&ran), [format!("{}.q", ids[0])]);
}

#[test]
fn mailq_has_the_form_that_scripts_know() {
    for (name, args) in [("mailq", &[][..]), ("sendmail", &["-bp"])] {
        let (case, _) = with(&[]);
        case.called(name)
            .args(args)
            .stdout("Mail queue is empty\n")
            .run();
        let mut many = Entry::new(2, 100);
        many.envelope["sender"] = json!("");
        many.envelope["recipients"] = json!(["a@example.com", "b@example.com"]);
        many.message.push_str(&"x".repeat(3000));
        let held = Entry::new(3, 50).tried(json!({"held": ""}));
        let failed = Entry {
            is_failed: true,
            ..Entry::new(4, 100)
        };
        let (case, ids) = with(&[Entry::new(1, 7200).tried(json!({})), many, held, failed]);
        let ran = case.called(name).args(args).any_stdout().run();
        let text = ran.stdout();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            "-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------"
        );
        assert!(
            lines[1].starts_with(&ids[0]) && lines[1].ends_with(" alice@example.com"),
            "{text}"
        );
        assert_eq!(lines[2].trim(), "(451 4.3.0 try again later)");
        assert_eq!(lines[3], format!("{:41}ops@example.com", ""));
        assert_eq!(lines[4], "");
        assert!(lines[5].ends_with(" MAILER-DAEMON"), "{text}");
        assert!(text.contains(&format!("\n{}! ", ids[2])), "{text}");
        assert!(!text.contains(&ids[3]), "{text}");
        // As `grep -c '^[A-F0-9]'` and `tail -n 1` of monitoring scripts count.
        let hex = |line: &&&str| {
            line.starts_with(|c: char| c.is_ascii_digit() || ('A'..='F').contains(&c))
        };
        assert_eq!(lines.iter().filter(hex).count(), 3);
        assert_eq!(*lines.last().unwrap(), "-- 4 Kbytes in 3 Requests.");
    }
}

#[test]
fn a_run_of_the_queue_tries_all_of_it_or_what_is_asked_for() {
    for (option, sent) in [
        ("-q", &["1", "2", "3"][..]),
        ("-qf", &["1", "2", "3"]),
        // As a timer has it run: the second one is not due.
        ("-q15m", &["1", "3"]),
        ("-qI00000002", &["2"]),
        ("-qRops@", &["1", "2"]),
        ("-qSALICE@", &["1", "2", "3"]),
        ("-qSnobody", &[]),
    ] {
        let relay = SmtpServer::accepting(Behaviour::default());
        let mut other = Entry::new(3, 80);
        other.envelope["recipients"] = json!(["dev@example.com"]);
        let later = Entry::new(2, 90).tried(json!({"next": now() + 600, "route": null}));
        let (case, ids) = with(&[Entry::new(1, 100), later, other]);
        let ran = case
            .rc(&format!("set mta=smtp://127.0.0.1:{}", relay.port()))
            .called("sendmail")
            .args([option])
            .run();
        let numbers: Vec<String> = relay
            .messages()
            .iter()
            .map(|message| {
                let text = String::from_utf8_lossy(&message.data).into_owned();
                let at = text.find("Message-ID: <").expect("an ID") + 13;
                text[at..at + 1].to_owned()
            })
            .collect();
        assert_eq!(numbers, sent, "{option}");
        let left = names(&ran)
            .iter()
            .filter(|name| name.ends_with(".q"))
            .count();
        assert_eq!(left, ids.len() - sent.len(), "{option}");
    }
    // A run that finds nothing to do is one that has succeeded.
    let (case, _) = with(&[]);
    case.called("sendmail").args(["-q"]).run();
}

#[test]
fn a_flush_that_leaves_messages_stuck_writes_a_note() {
    let (case, _) = with(&[Entry::new(1, 3600)]);
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let ran = case
        .rc(&format!("set mta=smtp://{closed}"))
        .env("MAIL", "[DIR]/home/inbox")
        .called("postrider")
        .args(["outbox", "flush", "-q"])
        .any_stderr()
        .may_change("home")
        .run();
    let inbox = letters(&ran.read("home/inbox"));
    assert_eq!(inbox.len(), 1);
    assert_eq!(inbox[0].subject(), "1 message waits in the outbox for 1 h");
}

#[test]
fn without_an_outbox_nothing_is_made_and_nothing_waits() {
    let case = Case::new().rc("set outbox=[DIR]/none");
    let ran = outbox(case, &["list"]).run();
    assert!(!ran.path("none").exists());
    let case = Case::new().rc("set nooutbox");
    outbox(case, &["list"]).run();
    let case = Case::new()
        .rc("set outbox=[DIR]/box")
        .directory("box")
        .mode("box", 0o755);
    outbox(case, &["list"])
        .status(77)
        .says("cannot open the outbox [DIR]/box")
        .run();
}
