//! A relay, and how to speak to it: security, time limits, credentials.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::auth::Credentials;
use super::tls::{ClientCertificate, Judgement, OldestTls, Terms};

/// How the channel to a relay is made secure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Security {
    /// Never: STARTTLS is not used even where it is offered.
    Clear,
    /// STARTTLS where it is offered (`smtp://`).
    #[default]
    Opportunistic,
    /// STARTTLS, or nothing is sent (`submission://`, `tls=require`).
    StartTls,
    /// TLS from the first byte (`smtps://`, `submissions://`).
    Implicit,
}

/// How the certificate of a relay is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verify {
    /// Chain and host name, or the fingerprint.
    #[default]
    Strict,
    /// Not at all; credentials do not travel then, except to the loopback.
    Ignore,
}

/// How long what may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Connecting to one address.
    pub connect: Duration,
    /// One reply, all of it; also one write, and the TLS handshake.
    pub reply: Duration,
    /// The reply to the final dot (RFC 5321 section 4.5.3.2.6 asks for 10 minutes).
    pub final_reply: Duration,
    /// Everything before the final dot together.
    pub deadline: Option<Duration>,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts {
            // RFC 5321 section 4.5.3.2 gives 5 minutes for most replies, which suits a queue that
            // nobody watches. Here a person or a cron job waits, and the message is kept if the
            // relay is slow.
            connect: Duration::from_secs(10),
            reply: Duration::from_secs(60),
            // Only this one follows the RFC: the relay may be filtering the whole message, and
            // giving up now may duplicate it.
            final_reply: Duration::from_secs(600),
            deadline: None,
        }
    }
}

/// A relay and how to speak to it.
#[derive(Clone, Debug)]
pub struct Relay {
    /// Its host name or address, without brackets; all addresses of the name are tried.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the channel is made secure.
    pub security: Security,
    /// Who we are to it.
    pub credentials: Option<Credentials>,
    /// The authorities that may have signed its certificate, in PEM; they replace the system's.
    pub ca_file: Option<PathBuf>,
    /// What `SSL_CERT_FILE` names: read with the system's authorities, and judged before.
    pub system_ca_file: Option<PathBuf>,
    /// The SHA-256 of its certificate, or of those it may have; replaces every other check of it.
    pub fingerprints: Vec<[u8; 32]>,
    /// Whether certificates are judged.
    pub verify: Verify,
    /// Our own certificate, for a relay that knows its clients by theirs.
    pub client_certificate: Option<ClientCertificate>,
    /// The oldest version of TLS that is spoken.
    pub oldest_tls: OldestTls,
    /// Whether a relay on the loopback gets credentials in clear and has no certificate judged
    /// (unless `ca_file` or `fingerprints` are given). To be switched off for tunnels.
    pub trust_loopback: bool,
    /// Whether credentials may travel in clear or to an unknown certificate everywhere.
    pub allow_cleartext_auth: bool,
    /// The name for EHLO; without a dot the address of our end is said instead (RFC 5321 section 4.1.3).
    pub helo_name: String,
    /// Time limits.
    pub timeouts: Timeouts,
}

/// Returns the URL by which a host is reached at a port with this kind of security, for hints.
pub(super) fn url_of(host: &str, port: u16, security: Security) -> String {
    let (scheme, usual) = match security {
        Security::Implicit => ("submissions", 465),
        Security::StartTls => ("submission", 587),
        Security::Clear | Security::Opportunistic => ("smtp", 25),
    };
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    if port == usual {
        format!("{scheme}://{host}")
    } else {
        format!("{scheme}://{host}:{port}")
    }
}

impl Relay {
    /// Returns a relay with the defaults: opportunistic TLS, no credentials.
    pub fn new(host: impl Into<String>, port: u16) -> Relay {
        Relay {
            host: host.into(),
            port,
            security: Security::default(),
            credentials: None,
            ca_file: None,
            system_ca_file: None,
            fingerprints: Vec::new(),
            verify: Verify::default(),
            client_certificate: None,
            oldest_tls: OldestTls::default(),
            trust_loopback: true,
            allow_cleartext_auth: false,
            helo_name: String::new(),
            timeouts: Timeouts::default(),
        }
    }

    /// Returns `host:port`, as errors name the relay.
    pub fn name(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Returns what a handshake with it needs when it is reached at this address.
    pub(super) fn terms(&self, peer: IpAddr) -> Terms<'_> {
        Terms {
            host: &self.host,
            judgement: self.judgement(peer),
            client: self.client_certificate.as_ref(),
            oldest: self.oldest_tls,
        }
    }

    /// Returns how its certificate is judged when it is reached at this address (D7).
    pub(super) fn judgement(&self, peer: IpAddr) -> Judgement {
        if !self.fingerprints.is_empty() {
            return Judgement::Pinned(self.fingerprints.clone());
        }
        if self.verify == Verify::Ignore {
            return Judgement::None;
        }
        // A file that the user named replaces the system's authorities, on the loopback as well:
        // who names one expects it to be used.
        if let Some(path) = &self.ca_file {
            return Judgement::Strict(path.clone());
        }
        // Opportunistic TLS without credentials takes any certificate: the alternative is clear
        // text, which an attacker can read without any effort (RFC 7435).
        let asked_for = self.credentials.is_some()
            || self.client_certificate.is_some()
            || matches!(self.security, Security::StartTls | Security::Implicit);
        if asked_for && !self.is_trusted_loopback(peer) {
            Judgement::System(self.system_ca_file.clone())
        } else {
            Judgement::None
        }
    }

    /// Returns whether nothing may be sent without TLS: asked for, or said whose certificate it must
    /// be, which a relay without any certificate cannot meet.
    pub(super) fn requires_tls(&self) -> bool {
        // Who is to be known by a certificate cannot be known in clear, and who forbids TLS 1.2 does
        // not want less than that.
        let named = !self.fingerprints.is_empty()
            || self.client_certificate.is_some()
            || self.oldest_tls != OldestTls::default()
            || (self.ca_file.is_some() && self.verify == Verify::Strict);
        match self.security {
            Security::Clear => false,
            Security::Opportunistic => named,
            Security::StartTls | Security::Implicit => true,
        }
    }

    /// Returns whether credentials may be sent over this channel.
    pub(super) fn may_authenticate(&self, peer: IpAddr, encrypted: bool) -> bool {
        let known = encrypted && self.judgement(peer) != Judgement::None;
        known || self.allow_cleartext_auth || self.is_trusted_loopback(peer)
    }

    pub(super) fn is_trusted_loopback(&self, peer: IpAddr) -> bool {
        // The peer's address counts, not the name: `localhost` may resolve to something else.
        // `to_canonical` sees the loopback through ::ffff:127.0.0.1.
        self.trust_loopback && peer.to_canonical().is_loopback()
    }
}

/// Writes a duration as people say it.
pub(super) fn seconds(duration: Duration) -> String {
    if duration.subsec_millis() == 0 {
        format!("{} s", duration.as_secs())
    } else {
        format!("{} ms", duration.as_millis())
    }
}
