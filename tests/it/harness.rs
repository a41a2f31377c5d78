//! The harness itself: that its cases can fail, and that its fakes do what they are told.
//!
//! A shell script stands for the program here.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::case::Case;
use crate::sendmail::FakeSendmail;

/// Returns a case in which this script runs instead of the program.
fn script(text: &str) -> Case {
    Case::new().wrapped(["/bin/sh", "-c", text, "sh"])
}

/// A script that calls the fake sendmail with its own standard input.
const CALL: &str = "exec ${HOME%/home}/mta/sendmail -i -- a@x.org b@x.org";

#[test]
fn a_silent_program_passes() {
    script("exit 0").run();
}

#[test]
#[should_panic(expected = "status 3, expected 0")]
fn a_status_is_noticed() {
    script("exit 3").run();
}

#[test]
#[should_panic(expected = "stdout is not as expected")]
fn output_is_noticed() {
    script("echo unasked").run();
}

#[test]
#[should_panic(expected = "stderr is not as expected")]
fn complaints_are_noticed() {
    script("echo unasked >&2").run();
}

#[test]
#[should_panic(expected = "unexpected on stderr: mailx: more")]
fn a_second_complaint_is_noticed() {
    script("echo mailx: one >&2; echo mailx: more >&2")
        .says("one")
        .run();
}

#[test]
#[should_panic(expected = "neither `mailx: …` nor a hint")]
fn a_complaint_without_our_name_is_noticed() {
    script("echo mailx: one >&2; echo two >&2")
        .says("one")
        .run();
}

#[test]
#[should_panic(expected = "a new file: home/.surprise")]
fn a_new_file_is_noticed() {
    script("exec 3>$HOME/.surprise").run();
}

#[test]
#[should_panic(expected = "changed: cwd/a")]
fn a_changed_file_is_noticed() {
    script("echo b >a").file("cwd/a", "a\n").run();
}

#[test]
#[should_panic(expected = "still running after")]
fn a_hang_is_a_failure() {
    script("while :; do :; done")
        .limit(Duration::from_millis(300))
        .run();
}

#[test]
#[should_panic(expected = "$DEAD holds 1 messages, expected 2")]
fn a_lost_letter_is_noticed() {
    script("umask 077; echo From me >$DEAD; echo mailx: kept in $DEAD >&2")
        .says("kept")
        .keeps(2)
        .run();
}

#[test]
fn the_world_is_its_own() {
    script("echo $HOME $PWD $PATH $MAILRC $TZ $LC_ALL $#")
        .args(["one", "[DIR]/two"])
        .stdout("[DIR]/home [DIR]/cwd [DIR]/bin [DIR]/rc UTC C 3\n")
        .run();
}

#[test]
fn the_fake_sendmail_records() {
    let ran = script(CALL)
        .stdin("Subject: t\n\nx\n")
        .sendmail(FakeSendmail::accepting())
        .run();
    let call = ran.call();
    assert_eq!(call.options(), ["-i"]);
    assert_eq!(call.recipients(), ["a@x.org", "b@x.org"]);
    assert_eq!(call.stdin, b"Subject: t\n\nx\n");
    assert!(call.env.contains(&"TZ=UTC".to_owned()));
}

#[test]
fn the_fake_sendmail_behaves_as_told() {
    let with = |sendmail| script(CALL).stdin("0123456789").sendmail(sendmail);
    with(FakeSendmail::exiting(75)).status(75).run();
    with(FakeSendmail::accepting().step("kill 9"))
        .status(137)
        .run();
    with(FakeSendmail::new().step("say no").step("exit 1"))
        .status(1)
        .stderr("no\n")
        .run();
    let ran = with(FakeSendmail::new().step("read 4").step("exit 2"))
        .status(2)
        .run();
    assert_eq!(ran.call().stdin, b"0123");
    let ran = with(FakeSendmail::new().step("chatter 70000"))
        .any_stderr()
        .run();
    assert!(ran.output.stderr.len() > 70_000);
}

#[test]
fn a_signal_reaches_the_program() {
    script(CALL)
        .sendmail(FakeSendmail::new().step("hang"))
        .signal_at("mta/calls/0001/hanging", Signal::SIGTERM)
        .status(143)
        .run();
    script("read line; echo $line; : >reading; read line")
        .stdin_stays_open("one\n")
        .signal_at("cwd/reading", Signal::SIGKILL)
        .may_change("cwd/reading")
        .status(137)
        .stdout("one\n")
        .run();
    script("echo mailx: here >&2; read line")
        .stdin_stays_open("")
        .signal_when_said("here", Signal::SIGKILL)
        .status(137)
        .says("here")
        .run();
}

#[test]
fn a_signal_comes_when_the_program_waits() {
    // A handler of the shell's own: it ends the script, and with it the case, only while it waits.
    let trap = "trap 'echo caught; exit 3' TERM";
    let wait = |what: &str| script(&format!("{trap}; {what}; echo went on"));
    wait("read line")
        .stdin_stays_open("")
        .signal_when_waiting(Signal::SIGTERM)
        .status(3)
        .stdout("caught\n")
        .run();
    let case = wait("read line <>pipe; read line <>pipe")
        .fifo("cwd/pipe")
        .signal_when_waiting_for("cwd/pipe", Signal::SIGTERM);
    case.status(3).stdout("caught\n").run();
    script("trap '' TERM; : >begun; while ! [ -e behind ]; do :; done")
        .signal_at("cwd/begun", Signal::SIGTERM)
        .may_change("cwd/begun")
        .then_makes("cwd/behind")
        .run();
}

#[test]
fn nobody_has_no_rights() {
    script("echo x >>${HOME%/home}/spool/root")
        .file("spool/root", "")
        .mode("spool/root", 0o400)
        .nobody()
        .lacking("-w", "spool/root")
        .fails()
        .any_stderr()
        .run();
}

#[test]
fn a_private_machine_has_its_own_files() {
    let Some(case) = Case::new().private("the harness's own namespaces") else {
        return;
    };
    case.file("sys/etc/mail.rc", "set dot\n")
        .file("spool/root", "mail\n")
        .sendmail(FakeSendmail::accepting())
        .within(
            "read rc </etc/mail.rc; read mail </var/mail/root; echo $rc $mail; exec /usr/sbin/sendmail x",
        )
        .stdout("set dot mail\n")
        .run()
        .call();
}

#[test]
fn messages_that_are_none_for_a_person_are_noticed() {
    for (line, is_good) in [
        ("mailx: cannot open box: No such file or directory", true),
        (
            "mailx: cannot open box: No such file or directory (os error 2)",
            false,
        ),
        (
            "mailx: its certificate fails: Other(OtherError(EndEntityUsedAsCa))",
            false,
        ),
        ("mailx: cannot run x: Os { code: 2, kind: NotFound }", false),
        ("mailx: /root/.mailrc:0: Permission denied", false),
        ("mailx: /root/.mailrc:10: unknown command \"x\"", true),
        (
            "mailx: cannot lock box: it is held by pid 1: it is held by pid 1",
            false,
        ),
        ("hint: account NAME { … } in ~/.mailrc defines one", true),
    ] {
        assert_eq!(
            crate::case::fault_of_words(line).is_none(),
            is_good,
            "{line}"
        );
    }
}
