//! The system's own files, in a private namespace: `mta=auto`, `-n`, `/etc/mail.rc`.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};

use nix::unistd::Group;

use crate::case::Case;
use crate::launch::{self, NOBODY};
use crate::letters::letters;
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

/// Returns a machine without any MTA whose spool is as distributions make it: root:mail, 2775.
fn without_mta(what: &str) -> Option<(Case, u32)> {
    if !launch::is_root() {
        launch::left_out(what, "needs root, to give files to the group mail");
        return None;
    }
    let Ok(Some(group)) = Group::from_name("mail") else {
        launch::left_out(what, "there is no group mail here");
        return None;
    };
    let case = Case::new().private(what)?;
    chown(case.path("spool"), Some(0), Some(group.gid.as_raw())).unwrap();
    // The program's log belongs to the test.
    let case = case
        .mode("spool", 0o2775)
        .file("sys/etc/postrider.rc", "set log=off\n")
        .env("MAILRC", "");
    Some((case, group.gid.as_raw()))
}

#[test]
fn a_system_mailbox_is_made_as_an_mda_makes_it() {
    for (user, uid) in [("root", 0), ("nobody", NOBODY)] {
        let Some((case, mail)) = without_mta("owner and mode of a new system mailbox") else {
            return;
        };
        let ran = case
            .called("postrider")
            .args(["send", "--subject", "hi", user])
            .stdin("hello\n")
            .may_change("spool")
            .run();
        let path = format!("spool/{user}");
        let metadata = fs::metadata(ran.path(&path)).unwrap();
        let owner = (metadata.uid(), metadata.gid(), metadata.mode() & 0o7777);
        assert_eq!(owner, (uid, mail, 0o660), "{user}");
        assert_eq!(letters(&ran.read(&path))[0].body(), b"hello\n");
    }
}

#[test]
fn a_plain_user_without_the_rights_of_a_deliverer_keeps_the_mail() {
    let Some((case, _)) = without_mta("a plain user with a spool of the system's") else {
        return;
    };
    launch::give_to_nobody(&case.path("home"));
    launch::assert_lacks("-w", &case.path("spool"), true);
    let ran = case
        .called("postrider")
        .within("exec /usr/bin/setpriv --reuid=65534 --regid=65534 --clear-groups \"$@\"")
        .env("DEAD", "")
        .args(["send", "--subject", "hi", "nobody"])
        .stdin("hello\n")
        .status(77)
        .says("cannot send to nobody")
        .hints("MAIL")
        .keeps(1)
        .run();
    assert_eq!(ran.dead()[0].body(), b"hello\n");
    let left: Vec<_> = fs::read_dir(ran.path("spool")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}
