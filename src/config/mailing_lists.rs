//! The mailing lists that the user knows (`mlist`) or has subscribed to (`mlsubscribe`).

use std::collections::BTreeMap;

use regex_automata::meta::{Config, Regex};
use regex_automata::util::syntax;

/// How much memory a regular expression may take when it is compiled, in bytes.
const MAX_PROGRAM: usize = 1 << 18;

/// The characters that make a name a regular expression, as in s-nail.
const MAGIC: [char; 7] = ['^', '[', '*', '+', '?', '|', '$'];

/// Known lists: an address or a regular expression, and whether the user has subscribed to it.
#[derive(Clone, Debug, Default)]
pub(crate) struct MailingLists(BTreeMap<String, bool>);

impl MailingLists {
    /// Adds a list; one that is subscribed to stays so when it is named again.
    ///
    /// # Errors
    /// Says why a regular expression cannot be used.
    pub(super) fn add(&mut self, name: String, is_subscribed: bool) -> Result<(), String> {
        if is_pattern(&name) {
            compile(&name)
                .map_err(|why| format!("\"{name}\" is not a regular expression: {why}"))?;
        }
        *self.0.entry(name).or_default() |= is_subscribed;
        Ok(())
    }

    /// Forgets a list; `*` stands for all.
    pub(super) fn remove(&mut self, name: &str) {
        match name {
            "*" => self.0.clear(),
            _ => drop(self.0.remove(name)),
        }
    }

    /// Takes a list as one that is known only; `*` stands for all.
    pub(super) fn unsubscribe(&mut self, name: &str) {
        for (known, is_subscribed) in &mut self.0 {
            *is_subscribed &= name != "*" && name != known;
        }
    }

    /// Returns the lists, or only those that are subscribed to.
    pub(super) fn names(&self, only_subscribed: bool) -> impl Iterator<Item = &str> {
        let lists = self.0.iter();
        lists.filter_map(move |(name, subscribed)| {
            (*subscribed || !only_subscribed).then_some(name.as_str())
        })
    }

    /// Returns what finds the list of an address. Expressions are compiled once for many addresses.
    pub(crate) fn finder(&self) -> Finder {
        let patterns = self.0.iter().filter(|(name, _)| is_pattern(name));
        let patterns =
            patterns.filter_map(|(name, subscribed)| Some((compile(name).ok()?, *subscribed)));
        Finder {
            patterns: patterns.collect(),
            names: self
                .0
                .iter()
                .map(|(name, subscribed)| (name.to_lowercase(), *subscribed))
                .collect(),
        }
    }
}

/// Finds the list of an address.
pub(crate) struct Finder {
    names: BTreeMap<String, bool>,
    patterns: Vec<(Regex, bool)>,
}

impl Finder {
    /// Returns whether the user has subscribed to the list of this address; `None` if it is no list
    /// that he knows. Case does not matter.
    pub(crate) fn is_subscribed(&self, address: &str) -> Option<bool> {
        let by_name = self.names.get(&address.to_lowercase()).copied();
        let patterns = self.patterns.iter();
        let by_pattern = patterns
            .filter(|(pattern, _)| pattern.is_match(address))
            .map(|(_, subscribed)| *subscribed);
        by_name.into_iter().chain(by_pattern).max()
    }
}

fn is_pattern(name: &str) -> bool {
    name.contains(MAGIC)
}

/// Makes the program of an expression. Addresses are ASCII in all but rare cases, so that the case of
/// other letters counts.
fn compile(pattern: &str) -> Result<Regex, String> {
    let syntax = syntax::Config::new()
        .unicode(false)
        .utf8(false)
        .case_insensitive(true);
    Regex::builder()
        .syntax(syntax)
        .configure(Config::new().nfa_size_limit(Some(MAX_PROGRAM)))
        .build(pattern)
        .map_err(|error| match error.syntax_error() {
            Some(error) => {
                let error = error.to_string();
                let why = error.lines().last().unwrap_or_default().trim();
                why.trim_start_matches("error: ").to_owned()
            }
            None => "it is too big".to_owned(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_an_address_or_an_expression() {
        let mut lists = MailingLists::default();
        lists.add("Known@x.org".to_owned(), false).unwrap();
        lists.add(r".*@lists\.x\.org$".to_owned(), false).unwrap();
        lists.add("in@lists.x.org".to_owned(), true).unwrap();
        lists.add("in@lists.x.org".to_owned(), false).unwrap();
        assert!(lists.add("a[".to_owned(), false).is_err());
        assert!(lists.add("(a{9999}){9999}*".to_owned(), false).is_err());
        let rows = [
            ("known@X.ORG", Some(false)),
            ("other@lists.x.org", Some(false)),
            ("IN@lists.x.org", Some(true)),
            ("in@x.org", None),
            ("lists.x.org", None),
        ];
        for (address, expected) in rows {
            assert_eq!(lists.finder().is_subscribed(address), expected, "{address}");
        }
        assert_eq!(lists.names(true).collect::<Vec<_>>(), ["in@lists.x.org"]);
        lists.unsubscribe("in@lists.x.org");
        assert_eq!(lists.finder().is_subscribed("in@lists.x.org"), Some(false));
        lists.remove("*");
        assert_eq!(lists.finder().is_subscribed("known@x.org"), None);
    }
}
