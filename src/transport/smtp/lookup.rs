//! Names to addresses: where the relay is, and what it means not to find it.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

use super::Relay;
use super::connection::plain;
use crate::exit::Kind;
use crate::sys::name_service;
use crate::transport::{Disposition, Outcome};

/// Finds the addresses of a relay.
pub(super) fn resolve(relay: &Relay) -> Result<Vec<SocketAddr>, Outcome> {
    let host = relay.host.as_str();
    if name_service::IS_STATIC
        && host.parse::<IpAddr>().is_err()
        && let Some(module) = name_service::module_for_hosts()
    {
        return Err(needs_module(host, &module));
    }
    match (host, relay.port).to_socket_addrs() {
        Ok(addresses) => {
            let addresses: Vec<SocketAddr> = addresses.collect();
            if addresses.is_empty() {
                return Err(unknown_host(host, "it has no address"));
            }
            Ok(addresses)
        }
        Err(error) => Err(lookup_failure(host, &error)),
    }
}

fn needs_module(host: &str, module: &str) -> Outcome {
    let text = format!(
        "cannot look up the relay {host}: a static build cannot load what /etc/nsswitch.conf names for hosts ({module})"
    );
    Outcome::new(Disposition::Refused, Kind::Config, text)
        .hint("write the relay's numeric address, or use a build that is not static")
}

fn unknown_host(host: &str, why: &str) -> Outcome {
    let text = format!("cannot find the relay {host}: {why}");
    Outcome::new(Disposition::Refused, Kind::NoHost, text)
}

/// Tells an unknown name from a name service that does not answer. std hides the number that
/// `getaddrinfo` returned, so its words (glibc's, musl's) have to do; what we do not know is temporary.
fn lookup_failure(host: &str, error: &io::Error) -> Outcome {
    const UNKNOWN: [&str; 3] = ["not known", "No address associated", "does not resolve"];
    let words = plain(error);
    let words = words
        .strip_prefix("failed to lookup address information: ")
        .unwrap_or(&words);
    if UNKNOWN.iter().any(|unknown| words.contains(unknown)) {
        return unknown_host(host, words);
    }
    let text = format!("cannot look up the relay {host}: {words}");
    if error.kind() == io::ErrorKind::InvalidInput {
        return Outcome::new(Disposition::Refused, Kind::Config, text);
    }
    Outcome::new(Disposition::TryLater, Kind::TryLater, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_host_is_final_and_a_silent_name_service_is_not() {
        let table = [
            (
                "failed to lookup address information: Name or service not known",
                Kind::NoHost,
            ),
            (
                "failed to lookup address information: No address associated with hostname",
                Kind::NoHost,
            ),
            (
                "failed to lookup address information: Name does not resolve",
                Kind::NoHost,
            ),
            (
                "failed to lookup address information: Temporary failure in name resolution",
                Kind::TryLater,
            ),
            (
                "failed to lookup address information: Try again",
                Kind::TryLater,
            ),
            (
                "failed to lookup address information: System error",
                Kind::TryLater,
            ),
        ];
        for (words, kind) in table {
            let outcome = lookup_failure("mx.example", &io::Error::other(words));
            assert_eq!(outcome.kind, kind, "{words}");
        }
        let outcome = lookup_failure("a\0b", &io::ErrorKind::InvalidInput.into());
        assert_eq!(outcome.kind, Kind::Config);
    }
}
