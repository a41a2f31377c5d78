//! No descriptor left: a mail is sent, or kept, or the user learns that it is not, and why.

use std::path::Path;
use std::time::Duration;

use crate::case::{Case, Ran};
use crate::launch;
use crate::sendmail::FakeSendmail;
use crate::smtp_server::find;

/// Three are open already, and one the loader of the program needs.
const LIMITS: std::ops::Range<usize> = 4..20;

const SOON: Duration = Duration::from_secs(20);

/// Returns a script that closes what terminals of other tests let every program inherit.
fn limited(limit: usize) -> String {
    let close = "for fd in /proc/$BASHPID/fd/*; do fd=${fd##*/}; \
                 if ((fd > 2)); then eval \"exec $fd>&-\"; fi; done";
    format!("{close}; ulimit -n {limit}; exec \"$@\"")
}

fn with_limit(case: Case, limit: usize) -> Ran {
    case.args(["-s", "t", "ops@x.org"])
        .stdin("the text\n")
        .wrapped(["/bin/bash", "-c", &limited(limit), "bash"])
        .limit(SOON)
        .any_status()
        .any_stderr()
        .may_change("home")
        .may_change("mta")
        .run()
}

/// Asserts that a mail that was not sent is kept, or said to be not.
fn assert_told(ran: &Ran, limit: usize) -> i32 {
    let status = ran.output.code();
    let said = ran.stderr();
    if status == 0 {
        return status;
    }
    // A dead letter that cannot be locked has a file of its own.
    let names = std::fs::read_dir(ran.path("home")).expect("listed");
    let files = names
        .map(|name| name.expect("listed").path())
        .filter(|path| path.is_file());
    let texts = files.map(|file| std::fs::read(file).expect("read"));
    let queued = ran.queued().into_iter().map(|entry| entry.message);
    let kept: Vec<Vec<u8>> = texts.chain(queued).collect();
    // Nor is an empty one left behind.
    assert!(kept.iter().all(|text| !text.is_empty()), "{limit}: {said}");
    if said.contains("NOT KEPT") {
        assert!(kept.is_empty() && limit < 5, "{limit}: {said}")
    } else {
        let names_place = said.contains("is saved in") || said.contains("in the outbox as");
        assert!(names_place, "{limit}: {said}");
        assert_eq!(kept.len(), 1, "{limit}: {said}");
        let is_whole = find(&kept[0], b"\n\nthe text\n").is_some();
        assert!(is_whole, "{limit}: {said}");
    }
    status
}

#[test]
fn without_descriptors_a_mail_is_sent_or_kept_or_said_to_be_lost() {
    for limit in LIMITS {
        let case = Case::new().sendmail(FakeSendmail::accepting());
        let ran = with_limit(case, limit);
        let status = assert_told(&ran, limit);
        // 73 where nothing keeps it; 69 where sendmail itself cannot start. Never a fault of ours.
        assert!(
            [0, 69, 73, 75].contains(&status),
            "{limit}: {status} {}",
            ran.stderr()
        );
        assert!(status == 0 || ran.calls().is_empty() || ran.stderr().contains("mta"));
    }
}

#[test]
fn without_descriptors_no_relay_is_unknown() {
    for limit in LIMITS {
        // Nobody listens there, and everybody knows where it is.
        let case = Case::new().rc("set mta=smtp://localhost:9 from=a@x.org hostname=h.x.org");
        let ran = with_limit(case, limit);
        let status = assert_told(&ran, limit);
        assert!(
            [73, 75].contains(&status),
            "{limit}: {status} {}",
            ran.stderr()
        );
    }
}

#[test]
fn a_sendmail_that_nobody_can_wait_for_is_uncertain() {
    let strace = "/usr/bin/strace";
    if !Path::new(strace).exists() {
        return launch::left_out("a child that nobody can wait for", "needs strace");
    }
    let trace = format!("exec {strace} -qq -o /dev/null -e inject=wait4,waitid:error=EIO \"$@\"");
    let ran = Case::send(["-s", "t", "ops@x.org"])
        .stdin("the text\n")
        .within(&trace)
        .limit(SOON)
        .status(75)
        .says("cannot find out how")
        .hints("mailq")
        .keeps(1)
        .run();
    assert_eq!(ran.dead()[0].body(), b"the text\n");
}

#[test]
fn a_text_that_is_read_in_part_is_not_called_the_message() {
    let ran = Case::send(["-s", "t", "ops@x.org"])
        .stdin_stays_open("the first half\n")
        .signal_when_waiting(nix::sys::signal::Signal::SIGTERM)
        .limit(SOON)
        .status(128 + 15)
        .any_stderr()
        .keeps(1)
        .run();
    ran.nothing_sent();
    assert!(
        ran.stderr().contains("the incomplete message is saved in"),
        "{}",
        ran.stderr()
    );
}
