//! One relay, as the values of `mta` and `smtp` name it: its URL.

use std::error::Error;
use std::fmt;
use std::net::Ipv6Addr;

use crate::address::ascii_domain;
use crate::config::nearest;

/// The protocol of a relay's URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `smtp://`, port 25; STARTTLS if the relay has it.
    Smtp,
    /// `smtps://`, port 465; TLS from the start.
    Smtps,
    /// `submission://`, port 587; STARTTLS required.
    Submission,
    /// `submissions://`, port 465; TLS from the start.
    Submissions,
}

impl Scheme {
    fn port(self) -> u16 {
        match self {
            Scheme::Smtp => 25,
            Scheme::Submission => 587,
            Scheme::Smtps | Scheme::Submissions => 465,
        }
    }
}

/// A relay, as a URL names it: `scheme://[user[:password]@]host[:port]`.
#[derive(Clone, PartialEq, Eq)]
pub struct RelayUrl {
    /// The protocol.
    pub scheme: Scheme,
    /// The host's name or address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The login name.
    pub user: Option<String>,
    /// The password. Never shown.
    pub password: Option<String>,
}

impl fmt::Debug for RelayUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for RelayUrl {
    /// Shows the URL without its login.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Smtp => "smtp",
            Scheme::Smtps => "smtps",
            Scheme::Submission => "submission",
            Scheme::Submissions => "submissions",
        };
        write!(f, "{scheme}://{}", self.place())
    }
}

/// Why a value of `mta` or `smtp` cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MtaError(String);

impl fmt::Display for MtaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for MtaError {}

impl MtaError {
    /// Returns an error with this text.
    pub(crate) fn new(text: impl Into<String>) -> MtaError {
        MtaError(text.into())
    }
}

impl RelayUrl {
    /// Returns `host:port`, as errors name the relay.
    pub fn place(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Returns the URL with its login name and without its password.
    pub fn without_password(&self) -> String {
        let url = self.to_string();
        match (&self.user, url.split_once("://")) {
            (Some(user), Some((scheme, place))) => format!("{scheme}://{}@{place}", encode(user)),
            _ => url,
        }
    }

    /// Reads a relay: a URL, or `HOST` or `HOST:PORT`, which mean `smtp://`.
    ///
    /// # Errors
    /// Says what is wrong with it; a login in it is not repeated.
    pub fn parse(text: &str) -> Result<RelayUrl, MtaError> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("smtp", text));
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "smtp" => Scheme::Smtp,
            "smtps" => Scheme::Smtps,
            "submission" => Scheme::Submission,
            "submissions" => Scheme::Submissions,
            _ => {
                let known = ["smtp", "smtps", "submission", "submissions"];
                let near = nearest(scheme, known)
                    .map_or_else(String::new, |near| format!("did you mean {near}://? "));
                return Err(MtaError::new(format!(
                    "unknown protocol {scheme}://; {near}use smtp, smtps, submission or submissions"
                )));
            }
        };
        // The last @ counts: login names are often addresses, and many people do not write %40 in
        // them.
        let (login, place) = match rest.rsplit_once('@') {
            Some((login, place)) => (Some(login), place),
            None => (None, rest),
        };
        let (user, password) = match login.map(|login| login.split_once(':').unwrap_or((login, "")))
        {
            None => (None, None),
            Some((user, password)) => (
                Some(decode(user)?).filter(|user| !user.is_empty()),
                Some(decode(password)?).filter(|password| !password.is_empty()),
            ),
        };
        let place = place.strip_suffix('/').unwrap_or(place);
        let (host, port) = split_port(place)?;
        // Anything else, such as a slash, a blank or a line end, would go into a command or an
        // error text as if it were part of a name.
        let is_host = |b: u8| b.is_ascii_alphanumeric() || b"-._:".contains(&b) || b >= 0x80;
        // `smtp://USER:SECRET`, where the host was forgotten, is no IPv6 address, and not repeated.
        let is_named = if host.contains(':') {
            host.parse::<Ipv6Addr>().is_ok()
        } else {
            let name = host.strip_suffix('.').unwrap_or(host);
            name.split('.').all(|label| !label.is_empty())
        };
        if !is_named || !host.bytes().all(is_host) {
            return Err(MtaError::new(
                "the URL of the relay contains no valid host name",
            ));
        }
        let host = ascii_domain(host).map_err(|why| {
            MtaError::new(format!("the relay \"{host}\" is not a valid host: {why}"))
        })?;
        Ok(RelayUrl {
            scheme,
            host: host.into_owned(),
            port: port.unwrap_or(scheme.port()),
            user,
            password,
        })
    }
}

/// Splits `host:port`; an IPv6 address is in brackets.
fn split_port(place: &str) -> Result<(&str, Option<u16>), MtaError> {
    let (host, port) = match place
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        Some((host, "")) => (host, None),
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => match place.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    let port = port
        .map(|port| {
            port.parse::<u16>()
                .ok()
                .filter(|port| *port > 0)
                .ok_or_else(|| MtaError::new("the port must be a number from 1 to 65535"))
        })
        .transpose()?;
    Ok((host, port))
}

/// Encodes a login name for a URL.
fn encode(text: &str) -> String {
    let encoded = text.bytes().map(|byte| {
        let is_plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if is_plain {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    });
    encoded.collect()
}

/// Decodes `%XX`.
pub(super) fn decode(text: &str) -> Result<String, MtaError> {
    let wrong = || MtaError::new("the URL contains an invalid %XX");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = tail.get(..2).ok_or_else(wrong)?;
        // A multi-byte character behind the % is no digit; cutting a `str` there would panic,
        // cutting bytes does not.
        let digits = std::str::from_utf8(digits).map_err(|_| wrong())?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| wrong())?);
        rest = &tail[2..];
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_has_its_port_and_login() {
        let url = RelayUrl::parse("submission://me%40x:p%3a%40ss@mail.example.org").unwrap();
        assert_eq!((url.scheme, url.port), (Scheme::Submission, 587));
        assert_eq!(url.user.as_deref(), Some("me@x"));
        assert_eq!(url.password.as_deref(), Some("p:@ss"));
        assert_eq!(url.to_string(), "submission://mail.example.org:587");
        let url = RelayUrl::parse("mail.example.org:2525").unwrap();
        assert_eq!((url.scheme, url.port), (Scheme::Smtp, 2525));
        let url = RelayUrl::parse("smtps://[::1]").unwrap();
        assert_eq!((url.host.as_str(), url.port), ("::1", 465));
        assert_eq!(url.to_string(), "smtps://[::1]:465");
    }
}
