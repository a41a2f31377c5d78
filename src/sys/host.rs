//! This host's name, found without ever asking DNS (design decision D4).

use std::fs;
use std::net::IpAddr;
use std::sync::OnceLock;

/// Returns the name that `gethostname` gives, or `localhost`.
pub fn node_name() -> String {
    nix::unistd::gethostname()
        .ok()
        .and_then(|name| name.into_string().ok())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "localhost".to_owned())
}

/// Returns this host's fully qualified name where its files give one.
///
/// Asked in this order, and once: `/etc/mailname`, a gethostname with a dot, the line of
/// `/etc/hosts` that names us. DNS is never asked: a mail must not wait for it.
pub fn qualified_name() -> Option<String> {
    static NAME: OnceLock<Option<String>> = OnceLock::new();
    NAME.get_or_init(find_qualified_name).clone()
}

fn find_qualified_name() -> Option<String> {
    let node = node_name();
    mailname()
        .or_else(|| is_qualified(&node).then(|| node.clone()))
        .or_else(|| {
            let hosts = fs::read_to_string("/etc/hosts").ok()?;
            in_hosts(&hosts, &node)
        })
}

/// Returns what `/etc/mailname` says, if it is a name.
fn mailname() -> Option<String> {
    let text = fs::read_to_string("/etc/mailname").ok()?;
    let name = text.lines().next()?.trim();
    is_qualified(name).then(|| name.to_owned())
}

/// Returns the first dotted name on the line of `/etc/hosts` that holds this node name.
fn in_hosts(hosts: &str, node: &str) -> Option<String> {
    hosts.lines().find_map(|line| {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_ascii_whitespace();
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
