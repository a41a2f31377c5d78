//! Looking up the relay's addresses, and the errors of that.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;

use super::Relay;
use super::socket::{SLICE, Watch};
use super::verdict::undecided;
use crate::exit::{Kind, plain};
use crate::sys::name_service;
use crate::sys::open::{self, Trouble, Unread, Use};
use crate::transport::{Disposition, Outcome};

/// Finds the addresses of a relay.
///
/// A name is looked up on a thread of its own: nothing can end a call of `getaddrinfo`. Where the
/// watch ends the wait, the thread is left alone.
pub(super) fn resolve(relay: &Relay, watch: &dyn Watch) -> Result<Vec<SocketAddr>, Outcome> {
    if let Ok(address) = relay.host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, relay.port)]);
    }
    let (host, port) = (relay.host.clone(), relay.port);
    let (sender, found) = mpsc::channel();
    thread::Builder::new()
        .name("lookup".to_owned())
        .spawn(move || {
            // Nobody hears it where the wait was ended.
            let _ = sender.send(look_up(&host, port));
        })
        .map_err(|error| {
            let text = format!(
                "cannot look up the relay {}: cannot start a thread: {}",
                relay.host,
                plain(&error)
            );
            Outcome::new(Disposition::TryLater(Kind::TryLater), text)
        })?;
    loop {
        match found.recv_timeout(SLICE) {
            Ok(found) => return found,
            Err(RecvTimeoutError::Timeout) if watch.goes_on() => {}
            // The watch has said why.
            Err(RecvTimeoutError::Timeout) => return Err(undecided(relay)),
            Err(RecvTimeoutError::Disconnected) => {
                let why = "a fault of our own while waiting for the name service";
                let text = format!("{}: {why}", relay.name());
                let later = Disposition::TryLater(Kind::Software);
                return Err(Outcome::new(later, text));
            }
        }
    }
}

fn look_up(host: &str, port: u16) -> Result<Vec<SocketAddr>, Outcome> {
    // A static build has no dynamic loader: the C library would skip such a module without a word
    // and report an unknown host, which is final, although a dynamic build finds it.
    if name_service::IS_STATIC
        && let Some(module) = name_service::module_for_hosts()
    {
        return Err(needs_module(host, &module));
    }
    can_look_up().map_err(|error| not_now(host, &error))?;
    match (host, port).to_socket_addrs() {
        // No MX records are asked for: a submission server or smarthost is named by its own host
        // name, not by a mail domain.
        Ok(addresses) => {
            let addresses: Vec<SocketAddr> = addresses.collect();
            if addresses.is_empty() {
                return Err(unknown_host(host, "it has no address"));
            }
            Ok(addresses)
        }
        Err(error) => Err(match lookup_failure(host, &error) {
            // It may have run out of something on its way, which "unknown" does not tell.
            outcome if outcome.kind() == Some(Kind::NoHost) => match can_look_up() {
                Ok(()) => outcome,
                Err(error) => not_now(host, &error),
            },
            outcome => outcome,
        }),
    }
}

/// How many descriptors the C library may need for one look-up.
const DESCRIPTORS: usize = 8;

/// The files that a look-up of a host reads.
const FILES: [&str; 3] = ["/etc/nsswitch.conf", "/etc/hosts", "/etc/resolv.conf"];

/// Returns whether a look-up can work at all.
///
/// For a process without a free descriptor, and where `/etc/hosts` cannot be read, the C library says
/// that no such host is known. So the C library is not asked then.
fn can_look_up() -> Result<(), Unread> {
    let sockets: io::Result<Vec<UdpSocket>> = (0..DESCRIPTORS)
        .map(|_| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)))
        .collect();
    // The sockets are bound and dropped again: eight free descriptors now make it likely that the
    // library finds them a moment later. A race remains and is why `look_up` asks again afterwards.
    match sockets {
        // A host without IPv4 has another reason.
        Err(error) if Trouble::of(&error) == Trouble::Failed && !is_without_ipv4(&error) => {
            return Err(error.into());
        }
        _ => {}
    }
    for path in FILES {
        match open::read::bytes(Path::new(path), Use::Host) {
            Err(error) if error.is_failure() => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn is_without_ipv4(error: &io::Error) -> bool {
    use nix::errno::Errno;
    [Errno::EAFNOSUPPORT, Errno::EADDRNOTAVAIL, Errno::EADDRINUSE]
        .iter()
        .any(|errno| error.raw_os_error() == Some(*errno as i32))
}

fn not_now(host: &str, why: &Unread) -> Outcome {
    let text = format!("cannot look up the relay {host}: {why}");
    Outcome::new(Disposition::TryLater(Kind::TryLater), text)
}

fn needs_module(host: &str, module: &str) -> Outcome {
    let text = format!(
        "cannot look up the relay {host}: /etc/nsswitch.conf names {module} for hosts, which a static build cannot load"
    );
    Outcome::new(Disposition::Refused(Kind::Config), text)
        .hint("write the relay's numeric address, or use a build that is not static")
}

fn unknown_host(host: &str, why: &str) -> Outcome {
    // An unknown host is final: it is mostly a misspelt name, and trying it again would only hide
    // the mistake.
    let text = format!("cannot find the relay {host}: {why}");
    Outcome::new(Disposition::Refused(Kind::NoHost), text)
}

/// Distinguishes an unknown name from a name service that does not answer. std hides the number that
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
        return Outcome::new(Disposition::Refused(Kind::Config), text);
    }
    Outcome::new(Disposition::TryLater(Kind::TryLater), text)
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
            assert_eq!(outcome.kind(), Some(kind), "{words}");
        }
        let outcome = lookup_failure("a\0b", &io::ErrorKind::InvalidInput.into());
        assert_eq!(outcome.kind(), Some(Kind::Config));
    }
}
