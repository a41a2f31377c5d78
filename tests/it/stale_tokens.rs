//! Secrets that a relay refuses or a command does not give: what is asked for once more, and what a
//! failure means.

use std::fs;

use crate::case::{Case, Ran};
use crate::smtp_server::{Behaviour, SmtpServer};
use crate::token_server::{Reply, TokenServer, gives};
use crate::tokens::{
    MAILBOX, SOON, STALE, TOKEN, assert_secret, by_token, cached, configured, exchange, private,
    set,
};

#[test]
fn a_stale_token_is_fetched_once_more() {
    for hangs_up in [false, true] {
        let relay = SmtpServer::accepting(Behaviour {
            bearer: Some((MAILBOX, TOKEN)),
            auth_in_clear: true,
            hangs_up,
            ..Behaviour::default()
        });
        let service = TokenServer::start(vec![gives(STALE), gives(TOKEN)]);
        let ran = by_token(&relay, &service.url())
            .args(["-v", "-v"])
            .any_stderr()
            .run();
        assert_secret(&ran);
        assert_eq!((service.requests().len(), relay.messages().len()), (2, 1));
        assert_eq!(relay.sessions().len(), 2);
        // The new one is kept.
        let ran = set(ran.again(), &relay, &service.url()).run();
        assert_eq!((service.requests().len(), relay.messages().len()), (2, 2));
        // Whatever the cache has.
        let file = &cached(&ran)[0];
        let kept = fs::read_to_string(file).unwrap().replace(TOKEN, STALE);
        fs::write(file, kept).unwrap();
        set(ran.again(), &relay, &service.url()).run();
        assert_eq!((service.requests().len(), relay.messages().len()), (3, 3));
    }
}

#[test]
fn a_token_that_the_relay_never_takes_is_asked_for_twice_and_no_more() {
    let relay = exchange();
    let service = TokenServer::start(vec![
        gives(STALE),
        gives("another-stale-token"),
        gives(TOKEN),
    ]);
    let ran = by_token(&relay, &service.url())
        .args(["-v", "-v"])
        .status(77)
        .stderr_contains(&format!("login as {MAILBOX}: "))
        .queues(1)
        .run();
    assert_secret(&ran);
    assert!(
        !ran.stderr().contains("another-stale-token"),
        "{}",
        ran.stderr()
    );
    assert_eq!((service.requests().len(), relay.sessions().len()), (2, 2));
}

#[test]
fn a_stale_token_and_a_service_that_is_down_is_later() {
    let relay = exchange();
    for (reply, status, why) in [
        (Reply::Answer(503, String::new()), 75, "it answered 503"),
        (Reply::Answer(401, String::new()), 77, "it answered 401"),
    ] {
        let service = TokenServer::start(vec![gives(STALE), reply]);
        by_token(&relay, &service.url())
            .status(status)
            .says(&format!(
                "cannot get a token for {MAILBOX} from 127.0.0.1: {why}"
            ))
            .says("bad user or password; ")
            .queues(1)
            .run();
    }
    assert!(relay.messages().is_empty());
}

#[test]
fn mail_that_had_no_token_waits_and_goes_out_when_the_service_is_back() {
    let relay = exchange();
    let down = Reply::Answer(503, String::new());
    // The first service is down, the second one first gives a token that is over.
    let service = TokenServer::start(vec![down, gives(STALE), gives(TOKEN)]);
    let ran = by_token(&relay, &service.url())
        .status(75)
        .says("cannot get a token")
        .queues(1)
        .run();
    assert_eq!(ran.queued().len(), 1);
    let flush = |ran: Ran| {
        let case = ran.again().called("postrider").args(["outbox", "flush"]);
        configured(case, &relay, &service.url())
            .any_stdout()
            .any_stderr()
            .may_change("home")
    };
    let ran = flush(ran).run();
    assert_eq!((service.requests().len(), relay.messages().len()), (3, 1));
    assert!(ran.queued().is_empty());
}

/// Returns `mailx -s t ops@example.com` by that relay, with a command that prints the lines of a file,
/// one at each run and the last one for ever.
fn by_command(relay: &SmtpServer, lines: &str) -> Case {
    let script = "#!/bin/sh\nread -r line < [FILE]\necho \"$line\"\n\
                  n=$(/usr/bin/wc -l < [FILE])\n\
                  if [ $n -gt 1 ]; then /bin/sed -i 1d [FILE]; fi\necho run >> [FILE].runs\n";
    let case = Case::new();
    let file = case.path("cwd/lines");
    let script = script.replace("[FILE]", file.to_str().unwrap());
    case.rc(&format!("set mta=smtp://127.0.0.1:{}", relay.port()))
        .rc(&format!(
            "set smtp-auth-user={MAILBOX} from={MAILBOX} smtp-auth=xoauth2"
        ))
        .rc("set password-command='/bin/sh [DIR]/cwd/command'")
        .file("cwd/command", script)
        .file("cwd/lines", lines)
        .may_change("cwd")
        .args(["-s", "t", "ops@example.com"])
        .stdin("x\n")
        .limit(SOON)
}

#[test]
fn a_stale_token_of_a_command_is_asked_for_once_more() {
    let runs = |ran: &Ran| {
        ran.read("cwd/lines.runs")
            .split(|byte| *byte == b'\n')
            .count()
            - 1
    };
    let relay = exchange();
    let ran = by_command(&relay, &format!("{STALE}\n{TOKEN}\n")).run();
    assert_eq!((runs(&ran), relay.messages().len()), (2, 1));
    // The same one again is not shown to the relay again: it would be one more wrong login.
    let ran = by_command(&relay, &format!("{STALE}\n"))
        .status(77)
        .says("bad user or password")
        .queues(1)
        .run();
    assert_eq!((runs(&ran), relay.sessions().len()), (2, 3));
    let ran = by_command(&relay, &format!("{TOKEN}\n")).run();
    assert_eq!((runs(&ran), relay.messages().len()), (1, 2));
    // A command that fails the second time says why.
    let relay = exchange();
    let case = by_command(&relay, &format!("{STALE}\n"));
    let script = "#!/bin/sh\nif [ -f [FILE] ]; then exit 75; fi\necho x > [FILE]\necho stale-one\n";
    let script = script.replace("[FILE]", case.path("cwd/seen").to_str().unwrap());
    case.file("cwd/command", script)
        .status(75)
        .says("bad user or password; cannot get the password from password-command")
        .says("exited with status 75")
        .queues(1)
        .run();
}

#[test]
fn a_password_file_is_not_read_twice() {
    let relay = SmtpServer::accepting(Behaviour {
        login: Some(("tester", "right")),
        auth_in_clear: true,
        ..Behaviour::default()
    });
    let case = Case::new()
        .rc(&format!("set mta=smtp://tester@127.0.0.1:{}", relay.port()))
        .rc("set password-file=[DIR]/cwd/password")
        .args(["-s", "t", "ops@example.com"])
        .stdin("x\n");
    private(case, "cwd/password", "wrong-one\n")
        .status(77)
        .says("bad user or password")
        .queues(1)
        .run();
    assert_eq!(relay.sessions().len(), 1);
}

/// Returns `mailx -s t ops@example.com` by a relay where nobody listens, with this password command.
fn command(script: &str) -> Case {
    Case::new()
        .rc("set mta=submission://tester@127.0.0.1:1")
        .rc(&format!("set password-command=\"/bin/sh -c '{script}'\""))
        .args(["-s", "t", "ops@example.com"])
        .stdin("x\n")
}

#[test]
fn a_token_command_without_network_is_no_refusal() {
    let table = [
        ("exit 75", 75, "exited with status 75"),
        ("exit 69", 75, "exited with status 69"),
        ("exit 68", 75, "exited with status 68"),
        ("kill -9 $$", 75, "was killed by signal 9"),
        ("exit 1", 77, "exited with status 1"),
        ("exit 67", 77, "exited with status 67"),
        ("exit 77", 77, "exited with status 77"),
        ("exit 78", 77, "exited with status 78"),
        ("true", 77, "printed no password"),
    ];
    for (script, status, why) in table {
        command(script)
            .status(status)
            .says(&format!(
                "cannot get the password from password-command: /bin/sh {why}"
            ))
            .queues(1)
            .run();
    }
}
