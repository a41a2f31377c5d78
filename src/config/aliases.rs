//! Aliases: names that stand for recipients.
//!
//! The aliases of the mailrc always apply. The system's aliases (`/etc/aliases`) apply on every route
//! that we carry ourselves, and never before a real sendmail, which reads them itself.
//! Commands and files in the system's aliases are never run or written.

use std::collections::BTreeMap;
use std::path::Path;

use crate::address::alias::Members;
use crate::sys::open::{self, Unread, Use};

/// Where the system's aliases are.
pub(crate) const SYSTEM_FILES: &[&str] = &["/etc/aliases", "/etc/mail/aliases"];

/// The system's aliases: names in lower case, and their members.
#[derive(Clone, Debug, Default)]
pub(crate) struct SystemAliases {
    names: BTreeMap<String, Members>,
}

impl SystemAliases {
    /// Reads the first of the system's alias files that is there.
    ///
    /// # Errors
    /// Names the file that is there, or may be, and cannot be read.
    pub(crate) fn read() -> Result<SystemAliases, (&'static str, Unread)> {
        for path in SYSTEM_FILES {
            match open::read::bytes(Path::new(path), Use::Aliases) {
                Ok(text) => return Ok(SystemAliases::parse(&String::from_utf8_lossy(&text))),
                // Only "not there" leads on to the next file. A file that cannot be read may hold
                // an alias for root, and the other one must not replace it silently.
                Err(error) if error.is_absent() => {}
                Err(error) => return Err((path, error)),
            }
        }
        Ok(SystemAliases::default())
    }

    /// Reads the text of an aliases(5) file: `name: value, value`, continued by leading blanks.
    pub(crate) fn parse(text: &str) -> SystemAliases {
        let mut names: BTreeMap<String, Members> = BTreeMap::new();
        let mut current: Option<String> = None;
        for line in text.lines() {
            if line.trim_start().starts_with('#') || line.trim().is_empty() {
                continue;
            }
            // aliases(5): a line that begins with a blank continues the one before, comments and
            // empty lines between them notwithstanding.
            let values = if line.starts_with([' ', '\t']) {
                line
            } else {
                match split_name(line) {
                    Some((name, values)) => {
                        current = Some(name);
                        values
                    }
                    None => {
                        // What continues a line without a colon is dropped with it; it would
                        // otherwise become a member of the alias before.
                        current = None;
                        continue;
                    }
                }
            };
            if let Some(name) = &current {
                let members = names.entry(name.clone()).or_default();
                for value in split_values(values) {
                    members.push(&value);
                }
            }
        }
        SystemAliases { names }
    }

    /// Returns whether a name is one of them, in small letters.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// Returns the members of an alias.
    pub(crate) fn get(&self, name: &str) -> Option<&Members> {
        self.names.get(&name.to_ascii_lowercase())
    }
}

/// Splits `name: values`; the name may be quoted.
fn split_name(line: &str) -> Option<(String, &str)> {
    let (name, values) = match line.strip_prefix('"') {
        Some(rest) => {
            let (name, rest) = rest.split_once('"')?;
            (name, rest.trim_start().strip_prefix(':')?)
        }
        None => line.split_once(':')?,
    };
    let name = name.trim();
    (!name.is_empty()).then(|| (name.to_ascii_lowercase(), values))
}

/// Splits values at commas outside of quotes and takes the quotes off.
fn split_values(text: &str) -> Vec<String> {
    let mut values = vec![String::new()];
    let mut quoted = false;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let Some(value) = values.last_mut() else {
            break;
        };
        match c {
            '"' => quoted = !quoted,
            '\\' => value.extend(chars.next()),
            ',' if !quoted => values.push(String::new()),
            _ => value.push(c),
        }
    }
    values
        .into_iter()
        .map(|value| value.trim().to_owned())
        .filter(|value| !value.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::alias::expand;

    struct Expanded {
        members: Vec<String>,
        ignored: Vec<String>,
    }

    fn expanded(text: &str, name: &str) -> Expanded {
        let aliases = SystemAliases::parse(text);
        let expansion = expand(name, |name| aliases.get(name));
        let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
        Expanded {
            members: owned(expansion.members),
            ignored: owned(expansion.ignored),
        }
    }

    #[test]
    fn names_are_expanded_to_the_end_and_once() {
        let text = "# local\npostmaster: root\nRoot: alice,\n\tbob@example.org, \"Carol\"\nalice: alice, root\n";
        assert_eq!(
            expanded(text, "postmaster").members,
            ["alice", "bob@example.org", "Carol"]
        );
        assert_eq!(expanded(text, "dave").members, ["dave"]);
    }

    #[test]
    fn loops_end() {
        assert_eq!(expanded("a: b\nb: a\n", "a").members, [] as [&str; 0]);
        assert_eq!(expanded("a: a, b\n", "a").members, ["a", "b"]);
        assert_eq!(expanded("a: \\a, b\nb: a\n", "a").members, ["a"]);
    }

    #[test]
    fn commands_files_and_includes_are_left_out_and_named() {
        let text = "root: |/bin/evil, \"|x y, z\", /var/log/mail, :include:/etc/list, alice\n";
        let expansion = expanded(text, "root");
        assert_eq!(expansion.members, ["alice"]);
        assert_eq!(
            expansion.ignored,
            [
                "|/bin/evil",
                "|x y, z",
                "/var/log/mail",
                ":include:/etc/list"
            ]
        );
    }
}
