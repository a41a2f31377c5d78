//! The outbox's flush, against a relay that goes and comes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use crate::host::{Host, alert, said, seconds, to};
use crate::unsteady_relay::{Mood, UnsteadyRelay};

#[test]
fn what_waits_goes_in_order_of_arrival_over_one_connection() {
    let relay = UnsteadyRelay::new(Mood::Refused);
    let host = Host::with(&relay);
    for subject in ["one", "two", "three"] {
        host.alert(subject).ends(75);
    }
    assert_eq!(host.waiting(), 3);
    relay.becomes(Mood::Up);
    let said = host.flush().ends(0).prints("3 sent\n");
    assert_eq!(said.err, "");
    assert_eq!(said.out.matches(": sent to ops@example.org: ").count(), 3);
    assert_eq!(relay.subjects(), ["one", "two", "three"]);
    assert_eq!(relay.carriers(), 1);
    assert_eq!(host.waiting(), 0);
    assert!(host.names("outbox/routes", "").is_empty());
    host.flush().ends(0).prints("the outbox is empty\n");
    host.tick().ends(0).keeps_silent();
    assert_eq!(relay.taken().len(), 3);
}

#[test]
fn a_relay_that_is_down_costs_one_connection_however_many_wait() {
    for mood in [
        Mood::Silent,
        Mood::Says("", "421 4.3.2 not now"),
        Mood::Says("MAIL", "451 4.3.0 not now"),
        Mood::Says("EHLO", "450 4.3.0 not now"),
    ] {
        let relay = UnsteadyRelay::new(mood);
        let host = Host::with(&relay);
        let start = Instant::now();
        for subject in ["one", "two", "three", "four", "five", "six"] {
            let said = host.alert(subject);
            assert!(matches!(said.code, Some(75 | 77)), "{mood:?} {said:#?}");
        }
        // The first one has found it out; five seconds are for silence.
        assert_eq!(relay.connections(), 1, "{mood:?}");
        assert!(start.elapsed() < Duration::from_secs(20), "{mood:?}");
        assert_eq!(host.waiting(), 6);
        // It was tried just now, however slow this machine is.
        host.change_route(|state| {
            state["tried"] = json!(seconds() * 1000);
            state["ended"] = json!(seconds() * 1000);
            state["next"] = json!(seconds() * 1000 + 50_000);
        });
        host.tick().ends(0).keeps_silent();
        assert_eq!(relay.connections(), 1, "{mood:?}");
        // A person who asks gets an answer.
        host.flush().ends(75).prints("6 waiting\n");
        assert_eq!(relay.connections(), 2, "{mood:?}");
        relay.becomes(Mood::Up);
        host.flush().ends(0).prints("6 sent\n");
        assert_eq!(
            relay.subjects(),
            ["one", "two", "three", "four", "five", "six"]
        );
        assert_eq!((relay.connections(), relay.carriers()), (3, 1), "{mood:?}");
    }
}

#[test]
fn a_timer_tries_a_route_each_minute_while_an_entry_is_young() {
    let relay = UnsteadyRelay::new(Mood::Says("MAIL", "451 4.3.0 not now"));
    let host = Host::with(&relay);
    host.alert("one").ends(75);
    for tries in 2..6 {
        host.wait_for_route(1);
        host.tick().ends(0).keeps_silent();
        assert_eq!(relay.connections(), tries);
    }
    // An old entry waits as long as the route does.
    host.grow_old(1);
    let wait = |next: u64| {
        host.change_route(|state| {
            let now = seconds() * 1000;
            state["tried"] = json!(now - 60_000);
            state["ended"] = json!(now - 60_000);
            state["next"] = json!(now + next);
        });
    };
    wait(600_000);
    host.tick().ends(0).keeps_silent();
    assert_eq!(relay.connections(), 5);
    wait(0);
    host.tick().ends(0).keeps_silent();
    assert_eq!(relay.connections(), 6);
    // The clock has gone back since: no wait is that long.
    wait(86_400_000);
    host.tick().ends(0).keeps_silent();
    assert_eq!(relay.connections(), 7);
    // A relay that asks for less is not asked each minute.
    let busy = UnsteadyRelay::new(Mood::Says(
        "MAIL",
        "432 4.3.2 concurrent connections exceeded",
    ));
    let host = Host::with(&busy);
    host.alert("one").ends(75);
    host.wait_for_route(2);
    host.tick().ends(0);
    assert_eq!(busy.connections(), 2);
    host.wait_for_route(2);
    host.tick().ends(0).keeps_silent();
    assert_eq!(busy.connections(), 2);
    host.wait_for_route(5);
    busy.becomes(Mood::Up);
    host.tick().ends(0).keeps_silent();
    assert_eq!(busy.subjects(), ["one"]);
}

#[test]
fn a_message_that_is_put_off_for_itself_waits_by_itself() {
    let relay = UnsteadyRelay::new(Mood::Says("RCPT TO:<ops@", "450 4.2.0 greylisted"));
    let host = Host::with(&relay);
    host.alert("grey").ends(75);
    host.run(&["mailx", "-s", "other", "dev@example.org"], "x\n")
        .ends(0);
    assert_eq!(relay.subjects(), ["other"]);
    let before = relay.connections();
    host.tick().ends(0).keeps_silent();
    assert_eq!(relay.connections(), before, "it is not due");
    host.change_state(|state| state["next"] = json!(seconds() - 1));
    host.tick().ends(0).keeps_silent();
    assert_eq!(relay.connections(), before + 1);
    relay.becomes(Mood::Up);
    host.tick().ends(0).keeps_silent();
    assert_eq!(host.waiting(), 1);
    // The clock has gone back since: a time that far ahead was never set.
    host.change_state(|state| state["next"] = json!(seconds() + 86_400));
    host.tick().ends(0).keeps_silent();
    assert_eq!(relay.subjects(), ["other", "grey"]);
}

#[test]
fn a_relay_that_puts_off_every_message_is_asked_no_more() {
    let relay = UnsteadyRelay::new(Mood::SaysAtDot("451 4.3.0 queue file write error"));
    let host = Host::with(&relay);
    for number in 0..10 {
        host.alert(&number.to_string()).ends(75);
    }
    assert_eq!(relay.connections(), 3);
    assert_eq!(host.waiting(), 10);
    relay.becomes(Mood::Up);
    host.flush().ends(0).prints("10 sent\n");
    assert_eq!(relay.connections(), 4);
}

#[test]
fn what_the_relay_refuses_is_put_away_with_its_reply() {
    let relay = UnsteadyRelay::new(Mood::Refused);
    let host = Host::with(&relay);
    host.alert("bad").ends(75);
    host.run(&["mailx", "-s", "good", "dev@example.org"], "x\n")
        .ends(75);
    relay.becomes(Mood::Says("RCPT TO:<ops@", "550 5.1.1 no such user"));
    host.wait_for_route(1);
    host.tick()
        .ends(65)
        .says("cannot send to ops@example.org: 550 5.1.1 no such user");
    assert_eq!(relay.subjects(), ["good"]);
    assert_eq!((host.waiting(), host.failed()), (0, 1));
    let name = &host.names("outbox/failed", ".st")[0];
    let state = fs::read_to_string(host.path("outbox/failed").join(name)).unwrap();
    assert!(state.contains("550 5.1.1 no such user"), "{state}");
    // Said once; nothing sends it again by itself.
    host.tick().ends(0).keeps_silent();
    host.flush().ends(0);
    assert_eq!(relay.taken().len(), 1);
}

#[test]
fn one_bad_recipient_keeps_nothing_from_the_others() {
    let relay = UnsteadyRelay::new(Mood::Refused);
    let host = Host::with(&relay);
    let people = [
        "mailx",
        "-s",
        "three",
        "a@example.org",
        "b@example.org",
        "c@example.org",
    ];
    host.run(&people, "x\n").ends(75);
    relay.becomes(Mood::Says("RCPT TO:<b@", "450 4.2.2 over quota"));
    host.flush()
        .ends(75)
        .says("cannot send now to b@example.org: 450 4.2.2");
    assert_eq!(relay.taken()[0].to, ["a@example.org", "c@example.org"]);
    relay.becomes(Mood::Up);
    host.flush().ends(0);
    assert_eq!(relay.taken()[1].to, ["b@example.org"]);
    let ids: Vec<String> = relay
        .taken()
        .iter()
        .map(|taken| taken.field("Message-ID").to_owned())
        .collect();
    assert_eq!(ids[0], ids[1]);
    assert_eq!(host.waiting(), 0);
}

#[test]
fn a_refused_login_throws_nothing_away_and_is_told_once() {
    let relay = UnsteadyRelay::new(Mood::Refused);
    let host = Host::new(&format!(
        "set mta=smtp://me@127.0.0.1:{} password-file={{}}/password",
        relay.port()
    ));
    let password = host.path("password");
    host.configure(&format!(
        "set mta=smtp://me@127.0.0.1:{} password-file={}",
        relay.port(),
        password.display()
    ));
    fs::write(&password, "hunter2\n").unwrap();
    fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).unwrap();
    host.age("password");
    host.alert("one").ends(75);
    relay.becomes(Mood::Says("AUTH", "535 5.7.8 wrong"));
    host.wait_for_route(60);
    host.tick().ends(77).says("535 5.7.8 wrong");
    for _ in 0..3 {
        host.wait_for_route(2);
        host.tick().ends(0).keeps_silent();
    }
    assert_eq!(relay.connections(), 1, "wrong passwords lock accounts");
    host.wait_for_route(60);
    host.tick().ends(0).keeps_silent();
    assert_eq!(relay.connections(), 2);
    // A line in between is as patient.
    host.alert("two").ends(77).says("535 5.7.8 wrong");
    assert_eq!(relay.connections(), 2);
    // A password that is new is tried at once, by a timer too.
    fs::write(&password, "right\n").unwrap();
    relay.becomes(Mood::Up);
    host.tick().ends(0).keeps_silent();
    assert_eq!(relay.subjects(), ["one", "two"]);
}

#[test]
fn a_lost_250_makes_one_more_try_and_then_none() {
    let relay = UnsteadyRelay::new(Mood::LosesReply);
    let host = Host::with(&relay);
    host.alert("lost").ends(75);
    assert_eq!((host.waiting(), host.uncertain()), (0, 1));
    let long_ago = || host.change_state(|state| state["uncertain"] = json!(seconds() - 901));
    host.tick().ends(0).keeps_silent();
    host.flush().ends(75).prints("1 uncertain\n");
    assert_eq!(relay.taken().len(), 1);
    // The relay is away when its time has come: that was no second try.
    host.change_state(|state| state["next"] = json!(null));
    long_ago();
    relay.becomes(Mood::Refused);
    host.flush().ends(75);
    assert_eq!(host.uncertain(), 1);
    relay.becomes(Mood::LosesReply);
    host.flush().ends(69).says("both times it is uncertain");
    let taken = relay.taken();
    assert_eq!(taken.len(), 2);
    assert_eq!(taken[0].field("Message-ID"), taken[1].field("Message-ID"));
    assert_eq!((host.waiting(), host.uncertain(), host.failed()), (0, 0, 1));
    host.flush().ends(0);
    assert_eq!(relay.taken().len(), 2);
}

#[test]
fn an_uncertain_message_is_left_alone_where_that_is_wanted() {
    let relay = UnsteadyRelay::new(Mood::LosesReply);
    let host = Host::new(&format!("{}\nset resend-uncertain=no", to(&relay)));
    host.alert("lost").ends(75);
    relay.becomes(Mood::Up);
    host.change_state(|state| {
        state["uncertain"] = json!(seconds() - 86_400);
        state["next"] = json!(null);
    });
    host.flush().ends(75).prints("1 uncertain\n");
    assert_eq!(relay.taken().len(), 1);
    // A person may ask for it.
    let name = host.names("outbox", ".dot")[0].clone();
    let id = name.trim_end_matches(".dot");
    host.run(&["outbox", "flush", id], "")
        .ends(0)
        .prints("1 sent\n");
    assert_eq!(relay.taken().len(), 2);
}

#[test]
fn a_sender_that_is_killed_behind_the_dot_leaves_an_uncertain_message() {
    let relay = UnsteadyRelay::new(Mood::HangsAtDot);
    let host = Host::with(&relay);
    let line = host.start(&alert("killed"), "x\n");
    relay.wait_for(1);
    kill(Pid::from_raw(line.id() as i32), Signal::SIGKILL).unwrap();
    said(line);
    host.run(&["outbox", "list"], "")
        .ends(1)
        .prints("uncertain");
    host.run(&["outbox", "show", "1"], "")
        .ends(0)
        .prints("killed");
    host.run(&["outbox", "show", "1", "--raw"], "")
        .ends(0)
        .prints("\nx\n");
    relay.becomes(Mood::Up);
    // Its time is that of the file: it was not so long ago.
    host.flush().ends(75).prints("1 uncertain\n");
    assert_eq!(relay.taken().len(), 1);
    host.change_state(|state| state["uncertain"] = json!(seconds() - 901));
    host.tick().ends(0).keeps_silent();
    let taken = relay.taken();
    assert_eq!(taken.len(), 2);
    assert_eq!(taken[0].field("Message-ID"), taken[1].field("Message-ID"));
    assert_eq!(host.uncertain(), 0);
}

#[test]
fn the_mail_of_a_killed_sender_goes_along_with_the_next_ones() {
    let relay = UnsteadyRelay::new(Mood::Silent);
    let host = Host::with(&relay);
    let line = host.start(&alert("killed"), "x\n");
    let slot = host.outbox().join("sending");
    let end = Instant::now() + Duration::from_secs(20);
    while fs::read(&slot).unwrap_or_default().is_empty() {
        assert!(Instant::now() < end, "no entry is written");
        thread::sleep(Duration::from_millis(1));
    }
    kill(Pid::from_raw(line.id() as i32), Signal::SIGKILL).unwrap();
    said(line);
    host.run(&["outbox", "list"], "").ends(1).prints("waiting");
    relay.becomes(Mood::Up);
    // The first one finds it and takes it along.
    host.alert("first").ends(0);
    host.alert("second").ends(0);
    assert_eq!(relay.subjects(), ["first", "killed", "second"]);
}

#[test]
fn a_flush_that_is_killed_behind_the_dot_leaves_the_rest_waiting() {
    let relay = UnsteadyRelay::new(Mood::Refused);
    let host = Host::with(&relay);
    for subject in ["one", "two", "three"] {
        host.alert(subject).ends(75);
    }
    relay.becomes(Mood::HangsAtDot);
    let flush = host.start(&["outbox", "flush"], "");
    relay.wait_for(1);
    kill(Pid::from_raw(flush.id() as i32), Signal::SIGKILL).unwrap();
    said(flush);
    assert_eq!((host.waiting(), host.uncertain()), (2, 1));
    relay.becomes(Mood::Up);
    host.wait_for_route(1);
    host.tick().ends(0).keeps_silent();
    assert_eq!(relay.subjects(), ["one", "two", "three"]);
    assert_eq!((host.waiting(), host.uncertain()), (0, 1));
}

#[test]
fn a_signal_ends_a_flush_at_once_and_loses_nothing() {
    let relay = UnsteadyRelay::new(Mood::Refused);
    let host = Host::with(&relay);
    host.alert("one").ends(75);
    host.alert("two").ends(75);
    relay.becomes(Mood::Silent);
    let flush = host.start(&["outbox", "flush"], "");
    let end = Instant::now() + Duration::from_secs(20);
    while relay.connections() == 0 {
        assert!(Instant::now() < end, "it does not connect");
        thread::sleep(Duration::from_millis(5));
    }
    kill(Pid::from_raw(flush.id() as i32), Signal::SIGTERM).unwrap();
    let said = said(flush);
    assert_eq!(said.code, None, "it dies of the signal: {said:#?}");
    assert_eq!(host.waiting(), 2);
    relay.becomes(Mood::Up);
    host.flush().ends(0).prints("2 sent\n");
}

#[test]
fn a_repaired_route_takes_the_queue_along() {
    let (old, new) = (
        UnsteadyRelay::new(Mood::Refused),
        UnsteadyRelay::new(Mood::Up),
    );
    let host = Host::with(&old);
    host.alert("one").ends(75);
    host.mend(&to(&new));
    host.tick().ends(0).keeps_silent();
    assert_eq!(new.subjects(), ["one"]);
}

#[test]
fn a_wrong_configuration_is_told_once_and_everything_waits_for_its_repair() {
    let relay = UnsteadyRelay::new(Mood::Refused);
    let host = Host::with(&relay);
    host.alert("one").ends(75);
    host.alert("two").ends(75);
    host.mend("set mta=tset");
    let said = host.tick().ends(75).says("mta is not valid");
    assert_eq!(said.err.matches("cannot send now").count(), 2, "{said:#?}");
    host.tick().ends(0).keeps_silent();
    host.flush().ends(75).prints("2 waiting\n");
    // No relay at all, and no sendmail.
    host.mend("");
    host.tick()
        .ends(75)
        .says("no relay is configured, and no sendmail is installed");
    host.tick().ends(0).keeps_silent();
    relay.becomes(Mood::Up);
    host.mend(&to(&relay));
    host.tick().ends(0).keeps_silent();
    assert_eq!(relay.subjects(), ["one", "two"]);
}

#[test]
fn an_entry_whose_route_is_local_by_now_is_delivered() {
    let relay = UnsteadyRelay::new(Mood::Refused);
    let host = Host::with(&relay);
    host.run(&["mailx", "-s", "local", "root"], "x\n").ends(75);
    host.configure("set mta=local");
    host.flush().ends(0).prints("1 sent\n");
    let spool = fs::read_to_string(host.path("spool/root")).unwrap();
    assert!(spool.contains("Subject: local"), "{spool}");
    assert_eq!(host.waiting(), 0);
}

#[test]
fn a_message_keeps_its_account_and_the_route_of_its_command_line() {
    let (plain, work, typed) = (
        UnsteadyRelay::new(Mood::Refused),
        UnsteadyRelay::new(Mood::Refused),
        UnsteadyRelay::new(Mood::Refused),
    );
    let host = Host::new(&format!(
        "{}\nset from=me@example.org\naccount work {{\n{}\nset from=work@example.org\n}}",
        to(&plain),
        to(&work)
    ));
    host.alert("plain").ends(75);
    host.run(
        &["mailx", "-A", "work", "-s", "work", "ops@example.org"],
        "x\n",
    )
    .ends(75);
    let route = format!("mta=smtp://127.0.0.1:{}", typed.port());
    host.run(
        &["mailx", "-S", &route, "-s", "typed", "ops@example.org"],
        "x\n",
    )
    .ends(75);
    for relay in [&plain, &work, &typed] {
        relay.becomes(Mood::Up);
    }
    host.flush().ends(0).prints("3 sent\n");
    let got = |relay: &UnsteadyRelay| {
        let taken = relay.taken();
        assert_eq!(taken.len(), 1);
        (taken[0].field("Subject").to_owned(), taken[0].from.clone())
    };
    let pair = |subject: &str, from: &str| (subject.to_owned(), from.to_owned());
    assert_eq!(got(&plain), pair("plain", "me@example.org"));
    assert_eq!(got(&work), pair("work", "work@example.org"));
    assert_eq!(got(&typed), pair("typed", "me@example.org"));
}

#[test]
fn an_old_message_is_tried_once_more_before_it_is_put_away() {
    let relay = UnsteadyRelay::new(Mood::Refused);
    let host = Host::with(&relay);
    host.alert("one").ends(75);
    host.grow_old(6);
    relay.becomes(Mood::Up);
    host.flush().ends(0).prints("1 sent\n");
    relay.becomes(Mood::Refused);
    host.alert("two").ends(75);
    host.grow_old(6);
    host.alert("three").ends(75);
    host.wait_for_route(60);
    host.tick().ends(69).says("not accepted within 5 days: ");
    assert_eq!((host.waiting(), host.failed()), (1, 1));
    host.tick().ends(0).keeps_silent();
    // From the future, as it seems: the clock has gone back.
    let name = host.names("outbox", ".q")[0].clone();
    let future = format!("9{}", &name[1..]);
    for end in [".q", ".st"] {
        let path = |name: &str| host.outbox().join(name.replace(".q", end));
        fs::rename(path(&name), path(&future)).unwrap();
    }
    relay.becomes(Mood::Up);
    host.flush().ends(0).prints("1 sent\n");
    assert_eq!(relay.subjects(), ["one", "three"]);
}

#[test]
fn a_mail_takes_a_few_along_that_wait_for_its_route() {
    let relay = UnsteadyRelay::new(Mood::Refused);
    let host = Host::with(&relay);
    for number in 0..8 {
        host.alert(&number.to_string()).ends(75);
    }
    relay.becomes(Mood::Up);
    host.wait_for_route(2);
    host.alert("new").ends(0).keeps_silent();
    // New mail goes first.
    let subjects = relay.subjects();
    assert_eq!(subjects[0], "new");
    assert_eq!(
        subjects[1..],
        ["0", "1", "2", "3", "4"][..subjects.len() - 1]
    );
    assert_eq!(relay.connections(), 1);
    // Options of its command line are not for the others.
    let waiting = host.waiting();
    host.run(
        &[
            "mailx",
            "-S",
            "from=x@example.org",
            "-s",
            "own",
            "ops@example.org",
        ],
        "x\n",
    )
    .ends(0)
    .keeps_silent();
    assert_eq!(host.waiting(), waiting);
    host.alert("last").ends(0).keeps_silent();
    assert_eq!(host.waiting(), 0);
}

#[test]
fn two_flushes_and_twenty_senders_at_once_lose_and_double_nothing() {
    let relay = UnsteadyRelay::new(Mood::Refused);
    let host = Host::with(&relay);
    for number in 0..20 {
        host.alert(&format!("old {number:02}")).ends(75);
    }
    relay.becomes(Mood::Up);
    let new: Vec<String> = (0..20).map(|number| format!("new {number:02}")).collect();
    let mut running = vec![
        host.start(&["outbox", "flush"], ""),
        host.start(&["outbox", "flush"], ""),
    ];
    for subject in &new {
        running.push(host.start(&alert(subject), "x\n"));
    }
    for child in running {
        said(child);
    }
    host.flush().ends(0);
    assert_eq!((host.waiting(), host.uncertain(), host.failed()), (0, 0, 0));
    let mut subjects = relay.subjects();
    subjects.sort();
    let old = (0..20).map(|number| format!("old {number:02}"));
    let mut expected: Vec<String> = old.chain(new).collect();
    expected.sort();
    assert_eq!(subjects, expected);
}

#[test]
fn a_rate_is_kept() {
    let relay = UnsteadyRelay::new(Mood::Refused);
    let host = Host::new(&format!("{}\nset outbox-rate=120", to(&relay)));
    for subject in ["one", "two", "three"] {
        host.alert(subject).ends(75);
    }
    relay.becomes(Mood::Up);
    let start = Instant::now();
    host.flush().ends(0).prints("3 sent\n");
    assert!(start.elapsed() >= Duration::from_secs(1));
}

#[test]
fn an_explanation_says_that_the_route_is_down() {
    let relay = UnsteadyRelay::new(Mood::Says("MAIL", "451 4.3.0 not now"));
    let host = Host::with(&relay);
    host.alert("one").ends(75);
    host.run(&["send", "--explain", "ops@example.org"], "x\n")
        .ends(0)
        .prints("the relay takes no mail since ")
        .prints("451 4.3.0 not now");
}

#[test]
fn a_damaged_entry_is_told_once_and_keeps_nothing_from_the_others() {
    let relay = UnsteadyRelay::new(Mood::Refused);
    let host = Host::with(&relay);
    host.alert("damaged").ends(75);
    host.alert("sound").ends(75);
    let path = host.outbox().join(&host.names("outbox", ".q")[0]);
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 2;
    bytes[last] ^= 1;
    fs::write(&path, bytes).unwrap();
    relay.becomes(Mood::Up);
    host.wait_for_route(1);
    host.tick()
        .ends(65)
        .says("is damaged: its checksum is wrong");
    assert_eq!(relay.subjects(), ["sound"]);
    assert_eq!((host.waiting(), host.failed()), (0, 1));
    host.tick().ends(0).keeps_silent();
    host.flush().ends(0);
}

#[test]
fn the_next_relay_of_a_list_takes_what_the_first_one_does_not() {
    let (first, second) = (
        UnsteadyRelay::new(Mood::Refused),
        UnsteadyRelay::new(Mood::Refused),
    );
    let host = Host::new(&format!(
        "set mta=smtp://127.0.0.1:{},smtp://127.0.0.1:{}",
        first.port(),
        second.port()
    ));
    host.alert("one").ends(75);
    host.alert("two").ends(75);
    second.becomes(Mood::Up);
    host.flush().ends(0).prints("2 sent\n");
    assert_eq!(second.subjects(), ["one", "two"]);
    assert_eq!(second.connections(), 1);
    // The first one is known to be down, and costs nothing.
    host.alert("three").ends(0).keeps_silent();
    assert_eq!(second.subjects(), ["one", "two", "three"]);
}
