//! The system's own files, in a private namespace: `mta=auto`, `-n`, `/etc/mail.rc`.

use crate::case::Case;
use crate::sendmail::FakeSendmail;

/// Returns a case with `/usr/sbin/sendmail` being the fake one.
fn machine(what: &str) -> Option<Case> {
    Some(
        Case::new()
            .private(what)?
            .sendmail(FakeSendmail::accepting()),
    )
}

#[test]
fn auto_finds_the_sendmail_of_the_system() {
    let Some(case) = machine("mta=auto") else {
        return;
    };
    let ran = case.args(["-s", "t", "ops@example.com"]).stdin("x\n").run();
    assert_eq!(ran.call().recipients(), ["ops@example.com"]);
}

#[test]
fn dot_in_the_system_file_does_not_cut_a_piped_mail() {
    let Some(case) = machine("/etc/mail.rc with set dot") else {
        return;
    };
    let body = "before\n.\nafter\n";
    let ran = case
        .file(
            "sys/etc/mail.rc",
            "set ask askcc append dot save crt\nignore Received\n",
        )
        .args(["-s", "t", "ops@example.com"])
        .stdin(body)
        .run();
    assert_eq!(ran.call().letter().body(), body.as_bytes());
}

#[test]
fn the_files_are_read_in_their_order() {
    let Some(case) = machine("the order of the configuration files") else {
        return;
    };
    let ran = case
        .file(
            "sys/etc/mail.rc",
            "set from=first@x.org replyto=first@x.org\nalias ops a@x.org\n",
        )
        .file("sys/etc/postrider.rc", "set from=second@x.org\n")
        .args(["-s", "t", "ops"])
        .stdin("x\n")
        .run();
    let call = ran.call();
    assert_eq!(call.recipients(), ["a@x.org"]);
    assert_eq!(call.letter().field("From"), "second@x.org");
    assert_eq!(call.letter().field("Reply-To"), "first@x.org");
}

#[test]
fn n_skips_the_system_file_and_nothing_else() {
    let Some(case) = machine("-n") else { return };
    let ran = case
        .file("sys/etc/mail.rc", "set from=system@x.org\n")
        .rc("set replyto=own@x.org")
        .args(["-n", "-s", "t", "ops@example.com"])
        .stdin("x\n")
        .run();
    assert!(ran.call().letter().fields("From").is_empty());
    assert_eq!(ran.call().letter().field("Reply-To"), "own@x.org");
}

#[test]
fn the_spool_of_the_system_is_read() {
    let Some(case) = machine("the spool of the system") else {
        return;
    };
    case.file("spool/root", crate::mailboxes::ONE)
        .args(["-H"])
        .stdout_contains("Disk almost full")
        .run();
}

#[test]
fn local_names_go_to_the_sendmail_of_the_system() {
    let Some(case) = machine("a local name with a sendmail") else {
        return;
    };
    let ran = case.args(["-s", "t", "root"]).stdin("x\n").run();
    assert_eq!(ran.call().recipients(), ["root"]);
}
