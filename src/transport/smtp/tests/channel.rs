//! TLS, certificates and credentials: what may travel where.

use std::io::Write;

use super::smtp_server::{Behaviour, Certificate, SmtpServer, Step, expect, find, say};
use super::*;
use crate::transport::smtp::tls::Judgement;
use std::net::IpAddr;

/// Writes the authority of a certificate to a file.
fn ca_file(certificate: &Certificate) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(certificate.authority.as_bytes())
        .expect("written");
    file
}

#[test]
fn tls_both_ways_with_a_ca_file_and_a_login() {
    let certificate = Certificate::good();
    let ca = ca_file(&certificate);
    for (implicit, security) in [(false, Security::StartTls), (true, Security::Implicit)] {
        for mechanisms in ["PLAIN LOGIN", "LOGIN"] {
            let server = SmtpServer::accepting(Behaviour {
                certificate: Some(Arc::clone(&certificate)),
                implicit,
                login: Some(("tester", "s3cret")),
                mechanisms: Some(mechanisms),
                keywords: vec!["PIPELINING"],
                ..Behaviour::default()
            });
            let mut relay = login(relay(&server), "s3cret");
            relay.host = "localhost".to_owned();
            relay.security = security;
            relay.ca_file = Some(ca.path().to_owned());
            relay.trust_loopback = false;
            let outcome = send(&relay);
            assert!(outcome.is_accepted(), "{outcome:?}");
            let message = &server.messages()[0];
            assert_eq!(
                (message.tls, message.user.as_deref()),
                (true, Some("tester"))
            );
            let session = &server.ended()[0];
            assert_eq!(session.server_name.as_deref(), Some("localhost"));
            let clear = if implicit {
                ""
            } else {
                "EHLO client.example.org\r\nSTARTTLS\r\n"
            };
            assert_eq!(&session.received[..session.clear], clear.as_bytes());

            relay.credentials = login(relay.clone(), "wrong").credentials;
            let outcome = send(&relay);
            assert_eq!(
                (outcome.disposition, outcome.code),
                (Disposition::Refused(Kind::NoPermission), Some(535))
            );
            assert!(outcome.text.contains("bad user or password"), "{outcome:?}");
        }
    }
}

#[test]
fn no_byte_of_mail_or_credentials_leaves_under_a_bad_certificate() {
    let table = [
        (
            Certificate::wrong_host(),
            "it is not for 127.0.0.1 but for other.example",
            false,
        ),
        (Certificate::expired(), "it has expired", false),
        (Certificate::self_signed(true), "is not trusted", true),
        (
            Certificate::self_signed(false),
            "by an unknown authority",
            true,
        ),
    ];
    let unrelated = Certificate::good();
    for (certificate, check, self_signed) in table {
        let ca = ca_file(if self_signed {
            &unrelated
        } else {
            &certificate
        });
        for (implicit, security) in [
            (false, Security::Opportunistic),
            (false, Security::StartTls),
            (true, Security::Implicit),
        ] {
            for credentials in [false, true] {
                let server = SmtpServer::accepting(Behaviour {
                    certificate: Some(Arc::clone(&certificate)),
                    implicit,
                    login: Some(("tester", "s3cret")),
                    ..Behaviour::default()
                });
                let mut relay = relay(&server);
                relay.security = security;
                relay.ca_file = Some(ca.path().to_owned());
                if credentials {
                    relay = login(relay, "s3cret");
                }
                let outcome = send(&relay);
                assert_eq!(
                    outcome.disposition,
                    Disposition::Refused(Kind::NoPermission)
                );
                assert!(outcome.text.contains(check), "{outcome:?}");
                let session = &server.ended()[0];
                assert_eq!(session.received.len(), session.clear);
                assert_eq!(find(&session.received, b"MAIL"), None);
                assert_eq!(find(&session.received, b"AUTH"), None);

                // The hint holds what makes it work.
                let hint = outcome.hint.expect("a hint");
                let (_, pin) = hint.split_once("tls-fingerprint=").expect("the variable");
                relay.fingerprints = parse_fingerprints(pin).expect("readable");
                relay = login(relay, "s3cret");
                assert!(send(&relay).is_accepted());
                relay.fingerprints = vec![[7; 32]];
                let outcome = send(&relay);
                assert!(
                    outcome
                        .text
                        .contains("its fingerprint is not the configured one"),
                    "{outcome:?}"
                );
            }
        }
    }
}

#[test]
fn a_ca_file_that_is_none_is_a_configuration_error() {
    let server = SmtpServer::accepting(Behaviour {
        certificate: Some(Certificate::good()),
        ..Behaviour::default()
    });
    let empty = tempfile::NamedTempFile::new().expect("a temporary file");
    let mut relay = relay(&server);
    for path in [empty.path().to_owned(), empty.path().join("missing")] {
        relay.ca_file = Some(path);
        let outcome = send(&relay);
        assert_eq!(
            outcome.disposition,
            Disposition::Refused(Kind::Config),
            "{outcome:?}"
        );
    }
}

#[test]
fn tls_that_was_asked_for_is_never_done_without() {
    // Somebody on the way strips the keyword.
    let server = SmtpServer::accepting(Behaviour::default());
    let mut stripped = relay(&server);
    stripped.security = Security::StartTls;
    let outcome = send(&stripped);
    assert_eq!(outcome.disposition, Disposition::Refused(Kind::Unavailable));
    // So does one that was given a certificate to look for.
    let mut pinned = relay(&server);
    pinned.fingerprints = vec![[7; 32]];
    let outcome = send(&pinned);
    assert_eq!(outcome.kind(), Some(Kind::Unavailable));
    assert_eq!(server.messages(), []);
    let mut refused = stripped;
    let server = SmtpServer::scripted(vec![
        say("220 hi"),
        expect("EHLO"),
        say("250-relay\r\n250 STARTTLS"),
        expect("STARTTLS"),
        say("454 not now"),
    ]);
    refused.port = server.port();
    let outcome = send(&refused);
    assert_eq!(outcome.disposition, Disposition::TryLater(Kind::TryLater));
    assert!(outcome.text.ends_with("not now"));
    assert_eq!(find(&server.ended()[0].received, b"MAIL"), None);
}

#[test]
fn opportunistic_tls_takes_any_certificate_and_does_without_a_broken_one() {
    let server = SmtpServer::accepting(Behaviour {
        certificate: Some(Certificate::expired()),
        ..Behaviour::default()
    });
    let mut remote = relay(&server);
    remote.trust_loopback = false;
    assert!(send(&remote).is_accepted());
    assert!(server.messages()[0].tls);

    let mut clear = vec![say("220 hi"), expect("EHLO"), say("250-r\r\n250 STARTTLS")];
    let mut broken = clear.clone();
    broken.extend([
        expect("STARTTLS"),
        say("220 go"),
        say("no TLS here, sorry"),
        Step::Sleep(Duration::from_millis(50)),
    ]);
    clear.extend(up_to_data().split_off(3));
    clear.extend([Step::ExpectData, say("250 done"), expect("QUIT")]);
    let server = SmtpServer::start(vec![broken, clear]);
    // The words after "220 go" may come in the same segment or later: never are they a reply.
    let outcome = send(&relay(&server));
    assert!(
        outcome.is_accepted() || outcome.kind() == Some(Kind::Protocol),
        "{outcome:?}"
    );
}

#[test]
fn clear_text_after_the_reply_to_starttls_is_an_error() {
    let server = SmtpServer::scripted(vec![
        say("220 hi"),
        expect("EHLO"),
        say("250-relay\r\n250 STARTTLS"),
        expect("STARTTLS"),
        Step::Send(b"220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n".to_vec()),
        Step::Tls(Certificate::good()),
        expect("EHLO"),
    ]);
    let outcome = send(&login(relay(&server), "s3cret"));
    assert_eq!(outcome.disposition, Disposition::Refused(Kind::Protocol));
    assert!(
        outcome.text.contains("unencrypted data after"),
        "{outcome:?}"
    );
    assert!(!server.ended()[0].tls);
}

#[test]
fn credentials_travel_in_clear_to_the_loopback_only() {
    let server = SmtpServer::accepting(Behaviour {
        login: Some(("tester", "s3cret")),
        auth_in_clear: true,
        ..Behaviour::default()
    });
    let mut relay = login(relay(&server), "s3cret");
    assert!(send(&relay).is_accepted());
    relay.trust_loopback = false;
    let outcome = send(&relay);
    assert_eq!(
        outcome.disposition,
        Disposition::Refused(Kind::NoPermission)
    );
    assert!(outcome.text.contains("without TLS"), "{outcome:?}");
    assert_eq!(find(&server.ended()[1].received, b"AUTH"), None);
    relay.allow_cleartext_auth = true;
    assert!(send(&relay).is_accepted());
    assert_eq!(server.messages().len(), 2);
}

#[test]
fn certificates_are_judged_where_d7_says() {
    let remote: IpAddr = "192.0.2.1".parse().expect("an address");
    let here: IpAddr = "127.0.0.1".parse().expect("an address");
    let strict = Judgement::System(None);
    let none = Judgement::None;
    let plain = Relay::new("relay.example", 25);
    let mut required = plain.clone();
    required.security = Security::StartTls;
    let mut implicit = plain.clone();
    implicit.security = Security::Implicit;
    let authenticated = login(plain.clone(), "s3cret");
    let mut ignoring = authenticated.clone();
    ignoring.verify = Verify::Ignore;
    let table = [
        (&plain, remote, &none),
        (&required, remote, &strict),
        (&required, here, &none),
        (&implicit, remote, &strict),
        (&authenticated, remote, &strict),
        (&authenticated, here, &none),
        (&authenticated, "::1".parse().expect("an address"), &none),
        (&ignoring, remote, &none),
    ];
    for (relay, peer, judgement) in table {
        assert_eq!(&relay.judgement(peer), judgement, "{relay:?} at {peer}");
    }
    assert!(!ignoring.may_authenticate(remote, true));
    assert!(authenticated.may_authenticate(remote, true));
    assert!(!authenticated.may_authenticate(remote, false));
    let mut with_file = plain;
    with_file.ca_file = Some("ca.pem".into());
    assert_eq!(
        with_file.judgement(here),
        Judgement::Strict("ca.pem".into())
    );
}
