//! HTTPS: the one POST that asks a service for a token.
//!
//! The protocol is ureq's, the TLS ours: the same rustls, its provider, and our choice of
//! authorities. The answer is an outsider's: it has a limit in bytes and one in time, redirects are
//! not followed (the form holds a secret), and the proxies of the environment are not used.
//!
//! The request runs on a thread of its own, name lookup included, so that a signal ends the waiting
//! at once.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use ureq::config::RedirectAuthHeaders;
use ureq::http::Uri;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use zeroize::Zeroizing;

use super::Observer;
use super::smtp::tls::{TlsError, authorities};
use super::smtp::{Secret, tls_words};
use crate::exit::{self, Kind};

/// How many bytes of an answer are read; a token with all that comes with it has a few thousand.
const LONGEST: u64 = 64 * 1024;

/// How often the waiting thread looks whether it is to stop.
const SLICE: Duration = Duration::from_millis(50);

/// After how long a wait is reported.
const PATIENCE: Duration = Duration::from_secs(3);

/// The address of a service that may be sent a secret: https, or http to this host itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceUrl {
    uri: Uri,
}

impl ServiceUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// Says what is wrong with it, as the end of a sentence that begins with where it stands. The
    /// address is not repeated: a password may stand in it.
    pub(crate) fn parse(text: &str) -> Result<ServiceUrl, &'static str> {
        let uri: Uri = text.trim().parse().map_err(|_| "is not a valid URL")?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err("must begin with https://");
        };
        if authority.as_str().contains('@') {
            return Err("must not contain a login");
        }
        if authority.host().is_empty() {
            return Err("contains no host name");
        }
        match scheme {
            "https" => Ok(ServiceUrl { uri }),
            // By the address, not by a name: `localhost` may be another host.
            "http" if is_loopback(authority.host()) => Ok(ServiceUrl { uri }),
            _ => Err("must begin with https:// (http:// is only for 127.0.0.1 and [::1])"),
        }
    }

    /// Returns the host, as messages name the service.
    pub(crate) fn host(&self) -> &str {
        self.uri.host().unwrap_or_default()
    }
}

impl std::fmt::Display for ServiceUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.uri.fmt(f)
    }
}

fn is_loopback(host: &str) -> bool {
    host.trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<std::net::IpAddr>()
        .is_ok_and(|address| address.is_loopback())
}

/// A form to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    /// Where to.
    pub(crate) url: ServiceUrl,
    /// Its fields, in order.
    pub(crate) fields: Vec<(&'static str, Secret)>,
    /// The authorities that may have signed the certificate, in PEM; they replace the system's.
    pub(crate) ca_file: Option<PathBuf>,
    /// What `SSL_CERT_FILE` names.
    pub(crate) system_ca_file: Option<PathBuf>,
    /// How long all of it may take.
    pub(crate) limit: Duration,
}

/// What the service answered.
pub(crate) struct Answer {
    /// The status, such as 200.
    pub(crate) status: u16,
    /// The body, all of it.
    pub(crate) body: Zeroizing<Vec<u8>>,
}

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PostError {
    /// What kind of failure it is.
    pub(crate) kind: Kind,
    /// Why, in lower case; it follows the name of the service. Not yet sanitised.
    pub(crate) text: String,
    /// The next step, if there is one.
    pub(crate) hint: Option<&'static str>,
}

impl PostError {
    fn new(kind: Kind, text: impl Into<String>) -> PostError {
        PostError {
            kind,
            text: text.into(),
            hint: None,
        }
    }
}

/// Sends a form and reads the answer.
///
/// # Errors
/// 75 when the service cannot be reached or is silent, 76 when it speaks no HTTP or too much, 77 when
/// its certificate is not trusted, 78 when the authorities cannot be read.
pub(crate) fn post(
    post: &Post,
    observer: &dyn Observer,
    cancel: &AtomicBool,
) -> Result<Answer, PostError> {
    let host = post.url.host().to_owned();
    let limit = post.limit;
    let (sender, receiver) = mpsc::channel();
    let post = post.clone();
    let worker = thread::Builder::new()
        .name("https".to_owned())
        .spawn(move || {
            // The receiver is gone where the waiting was ended by a signal.
            let _ = sender.send(run(&post));
        });
    if let Err(error) = worker {
        let text = format!("cannot start a thread: {}", exit::plain(&error));
        return Err(PostError::new(Kind::TryLater, text));
    }
    let silent = || {
        let text = format!("no answer within {} s", limit.as_secs());
        PostError::new(Kind::TryLater, text)
    };
    let start = Instant::now();
    let mut reported = false;
    loop {
        match receiver.recv_timeout(SLICE) {
            Ok(answer) => return answer,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(PostError::new(Kind::Software, "a fault of our own"));
            }
        }
        if cancel.load(Ordering::SeqCst) {
            return Err(PostError::new(Kind::TryLater, "interrupted"));
        }
        // The client keeps the limit itself. This one holds where it cannot: a name service that
        // hangs.
        if start.elapsed() > limit + PATIENCE {
            return Err(silent());
        }
        if start.elapsed() >= PATIENCE && !reported {
            observer.waiting(&format!("a token from {host}"));
            reported = true;
        }
    }
}

fn run(post: &Post) -> Result<Answer, PostError> {
    let mut tls = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()));
    if post.url.uri.scheme_str() == Some("https") {
        let file = post.ca_file.as_deref();
        let found = authorities(file, post.system_ca_file.as_deref()).map_err(unreadable)?;
        let roots: Vec<Certificate<'static>> = found
            .iter()
            .map(|authority| Certificate::from_der(authority).to_owned())
            .collect();
        tls = tls.root_certs(RootCerts::Specific(Arc::new(roots)));
    }
    let agent = ureq::Agent::config_builder()
        .tls_config(tls.build())
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .redirect_auth_headers(RedirectAuthHeaders::Never)
        .http_status_as_error(false)
        .timeout_global(Some(post.limit))
        .max_response_header_size(LONGEST as usize)
        .user_agent(concat!("postrider/", env!("CARGO_PKG_VERSION")))
        .accept("application/json")
        .build()
        .new_agent();
    let fields = post.fields.iter();
    let form = fields.map(|(name, value)| (*name, value.reveal()));
    let explain = |error| explain(error, post.limit);
    let mut response = agent.post(&post.url.uri).send_form(form).map_err(explain)?;
    let body = response.body_mut().with_config().limit(LONGEST);
    let body = Zeroizing::new(body.read_to_vec().map_err(explain)?);
    Ok(Answer {
        status: response.status().as_u16(),
        body,
    })
}

fn unreadable(error: TlsError) -> PostError {
    let kind = match error {
        TlsError::Unread(..) => Kind::TryLater,
        _ => Kind::Config,
    };
    let mut failed = PostError::new(kind, error.to_string());
    if matches!(error, TlsError::NoAuthorities) {
        failed.hint = Some("install the package ca-certificates, or set oauth-ca-file=");
    }
    failed
}

/// Says why a request failed, in our own words: those of the library name its types.
fn explain(error: ureq::Error, limit: Duration) -> PostError {
    match error {
        ureq::Error::Timeout(_) => {
            let text = format!("no answer within {} s", limit.as_secs());
            PostError::new(Kind::TryLater, text)
        }
        ureq::Error::HostNotFound => {
            PostError::new(Kind::TryLater, "its host name cannot be looked up")
        }
        ureq::Error::ConnectionFailed => PostError::new(Kind::TryLater, "cannot connect"),
        ureq::Error::Rustls(error) => untrusted(&error),
        ureq::Error::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(error) => untrusted(error),
            None if error.kind() == io::ErrorKind::UnexpectedEof => {
                PostError::new(Kind::TryLater, "it closed the connection without an answer")
            }
            None => PostError::new(Kind::TryLater, exit::plain(&error)),
        },
        ureq::Error::BodyExceedsLimit(_) | ureq::Error::LargeResponseHeader(..) => {
            let text = format!("its answer is longer than {} KiB", LONGEST / 1024);
            PostError::new(Kind::Protocol, text)
        }
        ureq::Error::Tls(_) => PostError::new(Kind::Config, "its name is not a host name for TLS"),
        _ => PostError::new(Kind::Protocol, "its answer is not HTTP"),
    }
}

fn untrusted(error: &rustls::Error) -> PostError {
    match error {
        rustls::Error::InvalidCertificate(reason) => {
            let why = tls_words::certificate(reason);
            let mut failed = PostError::new(
                Kind::NoPermission,
                format!("its certificate is not trusted: {why}"),
            );
            failed.hint =
                Some("set oauth-ca-file= to the certificate of the authority that signed it");
            failed
        }
        other => PostError::new(Kind::Protocol, tls_words::failure(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_goes_to_https_and_to_this_host_only() {
        for good in [
            "https://login.example/t/oauth2/v2.0/token",
            "https://login.example:8443/token?x=1",
            "HTTPS://login.example/",
            "http://127.0.0.1:8080/token",
            "http://127.8.8.8/",
            "http://[::1]:1/token",
        ] {
            assert!(ServiceUrl::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "login.example/token",
            "/token",
            "http://login.example/token",
            "http://localhost/token",
            "http://10.0.0.1/token",
            "http://127.0.0.1.example/token",
            "http://[::2]/",
            "ftp://login.example/",
            "https://me:secret@login.example/",
            "https://",
            "https:///token",
            "https://login.example/a b",
            "https://login.example/\r\nX: y",
            "file:///etc/passwd",
        ] {
            assert!(ServiceUrl::parse(bad).is_err(), "{bad}");
        }
    }
}
