//! The outbox on a mail's way out: what waits, what is said of it, and what is left when we are killed.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::case::{Case, Ran};
use crate::sendmail::FakeSendmail;
use crate::smtp_server::{Behaviour, SmtpServer, Step, expect, find, say};

/// Longer than any of these runs takes.
const SOON: Duration = Duration::from_secs(20);

/// Returns `mailx -s disk` through a relay.
fn relayed(server: &SmtpServer) -> Case {
    Case::new()
        .rc(&format!("set mta=smtp://127.0.0.1:{}", server.port()))
        .rc("set hostname=client.example.org")
        .args(["-s", "disk"])
        .stdin("full\n")
        .limit(SOON)
}

fn refusing(replies: &[(&'static str, &'static str)]) -> SmtpServer {
    SmtpServer::accepting(Behaviour {
        refuse: replies.to_vec(),
        ..Behaviour::default()
    })
}

/// Returns a relay that does this after the final dot instead of answering.
fn at_the_dot(step: Step) -> SmtpServer {
    SmtpServer::scripted(vec![
        say("220 relay.test"),
        expect("EHLO"),
        say("250 relay.test"),
        expect("MAIL"),
        say("250 ok"),
        expect("RCPT"),
        say("250 ok"),
        expect("DATA"),
        say("354 go on"),
        Step::ExpectData,
        step,
    ])
}

/// Returns a relay whose answer to the final dot never comes.
fn mute_after_dot() -> SmtpServer {
    at_the_dot(Step::Sleep(Duration::from_secs(600)))
}

/// Returns a relay that accepts a connection and is silent.
fn silent() -> SmtpServer {
    SmtpServer::scripted(vec![Step::Sleep(Duration::from_secs(600))])
}

#[test]
fn a_mail_that_is_accepted_leaves_nothing_behind() {
    let server = SmtpServer::accepting(Behaviour::default());
    let ran = relayed(&server).args(["ops@example.com"]).run();
    let names: Vec<_> = std::fs::read_dir(ran.path("home/outbox"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["sending"]);
    // Not a byte of the mail is left in it.
    let slot = ran.read("home/outbox/sending");
    assert!(slot.iter().all(|byte| *byte == 0));
    let mode = std::fs::metadata(ran.path("home/outbox"))
        .unwrap()
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o700);
}

#[test]
fn an_entry_has_all_that_a_later_try_needs_and_no_secret() {
    let ran = Case::new()
        .rc("set from='Host 7 <alerts@example.org>' hostname=client.example.org")
        .rc("alias team ops@example.com, root")
        .rc("account work {\nset mta=smtp://me:s3cret@127.0.0.1:1\n}")
        .mode("rc", 0o600)
        .args([
            "-A",
            "work",
            "-s",
            "Größe",
            "-b",
            "hidden@example.com",
            "team",
        ])
        .stdin("caf\u{e9}\n")
        .status(75)
        .says("Connection refused")
        .queues(1)
        .run();
    let waiting = ran.waiting();
    assert_eq!(waiting.suffix, "q");
    assert_eq!(
        waiting.recipients(),
        ["ops@example.com", "root", "hidden@example.com"]
    );
    let envelope = &waiting.envelope;
    assert_eq!(envelope["account"], "work");
    assert_eq!(envelope["face"], "mailx");
    assert_eq!(envelope["subject"], "Größe");
    // Neither the sender nor the way out that the configuration names: a later one may name others.
    assert!(
        envelope["sender"].is_null() && envelope["route"].is_null(),
        "{envelope}"
    );
    let letter = waiting.letter();
    assert!(letter.fields("From").is_empty(), "{}", letter.head());
    assert_eq!(letter.field("To"), "ops@example.com, root");
    assert!(letter.fields("Bcc").is_empty());
    assert_eq!(letter.field("Message-ID"), envelope["message_id"]);
    assert_eq!(letter.fields("Date").len(), 1);
    assert_eq!(letter.body(), "caf\u{e9}\n".as_bytes());
    assert!(letter.bytes.is_ascii());
    let mode = std::fs::metadata(&waiting.path)
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let state = &waiting.state;
    assert_eq!(state["attempts"], 1);
    assert_eq!(state["route"], "smtp://127.0.0.1:1");
    // It waits for its route, whose state says when that is tried.
    assert!(state["next"].is_null(), "{state}");
    assert_eq!(waiting.targets().len(), 3);
    let files = std::fs::read(&waiting.path).unwrap();
    let sidecar = state.to_string();
    assert!(find(&files, b"s3cret").is_none() && !sidecar.contains("s3cret"));
}

#[test]
fn a_route_of_the_command_line_is_kept_without_its_password() {
    for (option, route) in [
        (
            "mta=submission://me%40x.org:s3cret@127.0.0.1:1",
            "submission://me%40x.org@127.0.0.1:1",
        ),
        ("smtp=127.0.0.1:1", "smtp://127.0.0.1:1"),
    ] {
        let ran = Case::new()
            .args(["-S", option, "-s", "t", "-r", "a@x.org", "ops@example.com"])
            .stdin("x\n")
            .status(75)
            .any_stderr()
            .queues(1)
            .run();
        let waiting = ran.waiting();
        assert_eq!(waiting.envelope["route"], route);
        assert_eq!(waiting.envelope["sender"], "a@x.org");
        let bytes = std::fs::read(&waiting.path).unwrap();
        assert!(find(&bytes, b"s3cret").is_none());
    }
}

#[test]
fn whom_the_relay_has_served_or_refused_is_not_served_again() {
    let server = refusing(&[
        ("bad@example.com", "550 5.1.1 nobody of that name"),
        ("later@example.com", "451 4.7.1 greylisted"),
    ]);
    let ran = relayed(&server)
        .args(["a@example.com", "bad@example.com", "later@example.com"])
        .status(65)
        .says("nobody of that name")
        .says("greylisted")
        .queues(1)
        .keeps(1)
        .run();
    assert_eq!(
        ran.waiting().targets(),
        [
            ("a@example.com", "accepted"),
            ("bad@example.com", "refused"),
            ("later@example.com", "waiting"),
        ]
    );
    assert_eq!(
        ran.dead()[0].field("X-Postrider-Unsent-To"),
        "bad@example.com"
    );
    assert!(
        ran.stderr()
            .contains("for the others the message is saved in")
    );
}

#[test]
fn what_a_person_must_mend_is_no_matter_of_the_outbox() {
    // Refused, no route, no sender's right: a later try would fare the same.
    let server = refusing(&[("bad@example.com", "550 5.1.1 nobody of that name")]);
    let ran = relayed(&server)
        .args(["bad@example.com"])
        .status(65)
        .says("550")
        .keeps(1)
        .run();
    assert!(ran.queued().is_empty());
    Case::send(["-s", "t", "ops@example.com"])
        .sendmail(FakeSendmail::exiting(69))
        .stdin("x\n")
        .status(69)
        .says("status 69")
        .keeps(1)
        .run();
}

#[test]
fn a_login_that_is_refused_loses_no_mail() {
    let server = SmtpServer::accepting(Behaviour {
        login: Some(("me", "right")),
        auth_in_clear: true,
        ..Behaviour::default()
    });
    let ran = relayed(&server)
        .rc("set smtp-auth-user=me password=wrong")
        .mode("rc", 0o600)
        .args(["ops@example.com"])
        .status(77)
        .any_stderr()
        .queues(1)
        .run();
    assert_eq!(ran.waiting().targets(), [("ops@example.com", "waiting")]);
}

#[test]
fn a_sendmail_and_a_mailbox_that_are_busy_have_their_mail_queued() {
    let ran = Case::new()
        .args(["-s", "t", "ops@example.com"])
        .stdin("x\n")
        .sendmail(FakeSendmail::new().step("exit 75"))
        .status(75)
        .says("sendmail")
        .queues(1)
        .run();
    assert_eq!(ran.waiting().targets(), [("ops@example.com", "waiting")]);
    let case = Case::new()
        .rc("set mta=local inbox=[DIR]/home/inbox lock-timeout=0")
        .file("home/inbox.lock", "0\n")
        .may_change("home/inbox");
    let user = case.user();
    let ran = case
        .args(["-s", "t", &user])
        .stdin("x\n")
        .status(75)
        .any_stderr()
        .queues(1)
        .run();
    assert_eq!(ran.waiting().recipients(), [user]);
}

#[test]
fn what_sendmail_may_have_taken_is_never_sent_again_by_itself() {
    Case::new()
        .args(["-s", "t", "ops@example.com"])
        .stdin("x\n")
        .sendmail(FakeSendmail::new().step("read").step("exit 75"))
        .any_status()
        .any_stderr()
        .keeps(1)
        .run();
}

#[test]
fn without_an_outbox_all_is_as_it_was() {
    for line in ["set nooutbox", "set outbox=off", "unset outbox"] {
        let ran = Case::new()
            .rc("set mta=smtp://127.0.0.1:1 from=a@x.org")
            .rc(line)
            .args(["-s", "t", "ops@example.com"])
            .stdin("x\n")
            .status(75)
            .says("Connection refused")
            .says("not retried")
            .keeps(1)
            .run();
        assert!(!ran.path("home/outbox").exists(), "{line}");
    }
    let ran = Case::new()
        .rc("set mta=smtp://127.0.0.1:1 from=a@x.org nosave")
        .args(["-s", "t", "ops@example.com"])
        .stdin("x\n")
        .status(75)
        .says("Connection refused")
        .run();
    assert!(!ran.path("home/outbox").exists());
}

#[test]
fn a_place_that_cannot_be_used_is_named_and_the_mail_is_kept_all_the_same() {
    for (line, why) in [
        (
            "set outbox=relative",
            "a relative path would be another outbox in every directory",
        ),
        (
            "set outbox=[DIR]/home/file",
            "it is not a directory of your own",
        ),
        (
            "set outbox=[DIR]/home/open",
            "other users have access to it",
        ),
        (
            "set outbox=[DIR]/home/link",
            "it is not a directory of your own",
        ),
        (
            "set outbox=[DIR]/home/wide/outbox",
            "other users can rename it",
        ),
    ] {
        Case::new()
            .file("home/file", "x")
            .directory("home/open")
            .mode("home/open", 0o755)
            .link("home/link", "/tmp")
            .directory("home/wide")
            .mode("home/wide", 0o777)
            .rc("set mta=smtp://127.0.0.1:1 from=a@x.org")
            .rc(line)
            .args(["-s", "t", "ops@example.com"])
            .stdin("x\n")
            .status(75)
            .says("Connection refused")
            .says(why)
            .keeps(1)
            .run();
    }
}

#[test]
fn what_waits_is_a_success_for_those_who_want_it_so() {
    let base = || {
        Case::new()
            .rc("set mta=smtp://127.0.0.1:1 from=a@x.org")
            .stdin("To: root\n\nx\n")
    };
    let mail = || base().args(["-s", "t", "ops@example.com"]);
    mail().status(75).says("refused").queues(1).run();
    mail()
        .rc("set outbox-status=0")
        .says("refused")
        .queues(1)
        .run();
    base()
        .called("sendmail")
        .args(["-i", "root"])
        .says("refused")
        .queues(1)
        .run();
    // Only what is kept safely is one.
    mail()
        .rc("set outbox-status=0 nooutbox")
        .status(75)
        .says("refused")
        .keeps(1)
        .run();
    base()
        .called("sendmail")
        .args(["-i", "root"])
        .rc("set outbox=off")
        .status(75)
        .says("refused")
        .keeps(1)
        .run();
}

#[test]
fn a_submission_of_ours_keeps_the_text_once() {
    // As our own child the sendmail face leaves the mail to its parent.
    Case::new()
        .called("sendmail")
        .env("POSTRIDER_SUBMITTING", "/usr/sbin/sendmail")
        .rc("set mta=smtp://127.0.0.1:1 from=a@x.org")
        .args(["-i", "ops@example.com"])
        .stdin("Subject: x\n\nx\n")
        .status(75)
        .says("refused")
        .run();
}

#[test]
fn an_uncertain_mail_says_so_by_the_name_of_its_file() {
    let server = at_the_dot(Step::Drop);
    let ran = relayed(&server)
        .args(["ops@example.com"])
        .status(75)
        .any_stderr()
        .queues(1)
        .run();
    let waiting = ran.waiting();
    assert_eq!(waiting.suffix, "dot");
    assert_eq!(waiting.targets(), [("ops@example.com", "uncertain")]);
    assert!(waiting.state["uncertain"].is_u64());
}

/// Returns a run that a signal ended as soon as the relay had been sent this.
fn ended_by(signal: Signal, server: SmtpServer, begun: &'static [u8]) -> Ran {
    let server = Arc::new(server);
    let watched = Arc::clone(&server);
    let has_begun = move || {
        let sessions = watched.sessions();
        sessions
            .iter()
            .any(|session| begun.is_empty() || find(&session.received, begun).is_some())
    };
    relayed(&server)
        .args(["ops@example.com"])
        .signal_when(has_begun, signal)
        .any_status()
        .any_stderr()
        .may_change("home")
        .run()
}

#[test]
fn a_kill_in_the_wait_loses_nothing() {
    type Relay = fn() -> SmtpServer;
    let moments: [(Relay, &[u8], &str); 2] =
        [(silent, b"", "q"), (mute_after_dot, b"\r\n.\r\n", "dot")];
    for (server, begun, suffix) in moments {
        for signal in [Signal::SIGKILL, Signal::SIGTERM, Signal::SIGINT] {
            let ran = ended_by(signal, server(), begun);
            let said = ran.stderr();
            let waiting = ran.waiting();
            assert_eq!(waiting.suffix, suffix, "{signal}: {said}");
            assert_eq!(waiting.letter().body(), b"full\n");
            assert_eq!(ran.output.code(), 128 + signal as i32, "{said}");
            let is_told = said.contains("in the outbox as");
            assert_eq!(is_told, signal != Signal::SIGKILL, "{said}");
        }
    }
}

#[test]
fn recipients_that_lead_to_several_routes_stand_for_themselves() {
    let Some(case) = Case::new().private("an alias of the system") else {
        return;
    };
    // One copy for the mailbox of root, which takes it, and one for a relay, which does not.
    let ran = case
        .file("sys/etc/aliases", "ops: root, far@example.com\n")
        .rc("set smtp=127.0.0.1:1 from=a@x.org hostname=client.example.org")
        .args(["-s", "t", "ops"])
        .stdin("x\n")
        .status(75)
        .says("refused")
        .may_change("spool")
        .queues(1)
        .run();
    assert_eq!(ran.waiting().recipients(), ["far@example.com"]);
}

/// Returns a mail for a relay that nobody is at.
fn unsent(case: Case, body: &str) -> Case {
    case.rc("set mta=smtp://127.0.0.1:1 from=a@x.org")
        .args(["-s", "disk", "ops@example.com"])
        .stdin(body)
        .status(75)
        .any_stderr()
        .may_change("home")
}

#[test]
fn beyond_its_limits_the_outbox_takes_nothing_and_says_which() {
    for (line, why) in [
        (
            "set outbox-max-count=1",
            "it has 1 messages already (outbox-max-count)",
        ),
        (
            "set outbox-max-size=600",
            "it would have more than 600 bytes (outbox-max-size)",
        ),
    ] {
        let first = unsent(Case::new(), "first\n").run();
        assert_eq!(first.queued().len(), 1);
        let ran = unsent(first.again(), &"second\n".repeat(20)).rc(line).run();
        let said = ran.stderr();
        assert!(said.contains(why), "{said}");
        assert!(said.contains("not retried"), "{said}");
        assert_eq!((ran.queued().len(), ran.dead().len()), (1, 1));
    }
    // A mail that the relay takes now needs no room.
    let server = SmtpServer::accepting(Behaviour::default());
    let full = unsent(Case::new(), "first\n").run().again();
    full.rc(&format!(
        "set mta=smtp://127.0.0.1:{} outbox-max-count=1",
        server.port()
    ))
    .args(["-s", "t", "ops@example.com"])
    .stdin("x\n")
    .may_change("home")
    .run();
    assert_eq!(server.messages().len(), 1);
}

#[test]
fn an_equal_message_that_waits_is_counted() {
    let mut ran = unsent(Case::new(), "full\n").run();
    let first = ran.waiting();
    for count in 2..=3 {
        ran = unsent(ran.again(), "full\n").run();
        let said = ran.stderr();
        let line = format!("already as {}, and now counts as {count}", first.id);
        assert!(said.contains(&line), "{said}");
        let waiting = ran.waiting();
        assert_eq!(waiting.message, first.message);
        assert_eq!(waiting.state["repeated"], count - 1);
    }
    // Another body, subject, recipient or sender is another message, and so is one that is signed.
    let others: [(&str, &[&str], &str); 6] = [
        ("emptier\n", &[], ""),
        ("full\n", &["-c", "b@example.com"], ""),
        ("full\n", &["-r", "b@example.com"], ""),
        ("full\n", &["-a", "report"], ""),
        ("full\n", &["-M", "application/pkcs7-mime"], ""),
        ("full\n", &[], "set nooutbox-merge"),
    ];
    let mut expected = 1;
    for (body, args, line) in others {
        ran = unsent(ran.again(), body)
            .args(args)
            .rc(line)
            .file("cwd/report", "r\n")
            .run();
        expected += 1;
        assert_eq!(
            ran.queued().len(),
            expected,
            "{args:?} {line} {}",
            ran.stderr()
        );
    }
}

#[test]
fn nothing_is_merged_into_what_is_old_held_uncertain_or_served() {
    type Change = fn(&mut serde_json::Value);
    let changes: [(&str, Change); 3] = [
        ("held", |state| state["held"] = "".into()),
        ("accepted", |state| {
            state["targets"][0]["state"] = "accepted".into()
        }),
        ("uncertain", |state| {
            state["targets"][0]["state"] = "uncertain".into()
        }),
    ];
    for (what, change) in changes {
        let ran = unsent(Case::new(), "full\n").run();
        let waiting = ran.waiting();
        let mut state = waiting.state.clone();
        change(&mut state);
        std::fs::write(waiting.path.with_extension("st"), state.to_string()).unwrap();
        let ran = unsent(ran.again(), "full\n").run();
        assert_eq!(ran.queued().len(), 2, "{what}");
    }
    // By its name: eleven minutes old.
    let ran = unsent(Case::new(), "full\n").run();
    let waiting = ran.waiting();
    let (time, rest) = waiting.id.split_once('-').unwrap();
    let older = time.parse::<u64>().unwrap() - 11 * 60 * 1_000_000;
    let old = waiting.path.with_file_name(format!("{older:016}-{rest}.q"));
    std::fs::rename(&waiting.path, &old).unwrap();
    std::fs::remove_file(waiting.path.with_extension("st")).unwrap();
    let ran = unsent(ran.again(), "full\n").run();
    assert_eq!(ran.queued().len(), 2);
    // Uncertain by its name.
    let ran = unsent(Case::new(), "full\n").run();
    let waiting = ran.waiting();
    std::fs::rename(&waiting.path, waiting.path.with_extension("dot")).unwrap();
    let ran = unsent(ran.again(), "full\n").run();
    assert_eq!(ran.queued().len(), 2);
}

#[test]
fn only_a_promise_costs_a_sync() {
    const STRACE: &str = "/usr/bin/strace";
    if !std::path::Path::new(STRACE).exists() {
        return crate::launch::left_out("the syncs of a mail", "needs strace");
    }
    let traced = |case: Case| {
        let script = format!(
            "exec {STRACE} -f -qq -o [DIR]/cwd/trace -e trace=fsync,fdatasync,syncfs,rename,renameat,renameat2 \"$@\""
        );
        let script = script.replace(
            "[DIR]",
            case.path("")
                .to_str()
                .expect("a text")
                .trim_end_matches('/'),
        );
        case.within(&script).may_change("cwd/trace")
    };
    let syncs = |ran: &Ran| {
        let trace = String::from_utf8(ran.read("cwd/trace")).expect("text");
        trace
            .lines()
            .filter(|line| line.contains("sync(") || line.contains("syncfs("))
            .count()
    };
    let server = SmtpServer::accepting(Behaviour::default());
    // The first mail makes the directory, which has to be there after a power cut.
    let ran = relayed(&server).args(["ops@example.com"]).run();
    let again = ran
        .again()
        .rc(&format!(
            "set mta=smtp://127.0.0.1:{} hostname=c.example.org",
            server.port()
        ))
        .args(["-s", "t", "ops@example.com"])
        .stdin("x\n");
    let ran = traced(again).run();
    assert_eq!(syncs(&ran), 0);
    // The entry, its sidecar and the directory; more where that is young.
    let ran = traced(unsent(ran.again(), "x\n")).run();
    assert!(syncs(&ran) >= 3, "{}", syncs(&ran));
}
