//! This host's name, found without ever asking DNS.

use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::sync::OnceLock;

use super::open::{self, Use};

/// For what the machine-id is used, so that what stands for it here stands for it nowhere else.
const PURPOSE: &[u8] = b"postrider dot-lock";

/// Returns the name that `gethostname` gives, or `localhost`.
pub(crate) fn node_name() -> String {
    nix::unistd::gethostname()
        .ok()
        .and_then(|name| name.into_string().ok())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "localhost".to_owned())
}

/// Returns what stands for this installation of a system: two have the same only if one is a copy.
///
/// It is derived from the machine-id, which is not to be shown to others (machine-id(5)).
pub(crate) fn machine() -> Option<String> {
    let id = fs::read_to_string("/etc/machine-id").ok()?;
    let id = id.trim();
    if id.len() != 32 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        // The machine has no id yet: an image that was not started before holds "uninitialized".
        return None;
    }
    // machine-id(5) asks for a keyed hash, so that the id cannot be computed back from what is
    // shown.
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, id.as_bytes());
    let tag = ring::hmac::sign(&key, PURPOSE);
    let digits = tag.as_ref().iter().take(16);
    Some(digits.map(|byte| format!("{byte:02x}")).collect())
}

/// Returns this host's fully qualified name where its files give one.
///
/// Asked in this order, and once: `/etc/mailname`, a gethostname with a dot, the line of
/// `/etc/hosts` that names us. DNS is never asked: a mail must not wait for it.
///
/// A file that cannot be read is passed over here; [`unread`] names it.
pub(crate) fn qualified_name() -> Option<String> {
    found().name.clone()
}

/// Returns the file that could not be read while this host's name was looked for, if one was.
///
/// Returns `None` before [`qualified_name`] is called: where `hostname` is set no file is read.
pub(crate) fn unread() -> Option<&'static (&'static str, HostUnread)> {
    FOUND.get()?.unread.as_ref()
}

/// Why a file with this host's name could not be read.
#[derive(Debug)]
pub(crate) enum HostUnread {
    /// We have no permission, or the file does not exist.
    Refused(String),
    /// The system failed, so this host's name is not known.
    Failed(String),
}

/// The name that was found, once for the whole run.
#[derive(Debug, Default)]
struct FoundName {
    name: Option<String>,
    unread: Option<(&'static str, HostUnread)>,
}

static FOUND: OnceLock<FoundName> = OnceLock::new();

fn found() -> &'static FoundName {
    FOUND.get_or_init(|| {
        let mut found = FoundName::default();
        found.name = found.find();
        found
    })
}

impl FoundName {
    fn find(&mut self) -> Option<String> {
        // In this order: what the administrator wrote down for mail, what the kernel
        // says if it is qualified, and the hosts file. DNS is never asked: it may hang, or lie.
        let node = node_name();
        if let Some(name) = self.read("/etc/mailname").as_deref().and_then(in_mailname) {
            return Some(name);
        }
        if is_qualified(&node) {
            return Some(node);
        }
        in_hosts(&self.read("/etc/hosts")?, &node)
    }

    fn read(&mut self, path: &'static str) -> Option<String> {
        match open::read::bytes(Path::new(path), Use::Host) {
            Ok(text) => Some(String::from_utf8_lossy(&text).into_owned()),
            Err(error) => {
                // A missing file is an answer: the next source is asked. A file that could not be
                // read may hold the name, so the failure is remembered.
                if !error.is_absent() {
                    let why = error.to_string();
                    let unread = if error.is_failure() {
                        HostUnread::Failed(why)
                    } else {
                        HostUnread::Refused(why)
                    };
                    self.unread.get_or_insert((path, unread));
                }
                None
            }
        }
    }
}

/// Returns what the text of `/etc/mailname` says, if it is a name.
fn in_mailname(text: &str) -> Option<String> {
    let name = text.lines().next()?.trim();
    is_qualified(name).then(|| name.to_owned())
}

/// Returns the first dotted name on the line of `/etc/hosts` that holds this node name.
fn in_hosts(hosts: &str, node: &str) -> Option<String> {
    hosts.lines().find_map(|line| {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_ascii_whitespace();
        // hosts(5): the address, the official name, aliases. The full name may stand among the
        // aliases.
        words.next()?.parse::<IpAddr>().ok()?;
        let names: Vec<&str> = words.collect();
        if !names.contains(&node) {
            return None;
        }
        names
            .iter()
            .find(|name| is_qualified(name))
            .map(|name| (*name).to_owned())
    })
}

/// Returns whether a name is a usable fully qualified one.
fn is_qualified(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name.contains('.')
        && name.len() <= 253
        // Installers write `localhost.localdomain`, which no other host can answer to.
        && !name.ends_with(".localdomain")
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
        && name.split('.').all(|label| !label.is_empty())
        && name.parse::<IpAddr>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_line_of_debian_gives_the_full_name() {
        let hosts = "127.0.0.1 localhost\n127.0.1.1\tdb1.example.org db1 # us\n";
        assert_eq!(in_hosts(hosts, "db1").as_deref(), Some("db1.example.org"));
        assert_eq!(in_hosts(hosts, "web"), None);
        assert_eq!(in_hosts("127.0.0.1 localhost.localdomain vm\n", "vm"), None);
    }

    #[test]
    fn a_bare_or_odd_name_is_not_qualified() {
        for name in ["vm", "", ".", "a..b", "192.0.2.1", "x_y.example", "a.b\nc"] {
            assert!(!is_qualified(name), "{name:?}");
        }
        assert!(is_qualified("db1.example.org"));
    }
}
