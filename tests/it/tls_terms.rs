//! The terms of TLS: our own certificate, the oldest version, what `-v` shows, and the hints.

use std::sync::Arc;
use std::time::Duration;

use rustls::version::{TLS12, TLS13};

use crate::case::Case;
use crate::smtp_server::{Behaviour, Certificate, SmtpServer, find};

fn secured(certificate: &Arc<Certificate>) -> SmtpServer {
    SmtpServer::accepting(Behaviour {
        certificate: Some(Arc::clone(certificate)),
        ..Behaviour::default()
    })
}

/// Returns `mailx -s t ops@example.com` to this server, whose authority is trusted.
fn to(scheme: &str, server: &SmtpServer, certificate: &Certificate) -> Case {
    Case::new()
        .rc(&format!("set mta={scheme}://localhost:{}", server.port()))
        .rc("set tls-ca-file=[DIR]/cwd/authority.pem")
        .rc("set hostname=client.example.org")
        .file("cwd/authority.pem", &certificate.authority)
        .args(["-s", "t", "ops@example.com"])
        .stdin("x\n")
        .limit(Duration::from_secs(15))
}

#[test]
fn a_relay_that_knows_its_clients_by_certificates_gets_ours() {
    let ours = Certificate::good();
    let certificate = Certificate::for_clients_of(&ours.authority);
    let server = secured(&certificate);
    let with = |case: Case, chain: &str, key: &str| {
        case.rc("set tls-cert=[DIR]/cwd/our.pem tls-key=[DIR]/cwd/our.key")
            .file("cwd/our.pem", chain)
            .file("cwd/our.key", key)
            .mode("cwd/our.key", 0o600)
    };
    for scheme in ["submission", "smtp"] {
        with(to(scheme, &server, &certificate), &ours.pem, &ours.key).run();
    }
    // One file may hold both.
    to("submission", &server, &certificate)
        .rc("set ssl-cert=[DIR]/cwd/both.pem")
        .file("cwd/both.pem", format!("{}{}", ours.pem, ours.key))
        .mode("cwd/both.pem", 0o600)
        .run();
    assert_eq!(server.messages().len(), 3);
    // None, and one of another authority.
    to("submission", &server, &certificate)
        .status(77)
        .says("certificate")
        .hints("set tls-cert= and tls-key=")
        .keeps_somewhere(1)
        .run();
    let other = Certificate::good();
    with(
        to("submission", &server, &certificate),
        &other.pem,
        &other.key,
    )
    .status(77)
    .says("localhost")
    .hints("does not accept the certificate in tls-cert")
    .keeps_somewhere(1)
    .run();
    assert_eq!(server.messages().len(), 3);
}

#[test]
fn a_client_certificate_that_is_of_no_use_sends_nothing() {
    let ours = Certificate::good();
    let other = Certificate::good();
    let server = secured(&ours);
    let locked =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n";
    for (chain, key, mode, says) in [
        (
            &*ours.pem,
            &*ours.key,
            0o644,
            "other users can read the private key in [DIR]/cwd/our.key",
        ),
        (
            &ours.pem,
            &other.key,
            0o600,
            "does not belong to the certificate in [DIR]/cwd/our.pem",
        ),
        (&ours.pem, locked, 0o600, "protected by a passphrase"),
        (
            &ours.pem,
            "nothing\n",
            0o600,
            "there is no private key in it",
        ),
        (
            "nothing\n",
            &ours.key,
            0o600,
            "there is no certificate in it",
        ),
    ] {
        let case = to("submission", &server, &ours)
            .rc("set tls-cert=[DIR]/cwd/our.pem tls-key=[DIR]/cwd/our.key")
            .file("cwd/our.pem", chain)
            .file("cwd/our.key", key)
            .mode("cwd/our.key", mode)
            .status(78)
            .keeps_somewhere(1);
        let case = case.stderr_contains(says).any_stderr();
        let ran = case.run();
        assert_eq!(find(ran.stderr().as_bytes(), ours.key.as_bytes()), None);
    }
    let lone = |line: &str, says: &str| {
        to("submission", &server, &ours)
            .rc(line)
            .status(78)
            .stderr_contains(says)
            .any_stderr()
            .keeps_somewhere(1)
            .run()
    };
    lone(
        "set tls-key=[DIR]/cwd/our.key",
        "tls-key is set without tls-cert",
    );
    lone(
        "set tls-cert=[DIR]/cwd/missing.pem",
        "cannot read the certificate in [DIR]/cwd/missing.pem",
    );
    lone("set tls-min-version=1.1", "tls-min-version must be");
    assert_eq!(server.sessions().len(), 0);
    // A relay without TLS cannot be shown a certificate, and gets nothing.
    let clear = SmtpServer::accepting(Behaviour::default());
    to("smtp", &clear, &ours)
        .rc("unset tls-ca-file")
        .rc("set tls-cert=[DIR]/cwd/both.pem")
        .file("cwd/both.pem", format!("{}{}", ours.pem, ours.key))
        .mode("cwd/both.pem", 0o600)
        .fails()
        .says("the relay offers no STARTTLS")
        .hints("TLS is required")
        .keeps_somewhere(1)
        .run();
    assert_eq!(clear.messages(), []);
}

#[test]
fn the_oldest_version_of_tls_is_kept_to() {
    let old = Certificate::of_version(&TLS12);
    let new = Certificate::of_version(&TLS13);
    for (certificate, line, works) in [
        (&old, "", true),
        (&old, "set tls-min-version=1.2", true),
        (&old, "set tls-min-version=1.3", false),
        (&new, "set tls-min-version=1.3", true),
        (&new, "set tls-min-version=TLSv1.2", true),
    ] {
        for scheme in ["submission", "smtp"] {
            let server = secured(certificate);
            let case = to(scheme, &server, certificate)
                .rc("unset tls-ca-file")
                .rc(line);
            if works {
                case.run();
            } else {
                case.status(76)
                    .says("TLS")
                    .hints("tls-min-version=1.3 allows TLS 1.3 only")
                    .keeps_somewhere(1)
                    .run();
            }
            assert_eq!(
                server.messages().len(),
                usize::from(works),
                "{scheme} {line}"
            );
        }
    }
}

#[test]
fn relays_of_a_list_may_be_pinned_each_by_its_certificate() {
    let (first, second) = (
        Certificate::self_signed(false),
        Certificate::self_signed(false),
    );
    for certificate in [&first, &second] {
        let server = secured(certificate);
        let pins: Vec<String> = [&first, &second].map(|one| fingerprint(one)).to_vec();
        to("submission", &server, &first)
            .rc(&format!("set tls-fingerprint={}", pins.join(",")))
            .run();
        assert_eq!(server.messages().len(), 1);
    }
}

fn fingerprint(certificate: &Certificate) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, &certificate.der);
    digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[test]
fn v_shows_the_address_the_version_the_cipher_and_the_certificate() {
    let certificate = Certificate::good();
    let server = secured(&certificate);
    let ran = to("submission", &server, &certificate)
        .args(["-v"])
        .any_stderr()
        .run();
    let said = ran.stderr();
    for words in [
        &*format!("connected to 127.0.0.1:{}", server.port()),
        "TLS 1.3 with AES_256_GCM_SHA384",
        "certificate for localhost, 127.0.0.1, signed by Authority of the tests, valid until 4096-01-01 00:00 UTC",
        "certificate trusted, by its chain and its name: sha256:",
    ] {
        assert!(said.contains(words), "{words}\n{said}");
    }
    let plain = to("submission", &server, &certificate).run();
    assert_eq!(plain.stderr(), "");
}

#[test]
fn a_port_that_begins_in_clear_is_named() {
    let certificate = Certificate::good();
    let server = secured(&certificate);
    for scheme in ["smtps", "submissions"] {
        to(scheme, &server, &certificate)
            .status(76)
            .says("its answer is not TLS")
            .hints(&format!("write submission://localhost:{}", server.port()))
            .keeps_somewhere(1)
            .run();
    }
}

#[test]
fn each_failure_of_a_certificate_has_its_own_next_step() {
    let wrong = Certificate::wrong_host();
    let server = secured(&wrong);
    to("submission", &server, &wrong)
        .status(77)
        .says("it is not for localhost but for other.example")
        .hints(&format!(
            "if the relay is other.example, write submission://other.example:{}",
            server.port()
        ))
        .keeps_somewhere(1)
        .run();
    let good = Certificate::good();
    let server = secured(&good);
    to("submission", &server, &Certificate::self_signed(true))
        .status(77)
        .says("signed by an unknown authority")
        .hints("tls-ca-file does not contain the authority that signed it")
        .keeps_somewhere(1)
        .run();
    let pinned = format!("sha256:{}", "ab".repeat(32));
    let ran = to("submission", &server, &good)
        .rc(&format!("set tls-fingerprint={pinned}"))
        .status(77)
        .says("its fingerprint is not the configured one")
        .hints("an attacker may be between this host and the relay")
        .keeps_somewhere(1)
        .run();
    let said = ran.stderr();
    assert!(said.contains(&pinned), "{said}");
    assert_eq!(
        said.matches("set tls-fingerprint=sha256:").count(),
        1,
        "{said}"
    );
}
