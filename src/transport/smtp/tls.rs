//! TLS: which certificates are accepted, and the errors for the others.
//!
//! Over rustls with ring: TLS 1.2 and 1.3 only. There are three ways to judge a
//! certificate ([`Judgement`]); the signature of the handshake is checked in
//! every one, so that a pinned certificate must be held, not only shown.
//! Our own certificate, where the relay asks for one, is a [`ClientCertificate`].

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ring::digest::{SHA256, digest};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, ProtocolVersion,
    RootCertStore, SignatureScheme,
};

use super::certificate::Facts;
use super::tls_words;
use crate::sanitize;
use crate::sys::open::{self, Trouble, Unread, Use};

/// How a certificate is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// Not at all: the channel is encrypted, but the relay is not verified.
    None,
    /// Chain and host name, against the authorities of one file.
    Strict(PathBuf),
    /// Chain and host name, against the system's authorities; `SSL_CERT_FILE` names this file.
    System(Option<PathBuf>),
    /// It must be one with such a SHA-256 fingerprint; nothing else of it counts.
    Pinned(Vec<[u8; 32]>),
}

/// The oldest version of TLS that is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OldestTls {
    /// TLS 1.2; older ones are never spoken.
    #[default]
    V1_2,
    /// TLS 1.3.
    V1_3,
}

/// A certificate of ours with its key, by which a relay knows this host.
#[derive(Clone)]
pub struct ClientCertificate(Arc<CertifiedKey>);

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientCertificate(****)")
    }
}

/// Why a client certificate cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientCertificateError {
    /// What is wrong with the file of the certificate.
    Certificate(String),
    /// What is wrong with the file of the key.
    Key(String),
    /// The two do not belong together.
    Mismatch,
}

impl ClientCertificate {
    /// Reads a certificate, with those of its authorities after it, and its key, both in PEM.
    ///
    /// # Errors
    /// Says which of the two is of no use, and why.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<ClientCertificate, ClientCertificateError> {
        use ClientCertificateError::{Certificate, Key, Mismatch};
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<_, _>>()
            .map_err(|_| Certificate("it is damaged, or is not a PEM file".to_owned()))?;
        if chain.is_empty() {
            return Err(Certificate("there is no certificate in it".to_owned()));
        }
        if memchr::memmem::find(key, b"ENCRYPTED").is_some() {
            return Err(Key(
                "it is protected by a passphrase, which is not supported".to_owned(),
            ));
        }
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|_| Key("there is no private key in it (PEM)".to_owned()))?;
        let provider = rustls::crypto::ring::default_provider();
        let certified = CertifiedKey::from_der(chain, key, &provider);
        certified
            .map(|certified| ClientCertificate(Arc::new(certified)))
            .map_err(|error| match error {
                rustls::Error::InconsistentKeys(_) => Mismatch,
                rustls::Error::InvalidCertificate(reason) => {
                    Certificate(tls_words::certificate(&reason))
                }
                _ => Key("it is damaged, or of a kind that is not supported".to_owned()),
            })
    }
}

/// What a handshake with a relay needs.
#[derive(Clone, Debug)]
pub(super) struct Terms<'a> {
    /// The relay's host.
    pub(super) host: &'a str,
    /// How its certificate is judged.
    pub(super) judgement: Judgement,
    /// Our certificate, for a relay that asks for one.
    pub(super) client: Option<&'a ClientCertificate>,
    /// The oldest version that is spoken.
    pub(super) oldest: OldestTls,
}

/// Why TLS could not be set up or started.
#[derive(Debug)]
pub(in crate::transport) enum TlsError {
    /// The file of authorities cannot be used; the text says why.
    CaFile(PathBuf, String),
    /// The system failed while the authorities were read.
    Unread(PathBuf, String),
    /// This host has no authorities, and no file of them is named.
    NoAuthorities,
    /// The relay's name cannot be in a certificate.
    Name(String),
    /// The certificate did not pass.
    Certificate {
        /// Which check failed.
        reason: CertificateError,
        /// The fingerprint it has, if it was seen.
        fingerprint: Option<[u8; 32]>,
        /// The hosts that it is for.
        names: Vec<String>,
    },
    /// The certificate is not the pinned one.
    OtherThanPinned {
        /// The fingerprints that are configured.
        pinned: Vec<[u8; 32]>,
        /// The fingerprint that it has.
        seen: [u8; 32],
    },
    /// The handshake failed otherwise.
    Handshake(rustls::Error),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlsError::CaFile(path, why) => {
                write!(f, "cannot use the CA file {}: {why}", sanitize::path(&path))
            }
            TlsError::Unread(path, why) => {
                write!(
                    f,
                    "cannot read the CA file {}: {why}",
                    sanitize::path(&path)
                )
            }
            TlsError::NoAuthorities => {
                f.write_str("this host has no certificate authorities to check the server by")
            }
            TlsError::Name(name) => write!(f, "'{name}' is not a host name for TLS"),
            TlsError::Certificate { reason, .. } => {
                let check = tls_words::certificate(reason);
                write!(f, "its certificate is not trusted: {check}")
            }
            TlsError::OtherThanPinned { .. } => f.write_str(
                "its certificate is not trusted: its fingerprint is not the configured one",
            ),
            TlsError::Handshake(error) => f.write_str(&tls_words::failure(error)),
        }
    }
}

impl Error for TlsError {}

/// Reads SHA-256 fingerprints with commas or blanks between them; at least one.
///
/// # Errors
/// Says what is wrong with one.
pub(crate) fn parse_fingerprints(text: &str) -> Result<Vec<[u8; 32]>, &'static str> {
    let parts = text.split(|c: char| c == ',' || c.is_whitespace());
    let all: Vec<[u8; 32]> = parts
        .filter(|part| !part.is_empty())
        .map(parse_fingerprint)
        .collect::<Result<_, _>>()?;
    // The error of an empty text is that of a short one.
    if all.is_empty() {
        parse_fingerprint("").map(|one| vec![one])
    } else {
        Ok(all)
    }
}

/// Reads a SHA-256 fingerprint: 64 hexadecimal digits, with or without `sha256:` and colons.
///
/// # Errors
/// Says what is wrong with it.
fn parse_fingerprint(text: &str) -> Result<[u8; 32], &'static str> {
    let text = text.trim();
    let digits = match text.get(..7) {
        Some(prefix) if prefix.eq_ignore_ascii_case("sha256:") => &text[7..],
        _ => text,
    };
    let digits: Vec<u8> = digits.bytes().filter(|byte| *byte != b':').collect();
    if digits.len() != 64 {
        return Err("a SHA-256 fingerprint has 64 hexadecimal digits");
    }
    let mut fingerprint = [0; 32];
    for (byte, pair) in fingerprint.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = std::str::from_utf8(pair)
            .ok()
            .filter(|pair| pair.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|pair| u8::from_str_radix(pair, 16).ok())
            .ok_or("a fingerprint has hexadecimal digits only")?;
    }
    Ok(fingerprint)
}

/// Returns a fingerprint as [`parse_fingerprint`] reads it.
pub(super) fn format_fingerprint(fingerprint: &[u8; 32]) -> String {
    use fmt::Write;
    let mut text = "sha256:".to_owned();
    for byte in fingerprint {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A TLS client that has not spoken yet, and the judge of what it will be shown.
pub(super) struct Client {
    /// The state machine.
    pub(super) connection: ClientConnection,
    judge: Arc<Judge>,
}

impl Client {
    /// Prepares a handshake.
    pub(super) fn new(terms: &Terms<'_>) -> Result<Client, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let judge = Arc::new(Judge {
            check: CertificateCheck::of(&terms.judgement, &provider)?,
            provider: Arc::clone(&provider),
            seen: Mutex::new(None),
        });
        let versions: &[_] = match terms.oldest {
            OldestTls::V1_2 => &[&TLS13, &TLS12],
            OldestTls::V1_3 => &[&TLS13],
        };
        // "Dangerous" is rustls's word for a verifier of one's own. `Judge` gives the chain check
        // back to webpki and only adds the pin, the absent check, and the fingerprint for the hint.
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .map_err(TlsError::Handshake)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&judge) as Arc<dyn ServerCertVerifier>);
        let config = match terms.client {
            Some(ClientCertificate(ours)) => {
                config.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(ours))))
            }
            None => config.with_no_client_auth(),
        };
        // A host name may end in the root's dot, which stands in no certificate and is not allowed
        // in SNI (RFC 6066 section 3).
        let host = terms.host;
        let name = host.trim_end_matches('.').to_owned();
        let name = ServerName::try_from(name).map_err(|_| TlsError::Name(host.to_owned()))?;
        let connection =
            ClientConnection::new(Arc::new(config), name).map_err(TlsError::Handshake)?;
        Ok(Client { connection, judge })
    }

    /// Explains an error of the handshake.
    pub(super) fn explain(&self, error: rustls::Error) -> TlsError {
        let reason = match error {
            rustls::Error::InvalidCertificate(reason) => reason,
            other => return TlsError::Handshake(other),
        };
        let seen = self.judge.seen();
        match (&self.judge.check, &seen) {
            (CertificateCheck::Pin(pinned), Some(seen)) if !pinned.contains(&seen.fingerprint) => {
                TlsError::OtherThanPinned {
                    pinned: pinned.clone(),
                    seen: seen.fingerprint,
                }
            }
            _ => TlsError::Certificate {
                reason,
                fingerprint: seen.as_ref().map(|seen| seen.fingerprint),
                names: seen.map(|seen| seen.facts.names).unwrap_or_default(),
            },
        }
    }

    /// Returns what was agreed on, a line a fact, for `-v`.
    pub(super) fn agreed(&self) -> Vec<String> {
        let version = match self.connection.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
            Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
            _ => "TLS",
        };
        let suite = self.connection.negotiated_cipher_suite();
        let cipher = suite
            .and_then(|suite| suite.suite().as_str())
            .unwrap_or("an unknown cipher");
        let mut lines = vec![format!(
            "{version} with {}",
            cipher.trim_start_matches("TLS13_")
        )];
        if let Some(Seen { fingerprint, facts }) = self.judge.seen() {
            lines.push(format!(
                "certificate for {}, signed by {}, valid until {}",
                known(&facts.names.join(", ")),
                known(&facts.issuer),
                known(&facts.end)
            ));
            let judged = match self.judge.check {
                CertificateCheck::Any => "not checked",
                CertificateCheck::Chain(_) => "trusted, by its chain and its name",
                CertificateCheck::Pin(_) => "trusted, by its fingerprint",
            };
            let fingerprint = format_fingerprint(&fingerprint);
            lines.push(format!("certificate {judged}: {fingerprint}"));
        }
        lines
    }
}

/// Returns a fact of a certificate, or says that there is none.
fn known(fact: &str) -> &str {
    if fact.is_empty() { "(not given)" } else { fact }
}

/// The checks of one [`Judgement`], ready to be made.
#[derive(Debug)]
enum CertificateCheck {
    Any,
    Chain(Arc<WebPkiServerVerifier>),
    Pin(Vec<[u8; 32]>),
}

impl CertificateCheck {
    fn of(
        judgement: &Judgement,
        provider: &Arc<CryptoProvider>,
    ) -> Result<CertificateCheck, TlsError> {
        Ok(match judgement {
            Judgement::None => CertificateCheck::Any,
            Judgement::Pinned(fingerprints) => CertificateCheck::Pin(fingerprints.clone()),
            Judgement::Strict(_) | Judgement::System(_) => {
                let roots = match judgement {
                    Judgement::Strict(path) => roots_of(path)?,
                    Judgement::System(Some(path)) => system_roots(Some(path))?,
                    _ => system_roots(None)?,
                };
                let verifier = WebPkiServerVerifier::builder_with_provider(
                    Arc::new(roots),
                    Arc::clone(provider),
                )
                .build()
                .map_err(|_| TlsError::NoAuthorities)?;
                CertificateCheck::Chain(verifier)
            }
        })
    }
}

/// Returns the certificates of authorities, for a client of TLS that judges by itself: those of this
/// file, or the system's. `SSL_CERT_FILE` names `system`.
///
/// # Errors
/// When there are none, or one of the file cannot be used.
pub(in crate::transport) fn authorities(
    file: Option<&Path>,
    system: Option<&Path>,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    match file {
        Some(path) => {
            let certificates = certificates_of(path)?;
            roots_from(path, certificates.clone())?;
            Ok(certificates)
        }
        None => match system_certificates(system)? {
            none if none.is_empty() => Err(TlsError::NoAuthorities),
            certificates => Ok(certificates),
        },
    }
}

/// Returns the authorities of one PEM file; they replace the system's.
fn roots_of(path: &Path) -> Result<RootCertStore, TlsError> {
    roots_from(path, certificates_of(path)?)
}

/// Reads the certificates of one PEM file.
fn certificates_of(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = open::read::bytes(path, Use::Certificates).map_err(|error| unread(path, &error))?;
    CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|_| {
            let why = "it is damaged, or is not a PEM file";
            TlsError::CaFile(path.to_owned(), why.to_owned())
        })
}

/// Makes authorities of the certificates of one file, each of which must be usable.
fn roots_from(
    path: &Path,
    certificates: Vec<CertificateDer<'static>>,
) -> Result<RootCertStore, TlsError> {
    let unusable = |why: String| TlsError::CaFile(path.to_owned(), why);
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate).map_err(|error| {
            let why = match &error {
                rustls::Error::InvalidCertificate(reason) => tls_words::certificate(reason),
                other => tls_words::failure(other),
            };
            unusable(format!("a certificate in it cannot be used: {why}"))
        })?;
    }
    if roots.is_empty() {
        return Err(unusable("there is no certificate in it".to_owned()));
    }
    Ok(roots)
}

fn unread(path: &Path, error: &Unread) -> TlsError {
    if error.is_failure() {
        TlsError::Unread(path.to_owned(), error.to_string())
    } else {
        TlsError::CaFile(path.to_owned(), error.to_string())
    }
}

/// Returns the authorities of the system; odd ones are skipped.
fn system_roots(named: Option<&Path>) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(system_certificates(named)?);
    Ok(roots)
}

/// Reads the certificates of the system's authorities, `SSL_CERT_FILE` and `SSL_CERT_DIR` included.
///
/// The file that a variable names is judged before it is read: the crate would read a device without end.
fn system_certificates(named: Option<&Path>) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    if let Some(path) = named {
        match open::read::open(path, Use::Certificates) {
            // The crate goes on to the usual places then.
            Err(error) if !error.is_absent() => return Err(unread(path, &error)),
            _ => {}
        }
    }
    let loaded = rustls_native_certs::load_native_certs();
    // Without an authority that could have been read the verdict on a certificate says nothing.
    for error in loaded.errors {
        if let rustls_native_certs::ErrorKind::Io { inner, path } = error.kind
            && Trouble::of(&inner) == Trouble::Failed
        {
            return Err(unread(&path, &Unread::from(inner)));
        }
    }
    Ok(loaded.certs)
}

/// Judges the certificate and remembers its fingerprint, for the hint.
#[derive(Debug)]
struct Judge {
    check: CertificateCheck,
    provider: Arc<CryptoProvider>,
    seen: Mutex<Option<Seen>>,
}

/// The certificate that the relay has shown.
#[derive(Clone, Debug)]
struct Seen {
    fingerprint: [u8; 32],
    facts: Facts,
}

impl Judge {
    fn seen(&self) -> Option<Seen> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.clone()
    }
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(digest(&SHA256, end_entity).as_ref());
        // Remembered before the check: the hint needs the fingerprint of exactly those certificates
        // that fail it.
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(Seen {
            fingerprint,
            facts: Facts::of(end_entity),
        });
        match &self.check {
            CertificateCheck::Any => Ok(ServerCertVerified::assertion()),
            // The pin replaces name, chain and dates: it is for self-signed relays, which may fail
            // all three and are known all the same.
            CertificateCheck::Pin(pinned) if pinned.contains(&fingerprint) => {
                Ok(ServerCertVerified::assertion())
            }
            CertificateCheck::Pin(_) => {
                Err(CertificateError::ApplicationVerificationFailure.into())
            }
            CertificateCheck::Chain(verifier) => verifier.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            ),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_as_tools_print_them() {
        let mut fingerprint = [0xab; 32];
        fingerprint[0] = 1;
        let text = format_fingerprint(&fingerprint);
        assert!(text.starts_with("sha256:01abab"));
        let bare = &text[7..];
        let colons = bare
            .as_bytes()
            .chunks(2)
            .map(|pair| String::from_utf8_lossy(pair).to_uppercase())
            .collect::<Vec<_>>()
            .join(":");
        for form in [&text, bare, &colons, &format!("SHA256:{colons}")] {
            assert_eq!(parse_fingerprint(form), Ok(fingerprint), "{form}");
        }
        assert_eq!(parse_fingerprints(&text), Ok(vec![fingerprint]));
        let both = format!("{text},\tsha256:{}", "cd".repeat(32));
        assert_eq!(parse_fingerprints(&both), Ok(vec![fingerprint, [0xcd; 32]]));
        for bad in [
            "",
            " , ",
            &format!("{text},01ab"),
            &format!("{text};{text}"),
        ] {
            assert!(parse_fingerprints(bad).is_err(), "{bad}");
        }
        for bad in [
            "",
            "sha256:",
            "01ab",
            &format!("sha1:{bare}"),
            &"+1".repeat(32),
            &"é".repeat(32),
        ] {
            assert!(parse_fingerprint(bad).is_err(), "{bad}");
        }
    }
}
