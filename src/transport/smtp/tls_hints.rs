//! The next step after a failure of the network or of TLS: which line to write, and what to ask first.
//!
//! The fingerprint of a certificate goes into a hint and nowhere else: whether it is the relay's is
//! for a person to decide.

use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible};

use super::connection::WireError;
use super::relay::{Relay, Security, url_of};
use super::tls::{OldestTls, TlsError, format_fingerprint};

/// Returns the next step after a failure, if there is one.
pub(super) fn after_failure(relay: &Relay, error: &WireError) -> Option<String> {
    match error {
        WireError::Injected => Some(
            "an attacker between this host and the relay may be changing the connection".to_owned(),
        ),
        WireError::Tls(error) => after_tls(relay, error),
        // After the handshake rustls hands its errors on inside one of the network.
        WireError::Io(_) => after_alert(relay, alert_of(error)?),
        WireError::Timeout | WireError::Closed | WireError::GivenUp | WireError::Reply(_) => None,
    }
}

fn after_tls(relay: &Relay, error: &TlsError) -> Option<String> {
    match error {
        // Text where TLS was expected: the port is one that starts in clear.
        TlsError::Handshake(Error::InvalidMessage(_)) if relay.security == Security::Implicit => {
            let url = url_of(&relay.host, relay.port, Security::StartTls);
            Some(format!(
                "this port starts without TLS and goes over to it by STARTTLS: write {url}"
            ))
        }
        TlsError::Handshake(
            Error::PeerIncompatible(
                PeerIncompatible::ServerDoesNotSupportTls12Or13
                | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
                | PeerIncompatible::Tls12NotOffered
                | PeerIncompatible::Tls12NotOfferedOrEnabled,
            )
            | Error::AlertReceived(AlertDescription::ProtocolVersion),
        ) => match relay.oldest_tls {
            OldestTls::V1_3 => {
                Some("tls-min-version=1.3 allows TLS 1.3 only; the default is 1.2".to_owned())
            }
            OldestTls::V1_2 => {
                Some("TLS 1.0 and 1.1 are not secure and not supported: the relay needs an update".to_owned())
            }
        },
        TlsError::Handshake(Error::AlertReceived(alert)) => after_alert(relay, *alert),
        TlsError::NoAuthorities => Some(
            "install the package ca-certificates, or set tls-ca-file= to the certificates of the authorities to trust".to_owned(),
        ),
        TlsError::OtherThanPinned { pinned, seen } => {
            let pinned: Vec<String> = pinned.iter().map(format_fingerprint).collect();
            let (pinned, seen) = (pinned.join(","), format_fingerprint(seen));
            Some(format!(
                "tls-fingerprint is {pinned}, but the certificate has {seen}: an attacker may be between this host and the relay; only if the relay's administrator confirms the new certificate, set tls-fingerprint={seen}"
            ))
        }
        TlsError::Certificate {
            reason,
            fingerprint,
            names,
        } => {
            let first = before_pinning(relay, reason, names);
            let pin = fingerprint.as_ref().map(|fingerprint| {
                format!(
                    "if this really is the relay's certificate: set tls-fingerprint={}",
                    format_fingerprint(fingerprint)
                )
            });
            match (first, pin) {
                (Some(first), Some(pin)) => Some(format!("{first}; {pin}")),
                (first, pin) => first.or(pin),
            }
        }
        TlsError::Handshake(_) | TlsError::CaFile(..) | TlsError::Unread(..) | TlsError::Name(_) => None,
    }
}

/// Returns what to do about a certificate that is better than to pin it.
fn before_pinning(relay: &Relay, reason: &CertificateError, names: &[String]) -> Option<String> {
    match reason {
        // The second: by an authority with the name of a known one, but with another key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => Some(match relay.ca_file {
            Some(_) => "tls-ca-file does not contain the authority that signed it: add the authority's certificate to that file".to_owned(),
            None => "if the authority is a private one, set tls-ca-file= to its certificate".to_owned(),
        }),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            // A name with a star fits many hosts, and says not which of them.
            let is_host = |name: &&String| {
                !name.is_empty()
                    && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:".contains(&b))
            };
            let name = names.iter().find(is_host)?;
            let url = url_of(name, relay.port, relay.security);
            Some(format!("if the relay is {name}, write {url}"))
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            Some("the relay's administrator must renew it, unless the clock of this host is wrong".to_owned())
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            Some("check the clock of this host".to_owned())
        }
        _ => None,
    }
}

/// Returns the alert by which the relay has ended TLS, in the handshake or after it.
pub(super) fn alert_of(error: &WireError) -> Option<AlertDescription> {
    let error = match error {
        WireError::Tls(TlsError::Handshake(error)) => error,
        WireError::Io(error) => error.get_ref()?.downcast_ref()?,
        _ => return None,
    };
    match error {
        Error::AlertReceived(alert) => Some(*alert),
        _ => None,
    }
}

/// Returns whether an alert speaks of the certificate that we have shown, or not shown.
pub(super) fn is_about_our_certificate(relay: &Relay, alert: AlertDescription) -> bool {
    // Of the proof that the key is ours, which only who shows a certificate gives.
    let is_about_proof =
        relay.client_certificate.is_some() && alert == AlertDescription::DecryptError;
    is_about_proof
        || matches!(
            alert,
            AlertDescription::CertificateRequired
                | AlertDescription::BadCertificate
                | AlertDescription::UnsupportedCertificate
                | AlertDescription::CertificateRevoked
                | AlertDescription::CertificateExpired
                | AlertDescription::CertificateUnknown
                | AlertDescription::UnknownCA
        )
}

fn after_alert(relay: &Relay, alert: AlertDescription) -> Option<String> {
    if !is_about_our_certificate(relay, alert) {
        return None;
    }
    Some(match relay.client_certificate {
        None => "the relay knows its clients by certificates: set tls-cert= and tls-key= to the files of one that it accepts".to_owned(),
        Some(_) => "the relay does not accept the certificate in tls-cert: ask its administrator which one it wants".to_owned(),
    })
}

/// Returns the next step after a relay has not said what was waited for.
///
/// A port for TLS from the start waits for us to begin, while we wait for its greeting.
pub(super) fn after_silence(relay: &Relay, what: &str) -> Option<String> {
    let begins_with_tls = relay.port % 1000 == 465;
    if begins_with_tls && relay.security != Security::Implicit && what.ends_with("greeting") {
        let url = url_of(&relay.host, relay.port, Security::Implicit);
        return Some(format!(
            "port {} mostly starts with TLS: write {url}",
            relay.port
        ));
    }
    None
}

/// Returns the next step where no connection could be made in time.
pub(super) fn after_no_connection(relay: &Relay) -> Option<String> {
    // The large clouds let nothing out to port 25; the packets are dropped without an answer.
    (relay.port == 25).then(|| {
        let url = url_of(&relay.host, 587, Security::StartTls);
        format!("many networks and clouds block port 25: try {url}, which uses port 587")
    })
}

#[cfg(test)]
mod tests {
    use std::io;

    use rustls::InvalidMessage;

    use super::*;

    fn relay(security: Security, port: u16) -> Relay {
        Relay {
            security,
            ..Relay::new("mx.example.org", port)
        }
    }

    fn tls(error: Error) -> WireError {
        WireError::Tls(TlsError::Handshake(error))
    }

    #[test]
    fn a_wrong_port_is_named_with_the_url_to_write() {
        let text = || tls(Error::InvalidMessage(InvalidMessage::InvalidContentType));
        let table = [
            (
                Security::Implicit,
                587,
                Some("write submission://mx.example.org"),
            ),
            (
                Security::Implicit,
                25,
                Some("write submission://mx.example.org:25"),
            ),
            (
                Security::Implicit,
                465,
                Some("write submission://mx.example.org:465"),
            ),
            (Security::StartTls, 587, None),
        ];
        for (security, port, ending) in table {
            let hint = after_failure(&relay(security, port), &text());
            match ending {
                Some(ending) => assert!(hint.is_some_and(|hint| hint.ends_with(ending)), "{port}"),
                None => assert_eq!(hint, None),
            }
        }
        let mut numeric = relay(Security::Implicit, 587);
        numeric.host = "2001:db8::1".to_owned();
        let hint = after_failure(&numeric, &text());
        assert!(hint.is_some_and(|hint| hint.ends_with("write submission://[2001:db8::1]")));
    }

    #[test]
    fn silence_where_tls_begins_is_named() {
        let url = "write submissions://mx.example.org";
        let table = [
            (
                Security::StartTls,
                465,
                "the greeting",
                Some(url.to_owned()),
            ),
            (
                Security::Opportunistic,
                465,
                "greeting",
                Some(url.to_owned()),
            ),
            (
                Security::Clear,
                2465,
                "greeting",
                Some(format!("{url}:2465")),
            ),
            (Security::Implicit, 465, "greeting", None),
            (Security::StartTls, 587, "greeting", None),
            (Security::StartTls, 465, "reply to EHLO", None),
        ];
        for (security, port, what, ending) in table {
            let hint = after_silence(&relay(security, port), what);
            match ending {
                Some(ending) => assert!(hint.is_some_and(|hint| hint.ends_with(&ending)), "{port}"),
                None => assert_eq!(hint, None, "{port} {what}"),
            }
        }
        let blocked = after_no_connection(&relay(Security::Opportunistic, 25));
        assert!(blocked.is_some_and(|hint| hint.contains("try submission://mx.example.org,")));
        assert_eq!(after_no_connection(&relay(Security::StartTls, 587)), None);
    }

    #[test]
    fn a_certificate_that_is_not_trusted_has_a_better_step_than_to_pin_it() {
        let host = |name: &str| vec![name.to_owned()];
        let name = || CertificateError::NotValidForName;
        let table = [
            (
                name(),
                host("a.example"),
                "if the relay is a.example, write submission://a.example; if this",
            ),
            (name(), host("*.a.example"), "if this really is"),
            (name(), host("x\nset tls"), "if this really is"),
            (name(), vec![], "if this really is"),
            (
                CertificateError::UnknownIssuer,
                vec![],
                "if the authority is a private one, set tls-ca-file=",
            ),
            (
                CertificateError::BadSignature,
                vec![],
                "if the authority is a private one, set tls-ca-file=",
            ),
            (
                CertificateError::Expired,
                vec![],
                "the relay's administrator must renew it",
            ),
            (CertificateError::NotValidYet, vec![], "check the clock"),
            (CertificateError::Revoked, vec![], "if this really is"),
        ];
        for (reason, names, begin) in table {
            let error = WireError::Tls(TlsError::Certificate {
                reason,
                names,
                fingerprint: Some([1; 32]),
            });
            let hint = after_failure(&relay(Security::StartTls, 587), &error).expect("a hint");
            assert!(hint.starts_with(begin), "{hint}");
            assert!(hint.contains(": set tls-fingerprint=sha256:0101"), "{hint}");
        }
        let changed = WireError::Tls(TlsError::OtherThanPinned {
            pinned: vec![[0xaa; 32]],
            seen: [0xbb; 32],
        });
        let hint = after_failure(&relay(Security::StartTls, 587), &changed).expect("a hint");
        for word in ["sha256:aaaa", "sha256:bbbb", "attacker"] {
            assert!(hint.contains(word), "{hint}");
        }
        let none = WireError::Tls(TlsError::NoAuthorities);
        let hint = after_failure(&relay(Security::StartTls, 587), &none).expect("a hint");
        assert!(
            hint.contains("ca-certificates") && hint.contains("tls-ca-file="),
            "{hint}"
        );
    }

    #[test]
    fn an_alert_about_our_certificate_is_known_in_the_handshake_and_after_it() {
        let alerts = [
            AlertDescription::CertificateRequired,
            AlertDescription::UnknownCA,
            AlertDescription::CertificateExpired,
        ];
        for alert in alerts {
            let later = io::Error::other(Error::AlertReceived(alert));
            for error in [tls(Error::AlertReceived(alert)), WireError::Io(later)] {
                let hint = after_failure(&relay(Security::StartTls, 587), &error);
                assert!(
                    hint.is_some_and(|hint| hint.contains("set tls-cert=")),
                    "{alert:?}"
                );
            }
        }
        let other = tls(Error::AlertReceived(AlertDescription::DecryptError));
        assert_eq!(after_failure(&relay(Security::StartTls, 587), &other), None);
    }
}
