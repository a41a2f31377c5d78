//! The errors of the TLS library, in the words of a mail administrator.
//!
//! rustls and webpki name most of their errors by the identifier of an enum (`Other(OtherError(EndEntityUsedAsCa))`).
//! Their enums may grow, so a name that no table here knows is spelt out as words.

use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible};

/// Says in plain words why a certificate is not trusted.
pub(in crate::transport) fn certificate(error: &CertificateError) -> String {
    let words = match error {
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => {
            return match presented.as_slice() {
                [] => "it names no host".to_owned(),
                names => format!(
                    "it is not for {} but for {}",
                    expected.to_str(),
                    bare_names(names).join(", ")
                ),
            };
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet"
        }
        CertificateError::NotValidForName => "it is for another host",
        CertificateError::UnknownIssuer => "it is signed by an unknown authority",
        CertificateError::BadSignature => "its signature is wrong",
        CertificateError::BadEncoding => "it is damaged, or is not a certificate",
        CertificateError::Revoked => "it has been revoked",
        CertificateError::UnhandledCriticalExtension => {
            "it has a critical extension that is not supported"
        }
        CertificateError::UnknownRevocationStatus => "it is not known whether it is revoked",
        CertificateError::ExpiredRevocationList
        | CertificateError::ExpiredRevocationListContext { .. } => {
            "the list of revoked certificates has expired"
        }
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "it is signed by a method that is not supported"
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "it may not be used for a server"
        }
        CertificateError::InvalidOcspResponse => {
            "the proof that it is not revoked (OCSP) is not valid"
        }
        CertificateError::ApplicationVerificationFailure => {
            "its fingerprint is not the configured one"
        }
        other => return of_chain(&identifier(&format!("{other:?}"))),
    };
    words.to_owned()
}

/// What webpki finds in a chain of certificates, by its names: it has no other words for them.
const CHAIN: &[(&str, &str)] = &[
    (
        "CaUsedAsEndEntity",
        "it is an authority's own certificate, not a server's",
    ),
    (
        "EndEntityUsedAsCa",
        "it is signed with a server's certificate, not with an authority's",
    ),
    (
        "UnsupportedCertVersion",
        "it is of an old version; a certificate must have version 3",
    ),
    (
        "UnsupportedSignatureAlgorithm",
        "it is signed by a method that is not supported",
    ),
    (
        "SignatureAlgorithmMismatch",
        "it names two different signature methods",
    ),
    (
        "NameConstraintViolation",
        "its authority may not sign for this host",
    ),
    (
        "PathLenConstraintViolated",
        "there are more authorities between it and a known one than they allow",
    ),
    (
        "MaximumPathDepthExceeded",
        "there are too many authorities between it and a known one",
    ),
    (
        "MaximumPathBuildCallsExceeded",
        "checking its authorities takes too long",
    ),
    (
        "MaximumSignatureChecksExceeded",
        "checking its authorities takes too long",
    ),
    (
        "MaximumNameConstraintComparisonsExceeded",
        "checking its authorities takes too long",
    ),
    ("ExtensionValueInvalid", "one of its extensions is damaged"),
    ("MalformedExtensions", "its extensions are damaged"),
    ("EmptyEkuExtension", "it may not be used for a server"),
    ("InvalidSerialNumber", "its serial number is not valid"),
];

/// Says what the name of an error of a certificate's chain means.
fn of_chain(name: &str) -> String {
    let known = CHAIN.iter().find(|(known, _)| *known == name);
    match known {
        Some((_, words)) => (*words).to_owned(),
        None => format!("it does not pass the check \"{}\"", spelt_out(name)),
    }
}

/// Says in plain words why TLS with the relay failed.
pub(in crate::transport) fn failure(error: &Error) -> String {
    let words = match error {
        Error::InvalidCertificate(reason) => {
            return format!("its certificate is not trusted: {}", certificate(reason));
        }
        Error::AlertReceived(alert) => return of_alert(*alert),
        Error::PeerIncompatible(why) => return of_incompatible(why),
        Error::InvalidMessage(_) => "its answer is not TLS",
        Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            "it answered out of turn"
        }
        Error::PeerMisbehaved(why) => {
            let why = spelt_out(&identifier(&format!("{why:?}")));
            return format!("it broke the rules of TLS ({why})");
        }
        Error::NoCertificatesPresented => "it showed no certificate",
        Error::UnsupportedNameType => "its certificate has a kind of name that is not supported",
        Error::DecryptError => "its data cannot be decrypted",
        Error::PeerSentOversizedRecord => "it sent a record that is too large",
        Error::FailedToGetCurrentTime => "the time of this host is not known",
        Error::FailedToGetRandomBytes => "this host provides no random numbers",
        other => {
            let name = spelt_out(&identifier(&format!("{other:?}")));
            return format!("the TLS library reports \"{name}\"");
        }
    };
    words.to_owned()
}

/// Returns the meaning of the alert by which the relay has ended TLS.
fn of_alert(alert: AlertDescription) -> String {
    let words = match alert {
        AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => {
            "it accepts none of the encryption methods that are offered"
        }
        AlertDescription::ProtocolVersion => "it accepts neither TLS 1.2 nor TLS 1.3",
        AlertDescription::UnrecognisedName => "it does not know the host name in the request",
        AlertDescription::CertificateRequired => "it requires a client certificate",
        AlertDescription::InternalError => "it reports an internal error",
        AlertDescription::AccessDenied => "it denies access",
        other => {
            let name = spelt_out(&identifier(&format!("{other:?}")));
            return format!("it ended TLS with the alert \"{name}\"");
        }
    };
    words.to_owned()
}

/// Returns what we and the relay do not have in common.
fn of_incompatible(why: &PeerIncompatible) -> String {
    match why {
        PeerIncompatible::ServerDoesNotSupportTls12Or13
        | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
        | PeerIncompatible::Tls12NotOffered
        | PeerIncompatible::Tls12NotOfferedOrEnabled => {
            "it supports neither TLS 1.2 nor TLS 1.3".to_owned()
        }
        PeerIncompatible::NoCipherSuitesInCommon
        | PeerIncompatible::NoKxGroupsInCommon
        | PeerIncompatible::NoSignatureSchemesInCommon => {
            "there is no encryption method that both sides support".to_owned()
        }
        other => {
            let name = spelt_out(&identifier(&format!("{other:?}")));
            format!("it lacks something that TLS needs here ({name})")
        }
    }
}

/// Returns the innermost name of an error as `Debug` writes it: `Other(OtherError(Name { … }))`.
fn identifier(debug: &str) -> String {
    let mut rest = debug;
    while let Some(inner) = ["Other(", "OtherError("]
        .iter()
        .find_map(|wrapper| rest.strip_prefix(wrapper))
    {
        rest = inner;
    }
    rest.chars()
        .take_while(|c| c.is_ascii_alphanumeric())
        .collect()
}

/// Splits the name of an enum's variant into words: `BadRecordMac` is `bad record mac`.
fn spelt_out(name: &str) -> String {
    let mut words = String::new();
    let chars: Vec<char> = name.chars().collect();
    for (at, c) in chars.iter().enumerate() {
        let is_start = c.is_ascii_uppercase()
            && at > 0
            && (!chars[at - 1].is_ascii_uppercase()
                || chars.get(at + 1).is_some_and(char::is_ascii_lowercase));
        if is_start {
            words.push(' ');
        }
        words.push(c.to_ascii_lowercase());
    }
    words
}

/// Takes the kind off the names that rustls gives: `DnsName("mx.example")`.
fn bare_names(names: &[String]) -> Vec<&str> {
    names
        .iter()
        .map(|name| match name.split_once('(') {
            Some((_, rest)) => rest.trim_end_matches(')').trim_matches('"'),
            None => name,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::pki_types::{ServerName, UnixTime};
    use rustls::{ExtendedKeyPurpose, InvalidMessage, OtherError, PeerMisbehaved};

    use super::*;

    /// An error as webpki gives it: its text is the name of its variant.
    #[derive(Debug)]
    struct Named(&'static str);

    impl std::fmt::Display for Named {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }
    }

    impl std::error::Error for Named {}

    /// Asserts that a person can read this: words, and no piece of a program.
    #[track_caller]
    fn assert_english(text: &str) {
        assert!(text.contains(' '), "{text}");
        for piece in [
            "{",
            "}",
            "::",
            "(os error",
            "Other(",
            "Error(",
            "_",
            "Context",
        ] {
            assert!(!text.contains(piece), "{text}");
        }
        let is_variant = |word: &str| {
            let inner = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
            inner.chars().any(|c| c.is_ascii_lowercase())
                && inner.chars().skip(1).any(|c| c.is_ascii_uppercase())
        };
        assert!(!text.split_whitespace().any(is_variant), "{text}");
    }

    /// Every variant that can be built; `rustls` may add more, which are spelt out.
    #[expect(deprecated, reason = "older verifiers may still give it")]
    fn all_of_certificates() -> Vec<CertificateError> {
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1));
        let name = || ServerName::try_from("mx.example".to_owned()).expect("a name");
        let presented = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let mut all = vec![
            CertificateError::BadEncoding,
            CertificateError::Expired,
            CertificateError::ExpiredContext {
                time: now,
                not_after: now,
            },
            CertificateError::NotValidYet,
            CertificateError::NotValidYetContext {
                time: now,
                not_before: now,
            },
            CertificateError::Revoked,
            CertificateError::UnhandledCriticalExtension,
            CertificateError::UnknownIssuer,
            CertificateError::UnknownRevocationStatus,
            CertificateError::ExpiredRevocationList,
            CertificateError::ExpiredRevocationListContext {
                time: now,
                next_update: now,
            },
            CertificateError::BadSignature,
            CertificateError::UnsupportedSignatureAlgorithm,
            CertificateError::UnsupportedSignatureAlgorithmContext {
                signature_algorithm_id: vec![1],
                supported_algorithms: Vec::new(),
            },
            CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
                signature_algorithm_id: vec![1],
                public_key_algorithm_id: vec![1],
            },
            CertificateError::NotValidForName,
            CertificateError::NotValidForNameContext {
                expected: name(),
                presented: Vec::new(),
            },
            CertificateError::NotValidForNameContext {
                expected: name(),
                presented: presented(&["DnsName(\"a.example\")", "IpAddress(127.0.0.1)"]),
            },
            CertificateError::InvalidPurpose,
            CertificateError::InvalidPurposeContext {
                required: ExtendedKeyPurpose::ServerAuth,
                presented: vec![ExtendedKeyPurpose::ClientAuth],
            },
            CertificateError::InvalidOcspResponse,
            CertificateError::ApplicationVerificationFailure,
        ];
        let named = CHAIN.iter().map(|(name, _)| *name);
        let unknown = ["SomethingOfNextYear", "CertDistrusted", "TrailingData(Foo)"];
        all.extend(
            named
                .chain(unknown)
                .map(|name| CertificateError::Other(OtherError(Arc::new(Named(name))))),
        );
        all
    }

    #[test]
    fn every_certificate_error_is_told_in_words() {
        for error in all_of_certificates() {
            assert_english(&certificate(&error));
            assert_english(&failure(&error.into()));
        }
        let table = [
            (
                "EndEntityUsedAsCa",
                "it is signed with a server's certificate, not with an authority's",
            ),
            (
                "CertDistrusted",
                "it does not pass the check \"cert distrusted\"",
            ),
        ];
        for (name, words) in table {
            // As webpki's own type is written: its `Debug` is its name.
            assert_eq!(
                of_chain(&identifier(&format!("Other(OtherError({name}))"))),
                words
            );
        }
    }

    #[test]
    fn every_failure_of_tls_is_told_in_words() {
        let mut all = vec![
            Error::InvalidMessage(InvalidMessage::InvalidContentType),
            Error::InvalidMessage(InvalidMessage::MissingData("x")),
            Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13),
            Error::PeerIncompatible(PeerIncompatible::ServerRejectedEncryptedClientHello(None)),
            Error::PeerMisbehaved(PeerMisbehaved::WrongGroupForKeyShare),
            Error::NoCertificatesPresented,
            Error::UnsupportedNameType,
            Error::DecryptError,
            Error::EncryptError,
            Error::General("{x}".to_owned()),
            Error::FailedToGetCurrentTime,
            Error::FailedToGetRandomBytes,
            Error::HandshakeNotComplete,
            Error::PeerSentOversizedRecord,
            Error::NoApplicationProtocol,
            Error::BadMaxFragmentSize,
            Error::Other(OtherError(Arc::new(Named("SomethingElse")))),
        ];
        all.extend((0..=255).map(|alert| Error::AlertReceived(AlertDescription::from(alert))));
        for error in all {
            assert_english(&failure(&error));
        }
    }
}
