//! Rare failures: what is said of them names the cause, the right thing and the right status.

use std::path::Path;

use crate::case::Case;
use crate::launch;
use crate::sendmail::FakeSendmail;

/// Two messages, in a mailbox that is named on the command line.
fn reading(commands: &str) -> Case {
    let one = |n: u8| format!("From a Mon Nov 16 09:00:0{n} 2026\nSubject: s{n}\n\nbody\n\n");
    Case::new()
        .args(["-N", "-f", "box"])
        .file("cwd/box", one(1) + &one(2))
        .stdin(commands)
        .any_stdout()
}

#[test]
fn the_hint_about_the_name_of_the_host_follows_a_refusal_only() {
    for setting in [
        "tls-fingerprint=zz",
        "smtp-auth-user=u password-file=/nonesuch",
        "tls-ca-file=/nonesuch",
        "tls=require",
    ] {
        let ran = Case::new()
            .args(["-s", "t", "ops@x.org"])
            .rc(&format!(
                "set mta=smtp://localhost:9 hostname=bare {setting}"
            ))
            .stdin("x\n")
            .fails()
            .any_stderr()
            .keeps_somewhere(1)
            .run();
        let said = ran.stderr();
        assert!(!said.contains("relays may refuse"), "{setting}: {said}");
    }
}

#[test]
fn what_does_not_pass_by_itself_is_not_called_a_matter_of_now() {
    for (mta, recipient) in [("/nonesuch", "ops@x.org"), ("[DIR]/cwd/text", "ops@x.org")] {
        Case::new()
            .args(["-s", "t", recipient])
            .file("cwd/text", "no program\n")
            .rc(&format!("set mta={mta}"))
            .stdin("x\n")
            .status(69)
            .says("cannot send to ops@x.org: cannot run")
            .hints("set mta=")
            .any_stderr()
            .keeps(1)
            .run();
    }
}

#[test]
fn a_limit_of_the_system_for_files_is_no_refusal_of_the_message() {
    let large = "x".repeat(70) + "\n";
    for (args, body) in [
        (&["-a", "large", "ops@x.org"][..], "x\n".to_owned()),
        (&["ops@x.org"], large.repeat(2_000)),
        (&["-S", "expandaddr", "|cat >out"], large.repeat(2_000)),
        (&["--plain", "ops@x.org"], large.repeat(8_000)),
    ] {
        let case = Case::send(["-s", "t"])
            .may_change("tmp")
            .private("a limit for files");
        let Some(case) = case else { return };
        case.args(args)
            .file("cwd/large", large.repeat(20_000))
            .stdin(body)
            .within("ulimit -f 100; exec \"$@\"")
            .status(73)
            .says("File too large")
            .says("NOT KEPT")
            .any_stderr()
            .may_change("home")
            .run();
    }
}

#[test]
fn an_attachment_that_breaks_off_is_not_called_saved() {
    let strace = "/usr/bin/strace";
    if !Path::new(strace).exists() {
        return launch::left_out(
            "an attachment on standard input that breaks off",
            "needs strace",
        );
    }
    // The second read of standard input fails.
    let trace = format!(
        "exec {strace} -qq -o /dev/null -P \"$PWD/data\" -e inject=read:error=EIO \
         \"$@\" <data"
    );
    Case::send(["-s", "t", "-a", "-", "ops@x.org"])
        .file("cwd/data", "x".repeat(300_000))
        .within(&trace)
        .fails()
        .says("cannot attach -: Input/output error")
        .says("the incomplete message is saved in")
        .keeps(1)
        .run()
        .nothing_sent();
}

#[test]
fn a_device_that_is_not_there_is_called_a_device() {
    if !Path::new("/usr/bin/setsid").exists() {
        return launch::left_out("/dev/tty without a terminal", "needs setsid");
    }
    Case::new()
        .args(["-f", "/dev/tty"])
        .wrapped(["/usr/bin/setsid", "-w"])
        .status(66)
        .says("cannot open /dev/tty: it is a device")
        .run();
    reading("save 1 /dev/tty\nx\n")
        .wrapped(["/usr/bin/setsid", "-w"])
        .status(73)
        .says("cannot append to /dev/tty: it is a device")
        .any_stderr()
        .run();
}

#[test]
fn a_process_that_is_not_there_is_not_waited_for() {
    let ran = reading("delete 1\nquit\n")
        .args(["-S", "lock-timeout=2"])
        .file("cwd/box.lock", "999999\n")
        .status(75)
        .says("waiting for another program, which holds box.lock")
        .says("box.lock is in the way")
        .any_stderr()
        .run();
    assert!(!ran.stderr().contains("999999"), "{}", ran.stderr());
}

#[test]
fn a_file_that_is_refused_is_named_once() {
    // A directory that others may write to, and a link there that neither we nor root own.
    let case = || {
        reading("")
            .directory("cwd/open")
            .mode("cwd/open", 0o777)
            .file("cwd/victim", "")
    };
    let give = "/bin/chown -h nobody open/link || exit 99; exec \"$@\"";
    if !nix::unistd::geteuid().is_root() {
        return launch::left_out("a link of another user", "needs root");
    }
    for commands in ["write 1 open/link\nx\n", "save 1 open/link\nx\n"] {
        let ran = case()
            .link("cwd/open/link", "[DIR]/cwd/victim")
            .stdin(commands)
            .within(give)
            .may_change("cwd/open")
            .fails()
            .any_stderr()
            .run();
        let said = ran.stderr();
        let first = said.lines().next().unwrap_or_default();
        assert_eq!(first.matches("open/link").count(), 1, "{said}");
        assert!(first.contains("it is another user's link"), "{said}");
    }
}

#[test]
fn a_dead_letter_that_goes_elsewhere_says_why() {
    for (dead, why) in [
        ("[DIR]/cwd/link", "it is a symbolic link"),
        ("/dev/null/x", "Not a directory"),
        ("[DIR]/cwd", "it is a directory"),
    ] {
        let case = Case::new()
            .args(["-s", "t", "-S", "mta=[DIR]/mta/sendmail", "ops@x.org"])
            .sendmail(FakeSendmail::exiting(69))
            .file("cwd/victim", "")
            .link("cwd/link", "victim")
            .rc(&format!("set dead={dead}"))
            .may_change("tmp");
        let Some(case) = case.private("a dead letter in /var/tmp") else {
            return;
        };
        let ran = case.stdin("x\n").status(69).any_stderr().run();
        let said = ran.stderr();
        assert!(said.contains(why), "{dead}: {said}");
        assert!(
            said.contains("is saved in /var/tmp/postrider-"),
            "{dead}: {said}"
        );
    }
}

#[test]
fn a_message_before_the_first_is_no_message_like_one_behind_the_last() {
    for list in ["-", "9", "+9"] {
        reading(&format!("delete {list}\ndelete 2\nquit\n"))
            .status(64)
            .any_stderr()
            .run();
    }
    // What is there, and matches nothing, is no failure.
    reading("delete /nobody\nx\n").any_stderr().run();
}
