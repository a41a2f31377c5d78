//! The hints after a relay's answer: which setting or switch mends it.

use std::time::Duration;

use crate::case::Case;
use crate::smtp_server::{Behaviour, SmtpServer};

/// Returns `mailx -s t ops@example.com` to this relay.
fn relayed(server: &SmtpServer) -> Case {
    Case::new()
        .rc(&format!("set mta=smtp://127.0.0.1:{}", server.port()))
        .rc("set hostname=client.example.org")
        .args(["-s", "t", "ops@example.com"])
        .stdin("x\n")
        .limit(Duration::from_secs(15))
}

/// Relays that serve their users only answer RCPT like this, and not with 530.
#[test]
fn a_login_that_is_missing_was_told_as_a_bad_recipient() {
    let access = "554 5.7.1 <ops@example.com>: Recipient address rejected: Access denied";
    let relay = |keywords, reply| {
        SmtpServer::accepting(Behaviour {
            keywords,
            refuse: vec![("ops@example.com", reply)],
            ..Behaviour::default()
        })
    };
    let server = relay(vec!["AUTH PLAIN LOGIN"], access);
    relayed(&server)
        .status(77)
        .says("Access denied")
        .hints("set smtp-auth-user= and password-file=")
        .queues(1)
        .run();
    // One other recipient is served, or the relay knows no logins, or the address does not exist.
    relayed(&server)
        .args(["b@example.com"])
        .status(65)
        .says("Access denied")
        .keeps(1)
        .run();
    relayed(&relay(vec![], access))
        .status(65)
        .says("Access denied")
        .keeps(1)
        .run();
    let unknown = "550 5.1.1 <ops@example.com>: User unknown";
    let server = relay(vec!["AUTH PLAIN LOGIN"], unknown);
    relayed(&server)
        .status(65)
        .says("User unknown")
        .keeps(1)
        .run();
}

#[test]
fn the_sender_that_a_provider_refuses_has_its_own_hint() {
    for (mail, end, status, hint) in [
        (
            None,
            Some(
                "554 Message rejected: Email address is not verified. The following identities failed the check in region US-EAST-1: root@vm",
            ),
            69,
            "SES accepts mail only from",
        ),
        (
            None,
            Some("554 5.2.252 SendAsDenied; a@example.org not allowed to send as root@vm"),
            69,
            "set from=",
        ),
        (
            None,
            Some("454 Throttling failure: Daily message quota exceeded."),
            75,
            "24 hours",
        ),
        (
            Some("550 The from address does not match a verified Sender Identity."),
            None,
            69,
            "verified at SendGrid",
        ),
    ] {
        let server = SmtpServer::accepting(Behaviour {
            mail,
            end,
            ..Behaviour::default()
        });
        relayed(&server)
            .status(status)
            .says("cannot send")
            .hints(hint)
            .keeps_somewhere(1)
            .run();
    }
}

/// A larger host name makes no message smaller.
#[test]
fn a_message_that_is_too_big_has_no_hint_about_host_names() {
    let server = SmtpServer::accepting(Behaviour {
        mail: Some("554 5.3.4 Message too big for system"),
        ..Behaviour::default()
    });
    let ran = Case::new()
        .rc(&format!("set mta=smtp://127.0.0.1:{}", server.port()))
        .rc("set hostname=short")
        .args(["-s", "t", "ops@example.com"])
        .stdin("x\n")
        .status(69)
        .says("554 5.3.4 Message too big for system")
        .keeps(1)
        .run();
    assert!(!ran.stderr().contains("hint:"), "{}", ran.stderr());
}
