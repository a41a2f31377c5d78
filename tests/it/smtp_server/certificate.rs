//! Certificates that a server of the tests shows.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ALL_VERSIONS, RootCertStore, ServerConfig, SupportedProtocolVersion};

/// A certificate of the server, and what clients may know of it.
pub struct Certificate {
    /// The authority to put into the client's CA file, in PEM.
    pub authority: String,
    /// The certificate itself.
    pub der: Vec<u8>,
    /// The same in PEM.
    pub pem: String,
    /// Its key in PEM.
    pub key: String,
    config: Arc<ServerConfig>,
}

impl Certificate {
    /// Returns what another server needs to present it.
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// Returns one for `localhost` and 127.0.0.1, signed by its authority.
    pub fn good() -> Arc<Certificate> {
        Certificate::signed(&["localhost", "127.0.0.1"], |_| {})
    }

    /// Returns one for another host.
    pub fn wrong_host() -> Arc<Certificate> {
        Certificate::signed(&["other.example"], |_| {})
    }

    /// Returns one for a host of this name.
    pub fn named(name: &str) -> Arc<Certificate> {
        Certificate::signed(&[name], |_| {})
    }

    /// Returns a good one for a server that speaks this version of TLS only.
    pub fn of_version(version: &'static SupportedProtocolVersion) -> Arc<Certificate> {
        Certificate::issued(
            &["localhost", "127.0.0.1"],
            |_| {},
            |authority, certificate, key| {
                Certificate::configured(authority, certificate, key, &[version], None)
            },
        )
    }

    /// Returns a good one for a server that lets in only clients with a certificate of this
    /// authority, in PEM.
    pub fn for_clients_of(authority: &str) -> Arc<Certificate> {
        let authority = CertificateDer::from_pem_slice(authority.as_bytes()).expect("PEM");
        Certificate::issued(
            &["localhost", "127.0.0.1"],
            |_| {},
            |own, certificate, key| {
                Certificate::configured(own, certificate, key, ALL_VERSIONS, Some(authority))
            },
        )
    }

    /// Returns one that was good until 2001.
    pub fn expired() -> Arc<Certificate> {
        Certificate::signed(&["localhost", "127.0.0.1"], |params| {
            params.not_before = date_time_ymd(2000, 1, 1);
            params.not_after = date_time_ymd(2001, 1, 1);
        })
    }

    /// Returns a self-signed one, with or without CA:TRUE; it is its own authority.
    pub fn self_signed(ca: bool) -> Arc<Certificate> {
        let key = KeyPair::generate().expect("a key");
        let mut params = params(&["localhost", "127.0.0.1"]);
        if ca {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        let certificate = params.self_signed(&key).expect("a certificate");
        Certificate::serve(certificate.pem(), &certificate, &key)
    }

    fn signed(names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Arc<Certificate> {
        Certificate::issued(names, change, |authority, certificate, key| {
            Certificate::serve(authority, certificate, key)
        })
    }

    /// Makes an authority and a certificate that it has signed.
    fn issued(
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
        serve: impl FnOnce(String, &rcgen::Certificate, &KeyPair) -> Arc<Certificate>,
    ) -> Arc<Certificate> {
        let mut authority = params(&[]);
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let authority = CertifiedIssuer::self_signed(authority, key).expect("an authority");
        let key = KeyPair::generate().expect("a key");
        let mut params = params(names);
        change(&mut params);
        let certificate = params.signed_by(&key, &authority).expect("a certificate");
        serve(authority.pem(), &certificate, &key)
    }

    fn serve(
        authority: String,
        certificate: &rcgen::Certificate,
        key: &KeyPair,
    ) -> Arc<Certificate> {
        Certificate::configured(authority, certificate, key, ALL_VERSIONS, None)
    }

    fn configured(
        authority: String,
        certificate: &rcgen::Certificate,
        key: &KeyPair,
        versions: &[&'static SupportedProtocolVersion],
        clients: Option<CertificateDer<'static>>,
    ) -> Arc<Certificate> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .expect("protocol versions");
        let config = match clients {
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority).expect("an authority");
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                config.with_client_cert_verifier(verifier.build().expect("a verifier"))
            }
            None => config.with_no_client_auth(),
        };
        let config = config
            .with_single_cert(vec![certificate.der().clone()], private)
            .expect("key and certificate belong together");
        Arc::new(Certificate {
            authority,
            pem: certificate.pem(),
            key: key.serialize_pem(),
            der: certificate.der().to_vec(),
            config: Arc::new(config),
        })
    }
}

fn params(names: &[&str]) -> CertificateParams {
    let subject = names.first().copied().unwrap_or("Authority of the tests");
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("good names");
    params.distinguished_name.push(DnType::CommonName, subject);
    params
}
