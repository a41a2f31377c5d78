//! Expanding aliases, wherever they come from.

use std::collections::BTreeSet;

/// What became of a name in [`expand`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expansion {
    /// The names and addresses that are left, each once, in order.
    pub members: Vec<String>,
    /// Members that are commands, files or includes and were left out.
    pub ignored: Vec<String>,
}

/// Expands a name, again and again, until only names without an alias are left.
///
/// A name that comes back to itself stands for itself then, as sendmail has it (`root: root, ops`).
pub fn expand<'a>(name: &str, lookup: impl Fn(&str) -> Option<&'a [String]>) -> Expansion {
    let mut expansion = Expansion::default();
    let mut seen = BTreeSet::new();
    let mut given = BTreeSet::new();
    let mut pending = vec![(name.to_owned(), false)];
    while let Some((name, is_final)) = pending.pop() {
        let members = if is_final { None } else { lookup(&name) };
        match members {
            Some(members) if seen.insert(name.to_ascii_lowercase()) => {
                for member in members.iter().rev() {
                    if member.starts_with(['|', '/', ':']) {
                        expansion.ignored.push(member.clone());
                        continue;
                    }
                    // `\root` is root and no further alias; so is a name met inside itself.
                    let bare = member.strip_prefix('\\');
                    let is_final = bare.is_some() || member.eq_ignore_ascii_case(&name);
                    pending.push((bare.unwrap_or(member).to_owned(), is_final));
                }
            }
            Some(_) => {}
            None => {
                if given.insert(name.clone()) {
                    expansion.members.push(name);
                }
            }
        }
    }
    expansion.ignored.reverse();
    expansion
}
