//! Our own certificate for a relay: the files of `tls-cert` and `tls-key`.
//!
//! The key is a secret as a password is: the same rules hold for its file.

use zeroize::Zeroizing;

use super::secret_file::{check_private, named_file};
use crate::exit::{Failure, Kind};
use crate::sanitize;
use crate::submission::Surroundings;
use crate::sys::open::{self, Use};
use crate::transport::smtp::{ClientCertificate, ClientCertificateError};

/// Returns the certificate that is set, if one is.
///
/// # Errors
/// 78 when a file cannot be used, or when others can read the key; 75 when the system failed.
pub(super) fn of(around: &Surroundings<'_>) -> Result<Option<ClientCertificate>, Failure> {
    let settings = around.settings;
    let Some(name) = settings.path("tls-cert") else {
        if !settings.is_set("tls-key") {
            return Ok(None);
        }
        let origin = settings.origin("tls-key");
        let what = origin.says("tls-key is set without tls-cert");
        return Err(Failure::new(Kind::Config, what)
            .hint("set tls-cert= to the file of the certificate that belongs to the key"));
    };
    let certificate = named_file(name, "cannot read the certificate in", around)?;
    // One file may hold both, as curl and s-nail take it.
    let key = match settings.path("tls-key") {
        Some(name) => named_file(name, "cannot read the private key in", around)?,
        None => certificate.clone(),
    };
    let read = |path, what: &str, is_secret| {
        let shown = sanitize::path(&path);
        let unread = |error: open::Unread| {
            Failure::new(
                error.kind(Kind::Config),
                format!("cannot read the {what} in {shown}"),
            )
            .because(error)
        };
        let file = open::read::open(path, Use::Certificates).map_err(unread)?;
        if let (true, Some(metadata)) = (is_secret, file.metadata()) {
            check_private(what, path, metadata)?;
        }
        file.bytes(Use::Certificates)
            .map(Zeroizing::new)
            .map_err(unread)
    };
    let chain = read(&certificate, "certificate", false)?;
    let secret = read(&key, "private key", true)?;
    ClientCertificate::from_pem(&chain, &secret)
        .map(Some)
        .map_err(|error| {
            let (certificate, key) = (sanitize::path(&certificate), sanitize::path(&key));
            match error {
                ClientCertificateError::Certificate(why) => {
                    let what = format!("cannot use the certificate in {certificate}");
                    Failure::new(Kind::Config, what).because(why)
                }
                ClientCertificateError::Key(why) => {
                    let what = format!("cannot use the private key in {key}");
                    Failure::new(Kind::Config, what).because(why)
                }
                ClientCertificateError::Mismatch => Failure::new(
                    Kind::Config,
                    format!("the private key in {key} does not belong to the certificate in {certificate}"),
                ),
            }
        })
}
