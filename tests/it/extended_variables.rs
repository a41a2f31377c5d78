//! Variables of s-nail, bsd-mailx and GNU mail that have no other test of their own: what each changes
//! in the message, at the relay or on the screen.

use std::sync::Arc;

use crate::case::Case;
use crate::mailboxes::{ONE, TWO};
use crate::smtp_server::{Behaviour, Certificate, SmtpServer};

/// Returns `mailx -s t ops@example.com` with these lines in its start-up file.
fn mail(rc: &str) -> Case {
    Case::send(["-s", "t", "ops@example.com"])
        .rc(rc)
        .stdin("x\n")
}

/// Returns the same by this relay, with these lines more.
fn relayed(server: &SmtpServer, rc: &str) -> Case {
    Case::new()
        .args(["-s", "t", "ops@example.com"])
        .rc(&format!("set smtp=localhost:{}\n{rc}", server.port()))
        .stdin("x\n")
}

/// Returns a relay that takes the login of `tester` without TLS.
fn with_login() -> SmtpServer {
    SmtpServer::accepting(Behaviour {
        login: Some(("tester", "s3cret")),
        auth_in_clear: true,
        mail: Some("250 OK"),
        ..Behaviour::default()
    })
}

/// Returns who has logged in to send the one message that the relay has.
fn user(server: &SmtpServer) -> Option<String> {
    let messages = server.messages();
    assert_eq!(messages.len(), 1);
    messages[0].user.clone()
}

// var:hostname var:mta-argv0 var:verbose
#[test]
fn the_message_and_the_call_of_sendmail_follow_the_variables() {
    let id = |rc: &str| mail(rc).run().call().letter().field("Message-ID");
    assert!(id("set hostname=h.example.org").ends_with("@h.example.org>"));
    assert!(!id("").ends_with("@h.example.org>"));
    let call = mail("set mta-argv0=wrapped verbose")
        .any_stderr()
        .run()
        .call();
    assert!(
        call.env.contains(&"CALLED=wrapped".to_owned()),
        "{:?}",
        call.env
    );
    assert!(call.argv.contains(&"-v".to_owned()), "{:?}", call.argv);
    let call = mail("").run().call();
    assert!(!call.env.contains(&"CALLED=wrapped".to_owned()));
    assert!(!call.argv.contains(&"-v".to_owned()), "{:?}", call.argv);
}

// var:mta-aliases var:nss-config-dir
#[test]
fn variables_without_effect_change_nothing() {
    let plain = mail("").run().call();
    for rc in [
        "set mta-aliases=/etc/aliases",
        "set nss-config-dir=/etc/pki/nssdb",
    ] {
        let call = mail(rc).run().call();
        assert_eq!(call.argv, plain.argv, "{rc}");
        assert_eq!(call.letter().body(), plain.letter().body(), "{rc}");
    }
}

// var:inbox
#[test]
fn the_inbox_is_the_mailbox_that_is_read() {
    let case = || {
        Case::new()
            .args(["-N", "-S", "quiet"])
            .file("cwd/mine", TWO)
            .may_change("cwd/mine")
            .stdin("f *\nfile %\nx\n")
    };
    for rc in ["set inbox=[DIR]/cwd/mine", "set MAIL=[DIR]/cwd/mine"] {
        let ran = case().rc(rc).any_stdout().run();
        assert!(ran.stdout().contains("Größe"), "{rc}: {}", ran.stdout());
    }
    let ran = case().any_status().any_stdout().any_stderr().run();
    assert!(!ran.stdout().contains("Größe"), "{}", ran.stdout());
}

// var:showname
#[test]
fn names_stand_in_the_summary_where_that_is_wanted() {
    let summary = |set: &str| {
        let case = Case::new().args(["-H", "-S", set, "-f", "box"]);
        let ran = case.file("cwd/box", TWO).any_stdout().run();
        ran.stdout()
    };
    assert!(summary("showname").contains("Bob Brown"));
    assert!(summary("noshowname").contains("bob@example.org"));
}

// var:pager
#[test]
fn the_pager_is_the_one_that_is_set() {
    for (set, paged) in [("pager=echo OURS; /bin/cat", true), ("nopager", false)] {
        let case = Case::new()
            .args(["-N", "-S", "quiet", "-S", "crt=1", "-S", set, "-f", "box"])
            .env("PAGER", "/bin/cat")
            .file("cwd/box", ONE)
            .may_change("cwd/box");
        let ran = case.at_terminal(|terminal| {
            terminal.sees("? ");
            terminal.types("p 1\n");
            terminal.sees("97%");
            terminal.types("x\n");
        });
        assert_eq!(ran.stdout().contains("OURS"), paged, "{set}");
    }
}

// var:password var:smtp-auth var:smtp-auth-user var:netrc-lookup
#[test]
fn a_login_is_made_of_what_is_set_for_it() {
    let named = "set smtp-auth-user=tester\n";
    let rows = [
        ("set password=s3cret\n", Some("tester")),
        ("set smtp-auth-password=s3cret\n", Some("tester")),
        ("set password=s3cret smtp-auth=login\n", Some("tester")),
        ("set password=s3cret smtp-auth=plain\n", Some("tester")),
        ("set password=s3cret smtp-auth=none\n", None),
        // Without a password there is netrc.
        ("", Some("tester")),
        ("set nonetrc-lookup smtp-auth=none\n", None),
    ];
    let mail = |server: &SmtpServer, rc: &str| {
        let netrc = "machine localhost login tester password s3cret\n";
        relayed(server, &format!("{named}{rc}"))
            .mode("rc", 0o600)
            .file("home/.netrc", netrc)
            .mode("home/.netrc", 0o600)
            .any_stderr()
    };
    for (rc, expected) in rows {
        let server = with_login();
        if expected.is_some() {
            mail(&server, rc).run();
            assert_eq!(user(&server).as_deref(), expected, "{rc}");
        } else {
            // The relay wants a login, and there was none.
            mail(&server, rc).status(77).queues(1).run();
            assert_eq!(server.messages(), [], "{rc}");
        }
    }
    // A user without any password sends nothing.
    let server = with_login();
    mail(&server, "set nonetrc-lookup\n")
        .says("no password")
        .fails()
        .lets_keep()
        .run();
    assert_eq!(server.messages(), []);
}

// var:smtp-hostname
#[test]
fn the_greeting_names_the_host_that_is_set() {
    for (rc, hello) in [
        (
            "set smtp-hostname=s.example.org hostname=h.example.org\n",
            "EHLO s.example.org\r\n",
        ),
        ("set hostname=h.example.org\n", "EHLO h.example.org\r\n"),
    ] {
        let server = SmtpServer::accepting(Behaviour::default());
        relayed(&server, rc).run();
        let sessions = server.ended();
        let received = String::from_utf8_lossy(&sessions[0].received).into_owned();
        assert!(received.contains(hello), "{received}");
    }
}

// var:tls-ca-file var:tls-ca-no-defaults var:tls-verify
#[test]
fn a_relay_is_trusted_as_far_as_the_variables_say() {
    let (certificate, other) = (Certificate::good(), Certificate::self_signed(true));
    let rows = [
        ("tls-ca-file=[DIR]/cwd/ours.pem", true),
        ("ssl-ca-file=[DIR]/cwd/ours.pem tls-ca-no-defaults", true),
        ("tls-ca-file=[DIR]/cwd/ours.pem tls-verify=strict", true),
        ("tls-ca-file=[DIR]/cwd/others.pem tls-verify=ignore", true),
        ("tls-ca-file=[DIR]/cwd/others.pem", false),
        ("tls-ca-file=[DIR]/cwd/others.pem tls-verify=strict", false),
        // Then no certificate is trusted at all.
        ("tls-ca-no-defaults", false),
    ];
    for (settings, sent) in rows {
        let server = SmtpServer::accepting(Behaviour {
            certificate: Some(Arc::clone(&certificate)),
            ..Behaviour::default()
        });
        let case = relayed(&server, &format!("set tls=require {settings}\n"))
            .file("cwd/ours.pem", &certificate.authority)
            .file("cwd/others.pem", &other.authority)
            .any_stderr()
            .lets_keep();
        let case = if sent { case } else { case.fails() };
        case.run();
        let messages = server.messages();
        assert_eq!(messages.len(), usize::from(sent), "{settings}");
        assert!(messages.iter().all(|message| message.tls), "{settings}");
    }
}
