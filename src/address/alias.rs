//! Expanding aliases, wherever they come from.

use std::collections::HashSet;

/// The members of an alias, in one text: a string of its own would take twice the memory of most
/// members, and there may be 100,000.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    text: String,
    /// Where each member ends in the text.
    ends: Vec<usize>,
}

impl Members {
    /// Appends a member.
    pub fn push(&mut self, member: &str) {
        self.text.push_str(member);
        self.ends.push(self.text.len());
    }

    /// Returns the members in their order.
    pub fn iter(&self) -> MemberIter<'_> {
        MemberIter {
            members: self,
            next: 0,
        }
    }
}

impl<'a> IntoIterator for &'a Members {
    type Item = &'a str;
    type IntoIter = MemberIter<'a>;

    fn into_iter(self) -> MemberIter<'a> {
        self.iter()
    }
}

/// The members of an alias, one after another.
#[derive(Clone, Debug)]
pub struct MemberIter<'a> {
    members: &'a Members,
    next: usize,
}

impl<'a> Iterator for MemberIter<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let Members { text, ends } = self.members;
        let end = *ends.get(self.next)?;
        let start = self.next.checked_sub(1).map_or(0, |before| ends[before]);
        self.next += 1;
        Some(&text[start..end])
    }
}

/// The result of [`expand`] for a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expansion<'a> {
    /// The names and addresses that are left, each once, in order.
    pub members: Vec<&'a str>,
    /// Members that are commands, files or includes and were left out.
    pub ignored: Vec<&'a str>,
}

/// Expands a name, again and again, until only names without an alias are left.
///
/// A name that leads back to itself is kept as it is, as in sendmail (`root: root, ops`).
pub fn expand<'a>(name: &'a str, lookup: impl Fn(&str) -> Option<&'a Members>) -> Expansion<'a> {
    let mut expansion = Expansion::default();
    let mut seen = HashSet::new();
    let mut listed = HashSet::new();
    // The aliases that are being expanded, each within the one before, with their next members.
    let mut open: Vec<(&'a str, MemberIter<'a>)> = Vec::new();
    let mut next_name = Some((name, false));
    loop {
        if let Some((name, is_final)) = next_name.take() {
            match lookup(name).filter(|_| !is_final) {
                // Names ignore case, as sendmail's aliases do. An alias that is met a second time
                // has its members in the list already, or is just being expanded: so a circle
                // ends.
                Some(members) if seen.insert(name.to_ascii_lowercase()) => {
                    open.push((name, members.iter()));
                }
                Some(_) => {}
                None => {
                    if listed.insert(name) {
                        expansion.members.push(name);
                    }
                }
            }
        }
        let Some((name, members)) = open.last_mut() else {
            return expansion;
        };
        match members.next() {
            Some(member) if member.starts_with(['|', '/', ':']) => expansion.ignored.push(member),
            // `\root` is root and no further alias; so is a name met inside itself.
            Some(member) => {
                let bare = member.strip_prefix('\\');
                let is_final = bare.is_some() || member.eq_ignore_ascii_case(name);
                next_name = Some((bare.unwrap_or(member), is_final));
            }
            None => drop(open.pop()),
        }
    }
}
